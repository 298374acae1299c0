"""Atlan's own Python SDK, pyatlan, as a witness: the embedded tenant is believed only as far as the SDK accepts it.

The SDK does all that it can with users, groups and roles, and leaves what it believes to leave: a tenant is told in
facts, one line each, read over plain HTTP and from the record of mails, so that neither the SDK nor our own client is
asked about its own work. What it sends is compared with what Atlan's SDK was seen to send to others (its paths, names
and shapes), so a new release of it that talks differently is noticed here.

The SDK lives in an environment of its own, whose Python ``WITNESS_PYTHON`` names; ``.ci/run`` makes one from
``tests/witness.lock``. What the SDK's own tests expect of a live tenant is asked here, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from builders import email
from embedded import API, Tenant

from onboarding.atlan import Atlan
from onboarding.auth import ApiKey
from onboarding.model import Group, GroupId, GroupName, Role, UserId
from onboarding.transport import Transport

PYTHON = os.environ.get("WITNESS_PYTHON", "")
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="WITNESS_PYTHON names no Python that has pyatlan; .ci/run makes one"
)

BLOCKING, ASYNC = "key", "key async"
NOT_OURS = {"user.add_as_admin", "user.add_as_viewer"}  # about assets
COLUMNS = [
    "firstName",
    "lastName",
    "username",
    "id",
    "email",
    "emailVerified",
    "enabled",
    "roles",
    "defaultRoles",
    "groupCount",
    "attributes",
    "personas",
    "createdTimestamp",
    "lastLoginTime",
    "loginEvents",
    "isLocked",
    "workspaceRole",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the SDK made of an order."""

    sent: list[tuple[str, str, list[Any], Any]]
    result: Any = None
    each: list[Any] = field(default_factory=list)
    error: str = ""
    text: str = ""

    @property
    def names(self) -> list[str]:
        """Whom or what it found: all of it, where it went through it to the end."""
        found = self.each or (self.result or {}).get("records") or []
        names = [row.get("username") or row["name"] for row in found]
        return [name.partition("-apikey")[0] for name in names]


class Sdk:
    """The witness: one process for all tests."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.said = self._answer()

    def __call__(
        self, call: str, who: str = BLOCKING, *, each: bool = False, **given: Any
    ) -> Answer:
        return Answer(**self._order(call, who, each, given))

    def fresh(self) -> None:
        self._order("fresh", "", False, {})

    def _order(self, call: str, who: str, each: bool, given: Any) -> dict[str, Any]:
        assert self._process.stdin
        order = {"call": call, "who": who, "each": each, "with": given}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    db = tmp_path_factory.mktemp("witness") / "tenant.db"
    command = [sys.executable, "-m", "onboarding.sandbox", "--db", str(db), "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield Tenant(json.loads(process.stdout.readline())["url"])


@pytest.fixture(scope="module")
def witness(served: Tenant) -> Iterator[Sdk]:
    command = [PYTHON, "-I", str(Path(__file__).parent / "witness" / "witness.py"), served.url]
    pipe = subprocess.PIPE
    # Without our environment, of which the SDK would take a key and a proxy before those that it is given.
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={}) as process:
        yield Sdk(process)


@pytest.fixture
def tenant(served: Tenant) -> Tenant:
    """A new tenant."""
    defaults = served.get("/__sandbox__/faults")["switches"] | SWITCHES_OFF
    served.post("/__sandbox__/faults", {"switches": defaults, "faults": []})
    served.post("/__sandbox__/reset")
    return served


SWITCHES_OFF = {"rate_limit": 0, "token_seconds": 900, "role_update": "roles/update"}


@pytest.fixture
def sdk(tenant: Tenant, witness: Sdk) -> Sdk:
    """The SDK, which knows nothing of this tenant yet."""
    witness.fresh()
    return witness


# ---- all that the SDK can do -------------------------------------------------------------------------------------


def make(what: str, **given: Any) -> dict[str, Any]:
    return {"make": what, **given}


def asking(path: str, /, **query: Any) -> tuple[str, str, dict[str, Any], None]:
    return "GET", API + path, {"count": "true", "offset": "0", "limit": "20"} | query, None


def telling(path: str, body: Any = None) -> tuple[str, str, dict[str, Any], Any]:
    return "POST", API + path, {}, body


def people(**query: Any) -> tuple[str, str, dict[str, Any], None]:
    return asking("/users", columns=COLUMNS, maxLoginEvents="1", **query)


ROLES = (
    "GET",
    f"{API}/roles",
    {"count": "True", "offset": "0", "limit": "100", "filter": '{"name":{"$ilike":"$%"}}'},
    None,
)
NOTHING = ("GET", f"{API}/roles", {}, None)
ACME = [
    "ana.kovacs",
    "ben.okafor",
    "carla.mendes",
    "dmitri.volkov",
    "emma.lindqvist",
    "farid.haddad",
    "grace.tan",
    "nadia.rossi",
    "owner",
]


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that the SDK can do: ``{ana.kovacs}`` stands for a guid wherever it is."""

    call: str
    given: Mapping[str, Any]
    sends: Sequence[tuple[str, str, Any, Any]]
    finds: Sequence[str] | None = None
    """Whom or what it finds, in this order; without ``each``, on the first page."""
    counts: tuple[int, int] | None = None
    """What it takes to be there in all, and after the filter."""
    gains: Sequence[str] = ()
    loses: Sequence[str] = ()
    each: bool = False


