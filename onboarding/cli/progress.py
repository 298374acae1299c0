"""The bar: what is done, and how far; calls come in, one line of a terminal goes out.

The calls are those that the tenant's client has counted, the time left is what its budget takes for the others, and
while nothing goes on it says for whom we wait.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

DOING = {
    "invite": "inviting",
    "create-group": "creating groups",
    "update-group": "changing groups",
    "change-role": "changing roles",
    "grant": "adding to groups",
    "revoke": "taking out of groups",
}
RECENT = 30  # calls by which the rate is told
SELDOM = 0.1  # seconds between two drawings


class Paced(Protocol):
    """What makes the calls; ``atlan.Atlan`` is one."""

    @property
    def calls(self) -> int:
        """Calls made so far."""
        ...

    def left(self, calls: int) -> float:
        """Seconds that so many more calls take from now on."""
        ...


class Progress:
    """One line on a terminal, drawn over and over; workers may move it at the same time."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._guard = threading.Lock()
        self._bar: tqdm[Any] | None = None
        self._tenant: Paced | None = None
        self._what = "reading the tenant"
        self._total = 0
        self._rows = ""
        self._times: deque[float] = deque(maxlen=RECENT)
        self._drawn = 0.0

    def watch(self, tenant: Paced) -> None:
        """Count the calls of this one."""
        self._tenant = tenant

    def step(self, done: int, total: int, what: str) -> None:
        """So many calls of so many are made for this."""
        self._what = DOING.get(what, what)
        self._total = (self._tenant.calls if self._tenant else done) + total - done
        self._draw(self._what, at_once=True)

    def rows(self, through: int, total: int) -> None:
        """So many rows of so many are through."""
        self._rows = f"{through:,}/{total:,} rows"

    def called(self) -> None:
        """Another call is made."""
        self._times.append(self._clock())
        self._draw(self._what)

    def waiting(self, seconds: float) -> None:
        """Nothing is sent for so long."""
        self._draw(f"waiting for the tenant's rate limit, {seconds:.0f} s", at_once=True)

    def clear(self) -> None:
        """Make room for a line that stays; the next drawing comes below it."""
        if self._bar is not None:
            self._bar.clear()

    def end(self) -> None:
        """Take the bar away."""
        with self._guard:
            if self._bar is not None:
                self._bar.close()
            self._bar = None

    def _draw(self, what: str, *, at_once: bool = False) -> None:
        if self._tenant is None:
            return
        with self._guard:
            now = self._clock()
            if not at_once and now - self._drawn < SELDOM:
                return
            self._drawn = now
            calls, bar = self._tenant.calls, self._ready_bar()
            bar.n, bar.total = calls, max(self._total, calls) if self._total else None
            left = self._tenant.left(bar.total - calls) if bar.total else None
            rate = self._rate(now) if what == self._what else None
            bar.bar_format = line(what, calls, bar.total, rate, left, self._rows)
            bar.refresh()

    def _rate(self, now: float) -> float | None:
        """Give the calls a minute, as of late; None while it is too early to tell."""
        since = now - self._times[0] if self._times else 0.0
        return 60 * (len(self._times) - 1) / since if since > 1 else None

    def _ready_bar(self) -> tqdm[Any]:
        if self._bar is None:
            import shutil

            from tqdm import tqdm

            # A terminal may claim to have no columns and no rows; tqdm would then draw nothing.
            columns, rows = shutil.get_terminal_size((80, 24))
            self._bar = tqdm(file=self._stream, ncols=columns, nrows=rows, leave=False, delay=1e9)
        return self._bar


def line(
    what: str,
    calls: int,
    total: int | None,
    rate: float | None,
    left: float | None,
    rows: str = "",
) -> str:
    """Give the line with a place for the bar, where its end is known.

    >>> line("inviting", 1200, 4000, 300, 560, "20/90 rows")
    'inviting |{bar}| 1,200/4,000 calls, 20/90 rows, 300/min, 9:20 left'
    >>> line("reading the tenant", 7, None, None, None)
    'reading the tenant, 7 calls so far'
    """
    made = f"{calls:,}/{total:,} calls" if total else f"{calls:,} call{'s' * (calls != 1)} so far"
    pace = [] if rate is None else [f"{rate:,.0f}/min"]
    rest = [] if left is None else [f"{clock_time(left)} left"]
    bar = " |{bar}| " if total and len(what) < 30 else ", "
    return what + bar + ", ".join([made, *filter(None, [rows]), *pace, *rest])


def clock_time(seconds: float) -> str:
    """Give a duration as a stop-watch shows it.

    >>> clock_time(41.4), clock_time(3725)
    ('0:41', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
