"""What the sheets are about comes in; what the tenant has of that, a ``Directory``, goes out, in as few calls as it can.

Accounts are listed whole or looked up by address, whichever takes fewer calls. The first page of the list is read in any
case: it says how many accounts there are (the limits need that), it is all there is in a small tenant, and it shows
an account that every look-up must find again. Then, with p = ``page_size`` and the look-ups as ``Reader.lookups`` counts them:

* the addresses of the sheets that the page did not show are looked up, if that takes fewer calls than the rest of the
  list, ``ceil(accounts / p) - 1``;
* for those who are not found, their other addresses and user names are looked up by the same rule (``email-changed``),
  and what stands before the @, the user name of whoever was invited before: the account may show no address;
* the list is read after all where only all of it can answer: a look-up does not find the account that is there; a row
  takes an admin's role and no other admin has shown up; a member who may be missed in the sheets shows no address.

Memberships are read by group, by person or all, by the same rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from onboarding import errors
from onboarding.model import (
    API_USERNAME,
    Desired,
    Directory,
    Email,
    Group,
    GroupKey,
    GroupName,
    Person,
    Role,
    Standing,
    User,
    UserId,
    groups_by_key,
    name_when_invited,
    normal_email,
)
from onboarding.tenant import Identity, Reader, Spread

LONGEST_NAME = 255  # characters of a user name; the tenant can't store more


def look(
    reader: Reader,
    desired: Desired,
    *,
    whole_groups: bool,
    leavers_revoke: bool,
    held: Collection[Email] = (),
    spread: Spread = map,
    tell: Callable[[int], None] = lambda _: None,
) -> Directory:
    """Read what the sheets are about: their people, all groups, the memberships concerned.

    ``whole_groups`` reads every group with a granting row whole, so that members may be missed in the sheets;
    ``leavers_revoke`` reads every group of a leaver. ``held`` are people of rejected rows, who may be known or not.
    ``spread`` may read several pages or memberships at once; ``tell`` is told how many calls are still to come at least.
    Raises ``errors.Protocol`` for a listing that can't be true.
    """
    identity = reader.identity()
    accounts = _Accounts(reader, identity, spread, tell)
    _find(accounts, desired, held)
    users = accounts.by_email()
    groups = {group.name: group for group in reader.groups()}
    meant = _meant(desired, groups)
    known = [
        (email, wanted)
        for asks in (desired.grants, desired.revokes)
        for email, wanted in asks.items()
        if email in users
    ]
    granted = set[GroupKey]().union(*desired.grants.values()) if whole_groups else ()
    way = _cheapest(
        whole=frozenset(name for key in granted for name in meant[key]),
        wanted=known,
        meant=meant,
        leavers=frozenset(
            email
            for email, person in desired.persons.items()
            if leavers_revoke and person.standing is Standing.LEAVER and email in users
        ),
        groups=groups,
        pages=reader.pages,
    )
    tell(way.calls(groups, reader.pages))
    names = sorted(way.groups)
    listed = spread(reader.members, [groups[name].id for name in names])
    members = dict(zip(names, listed, strict=True))
    # The tenant's own count may be old or missing, and the calls that are announced depend on it.
    groups |= {name: replace(groups[name], size=len(users)) for name, users in members.items()}
    met = (user for users in members.values() for user in users)
    if whole_groups:
        accounts.meet(met)
    elif accounts.elsewhere:  # a look-up that minds capitals does not show all who have an address
        accounts.meet(user for user in met if user.email in users)
    memberships = _memberships(reader, sorted(way.people), members, accounts, spread)
    users = accounts.by_email()
    nameless = tuple(user for user in accounts.known.values() if not user.email)
    all_differ = len(users) + len(nameless) == len(accounts.known)
    return Directory(
        identity.tenant,
        identity.own,
        users,
        groups,
        memberships,
        nameless,
        way.groups,
        accounts.elsewhere,
        accounts.look_ups,
        {} if all_differ else accounts.ambiguous(),
    )


# ---- accounts ------------------------------------------------------------------------------------------------


class _Accounts:
    """The accounts that have shown up so far."""

    def __init__(
        self, reader: Reader, identity: Identity, spread: Spread, tell: Callable[[int], None]
    ) -> None:
        self._reader = reader
        self._identity = identity
        self._spread = spread
        self._tell = tell
        self._first = reader.first_users()
        self.known: dict[UserId, User] = {}
        self.look_ups = True
        """False once a look-up did not find an account that is there."""
        self._complete = False
        self._add(self._first.users)
        if not self._pages_left():
            self.list_all()

    @property
    def elsewhere(self) -> int:
        """How many accounts there are beside those that are known."""
        return 0 if self._complete else max(0, (self._first.total or 0) - len(self.known))

    def by_email(self) -> dict[Email, User]:
        """Give those who can be named."""
        return {user.email: user for user in self.known.values() if user.email}

    def ambiguous(self) -> dict[Email, tuple[User, ...]]:
        """Give the addresses that several accounts have, with these."""
        users = self.by_email()
        others = [u for u in self.known.values() if u.email and users[u.email] is not u]
        found: dict[Email, tuple[User, ...]] = {u.email: (users[u.email],) for u in others}
        for user in others:
            found[user.email] = (user, *found[user.email])
        return found

    def find(self, emails: Collection[str], names: Collection[str] = ()) -> None:
        """Know whoever has one of these addresses or user names, if there is anybody."""
        if self._complete:
            return
        emails = set(emails) - {user.email for user in self.known.values()}
        names = {name.lower() for name in names} - {u.username.lower() for u in self.known.values()}
        if not (emails or names):
            return
        # Somebody who is known to be there is looked up, too: a filter that finds nobody would have all invited.
        witness = self._first.witness
        if witness:
            emails |= {witness.email} if emails else set()
            names |= {witness.username.lower()} if names else set()
            if self._reader.lookups(emails) + self._reader.lookups(names) < self._pages_left():
                with suppress(errors.Refused):  # the tenant may not take our filter
                    reader = self._reader
                    found = [*reader.users_by_email(emails), *reader.users_by_name(names)]
                    if [user.id for user in found].count(witness.id) == bool(emails) + bool(names):
                        self._add(found)
                        return
                self.look_ups = False
        self.list_all()

    def meet(self, members: Iterable[User]) -> None:
        """Know members of groups, too; where one shows no address, the list of accounts may."""
        strangers = {user.id: user for user in members if user.id not in self.known}
        if any(not user.email and not user.is_token for user in strangers.values()):
            self.list_all()
        self._add(user for user in strangers.values() if user.id not in self.known)

    def list_all(self) -> None:
        """Know everybody."""
        if self._complete:
            return
        self._tell(self._pages_left())
        listed = self._reader.users(self._first, self._spread)
        own = self._identity
        there = own.own in {user.id for user in listed}
        if not there and not (
            own.own_name.startswith(API_USERNAME) and any(u.email for u in listed)
        ):
            # An empty or cut listing would have everybody invited again and every membership missed. An API token's
            # account may be left out of the list of people, but whoever made the token stands there.
            raise errors.Protocol(
                f"The tenant's list of {len(listed)} accounts lacks our own ({own.own_name}), "
                "so it can't be complete. Run again later."
            )
        self.known = {user.id: user for user in listed}
        self._complete = True

    def _add(self, users: Iterable[User]) -> None:
        self.known |= {user.id: user for user in users}

    def _pages_left(self) -> int:
        """How many calls the rest of the list takes; 0 too where nobody can say."""
        return self._reader.pages(self._first.total or 0) - 1


def _find(accounts: _Accounts, desired: Desired, held: Collection[Email]) -> None:
    """Know everybody whom the rows name, and whom a guard may ask about."""
    persons = desired.persons
    accounts.find({*persons, *desired.grants, *desired.revokes, *held})
    users = accounts.by_email()
    strangers = [
        person
        for email, person in persons.items()
        if email not in users and person.standing is not Standing.NOT_STARTED
    ]
    also = {name for person in strangers for name in _other_names(person)}
    # Who is to lose a group may have an account that shows no address.
    also |= {name_when_invited(email) for email in desired.revokes.keys() - users.keys()}
    accounts.find({normal_email(name) for name in also if "@" in name}, also)

    users = accounts.by_email()
    demoted = {
        email
        for email, person in persons.items()
        if person.role not in (None, Role.ADMIN) and email in users and users[email].rules
    }
    if demoted and not any(user.rules for email, user in users.items() if email not in demoted):
        accounts.list_all()


def _other_names(person: Person) -> set[str]:
    """Give what else a person goes by; a text too long for a user name is none."""
    names = {*person.other_addresses, person.username.strip(), person.name_when_invited}
    return {name for name in names if 0 < len(name) <= LONGEST_NAME}


# ---- memberships ---------------------------------------------------------------------------------------------


def _meant(
    desired: Desired, groups: Mapping[GroupName, Group]
) -> Mapping[GroupKey, frozenset[GroupName]]:
    """Give the groups of the tenant that each spelling of the rows may mean."""
    known = groups_by_key(groups.values())

    def meant(key: GroupKey) -> frozenset[GroupName]:
        own = desired.teams[key].internal_name if key in desired.teams else None
        names = {group.name for group in known.get(key, ())} | {own}
        return frozenset(name for name in names if name and name in groups)

    keys = set[GroupKey]().union(*desired.grants.values(), *desired.revokes.values())
    return {key: meant(key) for key in keys}


@dataclass(frozen=True, slots=True)
class _Way:
    """How memberships are read: the members of these groups, and the groups of these people."""

    groups: frozenset[GroupName]
    people: frozenset[Email] = frozenset()

    def calls(self, groups: Mapping[GroupName, Group], pages: Callable[[int], int]) -> int:
        """Count the calls it takes."""
        return len(self.people) * pages(1) + sum(pages(groups[name].size) for name in self.groups)


def _cheapest(
    *,
    whole: frozenset[GroupName],
    wanted: Sequence[tuple[Email, Collection[GroupKey]]],
    meant: Mapping[GroupKey, frozenset[GroupName]],
    leavers: frozenset[Email],
    groups: Mapping[GroupName, Group],
    pages: Callable[[int], int],
) -> _Way:
    """Choose between reading by group, by person, or all groups (many leavers in few groups)."""
    keys = set[GroupKey]().union(*(keys for _, keys in wanted))
    more = {key for key in keys if meant[key] - whole}
    by_group = _Way(whole.union(*(meant[key] for key in more)), leavers)
    by_person = _Way(whole, leavers.union(e for e, keys in wanted if not more.isdisjoint(keys)))
    ways = (by_group, by_person, _Way(frozenset(groups)))
    return min(ways, key=lambda way: way.calls(groups, pages))


def _memberships(
    reader: Reader,
    people: Sequence[Email],
    members: Mapping[GroupName, Sequence[User]],
    accounts: _Accounts,
    spread: Spread,
) -> dict[Email, frozenset[GroupName]]:
    users = accounts.by_email()
    found: defaultdict[Email, list[GroupName]] = defaultdict(list)
    for name, listed in members.items():
        for member in listed:
            # A list of members may lack an address that the list of accounts has.
            found[member.email or accounts.known.get(member.id, member).email].append(name)
    groups = spread(reader.groups_of, [users[email].id for email in people])
    for email, joined in zip(people, groups, strict=True):
        found[email] += [group.name for group in joined]
    found.pop(Email(""), None)
    alike: dict[frozenset[GroupName], frozenset[GroupName]] = {}  # many are in the same groups
    return {
        email: alike.setdefault(held := frozenset(names), held)
        for email, names in found.items()
        if names
    }
