"""One table of behaviours for both tenants: the one in memory, and the embedded one over real HTTP.

What other tests rely on in ``FakeTenant`` is true of it only as far as it stands here. Neither knows the other, nor
does the embedded tenant know our client, so a misreading of the API would have to be made twice to go unnoticed.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from builders import email
from fakes import OWN, Clock, FakeTenant, Fault

from onboarding.apply.fates import closes_invitations, says_already
from onboarding.atlan import Atlan
from onboarding.auth import ApiKey
from onboarding.errors import Doubt, Refused, TenantError, Throttled, TokenRefused
from onboarding.look import look
from onboarding.model import (
    Desired,
    Directory,
    Email,
    Group,
    GroupId,
    GroupName,
    Role,
    User,
    UserId,
)
from onboarding.pacing import Budget
from onboarding.plan import Change
from onboarding.tenant import Tenant
from onboarding.transport import Transport

ANA, BEN, GRACE = (email(name) for name in ("ana.kovacs", "ben.okafor", "grace.tan"))
PATHS = {
    "invite": "POST /api/service/users$",
    "create_group": "POST /api/service/groups$",
    "update_group": "POST /api/service/groups/[^/]+$",
    "change_role": "POST .*/roles/update$",
    "add_to_groups": "POST /api/service/users/[^/]+/groups$",
    "remove_members": "POST .*/members/remove$",
}
KINDS: dict[str, dict[str, Any]] = {
    "doubt_before": {"kind": "drop-before"},
    "doubt_after": {"kind": "drop-after"},
    "refuse": {"kind": "status", "status": 400, "body": {"message": "not today"}},
    "throttle": {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "token": {"kind": "status", "status": 401},
}


class Desk:
    """A tenant, with what a test may do behind its back."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    def person(self, who: Email) -> User:
        (found,) = self.tenant.users_by_email([who])
        return found

    def group(self, name: str) -> Group:
        return next(group for group in self.tenant.groups() if group.name == name)

    def members(self, name: str) -> set[Email]:
        return {user.email for user in self.tenant.members(self.group(name).id)}

    def cost(self, work: Callable[[], object]) -> int:
        before = self.tenant.calls
        work()
        return self.tenant.calls - before


class InMemory(Desk):
    tenant: FakeTenant

    def mails(self) -> list[str]:
        return list(self.tenant.mails)

    def fault(self, kind: str, action: str) -> None:
        self.tenant.faults.append(Fault(kind, action))  # type: ignore[arg-type]

    def switch(self, **switches: Any) -> None:
        self.tenant.atomic = switches.get("invite_batch") == "atomic"
        if switches.get("sso_enforced"):
            self.tenant.no_invitations = "Inviting users is not allowed when SSO is enforced"


class OverHttp(Desk):
    def __init__(self, url: str, name: str) -> None:
        self.url = f"{url}/__sandbox__/"
        self.post("reset")
        self.post("faults", {"switches": SWITCHES_OFF, "faults": []})
        clock = Clock()
        budget = Budget(math.inf, clock=clock, sleep=clock.sleep)
        transport = Transport(url, ApiKey("sandbox"), budget=budget, sleep=clock.sleep)
        super().__init__(Atlan(transport, tenant=name))

    def post(self, path: str, body: Any = None) -> None:
        requests.post(self.url + path, json=body, timeout=10).raise_for_status()

    def mails(self) -> list[str]:
        sent = requests.get(self.url + "mails", timeout=10).json()
        return [mail["email"] for mail in sent]

    def counted(self) -> int:
        return sum(requests.get(self.url + "counts", timeout=10).json().values())

    def fault(self, kind: str, action: str) -> None:
        self.post("faults", {"faults": [{"match": PATHS[action], **KINDS[kind]}]})

    def switch(self, **switches: Any) -> None:
        self.post("faults", {"switches": switches})