def new(name: str, role: str = "$member", **facts: Any) -> dict[str, Any]:
    return make("AtlanUser", email=f"{name}@acme.example", workspace_role=role, **facts)


def wire(name: str, role: str = "$member") -> dict[str, str]:
    return {"email": f"{name}@acme.example", "roleName": role, "roleId": f"{{{role}}}"}


def welcomed(name: str, role: str = "$member") -> list[str]:
    return [f"{name}@acme.example was mailed", f"{name} is {role}", f"{name} in everyone"]


IN = '{"email":{"$in":["ana.kovacs@acme.example", "ben.okafor@acme.example"]}}'
USERNAMES = '{"username":{"$in":["grace.tan", "ana.kovacs"]}}'
ALIAS = '{"$and":[{"alias":{"$ilike":"%Fin%"}}]}'
DESCRIBED = make(
    "AtlanGroup",
    id="{finance}",
    path="/finance",
    attributes=make("AtlanGroup.Attributes", description=["Money"]),
)

DEEDS = {
    "who am i": Deed("user.get_current", {}, [("GET", f"{API}/users/current", {}, None)]),
    "all roles": Deed(
        "role.get_all",
        {},
        [NOTHING],
        ["$admin", "$member", "$guest", "$api-token-default-access", "wf-admin"],
        (5, 5),
    ),
    "some roles": Deed(
        "role.get",
        {"limit": 2, "post_filter": '{"name":{"$ilike":"$%"}}', "sort": "-name", "offset": 1},
        [
            asking(
                "/roles",
                limit="2",
                offset="1",
                sort="-name",
                count="True",
                filter='{"name":{"$ilike":"$%"}}',
            )
        ],
        ["$guest", "$api-token-default-access"],
        (5, 4),
    ),
    "a role's id": Deed("role_cache.get_id_for_name", {"name": "$guest"}, [ROLES]),
    "an id's role": Deed("role_cache.get_name_for_id", {"idstr": "{$guest}"}, [ROLES]),
    "kind of token": Deed("role_cache.is_api_token_user", {}, [("GET", f"{API}/whoami", {}, None)]),
    "users": Deed("user.get", {}, [people()], counts=(10, 10)),
    "users, without counting": Deed(
        "user.get",
        {"limit": 2, "sort": "-email", "count": False, "offset": 1},
        [people(limit="2", offset="1", sort="-email", count="false")],
        ["nadia.rossi", "grace.tan"],
        (0, 0),
    ),
    "users, none asked for": Deed("user.get", {"limit": 0}, [people(limit="0")], counts=(10, 10)),
    "all users, page by page": Deed(
        "user.get_all",
        {"limit": 4},
        [
            people(limit="4", sort="username"),
            asking("/users", limit="4", offset="4", sort="username", maxLoginEvents="1"),
            asking("/users", limit="4", offset="8", sort="username", maxLoginEvents="1"),
            asking("/users", limit="4", offset="12", sort="username", maxLoginEvents="1"),
        ],
        [*ACME, "service-account"],
        (10, 10),
        each=True,
    ),
    "one user by e-mail": Deed(
        "user.get_by_email",
        {"email": "Ana.Kovacs@ACME"},
        [people(filter='{"email":{"$ilike":"%Ana.Kovacs@ACME%"}}')],
        ["ana.kovacs"],
        (10, 1),
    ),
    "a domain, page by page": Deed(
        "user.get_by_email",
        {"email": "@acme.example", "limit": 5},
        [
            people(limit="5", filter='{"email":{"$ilike":"%@acme.example%"}}'),
            asking(
                "/users",
                limit="5",
                offset="5",
                sort="username",
                maxLoginEvents="1",
                filter='{"email":{"$ilike":"%@acme.example%"}}',
            ),
            asking(
                "/users",
                limit="5",
                offset="10",
                sort="username",
                maxLoginEvents="1",
                filter='{"email":{"$ilike":"%@acme.example%"}}',
            ),
        ],
        counts=(10, 9),
        each=True,
    ),
    "users by e-mails": Deed(
        "user.get_by_emails",
        {"emails": ["ana.kovacs@acme.example", "ben.okafor@acme.example"]},
        [people(filter=IN)],
        ["ana.kovacs", "ben.okafor"],
        (10, 2),
    ),
    "users by no e-mails": Deed(
        "user.get_by_emails",
        {"emails": []},
        [people(filter='{"email":{"$in":[""]}}')],
        [],
        (10, 0),
    ),
    "a username": Deed(
        "user.get_by_username",
        {"username": "ana.kovacs"},
        [people(limit="5", filter='{"username":"ana.kovacs"}')],
    ),
    "usernames": Deed(
        "user.get_by_usernames",
        {"usernames": ["grace.tan", "ana.kovacs"]},
        [people(limit="5", filter=USERNAMES)],
        ["grace.tan", "ana.kovacs"],
        (10, 2),
    ),
    "users of a role": Deed(
        "user.get",
        {"post_filter": '{"$and":[{"roles":{"$elemMatch":["$admin"]}}]}', "sort": "username"},
        [people(sort="username", filter='{"$and":[{"roles":{"$elemMatch":["$admin"]}}]}')],
        ["grace.tan", "owner"],
        (10, 2),
    ),
    "one invitation": Deed(
        "user.create",
        {"users": [new("New.Person")]},
        [ROLES, telling("/users", {"users": [wire("New.Person")]})],
        gains=welcomed("new.person"),
    ),
    "three invitations, looked at": Deed(
        "user.create",
        {"users": [new("x"), new("y", "$guest"), new("z", "$admin")], "return_info": True},
        [
            ROLES,
            telling("/users", {"users": [wire("x"), wire("y", "$guest"), wire("z", "$admin")]}),
            people(
                filter='{"email":{"$in":["x@acme.example", "y@acme.example", "z@acme.example"]}}'
            ),
        ],
        ["x", "y", "z"],
        (13, 3),
        gains=[*welcomed("x"), *welcomed("y", "$guest"), *welcomed("z", "$admin")],
    ),
    "a role change": Deed(
        "user.change_role",
        {"guid": "{ana.kovacs}", "role_id": "{$guest}"},
        [telling("/users/{ana.kovacs}/roles/update", {"roleId": "{$guest}"})],
        gains=["ana.kovacs is $guest"],
        loses=["ana.kovacs is $member"],
    ),
    "a role change while pending": Deed(
        "user.change_role",
        {"guid": "{emma.lindqvist}", "role_id": "{$member}"},
        [telling("/users/{emma.lindqvist}/roles/update", {"roleId": "{$member}"})],
        gains=["emma.lindqvist is $member"],
        loses=["emma.lindqvist is $guest"],
    ),
    "two groups for a user": Deed(
        "user.add_to_groups",
        {"guid": "{ana.kovacs}", "group_ids": ["{finance}", "{marketing}"]},
        [telling("/users/{ana.kovacs}/groups", {"groups": ["{finance}", "{marketing}"]})],
        gains=["ana.kovacs in finance", "ana.kovacs in marketing"],
    ),
    "a group for somebody pending": Deed(
        "user.add_to_groups",
        {"guid": "{emma.lindqvist}", "group_ids": ["{finance}"]},
        [telling("/users/{emma.lindqvist}/groups", {"groups": ["{finance}"]})],
        gains=["emma.lindqvist in finance"],
    ),
    "a user's groups": Deed(
        "user.get_groups",
        {"guid": "{dmitri.volkov}"},
        [asking("/users/{dmitri.volkov}/groups", sort="name")],
        ["data_platform", "everyone", "finance"],
        (3, 3),
    ),
    "a user's groups, one by one": Deed(
        "user.get_groups",
        {"guid": "{dmitri.volkov}", "request": make("GroupRequest", limit=1, sort="-name")},
        [
            asking("/users/{dmitri.volkov}/groups", sort="-name", limit="1", offset=str(n))
            for n in range(4)
        ],
        ["finance", "everyone", "data_platform"],
        (3, 3),
        each=True,
    ),
    "groups": Deed("group.get", {}, [asking("/v2/groups")], counts=(4, 4)),
    "all groups, one by one": Deed(
        "group.get_all",
        {"limit": 1},
        [asking("/v2/groups", sort="name", limit="1", offset=str(n)) for n in range(5)],
        ["data_platform", "everyone", "finance", "marketing"],
        (4, 4),
        each=True,
    ),
    "groups by part of their alias": Deed(
        "group.get_by_name",
        {"alias": "Fin"},
        [asking("/v2/groups", filter=ALIAS)],
        ["finance"],
        (4, 1),
    ),
    "some columns of groups": Deed(
        "group.get_all",
        {"limit": 2, "columns": ["path", "attributes"], "sort": "-name"},
        [asking("/v2/groups", sort="-name", limit="2", columns=["path", "attributes"])],
        ["marketing", "finance"],
        (4, 4),
    ),
    "a group": Deed(
        "group.create",
        {"group": make("AtlanGroup.create", alias="X Y")},
        [telling("/groups", {"group": {"attributes": {"alias": ["X Y"]}, "name": "x_y"}})],
        gains=["there is x_y", "x_y has alias ['X Y']"],
    ),
    "a group with members": Deed(
        "group.create",
        {
            "group": make("AtlanGroup.create", alias="X Y"),
            "user_ids": ["{ana.kovacs}", "{emma.lindqvist}"],
        },
        [
            telling(
                "/groups",
                {
                    "group": {"attributes": {"alias": ["X Y"]}, "name": "x_y"},
                    "users": ["{ana.kovacs}", "{emma.lindqvist}"],
                },
            )
        ],
        gains=[
            "there is x_y",
            "x_y has alias ['X Y']",
            "ana.kovacs in x_y",
            "emma.lindqvist in x_y",
        ],
    ),
    "a group's description": Deed(
        "group.update",
        {"group": DESCRIBED},
        [
            telling(
                "/groups/{finance}",
                {"attributes": {"description": ["Money"]}, "id": "{finance}", "path": "/finance"},
            )
        ],
        gains=["finance has description ['Money']"],
        loses=["finance has description ['Controlling and accounts']"],
    ),
    "members of a group": Deed(
        "group.get_members",
        {"guid": "{finance}"},
        [asking("/groups/{finance}/members", sort="username", maxLoginEvents="1")],
        ["ben.okafor", "dmitri.volkov", "nadia.rossi"],
        (3, 3),
    ),
    "members of a group, one by one": Deed(
        "group.get_members",
        {"guid": "{finance}", "request": make("UserRequest", limit=1)},
        [
            asking(
                "/groups/{finance}/members",
                sort="username",
                maxLoginEvents="1",
                limit="1",
                offset=str(n),
            )
            for n in range(4)
        ],
        ["ben.okafor", "dmitri.volkov", "nadia.rossi"],
        (3, 3),
        each=True,
    ),
    "two members removed": Deed(
        "group.remove_users",
        {"guid": "{finance}", "user_ids": ["{ben.okafor}", "{nadia.rossi}"]},
        [telling("/groups/{finance}/members/remove", {"users": ["{ben.okafor}", "{nadia.rossi}"]})],
        loses=["ben.okafor in finance", "nadia.rossi in finance"],
    ),
    "somebody removed who is no member": Deed(
        "group.remove_users",
        {"guid": "{marketing}", "user_ids": ["{ana.kovacs}"]},
        [telling("/groups/{marketing}/members/remove", {"users": ["{ana.kovacs}"]})],
    ),
    "a group deleted": Deed(
        "group.purge",
        {"guid": "{marketing}"},
        [telling("/groups/{marketing}/delete")],
        loses=[
            "there is marketing",
            "marketing has alias ['Marketing']",
            "marketing has isDefault ['false']",
            "carla.mendes in marketing",
            "farid.haddad in marketing",
        ],
    ),
}
BROKEN_IN_ASYNC = {"user.create"}
"""What the SDK's own client that does not block can't do: in 11.6.0 it never awaits the look-up of the role."""


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    """Put guids in the place of names."""
    match value:
        case str():
            for name, guid in names.items():
                value = value.replace(name, guid)
            return value
        case list() | tuple():
            return [_filled(each, names) for each in value]
        case dict():
            return {key: _filled(each, names) for key, each in value.items()}
        case _:
            return value


