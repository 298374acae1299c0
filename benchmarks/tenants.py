"""An embedded tenant as large as is asked for: filled through its own store, served as a process, asked what it got."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.sheets import Teams, email, team
from onboarding.cli.embedded import serving as embedded
from onboarding.sandbox import store

LOT = 10_000


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant that is being served."""

    url: str
    name: str
    key: str

    def count(self) -> int:
        """Give the calls of the API that have arrived."""
        counts: dict[str, int] = self._told("counts")
        return sum(counts.values())

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """Give the calls that have arrived after so many."""
        told: list[dict[str, Any]] = self._told(f"requests?since={since}")
        return told

    def _told(self, what: str) -> Any:
        with urlopen(f"{self.url}/__sandbox__/{what}", timeout=60) as answer:  # noqa: S310 -- ours
            return json.load(answer)


@contextmanager
def serving(database: Path, **switches: object) -> Iterator[Tenant]:
    """Serve a database, made where it is missing, with these switches turned."""
    more = [f"--switch={name}={json.dumps(value)}" for name, value in switches.items()]
    with embedded(database, more=more) as found:
        yield Tenant(found.url, found.tenant, found.key)


def fill(database: Path, people: int, teams: int = 0, belongs: Teams | None = None) -> Path:
    """Make a tenant of people who have all signed in, and of groups in which they are."""
    kept = store.Store(database)
    with kept.writing() as db:
        (before,) = db.execute("SELECT max(pk) FROM users").fetchone()
        db.execute("UPDATE groups SET is_default = 0")
        for first in range(0, people, LOT):
            lot = range(first, min(first + LOT, people))
            invited = [(email(number), f"person{number}", "$member") for number in lot]
            store.invite(db, invited, store.invited_by("owner", "Olivia Owner"))
        db.execute("UPDATE users SET verified = 1, last_login = created WHERE pk > ?", [before])
        made = [
            store.create_group(db, f"team_{number}", {"alias": [team(number)]})[0]
            for number in range(teams)
        ]
        if belongs:
            # Counting a million members one by one takes longer than to count them once
            (trigger,) = db.execute(
                "SELECT sql FROM sqlite_master WHERE name = 'joined'"
            ).fetchone()
            db.execute("DROP TRIGGER joined")
            db.executemany(
                "INSERT INTO members VALUES (?, ?)",
                ((made[each], before + 1 + who) for who in range(people) for each in belongs(who)),
            )
            db.execute(
                "UPDATE groups SET user_count = (SELECT count(*) FROM members WHERE grp = pk)"
            )
            db.execute(
                "UPDATE users SET group_count = (SELECT count(*) FROM members WHERE user = pk)"
            )
            db.execute(trigger)
    kept.close()
    return database
