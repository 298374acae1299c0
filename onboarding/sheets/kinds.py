"""The bytes of an input that is no workbook in; a refusal by its true name out, if it is no text either.

Names of files are only believed where a folder is searched for tables. What an input is, its content says.
"""

from __future__ import annotations

import re

from onboarding.errors import SheetError

_BY_START = (
    (b"%PDF", "a PDF document; copy its table into a workbook"),
    (b"{\\rtf", "a rich text document (.rtf); copy its table into a workbook"),
    (b"\x1f\x8b", "a gzip archive; unpack it and name the file in it"),
    (b"BZh", "a bzip2 archive; unpack it and name the file in it"),
    (b"\xfd7zXZ\0", "an xz archive; unpack it and name the file in it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it and name the file in it"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it and name the file in it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it and name the file in it"),
    (b"\x89PNG", "a picture and no table"),
    (b"\xff\xd8\xff", "a picture and no table"),
    (b"GIF8", "a picture and no table"),
    (b"PAR1", "a Parquet file; export it as CSV"),
    (b"SQLite format 3\0", "an SQLite database; export its table as CSV"),
    (b"\x7fELF", "a program and no table"),
    (b"\x09\x00\x04\x00", "a workbook of Excel 2; save it as .xlsx"),
    (b"\x09\x02\x06\x00", "a workbook of Excel 3; save it as .xlsx"),
    (b"\x09\x04\x06\x00", "a workbook of Excel 4; save it as .xlsx"),
)
_BY_WORDS = (
    (
        re.compile(rb"<\?xml(?s:.*)office:spreadsheet"),
        "an XML spreadsheet of 2003; open it in a spreadsheet program and save it as .xlsx",
    ),
    (
        re.compile(
            rb"(?s:<!--.*?-->|<\?xml.*?\?>|\s)*<(?:!doctype html|html|head|meta|body|table|style)\b"
        ),
        "a web page (HTML), whatever its name says; open it in a spreadsheet program and save it as .xlsx",
    ),
    (re.compile(rb"<\?xml|<!doctype"), "an XML file; export the table as CSV or .xlsx"),
    (
        re.compile(rb"mime-version:|from:.*\n[\w-]+:|content-type: multipart"),
        "a web archive or an e-mail; open it in a spreadsheet program and save it as .xlsx",
    ),
    (re.compile(rb'[\[{]\s*["{\[]'), "a JSON file; export the table as CSV or .xlsx"),
)
_MARK = re.compile(rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*")


def refuse_what_is_no_text(content: bytes) -> None:
    """Raise ``SheetError`` with the true name of what is certainly no delimited text."""
    for start, what in _BY_START:
        if content.startswith(start):
            raise SheetError(what)
    head = _MARK.sub(b"", content[:4096].replace(b"\0", b"")).lower()
    for pattern, what in _BY_WORDS:
        if pattern.match(head):
            raise SheetError(what)
