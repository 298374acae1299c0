"""Rows, findings, plan and outcomes in; one result per input row out.

No row is lost: each comes back once, in input order, with the worst of what concerns it and with all of it in words.
``deeds`` is the plan seen from its end: every change, and everything settled without one, beside what became of it.
Most rows of a large job share their fate, so rows are counted by it, and put into words only when they are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, overload

from onboarding.findings import Cause, Findings
from onboarding.model import Finding, GroupName, RowRef, Severity
from onboarding.plan import Change, Outcome, Plan, Status
from onboarding.words import fix, in_words, meaning, said

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


class Fate(NamedTuple):
    """What becomes of rows, without the words."""

    status: Status
    code: str
    """As ``RowResult`` has it."""

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes, taken apart."""
        return tuple(self.code.split("; "))


class Share(NamedTuple):
    """The rows that have a fate."""

    rows: int
    first: RowRef


Fates = Mapping[Fate, Share]


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


def not_compared(rows: Sequence[RowRef], findings: Iterable[Finding]) -> Results:
    """Give each row's result where no tenant was asked: rejected, or valid and not compared."""
    return results(rows, findings, (), {}, otherwise=NOT_COMPARED)


def results(
    rows: Sequence[RowRef],
    findings: Iterable[Finding],
    done: Iterable[Deed],
    labels: Mapping[GroupName, str],
    *,
    otherwise: Outcome = UNACCOUNTED,
) -> Results:
    """Give each row's result, in the order of ``rows``; ``otherwise`` is what a row comes to that nobody spoke of."""
    found = findings if isinstance(findings, Findings) else Findings(findings)
    return Results(rows, Matters(found, tuple(done)), Deed(otherwise, ()), labels)


Matter = Finding | Deed
"""Something that is to be said of a row."""


@dataclass(frozen=True)
class Matters:
    """What is to be said of rows; in a large job, of most of them nothing."""

    findings: Findings
    done: Sequence[Deed]

    @cached_property
    def by_row(self) -> Mapping[RowRef, Sequence[Matter]]:
        """All of it."""
        return self._of(self.findings)

    @cached_property
    def parted(
        self,
    ) -> tuple[Mapping[RowRef, Sequence[Matter]], Sequence[tuple[Cause, Sequence[int]]]]:
        """The same without the rows that stand in a cause and have no other matter; and these by cause."""
        if not self.findings.causes:
            return self.by_row, ()
        single, alone = self.findings.parted({row for deed in self.done for row in deed.rows})
        return self._of(single), alone

    def _of(self, findings: Iterable[Finding]) -> Mapping[RowRef, Sequence[Matter]]:
        matters: dict[RowRef, list[Matter]] = {}
        for finding in findings:
            if finding.row is not None:
                matters.setdefault(finding.row, []).append(finding)
        for deed in self.done:
            for row in set(deed.rows) if len(deed.rows) > 1 else deed.rows:
                matters.setdefault(row, []).append(deed)
        return matters