def _as_expected(request: Sequence[Any]) -> list[Any]:
    """A request with its query as an object: a parameter that is there several times has a list."""
    method, path, pairs, body = request
    query: dict[str, Any] = {}
    for name, value in pairs:
        query[name] = value if name not in query else [*_listed(query[name]), value]
    return [method, path, query, body]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("deed", [pytest.param(deed, id=name) for name, deed in DEEDS.items()])
@pytest.mark.parametrize("who", ["key", "key async", "oauth", "oauth async"])
def test_the_sdk_does_what_it_believes_to_do(
    sdk: Sdk, tenant: Tenant, deed: Deed, who: str
) -> None:
    if who.endswith("async") and deed.call in BROKEN_IN_ASYNC:
        who = who.removesuffix(" async")
    names, before = tenant.names(), tenant.facts()

    answer = sdk(deed.call, who, each=deed.each, **_filled(dict(deed.given), names))

    assert answer.error == "", answer.text
    after = tenant.facts()
    assert (after - before, before - after) == (set(deed.gains), set(deed.loses))
    assert [_as_expected(each) for each in answer.sent] == _filled(list(deed.sends), names)
    if deed.finds is not None:
        assert answer.names == list(deed.finds)
    if deed.counts is not None:
        found = answer.result
        assert (found["totalRecord"], found["filterRecord"]) == deed.counts


