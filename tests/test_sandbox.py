"""The embedded tenant, asked over real HTTP: endpoints, refusals, switches, faults, and its memory."""

import ast
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, fields
from functools import cache
from http.client import HTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import onboarding.sandbox
from onboarding.sandbox import Fault, Sandbox, Switches
from onboarding.sandbox.switches import KINDS, fault_from_text, switch_from_text

API = "/api/service"
NOBODY = "00000000-0000-0000-0000-000000000000"
PEOPLE = [  # by username
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


class Clock:
    """Time that passes when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Client:
    """One kept-alive connection to a tenant."""

    def __init__(self, url: str, key: str | None = "sandbox") -> None:
        self.connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and body, parsed where it is JSON."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.connection.request(
            method,
            path,
            body=None if body is None else text,
            headers={**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}},
        )
        answer = self.connection.getresponse()
        content = answer.read().decode()
        self.answer_headers = dict(answer.getheaders())
        is_json = content and answer.getheader("Content-Type") == "application/json"
        return answer.status, json.loads(content) if is_json else content

    def get(self, path: str, **params: object) -> Any:
        """The body of a read that must succeed."""
        query = f"?{urlencode(params, doseq=True)}" if params else ""
        status, body = self.call("GET", (path if path[0] == "/" else f"{API}/{path}") + query)
        assert status == 200, body
        return body

    def post(self, path: str, body: object = None) -> Any:
        """The body of a write that must succeed."""
        status, answer = self.call("POST", path if path[0] == "/" else f"{API}/{path}", body)
        assert status == 200, answer
        return answer

    def refusal(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and body of a call that must fail, without the request's own id."""
        status, answer = self.call(method, f"{API}/{path}", body, X_Atlan_Request_Id="id-1")
        if isinstance(answer, dict) and "requestId" in answer:
            assert answer.pop("requestId") == "id-1"
        return status, answer

    def user(self, username: str) -> dict[str, Any]:
        return self.get("users", filter=json.dumps({"username": username}))["records"][0]

    def group(self, name: str) -> dict[str, Any]:
        return next(g for g in self.get("v2/groups", limit=100)["records"] if g["name"] == name)

    def members(self, name: str) -> list[str]:
        page = self.get(f"groups/{self.group(name)['id']}/members", sort="username", limit=100)
        return [user["username"] for user in page["records"] or []]

    def groups_of(self, username: str) -> list[str]:
        page = self.get(f"users/{self.user(username)['id']}/groups", sort="name", limit=100)
        return [group["name"] for group in page["records"] or []]

    def role_id(self, name: str) -> str:
        return next(r["id"] for r in self.get("roles")["records"] if r["name"] == name)

    def invitations(self, *emails: str, role: str = "$member") -> dict[str, Any]:
        role_id = self.role_id(role)
        return {"users": [{"email": e, "roleName": role, "roleId": role_id} for e in emails]}

    def usernames(self, **params: object) -> list[str]:
        return [user["username"] for user in self.get("users", **params)["records"] or []]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tenant(tmp_path: Path, clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "tenant.db", clock=clock) as running:
        yield running


@pytest.fixture
def client(tenant: Sandbox) -> Iterator[Client]:
    client = Client(tenant.url)
    yield client
    client.connection.close()


def switch(client: Client, **switches: object) -> None:
    client.post("/__sandbox__/faults", {"switches": switches})


def script(client: Client, *faults: dict[str, object]) -> None:
    client.post("/__sandbox__/faults", {"faults": list(faults)})


def shape_a(status: int, code: int, error: str, message: str) -> tuple[int, dict[str, object]]:
    return status, {"code": code, "error": error, "info": None, "message": message}


def bad_request(message: str) -> tuple[int, dict[str, object]]:
    return shape_a(400, 1000, "Please check your request parameters", message)


def misfit(what: str) -> tuple[int, dict[str, object]]:
    return bad_request(f"Request body has an error: doesn't match the schema: {what}")


def keycloak(status: int, message: str) -> tuple[int, dict[str, object]]:
    return shape_a(status, 3500, "keycloak error", message)


# ------------------------------------------------------------------------------ lists


def test_roles_come_with_strings_for_counts_and_more_than_the_three_of_the_workspace(
    client: Client,
) -> None:
    page = client.get("roles")
    assert (page["totalRecord"], page["filterRecord"]) == (5, 5)
    assert {(r["name"], r["level"], r["memberCount"]) for r in page["records"]} == {
        ("$admin", "workspace", "2"),
        ("$member", "workspace", "5"),
        ("$guest", "workspace", "2"),
        ("$api-token-default-access", "token", "0"),
        ("wf-admin", "sub-role", "0"),
    }
    admin = next(role for role in page["records"] if role["name"] == "$admin")
    assert admin == {
        "id": admin["id"],
        "name": "$admin",
        "description": "Admin",
        "clientRole": False,
        "level": "workspace",
        "memberCount": "2",
    }


def test_roles_are_filtered_and_sorted(client: Client) -> None:
    page = client.get("roles", filter='{"name":{"$ilike":"$%"}}', sort="-memberCount", count="True")
    assert page["records"][0]["name"] == "$member"
    assert (page["totalRecord"], page["filterRecord"]) == (5, 4)


def test_an_active_user_looks_as_the_api_shows_one(client: Client) -> None:
    user = client.user("ana.kovacs")
    assert re.fullmatch(r"[0-9a-f-]{36}", user["id"])
    assert user == {
        "id": user["id"],
        "username": "ana.kovacs",
        "email": "ana.kovacs@acme.example",
        "firstName": "Ana",
        "lastName": "Kovács",
        "emailVerified": True,
        "enabled": True,
        "status": "Enabled",
        "isScimUser": False,
        "isLocked": False,
        "workspaceRole": "$member",
        "roles": ["default-roles-default", "$member"],
        "defaultRoles": ["offline_access", "uma_authorization", "$guest"],
        "groupCount": 2,
        "createdTimestamp": user["createdTimestamp"],
        "lastLoginTime": user["lastLoginTime"],
        "attributes": user["attributes"],
        "personas": [],
        "loginEvents": [],
    }
    assert user["attributes"].keys() == {"invitedAt", "invitedBy", "invitedByName"}


def test_the_tokens_own_account_is_listed_without_email_and_attributes(client: Client) -> None:
    me = client.get("users/current")
    assert re.fullmatch(r"service-account-apikey-[0-9a-f-]{36}", me["username"])
    assert client.usernames(sort="username", limit=100) == [*PEOPLE, me["username"]]
    listed = client.user(me["username"])
    assert listed["id"] == me["id"]
    assert not listed.keys() & {"email", "attributes", "workspaceRole", "lastLoginTime"}


def test_a_disabled_account_says_so(client: Client) -> None:
    user = client.user("farid.haddad")
    assert (user["enabled"], user["status"]) == (False, "Disabled")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({"username": "owner"}, ["owner"], id="bare"),
        pytest.param({"username": {"$eq": "owner"}}, ["owner"], id="eq"),
        pytest.param({"$and": [{"username": {"$eq": "owner"}}]}, ["owner"], id="and"),
        pytest.param({"$and": []}, None, id="and-of-nothing"),
        pytest.param(
            {"username": {"$in": ["owner", "grace.tan", "x"]}}, ["grace.tan", "owner"], id="in"
        ),
        pytest.param({"email": {"$in": ["owner@acme.example"]}}, ["owner"], id="in-email"),
        pytest.param({"email": {"$in": ["Owner@acme.example"]}}, [], id="in-is-exact"),
        pytest.param({"email": {"$in": [""]}}, [], id="in-blank"),
        pytest.param({"email": {"$ilike": "%OWNER@%"}}, ["owner"], id="ilike-ignores-case"),
        pytest.param({"email": {"$ilike": "_wner@acme.example"}}, ["owner"], id="ilike-underscore"),
        pytest.param(
            {"roles": {"$elemMatch": ["$admin"]}}, ["grace.tan", "owner"], id="elem-match"
        ),
        pytest.param(
            {"$and": [{"roles": {"$elemMatch": ["$admin"]}}, {"email": {"$ilike": "g%"}}]},
            ["grace.tan"],
            id="and-of-two",
        ),
        pytest.param(
            {"roles": {"$elemMatch": ["$admin"]}, "username": "owner"}, ["owner"], id="two-keys"
        ),
    ],
)
def test_users_are_filtered(client: Client, wanted: object, found: list[str] | None) -> None:
    page = client.get("users", filter=json.dumps(wanted), sort="username", limit=100)
    names = [user["username"] for user in page["records"] or []]
    assert names == found if found is not None else len(names) == 10
    assert (page["totalRecord"], page["filterRecord"]) == (10, len(names))
    assert page["records"] is not None


def test_a_user_is_found_by_id(client: Client) -> None:
    guid = client.user("owner")["id"]
    assert client.usernames(filter=json.dumps({"id": guid})) == ["owner"]
    assert client.usernames(filter=json.dumps({"id": {"$in": [guid]}})) == ["owner"]


def test_a_backslash_takes_the_meaning_from_a_wildcard(client: Client) -> None:
    client.post("users", client.invitations("a_b@acme.example", "axb@acme.example"))
    assert client.usernames(filter='{"username":{"$ilike":"A_B"}}', sort="email") == ["a_b", "axb"]
    assert client.usernames(filter='{"username":{"$ilike":"A\\\\_B"}}') == ["a_b"]


