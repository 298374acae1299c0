"""Real runs against the embedded tenant in a process of its own, and what must be true after each of them.

Sheets, sockets, state, reports are real; only pauses are cut short, by a clock that moves when somebody sleeps. What
is true is read from the tenant's own database and request log, past all its faults; what was asked is kept beside the
sheets; so nothing of the program under test is needed to judge it.
"""

from __future__ import annotations

import csv
import json
import math
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import embedded
from desk import Quiet

from onboarding import pipeline
from onboarding.apply import Pace
from onboarding.atlan import Atlan
from onboarding.auth import ApiKey
from onboarding.cli.embedded import serving
from onboarding.errors import OnboardingError, TenantError, Throttled, TryLater
from onboarding.job import Job, Report
from onboarding.pacing import Budget
from onboarding.reconcile import Wishes
from onboarding.transport import Transport
from onboarding.wire import Limits

WAIT = 900.0
PATIENCE = 3.0
"""Seconds, real ones, that the client waits for an answer."""
LATE = 3.0
"""Seconds after which a late effect comes."""
LAG = 0.005
"""Seconds, real ones, that a tenant may lag behind: ten of the client's, who looks for thirty."""
DOMAIN = "@acme.example"
NAMES = {"Finance": "finance", "Marketing": "marketing", "Data Platform": "data_platform"}
NAMES |= {"Newborn": "newborn", "Analytics": "analytics"}
"""What people call a group, and what the tenant does."""


class Clock:
    """Time that passes when somebody sleeps, two thousand times as fast as it says."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.time += seconds
        time.sleep(seconds / 2000)


@dataclass
class Asked:
    """What the sheets say."""

    people: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """Who -> role and groups."""
    joins: set[tuple[str, str]] = field(default_factory=set)
    leaves: set[tuple[str, str]] = field(default_factory=set)
    teams: dict[str, str] = field(default_factory=dict)
    """Group -> description."""
    spoilt: set[str] = field(default_factory=set)
    """Whose row has a role that there is not: they are held."""

    def edit(self, what: str, whom: str, *more: Any) -> None:
        """Change the sheets so that they don't contradict themselves."""
        match what, more:
            case "want", (role, groups):
                self.people[whom] = (role, groups)
                self.leaves -= {(whom, name) for name in groups}
            case "spoil", ():
                self.spoilt ^= {whom}
            case "forget", ():
                self.people.pop(whom, None)
                self.joins = {pair for pair in self.joins if pair[0] != whom}
            case "join", (group,):
                self.joins.add((whom, group))
                self.leaves.discard((whom, group))
            case "leave", (group,):
                if group not in self.people.get(whom, ("", frozenset()))[1]:
                    self.leaves.add((whom, group))
                    self.joins.discard((whom, group))
            case "describe", (text,):
                self.teams[whom] = text

    def rows(self) -> dict[str, list[dict[str, str]]]:
        people = [
            {"email": who + DOMAIN, "role": "Wizard" if who in self.spoilt else role,
             "groups": "; ".join(sorted(groups))}
            for who, (role, groups) in self.people.items()
        ]  # fmt: skip
        teams = [{"group": name, "description": text} for name, text in self.teams.items()]
        moves = [(*pair, "add") for pair in sorted(self.joins)]
        moves += [(*pair, "remove") for pair in sorted(self.leaves)]
        memberships = [
            {"email": who + DOMAIN, "group": name, "action": action} for who, name, action in moves
        ]
        tables = {"people.csv": people, "teams.csv": teams, "memberships.csv": memberships}
        return {name: rows for name, rows in tables.items() if rows}


