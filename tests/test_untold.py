"""What a run that died, or was left in doubt, had done is told by the next one, whatever its sheets are about."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from builders import email, group, user
from changes import change_role, create, grant, invite, revoke, update
from desk import Desk, Quiet, acme
from fakes import Crash, FakeTenant, Fault

from onboarding import pipeline, saved
from onboarding.job import Report
from onboarding.journal.intents import Untold
from onboarding.model import Desired, GroupKey, Role
from onboarding.plan import Change, Plan, Settled, Status
from onboarding.untold import people, told, with_memberships

TENANT = "acme.example"
GRANT = "email,group\nana@acme.example,Marketing\n"
GRANTS = f"{GRANT}ben@acme.example,Marketing\n"
OTHER = "email,role\nolga@acme.example,Admin\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def actions(report: Report) -> list[tuple[str, str, str]]:
    assert report.folder
    with (report.folder / "actions.csv").open(encoding="utf-8-sig", newline="") as file:
        return [(line["action"], line["person"], line["code"]) for line in csv.DictReader(file)]


def undo(report: Report) -> Plan:
    assert report.folder
    return saved.load(report.folder / "undo.json")[0]


def died(desk: Desk, tenant: FakeTenant, at: str, text: str = GRANT, skip: int = 0) -> Path:
    """Run a sheet until the process dies right after a call; give the folder that it leaves."""
    there = {*desk.folder.glob("reports/*")}
    tenant.faults.append(Fault("crash_after", at, skip=skip))
    with pytest.raises(Crash):
        desk.run(tenant, desk.sheet("first.csv", text), keep_runs=1)
    desk.time += 3_600
    (left,) = {*desk.folder.glob("reports/*")} - there
    return left


# ---- in a run ---------------------------------------------------------------------------------------------------


def test_what_a_run_that_died_had_done_is_told_by_the_next_whatever_its_sheets(desk: Desk) -> None:
    tenant = acme()
    before = tenant.truth()
    left = died(desk, tenant, "add_to_groups", GRANTS, skip=1)
    report = desk.run(tenant, desk.sheet("other.csv", OTHER))
    assert report.exit_code == 0
    assert [(str(row.row), row.code) for row in report.results] == [("other.csv:2", "no-change")]
    assert actions(report) == [
        ("grant", "ana@acme.example", "earlier-run"),
        ("grant", "ben@acme.example", "earlier-run"),
    ]
    assert report.folder
    assert f"the run {left.name} had done this, and" in (report.folder / "actions.csv").read_text()
    assert {change.key for change in undo(report).changes} == {
        "revoke ana@acme.example marketing",
        "revoke ben@acme.example marketing",
    }
    pipeline.apply_saved(report.folder / "undo.json", desk.job(), tenant, Quiet())
    assert tenant.truth().memberships == before.memberships


@pytest.mark.parametrize(
    ("at", "first", "then"),
    [
        pytest.param(
            "change_role",
            "email,role\nana@acme.example,Guest\n",
            "email,role\nana@acme.example,Member\n",
            id="role-there-and-back",
        ),
        pytest.param(
            "update_group",
            "group,description\nFinance,Money\n",
            "group,description\nFinance,All our money\n",
            id="group",
        ),
        pytest.param(
            "add_to_groups",
            GRANT,
            "email,group,action\nana@acme.example,Marketing,remove\n",
            id="membership-there-and-back",
        ),
    ],
)
def test_what_goes_on_from_a_run_that_died_is_taken_back_to_where_that_began(
    desk: Desk, at: str, first: str, then: str
) -> None:
    tenant = acme()
    before = tenant.truth()
    died(desk, tenant, at, first)
    report = desk.run(tenant, desk.sheet("then.csv", then))
    assert report.exit_code == 0
    assert sorted(code for _, _, code in actions(report)) == ["done", "earlier-run"]
    assert report.folder
    if (report.folder / "undo.json").exists():
        pipeline.apply_saved(report.folder / "undo.json", desk.job(), tenant, Quiet())
    assert tenant.truth() == before


def test_what_was_told_once_is_not_told_again(desk: Desk) -> None:
    tenant = acme()
    died(desk, tenant, "add_to_groups")
    sheet = desk.sheet("other.csv", OTHER)
    assert len(actions(desk.run(tenant, sheet))) == 1
    assert actions(desk.run(tenant, sheet)) == []


def test_a_plan_tells_it_too_and_leaves_it_to_be_told(desk: Desk) -> None:
    tenant = acme()
    died(desk, tenant, "add_to_groups")
    sheet = desk.sheet("other.csv", OTHER)
    assert len(actions(pipeline.plan(desk.job(sheet), tenant, Quiet()))) == 1
    assert len(actions(desk.run(tenant, sheet))) == 1


def test_an_undo_tells_what_a_run_that_died_before_it_had_done(desk: Desk) -> None:
    tenant = acme()
    first = desk.run(tenant, desk.sheet("sheet.csv", "email,group\nolga@acme.example,Finance\n"))
    died(desk, tenant, "add_to_groups")
    assert first.folder
    back = pipeline.apply_saved(first.folder / "undo.json", desk.job(), tenant, Quiet())
    assert actions(back) == [
        ("revoke", "olga@acme.example", "done"),
        ("grant", "ana@acme.example", "earlier-run"),
    ]


def test_people_whom_nothing_else_is_about_are_looked_up_for_it(desk: Desk) -> None:
    """In a large tenant they are on no page that is read in any case."""
    crowd = [user(f"p{number:03}") for number in range(60)]
    tenant = FakeTenant([user("olga", Role.ADMIN), *crowd], page_size=3)
    died(desk, tenant, "change_role", "email,role\np050@acme.example,Guest\n")
    report = desk.run(tenant, desk.sheet("other.csv", OTHER))
    assert actions(report) == [("change-role", "p050@acme.example", "earlier-run")]


def test_a_run_that_has_its_report_is_no_dead_one(desk: Desk) -> None:
    tenant = acme()
    with pipeline.locked(desk.job(), tenant) as state:
        for accepted in (True, False):
            voice = Quiet(agrees=accepted)
            sheet = desk.sheet("first.csv", GRANT if accepted else GRANTS)
            pipeline.run(desk.job(sheet), tenant, voice, state=state)
            assert state.unfinished() == frozenset()


def test_what_has_moved_since_is_not_called_done(desk: Desk) -> None:
    tenant = acme()
    died(desk, tenant, "add_to_groups")
    tenant.leave("marketing", "ana")
    assert actions(desk.run(tenant, desk.sheet("other.csv", OTHER))) == []


def test_the_calls_are_announced_all_the_same(desk: Desk) -> None:
    tenant = acme()
    died(desk, tenant, "add_to_groups", GRANTS, skip=1)
    calls = desk.run(tenant, desk.sheet("other.csv", OTHER)).summary["calls"]
    assert calls == {"announced": tenant.calls, "made": tenant.calls}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param("email,group\nana@acme.example,Marketing\n", "add_to_groups", id="membership"),
        pytest.param("email,role\nben@acme.example,Member\n", "change_role", id="role"),
    ],
)
def test_what_was_left_in_doubt_and_is_there_is_in_the_undo_of_the_run_that_finds_it(
    desk: Desk, text: str, at: str
) -> None:
    tenant = acme()
    tenant.faults.append(Fault("doubt_late", at, times=2))
    sheet = desk.sheet("sheet.csv", text)
    doubtful = desk.run(tenant, sheet)
    assert [row.status for row in doubtful.results] == [Status.IN_DOUBT]
    tenant.land()
    settled = desk.run(tenant, sheet)
    assert [(row.status, row.code) for row in settled.results] == [(Status.APPLIED, "earlier-run")]
    (back,) = undo(settled).changes
    pipeline.apply_saved(settled.folder / "undo.json", desk.job(), tenant, Quiet())  # type: ignore[operator]
    assert back.is_done(tenant.truth())


# ---- the folder that nobody finished --------------------------------------------------------------------------------


def test_the_folder_of_a_run_that_died_goes_with_those_of_its_time_once_its_deeds_are_told(
    desk: Desk,
) -> None:
    tenant = acme()
    left = died(desk, tenant, "add_to_groups")
    last = desk.run(tenant, desk.sheet("other.csv", OTHER), keep_runs=2)
    assert {*desk.folder.glob("reports/*")} == {left, last.folder}
    last = desk.run(tenant, desk.sheet("other.csv", OTHER), keep_runs=1)
    assert {*desk.folder.glob("reports/*")} == {last.folder}


def test_the_folder_of_a_run_in_doubt_stays_until_that_is_settled(desk: Desk) -> None:
    tenant = acme()
    left = died(desk, tenant, "invite", "email,role\nnora@acme.example,Guest\n")
    tenant.drop("nora")
    desk.time -= 3_600  # it may still come
    desk.run(tenant, desk.sheet("other.csv", OTHER), keep_runs=1)
    assert left.exists()
    desk.time += 3_600
    desk.run(tenant, desk.sheet("other.csv", OTHER), keep_runs=1)
    assert not left.exists()


@pytest.mark.parametrize("at", ["identity", "users", "add_to_groups"])
def test_wherever_a_run_dies_nothing_of_it_stays_for_ever(desk: Desk, at: str) -> None:
    tenant = acme()
    tenant.faults.append(Fault("crash", at))
    with pytest.raises(Crash):
        desk.run(tenant, desk.sheet("first.csv", GRANT))
    desk.time += 3_600
    last = desk.run(tenant, desk.sheet("other.csv", OTHER), keep_runs=1)
    assert {*desk.folder.glob("reports/*")} == {last.folder}


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        pytest.param("results.csv", True, id="a-report"),
        pytest.param(".0123456789abcdef.tmp", True, id="half-a-report"),
        pytest.param(".x.tmp/sheet.xml", True, id="what-one-is-made-from"),
        pytest.param("input/people.csv", True, id="the-copy-of-an-upload"),
        pytest.param("retry/people.csv", False, id="what-somebody-may-correct"),
        pytest.param("notes.txt", False, id="somebody's"),
        pytest.param("results.csv/x", False, id="a-folder"),
    ],
)
def test_what_a_run_that_died_may_have_left_goes_with_it_and_nothing_else(
    desk: Desk, name: str, goes: bool
) -> None:
    tenant = acme()
    left = died(desk, tenant, "add_to_groups")
    (left / name).parent.mkdir(exist_ok=True)
    (left / name).write_text("")
    desk.run(tenant, desk.sheet("other.csv", OTHER), keep_runs=1)
    assert left.exists() != goes


# ---- by itself ------------------------------------------------------------------------------------------------------


def left_by(*changes: Change) -> tuple[Untold, ...]:
    return tuple(Untold("run-1", change) for change in changes)


DONE = (
    Change(None, user("ana")),
    Change(None, group("finance")),
    change_role("ana", Role.GUEST, Role.MEMBER),
    update(group("finance", description="old"), description=""),
    grant("ana", "finance"),
    revoke("ana", "marketing"),
)
NOT_THERE = (
    invite("ben"),
    create("ops"),
    change_role("ana", Role.MEMBER, Role.ADMIN),
    update(group("finance"), description="new"),
    grant("ana", "marketing"),
    revoke("ana", "finance"),
)


def test_what_is_there_as_it_was_sent_is_told_and_nothing_else() -> None:
    has = FakeTenant(
        [user("ana")], [group("finance"), group("marketing")], {"finance": ["ana"]}
    ).truth()
    plan = told(Plan(TENANT), left_by(*DONE, *NOT_THERE), has)
    assert {entry.change for entry in plan.settled} == {*DONE}
    assert {(entry.status, entry.code, entry.message, entry.rows) for entry in plan.settled} == {
        (
            Status.APPLIED,
            "earlier-run",
            "the run run-1 had done this, and no report could say so",
            (),
        )
    }


def test_what_the_rows_themselves_have_told_is_not_told_again() -> None:
    has = FakeTenant([user("ana")], [group("finance")], {"finance": ["ana"]}).truth()
    spoken = Settled(Status.SKIPPED, "held", "", (), revoke("ana", "finance"))
    plan = Plan(TENANT, (), (spoken,))
    assert told(plan, left_by(grant("ana", "finance")), has) == plan


def test_what_the_plan_goes_on_from_is_told() -> None:
    has = FakeTenant([user("ana")], [group("finance")], {"finance": ["ana"]}).truth()
    plan = Plan(TENANT, (revoke("ana", "finance"),))
    granted = grant("ana", "finance")
    assert [entry.change for entry in told(plan, left_by(granted), has).settled] == [granted]


def test_whom_and_what_it_is_about_is_looked_at_and_nobody_is_missed_for_it() -> None:
    asked = Desired(revokes={email("ana"): {GroupKey("marketing"): ()}})
    left = left_by(grant("ana", "finance"), revoke("ben", "ops"), invite("cleo"), create("new"))
    assert people(left) == {email("ana"), email("ben"), email("cleo")}
    assert with_memberships(asked, left) == replace(
        asked,
        revokes={
            email("ana"): {GroupKey("marketing"): (), GroupKey("finance"): ()},
            email("ben"): {GroupKey("ops"): ()},
        },
    )
    assert with_memberships(asked, ()) is asked