def test_every_operation_of_the_sdk_is_tried(sdk: Sdk) -> None:
    tried = {deed.call for deed in DEEDS.values()} | {mishap.call for mishap in MISHAPS.values()}
    assert set(sdk.said["offers"]) - NOT_OURS <= tried


# ---- what it gets to see ------------------------------------------------------------------------------------------


def test_the_sdk_sees_a_user_whole(sdk: Sdk, tenant: Tenant) -> None:
    found = sdk("user.get_by_username", username="ana.kovacs").result
    (wire,) = [row for row in tenant.records("/users") if row["username"] == "ana.kovacs"]
    assert found == {name: wire[name] for name in found}
    assert set(found) == set(COLUMNS) - {"isLocked"}  # which its model does not have
    assert (found["groupCount"], found["loginEvents"], found["emailVerified"]) == (2, [], True)


def test_the_sdk_sees_that_somebody_is_pending(sdk: Sdk) -> None:
    sdk("user.create", users=[new("x")])
    found = sdk("user.get_by_username", username="x").result
    assert (found["emailVerified"], found["enabled"]) == (False, True)
    assert {"invitedAt", "invitedBy", "invitedByName"} <= found["attributes"].keys()
    assert "lastLoginTime" not in found


def test_the_sdk_meets_accounts_without_an_address(sdk: Sdk) -> None:
    (token,) = [row for row in sdk("user.get_all").result["records"] if "email" not in row]
    assert token["id"] == sdk("user.get_current").result["id"]
    assert "attributes" not in token


