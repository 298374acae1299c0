"""The bytes of a workbook in, its format and its parts out; or a refusal by its true name.

A workbook is a zip of parts (``.xlsx``, ``.xlsm``, ``.xlsb``, ``.ods``) or an OLE compound file (``.xls``, and
whatever has a password). This comes before any spreadsheet library sees the bytes. What a zip says of its own sizes
may be a lie; the process that reads it has limits of its own.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter

from onboarding.errors import SheetError
from onboarding.workbooks import ole

LARGEST = 1 << 30
"""Bytes that all parts may unpack to, 1 GiB: a sheet of a million rows has about half of it."""
STEEPEST = 250
"""How many times its packed size a part may be, where it is larger than ``SMALL``; sheets of one repeated row reach 100."""
SMALL = 16 << 20
MOST_PARTS = 10_000

PROTECTED = "the workbook is protected by a password; save a copy without one"
DAMAGED = "no readable workbook; open it in a spreadsheet program and save it again as .xlsx"

TOO_MUCH = (
    "reading this workbook takes more memory or time than it is given; delete the rows and columns outside the table, "
    "save it again, or save the table as CSV"
)

_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_NO_WORKBOOKS = (
    ("word/document.xml", "a Word document (.docx); copy its table into a workbook"),
    ("ppt/presentation.xml", "a presentation (.pptx) and no table"),
    ("index/document.iwa", "an Apple document; export it from Numbers as .xlsx"),
    ("content.xml", "an OpenDocument file and no spreadsheet (.ods); copy its table into one"),
)
_NO_WORKBOOK_STREAMS = (
    ("encryptedpackage", PROTECTED),
    ("worddocument", "a Word document (.doc); copy its table into a workbook"),
    ("powerpoint document", "a presentation (.ppt) and no table"),
    ("__properties_version1.0", "an e-mail message (.msg); save the file attached to it"),
)
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class Parts:
    """The parts of a zip by name, in whatever case the writer spelled it; each unpacked when it is asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._infos = {_plain(info.filename): info for info in archive.infolist()}

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._infos

    def __getitem__(self, name: str) -> bytes:
        info = self._infos.get(_plain(name))
        if info is None:
            raise SheetError(f"{DAMAGED} ({name} is not in it)")
        try:
            content = self._archive.read(info)
        except RuntimeError as error:  # zipfile's word for a part with a password
            raise SheetError(PROTECTED) from error
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError) as error:
            raise SheetError(f"{DAMAGED} ({error})") from error
        if _DTD.search(content[:4096]):
            raise SheetError(
                f"the workbook defines its own XML words in {name}, which no spreadsheet program does; {DAMAGED}"
            )
        return content


def opened(content: bytes) -> tuple[str, Parts | bytes]:
    """Give the format (``xlsx``, ``xlsm``, ``xlsb``, ``ods``, ``xls``), and the parts or the one stream of an ``xls``."""
    if content.startswith(ole.MAGIC):
        return "xls", _stream(content)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        _refuse_bombs(archive.infolist())
        parts = Parts(archive)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise SheetError(f"{DAMAGED} ({error})") from error
    return _format(parts), parts


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _refuse_bombs(infos: list[zipfile.ZipInfo]) -> None:
    """Refuse by the directory alone, nothing unpacked yet."""
    if len(infos) > MOST_PARTS:
        raise SheetError(f"the file has {len(infos):,} parts; no workbook has so many")
    twice = [
        name for name, times in Counter(_plain(i.filename) for i in infos).items() if times > 1
    ]
    if twice:
        raise SheetError(f"two parts of the workbook are called {twice[0]}; {DAMAGED}")
    size = sum(info.file_size for info in infos)
    if size > LARGEST:
        raise SheetError(
            f"the workbook unpacks to {size >> 20:,} MiB, more than is read; split it, or save it as CSV"
        )
    for info in infos:
        if info.file_size > max(SMALL, STEEPEST * info.compress_size):
            raise SheetError(
                f"{info.filename} in the workbook unpacks to {info.file_size >> 20:,} MiB from {info.compress_size >> 10:,}"
                " KiB, which is nothing but repetition; delete the rows and columns outside the table and save it again"
            )


def _format(parts: Parts) -> str:
    if "xl/workbook.xml" in parts:
        return "xlsm" if "xl/vbaproject.bin" in parts else "xlsx"
    if "xl/workbook.bin" in parts:
        return "xlsb"
    if "mimetype" in parts and parts["mimetype"].strip().startswith(_ODS):
        if (
            "meta-inf/manifest.xml" in parts
            and b"encryption-data" in parts["meta-inf/manifest.xml"]
        ):
            raise SheetError(PROTECTED)
        return "ods"
    for name, what in _NO_WORKBOOKS:
        if name in parts:
            raise SheetError(what)
    raise SheetError("a zip archive and no workbook; unpack it and name the files in it")


def _stream(content: bytes) -> bytes:
    """Give the stream that holds the sheets of an ``.xls``."""
    try:
        file = ole.Compound(content)
        for name in ("workbook", "book"):
            if name in file:
                return file[name]
    except ole.Broken as error:
        protected = "EncryptedPackage".encode("utf-16-le") in content
        raise SheetError(PROTECTED if protected else f"{DAMAGED} ({error})") from error
    for name, what in _NO_WORKBOOK_STREAMS:
        if name in file:
            raise SheetError(what)
    raise SheetError(DAMAGED)
