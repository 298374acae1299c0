"""Workbooks: what the formats can say in more than one way, what programs show and files don't say, and what is broken."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.styles import Font

from torture import render
from torture.render import Raw
from torture.truth import (
    NO_ROW,
    NOTHING,
    Case,
    Doubtful,
    Line,
    Meaning,
    Member,
    Person,
    Team,
    bad,
    case,
)

HEAD = ("email", "role", "groups")
ANA = Person("ana@acme.example", "Member", ("Ops",))
BEN = Person("ben@acme.example", "Guest", ("HR",))
CEM = Person("cem@acme.example", "Guest", ("HR",))
ROWS = (
    HEAD,
    ("ana@acme.example", "Member", "Ops"),
    ("ben@acme.example", "Guest", "HR"),
    ("cem@acme.example", "Guest", "HR"),
)
GOOD: tuple[Meaning, ...] = (NO_ROW, ANA, BEN, CEM)
WRONG = bad("cell-error")


def cases() -> Iterator[Case]:
    yield from _cells()
    yield from _sheet_xml()
    yield from _packages()
    yield from _by_openpyxl()
    yield from _by_xlsxwriter()
    yield from _open_document()
    yield from _many_sheets()


def _made(
    name: str,
    content: bytes,
    *meanings: Meaning,
    suffix: str = ".xlsx",
    sheet: str = "S",
    **how: Any,
) -> Case:
    return case(
        f"workbook {name}", suffix, content, [Line((), one) for one in meanings], sheet, **how
    )


def _book(xml: str, **how: Any) -> bytes:
    return render.zipped(render.parts({"S": xml}, **how))


# ---- one cell --------------------------------------------------------------------------------------------------------


def _cells() -> Iterator[Case]:
    """One special cell in the column ``action``, where a blank means *add*, and one in ``note``, where it is harmless."""
    shown = {
        "string": ('t="str"><v>remove</v>', "remove"),
        "rich text": ('t="inlineStr"><is><r><t>rem</t></r><r><t>ove</t></r></is>', "remove"),
        "phonetic": ('t="inlineStr"><is><t>remove</t><rPh sb="0" eb="1"><t>add</t></rPh></is>', "remove"),
        "kept blanks": ('t="inlineStr"><is><t xml:space="preserve"> remove </t></is>', "remove"),
        "character data": ('t="inlineStr"><is><t><![CDATA[remove]]></t></is>', "remove"),
        "references": ('t="inlineStr"><is><t>&#114;emov&#x65;</t></is>', "remove"),
        "escape": ('t="inlineStr"><is><t>remov_x0065_</t></is>', "remove"),
        "calculated": ('t="str"><f>LOWER("REMOVE")</f><v>remove</v>', "remove"),
        "shared formula": ('t="str"><f t="shared" si="0" ref="C2:C3">A1</f><v>remove</v>', "remove"),
        "array formula": ('t="str"><f t="array" ref="C2">A1</f><v>remove</v>', "remove"),
        "calculated blank": ('t="str"><f>""</f><v></v>', "add"),
        "error": ('t="e"><v>#N/A</v>', "error"),
        "calculated error": ('t="e"><f>NA()</f><v>#N/A</v>', "error"),
        "error of references": ('t="e"><f>#REF!</f><v>#REF!</v>', "error"),
        "never calculated": ("><f>LOWER(\"REMOVE\")</f>", "error"),
        "never calculated, empty": ("><f>LOWER(\"REMOVE\")</f><v></v>", "error"),
        "never calculated, empty tag": ('><f>LOWER("REMOVE")</f><v/>', "error"),
        "no value": ("><v/>", "add"),
        "formatted only": ('s="1"/'.replace("/", ">"), "add"),
        "true": ('t="b"><v>1</v>', "unknown"),
        "number": ("><v>1</v>", "unknown"),
        "date of ISO": ('t="d"><v>2026-01-02T00:00:00</v>', "unknown"),
        "unknown type": ('t="zz"><v>remove</v>', "doubt"),
        "string that is not there": ('t="s"><v>999</v>', "broken"),
        "string without number": ('t="s"><v>x</v>', "broken"),
        "number that is none": ("><v>remove</v>", "doubt"),
    }  # fmt: skip
    for name, (xml, meant) in shown.items():
        rows = [("email", "group", "action", "note"), ("ana@acme.example", "Ops", Raw(xml), "x")]
        yield _action(name, _book(render.sheet_xml(rows)), meant)
        rows = [
            ("email", "group", "action", "note"),
            ("ana@acme.example", "Ops", "remove", Raw(xml)),
        ]
        made = _action(f"{name}, elsewhere", _book(render.sheet_xml(rows)), "remove")
        yield replace(made, safe=meant in {"broken", "doubt"})
    strings = "<si><t>email</t></si><si><r><t>rem</t></r><r><t>ove</t></r></si>"
    rows = [
        (Raw('t="s"><v>0</v>'), "group", "action"),
        ("ana@acme.example", "Ops", Raw('t="s"><v>1</v>')),
    ]
    yield _action(
        "shared strings",
        render.zipped(_with_strings(render.parts({"S": render.sheet_xml(rows)}), strings)),
        "remove",
    )
    yield _action("shared strings missing", _book(render.sheet_xml(rows)), "broken")


def _action(name: str, content: bytes, meant: str) -> Case:
    added, removed = (Member("ana@acme.example", "Ops", adds) for adds in (True, False))
    expected: Mapping[str, Meaning] = {
        "add": added,
        "remove": removed,
        "error": WRONG,
        "unknown": bad("action-unknown"),
        "doubt": Doubtful(removed),
        "broken": NOTHING,
    }
    return _made(
        f"cell {name}", content, NO_ROW, expected[meant], safe=meant in {"doubt", "broken"}
    )


def _with_strings(parts: dict[str, str], strings: str) -> dict[str, str]:
    kind = "officedocument.spreadsheetml.sharedStrings+xml"
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    types, links = "[Content_Types].xml", "xl/_rels/workbook.xml.rels"
    said = f'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-{kind}"/></Types>'
    return parts | {
        types: parts[types].replace("</Types>", said),
        links: parts[links].replace(
            "</Relationships>",
            f'<Relationship Id="s" Type="{link}" Target="sharedStrings.xml"/></Relationships>',
        ),
        "xl/sharedStrings.xml": f'<sst xmlns="{render.MAIN}">{strings}</sst>',
    }


# ---- the sheet's XML -------------------------------------------------------------------------------------------------


def _sheet_xml() -> Iterator[Case]:
    xml = render.sheet_xml(ROWS)
    same: Mapping[str, Callable[[str], str]] = {
        "cells without places": lambda xml: re.sub(r'<c r="[A-Z]+\d+"', "<c", xml),
        "rows without numbers": lambda xml: re.sub(r'<row r="\d+"', "<row", xml),
        "neither": lambda xml: re.sub(r' r="[A-Z]*\d+"', "", xml),
        "single quotes": lambda xml: xml.replace('"', "'"),
        "a dimension that is too small": lambda xml: xml.replace("<sheetData>", '<dimension ref="A1:B2"/><sheetData>'),
        "a dimension that is too large": lambda xml: xml.replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>'),
        "a prefix": _prefixed,
        "comments and instructions": lambda xml: xml.replace("<sheetData>", '<!-- <row r="9"/> --><?x y?><sheetData>'),
        "blanks between": lambda xml: xml.replace("><", ">\n  <").replace(">\n  </t>", "></t>"),
        "UTF-16": lambda xml: xml.replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-16"?>'),
        "a mark": lambda xml: "\ufeff" + xml,
        "spans that lie": lambda xml: xml.replace('<row r="2" ', '<row r="2" spans="1:1" '),
    }  # fmt: skip
    for name, change in same.items():
        changed = change(xml)
        content: str | bytes = changed.encode("utf-16") if name == "UTF-16" else changed
        members: dict[str, str | bytes] = {
            **render.parts({"S": ""}),
            "xl/worksheets/sheet1.xml": content,
        }
        yield _made(
            f"with {name}", render.zipped(members), *GOOD, safe=name in {"UTF-16", "blanks between"}
        )
    twice = xml.replace('<row r="3"', '<row r="2"').replace('3"', '2"')
    yield _made("with a row twice", _book(twice), NO_ROW, NOTHING, NO_ROW, CEM, safe=True)
    cell_twice = xml.replace('<c r="C2"', '<c r="B2"')
    yield _made("with a cell twice", _book(cell_twice), NO_ROW, NOTHING, BEN, CEM, safe=True)
    swapped = re.sub('(<row r="2".*?</row>)(<row r="3".*?</row>)', r"\2\1", xml)
    yield _made("with rows out of order", _book(swapped), *GOOD, safe=True)
    backwards = re.sub('(<c r="B2".*?</c>)(<c r="C2".*?</c>)', r"\2\1", xml)
    yield _made("with cells out of order", _book(backwards), *GOOD, safe=True)
    yield _made(
        "with a gap",
        _book(xml.replace('r="4"', 'r="40"').replace('4"', '40"')),
        *GOOD[:3],
        *[NO_ROW] * 36,
        CEM,
    )
    for name, hostile in {
        "a type declared": xml.replace(
            "<worksheet", '<!DOCTYPE x [<!ENTITY a "Admin">]><worksheet', 1
        ),
        "a file from outside": xml.replace(
            "<worksheet", '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet', 1
        ),
        "a billion laughs": xml.replace(
            "<worksheet", f"<!DOCTYPE x [{_laughs()}]><worksheet", 1
        ).replace("Member", "&i;"),
        "a cell at the end of the world": _far(xml, "XFD1048576"),
        "a cell far down and right": _far(xml, "ZZ1048576"),
        "a cell far down and right, quoted otherwise": _far(xml, "XFD1048576").replace('"', "'"),
        "a cell beyond the world": _far(xml, "XFE1048577"),
        "a row number that is none": xml.replace('<row r="2"', '<row r="-2"'),
        "no end": xml[: len(xml) * 2 // 3],
        "an open tag": xml.replace("</row>", "", 1),
        "nothing": "",
        "no XML": "email,role\n",
    }.items():
        yield _made(f"with {name}", _book(hostile), *[NO_ROW] * 4, refused=".")
    far = xml.replace(
        "</sheetData>",
        '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>',
    )
    yield (
        _made("with a word in the last row", _book(far), refused="row|far|large|cells")
        if False
        else _made(
            "with a word in row 5000",
            _book(far.replace("1048576", "5000")),
            *GOOD,
            *[NO_ROW] * 4995,
            NOTHING,
        )
    )


def _laughs() -> str:
    first = '<!ENTITY a "ha">'
    return first + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )


def _far(xml: str, ref: str) -> str:
    number = ref.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return xml.replace(
        "</sheetData>", f'<row r="{number}"><c r="{ref}"><v>1</v></c></row></sheetData>'
    )


def _prefixed(xml: str) -> str:
    xml = re.sub(r"<(/?)(worksheet|sheetData|row|c|v|is|t)\b", r"<\1x:\2", xml)
    return xml.replace("xmlns=", "xmlns:x=")


# ---- the package -----------------------------------------------------------------------------------------------------


def _packages() -> Iterator[Case]:
    xml = render.sheet_xml(ROWS)
    parts = render.parts({"S": xml})
    rels, book = "xl/_rels/workbook.xml.rels", "xl/workbook.xml"
    yield _made("plain", render.zipped(parts), *GOOD)
    yield _made("not compressed", render.zipped(parts, stored=True), *GOOD)
    yield _made("with its members backwards", render.zipped(list(reversed(parts.items()))), *GOOD)
    absolute = parts | {rels: parts[rels].replace('"worksheets', '"/xl/worksheets')}
    yield _made("with absolute paths", render.zipped(absolute), *GOOD)
    strict = {
        name: text.replace("schemas.openxmlformats.org/spreadsheetml/2006/main", "purl.oclc.org/ooxml/spreadsheetml/main").replace(
            "schemas.openxmlformats.org/officeDocument/2006/relationships", "purl.oclc.org/ooxml/officeDocument/relationships")
        for name, text in parts.items()
    }  # fmt: skip
    yield _made("in the strict dialect", render.zipped(strict), *GOOD, safe=True)
    dates = parts | {book: parts[book].replace("<sheets>", '<workbookPr date1904="1"/><sheets>')}
    yield _made("of 1904", render.zipped(dates), *GOOD)
    evil = xml.replace("Member", "Admin")
    twice = [*parts.items(), ("xl/worksheets/sheet1.xml", evil)]
    with_warning = _doubled(twice)
    yield _made(
        "with a member twice",
        with_warning,
        *[NO_ROW] * 4,
        refused="twice|readable|same name|more than once|double",
    )
    yield _made(
        "with members that lead outside",
        render.zipped({**parts, "../../etc/x": "x"}),
        *GOOD,
        safe=True,
    )
    yield _made(
        "with macros",
        render.zipped({**parts, "xl/vbaProject.bin": b"\0" * 99}),
        *GOOD,
        suffix=".xlsm",
    )
    for missing in (book, rels, "xl/worksheets/sheet1.xml"):
        left = {name: text for name, text in parts.items() if name != missing}
        yield _made(f"without {missing}", render.zipped(left), *[NO_ROW] * 4, refused=".")
    yield _made(
        "without [Content_Types].xml",
        render.zipped({n: t for n, t in parts.items() if n[0] != "["}),
        *GOOD,
        safe=True,
    )
    nowhere = parts | {rels: parts[rels].replace("sheet1.xml", "sheet9.xml")}
    yield _made("whose sheet leads nowhere", render.zipped(nowhere), *[NO_ROW] * 4, refused=".")


def _doubled(members: Sequence[tuple[str, str]]) -> bytes:
    """Pack two members under one name, which zipfile warns of: write another of the same length and patch it."""
    name = members[-1][0]
    other = name[:-5] + "Q.xml"
    content = render.zipped([*members[:-1], (other, members[-1][1])])
    return content.replace(other.encode(), name.encode())


# ---- by other programs -----------------------------------------------------------------------------------------------


def _opened(rows: Sequence[Sequence[Any]], change: Callable[[Any, Any], None]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "S"
    for row in rows:
        sheet.append(list(row))
    change(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _by_openpyxl() -> Iterator[Case]:
    def hide_row(_: Any, sheet: Any) -> None:
        sheet.row_dimensions[3].hidden = True

    def filtered(_: Any, sheet: Any) -> None:
        sheet.auto_filter.ref = "A1:C4"
        sheet.row_dimensions[2].hidden = True

    def hide_column(_: Any, sheet: Any) -> None:
        sheet.column_dimensions["B"].hidden = True

    def strike(_: Any, sheet: Any) -> None:
        for cell in sheet[3]:
            cell.font = Font(strike=True)

    def protect(_: Any, sheet: Any) -> None:
        sheet.protection.sheet = True

    def merge(where: str) -> Callable[[Any, Any], None]:
        return lambda _, sheet: sheet.merge_cells(where)

    def titled(_: Any, sheet: Any) -> None:
        sheet.insert_rows(1)
        sheet["A1"] = "Staff"
        sheet.merge_cells("A1:C1")

    hidden = Doubtful(BEN)
    yield _made("with a hidden row", _opened(ROWS, hide_row), NO_ROW, ANA, hidden, CEM)
    yield _made("with a filter", _opened(ROWS, filtered), NO_ROW, Doubtful(ANA), BEN, CEM)
    yield _made("with a hidden column", _opened(ROWS, hide_column), *map(_shaken, GOOD), safe=True)
    yield _made(
        "with a row struck out", _opened(ROWS, strike), NO_ROW, ANA, NOTHING, CEM, safe=True
    )
    yield _made("protected against changes", _opened(ROWS, protect), *GOOD)
    yield _made("with roles merged", _opened(ROWS, merge("B2:B3")), NO_ROW, ANA, WRONG, CEM)
    yield _made(
        "with cells merged sideways", _opened(ROWS, merge("B2:C2")), NO_ROW, WRONG, BEN, CEM
    )
    yield _made(
        "with all in a row merged",
        _opened(ROWS, merge("A3:C3")),
        NO_ROW,
        ANA,
        bad("cell-error"),
        CEM,
    )
    yield _made("with a merged title", _opened(ROWS, titled), NO_ROW, *GOOD)
    yield from _numbers()


def _shaken(meaning: Meaning) -> Meaning:
    return Doubtful(meaning) if isinstance(meaning, Person) else meaning


def _numbers() -> Iterator[Case]:
    """Cells whose value is no text: what the program shows is what was meant."""
    shown: Sequence[tuple[Any, str, str | None]] = (
        (7, "General", "7"), (7.0, "General", "7"), (1.5, "General", "1.5"), (-3, "General", "-3"), (2026, "0", "2026"),
        (7, "000", "007"), (42, "00000", "00042"), (0.5, "0%", "50%"), (12345678901234567890, "General", None), (1e21, "General", None),
        (1.23e11, "General", "123000000000"), (0.1 + 0.2, "General", "0.3"), (True, "General", "TRUE"),
        (dt.date(2026, 1, 2), "yyyy-mm-dd", "2026-01-02"), (dt.date(2026, 1, 2), "dd.mm.yyyy", None), (dt.time(3, 4), "hh:mm", None),
    )  # fmt: skip
    for number, (value, how, name) in enumerate(shown):

        def formatted(_: Any, sheet: Any, how: str = how) -> None:
            sheet["C2"].number_format = how

        rows = [HEAD, ("ana@acme.example", "Guest", value)]
        person = Person("ana@acme.example", "Guest", (name,) if name else ())
        meaning: Meaning = (
            person
            if how in {"General", "0"} and name not in {None, "0.3", "TRUE"}
            else Doubtful(person)
        )
        yield _made(
            f"number {number} {how} as a group",
            _opened(rows, formatted),
            NO_ROW,
            meaning,
            safe=True,
        )
        rows = [("email", "role", "employee id"), ("ana@acme.example", "Guest", value)]
        yield _made(
            f"number {number} {how}, carried",
            _opened(rows, formatted),
            NO_ROW,
            Person("ana@acme.example", "Guest"),
        )


def _written(fill: Callable[[Any], None]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    fill(book)
    book.close()
    return out.getvalue()


def _by_xlsxwriter() -> Iterator[Case]:
    def table(book: Any) -> None:
        columns = [
            {"header": "email", "total_string": "Total"},
            {"header": "role"},
            {"header": "groups", "total_function": "count"},
        ]
        book.add_worksheet("S").add_table(
            "A1:C5",
            {"columns": columns, "total_row": True, "data": [list(row) for row in ROWS[1:]]},
        )

    def links(book: Any) -> None:
        sheet = book.add_worksheet("S")
        sheet.write_row("A1", HEAD)
        sheet.write_url("A2", "mailto:other@acme.example", string="ana@acme.example")
        sheet.write_row("B2", ROWS[1][1:])

    def charts(book: Any) -> None:
        sheet = book.add_worksheet("S")
        for number, row in enumerate(ROWS):
            sheet.write_row(number, 0, row)
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=S!$A$1:$A$2"})
        book.add_chartsheet("Chart").set_chart(chart)
        sheet.write_comment("B2", "or Guest?")
        sheet.data_validation("B2:B9", {"validate": "list", "source": ["Guest", "Member"]})
        sheet.freeze_panes(1, 0)

    yield _made("with a table and its totals", _written(table), *GOOD, NOTHING)
    yield _made("with links", _written(links), NO_ROW, ANA)
    yield _made("with charts, comments, lists", _written(charts), *GOOD)


# ---- .ods ------------------------------------------------------------------------------------------------------------


def _open_document() -> Iterator[Case]:
    head, ana, ben, cem = ("".join(map(render._ods_cell, row)) for row in ROWS)
    row = "<table:table-row{}>{}</table:table-row>"

    def made(name: str, lines: str, *meanings: Meaning, **how: Any) -> Case:
        table = f'<table:table table:name="S">{lines}</table:table>'
        content = render.zipped(render.ods_parts(render.ods_content(table)), stored=True)
        return _made(f"open document {name}", content, *meanings, suffix=".ods", **how)

    def cell(attributes: str, text: str) -> str:
        return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"

    plain = row.format("", head), row.format("", ana), row.format("", ben), row.format("", cem)
    again = ' table:number-rows-repeated="2"'
    yield made("plain", "".join(plain), *GOOD)
    yield made(
        "with rows repeated",
        row.format("", head) + row.format(again, ana) + plain[2],
        NO_ROW,
        ANA,
        ANA,
        BEN,
    )
    blank = row.format(' table:number-rows-repeated="3"', "<table:table-cell/>")
    yield made(
        "with blank rows repeated", plain[0] + blank + plain[1], NO_ROW, NO_ROW, NO_ROW, NO_ROW, ANA
    )
    last = row.format(
        ' table:number-rows-repeated="1048570"',
        '<table:table-cell table:number-columns-repeated="16384"/>',
    )
    yield made("filled up to the last row", "".join(plain) + last, *GOOD)
    skipped = '<table:table-cell table:number-columns-repeated="2"/>'
    lines = row.format("", skipped + head) + row.format("", skipped + ana)
    yield made("with blank columns repeated", lines, NO_ROW, ANA)
    same = '<table:table-cell office:value-type="string" table:number-columns-repeated="2"><text:p>Ops</text:p></table:table-cell>'
    lines = "".join(
        row.format("", "".join(map(render._ods_cell, cells)) + more)
        for cells, more in ((("email", "group1", "group2"), ""), (("ana@acme.example",), same))
    )
    yield made("with cells repeated", lines, NO_ROW, Person("ana@acme.example", "", ("Ops",)))
    hidden = row.format(' table:visibility="collapse"', ben)
    yield made("with a hidden row", plain[0] + plain[1] + hidden, NO_ROW, ANA, Doubtful(BEN))
    filtered = row.format(' table:visibility="filter"', ben)
    yield made("with a filtered row", plain[0] + plain[1] + filtered, NO_ROW, ANA, Doubtful(BEN))
    for name, special, meant in (
        ("an error", cell('table:formula="of:=NA()" office:value-type="string" office:string-value=""', "#N/A"), WRONG),
        ("an error of LibreOffice", cell('table:formula="of:=X" office:value-type="string" office:string-value=""', "Err:508"), NOTHING),
        ("a name in doubt", cell('table:formula="of:=X" office:value-type="string" office:string-value=""', "#NAME?"), WRONG),
        ("a note", cell('office:value-type="string"', "remove</text:p><office:annotation><text:p>add</text:p></office:annotation><text:p>"), None),
        ("parts of text", cell('office:value-type="string"', 're<text:span>mo</text:span><text:a>ve</text:a>'), None),
        ("a formula", cell('table:formula="of:=LOWER(&quot;X&quot;)" office:value-type="string" office:string-value="remove"', "remove"), None),
    ):  # fmt: skip
        lines = row.format("", "".join(map(render._ods_cell, ("email", "group", "action"))))
        lines += row.format(
            "", "".join(map(render._ods_cell, ("ana@acme.example", "Ops"))) + special
        )
        removed = Member("ana@acme.example", "Ops", adds=False)
        yield made(f"with {name}", lines, NO_ROW, meant or removed)
    spanned = '<table:table-cell table:number-rows-spanned="2" office:value-type="string"><text:p>Member</text:p></table:table-cell>'
    covered = "<table:covered-table-cell/>"
    mail = [render._ods_cell(f"{name}@acme.example") for name in ("ana", "ben")]
    lines = row.format("", render._ods_cell("email") + render._ods_cell("role"))
    lines += row.format("", mail[0] + spanned) + row.format("", mail[1] + covered)
    yield made("with roles merged", lines, NO_ROW, Person("ana@acme.example", "Member"), NOTHING)
    wide = '<table:table-cell table:number-columns-repeated="2000000000" office:value-type="string"><text:p>x</text:p></table:table-cell>'
    yield made("with two thousand million cells", plain[0] + row.format("", wide), refused=".")
    tall = row.format(' table:number-rows-repeated="2000000000"', ana)
    yield made("with two thousand million rows", plain[0] + tall, refused=".")


# ---- several sheets --------------------------------------------------------------------------------------------------


def _many_sheets() -> Iterator[Case]:
    people, teams = (
        render.sheet_xml(ROWS),
        render.sheet_xml([("group", "description"), ("Ops", "Runs")]),
    )
    admins = render.sheet_xml([("email", "role"), ("eva@acme.example", "Admin")])
    read: dict[str, Sequence[Meaning]] = {"S": GOOD, "Teams": (NO_ROW, Team("Ops", "Runs"))}
    both = render.zipped(render.parts({"S": people, "Teams": teams}))
    yield Case("workbook with two sheets", ".xlsx", both, read)
    for state in ("hidden", "veryHidden"):
        hidden = render.parts({"Old": admins, "S": people, "Teams": teams}, states={"Old": state})
        yield Case(f"workbook with a sheet {state}", ".xlsx", render.zipped(hidden), read)
    only = render.parts({"S": people}, states={"S": "hidden"})
    yield _made(
        "with nothing but a hidden sheet", render.zipped(only), refused="hidden|nothing|no table"
    )
    readme = render.parts(
        {"Read me": render.sheet_xml([("How to fill this in",)]), "S": people, "Teams": teams}
    )
    yield Case("workbook with words beside", ".xlsx", render.zipped(readme), read)
    names = {"A&B <x>": people}
    yield Case(
        "workbook with a name in need of care",
        ".xlsx",
        render.zipped(render.parts(names)),
        {"A&B <x>": GOOD},
    )
    months = render.parts(
        {
            "January": admins,
            "February": render.sheet_xml([("email", "role"), ("eva@acme.example", "Guest")]),
        }
    )
    conflict: Sequence[Meaning] = (NO_ROW, bad("person-conflict"))
    yield Case(
        "workbook with months that disagree",
        ".xlsx",
        render.zipped(months),
        {"January": conflict, "February": conflict},
    )
    empty = render.parts({"S": people, "Empty": render.sheet_xml([])})
    yield Case("workbook with an empty sheet", ".xlsx", render.zipped(empty), {"S": GOOD})
