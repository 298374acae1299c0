"""A plan to disk and back: exact, readable, and refused once anything in it is another."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from builders import email, group, row, user
from changes import grant, invite, update
from desk import PEOPLE, TEAMS, Desk, Quiet, acme
from fakes import Crash, FakeTenant, Fault
from hypothesis import given
from hypothesis import strategies as st

from onboarding import pipeline
from onboarding.errors import SheetError, UsageError
from onboarding.intake import Rules
from onboarding.job import Report
from onboarding.model import Group, GroupName, Membership, Role, RowRef, User
from onboarding.plan import Cause, Change, Plan, Settled, Status
from onboarding.reconcile import Wishes
from onboarding.safety import Limit, Limits
from onboarding.saved import plan_from_json, plan_to_json

names = st.sampled_from(["ana", "bob", "zoë"])
rows = st.lists(st.builds(RowRef, st.integers(0, 3), st.integers(1, 9), st.just("ü.csv"))).map(
    tuple
)
text = st.text(max_size=8)
users = st.builds(
    User,
    names.map(email),
    st.sampled_from([None, *Role]),
    st.booleans(),
    st.booleans(),
    text,
    text,
)
groups = st.builds(
    Group,
    st.sampled_from(["finance", "ops"]),
    text,
    text,
    st.booleans(),
    text,
    text,
    st.lists(text).map(tuple),
    st.integers(0, 9),
)
memberships = st.builds(Membership, names.map(email), st.sampled_from(["finance", "ops"]))
causes = st.sampled_from(Cause)
changes = st.one_of(
    st.builds(Change, st.none() | users, users, rows, causes),
    st.builds(Change, st.none() | groups, groups, rows, causes),
    st.builds(Change, st.none(), memberships, rows, causes),
    st.builds(Change, memberships, st.none(), rows, causes),
)
plans = st.builds(
    Plan,
    text,
    st.lists(changes, max_size=6).map(tuple),
    st.lists(
        st.builds(Settled, st.sampled_from(Status), text, text, rows, st.none() | changes),
        max_size=4,
    ).map(tuple),
)


@given(plans)
def test_a_plan_comes_back_from_json_exactly(plan: Plan) -> None:
    saved = json.loads("".join(plan_to_json(plan)))
    loaded = plan_from_json(saved)
    assert loaded == plan
    assert loaded.fingerprint == plan.fingerprint == saved["fingerprint"]


def test_a_saved_plan_can_be_read_by_people() -> None:
    change = replace(grant("ana", "ops"), rows=(row(3),))
    plan = Plan(
        "acme.example", (change,), (Settled(Status.MANUAL, "deactivate", "left", (row(2),)),)
    )
    assert json.loads("".join(plan_to_json(plan))) == {
        "tenant": "acme.example",
        "fingerprint": plan.fingerprint,
        "changes": [
            {
                "action": "grant",
                "before": None,
                "after": {"kind": "membership", "email": "ana@acme.example", "group": "ops"},
                "cause": "asked",
                "rows": [[0, 3, "users.csv"]],
            }
        ],
        "settled": [
            {
                "status": "manual",
                "code": "deactivate",
                "message": "left",
                "rows": [[0, 2, "users.csv"]],
                "change": None,
            }
        ],
    }


HERE = Plan("acme.example", (invite("ana"), update(group("ops"), default=True)))


def _edit(where: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    plan = replace(HERE, settled=(Settled(Status.MANUAL, "x", "y", (row(2),)),))
    saved = json.loads("".join(plan_to_json(plan)))
    where(saved)
    return saved


@pytest.mark.parametrize(
    ("saved", "says"),
    [
        pytest.param(_edit(lambda s: s.update(tenant="other.example")), "was edited", id="tenant"),
        pytest.param(_edit(lambda s: s["changes"].pop()), "was edited", id="fewer"),
        pytest.param(
            _edit(lambda s: s["changes"][0]["after"].update(role="$admin")), "was edited", id="role"
        ),
        pytest.param(
            _edit(lambda s: s["changes"][0].update(action="grant")), "was edited", id="action"
        ),
        pytest.param(_edit(lambda s: s.update(fingerprint="0" * 16)), "was edited", id="print"),
        pytest.param(
            _edit(lambda s: s["changes"][0]["after"].update(kind="robot")), "was edited", id="kind"
        ),
        pytest.param(_edit(lambda s: s.pop("settled")), "is not a saved plan", id="missing"),
        pytest.param(_edit(lambda s: s.update(changes=[3])), "is not a saved plan", id="number"),
        pytest.param(_edit(lambda s: s.update(changes=None)), "is not a saved plan", id="null"),
        pytest.param(
            _edit(lambda s: s["changes"][0]["after"].update(shoe=42)),
            "is not a saved plan",
            id="unknown-fact",
        ),
        pytest.param(_edit(lambda s: s["settled"][0].update(status="fine")), "fine", id="status"),
        pytest.param([], "is not a saved plan", id="a-list"),
    ],
)
def test_anything_but_a_plan_as_it_was_saved_is_refused(saved: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        plan_from_json(saved)


# ---- a plan that was reviewed --------------------------------------------------------------------------------


def planned(desk: Desk, tenant: FakeTenant, *inputs: Path, **facts: Any) -> Path:
    """Plan, and give the file of the plan."""
    report = pipeline.plan(desk.job(*inputs, **facts), tenant, Quiet())
    assert report.folder
    return report.folder / "plan.json"


def applied(desk: Desk, tenant: FakeTenant, file: Path, **facts: Any) -> Report:
    return pipeline.apply_saved(file, desk.job(**facts), tenant, Quiet())


def codes(report: Report) -> dict[str, str]:
    return {str(result.row): result.code for result in report.results}


def refused(desk: Desk, tenant: FakeTenant, file: Path, **facts: Any) -> str:
    """Apply a plan that is refused as a whole, and give the words."""
    with pytest.raises((UsageError, SheetError)) as caught:
        applied(desk, tenant, file, **facts)
    assert tenant.writes() == []
    return str(caught.value)


def other_letter(sheet: Path) -> None:
    """Change one byte, and neither the size nor the time of a file."""
    before = sheet.stat()
    sheet.write_bytes(sheet.read_bytes().replace(b"carla", b"karla"))
    os.utime(sheet, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("happens", "says"),
    [
        pytest.param(other_letter, "people.csv: changed since the plan was made", id="one-byte"),
        pytest.param(lambda sheet: sheet.unlink(), "people.csv", id="gone"),
        pytest.param(
            lambda sheet: sheet.with_name("more.csv").write_text("email,role\n"),
            "more.csv: changed since the plan was made",
            id="one-more-in-the-folder",
        ),
        pytest.param(
            lambda sheet: sheet.rename(sheet.with_name("staff.csv")),
            "people.csv, staff.csv: changed since the plan was made",
            id="renamed-in-the-folder",
        ),
    ],
)
def test_sheets_that_have_changed_refuse_the_whole_plan(
    tmp_path: Path, happens: Callable[[Path], object], says: str
) -> None:
    desk = Desk(tmp_path)
    folder = tmp_path / "sheets"
    folder.mkdir()
    sheet, other = folder / "people.csv", folder / "teams.csv"
    sheet.write_text(PEOPLE)
    other.write_text(TEAMS)
    file = planned(desk, acme(), folder)
    happens(sheet)
    assert says in refused(desk, acme(), file)


def test_whom_the_settings_keep_out_today_is_not_invited_by_an_older_plan(desk: Desk) -> None:
    tenant = acme()
    sheet = desk.sheet("new.csv", "email,role\ndan@acme.example,Guest\neve@other.example,Guest\n")
    file = planned(desk, tenant, sheet)
    report = applied(desk, tenant, file, rules=Rules(allowed_domains=frozenset({"acme.example"})))
    assert tenant.mails == ["dan@acme.example"]
    assert codes(report)["new.csv:3"] == "domain-not-allowed"


def test_whom_the_settings_kept_out_when_the_plan_was_made_stays_out(desk: Desk) -> None:
    tenant = acme()
    sheet = desk.sheet("new.csv", "email,role\neve@other.example,Guest\n")
    file = planned(desk, tenant, sheet, rules=Rules(allowed_domains=frozenset({"acme.example"})))
    assert codes(applied(desk, tenant, file)) == {"new.csv:2": "domain-not-allowed"}
    assert tenant.mails == []


def test_what_single_sign_on_fills_by_todays_settings_loses_nobody_by_an_older_plan(
    desk: Desk,
) -> None:
    tenant = acme()
    tenant.join("finance", "ana", "ben")
    sheet = desk.sheet("in.csv", "email,group\nana@acme.example,Finance\n")
    file = planned(desk, tenant, sheet, wishes=Wishes(authoritative=True))
    applied(desk, tenant, file, wishes=Wishes(sso_groups=frozenset({"Finance"})))
    assert tenant.writes() == []
    applied(desk, tenant, file)
    assert len(tenant.writes()) == 1


def test_a_sheet_that_was_only_touched_is_the_same(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    file = planned(desk, tenant, *sheets)
    sheets[0].write_bytes(sheets[0].read_bytes())
    os.utime(sheets[0], (1, 1))
    applied(desk, tenant, file)
    assert tenant.mails == ["carla@acme.example"]


def role_changed(tenant: FakeTenant) -> None:
    tenant.put(replace(tenant.truth().users[email("ben")], role=Role.ADMIN))


def group_made(tenant: FakeTenant) -> None:
    tenant.put(group("analytics", "Analytics", description="Mine"))


def group_described(tenant: FakeTenant) -> None:
    tenant.put(replace(tenant.truth().groups[GroupName("marketing")], description="Mine"))


@pytest.mark.parametrize(
    ("moves", "aside"),
    [
        pytest.param(role_changed, {"people.csv:3": "changed-since-plan"}, id="role"),
        pytest.param(lambda t: t.leave("finance", "ben"), {}, id="removed-already"),
        pytest.param(lambda t: t.join("marketing", "ben"), {}, id="granted-already"),
        pytest.param(
            group_made, {"teams.csv:2": "changed-since-plan"}, id="group-is-there-otherwise"
        ),
        pytest.param(
            group_described, {"teams.csv:4": "changed-since-plan"}, id="group-described-otherwise"
        ),
        pytest.param(
            lambda t: t.put(user("carla", Role.MEMBER)),
            {"people.csv:4": "changed-since-plan"},
            id="invited-by-somebody-else",
        ),
    ],
)
def test_what_has_moved_since_is_set_aside_by_itself(
    desk: Desk,
    sheets: list[Path],
    moves: Callable[[FakeTenant], object],
    aside: dict[str, str],
) -> None:
    sheets[1].write_text(f"{TEAMS}Marketing,Brand\n")
    tenant = acme()
    file = planned(desk, tenant, *sheets)
    as_planned = applied(Desk(desk.folder / "another"), acme(), file)
    moves(tenant)
    report = applied(desk, tenant, file)
    found = codes(report)
    told = {row: code for row, code in found.items() if "plan" in code}
    assert {row: code.split("; ")[0] for row, code in told.items()} == aside
    alike = [row for row, code in found.items() if code == codes(as_planned)[row]]
    assert len(alike) >= len(found) - 2, "all else is done as it was reviewed"


def test_a_plan_applied_twice_has_nothing_left_to_do(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    file = planned(desk, tenant, *sheets)
    applied(desk, tenant, file)
    writes = tenant.writes()
    again = applied(desk, tenant, file)
    assert tenant.writes() == writes
    assert {r.status.value for r in again.results} == {"unchanged", "rejected", "skipped"}
    assert "changed-since-plan" not in codes(again).values()


def test_a_plan_that_changes_nothing_changes_nothing_whatever_has_moved_since(desk: Desk) -> None:
    tenant = acme()
    sheet = desk.sheet("people.csv", "email,group\nana@acme.example,Finance\n")
    file = planned(desk, tenant, sheet)
    tenant.leave("finance", "ana")
    report = applied(desk, tenant, file)
    assert (tenant.writes(), codes(report)) == ([], {"people.csv:2": "not-in-plan"})


def test_only_the_plan_that_is_expected_is_carried_out(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    file = planned(desk, tenant, *sheets)
    fingerprint = json.loads(file.read_text("utf-8"))["plan"]["fingerprint"]
    said = refused(desk, tenant, file, expect="0000")
    assert f"holds plan {fingerprint}, not 0000; nothing was sent" in said
    applied(desk, tenant, file, expect=fingerprint)
    assert tenant.mails == ["carla@acme.example"]


def test_a_plan_can_be_handed_on_and_its_sheets_named_from_anywhere(
    desk: Desk, sheets: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = acme()
    monkeypatch.chdir(desk.folder)
    report = pipeline.plan(desk.job(*(Path(sheet.name) for sheet in sheets)), tenant, Quiet())
    assert report.folder
    elsewhere = desk.folder / "mail"
    elsewhere.mkdir()
    copy = Path(shutil.copy(report.folder / "plan.json", elsewhere))
    monkeypatch.chdir(elsewhere)
    applied(desk, tenant, copy)
    assert tenant.mails == ["carla@acme.example"]


def test_a_plan_for_another_tenant_is_refused(desk: Desk, sheets: list[Path]) -> None:
    file = planned(desk, acme(), *sheets)
    other = acme()
    other.name = "other.example"
    assert refused(desk, other, file) == (
        f"{file} is a plan for acme.example, and this is other.example; nothing was sent. "
        "Name that tenant, or make a plan for this one."
    )
    assert not (desk.folder / "state" / "other.example").exists()


def test_a_plan_over_standard_input_can_be_looked_at_and_not_applied(desk: Desk) -> None:
    tenant = acme()
    text = BytesIO(PEOPLE.encode())
    report = pipeline.plan(replace(desk.job(), inputs=("-",)), tenant, Quiet(), stdin=text)
    assert report.folder
    words = refused(desk, tenant, report.folder / "plan.json")
    assert "was made from standard input, which can't be read again; plan from a file" in words


def rewritten(file: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text("utf-8"))
    edit(content)
    file.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        pytest.param(
            lambda c: c["plan"]["changes"][0]["after"].update(role="$admin"),
            "the plan was edited",
            id="a-change",
        ),
        pytest.param(lambda c: c["plan"]["changes"].pop(), "the plan was edited", id="one-less"),
        pytest.param(
            lambda c: c["plan"].update(tenant="other.example"), "the plan was edited", id="tenant"
        ),
        pytest.param(
            lambda c: c.update(format=2), "saved by a newer version of this program", id="newer"
        ),
        pytest.param(lambda c: c.pop("job"), "this is not a saved plan", id="no-job"),
        pytest.param(lambda c: c["job"].pop("rules"), "parts of it are missing", id="half-a-job"),
        pytest.param(lambda c: c.update(format="1"), "this is not a saved plan", id="odd-format"),
    ],
)
def test_a_plan_that_is_not_as_it_was_saved_is_refused_with_the_reason(
    desk: Desk, sheets: list[Path], edit: Callable[[dict[str, Any]], object], says: str
) -> None:
    tenant = acme()
    file = planned(desk, tenant, *sheets)
    rewritten(file, edit)
    words = refused(desk, tenant, file)
    assert says in words
    assert words.endswith("nothing was sent. Make a new plan and review it.")


def test_a_plan_that_is_nested_without_end_is_refused(desk: Desk) -> None:
    file = desk.folder / "plan.json"
    file.write_text("[" * 200_000)
    assert "this is not a saved plan" in refused(desk, acme(), file)


@pytest.mark.parametrize(
    "cut", range(0, 1000, 90), ids=lambda per_mille: f"at-{per_mille}-per-mille"
)
def test_a_plan_that_is_cut_off_is_refused(desk: Desk, sheets: list[Path], cut: int) -> None:
    tenant = acme()
    file = planned(desk, tenant, *sheets)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * cut // 1000])
    assert "this is not a saved plan, or only a part of one; nothing was sent" in refused(
        desk, tenant, file
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_a_sheet_in_the_place_of_a_plan_is_refused_in_plain_words(
    desk: Desk, encoding: str
) -> None:
    sheet = desk.sheet("people.csv", "")
    sheet.write_bytes("email,group\nzoë@acme.example,Finance\n".encode(encoding))
    assert "people.csv: this is not a saved plan" in refused(desk, acme(), sheet)


def test_other_inputs_in_an_edited_plan_do_not_let_anything_pass(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    file = planned(desk, tenant, *sheets)
    evil = desk.sheet("evil.csv", "email,role\neve@acme.example,Admin\n")
    rewritten(file, lambda c: c["job"].update(inputs=[str(evil)]))
    assert "changed since the plan was made" in refused(desk, tenant, file)


def test_other_wishes_in_an_edited_plan_ask_for_nothing_that_was_not_reviewed(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    tenant.join("finance", "olga")
    file = planned(desk, tenant, *sheets)
    rewritten(file, lambda c: c["job"]["wishes"].update(authoritative=True))
    applied(desk, tenant, file)
    assert "finance" in tenant.truth().memberships[email("olga")]


def test_a_plan_that_is_not_there_is_said_so(desk: Desk) -> None:
    words = refused(desk, acme(), desk.folder / "no.json")
    assert "can't be read: No such file or directory. Name a plan.json or undo.json" in words


def test_a_run_that_is_killed_leaves_its_plan_which_carries_it_on(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    tenant.faults.append(Fault("crash", "write"))
    with pytest.raises(Crash):
        desk.run(tenant, *sheets)
    (file,) = (desk.folder / "reports").glob("*/plan.json")
    assert codes(applied(desk, tenant, file))["people.csv:4"] == "in-doubt"
    desk.time += 901
    report = applied(desk, tenant, file)
    assert tenant.mails == ["carla@acme.example"]
    assert codes(report)["people.csv:4"] == "done"


def test_the_fingerprint_of_a_plan_stands_wherever_the_plan_does(
    desk: Desk, sheets: list[Path]
) -> None:
    voice = Quiet()
    report = pipeline.plan(desk.job(*sheets), acme(), voice)
    assert report.folder
    fingerprint = voice.proposed[0].plan.fingerprint
    assert report.summary["fingerprint"] == fingerprint
    for name in ("report.html", "summary.json", "plan.json"):
        assert fingerprint in (report.folder / name).read_text("utf-8"), name


# ---- --accept ------------------------------------------------------------------------------------------------

NO_MAILS = Limits(invitations=Limit(0))


def test_a_refused_run_names_the_fingerprint_and_leaves_a_plan_that_it_lets_pass(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    report = desk.run(tenant, *sheets, limits=NO_MAILS)
    fingerprint = report.summary["fingerprint"]
    assert report.exit_code == 5
    assert f"--accept {fingerprint}" in str(report.error)
    assert report.folder
    file = report.folder / "plan.json"
    assert applied(desk, tenant, file, limits=NO_MAILS).exit_code == 5
    assert applied(desk, tenant, file, limits=NO_MAILS, accept=fingerprint).exit_code == 1
    assert tenant.mails == ["carla@acme.example"]


def test_a_permission_lets_no_other_plan_pass(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    accept = desk.run(tenant, *sheets, limits=NO_MAILS).summary["fingerprint"]
    sheets[0].write_text(PEOPLE.replace("carla", "karla"))
    assert desk.run(tenant, *sheets, limits=NO_MAILS, accept=accept).exit_code == 5
    other = acme()
    other.name = "other.example"
    sheets[0].write_text(PEOPLE)
    assert desk.run(other, *sheets, limits=NO_MAILS, accept=accept).exit_code == 5
    assert (tenant.mails, other.mails) == ([], [])


def test_a_permission_is_not_used_up_by_a_no(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    accept = desk.run(tenant, *sheets, limits=NO_MAILS).summary["fingerprint"]
    declined = desk.run(tenant, *sheets, limits=NO_MAILS, accept=accept, voice=Quiet(agrees=False))
    assert declined.exit_code == 5
    assert desk.run(tenant, *sheets, limits=NO_MAILS, accept=accept).exit_code == 1
    assert tenant.mails == ["carla@acme.example"]


def test_a_permission_is_not_used_up_by_a_run_that_comes_to_nothing(desk: Desk) -> None:
    """Else the very plan that a person has let pass could not be carried out any more."""
    tenant = acme()
    sheet = desk.sheet("out.csv", "email,group,action\nben@acme.example,Finance,remove\n")
    strict = Limits(removals=Limit(0))
    accept = desk.run(tenant, sheet, limits=strict).summary["fingerprint"]
    tenant.faults.append(Fault("throttle", "write", times=99, retry_after=3_600))
    in_vain = desk.run(tenant, sheet, limits=strict, accept=accept)
    assert {result.status for result in in_vain.results} == {Status.SKIPPED}
    tenant.faults.clear()
    assert desk.run(tenant, sheet, limits=strict, accept=accept).exit_code == 0
    assert email("ben") not in tenant.truth().memberships


def test_a_permission_that_was_used_stays_used_whatever_comes_after(desk: Desk) -> None:
    """A run that has nothing to do is in vain as well; what was let pass before, it must not let pass again."""
    tenant = acme()
    sheet = desk.sheet("out.csv", "email,group,action\nben@acme.example,Finance,remove\n")
    strict = Limits(removals=Limit(0))
    accept = desk.run(tenant, sheet, limits=strict).summary["fingerprint"]
    assert desk.run(tenant, sheet, limits=strict, accept=accept).exit_code == 0
    assert desk.run(tenant, sheet, limits=strict, accept=accept).exit_code == 0
    tenant.join("finance", "ben")
    assert desk.run(tenant, sheet, limits=strict, accept=accept).exit_code == 5
    tenant.faults.append(Fault("throttle", "write", times=99, retry_after=3_600))
    in_vain = desk.run(tenant, sheet, accept=accept)  # within the limits, so that it needs none
    assert {result.status for result in in_vain.results} == {Status.SKIPPED}
    tenant.faults.clear()
    assert desk.run(tenant, sheet, limits=strict, accept=accept).exit_code == 5
    assert email("ben") in tenant.truth().memberships


def test_a_plan_that_was_let_pass_is_not_told_to_pass_that_way_again(desk: Desk) -> None:
    sheet = desk.sheet("out.csv", "email,group,action\nben@acme.example,Finance,remove\n")
    strict = Limits(removals=Limit(0))
    accept = desk.run(acme(), sheet, limits=strict).summary["fingerprint"]
    desk.run(acme(), sheet, limits=strict, accept=accept)
    for again in ("", accept):
        error = str(desk.run(acme(), sheet, limits=strict, accept=again).error)
        assert "It was let pass once with --accept, and that counts once: raise the limit" in error
        assert f"--accept {accept}" not in error


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        pytest.param("crash", "let pass once with --accept", id="before-anything-was-done"),
        pytest.param("crash_after", "would revoke 1 membership of", id="with-a-part-done"),
    ],
)
def test_a_permission_counts_once_even_where_the_run_dies_with_it(
    desk: Desk, kind: Any, told: str
) -> None:
    """What is left is another plan, with a fingerprint of its own: the message names what to do."""
    tenant = acme()
    tenant.join("marketing", "ana")
    sheet = desk.sheet("out.csv", LEAVING)
    strict = Limits(removals=Limit(0))
    accept = desk.run(tenant, sheet, limits=strict).summary["fingerprint"]
    tenant.faults.append(Fault(kind, "write"))
    job = desk.job(sheet, limits=strict, accept=accept)
    with pytest.raises(Crash):
        pipeline.run(replace(job, pace=replace(job.pace, workers=1)), tenant, Quiet())

    again = desk.run(tenant, sheet, limits=strict, accept=accept)
    assert (again.exit_code, len(tenant.writes())) == (5, 1)
    assert told in str(again.error)
    if kind == "crash_after":
        accept = again.summary["fingerprint"]
        assert desk.run(tenant, sheet, limits=strict, accept=accept).exit_code == 0


LEAVING = """email,group,action
ana@acme.example,Finance,remove
ana@acme.example,Marketing,remove
"""
