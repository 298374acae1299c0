"""Tables and findings in; what every report shows of them out: columns, cells, and which cells are guilty."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from onboarding.headers import CARRIED, Table, normal
from onboarding.model import Finding
from onboarding.sheets.grid import SURPLUS

Column = tuple[str, int]
"""A header, and how many columns of the table before it have the same one."""

Marks = Mapping[int, Sequence[tuple[int | None, Finding]]]
"""Row number -> what was found there, each with its position in the table; None where the whole row is meant."""


def columns_of(table: Table) -> list[Column]:
    """Name a table's columns; rows with more cells than headers need some that it has not."""
    beyond = [SURPLUS] * max(map(len, table.surplus.values()), default=0)
    seen: Counter[str] = Counter()
    columns = []
    for header in (*table.headers, *beyond):
        columns.append((header, seen[header]))
        seen[header] += 1
    return columns


def cells_of(table: Table, numbers: Sequence[int]) -> dict[Column, list[str]]:
    """Give the cells of these rows, column by column; blank where the table has no such row."""
    frame = table.frame
    if frame.index.tolist() != list(numbers):
        frame = frame.reindex(list(numbers), fill_value="")
    columns, width = columns_of(table), frame.shape[1]
    cells = {column: frame.iloc[:, n].tolist() for n, column in enumerate(columns[:width])}
    surplus = [table.surplus.get(number, ()) for number in numbers] if table.surplus else []
    for n, column in enumerate(columns[width:]):
        cells[column] = [more[n] if n < len(more) else "" for more in surplus]
    return cells


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
    found: dict[int, list[tuple[int | None, Finding]]] = defaultdict(list)
    for finding in findings:
        if finding.row is not None and finding.row.table == table.index:
            found[finding.row.row].append((_position(table, finding), finding))
    return found


def _position(table: Table, finding: Finding) -> int | None:
    """Find a finding's column; of several with one header, the one that holds the value."""
    assert finding.row
    number = finding.row.row
    named = [i for i, header in enumerate(table.headers) if header == finding.column]
    if not finding.column or not named or number not in table.frame.index:
        return None
    holding = (
        i for i in named if finding.value and finding.value in str(table.frame.at[number, i])
    )
    return next(holding, named[0])
