"""One scenario, one trouble: the job is begun, comes to grief, is carried on, and judged by what the tenant shows."""

from __future__ import annotations

import csv
import errno
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crash.command import Called, Machine, Trouble, calls
from crash.scenarios import LAG, Scenario

KILLED = -9
DONE = 1
"""The exit code when all is done: one row is always refused."""
SAID = {DONE, 4, 74, 75}
"""The exit codes with which a run may end whose disk or network fails."""
LATER = 1_000
"""Seconds, beyond the waiting time."""

DISK, WIRE = (errno.EIO, errno.ENOSPC), (errno.EPIPE, errno.ECONNRESET)
ERRORS = {
    **dict.fromkeys(("pwrite64", "write", "openat", "mkdir", "rename"), DISK),
    **dict.fromkeys(("fsync", "fdatasync", "ftruncate"), DISK),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), (errno.EIO,)),
    **dict.fromkeys(("sendto", "recvfrom"), WIRE),
    "connect": (errno.ECONNREFUSED, errno.ECONNRESET),
    "flock": (errno.EIO, errno.ENOLCK),
}
HALVES = {"write", "pwrite64", "sendto", "recvfrom"}


@dataclass(frozen=True)
class Whole:
    """A scenario that nothing disturbed: the calls it made, and what is true in the tenant then."""

    calls: list[Called]
    facts: set[str]

    def troubles(self) -> Iterator[Trouble]:
        """Everything that can be done to it: killed at every call, and halfway through it; every error at every call."""
        for number, call, _ in self.calls:
            yield Trouble(number, call, "kill")
        for number, call, _ in self.calls:
            if call in HALVES:
                yield Trouble(number, call, "half")
        for number, call, _ in self.calls:
            for error in ERRORS[call]:
                full = "+" if error == errno.ENOSPC else ""  # a disk that is full stays full
                yield Trouble(number, call, f"{error}{full}")


