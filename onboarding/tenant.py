"""What a tenant is to us: something that can be read, and something that can be written to.

Two protocols, so that planning is handed only the one that can't change anything. ``atlan.Atlan`` is both, over HTTP;
tests have one in memory. ``look`` reads a ``Directory`` from a reader in as few calls as it can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

from onboarding import errors
from onboarding.model import (
    Asks,
    Desired,
    Directory,
    Email,
    Group,
    GroupId,
    GroupKey,
    GroupName,
    Role,
    Standing,
    User,
    UserId,
    groups_by_key,
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A clear yes to a changing call: accepted, not yet seen."""

    status: int = 200
    request_id: str = ""
    attempts: int = 1
    group: GroupId | None = None
    """The id of the group that was created."""
    not_added: Mapping[UserId, str] = field(default_factory=dict)
    """Members that did not ride along with a new group, each with the tenant's words."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which tenant this is, and who we are in it."""

    tenant: str
    own: UserId
    own_name: str
    roles: Mapping[Role, str]
    """Workspace role -> its id in this tenant."""


class Reader(Protocol):
    """Reads; every call may be repeated. Raises ``TenantError`` when the tenant can't be read.

    ``page_size`` and ``lookup_size`` let a caller say beforehand how many calls a reading takes:
    a listing of n records takes ``max(1, ceil(n / page_size))``, a look-up of n addresses ``ceil(n / lookup_size)``.
    """

    @property
    def page_size(self) -> int:
        """Give the records on a full page."""
        ...

    @property
    def lookup_size(self) -> int:
        """Give the addresses of one look-up."""
        ...

    @property
    def calls(self) -> int:
        """Give the calls made so far, changing ones and repeats included."""
        ...

    @property
    def waited(self) -> float:
        """Give the seconds that calls have waited for the tenant's rate limit so far."""
        ...

    def identity(self) -> Identity:
        """Say which tenant this is: two calls (current account, roles), the first time only."""
        ...

    def count_users(self) -> int:
        """Give the tenant's number of accounts; one call."""
        ...

    def users(self) -> Sequence[User]:
        """List every account, those without an e-mail too."""
        ...

    def users_by_email(self, emails: Collection[Email]) -> Sequence[User]:
        """Look accounts up by exact address, each compared again on our side."""
        ...

    def groups(self) -> Sequence[Group]:
        """List every group."""
        ...

    def members(self, group: GroupId) -> Sequence[User]:
        """List the members of a group."""
        ...

    def groups_of(self, user: UserId) -> Sequence[Group]:
        """List the groups of a person."""
        ...


class Writer(Protocol):
    """Writes; each method is exactly one call, sent once, never repeated.

    Returns a ``Receipt`` for a clear yes; raises ``NotSent``, ``Throttled``, ``Refused``, ``Doubt`` or ``TokenRefused``.
    ``request_id`` is made by the caller, so that it stands in the journal before the call.
    """

    def invite(self, people: Sequence[tuple[Email, Role]], *, request_id: str) -> Receipt:
        """Invite people, each an e-mail to a real person."""
        ...

    def create_group(
        self, group: Group, members: Collection[UserId], *, request_id: str
    ) -> Receipt:
        """Create a group with its first members."""
        ...

    def update_group(self, group: Group, *, request_id: str) -> Receipt:
        """Set a group's alias, description and default flag; all that can be edited is sent."""
        ...

    def change_role(self, user: UserId, role: Role, *, request_id: str) -> Receipt:
        """Set a person's workspace role."""
        ...

    def add_to_groups(
        self, user: UserId, groups: Collection[GroupId], *, request_id: str
    ) -> Receipt:
        """Add one person to groups."""
        ...

    def remove_members(
        self, group: GroupId, users: Collection[UserId], *, request_id: str
    ) -> Receipt:
        """Take people out of one group."""
        ...


class Tenant(Reader, Writer, Protocol):
    """Both; what ``apply`` gets."""


