"""From the text of a sheet to the plan: whatever it says, and wherever it breaks off, nobody loses more than may be.

Sheets are made of good rows, spoilt ones and damage, read, validated, reconciled with a tenant and guarded, as a run does
it. What is asserted is worked out from the text and the tenant alone.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
from builders import directory, group, user
from desk import Desk, Quiet
from hypothesis import currently_in_test_context, event, given, settings
from hypothesis import strategies as st

from onboarding import pipeline
from onboarding.errors import SheetError, UnsafePlan
from onboarding.intake import Rules, take_in
from onboarding.model import Directory, Email, GroupName, Intake, Role, Severity
from onboarding.plan import Action, Cause, Change, Plan
from onboarding.reconcile import Wishes, reconcile
from onboarding.safety import Limit, Limits, Permissions, check, check_rejected, screen
from onboarding.sheets import Reading, read

NAMES = [f"p{n:02}" for n in range(24)]
PEOPLE = [f"{name}@acme.example" for name in NAMES]
ADMINS = [{"boss"}, {"p00"}, {"p00", "p01"}]
"""Who is Admin: in two of three tenants the sheets may be about all of them."""
TEAMS = {"Finance": "finance", "Data Platform": "data_platform", "Ops": "ops", "All": "all"}
EVERYTHING = Permissions(allow_admins=True, allow_default=True)
HIGH = Limits(*[Limit(percent=100.0)] * 4)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a sheet: what was understood, and a plan that has passed every guard."""

    intake: Intake
    plan: Plan
    rejected: frozenset[int]


def ended(
    text: bytes,
    current: Directory,
    wishes: Wishes,
    limits: Limits | None = HIGH,
    *,
    whole: bool = False,
) -> Ended | None:
    """Take a sheet the way that a run does; None where it, or its plan, is refused. Without limits no plan is."""
    try:
        inputs = read(["-"], Reading(final_line_break=whole), stdin=io.BytesIO(text))
        intake = take_in(inputs.tables, Rules())
        reconciled = reconcile(intake, current, wishes)
        plan = screen(reconciled.plan, current, EVERYTHING)
        found = (*intake.findings, *reconciled.findings)
        rejected = {f.row.row for f in found if f.row and f.severity is Severity.REJECT}
        if limits:
            check_rejected(len(intake.rows), len(rejected), limits)
            check(plan, current, limits)
    except (SheetError, UnsafePlan) as error:
        if currently_in_test_context():
            event(type(error).__name__)
        return None
    return Ended(intake, plan, frozenset(rejected))


def losses(plan: Plan) -> set[str]:
    """What a plan takes from anybody: memberships, and rank."""
    return {change.key for change in plan.changes if takes(change)}


def inferred(plan: Plan) -> set[str]:
    """What a plan takes because no row grants it."""
    return {change.key for change in plan.changes if change.cause is Cause.ABSENT}


def takes(change: Change) -> bool:
    return change.action is Action.REVOKE or change.is_demotion


# ---- sheets and tenants --------------------------------------------------------------------------------------

# Most rows are good, or every sheet would be refused, and hardly any plan would take something.
good_people = st.sampled_from([*PEOPLE, *map(str.upper, PEOPLE[:4])])
good_teams = st.sampled_from([*TEAMS, "finance"])
roles = st.sampled_from(["", "Member", "$guest", "Admin", "Guest"])
words = st.sampled_from(["", "", "active", "terminated", "on leave", "inactive", "left"])
actions = st.sampled_from(["", "", "add", "remove", "delete"])
several = st.lists(good_teams, max_size=3).map("; ".join)
user_rows = st.tuples(good_people, roles, several, words)
member_rows = st.tuples(good_people, good_teams, actions)

bad_people = st.sampled_from(["p00@acme", "", "new@acme.example", *PEOPLE])
bad_teams = st.sampled_from(["", "Unknown", "Fin", *TEAMS])
bad_roles = st.sampled_from(["Memberr", "", "Member"])
bad_words = st.sampled_from(["perhaps", "leave of absence", "", "active"])
bad_actions = st.sampled_from(["delete?", "", "add", "remove"])
bad_user_rows = st.tuples(bad_people, bad_roles, bad_teams, bad_words)
bad_member_rows = st.tuples(bad_people, bad_teams, bad_actions)

Cells = tuple[str, ...]


@st.composite
def rows_of(
    draw: st.DrawFn, good: st.SearchStrategy[Cells], bad: st.SearchStrategy[Cells]
) -> list[Cells]:
    rows = draw(st.lists(good, min_size=3, max_size=20))
    for row in draw(st.lists(bad, max_size=2)):
        rows.insert(draw(st.integers(0, len(rows))), row)
    return rows


def text_of(header: str, rows: list[Cells]) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([header.split(","), *rows])
    return file.getvalue().encode()


