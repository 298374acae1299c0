"""The laws of the house, as far as planning can show them: over generated sheets and tenants.

A world is a tenant and the rows of a job. Few people, few groups and many spellings, so that everything collides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from builders import directory, email, group, person, team, user
from changes import announced, carry_out
from fakes import FakeTenant
from hypothesis import event, given
from hypothesis import strategies as st

from onboarding.look import look
from onboarding.model import (
    Desired,
    Directory,
    Email,
    Finding,
    Group,
    GroupId,
    GroupKey,
    Held,
    Intake,
    Membership,
    Person,
    Role,
    RowRef,
    Standing,
    Team,
    User,
    UserId,
    group_key,
    internal_name,
)
from onboarding.plan import Action, Cause, Plan, Status
from onboarding.reconcile import Reconciled, Wishes, reconcile
from onboarding.safety import Permissions, agreed, screen
from onboarding.saved import plan_from_json, plan_to_json

PEOPLE = ["ana", "bob", "cleo", "dan", "eve"]
LABELS = [
    "Data Platform",
    "dp",
    "Finance",
    " FINANCE ",
    "Ops",
    "Data Eng",
    "data_eng",
    "New",
    "***",
]


@dataclass(frozen=True, slots=True)
class UserRow:
    name: str
    role: Role | None = None
    standing: Standing = Standing.ACTIVE
    groups: tuple[str, ...] = ()
    other: str = ""


@dataclass(frozen=True, slots=True)
class TeamRow:
    label: str
    internal: str | None = None
    description: str | None = None
    default: bool | None = None


@dataclass(frozen=True, slots=True)
class MemberRow:
    name: str
    label: str
    add: bool = True


Row = UserRow | TeamRow | MemberRow


@dataclass(frozen=True, slots=True)
class World:
    current: Directory
    rows: tuple[Row, ...]
    bad: frozenset[Row] = frozenset()
    """Rows that are rejected before planning."""
    unreadable: bool = False
    """Whether there is a row of which nobody knows whom it means."""
    wishes: Wishes = field(default_factory=Wishes)

    def planned(self, current: Directory | None = None) -> Reconciled:
        return reconcile(taken_in(self), current or self.current, self.wishes)


def ref(number: int) -> RowRef:
    return RowRef(0, number, "job.xlsx!All")


def taken_in(world: World) -> Intake:
    """What the rooms before would make of the rows; row numbers are places in the world."""
    rows = [(row, ref(number)) for number, row in enumerate(world.rows)]
    good = [(row, where) for row, where in rows if row not in world.bad]
    asks = [(*ask, where) for row, where in good for ask in named(row)]
    return Intake(
        Desired(
            {email(row.name): wished(row, at) for row, at in good if isinstance(row, UserRow)},
            {group_key(row.label): teamed(row, at) for row, at in good if isinstance(row, TeamRow)},
            united((name, label, where) for name, label, add, where in asks if add),
            united((name, label, where) for name, label, add, where in asks if not add),
            {
                group_key(label): min(
                    other for other in LABELS if group_key(other) == group_key(label)
                )
                for label in LABELS
            },
        ),
        tuple(where for _, where in rows),
        tuple(Finding("role-unknown", "is wrong", where) for where in sorted(bad_refs(world))),
        held([(row, where) for row, where in rows if row in world.bad], world),
    )


def named(row: Row) -> list[tuple[str, str, bool]]:
    """The memberships that a row asks for, or asks to end."""
    match row:
        case UserRow(name=name, groups=groups):
            return [(name, label, True) for label in groups]
        case MemberRow(name=name, label=label, add=add):
            return [(name, label, add)]
        case TeamRow():
            return []


def united(
    asks: Iterable[tuple[str, str, RowRef]],
) -> dict[Email, dict[GroupKey, tuple[RowRef, ...]]]:
    found: dict[Email, dict[GroupKey, tuple[RowRef, ...]]] = {}
    for name, label, where in asks:
        theirs = found.setdefault(email(name), {})
        theirs[group_key(label)] = (*theirs.get(group_key(label), ()), where)
    return found


def wished(row: UserRow, where: RowRef) -> Person:
    others = (email(row.other),) if row.other else ()
    facts = {"groups_blank": not row.groups, "other_addresses": others}
    return person(row.name, row.role, rows=(where,), standing=row.standing, **facts)


def teamed(row: TeamRow, where: RowRef) -> Team:
    facts = {"internal_name": row.internal, "description": row.description, "default": row.default}
    return team(row.label, rows=(where,), **facts)


def held(bad: Sequence[tuple[Row, RowRef]], world: World) -> Held:
    people = {email(row.name): at for row, at in bad if not isinstance(row, TeamRow)}
    groups = {group_key(label): at for row, at in bad for _, label, _ in named(row)}
    not_created = {
        group_key(name): at
        for row, at in bad
        if isinstance(row, TeamRow)
        for name in (row.label, row.internal or internal_name(row.label))
    }
    also = {email(row.other): at for row, at in bad if isinstance(row, UserRow) and row.other}
    return Held(
        people, groups | not_created, not_created, ref(99) if world.unreadable else None, also
    )


def bad_refs(world: World) -> set[RowRef]:
    return {ref(number) for number, row in enumerate(world.rows) if row in world.bad}


def carried_out(plan: Plan, current: Directory) -> Directory:
    """The tenant once all is done: whoever is invited lands in the groups that are default at that time."""
    users, groups = dict(current.users), dict(current.groups)
    memberships = {who: set(names) for who, names in current.memberships.items()}
    for change in plan.changes:
        match change.before, change.after:
            case None, User() as invited:
                users[invited.email] = replace(invited, id=UserId(f"u-{invited.email}"))
                joined = {name for name, group in groups.items() if group.default}
                memberships.setdefault(invited.email, set()).update(joined)
            case User(), User() as wish:
                users[wish.email] = wish
            case _, Group() as wish:
                groups[wish.name] = replace(wish, id=wish.id or GroupId(f"g-{wish.name}"))
            case None, Membership(email=who, group=name):
                assert name in groups, "a membership needs its group"
                assert who in users, "a membership needs its person"
                memberships.setdefault(who, set()).add(name)
            case Membership(email=who, group=name), None:
                memberships[who].remove(name)
    return replace(
        current,
        users=users,
        groups=groups,
        memberships={who: frozenset(names) for who, names in memberships.items()},
        read_whole=frozenset(groups),
    )


# ---- worlds --------------------------------------------------------------------------------------------------

people = st.sampled_from(PEOPLE)
labels = st.sampled_from(LABELS)
roles = st.sampled_from([None, *Role])
default_flags = st.sampled_from([None, None, True, False])

user_rows = st.builds(
    UserRow,
    people,
    roles,
    st.sampled_from([Standing.ACTIVE, Standing.ACTIVE, *Standing]),
    st.lists(labels, max_size=3, unique_by=group_key).map(tuple),
    st.sampled_from(["", "", "", *PEOPLE]),
)
team_rows = st.builds(
    TeamRow,
    labels.filter(lambda label: label != "***"),
    st.sampled_from([None, None, "dp", "finance", "new"]),
    st.sampled_from([None, "", "what it is for"]),
    default_flags,
)
member_rows = st.builds(MemberRow, people, labels, st.sampled_from([True, True, False]))


def identity(row: Row) -> tuple[str, ...]:
    """Rows that share it would be united, or rejected for disagreeing, before planning."""
    match row:
        case UserRow(name=name):
            return ("user", name)
        case TeamRow(label=label):
            return ("team", group_key(label))
        case MemberRow(name=name, label=label):
            return ("member", name, group_key(label))


def consistent(rows: Sequence[Row]) -> bool:
    """Whether no row contradicts another under the same spelling."""
    granted = {(r.name, group_key(g)) for r in rows if isinstance(r, UserRow) for g in r.groups}
    taken = {(r.name, group_key(r.label)) for r in rows if isinstance(r, MemberRow) and not r.add}
    return not granted & taken


@st.composite
def tenants(draw: st.DrawFn) -> Directory:
    users = [
        user(name, draw(roles), enabled=draw(st.sampled_from([True, True, False])))
        for name in draw(st.lists(people, unique=True))
    ]
    groups = [
        group(name, draw(st.sampled_from(LABELS)), default=draw(st.booleans()))
        for name in draw(
            st.lists(st.sampled_from(["dp", "finance", "ops", "data_eng"]), unique=True)
        )
    ]
    present = [who.email for who in users]
    members = {
        found.name: draw(st.lists(st.sampled_from(present), unique=True)) if present else []
        for found in groups
    }
    return directory(users, groups, members)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    rows = draw(
        st.lists(
            st.one_of(user_rows, member_rows, member_rows, team_rows),
            max_size=10,
            unique_by=identity,
        ).filter(consistent)
    )
    bad = draw(st.frozensets(st.sampled_from(rows), max_size=2)) if rows else frozenset()
    wishes = draw(
        st.builds(
            Wishes,
            st.booleans(),
            st.booleans(),
            st.booleans(),
            roles,
            st.sampled_from([frozenset(), frozenset({"Finance"})]),
        )
    )
    return World(
        draw(tenants()), tuple(rows), bad, draw(st.sampled_from([False] * 5 + [True])), wishes
    )


# ---- laws ----------------------------------------------------------------------------------------------------


@given(worlds())
def test_law_1_every_row_is_rejected_or_in_the_plan_and_never_both(world: World) -> None:
    sheets = taken_in(world)
    reconciled = world.planned()
    plan = reconciled.plan
    told = {row for change in plan.changes for row in change.rows}
    told |= {row for settled in plan.settled for row in settled.rows}
    rejected = {finding.row for finding in reconciled.findings if finding.code != "protected-group"}
    rejected |= bad_refs(world)
    for change in plan.changes:
        event(change.action)
    for finding in reconciled.findings:
        event(finding.code)
    assert told == set(sheets.rows) - rejected
    assert all(settled.rows for settled in plan.settled)
    assert [c.rows for c in plan.changes if list(c.rows) != sorted(set(c.rows))] == []


@given(worlds())
def test_law_2_nothing_is_done_for_the_person_of_a_rejected_row(world: World) -> None:
    reconciled = world.planned()
    rejected = bad_refs(world) | {f.row for f in reconciled.findings if f.code != "protected-group"}
    concerned = {
        email(row.name)
        for number, row in enumerate(world.rows)
        if not isinstance(row, TeamRow) and ref(number) in rejected
    }
    assert [change for change in reconciled.plan.changes if change.email in concerned] == []


@given(worlds(), st.data())
def test_law_2_a_bad_cell_takes_nothing_from_anybody(world: World, data: st.DataObject) -> None:
    """One more row is bad: nobody loses by absence what the good sheets would have left them."""
    if not world.rows:
        return
    victim = data.draw(st.sampled_from(world.rows))
    worse = replace(world, bad=world.bad | {victim})
    assert inferred(worse.planned().plan) <= inferred(world.planned().plan)
    assert not inferred(replace(world, unreadable=True).planned().plan)


def inferred(plan: Plan) -> set[str]:
    return {change.key for change in plan.changes if change.cause is Cause.ABSENT}


@given(worlds())
def test_law_3_twice_is_once(world: World) -> None:
    plan = world.planned().plan
    after = carried_out(plan, world.current)
    event(f"{len(plan) > 0 = }")
    assert world.planned(after).plan.changes == ()


@given(worlds())
def test_laws_3_and_8_hold_for_a_tenant_that_is_looked_at_and_written_to(world: World) -> None:
    """What a look shows is enough to plan by, all of the plan can be done, in as many calls as announced."""
    tenant = inhabited(world.current)
    plan = world.planned(looked_at(tenant, world)).plan
    assert plan.fingerprint == world.planned(tenant.truth()).plan.fingerprint

    told, before = announced(tenant, plan.changes), tenant.calls
    with TemporaryDirectory() as folder:
        applied = carry_out(tenant, plan.changes, Path(folder))
    assert {outcome.status for outcome in applied.outcomes.values()} <= {Status.APPLIED}
    assert tenant.calls - before == told
    assert world.planned(looked_at(tenant, world)).plan.changes == ()


def inhabited(current: Directory) -> FakeTenant:
    members: dict[str, list[str]] = {name: [] for name in current.groups}
    for who, names in current.memberships.items():
        for name in names:
            members[name].append(who)
    users, groups = current.users.values(), current.groups.values()
    return FakeTenant(users, groups, members, page_size=2, lookup_size=2)


def looked_at(tenant: FakeTenant, world: World) -> Directory:
    return look(
        tenant,
        taken_in(world).desired,
        whole_groups=world.wishes.authoritative,
        leavers_revoke=world.wishes.leavers_revoke,
        held=taken_in(world).held.people,
    )


@given(worlds(), st.randoms(use_true_random=False))
def test_law_5_the_order_of_rows_does_not_matter(world: World, random: object) -> None:
    rows = list(world.rows)
    random.shuffle(rows)  # type: ignore[attr-defined]
    shuffled = replace(world, rows=tuple(rows))
    one, other = world.planned().plan, shuffled.planned().plan
    assert one.fingerprint == other.fingerprint
    assert [change.facts() for change in one.changes] == [c.facts() for c in other.changes]
    assert fates(world) == fates(shuffled)


def fates(world: World) -> dict[Row, set[str]]:
    """What is said of each row, by the row itself instead of its place."""
    reconciled = world.planned()
    found: dict[Row, set[str]] = {row: set() for row in world.rows}
    for change in reconciled.plan.changes:
        for where in change.rows:
            found[world.rows[where.row]].add(change.key)
    for settled in reconciled.plan.settled:
        for where in settled.rows:
            found[world.rows[where.row]].add(settled.code)
    for finding in reconciled.findings:
        assert finding.row
        found[world.rows[finding.row.row]].add(finding.code)
    return found


@given(worlds())
def test_law_7_nothing_is_taken_unless_told(world: World) -> None:
    plan = world.planned().plan
    for change in plan.of(Action.REVOKE):
        asking = [world.rows[where.row] for where in change.rows]
        match change.cause:
            case Cause.ASKED:
                assert asking
                assert all(isinstance(row, MemberRow) and not row.add for row in asking)
            case Cause.LEAVER:
                assert world.wishes.leavers_revoke
                assert any(
                    isinstance(row, UserRow) and row.standing is Standing.LEAVER for row in asking
                )
            case Cause.ABSENT:
                assert world.wishes.authoritative
                assert asking == []


@given(worlds())
def test_law_6_a_plan_that_was_reviewed_and_has_not_moved_is_that_plan(world: World) -> None:
    plan = world.planned().plan
    saved = plan_from_json(json.loads("".join(plan_to_json(plan))))
    assert saved == plan
    assert agreed(saved, plan, world.current) == plan


@given(worlds(), tenants())
def test_law_6_nothing_but_what_was_reviewed_is_ever_applied(
    world: World, moved: Directory
) -> None:
    reviewed = world.planned().plan
    fresh = world.planned(moved).plan
    plan = agreed(reviewed, fresh, moved)
    was = {change.key: change.facts() for change in reviewed.changes}
    assert all(was.get(change.key) == change.facts() for change in plan.changes)
    assert rows_of(plan) == rows_of(fresh)
    carried_out(plan, moved)


def rows_of(plan: Plan) -> set[RowRef]:
    told = {row for change in plan.changes for row in change.rows}
    return told | {row for settled in plan.settled for row in settled.rows}


@given(worlds(), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_a_screened_plan_loses_no_row_and_hangs_together(
    world: World, allow_admins: bool, allow_default: bool, invite: bool, data: st.DataObject
) -> None:
    plan = world.planned().plan
    doubtful = data.draw(st.frozensets(st.sampled_from([c.key for c in plan.changes] or [""])))
    screened = screen(
        plan, world.current, Permissions(allow_admins, allow_default, invite), doubtful=doubtful
    )
    assert rows_of(screened) == rows_of(plan)
    assert {c.key for c in screened.changes} <= {c.key for c in plan.changes} - doubtful
    carried_out(screened, world.current)
