"""Workbooks of every format, made by hand: what their cells mean, and what is refused before anything is read."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from torture.render import (
    Raw,
    by_openpyxl,
    ods,
    ods_content,
    ods_parts,
    ods_table,
    parts,
    sheet_xml,
    unzipped,
    xlsb,
    xlsx,
    zipped,
)
from torture.render import _record as record

from onboarding.errors import SheetError
from onboarding.workbooks import (
    Sheet,
    Workbook,
    _understood,
    inside,
    is_workbook,
    read_workbook,
)
from onboarding.workbooks.container import LARGEST
from onboarding.workbooks.marks import cell_name, place

ROWS = [["Email", "Group", "Action"], ["a@acme.example", "Ops", "remove"], [43, 1.5, True]]
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def understood(content: bytes, *wanted: str) -> Workbook:
    """Read in this process what else is read in one of its own."""
    return _understood(map(json.loads, inside.lines(content, wanted)))


def sheet(content: bytes) -> Sheet:
    (only,) = understood(content).sheets
    return only


def rows(sheet: Sheet) -> list[list[str]]:
    return [*map(list, zip(*sheet.columns, strict=True))]


def book(xml: str, **properties: str) -> bytes:
    return zipped(parts({"S": xml}, **properties))


LOOKS = [pytest.param('<dimension ref="A1:K9"/>', id="a look"), pytest.param("", id="parsed")]
"""What stands before the cells; without a dimension, a look at the bytes is not enough."""


def looked_at(look: str, *rows: Sequence[Any]) -> bytes:
    return book(sheet_xml(rows, before=look))


def cells(*row: str) -> bytes:
    """Make an ``.xlsx`` whose second row has these cells, ready made."""
    return xlsx([["h"] * len(row), [*map(Raw, row)]])


def compound(streams: Mapping[str, bytes]) -> bytes:
    """Write an OLE file: header, one sector of its list of sectors, two of its directory, the streams."""
    fat, at, body, entries = [0xFFFFFFFD, 2, 0xFFFFFFFE], 3, b"", b""
    for name, stream in {"Root Entry": b"", **streams}.items():
        padded = stream.ljust(4096, b"\0") if stream else b""
        padded += b"\0" * (-len(padded) % 512)
        many = len(padded) // 512
        fat += [*range(at + 1, at + many), 0xFFFFFFFE] if many else []
        letters = name.encode("utf-16-le")
        kind = 2 if stream else 5
        entries += letters.ljust(64, b"\0") + struct.pack("<HBB", len(letters) + 2, kind, 1)
        entries += b"\xff" * 12 + b"\0" * 36
        entries += struct.pack("<IQ", at if many else 0xFFFFFFFE, len(padded))
        at += many
        body += padded
    header = OLE + b"\0" * 16 + struct.pack("<5H6x", 62, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(512, b"\xff")
    return header + table + entries.ljust(1024, b"\0") + body


def biff(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def xls(rows: Sequence[Sequence[Any]], *more: bytes, before: bytes = b"") -> bytes:
    """Write an ``.xls`` of one sheet; ``more`` are records behind its cells, ``before`` before its list of sheets."""

    def start(kind: int) -> bytes:
        return biff(0x809, struct.pack("<4H2I", 0x600, kind, 0, 1996, 0, 0))

    name = biff(0x85, struct.pack("<IBBBB", 0, 0, 0, 1, 0) + b"S")
    end = biff(0x0A, b"")
    offset = len(start(5) + before + name + end)
    name = biff(0x85, struct.pack("<IBBBB", offset, 0, 0, 1, 0) + b"S")
    written = b"".join(
        xls_cell(r, c, value) for r, row in enumerate(rows) for c, value in enumerate(row)
    )
    stream = start(5) + before + name + end + start(0x10) + written + b"".join(more) + end
    return compound({"Workbook": stream})


def xls_cell(row: int, column: int, value: Any) -> bytes:
    head = struct.pack("<3H", row, column, 0)
    match value:
        case bytes():
            return biff(*struct.unpack("<H", value[:2]), head + value[2:])
        case bool():
            return biff(0x205, head + bytes([value, 0]))
        case int() | float():
            return biff(0x203, head + struct.pack("<d", value))
        case _:
            return biff(0x204, head + struct.pack("<HB", len(value), 0) + value.encode("latin-1"))


XLS_ERROR = struct.pack("<HBB", 0x205, 0x2A, 1)
XLS_FORMULA_ERROR = struct.pack("<HBxBxxxHHIH", 0x06, 2, 0x07, 0xFFFF, 0, 0, 2) + b"\x1c\x07"
XLS_FORMULA_NUMBER = struct.pack("<HdHIH", 0x06, 7.0, 0, 0, 3) + b"\x1e\x07\x00"


# ---- what every format has -------------------------------------------------------------------------------------------

FORMATS = {"xlsx": xlsx, "ods": ods, "xlsb": xlsb, "xls": xls}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_table_is_the_same_in_every_format(kind: str) -> None:
    content = FORMATS[kind](ROWS)
    assert is_workbook(content)
    found = read_workbook(content)
    assert found == understood(content)
    assert found.format == kind
    (only,) = found.sheets
    assert rows(only) == [
        ["Email", "Group", "Action"],
        ["a@acme.example", "Ops", "remove"],
        ["43", "1.5", "TRUE"],
    ]
    assert (only.visible, only.read, only.errors, only.covered) == (True, True, {}, frozenset())
    assert (only.hidden_rows, only.hidden_columns) == (frozenset(), frozenset())


def test_a_workbook_with_macros_is_one_and_they_are_never_run() -> None:
    assert understood(zipped([*unzipped(xlsx(ROWS)), ("xl/vbaProject.bin", b"x")])).format == "xlsm"


ODS_ERROR = Raw(
    '<table:table-cell table:formula="of:=NA()" office:value-type="string" calcext:value-type="error" '
    'xmlns:calcext="urn:x" office:string-value=""><text:p>#N/A</text:p></table:table-cell>'
)
ODS_BY_EXCEL = Raw(
    '<table:table-cell office:value-type="float" office:value="0" table:formula="of:=0/0">'
    "<text:p>#DIV/0!</text:p></table:table-cell>"
)
ODS_NEVER = Raw('<table:table-cell table:formula="of:=A1"/>')


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        pytest.param(xlsx([["h"], [Raw('t="e"><v>#N/A</v>')]]), "#N/A", id="xlsx"),
        pytest.param(xlsx([["h"], [Raw("t='e'><v>#REF!</v>")]]), "#REF!", id="single quotes"),
        pytest.param(
            xlsx([["h"], [Raw('t="e"><f>1/0</f><v>#DIV/0!</v>')]]), "#DIV/0!", id="of a formula"
        ),
        pytest.param(xlsx([["h"], [Raw('t="e"><v/>')]]), "#ERROR!", id="nameless"),
        pytest.param(xlsb([["h"], ["#N/A"]]), "#N/A", id="xlsb"),
        pytest.param(xls([["h"], [XLS_ERROR]]), "#N/A", id="xls"),
        pytest.param(xls([["h"], [XLS_FORMULA_ERROR]]), "#DIV/0!", id="xls, of a formula"),
        pytest.param(ods([["h"], [ODS_ERROR]]), "#N/A", id="ods"),
        pytest.param(ods([["h"], [ODS_BY_EXCEL]]), "#DIV/0!", id="ods by Excel, with the value 0"),
    ],
)
def test_an_error_is_no_blank_cell_in_any_format(content: bytes, shown: str) -> None:
    found = sheet(content)
    assert found.errors == {(2, 0): shown}
    assert len(rows(found)) == 2


def test_values_of_formulas_are_those_that_were_stored() -> None:
    assert rows(sheet(xls([["h"], [XLS_FORMULA_NUMBER]]))) == [["h"], ["7"]]
    calculated = cells('t="str"><f>A1</f><v>remove</v>', "><f>1+1</f><v>2</v>")
    assert rows(sheet(calculated))[1] == ["remove", "2"]
    assert sheet(calculated).errors == {}


@pytest.mark.parametrize(
    ("cell", "calculated"),
    [
        pytest.param("><f>A1</f>", False, id="no value"),
        pytest.param("><f>A1</f><v/>", False, id="an empty one, as openpyxl writes"),
        pytest.param('t="str"><f>A1</f>', False, id="a text without value"),
        pytest.param("><f/><v></v>", False, id="an empty formula"),
        pytest.param('t="str"><f>A1</f><v></v>', True, id="an empty text"),
        pytest.param('t="inlineStr"><f>A1</f><is><t></t></is>', True, id="an empty text inside"),
        pytest.param('t="b"><f>TRUE()</f><v>0</v>', True, id="no"),
        pytest.param("><f>A1</f><v>0</v>", True, id="nought"),
    ],
)
def test_a_formula_is_calculated_or_was_never(cell: str, calculated: bool) -> None:
    assert sheet(cells(cell)).errors == ({} if calculated else {(2, 0): ""})


def test_noughts_count_for_nothing_where_all_is_to_be_calculated_at_opening() -> None:
    xml = sheet_xml([["h"], [Raw("><f>A1</f><v>0</v>"), Raw("><f>A1</f><v>7</v>")]])
    members = parts({"S": xml})
    members["xl/workbook.xml"] = members["xl/workbook.xml"].replace(
        "</sheets>", '</sheets><calcPr fullCalcOnLoad="1"/>'
    )
    assert sheet(zipped(members)).errors == {(2, 0): ""}


def test_errors_below_the_last_value_are_rows() -> None:
    found = sheet(xlsx([["h"], [], [Raw('t="e"><v>#N/A</v>')]]))
    assert [*map("".join, rows(found))] == ["h", "", ""]
    assert found.errors == {(3, 0): "#N/A"}


def test_rows_of_errors_are_as_wide_as_all_others() -> None:
    found = sheet(xlsx([["h", "i"], ["a", "b"], [], [Raw('t="e"><v>#N/A</v>')]]))
    assert (found.columns, found.height) == ([["h", "a", "", ""], ["i", "b", "", ""]], 4)
    nothing_else = sheet(xlsx([[], [Raw("><f>A1</f>")]]))
    assert (nothing_else.columns, nothing_else.height) == ([], 2)


def test_cells_come_out_of_the_process_as_they_are() -> None:
    odd = ["a\x7fb", "\x7f", "", "Zoë 💡", '"\\', "{}", "\u2028", "x\ny\tz"]
    lines = [["h"] * len(odd), odd, ["y"] * len(odd), odd[::-1]]
    assert rows(read_workbook(by_openpyxl(lines)).sheets[0]) == lines
    many = [["h"], *([str(number)] for number in range(2 * inside.CHUNK)), ["\x7f"]]
    assert rows(read_workbook(xlsx(many)).sheets[0]) == many


ODS_HIDDEN = ods_table([["a", "b"], ["c", "d"]]).replace(
    "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>c",
    "<table:table-row table:visibility=\"filter\"><table:table-cell office:value-type=\"string\"><text:p>c",
).replace(
    "<table:table-row>",
    '<table:table-column/><table:table-column table:visibility="collapse"/><table:table-row>',
    1,
)  # fmt: skip


def xlsb_with(*records: bytes) -> bytes:
    """Write an ``.xlsb`` with records more, before its rows and behind them."""
    ahead, behind = records
    out = []
    for name, content in unzipped(xlsb([["a", "b"], ["c", "d"]])):
        if name.endswith("sheet1.bin"):
            second = record(0, struct.pack("<IIHBBBI", 1, 0, 300, 0, 0, 0, 0))
            hidden = record(0, struct.pack("<IIHBBBI", 1, 0, 300, 0, 0x10, 0, 0))
            assert second in content
            content = content.replace(record(145), ahead + record(145)).replace(second, hidden)
            content = content.replace(record(146), record(146) + behind)
        out.append((name, content))
    return zipped(out)


HIDDEN_IN_XLSX = sheet_xml(
    [["a", "b"], ["c", "d"]],
    before='<cols><col min="2" max="2" hidden="1"/></cols>',
    rows_more={2: 'hidden="1"'},
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(book(HIDDEN_IN_XLSX), id="xlsx"),
        pytest.param(book(HIDDEN_IN_XLSX.replace('"1"/', '"true"/')), id="xlsx, in words"),
        pytest.param(zipped(ods_parts(ods_content(ODS_HIDDEN)), stored=True), id="ods"),
        pytest.param(xlsb_with(record(60, struct.pack("<IIIIH", 1, 1, 0, 0, 1)), b""), id="xlsb"),
        pytest.param(
            xls(
                [["a", "b"], ["c", "d"]],
                biff(0x208, struct.pack("<6HHH", 1, 0, 2, 0, 0, 0, 0x20, 0)),
                biff(0x7D, struct.pack("<6H", 1, 1, 0, 0, 1, 0)),
            ),
            id="xls",
        ),
    ],
)
def test_hidden_rows_and_columns_are_read_and_told_of(content: bytes) -> None:
    found = sheet(content)
    assert rows(found) == [["a", "b"], ["c", "d"]]
    assert (found.hidden_rows, found.hidden_columns) == ({2}, {1})


def test_rows_that_a_program_says_to_be_shown_are_not_hidden() -> None:
    assert (
        sheet(book(HIDDEN_IN_XLSX.replace('hidden="1"', 'hidden="false"'))).hidden_rows
        == frozenset()
    )


MERGED_CELL = (
    '<table:table-cell office:value-type="string" table:number-rows-spanned="2" table:number-columns-spanned="2">'
    "<text:p>b</text:p></table:table-cell>"
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            book(
                sheet_xml(
                    [["a", "b", None], ["c", None, "x"]],
                    after='<mergeCells><mergeCell ref="B1:C2"/></mergeCells>',
                )
            ),
            id="xlsx",
        ),
        pytest.param(
            ods([["a", Raw(MERGED_CELL), Raw("<table:covered-table-cell/>")], ["c", "", "x"]]),
            id="ods",
        ),
        pytest.param(
            xls([["a", "b"], ["c"]], biff(0xE5, struct.pack("<5H", 1, 0, 1, 1, 2))), id="xls"
        ),
        pytest.param(
            xlsb_with(
                record(60, struct.pack("<IIIIH", 1, 1, 0, 0, 0)),
                record(176, struct.pack("<4I", 0, 1, 1, 2)),
            ),
            id="xlsb",
        ),
    ],
)
def test_cells_below_and_beside_a_merged_one_are_known(content: bytes) -> None:
    found = sheet(content).covered
    assert (2, 1) in found
    assert (1, 1) not in found
    assert found <= {(1, 2), (2, 1), (2, 2)}


BLANK_MERGED_CELL = '<table:table-cell table:number-rows-spanned="3"/>'
UNDER_IT = '<table:covered-table-cell office:value-type="string"><text:p>remove</text:p></table:covered-table-cell>'


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            book(
                sheet_xml(
                    [["a", None], ["b", "remove"], ["c", None]],
                    after='<mergeCells><mergeCell ref="B1:B9"/><mergeCell ref="A9"/></mergeCells>',
                )
            ),
            id="xlsx",
        ),
        pytest.param(
            ods([["a", Raw(BLANK_MERGED_CELL)], ["b", Raw(UNDER_IT)], ["c", None]]), id="ods"
        ),
    ],
)
def test_a_merged_area_that_shows_nothing_covers_what_stands_below_it(content: bytes) -> None:
    assert sheet(content).covered == {(2, 1)}


def test_an_error_in_a_merged_cell_covers_what_a_value_would() -> None:
    merged = '<mergeCells><mergeCell ref="B1:B2"/></mergeCells>'
    content = book(sheet_xml([["a", Raw('t="e"><v>#N/A</v>')], ["c", None]], after=merged))
    assert sheet(content).covered == {(2, 1)}


def test_a_hidden_sheet_is_read_only_where_it_is_named() -> None:
    pages = {name: sheet_xml([[name]]) for name in ("Shown", "Hidden", "Very")}
    content = zipped(parts(pages, states={"Hidden": "hidden", "Very": "veryHidden"}))
    assert [(s.name, s.visible, s.read, rows(s)) for s in read_workbook(content).sheets] == [
        ("Shown", True, True, [["Shown"]]),
        ("Hidden", False, False, []),
        ("Very", False, False, []),
    ]
    assert [rows(s) for s in read_workbook(content, {"Very"}).sheets] == [[], [], [["Very"]]]


# ---- what a cell means -----------------------------------------------------------------------------------------------

STYLES = (
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="2">'
    '<numFmt numFmtId="200" formatCode="000000"/><numFmt numFmtId="201" formatCode="0.00"/><numFmt numFmtId="202" formatCode="0.0%"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="200"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="200"/>'
    '<xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="201"/><xf numFmtId="9"/><xf numFmtId="10"/><xf numFmtId="202"/></cellXfs></styleSheet>'
)


def styled(*row: str, date1904: str = "") -> bytes:
    members = parts(
        {"S": sheet_xml([["h"], [*map(Raw, row)]])}, properties=f"<workbookPr {date1904}/>"
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(
        "</Types>", f'<Override PartName="/xl/styles.xml" ContentType="{kind}"/></Types>'
    )
    return zipped({**members, "xl/styles.xml": STYLES})


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        pytest.param("><v>43</v>", "43", id="number"),
        pytest.param("><v>43.0</v>", "43", id="whole number"),
        pytest.param("><v>1E5</v>", "100000", id="exponent"),
        pytest.param("><v>0.1</v>", "0.1", id="fraction"),
        pytest.param('t="b"><v>1</v>', "TRUE", id="yes"),
        pytest.param('t="str"><v>007</v>', "007", id="text"),
        pytest.param('t="inlineStr"><is><t>007</t></is>', "007", id="text inside"),
        pytest.param('s="1"><v>43</v>', "000043", id="zeros by format"),
        pytest.param('s="1"><v>1234567</v>', "1234567", id="more digits than the format"),
        pytest.param('s="1"><v>4.5</v>', "4.5", id="no whole number"),
        pytest.param('s="4"><v>7</v>', "7", id="decimals by format"),
        pytest.param('s="1" t="str"><v>0081</v>', "0081", id="text under a format of zeros"),
        pytest.param('s="5"><v>0.5</v>', "50%", id="per cent"),
        pytest.param('s="5"><v>5.0E-2</v>', "5%", id="per cent with exponent"),
        pytest.param('s="6"><v>0.12345</v>', "12.35%", id="per cent with decimals"),
        pytest.param('s="7"><v>-1</v>', "-100.0%", id="per cent by a format of its own"),
        pytest.param('s="5" t="str"><v>0.5</v>', "0.5", id="text under per cent"),
        pytest.param('s="2"><v>46024</v>', "2026-01-02", id="date"),
        pytest.param('s="3"><v>46024.5</v>', "2026-01-02 12:00:00", id="date and time"),
        pytest.param('t="d"><v>2026-01-02T00:00:00</v>', "2026-01-02", id="date as text"),
        pytest.param(
            't="inlineStr"><is><r><t>A</t></r><r><t>na</t></r></is>', "Ana", id="two fonts"
        ),
        pytest.param('t="str"><v>_x0041_na</v>', "Ana", id="escaped letter"),
    ],
)
def test_a_cell_is_the_text_that_it_stands_for(cell: str, text: str) -> None:
    assert rows(sheet(styled(cell)))[1] == [text]


def test_a_date_may_count_from_1904() -> None:
    assert rows(sheet(styled('s="2"><v>44562</v>', date1904='date1904="1"')))[1] == ["2026-01-02"]


def sharing(content: bytes, *texts: str) -> bytes:
    """Give an ``.xlsx`` texts that its cells share."""
    members = dict(unzipped(content))
    named = members["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>",
        b'<Relationship Id="rIdT" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        b'sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    )
    shared = "".join(f"<si>{text}</si>" for text in texts)
    whole = {"xl/_rels/workbook.xml.rels": named, "xl/sharedStrings.xml": f"<sst>{shared}</sst>"}
    return zipped({**members, **whole})


def test_a_shared_text_has_no_number_format() -> None:
    """What stands in the cell is the number of the text, which no format concerns."""
    content = sharing(styled('s="1" t="s"><v>1</v>'), "<t>a</t>", "<t>00081</t>")
    assert rows(sheet(content))[1] == ["00081"]


STRUCK_RUN = "<r><rPr><strike/><b/></rPr><t>new@acme.example</t></r>"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    "written",
    [
        pytest.param(STRUCK_RUN, id="all of it"),
        pytest.param(f"<r><t>Ops; </t></r>{STRUCK_RUN}", id="the end"),
        pytest.param(f"{STRUCK_RUN}<r><t>Ops</t></r>", id="the beginning"),
    ],
)
def test_a_line_through_words_of_a_cell_is_an_error(written: str, look: str) -> None:
    inside = Raw(f't="inlineStr"><is>{written}</is>')
    shared = sharing(looked_at(look, ["h"], [Raw('t="s"><v>1</v>')]), "<t>a</t>", written)
    for content in (shared, looked_at(look, ["h"], [inside])):
        assert sheet(content).errors == {(2, 0): "#STRUCK OUT!"}


@pytest.mark.parametrize(
    "written",
    [
        pytest.param('<r><rPr><strike val="0"/></rPr><t>strike</t></r>', id="off"),
        pytest.param("<r><rPr><strike/></rPr><t> </t></r><r><t>x</t></r>", id="a blank"),
        pytest.param("<t>strike</t>", id="the word"),
    ],
)
def test_a_line_through_nothing_is_none(written: str) -> None:
    shared = sharing(cells('t="s"><v>0</v>'), written)
    for content in (shared, cells(f't="inlineStr"><is>{written}</is>')):
        assert sheet(content).errors == {}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    "cell",
    [
        pytest.param('t="str"><v><![CDATA[remove]]></v>', id="CDATA"),
        pytest.param('t="str"><v>a<![CDATA[remove]]>d</v>', id="CDATA in the middle"),
        pytest.param('t="s"><v> 1 </v>', id="blanks round a number"),
        pytest.param('t="s"><v>\n1</v>', id="a line break before a number"),
        pytest.param('t="s"><v>1 </v>', id="a blank behind a number"),
        pytest.param('t="s"><v>1.0</v>', id="no whole number"),
        pytest.param('t="s"><v>-1</v>', id="less than nothing"),
        pytest.param('t="inlineStr"><v>remove</v>', id="no text inside"),
    ],
)
def test_a_text_that_the_library_leaves_out_is_no_blank_cell(cell: str, look: str) -> None:
    content = sharing(looked_at(look, ["g", "h"], ["x", Raw(cell)]), "<t>a</t>", "<t>remove</t>")
    with pytest.raises(SheetError, match=r'the sheet "S": has something in B2 that cannot be read'):
        understood(content)


@pytest.mark.parametrize("look", LOOKS)
def test_a_blank_cell_is_one_however_it_is_written(look: str) -> None:
    blank = (
        't="s"><v>0</v>',
        't="s"><v>1</v>',
        't="s"><v>2</v>',
        't="s"><v></v>',
        't="str"><v/>',
        't="str"><v />',
        't="str"><v> </v>',
        't="inlineStr"><is><t/></is>',
        't="inlineStr"><is><t xml:space="preserve"></t></is>',
        't="inlineStr"><is><t> </t></is>',
        ">",
    )
    several = looked_at(look, ["h"] * len(blank), [*map(Raw, blank)], ["x"])
    found = sheet(sharing(several, "<t/>", "<t> </t>", "<r><t/></r>", "<t>y</t>"))
    assert not "".join(rows(found)[1]).strip()
    assert (found.height, found.errors) == (3, {})


def test_per_cent_that_an_ods_shows_is_kept() -> None:
    half = '<table:table-cell office:value-type="percentage" office:value="0.5"><text:p>50 %</text:p></table:table-cell>'
    assert rows(sheet(ods([["h"], [Raw(half)]])))[1] == ["50 %"]


def test_zeros_that_an_ods_shows_are_kept() -> None:
    padded = '<table:table-cell office:value-type="float" office:value="7"><text:p>007</text:p></table:table-cell>'
    assert rows(sheet(ods([["h"], [Raw(padded)]])))[1] == ["007"]


def test_line_breaks_and_tabs_of_an_ods_part_words() -> None:
    said = (
        '<table:table-cell office:value-type="string"><text:p>Ops<text:line-break/>HR<text:tab/>x<text:s text:c="2"/>y'
        "</text:p><text:p>z</text:p></table:table-cell>"
    )
    assert rows(sheet(ods([["h"], [Raw(said)]])))[1] == ["Ops\nHR\tx  y\nz"]


def test_a_comment_is_no_part_of_a_cell() -> None:
    noted = (
        '<table:table-cell office:value-type="float" office:value="7"><office:annotation><text:p>008</text:p>'
        "</office:annotation><text:p>7</text:p></table:table-cell>"
    )
    assert rows(sheet(ods([["h"], [Raw(noted)]])))[1] == ["7"]


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("<table:table-cell><text:p>remove</text:p>", id="no kind"),
        pytest.param(
            '<table:table-cell office:value-type="string"><text:p><![CDATA[remove]]></text:p>',
            id="CDATA",
        ),
        pytest.param(
            '<table:table-cell office:value-type="string"><text:p>re<![CDATA[mo]]>ve</text:p>',
            id="CDATA in the middle",
        ),
        pytest.param(
            '<table:table-cell office:value-type="string" office:string-value=""><text:p>remove</text:p>',
            id="an empty value",
        ),
    ],
)
def test_a_text_that_an_ods_shows_is_kept(cell: str) -> None:
    shown = Raw(f"{cell}</table:table-cell>")
    assert rows(sheet(ods([["g", "h"], ["x", shown]]))) == [["g", "h"], ["x", "remove"]]
    assert rows(sheet(ods([["g"], ["x", shown], ["", shown]])))[1:] == [
        ["x", "remove"],
        ["", "remove"],
    ]


@pytest.mark.parametrize("kind", ["float", "date", "boolean", "void"])
def test_a_text_beside_no_value_of_its_kind_is_an_error(kind: str) -> None:
    cell = (
        f'<table:table-cell office:value-type="{kind}"><text:p>remove</text:p></table:table-cell>'
    )
    assert sheet(ods([["h"], [Raw(cell)]])).errors == {(2, 0): "#ERROR!"}


def test_a_box_with_a_text_over_a_blank_cell_is_no_part_of_it() -> None:
    box = (
        "<table:table-cell><table:shape><text:p>remove</text:p></table:shape>"
        "<text:p>x</text:p></table:table-cell>"
    )
    blank = box.replace("<text:p>x</text:p>", "")
    assert rows(sheet(ods([["g", "h"], [Raw(box), Raw(blank)]])))[1] == ["x", ""]


def test_cells_that_an_ods_writes_once_for_many_are_all_there() -> None:
    many = ODS_ERROR.replace(
        "<table:table-cell ", '<table:table-cell table:number-columns-repeated="2" '
    )
    assert sheet(ods([["h", "i"], [Raw(many)]])).errors == {(2, 0): "#N/A", (2, 1): "#N/A"}


# ---- what is refused -------------------------------------------------------------------------------------------------


def zip_of(*names: str) -> bytes:
    return zipped(dict.fromkeys(names, "x"))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(zip_of("word/document.xml"), "a Word document", id="docx"),
        pytest.param(zip_of("ppt/presentation.xml"), "a presentation", id="pptx"),
        pytest.param(zip_of("Index/Document.iwa"), "an Apple document", id="numbers"),
        pytest.param(zip_of("mimetype", "content.xml"), "an OpenDocument file and no", id="odt"),
        pytest.param(zip_of("people.csv"), "a zip archive and no workbook", id="zip"),
        pytest.param(zipped({}), "a zip archive and no workbook", id="empty zip"),
        pytest.param(compound({"WordDocument": b"x"}), "a Word document", id="doc"),
        pytest.param(compound({"PowerPoint Document": b"x"}), "a presentation", id="ppt"),
        pytest.param(compound({"__properties_version1.0": b"x"}), "an e-mail message", id="msg"),
        pytest.param(compound({"EncryptedPackage": b"x"}), "protected by a password", id="locked"),
        pytest.param(
            xls([["a"]], before=biff(0x2F, b"\0" * 6)), "protected by a password", id="locked xls"
        ),
        pytest.param(
            zipped(ods_parts("") | {"META-INF/manifest.xml": "<encryption-data/>"}),
            "protected by a password",
            id="locked ods",
        ),
        pytest.param(compound({"Other": b"x"}), "no readable workbook", id="another OLE file"),
        pytest.param(OLE + b"\0" * 600, "no readable workbook", id="no OLE file"),
        pytest.param(OLE, r"no readable workbook.*\(it is cut short\)", id="OLE and nothing else"),
        pytest.param(
            xls(ROWS)[:1900], r"no readable workbook.*\(it is cut short\)", id="cut OLE file"
        ),
        pytest.param(b"PK\x03\x04", "no readable workbook", id="zip and nothing else"),
        pytest.param(
            zipped([("xl/workbook.xml", "x"), ("XL/Workbook.xml", "y")]),
            "two parts of the workbook",
            id="twice",
        ),
        pytest.param(
            zipped([*unzipped(xlsx(ROWS))][:-1]), "no readable workbook", id="a sheet missing"
        ),
        pytest.param(
            book(sheet_xml(ROWS).replace("<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet')),
            "its own XML words",
            id="entities",
        ),
        pytest.param(
            book(sheet_xml([["h"], [Raw('t="e"><v>#N/A</v>')]])[:-40]), "no readable", id="cut XML"
        ),
        pytest.param(
            book(sheet_xml([["a"], ["b"]]).replace('<row r="2"', '<row r="1"')),
            "row 1 stands in it twice",
            id="rows of one number",
        ),
        pytest.param(
            book(sheet_xml(ROWS).replace("<sheetData>", "<sheetData/><sheetData>")),
            "the cells of one sheet stand in it twice",
            id="two tables",
        ),
        pytest.param(
            zipped(
                {**parts({"S": ""}), "xl/worksheets/sheet1.xml": sheet_xml(ROWS).encode("utf-16")}
            ),
            r"no readable workbook.*\(it is written in UTF-16\)",
            id="UTF-16",
        ),
        pytest.param(
            zipped(
                {**ods_parts(""), "content.xml": ods_content(ods_table(ROWS)).encode("utf-16-le")}
            ),
            r"no readable workbook.*\(it is written in UTF-16\)",
            id="ods in UTF-16",
        ),
    ],
)
def test_what_is_no_workbook_is_refused_by_its_true_name(content: bytes, what: str) -> None:
    with pytest.raises(SheetError, match=what):
        understood(content)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    ("name", "other"),
    [
        pytest.param("B2", "A2", id="twice"),
        pytest.param("B2", "A1", id="above"),
        pytest.param("A2", "A1", id="first cell above"),
        pytest.param("A2", "A9", id="first cell in no other's place"),
    ],
)
def test_cells_that_take_the_place_of_others_are_refused(name: str, other: str, look: str) -> None:
    xml = sheet_xml([["a", "b"], ["c", "d"]], before=look)
    with pytest.raises(SheetError, match=f"cell {other} stands in it twice, or in another row"):
        understood(book(xml.replace(f'<c r="{name}"', f'<c r="{other}"')))


@pytest.mark.parametrize("look", LOOKS)
def test_a_row_without_a_number_is_where_its_cells_are(look: str) -> None:
    xml = sheet_xml([["a"], [], ["c"]], before=look)
    for number in (2, 3):
        xml = xml.replace(f'<row r="{number}" ', "<row ")
    assert rows(sheet(book(xml.replace("<row ></row>", "")))) == [["a"], [""], ["c"]]
    with pytest.raises(SheetError, match="cell A1 stands in it twice, or in another row"):
        understood(book(xml.replace('"A3"', '"A1"')))


@pytest.mark.parametrize("look", LOOKS)
def test_a_second_table_in_a_sheet_is_not_left_out(look: str) -> None:
    xml = sheet_xml([["a"]], before=look)
    second = '<sheetData><row r="2"><c r="A2"><v>1</v></c></row></sheetData></worksheet>'
    with pytest.raises(SheetError, match="the cells of one sheet stand in it twice"):
        understood(book(xml.replace("</worksheet>", second)))


def far(cell: str, dimension: str = "") -> bytes:
    xml = sheet_xml([["h"]], before=dimension)
    row = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return book(
        xml.replace("</sheetData>", f'<row r="{row}"><c r="{cell}"><v>1</v></c></row></sheetData>')
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(far("XFD1048576"), id="xlsx"),
        pytest.param(far("ZZ1048576"), id="a cell less far"),
        pytest.param(
            zipped(
                ods_parts(
                    ods_content(
                        ods_table([["h"]]).replace(
                            "<table:table-row>",
                            '<table:table-row table:number-rows-repeated="99999999">',
                        )
                    )
                )
            ),
            id="ods",
        ),
        pytest.param(
            book(
                sheet_xml([["h"]]).replace(
                    "</sheetData>",
                    '<row r="1048576"><c r="ZZ1048576" t="e"/></row></sheetData>',
                )
            ),
            id="an error and nothing of it",
        ),
        pytest.param(
            zipped(
                ods_parts(
                    ods_content(
                        ods_table([["h"], [ODS_NEVER]]).replace(
                            "<table:table-row>",
                            '<table:table-row table:number-rows-repeated="99999999">',
                        )
                    )
                )
            ),
            id="ods, a formula without value",
        ),
    ],
)
def test_a_cell_far_out_is_refused_by_name_before_all_cells_are_made(content: bytes) -> None:
    with pytest.raises(SheetError, match=r"has something in [A-Z]+\d+, far from any table"):
        understood(content)


def test_formats_far_out_are_no_content() -> None:
    xml = sheet_xml([["h"]], before='<dimension ref="A1:XFD1048576"/>').replace(
        "</sheetData>", '<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>'
    )
    assert rows(sheet(book(xml))) == [["h"]]


def test_a_workbook_that_ends_its_reader_does_not_end_us() -> None:
    """It lies about its size, so that only the library notices: by asking for 550 GiB, which aborts the process."""
    with pytest.raises(SheetError, match="takes more memory or time than it is given"):
        read_workbook(far("XFD1048576", '<dimension ref="A1:A2"/>'))


def test_a_workbook_that_takes_for_ever_is_given_up() -> None:
    with pytest.raises(SheetError, match="takes more memory or time than it is given"):
        read_workbook(xlsx(ROWS), patience=0.0001)


def packed(name: str, size: int) -> bytes:
    """Pack zeros, a megabyte at a time."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as part,
    ):
        for _ in range(size >> 20):
            part.write(b"\0" * (1 << 20))
    return out.getvalue()