def test_in_may_ignore_case(client: Client) -> None:
    switch(client, in_case_sensitive=False)
    assert client.usernames(filter='{"email":{"$in":["OWNER@acme.example"]}}') == ["owner"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        pytest.param("username", "ana.kovacs", id="plain"),
        pytest.param("+username", "ana.kovacs", id="plus"),
        pytest.param("-email", "owner", id="minus"),
        pytest.param("-firstName", "owner", id="first-name"),
        pytest.param("createdTimestamp", "owner", id="created"),
        pytest.param("", "owner", id="none"),
    ],
)
def test_users_are_sorted(client: Client, sort: str, first: str) -> None:
    assert client.usernames(sort=sort, filter='{"email":{"$ilike":"%"}}')[0] == first


def test_an_unescaped_plus_sorts_upwards(client: Client) -> None:
    assert client.get(f"{API}/users?sort=+username")["records"][0]["username"] == "ana.kovacs"


def test_pages_follow_each_other_and_end_with_null(client: Client) -> None:
    pages = [client.get("users", sort="username", limit=4, offset=at) for at in (0, 4, 8, 12)]
    names = [[user["username"] for user in page["records"] or []] for page in pages]
    assert names[:2] == [PEOPLE[:4], PEOPLE[4:8]]
    assert [len(each) for each in names] == [4, 4, 2, 0]
    assert pages[3] == {"totalRecord": 10, "filterRecord": 10, "records": None}


def test_without_count_the_totals_are_zero(client: Client) -> None:
    page = client.get("users", limit=1, count="false")
    assert (page["totalRecord"], page["filterRecord"], len(page["records"])) == (0, 0, 1)


def test_no_page_is_larger_than_the_cap(client: Client) -> None:
    for some in range(5):
        emails = [f"p{some}x{n}@acme.example" for n in range(20)]
        client.post("users", client.invitations(*emails))
    assert len(client.usernames(limit=1000)) == 100
    assert len(client.usernames(limit=0)) == len(client.usernames()) == 20
    switch(client, page_cap=7)
    assert len(client.usernames(limit=100)) == 7


@pytest.mark.parametrize("query", ["columns=email&columns=roles", "columns=email,roles"])
def test_columns_leave_out_the_rest(client: Client, query: str) -> None:
    filter_ = quote('{"username":"owner"}')
    (user,) = client.get(f"{API}/users?filter={filter_}&{query}&maxLoginEvents=1")["records"]
    assert user == {
        "id": user["id"],
        "email": "owner@acme.example",
        "roles": ["default-roles-default", "$admin"],
        "status": "Enabled",
        "isScimUser": False,
    }


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("users?limit=ten", id="limit"),
        pytest.param("users?offset=-1", id="offset"),
        pytest.param("users?sort=shoeSize", id="sort"),
        pytest.param("users?filter={", id="filter-cut"),
        pytest.param("users?filter=[]", id="filter-list"),
        pytest.param('users?filter={"$or":[]}', id="or"),
        pytest.param('users?filter={"username":{"$regex":"a"}}', id="operator"),
        pytest.param('users?filter={"username":{"$in":"a"}}', id="in-of-text"),
        pytest.param('users?filter={"username":{"$eq":["a"]}}', id="eq-of-list"),
        pytest.param('v2/groups?filter={"name":"finance"}', id="groups-by-name"),
    ],
)
def test_what_is_not_known_of_the_api_is_a_bad_request(client: Client, query: str) -> None:
    status, body = client.refusal("GET", query)
    assert (status, body["code"]) == (400, 1000)
    assert re.match(
        r"Parameter '(limit|offset|sort|filter)' in query has an error: ", body["message"]
    )


@pytest.mark.parametrize("path", ["groups", "v2/groups"])
def test_both_paths_list_groups(client: Client, path: str) -> None:
    page = client.get(path, sort="name", count="true")
    assert [(g["name"], g["userCount"]) for g in page["records"]] == [
        ("data_platform", 3),
        ("everyone", 9),
        ("finance", 3),
        ("marketing", 2),
    ]
    everyone = page["records"][1]
    assert everyone == {
        "id": everyone["id"],
        "name": "everyone",
        "path": "/everyone",
        "alias": "Everyone",
        "userCount": 9,
        "attributes": {
            "alias": ["Everyone"],
            "description": ["All of Acme"],
            "isDefault": ["true"],
            "createdAt": everyone["attributes"]["createdAt"],
            "createdBy": [client.get("users/current")["username"]],
        },
        "personas": [],
        "purposes": [],
        "roles": [],
        "decentralizedRoles": [],
    }
    assert "description" not in page["records"][3]["attributes"]


def test_groups_are_searched_by_alias_sorted_and_projected(client: Client) -> None:
    by_alias = client.get("v2/groups", filter='{"$and":[{"alias":{"$ilike":"%data%"}}]}')
    assert [group["name"] for group in by_alias["records"]] == ["data_platform"]
    newest = client.get("v2/groups", sort="-createdAt", columns="path", limit=1)["records"]
    assert newest == [{"id": newest[0]["id"], "name": "marketing", "path": "/marketing"}]


def test_members_and_groups_are_two_views_of_the_same(client: Client) -> None:
    assert client.members("data_platform") == ["ana.kovacs", "dmitri.volkov", "grace.tan"]
    assert client.groups_of("dmitri.volkov") == ["data_platform", "everyone", "finance"]
    page = client.get(
        f"groups/{client.group('finance')['id']}/members", filter='{"username":"owner"}'
    )
    assert page == {"totalRecord": 3, "filterRecord": 0, "records": []}


def test_a_token_shows_its_role(client: Client) -> None:
    me = client.get("users/current")["username"]
    assert client.get("whoami") == {
        "username": me,
        "roles": [{"name": "$api-token-default-access"}],
    }


# ------------------------------------------------------------------------------ invitations


def test_the_invited_are_pending_at_once_in_the_default_groups_and_get_a_mail(
    client: Client,
) -> None:
    assert client.post("users", client.invitations("New.One@Acme.example", role="$guest")) == {}
    user = client.user("new.one")
    assert user["email"] == "new.one@acme.example"
    assert user["workspaceRole"] == "$guest"
    assert (user["enabled"], user["emailVerified"], user["groupCount"]) == (True, False, 1)
    assert not user.keys() & {"firstName", "lastName", "lastLoginTime"}
    assert user["attributes"]["invitedBy"] == [client.get("users/current")["username"]]
    assert client.groups_of("new.one") == ["everyone"]
    (mail,) = client.get("/__sandbox__/mails")
    assert mail == {"n": 1, "email": "new.one@acme.example", "role": "$guest", "at": mail["at"]}


CONFLICT = "409 Conflict: User exists with the same email"


@pytest.mark.parametrize(
    ("batch", "invited"),
    [pytest.param("per-user", ["new"], id="per-user"), pytest.param("atomic", [], id="atomic")],
)
def test_one_who_exists_spoils_the_answer_and_perhaps_the_batch(
    client: Client, batch: str, invited: list[str]
) -> None:
    switch(client, invite_batch=batch)
    body = client.invitations("OWNER@acme.example", "new@acme.example")
    assert client.refusal("POST", "users", body) == (500, {"OWNER@acme.example": CONFLICT})
    assert client.usernames(filter='{"username":"new"}') == invited
    assert [mail["email"] for mail in client.get("/__sandbox__/mails")] == [
        f"{name}@acme.example" for name in invited
    ]


def test_one_who_exists_may_get_the_mail_once_more(client: Client) -> None:
    switch(client, known_email="mail")
    asked = ["OWNER@acme.example", "new@acme.example", "New@acme.example"]
    assert client.post("users", client.invitations(*asked)) == {}
    assert sorted((m["email"], m["role"]) for m in client.get("/__sandbox__/mails")) == [
        ("new@acme.example", "$member"),
        ("new@acme.example", "$member"),
        ("owner@acme.example", "$admin"),
    ]


def test_twice_in_one_batch_is_once(client: Client) -> None:
    body = client.invitations("new@acme.example", "NEW@acme.example")
    assert client.refusal("POST", "users", body) == (500, {"NEW@acme.example": CONFLICT})
    assert len(client.get("/__sandbox__/mails")) == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param({"roleId": NOBODY}, "404 Not Found: Could not find role", id="role-id"),
        pytest.param({"roleName": "$admin"}, "404 Not Found: Could not find role", id="role-name"),
        pytest.param({"email": "no"}, "400 Bad Request: Invalid email address", id="email"),
    ],
)
def test_a_wrong_invitation_is_a_500_with_its_email(
    client: Client, change: dict[str, str], problem: str
) -> None:
    body = client.invitations("new@acme.example")
    body["users"][0] |= change
    expected = {body["users"][0]["email"]: problem}
    assert client.refusal("POST", "users", body) == (500, expected)


def test_nobody_is_given_the_role_of_a_token(client: Client) -> None:
    body = client.invitations("new@acme.example", role="$api-token-default-access")
    assert client.refusal("POST", "users", body)[0] == 500


