"""What a tenant shows of changes: changes come in, a ``Sight`` of each goes out.

A status is never proof; this is where proof comes from. A reading that does not show a change yet is repeated for the
read lag, with growing pauses. On the way the ids of new people and groups are learnt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TypeVar

from onboarding import errors
from onboarding.apply.steps import Extent, Listing, Look, looks, whom
from onboarding.crew import Crew
from onboarding.model import (
    Directory,
    Email,
    Group,
    GroupId,
    GroupName,
    Membership,
    Role,
    User,
    UserId,
)
from onboarding.plan import Change, Subject
from onboarding.tenant import Reader

Key = TypeVar("Key", UserId, GroupId)
State = tuple[object, ...]
"""What a look compares: somebody's role, or how a group is described."""


class Sight(StrEnum):
    """What a look shows of a change."""

    AS_ASKED = "as-asked"
    OTHERWISE = "otherwise"
    """The person or group is there, with another role or other attributes: somebody else's work."""
    ABSENT = "absent"
    UNCLEAR = "unclear"
    """It does not show, and was not looked for as long as it may take to."""


@dataclass(slots=True)
class Glimpse:
    """What one round of readings showed."""

    roles: dict[Email, Role | None] = field(default_factory=dict)
    """Of all accounts that were read."""
    groups: dict[GroupName, Group] = field(default_factory=dict)
    seen: dict[str, Sight] = field(default_factory=dict)
    """By the changes' keys."""
    spelled: dict[Email, Email] = field(default_factory=dict)
    """The people who are looked for, by their addresses."""
    asked: dict[str, list[Change]] = field(default_factory=dict)
    """The memberships that are looked for, by the group or person whose list shows them."""


class Watch:
    """Looks at a tenant, and keeps the ids of whom and what it saw. Safe to use from several threads."""

    def __init__(
        self,
        current: Directory,
        reader: Reader,
        *,
        read_lag: float,
        rest: Callable[[float], None],
        stop: threading.Event,
        callers: Crew,
        staying: frozenset[Email] = frozenset(),
    ) -> None:
        """``staying``: the admins of whom one must be left."""
        self._current = current
        self._reader = reader
        self._read_lag = read_lag
        self._rest = rest
        self._stop = stop
        self._callers = callers
        self._staying = staying
        self._deposed: set[Email] = set()
        self._counted = 0, Extent(current)
        """How much was made when the listings were last counted, and how long they were."""
        self._users = {email: user.id for email, user in current.users.items()}
        self._groups = {name: group.id for name, group in current.groups.items()}

    def user_id(self, email: Email) -> UserId | None:
        """Give the id of a person's account; None where the tenant has not shown one."""
        return self._users.get(email)

    def group_id(self, name: GroupName) -> GroupId | None:
        """Give the id of a group; None where the tenant has not shown one."""
        return self._groups.get(name)

    @property
    def admins_left(self) -> bool:
        """Whether one of the admins who are to stay still is one, as far as was looked."""
        return not self._staying or self._deposed < self._staying

    def learn(self, name: GroupName, group: GroupId) -> None:
        """Take the id of a new group from the answer that created it."""
        self._groups[name] = group

    def see(
        self,
        changes: Iterable[Change],
        made: Collection[Change],
        *,
        patiently: bool,
        exactly: bool = False,
    ) -> dict[str, Sight]:
        """Say of each change, by key, what the tenant shows; ``made`` are all that it may show by now.

        Patiently: what is not as asked is looked at again until the read lag is over, or somebody stops the run; so
        is a list that changed while it was read. What does not show by a look that was cut short is ``UNCLEAR``.
        Exactly: in the very readings that ``count`` announced.
        """
        left = list(changes)
        now = self._extent(made, exactly=exactly)
        seen: dict[str, Sight] = {}
        unclear: errors.Protocol | None = None
        for pause in _pauses(self._read_lag if patiently else 0):
            if pause:
                self._rest(pause)
            try:
                glimpse = self._glimpse(looks(left, now, self._reader), left)
            except errors.Protocol as error:
                unclear = error
                continue
            unclear = None
            seen = {**seen, **glimpse.seen} if seen else glimpse.seen
            left = [change for change in left if seen[change.key] is not Sight.AS_ASKED]
            if not left or self._stop.is_set():
                break
        if unclear and not seen:
            raise unclear
        if patiently and (unclear or self._stop.is_set()):
            absent = [change.key for change in left if seen[change.key] is Sight.ABSENT]
            seen |= dict.fromkeys(absent, Sight.UNCLEAR)
        return seen

    def meet(self, changes: Sequence[Change]) -> dict[str, Sight]:
        """Say of what is about to be sent what the tenant shows of it; absent where nothing stands in the way.

        What is to be changed is ``OTHERWISE``, too, where it is no longer as it was.
        """
        glimpse = Glimpse()
        people = whom(changes, self._staying)
        if people:
            found = self._callers.call(lambda: looked_up(self._reader, people))
            self._show_users(found, glimpse)
            self._deposed.update((self._staying & people) - {u.email for u in found if u.rules})
        if any(isinstance(change.subject, Group) for change in changes):
            self._callers.call(partial(self._read, glimpse, Look(Listing.GROUPS)))
        self._see_each(changes, glimpse)
        for change in changes:
            if glimpse.seen[change.key] is Sight.ABSENT and _has_moved(change.before, glimpse):
                glimpse.seen[change.key] = Sight.OTHERWISE
        return glimpse.seen

    def _extent(self, made: Collection[Change], *, exactly: bool) -> Extent:
        """Count anew where much was made since: that takes as long as the run is, and an old count costs a page at most."""
        counted, now = self._counted
        if len(made) > counted * 1.05 or (exactly and len(made) != counted):
            counted, now = len(made), Extent(self._current, made)
            self._counted = counted, now
        return now

    def _glimpse(self, wanted: Sequence[Look], changes: Iterable[Change]) -> Glimpse:
        glimpse = Glimpse()
        by_person = any(look.listing is Listing.GROUPS_OF for look in wanted)
        for change in changes:
            match change.subject:
                case Membership(email=email, group=name):
                    glimpse.asked.setdefault(email if by_person else name, []).append(change)
                case User(email=email):
                    glimpse.spelled[email] = email
                case Group():
                    pass  # all groups are listed
        read = partial(self._read, glimpse)
        # A new group's members can be listed once the listing of groups has shown its id.
        first = [
            look for look in wanted if look.listing not in (Listing.MEMBERS, Listing.GROUPS_OF)
        ]
        for look in first:
            self._callers.call(partial(read, look))
        self._callers.share(read, (look for look in wanted if look not in first))
        self._see_each(changes, glimpse)
        return glimpse

    def _read(self, glimpse: Glimpse, look: Look) -> None:
        match look.listing:
            case Listing.USERS:
                self._show_users(self._reader.users(), glimpse)
            case Listing.USERS_BY_EMAIL:
                self._show_users(looked_up(self._reader, map(Email, look.of)), glimpse)
            case Listing.GROUPS:
                glimpse.groups |= {group.name: group for group in self._reader.groups()}
                self._groups |= {name: group.id for name, group in glimpse.groups.items()}
            case Listing.MEMBERS:
                group = self.group_id(GroupName(look.of[0]))
                members = _listed(self._reader.members, group)
                self._see_members(glimpse, look, members, lambda m: self.user_id(m.email))
            case Listing.GROUPS_OF:
                user = self.user_id(Email(look.of[0]))
                groups = _listed(self._reader.groups_of, user)
                self._see_members(glimpse, look, groups, lambda m: self.group_id(m.group))

    def _show_users(self, users: Iterable[User], glimpse: Glimpse) -> None:
        for user in users:
            if user.email:
                # By an address that is here already: a hundred thousand read anew would be kept to the end.
                email = glimpse.spelled.get(user.email, user.email)
                glimpse.roles[email] = user.role
                self._users[email] = UserId(_apart(user.id))

    def _see_members(
        self,
        glimpse: Glimpse,
        look: Look,
        listed: Container[str] | None,
        id_of: Callable[[Membership], str | None],
    ) -> None:
        """Say of the memberships in one list whether they are as asked; where the tenant does not list them, none is."""
        for change in glimpse.asked[look.of[0]]:
            assert isinstance(change.subject, Membership)
            there = None if listed is None else id_of(change.subject) in listed
            is_so = there is (change.after is not None)
            glimpse.seen[change.key] = Sight.AS_ASKED if is_so else Sight.ABSENT

    def _see_each(self, changes: Iterable[Change], glimpse: Glimpse) -> None:
        """Say of all others what they show."""
        for change in changes:
            if not isinstance(change.subject, Membership):
                glimpse.seen[change.key] = _sight(change, glimpse)


