"""The user's own workbook in, the same with results out: its sheets that were read, as they look, and nothing else of it.

What is kept is named here: cells with their formats, widths, heights, merged cells, drop-downs that list their own
words, stripes, and the users' notes. Formulas become the values that the file holds for them. Everything else (macros,
other sheets, links, names, pictures, queries, rules with formulas) stays behind.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from copy import copy

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook.views import BookView
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from onboarding.writers.workbook.style import (
    AUTHOR,
    ESCAPE,
    GUILTY,
    MOST_NOTES,
    NOTE_WIDTH,
    NOTED,
    SIGN,
    STYLES,
    Order,
    SheetOrder,
    Style,
    escaped,
    note_height,
    unescaped,
)

TINTS = {f"FF{colour.upper()}" for colour in (GUILTY, NOTED)}
QUOTE = "'"


def annotated(content: bytes, order: Order) -> bytes:
    """Give the workbook's bytes. Raises whatever openpyxl does where it can't make sense of the file."""
    with warnings.catch_warnings(action="ignore"):  # of what is left behind, which is meant
        book = load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
    _add_styles(book)
    theirs = book.sheetnames
    pairs = [(book[one["name"]], book.copy_worksheet(book[one["name"]])) for one in order["sheets"]]
    for title in theirs:
        del book[title]
    for one, (source, sheet) in zip(order["sheets"], pairs, strict=True):
        sheet.title = one["title"]
        _clear(sheet, one)
        _correct(sheet, one)
        _spread(sheet)
        _results(sheet, one)
        _marks(sheet, one)
        _tools(source, sheet, one)
    book.defined_names.clear()
    book.security = None
    _summary(book.create_sheet(order["title"], 0), order)
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
    return NamedStyle(
        _named(name),
        font=Font(
            name="Calibri",
            size=style.size,
            bold=style.bold,
            color=style.ink,
            underline="single" if style.link else None,
        ),
        fill=_fill(style),
        border=Border(bottom=Side(style="thin", color="cbd5df") if style.line else None),
        alignment=Alignment(
            vertical="top", wrap_text=style.wrap, horizontal="left" if style.number else None
        ),
        number_format="#,##0" if style.number else "@",
    )


def _fill(style: Style) -> PatternFill:
    return PatternFill("solid", fgColor=f"FF{style.fill.upper()}") if style.fill else PatternFill()


# ---- a sheet that was read --------------------------------------------------------------------------------------


def _cells(sheet: Worksheet) -> Iterator[Cell]:
    """Give the cells that there are; ``iter_rows`` would make all those between them as well."""
    for cell in list(sheet._cells.values()):  # noqa: SLF001
        if not isinstance(cell, MergedCell):
            yield cell


def _clear(sheet: Worksheet, order: SheetOrder) -> None:
    """Take away what must not come along: links, passwords, and what an earlier report marked."""
    secret = set(order["secret"])
    for cell in _cells(sheet):
        cell.hyperlink = None
        if cell.column in secret and cell.row != order["top"]:
            cell.value = cell.comment = None
        if cell.comment:
            cell.comment = _noted(cell.comment, cell.comment.text.partition(SIGN)[0].rstrip())
        if cell.has_style and cell.fill.fgColor.rgb in TINTS:
            cell.fill = PatternFill()


def _correct(sheet: Worksheet, order: SheetOrder) -> None:
    """Write down what openpyxl misreads as it was read; an escape as what it means, which not every program knows."""
    for row, column, text in order["texts"]:
        if not isinstance(cell := sheet.cell(row, column), MergedCell):
            _text(cell, text)
    for cell in _cells(sheet):
        if isinstance(cell.value, str) and ESCAPE.search(cell.value):
            _text(cell, unescaped(cell.value))


def _spread(sheet: Worksheet) -> None:
    """Give each column its own width and hiding, where one entry stands for several: some may be shown."""
    for shared in list(sheet.column_dimensions.values()):
        first, last = shared.min or 0, shared.max or 0
        for column in range(first + 1, min(last, sheet.max_column) + 1):
            own = sheet.column_dimensions[get_column_letter(column)]
            own.width, own.hidden, own.outlineLevel = (
                shared.width,
                shared.hidden,
                shared.outlineLevel,
            )
        if last > first:
            shared.max = first


def _results(sheet: Worksheet, order: SheetOrder) -> None:
    places = _result_places(sheet, order)
    for column, (name, width) in zip(places, order["widths"].items(), strict=True):
        _write(sheet.cell(order["top"], column), name, "ours")
        sheet.column_dimensions[get_column_letter(column)].width = width
        sheet.column_dimensions[get_column_letter(column)].hidden = False
    for row in order["rows"]:
        dimension = sheet.row_dimensions[row["row"]]
        dimension.hidden = False
        dimension.height = max(dimension.height or 0, row["height"] or 0) or None
        for column, text, style in zip(places, row["texts"], row["styles"], strict=True):
            _write(sheet.cell(row["row"], column), text, style)


def _result_places(sheet: Worksheet, order: SheetOrder) -> list[int]:
    """Give the result columns' places: where an earlier report has them, else right of everything."""
    there = {
        str(cell.value).strip().lower(): cell.column
        for cell in sheet[order["top"]]
        if order["fed_back"] and cell.value is not None and cell.column not in order["columns"]
    }
    places, right = [], sheet.max_column
    for name in order["widths"]:
        right += name not in there
        places.append(there.get(name, right))
    return places


