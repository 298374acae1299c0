"""The bytes of a text file in, its ``Grid`` out: encoding and delimiter found by looking, nothing shifted.

Encoding: a byte order mark decides, then strict UTF-8. Anything else is a guess, marked as such, since two code pages
can both read a file and disagree about people's names. Delimiter: the one under which most headers are known.
Row numbers count records: a quoted line break stays in its row, a blank line is a row. A first line ``sep=;``
is an instruction that spreadsheet programs obey and don't show, so it is no row.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import islice

from onboarding.errors import SheetError, UsageError
from onboarding.headers import known
from onboarding.sheets.grid import Grid

DELIMITERS = (",", ";", "\t", "|")
HEADER_WITHIN = 20
"""Rows within which the header row is looked for, titles above it included."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEP_LINE = re.compile(r'\A"?sep=(.)"?[ ;,\t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)


def read_text(
    content: bytes,
    *,
    encoding: str | None,
    delimiter: str | None,
    columns: Collection[str] = (),
) -> Grid:
    """Decode and split a delimited file; ``columns`` are headers that the settings map.

    Raises ``SheetError`` without the file's name.
    """
    text, encoding, doubt = _decoded(content, encoding)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SheetError(
            f"line {line} holds a NUL character, which no text file has; "
            "save it again as CSV UTF-8, or name its encoding with --encoding"
        )
    if said := _SEP_LINE.match(text):
        delimiter, text = delimiter or said[1], text[said.end() :]
    delimiter = _checked(delimiter) if delimiter else _delimiter(text, columns)
    return Grid(_records(text, delimiter), None, encoding, delimiter, doubt)


def _decoded(content: bytes, encoding: str | None) -> tuple[str, str, str]:
    """Give the text, its encoding, and what is doubtful about that."""
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    name = encoding or marked or "utf-8"
    try:
        if marked == "utf-8-sig" and codecs.lookup(name).name == "utf-8":
            name = marked
        return content.decode(name), name, ""
    except LookupError as error:
        raise UsageError(f"--encoding {name}: there is no such encoding; try cp1252") from error
    except UnicodeError as error:
        doubt = _doubt(content, name, getattr(error, "start", 0))
        if encoding or marked:
            raise SheetError(doubt) from error
    with suppress(UnicodeError):
        return content.decode("cp1252"), "cp1252", doubt
    return content.decode("iso-8859-1"), "iso-8859-1", doubt


def _doubt(content: bytes, encoding: str, at: int) -> str:
    """Word what can't be decoded: which line, how it would look in the likeliest code page."""
    line = content.count(b"\n", 0, at) + 1
    start = content.rfind(b"\n", 0, at) + 1
    shown = content[max(start, at - 30) : at + 30].splitlines()[0].decode("cp1252", "replace")
    return (
        f'not {encoding.removesuffix("-sig").upper()} from line {line} on, which would read "{shown}" in cp1252; '
        "save the file as CSV UTF-8, or name its encoding, such as --encoding cp1252"
    )


def _checked(delimiter: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter.lower(), delimiter)
    if len(delimiter) != 1 or delimiter in '"\r\n ':
        raise UsageError(f'--delimiter "{delimiter}": one character is needed, or the word tab')
    return delimiter


def _delimiter(text: str, columns: Collection[str]) -> str:
    """Choose the delimiter that gives the most known headers in a row, then the most even rows."""
    return max(DELIMITERS, key=lambda delimiter: _promise(text, delimiter, columns))


def _promise(text: str, delimiter: str, columns: Collection[str]) -> tuple[int, int]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = list(islice(lines, HEADER_WITHIN))
    except csv.Error:
        return 0, 0
    widths = [len(row) for row in rows if len(row) > 1]
    even = max((widths.count(width) for width in set(widths)), default=0)
    return max((known(row, columns) for row in rows), default=0), even


def _records(text: str, delimiter: str) -> Sequence[Sequence[str]]:
    """Split into rows of cells; csv's own reader, since it is exact about quotes and never skips a line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)  # what was read before an error stays
    except csv.Error as error:
        raise SheetError(_broken(error, len(rows) + 1)) from error
    return rows


def _broken(error: csv.Error, row: int) -> str:
    match str(error):
        case "unexpected end of data":
            return f"a quote that opens in row {row} is never closed; close it, or double it if it is part of the text"
        case reason if "expected after" in reason:
            return f"in row {row} text follows a closing quote; put quotes around the whole cell and double those in it"
        case reason if "field larger" in reason:
            return f"row {row} has a cell of more than {csv.field_size_limit():,} characters; is a quote not closed?"
        case reason:
            return f"row {row} can't be read: {reason}"
