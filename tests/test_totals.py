"""What became of rows and changes in; totals and the exit code out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from builders import fates_of, row
from changes import grant, invite, revoke

from onboarding.errors import (
    Interrupted,
    NotSent,
    OnboardingError,
    StorageError,
    TooManyRejected,
    TryLater,
    UnsafePlan,
)
from onboarding.plan import Action, Cause, Change, Outcome, Plan, Settled, Status
from onboarding.report import NO_DEEDS, Deed, Deeds, RowResult, results
from onboarding.totals import Reason, Totals, exit_code, manual_work, totals

TENANT = "acme.example"


def done(*changes: Change, **facts: object) -> dict[str, Outcome]:
    return {change.key: Outcome(Status.APPLIED, **facts) for change in changes}  # type: ignore[arg-type]


def judged(number: int, status: Status, code: str) -> RowResult:
    return RowResult(status, code, "", "", "", row(number))


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
    assert totals(fates_of(rows), Deeds(plan, outcomes)) == Totals(
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
    assert totals({}, Deeds(Plan(TENANT, (), (earlier,)), {})).invited == 0


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
    assert exit_code(fates_of(rows), []) == code


def test_a_row_that_no_room_spoke_of_is_our_bug() -> None:
    assert exit_code(results([row(2)], [], NO_DEEDS, {}).fates(), []) == 70


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
        pytest.param(TryLater("wait"), Status.SKIPPED, "throttled", 75, id="told to wait"),
        pytest.param(TryLater("wait"), Status.SKIPPED, "not-sent", 75, id="then out of reach"),
        pytest.param(TryLater("wait"), Status.SKIPPED, "dependency", 75, id="waits for what waits"),
        pytest.param(TryLater("wait"), Status.REJECTED, "email-invalid", 1, id="and a bad row"),
        pytest.param(TryLater("wait"), Status.SKIPPED, "held", 1, id="and a held row"),
    ],
)
def test_what_stopped_the_run_has_its_precedence(
    stopped: BaseException, status: Status, word: str, code: int
) -> None:
    assert exit_code(fates_of([judged(2, status, word)]), [], stopped=stopped) == code


def test_a_failure_that_no_row_shows_is_no_success() -> None:
    """A removal by absence has no row of its own; a doubt hides a refusal in the same row."""
    absent = revoke("eve", "finance", cause=Cause.ABSENT)
    refused = Deed(Outcome(Status.FAILED, "refused"), (), absent)
    skipped = Deed(Outcome(Status.SKIPPED, "last-admin"), (), absent)
    doubt = Deed(Outcome(Status.IN_DOUBT, "in-doubt"), (), absent)
    assert [exit_code({}, [deed]) for deed in (refused, skipped, doubt)] == [1, 1, 75]
    assert exit_code(fates_of([judged(2, Status.IN_DOUBT, "in-doubt")]), [refused, doubt]) == 1


def test_manual_work_counts_until_it_was_reported_once() -> None:
    left = Deed(Outcome(Status.MANUAL, "deactivate", "ana@acme.example has left"), (row(2),))
    by_hand = Deed(Outcome(Status.MANUAL, "invite-by-hand"), (row(3),), invite("bob", row(3)))
    rows = [judged(2, Status.MANUAL, "deactivate"), judged(3, Status.MANUAL, "invite-by-hand")]
    known = manual_work([left, by_hand])
    assert known == {
        "deactivate ana@acme.example has left",
        "invite-by-hand invite bob@acme.example",
    }
    assert exit_code(fates_of(rows), [left, by_hand]) == 1
    assert exit_code(fates_of(rows), [left, by_hand], known_manual=manual_work([left])) == 1
    assert exit_code(fates_of(rows), [left, by_hand], known_manual=known) == 0


def test_manual_work_is_known_again_when_its_row_has_moved() -> None:
    outcome = Outcome(Status.MANUAL, "deactivate", "ana@acme.example has left")
    assert manual_work([Deed(outcome, (row(2),))]) == manual_work([Deed(outcome, (row(9),))])