user_sheets = rows_of(user_rows, bad_user_rows).map(
    lambda rows: text_of("email,role,groups,status", rows)
)
action_sheets = rows_of(member_rows, bad_member_rows).map(
    lambda rows: text_of("email,group,action", rows)
)
grant_sheets = rows_of(member_rows, bad_member_rows).map(
    lambda rows: text_of("group,email", [(team, who) for who, team, _ in rows])
)
sheets = st.one_of(user_sheets, action_sheets, grant_sheets)
wishes = st.builds(
    Wishes, st.booleans(), st.booleans(), st.booleans(), sso_groups=st.just(frozenset({"Ops"}))
)
limit = st.builds(Limit, st.integers(0, 6), st.sampled_from([0.0, 10.0, 34.0, 100.0]))
high = st.just(Limit(percent=100.0))  # else one limit would hide the next
limits = st.builds(Limits, limit | high, limit | high, limit | high, limit | high)


@st.composite
def tenants(draw: st.DrawFn) -> Directory:
    admins = draw(st.sampled_from(ADMINS))
    missing = draw(st.sets(st.sampled_from(NAMES[2:]), max_size=3))
    users = [
        user(
            name,
            Role.ADMIN
            if name in admins
            else draw(st.sampled_from([None, Role.GUEST, Role.MEMBER])),
            enabled=name in admins or draw(st.sampled_from([True, True, True, False])),
            username=f"service-account-{name}" if name == "p05" else name,
        )
        for name in [*NAMES, "boss"]
        if name not in missing
    ]
    groups = [
        group(name, alias, default=name == "all" and draw(st.booleans()))
        for alias, name in TEAMS.items()
    ]
    there = st.sampled_from([found.email for found in users])
    members = {
        found.name: draw(st.lists(there, unique=True, min_size=draw(st.sampled_from([0, 4, 12]))))
        for found in groups
    }
    return directory(users, groups, members)


# ---- whom a spoilt row holds ---------------------------------------------------------------------------------


@given(sheets, tenants(), wishes)
def test_nobody_of_a_rejected_row_loses_anything(
    text: bytes, current: Directory, wishes: Wishes
) -> None:
    found = ended(text, current, wishes, None)
    if found is None:
        return
    spoilt = {row["email"].strip().lower() for row in lines(text, found.rejected)}
    event(f"{len(found.rejected) > 0 = }, {len(losses(found.plan)) > 0 = }")
    assert [c.key for c in found.plan.changes if takes(c) and c.email in spoilt] == []


@given(grant_sheets, tenants(), st.sampled_from([*TEAMS]))
def test_who_can_not_be_told_keeps_everybody_from_being_missed(
    text: bytes, current: Directory, team: str
) -> None:
    """A row whose address can't be read may be anybody's."""
    sound = ended(text, current, Wishes(authoritative=True), None)
    spoilt = ended(text + f"{team},p00@acme\n".encode(), current, Wishes(authoritative=True), None)
    event(f"somebody would be missed: {bool(sound and inferred(sound.plan))}")
    assert not spoilt or inferred(spoilt.plan) == set()


@given(user_sheets, tenants(), wishes)
def test_nothing_is_ever_taken_from_the_account_of_a_token_nor_the_last_admin(
    text: bytes, current: Directory, wishes: Wishes
) -> None:
    more = b"p00@acme.example,Member,,\np05@acme.example,Member,Ops,left\n"
    found = ended(text + more, current, wishes)
    if found:
        tokens = {who for who, account in current.users.items() if account.is_token}
        assert [c.key for c in found.plan.changes if c.email in tokens] == []
        lowered = {c.email for c in found.plan.changes if c.is_demotion}
        event(f"an admin is kept: {any(s.code == 'last-admin' for s in found.plan.settled)}")
        assert any(account.rules for who, account in current.users.items() if who not in lowered)


def lines(text: bytes, numbers: frozenset[int] | None = None) -> Iterator[dict[str, str]]:
    """Give the rows of a sheet that stand under these numbers; without numbers, all."""
    for number, row in enumerate(csv.DictReader(io.StringIO(text.decode())), start=2):
        if (numbers is None or number in numbers) and any(row.values()):
            yield row


# ---- how much may be taken -----------------------------------------------------------------------------------


@given(sheets, tenants(), wishes, limits)
def test_no_run_does_more_than_is_allowed(
    text: bytes, current: Directory, wishes: Wishes, limits: Limits
) -> None:
    found = ended(text, current, wishes, limits)
    if found is None:
        return
    plan = found.plan
    gone = Counter(c.group for c in plan.of(Action.REVOKE))
    missed = Counter(c.group for c in plan.changes if c.cause is Cause.ABSENT)
    members = {name: len(inside(current, name)) for name in current.groups}
    event(f"{len(gone) > 0 = }, {len(missed) > 0 = }")
    accounts = len(current.users)
    rows = len(list(lines(text)))
    assert len(plan.of(Action.INVITE)) <= most(limits.invitations, accounts)
    assert sum(c.is_demotion for c in plan.changes) <= most(limits.demotions, accounts)
    assert gone.total() <= most(limits.removals, sum(members[name] for name in gone if name))
    assert len(found.rejected) <= most(limits.rejected, rows)
    for name, count in missed.items():
        assert name
        assert gone[name] < members[name], "nobody is left"
        assert members[name] < 10 or 2 * count <= members[name], "more than half"


