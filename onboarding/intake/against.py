"""Rows of all tables in, what is wrong with them together out, and what is worth saying of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from onboarding import schemas
from onboarding.headers import Table
from onboarding.intake.rows import MemberRow, Row, TeamRow, UserRow, key_of
from onboarding.intake.shared import Shared
from onboarding.model import (
    Email,
    Finding,
    GroupKey,
    RowRef,
    Severity,
    Standing,
    group_key,
    normal_email,
    spelled_plainly,
)

_SHOWN = 3
"""Other rows that a message names; a fourth helps nobody."""

R = TypeVar("R", UserRow, TeamRow, MemberRow)
_Pair = tuple[Email, GroupKey]
_Asking = tuple[RowRef, str]
"""A row, and the group as it spells it."""


class Book:
    """How the tables spell their headers, for messages."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = {table.index: table for table in tables}
        self._places = {
            table.index: {header: i for i, header in reversed([*enumerate(table.headers)])}
            for table in tables
        }
        self._by_source = {table.source: table.index for table in tables}

    def header(self, ref: RowRef, *names: str) -> str:
        """Give the header of the first of these fields that the row's table has."""
        table = self._tables[ref.table]
        found = (table.columns.fields[name][0] for name in names if name in table.columns.fields)
        return next((table.headers[position] for position in found), "")

    def holding(self, ref: RowRef, value: str, *names: str) -> str:
        """Give the header of the column of these fields in which the value stands; of the first one if it is in none."""
        table = self._tables[ref.table]
        for position in (i for name in names for i in table.columns.fields.get(name, ())):
            cell = " ".join(str(table.frame.at[ref.row, position]).split())
            if value and value.casefold() in cell.casefold():
                return table.headers[position]
        return self.header(ref, *names)

    def cell(self, ref: RowRef, name: str) -> str:
        """Give the text of the first cell of this field, as the file has it."""
        table = self._tables[ref.table]
        return str(table.frame.at[ref.row, table.columns.fields[name][0]])

    def place(self, finding: Finding) -> tuple[int, int, bool, int]:
        """Order findings as the input does: what rejects before what is only worth saying, then by column."""
        at = finding.row or RowRef(self._by_source.get(finding.source, -1), 0, finding.source)
        column = self._places.get(at.table, {}).get(finding.column, -1)
        return at.table, at.row, finding.severity is Severity.NOTE, column


def contradictions(shared: Shared, book: Book) -> Iterator[Finding]:
    """Find rows, each sound by itself, that can't all be meant."""
    users = shared.of_one_person(("role", "status", "blocked"))
    teams = [*shared.teams()]
    yield from _disagreeing("person-conflict", users, lambda row: row.email, _OF_PERSONS, book)
    yield from _spelled_twice([*shared.of_two_spellings()], book)
    yield from _disagreeing("group-conflict", teams, lambda row: row.key, _OF_TEAMS, book)
    yield from _nameless(teams, book)
    yield from _colliding(teams, book)
    yield from _to_and_fro(*shared.of_who_loses(), aliases(teams), book)


def notes(shared: Shared, book: Book) -> Iterator[Finding]:
    """Say what is worth knowing of rows that go on."""
    teams, members = [*shared.teams()], shared.of_one_membership()
    yield from _repeated(shared.of_one_person(()), lambda row: row.email, "email", book)
    yield from _repeated(teams, lambda row: row.key, "group", book)
    yield from _repeated(members, lambda row: (row.email, row.key, row.adds), "email", book)
    yield from _same_local_part([*shared.of_one_name()], book)
    yield from _on_leave(shared.of_standing(Standing.ON_LEAVE), book)
    yield from _derived(teams, book)


def aliases(teams: Sequence[TeamRow]) -> dict[GroupKey, GroupKey]:
    """Map each internal name that a groups row gives to the key of its group: other rows may write either.

    A name that rows about several groups give stands for none of them.
    """
    own = {row.key for row in teams}
    named: defaultdict[GroupKey, set[GroupKey]] = defaultdict(set)
    for row in teams:
        if row.internal:
            named[group_key(row.internal)].add(row.key)
    return {n: next(iter(keys)) for n, keys in named.items() if len(keys) == 1 and n not in own}


_Aspect = tuple[tuple[str, ...], Callable[[Any], Hashable], Callable[[Any], str]]
"""The fields that say it, what a row says (None: nothing), and how that reads."""

_OF_PERSONS: tuple[_Aspect, ...] = (
    (("role",), lambda row: row.role, lambda role: str(role.label)),
    (("status", "blocked"), lambda row: row.standing, str),
)
_OF_TEAMS: tuple[_Aspect, ...] = (
    (("internal_name",), lambda row: row.internal or None, str),
    (("description",), lambda row: row.description, lambda text: str(text or schemas.CLEAR)),
    (("default",), lambda row: row.default, lambda flag: "yes" if flag else "no"),
)


def _disagreeing(
    code: str,
    rows: Iterable[R],
    key: Callable[[R], Hashable],
    aspects: Sequence[_Aspect],
    book: Book,
) -> Iterator[Finding]:
    """Reject every row about something of which two rows say different things."""
    for same in _grouped(rows, key):
        for fields, said, shown in aspects:
            first = {said(row): row.ref for row in reversed(same) if said(row) is not None}
            if len(first) < 2:
                continue
            for row in same:
                own = said(row)
                others = sorted((ref, value) for value, ref in first.items() if value != own)
                told = _listed([f"{ref} says {shown(value)}" for ref, value in others])
                value = "" if own is None else shown(own)
                header = book.header(row.ref, *fields)
                yield Finding(code, f"disagrees with other rows: {told}", row.ref, header, value)


