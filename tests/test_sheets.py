from __future__ import annotations

import contextlib
import csv
import datetime as dt
import hashlib
import io
import os
import re
import socket
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.errors import SheetError, UsageError
from onboarding.headers import Kind
from onboarding.model import Finding, RowRef, Severity
from onboarding.sheets import Inputs, OneInput, Reading, Table, read, records
from onboarding.sheets.text import read_text

USERS = "email,role\nana@acme.example,Member\n"


def piped(content: str | bytes, **how: object) -> Inputs:
    """Read standard input."""
    raw = content.encode() if isinstance(content, str) else content
    return read(["-"], Reading(**how), stdin=io.BytesIO(raw))  # type: ignore[arg-type]


def one(inputs: Inputs) -> Table:
    (table,) = inputs.tables
    return table


def rows(table: Table) -> dict[int, list[str]]:
    """Row number -> cells."""
    return dict(zip(table.frame.index.tolist(), table.frame.to_numpy().tolist(), strict=True))


def workbook(sheets: Mapping[str, Iterable[Sequence[object]]], **states: str) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = states.get(name, "visible")
        for row in cells:
            sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def saved(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


# ---- text ------------------------------------------------------------------------------------------------------------


def test_a_table_is_text_under_the_row_numbers_that_the_file_shows() -> None:
    table = one(piped("email,role\nana@acme.example,007\n\nben@acme.example,NA\n"))
    assert rows(table) == {2: ["ana@acme.example", "007"], 4: ["ben@acme.example", "NA"]}
    assert table.headers == ("email", "role")
    assert (table.source, table.path, table.sheet) == ("stdin", None, None)
    assert (table.encoding, table.delimiter, table.fed_back) == ("utf-8", ",", False)


def test_a_quoted_line_break_stays_in_its_row() -> None:
    table = one(piped('email,groups\n"ana@acme.example","Ops\nHR"\n,\nben@acme.example,x\n'))
    assert rows(table) == {2: ["ana@acme.example", "Ops\nHR"], 4: ["ben@acme.example", "x"]}


@pytest.mark.parametrize("blank", ["", ",", " , ", "\u00a0,\u200b", '"",""', "\ufeff"])
def test_a_blank_line_is_a_row_without_content(blank: str) -> None:
    table = one(piped(f"email,role\n{blank}\nana@acme.example,Member\n"))
    assert list(rows(table)) == [3]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_encoding_that_announces_itself_is_read(encoding: str, found: str, end: str) -> None:
    text = end.join(["email,groups", "zoë@acme.example,Größe – 数据", ""])
    table = one(piped(text.encode(encoding)))
    assert rows(table) == {2: ["zoë@acme.example", "Größe – 数据"]}
    assert table.encoding == found


def test_big_endian_utf_16_is_read() -> None:
    assert rows(one(piped(b"\xfe\xff" + USERS.encode("utf-16-be")))) == {
        2: ["ana@acme.example", "Member"]
    }


def test_what_is_said_for_files_of_one_name_goes_by_the_name_alone(tmp_path: Path) -> None:
    places = [tmp_path / month for month in ("may", "june")]
    for place in places:
        place.mkdir()
    files = [
        saved(place / "hr-1.csv", "email,groups\nana@acme.example,Größe\n".encode("cp1252"))
        for place in places
    ]
    said = {"hr-*.csv": OneInput(encoding="cp1252")}
    tables = read(files, Reading(inputs=said)).tables
    assert [rows(table)[2][1] for table in tables] == ["Größe", "Größe"]


def test_half_a_letter_is_read_as_one_that_got_lost() -> None:
    found = one(piped(b"email,group\nana@acme.example,O+2AA-ps\n", encoding="utf-7"))
    assert rows(found) == {2: ["ana@acme.example", "O\ufffdps"]}


def test_a_doubtful_encoding_stops_where_it_could_reach_the_tenant() -> None:
    content = "email,groups\na@acme.example,Ops\nb@acme.example,Größe\n".encode("cp1252")
    with pytest.raises(
        SheetError, match=r"stdin: not UTF-8 from line 3 on.*Größe.*--encoding cp1252"
    ):
        piped(content)
    assert rows(one(piped(content, encoding="cp1252")))[3] == ["b@acme.example", "Größe"]


@pytest.mark.parametrize(
    ("content", "page"),
    [
        ("Фамилия,Роль,Email,Role\nИванов,Гость,a@x.example,Guest\n".encode("cp1251"), "cp1251"),
        ("社員番号,氏名,Email,部署,Role\n1,山田,a@x.example,部,Guest\n".encode("cp932"), "cp932"),
        ("성명,Email,Role\n김철수,a@x.example,Guest\n".encode("euc_kr"), "euc_kr"),
        ("Prénom,Email,Rôle\nZoé,a@x.example,Invité\n".encode("cp1252"), "cp1252"),
    ],
)
def test_a_guess_is_the_likeliest_page_and_the_one_that_is_named(content: bytes, page: str) -> None:
    grid = read_text(content, encoding=None, delimiter=None)
    assert grid.encoding == page
    assert grid.doubt.endswith(f"such as --encoding {page}")
    assert grid.row(2) == content.decode(page).splitlines()[1].split(",")


def test_a_file_without_line_ends_is_refused_before_it_takes_memory() -> None:
    row = b"a@acme.example,Guest\r"
    with pytest.raises(SheetError, match="line 2 is longer than 16 MiB"):
        read_text(b"email,role\n" + b"x" * (17 << 20), encoding=None, delimiter=None)
    assert len(read_text(row * (1 << 20), encoding=None, delimiter=None)) == 1 << 20


def test_a_text_in_the_guise_of_a_formula_is_that_text() -> None:
    found = one(
        piped('email,role,key\n="a@acme.example","=""Guest""",="007"\nb@acme.example,=1,="x"&"y"\n')
    )
    assert rows(found) == {
        2: ["a@acme.example", "Guest", "007"],
        3: ["b@acme.example", "=1", '="x"&"y"'],
    }


def test_a_doubtful_word_needs_no_certain_encoding() -> None:
    table = one(piped("email,Rôle\na@acme.example,Invité\n".encode("cp1252")))
    assert rows(table) == {2: ["a@acme.example", "Invité"]}


def test_a_doubtful_encoding_passes_where_it_stays_here() -> None:
    content = "email,role,last name\na@acme.example,Member,Müller\n".encode("cp1252")
    table = one(piped(content))
    assert rows(table) == {2: ["a@acme.example", "Member", "Müller"]}
    assert table.encoding == "cp1252"
    (note,) = table.findings
    assert (note.code, note.severity, note.row) == ("encoding-guessed", Severity.NOTE, None)
    assert note.message.startswith("read as cp1252: not UTF-8 from line 2 on")


@pytest.mark.parametrize(
    ("content", "how", "error", "message"),
    [
        pytest.param(
            USERS,
            {"encoding": "klingon"},
            UsageError,
            'stdin: there is no encoding "klingon"',
            id="no encoding",
        ),
        pytest.param(
            b"\xff" + USERS.encode(), {"encoding": "utf-8"}, SheetError, "not UTF-8", id="wrong"
        ),
        pytest.param(USERS, {"delimiter": "::"}, UsageError, "one character", id="delimiter"),
        pytest.param("email,role\na,\0b\n", {}, SheetError, "line 2 holds a NUL", id="NUL"),
        pytest.param(
            'email,role\na,b\n"c,d\ne,f\n', {}, SheetError, "row 3 is never closed", id="open"
        ),
        pytest.param(
            'email,role\n"a"b,c\n', {}, SheetError, "row 2 text follows a closing quote", id="shut"
        ),
        pytest.param(
            f"email,role\n{'x' * 200_000},b\n", {}, SheetError, "row 2 has a cell of", id="long"
        ),
        pytest.param("", {}, SheetError, "stdin: there is nothing in it", id="empty"),
        pytest.param("\n \n", {}, SheetError, "there is nothing in it", id="blank"),
        pytest.param("\n\n\n", {}, SheetError, "there is nothing in it", id="line ends"),
        pytest.param("foo,bar\n1,2\n", {}, SheetError, 'columns: A "foo", B "bar"', id="unknown"),
        pytest.param(
            "a@acme.example,Member\n", {}, SheetError, "neither an e-mail", id="no headers"
        ),
        pytest.param("email\na@acme.example\n", {}, SheetError, "invites nobody", id="addresses"),
        pytest.param(
            "a@acme.example,x\nemail,role\n", {}, SheetError, "row 1 holds an e-mail", id="above"
        ),
        pytest.param("email,mail,role\n", {}, SheetError, "stdin: more than one column", id="two"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(
    content: str | bytes, how: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        piped(content, **how)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_known_headers(delimiter: str) -> None:
    lines = [["email", "groups", "note"], ["ana@acme.example", "a,b;c|d\te", "x;y"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(lines)
    table = one(piped(text.getvalue()))
    assert table.delimiter == delimiter
    assert rows(table) == {2: lines[1]}


@pytest.mark.parametrize("content", ["Login;What\na;x\n", "Export 1\n\nLogin;What\na;x\n"])
def test_headers_that_only_the_settings_know_are_found(content: str) -> None:
    table = one(piped(content, columns={"login": "email", "What": "role"}))
    assert table.columns.fields == {"email": (0,), "role": (1,)}
    assert list(table.headers) == ["Login", "What"]


def test_an_entra_member_list_is_refused_by_name() -> None:
    content = "version:v1.0\nMember object ID or user principal name [memberObjectIdOrUpn] Required\na@acme.example\n"
    with pytest.raises(SheetError, match="Entra group members"):
        piped(content)


def test_the_delimiter_may_be_named() -> None:
    assert rows(one(piped("email:role\na@acme.example:x\n", delimiter=":"))) == {
        2: ["a@acme.example", "x"]
    }
    assert one(piped("email\trole\nx\ty\n", delimiter="tab")).delimiter == "\t"


@pytest.mark.parametrize("line", ["sep=;\n", '"sep=;"\r\n', "SEP=;\r"])
def test_an_instruction_about_the_separator_is_no_row(line: str) -> None:
    table = one(piped(f"{line}email;role\na@acme.example;x,y\n"))
    assert rows(table) == {2: ["a@acme.example", "x,y"]}


def test_titles_above_the_headers_are_no_rows() -> None:
    table = one(piped("Users\n\nas of today,,\nemail,role,groups\nana@acme.example,Guest,x\n"))
    assert rows(table) == {5: ["ana@acme.example", "Guest", "x"]}


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("Users,Groups,2026", id="a title that would make a table of groups"),
        pytest.param(",Worker,Email,", id="headings of headers, as Workday puts them"),
        pytest.param("Email,Email,Group,", id="headings that would be ambiguous"),
    ],
)
def test_a_row_that_only_groups_the_headers_is_no_header_row(title: str) -> None:
    content = f"{title}\n\nName,Work Email,Worker Active,Role\nAna,ana@acme.example,No,Guest\n"
    table = one(piped(content))
    assert rows(table) == {4: ["Ana", "ana@acme.example", "No", "Guest"]}
    assert table.columns.kind is Kind.USERS


def test_groups_that_are_called_like_headers_are_groups_all_the_same() -> None:
    table = one(piped("group,internal_name\nMail,mail\nDepartment,location\nTeam,x\n"))
    assert list(rows(table)) == [2, 3, 4]


def test_people_below_groups_are_not_taken_for_groups() -> None:
    with pytest.raises(SheetError, match="row 4 looks like the headers of another table"):
        piped("group,description\nOps,x\n\nemail,role\nana@acme.example,Guest\n")


def test_a_title_may_say_whom_to_ask() -> None:
    assert list(rows(one(piped("Ask hr@acme.example\nemail,role\na@acme.example,Guest\n")))) == [3]


def test_a_row_with_too_many_cells_is_rejected_where_it_stands() -> None:
    table = one(piped("email,role\na@acme.example,Member,x,y\nb@acme.example,Guest\n"))
    assert rows(table) == {2: ["a@acme.example", "Member"], 3: ["b@acme.example", "Guest"]}
    assert table.findings == (
        Finding(
            "row-ragged",
            "has 4 cells, and the table has 2 columns",
            RowRef(0, 2, "stdin"),
            value="x y",
        ),
    )


def test_a_row_with_too_few_cells_has_blank_ones() -> None:
    assert rows(one(piped("email,role,groups\na@acme.example\n"))) == {
        2: ["a@acme.example", "", ""]
    }


def test_a_delimiter_at_every_line_end_adds_no_cell() -> None:
    table = one(piped("email,role\na@acme.example,Member,\nb@acme.example,Guest,\n"))
    assert (table.headers, table.findings) == (("email", "role"), ())
    uneven = one(piped("email,role\na@acme.example,Member,\nb@acme.example,Guest\n"))
    assert [f.code for f in uneven.findings] == ["row-ragged"]


def test_a_matrix_of_groups_is_said_to_be_none_that_is_read() -> None:
    table = one(piped("email,role,Finance,Remote\na@acme.example,,x,\nb@acme.example,,,no\n"))
    assert [(f.column, f.message) for f in table.findings] == [
        (
            "Finance",
            "is no known column; if it is a group that those with a mark are in, write its name into a column groups",
        ),
        ("Remote", "is no known column"),
    ]


def test_unknown_columns_are_kept_and_noted() -> None:
    table = one(piped("email,role,Descripton,,e-mail adr\na@acme.example,,1,2,3\n"))
    assert rows(table) == {2: ["a@acme.example", "", "1", "2", "3"]}
    assert [(f.code, f.column, f.message, f.source) for f in table.findings] == [
        ("column-unknown", "Descripton", "is no known column; did you mean description?", "stdin"),
        ("column-unknown", "e-mail adr", "is no known column; did you mean email?", "stdin"),
        ("column-unknown", "", "column D has cells and no header; they are not read", "stdin"),
    ]


def test_passwords_are_gone_before_anybody_sees_them() -> None:
    content = "email,password,role\na@acme.example,Secret1,Member\nb@acme.example,x,Secret2,Guest\n"
    table = one(piped(content))
    assert rows(table) == {2: ["a@acme.example", "", "Member"], 3: ["b@acme.example", "", ""]}
    assert "Secret" not in repr(table.findings)


def test_the_entra_example_row_is_no_row() -> None:
    headers = "Name [displayName] Required,User name [userPrincipalName] Required,Initial password [passwordProfile] Required"
    example = "Example: Chris Green,chris@contoso.example,pw"
    table = one(piped(f"version:v1.0\n{headers}\n{example}\nAna,ana@acme.example,pw\n"))
    assert rows(table) == {4: ["Ana", "ana@acme.example", ""]}


def test_a_report_fed_back_loses_its_result_columns_and_guards() -> None:
    content = (
        "result,result_status,result_row,email,role,groups,'=note\r\n"
        "error,rejected,users.csv:7,a@acme.example,Member,'+Team,'=1+1\r\n"
        "error,rejected,users.csv:8,b@acme.example,,'quoted',-1\r\n"
    )
    table = one(piped(content))
    assert table.fed_back
    assert table.headers == ("email", "role", "groups", "=note")
    assert rows(table) == {
        2: ["a@acme.example", "Member", "+Team", "=1+1"],
        3: ["b@acme.example", "", "'quoted'", "-1"],
    }
    assert table.columns.fields == {"email": (0,), "role": (1,), "groups": (2,)}


@pytest.mark.parametrize("cell", ["Sales;Ops;\nb@acme.example;HR", "Sales,Ops,\nb@acme.example,HR"])
def test_a_row_that_took_in_half_of_another_is_still_rejected_when_it_is_fed_back(
    cell: str,
) -> None:
    """As a workbook, or parted by something else than the file was."""
    told = ["email", "department", "group", "action", "result_status", "result_row"]
    row = ["a@acme.example", cell, "Ops", "remove", "rejected", "x.csv:2"]
    text = io.StringIO()
    csv.writer(text).writerows([told, row])
    for content in (text.getvalue().encode(), workbook({"Rows": [told, row]})):
        assert [f.code for f in one(piped(content)).findings if f.row] == ["row-ragged"]


def test_without_result_columns_an_apostrophe_stays() -> None:
    assert rows(one(piped("email,role\n'=a,'+b\n"))) == {2: ["'=a", "'+b"]}


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_was_written_is_read(
    cells: list[list[str]], delimiter: str, encoding: str, end: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["email", "role", "groups"], *cells])
    table = one(piped(text.getvalue().encode(encoding)))
    expected = {n: row for n, row in enumerate(cells, 2) if "".join(row).strip()}
    found = rows(table)
    assert {n: row for n, row in found.items() if n in expected} == found
    assert all(not "".join(row).isprintable() for n, row in expected.items() if n not in found)


@pytest.fixture(scope="module")
def small_blocks() -> Iterator[None]:
    """A file is looked at in pieces where a few lines would never be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_BLOCK", 3)
        yield


@pytest.mark.usefixtures("small_blocks")
@given(st.text("\n\ra", max_size=12).map(str.encode))
def test_a_lone_return_is_found_wherever_it_stands(content: bytes) -> None:
    lone = re.search(rb"\r(?!\n)", content) is not None
    assert records.has_lone_return(content) is lone


@given(st.lists(st.sampled_from(["a,b", "ab,", ",a", '"a",b', 'a,"b\r"']), min_size=2), st.data())
def test_lines_end_where_csv_ends_them_however_they_do(
    lines: list[str], data: st.DataObject
) -> None:
    ends = [data.draw(st.sampled_from(["\n", "\r\n", "\r"]))] * len(lines)
    odd = data.draw(st.integers(0, len(lines) - 1))
    ends[odd] = data.draw(st.sampled_from(["\n", "\r\n", "\r"] if odd else ["\r"]))
    ends[-1] = data.draw(st.sampled_from([ends[-1], ""]))
    text = "".join(line + end for line, end in zip(lines, ends, strict=True))
    found = read_text(text.encode(), encoding=None, delimiter=",")
    assert [*found.below(0)] == [*csv.reader(io.StringIO(text, newline=""))]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for raw in (content, b"email,role\n" + content, b"PK\x03\x04" + content):
        with contextlib.suppress(SheetError):
            assert piped(raw).tables


# ---- workbooks -------------------------------------------------------------------------------------------------------


def test_every_visible_sheet_is_a_table() -> None:
    content = workbook(
        {
            "Users": [[], [None, "email", "role"], [None, "a@acme.example", "Guest"]],
            "Old": [["email", "role"]],
            "Readme": [["how to fill this in"]],
            "Empty": [],
            "Groups": [["group", "default"], ["Ops", True]],
        },
        Old="hidden",
    )
    inputs = piped(content)
    assert [(t.index, t.source, t.sheet, t.columns.kind) for t in inputs.tables] == [
        (0, "stdin!Users", "Users", Kind.USERS),
        (1, "stdin!Groups", "Groups", Kind.GROUPS),
    ]
    assert rows(inputs.tables[0]) == {3: ["", "a@acme.example", "Guest"]}
    assert rows(inputs.tables[1]) == {2: ["Ops", "TRUE"]}
    assert [(note.code, note.source) for note in inputs.notes] == [
        ("table-ignored", "stdin!Old"),
        ("table-ignored", "stdin!Readme"),
    ]


def test_cells_become_the_text_that_the_program_shows() -> None:
    cells = [
        43,
        43.0,
        1.5,
        -7,
        True,
        dt.date(2026, 1, 2),
        dt.datetime(2026, 1, 2, 3, 4),  # noqa: DTZ001  (a workbook knows no zones)
        dt.time(3, 4),
        "007",
        10**20,
    ]
    content = workbook({"x": [["email", "role", *"abcdefgh"], cells]})
    assert rows(one(piped(content))) == {
        2: [
            "43",
            "43",
            "1.5",
            "-7",
            "TRUE",
            "2026-01-02",
            "2026-01-02 03:04:00",
            "03:04:00",
            "007",
            "1e+20",
        ]
    }


def test_an_error_in_a_cell_that_counts_rejects_its_row() -> None:
    content = workbook(
        {
            "x": [
                ["email", "group", "action", "department"],
                ["a@acme.example", "Ops", "#N/A", "#REF!"],
                ["b@acme.example", "Ops", "=A1", "=A1"],
                ["c@acme.example", "Ops", None, "#REF!"],
            ]
        }
    )
    table = one(piped(content))
    assert rows(table)[2] == ["a@acme.example", "Ops", "#N/A", "#REF!"]
    assert rows(table)[4] == ["c@acme.example", "Ops", "", "#REF!"]
    assert [(f.code, f.row, f.column, f.value) for f in table.findings] == [
        ("cell-error", RowRef(0, 2, "stdin!x"), "action", "#N/A"),
        ("cell-error", RowRef(0, 3, "stdin!x"), "action", "#NOT CALCULATED!"),
    ]
    assert "never calculated" in table.findings[1].message


def test_a_row_of_nothing_but_errors_is_no_blank_row() -> None:
    table = one(piped(workbook({"x": [["email", "role"], ["=A1", "=A1"]]})))
    assert list(rows(table)) == [2]


def test_a_merged_cell_speaks_for_its_first_row_only_so_the_others_are_rejected() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["People who move", None, None, None])
    sheet.append(["email", "group", "action", "department"])
    sheet.append(["a@acme.example", "Ops", "remove", "Sales"])
    sheet.append(["b@acme.example", "Ops", None, None])
    for merged in ("A1:D1", "C3:C4", "D3:D4"):
        sheet.merge_cells(merged)
    content = io.BytesIO()
    book.save(content)
    table = one(piped(content.getvalue()))
    assert [(f.code, f.row, f.column) for f in table.findings] == [
        ("cell-error", RowRef(0, 4, "stdin!Sheet"), "action")
    ]


@pytest.mark.parametrize("shown", ["#N/A", "#MERGED!", "#NOT CALCULATED!", "#WERT!"])
def test_an_error_in_a_text_file_is_one_too(shown: str) -> None:
    """A blank action would add; and so that a row given back to be corrected is not sound."""
    table = one(piped(f"email,group,action,department\na@acme.example,Ops,{shown},{shown}\n"))
    assert [(f.code, f.column, f.value) for f in table.findings] == [
        ("cell-error", "action", shown)
    ]


def changed(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """Change the XML of one part of a workbook."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            assert name != part or old in data
            target.writestr(name, data.replace(old, new) if name == part else data)
    return out.getvalue()


def test_a_formula_that_came_to_nothing_is_blank() -> None:
    content = workbook({"x": [["email", "role", "groups"], ["a@acme.example", "=A1", "x"]]})
    sheet = "xl/worksheets/sheet1.xml"
    calculated = changed(
        content, sheet, b'<c r="B2"><f>A1</f><v />', b'<c r="B2" t="str"><f>A1</f><v></v>'
    )
    assert one(piped(calculated)).findings == ()


def test_a_cell_far_to_the_right_is_refused_before_all_cells_are_made() -> None:
    content = workbook({"x": [["email", "role"], ["a@acme.example", "x"]]})
    wide = changed(content, "xl/worksheets/sheet1.xml", b'r="B2"', b'r="XFD2"')
    with pytest.raises(SheetError, match='sheet "x": has something in XFD2, far from any table'):
        piped(wide)


@pytest.mark.parametrize("part", [0.25, 0.5, 0.9, 0.999])
def test_a_workbook_cut_short_is_one_clear_error(part: float) -> None:
    content = workbook({"x": [["email", "role"], ["a@acme.example", "x"]]})
    with pytest.raises(SheetError, match="stdin: no readable workbook"):
        piped(content[: int(len(content) * part)])


@pytest.mark.parametrize("cut", [b'<row r="3"', b"</sheetData>"])
def test_a_sheet_that_breaks_off_is_one_clear_error(cut: bytes) -> None:
    content = workbook({"x": [["email", "role"], ["a@acme.example", "x"], ["b@acme.example", "x"]]})
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read(part)
    with pytest.raises(SheetError, match="no readable workbook"):
        piped(changed(content, part, xml, xml[: xml.index(cut)]))


def test_a_sheet_that_is_refused_is_named(tmp_path: Path) -> None:
    path = tmp_path / "hr.xlsx"
    people = [["Email", "Role"], ["a@acme.example", "Member"]]
    path.write_bytes(workbook({"People": people, "Twice": [["Email", "E-mail", "Role"]]}))
    with pytest.raises(SheetError, match=r"^hr\.xlsx!Twice: more than one column means email"):
        read([str(path)], Reading())
    with pytest.raises(SheetError, match=r'^hr\.xlsx: there is no sheet "Leavers" in it'):
        read([f"{path}!Leavers"], Reading())


def test_a_workbook_behind_a_password_is_said_to_be_one() -> None:
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(SheetError, match="protected by a password"):
        piped(ole)


def test_an_old_workbook_that_is_none_is_one_clear_error() -> None:
    with pytest.raises(SheetError, match="no readable workbook"):
        piped(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600)


def test_a_sheet_with_a_name_from_html_is_found() -> None:
    content = workbook({"R&D <1>": [["email", "role"], ["a@acme.example", "#N/A"]]})
    assert [f.code for f in one(piped(content)).findings] == ["cell-error"]


# ---- files and folders -----------------------------------------------------------------------------------------------


def test_several_files_are_one_job(tmp_path: Path) -> None:
    users = saved(tmp_path / "users.csv", USERS)
    book = saved(tmp_path / "hr.xlsx", workbook({"G": [["group"], ["Ops"]]}))
    inputs = read([users, book], Reading())
    assert [(t.index, t.source, t.path) for t in inputs.tables] == [
        (0, "users.csv", tmp_path / "users.csv"),
        (1, "hr.xlsx!G", tmp_path / "hr.xlsx"),
    ]
    assert [(s.name, s.size) for s in inputs.sources] == [
        ("users.csv", len(USERS)),
        ("hr.xlsx", (tmp_path / "hr.xlsx").stat().st_size),
    ]
    assert inputs.sources[0].sha256 == hashlib.sha256(USERS.encode()).hexdigest()


def test_a_folder_means_its_own_table_files_by_name(tmp_path: Path) -> None:
    for name in ("b.csv", "A.CSV", "c.tsv", ".hidden.csv", "~$d.xlsx", "notes.md"):
        saved(tmp_path / name, USERS)
    (tmp_path / "2026-run").mkdir()
    saved(tmp_path / "2026-run" / "results.csv", USERS)
    (tmp_path / "folder.csv").mkdir()
    saved(tmp_path / "z.txt", "shopping list\nmilk\n")
    inputs = read([str(tmp_path)], Reading())
    assert [t.source for t in inputs.tables] == ["A.CSV", "b.csv", "c.tsv"]
    (note,) = inputs.notes
    assert (note.code, note.source) == ("table-ignored", "z.txt")
    assert "shopping list" in note.message


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(saved(tmp_path / folder / "users.csv", USERS))
    assert [t.source for t in read(paths, Reading()).tables] == paths


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", "foo,bar\n", r'x\.csv: there are neither .* \(columns: A "foo", B "bar"\)'),
        ("x.csv", "stra\xdfe,bar\n".encode("cp1252"), r"x\.csv: not UTF-8 from line 1"),
        (
            "x.xlsx",
            workbook({"x": [["email", "role"]]}, x="visible")[:40],
            r"x\.xlsx: no readable",
        ),
    ],
)
def test_a_file_that_is_no_table_is_an_error_when_named(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(SheetError, match=message):
        read([saved(tmp_path / name, content)], Reading())


def test_inputs_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match=r"gone\.csv: can't be opened \(No such file"):
        read([str(tmp_path / "gone.csv")], Reading())
    with pytest.raises(SheetError, match="holds no table file"):
        read([str(tmp_path)], Reading())
    with pytest.raises(SheetError, match="no input is named"):
        read([], Reading())
    with pytest.raises(SheetError, match="there is none here"):
        read(["-"], Reading())
    saved(tmp_path / "x.csv", "foo\n")
    with pytest.raises(SheetError, match=r"there is no table to read: x\.csv: was not read"):
        read([str(tmp_path)], Reading())


def test_an_input_is_named_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "users.csv", USERS)
    with pytest.raises(SheetError, match="is named twice"):
        read([path, str(tmp_path)], Reading())


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.csv")
    with pytest.raises(SheetError, match="a pipe and no regular file"):
        read([str(tmp_path / "x.csv")], Reading())


def test_the_kind_may_be_said() -> None:
    assert one(piped("email\na@acme.example\n", kind=Kind.USERS)).columns.kind is Kind.USERS


# ---- what an input is, whatever its name says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(b"%PDF-1.7", "a PDF document", id="pdf"),
        pytest.param(b"{\\rtf1", "a rich text document", id="rtf"),
        pytest.param(b"\x1f\x8b\x08", "a gzip archive", id="gzip"),
        pytest.param(b"\x89PNG\r\n", "a picture", id="picture"),
        pytest.param(b"SQLite format 3\0", "an SQLite database", id="database"),
        pytest.param(b"\x09\x04\x06\x00\x00", "a workbook of Excel 4", id="old Excel"),
        pytest.param(b" <!-- x --><HTML><table>", "a web page", id="page"),
        pytest.param("\ufeff<table>".encode("utf-16-le"), "a web page", id="wide page"),
        pytest.param(
            b'<?xml version="1.0"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "an XML spreadsheet of 2003",
            id="XML spreadsheet",
        ),
        pytest.param(b'<?xml version="1.0"?><users/>', "an XML file", id="XML"),
        pytest.param(b"MIME-Version: 1.0\r\n", "a web archive or an e-mail", id="web archive"),
        pytest.param(b'[{"email": "a@b.example"}]', "a JSON file", id="JSON"),
        pytest.param(bytes(range(256)), "data of a program", id="junk"),
    ],
)
def test_what_is_no_table_is_refused_by_its_true_name(
    tmp_path: Path, content: bytes, what: str
) -> None:
    with pytest.raises(SheetError, match=rf"users\.csv: (?:not text but )?{what}"):
        read([saved(tmp_path / "users.csv", content)], Reading())


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("x.xls", USERS, "is delimited text by its content, and was read as that"),
        ("x.json", USERS, "is delimited text by its content, and was read as that"),
        ("people", USERS, ""),
        ("x.TXT", USERS, ""),
        (
            "x.csv",
            workbook({"S": [["email", "role"], ["ana@acme.example", "Member"]]}),
            "is an .xlsx workbook by its content, and was read as one",
        ),
        ("x.xlsm", workbook({"S": [["email", "role"], ["ana@acme.example", "Member"]]}), ""),
    ],
)
def test_a_file_is_read_as_what_it_is(
    tmp_path: Path, name: str, content: str | bytes, note: str
) -> None:
    inputs = read([saved(tmp_path / name, content)], Reading())
    assert rows(one(inputs)) == {2: ["ana@acme.example", "Member"]}
    assert [(f.code, f.message) for f in inputs.notes] == ([("read-as", note)] if note else [])


