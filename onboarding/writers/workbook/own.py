"""The user's own workbook and its results in; the same workbook with the results in it out, if it can be had.

openpyxl, as any such library, can be made to take all memory and time, so it works in a process of its own
(``annotate``, ``confined``).
"""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from onboarding.confined import confined
from onboarding.headers import Table
from onboarding.report import RESULT_COLUMNS, Words
from onboarding.sheets.cells import NOT_CALCULATED
from onboarding.sheets.layout import REPEATED
from onboarding.writers.workbook import look
from onboarding.writers.workbook.look import Part
from onboarding.writers.workbook.overview import Cell, Line, height_of
from onboarding.writers.workbook.style import (
    ESCAPE,
    CellOrder,
    LineOrder,
    MarkOrder,
    Order,
    RowOrder,
    SheetOrder,
)

if TYPE_CHECKING:
    import pandas as pd

UNPACKED = 64 << 20  # bytes that such a workbook may unpack to
PATIENCE = 120  # seconds on the clock
SECONDS = 110  # of processor time


class NotAsItLooks(Exception):
    """Why a workbook has to be made from nothing."""


def check(content: bytes) -> None:
    """Raise ``NotAsItLooks`` for a workbook that is not passed on as it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = archive.infolist()
    except zipfile.BadZipFile:
        raise NotAsItLooks("the input is no .xlsx file, whatever its name says") from None
    if any(part.filename.casefold().endswith("vbaproject.bin") for part in inside):
        raise NotAsItLooks("yours has macros, which are not passed on")
    if sum(part.file_size for part in inside) > UNPACKED:
        raise NotAsItLooks("yours is very large")


def annotated(
    content: bytes,
    parts: Sequence[Part],
    title: str,
    lines: Sequence[Line],
    scratch: Path,
    *,
    patience: float = PATIENCE,
) -> bytes:
    """Give the workbook's bytes; raises ``NotAsItLooks`` where there is no making sense of it.

    What openpyxl keeps on the disk meanwhile stands in ``scratch``.
    """
    order = ordered(parts, title, lines)
    try:
        done = confined(
            __package__, order, content, seconds=SECONDS, patience=patience, scratch=scratch
        )
    except subprocess.TimeoutExpired:
        raise NotAsItLooks("the look of yours could not be read in time") from None
    if done.returncode:
        raise NotAsItLooks("the look of yours could not be read")
    return done.stdout


def ordered(parts: Sequence[Part], title: str, lines: Sequence[Line]) -> Order:
    """Say what is to be written, in values that JSON can hold."""
    return Order(
        title=title,
        widths=list(look.SUMMARY_WIDTHS),
        lines=[
            LineOrder(height=height_of(line), cells=[_cell(cell) for cell in line])
            for line in lines
        ],
        sheets=[_sheet(part) for part in parts],
    )


def _cell(cell: Cell) -> CellOrder:
    return CellOrder(text=cell.text, style=cell.style, span=cell.span, to=cell.to)


def _sheet(part: Part) -> SheetOrder:
    table, rows, told = part.table, part.rows, part.table.columns.told
    return SheetOrder(
        name=table.sheet or "",
        title=part.title,
        top=table.top,
        columns=[place + 1 for place in table.places],
        secret=[table.places[position] + 1 for position in table.columns.blanked],
        frozen=look.frozen(table, table.places),
        fed_back=table.fed_back,
        widths=look.RESULT_WIDTHS | {h: look.width_of([h, text]) for h, text in told.items()},
        rows=[
            *map(_row, rows.numbers, rows.places, rows.words, repeat([*told.values()])),
            *_headings(table),
        ],
        marks=[mark for number in rows.numbers for mark in _marks(part, number)],
        texts=[
            (number, place + 1, text)
            for position, place in enumerate(table.places)
            for number, text in _misread(table.frame[position])
        ],
    )


def _misread(cells: pd.Series[str]) -> Iterable[tuple[int, str]]:
    """Give the row numbers and texts of cells that openpyxl has otherwise."""
    some = cells[(cells == NOT_CALCULATED) | cells.str.contains(ESCAPE)]
    return zip(some.index.tolist(), some.tolist(), strict=True)


def _row(number: int, place: str, words: Words, told: Sequence[str]) -> RowOrder:
    return RowOrder(
        row=number,
        height=look.result_height(words),
        texts=[*words.texts, place, *told],
        styles=[*look.result_styles(words.result), *["text"] * len(told)],
    )


def _headings(table: Table) -> Iterator[RowOrder]:
    """Repeat a header of ours that is read again wherever the table repeats its own: they are known by being the same."""
    headers = [*RESULT_COLUMNS, *table.columns.told]
    for number, why in table.ignored.items() if table.columns.told else ():
        if why == REPEATED:
            yield RowOrder(row=number, height=None, texts=headers, styles=["ours"] * len(headers))


def _marks(part: Part, number: int) -> list[MarkOrder]:
    table = part.table
    return [
        MarkOrder(
            row=number,
            column=table.places[position] + 1,
            style=look.tint(found),
            note=look.note(found),
        )
        for position, found in look.by_cell(part.marks.get(number, ())).items()
    ]
