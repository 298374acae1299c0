"""The bytes of files in, tables of text out, under the row numbers that the file shows.

``sources`` has read the bytes once. What is a workbook is read by ``onboarding.workbooks``, in a process of its own; ``text``
reads the rest, if ``kinds`` doesn't know it for something else. Both give a ``Grid``; ``layout`` finds the table in it,
``cells`` says what is wrong with its cells, ``notes`` what a person should know. Every row of the file is either in its
table's frame or in ``Table.ignored`` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import BinaryIO

from onboarding.errors import SheetError, UsageError
from onboarding.headers import Kind, NoKnownHeader, Table, joined
from onboarding.model import Finding, RowRef
from onboarding.schemas import clean, load_rules
from onboarding.schemas.columns import BY_ARROW
from onboarding.sheets import cells
from onboarding.sheets.cells import FORMULA_STARTS
from onboarding.sheets.doubts import refuse_contrary, renamed, strangers
from onboarding.sheets.grid import Cells, Grid
from onboarding.sheets.kinds import refuse_what_is_no_text
from onboarding.sheets.layout import is_blank, lay_out
from onboarding.sheets.notes import gaps, note, notes
from onboarding.sheets.reading import OneInput, Reading
from onboarding.sheets.text import read_text
from onboarding.sources import TEXTS, Ahead, Snapshot, Source, again, snapshots
from onboarding.workbooks import Sheet, is_workbook, read_workbook

__all__ = [
    "FORMULA_STARTS",
    "Inputs",
    "Kind",
    "OneInput",
    "Reading",
    "Source",
    "Table",
    "again",
    "read",
]

_LARGE = 1 << 20
"""Bytes of which reading takes so long that pyarrow leaves the interpreter much time for something else."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that was read."""

    tables: tuple[Table, ...]
    sources: tuple[Source, ...]
    notes: tuple[Finding, ...]
    """Files and sheets that were not read, and why; and what is odd about a whole file."""

    @property
    def gaps(self) -> tuple[Finding, ...]:
        """Why nobody can be missed in these tables: others were not read, or have no rows, or only some of them."""
        return tuple(gaps(self.tables, self.notes))


def read(
    inputs: Sequence[str],
    reading: Reading,
    *,
    stdin: BinaryIO | None = None,
    ahead: Ahead | None = None,
) -> Inputs:
    """Read every table of the inputs; ``SheetError`` names the file and what to do.

    ``ahead``: their bytes, which somebody has begun to read.
    """
    tables: list[Table] = []
    found: list[Finding] = []
    sources = ahead() if ahead else snapshots(inputs, stdin)
    if BY_ARROW and sum(snapshot.source.size for snapshot in sources) > _LARGE:
        load_rules()
    for snapshot in sources:
        path = snapshot.source.path
        said = reading.of(path.name if path else snapshot.source.name)
        for one in _tables(snapshot, said, len(tables)):
            match one:
                case Table():
                    tables.append(one)
                case Finding():
                    found.append(one)
    if not tables:
        ignored = "; ".join(f"{note.source}: {note.message}" for note in found)
        raise SheetError(f"there is no table to read: {ignored}")
    told = joined(tables, group=reading.group)
    return Inputs(told, tuple(snapshot.source for snapshot in sources), tuple(found))


def _tables(snapshot: Snapshot, reading: Reading, index: int) -> Iterator[Table | Finding]:
    """Give the tables of one file, numbered from ``index``, and a note for each sheet that is none."""
    name = source = snapshot.source.name
    refusals: list[NoKnownHeader] = []
    seen = index
    try:
        for grid in _grids(snapshot, reading):
            if isinstance(grid, Finding):
                yield grid
                continue
            source = f"{name}!{grid.sheet}" if grid.sheet else name
            if grid.is_example:
                yield note("example-ignored", "is an example and was not read", source)
            elif not grid.is_report and not all(map(is_blank, grid.below(0))):
                try:
                    yield _table(grid, snapshot, source, reading, index)
                    index += 1
                except NoKnownHeader as error:
                    refusals.append(error)
                    yield note("table-ignored", f"was not read: {error}", source)
    except SheetError as error:
        raise SheetError(f"{source}: {error}") from error
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from error
    if index == seen:
        yield from _without_table(snapshot, refusals)