def test_a_taken_username_is_changed_or_refused(client: Client) -> None:
    client.post("users", client.invitations("owner@other.example", "owner@third.example"))
    assert client.usernames(filter='{"email":{"$ilike":"%@other.example"}}') == ["owner2"]
    assert client.usernames(filter='{"email":{"$ilike":"%@third.example"}}') == ["owner3"]
    switch(client, username_collision="error")
    assert client.refusal("POST", "users", client.invitations("owner@fourth.example")) == (
        500,
        {"owner@fourth.example": "409 Conflict: User exists with same username"},
    )


def test_where_sso_is_enforced_nobody_is_invited(client: Client) -> None:
    switch(client, sso_enforced=True)
    assert client.refusal("POST", "users", client.invitations("new@acme.example")) == shape_a(
        403, 403, "forbidden", "Inviting users is not allowed when SSO is enforced"
    )
    assert client.get("/__sandbox__/mails") == []


def test_without_seats_nobody_is_invited(client: Client) -> None:
    switch(client, no_seats=True)
    assert client.refusal("POST", "users", client.invitations("new@acme.example")) == bad_request(
        "No seats are left in the licence of this workspace"
    )


def test_of_many_who_invite_the_same_person_at_once_one_succeeds(
    tenant: Sandbox, client: Client
) -> None:
    body = client.invitations("new@acme.example")
    statuses: list[int] = []

    def invite() -> None:
        own = Client(tenant.url)
        statuses.append(own.call("POST", f"{API}/users", body)[0])
        own.connection.close()

    threads = [threading.Thread(target=invite) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [500] * 7
    assert len(client.get("/__sandbox__/mails")) == 1


# ------------------------------------------------------------------------------ roles, groups


def test_a_role_is_changed_also_while_pending(client: Client) -> None:
    user = client.user("emma.lindqvist")["id"]
    path = f"users/{user}/roles/update"
    assert client.post(path, {"roleId": client.role_id("$member")}) == ""
    assert client.user("emma.lindqvist")["workspaceRole"] == "$member"
    assert client.refusal("POST", path, {"roleId": NOBODY}) == keycloak(
        400, "404 Not Found: Could not find role"
    )


@pytest.mark.parametrize(
    ("served", "statuses"),
    [
        pytest.param("roles/update", [200, 404], id="roles-update"),
        pytest.param("update", [404, 200], id="update"),
        pytest.param("both", [200, 200], id="both"),
    ],
)
def test_roles_change_on_the_path_that_is_served(
    client: Client, served: str, statuses: list[int]
) -> None:
    switch(client, role_update=served)
    user, body = client.user("owner")["id"], {"roleId": client.role_id("$member")}
    paths = [f"{API}/users/{user}/roles/update", f"{API}/users/{user}/update"]
    assert [client.call("POST", path, body)[0] for path in paths] == statuses


@pytest.mark.parametrize("path", ["", "/delete"])
def test_a_token_can_not_disable_or_delete_anybody(client: Client, path: str) -> None:
    user = client.user("owner")["id"]
    assert client.refusal("POST", f"users/{user}{path}", {"enabled": False}) == shape_a(
        403, 403, "forbidden", "API tokens are not allowed to update, deactivate or delete users"
    )


def test_groups_of_a_user_are_added_to_not_replaced(client: Client) -> None:
    user = client.user("owner")["id"]
    wanted = {"groups": [client.group("finance")["id"], client.group("marketing")["id"]]}
    assert client.post(f"users/{user}/groups", wanted) == ""
    assert client.groups_of("owner") == ["everyone", "finance", "marketing"]
    client.post(f"users/{user}/groups", wanted)
    assert client.groups_of("owner") == ["everyone", "finance", "marketing"]


def test_adding_a_member_again_may_be_an_error_that_changes_nothing(client: Client) -> None:
    switch(client, readd_member="error")
    user = client.user("owner")["id"]
    wanted = {"groups": [client.group("finance")["id"], client.group("everyone")["id"]]}
    assert client.refusal("POST", f"users/{user}/groups", wanted) == keycloak(
        400, "409 Conflict: User is already a member of group 'everyone'."
    )
    assert client.groups_of("owner") == ["everyone"]


def test_members_ride_along_with_a_new_group(client: Client) -> None:
    owner = client.user("owner")["id"]
    attributes = {"alias": ["X Y"], "isDefault": ["false"]}
    answer = client.post(
        "groups", {"group": {"name": "x_y", "attributes": attributes}, "users": [owner, NOBODY]}
    )
    group = client.group("x_y")
    assert answer == {
        "group": group["id"],
        "users": {
            owner: {"status": 200, "statusMessage": "success"},
            NOBODY: {"status": 404, "statusMessage": "User not found"},
        },
    }
    assert (group["alias"], group["path"], group["userCount"]) == ("X Y", "/x_y", 1)
    assert group["attributes"].keys() == {*attributes, "createdAt", "createdBy"}
    assert client.members("x_y") == ["owner"]


def test_a_group_may_begin_empty(client: Client) -> None:
    answer = client.post("groups", {"group": {"name": "z", "attributes": {"alias": ["Z"]}}})
    assert answer == {"group": client.group("z")["id"], "users": None}


def test_a_group_name_is_taken_once(client: Client) -> None:
    body = {"group": {"name": "finance", "attributes": {"alias": ["Other"]}}}
    assert client.refusal("POST", "groups", body) == keycloak(
        400, "409 Conflict: Top level group named 'finance' already exists."
    )


@pytest.mark.parametrize(
    ("mode", "kept"),
    [
        pytest.param("merge", {"alias": ["Everyone"], "isDefault": ["true"]}, id="merge"),
        pytest.param("replace", {}, id="replace"),
    ],
)
def test_a_group_update_keeps_or_drops_what_it_does_not_name(
    client: Client, mode: str, kept: dict[str, list[str]]
) -> None:
    switch(client, group_update=mode)
    before = client.group("everyone")
    body = {"id": before["id"], "path": "/everyone", "attributes": {"description": ["New"]}}
    assert client.post(f"groups/{before['id']}", body) == ""
    after = client.group("everyone")["attributes"]
    stamps = {name: before["attributes"][name] for name in ("createdAt", "createdBy")}
    stamps["updatedAt"], stamps["updatedBy"] = after["updatedAt"], stamps["createdBy"]
    assert after == {"description": ["New"], **kept, **stamps}


def test_a_group_can_be_renamed_and_made_default_but_not_backdated(client: Client) -> None:
    group = client.group("finance")
    attributes = {
        **group["attributes"],
        "alias": ["Money"],
        "isDefault": ["true"],
        "createdAt": ["0"],
    }
    client.post(f"groups/{group['id']}", {**group, "attributes": attributes})
    after = client.group("finance")
    assert (after["alias"], after["path"]) == ("Money", "/finance")
    assert after["attributes"]["createdAt"] == group["attributes"]["createdAt"]
    client.post("users", client.invitations("new@acme.example"))
    assert client.groups_of("new") == ["everyone", "finance"]


def test_members_are_removed_and_strangers_passed_over(client: Client) -> None:
    group = client.group("finance")["id"]
    users = [client.user(name)["id"] for name in ("ben.okafor", "owner")]
    assert client.post(f"groups/{group}/members/remove", {"users": users}) == ""
    assert client.members("finance") == ["dmitri.volkov", "nadia.rossi"]


@pytest.mark.parametrize("body", [None, {}])
def test_a_deleted_group_is_gone_with_its_memberships(client: Client, body: object) -> None:
    assert client.post(f"groups/{client.group('everyone')['id']}/delete", body) == ""
    assert client.groups_of("owner") == []
    client.post("users", client.invitations("new@acme.example"))
    assert client.user("new")["groupCount"] == 0


@pytest.mark.parametrize("status", [404, 400])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("GET", "users/{nobody}/groups", None, id="groups-of-user"),
        pytest.param("POST", "users/{nobody}/groups", {"groups": []}, id="join"),
        pytest.param("POST", "users/{owner}/groups", {"groups": [NOBODY]}, id="join-nothing"),
        pytest.param("POST", "users/{nobody}/roles/update", {"roleId": "x"}, id="role"),
        pytest.param("POST", "groups/{nobody}", {}, id="update"),
        pytest.param("GET", "groups/{nobody}/members", None, id="members"),
        pytest.param("POST", "groups/{nobody}/members/remove", {"users": []}, id="remove"),
        pytest.param(
            "POST", "groups/{finance}/members/remove", {"users": [NOBODY]}, id="remove-nobody"
        ),
        pytest.param("POST", "groups/{nobody}/delete", None, id="delete"),
    ],
)
def test_an_unknown_guid_is_not_found(
    client: Client, status: int, method: str, path: str, body: object
) -> None:
    switch(client, unknown_guid=status)
    guids = {"owner": client.user("owner")["id"], "finance": client.group("finance")["id"]}
    answered, error = client.refusal(method, path.format(nobody=NOBODY, **guids), body)
    assert (answered, error["code"], error["error"]) == (status, 3500, "keycloak error")
    assert re.fullmatch(r"404 Not Found: Could not find (user|group) by id", error["message"])


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        pytest.param("users", [], "Value is not an object", id="no-object"),
        pytest.param("users", {}, "Property 'users' is missing", id="no-users"),
        pytest.param(
            "users", {"users": {}}, "Property 'users' is of the wrong type", id="users-no-list"
        ),
        pytest.param(
            "users", {"users": ["a@b.example"]}, "Value is not an object", id="user-no-object"
        ),
        pytest.param(
            "users",
            {"users": [{"email": "a@b.example"}]},
            "Property 'roleName' is missing",
            id="no-role",
        ),
        pytest.param("users/{user}/groups", {}, "Property 'groups' is missing", id="no-groups"),
        pytest.param(
            "users/{user}/groups",
            {"groups": [1]},
            "Property 'groups' holds something else than strings",
            id="groups-no-strings",
        ),
        pytest.param(
            "users/{user}/roles/update", {}, "Property 'roleId' is missing", id="no-role-id"
        ),
        pytest.param(
            "groups", {"group": {"name": "x"}}, "Property 'attributes' is missing", id="no-attr"
        ),
        pytest.param(
            "groups",
            {"group": {"name": "x", "attributes": {}}},
            "Property 'name' or 'attributes.alias' is empty",
            id="no-alias",
        ),
        pytest.param(
            "groups",
            {"group": {"name": "x", "attributes": {"alias": "X"}}},
            "Property 'alias' is of the wrong type",
            id="alias-no-list",
        ),
        pytest.param(
            "groups/{group}",
            {"path": "/x", "attributes": {}},
            "Property 'id' is missing",
            id="no-id",
        ),
        pytest.param(
            "groups/{group}",
            {"id": "x", "path": "/finance", "attributes": {}},
            "Properties 'id' and 'path' are not this group's",
            id="other-id",
        ),
        pytest.param(
            "groups/{group}/members/remove", {}, "Property 'users' is missing", id="no-members"
        ),
        pytest.param("oauth-clients/token", {}, "Property 'clientId' is missing", id="no-client"),
    ],
)
def test_a_body_that_does_not_fit_is_a_bad_request(
    client: Client, path: str, body: object, problem: str
) -> None:
    guids = {"user": client.user("owner")["id"], "group": client.group("finance")["id"]}
    assert client.refusal("POST", path.format(**guids), body) == misfit(problem)


