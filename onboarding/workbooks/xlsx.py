"""The parts of an ``.xlsx`` in, the marks of each sheet out.

A sheet is parsed only if a look at its bytes says that there is anything to find in it; most have nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from operator import lt
from posixpath import join, normpath
from xml.parsers import expat

from onboarding.errors import SheetError
from onboarding.workbooks.container import DAMAGED, Parts
from onboarding.workbooks.marks import MOST_CELLS, STRUCK, Marks, place

Attributes = Mapping[str, str]

_TELLING = [*map(re.compile, (rb't="e"', rb"<f[ />]", rb'hidden="(?:1|true)"', rb"<mergeCell "))]
"""What stands in none of the sheets that have nothing to tell and are written as nearly all programs write them."""
_DIMENSION = re.compile(rb"""<(?:\w+:)?dimension\s+ref=["'](?:[A-Z]+\d+:)?([A-Z]+\d+)["']""")
_ROW = re.compile(rb'<row(?: r="(\d+))?')
_ON = ("1", "true")
_ZEROS = re.compile("0{2,}")
_PER_CENT = re.compile(r"0(?:\.0{1,9})?%")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,20})?(?:[eE][-+]?\d{1,2})?")


def marks(parts: Parts) -> Callable[[int], Marks]:
    """Give what finds the marks of the sheet at a position."""
    book = _Book()
    parse(parts["xl/workbook.xml"], book.start)
    targets = relations(parts, "xl/_rels/workbook.xml.rels")
    styles = _styles(parts)

    def of(position: int) -> Marks:
        try:
            name = targets[book.sheets[position]]
        except (IndexError, KeyError):
            raise SheetError(f"{DAMAGED} (a sheet is missing)") from None
        return _marks(parts[name], styles, calculated=book.calculated)

    return of


