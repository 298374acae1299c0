"""The doctor: one line for each thing looked at, and what to do where it is not well."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import MappingProxyType

import pytest
from builders import group, user
from fakes import Clock, FakeTenant
from listener import CERTIFICATE, CUT, Request, http, server, tls_server

from onboarding.atlan import Atlan
from onboarding.auth import ApiKey
from onboarding.doctor import WIDTH, Check, examine, where_it_ends
from onboarding.errors import (
    NotSent,
    OnboardingError,
    Protocol,
    TenantError,
    Throttled,
    TokenRefused,
)
from onboarding.model import Email, User, UserId
from onboarding.pacing import Budget
from onboarding.tenant import Page
from onboarding.transport import Transport

URL = "https://acme.atlan.com"
ALL_WELL = [
    Check("connection", ok=True, seen=f"{URL} (certificate trusted)"),
    Check(
        "token", ok=True, seen="accepted, as service-account-apikey-1; may manage people and groups ($admin)"
    ),
    Check("roles", ok=True, seen="Guest, Member, Admin"),
    Check("round trip", ok=True, seen="250 ms for one call, 250 ms for a page"),
    Check("paging", ok=True, seen="3 people and 2 groups, on one page"),
    Check("look-ups", ok=True, seen="by address and by user name"),
    Check("single sign-on", ok=True, seen="okta fills finance"),
]  # fmt: skip


UNSEEN = "; whether it may manage people and groups shows in a run only"


class Patient(FakeTenant):
    """A tenant in memory that also says what only a doctor asks, or fails at once."""

    error: Exception | None = None
    granted: frozenset[str] | None = frozenset(["$admin"])
    mapped: Mapping[str, frozenset[str]] | Exception | None = MappingProxyType(
        {"okta": frozenset(["finance"])}
    )

    def account(self) -> str:
        if self.error:
            raise self.error
        return super().identity().own_name

    def rights(self) -> frozenset[str] | None:
        return self.granted

    def mapped_groups(self) -> Mapping[str, frozenset[str]] | None:
        if isinstance(self.mapped, Exception):
            raise self.mapped
        return self.mapped


def patient(people: int = 2, **facts: object) -> Patient:
    groups = [group("finance"), group("ops")]
    made = Patient([user(f"p{n:03}") for n in range(people)], groups)
    for name, fact in facts.items():
        setattr(made, name, fact)
    return made


def examined(found: Patient, *sso_groups: str) -> list[Check]:
    ticks = count(step=0.25)
    way = "ends at {}".format
    return list(examine(URL, found, sso_groups=sso_groups, clock=lambda: next(ticks), way=way))


def named(checks: list[Check], name: str) -> Check:
    (found,) = [check for check in checks if check.name == name]
    return found


def test_a_tenant_that_is_well_has_a_good_line_for_each_thing() -> None:
    assert examined(patient(), "Finance") == ALL_WELL


@pytest.mark.parametrize(
    ("granted", "ok", "seen"),
    [
        pytest.param(None, True, UNSEEN, id="not-said"),
        pytest.param(frozenset(), True, UNSEEN, id="none"),
        pytest.param(frozenset(["$robot"]), True, f"{UNSEEN} ($robot)", id="unheard-of"),
        pytest.param(
            frozenset(["$api-token-default-access", "$guest"]),
            True,
            "; may manage people and groups ($api-token-default-access, $guest)",
            id="api-token",
        ),
        pytest.param(
            frozenset(["$member", "x"]),
            False,
            "; its rights don't do for people and groups ($member, x)",
            id="member",
        ),
    ],
)
def test_what_the_token_may_do_is_said(
    granted: frozenset[str] | None, seen: str, *, ok: bool
) -> None:
    found = named(examined(patient(granted=granted)), "token")
    assert (found.ok, found.seen) == (ok, f"accepted, as service-account-apikey-1{seen}")
    assert (found.exit_code, bool(found.to_do)) == (0 if ok else 4, not ok)


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        pytest.param(
            Page([user("p000")], 1234), "1,234 people and 2 groups, pages of 100", id="pages"
        ),
        pytest.param(
            Page([user("p000")], None),
            "2 groups; the tenant does not count its people, so all are listed",
            id="not-counted",
        ),
    ],
)
def test_how_the_tenant_pages_is_said(page: Page, seen: str) -> None:
    found = named(examined(patient(first_users=lambda: page)), "paging")
    assert (found.ok, found.seen) == (True, seen)


@pytest.mark.parametrize(
    ("facts", "seen"),
    [
        pytest.param(
            {"users_by_name": lambda names: []},
            "do not find who is there; all people are listed instead, in more calls",
            id="blind",
        ),
        pytest.param(
            {"first_users": lambda: Page([User(Email(""), id=UserId("x"))], 1)},
            "not tried: nobody on the first page has an address",
            id="nobody",
        ),
    ],
)
def test_whether_look_ups_find_anybody_is_said(facts: dict[str, object], seen: str) -> None:
    assert named(examined(patient(**facts)), "look-ups").seen == seen


@pytest.mark.parametrize(
    ("mapped", "settings", "seen", "to_do"),
    [
        pytest.param(
            {"okta": frozenset(["ops", "finance"]), "google": frozenset(["x"])},
            ["Finance"],
            "google, okta fills finance, ops, x",
            'Set sso_groups to hold "ops", "x": nobody loses them by absence then.',
            id="some-are-not-in-the-settings",
        ),
        pytest.param({"okta": frozenset()}, [], "okta fills no groups", "", id="none"),
        pytest.param(
            None,
            [],
            "the tenant shows no groups that it fills (404)",
            "If an identity provider fills groups, name them in sso_groups.",
            id="404",
        ),
        pytest.param(
            None, ["ops"], "the tenant shows no groups that it fills (404)", "", id="404-and-set"
        ),
        pytest.param(
            TokenRefused("forbidden"),
            ["ops"],
            "the tenant does not show it (forbidden)",
            "If an identity provider fills groups, name them in sso_groups.",
            id="403",
        ),
    ],
)
def test_what_single_sign_on_fills_is_compared_with_the_settings(
    mapped: Mapping[str, frozenset[str]] | Exception | None,
    settings: list[str],
    seen: str,
    to_do: str,
) -> None:
    found = named(examined(patient(mapped=mapped), *settings), "single sign-on")
    assert found == Check("single sign-on", ok=True, seen=seen, to_do=to_do)


def test_a_protected_group_that_the_tenant_lacks_is_probably_misspelt() -> None:
    assert named(examined(patient(), "Finanse", "finance", "Opss"), "sso_groups") == Check(
        "sso_groups",
        ok=True,
        seen="the tenant has no group Finanse, Opss",
        to_do="Correct the name in sso_groups; in a group of another name people are not protected.",
    )


def test_accounts_that_scim_keeps_are_mentioned() -> None:
    found = patient()
    found.put(replace(user("scim"), scim=True))
    assert named(examined(found), "single sign-on").seen.endswith("; SCIM keeps accounts here")


@pytest.mark.parametrize(
    ("error", "name", "seen", "code"),
    [
        pytest.param(NotSent("no way"), "connection", f"ends at {URL}", 4, id="not-sent"),
        pytest.param(Protocol("HTML"), "connection", "HTML", 4, id="no-api"),
        pytest.param(TenantError("?"), "connection", "?", 4, id="other"),
        pytest.param(Throttled("wait"), "connection", "wait", 75, id="throttled"),
    ],
)
def test_what_fails_is_the_last_line_and_says_what_to_do(
    error: Exception, name: str, seen: str, code: int
) -> None:
    (found,) = examined(patient(error=error))
    assert (found.name, found.ok, found.seen, found.exit_code) == (name, False, seen, code)
    assert found.to_do


@pytest.mark.parametrize(
    ("asked", "error", "names", "to_do"),
    [
        pytest.param("account", TokenRefused("no"), ["connection", "token"], "Make a new", id="key"),
        pytest.param(
            "rights", Protocol("odd"), ["connection", "token"], "Try again", id="rights-odd"
        ),
        pytest.param(
            "identity", TokenRefused("no"), ["connection", "token", "roles"], "Give the", id="roles"
        ),
        pytest.param(
            "identity", Protocol("odd"), ["connection", "token", "roles"], "Try", id="no-role"
        ),
        pytest.param(
            "groups", TokenRefused("no"), ["connection", "token", "roles", "paging"], "Give the",
            id="groups",
        ),
    ],
)  # fmt: skip
def test_what_was_well_before_something_failed_is_said(
    asked: str, error: OnboardingError, names: list[str], to_do: str
) -> None:
    def fails() -> None:
        raise error

    *well, last = examined(patient(**{asked: fails}))
    assert [check.name for check in (*well, last)] == names
    assert (all(check.ok for check in well), last.ok, last.seen) == (True, False, str(error))
    assert (last.exit_code, last.to_do.startswith(to_do)) == (4, True)


def test_one_is_one() -> None:
    alone = Patient([], [group("finance")])
    assert named(examined(alone), "paging").seen == "1 person and 1 group, on one page"


def test_what_a_tenant_says_does_not_speak_to_the_terminal() -> None:
    line = str(named(examined(patient(account=lambda: "bob\x1b[31m evil\u202e")), "token"))
    assert "accepted, as bob [31m evil ; may" in " ".join(line.split())
    assert all(part.isprintable() for part in line.split("\n"))


def test_a_line_shows_what_to_do_below() -> None:
    assert str(Check("token", ok=True, seen="accepted")) == "ok  token             accepted"
    assert str(Check("token", ok=False, seen="refused", to_do="Get one.")) == (
        "no  token             refused\n                      Get one."
    )


def test_lines_fit_a_terminal_and_keep_a_path_whole() -> None:
    path = "/" + "x" * 70
    long = Check("token", ok=False, seen="a word " * 40 + path, to_do="do this " * 20)
    lines = str(long).splitlines()
    assert [line for line in lines if len(line) > WIDTH] == [" " * 22 + path]
    assert all(line.startswith(" " * 22) for line in lines[1:])


# ---- over the wire -----------------------------------------------------------------------------------------


def sick(url: str) -> list[Check]:
    """What a doctor says of a real address, without waiting."""
    clock = Clock()
    budget = Budget(math.inf, clock=clock, sleep=clock.sleep)
    transport = Transport(url, ApiKey("key"), budget=budget, sleep=clock.sleep)
    return list(examine(url, Atlan(transport, tenant="acme.example")))


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_dead_port_is_named(closed_port: int) -> None:
    (found,) = sick(f"http://127.0.0.1:{closed_port}")
    assert found.seen == f"port {closed_port} of 127.0.0.1 can't be reached: Connection refused"
    assert (found.ok, found.exit_code) == (False, 4)


def test_a_wrong_key_is_about_the_token() -> None:
    unauthorised = {"servlet": "heracles", "message": "Unauthorized", "url": "/", "status": "401"}
    with server(http(401, unauthorised)) as tenant:
        connected, found = sick(tenant.url)
    assert (connected.name, connected.ok) == ("connection", True)
    assert (found.name, found.ok, found.exit_code) == ("token", False, 4)
    assert found.seen.endswith("401: Unauthorized")


def test_a_certificate_that_nobody_vouches_for_is_named() -> None:
    with tls_server() as tenant:
        (found,) = sick(tenant.url)
    assert found.seen == "the certificate of 127.0.0.1 is not trusted: self-signed certificate"
    assert "REQUESTS_CA_BUNDLE" in found.to_do


def test_a_host_that_speaks_html_is_no_tenant() -> None:
    with server(answer=lambda _: http(200, "<html>Welcome</html>")) as host:
        (found,) = sick(host.url)
    assert found.seen.endswith("Is this the address of an Atlan tenant?")
    assert (found.name, found.exit_code) == ("connection", 4)


def test_a_host_that_hangs_up_is_said_to() -> None:
    with server(*[CUT] * 5) as host:
        (found,) = sick(host.url)
    assert (found.name, found.ok) == ("connection", False)


def mappers(*groups: str) -> list[object]:
    """As the SDK's own fixtures have them, with one that is about something else."""
    fills = [
        {"name": f"{name}--1", "identityProviderMapper": "saml-group-idp-mapper",
         "config": {"attribute.name": "memberOf", "attribute.value": name.upper(), "group": name}}
        for name in groups
    ]  # fmt: skip
    return [
        *fills,
        {"name": "email", "config": {"user.attribute": "email"}},
        "odd",
        {"config": None},
    ]


