"""One run at a time: the state folder and a tenant come in; that tenant's part of it, locked for us alone, goes out.

The lock is an ``flock`` on the folder itself. A lock in a file of its own could be deleted under a running job, and a
second job would lock the new file; the folder can't be deleted without the state, and that is noticed before
the next call. The kernel frees the lock when the process dies, however it dies.

Nothing slow is imported: whoever comes too late only says so and leaves.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from onboarding.errors import StorageError, TryLater, UsageError


@contextmanager
def alone(
    folder: Path, tenant: str, *, create: bool, now: Callable[[], float] = time.time
) -> Iterator[None]:
    """Be the only one who changes this tenant from this folder; raises ``TryLater`` if another is."""
    state = state_file(folder, tenant, create=create)
    home = state.parent
    with storing(home):
        number = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with storing(home):  # a network share may have no locks
            locked = _locked(number)
            holder = _holder(home)
            if locked:
                since = datetime.fromtimestamp(now(), UTC).isoformat(timespec="seconds")
                holder.write_text(f"process {os.getpid()} on {os.uname().nodename}, since {since}")
        if not locked:
            raise TryLater(
                f"another run is at work on this tenant ({holder.read_text() or 'it has just begun'}); "
                "nothing was sent. Run again when it has ended."
            )
        if not create and not state.stat().st_size:
            raise UsageError(
                f"the state for {tenant} in {folder} is an empty file. {_FIRST_OR_LOST}"
            )
        yield
    finally:
        os.close(number)


def state_file(folder: Path, tenant: str, *, create: bool) -> Path:
    """Give the file of a tenant's state, made empty if there is none and one may be made."""
    path = home(folder, tenant) / "state.db"
    if not path.is_file() and not create:
        raise UsageError(f"there is no state for {tenant} in {folder}. {_FIRST_OR_LOST}")
    with storing(path.parent):
        _make(path)
    return path


_FIRST_OR_LOST = (
    "If this is the first run for this tenant, add --init-state; otherwise name the right folder with --state, or "
    "restore it: what it holds keeps people from being invited twice."
)


def home(folder: Path, tenant: str) -> Path:
    """Give the folder of a tenant: a name without surprises, and another one for every tenant."""
    plain = re.sub(r"[^a-z0-9.-]", "_", tenant).lstrip(".")
    if plain == tenant and 0 < len(plain) <= 80:
        return folder / plain
    import hashlib

    return folder / f"{plain[:80]}-{hashlib.sha256(tenant.encode()).hexdigest()[:8]}"


def _make(path: Path) -> None:
    """Make a file, empty, and the folders above it, so that a loss of power leaves all of them."""
    home, folder = path.parent, path.parent.parent
    new = [place for place in (home, *home.parents) if not place.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.mkdir(mode=0o700, exist_ok=True)
    home.chmod(0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    for place in (home, *(place.parent for place in new)):
        _flush(place)


def _locked(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(home: Path) -> Path:
    """Give the file that says who is at work, for people to read; nothing goes by it."""
    path = home / "holder"
    path.touch(0o600)
    return path


def _flush(folder: Path) -> None:
    """Have what a folder names outlive a loss of power. Where only its owner may read it, that is the owner's care."""
    with suppress(PermissionError):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


@contextmanager
def storing(folder: Path, *more: type[Exception]) -> Iterator[None]:
    """Say in our own words, and for a person, what the disk (or what is built on it) has against it."""
    kinds: tuple[type[Exception], ...] = (OSError, *more)
    try:
        yield
    except kinds as error:
        raise StorageError(
            f"{folder}: state or journal can't be read or written ({error}); nothing more was sent. "
            "Make room or mend the permissions, then run again."
        ) from error
