"""The tenant's people, groups and memberships in one SQLite file: what is kept, and how it changes.

Reads take a connection each and never wait. Writes take turns. What a ``writing`` block did is with the system when the
block ends (WAL), so that an acknowledged write survives whatever ends this process. It is not flushed: no real tenant
shares a disk with the program that calls it.
Handlers read and write through the functions below; what a list call asks is ``query``'s.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from onboarding.sandbox import seed

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roles (
  pk INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL, level TEXT NOT NULL
);
CREATE TABLE users (
  pk INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, username TEXT NOT NULL UNIQUE, email TEXT UNIQUE,
  first_name TEXT, last_name TEXT, role TEXT, enabled INTEGER NOT NULL, verified INTEGER NOT NULL,
  created INTEGER NOT NULL, last_login INTEGER, attributes TEXT,
  locked INTEGER NOT NULL DEFAULT 0, scim INTEGER NOT NULL DEFAULT 0,
  group_count INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX users_by_role ON users (role);
CREATE INDEX users_by_age ON users (created);
CREATE TABLE groups (
  pk INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, alias TEXT,
  is_default INTEGER NOT NULL, attributes TEXT NOT NULL, user_count INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE members (
  grp INTEGER NOT NULL REFERENCES groups ON DELETE CASCADE, user INTEGER NOT NULL REFERENCES users,
  PRIMARY KEY (grp, user)
) WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user, grp);
CREATE TABLE mails (
  n INTEGER PRIMARY KEY, email TEXT NOT NULL, role TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE mappers (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, alias TEXT NOT NULL, mapper TEXT NOT NULL
);
CREATE TRIGGER joined AFTER INSERT ON members BEGIN
  UPDATE groups SET user_count = user_count + 1 WHERE pk = NEW.grp;
  UPDATE users SET group_count = group_count + 1 WHERE pk = NEW.user;
END;
CREATE TRIGGER has_left AFTER DELETE ON members BEGIN
  UPDATE groups SET user_count = user_count - 1 WHERE pk = OLD.grp;
  UPDATE users SET group_count = group_count - 1 WHERE pk = OLD.user;
END;
"""
_VERSION = 2

_TABLES = ("members", "mails", "mappers", "groups", "users", "roles", "meta")

Attributes = dict[str, list[str]]