@dataclass(frozen=True, slots=True)
class Results(Sequence[RowResult]):
    """A result for each row, in the order of the rows; it is put into words when it is first looked at."""

    rows: Sequence[RowRef]
    matters: Matters
    otherwise: Deed
    """What is said of rows of which there is nothing to be said."""
    labels: Mapping[GroupName, str]
    _made: dict[RowRef, RowResult] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[RowResult]:
        silent, by_row = self._words(()), self.matters.by_row
        for row in self.rows:
            matters = by_row.get(row)
            yield self._told(row, matters) if matters else RowResult(row, *silent)

    @overload
    def __getitem__(self, place: int) -> RowResult: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[RowResult]: ...
    def __getitem__(self, place: int | slice) -> RowResult | Sequence[RowResult]:
        if isinstance(place, slice):
            return tuple(replace(self, rows=self.rows[place]))
        (only,) = replace(self, rows=[self.rows[place]])
        return only

    def fates(self) -> Fates:
        """Count the rows by their fate; none is put into words for it."""
        counted: Counter[Fate] = Counter()
        first: dict[Fate, RowRef] = {}
        single, alone = self.matters.parted

        def count(fate: Fate, rows: int, row: RowRef) -> None:
            counted[fate] += rows
            first[fate] = min(first.get(fate, row), row)

        for row, matters in single.items():
            count(_fate(_told(matters, self.otherwise)), 1, row)
        heard = {(row.table, row.row) for row in single}
        for cause, places in alone:
            if places:
                count(_fate([cause.at(places[0])]), len(places), cause.row(places[0]))
                heard.update((cause.table, cause.rows[place]) for place in places)
        if silent := len(self.rows) - len(heard):
            row = next(row for row in self.rows if (row.table, row.row) not in heard)
            count(_fate([self.otherwise]), silent, row)
        return {fate: Share(number, first[fate]) for fate, number in counted.items()}

    def _told(self, row: RowRef, matters: Sequence[Matter]) -> RowResult:
        if row not in self._made:
            self._made[row] = RowResult(row, *self._words(matters))
        return self._made[row]

    def _words(self, matters: Sequence[Matter]) -> tuple[Status, str, str, str, str]:
        """Give all of a result but its row."""
        told = _told(matters, self.otherwise)
        notes = [f"note: {said(m)}" for m in matters if isinstance(m, Finding) and _is_note(m)]
        messages = [*map(_message, told), *notes]
        return (
            *_fate(told),
            "; ".join(_once(message.rstrip(". ") for message in messages)),
            " ".join(_once(map(_fix, told))),
            _actions([matter for matter in matters if isinstance(matter, Deed)], self.labels),
        )


def _told(matters: Iterable[Matter], otherwise: Deed) -> Sequence[Matter]:
    """Choose what the reader is told, the worst first: all that needs work, else what is worst.

    What merely depends on something worse in the same row would only repeat it, as would changes that came to the same.
    """
    told = [*{_gist(m): m for m in matters if not _is_note(m)}.values()] or [otherwise]
    if len(told) == 1:
        return told
    worst_first = sorted(told, key=lambda matter: _status(matter).severity)
    worst = _status(worst_first[0])
    if worst.result not in NEEDS_WORK:
        return [matter for matter in worst_first if _status(matter) is worst]
    return [
        matter
        for matter in worst_first
        if _status(matter) is worst
        or (_status(matter).result in NEEDS_WORK and _code(matter) != "dependency")
    ]


NEEDS_WORK = frozenset({"error", "manual"})


def _fate(told: Sequence[Matter]) -> Fate:
    return Fate(_status(told[0]), "; ".join(_once(map(_code, told))))


def _gist(matter: Matter) -> tuple[object, ...]:
    """Give what of a matter is told."""
    if isinstance(matter, Deed):
        outcome = matter.outcome
        return outcome.status.severity, outcome.code, outcome.message
    return (id(matter),)


def _is_note(matter: Matter) -> bool:
    return isinstance(matter, Finding) and matter.severity is Severity.NOTE


def _status(matter: Matter) -> Status:
    return matter.outcome.status if isinstance(matter, Deed) else Status.REJECTED


def _code(matter: Matter) -> str:
    return matter.outcome.code if isinstance(matter, Deed) else matter.code


def _message(matter: Matter) -> str:
    return matter.words if isinstance(matter, Deed) else said(matter)


def _fix(matter: Matter) -> str:
    own = "" if isinstance(matter, Deed) else matter.fix
    return own or fix(_code(matter))


def _once(texts: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(text for text in texts if text)


def _actions(concerned: Sequence[Deed], labels: Mapping[GroupName, str]) -> str:
    """Tell what was done and what a person has to do."""
    changed = in_words(((d.change, d.outcome.status) for d in concerned if d.change), labels)
    by_hand = (_BY_HAND.get(deed.outcome.code, "") for deed in concerned if not deed.change)
    return "; ".join(_once([changed, *by_hand]))


_BY_HAND = {"deactivate": "to be deactivated by hand", "reactivate": "to be enabled by hand"}
