"""Whatever a run hands back is read as what it was: a list of members whose group, or a table whose kind, was said beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from builders import email
from desk import Desk, acme

from onboarding.errors import SheetError, UsageError
from onboarding.headers import Kind
from onboarding.intake.cells import read as read_column
from onboarding.job import Report
from onboarding.sheets import Reading, read

AS_IT_IS = Reading()
MARKETING = Reading(group="Marketing")
OF_MEMBERS = Reading(kind=Kind.MEMBERSHIPS, group="Marketing")
NO_GROUP = {"Group": "ignore"}
WRONG, RIGHT = "bne@acme.example", "ben@acme.example"


def written(path: Path, lines: Sequence[Sequence[str]]) -> Path:
    """A sheet, as text or as a workbook, whatever its name says."""
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append([cell or None for cell in line])
        book.save(path)
    else:
        path.write_text("".join(",".join(line) + "\n" for line in lines))
    return path


def corrected(path: Path) -> Path:
    """The same file, the address in it mended by hand."""
    if path.suffix == ".csv":
        path.write_bytes(path.read_bytes().replace(WRONG.encode(), RIGHT.encode()))
        return path
    book = openpyxl.load_workbook(path)
    for cell in (cell for sheet in book for row in sheet.iter_rows() for cell in row):
        if cell.value == WRONG:
            cell.value = RIGHT
    book.save(path)
    return path


def handed_back(report: Report, what: str) -> Path:
    assert report.folder
    (path,) = report.folder.glob(what)
    return path


def fates(report: Report) -> list[tuple[str, str]]:
    return [(row.status.value, row.code) for row in report.results]


LISTS = {
    "a name": ("team", ["Name", "Email"], MARKETING),
    "Entra's words": ("team", ["displayName", "mail"], MARKETING),
    "two names": ("team", ["First name", "Last name", "Work email"], MARKETING),
    "a department": ("team", ["Work email", "Department"], MARKETING),
    "an address only": ("team", ["Email"], MARKETING),
    "two tables at a glance": ("team", ["Name", "Email", "", "Department", "Location"], MARKETING),
    "an action": ("team", ["Email", "Action"], MARKETING),
    "Google's export": ("team", ["Email address", "Nickname", "Group status"], MARKETING),
    "of people": ("new users", ["Name", "Email"], OF_MEMBERS),
    "with roles": ("team", ["Name", "Email", "Role"], OF_MEMBERS),
    "Entra's users": ("team", ["displayName", "mail", "userType"], OF_MEMBERS),
    "a group aside": ("team", ["Email", "Group"], Reading(group="Marketing", columns=NO_GROUP)),
}
FILES = [
    ("csv", "retry/team.csv"),
    ("csv", "results.csv"),
    ("csv", "results.xlsx"),
    ("xlsx", "retry/team.xlsx"),
    ("xlsx", "results.csv"),
    ("xlsx", "results.xlsx"),
]


@pytest.mark.parametrize(("suffix", "what"), FILES)
def test_whom_a_list_misspells_is_invited_by_nothing_that_it_left_behind(
    desk: Desk, suffix: str, what: str
) -> None:
    lines = [["Name", "Email"], ["Ana", "ana@acme.example"], ["Ben", WRONG]]
    tenant, sheet = acme(), written(desk.folder / f"team.{suffix}", lines)
    first = desk.run(tenant, sheet, reading=MARKETING)
    assert fates(first) == [("applied", "done"), ("rejected", "person-unknown")]

    back, sent = handed_back(first, what), len(tenant.writes())
    assert fates(desk.run(tenant, back))[-1] == ("rejected", "person-unknown")
    assert (len(tenant.writes()), tenant.mails) == (sent, [])

    assert fates(desk.run(tenant, corrected(back)))[-1] == ("applied", "done")
    assert "marketing" in tenant.truth().memberships[email("ben")]
    assert tenant.mails == []


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("which", LISTS)
def test_whatever_else_a_list_says_it_comes_back_as_one_of_members(
    desk: Desk, which: str, suffix: str
) -> None:
    name, headers, reading = LISTS[which]
    (mail,) = [n for n, header in enumerate(headers) if "mail" in header.casefold()]
    lines = [headers, *([""] * mail + [one] for one in ("ana@acme.example", WRONG))]
    sheet = written(desk.folder / f"{name}.{suffix}", lines)
    first = desk.run(acme(), sheet, reading=reading)
    assert fates(first) == [("applied", "done"), ("rejected", "person-unknown")]
    for what in (f"retry/*.{suffix}", "results.csv", "results.xlsx"):
        paths = [str(handed_back(first, what))]
        (table,) = read(paths, Reading(columns=reading.columns)).tables
        assert table.columns.kind is Kind.MEMBERSHIPS
        assert {*read_column(table, "group")} == {"Marketing"}


@pytest.mark.parametrize("what", ["retry/team.csv", "results.csv", "results.xlsx"])
def test_the_group_may_be_said_once_more_and_no_other_one(desk: Desk, what: str) -> None:
    sheet = written(desk.folder / "team.csv", [["Name", "Email"], ["Ben", WRONG]])
    first = desk.run(tenant := acme(), sheet, reading=MARKETING)
    back = handed_back(first, what)
    again = desk.run(tenant, back, reading=Reading(group=" Marketing"))
    assert fates(again) == fates(first) == [("rejected", "person-unknown")]
    with pytest.raises(UsageError, match=r'--group "Finance".*leave --group out'):
        desk.run(tenant, back, reading=Reading(group="Finance"))

    third = handed_back(again, what)
    (table,) = read([str(third)], AS_IT_IS).tables
    assert table.headers == ("Name", "Email", "result_group")
    beside = desk.sheet("more.csv", "Email\nana@acme.example\n")
    both = read([str(third), str(beside)], Reading(group="Finance")).tables
    assert [read_column(one, "group").tolist() for one in both] == [["Marketing"], ["Finance"]]


def test_headers_that_stand_there_again_are_still_no_row(desk: Desk) -> None:
    headers = ["Name", "Email"]
    lines = [headers, ["Ana", "ana@acme.example"], headers, ["Ben", WRONG]]
    sheet = written(desk.folder / "team.xlsx", lines)
    first = desk.run(tenant := acme(), sheet, reading=MARKETING)
    back = handed_back(first, "results.xlsx")
    said = [cell for row in openpyxl.load_workbook(back)["Summary"].values for cell in row]
    assert any("It is your own workbook" in str(cell) for cell in said)
    again = desk.run(tenant, back)
    assert [str(row.row) for row in again.results] == [
        "results.xlsx!Sheet:2",
        "results.xlsx!Sheet:4",
    ]


def test_a_row_with_too_many_cells_is_no_sounder_for_its_group(desk: Desk) -> None:
    lines = [["Name", "Email"], ["Ben", RIGHT, "Finance", "x"]]
    first = desk.run(tenant := acme(), written(desk.folder / "team.csv", lines), reading=MARKETING)
    for what in ("retry/team.csv", "results.csv", "results.xlsx"):
        again = desk.run(tenant, handed_back(first, what))
        assert fates(again) == fates(first) == [("rejected", "row-ragged")]


@pytest.mark.parametrize("name", ["=Ops", "'=Ops", "a, b; c", "Łódź", "_x0041_", "007"])
def test_a_group_of_any_name_comes_back_as_it_was_said(desk: Desk, name: str) -> None:
    sheet = desk.folder / "team.csv"
    sheet.write_bytes(f"Name,Email\nJosé,{WRONG}\n".encode("cp1252"))
    reading = Reading(group=name, encoding="cp1252")
    report = desk.run(acme(), sheet, reading=reading)
    for what in ("retry/team.csv", "results.csv", "results.xlsx"):
        (table,) = read([str(handed_back(report, what))], AS_IT_IS).tables
        assert read_column(table, "group").tolist() == [name]


def test_only_rows_of_a_list_without_a_group_get_one(desk: Desk) -> None:
    one = desk.sheet("one.csv", f"Email\n{WRONG}\n")
    two = desk.sheet("two.csv", f"Email,Team\n{WRONG},Finance\n")
    report = desk.run(acme(), one, two, reading=MARKETING)
    assert report.folder
    heads = [
        path.read_text("utf-8-sig").splitlines()[0].partition("result_row,")[2]
        for path in sorted((report.folder / "retry").iterdir())
    ]
    assert heads == ["Email,result_group", "Email,Team"]


def test_the_group_is_among_the_columns_that_reports_always_carry(desk: Desk) -> None:
    sheet = desk.sheet("team.csv", f"Name,Email\nBen,{WRONG}\n")
    report = desk.run(acme(), sheet, reading=MARKETING, carry=())
    for what in ("results.csv", "results.xlsx"):
        (table,) = read([str(handed_back(report, what))], AS_IT_IS).tables
        assert table.headers == ("Email", "result_group")


# ---- which kind it was --------------------------------------------------------------------------------------


SAID = {
    "roles": (
        Kind.MEMBERSHIPS,
        ["Email", "Team", "Role"],
        ["ana@acme.example", "Finance", "Owner"],
    ),
    "an address": (Kind.USERS, ["Email", "Notes"], ["ana@acme.example", "x"]),
    "an address and a group": (Kind.USERS, ["Email", "Team"], ["ana@acme.example", "Finance"]),
    "a team": (Kind.GROUPS, ["Team", "Floor", "Desk"], ["Finance", "1", "2"]),
}


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("which", SAID)
def test_what_kind_a_table_is_need_be_said_once(desk: Desk, which: str, suffix: str) -> None:
    kind, headers, cells = SAID[which]
    bad = ["bad@", *cells[1:]] if "@" in cells[0] else ["  ,,", *cells[1:]]
    sheet = written(desk.folder / f"list.{suffix}", [headers, cells, bad])
    first = desk.run(acme(), sheet, reading=Reading(kind=kind))
    for what in ("results.csv", "results.xlsx"):
        back = handed_back(first, what)
        (table,) = read([str(back)], AS_IT_IS).tables
        assert (table.columns.kind, table.headers) == (kind, tuple(headers))
        again = desk.run(acme(), back)
        assert fates(again) == fates(first)
        (table,) = read([str(handed_back(again, what))], AS_IT_IS).tables
        assert table.columns.kind is kind
        said = Kind.MEMBERSHIPS if kind is Kind.USERS else Kind.USERS
        if "Email" in headers and "Team" in headers:  # who says so again is believed
            (table,) = read([str(back)], Reading(kind=said)).tables
            assert table.columns.kind is said


def test_whom_a_table_of_members_misspells_is_invited_by_nothing_that_it_left_behind(
    desk: Desk,
) -> None:
    lines = [["Email", "Team", "Role"], [WRONG, "Finance", "Owner"]]
    tenant, sheet = acme(), written(desk.folder / "team.csv", lines)
    first = desk.run(tenant, sheet, reading=Reading(kind=Kind.MEMBERSHIPS))
    for what in ("retry/team.csv", "results.csv", "results.xlsx"):
        assert fates(desk.run(tenant, handed_back(first, what))) == fates(first)
    assert (tenant.writes(), tenant.mails) == ([], [])


def test_a_kind_that_the_headers_say_is_not_said_again(desk: Desk) -> None:
    sheet = desk.sheet("team.csv", f"Email,Team\n{WRONG},Finance\n")
    report = desk.run(acme(), sheet, reading=Reading(kind=Kind.MEMBERSHIPS))
    assert "result_as" not in handed_back(report, "results.csv").read_text()
    assert "result_as" not in handed_back(report, "retry/team.csv").read_text()


@pytest.mark.parametrize("what", ["results.csv", "results.xlsx"])
def test_the_name_that_made_a_table_what_it_is_counts_under_another_name_too(
    desk: Desk, what: str
) -> None:
    sheet = desk.sheet("new staff.csv", "Name,Email,Team\nNew One,new@acme.example,Finance\n")
    report = desk.run(acme(), sheet)
    (table,) = read([str(handed_back(report, what))], AS_IT_IS).tables
    assert table.columns.kind is Kind.USERS


def test_a_table_that_nothing_but_its_name_explains_is_found_under_another_name_too(
    desk: Desk,
) -> None:
    report = desk.run(acme(), desk.sheet("our groups.csv", "Name,Floor\nFinance,1\n"))
    (table,) = read([str(handed_back(report, "results.csv"))], AS_IT_IS).tables
    assert table.columns.kind is Kind.GROUPS


# ---- several tables in one file -----------------------------------------------------------------------------

TABLES = {
    "people.csv": "email,role,first name\nana@acme.example,Member,Ana\n",
    "memberships.csv": f"email,group\n{WRONG},Finance\n",
    "groups.csv": "group,description\nFinance,\n",
    "more people.csv": "email,department,role\nben@acme.example,Ops,\n",
}


@pytest.mark.parametrize(
    "left", [["memberships.csv"], ["people.csv", "memberships.csv"], ["groups.csv"]]
)
def test_rows_beside_the_columns_of_another_table_are_nobody_to_invite(
    desk: Desk, left: list[str]
) -> None:
    sheets = [desk.sheet(name, TABLES[name]) for name in ("people.csv", *left[-1:])]
    report = desk.run(tenant := acme(), *sheets)
    back = handed_back(report, "results.csv")
    head, *lines = back.read_bytes().splitlines(keepends=True)
    back.write_bytes(head + b"".join(x for x in lines if any(f",{n}:".encode() in x for n in left)))
    with pytest.raises(
        SheetError, match=rf"results.csv: it holds rows of {left[-1]} beside columns"
    ):
        desk.run(tenant, back)
    assert tenant.writes() == []


def test_rows_of_tables_that_are_alike_may_stand_in_one_file(desk: Desk) -> None:
    sheets = [desk.sheet(name, TABLES[name]) for name in ("people.csv", "more people.csv")]
    report = desk.run(tenant := acme(), *sheets)
    again = desk.run(tenant, handed_back(report, "results.csv"))
    assert fates(again) == fates(report)
