"""How long a person waits for a page of help."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.lines import Line
from benchmarks.place import Place
from benchmarks.processes import TOOL, Command, side_by_side


def cold(place: Place) -> Iterator[Line]:
    """Start ``--help`` and ``--version``."""
    commands = {
        "bare": Command([sys.executable, "-c", "pass"]),
        "--help": Command([*TOOL, "--help"]),
        "--version": Command([*TOOL, "--version"]),
    }
    side_by_side(commands, 1)  # byte code is written, files are in memory
    measured = side_by_side(commands, place.times(7))
    for name in ("--help", "--version"):
        yield measured.line(name, name, "bare", 8, unit="a bare interpreter")
