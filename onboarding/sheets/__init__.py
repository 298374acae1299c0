"""Files, folders and standard input in, tables of text out, under the row numbers that the file shows.

``files`` reads the bytes once, ``text`` and ``workbook`` make ``Grid``s of them; here the header row is found, the
columns are understood, and what is not a table row is set apart. Every row below the headers that is not blank is in
the table's frame, those with too many cells too (cut to the table's width, with a finding that rejects them).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import pandas as pd

from onboarding.errors import SheetError
from onboarding.headers import (
    CARRIED,
    Columns,
    Kind,
    NoKnownHeader,
    Table,
    known,
    letter,
    names_people,
    result_columns,
    understand,
)
from onboarding.model import Finding, RowRef, Severity
from onboarding.schemas import BLANKS, clean, fault
from onboarding.sheets.files import TEXTS, WORKBOOKS, Snapshot, Source, snapshots
from onboarding.sheets.grid import Grid
from onboarding.sheets.text import HEADER_WITHIN, read_text
from onboarding.sheets.workbook import is_workbook, read_workbook

__all__ = ["Inputs", "Kind", "Reading", "Source", "Table", "read"]

FORMULA_STARTS = tuple("=+-@\t\r")
"""What makes a spreadsheet program take a cell for a formula; our own CSV puts a ``'`` in front."""

MERGED = "#MERGED!"
NOT_CALCULATED = "#NOT CALCULATED!"
ERRORS = frozenset(
    {"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"}
    | {"#ERROR!", "#NV", "#WERT!", "#BEZUG!", "#ZAHL!", MERGED, NOT_CALCULATED}
)
"""What spreadsheet programs show instead of a value, also in text files that they write; and our own two."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read; whatever is not said is found out from the content."""

    kind: Kind | None = None
    encoding: str | None = None
    delimiter: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Header -> canonical name, or ``ignore``."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that was read."""

    tables: tuple[Table, ...]
    sources: tuple[Source, ...]
    notes: tuple[Finding, ...]
    """Files and sheets that were not read, and why."""


def read(inputs: Sequence[str], reading: Reading, *, stdin: BinaryIO | None = None) -> Inputs:
    """Read every table of the inputs; ``SheetError`` names the file and what to do."""
    tables: list[Table] = []
    notes: list[Finding] = []
    sources = snapshots(inputs, stdin)
    for snapshot in sources:
        for found in _tables(snapshot, reading, len(tables)):
            match found:
                case Table():
                    tables.append(found)
                case Finding():
                    notes.append(found)
    if not tables:
        ignored = "; ".join(f"{note.source}: {note.message}" for note in notes)
        raise SheetError(f"there is no table to read: {ignored}")
    return Inputs(tuple(tables), tuple(snapshot.source for snapshot in sources), tuple(notes))


def _tables(snapshot: Snapshot, reading: Reading, index: int) -> Iterator[Table | Finding]:
    """Give the tables of one file, numbered from ``index``, and a note for each sheet that is none."""
    name = snapshot.source.name
    refusals: list[NoKnownHeader] = []
    seen = index
    try:
        for grid in _grids(snapshot, reading):
            source = f"{name}!{grid.sheet}" if grid.sheet else name
            if grid.hidden:
                yield _note("table-ignored", "is a hidden sheet and was not read", source)
            elif not all(map(_is_blank, grid.rows)):
                try:
                    yield _table(grid, snapshot, source, reading, index)
                    index += 1
                except NoKnownHeader as error:
                    refusals.append(error)
                    yield _note("table-ignored", f"was not read: {error}", source)
    except SheetError as error:
        raise SheetError(f"{name}: {error}") from error
    if snapshot.named and index == seen:
        why = str(refusals[0]) if refusals else "there is nothing in it"
        raise SheetError(f"{name}: {why}") from (refusals[0] if refusals else None)


def _grids(snapshot: Snapshot, reading: Reading) -> Iterator[Grid]:
    """Read as what the content is; a name that says something else is an error, not a hint."""
    suffix = snapshot.source.path.suffix.lower() if snapshot.source.path else ""
    if is_workbook(snapshot.content):
        if suffix in TEXTS:
            raise SheetError(f"a workbook, although its name ends in {suffix}; rename it to .xlsx")
        yield from read_workbook(snapshot.content)
    elif suffix in WORKBOOKS:
        raise SheetError(
            f"no workbook, although its name ends in {suffix}; if it is text, rename it to .csv"
        )
    else:
        yield read_text(
            snapshot.content,
            encoding=reading.encoding,
            delimiter=reading.delimiter,
            columns=reading.columns,
        )


def _is_blank(row: Sequence[str]) -> bool:
    return not "".join(row).strip(BLANKS)


