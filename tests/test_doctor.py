"""The doctor: one line for each thing looked at, and what to do where it is not well."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import count

import pytest
from builders import user

from onboarding.doctor import Check, examine, where_it_ends
from onboarding.errors import NotSent, Protocol, TenantError, TokenRefused
from onboarding.model import Group, Role, UserId
from onboarding.tenant import Identity, Page

URL = "https://acme.atlan.com"


class Reader:
    """A tenant that answers what a doctor asks, or fails at once."""

    page_size = calls = 0

    def __init__(
        self, roles: tuple[Role, ...] = tuple(Role), error: Exception | None = None
    ) -> None:
        self._roles = roles
        self._error = error

    def identity(self) -> Identity:
        if self._error:
            raise self._error
        return Identity("acme", UserId("u-1"), "service-account", dict.fromkeys(self._roles, "id"))

    def first_users(self) -> Page:
        return Page((user("ana"),), 1234)

    def groups(self) -> list[Group]:
        return []

    def users(self) -> list[object]:
        return [user("ana")]


def examined(reader: Reader) -> list[Check]:
    ticks = count(step=0.25)
    return list(examine(URL, reader, clock=lambda: next(ticks), way=lambda url: f"ends at {url}"))


def test_a_tenant_that_is_well_has_five_good_lines() -> None:
    assert examined(Reader()) == [
        Check("connection", ok=True, seen=URL),
        Check("token", ok=True, seen="accepted, as service-account"),
        Check("roles", ok=True, seen="Guest, Member, Admin"),
        Check("round trip", ok=True, seen="250 ms for one call"),
        Check("size", ok=True, seen="1,234 people and 0 groups"),
    ]


def test_a_missing_role_is_named() -> None:
    found = examined(Reader(roles=(Role.GUEST,)))[2]
    assert (found.ok, found.exit_code) == (False, 4)
    assert found.seen == "the tenant does not show the role Member or Admin"


@pytest.mark.parametrize(
    ("error", "name", "seen"),
    [
        pytest.param(TokenRefused("no"), "token", "no", id="token"),
        pytest.param(NotSent("no way"), "connection", f"ends at {URL}", id="not-sent"),
        pytest.param(Protocol("HTML"), "connection", "HTML", id="no-api"),
        pytest.param(TenantError("?"), "connection", "?", id="other"),
    ],
)
def test_what_fails_is_the_last_line_and_says_what_to_do(
    error: Exception, name: str, seen: str
) -> None:
    (found,) = examined(Reader(error=error))
    assert (found.name, found.ok, found.seen, found.exit_code) == (name, False, seen, 4)
    assert found.to_do


def test_a_line_shows_what_to_do_below() -> None:
    assert str(Check("token", ok=True, seen="accepted")) == "ok  token             accepted"
    assert str(Check("token", ok=False, seen="refused", to_do="Get one.")) == (
        "no  token             refused\n                      Get one."
    )


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port of this machine at which something listens that speaks no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_way_is_gone_step_by_step(silent_port: int) -> None:
    assert where_it_ends(f"http://127.0.0.1:{silent_port}") == ""
    assert where_it_ends("https://nowhere.invalid") == "the name nowhere.invalid is not known here"
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    assert where_it_ends(f"http://127.0.0.1:{closed}") == (
        f"port {closed} of 127.0.0.1 can't be reached: Connection refused"
    )
