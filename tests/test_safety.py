"""Each guard one below, at and one above its limit; each permission given and not given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import pytest
from builders import directory, email, group, row, user
from changes import change_role, create, grant, invite, revoke, update

from onboarding.errors import TooManyRejected, UnsafePlan
from onboarding.model import Directory, Role, UserId
from onboarding.plan import Cause, Change, Plan, Settled, Status
from onboarding.safety import Limit, Limits, Permissions, agreed, check, check_rejected, screen

ALL = Permissions(allow_admins=True, allow_default=True)
HUNDRED = directory([user(f"p{n}") for n in range(100)])


def plan(*changes: Change, settled: Iterable[Settled] = ()) -> Plan:
    return Plan("acme.example", changes, tuple(settled))


def absent(name: str, team: str) -> Change:
    return revoke(name, team, cause=Cause.ABSENT)


def keys(found: Plan) -> list[str]:
    return [change.key for change in found.changes]


def fates(found: Plan) -> dict[str, tuple[Status, str]]:
    return {s.change.key: (s.status, s.code) for s in found.settled if s.change}


# ---- limits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("20", Limit(20), "20"),
        (" 0 ", Limit(0), "0"),
        ("10%", Limit(percent=10.0), "10 %"),
        ("2.5 %", Limit(percent=2.5), "2.5 %"),
    ],
)
def test_a_limit_is_a_number_or_a_percentage(text: str, limit: Limit, shown: str) -> None:
    assert Limit.parse(text) == limit
    assert str(limit) == shown


@pytest.mark.parametrize("text", ["", "-1", "ten", "1.5", "%", "10%%", "nan%", "1e3", "10 5%", "٣"])
def test_anything_else_is_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match="write a number or a percentage: 20 or 10%"):
        Limit.parse(text)


@pytest.mark.parametrize(
    ("limit", "total", "most"),
    [
        pytest.param(Limit(20), 1_000_000, 20, id="number"),
        pytest.param(Limit(percent=10.0), 129, 12, id="percent-rounds-down"),
        pytest.param(Limit(50, 10.0), 499, 50, id="number-is-larger"),
        pytest.param(Limit(50, 10.0), 510, 51, id="percent-is-larger"),
        pytest.param(Limit(percent=0.57), 10_000, 57, id="no-binary-fraction-lost"),
        pytest.param(Limit(0), 1000, 0, id="nothing"),
    ],
)
def test_the_larger_of_number_and_percentage_counts(limit: Limit, total: int, most: int) -> None:
    assert limit.of(total) == most


@pytest.mark.parametrize(("users", "limit"), [(100, 50), (1000, 100)], ids=["number", "percentage"])
def test_the_limit_on_invitations(users: int, limit: int) -> None:
    current = directory([user(f"p{n}") for n in range(users)])
    at = plan(*(invite(f"new{n}") for n in range(limit)))
    above = plan(*(invite(f"new{n}") for n in range(limit + 1)))
    check(at, current, Limits())
    with pytest.raises(UnsafePlan) as caught:
        check(above, current, Limits())
    assert str(caught.value) == (
        f"This plan would invite {limit + 1} people to {users:,} accounts; the limit is {limit} "
        "(the larger of 50 and 10 %). Nothing was sent. To let exactly this plan pass once: "
        f"--accept {above.fingerprint}"
    )


def test_accounts_without_an_address_count_as_users() -> None:
    nameless = tuple(replace(user(f"n{n}"), email=email("")) for n in range(10))
    current = replace(directory([user(f"p{n}") for n in range(500)]), unreadable=nameless)
    check(plan(*(invite(f"new{n}") for n in range(51))), current, Limits())


def demotions(count: int) -> Plan:
    return plan(*(change_role(f"p{n}", Role.MEMBER, Role.GUEST) for n in range(count)))


@pytest.mark.parametrize(("users", "limit"), [(100, 5), (200, 10)], ids=["number", "percentage"])
def test_the_limit_on_demotions(users: int, limit: int) -> None:
    current = directory([user(f"p{n}") for n in range(users)])
    check(demotions(limit), current, Limits())
    with pytest.raises(UnsafePlan, match=f"lower the role of {limit + 1} people of {users}"):
        check(demotions(limit + 1), current, Limits())


def test_promotions_have_no_limit() -> None:
    check(
        plan(*(change_role(f"p{n}", Role.GUEST, Role.MEMBER) for n in range(50))),
        HUNDRED,
        Limits(),
    )


def members(**sizes: int) -> Directory:
    people = [user(f"p{n}") for n in range(max(sizes.values()))]
    return directory(
        people,
        [group(name) for name in sizes],
        {name: [f"p{n}" for n in range(size)] for name, size in sizes.items()},
    )


@pytest.mark.parametrize(("size", "limit"), [(40, 10), (120, 12)], ids=["number", "percentage"])
def test_the_limit_on_removals_is_of_the_groups_concerned(size: int, limit: int) -> None:
    current = members(finance=size, other=500)
    check(plan(*(revoke(f"p{n}", "finance") for n in range(limit))), current, Limits())
    with pytest.raises(UnsafePlan) as caught:
        check(plan(*(revoke(f"p{n}", "finance") for n in range(limit + 1))), current, Limits())
    assert (
        f"would revoke {limit + 1} memberships of {size} in the groups concerned; "
        f"the limit is {limit} (the larger of 10 and 10 %)" in str(caught.value)
    )


def test_a_group_not_read_whole_has_as_many_members_as_the_tenant_says() -> None:
    current = members(finance=20)
    unread = replace(
        current,
        groups={name: replace(found, size=200) for name, found in current.groups.items()},
        read_whole=frozenset(),
    )
    changes = plan(*(revoke(f"p{n}", "finance") for n in range(20)))
    check(changes, unread, Limits())
    with pytest.raises(UnsafePlan, match="of 20 in the groups concerned"):
        check(changes, replace(unread, read_whole=current.read_whole), Limits())


def test_a_number_given_is_the_limit_and_all_that_is_over_is_said_at_once() -> None:
    limits = Limits(invitations=Limit(1), removals=Limit(percent=10.0))
    with pytest.raises(UnsafePlan) as caught:
        check(
            plan(invite("ana"), invite("bob"), revoke("p0", "ops"), revoke("p1", "ops")),
            members(ops=10),
            limits,
        )
    assert str(caught.value).startswith(
        "This plan would invite 2 people to 10 accounts; the limit is 1; would revoke 2 memberships "
        "of 10 in the groups concerned; the limit is 1 (10 %). Nothing was sent."
    )


WIDE = Limits(removals=Limit(percent=100.0))


@pytest.mark.parametrize(
    ("size", "most"),
    [(2, 1), (9, 8), (10, 5), (11, 5), (12, 6)],
)
def test_absence_takes_at_most_half_of_ten_and_never_all(size: int, most: int) -> None:
    current = members(finance=size)
    check(plan(*(absent(f"p{n}", "finance") for n in range(most))), current, WIDE)
    with pytest.raises(UnsafePlan, match=r'members out of the group "Finance"'):
        check(plan(*(absent(f"p{n}", "finance") for n in range(most + 1))), current, WIDE)


def test_what_rows_ask_for_may_empty_a_group_unless_absence_has_a_part_in_it() -> None:
    asked = [revoke(f"p{n}", "finance") for n in range(12)]
    check(plan(*asked), members(finance=12), WIDE)
    with pytest.raises(UnsafePlan, match='would take all 12 members out of the group "Finance"'):
        check(plan(*asked[1:], absent("p0", "finance")), members(finance=12), WIDE)


def test_too_many_rejected_rows_are_told_with_the_limit_and_its_option() -> None:
    with pytest.raises(TooManyRejected) as caught:
        check_rejected(100, 21, Limits())
    assert str(caught.value) == (
        "21 of 100 rows are rejected; the limit is 20 (the larger of 20 and 20 %). "
        "Nothing was sent. Correct the rows, or allow more with --max-rejected"
    )


@dataclass(frozen=True)
class Brake:
    """A limit, the plan that does so much of what it limits, and where it stops."""

    plan: Callable[[int], Plan]
    current: Directory
    most: int
    limits: Limits = field(default_factory=Limits)
    says: str = ""


def invitations(count: int) -> Plan:
    return plan(*(invite(f"new{n}") for n in range(count)))


def removals(count: int) -> Plan:
    return plan(*(revoke(f"p{n}", "finance") for n in range(count)))


def absences(count: int) -> Plan:
    return plan(*(absent(f"p{n}", "finance") for n in range(count)))


def accounts(count: int) -> Directory:
    return directory([user(f"p{n}") for n in range(count)])


INVITE, LOWER, REVOKE = "would invite", "would lower the role of", "would revoke"
BRAKES = [
    pytest.param(Brake(invitations, accounts(499), 50, says=INVITE), id="invitations-50"),
    pytest.param(Brake(invitations, accounts(510), 51, says=INVITE), id="invitations-10-percent"),
    pytest.param(Brake(demotions, accounts(99), 5, says=LOWER), id="demotions-5"),
    pytest.param(Brake(demotions, accounts(120), 6, says=LOWER), id="demotions-5-percent"),
    pytest.param(Brake(removals, members(finance=99), 10, says=REVOKE), id="removals-10"),
    pytest.param(Brake(removals, members(finance=110), 11, says=REVOKE), id="removals-10-percent"),
    *(
        pytest.param(Brake(made, members(finance=100), most, limits, says), id=f"{name}-{limit}")
        for limit, most in ((Limit(7), 7), (Limit(percent=7.5), 7), (Limit(0), 0))
        for name, made, limits, says in (
            ("invitations", invitations, Limits(invitations=limit), INVITE),
            ("demotions", demotions, Limits(demotions=limit), LOWER),
            ("removals", removals, Limits(removals=limit), REVOKE),
        )
    ),
    pytest.param(
        Brake(absences, members(finance=9), 8, WIDE, "would take all 9 members"), id="absence-all"
    ),
    pytest.param(
        Brake(absences, members(finance=10), 5, WIDE, "would take 6 of 10"), id="absence-half-of-10"
    ),
    pytest.param(
        Brake(absences, members(finance=11), 5, WIDE, "would take 6 of 11"), id="absence-half-of-11"
    ),
    pytest.param(
        Brake(absences, members(finance=99), 10, says=REVOKE), id="absence-counts-as-removal"
    ),
]


@pytest.mark.parametrize("beside", [-1, 0, 1], ids=["one-below", "at", "one-above"])
@pytest.mark.parametrize("brake", BRAKES)
def test_each_limit_lets_pass_what_is_at_it_and_not_one_more(brake: Brake, beside: int) -> None:
    made = brake.plan(max(0, brake.most + beside))
    if beside <= 0:
        check(made, brake.current, brake.limits)
        return
    with pytest.raises(UnsafePlan) as caught:
        check(made, brake.current, brake.limits)
    assert str(caught.value).startswith(f"This plan {brake.says}")
    assert str(caught.value).endswith(f"--accept {made.fingerprint}")


@pytest.mark.parametrize("beside", [-1, 0, 1], ids=["one-below", "at", "one-above"])
@pytest.mark.parametrize(
    ("rows", "limit", "most"),
    [
        pytest.param(99, Limits().rejected, 20, id="20-rows"),
        pytest.param(105, Limits().rejected, 21, id="20-percent"),
        pytest.param(1000, Limit(7), 7, id="7"),
        pytest.param(1000, Limit(percent=2.5), 25, id="2.5-percent"),
        pytest.param(10, Limit(0), 0, id="none"),
    ],
)
def test_the_limit_on_rejected_rows_too(rows: int, limit: Limit, most: int, beside: int) -> None:
    if beside <= 0:
        check_rejected(rows, max(0, most + beside), Limits(rejected=limit))
        return
    with pytest.raises(TooManyRejected, match=f"{most + 1:,} of {rows:,} rows are rejected"):
        check_rejected(rows, most + 1, Limits(rejected=limit))


# ---- single changes ------------------------------------------------------------------------------------------

ADMINS = directory([user("boss", Role.ADMIN), user("chief", Role.ADMIN), user("ana")])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(invite("new", role=Role.ADMIN), id="invited"),
        pytest.param(change_role("ana", Role.MEMBER, Role.ADMIN), id="made"),
        pytest.param(change_role("boss", Role.ADMIN, Role.GUEST), id="taken"),
    ],
)
def test_admins_are_made_and_unmade_only_with_permission(change: Change) -> None:
    assert screen(plan(change), ADMINS, ALL) == plan(change)
    screened = screen(plan(change), ADMINS, Permissions())
    assert screened.changes == ()
    assert fates(screened) == {change.key: (Status.SKIPPED, "needs-allow-admins")}


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        pytest.param(create("all", default=True), True, id="created-on"),
        pytest.param(create("some"), False, id="created-off"),
        pytest.param(update(group("some"), default=True), True, id="on"),
        pytest.param(update(group("all", default=True), default=False), False, id="off"),
        pytest.param(update(group("all", default=True), description="x"), False, id="stays-on"),
    ],
)
def test_a_group_becomes_default_only_with_permission(change: Change, needed: bool) -> None:
    assert screen(plan(change), ADMINS, ALL) == plan(change)
    screened = screen(plan(change), ADMINS, Permissions())
    code = (Status.SKIPPED, "needs-allow-default")
    assert fates(screened) == ({change.key: code} if needed else {})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(change_role("boss", Role.ADMIN, Role.MEMBER), "own-account", id="lowered"),
        pytest.param(change_role("boss", Role.MEMBER, Role.ADMIN), None, id="raised"),
        pytest.param(change_role("chief", Role.ADMIN, Role.MEMBER), None, id="another"),
    ],
)
def test_the_tokens_own_account_is_never_lowered(change: Change, code: str | None) -> None:
    current = replace(ADMINS, own=UserId("u-boss"))
    screened = screen(plan(change), current, ALL)
    assert fates(screened) == ({change.key: (Status.SKIPPED, code)} if code else {})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(change_role("robot", Role.MEMBER, Role.GUEST), id="lowered"),
        pytest.param(change_role("robot", Role.MEMBER, Role.ADMIN), id="raised"),
        pytest.param(grant("robot", "ops"), id="granted"),
        pytest.param(revoke("robot", "ops"), id="revoked"),
        pytest.param(revoke("robot", "ops", cause=Cause.LEAVER), id="left"),
    ],
)
def test_the_account_of_an_api_token_is_never_changed(change: Change) -> None:
    robot = user("robot", username="service-account-apikey-7")
    current = replace(ADMINS, users={**ADMINS.users, robot.email: robot})
    screened = screen(plan(change, grant("ana", "ops")), current, ALL)
    assert fates(screened) == {change.key: (Status.SKIPPED, "token-account")}
    assert keys(screened) == ["grant ana@acme.example ops"]


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([], id="alone"),
        pytest.param([user("chief", Role.ADMIN, enabled=False)], id="other-disabled"),
        pytest.param([user("chief", Role.ADMIN, pending=True)], id="other-pending"),
    ],
)
def test_the_last_admin_is_never_lowered(others: list[object]) -> None:
    current = directory([user("boss", Role.ADMIN), *others])  # type: ignore[list-item]
    lowered = change_role("boss", Role.ADMIN, Role.MEMBER)
    # Somebody made Admin by the same plan does not count: that may fail.
    raised = change_role("ana", Role.MEMBER, Role.ADMIN)
    screened = screen(plan(lowered, raised), current, ALL)
    assert keys(screened) == [raised.key]
    assert fates(screened) == {lowered.key: (Status.SKIPPED, "last-admin")}


def test_an_admin_who_can_not_sign_in_is_not_the_last_one() -> None:
    before = user("gone", Role.ADMIN, enabled=False)
    lowered = Change(before, replace(before, role=Role.MEMBER))
    current = directory([before])
    assert screen(plan(lowered), current, ALL) == plan(lowered)


def test_of_two_admins_one_may_go_and_not_both() -> None:
    boss = change_role("boss", Role.ADMIN, Role.MEMBER)
    chief = change_role("chief", Role.ADMIN, Role.GUEST)
    assert screen(plan(boss), ADMINS, ALL) == plan(boss)
    assert screen(plan(boss, chief), ADMINS, ALL).changes == ()


def test_an_own_account_that_stays_counts_as_the_admin_who_is_left() -> None:
    boss = change_role("boss", Role.ADMIN, Role.MEMBER)
    chief = change_role("chief", Role.ADMIN, Role.GUEST)
    screened = screen(plan(boss, chief), replace(ADMINS, own=UserId("u-boss")), ALL)
    assert keys(screened) == [chief.key]


def test_nobody_is_invited_where_invitations_are_off_and_all_else_goes_on() -> None:
    changes = plan(invite("new"), grant("new", "ops"), grant("ana", "ops"))
    screened = screen(changes, ADMINS, Permissions(invite=False))
    assert keys(screened) == ["grant ana@acme.example ops"]
    assert fates(screened) == {
        "invite new@acme.example": (Status.SKIPPED, "invitations-off"),
        "grant new@acme.example ops": (Status.SKIPPED, "dependency"),
    }


def test_nobody_is_invited_twice_in_a_month_unless_named() -> None:
    changes = plan(invite("new"), invite("other"), invite("third"))
    recently = frozenset({email("new"), email("other"), email("ana")})
    permissions = Permissions(reinvite=frozenset({email("other")}))
    screened = screen(changes, ADMINS, permissions, invited_recently=recently)
    assert keys(screened) == ["invite other@acme.example", "invite third@acme.example"]
    assert fates(screened) == {"invite new@acme.example": (Status.SKIPPED, "invited-recently")}


def test_what_is_in_doubt_is_not_sent_again_nor_what_needs_it() -> None:
    changes = plan(invite("new"), grant("new", "ops"), create("ops"), grant("ana", "ops"))
    doubtful = frozenset(
        {"invite new@acme.example", "create-group ops", "invite gone@acme.example"}
    )
    screened = screen(
        changes, ADMINS, ALL, doubtful=doubtful, invited_recently=frozenset({email("new")})
    )
    assert screened.changes == ()
    assert fates(screened) == {
        "invite new@acme.example": (Status.IN_DOUBT, "in-doubt"),
        "create-group ops": (Status.IN_DOUBT, "in-doubt"),
        "grant new@acme.example ops": (Status.SKIPPED, "dependency"),
        "grant ana@acme.example ops": (Status.SKIPPED, "dependency"),
    }


def test_a_mover_keeps_what_is_lost_when_what_is_gained_is_set_aside() -> None:
    leaver = revoke("bob", "old", cause=Cause.LEAVER)
    changes = plan(create("new", default=True), grant("ana", "new"), revoke("ana", "old"), leaver)
    screened = screen(changes, ADMINS, Permissions())
    assert keys(screened) == ["revoke bob@acme.example old"]
    assert fates(screened)["revoke ana@acme.example old"] == (Status.SKIPPED, "dependency")


# ---- a plan that was reviewed --------------------------------------------------------------------------------

ONE, TWO = row(2), row(3)
OPS = group("ops", description="old")
NOW = directory([user("ana", Role.MEMBER)], [OPS], {"ops": ["ana"]})
NO_CHANGE = Settled(Status.UNCHANGED, "no-change", "as asked", (ONE,))


def at(change: Change, *rows: object) -> Change:
    return replace(change, rows=rows or (ONE,))  # type: ignore[arg-type]


def test_what_was_reviewed_and_has_not_moved_stays_with_todays_ids() -> None:
    then, today = at(update(OPS, default=True)), at(update(replace(OPS, size=7), default=True))
    assert agreed(plan(then), plan(today), NOW).changes == (today,)


@pytest.mark.parametrize(
    "done",
    [
        pytest.param(invite("ana", role=Role.MEMBER), id="invited"),
        pytest.param(change_role("ana", Role.GUEST, Role.MEMBER), id="role"),
        pytest.param(grant("ana", "ops"), id="granted"),
        pytest.param(revoke("bob", "ops"), id="revoked"),
        pytest.param(create("ops", description="old"), id="created"),
        pytest.param(update(group("ops", description="older"), description="old"), id="updated"),
    ],
)
def test_what_is_as_asked_by_now_needs_nothing(done: Change) -> None:
    fresh = plan(settled=[NO_CHANGE])
    assert agreed(plan(at(done)), fresh, NOW) == fresh


@pytest.mark.parametrize(
    "moved",
    [
        pytest.param(invite("ana", role=Role.GUEST), id="invited-otherwise"),
        pytest.param(invite("bob"), id="not-invited"),
        pytest.param(change_role("ana", Role.MEMBER, Role.GUEST), id="role"),
        pytest.param(grant("bob", "ops"), id="not-granted"),
        pytest.param(revoke("ana", "ops"), id="not-revoked"),
        pytest.param(create("ops", description="new"), id="created-otherwise"),
        pytest.param(create("finance"), id="not-created"),
    ],
)
def test_what_has_moved_is_set_aside(moved: Change) -> None:
    fresh = plan(settled=[NO_CHANGE])
    message = "the tenant has changed here since the plan was made"
    gone = Settled(Status.SKIPPED, "changed-since-plan", message, (ONE,), at(moved))
    assert agreed(plan(at(moved)), fresh, NOW) == plan(settled=[NO_CHANGE, gone])


def test_a_change_that_has_become_another_is_set_aside() -> None:
    then = at(change_role("ana", Role.GUEST, Role.ADMIN))
    today = at(change_role("ana", Role.MEMBER, Role.ADMIN))
    held = agreed(plan(then), plan(today), NOW)
    assert held.changes == ()
    assert fates(held) == {today.key: (Status.SKIPPED, "changed-since-plan")}
    assert held.settled[0].rows == (ONE,)


def test_a_change_that_was_not_reviewed_is_set_aside_with_what_needs_it() -> None:
    """The account was deleted since: the invitation is news, and the reviewed grant can't do without."""
    then = plan(at(grant("bob", "ops"), TWO))
    today = plan(at(invite("bob")), at(grant("bob", "ops"), TWO))
    held = agreed(then, today, NOW)
    assert held.changes == ()
    assert fates(held) == {
        "invite bob@acme.example": (Status.SKIPPED, "not-in-plan"),
        "grant bob@acme.example ops": (Status.SKIPPED, "dependency"),
    }


