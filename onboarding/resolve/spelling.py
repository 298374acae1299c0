"""How the sheets name groups; which group of the tenant, or of the sheets, each spelling means out.

A group in a sheet is the tenant's group with that internal name or that alias, or one of the sheets' own. A spelling that
fits two, or none, and a name that another group has, are findings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from onboarding.model import (
    Desired,
    Directory,
    Finding,
    Group,
    GroupKey,
    GroupName,
    Intake,
    RowRef,
    Team,
    group_key,
    groups_by_key,
    internal_name,
)
from onboarding.resolve.asks import Asked, Wanted, rejections

MAX_SUGGESTIONS = 100  # unknown groups that are compared with all known ones


@dataclass(frozen=True, slots=True)
class Spelling:
    """Every spelling of a group: what it may mean, and what is wrong with it."""

    teams: Mapping[GroupKey, GroupName]
    new: Mapping[GroupKey, Group]
    meanings: Mapping[GroupKey, frozenset[GroupName]]
    team_problems: Mapping[GroupKey, tuple[str, str]]
    """Spelling -> code and message, for rows of the groups sheets."""
    ask_problems: Mapping[GroupKey, tuple[str, str]]
    """The same for rows that name a group for somebody."""


def spelled(intake: Intake, current: Directory, asks: Asked, *, create_groups: bool) -> Spelling:
    """Give what every spelling may mean, and what is wrong with it."""
    desired = intake.desired
    known = groups_by_key(_as_renamed(current.groups, intake))
    teams = dict(_team_names(desired.teams, known))
    meanings: defaultdict[GroupKey, frozenset[GroupName]] = defaultdict(frozenset)
    for key, groups in known.items():
        meanings[key] = frozenset(group.name for group in groups)
    for key, name in teams.items():
        meanings[key] |= {name}
        meanings[group_key(name)] |= {name}

    granted = {key for wanted in asks.grants.values() for key in wanted}
    asked = granted.union(*asks.revokes.values())
    nameless = asked - meanings.keys() - intake.held.not_created.keys()
    new = {
        key: Group(internal_name(key), " ".join(desired.labels.get(key, key).split()))
        for key in (nameless & granted if create_groups else ())
    }
    for key, group in new.items():
        meanings[key] |= {group.name}
        meanings[group_key(group.name)] |= {group.name}
    clashes = dict(_clashes(desired, current, known, teams, new))
    for key in clashes.keys() & teams.keys():
        if key not in known and not desired.teams[key].internal_name:
            meanings[key] -= {teams[key]}
    ambiguous = {
        key: ("group-ambiguous", _which(meanings[key], current))
        for key in asked | desired.teams.keys()
        if len(meanings.get(key, ())) > 1
    }
    unknown = {} if create_groups else dict(_unknown_groups(nameless, desired, current))
    return Spelling(
        teams,
        new,
        meanings,
        dict(_names_taken(desired, current, known))
        | {k: p for k, p in clashes.items() if k in teams}
        | {k: p for k, p in ambiguous.items() if k in desired.teams.keys() - teams.keys()},
        {k: p for k, p in clashes.items() if k in new} | ambiguous | unknown,
    )


def _as_renamed(groups: Mapping[GroupName, Group], intake: Intake) -> Iterator[Group]:
    """Give the tenant's groups under the names that people will see after this job.

    An old name that a row replaces means the group no longer. Otherwise the same sheets would mean one thing in the
    run that renames and another in the next.
    """
    suspended = intake.held.groups.keys() | intake.held.not_created.keys()
    renamed = {
        team.internal_name: team.label
        for key, team in intake.desired.teams.items()
        if key not in suspended
    }
    for group in groups.values():
        yield replace(group, alias=renamed.get(group.name, group.alias))


def _team_names(
    teams: Mapping[GroupKey, Team], known: Mapping[GroupKey, tuple[Group, ...]]
) -> Iterator[tuple[GroupKey, GroupName]]:
    """Give the internal name of each team: the one given, the tenant's, or a new one; none if two fit."""
    for key, team in teams.items():
        fits = known.get(key, ())
        if team.internal_name:
            yield key, team.internal_name
        elif not fits:
            yield key, internal_name(team.label)
        elif len(fits) == 1:
            yield key, fits[0].name