def test_a_body_that_is_not_json_is_a_bad_request(client: Client) -> None:
    status, error = client.refusal("POST", "users", "{")
    assert (status, error["code"]) == (400, 1000)
    assert error["message"].startswith("Request body has an error: failed to decode")


# ------------------------------------------------------------------------------ the door


@pytest.mark.parametrize("key", [None, "", "wrong", "schlüssel"])
def test_nobody_comes_in_with_a_wrong_token(tenant: Sandbox, key: str | None) -> None:
    client = Client(tenant.url, key and quote(key))
    assert client.call("GET", f"{API}/users?limit=1") == (
        401,
        {"servlet": "heracles", "message": "Unauthorized", "url": f"{API}/users", "status": "401"},
    )
    client.connection.close()


def test_a_key_without_bearer_is_no_token(tenant: Sandbox) -> None:
    client = Client(tenant.url, None)
    assert client.call("GET", f"{API}/roles", Authorization="sandbox")[0] == 401
    client.connection.close()


def test_an_oauth_client_gets_a_token_for_a_while(tenant: Sandbox, clock: Clock) -> None:
    stranger = Client(tenant.url, None)
    answer = stranger.post(
        "oauth-clients/token", {"clientId": "oauth-client-x", "clientSecret": "sandbox"}
    )
    assert answer == {"accessToken": answer["accessToken"], "tokenType": "Bearer", "expiresIn": 900}
    stranger.headers = {"Authorization": f"Bearer {answer['accessToken']}"}
    assert stranger.get("whoami")["roles"] == [{"name": "$admin"}]
    clock.now += 900
    assert stranger.call("GET", f"{API}/whoami")[0] == 401
    stranger.connection.close()


@pytest.mark.parametrize(("name", "secret"), [("oauth-client-x", "wrong"), ("somebody", "sandbox")])
def test_an_unknown_oauth_client_is_refused(client: Client, name: str, secret: str) -> None:
    assert client.refusal(
        "POST", "oauth-clients/token", {"clientId": name, "clientSecret": secret}
    ) == (
        401,
        {
            "error": "invalid_client",
            "error_description": "Invalid client or Invalid client credentials",
        },
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"{API}/nothing"), ("POST", f"{API}/roles"), ("GET", "/"), ("GET", "/__sandbox__/x")],
)
def test_other_paths_lead_nowhere(client: Client, method: str, path: str) -> None:
    assert client.call(method, path) == (404, {"message": "no Route matched with those values"})


# ------------------------------------------------------------------------------ switches


@pytest.mark.parametrize("said", [True, False])
def test_above_the_rate_limit_everybody_is_blocked_for_a_while(
    client: Client, clock: Clock, *, said: bool
) -> None:
    switch(client, rate_limit=3, retry_after=said)
    statuses = [client.call("GET", f"{API}/whoami")[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert client.answer_headers.get("Retry-After") == ("60" if said else None)
    clock.now += 59.5
    assert client.refusal("GET", "whoami") == shape_a(
        429, 429, "too many requests", "API rate limit exceeded"
    )
    assert client.answer_headers.get("Retry-After") == ("1" if said else None)
    clock.now += 0.5
    assert client.call("GET", f"{API}/whoami")[0] == 200


def test_a_slow_pace_never_meets_the_rate_limit(client: Client, clock: Clock) -> None:
    switch(client, rate_limit=2)
    for _ in range(6):
        client.get("whoami")
        clock.now += 30


def test_a_write_may_show_only_later(client: Client, clock: Clock) -> None:
    switch(client, read_lag=10)
    client.post("users", client.invitations("one@acme.example"))
    clock.now += 6
    client.post("users", client.invitations("two@acme.example"))
    newcomers = {"filter": '{"email":{"$in":["one@acme.example","two@acme.example"]}}'}
    assert client.usernames(**newcomers) == []
    clock.now += 4
    assert client.usernames(**newcomers) == ["one"]
    clock.now += 6
    assert client.usernames(**newcomers) == ["one", "two"]


def test_writes_never_lag_behind_each_other(client: Client) -> None:
    switch(client, read_lag=10)
    body = client.invitations("one@acme.example")
    client.post("users", body)
    assert client.refusal("POST", "users", body) == (500, {"one@acme.example": CONFLICT})


def test_latency_delays_and_changes_nothing(client: Client) -> None:
    switch(client, latency_ms=1)
    assert client.groups_of("owner") == ["everyone"]


def test_settings_are_told_as_they_are(client: Client) -> None:
    fault = {"match": "GET", "kind": "status", "nth": 3, "status": 503}
    client.post("/__sandbox__/faults", {"switches": {"page_cap": 5}, "faults": [fault]})
    client.get("whoami")
    assert client.get("/__sandbox__/faults") == {
        "switches": asdict(Switches(page_cap=5)),
        "faults": [{**asdict(Fault(**fault)), "seen": 1}],
    }
    switch(client, no_seats=True)
    after = client.get("/__sandbox__/faults")
    assert after["switches"] == asdict(Switches(page_cap=5, no_seats=True))
    assert len(after["faults"]) == 1


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param([], id="no-object"),
        pytest.param({"switch": {}}, id="unknown-part"),
        pytest.param({"switches": {"page_cop": 1}}, id="unknown-switch"),
        pytest.param({"switches": {"page_cap": "1"}}, id="text-for-number"),
        pytest.param({"switches": {"page_cap": True}}, id="flag-for-number"),
        pytest.param({"switches": {"read_lag": -1}}, id="negative"),
        pytest.param({"switches": {"no_seats": 1}}, id="number-for-flag"),
        pytest.param({"switches": {"group_update": "mix"}}, id="no-choice"),
        pytest.param({"faults": {}}, id="faults-no-list"),
        pytest.param({"faults": [{"match": "x"}]}, id="no-kind-at-all"),
        pytest.param({"faults": [{"kind": "status", "shape": "G"}]}, id="no-shape"),
        pytest.param({"faults": [{"kind": "latency", "seconds": 1e300}]}, id="too-long"),
        pytest.param({"faults": [{"kind": "html", "headers": {"X": 1}}]}, id="header-no-text"),
        pytest.param({"faults": [{"match": "(", "kind": "html"}]}, id="no-pattern"),
        pytest.param({"faults": [{"match": "x", "kind": "fire"}]}, id="no-kind"),
        pytest.param({"faults": [{"match": "x", "kind": "html", "headers": 1}]}, id="no-headers"),
        pytest.param({"faults": [{"match": 1, "kind": "html"}]}, id="match-no-text"),
        pytest.param({"faults": [{"kind": "html", "nth": 0}]}, id="no-first-call"),
        pytest.param({"faults": [{"kind": "status", "status": 9999}]}, id="no-status"),
        pytest.param({"faults": [{"kind": "status", "status": 100}]}, id="no-last-answer"),
        pytest.param({"faults": [{"kind": "html", "retry_after": "soon"}]}, id="no-pause"),
        pytest.param({"faults": [{"kind": "html", "retry_after": "-1"}]}, id="pause-below-0"),
        pytest.param({"faults": [{"kind": "html", "retry_after": "7\r\nX: y"}]}, id="pause-cut"),
        pytest.param({"faults": [{"kind": "html", "headers": {"X": "y\r\nZ: 1"}}]}, id="crlf"),
        pytest.param({"faults": [{"kind": "html", "headers": {"X\n": "y"}}]}, id="crlf-in-name"),
        pytest.param({"faults": [{"kind": "html", "headers": {"": "y"}}]}, id="header-no-name"),
        pytest.param({"faults": [{"kind": "html", "headers": {"X-É": "y"}}]}, id="header-odd-name"),
        pytest.param({"faults": [{"kind": "html", "headers": {"X": "\x00"}}]}, id="header-nul"),
    ],
)
def test_impossible_settings_are_refused_and_change_nothing(
    client: Client, settings: object
) -> None:
    before = client.get("/__sandbox__/faults")
    status, error = client.call("POST", "/__sandbox__/faults", settings)
    assert (status, error["code"]) == (400, 1000)
    assert client.get("/__sandbox__/faults") == before


