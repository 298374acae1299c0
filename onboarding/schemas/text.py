"""A cell's text in; the same without what nobody sees out, and a groups cell taken apart into names.

Blanks and invisible characters around a cell don't count. A groups cell is split at ``;``, ``|`` and line breaks, or at
commas if it has none of those; a name in double quotes is one name whatever is in it. So a comma in a name is safe in
quotes, or before a ``;``. Quotes may be straight or typographic.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ZERO_WIDTH = "\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff"
_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
BLANKS = "".join(chr(c) for c in range(0x3001) if chr(c).isspace()) + _ZERO_WIDTH + _MARKS
"""Whatever a cell may have around its text without anybody seeing it."""

UNSEEN = re.compile(
    rf"[{_ZERO_WIDTH}{_MARKS}\u00a0\u2007\u202f]|_x00(?:0[09ad]|a0)_", re.IGNORECASE
)
"""What ``clean`` and ``label`` take off or make a plain blank of, and what only looks like one."""

_ESCAPED = re.compile(r"_x00(?:0[09ad]|a0)_", re.IGNORECASE)
"""A line break or another blank as Excel escapes it in its files (``_x000D_``); other programs show the escape."""
_WIDTHLESS = re.compile(f"[{_ZERO_WIDTH}]+")
QUOTES = frozenset('"“”„‟«»＂')
"""What stands around a name that is one whatever is in it."""
_STRAIGHT = str.maketrans(dict.fromkeys(QUOTES, '"'))


def clean(text: str) -> str:
    """Take off what nobody sees: blanks around, invisible characters anywhere; the rest in one Unicode spelling."""
    if "_x00" in text:
        text = _ESCAPED.sub(" ", text)
    if text.isascii():
        return text.strip()
    return _WIDTHLESS.sub("", unicodedata.normalize("NFC", text.strip(BLANKS))).strip(BLANKS)


def fold(text: str) -> str:
    """Bring a word into the form in which words are compared: no case, ``_`` and ``-`` as blanks.

    A lone ``-`` stays: somebody wrote it, so the cell is not blank.

    >>> fold("On_Leave")
    'on leave'
    """
    text = clean(text)
    return " ".join(text.casefold().replace("_", " ").replace("-", " ").split()) or text


def label(cell: str) -> str:
    """Give a group's name as people see it: no blanks or double quotes around, single blanks inside.

    >>> label(' “R&D,  Ops” ')
    'R&D, Ops'
    """
    text = " ".join(clean(cell).split())
    if text[-1:] in QUOTES and len(text) > 2:
        straight = text.translate(_STRAIGHT)
        if straight[0] == '"' and straight.count('"') == 2:
            return text[1:-1].strip()
    return text


@lru_cache(maxsize=1 << 12)
def names(cell: str, *, commas: bool = True) -> tuple[str, ...]:
    """Split a groups cell into names, each once, blanks collapsed.

    >>> names("Finance; R&D, Ops")
    ('Finance', 'R&D, Ops')
    >>> names('Finance, "R&D, Ops"')
    ('Finance', 'R&D, Ops')
    """
    straight = cell if cell.isascii() else cell.translate(_STRAIGHT)
    if '"' in straight:
        bare = re.sub('"[^"]*"', "", straight)
        one = re.compile(f'(?:"[^"]*"|[^{_separators(bare, commas=commas)}])+')
        parts = [cell[found.start() : found.end()] for found in one.finditer(straight)]
    else:
        parts = re.split(f"[{_separators(cell, commas=commas)}]", cell)
    return tuple(dict.fromkeys(filter(None, map(_label, parts))))


_label = lru_cache(maxsize=1 << 14)(label)
"""There are far fewer groups than cells that name them."""


def _separators(text: str, *, commas: bool) -> str:
    """Give the characters that separate; a line break always does."""
    return ";|\n\r" if ";" in text or "|" in text or "\n" in text or not commas else ",\n\r"
