"""A group's name in, what is wrong with it out, in words."""

from __future__ import annotations

import re

from onboarding.schemas.damage import damage, disguised, garbled, unprintable

LONGEST = 255
"""Characters that a tenant keeps of a name or a description (Keycloak's columns)."""


def wrong_name(name: str, *, meant: bool = False) -> str:
    """Say what is wrong with a group's name; ``meant``: an internal name stands beside it. Empty: nothing."""
    return (not meant and damage(name)) or garbled(name) or no_name(name)


def no_name(name: str) -> str:
    """Say why this is the name of no group, whatever became of it; empty if it may be one."""
    long = f"has {len(name)} characters; a tenant keeps {LONGEST}" if len(name) > LONGEST else ""
    return long or unprintable(name) or disguised(name) or _torn(name) or _beside(name)


def _torn(name: str) -> str:
    """Say that a name is part of a list as programs write it, and was cut at the wrong place."""
    if any(name.count(opening) != name.count(closing) for opening, closing in ("()", "[]", "{}")):
        return "has a bracket without its other half; put ; between names, and nothing around them"
    if re.match("(?:cn|ou|dc)=", name, re.IGNORECASE):
        return "is a directory's name for it; only what stands behind CN= is the group's name"
    return ""


def _beside(name: str) -> str:
    """Say that a name is none by itself: a ditto mark, or one line of a list with bullets."""
    if name.casefold() in _DITTO:
        return "stands for the cell above; write the name into every row"
    if re.match(r"[•‣▪◦·*–-]\s", name):
        return "begins with a bullet; write names only, each on a line or with ; between"
    return ""


_DITTO = frozenset({'"', "''", "〃", "″", "ditto", "dito", "s.o.", "do.", "same as above"})
