"""A table's cells in; what is wrong with them by the file's own fault, said in them and as findings, out.

Errors and merged cells are written into the cells that they stand in. Passwords are taken out, and from a report that is
fed back our own result columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from onboarding.errors import SheetError
from onboarding.headers import (
    CARRIED,
    Columns,
    Kind,
    Table,
    result_columns,
    said_before,
    understand,
)
from onboarding.model import Finding, RowRef
from onboarding.schemas import BLANKS, clean, fault
from onboarding.schemas.columns import holding, side_by_side
from onboarding.sheets.grid import SURPLUS, Grid
from onboarding.sheets.layout import Layout, is_blank
from onboarding.sheets.reading import Reading
from onboarding.workbooks.marks import STRUCK

FORMULA_STARTS = tuple("=+-@\t\r")
"""What makes a spreadsheet program take a cell for a formula; our own CSV puts a ``'`` in front."""

MERGED = "#MERGED!"
NOT_SHOWN = "(not shown: a password may stand here)"
NOT_CALCULATED = "#NOT CALCULATED!"
ERRORS = frozenset(
    {"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"}
    | {"#GETTING_DATA", "#BLOCKED!", "#CONNECT!", "#FIELD!", "#UNKNOWN!", "#BUSY!", "#PYTHON!"}
    | {"#ERROR!", "#NV", "#WERT!", "#BEZUG!", "#ZAHL!", "#NOM?", "#VALEUR!", "#¡REF!", "#¡VALOR!"}
    | {"#ÜBERLAUF!", "#¿NOMBRE?", "#¡DIV/0!", "#NOMBRE!", "#VALORE!", "#RIF!", "#N/D", MERGED}
    | {NOT_CALCULATED, STRUCK}
    | {f"Err:{number}" for number in range(501, 541)}
)
"""What spreadsheet programs show instead of a value, also in text files that they write; and our own three."""


def surplus(grid: Grid, width: int, numbers: pd.Index) -> dict[int, tuple[str, ...]]:
    """Give the cells beyond the table's width, by row number.

    Blank cells at the end of every single row (a delimiter too many at each line's end) are no surplus, nor are those
    that a spreadsheet makes for whatever stands beside the table.
    """
    widths = grid.widths(numbers)
    long = numbers[widths > width]
    if len(long) == 0:
        return {}
    if widths.min() == widths.max() and _are_blank(grid, width, numbers):
        return {}
    wanted = long.tolist()
    return {n: tuple(row[width:]) for n, row in zip(wanted, grid.rows(wanted), strict=True)}


def _are_blank(grid: Grid, width: int, numbers: pd.Index) -> bool:
    beyond = grid.cells.frame.iloc[:, width:].loc[numbers]
    further = (cells for number, cells in grid.cells.beyond.items() if number in numbers)
    return all(is_blank(beyond[i].tolist()) for i in beyond) and all(map(is_blank, further))


def ragged(
    beyond: Mapping[int, Sequence[str]], width: int, columns: Columns, at: RowRef
) -> list[Finding]:
    """Reject the rows that have cells beyond the last header."""
    return [
        Finding(
            "row-ragged",
            f"has {width + len(cells)} cells, and the table has {width} columns",
            at._replace(row=number),
            value="" if columns.blanked else " ".join(cells).strip(BLANKS),
        )
        for number, cells in beyond.items()
    ]


def cut_off(grid: Grid, layout: Layout, width: int, at: RowRef) -> list[Finding]:
    """Reject the last row of a file that breaks off in it: a blank ``action`` would mean *add*."""
    last = len(grid)
    if not grid.open_end or last in layout.ignored:
        return []
    row = grid.row(last)
    takes_away = [i for name in ("action", "status") for i in layout.columns.fields.get(name, ())]
    if len(row) < width:
        message = f"has {len(row)} of {width} cells and no line end; is the file cut off?"
    elif width - 1 in takes_away and is_blank(row[-1:]):
        message = "ends in a blank cell without a line end, where leaving could be said; is the file cut off?"
    else:
        return []
    missing = min(len(row), width - 1)
    above = layout.frame(grid, width).iloc[:-1, missing:]
    if len(above) and all(is_blank(above[i].tolist()) for i in above):
        return []  # nobody ever writes anything there
    return [Finding("row-cut", message, at._replace(row=last))]


def refuse_swallowed(grid: Grid, layout: Layout, width: int) -> None:
    """Raise ``SheetError`` where a title or a header holds other rows of the file: nobody would read these."""
    if not grid.delimiter or grid.cells.unbroken:
        return
    marks = _SEPARATORS | {grid.delimiter}
    for number, row in enumerate(grid.head[: layout.top], 1):
        if any(
            _holds_lines(cell, marks, width, layout.columns) or _names_somebody(cell, marks)
            for cell in row
        ):
            raise SheetError(f"row {number} {_SWALLOWED}; take it away, or double it")


