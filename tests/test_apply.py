"""Carrying out a plan over a tenant in memory: order, read-backs, refusals, doubts, stops, and the calls they take."""

from __future__ import annotations

import gc
import json
import math
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import email, group, row, user
from changes import (
    Clock,
    announced,
    carry_out,
    change_role,
    create,
    grant,
    invite,
    revoke,
    settled,
    update,
)
from fakes import ALREADY, Crash, FakeTenant, Fault, Holdings
from schedules.world import EMPTY, Disk

from onboarding.apply import Applied, apply, forecast
from onboarding.apply.tally import Tally
from onboarding.errors import (
    NotSent,
    OnboardingError,
    StorageError,
    Throttled,
    TokenRefused,
    TryLater,
)
from onboarding.journal import State
from onboarding.journal.database import Database
from onboarding.model import Directory, Group, Role, User, UserId
from onboarding.plan import Cause, Change, Plan, Status
from onboarding.tenant import Receipt

ADMIN, MEMBER, GUEST = Role.ADMIN, Role.MEMBER, Role.GUEST
FINANCE, OPS, SALES = group("finance"), group("ops"), group("sales")


def statuses(applied: Applied) -> dict[str, str]:
    """Each change with its status and, unless done, its code."""
    return {
        key.replace("@acme.example", ""): (
            outcome.status.value if outcome.code == "done" else f"{outcome.status}: {outcome.code}"
        )
        for key, outcome in applied.outcomes.items()
    }


def all_with(changes: Iterable[Change], status: str) -> dict[str, str]:
    return {change.key.replace("@acme.example", ""): status for change in changes}


def actions(tenant: FakeTenant) -> list[str]:
    return [call.action for call in tenant.writes()]


def people(count: int, prefix: str = "p") -> list[str]:
    return [f"{prefix}{number:02}" for number in range(count)]


# ---- all goes well ----------------------------------------------------------------------------------------


def test_every_kind_of_change_is_carried_out_in_the_order_that_is_safe(tmp_path: Path) -> None:
    tenant = FakeTenant(
        [user("ana"), user("bob", GUEST), user("cem"), user("lea")],
        [FINANCE, group("ops", default=True), SALES],
        {"finance": ["lea"], "sales": ["ana"]},
    )
    changes = [
        update(tenant.truth().groups["sales"], default=True),  # type: ignore[index]
        revoke("ana", "sales"),
        change_role("cem", MEMBER, GUEST),
        change_role("bob", GUEST, MEMBER),
        grant("ana", "finance"),
        grant("eve", "finance"),
        grant("eve", "new"),
        grant("bob", "new"),
        create("new"),
        invite("eve"),
        update(tenant.truth().groups["ops"], default=False),  # type: ignore[index]
        revoke("lea", "finance", cause=Cause.LEAVER),
    ]
    applied = carry_out(tenant, changes, tmp_path)

    assert [(call.action, call.subjects) for call in tenant.writes()] == [
        ("remove_members", ("g-finance", "u-lea")),
        ("update_group", ("g-ops",)),
        ("invite", ("eve@acme.example",)),
        ("create_group", ("new", "u-bob", "u-eve")),
        ("add_to_groups", ("u-ana", "g-finance")),
        ("add_to_groups", ("u-eve", "g-finance")),
        ("change_role", ("u-bob", "$member")),
        ("change_role", ("u-cem", "$guest")),
        ("remove_members", ("g-sales", "u-ana")),
        ("update_group", ("g-sales",)),
    ]
    assert statuses(applied) == all_with(changes, "applied")
    assert applied.stopped is None
    has = tenant.truth()
    assert has.memberships == {
        email("ana"): {"finance"},
        email("bob"): {"new"},
        email("eve"): {"finance", "new"},
    }


def test_an_outcome_tells_the_call_behind_it(tmp_path: Path) -> None:
    tenant = FakeTenant()
    outcome = carry_out(tenant, [invite("ana")], tmp_path).outcomes[invite("ana").key]
    (call,) = tenant.writes()
    assert (outcome.http_status, outcome.request_id, outcome.attempts, outcome.at) == (
        200,
        call.request_id,
        1,
        "2026-09-21T14:13:20.000+00:00",
    )


def test_an_empty_plan_takes_no_call(tmp_path: Path) -> None:
    tenant = FakeTenant()
    assert carry_out(tenant, [], tmp_path) == Applied({})
    assert tenant.calls == announced(tenant, []) == 0


def test_calls_of_a_phase_go_out_side_by_side_and_come_to_the_same(tmp_path: Path) -> None:
    names = people(100)
    tenant = FakeTenant([], [FINANCE])
    changes = [*map(invite, names), *(grant(name, "finance") for name in names)]
    calls = announced(tenant, changes)
    applied = carry_out(tenant, changes, tmp_path, pace=Clock().pace(workers=8))
    assert statuses(applied) == all_with(changes, "applied")
    assert tenant.calls == calls
    assert len(tenant.mails) == 100


def test_as_many_calls_as_there_are_workers_are_under_way_at_once_and_no_more(
    tmp_path: Path,
) -> None:
    four, guard = threading.Barrier(4, timeout=30), threading.Lock()
    under_way, most = 0, 0

    class Slow(FakeTenant):
        def add_to_groups(self, *what: Any, **facts: Any) -> Receipt:
            nonlocal under_way, most
            with guard:
                under_way += 1
                most = max(most, under_way)
            four.wait()
            with guard:
                under_way -= 1
            return super().add_to_groups(*what, **facts)

    tenant = Slow([user(name) for name in people(12)], [FINANCE])
    changes = [grant(name, "finance") for name in people(12)]
    applied = carry_out(tenant, changes, tmp_path, pace=Clock().pace(workers=4))
    assert statuses(applied) == all_with(changes, "applied")
    assert most == 4


