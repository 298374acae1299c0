"""What a tenant is to us: something that can be read, and something that can be written to.

Two protocols, so that planning is handed only the one that can't change anything. ``atlan.Atlan`` is both, over HTTP;
tests have one in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from onboarding.model import Email, Group, GroupId, Role, User, UserId

Key = TypeVar("Key")
Read = TypeVar("Read")


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


@dataclass(frozen=True, slots=True)
class Page:
    """The first accounts of all, and how many there are."""

    users: Sequence[User]
    total: int | None
    """None where the tenant does not say, or says what can't be."""
    witness: User | None = None
    """One of them whom every look-up must find; of several, one that is stored with capitals, which is harder."""


class Spread(Protocol):
    """``map``, or the map of a pool of threads."""

    def __call__(self, read: Callable[[Key], Read], keys: Sequence[Key], /) -> Iterable[Read]:
        """Read each of these, in their order."""
        ...


class Reader(Protocol):
    """Reads; every call may be repeated. Raises ``TenantError`` when the tenant can't be read.

    ``pages`` and ``lookups`` let a caller say beforehand how many calls a reading takes.
    """

    @property
    def name(self) -> str:
        """Give the tenant's identity, for which no call is needed: its host, or the embedded tenant's own id."""
        ...

    @property
    def page_size(self) -> int:
        """Give the records on a full page, as far as this tenant has shown it."""
        ...

    def pages(self, records: int) -> int:
        """Say how many calls it takes to list so many records."""
        ...

    def lookups(self, keys: Collection[str]) -> int:
        """Say how many calls it takes to look up these addresses, or these user names."""
        ...

    @property
    def calls(self) -> int:
        """Give the calls made so far, changing ones and repeats included."""
        ...

    @property
    def waited(self) -> float:
        """Give the seconds that calls have waited for the tenant's rate limit so far."""
        ...

    def takes(self, calls: int) -> float:
        """Guess how many seconds so many calls take at the pace that is kept."""
        ...

    def identity(self) -> Identity:
        """Say which tenant this is: two calls (current account, roles), the first time only."""
        ...

    def first_users(self) -> Page:
        """Read the first page of all accounts; one call."""
        ...

    def users(self, first: Page | None = None, spread: Spread = map) -> Sequence[User]:
        """List every account, those without an e-mail too; ``first`` was read already and costs no call again.

        The first page tells where the others begin; ``spread`` may read several of them at once.
        """
        ...

    def users_by_email(self, emails: Collection[str]) -> Sequence[User]:
        """Look accounts up by exact address, each compared again on our side."""
        ...

    def users_by_name(self, names: Collection[str]) -> Sequence[User]:
        """Look accounts up by user name, ignoring case, each compared again on our side."""
        ...

    def groups(self) -> Sequence[Group]:
        """List every group."""
        ...

    def members(self, group: GroupId) -> Sequence[User]:
        """List the members of a group, each with the address that was shown for the account before, if one was."""
        ...

    def groups_of(self, user: UserId) -> Sequence[Group]:
        """List the groups of a person."""
        ...


class Writer(Protocol):
    """Writes; each method is exactly one call, sent once, never repeated.

    Returns a ``Receipt`` for a clear yes; raises ``NotSent``, ``Throttled``, ``Refused``, ``Doubt`` or ``TokenRefused``.
    ``request_id`` is made by the caller, so that it stands in the journal before the call.
    """

    def wait_for_turn(self) -> None:
        """Wait until a call may leave, a pause of the tenant's included; this thread's next call does not wait any more."""
        ...

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
