"""A column of cells in, what is to be known of all of them at once out.

A million cells looked at one by one take a second for each look. With pyarrow (the extra ``fast``) pandas keeps a column
in one piece, of which a text or a mask is made without making a million texts; else the cells are texts already.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ModuleNotFoundError:
    IN_ONE_PIECE = False
else:
    IN_ONE_PIECE = pd.StringDtype(na_value=np.nan).storage == "pyarrow"
"""Whether pandas keeps columns so: it may be too old a pyarrow."""


def joined(cells: pd.Series[str]) -> str:
    """Give all cells as one text, a line break behind each."""
    if not IN_ONE_PIECE:
        return "\n".join([*cells.tolist(), ""])
    column = _whole(cells).cast(pa.string())
    rows = pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column)
    return str(pc.binary_join(rows, "\n")[0]) + "\n" if len(column) else ""


def holding(cells: pd.Series[str], sign: str) -> np.ndarray:
    """Say of each cell whether it holds a sign."""
    if IN_ONE_PIECE:
        return cells.str.contains(sign, regex=False).to_numpy(bool, copy=True)
    return np.array([sign in cell for cell in cells.tolist()], bool)


def parts(cells: pd.Series[str], marks: str) -> set[str]:
    """Give what stands between any of these marks in any cell, each text once."""
    if IN_ONE_PIECE:
        column = _whole(cells)
        for mark in marks[1:]:
            column = pc.replace_substring(column, mark, marks[0])
        if marks:
            column = pc.list_flatten(pc.split_pattern(column, marks[0]))
        return {*pc.unique(column).to_pylist()}
    found: set[str] = set()
    for start in range(0, len(cells), _BATCH):
        some = "\n".join(cells.iloc[start : start + _BATCH].tolist())
        for mark in marks:
            some = some.replace(mark, "\n")
        found.update(some.split("\n"))
    return found


def _whole(cells: pd.Series[str]) -> pa.Array:
    column = pa.array(cells)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


_BATCH = 10_000
"""Lists that are taken apart at once."""
