"""One table of cells in, a file of any kind out: delimited text, hand-made .xlsx, .ods and .xlsb.

Workbooks are made by hand, from the smallest parts that a spreadsheet program would accept, so that a case can have each
of them in every shape; what openpyxl, xlsxwriter and LibreOffice write comes in beside them.
"""

from __future__ import annotations

import csv
import io
import re
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import openpyxl

Rows = Sequence[Sequence[Any]]


class Raw(str):
    """What stands in a cell's XML."""

    __slots__ = ()


# ---- text ------------------------------------------------------------------------------------------------------------


def text(
    rows: Rows,
    *,
    delimiter: str = ",",
    end: str = "\r\n",
    quoting: int = csv.QUOTE_MINIMAL,
    final: bool = True,
) -> str:
    """Write rows as a delimited text; ``final``: with an end behind the last line."""
    special = re.compile(f'["\r\n{re.escape(delimiter)}]')

    def said(cell: Any) -> str:
        plain = "" if cell is None else str(cell)
        quoted = quoting == csv.QUOTE_ALL or special.search(plain)
        return f'"{plain.replace(chr(34), chr(34) * 2)}"' if quoted else plain

    written = "".join(delimiter.join(map(said, row)) + end for row in rows)
    return written if final else written.removesuffix(end)


# ---- .xlsx -----------------------------------------------------------------------------------------------------------

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def column(position: int) -> str:
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell(ref: str, value: Any) -> str:
    """Write a cell; ``Raw`` is its attributes and inside, ready made: ``t="e"><v>#N/A</v>``."""
    match value:
        case None | "":
            return ""
        case bool():
            return f'<c r="{ref}" t="b"><v>{int(value)}</v></c>'
        case int() | float():
            return f'<c r="{ref}"><v>{value}</v></c>'
        case Raw():
            return f'<c r="{ref}" {value}</c>'
        case _:
            said = escape(str(value))
            return f'<c r="{ref}" t="inlineStr"><is><t xml:space="preserve">{said}</t></is></c>'


