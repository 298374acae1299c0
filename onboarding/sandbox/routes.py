"""The API: one table of routes, and for each what it takes, what it does, what it answers.

A route that reads gets a connection to read with, one that writes the inside of a transaction: a
refusal *raised* undoes what was done, a refusal *returned* lets it stand.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onboarding.sandbox import store
from onboarding.sandbox.faults import Switches
from onboarding.sandbox.query import Listing, Record, Scope, page
from onboarding.sandbox.records import GROUPS, ROLES, USERS
from onboarding.sandbox.refusals import (
    Refusal,
    bad_client,
    bad_request,
    forbidden,
    keycloak,
    no_route,
    not_invited,
)
from onboarding.sandbox.tokens import Tokens
from onboarding.sandbox.wire import Request


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the door; ``guid`` is the one in its path."""

    db: sqlite3.Connection
    switches: Switches
    tokens: Tokens
    request: Request
    guid: str
    body: object


Answer = Callable[[Call], Record | Refusal | None]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. The answer is JSON, or nothing."""

    method: str
    path: str
    answer: Answer
    is_open: bool = False
    """Whether it is answered without a token."""

    @property
    def name(self) -> str:
        """Method and path template, as the request log names it."""
        return f"{self.method} {self.path}"


Found = tuple[Route, str] | None


def find_route(method: str, path: str) -> Found:
    """The route, and the guid in the path."""
    for route, pattern in _PATTERNS:
        if route.method == method and (match := pattern.fullmatch(path)):
            return route, match[1] if pattern.groups else ""
    return None


def _list(listing: Listing) -> Answer:
    return lambda call: _page(call, listing, Scope())


def _list_groups_of_user(call: Call) -> Record:
    joined = "groups.pk IN (SELECT grp FROM members WHERE user = ?)"
    return _page(call, GROUPS, Scope(joined, (_user(call),)))


def _list_members(call: Call) -> Record:
    joined = "users.pk IN (SELECT user FROM members WHERE grp = ?)"
    return _page(call, USERS, Scope(joined, (_group(call)["pk"],)))


def _page(call: Call, listing: Listing, scope: Scope) -> Record:
    cap, exact_case = call.switches.page_cap, call.switches.in_case_sensitive
    return page(call.db, listing, call.request.params, scope=scope, cap=cap, exact_case=exact_case)


def _current_user(call: Call) -> Record:
    username = store.actor(call.db)
    row = call.db.execute("SELECT * FROM users WHERE username = ?", [username]).fetchone()
    return {
        "id": row["id"],
        "username": username,
        "enabled": True,
        "emailVerified": False,
        "createdTimestamp": row["created"],
    }


def _who_am_i(call: Call) -> Record:
    return {
        "username": store.actor(call.db),
        "roles": [{"name": call.tokens.role(call.request.authorization)}],
    }


def _token(call: Call) -> Record:
    body = _fields(call.body, clientId=str, clientSecret=str)
    seconds = call.switches.token_seconds
    token = call.tokens.grant(body["clientId"], body["clientSecret"], seconds)
    if token is None:
        raise bad_client()
    return {"accessToken": token, "tokenType": "Bearer", "expiresIn": seconds}


def _invite(call: Call) -> Record | Refusal:
    """One by one, as the map of problems suggests; names and groups can't be given."""
    invited = [
        _fields(each, email=str, roleName=str, roleId=str)
        for each in _fields(call.body, users=list)["users"]
    ]
    if call.switches.sso_enforced:
        raise forbidden("Inviting users is not allowed when SSO is enforced")
    if call.switches.no_seats:
        raise bad_request("No seats are left in the licence of this workspace")
    newest = store.newest_user(call.db)
    problems = _invite_each(call, invited)
    store.welcome(call.db, after=newest)
    if problems and call.switches.invite_batch == "atomic":
        raise not_invited(problems)
    return not_invited(problems) if problems else {}