def test_rights_and_mappers_are_read_from_the_wire() -> None:
    def answer(request: Request) -> bytes:
        path = request.line.split()[1].removeprefix("/api/service")
        answers: dict[str, object] = {
            "/whoami": {"roles": [{"name": "$admin"}, {"name": "x"}, "odd"]},
            "/idp/okta/mappers": mappers("finance", "ops"),
            "/idp/azure/mappers": [],
        }
        return http(200, answers[path]) if path in answers else http(404, {"message": "no Route"})

    with server(answer=answer) as tenant:
        found = Atlan(Transport(tenant.url, ApiKey("key")), tenant="acme.example")
        assert found.rights() == {"$admin", "x"}
        assert found.mapped_groups() == {"okta": {"finance", "ops"}, "azure": frozenset()}
    with server(answer=lambda _: http(404)) as tenant:
        found = Atlan(Transport(tenant.url, ApiKey("key")), tenant="acme.example")
        assert (found.rights(), found.mapped_groups()) == (None, None)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port of this machine at which something listens that speaks no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_the_way_is_gone_step_by_step(silent_port: int, closed_port: int) -> None:
    assert where_it_ends(f"http://127.0.0.1:{silent_port}") == ""
    assert where_it_ends("https://nowhere.invalid") == "the name nowhere.invalid is not known here"
    assert where_it_ends(f"http://127.0.0.1:{closed_port}") == (
        f"port {closed_port} of 127.0.0.1 can't be reached: Connection refused"
    )
    with server(hello=(b"220 mail.acme.example ESMTP\r\n", CUT)) as plain:
        said = where_it_ends(plain.url.replace("http://", "https://"))
    assert "does not speak TLS on port" in said


