"""Each person beside the tenant's account: a scene comes in; changes, and what needs none, go out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from onboarding.model import (
    Email,
    GroupKey,
    GroupName,
    Membership,
    Person,
    Role,
    RowRef,
    Standing,
    User,
)
from onboarding.plan import Cause, Change, Settled, Status
from onboarding.reconcile.scene import Part, Scene, held, without
from onboarding.resolve import NOTHING


def people(scene: Scene) -> Iterator[Part]:
    """Compare each person, with all that any sheet asks for them."""
    desired, holds = scene.intake.desired, scene.resolved.holds
    persons = desired.persons
    for email in {**persons, **desired.grants, **desired.revokes}:
        if email in holds.people:
            yield from held(
                email, holds.people[email], without(_rows(scene, email), holds.rejected)
            )
        elif email in persons:
            yield from _person(scene, persons[email])
        else:
            yield from _memberships(scene, email, scene.has(email))


def _person(scene: Scene, person: Person) -> Iterator[Part]:
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
    desired = scene.intake.desired
    if email in desired.persons:
        yield from desired.persons[email].rows
    for asks in (desired.grants, desired.revokes):
        for rows in asks.get(email, NOTHING).values():
            yield from rows


def _invitation(scene: Scene, person: Person) -> Change:
    default = scene.wishes.default_role
    least = Role.GUEST if default in (None, Role.ADMIN) else default
    return Change(None, User(person.email, person.role or least, pending=True), person.rows)


def _account(scene: Scene, person: Person, account: User) -> Iterator[Part]:
    """Compare an existing account: enabled, and with the role that the row says, if it says one."""
    if not account.enabled and account.is_token:
        yield _of_a_token(person)
    elif not account.enabled:
        message = f"{person.email} is active here, and the account is disabled{_by_whom(account)}"
        yield Settled(Status.MANUAL, "reactivate", message, person.rows)
    if person.role in (None, account.role):
        yield scene.as_asked(person.rows, lambda: [Change(None, account), Change(account, account)])
    else:
        yield Change(account, replace(account, role=person.role), person.rows)


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


def _deprivation(scene: Scene, person: Person) -> Iterator[Part]:
    """Take a leaver out of groups, where that is wished; grant nothing in any case."""
    email, rows, has = person.email, person.rows, scene.has(person.email)
    if scene.wishes.leavers_revoke:
        for name in has - scene.defaults:
            yield Change(Membership(email, name), None, rows, Cause.LEAVER)
        for name in scene.revoked_earlier.get(email, frozenset()) - has:
            yield _no_member(scene, email, name, rows, Cause.LEAVER)
    for asking in scene.resolved.void.grants.get(email, NOTHING).values():
        message = f"{email} has left and is not added to groups"
        others = without(asking, frozenset(rows))
        if others:
            yield Settled(Status.UNCHANGED, "leaver-grants", message, others)


# ---- memberships ---------------------------------------------------------------------------------------------


def _memberships(scene: Scene, email: Email, to_lose: frozenset[GroupName]) -> Iterator[Part]:
    """Compare the memberships that rows ask for or ask to end; ``to_lose`` are those that can end."""
    resolved, has = scene.resolved, scene.has(email)
    granted, revoked = resolved.asks.of(email)
    for key, rows in granted.items():
        if key in resolved.barred:
            yield from held(scene.quoted(key), resolved.barred[key], rows)
            continue
        name = resolved.plain[key]
        if name in has:
            yield _member(scene, email, name, rows)
        else:
            yield Change(None, Membership(email, name), rows)
        if key in resolved.new:
            yield Change(None, resolved.new[key], rows)
    for key, rows in revoked.items():
        yield _removal(scene, email, key, rows, to_lose)


def _member(scene: Scene, email: Email, name: GroupName, rows: tuple[RowRef, ...]) -> Part:
    return scene.as_asked(rows, lambda: [Change(None, Membership(email, name))])


def _no_member(
    scene: Scene, email: Email, name: GroupName, rows: tuple[RowRef, ...], cause: Cause
) -> Part:
    return scene.as_asked(rows, lambda: [Change(Membership(email, name), None, (), cause)])


def _removal(
    scene: Scene,
    email: Email,
    key: GroupKey,
    rows: tuple[RowRef, ...],
    to_lose: frozenset[GroupName],
) -> Part:
    name = scene.resolved.plain.get(key)
    if name and name in to_lose:
        return Change(Membership(email, name), None, rows)
    known = email in scene.current.users
    if known and name and name in scene.current.groups:
        return _no_member(scene, email, name, rows, Cause.ASKED)
    whom = scene.quoted(key) if known else email
    message = f"the tenant does not have {whom}, so there is nothing to take away"
    return Settled(Status.UNCHANGED, "unknown-to-remove", message, rows)
