"""What is read from a tenant before planning, and in how few calls."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from builders import email, group, intake, person, row, team, user
from fakes import OWN, FakeTenant, Fault
from hypothesis import event, given, settings
from hypothesis import strategies as st

from onboarding.errors import Protocol
from onboarding.look import look
from onboarding.model import (
    Desired,
    Directory,
    Email,
    Group,
    GroupId,
    GroupName,
    Held,
    Intake,
    Person,
    Role,
    Standing,
    User,
    UserId,
    group_key,
    groups_by_key,
)
from onboarding.reconcile import Wishes, reconcile
from onboarding.safety import Limits, Permissions, screen, usage
from onboarding.tenant import Page

FIXED = 4  # calls: who we are, the roles, a page of accounts, a page of groups


def desired(
    *persons: Person,
    grants: dict[str, list[str]] | None = None,
    revokes: dict[str, list[str]] | None = None,
    **facts: object,
) -> Desired:
    def rows(asks: dict[str, list[str]] | None) -> dict[str, dict[str, list[object]]]:
        return {who: {label: [row(2)] for label in labels} for who, labels in (asks or {}).items()}

    return intake(persons, (), rows(grants), rows(revokes), **facts).desired  # type: ignore[arg-type]


def seen(
    tenant: FakeTenant, wish: Desired, *, whole_groups: bool = False, leavers_revoke: bool = False
) -> tuple[Directory, int]:
    """What `look` gives, and how many calls it took beyond the fixed ones."""
    found = look(tenant, wish, whole_groups=whole_groups, leavers_revoke=leavers_revoke)
    return found, tenant.calls - FIXED


def names(found: Directory) -> dict[str, set[str]]:
    return {who.split("@")[0]: set(held) for who, held in found.memberships.items()}


def acme(page_size: int = 100) -> FakeTenant:
    return FakeTenant(
        [user("ana"), user("bob"), user("cy"), user("dee")],
        [group("finance"), group("ops", "Operations"), group("hr"), group("all", default=True)],
        {"finance": ["ana", "bob"], "ops": ["ana"], "hr": ["cy"], "all": ["ana", "bob", "cy"]},
        page_size=page_size,
    )


def test_accounts_and_groups_are_always_listed_whole() -> None:
    tenant = acme()
    found, calls = seen(tenant, Desired())
    truth = tenant.truth()
    assert (found.tenant, found.own) == ("acme.example", OWN)
    assert (found.users, found.groups) == (truth.users, truth.groups)
    assert (found.memberships, found.read_whole, calls) == ({}, frozenset(), 0)


def test_an_account_without_an_address_is_kept_apart() -> None:
    tenant = acme()
    service = User(email(""), id=OWN, username="other")
    found, _ = seen(tenant, Desired())
    assert found.unreadable == (tenant.has.users[OWN],)
    assert service.email not in found.users


def test_a_listing_that_lacks_our_own_account_is_not_believed() -> None:
    tenant = acme()
    tenant.put(User(email(""), id=OWN, username="robot"))
    identity = tenant.identity()
    del tenant.has.users[identity.own]
    with pytest.raises(Protocol, match=r"list of 4 accounts lacks our own"):
        look(tenant, Desired(), whole_groups=False, leavers_revoke=False)


def test_an_api_token_may_be_left_out_of_the_list_of_people() -> None:
    tenant = acme()
    del tenant.has.users[tenant.identity().own]
    found, _ = seen(tenant, Desired())
    assert (len(found.users), found.unreadable, found.accounts) == (4, (), 4)


def test_an_empty_listing_is_not_believed() -> None:
    tenant = FakeTenant()
    tenant.identity()
    tenant.has.users.clear()
    with pytest.raises(Protocol, match="list of 0 accounts"):
        look(tenant, Desired(), whole_groups=False, leavers_revoke=False)


@pytest.mark.parametrize(
    ("wish", "calls", "memberships"),
    [
        pytest.param(
            desired(grants={"ana": ["Finance", "Operations"]}),
            1,
            {"ana": {"finance", "ops", "all"}},
            id="one-person-in-two-groups-by-person",
        ),
        pytest.param(
            desired(grants={"ana": ["finance"], "bob": ["finance"], "cy": ["finance"]}),
            1,
            {"ana": {"finance"}, "bob": {"finance"}},
            id="three-people-in-one-group-by-group",
        ),
        pytest.param(
            desired(revokes={"ana": ["OPERATIONS"], "bob": ["ops"]}),
            1,
            {"ana": {"ops"}},
            id="revocations-count-too",
        ),
        pytest.param(desired(grants={"new": ["finance"]}), 0, {}, id="nobody-who-has-an-account"),
        pytest.param(desired(grants={"ana": ["nowhere"]}), 0, {}, id="no-group-that-exists"),
        pytest.param(desired(person("ana")), 0, {}, id="no-membership-asked"),
        pytest.param(
            desired(person("ana", standing=Standing.LEAVER)), 0, {}, id="a-leaver-who-keeps-groups"
        ),
    ],
)
def test_memberships_are_read_the_cheaper_way(
    wish: Desired, calls: int, memberships: dict[str, set[str]]
) -> None:
    found, made = seen(acme(), wish)
    assert (made, names(found)) == (calls, memberships)


def test_a_large_group_is_not_read_whole_for_two_people() -> None:
    people = [user(f"p{n}") for n in range(50)]
    everyone = {"all": [f"p{n}" for n in range(50)]}
    tenant = FakeTenant(people, [group("all")], everyone, page_size=10)
    tenant.identity()
    found, _ = seen(tenant, desired(grants={"p1": ["all"], "p2": ["all"]}))
    assert [call.action for call in tenant.log].count("members") == 0
    assert names(found) == {"p1": {"all"}, "p2": {"all"}}
    assert found.read_whole == frozenset()


def test_whole_groups_are_those_with_a_granting_row() -> None:
    wish = desired(grants={"ana": ["finance"], "new": ["hr"]}, revokes={"ana": ["ops"]})
    found, _ = seen(acme(), wish, whole_groups=True)
    assert found.read_whole >= {"finance", "hr"}
    held = {who: groups & {"finance", "hr", "ops"} for who, groups in names(found).items()}
    assert held == {"ana": {"finance", "ops"}, "bob": {"finance"}, "cy": {"hr"}}


def test_every_group_of_a_leaver_is_read() -> None:
    wish = desired(person("ana", standing=Standing.LEAVER), person("bob"))
    found, calls = seen(acme(), wish, leavers_revoke=True)
    assert (calls, names(found)) == (1, {"ana": {"finance", "ops", "all"}})


def test_many_leavers_in_few_groups_are_read_by_group() -> None:
    people = [f"p{n}" for n in range(30)]
    tenant = FakeTenant(map(user, people), [group("finance")], {"finance": people[:3]})
    wish = desired(*(person(name, standing=Standing.LEAVER) for name in people))
    found, calls = seen(tenant, wish, leavers_revoke=True)
    assert (calls, names(found)) == (1, {name: {"finance"} for name in people[:3]})


def test_a_group_is_found_by_the_internal_name_that_its_row_gives() -> None:
    wish = intake(
        [],
        [team("Money", internal_name=GroupName("finance"))],
        {"ana": {"Money": [row(3)]}, "bob": {"Money": [row(4)]}},
    ).desired
    found, _ = seen(acme(), wish)
    assert names(found) == {"ana": {"finance"}, "bob": {"finance"}}


def test_an_ambiguous_name_reads_both_groups() -> None:
    tenant = FakeTenant(
        [user("ana"), user("bob"), user("cy")],
        [group("ops", "Sales"), group("sales", "Selling")],
        {"ops": ["ana"], "sales": ["bob"]},
    )
    asks = {name: ["Sales"] for name in ("ana", "bob", "cy")}
    assert names(seen(tenant, desired(grants=asks))[0]) == {"ana": {"ops"}, "bob": {"sales"}}


def test_the_list_of_accounts_is_believed_where_members_lack_an_address() -> None:
    class Shy(FakeTenant):
        def members(self, key: object) -> list[User]:
            return [User(Email(""), id=u.id) for u in super().members(key)]  # type: ignore[arg-type]

    tenant = Shy([user("ana"), user("bob")], [group("finance")], {"finance": ["ana", "bob"]})
    found, _ = seen(tenant, desired(grants={"ana": ["finance"], "bob": ["finance"]}))
    assert names(found) == {"ana": {"finance"}, "bob": {"finance"}}


PEOPLE = ["ana", "bob", "cy", "dee"]
GROUPS = ["finance", "ops", "hr", "all"]
ASKS = st.dictionaries(
    st.sampled_from([*PEOPLE, "new"]), st.lists(st.sampled_from([*GROUPS, "none"]), max_size=3)
)


@given(
    ASKS, ASKS, st.sets(st.sampled_from(PEOPLE)), st.booleans(), st.booleans(), st.integers(1, 3)
)
def test_what_matters_is_complete_whichever_way_was_cheaper(
    grants: dict[str, list[str]],
    revokes: dict[str, list[str]],
    leavers: set[str],
    whole_groups: bool,
    leavers_revoke: bool,
    page_size: int,
) -> None:
    tenant = acme(page_size)
    persons = [person(name, standing=Standing.LEAVER) for name in leavers]
    wish = desired(*persons, grants=grants, revokes=revokes)
    found = look(tenant, wish, whole_groups=whole_groups, leavers_revoke=leavers_revoke)
    truth = names(tenant.truth())
    shown = names(found)

    asked = {(who, g) for asks in (grants, revokes) for who, labels in asks.items() for g in labels}
    if leavers_revoke:
        asked |= {(who, g) for who in leavers for g in GROUPS}
    if whole_groups:
        granting = {g for labels in grants.values() for g in labels} & set(GROUPS)
        assert found.read_whole >= granting
        asked |= {(who, g) for who in PEOPLE for g in granting}
    asked |= {(who, str(g)) for who in PEOPLE for g in found.read_whole}
    for who, held in asked:
        assert (held in shown.get(who, set())) == (held in truth.get(who, set()))
    assert all(held <= truth[who] for who, held in shown.items())


@pytest.mark.parametrize("spelling", ["finance", "FINANCE", " Money  Matters ", "money matters"])
def test_a_group_goes_by_internal_name_and_alias(spelling: str) -> None:
    finance, other = group("finance", "Money Matters"), group("other", "Finance")
    assert groups_by_key([finance])[group_key(spelling)] == (finance,)
    assert groups_by_key([finance, other])[group_key("finance")] == (finance, other)


def test_calls_are_pages() -> None:
    tenant = acme(page_size=2)
    look(tenant, Desired(), whole_groups=False, leavers_revoke=False)
    assert [call.action for call in tenant.log] == [
        "identity", "identity", "users", "groups", "groups",
    ]  # fmt: skip


# ---- accounts: listed or looked up -------------------------------------------------------------------------


def many(count: int = 1000, **settings: object) -> FakeTenant:
    """A large tenant: ``p0000`` to ``p0999``, of whom the first page shows a hundred."""
    people = [user(f"p{n:04}") for n in range(count)]
    groups = [group("finance"), group("ops")]
    return FakeTenant(people, groups, {"finance": ["p0500", "p0501"]}, **settings)  # type: ignore[arg-type]


def names_of(numbers: range) -> list[Person]:
    return [person(f"p{n:04}") for n in numbers]


def account_calls(tenant: FakeTenant) -> list[str]:
    return [call.action for call in tenant.log if call.action.startswith("users")]


@pytest.mark.parametrize(
    ("wish", "calls"),
    [
        pytest.param(desired(), ["users"], id="nobody"),
        pytest.param(desired(*names_of(range(100))), ["users"], id="all-on-the-first-page"),
        pytest.param(desired(person("p0500")), ["users", "users_by_email"], id="one"),
        pytest.param(
            desired(*names_of(range(500, 539))), ["users", "users_by_email"], id="one-look-up"
        ),
        pytest.param(
            desired(*names_of(range(500, 540))),
            ["users", *["users_by_email"] * 2],
            id="and-one-who-is-known-to-be-there",
        ),
        pytest.param(
            desired(*names_of(range(500, 859))),
            ["users", *["users_by_email"] * 9],
            id="just-cheaper-than-the-list",
        ),
        pytest.param(desired(*names_of(range(500, 860))), ["users"] * 11, id="dearer"),
        pytest.param(
            desired(grants={"p0500": ["ops"]}, revokes={"p0501": ["ops"]}),
            ["users", "users_by_email"],
            id="memberships-only",
        ),
    ],
)
def test_accounts_are_looked_up_where_that_takes_fewer_calls(
    wish: Desired, calls: list[str]
) -> None:
    tenant = many()
    found, _ = seen(tenant, wish)
    truth = tenant.truth()
    assert account_calls(tenant) == calls
    asked = wish.persons.keys() | wish.grants.keys() | wish.revokes.keys()
    assert {who: found.users[who] for who in asked} == {who: truth.users[who] for who in asked}
    assert found.accounts == 1001
    assert (found.elsewhere == 0) is ("users_by_email" not in calls and len(calls) > 1)


def test_somebody_new_with_another_address_or_name_is_looked_up_by_that_too() -> None:
    tenant = many()
    new = person("new", other_addresses=(email("p0500"),), username="P0501")
    known = person("p0502", other_addresses=(email("p0503"),), username="p0504")
    found, _ = seen(tenant, desired(new, known))
    assert account_calls(tenant) == ["users", "users_by_email", "users_by_email", "users_by_name"]
    assert {email("p0500"), email("p0501"), email("p0502")} <= found.users.keys()
    assert not {email("p0503"), email("p0504")} & found.users.keys()


@pytest.mark.parametrize(
    "standing", [Standing.ACTIVE, Standing.LEAVER, Standing.ON_LEAVE, Standing.NOT_STARTED]
)
def test_only_who_may_come_is_looked_up_by_name(standing: Standing) -> None:
    tenant = many()
    seen(tenant, desired(person("new", standing=standing, username="p0501")))
    assert ("users_by_name" in account_calls(tenant)) is (standing is not Standing.NOT_STARTED)


def test_a_text_that_is_too_long_for_a_name_is_not_looked_up() -> None:
    tenant = many()
    seen(tenant, desired(person("new", username="x" * 256)))
    (asked,) = [call.subjects for call in tenant.log if call.action == "users_by_name"]
    assert asked == ("new", "p0000")


@pytest.mark.parametrize(
    ("standing", "known"),
    [
        (Standing.ACTIVE, True),
        (Standing.ON_LEAVE, True),
        (Standing.LEAVER, True),
        (Standing.NOT_STARTED, False),
    ],
)
def test_an_account_that_shows_no_address_is_known_by_the_name_of_whoever_may_have_it(
    standing: Standing, *, known: bool
) -> None:
    hidden = User(Email(""), id=UserId("u-zoe"), username="zoe")
    tenant = many()
    tenant.put(hidden)
    found, _ = seen(tenant, desired(person("zoe", standing=standing)))
    assert (hidden in found.unreadable) is known


def test_a_look_up_that_misses_who_is_there_is_not_believed() -> None:
    class Blind(FakeTenant):
        def users_by_email(self, emails: object) -> list[User]:
            super().users_by_email(emails)  # type: ignore[arg-type]
            return []

    tenant = Blind([user(f"p{n:04}") for n in range(1000)])
    found, _ = seen(tenant, desired(person("p0500")))
    assert account_calls(tenant) == ["users", "users_by_email", *["users"] * 10]
    assert (found.elsewhere, email("p0500") in found.users) == (0, True)
    assert found.look_ups is False


def test_where_look_ups_are_refused_all_are_listed() -> None:
    tenant = many(faults=[Fault("refuse", "users_by_email")])
    found, _ = seen(tenant, desired(person("p0500")))
    assert (found.elsewhere, email("p0500") in found.users, found.look_ups) == (0, True, False)


def test_look_ups_are_believed_until_they_miss_somebody() -> None:
    found, _ = seen(many(), desired(person("p0500")))
    assert found.look_ups is True


def test_a_group_that_was_read_has_as_many_members_as_it_showed() -> None:
    class Careless(FakeTenant):
        def groups(self) -> list[Group]:
            return [replace(group, size=7) for group in super().groups()]

    tenant = Careless(
        [user("ana"), user("bob")],
        [group("finance"), group("ops")],
        {"finance": ["ana", "bob"]},
    )
    found, _ = seen(tenant, desired(grants={"ana": ["finance"]}), whole_groups=True)
    assert {name: group.size for name, group in found.groups.items()} == {"finance": 2, "ops": 7}


def test_without_anybody_to_look_for_again_all_are_listed() -> None:
    tenant = FakeTenant(
        [User(Email(""), id=UserId(f"u-{n}"), username=f"s{n}") for n in range(250)]
    )
    found, _ = seen(tenant, desired(person("ana")))
    assert (account_calls(tenant), found.elsewhere) == (["users"] * 3, 0)


def test_a_tenant_that_does_not_count_is_listed() -> None:
    class Shy(FakeTenant):
        def first_users(self) -> Page:
            return replace(super().first_users(), total=None)

    tenant = Shy([user(f"p{n:04}") for n in range(250)])
    found, _ = seen(tenant, desired(person("p0200")))
    assert (found.elsewhere, found.accounts, email("p0200") in found.users) == (0, 251, True)


ADMINS = [user("p0500", Role.ADMIN), user("p0501", Role.ADMIN, enabled=False)]


@pytest.mark.parametrize(
    ("admins", "wish", "listed"),
    [
        pytest.param(ADMINS, [person("p0500", Role.GUEST)], True, id="no-other-admin-has-shown-up"),
        pytest.param(
            [*ADMINS, user("p0000", Role.ADMIN)],
            [person("p0500", Role.GUEST)],
            False,
            id="another-one-has",
        ),
        pytest.param(
            [*ADMINS, user("p0000", Role.ADMIN, pending=True)],
            [person("p0500", Role.GUEST)],
            True,
            id="one-who-never-signed-in",
        ),
        pytest.param(
            [*ADMINS, user("p0000", Role.ADMIN, username="service-account-apikey-2")],
            [person("p0500", Role.GUEST)],
            True,
            id="one-of-a-token",
        ),
        pytest.param(
            [*ADMINS, user("p0000", Role.ADMIN)],
            [person("p0500", Role.GUEST), person("p0000", Role.MEMBER)],
            True,
            id="who-is-demoted-too",
        ),
        pytest.param(ADMINS, [person("p0500", Role.ADMIN)], False, id="who-stays-admin"),
        pytest.param(ADMINS, [person("p0500")], False, id="whose-role-is-not-said"),
        pytest.param(ADMINS, [person("p0501", Role.GUEST)], False, id="who-can-not-sign-in"),
    ],
)
def test_all_are_listed_before_the_last_admin_can_be_demoted(
    admins: list[User], wish: list[Person], listed: bool
) -> None:
    tenant = many()
    tenant.put(*admins)
    found, _ = seen(tenant, desired(*wish))
    assert (found.elsewhere == 0) is listed


def test_members_who_may_be_missed_are_known_by_their_groups() -> None:
    tenant = many()
    found, _ = seen(tenant, desired(grants={"p0500": ["finance"]}), whole_groups=True)
    assert account_calls(tenant) == ["users", "users_by_email"]
    assert found.users[email("p0501")] == user("p0501")
    assert found.accounts == 1001


@pytest.mark.parametrize(
    ("member", "listed"),
    [
        pytest.param(User(Email(""), id=UserId("u-p0501"), username="p0501"), True, id="person"),
        pytest.param(
            User(Email(""), id=UserId("u-x"), username="service-account-x"), False, id="token"
        ),
    ],
)
def test_all_are_listed_where_a_member_who_may_be_missed_shows_no_address(
    member: User, listed: bool
) -> None:
    class Shy(FakeTenant):
        def members(self, key: object) -> list[User]:
            return [*super().members(key)[:1], member]  # type: ignore[arg-type]

    tenant = Shy(
        [user(f"p{n:04}") for n in range(1000)], [group("finance")], {"finance": ["p0500"]}
    )
    found, _ = seen(tenant, desired(grants={"p0500": ["finance"]}), whole_groups=True)
    assert (found.elsewhere == 0) is listed
    assert names(found) == {"p0500": {"finance"}} | ({"p0501": {"finance"}} if listed else {})


def test_people_of_rejected_rows_are_looked_up_too() -> None:
    tenant = many()
    found = look(tenant, Desired(), whole_groups=False, leavers_revoke=False, held=[email("p0500")])
    assert email("p0500") in found.users


# ---- one address, two accounts -----------------------------------------------------------------------------

ZED = user("zed")
CAPITAL_ZED = user("zed", id=UserId("u-Zed"), username="zed2")
AMBIGUOUS = {email("zed"): (ZED, CAPITAL_ZED)}


@pytest.mark.parametrize("others", [0, 1000])
def test_accounts_whose_addresses_differ_in_capitals_are_told_apart(others: int) -> None:
    tenant = FakeTenant([*(user(f"p{n:04}") for n in range(others)), ZED, CAPITAL_ZED])
    found, _ = seen(tenant, desired(person("zed")))
    assert (found.ambiguous, found.accounts) == (AMBIGUOUS, others + 3)
    assert (found.elsewhere > 0) is (others > 0)


@pytest.mark.parametrize("whole_groups", [True, False])
def test_an_account_that_a_look_up_does_not_show_is_told_apart_by_its_group(
    *, whole_groups: bool
) -> None:
    class Exact(FakeTenant):
        """Its filter minds capitals."""

        def users_by_email(self, emails: Collection[str]) -> list[User]:
            return [user for user in super().users_by_email(emails) if user.id != CAPITAL_ZED.id]

    tenant = Exact([user(f"p{n:04}") for n in range(1000)], [group("finance")])
    tenant.put(ZED, CAPITAL_ZED)
    tenant.has.members[GroupId("g-finance")] = frozenset({CAPITAL_ZED.id})
    asks = {name: ["finance"] for name in ("zed", "p0500")}
    found, _ = seen(tenant, desired(grants=asks), whole_groups=whole_groups)
    assert found.ambiguous == AMBIGUOUS


# ---- whichever way was cheaper, the plan is the same -------------------------------------------------------

NAMES = [f"p{n:02}" for n in range(20)]
OTHER = ["alias", "BIG", "small", "robot"]
EVERYBODY = [*NAMES, "alias", "new", "newer"]
ROLES = st.sampled_from(Role)


@st.composite
def inhabited(draw: st.DrawFn) -> FakeTenant:
    there = sorted(draw(st.sets(st.sampled_from(NAMES), min_size=10)))
    chosen = dict(zip(draw(st.permutations(there)), OTHER, strict=False))
    people = [
        User(
            email(name) if draw(st.integers(0, 9)) else Email(""),
            draw(st.sampled_from([Role.GUEST, Role.GUEST, Role.MEMBER, Role.ADMIN])),
            enabled=draw(st.booleans()),
            id=UserId(f"u-{name}"),
            username=chosen.get(name, name),
        )
        for name in there
    ]
    members = {
        name: [u.email for u in people if u.email and draw(st.booleans())] for name in ("g0", "g1")
    }
    return FakeTenant(
        people,
        [group("g0"), group("g1", default=draw(st.booleans()))],
        members,
        page_size=draw(st.integers(1, 4)),
        lookup_size=draw(st.integers(3, 9)),
    )


@st.composite
def sheets(draw: st.DrawFn) -> Intake:
    persons = [
        person(
            name,
            draw(st.none() | ROLES),
            rows=(row(2 + at),),
            standing=draw(st.sampled_from(Standing)),
            other_addresses=tuple(email(n) for n in draw(st.sets(st.sampled_from(NAMES), max_size=1))),
            username=draw(st.sampled_from(["", "P11", "p15", *map(str.lower, OTHER)])),
        )
        for at, name in enumerate(sorted(draw(st.sets(st.sampled_from(EVERYBODY), max_size=4))))
    ]  # fmt: skip
    asks = [
        {
            name: {label: [row(20 + 10 * side + at)]}
            for at, name in enumerate(sorted(draw(st.sets(st.sampled_from(EVERYBODY), max_size=3))))
            for label in [draw(st.sampled_from(["g0", "G1", "g2"]))]
        }
        for side in (0, 1)
    ]
    held = Held(
        {email(name): row(90) for name in draw(st.sets(st.sampled_from(NAMES), max_size=2))}
    )
    return intake(persons, (), *asks, held=held)


@settings(max_examples=150)
@given(inhabited(), sheets(), st.booleans(), st.booleans())
def test_a_plan_is_the_same_as_if_all_were_known(
    tenant: FakeTenant, asked: Intake, whole: bool, revoke: bool
) -> None:
    wishes = Wishes(authoritative=whole, leavers_revoke=revoke)
    found = look(
        tenant,
        asked.desired,
        whole_groups=whole,
        leavers_revoke=revoke,
        held=asked.held.people,
    )
    event(f"{found.elsewhere > 0 = }")

    def said(current: Directory) -> object:
        reconciled = reconcile(asked, current, wishes)
        plan = screen(reconciled.plan, current, Permissions(allow_admins=True))
        findings = {(finding.code, finding.row, finding.value) for finding in reconciled.findings}
        settled = {(one.status, one.code, one.rows, one.message) for one in plan.settled}
        totals = [used.total for used in usage(plan, current, Limits(), rows=1, rejected=0)[:2]]
        return plan.fingerprint, findings, settled, totals

    assert said(found) == said(tenant.truth())
    assert found.accounts == len(tenant.has.users)


def test_memberships_are_read_side_by_side_and_what_they_take_is_told_before() -> None:
    tenant = many()
    told: list[tuple[int, int]] = []
    with ThreadPoolExecutor(4) as pool:
        found = look(
            tenant,
            desired(*names_of(range(1000)), grants={"p0000": ["finance", "ops"]}),
            whole_groups=True,
            leavers_revoke=False,
            spread=pool.map,
            tell=lambda calls: told.append((tenant.calls, calls)),
        )
    assert told == [(3, 10), (14, 2)]  # ten more pages of accounts, then a page of groups
    assert names(found) == {"p0500": {"finance"}, "p0501": {"finance"}}