@dataclass(frozen=True)
class Truth:
    """What is in the tenant's database."""

    roles: dict[str, str]
    """Who -> role."""
    members: frozenset[tuple[str, str]]
    """Who, in which group by its internal name."""
    groups: dict[str, str]
    """Internal name -> description."""
    mails: Counter[str]

    def holds(self, row: dict[str, str]) -> bool:
        """Whether the tenant is as this row of a sheet asks."""
        who = row.get("email", "").removesuffix(DOMAIN)
        if "action" in row:
            there = (who, NAMES[row["group"]]) in self.members
            return there == (row["action"] == "add")
        if not who:
            has = self.groups.get(NAMES[row["group"]])
            return has == (row["description"] or has) and has is not None
        groups = [NAMES[name] for name in row["groups"].split("; ") if name]
        as_asked = self.roles.get(who) == f"${row['role'].lower()}"
        return as_asked and all((who, name) in self.members for name in groups)


class Tenant(embedded.Tenant):
    """The embedded tenant as a process, and its database."""

    def __init__(self, url: str, key: str, database: Path) -> None:
        super().__init__(url)
        self.key = key
        self.http.headers["Authorization"] = f"Bearer {key}"
        self.database = database

    def reset(self) -> None:
        self.post("/__sandbox__/faults", {"switches": DEFAULTS, "faults": []})
        self.post("/__sandbox__/reset", {})

    def behave(self, *faults: dict[str, Any], **switches: Any) -> None:
        self.post("/__sandbox__/faults", {"switches": switches, "faults": list(faults)})

    def hits(self) -> list[int]:
        """How many calls each fault has seen."""
        return [fault["seen"] for fault in self.get("/__sandbox__/faults")["faults"]]

    # ---- what other admins do, past all faults

    def invite(self, who: str) -> None:
        if who not in self.truth().roles:
            guest = {"username": who, "email": who + DOMAIN, "role": "$guest", "pending": True}
            self.post("/__sandbox__/people", [guest])

    def create(self, name: str) -> None:
        sql = "INSERT OR IGNORE INTO groups (id, name, alias, is_default, attributes) VALUES (?, ?, ?, 0, ?)"
        attributes = json.dumps({"alias": [name], "isDefault": ["false"]})
        self._write(sql, str(uuid4()), NAMES[name], name, attributes)

    def remove(self, who: str, name: str) -> None:
        person = "(SELECT pk FROM users WHERE email = ?)"
        group = "(SELECT pk FROM groups WHERE name = ?)"
        self._write(
            f"DELETE FROM members WHERE user = {person} AND grp = {group}", who + DOMAIN, name
        )

    def _write(self, sql: str, *values: object) -> None:
        with closing(sqlite3.connect(self.database, timeout=30)) as db, db:
            db.execute(sql, values)

    def truth(self) -> Truth:
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as db:
            people = db.execute("SELECT email, role FROM users WHERE email IS NOT NULL")
            members = db.execute(
                "SELECT email, name FROM members JOIN users ON user = users.pk"
                " JOIN groups ON grp = groups.pk WHERE email IS NOT NULL"
            )
            groups = db.execute("SELECT name, attributes FROM groups")
            return Truth(
                {email.removesuffix(DOMAIN): role for email, role in people},
                frozenset((email.removesuffix(DOMAIN), name) for email, name in members),
                {name: json.loads(a).get("description", [""])[0] for name, a in groups},
                Counter(email for (email,) in db.execute("SELECT email FROM mails")),
            )


@contextmanager
def tenant(folder: Path) -> Iterator[Tenant]:
    with serving(folder / "tenant.db") as running:
        found = Tenant(running.url, running.key, folder / "tenant.db")
        DEFAULTS.update(found.get("/__sandbox__/faults")["switches"])
        with closing(found.http):
            yield found


DEFAULTS: dict[str, Any] = {}
"""The switches as they are at first."""


