"""Tables and findings in; what every report shows of them out: columns, cells, and which cells are guilty."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from onboarding.headers import CARRIED, Table, normal
from onboarding.model import Finding
from onboarding.sheets.grid import SURPLUS

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 10_000  # rows that are in memory as single texts
Column = tuple[str, int]
"""A header, and how many columns of the table before it have the same one."""

Marks = Mapping[int, Sequence[tuple[int | None, Finding]]]
"""Row number -> what was found there, each with its position in the table; None where the whole row is meant."""


def columns_of(table: Table) -> list[Column]:
    """Name a table's columns; what was said outside of it has one, and rows with more cells than headers need some."""
    beyond = [SURPLUS] * max(map(len, table.surplus.values()), default=0)
    seen: Counter[str] = Counter()
    columns = []
    for header in (*table.headers, *table.columns.told, *beyond):
        columns.append((header, seen[header]))
        seen[header] += 1
    return columns


def lines_of(
    table: Table, numbers: Sequence[int], columns: Sequence[Column] = ()
) -> Iterator[tuple[str, ...]]:
    """Give the cells of these rows, row by row: those of ``columns``, or else all that the table has."""
    for start in range(0, len(numbers), CHUNK):
        some = numbers[start : start + CHUNK]
        cells, blank = cells_of(table, some), [""] * len(some)
        yield from zip(*(cells.get(column, blank) for column in columns or cells), strict=True)


def cells_of(table: Table, numbers: Sequence[int]) -> dict[Column, list[str]]:
    """Give the cells of these rows, column by column; blank where the table has no such row."""
    frame = _frame(table).reindex(list(numbers), fill_value="")
    columns, width = columns_of(table), frame.shape[1]
    cells = {column: frame.iloc[:, n].tolist() for n, column in enumerate(columns[:width])}
    for n, column in enumerate(columns[width:]):
        cells[column] = _beyond(table, numbers, n)
    return cells


def column_of(table: Table | None, numbers: Sequence[int], column: Column) -> list[str]:
    """Give the cells of these rows under one column; blank where there is none, or no table at all."""
    columns = columns_of(table) if table else []
    if table is None or column not in columns:
        return [""] * len(numbers)
    frame, n = _frame(table), columns.index(column)
    if n >= frame.shape[1]:
        return _beyond(table, numbers, n - frame.shape[1])
    return frame.iloc[:, n].reindex(list(numbers), fill_value="").tolist()


def _frame(table: Table) -> pd.DataFrame:
    """Give the cells under the headers, beside them what was said outside of the table."""
    return table.frame.assign(**table.columns.told) if table.columns.told else table.frame


def _beyond(table: Table, numbers: Sequence[int], n: int) -> list[str]:
    """Give the cells of one column right of the last header."""
    surplus = (table.surplus.get(number, ()) for number in numbers)
    return [more[n] if n < len(more) else "" for more in surplus]


def carried(table: Table, names: Collection[str] | None) -> Table:
    """Leave out what a report is not to carry: columns that decide nothing and are not among ``names``.

    None: all are carried. Cells beyond the last header go too, since nobody knows whose they are.
    """
    if names is None:
        return table
    used = {i for name, at in table.columns.fields.items() if name not in CARRIED for i in at}
    wanted = set(map(normal, names))
    keep = [i for i, header in enumerate(table.headers) if i in used or normal(header) in wanted]
    return replace(
        table,
        headers=tuple(table.headers[i] for i in keep),
        frame=table.frame[keep].set_axis(range(len(keep)), axis="columns"),
        columns=replace(
            table.columns,
            fields={
                name: tuple(keep.index(i) for i in at if i in keep)
                for name, at in table.columns.fields.items()
            },
            unknown=(),
            suggestions={},
            blanked=(),
        ),
        places=tuple(table.places[i] for i in keep),
        surplus={},
    )


def marks(table: Table, findings: Iterable[Finding]) -> Marks:
    """Say which cells of a table the findings are about."""
    places: dict[str, list[int]] = defaultdict(list)
    for position, header in enumerate(table.headers):
        places[header].append(position)
    found: dict[int, list[tuple[int | None, Finding]]] = defaultdict(list)
    for finding in findings:
        if finding.row is not None and finding.row.table == table.index:
            place = _position(table, finding, finding.row.row, places.get(finding.column, []))
            found[finding.row.row].append((place, finding))
    return found


def _position(table: Table, finding: Finding, number: int, named: Sequence[int]) -> int | None:
    """Find a finding's column among those of its name: the one that holds the value."""
    if not finding.column or not named or number not in table.frame.index:
        return None
    if len(named) == 1:
        return named[0]
    holding = (
        i for i in named if finding.value and finding.value in str(table.frame.at[number, i])
    )
    return next(holding, named[0])
