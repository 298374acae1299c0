"""An earlier run's folder and this run's rows in; which rows need somebody now that did not then out."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from onboarding.report import NEEDS_WORK, RESULT_COLUMNS, RowResult, needing_work
from onboarding.sheets import Table
from onboarding.writers.finished import Since, moment
from onboarding.writers.rows import guarded
from onboarding.writers.tables import cells_of, columns_of

Row = frozenset[tuple[str, str]]
"""A row by what stands in it, wherever it stands: its table and its cells, each under its header."""


def since(
    folder: Path,
    summary: Mapping[str, Any],
    tables: Sequence[Table],
    results: Sequence[RowResult],
) -> Since | None:
    """Compare with the last run of the same first input against the same tenant; None where there is none."""
    first = summary["inputs"][0]["name"]
    earlier = next(_runs_before(folder, summary["tenant"], first), None)
    if not earlier:
        return None
    when, then = earlier
    now = dict(_open(tables, results))
    fresh = frozenset(result.row for result, row in now.items() if row not in then)
    return Since(when, fresh, len(then - set(now.values())))


def _runs_before(folder: Path, tenant: str, first: str) -> Iterator[tuple[str, frozenset[Row]]]:
    """Give the runs before this one, the last first: when they ended, and the rows that needed somebody."""
    for path in sorted(folder.parent.iterdir(), reverse=True):
        try:
            summary = json.loads((path / "summary.json").read_bytes())
            about = summary["tenant"], summary["inputs"][0]["name"]
            if about == (tenant, first) and summary["command"] in ("run", "apply"):
                yield moment(summary["finished"]), frozenset(_read(path / "results.csv"))
        except (OSError, ValueError, LookupError, TypeError, csv.Error):
            continue  # removed, unreadable or of another version: then there is nothing to compare with


def _read(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        headers = next(reader)
        result, row = headers.index("result"), headers.index("result_row")
        for cells in reader:
            if cells[result] in NEEDS_WORK:
                own = zip(headers, cells, strict=True)
                table = cells[row].rpartition(":")[0]
                yield _row(table, {h: cell for h, cell in own if h not in RESULT_COLUMNS})


def _open(tables: Sequence[Table], results: Sequence[RowResult]) -> Iterator[tuple[RowResult, Row]]:
    """Give the rows that need somebody now, as ``results.csv`` has them."""
    work = [*needing_work(results)]
    for table in tables:
        rows = [row for row in work if row.row.table == table.index]
        cells = cells_of(table, [row.row.row for row in rows])
        headers = [header for header, _ in columns_of(table)]
        for n, row in enumerate(rows):
            own = zip(headers, cells.values(), strict=True)
            yield row, _row(guarded(table.source), {h: guarded(column[n]) for h, column in own})


def _row(table: str, cells: Mapping[str, str]) -> Row:
    return frozenset({("", table), *((header, cell) for header, cell in cells.items() if cell)})
