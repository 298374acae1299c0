"""The command as a process among processes: killed by the kernel at a system call, out of disk, not alone.

Nothing of the package is imported. The tenant is a process of its own, strace sees every system call and kills or
fails the chosen one, and the tenant counts the invitations. ``ONBOARDING_TEST_PROFILE=full`` tries every point
instead of some twenty.

The waiting time is the one thing that is not waited for: time goes by in the state's database.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

STRACE = shutil.which("strace")
FULL = os.environ.get("ONBOARDING_TEST_PROFILE") == "full"
KEY = "canary-0123456789abcdef"
SHARES = 20
"""Tests that share the points to be killed at; without the full profile each takes one of its share."""

CALLS = "write,pwrite64,fsync,fdatasync,ftruncate,sendto,recvfrom,connect,rename,unlink,mkdir"
INVITED = [f"new{n}@acme.example" for n in range(1, 6)]
SHEETS = {
    "people.csv": "email,role,groups\n"
    + "".join(f"{email},Guest,Newborn\n" for email in INVITED)
    + "ana.kovacs@acme.example,Guest,Marketing\nben.okafor@acme.example,Member,Newborn\n",
    "teams.csv": "group,description\nNewborn,born today\nFinance,money\n",
    "memberships.csv": "email,group,action\ndmitri.volkov@acme.example,Finance,remove\n"
    "grace.tan@acme.example,Newborn,add\n",
}
ROWS = [
    f"{name}:{number}"
    for name, text in SHEETS.items()
    for number in range(2, len(text.splitlines()) + 1)
]
AS_ASKED = {
    "roles": dict.fromkeys([*INVITED, "ana.kovacs@acme.example"], "$guest")
    | {"ben.okafor@acme.example": "$member"},
    "Newborn": {*INVITED, "ben.okafor@acme.example", "grace.tan@acme.example"},
    "Finance": {"ben.okafor@acme.example", "nadia.rossi@acme.example"},
    "Marketing": {f"{who}@acme.example" for who in ("ana.kovacs", "carla.mendes", "farid.haddad")},
}


def _why_not() -> str:
    """Say why nothing can be traced here; empty where it can."""
    if STRACE is None:
        return "strace is not installed"
    tried = subprocess.run(
        [STRACE, "-f", "-qq", "-e", "trace=none", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()}"


WHY_NOT = _why_not()
traced = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


class Tenant:
    """The embedded tenant as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "onboarding.sandbox"),
                *("--db", str(folder / "tenant.db"), "--until-stdin-closes"),
            ],
            env={**os.environ, "ONBOARDING_SANDBOX_KEY": KEY},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout
        self.url = json.loads(self.process.stdout.readline())["url"]

    def ask(self, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.url + path, data, headers), timeout=30) as answer:
            return json.load(answer)

    def mails(self) -> Counter[str]:
        return Counter(mail["email"] for mail in self.ask("/__sandbox__/mails"))

    def posts(self) -> int:
        return sum(each["method"] == "POST" for each in self.ask("/__sandbox__/requests"))

    def truth(self) -> dict[str, object]:
        """What the sheets are about, as the API shows it."""
        users = self.ask("/api/service/users?limit=100&columns=email&columns=workspaceRole")
        roles = {user.get("email"): user.get("workspaceRole") for user in users["records"]}
        groups = self.ask("/api/service/v2/groups?limit=100")["records"]
        members = {
            group["attributes"]["alias"][0]: {
                member["email"]
                for member in self.ask(f"/api/service/groups/{group['id']}/members?limit=100")[
                    "records"
                ]
                or ()
            }
            for group in groups
        }
        assert len(members) == len(groups), "no group twice"
        roles = {email: roles.get(email) for email in AS_ASKED["roles"]}
        return {"roles": roles, **{name: members.get(name) for name in list(AS_ASKED)[1:]}}

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=30)
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    with closing(Tenant(tmp_path_factory.mktemp("tenant"))) as tenant:
        yield tenant