def swallowed(table: Table, grid: Grid) -> list[Finding]:
    """Reject a row one of whose cells holds others, or the end of it and the beginning of the next: by a stray quote.

    Also in a report that is fed back, which was no text perhaps, or parted by something else.
    """
    if not (grid.delimiter or table.fed_back) or grid.cells.unbroken:
        return []
    found = {}
    marks = _SEPARATORS | {*grid.delimiter}
    names = () if "email" in table.columns.fields else table.columns.fields.get("group", ())
    for position in table.frame:
        cells = table.frame[position]
        cells = cells[holding(cells, "\n") | holding(cells, "\r")]
        for number, cell in zip(cells.index.tolist(), cells.tolist(), strict=True):
            if _holds_lines(cell, marks, len(table.headers), table.columns) or (
                position in names and _LINE_END.search(cell.strip())
            ):
                at = RowRef(table.index, number, table.source)
                found[number] = Finding("row-ragged", _SWALLOWED, at)
    return list(found.values())


_SWALLOWED = "has a cell that holds whole lines of the file: a quote stands where none belongs"
_LINE_END = re.compile(r"\r\n?|\n")
_SEPARATORS = frozenset(",;\t|")


def _holds_lines(cell: str, marks: frozenset[str], width: int, columns: Columns) -> bool:
    """Whether a cell has line ends, and between them all that parts the cells of a row.

    An address must stand there, too, if the table is one of people. In a text about a group a blank follows a comma.
    """
    ends = len(_LINE_END.findall(cell))
    if not ends or "email" in columns.fields:
        return ends > 0 and "@" in cell and max(map(cell.count, marks)) >= width - 1
    tight = max(cell.count(mark) - cell.count(f"{mark} ") for mark in marks)
    return tight >= ends * (width - 1) > 0


def _names_somebody(cell: str, marks: frozenset[str]) -> bool:
    """Whether a cell has several lines, and an address is all that stands in one of the parts of one."""
    if not _LINE_END.search(cell) or "@" not in cell:
        return False
    parts = re.split(f"[\r\n{re.escape(''.join(marks))}]", cell)
    return any("@" in part and not fault(clean(part)) for part in parts)


def torn(grid: Grid, frame: pd.DataFrame, columns: Columns, at: RowRef) -> list[Finding]:
    """Reject a row that ends too early where the next line seems to be its rest: what stands there may take it back.

    So it looks when a cell with a line break in it was written without quotes.
    """
    if "email" not in columns.fields or len(frame) < 2:
        return []
    widths, width = grid.widths(frame.index), frame.shape[1]
    above, below = widths[:-1], widths[1:]
    cut = (above < width) & (below < width) & (above + below >= width)
    if not cut.any():
        return []
    there = frame[columns.fields["email"][0]].str.contains("@", regex=False).to_numpy()
    cut &= there[:-1] & ~there[1:] & (np.diff(frame.index) == 1)
    found = zip(frame.index[:-1][cut].tolist(), above[cut].tolist(), strict=True)
    return [
        Finding(
            "row-cut",
            f"has {cells} of {width} cells, and the next line seems to be the rest of it",
            at._replace(row=number),
        )
        for number, cells in found
    ]


def show_errors(
    frame: pd.DataFrame, grid: Grid, headers: Sequence[str], columns: Columns, at: RowRef
) -> list[Finding]:
    """Write into their cells what is wrong with them; one in a column that counts rejects its row.

    The words stay in the cells. So a row that is given back to be corrected, or a text file that a spreadsheet program
    wrote, says the same: a blank ``action`` would mean *add*.
    """
    counts = {i for name, where in columns.fields.items() if name not in CARRIED for i in where}
    wrong = {cell: MERGED for cell in grid.covered if cell[1] in counts}
    wrong |= {cell: shown or NOT_CALCULATED for cell, shown in grid.errors.items()}
    for (number, position), shown in wrong.items():
        if number in frame.index and position < len(headers):
            frame.loc[number, position] = shown
    with side_by_side() as crew:
        errors = [*crew.map(lambda position: frame[position].isin(ERRORS).to_numpy(), counts)]
    found = [
        (int(number), position, str(frame.at[number, position]))
        for position, shows in zip(counts, errors, strict=True)
        for number in frame.index[shows]
    ]
    return [
        Finding("cell-error", _of_error(shown), at._replace(row=number), headers[position], shown)
        for number, position, shown in sorted(found)
    ]


