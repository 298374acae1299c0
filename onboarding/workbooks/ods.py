"""The parts of an ``.ods`` in, the marks of each sheet out: one pass over its only large part."""

from __future__ import annotations

import re
from collections.abc import Callable

from onboarding.errors import SheetError
from onboarding.workbooks.container import DAMAGED, Parts
from onboarding.workbooks.marks import Marks, Place
from onboarding.workbooks.xlsx import Attributes, parse

_PADDED = re.compile(r"0\d+")
_ERROR = re.compile(r"#[^\s#]*[A-Z][^\s#]*|Err:\d{3}")
"""What shows in a cell with an error; Excel stores 0 as its value, other programs nothing."""
_VALUES = {f"office:{kind}value" for kind in ("", "boolean-", "date-", "time-")}
_BLANKS = {"s": " ", "tab": "\t", "line-break": "\n"}
_GONE = ("collapse", "filter")


def marks(parts: Parts) -> Callable[[int], Marks]:
    """Give what finds the marks of the sheet at a position."""
    content = _Content()
    parse(parts["content.xml"], content.start, content.end, content.text, content.cdata)

    def of(position: int) -> Marks:
        try:
            return content.sheets[position]
        except IndexError:
            raise SheetError(f"{DAMAGED} (a sheet is missing)") from None

    return of


class _Content:
    """All sheets; a row or cell may stand for many alike."""

    def __init__(self) -> None:
        self.sheets: list[Marks] = []
        self._row = 0  # rows before this one
        self._rows = 0
        self._column = 0
        self._position = -1
        self._cell: Attributes = {}
        self._in_cell = False
        self._asides = 0
        """How deep inside something that is no part of the cell's text: a comment, a picture, a box."""
        self._paragraph = 0
        self._paragraphs = 0
        self._broken = False
        """Whether the cell has tabs, line breaks or CDATA, which the library leaves out."""
        self._text: list[str] = []

    def start(self, element: str, attributes: Attributes) -> None:
        beside = self._in_cell and not self._paragraph and element != "p"
        if self._asides or beside or element == "annotation":
            self._asides += 1
            return
        match element:
            case "table":
                self.sheets.append(Marks())
                self._row, self._rows, self._column = 0, 0, 0
            case "table-column":
                many = _many(attributes, "table:number-columns-repeated")
                if attributes.get("table:visibility") in _GONE:
                    last = min(self._column + many, 16_384)
                    self.sheets[-1].hidden_columns |= set(range(self._column, last))
                self._column += many
            case "table-row":
                self._row += self._rows
                self._rows = _many(attributes, "table:number-rows-repeated")
                self._position = -1
                if attributes.get("table:visibility") in _GONE and self._rows < 1 << 16:
                    self.sheets[-1].hidden_rows |= set(
                        range(self._row + 1, self._row + self._rows + 1)
                    )
            case "table-cell" | "covered-table-cell":
                self._cell = attributes
                self._in_cell = True
                self._paragraphs = 0
                self._broken = False
                self._text.clear()
            case "p":
                self._text += ["\n"] if self._paragraphs else []
                self._paragraph += 1
                self._paragraphs += 1
            case "s" | "tab" | "line-break":
                self._text.append(_BLANKS[element] * _many(attributes, "text:c"))
                self._broken = self._broken or element != "s"
            case _:
                pass

    def text(self, text: str) -> None:
        if self._paragraph and not self._asides:
            self._text.append(text)

    def cdata(self) -> None:
        self._broken = True

    def end(self, element: str) -> None:
        if self._asides:
            self._asides -= 1
        elif element == "p":
            self._paragraph -= 1
        elif element in ("table-cell", "covered-table-cell") and self.sheets:
            self._in_cell = False
            self._end_of_cell("".join(self._text))
            self._position += _many(self._cell, "table:number-columns-repeated")

    def _end_of_cell(self, text: str) -> None:
        marks, cell = self.sheets[-1], self._cell
        row, position = self._row + 1, self._position + 1
        of_formula = "table:formula" in cell
        is_error = cell.get("calcext:value-type") == "error"
        if text or "office:value" in cell or of_formula or is_error:
            many = _many(cell, "table:number-columns-repeated")
            marks.reach(row + self._rows - 1, position + many - 1)
        if is_error or (of_formula and _ERROR.fullmatch(text)):
            self._put(marks.errors, text or "#ERROR!")
        elif of_formula and "office:value-type" not in cell and not self._paragraphs:
            self._put(marks.errors, "")
        elif text and (self._broken or self._is_shown_so(text)):
            self._put(marks.shown, text)
        elif text and cell["office:value-type"] != "string" and _VALUES.isdisjoint(cell):
            self._put(marks.errors, "#ERROR!")
        down = _many(cell, "table:number-rows-spanned")
        across = _many(cell, "table:number-columns-spanned")
        if down > 1 or across > 1:
            marks.merged.append(((row, position), (row + down - 1, position + across - 1)))

    def _is_shown_so(self, text: str) -> bool:
        """Whether the cell is a number that is shown with zeros in front or in per cent, or a text and not said to be one."""
        match self._cell.get("office:value-type"):
            case None | "percentage":
                return True
            case "string":
                return self._cell.get("office:string-value") == ""
            case kind:
                return kind == "float" and bool(_PADDED.fullmatch(text))

    def _put(self, where: dict[Place, str], text: str) -> None:
        """Put a text under the cell's place, and under those of the alike ones that it stands for."""
        first = self._position + 1
        for row in range(self._row + 1, self._row + self._rows + 1):
            for position in range(
                first, first + _many(self._cell, "table:number-columns-repeated")
            ):
                where[row, position] = text


def _many(attributes: Attributes, name: str) -> int:
    said = attributes.get(name, "1")
    return max(1, int(said)) if said.isdecimal() else 1
