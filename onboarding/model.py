"""The facts of identity governance that every room speaks of: people, groups, rows and findings.

Everything here is a value. What the sheets ask for is ``Desired`` (with ``None`` for "not said"); what the
tenant has is ``Directory``. A wish never carries an id, an account always does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple, NewType, overload

Email = NewType("Email", str)
"""The correlation key of a person: an address, trimmed and in lower case. Made only by ``normal_email``."""
UserId = NewType("UserId", str)
GroupId = NewType("GroupId", str)
GroupName = NewType("GroupName", str)
"""A group's internal name, unique in a tenant and never changed: ``data_platform``."""
GroupKey = NewType("GroupKey", str)
"""How a sheet names a group, blanks collapsed and case folded. Made only by ``group_key``."""


def normal_email(text: str) -> Email:
    """Give the correlation key of an address: trimmed, in lower case (Atlan stores it so)."""
    return Email(text.strip().lower())


def name_when_invited(email: Email) -> str:
    """Give the user name that the tenant gives to whoever is invited by this address."""
    return email.partition("@")[0]


def group_key(label: str) -> GroupKey:
    """Give the key under which a spelling of a group is compared.

    >>> group_key("  Data   Platform ")
    'data platform'
    """
    return GroupKey(" ".join(label.split()).casefold())


def internal_name(label: str) -> GroupName:
    """Derive a new group's internal name: as Atlan's SDKs do where that is valid, else cleaned visibly.

    Empty where nothing of the label is left.

    >>> internal_name("Data Platform"), internal_name("R&D/Öps")
    ('data_platform', 'r_d_ops')
    """
    plain = spelled_plainly(label)
    if _INTERNAL_NAME.fullmatch(plain):
        return GroupName(plain)
    letters = (c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return GroupName(re.sub(r"[^a-z0-9]+", "_", "".join(letters).casefold()).strip("_"))


def spelled_plainly(label: str) -> str:
    """Give a label as Atlan's SDKs make an internal name of it: in small letters, blanks as ``_``."""
    return " ".join(label.split()).lower().replace(" ", "_")


_INTERNAL_NAME = re.compile(r"[a-z0-9_]+")
API_USERNAME = "service-account-"  # how the user name of an API token's account begins


class Role(StrEnum):
    """A workspace role, by the name that Atlan gives it; exactly one per person."""

    GUEST = "$guest"
    MEMBER = "$member"
    ADMIN = "$admin"

    @property
    def label(self) -> str:
        """The name that people see: ``Guest``, ``Member``, ``Admin``."""
        return self.value.removeprefix("$").capitalize()

    @property
    def rank(self) -> int:
        """0 for the least privilege; a change to a lower rank is a demotion."""
        return list(Role).index(self)


class RowRef(NamedTuple):
    """Where a row stands. Orders as the input does: by table, then by row.

    A tuple, since a large job hashes and compares millions of them.
    """

    table: int
    """Which table of the job, from 0."""
    row: int
    """The number that a spreadsheet program shows beside the row, from 1."""
    source: str
    """``users.csv`` or ``hr.xlsx!Users``."""

    def __str__(self) -> str:
        return f"{self.source}:{self.row}"


class Rows(Sequence[RowRef]):
    """The rows of several tables, in the order of the input; each is made when somebody looks at it."""

    def __init__(self, *tables: tuple[int, str, Sequence[int]]) -> None:
        """Each table is its place in the job, its source and the numbers of its rows."""
        self.tables = tables
        self._length = sum(len(numbers) for *_, numbers in tables)

    @classmethod
    def of(cls, rows: Iterable[RowRef]) -> Rows:
        """Take single rows, in their order."""
        stretches = groupby(rows, lambda row: (row.table, row.source))
        return cls(*((*table, [row.row for row in some]) for table, some in stretches))

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[RowRef]:
        for table, source, numbers in self.tables:
            for number in numbers:
                yield RowRef(table, number, source)

    @overload
    def __getitem__(self, at: int) -> RowRef: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[RowRef]: ...
    def __getitem__(self, at: int | slice) -> RowRef | Sequence[RowRef]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(len(self))))
        left = at + len(self) if at < 0 else at
        for table, source, numbers in self.tables if left >= 0 else ():
            if left < len(numbers):
                return RowRef(table, numbers[left], source)
            left -= len(numbers)
        raise IndexError(f"there is no row {at} among {len(self)}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # as of every sequence that is compared by what it holds

    def __repr__(self) -> str:
        return f"Rows{self.tables}"


class Severity(StrEnum):
    """What a finding does to its row."""

    REJECT = "reject"
    NOTE = "note"


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """Something noticed about a row (or, with ``row`` None, about a whole table)."""

    code: str
    """A key of ``codes.CODES``."""
    words: str | Callable[[], str]
    """What happened, naming the value; or what words it, since of half a million findings only a few are ever read."""
    row: RowRef | None = None
    column: str = ""
    """The header as the file spells it; empty where the whole row is meant."""
    value: str = ""
    severity: Severity = Severity.REJECT
    fix: str = ""
    """What to do, where it is more particular than the code's own ``fix``."""
    source: str = ""
    """The table, where ``row`` is None."""

    @property
    def message(self) -> str:
        """What happened, naming the value. What to do stands in the code's ``fix``."""
        return self.words if isinstance(self.words, str) else self.words()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Finding) and self._facts == other._facts

    def __hash__(self) -> int:
        return hash((self.code, self.row, self.column, self.source))

    @property
    def _facts(self) -> tuple[object, ...]:
        place = (self.row, self.column, self.source)
        return self.code, place, self.value, self.severity, self.fix, self.message


