"""What is said about one finding or outcome code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One entry: what it is about (``row``, ``note``, ``outcome``), what it means, what to do."""

    about: str
    title: str
    """A few words, for where a sentence is too long: ``37 rows: domain not allowed``."""
    meaning: str
    fix: str
    """Empty where nothing is to be done."""
    example: str
