"""The calls of a plan: which changes travel together, in which order, and what it takes to see them done. Pure.

Changes come in, ``Call`` values go out, phase by phase: the calls of one phase don't depend on each other. ``looks`` gives
the fewest readings that show a set of changes; ``apply`` makes them and ``count`` counts them, so that the number
announced is the number made. (A room of its own beside ``apply``, since all of this can be said without a tenant.)

The order: leavers lose their memberships first, since nothing may stand in the way of that. Group updates that take
the default flag away come before invitations, those that set it come last: otherwise the people invited now would
slip into a group that is to take in the next ones. What gives comes before what takes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Protocol, TypeVar

from onboarding.model import Directory, Email, Group, GroupName
from onboarding.plan import ORDER, Action, Change, Plan, phase

Key = TypeVar("Key", bound=str)


@dataclass(frozen=True, slots=True)
class Call:
    """One changing call and the changes that it carries."""

    action: Action
    changes: tuple[Change, ...]
    """All of one kind; a group's creation comes first and carries grants, its first members."""


@dataclass(frozen=True, slots=True)
class Heap:
    """Calls that one worker carries out, one after the other."""

    calls: tuple[Call, ...]
    look_first: bool = False
    """Whether the tenant is looked at once more before the first of them."""

    @property
    def people(self) -> frozenset[Email]:
        """Whom they are about."""
        changes = (change for call in self.calls for change in call.changes)
        return frozenset(change.email for change in changes if change.email)


Old = Callable[[int], bool]
"""Whether the look that the plan was made by is old after so many calls: then nobody is invited by it any more."""


class Listing(StrEnum):
    """What a reading reads."""

    USERS = "users"
    USERS_BY_EMAIL = "users-by-email"
    GROUPS = "groups"
    MEMBERS = "members"
    GROUPS_OF = "groups-of"


@dataclass(frozen=True, slots=True)
class Look:
    """One reading, and how many calls it takes."""

    listing: Listing
    of: tuple[str, ...] = ()
    """Addresses to look up, or the one group whose members, the one person whose groups."""
    calls: int = 1


class Pages(Protocol):
    """How much a tenant gives per call; ``tenant.Reader`` is one."""

    def pages(self, records: int) -> int:
        """Calls that listing so many records takes."""
        ...

    def lookups(self, keys: Collection[str]) -> int:
        """Calls that looking up these addresses takes."""
        ...


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a tenant's listings are once some changes are made."""

    users: int
    groups: int
    members: Mapping[GroupName, int]
    groups_of: Mapping[Email, int]
    look_ups: bool
    """Whether look-ups find who is there."""


def phases(plan: Plan, batch: int) -> tuple[tuple[Call, ...], ...]:
    """Give the calls of a plan, phase by phase, ``batch`` invitations in one; no phase is empty."""
    places: dict[int, list[Change]] = {place: [] for place in ORDER.values()}
    created = {change.group for change in plan.of(Action.CREATE_GROUP)}
    riders: dict[GroupName, list[Change]] = {}
    for change in plan.changes:
        if change.action is Action.GRANT and change.group in created:
            riders.setdefault(_group(change), []).append(change)
        else:
            places[phase(change)].append(change)
    updates = places[ORDER["default-off"]] + places[ORDER[Action.UPDATE_GROUP]]
    everything = (
        _together(Action.REVOKE, places[ORDER["leaver"]], _group),
        _alone(updates),
        _invitations(places[ORDER[Action.INVITE]], batch),
        [
            Call(Action.CREATE_GROUP, (change, *riders.get(_group(change), ())))
            for change in places[ORDER[Action.CREATE_GROUP]]
        ],
        grants(places[ORDER[Action.GRANT]]),
        _alone(places[ORDER["promotion"]]),
        _alone(places[ORDER["demotion"]]),
        _together(Action.REVOKE, places[ORDER[Action.REVOKE]], _group),
        _alone(places[ORDER["default-on"]]),
    )
    return tuple(tuple(calls) for calls in everything if calls)


def grants(changes: Iterable[Change]) -> list[Call]:
    """Give the calls that add people to groups: all groups of a person in one."""
    return _together(Action.GRANT, changes, _email)


def heaps(calls: Iterable[Call], before: int, old: Old, pages: Pages) -> Iterator[Heap]:
    """Give the calls of a phase, ``before`` which so many are made: each by itself, but for invitations by an old look.

    Of these as many stand together as one look-up can answer for: two batches, usually.
    """
    late: tuple[Call, ...] = ()
    for number, call in enumerate(calls, before):
        if call.action is not Action.INVITE or not old(number):
            yield Heap((call,))
            continue
        together = Heap((*late, call), look_first=True)
        if late and pages.lookups(together.people) > pages.lookups(Heap(late).people):
            yield Heap(late, look_first=True)
            late = (call,)
        else:
            late = together.calls
    if late:
        yield Heap(late, look_first=True)


