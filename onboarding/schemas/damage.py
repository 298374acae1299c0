"""A text in, what programs and look-alike letters have made of it out, in words. Nothing is repaired, only suggested.

Three kinds: what a spreadsheet program makes of a name that looks like a number or a date, text read in the wrong
encoding (``MÃ¼ller``), and letters of another alphabet that look like Latin ones (``Finаnce``).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

# ---- numbers and dates -----------------------------------------------------------------------------------------------

_MONTH = (
    "jan|jän|janv|feb|fév|févr|mar|mär|mrz|mars|apr|avr|may|mai|jun|juin|jul|juil|aug|août|sep|sept|oct|okt|nov|dec"
    "|dez|déc"
)
_CUT = r"[+-]?\d(?:[.,]\d+)?e[+-]?\d+"
_DATE = (
    rf"\d\d?[-. ]{{1,2}}(?:{_MONTH})\.?(?:[-. ]\d{{2,4}})?|(?:{_MONTH})\.?[- ]\d{{2,4}}"
    r"|\d{4}-\d\d-\d\d(?:[ t]\d\d:\d\d(?::\d\d(?:\.0+)?)?)?|\d\d?[./-]\d\d?[./-](?:\d{4}|\d{2})"
)
_TIME = r"(?:\d+ days?, )?\d\d?:\d\d:\d\d(?:\.\d+)?"
_TAIL = r"\d+[.,]0+"
_FLAG = "true|false|wahr|falsch|vrai|faux|verdadero|falso|yes|no|ja|nein|oui|non"
_ORDER = (
    r"same as .+|(?:see|siehe) (?:above|below|oben|unten)|(?:(?:remove|delete|revoke|drop|entfernen?)(?: from| aus|:)|not(?! for)|kein|nicht) .+"
    r"|.+\((?:remove[ds]?|deleted?|revoked?|entfernen|no|nein)\)|.+\b(?:until|till|bis|jusqu.{2,3}|hasta) .*\d{4}.*"
)
_KINDS = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (_CUT, "is a long number that a spreadsheet program has cut short"),
        (r"[1-9]\d{0,8}0{8,}", "is a long number that a spreadsheet program has probably rounded"),
        (_DATE, "is a date, as a spreadsheet program makes of many a name"),
        (_TIME, "is a time, as a spreadsheet program makes of many a name"),
        (_TAIL, "is a number with a tail that a program added"),
        (
            r"-?\d*[.,]\d+",
            "is a number with decimals, as a spreadsheet program makes of many a name",
        ),
        (_FLAG, "is a yes or no"),
        (
            _ORDER,
            "is an order and no name; say who leaves which group in a table with a column action",
        ),
        (r"=.+", "is a formula; write what it shows"),
    )
)


def damage(text: str) -> str:
    """Say what a spreadsheet program has made of a name; empty where nothing shows.

    >>> damage("101.0")
    'is a number with a tail that a program added; was it "101"?'
    """
    for pattern, words in _KINDS:
        if pattern.fullmatch(text):
            whole = re.split("[.,]", text)[0]
            return f'{words}; was it "{whole}"?' if pattern.pattern == _TAIL else words
    return ""


# ---- encodings -------------------------------------------------------------------------------------------------------

_LEADS = "\u00c2-\u00f4"
_TAILS = "\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
MAYBE_GARBLED = re.compile(f"[{_LEADS}][{_TAILS}]|\ufffd")
"""Finds what may be UTF-8 read as a western encoding, and the sign for a letter that got lost."""
_LIKELY = re.compile(
    "[\u0000-\u024f\u0300-\u052f\u0590-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u1e00-\u1eff\u2010-\u2044\u20ac\u2122\u3000-\u9fff\uac00-\ud7af\uff00-\uffef\U0001f300-\U0001faff]*"
)
"""What text is likely to be made of: all but phonetic letters, combining signs alone and the like."""
_ENTITY = re.compile(
    r"(&(?:amp|lt|gt|quot|apos|nbsp|szlig|[a-z]{1,2}(?:uml|acute|grave|circ|cedil)|#x?[0-9a-f]+))(?:;|$)",
    re.IGNORECASE,
)
"""A sign as web pages write it; a groups cell is split behind it."""
_CODES = {chr(c): c for c in range(0x100)}
_CODES |= {bytes([c]).decode("cp1252", "replace"): c for c in range(0x80, 0xA0)}


def garbled(text: str) -> str:
    """Say that a text was read in the wrong encoding, with what it may have been; empty where it was not.

    >>> garbled("MÃ¼ller")
    'was read in the wrong encoding; was it "Müller"?'
    """
    if "\ufffd" in text:
        return "has lost letters: a program has put � in their place"
    if found := _ENTITY.search(text):
        sign = html.unescape(f"{found[1]};")
        return f'has "{found[1]}", as web pages write "{sign}"'
    repaired = degarbled(text)
    return f'was read in the wrong encoding; was it "{repaired}"?' if repaired != text else ""


def degarbled(text: str) -> str:
    """Undo that UTF-8 was read as Windows-1252, once or twice; a text to which that did not happen stays.

    >>> degarbled("MÃ¼ller"), degarbled("CAFÉ®"), degarbled("Müller")
    ('Müller', 'CAFÉ®', 'Müller')
    """
    for _ in range(3):
        if not MAYBE_GARBLED.search(text):
            break
        try:
            once = bytes(map(_CODES.__getitem__, text)).decode()
        except (KeyError, UnicodeDecodeError):
            break
        if not _LIKELY.fullmatch(once):
            break
        text = once
    return text


# ---- letters ---------------------------------------------------------------------------------------------------------

_TWINS = str.maketrans(
    "аеорсухіјѕԁһԛԝғАВЕКМНОРСТХУІЈЅԌԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαρν＄",
    "aeopcyxijsdhqwfABEKMHOPCTXYIJSGQWABEZHIKMNOPTYXoapv$",
)
"""Cyrillic and Greek letters that look like a Latin one."""
_TYPED = str.maketrans("‘’‚‛ʼ′＇“”„‟″＂‐‑‒–—―−", "'''''''\"\"\"\"\"\"-------")
"""What text programs put in the place of quotes and hyphens."""


def twinless(text: str) -> str:
    """Give the text in the plain letters that it looks as if it had."""
    return unicodedata.normalize("NFKC", text.translate(_TWINS).translate(_TYPED))


_LATIN_END = 0x250
"""Behind it are phonetic letters, which also only look like Latin ones."""


@lru_cache(maxsize=1 << 12)
def disguised(text: str) -> str:
    """Say which letter among Latin ones only looks like one; empty where none does.

    >>> disguised("Finаnce")
    'holds "а" (cyrillic small letter a), which only looks like "a"; was it "Finance"?'
    >>> disguised("µService"), disguised("Финансы")
    ('', '')
    """
    for word in re.findall(r"[\w$＄]+", text):
        plain = word.translate(_TWINS)
        twin = next((c for c in word if c != c.translate(_TWINS)), "")
        if (
            twin
            and all(ord(c) < _LATIN_END for c in plain)
            and (twin == "＄" or re.search("[A-Za-z]", word))
        ):
            looks = twin.translate(_TWINS)
            meant = text.translate(_TWINS)
            return f'holds "{twin}" ({named(twin)}), which only looks like "{looks}"; was it "{meant}"?'
    return ""


def unprintable(text: str) -> str:
    """Say that a text holds a character that no name has; empty where it does not."""
    odd = next((c for c in text if unicodedata.category(c) in {"Cc", "Cs", "Co", "Cn"}), "")
    return f"holds a character that can't be shown ({named(odd)})" if odd else ""


def named(letter: str) -> str:
    """Name a character as Unicode does.

    >>> named("ß"), named(chr(7))
    ('latin small letter sharp s', 'U+0007')
    """
    return unicodedata.name(letter, f"U+{ord(letter):04X}").lower().replace("u+", "U+")


def first(parts: Iterable[str], fault: Callable[[str], str]) -> tuple[str, str]:
    """Give the first part that has a fault, and the fault; two empty texts where none has."""
    return next(((part, words) for part in parts if (words := fault(part))), ("", ""))
