"""The oracle: what a careful person reads in each line of a file, and where the package reads something else.

A ``Case`` is a file and the meaning of each of its lines: what a good row asks for, the code of a bad one, ``NO_ROW`` for
what is not a row (titles, headers, blank lines), ``NOTHING`` where both a rejection and a reason to ignore the line are
fine and only asking for something would be wrong. A case may also have to be refused as a whole, in words that a pattern
describes, or be ``safe``: refused, or read exactly as its lines say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders import directory, group, user

from onboarding.errors import SheetError
from onboarding.intake import Rules, take_in
from onboarding.model import (
    Desired,
    Directory,
    Group,
    Membership,
    Role,
    Standing,
    User,
    group_key,
)
from onboarding.plan import Plan, Status
from onboarding.reconcile import Wishes, reconcile
from onboarding.report import not_compared
from onboarding.sheets import Inputs, Reading, read


@dataclass(frozen=True)
class Person:
    """A users row."""

    email: str
    role: str = ""
    groups: tuple[str, ...] = ()
    standing: str = "active"


@dataclass(frozen=True)
class Team:
    """A groups row."""

    label: str
    description: str | None = None
    default: bool | None = None
    internal: str | None = None


@dataclass(frozen=True)
class Member:
    """A memberships row."""

    email: str
    group: str
    adds: bool = True


@dataclass(frozen=True)
class Bad:
    """A row that is rejected, with one of these codes among its own."""

    codes: tuple[str, ...]


Asking = Person | Team | Member


@dataclass(frozen=True)
class Doubtful:
    """A row that may be rejected; but if it isn't, it asks for just this."""

    asking: Asking


NO_ROW = "no row"
NOTHING = "nothing"
Meaning = Asking | Bad | Doubtful | str


def bad(*codes: str) -> Bad:
    return Bad(codes)


@dataclass(frozen=True)
class Line:
    """One line of a table: its cells, and what they mean."""

    cells: tuple[Any, ...]
    meaning: Meaning = NO_ROW


def line(meaning: Meaning, *cells: Any) -> Line:
    return Line(cells, meaning)


@dataclass(frozen=True)
class Case:
    """A file, and what is to be made of it."""

    name: str
    suffix: str
    content: bytes
    sheets: Mapping[str, Sequence[Meaning]] = field(default_factory=dict)
    """Sheet (empty for text) -> the meaning of each of its lines; line 1 first."""
    refused: str = ""
    """A pattern that the refusal's message holds; the file must be refused."""
    safe: bool = False
    """Whether refusing is as good as reading it right."""
    how: Mapping[str, Any] = field(default_factory=dict)
    """Options of ``Reading``."""

    @property
    def file(self) -> str:
        return re.sub(r"[^a-z0-9.+-]+", "-", self.name.lower()) + self.suffix


def differences(case: Case, path: Path) -> list[str]:
    """Say in what the package's reading of a case differs from a careful person's; nothing: in nothing."""
    path.write_bytes(case.content)
    try:
        inputs = read([str(path)], Reading(**case.how))
        intake = take_in(inputs.tables, Rules())
        results = not_compared(intake.rows, intake.findings)
    except SheetError as error:
        return _of_refusal(case, str(error), path.name)
    if case.refused:
        return [f"was read, and should be refused: {case.refused}"]
    found = {
        (_sheet(result.row.source), result.row.row): result.codes
        if result.status is Status.REJECTED
        else ()
        for result in results
    }
    return [
        *_of_rows(case, found),
        *_of_desires(case, intake.desired),
        *_of_accounts(case, inputs),
    ]


def astray(case: Case, path: Path) -> list[str]:
    """Say in what the plan for a tenant that has none of it yet differs from what the good rows ask for."""
    path.write_bytes(case.content)
    meant = [meaning for meanings in case.sheets.values() for meaning in meanings]
    if any(isinstance(meaning, Doubtful) for meaning in meant):
        return []
    try:
        inputs = read([str(path)], Reading(**case.how))
    except SheetError:
        return []
    people = [meaning for meaning in meant if isinstance(meaning, Person)]
    members = [meaning for meaning in meant if isinstance(meaning, Member)]
    leaving = [member for member in members if not member.adds]
    names = {group_key(member.group): f"g{i}" for i, member in enumerate(leaving)}
    tenant = directory(
        [user(member.email) for member in members],
        [group(name, str(key)) for key, name in names.items()],
        {
            name: [member.email for member in leaving if group_key(member.group) == key]
            for key, name in names.items()
        },
    )
    plan = reconcile(take_in(inputs.tables, Rules()), tenant, Wishes(create_groups=True)).plan
    here = [person for person in people if person.standing in {"active", "on-leave"}]
    wanted = {("invite", person.email, person.role or "Guest") for person in here}
    grants = {(one.email, group_key(name)) for one in here for name in one.groups}
    grants |= {(one.email, group_key(one.group)) for one in members if one.adds}
    teams = {group_key(meaning.label) for meaning in meant if isinstance(meaning, Team)}
    wanted |= {("grant", *grant) for grant in grants}
    wanted |= {("create", key) for key in teams | {key for _, key in grants}}
    wanted |= {("revoke", one.email, group_key(one.group)) for one in leaving}
    planned = set(_planned(plan, tenant))
    return [f"is not planned: {change}" for change in sorted(wanted - planned)] + [
        f"is planned, and stands nowhere: {change}" for change in sorted(planned - wanted)
    ]


