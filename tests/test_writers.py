"""What a run leaves on disk: every cell comes back as it was, opens safely, and is there whole or not at all."""

from __future__ import annotations

import csv
import doctest
import io
import json
import logging
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from builders import email, fates_of, group, row, user
from hypothesis import given
from hypothesis import strategies as st

from onboarding import __version__
from onboarding.errors import StorageError
from onboarding.headers import Columns, Kind
from onboarding.model import GroupName, Membership, Role, RowRef
from onboarding.plan import Change, Outcome, Plan, Settled, Status
from onboarding.report import RESULT_COLUMNS, Deeds, RowResult
from onboarding.sheets import Reading, Source, Table, read
from onboarding.totals import totals
from onboarding.writers import files, log, rows
from onboarding.writers.rows import actions_csv, guarded, results_csv, retry
from onboarding.writers.summary import Facts, as_json, summary
from onboarding.writers.tables import cells_of, column_of, columns_of
from onboarding.writers.workbook.rows import _cell, _cells

NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
NAUGHTY = [
    "=1+1",
    "+49 170 1234567",
    "-5",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "'=1+1",
    "''=1+1",
    "'",
    "O'Neill",
    '"quoted", "twice"',
    "two\nlines",
    "two\r\nlines",
    "semi;colon, comma",
    "\u202egnp.exe",
    "nul\x00byte",
    "\x1b[31mred\x1b[0m",
    " leading and trailing ",
    "000123",
    "1.23E+11",
    "ＡＢＣ　全角",
    "😀 e\u0301 \u200d",
    "http://localhost/" + "x" * 2100,
    "</td><script>alert(1)</script>",
    "",
]
CELLS = st.one_of(st.sampled_from(NAUGHTY), st.text(st.characters(exclude_categories=["Cs"])))
LABELS = {GroupName("finance"): "Finance"}


def table(
    headers: Sequence[str],
    cells: Sequence[Sequence[str]],
    *,
    index: int = 0,
    source: str = "users.csv",
    first: int = 2,
    encoding: str = "utf-8",
    delimiter: str = ",",
    sheet: str | None = None,
    path: str | None = "",
) -> Table:
    """A table as it was read, its rows numbered from ``first``."""
    width = max(map(len, [headers, *cells]))
    frame = pd.DataFrame(
        [[*line, *[""] * (width - len(line))] for line in cells],
        index=range(first, first + len(cells)),
        columns=range(width),
        dtype="str",
    )
    return Table(
        index,
        source,
        None if path is None else Path("in") / (path or source.partition("!")[0]),
        sheet,
        tuple(headers),
        frame,
        Columns(Kind.USERS, {"email": (0,)}),
        "" if sheet else encoding,
        "" if sheet else delimiter,
        fed_back=False,
    )


def judged(ref: RowRef, status: Status = Status.REJECTED, message: str = "is wrong") -> RowResult:
    return RowResult(status, "email-invalid", message, "Correct it.", "not invited", ref)


def all_judged(tables: Sequence[Table], status: Status = Status.REJECTED) -> list[RowResult]:
    return [
        judged(RowRef(table.index, number, table.source), status)
        for table in tables
        for number in table.frame.index
    ]


def parsed(
    content: bytes | Iterator[bytes], encoding: str = "utf-8-sig", **facts: str
) -> list[list[str]]:
    whole = content if isinstance(content, bytes) else b"".join(content)
    return list(csv.reader(io.StringIO(whole.decode(encoding), newline=""), strict=True, **facts))  # type: ignore[arg-type]


def unguarded(cell: str) -> str:
    """Take a guard off, worked out independently of how it is put on."""
    return cell[1:] if re.match(r"'+[=+\-@\t\r]", cell) else cell


