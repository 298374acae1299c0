"""A tenant in memory: ``FakeTenant`` is ``tenant.Tenant`` with counted calls, sent mails and scripted faults.

It counts calls as the HTTP client does (a page is a call), so that an announced number can be compared with it::

    tenant = FakeTenant([user("ana")], [group("finance")], {"finance": ["ana"]})
    tenant.faults.append(Fault("doubt_after", "invite"))      # the next invitation is carried out, its answer is lost
    tenant.faults.append(Fault("throttle", "write", skip=2))  # the third changing call from now meets a 429
    tenant.faults.append(Fault("crash", 7))                   # the process dies before the seventh call of all
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from builders import DOMAIN, email

from onboarding.errors import CallError, Doubt, NotSent, Protocol, Refused, Throttled, TokenRefused
from onboarding.model import (
    Directory,
    Email,
    Group,
    GroupId,
    GroupName,
    Role,
    User,
    UserId,
)
from onboarding.tenant import Identity, Page, Receipt, Spread

OWN = UserId("u-token")
READS = frozenset(
    ("identity", "users", "users_by_email", "users_by_name", "groups", "members", "groups_of")
)
ALREADY = "409 Conflict: User exists with the same email"

Key = TypeVar("Key", bound=str)
Record = TypeVar("Record")


def answered(bad: Mapping[str, str], request_id: str, *, names_the_bad: bool) -> Receipt:
    """Answer an invitation as Atlan does: a refusal by person or without a name, or a plain yes."""
    if bad and names_the_bad:
        raise Refused("invitations refused", by_subject=bad, status=500)
    if bad:
        words = "Please check your request parameters"
        raise Refused(words, words=words, status=400)
    return Receipt(request_id=request_id)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


class Crash(BaseException):
    """The process dies here; nothing may catch it and go on."""


@dataclass(slots=True)
class Fault:
    """Something that happens at a call: at a method's name, ``write``, ``read``, or at a call number (from 1)."""

    kind: Literal[
        "doubt_before",  # Doubt; never carried out
        "doubt_after",  # Doubt; carried out
        "doubt_late",  # Doubt; carried out `late` calls from now, or at `land()`
        "refuse",  # Refused, nothing carried out
        "throttle",
        "throttle_after",  # Throttled; carried out all the same
        "not_sent",
        "token",  # TokenRefused
        "token_after",  # TokenRefused; carried out all the same
        "muddle",  # a reading meets Protocol: the list changed while it was read
        "crash",  # Crash before the tenant sees it
        "crash_after",  # Crash; carried out
        "do",  # `do(tenant)` happens first, then the call as ever: another admin is at work
    ]
    at: str | int
    skip: int = 0
    """Matching calls that pass first."""
    times: int = 1
    words: str = "not today"
    by_subject: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    retry_after: float | None = None
    late: int = 10**9
    do: Callable[[FakeTenant], None] | None = None

    def strikes(self, number: int, action: str) -> bool:
        """Whether it happens at this call; counts down as it goes."""
        kind = "read" if action in READS else "write"
        if self.at not in (number, action, kind) or not self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the tenant saw it. ``subjects`` are addresses, ids or names, as the call has them."""

    number: int
    action: str
    request_id: str = ""
    subjects: tuple[str, ...] = ()


@dataclass(slots=True)
class Holdings:
    """What the tenant has."""

    users: dict[UserId, User] = field(default_factory=dict)
    groups: dict[GroupId, Group] = field(default_factory=dict)
    members: dict[GroupId, frozenset[UserId]] = field(default_factory=dict)

    def copy(self) -> Holdings:
        return Holdings(dict(self.users), dict(self.groups), dict(self.members))


class FakeTenant:
    """An in-memory tenant. What a test may turn is an argument; what it may look at is a plain attribute."""

    def __init__(
        self,
        users: Iterable[User] = (),
        groups: Iterable[Group] = (),
        members: Mapping[str, Iterable[str]] | None = None,
        *,
        name: str = DOMAIN,
        page_size: int = 100,
        lookup_size: int = 40,
        atomic: bool = False,
        names_the_bad: bool = True,
        poison: Mapping[Email, str] | None = None,
        no_invitations: str = "",
        read_lag: int = 0,
        faults: Iterable[Fault] = (),
    ) -> None:
        self.name = name
        self.page_size = page_size
        self.lookup_size = lookup_size
        self.atomic = atomic
        """True: one bad address and nobody of the batch is invited."""
        self.names_the_bad = names_the_bad
        """True: a refused batch answers a map of addresses (500); False: one text for all (400)."""
        self.poison = dict(poison or {})
        """Addresses that the tenant refuses, each with its words."""
        self.no_invitations = no_invitations
        """The words with which every invitation is refused: single sign-on enforced, no seats."""
        self.read_lag = read_lag
        """So many reading calls after a change still show what was before it."""
        self.faults = list(faults)

        self.calls = 0
        self.waited = 0.0
        self.log: list[Call] = []
        """Every call that reached the tenant or should have, in order."""
        self.mails: list[Email] = []
        """Every invitation e-mail that went out."""
        self.has = Holdings()
        self._shown: Holdings | None = None
        self._stale = 0
        self._late: list[tuple[int, Callable[[], object]]] = []
        self._identity: Identity | None = None
        self._lock = threading.RLock()

        self.put(User(Email(""), None, id=OWN, username="service-account-apikey-1"))
        self.put(*users, *groups)
        for group, people in (members or {}).items():
            self.join(group, *people)

    # ---- what happens outside of our calls: preparing, other admins, time ---------------------------------

    def takes(self, calls: int) -> float:
        return 0.0

    def put(self, *things: User | Group) -> None:
        """Have accounts and groups, or replace them."""
        for thing in things:
            if isinstance(thing, User):
                self.has.users[thing.id] = thing
            else:
                self.has.groups[thing.id] = thing
                self.has.members.setdefault(thing.id, frozenset())

    def join(self, group: str, *people: str) -> None:
        """Put people (by name or address) into a group (by internal name)."""
        key = self._group(group)
        self.has.members[key] |= {self._user(person) for person in people}

    def leave(self, group: str, *people: str) -> None:
        key = self._group(group)
        self.has.members[key] -= {self._user(person) for person in people}

    def drop(self, person: str) -> None:
        """Delete an account."""
        gone = self._user(person)
        del self.has.users[gone]
        for key, members in self.has.members.items():
            self.has.members[key] = members - {gone}

    def land(self) -> None:
        """Let every call of ``doubt_late`` take effect now."""
        waiting, self._late = self._late, []
        for _, carry_out in waiting:
            carry_out()

    def truth(self) -> Directory:
        """Give all that the tenant has, without a call."""
        users = self.has.users.values()
        memberships: dict[Email, frozenset[GroupName]] = {}
        for key, members in self.has.members.items():
            for member in members:
                address = self.has.users[member].email
                held = memberships.get(address, frozenset())
                memberships[address] = held | {self.has.groups[key].name}
        memberships.pop(Email(""), None)
        groups = {g.name: g for g in self._sized(self.has)}
        return Directory(
            self.name,
            OWN,
            {u.email: u for u in users if u.email},
            groups,
            memberships,
            tuple(u for u in users if not u.email),
            frozenset(groups),
        )

    def writes(self, action: str = "") -> list[Call]:
        """Give the changing calls so far, or those of one method."""
        wanted = {action} if action else {c.action for c in self.log} - READS
        return [call for call in self.log if call.action in wanted]

    # ---- Reader -------------------------------------------------------------------------------------------

    def identity(self) -> Identity:
        with self._lock:
            if self._identity is None:
                self._read("identity")
                self._read("identity")
                roles = {role: f"r-{role.label.lower()}" for role in Role}
                own = self.has.users[OWN]
                self._identity = Identity(self.name, own.id, own.username, roles)
            return self._identity

    def pages(self, records: int) -> int:
        return max(1, -(-records // self.page_size))

    def lookups(self, keys: Collection[str]) -> int:
        return -(-len(set(keys)) // self.lookup_size)

    def first_users(self) -> Page:
        with self._lock:
            users = self._by_name(self._read("users"))
            shown = users[: self.page_size]
            witness = next((user for user in shown if user.email and user.username), None)
            return Page(shown, len(users), witness)

    def users(self, first: Page | None = None, spread: Spread = map) -> Sequence[User]:
        with self._lock:
            if first is None or first.total is None:
                return self._pages("users", self._by_name)
            users: Sequence[User] = first.users
            for _ in range(len(users), first.total, self.page_size):
                users = self._by_name(self._read("users"))
            return users

    def users_by_email(self, emails: Collection[str]) -> Sequence[User]:
        return self._looked_up("users_by_email", emails, lambda user: user.email)

    def users_by_name(self, names: Collection[str]) -> Sequence[User]:
        return self._looked_up("users_by_name", names, lambda user: user.username)

    def groups(self) -> Sequence[Group]:
        with self._lock:
            return self._pages("groups", self._sized)

    def members(self, group: GroupId) -> Sequence[User]:
        def found(has: Holdings) -> list[User]:
            if group not in has.groups:
                raise Refused(f"there is no group {group}", words="404 Not Found", status=404)
            people = [has.users[user] for user in has.members[group]]
            return sorted(people, key=lambda user: user.username)

        with self._lock:
            return self._pages("members", found, group)

    def groups_of(self, user: UserId) -> Sequence[Group]:
        def found(has: Holdings) -> list[Group]:
            if user not in has.users:
                raise Refused(f"there is no account {user}", words="404 Not Found", status=404)
            return [group for group in self._sized(has) if user in has.members[group.id]]

        with self._lock:
            return self._pages("groups_of", found, user)

    # ---- Writer -------------------------------------------------------------------------------------------

    def wait_for_turn(self) -> None:
        """Go on: no call has to wait here."""

    def invite(self, people: Sequence[tuple[Email, Role]], *, request_id: str) -> Receipt:
        assert people, "an empty invitation is never sent"

        def carry_out(*, late: bool = False) -> Receipt:
            if self.no_invitations:
                raise Refused(self.no_invitations, words=self.no_invitations, status=400)
            known = {user.email for user in self.has.users.values()}
            bad: dict[str, str] = {who: ALREADY for who, _ in people if who in known}
            bad |= {who: words for who, words in self.poison.items() if who in dict(people)}
            for who, role in people:
                # Whether a late repeat mails somebody who is known by then is not documented: assume the worst.
                if (who not in bad and not (bad and self.atomic)) or (late and who in known):
                    self.mails.append(who)
                if who not in bad and not (bad and self.atomic):
                    self._enrol(who, role)
            return answered(bad, request_id, names_the_bad=self.names_the_bad)

        return self._write("invite", carry_out, request_id, *(who for who, _ in people))

    def create_group(
        self, group: Group, members: Collection[UserId], *, request_id: str
    ) -> Receipt:
        def carry_out() -> Receipt:
            if any(known.name == group.name for known in self.has.groups.values()):
                words = f"409 Conflict: Top level group named '{group.name}' already exists."
                raise Refused(words, words=words, status=400)
            key = GroupId(f"g-{group.name}")
            self.put(replace(group, id=key, path=f"/{group.name}"))
            self.has.members[key] = frozenset(members).intersection(self.has.users)
            lost = {user: "404 Not Found" for user in members if user not in self.has.users}
            return Receipt(request_id=request_id, group=key, not_added=lost)

        return self._write("create_group", carry_out, request_id, group.name, *members)

    def update_group(self, group: Group, *, request_id: str) -> Receipt:
        def carry_out() -> Receipt:
            known = self._known(self.has.groups, group.id)
            self.has.groups[group.id] = replace(group, name=known.name, path=known.path)
            return Receipt(request_id=request_id)

        return self._write("update_group", carry_out, request_id, group.id)

    def change_role(self, user: UserId, role: Role, *, request_id: str) -> Receipt:
        def carry_out() -> Receipt:
            self.has.users[user] = replace(self._known(self.has.users, user), role=role)
            return Receipt(request_id=request_id)

        return self._write("change_role", carry_out, request_id, user, role)

    def add_to_groups(
        self, user: UserId, groups: Collection[GroupId], *, request_id: str
    ) -> Receipt:
        assert groups, "an empty list of groups is never sent"

        def carry_out() -> Receipt:
            self._known(self.has.users, user)
            for key in groups:
                self._known(self.has.groups, key)
            for key in groups:
                self.has.members[key] |= {user}
            return Receipt(request_id=request_id)

        return self._write("add_to_groups", carry_out, request_id, user, *groups)

    def remove_members(
        self, group: GroupId, users: Collection[UserId], *, request_id: str
    ) -> Receipt:
        assert users, "an empty list of users is never sent"

        def carry_out() -> Receipt:
            self._known(self.has.groups, group)
            self.has.members[group] -= set(users)
            return Receipt(request_id=request_id)

        return self._write("remove_members", carry_out, request_id, group, *users)

    # ---- inside -------------------------------------------------------------------------------------------

    def _read(self, action: str, *subjects: str) -> Holdings:
        """Make one reading call and give what it may see."""
        fault = self._arrive(action, "", subjects)
        if fault:
            self._strike(fault, "")
        if self._stale and self._shown:
            self._stale -= 1
            return self._shown
        return self.has

    def _looked_up(
        self, action: str, keys: Collection[str], key: Callable[[User], str]
    ) -> list[User]:
        wanted = sorted(set(keys))
        found: list[User] = []
        with self._lock:
            for start in range(0, len(wanted), self.lookup_size):
                chunk = wanted[start : start + self.lookup_size]
                has = self._read(action, *chunk)
                found += [user for user in has.users.values() if key(user) in chunk]
        return found

    @staticmethod
    def _by_name(has: Holdings) -> list[User]:
        return sorted(has.users.values(), key=lambda user: user.username)

    def _pages(
        self, action: str, find: Callable[[Holdings], list[Record]], *subjects: str
    ) -> list[Record]:
        records = find(self._read(action, *subjects))
        for _ in range(self.page_size, len(records), self.page_size):
            self._read(action, *subjects)
        return records

    def _write(
        self, action: str, carry_out: Callable[[], Receipt], request_id: str, *subjects: str
    ) -> Receipt:
        with self._lock:
            fault = self._arrive(action, request_id, subjects)
            if fault and fault.kind == "doubt_late":
                self._late.append((self.calls + fault.late, lambda: self._landing(carry_out)))
            elif fault and not fault.kind.endswith("_after"):
                self._strike(fault, request_id)
            before = self.has.copy()
            receipt = Receipt()
            if not (fault and fault.kind == "doubt_late"):
                receipt = self._carried_out(carry_out, before, lost=fault is not None)
            if fault:
                self._strike(fault, request_id)
            return receipt

    def _carried_out(
        self, carry_out: Callable[[], Receipt], before: Holdings, *, lost: bool
    ) -> Receipt:
        try:
            return carry_out()
        except CallError:
            if lost:
                return Receipt()
            raise
        finally:
            if self.read_lag and self.has != before:
                self._shown = self._shown if self._stale and self._shown else before
                self._stale = self.read_lag

    def _landing(self, carry_out: Callable[..., Receipt]) -> None:
        try:
            if "late" in (carry_out.__kwdefaults__ or {}):
                carry_out(late=True)
            else:
                carry_out()
        except CallError:
            pass

    def _arrive(self, action: str, request_id: str, subjects: Iterable[str]) -> Fault | None:
        """Count the call, let what is due happen, and give the fault that strikes it."""
        self.calls += 1
        self.log.append(Call(self.calls, action, request_id, tuple(map(str, subjects))))
        due = [carry_out for number, carry_out in self._late if number <= self.calls]
        self._late = [(number, late) for number, late in self._late if number > self.calls]
        for carry_out in due:
            carry_out()
        fault = next((f for f in self.faults if f.strikes(self.calls, action)), None)
        if fault and fault.kind == "do":
            assert fault.do is not None
            fault.do(self)
            return None
        return fault

    def _strike(self, fault: Fault, request_id: str) -> None:
        match fault.kind:
            case "doubt_before" | "doubt_after" | "doubt_late":
                raise Doubt("the answer was lost", status=fault.status, request_id=request_id)
            case "refuse":
                raise Refused(
                    f"the tenant refused this: {fault.words}",
                    words=fault.words,
                    by_subject=fault.by_subject,
                    status=fault.status or (500 if fault.by_subject else 400),
                    request_id=request_id,
                )
            case "throttle" | "throttle_after":
                raise Throttled("slow down", retry_after=fault.retry_after, request_id=request_id)
            case "not_sent":
                raise NotSent("the tenant can't be reached", request_id=request_id)
            case "token" | "token_after":
                raise TokenRefused("the tenant refuses the token", status=fault.status or 401)
            case "muddle":
                raise Protocol("the tenant's list does not add up")
            case "crash" | "crash_after":
                raise Crash
            case "do":
                raise AssertionError(fault)

    def _enrol(self, who: Email, role: Role) -> None:
        name = who.removesuffix(f"@{DOMAIN}")
        key = UserId(f"u-{name}")
        self.put(User(who, role, pending=True, id=key, username=who.split("@")[0]))
        for group in self.has.groups.values():
            if group.default:
                self.has.members[group.id] |= {key}

    def _sized(self, has: Holdings) -> list[Group]:
        sized = [replace(g, size=len(has.members[g.id])) for g in has.groups.values()]
        return sorted(sized, key=lambda group: group.name)

    def _group(self, name: str) -> GroupId:
        return next(group.id for group in self.has.groups.values() if group.name == name)

    def _user(self, name: str) -> UserId:
        wanted = email(name)
        return next(user.id for user in self.has.users.values() if user.email == wanted)

    def _known(self, things: Mapping[Key, Record], key: Key) -> Record:
        if key not in things:
            words = "404 Not Found"
            raise Refused(f"the tenant does not know {key}", words=words, status=404)
        return things[key]
