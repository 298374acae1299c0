"""What was measured comes in as ``Line`` values, a table and JSON go out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

VERDICTS = {True: "yes", False: "NO", None: "-"}
BEGIN, END = "<!-- goals -->\n", "<!-- end -->"
HEAD = "| what | reached | goal | holds | measured |\n|---|---|---|---|---|\n"


@dataclass(frozen=True, slots=True)
class Figure:
    """What a ratio was worked out from: a value for each round, in order."""

    unit: str
    rounds: Sequence[float]

    @property
    def median(self) -> float:
        """Give the value in the middle."""
        return median(self.rounds)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was measured, and what it was to be."""

    what: str
    """No other line has the same."""
    reached: float
    unit: str
    """Of what was reached and of the goal, such as ``x a bare interpreter``."""
    goal: float | None = None
    """What it may be at most; None: it is told, and nothing is asked of it."""
    at_least: bool = False
    """The goal is what it must be at least."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    judged: bool = True
    """Whether it was measured as the goal means it."""

    @property
    def holds(self) -> bool | None:
        """Whether the goal is reached; None where that is not to be said."""
        if self.goal is None or not self.judged:
            return None
        return self.reached >= self.goal if self.at_least else self.reached <= self.goal

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Show what, reached, goal, and whether it holds."""
        bound = ">=" if self.at_least else "<="
        goal = "" if self.goal is None else f"{bound} {self.goal:,.4g}"
        verdict = VERDICTS[self.holds] if goal else ""
        return self.what, f"{self.reached:,.3g} {self.unit}", goal, verdict


def by_name(rounds: Sequence[Mapping[str, float]], **units: str) -> dict[str, Figure]:
    """Give what each round measured, figure by figure."""
    return {name: Figure(unit, [each[name] for each in rounds]) for name, unit in units.items()}


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


def into_page(page: str, lines: Sequence[Line], machine: str, day: str, *, anew: bool) -> str:
    """Put the lines that have a goal between the marks of a page, with what they were measured on, and when.

    Each goes where the page has it already, else below the others, which stay unless the table is made ``anew``.
    """
    before, begin, rest = page.partition(BEGIN)
    table, end, after = rest.partition(END)
    kept = [] if anew else [row for row in table.splitlines() if row.startswith("| ")][1:]
    made = {
        f"| {line.what}": f"| {' | '.join((*line.cells, day))} |"
        for line in lines
        if line.goal is not None
    }
    rows = [made.pop(row.split(" | ")[0], row) for row in kept]
    told = "".join(f"{row}\n" for row in (*rows, *made.values()))
    return f"{before}{begin}{machine}.\n\n{HEAD}{told}{end}{after}"


def as_json(lines: Sequence[Line], about: Mapping[str, object]) -> str:
    """Give lines for programs, with what they were measured on."""
    measured = [{**asdict(line), "holds": line.holds} for line in lines]
    return json.dumps({**about, "lines": measured}, indent=2) + "\n"
