"""The bar: what is done, and how far; calls come in, one line of a terminal goes out.

The calls are those that the tenant's client has counted, the time left is what its budget and its answers take for the
others, and while nothing goes on it says for whom we wait.
"""

from __future__ import annotations

import math
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
READING = "reading the tenant"
RECENT = 15.0  # seconds by whose calls the rate is told
SELDOM = 0.1  # seconds between two drawings
BAR = 6  # columns; always as many, or it would grow and shrink with the words beside it
ROOM = len(", 300/min")  # which is told later, and then drives no bar away


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
        self._what = READING
        self._total = 0
        self._rows = 0, 0
        self._times: deque[float] = deque()
        self._drawn = 0.0

    def watch(self, tenant: Paced) -> None:
        """Count the calls of this one."""
        self._tenant, self._what, self._total, self._rows = tenant, READING, 0, (0, 0)

    def left(self, total: int) -> float:
        """Give the seconds until so many calls are made."""
        return self._tenant.left(total - self._tenant.calls) if self._tenant else 0.0

    def step(self, done: int, total: int, what: str) -> None:
        """So many calls of so many are made; none is left where this needs none, or nobody knows how many."""
        if not what.startswith("waiting"):  # which is over with the next call
            self._what = DOING.get(what, what)
        self._total = total if total > done else 0
        if not self._total:
            self._forget_rate()
        self._draw(DOING.get(what, what), at_once=True)

    def rows(self, through: int, total: int) -> None:
        """So many rows of so many are through."""
        self._rows = through, total

    def called(self) -> None:
        """Another call is made."""
        with self._guard:
            self._times.append(self._clock())
        self._draw(self._what)

    def waiting(self, seconds: float) -> None:
        """Nothing is sent for so long, as the tenant asked for that; 0: it is only not our turn yet."""
        if not seconds:
            self._draw(self._what)
            return
        self._forget_rate()
        self._draw(f"waiting {math.ceil(seconds)} s for the tenant's rate limit", at_once=True)

    def clear(self) -> None:
        """Make room for a line that stays; the next drawing comes below it."""
        if self._bar is not None:
            self._bar.clear()

    def end(self) -> None:
        """Take the bar away."""
        self._forget_rate()
        with self._guard:
            if self._bar is not None:
                self._bar.clear()  # which closing it does only where it drew by itself
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
            total = max(self._total, calls) if self._total else 0
            left = self.left(total) if total > calls else None
            bar.n, bar.total = calls, total or None
            bar.bar_format = line(
                what, (calls, total), self._rows, self._rate(now), left, bar.ncols or 80
            )
            bar.refresh()

    def _rate(self, now: float) -> float:
        """Give the calls a minute, as of late; 0 while it is too early to tell."""
        times = self._times
        while len(times) > 1 and times[1] <= now - RECENT:
            times.popleft()
        since = now - times[0] if times else 0.0
        return 60 * (len(times) - 1) / since if since >= RECENT else 0.0

    def _forget_rate(self) -> None:
        """Count calls from now on: in a pause there were none."""
        with self._guard:
            self._times.clear()

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
    calls: tuple[int, int],
    rows: tuple[int, int],
    rate: float,
    left: float | None,
    width: int,
) -> str:
    """Give the line with a place for the bar; what there is no room for is left out, and the time left last of all.

    Numbers take as many columns as their total: what stands in the line is the same from its first call to its last.

    >>> line("inviting", (200, 4000), (20, 90), 300, 760, 80)
    'inviting |{bar:6}|   200/4,000 calls, 300/min, 20/90 rows, 12:40 left'
    >>> line("inviting", (200, 4000), (20, 90), 300, 760, 40)
    'inviting,   200/4,000 calls, 12:40 left'
    >>> line("reading the tenant", (7, 0), (0, 0), 0, None, 80)
    'reading the tenant, 7 calls'
    """
    parts = {
        "bar": f" |{{bar:{BAR}}}| " if calls[1] and len(what) < 30 else "",
        "rate": f"{rate:,.0f}/min" if rate else "",
        "rows": f"{_of(*rows)} rows" if rows[1] else "",
        "calls": f"{_of(*calls)} call{'s' * (calls != (1, 0))}",
    }
    rest = "" if left is None else f"{clock_time(left)} left"
    for name in (None, *parts):
        if name:
            parts[name] = ""
        told = ", ".join(filter(None, [parts["calls"], parts["rate"], parts["rows"], rest]))
        drawn = what + (parts["bar"] or (", " if told else "")) + told
        to_come = ROOM if parts["bar"] and not rate else 0
        if len(drawn.format(bar="")) + to_come <= width:
            return drawn
    room = max(0, width - len(rest) - 3)
    return f"{what[:room]}…, {rest}" if rest else what[:width]


def _of(done: int, total: int) -> str:
    whole = f"{total:,}"
    return f"{done:{len(whole)},}/{whole}" if total else f"{done:,}"


def clock_time(seconds: float) -> str:
    """Give a duration as a stop-watch shows it; what is not over yet takes a second.

    >>> clock_time(0.1), clock_time(41.4), clock_time(3725)
    ('0:01', '0:41', '1:02:05')
    """
    minutes, rest = divmod(max(1, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
