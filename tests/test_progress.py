"""The bar tells the truth: what is done, how fast, how long the rest takes, what it waits for."""

from __future__ import annotations

import io
import math
import re

import pytest
from fakes import Clock

from onboarding.cli.progress import Progress, line
from onboarding.pacing import Budget


class Caller:
    """Makes calls at the pace of a budget, as the client of a tenant does."""

    def __init__(self, per_minute: float = 300, *, answers_in: float = 0, workers: int = 1) -> None:
        self.clock = Clock()
        self.answers_in = answers_in
        self.shown = io.StringIO()
        self.progress = Progress(self.shown, clock=self.clock)
        self.budget = Budget(
            per_minute,
            workers=workers,
            clock=self.clock,
            sleep=self.clock.sleep,
            waiting=self.progress.waiting,
        )
        self.calls = 0
        self.progress.watch(self)

    def left(self, calls: int) -> float:
        return self.budget.left(calls)

    def call(self, times: int) -> None:
        for _ in range(times):
            self.budget.take()
            self.calls += 1
            self.progress.called()
            self.clock.now += self.answers_in

    @property
    def lines(self) -> list[str]:
        drawn = re.split(r"[\r\n]+", re.sub(r"\x1b\[.", "", self.shown.getvalue()))
        return [re.sub(r" \|.*\| ", " | ", each).strip() for each in drawn if each.strip()]

    @property
    def last(self) -> str:
        return self.lines[-1]


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")


def test_reading_has_no_known_end() -> None:
    caller = Caller()
    caller.call(1)
    assert caller.last == "reading the tenant, 1 call"
    caller.call(199)
    assert caller.last == "reading the tenant, 200 calls, 300/min"


def test_the_time_left_is_what_the_budget_takes_for_the_calls_left() -> None:
    caller = Caller()
    caller.call(50)  # what a rested budget lets through at once
    caller.progress.step(50, 350, "invite")
    assert caller.last == "inviting |  50/350 calls, 1:00 left"
    caller.call(150)
    caller.progress.step(200, 350, "grant")
    assert caller.last == "adding to groups | 200/350 calls, 300/min, 0:30 left"
    caller.progress.rows(90, 120)
    began = caller.clock.now
    caller.call(149)
    assert caller.clock.now - began == pytest.approx(30, abs=0.5)
    assert caller.last == "adding to groups | 349/350 calls, 300/min,  90/120 rows, 0:01 left"


@pytest.mark.parametrize(
    ("answers_in", "workers", "left"),
    [
        pytest.param(2, 4, 44, id="the-answers-are-slower"),
        pytest.param(2, 1, 174, id="one-at-a-time"),
        pytest.param(0.1, 4, 87 / 5 - 10, id="the-budget-is-slower"),
    ],
)
def test_the_time_left_is_what_is_slower_the_budget_or_the_answers(
    answers_in: float, workers: int, left: float
) -> None:
    caller = Caller(answers_in=answers_in, workers=workers)
    caller.call(4)
    assert caller.left(87) == pytest.approx(left, abs=1.5)
    assert caller.progress.left(91) == caller.left(87)


def test_a_long_rest_is_no_slow_answer() -> None:
    caller = Caller(math.inf, answers_in=2)
    caller.call(10)
    caller.clock.now += 3600  # somebody thinks
    caller.call(10)
    assert caller.left(10) == 20


def test_a_slow_tenant_is_waited_for_after_a_pause() -> None:
    caller = Caller(answers_in=2, workers=4)
    caller.call(4)
    caller.budget.pause(60, limit=False)
    assert caller.left(40) == 60 + 20


def test_the_total_stays_while_workers_move_it() -> None:
    caller = Caller(math.inf)
    caller.progress.step(0, 91, "invite")
    caller.call(2)
    caller.progress.step(1, 91, "invite")  # a worker that was told so a moment ago
    assert caller.last.startswith("inviting |  2/91 calls")


def test_calls_that_nobody_announced_move_the_end() -> None:
    caller = Caller(math.inf)
    caller.progress.step(0, 10, "invite")
    caller.call(12)
    caller.progress.step(12, 14, "reading back")
    assert caller.last.startswith("reading back | 12/14 calls")


def test_what_needs_no_calls_has_no_time_left() -> None:
    caller = Caller()
    caller.call(4)
    caller.progress.step(4, 4, "working out the plan")
    assert caller.last == "working out the plan, 4 calls"
    caller.progress.rows(40, 40)
    caller.progress.step(4, 4, "writing the reports")
    assert caller.last == "writing the reports, 4 calls, 40/40 rows"


