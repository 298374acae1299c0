"""Each person beside the tenant's account: a scene comes in; changes, and what needs none, go out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from onboarding.model import Email, GroupName, Membership, Person, Role, RowRef, Standing, User
from onboarding.plan import Cause, Change, Settled, Status
from onboarding.reconcile.scene import Scene, held, without
from onboarding.resolve import Ask


def people(scene: Scene) -> Iterator[Change | Settled]:
    """Compare each person, with all that any sheet asks for them."""
    persons, resolved = scene.intake.desired.persons, scene.resolved
    for email in persons.keys() | resolved.asks.keys() | resolved.void.keys():
        if email in resolved.holds.people:
            rows = without(_rows(scene, email), resolved.holds.rejected)
            yield from held(email, resolved.holds.people[email], rows)
        elif email in persons:
            yield from _person(scene, persons[email])
        else:
            yield from _memberships(scene, email, scene.has(email))


def _person(scene: Scene, person: Person) -> Iterator[Change | Settled]:
    account = scene.current.users.get(person.email)
    match person.standing:
        case Standing.NOT_STARTED:
            message = f"{person.email} has not started yet"
            rows = tuple(_rows(scene, person.email))
            yield Settled(Status.UNCHANGED, "not-started", message, rows)
        case Standing.LEAVER:
            yield _departure(person, account)
            yield from _deprivation(scene, person)
            yield from _memberships(scene, person.email, scene.has(person.email))
        case Standing.ACTIVE | Standing.ON_LEAVE if account:
            yield from _account(scene, person, account)
            yield from _memberships(scene, person.email, scene.has(person.email))
        case Standing.ACTIVE | Standing.ON_LEAVE:
            yield _invitation(scene, person)
            yield from _memberships(scene, person.email, scene.joined_when_invited())
        case _:
            assert_never(person.standing)


def _rows(scene: Scene, email: Email) -> Iterator[RowRef]:
    """Give every row about a person, some of them more than once."""
    person = scene.intake.desired.persons.get(email)
    yield from person.rows if person else ()
    for ask in (*scene.resolved.asks.get(email, ()), *scene.resolved.void.get(email, ())):
        yield from ask.rows


def _invitation(scene: Scene, person: Person) -> Change:
    default = scene.wishes.default_role
    least = Role.GUEST if default in (None, Role.ADMIN) else default
    return Change(None, User(person.email, person.role or least, pending=True), person.rows)


def _account(scene: Scene, person: Person, account: User) -> Iterator[Change | Settled]:
    """Compare an existing account: enabled, and with the role that the row says, if it says one."""
    wish = replace(account, role=person.role or account.role)
    if not account.enabled and account.is_token:
        yield _of_a_token(person)
    elif not account.enabled:
        message = f"{person.email} is active here, and the account is disabled{_by_whom(account)}"
        yield Settled(Status.MANUAL, "reactivate", message, person.rows)
    if wish == account:
        yield scene.as_asked(person.rows, Change(None, account), Change(account, account))
    else:
        yield Change(account, wish, person.rows)


def _departure(person: Person, account: User | None) -> Settled:
    """Settle a leaver's account, which only an admin can deactivate."""
    email, rows = person.email, person.rows
    if account is None:
        message = f"{email} has left and has no account"
        return Settled(Status.UNCHANGED, "unknown-leaver", message, rows)
    if not account.enabled:
        message = f"{email} has left and the account is disabled"
        return Settled(Status.UNCHANGED, "already-disabled", message, rows)
    if account.is_token:
        return _of_a_token(person)
    message = f"{email} has left and the account is still enabled{_by_whom(account)}"
    return Settled(Status.MANUAL, "deactivate", message, rows)


def _of_a_token(person: Person) -> Settled:
    """Ask nobody to switch on or off what a token needs; changes of it are for ``safety`` to set aside."""
    message = f"{person.email} is the account of an API token"
    return Settled(Status.SKIPPED, "token-account", message, person.rows)


def _by_whom(account: User) -> str:
    """Say where an account is enabled and disabled, if not in Atlan."""
    return "; SCIM keeps it, so that is done in the identity provider" if account.scim else ""


def _deprivation(scene: Scene, person: Person) -> Iterator[Change | Settled]:
    """Take a leaver out of groups, where that is wished; grant nothing in any case."""
    email, rows, has = person.email, person.rows, scene.has(person.email)
    if scene.wishes.leavers_revoke:
        for name in has - scene.defaults:
            yield Change(Membership(email, name), None, rows, Cause.LEAVER)
        for name in scene.revoked_earlier.get(email, frozenset()) - has:
            yield scene.as_asked(rows, Change(Membership(email, name), None, (), Cause.LEAVER))
    for ask in scene.resolved.void.get(email, ()):
        message = f"{email} has left and is not added to groups"
        others = without(ask.rows, frozenset(rows))
        if others:
            yield Settled(Status.UNCHANGED, "leaver-grants", message, others)


# ---- memberships ---------------------------------------------------------------------------------------------


def _memberships(
    scene: Scene, email: Email, to_lose: frozenset[GroupName]
) -> Iterator[Change | Settled]:
    """Compare the memberships that rows ask for or ask to end; ``to_lose`` are those that can end."""
    for ask in scene.resolved.asks.get(email, ()):
        name = scene.resolved.group(ask.key)
        if not ask.grant:
            yield _removal(scene, ask, name, to_lose)
        elif ask.key in scene.resolved.barred:
            yield from held(scene.quoted(ask.key), scene.resolved.barred[ask.key], ask.rows)
        else:
            assert name is not None, f"{ask} should have been rejected"
            yield from _grant(scene, ask, name)


def _grant(scene: Scene, ask: Ask, name: GroupName) -> Iterator[Change | Settled]:
    change = Change(None, Membership(ask.email, name), ask.rows)
    if name in scene.has(ask.email):
        yield scene.as_asked(ask.rows, change)
    else:
        yield change
    if ask.key in scene.resolved.new:
        yield Change(None, scene.resolved.new[ask.key], ask.rows)


def _removal(
    scene: Scene, ask: Ask, name: GroupName | None, to_lose: frozenset[GroupName]
) -> Change | Settled:
    if name and name in to_lose:
        return Change(Membership(ask.email, name), None, ask.rows)
    known = ask.email in scene.current.users
    if known and name and name in scene.current.groups:
        return scene.as_asked(ask.rows, Change(Membership(ask.email, name), None))
    whom = scene.quoted(ask.key) if known else ask.email
    message = f"the tenant does not have {whom}, so there is nothing to take away"
    return Settled(Status.UNCHANGED, "unknown-to-remove", message, ask.rows)
