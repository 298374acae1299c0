"""A table whose cells were judged in, its rows as far as they can be read out: each made when somebody looks at it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import chain
from typing import NamedTuple

import numpy as np
import pandas as pd

from onboarding import schemas
from onboarding.headers import Kind, Table
from onboarding.intake.cells import columns_of, field_of, read
from onboarding.model import (
    Email,
    GroupKey,
    GroupName,
    Role,
    RowRef,
    Standing,
    group_key,
    internal_name,
    normal_email,
)
from onboarding.schemas.columns import all_end, taken, texts

_BLOCKED = {
    **dict.fromkeys(schemas.YES, Standing.LEAVER),
    **dict.fromkeys(schemas.NO, Standing.ACTIVE),
}
_LEAST_FIRST = (Standing.LEAVER, Standing.NOT_STARTED, Standing.ON_LEAVE, Standing.ACTIVE)
_DOMAIN = re.compile(r"@([^@\n]+)\n")
_DEFAULT = {**dict.fromkeys(schemas.YES, True), **dict.fromkeys(schemas.NO, False)}


key_of = lru_cache(maxsize=1 << 16)(group_key)
"""The key of a spelling; there are far fewer groups than memberships."""


class UserRow(NamedTuple):
    """A users row, as far as it can be read."""

    ref: RowRef
    email: Email
    """Empty where it can't be read, here and below."""
    role: Role | None
    standing: Standing | None
    labels: tuple[str, ...]
    groups_blank: bool
    """Whether there are groups cells and all of them are blank."""
    others: tuple[Email, ...]
    username: str
    end: str
    """The end date as the cell has it."""


class TeamRow(NamedTuple):
    """A groups row."""

    ref: RowRef
    labels: tuple[str, ...]
    """One name, or none where the cell is blank."""
    internal: GroupName
    description: str | None
    default: bool | None

    @property
    def key(self) -> GroupKey:
        """The key of its spelling; only of a sound row."""
        return key_of(self.labels[0])

    @property
    def name(self) -> GroupName:
        """The internal name, given or derived; empty where none can be made."""
        return self.internal or internal_name(self.labels[0])


class MemberRow(NamedTuple):
    """A memberships row."""

    ref: RowRef
    email: Email
    labels: tuple[str, ...]
    adds: bool
    end: str
    """The end date as the cell has it."""

    @property
    def key(self) -> GroupKey:
        """The key of its group's spelling; only of a sound row."""
        return key_of(self.labels[0])


Row = UserRow | TeamRow | MemberRow


@dataclass(frozen=True)
class Sheet:
    """A table whose cells were judged, by column; its rows are made of those that are asked for."""

    table: Table
    roles: Mapping[str, Role]
    emails: pd.Series[str]
    """The correlation key of each row's person; empty where it can't be read."""
    unusual: np.ndarray
    """The places of the addresses that are not plainly right."""
    rejected: np.ndarray
    """Whether each row is rejected, as far as is known."""

    @property
    def kind(self) -> Kind:
        """What one row speaks of."""
        return self.table.columns.kind

    @property
    def sound(self) -> np.ndarray:
        """Which rows are not rejected."""
        return ~self.rejected

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers of all rows."""
        index = self.table.frame.index
        if isinstance(index, pd.RangeIndex):
            return range(index.start, index.stop, index.step)  # rows may be left out evenly
        return [int(number) for number in index]

    @cached_property
    def domains(self) -> tuple[np.ndarray, Sequence[str]]:
        """The domains of the addresses, each once, and for each row which of them is its own."""
        only = next(filter(None, map(_DOMAIN.search, texts(self.emails))), None)
        if only and all_end(self.emails, f"@{only[1]}"):  # as in most
            return (self.emails == "").to_numpy(int), [only[1], ""]
        names = [email.rpartition("@")[2] for email in self.emails.tolist()]
        codes, there = pd.factorize(np.array(names, object))
        return codes, there.tolist()

    def column(self, field: str) -> pd.Series[str]:
        """Give the cells of a field's first column, read; blank ones if it has none."""
        return read(self.table, field)

    def reject(self, numbers: Iterable[int]) -> None:
        """Take the rows of these numbers out of what is sound."""
        self.rejected[self.table.frame.index.get_indexer(pd.Index([*numbers]))] = True

    def rows(self, which: np.ndarray, fields: Collection[str] | None = None) -> Iterator[Row]:
        """Make the rows for which this is true, in their order; of users with these fields only, if any are named."""
        names = [n for n in columns_of(self.table) if n != "email"]
        if fields is not None:
            names = [n for n in names if field_of(n) in fields]
        chosen = np.flatnonzero(which)
        for start in range(0, len(chosen), _BATCH):
            yield from _rows(self, chosen[start : start + _BATCH], names)