class Ear:
    """Keeps what it hears of a run."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, str]] = []
        self.counts: list[tuple[int, int]] = []
        self.at: list[tuple[str, tuple[int, int]]] = []
        """How many rows were through at each step."""

    def step(self, done: int, total: int, what: str) -> None:
        self.steps.append((done, total, what))
        self.at.append((what, self.counts[-1] if self.counts else (0, 0)))

    def rows(self, through: int, total: int) -> None:
        self.counts.append((through, total))


def test_the_observer_hears_of_every_call(tmp_path: Path) -> None:
    ear = Ear()
    changes = [invite("ana"), grant("ana", "finance")]
    carry_out(FakeTenant([], [FINANCE]), changes, tmp_path, observer=ear)
    assert ear.steps == [
        (0, 4, "invite"),
        (1, 4, "reading back"),
        (2, 4, "grant"),
        (3, 4, "reading back"),
        (4, 4, "done"),
    ]


def rows_each(changes: Sequence[Change]) -> list[Change]:
    """Have each asked for by a row of its own."""
    return [replace(change, rows=(row(number),)) for number, change in enumerate(changes)]


def test_rows_are_told_of_as_soon_as_their_calls_are_answered(tmp_path: Path) -> None:
    ear, told = Ear(), []
    *_, last = people(4)

    class Slow(FakeTenant):
        def add_to_groups(self, user: UserId, *what: Any, **facts: Any) -> Receipt:
            if user == f"u-{last}":
                told.append(comes_true(lambda: ear.counts[-1] == (3, 4)))
            return super().add_to_groups(user, *what, **facts)

    tenant = Slow([*map(user, people(4))], [FINANCE])
    changes = rows_each([grant(name, "finance") for name in people(4)])
    applied = carry_out(tenant, changes, tmp_path, pace=Clock().pace(workers=4), observer=ear)
    assert statuses(applied) == all_with(changes, "applied")
    assert told == [True]
    assert ear.at[-2:] == [("reading back", (4, 4)), ("done", (4, 4))]


def comes_true(what: Callable[[], bool]) -> bool:
    """Wait for something that other threads bring about."""
    until = time.monotonic() + 5
    while not what() and time.monotonic() < until:
        time.sleep(0.001)
    return what()


def test_a_run_that_is_stopped_takes_no_row_for_through_and_promises_no_calls(
    tmp_path: Path,
) -> None:
    ear, stop = Ear(), threading.Event()

    class Stopping(FakeTenant):
        def add_to_groups(self, *what: Any, **facts: Any) -> Receipt:
            stop.set()
            return super().add_to_groups(*what, **facts)

    tenant = Stopping([*map(user, people(9))], [FINANCE])
    changes = rows_each([grant(name, "finance") for name in people(9)])
    carry_out(tenant, changes, tmp_path, observer=ear, stop=stop)
    assert {*ear.counts} == {(0, 9)}
    assert ear.steps[-2:] == [(1, 1, "reading back"), (2, 2, "done")]


def test_what_a_run_knew_is_let_go_of_at_its_end_without_a_search_for_rings(tmp_path: Path) -> None:
    """Rings are looked for seldom, and reports need the memory."""
    ear = Ear()
    held = weakref.ref(ear)  # by the run, and by nobody else
    gc.disable()
    try:
        tenant, changes = FakeTenant([], [FINANCE]), [invite("ana"), grant("ana", "finance")]
        carry_out(tenant, changes, tmp_path, pace=Clock().pace(workers=4), observer=ear)
        del ear
        assert held() is None
    finally:
        gc.enable()


# ---- few calls --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tenant", "changes", "calls"),
    [
        pytest.param(FakeTenant(), [*map(invite, people(41))], 3 + 1, id="41-invited-and-listed"),
        pytest.param(
            FakeTenant([*map(user, people(200, "x"))]), [*map(invite, people(40))], 2 + 1,
            id="40-invited-and-looked-up",
        ),
        pytest.param(
            FakeTenant([*map(user, people(30))]),
            [create("ops"), *(grant(name, "ops") for name in people(30))],
            1 + 2,
            id="members-ride-along-with-a-new-group",
        ),
        pytest.param(
            FakeTenant([user("ana")], [FINANCE, OPS, SALES]),
            [grant("ana", "finance"), grant("ana", "ops"), grant("ana", "sales")],
            1 + 1,
            id="all-groups-of-a-person-in-one-call",
        ),
        pytest.param(
            FakeTenant([*map(user, people(30))], [FINANCE], {"finance": people(30)}),
            [revoke(name, "finance") for name in people(30)],
            1 + 1,
            id="all-removals-of-a-group-in-one-call",
        ),
        pytest.param(
            FakeTenant([*map(user, people(3))]),
            [change_role(name, MEMBER, GUEST) for name in people(3)],
            3 + 1,
            id="roles-are-read-back-together",
        ),
        pytest.param(
            FakeTenant([], [FINANCE, OPS]),
            [update(FINANCE, description="a"), update(OPS, description="b"), create("sales")],
            3 + 1,
            id="groups-are-read-back-together",
        ),
    ],
)  # fmt: skip
def test_few_calls_are_announced_and_no_more_are_made(
    tmp_path: Path, tenant: FakeTenant, changes: Sequence[Change], calls: int
) -> None:
    assert announced(tenant, changes) == calls
    carry_out(tenant, changes, tmp_path)
    assert tenant.calls == calls


def test_where_look_ups_find_nobody_all_are_listed_to_read_back(tmp_path: Path) -> None:
    class Blind(FakeTenant):
        def truth(self) -> Directory:
            return replace(super().truth(), look_ups=False)

        def users_by_email(self, emails: object) -> list[User]:
            raise AssertionError(emails)

    tenant = Blind([*map(user, people(200, "x"))], [FINANCE])
    changes = [invite("ana"), change_role("x00", MEMBER, GUEST), grant("ana", "finance")]
    calls = announced(tenant, changes)
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == all_with(changes, "applied")
    assert tenant.calls == calls


# ---- nothing is believed before it is seen ----------------------------------------------------------------


def test_what_shows_late_is_waited_for(tmp_path: Path) -> None:
    tenant, clock = FakeTenant(read_lag=3), Clock()
    applied = carry_out(tenant, [invite("ana")], tmp_path, clock)
    assert statuses(applied) == {"invite ana": "applied"}
    assert sum(clock.slept) == 0.5 + 1 + 2


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(invite("new"), id="invite"),
        pytest.param(create("new"), id="create"),
        pytest.param(update(FINANCE, description="new"), id="update"),
        pytest.param(change_role("ana", MEMBER, GUEST), id="role"),
        pytest.param(grant("ana", "ops"), id="grant"),
        pytest.param(revoke("ana", "finance"), id="revoke"),
    ],
)
def test_a_200_that_does_nothing_is_not_believed(tmp_path: Path, change: Change) -> None:
    tenant = FakeTenant([user("ana")], [FINANCE, OPS], {"finance": ["ana"]}, read_lag=10**9)
    clock = Clock()
    applied = carry_out(tenant, [change], tmp_path, clock)
    assert statuses(applied) == all_with([change], "in_doubt: not-visible")
    assert sum(clock.slept) == 30
    assert len(tenant.writes()) == 1


def test_an_accepted_invitation_that_never_shows_is_not_sent_again_for_30_days(
    tmp_path: Path,
) -> None:
    clock, tenant = Clock(), FakeTenant(read_lag=10**9)
    carry_out(tenant, [invite("ana")], tmp_path, clock)
    state = State.open(tmp_path, tenant.name, create=False, now=clock.now)
    assert state.invited_recently([email("ana")]) == {email("ana")}
    state.close()


def test_a_person_whom_somebody_else_invited_with_another_role_is_not_called_applied(
    tmp_path: Path,
) -> None:
    tenant = FakeTenant([], [FINANCE])
    other = Fault("do", "invite", do=lambda has: has.put(user("ana", GUEST)))
    tenant.faults.append(other)
    applied = carry_out(tenant, [invite("ana"), invite("bob"), grant("ana", "finance")], tmp_path)
    assert statuses(applied) == {
        "invite ana": "failed: changed-since-plan",
        "invite bob": "applied",
        "grant ana finance": "applied",
    }
    assert "not as Member" in applied.outcomes[invite("ana").key].message


def test_an_old_look_is_renewed_before_inviting(tmp_path: Path) -> None:
    clock, tenant = Clock(), FakeTenant()
    other = Fault("do", "read", do=lambda has: has.put(user("ana"), user("eve", ADMIN)))
    tenant.faults.append(other)
    changes = [invite("ana"), invite("bob"), invite("eve")]
    applied = carry_out(tenant, changes, tmp_path, clock, looked_at=clock.now() - 61)
    assert statuses(applied) == {
        "invite ana": "unchanged: no-change",
        "invite bob": "applied",
        "invite eve": "failed: changed-since-plan",
    }
    assert tenant.mails == [email("bob")]


def test_by_an_old_look_nobody_gets_a_role_who_has_another_one_by_now(tmp_path: Path) -> None:
    """Else somebody who was made Admin meanwhile would lose that, and nobody allowed it."""
    clock = Clock()
    tenant = FakeTenant([user(name, GUEST) for name in ("ana", "bob", "eve", "jo")])
    now = [user("ana", ADMIN), user("bob"), user("eve", None)]
    tenant.faults.append(Fault("do", "read", do=lambda has: has.put(*now)))
    changes = [change_role(name, GUEST, MEMBER) for name in ("ana", "bob", "eve", "jo")]
    applied = carry_out(tenant, changes, tmp_path, clock, looked_at=clock.now() - 61)
    assert statuses(applied) == {
        "change-role ana": "failed: changed-since-plan",
        "change-role bob": "unchanged: no-change",
        "change-role eve": "failed: changed-since-plan",
        "change-role jo": "applied",
    }
    jo = tenant.truth().users[email("jo")]
    assert [call.subjects[0] for call in tenant.writes()] == [jo.id]
    said = applied.outcomes[changes[0].key].message
    assert (
        said
        == f"{email('ana')} is no longer Guest as when the plan was made; the role was left alone"
    )


@pytest.mark.parametrize(
    ("now", "told"),
    [
        pytest.param({}, "applied", id="as-it-was"),
        pytest.param({"description": "new"}, "unchanged: no-change", id="as-asked"),
        pytest.param({"description": "theirs"}, "failed: changed-since-plan", id="described"),
        pytest.param({"alias": "Money"}, "failed: changed-since-plan", id="named"),
        pytest.param({"default": True}, "failed: changed-since-plan", id="made-default"),
        pytest.param({"channels": ("#fin",)}, "failed: changed-since-plan", id="given-a-channel"),
        pytest.param(None, "failed: changed-since-plan", id="deleted"),
    ],
)
def test_by_an_old_look_no_group_is_updated_that_somebody_else_has_changed(
    tmp_path: Path, now: dict[str, Any] | None, told: str
) -> None:
    clock, before = Clock(), group("finance", description="old")
    tenant = FakeTenant((), [before])

    def meanwhile(has: FakeTenant) -> None:
        if now is None:
            del has.has.groups[before.id]
        else:
            has.put(replace(before, **now))

    tenant.faults.append(Fault("do", "read", do=meanwhile))
    changes = [update(before, description="new")]
    applied = carry_out(tenant, changes, tmp_path, clock, looked_at=clock.now() - 61)
    assert statuses(applied) == {"update-group finance": told}
    assert len(tenant.writes()) == (told == "applied")


@pytest.mark.parametrize("still", [True, False])
def test_by_an_old_look_no_admin_is_demoted_unless_another_still_is_one(
    tmp_path: Path, still: bool
) -> None:
    clock, tenant = Clock(), FakeTenant([user(name, ADMIN) for name in ("ana", "bob")])
    if not still:
        tenant.faults.append(Fault("do", "read", do=lambda has: has.put(user("bob"))))
    changes = [change_role("ana", ADMIN, MEMBER)]
    applied = carry_out(tenant, changes, tmp_path, clock, looked_at=clock.now() - 61)
    assert statuses(applied) == {"change-role ana": "applied" if still else "skipped: last-admin"}


def test_an_admin_of_whom_nothing_depends_is_demoted_whoever_is_left(tmp_path: Path) -> None:
    """Of an account that is off, nobody misses it."""
    clock, off = Clock(), user("ana", ADMIN, enabled=False)
    tenant = FakeTenant([off, user("bob", ADMIN)])
    tenant.faults.append(Fault("do", "read", do=lambda has: has.put(user("bob"))))
    changes = [Change(off, replace(off, role=MEMBER))]
    applied = carry_out(tenant, changes, tmp_path, clock, looked_at=clock.now() - 61)
    assert statuses(applied) == {"change-role ana": "applied"}


def test_a_role_that_waits_for_the_limit_is_looked_at_anew(tmp_path: Path) -> None:
    clock, tenant = Clock(), FakeTenant([user("ana", GUEST), user("bob", GUEST)])
    tenant.faults.append(Fault("throttle", "change_role"))
    tenant.faults.append(Fault("do", "read", do=lambda has: has.put(user("ana", ADMIN))))
    changes = [change_role(name, GUEST, MEMBER) for name in ("ana", "bob")]
    applied = carry_out(tenant, changes, tmp_path, clock, looked_at=clock.now() - 1)
    assert statuses(applied) == {
        "change-role ana": "failed: changed-since-plan",
        "change-role bob": "applied",
    }


def test_a_role_that_was_set_although_the_tenant_asked_to_wait_was_set_by_us(
    tmp_path: Path,
) -> None:
    clock, tenant = Clock(), FakeTenant([user("ana", GUEST)])
    tenant.faults.append(Fault("throttle_after", "change_role"))
    changes, pace = [change_role("ana", GUEST, MEMBER)], clock.pace(fresh=59)
    applied = carry_out(tenant, changes, tmp_path, clock, pace=pace)
    assert statuses(applied) == {"change-role ana": "applied"}
    assert len(tenant.writes()) == 1


def test_a_role_that_never_reached_the_tenant_and_shows_was_set_by_somebody_else(
    tmp_path: Path,
) -> None:
    clock, tenant = Clock(), FakeTenant([user("ana", GUEST)])
    tenant.faults.append(Fault("not_sent", "change_role", times=4))
    tenant.faults.append(Fault("do", "read", do=lambda has: has.put(user("ana"))))
    changes, pace = [change_role("ana", GUEST, MEMBER)], clock.pace(fresh=1.5)
    applied = carry_out(tenant, changes, tmp_path, clock, pace=pace)
    assert statuses(applied) == {"change-role ana": "unchanged: no-change"}


def test_a_tenant_that_turns_calls_away_for_ever_is_not_asked_for_ever(tmp_path: Path) -> None:
    """Each pause makes the look old, and each new look is not one more try."""
    clock, tenant = Clock(), FakeTenant([user("ana", GUEST)])
    tenant.faults.append(Fault("throttle", "change_role", times=99))
    applied = carry_out(tenant, [change_role("ana", GUEST, MEMBER)], tmp_path, clock)
    assert statuses(applied) == {"change-role ana": "skipped: throttled"}
    assert len(tenant.writes()) == clock.pace().tries


def test_a_role_of_which_nobody_knows_whether_it_was_set_is_set_again_however_old_the_look(
    tmp_path: Path,
) -> None:
    clock, tenant = Clock(), FakeTenant([user("ana", GUEST)])
    tenant.faults.append(Fault("doubt_before", "change_role"))
    changes = [change_role("ana", GUEST, MEMBER)]
    applied = carry_out(tenant, changes, tmp_path, clock, looked_at=clock.now() - 61)
    assert statuses(applied) == {"change-role ana": "applied"}


@pytest.mark.parametrize("workers", [1, 4])
def test_one_look_serves_all_calls_that_are_sent_while_it_is_young(
    tmp_path: Path, workers: int
) -> None:
    clock, names = Clock(), people(30)
    tenant = FakeTenant([user(name, GUEST) for name in names])
    changes = [change_role(name, GUEST, MEMBER) for name in names]
    pace = clock.pace(workers=workers)
    applied = carry_out(tenant, changes, tmp_path, clock, pace=pace, looked_at=clock.now() - 61)
    assert set(statuses(applied).values()) == {"applied"}
    reads = [call.action for call in tenant.log if call.action != "change_role"]
    assert reads == ["users_by_email", "users"]  # before, and after


class Pausing(FakeTenant):
    """A tenant that has asked for a pause before its first call."""

    def __init__(self, meanwhile: Callable[[Pausing], object]) -> None:
        super().__init__()
        self.meanwhile: Callable[[Pausing], object] | None = meanwhile

    def wait_for_turn(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile(self)


def test_nobody_is_invited_by_a_look_that_got_old_while_the_call_waited(tmp_path: Path) -> None:
    clock = Clock()

    def invite_elsewhere(tenant: Pausing) -> None:
        clock.sleep(75)
        tenant.put(user("ana"))

    tenant = Pausing(invite_elsewhere)
    changes = [invite("ana"), invite("bob")]
    applied = carry_out(tenant, changes, tmp_path, clock)
    assert statuses(applied) == {"invite ana": "unchanged: no-change", "invite bob": "applied"}
    assert [call.subjects for call in tenant.writes()] == [(email("bob"),)]
    assert settled(tenant, tmp_path, clock) == frozenset()


def test_what_was_stopped_while_it_waited_is_not_sent(tmp_path: Path) -> None:
    stop = threading.Event()
    tenant = Pausing(lambda _: stop.set())
    applied = carry_out(tenant, [invite("ana")], tmp_path, stop=stop)
    assert statuses(applied) == {"invite ana": "skipped: interrupted"}
    assert (tenant.writes(), [end.request_id for end in applied.outcomes.values()]) == ([], [""])


@pytest.mark.parametrize(
    ("kind", "told"),
    [("not_sent", "unchanged: no-change"), ("throttle", "applied")],  # by what was turned away
)
def test_nobody_is_invited_by_a_look_that_got_old_before_another_try(
    tmp_path: Path, kind: Any, told: str
) -> None:
    clock = Clock()

    def turned_away_first(tenant: Pausing) -> None:
        tenant.meanwhile = invite_elsewhere

    def invite_elsewhere(tenant: Pausing) -> None:
        clock.sleep(600)
        tenant.put(user("ana"))

    tenant = Pausing(turned_away_first)
    tenant.faults.append(Fault(kind, "invite"))
    applied = carry_out(tenant, [invite("ana"), invite("bob")], tmp_path, clock)
    assert statuses(applied) == {"invite ana": told, "invite bob": "applied"}
    assert [call.subjects for call in tenant.writes()][1:] == [(email("bob"),)]


@pytest.mark.parametrize(
    "changes", [[*map(invite, people(80))], [create("ops")]], ids=["invite", "create"]
)
def test_who_dies_while_the_tenant_wants_a_pause_leaves_no_doubt_about_what_never_left(
    tmp_path: Path, changes: list[Change]
) -> None:
    class Dying(FakeTenant):
        def wait_for_turn(self) -> None:
            raise Crash

    tenant, clock = Dying(), Clock()
    with pytest.raises(Crash):
        carry_out(tenant, changes, tmp_path, pace=clock.pace(workers=4))
    assert (tenant.writes(), settled(tenant, tmp_path, clock)) == ([], frozenset())


class Paced(FakeTenant):
    """A tenant whose limit lets one call through in a second."""

    def takes(self, calls: int) -> float:
        return float(calls)


@pytest.mark.parametrize(
    ("people", "groups", "looked_ago", "calls"),
    [
        pytest.param(39, 0, 0.0, 39 + 1, id="in-time"),
        pytest.param(41, 0, 0.0, 41 + 1, id="as-long-as-it-lasts"),
        pytest.param(42, 0, 0.0, 42 + 1 + 1, id="one-late"),
        pytest.param(82, 0, 0.0, 82 + 1 + 2, id="one-look-up-finds-forty"),
        pytest.param(10, 33, 0.0, 10 + 33 + 1 + 1 + 1, id="what-is-sent-before-counts"),
        pytest.param(2, 0, 60.0, 2 + 1, id="a-minute-old"),
        pytest.param(2, 0, 61.0, 2 + 1 + 1, id="old-from-the-first"),
    ],
)
def test_looks_that_an_old_one_needs_are_announced_and_as_many_as_are_made(
    tmp_path: Path, people: int, groups: int, looked_ago: float, calls: int
) -> None:
    clock, teams = Clock(), [group(f"g{number}") for number in range(groups)]
    tenant = Paced([], teams)
    changes = [invite(f"p{number}") for number in range(people)]
    changes += [update(team, description="new") for team in teams]
    pace, looked_at = clock.pace(batch=1), clock.now() - looked_ago
    plan = Plan(tenant.name, tuple(changes))
    told = forecast(plan, tenant.truth(), tenant, pace, looked_at=looked_at)
    applied = carry_out(tenant, changes, tmp_path, clock, pace=pace, looked_at=looked_at)
    assert (told, applied.forecast, tenant.calls) == (calls, calls, calls)
    assert len(tenant.mails) == people


def test_whoever_was_invited_since_is_not_invited_by_an_old_look_of_another_batch(
    tmp_path: Path,
) -> None:
    """One look answers for two batches, unless so much time goes by between them that it is old, too."""
    clock, tenant = Clock(), Paced()
    other = Fault("do", "invite", do=lambda has: (has.put(user("bob")), clock.sleep(61)))
    tenant.faults.append(other)
    changes, pace = [invite("ana"), invite("bob")], clock.pace(batch=1)
    applied = carry_out(tenant, changes, tmp_path, clock, pace=pace, looked_at=clock.now() - 61)
    assert statuses(applied) == {"invite ana": "applied", "invite bob": "unchanged: no-change"}
    assert tenant.mails == [email("ana")]


def test_where_looking_people_up_does_not_work_all_are_not_listed_for_each_batch(
    tmp_path: Path,
) -> None:
    clock, tenant = Clock(), Paced()
    current = replace(tenant.truth(), look_ups=False)
    plan, pace = Plan(tenant.name, (invite("ana"), invite("bob"))), clock.pace(batch=1)
    with closing(State.open(tmp_path, tenant.name, create=True, now=clock.now)) as state:
        journal = state.begin("run")
        late = clock.now() - 61
        applied = apply(plan, current, tenant, journal, pace, looked_at=late)
    assert (applied.forecast, tenant.calls, len(tenant.mails)) == (3, 3, 2)


def test_nothing_is_looked_at_again_for_invitations_that_are_not_sent(tmp_path: Path) -> None:
    clock, tenant = Clock(), FakeTenant(no_invitations="single sign-on is enforced")
    changes, pace = [invite("ana"), invite("bob")], clock.pace(batch=1)
    carry_out(tenant, changes, tmp_path, clock, pace=pace, looked_at=clock.now() - 61)
    assert [call.action for call in tenant.log] == ["users_by_email", "invite"]


# ---- a clear no -------------------------------------------------------------------------------------------


def test_who_shows_late_after_a_refused_batch_was_invited_by_us_and_counts(tmp_path: Path) -> None:
    clock = Clock()
    tenant = FakeTenant(
        names_the_bad=False,
        poison={email("bad"): "no"},
        read_lag=1,
        faults=[Fault("do", "invite", do=lambda has: clock.sleep(61))],
    )
    changes = [invite("ana"), invite("bad")]
    applied = carry_out(tenant, changes, tmp_path, clock)
    assert statuses(applied) == {"invite ana": "applied", "invite bad": "failed: refused"}
    with closing(State.open(tmp_path, tenant.name, create=False, now=clock.now)) as state:
        assert state.invited_recently([email("ana"), email("bad")]) == {email("ana")}


def test_a_named_row_is_settled_by_the_refusal_and_the_others_succeed(tmp_path: Path) -> None:
    tenant = FakeTenant(poison={email("p07"): "disposable domain"})
    changes = [*map(invite, people(20))]
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == all_with(changes, "applied") | {"invite p07": "failed: refused"}
    assert applied.outcomes[invite("p07").key].message == "the tenant refused: disposable domain"
    assert actions(tenant) == ["invite"]


@pytest.mark.parametrize("bad", range(20))
def test_one_bad_row_in_20_costs_about_9_invitations(tmp_path: Path, bad: int) -> None:
    name = people(20)[bad]
    tenant = FakeTenant(atomic=True, names_the_bad=False, poison={email(name): "no"})
    changes = [*map(invite, people(20))]
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == all_with(changes, "applied") | {f"invite {name}": "failed: refused"}
    assert len(tenant.writes()) in (9, 11)
    assert len(tenant.mails) == 19


def test_a_tenant_that_refuses_batches_whole_is_waited_for_once(tmp_path: Path) -> None:
    """The first time nobody knows whether those who are not named are only slow to show."""
    bad = people(6)[::2]
    tenant, clock = FakeTenant(atomic=True, poison={email(name): "no" for name in bad}), Clock()
    changes = [*map(invite, people(6))]
    applied = carry_out(tenant, changes, tmp_path, pace=clock.pace(batch=2))
    refused = {f"invite {name}": "failed: refused" for name in bad}
    assert statuses(applied) == all_with(changes, "applied") | refused
    assert sum(clock.slept) == pytest.approx(clock.pace().read_lag)


def test_who_is_named_in_a_refusal_is_not_waited_for(tmp_path: Path) -> None:
    tenant, clock = FakeTenant(poison={email("p1"): "disposable domain"}), Clock()
    carry_out(tenant, [*map(invite, people(20))], tmp_path, clock)
    assert clock.slept == []


def test_where_people_are_taken_one_by_one_who_shows_late_is_in_doubt_and_not_sent_again(
    tmp_path: Path,
) -> None:
    """Once a refused batch has shown the others at once, it is the tenant that is slow when another one does not."""
    slow = Fault("do", "invite", skip=1, do=lambda has: setattr(has, "read_lag", 99))
    poison = {email(name): "no" for name in ("p00", "p02")}
    tenant, clock = FakeTenant(poison=poison, faults=[slow]), Clock()
    changes = [*map(invite, people(4))]
    applied = carry_out(tenant, changes, tmp_path, pace=clock.pace(batch=2))
    assert statuses(applied) == {
        "invite p00": "failed: refused",
        "invite p01": "applied",
        "invite p02": "failed: refused",
        "invite p03": "in_doubt: in-doubt",
    }
    assert actions(tenant).count("invite") == 2
    with closing(State.open(tmp_path, tenant.name, create=False, now=clock.now)) as state:
        assert state.doubtful() == {"invite p03@acme.example"}


class Lagging(FakeTenant):
    """A tenant that shows who was invited so many seconds later."""

    def __init__(self, clock: Clock, lag: float, **facts: Any) -> None:
        super().__init__(**facts)
        self.clock, self.lag = clock, lag
        self.before: Holdings | None = None
        self.shows = -math.inf

    def invite(self, *asked: Any, **facts: Any) -> Receipt:
        if self.before is None:
            self.before, self.shows = self.has.copy(), self.clock.time + self.lag
        return super().invite(*asked, **facts)

    def _read(self, action: str, *subjects: str) -> Holdings:
        has = super()._read(action, *subjects)
        return self.before if self.before and self.clock.time < self.shows else has


def test_whoever_stops_while_a_batch_refused_by_name_is_read_back_leaves_the_others_in_doubt(
    tmp_path: Path,
) -> None:
    clock, stop = Clock(), threading.Event()
    tenant = Lagging(clock, 20, poison={email("bad"): "no such domain"})

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if len(clock.slept) == 3:
            stop.set()

    changes = [invite("ana"), invite("bad")]
    pace = replace(clock.pace(), sleep=sleep)
    applied = carry_out(tenant, changes, tmp_path, clock, pace=pace, stop=stop)
    assert statuses(applied) == {
        "invite ana": "in_doubt: in-doubt",
        "invite bad": "failed: refused",
    }
    assert settled(tenant, tmp_path, clock) == {invite("ana").key}


def test_a_list_that_can_not_be_read_to_the_end_is_no_proof_that_a_refused_batch_did_nothing(
    tmp_path: Path,
) -> None:
    clock = Clock()
    tenant = Lagging(clock, 20, poison={email("bad"): "no such domain"})
    tenant.faults.append(Fault("muddle", "read", skip=1, times=6))
    applied = carry_out(tenant, [invite("ana"), invite("bad")], tmp_path, clock)
    assert statuses(applied) == {
        "invite ana": "in_doubt: in-doubt",
        "invite bad": "failed: refused",
    }
    assert tenant.mails == [email("ana")]
    assert settled(tenant, tmp_path, clock) == frozenset(), "she shows by now"


def test_a_deed_that_shows_before_it_is_sent_again_is_a_deed_in_the_state(tmp_path: Path) -> None:
    clock = Clock()
    late = Fault("do", "invite", skip=1, do=lambda has: clock.sleep(61))
    tenant = Lagging(clock, 20, names_the_bad=False, poison={email("bad"): "no"}, faults=[late])
    changes = [invite("ana"), invite("bob"), invite("bad")]
    applied = carry_out(tenant, changes, tmp_path, clock)
    done = applied.outcomes[invite("bob").key]
    assert (done.status, bool(done.request_id)) == (Status.APPLIED, True)
    with closing(State.open(tmp_path, tenant.name, create=False, now=clock.now)) as state:
        assert state.earlier().keys() == {invite("ana").key, invite("bob").key}


def test_what_a_refused_batch_left_behind_is_not_sent_again(tmp_path: Path) -> None:
    tenant = FakeTenant(names_the_bad=False, poison={email("p07"): "no"})
    changes = [*map(invite, people(20))]
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == all_with(changes, "applied") | {"invite p07": "failed: refused"}
    assert Counter(tenant.mails) == Counter(email(name) for name in people(20) if name != "p07")
    assert [len(call.subjects) for call in tenant.writes()] == [20, 1]


def test_who_exists_already_was_invited_by_somebody_else(tmp_path: Path) -> None:
    tenant = FakeTenant(faults=[Fault("do", "invite", do=lambda has: has.put(user("ana")))])
    applied = carry_out(tenant, [invite("ana"), invite("bob")], tmp_path)
    assert statuses(applied) == {"invite ana": "unchanged: no-change", "invite bob": "applied"}


def test_who_is_said_to_exist_and_never_shows_has_failed(tmp_path: Path) -> None:
    tenant, clock = FakeTenant(poison={email("ana"): ALREADY}), Clock()
    applied = carry_out(tenant, [invite("ana")], tmp_path, clock)
    assert statuses(applied) == {"invite ana": "failed: refused"}
    assert sum(clock.slept) == 30


def test_a_group_that_exists_already_takes_its_members_one_by_one(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana"), user("bob")])
    new = create("ops")
    assert isinstance(new.after, Group)
    there = replace(new.after, id=OPS.id)
    tenant.faults.append(Fault("do", "create_group", do=lambda has: has.put(there)))
    applied = carry_out(tenant, [new, grant("ana", "ops"), grant("bob", "ops")], tmp_path)
    assert statuses(applied) == {
        "create-group ops": "unchanged: no-change",
        "grant ana ops": "applied",
        "grant bob ops": "applied",
    }


def test_members_that_did_not_ride_along_are_added_one_by_one(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana"), user("bob")])

    def lose(has: FakeTenant) -> None:
        account = has.has.users.pop(user("ana").id)
        has.faults.append(Fault("do", "add_to_groups", do=lambda again: again.put(account)))

    tenant.faults.append(Fault("do", "create_group", do=lose))
    changes = [create("ops"), grant("ana", "ops"), grant("bob", "ops")]
    assert statuses(carry_out(tenant, changes, tmp_path)) == all_with(changes, "applied")
    assert actions(tenant) == ["create_group", "add_to_groups"]


@pytest.mark.parametrize(
    ("changes", "bad", "fate"),
    [
        pytest.param(
            [grant("ana", "finance"), grant("ana", "ops"), grant("ana", "sales")],
            FINANCE,
            {"grant ana finance": "failed: refused"},
            id="grant",
        ),
    ],
)
def test_one_bad_group_of_a_person_does_not_take_the_others_down(
    tmp_path: Path, changes: list[Change], bad: Group, fate: dict[str, str]
) -> None:
    tenant = FakeTenant([user("ana")], [FINANCE, OPS, SALES])

    def lose(has: FakeTenant) -> None:
        del has.has.groups[bad.id], has.has.members[bad.id]

    tenant.faults.append(Fault("do", "add_to_groups", do=lose))
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == all_with(changes, "applied") | fate


def test_a_refused_role_says_so_in_the_tenants_own_words(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana")], faults=[Fault("refuse", "change_role", words="too high")])
    change = change_role("ana", MEMBER, ADMIN)
    outcome = carry_out(tenant, [change], tmp_path).outcomes[change.key]
    assert (outcome.status, outcome.message, outcome.http_status) == (
        Status.FAILED,
        "the tenant refused: too high",
        400,
    )


# ---- refused for all --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "SSO is enforced for this workspace",
        "No seats left",
        "License limit exceeded: 403 Forbidden",
    ],
)
def test_where_nobody_may_be_invited_all_else_goes_on(tmp_path: Path, words: str) -> None:
    tenant = FakeTenant([user("ana")], [FINANCE], no_invitations=words)
    changes = [*map(invite, people(45)), grant("p00", "finance"), grant("ana", "finance")]
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == all_with(changes, "manual: invite-by-hand") | {
        "grant ana finance": "applied"
    }
    assert words in applied.outcomes[invite("p44").key].message
    assert actions(tenant) == ["invite", "add_to_groups"]


def test_a_refusal_of_one_person_does_not_close_the_door_for_all(tmp_path: Path) -> None:
    tenant = FakeTenant(poison={email("p01"): "this account is managed by SSO"})
    changes = [*map(invite, people(25))]
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == all_with(changes, "applied") | {"invite p01": "failed: refused"}


def test_the_same_refusal_for_a_whole_batch_closes_the_door_too(tmp_path: Path) -> None:
    tenant = FakeTenant(no_invitations="the moon is full")
    changes = [*map(invite, people(60))]
    applied = carry_out(tenant, changes, tmp_path)
    assert Counter(statuses(applied).values()) == {
        "failed: refused": 19,
        "manual: invite-by-hand": 41,
    }
    assert len(tenant.writes()) == 39


def test_a_refused_token_stops_the_run(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana")], [FINANCE, OPS], faults=[Fault("token", "add_to_groups")])
    changes = [invite("eve"), create("new"), grant("ana", "ops"), grant("eve", "finance")]
    applied = carry_out(tenant, changes, tmp_path)
    assert isinstance(applied.stopped, TokenRefused)
    assert statuses(applied) == {
        "invite eve": "applied",
        "create-group new": "in_doubt: not-visible",
        "grant ana ops": "skipped: interrupted",
        "grant eve finance": "skipped: interrupted",
    }
    assert actions(tenant) == ["invite", "create_group", "add_to_groups"]
    assert settled(tenant, tmp_path, Clock()) == frozenset()


# ---- not sent, throttled ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "slept"),
    [
        pytest.param(Fault("not_sent", "invite", times=3), [1, 2, 4], id="not-sent"),
        pytest.param(Fault("throttle", "invite", times=2), [60, 60], id="throttled"),
        pytest.param(Fault("throttle", "invite", retry_after=7), [7], id="retry-after"),
    ],
)
def test_what_was_not_carried_out_is_sent_again_more_slowly(
    tmp_path: Path, fault: Fault, slept: list[float]
) -> None:
    tenant, clock = FakeTenant(faults=[fault]), Clock()
    applied = carry_out(tenant, [invite("ana")], tmp_path, clock)
    assert statuses(applied) == {"invite ana": "applied"}
    assert sum(clock.slept) == sum(slept)
    assert applied.outcomes[invite("ana").key].attempts == len(slept) + 1
    assert tenant.mails == [email("ana")]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("throttle_after", "write", retry_after=7), id="429"),
        pytest.param(Fault("throttle_after", "write", times=3), id="429-time-after-time"),
        pytest.param(Fault("token_after", "write", status=403), id="403"),
    ],
)
def test_who_was_invited_although_the_call_was_turned_away_is_seen_before_it_is_sent_again(
    tmp_path: Path, fault: Fault
) -> None:
    tenant = FakeTenant(
        [], [FINANCE], poison={email("bad"): "no such domain"}, faults=[replace(fault)]
    )
    changes = [invite("ana"), invite("bad"), invite("bob"), grant("ana", "finance")]
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == all_with(changes, "applied") | {"invite bad": "failed: refused"}
    posted = [call.subjects for call in tenant.writes("invite")]
    assert posted == [(email("ana"), email("bad"), email("bob")), *[(email("bad"),)] * fault.times]
    assert tenant.log[1].action.startswith("users")
    assert len(tenant.mails) == 2


def test_a_call_that_was_turned_away_and_carried_out_is_not_sent_again(tmp_path: Path) -> None:
    tenant = FakeTenant([], [FINANCE], faults=[Fault("throttle_after", "invite")])
    applied = carry_out(tenant, [invite("ana", role=GUEST)], tmp_path)
    assert statuses(applied) == {"invite ana": "applied"}
    assert (actions(tenant), applied.stopped) == (["invite"], None)


def test_who_is_said_to_be_there_since_a_call_that_was_turned_away_is_in_doubt(
    tmp_path: Path,
) -> None:
    tenant, clock = FakeTenant(faults=[Fault("token_after", "invite", status=403)]), Clock()
    tenant.read_lag = 99
    applied = carry_out(tenant, [invite("ana")], tmp_path, clock)
    assert statuses(applied) == {"invite ana": "in_doubt: in-doubt"}
    assert settled(tenant, tmp_path, clock) == {invite("ana").key}
    assert len(tenant.mails) == 1


def test_a_group_that_was_created_although_the_call_was_turned_away_takes_who_is_missing(
    tmp_path: Path,
) -> None:
    tenant = FakeTenant([user("ana"), user("bob")], [FINANCE])

    def leaves(has: FakeTenant) -> None:
        has.leave("ops", "bob")

    tenant.faults += [Fault("throttle_after", "create_group"), Fault("do", "groups", do=leaves)]
    changes = [create("ops"), grant("ana", "ops"), grant("bob", "ops")]
    assert statuses(carry_out(tenant, changes, tmp_path)) == all_with(changes, "applied")
    assert actions(tenant) == ["create_group", "add_to_groups"]


def test_who_was_invited_by_others_with_another_role_while_we_were_turned_away_is_told(
    tmp_path: Path,
) -> None:
    tenant = FakeTenant(faults=[Fault("throttle", "invite")])
    tenant.faults.append(Fault("do", "read", do=lambda has: has.put(user("ana", GUEST))))
    applied = carry_out(tenant, [invite("ana")], tmp_path)
    assert statuses(applied) == {"invite ana": "failed: changed-since-plan"}
    assert tenant.mails == []


def test_who_was_invited_by_a_call_that_ends_the_run_is_seen(tmp_path: Path) -> None:
    tenant = FakeTenant(faults=[Fault("token_after", "invite", times=2, status=403)])
    tenant.poison[email("bob")] = "no"
    applied = carry_out(tenant, [invite("ana"), invite("bob")], tmp_path)
    assert isinstance(applied.stopped, TokenRefused)
    assert statuses(applied) == {"invite ana": "applied", "invite bob": "skipped: interrupted"}
    left = applied.outcomes[invite("bob").key]
    assert (left.message, left.attempts) == ("not carried out: the tenant refuses the token", 2)
    assert settled(tenant, tmp_path, Clock()) == frozenset()


def test_nothing_is_sent_again_where_nobody_can_see_what_came_of_it(tmp_path: Path) -> None:
    tenant = FakeTenant(faults=[Fault("throttle_after", "invite"), Fault("not_sent", "read")])
    applied = carry_out(tenant, [invite("ana")], tmp_path)
    assert isinstance(applied.stopped, NotSent)
    assert statuses(applied) == {"invite ana": "in_doubt: in-doubt"}
    assert actions(tenant) == ["invite"]


@pytest.mark.parametrize("when", ["in-flight", "while-it-waits"])
def test_a_429_after_which_somebody_stops_leaves_no_doubt_whenever_that_is(
    tmp_path: Path, when: str
) -> None:
    """The tenant says that it did nothing, and lets nobody read for a minute."""
    clock, stop = Clock(), threading.Event()

    class Throttling(FakeTenant):
        def invite(self, *asked: Any, **facts: Any) -> Receipt:
            if when == "in-flight":
                stop.set()
            return super().invite(*asked, **facts)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        stop.set()

    tenant = Throttling(faults=[Fault("throttle", "invite"), Fault("throttle", "read", times=99)])
    pace = replace(clock.pace(), sleep=sleep)
    applied = carry_out(tenant, [invite("ana")], tmp_path, clock, pace=pace, stop=stop)
    assert statuses(applied) == {"invite ana": "skipped: throttled"}
    tenant.faults.clear()
    assert settled(tenant, tmp_path, clock) == frozenset()


def test_what_never_left_for_a_pause_of_the_tenants_is_no_attempt_and_no_doubt(
    tmp_path: Path,
) -> None:
    class Asking(FakeTenant):
        def wait_for_turn(self) -> None:
            raise Throttled("wait an hour", retry_after=3600, status=None, attempts=0)

    tenant = Asking(faults=[Fault("throttle", "read", times=99)])
    applied = carry_out(tenant, [invite("ana")], tmp_path)
    assert statuses(applied) == {"invite ana": "skipped: throttled"}
    assert applied.outcomes[invite("ana").key].attempts == 0


def test_nobody_else_calls_once_the_token_is_refused(tmp_path: Path) -> None:
    """Not even while the refusal is written down."""
    called, told = threading.Event(), threading.Event()

    class Others(FakeTenant):
        def wait_for_turn(self) -> None:
            if called.is_set():
                told.wait(30)
            called.set()

    tenant = Others([user("ana"), user("bob")], [FINANCE])
    tenant.faults.append(Fault("token", "write", times=99, status=401))
    changes, clock = [grant("ana", "finance"), grant("bob", "finance")], Clock()
    with closing(State.open(tmp_path, tenant.name, create=True, now=clock.now)) as state:
        journal = state.begin("run")
        write_down = journal.conclude

        def conclude(*ends: Any) -> None:
            told.set()
            time.sleep(0.2)  # whoever waits would go now
            write_down(*ends)

        journal.conclude = conclude  # type: ignore[method-assign]
        plan = Plan(tenant.name, tuple(changes))
        apply(plan, tenant.truth(), tenant, journal, clock.pace(workers=2))
    assert len(tenant.writes()) == 1


def test_nobody_is_invited_again_where_a_403_hides_what_came_of_the_first(tmp_path: Path) -> None:
    tenant = FakeTenant(
        faults=[Fault("token_after", "invite", status=403), Fault("token", "read", status=403)]
    )
    applied = carry_out(tenant, [invite("ana")], tmp_path)
    assert isinstance(applied.stopped, TokenRefused)
    assert statuses(applied) == {"invite ana": "in_doubt: in-doubt"}
    assert tenant.mails == [email("ana")]


@pytest.mark.parametrize("status", [400, 404])
def test_a_list_that_is_refused_is_no_proof_that_somebody_is_out_of_a_group(
    tmp_path: Path, status: int
) -> None:
    """The account is there, so a 404 is no word about it."""

    def put_back(tenant: FakeTenant) -> None:
        tenant.has.members[OPS.id] |= {UserId("u-ana")}

    tenant = FakeTenant([user("ana")], [OPS], {"ops": ["ana"]})
    tenant.faults += [Fault("do", "read", do=put_back)]
    tenant.faults += [Fault("refuse", "read", times=99, status=status)]
    applied = carry_out(tenant, [revoke("ana", "ops")], tmp_path)
    assert statuses(applied) == {"revoke ana ops": "in_doubt: not-visible"}


@pytest.mark.parametrize(
    ("status", "sent", "slept"),
    [pytest.param(401, 1, 0, id="401"), pytest.param(403, 2, 5, id="403")],
)
def test_a_403_is_tried_once_more_after_a_pause(
    tmp_path: Path, status: int, sent: int, slept: float
) -> None:
    tenant, clock = FakeTenant([user("ana")], [FINANCE]), Clock()
    tenant.faults.append(Fault("token", "write", times=99, status=status))
    applied = carry_out(tenant, [grant("ana", "finance")], tmp_path, clock)
    assert statuses(applied) == {"grant ana finance": "skipped: interrupted"}
    assert (len(tenant.writes()), sum(clock.slept)) == (sent, slept)


@pytest.mark.parametrize(
    ("fault", "code", "stopped", "tries"),
    [
        pytest.param(Fault("not_sent", "write", times=99), "not-sent", NotSent, 5, id="not-sent"),
        pytest.param(
            Fault("throttle", "write", times=99), "throttled", TryLater, 5, id="throttled"
        ),
        pytest.param(
            Fault("throttle", "write", retry_after=901), "throttled", TryLater, 1, id="for-too-long"
        ),
    ],
)
def test_patience_has_an_end(
    tmp_path: Path, fault: Fault, code: str, stopped: type[OnboardingError], tries: int
) -> None:
    tenant = FakeTenant([], [FINANCE], faults=[fault])
    changes = [invite("ana"), grant("ana", "finance"), update(FINANCE, description="new")]
    applied = carry_out(tenant, changes, tmp_path)
    assert isinstance(applied.stopped, stopped)
    assert statuses(applied) == all_with(changes, "skipped: interrupted") | {
        "update-group finance": f"skipped: {code}"
    }
    assert len(tenant.writes()) == tries
    assert settled(tenant, tmp_path, Clock()) == frozenset()


@pytest.mark.parametrize("kind", ["not_sent", "throttle", "token"])
def test_what_was_certainly_not_carried_out_leaves_no_doubt(tmp_path: Path, kind: Any) -> None:
    tenant, clock = FakeTenant(faults=[Fault(kind, "write", times=99)]), Clock()
    carry_out(tenant, [invite("ana")], tmp_path, clock)
    assert settled(tenant, tmp_path, clock) == frozenset()
    state = State.open(tmp_path, tenant.name, create=False, now=clock.now)
    assert state.earlier() == {}
    state.close()


# ---- doubt ------------------------------------------------------------------------------------------------


def test_a_doubtful_invitation_that_shows_is_done(tmp_path: Path) -> None:
    tenant = FakeTenant(faults=[Fault("doubt_after", "invite")])
    applied = carry_out(tenant, [invite("ana")], tmp_path)
    assert statuses(applied) == {"invite ana": "applied"}
    assert settled(tenant, tmp_path, Clock()) == frozenset()


@pytest.mark.parametrize("change", [invite("ana"), create("ops")])
def test_a_doubtful_creation_that_does_not_show_is_never_sent_again(
    tmp_path: Path, change: Change
) -> None:
    tenant, clock = FakeTenant(faults=[Fault("doubt_before", "write")]), Clock()
    applied = carry_out(tenant, [change], tmp_path, clock)
    assert statuses(applied) == all_with([change], "in_doubt: in-doubt")
    assert (len(tenant.writes()), sum(clock.slept)) == (1, 30)
    assert settled(tenant, tmp_path, clock) == {change.key}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(update(FINANCE, description="new"), id="update"),
        pytest.param(change_role("ana", MEMBER, GUEST), id="role"),
        pytest.param(grant("ana", "ops"), id="grant"),
        pytest.param(revoke("ana", "finance"), id="revoke"),
    ],
)
@pytest.mark.parametrize(
    ("faults", "status", "sent"),
    [
        pytest.param([Fault("doubt_after", "write")], "applied", 1, id="it-shows"),
        pytest.param([Fault("doubt_before", "write")], "applied", 2, id="once-more"),
        pytest.param(
            [Fault("doubt_before", "write", times=2)], "in_doubt: in-doubt", 2, id="not-thrice"
        ),
    ],
)
def test_what_sets_something_to_a_value_is_sent_once_more(
    tmp_path: Path, change: Change, faults: list[Fault], status: str, sent: int
) -> None:
    copies = [replace(fault) for fault in faults]
    tenant = FakeTenant([user("ana")], [FINANCE, OPS], {"finance": ["ana"]}, faults=copies)
    applied = carry_out(tenant, [change], tmp_path)
    assert statuses(applied) == all_with([change], status)
    assert len(tenant.writes()) == sent
    assert settled(tenant, tmp_path, Clock()) == frozenset()


def test_two_doubtful_batches_in_a_row_stop_creating(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana")], [FINANCE], faults=[Fault("doubt_before", "invite", times=9)])
    changes = [
        *map(invite, people(60)),
        create("new"),
        grant("p00", "finance"),
        grant("ana", "finance"),
    ]
    applied = carry_out(tenant, changes, tmp_path)
    assert Counter(statuses(applied).values()) == {
        "in_doubt: in-doubt": 40,
        "skipped: breaker": 21,
        "skipped: dependency": 1,
        "applied": 1,
    }
    assert actions(tenant) == ["invite", "invite", "add_to_groups"]


def test_a_doubt_that_is_cleared_up_does_not_count_towards_the_breaker(tmp_path: Path) -> None:
    tenant = FakeTenant(faults=[Fault("doubt_after", "invite", times=9)])
    changes = [*map(invite, people(60))]
    assert statuses(carry_out(tenant, changes, tmp_path)) == all_with(changes, "applied")


EVERYBODY = 10**6


def test_what_an_earlier_call_may_have_done_stays_open_where_it_can_not_be_sent_again(
    tmp_path: Path,
) -> None:
    faults = [Fault("doubt_before", "write"), Fault("not_sent", "write", times=9)]
    tenant, clock = FakeTenant([user("ana")], [FINANCE], faults=faults), Clock()
    applied = carry_out(tenant, [grant("ana", "finance")], tmp_path, clock)
    assert set(statuses(applied).values()) == {"in_doubt: in-doubt"}
    with closing(State.open(tmp_path, tenant.name, create=False, now=clock.now)) as state:
        assert [intent.change for intent in state.open_intents()] == [grant("ana", "finance").key]


def silent(kind: Any = "doubt_before", **facts: Any) -> Fault:
    """Every changing call gets no answer."""
    return Fault(kind, "write", times=EVERYBODY, **facts)


def test_a_tenant_that_hangs_up_on_every_change_is_left_alone_soon(tmp_path: Path) -> None:
    names = people(200)
    tenant = FakeTenant(map(user, names), [FINANCE, OPS], {"ops": names[:50]}, faults=[silent()])
    changes = [
        *(change_role(name, MEMBER, GUEST) for name in names),
        *(grant(name, "finance") for name in names[50:]),
        *(revoke(name, "ops") for name in names[:50]),
        update(FINANCE, description="new"),
    ]
    clock = Clock()
    applied = carry_out(tenant, changes, tmp_path, clock)
    assert Counter(statuses(applied).values()) == {
        "in_doubt: in-doubt": 3,  # one group update, two people's grants: 2 + 2 + 1 calls
        "skipped: breaker": len(changes) - 3,
    }
    assert (len(tenant.writes()), sum(clock.slept)) == (5, 60)  # two phases looked once more
    assert settled(tenant, tmp_path, clock) == frozenset()


def test_a_tenant_that_says_500_to_every_change_is_waited_for_once(tmp_path: Path) -> None:
    """A 500 is the tenant's answer about this very call, and the next one may fare better."""
    names = people(60)
    tenant = FakeTenant(map(user, names), faults=[silent(status=500)])
    changes, clock = [change_role(name, MEMBER, GUEST) for name in names], Clock()
    applied = carry_out(tenant, changes, tmp_path, clock)
    assert statuses(applied) == all_with(changes, "in_doubt: in-doubt")
    assert (len(tenant.writes()), sum(clock.slept)) == (120, 30)