def _invite_each(call: Call, invited: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """E-mail as it was sent -> what stood in the way."""
    roles = _workspace_roles(call)
    inviter = store.actor(call.db)
    by = store.invited_by(inviter, inviter)
    problems = {each["email"]: _invite_one(call, each, roles, by) for each in invited}
    return {email: problem for email, problem in problems.items() if problem}


def _invite_one(
    call: Call, person: Mapping[str, str], roles: Mapping[str, str], by: store.Attributes
) -> str | None:
    """Invite, or say what stands in the way."""
    email = person["email"].lower()
    role = roles.get(person["roleId"])
    if role is None or role != person["roleName"]:
        return "404 Not Found: Could not find role"
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        return "400 Bad Request: Invalid email address"
    if _exists(call, "SELECT 1 FROM users WHERE email = ?", email):
        return "409 Conflict: User exists with the same email"
    username = wanted = email.partition("@")[0]
    count = 1
    while _exists(call, "SELECT 1 FROM users WHERE username = ?", username):
        if call.switches.username_collision == "error":
            return "409 Conflict: User exists with same username"
        count += 1
        username = f"{wanted}{count}"
    store.invite(call.db, email, role, username, by)
    return None


def _exists(call: Call, sql: str, *values: object) -> bool:
    return call.db.execute(sql, values).fetchone() is not None


def _workspace_roles(call: Call) -> dict[str, str]:
    """Guid -> name of the roles that people can have."""
    return dict(call.db.execute("SELECT id, name FROM roles WHERE level = 'workspace'").fetchall())


def _change_role(call: Call) -> None:
    if call.switches.role_update not in (call.request.path.partition(f"{call.guid}/")[2], "both"):
        raise no_route()
    user = _user(call)
    role = _workspace_roles(call).get(_fields(call.body, roleId=str)["roleId"])
    if role is None:
        raise keycloak(400, 404, "Could not find role")
    call.db.execute("UPDATE users SET role = ? WHERE pk = ?", [role, user])


def _refuse_to_token(_: Call) -> None:
    raise forbidden("API tokens are not allowed to update, deactivate or delete users")


def _join_groups(call: Call) -> None:
    user = _user(call)
    groups = [_group(call, guid) for guid in _strings(call.body, "groups")]
    if call.switches.readd_member == "error":
        for group in groups:
            if _exists(call, _MEMBERSHIP, group["pk"], user):
                raise keycloak(400, 409, f"User is already a member of group '{group['name']}'.")
    store.join(call.db, [(group["pk"], user) for group in groups])


_MEMBERSHIP = "SELECT 1 FROM members WHERE grp = ? AND user = ?"


def _create_group(call: Call) -> Record:
    """Unknown members are reported in the answer; the group is there all the same."""
    group = _fields(_fields(call.body, group=dict)["group"], name=str, attributes=dict)
    name, attributes = group["name"], _attributes(group["attributes"])
    if not name or not attributes.get("alias"):
        raise _misfit("Property 'name' or 'attributes.alias' is empty")
    if _exists(call, "SELECT 1 FROM groups WHERE name = ?", name):
        raise keycloak(400, 409, f"Top level group named '{name}' already exists.")
    pk, guid = store.create_group(call.db, name, attributes)
    return {"group": guid, "users": _members_of_new_group(call, pk)}


def _members_of_new_group(call: Call, group: int) -> Record | None:
    if not isinstance(call.body, dict) or call.body.get("users") is None:
        return None
    statuses: Record = {}
    for guid in _strings(call.body, "users"):
        row = call.db.execute("SELECT pk FROM users WHERE id = ?", [guid]).fetchone()
        if row:
            store.join(call.db, [(group, row["pk"])])
            statuses[guid] = {"status": 200, "statusMessage": "success"}
        else:
            statuses[guid] = {"status": 404, "statusMessage": "User not found"}
    return statuses


def _update_group(call: Call) -> None:
    """The internal name never changes; whether absent attributes stay is a switch."""
    group = _group(call)
    body = _fields(call.body, id=str, path=str, attributes=dict)
    if body["id"] != call.guid or body["path"] != f"/{group['name']}":
        raise _misfit("Properties 'id' and 'path' are not this group's")
    given = _attributes(body["attributes"])
    had = store.attributes_of(group)
    kept = had if call.switches.group_update == "merge" else _stamps(had)
    store.update_group(call.db, group["pk"], {**kept, **given, **_stamps(had)})


def _stamps(attributes: store.Attributes) -> store.Attributes:
    """What the tenant itself notes down, and no caller can change."""
    return {name: attributes[name] for name in ("createdAt", "createdBy") if name in attributes}


def _remove_members(call: Call) -> None:
    """Who is no member is passed over."""
    group = _group(call)["pk"]
    users = [_user(call, guid) for guid in _strings(call.body, "users")]
    store.leave(call.db, [(group, user) for user in users])


def _delete_group(call: Call) -> None:
    call.db.execute("DELETE FROM groups WHERE pk = ?", [_group(call)["pk"]])


def _group(call: Call, guid: str | None = None) -> sqlite3.Row:
    """The group with this guid, or the one in the path."""
    return _known(call, "SELECT * FROM groups WHERE id = ?", guid or call.guid, "group")


def _user(call: Call, guid: str | None = None) -> int:
    """The row of the user with this guid, or of the one in the path."""
    return int(_known(call, "SELECT pk FROM users WHERE id = ?", guid or call.guid, "user")["pk"])


def _known(call: Call, sql: str, guid: str, what: str) -> sqlite3.Row:
    row: sqlite3.Row | None = call.db.execute(sql, [guid]).fetchone()
    if row is None:
        raise keycloak(call.switches.unknown_guid, 404, f"Could not find {what} by id")
    return row


def _strings(body: object, name: str) -> list[str]:
    """The list of strings under this name."""
    values = _fields(body, **{name: list})[name]
    if not all(isinstance(value, str) for value in values):
        raise _misfit(f"Property '{name}' holds something else than strings")
    return list(values)


def _attributes(given: Mapping[str, object]) -> store.Attributes:
    """Every value is an array of strings, booleans and times included."""
    return {name: _strings(given, name) for name in given}


def _fields(body: object, **shape: type) -> dict[str, Any]:
    """The body, once it is an object with at least these properties."""
    if not isinstance(body, dict):
        raise _misfit("Value is not an object")
    for name, kind in shape.items():
        if name not in body:
            raise _misfit(f"Property '{name}' is missing")
        if not isinstance(body[name], kind):
            raise _misfit(f"Property '{name}' is of the wrong type")
    return body


def _misfit(what: str) -> Refusal:
    return bad_request(f"Request body has an error: doesn't match the schema: {what}")


_API = "/api/service"

ROUTES = (
    Route("GET", f"{_API}/roles", _list(ROLES)),
    Route("GET", f"{_API}/users", _list(USERS)),
    Route("POST", f"{_API}/users", _invite),
    Route("GET", f"{_API}/users/current", _current_user),
    Route("GET", f"{_API}/whoami", _who_am_i),
    Route("GET", f"{_API}/users/{{guid}}/groups", _list_groups_of_user),
    Route("POST", f"{_API}/users/{{guid}}/groups", _join_groups),
    Route("POST", f"{_API}/users/{{guid}}/roles/update", _change_role),
    Route("POST", f"{_API}/users/{{guid}}/update", _change_role),
    Route("POST", f"{_API}/users/{{guid}}", _refuse_to_token),
    Route("POST", f"{_API}/users/{{guid}}/delete", _refuse_to_token),
    Route("GET", f"{_API}/v2/groups", _list(GROUPS)),
    Route("GET", f"{_API}/groups", _list(GROUPS)),
    Route("POST", f"{_API}/groups", _create_group),
    Route("POST", f"{_API}/groups/{{guid}}", _update_group),
    Route("GET", f"{_API}/groups/{{guid}}/members", _list_members),
    Route("POST", f"{_API}/groups/{{guid}}/members/remove", _remove_members),
    Route("POST", f"{_API}/groups/{{guid}}/delete", _delete_group),
    Route("POST", f"{_API}/oauth-clients/token", _token, is_open=True),
)

_PATTERNS = tuple((route, re.compile(route.path.replace("{guid}", "([^/]+)"))) for route in ROUTES)
