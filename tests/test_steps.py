"""The calls of a plan: which changes travel together, in which order, and how many calls are announced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from builders import directory, email, group, user
from changes import (
    Clock,
    Wanted,
    announced,
    carry_out,
    change_role,
    create,
    difference,
    grant,
    invite,
    revoke,
    update,
)
from fakes import FakeTenant
from hypothesis import given, settings
from hypothesis import strategies as st

from onboarding.apply.steps import Call, Extent, Listing, Look, Stretch, looks, phases, stretches
from onboarding.model import Group, GroupName, Role
from onboarding.plan import Action, Cause, Change, Plan, Status

FINANCE, OPS = group("finance"), group("ops", default=True)


def calls(*changes: Change, batch: int = 20) -> list[list[tuple[str, list[str]]]]:
    return [
        [(call.action.value, [change.key for change in call.changes]) for call in phase]
        for phase in phases(Plan("acme.example", changes), batch)
    ]


# ---- together, and in order -------------------------------------------------------------------------------


def test_an_empty_plan_has_no_phases() -> None:
    assert phases(Plan("acme.example"), 20) == ()


@pytest.mark.parametrize(("people", "sizes"), [(1, [1]), (4, [4]), (5, [4, 1]), (8, [4, 4])])
def test_invitations_go_in_batches(people: int, sizes: list[int]) -> None:
    plan = Plan("acme.example", tuple(invite(f"p{number}") for number in range(people)))
    assert [len(call.changes) for call in phases(plan, 4)[0]] == sizes


def test_members_ride_along_with_their_new_group() -> None:
    plan = Plan("acme.example", (create("new"), grant("ana", "new"), grant("bob", "new")))
    assert phases(plan, 20) == ((Call(Action.CREATE_GROUP, plan.changes),),)


def test_what_takes_comes_after_what_gives_but_leavers_come_first() -> None:
    found = calls(
        revoke("bob", "finance"),
        revoke("lea", "finance", cause=Cause.LEAVER),
        update(FINANCE, default=True),
        change_role("ana", Role.MEMBER, Role.GUEST),
        change_role("bob", Role.GUEST, Role.MEMBER),
        grant("ana", "finance"),
        create("new"),
        invite("eve"),
        update(OPS, default=False),
        update(group("sales"), description="x"),
    )
    assert found == [
        [("revoke", ["revoke lea@acme.example finance"])],
        [
            ("update-group", ["update-group ops"]),
            ("update-group", ["update-group sales"]),
        ],
        [("invite", ["invite eve@acme.example"])],
        [("create-group", ["create-group new"])],
        [("grant", ["grant ana@acme.example finance"])],
        [("change-role", ["change-role bob@acme.example"])],
        [("change-role", ["change-role ana@acme.example"])],
        [("revoke", ["revoke bob@acme.example finance"])],
        [("update-group", ["update-group finance"])],
    ]


def test_grants_go_by_person_and_revocations_by_group() -> None:
    pairs = [("ana", "finance"), ("ana", "ops"), ("bob", "ops")]
    found = calls(*(grant(*pair) for pair in pairs), *(revoke(p + "2", g) for p, g in pairs))
    assert [[len(changes) for _, changes in phase] for phase in found] == [[2, 1], [1, 2]]


# ---- by an old look ---------------------------------------------------------------------------------------


@dataclass
class Calls:
    """A look that is old from some call on, and another one after so many more."""

    late_from: int
    lasts: int = 1000

    def __call__(self, calls: int, *, since: int | None = None) -> bool:
        return calls >= self.late_from if since is None else calls - since >= self.lasts


def by_look(*changes: Change, old: Calls, batch: int = 20, **there: Any) -> list[list[Stretch]]:
    tenant, plan = FakeTenant(**there), Plan("acme.example", changes)
    current = tenant.truth()
    found = stretches(phases(plan, batch), current, tenant, old, plan.admins_left(current))
    assert [[c for s in phase for c in s.calls] for phase in found] == [
        [*phase] for phase in phases(plan, batch)
    ]
    return [[*phase] for phase in found]


def sizes(phase: Iterable[Stretch]) -> list[tuple[int, int]]:
    return [(len(stretch.calls), stretch.looking) for stretch in phase]


@pytest.mark.parametrize(
    ("batch", "late_from", "found"),
    [
        pytest.param(20, 99, [(2, 0), (2, 0), (1, 0)], id="all-in-time"),
        pytest.param(20, 0, [(2, 1), (2, 1), (1, 1)], id="two-batches-a-look-up"),
        pytest.param(20, 2, [(2, 0), (2, 1), (1, 1)], id="late-ones"),
        pytest.param(20, 3, [(2, 0), (1, 0), (2, 1)], id="in-time-and-late-ones-apart"),
        pytest.param(50, 0, [(1, 2), (1, 2)], id="more-than-a-look-up"),
        pytest.param(40, 0, [(1, 1), (1, 1), (1, 1)], id="one-look-up-each"),
        pytest.param(9, 0, [(4, 1), (4, 1), (4, 1)], id="four-in-one"),
    ],
)
def test_invitations_by_an_old_look_stand_together_as_one_look_up_finds_them(
    batch: int, late_from: int, found: list[tuple[int, int]]
) -> None:
    invitations = [invite(f"p{number:03}") for number in range(100)]
    (phase,) = by_look(*invitations, old=Calls(late_from), batch=batch)
    assert sizes(phase) == found


def test_calls_of_the_phases_before_make_a_look_old() -> None:
    left = [revoke(f"q{number}", f"g{number}", cause=Cause.LEAVER) for number in range(7)]
    invitations = [invite(f"p{number:03}") for number in range(100)]
    _, phase = by_look(*left, *invitations, old=Calls(9))
    assert sizes(phase) == [(2, 0), (2, 1), (1, 1)]


def test_roles_by_an_old_look_stand_together_as_one_look_up_finds_them_in_time() -> None:
    changes = [change_role(f"p{number:03}", Role.GUEST, Role.MEMBER) for number in range(90)]
    (phase,) = by_look(*changes, old=Calls(5))
    assert sizes(phase) == [(5, 0), (40, 1), (40, 1), (5, 1)]
    (phase,) = by_look(*changes, old=Calls(5, lasts=30))
    assert sizes(phase) == [(5, 0), (30, 1), (30, 1), (25, 1)]


def test_one_look_at_the_groups_serves_as_many_updates_as_are_sent_in_time() -> None:
    groups = [group(f"g{number:03}") for number in range(150)]
    changes = [update(each, description="new") for each in groups]
    (phase,) = by_look(*changes, old=Calls(10, lasts=80), groups=groups)
    assert sizes(phase) == [(10, 0), (80, 2), (60, 2)]


def test_another_look_at_an_admin_who_is_demoted_is_at_those_who_stay_too() -> None:
    admins = [user(f"a{number:02}", Role.ADMIN) for number in range(45)]
    (phase,) = by_look(change_role("a00", Role.ADMIN, Role.MEMBER), old=Calls(0), users=admins)
    assert sizes(phase) == [(1, 2)]
    (phase,) = by_look(change_role("a00", Role.ADMIN, Role.MEMBER), old=Calls(0), users=admins[:9])
    assert sizes(phase) == [(1, 1)]


def test_nothing_else_is_looked_at_again_beforehand() -> None:
    for phase in by_look(
        create("new"), grant("ana", "finance"), revoke("bob", "ops"), old=Calls(0)
    ):
        assert sizes(phase) == [(1, 0)]


# ---- the fewest readings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "members", "changes", "found"),
    [
        pytest.param(
            500, 0, [invite("eve"), change_role("ana", Role.GUEST, Role.MEMBER)],
            [Look(Listing.USERS_BY_EMAIL, (email("ana"), email("eve")), 1)],
            id="few-people-are-looked-up",
        ),
        pytest.param(
            120, 0, [invite(f"p{number:03}") for number in range(121)],
            [Look(Listing.USERS, calls=3)],
            id="many-people-are-listed-on-three-pages",
        ),
        pytest.param(
            3, 250, [grant("ana", "finance"), grant("bob", "finance")],
            [Look(Listing.GROUPS_OF, (email(who),)) for who in ("ana", "bob")],
            id="a-large-group-is-read-by-person",
        ),
        pytest.param(
            3, 150, [grant(who, "finance") for who in ("ana", "bob", "cem")],
            [Look(Listing.MEMBERS, ("finance",), 2)],
            id="a-group-is-read-by-group",
        ),
        pytest.param(
            3, 100, [revoke("ana", "finance")], [Look(Listing.MEMBERS, ("finance",))],
            id="what-is-taken-shortens-the-listing",
        ),
        pytest.param(
            3, 0, [create("new"), update(OPS, default=False)], [Look(Listing.GROUPS)],
            id="groups-are-listed-once",
        ),
        pytest.param(3, 0, [], [], id="nothing"),
    ],
)  # fmt: skip
def test_a_reading_is_the_cheapest_that_shows_the_changes(
    people: int, members: int, changes: list[Change], found: list[Look]
) -> None:
    tenant = FakeTenant()
    current = directory(
        [user(f"x{number}") for number in range(people)],
        [group("finance", size=members), OPS],
    )
    assert list(looks(changes, Extent(current, changes), tenant)) == found


def test_invited_people_lengthen_the_default_groups() -> None:
    current = directory([], [OPS, FINANCE, group("old", default=True)])
    old = current.groups[GroupName("old")]
    changes = [
        invite("ana"), invite("bob"), grant("ana", "ops"), grant("ana", "finance"),
        revoke("bob", "ops"), update(old, default=False), create("new"),
    ]  # fmt: skip
    after = Extent(current, changes)
    assert (after.users, after.groups) == (2, 4)
    assert after.members == {"ops": 1, "finance": 1, "old": 0}
    assert after.groups_of == {email("ana"): 2, email("bob"): 0}


# ---- law 8: few calls, announced exactly; law 3: twice is once --------------------------------------------

PEOPLE = [email(f"p{number}") for number in range(9)]
TEAMS = [GroupName(f"g{number}") for number in range(5)]
roles = st.sampled_from(Role)


@st.composite
def tenants(draw: st.DrawFn) -> FakeTenant:
    groups = draw(st.sets(st.sampled_from(TEAMS)))
    people = draw(st.dictionaries(st.sampled_from(PEOPLE), roles))
    members = {
        name: draw(st.sets(st.sampled_from(sorted(people)))) if people else set() for name in groups
    }
    return FakeTenant(
        [user(who.split("@")[0], role) for who, role in people.items()],
        [group(name, default=draw(st.booleans())) for name in sorted(groups)],
        members,
        page_size=draw(st.integers(1, 5)),
        lookup_size=draw(st.integers(1, 5)),
    )


@st.composite
def jobs(draw: st.DrawFn, tenant: FakeTenant) -> Wanted:
    people = draw(st.dictionaries(st.sampled_from(PEOPLE), roles))
    groups: dict[GroupName, Group] = {
        name: group(name, description=draw(st.sampled_from(["", "x"])), default=draw(st.booleans()))
        for name in draw(st.sets(st.sampled_from(TEAMS)))
    }
    known = tenant.truth()
    whom = sorted(people.keys() | known.users.keys())
    where = sorted(groups.keys() | known.groups.keys())
    if not whom or not where:
        return Wanted(people, groups)
    pairs = st.tuples(st.sampled_from(whom), st.sampled_from(where))
    inside = draw(st.frozensets(pairs))
    leavers = frozenset(draw(st.sets(st.sampled_from(whom))))
    # Whoever is invited slips into the default groups: taking them out again is for a second run.
    there = {pair for pair in draw(st.frozensets(pairs)) if pair[0] in known.users}
    return Wanted(people, groups, inside, frozenset(there - inside), leavers)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 4), st.sampled_from([1, 4]))
def test_what_is_announced_is_what_the_tenant_counts(
    data: st.DataObject, batch: int, workers: int
) -> None:
    tenant = data.draw(tenants())
    wanted = data.draw(jobs(tenant))
    changes = difference(tenant, wanted).changes
    pace = Clock().pace(batch=batch, workers=workers)
    number = announced(tenant, changes, pace)
    with TemporaryDirectory() as folder:
        applied = carry_out(tenant, changes, Path(folder), pace=pace)
    assert {outcome.status for outcome in applied.outcomes.values()} <= {Status.APPLIED}
    assert tenant.calls == number
    assert difference(tenant, wanted).changes == ()
