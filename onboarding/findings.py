"""What is wrong with cells of whole columns in; single findings out, each made when somebody looks at it.

Half a million findings take longer to make than to find, and of most only how many there are is ever asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Any, overload

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
    values: Sequence[str]
    words: Callable[[int], str]
    """What happened, to the cell at this place."""

    def row(self, place: int) -> RowRef:
        """Give the row of one finding."""
        return RowRef(self.table, self.rows[place], self.source)

    def at(self, place: int) -> Finding:
        """Make one finding."""
        words, value = partial(self.words, place), self.values[place].strip()
        return Finding(self.code, words, self.row(place), self.column, value)

    def __iter__(self) -> Iterator[Finding]:
        return map(self.at, range(len(self.rows)))


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

    def parted(
        self, besides: Collection[RowRef] = ()
    ) -> tuple[Sequence[Finding], Sequence[tuple[Cause, Sequence[int]]]]:
        """Part them into those to be looked at one by one, and the places of each cause on whose rows nothing else is said.

        ``besides``: rows of which something is said elsewhere.
        """
        there: dict[int, Counter[int]] = defaultdict(Counter)
        for cause in self.causes:
            there[cause.table].update(cause.rows)
        for row in chain(besides, (f.row for f in self.single if f.row)):
            there[row.table][row.row] += 1
        alone = []
        others = [*self.single]
        for cause in self.causes:
            spoken = there[cause.table]
            places = [i for i, row in enumerate(cause.rows) if spoken[row] == 1]
            alone.append((cause, places))
            if len(places) < len(cause.rows):
                others += [cause.at(i) for i, row in enumerate(cause.rows) if spoken[row] > 1]
        return [*self.first, *self._in_order(others)], alone

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
