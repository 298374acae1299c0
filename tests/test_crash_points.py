"""The installed command, killed or failed wherever it touches disk or network, is carried on; twice at most.

The twelve scenarios meet every pair of settings (``crash.scenarios``); each takes its share of the points, so that all kinds of
calls and all phases come up. ``ONBOARDING_TEST_PROFILE=full`` tries all of them, for hours; ``python -m crash LOG`` does
the same, says how it goes, and goes on where it was stopped.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest
from crash.command import COMPILER, Machine, Trouble, calls
from crash.scenarios import SCENARIOS, Scenario
from crash.trial import Trial, Whole

FULL = os.environ.get("ONBOARDING_TEST_PROFILE") == "full"
STRACE = shutil.which("strace")
INVITE = "POST /api/service/users HTTP"
KILLS, FAILURES = 3, 2
"""Points of each scenario in a quick run."""
TURNS = (
    *("sendto", "fdatasync", "recvfrom", "pwrite64", "rename", "write", "openat"),
    *("sendto", "unlink", "fdatasync", "fsync", "recvfrom", "mkdir", "pwrite64", "ftruncate"),
    *("connect", "write", "flock", "unlinkat"),
)
"""Whose turn it is: the calls around which things can go wrong come up more often than those there are most of."""

pytestmark = [
    pytest.mark.skipif(not COMPILER, reason="there is no C compiler"),
    pytest.mark.timeout(0 if FULL else 300),
]
each_scenario = pytest.mark.parametrize(
    ("index", "scenario"), list(enumerate(SCENARIOS)), ids=map(str, SCENARIOS)
)


class Wholes(Protocol):
    def __call__(self, scenario: Scenario) -> Whole: ...


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with closing(Machine(tmp_path_factory.mktemp("machine"))) as machine:
        yield machine


@pytest.fixture(scope="module")
def whole(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Wholes:
    @cache
    def undisturbed(scenario: Scenario) -> Whole:
        folder = tmp_path_factory.mktemp("whole") / "trial"
        return Trial(folder, scenario, machine).whole(warm=True)

    return undisturbed


def test_any_two_settings_meet_in_a_scenario() -> None:
    settings = [tuple(vars(scenario).values()) for scenario in SCENARIOS]
    for one, other in itertools.combinations(zip(*settings, strict=True), 2):
        met = set(zip(one, other, strict=True))
        assert met == set(itertools.product(set(one), set(other)))


@each_scenario
def test_a_run_that_is_killed_or_fails_at_any_call_is_carried_on(
    index: int, scenario: Scenario, machine: Machine, whole: Wholes, tmp_path: Path
) -> None:
    kills = [t for t in whole(scenario).troubles() if t.what in ("kill", "half")]
    failures = [t for t in whole(scenario).troubles() if t.what not in ("kill", "half")]
    assert min(len(kills), len(failures)) > 300
    if not FULL:
        kills = [unanswered(whole(scenario)), *share(kills, index, KILLS - 1)]
        failures = share(failures, index, FAILURES)
    for number, trouble in enumerate([*kills, *failures]):
        trial = Trial(tmp_path / str(number), scenario, machine)
        # Most without the second that it takes to start.
        trial.tried(trouble, whole(scenario), warm=number > 1)
        trial.clear_away()


def unanswered(whole: Whole) -> Trouble:
    """The most dangerous point: the last invitations are sent, and the answer is not read."""
    sent = max(call.number for call in whole.calls if call.about.startswith(INVITE))
    read = next(call for call in whole.calls[sent:] if call.name == "recvfrom")
    return Trouble(read.number, read.name, "kill")


def share(troubles: Sequence[Trouble], index: int, count: int) -> list[Trouble]:
    """The share of one scenario: call by call in turns, early and late ones, the same each time."""
    found = []
    turns = [call for call in TURNS if any(trouble.call == call for trouble in troubles)]
    for turn in range(index * count, (index + 1) * count):
        call = turns[turn % len(turns)]
        these = [trouble for trouble in troubles if trouble.call == call]
        found.append(these[int(turn * 0.618 % 1 * len(these))])  # the golden ratio spreads best
    return found


CSV_WITHOUT_THREADS = replace(
    next(s for s in SCENARIOS if s.inputs == "csv" and s.workers == 1), late=False
)
"""Its calls are the same every time: how often a late tenant is asked depends on the clock."""


def test_a_warm_command_makes_the_calls_of_one_that_has_just_been_started(
    machine: Machine, whole: Wholes, tmp_path: Path
) -> None:
    just_started = Trial(tmp_path / "trial", CSV_WITHOUT_THREADS, machine).whole()
    warm = whole(CSV_WITHOUT_THREADS)
    assert [call.name for call in just_started.calls] == [call.name for call in warm.calls]


@pytest.mark.skipif(not STRACE, reason="strace is not installed")
def test_every_call_that_the_kernel_sees_is_a_point(machine: Machine, tmp_path: Path) -> None:
    trial = Trial(tmp_path / "trial", CSV_WITHOUT_THREADS, machine)
    trace = tmp_path / "trace"
    kinds = "write,pwrite64,fsync,fdatasync,ftruncate,flock,sendto,sendmsg,recvfrom,recvmsg,connect,openat,creat"
    kinds += ",rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,pwritev,writev,sendfile,truncate"
    below = [str(STRACE), "-f", "-qq", "-y", "-o", str(trace), "-e", f"trace={kinds}"]
    with trial.started(below=below) as process:
        process.wait(timeout=120)

    seen = re.findall(r"^\d+ +(\w+)\((.*)", trace.read_text(errors="replace"), re.MULTILINE)
    assert [name for name, about in seen if _touches(name, about)] == [
        call.name for call in calls(trial.folder / "calls")
    ]


def _touches(name: str, about: str) -> bool:
    """Whether a call is one of those that count; the log of the calls itself is not."""
    return "/calls" not in about and (name != "openat" or "O_CREAT" in about)


def test_the_trouble_is_what_was_asked_for_and_no_more(machine: Machine, tmp_path: Path) -> None:
    ours = machine.environment | {"TROUBLE_LOG": str(tmp_path / "log"), "TROUBLE_AT": "2 mkdir 28"}
    script = "import os\nfor name in 'abcd':\n try: os.mkdir(name)\n except OSError as e: error = e.errno\nprint(error)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=ours, capture_output=True, check=True
    )
    assert done.stdout == b"28\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c", "d", "log"]
    made = [str(call.about) for call in calls(tmp_path / "log") if call.name == "mkdir"]
    assert made == ["a", "b", "c", "d"]
