"""The workbook for the reviewer: it looks like theirs, says what to do, runs nothing, and can be handed back."""

from __future__ import annotations

import csv
import doctest
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pytest
import xlsxwriter
from desk import PEOPLE, Desk, acme
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table as ListObject
from openpyxl.worksheet.table import TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from onboarding.intake import Rules, take_in
from onboarding.job import Report
from onboarding.report import RESULT_COLUMNS, not_compared
from onboarding.sheets import Inputs, Reading, read
from onboarding.totals import totals
from onboarding.writers.finished import Finished
from onboarding.writers.rows import results_csv
from onboarding.writers.workbook import annotate, look, own, results, style
from onboarding.writers.workbook.overview import HOW_TO, overview
from onboarding.writers.workbook.results import results_xlsx

SUMMARY = {
    "command": "validate",
    "version": "0.1.0",
    "finished": "2026-11-21T04:52:00Z",
    "tenant": "",
    "fingerprint": "",
    "exit_code": 1,
    "error": "",
    "inputs": [{"name": "people.xlsx", "sha256": "ab" * 32, "bytes": 7}],
}
HEADERS = ("email", "role", "salary")
STARTED = datetime(2026, 1, 2, tzinfo=UTC).replace(tzinfo=None)  # spreadsheets know no zones
GOOD = ("ana@acme.example", "Member", "1000")
BAD = ("dan@acme", "Guest", "2000")


def sheet_of(
    *lines: Sequence[object], title: str = "People"
) -> tuple[openpyxl.Workbook, Worksheet]:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for line in lines:
        sheet.append(list(line))
    return book, sheet


def saved(book: openpyxl.Workbook, folder: Path, name: str = "people.xlsx") -> Path:
    path = folder / name
    book.save(path)
    return path


def finished(inputs: Inputs, **summary: object) -> Finished:
    """What ``validate`` finds in sheets."""
    intake = take_in(inputs.tables, Rules())
    findings = (*inputs.notes, *intake.findings)
    rows = not_compared(intake.rows, findings)
    return Finished(SUMMARY | summary, inputs.tables, rows, findings, totals(rows.fates(), ()))


AS_IT_IS = Reading()
OF_NO_ACCOUNT = Reading(columns={"x": "ignore", "y": "ignore"})
"""A word in a column that is not understood may refuse the table, unless the settings say so."""


def written(folder: Path, *inputs: Path, reading: Reading = AS_IT_IS, **facts: bool | int) -> bytes:
    """The workbook of what ``validate`` finds."""
    read_in = read([str(path) for path in inputs], reading)
    return results_xlsx(finished(read_in), read_in.sources, folder, **facts)  # type: ignore[arg-type]


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def lines_of(sheet: Worksheet) -> list[list[object]]:
    return [list(line) for line in sheet.iter_rows(values_only=True)]


def about(book: openpyxl.Workbook) -> str:
    """What the first sheet says of the workbook itself."""
    return next(str(line[1]) for line in lines_of(book.worksheets[0]) if line[0] == "This workbook")


def again(
    content: bytes, folder: Path, name: str = "again.xlsx", reading: Reading = AS_IT_IS
) -> Inputs:
    path = folder / name
    path.write_bytes(content)
    return read([str(path)], reading)


def cells(inputs: Inputs) -> list[tuple[tuple[str, ...], list[list[str]]]]:
    return [(table.headers, table.frame.to_numpy().tolist()) for table in inputs.tables]


RUNS = {"f", "formula", "calculatedColumnFormula", "oleObject", "control", "externalReference"}
"""The elements that make a spreadsheet program work something out."""