def _table(grid: Grid, snapshot: Snapshot, source: str, reading: Reading, index: int) -> Table:
    try:
        top, columns = _heading(grid, reading, source)
    except NoKnownHeader:
        if grid.doubt and snapshot.named:
            raise SheetError(grid.doubt) from None
        raise
    headers = [clean(header) for header in grid.rows[top]]
    numbers, rows = _data_rows(grid, top, columns)
    _no_second_table(numbers, rows, columns)
    width = len(headers)
    surplus = _surplus(width, numbers, rows)
    findings = _ragged(surplus, width, columns, RowRef(index, 0, source))
    cells = [[*row[:width], *[""] * (width - len(row))] for row in rows]
    frame = pd.DataFrame(cells, index=numbers, columns=range(width), dtype="str")
    findings += _show_errors(frame, grid, headers, columns, RowRef(index, 0, source))
    _blank_passwords(frame, columns, surplus)

    table = Table(
        index,
        source,
        snapshot.source.path,
        grid.sheet,
        tuple(headers),
        frame,
        columns,
        grid.encoding,
        grid.delimiter,
        fed_back=False,
        findings=tuple(findings),
        surplus={} if columns.blanked else surplus,  # a shifted password may stand there
        top=top + 1,
        places=tuple(range(width)),
    )
    table = _without_results(table, reading)
    _doubtless(table, grid)
    return replace(table, findings=(*table.findings, *_notes(table, grid)))


def _heading(grid: Grid, reading: Reading, source: str) -> tuple[int, Columns]:
    """Find the header row: the first one that is understood, within the first rows.

    A title of one word ("Groups") above a real header row is no header row.
    """
    counts = [known(row, reading.columns) for row in grid.rows[:HEADER_WITHIN]]
    rows = [(i, grid.rows[i]) for i, count in enumerate(counts) if count]
    widest = max(counts, default=0)
    refusal: NoKnownHeader | None = None
    for i, row in rows:
        if widest > 1 and sum(map(bool, map(clean, row))) == 1:
            continue
        if _is_over_headers(grid, i, reading, source):
            continue
        try:
            columns = understand(row, kind=reading.kind, columns=reading.columns, hint=source)
        except NoKnownHeader as error:
            refusal = refusal or error
            continue
        _no_data_above(grid.rows[:i], i)
        return i, columns
    first = next((row for row in grid.rows if _may_be_headers(row)), ())
    if refusal is None:
        understand(first, kind=reading.kind, columns=reading.columns, hint=source)
    raise refusal or NoKnownHeader("no header row")


def _may_be_headers(row: Sequence[str]) -> bool:
    """Whether there is anything in a row; Microsoft's templates begin with a version."""
    return not _is_blank(row) and not row[0].lower().startswith("version:")


def _is_over_headers(grid: Grid, top: int, reading: Reading, source: str) -> bool:
    """Whether a row only groups the headers below it: the next row means more fields, and is understood."""
    below = next((row for row in grid.rows[top + 1 :] if not _is_blank(row)), ())
    if known(below, reading.columns) <= known(grid.rows[top], reading.columns):
        return False
    try:
        understand(below, kind=reading.kind, columns=reading.columns, hint=source)
    except NoKnownHeader:
        return False
    except SheetError:
        return True  # to be told about the row that counts
    return True


def _no_data_above(titles: Sequence[Sequence[str]], top: int) -> None:
    for number, row in enumerate(titles, 1):
        if any("@" in cell and not fault(clean(cell)) for cell in row):
            raise SheetError(
                f"row {number} holds an e-mail address, but the header row is row {top + 1}; "
                "move the headers to the top"
            )


def _data_rows(grid: Grid, top: int, columns: Columns) -> tuple[list[int], list[Sequence[str]]]:
    """Give the rows below the headers that are not blank, with their numbers."""
    numbers: list[int] = []
    rows: list[Sequence[str]] = []
    shown = {number for number, _ in grid.errors}
    for number, row in enumerate(grid.rows[top + 1 :], top + 2):
        if number in shown or not _is_blank(row):
            numbers.append(number)
            rows.append(row)
    entra = columns.template.startswith("Microsoft Entra")
    if entra and rows and rows[0][0].startswith("Example:"):
        return numbers[1:], rows[1:]  # the template's own example row
    return numbers, rows


def _no_second_table(
    numbers: Sequence[int], rows: Sequence[Sequence[str]], columns: Columns
) -> None:
    """Refuse people below groups: any word can be a group's name, so nothing else would stop them."""
    for number, row in zip(numbers, rows, strict=True) if columns.kind is Kind.GROUPS else ():
        if names_people(row):
            raise SheetError(
                f"row {number} looks like the headers of another table; put each table on a sheet of its own"
            )


