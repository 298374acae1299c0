"""The names of inputs in, the bytes of every table file out: each opened once, by us, and read whole.

What is validated, hashed and reported is this one snapshot, whatever happens to the file meanwhile. Only regular
files are opened (a pipe would wait for ever), and none that is still being written; a folder gives its own table files,
sorted by name; ``hr.xlsx!Leavers`` names one sheet of a workbook.

It needs nothing but the standard library, so that it may read while pandas is still being imported.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import signal
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO

from onboarding.errors import SheetError

TEXTS = frozenset({".csv", ".tsv", ".txt"})
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
LARGEST = 1 << 29
"""Bytes of one input, 512 MiB: several million people. More is a mistake, or meant to hurt."""
CHECKSUM = ".sha256"
"""Ends the name of a file that holds the checksum of another: ``users.csv.sha256``."""
QUIET = 5
"""Seconds for which a file must not have changed, while a program has it open for writing; office programs keep it so."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input as it was read."""

    name: str
    """As short as it can be told from the others: ``users.csv``."""
    path: Path | None
    """None for standard input."""
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A source with its bytes."""

    source: Source
    content: bytes
    named: bool
    """Whether it was named itself; what a folder holds may turn out to be no table."""
    sheets: frozenset[str] = frozenset()
    """The only sheets of a workbook to read, hidden ones too; empty: all visible ones."""
    vouched_for: bool = False
    """Whether a checksum beside the file says that this is all of it."""


Ahead = Callable[[], list[Snapshot]]
"""Gives, once, what somebody has begun to read."""


@dataclass(frozen=True, slots=True)
class _Asked:
    path: Path | None
    named: bool = True
    sheets: frozenset[str] = frozenset()


def snapshots(inputs: Sequence[str], stdin: BinaryIO | None) -> list[Snapshot]:
    """Read every input, folders opened up, in the order in which they are named."""
    found: dict[str, _Asked] = {}
    for asked in (one for name in inputs for one in _asked(name)):
        key = os.path.realpath(asked.path) if asked.path else "-"  # Path.resolve trips over a loop
        before = found.setdefault(key, asked)
        if before.sheets and asked.sheets:
            found[key] = replace(before, sheets=before.sheets | asked.sheets)
        elif before is not asked:
            raise SheetError(
                f"{asked.path or 'standard input'} is named twice; name each input once"
            )
    if not found:
        raise SheetError("no input is named; name a file, a folder, or - for standard input")
    same_name = Counter(asked.path.name if asked.path else "" for asked in found.values())
    return [_snapshot(asked, same_name, stdin) for asked in found.values()]


def ahead(inputs: Sequence[str]) -> Ahead:
    """Begin to read while something else is done; what is given waits for it, once, and fails as it failed.

    Not for standard input, which may have no end: a thread that waits for it can't be left behind. Nothing is kept
    here, so that whoever is through with the bytes gives back their memory.
    """
    come: SimpleQueue[list[Snapshot] | BaseException] = SimpleQueue()

    def begin() -> None:
        try:
            come.put(snapshots(inputs, None))
        except BaseException as error:  # noqa: BLE001 -- it is told where it is waited for
            come.put(error)

    def wait() -> list[Snapshot]:
        found = come.get()
        if isinstance(found, BaseException):
            raise found
        return found

    try:
        Thread(target=begin, daemon=True).start()
    except RuntimeError:  # the system gives us no more threads
        begin()
    return wait


def again(source: Source) -> bytes | None:
    """Give a source's bytes once more; None where it was standard input, or is another file by now."""
    if source.path is None:
        return None
    try:
        content = _content(source.path)
    except SheetError:
        return None
    return content if hashlib.sha256(content).hexdigest() == source.sha256 else None


def _asked(name: str) -> Iterator[_Asked]:
    """Give standard input, the file, one sheet of it, or the table files of a folder."""
    path = Path(name)
    if name == "-":
        yield _Asked(None)
    elif path.is_dir():
        yield from (_Asked(child, named=False) for child in _inside(path))
    else:
        file, mark, sheet = name.rpartition("!")
        if mark and file and not path.exists() and Path(file).exists():
            yield _Asked(Path(file), sheets=frozenset({sheet}))
        else:
            yield _Asked(path)


