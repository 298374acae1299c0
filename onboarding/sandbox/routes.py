"""The API: one table of routes, and for each what it takes, what it does, what it answers.

A route that reads gets a connection to read with, one that writes the inside of a transaction: a
refusal *raised* undoes what was done, a refusal *returned* lets it stand.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from onboarding.sandbox import store
from onboarding.sandbox.query import Listing, Scope, page
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
from onboarding.sandbox.switches import Switches
from onboarding.sandbox.tokens import Tokens
from onboarding.sandbox.wire import Request


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the door; ``names`` are those in its path."""

    db: sqlite3.Connection
    switches: Switches
    tokens: Tokens
    request: Request
    names: Mapping[str, str]
    body: object

    @property
    def guid(self) -> str:
        """The guid in the path."""
        return self.names["guid"]


Record = dict[str, object]
Answer = Callable[[Call], str | Record | Refusal | None]
"""Text is JSON already."""


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


Found = tuple[Route, Mapping[str, str]] | None


def find_route(method: str, path: str) -> Found:
    """The route, and the names in the path."""
    for route, pattern in _PATTERNS:
        if route.method == method and (match := pattern.fullmatch(path)):
            return route, match.groupdict()
    return None


def _list(listing: Listing) -> Answer:
    return lambda call: _page(call, listing, Scope())


def _list_groups_of_user(call: Call) -> str:
    joined = "groups.pk IN (SELECT grp FROM members WHERE user = ?)"
    user = _known(call, "SELECT * FROM users WHERE id = ?", call.guid, "user")
    return _page(call, GROUPS, Scope(joined, (user["pk"],), user["group_count"]))


def _list_members(call: Call) -> str:
    group = _group(call)
    joined = "users.pk IN (SELECT user FROM members WHERE grp = ?)"
    if 2 * group["user_count"] > call.db.execute("SELECT count(*) FROM users").fetchone()[0]:
        # walks along the names and stops early, instead of sorting nearly everybody
        joined = "EXISTS (SELECT 1 FROM members WHERE grp = ? AND user = users.pk)"
    return _page(call, USERS, Scope(joined, (group["pk"],), group["user_count"]))


def _page(call: Call, listing: Listing, scope: Scope) -> str:
    return page(call.db, listing, call.request.params, call.switches, scope)


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
    problems = _invite_each(call, invited)
    if problems and call.switches.invite_batch == "atomic":
        raise not_invited(problems)
    return not_invited(problems) if problems else {}


