"""How the cells of a workbook look, as plain data, and what can be written into them.

Colour never stands alone: a shaded result is a word, and a tinted cell carries a note. Nothing heavy is imported here, since
the process that writes into the user's workbook needs it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypedDict

AUTHOR = "onboarding"
SIGN = f"{AUTHOR}:\n"
"""What our notes begin with, by which those of an earlier report are known; not every program keeps an author."""
MOST_NOTES = 1_000
"""Notes in one workbook: each is a drawing, and thousands of them make a spreadsheet program slow."""
LONGEST = 32_767
"""Characters that a cell can hold."""
NOTE_WIDTH = 300  # pixels
NOTE_LINE = 44  # characters


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


def note_height(text: str) -> int:
    """Give the pixels that a note needs."""
    return 24 + 18 * sum(1 + len(line) // NOTE_LINE for line in text.splitlines())


def writable(text: str) -> str:
    r"""Spell out the characters that no workbook can hold.

    >>> writable("bad \ud800 name")
    'bad \\ud800 name'
    """
    return _UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)[:LONGEST]


_UNWRITABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")


def escaped(text: str) -> str:
    r"""Escape what XML can't hold, as spreadsheet programs do.

    >>> escaped("\r _x0041_")
    '_x000D_ _x005F_x0041_'
    """
    literal = re.sub(r"_(x[0-9A-Fa-f]{4}_)", r"_x005F_\1", writable(text))
    return re.sub(r"[\x00-\x08\x0b-\x1f]", lambda found: f"_x{ord(found[0]):04X}_", literal)


def unescaped(text: str) -> str:
    r"""Read the escapes of XML, as spreadsheet programs do.

    >>> unescaped("remov_x0065_ _x005F_x0041_")
    'remove _x0041_'
    """
    return ESCAPE.sub(lambda found: chr(int(found[0][2:-1], 16)), text)


ESCAPE = re.compile("_x[0-9A-Fa-f]{4}_")


# ---- what is asked of the process that writes into the user's own workbook -----------------------------------------


class CellOrder(TypedDict):
    """One cell of the first sheet."""

    text: str | int
    style: str
    span: int
    to: tuple[str, str] | None


class LineOrder(TypedDict):
    """One line of the first sheet."""

    height: int | None
    cells: list[CellOrder]


class RowOrder(TypedDict):
    """The result of one row."""

    row: int
    height: int | None
    texts: list[str]
    styles: list[str]


class MarkOrder(TypedDict):
    """One cell in which something was found; rows and columns count from 1."""

    row: int
    column: int
    style: str
    note: str


class SheetOrder(TypedDict):
    """One sheet that was read; rows and columns count from 1."""

    name: str
    title: str
    top: int
    columns: list[int]
    """Those of the table."""
    secret: list[int]
    frozen: int
    fed_back: bool
    widths: dict[str, int]
    """The result columns and how wide they are, in their order."""
    rows: list[RowOrder]
    marks: list[MarkOrder]
    texts: list[tuple[int, int, str]]
    """Row, column and text of cells that openpyxl misreads: formulas never calculated, and what looks like an escape."""


class Order(TypedDict):
    """All that is to be written."""

    title: str
    widths: list[int]
    lines: list[LineOrder]
    sheets: list[SheetOrder]