def test_one_sheet_may_be_named_even_a_hidden_one(tmp_path: Path) -> None:
    pages = {name: [["email", "role"], [f"{name}@acme.example", "Guest"]] for name in "abc"}
    book = saved(tmp_path / "hr.xlsx", workbook(pages, b="hidden"))
    assert [t.sheet for t in read([book], Reading()).tables] == ["a", "c"]
    named = read([f"{book}!b", f"{book}!c"], Reading())
    assert [t.source for t in named.tables] == ["hr.xlsx!b", "hr.xlsx!c"]
    assert named.notes == ()
    with pytest.raises(SheetError, match=r'there is no sheet "d" in it; there are "a", "b", "c"'):
        read([f"{book}!d"], Reading())
    with pytest.raises(SheetError, match="is named twice"):
        read([book, f"{book}!a"], Reading())
    text = saved(tmp_path / "x.csv", USERS)
    with pytest.raises(SheetError, match="no workbook, so there is no sheet a in it"):
        read([f"{text}!a"], Reading())
    odd = saved(tmp_path / "x.csv!a", USERS)
    assert one(read([odd], Reading())).source == "x.csv!a"


def test_a_hidden_sheet_is_said_with_how_to_read_it(tmp_path: Path) -> None:
    pages = {name: [["email", "role"], ["a@acme.example", "Guest"]] for name in "ab"}
    (note,) = read([saved(tmp_path / "hr.xlsx", workbook(pages, b="hidden"))], Reading()).notes
    assert (note.code, note.source) == ("table-ignored", "hr.xlsx!b")
    assert 'name it: "hr.xlsx!b"' in note.message