def test_a_bomb_is_refused_by_the_directory_alone() -> None:
    with pytest.raises(SheetError, match=r"unpacks to 64 MiB from .* nothing but repetition"):
        understood(packed("xl/worksheets/sheet1.xml", 64 << 20))


def test_a_workbook_of_many_or_large_parts_is_refused() -> None:
    many = zipped([(f"{n}", "") for n in range(10_001)], stored=True)
    with pytest.raises(SheetError, match="10,001 parts"):
        understood(many)
    raw = bytearray(zipped({"xl/workbook.xml": b"x" * 9}, stored=True))
    at = raw.index(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", LARGEST + 1)
    with pytest.raises(SheetError, match="unpacks to 1,024 MiB"):
        understood(bytes(raw))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_workbook_cut_anywhere_is_read_or_refused(kind: str) -> None:
    content = FORMATS[kind](ROWS)
    for end in range(8, len(content), max(1, len(content) // 60)):
        with contextlib.suppress(SheetError):
            assert understood(content[:end]).format == kind


@pytest.mark.parametrize(
    ("name", "where"), [("A1", (1, 0)), ("Z9", (9, 25)), ("AA10", (10, 26)), ("ZZ1", (1, 701))]
)
def test_a_cell_goes_by_letters_and_a_number(name: str, where: tuple[int, int]) -> None:
    assert place(name) == where
    assert cell_name(*where) == name


# ---- the process of its own ------------------------------------------------------------------------------------------


def test_a_module_beside_the_workbook_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(3)")  # may have come with an upload
    monkeypatch.chdir(tmp_path)
    assert read_workbook(xlsx(ROWS)).format == "xlsx"


def test_the_process_starts_without_what_it_does_not_need() -> None:
    script = "import sys, onboarding.workbooks.inside; print({'pandas', 'pandera', 'numpy', 'openpyxl'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_what_openpyxl_writes_is_read() -> None:
    assert rows(sheet(by_openpyxl(ROWS)))[1] == ["a@acme.example", "Ops", "remove"]


def test_an_empty_sheet_has_no_rows() -> None:
    assert [
        rows(s) for s in understood(zipped(parts({"A": sheet_xml([]), "B": sheet_xml([])}))).sheets
    ] == [[], []]