@dataclass
class Desk:
    """A folder with the sheets, and the command over them."""

    folder: Path
    tenant: Tenant
    workers: int = 1

    def __post_init__(self) -> None:
        self.tenant.ask("/__sandbox__/reset", {})
        for name, text in SHEETS.items():
            (self.folder / name).write_text(text)
        config = self.folder / "config.toml"
        # Two invitations in a call, so that there are several calls; one worker, so that each run is like the other.
        config.write_text(f"workers = {self.workers}\nbatch_size = 2\n")
        config.chmod(0o600)

    def start(self, *before: str) -> subprocess.Popen[str]:
        ours = {"HOME": str(self.folder), "ATLAN_BASE_URL": self.tenant.url, "ATLAN_API_KEY": KEY}
        return subprocess.Popen(
            [
                *before,
                *(sys.executable, "-m", "onboarding", "run", *SHEETS, "--yes", "--init-state"),
                *("--config", "config.toml", "--state", "state", "--reports", "reports", "--quiet"),
            ],
            cwd=self.folder,
            env={**os.environ, **ours},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *before: str) -> int:
        with self.start(*before) as process:
            _, complaints = process.communicate(timeout=120)
        assert "Traceback" not in complaints
        return process.returncode

    def strace(self, *options: str) -> int:
        assert STRACE
        log = ("-o", str(self.folder / "trace"))
        return self.run(STRACE, "-f", "-qq", "-e", f"trace={CALLS}", *log, *options)

    def trace(self) -> list[str]:
        return (self.folder / "trace").read_text("utf-8").splitlines()

    def reports(self) -> list[Path]:
        return sorted(
            self.folder.glob("reports/*/summary.json"), key=lambda p: p.stat().st_mtime_ns
        )

    def results(self) -> list[dict[str, str]]:
        """The newest report, which tells of every row once and in order."""
        with self.reports()[-1].with_name("results.csv").open(encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        assert [row["result_row"] for row in rows] == ROWS
        return rows

    def let_time_go_by(self) -> None:
        for path in self.folder.glob("state/*/state.db"):
            with closing(sqlite3.connect(path, isolation_level=None)) as db:
                db.execute("UPDATE intents SET doubt_since = doubt_since - 86400")

    def carry_on(self) -> None:
        """Run as cron would, twice at most: the second time is for what was in doubt the first time."""
        code = self.run()
        if any(row["result_status"] in ("in_doubt", "skipped") for row in self.results()):
            assert code == 75
            self.let_time_go_by()
            code = self.run()
        assert (code, {row["result"] for row in self.results()}) == (0, {"success"})
        assert self.tenant.mails() == Counter(INVITED)
        assert self.tenant.truth() == AS_ASKED


@pytest.fixture
def desk(tmp_path: Path, tenants: Tenant) -> Desk:
    return Desk(tmp_path, tenants)


Point = tuple[str, int]
"""A system call, and the how-many-eth of its kind by one thread; strace counts threads apart."""


def points_of(trace: Sequence[str]) -> list[Point]:
    """Every point that a run can be killed at, from where it first calls the tenant."""
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[Point, bool] = {}
    talking = False
    for line in trace:
        if called := re.match(r"(\d+) +(\w+)\(", line):
            thread, call = called.groups()
            seen[thread, call] += 1
            talking = talking or (call == "connect" and "AF_INET" in line)
            # The first thread to get there is the one that is hit.
            found.setdefault((call, seen[thread, call]), talking)
    return [point for point, counts in found.items() if counts]


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory, tenants: Tenant) -> list[Point]:
    desk = Desk(tmp_path_factory.mktemp("whole"), tenants)
    assert desk.strace() == 0
    assert desk.tenant.truth() == AS_ASKED
    return points_of(desk.trace())


@traced
@pytest.mark.parametrize("share", range(SHARES))
def test_a_run_killed_at_a_system_call_is_carried_on(
    desk: Desk, points: list[Point], share: int
) -> None:
    assert len(points) > 5 * SHARES
    mine = points[share::SHARES]
    for call, nth in mine if FULL else mine[share % len(mine) :][:1]:
        again = Desk(desk.folder / f"{call}-{nth}", desk.tenant) if FULL else desk
        code = again.strace("-e", f"inject={call}:signal=SIGKILL:when={nth}")
        assert code == -9, (call, nth)
        again.carry_on()


@traced
@pytest.mark.parametrize("nth", range(1, 60) if FULL else (10, 25, 40))
@pytest.mark.parametrize("what", ["fdatasync:error=ENOSPC", "pwrite64:error=EIO"])
def test_a_run_that_the_disk_fails_says_so_and_is_carried_on(
    desk: Desk, what: str, nth: int
) -> None:
    code = desk.strace("-e", f"inject={what}:when={nth}+")
    if code != 0:  # a failure of the very last writes, when all is told, needs nobody
        assert code == 74
    desk.carry_on()


@traced
def test_no_byte_of_a_changing_call_leaves_before_its_intent_is_on_disk(
    tmp_path: Path, tenants: Tenant
) -> None:
    desk = Desk(tmp_path, tenants, workers=4)
    assert desk.strace("-y", "-s", "8192") == 0
    written: set[str] = set()
    flushed: set[str] = set()
    sent = []
    syncing: dict[str, set[str]] = {}
    for line in desk.trace():
        thread, event = line.split(maxsplit=1)
        if event.startswith("pwrite64(") and "state.db-wal>" in event:
            written.update(re.findall(r"[0-9a-f]{32}", event))
        elif event.startswith("fdatasync(") and "state.db-wal>" in event:
            syncing[thread] = set(written)  # what others write meanwhile does not count
        elif event.startswith("sendto(") and '"POST ' in event:
            (request,) = re.findall(r"X-Atlan-Request-Id: ([0-9a-f]{32})", event)
            assert request in flushed, line
            sent.append(request)
        if "fdatasync" in event and event.endswith("= 0") and thread in syncing:
            flushed |= syncing.pop(thread)
    assert len(sent) == len(set(sent)) == tenants.posts() > 5


def test_of_several_runs_at_once_one_works_and_nobody_is_invited_twice(desk: Desk) -> None:
    running = [desk.start() for _ in range(4)]
    codes = [
        process.returncode for process in running if process.communicate(timeout=120) is not None
    ]
    assert set(codes) <= {0, 75}
    assert 0 in codes
    assert desk.tenant.mails() == Counter(INVITED)
    desk.carry_on()


def test_what_is_announced_is_what_the_tenant_counts_and_the_second_run_sends_nothing(
    desk: Desk,
) -> None:
    assert desk.run() == 0
    requests = desk.tenant.ask("/__sandbox__/requests")
    calls = json.loads(desk.reports()[-1].read_text())["calls"]
    assert calls == {"announced": len(requests), "made": len(requests)}

    posts = desk.tenant.posts()
    assert desk.run() == 0
    assert {row["result_status"] for row in desk.results()} == {"unchanged"}
    assert desk.tenant.posts() == posts
