"""Small makers of values, so that a test spells out only the fact under test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from onboarding.model import (
    Asks,
    Desired,
    Directory,
    Email,
    Group,
    GroupId,
    GroupName,
    Held,
    Intake,
    Person,
    Role,
    RowRef,
    Standing,
    Team,
    User,
    UserId,
    group_key,
)
from onboarding.report import Fate, RowResult, Share

DOMAIN = "acme.example"


def email(name: str) -> Email:
    """``ana`` -> ``ana@acme.example``; an address stays as it is."""
    return Email(name if "@" in name else f"{name}@{DOMAIN}")


def row(number: int, source: str = "users.csv", table: int = 0) -> RowRef:
    return RowRef(table, number, source)


def user(name: str, role: Role | None = Role.MEMBER, **facts: object) -> User:
    """An account of the tenant."""
    defaults: dict[str, object] = {"id": UserId(f"u-{name}"), "username": name.split("@")[0]}
    return User(email(name), role, **(defaults | facts))  # type: ignore[arg-type]


def group(name: str, alias: str = "", **facts: object) -> Group:
    """A group of the tenant."""
    defaults: dict[str, object] = {"id": GroupId(f"g-{name}"), "path": f"/{name}"}
    alias = alias or name.replace("_", " ").title()
    return Group(GroupName(name), alias, **(defaults | facts))  # type: ignore[arg-type]


def directory(
    users: Iterable[User] = (),
    groups: Iterable[Group] = (),
    members: Mapping[str, Iterable[str]] | None = None,
    *,
    own: str = "u-token",
    unreadable: Iterable[User] = (),
) -> Directory:
    """What the tenant has; ``members`` maps a group's internal name to people's names."""
    memberships: dict[Email, frozenset[GroupName]] = {}
    for name, people in (members or {}).items():
        for person in people:
            key = email(person)
            memberships[key] = memberships.get(key, frozenset()) | {GroupName(name)}
    known = {g.name: g for g in groups}
    return Directory(
        "acme.example",
        UserId(own),
        {u.email: u for u in users},
        known,
        memberships,
        tuple(unreadable),
        frozenset(known),
    )


def person(
    name: str,
    role: Role | None = None,
    *,
    rows: tuple[RowRef, ...] = (),
    standing: Standing = Standing.ACTIVE,
    **facts: object,
) -> Person:
    return Person(email(name), rows or (row(2),), role, standing, **facts)  # type: ignore[arg-type]


def team(label: str, *, rows: tuple[RowRef, ...] = (), **facts: object) -> Team:
    return Team(label, rows or (row(2, "groups.csv", 1),), **facts)  # type: ignore[arg-type]


def asks(memberships: Mapping[str, Mapping[str, Iterable[RowRef]]]) -> Asks:
    """``{"ana": {"Finance": [row(3)]}}`` with people and groups by their names."""
    return {
        email(name): {group_key(label): tuple(rows) for label, rows in wanted.items()}
        for name, wanted in memberships.items()
    }


def intake(
    persons: Iterable[Person] = (),
    teams: Iterable[Team] = (),
    grants: Mapping[str, Mapping[str, Iterable[RowRef]]] | None = None,
    revokes: Mapping[str, Mapping[str, Iterable[RowRef]]] | None = None,
    *,
    held: Held | None = None,
    **facts: object,
) -> Intake:
    """The sheets, understood; ``rows`` is worked out from what is given."""
    persons, teams = list(persons), list(teams)
    grants, revokes = grants or {}, revokes or {}
    labels = {
        group_key(label): label
        for asked in (grants, revokes)
        for wanted in asked.values()
        for label in wanted
    }
    labels |= {group_key(t.label): t.label for t in teams}
    desired = Desired(
        {p.email: p for p in persons},
        {group_key(t.label): t for t in teams},
        asks(grants),
        asks(revokes),
        labels,
    )
    rows = {ref for p in persons for ref in p.rows} | {ref for t in teams for ref in t.rows}
    for asked in (desired.grants, desired.revokes):
        rows |= {ref for wanted in asked.values() for refs in wanted.values() for ref in refs}
    return Intake(desired, tuple(sorted(rows)), held=held or Held(), **facts)  # type: ignore[arg-type]


def fates_of(results: Iterable[RowResult]) -> dict[Fate, Share]:
    """What becomes of how many rows, as a report counts it."""
    shares: dict[Fate, Share] = {}
    for result in results:
        fate = Fate(result.status, result.code)
        rows, first = shares.get(fate, (0, result.row))
        shares[fate] = Share(rows + 1, min(first, result.row))
    return shares