def _invite_each(call: Call, invited: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """E-mail as it was sent -> what stood in the way."""
    roles = _workspace_roles(call)
    emails = [each["email"].lower() for each in invited]
    there = store.taken(call.db, "email", emails)
    usernames = store.taken(call.db, "username", [email.partition("@")[0] for email in emails])
    problems: dict[str, str] = {}
    people: list[tuple[str, str, str]] = []
    again: list[str] = []
    for each, email in zip(invited, emails, strict=True):
        problem = _problem(each, email, roles, there)
        if problem == _KNOWN and call.switches.known_email == "mail":
            again.append(email)
            continue
        username = None if problem else _username(call, email, usernames)
        if username is None:
            problems[each["email"]] = problem or "409 Conflict: User exists with same username"
            continue
        there.add(email)
        usernames.add(username)
        people.append((email, username, each["roleName"]))
    inviter = store.actor(call.db)
    store.invite(call.db, people, store.invited_by(inviter, inviter))
    store.mail_again(call.db, again)
    return problems


_KNOWN = "409 Conflict: User exists with the same email"


def _problem(
    person: Mapping[str, str], email: str, roles: Mapping[str, str], there: set[str]
) -> str | None:
    """What stands in the way of inviting this person."""
    if roles.get(person["roleId"]) != person["roleName"]:
        return "404 Not Found: Could not find role"
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        return "400 Bad Request: Invalid email address"
    if email in there:
        return _KNOWN
    return None


def _username(call: Call, email: str, taken: set[str]) -> str | None:
    """The part before the @, numbered where somebody has it; None where that is an error."""
    username = wanted = email.partition("@")[0]
    count = 1
    while username in taken or (count > 1 and store.taken(call.db, "username", [username])):
        if call.switches.username_collision == "error":
            return None
        count += 1
        username = f"{wanted}{count}"
    return username


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
    groups = _all_known(call, "groups", _strings(call.body, "groups"))
    if call.switches.readd_member == "error":
        member = "SELECT name FROM groups JOIN members ON grp = pk WHERE user = ? AND grp = ?"
        for group in groups:
            if row := call.db.execute(member, [user, group]).fetchone():
                raise keycloak(400, 409, f"User is already a member of group '{row['name']}'.")
    store.join(call.db, groups, [user])


def _create_group(call: Call) -> Record:
    """Unknown members are reported in the answer; the group is there all the same."""
    group = _fields(_fields(call.body, group=dict)["group"], name=str, attributes=dict)
    name, attributes = group["name"], _attributes(group["attributes"])
    if not name or not attributes.get("alias"):
        raise _misfit("Property 'name' or 'attributes.alias' is empty")
    if call.db.execute("SELECT 1 FROM groups WHERE name = ?", [name]).fetchone():
        raise keycloak(400, 409, f"Top level group named '{name}' already exists.")
    pk, guid = store.create_group(call.db, name, attributes)
    return {"group": guid, "users": _members_of_new_group(call, pk)}


def _members_of_new_group(call: Call, group: int) -> Record | None:
    if not isinstance(call.body, dict) or call.body.get("users") is None:
        return None
    asked = _strings(call.body, "users")
    there = store.known(call.db, "users", asked)
    store.join(call.db, [group], [*there.values()])
    added = {"status": 200, "statusMessage": "success"}
    unknown = {"status": 404, "statusMessage": "User not found"}
    return {guid: added if guid in there else unknown for guid in asked}


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
    store.leave(call.db, group, _all_known(call, "users", _strings(call.body, "users")))


def _delete_group(call: Call) -> None:
    call.db.execute("DELETE FROM groups WHERE pk = ?", [_group(call)["pk"]])


def _list_mappers(call: Call) -> str:
    """A plain array, as Keycloak has it."""
    rows = "SELECT mapper FROM mappers WHERE alias = ? ORDER BY n"
    return str(
        call.db.execute(
            f"SELECT json_group_array(json(mapper)) FROM ({rows})",  # noqa: S608 - values are bound
            [_provider(call)],
        ).fetchone()[0]
    )


def _show_mapper(call: Call) -> str:
    return str(_mapper(call)["mapper"])


def _save_mapper(call: Call) -> str:
    """A new one where the path has no guid; it answers what is kept."""
    given = _fields(call.body, name=str, identityProviderMapper=str, config=dict)
    guid = str(_mapper(call)["id"]) if "guid" in call.names else str(uuid4())
    mapper = json.dumps({**given, "id": guid, "identityProviderAlias": _provider(call)})
    call.db.execute(
        "INSERT INTO mappers (id, alias, mapper) VALUES (?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET mapper = excluded.mapper",
        [guid, call.names["alias"], mapper],
    )
    return mapper


def _delete_mapper(call: Call) -> None:
    call.db.execute("DELETE FROM mappers WHERE id = ?", [_mapper(call)["id"]])


def _mapper(call: Call) -> sqlite3.Row:
    sql = "SELECT * FROM mappers WHERE id = ?"
    row = _known(call, sql, call.guid, "identity provider mapper")
    if row["alias"] != _provider(call):
        raise keycloak(call.switches.unknown_guid, 404, "Could not find mapper of this provider")
    return row


def _provider(call: Call) -> str:
    if call.names["alias"] not in _PROVIDERS:
        raise keycloak(call.switches.unknown_guid, 404, "Could not find identity provider")
    return call.names["alias"]


_PROVIDERS = ("google", "azure", "okta", "jumpcloud", "onelogin")


def _group(call: Call) -> sqlite3.Row:
    """The group in the path."""
    return _known(call, "SELECT * FROM groups WHERE id = ?", call.guid, "group")


def _user(call: Call) -> int:
    """The row of the user in the path."""
    return int(_known(call, "SELECT pk FROM users WHERE id = ?", call.guid, "user")["pk"])


def _known(call: Call, sql: str, guid: str, what: str) -> sqlite3.Row:
    row: sqlite3.Row | None = call.db.execute(sql, [guid]).fetchone()
    if row is None:
        raise keycloak(call.switches.unknown_guid, 404, f"Could not find {what} by id")
    return row


def _all_known(call: Call, table: str, guids: Sequence[str]) -> list[int]:
    """The rows of these users or groups, all of which must exist."""
    found = store.known(call.db, table, guids)
    if len(found) < len(set(guids)):
        what = table.removesuffix("s")
        raise keycloak(call.switches.unknown_guid, 404, f"Could not find {what} by id")
    return [*found.values()]


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
    Route("GET", f"{_API}/idp/{{alias}}/mappers", _list_mappers),
    Route("POST", f"{_API}/idp/{{alias}}/mappers", _save_mapper),
    Route("GET", f"{_API}/idp/{{alias}}/mappers/{{guid}}", _show_mapper),
    Route("POST", f"{_API}/idp/{{alias}}/mappers/{{guid}}", _save_mapper),
    Route("POST", f"{_API}/idp/{{alias}}/mappers/{{guid}}/delete", _delete_mapper),
    Route("POST", f"{_API}/oauth-clients/token", _token, is_open=True),
)

_PATTERNS = tuple(
    (route, re.compile(re.sub("{(.*?)}", "(?P<\\1>[^/]+)", route.path))) for route in ROUTES
)
