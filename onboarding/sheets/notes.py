"""A table that was read in; what a person should know of how it was read out. Nothing here rejects a row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from onboarding.headers import Table, letter
from onboarding.model import Finding, Severity
from onboarding.schemas import BLANKS, clean, fold
from onboarding.schemas.words import words
from onboarding.sheets.grid import Grid
from onboarding.sheets.layout import EXAMPLE, REMARK, REPEATED, TOLD, TOTAL

_WORDS = {
    EXAMPLE: "an example and no row of the table",
    REMARK: "a remark and no row of the table",
    REPEATED: "the headers once more and no row of the table",
    TOTAL: "a total and no row of the table",
}
_SHOWN = 5


def note(code: str, message: str, source: str) -> Finding:
    """Make a note about a file or sheet."""
    return Finding(code, message, severity=Severity.NOTE, source=source)


def notes(table: Table, grid: Grid) -> Iterator[Finding]:
    """Say what is not read, what is read although nobody sees it, and what was guessed."""
    yield from _unknown(table)
    for why in TOLD:
        if rows := [number for number, reason in table.ignored.items() if reason == why]:
            first = " ".join(filter(None, map(clean, grid.row(rows[0]))))[:60]
            message = f"{listed(rows)} not read: {_WORDS[why]}"
            yield replace(note("rows-set-aside", message, table.source), value=first)
    if table.frame.empty:
        yield note(
            "table-empty", "has headers and no rows; there is nothing to do for it", table.source
        )
    hidden = sorted(n for n in grid.hidden_rows if n in table.frame.index)
    if hidden:
        message = f"{listed(hidden)} hidden or filtered out, and read like any other"
        yield note("hidden-read", message, table.source)
    columns = [
        h for h, p in zip(table.headers, table.places, strict=True) if p in grid.hidden_columns
    ]
    if named := ", ".join(f'"{header}"' for header in columns if header):
        what = "columns are" if len(columns) > 1 else "column is"
        yield note(
            "hidden-read", f"the {what} hidden, and read like any other: {named}", table.source
        )
    if grid.doubt:
        yield note("encoding-guessed", f"read as {grid.encoding}: {grid.doubt}", table.source)


def gaps(tables: Iterable[Table], notes: Iterable[Finding]) -> Iterator[Finding]:
    """Say of tables that are not whole, and of those that were not read, that nobody can be missed because of them."""
    for table in tables:
        if table.fed_back:
            yield note("nobody-missed", f"is a report that is fed back{_NOT_MISSED}", table.source)
        elif table.frame.empty:
            yield note("nobody-missed", f"has no rows{_NOT_MISSED}", table.source)
    for one in notes:
        if one.code == "table-ignored":
            yield note("nobody-missed", f"was not read{_NOT_MISSED}", one.source)


_NOT_MISSED = ", so nobody is taken out of a group for standing on no row"


def _unknown(table: Table) -> Iterator[Finding]:
    """Name the columns that nobody reads; those that a known system adds are its own affair."""
    template = table.columns.template
    if template:
        yield note(
            "template-known", f"looks like a {template} table, and was read as one", table.source
        )
    for position in table.columns.unknown:
        near = table.columns.suggestions.get(position)
        if template and not near:
            continue
        message = "is no known column" + (f"; did you mean {near}?" if near else "")
        if _ticked(table, position):
            message += "; if it is a group that those with a mark are in, write its name into a column groups"
        found = note("column-unknown", message, table.source)
        yield replace(found, column=table.headers[position])
    for position, header in enumerate(table.headers):
        if not header and any(table.frame[position].str.strip(BLANKS)):
            message = f"{letter(position)} has cells and no header; they are not read"
            yield note("column-unknown", message, table.source)


def _ticked(table: Table, position: int) -> bool:
    """Whether some cells are ticked and the others blank, as in a matrix of people and groups."""
    said = {fold(cell) for cell in table.frame[position].unique()}
    return "email" in table.columns.fields and bool(said - {"", "-"}) and said <= _TICKS


_TICKS = words("x | ✓ | ✔ | ☑ | ✗ | • | -") | {""}


def listed(numbers: Sequence[int] | Collection[int]) -> str:
    """Name rows, neighbours together: ``rows 2, 5–7 are``; of many, the first few and how many there are.

    >>> listed([2]), listed([2, 5, 6, 7]), listed(range(1, 99, 2))
    ('row 2 is', 'rows 2, 5–7 are', '49 rows (1, 3, 5, 7, 9, …) are')
    """
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    words = [f"{span[0]}–{span[-1]}" if len(span) > 1 else f"{span[0]}" for span in spans]
    if len(numbers) == 1:
        return f"row {words[0]} is"
    if len(words) > _SHOWN:
        return f"{len(numbers)} rows ({', '.join(words[:_SHOWN])}, …) are"
    return f"rows {', '.join(words)} are"
