"""The names of inputs in, the bytes of every table file out: each opened once, by us, and read whole.

What is validated, hashed and reported is this one snapshot, whatever happens to the file meanwhile. Only regular
files are opened (a pipe would wait for ever); a folder gives its own table files, sorted by name.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from onboarding.errors import SheetError

TEXTS = frozenset({".csv", ".tsv", ".txt"})
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
LARGEST = 1 << 29
"""Bytes of one input, 512 MiB: several million people. More is a mistake, or meant to hurt."""


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


def snapshots(inputs: Sequence[str], stdin: BinaryIO | None) -> list[Snapshot]:
    """Read every input, folders opened up, in the order in which they are named."""
    found = [
        (path, path is None or path == Path(name))
        for name in inputs
        for path in (_files(name) if name != "-" else [None])
    ]
    paths = [path for path, _ in found]
    if not paths:
        raise SheetError("no input is named; name a file, a folder, or - for standard input")
    for path, times in Counter(p.resolve() if p else None for p in paths).items():
        if times > 1:
            raise SheetError(f"{path or 'standard input'} is named twice; name each input once")
    same_name = Counter(path.name if path else "" for path in paths)
    return [_snapshot(path, named, same_name, stdin) for path, named in found]


def again(source: Source) -> bytes | None:
    """Give a source's bytes once more; None where it was standard input, or is another file by now."""
    if source.path is None:
        return None
    try:
        content = _content(source.path)
    except SheetError:
        return None
    return content if hashlib.sha256(content).hexdigest() == source.sha256 else None


def _files(name: str) -> list[Path]:
    """Give the file itself, or the table files of a folder."""
    path = Path(name)
    if not path.is_dir():
        return [path]
    try:
        inside = sorted(child for child in path.iterdir() if _is_table_file(child))
    except OSError as error:
        raise SheetError(f"{name}: the folder can't be read: {error.strerror}") from error
    if not inside:
        kinds = " ".join(sorted(TEXTS | WORKBOOKS))
        raise SheetError(f"{name}: the folder holds no table file of its own ({kinds})")
    return inside


def _is_table_file(path: Path) -> bool:
    """Leave out subfolders (run folders among them), hidden files, and the lock files of office programs."""
    known = path.suffix.lower() in TEXTS | WORKBOOKS
    return known and not path.name.startswith((".", "~$")) and path.is_file()


def _snapshot(
    path: Path | None, named: bool, same_name: Counter[str], stdin: BinaryIO | None
) -> Snapshot:
    if path is None:
        if stdin is None:
            raise SheetError("- is standard input, and there is none here")
        label, content = "stdin", stdin.read(LARGEST + 1)
    else:
        label = path.name if same_name[path.name] == 1 else str(path)
        content = _content(path)
    if len(content) > LARGEST:
        raise SheetError(f"{label}: larger than {LARGEST >> 20} MiB; split it into several files")
    digest = hashlib.sha256(content).hexdigest()
    return Snapshot(Source(label, path, digest, len(content)), content, named)


def _content(path: Path) -> bytes:
    if path.suffix.lower() not in TEXTS | WORKBOOKS:
        kinds = " ".join(sorted(TEXTS | WORKBOOKS))
        raise SheetError(f"{path}: not a table file by its name; these are read: {kinds}")
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SheetError(f"{path}: not a regular file (a pipe or a device); save it first")
            return file.read(LARGEST + 1)
    except OSError as error:
        raise SheetError(
            f"{path}: can't be opened ({error.strerror}); check its name and place, and that you may read it"
        ) from error
