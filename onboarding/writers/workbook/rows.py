"""A workbook without rows and the rows in; the workbook with them out. Every cell is text, or blank, and stays so.

xlsxwriter takes cell after cell, which needs eight times as long for a hundred thousand rows. It makes all but the rows;
these are put in here, in the XML of ECMA-376 (part 1, 18.3.1.73): each is a template with a place for every cell, made
once for all the rows that look alike.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape
from itertools import chain, count
from typing import TYPE_CHECKING, NamedTuple

from onboarding.writers.workbook.style import LONGEST, escaped

if TYPE_CHECKING:
    from xlsxwriter.format import Format

CHUNK = 2_000  # rows put into bytes at a time
QUICKLY = 3  # of 9: the default takes twice as long for a tenth less


class Rows(NamedTuple):
    """Rows of a sheet that follow each other."""

    columns: Sequence[Sequence[str]]
    styles: Sequence[tuple[Format, ...]]
    """Those of each row's cells."""
    heights: Sequence[int | None]
    """In points; None where one line will do."""


def filled(book: bytes, rows: Mapping[str, Iterable[Rows]]) -> bytes:
    """Put rows into the sheets of a workbook, each named by its part of the file."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book)) as empty,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=QUICKLY) as full,
    ):
        for name in empty.namelist():
            with full.open(name, "w") as part:
                if name in rows:
                    head, tail = _ROWS.split(_DIMENSION.sub(b"", empty.read(name)))
                    lines = chain([head, b"<sheetData>"], _xml(rows[name]), [b"</sheetData>", tail])
                    part.writelines(lines)
                else:
                    part.write(empty.read(name))
    return content.getvalue()


_ROWS = re.compile(b"<sheetData>.*</sheetData>", re.DOTALL)
_DIMENSION = re.compile(b"<dimension [^>]*/>")


def _xml(rows: Iterable[Rows]) -> Iterator[bytes]:
    first = 1
    for some in rows:
        cells = zip(*map(_cells, some.columns), strict=True)
        yield "".join(map(_row, count(first), some.styles, some.heights, cells)).encode()
        first += len(some.styles)


def _row(number: int, styles: tuple[Format, ...], height: int | None, cells: Iterable[str]) -> str:
    tall = f' ht="{height}" customHeight="1"' if height else ""
    return _template(styles).replace("#", str(number)) % (tall, *cells)


@lru_cache(maxsize=256)
def _template(styles: tuple[Format, ...]) -> str:
    """Make a row of these styles: ``#`` stands for its number, ``%s`` for its height and for what is in each cell."""
    from xlsxwriter.utility import xl_col_to_name

    cells = (
        f'<c r="{xl_col_to_name(n)}#" s="{style.xf_index}"%s' for n, style in enumerate(styles)
    )
    return f'<row r="#"%s>{"".join(cells)}</row>'


def _cells(texts: Sequence[str]) -> Iterable[str]:
    """Give what is in each cell of a column; that most are plain is seen of all of them at once."""
    all_of_them = f"|{'|'.join(texts)}|"
    plain = all_of_them.isprintable() and not any(mark in all_of_them for mark in _MARKS)
    if plain and max(map(len, texts)) <= LONGEST:
        return [_PLAIN % text if text else "/>" for text in texts]
    return map(_cell, texts)


@lru_cache(maxsize=1 << 10)
def _cell(text: str) -> str:
    """Give what is in a cell."""
    if not text:
        return "/>"
    if len(text) <= LONGEST and not _SPECIAL.search(text):
        return _PLAIN % text
    xml = escape(escaped(text), quote=False)
    return f' t="inlineStr"><is><t xml:space="preserve">{xml}</t></is></c>'


_PLAIN = ' t="inlineStr"><is><t>%s</t></is></c>'
_MARKS = ("&", "<", ">", "_x", "| ", " |")
_SPECIAL = re.compile("[&<>\x00-\x1f\ud800-\udfff\ufffe\uffff]|_x|^\\s|\\s$")
