"""Small makers of changes and plans, a clock that is only moved by sleeping, and one run over a tenant in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from builders import email, group, user
from fakes import FakeTenant

from onboarding.apply import Applied, Observer, Pace, apply, forecast, settle
from onboarding.journal import State
from onboarding.model import (
    Directory,
    Email,
    Group,
    GroupId,
    GroupName,
    Membership,
    Role,
    RowRef,
    User,
)
from onboarding.plan import Cause, Change, Plan

NOON = 1_790_000_000.0


@dataclass(slots=True)
class Clock:
    """Time that passes only when somebody sleeps."""

    time: float = NOON
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def pace(self, **facts: float) -> Pace:
        """One worker, so that calls come in the order of the plan."""
        defaults: dict[str, object] = {"workers": 1, "now": self.now, "sleep": self.sleep}
        return Pace(**(defaults | facts))  # type: ignore[arg-type]


def invite(name: str, *rows: RowRef, role: Role = Role.MEMBER) -> Change:
    return Change(None, User(email(name), role), rows)


def change_role(name: str, old: Role, new: Role) -> Change:
    before = user(name, old)
    return Change(before, replace(before, role=new))


def create(name: str, **facts: object) -> Change:
    return Change(None, group(name, **({"id": GroupId(""), "path": ""} | facts)))


def update(before: Group, **facts: object) -> Change:
    return Change(before, replace(before, **facts))  # type: ignore[arg-type]


def grant(name: str, team: str, *rows: RowRef) -> Change:
    return Change(None, Membership(email(name), GroupName(team)), rows)


def revoke(name: str, team: str, *rows: RowRef, cause: Cause = Cause.ASKED) -> Change:
    return Change(Membership(email(name), GroupName(team)), None, rows, cause)


def difference(tenant: FakeTenant, wanted: Wanted) -> Plan:
    """What it takes to have a tenant as wanted: the part of planning that these tests need."""
    has = tenant.truth()
    changes = [*_people(has, wanted), *_groups(has, wanted)]
    for address, name in sorted(wanted.inside | wanted.outside):
        membership = Membership(address, name)
        there = name in has.memberships.get(address, frozenset())
        if (address, name) in wanted.inside and not there:
            changes.append(Change(None, membership))
        if (address, name) in wanted.outside and there:
            cause = Cause.LEAVER if address in wanted.leavers else Cause.ASKED
            changes.append(Change(membership, None, cause=cause))
    return Plan(has.tenant, tuple(changes))


def _people(has: Directory, wanted: Wanted) -> Iterator[Change]:
    for address, role in wanted.people.items():
        account = has.users.get(address)
        if account is None:
            yield Change(None, User(address, role))
        elif account.role is not role:
            yield Change(account, replace(account, role=role))


def _groups(has: Directory, wanted: Wanted) -> Iterator[Change]:
    for name, team in wanted.groups.items():
        known = has.groups.get(name)
        asked = replace(team, id=GroupId(""), path="", size=0)
        if known is None:
            yield Change(None, asked)
        elif replace(known, id=GroupId(""), path="", size=0) != asked:
            yield Change(known, replace(asked, id=known.id, path=known.path, size=known.size))


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a tenant is to be."""

    people: dict[Email, Role] = field(default_factory=dict)
    groups: dict[GroupName, Group] = field(default_factory=dict)
    inside: frozenset[tuple[Email, GroupName]] = frozenset()
    outside: frozenset[tuple[Email, GroupName]] = frozenset()
    leavers: frozenset[Email] = frozenset()

    def reached_by(self, tenant: FakeTenant) -> bool:
        return not difference(tenant, self).changes


def carry_out(
    tenant: FakeTenant,
    changes: Iterable[Change],
    folder: Path,
    clock: Clock | None = None,
    *,
    pace: Pace | None = None,
    stop: threading.Event | None = None,
    observer: Observer | None = None,
    looked_at: float | None = None,
) -> Applied:
    """Apply these changes to a tenant, with state and journal in a folder."""
    clock = clock or Clock()
    pace = pace or clock.pace()
    state = State.open(folder, tenant.name, create=True, now=pace.now)
    try:
        journal = state.begin("run", folder / "journal.jsonl")
        current = tenant.truth()
        plan = Plan(tenant.name, tuple(changes))
        return apply(
            plan, current, tenant, journal, pace, stop=stop, observer=observer, looked_at=looked_at
        )
    finally:
        state.close()


def announced(tenant: FakeTenant, changes: Iterable[Change], pace: Pace | None = None) -> int:
    plan = Plan(tenant.name, tuple(changes))
    return forecast(plan, tenant.truth(), tenant, pace or Clock().pace())


def settled(tenant: FakeTenant, folder: Path, clock: Clock, **facts: float) -> frozenset[str]:
    """What is still in doubt after settling."""
    state = State.open(folder, tenant.name, create=True, now=clock.now)
    try:
        return settle(state, tenant, clock.pace(**facts))
    finally:
        state.close()
