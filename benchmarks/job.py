"""One job as a whole process: ``python -m benchmarks.job plan|run SHEET... --url URL``; facts go out as JSON.

The command line keeps 300 calls a minute with every tenant but the embedded one that it started itself. A benchmark
has a tenant of its own, with latency or a rate limit, and says how fast to go; all else is the tool's own.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import sys
import time
from pathlib import Path

from onboarding import memory
from onboarding.apply import Pace
from onboarding.atlan import Atlan
from onboarding.auth import ApiKey
from onboarding.job import Job, Prospect, Report
from onboarding.pacing import Budget, burst_of
from onboarding.pipeline import plan, run
from onboarding.safety import Limit, Limits
from onboarding.transport import Transport


class Clock:
    """A voice that agrees to everything and notes when what happened."""

    def __init__(self, tenant: Atlan) -> None:
        self._tenant = tenant
        self._began = time.perf_counter()
        self.facts: dict[str, float] = {}

    def note(self, when: str) -> None:
        """Note the time, by the clock, by the processor and by that of this thread, and the calls so far."""
        self.facts[f"{when}_at"] = time.perf_counter() - self._began
        self.facts[f"{when}_cpu"] = time.process_time()
        self.facts[f"{when}_own"] = time.thread_time()
        self.facts[f"{when}_calls"] = self._tenant.calls

    def opened(self, folder: Path) -> None:
        """Have nothing to log."""

    def propose(self, prospect: Prospect) -> None:
        """Note that the plan is made."""
        self.note("planned")
        self.facts["announced"] = prospect.calls
        self.facts["changes"] = len(prospect.plan)

    def confirm(self, _: Prospect) -> bool:
        """Agree."""
        return True

    def insist(self, _: object) -> bool:
        """Don't: a benchmark sets its limits beforehand."""
        return False

    def rows(self, _through: int, _total: int) -> None:
        """Count calls, no rows."""

    def step(self, _done: int, _total: int, what: str) -> None:
        """Note the end of the calls."""
        if what == "done":
            self.note("applied")


def main() -> int:
    """Do it, and print what it took."""
    memory.look_for_rings_seldom()  # as the command line does
    memory.give_back()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["plan", "run"])
    parser.add_argument("sheets", nargs="+")
    parser.add_argument("--url", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rate", type=float, default=math.inf)
    given = parser.parse_args()
    key = ApiKey(os.environ["ONBOARDING_SANDBOX_KEY"])
    budget = Budget(given.rate, burst_of(given.rate), workers=given.workers)
    tenant = Atlan(Transport(given.url, key, budget=budget), tenant=given.name)
    clock = Clock(tenant)
    job = Job(
        tuple(given.sheets),
        limits=Limits(invitations=Limit.parse("100000")),
        pace=Pace(workers=given.workers),
        reports=given.folder / "reports",
        state=given.folder / "state",
    )
    report: Report = (plan if given.command == "plan" else run)(job, tenant, clock)
    clock.note("ended")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    facts = {**clock.facts, "waited": tenant.waited, "kib": peak, "exit": report.exit_code}
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
