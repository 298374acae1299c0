"""HTTP manners: a path and a body go in, an ``Answer`` or an error of our tree comes out.

Readings are repeated, with full jitter and within bounds. A changing call is sent once, and the kind of error says what
became of it; nothing in here or below sends it again, except after a 401 with a newer token at hand. A reading is also
made again after a 403, once and after a pause, since Atlan grants rights with a delay.

Repeating is done here and not by urllib3, which sends a POST again after a TLS error even when told to spare POSTs, and
which never learns that a body was cut.
"""

from __future__ import annotations

import json
import logging
import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlencode
from uuid import uuid4

from onboarding.auth import Auth
from onboarding.errors import (
    Doubt,
    NotSent,
    Protocol,
    Refused,
    TenantError,
    Throttled,
    TokenRefused,
)
from onboarding.pacing import PATIENCE, Budget
from onboarding.way import through, way_out
from onboarding.wire import (
    Broken,
    Limits,
    Line,
    Reply,
    checked_url,
    exchange,
    plain,
)

log = logging.getLogger(__name__)

READS = 5  # times that a reading is tried
LONGEST = 20.0  # seconds between two of them
FORBIDDEN_PAUSE = 5.0  # seconds between a 403 and its one repeat
IDLE = (
    15.0  # seconds; a connection that rested longer may be dead, and a POST on it a needless doubt
)

TURN = 1.0
"""Seconds for which a turn to call lasts; meanwhile the tenant may have asked for a pause."""

