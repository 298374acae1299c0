"""A tenant's people, groups and memberships in; a workbook in our own sheet format out.

A workbook and not CSV, because its cells are text whatever they start with: what is exported can be opened safely and
read again as it is. Memberships name groups by internal name, which is never ambiguous.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

import xlsxwriter

from onboarding.model import Email, Group, GroupName, User

ROWS = 1_000_000  # per sheet; Excel's limit is 1,048,576


def workbook(
    users: Iterable[User], groups: Iterable[Group], members: Mapping[GroupName, Iterable[Email]]
) -> bytes:
    """Give the workbook's bytes: sheets Users, Groups and Memberships, each sorted."""
    people = [
        (user.email, user.role.value if user.role else "", "active" if user.enabled else "inactive")
        for user in sorted(users, key=lambda user: user.email)
    ]
    teams = [
        (group.alias, group.name, group.description, "yes" if group.default else "no")
        for group in sorted(groups, key=lambda group: group.name)
    ]
    pairs = [(email, name) for name in sorted(members) for email in sorted(members[name])]
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        _sheet(book, "Users", ("email", "role", "status"), people)
        _sheet(book, "Groups", ("group", "internal_name", "description", "default"), teams)
        for part in range(0, max(1, len(pairs)), ROWS):
            name = "Memberships" if not part else f"Memberships {part // ROWS + 1}"
            _sheet(book, name, ("email", "group"), pairs[part : part + ROWS])
    return content.getvalue()


def _sheet(
    book: xlsxwriter.Workbook, name: str, headers: Sequence[str], rows: Iterable[Sequence[str]]
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
