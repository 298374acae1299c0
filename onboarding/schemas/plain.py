"""A column of cells in; which of them are plainly right out, so that nobody needs to look at them.

A cell is plainly right if it is read as it stands, breaks no rule of its column, and nothing is worth saying of it. What is
not plain is not wrong: the rules themselves (``schemas.judge``) judge it. Columns that hold the same few words, domains
or names again and again are asked once for each of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np
import pandas as pd

from onboarding.model import Role
from onboarding.schemas.addresses import PLAIN
from onboarding.schemas.columns import holding, joined, parts
from onboarding.schemas.names import wrong_name
from onboarding.schemas.text import QUOTES, UNSEEN, clean, fold, label
from onboarding.schemas.words import ADD, NO, NOTHING, REMOVE, STANDINGS, YES

_LINES = r"(?:(?![^@\n]{{65}})[A-Za-z0-9_]++(?:[.'&-][A-Za-z0-9_]++)*+@(?:{domains})\n)*+"
"""Addresses of the most usual kind, one below the other."""
_SAMPLE = 1_000
"""Cells among which the commonest domains are looked for."""
_COMMON = 20
_SHORT = 180
"""Letters that a domain may have, however long the part before it is."""
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
    """Run over all addresses at once, as one text; it stops where one is not of the most usual kind."""
    right = holding(cells, "@")
    addresses = cells[right]
    text = joined(addresses)
    if text.count("\n") > len(addresses):
        text = joined(addresses.str.replace("\n", " ", regex=False))
    usual = _usual(addresses.iloc[:_SAMPLE].tolist(), domains)
    at = start = 0
    places = np.flatnonzero(right)
    while (end := _end(usual.match(text, start))) < len(text):
        at += text.count("\n", start, end)
        stop = text.index("\n", end)
        right[places[at]] = _is_address(text[end:stop], domains)
        start = stop + 1
        at += 1
    return right


def _usual(sample: Iterable[str], domains: frozenset[str]) -> re.Pattern[str]:
    """Find lines of addresses at the domains that are the commonest among some cells."""
    counts = Counter(cell.rpartition("@")[2] for cell in sample if _is_address(cell, domains))
    common = [domain for domain, _ in counts.most_common(_COMMON) if len(domain) <= _SHORT]
    return re.compile(_LINES.format(domains="|".join(map(re.escape, common)) or "(?!)"))


def _end(lines: re.Match[str] | None) -> int:
    assert lines, "there may always be no such line"
    return lines.end()


def _is_address(cell: str, domains: frozenset[str]) -> bool:
    fits = not domains or cell.rpartition("@")[2].lower() in domains
    return fits and PLAIN.fullmatch(cell) is not None


def _lists(cells: pd.Series[str], *, commas: bool) -> np.ndarray:
    """Judge cells that may hold several names; far fewer names are there than cells."""
    text = joined(cells)
    marks = "".join(mark for mark in ";|\r" if mark in text)
    lines = text.count("\n") > len(cells)
    mixed = commas and "," in text and (marks or lines)
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
