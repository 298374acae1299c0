"""The command as a process among processes: what it flushes before it sends, what it announces, and that it is alone.

Nothing of the package is imported: strace sees every call of the kernel, and the tenant counts what arrives. Crashes are in
``test_crash_points``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from crash.command import COMPILER, Machine, Trouble, calls
from crash.scenarios import SCENARIOS, Scenario
from crash.trial import DONE, Trial

FULL = os.environ.get("ONBOARDING_TEST_PROFILE") == "full"
STRACE = shutil.which("strace")
STARTS = 20

pytestmark = pytest.mark.skipif(not COMPILER, reason="there is no C compiler")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with closing(Machine(tmp_path_factory.mktemp("machine"))) as machine:
        yield machine


@pytest.fixture
def trial(tmp_path: Path, machine: Machine) -> Trial:
    """A job with invitations, groups, removals and roles, by four workers."""
    scenario = next(s for s in SCENARIOS if (s.job, s.inputs, s.workers) == ("mixed", "csv", 4))
    return Trial(tmp_path / "trial", scenario, machine)


@pytest.mark.skipif(not STRACE, reason="strace is not installed")
@pytest.mark.parametrize("scenario", SCENARIOS if FULL else SCENARIOS[7:9], ids=str)
def test_no_byte_of_a_changing_call_leaves_before_its_intent_is_on_disk(
    scenario: Scenario, machine: Machine, tmp_path: Path
) -> None:
    trial = Trial(tmp_path / "trial", scenario, machine)
    trace = tmp_path / "trace"
    below = [str(STRACE), "-f", "-qq", "-y", "-s", "8192", "-o", str(trace)]
    with trial.started(below=[*below, "-e", "trace=pwrite64,fdatasync,sendto"]) as process:
        assert process.wait(timeout=120) == DONE

    written: list[str] = []
    flushed = 0
    syncing: dict[str, int] = {}
    sent = []
    for line in trace.read_text("utf-8").splitlines():
        thread, event = line.split(maxsplit=1)
        if event.startswith("pwrite64(") and "state.db-wal>" in event:
            written.append(event)
        elif event.startswith("fdatasync(") and "state.db-wal>" in event:
            syncing[thread] = len(written)  # what others write meanwhile does not count
        elif event.startswith("sendto(") and '"POST ' in event:
            (request,) = re.findall(r"X-Atlan-Request-Id: ([0-9a-f]{32})", event)
            assert any(request in page for page in written[:flushed]), line
            sent.append(request)
        if "fdatasync" in event and event.endswith("= 0") and thread in syncing:
            flushed = max(flushed, syncing.pop(thread))
    arrived = [r["request_id"] for r in trial.requests() if r["method"] == "POST"]
    assert sorted(sent) == sorted(set(arrived))
    assert len(arrived) >= 2


def test_of_twenty_starts_at_once_one_works_and_the_others_leave_without_a_request(
    trial: Trial,
) -> None:
    """The one that works is stopped before its first request, until the others have left."""
    starts = [
        trial.started(trouble=Trouble(1, "sendto", "stop"), log=f"calls-{n}") for n in range(STARTS)
    ]
    (worker,) = _those_who_stay(starts, 1)
    left = [process.returncode for process in starts if process is not worker]
    asked = [call for log in trial.folder.glob("calls-*") for call in calls(log) if _asks(call)]
    worker.send_signal(signal.SIGCONT)

    assert left == [75] * (STARTS - 1)
    assert len(asked) == 1, "the one request that the worker was stopped at"
    assert worker.wait(timeout=60) == DONE
    assert trial.mails() == Counter(trial.scenario.invited)
    trial.carry_on()


def test_whatever_is_deleted_in_the_state_folder_no_second_run_begins_beside_the_first(
    trial: Trial,
) -> None:
    """There is no lock file: what is locked is the folder itself."""
    with trial.started(trouble=Trouble(1, "sendto", "stop")) as worker:
        _those_who_stay([worker], 1)
        files = {path.name for path in trial.folder.glob("state/*/*")}
        assert files <= {"holder", "state.db", "state.db-wal", "state.db-shm"}
        for name in ("holder", "state.db-shm"):
            for path in trial.folder.glob(f"state/*/{name}"):
                path.unlink()
        assert trial.again() == 75
        worker.send_signal(signal.SIGCONT)
        assert worker.wait(timeout=60) == DONE
    assert trial.mails() == Counter(trial.scenario.invited)
    trial.carry_on()


def test_a_run_whose_state_is_deleted_sends_nothing_more(trial: Trial) -> None:
    """What was begun without state can't be remembered."""
    with trial.started(trouble=Trouble(1, "sendto", "stop")) as worker:
        _those_who_stay([worker], 1)
        for path in trial.folder.glob("state/*/state.db"):
            path.unlink()
        worker.send_signal(signal.SIGCONT)
        assert worker.wait(timeout=60) == 74
    assert {each["method"] for each in trial.requests()} == {"GET"}


def _asks(call: object) -> bool:
    return getattr(call, "name", "") == "sendto"


def _those_who_stay(
    processes: list[subprocess.Popen[bytes]], count: int
) -> list[subprocess.Popen[bytes]]:
    """Wait until all but so many have ended and those are stopped."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        there = [process for process in processes if process.poll() is None]
        if len(there) == count and all(map(_is_stopped, there)):
            return there
        time.sleep(0.01)
    raise AssertionError([process.returncode for process in processes])


def _is_stopped(process: subprocess.Popen[bytes]) -> bool:
    state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


def test_what_is_announced_is_what_the_tenant_counts_and_the_second_run_sends_nothing(
    trial: Trial,
) -> None:
    trial.tenant.post(
        "/__sandbox__/faults", {"switches": {"username_collision": "rename", "read_lag": 0}}
    )
    assert trial.again() == 0
    requests = trial.requests()
    (summary,) = trial.folder.glob("reports/*/summary.json")
    assert json.loads(summary.read_text())["calls"] == {
        "announced": len(requests),
        "made": len(requests),
    }
    assert trial.again() == 0
    assert {row["result_status"] for row in trial.results().values()} == {"unchanged"}
    assert {each["method"] for each in trial.requests()[len(requests) :]} == {"GET"}
