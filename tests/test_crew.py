"""Threads side by side: one alone is whoever asks, none is left over, and whatever breaks begins nothing more."""

from __future__ import annotations

import gc
import signal
import threading
import time
import weakref
from contextlib import suppress

import pytest

from onboarding.crew import Crew
from onboarding.schemas.columns import BY_ARROW, side_by_side

LONG = 30
"""Seconds after which what should happen at once never will."""


def test_a_crew_of_one_is_the_thread_that_asks() -> None:
    me = threading.current_thread()
    with Crew(1) as crew:
        begun = crew.begin(threading.current_thread)
        assert begun.done()
        found = [begun.result(), crew.call(threading.current_thread)]
        assert [*found, *crew.map(lambda _: threading.current_thread(), [0])] == [me] * 3


def test_a_crew_of_one_does_one_after_the_other_as_they_are_asked_for() -> None:
    """Pages that follow one that is not what it was are not read."""
    done: list[int] = []
    with Crew(1) as crew:
        found = iter(crew.map(lambda key: done.append(key), range(3)))
        next(found)
    assert done == [0]


def test_several_work_at_once_and_answer_in_order() -> None:
    together = threading.Barrier(2)
    with Crew(2) as crew:
        assert [*crew.map(lambda key: (key, together.wait(LONG) >= 0), "ab")] == [
            ("a", True),
            ("b", True),
        ]


@pytest.mark.parametrize("number", [1, 5])
def test_what_is_shared_out_is_done_once_each(number: int) -> None:
    done: list[int] = []
    with Crew(number) as crew:
        crew.share(done.append, range(1000))
    assert (sorted(done) if number > 1 else done) == [*range(1000)]


def test_several_share_what_there_is() -> None:
    together = threading.Barrier(2)
    with Crew(2) as crew:
        crew.share(lambda _: together.wait(LONG), range(4))


@pytest.mark.parametrize("number", [1, 2])
def test_nothing_is_kept_of_what_was_shared_out(number: int) -> None:
    """A hundred thousand calls would be as many futures, each larger than what it waits for."""
    kept: weakref.WeakSet[threading.Event] = weakref.WeakSet()
    most = 0

    def make(_: int) -> threading.Event:
        nonlocal most
        most = max(most, len(kept))
        kept.add(found := threading.Event())
        return found

    with Crew(number) as crew:
        crew.share(make, range(100))
    assert most <= number


@pytest.mark.parametrize("number", [1, 2])
def test_once_something_breaks_no_more_of_what_is_shared_is_begun(number: int) -> None:
    begun: list[int] = []
    broken = threading.Event()

    def work(key: int) -> None:
        begun.append(key)
        if key == number - 1:
            broken.set()
            raise ZeroDivisionError
        broken.wait(LONG)
        time.sleep(1)  # until it is known

    with Crew(number) as crew, pytest.raises(ZeroDivisionError):
        crew.share(work, range(1000))
    assert sorted(begun) == [*range(number)]


@pytest.mark.parametrize("slow", [0, 1])
def test_of_two_that_break_the_first_in_order_is_told_of(slow: int) -> None:
    together = threading.Barrier(2)

    def work(key: int) -> None:
        together.wait(LONG)
        if key == slow:
            time.sleep(0.2)
        raise (KeyError, ValueError)[key]

    with Crew(2) as crew, pytest.raises(KeyError):
        crew.share(work, range(2))


def test_whoever_interrupts_begins_no_more_of_what_is_shared() -> None:
    """A signal reaches the thread that waits, in the middle of its waiting."""
    begun: list[int] = []
    me = threading.main_thread().ident
    assert me

    def work(key: int) -> None:
        begun.append(key)
        time.sleep(0.2)  # by now all of the crew are at work, and the other thread waits for them
        if key == 1:
            signal.pthread_kill(me, signal.SIGINT)
        time.sleep(1)  # until it has got there

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    try:
        with pytest.raises(KeyboardInterrupt), Crew(2) as crew:
            crew.share(work, range(100))
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(begun) == [0, 1]


def test_no_more_of_a_crew_begin_than_there_is_to_do() -> None:
    before = threading.active_count()
    with Crew(8) as crew:
        crew.share(len, [])
        assert threading.active_count() == before
        crew.share(len, ["a", "b"])
        assert threading.active_count() <= before + 2


def test_what_breaks_is_not_kept_after_it_was_raised() -> None:
    """Without a search for rings: what the work knew would be kept to the end of the run."""
    kept: weakref.WeakSet[threading.Event] = weakref.WeakSet()

    def work(_: int) -> None:
        kept.add(mine := threading.Event())
        raise ZeroDivisionError(str(mine))

    gc.disable()
    try:
        with Crew(2) as crew, suppress(ZeroDivisionError):
            crew.share(work, range(2))
        assert not kept
    finally:
        gc.enable()


def test_a_crew_of_none_is_whoever_asks() -> None:
    done: list[int] = []
    with Crew(0) as crew:
        crew.share(done.append, range(3))
    assert done == [0, 1, 2]


@pytest.mark.parametrize("number", [1, 2])
def test_what_breaks_is_raised_where_it_is_asked_for(number: int) -> None:
    with Crew(number) as crew:
        with pytest.raises(ZeroDivisionError):
            crew.call(lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            [*crew.map(lambda key: 1 // key, [1, 0])]
        assert crew.call(lambda: 1) == 1


@pytest.mark.parametrize("number", [1, 2])
def test_no_thread_is_left_over(number: int) -> None:
    before = {*threading.enumerate()}
    with Crew(number) as crew:
        crew.map(len, ["a", "", "bc"])
    assert {*threading.enumerate()} <= before


class Held:
    """Work that has begun, and goes on until somebody lets it go."""

    def __init__(self, crew: Crew, number: int) -> None:
        self.there, self.over = threading.Barrier(number + 1), threading.Event()
        self.begun = [crew.begin(self.work) for _ in range(number)]
        self.there.wait(LONG)

    def work(self) -> bool:
        self.there.wait(LONG)
        return self.over.wait(LONG)


def test_whoever_interrupts_does_not_wait_for_what_has_not_begun() -> None:
    with pytest.raises(KeyboardInterrupt), Crew(2) as crew:  # noqa: PT012 -- as it may happen
        held = Held(crew, 2)
        later = crew.begin(held.over.wait)
        threading.Timer(0.05, held.over.set).start()
        raise KeyboardInterrupt
    assert all(one.done() and one.result() for one in held.begun)
    assert later.cancelled()


def test_a_crew_that_need_not_finish_keeps_nobody_waiting_who_interrupts() -> None:
    with pytest.raises(KeyboardInterrupt), Crew(2, finishes=False) as crew:  # noqa: PT012 -- as it may happen
        held = Held(crew, 2)
        later = crew.begin(held.over.wait)
        raise KeyboardInterrupt
    assert not any(one.done() for one in held.begun)
    held.over.set()
    assert all(one.result(LONG) for one in held.begun)
    assert later.cancelled()


def test_columns_are_looked_at_in_other_threads_only_with_pyarrow() -> None:
    with side_by_side() as crew:
        assert (crew.call(threading.current_thread) is threading.current_thread()) != BY_ARROW
