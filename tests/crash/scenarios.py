"""The jobs: their sheets, how the tenant behaves, and what is to be true in the end, worked out by nobody but us.

They are chosen so that any two settings meet: of 384 combinations, twelve.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

POISON = "grace.tan@partner.example"
"""Whom the tenant refuses by name, since there is a Grace Tan: what the others of the batch get shows how it takes batches."""
INVITATIONS = {1: 2, 2: 3, 7: 8, 20: 21}
"""By the size of a batch, so many that the last one is never full."""
LAG = 0.3
"""Seconds until a tenant shows what was done, where it is late: who is killed and comes back sees nothing of it."""


@dataclass(frozen=True)
class Row:
    """A row, and what it asks for in the words of ``embedded.Tenant.facts``."""

    cells: tuple[str, ...]
    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()


Tables = dict[str, list[Row]]
"""By the name of the sheet; the first row holds the headers."""


@dataclass(frozen=True)
class Scenario:
    job: str
    batch: int
    inputs: str
    atomic: bool
    command: str
    workers: int
    late: bool

    def __str__(self) -> str:
        taken = "atomic" if self.atomic else "partial"
        return f"{self.command}-{self.job}-{self.inputs}-{self.batch}-{taken}-{self.workers}{'-late' * self.late}"

    @property
    def invited(self) -> list[str]:
        return [f"new{n}@acme.example" for n in range(1, INVITATIONS[self.batch] + 1)]

    @property
    def tables(self) -> Tables:
        return {"invite": _invite, "groups": _groups, "mixed": _mixed}[self.job](self.invited)

    @property
    def sheets(self) -> list[str]:
        return [f"{name}.csv" for name in self.tables] if self.inputs == "csv" else ["job.xlsx"]

    @property
    def rows(self) -> dict[str, Row]:
        """Every row below the headers, under the name that reports have for it, in order."""
        joint = "{}.csv:{}" if self.inputs == "csv" else "job.xlsx!{}:{}"
        return {
            joint.format(name, number): row
            for name, rows in self.tables.items()
            for number, row in enumerate(rows[1:], 2)
        }

    @property
    def refused(self) -> list[str]:
        """The rows that can't be carried out."""
        return [name for name, row in self.rows.items() if POISON in row.cells]

    @property
    def switches(self) -> dict[str, object]:
        """How the tenant behaves; whoever is invited once more gets a second mail."""
        return {
            "invite_batch": "atomic" if self.atomic else "per-user",
            "username_collision": "error",
            "known_email": "mail",
            "read_lag": LAG if self.late else 0,
        }

    def write(self, folder: Path) -> None:
        if self.inputs == "csv":
            for name, rows in self.tables.items():
                with (folder / f"{name}.csv").open("w", newline="") as file:
                    csv.writer(file).writerows(row.cells for row in rows)
            return
        with xlsxwriter.Workbook(folder / "job.xlsx") as book:
            for name, rows in self.tables.items():
                sheet = book.add_worksheet(name)
                for number, row in enumerate(rows):
                    sheet.write_row(number, 0, row.cells)


def _invite(invited: Sequence[str]) -> Tables:
    return {"people": [Row(("email", "role")), *_people(invited)]}


def _groups(invited: Sequence[str]) -> Tables:
    return {
        "people": [Row(("email", "role", "groups")), *_people(invited, "Newborn")],
        "teams": [
            Row(("group", "description")),
            _team("Newborn", "born today"),
            _team("Research", "looks things up"),
            _team("Finance", "money"),
        ],
        "memberships": [
            Row(("email", "group")),
            Row(("ana.kovacs@acme.example", "Finance"), frozenset({"ana.kovacs in finance"})),
            Row(("emma.lindqvist@acme.example", "Research"), frozenset({"emma.lindqvist in research"})),
        ],
    }  # fmt: skip


def _mixed(invited: Sequence[str]) -> Tables:
    return {
        "people": [
            Row(("email", "role", "groups")),
            *_people(invited, "Newborn"),
            Row(
                ("ana.kovacs@acme.example", "Guest", "Marketing"),
                frozenset({"ana.kovacs is $guest", "ana.kovacs in marketing"}),
            ),
            Row(
                ("ben.okafor@acme.example", "Member", "Newborn"),
                frozenset({"ben.okafor is $member", "ben.okafor in newborn"}),
            ),
        ],
        "teams": [Row(("group", "description")), _team("Newborn", "born today")],
        "memberships": [
            Row(("email", "group", "action")),
            Row(
                ("dmitri.volkov@acme.example", "Finance", "remove"),
                unwanted=frozenset({"dmitri.volkov in finance"}),
            ),
            Row(
                ("carla.mendes@acme.example", "Marketing", "remove"),
                unwanted=frozenset({"carla.mendes in marketing"}),
            ),
            Row(
                ("dmitri.volkov@acme.example", "Newborn", "add"),
                frozenset({"dmitri.volkov in newborn"}),
            ),
        ],
    }


def _people(invited: Sequence[str], group: str = "") -> Iterator[Row]:
    """The invitees, and second among them who is refused."""
    more = (group,) if group else ()
    for number, email in enumerate(invited):
        name = email.partition("@")[0]
        wanted = {
            f"{name} is $guest",
            f"{email} was mailed",
            *(f"{name} in {g.lower()}" for g in more),
        }
        yield Row((email, "Guest", *more), frozenset(wanted))
        if number == 0:
            yield Row((POISON, "Guest", *more))


def _team(name: str, description: str) -> Row:
    internal = name.lower()
    wanted = {f"there is {internal}", f"{internal} has description ['{description}']"}
    return Row((name, description), frozenset(wanted))


SCENARIOS = [
    Scenario("invite", 1, "csv", False, "run", 4, False),
    Scenario("groups", 1, "workbook", True, "run", 1, False),
    Scenario("mixed", 1, "csv", True, "apply", 1, True),
    Scenario("invite", 2, "workbook", True, "apply", 1, False),
    Scenario("groups", 2, "csv", False, "run", 1, True),
    Scenario("mixed", 2, "workbook", False, "run", 4, False),
    Scenario("invite", 7, "csv", True, "run", 1, True),
    Scenario("groups", 7, "workbook", False, "apply", 4, False),
    Scenario("mixed", 7, "csv", False, "run", 4, True),
    Scenario("invite", 20, "workbook", False, "run", 1, False),
    Scenario("groups", 20, "csv", True, "apply", 4, True),
    Scenario("mixed", 20, "workbook", True, "run", 4, True),
]
