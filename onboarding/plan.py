"""The plan as a value: changes, what is settled without one, and their outcomes.

A plan is complete: every row that was not rejected stands in at least one ``Change`` or ``Settled``. It can be
shown, saved, compared and applied; nothing in here does any of that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from types import NoneType
from typing import Any, Self, TypeVar

from onboarding.model import Directory, Email, Group, GroupName, Membership, Role, RowRef, User


class Action(StrEnum):
    """What a change does at the tenant."""

    INVITE = "invite"
    CHANGE_ROLE = "change-role"
    CREATE_GROUP = "create-group"
    UPDATE_GROUP = "update-group"
    GRANT = "grant"
    REVOKE = "revoke"


class Cause(StrEnum):
    """Why something is asked for; only revocations differ in it."""

    ASKED = "asked"
    LEAVER = "leaver"
    ABSENT = "absent"
    """Inferred under ``--authoritative``: no row grants it."""


class Status(StrEnum):
    """What became of a row or a change, the worst first; a row has the worst of its changes."""

    REJECTED = "rejected", "error"
    IN_DOUBT = "in_doubt", "error"
    FAILED = "failed", "error"
    SKIPPED = "skipped", "error"
    MANUAL = "manual", "manual"
    APPLIED = "applied", "success"
    PLANNED = "planned", "planned"
    UNCHANGED = "unchanged", "success"

    result: str
    """One word for the reader: ``success``, ``error``, ``manual`` or ``planned``."""
    severity: int
    """0 for the worst."""

    def __new__(cls, word: str, result: str = "") -> Self:
        """Make a member that is its own word."""
        status = str.__new__(cls, word)
        status._value_, status.result, status.severity = word, result, len(cls.__members__)
        return status


PART = 1_000  # changes put into text at a time
Subject = User | Group | Membership
Thing = TypeVar("Thing")
Facts = Mapping[str, Any]
"""What the fingerprint covers of a subject: not its ids, nor what is only carried along."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between tenant and sheets. Which side is missing says whether it adds or takes.

    There may be several for each row, so it is kept small.
    """

    before: Subject | None
    after: Subject | None
    rows: tuple[RowRef, ...] = ()
    cause: Cause = Cause.ASKED
    action: Action = field(init=False, repr=False, compare=False)
    """What this does at the tenant, from the subject and the side that is missing."""
    _key: str = field(init=False, default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        action = _ACTIONS.get((type(self.before), type(self.after)))
        if action is None:
            raise ValueError(f"no change leads from {self.before!r} to {self.after!r}")
        object.__setattr__(self, "action", action)

    @property
    def key(self) -> str:
        """Identifies the change within a tenant: ``grant ana@acme.example finance``. Kept from when it is first asked for."""
        if not self._key:
            object.__setattr__(self, "_key", self.spelled())
        return self._key

    def spelled(self) -> str:
        """Give the key, and don't keep it: a plan may be made only to be written down."""
        if self._key:
            return self._key
        match self.subject:
            case User(email=email):
                return f"{self.action} {email}"
            case Group(name=name):
                return f"{self.action} {name}"
            case Membership(email=email, group=group):
                return f"{self.action} {email} {group}"

    @property
    def subject(self) -> Subject:
        """The side that exists; the wished one where both do."""
        subject = self.after if self.after is not None else self.before
        assert subject is not None
        return subject

    @property
    def email(self) -> Email | None:
        """The person concerned, if it concerns one."""
        subject = self.subject
        return None if isinstance(subject, Group) else subject.email

    @property
    def group(self) -> GroupName | None:
        """The group concerned, if it concerns one."""
        subject = self.subject
        if isinstance(subject, Membership):
            return subject.group
        return subject.name if isinstance(subject, Group) else None

    @property
    def is_promotion(self) -> bool:
        """Whether a role becomes higher (from an unknown role: never)."""
        return self._rank_step() > 0

    @property
    def is_demotion(self) -> bool:
        """Whether a role becomes lower; from a role that is none of the three counts as one."""
        return self.action is Action.CHANGE_ROLE and self._rank_step() <= 0

    @property
    def takes_a_ruler(self) -> bool:
        """Whether somebody loses Admin who can sign in; of an account that is off, nobody misses it."""
        match self.before, self.after:
            case User() as before, User(role=role):
                return before.rules and role is not Role.ADMIN
            case _:
                return False

    @property
    def inverse(self) -> Change:
        """The change that takes this one back. Of an invitation or a creation there is none: it would delete."""
        return replace(self, before=self.after, after=self.before, cause=Cause.ASKED)

    def since(self, facts: Facts | None) -> Change:
        """Give the change that leads here from what these facts say; without any, this one."""
        match self.before:
            case User() as before if facts:
                role = Role(facts["role"]) if facts["role"] else None
                return replace(self, before=replace(before, role=role))
            case Group() as before if facts:
                said = {name: facts[name] for name in ("alias", "description", "default")}
                return replace(self, before=replace(before, **said))
            case _:
                return self

    def is_done(self, current: Directory) -> bool:
        """Whether the tenant is by now as this would make it; of an address that several accounts have, nobody knows."""
        if self.email in current.ambiguous:
            return False
        match self.before, self.after:
            case _, User(email=email, role=role):
                account = current.users.get(email)
                return account is not None and account.role is role
            case _, Group(name=name) as wish:
                return _facts(current.groups.get(name)) == _facts(wish)
            case _, Membership(email=email, group=name):
                return name in current.memberships.get(email, frozenset())
            case Membership(email=email, group=name), _:
                return name not in current.memberships.get(email, frozenset())
            case _:
                raise ValueError(f"no change leads from {self.before!r} to {self.after!r}")

    def _rank_step(self) -> int:
        match self.before, self.after:
            case User(role=Role() as old), User(role=Role() as new):
                return new.rank - old.rank
            case _:
                return 0

    def facts(self) -> dict[str, Any]:
        """What the fingerprint covers: operation, before and after; not rows, ids or counts."""
        return {
            "change": self.spelled(),
            "cause": self.cause.value,
            "before": _facts(self.before),
            "after": _facts(self.after),
        }