@pytest.mark.parametrize(
    "call", ["user.get_by_emails", "user.get_by_usernames", "user.get_by_email"]
)
def test_nobody_found_is_an_empty_list(sdk: Sdk, call: str) -> None:
    """As the SDK's own tests expect it of a live tenant."""
    asked = {"user.get_by_emails": "emails", "user.get_by_usernames": "usernames"}
    given = {asked[call]: []} if call in asked else {"email": "nobody@acme.example"}
    assert sdk(call, **given).result["records"] == []


def test_a_new_group_is_found_by_its_alias_and_has_no_description(sdk: Sdk, tenant: Tenant) -> None:
    ana = tenant.names()["{ana.kovacs}"]
    made = sdk("group.create", group=make("AtlanGroup.create", alias="X Y"), user_ids=[ana]).result
    (found,) = sdk("group.get_by_name", alias="X Y").result["records"]
    assert made["users"] == {ana: {"status": 200, "statusMessage": "success"}}
    assert (found["id"], found["path"], found["name"]) == (made["group"], "/x_y", "x_y")
    assert (found["userCount"], "description" in found["attributes"]) == (1, False)
    stamps = found["attributes"]["createdAt"], found["attributes"]["createdBy"]
    assert all(isinstance(each, str) for stamp in stamps for each in stamp)


