"""Rows, findings, plan and outcomes in; one result per input row out.

No row is lost: each comes back once, in input order, with the worst of what concerns it and with all of it in words.
``Deeds`` is the plan seen from its end: every change, and everything settled without one, beside what became of it.
Most rows of a large job share their fate, so rows are counted by it, and put into words only when they are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, groupby, islice
from typing import NamedTuple, TypeVar, overload

from onboarding.findings import Alike, Findings
from onboarding.model import Finding, GroupName, RowRef, Rows, Severity
from onboarding.plan import Change, Outcome, Plan, Settled, Status
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


PLANNED = Outcome(Status.PLANNED, "planned")


class Deeds(Sequence[Deed]):
    """Every change of a plan and all that it settles, each with its outcome, made when somebody looks at it."""

    def __init__(self, plan: Plan, outcomes: Mapping[str, Outcome] | None) -> None:
        """``outcomes`` by the changes' keys; ``None`` for a dry run."""
        self.entries: Sequence[Change | Settled] = (*plan.changes, *plan.settled)
        self._outcomes = outcomes

    def of(self, entry: Change | Settled) -> Deed:
        """Give what became of one of them."""
        if isinstance(entry, Settled):
            outcome = Outcome(entry.status, entry.code, entry.message, attempts=0)
            return Deed(outcome, entry.rows, entry.change)
        done = self._outcomes
        outcome = PLANNED if done is None else done.get(entry.key, UNACCOUNTED)
        return Deed(outcome, entry.rows, entry)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Deed]:
        return map(self.of, self.entries)

    @overload
    def __getitem__(self, at: int) -> Deed: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Deed]: ...
    def __getitem__(self, at: int | slice) -> Deed | Sequence[Deed]:
        if isinstance(at, slice):
            return tuple(map(self.of, self.entries[at]))
        return self.of(self.entries[at])


NO_DEEDS = Deeds(Plan(""), None)


def not_compared(rows: Sequence[RowRef], findings: Iterable[Finding]) -> Results:
    """Give each row's result where no tenant was asked: rejected, or valid and not compared."""
    return results(rows, findings, NO_DEEDS, {}, otherwise=NOT_COMPARED)


def results(
    rows: Sequence[RowRef],
    findings: Iterable[Finding],
    done: Deeds,
    labels: Mapping[GroupName, str],
    *,
    otherwise: Outcome = UNACCOUNTED,
) -> Results:
    """Give each row's result, in the order of ``rows``; ``otherwise`` is what a row comes to that nobody spoke of."""
    found = findings if isinstance(findings, Findings) else Findings(findings)
    known = rows if isinstance(rows, Rows) else Rows.of(rows)
    return Results(known, Matters(found, done), Deed(otherwise, ()), labels)


Matter = Finding | Change | Settled
"""What a row is told about."""
Told = Finding | Deed
"""What it is told."""
Said = Mapping[int, Mapping[int, tuple[Matter, ...]]]
"""Table -> row number -> what is to be said of the row. Rows of which all the same is said share one tuple."""


