"""What this tenant does where nobody knows what a real one does, and what goes wrong on the way.

In: settings as JSON. Out: switches to read, the fault that is due for a call, the answer that it brings along, and the
seconds that a rate limit asks to wait. What can be set is ``switches``'.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from dataclasses import asdict, replace

from onboarding.sandbox.refusals import shaped
from onboarding.sandbox.switches import Fault, Switches, script
from onboarding.sandbox.wire import HTML, JSON, Reply, Request

HANG_UP = Reply(None)
LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>"


class Behaviour:
    """The switches and the scripted faults of one tenant; safe to change while it serves."""

    def __init__(self, settings: object = None) -> None:
        self.switches = Switches()
        self._faults: tuple[Fault, ...] = ()
        self._seen: list[int] = []
        self._calls: deque[float] = deque()
        self._blocked_until = 0.0
        self._lock = threading.Lock()
        self.change(settings if settings is not None else {})

    def change(self, settings: object) -> None:
        """Set the named switches; replace the script, if one is given. ValueError changes nothing."""
        switches, faults = script(settings)
        with self._lock:
            self.switches = replace(self.switches, **switches)
            if faults is not None:
                self._faults, self._seen = faults, [0] * len(faults)

    def as_json(self) -> dict[str, object]:
        """What is set, and how many calls each fault has matched so far."""
        with self._lock:
            faults = [
                {**asdict(f), "seen": n} for f, n in zip(self._faults, self._seen, strict=True)
            ]
        return {"switches": asdict(self.switches), "faults": faults}

    def due(self, call: str) -> Fault | None:
        """The fault for this call, the first in the script that hits; every match is counted."""
        due = None
        with self._lock:
            for index, each in enumerate(self._faults):
                if re.search(each.match, call):
                    self._seen[index] += 1
                    if due is None and each.hits(self._seen[index]):
                        due = each
        return due

    def seconds_to_wait(self, now: float) -> float:
        """0 where the call may pass; over the limit, what is left of the block for everybody."""
        limit = self.switches.rate_limit
        if not limit:
            return 0.0
        with self._lock:
            if now < self._blocked_until:
                return self._blocked_until - now
            while self._calls and self._calls[0] <= now - 60:
                self._calls.popleft()
            if len(self._calls) < limit:
                self._calls.append(now)
                return 0.0
            self._calls.clear()
            self._blocked_until = now + self.switches.rate_block
            return self.switches.rate_block


def is_instead(fault: Fault) -> bool:
    """Whether this fault answers by itself, and nothing is done."""
    return fault.kind in ("status", "html", "redirect-302") and not fault.done


def spoilt(fault: Fault, request: Request, reply: Reply = HANG_UP) -> Reply:
    """What arrives through this fault of the answer that there would have been."""
    match fault.kind:
        case "latency":
            return reply
        case "cut-answer":
            return replace(reply, is_cut=True)
        case "truncate-json":
            return replace(reply, body=reply.body[: len(reply.body) // 2] or b"{")
        case "slow-drip":
            return replace(reply, seconds=fault.seconds)
        case "redirect-302":
            return to_login(fault.headers)
        case "html":
            return Reply(fault.status, LOGIN_PAGE, HTML, _headers(fault))
        case "status":
            return _scripted(fault, request)
        case _:
            return HANG_UP


def to_login(headers: dict[str, str]) -> Reply:
    """The way to the login page."""
    return Reply(302, headers={"Location": "/auth/realms/default/login", **headers})


def _scripted(fault: Fault, request: Request) -> Reply:
    """The answer that a fault brings along."""
    body = fault.body
    if fault.shape:
        body = shaped(fault.shape, fault.status, request.path, _emails(request)).body(request.id)
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    kind = HTML if text.startswith("<") else JSON
    return Reply(fault.status, text.encode(), kind, _headers(fault))


def _emails(request: Request) -> list[str]:
    """Who is invited by this request, if anybody."""
    body = request.json()
    people = body.get("users") if isinstance(body, dict) else None
    asked = people if isinstance(people, list) else []
    return [str(each["email"]) for each in asked if isinstance(each, dict) and "email" in each]


def _headers(fault: Fault) -> dict[str, str]:
    said = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    return {**fault.headers, **said}
