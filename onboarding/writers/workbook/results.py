"""A finished command in; the workbook that a reviewer reads, corrects and hands back out, as bytes.

The user's own ``.xlsx`` of moderate size comes back as it looks (``annotated``), everything else in a workbook made from
nothing (``fresh``); the first sheet says which, and why.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from itertools import chain, count
from pathlib import Path, PurePath

from onboarding.headers import Table, letter
from onboarding.model import Finding, RowRef
from onboarding.report import RESULT_COLUMNS, RowResult, Stretch, by_table, needing_work
from onboarding.sources import Source, again
from onboarding.writers.finished import Finished
from onboarding.writers.tables import columns_of, marks
from onboarding.writers.workbook import look
from onboarding.writers.workbook.fresh import fresh
from onboarding.writers.workbook.look import Part
from onboarding.writers.workbook.overview import Find, overview
from onboarding.writers.workbook.own import NotAsItLooks, annotated, check

SUMMARY = "Summary"
MOST = 100_000  # rows in one workbook; of more, those that need somebody
MOST_CELLS = 10_000_000  # cells on one sheet; about 600 MB before they are packed
AS_IT_LOOKS = (
    "It is your own workbook: the sheets that were read, as they look, with the results to the right of each row. "
    "Formulas became their values; colours that depend on cells, protection, links, macros and other sheets stayed behind."
)
MODERATE = 20_000  # rows of a workbook that comes back as it looks; openpyxl takes about a minute for ten times that


def results_xlsx(
    finished: Finished,
    sources: Sequence[Source],
    scratch: Path,
    *,
    whole: bool = True,
    most: int = MOST,
) -> bytes:
    """Give the workbook of all rows; ``whole``: whether the tables have all columns of their files."""
    rows, left_out = _shown(finished.results, min(most, room(finished.tables)))
    titles: set[str] = set()
    parts = _parts(finished.tables, rows, finished.findings, titles)
    summary = _sheet_name(SUMMARY, titles)
    try:
        content = _own(finished, sources, whole=whole)
        lines = overview(finished, _finder(parts, in_place=True), AS_IT_LOOKS)
        return annotated(content, parts, summary, lines, scratch)
    except NotAsItLooks as why:
        about = f"It was made from nothing, since {why}.{left_out}"
    lines = overview(finished, _finder(parts, in_place=False), about)
    return fresh(parts, (summary, lines))


def retry_xlsx(
    parts: Sequence[tuple[Table, Sequence[RowResult]]], findings: Collection[Finding]
) -> bytes:
    """Give the workbook of the rows to correct and run again, on sheets of the names they had."""
    tables = [table for table, _ in parts]
    rows = [row for _, some in parts for row in some]
    return fresh(_parts(tables, rows, findings, set()), None)


def room(tables: Sequence[Table]) -> int:
    """Give how many rows of these tables a workbook holds that can still be opened."""
    widest = max((len(columns_of(table)) for table in tables), default=0)
    return min(MOST, MOST_CELLS // (widest + len(RESULT_COLUMNS)))


def _shown(results: Sequence[RowResult], most: int) -> tuple[Sequence[RowResult], str]:
    """Give the rows that the workbook has, and what has to be said if these are not all."""
    if len(results) <= most:
        return results, ""
    work = [*needing_work(results)]
    first = f"the first {most:,} of " if len(work) > most else ""
    return work[:most], (
        f" Of {len(results):,} rows it has {first}those that need somebody; all are in results.csv."
    )


def _own(finished: Finished, sources: Sequence[Source], *, whole: bool) -> bytes:
    """Give the bytes of the workbook that can come back as it looks."""
    if len(sources) != 1:
        raise NotAsItLooks("there are several inputs")
    path = sources[0].path
    if path is None or path.suffix.lower() != ".xlsx":
        raise NotAsItLooks("the input is no .xlsx file")
    if not whole:
        raise NotAsItLooks("the settings name the columns that reports carry along")
    if len(finished.results) >= MODERATE:
        raise NotAsItLooks(f"there are {MODERATE:,} rows or more")
    content = again(sources[0])
    if content is None:
        raise NotAsItLooks("the file was changed while this ran")
    check(content)
    return content


def _parts(
    tables: Sequence[Table],
    rows: Sequence[RowResult],
    findings: Collection[Finding],
    titles: set[str],
) -> list[Part]:
    mine = {some.table: some for some in by_table(rows)}
    theirs: dict[int, list[Finding]] = {table.index: [] for table in tables}
    for finding in findings:
        if finding.row and finding.row.table in theirs:
            theirs[finding.row.table].append(finding)
    return [
        Part(
            _sheet_name(_name(table), titles),
            table,
            mine.get(table.index, Stretch(table.index, table.source, (), ())),
            marks(table, theirs[table.index]),
        )
        for table in tables
    ]


def _name(table: Table) -> str:
    return PurePath(table.source).stem if table.sheet is None else table.sheet


def _sheet_name(name: str, taken: set[str]) -> str:
    """Give a name that Excel takes: 31 characters, none of its own marks, unlike the others but for case."""
    clean = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", name).strip("'")[:31] or "Sheet"
    others = (f"{clean[:27]} ({number})" for number in count(2))
    fresh = next(some for some in chain([clean], others) if some.casefold() not in taken)
    taken.add(fresh.casefold())
    return fresh


def _finder(parts: Sequence[Part], *, in_place: bool) -> Find:
    """Find rows where they stood in their own workbook, or else below each other."""
    known = {part.table.index: part for part in parts}

    def find(row: RowRef) -> tuple[str, str] | None:
        part = known[row.table]
        n = bisect_left(part.rows.numbers, row.row)
        if row.row not in part.rows.numbers[n : n + 1]:
            return None
        guilty = min(look.by_cell(part.marks.get(row.row, ())), default=0)
        place, number = (part.table.places[guilty], row.row) if in_place else (guilty, n + 2)
        return part.title, f"{letter(place).removeprefix('column ')}{number}"

    return find