def _clashes(
    desired: Desired,
    current: Directory,
    known: Mapping[GroupKey, tuple[Group, ...]],
    teams: Mapping[GroupKey, GroupName],
    new: Mapping[GroupKey, Group],
) -> Iterator[tuple[GroupKey, tuple[str, str]]]:
    """Give the groups that can't have their internal name, since another has it."""
    wanted = {**teams, **{key: group.name for key, group in new.items()}}
    claims: defaultdict[GroupName, set[GroupKey]] = defaultdict(set)
    for key, name in wanted.items():
        claims[name].add(key)
    for key, name in wanted.items():
        team = desired.teams.get(key)
        derived = key not in known and not (team and team.internal_name)
        if not name:
            yield key, ("group-name-invalid", "leaves nothing for an internal name")
        elif len(claims[name]) > 1:
            others = ", ".join(
                f'"{desired.labels.get(other, other)}"' for other in sorted(claims[name] - {key})
            )
            message = f"would get the internal name {name}, and so would {others}"
            yield key, ("internal-name-collision", message)
        elif derived and name in current.groups:
            message = (
                f"would get the internal name {name}, which the tenant's group "
                f'"{current.groups[name].alias}" has'
            )
            yield key, ("internal-name-collision", message)


def _names_taken(
    desired: Desired, current: Directory, known: Mapping[GroupKey, tuple[Group, ...]]
) -> Iterator[tuple[GroupKey, tuple[str, str]]]:
    """Give the groups to be made or renamed under a name that means another group of the tenant already."""
    for key, team in desired.teams.items():
        now = current.groups.get(team.internal_name) if team.internal_name else None
        others = [group for group in known.get(key, ()) if group.name != team.internal_name]
        renamed = now is None or group_key(now.alias) != key
        if team.internal_name and others and renamed:
            message = (
                f"means the tenant's group {others[0].name} already, "
                f"so {team.internal_name} needs another"
            )
            yield key, ("group-ambiguous", message)


def _which(names: Iterable[GroupName], current: Directory) -> str:
    fits = " and ".join(
        f'{name} ("{current.groups[name].alias}")' if name in current.groups else f"{name} (new)"
        for name in sorted(names)
    )
    return f"may be {fits}"


def _unknown_groups(
    nameless: Iterable[GroupKey], desired: Desired, current: Directory
) -> Iterator[tuple[GroupKey, tuple[str, str]]]:
    names = {group_key(g.name): str(g.name) for g in current.groups.values()}
    names |= {group_key(g.alias): g.alias for g in current.groups.values()}
    names |= {key: team.label for key, team in desired.teams.items()}
    for count, key in enumerate(sorted(nameless)):
        near = get_close_matches(key, names, n=1) if count < MAX_SUGGESTIONS else []
        hint = f'; did you mean "{names[GroupKey(near[0])]}"?' if near else ""
        message = f"is known neither to the sheets nor to the tenant{hint}"
        yield key, ("group-unknown", message)


def unclear_groups(desired: Desired, asks: Asked, spelling: Spelling) -> Iterator[Finding]:
    """Reject rows that name a group that can't be told, made or named so."""
    for key, (code, message) in spelling.team_problems.items():
        team = desired.teams[key]
        yield from rejections(code, message, team.rows, team.label)
    problems = spelling.ask_problems
    for _, wanted in asks if problems else ():
        for key in wanted.keys() & problems.keys():
            yield from rejections(*problems[key], wanted[key], desired.labels.get(key, key))


def contradictions(asks: Asked, spelling: Spelling) -> Iterator[Finding]:
    """Reject who is added to a group under one spelling and removed from it under another."""
    for email in asks.grants.keys() & asks.revokes.keys():
        adding, removing = (_by_name(wanted, spelling) for wanted in asks.of(email))
        for name in adding.keys() & removing.keys():
            added, removed = adding[name], removing[name]
            message = f"is added to {name} by {min(added)} and removed from it by {min(removed)}"
            yield from rejections("membership-conflict", message, added | removed, email)


def _by_name(wanted: Wanted, spelling: Spelling) -> Mapping[GroupName, set[RowRef]]:
    """Give the rows that may mean each group."""
    found: defaultdict[GroupName, set[RowRef]] = defaultdict(set)
    for key, rows in wanted.items():
        for name in spelling.meanings.get(key, ()):
            found[name].update(rows)
    return found
