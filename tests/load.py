"""A large job against the embedded tenant, some of whose calls go wrong, until all of it is done; and what that took.

``python tests/load.py 100000`` prints the figures as JSON, one line for each run. The client is a process of its own, so
that its memory can be told; its pauses are cut short, the tenant's rate limit is off.
"""

from __future__ import annotations

import csv
import json
import math
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rig

from onboarding import pipeline
from onboarding.apply import Pace
from onboarding.atlan import Atlan
from onboarding.auth import ApiKey
from onboarding.job import Job
from onboarding.pacing import Budget
from onboarding.safety import Limit, Limits
from onboarding.transport import Transport

GROUPS = 200
THERE = 20
"""Groups that are there before: their members are added one by one, those of new groups come along with them."""
EACH = 3
"""Memberships of a person."""
BAD = 100
"""One row in so many."""
FAULTS: list[dict[str, Any]] = [
    {"kind": "drop-before"},
    {"kind": "drop-during"},
    {"kind": "drop-after"},
    {"kind": "cut-answer"},
    {"kind": "truncate-json"},
    {"kind": "html", "status": 502},
    {"kind": "redirect-302"},
    {"kind": "status", "status": 500, "shape": "A"},
    {"kind": "status", "status": 503, "shape": "F", "done": True},
    {"kind": "latency", "seconds": 0.05},
]
"""Each befalls one call in a thousand: one in a hundred goes wrong."""


def sheets(folder: Path, people: int) -> dict[str, dict[str, Any]]:
    """Write three sheets; give what they ask for of those whose rows are good."""
    chance = random.Random(people)
    wanted: dict[str, dict[str, Any]] = {}
    rows, memberships = [], []
    for number in range(people):
        email = f"p{number:06}@acme.example"
        role = chance.choice(["Member", "Guest"])
        groups = chance.sample(range(GROUPS), EACH)
        bad = number % BAD == 7
        half = number % (2 * BAD) == 7
        rows.append(
            (
                email.replace("@", "") if bad and half else email,
                "Wizard" if bad and not half else role,
            )
        )
        memberships += [(email, f"Team {group:03}") for group in groups]
        if not bad:
            wanted[email] = {"role": f"${role.lower()}", "groups": {f"team_{g:03}" for g in groups}}
    teams = [(f"Team {number:03}", f"number {number}") for number in range(GROUPS)]
    _sheet(folder / "people.csv", ("email", "role"), rows)
    _sheet(folder / "teams.csv", ("group", "description"), teams)
    _sheet(folder / "some-teams.csv", ("group", "description"), teams[:THERE])
    _sheet(folder / "memberships.csv", ("email", "group"), memberships)
    return wanted


def _sheet(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def carry_out(folder: Path, people: int) -> Iterator[dict[str, Any]]:
    """Run until nothing is left to do; give the figures of each run. What is wrong in the end is an AssertionError."""
    wanted = sheets(folder, people)
    with rig.tenant(folder) as tenant:
        yield _run(tenant, folder, 0, "some-teams.csv")
        tenant.behave(*(fault | {"match": "/api/", "times": 0, "one_in": 1000} for fault in FAULTS))
        for number in range(1, 10):
            figures = _run(tenant, folder, number, "people.csv", "teams.csv", "memberships.csv")
            yield figures
            if not figures["posts"]:
                break
        _check(tenant, folder, wanted)


def _run(tenant: rig.Tenant, folder: Path, number: int, *names: str) -> dict[str, Any]:
    log = folder / "tenant.db-requests.jsonl"
    before = log.stat().st_size
    done = subprocess.run(
        [sys.executable, __file__, "--run", str(folder), tenant.url, str(number), *names],
        env={**os.environ, "KEY": tenant.key},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with log.open() as lines:
        lines.seek(before)
        seen = [json.loads(line) for line in lines]
    posts = Counter(
        each["request_id"] for each in seen if each["method"] == "POST" and each["request_id"]
    )
    assert set(posts.values()) <= {1}
    figures: dict[str, Any] = json.loads(done.stdout)
    journal = Path(figures.pop("folder")) / "journal.jsonl"
    with journal.open() as lines:
        intents = {e["request"] for e in map(json.loads, lines) if e["event"] == "intent"}
    assert posts.keys() == intents, posts.keys() ^ intents
    return figures | {"calls": len(seen), "posts": len(posts)}


def _check(tenant: rig.Tenant, folder: Path, wanted: dict[str, dict[str, Any]]) -> None:
    truth = tenant.truth()
    has: dict[str, set[str]] = {}
    for who, group in truth.members:
        has.setdefault(who, set()).add(group)
    new = {who: role for who, role in truth.roles.items() if who.startswith("p0")}
    assert new == {email.removesuffix(rig.DOMAIN): facts["role"] for email, facts in wanted.items()}
    for email, facts in wanted.items():
        assert has[email.removesuffix(rig.DOMAIN)] - {"everyone"} == facts["groups"], email
    assert truth.mails == Counter(dict.fromkeys(wanted, 1))


def _work(folder: Path, url: str, number: int, names: list[str]) -> dict[str, Any]:
    """One run, in this process."""
    clock = rig.Clock()
    clock.time += number * 2 * rig.WAIT
    began = time.perf_counter()
    budget = Budget(math.inf, clock=clock.now, sleep=clock.sleep)
    tenant = Atlan(
        Transport(url, ApiKey(os.environ["KEY"]), budget=budget, sleep=clock.sleep),
        tenant="acme.example",
    )
    none = Limit.parse("100%")
    job = Job(
        inputs=tuple(str(folder / name) for name in names),
        limits=Limits(invitations=Limit.parse("1000000"), rejected=none),
        pace=Pace(now=clock.now, sleep=clock.sleep),
        reports=folder / "reports",
        state=folder / "state",
    )
    report = pipeline.run(job, tenant, rig.Meddler())
    took = time.perf_counter() - began
    rows = Counter(row.status.value for row in report.results)
    peak = next(
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
    return {
        "exit": report.exit_code, "error": str(report.error or ""), "rows": rows,
        "seconds": round(took, 1),
        "cpu": round(time.process_time(), 1), "MB": int(peak.split()[1]) // 1024, "folder": str(report.folder),
        "announced": report.summary["calls"]["announced"], "slept": round(clock.time - 1_800_000_000 - number * 2 * rig.WAIT),
    }  # fmt: skip


def main() -> None:
    if sys.argv[1] == "--run":
        folder, url, number, *names = sys.argv[2:]
        sys.stdout.write(json.dumps(_work(Path(folder), url, int(number), names)))
        return
    with TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        for figures in carry_out(Path(folder), int(sys.argv[1])):
            sys.stdout.write(json.dumps(figures) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