def _without_table(snapshot: Snapshot, refusals: Sequence[NoKnownHeader]) -> Iterator[Finding]:
    """Say of a file that there is no table in it; one that was named itself is refused."""
    name, why = snapshot.source.name, str(refusals[0]) if refusals else "there is nothing in it"
    if snapshot.named:
        raise SheetError(f"{name}: {why}") from (refusals[0] if refusals else None)
    if not refusals:  # else each sheet has its own
        yield note("table-ignored", f"was not read: {why}", name)


def _grids(snapshot: Snapshot, reading: Reading) -> Iterator[Grid | Finding]:
    """Read as what the content is; a name that says something else is a note, not a hint."""
    name, content = snapshot.source.name, snapshot.content
    suffix = PurePath(name).suffix.lower()
    if is_workbook(content):
        book = read_workbook(content, snapshot.sheets)
        if suffix not in ("", f".{book.format}", ".xlsx" if book.format == "xlsm" else ".xlsm"):
            message = f"is an .{book.format} workbook by its content, and was read as one"
            yield note("read-as", message, name)
        yield from _sheets(book.sheets, snapshot, name)
        return
    refuse_what_is_no_text(content)
    if snapshot.sheets:
        raise SheetError(f"no workbook, so there is no sheet {min(snapshot.sheets)} in it")
    grid = read_text(
        content, encoding=reading.encoding, delimiter=reading.delimiter, columns=reading.columns
    )
    if content and grid.open_end and reading.final_line_break and not snapshot.vouched_for:
        raise SheetError(_NO_LAST_LINE_BREAK)
    if suffix and suffix not in TEXTS:
        yield note("read-as", "is delimited text by its content, and was read as that", name)
    yield grid


_NO_LAST_LINE_BREAK = (
    "its last line has no line break at its end, so the file may have been cut off there, or still be growing. Get all "
    "of it; or run without --yes and --authoritative, to be asked; or, if the program that writes it never ends a file "
    'with one, say so in the settings: [files."NAME"] final_line_break = false'
)


def _sheets(sheets: Sequence[Sheet], snapshot: Snapshot, name: str) -> Iterator[Grid | Finding]:
    """Give the sheets that were read, and a note for each hidden one that was not."""
    if missing := sorted(snapshot.sheets - {sheet.name for sheet in sheets}):
        there = ", ".join(f'"{sheet.name}"' for sheet in sheets)
        raise SheetError(f'there is no sheet "{missing[0]}" in it; there are {there}')
    for sheet in sheets:
        if sheet.read:
            yield Grid(
                Cells.by_column(sheet.columns, sheet.height),
                sheet.name,
                errors=sheet.errors,
                covered=sheet.covered,
                hidden_rows=sheet.hidden_rows,
                hidden_columns=sheet.hidden_columns,
            )
        elif not sheet.visible and not snapshot.sheets:
            message = (
                f'is a hidden sheet and was not read; to read it, name it: "{name}!{sheet.name}"'
            )
            yield note("table-ignored", message, f"{name}!{sheet.name}")


def _table(grid: Grid, snapshot: Snapshot, source: str, reading: Reading, index: int) -> Table:
    try:
        layout = lay_out(grid, reading, source)
    except NoKnownHeader:
        if grid.doubt and snapshot.named:
            raise SheetError(grid.doubt) from None
        raise
    columns = layout.columns
    headers = [clean(header) for header in grid.row(layout.top)]
    width, at = len(headers), RowRef(index, 0, source)
    cells.refuse_swallowed(grid, layout, width)
    frame = layout.frame(grid, width)
    beyond = cells.surplus(grid, width, frame.index)
    findings = cells.ragged(beyond, width, columns, at)
    findings += cells.cut_off(grid, layout, width, at)
    findings += cells.torn(grid, frame, columns, at)
    findings += cells.show_errors(frame, grid, headers, columns, at)
    cells.blank_passwords(frame, columns, beyond)

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
        surplus=dict.fromkeys(beyond, (cells.NOT_SHOWN,)) if columns.blanked else beyond,
        top=layout.top,
        places=tuple(range(width)),
        ignored=layout.ignored,
    )
    table = cells.without_results(table, reading)
    table = replace(table, findings=(*table.findings, *cells.swallowed(table, grid)))
    cells.refuse_doubt(table, grid)
    above = [" ".join(filter(None, map(clean, row))) for row in grid.head[: layout.top - 1]]
    refuse_contrary(table, above)
    table = replace(table, findings=(*table.findings, *strangers(table), *renamed(table)))
    return replace(table, findings=(*table.findings, *notes(table, grid)))
