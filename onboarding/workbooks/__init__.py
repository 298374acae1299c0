"""The bytes of a workbook in, its sheets as text out: read in a process of its own (``confined``), since files can hurt.

That process imports neither pandas nor anything else of weight; it looks into the container, reads and writes what it
found. What the formats have in common with nothing else stands in rooms of their own: ``xlsx``, ``xlsb``, ``xls`` and
``ods`` find what the library doesn't tell (errors, formulas never calculated, hidden rows, merged cells).
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from onboarding.confined import confined
from onboarding.errors import SheetError
from onboarding.workbooks.cells import Piece, apart
from onboarding.workbooks.container import TOO_MUCH

__all__ = ["Sheet", "Workbook", "is_workbook", "read_workbook"]

SECONDS = 30
"""Of processor time for one workbook, and one more for each MiB; a million rows take 20 to 45, by the machine."""
PATIENCE = 4
"""How many times that it may take on the clock."""
Place = tuple[int, int]

_STARTS = (b"PK\x03\x04", b"PK\x05\x06", bytes.fromhex("d0cf11e0a1b11ae1"))
_CRASHED = "no readable workbook: reading it broke off; open it in a spreadsheet program and save it again as .xlsx"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet; the cell in row n of a column is ``columns[position][n - 1]``, positions count from 0."""

    name: str
    visible: bool
    read: bool
    """A hidden sheet is not, unless it was named."""
    columns: list[list[str]] = field(default_factory=list)
    height: int = 0
    """How many rows there are, in every column."""
    errors: dict[Place, str] = field(default_factory=dict)
    """What a cell shows instead of a value; empty where a formula was never calculated."""
    covered: frozenset[Place] = frozenset()
    """Cells that look filled, since a merged one with a value covers them."""
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook's format, whatever its name says, and its sheets."""

    format: str
    sheets: tuple[Sheet, ...]


def is_workbook(content: bytes) -> bool:
    """Whether the bytes start as those of a zip or of an OLE file do; anything else is text or nothing."""
    return content.startswith(_STARTS)


def read_workbook(
    content: bytes, wanted: Collection[str] = (), *, patience: float = PATIENCE
) -> Workbook:
    """Read the visible sheets, or just those ``wanted``. Raises ``SheetError`` without the file's name."""
    seconds = SECONDS + (len(content) >> 20)
    asked = {"sheets": sorted(wanted)}
    try:
        done = confined(__name__, asked, content, seconds=seconds, patience=patience * seconds)
    except subprocess.TimeoutExpired as error:
        raise SheetError(TOO_MUCH) from error
    if done.returncode:
        exhausted = -done.returncode in (signal.SIGABRT, signal.SIGKILL, signal.SIGXCPU)
        if not exhausted and not done.stdout:
            last = done.stderr.decode(errors="replace").rstrip().rpartition("\n")[2]
            raise RuntimeError(f"the process that reads workbooks does not start: {last}")
        raise SheetError(TOO_MUCH if exhausted else _CRASHED)
    return _understood(map(json.loads, done.stdout.splitlines()))


def _understood(said: Iterable[Any]) -> Workbook:
    """Put together what the process wrote: the format, each sheet's facts, its columns in pieces."""
    kind = ""
    sheets: list[Sheet] = []
    for line in said:
        if isinstance(line, list):
            _extend(sheets[-1].columns, line)
        elif "refused" in line:
            raise SheetError(line["refused"])
        elif "sheet" in line:
            sheets.append(_sheet(line))
        else:
            kind = line.get("format", "")
    return Workbook(kind, tuple(sheets))


def _extend(columns: list[list[str]], pieces: Sequence[Piece]) -> None:
    columns += [[] for _ in pieces[len(columns) :]]
    for column, piece in zip(columns, pieces, strict=True):
        column += apart(piece)


def _sheet(facts: dict[str, Any]) -> Sheet:
    return Sheet(
        facts["sheet"],
        facts["visible"],
        facts["read"],
        height=facts.get("height", 0),
        errors={(row, position): shown for row, position, shown in facts.get("errors", ())},
        covered=frozenset(map(tuple, facts.get("covered", ()))),
        hidden_rows=frozenset(facts.get("hidden_rows", ())),
        hidden_columns=frozenset(facts.get("hidden_columns", ())),
    )
