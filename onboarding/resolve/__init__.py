"""What the sheets mean in this tenant: which group a spelling is, who is known. Rejections and holds come out.

A group in a sheet is the tenant's group with that internal name or that alias, or one of the sheets' own. What can't be
told apart, or is known to nobody, rejects its rows, and those hold their person and groups as any rejected row does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from onboarding.model import (
    Directory,
    Email,
    Finding,
    Group,
    GroupKey,
    GroupName,
    Intake,
    RowRef,
    Severity,
    group_key,
)
from onboarding.resolve.asks import NOTHING, Asked, Wanted, asked
from onboarding.resolve.people import (
    accounts_held,
    ambiguous_people,
    changed_addresses,
    mistaken,
    moved,
    unclear_removals,
    unknown_people,
)
from onboarding.resolve.spelling import Spelling, contradictions, spelled, unclear_groups

__all__ = ["NOTHING", "Asked", "Holds", "Resolved", "mistaken", "resolve"]

Key = TypeVar("Key", Email, GroupKey, GroupName)


@dataclass(frozen=True, slots=True)
class Holds:
    """Whom and what all rejected rows hold, each with the first row that does."""

    rejected: frozenset[RowRef]
    people: Mapping[Email, RowRef]
    groups: Mapping[GroupName, RowRef]
    """Not updated, and nobody loses them by absence."""
    not_created: Mapping[GroupKey, RowRef]
    absence: RowRef | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """The sheets as this tenant understands them."""

    asks: Asked
    """Without those that a standing makes void: a leaver's grants, all of somebody who has not started."""
    void: Asked
    teams: Mapping[GroupKey, GroupName]
    """The internal name of each group of the groups sheets; an ambiguous one has none."""
    new: Mapping[GroupKey, Group]
    """Groups that only memberships name, to be created under ``--create-groups``."""
    meanings: Mapping[GroupKey, frozenset[GroupName]]
    """The groups that a spelling may mean, whether they are or are to be."""
    plain: Mapping[GroupKey, GroupName]
    """The group that a spelling means, where it may mean one and no other."""
    barred: Mapping[GroupKey, RowRef]
    """Spellings of groups that are not created, each with the rejected row for which they aren't."""
    findings: tuple[Finding, ...]
    holds: Holds


def resolve(intake: Intake, current: Directory, *, create_groups: bool) -> Resolved:
    """Link what the sheets ask for with what the tenant has."""
    desired = intake.desired
    asks, void = asked(desired)
    spelling = spelled(intake, current, asks, create_groups=create_groups)
    elsewhere = [*moved(intake, current)]
    accounts = accounts_held(intake, current, elsewhere)
    findings = tuple(
        sorted(
            [
                *unclear_groups(desired, asks, spelling),
                *unknown_people(intake, current, asks),
                *ambiguous_people(intake, current, asks),
                *changed_addresses(elsewhere),
                *unclear_removals(current, asks),
                *contradictions(asks, spelling),
            ],
            key=lambda finding: (finding.row, finding.code, finding.value),
        )
    )
    holds = _holds(intake, findings, [*asks, *void], spelling, accounts)
    return Resolved(
        asks,
        void,
        spelling.teams,
        spelling.new,
        spelling.meanings,
        {
            key: name
            for key, names in spelling.meanings.items()
            if len(names) == 1
            for name in names
        },
        dict(_barred(asks, spelling, holds, current)),
        findings,
        holds,
    )


def _holds(
    intake: Intake,
    findings: Iterable[Finding],
    asks: Iterable[tuple[Email, Wanted]],
    spelling: Spelling,
    accounts: Iterable[tuple[Email, RowRef]],
) -> Holds:
    """Unite what intake holds with what the rows rejected here hold."""
    desired, held = intake.desired, intake.held
    rejected = frozenset(
        finding.row
        for finding in (*intake.findings, *findings)
        if finding.row and finding.severity is Severity.REJECT
    )
    asking = [
        (email, key, row)
        for email, wanted in asks
        for key, rows in wanted.items()
        for row in rows
        if row in rejected
    ]
    people = _first(
        *held.people.items(),
        *accounts,
        *((email, row) for email, _, row in asking),
        *(
            (email, row)
            for email, person in desired.persons.items()
            for row in person.rows
            if row in rejected
        ),
    )
    not_created = _first(
        *held.not_created.items(),
        *(
            (key, row)
            for key, team in desired.teams.items()
            for row in rejected.intersection(team.rows)
        ),
        *(
            (key, held.not_created[group_key(name)])
            for key, name in spelling.teams.items()
            if group_key(name) in held.not_created
        ),
    )
    spelled = [*held.groups.items(), *not_created.items(), *((key, row) for _, key, row in asking)]
    groups = _first(
        *((name, row) for key, row in spelled for name in spelling.meanings.get(key, ()))
    )
    return Holds(rejected, people, groups, not_created, held.absence)


def _first(*pairs: tuple[Key, RowRef]) -> dict[Key, RowRef]:
    """Give the first row of each."""
    found: dict[Key, RowRef] = {}
    for key, row in pairs:
        found[key] = min(row, found.get(key, row))
    return found


def _barred(
    asks: Asked, spelling: Spelling, holds: Holds, current: Directory
) -> Iterator[tuple[GroupKey, RowRef]]:
    """Give the spellings of groups that the tenant lacks and that a rejected row keeps from being created."""
    names = {
        spelling.teams[key]: row for key, row in holds.not_created.items() if key in spelling.teams
    }
    keys = {key for _, wanted in asks for key in wanted} if names or holds.not_created else set()
    for key in keys:
        meant = spelling.meanings.get(key, frozenset())
        rows = [names[name] for name in meant & names.keys()]
        rows += [holds.not_created[key]] if key in holds.not_created else []
        if rows and not meant & current.groups.keys():
            yield key, min(rows)
