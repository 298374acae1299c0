"""A tenant's people, groups and memberships in; a workbook in our own sheet format out, which asks for nothing new.

A workbook and not CSV, because its cells are text whatever they start with: what is exported can be opened safely and
read again as it is. Only what a reader would take for just that is written: a group is named by its alias or by its
internal name, whichever means no other group; a description that would be read otherwise is a blank cell, which changes
nothing; and who or what can't be named at all is left out, and counted.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onboarding.model import Email, Group, GroupKey, GroupName, User, group_key, groups_by_key
from onboarding.schemas import CLEAR, LONGEST, NOTHING, wrong_name
from onboarding.schemas.addresses import fault, tidied
from onboarding.schemas.text import clean, label
from onboarding.sheets.cells import ERRORS

if TYPE_CHECKING:
    from xlsxwriter import Workbook

ROWS = 1_000_000  # per sheet; Excel's limit is 1,048,576
INTERNAL_NAME = re.compile(rf"[a-z0-9_]{{1,{LONGEST}}}")

Row = tuple[str, ...]
Known = Mapping[GroupKey, tuple[Group, ...]]


@dataclass(frozen=True, slots=True)
class Exported:
    """The rows of the three sheets, each sorted."""

    people: Sequence[Row]
    groups: Sequence[Row]
    memberships: Sequence[Row]
    left_out: int
    """Accounts with an address, and groups, that no row can name."""

    @property
    def counts(self) -> dict[str, int]:
        """How many of each there are."""
        found = {
            "users": len(self.people),
            "groups": len(self.groups),
            "memberships": len(self.memberships),
        }
        return found | ({"left_out": self.left_out} if self.left_out else {})


def exported(
    users: Iterable[User],
    groups: Collection[Group],
    members: Mapping[GroupName, Collection[Email]],
) -> Exported:
    """Give the rows that say what the tenant has; members without an address are nobody's."""
    addressed = [user for user in users if user.email]
    people = {user.email: user for user in addressed if _is_read_as(user.email)}
    known = groups_by_key(groups)
    named = {group.name: team for group in groups if (team := _team(group, known))}
    called = {group.name: _shortest(group, known) for group in groups}
    return Exported(
        sorted(_person(user) for user in people.values()),
        [named[name] for name in sorted(named)],
        [
            (email, called[name])
            for name in sorted(members)
            if called[name]
            for email in sorted(members[name])
            if email in people
        ],
        len(addressed) - len(people) + len(groups) - len(named),
    )


def workbook(found: Exported) -> bytes:
    """Give the workbook's bytes: sheets Users, Groups and Memberships."""
    import xlsxwriter  # here, since few commands write one

    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        _sheet(book, "Users", ("email", "role", "status"), found.people)
        _sheet(book, "Groups", ("group", "internal_name", "description", "default"), found.groups)
        pairs = found.memberships
        for part in range(0, max(1, len(pairs)), ROWS):
            name = "Memberships" if not part else f"Memberships {part // ROWS + 1}"
            _sheet(book, name, ("email", "group"), pairs[part : part + ROWS])
    return content.getvalue()


def _is_read_as(email: Email) -> bool:
    return tidied(email)[0] == email and not fault(email)


def _person(user: User) -> Row:
    role = user.role.value if user.role else ""
    return user.email, role, "active" if user.enabled else "inactive"


def _team(group: Group, known: Known) -> Row:
    """Give a group's row, or an empty one; an internal name stands only beside an alias, which it leaves as it is."""
    sound = INTERNAL_NAME.fullmatch(group.name) and not wrong_name(group.name)
    beside = group.name if sound and _is_kept(group.name) else ""
    called = _meaning(group.alias, group, known, meant=bool(beside))
    if not called:
        called, beside = _meaning(group.name, group, known), ""
    described = group.description if _is_kept(group.description) else ""
    return (called, beside, described, "yes" if group.default else "no") if called else ()


def _shortest(group: Group, known: Known) -> str:
    """Give what a membership calls a group: its internal name where that will do; empty where nothing does."""
    return _meaning(group.name, group, known) or _meaning(group.alias, group, known)


def _meaning(name: str, group: Group, known: Known, *, meant: bool = False) -> str:
    """Give a name as it is read, if it then means this group and no other."""
    read = label(name)
    means = group_key(read) == group_key(name) and known[group_key(read)] == (group,)
    return read if means and _is_kept(read) and not wrong_name(read, meant=meant) else ""


def _is_kept(cell: str) -> bool:
    """Whether a cell with this text says just this."""
    plain = clean(cell) == cell and len(cell) <= LONGEST
    return plain and cell != CLEAR and cell not in ERRORS and cell.casefold() not in NOTHING


def _sheet(
    book: Workbook, name: str, headers: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(headers) - 1, 32, text)
    for column, header in enumerate(headers):
        sheet.write_string(0, column, header, bold)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if cell:
                sheet.write_string(number, column, cell, text)
