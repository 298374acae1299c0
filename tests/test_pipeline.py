"""The main path over real files, with a tenant in memory: what comes in at one end comes out at the other."""

from __future__ import annotations

import csv
import json
import signal
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import email, group, user
from desk import PEOPLE, Desk, Quiet, acme
from fakes import Crash, FakeTenant, Fault
from hypothesis import given
from hypothesis import strategies as st

from onboarding import pipeline
from onboarding.errors import (
    Interrupted,
    SheetError,
    Stop,
    StorageError,
    TryLater,
    UnsafePlan,
    UsageError,
)
from onboarding.job import Prospect, Report
from onboarding.model import GroupId, Role, UserId
from onboarding.plan import Status
from onboarding.reconcile import Wishes
from onboarding.safety import Limit, Limits, Permissions


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def statuses(report: Report) -> dict[str, str]:
    return {str(result.row): result.status.value for result in report.results}


def test_sheets_become_invitations_groups_and_memberships_and_every_row_is_answered_for(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    report = desk.run(tenant, *sheets)
    assert statuses(report) == {
        "people.csv:2": "unchanged",
        "people.csv:3": "applied",
        "people.csv:4": "applied",
        "people.csv:5": "rejected",
        "teams.csv:2": "applied",
        "teams.csv:3": "skipped",
        "memberships.csv:2": "applied",
        "memberships.csv:3": "applied",
    }
    now = tenant.truth()
    assert tenant.mails == ["carla@acme.example"]
    assert now.users["ben@acme.example"].role is Role.MEMBER
    assert now.memberships["ben@acme.example"] == {"marketing"}
    assert now.memberships["carla@acme.example"] == {"finance", "analytics"}
    assert now.memberships["ana@acme.example"] == {"finance", "analytics"}
    assert now.groups["finance"].description == "", "a rejected row names it, so it is not updated"
    assert report.exit_code == 1


def test_results_csv_has_every_input_row_once_and_in_order(desk: Desk, sheets: list[Path]) -> None:
    report = desk.run(acme(), *sheets)
    assert report.folder
    written = rows_of(report.folder / "results.csv")
    assert [row["result_row"] for row in written] == [str(r.row) for r in report.results]
    assert [row["team lead"] for row in written] == ["olga"] * 4 + [""] * 4


def test_the_announced_calls_are_the_calls_that_the_tenant_counts(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant, voice = acme(), Quiet()
    report = desk.run(tenant, *sheets, voice=voice)
    assert voice.proposed[0].calls == tenant.calls == report.summary["calls"]["made"]


def test_calls_are_counted_anew_where_somebody_thinks_so_long_that_the_look_is_old(
    desk: Desk,
) -> None:
    class Slow(Quiet):
        def confirm(self, prospect: Prospect) -> bool:
            desk.sleep(61)
            return True

    tenant, sheet = acme(), desk.sheet("people.csv", "email,role\nnew@acme.example,Guest\n")
    voice = Slow()
    report = desk.run(tenant, sheet, voice=voice)
    assert report.summary["calls"] == {"announced": tenant.calls, "made": tenant.calls}
    assert voice.proposed[0].calls == tenant.calls - 1


def test_the_seconds_count_from_when_somebody_asked(desk: Desk, sheets: list[Path]) -> None:
    began = datetime.now(UTC) - timedelta(minutes=5)
    job = replace(desk.job(*sheets, began=began), reports=None)
    assert 300 <= pipeline.validate(job, Quiet()).summary["seconds"] < 600


def test_a_run_that_was_told_to_stop_says_so_in_its_summary(desk: Desk, sheets: list[Path]) -> None:
    stop = Stop()
    stop.ask(15)
    report = pipeline.run(desk.job(*sheets), acme(), Quiet(), stop=stop)
    assert report.folder
    written = json.loads((report.folder / "summary.json").read_text())
    assert report.exit_code == written["exit_code"] == 143
    assert written["error"] == "interrupted; run the same command again to carry on"
    assert len(report.results) == 8


def test_a_second_run_sends_nothing(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    desk.run(tenant, *sheets)
    sent = len(tenant.writes())
    again = desk.run(tenant, *sheets)
    assert len(tenant.writes()) == sent
    assert set(statuses(again).values()) == {"unchanged", "rejected", "skipped"}


def test_every_file_of_a_run_is_private_and_named_in_the_summary(
    desk: Desk, sheets: list[Path]
) -> None:
    report = desk.run(acme(), *sheets)
    assert report.folder
    found = [path for path in report.folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert stat.S_IMODE(report.folder.stat().st_mode) == 0o700
    assert {str(path.relative_to(report.folder)) for path in found} - {"journal.jsonl"} == set(
        report.summary["files"]
    )
    assert json.loads((report.folder / "summary.json").read_text()) == report.summary


def test_nothing_is_sent_where_the_report_can_not_be_written(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    job = replace(desk.job(*sheets), reports=sheets[0] / "under-a-file")
    with pytest.raises(StorageError):
        pipeline.run(job, tenant, Quiet())
    assert tenant.writes() == []


def test_a_plan_over_a_limit_sends_nothing_and_reports_every_row(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant, voice = acme(), Quiet()
    limits = Limits(removals=Limit(0))
    report = desk.run(tenant, *sheets, voice=voice, limits=limits)
    assert tenant.writes() == []
    assert report.exit_code == 5
    assert isinstance(report.error, UnsafePlan)
    assert voice.proposed[0].plan.fingerprint in str(report.error)
    assert statuses(report)["people.csv:4"] == "skipped"
    assert len(report.results) == 8


def test_accept_lets_exactly_this_plan_pass_and_only_once(desk: Desk, sheets: list[Path]) -> None:
    limits = Limits(removals=Limit(0))
    sheets = sheets[1:]  # nobody is invited, so a tenant that is as it was has the same plan again
    accept = desk.run(acme(), *sheets, limits=limits).summary["fingerprint"]
    passed = desk.run(acme(), *sheets, limits=limits, accept=accept)
    assert statuses(passed)["memberships.csv:2"] == "applied"
    refused = desk.run(acme(), *sheets, limits=limits, accept=accept)
    assert (refused.exit_code, refused.summary["fingerprint"]) == (5, accept)
    assert "let pass once with --accept, and that counts once" in str(refused.error)


def test_who_insists_at_the_terminal_gets_it(desk: Desk, sheets: list[Path]) -> None:
    report = desk.run(acme(), *sheets, voice=Quiet(insists=True), limits=Limits(removals=Limit(0)))
    assert statuses(report)["memberships.csv:2"] == "applied"


def test_no_is_no(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    report = desk.run(tenant, *sheets, voice=Quiet(agrees=False))
    assert tenant.writes() == []
    assert report.exit_code == 5
    assert statuses(report)["people.csv:4"] == "skipped"


def test_too_many_rejected_rows_send_nothing_and_end_with_3(desk: Desk) -> None:
    tenant = acme()
    bad = desk.sheet(
        "people.csv", "email,role\n" + "x@y,Member\n" * 30 + "new@acme.example,Guest\n"
    )
    report = desk.run(tenant, bad)
    assert (report.exit_code, tenant.writes()) == (3, [])
    assert len(report.results) == 31


def test_a_leaver_is_new_work_once_and_exit_0_after_that(desk: Desk) -> None:
    tenant = acme()
    sheet = desk.sheet("people.csv", "email,status\nben@acme.example,terminated\n")
    assert [desk.run(tenant, sheet).exit_code for _ in range(2)] == [1, 0]


BEN = "email,status\nben@acme.example,{}\n"


@pytest.mark.parametrize(
    ("enabled", "text"),
    [
        pytest.param(False, BEN.format("terminated"), id="disabled"),
        pytest.param(True, BEN.format("active"), id="back before anybody did it"),
        pytest.param(True, BEN.format("hired"), id="comes back"),
        pytest.param(False, BEN.format("active"), id="back and disabled"),
    ],
)
def test_a_leaver_is_new_work_again_once_a_run_has_seen_that_there_was_none(
    desk: Desk, enabled: bool, text: str
) -> None:
    tenant = acme()
    leaves = desk.sheet("people.csv", BEN.format("terminated"))
    desk.run(tenant, leaves)
    tenant.put(user("ben", Role.GUEST, enabled=enabled))
    desk.run(tenant, desk.sheet("then.csv", text))
    tenant.put(user("ben", Role.GUEST))
    assert [desk.run(tenant, leaves).exit_code for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("email,status\nana@acme.example,active\n", id="somebody else"),
        pytest.param("email,group\nben@acme.example,Finance\n", id="a membership"),
        pytest.param("email,groups\nben@acme.example,Finance\n", id="no status"),
        pytest.param("email,role,status\nben@acme.example,Boss,active\n", id="a rejected row"),
        pytest.param(
            f"{BEN.format('active')}ben@acme.example,terminated\n", id="rows that disagree"
        ),
        pytest.param(
            "email,status,groups\nben@acme.example,active,Finanse\n", id="a group that nobody knows"
        ),
    ],
)
def test_a_run_that_says_nothing_of_a_leaver_makes_no_new_work(desk: Desk, text: str) -> None:
    tenant = acme()
    leaves = desk.sheet("people.csv", BEN.format("terminated"))
    desk.run(tenant, leaves)
    desk.run(tenant, desk.sheet("other.csv", text))
    assert desk.run(tenant, leaves).exit_code == 0


def test_a_run_that_was_stopped_makes_no_new_work(desk: Desk) -> None:
    tenant = acme()
    leaves = desk.sheet("people.csv", BEN.format("terminated"))
    desk.run(tenant, leaves)
    stop = Stop()
    stop.ask(signal.SIGTERM)
    pipeline.run(desk.job(desk.sheet("then.csv", BEN.format("active"))), tenant, Quiet(), stop=stop)
    assert desk.run(tenant, leaves).exit_code == 0


def test_whom_to_invite_by_hand_is_new_work_again_once_the_account_was_there(desk: Desk) -> None:
    tenant = acme()
    tenant.no_invitations = "SSO is enforced"
    sheet = desk.sheet("people.csv", "email,role\nzoe@acme.example,Guest\n")
    assert [desk.run(tenant, sheet).exit_code for _ in range(2)] == [1, 0]
    desk.run(tenant, sheet, permissions=Permissions(invite=False))
    assert desk.run(tenant, sheet).exit_code == 0
    tenant.put(user("zoe", Role.GUEST))
    assert desk.run(tenant, sheet).exit_code == 0
    tenant.drop("zoe")
    assert desk.run(tenant, sheet).exit_code == 1


def test_of_two_accounts_with_one_address_none_is_touched(desk: Desk) -> None:
    tenant = acme()
    zeds = user("zed"), user("zed", id=UserId("u-Zed"), username="zed2")
    tenant.put(*zeds)
    for name, zed in zip(("finance", "marketing"), zeds, strict=True):
        tenant.has.members[GroupId(f"g-{name}")] |= {zed.id}
    removed = desk.sheet("out.csv", "email,group,action\nzed@acme.example,Finance,remove\n")
    added = desk.sheet(
        "in.csv", "email,group\nana@acme.example,Finance\nben@acme.example,Finance\n"
    )
    report = desk.run(tenant, removed)
    assert [(one.code, one.result) for one in report.results] == [("person-ambiguous", "error")]
    assert report.exit_code == 1
    desk.run(tenant, added, wishes=Wishes(authoritative=True))
    assert tenant.writes() == []


# ---- crashes ----------------------------------------------------------------------------------------------------


def test_what_an_interrupted_run_had_done_is_told_by_the_next(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    tenant.faults.append(Fault("crash_after", "create_group"))
    with pytest.raises(Crash):
        desk.run(tenant, *sheets)
    desk.time += 3_600
    report = desk.run(tenant, *sheets)
    assert tenant.mails == ["carla@acme.example"]
    told = {str(r.row): (r.status.value, r.code) for r in report.results}
    assert told["teams.csv:2"] == ("applied", "earlier-run")
    assert told["people.csv:4"][0] == "applied"
    assert "earlier-run" not in {r.code for r in desk.run(tenant, *sheets).results}


def test_a_doubtful_invitation_is_left_alone_until_the_waiting_time_is_over(desk: Desk) -> None:
    tenant = acme()
    tenant.faults.append(Fault("doubt_before", "invite"))
    sheet = desk.sheet("people.csv", "email,role\nnew@acme.example,Guest\n")
    first = desk.run(tenant, sheet)
    assert (statuses(first)["people.csv:2"], first.exit_code) == ("in_doubt", 75)
    soon = desk.run(tenant, sheet)
    assert (statuses(soon)["people.csv:2"], tenant.mails) == ("in_doubt", [])
    desk.time += 901
    later = desk.run(tenant, sheet)
    assert (statuses(later)["people.csv:2"], tenant.mails) == ("applied", ["new@acme.example"])


# ---- saved plans ------------------------------------------------------------------------------------------------


def saved_plan(desk: Desk, tenant: FakeTenant, sheets: list[Path]) -> tuple[Path, Report]:
    report = pipeline.plan(desk.job(*sheets), tenant, Quiet())
    assert report.folder
    return report.folder / "plan.json", report


def test_whoever_only_looks_needs_no_lock(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    with pipeline.locked(desk.job(), tenant):
        assert pipeline.validate(desk.job(*sheets), Quiet()).exit_code == 1, "a row is bad"
        assert pipeline.plan(desk.job(*sheets), tenant, Quiet()).exit_code == 1
        with pytest.raises(TryLater, match="another run is at work"):
            desk.run(tenant, *sheets)


def test_whoever_holds_the_lock_hands_it_on(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    with pipeline.locked(desk.job(), tenant) as state:
        report = pipeline.run(desk.job(*sheets), tenant, Quiet(), state=state)
        assert report.folder
        undo = report.folder / "undo.json"
        back = pipeline.apply_saved(undo, desk.job(), tenant, Quiet(), state=state)
        assert {outcome.result for outcome in back.results} == {"success", "manual"}


def test_a_plan_over_a_limit_is_shown_and_says_that_no_run_would_carry_it_out(
    desk: Desk, sheets: list[Path]
) -> None:
    limits = Limits(invitations=Limit(0))
    report = pipeline.plan(desk.job(*sheets, limits=limits), acme(), Quiet())
    assert (report.exit_code, type(report.error)) == (5, UnsafePlan)
    assert statuses(report)["people.csv:4"] == "planned"


def test_whoever_leaves_instead_of_answering_finds_it_reported_and_nothing_sent(
    desk: Desk, sheets: list[Path]
) -> None:
    class Leaving(Quiet):
        def confirm(self, prospect: Prospect) -> bool:
            raise Interrupted(signal.SIGINT)

    tenant = acme()
    report = desk.run(tenant, *sheets, voice=Leaving())
    assert (report.exit_code, tenant.writes()) == (130, [])
    assert statuses(report)["people.csv:4"] == "skipped"
    assert report.folder
    assert (report.folder / "results.csv").exists()


def test_a_plan_changes_nothing_and_shows_what_would_be(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    _, report = saved_plan(desk, tenant, sheets)
    assert tenant.writes() == []
    assert not (desk.folder / "state").exists()
    assert statuses(report)["people.csv:4"] == "planned"
    assert report.exit_code == 1, "a row is rejected"


def test_a_saved_plan_is_carried_out_as_reviewed(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    path, planned = saved_plan(desk, tenant, sheets)
    job = replace(desk.job(), expect=planned.summary["fingerprint"])
    report = pipeline.apply_saved(path, job, tenant, Quiet())
    assert tenant.mails == ["carla@acme.example"]
    assert len(report.results) == len(planned.results)
    assert statuses(report)["people.csv:4"] == "applied"


def test_what_has_moved_since_the_plan_is_set_aside_by_itself(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    path, _ = saved_plan(desk, tenant, sheets)
    tenant.put(user("ben", Role.ADMIN))
    report = pipeline.apply_saved(path, desk.job(), tenant, Quiet())
    told = {str(r.row): (r.status, r.code) for r in report.results}
    assert told["people.csv:3"] == (Status.SKIPPED, "changed-since-plan")
    assert told["people.csv:4"][0] is Status.APPLIED
    assert tenant.truth().users["ben@acme.example"].role is Role.ADMIN


def test_a_sheet_that_has_changed_refuses_the_whole_plan(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    path, _ = saved_plan(desk, tenant, sheets)
    sheets[0].write_text(PEOPLE + "eve@acme.example,Admin,,\n")
    with pytest.raises(SheetError, match=r"people\.csv.*changed since the plan"):
        pipeline.apply_saved(path, desk.job(), tenant, Quiet())
    assert tenant.writes() == []


@pytest.mark.parametrize(
    ("damage", "expect"),
    [
        pytest.param(lambda text: text.replace("$guest", "$admin"), "", id="edited"),
        pytest.param(lambda text: text[: len(text) // 2], "", id="cut"),
        pytest.param(lambda text: "[]", "", id="something-else"),
        pytest.param(lambda text: text, "0000000000000000", id="not-the-one-expected"),
    ],
)
def test_a_plan_that_is_not_the_reviewed_one_is_refused(
    desk: Desk, sheets: list[Path], damage: Any, expect: str
) -> None:
    tenant = acme()
    path, _ = saved_plan(desk, tenant, sheets)
    path.write_text(damage(path.read_text()))
    with pytest.raises(UsageError):
        pipeline.apply_saved(path, replace(desk.job(), expect=expect), tenant, Quiet())
    assert tenant.writes() == []


# ---- round trips ------------------------------------------------------------------------------------------------


def test_retry_files_can_be_corrected_and_fed_back(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    first = desk.run(tenant, *sheets)
    assert first.folder
    retry = sorted((first.folder / "retry").iterdir())
    assert [path.name for path in retry] == ["people.csv", "teams.csv"]
    retry[0].write_text(
        retry[0].read_text(encoding="utf-8").replace("dan@acme,", "dan@acme.example,")
    )
    report = desk.run(tenant, *retry)
    assert set(statuses(report).values()) == {"applied"}
    assert tenant.mails == ["carla@acme.example", "dan@acme.example"]


def test_a_report_fed_back_takes_nothing_from_anybody(desk: Desk, sheets: list[Path]) -> None:
    tenant = acme()
    first = desk.run(tenant, *sheets)
    assert first.folder
    tenant.join("finance", "olga")
    again = desk.run(
        tenant, first.folder / "retry" / "people.csv", wishes=Wishes(authoritative=True)
    )
    assert "finance" in tenant.truth().memberships["olga@acme.example"]
    assert len(again.results) == 1


def test_an_exported_tenant_needs_nothing_done(desk: Desk) -> None:
    tenant = FakeTenant(
        [
            user("olga", Role.ADMIN),
            user("ana"),
            user("gone", enabled=False),
            user("new", pending=True),
        ],
        [
            group("finance", alias="=Finance & Co"),
            group("all", default=True, description="-everybody"),
        ],
        {"finance": ["ana"], "all": ["olga", "ana", "gone", "new"]},
    )
    folder = desk.folder / "out"
    assert pipeline.export(tenant, folder) == {"users": 4, "groups": 2, "memberships": 5}
    report = desk.run(tenant, folder)
    assert tenant.writes() == []
    assert set(statuses(report).values()) == {"unchanged"}


# ---- laws -------------------------------------------------------------------------------------------------------

emails = st.sampled_from(
    [
        "ana@acme.example",
        "ben@acme.example",
        "Ben@ACME.example ",
        "new@acme.example",
        "x@y",
        "",
        "zoë@acme.example",
    ]
)
roles = st.sampled_from(["", "Member", "guest", "$admin", "Editor"])
names = st.sampled_from(["", "Finance", "finance ", "Marketing", "Nowhere", "Finance; Marketing"])
states = st.sampled_from(["", "active", "terminated", "hired", "on leave", "maybe"])
people = st.lists(st.tuples(emails, roles, names, states), min_size=1, max_size=6)
members = st.lists(
    st.tuples(
        emails,
        st.sampled_from(["Finance", "Marketing", "", "New"]),
        st.sampled_from(["", "remove", "move"]),
    ),
    max_size=5,
)


@given(people, members)
def test_no_row_is_lost_and_twice_is_once(
    tmp_path_factory: pytest.TempPathFactory,
    users: list[tuple[str, ...]],
    memberships: list[tuple[str, ...]],
) -> None:
    desk = Desk(tmp_path_factory.mktemp("law"))
    first, second = desk.folder / "people.csv", desk.folder / "memberships.csv"
    for path, header, rows in (
        (first, ("email", "role", "groups", "status", "no"), users),
        (second, ("email", "group", "action", "no"), memberships),
    ):
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([header, *((*row, str(n)) for n, row in enumerate(rows))])
    tenant, voice = acme(), Quiet()
    limits = Limits(removals=Limit(99), rejected=Limit(99), demotions=Limit(99))
    report = desk.run(tenant, first, second, voice=voice, limits=limits)

    expected = [f"people.csv:{n + 2}" for n in range(len(users))]
    expected += [f"memberships.csv:{n + 2}" for n in range(len(memberships))]
    assert list(statuses(report)) == expected
    assert len(tenant.mails) == len(set(tenant.mails))
    assert voice.proposed[0].calls == tenant.calls
    assert {r.status for r in report.results}.isdisjoint({Status.IN_DOUBT, Status.FAILED})

    sent = len(tenant.writes())
    again = desk.run(tenant, first, second, limits=limits)
    assert len(tenant.writes()) == sent
    assert list(statuses(again)) == expected
    assert all(r.status is not Status.APPLIED for r in again.results)


def test_a_row_with_too_many_cells_comes_back_whole_and_is_no_sounder_fed_back(desk: Desk) -> None:
    tenant = acme()
    sheet = desk.sheet(
        "people.csv", "email,role,groups\nnew@acme.example,Guest,Finance, Marketing\n"
    )
    first = desk.run(tenant, sheet)
    assert first.folder
    assert rows_of(first.folder / "results.csv")[0]["result_surplus"] == " Marketing"
    again = desk.run(tenant, first.folder / "retry" / "people.csv")
    assert again.results[0].code == "row-ragged"
    assert tenant.writes() == []


def test_sheets_that_say_who_is_in_a_group_beside_people_without_groups_are_authoritative(
    desk: Desk,
) -> None:
    """A users table without a groups column says nothing of groups; only a blank cell keeps what is there."""
    people = desk.sheet(
        "people.csv", "email,role\nana@acme.example,Member\nben@acme.example,Guest\n"
    )
    members = desk.sheet("memberships.csv", "email,group\nana@acme.example,Finance\n")
    tenant = acme()
    desk.run(tenant, people, members, wishes=Wishes(authoritative=True))
    assert "ben@acme.example" not in tenant.truth().memberships

    people.write_text(
        "email,role,groups\nana@acme.example,Member,Finance\nben@acme.example,Guest,\n"
    )
    tenant = acme()
    desk.run(tenant, people, wishes=Wishes(authoritative=True))
    assert tenant.truth().memberships["ben@acme.example"] == {"finance"}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("", "was not read"),
        ("email,group\n", "has no rows"),
        ("room,seats\nblue,4\n", "was not read"),
        ("email,group,result_row\nana@acme.example,Finance,x:2\n", "is a report that is fed back"),
    ],
)
def test_nobody_is_missed_where_there_may_be_more_rows(desk: Desk, more: str, why: str) -> None:
    (desk.folder / "all").mkdir()
    desk.sheet("all/a.csv", "email,group\nana@acme.example,Finance\n")
    rest = desk.sheet("all/b.csv", more)
    tenant, wishes = acme(), Wishes(authoritative=True)
    report = desk.run(tenant, rest.parent, wishes=wishes)
    told = [f"{f.source} {f.message}" for f in report.findings if f.code == "nobody-missed"]
    assert told == [f"b.csv {why}, so nobody is taken out of a group for standing on no row"]
    assert "finance" in tenant.truth().memberships["ben@acme.example"]
    assert not [f for f in desk.run(tenant, rest.parent).findings if f.code == "nobody-missed"]

    rest.unlink()
    desk.run(tenant, rest.parent, wishes=wishes)
    assert "ben@acme.example" not in tenant.truth().memberships


def test_what_only_the_tenant_can_tell_stands_at_its_cell_too(desk: Desk) -> None:
    people = desk.sheet(
        "people.csv",
        "Mail,Second E-Mail,Role,Group1,Group2\n"
        "new@acme.example,,Guest,Finance,Finanse\n"
        "other@acme.example,ana@acme.example,Guest,,\n",
    )
    members = desk.sheet("members.csv", "Mail,Team\nstranger@acme.example,Finance\n")
    report = desk.run(acme(), people, members)
    assert [(f.code, f.column, f.value) for f in report.findings if f.row] == [
        ("group-unknown", "Group2", "Finanse"),
        ("email-changed", "Second E-Mail", "ana@acme.example"),
        ("person-unknown", "Mail", "stranger@acme.example"),
    ]


def test_a_domain_at_which_the_tenant_has_people_is_no_slip(desk: Desk) -> None:
    lines = [f"p{n}@acme.example,Guest" for n in range(9)]
    sheet = desk.sheet(
        "people.csv", "\n".join(["email,role", *lines, "ana@acne.example,Guest", "zoe@acne.example,Guest"])
    )  # fmt: skip
    stranger = desk.run(acme(), sheet)
    assert [row.code for row in stranger.results[9:]] == ["domain-doubtful"] * 2
    known = FakeTenant([user("olga", Role.ADMIN), user("ana@acne.example", Role.GUEST)], [], {})
    assert [row.code for row in desk.run(known, sheet).results[9:]] == ["no-change", "done"]


def test_an_accept_that_is_used_up_says_so_and_what_else_to_do(desk: Desk) -> None:
    sheet = desk.sheet("out.csv", "email,group,action\nben@acme.example,Finance,remove\n")
    limits, voice = Limits(removals=Limit(0)), Quiet()
    desk.run(acme(), sheet, voice=voice, limits=limits)
    fingerprint = voice.proposed[0].plan.fingerprint
    assert desk.run(acme(), sheet, limits=limits, accept=fingerprint).error is None
    again = desk.run(acme(), sheet, limits=limits, accept=fingerprint)
    assert "let pass once" in str(again.error)
    assert "--max-removals" in str(again.error)


def test_sound_rows_that_were_not_let_through_are_not_given_back_to_correct(
    desk: Desk, sheets: list[Path]
) -> None:
    report = desk.run(acme(), *sheets, voice=Quiet(agrees=False))
    assert report.folder
    assert [row["result_code"] for row in rows_of(report.folder / "retry" / "people.csv")] == [
        "email-invalid"
    ]


def test_a_retry_file_keeps_its_name(desk: Desk) -> None:
    sheet = desk.sheet("Personal Übersicht 2026.csv", "email,role\nx@y,Member\n")
    report = desk.run(acme(), sheet)
    assert report.folder
    assert [path.name for path in (report.folder / "retry").iterdir()] == [sheet.name]


# ---- what is said beside the tenant only ---------------------------------------------------------------------------


def test_reinviting_an_address_of_no_row_is_refused_before_anything_is_sent(
    desk: Desk, sheets: list[Path]
) -> None:
    tenant = acme()
    job = desk.job(*sheets, permissions=Permissions(reinvite=frozenset({email("carl")})))
    with pytest.raises(UsageError, match=r"--reinvite names carl@acme\.example, and no row"):
        pipeline.run(job, tenant, Quiet())
    assert tenant.writes() == []


def test_reinviting_somebody_of_a_row_is_no_mistake_even_if_the_row_is_rejected(
    desk: Desk, sheets: list[Path]
) -> None:
    known = frozenset({email("carla")})
    job = desk.job(*sheets, permissions=Permissions(reinvite=known))
    assert pipeline.plan(job, acme(), Quiet()).exit_code != 2


def derived(report: Report) -> list[tuple[str, str, str]]:
    found = (f for f in report.findings if f.code == "name-derived")
    return [(str(f.row), f.column, f.message) for f in found]


def test_a_derived_name_is_told_of_new_groups_only(desk: Desk) -> None:
    path = desk.sheet("teams.csv", "Team,Description\nR&D / Ops,new\nWe & You,known\nPlain New,x\n")
    tenant = FakeTenant(groups=[group("we_you", "We & You")])
    told = [("teams.csv:2", "Team", "gets the internal name r_d_ops")]
    assert derived(pipeline.plan(desk.job(path), tenant, Quiet())) == told
    checked = derived(pipeline.validate(desk.job(path), Quiet()))
    assert [row for row, _, _ in checked] == ["teams.csv:2", "teams.csv:3"]
    assert all(message.endswith("if the group is new") for _, _, message in checked)


def test_a_derived_name_is_told_of_a_group_that_only_a_membership_names(desk: Desk) -> None:
    path = desk.sheet("people.csv", "email,role,groups\nana@acme.example,,R&D / Ops\n")
    job = desk.job(path, wishes=Wishes(create_groups=True))
    report = pipeline.plan(job, acme(), Quiet())
    assert derived(report) == [("people.csv:2", "groups", "gets the internal name r_d_ops")]


def test_a_name_that_a_row_gives_is_not_derived(desk: Desk) -> None:
    path = desk.sheet("teams.csv", "group,internal_name\nR&D / Ops,r_d_ops\n")
    assert derived(pipeline.plan(desk.job(path), acme(), Quiet())) == []


class Forgetful(FakeTenant):
    """Takes the state away when a run is over and its report is to come."""

    folder = Path()

    @property
    def waited(self) -> float:  # type: ignore[override]
        for path in self.folder.glob("*/state.db"):
            path.unlink()
        return 0.0

    @waited.setter
    def waited(self, _: float) -> None:
        """Stay as it is."""


def test_a_state_that_is_lost_after_the_report_is_told_in_the_summary(desk: Desk) -> None:
    tenant = Forgetful([user("olga", Role.ADMIN), user("ana")], [group("finance")])
    tenant.folder = desk.folder / "state"
    people = desk.sheet("m.csv", "email,group\nana@acme.example,Finance\n")
    earlier = desk.run(acme(), people)
    report = desk.run(tenant, people, keep_runs=1)
    assert report.folder
    assert earlier.folder
    assert earlier.folder.exists(), "nobody knows what of it is still open"
    told = json.loads((report.folder / "summary.json").read_text())
    assert (report.exit_code, told["exit_code"], told["statuses"]["applied"]) == (74, 74, 1)
    assert "was deleted or replaced" in told["error"]
    assert isinstance(report.error, StorageError)


def test_a_state_that_is_lost_is_told_before_a_signal(desk: Desk) -> None:
    """The report of the one can't be relied on; that of the other would be believed."""
    stop = Stop()

    def lose(_: FakeTenant) -> None:
        stop.ask(signal.SIGTERM)
        (desk.folder / "state" / "acme.example" / "state.db").unlink()

    tenant = acme()
    tenant.faults.append(Fault("do", "write", do=lose))
    sheet = desk.sheet("m.csv", "email,group\nana@acme.example,Marketing\n")
    report = pipeline.run(desk.job(sheet), tenant, Quiet(), stop=stop)
    assert (report.exit_code, type(report.error)) == (74, StorageError)


def test_a_state_that_is_lost_on_the_way_is_told_in_the_summary(desk: Desk) -> None:
    def lose(_: FakeTenant) -> None:
        (desk.folder / "state" / "acme.example" / "state.db").unlink()

    tenant = acme()
    tenant.faults.append(Fault("do", "write", do=lose))
    report = desk.run(tenant, desk.sheet("m.csv", "email,group\nana@acme.example,Marketing\n"))
    assert report.folder
    told = json.loads((report.folder / "summary.json").read_text())
    assert (report.exit_code, told["exit_code"]) == (74, 74)
    assert "results.csv" in told["files"]