_BATCH = 20_000
"""Rows that are made at once."""


def _rows(sheet: Sheet, at: np.ndarray, names: Iterable[str]) -> Iterator[Row]:
    """Make the rows at these places, of the columns of these names and the addresses."""
    table = sheet.table
    numbers = table.frame.index[at].tolist()
    refs = [RowRef(table.index, number, table.source) for number in numbers]
    emails = [Email(email) for email in taken(sheet.emails, at).tolist()]
    cells = {name: read(table, name, at).tolist() for name in names}
    match sheet.kind:
        case Kind.USERS:
            return _users(cells, refs, emails, sheet.roles)
        case Kind.GROUPS:
            return _teams(cells, refs)
        case Kind.MEMBERSHIPS:
            return _members(cells, refs, emails)


_Cells = Mapping[str, Sequence[str]]


def _users(
    cells: _Cells, refs: Sequence[RowRef], emails: Sequence[Email], roles: Mapping[str, Role]
) -> Iterator[UserRow]:
    blank = [""] * len(refs)

    def together(name: str) -> Iterable[tuple[str, ...]]:
        """Give, row by row, the cells of all the columns of one field."""
        columns = [texts for column, texts in cells.items() if field_of(column) == name]
        return zip(*columns, strict=True) if columns else [()] * len(refs)

    split = partial(schemas.names, commas="groups1" not in cells)
    for ref, email, role, status, block, groups, addresses, logins, end in zip(
        refs,
        emails,
        map(roles.get, cells.get("role", blank)),
        together("status"),
        together("blocked"),
        together("groups"),
        together("secondary_email"),
        together("username"),
        cells.get("end_date", blank),
        strict=True,
    ):
        named = split(*groups) if len(groups) == 1 else _each_once(map(split, groups))
        yield UserRow(
            ref,
            email,
            role,
            _standing(status, block),
            named,
            bool(groups) and not named,
            _addresses(email, (*addresses, *logins)),
            next((login for login in logins if login and "@" not in login), "") if logins else "",
            end,
        )


def _each_once(names: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(names)))


@lru_cache
def _standing(said: Sequence[str], blocked: Sequence[str]) -> Standing | None:
    """Give what all the cells about a person's standing say together: whoever is out by one of them is out."""
    found = {schemas.STANDINGS.get(cell) for cell in said} | {
        _BLOCKED.get(cell) for cell in blocked
    }
    return next((standing for standing in _LEAST_FIRST if standing in found), None)


def _teams(cells: _Cells, refs: Sequence[RowRef]) -> Iterator[TeamRow]:
    blank = [""] * len(refs)
    for ref, group, internal, description, default in zip(
        refs,
        cells["group"],
        cells.get("internal_name", blank),
        cells.get("description", blank),
        cells.get("default", blank),
        strict=True,
    ):
        said = "" if description.casefold() == schemas.CLEAR else description or None
        yield TeamRow(ref, _label(group), GroupName(internal), said, _DEFAULT.get(default))


def _members(cells: _Cells, refs: Sequence[RowRef], emails: Sequence[Email]) -> Iterator[MemberRow]:
    blank = [""] * len(refs)
    for ref, email, group, action, end in zip(
        refs,
        emails,
        cells["group"],
        cells.get("action", blank),
        cells.get("end_date", blank),
        strict=True,
    ):
        yield MemberRow(ref, email, _label(group), action not in schemas.REMOVE, end)


def _label(cell: str) -> tuple[str, ...]:
    name = schemas.label(cell)
    return (name,) if name else ()


def _addresses(email: Email, cells: Sequence[str]) -> tuple[Email, ...]:
    """Give the other addresses of a person; what is none is no fault here, since nobody is invited there.

    An address whose domain is written in letters is also the one in ``xn--``: an account may be at either.
    """
    if not any(cells) and email.isascii() and "xn--" not in email:  # nearly everybody
        return ()
    read = [schemas.tidied(cell)[0] for cell in (*cells, schemas.respelled(email)) if "@" in cell]
    found = {normal_email(address) for address in read if not schemas.fault(address)}
    return tuple(sorted(found - {email}))