@dataclass(frozen=True, slots=True)
class User:
    """An account of the tenant (with an id), or one that is to be (without)."""

    email: Email
    """Empty where the tenant does not show one; such an account is never touched."""
    role: Role | None = None
    """None where it is none of the three workspace roles."""
    enabled: bool = True
    pending: bool = False
    """Invited, and never logged in."""
    id: UserId = UserId("")
    username: str = ""
    scim: bool = False
    """Kept by the identity provider, which alone can enable and disable it."""

    @property
    def rules(self) -> bool:
        """Whether this is an admin who can sign in today; behind a token there is nobody."""
        return self.role is Role.ADMIN and self.enabled and not self.pending and not self.is_token

    @property
    def is_token(self) -> bool:
        """Whether this is the account of an API token."""
        return self.username.startswith(API_USERNAME)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the tenant (with an id), or one that is to be (without)."""

    name: GroupName
    alias: str
    """The name that people see."""
    description: str = ""
    default: bool = False
    """True: the tenant puts every newly invited person in."""
    id: GroupId = GroupId("")
    path: str = ""
    channels: tuple[str, ...] = ()
    """Carried along untouched, since an update sends all that can be edited."""
    size: int = 0
    """Members by the tenant's own count; for estimates only."""


def groups_by_key(groups: Iterable[Group]) -> Mapping[GroupKey, tuple[Group, ...]]:
    """Give the groups that a spelling may mean: by internal name or by alias. Two: it is ambiguous."""
    found: dict[GroupKey, tuple[Group, ...]] = {}
    for group in groups:
        for key in {group_key(group.name), group_key(group.alias)}:
            found[key] = (*found.get(key, ()), group)
    return found


@dataclass(frozen=True, slots=True, order=True)
class Membership:
    """One person in one group: the entitlement."""

    email: Email
    group: GroupName


@dataclass(frozen=True, slots=True)
class Directory:
    """What the tenant has, as far as this job has looked."""

    tenant: str
    """The tenant's identity: its host, or the embedded tenant's own id."""
    own: UserId
    """The account behind the token."""
    users: Mapping[Email, User]
    groups: Mapping[GroupName, Group]
    memberships: Mapping[Email, frozenset[GroupName]]
    """Complete for every concerned person in every concerned group; see ``tenant.look``."""
    unreadable: tuple[User, ...] = ()
    """Accounts without an e-mail address: token and service accounts."""
    read_whole: frozenset[GroupName] = frozenset()
    """Groups whose members were all read; only these may lose members by absence."""
    elsewhere: int = 0
    """How many accounts there are beside these: nothing in the sheets is about them, so they were not read."""
    look_ups: bool = True
    """False where a look-up did not find an account that is there."""
    ambiguous: Mapping[Email, tuple[User, ...]] = field(default_factory=dict)
    """Addresses that several accounts have, capitals aside; one of each stands in ``users``, and none is ever touched."""

    @property
    def accounts(self) -> int:
        """How many accounts the tenant has."""
        beside = sum(len(alike) - 1 for alike in self.ambiguous.values())
        return len(self.users) + beside + len(self.unreadable) + self.elsewhere