class Meddler(Quiet):
    """Says yes to everything, and does something else at the so-many-eth step of the run."""

    def __init__(self, at: int = 0, act: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.at, self.act = at, act

    def step(self, done: int, total: int, what: str) -> None:
        self.at -= 1
        if self.at == 0 and self.act:
            self.act()


@dataclass
class Ended:
    """What became of one run."""

    code: int
    rows: list[dict[str, str]]
    error: BaseException | None = None
    folder: Path | None = None
    posts: int = 0


@dataclass
class Rig:
    """One desk in front of a new tenant: run after run, each of which is judged."""

    folder: Path
    tenant: Tenant
    asked: Asked
    workers: int = 4
    batch: int = 2
    url: str = ""
    """Another address of the tenant, with something in between."""
    clock: Clock = field(default_factory=Clock)
    runs: int = 0
    sound: bool = True
    """Whether the last run was as it should be."""
    told: list[dict[str, str]] = field(default_factory=list)
    """What the reports have said so far."""
    arrived: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Request id and path of each changing request of ours that the tenant saw."""
    intents: Counter[str] = field(default_factory=Counter)
    """Request ids in the journals."""
    held_back: set[str] = field(default_factory=set)
    """Those of them that never left."""
    requests: int = 0
    """Of the tenant's log, how many were looked at."""
    patience: float = PATIENCE
    late: bool = False
    """Whether a fault lets effects come late."""
    late_until: float = 0.0
    """When the last of them has come, by the real clock."""
    lossy: bool = False
    """Whether requests may be lost on the way, so that the tenant sees fewer than there are intents."""

    def __post_init__(self) -> None:
        self.tenant.reset()

    def run(self, voice: Quiet | None = None) -> Ended:
        """Run once, and judge it."""
        job = self.job(self._write())
        return self._judged(lambda: _of(pipeline.run(job, self.client(), voice or Quiet())))

    def command(self, stopped: OnboardingError | None = None) -> Ended:
        """Run once by the command line, with real pauses, and judge it; ``stopped`` is what is to stop it."""
        inputs, known = self._write(), self.folder.glob("reports/*")
        before = {*known}

        def run() -> Ended:
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "onboarding", "run", *inputs, "--yes", "--create-groups"),
                    *("--tenant", self.tenant.url, "--init-state", "--quiet"),
                    *("--state", self.folder / "state", "--reports", self.folder / "reports"),
                ],
                env={**os.environ, "ATLAN_API_KEY": self.tenant.key, "HOME": str(self.folder)},
                cwd=self.folder, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert "Traceback" not in done.stderr
            (folder,) = {*self.folder.glob("reports/*")} - before
            return Ended(done.returncode, _rows(folder), stopped, folder)

        return self._judged(run)

    def plan(self) -> Path | None:
        """Save a plan; it changes nothing."""
        inputs, before = self._write(), self.tenant.truth()
        posts = self.arrived.total()
        try:
            report = pipeline.plan(self.job(inputs), self.client(), Quiet())
        except OnboardingError:
            report = None
        assert self._look_at_calls() == 0
        assert (self.tenant.truth(), self.arrived.total()) == (before, posts)
        return report.folder / "plan.json" if report and report.folder else None

    def apply(self, plan: Path, voice: Quiet | None = None) -> Ended:
        """Carry out a saved plan, and judge it; if a sheet has changed since, it is refused."""
        self._write()
        return self._judged(
            lambda: _of(pipeline.apply_saved(plan, self.job([]), self.client(), voice or Quiet()))
        )

    def _judged(self, command: Callable[[], Ended]) -> Ended:
        """Before there is a run folder, nothing but an error comes of a command."""
        before, self.sound = self.tenant.truth(), False
        self.runs += 1
        try:
            ended = command()
        except OnboardingError as error:
            ended = Ended(error.exit_code, [], error)
        if self.late:
            self.late_until = time.monotonic() + LATE
        ended.posts = self._look_at_calls()
        self._judge_calls(ended.folder)
        self._judge(before, self.tenant.truth(), ended)
        self.sound = True
        return ended

    def let_time_go_by(self, seconds: float) -> None:
        """What comes late comes within the waiting time."""
        if seconds >= WAIT:
            time.sleep(max(LAG, self.late_until - time.monotonic()))
        self.clock.time += seconds

    def carry_on(self, *, further: int = 2) -> None:
        """Run as cron would, until all is as asked."""
        ended = self.run()
        for _ in range(further):
            if self.is_done(ended):
                break
            self.let_time_go_by(WAIT + 1)
            ended = self.run()
        assert self.is_done(ended), [self.brief(ended), self.tenant.truth()]

    def rest(self) -> None:
        """There is nothing left to do."""
        assert self.run().posts == 0

    def is_done(self, ended: Ended) -> bool:
        held = {who + DOMAIN for who in self.asked.spoilt & self.asked.people.keys()}
        return bool(ended.rows) and all(
            row["result"] in ("success", "manual") or row.get("email") in held for row in ended.rows
        )

    def brief(self, ended: Ended) -> object:
        rows = [(r["result_row"], r["result_status"], r["result_message"]) for r in ended.rows]
        return ended.code, ended.error, rows

    # ---- one run ----------------------------------------------------------------------------------------------

    def _write(self) -> list[str]:
        for name in ("people.csv", "teams.csv", "memberships.csv"):
            (self.folder / name).unlink(missing_ok=True)
        for name, rows in self.asked.rows().items():
            with (self.folder / name).open("w", newline="") as file:
                sheet = csv.DictWriter(file, rows[0])
                sheet.writeheader()
                sheet.writerows(rows)
        return [str(self.folder / name) for name in self.asked.rows()]

    def job(self, inputs: list[str]) -> Job:
        pace = Pace(
            batch=self.batch, workers=self.workers, wait=WAIT,
            now=self.clock.now, sleep=self.clock.sleep,
        )  # fmt: skip
        return Job(
            inputs=tuple(inputs),
            wishes=Wishes(create_groups=True),
            pace=pace,
            reports=self.folder / "reports",
            state=self.folder / "state",
        )

    def client(self) -> Atlan:
        budget = Budget(math.inf, clock=self.clock.now, sleep=self.clock.sleep)
        transport = Transport(
            self.url or self.tenant.url,
            ApiKey(self.tenant.key),
            budget=budget,
            limits=Limits(connect=5, read=self.patience, whole=2 * self.patience),
            sleep=self.clock.sleep,
        )
        return Atlan(transport, tenant="acme.example")

    # ---- what must be true ------------------------------------------------------------------------------------

    def _look_at_calls(self) -> int:
        """Read on in the tenant's log; give how many changing requests of ours are new in it."""
        new = self.tenant.get("/__sandbox__/requests", since=self.requests)
        self.requests += len(new)
        ours = [each for each in new if each["method"] == "POST" and each["request_id"]]
        self.arrived.update((each["request_id"], each["path"]) for each in ours)
        return len(ours)

    def _judge_calls(self, folder: Path | None) -> None:
        """The changing requests that the tenant saw are the intents in the journals, each once.

        But for those that something held back when they were about to leave: of these, the journal says so.
        """
        lines = (folder / "journal.jsonl").read_text().splitlines() if folder else []
        events = [json.loads(line) for line in lines]
        self.intents.update(each["request"] for each in events if each["event"] == "intent")
        self.held_back |= _held_back(events)
        arrived = {request for request, _ in self.arrived}
        assert set(self.intents.values()) | set(self.arrived.values()) <= {1}
        sent = self.intents.keys() - self.held_back
        assert arrived <= sent, arrived - sent
        some_may_be_under_way = self.lossy or time.monotonic() < self.late_until
        assert some_may_be_under_way or arrived == sent, sent - arrived

    def _judge(self, before: Truth, after: Truth, ended: Ended) -> None:
        assert set(after.mails.values()) <= {1}, after.mails
        asked = [row for rows in self.asked.rows().values() for row in rows]
        taken = before.members - after.members
        allowed = {(who, NAMES[name]) for who, name in self.asked.leaves if who not in self._held}
        assert taken <= allowed, taken - allowed
        for who, role in before.roles.items():
            wanted = self.asked.people.get(who, (role,))[0].lower()
            is_ours = who in self.asked.people and who not in self._held
            assert after.roles[who] == role or (is_ours and after.roles[who] == f"${wanted}"), who
        if not ended.folder:
            return
        places = [
            f"{name}:{n}"
            for name, rows in self.asked.rows().items()
            for n in range(2, len(rows) + 2)
        ]
        assert [row["result_row"] for row in ended.rows] == places
        for row, told in zip(asked, ended.rows, strict=True):
            assert told["result"] in ("success", "error", "manual")
            assert told["result"] != "success" or after.holds(row), (told, after)
        self._judge_actions(ended.folder, after)
        assert ended.code in self._codes(ended), self.brief(ended)

    @property
    def _held(self) -> set[str]:
        return self.asked.spoilt & self.asked.people.keys()

    def _judge_actions(self, folder: Path, after: Truth) -> None:
        """What the auditor's list calls applied is there."""
        with (folder / "actions.csv").open(encoding="utf-8-sig", newline="") as file:
            for line in csv.DictReader(file):
                assert line["status"] != "applied" or _is_there(line, after), (line, after)

    def _codes(self, ended: Ended) -> set[int]:
        """The exit code by the product's own table, from what the report says.

        Two, where a row is work for a person again, and asks for other groups than when it last was.
        """
        fits, perhaps = _of_what_stopped_it(ended.error), set()
        statuses = {row["result_status"] for row in ended.rows}
        waiting = {"dependency"} if "in_doubt" in statuses else set()
        if 75 in fits:
            waiting = {"dependency", "interrupted", "not-sent", "throttled"}
        for row in ended.rows:
            codes = {*row["result_code"].split("; ")}
            if codes & {"refused", "changed-since-plan"}:  # perhaps beside something in doubt
                fits.add(1)
            match row["result_status"]:
                case "rejected" | "failed":
                    fits.add(1)
                case "skipped" if not waiting >= codes:
                    fits.add(1)
                case "manual" if not _work(row) <= {*chain(*map(_work, self.told))}:
                    fits.add(1)
                case "manual" if row not in self.told:
                    perhaps.add(1)
                case "in_doubt":
                    fits.add(75)
        self.told += ended.rows
        return {_first(fits), _first(fits | perhaps)}