SWITCHES_OFF = {
    "invite_batch": "per-user", "sso_enforced": False, "role_update": "roles/update",
    "group_update": "merge", "unknown_guid": 404, "page_cap": 100, "readd_member": "ok",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    name: str


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    db: Path = tmp_path_factory.mktemp("contract") / "tenant.db"
    command = [sys.executable, "-m", "onboarding.sandbox", "--db", str(db), "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        said = json.loads(process.stdout.readline())
        yield Served(said["url"], said["tenant"])
        process.stdin.close()
        process.wait(10)


@pytest.fixture
def over_http(served: Served) -> OverHttp:
    return OverHttp(served.url, served.name)


def whole(tenant: Tenant) -> Directory:
    """All that a tenant has, memberships of everybody included."""
    found = look(tenant, Desired(), whole_groups=False, leavers_revoke=False)
    users = tenant.users()
    found = replace(
        found,
        users={user.email: user for user in users if user.email},
        unreadable=tuple(user for user in users if not user.email),
        elsewhere=0,
    )
    memberships: dict[Email, frozenset[GroupName]] = {}
    for group in found.groups.values():
        for user in tenant.members(group.id):
            memberships[user.email] = memberships.get(user.email, frozenset()) | {group.name}
    return replace(found, memberships=memberships)


@pytest.fixture
def in_memory(over_http: OverHttp) -> InMemory:
    """The same people and groups, in memory."""
    has = whole(over_http.tenant)
    members = {
        name: [user for user, held in has.memberships.items() if name in held]
        for name in has.groups
    }
    return InMemory(FakeTenant(has.users.values(), has.groups.values(), members, name=has.tenant))


@pytest.fixture(params=["in_memory", "over_http"])
def desk(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


# ---- reading -----------------------------------------------------------------------------------------------


def test_the_copy_is_like_the_original(in_memory: InMemory, over_http: OverHttp) -> None:
    copy, original = whole(in_memory.tenant), whole(over_http.tenant)
    assert (copy.users, copy.groups) == (original.users, original.groups)
    assert (copy.memberships, copy.tenant) == (original.memberships, original.tenant)
    assert copy.memberships[ANA] == {"everyone", "data_platform"}


def test_who_we_are_is_an_account_without_an_address(desk: Any) -> None:
    identity = desk.tenant.identity()
    assert set(identity.roles) == set(Role)
    (own,) = [user for user in desk.tenant.users() if user.id == identity.own]
    assert own == User(Email(""), None, id=identity.own, username=identity.own_name)
    assert own.username.startswith("service-account-apikey-")


def test_readings_take_the_calls_that_are_announced(desk: Any) -> None:
    tenant = desk.tenant
    assert desk.cost(tenant.identity) == 2
    assert desk.cost(tenant.identity) == 0
    assert desk.cost(tenant.first_users) == 1
    assert desk.cost(tenant.users) == 1
    assert desk.cost(tenant.groups) == 1
    assert desk.cost(lambda: tenant.users_by_email([ANA])) == 1
    assert desk.cost(lambda: tenant.users_by_email([])) == 0
    many = [email(f"new{n}") for n in range(41)]
    assert desk.cost(lambda: tenant.users_by_email(many)) == tenant.lookups(many) == 2
    tenant.invite([(who, Role.GUEST) for who in many], request_id="1")
    more = [email(f"more{n}") for n in range(tenant.page_size - len(many) + 1)]
    tenant.invite([(who, Role.GUEST) for who in more], request_id="2")
    everyone = desk.group("everyone")
    assert everyone.size == len(tenant.members(everyone.id)) > tenant.page_size
    assert desk.cost(lambda: tenant.members(everyone.id)) == 2
    assert desk.cost(tenant.users) == 2
    assert tenant.first_users().total == len(tenant.users())


def test_the_server_counts_what_we_count(over_http: OverHttp) -> None:
    before = over_http.counted()
    test_readings_take_the_calls_that_are_announced(over_http)
    assert over_http.counted() - before == over_http.tenant.calls


def test_a_look_up_is_exact(desk: Any) -> None:
    asked = [email("ana_kovacs"), email("%"), Email("kovacs@acme.example"), BEN]
    assert [user.email for user in desk.tenant.users_by_email(asked)] == [BEN]


def test_lists_are_in_order(desk: Any) -> None:
    names = [group.name for group in desk.tenant.groups()]
    assert names == sorted(names)
    names = [user.username for user in desk.tenant.members(desk.group("everyone").id)]
    assert names == sorted(names)
    held = [group.name for group in desk.tenant.groups_of(desk.person(ANA).id)]
    assert held == ["data_platform", "everyone"]


# ---- changing ----------------------------------------------------------------------------------------------


def test_an_invited_person_is_pending_and_joins_the_default_groups(desk: Any) -> None:
    desk.tenant.identity()
    people = [(email("new.one"), Role.MEMBER), (email("new.two"), Role.GUEST)]
    receipt = desk.tenant.invite(people, request_id="ours-1")
    assert (receipt.status, receipt.request_id, receipt.group) == (200, "ours-1", None)
    person = desk.person(email("new.one"))
    assert person == User(
        email("new.one"), Role.MEMBER, pending=True, id=person.id, username="new.one"
    )
    assert [group.name for group in desk.tenant.groups_of(person.id)] == ["everyone"]
    assert desk.mails() == [email("new.one"), email("new.two")]
    assert desk.cost(lambda: desk.tenant.invite([(email("x"), Role.GUEST)], request_id="2")) == 1


def test_somebody_known_is_refused_by_name_and_the_others_are_invited(desk: Any) -> None:
    people = [(email("new.one"), Role.GUEST), (ANA, Role.GUEST), (email("new.two"), Role.GUEST)]
    with pytest.raises(Refused) as caught:
        desk.tenant.invite(people, request_id="ours-1")
    assert (list(caught.value.by_subject), caught.value.status) == ([ANA], 500)
    assert says_already(caught.value)
    assert desk.person(ANA).role is Role.MEMBER
    assert desk.mails() == [email("new.one"), email("new.two")]


def test_an_atomic_tenant_invites_nobody_of_a_refused_batch(desk: Any) -> None:
    desk.switch(invite_batch="atomic")
    with pytest.raises(Refused) as caught:
        desk.tenant.invite([(email("new"), Role.GUEST), (ANA, Role.GUEST)], request_id="ours-1")
    assert list(caught.value.by_subject) == [ANA]
    assert (list(desk.tenant.users_by_email([email("new")])), desk.mails()) == ([], [])


def test_where_single_sign_on_is_enforced_invitations_are_closed(desk: Any) -> None:
    desk.switch(sso_enforced=True)
    with pytest.raises(Refused) as caught:
        desk.tenant.invite([(email("new"), Role.GUEST)], request_id="ours-1")
    change = Change(None, User(email("new"), Role.GUEST))
    assert closes_invitations(caught.value, [change]).startswith("Inviting users is not allowed")


NEW = Group(GroupName("legal"), "Legal Team", "Contracts")


def test_a_group_is_created_with_the_members_that_exist(desk: Any) -> None:
    ana, nobody = desk.person(ANA), UserId("00000000-0000-0000-0000-000000000000")
    receipt = desk.tenant.create_group(NEW, [ana.id, nobody], request_id="ours-1")
    made = desk.group("legal")
    assert receipt.group == made.id
    assert list(receipt.not_added) == [nobody]
    assert made == replace(NEW, id=made.id, path="/legal", size=1)
    assert desk.members("legal") == {ANA}


def test_a_group_without_members_is_empty(desk: Any) -> None:
    receipt = desk.tenant.create_group(NEW, [], request_id="ours-1")
    assert (receipt.not_added, desk.members("legal")) == ({}, set())


def test_a_group_is_created_once(desk: Any) -> None:
    desk.tenant.create_group(NEW, [], request_id="ours-1")
    with pytest.raises(Refused) as caught:
        desk.tenant.create_group(replace(NEW, alias="Other"), [], request_id="ours-2")
    assert says_already(caught.value)
    assert desk.group("legal").alias == "Legal Team"


@pytest.mark.parametrize("group_update", ["merge", "replace"])
def test_an_update_sets_all_and_keeps_the_rest(desk: Any, group_update: str) -> None:
    desk.switch(group_update=group_update)
    before = desk.group("finance")
    after = replace(before, alias="Money", description="", default=True)
    desk.tenant.update_group(after, request_id="ours-1")
    assert desk.group("finance") == after
    again = replace(after, description="Back", default=False)
    desk.tenant.update_group(again, request_id="ours-2")
    assert desk.group("finance") == again


@pytest.mark.parametrize("role_update", ["roles/update", "update", "both"])
def test_a_role_is_changed_even_while_pending(desk: Any, role_update: str) -> None:
    desk.switch(role_update=role_update)
    desk.tenant.invite([(email("new"), Role.GUEST)], request_id="ours-1")
    for who, role in ((email("new"), Role.MEMBER), (ANA, Role.ADMIN), (GRACE, Role.GUEST)):
        desk.tenant.change_role(desk.person(who).id, role, request_id="ours-2")
        assert desk.person(who).role is role


def test_groups_are_added_to_those_that_a_person_has(desk: Any) -> None:
    ana = desk.person(ANA).id
    groups = [desk.group("finance").id, desk.group("data_platform").id]
    desk.tenant.add_to_groups(ana, groups, request_id="ours-1")
    held = [group.name for group in desk.tenant.groups_of(ana)]
    assert held == ["data_platform", "everyone", "finance"]


def test_members_are_removed_and_who_is_none_does_no_harm(desk: Any) -> None:
    group = desk.group("data_platform").id
    users = [desk.person(who).id for who in (ANA, BEN)]
    before = desk.members("data_platform")
    desk.tenant.remove_members(group, users, request_id="ours-1")
    assert before - desk.members("data_platform") == {ANA}


GONE = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("unknown_guid", [404, 400])
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda t: t.members(GroupId(GONE)), id="members"),
        pytest.param(lambda t: t.groups_of(UserId(GONE)), id="groups_of"),
        pytest.param(lambda t: t.change_role(UserId(GONE), Role.GUEST, request_id="1"), id="role"),
        pytest.param(lambda t: t.add_to_groups(UserId(GONE), ["x"], request_id="1"), id="add"),
        pytest.param(lambda t: t.remove_members(GroupId(GONE), ["x"], request_id="1"), id="remove"),
        pytest.param(
            lambda t: t.update_group(replace(NEW, id=GroupId(GONE), path="/x"), request_id="1"),
            id="update",
        ),
    ],
)
def test_what_is_gone_is_refused(
    desk: Any, call: Callable[[Tenant], object], unknown_guid: int
) -> None:
    desk.switch(unknown_guid=unknown_guid)
    with pytest.raises(Refused) as caught:
        call(desk.tenant)
    assert "404 Not Found" in caught.value.words


