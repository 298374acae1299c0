"""What must not be forgotten: intents before calls, their ends, and who was invited, in the tenant's state folder.

Per tenant one SQLite file (WAL, ``synchronous=FULL``): a call is made only after its intent is flushed, so whatever
happens to the process, the next one knows what may have been sent. An intent ends in one of three ways: *closed*
(it stays as a deed until a report has been written), *dropped* (it was not carried out), or it stays *open*.

Addresses stand here in plain text only as long as an intent is not reported; the ledger of invitations knows
them by a keyed hash.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import starmap
from pathlib import Path
from typing import Any, Self

from onboarding import lock
from onboarding.journal.copy import Copy
from onboarding.journal.database import Database, storing
from onboarding.journal.intents import Intent, Untold, becomes, put_together, was
from onboarding.model import Email
from onboarding.plan import Action, Change, Facts, Outcome, Status

DAY = 86_400.0
INVITATION_LASTS = 30 * DAY  # product.md promises one invitation in 30 days
MANUAL_LASTS = 90 * DAY  # a manual row that nobody reported for so long is new again
CREATING = frozenset((Action.INVITE, Action.CREATE_GROUP))
"""What must never be repeated blindly; everything else sets something to a value."""
RUN = "run "  # what the note of a run begins with
OVERTAKEN = "changed-since-plan"  # the code of what is there, but not as asked

INTEND = "INSERT INTO intents VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 1, ?, ?)"
CLOSE = "UPDATE intents SET open = 0 WHERE request = ? AND change = ?"
DROP = "DELETE FROM intents WHERE request = ? AND change = ?"
DOUBT = "UPDATE intents SET doubt_since = ifnull(doubt_since, ?) WHERE request = ? AND change = ?"


class State:
    """What outlives runs: one tenant's part of the state folder. Safe to use from several threads."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self.now = now
        self._db = database
        self._journals: list[Journal] = []

    @classmethod
    def open(
        cls, folder: Path, tenant: str, *, create: bool, now: Callable[[], float] = time.time
    ) -> Self:
        """Open the state of a tenant, or make it. What changes it afterwards is to hold the lock."""
        # SQLite gives its companions (-wal, -shm) the mode of the database, which is why it is made first.
        path = lock.state_file(folder, tenant, create=create)
        with storing(path.parent):
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                return cls(Database(path, connection), now)
            except BaseException:
                connection.close()
                raise

    @classmethod
    def peek(cls, folder: Path, tenant: str, *, now: Callable[[], float] = time.time) -> Self:
        """Give a copy of the state in memory, to plan with: nothing that is done to it is kept."""
        path = lock.home(folder, tenant) / "state.db"
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with storing(path.parent):
            if path.is_file():
                with closing(
                    sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
                ) as db:
                    db.backup(copy)
            return cls(Database(Path(":memory:"), copy), now)

    @classmethod
    @contextmanager
    def alone(
        cls, folder: Path, tenant: str, *, create: bool, now: Callable[[], float] = time.time
    ) -> Iterator[Self]:
        """Give the state of a tenant, for us alone; raises ``TryLater`` if another run is at work."""
        with (
            lock.alone(folder, tenant, create=create, now=now),
            closing(cls.open(folder, tenant, create=create, now=now)) as state,
        ):
            yield state

    def close(self) -> None:
        """Let go of the files; neither the state nor its journals can be used any more."""
        for journal in self._journals:
            journal.close()
        self._db.close()

    def open_intents(self) -> tuple[Intent, ...]:
        """Give what earlier runs were about to send and never learnt the end of, oldest first."""
        rows = self._db.read(
            "SELECT request, change, action, email, team, doubt_since FROM intents"
            " WHERE open ORDER BY sent, change"
        )
        return tuple(
            Intent(request, change, Action(action), email, team, since)
            for request, change, action, email, team, since in rows
        )

    def doubtful(self) -> frozenset[str]:
        """Give the keys of invitations and group creations whose fate is open."""
        return frozenset(i.change for i in self.open_intents() if i.action in CREATING)

    def earlier(self) -> dict[str, Facts | None]:
        """Give the changes that were sent and that no report has told of yet: their keys, and what was before."""
        rows = self._db.read("SELECT change, was FROM intents ORDER BY sent")
        return {change: json.loads(before) if before else None for change, before in rows}

    def untold(self) -> tuple[Untold, ...]:
        """Give the same as changes, each once, but for what is in doubt: whether that is there, nobody knows."""
        rows = self._db.read(
            "SELECT change, run, action, email, team, was, becomes, open FROM intents ORDER BY sent"
        )
        found = {
            key: Untold(run, change)
            for key, run, action, email, team, before, after, is_open in rows
            if not (is_open and action in CREATING)
            and (change := put_together(Action(action), email, team, before, after))
        }
        return tuple(found.values())

    def close_intents(self, intents: Collection[Intent]) -> None:
        """Note that these were carried out, or will be seen by planning afresh."""
        invited = [i.email for i in intents if i.action is Action.INVITE and i.email]
        ended = [(i.request_id, i.change) for i in intents]
        self._db.write((CLOSE, ended), self._db.invited(invited, self.now()))

    def drop_intents(self, intents: Collection[Intent]) -> None:
        """Note that these were never carried out."""
        self._db.write((DROP, [(i.request_id, i.change) for i in intents]))

    def doubt_intents(self, intents: Collection[Intent]) -> None:
        """Note that these are in doubt from now on."""
        rows = [(self.now(), i.request_id, i.change) for i in intents]
        self._db.write(
            ("UPDATE intents SET doubt_since = ? WHERE request = ? AND change = ?", rows)
        )

    def invited_recently(self, emails: Iterable[Email]) -> frozenset[Email]:
        """Give those to whom an accepted invitation went in the last 30 days."""
        limit = self.now() - INVITATION_LASTS
        rows = self._db.read("SELECT address FROM invitations WHERE at > ?", limit)
        known = {address for (address,) in rows}
        return frozenset(email for email in emails if self._db.hidden(email) in known)

    def has_spent(self, fingerprint: str) -> bool:
        """Whether the permission to let this plan pass was used up."""
        return bool(self._db.read("SELECT 1 FROM accepts WHERE fingerprint = ?", fingerprint))

    def spend(self, fingerprint: str) -> None:
        """Use up the permission to let this plan pass, even if the process dies from here on."""
        self._db.write(("INSERT OR IGNORE INTO accepts VALUES (?, ?)", [(fingerprint, self.now())]))

    def give_back(self, fingerprint: str) -> None:
        """Take the permission for unused: nothing has come of the run that had it."""
        self._db.write(("DELETE FROM accepts WHERE fingerprint = ?", [(fingerprint,)]))

    def reported_manual(self) -> frozenset[str]:
        """Give what earlier reports asked people to do by hand."""
        return frozenset(change for (change,) in self._db.read("SELECT change FROM manual"))

    def remember_manual(self, changes: Iterable[str], over: Iterable[str] = ()) -> None:
        """Note what this report asks people to do by hand, and forget what is ``over``: it is new if it comes back."""
        self._db.write(
            (
                "INSERT OR REPLACE INTO manual VALUES (?, ?)",
                [(change, self.now()) for change in changes],
            ),
            ("DELETE FROM manual WHERE at < ?", [(self.now() - MANUAL_LASTS,)]),
            ("DELETE FROM manual WHERE change = ?", [(change,) for change in over]),
        )

    def begun(self, folder: Path) -> None:
        """Note that a run has begun, and where its files go."""
        self._db.write(
            ("INSERT OR IGNORE INTO facts VALUES (?, '')", [(f"{RUN}{folder.absolute()}",)])
        )

    def ended(self, folders: Iterable[Path]) -> None:
        """Note that these runs have their reports, or are gone."""
        rows = [(f"{RUN}{folder.absolute()}",) for folder in folders]
        self._db.write(("DELETE FROM facts WHERE name = ?", rows))

    def unfinished(self) -> frozenset[Path]:
        """Give the folders of the runs that have begun and not ended; who holds the lock knows that they are dead."""
        rows = self._db.read("SELECT name FROM facts WHERE substr(name, 1, ?) = ?", len(RUN), RUN)
        return frozenset(Path(name.removeprefix(RUN)) for (name,) in rows)

    def unsettled(self) -> frozenset[str]:
        """Give the names of the runs that sent what no report has told of yet, or what is in doubt."""
        return frozenset(run for (run,) in self._db.read("SELECT DISTINCT run FROM intents"))

    def noted(self, name: str) -> str:
        """Give what an earlier run noted under a name; empty where none did."""
        return self._db.fact(f"note {name}")

    def note(self, name: str, text: str) -> None:
        """Note a text under a name, for a later run; it replaces what was noted there."""
        self._db.write(("INSERT OR REPLACE INTO facts VALUES (?, ?)", [(f"note {name}", text)]))

    def begin(self, run: str, copy: Path | None = None) -> Journal:
        """Begin the journal of a run, with a readable copy in a file of its own."""
        journal = Journal(self._db, run, Copy(copy, self.now) if copy else None, self.now)
        self._journals.append(journal)
        return journal


