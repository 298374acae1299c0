"""What the library gives for a cell in; the text that a spreadsheet program would show, or nearly, out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def texts(row: Sequence[Cell]) -> list[str]:
    """Write the cells of a row as text."""
    return [cell if type(cell) is str else text(cell) for cell in row]


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
