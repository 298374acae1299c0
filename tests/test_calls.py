"""The formula of docs/performance.md is what is announced, and what is announced is what the tenant counts."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from fakes import Clock

from benchmarks.sheets import Teams, email, groups, spread, team
from benchmarks.tenants import fill
from onboarding.apply import Pace
from onboarding.apply.age import MARGIN
from onboarding.atlan import Atlan
from onboarding.auth import ApiKey
from onboarding.job import Job, Prospect, Unattended
from onboarding.pacing import Budget, burst_of
from onboarding.pipeline import run
from onboarding.reconcile import Wishes
from onboarding.safety import Limit, Limits
from onboarding.sandbox.server import Sandbox
from onboarding.transport import Transport

PAGE = (Path(__file__).parent.parent / "docs" / "performance.md").read_text()
SEEDED = SimpleNamespace(accounts=10, groups=4)
EVERYTHING = Limit.parse("100000")
Rows = Iterable[Sequence[str]]


def formula() -> dict[str, Callable[[Any], int]]:
    (text,) = re.findall(r"<!-- formula -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {"ceil": math.ceil}
    exec(text, names)
    return names


def people(numbers: range, *belongs: str, role: str = "Member") -> Rows:
    """A users sheet; the groups of person n are every ``{n}`` of these."""
    yield ["email", "role", "groups"]
    for n in numbers:
        yield [email(n), role, ";".join(belongs)]


def gone(numbers: range) -> Rows:
    """A users sheet of people who have left."""
    yield ["email", "status"]
    for n in numbers:
        yield [email(n), "terminated"]


REVOKING = Wishes(leavers_revoke=True)
AUTHORITATIVE = Wishes(authoritative=True)


@dataclass(frozen=True)
class Case:
    """A tenant, a sheet, and the numbers of the formula that are not 0."""

    sheet: Rows
    there: int = 0
    teams: int = 0
    belongs: Teams | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    asked: range = range(0)
    rate: int = 0
    """The pace at which the calls are planned; 0: as fast as it goes."""
    wishes: Wishes = Wishes(create_groups=True)  # noqa: RUF009 -- frozen
    ends: int = 0
    """The exit code."""


NUMBERS = {
    "invited": 0, "strangers": 0, "groups_created": 0, "groups_changed": 0, "roles_changed": 0,
    "people_added": 0, "groups_reduced": 0, "members": 0, "sizes": [], "sizes_after": [], "people_touched": 0,
    "leavers": 0, "groups_left": 0, "sizes_whole": [], "sizes_of_others": [], "rate": 300,
}  # fmt: skip
REMOVALS = [["email", "group", "action"]] + [
    [email(n), team(t), "remove"] for n in range(10) for t in range(2)
]
CASES = [
    pytest.param(
        Case(
            people(range(150), team(0)), 150, 5, spread(5, 5),
            {"members": 150, "sizes": [150]}, range(150),
        ),
        id="nothing-new",
    ),
    pytest.param(
        Case(people(range(45)), numbers={"invited": 45, "strangers": 45}, asked=range(45)),
        id="new-people",
    ),
    pytest.param(
        Case(
            people(range(45), "Red", "Green", "Blue"),
            numbers={
                "invited": 45, "strangers": 45, "groups_created": 3, "sizes_after": [45] * 3,
                "people_touched": 45,
            },
            asked=range(45),
        ),
        id="new-people-in-new-groups",
    ),
    pytest.param(
        Case(
            people(range(300), team(0), "Red"), 0, 1,
            numbers={
                "invited": 300, "strangers": 300, "groups_created": 1, "people_added": 300,
                "sizes_after": [300, 300], "people_touched": 300,
            },
            asked=range(300),
        ),
        id="many-new-people-in-a-new-group-and-one-that-is-there",
    ),
    pytest.param(
        Case(
            people(range(30), team(0), team(1)), 30, 2,
            numbers={
                "members": 30, "sizes": [0, 0], "people_added": 30, "sizes_after": [30, 30],
                "people_touched": 30,
            },
            asked=range(30),
        ),
        id="people-who-are-there-into-groups-that-are-there",
    ),
    pytest.param(
        Case(
            people(range(5000, 5003), team(0), team(1), team(2)), 1500, 3, spread(3, 3),
            {
                "invited": 3, "strangers": 3, "people_added": 3, "sizes_after": [1503] * 3,
                "people_touched": 3,
            },
            range(5000, 5003),
        ),
        id="few-people-in-a-large-tenant",
    ),
    pytest.param(
        Case(
            REMOVALS, 20, 2, spread(2, 2),
            {
                "members": 10, "sizes": [20, 20], "groups_reduced": 2, "sizes_after": [10, 10],
                "people_touched": 10,
            },
            range(10),
        ),
        id="removals",
    ),
    pytest.param(
        Case(
            people(range(120, 130), role="Guest"), 500, numbers={"roles_changed": 10},
            asked=range(120, 130),
        ),
        id="roles",
    ),
    pytest.param(
        Case(
            people(range(150), role="Guest"), 150, numbers={"roles_changed": 150, "rate": 60},
            asked=range(150), rate=60,
        ),
        id="roles-by-an-old-look",
    ),
    pytest.param(
        Case(
            people(range(150), role="Guest"), 150, numbers={"roles_changed": 150, "rate": 30},
            asked=range(150), rate=30,
        ),
        id="roles-at-a-pace-at-which-each-look-gets-old-soon",
    ),
    pytest.param(
        Case(
            groups(140), 0, 140, numbers={"groups_changed": 140, "rate": 60}, rate=60,
        ),
        id="groups-by-an-old-look",
    ),
    pytest.param(
        Case(
            people(range(90), team(0), role="Guest"), 90, 1,
            numbers={
                "roles_changed": 90, "members": 90, "sizes": [0], "people_added": 90, "sizes_after": [90],
                "people_touched": 90, "rate": 60,
            },
            asked=range(90), rate=60,
        ),
        id="roles-after-groups",
    ),
    pytest.param(
        Case(
            people(range(5_200)), numbers={"invited": 5_200, "strangers": 5_200},
            asked=range(5_200), rate=300,
        ),
        id="more-new-people-than-can-be-invited-within-a-minute",
    ),
    pytest.param(
        Case(
            people(range(6_000)), numbers={"invited": 6_000, "strangers": 6_000, "rate": 1800},
            asked=range(6_000), rate=1800,
        ),
        id="new-people-at-the-highest-rate",
    ),
    pytest.param(
        Case(
            people(range(3_000), role="Member"),
            numbers={"invited": 3_000, "strangers": 3_000, "rate": 60},
            asked=range(3_000), rate=60,
        ),
        id="new-people-at-a-low-rate",
    ),
    pytest.param(
        Case(
            gone(range(30)), 30, 3, lambda person: [0, 1],
            {
                "leavers": 30, "sizes_of_others": [30, 30, *[1] * 5], "groups_left": 2,
                "sizes_after": [0, 0], "people_touched": 30,
            },
            range(30), wishes=REVOKING, ends=1,
        ),
        id="many-leavers-in-few-groups",
    ),
    pytest.param(
        Case(
            gone(range(30)), 30, 3, numbers={"leavers": 30, "sizes_of_others": [1] * 7},
            asked=range(30), wishes=REVOKING, ends=1,
        ),
        id="the-same-leavers-the-next-night",
    ),
    pytest.param(
        Case(
            gone(range(3)), 600, 3, spread(3, 2),
            {
                "leavers": 3, "sizes_of_others": [400] * 3, "groups_left": 3,
                "sizes_after": [398] * 3, "people_touched": 3,
            },
            range(3), wishes=REVOKING, ends=1,
        ),
        id="few-leavers-in-large-groups",
    ),
    pytest.param(
        Case(
            people(range(300), team(0)), 450, 1, spread(1, 1),
            {
                "sizes_whole": [450], "groups_reduced": 1, "sizes_after": [300],
                "people_touched": 150,
            },
            range(300), wishes=AUTHORITATIVE,
        ),
        id="authoritative",
    ),
    pytest.param(
        Case(
            [
                ["email", "groups", "status"],
                *([email(n), "", "terminated"] for n in range(5)),
                *([email(n), team(0), ""] for n in range(5, 180)),
            ],
            200, 3, lambda person: [0, 1],
            {
                "sizes_whole": [200], "leavers": 5, "sizes_of_others": [200, *[1] * 5],
                "groups_left": 2, "groups_reduced": 1, "sizes_after": [175, 195],
                "people_touched": 25,
            },
            range(180), wishes=Wishes(authoritative=True, leavers_revoke=True), ends=1,
        ),
        id="authoritative-with-leavers",
    ),
    pytest.param(Case(groups(3), 0, 3, numbers={"groups_changed": 3}), id="groups"),
]  # fmt: skip


def job(**numbers: Any) -> SimpleNamespace:
    """The numbers of a job; those that are not given are 0."""
    return SimpleNamespace(**{**vars(SEEDED), "named": 0, **NUMBERS, **numbers})


class Voice(Unattended):
    announced = 0

    def propose(self, prospect: Prospect) -> None:
        self.announced = prospect.calls


@pytest.mark.parametrize("case", CASES)
def test_the_formula_the_announced_and_the_counted_calls_are_one_number(
    case: Case, tmp_path: Path
) -> None:
    database, sheet, voice = tmp_path / "tenant.db", tmp_path / "sheet.csv", Voice()
    clock, rate = Clock(), case.rate or math.inf
    budget = Budget(rate, burst_of(rate), clock=clock, sleep=clock.sleep)
    fill(database, case.there, case.teams, case.belongs)
    with sheet.open("w", newline="") as file:
        csv.writer(file).writerows(case.sheet)
    with Sandbox(database) as sandbox:
        shown = {user.email for user in client(sandbox).first_users().users}
        before = counted(sandbox)
        report = run(
            Job(
                (str(sheet),),
                wishes=case.wishes,
                limits=Limits(EVERYTHING, EVERYTHING, EVERYTHING, EVERYTHING),
                pace=Pace(read_lag=0),
                reports=tmp_path / "reports",
                state=tmp_path / "state",
            ),
            client(sandbox, budget),
            voice,
        )
        made = counted(sandbox) - before
    assert report.exit_code == case.ends
    numbers = job(
        accounts=SEEDED.accounts + case.there,
        groups=SEEDED.groups + case.teams,
        named=len({email(n) for n in case.asked} - shown),
        **case.numbers,
    )
    page = formula()
    assert (page["calls"](numbers), voice.announced) == (made, made)
    assert page["sending"](numbers) <= made


def test_the_calls_of_forty_seconds_are_those_after_which_a_look_is_old() -> None:
    old, fits = Pace().fresh * MARGIN, formula()["in_40_seconds"]
    wrong = [
        rate
        for rate in range(1, 1801)
        for budget in [Budget(rate, burst_of(rate))]
        if not budget.takes(fits(rate)) <= old < budget.takes(fits(rate) + 1)
    ]
    assert not wrong


def first_run(count: int, teams: int = 50) -> SimpleNamespace:
    """All people are new, two groups each, and so are the groups."""
    sizes = [2 * count // teams] * teams
    return job(
        invited=count, strangers=count, named=count, groups_created=teams,
        sizes_after=sizes, people_touched=count,
    )  # fmt: skip


def into_groups(count: int, teams: int = 50) -> SimpleNamespace:
    """All people are new, and the groups are there."""
    facts = vars(first_run(count, teams)) | {"groups_created": 0, "people_added": count}
    return SimpleNamespace(**facts | {"groups": SEEDED.groups + teams})


def every_night(count: int, teams: int = 50) -> SimpleNamespace:
    """All is as asked."""
    sizes = [2 * count // teams] * teams
    return job(accounts=count, groups=teams, named=count, members=count, sizes=sizes)


def told(calls: int) -> str:
    """A number of calls and how long they take at 300 a minute, of which 50 don't wait."""
    seconds = (calls - 50) / 5
    if seconds < 90:
        return f"{calls:,} calls, {seconds:.0f} s"
    return f"{calls:,} calls, " + (
        f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
    )


