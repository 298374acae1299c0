"""A column of cells in, what is to be known of all of them at once out.

A million cells looked at one by one take a second for each look. With pyarrow (the extra ``fast``) a column is a few large
pieces of memory, which are looked at without making a million texts; else the cells are texts already. Some ten thousand
cells are joined at a time: a text of all of them would take its time to be put into memory, again for each look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from onboarding.crew import Crew

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError:  # pandas, too, does without one that can't be loaded
    BY_ARROW = False
else:
    BY_ARROW = pd.StringDtype(na_value=np.nan).storage == "pyarrow"
"""Whether pandas keeps columns so: it may be too old a pyarrow."""

_BATCH = 1 << 16

_FACTOR = 0x9E3779B97F4A7C15
"""Odd, and of no pattern: 2 to the 64th by the golden section."""


def batches(cells: pd.Series[str]) -> Iterator[pd.Series[str]]:
    """Part a column, so that what is made of each part finds its place in memory that is there already."""
    return (cells.iloc[start : start + _BATCH] for start in range(0, len(cells), _BATCH))


def taken(cells: pd.Series[str], at: np.ndarray) -> pd.Series[str]:
    """Give what stands at these places, which ascend.

    All others are left out, since pyarrow puts into one piece whatever it takes from.
    """
    # Without any place, all cells are around it, and none of them is wanted.
    around = cells.iloc[at[0] : at[-1] + 1] if len(at) else cells
    wanted = np.zeros(len(around), bool)
    wanted[at - at[:1]] = True
    return around[wanted]


def side_by_side() -> Crew:
    """Give who looks at columns: two at once with pyarrow, whose looks let others work meanwhile.

    Without it, another thread gains nothing, and what it takes of memory it does not give back.
    """
    return Crew(2 if BY_ARROW else 1)


def texts(cells: pd.Series[str]) -> Iterator[str]:
    """Give a text of each batch of cells, a line break behind every cell."""
    for some in batches(cells):
        if BY_ARROW:
            column = pa.chunked_array(pa.array(some)).cast(pa.string()).combine_chunks()
            rows = pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column)
            yield str(pc.binary_join(rows, "\n")[0]) + "\n"
        else:
            yield "\n".join([*some.tolist(), ""])


def holding(cells: pd.Series[str], sign: str) -> np.ndarray:
    """Say of each cell whether it holds a sign."""
    if BY_ARROW:
        return cells.str.contains(sign, regex=False).to_numpy(bool, copy=True)
    return np.array([sign in cell for cell in cells.tolist()], bool)


def all_end(cells: pd.Series[str], end: str) -> bool:
    """Whether all cells end so that hold the first sign of it, as each does that is not blank.

    Perhaps it is not found out, where one holds that sign twice.
    """
    if not BY_ARROW:
        return all(text.count(end[0]) == text.count(end + "\n") for text in texts(cells))
    parts = map(pa.array, batches(cells))
    return all(pc.all(pc.or_(pc.ends_with(p, end), pc.equal(p, ""))).as_py() for p in parts)


def matching(cells: pd.Series[str], pattern: str, longest: int) -> np.ndarray:
    """Say of each cell whether all of it matches, and is no longer than so many bytes.

    The pattern is one that pyarrow understands, too, and matches neither line breaks nor letters of several bytes.
    """
    if BY_ARROW:
        column = pa.array(cells)
        found = pc.match_substring_regex(column, rf"\A(?:{pattern})\z")
        return np.array(pc.and_(found, pc.less_equal(pc.binary_length(column), longest)), bool)
    right = np.ones(len(cells), bool)
    lines = re.compile(rf"(?:(?![^\n]{{{longest + 1}}})(?>{pattern})\n)*+")
    at = 0
    for some in batches(cells):
        text = "\n".join([*some.tolist(), ""])
        if text.count("\n") > len(some):
            text = "\n".join([*some.str.replace("\n", "\r", regex=False).tolist(), ""])
        start = 0
        while (end := _end(lines.match(text, start))) < len(text):
            at += text.count("\n", start, end)
            right[at] = False
            at += 1
            start = text.index("\n", end) + 1
        at += text.count("\n", start)
    return right


def _end(lines: re.Match[str] | None) -> int:
    assert lines, "there may always be no such line"
    return lines.end()


def hashes(cells: pd.Series[str]) -> np.ndarray:
    """Give each cell a number, the same for the same text and hardly ever for others.

    With pyarrow each takes as much room as the longest one. They are e-mail cells: an address has at most 254 characters,
    and whoever judged the cells has made those blank that hold none.
    """
    found = [_hashes(some) for some in batches(cells)]
    return np.concatenate([np.array([], np.int64), *found])


def _hashes(cells: pd.Series[str]) -> np.ndarray:
    """Read with pyarrow each cell as numbers of eight bytes, as many as the longest has, without making a text of it."""
    if not BY_ARROW:
        return np.fromiter(map(hash, cells.tolist()), np.int64, len(cells))
    column = pa.chunked_array(pa.array(cells)).combine_chunks()
    many = 1 + pc.max(pc.binary_length(column)).as_py() // 8
    padded = pc.ascii_rpad(column, 8 * many, "\0")
    words = np.frombuffer(padded.buffers()[2], np.uint64, many * len(cells)).reshape(-1, many)
    factors = np.cumprod(np.full(many, _FACTOR, np.uint64))
    return ((words ^ (words >> np.uint64(32))) @ factors).view(np.int64)


def parts(cells: pd.Series[str], marks: str) -> set[str]:
    """Give what stands between any of these marks in any cell, each text once."""
    found: set[str] = set()
    if not BY_ARROW:
        for text in texts(cells):
            for mark in marks:
                text = text.replace(mark, "\n")
            found.update(text[:-1].split("\n"))
        return found
    for some in batches(cells):
        column = pa.array(some)
        for mark in marks[1:]:
            column = pc.replace_substring(column, mark, marks[0])
        if marks:
            column = pc.list_flatten(pc.split_pattern(column, marks[0]))
        found.update(pc.unique(column).to_pylist())
    return found