def most(limit: Limit, total: int) -> float:
    return max(limit.number, limit.percent * total / 100)


def inside(current: Directory, name: GroupName) -> set[Email]:
    return {who for who, names in current.memberships.items() if name in names}


# ---- sheets that break off -----------------------------------------------------------------------------------


def cuts(text: bytes) -> st.SearchStrategy[int]:
    """Every other cut is at the end of a line."""
    ends = [number for number, byte in enumerate(text[:-1], 1) if byte == ord("\n")]
    return st.sampled_from(ends) | st.integers(0, len(text) - 1)


@given(sheets, tenants(), wishes, st.data())
def test_a_sheet_cut_at_any_byte_takes_nothing_that_the_whole_one_would_not(
    text: bytes, current: Directory, wishes: Wishes, data: st.DataObject
) -> None:
    """At a line's end nothing shows it; what is missed then is for the limits. Elsewhere it is refused unattended."""
    whole = ended(text, current, wishes)
    cut = data.draw(cuts(text))
    part = ended(text[:cut], current, wishes, whole=True)
    if whole is None or part is None:
        return
    assert text[:cut].endswith(b"\n")
    event(f"cut at the end of a line, {len(losses(whole.plan)) > 0 = }")
    more = losses(part.plan) - inferred(part.plan) - losses(whole.plan)
    assert not more or more <= conflicting(text, current, wishes)


@given(sheets, tenants(), wishes.map(lambda found: replace(found, authoritative=False)), st.data())
def test_somebody_who_is_asked_about_a_cut_sheet_is_asked_about_no_more_than_the_whole_one_takes(
    text: bytes, current: Directory, wishes: Wishes, data: st.DataObject
) -> None:
    """On a terminal a text may end without a line break, as some programs write it."""
    whole = ended(text, current, wishes)
    cut = data.draw(cuts(text))
    part = ended(text[:cut], current, wishes)
    if whole and part:
        event(f"{len(losses(part.plan)) > 0 = }")
        more = losses(part.plan) - losses(whole.plan)
        assert not more or more <= conflicting(text, current, wishes)


def conflicting(text: bytes, current: Directory, wishes: Wishes) -> set[str]:
    """What single rows ask for that others of the whole sheet contradict: that is held there, and not in a part."""
    header, *rows = text.splitlines(keepends=True)
    alone = (ended(header + row, current, wishes) for row in rows)
    return {key for found in alone if found for key in losses(found.plan)}


@given(
    st.sampled_from(["", "\n", "email,group,action\n", "email,role,groups,status\n", "group\n"]),
    tenants(),
)
def test_a_sheet_without_rows_takes_nothing(text: str, current: Directory) -> None:
    everything = Wishes(create_groups=True, authoritative=True, leavers_revoke=True)
    found = ended(text.encode(), current, everything)
    assert found is None or found.plan.changes == ()


# ---- reports that are fed back -------------------------------------------------------------------------------


@settings(max_examples=settings().max_examples // 5)
@given(sheets, tenants())
def test_a_report_fed_back_takes_nothing_by_what_is_missing_in_it(
    text: bytes, current: Directory
) -> None:
    """Neither the rows to correct, nor all rows with their results, are a list of who belongs where."""
    everything = Wishes(create_groups=True, authoritative=True, leavers_revoke=True)
    with TemporaryDirectory() as name:
        desk = Desk(Path(name))
        sheet = desk.folder / "people.csv"
        sheet.write_bytes(text)
        try:
            first = pipeline.validate(desk.job(sheet), Quiet())
        except SheetError:
            return
        assert first.folder
        for report in [first.folder / "results.csv", *first.folder.glob("retry/*")]:
            found = ended(report.read_bytes(), current, everything)
            event(f"{report.name}: {found is not None = }")
            assert not found or all(change.rows for change in found.plan.changes)
            assert not found or inferred(found.plan) == set()


@pytest.mark.parametrize("part", range(16), ids=lambda part: f"{part}-sixteenths")
def test_a_workbook_that_is_cut_off_takes_nothing(part: int) -> None:
    book, content = openpyxl.Workbook(), io.BytesIO()
    assert book.active
    for row in [("email", "group", "action"), *((who, "Finance", "remove") for who in PEOPLE)]:
        book.active.append(row)
    book.save(content)
    current = directory([user(name) for name in NAMES], [group("finance")], {"finance": NAMES})
    whole = content.getvalue()
    everything = Wishes(authoritative=True)
    assert ended(whole[: len(whole) * part // 16], current, everything) is None
    assert part or ended(whole, current, everything)


@pytest.mark.parametrize(("option", "code"), [("--authoritative", 3), ("--create-groups", 0)])
def test_where_absence_counts_a_text_has_to_end_in_a_line_break(
    tmp_path: Path, option: str, code: int
) -> None:
    (tmp_path / "members.csv").write_text("email,group\nana.kovacs@acme.example,Marketing")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "onboarding", "plan", "members.csv", option),
            *("--tenant", "sandbox:acme.db"),
        ],
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert ("no line break at its end" in done.stderr) is (code == 3)