# ------------------------------------------------------------------------------ faults


def test_a_fault_hits_its_calls_from_the_nth_and_so_many_times(client: Client) -> None:
    script(client, {"match": "GET /api/service/who", "kind": "status", "nth": 2, "times": 2})
    assert [client.call("GET", f"{API}/whoami")[0] for _ in range(4)] == [200, 500, 500, 200]
    script(client, {"match": "whoami$", "kind": "status", "times": 0})
    assert [client.call("GET", f"{API}/whoami")[0] for _ in range(3)] == [500, 500, 500]
    assert client.call("GET", f"{API}/roles")[0] == 200


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        pytest.param({"nth": 0}, "nth: 0 is not possible here; the first", id="nth"),
        pytest.param(
            {"status": 9999}, "status: 9999 is not possible here; 200 to 599", id="status"
        ),
        pytest.param({"retry_after": "soon"}, "retry_after: 'soon' is neither", id="pause"),
        pytest.param({"headers": {"X": "\r\n"}}, r"headers: 'X': '\r\n' can't be", id="header"),
    ],
)
def test_it_says_which_fault_can_not_be_and_what_could(
    client: Client, fault: dict[str, object], complaint: str
) -> None:
    _, error = client.call("POST", "/__sandbox__/faults", {"faults": [{"kind": "html", **fault}]})
    assert error["message"].startswith(complaint)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"retry_after": "0"}, id="no-pause"),
        pytest.param({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, id="date"),
        pytest.param({"headers": {"Retry-After": "soon"}}, id="neither"),
    ],
)
def test_a_pause_may_be_a_date_and_anything_may_stand_in_a_header_of_its_own(
    client: Client, fault: dict[str, object]
) -> None:
    script(client, {"kind": "html", **fault})


def test_a_fault_may_hit_by_chance_and_the_same_calls_each_time(client: Client) -> None:
    def hit(**fault: object) -> list[int]:
        script(client, {"match": "whoami", "kind": "status", "times": 0, "one_in": 4, **fault})
        return [n for n in range(1, 201) if client.call("GET", f"{API}/whoami")[0] == 500]

    first = hit()
    assert 25 < len(first) < 75
    assert hit() == first
    assert hit(seed=1) != first
    assert hit(nth=50) == [n for n in first if n >= 50]


INVITE = "POST /api/service/users$"


@pytest.mark.parametrize(
    ("fault", "answer", "invited"),
    [
        pytest.param({"kind": "status", "status": 503}, (503, ""), 0, id="503"),
        pytest.param(
            {"kind": "status", "status": 403, "body": {"code": 7}}, (403, {"code": 7}), 0, id="403"
        ),
        pytest.param(
            {"kind": "status", "status": 502, "body": "<h1>Bad</h1>", "done": True},
            (502, "<h1>Bad</h1>"),
            3,
            id="502-after-the-work",
        ),
        pytest.param({"kind": "status", "status": 599}, (599, ""), 0, id="status-without-a-name"),
        pytest.param({"kind": "redirect-302"}, (302, ""), 0, id="redirect"),
        pytest.param({"kind": "slow-drip", "seconds": 0.01}, (200, {}), 3, id="slow-drip"),
    ],
)
def test_an_answer_may_be_another(
    client: Client, fault: dict[str, object], answer: tuple[int, object], invited: int
) -> None:
    script(client, {"match": INVITE, **fault})
    body = client.invitations(*(f"p{n}@acme.example" for n in range(3)))
    assert client.call("POST", f"{API}/users", body) == answer
    assert len(client.get("/__sandbox__/mails")) == invited


@pytest.mark.parametrize(
    ("kind", "broken", "invited"),
    [
        pytest.param("drop-before", RemoteDisconnected, 0, id="before"),
        pytest.param("drop-during", RemoteDisconnected, 2, id="during"),
        pytest.param("drop-after", RemoteDisconnected, 3, id="after"),
        pytest.param("cut-answer", IncompleteRead, 3, id="cut"),
        pytest.param("truncate-json", json.JSONDecodeError, 3, id="truncated"),
    ],
)
def test_an_answer_may_not_arrive(
    tenant: Sandbox, client: Client, kind: str, broken: type[Exception], invited: int
) -> None:
    script(client, {"match": INVITE, "kind": kind})
    body = client.invitations(*(f"p{n}@acme.example" for n in range(3)))
    unlucky = Client(tenant.url)
    with pytest.raises(broken):
        unlucky.call("POST", f"{API}/users", body)
    unlucky.connection.close()
    assert len(client.get("/__sandbox__/mails")) == invited


def test_of_an_empty_answer_half_an_object_arrives(client: Client) -> None:
    script(client, {"match": "members/remove", "kind": "truncate-json"})
    path = f"{API}/groups/{client.group('finance')['id']}/members/remove"
    with pytest.raises(json.JSONDecodeError):
        client.call("POST", path, {"users": [client.user("ben.okafor")["id"]]})
    assert client.members("finance") == ["dmitri.volkov", "nadia.rossi"]


def test_a_page_may_come_instead_of_json(client: Client) -> None:
    script(client, {"match": "whoami", "kind": "html", "status": 200})
    status, text = client.call("GET", f"{API}/whoami")
    assert (status, text[:15]) == (200, "<!DOCTYPE html>")
    assert client.answer_headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_redirect_leads_to_a_login_page(client: Client) -> None:
    script(client, {"match": "whoami", "kind": "redirect-302"})
    client.call("GET", f"{API}/whoami")
    assert client.answer_headers["Location"] == "/auth/realms/default/login"


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "7"}])
def test_a_429_is_scripted_with_or_without_a_header(
    client: Client, headers: dict[str, str]
) -> None:
    script(client, {"match": "whoami", "kind": "status", "status": 429, "headers": headers})
    assert client.call("GET", f"{API}/whoami")[0] == 429
    assert client.answer_headers.get("Retry-After") == headers.get("Retry-After")


def test_half_a_body_is_half_of_what_was_asked(client: Client, tenant: Sandbox) -> None:
    script(client, {"match": "POST .*/groups$", "kind": "drop-during", "times": 0})
    body = {"groups": [client.group(name)["id"] for name in ("finance", "marketing")]}
    unlucky = Client(tenant.url)
    for text in (body, "not json", "[1]"):
        with pytest.raises(HTTPException):
            unlucky.call("POST", f"{API}/users/{client.user('owner')['id']}/groups", text)
        unlucky.connection.close()
    assert client.groups_of("owner") == ["everyone", "finance"]


# ------------------------------------------------------------------------------ what it remembers


def test_the_request_log_tells_what_arrived(client: Client, tenant: Sandbox) -> None:
    script(client, {"match": "POST", "kind": "drop-before"})
    path = f"{API}/users/{NOBODY}/groups?limit=1"
    client.call("GET", path, X_Atlan_Request_Id="id-7")
    client.call("GET", f"{API}/nothing")
    unlucky = Client(tenant.url)
    with pytest.raises(RemoteDisconnected):
        unlucky.call("POST", f"{API}/users", {"users": []})
    unlucky.connection.close()
    entries = client.get("/__sandbox__/requests")
    assert all(re.match(r"\d{4}-\d\d-\d\dT", entry.pop("at")) for entry in entries)
    assert entries == [
        {
            "n": 1,
            "method": "GET",
            "path": path,
            "route": f"GET {API}/users/{{guid}}/groups",
            "status": 404,
            "request_id": "id-7",
            "bytes": 0,
        },
        {
            "n": 2,
            "method": "GET",
            "path": f"{API}/nothing",
            "route": "unknown",
            "status": 404,
            "request_id": "",
            "bytes": 0,
        },
        {
            "n": 3,
            "method": "POST",
            "path": f"{API}/users",
            "route": f"POST {API}/users",
            "status": None,
            "request_id": "",
            "bytes": len('{"users": []}'),
        },
    ]
    assert [entry["n"] for entry in client.get("/__sandbox__/requests?since=2")] == [3]
    assert client.get("/__sandbox__/requests?since=3") == []
    assert client.get("/__sandbox__/counts") == {
        f"GET {API}/users/{{guid}}/groups": 1,
        f"POST {API}/users": 1,
        "unknown": 1,
    }


