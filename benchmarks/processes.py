"""Command lines come in; what each costs as a whole process goes out, measured side by side.

This process must stay small: a child's peak of memory is never below that of the process which started it (Linux
counts the moment between fork and exec), so data is made line by line and nothing heavy is imported here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

from benchmarks.lines import Figure, Line

HOME = Path(__file__).parent.parent
YARDSTICKS = Path(__file__).parent / "yardsticks"
TOOL = (sys.executable, "-m", "onboarding")

Of = Literal["wall", "cpu", "peak"]
"""What of a ``Cost``."""
UNITS: Mapping[Of, str] = {"wall": "s", "cpu": "s of a processor", "peak": "bytes"}


class Failed(Exception):
    """A command that did not work; nothing can be measured by it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took, children that it waited for included."""

    wall: float
    cpu: float
    """Seconds of a processor, of all threads together."""
    peak: int
    """Bytes of memory, of the largest process."""
    output: str


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, from the folder of the checkout."""

    argv: Sequence[str | Path]
    environ: Mapping[str, str] = field(default_factory=dict)
    codes: frozenset[int] = frozenset((0,))
    """Exit codes that mean it worked."""

    def run(self) -> Cost:
        """Run it to its end; raises ``Failed`` where it did not work."""
        argv = list(map(str, self.argv))
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            began = time.perf_counter()
            process = subprocess.Popen(  # noqa: S603 -- our own commands
                argv,
                cwd=HOME,
                env=os.environ | self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            errors.seek(0)
            if process.returncode not in self.codes:
                raise Failed(f"{argv} gave exit code {process.returncode}: {errors.read()[-2000:]}")
            peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            return Cost(wall, usage.ru_utime + usage.ru_stime, peak, output.read())


def script(name: str, *arguments: str | Path, python: str = sys.executable) -> Command:
    """Give the command of a yardstick."""
    return Command([python, YARDSTICKS / f"{name}.py", *arguments])


@dataclass(frozen=True, slots=True)
class Measured:
    """Commands that were run in turns, so that whatever else the machine did befell all of them."""

    rounds: Sequence[Mapping[str, Cost]]

    def line(
        self,
        what: str,
        name: str,
        yardstick: str,
        goal: float | None = None,
        *,
        of: Of = "wall",
        unit: str = "",
    ) -> Line:
        """Compare a command with its yardstick, which ``unit`` may call by another name."""
        figures = self.figures(name, yardstick, of=of)
        pairs = zip(*(figure.rounds for figure in figures.values()), strict=True)
        ratio = median(ours / bare for ours, bare in pairs)
        return Line(what, ratio, f"x {unit or yardstick}", goal, figures=figures)

    def figures(self, *names: str, of: Of = "wall") -> dict[str, Figure]:
        """Give what commands took in each round, by name."""
        return {
            name: Figure(UNITS[of], [getattr(costs[name], of) for costs in self.rounds])
            for name in names
        }


def side_by_side(commands: Mapping[str, Command], rounds: int) -> Measured:
    """Run each command once a round, every second round in the opposite order."""
    done = []
    for number in range(rounds):
        order = list(commands)[:: 1 if number % 2 == 0 else -1]
        done.append({name: commands[name].run() for name in order})
    return Measured(done)
