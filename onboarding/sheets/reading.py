"""How to read, as the settings and the command line say it; whatever is not said is found out from the content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from onboarding.headers import Kind


@dataclass(frozen=True, slots=True)
class OneInput:
    """What is said for some inputs only."""

    encoding: str | None = None
    delimiter: str | None = None
    final_line_break: bool | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read."""

    kind: Kind | None = None
    encoding: str | None = None
    delimiter: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Header -> canonical name, or ``ignore``."""
    group: str = ""
    """The group of a list of members that names none."""
    final_line_break: bool = False
    """Whether a text has to end in a line break: nobody will be asked, and one that was cut off shows it nowhere else."""
    inputs: Mapping[str, OneInput] = field(default_factory=dict)
    """A file's name, or a pattern such as ``hr-*.csv`` -> what is said for it; that goes before what is said for all."""

    def of(self, name: str) -> Reading:
        """Give how to read the input of this name."""
        found = self
        for pattern, said in self.inputs.items():
            if fnmatchcase(name, pattern):
                found = replace(
                    found,
                    encoding=said.encoding or found.encoding,
                    delimiter=said.delimiter or found.delimiter,
                    final_line_break=(
                        found.final_line_break
                        if said.final_line_break is None
                        else said.final_line_break
                    ),
                )
        return found
