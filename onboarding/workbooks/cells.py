"""What the library gives for a cell in; the text that a spreadsheet program would show, or nearly, out.

Cells go from process to process by column, as one text: that is written and read in a fifth of the time of its cells.
"""

from __future__ import annotations

import datetime as dt
from typing import cast

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta
Piece = str | list[str]
"""Cells of a column, together; or by themselves, since one of them has in it what stands between."""
_BETWEEN = "\x7f"
"""Hardly ever in a cell, and JSON writes it as it is."""


def texts(cells: list[Cell]) -> list[str]:
    """Write cells as text; where they all are text, nothing is to be done."""
    if set(map(type, cells)) <= {str}:
        return cast(list[str], cells)
    return [cell if type(cell) is str else text(cell) for cell in cells]


def text(cell: Cell) -> str:
    """Write a cell as a spreadsheet program would, dates as ISO 8601.

    >>> text(43.0), text(True), text(dt.datetime(2026, 1, 2))
    ('43', 'TRUE', '2026-01-02')
    """
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case dt.datetime(hour=0, minute=0, second=0, microsecond=0):
            return cell.date().isoformat()
        case dt.datetime():
            return cell.isoformat(" ")
        case _:
            return str(cell)


def together(cells: list[str]) -> Piece:
    """Make one text of cells; there is at least one."""
    text = _BETWEEN.join(cells)
    return text if text.count(_BETWEEN) == len(cells) - 1 else cells


def apart(piece: Piece) -> list[str]:
    """Give the cells again."""
    return piece.split(_BETWEEN) if isinstance(piece, str) else piece
