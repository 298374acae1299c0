"""What is wrong with cells of whole columns in; single findings out, each made when somebody looks at it.

Half a million findings take longer to make than to find, and of most only how many there are is ever asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Any, NamedTuple, overload

from onboarding.model import Finding, RowRef


@dataclass(frozen=True, slots=True, eq=False)
class Cause:
    """One thing that is wrong with some cells of a column, each on another row."""

    code: str
    table: int
    source: str
    column: str
    """The header as the file spells it."""
    rows: Sequence[int]
    """The numbers of the rows, ascending."""
    value: Callable[[int], str]
    """The cell at this place, as it stands."""
    words: Callable[[int], str]
    """What happened, to the cell at this place."""

    def row(self, place: int) -> RowRef:
        """Give the row of one finding."""
        return RowRef(self.table, self.rows[place], self.source)

    def at(self, place: int) -> Finding:
        """Make one finding."""
        words, value = partial(self.words, place), self.value(place).strip()
        return Finding(self.code, words, self.row(place), self.column, value)

    def of(self, number: int) -> Finding:
        """Make the finding of the row of this number."""
        return self.at(bisect_left(self.rows, number))

    def __iter__(self) -> Iterator[Finding]:
        return map(self.at, range(len(self.rows)))


class Alike(NamedTuple):
    """Rows of a table in which the same columns are wrong, for the same reasons."""

    first: RowRef
    numbers: Sequence[int]
    """The numbers of all of them."""
    wrong: Sequence[Finding]
    """What is wrong with the first; with the others, the same."""


class Findings(Sequence[Finding]):
    """Findings in the order of the input; they are all made as soon as somebody looks at one."""

    def __init__(
        self,
        single: Iterable[Finding] = (),
        causes: Sequence[Cause] = (),
        place: Callable[[Finding], Any] | None = None,
        *,
        first: Sequence[Finding] = (),
    ) -> None:
        """``place`` orders them, if they are not in order; before all of them stand the first ones."""
        self.single = (*single,)
        self.first = (*first,)
        self._place = place
        self.causes = causes

    def behind(self, first: Sequence[Finding]) -> Findings:
        """Give these with others before them."""
        return Findings(self.single, self.causes, self._place, first=(*first, *self.first))

    def parted(self, besides: Iterable[RowRef] = ()) -> tuple[Sequence[Finding], Sequence[Alike]]:
        """Part them into those to be looked at one by one, and rows that are wrong alike and of which nothing else is said.

        ``besides``: rows of which something is said elsewhere.
        """
        there: dict[int, set[int]] = defaultdict(set)
        for row in chain(besides, (f.row for f in (*self.first, *self.single) if f.row)):
            there[row.table].add(row.row)
        alike: list[Alike] = []
        others = [*self.single]
        for table in dict.fromkeys(cause.table for cause in self.causes):
            causes = [cause for cause in self.causes if cause.table == table]
            spoken = there[table]
            for bits, numbers in _by_causes(causes, spoken).items():
                wrong = [c.of(numbers[0]) for place, c in enumerate(causes) if bits >> place & 1]
                first = RowRef(table, numbers[0], causes[0].source)
                alike.append(Alike(first, numbers, [*self._in_order(wrong)]))
            for cause in causes if spoken else ():
                others += [cause.at(i) for i, row in enumerate(cause.rows) if row in spoken]
        return [*self.first, *self._in_order(others)], alike

    @cached_property
    def _all(self) -> Sequence[Finding]:
        return (*self.first, *self._in_order(chain(self.single, *self.causes)))

    def _in_order(self, some: Iterable[Finding]) -> Iterable[Finding]:
        return some if self._place is None else sorted(some, key=self._place)

    def __len__(self) -> int:
        return len(self.first) + len(self.single) + sum(len(cause.rows) for cause in self.causes)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._all)

    @overload
    def __getitem__(self, at: int) -> Finding: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Finding]: ...
    def __getitem__(self, at: int | slice) -> Finding | Sequence[Finding]:
        return self._all[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # as of every sequence that is compared by what it holds


def _by_causes(causes: Sequence[Cause], but: Container[int]) -> Mapping[int, Sequence[int]]:
    """Give the numbers of the rows of one table by their causes, of which each is a bit."""
    wrong: dict[int, int] = {}
    for place, cause in enumerate(causes):
        bit = 1 << place
        for row in cause.rows:
            wrong[row] = wrong.get(row, 0) | bit
    rows: dict[int, list[int]] = defaultdict(list)
    for row, bits in wrong.items():
        if row not in but:
            rows[bits].append(row)
    return rows