def test_no_secret_is_kept(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "t.db", key="geheim-0815") as tenant:
        client = Client(tenant.url, "geheim-0815")
        client.post(
            "oauth-clients/token", {"clientId": "oauth-client-x", "clientSecret": "geheim-0815"}
        )
        client.connection.close()
    assert [p.name for p in tmp_path.iterdir() if b"geheim-0815" in p.read_bytes()] == []


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        with Sandbox(tmp_path / "t.db") as tenant:
            client = Client(tenant.url)
            client.call("POST", f"{API}/users", client.invitations("new@acme.example"))
            seen.append((tenant.tenant, client.user("new")["id"], client.get("/__sandbox__/mails")))
            counts = client.get("/__sandbox__/counts")
            client.connection.close()
    assert seen[0] == seen[1]
    assert counts[f"POST {API}/users"] == 2


def test_a_reset_makes_a_new_tenant(client: Client) -> None:
    before = client.get("/__sandbox__/identity")
    client.post("users", client.invitations("new@acme.example"))
    after = client.post("/__sandbox__/reset")
    assert re.fullmatch(r"sandbox-[0-9a-f]{12}", after["tenant"])
    assert after == client.get("/__sandbox__/identity") != before
    assert client.get("/__sandbox__/requests") == client.get("/__sandbox__/mails") == []
    assert len(client.usernames(limit=100)) == 10


def test_what_comes_after_a_reset_is_counted_from_1(client: Client) -> None:
    client.get("/api/service/roles")
    client.post("/__sandbox__/reset")
    client.get("/api/service/roles")
    log = client.get("/__sandbox__/requests")
    assert [(request["n"], request["path"]) for request in log] == [(1, "/api/service/roles")]


# ------------------------------------------------------------------------------ peculiar pages


def test_limit_may_be_ignored(client: Client) -> None:
    switch(client, page_size=3)
    assert client.usernames(sort="username", limit=100) == PEOPLE[:3]
    assert client.usernames(sort="username", limit=1, offset=3) == PEOPLE[3:6]


def test_totals_may_move_from_page_to_page(client: Client) -> None:
    switch(client, totals="moving")
    pages = [client.get("users", limit=4, offset=offset) for offset in (0, 4, 8)]
    assert [page["totalRecord"] for page in pages] == [10, 11, 12]
    assert [page["filterRecord"] for page in pages] == [10, 11, 12]


@pytest.mark.parametrize(
    ("how", "nobody", "past_the_end"),
    [
        pytest.param("documented", [], None, id="documented"),
        pytest.param("null", None, None, id="null"),
        pytest.param("list", [], [], id="list"),
        pytest.param("missing", "missing", "missing", id="missing"),
    ],
)
def test_a_page_without_records_says_so_in_its_own_way(
    client: Client, how: str, nobody: object, past_the_end: object
) -> None:
    switch(client, empty_page=how)
    found = client.get("users", filter='{"username":"x"}')
    assert found.get("records", "missing") == nobody
    assert client.get("users", offset=100).get("records", "missing") == past_the_end


@pytest.mark.parametrize(
    ("how", "member_count", "group_count", "total"),
    [
        pytest.param("documented", "2", 2, 10, id="documented"),
        pytest.param("strings", "2", "2", "10", id="strings"),
        pytest.param("numbers", 2, 2, 10, id="numbers"),
    ],
)
def test_numbers_may_be_strings_and_strings_numbers(
    client: Client, how: str, member_count: object, group_count: object, total: object
) -> None:
    switch(client, numbers=how)
    (role,) = client.get("roles", filter='{"name":{"$eq":"$admin"}}')["records"]
    page = client.get("users", filter='{"username":"ana.kovacs"}')
    assert role["memberCount"] == member_count
    assert (page["records"][0]["groupCount"], page["totalRecord"]) == (group_count, total)


def test_users_may_be_listed_without_email_and_attributes(client: Client) -> None:
    switch(client, bare_users=1)
    users = client.get("users", limit=100)["records"]
    assert len(users) == 10
    assert not any(user.keys() & {"email", "attributes"} for user in users)
    switch(client, bare_users=2)
    bare = [{u["id"] for u in client.get("users")["records"] if "email" not in u} for _ in range(2)]
    assert bare[0] == bare[1]
    assert "attributes" in client.get("v2/groups")["records"][0]


def test_a_wrong_token_may_lead_to_the_login_page(client: Client, tenant: Sandbox) -> None:
    switch(client, bad_token=302)
    stranger = Client(tenant.url, "wrong")
    assert stranger.call("GET", f"{API}/roles") == (302, "")
    assert stranger.answer_headers["Location"] == "/auth/realms/default/login"
    stranger.connection.close()


def test_an_address_may_be_too_long(client: Client) -> None:
    switch(client, url_limit=60)
    assert client.call("GET", f"{API}/roles")[0] == 200
    long = f"{API}/roles?filter=" + "x" * 60
    assert client.call("GET", long) == (414, {"message": "Request-URI Too Large"})


# ------------------------------------------------------------------------------ more faults


@pytest.mark.parametrize("done", [False, True])
def test_latency_comes_before_the_work_or_after_it(
    client: Client, tenant: Sandbox, *, done: bool
) -> None:
    script(client, {"match": INVITE, "kind": "latency", "seconds": 600, "done": done})
    slow = Client(tenant.url)
    body = json.dumps(client.invitations("new@acme.example"))
    slow.connection.request("POST", f"{API}/users", body, headers=slow.headers)
    while not client.get("/__sandbox__/faults")["faults"][0]["seen"]:
        pass
    for _ in range(1000 * done):
        if client.get("/__sandbox__/mails"):
            break
    assert len(client.get("/__sandbox__/mails")) == done
    tenant.close()
    assert slow.connection.getresponse().status == 200
    slow.connection.close()


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        pytest.param(
            "A",
            {
                "code": 503, "error": "service unavailable", "info": None,
                "message": "Service Unavailable", "requestId": "",
            },
            id="A",
        ),
        pytest.param("B", {"One@acme.example": "503 Service Unavailable"}, id="B"),
        pytest.param(
            "C",
            {
                "errorCode": "ATLAS-503-00-001", "errorMessage": "Service Unavailable",
                "errorCause": "Service Unavailable",
                "causes": [
                    {
                        "errorType": "AtlasBaseException", "errorMessage": "Service Unavailable",
                        "location": f"{API}/users",
                    }
                ],
            },
            id="C",
        ),
        pytest.param(
            "D", {"error": "server_error", "error_description": "Service Unavailable"}, id="D"
        ),
        pytest.param(
            "E",
            {
                "servlet": "heracles", "message": "Service Unavailable", "url": f"{API}/users",
                "status": "503",
            },
            id="E",
        ),
        pytest.param("F", {"message": "Service Unavailable"}, id="F"),
    ],
)  # fmt: skip
def test_an_error_comes_in_every_shape(client: Client, shape: str, body: object) -> None:
    script(client, {"kind": "status", "status": 503, "shape": shape, "match": INVITE})
    asked = client.invitations("One@acme.example")
    assert client.call("POST", f"{API}/users", asked) == (503, body)


def test_a_burst_has_an_end_and_may_say_how_long_to_wait(client: Client) -> None:
    script(client, {"kind": "status", "status": 429, "times": 2, "retry_after": "7"})
    told = []
    for _ in range(3):
        status, _ = client.call("GET", f"{API}/whoami")
        told.append((status, client.answer_headers.get("Retry-After")))
    assert told == [(429, "7"), (429, "7"), (200, None)]


# ------------------------------------------------------------------------------ people and mappers


