"""What the sheets mean in this tenant: which group a spelling is, who is known. Rejections and holds come out.

A group in a sheet is the tenant's group with that internal name or that alias, or one of the sheets' own. What can't be
told apart, or is known to nobody, rejects its rows, and those hold their person and groups as any rejected row does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TypeVar

from onboarding.model import (
    Desired,
    Directory,
    Email,
    Finding,
    Group,
    GroupKey,
    GroupName,
    Intake,
    Person,
    RowRef,
    Severity,
    Standing,
    Team,
    User,
    group_key,
    groups_by_key,
    internal_name,
    normal_email,
)

Key = TypeVar("Key", Email, GroupKey, GroupName)

MAX_SUGGESTIONS = 100  # unknown groups that are compared with all known ones


@dataclass(frozen=True, slots=True)
class Ask:
    """One membership that rows ask for, or ask to end."""

    email: Email
    key: GroupKey
    rows: tuple[RowRef, ...]
    grant: bool


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

    asks: Mapping[Email, tuple[Ask, ...]]
    """Without those that a standing makes void: a leaver's grants, all of somebody who has not started."""
    void: Mapping[Email, tuple[Ask, ...]]
    teams: Mapping[GroupKey, GroupName]
    """The internal name of each group of the groups sheets; an ambiguous one has none."""
    new: Mapping[GroupKey, Group]
    """Groups that only memberships name, to be created under ``--create-groups``."""
    meanings: Mapping[GroupKey, frozenset[GroupName]]
    """The groups that a spelling may mean, whether they are or are to be."""
    barred: Mapping[GroupKey, RowRef]
    """Spellings of groups that are not created, each with the rejected row for which they aren't."""
    findings: tuple[Finding, ...]
    holds: Holds

    def group(self, key: GroupKey) -> GroupName | None:
        """Give the group that a spelling means; None where there is none, or more than one."""
        names = self.meanings.get(key, frozenset())
        return min(names) if len(names) == 1 else None


def resolve(intake: Intake, current: Directory, *, create_groups: bool) -> Resolved:
    """Link what the sheets ask for with what the tenant has."""
    desired = intake.desired
    asks, void = _asks(desired)
    spelling = _spelling(intake, current, asks, create_groups=create_groups)
    moved = [*_moved(intake, current)]
    findings = tuple(
        sorted(
            [
                *_unclear_groups(desired, asks, spelling),
                *_unknown_people(intake, current, asks),
                *_changed_addresses(moved),
                *_contradictions(asks, spelling),
            ],
            key=lambda finding: (finding.row, finding.code, finding.value),
        )
    )
    holds = _holds(intake, findings, [*asks, *void], spelling, _accounts_held(desired, moved))
    return Resolved(
        _by_person(asks),
        _by_person(void),
        spelling.teams,
        spelling.new,
        spelling.meanings,
        dict(_barred(asks, spelling, holds, current)),
        findings,
        holds,
    )


def _asks(desired: Desired) -> tuple[list[Ask], list[Ask]]:
    """Give the memberships that rows ask for, and those among them that a standing makes void."""
    binding: list[Ask] = []
    void: list[Ask] = []
    for asked, grant in ((desired.grants, True), (desired.revokes, False)):
        for email, wanted in asked.items():
            person = desired.persons.get(email)
            standing = person.standing if person else Standing.ACTIVE
            ignored = standing is Standing.NOT_STARTED or (standing is Standing.LEAVER and grant)
            (void if ignored else binding).extend(
                Ask(email, key, rows, grant) for key, rows in wanted.items()
            )
    return binding, void


def _by_person(asks: Iterable[Ask]) -> Mapping[Email, tuple[Ask, ...]]:
    found: defaultdict[Email, list[Ask]] = defaultdict(list)
    for ask in asks:
        found[ask.email].append(ask)
    return {email: tuple(theirs) for email, theirs in found.items()}


