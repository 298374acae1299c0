"""All tables of a job in, the same tables out, with the keys that only another of them (or the caller) knows.

Canvas names people and groups by ids of its own. Its users file says whose they are, its groups file what the groups
are called; beside those, its list of memberships can be read, and without them it is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from onboarding.errors import SheetError, UsageError
from onboarding.headers.kinds import given_before
from onboarding.headers.known import Kind
from onboarding.headers.table import Table
from onboarding.model import Finding, RowRef
from onboarding.schemas import clean

_DELETED = "deleted"
"""What Canvas calls a group that is no more."""


def joined(tables: Sequence[Table], *, group: str = "") -> tuple[Table, ...]:
    """Give each table the keys that stand outside of it; ``group`` must have been of use to one of them, now or before."""
    if group and not any("group" in t.columns.given or _was_of(t, group) for t in tables):
        raise UsageError(
            f'--group "{group}": none of these tables is a list of members without a group column; leave --group out, '
            "or say --kind memberships if one of them is meant"
        )
    people = _meanings(tables, Kind.USERS, "person_id", "email")
    groups = _meanings(tables, Kind.GROUPS, "group_id", "group")
    return tuple(_joined(table, people, groups) for table in tables)


def _was_of(table: Table, group: str) -> bool:
    """Whether an earlier run was given this group for a list of members, and all of them still stand beside it."""
    names = {clean(cell) for i in given_before(table.headers) for cell in table.frame[i].unique()}
    return names == {clean(group)}


_Meanings = Mapping[str, set[str]]
"""Id -> what it stands for; two, if the tables contradict each other."""


def _meanings(tables: Iterable[Table], kind: Kind, key: str, name: str) -> _Meanings:
    found: dict[str, set[str]] = {}
    for table in tables:
        columns = table.columns.fields
        if table.columns.kind is kind and key in columns and name in columns:
            ids, names = (table.frame[columns[which][0]].str.strip() for which in (key, name))
            for one, meaning in zip(ids, names, strict=True):
                if one and meaning:
                    found.setdefault(one, set()).add(meaning)
    return found


def _joined(table: Table, people: _Meanings, groups: _Meanings) -> Table:
    fields = dict(table.columns.fields)
    if table.columns.kind is Kind.GROUPS:
        return replace(table, findings=(*table.findings, *_deleted(table)))
    if table.columns.kind is not Kind.MEMBERSHIPS:
        return table
    meant: dict[str, Mapping[str, str]] = {}
    findings: list[Finding] = []
    for key, name, known, where in (
        ("person_id", "email", people, "users file (columns user_id and email)"),
        ("group_id", "group", groups, "groups file (columns group_id and name)"),
    ):
        if key not in fields or name in fields or name in table.columns.given:
            continue
        if not known:
            raise SheetError(
                f"{table.source}: this looks like a {table.columns.template} table, which goes by ids; "
                f"give its {where} in the same job, or add a column {name}"
            )
        fields[name] = fields[key]
        meant[name] = {one: min(names) for one, names in known.items() if len(names) == 1}
        findings += _strangers(table, fields[key][0], known)
    columns = replace(table.columns, fields=fields, meant=meant)
    return replace(table, columns=columns, findings=(*table.findings, *findings))


def _strangers(table: Table, position: int, known: _Meanings) -> Iterator[Finding]:
    """Reject the rows whose id stands for nobody and nothing, or for two."""
    for number, cell in table.frame[position].str.strip().items():
        meanings = known.get(cell, ())
        if cell and len(meanings) != 1:
            what = " and ".join(sorted(meanings))
            message = (
                f"stands for {what}" if what else "is an id that no table of this job explains"
            )
            yield Finding("id-unknown", message, _ref(table, number), table.headers[position], cell)


def _deleted(table: Table) -> Iterator[Finding]:
    """Reject the groups that are marked as deleted: they must not be made anew."""
    for position in table.columns.fields.get("group_state", ()):
        for number, cell in table.frame[position].str.strip().items():
            if cell.casefold() == _DELETED:
                at = _ref(table, number)
                yield Finding("group-deleted", "is no more", at, table.headers[position], cell)


def _ref(table: Table, number: object) -> RowRef:
    return RowRef(table.index, int(str(number)), table.source)
