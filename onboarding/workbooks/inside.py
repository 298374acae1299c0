"""What runs in a process of its own: a workbook's bytes in, its sheets out as lines of JSON.

A file that is made to exhaust memory or time, or that trips the library, ends this process and nothing else. What it
writes is JSON, since whoever reads it should not have to trust it.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Collection, Iterator
from itertools import chain

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from onboarding.errors import SheetError
from onboarding.workbooks import ods, xls, xlsb, xlsx
from onboarding.workbooks.cells import Cell, Piece, texts, together
from onboarding.workbooks.container import DAMAGED, PROTECTED, TOO_MUCH, Parts, opened
from onboarding.workbooks.marks import Marks, Place, unreadable

Rows = list[list[Cell]]

CHUNK = 5_000
"""Rows in one line, column by column."""


def lines(content: bytes, wanted: Collection[str]) -> Iterator[str]:
    """Give the format, then for each worksheet its facts and its rows; a refusal is the last line.

    A hidden sheet has no rows unless it is ``wanted``; where any is, no other sheet has.
    """
    try:
        kind, parts = opened(content)
        yield json.dumps({"format": kind})
        yield from _sheets(content, _finder(kind, parts), wanted)
    except SheetError as error:
        yield json.dumps({"refused": str(error)})
    except PasswordError:
        yield json.dumps({"refused": PROTECTED})
    except MemoryError:
        yield json.dumps({"refused": TOO_MUCH})
    except (
        CalamineError,
        ArithmeticError,
        LookupError,
        OSError,
        ValueError,
        struct.error,
    ) as error:
        yield json.dumps({"refused": f"{DAMAGED} ({error})"})


def _finder(kind: str, parts: Parts | bytes) -> Callable[[int], Marks]:
    if isinstance(parts, bytes):
        return xls.marks(parts)
    find = {"ods": ods.marks, "xlsb": xlsb.marks}.get(kind, xlsx.marks)
    return find(parts)


def _sheets(
    content: bytes, marks_of: Callable[[int], Marks], wanted: Collection[str]
) -> Iterator[str]:
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
        for position, sheet in enumerate(workbook.sheets_metadata):
            if sheet.typ is not SheetTypeEnum.WorkSheet:
                continue
            visible = sheet.visible is SheetVisibleEnum.Visible
            if not (sheet.name in wanted if wanted else visible):
                yield json.dumps({"sheet": sheet.name, "visible": visible, "read": False})
                continue
            try:
                marks = marks_of(position)
                marks, rows = _read(workbook.get_sheet_by_index(position), marks)
            except SheetError as error:
                raise SheetError(f'the sheet "{sheet.name}": {error}') from error
            facts = {"sheet": sheet.name, "visible": visible, "read": True}
            yield json.dumps(facts | _facts(marks, rows))
            for first in range(0, len(rows), CHUNK):
                yield json.dumps(_columns(rows[first : first + CHUNK]), ensure_ascii=False)


def _read(sheet: CalamineSheet, marks: Marks) -> tuple[Marks, Rows]:
    """Give all rows from the first of the sheet on, as wide as each other; and its marks, by a closer look if need be."""
    if sheet.end is not None:
        marks.reach(sheet.end[0] + 1, sheet.end[1])
    rows = sheet.to_python(skip_empty_area=False)
    if marks.closer:
        marks = marks.closer(sum(len(row) - row.count("") for row in rows))
    _refuse_lost(rows, marks)
    _show(rows, marks)
    return marks, rows


def _refuse_lost(rows: Rows, marks: Marks) -> None:
    """Refuse a sheet with a text where the library gives none."""
    for row, positions in marks.filled.items():
        cells = rows[row - 1] if row <= len(rows) else []
        for position in positions:
            if position >= len(cells) or cells[position] == "":
                raise unreadable(row, position)


def _show(rows: Rows, marks: Marks) -> None:
    """Put into the rows what the cells show; the library ends where the last value is that it knows."""
    given = len(rows[0]) if rows else 0
    width = max(given, 1 + max((position for _, position in marks.shown), default=-1))
    last = max((row for row, _ in chain(marks.errors, marks.shown)), default=0)
    for cells in rows if width > given else ():
        cells += [""] * (width - given)
    rows += [[""] * width for _ in range(last - len(rows))]
    for (row, position), shown in marks.shown.items():
        rows[row - 1][position] = shown


def _columns(rows: Rows) -> list[Piece]:
    cells = texts([*chain.from_iterable(rows)])
    return [together(cells[place :: len(rows[0])]) for place in range(len(rows[0]))]


def _facts(marks: Marks, rows: Rows) -> dict[str, object]:
    return {
        "height": len(rows),
        "errors": [[*place, shown] for place, shown in sorted(marks.errors.items())],
        "covered": sorted(
            {place for area in marks.merged for place in _covered(rows, marks, *area)}
        ),
        "hidden_rows": sorted(row for row in marks.hidden_rows if row <= len(rows)),
        "hidden_columns": sorted(marks.hidden_columns),
    }


def _covered(rows: Rows, marks: Marks, first: Place, last: Place) -> Iterator[Place]:
    """Give the cells that show something else than they hold, since a merged one covers them."""
    (top, left), (bottom, right) = first, last
    shows = first in marks.errors
    for row in range(top, min(bottom, len(rows)) + 1):
        for position in range(left, min(right + 1, len(rows[row - 1]))):
            holds = rows[row - 1][position] != ""
            if (row, position) == first:
                shows = shows or holds
            elif shows or holds:
                yield row, position
