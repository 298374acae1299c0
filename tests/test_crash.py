"""A crash anywhere is picked up: before, during and after every call, before and after every write to the state.

A job with every kind of change is run over a tenant in memory and made to die (or to meet a lost answer, or another
admin) at one point after the other until no point is left. Then it is run again, as cron would, beyond the
waiting time. Whatever happened, the tenant ends right, nobody gets two invitations, and every row has a result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from builders import email, group, intake, person, row, team, user
from changes import Clock
from fakes import Crash, FakeTenant, Fault
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onboarding.apply import Applied, Pace, apply, forecast, settle
from onboarding.errors import TenantError
from onboarding.journal import State
from onboarding.look import look
from onboarding.model import Intake, Role, Standing
from onboarding.plan import Plan, Status
from onboarding.reconcile import Wishes, reconcile
from onboarding.safety import Permissions, screen

ADMIN, MEMBER, GUEST = Role.ADMIN, Role.MEMBER, Role.GUEST

WISHES = Wishes(leavers_revoke=True)
PERMISSIONS = Permissions(allow_admins=True, allow_default=True)


def job() -> Intake:
    """Every kind of change, in three small sheets."""
    return intake(
        [
            person("new1", MEMBER, rows=(row(2),)),
            person("new2", GUEST, rows=(row(3),)),
            person("new3", MEMBER, rows=(row(4),)),
            person("up", ADMIN, rows=(row(5),)),
            person("down", GUEST, rows=(row(6),)),
            person("lea", rows=(row(7),), standing=Standing.LEAVER),
        ],
        [
            team("Born", rows=(row(2, "groups.csv", 1),), description="new"),
            team("Finance", rows=(row(3, "groups.csv", 1),), description="money"),
            team("Open", rows=(row(4, "groups.csv", 1),), default=True),
            team("Closed", rows=(row(5, "groups.csv", 1),), default=False),
        ],
        {
            "new1": {"Born": [row(2, "m.csv", 2)], "Finance": [row(3, "m.csv", 2)]},
            "new2": {"Finance": [row(4, "m.csv", 2)]},
            "up": {"Born": [row(5, "m.csv", 2)]},
            "down": {"Finance": [row(6, "m.csv", 2)], "Open": [row(7, "m.csv", 2)]},
        },
        {"down": {"Ops": [row(8, "m.csv", 2)]}, "up": {"Ops": [row(9, "m.csv", 2)]}},
    )


def tenant(**facts: Any) -> FakeTenant:
    """What the job meets."""
    return FakeTenant(
        [user("up"), user("down"), user("lea"), user("boss", ADMIN)],
        [group("finance"), group("ops"), group("open"), group("closed", default=True)],
        {"ops": ["up", "down", "lea"], "finance": ["lea"]},
        **facts,
    )


ALL_DONE = {
    email("new1"): {"born", "finance"},
    email("new2"): {"finance"},
    email("up"): {"born"},
    email("down"): {"finance", "open"},
}


@dataclass(slots=True)
class Dying:
    """A state or journal whose process dies before or after its n-th write."""

    inner: Any
    at: int = 0
    after: bool = False
    writes: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in WRITES:
            return found

        def write(*args: Any, **facts: Any) -> Any:
            self.writes.append(name)
            if len(self.writes) == self.at and not self.after:
                raise Crash
            found(*args, **facts)
            if len(self.writes) == self.at:
                raise Crash

        return write

    def begin(self, run: str, copy: Path) -> Dying:
        return Dying(self.inner.begin(run, copy), self.at, self.after, self.writes)


WRITES = frozenset(
    (
        *("intend", "accept", "doubt", "conclude", "finish"),
        *("close_intents", "drop_intents", "doubt_intents"),
    )
)
MEMORY = Path("/dev/shm")


def a_folder() -> TemporaryDirectory[str]:
    """A folder in memory where there is one: thousands of flushes are not what is tested here."""
    return TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of the job came to."""

    plan: Plan
    applied: Applied
    announced: int
    """Calls of applying, as said beforehand."""
    made: int