def _facts(subject: Subject | None) -> dict[str, Any] | None:
    match subject:
        case None:
            return None
        case User(email=email, role=role):
            return {"email": email, "role": role.value if role else None}
        case Group(name=name, alias=alias, description=description, default=default):
            return {"name": name, "alias": alias, "description": description, "default": default}
        case Membership(email=email, group=group):
            return {"email": email, "group": group}


_ACTIONS = {
    (NoneType, User): Action.INVITE,
    (User, User): Action.CHANGE_ROLE,
    (NoneType, Group): Action.CREATE_GROUP,
    (Group, Group): Action.UPDATE_GROUP,
    (NoneType, Membership): Action.GRANT,
    (Membership, NoneType): Action.REVOKE,
}


@dataclass(frozen=True, slots=True)
class Settled:
    """What rows come to without any change being sent: unchanged, skipped, manual, in doubt."""

    status: Status
    code: str
    message: str
    rows: tuple[RowRef, ...]
    change: Change | None = None
    """The change that was set aside, where there was one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change."""

    status: Status
    code: str = "done"
    message: str = ""
    http_status: int | None = None
    request_id: str = ""
    attempts: int = 1
    at: str = ""
    """When it was known, UTC, ISO 8601."""


ORDER: Mapping[str, int] = {
    "leaver": 0,
    "default-off": 1,
    Action.UPDATE_GROUP: 2,
    Action.INVITE: 3,
    Action.CREATE_GROUP: 4,
    Action.GRANT: 5,
    "promotion": 6,
    "demotion": 7,
    Action.REVOKE: 8,
    "default-on": 9,
}
"""The order in which changes are shown and carried out (`apply` explains it)."""


def phase(change: Change) -> int:
    """Give the change's place in ``ORDER``."""
    match change.before, change.after:
        case Membership(), None if change.cause is Cause.LEAVER:
            return ORDER["leaver"]
        case Group(default=True), Group(default=False):
            return ORDER["default-off"]
        case Group(default=False), Group(default=True):
            return ORDER["default-on"]
        case User(), User():
            return ORDER["demotion" if change.is_demotion else "promotion"]
        case _:
            return ORDER[change.action]


