"""Every API request that arrived, appended as one JSON line to a file beside the database.

The file survives a crash of the server, so that what a client really sent can be counted
afterwards. Bodies and headers (the token!) are not in it.
"""

from __future__ import annotations

import json
import threading
from array import array
from collections import Counter
from collections.abc import Mapping
from pathlib import Path


class RequestLog:
    """Numbered from 1, in the order in which the answers were ready."""

    def __init__(self, path: Path, *, is_new: bool) -> None:
        self._lock = threading.Lock()
        self._file = path.open("ab+", buffering=0)  # appending even after a truncation
        if is_new:
            self._file.truncate(0)
        self._starts = array("Q")
        self._counts: Counter[str] = Counter()
        self._end = 0
        self._file.seek(0)
        for line in self._file.read().splitlines(keepends=True):
            if line.endswith(b"\n"):
                self._note(line, json.loads(line)["route"])
        self._file.truncate(self._end)  # what a crash cut off

    def append(self, entry: Mapping[str, object]) -> None:
        """Number it and write it down."""
        with self._lock:
            line = json.dumps({"n": len(self._starts) + 1, **entry}).encode() + b"\n"
            self._file.write(line)
            self._note(line, str(entry["route"]))

    def since(self, n: int) -> list[dict[str, object]]:
        """Every request after the ``n``-th."""
        with self._lock:
            if n >= len(self._starts):
                return []
            self._file.seek(self._starts[n])
            return [json.loads(line) for line in self._file.read().splitlines()]

    def counts(self) -> dict[str, int]:
        """Requests per endpoint."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def clear(self) -> None:
        """Begin again at 1."""
        with self._lock:
            self._file.truncate(0)
            self._starts, self._end = array("Q"), 0
            self._counts.clear()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _note(self, line: bytes, route: str) -> None:
        self._starts.append(self._end)
        self._end += len(line)
        self._counts[route] += 1