def sound(content: bytes) -> None:
    """Insist on what spreadsheet programs do: well-formed parts, each announced; and nothing that runs or leads out."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        parts = {name: archive.read(name) for name in archive.namelist()}
    types = ElementTree.fromstring(parts["[Content_Types].xml"])
    announced = {one.get("PartName", f"*.{one.get('Extension')}").lstrip("/") for one in types}
    for name, part in parts.items():
        assert {name, f"*.{name.rpartition('.')[2]}"} & announced | (
            {name} & {"[Content_Types].xml"}
        )
        for element in ElementTree.fromstring(part).iter():
            tag = str(element.tag).rpartition("}")[2]
            assert tag not in RUNS
            assert element.get("TargetMode") != "External"
            assert tag != "formula1" or str(element.text).startswith('"')
            assert tag != "definedName" or str(element.get("name")).startswith("_xlnm.")
    assert not [name for name in parts if re.search("vba|external|connection|pivot|media", name)]


# ---- the user's own workbook --------------------------------------------------------------------------------------


def theirs(folder: Path) -> Path:
    """A workbook as an HR person has it: a title, colours, formulas, notes, rules, and sheets of other things."""
    book, sheet = sheet_of(
        ["Our people, November"],
        ["email", "role", "started", "number", "key", "salary"],
        ["ana@acme.example", "Member", STARTED, 7, "007", 1000],
        ["dan@acme", "Guest", None, "=1+1", "=cmd()", 2000],
    )
    sheet["E4"].data_type = "s"
    sheet.column_dimensions["A"].width = 33
    sheet.column_dimensions["F"].hidden = True
    sheet.row_dimensions[4].hidden = True
    sheet["A2"].font = Font(bold=True, color="FF00AA00")
    sheet["A3"].fill = PatternFill("solid", fgColor="FF123456")
    sheet["C3"].number_format = "dd.mm.yyyy"
    sheet["D3"].number_format = "000"
    sheet["A3"].hyperlink = "mailto:ana@acme.example"
    sheet["B3"].comment = Comment("asked twice", "Olga")
    sheet.freeze_panes = "B3"
    sheet.auto_filter.ref = "A2:F4"
    sheet.add_data_validation(DataValidation("list", formula1='"Guest,Member"', sqref="B3:B9"))
    sheet.add_data_validation(DataValidation("list", formula1="Secret!$A$1:$A$2", sqref="C3:C9"))
    sheet.conditional_formatting.add("A3:A9", FormulaRule(["A3=1"], fill=PatternFill("solid")))
    book.defined_names["everybody"] = DefinedName("everybody", attr_text="People!$A$3:$A$9")
    book.create_sheet("Salaries").append(["name", "amount"])
    book.create_sheet("Secret").append(["hush"])
    book["Secret"].sheet_state = "hidden"
    return saved(book, folder)


def test_their_own_workbook_comes_back_as_it_looks(tmp_path: Path) -> None:
    book = opened(written(tmp_path, theirs(tmp_path)))
    assert book.sheetnames == ["Summary", "People"]
    sheet = book["People"]
    assert [cell.value for cell in sheet[2]] == [
        *("email", "role", "started", "number", "key", "salary"),
        *RESULT_COLUMNS,
    ]
    assert sheet["A1"].value == "Our people, November"
    assert sheet.column_dimensions["A"].width == 33
    assert sheet.column_dimensions["F"].hidden
    assert sheet["A2"].font.color.rgb == "FF00AA00"
    assert sheet["A3"].fill.fgColor.rgb == "FF123456"
    assert (sheet["C3"].value, sheet["C3"].number_format) == (
        STARTED,
        "dd.mm.yyyy",
    )
    assert (sheet["D3"].value, sheet["D3"].number_format) == (7, "000")
    assert (sheet["E3"].value, sheet["E4"].value) == ("007", "=cmd()")
    assert sheet["B3"].comment.text == "asked twice"
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B3", "A2:M4")
    assert [rule.formula1 for rule in sheet.data_validations.dataValidation] == ['"Guest,Member"']
    assert about(book).startswith("It is your own workbook")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: [path], id="theirs"),
        pytest.param(lambda path: [path, copied(path, "b.xlsx")], id="fresh"),
    ],
)
def test_on_paper_a_sheet_is_as_wide_as_the_page_and_has_its_headers_on_each(
    tmp_path: Path, make: Callable[[Path], list[Path]]
) -> None:
    summary, sheet, *_ = opened(written(tmp_path, *make(theirs(tmp_path)))).worksheets
    for each in (summary, sheet):
        assert each.page_setup.orientation == "landscape"
        assert each.sheet_properties.pageSetUpPr.fitToPage
        assert (each.page_setup.fitToWidth or 1, each.page_setup.fitToHeight) == (1, 0)
    top = next(cell.row for (cell,) in sheet.iter_rows(max_col=1) if cell.value == "email")
    assert sheet.print_title_rows == f"${top}:${top}"


def test_hidden_columns_stay_hidden_but_those_with_a_mistake(tmp_path: Path) -> None:
    """One entry of the file hides several."""
    book, sheet = sheet_of(
        ["pay", "role", "grade", "email", "sum"], ["9", "King", "A", "ana@acme.example", "=1+1"]
    )
    for letters, first, last in (("A", 1, 3), ("E", 5, 9)):
        hidden = sheet.column_dimensions[letters]
        hidden.min, hidden.max, hidden.hidden, hidden.width = first, last, True, 17
    there = opened(written(tmp_path, saved(book, tmp_path)))
    sheet = there[there.sheetnames[1]]
    shown = [
        c.column_letter for c in sheet[1] if not sheet.column_dimensions[c.column_letter].hidden
    ]
    assert shown == ["B", "D", *"FGHIJKL"[: len(RESULT_COLUMNS)]]
    assert sheet["E2"].value == "#NOT CALCULATED!"
    assert "protection" in about(there)


def test_what_the_process_apart_gives_is_what_is_asked_of_it(tmp_path: Path) -> None:
    """The same in this process: nothing but what is ordered goes in."""
    path = theirs(tmp_path)
    inputs = read([str(path)], Reading())
    facts = finished(inputs)
    parts = results._parts(inputs.tables, facts.results, facts.findings, set())
    lines = overview(facts, results._finder(parts, in_place=True), "")
    order = json.loads(json.dumps(own.ordered(parts, "Summary", lines)))
    here = opened(annotate.annotated(path.read_bytes(), order))
    there = opened(own.annotated(path.read_bytes(), parts, "Summary", lines, tmp_path))
    assert [lines_of(sheet) for sheet in here] == [lines_of(sheet) for sheet in there]


def test_a_row_that_was_hidden_is_shown_with_its_mistake_tinted_and_noted(tmp_path: Path) -> None:
    sheet = opened(written(tmp_path, theirs(tmp_path)))["People"]
    assert not sheet.row_dimensions[4].hidden
    assert sheet["A4"].fill.fgColor.rgb == f"FF{style.GUILTY.upper()}"
    assert "is not an e-mail address" in sheet["A4"].comment.text
    assert "Correct the address" in sheet["A4"].comment.text
    assert (sheet["G4"].value, sheet["G3"].value) == ("error", "planned")
    assert sheet["M4"].value == "people.xlsx!People:4"


def test_nothing_of_their_workbook_runs_or_leads_out(tmp_path: Path) -> None:
    content = written(tmp_path, theirs(tmp_path))
    sound(content)
    assert b"hush" not in content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not any(b"hush" in archive.read(name) for name in archive.namelist())


def test_a_formula_comes_back_as_the_value_that_the_file_holds_for_it(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("People")
        for column, header in enumerate(("email", "role", "n")):
            sheet.write_string(0, column, header)
        sheet.write_formula(1, 0, '="ana@"&"acme.example"', None, "ana@acme.example")
        sheet.write_formula(1, 1, '="Member"', None, "Member")
        sheet.write_formula(1, 2, '="=1+"&1', None, "=1+1")
    before = read([str(path)], Reading())
    content = written(tmp_path, path)
    sound(content)
    assert lines_of(opened(content)["People"])[1][:3] == ["ana@acme.example", "Member", "=1+1"]
    assert cells(again(content, tmp_path)) == cells(before)


def test_passwords_stay_behind_wherever_they_stand(tmp_path: Path) -> None:
    book, sheet = sheet_of(
        ["", "", "hunter1"],
        ["email", "role", "Password"],
        ["ana@acme.example", "Member", "hunter2"],
        ["", "", "hunter3"],
    )
    sheet["C3"].comment = Comment("hunter4", "Olga")
    content = written(tmp_path, saved(book, tmp_path))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not any(b"hunter" in archive.read(name) for name in archive.namelist())
    assert opened(content)["People"]["C2"].value == "Password"


def test_a_striped_table_stays_one_and_takes_the_results_in(tmp_path: Path) -> None:
    book, sheet = sheet_of(HEADERS, GOOD, BAD)
    sheet.add_table(
        ListObject(
            displayName="Staff",
            ref="A1:C3",
            tableStyleInfo=TableStyleInfo("TableStyleLight9", showRowStripes=True),
        )
    )
    content = written(tmp_path, saved(book, tmp_path))
    sound(content)
    (staff,) = opened(content)["People"].tables.values()
    assert (staff.ref, staff.tableStyleInfo.name) == ("A1:J3", "TableStyleLight9")
    assert [column.name for column in staff.tableColumns] == [*HEADERS, *RESULT_COLUMNS]
    assert opened(content)["People"].auto_filter.ref is None


def test_a_table_that_ours_would_break_becomes_a_plain_range(tmp_path: Path) -> None:
    book, sheet = sheet_of(HEADERS, GOOD, BAD)
    sheet.add_table(ListObject(displayName="Staff", ref="A1:B3"))
    sheet["E1"] = "salary"
    sheet = opened(written(tmp_path, saved(book, tmp_path)))["People"]
    assert (list(sheet.tables), sheet.auto_filter.ref) == ([], "A1:L3")


def test_in_a_merged_cell_the_one_that_can_be_seen_is_tinted(tmp_path: Path) -> None:
    book, sheet = sheet_of(HEADERS, GOOD, GOOD)
    sheet.merge_cells("A2:A3")
    sheet = opened(written(tmp_path, saved(book, tmp_path)))["People"]
    assert sheet["A2"].fill.fgColor.rgb == f"FF{style.GUILTY.upper()}"
    assert "merged" in sheet["A2"].comment.text


def test_a_formula_that_nobody_calculated_says_so_in_its_cell(tmp_path: Path) -> None:
    book, _ = sheet_of(HEADERS, ["=A9", "Member", "1"])
    sheet = opened(written(tmp_path, saved(book, tmp_path)))["People"]
    assert sheet["A2"].value == "#NOT CALCULATED!"
    assert sheet["D2"].value == "error"


def test_their_note_stands_above_ours_and_survives_it(tmp_path: Path) -> None:
    book, sheet = sheet_of(HEADERS, BAD)
    sheet["A2"].comment = Comment("ask Dan", "Olga")
    content = written(tmp_path, saved(book, tmp_path))
    noted = opened(content)["People"]["A2"].comment
    assert noted.author == "Olga"
    assert noted.text.startswith("ask Dan\n\nonboarding:\nemail")
    corrected = opened(content)
    corrected["People"]["A2"] = "dan@acme.example"
    content = written(tmp_path, saved(corrected, tmp_path))
    assert opened(content)["People"]["A2"].comment.text == "ask Dan"


# ---- or one made from nothing -------------------------------------------------------------------------------------


def copied(path: Path, name: str) -> Path:
    return Path(shutil.copy(path, path.with_name(name)))


def with_macros(path: Path) -> Path:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    return path


@pytest.mark.parametrize(
    ("make", "why"),
    [
        pytest.param(
            lambda path: [path, copied(path, "b.xlsx")], "there are several inputs", id="two"
        ),
        pytest.param(
            lambda path: [copied(path, "a.xlsm")], "the input is no .xlsx file", id="xlsm"
        ),
        pytest.param(
            lambda path: [with_macros(path)],
            "yours has macros, which are not passed on",
            id="macros",
        ),
    ],
)
def test_another_input_gives_a_workbook_made_from_nothing_and_the_reason(
    tmp_path: Path, make: Callable[[Path], list[Path]], why: str
) -> None:
    paths = make(theirs(tmp_path))
    content = written(tmp_path, *paths)
    sound(content)
    assert about(opened(content)) == f"It was made from nothing, since {why}."


def test_so_do_settings_that_leave_columns_out(tmp_path: Path) -> None:
    book = opened(written(tmp_path, theirs(tmp_path), whole=False))
    assert "the settings name the columns" in about(book)


def test_so_does_a_file_that_was_changed_meanwhile(tmp_path: Path) -> None:
    path = theirs(tmp_path)
    inputs = read([str(path)], Reading())
    path.write_bytes(path.read_bytes() + b"\0")
    book = opened(results_xlsx(finished(inputs), inputs.sources, tmp_path))
    assert "the file was changed while this ran" in about(book)


def test_so_does_one_that_is_changed_to_hurt(tmp_path: Path) -> None:
    """One merged cell over everything would have openpyxl make 17 billion cells."""
    path = theirs(tmp_path)
    inputs = read([str(path)], Reading())
    parts = results._parts(inputs.tables, finished(inputs).results, (), set())
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    merged = b'</sheetData><mergeCells><mergeCell ref="A5:XFD1048576"/></mergeCells>'
    members[sheet] = re.sub(b"</sheetData>", merged, members[sheet])
    hostile = io.BytesIO()
    with zipfile.ZipFile(hostile, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    with pytest.raises(own.NotAsItLooks):
        own.annotated(hostile.getvalue(), parts, "Summary", [], tmp_path, patience=20)


def test_a_fresh_workbook_has_every_cell_as_text_and_the_mistakes_noted(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email,role,key\nana@acme.example,Member,007\ndan@acme,Guest,=1+1\n")
    content = written(tmp_path, path)
    sound(content)
    book = opened(content)
    assert book.sheetnames == ["Summary", "people"]
    sheet = book["people"]
    assert [cell.value for cell in sheet[1]] == ["email", "role", "key", *RESULT_COLUMNS]
    assert [cell.value for cell in sheet[3]][:4] == ["dan@acme", "Guest", "=1+1", "error"]
    assert {cell.data_type for line in sheet.iter_rows() for cell in line if cell.value} == {"s"}
    assert sheet["A3"].fill.fgColor.rgb == f"FF{style.GUILTY.upper()}"
    assert "Correct the address" in sheet["A3"].comment.text
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", "A1:J3")


def test_of_more_rows_than_a_workbook_takes_those_that_need_somebody_are_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email,role\na@acme.example,Guest\nb@acme,Guest\nc@acme,Guest\n")
    book = opened(written(tmp_path, path, most=2))
    assert [line[0] for line in lines_of(book["people"])] == ["email", "b@acme", "c@acme"]
    assert about(book).endswith(
        "Of 3 rows it has those that need somebody; all are in results.csv."
    )
    book = opened(written(tmp_path, path, most=1))
    assert [line[0] for line in lines_of(book["people"])] == ["email", "b@acme"]
    assert "it has the first 1 of those" in about(book)


def test_a_wide_table_has_fewer_rows_in_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    more = 1_991
    header = ["email", "role", *(f"x{n}" for n in range(more))]
    path.write_text(f"{','.join(header)}\nana@acme.example,Member{',' * more}\n")
    assert results.room(read([str(path)], Reading()).tables) == 5_000
    assert results.room([]) == results.MOST


def test_notes_are_few_enough_to_open_the_workbook(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email,role\n" + "dan@acme,Guest\n" * (style.MOST_NOTES + 5))
    sheet = opened(written(tmp_path, path))["people"]
    noted = [cell for (cell,) in sheet.iter_rows(max_col=1) if cell.comment]
    tinted = [cell for (cell,) in sheet.iter_rows(max_col=1, min_row=2) if cell.fill.fill_type]
    assert (len(noted), len(tinted)) == (style.MOST_NOTES, style.MOST_NOTES + 5)


def test_reports_carry_along_what_the_settings_name_and_what_decides(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    path = desk.sheet(
        "people.csv", "Pay,email,Desk,role\n9000,ana@acme.example,4,Member\n8000,dan@acme,5,Guest\n"
    )
    report = desk.run(acme(), path, carry=("desk",))
    assert report.folder
    headers = ["email", "Desk", "role"]
    sheet = openpyxl.load_workbook(report.folder / "results.xlsx")["people"]
    assert [cell.value for cell in sheet[1]] == [*headers, *RESULT_COLUMNS]
    assert sheet["A3"].fill.fgColor.rgb == f"FF{style.GUILTY.upper()}"
    with (report.folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.reader(file)) == [*RESULT_COLUMNS, *headers]
    assert "8000" in (report.folder / "retry" / "people.csv").read_text()


# ---- the first sheet ----------------------------------------------------------------------------------------------


def test_the_first_sheet_says_whether_it_worked_and_what_to_do(tmp_path: Path) -> None:
    sheet = opened(written(tmp_path, theirs(tmp_path))).worksheets[0]
    lines = [[cell for cell in line if cell is not None] for line in lines_of(sheet)]
    noticed = [str(line[1]).partition("!")[2] for line in lines[29:]]
    assert {said.partition(":")[0] for said in noticed} == {"Salaries", "Secret", "People"}
    assert lines == [
        ["Onboarding report"],
        ["1 of 2 rows has a mistake"],
        ["2026-11-21 04:52 UTC · people.xlsx"],
        [],
        ["Your rows"],
        ["Rows", "Result", "What it means"],
        [1, "error: rejected", "the row itself is wrong; nothing was sent for it"],
        [1, "planned", "valid; not compared with a tenant"],
        [],
        ["Why rows need somebody, the most frequent first"],
        ["Rows", "What happened", "What it means", "What to do", "First of them"],
        [
            1,
            "not an e-mail address [email-invalid]",
            "The e-mail cell does not hold an address that mail could be sent to.",
            "Correct the address; it looks like name@company.example.",
            "people.xlsx!People:4",
        ],
        [],
        ["The rows that need somebody"],
        ["Row", "Who or what", "What happened", "What to do", "Result"],
        [
            "people.xlsx!People:4",
            "dan@acme",
            *(str(sheet.cell(16, column).value) for column in (3, 4)),
            "rejected",
        ],
        [],
        ["How to correct them"],
        *([step] for step in HOW_TO),
        [],
        ["About this report"],
        ["When", "2026-11-21 04:52 UTC"],
        ["Command", "onboarding validate, version 0.1.0"],
        ["Tenant", "none was contacted"],
        ["Exit code", "1"],
        ["This workbook", results.AS_IT_LOOKS],
        ["Input", f"people.xlsx, 7 bytes, SHA-256 {'ab' * 32}"],
        *(["Noticed", f"people.xlsx!{said}"] for said in noticed),
    ]


def test_a_click_leads_to_the_guilty_cell(tmp_path: Path) -> None:
    sheet = opened(written(tmp_path, theirs(tmp_path))).worksheets[0]
    links = [
        cell.hyperlink.location for line in sheet.iter_rows() for cell in line if cell.hyperlink
    ]
    assert links == ["'People'!A4", "'People'!A4"]
    path = tmp_path / "people.csv"
    path.write_text("role,email\nMember,ana@acme.example\n\nGuest,dan@acme\n")
    sheet = opened(written(tmp_path, path)).worksheets[0]
    links = [
        cell.hyperlink.location for line in sheet.iter_rows() for cell in line if cell.hyperlink
    ]
    assert links == ["'people'!B3", "'people'!B3"]


def test_what_stopped_a_run_stands_on_top(tmp_path: Path) -> None:
    inputs = read([str(theirs(tmp_path))], Reading())
    lines = overview(finished(inputs, error="too many\nrows"), lambda row: None, "")
    assert [line[0].text for line in lines[:5]] == [
        "Onboarding report",
        "Nothing was sent",
        "2026-11-21 04:52 UTC · people.xlsx",
        "too many",
        "rows",
    ]


def test_a_sheet_of_theirs_that_has_our_title_keeps_it(tmp_path: Path) -> None:
    book, _ = sheet_of(HEADERS, GOOD, title="Summary")
    path = saved(book, tmp_path)
    assert opened(written(tmp_path, path)).sheetnames == ["Summary (2)", "Summary"]


# ---- handed back --------------------------------------------------------------------------------------------------


def by_hand(path: Path, change: Callable[[Worksheet], None], sheet: str) -> Path:
    """Correct a cell as a person would."""
    book = openpyxl.load_workbook(path)
    change(book[sheet])
    book.save(path)
    return path


def in_libreoffice(path: Path) -> Path:
    """Open and save a workbook with another program."""
    office = shutil.which("soffice")
    if not office:
        pytest.skip("LibreOffice is not installed")
    folder = path.parent / "office"
    command = [
        office,
        f"-env:UserInstallation=file://{folder}/home",
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        folder,
        path,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder / path.name


def results_of(report: Report) -> list[tuple[str, str]]:
    return [(row.status.value, row.code) for row in report.results]


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(lambda path: path, id="as-it-is"),
        pytest.param(in_libreoffice, id="libreoffice"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_corrected_workbook_finishes_the_job(
    tmp_path: Path, kind: str, program: Callable[[Path], Path]
) -> None:
    """What is done is unchanged, what was corrected is done, and nothing is said of our own sheets and columns."""
    desk, tenant = Desk(tmp_path), acme()
    path = desk.sheet("people.csv", PEOPLE.replace("; Analytics", ""))
    if kind == "xlsx":
        book, _ = sheet_of(
            *(line.split(",") for line in path.read_text().splitlines()), title="people"
        )
        path = saved(book, tmp_path)
    first = desk.run(tenant, path)
    assert first.folder
    assert [status for status, _ in results_of(first)] == [
        "unchanged",
        "applied",
        "applied",
        "rejected",
    ]

    corrected = by_hand(
        first.folder / "results.xlsx",
        lambda sheet: sheet.__setitem__("A5", "dan@acme.example"),
        "people",
    )
    second = desk.run(tenant, program(corrected))
    assert [status for status, _ in results_of(second)] == [
        "unchanged",
        "unchanged",
        "unchanged",
        "applied",
    ]
    assert [finding.message for finding in second.findings if finding.row is None] == [
        finding.message for finding in first.findings if finding.row is None
    ]
    assert second.folder
    sheet = openpyxl.load_workbook(second.folder / "results.xlsx")["people"]
    assert [cell.value for cell in sheet[1]] == [
        *PEOPLE.splitlines()[0].split(","),
        *RESULT_COLUMNS,
    ]
    assert not [cell for line in sheet.iter_rows() for cell in line if cell.comment]
    assert sheet["A5"].fill.fgColor.rgb != f"FF{style.GUILTY.upper()}"
    third = desk.run(tenant, program(second.folder / "results.xlsx"))
    assert {status for status, _ in results_of(third)} == {"unchanged"}


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(lambda path: path, id="as-it-is"),
        pytest.param(in_libreoffice, id="libreoffice"),
    ],
)
def test_the_corrected_retry_workbook_finishes_the_job(
    tmp_path: Path, program: Callable[[Path], Path]
) -> None:
    desk, tenant = Desk(tmp_path), acme()
    book, _ = sheet_of(
        *(line.split(",") for line in PEOPLE.replace("; Analytics", "").splitlines()),
        title="people",
    )
    first = desk.run(tenant, saved(book, tmp_path))
    assert first.folder
    retry = first.folder / "retry" / "people.xlsx"
    sheet = openpyxl.load_workbook(retry)["people"]
    assert [line[:3] for line in lines_of(sheet)] == [
        ["email", "role", "groups"],
        ["dan@acme", "Guest", "Finance"],
    ]
    assert "Correct the address" in sheet["A2"].comment.text
    by_hand(retry, lambda sheet: sheet.__setitem__("A2", "dan@acme.example"), "people")
    second = desk.run(tenant, program(retry))
    assert results_of(second) == [("applied", "done")]
    assert [finding.column for finding in second.findings] == ["team lead"]


# ---- every row, every cell ----------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
NAUGHTY = st.sampled_from(
    [
        "=1+1",
        "+49 170",
        "-5",
        "@SUM(A1)",
        "\t=1",
        "'=1",
        "007",
        "1e5",
        "TRUE",
        "2026-01-02",
        " a ",
        "two\nlines",
        "\r\n",
        "\x1b[31m",
        "_x0041_",
        "\ufffe",
        "<b>&amp;</b>",
        "😀",
        "nan",
        "#N/A",
        "http://x.example",
        "",
    ]
)
ROWS = st.lists(st.tuples(NAUGHTY | TEXTS, NAUGHTY | TEXTS), min_size=1, max_size=25)


def alike(text: str) -> str:
    """As much of a cell as spreadsheets keep: no character that XML lacks; a line break is one, however made."""
    return style.writable(text).replace("\r\n", "\n").replace("\r", "\n").strip()


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
@example([("=1+1", "REMOV")])
def test_results_have_the_rows_and_cells_of_the_input_whichever_way_they_are_written(
    tmp_path: Path, rows: list[tuple[str, str]]
) -> None:
    source = tmp_path / "people.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        lines = [[f"p{n}@acme.example", "Member", *row] for n, row in enumerate(rows)]
        csv.writer(file).writerows([["email", "role", "x", "y"], *lines])
    before = read([str(source)], OF_NO_ACCOUNT)

    def read_again(content: bytes, name: str) -> Inputs:
        return again(content, tmp_path, name, OF_NO_ACCOUNT)

    def workbook_of(path: Path) -> bytes:
        return written(tmp_path, path, reading=OF_NO_ACCOUNT)

    as_csv = read_again(b"".join(results_csv(before.tables, finished(before).results)), "r.csv")
    fresh = read_again(workbook_of(source), "fresh.xlsx")
    # A second time round it is their own workbook, and annotated.
    annotated = read_again(workbook_of(tmp_path / "fresh.xlsx"), "annotated.xlsx")
    whole = [
        [
            (headers, [[alike(cell) for cell in line] for line in lines])
            for headers, lines in cells(one)
        ]
        for one in (before, as_csv, fresh, annotated)
    ]
    assert whole == [whole[0]] * 4


@pytest.mark.parametrize(
    "inline", [pytest.param(True, id="inline"), pytest.param(False, id="shared")]
)
@pytest.mark.parametrize(
    ("raw", "means"),
    [
        pytest.param("plac_x0065_", "place", id="a letter"),
        pytest.param("_x005F_x0041_", "_x0041_", id="no escape"),
        pytest.param("_x003D_1+1", "=1+1", id="no formula"),
    ],
)
def test_an_escape_of_their_own_is_written_as_what_it_means(
    tmp_path: Path, raw: str, means: str, *, inline: bool
) -> None:
    plain, path = io.BytesIO(), tmp_path / "people.xlsx"
    with xlsxwriter.Workbook(plain, {"constant_memory": inline}) as book:
        sheet = book.add_worksheet("People")
        sheet.write_row(0, 0, ["email", "role", "x"])
        sheet.write_row(1, 0, ["ana@acme.example", "Member", "PLAIN"])
    with zipfile.ZipFile(plain) as given, zipfile.ZipFile(path, "w") as made:
        for name in given.namelist():
            made.writestr(name, given.read(name).replace(b">PLAIN<", f">{raw}<".encode()))
    content = written(tmp_path, path)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        everything = b"".join(map(archive.read, archive.namelist()))
    assert f">{style.escaped(means)}<".encode() in everything
    assert cells(again(content, tmp_path))[0][1] == [["ana@acme.example", "Member", means]]


def test_a_row_with_too_many_cells_stays_one_when_it_is_handed_back(tmp_path: Path) -> None:
    source = tmp_path / "people.csv"
    source.write_text("email,role,x\nana@acme.example,Member,,=1,,2\nben@acme.example,Guest,y\n")
    before = read([str(source)], Reading())
    for name, content in (
        ("r.csv", b"".join(results_csv(before.tables, finished(before).results))),
        ("r.xlsx", written(tmp_path, source)),
    ):
        after = again(content, tmp_path, name)
        assert cells(after) == cells(before)
        assert after.tables[0].surplus == before.tables[0].surplus
        assert [(f.code, f.value) for f in after.tables[0].findings if f.row] == [
            ("row-ragged", "=1  2")
        ]


def test_doctests() -> None:
    assert doctest.testmod(style).failed == 0
    assert doctest.testmod(look).failed == 0
