"""A plan to disk and back: exact, readable, and refused once anything in it is another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from builders import email, group, row
from changes import grant, invite, update
from hypothesis import given
from hypothesis import strategies as st

from onboarding.model import Group, Membership, Role, RowRef, User
from onboarding.plan import Cause, Change, Plan, Settled, Status
from onboarding.saved import plan_from_json, plan_to_json

names = st.sampled_from(["ana", "bob", "zoë"])
rows = st.lists(st.builds(RowRef, st.integers(0, 3), st.integers(1, 9), st.just("ü.csv"))).map(
    tuple
)
text = st.text(max_size=8)
users = st.builds(
    User,
    names.map(email),
    st.sampled_from([None, *Role]),
    st.booleans(),
    st.booleans(),
    text,
    text,
)
groups = st.builds(
    Group,
    st.sampled_from(["finance", "ops"]),
    text,
    text,
    st.booleans(),
    text,
    text,
    st.lists(text).map(tuple),
    st.integers(0, 9),
)
memberships = st.builds(Membership, names.map(email), st.sampled_from(["finance", "ops"]))
causes = st.sampled_from(Cause)
changes = st.one_of(
    st.builds(Change, st.none() | users, users, rows, causes),
    st.builds(Change, st.none() | groups, groups, rows, causes),
    st.builds(Change, st.none(), memberships, rows, causes),
    st.builds(Change, memberships, st.none(), rows, causes),
)
plans = st.builds(
    Plan,
    text,
    st.lists(changes, max_size=6).map(tuple),
    st.lists(
        st.builds(Settled, st.sampled_from(Status), text, text, rows, st.none() | changes),
        max_size=4,
    ).map(tuple),
)


@given(plans)
def test_a_plan_comes_back_from_json_exactly(plan: Plan) -> None:
    saved = json.loads("".join(plan_to_json(plan)))
    loaded = plan_from_json(saved)
    assert loaded == plan
    assert loaded.fingerprint == plan.fingerprint == saved["fingerprint"]


def test_a_saved_plan_can_be_read_by_people() -> None:
    change = replace(grant("ana", "ops"), rows=(row(3),))
    plan = Plan(
        "acme.example", (change,), (Settled(Status.MANUAL, "deactivate", "left", (row(2),)),)
    )
    assert json.loads("".join(plan_to_json(plan))) == {
        "tenant": "acme.example",
        "fingerprint": plan.fingerprint,
        "changes": [
            {
                "action": "grant",
                "before": None,
                "after": {"kind": "membership", "email": "ana@acme.example", "group": "ops"},
                "cause": "asked",
                "rows": [[0, 3, "users.csv"]],
            }
        ],
        "settled": [
            {
                "status": "manual",
                "code": "deactivate",
                "message": "left",
                "rows": [[0, 2, "users.csv"]],
                "change": None,
            }
        ],
    }


HERE = Plan("acme.example", (invite("ana"), update(group("ops"), default=True)))


def _edit(where: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    plan = replace(HERE, settled=(Settled(Status.MANUAL, "x", "y", (row(2),)),))
    saved = json.loads("".join(plan_to_json(plan)))
    where(saved)
    return saved


@pytest.mark.parametrize(
    ("saved", "says"),
    [
        pytest.param(_edit(lambda s: s.update(tenant="other.example")), "was edited", id="tenant"),
        pytest.param(_edit(lambda s: s["changes"].pop()), "was edited", id="fewer"),
        pytest.param(
            _edit(lambda s: s["changes"][0]["after"].update(role="$admin")), "was edited", id="role"
        ),
        pytest.param(
            _edit(lambda s: s["changes"][0].update(action="grant")), "was edited", id="action"
        ),
        pytest.param(_edit(lambda s: s.update(fingerprint="0" * 16)), "was edited", id="print"),
        pytest.param(
            _edit(lambda s: s["changes"][0]["after"].update(kind="robot")), "was edited", id="kind"
        ),
        pytest.param(_edit(lambda s: s.pop("settled")), "is not a saved plan", id="missing"),
        pytest.param(_edit(lambda s: s.update(changes=[3])), "is not a saved plan", id="number"),
        pytest.param(_edit(lambda s: s.update(changes=None)), "is not a saved plan", id="null"),
        pytest.param(
            _edit(lambda s: s["changes"][0]["after"].update(shoe=42)),
            "is not a saved plan",
            id="unknown-fact",
        ),
        pytest.param(_edit(lambda s: s["settled"][0].update(status="fine")), "fine", id="status"),
        pytest.param([], "is not a saved plan", id="a-list"),
    ],
)
def test_anything_but_a_plan_as_it_was_saved_is_refused(saved: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        plan_from_json(saved)
