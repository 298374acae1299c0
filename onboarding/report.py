"""Rows, findings, plan and outcomes in; one result per input row out.

No row is lost: each comes back once, in input order, with the worst of what concerns it and with all of it in words.
``deeds`` is the plan seen from its end: every change, and everything settled without one, beside what became of it.
Most rows of a large job share their fate, so rows are counted by it, and put into words only when they are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import NamedTuple, TypeVar, overload

from onboarding.findings import Alike, Findings
from onboarding.model import Finding, GroupName, RowRef, Rows, Severity
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
        message = self.outcome.message
        return message if message.strip(". ") else meaning(self.outcome.code)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of rows; in a large job, the same of most of them."""

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
    def texts(self) -> tuple[str, ...]:
        """The cells under ``RESULT_COLUMNS``, but for the last one: that is the row's own."""
        return self.result, self.status.value, self.code, self.message, self.fix, self.actions

    def of(self, row: RowRef) -> RowResult:
        """Say it of a row."""
        return RowResult(self.status, self.code, self.message, self.fix, self.actions, row)


@dataclass(frozen=True, slots=True)
class RowResult(Words):
    """What became of one input row."""

    row: RowRef

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's cells under ``RESULT_COLUMNS``."""
        return (*self.texts, str(self.row))


T = TypeVar("T")


class Stretch(NamedTuple):
    """Rows of a table that follow each other, and what is said of each."""

    table: int
    source: str
    numbers: Sequence[int]
    words: Sequence[Words]

    @property
    def places(self) -> list[str]:
        """The rows' cells under the last of ``RESULT_COLUMNS``."""
        return [f"{self.source}:{number}" for number in self.numbers]

    def each(self, tell: Callable[[Words], T]) -> list[T]:
        """Tell something of each row by what is said of it; what is said of many is told once."""
        different = {id(words): words for words in self.words}
        told = {key: tell(words) for key, words in different.items()}
        return [told[id(words)] for words in self.words]

    def lots(self, size: int) -> Iterator[Stretch]:
        """Give so many rows at a time."""
        for start in range(0, len(self.numbers), size):
            lot = slice(start, start + size)
            yield self._replace(numbers=self.numbers[lot], words=self.words[lot])


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
    known = rows if isinstance(rows, Rows) else Rows.of(rows)
    return Results(known, Matters(found, tuple(done)), Deed(otherwise, ()), labels)


Matter = Finding | Deed
"""Something that is to be said of a row."""
Said = Mapping[int, Mapping[int, tuple[Matter, ...]]]
"""Table -> row number -> what is to be said of the row. Rows of which all the same is said share one tuple."""


@dataclass(frozen=True)
class Matters:
    """What is to be said of rows; in a large job, of most of them nothing."""

    findings: Findings
    done: Sequence[Deed]

    @cached_property
    def by_row(self) -> Said:
        """All of it."""
        return self._of(self.findings)

    @cached_property
    def parted(self) -> tuple[Said, Sequence[Alike]]:
        """The same without the rows that stand in causes and have no other matter; and these by their causes."""
        if not self.findings.causes:
            return self.by_row, ()
        single, alike = self.findings.parted(row for deed in self.done for row in deed.rows)
        return self._of(single), alike

    def _of(self, findings: Iterable[Finding]) -> Said:
        said: dict[int, dict[int, tuple[Matter, ...]]] = {}
        for finding in findings:
            if finding.row is not None:
                mine = said.setdefault(finding.row.table, {})
                mine[finding.row.row] = (*mine.get(finding.row.row, ()), finding)
        for deed in self.done:
            longer: dict[int, tuple[Matter, ...]] = {}  # by the identity of the shorter one
            for row in deed.rows:
                mine = said.setdefault(row.table, {})
                before = mine.get(row.row, ())
                if not before or before[-1] is not deed:  # else the deed names the row twice
                    mine[row.row] = longer.setdefault(id(before), (*before, deed))
        return said


