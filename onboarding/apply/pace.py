"""How fast, how wide and how patiently a plan is carried out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, how wide and how patiently. Times are in seconds."""

    batch: int = 20
    """Invitations in one call: a larger batch that times out is a larger doubt."""
    workers: int = 4
    """Calls under way at once; four use 300 calls a minute at any sane latency."""
    read_lag: float = 30.0
    """How long a tenant may take to show what it has accepted."""
    wait: float = 900.0
    """How long a doubtful invitation may still take effect; after that, absent means absent."""
    fresh: float = 60.0
    """How old a look may be for people to be invited by it without a second one."""
    tries: int = 5
    """How often something that was not carried out is sent before the run stops."""
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def rest(self, seconds: float, stop: threading.Event) -> None:
        """Sleep, but not on when somebody wants to stop."""
        while seconds > 0 and not stop.is_set():
            self.sleep(min(seconds, 1.0))
            seconds -= 1.0
