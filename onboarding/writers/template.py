"""Nothing in; an empty workbook to fill in out: three sheets with drop-downs and notes, and one with examples.

Every cell is text, so that leading zeros stay and no name becomes a date. The example sheet says in its first cell that
it is one, by which the reader knows to leave it alone.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import xlsxwriter

LAST_ROW = 1_048_576
EXAMPLE = "Example, not read: this is how the other sheets may be filled in."
"""How the first cell of a sheet begins that the reader skips."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet."""

    header: str
    note: str
    """What goes there, shown when the pointer rests on the header."""
    width: int
    choices: tuple[str, ...] = ()
    """What the drop-down offers; none: anything may be written."""


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet."""

    name: str
    columns: tuple[Column, ...]
    examples: tuple[tuple[str, ...], ...]


PAGES = (
    Page(
        "Users",
        (
            Column(
                "email",
                "The work address, one person in a row. Who has no account yet is invited at it.",
                34,
            ),
            Column(
                "role",
                "Guest, Member or Admin. Blank: somebody new becomes Guest, and nobody else's role changes.",
                12,
                ("Guest", "Member", "Admin"),
            ),
            Column(
                "groups",
                "Names of groups, with ; between them. Nobody is taken out of a group because it is missing here.",
                36,
            ),
            Column(
                "status",
                "Blank or active: is with us. on leave: counts as active. not started: is not invited yet. "
                "terminated: has left, and an admin is asked to deactivate the account.",
                14,
                ("active", "on leave", "not started", "terminated"),
            ),
        ),
        (
            ("ana.kovacs@acme.example", "Member", "Finance; Data Platform", "active"),
            ("ben.okafor@acme.example", "Guest", "Finance", ""),
            ("carla.mendes@acme.example", "", "", "terminated"),
        ),
    ),
    Page(
        "Groups",
        (
            Column("group", "The name that people see. A group that is new is created.", 28),
            Column(
                "internal_name",
                "Leave it blank: a new group gets one made from its name. Only a to z, 0 to 9 and _; "
                "it can never be changed later.",
                22,
            ),
            Column(
                "description",
                "At most 255 characters. Blank leaves it as it is; (clear) empties it.",
                48,
            ),
            Column(
                "default",
                "yes: everybody who is invited from now on is put into this group. Blank leaves it as it is.",
                10,
                ("yes", "no"),
            ),
        ),
        (
            ("Finance", "", "Books, invoices and budgets", "no"),
            ("Data Platform", "data_platform", "Pipelines and storage", ""),
        ),
    ),
    Page(
        "Memberships",
        (
            Column(
                "email", "The person's address. The person has an account or stands on Users.", 34
            ),
            Column("group", "One group in a row. It exists already or stands on Groups.", 28),
            Column(
                "action",
                "add or remove. Blank means add.",
                12,
                ("add", "remove"),
            ),
        ),
        (
            ("ana.kovacs@acme.example", "Finance", "add"),
            ("dora.king@acme.example", "Data Platform", "remove"),
        ),
    ),
)


def template() -> bytes:
    """Give the workbook's bytes."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        for page in PAGES:
            _page(book, page)
        _examples(book)
    return content.getvalue()


def _page(book: xlsxwriter.Workbook, page: Page) -> None:
    text = book.add_format({"num_format": "@"})
    heading = book.add_format({"bold": True, "bg_color": "#DDEBF7", "bottom": 1, "num_format": "@"})
    sheet = book.add_worksheet(page.name)
    sheet.freeze_panes(1, 0)
    _printable(sheet)
    for position, column in enumerate(page.columns):
        sheet.set_column(position, position, column.width, text)
        sheet.write_string(0, position, column.header, heading)
        sheet.write_comment(0, position, column.note, {"x_scale": 2, "y_scale": 1.2, "author": ""})
        if column.choices:
            offered = {
                "validate": "list",
                "source": list(column.choices),
                "error_title": column.header,
                "error_message": f"Choose one of: {', '.join(column.choices)}.",
                "error_type": "warning",
            }
            sheet.data_validation(1, position, LAST_ROW - 1, position, offered)


def _examples(book: xlsxwriter.Workbook) -> None:
    """Write filled-in rows of every sheet under each other, in grey, since they are to be looked at only."""
    title = book.add_format({"bold": True, "font_size": 12})
    name = book.add_format({"bold": True})
    heading = book.add_format({"bold": True, "font_color": "#595959", "bg_color": "#F2F2F2"})
    grey = book.add_format({"font_color": "#595959", "num_format": "@"})
    sheet = book.add_worksheet("Example")
    sheet.set_tab_color("#A6A6A6")
    _printable(sheet)
    sheet.set_column(0, max(len(page.columns) for page in PAGES) - 1, 30)
    sheet.write_string(0, 0, EXAMPLE, title)
    number = 2
    for page in PAGES:
        sheet.write_string(number, 0, page.name, name)
        headers = tuple(column.header for column in page.columns)
        for offset, cells in enumerate((headers, *page.examples), start=1):
            _row(sheet, number + offset, cells, heading if offset == 1 else grey)
        number += len(page.examples) + 3


def _row(
    sheet: xlsxwriter.worksheet.Worksheet,
    number: int,
    cells: Sequence[str],
    look: xlsxwriter.format.Format,
) -> None:
    for position, cell in enumerate(cells):
        sheet.write_string(number, position, cell, look)


def _printable(sheet: xlsxwriter.worksheet.Worksheet) -> None:
    """Let a sheet be as wide as one page of paper."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