def _write(cell: Cell, text: str | int, style: str) -> None:
    if isinstance(text, str):
        _text(cell, text)
    else:
        cell.value = text
    cell.style = _named(style)


def _text(cell: Cell, text: str) -> None:
    """Write text as text, whatever it starts with."""
    cell.value = escaped(text) or None
    if text:
        cell.data_type = "s"


def _marks(sheet: Worksheet, order: SheetOrder) -> None:
    """Tint the guilty cells and give them their notes."""
    anchors = _anchors(sheet)
    for number, mark in enumerate(order["marks"]):
        at = (mark["row"], mark["column"])
        cell = sheet.cell(*anchors.get(at, at))
        cell.fill = _fill(STYLES[mark["style"]])
        sheet.column_dimensions[get_column_letter(cell.column)].hidden = False
        if number < MOST_NOTES:
            above = f"{cell.comment.text}\n\n" if cell.comment else ""
            cell.comment = _noted(cell.comment, above + escaped(mark["note"]))


def _anchors(sheet: Worksheet) -> Mapping[tuple[int, int], tuple[int, int]]:
    """Say of each cell that another one covers, which: only that can be tinted."""
    return {
        cell: (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        for line in area.rows
        for cell in line
    }


def _noted(theirs: Comment | None, text: str) -> Comment | None:
    """Give a note of this text, signed as it was; None where there is nothing to note."""
    author = theirs.author if theirs else AUTHOR
    return Comment(text, author, note_height(text), NOTE_WIDTH) if text else None


def _tools(source: Worksheet, sheet: Worksheet, order: SheetOrder) -> None:
    """Freeze the headers, filter all columns, and keep the drop-downs that need no other cell."""
    top = order["top"]
    sheet.freeze_panes = source.freeze_panes or sheet.cell(top + 1, order["frozen"] + 1)
    left, right = get_column_letter(min(order["columns"])), get_column_letter(sheet.max_column)
    last = max([top + 1, *(row["row"] for row in order["rows"])])
    area = f"{left}{top}:{right}{last}"
    if not _as_table(source, sheet, area):
        sheet.auto_filter.ref = area
    _for_paper(sheet)
    sheet.print_title_rows = f"{top}:{top}"
    for rule in source.data_validations.dataValidation:
        if rule.type == "list" and str(rule.formula1).startswith('"'):
            sheet.add_data_validation(copy(rule))


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
    striped = Table(displayName=old.displayName, ref=area)
    striped.tableStyleInfo = copy(old.tableStyleInfo)
    sheet.add_table(striped)
    return True


def _for_paper(sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


# ---- the first sheet ----------------------------------------------------------------------------------------------


def _summary(sheet: Worksheet, order: Order) -> None:
    for column, width in enumerate(order["widths"], 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.sheet_view.showGridLines = False
    _for_paper(sheet)
    for number, line in enumerate(order["lines"], 1):
        if line["height"]:
            sheet.row_dimensions[number].height = line["height"]
        column = 1
        for cell in line["cells"]:
            written = sheet.cell(number, column)
            _write(written, cell["text"], cell["style"])
            if cell["to"]:
                title, place = cell["to"]
                inside = f"'{title.replace(QUOTE, QUOTE * 2)}'!{place}"
                written.hyperlink = Hyperlink(ref=written.coordinate, location=inside)
                written.style = _named(cell["style"])
            column += cell["span"]
            if cell["span"] > 1:
                sheet.merge_cells(None, number, written.column, number, column - 1)