def test_a_pause_is_said_with_its_length_and_counts_in_the_time_left() -> None:
    caller = Caller()
    caller.call(50)
    caller.progress.step(50, 55, "invite")
    caller.budget.pause(41, limit=False)
    caller.call(1)
    waits = [each for each in caller.lines if each.startswith("waiting")]
    assert waits[0] == "waiting 41 s for the tenant's rate limit, 50/55 calls, 0:42 left"
    assert waits[-1] == "waiting 1 s for the tenant's rate limit, 50/55 calls, 0:02 left"
    assert len(waits) == 41
    assert caller.last.startswith("inviting | 51/55 calls")


def test_a_wait_before_a_call_is_sent_again_is_over_with_it() -> None:
    caller = Caller()
    caller.progress.step(0, 5, "invite")
    caller.progress.step(0, 5, "waiting for the tenant, 2 s")
    assert caller.last == "waiting for the tenant, 2 s | 0/5 calls, 0:01 left"
    caller.clock.now += 2
    caller.call(1)
    assert caller.last.startswith("inviting | 1/5 calls")


def test_a_slow_pace_of_our_own_is_no_pause() -> None:
    caller = Caller(6)
    caller.progress.step(0, 100, "invite")
    caller.call(60)
    assert not any("waiting" in each for each in caller.lines)
    assert "6/min" in caller.last


@pytest.mark.parametrize("rest", ["a pause of the tenant", "a question"])
def test_the_rate_is_that_of_calls_and_not_of_what_came_between(rest: str) -> None:
    caller = Caller()
    caller.call(400)
    caller.shown.truncate(0)
    if rest == "a question":
        caller.progress.end()
        caller.clock.now += 60
        caller.call(50)  # what was saved up meanwhile
    else:
        caller.budget.pause(60, limit=False)
    caller.call(300)
    rates = [int(n) for each in caller.lines for n in re.findall("([0-9]+)/min", each)]
    assert len(rates) > 100
    assert set(rates[10:]) <= {299, 300, 301}


def test_a_slower_rate_after_a_429_makes_the_rest_longer() -> None:
    caller = Caller()
    caller.call(50)
    before = caller.left(300)
    caller.budget.pause(0, limit=True)
    assert caller.left(300) == pytest.approx(before / 0.7, rel=0.01)


def test_it_is_drawn_ten_times_a_second_at_most() -> None:
    caller = Caller(math.inf)
    caller.call(1000)
    assert len(caller.lines) == 1


def test_nothing_is_left_of_it_in_the_end() -> None:
    caller = Caller()
    caller.call(1)
    caller.progress.end()
    assert re.sub(r"\x1b\[.", "", caller.shown.getvalue()).endswith(" \r")


def test_before_it_knows_whose_calls_they_are_it_draws_nothing() -> None:
    shown = io.StringIO()
    progress = Progress(shown)
    progress.step(1, 2, "invite")
    progress.called()
    progress.end()
    assert shown.getvalue() == ""


SMALL = (12, 91), (5, 80)
LARGE = (12_209, 110_382), (6_040, 100_000)


@pytest.mark.parametrize("width", [80, 60, 40])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    ("what", "rate"),
    [
        pytest.param("taking out of groups", 300, id="sending"),
        pytest.param("waiting 899 s for the tenant's rate limit", 0, id="waiting"),
    ],
)
def test_it_fits_and_the_time_left_always_stands_there(
    what: str, rate: float, size: tuple[tuple[int, int], tuple[int, int]], width: int
) -> None:
    drawn = line(what, *size, rate, 36_610, width).format(bar="")
    assert len(drawn) <= width
    assert drawn.endswith("10:10:10 left")
    assert drawn.startswith(what[: width - len("…, 10:10:10 left")])


@pytest.mark.parametrize(
    ("width", "drawn"),
    [
        (110, "inviting |{bar:6}|  12,209/110,382 calls, 300/min,   6,040/100,000 rows, 5:27:22 left"),
        (80, "inviting,  12,209/110,382 calls, 300/min,   6,040/100,000 rows, 5:27:22 left"),
        (70, "inviting,  12,209/110,382 calls,   6,040/100,000 rows, 5:27:22 left"),
        (50, "inviting,  12,209/110,382 calls, 5:27:22 left"),
        (30, "inviting, 5:27:22 left"),
        (16, "i…, 5:27:22 left"),
    ],
)  # fmt: skip
def test_what_there_is_no_room_for_is_left_out(width: int, drawn: str) -> None:
    assert line("inviting", *LARGE, 300, 19_642, width) == drawn


def test_no_rows_are_not_told() -> None:
    assert line("done", (4, 0), (0, 0), 0, None, 80) == "done, 4 calls"


def test_the_rate_that_comes_later_drives_no_bar_away() -> None:
    size = (1_208, 4_412), (603, 2_000)
    for width in range(60, 100):
        first, later = (line("inviting", *size, rate, 641, width) for rate in (0, 300))
        assert ("bar" in first) == ("bar" in later)
