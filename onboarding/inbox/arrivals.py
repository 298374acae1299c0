"""What lies in an inbox: which files have arrived, a private copy of each, and its way to ``done/``.

Whoever uploads may do anything to the folder at any time. So a file is opened once, without following a link; what
is moved is compared with what was copied; and nothing is ever replaced.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from onboarding.errors import SheetError, StorageError, UsageError
from onboarding.sources import CHECKSUM, LARGEST, QUIET, Source, is_open_elsewhere
from onboarding.writers import files

log = logging.getLogger(__name__)

DONE = "done"
SETTINGS = "onboarding.toml"
STAMP = re.compile(r"\A(\d{8}T\d{6}Z-)+")
UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", "~")
"""What programs that upload add to a name until all of it is there."""


class NotYet(Exception):
    """The file is no upload yet, or no longer."""


@dataclass(frozen=True, slots=True)
class Left:
    """What lies in the inbox and is not taken up."""

    name: str
    why: str


def arrived(inbox: Path) -> tuple[list[Path], list[Left]]:
    """Give the files that have arrived, the first of them first, and what else lies there.

    A rename changes the time of the inode (``st_ctime``) and no other: that is when a file came under its name.
    """
    found: list[tuple[int, Path]] = []
    left: list[Left] = []
    try:
        for path in sorted(inbox.iterdir()):
            with suppress(FileNotFoundError):
                facts = path.lstat()
                if why := _why_not(path, facts.st_mode):
                    left.append(Left(path.name, why))
                elif path.name not in (DONE, SETTINGS) and path.suffix != CHECKSUM:
                    found.append((facts.st_ctime_ns, path))
    except OSError as error:
        raise UsageError(
            f"the inbox {inbox} can't be read: {error.strerror}. Make it, or give us the right to read and write it, "
            "or name another folder with --inbox."
        ) from error
    return [path for _, path in sorted(found)], left


def copied(path: Path, folder: Path) -> Source:
    """Copy an upload into a folder of ours; raises ``SheetError`` if it can't be, ``NotYet`` while it is written."""
    content = _content(path)
    copy = files.folder(folder) / own_name(path)
    files.whole(copy, content)
    checksum, mode = _checksum_of(path), 0
    with suppress(OSError):  # there is none, or its name would be too long
        mode = checksum.lstat().st_mode
    if mode and not stat.S_ISREG(mode):
        raise SheetError(
            f"its checksum {checksum.name} is no file but a link, which is not followed, or a pipe or folder; "
            "upload the checksum itself, or none"
        )
    if mode:
        try:
            files.whole(_checksum_of(copy), _content(checksum))
        except SheetError as error:
            raise SheetError(f"its checksum {checksum.name}: {error}") from error
    return Source(copy.name, copy, hashlib.sha256(content).hexdigest(), len(content))


def own_name(path: Path) -> str:
    """Give an upload's name without what could do harm, and without the time that it got in ``done/``, if it was put back."""
    return files.same_name(STAMP.sub("", path.name) or path.name)


def digest(path: Path) -> str:
    """Give the checksum of what lies in the inbox; empty where it can't be read."""
    try:
        return hashlib.sha256(_content(path)).hexdigest()
    except (NotYet, SheetError):
        return ""


def done_folder(inbox: Path) -> Path:
    """Give the folder ``done/`` of an inbox, made if missing; it has to be one, and no way to somewhere else."""
    done = inbox / DONE
    if os.path.lexists(done) and (done.is_symlink() or not done.is_dir()):
        raise UsageError(
            f"{done} is no folder, and what was taken is to be moved there. Remove it."
        )
    return files.folder(done)


def identity(path: Path) -> tuple[int, ...]:
    """Give what tells a file from the next one of its name, and from itself after a change; empty for none."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return ()
    return _identity(facts)


def move(path: Path, done: Path, name: str, known: tuple[int, ...]) -> None:
    """Move an upload to ``done/``, if it still is the one known; what has come under its name meanwhile stays.

    A file that takes its place between look and rename is put back.
    """
    if identity(path) != known:
        return
    target = _free(done / name)
    try:
        path.rename(target)
        if identity(target) != known:
            target.rename(_free(path))
            return
        with suppress(OSError):  # there is none, or its name would be too long
            _checksum_of(path).rename(_checksum_of(target))
        files.flush_folder(done)
        files.flush_folder(path.parent)
        log.info("the upload is moved to %s", target)
    except OSError as error:
        raise StorageError(
            f"{path} can't be moved to {done}: {error.strerror}. Its report is written; let us write to the inbox."
        ) from error


def _why_not(path: Path, mode: int) -> str:
    """Say why this is no upload to take up; empty if it is one, or is meant for us."""
    name = path.name
    if stat.S_ISLNK(mode):
        return "a link, which is not followed; upload the file itself"
    if stat.S_ISDIR(mode):
        return "" if name == DONE else "a folder; upload its files"
    if not stat.S_ISREG(mode):
        return "a pipe, a socket or a device, and no file"
    if name.startswith("."):
        return "a hidden file"
    if name.startswith("~$"):
        return "the lock file of an office program"
    if name.lower().endswith(UNFINISHED):
        return "an upload that is not finished, by its name"
    if path.suffix == CHECKSUM and not os.path.lexists(path.with_suffix("")):
        return "a checksum without its file"
    return ""


def _content(path: Path) -> bytes:
    with _opened(path) as file:
        before = os.fstat(file.fileno())
        _insist_that_all_is_there(file.fileno(), before)
        if before.st_size > LARGEST:
            raise SheetError(f"larger than {LARGEST >> 20} MiB; split it into several files")
        content = file.read(LARGEST + 1)
        if _identity(before) != _identity(os.fstat(file.fileno())):
            raise NotYet("it is still being written")
    return content


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open no link, and wait for no pipe."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as file:
            yield file
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
            raise NotYet("it is gone, or another one by now") from error
        raise SheetError(
            f"it can't be read: {error.strerror}. Give us the right to read it."
        ) from error


def _insist_that_all_is_there(number: int, facts: os.stat_result) -> None:
    """Refuse what some program is writing; where that can't be told, what has changed only just now."""
    if not stat.S_ISREG(facts.st_mode):
        raise NotYet("no file by now")
    written = is_open_elsewhere(number)
    if written is None:
        written = abs(time.time() - facts.st_mtime) < QUIET
    if written:
        raise NotYet("it is still being written")


def _identity(facts: os.stat_result) -> tuple[int, ...]:
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


def _checksum_of(path: Path) -> Path:
    return path.with_name(path.name + CHECKSUM)


def _free(path: Path) -> Path:
    """Give a name that nothing has yet: this one, or ``people-2.csv``."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
