"""Rows, findings, plan and outcomes in; a result for every row out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from builders import fates_of, group, row
from changes import grant, invite, revoke
from hypothesis import given
from hypothesis import strategies as st

from onboarding.codes import CODES
from onboarding.model import Finding, GroupName, RowRef, Severity
from onboarding.plan import Cause, Change, Outcome, Plan, Settled, Status
from onboarding.report import RESULT_COLUMNS, Deed, Deeds, RowResult, not_compared, results

TENANT = "acme.example"
LABELS = {GroupName("finance"): "Finance", GroupName("ops"): "Ops", GroupName("legal"): "Legal"}


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
    (only,) = results([row(2)], findings, Deeds(plan, outcomes), LABELS)
    return only


def done(*changes: Change, **facts: object) -> dict[str, Outcome]:
    return {change.key: Outcome(Status.APPLIED, **facts) for change in changes}  # type: ignore[arg-type]


# ---- one row ----------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_be_done() -> None:
    assert one(invite("ana", row(2)), grant("ana", "finance", row(2))) == RowResult(
        Status.PLANNED,
        "planned",
        "This would be done",
        CODES["planned"].fix,
        "would be invited as Member; would be added to Finance",
        row(2),
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
        Status.REJECTED,
        "email-invalid; role-unknown",
        'Mail "bob@acme" is no address; Role "Boss" is no role',
        f"{CODES['email-invalid'].fix} Write it.",
        "",
        row(2),
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
    (result,) = results([row(2)], [], Deeds(plan, {}), LABELS)
    assert (result.code, result.actions) == ("invitations-off", "not invited as Member")


def test_a_row_that_no_room_spoke_of_is_our_bug_and_says_so() -> None:
    result = one(outcomes={})
    assert (result.result, result.code) == ("error", "unaccounted")


def test_a_change_without_an_outcome_is_our_bug_and_says_so() -> None:
    assert one(invite("ana", row(2)), outcomes={}).code == "unaccounted"


def test_without_a_tenant_a_row_is_rejected_or_not_compared() -> None:
    wrong = finding("email-invalid", "is no address", row(3))
    first, second = not_compared([row(2), row(3)], [wrong])
    assert (first.result, first.code, first.actions) == ("planned", "not-compared", "")
    assert (second.result, second.code) == ("error", "email-invalid")


def test_rows_are_counted_by_their_fate_with_the_first_of_them() -> None:
    rows = [row(number) for number in (2, 3, 4, 5)]
    wrong = [finding("email-invalid", "is no address", row(number)) for number in (5, 3)]
    judged = not_compared(rows, wrong)
    assert judged.fates() == fates_of(judged)
    assert [result.code for result in judged[1:3]] == ["email-invalid", "not-compared"]
    assert judged[-1] == next(iter(judged[3:]))


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
    result = RowResult(Status.REJECTED, "a; b", "", "", "", row(2))
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
        results(rows, findings, Deeds(plan, outcomes), LABELS),
        results(rows, findings, Deeds(plan, None), LABELS),
        not_compared(rows, findings),
    ):
        assert [result.row for result in judged] == rows
        counted = {fate: share.rows for fate, share in judged.fates().items()}
        assert counted == {fate: share.rows for fate, share in fates_of(judged).items()}
        rejected = {f.row for f in findings if f.severity is Severity.REJECT}
        for result in judged:
            assert (result.status is Status.REJECTED) or result.row not in rejected
            assert result.code
            assert result.message

    worst = {
        ref: min(
            (d.outcome.status for d in Deeds(plan, outcomes) if ref in d.rows),
            key=lambda status: status.severity,
            default=None,
        )
        for ref in rows
    }
    for result in results(rows, [], Deeds(plan, outcomes), LABELS):
        assert result.status is (worst[result.row] or Status.FAILED)


# ---- deeds -----------------------------------------------------------------------------------------------------


def test_words_that_say_nothing_are_none() -> None:
    deed = Deed(Outcome(Status.FAILED, "refused", " . "), (row(2),))
    assert deed.words == CODES["refused"].meaning


def test_deeds_are_the_whole_plan_with_what_became_of_it() -> None:
    change, gone = invite("ana", row(2)), grant("eve", "ops", row(4))
    same = Settled(Status.UNCHANGED, "no-change", "", (row(3),))
    aside = Settled(Status.SKIPPED, "held", "by row 9", (row(4),), gone)
    plan = Plan(TENANT, (change,), (same, aside))
    outcome = Outcome(Status.APPLIED)
    assert tuple(Deeds(plan, {change.key: outcome})) == (
        Deed(outcome, (row(2),), change),
        Deed(Outcome(Status.UNCHANGED, "no-change", attempts=0), (row(3),)),
        Deed(Outcome(Status.SKIPPED, "held", "by row 9", attempts=0), (row(4),), gone),
    )


def test_a_group_that_rows_create_is_told_on_each_of_them() -> None:
    made = Change(None, group("ops"), (row(2), row(3)))
    plan = Plan(TENANT, (made,))
    assert [r.actions for r in results([row(2), row(3)], [], Deeds(plan, done(made)), LABELS)] == [
        "group Ops created",
        "group Ops created",
    ]
