"""Who is told what a run is doing, call by call, and who tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from onboarding.apply.tally import Tally
from onboarding.tenant import Reader


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


class Teller:
    """Tells an observer how far a run has come. It knows nobody who uses it, so that a run ends with the last who knows it."""

    def __init__(
        self,
        observer: Observer,
        tally: Tally,
        tenant: Reader,
        calls: int,
        rest: Callable[[float], None],
        over: Callable[[], bool],
    ) -> None:
        """``calls``: how many are still to come when nothing fails; ``rest`` waits; ``over``: whether the run ends early."""
        self._observer = observer
        self._tally = tally
        self._tenant = tenant
        self._calls = tenant.calls + calls
        self._rest = rest
        self._over = over

    def tell(self, what: str) -> None:
        """Say what is being done; how many calls are left of a run that ends early, nobody knows."""
        done = self._tenant.calls
        self.count()
        self._observer.step(done, done if self._over() else max(done, self._calls), what)

    def count(self) -> None:
        """Say how many rows are through: not those that a run leaves behind which ends early."""
        if not self._over():
            self._observer.rows(self._tally.through, self._tally.rows)

    def end(self) -> None:
        """Say that no call is left, however many were announced."""
        done = self._tenant.calls
        self.count()
        self._observer.step(done, done, "done")

    def rest(self, seconds: float) -> None:
        """Wait before something is sent again, and say so."""
        self.tell(f"waiting for the tenant, {seconds:.0f} s")
        self._rest(seconds)
