"""A tenant over HTTP: our values go in and come out; the wire's names, shapes and moods stay in here.

What is odd about the wire is said where it is met. Nothing is repeated here; ``Transport`` knows which calls may be.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from onboarding import records
from onboarding.apply.fates import CLOSED
from onboarding.errors import Doubt, Refused, TokenRefused
from onboarding.model import Email, Group, GroupId, Role, User, UserId
from onboarding.pages import Pages, Params
from onboarding.records import Record
from onboarding.tenant import Identity, Page, Receipt, Spread
from onboarding.transport import Answer, Transport

API = "/api/service"
LOOKUP = 40  # keys in a look-up
PLAIN = re.compile(r"[A-Za-z0-9_.@-]+")
KEYS = 3600  # bytes of keys in it: its first line stays below 4 KiB, half of what gateways usually take
USER_COLUMNS = ("id", "username", "email", "enabled", "roles", "workspaceRole")
PROVIDERS = ("azure", "google", "jumpcloud", "okta", "onelogin")
LOGIN_COLUMNS = ("emailVerified", "lastLoginTime")  # whether an invitation is still pending


class Atlan:
    """``tenant.Tenant`` over a ``Transport``."""

    def __init__(self, transport: Transport, *, tenant: str) -> None:
        self._pages = Pages(self._get, transport.rest)
        self._transport = transport
        self.name = tenant
        self._shown: dict[str, User] = {}
        self._has_sent = False
        self._me: Record | None = None
        self._identity: Identity | None = None
        self._groups = "/v2/groups"
        self._role_update = ""
        self._lock = threading.Lock()
        self._first_role = threading.Lock()

    @property
    def page_size(self) -> int:
        """Records on a full page, as far as the tenant has shown it."""
        return self._pages.size

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._transport.calls

    @property
    def waited(self) -> float:
        """Seconds waited for the rate limit so far."""
        return self._transport.budget.waited

    def takes(self, calls: int) -> float:
        """Guess how many seconds so many calls take."""
        return self._transport.budget.takes(calls)

    def left(self, calls: int) -> float:
        """Guess how many seconds so many more calls take from now on."""
        return self._transport.budget.left(calls)

    # ---- reading ------------------------------------------------------------------------------------------

    def account(self) -> str:
        """Say by which name the tenant knows us."""
        with self._lock:
            me = self._own_account()
            return str(me.get("username") or records.id_of(me))

    def identity(self) -> Identity:
        """Say who we are, and which ids the workspace roles have here (they differ per tenant)."""
        with self._lock:
            if self._identity is None:
                me = self._own_account()
                workspace = [("filter", '{"name":{"$ilike":"$%"}}')]
                roles = self._pages.all("/roles", "description", lambda role: role, workspace)
                name = str(me.get("username") or "")
                self._identity = Identity(
                    self.name, UserId(records.id_of(me)), name, records.roles(roles)
                )
            return self._identity

    def _own_account(self) -> Record:
        if self._me is None:
            found = self._get("/users/current")
            self._me = records.object_of(found, "the account behind the API key")
        return self._me

    def first_users(self) -> Page:
        """Read the first page of all accounts; what was shown before may be old."""
        self._shown, self._has_sent = {}, False
        shown, came, total = self._pages.one("/users", "username", _columns())
        believed = total is not None and total >= came
        users = self._show(map(records.user, shown.values()))
        whole = [r for r in shown.values() if r.get("email") and r.get("username")]
        witness = records.user(max(whole, key=_capitals)) if whole else None
        return Page(users, total if believed else None, witness)

    def users(self, first: Page | None = None, spread: Spread = map) -> Sequence[User]:
        """List every account; a tenant that does not count them gets the first page asked for again."""
        first = first or Page((), None)
        begun: Mapping[str, User] = {} if first.total is None else {u.id: u for u in first.users}
        asked = ("/users", "username", records.user, _columns())
        return self._show(self._pages.all(*asked, begun, first.total, spread=spread))

    def pages(self, records: int) -> int:
        """Count the requests of a listing."""
        return self._pages.calls(records)

    def lookups(self, keys: Collection[str]) -> int:
        """Count the requests of a look-up that finds everybody."""
        return len(self._lots(keys)) * self.pages(1)

    def users_by_email(self, emails: Collection[str]) -> Sequence[User]:
        """Look up accounts by address."""
        return self._look_up("email", emails, lambda user: user.email)

    def users_by_name(self, names: Collection[str]) -> Sequence[User]:
        """Look up accounts by user name."""
        return self._look_up("username", names, lambda user: user.username)

    def groups(self) -> Sequence[Group]:
        """List every group; from the older address where the newer is not there."""
        try:
            return self._pages.all(self._groups, "name", records.group)
        except Refused as refusal:
            if refusal.status != 404 or self._groups == "/groups":
                raise
            self._groups = "/groups"
        return self.groups()

    def members(self, group: GroupId) -> Sequence[User]:
        """List the members of a group, whose accounts stay as they were shown before: a million may be a thousand people."""
        path = f"/groups/{_part(group)}/members"
        return self._pages.all(path, "username", records.user, known=self._shown)

    def groups_of(self, user: UserId) -> Sequence[Group]:
        """List the groups of a person."""
        return self._pages.all(f"/users/{_part(user)}/groups", "name", records.group)

    def rights(self) -> frozenset[str] | None:
        """Give the names of our own roles; None where the tenant does not say."""
        said = self._get_if_there("/whoami")
        roles = said.get("roles") if isinstance(said, dict) else None
        if not isinstance(roles, list):
            return None
        return frozenset(str(role.get("name")) for role in roles if isinstance(role, dict))

    def mapped_groups(self) -> Mapping[str, frozenset[str]] | None:
        """Give the groups that single sign-on fills, by identity provider; None where the tenant shows no provider."""
        found = {name: self._get_if_there(f"/idp/{name}/mappers") for name in PROVIDERS}
        there = {name: mappers for name, mappers in found.items() if isinstance(mappers, list)}
        return {name: frozenset(records.filled(mappers)) for name, mappers in there.items()} or None

    # ---- writing ------------------------------------------------------------------------------------------

    def wait_for_turn(self) -> None:
        """Wait until a call may leave; this thread's next one then leaves at once."""
        self._transport.wait_for_turn()

    def invite(self, people: Sequence[tuple[Email, Role]], *, request_id: str) -> Receipt:
        """Invite people. The answer names nobody: who is there now must be looked up."""
        roles = self.identity().roles
        wire = [{"email": e, "roleName": r.value, "roleId": roles[r]} for e, r in people]
        try:
            return _receipt(self._post("/users", {"users": _some(wire)}, request_id))
        except TokenRefused as refusal:
            # Nobody documents how an invitation is refused where single sign-on is enforced. If it is by a 403, it is
            # about inviting and not about the token, which may do all else.
            if not CLOSED.search(refusal.words):
                raise
            raise Refused(
                str(refusal),
                words=refusal.words,
                status=refusal.status,
                request_id=request_id,
                attempts=refusal.attempts,
            ) from None

    def create_group(
        self, group: Group, members: Collection[UserId], *, request_id: str
    ) -> Receipt:
        """Create a group. A yes to the group is no yes to its members: each has a status of its own."""
        body: dict[str, Any] = {
            "group": {"name": group.name, "attributes": records.attributes(group)}
        }
        if members:
            body["users"] = sorted(members)
        answer = self._post("/groups", body, request_id)
        made = answer.body.get("group") if isinstance(answer.body, dict) else None
        if not made or not isinstance(made, str):
            raise Doubt(
                f"The tenant says yes to the group {group.name} and gives no id for it.",
                status=answer.status,
                request_id=request_id,
                attempts=answer.attempts,
            )
        refused = records.not_added(answer.body.get("users"))
        return Receipt(answer.status, request_id, answer.attempts, GroupId(made), refused)

    def update_group(self, group: Group, *, request_id: str) -> Receipt:
        """Send everything that can be edited: what is left out may be erased."""
        attributes = {"description": [""], "channels": []} | records.attributes(group)
        body = {"id": group.id, "path": group.path, "attributes": attributes}
        return _receipt(self._post(f"/groups/{_part(group.id)}", body, request_id))

    def change_role(self, user: UserId, role: Role, *, request_id: str) -> Receipt:
        """Set a role, at the address that the SDKs use; where that is not there, at the documented one from then on."""
        body = {"roleId": self.identity().roles[role]}
        path = f"/users/{_part(user)}/"
        with self._first_role:  # the others wait to hear which address it is
            if not self._role_update:
                return self._change_first_role(path, body, request_id)
        return _receipt(self._post(path + self._role_update, body, request_id))

    def _change_first_role(self, path: str, body: Any, request_id: str) -> Receipt:
        try:
            receipt = _receipt(self._post(path + "roles/update", body, request_id))
        except Refused as refusal:
            if refusal.status != 404:
                raise
            unknown = refusal
        else:
            self._role_update = "roles/update"
            return receipt
        try:
            receipt = _receipt(self._post(path + "update", body, request_id))
        except Refused as refusal:
            if refusal.status != 404:
                raise
            # One may say that there is no such address, the other that there is no such person: in Keycloak's words.
            raise max(unknown, refusal, key=lambda no: "404" in no.words) from None
        self._role_update = "update"
        return receipt

    def add_to_groups(
        self, user: UserId, groups: Collection[GroupId], *, request_id: str
    ) -> Receipt:
        """Add a person to groups; those not named are kept."""
        body = {"groups": _some(sorted(groups))}
        return _receipt(self._post(f"/users/{_part(user)}/groups", body, request_id))

    def remove_members(
        self, group: GroupId, users: Collection[UserId], *, request_id: str
    ) -> Receipt:
        """Take people out of a group."""
        body = {"users": _some(sorted(users))}
        return _receipt(self._post(f"/groups/{_part(group)}/members/remove", body, request_id))

    # ---- paths, pages -------------------------------------------------------------------------------------

    def _get(
        self, path: str, params: Params | None = None, read: Callable[[bytes], Any] = json.loads
    ) -> Any:
        return self._transport.get(API + path, params or [], read)

    def _get_if_there(self, path: str) -> Any:
        try:
            return self._get(path)
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return None

    def _post(self, path: str, body: Any, request_id: str) -> Answer:
        self._has_sent = True
        return self._transport.post(API + path, body, request_id=request_id)

    def _look_up(
        self, column: str, keys: Collection[str], key: Callable[[User], str]
    ) -> Sequence[User]:
        """Look up by exact match, which the tenant may take with or without case; it is compared again here."""
        found: list[User] = []
        for lot in self._lots(keys):
            asked = _compact({column: {"$in": lot}})
            params = [("filter", asked), *_columns()]
            wanted = {one.casefold() for one in lot}
            users = self._pages.all("/users", "username", records.user, params)
            found += [user for user in users if key(user).casefold() in wanted]
        return self._show(found)

    def _show(self, users: Iterable[User]) -> Sequence[User]:
        """Keep accounts as they were shown before anything was sent, if they can be named. Who is new is looked at once."""
        users = tuple(users)
        if not self._has_sent:
            self._shown.update((user.id, user) for user in users if user.email)
        return users

    def _lots(self, keys: Collection[str]) -> list[list[str]]:
        """Part keys into lots that fit into a request's first line, and whose accounts fit on a page."""
        most = min(LOOKUP, self.page_size)
        lots: list[list[str]] = []
        room = 0
        for key in sorted(set(keys)):
            size = _size(key)
            if size > room or len(lots[-1]) == most:
                lots.append([])
                room = KEYS
            lots[-1].append(key)
            room -= size
        return lots


def _columns() -> Params:
    return [("columns", column) for column in USER_COLUMNS + LOGIN_COLUMNS]


def _capitals(record: Record) -> int:
    """Count the names of an account that a look-up may miss, if the tenant minds capitals."""
    return sum(str(record[name]) != str(record[name]).lower() for name in ("email", "username"))


def _size(key: str) -> int:
    """Count the bytes of a key in a URL, with its quotes and comma; most are plain, and there may be many."""
    if PLAIN.fullmatch(key):
        return len(key) + 2 * key.count("@") + len("%22%22%2C")
    return len(quote(_compact(key) + ",", safe=""))


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _part(key: str) -> str:
    return quote(key, safe="")


def _some(things: list[Any]) -> list[Any]:
    """Give what goes into a list that must not be empty: what the tenant would make of one, nobody says."""
    assert things
    return things


def _receipt(answer: Answer) -> Receipt:
    return Receipt(answer.status, answer.request_id, answer.attempts)
