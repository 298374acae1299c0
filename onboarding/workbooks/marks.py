"""What a sheet shows beside its values, and the library that reads those values says nothing of.

Rows have the numbers that a spreadsheet program shows; positions of columns count from 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from onboarding.errors import SheetError

Place = tuple[int, int]
"""Row number and position."""

STRUCK = "#STRUCK OUT!"
"""Our own word for a cell with a line through it: whoever drew the line meant that it should not count."""
MOST_COLUMNS = 2_000
MOST_CELLS = 20_000_000
"""Cells that a sheet may span, a million rows of twenty columns: the library makes them all, blank ones too."""


@dataclass(slots=True)
class Marks:
    """What one sheet shows beside its values."""

    errors: dict[Place, str] = field(default_factory=dict)
    """What a cell shows instead of a value, such as ``#N/A``; empty where a formula was never calculated."""
    shown: dict[Place, str] = field(default_factory=dict)
    """Numbers that a format shows with zeros in front or in per cent; in an ``.ods`` texts, too."""
    filled: dict[int, list[int]] = field(default_factory=dict)
    """The positions of the cells with a text, which the library has to give, by row; of an ``.xlsx`` that was parsed."""
    closer: Callable[[int], Marks] | None = None
    """Takes how many cells the library fills, where the file's own were only counted, and parses if they are not as many."""
    merged: list[tuple[Place, Place]] = field(default_factory=list)
    """The first and the last cell of each merged area."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    rows: int = 0
    """The last row that holds anything."""
    columns: int = 0

    def reach(self, row: int, position: int) -> None:
        """Note a cell with content; refuse a sheet whose cells are too far apart."""
        if row > self.rows:
            self.rows = row
        if position >= self.columns:
            self.columns = position + 1
        if position >= MOST_COLUMNS or self.rows * self.columns > MOST_CELLS:
            raise SheetError(
                f"has something in {cell_name(row, position)}, far from any table; "
                "delete the rows and columns outside the table, and save it again"
            )


def unreadable(row: int, position: int) -> SheetError:
    """Make the refusal of a sheet one of whose cells would pass for blank: a blank ``action`` would mean *add*."""
    return SheetError(
        f"has something in {cell_name(row, position)} that cannot be read for sure; "
        "open it in a spreadsheet program and save it again"
    )


def cell_name(row: int, position: int) -> str:
    """Name a cell as a spreadsheet program does.

    >>> cell_name(1, 0), cell_name(1048576, 16383)
    ('A1', 'XFD1048576')
    """
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def place(name: str) -> Place:
    """Give the place of a cell's name.

    >>> place("A1"), place("XFD1048576")
    ((1, 0), (1048576, 16383))
    """
    letters = name.rstrip("0123456789")
    position = 0
    for letter in letters.upper():
        position = position * 26 + ord(letter) - ord("A") + 1
    return int(name[len(letters) :] or 0), position - 1