def test_what_the_review_had_set_aside_stays_so_for_the_same_reason() -> None:
    today = plan(
        at(change_role("ana", Role.MEMBER, Role.ADMIN)),
        at(invite("bob"), TWO),
        at(grant("bob", "ops"), TWO),
    )
    reviewed = screen(today, NOW, Permissions(invite=False))
    assert {code for _, code in fates(reviewed).values()} == {
        "needs-allow-admins",
        "invitations-off",
        "dependency",
    }
    assert agreed(reviewed, today, NOW) == reviewed


def test_a_doubt_of_the_review_that_was_settled_since_is_no_reason_any_more() -> None:
    new = at(invite("bob"))
    reviewed = screen(plan(new), NOW, ALL, doubtful=frozenset({new.key}))
    assert fates(agreed(reviewed, plan(new), NOW)) == {new.key: (Status.SKIPPED, "not-in-plan")}


def test_rows_that_are_rejected_today_are_left_to_say_so() -> None:
    assert agreed(plan(at(grant("bob", "ops"))), plan(), NOW) == plan()


def test_an_inferred_revocation_that_has_moved_is_named_though_no_row_asks_for_it() -> None:
    held = agreed(plan(absent("ana", "ops")), plan(), NOW)
    assert fates(held) == {"revoke ana@acme.example ops": (Status.SKIPPED, "changed-since-plan")}
