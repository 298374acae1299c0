"""Tables of text in, what they ask for out: one ``Intake`` with everything that is wrong or worth saying.

Each row is judged by itself first (``schemas``), then against the others: rows about one person, group or membership
are united where they agree; where they don't, all of them are rejected, each naming another. Rows that are wrong by
themselves take no part in that. A rejected row asks for nothing, and holds its person and its groups.

What only the tenant knows (whether a group exists, who a leaver is in) is left to ``reconcile``.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeVar

from onboarding import schemas
from onboarding.findings import Cause, Findings
from onboarding.headers import Table
from onboarding.intake.against import Book, aliases, contradictions, notes
from onboarding.intake.dates import ended
from onboarding.intake.domains import doubtful_domains
from onboarding.intake.judged import judged
from onboarding.intake.rows import Row, Sheet, TeamRow, UserRow, key_of
from onboarding.intake.shared import Shared
from onboarding.model import (
    Desired,
    Email,
    Finding,
    GroupKey,
    Held,
    Intake,
    Person,
    RowRef,
    Rows,
    Severity,
    Standing,
    Team,
    Together,
    group_key,
    internal_name,
)
from onboarding.schemas.columns import side_by_side

__all__ = ["Checked", "Rules", "checked", "take_in"]

_Wanted = Mapping[GroupKey, tuple[RowRef, ...]]
_Collected = dict[Email, _Wanted]
Of = TypeVar("Of")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say about cells."""

    role_aliases: Mapping[str, str] = field(default_factory=dict)
    """Another word for a role -> Guest, Member or Admin."""
    allowed_domains: frozenset[str] = frozenset()
    """In lower case; empty: every domain, but for those that are probably a slip."""
    today: dt.date = field(default_factory=lambda: dt.datetime.now(dt.UTC).date())
    """By which an end date is past."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Tables, judged and held against each other."""

    sheets: Sequence[Sheet]
    rows: Rows
    """Every input row, once, in input order."""
    findings: Findings

    @property
    def intake(self) -> Intake:
        """What the sound rows ask for, and whom the rejected ones hold."""
        return Intake(
            _desired(self.sheets),
            self.rows,
            self.findings,
            _held(self.sheets),
            authoritative=not any(sheet.table.fed_back for sheet in self.sheets),
        )


def take_in(
    tables: Sequence[Table],
    rules: Rules,
    *,
    at_home: Collection[str] = frozenset(),
    whole: bool = True,
) -> Intake:
    """Judge and unite the rows of all tables.

    ``at_home`` are domains at which the tenant has people already; ``whole``: there are no more rows, so that nobody else is
    meant.
    """
    intake = checked(tables, rules, at_home=at_home).intake
    return intake if whole else replace(intake, authoritative=False)


def checked(
    tables: Sequence[Table], rules: Rules, *, at_home: Collection[str] = frozenset()
) -> Checked:
    """Judge the rows of all tables."""
    roles = schemas.role_words(rules.role_aliases)
    findings: list[Finding] = []
    causes: list[Cause] = []
    sheets: list[Sheet] = []
    for table in tables:
        found, by_column, sheet = judged(table, roles, rules.allowed_domains)
        findings += found
        causes += by_column
        sheets.append(sheet)
    book, shared = Book(tables), Shared(sheets)

    def told(more: Iterable[Finding]) -> None:
        found = [*more]
        findings.extend(found)
        wrong = [f.row for f in found if f.row and f.severity is Severity.REJECT]
        for sheet in sheets if wrong else ():
            sheet.reject(row.row for row in wrong if row.table == sheet.table.index)

    with side_by_side() as crew:
        twice = crew.begin(lambda: shared.twice)  # which contradictions begin with
        doubtful = () if rules.allowed_domains else doubtful_domains(shared, book, at_home)
        told([*ended(shared, book, rules.today), *doubtful])
        twice.result()
    told(contradictions(shared, book))
    told(notes(shared, book))
    rows = Rows(*((s.table.index, s.table.source, s.numbers) for s in sheets))
    return Checked(sheets, rows, Findings(findings, causes, book.place))


def at_their_cells(findings: Iterable[Finding], tables: Sequence[Table]) -> tuple[Finding, ...]:
    """Name the columns of findings that were made beside the tenant, where nobody knows of columns."""
    book = Book(tables)
    return tuple(
        replace(finding, column=book.holding(finding.row, finding.value, *_CELLS[finding.code]))
        if finding.row and finding.code in _CELLS
        else finding
        for finding in findings
    )


_GROUP = ("groups", "group")
_CELLS = {
    "group-unknown": _GROUP,
    "group-ambiguous": _GROUP,
    "group-name-invalid": _GROUP,
    "internal-name-collision": _GROUP,
    "name-derived": _GROUP,
    "person-unknown": ("email",),
    "person-ambiguous": ("email",),
    "membership-conflict": ("email",),
    "email-changed": ("secondary_email", "username", "email"),
}


