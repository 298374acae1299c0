"""What stands on the wire, and what is made of it; the transport below is one that answers from a table."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import sleep
from typing import Any
from urllib.parse import urlencode

import pytest
from builders import email
from hypothesis import given
from hypothesis import strategies as st

from onboarding.atlan import Atlan, _size
from onboarding.errors import Doubt, Protocol, Refused, TenantError, TokenRefused
from onboarding.model import Email, Group, GroupId, GroupName, Role, User, UserId
from onboarding.tenant import Identity, Receipt, Spread
from onboarding.transport import Answer

Params = Sequence[tuple[str, str]]
API = "/api/service"


@dataclass
class Wire:
    """A transport: GETs are answered by functions of their parameters, POSTs by values or errors in turn."""

    pages: dict[str, Callable[[dict[str, str]], Any]] = field(default_factory=dict)
    yields: list[Any] = field(default_factory=list)
    asked: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    posted: list[tuple[str, Any, str]] = field(default_factory=list)
    rests: list[int] = field(default_factory=list)
    calls: int = 0

    def get(self, path: str, params: Params = (), read: Callable[[bytes], Any] = json.loads) -> Any:
        self.calls += 1
        self.asked.append((path.removeprefix(API), list(params)))
        page = self.pages.get(path.removeprefix(API))
        if page is None:
            raise Refused("no such path", status=404)
        return read(json.dumps(page(dict(params))).encode())

    def rest(self, attempt: int) -> None:
        self.rests.append(attempt)

    def post(self, path: str, body: Any, *, request_id: str) -> Answer:
        self.calls += 1
        self.posted.append((path.removeprefix(API), json.loads(json.dumps(body)), request_id))
        answer = self.yields.pop(0) if self.yields else None
        if isinstance(answer, TenantError):
            raise answer
        return Answer(200, answer, request_id, 1)


ROLES = [
    {"id": f"r-{name}", "name": f"${name}", "level": "workspace", "memberCount": "3"}
    for name in ("admin", "member", "guest")
]


def listing(records: Sequence[Any], cap: int = 100) -> Callable[[dict[str, str]], Any]:
    """A well-behaved list."""

    def page(params: dict[str, str]) -> Any:
        start, limit = int(params["offset"]), min(int(params["limit"]), cap)
        shown = list(records[start : start + limit])
        return {"totalRecord": len(records), "filterRecord": len(records), "records": shown or None}

    return page


def atlan(wire: Wire) -> Atlan:
    wire.pages.setdefault(
        "/users/current", lambda _: {"id": "u-own", "username": "service-account-apikey-1"}
    )
    wire.pages.setdefault("/roles", listing(ROLES))
    return Atlan(wire, tenant="acme.example")  # type: ignore[arg-type]


def records(count: int) -> list[dict[str, Any]]:
    return [{"id": f"u-{n}", "username": f"p{n:04}"} for n in range(count)]


# ---- lists -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "calls"),
    [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (250, 3)],
)
def test_n_records_take_as_many_calls_as_announced(count: int, calls: int) -> None:
    wire = Wire({"/users": listing(records(count))})
    assert [user.id for user in atlan(wire).users()] == [f"u-{n}" for n in range(count)]
    assert wire.calls == calls


def test_every_page_is_asked_for_in_the_same_way() -> None:
    wire = Wire({"/users": listing(records(150)), "/v2/groups": listing([])})
    tenant = atlan(wire)
    tenant.users()
    tenant.groups()
    columns = [
        ("columns", name)
        for name in (
            "id", "username", "email", "enabled", "roles", "workspaceRole", "emailVerified", "lastLoginTime",
        )
    ]  # fmt: skip

    def paging(sort: str, offset: str) -> list[tuple[str, str]]:
        return [("limit", "100"), ("offset", offset), ("count", "true"), ("sort", sort)]

    assert wire.asked == [
        ("/users", columns + paging("username", "0")),
        ("/users", columns + paging("username", "100")),
        ("/v2/groups", paging("name", "0")),
    ]


def counted(total: Any, shown: Any) -> dict[str, Any]:
    return {"totalRecord": 999, "filterRecord": total, "records": shown}


ALL = records(250)


def in_turn(*answers: Any) -> Callable[[dict[str, str]], Any]:
    left = list(answers)
    return lambda _: left.pop(0)


@pytest.mark.parametrize(
    ("page", "count", "calls"),
    [
        pytest.param(listing(ALL, cap=60), 250, 5, id="pages-are-capped"),
        pytest.param(lambda p: counted(250, ALL[int(p["offset"]) :]), 250, 1, id="limit-ignored"),
        pytest.param(lambda _: counted(0, None), 0, 1, id="null"),
        pytest.param(lambda _: {"totalRecord": 9, "filterRecord": 0}, 0, 1, id="missing"),
        pytest.param(lambda _: {"records": None}, 0, 1, id="null-without-counts"),
        pytest.param(
            lambda p: {"records": ALL[int(p["offset"]) :][:100]}, 250, 4, id="no-counts-at-all"
        ),
        pytest.param(
            lambda p: {"totalRecord": 250, "records": ALL[int(p["offset"]) :][:100]},
            250,
            3,
            id="only-the-total",
        ),
        pytest.param(
            lambda p: counted(0, ALL[int(p["offset"]) :][:100]), 250, 4, id="counts-are-zero"
        ),
        pytest.param(
            lambda p: counted(50, ALL[int(p["offset"]) :][:100]), 250, 4, id="counts-are-too-low"
        ),
        pytest.param(
            lambda p: counted("250", ALL[int(p["offset"]) :][:100]), 250, 3, id="counts-are-text"
        ),
        pytest.param(
            in_turn(
                counted(150, ALL[:100]),
                counted(151, ALL[100:151]),
                counted(151, ALL[:100]),
                counted(151, ALL[100:151]),
            ),
            151,
            4,
            id="the-total-moves-once",
        ),
        pytest.param(
            in_turn(
                counted(150, ALL[:100]),
                counted(150, ALL[99:149]),
                counted(150, ALL[:100]),
                counted(150, ALL[100:150]),
            ),
            150,
            4,
            id="pages-overlap-once",
        ),
        pytest.param(
            in_turn(*[counted(3, [ALL[0], ALL[1], ALL[1]])] * 2),
            2,
            2,
            id="one-stands-twice-for-good",
        ),
        pytest.param(
            in_turn(counted(5, ALL[:3]), counted(5, []), counted(5, ALL[:3]), counted(5, ALL[3:5])),
            5,
            4,
            id="an-end-too-early-once",
        ),
    ],
)
def test_a_list_survives_what_pages_may_do(
    page: Callable[[dict[str, str]], Any], count: int, calls: int
) -> None:
    wire = Wire({"/users": page})
    assert [user.id for user in atlan(wire).users()] == [f"u-{n}" for n in range(count)]
    assert wire.calls == calls


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(lambda _: None, id="nothing"),
        pytest.param(lambda _: [], id="a-list"),
        pytest.param(lambda _: {}, id="an-empty-object"),
        pytest.param(lambda _: {"message": "come back later"}, id="a-message"),
        pytest.param(lambda _: counted(1, [{"username": "x"}]), id="a-record-without-id"),
        pytest.param(lambda _: counted(1, ["x"]), id="a-text-as-record"),
        pytest.param(lambda _: counted(1, {"id": "x"}), id="an-object-as-records"),
        pytest.param(lambda _: counted(250, ALL[:100]), id="the-same-page-for-ever"),
        pytest.param(lambda p: counted(250 + int(p["offset"]), ALL[:100]), id="a-moving-total"),
        pytest.param(
            lambda p: counted(250, ALL[:200][int(p["offset"]) :][:100]),
            id="always-an-end-too-early",
        ),
        pytest.param(lambda _: counted(7, None), id="a-count-and-no-records"),
    ],
)
def test_a_list_that_cannot_be_true_is_not_believed(page: Callable[[dict[str, str]], Any]) -> None:
    wire = Wire({"/users": page})
    with pytest.raises(Protocol):
        atlan(wire).users()
    assert wire.calls <= 15
    assert wire.rests in ([], [1, 2, 3, 4])  # others may be at work on it


# ---- who we are --------------------------------------------------------------------------------------------


def test_who_we_are_takes_two_calls_once() -> None:
    wire = Wire()
    tenant = atlan(wire)
    ids = {Role.GUEST: "r-guest", Role.MEMBER: "r-member", Role.ADMIN: "r-admin"}
    expected = Identity("acme.example", UserId("u-own"), "service-account-apikey-1", ids)
    assert tenant.identity() == tenant.identity() == expected
    assert (tenant.calls, dict(wire.asked[1][1])["filter"]) == (2, '{"name":{"$ilike":"$%"}}')


@pytest.mark.parametrize(
    ("roles", "missing"),
    [
        pytest.param(ROLES[:2], r"\$guest", id="one-is-missing"),
        pytest.param([], r"\$guest, \$member, \$admin", id="all-are-missing"),
        pytest.param(
            [*ROLES[:2], {"id": "x", "name": "$guest", "level": "sub-role"}], r"\$guest", id="level"
        ),
        pytest.param([*ROLES[:2], {"id": "x", "name": "$Guest"}], r"\$guest", id="case"),
    ],
)
def test_a_workspace_role_must_be_there_by_its_exact_name(roles: list[Any], missing: str) -> None:
    with pytest.raises(Protocol, match=missing):
        atlan(Wire({"/roles": listing(roles)})).identity()


def test_an_account_without_id_is_nobody() -> None:
    with pytest.raises(Protocol):
        atlan(Wire({"/users/current": lambda _: {"username": "x"}})).identity()


@pytest.mark.parametrize(
    ("page", "total"),
    [
        pytest.param(listing(records(250)), 250, id="counted"),
        pytest.param(lambda _: {"records": records(7)}, None, id="not-counted"),
        pytest.param(lambda _: counted(0, records(7)), None, id="counted-as-none"),
        pytest.param(lambda _: counted(0, None), 0, id="nobody"),
    ],
)
def test_the_first_page_says_how_many_accounts_there_are(
    page: Callable[[dict[str, str]], Any], total: int | None
) -> None:
    wire = Wire({"/users": page})
    assert (atlan(wire).first_users().total, wire.calls) == (total, 1)


@pytest.mark.parametrize(("count", "calls"), [(7, 1), (100, 1), (101, 2), (250, 3)])
def test_a_list_goes_on_where_its_first_page_ended(count: int, calls: int) -> None:
    wire = Wire({"/users": listing(records(count))})
    tenant = atlan(wire)
    found = tenant.users(tenant.first_users())
    assert [user.id for user in found] == [f"u-{n}" for n in range(count)]
    assert wire.calls == calls


@pytest.mark.parametrize(
    ("pages", "calls"),
    [
        pytest.param([counted(150, ALL[:100]), *[counted(151, ALL[:100]), counted(151, ALL[100:151])] * 2], 4, id="the-total-has-moved"),
        pytest.param([{"records": ALL[:100]}, {"records": ALL[:100]}, {"records": ALL[100:151]}, {"records": []}], 4, id="nobody-counts"),
        pytest.param([counted(151, [*ALL[:99], ALL[0]]), counted(151, ALL[99:151])], 2, id="one-stands-twice"),
    ],
)  # fmt: skip
def test_a_first_page_that_does_not_fit_is_read_again(pages: list[Any], calls: int) -> None:
    wire = Wire({"/users": in_turn(*pages)})
    tenant = atlan(wire)
    assert len(tenant.users(tenant.first_users())) == 151
    assert wire.calls == calls


def ahead(read: Callable[[Any], Any], keys: Sequence[Any]) -> Iterator[Any]:
    """Read everything before anything is looked at, as far ahead as a pool of threads may ever be."""
    return iter([read(key) for key in keys])


@pytest.mark.parametrize(("count", "calls"), [(7, 1), (100, 1), (101, 2), (250, 3), (1_001, 11)])
def test_the_pages_after_the_first_may_be_read_at_once(count: int, calls: int) -> None:
    def read(spread: Spread) -> tuple[list[str], int]:
        wire = Wire({"/users": listing(records(count))})
        tenant = atlan(wire)
        found = tenant.users(tenant.first_users(), spread)
        return [user.id for user in found], wire.calls

    everybody = [f"u-{n}" for n in range(count)]
    with ThreadPoolExecutor(4) as pool:
        assert read(map) == read(ahead) == read(pool.map) == (everybody, calls)


@given(
    sizes=st.lists(st.sampled_from([1, 30, 60, 60, 99, 100, 100, 120]), min_size=1, max_size=6),
    overlap=st.sampled_from([0, 0, 1, 40]),
    wrong=st.sampled_from([-100, -1, 0, 0, 0, 1, 100]),
)
def test_a_list_that_is_read_ahead_is_the_one_that_is_read_page_by_page(
    sizes: list[int], overlap: int, wrong: int
) -> None:
    """Pages of any length, that overlap, under a count that is wrong: the same is found, or refused."""

    def page(params: dict[str, str]) -> Any:
        start = int(params["offset"])
        at = start // 50
        since = max(0, start - overlap * (at % 2))
        return counted(len(ALL) + wrong, ALL[since:][: sizes[at % len(sizes)]])

    def read(spread: Spread | None) -> object:
        tenant = atlan(Wire({"/users": page}))
        try:
            found = tenant.users(tenant.first_users(), spread) if spread else tenant.users()
        except Protocol:
            return "refused"
        return [user.id for user in found]

    assert read(ahead) == read(map) == read(None)


def test_several_pages_are_under_way_at_once() -> None:
    meeting = threading.Barrier(3, timeout=10)

    def page(params: dict[str, str]) -> Any:
        if params["offset"] != "0":
            meeting.wait()
        return listing(records(400))(params)

    tenant = atlan(Wire({"/users": page}))
    with ThreadPoolExecutor(3) as pool:
        assert len(tenant.users(tenant.first_users(), pool.map)) == 400


def test_what_is_read_ahead_of_pages_that_begin_elsewhere_is_called_off() -> None:
    """A thousand calls that nobody needs would be four minutes."""
    many = records(20_000)

    def page(params: dict[str, str]) -> Any:
        sleep(0.001)
        return listing(many, cap=100 if params["offset"] == "0" else 60)(params)

    wire = Wire({"/users": page})
    tenant = atlan(wire)
    with ThreadPoolExecutor(4) as pool:
        assert len(tenant.users(tenant.first_users(), pool.map)) == len(many)
    assert 1 + 19_900 / 60 < wire.calls < 1 + 19_900 / 60 + 60


def test_a_count_that_is_far_too_high_costs_no_more_than_a_lot_of_pages() -> None:
    wire = Wire({"/users": lambda p: counted(10**30, ALL[int(p["offset"]) :][:100])})
    tenant = atlan(wire)
    with pytest.raises(Protocol):
        tenant.users(tenant.first_users(), ahead)
    assert wire.calls < 130


@pytest.mark.parametrize(
    ("page", "size"),
    [
        pytest.param(listing(ALL), 100, id="as-asked"),
        pytest.param(listing(ALL[:7]), 100, id="a-short-list-shows-nothing"),
        pytest.param(listing(ALL, cap=60), 60, id="capped"),
        pytest.param(lambda p: counted(250, ALL[int(p["offset"]) :]), 10**9, id="limit-ignored"),
        pytest.param(lambda p: {"records": ALL[int(p["offset"]) :][:60]}, 100, id="not-counted"),
    ],
)
def test_how_long_pages_are_is_learnt_from_a_long_list(
    page: Callable[[dict[str, str]], Any], size: int
) -> None:
    tenant = atlan(Wire({"/users": page}))
    tenant.users()
    assert min(tenant.page_size, 10**9) == size


@pytest.mark.parametrize(
    ("page", "calls"),
    [
        pytest.param(listing(ALL), 3, id="counted"),
        pytest.param(listing(ALL, cap=60), 5, id="capped"),
        pytest.param(lambda p: {"records": ALL[int(p["offset"]) :][:100]}, 4, id="not-counted"),
        pytest.param(lambda p: counted(0, ALL[int(p["offset"]) :][:100]), 4, id="miscounted"),
        pytest.param(lambda p: counted(250, ALL[int(p["offset"]) :]), 1, id="limit-ignored"),
    ],
)
def test_as_many_calls_as_were_said_list_as_many_records(
    page: Callable[[dict[str, str]], Any], calls: int
) -> None:
    wire = Wire({"/users": page})
    tenant = atlan(wire)
    tenant.users()
    before = wire.calls
    assert len(tenant.users()) == 250
    assert (wire.calls - before, tenant.pages(250), tenant.pages(0)) == (calls, calls, 1)


@pytest.mark.parametrize(
    ("names", "witness"),
    [
        pytest.param([("ana@a.example", "ana"), ("bob@a.example", "bob")], "ana", id="the-first"),
        pytest.param([("ana@a.example", "ana"), ("Bob@a.example", "bob")], "bob", id="a-capital"),
        pytest.param([("", "ana"), ("bob@a.example", ""), ("c@a.example", "c")], "c", id="in-full"),
        pytest.param([("", "ana"), (None, "bob")], None, id="nobody"),
    ],
)
def test_the_witness_of_look_ups_is_the_hardest_to_find(
    names: list[tuple[str | None, str]], witness: str | None
) -> None:
    records = [{"id": str(n), "email": e, "username": u} for n, (e, u) in enumerate(names)]
    found = atlan(Wire({"/users": lambda _: counted(len(records), records)})).first_users().witness
    assert (found.username if found else None) == witness


@pytest.mark.parametrize(
    ("records", "words"),
    [
        pytest.param([None], "without an id in its list /users", id="null"),
        pytest.param(["ana"], "without an id in its list /users", id="text"),
        pytest.param([{"id": 7}], "without an id in its list /users", id="number"),
        pytest.param({"0": {"id": "7"}}, "about /users is no list", id="object"),
    ],
)
def test_what_is_no_record_is_told_with_its_list(records: Any, words: str) -> None:
    tenant = atlan(Wire({"/users": lambda _: counted(1, records)}))
    with pytest.raises(Protocol, match=words):
        tenant.users()


# ---- wire -> model -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "user"),
    [
        pytest.param(
            {
                "id": "1",
                "username": "ana",
                "email": " Ana@Acme.Example ",
                "workspaceRole": "$admin",
                "enabled": True,
                "emailVerified": True,
                "lastLoginTime": 1708967980214,
            },
            User(Email("ana@acme.example"), Role.ADMIN, id=UserId("1"), username="ana"),
            id="in-full",
        ),
        pytest.param({"id": "1"}, User(Email(""), None, id=UserId("1")), id="nothing-but-an-id"),
        pytest.param(
            {"id": "1", "email": 7}, User(Email(""), None, id=UserId("1")), id="no-address"
        ),
        pytest.param(
            {"id": "1", "email": None, "username": None, "roles": None, "enabled": None},
            User(Email(""), None, id=UserId("1")),
            id="nulls",
        ),
        pytest.param(
            {"id": "1", "email": "a@b", "emailVerified": False, "roles": ["default", "$guest"]},
            User(Email("a@b"), Role.GUEST, pending=True, id=UserId("1")),
            id="pending",
        ),
        pytest.param(
            {"id": "1", "emailVerified": False},
            User(Email(""), id=UserId("1")),
            id="nobody-was-invited",
        ),
        pytest.param(
            {"id": "1", "email": "a@b", "emailVerified": False, "lastLoginTime": 5},
            User(Email("a@b"), id=UserId("1")),
            id="unverified-but-was-here",
        ),
        pytest.param(
            {"id": "1", "enabled": False}, User(Email(""), enabled=False, id=UserId("1")), id="off"
        ),
        pytest.param(
            {"id": "1", "isScimUser": True}, User(Email(""), id=UserId("1"), scim=True), id="scim"
        ),
        pytest.param(
            {"id": "1", "enabled": "false"},
            User(Email(""), enabled=False, id=UserId("1")),
            id="text",
        ),
    ],
)
def test_an_account_is_read_tolerantly(record: dict[str, Any], user: User) -> None:
    assert list(atlan(Wire({"/users": listing([record])})).users()) == [user]


@pytest.mark.parametrize(
    ("record", "role"),
    [
        ({"workspaceRole": "$member", "roles": ["$admin"]}, Role.MEMBER),
        (
            {"workspaceRole": "", "assignedRole": {"name": "$guest"}, "roles": ["$admin"]},
            Role.GUEST,
        ),
        ({"assignedRole": {"name": "wf-admin"}, "roles": ["x", "$member"]}, Role.MEMBER),
        ({"assignedRole": "odd", "roles": ["$guest", "$admin"]}, Role.ADMIN),
        ({"roles": ["$Admin", "admin"], "defaultRoles": ["$guest"]}, None),
        ({"workspaceRole": "$owner"}, None),
    ],
)
def test_the_role_comes_from_the_first_place_that_has_one(
    record: dict[str, Any], role: Role | None
) -> None:
    assert atlan(Wire({"/users": listing([{"id": "1"} | record])})).users()[0].role is role


@pytest.mark.parametrize(
    ("record", "group"),
    [
        pytest.param(
            {
                "id": "g",
                "name": "base",
                "path": "/base",
                "alias": "top-level",
                "userCount": 1,
                "attributes": {
                    "alias": ["Base"],
                    "description": ["For all"],
                    "isDefault": ["true"],
                    "channels": ["C1", "C2"],
                    "createdAt": ["1645488670544"],
                },
            },
            Group(
                GroupName("base"),
                "Base",
                "For all",
                default=True,
                id=GroupId("g"),
                path="/base",
                channels=("C1", "C2"),
                size=1,
            ),
            id="in-full",
        ),
        pytest.param(
            {"id": "g", "name": "base", "alias": "Base", "userCount": "12"},
            Group(GroupName("base"), "Base", id=GroupId("g"), path="/base", size=12),
            id="without-attributes",
        ),
        pytest.param(
            {"id": "g", "name": "base", "attributes": {"alias": [], "isDefault": ["false"]}},
            Group(GroupName("base"), "base", id=GroupId("g"), path="/base"),
            id="without-alias",
        ),
        pytest.param(
            {"id": "g", "name": "b", "userCount": None, "attributes": {"description": "text"}},
            Group(GroupName("b"), "b", "text", id=GroupId("g"), path="/b"),
            id="text-for-a-list",
        ),
    ],
)
def test_a_group_is_read_tolerantly(record: dict[str, Any], group: Group) -> None:
    assert list(atlan(Wire({"/v2/groups": listing([record])})).groups()) == [group]


def test_groups_come_from_the_older_address_where_the_newer_is_not_there() -> None:
    wire = Wire({"/groups": listing([{"id": "g", "name": "base"}])})
    tenant = atlan(wire)
    assert len(tenant.groups()) == len(tenant.groups()) == 1
    assert [path for path, _ in wire.asked] == ["/v2/groups", "/groups", "/groups"]
    with pytest.raises(Refused):
        atlan(Wire()).groups()


def test_members_and_groups_of_a_person_are_asked_by_id() -> None:
    wire = Wire(
        {
            "/groups/g%2F1/members": listing([{"id": "u", "email": "ana@acme.example"}]),
            "/users/u%3F1/groups": listing([{"id": "g", "name": "base"}]),
        }
    )
    tenant = atlan(wire)
    assert [user.email for user in tenant.members(GroupId("g/1"))] == ["ana@acme.example"]
    assert [group.name for group in tenant.groups_of(UserId("u?1"))] == ["base"]


def test_a_member_is_the_account_that_was_listed() -> None:
    """A million members may be a thousand people: each is kept once, and with the address that a member may lack."""
    wire = Wire(
        {
            "/users": listing([{"id": "u-1", "email": "ana@acme.example"}, {"id": "u-2"}]),
            "/groups/g/members": listing(
                [{"id": "u-1"}, {"id": "u-2", "email": "bob@acme.example"}]
            ),
        }
    )
    tenant = atlan(wire)
    ana, _ = tenant.users()
    first, second = tenant.members(GroupId("g"))
    assert first is ana
    assert second.email == "bob@acme.example"


def test_whoever_looks_again_sees_members_as_they_are_by_then() -> None:
    """One client may serve several jobs, and what the first of them was shown is old once it has sent something."""

    def named(address: str) -> None:
        account = {"id": "u-1", "username": "ana", "email": address}
        wire.pages |= {"/users": listing([account]), "/groups/g-1/members": listing([account])}

    wire = Wire({})
    tenant = atlan(wire)
    seen = []
    for address in ("ana@acme.example", "ana.lee@acme.example"):
        named(address)
        tenant.first_users()
        seen += [user.email for user in tenant.members(GroupId("g-1"))]
        tenant.change_role(UserId("u-1"), Role.MEMBER, request_id="x")
    assert seen == ["ana@acme.example", "ana.lee@acme.example"]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param({"records": [{"id": "u-1", "email": "eve@acme.example"}]}, id="uncounted"),
        pytest.param({"records": [{"id": "u-1"}], "totalRecord": "1"}, id="counted-in-words"),
        pytest.param({"records": [{"id": "u-1", "roles": []}], "more": 2}, id="says-more"),
        pytest.param({"records": [{"id": "u-2"}, {"id": "u-1"}]}, id="somebody-unknown"),
        pytest.param({"records": [{"id": "u-1"}, {"id": "u-1"}], "totalRecord": 2}, id="repeated"),
        pytest.param({"records": None, "totalRecord": 0}, id="none"),
        pytest.param({"records": [{"id": "u-1"}, {"email": "x"}]}, id="without-an-id"),
        pytest.param({"records": [{"id": ""}]}, id="an-empty-id"),
        pytest.param({"records": [{"id": 1}]}, id="a-number-for-an-id"),
        pytest.param({"records": ["u-1"]}, id="no-records"),
        pytest.param({"records": {"id": "u-1"}}, id="no-list"),
        pytest.param(["u-1"], id="no-object"),
    ],
)
def test_of_members_who_are_known_the_same_is_read_as_of_strangers(page: Any) -> None:
    """Of the known only the ids are looked at: what is odd about a page must not go unnoticed for that."""

    def read(*known: dict[str, str]) -> object:
        def members(params: dict[str, str]) -> Any:
            return page if params["offset"] == "0" else {"records": [], "totalRecord": None}

        tenant = atlan(Wire({"/users": listing(known), "/groups/g/members": members}))
        tenant.users()
        try:
            return [user.id for user in tenant.members(GroupId("g"))]
        except Protocol as error:
            return str(error)

    assert read({"id": "u-1", "email": "ana@acme.example"}) == read()


# ---- looking up addresses ----------------------------------------------------------------------------------


def directory(
    stored: list[str], asked: list[list[str]], cap: int = 100
) -> Callable[[dict[str, str]], Any]:
    """A directory that finds more than was asked for."""

    def page(params: dict[str, str]) -> Any:
        (wanted,) = json.loads(params["filter"]).values()
        asked.append(wanted["$in"])
        people = [{"id": f"u-{e}", "email": e, "username": e.upper()} for e in stored]
        return listing(people, cap)(params)

    return page


def longest_line(wire: Wire) -> int:
    return max(len(f"GET {API}{path}?{urlencode(params)} HTTP/1.1") for path, params in wire.asked)


def test_addresses_are_looked_up_forty_at_a_time_and_compared_again() -> None:
    asked: list[list[str]] = []
    wanted = [email(f"p{n:02}") for n in range(81)]
    wire = Wire({"/users": directory([wanted[0], "other@acme.example"], asked)})
    tenant = atlan(wire)
    assert [user.email for user in tenant.users_by_email(wanted)] == [wanted[0]]
    assert [len(chunk) for chunk in asked] == [40, 40, 1]
    assert [address for chunk in asked for address in chunk] == wanted
    assert (tenant.lookups(wanted), longest_line(wire) < 4096) == (3, True)


LONG = [email(f"{'long' * 20}{n:03}") for n in range(80)]


@pytest.mark.parametrize(
    ("wanted", "lots"),
    [
        pytest.param(LONG, [33, 33, 14], id="long"),
        pytest.param([*LONG[:10], "x" * 3500], [10, 1], id="one-fills-a-line"),
        pytest.param(["\u00fc" * 64 + f"{n}@b" for n in range(20)], [6, 6, 6, 2], id="not-ascii"),
        pytest.param(['"' * 255 + f"{n}" for n in range(9)], [2, 2, 2, 2, 1], id="quoted-twice"),
    ],
)
def test_long_keys_are_looked_up_in_smaller_lots_as_announced(
    wanted: list[str], lots: list[int]
) -> None:
    asked: list[list[str]] = []
    wire = Wire({"/users": directory([], asked)})
    tenant = atlan(wire)
    tenant.users_by_email(wanted)
    assert sorted(key for lot in asked for key in lot) == sorted(wanted)
    assert [len(lot) for lot in asked] == lots
    assert tenant.lookups(wanted) == wire.calls == len(lots)
    assert longest_line(wire) < 4096


@pytest.mark.parametrize(
    "key", ["a.b-c_d@acme.example", "a+b@c", "\u00fc@b", 'o"brien@b', "back\\slash", "@@"]
)
def test_the_room_that_a_key_takes_is_known_exactly(key: str) -> None:
    wire = Wire({"/users": directory([], [])})
    lines = []
    for keys in ([key], [key, f"{key}2"]):
        atlan(wire).users_by_email(keys)
        lines.append(longest_line(wire))
    assert lines[1] - lines[0] == _size(f"{key}2")


def test_a_look_up_asks_for_no_more_than_a_capped_page_holds() -> None:
    wire = Wire({"/users": listing(ALL, cap=30)})
    tenant = atlan(wire)
    tenant.first_users()
    asked: list[list[str]] = []
    people = [email(f"p{n:02}") for n in range(61)]
    wire.pages["/users"] = lambda params: directory(json.loads(params["filter"])["email"]["$in"], asked, 30)(params)  # fmt: skip
    wire.calls = 0
    assert len(tenant.users_by_email(people)) == 61
    assert (wire.calls, tenant.lookups(people)) == (3, 3)


def test_user_names_are_looked_up_whatever_their_case() -> None:
    asked: list[list[str]] = []
    wire = Wire({"/users": directory(["ana", "joana", "stra\u00dfe"], asked)})
    found = atlan(wire).users_by_name(["ana", "strasse"])
    assert [user.username for user in found] == ["ANA", "STRASSE"]
    assert asked == [["ana", "strasse"]]


def test_nobody_is_looked_up_without_a_call() -> None:
    wire = Wire()
    assert (list(atlan(wire).users_by_email([])), wire.calls) == ([], 0)


# ---- changing ----------------------------------------------------------------------------------------------

SAID = Receipt(200, "ours")


def changed(wire: Wire, change: Callable[[Atlan], Receipt]) -> tuple[Receipt, list[Any]]:
    """What a change gives, and what it sends."""
    tenant = atlan(wire)
    tenant.identity()
    before = tenant.calls
    receipt = change(tenant)
    assert all(request_id == "ours" for _, _, request_id in wire.posted)
    assert tenant.calls - before == len(wire.posted)
    return receipt, [(path, body) for path, body, _ in wire.posted]


def test_an_invitation_names_the_role_twice() -> None:
    people = [(email("ana"), Role.MEMBER), (email("bob"), Role.ADMIN)]
    receipt, sent = changed(Wire(), lambda tenant: tenant.invite(people, request_id="ours"))
    assert receipt == SAID
    assert sent == [
        (
            "/users",
            {
                "users": [
                    {"email": "ana@acme.example", "roleName": "$member", "roleId": "r-member"},
                    {"email": "bob@acme.example", "roleName": "$admin", "roleId": "r-admin"},
                ]
            },
        )
    ]


NEW = Group(GroupName("hr"), "Human Resources", "People", default=True)


def test_a_group_is_created_with_its_members() -> None:
    statuses = {
        "u-1": {"status": 200, "statusMessage": "success"},
        "u-2": {"status": 404, "statusMessage": "User not found"},
        "u-3": {"status": "200"},
        "u-4": {"status": 0, "statusMessage": "success"},
        "u-5": {"status": 500},
        "u-6": "odd",
    }
    wire = Wire(yields=[{"group": "g-hr", "users": statuses}])
    members = {UserId("u-2"), UserId("u-1")}
    receipt, sent = changed(wire, lambda t: t.create_group(NEW, members, request_id="ours"))
    refused = {UserId("u-2"): "User not found", UserId("u-5"): "500"}
    assert receipt == Receipt(200, "ours", 1, GroupId("g-hr"), refused)
    attributes = {
        "alias": ["Human Resources"],
        "isDefault": ["true"],
        "description": ["People"],
    }
    body = {"group": {"name": "hr", "attributes": attributes}, "users": ["u-1", "u-2"]}
    assert sent == [("/groups", body)]


def test_a_group_without_members_sends_no_empty_list() -> None:
    wire = Wire(yields=[{"group": "g-hr", "users": None}])
    plain = Group(GroupName("hr"), "HR")
    receipt, sent = changed(wire, lambda t: t.create_group(plain, [], request_id="ours"))
    assert receipt == Receipt(200, "ours", 1, GroupId("g-hr"))
    group = {"name": "hr", "attributes": {"alias": ["HR"], "isDefault": ["false"]}}
    assert sent == [("/groups", {"group": group})]


@pytest.mark.parametrize("body", [None, {}, {"group": ""}, {"group": {"id": "g"}}, [], "g-hr"])
def test_a_yes_to_a_group_without_its_id_is_doubt(body: object) -> None:
    with pytest.raises(Doubt) as caught:
        atlan(Wire(yields=[body])).create_group(NEW, [], request_id="ours")
    assert (caught.value.status, caught.value.request_id) == (200, "ours")


@pytest.mark.parametrize(
    ("group", "attributes"),
    [
        pytest.param(
            Group(
                GroupName("hr"),
                "HR",
                "People",
                id=GroupId("g/1"),
                path="/hr",
                channels=("C1",),
                size=3,
            ),
            {
                "alias": ["HR"],
                "isDefault": ["false"],
                "description": ["People"],
                "channels": ["C1"],
            },
            id="all",
        ),
        pytest.param(
            Group(GroupName("hr"), "HR", default=True, id=GroupId("g/1"), path="/hr"),
            {"alias": ["HR"], "isDefault": ["true"], "description": [""], "channels": []},
            id="cleared",
        ),
    ],
)
def test_an_update_sends_all_that_can_be_edited(group: Group, attributes: dict[str, Any]) -> None:
    receipt, sent = changed(Wire(), lambda t: t.update_group(group, request_id="ours"))
    assert receipt == SAID
    assert sent == [("/groups/g%2F1", {"id": "g/1", "path": "/hr", "attributes": attributes})]


def test_channels_go_back_as_they_came() -> None:
    odd = ["C1", {"id": "C2", "topics": ["a"]}, '{"id": "C3"}', 4, None]
    record = {"id": "g", "name": "hr", "attributes": {"channels": odd}}
    wire = Wire({"/v2/groups": listing([record])})
    tenant = atlan(wire)
    tenant.update_group(tenant.groups()[0], request_id="ours")
    assert wire.posted[0][1]["attributes"]["channels"] == odd


def test_memberships_are_sent_many_at_once() -> None:
    wire = Wire()
    tenant = atlan(wire)
    groups, users = [GroupId("g-2"), GroupId("g-1")], [UserId("u-2"), UserId("u-1")]
    assert tenant.add_to_groups(UserId("u"), groups, request_id="a") == Receipt(200, "a")
    assert tenant.remove_members(GroupId("g"), users, request_id="b") == Receipt(200, "b")
    assert wire.posted == [
        ("/users/u/groups", {"groups": ["g-1", "g-2"]}, "a"),
        ("/groups/g/members/remove", {"users": ["u-1", "u-2"]}, "b"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda tenant: tenant.invite([], request_id="ours"),
        lambda tenant: tenant.add_to_groups(UserId("u"), [], request_id="ours"),
        lambda tenant: tenant.remove_members(GroupId("g"), [], request_id="ours"),
    ],
    ids=["invite", "add", "remove"],
)
def test_an_empty_list_is_never_sent(change: Callable[[Atlan], Receipt]) -> None:
    wire = Wire()
    with pytest.raises(AssertionError):
        change(atlan(wire))
    assert wire.posted == []


def gone() -> Refused:
    return Refused("gone", status=404)


def test_a_role_is_changed_where_the_sdks_do_it() -> None:
    receipt, sent = changed(
        Wire(), lambda t: t.change_role(UserId("u/1"), Role.GUEST, request_id="ours")
    )
    assert receipt == SAID
    assert sent == [("/users/u%2F1/roles/update", {"roleId": "r-guest"})]


def test_where_that_is_not_there_the_documented_address_is_used_from_then_on() -> None:
    wire = Wire(yields=[gone(), None, None])
    tenant = atlan(wire)
    for _ in range(2):
        tenant.change_role(UserId("u"), Role.GUEST, request_id="ours")
    paths = ["/users/u/roles/update", "/users/u/update", "/users/u/update"]
    assert [path for path, _, _ in wire.posted] == paths


def test_once_an_address_has_answered_a_404_is_about_the_person() -> None:
    for first in ([None], [gone(), None]):
        wire = Wire(yields=[*first, gone(), None])
        tenant = atlan(wire)
        tenant.change_role(UserId("u"), Role.GUEST, request_id="ours")
        with pytest.raises(Refused):
            tenant.change_role(UserId("v"), Role.GUEST, request_id="ours")
        tenant.change_role(UserId("w"), Role.GUEST, request_id="ours")
        assert len(wire.posted) == len(first) + 2


def test_workers_wait_to_hear_which_address_it_is() -> None:
    class Slow(Wire):
        def post(self, path: str, body: Any, *, request_id: str) -> Answer:
            asking.wait(0.05)
            answer = super().post(path, body, request_id=request_id)
            if path.endswith("roles/update"):
                raise gone()
            return answer

    asking = threading.Event()
    wire = Slow()
    tenant = atlan(wire)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(12):
            pool.submit(tenant.change_role, UserId("u"), Role.GUEST, request_id="ours")
    paths = [path for path, _, _ in wire.posted]
    assert sorted(paths) == ["/users/u/roles/update", *["/users/u/update"] * 12]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("no Route matched", "404 Not Found: Could not find user", "404 Not Found: Could not"),
        ("404 Not Found: Could not find user", "no Route matched", "404 Not Found: Could not"),
        ("Could not find user", "no Route matched", "Could not find user"),
    ],
)
def test_of_two_404s_the_one_about_the_person_is_told(first: str, second: str, said: str) -> None:
    wire = Wire(yields=[Refused(words, words=words, status=404) for words in (first, second)])
    with pytest.raises(Refused) as caught:
        atlan(wire).change_role(UserId("u"), Role.GUEST, request_id="ours")
    assert caught.value.words.startswith(said)


def test_a_person_who_is_gone_does_not_change_the_address() -> None:
    wire = Wire(yields=[Refused("nobody", status=404), gone(), None])
    tenant = atlan(wire)
    with pytest.raises(Refused, match="nobody"):
        tenant.change_role(UserId("u"), Role.GUEST, request_id="ours")
    tenant.change_role(UserId("v"), Role.GUEST, request_id="ours")
    assert wire.posted[-1][0] == "/users/v/roles/update"


@pytest.mark.parametrize("error", [Doubt("lost"), Refused("no", status=400)])
def test_only_a_404_leads_to_the_other_address(error: TenantError) -> None:
    wire = Wire(yields=[error])
    with pytest.raises(type(error)):
        atlan(wire).change_role(UserId("u"), Role.GUEST, request_id="ours")
    assert len(wire.posted) == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("Inviting users is not allowed when SSO is enforced", Refused),
        ("No seats are left", Refused),
        ("You shall not pass", TokenRefused),
        ("", TokenRefused),
    ],
)
def test_a_403_about_inviting_is_not_about_the_token(words: str, error: type[TenantError]) -> None:
    no = TokenRefused("The tenant does not accept this", words=words, status=403, attempts=2)
    with pytest.raises(error) as caught:
        atlan(Wire(yields=[no])).invite([(email("ana"), Role.GUEST)], request_id="ours")
    assert (type(caught.value), caught.value.attempts) == (error, 2)
    assert caught.value.words == words  # type: ignore[attr-defined]
