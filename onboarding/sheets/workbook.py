"""The bytes of a workbook in, a ``Grid`` for each of its sheets out.

Values come from calamine, which gives absolute positions. It shows an error (``#N/A``) and a formula that was never
calculated as blank cells; in ``.xlsx`` and ``.xlsm`` both are found in the sheet's own XML, since a blank ``action``
means *add*. In ``.xls``, ``.xlsb`` and ``.ods`` they can't be told from blank cells, nor can a number from how it is
shown (``007``) in any format.
"""

from __future__ import annotations

import datetime as dt
import html
import io
import re
import zipfile
from collections.abc import Iterator, Sequence

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from onboarding.errors import SheetError
from onboarding.sheets.grid import Grid

LARGEST = 1 << 30
"""Bytes that a workbook may unpack to, 1 GiB: a million rows have about half of it."""

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta

_ZIP = b"PK\x03\x04"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_TOO_WIDE = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{3,})\d+"')
_ERROR = re.compile(
    rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>.*?<(?:\w+:)?v>([^<]*)</',
    re.DOTALL,
)
_NOT_CALCULATED = re.compile(
    rb'<(?:\w+:)?c\b(?![^>]*\bt="(?:str|e)")[^>]*\br="([A-Z]+)(\d+)"[^>]*>\s*'
    rb"<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></|</(?:\w+:)?c>)"
)
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")


def is_workbook(content: bytes) -> bool:
    """Whether the bytes start as a workbook does, whatever the file's name is."""
    return content.startswith((_ZIP, _OLE))


def read_workbook(content: bytes) -> Iterator[Grid]:
    """Give every worksheet, hidden ones without their rows. Raises ``SheetError`` without the file's name."""
    parts = _parts(content) if content.startswith(_ZIP) else {}
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            for position, sheet in enumerate(workbook.sheets_metadata):
                if sheet.typ is not SheetTypeEnum.WorkSheet:
                    continue
                if sheet.visible is not SheetVisibleEnum.Visible:
                    yield Grid([], sheet.name, hidden=True)
                    continue
                xml = parts.get(position, b"")
                _refuse_width(xml, sheet.name)
                content_of = workbook.get_sheet_by_index(position)
                cells = content_of.to_python(skip_empty_area=False)
                errors = _errors(xml)
                last = max((row for row, _ in errors), default=0)
                rows = _texts(cells)
                rows += [[]] * (last - len(rows))  # calamine ends where the last value is
                yield Grid(
                    rows,
                    sheet.name,
                    errors=errors,
                    merged=_covered(rows, content_of.merged_cell_ranges),
                )
    except PasswordError as error:
        raise SheetError(_PROTECTED) from error
    except CalamineError as error:
        protected = content.startswith(_OLE) and b"E\0n\0c\0r\0y\0p\0t\0e\0d" in content
        raise SheetError(_PROTECTED if protected else f"{_DAMAGED} ({error})") from error
    except BaseException as error:
        # A panic of the Rust side derives from BaseException and has no public class (seen with damaged .xlsb).
        if type(error).__name__ != "PanicException":
            raise
        raise SheetError(_DAMAGED) from error


_PROTECTED = "the workbook is protected by a password; save a copy without one"
_DAMAGED = (
    "this is no readable workbook; open it in a spreadsheet program and save it again as .xlsx"
)


def _parts(content: bytes) -> dict[int, bytes]:
    """Give the XML of each sheet of an ``.xlsx`` by the sheet's position; nothing for other formats.

    Refuses what would unpack to more than fits.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size > LARGEST:
                raise SheetError(
                    f"the workbook unpacks to {size >> 20} MiB, which is more than is read"
                )
            listing = archive.namelist()
            if "xl/workbook.xml" not in listing or "xl/_rels/workbook.xml.rels" not in listing:
                return {}
            targets = {
                _attribute(tag, b"Id"): _attribute(tag, b"Target")
                for tag in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels"))
            }
            sheets = _SHEET.findall(archive.read("xl/workbook.xml"))
            names = [_part_name(targets.get(_attribute(tag, rb"(?:\w+:)id"), "")) for tag in sheets]
            return {i: archive.read(name) for i, name in enumerate(names) if name in listing}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise SheetError(f"{_DAMAGED} ({error})") from error


def _attribute(tag: bytes, name: bytes) -> str:
    found = re.search(rb"\s" + name + rb'\s*=\s*(?:"([^"]*)"|\'([^\']*)\')', tag)
    return html.unescape((found[1] or found[2] or b"").decode()) if found else ""


def _part_name(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _refuse_width(xml: bytes, sheet: str) -> None:
    """Refuse a cell far to the right: all cells up to it would be made, which can take all memory."""
    if far := _TOO_WIDE.search(xml):
        raise SheetError(
            f'sheet "{sheet}" has something in column {far[1].decode()}, far right of any table; delete that column'
        )


def _texts(rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    return [[cell if type(cell) is str else _text(cell) for cell in row] for row in rows]


def _text(cell: Cell) -> str:
    """Write a cell as a spreadsheet program would, dates as ISO 8601.

    >>> _text(43.0), _text(True), _text(dt.datetime(2026, 1, 2))
    ('43', 'TRUE', '2026-01-02')
    """
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case dt.datetime(hour=0, minute=0, second=0, microsecond=0):
            return cell.date().isoformat()
        case dt.datetime():
            return cell.isoformat(" ")
        case _:
            return str(cell)


def _errors(xml: bytes) -> dict[tuple[int, int], str]:
    """Find cells that show an error, and formulas that nothing ever calculated."""
    found: dict[tuple[int, int], str] = {}
    if b't="e"' in xml:
        for letters, row, shown in _ERROR.findall(xml):
            found[int(row), _position(letters)] = html.unescape(shown.decode())
    if b"<f" in xml or b":f" in xml:
        for letters, row in _NOT_CALCULATED.findall(xml):
            found[int(row), _position(letters)] = ""
    return found


def _covered(
    rows: Sequence[Sequence[str]], ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]] | None
) -> frozenset[tuple[int, int]]:
    """Give the cells that look filled and are blank, since a merged one with a value covers them."""
    found: set[tuple[int, int]] = set()
    for (top, left), (bottom, right) in ranges or ():
        if top < len(rows) and left < len(rows[top]) and rows[top][left]:
            below = range(top, min(bottom + 1, len(rows)))
            beside = range(left, min(right + 1, len(rows[top])))
            found |= {(row + 1, position) for row in below for position in beside}
            found.discard((top + 1, left))
    return frozenset(found)


def _position(letters: bytes) -> int:
    position = 0
    for letter in letters:
        position = position * 26 + letter - ord("A") + 1
    return position - 1
