"""The world around a job: a clock, a disk that may lose what was not flushed, and a tenant that may do anything.

Taken for granted, and no more: a request whose answer is lost or whose sender is dead has its effect within ``LIFE`` seconds
or never; what was carried out shows within ``LAG`` seconds, and until then may show or not, from one reading to the
next.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle
from pathlib import Path
from typing import Any, Literal, Self

from builders import group, user
from fakes import ALREADY, Crash, FakeTenant, Holdings, answered
from fakes import Call as Seen

from onboarding.errors import CallError, Doubt, NotSent, Refused, Throttled, TokenRefused
from onboarding.journal.database import Database
from onboarding.model import Email, GroupId, Role
from onboarding.tenant import Receipt

LIFE, LAG = 30.0, 10.0


@dataclass(slots=True)
class Clock:
    """Time passes only by sleeping; the clock on the wall may be behind it."""

    time: float = 1_790_000_000.0
    behind: float = 0.0

    def now(self) -> float:
        return self.time - self.behind

    def sleep(self, seconds: float) -> None:
        self.time += seconds


# ---- the disk ------------------------------------------------------------------------------------------------

Trouble = Literal["before", "amid", "error"]
"""What befalls a write: the process dies before it, or before it is flushed; or the disk refuses it."""


class Disk(sqlite3.Connection):
    """A database in memory that knows what of it would survive a loss of power: what was flushed."""

    writes: int
    """Transactions that were to be written so far."""
    trouble: Mapping[int, Trouble]
    """What happens at which of them."""

    @classmethod
    def new(cls, *, of: sqlite3.Connection | None = None) -> Self:
        """Give a disk with nothing on it, or with what another holds."""
        disk = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, factory=cls
        )
        disk.writes, disk.trouble = 0, {}
        disk._origin, disk._flushes = of, False
        disk._under_way, disk._written, disk._flushed = [], [], 0
        if of:
            of.backup(disk)
        return disk

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement == "COMMIT":
            return self._commit()
        if statement.startswith("BEGIN"):
            self._under_way = []
        elif statement.startswith("PRAGMA synchronous"):
            self._flushes = statement.endswith("FULL")
        return super().execute(statement, *values)

    def executemany(self, statement: str, rows: Any) -> sqlite3.Cursor:
        self._under_way.append((statement, rows))
        return super().executemany(statement, rows)

    def _commit(self) -> sqlite3.Cursor:
        self.writes += 1
        trouble = self.trouble.get(self.writes)
        if trouble == "before":
            raise Crash
        if trouble == "error":
            raise sqlite3.OperationalError("disk I/O error")
        done = super().execute("COMMIT")
        self._written.append(self._under_way)
        if trouble == "amid":
            raise Crash
        if self._flushes:
            self._flushed = len(self._written)
        return done

    def restart(self, *, power_lost: bool) -> None:
        """Be as the next process finds it."""
        self.rollback()
        if power_lost and self._origin:
            del self._written[self._flushed :]
            self._origin.backup(self)
            for statement, rows in chain.from_iterable(self._written):
                super().executemany(statement, rows)


def _empty() -> Disk:
    disk = Disk.new()
    Database(Path(":memory:"), disk)
    return disk


EMPTY = _empty()
"""The state of somebody who has just begun; made once."""


# ---- the tenant ----------------------------------------------------------------------------------------------

Answer = Literal["yes", "doubt", "death", "throttled", "forbidden", "refused", "unsent"]
"""What the job hears: what the tenant says, nothing for certain, or nothing ever again; a no of three kinds."""
Effect = Literal["now", "never", "late", "half"]
"""What is carried out, whatever the job hears."""
Admin = Literal["", "invites", "creates", "moves"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something out of the ordinary at one call."""

    at: int
    """The how manieth call since the beginning, from 1."""
    of: Literal["changing", "any"] = "changing"
    answer: Answer = "yes"
    effect: Effect = "now"
    after: float = LIFE
    """Seconds until an effect that is late."""
    pause: float = 0.0
    """Seconds that the job's process sleeps between its intent and the first byte."""
    admin: Admin = ""
    """What another admin does just before."""


