"""Where a table starts, which lines are its rows, and what is said of those that are none."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torture.render import Raw, xlsx

from onboarding.errors import SheetError
from onboarding.headers import Kind, Table
from onboarding.model import Severity
from onboarding.sheets import OneInput, Reading, read
from onboarding.sheets.notes import listed

PEOPLE = "email,role,licences\n"
GROUPS = "group,description,members\n"
ANA = "ana@acme.example,Member,1\n"


def table(content: str | bytes, **how: object) -> Table:
    raw = content.encode() if isinstance(content, str) else content
    (only,) = read(["-"], Reading(**how), stdin=io.BytesIO(raw)).tables  # type: ignore[arg-type]
    return only


def refusal(content: str | bytes) -> str:
    with pytest.raises(SheetError) as caught:
        table(content)
    return str(caught.value)


def numbers(found: Table) -> list[int]:
    return [int(number) for number in found.frame.index]


def set_aside(found: Table) -> list[tuple[str, str]]:
    return [(f.message, f.value) for f in found.findings if f.code == "rows-set-aside"]


def test_every_line_is_a_row_or_is_said_to_be_none() -> None:
    content = (
        f"Staff,,\n\n{PEOPLE}Example: x,,\n# temps,,\n{ANA}\n{PEOPLE}ben@acme.example,,\nTotal,,2\n"
    )
    found = table(content)
    assert numbers(found) == [6, 9]
    assert found.top == 3
    assert found.ignored == {
        1: "title",
        2: "blank",
        3: "headers",
        4: "example",
        5: "remark",
        7: "blank",
        8: "headers once more",
        10: "total",
    }
    assert set_aside(found) == [
        ("row 4 is not read: an example and no row of the table", "Example: x"),
        ("row 5 is not read: a remark and no row of the table", "# temps"),
        (
            "row 8 is not read: the headers once more and no row of the table",
            "email role licences",
        ),
        ("row 10 is not read: a total and no row of the table", "Total 2"),
    ]


LINE = st.sampled_from(
    [
        "",
        ",,",
        "Total,,3",
        "# x",
        "Example: x,,",
        "email,role,licences",
        "Group,Description,",
        "x,y,z",
        "a@b.example,,",
    ]
)


@given(st.lists(LINE, max_size=8), st.lists(LINE, max_size=8))
def test_rows_and_ignored_lines_are_all_lines(above: list[str], below: list[str]) -> None:
    lines = [*above, "email,role,licences", *below]
    try:
        found = table("\n".join(lines) + "\n")
    except SheetError:
        return
    rows = set(numbers(found))
    assert rows | found.ignored.keys() == set(range(1, len(lines) + 1))
    assert not rows & found.ignored.keys()


@pytest.mark.parametrize(
    "line",
    [
        "Example: Ana,,",
        "example: ana@acme.example,Member,1",
        "e.g.: ana@acme.example,Member,1",
        "Beispiel: ana@acme.example,Member,1",
        " z. B.: Ana,,",
    ],
)
def test_an_example_below_the_headers_is_no_row(line: str) -> None:
    assert table(f"{PEOPLE}{line}\n{ANA}").ignored[2] == "example"


def test_an_example_far_below_is_somebodys_row() -> None:
    assert 5 in numbers(table(f"{PEOPLE}{ANA * 3}Example: x,,\n"))


@pytest.mark.parametrize(
    "line",
    [
        "Total,,12",
        "TOTAL:,,",
        "Total: 37,,",
        "Total Count: 2,,",
        "Count = 2,,",
        "2 records,,",
        "1 user,,",
        "Grand total,,1'200",
        ",,Total",
        "Summe,,12",
        "Gesamt,,5",
        "Record count: 5,,",
        "Number of employees,,2",
        "Subtotal,,1",
    ],
)
def test_a_total_is_nobody(line: str) -> None:
    assert table(f"{PEOPLE}{ANA}{line}\n").ignored[3] == "total"


@pytest.mark.parametrize(
    ("line", "is_row"),
    [
        ("Total,,12", False),
        ("Total: 3,,", False),
        ("Sum,,", True),
        ("Total,The oil company,12", True),
        ("Totals team,,", True),
    ],
)
def test_a_group_may_be_called_total(line: str, is_row: bool) -> None:
    assert (3 in numbers(table(f"{GROUPS}Finance,Money,3\n{line}\n"))) is is_row


@pytest.mark.parametrize(
    "line", ["Last updated: 2026-11-20,", "Page 1 of 1,", "Stand: 20.11.2026,", "Erstellt von HR,"]
)
def test_a_footer_is_no_group(line: str) -> None:
    assert numbers(table(f"{GROUPS}Stand,x\nPage,y\nCreated,\n{line}\n")) == [2, 3, 4]


def test_a_total_between_groups_is_a_group() -> None:
    assert numbers(table(f"{GROUPS}Total,,12\nFinance,Money,3\n")) == [2, 3]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param(f"{PEOPLE}# leavers below,,\n#temps\n{ANA}", [4], id="remarks"),
        pytest.param(f"{PEOPLE}#ben@acme.example,Member,1\n{ANA}", [2, 3], id="a row in remarks"),
        pytest.param(f"{PEOPLE}#N/A,Member,1\n{ANA}", [2, 3], id="an error"),
        pytest.param(f"{GROUPS}#general,,\n# new ones,,\n", [2], id="a group of a chat"),
        pytest.param(f"{GROUPS}(required),(optional),text\nOps,,\n", [3], id="hints"),
        pytest.param(f"{GROUPS}Ops,,\nrequired,,\n", [2, 3], id="a group called like a hint"),
    ],
)
def test_a_remark_is_no_row(content: str, rows: list[int]) -> None:
    assert numbers(table(content)) == rows


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("email,group\na@b.example,Ops\n\nemail,role\nb@b.example,Admin\n", id="other"),
        pytest.param("email,group\na@b.example,Ops\nE-Mail\nb@b.example\n", id="a list below"),
        pytest.param("email,group\na@b.example,Ops\nRemove:,\nemail,group\nb@b.example,Ops\n", id="titled"),
        pytest.param("group,description\nOps,x\nemail,role\nb@b.example,Admin\n", id="below groups"),
        pytest.param("group,description\nOps,x\nTeam,Description\nHR,x\n", id="groups again"),
        pytest.param("Group,Finance\nDescription,Money\nDefault,no\n", id="headers down the side"),
        pytest.param("email,role\n" + "a@b.example,\n" * 30 + "Zeta,Shoe size,E-Mail,Role\n", id="wider, far below"),
    ],
)  # fmt: skip
def test_the_headers_of_another_table_are_refused(content: str) -> None:
    assert "looks like the headers of another table" in refusal(content)


def test_headers_that_are_repeated_on_each_page_are_no_rows() -> None:
    page = "Group,Description\nFinance,x\n"
    assert numbers(table(page * 3)) == [2, 4, 6]


def test_tables_side_by_side_are_refused() -> None:
    assert "two tables stand side by side, with column C blank" in refusal(
        "email,role,,group,description\na@b.example,Member,,Ops,x\n"
    )


@pytest.mark.parametrize(
    "content",
    [
        "email,,role,groups\na@b.example,,Member,Ops\n",
        "email,role,,groups\na@b.example,Member,,Ops\n",
        "email,role,,group,description\na@b.example,Member,x,Ops,y\n",
    ],
)
def test_a_blank_column_alone_parts_nothing(content: str) -> None:
    assert numbers(table(content)) == [2]


# ---- how a file ends -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "codes"),
    [
        pytest.param("b@b.example,Ops", ["row-cut"], id="short"),
        pytest.param("b@b.example,Ops,", ["row-cut"], id="blank action"),
        pytest.param("b@b.example,Ops,add", [], id="whole"),
        pytest.param("b@b.example,Ops\n", [], id="short and ended"),
        pytest.param("b@b.example,Ops,\n", [], id="blank and ended"),
    ],
)
def test_a_last_row_without_line_end_may_be_cut_off(end: str, codes: list[str]) -> None:
    """It may have been ``remove``."""
    found = table(f"email,group,action\na@b.example,Ops,add\n{end}")
    assert [f.code for f in found.findings] == codes
    assert numbers(found) == [2, 3]


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        pytest.param("n@b.example,Ops,see mail\nof Monday,remove\n", ["row-cut"], id="torn"),
        pytest.param("n@b.example,Ops\nb@b.example,Ops\n", [], id="two short rows"),
        pytest.param("n@b.example,Ops,x\n\nb@b.example,Ops,x,\n", [], id="a blank line below"),
        pytest.param("n@b.example,Ops,x\nTotal: 2\n", [], id="a total below"),
        pytest.param('n@b.example,Ops,"x\nb@b.example,Ops,x,remove",\n', ["row-ragged"], id="swallowed"),
        pytest.param('n@b.example,Ops,"x\rb@b.example,Ops,x,remove",\n', ["row-ragged"], id="mixed ends"),
        pytest.param('n@b.example,"Ops,x,\nb@b.example,HR",y,remove\n', ["row-ragged"], id="half of two"),
        pytest.param('n@b.example,"Ops,x,\nb@b.example,HR,,\nc@b.example,HR",y,remove\n', ["row-ragged"], id="two halves"),
        pytest.param('n@b.example,Ops,"ask\nb@b.example, or me",\n', [], id="a remark of two lines"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_row_that_lost_or_took_in_lines_is_rejected(
    lines: str, codes: list[str], end: str
) -> None:
    text = f"email,group,notes,action\na@b.example,Ops,ok,add\n{lines}"
    found = table(text.replace("\n", end))
    assert [(f.code, f.row and f.row.row) for f in found.findings if f.row] == [
        (code, 3) for code in codes
    ]


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        pytest.param('HR,"Money\nOps,Operations\nIT,People"\nLegal,Law\n', [2], id="rows"),
        pytest.param('"Ops\nIT",x\nLegal,Law\n', [2], id="two names"),
        pytest.param('HR,"Money, and more\nfor all, and others"\nLegal,Law\n', [], id="a text"),
        pytest.param('HR,"Money\nPeople"\nLegal,"Law,courts"\n', [], id="lines"),
    ],
)
def test_a_group_that_took_in_lines_is_rejected(lines: str, rows: list[int]) -> None:
    found = table(f"group,description\n{lines}")
    assert [f.row.row for f in found.findings if f.row and f.code == "row-ragged"] == rows


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ('email,group,"x\na@b.example,Ops,"\nb@b.example,Ops,\n', 1),
        ('email,"group\na@b.example,Ops\nc@b.example",group\nb@b.example,x,Ops\n', 1),
        ('"New people\na@b.example,Ops\n"\nemail,group\nb@b.example,Ops\n', 1),
        ('New people\n"\na@b.example,Ops\n",\nemail,group\nb@b.example,Ops\n', 2),
    ],
)
def test_headers_and_titles_that_took_in_lines_are_refused(content: str, row: int) -> None:
    assert f"row {row} has a cell that holds whole lines" in refusal(content)


def test_headers_and_titles_may_have_two_lines() -> None:
    content = '"New people,\nof ana@b.example",,\n"E-mail\naddress",group,"notes,\nif any"\n'
    assert table(f"{content}b@b.example,Ops,\n").headers == (
        "E-mail\naddress", "group", "notes,\nif any",
    )  # fmt: skip


@pytest.mark.parametrize("end", ["b@b.example,Ops", "b@b.example,Ops,", "b@b.example,Ops, "])
def test_a_last_row_that_ends_like_all_others_is_whole(end: str) -> None:
    found = table(f"email,group,action\na@b.example,Ops,\nc@b.example,Ops\n{end}")
    assert found.findings == ()
    alone = table(f"email,group,action\n{end}")
    assert [f.code for f in alone.findings] == ["row-cut"]


def test_a_mark_of_the_end_of_a_file_is_no_row() -> None:
    assert numbers(table(f"{PEOPLE}{ANA}\x1a")) == [2]


def test_headers_without_rows_are_nothing_to_do_and_are_noted() -> None:
    found = table(PEOPLE)
    assert found.frame.empty
    (note,) = (f for f in found.findings if f.code == "table-empty")
    assert note.severity is Severity.NOTE
    assert note.message == "has headers and no rows; there is nothing to do for it"


# ---- how a text is spelled -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_letters_need_no_mark(encoding: str) -> None:
    found = table(f"{PEOPLE}zoë@acme.example,数据,\n".encode(encoding))
    assert found.encoding == encoding
    assert found.frame.iloc[0].tolist() == ["zoë@acme.example", "数据", ""]


def test_a_mark_is_certain_whatever_is_said() -> None:
    found = table(f"{PEOPLE}zoë@acme.example,,\n".encode("utf-8-sig"), encoding="cp1252")
    assert found.encoding == "utf-8-sig"


def test_a_doubtful_encoding_is_told_with_cells_in_the_likeliest_ones() -> None:
    said = refusal("email,groups\na@b.example,Größe\nb@b.example,Muñoz\nc@b.example,Zoë\n".encode("cp1252"))  # fmt: skip
    assert 'as cp1252: "Größe", "Muñoz", "Zoë"; as cp1250: "Größe", "Muńoz", "Zoë"' in said
    cyrillic = refusal("email,groups\na@b.example,Финансы\n".encode("cp1251"))
    assert 'as cp1251: "Финансы"' in cyrillic


def test_no_password_is_shown_where_an_encoding_is_doubtful() -> None:
    said = refusal("email,groups,Password\na@b.example,Größe,Gehéim\n".encode("cp1252"))
    assert "Geh" not in said
    assert "passwords" in said


@pytest.mark.parametrize("unseen", ["_x000D_", "_x00a0_", "\u200b"])
def test_a_row_of_what_nobody_sees_is_blank(unseen: str) -> None:
    found = table(f"email,role\nana@acme.example,Guest\n{unseen},\nben@acme.example,Member\n")
    assert numbers(found) == [2, 4]
    assert found.ignored == {1: "headers", 3: "blank"}


def test_blanks_before_quotes_are_no_part_of_cells() -> None:
    found = table('"email", "group"\n"a@b.example", "Ops, HR"\n')
    assert found.frame.iloc[0].tolist() == ["a@b.example", "Ops, HR"]


def test_a_file_may_have_settings_of_its_own() -> None:
    inputs = {"st*": OneInput(encoding="cp1250", delimiter=":"), "other.csv": OneInput("utf-16")}
    found = table("email:groups\na@b.example:Łódź\n".encode("cp1250"), inputs=inputs)
    assert (found.encoding, found.delimiter) == ("cp1250", ":")
    assert found.frame.iloc[0].tolist() == ["a@b.example", "Łódź"]


# ---- what a workbook hides -------------------------------------------------------------------------------------------


def test_what_is_hidden_is_read_and_noted() -> None:
    from torture.render import parts, sheet_xml, zipped

    rows = [["email", "role", "licences"], *(["a@b.example", "Member"] for _ in range(5))]
    xml = sheet_xml(
        rows,
        before='<cols><col min="2" max="3" hidden="1"/></cols>',
        rows_more=dict.fromkeys((3, 4, 6), 'hidden="1"'),
    )
    found = table(zipped(parts({"S": xml})))
    assert numbers(found) == [2, 3, 4, 5, 6]
    assert [f.message for f in found.findings if f.code == "hidden-read"] == [
        "rows 3–4, 6 are hidden or filtered out, and read like any other",
        'the columns are hidden, and read like any other: "role", "licences"',
    ]


def test_a_row_of_a_total_in_a_workbook_is_nobody() -> None:
    found = table(xlsx([["email", "role"], ["a@b.example", "Member"], ["Total", Raw("><v>1</v>")]]))
    assert (found.columns.kind, numbers(found)) == (Kind.USERS, [2])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([2], "row 2 is"),
        ([2, 3], "rows 2–3 are"),
        ([2, 4, 5], "rows 2, 4–5 are"),
        (range(1, 20, 2), "10 rows (1, 3, 5, 7, 9, …) are"),
    ],
)
def test_rows_are_named_neighbours_together(rows: list[int], words: str) -> None:
    assert listed(rows) == words


def test_a_table_that_has_the_title_of_our_report_is_read() -> None:
    assert numbers(table(f"Onboarding report,\n{PEOPLE}{ANA}")) == [3]


def test_our_own_result_columns_say_nothing_of_what_a_table_is() -> None:
    ours = "result,result_status,result_code,result_message,result_fix,result_actions,result_row"
    found = table(f"{GROUPS.strip()},{ours}\nOps,Runs,4,success,applied,done,,,,teams.xlsx:2\n")
    assert (found.columns.kind, found.fed_back) == (Kind.GROUPS, True)


def test_headers_once_more_in_a_report_that_is_handed_back_are_still_no_row() -> None:
    ours = "result,result_status,result_code,result_message,result_fix,result_actions,result_row"
    content = f"{PEOPLE.strip()},{ours}\n{ANA.strip()},success,done,,,,,\n{PEOPLE.strip()},,,,,,,\n"
    assert table(content).ignored == {1: "headers", 3: "headers once more"}
