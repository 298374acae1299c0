"""A finished command in; the lines of the first sheet out: did it work, what needs somebody, and what it was.

Only what is said and in which style stands here; ``fresh`` and ``annotated`` each draw it in their own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from onboarding.headers import Table
from onboarding.model import RowRef
from onboarding.plan import Status
from onboarding.report import RowResult, needing_work
from onboarding.sheets.grid import REPORT_TITLE
from onboarding.words import said
from onboarding.writers.finished import Finished, changes, moment, tone, verdict
from onboarding.writers.text import MEANS, plain
from onboarding.writers.workbook import look
from onboarding.writers.workbook.look import SUMMARY_WIDTHS, advice
from onboarding.writers.workbook.style import STYLES

SHOWN = 200  # rows that are listed on the first sheet

HOW_TO = (
    "1. Correct the tinted cells on the sheets of this workbook; each has a note that says what to do.",
    "2. Save it, and hand it back to be run again just as it is. What is done already is not done twice.",
    "3. Leave this sheet and the columns that begin with “result” as they are: they are not read.",
)

Find = Callable[[RowRef], tuple[str, str] | None]
"""Row -> the sheet of this workbook and the cell where it is to be looked at."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the first sheet."""

    text: str | int
    style: str = "text"
    span: int = 1
    """How many columns it takes."""
    to: tuple[str, str] | None = None
    """The sheet and cell that a click leads to."""


Line = Sequence[Cell]
WIDE = len(SUMMARY_WIDTHS)


def overview(finished: Finished, find: Find, about: str) -> list[Line]:
    """Say what stands on the first sheet; ``about`` is what has to be said of the workbook itself."""
    return [
        (Cell(REPORT_TITLE, "title", WIDE),),
        (Cell(verdict(finished), tone(finished), WIDE),),
        (Cell(_when_and_what(finished), "faint", WIDE),),
        *_why_stopped(finished),
        *_rows(finished),
        *_changes(finished),
        *_causes(finished, find),
        *_work(finished, find),
        *_how_to(finished),
        *_particulars(finished, about),
    ]


def _when_and_what(finished: Finished) -> str:
    summary = finished.summary
    names = [source["name"] for source in summary["inputs"]]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    inputs = plain(", ".join(names[:3])) + more
    return " · ".join(filter(None, (moment(summary["finished"]), summary["tenant"], inputs)))


def _why_stopped(finished: Finished) -> Iterator[Line]:
    for line in finished.summary["error"].splitlines():
        yield (Cell(plain(line), "wrapped", WIDE),)


def _section(name: str, *labels: str) -> Iterator[Line]:
    yield ()
    yield (Cell(name, "heading", WIDE),)
    if labels:
        yield [Cell(label, "label") for label in labels]


def _rows(finished: Finished) -> Iterator[Line]:
    by_status = finished.totals.by_status
    yield from _section("Your rows", "Rows", "Result", "What it means")
    for status in sorted(by_status, key=lambda status: status.severity):
        if number := by_status[status]:
            means = MEANS[status]
            if status is Status.PLANNED and not finished.prospect:
                means = "valid; not compared with a tenant"
            result = (
                status.result
                if status.result == status.value
                else f"{status.result}: {status.value}"
            )
            yield (
                Cell(number, "number"),
                Cell(result.replace("_", " "), status.result),
                Cell(means, "words"),
            )
    if not finished.totals.rows:
        yield (Cell("There is no row below the headers.", "wrapped", WIDE),)


def _changes(finished: Finished) -> Iterator[Line]:
    told = [entry for entry in changes(finished) if entry[1]]
    if told:
        yield from _section("Changes in Atlan", "Asked", "What", "Done")
    for what, asked, done in told:
        yield Cell(asked, "number"), Cell(what, "words"), Cell(done, "number")


def _causes(finished: Finished, find: Find) -> Iterator[Line]:
    reasons = finished.totals.reasons
    if reasons:
        labels = ("Rows", "What happened", "What it means", "What to do", "First of them")
        yield from _section("Why rows need somebody, the most frequent first", *labels)
    for reason in reasons:
        yield (
            Cell(reason.rows, "number"),
            Cell(f"{reason.title} [{reason.code}]", "words"),
            Cell(reason.meaning, "words"),
            Cell(advice(reason.fix), "words"),
            _place(reason.first, find),
        )


def _work(finished: Finished, find: Find) -> Iterator[Line]:
    work = [*needing_work(finished.results)]
    if work:
        labels = ("Row", "Who or what", "What happened", "What to do", "Result")
        yield from _section("The rows that need somebody", *labels)
    tables = {table.index: table for table in finished.tables}
    for row in work[:SHOWN]:
        yield (
            _place(row.row, find),
            Cell(_subject(tables.get(row.row.table), row), "words"),
            Cell(row.message, "words"),
            Cell(advice(row.fix), "words"),
            Cell(row.status.value.replace("_", " "), row.result),
        )
    if len(work) > SHOWN:
        more = f"... and {len(work) - SHOWN:,} more: filter the column result for error and manual."
        yield (Cell(more, "wrapped", WIDE),)


def _place(row: RowRef, find: Find) -> Cell:
    target = find(row)
    return Cell(str(row), "link" if target else "words", to=target)


def _subject(table: Table | None, row: RowResult) -> str:
    """Name whom or what a row is about, as the sheet does."""
    if table is None or row.row.row not in table.frame.index:
        return ""
    fields = table.columns.fields
    cells = [
        str(table.frame.at[row.row.row, fields[name][0]]).strip()
        for name in ("email", "group")
        if fields.get(name)
    ]
    return ", ".join(filter(None, cells))


def _how_to(finished: Finished) -> Iterator[Line]:
    if not finished.totals.by_result.get("error"):
        return
    yield from _section("How to correct them")
    for step in HOW_TO:
        yield (Cell(step, "wrapped", WIDE),)


def _particulars(finished: Finished, about: str) -> Iterator[Line]:
    summary = finished.summary
    yield from _section("About this report")
    facts = {
        "When": moment(summary["finished"]),
        "Command": f"onboarding {summary['command']}, version {summary['version']}",
        "Tenant": summary["tenant"] or "none was contacted",
        "Plan": summary["fingerprint"],
        "Exit code": str(summary["exit_code"]),
        "This workbook": about,
    }
    for name, fact in facts.items():
        if fact:
            yield Cell(name, "faint"), Cell(fact, "wrapped", WIDE - 1)
    for source in summary["inputs"]:
        words = f"{plain(source['name'])}, {source['bytes']:,} bytes, SHA-256 {source['sha256']}"
        yield Cell("Input", "faint"), Cell(words, "wrapped", WIDE - 1)
    for finding in finished.findings:
        if finding.row is None:
            words = f"{finding.source}: {said(finding)}"
            yield Cell("Noticed", "faint"), Cell(plain(words), "wrapped", WIDE - 1)


def height_of(line: Line) -> int | None:
    """Give a line's height in points where it is more than one line of plain text."""
    texts, start = [], 0
    for cell in line:
        texts.append((str(cell.text), sum(SUMMARY_WIDTHS[start : start + cell.span])))
        start += cell.span
    large = max((round(STYLES[cell.style].size * 1.7) for cell in line), default=0)
    return look.height_of(texts) or (large if large > look.LINE * 1.3 else None)
