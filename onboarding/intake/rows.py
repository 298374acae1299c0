"""One table in, its rows as far as they can be read out, with what is wrong with each by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import NamedTuple

import pandas as pd

from onboarding import schemas
from onboarding.headers import Kind, Table
from onboarding.intake.wear import worn
from onboarding.model import (
    Email,
    Finding,
    GroupKey,
    GroupName,
    Role,
    RowRef,
    Severity,
    Standing,
    group_key,
    internal_name,
    normal_email,
)

_BLOCKED = {
    **dict.fromkeys(schemas.YES, Standing.LEAVER),
    **dict.fromkeys(schemas.NO, Standing.ACTIVE),
}
_LEAST_FIRST = (Standing.LEAVER, Standing.NOT_STARTED, Standing.ON_LEAVE, Standing.ACTIVE)
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


def judged(
    table: Table, roles: Mapping[str, Role], domains: frozenset[str]
) -> tuple[list[Finding], list[Row]]:
    """Judge one table; its findings, and its rows as far as they can be read."""
    refs = [RowRef(table.index, int(number), table.source) for number in table.frame.index]
    by_number = {ref.row: ref for ref in refs}
    positions = _positions(table)
    cells = _cells(table, positions)
    failures = schemas.judge(cells, table.columns.kind, roles, domains)
    unreadable = {f.row for f in failures if f.code in {"email-missing", "email-invalid"}}
    found = [*table.findings, *_failed(table, positions, failures, by_number)]
    found += _cleaned(table, positions, cells, by_number, unreadable)
    found += worn(table)
    return found, list(_rows(table.columns.kind, cells, refs, roles, unreadable))


def _failed(
    table: Table,
    positions: Mapping[str, int],
    failures: Sequence[schemas.Failure],
    refs: Mapping[int, RowRef],
) -> Iterator[Finding]:
    """Word failures with the headers and cells of the file; what the reader has said of a cell is not said again."""
    told = {(f.row.row, f.column) for f in table.findings if f.row is not None}
    spoilt = {failure.column for failure in failures}
    raw = {name: table.frame[positions[name]].to_dict() for name in spoilt}
    for row, name, code, _, message in failures:
        header = table.headers[positions[name]]
        if (row, header) not in told:
            yield Finding(code, message, refs[row], header, raw[name][row].strip())


def _positions(table: Table) -> dict[str, int]:
    """Give every column that counts a name of its own: ``groups``, ``groups1``, … where there are several."""
    return {
        f"{name}{i or ''}": position
        for name, where in table.columns.fields.items()
        for i, position in enumerate(where if name in _SEVERAL else where[: name in _ONE])
    }


_SEVERAL = {"groups", "secondary_email", "username", "status", "blocked"}
_ONE = {"email", "role", "group", "internal_name", "description", "default", "action", "end_date"}
"""The fields that are read, of one or of several columns; all others are only carried along."""


def _cells(table: Table, positions: Mapping[str, int]) -> pd.DataFrame:
    """Give the columns under their canonical names, cells cleaned and words folded."""
    texts = {
        name: [*map(_READ.get(_field(name), schemas.clean), table.frame[position].tolist())]
        for name, position in positions.items()
    }
    for name, known in table.columns.meant.items():
        ids = table.frame[positions[name]].tolist()
        texts[name] = [_READ.get(name, schemas.clean)(known.get(cell.strip(), "")) for cell in ids]
    for name, text in table.columns.given.items():
        texts[name] = [text] * len(table.frame)
    return pd.DataFrame(texts, index=table.frame.index, dtype="str")


def _address(cell: str) -> str:
    return cell if schemas.PLAIN.fullmatch(cell) else schemas.tidied(cell)[0]


def _unless_nothing(cell: str) -> str:
    text = schemas.clean(cell)
    return "" if len(text) < _LONGER and text.casefold() in schemas.NOTHING else text


_LONGER = 1 + max(map(len, schemas.NOTHING))


_READ = {
    "email": _address,
    **dict.fromkeys(("group", "groups", "internal_name", "description"), _unless_nothing),
    **dict.fromkeys(("role", "status", "blocked", "default", "action"), schemas.fold),
}
"""How the cells of a field are read before they are judged; the others are only cleaned."""


def _field(name: str) -> str:
    """Give the field of a column: ``groups`` of ``groups2``."""
    return name.rstrip("0123456789")


def _cleaned(
    table: Table,
    positions: Mapping[str, int],
    cells: pd.DataFrame,
    refs: Mapping[int, RowRef],
    unreadable: set[int],
) -> Iterator[Finding]:
    """Note what was taken off addresses and names, and addresses to look at twice.

    Plain blanks around are too common to mention, as is the case of an address.
    """
    for name, position in positions.items():
        field, header = _field(name), table.headers[position]
        raw, read = table.frame[position], cells[name]
        told: _Told = iter(())
        if name in table.columns.meant:
            continue  # an id, not what it stands for
        if field == "email":
            told = _about_addresses(raw, read, unreadable)
        elif field in {"group", "groups", "description"}:
            told = chain(_about_names(raw), _about_nothing(raw, read))
        for row, code, value, message in told:
            yield Finding(code, message, refs[row], header, value, Severity.NOTE)


_Told = Iterator[tuple[int, str, str, str]]
"""Row, code, value and message of each note."""


def _about_addresses(raw: pd.Series[str], read: pd.Series[str], unreadable: set[int]) -> _Told:
    plain = schemas.PLAIN.fullmatch
    for row, cell, address in zip(read.index.tolist(), raw.tolist(), read.tolist(), strict=True):
        if (cell == address and plain(cell)) or row in unreadable:
            continue
        if lost := schemas.tidied(cell)[1]:
            message = f"held more than an address ({lost}); {address} is used"
            yield row, "email-cleaned", cell.strip(), message
        if unusual := schemas.unusual(address):
            yield row, "email-unusual", address, unusual


def _about_names(raw: pd.Series[str]) -> _Told:
    if schemas.UNSEEN.search("\n".join(raw.tolist())):
        for row, cell in raw.items():
            if schemas.UNSEEN.search(cell):
                message = "held hard blanks or invisible characters; they don't count"
                yield int(str(row)), "name-cleaned", cell.strip(), message


def _about_nothing(raw: pd.Series[str], read: pd.Series[str]) -> _Told:
    emptied = (read == "") & (raw != "")
    for row, cell in raw[emptied].items():
        if schemas.clean(cell):
            yield (
                int(str(row)),
                "nothing-said",
                cell.strip(),
                "is a word for nothing and is taken as blank",
            )


def _rows(
    kind: Kind,
    cells: pd.DataFrame,
    refs: Sequence[RowRef],
    roles: Mapping[str, Role],
    unreadable: set[int],
) -> Iterator[Row]:
    emails = [
        Email("") if ref.row in unreadable else normal_email(cell)
        for ref, cell in zip(refs, _column(cells, "email"), strict=True)
    ]
    match kind:
        case Kind.USERS:
            return _users(cells, refs, emails, roles)
        case Kind.GROUPS:
            return _teams(cells, refs)
        case Kind.MEMBERSHIPS:
            return _members(cells, refs, emails)


def _column(cells: pd.DataFrame, name: str) -> list[str]:
    return cells[name].tolist() if name in cells else [""] * len(cells)


def _users(
    cells: pd.DataFrame, refs: Sequence[RowRef], emails: Sequence[Email], roles: Mapping[str, Role]
) -> Iterator[UserRow]:
    split = partial(schemas.names, commas="groups1" not in cells)
    for ref, email, role, status, block, groups, addresses, logins, end in zip(
        refs,
        emails,
        map(roles.get, _column(cells, "role")),
        _together(cells, "status"),
        _together(cells, "blocked"),
        _together(cells, "groups"),
        _together(cells, "secondary_email"),
        _together(cells, "username"),
        _column(cells, "end_date"),
        strict=True,
    ):
        named = tuple(dict.fromkeys(chain.from_iterable(map(split, groups))))
        yield UserRow(
            ref,
            email,
            role,
            _standing(status, block),
            named,
            bool(groups) and not named,
            _addresses(email, (*addresses, *logins)),
            next((login for login in logins if login and "@" not in login), ""),
            end,
        )


def _standing(said: Iterable[str], blocked: Iterable[str]) -> Standing | None:
    """Give what all the cells about a person's standing say together: whoever is out by one of them is out."""
    found = {schemas.STANDINGS.get(cell) for cell in said} | {
        _BLOCKED.get(cell) for cell in blocked
    }
    return next((standing for standing in _LEAST_FIRST if standing in found), None)


