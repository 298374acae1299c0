"""The way back: what a run has done is taken back as far as a token can, under every guard, and told line by line."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from builders import directory, email, group, row, user
from changes import carry_out, change_role, create, grant, invite, revoke, update
from desk import TEAMS, Desk, Quiet, acme
from fakes import OWN, Crash, FakeTenant, Fault
from hypothesis import event, given
from test_laws import World, inhabited, worlds
from test_laws import carried_out as at_once

from onboarding import pipeline
from onboarding.errors import Stop, UsageError
from onboarding.job import Report
from onboarding.look import look
from onboarding.model import Directory, Email, GroupName, Role
from onboarding.plan import Cause, Change, Plan, Settled, Status
from onboarding.safety import Limit, Limits, Permissions, screen
from onboarding.saved import Undoes, dump
from onboarding.undo import BY_HAND, FOR_A_PERSON, as_of_today, concerned, in_lines, taken_back

SAMPLES = Path(__file__).parent.parent / "sample_data"

# ---- for any world -------------------------------------------------------------------------------------------


@given(worlds())
def test_an_undo_leaves_all_as_it_was_but_what_it_lists_for_a_person(world: World) -> None:
    tenant = inhabited(world.current)
    before = tenant.truth()
    did = carried_out(tenant, world.planned(before).plan.changes)
    after = tenant.truth()

    undo = taken_back(tenant.name, did)
    today = as_of_today(undo, seen(tenant, undo))
    undone = carried_out(tenant, today.changes)
    now = tenant.truth()
    for change in (*did, *undone):
        event(change.action)
    by_hand = {entry.change.key for entry in undo.settled if entry.change}
    assert by_hand == {
        *(f"invite {who}" for who in now.users.keys() - before.users.keys()),
        *(f"create-group {name}" for name in now.groups.keys() - before.groups.keys()),
        *(f"change-role {who}" for who, role in roles(before).items() if roles(now)[who] != role),
    }
    # No group gets a name back that another one has, be it one that the run created: it would mean both.
    kept = {c.change.group for c in today.settled if c.change and "goes by the name" in c.message}
    assert {entry.code for entry in today.settled} <= {
        BY_HAND,
        *["changed-since-plan"] * bool(kept),
    }
    assert facts(now, before.groups.keys() - kept) == facts(before, before.groups.keys() - kept)
    assert members(now, before) == members(before, before)
    for who in now.users.keys() - before.users.keys():
        joined = {name for name in after.groups if {**before.groups, **after.groups}[name].default}
        joined |= {name for name, found in before.groups.items() if found.default}
        assert now.memberships.get(who, frozenset()) <= joined


@given(worlds())
def test_an_undo_of_an_undo_leaves_all_as_the_run_had_and_twice_plans_nothing(world: World) -> None:
    run = world.planned().plan
    after = at_once(run, world.current)
    undo = taken_back(after.tenant, run.changes)
    there = as_of_today(undo, after)
    before = at_once(there, after)

    twice = as_of_today(undo, before)
    assert twice.changes == ()
    assert all(
        entry.status in (Status.UNCHANGED, Status.MANUAL) or "goes by the name" in entry.message
        for entry in twice.settled
    )

    redo = taken_back(after.tenant, there.changes)
    again = at_once(as_of_today(redo, before), before)
    assert roles(again) == roles(after)
    assert facts(again, after.groups) == facts(after, after.groups)
    assert members(again, after) == members(after, after)


@given(worlds(), worlds())
def test_what_has_moved_since_is_left_as_it_is(world: World, moved: World) -> None:
    undo = taken_back(world.current.tenant, world.planned().plan.changes)
    elsewhere = moved.current
    plan = as_of_today(undo, elsewhere)
    for change in plan.changes:
        assert change.inverse.is_done(elsewhere)
        assert not change.is_done(elsewhere)
    told = {entry.change.key for entry in plan.settled if entry.change}
    for change in undo.changes:
        event(f"{change.is_done(elsewhere) = }")
        assert change.is_done(elsewhere) or change.key in told | {c.key for c in plan.changes}


def carried_out(tenant: FakeTenant, changes: Iterable[Change]) -> list[Change]:
    """Apply changes, all of which succeed."""
    changes = list(changes)
    with TemporaryDirectory() as folder:
        outcomes = carry_out(tenant, changes, Path(folder)).outcomes
    assert {outcome.status for outcome in outcomes.values()} <= {Status.APPLIED}
    return changes


def seen(tenant: FakeTenant, undo: Plan) -> Directory:
    """What is read of a tenant for an undo: no more than it is about."""
    return look(tenant, concerned(undo), whole_groups=False, leavers_revoke=False)


def roles(found: Directory) -> dict[Email, Role | None]:
    return {who: account.role for who, account in found.users.items()}


def facts(found: Directory, names: Iterable[GroupName]) -> list[tuple[object, ...]]:
    groups = [found.groups[name] for name in sorted(names)]
    return [(g.name, g.id, g.alias, g.description, g.default, g.channels) for g in groups]


def members(found: Directory, of: Directory) -> dict[Email, set[GroupName]]:
    """The memberships of the people, in the groups, that ``of`` has."""
    return {
        who: set(found.memberships.get(who, frozenset()) & of.groups.keys()) for who in of.users
    }


# ---- the plan that leads back --------------------------------------------------------------------------------

ONE, TWO = row(2), row(3)
OPS = group("ops", description="old")
THERE = [user("ana"), user("bob", None)]
NOW = directory(THERE, [OPS, group("finance")], {"ops": ["ana"]})
MOVED = "the tenant has changed here since the run that this takes back"
AGAIN = "the next run over the same sheets does all of it again"


def undo_of(*done: Change) -> Plan:
    return taken_back("acme.example", done[:1], earlier=done[1:])


def keys(plan: Plan) -> list[str]:
    return [change.key for change in plan.changes]


def told(plan: Plan) -> list[tuple[str, str]]:
    return [(entry.code, entry.message) for entry in plan.settled]


@pytest.mark.parametrize(
    ("done", "back"),
    [
        pytest.param(grant("ana", "ops"), revoke("ana", "ops"), id="granted"),
        pytest.param(revoke("ana", "ops", cause=Cause.LEAVER), grant("ana", "ops"), id="revoked"),
        pytest.param(
            change_role("ana", Role.GUEST, Role.ADMIN),
            change_role("ana", Role.ADMIN, Role.GUEST),
            id="role",
        ),
        pytest.param(
            update(OPS, default=True),
            Change(replace(OPS, default=True), OPS),
            id="group",
        ),
    ],
)
def test_what_a_token_can_take_back_is_turned_round_with_its_rows(
    done: Change, back: Change
) -> None:
    assert undo_of(replace(done, rows=(ONE,))).changes == (replace(back, rows=(ONE,)),)
    assert undo_of(done).settled == ()


def test_a_role_is_taken_back_from_the_account_as_it_is_today() -> None:
    """Guards look at it: who was still pending when made an admin may be the last admin by now."""
    then = user("ana", Role.GUEST, pending=True)
    today = user("ana", Role.ADMIN, id="another")
    undo = undo_of(Change(then, replace(then, role=Role.ADMIN)))
    plan = as_of_today(undo, directory([today], []))
    assert plan.changes == (Change(today, replace(today, role=Role.GUEST)),)
    assert told(screen(plan, directory([today], []), Permissions(allow_admins=True))) == [
        ("last-admin", "this would leave the tenant without an admin")
    ]


@pytest.mark.parametrize(
    ("done", "words"),
    [
        pytest.param(
            invite("carla"),
            "carla@acme.example was invited, and an API token can't delete an account",
            id="invited",
        ),
        pytest.param(
            create("new"),
            'the group "New" was created, and an API token can\'t delete a group',
            id="created",
        ),
        pytest.param(
            Change(user("bob", None), user("bob")),
            "bob@acme.example had a role that an API token can't give",
            id="unknown-role",
        ),
        pytest.param(
            Change(user("bob"), user("bob")),
            'nobody has noted what was before "change-role bob@acme.example"',
            id="unknown-before",
        ),
    ],
)
def test_what_a_token_can_not_take_back_is_work_for_a_person(done: Change, words: str) -> None:
    done = replace(done, rows=(ONE,))
    undo = undo_of(done)
    assert undo == Plan(
        "acme.example", settled=(Settled(Status.MANUAL, BY_HAND, FOR_A_PERSON, (ONE,), done),)
    )
    current = directory([user("bob"), user("carla")], [group("new")])
    assert as_of_today(undo, current).settled == (Settled(Status.MANUAL, BY_HAND, words, (ONE,)),)


def test_what_is_told_of_several_rows_is_taken_back_once() -> None:
    twice = [replace(grant("ana", "ops"), rows=(ref,)) for ref in (TWO, ONE)]
    assert [change.rows for change in undo_of(*twice).changes] == [(ONE, TWO)]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("first", "then", "back"),
    [
        pytest.param(
            change_role("ana", Role.GUEST, Role.MEMBER),
            change_role("ana", Role.MEMBER, Role.ADMIN),
            [change_role("ana", Role.ADMIN, Role.GUEST)],
            id="role",
        ),
        pytest.param(
            change_role("ana", Role.GUEST, Role.MEMBER),
            change_role("ana", Role.MEMBER, Role.GUEST),
            [],
            id="role-there-and-back",
        ),
        pytest.param(
            update(OPS, description="new"),
            update(replace(OPS, description="new"), description="newest"),
            [Change(replace(OPS, description="newest"), OPS)],
            id="group",
        ),
        pytest.param(grant("ana", "ops"), revoke("ana", "ops"), [], id="membership"),
        pytest.param(
            grant("ana", "ops"),
            revoke("ana", "finance"),
            [revoke("ana", "ops"), grant("ana", "finance")],
            id="two-memberships",
        ),
    ],
)
def test_what_two_runs_did_one_after_the_other_is_taken_back_as_one(
    first: Change, then: Change, back: list[Change], turned: bool
) -> None:
    """Their order is not that of the report, which tells its own deeds before those of an earlier run."""
    done = [replace(first, rows=(ONE,)), replace(then, rows=(TWO,))]
    undo = undo_of(*(reversed(done) if turned else done))
    assert {change.key: change.facts() for change in undo.changes} == {
        change.key: change.facts() for change in back
    }
    assert undo.settled == ()
    if len(back) == 1:
        assert undo.changes[0].rows == (ONE, TWO)


@pytest.mark.parametrize(
    ("done", "code"),
    [
        pytest.param(grant("ana", "ops"), "", id="still-a-member"),
        pytest.param(grant("ana", "finance"), "no-change", id="left-since"),
        pytest.param(grant("zoe", "ops"), "no-change", id="account-gone"),
        pytest.param(revoke("ana", "finance"), "", id="still-out"),
        pytest.param(revoke("ana", "ops"), "no-change", id="back-since"),
        pytest.param(revoke("zoe", "ops"), "changed-since-plan", id="nobody-to-put-back"),
        pytest.param(revoke("ana", "gone"), "changed-since-plan", id="no-group-to-put-into"),
        pytest.param(change_role("ana", Role.GUEST, Role.MEMBER), "", id="role-stands"),
        pytest.param(change_role("ana", Role.MEMBER, Role.ADMIN), "no-change", id="role-is-back"),
        pytest.param(
            change_role("ana", Role.GUEST, Role.ADMIN), "changed-since-plan", id="third-role"
        ),
        pytest.param(
            change_role("zoe", Role.GUEST, Role.MEMBER), "changed-since-plan", id="role-of-nobody"
        ),
        pytest.param(update(group("ops"), description="old"), "", id="group-stands"),
        pytest.param(update(OPS, description="new"), "no-change", id="group-is-back"),
        pytest.param(
            update(group("ops"), description="new"), "changed-since-plan", id="group-is-third"
        ),
        pytest.param(update(group("gone"), default=True), "changed-since-plan", id="group-gone"),
        pytest.param(
            update(replace(OPS, alias="Finance"), alias="Ops"),
            "changed-since-plan",
            id="name-taken",
        ),
        pytest.param(update(replace(OPS, alias="Work"), alias="Ops"), "", id="name-free"),
        pytest.param(invite("zoe"), "no-change", id="deleted-by-hand"),
        pytest.param(invite("ana"), BY_HAND, id="not-deleted-yet"),
        pytest.param(create("gone"), "no-change", id="group-deleted-by-hand"),
        pytest.param(create("ops"), BY_HAND, id="group-not-deleted-yet"),
        pytest.param(Change(user("bob", None), user("bob")), BY_HAND, id="role-by-hand"),
    ],
)
def test_what_holds_today_is_done_and_all_else_is_told(done: Change, code: str) -> None:
    plan = as_of_today(undo_of(replace(done, rows=(ONE,))), NOW)
    assert [entry.code for entry in plan.settled] == [code] * bool(code)
    assert keys(plan) == ([done.inverse.key] if not code else [])
    assert all(entry.rows == (ONE,) for entry in plan.settled)
    assert [e for e in plan.settled if e.code == BY_HAND and e.change] == [], "nothing to be sent"


@pytest.mark.parametrize(
    "done",
    [
        pytest.param(grant("ana", "ops"), id="member"),
        pytest.param(revoke("ana", "finance"), id="out"),
        pytest.param(change_role("ana", Role.GUEST, Role.MEMBER), id="role"),
        pytest.param(change_role("ana", Role.MEMBER, Role.ADMIN), id="role-is-back"),
    ],
)
def test_nothing_is_taken_back_from_an_address_that_two_accounts_have_by_now(done: Change) -> None:
    ana = NOW.users[email("ana")]
    now = replace(NOW, ambiguous={ana.email: (ana, user("ana", id="u-Ana"))})
    plan = as_of_today(undo_of(replace(done, rows=(ONE,))), now)
    assert (keys(plan), [entry.code for entry in plan.settled]) == ([], ["changed-since-plan"])


def test_ids_and_what_else_a_group_has_are_todays() -> None:
    old = group("ops", id="g-old", channels=("a",), size=1)
    today = replace(OPS, channels=("b",), size=7)
    current = replace(NOW, groups={OPS.name: today})
    undo = undo_of(update(old, description="old"))
    assert as_of_today(undo, current).changes == (Change(today, replace(today, description="")),)


def test_whoever_is_not_put_back_keeps_what_came_in_its_place() -> None:
    """A mover's new group is not taken away where the old one can't be given back."""
    undo = undo_of(grant("ana", "ops"), revoke("ana", "gone"))
    assert told(as_of_today(undo, NOW)) == [
        ("changed-since-plan", MOVED),
        (
            "dependency",
            f'not tried, because "grant ana@acme.example gone" is not done: {MOVED}',
        ),
    ]


def test_what_an_interrupted_undo_had_done_is_told_as_done() -> None:
    undo = undo_of(revoke("ana", "ops"))
    plan = as_of_today(undo, NOW, {"grant ana@acme.example ops"})
    assert [(entry.status, entry.code, entry.change) for entry in plan.settled] == [
        (Status.APPLIED, "earlier-run", grant("ana", "ops"))
    ]


def test_every_line_says_whom_it_is_about_what_it_undoes_and_who_had_asked_for_it() -> None:
    undo = undo_of(
        replace(grant("ana", "ops"), rows=(ONE, TWO)),
        revoke("ana", "finance", cause=Cause.ABSENT),
        replace(change_role("ana", Role.GUEST, Role.MEMBER), rows=(TWO,)),
        update(replace(OPS, alias="Work"), alias="Ops"),
        invite("carla"),
        create("new"),
    )
    plan, lines = in_lines(undo, {GroupName("ops"): "Ops"}, "undo.json")
    assert [line.cells for line in lines] == [
        ("", "Ops", "group Ops changed (name)", ""),
        ("ana@acme.example", "finance", "removed from finance", ""),
        ("ana@acme.example", "", "role changed from Guest to Member", "users.csv:3"),
        ("ana@acme.example", "Ops", "added to Ops", "users.csv:2-3"),
        ("", "new", "group New created", ""),
        ("carla@acme.example", "", "invited as Member", ""),
    ]
    assert [str(line.row) for line in lines] == [f"undo.json:{n}" for n in range(1, 7)]
    assert [change.rows[0] for change in plan.changes] == [line.row for line in lines[:4]]
    assert [entry.rows[0] for entry in plan.settled] == [line.row for line in lines[4:]]
    assert plan.fingerprint == undo.fingerprint


def test_only_what_an_undo_is_about_is_looked_at() -> None:
    undo = undo_of(
        grant("ana", "ops"),
        revoke("bob", "ops"),
        change_role("ana", Role.GUEST, Role.MEMBER),
        invite("carla"),
        create("new"),
    )
    found = concerned(undo)
    assert found.persons.keys() == {email("ana"), email("carla")}
    assert found.persons[email("ana")].role is Role.GUEST, "it may be the last admin's"
    assert (found.grants.keys(), found.revokes.keys()) == ({email("bob")}, {email("ana")})


# ---- a run and its way back ----------------------------------------------------------------------------------

ADMINS = {"permissions": Permissions(allow_admins=True)}


def undo_file(report: Report) -> Path:
    assert report.folder
    return report.folder / "undo.json"


def undone(desk: Desk, tenant: FakeTenant, report: Report, **facts: Any) -> Report:
    """Carry out the way back of a run."""
    return pipeline.apply_saved(undo_file(report), desk.job(**facts), tenant, Quiet())


def fates(report: Report) -> dict[str, tuple[str, str, str]]:
    return {str(r.row): (r.status.value, r.code, r.actions) for r in report.results}


def lines_of(report: Report) -> list[dict[str, str]]:
    assert report.folder
    with (report.folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_is_taken_back_and_every_line_is_answered_for(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    before = tenant.truth()
    back = undone(desk, tenant, desk.run(tenant, *sheets))
    now = tenant.truth()
    assert (roles(now) | roles(before)).items() >= roles(before).items()
    assert members(now, before) == members(before, before)
    assert now.memberships.get(email("carla")) is None
    assert tenant.mails == ["carla@acme.example"], "nobody is invited on the way back"
    assert fates(back) == {
        "undo.json:1": ("applied", "done", "added to Finance"),
        "undo.json:2": ("applied", "done", "role changed from Member to Guest"),
        "undo.json:3": ("applied", "done", "removed from Analytics"),
        "undo.json:4": ("applied", "done", "removed from Marketing"),
        "undo.json:5": ("applied", "done", "removed from Analytics"),
        "undo.json:6": ("applied", "done", "removed from Finance"),
        "undo.json:7": ("manual", "undo-by-hand", ""),
        "undo.json:8": ("manual", "undo-by-hand", ""),
    }
    assert back.exit_code == 1, "there is work for a person"


def test_results_csv_of_an_undo_says_what_each_line_takes_back_and_who_had_asked_for_it(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    back = undone(desk, tenant, desk.run(tenant, *sheets))
    lines = [
        {name: line[name] for name in ("result_row", "email", "group", "undoes", "rows")}
        for line in lines_of(back)
    ]
    assert [tuple(line.values()) for line in lines] == [
        ("undo.json:1", "ben@acme.example", "Finance", "removed from Finance", "memberships.csv:2"),
        (
            "undo.json:2",
            "ben@acme.example",
            "",
            "role changed from Guest to Member",
            "people.csv:3",
        ),
        ("undo.json:3", "ana@acme.example", "Analytics", "added to Analytics", "memberships.csv:3"),
        ("undo.json:4", "ben@acme.example", "Marketing", "added to Marketing", "people.csv:3"),
        ("undo.json:5", "carla@acme.example", "Analytics", "added to Analytics", "people.csv:4"),
        ("undo.json:6", "carla@acme.example", "Finance", "added to Finance", "people.csv:4"),
        ("undo.json:7", "carla@acme.example", "", "invited as Guest", "people.csv:4"),
        ("undo.json:8", "", "Analytics", "group Analytics created", "teams.csv:2"),
    ]


def test_an_undo_says_that_the_sheets_still_ask_for_it(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    first = desk.run(tenant, *sheets)
    back = undone(desk, tenant, first)
    assert first.folder
    notes = [(note.code, note.source, note.message) for note in back.findings]
    assert notes == [
        (
            "asked-again",
            "undo.json",
            f"takes back what the run {first.folder.name} did; {AGAIN}",
        )
    ]
    again = desk.run(tenant, *sheets)
    assert {r.code for r in again.results if r.status is Status.APPLIED} == {"done"}


def test_the_report_of_an_undo_is_whole_and_gives_nothing_back_to_correct(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    first = desk.run(tenant, *sheets)
    back = undone(desk, tenant, first, limits=Limits(removals=Limit(0)))
    assert (back.exit_code, {r.status.value for r in back.results}) == (5, {"skipped", "manual"})
    assert first.folder
    assert back.folder
    assert not (back.folder / "retry").exists()
    assert {path.name for path in back.folder.iterdir()} == {
        *("results.csv", "results.xlsx", "actions.csv", "plan.json", "report.html"),
        "summary.json",
    }
    summary = json.loads((back.folder / "summary.json").read_text("utf-8"))
    assert (summary["command"], summary["rows"], summary["tables"][0]["template"]) == (
        "apply",
        8,
        "undo",
    )
    assert summary["inputs"][0]["name"] == f"{first.folder.name}/undo.json"


def test_the_calls_of_an_undo_are_announced(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    first = desk.run(tenant, *sheets)
    calls = tenant.calls
    back = undone(desk, tenant, first)
    assert back.summary["calls"]["announced"] == back.summary["calls"]["made"]
    assert tenant.calls - calls <= back.summary["calls"]["made"]


def test_an_undo_is_undone_and_twice_is_once(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    first = desk.run(tenant, *sheets)
    after = tenant.truth()
    back = undone(desk, tenant, first)
    writes = len(tenant.writes())

    twice = undone(desk, tenant, first)
    assert len(tenant.writes()) == writes
    assert {r.status.value for r in twice.results} == {"unchanged", "manual"}
    assert twice.exit_code == 0, "what is manual was reported before"
    assert not undo_file(twice).exists(), "there is nothing to take back"

    forth = undone(desk, tenant, back)
    assert tenant.truth() == after
    assert {r.status.value for r in forth.results} == {"applied"}
    assert {line["rows"] for line in lines_of(forth)} == {f"undo.json:{n}" for n in range(1, 7)}


def test_the_plan_of_an_undo_is_that_undo_and_looks_at_the_tenant_anew(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    before = tenant.truth()
    first = desk.run(tenant, *sheets)
    undone(desk, tenant, first)
    twice = undone(desk, tenant, first)
    desk.run(tenant, *sheets)
    assert twice.folder
    plan = twice.folder / "plan.json"
    again = pipeline.apply_saved(plan, desk.job(), tenant, Quiet())
    assert {r.status.value for r in again.results} == {"applied", "manual"}
    assert members(tenant.truth(), before) == members(before, before)


def test_where_nothing_was_done_there_is_no_way_back(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    assert not undo_file(desk.run(tenant, *sheets, voice=Quiet(agrees=False))).exists()
    assert not undo_file(pipeline.plan(desk.job(*sheets), tenant, Quiet())).exists()
    desk.run(tenant, *sheets)
    assert not undo_file(desk.run(tenant, *sheets)).exists()


def test_only_what_was_seen_is_taken_back(desk: Desk) -> None:
    """Not what failed, not what is in doubt, not what somebody else had done meanwhile."""
    tenant = acme()
    poison = {email("new"): "not today"}
    tenant.poison = poison
    tenant.faults.append(Fault("doubt_before", "add_to_groups", times=99))
    sheet = desk.sheet(
        "people.csv",
        "email,role,groups\nnew@acme.example,Guest,\nben@acme.example,Member,Marketing\n",
    )
    first = desk.run(tenant, sheet)
    assert {r.status.value for r in first.results} == {"failed", "in_doubt"}
    saved = json.loads(undo_file(first).read_text("utf-8"))["plan"]
    assert [(change["action"], change["after"]["role"]) for change in saved["changes"]] == [
        ("change-role", "$guest")
    ]
    assert saved["settled"] == []


# ---- every guard runs again ----------------------------------------------------------------------------------


def test_taking_an_admin_back_needs_the_same_permission(desk: Desk) -> None:
    tenant = acme()
    sheet = desk.sheet("people.csv", "email,role\nana@acme.example,Admin\n")
    first = desk.run(tenant, sheet, **ADMINS)
    assert fates(undone(desk, tenant, first))["undo.json:1"][:2] == (
        "skipped",
        "needs-allow-admins",
    )
    assert fates(undone(desk, tenant, first, **ADMINS))["undo.json:1"][0] == "applied"


def test_the_last_admin_is_left_to_the_tenant_on_the_way_back_too(desk: Desk) -> None:
    """The run exchanges one admin for the other; the way back takes two steps, as one may fail."""
    tenant = acme()
    tenant.put(user("otto", Role.ADMIN))
    sheet = desk.sheet(
        "people.csv", "email,role\nana@acme.example,Admin\nolga@acme.example,Member\n"
    )
    first = desk.run(tenant, sheet, **ADMINS)
    tenant.drop("otto")
    back = undone(desk, tenant, first, **ADMINS)
    assert {code for _, code, _ in fates(back).values()} == {"done", "last-admin"}
    again = undone(desk, tenant, first, **ADMINS)
    assert {code for _, code, _ in fates(again).values()} == {"no-change", "done"}
    assert roles(tenant.truth()) == {
        email("olga"): Role.ADMIN,
        email("ana"): Role.MEMBER,
        email("ben"): Role.GUEST,
    }


def test_the_tokens_own_account_is_not_lowered_on_the_way_back(desk: Desk) -> None:
    tenant = acme()
    tenant.put(user("owner", Role.MEMBER, id=OWN))
    sheet = desk.sheet("people.csv", "email,role\nowner@acme.example,Admin\n")
    first = desk.run(tenant, sheet, **ADMINS)
    assert first.exit_code == 0
    assert fates(undone(desk, tenant, first, **ADMINS))["undo.json:1"][1] == "own-account"


def test_a_group_is_made_default_again_only_with_permission(desk: Desk) -> None:
    tenant = acme()
    tenant.put(group("all", default=True))
    sheet = desk.sheet("teams.csv", "group,default\nAll,no\n")
    first = desk.run(tenant, sheet)
    assert fates(undone(desk, tenant, first))["undo.json:1"][1] == "needs-allow-default"
    allowed = Permissions(allow_default=True)
    assert fates(undone(desk, tenant, first, permissions=allowed))["undo.json:1"][0] == "applied"


@pytest.mark.parametrize("over", [False, True], ids=["at-the-limit", "one-above"])
def test_the_limit_on_removals_holds_on_the_way_back(desk: Desk, over: bool) -> None:
    tenant = acme()
    sheet = desk.sheet(
        "members.csv", "email,group\nana@acme.example,Marketing\nben@acme.example,Marketing\n"
    )
    first = desk.run(tenant, sheet)
    limits = Limits(removals=Limit(1 if over else 2))
    back = undone(desk, tenant, first, limits=limits)
    assert back.exit_code == (5 if over else 0)
    if over:
        accept = back.summary["fingerprint"]
        assert undone(desk, tenant, first, limits=limits, accept=accept).exit_code == 0


def test_what_has_moved_is_set_aside_alone(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    first = desk.run(tenant, *sheets)
    tenant.put(replace(tenant.truth().users[email("ben")], role=Role.ADMIN))
    back = undone(desk, tenant, first)
    told = [code for _, code, _ in fates(back).values()]
    assert told.count("changed-since-plan") == 1
    assert told.count("done") == 5
    assert tenant.truth().users[email("ben")].role is Role.ADMIN


def test_an_undo_of_nothing_but_work_for_a_person_lists_that(desk: Desk) -> None:
    tenant = acme()
    sheet = desk.sheet("people.csv", "email,role\nnew@acme.example,Guest\n")
    first = desk.run(tenant, sheet)
    assert fates(undone(desk, tenant, first)) == {"undo.json:1": ("manual", BY_HAND, "")}
    tenant.drop("new@acme.example")
    assert fates(undone(desk, tenant, first)) == {"undo.json:1": ("unchanged", "no-change", "")}


def test_work_for_a_person_names_whom_it_is_about_and_is_new_for_everybody_else(desk: Desk) -> None:
    """What one undo has reported of somebody must not let the next one pass for old work."""
    tenant = acme()
    for who in ("new", "newer"):
        sheet = desk.sheet("people.csv", f"email,role\n{who}@acme.example,Guest\n")
        back = undone(desk, tenant, desk.run(tenant, sheet))
        assert back.exit_code == 1
        assert [row.message for row in back.results] == [
            f"{who}@acme.example was invited, and an API token can't delete an account"
        ]
        desk.time += 3600


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(lambda text: text.replace('"$guest"', '"$admin"'), "was edited", id="edited"),
        pytest.param(lambda text: text.replace('"format": 1', '"format": 2'), "newer", id="newer"),
        pytest.param(lambda text: text[: len(text) // 2], "undo.json", id="cut"),
    ],
)
def test_an_undo_that_is_not_as_it_was_saved_is_refused(
    desk: Desk, sheets: list[Path], damage: Any, says: str
) -> None:
    tenant = acme()
    first = desk.run(tenant, *sheets)
    file = undo_file(first)
    file.write_text(damage(file.read_text("utf-8")), encoding="utf-8")
    writes = tenant.writes()
    with pytest.raises(UsageError, match=says):
        undone(desk, tenant, first)
    assert tenant.writes() == writes


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(invite("eve", role=Role.ADMIN), id="invites"),
        pytest.param(create("new"), id="creates"),
        pytest.param(Change(user("ana"), user("ana", None)), id="takes-every-role"),
    ],
)
def test_what_no_run_can_have_undone_is_no_undo(desk: Desk, change: Change) -> None:
    tenant = acme()
    sheet = desk.sheet("people.csv", "email,role\nana@acme.example,Guest\n")
    first = desk.run(tenant, sheet)
    forged = Plan(tenant.name, (change,))
    undo_file(first).write_bytes(b"".join(dump(forged, Undoes("a run", {}))))
    writes = tenant.writes()
    with pytest.raises(UsageError, match="this is no undo of any run; nothing was sent"):
        undone(desk, tenant, first)
    assert tenant.writes() == writes


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(
            Settled(Status.APPLIED, "done", "", (), grant("ana", "finance")), id="said-to-be-done"
        ),
        pytest.param(Settled(Status.MANUAL, BY_HAND, "somebody left", ()), id="of-nothing"),
    ],
)
def test_an_undo_settles_nothing_but_what_the_run_did_and_a_person_takes_back(
    desk: Desk, entry: Settled
) -> None:
    """The fingerprint does not cover it, and the report would repeat it."""
    tenant = acme()
    first = desk.run(tenant, desk.sheet("people.csv", "email,role\nana@acme.example,Guest\n"))
    forged = Plan(tenant.name, (), (entry,))
    undo_file(first).write_bytes(b"".join(dump(forged, Undoes("a run", {}))))
    with pytest.raises(UsageError, match="this is no undo of any run; nothing was sent"):
        undone(desk, tenant, first)


def test_only_the_undo_that_is_expected_is_carried_out(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    first = desk.run(tenant, *sheets)
    with pytest.raises(UsageError, match="not 0000000000000000; nothing was sent"):
        undone(desk, tenant, first, expect="0" * 16)
    fingerprint = json.loads(undo_file(first).read_text("utf-8"))["plan"]["fingerprint"]
    assert undone(desk, tenant, first, expect=fingerprint).summary["fingerprint"] == fingerprint


# ---- interrupted ---------------------------------------------------------------------------------------------


def test_an_undo_that_died_is_carried_on_and_told_as_one(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    before = tenant.truth()
    first = desk.run(tenant, *sheets)
    tenant.faults.append(Fault("crash_after", "remove_members"))
    with pytest.raises(Crash):
        undone(desk, tenant, first)
    back = undone(desk, tenant, first)
    told = {code for _, code, _ in fates(back).values()}
    assert {"earlier-run", BY_HAND} <= told <= {"earlier-run", "done", BY_HAND}
    assert members(tenant.truth(), before) == members(before, before)
    after = desk.run(tenant, *sheets)
    assert undone(desk, tenant, after).exit_code == 0, "that nobody else was invited is no news"


def test_an_undo_that_was_stopped_says_so_and_is_carried_on(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    first = desk.run(tenant, *sheets)
    stop = Stop()
    stop.ask(15)
    stopped = pipeline.apply_saved(undo_file(first), desk.job(), tenant, Quiet(), stop=stop)
    assert stopped.exit_code == 143
    assert {code for _, code, _ in fates(stopped).values()} == {"interrupted", BY_HAND}
    assert undone(desk, tenant, first).exit_code == 0


@pytest.mark.parametrize("at", ["change_role", "update_group", "add_to_groups", "remove_members"])
def test_a_run_that_died_and_was_carried_on_is_taken_back_as_a_whole(
    desk: Desk, sheets: list[Path], at: str
) -> None:
    """What was before is noted with each intent: after the crash nobody could read it any more."""
    sheets[1].write_text(f"{TEAMS}Marketing,Brand\n")
    tenant = acme()
    before = tenant.truth()
    tenant.faults.append(Fault("crash_after", at))
    with pytest.raises(Crash):
        desk.run(tenant, *sheets)
    desk.time += 3_600
    whole = desk.run(tenant, *sheets)
    told = " / ".join(actions for _, code, actions in fates(whole).values() if "earlier" in code)
    assert at != "change_role" or "role changed from Guest to Member" in told
    assert at != "update_group" or "group Marketing changed (description)" in told
    undone(desk, tenant, whole)
    now = tenant.truth()
    assert members(now, before) == members(before, before)
    assert facts(now, before.groups) == facts(before, before.groups)
    assert roles(now).items() >= roles(before).items()


# ---- the command over the embedded tenant --------------------------------------------------------------------


def command(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the command as a process of its own; give its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "onboarding", *arguments, "--tenant", "sandbox:acme.db"],
        cwd=folder,
        env={"HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def exported(folder: Path, name: str) -> dict[str, set[tuple[object, ...]]]:
    """What the embedded tenant has, by its own export."""
    assert command(folder, "export", name)[0] == 0
    book = openpyxl.load_workbook(folder / name / "tenant.xlsx", read_only=True)
    return {sheet.title: {*sheet.iter_rows(values_only=True)} for sheet in book}


def test_the_command_takes_a_run_back_and_names_what_is_left(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES, tmp_path / "sample_data", ignore=lambda *_: {"mistakes"})
    before = exported(tmp_path, "before")
    code, shown = command(tmp_path, "run", "sample_data", "--yes", "--reports", "there")
    assert (code, "undo.json     the way back, for `onboarding apply`" in shown) == (1, True)
    (file,) = tmp_path.glob("there/*/undo.json")

    code, shown = command(tmp_path, "apply", str(file), "--yes", "--reports", "refused")
    assert (code, "--accept" in shown, exported(tmp_path, "still") == before) == (5, False, False)
    fingerprint = json.loads(next(tmp_path.glob("refused/*/summary.json")).read_text())[
        "fingerprint"
    ]
    back = ("apply", str(file), "--yes", "--accept", fingerprint, "--reports", "back")
    assert command(tmp_path, *back)[0] == 1

    (report,) = tmp_path.glob("back/*/results.csv")
    with report.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    by_hand = [row for row in rows if row["result"] == "manual"]
    assert {row["result"] for row in rows} == {"success", "manual"}
    after = exported(tmp_path, "after")
    left = {row[0] for name in ("Users", "Groups") for row in after[name] - before[name]}
    assert left == {row["email"] or row["group"] for row in by_hand}
    invited = {row["email"] for row in by_hand}
    assert {row for row in after["Memberships"] if row[0] not in invited} == before["Memberships"]
    assert all(before[name] <= after[name] for name in before)

    assert command(tmp_path, *back[:3], "--reports", "twice")[0] == 0
    (summary,) = tmp_path.glob("twice/*/summary.json")
    assert json.loads(summary.read_text())["statuses"]["applied"] == 0
