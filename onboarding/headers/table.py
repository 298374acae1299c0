"""What reading ends in: a table of text whose columns are understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pandas as pd

from onboarding.errors import SheetError
from onboarding.headers.known import GIVEN_AS, READ_AS, Kind
from onboarding.model import Finding


class NoKnownHeader(SheetError):
    """These headers are no table of ours; in a folder such a file is ignored, named directly it is an error."""


class Why(StrEnum):
    """What made a column mean what it means."""

    SETTINGS = "settings"
    TEMPLATE = "template"
    NAME = "name"
    STAND_IN = "stand-in"
    SECRET = "password"  # noqa: S105 -- no secret, a word for one
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Columns:
    """The headers of a table, understood."""

    kind: Kind
    fields: Mapping[str, tuple[int, ...]]
    """Canonical name -> positions; more than one for ``groups`` and for what is only carried along."""
    unknown: tuple[int, ...] = ()
    """Positions that no field goes by, and that neither a template nor the settings set aside; blank headers left out."""
    suggestions: Mapping[int, str] = field(default_factory=dict)
    """Unknown position -> the alias that its header nearly is."""
    template: str = ""
    """The system whose template this is, where it was recognised."""
    blanked: tuple[int, ...] = ()
    """Positions of passwords: nobody but the reader ever sees their cells."""
    kind_why: str = ""
    """What made it this kind of table, in a few words."""
    why: Mapping[int, Why] = field(default_factory=dict)
    """Position -> what made the column mean what it means; blank headers left out."""
    given: Mapping[str, str] = field(default_factory=dict)
    """Field -> what every row means by it, said outside of the table (``--group``)."""
    kind_said: bool = False
    """Whether the headers alone would not say that it is this kind, but ``--kind`` did."""
    meant: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Field -> cell -> what the cell stands for in it: the ids of a system that another of its tables explains."""

    @property
    def told(self) -> dict[str, str]:
        """Header -> what is written under it into every row that is given back, so that nobody has to say it again."""
        kind = {READ_AS[self.kind]: self.kind.value} if self.kind_said and not self.given else {}
        return {GIVEN_AS[name]: text for name, text in self.given.items()} | kind


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the job: text under understood columns, each row under the number that the file shows."""

    index: int
    """Which table of the job, from 0."""
    source: str
    """``users.csv`` or ``hr.xlsx!Users``."""
    path: Path | None
    """None for standard input."""
    sheet: str | None
    headers: tuple[str, ...]
    frame: pd.DataFrame
    """Every row that is not blank. Columns are positions from 0, the index holds row numbers, '' is a blank cell."""
    columns: Columns
    encoding: str
    """Empty for a workbook, as is ``delimiter``."""
    delimiter: str
    fed_back: bool
    """Whether it carried result columns; they are in neither ``headers`` nor ``frame``."""
    findings: tuple[Finding, ...] = ()
    surplus: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """The cells beyond the last header, of the rows that have such; their cells may be shifted."""
    top: int = 1
    """The number of the header row."""
    places: tuple[int, ...] = ()
    """Where each column of the frame stands in the file, from 0: result columns were cut out between them."""
    ignored: Mapping[int, str] = field(default_factory=dict)
    """Row number -> why it is not in the frame, for every such row of the file: blank, title, headers, total, …"""


def letter(position: int) -> str:
    """Give the letter that a spreadsheet program shows above a column."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"column {letters}"


def named(headers: Sequence[str], positions: Sequence[int]) -> str:
    """Name columns as the user sees them: ``"Mail" (column B) and "E-Mail" (column D)``."""
    return " and ".join(f'"{headers[i].strip()}" ({letter(i)})' for i in positions)