def test_special_files_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="/dev/zero: a device and no regular file"):
        read(["/dev/zero"], Reading())
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(tmp_path / "s.csv"))
        with pytest.raises(SheetError, match="a socket and no regular file"):
            read([str(tmp_path / "s.csv")], Reading())
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(1 << 30)  # of holes
    with pytest.raises(SheetError, match=r"large\.csv: larger than 512 MiB"):
        read([str(tmp_path / "large.csv")], Reading())


def test_a_link_to_itself_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "users.csv").symlink_to(tmp_path / "users.csv")
    with pytest.raises(SheetError, match=r"users\.csv: can't be opened \(Too many levels"):
        read([str(tmp_path / "users.csv")], Reading())


def test_a_file_that_is_still_written_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    with path.open("w") as file:
        file.write(USERS)
        file.flush()
        with pytest.raises(SheetError, match=r"is still being written; .* save and close it"):
            read([str(path)], Reading())
        for age in (
            10,
            -100,
        ):  # just saved in a program that keeps it open; by a clock that is ahead
            os.utime(path, (time.time() - age,) * 2)
            assert read([str(path)], Reading()).tables
    assert read([str(path)], Reading()).tables


def test_a_file_named_by_a_folder_is_read_as_what_it_is_too(tmp_path: Path) -> None:
    saved(tmp_path / "a.xls", USERS)
    assert [t.source for t in read([str(tmp_path)], Reading()).tables] == ["a.xls"]