# ---- faults ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error", "done"),
    [
        ("doubt_before", Doubt, False),
        ("doubt_after", Doubt, True),
        ("refuse", Refused, False),
        ("throttle", Throttled, False),
        ("token", TokenRefused, False),
    ],
)
@pytest.mark.parametrize("action", list(PATHS))
def test_a_fault_comes_to_the_same(
    desk: Any, action: str, kind: str, error: type[TenantError], done: bool
) -> None:
    desk.tenant.identity()
    ana, finance = desk.person(ANA), desk.group("finance")
    before = whole(desk.tenant)
    changes: dict[str, Callable[[str], object]] = {
        "invite": lambda i: desk.tenant.invite([(email("new"), Role.GUEST)], request_id=i),
        "create_group": lambda i: desk.tenant.create_group(NEW, [ana.id], request_id=i),
        "update_group": lambda i: desk.tenant.update_group(
            replace(finance, alias="Money"), request_id=i
        ),
        "change_role": lambda i: desk.tenant.change_role(ana.id, Role.GUEST, request_id=i),
        "add_to_groups": lambda i: desk.tenant.add_to_groups(ana.id, [finance.id], request_id=i),
        "remove_members": lambda i: desk.tenant.remove_members(
            finance.id, [desk.person(BEN).id], request_id=i
        ),
    }
    desk.fault(kind, action)
    with pytest.raises(error) as caught:
        changes[action]("ours-1")
    assert type(caught.value) is error
    assert (whole(desk.tenant) != before) is done
    if not done:
        changes[action]("ours-2")
        assert whole(desk.tenant) != before
    assert len(desk.mails()) == (action == "invite")


