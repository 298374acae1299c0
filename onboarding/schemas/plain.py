"""A column of cells in; which of them are plainly right out, so that nobody needs to look at them.

A cell is plainly right if it is read as it stands, breaks no rule of its column, and nothing is worth saying of it. What is
not plain is not wrong: the rules themselves (``schemas.judge``) judge it. Columns that hold the same few words, domains
or names again and again are asked once for each of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping

import numpy as np
import pandas as pd

from onboarding.model import Role
from onboarding.schemas.addresses import PLAIN
from onboarding.schemas.columns import matching, parts, texts
from onboarding.schemas.names import wrong_name
from onboarding.schemas.text import QUOTES, UNSEEN, clean, fold, label
from onboarding.schemas.words import ADD, NO, NOTHING, REMOVE, STANDINGS, YES

_USUAL = r"[A-Za-z0-9_]+(?:[.'&-][A-Za-z0-9_]+)*@(?:{domains})"
"""Addresses of the most usual kind."""
_LONGEST = 64
"""Letters of most addresses; the part before the @ alone may have as many."""
_SAMPLE = 1_000
"""Cells among which the commonest domains are looked for."""
_COMMON = 20
_WORDS: Mapping[str, Collection[str]] = {
    "status": STANDINGS,
    "blocked": YES | NO,
    "action": ADD | REMOVE,
}


def plain(
    field: str,
    cells: pd.Series[str],
    roles: Mapping[str, Role],
    domains: frozenset[str],
    *,
    commas: bool,
) -> np.ndarray:
    """Say of each cell of a field whether it is plainly right."""
    match field:
        case "email":
            return _addresses(cells, domains)
        case "groups":
            return _lists(cells, commas=commas)
        case "group":
            return _each_once(cells, lambda cell: _is_name(cell) and label(cell) != "")
        case "role" | "status" | "blocked" | "action":
            known = {"", *(roles if field == "role" else _WORDS[field])}
            return _each_once(cells, lambda cell: fold(cell) in known)
        case "secondary_email" | "username" | "end_date":
            return np.ones(len(cells), bool)  # there are no rules for them
        case _:
            return np.zeros(len(cells), bool)


def _each_once(cells: pd.Series[str], is_right: Callable[[str], bool]) -> np.ndarray:
    codes, texts = pd.factorize(cells)
    return np.array([is_right(text) for text in texts], bool)[codes]


def _addresses(cells: pd.Series[str], domains: frozenset[str]) -> np.ndarray:
    """Pass the addresses of the most usual kind all at once; look at each of the others."""
    sample = cells.iloc[:: 1 + len(cells) // _SAMPLE].tolist()
    counts = Counter(cell.rpartition("@")[2] for cell in sample if _is_address(cell, domains))
    if not counts:
        return np.array([_is_address(cell, domains) for cell in cells.tolist()], bool)
    common = "|".join(re.escape(domain) for domain, _ in counts.most_common(_COMMON))
    right = matching(cells, _USUAL.format(domains=common), _LONGEST)
    others = np.flatnonzero(~right)
    right[others] = [_is_address(cell, domains) for cell in cells.iloc[others].tolist()]
    return right


def _is_address(cell: str, domains: frozenset[str]) -> bool:
    fits = not domains or cell.rpartition("@")[2].lower() in domains
    return fits and PLAIN.fullmatch(cell) is not None


def _lists(cells: pd.Series[str], *, commas: bool) -> np.ndarray:
    """Judge cells that may hold several names; far fewer names are there than cells."""
    whole = [*texts(cells)]
    marks = "".join(mark for mark in ";|\r" if any(mark in text for text in whole))
    lines = sum(text.count("\n") for text in whole) > len(cells)
    mixed = commas and any("," in text for text in whole) and (marks or lines)
    if commas and not mixed:
        marks += ","
    if lines:
        marks += "\n"
    odd = {
        part
        for part in parts(cells, marks)
        if not _is_name(part) or not QUOTES.isdisjoint(part) or (mixed and "," in part)
    }
    if not odd:
        return np.ones(len(cells), bool)
    split = re.compile(f"[{marks}\n]").split
    return np.array([odd.isdisjoint(split(cell)) for cell in cells.tolist()], bool)


def _is_name(cell: str) -> bool:
    """Whether a name is plainly right, or blank."""
    name = label(cell)
    seen = not UNSEEN.search(cell) and clean(cell).casefold() not in NOTHING
    return seen and not wrong_name(name)
