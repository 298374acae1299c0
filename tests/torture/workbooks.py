"""Workbooks: what the formats can say in more than one way, what programs show and files don't say, and what is broken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

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
    yield from _many_sheets()


def made(
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
    return made(f"cell {name}", content, NO_ROW, expected[meant], safe=meant in {"doubt", "broken"})


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
        yield made(
            f"with {name}", render.zipped(members), *GOOD, safe=name in {"UTF-16", "blanks between"}
        )
    twice = xml.replace('<row r="3"', '<row r="2"').replace('3"', '2"')
    yield made("with a row twice", _book(twice), NO_ROW, NOTHING, NO_ROW, CEM, safe=True)
    cell_twice = xml.replace('<c r="C2"', '<c r="B2"')
    yield made("with a cell twice", _book(cell_twice), NO_ROW, NOTHING, BEN, CEM, safe=True)
    swapped = re.sub('(<row r="2".*?</row>)(<row r="3".*?</row>)', r"\2\1", xml)
    yield made("with rows out of order", _book(swapped), *GOOD, safe=True)
    backwards = re.sub('(<c r="B2".*?</c>)(<c r="C2".*?</c>)', r"\2\1", xml)
    yield made("with cells out of order", _book(backwards), *GOOD, safe=True)
    yield made(
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
        yield made(f"with {name}", _book(hostile), *[NO_ROW] * 4, refused=".")
    word = '<row r="5000"><c r="A5000" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    far = _book(xml.replace("</sheetData>", word))
    yield made("with a word in row 5000", far, *GOOD, *[NO_ROW] * 4995, NOTHING)


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
    yield made("plain", render.zipped(parts), *GOOD)
    yield made("not compressed", render.zipped(parts, stored=True), *GOOD)
    yield made("with its members backwards", render.zipped(list(reversed(parts.items()))), *GOOD)
    absolute = parts | {rels: parts[rels].replace('"worksheets', '"/xl/worksheets')}
    yield made("with absolute paths", render.zipped(absolute), *GOOD)
    strict = {
        name: text.replace("schemas.openxmlformats.org/spreadsheetml/2006/main", "purl.oclc.org/ooxml/spreadsheetml/main").replace(
            "schemas.openxmlformats.org/officeDocument/2006/relationships", "purl.oclc.org/ooxml/officeDocument/relationships")
        for name, text in parts.items()
    }  # fmt: skip
    yield made("in the strict dialect", render.zipped(strict), *GOOD, safe=True)
    dates = parts | {book: parts[book].replace("<sheets>", '<workbookPr date1904="1"/><sheets>')}
    yield made("of 1904", render.zipped(dates), *GOOD)
    evil = xml.replace("Member", "Admin")
    twice = [*parts.items(), ("xl/worksheets/sheet1.xml", evil)]
    with_warning = _doubled(twice)
    yield made(
        "with a member twice",
        with_warning,
        *[NO_ROW] * 4,
        refused="twice|readable|same name|more than once|double",
    )
    yield made(
        "with members that lead outside",
        render.zipped({**parts, "../../etc/x": "x"}),
        *GOOD,
        safe=True,
    )
    yield made(
        "with macros",
        render.zipped({**parts, "xl/vbaProject.bin": b"\0" * 99}),
        *GOOD,
        suffix=".xlsm",
    )
    for missing in (book, rels, "xl/worksheets/sheet1.xml"):
        left = {name: text for name, text in parts.items() if name != missing}
        yield made(f"without {missing}", render.zipped(left), *[NO_ROW] * 4, refused=".")
    yield made(
        "without [Content_Types].xml",
        render.zipped({n: t for n, t in parts.items() if n[0] != "["}),
        *GOOD,
        safe=True,
    )
    nowhere = parts | {rels: parts[rels].replace("sheet1.xml", "sheet9.xml")}
    yield made("whose sheet leads nowhere", render.zipped(nowhere), *[NO_ROW] * 4, refused=".")


def _doubled(members: Sequence[tuple[str, str]]) -> bytes:
    """Pack two members under one name, which zipfile warns of: write another of the same length and patch it."""
    name = members[-1][0]
    other = name[:-5] + "Q.xml"
    content = render.zipped([*members[:-1], (other, members[-1][1])])
    return content.replace(other.encode(), name.encode())


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
    yield made(
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