def own_cells(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells beside the result columns, guards taken off."""
    return [[unguarded(cell) for cell in line[len(RESULT_COLUMNS) :]] for line in lines]


def given_back(tables: Sequence[Table], results: Sequence[RowResult]) -> dict[str, bytes]:
    """The files of ``retry/``."""
    return retry(tables, results, ())


# ---- results.csv ------------------------------------------------------------------------------------------------


def test_results_begin_with_the_result_columns_and_end_lines_as_spreadsheets_do() -> None:
    tables = [table(["email", "team"], [["ana@acme.example", "Ops"]])]
    content = b"".join(results_csv(tables, [judged(row(2))]))
    assert content.decode() == (
        "\ufeffresult,result_status,result_code,result_message,result_fix,result_actions,result_row,email,team\r\n"
        "error,rejected,email-invalid,is wrong,Correct it.,not invited,users.csv:2,ana@acme.example,Ops\r\n"
    )


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_every_cell_comes_back_and_none_starts_a_formula(cells: list[list[str]]) -> None:
    tables = [table(["email", "a", "b"], cells)]
    lines = parsed(results_csv(tables, all_judged(tables)))
    assert own_cells(lines[1:]) == cells
    assert not [cell for line in lines for cell in line if re.match(r"[=+\-@\t\r]", cell)]


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=8))
def test_cells_have_quotes_just_where_csv_writes_them(cells: list[list[str]]) -> None:
    tables = [table(["email", "a"], cells)]
    written = b"".join(results_csv(tables, all_judged(tables))).decode("utf-8-sig")
    again = io.StringIO(newline="")
    csv.writer(again).writerows(csv.reader(io.StringIO(written, newline=""), strict=True))
    assert written == again.getvalue()


def test_headers_are_guarded_like_cells() -> None:
    tables = [table(["email", "=cmd()"], [["a@acme.example", "x"]])]
    assert parsed(results_csv(tables, all_judged(tables)))[0][-2:] == ["email", "'=cmd()"]


def test_what_a_tenant_says_is_guarded_too() -> None:
    tables = [table(["email"], [["a@acme.example"]])]
    lines = parsed(results_csv(tables, [judged(row(2), message='=HYPERLINK("x")')]))
    assert lines[1][3] == '\'=HYPERLINK("x")'


def test_tables_share_a_column_and_keep_their_own() -> None:
    tables = [
        table(["email", "role"], [["a@acme.example", "Member"]]),
        table(["group", "email"], [["Ops", "b@acme.example"]], index=1, source="m.csv"),
    ]
    header, *lines = parsed(results_csv(tables, all_judged(tables)))
    assert header[len(RESULT_COLUMNS) :] == ["email", "role", "group"]
    assert own_cells(lines) == [["a@acme.example", "Member", ""], ["b@acme.example", "", "Ops"]]
    assert [line[6] for line in lines] == ["users.csv:2", "m.csv:2"]


def test_a_header_that_stands_twice_in_a_table_loses_no_cell() -> None:
    tables = [
        table(["groups", "groups", ""], [["A", "B", "C"]]),
        table(["groups", "groups", "groups"], [["D", "E", "F"]], index=1),
    ]
    header, *lines = parsed(results_csv(tables, all_judged(tables)))
    assert header[len(RESULT_COLUMNS) :] == ["groups", "groups", "", "groups"]
    assert own_cells(lines) == [["A", "B", "C", ""], ["D", "E", "", "F"]]


def test_cells_beyond_the_headers_are_kept() -> None:
    tables = [replace(table(["email"], [["a@acme.example"]]), surplus={2: ("stray",)})]
    assert own_cells(parsed(results_csv(tables, all_judged(tables)))) == [
        ["email", "result_surplus"],
        ["a@acme.example", "stray"],
    ]


def test_a_column_is_the_same_by_itself_as_among_all() -> None:
    whole = replace(table(["a", "a"], [["x", "y"], ["", "z"]]), surplus={3: ("stray",)})
    numbers = [3, 9, 2]
    assert cells_of(whole, numbers) == {
        column: column_of(whole, numbers, column) for column in columns_of(whole)
    }
    assert column_of(whole, numbers, ("a", 1)) == ["z", "", "y"]
    assert column_of(whole, numbers, ("b", 0)) == column_of(None, numbers, ("a", 0)) == ["", "", ""]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=4))
def test_there_is_a_line_for_every_row_in_order(heights: list[int]) -> None:
    tables = [
        table(["email"], [[f"{n}@acme.example"] for n in range(height)], index=i, first=5)
        for i, height in enumerate(heights)
    ]
    results = all_judged(tables)
    lines = parsed(results_csv(tables, results))[1:]
    assert [line[6] for line in lines] == [str(result.row) for result in results]
    assert len(lines) == sum(heights)


def test_a_result_whose_row_no_table_has_is_not_lost() -> None:
    tables = [table(["email"], [["a@acme.example"]])]
    lines = parsed(results_csv(tables, [judged(row(2)), judged(row(99)), judged(row(2, table=7))]))
    assert [line[-1] for line in lines] == ["email", "a@acme.example", "", ""]


def test_there_are_results_without_any_row() -> None:
    assert parsed(results_csv([table(["email"], [])], [])) == [[*RESULT_COLUMNS, "email"]]
    assert parsed(results_csv([], [])) == [list(RESULT_COLUMNS)]


def test_a_lone_surrogate_in_the_tenants_words_stops_nothing() -> None:
    tables = [table(["email"], [["a@acme.example"]])]
    lines = parsed(results_csv(tables, [judged(row(2), message="bad \ud800 name")]))
    assert lines[1][3] == "bad \\ud800 name"


def test_many_rows_carry_one_byte_order_mark() -> None:
    cells = [[f"{n}@acme.example"] for n in range(rows.CHUNK + 5)]
    tables = [table(["email"], cells)]
    chunks = list(results_csv(tables, all_judged(tables)))
    assert len(chunks) == 3
    assert b"".join(chunks).count("\ufeff".encode()) == 1
    assert own_cells(parsed(b"".join(chunks))[1:]) == cells


@given(CELLS)
def test_a_guard_is_taken_off_exactly(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert guarded(cell) in (cell, f"'{cell}")


# ---- retry/ -----------------------------------------------------------------------------------------------------


def test_retry_holds_the_rows_with_errors_and_nothing_else() -> None:
    tables = [
        table(["email"], [[f"{status}@acme.example"] for status in Status]),
        table(["email"], [["fine@acme.example"]], index=1, source="fine.csv"),
    ]
    results = [judged(row(n), status) for n, status in enumerate(Status, 2)]
    results.append(judged(row(2, "fine.csv", 1), Status.APPLIED))
    again = given_back(tables, results)
    assert list(again) == ["users.csv"]
    kept = own_cells(parsed(again["users.csv"], "utf-8"))
    assert kept == [
        ["email"],
        ["rejected@acme.example"],
        ["in_doubt@acme.example"],
        ["failed@acme.example"],
        ["skipped@acme.example"],
    ]


@pytest.mark.parametrize(
    ("encoding", "delimiter", "start"),
    [
        pytest.param("utf-8", ",", b"result,", id="utf-8"),
        pytest.param("utf-8-sig", ";", b"\xef\xbb\xbfresult;", id="bom"),
        pytest.param("cp1252", ";", b"result;", id="cp1252"),
        pytest.param(
            "utf-16", "\t", "\ufeffresult\t".encode(f"utf-16-{sys.byteorder[0]}e"), id="16"
        ),
        pytest.param(
            "utf-16-le", "|", "\ufeffresult|".encode(f"utf-16-{sys.byteorder[0]}e"), id="le"
        ),
    ],
)
def test_retry_keeps_encoding_and_delimiter(encoding: str, delimiter: str, start: bytes) -> None:
    tables = [
        table(
            ["email", "name"], [["a@acme.example", "Zoë"]], encoding=encoding, delimiter=delimiter
        )
    ]
    content = given_back(tables, all_judged(tables))["users.csv"]
    assert content.startswith(start)
    readable = "utf-16" if encoding.startswith("utf-16") else encoding
    lines = parsed(content, readable, delimiter=delimiter)
    assert own_cells(lines) == [["email", "name"], ["a@acme.example", "Zoë"]]


def test_a_reason_may_lose_a_letter_in_an_old_encoding_a_cell_never_does() -> None:
    tables = [table(["email", "name"], [["a@acme.example", "Zoë"]], encoding="cp1252")]
    content = given_back(tables, [judged(row(2), message="Łódź")])["users.csv"]
    assert parsed(content, "cp1252")[1][3] == "?ód?"
    tables = [table(["email", "name"], [["a@acme.example", "Łódź"]], encoding="cp1252")]
    content = given_back(tables, [judged(row(2), message="Łódź")])["users.csv"]
    assert parsed(content, "utf-8-sig")[1][3] == "Łódź"
    assert own_cells(parsed(content, "utf-8-sig"))[1][1] == "Łódź"


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        pytest.param([("users.csv", "a/users.csv")], ["users.csv"], id="its name"),
        pytest.param(
            [("a/users.csv", "a/users.csv"), ("b/users.csv", "b/users.csv")],
            ["users.csv", "users-2.csv"],
            id="one name in two folders",
        ),
        pytest.param([("stdin", None)], ["stdin.csv"], id="standard input"),
        pytest.param([("x.csv", "../..")], ["input.csv"], id="no way out"),
        pytest.param([("x.csv", "in/.hidden\x1b.csv")], ["hidden_.csv"], id="no marks"),
    ],
)
def test_retry_files_have_the_names_of_their_inputs(
    inputs: list[tuple[str, str | None]], names: list[str]
) -> None:
    tables = [
        table(["email"], [["a@acme.example"]], index=i, source=source, path=path)
        for i, (source, path) in enumerate(inputs)
    ]
    assert list(given_back(tables, all_judged(tables))) == names


def test_a_workbook_gives_a_workbook_with_the_sheets_that_need_work() -> None:
    tables = [
        table(["email", "a"], [["x@acme.example", "=1+1"]], source="hr.xls!Users", sheet="Users"),
        table(["group"], [["Ops"]], index=1, source="hr.xls!Fine", sheet="Fine"),
        table(["group"], [["'=Ops"]], index=2, source="hr.xls!Teams: new?", sheet="Teams: new?"),
    ]
    results = [judged(row(2)), judged(row(2, "hr.xls!Fine", 1), Status.APPLIED)]
    results.append(judged(row(2, "hr.xls!Teams: new?", 2)))
    again = given_back(tables, results)
    assert list(again) == ["hr.xlsx"]
    book = openpyxl.load_workbook(io.BytesIO(again["hr.xlsx"]))
    assert book.sheetnames == ["Users", "Teams_ new_"]
    cells = [[cell.value for cell in line] for line in book["Users"].iter_rows()]
    assert cells[0] == ["email", "a", *RESULT_COLUMNS]
    assert cells[1][:3] == ["x@acme.example", "=1+1", "error"]
    assert {cell.data_type for line in book["Users"].iter_rows() for cell in line} == {"s"}


def test_no_cell_of_a_workbook_is_a_formula_or_a_link_and_each_comes_back() -> None:
    naughty = [cell for cell in NAUGHTY if cell]
    tables = [
        table(["email", "=x"], [["a", cell] for cell in naughty], source="n.xlsx!S", sheet="S")
    ]
    content = given_back(tables, all_judged(tables))["n.xlsx"]
    sheet = openpyxl.load_workbook(io.BytesIO(content))["S"]
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} == {"s"}
    assert not sheet._hyperlinks
    from python_calamine import CalamineWorkbook

    read_again = (
        CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    )
    kept = [str(line[1]) for line in read_again[1:]]
    assert [cell.replace("_x0000_", "\x00") for cell in kept] == naughty


@given(st.lists(CELLS, min_size=1))
def test_a_column_of_a_workbook_is_what_each_of_its_cells_is(cells: list[str]) -> None:
    assert [*_cells(cells)] == [*map(_cell, cells)]


def test_rows_of_a_workbook_are_numbered_through() -> None:
    many = table(["email"], [[f"p{n}@acme.example"] for n in range(4500)], sheet="S", path="b.xlsx")
    (content,) = retry([many], all_judged([many]), ()).values()
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    found = [(row[0].row, row[0].value, row[7].value) for row in sheet.iter_rows(min_row=2)]
    assert found == [(n, f"p{n - 2}@acme.example", f"users.csv:{n}") for n in range(2, 4502)]


def test_sheet_names_stay_apart() -> None:
    names = ["S" * 40, "s" * 40, "", "'"]
    tables = [
        table(["email"], [["a"]], index=i, source=f"n.ods!{name}", sheet=name)
        for i, name in enumerate(names)
    ]
    book = openpyxl.load_workbook(io.BytesIO(given_back(tables, all_judged(tables))["n.xlsx"]))
    assert book.sheetnames == ["S" * 31, "s" * 27 + " (2)", "Sheet", "Sheet (2)"]


def test_a_cell_longer_than_excel_takes_is_cut_not_left_out() -> None:
    tables = [table(["email"], [["x" * (32_768)]], source="n.ods!S", sheet="S")]
    sheet = openpyxl.load_workbook(io.BytesIO(given_back(tables, all_judged(tables))["n.xlsx"]))[
        "S"
    ]
    assert sheet.cell(2, 1).value == "x" * 32_767


MARKS = ("-", "+")  # alone in a cell they may mean removals, and the sheet is refused
HARMLESS = st.text(st.sampled_from("aZ09 =+-@';,\"é'\n"), max_size=6).map(str.strip)
HARMLESS = HARMLESS.filter(lambda text: text not in MARKS)


@given(st.lists(st.tuples(HARMLESS, HARMLESS), min_size=1, max_size=5), st.sampled_from([",", ";"]))
def test_a_retry_file_is_read_again_as_what_it_was(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]], delimiter: str
) -> None:
    lines = [[f"p{n}@acme.example", "Member", *some] for n, some in enumerate(cells)]
    first = [table(["email", "role", "x", "y"], lines, delimiter=delimiter)]
    folder = tmp_path_factory.mktemp("retry")
    for name, content in given_back(first, all_judged(first)).items():
        files.whole(folder / name, content)
    (again,) = read([str(folder / "users.csv")], Reading()).tables
    assert again.fed_back
    assert again.headers == ("email", "role", "x", "y")
    assert again.frame.to_numpy().tolist() == lines


# ---- actions.csv ------------------------------------------------------------------------------------------------


def test_actions_tell_the_auditor_one_line_per_change() -> None:
    ana = Change(None, user("ana", Role.MEMBER), (row(2), row(3)))
    finance = Change(None, Membership(email("ana"), GroupName("finance")), (row(3),))
    made = Change(None, group("ops", description="=1"), (row(2, "g.csv", 1),))
    aside = Settled(Status.SKIPPED, "held", "held by users.csv:9", (row(9),), finance)
    same = Settled(Status.UNCHANGED, "no-change", "", (row(8),))
    outcomes = {
        ana.key: Outcome(Status.APPLIED, "done", "", 200, "r-1", 2, "2026-11-20T23:30:05Z"),
        made.key: Outcome(Status.FAILED, "refused", "no\nroom", 409, "r-2"),
    }
    lines = parsed(actions_csv(Deeds(Plan("t", (ana, made), (aside, same)), outcomes), LABELS))
    assert lines == [
        list(rows.ACTION_COLUMNS),
        [
            *("invite", "ana@acme.example", "", "", "as Member", "users.csv:2-3"),
            *("applied", "done", "Done, and seen in the tenant."),
            *("200", "r-1", "2", "2026-11-20T23:30:05Z"),
        ],
        [
            *("create-group", "", "ops", "ops", 'description "=1"', "g.csv:2"),
            *("failed", "refused", "no\nroom", "409", "r-2", "1", ""),
        ],
        [
            *("grant", "ana@acme.example", "Finance", "finance", "", "users.csv:9"),
            *("skipped", "held", "held by users.csv:9", "", "", "0", ""),
        ],
    ]


# ---- summary.json -----------------------------------------------------------------------------------------------


def test_the_summary_has_every_name_in_every_run() -> None:
    facts = Facts("validate", NOW, NOW + timedelta(seconds=1.5), 0)
    content = summary(facts, totals({}, []))
    none = {status.value: 0 for status in Status}
    assert content == {
        "format": 1,
        "version": __version__,
        "command": "validate",
        "tenant": "",
        "started": "2026-11-20T23:30:00Z",
        "finished": "2026-11-20T23:30:01Z",
        "seconds": 1.5,
        "exit_code": 0,
        "error": "",
        "rows": 0,
        "results": {"success": 0, "error": 0, "manual": 0, "planned": 0},
        "statuses": none,
        "changes": {
            "invite": {},
            "change-role": {},
            "create-group": {},
            "update-group": {},
            "grant": {},
            "revoke": {},
        },
        "codes": {},
        "invitations_sent": 0,
        "calls": {"announced": 0, "made": 0},
        "waits": {},
        "fingerprint": "",
        "inputs": [],
        "tables": [],
        "folder": "",
        "files": [],
    }


def test_the_summary_counts_and_names_what_there_was() -> None:
    ana = Change(None, user("ana", Role.MEMBER), (row(2),))
    done = Deeds(Plan("acme.example", (ana,)), {ana.key: Outcome(Status.APPLIED)})
    results = [judged(row(2), Status.APPLIED), judged(row(3))]
    facts = Facts(
        "run",
        NOW,
        NOW,
        1,
        tenant="acme.example",
        fingerprint="f" * 16,
        calls_announced=7,
        calls_made=8,
        waits={"rate-limit": 1.23456},
        sources=[Source("users.csv", Path("in/users.csv"), "ab" * 32, 123)],
        files=["summary.json", "results.csv"],
    )
    content = summary(facts, totals(fates_of(results), done))
    assert content["results"] == {"success": 1, "error": 1, "manual": 0, "planned": 0}
    assert content["changes"]["invite"] == {"applied": 1}
    assert content["codes"] == {"email-invalid": 1}
    assert (content["invitations_sent"], content["waits"]) == (1, {"rate-limit": 1.235})
    assert content["inputs"] == [{"name": "users.csv", "sha256": "ab" * 32, "bytes": 123}]
    assert content["files"] == ["results.csv", "summary.json"]


def test_the_summary_says_how_each_table_was_read() -> None:
    content = b"Staff\n\nemail;role\n# temps\na@acme.example;Guest\nb@acme.example;\nTotal;2\n"
    (table,) = read(["-"], Reading(), stdin=io.BytesIO(content)).tables
    assert summary(Facts("validate", NOW, NOW, 0, tables=[table]), totals({}, []))["tables"] == [
        {
            "source": "stdin",
            "kind": "users",
            "template": "",
            "encoding": "utf-8",
            "delimiter": ";",
            "header_row": 3,
            "rows": 2,
            "left_out": {"title": 1, "blank": 1, "remark": 1, "total": 1},
        }
    ]


def test_json_is_sorted_readable_and_always_writable() -> None:
    content = as_json({"b": "Zoë \ud800 \x1b", "a": {"d": 1, "c": 2}})
    assert content.index(b'"a"') < content.index(b'"b"')
    assert content.endswith(b"}\n")
    assert "Zoë" in content.decode()
    assert json.loads(content) == {"b": "Zoë \ud800 \x1b", "a": {"d": 1, "c": 2}}


# ---- files ------------------------------------------------------------------------------------------------------


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    files.whole(tmp_path / "a.csv", b"old")
    files.whole(tmp_path / "a.csv", iter([b"ne", b"w"]))
    assert (tmp_path / "a.csv").read_bytes() == b"new"
    assert mode(tmp_path / "a.csv") == 0o600
    assert names_in(tmp_path) == ["a.csv"]


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    def half() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    files.whole(tmp_path / "a.csv", b"old")
    with pytest.raises(ZeroDivisionError):
        files.whole(tmp_path / "a.csv", half())
    assert (tmp_path / "a.csv").read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.csv"]


def test_a_link_in_the_way_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / "a.csv").symlink_to(tmp_path / "victim")
    files.whole(tmp_path / "a.csv", b"new")
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert not (tmp_path / "a.csv").is_symlink()


@pytest.mark.parametrize("way", ["no-folder/a.csv", "folder", "file/a.csv"])
def test_what_cannot_be_written_names_the_path_and_what_to_do(tmp_path: Path, way: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError) as raised:
        files.whole(tmp_path / way, b"x")
    assert str(raised.value).startswith(f"{tmp_path / way} can't be written: ")
    assert "--reports" in str(raised.value)
    assert names_in(tmp_path) == ["file", "folder"]


def test_a_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    reports = tmp_path / "deep" / "reports"
    made = [files.run_folder(reports, "/in/users.csv", NOW) for _ in range(3)]
    assert [folder.name for folder in made] == [
        "20261120T233000Z-users.csv",
        "20261120T233000Z-users.csv-2",
        "20261120T233000Z-users.csv-3",
    ]
    assert {folder.parent for folder in made} == {reports}
    assert {mode(folder) for folder in (*made, reports)} == {0o700}


def test_a_run_folder_is_named_after_universal_time(tmp_path: Path) -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert files.run_folder(tmp_path, "u.csv", there).name == "20261120T233000Z-u.csv"


def test_a_run_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "reports").write_bytes(b"a file")
    with pytest.raises(StorageError, match=r"reports can't be written: .*--reports"):
        files.run_folder(tmp_path / "reports", "u.csv", NOW)


def test_a_folder_inside_is_for_its_owner_too(tmp_path: Path) -> None:
    made = files.folder(tmp_path / "retry")
    assert files.folder(made) == tmp_path / "retry"
    assert mode(made) == 0o700


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        pytest.param("users.csv", "users.csv", id="plain"),
        pytest.param("../../etc/passwd", "passwd", id="no way up"),
        pytest.param("..", "input", id="only up"),
        pytest.param("", "input", id="empty"),
        pytest.param("-", "input", id="standard input"),
        pytest.param("C:\\hr\\Users 2026.xlsx", "Users_2026.xlsx", id="another system's"),
        pytest.param("-rf.csv", "rf.csv", id="no option"),
        pytest.param("~$lock.xlsx", "lock.xlsx", id="no home"),
        pytest.param("a\n\x1b[31mb\u202ec.csv", "a___31mb_c.csv", id="no marks"),
        pytest.param("Löhne.csv", "Löhne.csv", id="letters stay"),
        pytest.param("x" * 300 + ".csv", "x" * 36 + ".csv", id="long"),
        pytest.param("x." + "y" * 300, "x." + "y" * 38, id="long ending"),
        pytest.param("folder/", "folder", id="a folder"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert files.safe_name(name) == safe


@given(st.text())
def test_a_safe_name_stays_in_its_folder(name: str) -> None:
    safe = files.safe_name(name)
    assert safe
    assert "/" not in safe
    assert "\x00" not in safe
    assert not safe.startswith((".", "-"))
    assert len(safe.encode()) <= 4 * files.NAME_LENGTH
    assert safe.isprintable()


# ---- run.log ----------------------------------------------------------------------------------------------------


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    found = logging.getLogger("onboarding.test")
    found.setLevel(logging.DEBUG)
    found.propagate = False
    yield found
    for handler in list(found.handlers):
        found.removeHandler(handler)
        handler.close()


def logged(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def test_a_log_line_is_one_object_whatever_it_holds(tmp_path: Path, logger: logging.Logger) -> None:
    logger.addHandler(log.to_file(tmp_path / "run.log", "run-1"))
    for text in NAUGHTY:
        logger.info("read %s", text)
    lines = logged(tmp_path / "run.log")
    assert [line["message"] for line in lines] == [f"read {text}" for text in NAUGHTY]
    assert {(line["run"], line["level"], line["from"]) for line in lines} == {
        ("run-1", "info", "onboarding.test")
    }
    assert mode(tmp_path / "run.log") == 0o600


def test_no_secret_and_above_debug_no_address_is_logged(
    tmp_path: Path, logger: logging.Logger
) -> None:
    logger.addHandler(log.to_file(tmp_path / "run.log", "run-1", ["", "s3cr3t", "s3cr3t-longer"]))
    logger.info('refused "ana@acme.example", <bob@acme.example>: %s', "s3cr3t-longer")
    logger.debug("look up ana@acme.example with s3cr3t")
    try:
        int("s3cr3t of eve@acme.example")
    except ValueError:
        logger.exception("failed")
    quiet, chatty, failed = logged(tmp_path / "run.log")
    assert quiet["message"] == 'refused "[address]", <[address]>: [secret]'
    assert chatty["message"] == "look up ana@acme.example with [secret]"
    assert "[secret] of [address]" in failed["trace"]


def test_masking_addresses_is_quick_on_long_text() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "y" * 300_000 + "@", (), None)
    assert len(log.JsonLines("run-1").format(record)) > 300_000


def test_a_log_is_never_written_into_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "run.log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match=r"run\.log can't be written"):
        log.to_file(tmp_path / "run.log", "run-1")
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_under_the_log_stops_nothing(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    with suppress(OSError), Path("/dev/full").open("w", encoding="ascii") as full:
        logger.addHandler(log._Owning(full))
        logger.info("ana@acme.example")
        logger.handlers[0].close()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("module", [files, rows])
def test_the_examples_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
