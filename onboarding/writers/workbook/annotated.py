"""The user's own workbook in, the same with results out: its sheets that were read, as they look, and nothing else of it.

What is kept is named here: cells with their formats, widths, heights, merged cells, drop-downs that list their own
words, and the users' notes. Formulas become the values that the file holds for them. Everything else (macros, other
sheets, links, names, pictures, queries, rules with formulas) stays behind.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from copy import copy

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook.views import BookView
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table as ListObject
from openpyxl.worksheet.worksheet import Worksheet

from onboarding.report import RESULT_COLUMNS
from onboarding.writers.workbook import look
from onboarding.writers.workbook.look import STYLES, Part, Style
from onboarding.writers.workbook.overview import Line, height_of

QUOTE = "'"
TINTS = {f"FF{colour.upper()}" for colour in (look.GUILTY, look.NOTED)}


def annotated(content: bytes, parts: Sequence[Part], summary: tuple[str, Sequence[Line]]) -> bytes:
    """Give the workbook's bytes. Raises whatever openpyxl does where it can't make sense of the file."""
    with warnings.catch_warnings(action="ignore"):  # of what is left behind, which is meant
        book = load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
        _add_styles(book)
        others = book.sheetnames
        pairs = [(book[part.table.sheet or ""], _copied(book, part)) for part in parts]
        for title in others:
            del book[title]
        for part, (source, sheet) in zip(parts, pairs, strict=True):
            sheet.title = part.title
            _tools(source, sheet, part)
        book.defined_names.clear()
        book.security = None
        title, lines = summary
        _summary(book.create_sheet(title, 0), lines)
        book.views = [BookView()]
        written = io.BytesIO()
        book.save(written)
    return written.getvalue()


def _add_styles(book: Workbook) -> None:
    for name, style in STYLES.items():
        if _named(name) not in book.named_styles:  # an earlier report of ours has them
            book.add_named_style(_style(name, style))


def _named(name: str) -> str:
    return f"onboarding {name}"


def _style(name: str, style: Style) -> NamedStyle:
    line = Side(style="thin", color="cbd5df") if style.line else Side()
    return NamedStyle(
        _named(name),
        font=Font(
            name="Calibri",
            size=style.size,
            bold=style.bold,
            color=style.ink,
            underline="single" if style.link else None,
        ),
        fill=PatternFill("solid", fgColor=f"FF{style.fill.upper()}")
        if style.fill
        else PatternFill(),
        border=Border(bottom=line),
        alignment=Alignment(
            vertical="top", wrap_text=style.wrap, horizontal="left" if style.number else None
        ),
        number_format="#,##0" if style.number else "@",
    )


# ---- a sheet that was read --------------------------------------------------------------------------------------


def _copied(book: Workbook, part: Part) -> Worksheet:
    """Copy a sheet and write the results into the copy."""
    source = book[part.table.sheet or ""]
    sheet = book.copy_worksheet(source)
    _clear(sheet, part)
    columns = _result_places(sheet, part)
    _results(sheet, part, columns)
    _marks(sheet, part)
    return sheet


def _clear(sheet: Worksheet, part: Part) -> None:
    """Take away what must not come along: links, passwords, and what an earlier report marked."""
    table = part.table
    secret = {table.places[position] + 1 for position in table.columns.blanked}
    for line in sheet.iter_rows():
        for cell in line:
            if isinstance(cell, MergedCell):
                continue
            cell.hyperlink = None
            if cell.column in secret and cell.row != table.top:
                cell.value = cell.comment = None
            if cell.comment and cell.comment.author == look.AUTHOR:
                cell.comment = None
            if cell.has_style and cell.fill.fgColor.rgb in TINTS:
                cell.fill = PatternFill()


def _result_places(sheet: Worksheet, part: Part) -> list[int]:
    """Give the result columns' places: where an earlier report has them, else right of everything."""
    table = part.table
    used = {place + 1 for place in table.places}
    there = {
        str(cell.value).strip().lower(): cell.column
        for cell in sheet[table.top]
        if table.fed_back and cell.value is not None and cell.column not in used
    }
    places, right = [], sheet.max_column
    for name in RESULT_COLUMNS:
        if name not in there:
            right += 1
        places.append(there.get(name, right))
    return places


def _results(sheet: Worksheet, part: Part, columns: Sequence[int]) -> None:
    for column, (name, width) in zip(columns, look.RESULT_WIDTHS.items(), strict=True):
        _write(sheet.cell(part.table.top, column), name, "ours")
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row in part.rows:
        number = row.row.row
        dimension = sheet.row_dimensions[number]
        dimension.hidden = False
        dimension.height = max(dimension.height or 0, look.result_height(row) or 0) or None
        for column, text, style in zip(columns, row.cells, look.result_styles(row), strict=True):
            _write(sheet.cell(number, column), text, style)


