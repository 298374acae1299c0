"""The pace against a tenant that keeps to its limit: 400 calls a minute, then everybody is blocked for one.

Two thousand calls, by default in made-up time, which the tenant shares. ``ONBOARDING_TEST_PROFILE=full`` has the
command make as many in real time, with four threads: about seven minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from bisect import bisect_left
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from embedded import API, Tenant
from fakes import Clock

from onboarding.auth import ApiKey
from onboarding.pacing import BURST, PER_MINUTE, Budget
from onboarding.sandbox.server import Sandbox
from onboarding.transport import Transport

FULL = os.environ.get("ONBOARDING_TEST_PROFILE") == "full"
LIMIT = {"rate_limit": 400}
CALLS = 2_000


def share(calls: int, seconds: float) -> float:
    """How much of the budget was used once what a rested one lets through was spent."""
    return (calls - BURST) / (PER_MINUTE / 60 * seconds)


def test_two_thousand_calls_keep_below_the_limit_and_close_to_the_budget(tmp_path: Path) -> None:
    clock = Clock()
    budget = Budget(clock=clock, sleep=clock.sleep)
    with Sandbox(tmp_path / "tenant.db", switches=LIMIT, clock=clock) as sandbox:
        transport = Transport(sandbox.url, ApiKey("sandbox"), budget=budget, sleep=clock.sleep)
        begun = clock()
        for _ in range(CALLS):
            transport.get(f"{API}/users/current")
        assert transport.calls == CALLS
        assert share(CALLS, clock() - begun) >= 0.95


def test_without_a_budget_they_would_not_keep_below_it(tmp_path: Path) -> None:
    clock = Clock()
    budget = Budget(60 * CALLS, clock=clock, sleep=clock.sleep)
    with Sandbox(tmp_path / "tenant.db", switches=LIMIT, clock=clock) as sandbox:
        transport = Transport(sandbox.url, ApiKey("sandbox"), budget=budget, sleep=clock.sleep)
        for _ in range(CALLS // 4):
            transport.get(f"{API}/users/current")
        assert transport.calls > CALLS // 4


if FULL:

    @pytest.mark.timeout(900)
    def test_a_run_of_two_thousand_calls_never_trips_the_limit(tmp_path: Path) -> None:
        with Sandbox(tmp_path / "tenant.db") as sandbox:
            tenant = Tenant(sandbox.url)
            people = [f"p{number:04}@acme.example" for number in range(1_930)]
            role = {"roleName": "$guest", "roleId": tenant.names()["{$guest}"]}
            tenant.post(f"{API}/users", {"users": [{"email": who, **role} for who in people]})
            tenant.post("/__sandbox__/faults", {"switches": LIMIT})
            before = len(tenant.get("/__sandbox__/requests"))
            sheet = tmp_path / "memberships.csv"
            sheet.write_text("email,group\n" + "".join(f"{who},Finance\n" for who in people))
            summary = run(sandbox.url, sheet)
            log = tenant.get("/__sandbox__/requests")[before:]
        times = [datetime.fromisoformat(each["at"]).timestamp() for each in log]
        busiest = max(n + 1 - bisect_left(times, time - 60) for n, time in enumerate(times))
        assert {each["status"] for each in log} == {200}
        assert summary["calls"]["made"] == summary["calls"]["announced"] == len(log) > 1_950
        assert busiest <= 400
        assert share(len(log), times[-1] - times[0]) >= 0.95


def run(url: str, sheet: Path) -> dict[str, Any]:
    folders = ("--state", sheet.parent / "state", "--reports", sheet.parent / "reports")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "onboarding", "run", sheet, "--tenant", url, *folders),
            *("--yes", "--init-state", "--json"),
        ],
        env={**os.environ, "ATLAN_API_KEY": "sandbox"},
        capture_output=True,
        text=True,
        check=True,
    )
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary
