"""The bytes of a text file in, its ``Grid`` out: encoding and delimiter found by looking, nothing shifted.

Encoding: a byte order mark decides, whatever else is said; then what is said; then strict UTF-8, or UTF-16 and UTF-32
whose every other byte is zero. Anything else is a guess, marked as such, since two code pages can both read a file and
disagree about people's names. Delimiter: the one under which most headers are known. Row numbers count records: a
quoted line break stays in its row, a blank line is a row. A first line ``sep=;`` is an instruction that spreadsheet
programs obey and don't show, so it is no row.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection
from contextlib import suppress
from itertools import islice

from onboarding.errors import SheetError, UsageError
from onboarding.headers import known
from onboarding.sheets.grid import HEADER_WITHIN, Grid
from onboarding.sheets.records import cells

DELIMITERS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = (
    (re.compile(rb"[^\0]\0\0\0[^\0]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[^\0]\0\0\0[^\0]"), "utf-32-be"),
    (re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"),
)
"""How two letters of a header look without a byte order mark."""
_LATIN = ("cp1252", "cp1250", "mac_roman")
_OTHERS = ("cp932", "euc_kr", "cp1251", "gb18030")  # what reads the least comes first
_DOUBTFUL = re.compile(rb"[^,;\t|\r\n\"]*[\x80-\xff][^,;\t|\r\n\"]*")
_SECRET = re.compile(rb"passw|kennwort|contrase|mot de passe|pwd", re.IGNORECASE)
_HALF = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1f]")
_LONGEST = 1 << 24
"""Bytes of one line."""
_SAMPLE = 1 << 20
"""Characters by which the delimiter is judged."""
_SEP_LINE = re.compile(r'\A"?sep=([^"\s]|\t)"?[ ;,\t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)


def read_text(
    content: bytes,
    *,
    encoding: str | None,
    delimiter: str | None,
    columns: Collection[str] = (),
) -> Grid:
    """Decode and split a delimited file; ``columns`` are headers that the settings map.

    Raises ``SheetError`` without the file's name.
    """
    _refuse_endless(content)
    content, encoding, doubt = _in_utf8(content, encoding)
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    content = content.removesuffix(b"\x1a")  # the end of a file, as DOS programs mark it
    head = content[start : start + _SAMPLE].decode(errors="ignore")
    if b"\0" in content:
        if len(_CONTROL.findall(head, 0, 4096)) > 10:
            raise SheetError("not text but data of a program; export the table as CSV or .xlsx")
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise SheetError(
            f"line {line} holds a NUL character, which no text file has; "
            "save it again as CSV UTF-8, or name its encoding with --encoding"
        )
    if said := _SEP_LINE.match(head):
        delimiter, head = delimiter or said[1], head[said.end() :]
        start += len(said[0].encode())
    delimiter = _checked(delimiter) if delimiter else _delimiter(head, columns)
    open_end = not content.endswith((b"\n", b"\r"), start)
    return Grid(cells(content, start, delimiter), None, encoding, delimiter, doubt, open_end)


def _refuse_endless(content: bytes) -> None:
    """Refuse what has no line ends before it takes several times its memory."""
    at = 0
    while len(content) - at > _LONGEST:
        window = slice(at, at + _LONGEST)
        at = max(content.rfind(end, window.start, window.stop) for end in (b"\n", b"\r")) + 1
        if at <= window.start:
            line = content.count(b"\n", 0, window.start) + 1
            raise SheetError(
                f"line {line} is longer than {_LONGEST >> 20} MiB, which no row is; export the table again as CSV or .xlsx"
            )


def _in_utf8(content: bytes, encoding: str | None) -> tuple[bytes, str, str]:
    """Give the text in UTF-8, the encoding that it had, and what is doubtful about that."""
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    wide = next((name for pattern, name in _WIDE if pattern.match(content)), None)
    name = marked or encoding or wide or "utf-8"
    try:
        if name in ("utf-8", "utf-8-sig") and _is_utf8(content):
            return content, name, ""
        return _encoded(content.decode(name)), name, ""
    except LookupError as error:
        raise UsageError(f'there is no encoding "{name}"; try cp1252') from error
    except UnicodeError as error:
        doubt = _doubt(content, name, getattr(error, "start", 0))
        if encoding or marked or wide:
            raise SheetError(doubt) from error
    for page in _likely(_doubtful(content, 0)):
        with suppress(UnicodeError):
            return _encoded(content.decode(page)), page, doubt
    return _encoded(content.decode("iso-8859-1")), "iso-8859-1", doubt


def _encoded(text: str) -> bytes:
    """Encode in UTF-8; half a letter, which some encodings let pass, as the sign for a letter that got lost."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _HALF.sub("\ufffd", text).encode()