def _write(cell: Cell, text: str | int, style: str) -> None:
    """Write text, whatever it starts with."""
    if isinstance(text, int):
        cell.value = text
    else:
        cell.value = escaped(text) or None
        cell.data_type = "s"
    cell.style = _named(style)


def escaped(text: str) -> str:
    r"""Escape what XML can't hold as spreadsheet programs do.

    >>> escaped("\r _x0041_")
    '_x000D_ _x005F_x0041_'
    """
    literal = re.sub(r"_(x[0-9A-Fa-f]{4}_)", r"_x005F_\1", look.writable(text))
    return re.sub(r"[\x00-\x08\x0b-\x1f]", lambda found: f"_x{ord(found[0]):04X}_", literal)


def _marks(sheet: Worksheet, part: Part) -> None:
    """Tint the guilty cells and give them their notes."""
    table, notes = part.table, 0
    covered = {
        (row, column): (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, area.max_row + 1)
        for column in range(area.min_col, area.max_col + 1)
    }
    for row in part.rows:
        for position, found in look.by_cell(part.marks.get(row.row.row, ())).items():
            at = (row.row.row, table.places[position] + 1)
            cell = sheet.cell(*covered.get(at, at))
            text = str(table.frame.at[row.row.row, position])
            if cell.value is None and text and at not in covered:
                _write(cell, text, "text")  # a formula that nothing ever calculated
            cell.fill = PatternFill("solid", fgColor=f"FF{STYLES[look.tint(found)].fill.upper()}")
            if notes < look.MOST_NOTES:
                notes += 1
                cell.comment = _note(cell.comment, look.note(found))


def _note(theirs: Comment | None, text: str) -> Comment:
    if theirs:
        text = f"{text}\n\n{theirs.author}: {theirs.text}"
    return Comment(escaped(text), look.AUTHOR, look.note_height(text), look.NOTE_WIDTH)


def _tools(source: Worksheet, sheet: Worksheet, part: Part) -> None:
    """Freeze the headers, filter all columns, and keep the drop-downs that need no other cell."""
    table = part.table
    frozen = sheet.cell(table.top + 1, look.frozen(table, table.places) + 1)
    sheet.freeze_panes = source.freeze_panes or frozen
    last = max([table.top + 1, *(row.row.row for row in part.rows)])
    area = f"{get_column_letter(min(table.places) + 1)}{table.top}:{get_column_letter(sheet.max_column)}{last}"
    if not _as_table(source, sheet, area):
        sheet.auto_filter.ref = area
    _for_paper(sheet)
    for rule in source.data_validations.dataValidation:
        if rule.type == "list" and str(rule.formula1).startswith('"'):
            sheet.add_data_validation(copy(rule))


def _for_paper(sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _as_table(source: Worksheet, sheet: Worksheet, area: str) -> bool:
    """Keep the stripes of what the user's program calls a table, where it would take ours for one, too."""
    headers = [cell.value for cell in sheet[area][0]]
    names = {header.casefold() for header in headers if isinstance(header, str)}
    theirs = list(source.tables.values())
    if len(theirs) != 1 or len(names) != len(headers) or sheet.merged_cells.ranges:
        return False
    (old,) = theirs
    if old.ref.partition(":")[0] != area.partition(":")[0]:
        return False
    striped = ListObject(displayName=old.displayName, ref=area)
    striped.tableStyleInfo = copy(old.tableStyleInfo)
    sheet.add_table(striped)
    return True


# ---- the first sheet ----------------------------------------------------------------------------------------------


def _summary(sheet: Worksheet, lines: Sequence[Line]) -> None:
    for column, width in enumerate(look.SUMMARY_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.sheet_view.showGridLines = False
    _for_paper(sheet)
    for number, line in enumerate(lines, 1):
        if height := height_of(line):
            sheet.row_dimensions[number].height = height
        column = 1
        for cell in line:
            written = sheet.cell(number, column)
            _write(written, cell.text, cell.style)
            if cell.to:
                title, place = cell.to
                inside = f"'{title.replace(QUOTE, QUOTE * 2)}'!{place}"
                written.hyperlink = Hyperlink(ref=written.coordinate, location=inside)
            if cell.span > 1:
                sheet.merge_cells(
                    start_row=number,
                    end_row=number,
                    start_column=column,
                    end_column=column + cell.span - 1,
                )
            column += cell.span
