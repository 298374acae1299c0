"""Where a tenant's state lies: the state folder and a tenant come in, a folder for its owner only, and its lock, go out."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path


def home(folder: Path, tenant: str) -> Path:
    """Give the folder of a tenant: a name without surprises, and another one for every tenant."""
    plain = re.sub(r"[^a-z0-9.-]", "_", tenant).lstrip(".")
    if plain == tenant and 0 < len(plain) <= 80:
        return folder / plain
    return folder / f"{plain[:80]}-{hashlib.sha256(tenant.encode()).hexdigest()[:8]}"


def make(path: Path) -> None:
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


def lock(folder: int) -> bool:
    """Lock an open folder for us alone; False where somebody else has."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _flush(folder: Path) -> None:
    """Have what a folder names outlive a loss of power. Where only its owner may read it, that is the owner's care."""
    with suppress(PermissionError):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
