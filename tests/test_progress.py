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

    def __init__(self, per_minute: float = 300) -> None:
        self.clock = Clock()
        self.shown = io.StringIO()
        self.progress = Progress(self.shown, clock=self.clock)
        self.budget = Budget(
            per_minute, clock=self.clock, sleep=self.clock.sleep, waiting=self.progress.waiting
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
    assert caller.last == "reading the tenant, 1 call so far"
    caller.call(99)
    assert caller.last == "reading the tenant, 100 calls so far, 300/min"


def test_the_time_left_is_what_the_budget_takes_for_the_calls_left() -> None:
    caller = Caller()
    caller.call(50)  # what a rested budget lets through at once
    caller.progress.step(0, 300, "invite")
    assert caller.last == "inviting | 50/350 calls, 1:00 left"
    caller.call(150)
    caller.progress.step(150, 300, "grant")
    assert caller.last == "adding to groups | 200/350 calls, 300/min, 0:30 left"
    caller.progress.rows(90, 120)
    began = caller.clock.now
    caller.call(150)
    assert caller.clock.now - began == pytest.approx(30, abs=0.5)
    assert re.search(
        r"^adding to groups \| 35\d/350 calls, 90/120 rows, 300/min, 0:00 left$", caller.last
    )


def test_calls_that_nobody_announced_move_the_end() -> None:
    caller = Caller(math.inf)
    caller.progress.step(0, 10, "invite")
    caller.call(12)
    caller.progress.step(12, 14, "reading back")
    assert caller.last.startswith("reading back | 12/14 calls")


def test_a_pause_is_said_with_its_length_and_counts_in_the_time_left() -> None:
    caller = Caller()
    caller.call(50)
    caller.progress.step(50, 55, "invite")
    caller.budget.pause(41, limit=False)
    caller.call(1)
    waits = [each for each in caller.lines if each.startswith("waiting")]
    assert waits[0] == "waiting for the tenant's rate limit, 41 s, 50/55 calls, 0:42 left"
    assert waits[-1] == "waiting for the tenant's rate limit, 1 s, 50/55 calls, 0:02 left"
    assert len(waits) == 41
    assert caller.last.startswith("inviting | 51/55 calls")


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


def test_before_it_knows_whose_calls_they_are_it_draws_nothing() -> None:
    shown = io.StringIO()
    progress = Progress(shown)
    progress.step(1, 2, "invite")
    progress.called()
    progress.end()
    assert shown.getvalue() == ""


@pytest.mark.parametrize(
    ("what", "calls", "total"),
    [
        pytest.param("taking out of groups", 123_456, 234_567, id="large"),
        pytest.param("waiting for the tenant's rate limit, 899 s", 11_014, 123_456, id="waiting"),
    ],
)
def test_it_fits_on_eighty_columns(what: str, calls: int, total: int) -> None:
    rate = None if what.startswith("waiting") else 1800
    drawn = line(what, calls, total, rate, 36_610).replace("|{bar}|", "|#|")
    assert len(drawn) <= 80