class Standing(StrEnum):
    """What the status cell of a person says."""

    ACTIVE = "active"
    ON_LEAVE = "on-leave"
    LEAVER = "leaver"
    NOT_STARTED = "not-started"


@dataclass(frozen=True, slots=True)
class Person:
    """What the users sheets ask for one person, all their rows united."""

    email: Email
    rows: tuple[RowRef, ...]
    role: Role | None = None
    """None: a blank cell, which never changes an existing person."""
    standing: Standing = Standing.ACTIVE
    groups_blank: bool = False
    """True where there is a groups cell and it is blank: then nothing is taken from the person by absence."""
    other_addresses: tuple[Email, ...] = ()
    """Secondary addresses on the rows; never invited."""
    username: str = ""
    standing_said: bool = True
    """False where no cell says a status; it counts as active then."""

    @property
    def name_when_invited(self) -> str:
        """The user name that the tenant gives to whoever is invited by this address."""
        return name_when_invited(self.email)


@dataclass(frozen=True, slots=True)
class Team:
    """What the groups sheets ask for one group, all its rows united."""

    label: str
    """The name that people see, in the winning spelling."""
    rows: tuple[RowRef, ...]
    internal_name: GroupName | None = None
    description: str | None = None
    """None: not said. Empty: to be cleared."""
    default: bool | None = None


class Together(Mapping[GroupKey, tuple[RowRef, ...]]):
    """Groups that the same rows name. Nearly everybody stands in one row, and a dict for each would take four times as much."""

    __slots__ = ("groups", "rows")

    def __init__(self, groups: tuple[GroupKey, ...], rows: tuple[RowRef, ...]) -> None:
        """``groups``: each once."""
        self.groups = groups
        self.rows = rows

    def __getitem__(self, key: GroupKey) -> tuple[RowRef, ...]:
        if key in self.groups:
            return self.rows
        raise KeyError(key)

    def __iter__(self) -> Iterator[GroupKey]:
        return iter(self.groups)

    def __len__(self) -> int:
        return len(self.groups)

    def items(self) -> ItemsView[GroupKey, tuple[RowRef, ...]]:
        """Give the groups and their rows, as fast as a dict does."""
        return dict.fromkeys(self.groups, self.rows).items()

    def __repr__(self) -> str:
        return f"Together({self.groups}, {self.rows})"


Asks = Mapping[Email, Mapping[GroupKey, tuple[RowRef, ...]]]
"""person -> group as spelled -> the rows that say so."""


@dataclass(frozen=True, slots=True)
class Desired:
    """What the sheets ask for; groups still by the keys of their spellings."""

    persons: Mapping[Email, Person] = field(default_factory=dict)
    teams: Mapping[GroupKey, Team] = field(default_factory=dict)
    grants: Asks = field(default_factory=dict)
    revokes: Asks = field(default_factory=dict)
    labels: Mapping[GroupKey, str] = field(default_factory=dict)
    """The winning spelling of each group that a row names."""


@dataclass(frozen=True, slots=True)
class Held:
    """Whom and what the rejected rows hold, each with a row that did it."""

    people: Mapping[Email, RowRef] = field(default_factory=dict)
    groups: Mapping[GroupKey, RowRef] = field(default_factory=dict)
    """Groups named in a rejected row: nothing is inferred from them, and they are not updated."""
    not_created: Mapping[GroupKey, RowRef] = field(default_factory=dict)
    """Groups whose own row was rejected."""
    absence: RowRef | None = None
    """A row whose key can't be read: nobody at all loses anything by absence."""
    also: Mapping[str, RowRef] = field(default_factory=dict)
    """Other addresses and user names in rejected rows: whoever goes by one may be who is meant."""


@dataclass(frozen=True, slots=True)
class Intake:
    """The sheets, understood: what they ask for, what is wrong with them, whom that holds."""

    desired: Desired
    rows: Sequence[RowRef]
    """Every input row, once, in input order; a blank row is none."""
    findings: Sequence[Finding] = ()
    held: Held = field(default_factory=Held)
    authoritative: bool = True
    """False where there may be more rows than these (a report fed back, a file that was not read): absence proves nothing."""
