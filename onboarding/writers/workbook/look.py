"""Rows and findings in; their styles, notes, widths and heights out: the same whichever way a workbook is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onboarding.headers import Table
from onboarding.model import Finding, Severity
from onboarding.report import RESULT_COLUMNS, Stretch, Words
from onboarding.words import fix, said
from onboarding.writers.tables import Marks
from onboarding.writers.workbook.style import SIGN

RESULT_WIDTHS = dict(zip(RESULT_COLUMNS, (11, 13, 20, 60, 52, 40, 24), strict=True))
SUMMARY_WIDTHS = (24, 36, 54, 50, 24)
NARROW = 30
"""The width up to which a result column holds words for machines, in one line."""
NARROWEST, WIDEST = 9, 38
SAMPLE = 300  # rows that a column's width is taken from


@dataclass(frozen=True, slots=True)
class Part:
    """One sheet: a table, those of its rows that are shown, and what was found in its cells."""

    title: str
    table: Table
    rows: Stretch
    marks: Marks


def result_styles(result: str) -> tuple[str, ...]:
    """Give the styles of the result cells of a row with this result."""
    return tuple(
        result if name == "result" else "wrapped" if width > NARROW else "faint"
        for name, width in RESULT_WIDTHS.items()
    )


def tint(findings: Iterable[Finding]) -> str:
    """Give the style of a cell that something was found in."""
    return "guilty" if any(f.severity is Severity.REJECT for f in findings) else "noted"


def note(findings: Iterable[Finding]) -> str:
    """Write the note of a cell: what is wrong, and what to do."""
    return SIGN + "\n\n".join(
        "\n".join(filter(None, (f"{said(f)} [{f.code}]", advice(f.fix or fix(f.code)))))
        for f in findings
    )


def advice(text: str) -> str:
    """Give what to do; empty where nothing has to be done."""
    return "" if text.startswith("Nothing") else text


def by_cell(found: Sequence[tuple[int | None, Finding]]) -> dict[int, list[Finding]]:
    """Gather a row's findings by their cell; those about the whole row stand in its message already."""
    cells: dict[int, list[Finding]] = {}
    for position, finding in found:
        if position is not None:
            cells.setdefault(position, []).append(finding)
    return cells


def frozen(table: Table, places: Sequence[int]) -> int:
    """Give how many columns stay in sight: up to who or what a row is about, if that is near."""
    keys = [places[at[0]] for name in ("email", "group") if (at := table.columns.fields.get(name))]
    return keys[0] + 1 if keys and keys[0] < 3 else 0


def width_of(texts: Iterable[str]) -> int:
    """Give the width of a column for what it holds, headers with room for the filter's button."""
    longest = max((len(line) for text in texts for line in text.splitlines()[:3]), default=0)
    return min(max(longest + 3, NARROWEST), WIDEST)


def height_of(cells: Iterable[tuple[str, int]]) -> int | None:
    """Give the points that a row of wrapped texts needs, each with its width; None where one line will do.

    Only some programs work it out by themselves.
    """
    lines = max((_lines(text, width) for text, width in cells), default=1)
    return min(lines, MOST_LINES) * LINE if lines > 1 else None


def _lines(text: str, width: int) -> int:
    room = width * 11 // 10  # letters are narrower than the digit that widths are measured in
    if len(text) <= room and "\n" not in text:
        return 1
    return sum(max(1, -(-len(line) // room)) for line in text.split("\n"))


LINE = 15  # points
MOST_LINES = 27  # a row can be 409 points high


def result_height(words: Words) -> int | None:
    """Give the height that a row needs of which this is said."""
    return height_of(zip((words.message, words.fix, words.actions), _WRAPPED, strict=True))


_WRAPPED = [width for width in RESULT_WIDTHS.values() if width > NARROW]