def _of_error(shown: str) -> str:
    if shown == MERGED:
        return "stands for a merged cell; unmerge it and write into each row what counts for it"
    if shown == STRUCK:
        return "stands for a cell that is struck out; delete the row, or take the line off"
    never = "stands for a formula that was never calculated"
    what = never if shown == NOT_CALCULATED else "is an error"
    return f"{what}, not a value; open the file, check the cell, save it"


def blank_passwords(
    frame: pd.DataFrame, columns: Columns, beyond: Mapping[int, Sequence[str]]
) -> None:
    """Nobody but this function sees a password; in a row with too many cells it may stand further right."""
    if columns.blanked:
        frame[list(columns.blanked)] = ""
        for number in beyond:
            for position in range(min(columns.blanked), frame.shape[1]):
                frame.at[number, position] = ""


def without_results(table: Table, reading: Reading) -> Table:
    """Cut our own result columns out of a report that is fed back, and take our guards off its cells."""
    cut = result_columns(table.headers)
    if not cut:
        return table
    beyond = [i for i, header in enumerate(table.headers) if header == SURPLUS]
    keep = [i for i in range(len(table.headers)) if i not in cut and i not in beyond]
    frame, headers = table.frame, [table.headers[i] for i in keep]
    if not table.sheet:
        headers = [_unguarded(header) for header in headers]
        frame = frame.map(_unguarded)
    given_back = _given_back(frame[beyond])
    kind = reading.kind or said_before(table.headers)
    named = partial(understand, columns=reading.columns, group=reading.group)
    parts = _by_table(table)
    columns = named(headers, kind=kind, hint=next(iter(parts), table.source))
    if kind is None and not table.sheet and parts.keys() - {table.source}:
        _insist_on_one_kind(columns.kind, headers, frame[keep], parts, named)
    at = RowRef(table.index, 0, table.source)
    return replace(
        table,
        headers=tuple(headers),
        frame=frame[keep].set_axis(range(len(keep)), axis="columns"),
        columns=columns,
        fed_back=True,
        findings=(*table.findings, *ragged(given_back, len(keep), columns, at)),
        surplus={**table.surplus, **given_back},
        places=tuple(keep),
    )


def _by_table(table: Table) -> dict[str, pd.Index]:
    """Give the tables of which a report says that its rows are, and which rows these are."""
    at = [i for i, header in enumerate(table.headers) if header.strip().lower() == "result_row"]
    if not at:
        return {}
    cells = table.frame[at[0]]
    tables = pd.Series([cell.rpartition(":")[0] for cell in cells], cells.index)
    return {name: some.index for name, some in tables.groupby(tables, sort=False) if name}


def _insist_on_one_kind(
    kind: Kind,
    headers: Sequence[str],
    frame: pd.DataFrame,
    parts: Mapping[str, pd.Index],
    named: Callable[..., Columns],
) -> None:
    """Refuse rows beside columns of another table, which would make of them what they are not: of members people to invite."""
    for name, part in parts.items():
        filled = (frame.loc[part] != "").any().tolist()
        own = [header if there else "" for header, there in zip(headers, filled, strict=True)]
        try:
            alike = named(own, hint=name).kind is kind
        except SheetError:
            alike = False
        if not alike:
            raise SheetError(
                f"it holds rows of {name} beside columns of another table, and what a row asks for depends on its "
                "table; hand back results.xlsx or the files of retry/ instead, where each table stands by itself"
            )


def _given_back(beyond: pd.DataFrame) -> dict[int, tuple[str, ...]]:
    """Give the cells that lay beyond the last header before a report gave them columns, by row number."""
    found: dict[int, tuple[str, ...]] = {}
    for number, row in zip(beyond.index, beyond.to_numpy().tolist(), strict=True):
        last = max((i for i, cell in enumerate(row) if cell), default=-1)
        if last >= 0:
            found[int(number)] = tuple(row[: last + 1])
    return found


def _unguarded(cell: str) -> str:
    """Take one guard off; a cell that began with ``'=`` by itself was given one more."""
    guarded = cell.startswith("'") and cell.lstrip("'").startswith(FORMULA_STARTS)
    return cell[1:] if guarded else cell


_OF_WORDS = {"role", "status", "blocked", "action", "default"}


def refuse_doubt(table: Table, grid: Grid) -> None:
    """Insist that no doubtful character stands where it could reach the tenant; a word read wrongly is no known word."""
    if not grid.doubt:
        return
    for name, positions in table.columns.fields.items():
        for position in positions if name not in CARRIED | _OF_WORDS else ():
            if not all(map(str.isascii, table.frame[position])):
                raise SheetError(f'{grid.doubt} (the column "{table.headers[position]}" needs it)')
