"""The way back: what a run has done is taken back as far as a token can, under every guard, and told line by line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from builders import directory, email, group, row, user
from changes import carry_out, change_role, create, grant, invite, revoke, update
from desk import MEMBERSHIPS, PEOPLE, TEAMS, Desk, Quiet, acme
from fakes import OWN, Crash, FakeTenant, Fault
from hypothesis import event, given
from test_laws import World, inhabited, worlds

from onboarding import pipeline
from onboarding.errors import Stop, UsageError
from onboarding.job import Report
from onboarding.look import look
from onboarding.model import Directory, Email, GroupName, Membership, Role
from onboarding.plan import Action, Cause, Change, Plan, Settled, Status
from onboarding.safety import Limit, Limits, Permissions
from onboarding.undo import BY_HAND, as_of_today, concerned, in_lines, taken_back

# ---- for any world -------------------------------------------------------------------------------------------


@given(worlds())
def test_an_undo_leaves_all_as_it_was_but_what_it_lists_for_a_person(world: World) -> None:
    tenant = inhabited(world.current)
    before = tenant.truth()
    did = carried_out(tenant, world.planned(before).plan.changes)
    after = tenant.truth()

    undo = taken_back(tenant.name, did)
    today = as_of_today(undo, seen(tenant, undo))
    undone = carried_out(tenant, today.changes)
    now = tenant.truth()
    for change in (*did, *undone):
        event(change.action)
    by_hand = {entry.change.key for entry in undo.settled if entry.change}
    assert by_hand == {
        *(f"invite {who}" for who in now.users.keys() - before.users.keys()),
        *(f"create-group {name}" for name in now.groups.keys() - before.groups.keys()),
        *(f"change-role {who}" for who, role in roles(before).items() if roles(now)[who] != role),
    }
    # No group gets a name back that another one has, be it one that the run created: it would mean both.
    kept = {c.change.group for c in today.settled if c.change and "goes by the name" in c.message}
    assert {entry.code for entry in today.settled} <= {
        BY_HAND,
        *["changed-since-plan"] * bool(kept),
    }
    assert facts(now, before.groups.keys() - kept) == facts(before, before.groups.keys() - kept)
    assert members(now, before) == members(before, before)
    for who in now.users.keys() - before.users.keys():
        joined = {name for name in after.groups if {**before.groups, **after.groups}[name].default}
        joined |= {name for name, found in before.groups.items() if found.default}
        assert now.memberships.get(who, frozenset()) <= joined


@given(worlds())
def test_an_undo_of_an_undo_leaves_all_as_the_run_had_and_twice_plans_nothing(world: World) -> None:
    tenant = inhabited(world.current)
    did = carried_out(tenant, world.planned(tenant.truth()).plan.changes)
    after = tenant.truth()
    undo = taken_back(tenant.name, did)
    undone = carried_out(tenant, as_of_today(undo, seen(tenant, undo)).changes)

    twice = as_of_today(undo, seen(tenant, undo))
    assert twice.changes == ()
    assert all(
        entry.status in (Status.UNCHANGED, Status.MANUAL) or "goes by the name" in entry.message
        for entry in twice.settled
    )

    redo = taken_back(tenant.name, undone)
    carried_out(tenant, as_of_today(redo, seen(tenant, redo)).changes)
    assert roles(tenant.truth()) == roles(after)
    assert facts(tenant.truth(), after.groups) == facts(after, after.groups)
    assert members(tenant.truth(), after) == members(after, after)


@given(worlds(), worlds())
def test_what_has_moved_since_is_left_as_it_is(world: World, moved: World) -> None:
    tenant = inhabited(world.current)
    undo = taken_back(tenant.name, carried_out(tenant, world.planned(tenant.truth()).plan.changes))
    elsewhere = inhabited(moved.current).truth()
    plan = as_of_today(undo, elsewhere)
    for change in plan.changes:
        assert change.inverse.is_done(elsewhere)
        assert not change.is_done(elsewhere)
    told = {entry.change.key for entry in plan.settled if entry.change}
    for change in undo.changes:
        event(change.is_done(elsewhere))
        assert change.is_done(elsewhere) or {change.key} <= told | {c.key for c in plan.changes}


def carried_out(tenant: FakeTenant, changes: Iterable[Change]) -> list[Change]:
    """Apply changes, all of which succeed."""
    changes = list(changes)
    with TemporaryDirectory() as folder:
        outcomes = carry_out(tenant, changes, Path(folder)).outcomes
    assert {outcome.status for outcome in outcomes.values()} <= {Status.APPLIED}
    return changes


def seen(tenant: FakeTenant, undo: Plan) -> Directory:
    """What is read of a tenant for an undo: no more than it is about."""
    return look(tenant, concerned(undo), whole_groups=False, leavers_revoke=False)


def roles(found: Directory) -> dict[Email, Role | None]:
    return {who: account.role for who, account in found.users.items()}


def facts(found: Directory, names: Iterable[GroupName]) -> list[tuple[object, ...]]:
    groups = [found.groups[name] for name in sorted(names)]
    return [(g.name, g.id, g.alias, g.description, g.default, g.channels) for g in groups]


def members(found: Directory, of: Directory) -> dict[Email, set[GroupName]]:
    """The memberships of the people, in the groups, that ``of`` has."""
    return {
        who: set(found.memberships.get(who, frozenset()) & of.groups.keys()) for who in of.users
    }
