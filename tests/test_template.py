"""The workbook to fill in: what it offers, what the reader makes of it empty and filled in, and that it replaces nothing."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from onboarding.cli import cli
from onboarding.intake import Rules, take_in
from onboarding.model import Role, Severity, Standing, group_key
from onboarding.schemas import ADD, NO, REMOVE, ROLES, STANDINGS, YES, fold
from onboarding.sheets import Inputs, Reading, read
from onboarding.writers.template import EXAMPLE, PAGES, Page, template

WORDS = {
    "role": set(ROLES),
    "status": set(STANDINGS),
    "default": YES | NO,
    "action": ADD | REMOVE,
}
IDS = [page.name for page in PAGES]


@pytest.fixture(scope="module")
def book() -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(template()))


def filled(*rows: tuple[str, Sequence[Sequence[str]]]) -> Inputs:
    """Fill rows into sheets as a person does, and read the workbook."""
    book = openpyxl.load_workbook(io.BytesIO(template()))
    for name, lines in rows:
        sheet: Worksheet = book[name]
        for number, cells in enumerate(lines, start=2):
            for position, cell in enumerate(cells, start=1):
                sheet.cell(number, position).value = cell or None
    content = io.BytesIO()
    book.save(content)
    content.seek(0)
    return read(["-"], Reading(), stdin=content)


# ---- what it offers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_header_is_bold_frozen_and_has_a_note(book: openpyxl.Workbook, page: Page) -> None:
    sheet = book[page.name]
    headers = [cell.value for cell in sheet[1]]
    assert headers == [column.header for column in page.columns]
    assert all(cell.font.b for cell in sheet[1])
    assert sheet.freeze_panes == "A2"
    notes = [cell.comment for cell in sheet[1]]
    assert [note.text for note in notes if isinstance(note, Comment)] == [
        column.note for column in page.columns
    ]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_cell_is_text_and_as_wide_as_it_needs(book: openpyxl.Workbook, page: Page) -> None:
    for letter, column in zip("ABCDEFG", page.columns, strict=False):
        shape = book[page.name].column_dimensions[letter]
        assert shape.number_format == "@"
        assert shape.width == pytest.approx(column.width, abs=1)
        assert column.width >= len(column.header)


def test_drop_downs_stand_on_every_row_below_the_headers(book: openpyxl.Workbook) -> None:
    found = {
        (page.name, book[page.name][f"{str(rule.sqref)[0]}1"].value): (
            rule.formula1,
            str(rule.sqref),
        )
        for page in PAGES
        for rule in book[page.name].data_validations.dataValidation
    }
    assert found == {
        ("Users", "role"): ('"Guest,Member,Admin"', "B2:B1048576"),
        ("Users", "status"): ('"active,on leave,not started,terminated"', "D2:D1048576"),
        ("Groups", "default"): ('"yes,no"', "D2:D1048576"),
        ("Memberships", "action"): ('"add,remove"', "C2:C1048576"),
    }


@pytest.mark.parametrize(
    ("header", "choice"),
    [
        (column.header, choice)
        for page in PAGES
        for column in page.columns
        for choice in column.choices
    ],
)
def test_every_choice_is_a_word_that_is_understood(header: str, choice: str) -> None:
    assert fold(choice) in WORDS[header]


def test_the_choices_name_every_role_and_every_standing() -> None:
    offered = {fold(choice) for page in PAGES for c in page.columns for choice in c.choices}
    assert {role.label.lower() for role in Role} <= offered
    assert {STANDINGS[word] for word in offered & STANDINGS.keys()} == set(Standing)


# ---- what the reader makes of it ---------------------------------------------------------------------------------


def test_the_empty_workbook_asks_for_nothing() -> None:
    inputs = filled()
    intake = take_in(inputs.tables, Rules())
    assert (intake.rows, {f.severity for f in intake.findings} - {Severity.NOTE}) == ((), set())
    assert [str(table.columns.kind) for table in inputs.tables] == [
        page.name.lower() for page in PAGES
    ]


def test_the_example_sheet_is_skipped_and_said_to_be() -> None:
    told = [(note.source, note.code, note.message) for note in filled().notes]
    assert told == [("stdin!Example", "example-ignored", "is an example and was not read")]


def test_the_examples_filled_in_are_valid() -> None:
    inputs = filled(*((page.name, page.examples) for page in PAGES))
    intake = take_in(inputs.tables, Rules())
    assert [f for f in intake.findings if f.severity is Severity.REJECT] == []
    assert len(intake.rows) == sum(len(page.examples) for page in PAGES)
    assert intake.desired.teams.keys() == {group_key("Finance"), group_key("Data Platform")}


def test_the_example_sheet_shows_the_examples(book: openpyxl.Workbook) -> None:
    sheet = book["Example"]
    shown = [tuple(str(cell or "") for cell in row) for row in sheet.iter_rows(values_only=True)]
    assert shown[0][0] == EXAMPLE
    for page in PAGES:
        for row in (tuple(column.header for column in page.columns), *page.examples):
            assert any(line[: len(row)] == row for line in shown), row


def test_leading_zeros_stay() -> None:
    inputs = filled(("Groups", [("007", "", "", "")]))
    assert take_in(inputs.tables, Rules()).desired.teams.keys() == {group_key("007")}


# ---- the command -------------------------------------------------------------------------------------------------


def called(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["template", *arguments])
    return done.exit_code, done.stderr


def test_it_is_written_and_says_what_next(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    code, said = called(str(path))
    assert (code, "onboarding validate" in said) == (0, True)
    assert read([str(path)], Reading()).tables


def test_a_file_that_is_there_is_replaced_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    path.write_text("somebody's work")
    code, said = called(str(path))
    assert (code, path.read_text()) == (2, "somebody's work")
    assert "is there already" in said
    assert called(str(path), "--force")[0] == 0
    assert path.read_bytes().startswith(b"PK")


@pytest.mark.parametrize("name", ["people.csv", "people", "people.xls", "people.ods"])
def test_another_kind_of_file_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    code, said = called(str(tmp_path / name))
    assert (code, list(tmp_path.iterdir())) == (2, [])
    assert "people.xlsx" in said
    assert "email,role,groups,status" in said.replace("\n", " ")


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    code, said = called(str(tmp_path / "nowhere" / "people.xlsx"))
    assert code in {2, 74}
    assert "nowhere" in said.replace("\n", "")
