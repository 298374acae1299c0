"""The calls of a plan: which changes travel together, in which order, and what it takes to see them done. Pure.

Changes come in, ``Call`` values go out, phase by phase: the calls of one phase don't depend on each other. ``looks`` gives
the fewest readings that show a set of changes; ``apply`` makes them and ``count`` counts them, so that the number
announced is the number made. (A room of its own beside ``apply``, since all of this can be said without a tenant.)

The order: leavers lose their memberships first, since nothing may stand in the way of that. Group updates that take
the default flag away come before invitations, those that set it come last: otherwise the people invited now would
slip into a group that is to take in the next ones. What gives comes before what takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from itertools import chain
from typing import Protocol, TypeVar

from onboarding.model import Directory, Email, Group, GroupName, Membership, User
from onboarding.plan import ORDER, Action, Change, Plan, phase

Key = TypeVar("Key", bound=str)


@dataclass(frozen=True, slots=True)
class Call:
    """One changing call and the changes that it carries."""

    action: Action
    changes: tuple[Change, ...]
    """All of one kind; a group's creation comes first and carries grants, its first members."""


RENEWED = frozenset((Action.INVITE, Action.UPDATE_GROUP, Action.CHANGE_ROLE))
"""What is never sent by an old look: a mail can't be taken back, and what somebody else has set meanwhile would be lost."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Calls that go by one look at whom and what they are about."""

    calls: tuple[Call, ...]
    looking: int = 0
    """Calls that this look takes; 0 where none is needed, by all that is known beforehand."""

    @property
    def action(self) -> Action:
        """What all of them do."""
        return self.calls[0].action

    @property
    def changes(self) -> Iterator[Change]:
        """What they carry."""
        return (change for call in self.calls for change in call.changes)


class Old(Protocol):
    """Whether the look that the plan was made by is old after so many calls, or one taken ``since`` another of them."""

    def __call__(self, calls: int, *, since: int | None = None) -> bool:
        """Say so, as far as is known before the first call."""
        ...


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


class Extent:
    """How long a tenant's listings are once some changes are made.

    A tenant puts everybody who is invited into the groups that are default at that time.
    """

    def __init__(self, current: Directory, changes: Iterable[Change] = ()) -> None:
        self._current = current
        self._changes = tuple(changes)
        self._defaults = _defaults(current.groups.values(), self._changes)
        made = Counter(change.action for change in self._changes)
        self._joiners = made[Action.INVITE]
        self.users = current.accounts + self._joiners
        self.groups = len(current.groups) + made[Action.CREATE_GROUP]
        self.look_ups = current.look_ups
        """Whether look-ups find who is there."""

    @cached_property
    def members(self) -> Mapping[GroupName, int]:
        """How many are in each group."""
        members = Counter({name: group.size for name, group in self._current.groups.items()})
        members.update(dict.fromkeys(self._defaults, self._joiners))
        for _, group, step in self._steps():
            members[group] += step
        return members

    @cached_property
    def groups_of(self) -> Mapping[Email, int]:
        """How many groups each person is in. As large as the plan, and seldom looked at."""
        groups = Counter({e: len(names) for e, names in self._current.memberships.items()})
        groups |= Counter(dict.fromkeys(self._invited, len(self._defaults)))
        for email, _, step in self._steps():
            groups[email] += step
        return groups

    @cached_property
    def _invited(self) -> frozenset[Email]:
        """Those whom default groups take in. As many as the plan invites, and seldom looked at."""
        there = self._changes if self._defaults else ()
        return frozenset(_email(change) for change in there if change.action is Action.INVITE)

    def _steps(self) -> Iterator[tuple[Email, GroupName, int]]:
        """Give who comes into a group, or leaves it, but for whom it has taken in."""
        for change in self._changes:
            place = change.subject
            if isinstance(place, Membership):
                if change.after is None:
                    yield place.email, place.group, -1
                elif not (place.group in self._defaults and place.email in self._invited):
                    yield place.email, place.group, 1


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


def whom(changes: Iterable[Change], admins: Collection[Email]) -> frozenset[Email]:
    """Whom another look at these changes is at; where somebody loses Admin, at the ``admins`` who stay, too."""
    found: set[Email] = set()
    for change in changes:
        if change.action is not Action.UPDATE_GROUP:
            found.add(_email(change))
        if change.takes_a_ruler:
            found.update(admins)
    return frozenset(found)


