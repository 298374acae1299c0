"""The plan as a value: what a change is, in which order, under which fingerprint, saved and loaded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from builders import group, row, user
from changes import change_role, create, grant, invite, revoke, update
from hypothesis import given
from hypothesis import strategies as st

from onboarding.model import Role
from onboarding.plan import (
    Action,
    Cause,
    Change,
    Plan,
    Settled,
    Status,
)

LEAVER = revoke("zoe", "finance", cause=Cause.LEAVER)


# ---- changes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "action", "key"),
    [
        (invite("ana"), Action.INVITE, "invite ana@acme.example"),
        (
            change_role("ana", Role.GUEST, Role.ADMIN),
            Action.CHANGE_ROLE,
            "change-role ana@acme.example",
        ),
        (create("finance"), Action.CREATE_GROUP, "create-group finance"),
        (update(group("finance"), default=True), Action.UPDATE_GROUP, "update-group finance"),
        (grant("ana", "finance"), Action.GRANT, "grant ana@acme.example finance"),
        (revoke("ana", "finance"), Action.REVOKE, "revoke ana@acme.example finance"),
    ],
)
def test_the_side_that_is_missing_says_what_a_change_does(
    change: Change, action: Action, key: str
) -> None:
    assert change.action is action
    assert change.key == key
    assert (change.email is not None, change.group is not None) == (
        "@" in key,
        "finance" in key,
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, None),
        (user("ana"), None),
        (group("finance"), None),
        (user("ana"), group("finance")),
    ],
)
def test_nothing_deletes_people_or_groups(before: Any, after: Any) -> None:
    with pytest.raises(ValueError, match="no change leads from"):
        Change(before, after)


@pytest.mark.parametrize(
    ("old", "new", "promotion", "demotion"),
    [
        (Role.GUEST, Role.MEMBER, True, False),
        (Role.ADMIN, Role.MEMBER, False, True),
        pytest.param(None, Role.ADMIN, False, True, id="from-unknown"),
    ],
)
def test_a_role_rises_or_falls(
    old: Role | None, new: Role, promotion: bool, demotion: bool
) -> None:
    before = user("ana", old)
    change = Change(before, replace(before, role=new))
    assert (change.is_promotion, change.is_demotion) == (promotion, demotion)


def test_an_invitation_neither_raises_nor_lowers_anybody() -> None:
    assert not invite("ana", role=Role.ADMIN).is_promotion
    assert not invite("ana", role=Role.ADMIN).is_demotion


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (Status.REJECTED, "error"),
        (Status.IN_DOUBT, "error"),
        (Status.FAILED, "error"),
        (Status.SKIPPED, "error"),
        (Status.MANUAL, "manual"),
        (Status.APPLIED, "success"),
        (Status.PLANNED, "planned"),
        (Status.UNCHANGED, "success"),
    ],
)
def test_every_status_has_a_result_and_a_place(status: Status, result: str) -> None:
    assert status.result == result
    assert list(Status)[status.severity] is status


# ---- the plan ------------------------------------------------------------------------------------------------

IN_ORDER = (
    LEAVER,
    update(group("d_off", default=True), default=False),
    update(group("desc"), description="x"),
    invite("ana"),
    create("finance"),
    grant("ana", "finance"),
    change_role("bob", Role.GUEST, Role.MEMBER),
    change_role("abe", Role.ADMIN, Role.MEMBER),
    revoke("ana", "finance"),
    update(group("d_on"), default=True),
)


@given(st.permutations(IN_ORDER))
def test_a_plan_is_in_the_order_of_carrying_out_however_it_was_made(
    changes: list[Change],
) -> None:
    plan = Plan("acme.example", tuple(changes))
    assert plan.changes == IN_ORDER
    assert plan == Plan("acme.example", IN_ORDER)
    assert len(plan) == len(IN_ORDER)


SETTLED = (
    Settled(Status.SKIPPED, "held", "a", (row(2),)),
    Settled(Status.MANUAL, "deactivate", "a", (row(2),)),
    Settled(Status.MANUAL, "reactivate", "a", (row(2),)),
    Settled(Status.MANUAL, "reactivate", "a", (row(2),), invite("ana")),
    Settled(Status.MANUAL, "reactivate", "b", (row(2),), invite("ana")),
    Settled(Status.SKIPPED, "held", "a", (row(2), row(3))),
    Settled(Status.SKIPPED, "held", "a", (row(3),)),
)


@given(st.permutations(SETTLED))
def test_what_is_settled_is_in_the_order_of_rows_then_the_worst_first(
    settled: list[Settled],
) -> None:
    assert Plan("", settled=tuple(settled)).settled == SETTLED


def test_a_plan_gives_changes_by_their_action() -> None:
    plan = Plan("", IN_ORDER)
    assert [c.key for c in plan.of(Action.INVITE, Action.CREATE_GROUP)] == [
        "invite ana@acme.example",
        "create-group finance",
    ]


HERE = Plan("acme.example", (invite("ana"), update(group("ops"), default=True)))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(replace(HERE, changes=HERE.changes[::-1]), True, id="order"),
        pytest.param(
            replace(HERE, changes=tuple(replace(c, rows=(row(9),)) for c in HERE.changes)),
            True,
            id="rows",
        ),
        pytest.param(
            replace(
                HERE,
                changes=(
                    HERE.changes[0],
                    update(group("ops", size=5, channels=("x",)), default=True),
                ),
            ),
            True,
            id="counts",
        ),
        pytest.param(
            replace(HERE, settled=(Settled(Status.MANUAL, "deactivate", "", (row(2),)),)),
            True,
            id="settled",
        ),
        pytest.param(replace(HERE, tenant="other.example"), False, id="tenant"),
        pytest.param(replace(HERE, changes=HERE.changes[:1]), False, id="fewer"),
        pytest.param(
            replace(HERE, changes=(invite("ana", role=Role.ADMIN), HERE.changes[1])),
            False,
            id="after",
        ),
        pytest.param(
            replace(
                HERE,
                changes=(HERE.changes[0], update(group("ops", description="x"), default=True)),
            ),
            False,
            id="before",
        ),
        pytest.param(
            replace(HERE, changes=(*HERE.changes, replace(LEAVER, cause=Cause.ABSENT))),
            False,
            id="more",
        ),
    ],
)
def test_the_fingerprint_stands_for_tenant_and_changes_and_nothing_else(
    other: Plan, same: bool
) -> None:
    assert (other.fingerprint == HERE.fingerprint) is same
    assert len(HERE.fingerprint) == 16


def test_why_something_is_revoked_is_in_the_fingerprint() -> None:
    prints = {
        Plan("", (replace(LEAVER, cause=cause),)).fingerprint
        for cause in (Cause.ASKED, Cause.LEAVER, Cause.ABSENT)
    }
    assert len(prints) == 3


# ---- setting aside -------------------------------------------------------------------------------------------


def test_setting_nothing_aside_leaves_the_plan_alone() -> None:
    assert HERE.set_aside([], Status.SKIPPED, "x", "y") is HERE


def test_what_is_set_aside_takes_along_what_needs_it_and_names_its_row() -> None:
    invited = replace(invite("ana"), rows=(row(2),))
    granted = replace(grant("ana", "ops"), rows=(row(3),))
    plan = Plan("", (invited, granted, grant("bob", "ops"))).set_aside(
        [invited], Status.SKIPPED, "invitations-off", "nobody is invited"
    )
    because = (
        'not tried, because "invite ana@acme.example" (users.csv:2) is not done: nobody is invited'
    )
    assert plan == Plan(
        "",
        (grant("bob", "ops"),),
        (
            Settled(Status.SKIPPED, "invitations-off", "nobody is invited", (row(2),), invited),
            Settled(Status.SKIPPED, "dependency", because, (row(3),), granted),
        ),
    )


@pytest.mark.parametrize(
    ("gone", "also"),
    [
        pytest.param(create("new"), ["grant ana@acme.example new"], id="group"),
        pytest.param(grant("ana", "old"), ["revoke ana@acme.example finance"], id="mover"),
        pytest.param(revoke("ana", "finance"), [], id="revocation"),
        pytest.param(change_role("ana", Role.GUEST, Role.MEMBER), [], id="role"),
    ],
)
def test_what_depends_on_what(gone: Change, also: list[str]) -> None:
    others = [create("new"), grant("ana", "new"), grant("ana", "old"), revoke("ana", "finance")]
    leaver = revoke("ana", "ops", cause=Cause.LEAVER)
    plan = Plan("", tuple({c.key: c for c in (*others, gone, leaver)}.values()))
    after = plan.set_aside([gone], Status.SKIPPED, "x", "y")
    lost = {s.change.key for s in after.settled if s.change and s.code == "dependency"}
    # A grant that goes along keeps, in turn, what its person would lose.
    expected = {*also} | ({"revoke ana@acme.example finance"} if also else set())
    assert lost == expected


def test_a_fingerprint_covers_all_facts_however_many_there_are() -> None:
    """They are put into text a part at a time."""
    plan = Plan("Ärgernis \udc80", tuple(grant(f"p{n}", "finance") for n in range(2_500)))
    facts = {"tenant": plan.tenant, "changes": [change.facts() for change in plan.changes]}
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    whole = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    assert plan.fingerprint == whole[:16]