def looked_up(reader: Reader, emails: Iterable[Email]) -> Sequence[User]:
    """Give those who have these addresses, and perhaps others: all, where the tenant does not take our filter."""
    try:
        return reader.users_by_email(tuple(emails))
    except errors.Refused:
        return reader.users()


def _sight(change: Change, glimpse: Glimpse) -> Sight:
    """Say what a glimpse shows of a person's role or of a group.

    What differs is somebody else's work only where we were to create it; a change may just not show yet.
    """
    found = _shown(change.subject, glimpse)
    if found == _state(change.subject):
        return Sight.AS_ASKED
    return Sight.OTHERWISE if found and change.before is None else Sight.ABSENT


def _has_moved(before: Subject | None, glimpse: Glimpse) -> bool:
    """Whether a person or group is no longer as the plan was made by, down to what an update only carries along."""
    match before:
        case None:
            return False
        case Group(name=name, channels=channels) if name in glimpse.groups:
            moved = glimpse.groups[name].channels != channels
        case _:
            moved = False
    return moved or _shown(before, glimpse) != _state(before)


def _shown(subject: Subject, glimpse: Glimpse) -> State:
    """Give what the tenant shows of somebody's role, or of a group; nothing where they are not there."""
    match subject:
        case User(email=email) if email in glimpse.roles:
            return (glimpse.roles[email],)
        case Group(name=name) if name in glimpse.groups:
            return _state(glimpse.groups[name])
        case _:
            return ()


def _state(subject: Subject) -> State:
    match subject:
        case User(role=role):
            return (role,)
        case Group():
            return subject.alias, subject.description, subject.default
        case _:
            raise ValueError(f"{subject!r} can't be seen")


def _listed(
    read: Callable[[Key], Sequence[User] | Sequence[Group]], key: Key | None
) -> Container[str] | None:
    """Give the ids in a list, none for what has no id; None where the tenant does not list them."""
    try:
        return {record.id for record in read(key)} if key else ()
    except errors.Refused:
        return None


def _apart(text: str) -> str:
    """Copy a text, so that the memory of what it was read with can be given back as a whole."""
    return text.encode().decode()


def _pauses(longest: float) -> Iterator[float]:
    """0, then 0.5, 1, 2, 4, ... seconds, ``longest`` in all."""
    yield 0.0
    pause = 0.5
    while longest > 0:
        yield min(pause, longest)
        longest -= pause
        pause *= 2