def _desired(sheets: Sequence[Sheet]) -> Desired:
    """Unite what the sound rows ask for; nothing in it depends on the order of rows but the rows themselves."""
    shared = Shared(sheets)
    several: dict[Email, list[UserRow]] = defaultdict(list)  # of those who have several rows
    for user in shared.of_one_person():
        several[user.email].append(user)
    persons = {email: _united_person(rows) for email, rows in several.items()}
    teams: dict[GroupKey, list[TeamRow]] = defaultdict(list)
    grants: _Collected = {}
    revokes: _Collected = {}
    spellings: list[str] = []
    known = aliases([*shared.teams()])

    @cache
    def meant(label: str) -> GroupKey:
        return known.get(key_of(label), key_of(label))

    @cache
    def all_meant(labels: tuple[str, ...]) -> tuple[GroupKey, ...]:
        return tuple(dict.fromkeys(map(meant, labels)))

    for row in _rows(sheets, rejected=False):
        if isinstance(row, TeamRow):
            teams[row.key].append(row)
            continue
        rows = (row.ref,)
        if isinstance(row, UserRow) and row.email not in several:
            persons[row.email] = _person(row, rows)
        spellings += row.labels
        asks = grants if isinstance(row, UserRow) or row.adds else revokes
        wanted: _Wanted = Together(all_meant(row.labels), rows)
        if row.email in asks:
            wanted = _joined(asks[row.email], wanted)
        if wanted:
            asks[row.email] = wanted
    united = {key: _united_team(same) for key, same in sorted(teams.items())}
    labels: dict[GroupKey, str] = {}
    for label in _commonest_first(Counter(spellings)):
        labels.setdefault(meant(label), label)
    labels |= {key: team.label for key, team in united.items()}
    return Desired(_sorted(persons), united, _sorted(grants), _sorted(revokes), labels)


def _rows(sheets: Iterable[Sheet], *, rejected: bool) -> Iterator[Row]:
    return (row for sheet in sheets for row in sheet.rows(sheet.rejected == rejected))


def _joined(one: _Wanted, other: _Wanted) -> _Wanted:
    return {**one, **{key: one.get(key, ()) + rows for key, rows in other.items()}}


def _sorted(of_people: Mapping[Email, Of]) -> Mapping[Email, Of]:
    return {email: of_people[email] for email in sorted(of_people)}


def _person(row: UserRow, rows: tuple[RowRef, ...]) -> Person:
    said = row.standing is not None
    standing = row.standing or Standing.ACTIVE
    blank = row.groups_blank
    return Person(row.email, rows, row.role, standing, blank, row.others, row.username, said)


def _united_person(rows: Sequence[UserRow]) -> Person:
    return Person(
        rows[0].email,
        tuple(row.ref for row in rows),
        next((row.role for row in rows if row.role), None),
        next((row.standing for row in rows if row.standing), Standing.ACTIVE),
        groups_blank=any(row.groups_blank for row in rows) and not any(row.labels for row in rows),
        other_addresses=tuple(sorted({address for row in rows for address in row.others})),
        username=min((row.username for row in rows if row.username), default=""),
        standing_said=any(row.standing for row in rows),
    )


def _united_team(rows: Sequence[TeamRow]) -> Team:
    return Team(
        _commonest_first(Counter(row.labels[0] for row in rows))[0],
        tuple(row.ref for row in rows),
        next((row.internal for row in rows if row.internal), None),
        next((row.description for row in rows if row.description is not None), None),
        next((row.default for row in rows if row.default is not None), None),
    )


def _commonest_first(spellings: Counter[str]) -> list[str]:
    """Of several spellings the commonest wins, then the smallest."""
    return sorted(spellings, key=lambda label: (-spellings[label], label))


def _held(sheets: Iterable[Sheet]) -> Held:
    """Say whom and what the rejected rows hold, each with the first row that does."""
    people: dict[Email, RowRef] = {}
    also: dict[str, RowRef] = {}
    groups: dict[GroupKey, RowRef] = {}
    not_created: dict[GroupKey, RowRef] = {}
    absence: RowRef | None = None
    for row in _rows(sheets, rejected=True):
        keys = [key_of(label) for label in row.labels]
        if isinstance(row, TeamRow):
            keys += [
                group_key(name) for name in (row.internal, *map(internal_name, row.labels)) if name
            ]
            not_created |= {key: row.ref for key in keys if key not in not_created}
            readable = bool(row.labels)
        else:
            readable = bool(row.email)
            if readable:
                people.setdefault(row.email, row.ref)
            if isinstance(row, UserRow):
                also |= {n: row.ref for n in (*row.others, row.username) if n and n not in also}
        groups |= {key: row.ref for key in keys if key not in groups}
        absence = absence or (None if readable else row.ref)
    return Held(people, groups, not_created, absence, also)
