"""How fast we may call: every thread of the process takes its turn from one ``Budget``.

A room of its own, since it knows nothing of HTTP: clock and sleep go in, waiting comes out.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from onboarding.errors import Throttled

PER_MINUTE = 300.0  # calls; Atlan blocks an instance for a minute above 400
BURST = 50  # calls that a rested budget lets through at once, so that small jobs don't wait
BLOCKED = 60.0  # seconds that Atlan blocks for; waited where a 429 does not say how long
LOCAL, DISTANT = (
    0.02,
    0.1,
)  # seconds for an answer: of a tenant on this machine, and of one that limits calls
PATIENCE = 900.0  # seconds; a tenant that asks for a longer pause gets a later run
SLOWER = 0.7  # of the rate so far, after a 429
LEAST = 0.1  # of the full rate; never slower than that
REGAINED = 0.1  # of the full rate, in every minute without a 429
MEASURED = 30  # calls of late, by which it is known how long one takes


def burst_of(per_minute: float) -> int:
    """Give how many calls a rested budget lets through at once: ten seconds' worth, and at most ``BURST``."""
    return max(1, int(min(BURST, per_minute / 6)))


def _silent(seconds: float) -> None:
    """Tell nobody."""


class Budget:
    """So many calls a minute, some of them saved up by a rest; ``math.inf`` until a 429 says otherwise."""

    def __init__(
        self,
        per_minute: float = PER_MINUTE,
        burst: int = BURST,
        *,
        workers: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        waiting: Callable[[float], None] = _silent,
        stop: threading.Event | None = None,
    ) -> None:
        """``workers``: how many threads call at once."""
        self.waiting = waiting
        """Called by a thread that waits, about every second, with the seconds left of a pause that the tenant asked for; else 0."""
        self.waited = 0.0
        """Seconds in which anybody has waited; several at once count once."""
        self._clock = clock
        self._sleep = sleep
        self._stop = stop or threading.Event()
        """The wish that the run ends; the pauses that a tenant asks for can be long."""
        self._lock = threading.Lock()
        self._full = per_minute
        self._share = 1.0  # of the full rate, as of `_since`
        self._since = clock()
        self._saved = (burst - 1) * 60 / per_minute  # seconds' worth of calls
        self._next = -math.inf  # when the next call is due at an even pace
        self._resume = -math.inf  # when the pause that the tenant asked for ends
        self._counted = -math.inf  # until when waiting is counted in `waited`
        self._workers = workers
        self._took = deque[float](maxlen=MEASURED)  # from a turn of a thread until it came again
        self._thread = threading.local()

    def takes(self, calls: int) -> float:
        """Guess how many seconds so many calls take from a rest; those that were saved up don't wait."""
        return max(calls * self._latency, calls * 60 / self._full - self._saved)

    def left(self, calls: int) -> float:
        """Tell how many seconds so many calls take from now on, after the present pause.

        What is slower counts: our present rate, or a tenant that takes as long for each as it has taken of late.
        """
        with self._lock:
            now = self._clock()
            turn = max(self._next, now - self._saved) + calls * 60 / self._rate(now)
            each = sorted(self._took)[len(self._took) // 2] if self._took else self._latency
        answered = max(now, self._resume) + math.ceil(calls / self._workers) * each
        return max(turn, answered) - now

    @property
    def _latency(self) -> float:
        return LOCAL if self._full == math.inf else DISTANT

    def take(self) -> None:
        """Wait for a turn. Raises ``Throttled`` if the tenant wants a pause too long for a run."""
        with self._lock:
            now = self._clock()
            turn = max(self._next, now - self._saved)
            self._next = turn + 60 / self._rate(now)
            if hasattr(self._thread, "since"):
                self._took.append(now - self._thread.since)
        while (left := max(turn, self._resume) - self._clock()) > 0:
            if self._stop.is_set() and self._resume > self._clock():
                raise Throttled(
                    f"This was stopped while the tenant wanted a pause of {left:.0f} s more.",
                    retry_after=math.inf,
                    status=None,
                    attempts=0,
                )
            if self._resume - self._clock() > PATIENCE:
                raise Throttled(
                    f"The tenant asks to wait {left / 60:.0f} minutes before the next call. "
                    "Run again after that; what was not sent yet is sent then.",
                    retry_after=left,
                    status=None,
                    attempts=0,
                )
            self._nap(left)
        self._thread.since = self._clock()

    def pause(self, seconds: float | None, *, limit: bool) -> None:
        """Let nobody call for so long; with ``limit`` (it was a 429), go slower afterwards."""
        with self._lock:
            now = self._clock()
            if limit and now >= self._resume:  # else it is an echo of the same overrun
                self._full = min(self._full, PER_MINUTE)
                self._share = max(LEAST, SLOWER * min(1.0, self._rate(now) / self._full))
                self._since = now
            self._resume = max(self._resume, now + (BLOCKED if seconds is None else seconds))
            self._next = max(self._next, self._resume)

    def _rate(self, now: float) -> float:
        return self._full * min(1.0, self._share + REGAINED * (now - self._since) / 60)

    def _nap(self, left: float) -> None:
        """Sleep a little, so that a pause which grows or a signal is noticed soon."""
        start = self._clock()
        if left >= 1.0:
            self.waiting(max(0.0, self._resume - start))
        self._sleep(min(left, 1.0))
        with self._lock:
            end = self._clock()
            self.waited += max(0.0, end - max(start, self._counted))
            self._counted = max(end, self._counted)
