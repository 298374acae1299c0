"""Who is told what a run is doing, call by call."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Who watches calls go by; the bar hangs on it."""

    def step(self, done: int, total: int, what: str) -> None:
        """So many calls of so many are made, those before included; as many where the end of this needs none."""
        ...

    def rows(self, through: int, total: int) -> None:
        """So many rows of so many have nothing left to be sent."""
        ...


class Silent:
    """An observer that keeps it to itself."""

    def step(self, done: int, total: int, what: str) -> None:
        """Do nothing."""

    def rows(self, through: int, total: int) -> None:
        """Do nothing."""