def count(plan: Plan, current: Directory, pages: Pages, batch: int, old: Old) -> int:
    """Count the calls that carrying out a plan takes when nothing fails, looks before and after included."""
    sent = again = 0
    for calls in phases(plan, batch):
        late = [heap.people for heap in heaps(calls, sent, old, pages) if heap.look_first]
        again += sum(map(pages.lookups, late))
        sent += len(calls)
    after = extent(current, plan.changes)
    invited = plan.of(Action.INVITE)
    others = [change for change in plan.changes if change.action is not Action.INVITE]
    readings = chain(looks(invited, after, pages), looks(others, after, pages))
    return sent + again + sum(look.calls for look in readings)


def looks(changes: Iterable[Change], now: Extent, pages: Pages) -> tuple[Look, ...]:
    """Give the readings that show what has become of these changes, in the fewest calls.

    People by listing all or by look-up, if that works here; memberships by group or by person: whichever takes fewer.
    """
    people: set[str] = set()
    groups = False
    memberships: set[tuple[GroupName, Email]] = set()
    for change in changes:
        match change.action:
            case Action.INVITE | Action.CHANGE_ROLE:
                people.add(_email(change))
            case Action.CREATE_GROUP | Action.UPDATE_GROUP:
                groups = True
            case Action.GRANT | Action.REVOKE:
                memberships.add((_group(change), _email(change)))
    found = _people_looks(people, now, pages)
    if groups:
        found.append(Look(Listing.GROUPS, calls=pages.pages(now.groups)))
    return (*found, *_membership_looks(memberships, now, pages))


def extent(current: Directory, changes: Iterable[Change]) -> Extent:
    """Say how long the listings are when these changes are made.

    A tenant puts everybody who is invited into the groups that are default at that time.
    """
    changes = tuple(changes)
    invited = {_email(change) for change in changes if change.action is Action.INVITE}
    defaults = _defaults(current.groups.values(), changes)
    members = {name: group.size for name, group in current.groups.items()}
    groups_of = {email: len(names) for email, names in current.memberships.items()}
    for name in defaults:
        members[name] += len(invited)
    groups_of |= dict.fromkeys(invited, len(defaults))
    for change in changes:
        match change.action:
            case Action.GRANT if not (change.email in invited and change.group in defaults):
                step = 1
            case Action.REVOKE:
                step = -1
            case _:
                continue
        group, email = _group(change), _email(change)
        members[group] = members.get(group, 0) + step
        groups_of[email] = groups_of.get(email, 0) + step
    created = sum(change.action is Action.CREATE_GROUP for change in changes)
    return Extent(
        current.accounts + len(invited),
        len(current.groups) + created,
        members,
        groups_of,
        current.look_ups,
    )


def _defaults(groups: Iterable[Group], changes: Iterable[Change]) -> frozenset[GroupName]:
    """The groups that are default while this run invites."""
    off = {c.group for c in changes if phase(c) == ORDER["default-off"]}
    return frozenset(group.name for group in groups if group.default and group.name not in off)


def _people_looks(people: set[str], now: Extent, pages: Pages) -> list[Look]:
    if not people:
        return []
    listed = Look(Listing.USERS, calls=pages.pages(now.users))
    if not now.look_ups:
        return [listed]
    looked_up = Look(Listing.USERS_BY_EMAIL, tuple(sorted(people)), pages.lookups(people))
    return [min(listed, looked_up, key=_cost)]


def _membership_looks(
    memberships: set[tuple[GroupName, Email]], now: Extent, pages: Pages
) -> list[Look]:
    by_group = [
        Look(Listing.MEMBERS, (name,), pages.pages(now.members.get(name, 0)))
        for name in sorted({group for group, _ in memberships})
    ]
    by_person = [
        Look(Listing.GROUPS_OF, (email,), pages.pages(now.groups_of.get(email, 0)))
        for email in sorted({email for _, email in memberships})
    ]
    return min(by_group, by_person, key=lambda found: sum(map(_cost, found)))


def _cost(look: Look) -> int:
    return look.calls


def _invitations(changes: list[Change], batch: int) -> list[Call]:
    starts = range(0, len(changes), batch)
    return [Call(Action.INVITE, tuple(changes[start : start + batch])) for start in starts]


def _alone(changes: Iterable[Change]) -> list[Call]:
    return [Call(change.action, (change,)) for change in changes]


def _together(
    action: Action, changes: Iterable[Change], key: Callable[[Change], Key]
) -> list[Call]:
    heaps: dict[Key, list[Change]] = {}
    for change in changes:
        heaps.setdefault(key(change), []).append(change)
    return [Call(action, tuple(heap)) for heap in heaps.values()]


def _email(change: Change) -> Email:
    assert change.email is not None
    return change.email


def _group(change: Change) -> GroupName:
    assert change.group is not None
    return change.group
