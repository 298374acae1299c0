"""A path and its bytes in; a file on disk out, whole or not at all, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from onboarding.errors import StorageError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
LONGEST_NAME = 240  # bytes; a file name may have 255, and a number may be added
NAME_LENGTH = 40  # characters; at four bytes each well below the 255 bytes of a file name


def whole(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file so that nobody ever sees half of it; what stood there before is replaced."""
    spare = path.with_name(f".{secrets.token_hex(8)}.tmp")
    with _storing(path):
        try:
            _write(spare, (data,) if isinstance(data, bytes) else data)
            spare.replace(path)
        except BaseException:
            with suppress(OSError):
                spare.unlink(missing_ok=True)
            raise
        flush_folder(path.parent)


def run_folder(reports: Path, name: str, now: datetime) -> Path:
    """Make the folder of one run, ``REPORTS/20261120T233000Z-users.csv``; a second one in that second ends in ``-2``."""
    stem = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{safe_name(name)}"
    with _storing(reports):
        reports.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        folder = _fresh(reports, stem)
        flush_folder(reports)
    return folder


def folder(path: Path) -> Path:
    """Make a folder inside a run folder, for its owner only."""
    with _storing(path):
        path.mkdir(PRIVATE_FOLDER, exist_ok=True)
    return path


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Give a folder inside a run folder for what a file is made from, for its owner only; gone in the end."""
    with _storing(path), TemporaryDirectory(prefix=".", suffix=".tmp", dir=path) as place:
        yield Path(place)


def safe_name(name: str) -> str:
    r"""Give a name that can do no harm in a path or on a terminal: its letters and digits, ``.``, ``-`` and ``_``.

    >>> safe_name("../../etc/pass wd\n.csv")
    'pass_wd_.csv'
    """
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in last)
    stem, dot, suffix = kept.lstrip(".-_").rpartition(".")
    if not dot or len(suffix) > 8:
        return (stem + dot + suffix)[:NAME_LENGTH] or "input"
    return f"{stem[: NAME_LENGTH - len(suffix) - 1]}.{suffix}"


def same_name(name: str) -> str:
    r"""Give a file's own name, without what would make it hidden, another path, or speak to a terminal.

    >>> same_name("../Personal Übersicht\n.csv")
    'Personal Übersicht_.csv'
    """
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2].lstrip(".")
    kept = "".join(letter if letter.isprintable() else "_" for letter in last)
    return kept if 0 < len(kept.encode(errors="replace")) <= LONGEST_NAME else safe_name(name)


def _write(spare: Path, chunks: Iterable[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(spare, flags, PRIVATE_FILE), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Flush a folder, so that a name in it survives a power cut."""
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _fresh(reports: Path, stem: str) -> Path:
    """Make a folder that was not there: two runs of the same second each get their own."""
    number = 1
    while True:
        path = reports / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(PRIVATE_FOLDER)
        except FileExistsError:
            number += 1
        else:
            return path


@contextmanager
def _storing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} can't be written: {error.strerror or error}. Make room or rights for it, "
            "or name another folder with --reports."
        ) from error