class Store:
    """The database file; made and seeded when it is new."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._turn = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._past: list[tuple[float, sqlite3.Connection]] = []
        self._writer = self._connection()
        self.is_new = not self._writer.execute("SELECT 1 FROM sqlite_master").fetchone()
        if self.is_new:
            self._writer.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION};"
            )
            _plant(self._writer)
            self._writer.execute("COMMIT")
        elif self._writer.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            raise sqlite3.DatabaseError("another version made this file; delete it")

    def reset(self) -> None:
        """Forget everything and be a new tenant, with a new id."""
        with self.writing() as db:
            for table in _TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            _plant(db)

    @contextmanager
    def writing(self, lag: float = 0.0) -> Iterator[sqlite3.Connection]:
        """The one connection that writes: all of the block, or nothing where it raises.

        With a ``lag`` a view of the time before is kept, for reads that lag behind.
        """
        with self._turn:
            # views of nearly the same moment are one: each holds files open
            if lag and (not self._past or self._clock() - self._past[-1][0] >= lag / 50):
                self._keep_view()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # which a full disk ends by itself
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self, lag: float = 0.0) -> Iterator[sqlite3.Connection]:
        """A connection to read with; what was written within the last ``lag`` seconds is missing."""
        if self._past:
            with self._turn:
                self._drop_views(self._clock() - lag)
                if self._past:
                    yield self._past[0][1]
                    return
        db = self._idle.pop() if self._idle else self._connection()
        try:
            yield db
        finally:
            self._idle.append(db)

    def close(self) -> None:
        """Let go of the file."""
        self._drop_views(float("inf"))
        for db in (*self._idle, self._writer):
            db.close()

    def _connection(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path,
            timeout=30,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        return db

    def _keep_view(self) -> None:
        """Hold the present state open, as an unfinished read does in WAL mode."""
        db = self._connection()
        db.execute("BEGIN")
        db.execute("SELECT 1 FROM meta").fetchone()
        self._past.append((self._clock(), db))

    def _drop_views(self, before: float) -> None:
        while self._past and self._past[0][0] <= before:
            self._past.pop(0)[1].close()


def _plant(db: sqlite3.Connection) -> None:
    """The seed, under fresh ids."""
    db.execute("INSERT INTO meta VALUES ('tenant', ?)", [f"sandbox-{uuid.uuid4().hex[:12]}"])
    db.execute("INSERT INTO meta VALUES ('actor', ?)", [f"{seed.API_ACCOUNT}{uuid.uuid4()}"])
    db.executemany(
        "INSERT INTO roles (id, name, description, level) VALUES (?, ?, ?, ?)",
        [(_guid(), role.name, role.description, role.level) for role in seed.ROLES],
    )
    groups = {team.name: create_group(db, team.name, _team_attributes(team)) for team in seed.TEAMS}
    service = seed.Person(actor(db), None, "", None)
    for person in (*seed.PEOPLE, service):
        user = put_account(db, person)
        join(db, [groups[name][0] for name in person.groups], [user])


def _team_attributes(team: seed.Team) -> Attributes:
    described = {"description": [team.description]} if team.description else {}
    return {"alias": [team.alias], **described, "isDefault": [str(team.default).lower()]}


def put_account(db: sqlite3.Connection, person: seed.Person) -> int:
    """The row of the account with this username, made or changed; the groups are joined by themselves."""
    first, _, last = person.name.partition(" ")
    active = bool(person.email) and not person.pending
    row = {
        "id": _guid(),
        "username": person.username,
        "email": person.email,
        "first_name": first or None,
        "last_name": last or None,
        "role": person.role,
        "enabled": person.enabled,
        "locked": person.locked,
        "scim": person.scim,
        "verified": active,
        "created": _millis(),
        "last_login": _millis() if active else None,
        "attributes": json.dumps(invited_by("owner", "Olivia Owner")) if person.email else None,
    }
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    news = ", ".join(f"{name} = excluded.{name}" for name in row if name not in ("id", "created"))
    sql = f"INSERT INTO users ({names}) VALUES ({marks})"  # noqa: S608 - our own names
    sql += f" ON CONFLICT (username) DO UPDATE SET {news} RETURNING pk"
    return int(db.execute(sql, [*row.values()]).fetchone()[0])


def taken(db: sqlite3.Connection, column: str, values: Sequence[str]) -> set[str]:
    """Those of the e-mails or usernames that some account has."""
    sql = f"SELECT {column} FROM users WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own names
    return {row[0] for row in db.execute(sql, [json.dumps(values)])}


def invite(db: sqlite3.Connection, people: Sequence[tuple[str, str, str]], by: Attributes) -> None:
    """Make the accounts (e-mail, username, role), pending and in the default groups, and record their mails."""
    newest = db.execute("SELECT max(pk) FROM users").fetchone()[0]
    rows = [(_guid(), *person) for person in people]
    # one statement, not one a row: each step of a statement hands over to the other threads
    db.execute(
        "INSERT INTO users (id, email, username, role, enabled, verified, created, attributes)"
        " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, 1, 0, ?, ? FROM json_each(?)",
        [_millis(), json.dumps(by), json.dumps(rows)],
    )
    db.execute(
        "INSERT INTO members SELECT groups.pk, users.pk FROM users, groups"
        " WHERE users.pk > ? AND is_default",
        [newest],
    )
    db.execute(
        "INSERT INTO mails (email, role, at) SELECT email, role, ? FROM users WHERE pk > ? ORDER BY pk",
        [_iso(), newest],
    )


def mail_again(db: sqlite3.Connection, emails: Sequence[str]) -> None:
    """Record one more mail to each of these, who have accounts."""
    db.execute(
        "INSERT INTO mails (email, role, at) SELECT email, role, ?"
        " FROM json_each(?) JOIN users ON email = value",
        [_iso(), json.dumps(emails)],
    )


def invited_by(username: str, name: str) -> Attributes:
    """The attributes that tell who sent an invitation, and when: now."""
    return {"invitedAt": [_iso()], "invitedBy": [username], "invitedByName": [name]}


def create_group(db: sqlite3.Connection, name: str, attributes: Attributes) -> tuple[int, str]:
    """The new group's row and guid."""
    stamps = {"createdAt": [str(_millis())], "createdBy": [actor(db)]}
    guid = _guid()
    row = db.execute(
        "INSERT INTO groups (id, name, alias, is_default, attributes) VALUES (?, ?, ?, ?, ?) RETURNING pk",
        [guid, name, *_attribute_columns({**attributes, **stamps})],
    ).fetchone()
    return int(row[0]), guid


