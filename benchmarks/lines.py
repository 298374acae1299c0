"""What was measured comes in as ``Line`` values, a table and JSON go out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was measured, and what it was to be."""

    what: str
    reached: float
    unit: str
    """Of what was reached and of the goal, such as ``x a bare interpreter``."""
    goal: float | None = None
    """What it may be at most; None: it is told, and nothing is asked of it."""
    at_least: bool = False
    """The goal is what it must be at least."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What it was worked out from; seconds, bytes, calls."""

    @property
    def holds(self) -> bool:
        """Whether the goal is reached."""
        if self.goal is None:
            return True
        return self.reached >= self.goal if self.at_least else self.reached <= self.goal

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Show what, reached, goal, and whether it holds."""
        bound = ">=" if self.at_least else "<="
        goal = "" if self.goal is None else f"{bound} {self.goal:,.4g}"
        verdict = "" if self.goal is None else ("yes" if self.holds else "NO")
        return self.what, f"{self.reached:,.3g} {self.unit}", goal, verdict


def as_table(lines: Sequence[Line]) -> str:
    """Set lines in columns.

    >>> print(as_table([Line("--help", 5.4321, "x a bare interpreter", 8)]))
    what    reached                    goal  holds
    --help  5.43 x a bare interpreter  <= 8  yes
    """
    rows = [("what", "reached", "goal", "holds"), *(line.cells for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def as_markdown(lines: Sequence[Line], machine: str) -> str:
    """Set the lines that have a goal as a table for a page, with what they were measured on."""
    rows = [line.cells for line in lines if line.goal is not None]
    told = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{machine}.\n\n| what | reached | goal | holds |\n|---|---|---|---|\n{told}\n"


def as_json(lines: Sequence[Line], about: Mapping[str, object]) -> str:
    """Give lines for programs, with what they were measured on."""
    measured = [{**asdict(line), "holds": line.holds} for line in lines]
    return json.dumps({**about, "lines": measured}, indent=2) + "\n"
