"""Whatever goes wrong, and whenever: nobody is invited twice, nothing is lost, and no report says what is not so.

The schedules are in ``schedules``: thousands by default, ``ONBOARDING_TEST_PROFILE=full`` plays half a million. Each part
runs in a process of its own, since one that is watched for its coverage takes three times as long.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from builders import email
from fakes import Crash
from schedules.draw import draw, pressing
from schedules.play import WAIT, Broken, Schedule, play
from schedules.world import EMPTY, LAG, LIFE, Clock, Disk, Event, Tenant

from onboarding.journal import State
from onboarding.journal.database import PRAGMAS, Database
from onboarding.model import Role

FULL = os.environ.get("ONBOARDING_TEST_PROFILE") == "full"
PARTS, SIZE = (50, 10_000) if FULL else (8, 1_000)


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_doubled_lost_or_told_wrongly(part: int) -> None:
    command = [sys.executable, "-m", "schedules", str(part * SIZE), str((part + 1) * SIZE)]
    done = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    played = re.search(
        r"\.\.(\d+): 0 broke a promise; (\d+) different ones", last_line(done.stdout)
    )
    assert played, done.stdout
    assert int(played[1]) == (part + 1) * SIZE - 1
    assert int(played[2]) > 0.999 * SIZE


def last_line(text: str) -> str:
    return text.splitlines()[-1]


@pytest.mark.parametrize("number", [150_841, 152_759, 399_729])
def test_a_schedule_that_broke_a_promise_once_does_so_no_more(number: int) -> None:
    """A 403 behind a 403 had an invitation doubled; a list that was refused had a removal called done."""
    play(draw(number))


def broken(wait: float, schedules: int) -> Counter[str]:
    """Count the promises that break at a waiting time."""
    found: Counter[str] = Counter()
    for number in range(schedules):
        try:
            play(pressing(number), wait=wait)
        except Broken as error:
            found[str(error).split(":")[0]] += 1
    return found


def test_the_waiting_time_is_needed_to_the_second() -> None:
    """A request may land ``LIFE`` seconds after it was sent, and show ``LAG`` seconds later."""
    assert broken(WAIT, 300) == {}
    too_short = broken(LIFE + LAG - 1, 300)
    assert too_short.keys() == {"invited twice"}
    assert too_short["invited twice"] > 30


# ---- the schedules -------------------------------------------------------------------------------------------


def test_a_number_always_means_the_same_schedule() -> None:
    assert [draw(number) for number in range(50)] == [draw(number) for number in range(50)]


def test_every_kind_of_trouble_occurs() -> None:
    drawn = [draw(number) for number in range(2_000)]
    events = {(e.answer, e.effect) for schedule in drawn for e in schedule.events}
    assert events >= {
        (answer, effect)
        for answer in ("doubt", "death", "yes")
        for effect in ("now", "never", "late", "half")
    }
    assert {answer for answer, _ in events} >= {"throttled", "forbidden", "refused", "unsent"}
    assert {e.admin for s in drawn for e in s.events} == {"", "invites", "creates", "moves"}
    assert {t for s in drawn for _, t in s.disk} == {"before", "amid", "error"}
    assert {len(s.events) + len(s.disk) for s in drawn} >= {1, 2, 3, 4}


def test_runs_end_in_every_way_that_a_person_meets() -> None:
    codes = {code for number in range(200) for code in play(draw(number)).codes}
    assert codes == {None, 0, 1, 4, 74, 75}


@pytest.mark.parametrize("job", ["invite", "team", "mixed"])
def test_a_job_that_nothing_befalls_is_done_in_one_run(job: str) -> None:
    played = play(Schedule(job))
    assert (played.runs, played.deaths, played.codes) == (1, 0, [0])


def test_a_promise_that_breaks_is_noticed() -> None:
    late = Event(1, answer="death", effect="late")
    schedule = Schedule(events=(late,), lag="full", doubles="mailed", starts=("soon", "late"))
    with pytest.raises(Broken, match=r"invited twice: \['new1@acme.example'"):
        play(schedule, wait=0)
    assert play(schedule).codes == [None, 75, 0]


# ---- the world -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pragma", "left"), [("FULL", {"1", "2"}), ("NORMAL", set()), ("OFF", set())]
)
def test_a_loss_of_power_takes_what_was_not_flushed(pragma: str, left: set[str]) -> None:
    disk = Disk.new(of=EMPTY)
    disk.execute(f"PRAGMA synchronous = {pragma}")
    disk.trouble = {3: "amid"}
    for number in ("1", "2", "3"):
        disk.execute("BEGIN IMMEDIATE")
        disk.executemany("INSERT INTO accepts VALUES (?, 0)", [(number,)])
        if number == "3":
            with pytest.raises(Crash):
                disk.execute("COMMIT")
        else:
            disk.execute("COMMIT")
    assert len(disk.execute("SELECT * FROM accepts").fetchall()) == 3
    disk.restart(power_lost=True)
    assert {name for name, _ in disk.execute("SELECT * FROM accepts")} == left


def test_a_dead_process_takes_only_what_it_was_writing() -> None:
    disk = Disk.new(of=EMPTY)
    disk.trouble = {2: "before"}
    state = State(Database(Path(":memory:"), disk), Clock().now)
    state.spend("one")
    with pytest.raises(Crash):
        state.spend("two")
    disk.restart(power_lost=False)
    again = State(Database(Path(":memory:"), disk), Clock().now)
    assert (again.has_spent("one"), again.has_spent("two")) == (True, False)


def test_the_disk_is_flushed_as_the_product_asks_for_it() -> None:
    assert "synchronous = FULL" in PRAGMAS


def test_what_lands_late_shows_later_still() -> None:
    clock = Clock()
    events = [Event(1, answer="doubt", effect="late", after=LIFE)]
    tenant = Tenant(clock, events, lambda what: None, lag="full")
    with pytest.raises(Exception, match="the answer was lost"):
        tenant.invite([(email("ana"), Role.GUEST)], request_id="r1")
    seen = []
    for seconds in (0, LIFE - 1, 1, LAG):
        clock.sleep(seconds)
        shown = len(tenant.users_by_email([email("ana")]))
        seen.append((len(tenant.mails), shown))
    assert seen == [(0, 0), (0, 0), (1, 0), (1, 1)]