def run(
    wanted: Intake, has: FakeTenant, folder: Path, pace: Pace, dying: Dying | None = None
) -> Run:
    """Settle, look, reconcile, guard, apply, report: the main path without its files."""
    dying = dying or Dying(None)
    with State.alone(folder, has.name, create=True, now=pace.now) as real:
        dying.inner = real
        state: Any = dying
        doubtful = settle(state, has, pace)
        current = look(has, wanted.desired, whole_groups=False, leavers_revoke=True)
        plan = reconcile(wanted, current, WISHES, earlier=state.earlier()).plan
        recent = state.invited_recently([c.email for c in plan.changes if c.email])
        plan = screen(plan, current, PERMISSIONS, doubtful=doubtful, invited_recently=recent)
        journal = state.begin("run", folder / "journal.jsonl")
        announced, before = forecast(plan, current, has, pace), has.calls
        applied = apply(plan, current, has, journal, pace)
        assert applied.outcomes.keys() == {change.key for change in plan.changes}
        journal.finish()
        return Run(plan, applied, announced, has.calls - before)


def survive(
    has: FakeTenant,
    folder: Path,
    dying: Dying | None = None,
    clock: Clock | None = None,
    *,
    batch: int = 20,
) -> bool:
    """Run once, dying or not; then as cron would; check that all is right. False: nothing happened at all."""
    clock, wanted = clock or Clock(), job()
    pace = clock.pace(batch=batch)
    died = False
    try:
        run(wanted, has, folder, pace, dying)
    except (Crash, TenantError):
        died = True
    faulted = died or any(not fault.times for fault in has.faults)
    has.faults.clear()
    for pause in (1, 60, 1000, 1000):
        clock.sleep(pause)
        last = run(wanted, has, folder, pace)
        if pause == 60:
            has.land()
    assert_right(has, wanted, last)
    return faulted


def assert_right(has: FakeTenant, wanted: Intake, last: Run) -> None:
    truth = has.truth()
    assert last.plan.changes == ()
    assert {ref for settled in last.plan.settled for ref in settled.rows} == set(wanted.rows)
    assert {s.status for s in last.plan.settled} <= {
        Status.UNCHANGED,
        Status.APPLIED,
        Status.MANUAL,
    }
    assert set(Counter(has.mails).values()) <= {1}
    assert {who: truth.memberships[who] for who in ALL_DONE} == ALL_DONE
    assert truth.memberships.get(email("lea")) is None
    roles = {name: truth.users[email(name)].role for name in ("new1", "new2", "new3", "up", "down")}
    assert roles == {"new1": MEMBER, "new2": GUEST, "new3": MEMBER, "up": ADMIN, "down": GUEST}
    assert {name: g.default for name, g in truth.groups.items()} == {
        "finance": False,
        "ops": False,
        "open": True,
        "closed": False,
        "born": False,
    }
    assert (truth.groups["born"].description, truth.groups["finance"].description) == (  # type: ignore[index]
        "new",
        "money",
    )


def until_nothing_happens(attempt: Callable[[int, Path], bool]) -> int:
    """Try one point after the other until the run no longer reaches it; give the number of points."""
    point = 1
    while True:
        with a_folder() as folder:
            if not attempt(point, Path(folder)):
                return point - 1
        point += 1


def test_undisturbed_one_run_does_it_all(tmp_path: Path) -> None:
    has, clock = tenant(), Clock()
    first = run(job(), has, tmp_path, clock.pace())
    assert {outcome.status for outcome in first.applied.outcomes.values()} == {Status.APPLIED}
    assert first.made == first.announced
    second = run(job(), has, tmp_path, clock.pace())
    assert_right(has, job(), second)
    assert len(has.mails) == 3
    assert second.made == second.announced == 0