def update_group(db: sqlite3.Connection, group: int, attributes: Attributes) -> None:
    """Replace all attributes; who changed them and when is added here."""
    stamps = {"updatedAt": [str(_millis())], "updatedBy": [actor(db)]}
    db.execute(
        "UPDATE groups SET alias = ?, is_default = ?, attributes = ? WHERE pk = ?",
        [*_attribute_columns({**attributes, **stamps}), group],
    )


def _attribute_columns(attributes: Attributes) -> tuple[str | None, bool, str]:
    alias = next(iter(attributes.get("alias", ())), None)
    return alias, attributes.get("isDefault") == ["true"], json.dumps(attributes)


def attributes_of(group: sqlite3.Row) -> Attributes:
    """A group's attributes, stamps included."""
    attributes: Attributes = json.loads(group["attributes"])
    return attributes


def join(db: sqlite3.Connection, groups: Sequence[int], users: Sequence[int]) -> None:
    """Put each of the users into each of the groups; who is in already stays in."""
    db.execute(
        "INSERT OR IGNORE INTO members SELECT g.value, u.value FROM json_each(?) AS g, json_each(?) AS u",
        [json.dumps(groups), json.dumps(users)],
    )


def leave(db: sqlite3.Connection, group: int, users: Sequence[int]) -> None:
    """Take the users out of the group, those who are in."""
    db.execute(
        "DELETE FROM members WHERE grp = ? AND user IN (SELECT value FROM json_each(?))",
        [group, json.dumps(users)],
    )


def known(db: sqlite3.Connection, table: str, guids: Sequence[str]) -> dict[str, int]:
    """Guid -> row, of the users or groups that exist."""
    sql = f"SELECT json_group_object(id, pk) FROM {table} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own names
    found: dict[str, int] = json.loads(db.execute(sql, [json.dumps(guids)]).fetchone()[0])
    return found


def actor(db: sqlite3.Connection) -> str:
    """The username of the token's own account."""
    return str(db.execute("SELECT value FROM meta WHERE name = 'actor'").fetchone()[0])


def tenant_id(store: Store) -> str:
    """The id that stays with this database until it is reset."""
    with store.reading() as db:
        return str(db.execute("SELECT value FROM meta WHERE name = 'tenant'").fetchone()[0])


def mails(store: Store) -> list[dict[str, object]]:
    """Every invitation that would have been sent, in order."""
    with store.reading() as db, closing(db.execute("SELECT * FROM mails ORDER BY n")) as rows:
        return [dict(row) for row in rows]


def _guid() -> str:
    """A new id that sorts behind the older ones: indexes grow at their end, and a commit touches few pages."""
    return str(uuid.UUID(int=_millis() << 80 | secrets.randbits(80), version=4))


def _millis() -> int:
    return time.time_ns() // 1_000_000


def _iso() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
