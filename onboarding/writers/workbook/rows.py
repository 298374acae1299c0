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
from itertools import chain, count, islice
from typing import TYPE_CHECKING, NamedTuple

from onboarding.writers.workbook.style import LONGEST, escaped

if TYPE_CHECKING:
    from xlsxwriter.format import Format

CHUNK = 1_000  # rows put into bytes at a time
QUICKLY = 3  # of 9: the default takes twice as long for a tenth less


class Row(NamedTuple):
    """One row of a sheet."""

    texts: Sequence[str]
    styles: tuple[Format, ...]
    height: int | None = None
    """In points; None where one line will do."""


def filled(book: bytes, rows: Mapping[str, Iterable[Row]]) -> bytes:
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


def _xml(rows: Iterable[Row]) -> Iterator[bytes]:
    lines = map(_row, count(1), rows)
    while chunk := "".join(islice(lines, CHUNK)):
        yield chunk.encode()


def _row(number: int, row: Row) -> str:
    height = f' ht="{row.height}" customHeight="1"' if row.height else ""
    template = _template(row.styles).replace("#", str(number))
    return template % (height, *map(_cell, row.texts))


@lru_cache(maxsize=256)
def _template(styles: tuple[Format, ...]) -> str:
    """Make a row of these styles: ``#`` stands for its number, ``%s`` for its height and for what is in each cell."""
    from xlsxwriter.utility import xl_col_to_name

    cells = (
        f'<c r="{xl_col_to_name(n)}#" s="{style.xf_index}"%s' for n, style in enumerate(styles)
    )
    return f'<row r="#"%s>{"".join(cells)}</row>'


@lru_cache(maxsize=1 << 14)
def _cell(text: str) -> str:
    """Give what is in a cell; most texts of a sheet are in many."""
    if not text:
        return "/>"
    if len(text) <= LONGEST and not _SPECIAL.search(text):
        return f' t="inlineStr"><is><t>{text}</t></is></c>'
    xml = escape(escaped(text), quote=False)
    return f' t="inlineStr"><is><t xml:space="preserve">{xml}</t></is></c>'


_SPECIAL = re.compile("[&<>\x00-\x1f\ud800-\udfff\ufffe\uffff]|_x|^\\s|\\s$")