def _teams(cells: pd.DataFrame, refs: Sequence[RowRef]) -> Iterator[TeamRow]:
    for ref, group, internal, description, default in zip(
        refs,
        _column(cells, "group"),
        _column(cells, "internal_name"),
        _column(cells, "description"),
        _column(cells, "default"),
        strict=True,
    ):
        said = "" if description.casefold() == schemas.CLEAR else description or None
        yield TeamRow(ref, _label(group), GroupName(internal), said, _DEFAULT.get(default))


def _members(
    cells: pd.DataFrame, refs: Sequence[RowRef], emails: Sequence[Email]
) -> Iterator[MemberRow]:
    for ref, email, group, action, end in zip(
        refs,
        emails,
        _column(cells, "group"),
        _column(cells, "action"),
        _column(cells, "end_date"),
        strict=True,
    ):
        yield MemberRow(ref, email, _label(group), action not in schemas.REMOVE, end)


def _together(cells: pd.DataFrame, name: str) -> Iterable[tuple[str, ...]]:
    """Give, row by row, the cells of all the columns of one field."""
    columns = [cells[column].tolist() for column in cells.columns if _field(column) == name]
    return zip(*columns, strict=True) if columns else [()] * len(cells)


def _label(cell: str) -> tuple[str, ...]:
    name = schemas.label(cell)
    return (name,) if name else ()


def _addresses(email: Email, cells: Iterable[str]) -> tuple[Email, ...]:
    """Give the other addresses of a person; what is none is no fault here, since nobody is invited there.

    An address whose domain is written in letters is also the one in ``xn--``: an account may be at either.
    """
    read = [schemas.tidied(cell)[0] for cell in (*cells, schemas.respelled(email)) if "@" in cell]
    found = {normal_email(address) for address in read if not schemas.fault(address)}
    return tuple(sorted(found - {email}))
