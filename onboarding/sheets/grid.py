"""What every kind of file is read into: rows of text cells, numbered as the user's program shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Grid:
    """All the cells of a text file or of one sheet; the row with number n is ``rows[n - 1]``."""

    rows: Sequence[Sequence[str]]
    sheet: str | None = None
    encoding: str = ""
    delimiter: str = ""
    doubt: str = ""
    """Why the encoding is only a guess, in words that say what to do; empty where it is certain."""
    errors: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """(row number, position) -> what the spreadsheet shows there instead of a value; empty: nothing yet."""
    merged: frozenset[tuple[int, int]] = frozenset()
    """(row number, position) of cells that another one covers, whose value shows there too."""
    hidden: bool = False