def test_a_tenant_that_does_all_and_says_nothing_is_carried_on_with(tmp_path: Path) -> None:
    names = people(60)
    tenant = FakeTenant(map(user, names), faults=[silent("doubt_after")])
    changes, clock = [change_role(name, MEMBER, GUEST) for name in names], Clock()
    applied = carry_out(tenant, changes, tmp_path, clock)
    assert statuses(applied) == all_with(changes, "applied")
    assert (len(tenant.writes()), clock.slept) == (60, [])


def test_what_shows_after_the_second_doubt_is_done(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana")], read_lag=4, faults=[silent("doubt_after")])
    applied = carry_out(tenant, [change_role("ana", MEMBER, GUEST)], tmp_path)
    assert statuses(applied) == {"change-role ana": "applied"}
    assert len(tenant.writes()) == 2


def test_a_doubt_is_not_forgotten_when_it_can_not_be_sent_again(tmp_path: Path) -> None:
    faults = [Fault("doubt_before", "write"), Fault("not_sent", "write", times=9)]
    tenant = FakeTenant([user("ana"), user("bob")], faults=faults)
    changes = [change_role(name, MEMBER, GUEST) for name in ("ana", "bob")]
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == {
        "change-role ana": "in_doubt: in-doubt",
        "change-role bob": "skipped: interrupted",
    }


def test_what_is_refused_as_done_after_a_doubt_was_done_by_us(tmp_path: Path) -> None:
    """The tenant shows it late, so it was sent again, and met itself."""
    words = "409 Conflict: User is already a member"
    faults = [Fault("doubt_after", "write"), Fault("refuse", "write", words=words)]
    tenant = FakeTenant([user("ana")], [OPS], read_lag=2, faults=faults)
    applied = carry_out(tenant, [grant("ana", "ops")], tmp_path)
    assert statuses(applied) == {"grant ana ops": "applied"}


def test_a_doubtful_group_that_shows_keeps_its_members(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana")], faults=[Fault("doubt_after", "create_group")])
    changes = [create("ops"), grant("ana", "ops")]
    assert statuses(carry_out(tenant, changes, tmp_path)) == all_with(changes, "applied")


def test_members_of_a_group_in_doubt_are_in_doubt_too(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana")], faults=[Fault("doubt_before", "create_group")])
    changes = [create("ops"), grant("ana", "ops")]
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == all_with(changes, "in_doubt: in-doubt")


# ---- what depends on what ---------------------------------------------------------------------------------


def test_a_failed_step_takes_only_its_dependents_with_it(tmp_path: Path) -> None:
    tenant = FakeTenant(
        [user("ana")],
        [FINANCE],
        poison={email("eve"): "no such domain"},
        faults=[Fault("refuse", "create_group", words="bad name")],
    )
    changes = [
        invite("eve"),
        invite("bob"),
        create("ops"),
        grant("eve", "finance"),
        grant("bob", "finance"),
        grant("ana", "ops"),
        grant("eve", "ops"),
    ]
    applied = carry_out(tenant, changes, tmp_path)
    assert statuses(applied) == {
        "invite eve": "failed: refused",
        "invite bob": "applied",
        "create-group ops": "failed: refused",
        "grant eve finance": "skipped: dependency",
        "grant bob finance": "applied",
        "grant ana ops": "skipped: dependency",
        "grant eve ops": "skipped: dependency",
    }
    assert applied.outcomes[grant("ana", "ops").key].message == (
        "not tried, because it depends on the group ops: the tenant refused: bad name"
    )


def test_what_is_skipped_names_the_row_of_what_it_depends_on(tmp_path: Path) -> None:
    tenant = FakeTenant(
        [user("ana")], [FINANCE, OPS], {"ops": ["ana"]}, poison={email("eve"): "no"}
    )
    eve = replace(invite("eve"), rows=(row(7),))
    given = replace(grant("ana", "finance"), rows=(row(9),))
    tenant.faults.append(Fault("refuse", "add_to_groups"))
    taken, changes = revoke("ana", "ops"), [eve, given, grant("eve", "ops")]
    applied = carry_out(tenant, [*changes, taken], tmp_path)
    by = "not tried, because it depends on "
    assert [applied.outcomes[change.key].message for change in (grant("eve", "ops"), taken)] == [
        f"{by}the account of eve@acme.example (users.csv:7): the tenant refused: no",
        f"{by}'grant ana@acme.example finance' (users.csv:9): the tenant refused: not today",
    ]


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        pytest.param(Cause.ASKED, "skipped: dependency", id="mover"),
        pytest.param(Cause.ABSENT, "skipped: dependency", id="mover-by-absence"),
        pytest.param(Cause.LEAVER, "applied", id="leaver"),
    ],
)
def test_a_mover_loses_nothing_before_the_new_place_is_sure(
    tmp_path: Path, cause: Cause, status: str
) -> None:
    tenant = FakeTenant(
        [user("ana"), user("bob")],
        [FINANCE, OPS],
        {"ops": ["ana", "bob"]},
        faults=[Fault("refuse", "add_to_groups")],
    )
    changes = [
        grant("ana", "finance"),
        revoke("ana", "ops", cause=cause),
        revoke("bob", "ops", cause=cause),
    ]
    assert statuses(carry_out(tenant, changes, tmp_path)) == {
        "grant ana finance": "failed: refused",
        "revoke ana ops": status,
        "revoke bob ops": "applied",
    }


@pytest.mark.parametrize(
    ("cause", "status"), [(Cause.ABSENT, "skipped: dependency"), (Cause.ASKED, "applied")]
)
def test_nobody_is_missed_in_a_group_that_stays_a_default_group(
    tmp_path: Path, cause: Cause, status: str
) -> None:
    everyone = group("everyone", default=True)
    tenant = FakeTenant(
        [user("ana")], [everyone], {"everyone": ["ana"]}, faults=[Fault("refuse", "update_group")]
    )
    changes = [update(everyone, default=False), revoke("ana", "everyone", cause=cause)]
    assert statuses(carry_out(tenant, changes, tmp_path)) == {
        "update-group everyone": "failed: refused",
        "revoke ana everyone": status,
    }


@pytest.mark.parametrize(
    ("kind", "status"), [("doubt_before", "skipped: dependency"), ("refuse", "applied")]
)
def test_a_group_takes_in_newcomers_only_when_no_invitation_is_in_doubt(
    tmp_path: Path, kind: Any, status: str
) -> None:
    """Whoever comes late would slip into it, and was not meant; whoever was refused does not come."""
    tenant = FakeTenant([], [FINANCE], faults=[Fault(kind, "invite")])
    opened = update(tenant.truth().groups[FINANCE.name], default=True)
    applied = carry_out(tenant, [invite("ana"), opened], tmp_path)
    assert statuses(applied)["update-group finance"] == status


def test_an_admin_stays_until_the_new_admin_is_one(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana", ADMIN), user("bob")], faults=[Fault("refuse", "change_role")])
    changes = [change_role("bob", MEMBER, ADMIN), change_role("ana", ADMIN, MEMBER)]
    assert statuses(carry_out(tenant, changes, tmp_path)) == {
        "change-role bob": "failed: refused",
        "change-role ana": "skipped: dependency",
    }


# ---- being stopped ----------------------------------------------------------------------------------------


def test_a_stop_finishes_what_is_under_way_and_skips_the_rest(tmp_path: Path) -> None:
    stop = threading.Event()
    tenant = FakeTenant([], [FINANCE])
    tenant.faults.append(Fault("do", "invite", skip=1, do=lambda has: stop.set()))
    changes = [*map(invite, people(60)), grant("p00", "finance")]
    applied = carry_out(tenant, changes, tmp_path, stop=stop)
    assert applied.stopped is None
    assert Counter(statuses(applied).values()) == {"applied": 40, "skipped: interrupted": 21}


def test_a_stop_ends_the_waiting_for_a_late_tenant(tmp_path: Path) -> None:
    stop, clock = threading.Event(), Clock()
    tenant = FakeTenant(read_lag=10**9)
    tenant.faults.append(Fault("do", "invite", do=lambda has: stop.set()))
    applied = carry_out(tenant, [invite("ana")], tmp_path, clock, stop=stop)
    assert statuses(applied) == {"invite ana": "in_doubt: not-visible"}
    assert clock.slept == []


def test_a_journal_that_can_not_be_written_stops_before_the_next_call(tmp_path: Path) -> None:
    tenant = FakeTenant([], [FINANCE])
    file = tmp_path / "acme.example" / "state.db"
    tenant.faults.append(Fault("do", "invite", skip=1, do=lambda has: file.unlink()))
    changes = [*map(invite, people(60)), grant("p00", "finance")]
    applied = carry_out(tenant, changes, tmp_path)
    assert isinstance(applied.stopped, StorageError)
    assert Counter(statuses(applied).values()) == {"applied": 40, "skipped: interrupted": 21}
    assert actions(tenant) == ["invite", "invite"]


@pytest.mark.parametrize(("write", "calls"), [(1, 0), (2, 1), (3, 1)])
def test_a_disk_that_fails_once_is_not_trusted_again_in_this_run(write: int, calls: int) -> None:
    clock, tenant, disk = Clock(), FakeTenant(), Disk.new(of=EMPTY)
    disk.trouble = {write: "error"}
    state = State(Database(Path(":memory:"), disk), clock.now)
    plan = Plan(tenant.name, tuple(map(invite, people(60))))
    applied = apply(plan, tenant.truth(), tenant, state.begin("run"), clock.pace())
    assert isinstance(applied.stopped, StorageError)
    assert len(tenant.writes()) == calls
    assert Counter(statuses(applied).values())["applied"] == 20 * calls


def test_a_tenant_that_can_not_be_read_back_leaves_doubts(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana")], [FINANCE], faults=[Fault("not_sent", "read", times=99)])
    changes = [invite("eve"), grant("ana", "finance")]
    applied = carry_out(tenant, changes, tmp_path)
    assert isinstance(applied.stopped, NotSent)
    assert statuses(applied) == {
        "invite eve": "in_doubt: not-visible",
        "grant ana finance": "skipped: interrupted",
    }


def test_a_list_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    """Our own calls change it, too: others of the same phase are under way."""
    faults = [Fault("doubt_after", "create_group"), Fault("muddle", "groups", times=3)]
    tenant = FakeTenant([user("ana")], faults=faults)
    changes = [create("ops"), create("sales"), grant("ana", "ops"), grant("ana", "sales")]
    applied = carry_out(tenant, changes, tmp_path)
    assert (statuses(applied), applied.stopped) == (all_with(changes, "applied"), None)


@pytest.mark.parametrize(
    "fault", [Fault("doubt_after", "invite"), Fault("refuse", "invite", words="maintenance")]
)
def test_who_can_not_be_looked_for_while_others_are_invited_is_looked_for_afterwards(
    tmp_path: Path, fault: Fault
) -> None:
    clock = Clock()
    looks = 1 if fault.kind == "refuse" else 7  # at once, and after 0.5, 1, 2, 4, 8 and 14.5 s
    tenant = FakeTenant(faults=[replace(fault), Fault("muddle", "users", times=looks)])
    changes = [invite("ana"), invite("bob"), invite("eve")]
    applied = carry_out(tenant, changes, tmp_path, clock, pace=clock.pace(batch=2))
    done = {"refuse": "in_doubt: in-doubt"}.get(fault.kind, "applied")
    both = {"invite ana": done, "invite bob": done}
    assert (statuses(applied), applied.stopped) == (both | {"invite eve": "applied"}, None)


def test_a_doubt_that_can_not_be_looked_into_stays_one(tmp_path: Path) -> None:
    tenant = FakeTenant(
        [], [FINANCE], faults=[Fault("doubt_after", "invite"), Fault("token", "read", times=9)]
    )
    changes = [invite("ana"), update(FINANCE, description="x")]
    applied = carry_out(tenant, changes, tmp_path)
    assert isinstance(applied.stopped, TokenRefused)
    assert statuses(applied) == {
        "invite ana": "in_doubt: in-doubt",
        "update-group finance": "in_doubt: not-visible",
    }
    assert applied.outcomes[invite("ana").key].request_id == tenant.writes("invite")[0].request_id


# ---- intents before calls ---------------------------------------------------------------------------------


def test_no_call_leaves_before_its_intent_is_in_the_state(tmp_path: Path) -> None:
    tenant = FakeTenant([user("ana")], [FINANCE])
    missing: list[str] = []

    def check(has: FakeTenant) -> None:
        state = State.peek(tmp_path, tenant.name)
        if has.log[-1].request_id not in {i.request_id for i in state.open_intents()}:
            missing.append(has.log[-1].action)
        state.close()

    tenant.faults.append(Fault("do", "write", times=99, do=check))
    changes = [
        invite("eve"), create("ops"), grant("ana", "ops"), grant("ana", "finance"),
        change_role("ana", MEMBER, GUEST), update(FINANCE, description="x"),
    ]  # fmt: skip
    carry_out(tenant, changes, tmp_path)
    assert (missing, len(tenant.writes())) == ([], 5)


def test_every_call_has_exactly_one_intent(tmp_path: Path) -> None:
    tenant = FakeTenant(
        atomic=True,
        names_the_bad=False,
        poison={email("p03"): "no"},
        faults=[Fault("not_sent", "write"), Fault("throttle", "write")],
    )
    carry_out(tenant, [*map(invite, people(25))], tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    intents = [line["request"] for line in lines if line["event"] == "intent"]
    assert intents == [call.request_id for call in tenant.writes()]


# ---- settling what earlier runs left ----------------------------------------------------------------------


def in_doubt(tmp_path: Path, clock: Clock, change: Change) -> FakeTenant:
    tenant = FakeTenant(faults=[Fault("doubt_late", "write")])
    carry_out(tenant, [change], tmp_path, clock)
    return tenant


@pytest.mark.parametrize("change", [invite("ana"), create("ops")])
def test_a_doubt_is_over_when_it_shows(tmp_path: Path, change: Change) -> None:
    clock = Clock()
    tenant = in_doubt(tmp_path, clock, change)
    tenant.land()
    assert settled(tenant, tmp_path, clock) == frozenset()


def test_who_was_invited_is_read_back_by_listing_all_where_look_ups_are_refused(
    tmp_path: Path,
) -> None:
    tenant = FakeTenant([*map(user, people(200))], faults=[Fault("refuse", "users_by_email")])
    applied = carry_out(tenant, [invite("ana")], tmp_path)
    assert statuses(applied) == {"invite ana": "applied"}
    assert [call.action for call in tenant.log] == ["invite", "users_by_email", *["users"] * 3]


def test_a_doubt_is_looked_into_by_listing_all_where_look_ups_are_refused(tmp_path: Path) -> None:
    clock = Clock()
    tenant = in_doubt(tmp_path, clock, invite("ana"))
    tenant.land()
    tenant.faults.append(Fault("refuse", "users_by_email"))
    assert settled(tenant, tmp_path, clock) == frozenset()
    assert tenant.log[-1].action == "users"


@pytest.mark.parametrize("change", [invite("ana"), create("ops")])
def test_absent_means_absent_only_after_the_waiting_time(tmp_path: Path, change: Change) -> None:
    clock = Clock()
    tenant = in_doubt(tmp_path, clock, change)
    clock.sleep(900 - 30 - 1)
    assert settled(tenant, tmp_path, clock) == {change.key}
    clock.sleep(1)
    assert settled(tenant, tmp_path, clock) == frozenset()


def test_the_waiting_time_of_an_orphan_counts_from_when_it_was_found(tmp_path: Path) -> None:
    clock, tenant = Clock(), FakeTenant()
    state = State.open(tmp_path, tenant.name, create=True, now=clock.now)
    state.begin("run").intend("r1", invite("ana").action, [invite("ana")])
    state.close()
    clock.sleep(10**6)
    assert settled(tenant, tmp_path, clock) == {invite("ana").key}
    clock.sleep(899)
    assert settled(tenant, tmp_path, clock) == {invite("ana").key}
    clock.sleep(1)
    assert settled(tenant, tmp_path, clock) == frozenset()


def test_a_clock_that_was_put_back_starts_the_waiting_anew(tmp_path: Path) -> None:
    clock = Clock()
    tenant = in_doubt(tmp_path, clock, invite("ana"))
    clock.time -= 10**6
    assert settled(tenant, tmp_path, clock) == {invite("ana").key}
    clock.sleep(900)
    assert settled(tenant, tmp_path, clock) == frozenset()


def test_settling_nothing_takes_no_call(tmp_path: Path) -> None:
    tenant = FakeTenant()
    assert settled(tenant, tmp_path, Clock()) == frozenset()
    assert tenant.calls == 0


def test_a_seen_doubt_is_told_by_the_next_report(tmp_path: Path) -> None:
    clock = Clock()
    tenant = in_doubt(tmp_path, clock, invite("ana"))
    tenant.land()
    settled(tenant, tmp_path, clock)
    state = State.open(tmp_path, tenant.name, create=False, now=clock.now)
    assert state.earlier().keys() == {invite("ana").key}
    assert state.invited_recently([email("ana")]) == {email("ana")}
    state.close()


def test_a_row_is_through_once_nothing_is_left_of_it_to_be_sent() -> None:
    first, second = row(2), row(3)
    ana, ben = replace(invite("ana"), rows=(first,)), replace(invite("ben"), rows=(second,))
    grants = replace(grant("ana", "finance"), rows=(first, second))
    tally = Tally([ana, ben, grants])
    counted = []
    for change in (ana, ben, grants):
        tally.count([change])
        counted.append(tally.through)
    assert (tally.rows, counted) == (2, [0, 0, 2])


@pytest.mark.parametrize("kind", ["doubt_after", "throttle_after", "not_sent", "refuse"])
def test_a_row_is_counted_once_although_its_change_is_accepted_and_seen_and_perhaps_sent_again(
    tmp_path: Path, kind: str
) -> None:
    ear = Ear()
    tenant = FakeTenant([], [FINANCE], faults=[Fault(kind, "write", times=2)])
    changes = [invite("ana", row(2)), invite("ben", row(3)), grant("ana", "finance")]
    changes[2] = replace(changes[2], rows=(row(2), row(4)))
    carry_out(tenant, changes, tmp_path, observer=ear)
    assert ear.counts[0] == (0, 3)
    assert ear.counts[-1] == (3, 3)
    assert ear.counts == sorted(ear.counts)
