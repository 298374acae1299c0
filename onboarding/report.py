"""Rows, findings, plan and outcomes in; one result per input row, the totals and the exit code out.

No row is lost: each comes back once, in input order, with the worst of what concerns it and with all of it in words.
``deeds`` is the plan seen from its end: every change, and everything settled without one, beside what became of it.
"""

from __future__ import annotations

import signal
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from onboarding.errors import Interrupted, OnboardingError, TryLater
from onboarding.model import Finding, GroupName, RowRef, Severity
from onboarding.plan import Action, Change, Outcome, Plan, Status
from onboarding.words import fix, in_words, meaning, said, title

RESULT_COLUMNS = (
    "result",
    "result_status",
    "result_code",
    "result_message",
    "result_fix",
    "result_actions",
    "result_row",
)
"""The columns that a report adds to an input row, in this order (``RowResult.cells``)."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that the plan says, and what became of it."""

    outcome: Outcome
    rows: tuple[RowRef, ...]
    change: Change | None = None
    """None where rows were settled without a change."""

    @property
    def words(self) -> str:
        """What became of it; never empty."""
        return self.outcome.message or meaning(self.outcome.code)


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one input row."""

    row: RowRef
    status: Status
    code: str
    """One code, or several with ``; `` between them, the worst first."""
    message: str
    fix: str
    """What to do, for somebody who is no programmer; empty where nothing is to be done."""
    actions: str
    """``invited as Member; added to Finance``"""

    @property
    def result(self) -> str:
        """One word for the reader: ``success``, ``error``, ``manual`` or ``planned``."""
        return self.status.result

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes, taken apart."""
        return tuple(self.code.split("; "))

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's cells under ``RESULT_COLUMNS``."""
        return (
            self.result,
            self.status.value,
            self.code,
            self.message,
            self.fix,
            self.actions,
            str(self.row),
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows need work: a code, how many rows have it, and the first of them."""

    code: str
    rows: int
    first: RowRef

    @property
    def title(self) -> str:
        """What happened, in a few words."""
        return title(self.code)

    @property
    def meaning(self) -> str:
        """What happened, in a sentence."""
        return meaning(self.code)

    @property
    def fix(self) -> str:
        """What to do; empty where nothing is to be done."""
        return fix(self.code)


@dataclass(frozen=True, slots=True)
class Totals:
    """How it went, in numbers."""

    rows: int
    by_result: Mapping[str, int]
    """All four words, zeros too."""
    by_status: Mapping[Status, int]
    """Rows; all eight, zeros too."""
    by_action: Mapping[Action, Mapping[Status, int]]
    """Changes; only what occurs. A change that was set aside counts under its status."""
    reasons: tuple[Reason, ...]
    """Why rows are ``error`` or ``manual``, the commonest first."""
    invited: int
    """Invitations that this run sent and saw in the tenant."""


UNACCOUNTED = Outcome(Status.FAILED, "unaccounted")
"""For a row or change that no room has said anything about. There is none, unless we have a bug."""

NOT_COMPARED = Outcome(Status.PLANNED, "not-compared")


def deeds(plan: Plan, outcomes: Mapping[str, Outcome] | None) -> tuple[Deed, ...]:
    """Give every change and every settled entry of the plan with its outcome; ``None`` for a dry run."""
    planned = Outcome(Status.PLANNED, "planned")
    done = [
        Deed(
            planned if outcomes is None else outcomes.get(change.key, UNACCOUNTED),
            change.rows,
            change,
        )
        for change in plan.changes
    ]
    settled = [
        Deed(Outcome(entry.status, entry.code, entry.message, attempts=0), entry.rows, entry.change)
        for entry in plan.settled
    ]
    return (*done, *settled)


def results(
    rows: Sequence[RowRef],
    findings: Iterable[Finding],
    plan: Plan,
    outcomes: Mapping[str, Outcome] | None,
    labels: Mapping[GroupName, str],
) -> tuple[RowResult, ...]:
    """Give each row's result, in the order of ``rows``; outcomes ``None``: what would be done."""
    return _results(rows, findings, deeds(plan, outcomes), labels, otherwise=UNACCOUNTED)


def not_compared(rows: Sequence[RowRef], findings: Iterable[Finding]) -> tuple[RowResult, ...]:
    """Give each row's result where no tenant was asked: rejected, or valid and not compared."""
    return _results(rows, findings, (), {}, otherwise=NOT_COMPARED)


def _results(
    rows: Sequence[RowRef],
    findings: Iterable[Finding],
    done: Iterable[Deed],
    labels: Mapping[GroupName, str],
    *,
    otherwise: Outcome,
) -> tuple[RowResult, ...]:
    rejections: dict[RowRef, list[Finding]] = defaultdict(list)
    notes: dict[RowRef, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.row is not None:
            kind = rejections if finding.severity is Severity.REJECT else notes
            kind[finding.row].append(finding)
    concerned: dict[RowRef, list[Deed]] = defaultdict(list)
    for deed in done:
        for row in set(deed.rows):
            concerned[row].append(deed)
    return tuple(
        _result(
            row,
            rejections.get(row, ()),
            notes.get(row, ()),
            concerned.get(row, ()),
            labels,
            otherwise,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class _Verdict:
    status: Status
    code: str
    message: str
    fix: str


def _result(
    row: RowRef,
    rejections: Sequence[Finding],
    notes: Sequence[Finding],
    concerned: Sequence[Deed],
    labels: Mapping[GroupName, str],
    otherwise: Outcome,
) -> RowResult:
    verdicts = [
        _Verdict(Status.REJECTED, f.code, said(f), f.fix or fix(f.code)) for f in rejections
    ]
    verdicts += [
        _Verdict(deed.outcome.status, deed.outcome.code, deed.words, fix(deed.outcome.code))
        for deed in concerned or (() if rejections else (Deed(otherwise, (row,)),))
    ]
    told = _told(verdicts)
    messages = [*(v.message for v in told), *(f"note: {said(note)}" for note in notes)]
    return RowResult(
        row,
        told[0].status,
        "; ".join(_once(v.code for v in told)),
        "; ".join(_once(message.rstrip(". ") for message in messages)),
        " ".join(_once(v.fix for v in told)),
        _actions(concerned, labels),
    )


def _told(verdicts: Sequence[_Verdict]) -> list[_Verdict]:
    """Choose what the reader is told, the worst first: all that needs work, else what is worst.

    What merely depends on something worse in the same row would only repeat it.
    """
    worst_first = sorted(verdicts, key=lambda verdict: _SEVERITY[verdict.status])
    worst = worst_first[0]
    if worst.status.result not in NEEDS_WORK:
        return [verdict for verdict in worst_first if verdict.status is worst.status]
    return [
        verdict
        for verdict in worst_first
        if verdict.status is worst.status
        or (verdict.status.result in NEEDS_WORK and verdict.code != "dependency")
    ]


NEEDS_WORK = frozenset({"error", "manual"})
_SEVERITY = {status: status.severity for status in Status}


def _once(texts: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(text for text in texts if text)


def _actions(concerned: Iterable[Deed], labels: Mapping[GroupName, str]) -> str:
    """Tell what was done and what a person has to do."""
    concerned = tuple(concerned)
    changed = in_words(((d.change, d.outcome.status) for d in concerned if d.change), labels)
    by_hand = (_BY_HAND.get(deed.outcome.code, "") for deed in concerned if not deed.change)
    return "; ".join(_once([changed, *by_hand]))


_BY_HAND = {"deactivate": "to be deactivated by hand", "reactivate": "to be enabled by hand"}


# ---- totals and exit code -------------------------------------------------------------------------------------


def totals(rows: Sequence[RowResult], done: Iterable[Deed]) -> Totals:
    """Count the rows by result, status and reason, and the changes by action and status."""
    done = tuple(done)
    statuses = Counter(row.status for row in rows)
    actions: dict[Action, Counter[Status]] = defaultdict(Counter)
    for deed in done:
        if deed.change:
            actions[deed.change.action][deed.outcome.status] += 1
    words = Counter(row.result for row in rows)
    return Totals(
        len(rows),
        {word: words[word] for word in ("success", "error", "manual", "planned")},
        {status: statuses[status] for status in Status},
        {action: dict(actions[action]) for action in Action if action in actions},
        _reasons(rows),
        sum(map(_sent_invitation, done)),
    )


def _reasons(rows: Iterable[RowResult]) -> tuple[Reason, ...]:
    counts: Counter[str] = Counter()
    first: dict[str, RowRef] = {}
    for row in rows:
        if row.result in NEEDS_WORK:
            for code in row.codes:
                counts[code] += 1
                first.setdefault(code, row.row)
    ranked = sorted(counts, key=lambda code: (-counts[code], code))
    return tuple(Reason(code, counts[code], first[code]) for code in ranked)


def _sent_invitation(deed: Deed) -> bool:
    return (
        deed.change is not None
        and deed.change.action is Action.INVITE
        and deed.outcome.status is Status.APPLIED
        and deed.outcome.code != "earlier-run"
    )


def manual_work(done: Iterable[Deed]) -> frozenset[str]:
    """Name what a person has to do, the same in every run until it is done, whatever its rows are."""
    return frozenset(
        f"{deed.outcome.code} {deed.change.key if deed.change else deed.words}"
        for deed in done
        if deed.outcome.status is Status.MANUAL
    )


def exit_code(
    rows: Iterable[RowResult],
    done: Iterable[Deed],
    *,
    known_manual: Collection[str] = frozenset(),
    stopped: BaseException | None = None,
) -> int:
    """Give the exit code of a run; if several fit: signals, 74, 70, 4, (2, 3, 5), 1, 75, 0.

    ``known_manual`` is what earlier runs have reported (``manual_work``). Rows that merely wait are no 1: behind a
    tenant that asks for patience those that were not tried, and behind a doubt what depends on it.
    """
    rows, done = tuple(rows), tuple(done)
    fits = {code_of(stopped)} if stopped else set()
    if any("unaccounted" in row.codes for row in rows):
        fits.add(70)
    if _needs_somebody(rows, done, stopped) or manual_work(done) - set(known_manual):
        fits.add(1)
    if _in_doubt(rows, done):
        fits.add(75)
    return worst(fits)


def worst(codes: Collection[int]) -> int:
    """Give the one of several exit codes that counts; signals go before all else."""
    signals = sorted((code for code in codes if code > 128), reverse=True)
    return next((code for code in (*signals, 74, 70, 4, 2, 3, 5, 1, 75) if code in codes), 0)


def code_of(error: BaseException) -> int:
    """Give the exit code of what stopped a run."""
    match error:
        case Interrupted(signal=number):
            return 128 + number
        case KeyboardInterrupt():
            return 128 + signal.SIGINT
        case OnboardingError():
            return error.exit_code
        case _:
            return OnboardingError.exit_code


def _needs_somebody(
    rows: Sequence[RowResult], done: Sequence[Deed], stopped: BaseException | None
) -> bool:
    """Say whether a row or change is rejected, failed or skipped, other than by having to wait."""
    waiting: frozenset[str] = frozenset()
    if isinstance(stopped, TryLater):
        waiting = frozenset({"dependency", "interrupted", "not-sent", "throttled"})
    elif _in_doubt(rows, done):
        waiting = frozenset({"dependency"})
    bad = {Status.REJECTED, Status.FAILED}
    return any(
        row.status in bad or (row.status is Status.SKIPPED and not waiting.issuperset(row.codes))
        for row in rows
    ) or any(
        deed.outcome.status is Status.FAILED
        or (
            deed.outcome.status is Status.SKIPPED
            and not deed.rows
            and deed.outcome.code not in waiting
        )
        for deed in done
    )


def _in_doubt(rows: Iterable[RowResult], done: Iterable[Deed]) -> bool:
    return any(row.status is Status.IN_DOUBT for row in rows) or any(
        deed.outcome.status is Status.IN_DOUBT for deed in done
    )
