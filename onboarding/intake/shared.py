"""Sheets in; those of their sound rows out that have to do with another one, or with a rule that few rows speak to.

Most rows are the only one about their person, and nothing more is to be said of them. Which these are, whole columns tell;
only the others are made, to be looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import TypeGuard, TypeVar

import numpy as np
import pandas as pd

from onboarding import schemas
from onboarding.headers import Kind
from onboarding.intake.cells import columns_of, field_of
from onboarding.intake.rows import MemberRow, Row, Sheet, TeamRow, UserRow, key_of
from onboarding.model import Standing
from onboarding.schemas.columns import hashes, taken

R = TypeVar("R", UserRow, TeamRow, MemberRow)


class Shared:
    """What the rows of several sheets have in common. Which of them are sound may change meanwhile."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self._users, self._teams, self._members = (
            [sheet for sheet in sheets if sheet.kind is kind] for kind in Kind
        )
        self._people = [sheet for sheet in sheets if sheet.kind is not Kind.GROUPS]

    def teams(self) -> Iterator[TeamRow]:
        """Give all rows of groups; they are few."""
        return _rows(TeamRow, self._teams, [sheet.sound for sheet in self._teams])

    def of_one_person(self, fields: Collection[str] | None = None) -> Iterator[UserRow]:
        """Give the users rows whose person may have another users row, with what these fields say."""
        pairs = zip(self._users, self.twice, strict=True)
        which = [sheet.sound & twice for sheet, twice in pairs]
        return _rows(UserRow, self._users, which, fields)

    def of_one_name(self) -> Iterator[UserRow]:
        """Give the users rows that have the part before the @ in common with another person's."""
        if len(self._domains) < 2:
            return iter(())  # then whoever has it in common is the same person

        def name(sheet: Sheet) -> pd.DataFrame:
            names = [email.partition("@")[0] for email in sheet.emails.tolist()]
            return pd.DataFrame({"name": names}, index=sheet.emails.index)

        twice = _twice([name(sheet)[sheet.sound] for sheet in self._users])
        return _rows(UserRow, self._users, _among([s.sound for s in self._users], twice))

    def of_one_membership(self) -> Iterator[MemberRow]:
        """Give the memberships rows whose person and group stand on another one."""

        def pair(sheet: Sheet) -> pd.DataFrame:
            groups = sheet.column("group")
            keys = {text: key_of(schemas.label(text)) for text in groups.unique()}
            return pd.DataFrame({"email": sheet.emails, "key": groups.map(keys)})

        twice = _twice([pair(sheet)[sheet.sound] for sheet in self._members])
        return _rows(MemberRow, self._members, _among([s.sound for s in self._members], twice))

    def of_two_spellings(self) -> Iterator[UserRow]:
        """Give the users rows whose address can be written in two ways: its domain in letters, or in ``xn--``."""
        which = []
        for sheet in self._users:
            unusual = sheet.unusual[sheet.sound[sheet.unusual]]
            two = np.zeros(len(sheet.rejected), bool)
            two[unusual] = [*map(bool, map(schemas.respelled, taken(sheet.emails, unusual)))]
            which.append(two)
        return _rows(UserRow, self._users, which)

    def of_who_loses(self) -> tuple[list[UserRow], list[MemberRow]]:
        """Give the rows of everybody who is taken out of a group by a memberships row."""
        gone: set[str] = set()
        for sheet in self._members:
            away = sheet.column("action").isin(schemas.REMOVE).to_numpy()
            gone.update(sheet.emails[sheet.sound & away].tolist())
        if not gone:
            return [], []

        def theirs(some: Sequence[Sheet]) -> list[np.ndarray]:
            return [sheet.sound & sheet.emails.isin(gone).to_numpy() for sheet in some]

        users = _rows(UserRow, self._users, theirs(self._users))
        return [*users], [*_rows(MemberRow, self._members, theirs(self._members))]

    def of_standing(self, standing: Standing) -> Iterator[UserRow]:
        """Give the users rows one of whose cells says this of the person."""
        words = [word for word, meant in schemas.STANDINGS.items() if meant is standing]
        which = []
        for sheet in self._users:
            said = np.zeros(len(sheet.rejected), bool)
            for name in columns_of(sheet.table):
                if field_of(name) == "status":
                    said |= sheet.column(name).isin(words).to_numpy()
            which.append(sheet.sound & said)
        return _rows(UserRow, self._users, which)

    def of_domains(self, domains: Collection[str]) -> Iterator[UserRow | MemberRow]:
        """Give the rows about people at these domains."""
        for sheet in self._people if domains else ():
            codes, there = sheet.domains
            wanted = np.array([domain in domains for domain in there], bool)
            yield from filter(_is_of_a_person, sheet.rows(sheet.sound & wanted[codes]))

    def of_end_dates(self, counts: Callable[[str], bool]) -> Iterator[UserRow | MemberRow]:
        """Give the rows about people whose end date counts."""
        for sheet in self._people:
            dates = sheet.column("end_date")
            some = [cell for cell in dates.unique() if cell and counts(cell)]
            if some:
                which = sheet.sound & dates.isin(some).to_numpy()
                yield from filter(_is_of_a_person, sheet.rows(which))

    def people_at(self) -> Counter[str]:
        """Count the people at each domain, everybody once; nothing where all are at one."""
        counts: Counter[str] = Counter()
        if len(self._domains) > 1:
            first = ~pd.concat([s.emails[s.sound] for s in self._people]).duplicated()
            once = _among([s.sound for s in self._people], first.to_numpy())
            for sheet, mine in zip(self._people, once, strict=True):
                codes, there = sheet.domains
                people = np.bincount(codes[mine], minlength=len(there)).tolist()
                counts.update(dict(zip(there, people, strict=True)))
        return +counts

    @cached_property
    def _domains(self) -> set[str]:
        return {domain for sheet in self._people for domain in sheet.domains[1] if domain}

    @cached_property
    def twice(self) -> list[np.ndarray]:
        """Say of all users rows whether their address, or one that looks alike by its hash, stands on another one."""
        twice = _twice([pd.Series(hashes(sheet.emails)) for sheet in self._users])
        return _among([np.ones(len(sheet.emails), bool) for sheet in self._users], twice)


def _twice(keys: Sequence[pd.Series[int]] | Sequence[pd.DataFrame]) -> np.ndarray:
    return pd.concat(keys).duplicated(keep=False).to_numpy() if keys else np.array([], bool)


def _among(which: Sequence[np.ndarray], found: np.ndarray) -> list[np.ndarray]:
    """Part what was found of the rows chosen of all sheets into what that is of each sheet's rows."""
    parted = []
    for some in which:
        mine, found = np.split(found, [some.sum()])
        there = np.zeros(len(some), bool)
        there[some] = mine
        parted.append(there)
    return parted


def _rows(
    kind: type[R],
    sheets: Sequence[Sheet],
    which: Sequence[np.ndarray],
    fields: Collection[str] | None = None,
) -> Iterator[R]:
    made = (sheet.rows(some, fields) for sheet, some in zip(sheets, which, strict=True))
    return (row for row in chain.from_iterable(made) if isinstance(row, kind))


def _is_of_a_person(row: Row) -> TypeGuard[UserRow | MemberRow]:
    return not isinstance(row, TeamRow)