def test_a_group_handed_back_with_a_description_only_keeps_its_alias(
    sdk: Sdk, tenant: Tenant
) -> None:
    """What the SDK fetched, with new attributes: all of the object is sent, its counts and all."""
    (found,) = sdk("group.get_by_name", alias="Finance").result["records"]
    found |= {"attributes": make("AtlanGroup.Attributes", description=["Now with a description!"])}
    answer = sdk("group.update", group=make("AtlanGroup", **found))
    assert answer.error == "", answer.text
    assert answer.sent[0][3]["userCount"] == 3
    (again,) = sdk("group.get_by_name", alias="Finance").result["records"]
    assert again["attributes"]["description"] == ["Now with a description!"]
    assert (again["alias"], again["userCount"]) == ("Finance", 3)


def test_the_last_member_gone_leaves_an_empty_list(sdk: Sdk, tenant: Tenant) -> None:
    names = tenant.names()
    group, people = names["{marketing}"], [names["{carla.mendes}"], names["{farid.haddad}"]]
    sdk("group.remove_users", guid=group, user_ids=people)
    assert not sdk("group.get_members", guid=group).result["records"]


def test_columns_leave_out_what_is_not_asked_for(sdk: Sdk) -> None:
    found = sdk("group.get_all", columns=["path"]).result["records"]
    assert {frozenset(row) for row in found} == {frozenset({"id", "name", "path"})}


def test_a_tenant_of_several_pages_is_gone_through_once(sdk: Sdk, tenant: Tenant) -> None:
    roles = tenant.names()
    many = [f"p{n:03}" for n in range(137)]
    users = [_filled(wire(name, "$guest"), roles) for name in many]
    tenant.post(f"{API}/users", {"users": users})
    found = sdk("user.get_all", each=True, limit=50)
    assert sorted(set(found.names)) == found.names
    assert set(many) <= set(found.names)
    assert len(found.names) == found.result["totalRecord"] == 147
    everyone = sdk("group.get_members", each=True, guid=roles["{everyone}"]).names
    assert len(everyone) == len(set(everyone)) == 146


# ---- OAuth --------------------------------------------------------------------------------------------------------

TOKEN, ME = "POST /oauth-clients/token", "GET /users/current"


def test_an_oauth_client_fetches_one_token(sdk: Sdk, tenant: Tenant) -> None:
    sdk("user.get_current", "oauth")
    sdk("user.get_current", "oauth")
    assert tenant.log() == [TOKEN, ME, ME]


def test_an_oauth_client_whose_token_is_refused_fetches_another(sdk: Sdk, tenant: Tenant) -> None:
    sdk("user.get_current", "oauth")
    shape = {"servlet": "heracles", "message": "Unauthorized", "url": "/", "status": "401"}
    tenant.fault(match=ME.replace(" ", f" {API}"), kind="status", status=401, body=shape)
    assert sdk("user.get_current", "oauth").error == ""
    assert tenant.log() == [TOKEN, ME, ME, TOKEN, ME]


