"""Everything that can go wrong with a call, at every call, alone and in pairs, in real runs over real sockets.

What must be true after each run, whatever befell it, is ``rig``'s. Small here; with ``ONBOARDING_TEST_PROFILE=full``
every fault meets every request, and thousands of random stories are told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import load
import pytest
import rig
from cutter import Cut, cutter
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from rig import LAG, LATE, NAMES, PATIENCE, WAIT, Asked, Meddler, Rig, Tenant
from test_crash import a_folder

from onboarding.atlan import Atlan
from onboarding.errors import TenantError, TokenRefused

FULL = os.environ.get("ONBOARDING_TEST_PROFILE") == "full"
pytestmark = pytest.mark.timeout(0 if FULL else 300)

FAULTS: dict[str, dict[str, Any]] = {
    "slow": {"kind": "latency", "seconds": 0.02},
    "slow-after-the-work": {"kind": "latency", "seconds": 0.02, "done": True},
    "500": {"kind": "status", "status": 500, "shape": "A"},
    "500-done": {"kind": "status", "status": 500, "shape": "A", "done": True},
    "500-named": {"kind": "status", "status": 500, "shape": "B"},
    "500-named-done": {"kind": "status", "status": 500, "shape": "B", "done": True},
    "502": {"kind": "html", "status": 502},
    "502-done": {"kind": "html", "status": 502, "done": True},
    "503": {"kind": "status", "status": 503, "shape": "F"},
    "503-pause": {"kind": "status", "status": 503, "retry_after": "2"},
    "504-done": {"kind": "status", "status": 504, "shape": "C", "done": True},
    "429": {"kind": "status", "status": 429},
    "429-pause": {"kind": "status", "status": 429, "retry_after": "7", "shape": "F"},
    "429-done": {"kind": "status", "status": 429, "retry_after": "1", "done": True},
    "429-long": {"kind": "status", "status": 429, "retry_after": "901"},
    "401": {"kind": "status", "status": 401, "shape": "E"},
    "403": {"kind": "status", "status": 403, "shape": "F"},
    "403-done": {"kind": "status", "status": 403, "shape": "F", "done": True},
    "400": {"kind": "status", "status": 400, "shape": "A"},
    "404": {"kind": "status", "status": 404, "shape": "F"},
    "408-done": {"kind": "status", "status": 408, "done": True},
    "409": {"kind": "status", "status": 409, "shape": "A"},
    "413": {"kind": "html", "status": 413},
    "page": {"kind": "html", "status": 200},
    "page-done": {"kind": "html", "status": 200, "done": True},
    "redirect": {"kind": "redirect-302"},
    "redirect-done": {"kind": "redirect-302", "done": True},
    "drop-before": {"kind": "drop-before"},
    "drop-during": {"kind": "drop-during"},
    "drop-after": {"kind": "drop-after"},
    "cut-answer": {"kind": "cut-answer"},
    "truncate-json": {"kind": "truncate-json"},
    "slow-drip": {"kind": "slow-drip", "seconds": 0.05},
}


CHANGES = {
    "invitation": r"POST /api/service/users ",
    "new-group": r"POST /api/service/groups ",
    "group-update": r"POST /api/service/groups/[^/ ]+ ",
    "membership": r"POST /api/service/users/[^/]+/groups ",
    "role": r"POST .*/roles/update ",
    "removal": r"POST .*/members/remove ",
}


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    with rig.tenant(tmp_path_factory.mktemp("tenant")) as running:
        yield running


def everything() -> Asked:
    """Every kind of change, somebody disabled, and somebody whose row is wrong."""
    newborn, finance = frozenset({"Newborn"}), frozenset({"Newborn", "Finance"})
    return Asked(
        people={
            "new1": ("Member", newborn),
            "new2": ("Guest", finance),
            "new3": ("Guest", frozenset()),
            "ana.kovacs": ("Guest", frozenset({"Marketing"})),
            "ben.okafor": ("Member", newborn),
            "farid.haddad": ("Member", frozenset({"Marketing"})),
            "carla.mendes": ("Guest", newborn),
        },
        joins={("grace.tan", "Analytics"), ("new1", "Analytics")},
        leaves={("dmitri.volkov", "Finance"), ("nadia.rossi", "Finance")},
        teams={"Analytics": "", "Finance": "money"},
        spoilt={"carla.mendes"},
    )


# ---- each fault, at each request -------------------------------------------------------------------------------


def meet(tenant: Tenant, fault: dict[str, Any], nth: int, **facts: Any) -> bool:
    """Whether a run makes so many calls that this fault hits one; then it is carried on."""
    with a_folder() as folder:
        desk = Rig(Path(folder), tenant, everything(), **facts)
        tenant.behave(fault | {"match": "/api/", "nth": nth})
        desk.run()
        (seen,) = tenant.hits()
        tenant.behave()
        if seen >= nth:
            desk.carry_on()
            desk.rest()
        RUNS.append(desk.runs)
    return seen >= nth


RUNS: list[int] = []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_a_request_costs_time_and_nothing_else(tenant: Tenant, name: str) -> None:
    place = list(FAULTS).index(name)
    if not FULL:
        assert meet(tenant, FAULTS[name], 1 + place % 23)
        return
    met = [meet(tenant, FAULTS[name], nth, workers=1) for nth in range(1, 40)]
    assert sum(met) > 20


@pytest.mark.parametrize("call", ["POST .*/users$", "POST .*e/groups$"])
def test_what_comes_about_after_we_gave_up_is_not_done_twice(tenant: Tenant, call: str) -> None:
    with a_folder() as folder:
        desk = Rig(Path(folder), tenant, everything(), late=True, patience=0.4)
        tenant.behave({"kind": "latency", "match": call, "seconds": LATE}, **CALM)
        assert "in_doubt" in {row["result_status"] for row in desk.run().rows}
        desk.run()  # before it comes about, unless this machine is slow
        desk.patience = PATIENCE
        desk.late = False
        desk.let_time_go_by(WAIT + 1)
        desk.carry_on()
        desk.rest()


@pytest.mark.parametrize("call", CHANGES)
def test_a_yes_that_is_not_true_is_not_believed(tenant: Tenant, call: str) -> None:
    with a_folder() as folder:
        desk = Rig(Path(folder), tenant, everything())
        lie = {"kind": "status", "status": 200, "body": "{}", "match": CHANGES[call].strip() + "$"}
        tenant.behave(lie, **CALM)
        assert "in_doubt" in {row["result_status"] for row in desk.run().rows}
        assert tenant.hits() > [0]
        desk.let_time_go_by(WAIT + 1)
        if call != "invitation":  # which counts as sent for thirty days, seen or not
            desk.carry_on()
        desk.rest()
        RUNS.append(desk.runs)


def test_the_command_carries_on_by_itself_or_says_what_stopped_it(tenant: Tenant) -> None:
    with a_folder() as folder:
        asked = everything()
        asked.people.pop("farid.haddad")
        asked.spoilt.clear()
        desk = Rig(Path(folder), tenant, asked)
        refused = FAULTS["401"] | {"match": "members/remove"}
        tenant.behave(refused, *HARMLESS, **CALM)
        assert desk.command(TokenRefused("")).code == 4
        tenant.behave()
        assert desk.command().code == 0
        assert desk.command().posts == 0
        RUNS.append(desk.runs)


HARMLESS = [
    {"kind": "drop-after", "match": "POST .*/users$"},
    {"kind": "cut-answer", "match": "POST .*e/groups$"},
    {"kind": "html", "match": "GET .*/members$", "status": 502},
    {"kind": "truncate-json", "match": "roles/update"},
]
"""What is settled by reading, at once."""


# ---- each switch ------------------------------------------------------------------------------------------------

CALM = {"known_email": "mail", "rate_block": 0.001}
"""A second invitation is a second mail, which can't be missed."""
SWITCHES: list[tuple[str, object]] = [
    ("group_update", "replace"),
    ("invite_batch", "atomic"),
    ("unknown_guid", 400),
    ("readd_member", "error"),
    ("known_email", "error"),
    ("username_collision", "error"),
    ("role_update", "update"),
    ("role_update", "both"),
    ("in_case_sensitive", False),
    ("sso_enforced", True),
    ("no_seats", True),
    ("bad_token", 302),
    ("page_cap", 3),
    ("page_size", 4),
    ("url_limit", 400),
    ("totals", "moving"),
    ("empty_page", "null"),
    ("empty_page", "list"),
    ("empty_page", "missing"),
    ("numbers", "strings"),
    ("numbers", "numbers"),
    ("bare_users", 2),
    ("read_lag", LAG),
    ("latency_ms", 2),
    ("rate_limit", 7),
    ("retry_after", False),
]


