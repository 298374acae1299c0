"""What every kind of file is read into: columns of text cells, their rows numbered as the user's program shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, zip_longest

import numpy as np
import pandas as pd

from onboarding.errors import SheetError

Place = tuple[int, int]
"""Row number from 1, position of the column from 0."""
REPORT_TITLE = "Onboarding report"
"""The first cell of the first sheet of a ``results.xlsx``, by which a report that is fed back is known."""
_WHEN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC · ")
"""How the third row of that sheet begins."""
SURPLUS = "result_surplus"
"""The header under which a report keeps cells beyond the last one, so that they are that again when it is fed back."""
HEADER_WITHIN = 20
"""Rows within which the header row is looked for, titles above it included."""
WIDEST = 1 << 14
"""Columns, as many as a spreadsheet program shows."""
_BATCH = 5_000
"""Rows that are turned into columns, or back, at once."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells by column, as many columns as the widest of the first rows has."""

    frame: pd.DataFrame
    """Columns are positions from 0, the index holds row numbers from 1; behind the end of a shorter row are blank cells."""
    widths: np.ndarray | None = None
    """How many cells each row has; None: all as many as there are columns."""
    beyond: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """Row number -> its cells behind the last column."""
    unbroken: bool = False
    """Whether it is certain that no cell holds a line break."""

    @classmethod
    def of(cls, rows: Iterable[Sequence[str]]) -> Cells:
        """Turn rows into columns, some at a time: as objects of their own, a million rows take twice the memory."""
        left = iter(rows)
        head = list(islice(left, HEADER_WITHIN))
        width = max(map(len, head), default=0)
        if width > WIDEST:
            raise SheetError(f"one of its first rows has {width:,} cells, which is no table")
        columns: list[list[str]] = [[] for _ in range(width)]
        widths: list[int] = []
        beyond: dict[int, Sequence[str]] = {}
        batch = head
        while batch:
            if max(map(len, batch)) > width:
                beyond |= {n: r[width:] for n, r in enumerate(batch, len(widths) + 1) if r[width:]}
            filled = zip_longest(*batch, fillvalue="")
            for column in columns:
                column.extend(next(filled, ()) or [""] * len(batch))
            widths += map(len, batch)
            batch = list(islice(left, _BATCH))
        return cls(
            _framed(columns, len(widths)),
            None if set(widths) <= {width} else np.array(widths),
            beyond,
        )

    @classmethod
    def by_column(cls, columns: list[list[str]], height: int) -> Cells:
        """Take columns of this height; they are empty afterwards, so that no cell is there twice."""
        return cls(_framed(columns, height))


def _framed(columns: list[list[str]], length: int) -> pd.DataFrame:
    """Make a frame of columns, letting go of each as soon as it is in."""
    arrays = {}
    for position in range(len(columns)):
        arrays[position] = pd.array(columns[position], dtype="str")
        columns[position] = []
    return pd.DataFrame(arrays, pd.RangeIndex(1, length + 1), range(len(columns)))


@dataclass(frozen=True, slots=True)
class Grid:
    """All the cells of a text file or of one sheet."""

    cells: Cells
    sheet: str | None = None
    encoding: str = ""
    delimiter: str = ""
    doubt: str = ""
    """Why the encoding is only a guess, in words that say what to do; empty where it is certain."""
    open_end: bool = False
    """Whether the last line of a text file has no line end: it may have been cut off."""
    errors: Mapping[Place, str] = field(default_factory=dict)
    """What the spreadsheet shows instead of a value; empty: nothing yet."""
    covered: frozenset[Place] = frozenset()
    """Cells that another one covers, whose value shows there too."""
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()

    def __len__(self) -> int:
        """How many rows there are, blank ones too."""
        return len(self.cells.frame)

    def row(self, number: int) -> list[str]:
        """Give one row, as wide as it is."""
        return next(self.rows([number]))

    def rows(self, numbers: Sequence[int]) -> Iterator[list[str]]:
        """Give the rows of these numbers, which ascend, each as wide as it is."""
        frame, widths, beyond = self.cells.frame, self.cells.widths, self.cells.beyond
        for start in range(0, len(numbers), _BATCH):
            some = numbers[start : start + _BATCH]
            at = np.asarray(some) - 1
            around = frame.iloc[at[0] : at[-1] + 1]  # of which pyarrow makes one piece first
            rows = around.iloc[at - at[0]].to_numpy().tolist()
            if widths is None:
                yield from rows
            else:
                for number, row, width in zip(some, rows, widths[at].tolist(), strict=True):
                    yield [*row[:width], *beyond.get(number, ())]

    def below(self, number: int) -> Iterator[list[str]]:
        """Give the rows below one, as long as anybody wants more."""
        near = range(number + 1, min(number + HEADER_WITHIN, len(self)) + 1)
        return chain(self.rows(near), self.rows(range(number + HEADER_WITHIN + 1, len(self) + 1)))

    @property
    def head(self) -> list[list[str]]:
        """The rows among which the headers are looked for."""
        return list(self.rows(range(1, min(HEADER_WITHIN, len(self)) + 1)))

    def widths(self, numbers: pd.Index) -> np.ndarray:
        """Give how many cells each of these rows has."""
        widths, width = self.cells.widths, self.cells.frame.shape[1]
        return np.broadcast_to(width, len(numbers)) if widths is None else widths[numbers - 1]

    @property
    def is_report(self) -> bool:
        """Whether it is the first sheet of our own report; a person's table may have that title, but not what stands below."""
        if self._corner.strip() != REPORT_TITLE or len(self) < 3:
            return False
        return _WHEN.match(str(self.cells.frame.iat[2, 0])) is not None

    @property
    def is_example(self) -> bool:
        """Whether it says in its first cell that it is one, as in the workbook of ``onboarding template``."""
        return self._corner.startswith("Example, not read:")

    @property
    def _corner(self) -> str:
        frame = self.cells.frame
        return str(frame.iat[0, 0]) if frame.size else ""