def _planned(plan: Plan, tenant: Directory) -> Iterator[tuple[str, ...]]:
    made = [change.after for change in plan.changes if isinstance(change.after, Group)]
    keys = {one.name: group_key(one.alias) for one in (*tenant.groups.values(), *made)}
    for change in plan.changes:
        match change.before, change.after:
            case None, User(email=email, role=Role() as role):
                yield "invite", email, role.label
            case None, Group(alias=alias):
                yield "create", group_key(alias)
            case None, Membership(email=email, group=name):
                yield "grant", email, keys[name]
            case Membership(email=email, group=name), None:
                yield "revoke", email, keys[name]
            case _:
                yield "something else", repr(change)


def _of_refusal(case: Case, said: str, name: str) -> list[str]:
    if case.refused and not re.search(case.refused, said, re.IGNORECASE):
        return [f"was refused for another reason than {case.refused}: {said}"]
    if not (case.refused or case.safe):
        return [f"was refused: {said}"]
    return [] if name in said else [f"the refusal does not name the file: {said}"]


def _sheet(source: str) -> str:
    return source.rpartition("!")[2] if "!" in source else ""


def _of_rows(case: Case, found: Mapping[tuple[str, int], Sequence[str]]) -> Iterator[str]:
    """Compare the verdicts."""
    told = dict(found)
    for sheet, meanings in case.sheets.items():
        for number, meaning in enumerate(meanings, 1):
            codes = told.pop((sheet, number), None)
            if (wrong := _verdict(meaning, codes)) is not None:
                yield f"row {sheet}:{number} {wrong}"
    for (sheet, number), codes in told.items():
        yield f"row {sheet}:{number} is reported, and is not in the file: {codes}"


def _verdict(meaning: Meaning, codes: Sequence[str] | None) -> str | None:
    match meaning:
        case "no row":
            return None if codes is None else f"is no row, and is reported: {codes}"
        case "nothing":
            return "asks for nothing, and was taken for good" if codes == () else None
        case Bad(codes=wanted):
            if codes is None:
                return "is not reported"
            return None if set(codes) & set(wanted) else f"should be {wanted}, is {codes or 'good'}"
        case Doubtful():
            return "is not reported" if codes is None else None
        case _:
            if codes is None:
                return "is not reported"
            return f"is good, and was rejected: {codes}" if codes else None


def _of_desires(case: Case, desired: Desired) -> Iterator[str]:
    """Compare what the file asks for; what is asked of one thing on several rows is one wish."""
    meant = [meaning for meanings in case.sheets.values() for meaning in meanings]
    wanted = set().union(*(_wishes(one) for one in meant if isinstance(one, Asking)))
    allowed = set().union(*(_wishes(one.asking) for one in meant if isinstance(one, Doubtful)))
    asked = set(_asked(desired))
    yield from (f"was not understood: {wish}" for wish in sorted(wanted - asked))
    yield from (
        f"is asked, and stands nowhere: {wish}" for wish in sorted(asked - wanted - allowed)
    )


def _wishes(meaning: Asking) -> set[tuple[str, ...]]:
    match meaning:
        case Person(email, role, groups, standing):
            grants = {("grant", email, group_key(group)) for group in groups}
            return {("person", email, role, standing), *grants}
        case Team(label, description, default, internal):
            return {("team", label, repr(description), repr(default), internal or "")}
        case Member(email, group, adds):
            return {("grant" if adds else "revoke", email, group_key(group))}


def _asked(desired: Desired) -> Iterator[tuple[str, ...]]:
    for person in desired.persons.values():
        role = person.role.label if isinstance(person.role, Role) else ""
        assert isinstance(person.standing, Standing)
        yield "person", person.email, role, person.standing.value
    for team in desired.teams.values():
        said = repr(team.description), repr(team.default), team.internal_name or ""
        yield "team", team.label, *said
    for what, asks in (("grant", desired.grants), ("revoke", desired.revokes)):
        for email, groups in asks.items():
            yield from ((what, email, str(key)) for key in groups)


def _of_accounts(case: Case, inputs: Inputs) -> Iterator[str]:
    """Insist that every line of a sheet that was read is either a row or said to be none."""
    for table in inputs.tables:
        meanings = case.sheets.get(_sheet(table.source), ())
        rows = {int(number) for number in table.frame.index}
        told = rows | table.ignored.keys()
        last = max((n for n, one in enumerate(meanings, 1) if one != NO_ROW), default=0)
        if lost := set(range(1, max(last, *told, 0) + 1)) - told:
            yield f"{table.source}: lines {sorted(lost)} are neither rows nor said to be none"
        if twice := rows & table.ignored.keys():
            yield f"{table.source}: lines {sorted(twice)} are rows, and said to be none"
        if not all(table.ignored.values()):
            yield f"{table.source}: a line is ignored without a reason"


def case(
    name: str, suffix: str, content: bytes, lines: Iterable[Line] = (), sheet: str = "", **how: Any
) -> Case:
    """Make a case of one table; ``refused`` and ``safe`` go to it, the rest is how to read."""
    facts = {key: how.pop(key) for key in ("refused", "safe") if key in how}
    meanings = tuple(one.meaning for one in lines)
    return Case(name, suffix, content, {sheet: meanings}, how=how, **facts)