def _inside(folder: Path) -> list[Path]:
    try:
        inside = sorted(child for child in folder.iterdir() if _is_table_file(child))
    except OSError as error:
        raise SheetError(f"{folder}: the folder can't be read: {error.strerror}") from error
    if not inside:
        kinds = " ".join(sorted(TEXTS | WORKBOOKS))
        raise SheetError(f"{folder}: the folder holds no table file of its own ({kinds})")
    return inside


def _is_table_file(path: Path) -> bool:
    """Leave out subfolders (run folders among them), hidden files, and the lock files of office programs."""
    known = path.suffix.lower() in TEXTS | WORKBOOKS
    return known and not path.name.startswith((".", "~$")) and path.is_file()


def _snapshot(asked: _Asked, same_name: Counter[str], stdin: BinaryIO | None) -> Snapshot:
    path = asked.path
    if path is None:
        if stdin is None:
            raise SheetError("- is standard input, and there is none here")
        label, content = "stdin", stdin.read(LARGEST + 1)
    else:
        label = path.name if same_name[path.name] == 1 else str(path)
        label = label.encode(errors="replace").decode()  # a file's name need not be text
        content = _content(path)
    if len(content) > LARGEST:
        raise SheetError(f"{label}: {_TOO_LARGE}")
    digest = hashlib.sha256(content).hexdigest()
    return Snapshot(
        Source(label, path, digest, len(content)),
        content,
        asked.named,
        asked.sheets,
        vouched_for=path is not None and _vouched_for(path, digest),
    )


_TOO_LARGE = f"larger than {LARGEST >> 20} MiB; split it into several files"
_UNFINISHED = "is still being written; wait until it is complete, then run again (in a spreadsheet program: save and close it)"


def _content(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise SheetError(f"{path}: {_what(before.st_mode)}; save it as a file first")
            if before.st_size > LARGEST:
                raise SheetError(f"{path}: {_TOO_LARGE}")
            fresh = abs(time.time() - before.st_mtime) < QUIET  # a clock that is wrong: no matter
            unfinished = fresh and is_open_elsewhere(descriptor) is True
            content = file.read(LARGEST + 1)
            after = os.fstat(descriptor)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise SheetError(
                f"{path}: a socket and no regular file; save it as a file first"
            ) from error
        raise SheetError(
            f"{path}: can't be opened ({error.strerror}); check its name and place, and that you may read it"
        ) from error
    if unfinished or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise SheetError(f"{path}: {_UNFINISHED}")
    return content


def _vouched_for(path: Path, digest: str) -> bool:
    """Whether there is a checksum beside the file; raises ``SheetError`` if it is that of another content.

    It is what ``sha256sum`` prints, or any text with the checksum in it; of several checksums those that stand before
    the file's name, if any do.
    """
    beside = path.with_name(path.name + CHECKSUM)
    if not os.path.lexists(beside):
        return False
    text = _content(beside)[:10_000].decode(errors="replace")
    said = re.findall(r"\b([0-9a-fA-F]{64})\b(?:[ \t]+[*]?(.+))?", text)
    named = [checksum for checksum, name in said if Path(name.strip()).name == path.name]
    if digest not in map(str.lower, named or (checksum for checksum, _ in said)):
        raise SheetError(
            f"{path}: is not what its checksum {beside.name} was made of; it was changed on its way, or not all of it is "
            "there yet. Get both again; or delete the checksum, if this file is right."
        )
    return True


def _what(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe and no regular file"
    return "a device and no regular file" if not stat.S_ISDIR(mode) else "a folder"


def is_open_elsewhere(descriptor: int) -> bool | None:
    """Whether some program has the file open for writing: Linux lends it to nobody then.

    None where nothing can be said: another system, a network folder, somebody else's file.
    """
    try:
        # The default signal for "give it back" would end this process; this one is ignored unless asked for.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except (OSError, AttributeError) as error:
        return True if isinstance(error, OSError) and error.errno == errno.EAGAIN else None
    return False
