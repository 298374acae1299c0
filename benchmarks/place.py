"""Where benchmarks work, how large, and how often: what every benchmark is handed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A temporary folder, and the sizes."""

    folder: Path
    quick: bool = False
    """A twentieth of the sizes and one round: does it work at all?"""
    rounds: int = 3
    fast: str = os.environ.get("FAST_PYTHON", "")
    """A Python with our dependencies and pyarrow; empty: that line is left out."""
    witness: str = os.environ.get("WITNESS_PYTHON", "")
    """A Python with pyatlan; empty: those lines are left out."""

    def size(self, full: int) -> int:
        """Give a size as it is here."""
        return max(1, full // 20) if self.quick else full

    def times(self, factor: float = 1) -> int:
        """Give the rounds of something that is done so many times as often as usual."""
        return 1 if self.quick else max(1, round(self.rounds * factor))

    def room(self, name: str) -> Path:
        """Give a folder of its own to one measurement."""
        room = self.folder / name
        room.mkdir(parents=True, exist_ok=True)
        return room
