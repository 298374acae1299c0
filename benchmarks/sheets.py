"""Sizes come in; sheets of made-up people go out, written row by row and the same every time."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

SEED = 20261121
DEPARTMENTS = ("Data", "Finance", "Marketing", "Operations", "People", "Sales")
HEADERS = (
    "employee_id",
    "email",
    "first_name",
    "last_name",
    "department",
    "role",
    "groups",
    "status",
)
MISTAKES: Sequence[tuple[str, Callable[[str], str]]] = (
    ("email", lambda email: email.replace("@", "_at_")),
    ("email", lambda email: email.partition(".")[0]),
    ("role", lambda _: "Superuser"),
    ("status", lambda _: "maybe"),
)
"""A column, and what is wrong in it."""

Row = Sequence[str]
Rows = Iterator[Row]
Teams = Callable[[int], Sequence[int]]
"""The numbers of the groups that a person belongs to."""


def email(person: int) -> str:
    """Give a person's address."""
    return f"person{person}@bench.example"


def team(number: int) -> str:
    """Give a group by the name that people see."""
    return f"Team {number}"


def spread(teams: int, each: int) -> Teams:
    """Put every person into ``each`` of so many groups, and as many people into one group as into any other."""
    return lambda person: [(person * each + step) % teams for step in range(each)]


def users(
    count: int, teams: Teams, *, named: tuple[int, int] = (1, 5), bad: float = 0.0, first: int = 0
) -> Rows:
    """Give a users sheet: some of the groups of each person, and mistakes in so many of the rows."""
    chance = random.Random(SEED)  # noqa: S311 -- no secret
    yield HEADERS
    for person in range(first, first + count):
        some = chance.sample(teams(person), chance.randint(*named))
        row = {
            "employee_id": f"E{person:07}",
            "email": email(person),
            "first_name": f"First{person % 977}",
            "last_name": f"Last{person}",
            "department": chance.choice(DEPARTMENTS),
            "role": "Member",
            "groups": ";".join(map(team, some)),
            "status": "active",
        }
        if chance.random() < bad:
            column, spoil = chance.choice(MISTAKES)
            row[column] = spoil(row[column])
        yield list(row.values())


def _with(row: Row, **cells: str) -> Row:
    return [*(dict(zip(HEADERS, row, strict=True)) | cells).values()]


WORSE: Mapping[str, Callable[[int, Row, Row], Row]] = {
    "3 mistakes in every second row": lambda number, row, _: (
        _with(row, email="nobody", role="Superuser", status="maybe") if number % 2 else row
    ),
    "a zero-width space in every second address": lambda number, row, _: (
        _with(row, email=row[1].replace("@", "\u200b@")) if number % 2 else row
    ),
    "every row there twice": lambda number, row, before: before if number % 2 else row,
    "a domain of its own for every row": lambda number, row, _: _with(
        row, email=row[1].replace("@", f"@d{number}.")
    ),
}
"""What is worse than a mistake here and there: a row's number, the row and the one before come in, what it becomes goes out."""


def spoiled(rows: Rows, how: str) -> Rows:
    """Give a users sheet of as many rows that are worse, in one of the ways of ``WORSE``."""
    before = next(rows)
    yield before
    for number, row in enumerate(rows):
        before = WORSE[how](number, row, before)
        yield before


def groups(count: int) -> Rows:
    """Give a groups sheet."""
    yield ["group", "description"]
    for number in range(count):
        yield [team(number), f"What team {number} is for"]


def as_csv(path: Path, rows: Rows) -> Path:
    """Write rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def as_xlsx(path: Path, rows: Rows) -> Path:
    """Write rows as a workbook."""
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Users")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path
