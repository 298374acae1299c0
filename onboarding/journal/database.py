"""The SQLite file of one tenant's state: statements come in, transactions that are flushed at their end go out."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onboarding import lock
from onboarding.errors import StorageError
from onboarding.model import Email

VERSION = 3
PRAGMAS = ("synchronous = FULL", "secure_delete = ON")
"""A transaction is on the disk when it ends, not only when SQLite tidies up; what is deleted is gone."""

SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS intents (
    request TEXT NOT NULL, change TEXT NOT NULL, action TEXT NOT NULL, email TEXT, team TEXT,
    run TEXT NOT NULL, sent REAL NOT NULL, doubt_since REAL, open INTEGER NOT NULL, was TEXT, becomes TEXT,
    PRIMARY KEY (request, change)
) STRICT;
CREATE TABLE IF NOT EXISTS invitations (address TEXT PRIMARY KEY, at REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS accepts (fingerprint TEXT PRIMARY KEY, at REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS manual (change TEXT PRIMARY KEY, at REAL NOT NULL) STRICT;
INSERT OR IGNORE INTO facts VALUES ('key', lower(hex(randomblob(32))));
PRAGMA user_version = 3;
COMMIT;
"""

ADDED = (("was", 2), ("becomes", 3))
"""Columns of intents, and since which version."""

Step = tuple[str, Sequence[tuple[object, ...]]]
"""A statement and the rows it is carried out for."""


@dataclass(slots=True)
class _Waiting:
    """What one thread waits for to be written."""

    steps: tuple[Step, ...]
    ended: bool = False
    error: BaseException | None = None


class Database:
    """The SQLite file of one tenant: reads, and writes in transactions that are flushed at their end."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._guard = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._file = _inode(path)
        self._prepare()
        self._key = self.fact("key").encode()

    def read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Give the rows that a query finds."""
        with self._guard, storing(self.path.parent):
            return self._connection.execute(query, values).fetchall()

    def write(self, *steps: Step) -> None:
        """Carry out the steps of everybody who is waiting, all or none, and flush them once; on disk when this returns.

        A flush takes longer than all the rest, and several workers would each wait for those of all others.
        """
        mine = _Waiting(tuple(step for step in steps if step[1]))
        if not mine.steps:
            return
        self._waiting.append(mine)
        with self._guard:
            if not mine.ended:
                self._write_together(mine)
        if mine.error:
            raise mine.error

    def _write_together(self, mine: _Waiting) -> None:
        together = [
            mine
        ]  # whoever had taken it may have been interrupted, so it need not be among them
        while self._waiting:
            if (other := self._waiting.popleft()) is not mine:
                together.append(other)
        error: BaseException | None = None
        try:
            with storing(self.path.parent):
                self._transact([step for one in together for step in one.steps])
        except BaseException as failure:  # noqa: BLE001 -- whatever it is, everybody is told
            error = failure
        for one in together:
            one.ended, one.error = True, error

    def _transact(self, steps: Sequence[Step]) -> None:
        self._still_there()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for statement, rows in steps:
                self._connection.executemany(statement, rows)
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def invited(self, emails: Iterable[Email], at: float) -> Step:
        """Give the step that enters people in the ledger of invitations."""
        return "INSERT OR REPLACE INTO invitations VALUES (?, ?)", [
            (self.hidden(e), at) for e in emails
        ]

    def fact(self, name: str) -> str:
        """Give what is noted under a name; empty where nothing is."""
        found = self.read("SELECT value FROM facts WHERE name = ?", name)
        return str(found[0][0]) if found else ""

    def hidden(self, email: Email) -> str:
        """Give the keyed hash by which the ledger knows an address."""
        return hmac.new(self._key, email.encode(), hashlib.sha256).hexdigest()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _prepare(self) -> None:
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        # Without a log SQLite goes on with a journal, and a loss of power may take the last transaction back.
        (mode,) = self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode not in ("wal", "memory"):
            raise sqlite3.OperationalError(f"{self.path.name} can't keep a write-ahead log")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StorageError(
                f"the state in {self.path.parent} was written by a newer version of this program; nothing was "
                "sent. Update the program."
            )
        for column in [name for name, since in ADDED if 0 < version < since]:
            try:
                self._connection.execute(f"ALTER TABLE intents ADD COLUMN {column} TEXT")
            except sqlite3.OperationalError as error:
                if "duplicate column" not in str(error):  # else another process has come first
                    raise
        if version < VERSION:
            self._connection.executescript(SCHEMA)

    def _still_there(self) -> None:
        """SQLite goes on writing into a file that somebody has deleted, without a word."""
        if _inode(self.path) != self._file:
            raise StorageError(
                f"{self.path} was deleted or replaced while this run was at work; nothing more was sent. "
                "Restore the file before you run again."
            )


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def storing(folder: Path) -> AbstractContextManager[None]:
    """Say in our own words, and for a person, what the disk or the database has against it."""
    return lock.storing(folder, sqlite3.Error)