@pytest.mark.parametrize(
    "kind",
    ["crash", "crash_after", "doubt_before", "doubt_after", "doubt_late", "throttle", "not_sent"],
)
@pytest.mark.parametrize("batch", [2, 20])
def test_at_every_call(kind: Any, batch: int) -> None:
    def attempt(point: int, folder: Path) -> bool:
        return survive(tenant(faults=[Fault(kind, point)]), folder, batch=batch)

    assert until_nothing_happens(attempt) > 20


@pytest.mark.parametrize("kind", ["crash", "crash_after", "doubt_before", "doubt_late"])
def test_at_every_call_of_a_tenant_that_shows_late(kind: Any) -> None:
    def attempt(point: int, folder: Path) -> bool:
        return survive(tenant(faults=[Fault(kind, point)], read_lag=2), folder)

    assert until_nothing_happens(attempt) > 20


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([], id="all-well"),
        pytest.param([("doubt_before", "invite"), ("doubt_after", "create_group")], id="doubts"),
        pytest.param([("doubt_late", "invite"), ("doubt_late", "create_group")], id="late"),
        pytest.param([("refuse", "invite"), ("not_sent", "add_to_groups")], id="refusals"),
    ],
)
def test_at_every_write_to_the_state(after: bool, faults: list[tuple[Any, str]]) -> None:
    def attempt(point: int, folder: Path) -> bool:
        has = tenant(faults=[Fault(kind, at) for kind, at in faults])
        dying = Dying(None, point, after)
        survive(has, folder, dying)
        return len(dying.writes) >= point

    assert until_nothing_happens(attempt) > 20


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("landed", [False, True], ids=["never-landed", "landed-late"])
def test_at_every_write_of_settling(after: bool, landed: bool) -> None:
    def attempt(point: int, folder: Path) -> bool:
        kind: Any = "doubt_late" if landed else "doubt_before"
        clock, has = Clock(), tenant(faults=[Fault(kind, "write", times=9)])
        run(job(), has, folder, clock.pace())
        has.land()
        clock.sleep(1000)
        dying = Dying(None, point, after)
        survive(has, folder, dying, clock)
        return len(dying.writes) >= point

    assert until_nothing_happens(attempt) > 5


def test_another_admin_at_every_call() -> None:
    def other(has: FakeTenant) -> None:
        if email("new1") not in has.truth().users:
            has.put(user("new1", GUEST))
        if "born" not in has.truth().groups:
            has.put(group("born", "Born"))
        has.leave("ops", "up")

    def attempt(point: int, folder: Path) -> bool:
        return survive(tenant(faults=[Fault("do", point, do=other)]), folder)

    assert until_nothing_happens(attempt) > 20


KINDS = ["crash", "crash_after", "doubt_before", "doubt_after", "doubt_late", "not_sent", "token"]
LONG = 900  # what is under way lands before that, or never


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    faults=st.lists(
        st.builds(Fault, st.sampled_from(KINDS), st.integers(1, 40)), min_size=2, max_size=5
    ),
    pauses=st.lists(st.sampled_from([1, 60, 899, 901]), max_size=4),
    lag=st.integers(0, 2),
    atomic=st.booleans(),
    names_the_bad=st.booleans(),
)
def test_misfortunes_in_a_row(
    faults: list[Fault], pauses: list[int], lag: int, atomic: bool, names_the_bad: bool
) -> None:
    """Several faults, spread over several runs at odd intervals."""
    clock = Clock()
    has = tenant(faults=faults, read_lag=lag, atomic=atomic, names_the_bad=names_the_bad)
    with a_folder() as name:
        for pause in pauses:
            with suppress(Crash, TenantError):
                run(job(), has, Path(name), clock.pace())
            if pause >= LONG - 1:
                has.land()
            clock.sleep(pause)
        survive(has, Path(name), clock=clock)