@pytest.mark.parametrize(("name", "value"), SWITCHES)
def test_a_tenant_that_is_otherwise_loses_and_doubles_nothing(
    tenant: Tenant, name: str, value: object
) -> None:
    with a_folder() as folder:
        desk = Rig(Path(folder), tenant, everything())
        tenant.behave(**CALM | {name: value})
        desk.run()
        desk.run()
        tenant.behave(**rig.DEFAULTS | CALM)
        desk.let_time_go_by(WAIT + 1)
        desk.carry_on()
        desk.rest()
        RUNS.append(desk.runs)


# ---- cut at every byte -----------------------------------------------------------------------------------------


def some(sizes: range) -> list[int]:
    """All of them, or one in the middle and the last."""
    return list(sizes) if FULL else [sizes[len(sizes) // 2], sizes[-1]]


def cut_once(tenant: Tenant, cut: Cut) -> Cut:
    """Carry a job through although one exchange is cut."""
    with a_folder() as folder, cutter(tenant.url) as between:
        between.cut = cut
        lossy = cut.request is not None
        desk = Rig(Path(folder), tenant, everything(), url=between.url, lossy=lossy)
        desk.run()
        assert cut.done.is_set()
        if cut.answer is not None or cut.request is not None:
            desk.carry_on()
        RUNS.append(desk.runs)
    return cut


@pytest.mark.parametrize("call", CHANGES)
def test_an_answer_to_a_change_cut_at_any_byte_is_settled(tenant: Tenant, call: str) -> None:
    _, size = cut_once(tenant, Cut(CHANGES[call])).sizes
    assert size > 50
    for at in some(range(size)):
        cut_once(tenant, Cut(CHANGES[call], answer=at, reset=at % 2 == 1))


@pytest.mark.parametrize("call", CHANGES)
def test_a_change_cut_at_any_byte_is_settled(tenant: Tenant, call: str) -> None:
    size, _ = cut_once(tenant, Cut(CHANGES[call])).sizes
    assert size > 200
    for at in some(range(1, size + 1)):
        cut_once(tenant, Cut(CHANGES[call], request=at))


READINGS: dict[str, tuple[str, Callable[[Atlan], object]]] = {
    "roles": ("/roles", lambda tenant: tenant.identity().roles),
    "own-account": ("/users/current", lambda tenant: tenant.account()),
    "all-users": ("/users[?]", lambda tenant: tenant.users()),
    "look-up": ("/users[?]", lambda tenant: tenant.users_by_email(["ana.kovacs@acme.example"])),
    "groups": ("/v2/groups", lambda tenant: tenant.groups()),
    "members": ("/members", lambda tenant: tenant.members(tenant.groups()[0].id)),
    "groups-of": ("/groups[?]", lambda tenant: tenant.groups_of(tenant.users()[0].id)),
}


@pytest.mark.parametrize("reading", READINGS)
def test_a_reading_cut_at_any_byte_is_made_again(
    tenant: Tenant, tmp_path: Path, reading: str
) -> None:
    line, read = READINGS[reading]
    tenant.reset()
    with cutter(tenant.url) as between:
        desk = Rig(tmp_path, tenant, Asked(), url=between.url)
        between.cut = whole = Cut(f"GET .*{line}")
        expected = read(desk.client())
        request, answer = whole.sizes
        ways = [Cut(whole.match, answer=at, reset=at % 2 == 1) for at in some(range(answer))]
        ways += [Cut(whole.match, request=at) for at in some(range(1, request + 1))]
        for way in ways:
            between.cut = way
            assert read(desk.client()) == expected, way
            assert way.done.is_set()
        for way in ways[:: 100 if FULL else 3]:
            between.cut = replace(way, always=True)
            with pytest.raises(TenantError):
                read(desk.client())


# ---- stories ---------------------------------------------------------------------------------------------------

NEW = ["new1", "new2", "new3", "new4"]
KNOWN = ["ana.kovacs", "ben.okafor", "dmitri.volkov", "emma.lindqvist", "farid.haddad"]
WHO = st.sampled_from(NEW + KNOWN)
GROUP = st.sampled_from(list(NAMES))
CALLS = ["GET", "POST", r"GET .*/users$", r"/members$", "v2/groups", r"POST .*/users$"]
CALLS += [r"POST .*e/groups", r"POST .*/users/.*/groups", "roles/update", "members/remove"]
FAULT = st.builds(
    lambda name, place, times: FAULTS[name] | {"match": place[0], "nth": place[1], "times": times},
    st.sampled_from(list(FAULTS)),
    st.one_of(
        st.tuples(st.just("/api/"), st.integers(1, 25)),
        st.tuples(st.sampled_from(CALLS), st.integers(1, 2)),
    ),
    st.sampled_from([1, 1, 2, 5, 0]),
)
EDITS = st.one_of(
    st.tuples(
        st.just("want"), WHO, st.sampled_from(["Member", "Guest"]), st.frozensets(GROUP, max_size=2)
    ),
    st.tuples(st.sampled_from(["spoil", "forget"]), WHO),
    st.tuples(st.sampled_from(["join", "leave"]), st.sampled_from(KNOWN), GROUP),
    st.tuples(st.just("describe"), GROUP, st.sampled_from(["", "money", "born today"])),
)
GIFTS = st.one_of(
    st.tuples(st.just("invite"), st.sampled_from(NEW)),
    st.tuples(st.just("create"), st.sampled_from(["Newborn", "Analytics"])),
)
TROUBLE = st.tuples(FAULT | st.none(), FAULT | st.none())
NIGHT = {
    "edits": st.lists(EDITS, min_size=2, max_size=6),
    "pause": st.sampled_from([1, 60, WAIT - 60, WAIT + 1]),
    "mood": st.none() | st.sampled_from(SWITCHES),
    "taken": st.none()
    | st.tuples(st.sampled_from(KNOWN), st.sampled_from(["finance", "marketing"])),
    "given": st.none() | GIFTS,
    "soon": st.integers(0, 9),
    "trouble": TROUBLE,
}
"""New sheets, another mood, another admin (at a step of the run, or before it), and calls that go wrong."""


Fault = dict[str, Any] | None


class Story(RuleBasedStateMachine):
    """Somebody edits sheets and runs the job, others are admins too, and the tenant has its moods."""

    tenant: Tenant

    @initialize(workers=st.sampled_from([1, 4]), batch=st.sampled_from([1, 2, 20]))
    def begin(self, workers: int, batch: int) -> None:
        self.opened = ExitStack()
        folder = Path(self.opened.enter_context(a_folder()))
        asked = Asked(  # a row in each sheet that no edit takes away
            people={"grace.tan": ("Admin", frozenset())},
            teams={"Marketing": ""},
            leaves={("grace.tan", "Marketing")},
        )
        self.desk = Rig(folder, self.tenant, asked, workers=workers, batch=batch)
        self.reviewed: Path | None = None

    @rule(**NIGHT)
    def run(self, **night: Any) -> None:
        with self.amid(**night) as voice:
            self.desk.run(voice)

    @rule(**NIGHT, more=TROUBLE)
    def plan_and_apply(self, more: Sequence[Fault], **night: Any) -> None:
        with self.amid(**night) as voice:
            self.reviewed = self.desk.plan() or self.reviewed
            self.tenant.behave(*filter(None, more))
            if self.reviewed:
                self.desk.apply(self.reviewed, voice)

    @rule(**NIGHT)
    def apply_again(self, **night: Any) -> None:
        with self.amid(**night) as voice:
            if self.reviewed:
                self.desk.apply(self.reviewed, voice)

    @contextmanager
    def amid(
        self,
        edits: Sequence[tuple[Any, ...]],
        pause: float,
        mood: tuple[str, object] | None,
        taken: tuple[str, str] | None,
        given: tuple[str, str] | None,
        soon: int,
        trouble: Sequence[Fault],
    ) -> Iterator[Meddler]:
        for edit in edits:
            self.desk.asked.edit(*edit)
        self.desk.let_time_go_by(pause)
        switches = rig.DEFAULTS | CALM | dict([mood] if mood else [])
        self.tenant.behave(*filter(None, trouble), **switches)
        if taken:
            self.tenant.remove(*taken)
        act = partial(getattr(self.tenant, given[0]), given[1]) if given else None
        if act and not soon:
            act()
        yield Meddler(soon, act)
        self.tenant.behave()

    def teardown(self) -> None:
        """Once all is well again, and time has gone by, all is as asked."""
        if not hasattr(self, "desk"):
            return
        with self.opened:
            if not self.desk.sound:
                return
            self.desk.asked.spoilt.clear()
            self.desk.asked.edit("want", "new1", "Guest", frozenset({"Finance"}))
            self.tenant.behave(**rig.DEFAULTS | CALM)
            self.desk.let_time_go_by(WAIT + 1)
            self.desk.carry_on(further=3)
            self.desk.rest()
            RUNS.append(self.desk.runs)


def test_whatever_happens_nothing_is_doubled_lost_or_made_up(tenant: Tenant) -> None:
    Story.tenant = tenant
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=400 if FULL else 8,
            stateful_step_count=10 if FULL else 7,
            derandomize=not FULL,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# ---- a large job -----------------------------------------------------------------------------------------------


def test_a_large_job_ends_right_although_one_call_in_a_hundred_goes_wrong(tmp_path: Path) -> None:
    with a_folder() as folder:
        *runs, last = load.carry_out(Path(folder), 100_000 if FULL else 300)
    assert last["posts"] == 0
    assert max(run["MB"] for run in runs) < (1500 if FULL else 250)