def look(
    reader: Reader, desired: Desired, *, whole_groups: bool, leavers_revoke: bool
) -> Directory:
    """Read what the sheets are about: all accounts, all groups, the memberships concerned.

    ``whole_groups`` reads every group with a granting row whole, so that members may be missed in the sheets;
    ``leavers_revoke`` reads every group of a leaver. Raises ``errors.Protocol`` for a listing that can't be true.
    """
    identity = reader.identity()
    listed = reader.users()
    if identity.own not in {user.id for user in listed}:
        # An empty or cut listing would have everybody invited again and every membership missed.
        raise errors.Protocol(
            f"The tenant's list of {len(listed)} accounts lacks our own ({identity.own_name}), "
            "so it can't be complete. Run again later."
        )
    users = {user.email: user for user in listed if user.email}
    groups = {group.name: group for group in reader.groups()}
    granted, revoked = (_named(asks, desired, groups) for asks in (desired.grants, desired.revokes))
    way = _cheapest(
        whole=frozenset().union(*granted.values()) if whole_groups else frozenset(),
        wanted={
            email: granted.get(email, frozenset()) | revoked.get(email, frozenset())
            for email in (granted.keys() | revoked.keys()) & users.keys()
        },
        leavers=frozenset(
            email
            for email, person in desired.persons.items()
            if leavers_revoke and person.standing is Standing.LEAVER and email in users
        ),
        groups=groups,
        page_size=reader.page_size,
    )
    return Directory(
        identity.tenant,
        identity.own,
        users,
        groups,
        _memberships(reader, way, users, groups, {user.id: user.email for user in listed}),
        tuple(user for user in listed if not user.email),
        way.groups,
    )


def _named(
    asks: Asks, desired: Desired, groups: Mapping[GroupName, Group]
) -> dict[Email, frozenset[GroupName]]:
    """Give the groups of the tenant that the rows of each person may mean."""
    known = groups_by_key(groups.values())

    def meant(key: GroupKey) -> set[GroupName]:
        names = {group.name for group in known.get(key, ())}
        own = desired.teams[key].internal_name if key in desired.teams else None
        return names | ({own} if own and own in groups else set())

    return {
        email: frozenset(name for key in keys for name in meant(key))
        for email, keys in asks.items()
    }


@dataclass(frozen=True, slots=True)
class _Way:
    """How memberships are read: the members of these groups, and the groups of these people."""

    groups: frozenset[GroupName]
    people: frozenset[Email] = frozenset()


def _cheapest(
    *,
    whole: frozenset[GroupName],
    wanted: Mapping[Email, frozenset[GroupName]],
    leavers: frozenset[Email],
    groups: Mapping[GroupName, Group],
    page_size: int,
) -> _Way:
    """Choose between reading by group, by person, or all groups (many leavers in few groups)."""

    def calls(way: _Way) -> int:
        return len(way.people) + sum(
            max(1, ceil(groups[name].size / page_size)) for name in way.groups
        )

    by_group = _Way(whole.union(*wanted.values()), leavers)
    by_person = _Way(whole, leavers.union(e for e, names in wanted.items() if names - whole))
    return min(by_group, by_person, _Way(frozenset(groups)), key=calls)


def _memberships(
    reader: Reader,
    way: _Way,
    users: Mapping[Email, User],
    groups: Mapping[GroupName, Group],
    addresses: Mapping[UserId, Email],
) -> dict[Email, frozenset[GroupName]]:
    found: defaultdict[Email, set[GroupName]] = defaultdict(set)
    for name in sorted(way.groups):
        for member in reader.members(groups[name].id):
            # The list of accounts is believed first: a list of members may lack an address.
            found[addresses.get(member.id) or member.email].add(name)
    for email in sorted(way.people):
        found[email].update(group.name for group in reader.groups_of(users[email].id))
    found.pop(Email(""), None)
    return {email: frozenset(names) for email, names in found.items() if names}
