"""The readable copy of a journal: events come in from several threads, lines of JSON go out, in the order in which they came."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from onboarding.journal.database import storing
from onboarding.plan import Facts

_as_json = json.JSONEncoder(ensure_ascii=False).encode
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class Copy:
    """A file that grows by whole lines, for us alone to read."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._folder = path.parent
        self._now = now
        self._lines = deque[bytes]()
        self._guard = threading.Lock()
        with storing(self._folder):
            self._file: Any = os.fdopen(os.open(path, _FLAGS, 0o600), "ab")

    def tell(self, event: str, of: Iterable[Facts]) -> None:
        """Write a line for each of these; while another thread writes, it is that one which does."""
        at = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        begin = {"at": at, "event": event}
        self._lines.append("".join(_as_json({**begin, **facts}) + "\n" for facts in of).encode())
        while self._lines and self._guard.acquire(blocking=False):
            try:
                self._write()
            finally:
                self._guard.release()

    def close(self) -> None:
        """Close the file; every line of it has been flushed already."""
        with suppress(OSError):
            self._file.close()

    def _write(self) -> None:
        with storing(self._folder):
            while self._lines:
                self._file.write(self._lines.popleft())
            self._file.flush()
