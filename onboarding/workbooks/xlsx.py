"""The parts of an ``.xlsx`` in, the marks of each sheet out.

A sheet is parsed only if a look at its bytes says that there is anything to find in it; most have nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from operator import lt
from posixpath import join, normpath
from typing import Self
from xml.parsers import expat

from onboarding.errors import SheetError
from onboarding.workbooks.container import DAMAGED, Parts
from onboarding.workbooks.marks import MOST_CELLS, STRUCK, Marks, cell_name, place, unreadable

Attributes = Mapping[str, str]

_TELLING = (b't="e"', b"<mergeCell ", b"<strike", b"<![CDATA[")
_TELLING_TOO = (
    re.compile(rb"<f[ />]"),
    re.compile(rb'hidden="(?:1|true)"'),
    re.compile(rb't="s"(?!(?: s="\d+")?><v>\d+</v>)'),
)
"""What stands in none of the sheets that have nothing to tell and are written as nearly all programs write them."""
_DIMENSION = re.compile(rb"""<(?:\w+:)?dimension\s+ref=["'](?:[A-Z]+\d+:)?([A-Z]+\d+)["']""")
_ROW = re.compile(rb"""<row(?: r="(\d+)"(?!(?:[^>]*[^/>])?>\s*<c r="[A-Z]+(?!\1")\d))?""")
"""A row and its number, which its first cell does not contradict."""
_BLANK = re.compile(
    rb'(?:t="s"><v>(\d+)</v>|<v ?(?:/>|></v>)|<t(?: [^>]*)?(?:/>|></t>)</is>|<c [^>]*[^/>]>)</c>'
)
"""A cell without a text, or with one that cells share."""
_UNUSUAL = re.compile(rb"strike|<(?:\w+:)?(?:si|t)\b[^>]*(?:/>|>\s*</)")
"""What stands among the shared texts only where one is struck out or blank."""
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
    shared = _Shared(parts)

    def of(position: int) -> Marks:
        try:
            name = targets[book.sheets[position]]
        except (IndexError, KeyError):
            raise SheetError(f"{DAMAGED} (a sheet is missing)") from None
        return marks_of(name)

    def marks_of(name: str) -> Marks:
        xml = parts[name]
        used = any(f's="{style}"'.encode() in xml for style in styles)
        if used or shared.has_lines or not _has_nothing_to_tell(xml):
            return closely(xml)
        cells = xml.count(b"</c", xml.find(b"<sheetData"), xml.rfind(b"</sheetData"))

        def closer(filled: int) -> Marks:
            fits = filled == cells or filled == cells - _blank(parts[name], shared.read())
            return Marks() if fits else closely(parts[name])

        return Marks(closer=closer)

    def closely(xml: bytes) -> Marks:
        sheet = _Sheet(styles, shared.read(), calculated=book.calculated)
        parse(xml, sheet.start, sheet.end, sheet.text, sheet.cdata)
        return sheet.marks

    return of


def parse(
    xml: bytes,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    cdata: Callable[[], None] | None = None,
) -> None:
    """Tell of every element of an XML part, by its name without prefix; and of the texts that the library may leave out."""
    if b"\0" in xml[:4]:
        raise SheetError(f"{DAMAGED} (it is written in UTF-16)")
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def started(name: str, attributes: dict[str, str]) -> None:
        start(name.rpartition(":")[2] if ":" in name else name, attributes)

    def no_dtd(*_: object) -> None:
        raise SheetError(f"{DAMAGED} (it defines its own XML words)")

    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = no_dtd
    if end:
        parser.EndElementHandler = lambda name: end(
            name.rpartition(":")[2] if ":" in name else name
        )
    if text:
        parser.CharacterDataHandler = text
    if cdata:
        parser.StartCdataSectionHandler = cdata
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


def _blank(xml: bytes, shared: _Shared) -> int:
    """Count the cells with an end tag and no text."""
    numbers = (number.decode() for number in _BLANK.findall(xml))
    return sum(not number or shared.blank.get(number) == "" for number in numbers)


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
    tells = any(sign in xml for sign in _TELLING) or any(s.search(xml) for s in _TELLING_TOO)
    return near and in_order and not tells


class _Text:
    """What is written in one cell, or in one text that cells share; and whether a line goes through any of it."""

    def __init__(self) -> None:
        self._inside = ""
        self._said: list[str] = []
        self.clear()

    def clear(self) -> None:
        self._said.clear()
        self._value = self._struck = self._line = False

    def start(self, element: str, attributes: Attributes) -> None:
        match element:
            case "v" | "t":
                self._value = True
                self._inside = element
            case "r":
                self._line = False
            case "strike":
                self._line = attributes.get("val", "1") in _ON
            case _:
                pass

    def text(self, text: str) -> None:
        if self._inside:
            self._said.append(text)
            if self._line and not text.isspace():
                self._struck = True

    def end(self, element: str) -> None:
        if element in ("v", "t"):
            self._inside = ""


class _Shared(_Text):
    """The texts that cells share, by their numbers: those that are blank, and which ones are struck out."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._xml = b""
        if "xl/sharedStrings.xml" in parts:
            self._xml = parts["xl/sharedStrings.xml"]
        self.has_lines = b"strike" in self._xml
        self.blank: dict[str, str] = {}
        self.struck: set[str] = set()
        self._many = 0

    def read(self) -> Self:
        """Parse them when they are first asked for, and only if a look at their bytes says so."""
        xml, self._xml = self._xml, b""
        if _UNUSUAL.search(xml):
            parse(xml, self.start, self.end, self.text)
        return self

    def end(self, element: str) -> None:
        super().end(element)
        if element == "si":
            number, text = str(self._many), "".join(self._said)
            if not text.strip():
                self.blank[number] = text
            if self._struck:
                self.struck.add(number)
            self._many += 1
            self.clear()


class _Sheet(_Text):
    """One pass over a sheet's XML; cells and rows without a name follow the one before."""

    def __init__(self, styles: Mapping[str, str], shared: _Shared, *, calculated: bool) -> None:
        super().__init__()
        self.marks = Marks()
        self._styles = styles
        self._shared = shared
        self._calculated = calculated
        self._tables = 0
        self._row = 0
        self._numbered = True
        """Whether the row says which it is; if not, its first cell does."""
        self._place = (0, -1)
        self._positions: set[int] = set()
        self._filled: list[int] = []
        self._kind = ""
        self._style = ""
        self._formula = False

    def start(self, element: str, attributes: Attributes) -> None:
        match element:
            case "c":
                self._go_to(attributes.get("r", ""))
                self._kind = attributes.get("t", "n")
                self._style = attributes.get("s", "")
                self._formula = False
                self.clear()
            case "v" | "t":
                self._value = True
                self._inside = element
            case "f":
                self._formula = True
            case "row":
                self._start_row(attributes)
            case "col" if attributes.get("hidden") in ("1", "true"):
                first, last = int(attributes["min"]), int(attributes["max"])
                self.marks.hidden_columns |= set(range(first - 1, min(last, 16_384)))
            case "mergeCell":
                first_cell, _, last_cell = attributes.get("ref", "A1").partition(":")
                self.marks.merged.append((place(first_cell), place(last_cell or first_cell)))
            case "sheetData":
                self._tables += 1
                if self._tables > 1:
                    raise SheetError(f"{DAMAGED} (the cells of one sheet stand in it twice)")
            case "r" | "strike":
                super().start(element, attributes)
            case _:
                pass

    def _start_row(self, attributes: Attributes) -> None:
        row = int(attributes.get("r") or self._row + 1)
        if row <= self._row:
            raise SheetError(f"{DAMAGED} (row {row} stands in it twice, or above another)")
        self._row = row
        self._numbered = "r" in attributes
        self._place = (self._row, -1)
        self._positions.clear()
        if attributes.get("hidden") in _ON:
            self.marks.hidden_rows.add(self._row)

    def _go_to(self, name: str) -> None:
        self._place = place(name) if name else (self._row, self._place[1] + 1)
        row, position = self._place
        if not self._numbered:
            self._row, self._numbered = max(row, self._row), True
        if row != self._row or position in self._positions:
            where = cell_name(row, position)
            raise SheetError(f"{DAMAGED} (cell {where} stands in it twice, or in another row)")
        if not self._positions:
            self._filled = self.marks.filled[row] = []
        self._positions.add(position)

    def cdata(self) -> None:
        """Refuse what the library leaves out of a value."""
        if self._inside == "v":
            raise unreadable(*self._place)

    def end(self, element: str) -> None:
        if element in ("v", "t"):
            self._inside = ""
        elif element == "c":
            self._end_of_cell("".join(self._said))

    def _end_of_cell(self, value: str) -> None:
        shared = value if self._kind == "s" else ""
        if value or self._formula or self._kind == "e":
            self.marks.reach(*self._place)
        if shared and not (shared.isascii() and shared.isdecimal()):
            raise unreadable(*self._place)  # the library takes it for the number of the first text
        if self._kind != "e" and value and not value.isspace() and shared not in self._shared.blank:
            self._filled.append(self._place[1])
        is_struck = self._struck or shared in self._shared.struck
        if is_struck or (value and self._styles.get(self._style) == STRUCK):
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
