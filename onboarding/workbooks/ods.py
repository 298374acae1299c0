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
_BLANKS = {"s": " ", "tab": "\t", "line-break": "\n"}
_GONE = ("collapse", "filter")


def marks(parts: Parts) -> Callable[[int], Marks]:
    """Give what finds the marks of the sheet at a position."""
    content = _Content()
    parse(parts["content.xml"], content.start, content.end, content.text)

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
        self._asides = 0
        self._paragraphs = 0
        self._broken = False
        """Whether the cell has tabs or line breaks, which the library leaves out."""
        self._text: list[str] = []

    def start(self, element: str, attributes: Attributes) -> None:
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
                self._paragraphs = 0
                self._broken = False
                self._text.clear()
            case "annotation":
                self._asides += 1
            case "p":
                self._text += ["\n"] if self._paragraphs and not self._asides else []
                self._paragraphs += 1
            case "s" | "tab" | "line-break" if not self._asides:
                self._text.append(_BLANKS[element] * _many(attributes, "text:c"))
                self._broken = self._broken or element != "s"
            case _:
                pass

    def text(self, text: str) -> None:
        if self._paragraphs and not self._asides:
            self._text.append(text)

    def end(self, element: str) -> None:
        if element == "annotation":
            self._asides -= 1
            self._paragraphs = 0
        elif element in ("table-cell", "covered-table-cell") and self.sheets:
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
        elif self._broken or self._is_shown_so(text):
            self._put(marks.shown, text)
        down = _many(cell, "table:number-rows-spanned")
        across = _many(cell, "table:number-columns-spanned")
        if down > 1 or across > 1:
            marks.merged.append(((row, position), (row + down - 1, position + across - 1)))

    def _is_shown_so(self, text: str) -> bool:
        """Whether the cell is a number that is shown with zeros in front or in per cent."""
        kind = self._cell.get("office:value-type")
        return bool(text) and (
            kind == "percentage" or (kind == "float" and bool(_PADDED.fullmatch(text)))
        )

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
