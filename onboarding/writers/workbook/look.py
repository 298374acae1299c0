"""How a workbook looks, as data: the same whether it is made afresh or is the user's own.

Colour never stands alone: a shaded result is a word, and a tinted cell carries a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onboarding.headers import Table
from onboarding.model import Finding, Severity
from onboarding.report import RESULT_COLUMNS, RowResult
from onboarding.words import fix, said
from onboarding.writers.tables import Marks

AUTHOR = "onboarding"
"""Who signs our notes, by which those of an earlier report are known."""
MOST_NOTES = 1_000
"""Notes in one workbook: each is a drawing, and thousands of them make a spreadsheet program slow."""
LONGEST = 32_767
"""Characters that a cell can hold."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a cell looks; colours as ``rrggbb``."""

    fill: str = ""
    ink: str = "1f2933"
    bold: bool = False
    size: int = 11
    wrap: bool = False
    line: bool = False
    """Whether a thin line stands below."""
    number: bool = False
    link: bool = False


GUILTY = "ffc9bd"
NOTED = "fff3c4"
STYLES = {
    "text": Style(),
    "faint": Style(ink="61707f"),
    "title": Style(size=20, bold=True),
    "good": Style("d5f0dc", "14532d", bold=True, size=14),
    "work": Style("ffe1c2", "7a3a00", bold=True, size=14),
    "stopped": Style("ffd4cc", "8a1c0c", bold=True, size=14),
    "heading": Style(size=14, bold=True, ink="1d4e89"),
    "label": Style("e6edf5", "33475b", bold=True, line=True),
    "words": Style(wrap=True, line=True),
    "number": Style(line=True, number=True),
    "link": Style(ink="1d4e89", line=True, link=True),
    "wrapped": Style(wrap=True),
    "own": Style("e6edf5", "33475b", bold=True, line=True),
    "ours": Style("1d4e89", "ffffff", bold=True, line=True),
    "guilty": Style(GUILTY, "5c1408"),
    "noted": Style(NOTED, "4d3b00"),
    "success": Style("d5f0dc", "14532d", bold=True),
    "error": Style("ffd4cc", "8a1c0c", bold=True),
    "manual": Style("ead9f7", "4a1d6e", bold=True),
    "planned": Style("d8e8fa", "123f73", bold=True),
}

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
    rows: Sequence[RowResult]
    marks: Marks


def result_styles(row: RowResult) -> tuple[str, ...]:
    """Give the styles of a row's result cells."""
    return tuple(
        row.result if name == "result" else "wrapped" if width > NARROW else "faint"
        for name, width in RESULT_WIDTHS.items()
    )


def tint(findings: Iterable[Finding]) -> str:
    """Give the style of a cell that something was found in."""
    return "guilty" if any(f.severity is Severity.REJECT for f in findings) else "noted"


def note(findings: Iterable[Finding]) -> str:
    """Write the note of a cell: what is wrong, and what to do."""
    return "\n\n".join(
        "\n".join(filter(None, (f"{said(f)} [{f.code}]", advice(f.fix or fix(f.code)))))
        for f in findings
    )


def note_height(text: str) -> int:
    """Give the pixels that a note of ``NOTE_WIDTH`` needs."""
    return 24 + 18 * sum(1 + len(line) // 44 for line in text.splitlines())


NOTE_WIDTH = 300


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
    return sum(max(1, -(-len(line) // width)) for line in text.split("\n"))


LINE = 15  # points
MOST_LINES = 27  # a row can be 409 points high


def result_height(row: RowResult) -> int | None:
    """Give the height that a row's result needs."""
    wrapped = zip(row.cells, RESULT_WIDTHS.values(), strict=True)
    return height_of((text, width) for text, width in wrapped if width > NARROW)


def writable(text: str) -> str:
    r"""Spell out the characters that no workbook can hold.

    >>> writable("bad \ud800 name")
    'bad \\ud800 name'
    """
    return _UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)[:LONGEST]


_UNWRITABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
