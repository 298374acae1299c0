"""A table in; a note for each column that is only carried along and shows what a program has done to it out.

Nothing in such a column reaches the tenant, so it stops nobody: but it comes back in the report, and whoever made the
file will want to know. One note for a column, with the first cell as its example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pandas as pd

from onboarding.headers import CARRIED, Table
from onboarding.model import Finding, Severity
from onboarding.schemas.columns import texts
from onboarding.schemas.damage import MAYBE_GARBLED, garbled

_MOST = 0.8
"""Of the numbers of a column, this share begins with a zero or is as long as those that do."""
_CUT = re.compile(r"^ *\d(?:[.,]\d+)?E\+\d\d? *$", re.MULTILINE)
_TAIL = re.compile(r"^ *\d+\.0 *$", re.MULTILINE)
_ESCAPED = re.compile(r"_x000[9ad]_", re.IGNORECASE)
_ERROR = re.compile(
    r"^ *#(?:REF|N/A|NAME|VALUE|DIV/0|NULL|NUM|BEZUG|WERT|NV)[!?]? *$", re.MULTILINE
)
_KINDS = (
    ("E+", _CUT, "long numbers that a spreadsheet program has cut short"),
    (".0", _TAIL, "numbers with a tail that a program added"),
    ("_x000", _ESCAPED, "line breaks as a spreadsheet program writes them in its files"),
    ("#", _ERROR, "errors of formulas"),
)


def worn(table: Table) -> Iterator[Finding]:
    """Note the columns that a spreadsheet program or a wrong encoding has damaged, apart from those that count."""
    counted = {
        i for name, where in table.columns.fields.items() if name not in CARRIED for i in where
    }
    for position, header in enumerate(table.headers):
        if header and position not in counted:
            cells = table.frame[position]
            for row, what in _signs(cells):
                message = f"has {what}, the first in row {cells.index[row]}: {_short(str(cells.iat[row]))}"
                yield Finding(
                    "column-damaged",
                    message,
                    None,
                    header,
                    severity=Severity.NOTE,
                    source=table.source,
                )


def _signs(column: pd.Series[str]) -> Iterator[tuple[int, str]]:
    """Give what shows in the cells of a column, each with the position of the first cell."""
    whole = [*texts(column)]
    for hint, pattern, what in _KINDS:
        if any(_holds(text, hint) and pattern.search(text) for text in whole):
            yield next(i for i, cell in enumerate(column) if pattern.search(cell)), what
    if any(not text.isascii() and MAYBE_GARBLED.search(text) for text in whole):
        first = next((i for i, cell in enumerate(column) if garbled(cell)), None)
        if first is not None:
            yield first, "text that was read in the wrong encoding"
    if any(text.startswith("0") or "\n0" in text for text in whole):
        yield from _zeros(column.tolist())


def _holds(text: str, hint: str) -> bool:
    """Whether a hint is in a text; a single sign that is nowhere in it is known ten times as fast."""
    return all(sign in text for sign in hint) and hint in text


def _zeros(cells: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Find numbers that are shorter than the others, where those begin with a zero."""
    width = next((len(cell) for cell in cells if cell[:1] == "0" and cell.isdigit()), 0)
    if width < 2:
        return
    if set(map(len, cells)) == {width}:
        return
    numbers = [(i, cell) for i, cell in enumerate(cells) if cell.isdigit()]
    short = [i for i, cell in numbers if len(cell) < width and cell[0] != "0"]
    even = sum(len(cell) == width for _, cell in numbers)
    if short and even + len(short) == len(numbers) and even >= _MOST * len(numbers):
        yield (
            short[0],
            f"numbers shorter than the {width} digits of the others: zeros in front may be lost",
        )


def _short(cell: str) -> str:
    text = cell.strip()
    return f'"{text}"' if len(text) <= 40 else f'"{text[:37]}..."'