def _spelled_twice(users: Sequence[UserRow], book: Book) -> Iterator[Finding]:
    """Reject rows about one mailbox whose domain one writes in letters and another in ``xn--``: two would be invited."""
    first = {row.email: row.ref for row in reversed(users)}
    for row in users:
        other = normal_email(schemas.respelled(row.email))
        if other in first:
            message = (
                f"is the mailbox {other} on {first[other]} in another spelling; write it one way"
            )
            yield Finding(
                "person-conflict", message, row.ref, book.header(row.ref, "email"), row.email
            )


def _nameless(teams: Iterable[TeamRow], book: Book) -> Iterator[Finding]:
    """Reject a groups row from whose name no internal name can be made, and that gives none."""
    for row in teams:
        if not row.name:
            message = "has no letter a to z and no digit to make an internal name of; give one in a column internal_name"
            header = book.header(row.ref, "group")
            yield Finding("group-name-invalid", message, row.ref, header, row.labels[0])


def _colliding(teams: Iterable[TeamRow], book: Book) -> Iterator[Finding]:
    """Reject rows about different groups that would have one internal name."""
    for same in _grouped((row for row in teams if row.name), lambda row: row.name):
        first = {row.key: row for row in reversed(same)}
        if len(first) < 2:
            continue
        for row in same:
            others = sorted((o.ref, o.labels[0]) for key, o in first.items() if key != row.key)
            told = _listed([f'"{label}" ({ref})' for ref, label in others])
            message = f"would have the internal name {row.name}, as would {told}"
            header = book.header(row.ref, "group")
            yield Finding("internal-name-collision", message, row.ref, header, row.labels[0])


def _to_and_fro(
    users: Iterable[UserRow],
    members: Sequence[MemberRow],
    known: Mapping[GroupKey, GroupKey],
    book: Book,
) -> Iterator[Finding]:
    """Reject rows of which one adds a person to a group and another takes the person out.

    A leaver's own grants are not carried out, so they contradict nothing.
    """
    removed: dict[_Pair, list[_Asking]] = defaultdict(list)
    added: dict[_Pair, list[_Asking]] = defaultdict(list)
    for member in members:
        if not member.adds:
            pair = (member.email, known.get(member.key, member.key))
            removed[pair].append((member.ref, member.labels[0]))
    if not removed:
        return
    gone = {user.email for user in users if user.standing is Standing.LEAVER}
    adding: list[UserRow | MemberRow] = [*users, *(member for member in members if member.adds)]
    for row in adding:
        for label in row.labels if row.email not in gone else ():
            key = key_of(label)
            if (pair := (row.email, known.get(key, key))) in removed:
                added[pair].append((row.ref, label))
    for pair in added:
        yield from _opposed(pair, added[pair], "adds", removed[pair], book)
        yield from _opposed(pair, removed[pair], "removes", added[pair], book)


def _opposed(
    pair: _Pair, asking: Iterable[_Asking], does: str, others: Sequence[_Asking], book: Book
) -> Iterator[Finding]:
    told = _listed([str(ref) for ref, _ in others])
    for ref, label in asking:
        message = f"is contradicted: this row {does} {pair[0]}, the opposite stands on {told}"
        header = book.holding(ref, label, "groups", "group")
        yield Finding("membership-conflict", message, ref, header, label)


def _repeated(
    rows: Iterable[R], key: Callable[[R], Hashable], name: str, book: Book
) -> Iterator[Finding]:
    for first, *again in _grouped(rows, key):
        for row in again:
            message = f"stands on {first.ref} too, and the rows agree"
            yield _note("repeated", message, row, name, book)


def _same_local_part(users: Sequence[UserRow], book: Book) -> Iterator[Finding]:
    people: dict[str, set[Email]] = defaultdict(set)
    for row in users:
        people[row.email.partition("@")[0]].add(row.email)
    told = {
        email: _listed(sorted(same - {email}))
        for same in people.values()
        if len(same) > 1
        for email in same
    }
    for row in users:
        if row.email in told:
            message = f"has the same name before the @ as {told[row.email]}"
            yield _note("same-local-part", message, row, "email", book)


def _on_leave(users: Iterable[UserRow], book: Book) -> Iterator[Finding]:
    for row in users:
        if row.standing is Standing.ON_LEAVE:
            header, said = book.header(row.ref, "status"), book.cell(row.ref, "status")
            message = f"is treated as active for {row.email}"
            yield Finding("on-leave", message, row.ref, header, said, Severity.NOTE)


def _derived(teams: Iterable[TeamRow], book: Book) -> Iterator[Finding]:
    for row in teams:
        if not row.internal and row.name != spelled_plainly(row.labels[0]):
            message = f"gets the internal name {row.name} if the group is new"
            yield _note("name-derived", message, row, "group", book)


def _grouped(rows: Iterable[R], key: Callable[[R], Hashable]) -> Iterator[list[R]]:
    """Give the rows that share a key, where there are several."""
    found: dict[Hashable, list[R]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return (same for same in found.values() if len(same) > 1)


def _listed(parts: Sequence[str]) -> str:
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return ", ".join(parts[:_SHOWN]) + more


def _note(code: str, message: str, row: Row, name: str, book: Book) -> Finding:
    value = row.labels[0] if isinstance(row, TeamRow) else row.email
    header = book.header(row.ref, name)
    return Finding(code, message, row.ref, header, value, Severity.NOTE)
