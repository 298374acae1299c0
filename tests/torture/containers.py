"""Files that are not what their names say, broken or hostile packages, and places that are no files."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from torture import render
from torture.truth import Case, Line, Meaning, case
from torture.workbooks import GOOD, ROWS

TEXT = "email,role,groups\nana@acme.example,Member,Ops\nben@acme.example,Guest,HR\ncem@acme.example,Guest,HR\n"


def cases() -> Iterator[Case]:
    yield from _renamed()
    yield from _cut()
    yield from _damaged()
    yield from _bombs()


def _made(
    name: str, suffix: str, content: bytes, *meanings: Meaning, sheet: str = "S", **how: Any
) -> Case:
    return case(
        f"container {name}", suffix, content, [Line((), one) for one in meanings], sheet, **how
    )


BOOKS = {
    ".xlsx": render.xlsx(ROWS, "S"),
    ".ods": render.ods(ROWS, "S"),
    ".xlsb": render.xlsb(ROWS, "S"),
}


def _renamed() -> Iterator[Case]:
    """Content decides what it is; a name that says something else is refused, or the content is read right."""
    for suffix, content in BOOKS.items():
        for other in (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"):
            yield _made(
                f"{suffix[1:]} named {other[1:]}", other, content, *GOOD, safe=other != suffix
            )
        for other in (".csv", ".tsv", ".txt"):
            yield _made(f"{suffix[1:]} named {other[1:]}", other, content, *GOOD, safe=True)
    for other in (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"):
        yield _made(f"text named {other[1:]}", other, TEXT.encode(), *GOOD, sheet="", safe=True)
    page = b"<html><table><tr><td>email</td><td>role</td></tr><tr><td>ana@acme.example</td><td>Member</td></tr></table></html>"
    yield _made("a web page named xls", ".xls", page, refused=".")
    yield _made("a web page named csv", ".csv", page, refused=".")
    xml = b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
    yield _made("XML of 2003 named xls", ".xls", xml, refused=".")
    yield _made("another zip named xlsx", ".xlsx", render.zipped({"people.csv": TEXT}), refused=".")
    yield _made(
        "a Word document named xlsx",
        ".xlsx",
        render.zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<x/>"}),
        refused=".",
    )
    yield _made("an empty zip", ".xlsx", b"PK\x05\x06" + bytes(18), refused=".")
    yield _made(
        "a text document named ods",
        ".ods",
        render.zipped(
            {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"}
        ),
        refused=".",
    )


def _cut() -> Iterator[Case]:
    for suffix, content in BOOKS.items():
        for share in (1, 5, 25, 50, 75, 90, 95, 99):
            yield _made(
                f"{suffix[1:]} cut at {share} %",
                suffix,
                content[: len(content) * share // 100],
                refused=".",
            )


def _damaged() -> Iterator[Case]:
    for suffix, content in BOOKS.items():
        yield _made(
            f"{suffix[1:]} with junk behind", suffix, content + b"junk" * 9, *GOOD, safe=True
        )
        yield _made(
            f"{suffix[1:]} with junk before", suffix, b"MZ junk" + content, *GOOD, refused="."
        )
        at = content.index(b"PK\x01\x02")
        flipped = content[:at] + content[at : at + 16] + b"\xff\xff\xff\xff" + content[at + 20 :]
        yield _made(f"{suffix[1:]} with a wrong checksum", suffix, flipped, *GOOD, safe=True)
        locked = content.replace(b"PK\x01\x02\x14\0\x14\0\0\0", b"PK\x01\x02\x14\0\x14\0\1\0")
        yield _made(f"{suffix[1:]} with a password on a part", suffix, locked, *GOOD, safe=True)
        members = dict(render.unzipped(content))
        for name in members:
            emptied: dict[str, str | bytes] = {**members, name: b""}
            yield _made(
                f"{suffix[1:]} with {name} empty", suffix, render.zipped(emptied), *GOOD, safe=True
            )
            noise = bytes((byte * 37 + 11) % 256 for byte in members[name])
            broken: dict[str, str | bytes] = {**members, name: noise}
            yield _made(
                f"{suffix[1:]} with {name} noise", suffix, render.zipped(broken), *GOOD, safe=True
            )
    yield _made(
        "ole with nothing in it",
        ".xls",
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504),
        refused=".",
    )
    yield _made("ole that is too short", ".xls", bytes.fromhex("d0cf11e0a1b11ae1"), refused=".")
    locked_ole = (
        bytes.fromhex("d0cf11e0a1b11ae1")
        + bytes(504)
        + "EncryptedPackage".encode("utf-16-le")
        + bytes(4096)
    )
    yield _made("ole with a password", ".xlsx", locked_ole, refused=".")


def _bombs() -> Iterator[Case]:
    """Small files that unpack to more than fits."""
    parts = render.parts({"S": render.sheet_xml(ROWS)})
    sheet = "xl/worksheets/sheet1.xml"
    head, tail = parts[sheet].split("</sheetData>")
    blanks = head + " " * (400 << 20) + "</sheetData>" + tail
    yield _made(
        "with 400 MiB of blanks", ".xlsx", render.zipped(parts | {sheet: blanks}), *GOOD, safe=True
    )
    cell = f'<row r="9"><c r="A9" t="inlineStr"><is><t>{"x" * (200 << 20)}</t></is></c></row></sheetData>'
    yield _made(
        "with a cell of 200 MiB",
        ".xlsx",
        render.zipped(parts | {sheet: head + cell + tail}),
        refused=".",
    )
    liar = render.zipped(parts | {"x.bin": b"\0" * 1000})
    size = struct.pack("<I", 1000)
    yield _made(
        "with a size that lies",
        ".xlsx",
        liar.replace(size, struct.pack("<I", 0xFFFFFFF0)),
        *GOOD,
        safe=True,
    )


# ---- places that are no files ----------------------------------------------------------------------------------------


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(os.path.relpath(path))  # a socket's name is short
    server.close()


def _forbidden(path: Path) -> None:
    path.write_text(TEXT)
    path.chmod(0)


PLACES: dict[str, Callable[[Path], None]] = {
    "nothing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "a folder with a hidden file": lambda path: (path.mkdir(), (path / ".x.csv").write_text(TEXT))[
        0
    ],
    "a pipe": _pipe,
    "a socket": _socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "its own environment": lambda path: path.symlink_to("/proc/self/environ"),
    "a link that leads nowhere": lambda path: path.symlink_to("nowhere.csv"),
    "a link to itself": lambda path: path.symlink_to(path.name),
}
"""What stands at a path -> what puts it there; none of them is a table."""