def test_accounts_change_beside_the_api(client: Client) -> None:
    before = client.user("farid.haddad")
    (guid,) = client.post(
        "/__sandbox__/people", [{"username": "farid.haddad", "enabled": True, "locked": False}]
    )
    after = client.user("farid.haddad")
    assert guid == before["id"]
    assert (before["enabled"], before["isLocked"], before["status"]) == (False, True, "Disabled")
    assert (after["enabled"], after["isLocked"], after["status"]) == (True, False, "Enabled")
    same = before.keys() - {"enabled", "isLocked", "status", "lastLoginTime", "attributes"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_a_first_sign_in_ends_the_waiting(client: Client) -> None:
    client.post("users", client.invitations("new@acme.example"))
    client.post("/__sandbox__/people", [{"username": "new", "name": "New One", "pending": False}])
    user = client.user("new")
    assert (user["emailVerified"], user["firstName"], user["lastName"]) == (True, "New", "One")
    assert user["lastLoginTime"] >= user["createdTimestamp"]


def test_a_directory_and_a_service_have_accounts(client: Client) -> None:
    client.post(
        "/__sandbox__/people",
        [
            {"username": "jo", "email": "jo@acme.example", "role": "$guest", "scim": True,
             "groups": ["finance"]},
            {"username": "robot", "email": None},
        ],
    )  # fmt: skip
    assert client.user("jo")["isScimUser"]
    assert client.groups_of("jo") == ["finance"]
    assert client.user("jo")["groupCount"] == 1
    assert not client.user("robot").keys() & {"email", "attributes", "workspaceRole"}
    assert client.user("nadia.rossi")["isScimUser"]


@pytest.mark.parametrize(
    "people",
    [
        pytest.param({}, id="no-list"),
        pytest.param([{"email": "x@acme.example"}], id="no-username"),
        pytest.param([{"username": "x", "shoe": 1}], id="unknown"),
        pytest.param([{"username": "x", "enabled": 1}], id="number-for-flag"),
        pytest.param([{"username": "x", "role": "boss"}], id="no-role"),
        pytest.param([{"username": "x", "groups": ["nowhere"]}], id="no-group"),
        pytest.param([{"username": "x", "email": "owner@acme.example"}], id="taken"),
    ],
)
def test_impossible_people_change_nothing(client: Client, people: object) -> None:
    assert client.call("POST", "/__sandbox__/people", people)[0] == 400
    assert client.get("users")["totalRecord"] == 10


def test_groups_are_mapped_to_those_of_a_single_sign_on(client: Client) -> None:
    path = "idp/okta/mappers"
    assert client.get(path) == []
    config = {"attribute.name": "memberOf", "attribute.value": "fin", "group": "finance"}
    given = {
        "name": f"{client.group('finance')['id']}--1", "config": config,
        "identityProviderMapper": "saml-group-idp-mapper", "identityProviderAlias": "okta",
    }  # fmt: skip
    made = client.post(path, given)
    assert made == {**given, "id": made["id"]}
    assert client.get(path) == [made]
    assert client.get(f"{path}/{made['id']}") == made
    other = {**given, "config": {**config, "attribute.value": "money"}}
    changed = client.post(f"{path}/{made['id']}", other)
    assert changed == {**other, "id": made["id"]} == client.get(path)[0]
    assert client.get("idp/azure/mappers") == []
    assert client.refusal("GET", f"idp/azure/mappers/{made['id']}")[0] == 404
    assert client.post(f"{path}/{made['id']}/delete") == ""
    assert client.get(path) == []
    assert client.refusal("GET", "idp/nobody/mappers")[0] == 404


# ------------------------------------------------------------------------------ odd HTTP


def raw(tenant: Sandbox, sent: bytes) -> bytes:
    """All that comes back, once we have said all there is."""
    with socket.create_connection(("127.0.0.1", urlsplit(tenant.url).port or 0), 10) as line:
        with suppress(OSError):
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


GET = b"GET /api/service/whoami HTTP/1.1\r\nAuthorization: Bearer sandbox\r\n"
POST = b"POST /api/service/oauth-clients/token HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(GET + b"\r\n", 200, id="plain"),
        pytest.param(b"\r\n" + GET + b"\r\n", 200, id="empty-line-first"),
        pytest.param(GET.replace(b"\r", b"") + b"\n", 200, id="bare-line-ends"),
        pytest.param(GET.replace(b"1.1", b"1.0") + b"\r\n", 200, id="1.0"),
        pytest.param(GET.replace(b"1.1", b"2.0") + b"\r\n", 400, id="2.0"),
        pytest.param(b"GET /\r\n\r\n", 400, id="0.9"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\n", 400, id="tls"),
        pytest.param(GET + b" folded\r\n\r\n", 400, id="folded"),
        pytest.param(GET + b"no colon\r\n\r\n", 400, id="no-colon"),
        pytest.param(GET + b"X : y\r\n\r\n", 400, id="blank-before-colon"),
        pytest.param(GET + b"X: y\r\n" * 200 + b"\r\n", 431, id="many-headers"),
        pytest.param(GET + b"X: " + b"y" * 70000 + b"\r\n\r\n", 431, id="long-header"),
        pytest.param(b"GET /" + b"y" * 70000 + b" HTTP/1.1\r\n\r\n", 431, id="long-line"),
        pytest.param(b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\n\r\n", 414, id="long-address"),
        pytest.param(b"GET //[ HTTP/1.1\r\n\r\n", 404, id="no-address"),
        pytest.param(b"GET /api/service/roles?limit=" + b"9" * 5000 + b" HTTP/1.1\r\n"
                     b"Authorization: Bearer sandbox\r\n\r\n", 200, id="long-number"),
        pytest.param(b"DELETE /api/service/users HTTP/1.1\r\n\r\n", 404, id="delete"),
        pytest.param(b"HEAD /api/service/users HTTP/1.1\r\n\r\n", 404, id="head"),
        pytest.param(POST + b"Content-Length: x\r\n\r\n", 400, id="length-no-number"),
        pytest.param(POST + b"Content-Length: -1\r\n\r\n", 400, id="negative-length"),
        pytest.param(POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400, id="two"),
        pytest.param(POST + b"Content-Length: 99999999999\r\n\r\n", 413, id="huge"),
        pytest.param(POST + b"Transfer-Encoding: gzip\r\n\r\n", 501, id="gzip"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", 400,
                     id="length-and-chunks"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, id="chunk-no-size"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", 400,
                     id="chunk-too-long"),
        pytest.param(POST + b"Content-Length: 2\r\n\r\n[]", 400, id="no-object"),
        pytest.param(POST + b"Content-Length: 1\r\n\r\n\xff", 400, id="no-text"),
        pytest.param(POST + b"Content-Length: 200000\r\n\r\n" + b"[" * 200000, 400, id="deep"),
        pytest.param(POST + b"Content-Length: 8\r\n\r\n\"\\udc80\"", 400, id="surrogate"),
        pytest.param(POST + b"Content-Length: 8\r\n\r\n\"\\u0000\"", 400, id="nul"),
    ],
)  # fmt: skip
def test_odd_http_gets_one_clear_answer(tenant: Sandbox, sent: bytes, status: int) -> None:
    answer = raw(tenant, sent)
    assert re.match(rb"HTTP/1\.1 (\d{3}) [A-Z]", answer)
    assert int(answer[9:12]) == status
    assert answer.count(b"HTTP/1.1") == 1


def test_what_is_no_http_is_in_the_log_too(tenant: Sandbox, client: Client) -> None:
    raw(tenant, b"GET /\r\n\r\n")
    (entry,) = client.get("/__sandbox__/requests")
    assert re.match(r"\d{4}-\d\d-\d\dT", entry.pop("at"))
    nothing = {"method": "", "path": "", "request_id": "", "bytes": 0}
    assert entry == {"n": 1, "route": "malformed", "status": 400, **nothing}


def test_half_a_request_gets_no_answer(tenant: Sandbox) -> None:
    for sent in (b"", b"GET", GET, POST + b"Content-Length: 5\r\n\r\n{}"):
        assert raw(tenant, sent) == b""


def test_a_chunked_body_is_read_and_the_connection_goes_on(tenant: Sandbox, client: Client) -> None:
    body = json.dumps(client.invitations("new@acme.example")).encode()
    chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:]))
    invite = POST.replace(b"oauth-clients/token", b"users") + b"Authorization: Bearer sandbox\r\n"
    chunked = b"Transfer-Encoding: Chunked\r\n\r\n" + chunks + b"0\r\nTrailer: x\r\n\r\n"
    answer = raw(tenant, invite + chunked + GET + b"\r\n")
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"200"]
    assert [mail["email"] for mail in client.get("/__sandbox__/mails")] == ["new@acme.example"]


def test_who_asks_first_is_told_to_go_on(tenant: Sandbox) -> None:
    asked = POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"
    assert re.findall(rb"HTTP/1\.1 (\d+)", raw(tenant, asked)) == [b"100", b"400"]


def test_an_answer_to_head_has_no_body(tenant: Sandbox) -> None:
    assert raw(tenant, b"HEAD / HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\n")