def sheet_xml(
    rows: Rows, *, before: str = "", after: str = "", rows_more: Mapping[int, str] = {}
) -> str:
    """Write a worksheet part; ``before`` and ``after`` stand around the data, ``rows_more`` are attributes of rows."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = "".join(cell(f"{column(i)}{number}", value) for i, value in enumerate(row))
        lines.append(f'<row r="{number}" {rows_more.get(number, "")}>{cells}</row>')
    data = "".join(lines)
    return f'<?xml version="1.0"?><worksheet xmlns="{MAIN}">{before}<sheetData>{data}</sheetData>{after}</worksheet>'


def parts(
    sheets: Mapping[str, str],
    *,
    states: Mapping[str, str] = {},
    properties: str = "",
) -> dict[str, str]:
    """Give all parts of a workbook of these worksheet parts."""
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{i}" r:id="rId{i}"{_state(states.get(name))}/>'
        for i, name in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
        '"application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
        f'officedocument.spreadsheetml.sheet.main+xml"/>{kinds}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}">{properties}'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
        **{f"xl/worksheets/sheet{i}.xml": xml for i, xml in enumerate(sheets.values(), 1)},
    }


def _state(state: str | None) -> str:
    return f' state="{state}"' if state else ""


def zipped(
    members: Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]], *, stored: bool = False
) -> bytes:
    """Pack members, in this order; one name may come twice."""
    out = io.BytesIO()
    how = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    listed = members.items() if isinstance(members, Mapping) else members
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in listed:
            info = zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6))  # the same bytes in every run
            archive.writestr(info, content, how)
    return out.getvalue()


def xlsx(rows: Rows, sheet: str = "Sheet1") -> bytes:
    return zipped(parts({sheet: sheet_xml(rows)}))


def by_openpyxl(rows: Rows, sheet: str = "Sheet1") -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append([None if cell == "" else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# ---- .ods ------------------------------------------------------------------------------------------------------------

_ODF = "urn:oasis:names:tc:opendocument:xmlns"


def ods_table(rows: Rows, name: str = "Sheet1", attributes: str = "") -> str:
    lines = "".join(
        f"<table:table-row>{''.join(map(ods_cell, row)) or '<table:table-cell/>'}</table:table-row>"
        for row in rows
    )
    return f'<table:table table:name="{escape(name)}" {attributes}>{lines}</table:table>'


def ods_cell(value: Any) -> str:
    match value:
        case None | "":
            return "<table:table-cell/>"
        case bool():
            kind = f'office:value-type="boolean" office:boolean-value="{str(value).lower()}"'
        case int() | float():
            kind = f'office:value-type="float" office:value="{value}"'
        case Raw():
            return value
        case _:
            kind = 'office:value-type="string"'
    lines = "".join(f"<text:p>{_ods_text(part)}</text:p>" for part in str(value).split("\n"))
    return f"<table:table-cell {kind}>{lines}</table:table-cell>"


def _ods_text(text: str) -> str:
    return escape(text).replace("\t", "<text:tab/>")


def ods_content(tables: str) -> str:
    spaces = " ".join(f'xmlns:{name}="{_ODF}:{name}:1.0"' for name in ("office", "table", "text"))
    return (
        f'<?xml version="1.0"?><office:document-content {spaces} office:version="1.3"><office:body>'
        f"<office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )


def ods_parts(content: str) -> dict[str, str]:
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        f'<manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0" manifest:version="1.3">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    return {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest}


def ods(rows: Rows, sheet: str = "Sheet1") -> bytes:
    return zipped(ods_parts(ods_content(ods_table(rows, sheet))), stored=True)


# ---- .xlsb -----------------------------------------------------------------------------------------------------------


def _record(kind: int, body: bytes = b"") -> bytes:
    """Write one record of the binary format: its kind and length in seven bits a byte, then the body."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, left = b"", len(body)
    while True:
        size += bytes([left & 0x7F | (0x80 if left > 0x7F else 0)])
        left >>= 7
        if not left:
            return head + size + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


def _binary_cell(position: int, value: Any) -> bytes:
    head = struct.pack("<II", position, 0)
    match value:
        case bool():
            return _record(4, head + bytes([value]))
        case int() | float():
            return _record(5, head + struct.pack("<d", value))
        case str() if value in ERRORS:
            return _record(3, head + bytes([ERRORS[value]]))
        case _:
            return _record(6, head + _wide(str(value)))


ERRORS = {
    "#NULL!": 0x00,
    "#DIV/0!": 0x07,
    "#VALUE!": 0x0F,
    "#REF!": 0x17,
    "#NAME?": 0x1D,
    "#N/A": 0x2A,
}


def xlsb(rows: Rows, sheet: str = "Sheet1") -> bytes:
    width = max((len(row) for row in rows), default=1)
    dimension = struct.pack("<IIII", 0, max(len(rows) - 1, 0), 0, width - 1)
    body = _record(129) + _record(148, dimension) + _record(145)
    for number, row in enumerate(rows):
        body += _record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        body += b"".join(
            _binary_cell(i, value) for i, value in enumerate(row) if value not in (None, "")
        )
    body += _record(146) + _record(130)
    listed = _record(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide(sheet))
    book = _record(131) + _record(143) + listed + _record(144) + _record(132)
    kind = "application/vnd.ms-excel"
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.bin" '
        f'ContentType="{kind}.sheet.binary.macroEnabled.main"/><Override PartName="/xl/worksheets/sheet1.bin" '
        f'ContentType="{kind}.worksheet"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
        "xl/workbook.bin": book,
        "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>',
        "xl/worksheets/sheet1.bin": body,
    }
    return zipped(members)


WRITERS = {".xlsx": xlsx, ".ods": ods, ".xlsb": xlsb}
"""Suffix -> what writes one table as such a workbook."""


def unzipped(content: bytes) -> list[tuple[str, bytes]]:
    """Give the members of a zip that can be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:  # noqa: BLE001  (these are made to be broken)
        return []