REFUSALS = frozenset((400, 402, 404, 405, 409, 410, 411, 413, 414, 415, 422, 431))
"""Statuses by which whoever answers says that nothing was carried out. 408 is none: a gateway in between may have given up."""
MEANINGS = {
    402: " (what was paid for is used up)",
    404: " (there is no such thing)",
    405: " (this tenant does not offer that)",
    413: " (that is too much at once)",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A clear yes: 2xx, complete, and JSON or nothing."""

    status: int
    body: Any
    """None where the answer was empty."""
    request_id: str
    attempts: int


class Transport:
    """One tenant's API, by paths. Threads may share it; each gets a line of its own."""

    def __init__(
        self,
        base_url: str,
        auth: Auth,
        *,
        budget: Budget | None = None,
        limits: Limits | None = None,
        called: Callable[[], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``called`` is told of every call, by the thread that makes it."""
        self.base_url = checked_url(base_url)
        self.budget = budget or Budget()
        self.calls = 0
        """HTTP requests so far, repeats included; fetching an OAuth token is none."""
        self._through = through(self.base_url)
        self._auth = auth
        self._limits = limits or Limits()
        self._called = called
        self._sleep = sleep
        self._jitter = jitter
        self._local = threading.local()
        self._lock = threading.Lock()

    def get(
        self,
        path: str,
        params: Sequence[tuple[str, str]] = (),
        read: Callable[[bytes], Any] = json.loads,
    ) -> Any:
        """Read. Tried ``READS`` times: lost and unreadable answers, no connection, 3xx, 429, 5xx.

        ``read`` may leave out of the JSON what is not wanted.
        """
        call = _Call("GET", path, str(uuid4()), params=params, read=read)
        for attempt in range(1, READS):
            try:
                return self._make(call, attempt).body
            except (Doubt, NotSent, Throttled) as error:
                if isinstance(error, Throttled) and (error.retry_after or 0) > PATIENCE:
                    raise
                self.rest(attempt)
        try:
            return self._make(call, READS).body
        except Doubt as error:
            _give_up(error)

    def rest(self, attempt: int) -> None:
        """Wait before something is read again, the longer the oftener it was."""
        self._sleep(self._jitter() * min(LONGEST, 0.5 * 2**attempt))

    def post(self, path: str, body: Any, *, request_id: str) -> Answer:
        """Change something: sent once."""
        return self._make(_Call("POST", path, request_id, body=json.dumps(body).encode()), 1)

    def close(self) -> None:
        """Close the connections of this thread."""
        line: Line | None = getattr(self._local, "line", None)
        if line is not None:
            line.close()

    def _make(self, call: _Call, attempts: int) -> Answer:
        """Make a call, and again where the tenant's no may have been about the token only."""
        try:
            return self._once(call, attempts)
        except TokenRefused as refusal:
            if refusal.status == 403 and call.body is None:
                self._sleep(FORBIDDEN_PAUSE)
            elif refusal.status == 403 or not self._auth.renew():
                raise
        return self._once(call, attempts + 1)

    def wait_for_turn(self) -> None:
        """Wait until a call may leave; this thread's next one then leaves at once, if it does so within a second."""
        self.budget.take()
        self._local.turn = time.monotonic()

    def _once(self, call: _Call, attempts: int) -> Answer:
        if time.monotonic() - getattr(self._local, "turn", -math.inf) > TURN:
            self.budget.take()
        self._local.turn = -math.inf
        self._auth.ready()
        with self._lock:
            self.calls += 1
        if self._called:
            self._called()
        started = time.perf_counter()
        try:
            reply = exchange(
                self._line(),
                call.method,
                call.target,
                self._limits,
                headers={**self._auth.headers, "X-Atlan-Request-Id": call.request_id},
                body=call.body,
                read=call.read,
            )
        except Broken as broken:
            call.log("no answer" if broken.sent else "not sent", started)
            reason = self._auth.hide(broken.reason)
            raise call.broken(reason, attempts, sent=broken.sent, by=self._through) from None
        call.log(str(reply.status), started)
        if reply.status == 429 or reply.retry_after is not None:
            self.budget.pause(reply.retry_after, limit=reply.status == 429)
        return call.judged(reply, attempts, self._auth.hide)

    def _line(self) -> Line:
        """Give this thread's line, with fresh connections after a rest."""
        line: Line | None = getattr(self._local, "line", None)
        now = time.monotonic()
        if line is None:
            line = self._local.line = Line(self.base_url)
        elif now - self._local.used > IDLE:
            line.close()
        self._local.used = now
        return line


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    request_id: str
    params: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    read: Callable[[bytes], Any] = json.loads

    @property
    def target(self) -> str:
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path

    def log(self, came: str, started: float) -> None:
        took = (time.perf_counter() - started) * 1000
        log.info("%s %s: %s, %s, %d ms", self.method, self.path, came, self.request_id, took)

    def judged(self, reply: Reply, attempts: int, hide: Callable[[str], str]) -> Answer:
        """Give the answer of a clear yes, or raise what else it is; ``hide`` takes secrets out."""
        if reply.whole and reply.readable and 200 <= reply.status < 300:
            return Answer(reply.status, reply.body, self.request_id, attempts)
        told: dict[str, Any] = {
            "status": reply.status,
            "request_id": self.request_id,
            "attempts": attempts,
        }
        what = f"{self.method} {self.path}"
        said = hide(words(reply.body, ours=self.request_id))
        meaning = f": {said}" if said else f"{MEANINGS.get(reply.status, '')}."
        text = f"{what} was answered with {reply.status}{meaning}"
        named = {who: hide(why) for who, why in by_subject(reply.body).items()}
        match reply.status:
            case status if not reply.whole:
                raise Doubt(f"{what} got no more than a part of an answer ({status}).", **told)
            case status if 200 <= status < 300:
                raise Doubt(f"{what} got an answer ({status}) that is not JSON.", **told)
            case 401 | 403:
                text = f"The tenant does not accept the API key for this. {text}"
                raise TokenRefused(text, words=said, **told)
            case 429:
                pause = reply.retry_after
                wait = f" It wants a pause of {asked(pause)}." if pause else ""
                raise Throttled(
                    f"The tenant asks to slow down.{wait} {text}", retry_after=pause, **told
                )
            case status if status in REFUSALS or (status == 500 and named):
                raise Refused(text, words=said, by_subject=named, **told)
            case _:
                raise Doubt(text, **told)

    def broken(self, reason: str, attempts: int, *, sent: bool, by: str) -> Doubt | NotSent:
        """Give the error of a call that was not answered; ``by`` says by which proxy it has gone."""
        what = f"{self.method} {self.path}"
        told: dict[str, Any] = {"request_id": self.request_id, "attempts": attempts}
        if sent:
            return Doubt(f"{what} was sent, and no whole answer came: {reason}.", **told)
        return NotSent(
            f"The tenant can't be reached{by} ({reason}); {what} was not sent. {way_out(reason)}",
            **told,
        )


def asked(seconds: float) -> str:
    """Say how long a tenant asks to wait, in a unit that fits.

    >>> asked(7), asked(1000), asked(90000)
    ('7 s', '17 minutes', '25 hours')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:,.0f} hours"


def words(body: Any, *, ours: str = "") -> str:
    """Give what the tenant itself says about an error, from any of the shapes it has for that.

    Its own id for the request is added where it is not ``ours``: who asks for help will be asked for it.
    """
    if named := by_subject(body):
        return plain("; ".join(f"{who}: {why}" for who, why in named.items()))
    if not isinstance(body, dict):
        return ""
    names = ("errorMessage", "message", "error_description", "info", "error")
    said = next((str(body[name]) for name in names if body.get(name)), "")
    theirs = body.get("requestId") or body.get("errorId")
    if said and theirs and theirs != ours:
        said += f" (the tenant's request {theirs})"
    return plain(said)


def by_subject(body: Any) -> dict[str, str]:
    """Read a map of e-mail -> text, which is how refused invitations are explained; else empty."""
    if not isinstance(body, dict) or not all("@" in who for who in body):
        return {}
    if not all(isinstance(why, str) for why in body.values()):
        return {}
    return {who.strip().lower(): plain(why) for who, why in body.items()}


def _give_up(error: Doubt) -> NoReturn:
    """Say of a reading that never came right what it was about."""
    told: dict[str, Any] = {
        "status": error.status,
        "request_id": error.request_id,
        "attempts": error.attempts,
    }
    status = error.status or 0
    if 300 <= status < 400:
        raise TokenRefused(
            "The tenant answers with a redirect, most likely to its login page. "
            "Check the address and the API key.",
            **told,
        ) from None
    if 200 <= status < 300:
        raise Protocol(f"{error} Is this the address of an Atlan tenant?", **told) from None
    raise TenantError(f"{error} Try again later.", **told) from None