class Trial:
    """A folder with a job, at a tenant that is new."""

    def __init__(self, folder: Path, scenario: Scenario, machine: Machine) -> None:
        self.folder = folder
        self.scenario = scenario
        self.machine = machine
        self.tenant = machine.tenant
        self.tenant.post("/__sandbox__/reset", {})
        self.tenant.post("/__sandbox__/faults", {"switches": scenario.switches})
        folder.mkdir()
        scenario.write(folder)
        config = folder / "config.toml"
        config.write_text(
            f"workers = {scenario.workers}\nrate = 1800\nbatch_size = {scenario.batch}\n"
        )
        config.chmod(0o600)
        command = ["run", *scenario.sheets]
        if scenario.command == "apply":
            command = ["apply", self._plan()]
        self.command = [*command, "--init-state", "--yes", *self._settings()]

    def _plan(self) -> str:
        code = self.machine.run(
            self.folder, "plan", *self.scenario.sheets, *self._settings("plans")
        )
        assert code == 0, self._said()
        (plan,) = self.folder.glob("plans/*/plan.json")
        return str(plan)

    def _settings(self, reports: str = "reports") -> list[str]:
        return ["--config", "config.toml", "--state", "state", "--reports", reports, "--quiet"]

    def whole(self, *, warm: bool = False) -> Whole:
        """Let it happen undisturbed."""
        code = self.machine.in_trouble(self.folder, *self.command, warm=warm)
        self._judge(code)
        asked = frozenset[str]().union(*(row.wanted for row in self.scenario.rows.values()))
        facts = self._facts()
        assert asked <= facts, asked - facts
        return Whole(calls(self.folder / "calls"), facts)

    def tried(self, trouble: Trouble, whole: Whole, *, warm: bool = False) -> int:
        """Let the trouble come and carry on, twice at most; gives the exit code with which the run came to grief."""
        code = self.machine.in_trouble(self.folder, *self.command, trouble=trouble, warm=warm)
        if trouble.what in ("kill", "half"):
            assert code == KILLED or (self._varies() and code == DONE), (code, self._said())
        else:
            assert code in SAID, (code, self._said())
            self._check_what_was_said(code)
            self._check_that_nothing_was_sent_after(trouble)
        self.carry_on()
        found = self._facts()
        assert found == whole.facts, found ^ whole.facts
        return code

    def _varies(self) -> bool:
        """Whether a run may come to its end with a call fewer than the one before."""
        return self.scenario.workers > 1 or self.scenario.late

    def started(self, **how: Any) -> subprocess.Popen[bytes]:
        """Start the installed command on the job; see ``Machine.started``."""
        return self.machine.started(self.folder, *self.command, **how)

    def again(self, *, ahead: int = 0) -> int:
        """Run undisturbed, so many seconds later."""
        return self.machine.run(self.folder, *self.command, ahead=ahead)

    def carry_on(self) -> None:
        """Run as cron would, twice at most: the second time is for what was in doubt the first time."""
        code = self._again_in_the_dark() if self.scenario.late else self.again()
        if code == 75 or self._open():
            code = self.again(ahead=LATER)
        self._judge(code)

    def _again_in_the_dark(self) -> int:
        """Run while the tenant shows nothing of what was just done, until the first changing call: then it is late as ever."""
        before = len(self.requests())
        self._show_after(LATER)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.again)
            while not running.done() and not self._has_changed(before):
                time.sleep(0.02)
            self._show_after(LAG)
            return running.result()

    def _has_changed(self, before: int) -> bool:
        return any(each["method"] == "POST" for each in self.requests(before))

    def _show_after(self, seconds: float) -> None:
        self.tenant.post("/__sandbox__/faults", {"switches": {"read_lag": seconds}})

    def _judge(self, code: int) -> None:
        """Everybody who was asked for is invited, once; every row has its answer, and but for the refused it is a yes."""
        assert (code, self._open()) == (DONE, {}), self._said()
        assert self.mails() == Counter(self.scenario.invited)

    def mails(self) -> Counter[str]:
        """How many invitations each person got."""
        return Counter(mail["email"] for mail in self.tenant.get("/__sandbox__/mails"))

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """What arrived at the tenant since it was new, or after so many."""
        found: list[dict[str, Any]] = self.tenant.get("/__sandbox__/requests", since=since)
        return found

    def results(self) -> dict[str, dict[str, str]]:
        """The newest report, which answers for every row, once and in order; empty without one."""
        reports = sorted(
            self.folder.glob("reports/*/results.csv"), key=lambda p: p.stat().st_mtime_ns
        )
        if not reports:
            return {}
        with reports[-1].open(encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        assert [row["result_row"] for row in rows] == list(self.scenario.rows)
        assert all(row["result_status"] for row in rows)
        return {row["result_row"]: row for row in rows}

    def _open(self) -> dict[str, str]:
        """The rows that are not as they should be in the end, by what is said of them."""
        done = self.results()
        should = dict.fromkeys(self.scenario.rows, "success") | dict.fromkeys(
            self.scenario.refused, "error"
        )
        return {
            name: f"{row['result_status']} {row['result_message']}"
            for name, row in done.items()
            if row["result"] != should[name]
        } or ({} if done else {"report": "missing"})

    def _check_what_was_said(self, code: int) -> None:
        """Whatever went wrong: what is reported as done is done, and what is not reported makes the exit code say so."""
        facts = self._facts()
        done = self.results()
        assert done or code != DONE, self._said()
        for name, row in self.scenario.rows.items():
            if done and done[name]["result"] == "success":
                assert row.wanted <= facts, (name, row.wanted - facts)
                assert not row.unwanted & facts, (name, row.unwanted & facts)

    def _check_that_nothing_was_sent_after(self, trouble: Trouble) -> None:
        """After the journal could not be written or flushed, no changing request leaves but those on their way."""
        made = calls(self.folder / "calls")
        for hit in made:
            if hit.number >= trouble.number and hit.name == trouble.call:
                break
        else:
            return  # it came to its end with a call fewer
        if "state.db" in hit.about and hit.name in ("pwrite64", "fdatasync", "fsync"):
            later = [c for c in made if c.number > hit.number and c.about.startswith("POST ")]
            assert len(later) < self.scenario.workers, (hit, later)

    def _facts(self) -> set[str]:
        """What is true in the tenant, but for the token's own account, which has a new name each time."""
        self._show_after(0)
        return {fact for fact in self.tenant.facts() if not fact.startswith("service-account-")}

    def _said(self) -> str:
        return (self.folder / "said").read_text(errors="replace")[-2_000:]

    def clear_away(self) -> None:
        shutil.rmtree(self.folder)