def _surplus(
    width: int, numbers: Sequence[int], rows: Sequence[Sequence[str]]
) -> dict[int, tuple[str, ...]]:
    """Give the cells beyond the table's width, by row number.

    Blank cells at the end of every single row (a delimiter too many at each line's end) are no surplus.
    """
    long = {n: tuple(row[width:]) for n, row in zip(numbers, rows, strict=True) if len(row) > width}
    evenly = len(long) == len(rows) and len({len(cells) for cells in long.values()}) == 1
    return {} if evenly and all(map(_is_blank, long.values())) else long


def _ragged(
    surplus: Mapping[int, Sequence[str]], width: int, columns: Columns, at: RowRef
) -> list[Finding]:
    return [
        Finding(
            "row-ragged",
            f"has {width + len(cells)} cells, and the table has {width} columns",
            replace(at, row=number),
            value="" if columns.blanked else " ".join(cells).strip(BLANKS),
        )
        for number, cells in surplus.items()
    ]


def _show_errors(
    frame: pd.DataFrame, grid: Grid, headers: Sequence[str], columns: Columns, at: RowRef
) -> list[Finding]:
    """Write into their cells what is wrong with them; one in a column that counts rejects its row.

    The words stay in the cells. So a row that is given back to be corrected, or a text file that a spreadsheet program
    wrote, says the same: a blank ``action`` would mean *add*.
    """
    counts = {i for name, where in columns.fields.items() if name not in CARRIED for i in where}
    rows = set(frame.index)
    wrong = {cell: MERGED for cell in grid.merged if cell[1] in counts}
    wrong |= {cell: shown or NOT_CALCULATED for cell, shown in grid.errors.items()}
    for (number, position), shown in wrong.items():
        if number in rows and position < len(headers):
            frame.loc[number, position] = shown
    found = [
        (int(number), position, str(frame.at[number, position]))
        for position in counts
        for number in frame.index[frame[position].isin(ERRORS)]
    ]
    return [
        Finding("cell-error", _of_error(shown), replace(at, row=number), headers[position], shown)
        for number, position, shown in sorted(found)
    ]


def _of_error(shown: str) -> str:
    if shown == MERGED:
        return "stands for a merged cell; unmerge it and write into each row what counts for it"
    never = "stands for a formula that was never calculated"
    what = never if shown == NOT_CALCULATED else "is an error"
    return f"{what}, not a value; open the file, check the cell, save it"


def _blank_passwords(
    frame: pd.DataFrame, columns: Columns, surplus: Mapping[int, Sequence[str]]
) -> None:
    """Nobody but this function sees a password; in a row with too many cells it may stand further right."""
    if columns.blanked:
        frame[list(columns.blanked)] = ""
        frame.loc[list(surplus), min(columns.blanked) :] = ""


def _without_results(table: Table, reading: Reading) -> Table:
    """Cut our own result columns out of a report that is fed back, and take our guards off its cells."""
    cut = result_columns(table.headers)
    if not cut:
        return table
    keep = [i for i in range(len(table.headers)) if i not in cut]
    frame = table.frame[keep].set_axis(range(len(keep)), axis="columns")
    headers = [table.headers[i] for i in keep]
    if not table.sheet:
        headers = [_unguarded(header) for header in headers]
        frame = frame.map(_unguarded)
    columns = understand(headers, kind=reading.kind, columns=reading.columns, hint=table.source)
    return replace(
        table,
        headers=tuple(headers),
        frame=frame,
        columns=columns,
        fed_back=True,
        places=tuple(keep),
    )


def _unguarded(cell: str) -> str:
    """Take one guard off; a cell that began with ``'=`` by itself was given one more."""
    guarded = cell.startswith("'") and cell.lstrip("'").startswith(FORMULA_STARTS)
    return cell[1:] if guarded else cell


def _doubtless(table: Table, grid: Grid) -> None:
    """Insist that no doubtful character stands where it could reach the tenant."""
    if not grid.doubt:
        return
    for name, positions in table.columns.fields.items():
        for position in positions if name not in CARRIED else ():
            if not all(map(str.isascii, table.frame[position])):
                raise SheetError(f'{grid.doubt} (the column "{table.headers[position]}" needs it)')


def _notes(table: Table, grid: Grid) -> Iterator[Finding]:
    for position in table.columns.unknown:
        near = table.columns.suggestions.get(position)
        message = "is no known column" + (f"; did you mean {near}?" if near else "")
        note = _note("column-unknown", message, table.source)
        yield replace(note, column=table.headers[position])
    for position, header in enumerate(table.headers):
        if not header and any(table.frame[position].str.strip(BLANKS)):
            message = f"{letter(position)} has cells and no header; they are not read"
            yield _note("column-unknown", message, table.source)
    if grid.doubt:
        yield _note("encoding-guessed", f"read as {grid.encoding}: {grid.doubt}", table.source)


def _note(code: str, message: str, source: str) -> Finding:
    return Finding(code, message, severity=Severity.NOTE, source=source)