def by_table(results: Iterable[RowResult]) -> Iterator[Stretch]:
    """Give results table by table, in their order, for whoever handles many at once."""
    if isinstance(results, Results):
        yield from results.stretches()
        return
    for (table, source), some in groupby(results, lambda one: (one.row.table, one.row.source)):
        same = [*some]
        yield Stretch(table, source, [one.row.row for one in same], same)


def needing_work(results: Iterable[RowResult]) -> Iterator[RowResult]:
    """Give the rows that need somebody."""
    for table, source, numbers, words in by_table(results):
        for number, said_of_it in zip(numbers, words, strict=True):
            if said_of_it.result in NEEDS_WORK:
                yield said_of_it.of(RowRef(table, number, source))


@dataclass(frozen=True, slots=True)
class Results(Sequence[RowResult]):
    """A result for each row, in the order of the rows; what is said of many is put into words once, when first looked at."""

    rows: Rows
    matters: Matters
    otherwise: Deed
    """What is said of rows of which there is nothing to be said."""
    labels: Mapping[GroupName, str]
    _made: dict[int, Words] = field(default_factory=dict, repr=False, compare=False)
    """By the identity of the matters, which last as long as this does."""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[RowResult]:
        for table, source, numbers, words in self.stretches():
            for number, said_of_it in zip(numbers, words, strict=True):
                yield said_of_it.of(RowRef(table, number, source))

    @overload
    def __getitem__(self, place: int) -> RowResult: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[RowResult]: ...
    def __getitem__(self, place: int | slice) -> RowResult | Sequence[RowResult]:
        if isinstance(place, slice):
            return tuple(replace(self, rows=Rows.of(self.rows[place])))
        (only,) = replace(self, rows=Rows.of([self.rows[place]]))
        return only

    def stretches(self) -> Iterator[Stretch]:
        """Give them table by table."""
        for table, source, numbers in self.rows.tables:
            mine = self.matters.by_row.get(table, {})
            words = [self._said(mine.get(number, ())) for number in numbers]
            yield Stretch(table, source, numbers, words)

    def fates(self) -> Fates:
        """Count the rows by their fate; none is put into words for it."""
        single, by_causes = self.matters.parted
        fates: dict[Fate, Share] = {}

        def count(fate: Fate, rows: int, row: RowRef) -> None:
            before = fates.get(fate, Share(0, row))
            fates[fate] = Share(before.rows + rows, min(before.first, row))

        for lot in by_causes:
            count(_fate(_told(lot.wrong, self.otherwise)), len(lot.numbers), lot.first)
        for table, source, numbers in self.rows.tables:
            mine = single.get(table, {})
            elsewhere = {n for lot in by_causes if lot.first.table == table for n in lot.numbers}
            there = numbers if isinstance(numbers, range) else {*numbers}
            told = [n for n in mine if n in there]
            alike: dict[int, list[int]] = {}
            for number in told:
                alike.setdefault(id(mine[number]), []).append(number)
            for some in alike.values():
                fate = _fate(_told(mine[some[0]], self.otherwise))
                count(fate, len(some), RowRef(table, min(some), source))
            if silent := len(numbers) - len(told) - sum(n in there for n in elsewhere):
                first = next(n for n in numbers if n not in mine and n not in elsewhere)
                count(_fate([self.otherwise]), silent, RowRef(table, first, source))
        return fates

    def _said(self, matters: tuple[Matter, ...]) -> Words:
        if id(matters) not in self._made:
            self._made[id(matters)] = self._words(matters)
        return self._made[id(matters)]

    def _words(self, matters: tuple[Matter, ...]) -> Words:
        told = _told(matters, self.otherwise)
        notes = [f"note: {said(m)}" for m in matters if isinstance(m, Finding) and _is_note(m)]
        messages = [*map(_message, told), *notes]
        return Words(
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