def test_our_own_account_is_the_one_that_builders_know(in_memory: InMemory) -> None:
    assert in_memory.tenant.identity().own == OWN


@pytest.mark.parametrize("kind", ["cut-answer", "truncate-json", "html"])
def test_half_an_answer_over_http_is_doubt_and_was_carried_out(
    over_http: OverHttp, kind: str
) -> None:
    fault = {"match": PATHS["invite"], "kind": kind, "status": 200, "done": True}
    over_http.tenant.identity()
    over_http.post("faults", {"faults": [fault]})
    with pytest.raises(Doubt):
        over_http.tenant.invite([(email("new"), Role.GUEST)], request_id="ours-1")
    assert over_http.mails() == [email("new")]


def test_readings_over_http_survive_a_bad_minute(over_http: OverHttp) -> None:
    before = whole(over_http.tenant)
    for kind in ("drop-before", "cut-answer", "truncate-json", "html", "redirect-302"):
        over_http.post("faults", {"faults": [{"match": "GET .*", "kind": kind, "times": 2}]})
        assert whole(over_http.tenant) == before


def test_a_tenant_with_small_pages_is_read_whole(over_http: OverHttp) -> None:
    before = whole(over_http.tenant)
    over_http.switch(page_cap=3)
    assert whole(over_http.tenant) == before