@pytest.mark.parametrize("count", [1_000, 10_000, 100_000])
def test_the_times_on_the_page_follow_from_the_formula(count: int) -> None:
    calls = formula()["calls"]
    cells = [told(calls(kind(count))) for kind in (first_run, into_groups, every_night)]
    assert f"| {count:,} | {' | '.join(cells)} |" in PAGE


def test_the_calls_of_two_thousand_people_on_the_page_follow_from_the_formula() -> None:
    page = formula()
    for kind, what in ((first_run, "50 new groups"), (into_groups, "50 groups that are there")):
        numbers = kind(2_000)
        # To be seen: who was invited, the groups, the memberships; a page shows a hundred of them
        least = page["sending"](numbers) + 2_000 // 100 + 1 + 4_000 // 100
        assert f"| {what} | {page['calls'](numbers):,} | {least:,} |" in PAGE


def client(sandbox: Sandbox, budget: Budget | None = None) -> Atlan:
    transport = Transport(sandbox.url, ApiKey("sandbox"), budget=budget or Budget(math.inf))
    return Atlan(transport, tenant=sandbox.tenant)


def counted(sandbox: Sandbox) -> int:
    counts: dict[str, int] = requests.get(f"{sandbox.url}/__sandbox__/counts", timeout=20).json()
    return sum(counts.values())
