"""Rows, findings, plan and outcomes in; a result for every row, totals and the exit code out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from builders import email, group, row, user
from hypothesis import given
from hypothesis import strategies as st

from onboarding.codes import CODES
from onboarding.errors import (
    Interrupted,
    NotSent,
    OnboardingError,
    StorageError,
    TooManyRejected,
    TryLater,
    UnsafePlan,
)
from onboarding.model import Finding, GroupName, Membership, Role, RowRef, Severity
from onboarding.plan import Action, Cause, Change, Outcome, Plan, Settled, Status
from onboarding.report import (
    RESULT_COLUMNS,
    Deed,
    Reason,
    RowResult,
    Totals,
    deeds,
    exit_code,
    manual_work,
    not_compared,
    results,
    totals,
)

TENANT = "acme.example"
LABELS = {GroupName("finance"): "Finance", GroupName("ops"): "Ops", GroupName("legal"): "Legal"}


def invite(name: str, *rows: RowRef, role: Role = Role.MEMBER) -> Change:
    return Change(None, user(name, role, id="", username=""), rows)


def grant(name: str, to: str, *rows: RowRef) -> Change:
    return Change(None, Membership(email(name), GroupName(to)), rows)


def revoke(name: str, of: str, *rows: RowRef, cause: Cause = Cause.ASKED) -> Change:
    return Change(Membership(email(name), GroupName(of)), None, rows, cause)


def finding(code: str, message: str, at: RowRef | None, **facts: object) -> Finding:
    return Finding(code, message, at, **facts)  # type: ignore[arg-type]


def one(
    *changes: Change,
    settled: Iterable[Settled] = (),
    outcomes: Mapping[str, Outcome] | None = None,
    findings: Iterable[Finding] = (),
) -> RowResult:
    """Give the result of a job with the single row 2."""
    plan = Plan(TENANT, changes, tuple(settled))
    (only,) = results([row(2)], findings, plan, outcomes, LABELS)
    return only


def done(*changes: Change, **facts: object) -> dict[str, Outcome]:
    return {change.key: Outcome(Status.APPLIED, **facts) for change in changes}  # type: ignore[arg-type]


# ---- one row ----------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_be_done() -> None:
    assert one(invite("ana", row(2)), grant("ana", "finance", row(2))) == RowResult(
        row(2),
        Status.PLANNED,
        "planned",
        "This would be done",
        CODES["planned"].fix,
        "would be invited as Member; would be added to Finance",
    )


def test_an_applied_row_is_a_success_and_needs_nothing() -> None:
    changes = (invite("ana", row(2)), grant("ana", "finance", row(2)), grant("ana", "ops", row(2)))
    result = one(*changes, outcomes=done(*changes))
    assert (result.result, result.code, result.fix) == ("success", "done", "")
    assert result.message == "Done, and seen in the tenant"
    assert result.actions == "invited as Member; added to Finance, Ops"


def test_a_row_has_the_worst_of_its_statuses_and_its_actions_tell_them_apart() -> None:
    changes = (invite("ana", row(2)), grant("ana", "finance", row(2)), grant("ana", "ops", row(2)))
    outcomes = done(*changes) | {
        changes[1].key: Outcome(Status.FAILED, "refused", 'the tenant says "no such group"')
    }
    result = one(*changes, outcomes=outcomes)
    assert result.status is Status.FAILED
    assert result.message == 'the tenant says "no such group"'
    assert result.actions == "invited as Member; not added to Finance; added to Ops"


def test_a_rejected_row_tells_all_that_is_wrong_with_it_once() -> None:
    wrong = [
        finding("email-invalid", "is no address", row(2), column="Mail", value="bob@acme"),
        finding("role-unknown", "is no role", row(2), column="Role", value="Boss", fix="Write it."),
        finding("role-unknown", "is no role", row(2), column="Role", value="Boss", fix="Write it."),
    ]
    assert one(findings=wrong) == RowResult(
        row(2),
        Status.REJECTED,
        "email-invalid; role-unknown",
        'Mail "bob@acme" is no address; Role "Boss" is no role',
        f"{CODES['email-invalid'].fix} Write it.",
        "",
    )


def test_notes_follow_the_message_and_never_change_the_status() -> None:
    note = finding("on-leave", '"on leave" counts as active', row(2), severity=Severity.NOTE)
    change = invite("ana", row(2))
    result = one(change, outcomes=done(change), findings=[note])
    assert (result.status, result.code) == (Status.APPLIED, "done")
    assert result.message == 'Done, and seen in the tenant; note: "on leave" counts as active'


def test_a_note_on_a_rejected_row_is_kept() -> None:
    said = [
        finding("email-cleaned", "a blank was taken off", row(2), severity=Severity.NOTE),
        finding("email-invalid", "is no address", row(2)),
    ]
    assert one(findings=said).message == "is no address; note: a blank was taken off"


def test_all_that_needs_work_is_told_the_worst_first() -> None:
    leaver = Settled(Status.MANUAL, "deactivate", "Ana has left", (row(2),))
    held = Settled(Status.SKIPPED, "held", "held by users.csv:9", (row(2),))
    result = one(settled=[leaver, held])
    assert (result.status, result.code) == (Status.SKIPPED, "held; deactivate")
    assert result.message == "held by users.csv:9; Ana has left"
    assert result.fix == f"{CODES['held'].fix} {CODES['deactivate'].fix}"


def test_what_depends_on_something_worse_in_the_row_is_not_told_twice() -> None:
    changes = (invite("ana", row(2)), grant("ana", "finance", row(2)))
    outcomes = {
        changes[0].key: Outcome(Status.FAILED, "refused", "seat limit"),
        changes[1].key: Outcome(Status.SKIPPED, "dependency", "not tried: seat limit"),
    }
    result = one(*changes, outcomes=outcomes)
    assert (result.code, result.message) == ("refused", "seat limit")
    assert result.actions == "not invited as Member; not added to Finance"


def test_success_is_told_by_the_worse_success_only() -> None:
    change = grant("ana", "finance", row(2))
    same = Settled(Status.UNCHANGED, "no-change", "", (row(2),))
    result = one(change, settled=[same], outcomes=done(change))
    assert (result.status, result.code) == (Status.APPLIED, "done")


def test_an_entry_without_words_has_those_of_its_code() -> None:
    result = one(settled=[Settled(Status.UNCHANGED, "no-change", "", (row(2),))])
    assert result.message == CODES["no-change"].meaning.rstrip(".")


def test_what_a_person_must_do_stands_among_the_actions() -> None:
    change = revoke("ana", "finance", row(2), cause=Cause.LEAVER)
    left = Settled(Status.MANUAL, "deactivate", "Ana has left", (row(2),))
    result = one(change, settled=[left], outcomes=done(change))
    assert (result.result, result.actions) == (
        "manual",
        "removed from Finance; to be deactivated by hand",
    )


def test_what_was_set_aside_stands_among_the_actions_too() -> None:
    change = invite("ana", row(2))
    plan = Plan(TENANT, (change,)).set_aside([change], Status.SKIPPED, "invitations-off", "off")
    (result,) = results([row(2)], [], plan, {}, LABELS)
    assert (result.code, result.actions) == ("invitations-off", "not invited as Member")


def test_a_row_that_no_room_spoke_of_is_our_bug_and_says_so() -> None:
    result = one(outcomes={})
    assert (result.result, result.code) == ("error", "unaccounted")
    assert exit_code([result], []) == 70


def test_a_change_without_an_outcome_is_our_bug_and_says_so() -> None:
    assert one(invite("ana", row(2)), outcomes={}).code == "unaccounted"


def test_without_a_tenant_a_row_is_rejected_or_not_compared() -> None:
    wrong = finding("email-invalid", "is no address", row(3))
    first, second = not_compared([row(2), row(3)], [wrong])
    assert (first.result, first.code, first.actions) == ("planned", "not-compared", "")
    assert (second.result, second.code) == ("error", "email-invalid")


def test_the_cells_of_a_result_stand_under_its_columns() -> None:
    cells = one(settled=[Settled(Status.UNCHANGED, "no-change", "as asked", (row(2),))]).cells
    assert dict(zip(RESULT_COLUMNS, cells, strict=True)) == {
        "result": "success",
        "result_status": "unchanged",
        "result_code": "no-change",
        "result_message": "as asked",
        "result_fix": "",
        "result_actions": "",
        "result_row": "users.csv:2",
    }


def test_codes_are_joined_and_taken_apart() -> None:
    result = RowResult(row(2), Status.REJECTED, "a; b", "", "", "")
    assert result.codes == ("a", "b")


# ---- law: no row is lost ----------------------------------------------------------------------------------------

ROWS = st.lists(
    st.builds(row, st.integers(2, 30), st.just("users.csv"), st.integers(0, 2)),
    unique=True,
    max_size=25,
)
OUTCOMES = st.builds(
    Outcome, st.sampled_from(Status), st.sampled_from(sorted(CODES)), st.text(max_size=8)
)


@given(rows=ROWS, data=st.data())
def test_no_row_is_lost_each_comes_once_and_in_order(
    rows: list[RowRef], data: st.DataObject
) -> None:
    some = st.lists(st.sampled_from(rows), max_size=6).map(tuple) if rows else st.just(())
    names = data.draw(st.lists(st.sampled_from("abcdef"), unique=True))
    changes = [invite(name, *data.draw(some)) for name in names]
    changes += [grant(name, "finance", *data.draw(some)) for name in names]
    settled = [
        Settled(status, "held", "", data.draw(some))
        for status in data.draw(st.lists(st.sampled_from(Status), max_size=4))
    ]
    severities = data.draw(st.lists(st.sampled_from(Severity), max_size=6))
    at = st.one_of(st.none(), st.sampled_from(rows)) if rows else st.none()
    findings = [finding("row-ragged", "x", data.draw(at), severity=s) for s in severities]
    outcomes = {change.key: data.draw(OUTCOMES) for change in changes}
    plan = Plan(TENANT, tuple(changes), tuple(settled))

    for judged in (
        results(rows, findings, plan, outcomes, LABELS),
        results(rows, findings, plan, None, LABELS),
        not_compared(rows, findings),
    ):
        assert [result.row for result in judged] == rows
        rejected = {f.row for f in findings if f.severity is Severity.REJECT}
        for result in judged:
            assert (result.status is Status.REJECTED) or result.row not in rejected
            assert result.code
            assert result.message

    worst = {
        ref: min(
            (d.outcome.status for d in deeds(plan, outcomes) if ref in d.rows),
            key=lambda status: status.severity,
            default=None,
        )
        for ref in rows
    }
    for result in results(rows, [], plan, outcomes, LABELS):
        assert result.status is (worst[result.row] or Status.FAILED)


# ---- totals -----------------------------------------------------------------------------------------------------


def judged(number: int, status: Status, code: str) -> RowResult:
    return RowResult(row(number), status, code, "", "", "")


def test_totals_count_rows_changes_and_reasons() -> None:
    rows = [
        judged(2, Status.APPLIED, "done"),
        judged(3, Status.REJECTED, "email-invalid; role-unknown"),
        judged(4, Status.REJECTED, "role-unknown"),
        judged(5, Status.MANUAL, "deactivate"),
    ]
    changes = (invite("ana"), invite("bob"), grant("ana", "finance"))
    outcomes = done(*changes) | {changes[1].key: Outcome(Status.IN_DOUBT, "in-doubt")}
    aside = Settled(Status.SKIPPED, "last-admin", "", (), grant("eve", "ops"))
    plan = Plan(TENANT, changes, (aside,))
    nobody = dict.fromkeys(Status, 0)
    assert totals(rows, deeds(plan, outcomes)) == Totals(
        4,
        {"success": 1, "error": 2, "manual": 1, "planned": 0},
        nobody | {Status.APPLIED: 1, Status.REJECTED: 2, Status.MANUAL: 1},
        {
            Action.INVITE: {Status.APPLIED: 1, Status.IN_DOUBT: 1},
            Action.GRANT: {Status.APPLIED: 1, Status.SKIPPED: 1},
        },
        (
            Reason("role-unknown", 2, row(3)),
            Reason("deactivate", 1, row(5)),
            Reason("email-invalid", 1, row(3)),
        ),
        1,
    )


def test_an_invitation_that_an_earlier_run_sent_is_not_counted_as_ours() -> None:
    earlier = Settled(Status.APPLIED, "earlier-run", "", (row(2),), invite("ana", row(2)))
    assert totals([], deeds(Plan(TENANT, (), (earlier,)), {})).invited == 0


# ---- exit code --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        pytest.param({}, 0, id="no rows"),
        pytest.param({Status.APPLIED: "done", Status.UNCHANGED: "no-change"}, 0, id="all well"),
        pytest.param({Status.PLANNED: "planned"}, 0, id="a plan with changes"),
        pytest.param({Status.APPLIED: "done", Status.REJECTED: "email-invalid"}, 1, id="rejected"),
        pytest.param({Status.FAILED: "refused"}, 1, id="failed"),
        pytest.param({Status.SKIPPED: "held"}, 1, id="skipped"),
        pytest.param({Status.IN_DOUBT: "in-doubt", Status.APPLIED: "done"}, 75, id="only doubt"),
        pytest.param(
            {Status.IN_DOUBT: "in-doubt", Status.SKIPPED: "dependency"}, 75, id="doubt and its kin"
        ),
        pytest.param({Status.IN_DOUBT: "in-doubt", Status.SKIPPED: "held"}, 1, id="doubt and held"),
        pytest.param(
            {Status.IN_DOUBT: "in-doubt", Status.REJECTED: "email-invalid"}, 1, id="1 before 75"
        ),
        pytest.param({Status.SKIPPED: "dependency"}, 1, id="depends on what is no doubt"),
    ],
)
def test_the_exit_code_follows_from_the_rows(statuses: Mapping[Status, str], code: int) -> None:
    rows = [judged(n, status, word) for n, (status, word) in enumerate(statuses.items(), 2)]
    assert exit_code(rows, []) == code


@pytest.mark.parametrize(
    ("stopped", "status", "word", "code"),
    [
        pytest.param(Interrupted(2), Status.FAILED, "refused", 130, id="SIGINT before all"),
        pytest.param(Interrupted(15), Status.SKIPPED, "interrupted", 143, id="SIGTERM"),
        pytest.param(KeyboardInterrupt(), Status.APPLIED, "done", 130, id="bare Ctrl-C"),
        pytest.param(StorageError("full"), Status.FAILED, "refused", 74, id="disk full"),
        pytest.param(StorageError("full"), Status.FAILED, "unaccounted", 74, id="74 before 70"),
        pytest.param(OnboardingError("?"), Status.FAILED, "refused", 70, id="our bug"),
        pytest.param(ZeroDivisionError(), Status.APPLIED, "done", 70, id="anybody's bug"),
        pytest.param(NotSent("gone"), Status.SKIPPED, "not-sent", 4, id="4 before 1"),
        pytest.param(NotSent("gone"), Status.FAILED, "unaccounted", 70, id="70 before 4"),
        pytest.param(UnsafePlan("50"), Status.SKIPPED, "over-limit", 5, id="a limit"),
        pytest.param(TooManyRejected("9"), Status.REJECTED, "email-invalid", 3, id="rejections"),
        pytest.param(TryLater("wait"), Status.SKIPPED, "interrupted", 75, id="asked to wait"),
        pytest.param(TryLater("wait"), Status.REJECTED, "email-invalid", 1, id="and a bad row"),
        pytest.param(TryLater("wait"), Status.SKIPPED, "held", 1, id="and a held row"),
    ],
)
def test_what_stopped_the_run_has_its_precedence(
    stopped: BaseException, status: Status, word: str, code: int
) -> None:
    assert exit_code([judged(2, status, word)], [], stopped=stopped) == code


def test_a_failure_that_no_row_shows_is_no_success() -> None:
    """A removal by absence has no row of its own; a doubt hides a refusal in the same row."""
    absent = revoke("eve", "finance", cause=Cause.ABSENT)
    refused = Deed(Outcome(Status.FAILED, "refused"), (), absent)
    skipped = Deed(Outcome(Status.SKIPPED, "last-admin"), (), absent)
    doubt = Deed(Outcome(Status.IN_DOUBT, "in-doubt"), (), absent)
    assert [exit_code([], [deed]) for deed in (refused, skipped, doubt)] == [1, 1, 75]
    assert exit_code([judged(2, Status.IN_DOUBT, "in-doubt")], [refused, doubt]) == 1


def test_manual_work_counts_until_it_was_reported_once() -> None:
    left = Deed(Outcome(Status.MANUAL, "deactivate", "ana@acme.example has left"), (row(2),))
    by_hand = Deed(Outcome(Status.MANUAL, "invite-by-hand"), (row(3),), invite("bob", row(3)))
    rows = [judged(2, Status.MANUAL, "deactivate"), judged(3, Status.MANUAL, "invite-by-hand")]
    known = manual_work([left, by_hand])
    assert known == {
        "deactivate ana@acme.example has left",
        "invite-by-hand invite bob@acme.example",
    }
    assert exit_code(rows, [left, by_hand]) == 1
    assert exit_code(rows, [left, by_hand], known_manual=manual_work([left])) == 1
    assert exit_code(rows, [left, by_hand], known_manual=known) == 0


def test_manual_work_is_known_again_when_its_row_has_moved() -> None:
    outcome = Outcome(Status.MANUAL, "deactivate", "ana@acme.example has left")
    assert manual_work([Deed(outcome, (row(2),))]) == manual_work([Deed(outcome, (row(9),))])


def test_deeds_are_the_whole_plan_with_what_became_of_it() -> None:
    change, gone = invite("ana", row(2)), grant("eve", "ops", row(4))
    same = Settled(Status.UNCHANGED, "no-change", "", (row(3),))
    aside = Settled(Status.SKIPPED, "held", "by row 9", (row(4),), gone)
    plan = Plan(TENANT, (change,), (same, aside))
    outcome = Outcome(Status.APPLIED)
    assert deeds(plan, {change.key: outcome}) == (
        Deed(outcome, (row(2),), change),
        Deed(Outcome(Status.UNCHANGED, "no-change", attempts=0), (row(3),)),
        Deed(Outcome(Status.SKIPPED, "held", "by row 9", attempts=0), (row(4),), gone),
    )


def test_a_group_that_rows_create_is_told_on_each_of_them() -> None:
    made = Change(None, group("ops"), (row(2), row(3)))
    plan = Plan(TENANT, (made,))
    assert [r.actions for r in results([row(2), row(3)], [], plan, done(made), LABELS)] == [
        "group Ops created",
        "group Ops created",
    ]