def test_an_oauth_client_with_a_wrong_secret_gets_no_token(sdk: Sdk, tenant: Tenant) -> None:
    answer = sdk("user.get_current", "bad oauth")
    assert (answer.error, "401" in answer.text) == ("HTTPStatusError", True)
    assert tenant.log() == [TOKEN]


# ---- what it makes of mishaps -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something that goes wrong, how often the SDK sends it, and what it then takes it for."""

    call: str
    given: Mapping[str, Any]
    requests: int
    error: str
    text: str = ""
    fault: Mapping[str, Any] = field(default_factory=dict)
    who: str = BLOCKING
    mails: int = 0


GONE = "00000000-0000-0000-0000-000000000000"
SHAPE_A = {"code": 1009, "error": "conflict", "info": None, "message": "Busy", "requestId": "r"}
GROUP = {"group": make("AtlanGroup.create", alias="X Y")}
GRANT = {"guid": "{ana.kovacs}", "group_ids": ["{finance}"]}
PAGE = {"body": "<html><body>Bad gateway</body></html>"}


def status(code: int, **more: Any) -> dict[str, Any]:
    return {"kind": "status", "status": code, "times": 0, **more}


MISHAPS = {
    "somebody who is there": Mishap(
        "user.create",
        {"users": [new("ana.kovacs")]},
        7,  # the roles, and six times the invitation
        "AtlanError",
        '{"ana.kovacs@acme.example":"409 Conflict: User exists with the same email"}',
    ),
    "somebody who is there, among others": Mishap(
        "user.create",
        {"users": [new("x"), new("ana.kovacs")]},
        7,
        "AtlanError",
        "409 Conflict: User exists with the same email",
        mails=1,
    ),
    "a role that is not there": Mishap(
        "user.change_role",
        {"guid": "{ana.kovacs}", "role_id": GONE},
        1,
        "InvalidRequestError",
        "3500: 404 Not Found: Could not find role",
    ),
    "a group that is there": Mishap(
        "group.create",
        {"group": make("AtlanGroup.create", alias="Finance")},
        1,
        "InvalidRequestError",
        "3500: 409 Conflict: Top level group named 'finance' already exists.",
    ),
    "a user that is not there": Mishap(
        "user.add_to_groups",
        {"guid": GONE, "group_ids": ["{finance}"]},
        1,
        "NotFoundError",
        "3500: 404 Not Found",
    ),
    "a group that is not there": Mishap(
        "group.get_members", {"guid": GONE}, 1, "NotFoundError", "3500: 404 Not Found"
    ),
    "a body that does not fit": Mishap(
        "group.update",
        {"group": make("AtlanGroup", id="{finance}")},
        1,
        "InvalidRequestError",
        "1000: Request body has an error: doesn't match the schema",
    ),
    "a filter that is not known": Mishap(
        "user.get",
        {"post_filter": '{"$or":[{"username":"ana.kovacs"}]}'},
        1,
        "InvalidRequestError",
        "1000: ",
    ),
    "what a token may not do": Mishap(
        "user.update",
        {"guid": "{ana.kovacs}", "user": make("AtlanUser", enabled=False)},
        6,
        "PermissionError",
        "403: API tokens are not allowed",
    ),
    "a bad key": Mishap(
        "user.get_current", {}, 1, "AuthenticationError", "401: Unauthorized", who="bad"
    ),
    "a conflict": Mishap(
        "group.create", GROUP, 1, "ConflictError", "1009: Busy", status(409, body=SHAPE_A)
    ),
    "slow down, twice": Mishap(
        "group.create", GROUP, 3, "", "", status(429, times=2, headers={"Retry-After": "1"})
    ),
    "unavailable, taken for a yes": Mishap("user.add_to_groups", GRANT, 6, "", "", status(503)),
    "unavailable, once": Mishap("user.add_to_groups", GRANT, 2, "", "", status(503, times=1)),
    "unavailable, and a list wanted": Mishap("user.get_all", {}, 6, "TypeError", "", status(503)),
    "a bad gateway": Mishap(
        "group.create", GROUP, 6, "AtlanError", "Bad gateway", status(502, **PAGE)
    ),
    "a redirect": Mishap(
        "group.create", GROUP, 6, "AtlanError", "", {"kind": "redirect-302", "times": 0}
    ),
    "created": Mishap("group.create", GROUP, 1, "IndexError", "", status(201, body={})),
    "no content": Mishap("group.create", GROUP, 1, "AtlanError", "", status(204)),
    "a web page": Mishap(
        "group.create", GROUP, 1, "ApiError", "", {"kind": "html", "status": 200, "times": 0}
    ),
    "hung up on, then refused as done": Mishap(
        "user.create",
        {"users": [new("x")]},
        7,
        "AtlanError",
        "409 Conflict: User exists with the same email",
        {"kind": "drop-after"},
        mails=1,
    ),
}