# ---- which group a spelling means ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Spelling:
    """Every spelling of a group: what it may mean, and what is wrong with it."""

    teams: Mapping[GroupKey, GroupName]
    new: Mapping[GroupKey, Group]
    meanings: Mapping[GroupKey, frozenset[GroupName]]
    team_problems: Mapping[GroupKey, tuple[str, str]]
    """Spelling -> code and message, for rows of the groups sheets."""
    ask_problems: Mapping[GroupKey, tuple[str, str]]
    """The same for rows that name a group for somebody."""


def _spelling(
    intake: Intake, current: Directory, asks: Iterable[Ask], *, create_groups: bool
) -> _Spelling:
    desired = intake.desired
    known = groups_by_key(_as_renamed(current.groups, intake))
    teams = dict(_team_names(desired.teams, known))
    meanings: defaultdict[GroupKey, frozenset[GroupName]] = defaultdict(frozenset)
    for key, groups in known.items():
        meanings[key] = frozenset(group.name for group in groups)
    for key, name in teams.items():
        meanings[key] |= {name}
        meanings[group_key(name)] |= {name}

    asked = {ask.key for ask in asks}
    nameless = asked - meanings.keys() - intake.held.not_created.keys()
    granted = {ask.key for ask in asks if ask.grant}
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
    return _Spelling(
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


# ---- rows that can't be linked -------------------------------------------------------------------------------


def _unclear_groups(
    desired: Desired, asks: Iterable[Ask], spelling: _Spelling
) -> Iterator[Finding]:
    for key, (code, message) in spelling.team_problems.items():
        team = desired.teams[key]
        yield from _rejections(code, message, team.rows, team.label)
    for ask in asks:
        if ask.key in spelling.ask_problems:
            code, message = spelling.ask_problems[ask.key]
            yield from _rejections(code, message, ask.rows, desired.labels.get(ask.key, ask.key))


def _unknown_people(intake: Intake, current: Directory, asks: Iterable[Ask]) -> Iterator[Finding]:
    """Reject who is to be added to a group and stands neither in a users sheet nor in the tenant."""
    persons = intake.desired.persons
    unknown: defaultdict[Email, set[RowRef]] = defaultdict(set)
    for ask in asks:
        email = ask.email
        known = email in persons or email in current.users or email in intake.held.people
        if ask.grant and not known:
            unknown[email].update(ask.rows)
    near = _near(unknown, current.users.keys() | persons.keys()) if unknown else {}
    for email, rows in unknown.items():
        best = get_close_matches(email, near.get(email, ()), n=1, cutoff=0)
        hint = f"; did you mean {best[0]}?" if best else ""
        message = f"is known neither to the users sheet nor to the tenant{hint}"
        yield from _rejections("person-unknown", message, rows, email)


def _near(unknown: Iterable[Email], known: Iterable[Email]) -> Mapping[Email, set[Email]]:
    """Give the known addresses one slip of the finger away from unknown ones, or at another domain.

    Words one letter apart share a word with one letter less. That takes one look at each known address; comparing
    each unknown one with every known one would take minutes.
    """
    marks: defaultdict[str, set[Email]] = defaultdict(set)
    for email in unknown:
        for mark in _marks(email):
            marks[mark].add(email)
    near: defaultdict[Email, set[Email]] = defaultdict(set)
    for email in known:
        for mark in marks.keys() & _marks(email):
            for similar in marks[mark]:
                near[similar].add(email)
    return near


def _marks(email: Email) -> set[str]:
    name, _, _ = email.partition("@")
    return {email, f"{name}@", *(email[:at] + email[at + 1 :] for at in range(len(email)))}


def _changed_addresses(moved: Iterable[tuple[Person, str, User]]) -> Iterator[Finding]:
    """Reject who seems to be new and has an account under another address or by user name."""
    for person, value, account in moved:
        whose = account.email or account.username
        message = f"belongs to the account of {whose}, and {person.email} has none"
        yield from _rejections("email-changed", message, person.rows, value)


def _moved(intake: Intake, current: Directory) -> Iterator[tuple[Person, str, User]]:
    """Give who seems to be new, with what they also go by and the account that has that."""
    usernames = {
        user.username.casefold(): user
        for user in (*current.users.values(), *current.unreadable)
        if user.username
    }
    for person in intake.desired.persons.values():
        if person.email in current.users or person.standing is Standing.NOT_STARTED:
            continue
        for value, email in _other_names(person):
            account = current.users.get(email) or usernames.get(value.casefold())
            if account and value:
                yield person, value, account
                break


def _other_names(person: Person) -> list[tuple[str, Email]]:
    """Give what else a person goes by, each as it is written and as an address."""
    names = [*sorted(person.other_addresses), person.username.strip()]
    return [(name, normal_email(name)) for name in names if name]


def _contradictions(asks: Collection[Ask], spelling: _Spelling) -> Iterator[Finding]:
    """Reject who is added to a group under one spelling and removed from it under another."""
    sides: defaultdict[tuple[Email, GroupName], tuple[set[RowRef], set[RowRef]]]
    sides = defaultdict(lambda: (set(), set()))
    losing = {ask.email for ask in asks if not ask.grant}
    for ask in asks:
        for name in spelling.meanings.get(ask.key, ()) if ask.email in losing else ():
            sides[ask.email, name][0 if ask.grant else 1].update(ask.rows)
    for (email, name), (added, removed) in sides.items():
        if added and removed:
            message = f"is added to {name} by {min(added)} and removed from it by {min(removed)}"
            yield from _rejections("membership-conflict", message, added | removed, email)


def _rejections(code: str, message: str, rows: Iterable[RowRef], value: str) -> Iterator[Finding]:
    return (Finding(code, message, row, value=value) for row in sorted(rows))


# ---- whom and what that holds --------------------------------------------------------------------------------


def mistaken(intake: Intake, holds: Holds, current: Directory) -> frozenset[Email]:
    """Give the accounts that a rejected row with an unknown address may mean: a slip away, or at another domain.

    Whoever has a sound row of their own is not meant.
    """
    strangers = holds.people.keys() - current.users.keys()
    meant = _near(strangers, current.users.keys()) if strangers else {}
    return frozenset().union(*meant.values()) - intake.desired.persons.keys()


def _accounts_held(
    desired: Desired, moved: Iterable[tuple[Person, str, User]]
) -> Iterator[tuple[Email, RowRef]]:
    """Hold the account that a row is about under another address, unless somebody else has it by a row that says so."""
    for person, _, account in moved:
        other = desired.persons.get(account.email)
        if account.email and (not other or other.standing is Standing.LEAVER):
            yield account.email, min(person.rows)


def _holds(
    intake: Intake,
    findings: Iterable[Finding],
    asks: Iterable[Ask],
    spelling: _Spelling,
    accounts: Iterable[tuple[Email, RowRef]],
) -> Holds:
    """Unite what intake holds with what the rows rejected here hold."""
    desired, held = intake.desired, intake.held
    rejected = frozenset(
        finding.row
        for finding in (*intake.findings, *findings)
        if finding.row and finding.severity is Severity.REJECT
    )
    asking = [(ask, row) for ask in asks for row in rejected.intersection(ask.rows)]
    people = _first(
        *held.people.items(),
        *accounts,
        *((ask.email, row) for ask, row in asking),
        *(
            (email, row)
            for email, person in desired.persons.items()
            for row in rejected.intersection(person.rows)
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
    spelled = [*held.groups.items(), *not_created.items(), *((ask.key, row) for ask, row in asking)]
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
    asks: Iterable[Ask], spelling: _Spelling, holds: Holds, current: Directory
) -> Iterator[tuple[GroupKey, RowRef]]:
    """Give the spellings of groups that the tenant lacks and that a rejected row keeps from being created."""
    names = {
        spelling.teams[key]: row for key, row in holds.not_created.items() if key in spelling.teams
    }
    for key in {ask.key for ask in asks}:
        meant = spelling.meanings.get(key, frozenset())
        rows = [names[name] for name in meant & names.keys()]
        rows += [holds.not_created[key]] if key in holds.not_created else []
        if rows and not meant & current.groups.keys():
            yield key, min(rows)
