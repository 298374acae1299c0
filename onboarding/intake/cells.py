"""A column of a table in, its cells as they are meant out: cleaned, words folded, ids as what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from onboarding import schemas
from onboarding.headers import Table
from onboarding.schemas.columns import taken

_SEVERAL = {"groups", "secondary_email", "username", "status", "blocked"}
_ONE = {"email", "role", "group", "internal_name", "description", "default", "action", "end_date"}
"""The fields that are read, of one or of several columns; all others are only carried along."""


def columns_of(table: Table) -> dict[str, int | None]:
    """Give every column that counts a name of its own (``groups``, ``groups1``, … where there are several), and its position.

    What is said outside of the table has none.
    """
    there = {
        f"{name}{i or ''}": position
        for name, where in table.columns.fields.items()
        for i, position in enumerate(where if name in _SEVERAL else where[: name in _ONE])
    }
    return {**there, **dict.fromkeys(table.columns.given)}


def field_of(name: str) -> str:
    """Give the field of a column: ``groups`` of ``groups2``."""
    return name.rstrip("0123456789")


def raw(table: Table, name: str, at: np.ndarray | None = None) -> pd.Series[str]:
    """Give the cells of a column as they stand at these places, ids as what they stand for; blank ones if it is none."""
    position = columns_of(table).get(name)
    if position is None:
        text, index = table.columns.given.get(name, ""), table.frame.index
        return pd.Series(text, index=index if at is None else index[at], dtype="str")
    whole, known = table.frame[position], table.columns.meant.get(name)
    cells = whole if at is None else taken(whole, at)
    return cells if known is None else _each_once(cells, lambda cell: known.get(cell.strip(), ""))


def read(table: Table, name: str, at: np.ndarray | None = None) -> pd.Series[str]:
    """Give the cells of a column at these places, cleaned and folded; what is said outside of the table, as it is said."""
    cells = raw(table, name, at)
    if name in table.columns.given:
        return cells
    return _each_once(cells, _READ.get(field_of(name), schemas.clean))


def _each_once(cells: pd.Series[str], reader: Callable[[str], str]) -> pd.Series[str]:
    """Read each text once; many columns hold the same few words over and over."""
    meant = {text: reader(text) for text in cells.unique().tolist()}
    if all(text == other for text, other in meant.items()):
        return cells
    return pd.Series([meant[text] for text in cells.tolist()], index=cells.index, dtype="str")


def _address(cell: str) -> str:
    return schemas.tidied(cell)[0]


def _unless_nothing(cell: str) -> str:
    text = schemas.clean(cell)
    return "" if len(text) < _LONGER and text.casefold() in schemas.NOTHING else text


_LONGER = 1 + max(map(len, schemas.NOTHING))
_READ: Mapping[str, Callable[[str], str]] = {
    "email": _address,
    **dict.fromkeys(("group", "groups", "internal_name", "description"), _unless_nothing),
    **dict.fromkeys(("role", "status", "blocked", "default", "action"), schemas.fold),
}
"""How the cells of a field are read; the others are only cleaned."""