@pytest.mark.parametrize(
    "mishap", [pytest.param(mishap, id=name) for name, mishap in MISHAPS.items()]
)
def test_the_sdk_understands_what_went_wrong(sdk: Sdk, tenant: Tenant, mishap: Mishap) -> None:
    names = tenant.names()
    if mishap.fault:
        reading = mishap.call.partition(".")[2].startswith("get")
        tenant.fault(match="GET" if reading else "POST", **mishap.fault)
    before = len(tenant.log())
    answer = sdk(mishap.call, mishap.who, **_filled(dict(mishap.given), names))
    sent = len(tenant.log()) - before
    tenant.post("/__sandbox__/faults", {"faults": []})
    assert (answer.error, sent) == (mishap.error, mishap.requests), answer.text
    assert mishap.text in answer.text
    assert len(tenant.get("/__sandbox__/mails")) == mishap.mails


@pytest.mark.parametrize("retry_after", [True, False])
def test_the_sdk_waits_for_the_rate_limit(sdk: Sdk, tenant: Tenant, retry_after: bool) -> None:
    sdk("user.get_current")
    switches = {"rate_limit": 1, "rate_block": 0.001, "retry_after": retry_after}
    tenant.post("/__sandbox__/faults", {"switches": switches})
    assert [sdk("user.get_current").error for _ in range(3)] == ["", "", ""]
    refused = [each for each in tenant.get("/__sandbox__/requests") if each["status"] == 429]
    assert len(refused) >= 2


def test_the_sdk_and_we_send_the_same_requests(sdk: Sdk, tenant: Tenant) -> None:
    """To the same places, that is; what is in them is each one's own."""
    names = tenant.names()
    ana, finance, guest = (names[name] for name in ("{ana.kovacs}", "{finance}", "{$guest}"))
    deeds = [
        ("user.create", {"users": [new("x")]}),
        ("group.create", GROUP),
        ("group.update", {"group": DESCRIBED}),
        ("user.change_role", {"guid": ana, "role_id": guest}),
        ("user.add_to_groups", {"guid": ana, "group_ids": [finance]}),
        ("group.remove_users", {"guid": finance, "user_ids": [ana]}),
        ("user.get_current", {}),
        ("user.get_all", {}),
        ("group.get_all", {}),
        ("group.get_members", {"guid": finance}),
        ("user.get_groups", {"guid": ana}),
    ]
    for call, given in deeds:
        assert sdk(call, **_filled(given, names)).error == ""
    theirs = tenant.log()[-len(deeds) - 1 :]
    assert set(theirs) == set(_our_requests(tenant, UserId(ana), GroupId(finance)))


def _our_requests(tenant: Tenant, ana: UserId, finance: GroupId) -> list[str]:
    before = len(tenant.log())
    ours = Atlan(Transport(tenant.url, ApiKey("sandbox")), tenant="acme.example")
    ours.invite([(email("y"), Role.GUEST)], request_id="1")
    ours.create_group(Group(GroupName("y"), "Y"), [], request_id="2")
    group = next(group for group in ours.groups() if group.id == finance)
    ours.update_group(group, request_id="3")
    ours.change_role(ana, Role.MEMBER, request_id="4")
    ours.add_to_groups(ana, [finance], request_id="5")
    ours.remove_members(finance, [ana], request_id="6")
    ours.users()
    ours.members(finance)
    ours.groups_of(ana)
    return tenant.log()[before:]
