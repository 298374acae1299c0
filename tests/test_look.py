"""What is read from a tenant before planning, and in how few calls."""

from __future__ import annotations

import pytest
from builders import email, group, intake, person, row, team, user
from fakes import OWN, FakeTenant
from hypothesis import given
from hypothesis import strategies as st

from onboarding.errors import Protocol
from onboarding.model import (
    Desired,
    Directory,
    GroupName,
    Person,
    Standing,
    User,
    group_key,
    groups_by_key,
)
from onboarding.tenant import look

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
    identity = tenant.identity()
    del tenant.has.users[identity.own]
    with pytest.raises(Protocol, match=r"list of 4 accounts lacks our own"):
        look(tenant, Desired(), whole_groups=False, leavers_revoke=False)


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
            return [User(email(""), id=u.id) for u in super().members(key)]  # type: ignore[arg-type]

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
        "identity", "identity", "users", "users", "users", "groups", "groups",
    ]  # fmt: skip
