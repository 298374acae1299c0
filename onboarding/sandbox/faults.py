"""What this tenant does where nobody knows what a real one does, and what goes wrong on the way.

In: JSON from a file or a POST. Out: switches to read, the fault that is due for a call, and the
seconds that a rate limit asks to wait. Nothing here knows of HTTP or the database.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Switches:
    """One field per open question about the API; the defaults follow the evidence."""

    group_update: str = "merge"
    """Attributes that a group update leaves out: kept (merge) or lost (replace)."""
    invite_batch: str = "per-user"
    """One bad invitation in a batch: the others are made (per-user), or none is (atomic)."""
    unknown_guid: int = 404
    """Status for a guid that does not exist: 404, or 400 with the 404 in the text."""
    readd_member: str = "ok"
    """Adding somebody who is a member already: ok or error."""
    username_collision: str = "rename"
    """A second jdoe@...: gets another username (rename), or is refused (error)."""
    role_update: str = "roles/update"
    """Path that changes a role, below /users/{guid}/: roles/update, update, or both."""
    in_case_sensitive: bool = True
    sso_enforced: bool = False
    no_seats: bool = False
    page_cap: int = 100
    read_lag: float = 0.0
    """Seconds until a write shows in reads."""
    latency_ms: int = 0
    rate_limit: int = 0
    """Calls a minute before everybody is blocked; 0 is no limit."""
    rate_block: float = 60.0
    """Seconds that the block lasts."""
    retry_after: bool = True
    """Whether a 429 of the rate limit says how long to wait."""
    token_seconds: int = 900
    """How long an OAuth access token is good for."""


_CHOICES: Mapping[str, tuple[object, ...]] = {
    "group_update": ("merge", "replace"),
    "invite_batch": ("per-user", "atomic"),
    "unknown_guid": (404, 400),
    "readd_member": ("ok", "error"),
    "username_collision": ("rename", "error"),
    "role_update": ("roles/update", "update", "both"),
    "kind": (
        "status",  # answers `status` with `body` (text or JSON) and `headers`
        "html",  # answers `status` with a web page
        "redirect-302",  # answers 302 to a login page
        "drop-before",  # hangs up before anything is done
        "drop-during",  # does the first half of every list in the body, then hangs up
        "drop-after",  # does all of it, then hangs up
        "cut-answer",  # does it, and hangs up in the middle of the answer
        "truncate-json",  # does it, and answers half of the JSON as if it were all
        "slow-drip",  # does it, and takes `seconds` over the answer, byte by byte
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls the calls whose ``METHOD /path`` the pattern is found in."""

    match: str
    kind: str
    nth: int = 1
    """The first such call to be hit, from 1."""
    times: int = 1
    """How many in a row are hit; 0 is all from then on."""
    status: int = 500
    body: object = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 5.0
    done: bool = False
    """For the kinds that replace the answer: whether the work was carried out all the same."""

    def hits(self, seen: int) -> bool:
        """Whether the call that is the ``seen``-th to match is hit."""
        return seen >= self.nth and (not self.times or seen < self.nth + self.times)


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
        given = dict(_mapping(settings, "settings", ("switches", "faults")))
        switches = replace(self.switches, **_checked(Switches, given.get("switches", {})))
        script = None
        if "faults" in given:
            if not isinstance(given["faults"], list):
                raise ValueError("faults: expected a list")
            script = tuple(_fault(each) for each in given["faults"])
        with self._lock:
            self.switches = switches
            if script is not None:
                self._faults, self._seen = script, [0] * len(script)

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
            for index, fault in enumerate(self._faults):
                if re.search(fault.match, call):
                    self._seen[index] += 1
                    if due is None and fault.hits(self._seen[index]):
                        due = fault
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


def _fault(given: object) -> Fault:
    values = _checked(Fault, given)
    if not {"match", "kind"} <= values.keys():
        raise ValueError("a fault needs match and kind")
    try:
        re.compile(values["match"])
    except re.error as error:
        raise ValueError(f"match: {error}") from error
    return Fault(**values)


def _checked(shape: type[Switches | Fault], given: object) -> dict[str, Any]:
    """The given values, each of the type that the field says and one of its choices."""
    types = {each.name: str(each.type) for each in fields(shape)}
    values = dict(_mapping(given, shape.__name__, tuple(types)))
    for name, value in values.items():
        if not _fits(value, types[name]) or value not in _CHOICES.get(name, (value,)):
            raise ValueError(f"{name}: {value!r} is not possible here")
    return values


def _mapping(given: object, what: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"{what}: expected an object")  # noqa: TRY004 - one kind of error for a bad file
    for name in given:
        if name not in known:
            raise ValueError(f"{what}: {name!r} is not known; there are {', '.join(known)}")
    return given


def _fits(value: object, annotation: str) -> bool:
    match annotation:
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool) and value >= 0
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        case "str":
            return isinstance(value, str)
        case "object":
            return True
        case _:
            return isinstance(value, dict)