class Matters:
    """What is to be said of rows; in a large job, of most of them nothing."""

    def __init__(self, findings: Findings, done: Deeds) -> None:
        self.findings = findings
        self.done = done

    def told(self, matters: Iterable[Matter]) -> list[Told]:
        """Give what is to be said, with what became of it."""
        return [m if isinstance(m, Finding) else self.done.of(m) for m in matters]

    @cached_property
    def by_row(self) -> Said:
        """All of it. As large as a plan, so whoever has put it into words deletes it; who asks again has it made anew."""
        return self._of(self.findings)

    def parted(self) -> tuple[Said, Sequence[Alike]]:
        """The same without the rows that stand in causes and have no other matter; and these by their causes."""
        if not self.findings.causes:
            return self.by_row, ()
        single, alike = self.findings.parted(row for one in self.done.entries for row in one.rows)
        return self._of(single), alike

    def _of(self, findings: Iterable[Finding]) -> Said:
        said: dict[int, dict[int, tuple[Matter, ...]]] = {}
        for finding in findings:
            if finding.row is not None:
                mine = said.setdefault(finding.row.table, {})
                mine[finding.row.row] = (*mine.get(finding.row.row, ()), finding)
        for entry in self.done.entries:
            longer: dict[int, tuple[Matter, ...]] = {}  # by the identity of the shorter one
            for row in entry.rows:
                mine = said.setdefault(row.table, {})
                before = mine.get(row.row, ())
                if not before or before[-1] is not entry:  # else it names the row twice
                    mine[row.row] = longer.setdefault(id(before), (*before, entry))
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
    _made: dict[int, list[Words]] = field(default_factory=dict, repr=False, compare=False)
    """By the place in ``rows.tables``."""

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
            return tuple(self)[place]
        row = self.rows[place]
        words = chain.from_iterable(stretch.words for stretch in self.stretches())
        return next(islice(words, place % len(self), None)).of(row)

    def stretches(self) -> Iterator[Stretch]:
        """Give them table by table."""
        for place, (table, source, numbers) in enumerate(self.rows.tables):
            if place not in self._made:
                self._made[place] = self._said(self.matters.by_row.get(table, {}), numbers)
                if len(self._made) == len(self.rows.tables):
                    del self.matters.by_row
            yield Stretch(table, source, numbers, self._made[place])

    def fates(self) -> Fates:
        """Count the rows by their fate; none is put into words for it."""
        single, by_causes = self.matters.parted()
        fates: dict[Fate, Share] = {}

        def count(fate: Fate, rows: int, row: RowRef) -> None:
            before = fates.get(fate, Share(0, row))
            fates[fate] = Share(before.rows + rows, min(before.first, row))

        for lot in by_causes:
            fate = self._fate(lot.wrong)
            count(fate, len(lot.numbers), lot.first)
        for table, source, numbers in self.rows.tables:
            mine = single.get(table, {})
            elsewhere = {n for lot in by_causes if lot.first.table == table for n in lot.numbers}
            there = numbers if isinstance(numbers, range) else {*numbers}
            told = [n for n in mine if n in there]
            alike: dict[int, list[int]] = {}
            for number in told:
                alike.setdefault(id(mine[number]), []).append(number)
            for some in alike.values():
                fate = self._fate(mine[some[0]])
                count(fate, len(some), RowRef(table, min(some), source))
            if silent := len(numbers) - len(told) - sum(n in there for n in elsewhere):
                first = next(n for n in numbers if n not in mine and n not in elsewhere)
                count(self._fate(()), silent, RowRef(table, first, source))
        return fates

    def _said(
        self, by_row: Mapping[int, tuple[Matter, ...]], numbers: Sequence[int]
    ) -> list[Words]:
        """Put into words what is said of each row: of rows of which all the same is to be said, once."""
        made: dict[int, Words] = {}  # by the identity of the matters
        alike: dict[Words, Words] = {}  # as many as there are, few are different
        for matters in (by_row.get(number, ()) for number in numbers):
            if id(matters) not in made:
                words = self._words(matters)
                made[id(matters)] = alike.setdefault(words, words)
        return [made[id(by_row.get(number, ()))] for number in numbers]

    def _fate(self, matters: Iterable[Matter]) -> Fate:
        return _fate(_told(self.matters.told(matters), self.otherwise))

    def _words(self, matters: Iterable[Matter]) -> Words:
        mine = self.matters.told(matters)
        told = _told(mine, self.otherwise)
        notes = [f"note: {said(m)}" for m in mine if isinstance(m, Finding) and _is_note(m)]
        messages = [*map(_message, told), *notes]
        return Words(
            *_fate(told),
            "; ".join(_once(message.rstrip(". ") for message in messages)),
            " ".join(_once(map(_fix, told))),
            _actions([matter for matter in mine if isinstance(matter, Deed)], self.labels),
        )


def _told(matters: Iterable[Told], otherwise: Deed) -> Sequence[Told]:
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


def _fate(told: Sequence[Told]) -> Fate:
    return Fate(_status(told[0]), "; ".join(_once(map(_code, told))))


def _gist(matter: Told) -> tuple[object, ...]:
    """Give what of a matter is told."""
    if isinstance(matter, Deed):
        outcome = matter.outcome
        return outcome.status.severity, outcome.code, outcome.message
    return (id(matter),)


def _is_note(matter: Told) -> bool:
    return isinstance(matter, Finding) and matter.severity is Severity.NOTE


def _status(matter: Told) -> Status:
    return matter.outcome.status if isinstance(matter, Deed) else Status.REJECTED


def _code(matter: Told) -> str:
    return matter.outcome.code if isinstance(matter, Deed) else matter.code


def _message(matter: Told) -> str:
    return matter.words if isinstance(matter, Deed) else said(matter)


def _fix(matter: Told) -> str:
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