class Tenant(FakeTenant):
    """A tenant whose answers and effects are two things. Its clock is everybody's."""

    def __init__(
        self,
        clock: Clock,
        events: Sequence[Event],
        tell: Callable[[object], None],
        *,
        lag: Literal["none", "full", "flickering"] = "none",
        doubles: Literal["refused", "ignored", "mailed"] = "refused",
        **facts: Any,
    ) -> None:
        super().__init__(**facts)
        self.clock = clock
        self._tell = tell
        self._born = clock.time
        self.lag = lag
        self.doubles = doubles
        """What becomes of an invitation to somebody who is there."""
        self.meddled = -math.inf
        """When the other admin was last at work."""
        self.touched: set[str] = set()
        """Whom and what the other admin has had a hand in."""
        self._events = {(event.of, event.at): event for event in events}
        self._changing = 0
        self._due: list[tuple[float, Callable[[], object]]] = []
        self._views: list[tuple[float, Holdings]] = [(clock.time, self.has.copy())]
        self._fresh = cycle((False, True, True, False))

    @property
    def under_way(self) -> bool:
        """Whether something is still to land."""
        return bool(self._due)

    def settle_down(self) -> None:
        """Let everything land that is under way by now."""
        due = [pair for pair in self._due if pair[0] <= self.clock.time]
        self._due = [pair for pair in self._due if pair[0] > self.clock.time]
        for at, carry_out in sorted(due, key=lambda pair: pair[0]):
            self._try(carry_out)
            self._remember(at)

    def lose(self, person: str) -> None:
        """Have another admin delete an account."""
        self.drop(person)
        self._remember(self.clock.time)

    def another_process(self) -> None:
        """Be met by a process that knows nothing of it."""
        self._identity = None

    # ---- a call arrives ---------------------------------------------------------------------------------------

    def _event(self, action: str, subjects: Sequence[str], *, changing: bool) -> Event:
        self.calls += 1
        self._changing += changing
        self.log.append(Seen(self.calls, action, "", tuple(map(str, subjects))))
        event = self._events.get(("any", self.calls))
        if changing:
            event = self._events.get(("changing", self._changing), event)
        event = event or ORDINARY
        at = self.clock.time - self._born
        self._tell(
            f"{at:8.1f} s: {action} {' '.join(map(str, subjects))} {event if event.at else ''}"
        )
        self.clock.sleep(event.pause)
        self.settle_down()
        if event.admin:
            self.meddled = self.clock.time
            self._meddle(event.admin)
            self._remember(self.clock.time)
        return event

    def _read(self, action: str, *subjects: str) -> Holdings:
        event = self._event(action, subjects, changing=False)
        if event.answer != "yes":
            raise _failure(event.answer)
        return self._view()

    def _write(  # type: ignore[override]
        self,
        action: str,
        carry_out: Callable[[], Receipt],
        request_id: str,
        *subjects: str,
        half: Callable[[], object] | None = None,
    ) -> Receipt:
        event = self._event(action, subjects, changing=True)
        said: Receipt | CallError = Receipt(request_id=request_id)
        match event.effect:
            case "now":
                said = self._try(carry_out)
            case "half":
                self._try(half or carry_out)
            case "late":
                self._due.append((self.clock.time + event.after, carry_out))
            case "never":
                pass
        self._remember(self.clock.time)
        if event.answer != "yes":
            raise _failure(event.answer)
        if isinstance(said, CallError):
            raise said
        return said

    @staticmethod
    def _try(carry_out: Callable[[], object]) -> Any:
        try:
            return carry_out()
        except CallError as no:
            return no

    # ---- what it shows ----------------------------------------------------------------------------------------

    def _remember(self, at: float) -> None:
        if self.lag != "none":
            self._views.append((at, self.has.copy()))

    def _view(self) -> Holdings:
        if self.lag == "none" or (self.lag == "flickering" and next(self._fresh)):
            return self.has
        shown = [has for at, has in self._views if at <= self.clock.time - LAG]
        return shown[-1] if shown else self._views[0][1]

    # ---- what it does -----------------------------------------------------------------------------------------

    def invite(self, people: Sequence[tuple[Email, Role]], *, request_id: str) -> Receipt:
        first = people[: max(1, len(people) // 2)]
        return self._write(
            "invite",
            lambda: self._invite(people, request_id),
            request_id,
            *(who for who, _ in people),
            half=lambda: self._invite(first, request_id),
        )

    def _invite(self, people: Sequence[tuple[Email, Role]], request_id: str) -> Receipt:
        there = {account.email for account in self.has.users.values()}
        bad = {who: words for who, words in self.poison.items() if who in dict(people)}
        if self.doubles == "refused":
            bad |= {who: ALREADY for who, _ in people if who in there}
        for who, role in people:
            if bad and (self.atomic or who in bad):
                continue
            if who not in there:
                self._enrol(who, role)
            if who not in there or self.doubles == "mailed":
                self.mails.append(who)
        return answered(bad, request_id, names_the_bad=self.names_the_bad)

    def _meddle(self, admin: Admin) -> None:
        """Do what another admin does, against the job as it happens."""
        match admin:
            case "invites":
                if not any(account.username == "new1" for account in self.has.users.values()):
                    self.put(user("new1", Role.GUEST, pending=True))
                self.touched.add("new1")
            case "creates":
                if not any(team.name == "born" for team in self.has.groups.values()):
                    self.put(group("born", "Born", description="theirs"))
                self.touched.add("born")
            case "moves":
                home = GroupId("g-ops")
                if home in self.has.groups:
                    self.has.members[home] ^= {user("up").id}
                self.touched.add("up")


ORDINARY = Event(0)


def _failure(answer: Answer) -> BaseException:
    match answer:
        case "doubt":
            return Doubt("the answer was lost")
        case "death":
            return Crash()
        case "throttled":
            return Throttled("slow down", retry_after=20.0)
        case "forbidden":
            return TokenRefused("not for you", status=403)
        case "refused":
            words = "Please check your request parameters"
            return Refused(words, words=words, status=400)
        case "unsent":
            return NotSent("the tenant can't be reached")
        case "yes":
            raise ValueError(answer)