@pytest.mark.usefixtures("own_network")
def test_the_way_through_a_proxy_is_gone_to_the_proxy(
    silent_port: int, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:

    def said(proxy: str) -> str:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        return where_it_ends("https://acme.invalid")

    assert said(f"http://me:s3cret@127.0.0.1:{silent_port}") == ""  # what comes then, the call says
    assert said(f"http://me:s3cret@127.0.0.1:{closed_port}") == (
        f"port {closed_port} of the proxy 127.0.0.1 can't be reached: Connection refused"
    )
    assert said("http://proxy.invalid:3128") == (
        "the name proxy.invalid of the proxy is not known here"
    )
    assert said(f"http://{'a' * 70}.example:3128").endswith(
        ".example of the proxy is not known here"
    )
    assert where_it_ends("https://acme..invalid").startswith("the name a")


@pytest.mark.usefixtures("own_network")
def test_what_a_proxy_says_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(*[http(403, None)] * 9) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        (found,) = sick("https://acme.invalid")
    assert "through the proxy 127.0.0.1" in found.seen
    assert "Tunnel connection failed: 403" in found.seen


@pytest.mark.parametrize("is_there", [True, False])
def test_certificates_that_cannot_be_read_are_named(
    is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "ours.pem"
    if is_there:
        named.write_text("no certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(named))
    with tls_server() as tenant:
        (found,) = sick(tenant.url)
    assert found.seen.startswith(f"the certificates in {named} can't be read: ")
    assert found.to_do == "Correct the path in REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, or unset it."


@pytest.mark.usefixtures("own_network")
def test_the_way_by_hand_trusts_what_the_calls_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what only the system trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with tls_server() as tenant:
        (found,) = sick(tenant.url)
    assert found.seen == "the certificate of 127.0.0.1 is not trusted: self-signed certificate"
    assert "REQUESTS_CA_BUNDLE" in found.to_do
