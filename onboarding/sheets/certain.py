"""Rows below the headers in; those that may be something else than rows of the table, to be looked at one by one, out.

A total, a remark, headers once more or a blank line have no address where addresses stand. Many a row of the table has
none there either, but most of them show in one cell that they are rows: a word that is no header, no number and no
total. As the cells of a department or status are the same few words, each is asked once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from onboarding.headers import Columns, Kind
from onboarding.schemas.columns import holding
from onboarding.sheets.grid import Grid

_FEW = 1_000
"""Words among twice as many cells: in a column with more of them, it is not worth asking each."""
_OF_ADDRESSES = ("mail", "corre", "courriel", "posta", "electronique", "principalname")
"""One of them is in every header of a column of addresses, blanks and signs left out."""


def doubtful_rows(
    grid: Grid, columns: Columns, below: int, tells: Callable[[str, int], bool]
) -> Sequence[int]:
    """Give the numbers of the rows below one that may be none of the table.

    ``tells`` says whether a cell in a column shows that its row is one.
    """
    if columns.kind is Kind.GROUPS or "email" not in columns.fields:
        return range(below + 1, len(grid) + 1)
    frame = grid.cells.frame.iloc[below:]
    left = ~holding(frame[columns.fields["email"][0]], "@")
    rest = pd.DataFrame({i: frame[i][left] for i in frame})  # pyarrow copies whole frames first
    certain = np.zeros(len(rest), np.bool_)
    for position in range(rest.shape[1]):
        if rest[position].iloc[: 2 * _FEW].nunique() <= _FEW:
            codes, texts = pd.factorize(rest[position])
            certain |= np.array([tells(text, position) for text in texts], np.bool_)[codes]
    for position in range(rest.shape[1]):
        certain &= ~_may_name_addresses(rest[position].tolist())
    certain &= ~rest.index.isin([*grid.cells.beyond])  # headers may stand there too
    return [int(number) for number in rest.index[~certain]]


def _may_name_addresses(cells: Sequence[str]) -> np.ndarray:
    """Say of each cell whether it may be the header of addresses, or the beginning of a remark."""
    found = np.zeros(len(cells), bool)
    if _may_name(" ".join(cells)):
        found[:] = [*map(_may_name, cells)]
    return found


def _may_name(text: str) -> bool:
    if "#" in text:
        return True
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    letters = text.casefold().translate(_NO_SIGNS)
    return any(word in letters for word in _OF_ADDRESSES)


_NO_SIGNS = dict.fromkeys(c for c in range(0x3000) if not chr(c).isalnum())