@dataclass(frozen=True)
class Plan:
    """What will be done at one tenant, and what needs nothing done."""

    tenant: str
    changes: tuple[Change, ...] = ()
    """In the order of ``ORDER``, then by key: the same for the same facts, whatever the order of rows."""
    settled: tuple[Settled, ...] = ()
    """In the order of rows."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", tuple(_in_order(self.changes, Change.spelled, phase)))
        object.__setattr__(self, "settled", tuple(_in_order(self.settled, *_PLACE)))

    def __len__(self) -> int:
        return len(self.changes)

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen digits that stand for the tenant and the changes; rows, ids and counts are not in it."""
        digest = hashlib.sha256()
        for text in self._facts():
            digest.update(text.encode(errors="surrogatepass"))
        return digest.hexdigest()[:16]

    def _facts(self) -> Iterator[str]:
        """Give the JSON of ``{"changes": [...], "tenant": ...}``, a part at a time."""
        encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
        yield '{"changes":['
        for start in range(0, len(self.changes), PART):
            part = self.changes[start : start + PART]
            yield "," * bool(start) + encode([change.facts() for change in part])[1:-1]
        yield f'],"tenant":{encode(self.tenant)}}}'

    def of(self, *actions: Action) -> tuple[Change, ...]:
        """Give the changes of these kinds, in order."""
        return tuple(change for change in self.changes if change.action in actions)

    def admins_left(self, current: Directory) -> frozenset[Email]:
        """Give the admins who can sign in today and whom the plan leaves alone.

        People promoted by the plan don't count: they are Admin only once that has succeeded.
        """
        taken = {change.email for change in self.of(Action.CHANGE_ROLE) if change.takes_a_ruler}
        return frozenset(user.email for user in current.users.values() if user.rules) - taken

    def set_aside(
        self, changes: Collection[Change], status: Status, code: str, message: str
    ) -> Plan:
        """Give the plan without these changes, each of which becomes ``Settled``.

        What ``depends`` on them goes too: skipped, code ``dependency``.
        """
        if not changes:
            return self
        gone = {change.key: change for change in changes}
        because = _dependents(self.changes, gone)
        settled = [Settled(status, code, message, change.rows, change) for change in gone.values()]
        settled += [
            Settled(Status.SKIPPED, "dependency", _because(cause, message), change.rows, change)
            for change, cause in because
        ]
        gone |= {change.key: change for change, _ in because}
        return replace(
            self,
            changes=tuple(change for change in self.changes if change.key not in gone),
            settled=(*self.settled, *settled),
        )


def _in_order(things: Iterable[Thing], *keys: Callable[[Thing], Any]) -> Sequence[Thing]:
    """Sort by the last of the keys, then by the one before: key by key, since a tuple for each is as large as what is sorted.

    What is in order already, as most of what is made of another plan, does not even have all keys of a kind at once.
    """
    found = [*things]
    for key in keys:
        if any(one > other for one, other in pairwise(map(key, found))):
            found.sort(key=key)
    return found


_PLACE: Sequence[Callable[[Settled], Any]] = (
    lambda settled: settled.message,
    lambda settled: settled.change.spelled() if settled.change else "",
    lambda settled: settled.code,
    lambda settled: settled.status.severity,
    lambda settled: settled.rows,
)
"""By their rows first."""


def _dependents(
    changes: Collection[Change], gone: Mapping[str, Change]
) -> list[tuple[Change, Change]]:
    """Give what can't be done without what is gone, each with the change that it needs.

    Memberships and the role of a person who is not invited; memberships of a group that is not created; and what
    a mover would lose, where not all is granted that the mover is to get. A leaver's revocation needs nothing.
    """
    invites = {c.email: c for c in gone.values() if c.action is Action.INVITE}
    creations = {c.group: c for c in gone.values() if c.action is Action.CREATE_GROUP}
    movers = {c.email: c for c in gone.values() if c.action is Action.GRANT}
    found = []
    # Grants come before the revocations that depend on them, so one pass finds all.
    for change in changes:
        cause = invites.get(change.email) or creations.get(change.group)
        if not cause and change.action is Action.REVOKE and change.cause is not Cause.LEAVER:
            cause = movers.get(change.email)
        if cause and change.key not in gone:
            found.append((change, cause))
            if change.action is Action.GRANT:
                movers.setdefault(change.email, cause)
    return found


def _because(cause: Change, message: str) -> str:
    where = f" ({cause.rows[0]})" if cause.rows else ""
    return f'not tried, because "{cause.key}"{where} is not done: {message}'
