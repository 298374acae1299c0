"""A header in, the field that it means by its spelling out: nothing here looks at the rest of the table."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from onboarding.headers.known import ALIASES

_DECORATION = re.compile(
    r"\(\s*(?:required|optional|mandatory|yes\s*/\s*no|y/n|true(?: or |/)false|example:[^)]*|e\.g\.[^)]*"
    r"|[^)]*separated)\s*\)|\*|\brequired\s*$",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\[([^\]]*)\]")
_SECOND = re.compile("personal|private?|home|recovery|second|alternat|other")
_SEVERAL = re.compile(r"^(?:group|team|cohort|gruppe|groupe|grupo)\d+$")


def normal(header: str) -> str:
    """Give the spelling under which headers are compared: letters, digits and # only, no accents, no case.

    >>> normal(" E-Mail Address (required) ")
    'emailaddress'
    """
    plain = unicodedata.normalize("NFKD", _DECORATION.sub(" ", header)).casefold()
    return "".join(c for c in plain if c.isalnum() or c in "#:")


FIELD_OF = {normal(a): name for name, text in ALIASES.items() for a in text.split("|")}
"""Normalised spelling -> field."""


def known(headers: Sequence[str], columns: Collection[str] = ()) -> int:
    """Count the headers that mean a field; what a delimiter and a header row are judged by.

    ``columns`` are those that the settings map.
    """
    said = {normal(header) for header in columns}
    return sum(1 for h in headers if h and (field_of(h) or normal(h) in said))


def names_people(cells: Sequence[str]) -> bool:
    """Whether these are the headers of a table of people."""
    fields = {field_of(cell) for cell in cells if cell} - {""}
    return "email" in fields and len(fields) > 1


def field_of(header: str) -> str:
    """Give the field that a header means; empty where it means none."""
    for spelling in spelled(header):
        if spelling in FIELD_OF:
            return FIELD_OF[spelling]
    outside = normal(_BRACKETED.sub(" ", header))
    if _SEVERAL.match(outside):
        return "groups"
    if "mail" in outside and _SECOND.search(outside):
        return "secondary_email"
    return ""


def spelled(header: str) -> tuple[str, ...]:
    """Give the header's normalised spellings, the most telling first.

    Microsoft writes ``User name [userPrincipalName]``, Google ``Email Address [Required]``. The words outside come before
    those inside, since ``Block sign in [accountEnabled]`` means the words.
    """
    outside = normal(_BRACKETED.sub(" ", header))
    inside = [normal(text) for text in _BRACKETED.findall(header)]
    return (*(outside + text for text in inside), outside, *inside)
