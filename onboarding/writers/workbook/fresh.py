"""Sheets and a first sheet in; the bytes of a workbook made from nothing out. Every cell is text and stays so.

Rows go to the disk as they come, whatever their number; what xlsxwriter keeps there meanwhile stands in ``scratch``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from onboarding.report import RESULT_COLUMNS
from onboarding.writers.tables import Column, cells_of, columns_of
from onboarding.writers.workbook import look
from onboarding.writers.workbook.look import Part
from onboarding.writers.workbook.overview import Cell, Line, height_of
from onboarding.writers.workbook.style import (
    AUTHOR,
    MOST_NOTES,
    NOTE_WIDTH,
    STYLES,
    Style,
    note_height,
    writable,
)

Formats = dict[str, Format]


def fresh(
    parts: Sequence[Part], summary: tuple[str, Sequence[Line]] | None, scratch: Path
) -> bytes:
    """Make the workbook: the first sheet's title and lines, if there is one, then a sheet for each part."""
    content = _Content()
    book = xlsxwriter.Workbook(content, {"constant_memory": True, "tmpdir": str(scratch)})
    formats = {name: book.add_format(_format(style)) for name, style in STYLES.items()}
    if summary:
        title, lines = summary
        _summary(book.add_worksheet(title), lines, formats)
    notes = MOST_NOTES
    for part in parts:
        notes -= _sheet(book.add_worksheet(part.title), part, formats, notes)
    try:
        book.close()
    except FileCreateError as error:  # so it calls whatever the disk says
        (why,) = error.args
        raise OSError(why.errno, why.strerror) from error
    return content.getvalue()


class _Content(io.BytesIO):
    """Stays open: after a failure xlsxwriter leaves a zip file behind, which complains if it can't end what it began."""

    def close(self) -> None:
        """Do nothing; memory needs no closing."""


def _format(style: Style) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "font_color": f"#{style.ink}",
        "font_size": style.size,
        "bold": style.bold,
        "text_wrap": style.wrap,
        "underline": int(style.link),
        "valign": "top",
        "num_format": "#,##0" if style.number else "@",
    }
    if style.fill:
        facts["bg_color"] = f"#{style.fill}"
    if style.line:
        facts |= {"bottom": 1, "bottom_color": "#cbd5df"}
    if style.number:
        facts["align"] = "left"
    return facts


def _summary(sheet: Worksheet, lines: Sequence[Line], formats: Formats) -> None:
    for column, width in enumerate(look.SUMMARY_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    for number, line in enumerate(lines):
        if height := height_of(line):
            sheet.set_row(number, height)
        column = 0
        for cell in line:
            _write(sheet, number, column, cell, formats[cell.style])
            column += cell.span


def _write(sheet: Worksheet, number: int, column: int, cell: Cell, style: Format) -> None:
    if cell.span > 1:
        sheet.merge_range(number, column, number, column + cell.span - 1, "", style)
    if isinstance(cell.text, int):
        sheet.write_number(number, column, cell.text, style)
    elif cell.to:
        title, place = cell.to
        target = f"internal:'{title.replace(chr(39), chr(39) * 2)}'!{place}"
        sheet.write_url(number, column, target, style, writable(cell.text))
    else:
        sheet.write_string(number, column, writable(cell.text), style)


def _sheet(sheet: Worksheet, part: Part, formats: Formats, notes: int) -> int:
    """Write a table: its own columns, then the results. Give the number of notes, at most ``notes``."""
    columns = columns_of(part.table)
    cells = cells_of(part.table, [row.row.row for row in part.rows])
    _shape(sheet, part, columns, cells, formats)
    for place, (header, _) in enumerate(columns):
        sheet.write_string(0, place, writable(header), formats["own"])
    for place, name in enumerate(RESULT_COLUMNS, len(columns)):
        sheet.write_string(0, place, name, formats["ours"])

    written = 0
    own = zip(*(cells[column] for column in columns), strict=True)
    for number, (row, line) in enumerate(zip(part.rows, own, strict=True), 1):
        if height := look.result_height(row):
            sheet.set_row(number, height)
        found = look.by_cell(part.marks.get(row.row.row, ()))
        styles = [
            look.tint(found[place]) if place in found else "text" for place in range(len(line))
        ]
        styles += look.result_styles(row)
        _line(sheet, number, (*line, *row.cells), [formats[style] for style in styles])
        for place in sorted(found)[: notes - written]:
            _note(sheet, number, place, look.note(found[place]))
            written += 1
    return written


def _line(sheet: Worksheet, number: int, texts: Sequence[str], formats: Sequence[Format]) -> None:
    for place, (text, style) in enumerate(zip(texts, formats, strict=True)):
        if text:
            sheet.write_string(number, place, writable(text), style)
        else:
            sheet.write_blank(number, place, None, style)


def _shape(
    sheet: Worksheet,
    part: Part,
    columns: Sequence[Column],
    cells: Mapping[Column, Sequence[str]],
    formats: Formats,
) -> None:
    for place, column in enumerate(columns):
        width = look.width_of((column[0] + "  ", *cells[column][: look.SAMPLE]))
        sheet.set_column(place, place, width, formats["text"])
    for place, width in enumerate(look.RESULT_WIDTHS.values(), len(columns)):
        sheet.set_column(place, place, width)
    last = len(columns) + len(RESULT_COLUMNS) - 1
    sheet.freeze_panes(1, look.frozen(part.table, range(len(columns))))
    sheet.autofilter(0, 0, max(len(part.rows), 1), last)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _note(sheet: Worksheet, number: int, place: int, text: str) -> None:
    facts = {"author": AUTHOR, "width": NOTE_WIDTH, "height": note_height(text)}
    sheet.write_comment(number, place, writable(text), facts)