def parse(
    xml: bytes,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Tell of every element of an XML part, by its name without prefix."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def started(name: str, attributes: dict[str, str]) -> None:
        start(name.rpartition(":")[2], attributes)

    def no_dtd(*_: object) -> None:
        raise SheetError(f"{DAMAGED} (it defines its own XML words)")

    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = no_dtd
    if end:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    if text:
        parser.CharacterDataHandler = text
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise SheetError(f"{DAMAGED} ({error})") from error


def relations(parts: Parts, name: str) -> dict[str, str]:
    """Give the parts that the workbook refers to, by the ids it uses."""
    found: dict[str, str] = {}

    def start(element: str, attributes: Attributes) -> None:
        if element == "Relationship":
            target = attributes.get("Target", "")
            found[attributes.get("Id", "")] = normpath(join("xl", target)).lstrip("/")

    parse(parts[name], start)
    return found


class _Book:
    """Which sheets there are, and whether what is stored for formulas was calculated at all."""

    def __init__(self) -> None:
        self.sheets: list[str] = []
        self.calculated = True

    def start(self, element: str, attributes: Attributes) -> None:
        if element == "sheet":
            ids = (value for name, value in attributes.items() if name.endswith(":id"))
            self.sheets.append(next(ids, ""))
        elif element == "calcPr":
            # Whoever asks for this at opening has stored nothing, or 0, for each formula.
            self.calculated = attributes.get("fullCalcOnLoad", "0") not in ("1", "true")


def _styles(parts: Parts) -> dict[str, str]:
    """Give the styles that show a number with zeros in front or in per cent, with the format; or that strike out."""
    if "xl/styles.xml" not in parts:
        return {}
    formats = {"9": "0%", "10": "0.00%"}  # these need not be written down
    cells: list[str] = []
    struck: set[int] = set()
    fonts, inside = -1, ""

    def start(element: str, attributes: Attributes) -> None:
        nonlocal fonts, inside
        code = attributes.get("formatCode", "").removesuffix(";@")
        if element == "numFmt" and (_ZEROS.fullmatch(code) or _PER_CENT.fullmatch(code)):
            formats[attributes.get("numFmtId", "")] = code
        elif element in ("fonts", "fills", "cellXfs", "cellStyles"):
            inside = element
        elif inside == "fonts" and element == "font":
            fonts += 1
        elif inside == "fonts" and element == "strike" and attributes.get("val", "1") in _ON:
            struck.add(fonts)
        elif inside == "cellXfs" and element == "xf":
            shown = formats.get(attributes.get("numFmtId", ""), "")
            cells.append(STRUCK if int(attributes.get("fontId") or 0) in struck else shown)

    parse(parts["xl/styles.xml"], start)
    return {str(style): code for style, code in enumerate(cells) if code}


def _as_shown(number: str, code: str) -> str:
    """Show a number in one of those formats; empty where it shows as it is.

    >>> _as_shown("43", "000000"), _as_shown("0.125", "0%"), _as_shown("4.5", "00")
    ('000043', '13%', '')
    """
    if number.isdecimal() and not code.endswith("%"):
        return number.zfill(len(code)) if len(number) < len(code) else ""
    if not code.endswith("%") or not _NUMBER.fullmatch(number):
        return ""
    places = len(code.partition(".")[2].rstrip("%"))
    per_cent = (Decimal(number) * 100).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{per_cent:f}%"


def _marks(xml: bytes, styles: Mapping[str, str], *, calculated: bool) -> Marks:
    used = {style: code for style, code in styles.items() if f's="{style}"'.encode() in xml}
    if not used and _has_nothing_to_tell(xml):
        return Marks()
    sheet = _Sheet(styles, calculated=calculated)
    parse(xml, sheet.start, sheet.end, sheet.text)
    return sheet.marks


def _has_nothing_to_tell(xml: bytes) -> bool:
    """Look without parsing: whether it is written as usual, near enough together, and has none of the signs."""
    head = xml[:4096]
    numbers = _ROW.findall(xml)
    if b"<worksheet" not in head or b"='" in head or b"" in numbers:
        return False
    rows = [*map(int, numbers)]
    dimension = _DIMENSION.search(head)
    row, position = place(dimension[1].decode()) if dimension else (MOST_CELLS, 1)
    near = max([row, *rows[-1:]]) * (position + 1) <= MOST_CELLS // 4
    in_order = all(map(lt, rows, rows[1:]))
    return near and in_order and not any(sign.search(xml) for sign in _TELLING)


class _Sheet:
    """One pass over a sheet's XML; cells and rows without a name follow the one before."""

    def __init__(self, styles: Mapping[str, str], *, calculated: bool) -> None:
        self.marks = Marks()
        self._styles = styles
        self._calculated = calculated
        self._row = 0
        self._place = (0, -1)
        self._kind = ""
        self._style = ""
        self._formula = self._content = self._value = self._in_value = False
        self._text: list[str] = []

    def start(self, element: str, attributes: Attributes) -> None:
        match element:
            case "c":
                name = attributes.get("r")
                self._place = place(name) if name else (self._row, self._place[1] + 1)
                self._kind = attributes.get("t", "n")
                self._style = attributes.get("s", "")
                self._formula = self._content = self._value = False
                self._text.clear()
            case "v" | "t":
                self._value = self._in_value = True
            case "f":
                self._formula = True
            case "row":
                row = int(attributes.get("r") or self._row + 1)
                if row <= self._row:
                    raise SheetError(f"{DAMAGED} (row {row} stands in it twice, or above another)")
                self._row = row
                self._place = (self._row, -1)
                if attributes.get("hidden") in ("1", "true"):
                    self.marks.hidden_rows.add(self._row)
            case "col" if attributes.get("hidden") in ("1", "true"):
                first, last = int(attributes["min"]), int(attributes["max"])
                self.marks.hidden_columns |= set(range(first - 1, min(last, 16_384)))
            case "mergeCell":
                first_cell, _, last_cell = attributes.get("ref", "A1").partition(":")
                self.marks.merged.append((place(first_cell), place(last_cell or first_cell)))
            case _:
                pass

    def text(self, text: str) -> None:
        if self._in_value:
            self._text.append(text)

    def end(self, element: str) -> None:
        if element in ("v", "t"):
            self._in_value = False
        elif element == "c":
            self._end_of_cell("".join(self._text))

    def _end_of_cell(self, value: str) -> None:
        if value or self._formula or self._kind == "e":
            self.marks.reach(*self._place)
        if value and self._styles.get(self._style) == STRUCK:
            self.marks.errors[self._place] = STRUCK
        elif self._kind == "e":
            self.marks.errors[self._place] = value or "#ERROR!"
        elif self._formula and not self._is_calculated(value):
            self.marks.errors[self._place] = ""
        elif self._kind == "n" and (shown := _as_shown(value, self._styles.get(self._style, ""))):
            self.marks.shown[self._place] = shown

    def _is_calculated(self, value: str) -> bool:
        """Whether a formula has a result; one that came to an empty text says so by its kind."""
        if not self._calculated and value == "0":
            return False
        return bool(value) or (self._kind in ("str", "inlineStr") and self._value)
