"""Workbooks as programs write them: openpyxl, xlsxwriter, and .ods by hand as LibreOffice would."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.styles import Font

from torture import render
from torture.truth import NO_ROW, NOTHING, Case, Doubtful, Meaning, Member, Person, bad
from torture.workbooks import ANA, BEN, CEM, GOOD, HEAD, ROWS, WRONG, made


def cases() -> Iterator[Case]:
    yield from _by_openpyxl()
    yield from _by_xlsxwriter()
    yield from _numbers()
    yield from _open_document()


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
    yield made("with a hidden row", _opened(ROWS, hide_row), NO_ROW, ANA, hidden, CEM)
    yield made("with a filter", _opened(ROWS, filtered), NO_ROW, Doubtful(ANA), BEN, CEM)
    yield made("with a hidden column", _opened(ROWS, hide_column), *map(_shaken, GOOD), safe=True)
    struck = bad("cell-error")
    yield made("with a row struck out", _opened(ROWS, strike), NO_ROW, ANA, struck, CEM)
    yield made("protected against changes", _opened(ROWS, protect), *GOOD)
    yield made("with roles merged", _opened(ROWS, merge("B2:B3")), NO_ROW, ANA, WRONG, CEM)
    yield made("with cells merged sideways", _opened(ROWS, merge("B2:C2")), NO_ROW, WRONG, BEN, CEM)
    yield made(
        "with all in a row merged",
        _opened(ROWS, merge("A3:C3")),
        NO_ROW,
        ANA,
        bad("cell-error"),
        CEM,
    )
    yield made("with a merged title", _opened(ROWS, titled), NO_ROW, *GOOD)


def _shaken(meaning: Meaning) -> Meaning:
    return Doubtful(meaning) if isinstance(meaning, Person) else meaning


def _numbers() -> Iterator[Case]:
    """Cells whose value is no text: what the program shows is what was meant."""
    shown: Sequence[tuple[Any, str, str | None]] = (
        (7, "General", "7"), (7.0, "General", "7"), (1.5, "General", None), (-3, "General", "-3"), (2026, "0", "2026"),
        (7, "000", "007"), (42, "00000", "00042"), (0.5, "0%", "50%"), (12345678901234567890, "General", None), (1e21, "General", None),
        (1.23e11, "General", None), (0.1 + 0.2, "General", "0.3"), (True, "General", "TRUE"),
        (dt.date(2026, 1, 2), "yyyy-mm-dd", "2026-01-02"), (dt.date(2026, 1, 2), "dd.mm.yyyy", None), (dt.time(3, 4), "hh:mm", None),
        ("00081", "000000", "00081"), ("7", "000", "7"), ("Ops", "0%", "Ops"), ("v1.5", "0", "v1.5"),
    )  # fmt: skip
    for number, (value, how, name) in enumerate(shown):

        def formatted(_: Any, sheet: Any, how: str = how) -> None:
            sheet["C2"].number_format = how

        rows = [HEAD, ("ana@acme.example", "Guest", value)]
        person = Person("ana@acme.example", "Guest", (name,) if name else ())
        meaning: Meaning = (
            person
            if isinstance(value, str)
            or (how in {"General", "0"} and name not in {None, "0.3", "TRUE"})
            else Doubtful(person)
        )
        yield made(
            f"number {number} {how} as a group",
            _opened(rows, formatted),
            NO_ROW,
            meaning,
            safe=True,
        )
        rows = [("email", "role", "employee id"), ("ana@acme.example", "Guest", value)]
        yield made(
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

    yield made("with a table and its totals", _written(table), *GOOD, NOTHING)
    yield made("with links", _written(links), NO_ROW, ANA)
    yield made("with charts, comments, lists", _written(charts), *GOOD)


# ---- .ods ------------------------------------------------------------------------------------------------------------


def _open_document() -> Iterator[Case]:
    head, ana, ben, cem = ("".join(map(render.ods_cell, row)) for row in ROWS)
    row = "<table:table-row{}>{}</table:table-row>"

    def book(name: str, lines: str, *meanings: Meaning, **how: Any) -> Case:
        table = f'<table:table table:name="S">{lines}</table:table>'
        content = render.zipped(render.ods_parts(render.ods_content(table)), stored=True)
        return made(f"open document {name}", content, *meanings, suffix=".ods", **how)

    def cell(attributes: str, text: str) -> str:
        return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"

    plain = row.format("", head), row.format("", ana), row.format("", ben), row.format("", cem)
    again = ' table:number-rows-repeated="2"'
    yield book("plain", "".join(plain), *GOOD)
    yield book(
        "with rows repeated",
        row.format("", head) + row.format(again, ana) + plain[2],
        NO_ROW,
        ANA,
        ANA,
        BEN,
    )
    blank = row.format(' table:number-rows-repeated="3"', "<table:table-cell/>")
    yield book(
        "with blank rows repeated", plain[0] + blank + plain[1], NO_ROW, NO_ROW, NO_ROW, NO_ROW, ANA
    )
    last = row.format(
        ' table:number-rows-repeated="1048570"',
        '<table:table-cell table:number-columns-repeated="16384"/>',
    )
    yield book("filled up to the last row", "".join(plain) + last, *GOOD)
    skipped = '<table:table-cell table:number-columns-repeated="2"/>'
    lines = row.format("", skipped + head) + row.format("", skipped + ana)
    yield book("with blank columns repeated", lines, NO_ROW, ANA)
    same = '<table:table-cell office:value-type="string" table:number-columns-repeated="2"><text:p>Ops</text:p></table:table-cell>'
    lines = "".join(
        row.format("", "".join(map(render.ods_cell, cells)) + more)
        for cells, more in ((("email", "group1", "group2"), ""), (("ana@acme.example",), same))
    )
    yield book("with cells repeated", lines, NO_ROW, Person("ana@acme.example", "", ("Ops",)))
    hidden = row.format(' table:visibility="collapse"', ben)
    yield book("with a hidden row", plain[0] + plain[1] + hidden, NO_ROW, ANA, Doubtful(BEN))
    filtered = row.format(' table:visibility="filter"', ben)
    yield book("with a filtered row", plain[0] + plain[1] + filtered, NO_ROW, ANA, Doubtful(BEN))
    for name, special, meant in (
        ("an error", cell('table:formula="of:=NA()" office:value-type="string" office:string-value=""', "#N/A"), WRONG),
        ("an error of LibreOffice", cell('table:formula="of:=X" office:value-type="string" office:string-value=""', "Err:508"), NOTHING),
        ("a name in doubt", cell('table:formula="of:=X" office:value-type="string" office:string-value=""', "#NAME?"), WRONG),
        ("a note", cell('office:value-type="string"', "remove</text:p><office:annotation><text:p>add</text:p></office:annotation><text:p>"), None),
        ("parts of text", cell('office:value-type="string"', 're<text:span>mo</text:span><text:a>ve</text:a>'), None),
        ("a formula", cell('table:formula="of:=LOWER(&quot;X&quot;)" office:value-type="string" office:string-value="remove"', "remove"), None),
    ):  # fmt: skip
        lines = row.format("", "".join(map(render.ods_cell, ("email", "group", "action"))))
        lines += row.format(
            "", "".join(map(render.ods_cell, ("ana@acme.example", "Ops"))) + special
        )
        removed = Member("ana@acme.example", "Ops", adds=False)
        yield book(f"with {name}", lines, NO_ROW, meant or removed)
    inside = {
        "a line break": ("Ops<text:line-break/>HR", ("Ops", "HR")),
        "a tab": ("Data<text:tab/>Platform", ("Data Platform",)),
        "blanks": ('Data<text:s text:c="3"/>Platform', ("Data Platform",)),
        "two paragraphs": ("Ops</text:p><text:p>HR", ("Ops", "HR")),
    }
    for name, (written, groups) in inside.items():
        lines = row.format("", "".join(map(render.ods_cell, ("email", "groups"))))
        lines += row.format(
            "", render.ods_cell("ana@acme.example") + cell('office:value-type="string"', written)
        )
        yield book(f"with {name} in a cell", lines, NO_ROW, Person("ana@acme.example", "", groups))
    spanned = '<table:table-cell table:number-rows-spanned="2" office:value-type="string"><text:p>Member</text:p></table:table-cell>'
    covered = "<table:covered-table-cell/>"
    mail = [render.ods_cell(f"{name}@acme.example") for name in ("ana", "ben")]
    lines = row.format("", render.ods_cell("email") + render.ods_cell("role"))
    lines += row.format("", mail[0] + spanned) + row.format("", mail[1] + covered)
    yield book("with roles merged", lines, NO_ROW, Person("ana@acme.example", "Member"), NOTHING)
    wide = '<table:table-cell table:number-columns-repeated="2000000000" office:value-type="string"><text:p>x</text:p></table:table-cell>'
    yield book("with two thousand million cells", plain[0] + row.format("", wide), refused=".")
    tall = row.format(' table:number-rows-repeated="2000000000"', ana)
    yield book("with two thousand million rows", plain[0] + tall, refused=".")
