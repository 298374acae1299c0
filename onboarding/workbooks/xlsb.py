"""The parts of an ``.xlsb`` in, the marks of each sheet out. Its parts are records: a kind, a length, bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from onboarding.errors import SheetError
from onboarding.workbooks.container import DAMAGED, Parts
from onboarding.workbooks.marks import Marks
from onboarding.workbooks.xls import ERRORS
from onboarding.workbooks.xlsx import relations

_ROW, _BLANK, _ERROR, _LAST_CELL, _FORMULA_ERROR = 0, 1, 3, 11, 11
_COLUMN, _SHEET, _MERGED = 60, 156, 176


def marks(parts: Parts) -> Callable[[int], Marks]:
    """Give what finds the marks of the sheet at a position."""
    targets = relations(parts, "xl/_rels/workbook.bin.rels")
    ids = [_id(body) for kind, body in _records(parts["xl/workbook.bin"]) if kind == _SHEET]

    def of(position: int) -> Marks:
        try:
            name = targets[ids[position]]
        except (IndexError, KeyError):
            raise SheetError(f"{DAMAGED} (a sheet is missing)") from None
        return _marks(parts[name])

    return of


def _records(part: bytes) -> Iterator[tuple[int, memoryview]]:
    at, view = 0, memoryview(part)
    while at < len(part):
        kind, at = part[at], at + 1
        if kind & 0x80 and at < len(part):
            kind, at = (kind & 0x7F) | (part[at] & 0x7F) << 7, at + 1
        size = shift = 0
        for _ in range(4):
            if at >= len(part):
                return
            byte, at = part[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        yield kind, view[at : at + size]
        at += size


def _id(body: memoryview) -> str:
    (length,) = struct.unpack_from("<I", body, 8)
    return bytes(body[12 : 12 + 2 * length]).decode("utf-16-le", "replace")


def _marks(part: bytes) -> Marks:
    found = Marks()
    row = 0
    try:
        for kind, body in _records(part):
            if kind == _ROW:
                row, flags = struct.unpack_from("<I6xH", body)
                row += 1
                if flags & 0x1000:
                    found.hidden_rows.add(row)
            elif _BLANK < kind <= _LAST_CELL:
                (position,) = struct.unpack_from("<I", body)
                found.reach(row, position)
                if kind in (_ERROR, _FORMULA_ERROR):
                    found.errors[row, position] = ERRORS.get(body[8], "#ERROR!")
            elif kind == _COLUMN:
                first, last, flags = struct.unpack_from("<II8xH", body)
                if flags & 1:
                    found.hidden_columns |= set(range(first, min(last + 1, 16_384)))
            elif kind == _MERGED:
                top, bottom, left, right = struct.unpack_from("<4I", body)
                found.merged.append(((top + 1, left), (bottom + 1, right)))
    except (struct.error, IndexError) as error:
        raise SheetError(f"{DAMAGED} (a record is cut short)") from error
    return found
