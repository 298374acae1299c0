"""The bytes of a delimited file in UTF-8 in, its cells by column out: as they stand there, nothing shifted.

``csv`` is exact about quotes, never skips a line and never fills one up, but makes a list of every row. Pandas' own
reader makes columns at once, in a third of the time and memory, and is lenient: it closes quotes, drops what follows them and
fills short rows. So it only reads what leaves it nothing to be lenient about: as many cells on every line, and quotes
only around whole cells. A quoted line break stays in its row, a blank line is a row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from onboarding.errors import SheetError
from onboarding.schemas.columns import BY_ARROW, texts
from onboarding.sheets.grid import WIDEST, Cells

if BY_ARROW:
    import pyarrow as pa
    import pyarrow.csv as arrow

_LITERAL = re.compile('="([^"]*)"')
_BATCH = 1 << 14
"""Lines that are read at once: few enough to stay near the processor, which takes a third off the time."""
_BLOCK = 1 << 20
"""Bytes that are looked at at once."""
_QUOTE, _LINE, _RETURN = map(ord, '"\n\r')


def cells(content: bytes, start: int, delimiter: str) -> Cells:
    """Split into cells what begins at ``start``. Raises ``SheetError`` without the file's name."""
    even = _even(content, start, delimiter) if _is_plain(content, start, delimiter) else None
    if even is None:
        return Cells.of(_rows(content, start, delimiter))
    return Cells(even, unbroken=True)


# ---- even lines --------------------------------------------------------------------------------------------------


def _is_plain(content: bytes, start: int, delimiter: str) -> bool:
    """Whether all readers would take these lines for the same ones."""
    mark, first = delimiter.encode(), content.find(b"\n", start)
    return (
        len(mark) == 1
        and content.count(mark, start, first if first >= 0 else None) < WIDEST
        and not has_lone_return(content)
        and not content.startswith(b"\xef\xbb\xbf", start)  # a second mark, which is text
        and not _has_long_line(content, start)
        and (content.find(b'"', start) < 0 or _quotes_whole_cells(content, start, delimiter))
    )


def has_lone_return(content: bytes) -> bool:
    """Whether a line may end in a way that not all readers know."""
    if b"\r" not in content:
        return False
    letters = np.frombuffer(content, np.uint8)
    for start in range(0, len(letters), _BLOCK):
        some, behind = letters[start : start + _BLOCK], letters[start + 1 : start + _BLOCK + 1]
        if ((some[: len(behind)] == _RETURN) & (behind != _LINE)).any():
            return True
    return content.endswith(b"\r")


def _has_long_line(content: bytes, start: int) -> bool:
    """Whether a cell may be longer than csv reads."""
    longest = csv.field_size_limit()
    while len(content) - start > longest:
        end = content.rfind(b"\n", start, start + longest)
        if end < start:
            return True
        start = end + 1
    return False


def _quotes_whole_cells(content: bytes, start: int, delimiter: str) -> bool:
    """Whether every second quote begins a cell and the others end one; so none stands for itself."""
    letters = np.frombuffer(content, np.uint8, offset=start)
    quotes = np.flatnonzero(letters == _QUOTE)
    before, behind = quotes[::2] - 1, quotes[1::2] + 1
    edges = [ord(delimiter), _LINE, _RETURN]
    return len(quotes) % 2 == 0 and bool(
        np.isin(letters[before[before >= 0]], edges).all()
        and np.isin(letters[behind[behind < len(letters)]], edges).all()
    )


def _even(content: bytes, start: int, delimiter: str) -> pd.DataFrame | None:
    """Read columns at once; None where a line has more or fewer cells than another, or a cell has several lines."""
    try:
        frame = (_by_arrow if BY_ARROW else _by_pandas)(content, start, delimiter)
    except ValueError:  # of either reader
        return None
    if frame.shape[1] < 2 or not _is_even(frame, content, start, delimiter):
        return None
    return frame.set_axis(pd.RangeIndex(1, len(frame) + 1))


def _by_pandas(content: bytes, start: int, delimiter: str) -> pd.DataFrame:
    file = io.BytesIO(content)
    file.seek(start)
    frames = pd.read_csv(
        file,
        sep=delimiter,
        header=None,
        dtype="str",
        engine="c",
        na_filter=False,
        skip_blank_lines=False,
        chunksize=_BATCH,
    )
    return pd.concat(list(frames))


def _by_arrow(content: bytes, start: int, delimiter: str) -> pd.DataFrame:
    """Read with pyarrow, which refuses lines of different lengths.

    Its own allocator asks for huge pages, which take longer to be cleared than all of the reading.
    """
    first = content.find(b"\n", start)
    width = 1 + content.count(delimiter.encode(), start, first if first >= 0 else None)
    table = arrow.read_csv(
        pa.BufferReader(pa.py_buffer(content).slice(start)),
        arrow.ReadOptions(autogenerate_column_names=True),
        arrow.ParseOptions(
            delimiter=delimiter,
            ignore_empty_lines=False,
            newlines_in_values=content.find(b'"', start) >= 0,
        ),
        arrow.ConvertOptions(
            column_types={f"f{position}": pa.large_string() for position in range(width)}
        ),
        memory_pool=pa.system_memory_pool(),
    )
    return pd.DataFrame(
        {i: pd.Series(column, dtype="str") for i, column in enumerate(table.columns)}
    )


def _is_even(frame: pd.DataFrame, content: bytes, start: int, delimiter: str) -> bool:
    """Whether no line was filled up: that ends in a blank cell, without the delimiters that belong before it."""
    quoted = content.find(b'"', start) >= 0
    if quoted and len(frame) != content.count(b"\n", start) + (not content.endswith(b"\n")):
        return False  # csv limits the length of a cell, not of a line
    if BY_ARROW or not (quoted or (frame.iloc[:, -1] == "").any()):
        return True
    inside = sum(text.count(delimiter) for i in frame for text in texts(frame[i])) if quoted else 0
    return content.count(delimiter.encode(), start) - inside == (frame.shape[1] - 1) * len(frame)


# ---- any lines ---------------------------------------------------------------------------------------------------


def _rows(content: bytes, start: int, delimiter: str) -> Iterator[list[str]]:
    """Give row by row what csv's reader finds.

    Where the first row has blanks between delimiter and quote, they are no part of the cells.
    """
    mark = re.escape(delimiter.encode())
    quoted = rb'(?:[^"\r\n]*"[^"\r\n]*")+'  # up to a quote that closes a cell
    spaced = re.compile(quoted + mark + b' +"').match(content, start) is not None
    raw = io.BytesIO(content)  # a StringIO would take four bytes for each character
    raw.seek(start)
    lines = io.TextIOWrapper(raw, "utf-8", newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=spaced)
    literal = b'="' in content
    rows = 0
    try:
        for row in reader:
            rows += 1  # a cell may hold line breaks, so that the reader's own count is of lines
            yield [*map(_literal, row)] if literal else row
    except csv.Error as error:
        raise SheetError(_broken(error, rows + 1)) from error


def _literal(cell: str) -> str:
    """Read ``="007"``, by which many programs keep spreadsheets from taking a text for a number, as that text."""
    return found[1] if (found := _LITERAL.fullmatch(cell)) else cell


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
