"""Whom the sheets mean; who is known to nobody, who may be two accounts, and who seems to be new and has one, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from onboarding.model import (
    Directory,
    Email,
    Finding,
    Intake,
    Person,
    RowRef,
    Standing,
    User,
    name_when_invited,
    normal_email,
)
from onboarding.near import marks, near
from onboarding.resolve.asks import Asked, rejections


def unknown_people(intake: Intake, current: Directory, asks: Asked) -> Iterator[Finding]:
    """Reject who is to be added to a group and stands neither in a users sheet nor in the tenant."""
    persons = intake.desired.persons
    unknown = {
        email: frozenset().union(*wanted.values())
        for email, wanted in asks.grants.items()
        if email not in persons and email not in current.users and email not in intake.held.people
    }
    similar = near(unknown, current.users.keys() | persons.keys(), _marks) if unknown else {}
    for email, rows in unknown.items():
        best = get_close_matches(email, similar.get(email, ()), n=1, cutoff=0)
        hint = f"; did you mean {best[0]}?" if best else ""
        message = f"is known neither to the users sheet nor to the tenant{hint}"
        yield from rejections("person-unknown", message, rows, email)


def _marks(email: str) -> set[str]:
    return {f"{email.partition('@')[0]}@", *marks(email)}


def unclear_removals(current: Directory, asks: Asked) -> Iterator[Finding]:
    """Reject who is to lose a group and may have an account that shows no address: it may be in the group."""
    hidden = _hidden(current)
    for email, wanted in asks.revokes.items():
        account = hidden.get(name_when_invited(email))
        if account and email not in current.users:
            rows = {row for rows in wanted.values() for row in rows}
            yield from rejections("email-changed", _may_be(account), rows, email)


def _hidden(current: Directory) -> dict[str, User]:
    """Give the accounts of people that show no address, by user name."""
    return {user.username.lower(): user for user in current.unreadable if not user.is_token}


def _may_be(account: User) -> str:
    name = account.username
    return f"may be the account {name}, which shows no address: its user name is the same"


def ambiguous_people(intake: Intake, current: Directory, asks: Asked) -> Iterator[Finding]:
    """Reject who may be any of several accounts: nothing that a row says tells them apart."""
    for email, accounts in current.ambiguous.items():
        person = intake.desired.persons.get(email)
        rows = {row for wanted in asks.of(email) for of_one in wanted.values() for row in of_one}
        if person and person.standing is not Standing.NOT_STARTED:
            rows.update(person.rows)
        names = " and ".join(sorted(account.username or account.id for account in accounts))
        message = f"is the address of the accounts {names}, capitals aside"
        yield from rejections("person-ambiguous", message, rows, email)


def changed_addresses(moved: Iterable[tuple[Person, str, User]]) -> Iterator[Finding]:
    """Reject who seems to be new and has an account under another address or by user name."""
    for person, value, account in moved:
        whose = account.email or account.username
        message = f"belongs to the account of {whose}, and {person.email} has none"
        if value == person.email:
            message = _may_be(account)
        yield from rejections("email-changed", message, person.rows, value)


def moved(intake: Intake, current: Directory) -> Iterator[tuple[Person, str, User]]:
    """Give who seems to be new, with what they also go by and the account that has that."""
    usernames = _by_username(current)
    hidden = _hidden(current)
    for person in intake.desired.persons.values():
        if person.email in current.users or person.standing is Standing.NOT_STARTED:
            continue
        for value, email in _other_names(person):
            account = current.users.get(email) or usernames.get(value.casefold())
            if account and value:
                yield person, value, account
                break
        else:
            if person.name_when_invited in hidden:
                yield person, person.email, hidden[person.name_when_invited]


def _by_username(current: Directory) -> dict[str, User]:
    accounts = (*current.users.values(), *current.unreadable)
    return {user.username.casefold(): user for user in accounts if user.username}


def _other_names(person: Person) -> list[tuple[str, Email]]:
    """Give what else a person goes by, each as it is written and as an address."""
    names = [*sorted(person.other_addresses), person.username.strip()]
    return [(name, normal_email(name)) for name in names if name]


def mistaken(intake: Intake, held: Iterable[Email], current: Directory) -> frozenset[Email]:
    """Give the accounts that a rejected row with an unknown address may mean: a slip away, or at another domain.

    Whoever has a sound row of their own is not meant.
    """
    strangers = set(held) - current.users.keys()
    meant = near(strangers, current.users.keys(), _marks) if strangers else {}
    return frozenset().union(*meant.values()) - intake.desired.persons.keys()


def accounts_held(
    intake: Intake, current: Directory, moved: Iterable[tuple[Person, str, User]]
) -> Iterator[tuple[Email, RowRef]]:
    """Hold the account that a row is about under another name, unless somebody else has it by a row that says so."""
    named = [(account, min(person.rows)) for person, _, account in moved]
    if intake.held.also:
        usernames = _by_username(current)
        for name, row in intake.held.also.items():
            account = current.users.get(normal_email(name)) or usernames.get(name.casefold())
            named += [(account, row)] if account else []
    for account, row in named:
        other = intake.desired.persons.get(account.email)
        if account.email and (not other or other.standing is Standing.LEAVER):
            yield account.email, row
