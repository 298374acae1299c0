"""Sheets and a first sheet in; the bytes of a workbook made from nothing out. Every cell is text and stays so."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from operator import add
from typing import TYPE_CHECKING, Any

from onboarding.report import RESULT_COLUMNS
from onboarding.writers.tables import cells_of, columns_of
from onboarding.writers.workbook import look
from onboarding.writers.workbook.look import Part
from onboarding.writers.workbook.overview import Cell, Line, height_of
from onboarding.writers.workbook.rows import CHUNK, Rows, filled
from onboarding.writers.workbook.style import (
    AUTHOR,
    MOST_NOTES,
    NOTE_WIDTH,
    STYLES,
    Style,
    note_height,
    writable,
)

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    Formats = dict[str, Format]


def fresh(parts: Sequence[Part], summary: tuple[str, Sequence[Line]] | None) -> bytes:
    """Make the workbook: the first sheet's title and lines, if there is one, then a sheet for each part."""
    import xlsxwriter  # here, since `validate` hardly ever writes one

    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    looks = {style: book.add_format(_format(style)) for style in STYLES.values()}
    formats = {name: looks[style] for name, style in STYLES.items()}
    if summary:
        title, lines = summary
        _summary(book.add_worksheet(title), lines, formats)
    notes = MOST_NOTES
    rows = {}
    for part in parts:
        notes -= _sheet(book.add_worksheet(part.title), part, formats, notes)
        rows[f"xl/worksheets/sheet{len(book.worksheets())}.xml"] = _rows(part, formats)
    book.close()
    return filled(content.getvalue(), rows)


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
    """Make a table's sheet, but for its rows. Give the number of notes, at most ``notes``."""
    _shape(sheet, part, formats)
    for number, style in enumerate(formats.values()):
        sheet.set_row(
            number, None, style
        )  # gives the style its number; the rows themselves come later
    written = 0
    for number, row in enumerate(part.rows.numbers, 1):
        found = look.by_cell(part.marks.get(row, ()))
        for place in sorted(found)[: notes - written]:
            _note(sheet, number, place, look.note(found[place]))
            written += 1
    return written


def _rows(part: Part, formats: Formats) -> Iterator[Rows]:
    """Give the header and the rows: their own columns, then the results."""
    headers = [header for header, _ in columns_of(part.table)]
    label = [formats["own"]] * len(headers) + [formats["ours"]] * len(RESULT_COLUMNS)
    yield Rows([[header] for header in (*headers, *RESULT_COLUMNS)], [tuple(label)], [None])
    text = (formats["text"],) * len(headers)
    results = {
        name: tuple(formats[style] for style in look.result_styles(name)) for name in formats
    }

    def own(number: int) -> tuple[Format, ...]:
        found = look.by_cell(part.marks.get(number, ()))
        if not found:
            return text
        return tuple(
            formats[look.tint(found[n])] if n in found else text[n] for n in range(len(text))
        )

    for lot in part.rows.lots(CHUNK):
        told = zip(*lot.each(lambda words: words.texts), strict=True)
        yield Rows(
            [*cells_of(part.table, lot.numbers).values(), *told, lot.places],
            [*map(add, map(own, lot.numbers), lot.each(lambda words: results[words.result]))],
            lot.each(look.result_height),
        )


def _shape(sheet: Worksheet, part: Part, formats: Formats) -> None:
    sample = cells_of(part.table, part.rows.numbers[: look.SAMPLE])
    for place, ((header, _), cells) in enumerate(sample.items()):
        sheet.set_column(place, place, look.width_of((header + "  ", *cells)), formats["text"])
    for place, width in enumerate(look.RESULT_WIDTHS.values(), len(sample)):
        sheet.set_column(place, place, width)
    last = len(sample) + len(RESULT_COLUMNS) - 1
    sheet.freeze_panes(1, look.frozen(part.table, range(len(sample))))
    sheet.autofilter(0, 0, max(len(part.rows.numbers), 1), last)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _note(sheet: Worksheet, number: int, place: int, text: str) -> None:
    facts = {"author": AUTHOR, "width": NOTE_WIDTH, "height": note_height(text)}
    sheet.write_comment(number, place, writable(text), facts)