def _of(report: Report) -> Ended:
    assert report.folder
    return Ended(report.exit_code, _rows(report.folder), report.error, report.folder)


def _held_back(events: list[dict[str, Any]]) -> set[str]:
    """Give the requests that came to nothing as a whole, with no answer that said so."""
    ends = [each for each in events if each["event"] == "outcome"]
    came_to_something = {
        each["request"] for each in ends if each["http_status"] or each["code"] != "not-sent"
    }
    return {each["request"] for each in ends} - came_to_something


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _of_what_stopped_it(error: BaseException | None) -> set[int]:
    match error:
        case TryLater() | Throttled():
            return {75}
        case TenantError():
            return {4}
    return set()


def _first(fits: set[int]) -> int:
    return next((code for code in (4, 1, 75) if code in fits), 0)


def _work(row: dict[str, str]) -> set[tuple[str, ...]]:
    """What a person has to do about a row, if anything."""
    codes = {"reactivate", "invite-by-hand"} & {*row["result_code"].split("; ")}
    return {(row.get("email", ""), row.get("group", ""), code) for code in codes}


def _is_there(line: dict[str, str], after: Truth) -> bool:
    who, group = line["person"].removesuffix(DOMAIN), line["internal_name"]
    match line["action"]:
        case "invite" | "change-role":
            return who in after.roles
        case "grant":
            return (who, group) in after.members
        case "revoke":
            return (who, group) not in after.members
        case "create-group" | "update-group":
            return group in after.groups
    raise AssertionError(line)