def stretches(
    by_phase: Iterable[Sequence[Call]],
    current: Directory,
    pages: Pages,
    old: Old,
    admins: Collection[Email] = (),
) -> tuple[tuple[Stretch, ...], ...]:
    """Give the calls of each phase by the look that they go by: the plan's, or another one where that is old by then.

    As many go by another one as a single look-up finds (two batches, usually) and as are sent before it is old itself.
    """
    sent, groups = 0, len(current.groups)
    found = []
    for calls in by_phase:
        if calls[0].action in RENEWED:
            cost = partial(_looking, groups=groups, admins=admins, pages=pages)
            found.append(tuple(_stretches(calls, sent, old, cost)))
        else:
            found.append((Stretch(tuple(calls)),))
        sent += len(calls)
        groups += len(calls) if calls[0].action is Action.CREATE_GROUP else 0
    return tuple(found)


def _stretches(
    calls: Sequence[Call], before: int, old: Old, cost: Callable[[Sequence[Call]], int]
) -> Iterator[Stretch]:
    """Part the calls of one phase, before which so many are made, wherever another look begins to serve."""
    together: list[Call] = []
    begun, late, looking = before, False, 0
    for number, call in enumerate(calls, before):
        too_many = together and cost([*together, call]) > looking
        if together and (too_many or old(number) is not late or old(number, since=begun)):
            yield Stretch(tuple(together), looking if late else 0)
            together = []
        if not together:
            begun, late = number, old(number)
        together.append(call)
        looking = cost(together)
    yield Stretch(tuple(together), looking if late else 0)


def _looking(calls: Iterable[Call], groups: int, admins: Collection[Email], pages: Pages) -> int:
    """Count the calls that another look takes at what some of one phase are about."""
    changes = [change for call in calls for change in call.changes]
    if changes[0].action is Action.UPDATE_GROUP:
        return pages.pages(groups)
    return pages.lookups(whom(changes, admins))


def count(by_phase: Iterable[Sequence[Stretch]], current: Directory, pages: Pages) -> int:
    """Count the calls that carrying out all phases takes when nothing fails, looks before and after included."""
    every = [stretch for phase in by_phase for stretch in phase]
    changes = [change for stretch in every for change in stretch.changes]
    after = Extent(current, changes)
    invited = [change for change in changes if change.action is Action.INVITE]
    others = [change for change in changes if change.action is not Action.INVITE]
    readings = chain(looks(invited, after, pages), looks(others, after, pages))
    sent = sum(stretch.looking + len(stretch.calls) for stretch in every)
    return sent + sum(look.calls for look in readings)


def looks(changes: Iterable[Change], now: Extent, pages: Pages) -> tuple[Look, ...]:
    """Give the readings that show what has become of these changes, in the fewest calls.

    People by listing all or by look-up, if that works here; memberships by group or by person: whichever takes fewer.
    """
    people: set[str] = set()
    groups = False
    joining: set[Email] = set()
    joined: set[GroupName] = set()
    for change in changes:
        match change.subject:
            case Membership(email=email, group=name):
                joining.add(email)
                joined.add(name)
            case User(email=email):
                people.add(email)
            case Group():
                groups = True
    found = _people_looks(people, now, pages)
    if groups:
        found.append(Look(Listing.GROUPS, calls=pages.pages(now.groups)))
    return (*found, *_membership_looks(joined, joining, now, pages))


def _defaults(groups: Iterable[Group], changes: Iterable[Change]) -> frozenset[GroupName]:
    """The groups that are default while this run invites."""
    updates = (c for c in changes if c.action is Action.UPDATE_GROUP)
    off = {c.group for c in updates if phase(c) == ORDER["default-off"]}
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
    groups: Iterable[GroupName], people: Collection[Email], now: Extent, pages: Pages
) -> list[Look]:
    by_group = [
        Look(Listing.MEMBERS, (name,), pages.pages(now.members.get(name, 0)))
        for name in sorted(groups)
    ]
    if sum(map(_cost, by_group)) <= len(people):  # each of whom takes a call at least
        return by_group
    by_person = [
        Look(Listing.GROUPS_OF, (email,), pages.pages(now.groups_of.get(email, 0)))
        for email in sorted(people)
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
