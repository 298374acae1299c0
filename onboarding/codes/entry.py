"""What is said about one finding or outcome code."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill


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

    def told(self, code: str, width: int = 80) -> str:
        """Say all of it, as a page for a terminal."""
        title = f"{self.title[:1].upper()}{self.title[1:]}."
        fix = self.fix or "Nothing."
        lines = (
            f"{code}: {title}",
            self.meaning,
            f"Example: {self.example}",
            f"What to do: {fix}",
        )
        return "\n".join(fill(line, width, break_on_hyphens=False) for line in lines)

    def listed(self, code: str, column: int, width: int = 80) -> str:
        """Say what it means beside the code, the text in a column of its own."""
        indent = " " * (column + 2)
        first = f"{code:<{column}}  "
        return fill(
            self.meaning,
            width,
            initial_indent=first,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