def _is_utf8(content: bytes) -> bool:
    """Whether it can be read so; a piece at a time, since a text may take four bytes for each character."""
    if content.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), _SAMPLE):
            decoder.decode(content[start : start + _SAMPLE])
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _doubt(content: bytes, encoding: str, at: int) -> str:
    """Word what can't be decoded: from which line on, and three cells in the likeliest code pages."""
    line = content.count(b"\n", 0, at) + 1
    start = max(content.rfind(b"\n", 0, at), content.rfind(b"\r", 0, at)) + 1
    cells = _doubtful(content, start)
    shown: dict[str, str] = {}
    for page in _likely(cells):
        shown.setdefault(", ".join(f'"{cell.decode(page, "replace")}"' for cell in cells), page)
    read = "; ".join(f"as {page}: {words}" for words, page in shown.items())
    if _SECRET.search(content[: 1 << 14]):
        read = "its cells are not shown, since there are passwords among them"
    return (
        f"not {encoding.removesuffix('-sig').upper()} from line {line} on ({read}); save the file as CSV UTF-8, or name "
        f"the encoding in which these are right, such as --encoding {_likely(cells)[0]}"
    )


def _doubtful(content: bytes, start: int) -> list[bytes]:
    """Give the first three cells that no one code page is sure to read."""
    found = (match[0].strip()[:40] for match in islice(_DOUBTFUL.finditer(content, start), 1000))
    return list(islice(dict.fromkeys(found), 3))


def _likely(cells: Collection[bytes]) -> tuple[str, ...]:
    """Give the code pages that cells may be in, the likeliest first: the fewest signs that they can't read."""
    if not _is_of_other_letters(cells):
        return _LATIN
    text = b",".join(cells)
    return tuple(sorted(_OTHERS, key=lambda page: text.decode(page, "replace").count("\ufffd")))


def _is_of_other_letters(cells: Collection[bytes]) -> bool:
    """Whether most letters are beyond ASCII, as in Cyrillic or Japanese; in Latin names few are."""
    letters = [byte for cell in cells for byte in cell if byte > 0x7F or chr(byte).isalpha()]
    return 2 * sum(byte > 0x7F for byte in letters) > len(letters) + 2


def _checked(delimiter: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter.lower(), delimiter)
    if len(delimiter) != 1 or delimiter in '"\r\n ':
        raise UsageError(
            f'the delimiter can\'t be "{delimiter}": one character is needed, or the word tab'
        )
    return delimiter


def _delimiter(text: str, columns: Collection[str]) -> str:
    """Choose the delimiter that gives the most known headers in a row, then the most even rows."""
    return max(DELIMITERS, key=lambda delimiter: _promise(text, delimiter, columns))


def _promise(text: str, delimiter: str, columns: Collection[str]) -> tuple[int, int]:
    try:
        lines = csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=delimiter)
        rows = list(islice(lines, HEADER_WITHIN))
    except csv.Error:
        return 0, 0
    widths = [len(row) for row in rows if len(row) > 1]
    even = max((widths.count(width) for width in set(widths)), default=0)
    return max((known(row, columns) for row in rows), default=0), even
