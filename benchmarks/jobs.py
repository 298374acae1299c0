"""Jobs against a tenant, each a whole process: what it cost, what it says of itself, what the tenant saw of it."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.place import Place
from benchmarks.processes import Command, Cost, Failed, script
from benchmarks.tenants import Tenant

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Done:
    """A job that came to its end."""

    cost: Cost
    facts: Mapping[str, float]
    """What it noted of itself; see ``job.Clock``."""
    seen: Sequence[Mapping[str, Any]]
    """The calls that arrived at the tenant, in order."""

    @property
    def paths(self) -> list[str]:
        """Give what it read."""
        return [call["path"] for call in self.seen if call["method"] == "GET"]

    def between(self, fact: str, first: str, last: str) -> float:
        """Give how much of something there was between two moments."""
        return self.facts[f"{last}_{fact}"] - self.facts[f"{first}_{fact}"]


def do(
    place: Place, tenant: Tenant, command: str, *sheets: Path, workers: int = 4, rate: float = 0
) -> Done:
    """Do a job that leaves nothing to do; ``rate`` is in calls a minute, 0 is as fast as it goes."""
    argv: list[str | Path] = [sys.executable, "-m", "benchmarks.job", command, *sheets]
    argv += ["--url", tenant.url, "--name", tenant.name, "--workers", str(workers)]
    argv += ["--folder", place.room(f"job-{next(_numbers)}")]
    if rate:
        argv += ["--rate", str(rate)]
    before = tenant.count()
    cost = Command(argv, {"ONBOARDING_SANDBOX_KEY": tenant.key}).run()
    facts = json.loads(cost.output)
    if facts["exit"]:
        raise Failed(f"{command} of {', '.join(map(str, sheets))} ended with {facts['exit']}")
    return Done(cost, facts, tenant.requests(before))


def read_again(place: Place, tenant: Tenant, paths: Sequence[str], *, workers: int = 4) -> Cost:
    """Have the same pages read by requests alone."""
    listed = place.folder / f"paths-{next(_numbers)}"
    listed.write_text("\n".join(paths))
    bare = script("read_pages", tenant.url, str(workers), listed)
    return Command(bare.argv, {"ONBOARDING_SANDBOX_KEY": tenant.key}).run()