@given(
    st.binary(max_size=300), st.sampled_from([b"", GET, POST, POST + b"Content-Length: 30\r\n\r\n"])
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_garbage_never_stops_it(tenant: Sandbox, garbage: bytes, before: bytes) -> None:
    assert not re.match(rb"HTTP/1\.1 5(?!01)", raw(tenant, before + garbage))
    assert raw(tenant, GET + b"\r\n").startswith(b"HTTP/1.1 200 OK")


# ------------------------------------------------------------------------------ how it is set up


def told() -> list[str]:
    """Everything that can be set, by name."""
    settings = [each.name for each in (*fields(Switches), *fields(Fault))]
    return [*settings, *KINDS]


@pytest.mark.parametrize("name", told())
def test_all_that_can_be_set_is_in_the_help_and_in_the_document(name: str) -> None:
    document = (Path(__file__).parent.parent / "docs" / "sandbox.md").read_text()
    assert re.search(rf"^\| `{name}[`=]", document, re.MULTILINE) or name == "kind"
    assert re.search(rf"^ +{name}(=| )", sandbox_help(), re.MULTILINE) or name == "kind"


@cache
def sandbox_help() -> str:
    command = [sys.executable, "-m", "onboarding", "sandbox", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_address_beside_the_api_is_in_the_document() -> None:
    document = (Path(__file__).parent.parent / "docs" / "sandbox.md").read_text()
    source = Path(onboarding.sandbox.server.__file__).read_text()
    served = re.findall(r'case "(GET|POST)", "(\w+)"', source)
    assert served
    assert sorted(re.findall(r"`(GET|POST) /__sandbox__/(\w+)` \|", document)) == sorted(served)


def test_text_is_read_as_the_switch_needs_it() -> None:
    assert switch_from_text("page_cap=20") == {"page_cap": 20}
    assert switch_from_text("no_seats=true") == {"no_seats": True}
    assert switch_from_text("invite_batch=atomic") == {"invite_batch": "atomic"}
    said = "status match='POST .*/users$' status=429 times=0 retry_after=2"
    assert fault_from_text(said) == {
        "kind": "status", "match": "POST .*/users$", "status": 429, "times": 0, "retry_after": "2",
    }  # fmt: skip


def test_the_command_line_comes_on_top_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    faults = [{"kind": "html", "match": "roles"}]
    file.write_text(json.dumps({"switches": {"page_cap": 5, "no_seats": True}, "faults": faults}))
    with start(
        *("--db", str(tmp_path / "t.db"), "--faults", str(file), "--until-stdin-closes"),
        *("--switch", "page_cap=7", "--switch=readd_member=error"),
        *("--fault", "drop-after match=users nth=2"),
    ) as process:
        client = Client(announced(process)["url"])
        known = client.get("/__sandbox__/faults")
        client.connection.close()
        process.communicate()
    switches = Switches(page_cap=7, no_seats=True, readd_member="error")
    assert known["switches"] == asdict(switches)
    assert [(each["kind"], each["match"], each["nth"]) for each in known["faults"]] == [
        ("html", "roles", 1),
        ("drop-after", "users", 2),
    ]


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        pytest.param("--switch=page_cop=1", "'page_cop=1': expected NAME=VALUE", id="switch"),
        pytest.param("--switch=page_cap", "'page_cap': expected NAME=VALUE", id="no-value"),
        pytest.param(
            "--switch=unknown_guid=410", "unknown_guid: '410' is not possible", id="choice"
        ),
        pytest.param(
            "--fault=fire", "'fire' is no kind of fault; there are latency, status", id="kind"
        ),
        pytest.param(
            "--fault=html nth=x", "nth: 'x' is not possible here; write a whole number", id="number"
        ),
        pytest.param("--fault=html match='", "No closing quotation", id="quote"),
    ],
)
def test_the_command_says_what_can_not_be_set(argument: str, complaint: str) -> None:
    command = [sys.executable, "-m", "onboarding", "sandbox", "--db", os.devnull, argument]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the embedded tenant can't be set up like this: " in done.stderr.replace("\n", " ")
    assert complaint in " ".join(done.stderr.split())


# ------------------------------------------------------------------------------ as a process


def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "onboarding.sandbox", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def announced(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout
    return json.loads(process.stdout.readline())


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "http://evil.example"}, id="a page"),
        pytest.param({"Host": "evil.example:80"}, id="a name of theirs"),
    ],
)
def test_no_web_page_may_administer_it(tmp_path: Path, headers: dict[str, str]) -> None:
    with Sandbox(tmp_path / "t.db", key="k" * 16) as tenant:
        connection = HTTPConnection("127.0.0.1", int(tenant.url.rpartition(":")[2]))
        connection.request("POST", "/__sandbox__/reset", headers=headers)
        assert connection.getresponse().status == 403
        connection.close()


def test_an_acknowledged_write_survives_a_kill(tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "t.db")]
    with start(*db) as process:
        first = announced(process)
        client = Client(first["url"])
        client.post("users", client.invitations("new@acme.example"))
        process.kill()
        client.connection.close()
    with start(*db, "--until-stdin-closes") as process:
        second = announced(process)
        assert second["tenant"] == first["tenant"]
        client = Client(second["url"])
        assert client.groups_of("new") == ["everyone"]
        assert [mail["email"] for mail in client.get("/__sandbox__/mails")] == ["new@acme.example"]
        assert client.get("/__sandbox__/counts")[f"POST {API}/users"] == 1
        client.connection.close()
        process.communicate()  # closes standard input
        assert process.returncode == 0


def test_of_what_was_acknowledged_nothing_is_lost_whenever_the_kill_comes(tmp_path: Path) -> None:
    """Four clients write at once; the kill comes in the middle of it, again and again."""
    db = ["--db", str(tmp_path / "t.db")]
    acknowledged: set[str] = set()
    asked: set[str] = set()
    for life in range(6):
        with start(*db) as process:
            url = announced(process)["url"]
            client = Client(url)
            body = client.invitations("x@acme.example")
            there = {mail["email"] for mail in client.get("/__sandbox__/mails")}
            assert acknowledged <= there <= asked
            enough = threading.Event()

            def invite(
                number: int, life: int = life, url: str = url, body: Any = body,
                enough: threading.Event = enough,
            ) -> None:  # fmt: skip
                own = Client(url)
                with suppress(HTTPException, ConnectionError):
                    for n in range(10_000):
                        emails = {f"p{life}.{number}.{n}.{i}@acme.example" for i in range(3)}
                        asked.update(emails)
                        people = [{**body["users"][0], "email": email} for email in emails]
                        assert own.call("POST", f"{API}/users", {"users": people}) == (200, {})
                        acknowledged.update(emails)
                        if n == 2 + life:
                            enough.set()
                own.connection.close()

            threads = [threading.Thread(target=invite, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            in_time = enough.wait(60)
            process.kill()  # whatever came of it: the threads wait for its answers
            assert in_time
            for thread in threads:
                thread.join()
            client.connection.close()
    with Sandbox(tmp_path / "t.db") as tenant:
        client = Client(tenant.url)
        there = {mail["email"] for mail in client.get("/__sandbox__/mails")}
        assert acknowledged <= there <= asked
        assert client.get("users", limit=1)["totalRecord"] == 10 + len(there)
        assert client.group("everyone")["userCount"] == 9 + len(there)
        client.connection.close()


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "t.db"):
        pass
    with closing(sqlite3.connect(tmp_path / "t.db")) as db:
        db.execute("PRAGMA user_version = 99")
    with start("--db", str(tmp_path / "t.db")) as process:
        _, err = process.communicate()
    assert process.returncode == 2
    assert err.endswith("another version made this file; delete it\n")


def test_a_line_of_the_log_that_a_crash_cut_off_is_dropped(tmp_path: Path) -> None:
    for _ in range(2):
        with Sandbox(tmp_path / "t.db") as tenant:
            client = Client(tenant.url)
            client.get("roles")
            log = client.get("/__sandbox__/requests")
            client.connection.close()
        with (tmp_path / "t.db-requests.jsonl").open("a") as file:
            file.write('{"n": 9, "at"')
    assert [each["n"] for each in log] == [1, 2]


def test_a_commit_that_fails_is_a_500_for_all_and_the_next_one_works(
    tenant: Sandbox, client: Client
) -> None:
    store = tenant._store
    store._writer.execute("PRAGMA max_page_count = 1")
    many = [f"p{n}@acme.example" for n in range(200)]
    status, body = client.refusal("POST", "users", client.invitations(*many))
    assert (status, body["error"]) == (500, "internal error")
    store._writer.execute("PRAGMA max_page_count = 1000000")
    assert client.get("/__sandbox__/mails") == []
    client.post("users", client.invitations(*many))
    assert len(client.get("/__sandbox__/mails")) == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_also_while_it_is_slow(tmp_path: Path, number: signal.Signals) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"switches": {"latency_ms": 600000}}')
    with start(
        "--db", str(tmp_path / "t.db"), "--faults", str(faults), ONBOARDING_SANDBOX_KEY="k"
    ) as process:
        client = Client(announced(process)["url"], "k")
        client.connection.request("GET", f"{API}/whoami", headers=client.headers)
        process.send_signal(number)
        with suppress(ConnectionError):  # the signal may come before the request was taken
            assert client.connection.getresponse().read()
        client.connection.close()
        assert process.wait(20) == 0


def test_a_port_in_use_is_said_in_one_line(tenant: Sandbox, tmp_path: Path) -> None:
    port = str(urlsplit(tenant.url).port)
    with start("--db", str(tmp_path / "other.db"), "--port", port) as process:
        out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert err == f"onboarding.sandbox: can't serve on port {port}: Address already in use\n"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(
            '{"switches": {"read_lag": "x"}}',
            "read_lag: 'x' is not possible here; write a number",
            id="value",
        ),
        pytest.param("[]", "settings: expected an object", id="no-object"),
        pytest.param('{"faults": 1}', "faults: expected a list", id="no-list"),
        pytest.param("{", "Expecting property name enclosed in double quotes", id="no-json"),
        pytest.param(None, "No such file or directory", id="no-file"),
    ],
)
def test_a_bad_settings_file_is_said_in_one_line(
    tmp_path: Path, content: str | None, complaint: str
) -> None:
    faults = tmp_path / "faults.json"
    if content is not None:
        faults.write_text(content)
    with start("--db", str(tmp_path / "t.db"), "--faults", str(faults)) as process:
        out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert err.startswith(f"onboarding.sandbox: can't be set up like this: {faults}: {complaint}")
    assert err.count("\n") == 1


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("not a database, " * 100)
    with start("--db", str(other)) as process:
        _, err = process.communicate()
    assert process.returncode == 2
    assert err == f"onboarding.sandbox: can't keep a tenant in {other}: file is not a database\n"
    assert other.read_text() == "not a database, " * 100


def test_it_stands_on_the_standard_library_alone() -> None:
    for module in Path(onboarding.sandbox.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                own = name.startswith("onboarding.sandbox")
                assert own or name.partition(".")[0] in sys.stdlib_module_names, (module, name)
