"""The stream of an ``.xls`` in, the marks of each sheet out. It is a row of records: a kind, a length, bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from onboarding.errors import SheetError
from onboarding.workbooks.container import DAMAGED, PROTECTED
from onboarding.workbooks.marks import Marks

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
"""How Excel's binary files spell errors."""

_EOF, _PASSWORD, _SHEET, _COLUMN, _MERGED = 0x0A, 0x2F, 0x85, 0x7D, 0xE5
_FORMULA, _ERROR, _ROW = 0x06, 0x205, 0x208
_FORMULAS = (_FORMULA, 0x206, 0x406)
_CELLS = (*_FORMULAS, _ERROR, 0x203, 0x204, 0x27E, 0xFD, 0xD6)


def marks(stream: bytes) -> Callable[[int], Marks]:
    """Give what finds the marks of the sheet at a position."""
    starts = []
    for kind, body in _records(stream, 0):
        if kind == _PASSWORD:
            raise SheetError(PROTECTED)
        if kind == _SHEET:
            starts.append(int.from_bytes(body[:4], "little"))

    def of(position: int) -> Marks:
        if position >= len(starts):
            raise SheetError(f"{DAMAGED} (a sheet is missing)")
        return _marks(stream, starts[position])

    return of


def _records(stream: bytes, at: int) -> Iterator[tuple[int, memoryview]]:
    """Give the records from one place to the end of its part; parts may stand inside each other."""
    view, depth = memoryview(stream), 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield kind, view[at + 4 : at + 4 + size]
        at += 4 + size
        depth += 1 if kind & 0xFF == 0x09 and kind >> 8 in (0, 2, 4, 8) else -(kind == _EOF)
        if not depth:
            return


def _marks(stream: bytes, start: int) -> Marks:
    found = Marks()
    try:
        for kind, body in _records(stream, start):
            if kind == _ROW:
                row, flags = struct.unpack_from("<H10xH", body)
                if flags & 0x20:
                    found.hidden_rows.add(row + 1)
            elif kind in _CELLS:
                _cell(found, kind, body)
            elif kind == _COLUMN:
                first, last, flags = struct.unpack_from("<HH4xH", body)
                if flags & 1:
                    found.hidden_columns |= set(range(first, min(last + 1, 256)))
            elif kind == _MERGED:
                (many,) = struct.unpack_from("<H", body)
                for n in range(many):
                    top, bottom, left, right = struct.unpack_from("<4H", body, 2 + 8 * n)
                    found.merged.append(((top + 1, left), (bottom + 1, right)))
    except struct.error as error:
        raise SheetError(f"{DAMAGED} (a record is cut short)") from error
    return found


def _cell(found: Marks, kind: int, body: memoryview) -> None:
    row, position = struct.unpack_from("<HH", body)
    found.reach(row + 1, position)
    code = None
    if kind == _ERROR and body[7]:
        code = body[6]
    elif kind in _FORMULAS and body[6] == 2 and bytes(body[12:14]) == b"\xff\xff":
        code = body[8]
    if code is not None:
        found.errors[row + 1, position] = ERRORS.get(code, "#ERROR!")