class Journal:
    """One run's way into the state. What a method records is on disk when it returns."""

    def __init__(
        self, database: Database, run: str, copy: Copy | None, now: Callable[[], float]
    ) -> None:
        self.now = now
        self._db = database
        self._run = run
        self._copy = copy

    def intend(
        self, request_id: str, action: Action, changes: Sequence[Change], *, repeats: str = ""
    ) -> None:
        """Record what is about to be sent; only after this may its first byte leave.

        ``repeats``: the request that it repeats, whose intents these take the place of.
        """
        keys = [change.key for change in changes]
        before = {"repeats": repeats} if repeats else {}
        self._tell("intent", [{"request": request_id, "action": action, "changes": keys, **before}])
        replaced = [(repeats, key) for key in keys if repeats]
        self._db.write((INTEND, self._intents(request_id, changes)), (DROP, replaced))

    def restore(self, request_id: str, changes: Sequence[Change]) -> None:
        """Record again what was taken for not carried out and shows after all; its outcome is still to be recorded."""
        self._db.write((INTEND, self._intents(request_id, changes)))
        self._tell("restored", [{"request": request_id, "changes": [c.key for c in changes]}])

    def accept(self, request_id: str, changes: Sequence[Change]) -> None:
        """Record a clear yes. From here on an invitation counts, whether it is ever seen or not."""
        invited = [c.email for c in changes if c.action is Action.INVITE and c.email]
        self._db.write(self._db.invited(invited, self.now()))
        self._tell("accepted", [{"request": request_id}])

    def doubt(self, request_id: str) -> None:
        """Record that the fate of a call is unknown, from now on."""
        self._db.write(
            ("UPDATE intents SET doubt_since = ? WHERE request = ?", [(self.now(), request_id)])
        )
        self._tell("doubt", [{"request": request_id}])

    def conclude(
        self, ends: Sequence[tuple[Change, Outcome]], under: Mapping[str, str] | None = None
    ) -> None:
        """Record what became of changes; each outcome names its request, unless its intent stands ``under`` another one.

        What is in doubt stays open, for a later run to settle. Who has an account now counts as invited, with
        whatever role: it may have been us, and the next look may not show it yet.
        """
        closed, dropped, doubted, invited = [], [], [], []
        for change, outcome in ends:
            row = ((under or {}).get(change.key, outcome.request_id), change.key)
            if outcome.status is Status.IN_DOUBT:
                doubted.append((self.now(), *row))
            elif outcome.status is Status.APPLIED:
                closed.append(row)
            else:
                dropped.append(row)
            there = outcome.status is Status.APPLIED or outcome.code == OVERTAKEN
            if change.action is Action.INVITE and change.email and there:
                invited.append(change.email)
        self._db.write(
            (CLOSE, closed),
            (DROP, dropped),
            (DOUBT, doubted),
            self._db.invited(invited, self.now()),
        )
        self._tell("outcome", starmap(_told, ends))

    def finish(self) -> None:
        """The report is written: forget what it tells, and what no longer counts. What is open stays."""
        self._db.write(
            ("DELETE FROM intents WHERE open = ?", [(0,)]),
            ("DELETE FROM invitations WHERE at <= ?", [(self.now() - INVITATION_LASTS,)]),
        )
        self.close()

    def close(self) -> None:
        """Close the readable copy."""
        if self._copy:
            self._copy.close()

    def _intents(self, request_id: str, changes: Sequence[Change]) -> list[tuple[Any, ...]]:
        now = self.now()
        return [
            (request_id, c.key, c.action, c.email, c.group, self._run, now, was(c), becomes(c))
            for c in changes
        ]

    def _tell(self, event: str, of: Iterable[Facts]) -> None:
        if self._copy:
            self._copy.tell(event, of)


def _told(change: Change, outcome: Outcome) -> Facts:
    return {
        "request": outcome.request_id,
        "change": change.key,
        "status": outcome.status,
        "code": outcome.code,
        "http_status": outcome.http_status,
        "message": outcome.message,
    }
