"""Calls that are made ready while others are under way: how many may be, and that none leaves once something has come up."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from builders import group, user
from changes import Clock, create, grant, invite
from fakes import FakeTenant, Fault

from onboarding.apply import Applied, apply
from onboarding.apply.age import Age
from onboarding.apply.book import Book
from onboarding.apply.dispatch import Dispatch, HeldBack
from onboarding.apply.gate import Gate
from onboarding.apply.sight import Watch
from onboarding.apply.steps import Call
from onboarding.crew import Crew
from onboarding.errors import Doubt, StorageError, TokenRefused
from onboarding.journal import CREATING, Journal, State
from onboarding.journal.database import Database
from onboarding.model import GroupId, User
from onboarding.plan import Action, Change, Plan
from onboarding.tenant import Receipt

LONG = 30
"""Seconds after which what should happen at once never will."""
SHORT = 0.2
"""Seconds in which what should never happen would have."""
SILENCE = Doubt("the answer was lost")


class Noting(Journal):
    """A journal that tells of each intent that is on the disk."""

    noted: Callable[[], object] = staticmethod(lambda: None)

    def intend(self, *what: Any, **facts: Any) -> None:
        super().intend(*what, **facts)
        self.noted()


class Busy(FakeTenant):
    """A tenant that counts the calls under way, and does something while it writes or reads."""

    writing: Callable[[], object] = staticmethod(lambda: None)
    reading: Callable[[], object] = staticmethod(lambda: None)
    under_way = most = 0
    guard = threading.Lock()

    def add_to_groups(self, *what: Any, **facts: Any) -> Receipt:
        with self.counted():
            self.writing()
            return super().add_to_groups(*what, **facts)

    def members(self, group: GroupId) -> Sequence[User]:
        with self.counted():
            self.reading()
            return super().members(group)

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.guard:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        try:
            yield
        finally:
            with self.guard:
                self.under_way -= 1


def people(count: int) -> list[str]:
    return [f"p{number:02}" for number in range(count)]


def grants(count: int) -> tuple[Change, ...]:
    return tuple(grant(name, "finance") for name in people(count))


def busy(count: int, **facts: Any) -> Busy:
    return Busy([user(name) for name in people(count)], [group("finance")], **facts)


def database(folder: Path) -> Database:
    path = folder / "state.db"
    return Database(path, sqlite3.connect(path, isolation_level=None, check_same_thread=False))


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Database]:
    data = database(tmp_path)
    yield data
    data.close()


def carry_out(
    tenant: FakeTenant,
    changes: Sequence[Change],
    data: Database,
    workers: int,
    noted: Callable[[], object] = Noting.noted,
    stop: threading.Event | None = None,
    kind: type[Noting] = Noting,
) -> Applied:
    clock = Clock()
    journal = kind(data, "run", None, clock.now)
    journal.noted = noted
    plan, pace = Plan(tenant.name, tuple(changes)), clock.pace(workers=workers)
    return apply(plan, tenant.truth(), tenant, journal, pace, stop=stop)


def ends(applied: Applied) -> list[str]:
    return sorted(f"{end.status}: {end.code}" for end in applied.outcomes.values())


def one_too_many(parties: int) -> Callable[[], None]:
    """Give what notices that so many come at once; who comes first waits for that a moment."""
    barrier = threading.Barrier(parties)

    def come() -> None:
        try:
            barrier.wait(SHORT)
        except threading.BrokenBarrierError:
            return
        raise AssertionError(f"{parties} at once")

    return come


# ---- how many ---------------------------------------------------------------------------------------------


def test_while_calls_are_under_way_as_many_more_are_made_ready(data: Database) -> None:
    tenant, eight = busy(16), threading.Barrier(8)
    tenant.writing = one_too_many(5)
    applied = carry_out(tenant, grants(16), data, 4, lambda: eight.wait(LONG))
    assert ends(applied) == ["applied: done"] * 16
    assert tenant.most <= 4


def test_readings_count_among_the_calls_under_way(data: Database) -> None:
    tenant = busy(8, faults=[Fault("doubt_after", "write", times=8)])
    tenant.reading = one_too_many(3)
    applied = carry_out(tenant, grants(8), data, 2)
    assert ends(applied) == ["applied: done"] * 8
    assert tenant.most <= 2


def test_every_reading_is_made_by_one_of_the_callers() -> None:
    seen = []

    class Reader(FakeTenant):
        def users_by_email(self, emails: Collection[str]) -> Sequence[User]:
            seen.append(threading.current_thread())
            return super().users_by_email(emails)

    tenant, clock, stop = Reader([user(name) for name in people(120)]), Clock(), threading.Event()
    together = threading.Barrier(2)
    with Crew(2) as callers:
        crew = {
            *callers.map(lambda _: together.wait(LONG) >= 0 and threading.current_thread(), [1, 2])
        }
        watch = Watch(
            tenant.truth(), tenant, read_lag=0, rest=clock.sleep, stop=stop, callers=callers
        )
        watch.meet([invite("ana")])
        watch.see([invite("ana")], (), patiently=False)
    assert len(seen) == 2
    assert {*seen} <= crew


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([invite(f"p{number}") for number in range(160)], id="invitations"),
        pytest.param([create(name) for name in people(8)], id="groups"),
    ],
)
def test_what_creates_something_gets_no_intent_before_it_can_be_sent(
    data: Database, changes: Sequence[Change]
) -> None:
    applied = carry_out(FakeTenant(), changes, data, 2, one_too_many(3))
    assert set(ends(applied)) == {"applied: done"}


# ---- what comes up meanwhile ------------------------------------------------------------------------------


def test_after_a_stop_nothing_leaves_that_was_made_ready(data: Database) -> None:
    tenant, stop = busy(16), threading.Event()
    ready, under_way = threading.Barrier(8), threading.Barrier(4, action=stop.set)
    tenant.writing = lambda: tenant.writes() or under_way.wait(LONG)
    applied = carry_out(tenant, grants(16), data, 4, lambda: ready.wait(LONG), stop)
    assert len(tenant.writes()) == 4
    assert ends(applied) == ["applied: done"] * 4 + ["skipped: interrupted"] * 12
    assert sent(data) == {key for key, end in applied.outcomes.items() if end.attempts}


def sent(data: Database) -> set[str]:
    """What may have been sent, for all the next run knows."""
    return {*State(data, Clock().now).earlier()}


@pytest.mark.parametrize(
    ("come_up", "change", "end"),
    [
        pytest.param(
            lambda gate, stop: stop.set(), grant("p00", "finance"), "interrupted", id="stop"
        ),
        pytest.param(
            lambda gate, stop: gate.halt(TokenRefused("no")),
            grant("p00", "finance"), "interrupted",
            id="end-of-the-run",
        ),
        pytest.param(
            lambda gate, stop: [gate.doubted(Action.GRANT, SILENCE) for _ in range(5)],
            grant("p00", "finance"), "breaker",
            id="silences",
        ),
        pytest.param(
            lambda gate, stop: [gate.doubted(Action.INVITE, SILENCE) for _ in range(2)],
            create("ops"), "breaker",
            id="doubts",
        ),
        pytest.param(
            lambda gate, stop: setattr(gate, "closed", "SSO"),
            invite("ana"), "invite-by-hand",
            id="no-invitations",
        ),
        pytest.param(
            lambda gate, stop: setattr(gate, "crashed", True),
            grant("p00", "finance"), "interrupted",
            id="a-crash-elsewhere",
        ),
    ],
)  # fmt: skip
def test_what_comes_up_while_a_call_waits_for_a_caller_holds_it_back(
    data: Database,
    come_up: Callable[[Gate, threading.Event], object],
    change: Change,
    end: str,
) -> None:
    tenant, stop, ready, free = busy(1), threading.Event(), threading.Event(), threading.Event()
    clock, plan = Clock(), Plan("acme.example", (change,))
    journal = Noting(data, "run", None, clock.now)
    journal.noted = ready.set
    with Crew(2) as callers:
        busy_with_others = callers.map(lambda _: free.wait(LONG), [0, 1])
        watch = Watch(
            tenant.truth(), tenant, read_lag=0, rest=clock.sleep, stop=stop, callers=callers
        )
        book = Book(plan, journal, clock.now)
        gate = Gate(plan, book, watch, stop)
        dispatch = Dispatch(
            tenant, watch, book, gate,
            age=Age(tenant.truth(), tenant, clock.pace(), None), callers=callers, tries=5,
            rest=clock.sleep, still_to_send=lambda sent, last: sent.call.changes,
            look_again=lambda call: (call, clock.now()),
        )  # fmt: skip
        answers = []
        call = Call(change.action, (change,))
        sending = threading.Thread(target=lambda: answers.append(dispatch.send(call)))
        sending.start()
        creating = change.action in CREATING  # of which the intent is written last
        assert creating or ready.wait(LONG)
        assert sent(data) == (set() if creating else {change.key})
        come_up(gate, stop)
        free.set()
        sending.join(LONG)
        assert all(busy_with_others)
    (found,) = answers
    assert found
    assert isinstance(found.answer, HeldBack)
    assert (found.answer.fate.code, tenant.calls, clock.slept) == (end, 0, [])
    assert sent(data) == set()


@pytest.mark.parametrize("then", ["stop", "no-connection"])
def test_what_an_earlier_call_may_have_done_stays_in_doubt_where_it_is_not_sent_again(
    data: Database, then: str
) -> None:
    tenant, stop, intents = (
        busy(1, faults=[Fault("doubt_before", "write")]),
        threading.Event(),
        list[None](),
    )
    if then == "no-connection":
        tenant.faults.append(Fault("not_sent", "write", times=5))

    def noted() -> None:
        intents.append(None)
        if then == "stop" and len(intents) == 2:
            stop.set()

    applied = carry_out(tenant, grants(1), data, 1, noted, stop)
    assert ends(applied) == ["in_doubt: in-doubt"]
    assert len(tenant.writes()) == {"stop": 1, "no-connection": 6}[then]
    (end,) = applied.outcomes.values()
    assert end.request_id == tenant.writes()[0].request_id
    assert still_open(data) == [grants(1)[0].key]


def still_open(data: Database) -> list[str]:
    return [intent.change for intent in State(data, Clock().now).open_intents()]


def test_a_repeat_that_can_not_be_noted_leaves_the_first_call_in_doubt(data: Database) -> None:
    tenant = busy(1, faults=[Fault("doubt_late", "write")])

    class Full(Noting):
        def intend(self, *what: Any, **facts: Any) -> None:
            if tenant.writes():
                raise StorageError("the disk is full")
            super().intend(*what, **facts)

    applied = carry_out(tenant, grants(1), data, 1, kind=Full)
    (end,) = applied.outcomes.values()
    assert ends(applied) == ["in_doubt: in-doubt"]
    assert end.request_id == tenant.writes()[0].request_id
    assert still_open(data) == [grants(1)[0].key]


def test_a_repeat_takes_the_place_of_the_first_call_at_once(data: Database) -> None:
    tenant = busy(1, faults=[Fault("doubt_before", "write")])
    seen: list[list[str]] = []
    tenant.writing = lambda: seen.append(still_open(data))
    assert ends(carry_out(tenant, grants(1), data, 1)) == ["applied: done"]
    assert seen == [[grants(1)[0].key]] * 2
    assert still_open(data) == []


@pytest.mark.parametrize("lands", [False, True])
def test_a_no_to_the_repeat_says_nothing_about_the_first_call(data: Database, lands: bool) -> None:
    tenant = busy(1, faults=[Fault("doubt_late", "write"), Fault("refuse", "write")])
    if lands:  # after the refusal
        tenant.faults.append(Fault("do", "read", skip=1, do=lambda has: has.land()))
    applied = carry_out(tenant, grants(1), data, 1)
    (end,) = applied.outcomes.values()
    assert ends(applied) == ["applied: done" if lands else "in_doubt: in-doubt"]
    assert end.request_id == tenant.writes()[0].request_id
    assert still_open(data) == ([] if lands else [grants(1)[0].key])


def test_calls_lost_at_once_do_not_close_the_gate_before_the_tenant_was_read(
    data: Database,
) -> None:
    tenant, short = busy(40), threading.Event()
    down = [True]  # until it is read

    def lose() -> None:
        lost = bool(down)
        short.wait(SHORT)
        if lost:
            raise SILENCE

    tenant.writing, tenant.reading = lose, down.clear
    assert ends(carry_out(tenant, grants(40), data, 4)) == ["applied: done"] * 40
