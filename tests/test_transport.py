"""Every way in which an exchange can end, over real sockets."""

from __future__ import annotations

import json
import logging
import math
import socket
import threading
import time
from bisect import bisect_left
from pathlib import Path

import pytest
from fakes import Clock
from listener import CERTIFICATE, CUT, RESET, Raw, http, server, tls_server

from onboarding import __version__, way, wire
from onboarding.auth import ApiKey, Auth, ClientCredentials
from onboarding.doctor import where_it_ends
from onboarding.errors import (
    Doubt,
    NotSent,
    OnboardingError,
    Protocol,
    Refused,
    TenantError,
    Throttled,
    TokenRefused,
    UsageError,
)
from onboarding.pacing import BURST, PER_MINUTE, Budget
from onboarding.transport import REFUSALS, Answer, Transport, words
from onboarding.wire import CAP, Limits

KEY = "canary-0123456789"
MAP = {"ana@acme.example": "409 Conflict: User exists with the same email"}
SHAPE_A = {
    "code": 3500,
    "error": "keycloak error",
    "info": None,
    "message": "409 Conflict: Top level group named 'x' already exists.",
    "requestId": "theirs-1",
}


def client(url: str, **settings: object) -> Transport:
    """A transport that never really waits."""
    quick: dict[str, object] = {
        "budget": patient(per_minute=math.inf)[0],
        "limits": Limits(connect=2, read=2, whole=5),
        "sleep": lambda seconds: None,
        "jitter": lambda: 1.0,
    }
    auth = settings.pop("auth", None) or ApiKey(KEY)
    return Transport(url, auth, **(quick | settings))  # type: ignore[arg-type]


def patient(**settings: object) -> tuple[Budget, Clock]:
    clock = Clock()
    return Budget(clock=clock, sleep=clock.sleep, **settings), clock  # type: ignore[arg-type]


def post(url: str, **settings: object) -> Answer:
    return client(url, **settings).post("/api/service/users", {"users": []}, request_id="ours-1")


# ---- what a changing call comes to -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(http(200, {}), Answer(200, {}, "ours-1", 1), id="200-object"),
        pytest.param(http(200), Answer(200, None, "ours-1", 1), id="200-empty"),
        pytest.param(http(200, "null"), Answer(200, None, "ours-1", 1), id="200-null"),
        pytest.param(http(201, {"a": 1}), Answer(201, {"a": 1}, "ours-1", 1), id="201"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", Answer(204, None, "ours-1", 1), id="204"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            Answer(200, {}, "ours-1", 1),
            id="chunked",
        ),
        pytest.param(
            (b"HTTP/1.0 200 OK\r\n\r\n{}", CUT), Answer(200, {}, "ours-1", 1), id="ends-by-itself"
        ),
        pytest.param(
            (b"HTTP/1.1 200 OK\r\nContent-Le", 0.01, b"ngth: 2\r\n\r\n{", 0.01, b"}"),
            Answer(200, {}, "ours-1", 1),
            id="in-pieces",
        ),
    ],
)
def test_a_clear_yes_is_an_answer(answer: object, expected: Answer) -> None:
    with server(answer) as tenant:
        assert post(tenant.url) == expected
        assert len(tenant.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(CUT, id="closed-without-a-word"),
        pytest.param(RESET, id="reset"),
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Le", CUT), id="cut-in-the-headers"),
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length:", CUT), id="cut-before-the-length"),
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length: ", CUT), id="cut-at-the-length"),
        pytest.param((b"HTTP/1.1 200 OK\r\n", CUT), id="cut-after-the-status"),
        pytest.param((b"HTTP/1.1 200", CUT), id="cut-in-the-status-line"),
        pytest.param((b"HTTP/1.1 20", CUT), id="cut-in-the-status"),
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", CUT), id="cut-before-the-body"),
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", CUT), id="body-too-short"),
        pytest.param((b"HTTP/1.1 200 OK\r\n\r\n", CUT), id="no-length-and-nothing"),
        pytest.param((b'HTTP/1.0 200 OK\r\n\r\n{"a"', CUT), id="no-length-and-half"),
        pytest.param((b"HTTP/1.0 200 OK\r\n\r\n12", CUT), id="no-length-and-a-number"),
        pytest.param(
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", CUT),
            id="chunks-without-an-end",
        ),
        pytest.param(
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", CUT),
            id="half-a-chunk",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n-5\r\n",
            id="a-chunk-of-less-than-nothing",
        ),
        pytest.param(http(200, '{"users": ['), id="truncated-json"),
        pytest.param(http(200, "[" * 100_000), id="json-too-deep"),
        pytest.param(http(200, "<html>Sign in</html>"), id="html"),
        pytest.param((b"garbage\r\n\r\n", CUT), id="not-http"),
        pytest.param((b"\x16\x03\x01\x00\x05hello", CUT), id="tls-on-a-plain-port"),
        pytest.param(http(301, None, "Location: /elsewhere"), id="301"),
        pytest.param(http(302, None, "Location: /login"), id="302"),
        pytest.param(http(307, None, "Location: http://["), id="307-to-nonsense"),
        pytest.param(http(406), id="406"),
        pytest.param(http(408), id="408"),
        pytest.param(http(418, {}), id="418"),
        pytest.param(http(425), id="425"),
        pytest.param(http(499), id="499"),
        pytest.param(http(500, SHAPE_A), id="500-object"),
        pytest.param(http(500, "<html>"), id="500-html"),
        pytest.param(http(500, {}), id="500-empty-map"),
        pytest.param(http(500, {"ana@acme.example": 7}), id="500-map-of-numbers"),
        pytest.param(http(500, MAP | {"message": "x"}), id="500-map-and-more"),
        pytest.param(http(502, "<html>"), id="502"),
        pytest.param(http(503), id="503"),
        pytest.param(http(504), id="504"),
        pytest.param((b"HTTP/1.1 400 Bad\r\nContent-Length: 9\r\n\r\n{}", CUT), id="half-a-no"),
        pytest.param((b"HTTP/1.1 400 Bad\r\n", CUT), id="a-no-without-an-end"),
        pytest.param(
            (b'HTTP/1.1 500 No\r\nContent-Length: 99\r\n\r\n{"ana@acme.example": "409"', CUT),
            id="half-a-map",
        ),
    ],
)
def test_all_else_after_the_first_byte_is_doubt_and_is_sent_once(answer: object) -> None:
    with server(answer, http(200, {})) as tenant:
        with pytest.raises(Doubt) as caught:
            post(tenant.url)
        assert len(tenant.asked) == 1
        assert (caught.value.request_id, caught.value.attempts) == ("ours-1", 1)
        assert "POST /api/service/users" in str(caught.value)


@pytest.mark.parametrize("status", sorted(REFUSALS))
def test_a_clear_no_carries_the_tenants_own_words(status: int) -> None:
    with server(http(status, SHAPE_A)) as tenant, pytest.raises(Refused) as caught:
        post(tenant.url)
    no = caught.value
    said = "409 Conflict: Top level group named 'x' already exists. (the tenant's request theirs-1)"
    assert (no.words, no.status, no.request_id, no.by_subject) == (said, status, "ours-1", {})
    assert str(no) == f"POST /api/service/users was answered with {status}: {said}"


def test_a_no_in_html_is_still_a_no() -> None:
    with server(http(404, "<html>no such page</html>")) as tenant, pytest.raises(Refused) as caught:
        post(tenant.url)
    assert caught.value.words == ""
    assert str(caught.value) == (
        "POST /api/service/users was answered with 404 (there is no such thing)."
    )


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        pytest.param(402, "402 (what was paid for is used up)", id="402"),
        pytest.param(405, "405 (this tenant does not offer that)", id="405"),
        pytest.param(413, "413 (that is too much at once)", id="413"),
        pytest.param(422, "422", id="422"),
    ],
)
def test_a_no_without_words_says_what_its_number_means(status: int, meaning: str) -> None:
    with server(http(status)) as tenant, pytest.raises(Refused) as caught:
        post(tenant.url)
    assert str(caught.value) == f"POST /api/service/users was answered with {meaning}."
    assert (caught.value.status, caught.value.words) == (status, "")


@pytest.mark.parametrize("status", [400, 500])
def test_a_map_of_addresses_refuses_each_by_name(status: int) -> None:
    answer = http(status, {" Ana@Acme.Example": "409 Conflict:\nUser exists"})
    with server(answer) as tenant, pytest.raises(Refused) as caught:
        post(tenant.url)
    assert caught.value.by_subject == {"ana@acme.example": "409 Conflict: User exists"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param({"error": "x", "message": "why"}, "why", id="A"),
        pytest.param(
            MAP, "ana@acme.example: 409 Conflict: User exists with the same email", id="B"
        ),
        pytest.param(
            {"errorCode": "ATLAS-1", "errorMessage": "why", "errorId": "7"},
            "why (the tenant's request 7)",
            id="C",
        ),
        pytest.param({"error": "invalid_client", "error_description": "why"}, "why", id="D"),
        pytest.param(
            {"status": "401", "message": "why", "url": "/", "servlet": "s"}, "why", id="E"
        ),
        pytest.param({"message": "why"}, "why", id="F"),
        pytest.param({"error": "why"}, "why", id="only-an-error"),
        pytest.param({"message": {"deep": "why"}}, "{'deep': 'why'}", id="object-as-message"),
        pytest.param(
            {"message": "a\x1b[31m\nb" + "c" * 2000}, "a [31m b" + "c" * 992 + "…", id="wild"
        ),
        pytest.param({}, "", id="empty"),
        pytest.param(["why"], "", id="list"),
        pytest.param("why", "", id="text"),
        pytest.param(None, "", id="nothing"),
    ],
)
def test_the_tenants_words_are_found_in_every_shape(body: object, said: str) -> None:
    assert words(body) == said


def test_a_request_id_that_is_ours_is_not_said_twice() -> None:
    assert words(SHAPE_A, ours="theirs-1") == SHAPE_A["message"]


def test_a_429_is_not_repeated_and_pauses_everybody() -> None:
    budget, clock = patient()
    with server(http(429, {}, "Retry-After: 7"), http(200, {})) as tenant:
        with pytest.raises(Throttled) as caught:
            post(tenant.url, budget=budget)
        assert (len(tenant.asked), caught.value.retry_after) == (1, 7.0)
        assert clock.slept == []
        assert post(tenant.url, budget=budget).status == 200
    assert sum(clock.slept) == pytest.approx(7)


def test_a_429_that_asks_for_too_long_a_pause_ends_the_next_call_before_it_is_sent() -> None:
    budget, clock = patient()
    with server(http(429, {}, "Retry-After: 901"), http(200, {})) as tenant:
        with pytest.raises(Throttled):
            post(tenant.url, budget=budget)
        with pytest.raises(Throttled, match="asks to wait 15 minutes") as caught:
            post(tenant.url, budget=budget)
        assert (len(tenant.asked), clock.slept) == (1, [])
        assert (caught.value.exit_code, caught.value.retry_after) == (75, 901.0)


def test_a_reading_does_not_sit_out_a_pause_that_is_too_long() -> None:
    pauses: list[float] = []
    with server(http(429, {}, "Retry-After: 901")) as tenant:
        transport = client(tenant.url, sleep=pauses.append)
        with pytest.raises(Throttled):
            transport.get("/x")
        assert (pauses, transport.calls) == ([], 1)


def test_a_refused_connection_means_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NotSent, match="Connection refused"):
        post(f"http://127.0.0.1:{port}")


def test_a_connection_that_is_never_accepted_means_not_sent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        with pytest.raises(NotSent):
            post(f"http://127.0.0.1:{address[1]}", limits=Limits(connect=0.2, read=0.2, whole=1))
        for one in waiting:
            one.close()


def test_an_unknown_host_means_not_sent() -> None:
    with pytest.raises(NotSent, match=r"can't be reached"):
        post("https://no-such-tenant.invalid")


def test_a_failed_tls_handshake_means_not_sent() -> None:
    limits = Limits(connect=0.2, read=0.2, whole=1)
    with server() as plain, pytest.raises(NotSent):
        post(plain.url.replace("http://", "https://"), limits=limits)


# ---- TLS ---------------------------------------------------------------------------------------------------

GARBAGE = Raw(b"\x99 this is no record of TLS")
BROKEN_RECORD = Raw(b"\x17\x03\x03\x00\x20" + bytes(32))  # looks like one, and can't be deciphered


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the certificate of our tenants among those that the environment names."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))


@pytest.mark.usefixtures("trusting")
def test_over_tls_all_is_well_with_a_certificate_that_is_trusted() -> None:
    with tls_server(http(200, {"ok": 1})) as tenant:
        assert client(tenant.url).get("/x") == {"ok": 1}
        assert tenant.asked[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.usefixtures("own_network")
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_the_environment_names_are_trusted(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(CERTIFICATE))
    with tls_server(http(200, {"ok": 1})) as tenant:
        assert client(tenant.url).get("/x") == {"ok": 1}
    with tls_server() as tenant:
        assert where_it_ends(tenant.url) == ""


def test_a_certificate_that_is_not_trusted_means_not_sent() -> None:
    with tls_server(http(200, {})) as tenant:
        with pytest.raises(NotSent, match="certificate verify failed"):
            post(tenant.url)
        assert tenant.asked == []


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(GARBAGE, id="garbage"),
        pytest.param(BROKEN_RECORD, id="a-record-that-does-not-decipher"),
        pytest.param(CUT, id="closed"),
        pytest.param(RESET, id="reset"),
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", GARBAGE), id="half-an-answer"),
        pytest.param((b"H", BROKEN_RECORD), id="one-byte-of-an-answer"),
        pytest.param((b"HTTP/1.1 200 OK\r\n\r\n", CUT), id="no-length-and-no-farewell"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("trusting")
def test_tls_that_breaks_after_the_request_was_read_is_doubt_and_nothing_is_repeated(
    trouble: object,
) -> None:
    with tls_server(trouble, http(200, {}), http(200, {})) as tenant:
        with pytest.raises(Doubt):
            client(tenant.url).post("/x", {}, request_id="ours-1")
        assert [request.line for request in tenant.asked] == ["POST /x HTTP/1.1"]


@pytest.mark.parametrize("trouble", [GARBAGE, BROKEN_RECORD, CUT, RESET])
@pytest.mark.usefixtures("trusting")
def test_tls_that_breaks_before_the_request_was_read_is_doubt_too(trouble: object) -> None:
    with tls_server(hello=(trouble, CUT)) as tenant:
        with pytest.raises(Doubt):
            client(tenant.url).post("/x", {"padding": "x" * 10**6}, request_id="ours-1")
        assert (tenant.asked, len(tenant.connections)) == ([], 2)  # one, without and with TLS


@pytest.mark.parametrize("trouble", [GARBAGE, b"\x15\x03\x03\x00\x02\x02\x28", CUT])
def test_tls_that_breaks_in_the_handshake_means_not_sent(trouble: object) -> None:
    with server(hello=(trouble, CUT)) as plain:
        with pytest.raises(NotSent):
            post(plain.url.replace("http://", "https://"))
        assert (plain.asked, len(plain.connections)) == ([], 1)


@pytest.mark.usefixtures("trusting")
def test_a_reading_is_repeated_when_tls_breaks() -> None:
    with tls_server(GARBAGE, BROKEN_RECORD, http(200, {})) as tenant:
        transport = client(tenant.url)
        assert (transport.get("/x"), transport.calls, len(tenant.asked)) == ({}, 3, 3)


@pytest.mark.usefixtures("own_network")
def test_a_proxy_that_refuses_means_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(http(407, None)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(NotSent, match="Tunnel connection failed: 407") as caught:
            post("https://acme.invalid")
        where = proxy.url.removeprefix("http://")
        assert str(caught.value).startswith(
            f"The tenant can't be reached through the proxy {where} (Tunnel"
        )
        assert [r.line.rsplit(" ", 1)[0] for r in proxy.asked] == ["CONNECT acme.invalid:443"]
        assert KEY not in repr(proxy.asked)


@pytest.mark.usefixtures("own_network")
@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:s3cret@[::1",
        "http://me:s3cret",
        "http://me:s3cret@",
        "http://me:s3cret@127.0.0.1:port",
        "http://me:s3cret%E2%82%AC@127.0.0.1:9",
        "socks5h://me:s3cret@127.0.0.1:9",
        "me:s3cret@localhost:9",
        "localhost:9",
        "http://:3128",
    ],
)
def test_a_proxy_that_is_none_is_refused_and_not_quoted(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(UsageError, match="must look like http://proxy") as caught:
        post("https://acme.invalid")
    assert "s3cret" not in str(caught.value)


@pytest.mark.usefixtures("own_network")
@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("http://127.0.0.1", "127.0.0.1:80"),
        ("https://me:pw@proxy.example", "proxy.example:443"),
        ("127.0.0.1:3128", "127.0.0.1:3128"),
        ("http://[::1]:3128/path?x=s3cret", "[::1]:3128"),
        ("", "None"),
    ],
)
def test_a_proxy_is_where_the_calls_go(
    named: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)
    assert str(way.proxy_of("https://acme.example")) == found
    assert way.proxy_of("http://127.0.0.1:8765") is None


@pytest.mark.usefixtures("own_network")
@pytest.mark.parametrize("is_named", [True, False])
def test_certificates_are_told_of_where_a_call_fails_by_them(
    is_named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_named:
        monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "none.pem"))
    says = "Correct the path in REQUESTS_CA_BUNDLE" if is_named else "signs certificates itself"
    with tls_server() as tenant:
        with pytest.raises(NotSent, match=says):
            post(tenant.url)
        client_of = ClientCredentials(tenant.url, "a-client", "a-secret")
        with pytest.raises(NotSent, match=says):
            client_of.ready()


@pytest.mark.usefixtures("own_network")
def test_an_untrusted_proxy_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(NotSent, match=r"CERTIFICATE_VERIFY_FAILED.*signs certificates itself"):
            post("https://acme.invalid")


def test_what_is_no_http_is_quoted() -> None:
    said = pytest.raises(Doubt, match=r"no whole answer came: SSH-2.0-OpenSSH_9.2")
    with server((b"SSH-2.0-OpenSSH_9.2\r\n", CUT)) as tenant, said:
        post(tenant.url)


def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    headers = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    limits = Limits(connect=1, read=1, whole=0.3)
    for start in (headers, b"HTTP/1.1 200 OK\r\nX-Slow: "):
        with server((start, *[b"x", 0.02] * 500)) as tenant:
            with pytest.raises(Doubt, match=r"took too long|timed out"):
                post(tenant.url, limits=limits)
            assert len(tenant.asked) == 1
            tenant.stopping.set()


def test_silence_in_the_midst_of_an_answer_ends_at_the_deadline() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"
    with server((head, 2.0, b"}")) as tenant:
        with pytest.raises(Doubt, match="timed out"):
            post(tenant.url, limits=Limits(connect=9, read=9, whole=0.3))
        tenant.stopping.set()


def test_silence_ends_at_the_timeout() -> None:
    with server((30.0, http(200, {}))) as tenant:
        with pytest.raises(Doubt, match="timed out"):
            post(tenant.url, limits=Limits(connect=1, read=0.1, whole=5))
        tenant.stopping.set()


def test_an_answer_without_end_is_not_swallowed() -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {CAP + 2}\r\n\r\n".encode()
    with server((head, b" " * CAP, b"{}")) as tenant, pytest.raises(Doubt, match="16 MiB"):
        post(tenant.url)


# ---- 401, 403 ----------------------------------------------------------------------------------------------


def test_a_401_is_final_at_once() -> None:
    with server(http(401, {"message": "expired"}), http(200, {})) as tenant:
        with pytest.raises(TokenRefused, match=r"key for this.* expired") as caught:
            post(tenant.url)
        assert (len(tenant.asked), caught.value.status) == (1, 401)
        assert caught.value.words == "expired"


def test_a_reading_is_tried_once_more_after_a_403_and_a_pause() -> None:
    pauses: list[float] = []
    with server(http(403, {}), http(200, {"ok": 1}), http(403, {}), http(403, {})) as tenant:
        transport = client(tenant.url, sleep=pauses.append)
        assert transport.get("/x") == {"ok": 1}
        with pytest.raises(TokenRefused) as caught:
            transport.get("/x")
        assert (caught.value.status, caught.value.attempts) == (403, 2)
        assert (pauses, transport.calls, len(tenant.asked)) == ([5.0, 5.0], 4, 4)
        ids = [request.headers["x-atlan-request-id"] for request in tenant.asked]
        assert (ids[0], ids[2]) == (ids[1], ids[3])


def test_what_changes_something_is_not_sent_again_after_a_403() -> None:
    with server(http(403, {}), http(200, {})) as tenant:
        with pytest.raises(TokenRefused) as caught:
            post(tenant.url)
        assert (len(tenant.asked), caught.value.attempts) == (1, 1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        pytest.param(7, "wants a pause of 7 s. POST", id="seconds"),
        pytest.param(1000, "wants a pause of 17 minutes. POST", id="minutes"),
        pytest.param(18000, "wants a pause of 5 hours. POST", id="hours"),
    ],
)
def test_how_long_a_tenant_asks_to_wait_is_told(seconds: int, words: str) -> None:
    with (
        server(http(429, {}, f"Retry-After: {seconds}")) as tenant,
        pytest.raises(Throttled, match=words),
    ):
        post(tenant.url)


# ---- reading -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(CUT, id="dropped"),
        pytest.param(RESET, id="reset"),
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Le", CUT), id="cut"),
        pytest.param(http(200, '{"records": ['), id="truncated"),
        pytest.param(http(200, "<html>"), id="html"),
        pytest.param(http(302, None, "Location: /login"), id="302"),
        pytest.param(http(429, {}, "Retry-After: 1"), id="429"),
        pytest.param(http(500, {"message": "oops"}), id="500"),
        pytest.param(http(502, "<html>"), id="502"),
        pytest.param(http(503, None, "Retry-After: Sat, 21 Nov 2015 01:00:00 GMT"), id="503"),
        pytest.param(http(504), id="504"),
    ],
)
def test_a_reading_is_repeated_with_growing_pauses(trouble: object) -> None:
    pauses: list[float] = []
    with server(trouble, trouble, http(200, {"records": []})) as tenant:
        transport = client(tenant.url, sleep=pauses.append, jitter=lambda: 0.5)
        assert transport.get("/x", [("limit", "1")]) == {"records": []}
        assert (pauses, transport.calls) == ([0.5, 1.0], 3)
        assert len({request.headers["x-atlan-request-id"] for request in tenant.asked}) == 1


@pytest.mark.parametrize(
    ("trouble", "error", "text"),
    [
        pytest.param(http(200, "<html>"), Protocol, "Is this the address of an Atlan", id="html"),
        pytest.param(http(302, None, "Location: /login"), TokenRefused, "login page", id="302"),
        pytest.param(http(429, {}), Throttled, "slow down", id="429"),
        pytest.param(http(503), TenantError, "Try again later", id="503"),
        pytest.param(CUT, TenantError, "Try again later", id="dropped"),
    ],
)
def test_a_reading_that_never_comes_right_says_what_it_was(
    trouble: object, error: type[TenantError], text: str
) -> None:
    with server(*[trouble] * 9) as tenant:
        with pytest.raises(error, match=text) as caught:
            client(tenant.url).get("/x")
        assert type(caught.value) is error
        assert (caught.value.attempts, len(tenant.asked)) == (5, 5)


def test_a_503_that_says_how_long_makes_everybody_wait_and_nobody_slower() -> None:
    budget, clock = patient()
    with server(http(503, None, "Retry-After: 7"), http(200, {})) as tenant:
        client(tenant.url, budget=budget).get("/x")
    assert sum(clock.slept) == pytest.approx(7)
    assert budget._share == 1.0


def test_of_an_answer_only_what_is_wanted_is_read() -> None:
    with server(http(200, {"a": 1}), http(200, "no JSON"), http(200, [2])) as tenant:
        reads: list[bytes] = []

        def read(content: bytes) -> object:
            reads.append(content)
            return list(json.loads(content))

        transport = client(tenant.url)
        assert transport.get("/api/service/users", read=read) == ["a"]
        assert transport.get("/api/service/users", read=read) == [2]
        assert len(reads) == len(tenant.asked) == 3


def test_a_reading_that_is_refused_is_not_repeated() -> None:
    with server(http(404, {"message": "gone"})) as tenant:
        with pytest.raises(Refused, match="gone"):
            client(tenant.url).get("/x")
        assert len(tenant.asked) == 1


def test_a_reading_is_tried_again_when_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    transport = client(f"http://127.0.0.1:{port}")
    with pytest.raises(NotSent):
        transport.get("/x")
    assert transport.calls == 5


# ---- manners -----------------------------------------------------------------------------------------------


def test_a_request_says_who_we_are_and_nothing_else() -> None:
    with server(http(200, {}), http(200, {})) as tenant:
        post(tenant.url)
        client(tenant.url).get("/api/service/users", [("columns", "id"), ("columns", "email")])
        host = tenant.url.removeprefix("http://")
        first, second = tenant.asked
    common = {
        "host": host,
        "user-agent": f"onboarding/{__version__}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {KEY}",
    }
    assert first.line == "POST /api/service/users HTTP/1.1"
    assert first.body == b'{"users": []}'
    assert first.headers == common | {
        "content-type": "application/json",
        "content-length": "13",
        "x-atlan-request-id": "ours-1",
    }
    assert second.line == "GET /api/service/users?columns=id&columns=email HTTP/1.1"
    fresh = second.headers.pop("x-atlan-request-id")
    assert len(fresh) == 36
    assert second.headers == common


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("is_far", [True, False])
def test_no_redirect_is_followed_and_the_key_goes_nowhere_else(status: int, is_far: bool) -> None:
    with server(http(200, {})) as elsewhere:
        away = http(status, None, f"Location: {elsewhere.url if is_far else ''}/login")
        with server(*[away] * 6) as tenant:
            with pytest.raises(Doubt):
                post(tenant.url)
            with pytest.raises(TokenRefused):
                client(tenant.url).get("/x")
        assert not [asked.line for asked in tenant.asked if "login" in asked.line]
        assert elsewhere.connections == []


def test_netrc_does_not_replace_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login mallory password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with server(http(200, {})) as tenant:
        client(tenant.url).get("/x")
        assert tenant.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_the_environments_proxy_is_not_asked_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(http(200, {"proxied": 1})) as proxy, server(http(200, {})) as tenant:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert client(tenant.url).get("/x") == {}
        assert proxy.connections == []


def test_the_timeout_holds_on_a_connection_that_is_used_again() -> None:
    """Neither that of connecting counts then, nor what the deadline of the call before had left of it."""
    late = (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", 0.6, b"}")
    with server(late, (0.6, http(200, {})), (30.0, http(200, {}))) as tenant:
        transport = client(tenant.url, limits=Limits(connect=0.1, read=1, whole=1))
        for _ in range(2):
            assert transport.post("/x", {}, request_id="ours-1").status == 200
        with pytest.raises(Doubt, match="timed out"):
            transport.post("/x", {}, request_id="ours-1")
        assert len(tenant.connections) == 1
        tenant.stopping.set()


def test_a_timeout_is_set_only_where_it_changes() -> None:
    class Counting(socket.socket):
        times = 0

        def settimeout(self, value: float | None) -> None:
            self.times += 1
            super().settimeout(value)

    with server(*[http(200, {})] * 4) as tenant:
        transport = client(tenant.url, limits=Limits(connect=1, read=2, whole=5))
        transport.get("/x")
        (connection,) = (one for one in transport._line().pool.pool.queue if one)
        sock = Counting(fileno=connection.sock.detach())
        socket.socket.settimeout(sock, 5)
        connection.sock = wire._SetOnce(sock)
        for _ in range(3):
            transport.get("/x")
            assert (sock.gettimeout(), sock.times) == (2, 1)
        sock.close()


@pytest.mark.usefixtures("trusting")
def test_a_request_leaves_in_one_piece() -> None:
    with tls_server(http(200, {})) as tenant:
        client(tenant.url).post("/api/service/users", {"users": []}, request_id="ours-1")
        piece = tenant.pieces[0]
    assert piece.startswith(b"POST /api/service/users")
    assert piece.endswith(b'{"users": []}')


def test_connections_are_kept_per_thread() -> None:
    with server(*[http(200, {})] * 6) as tenant:
        transport = client(tenant.url)

        def three() -> None:
            for _ in range(3):
                transport.get("/x")
            transport.close()

        threads = [threading.Thread(target=three) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(tenant.connections), transport.calls) == (2, 6)


def test_a_connection_that_rested_is_not_trusted_with_a_post() -> None:
    with server(http(200, {}), http(200, {})) as tenant:
        transport = client(tenant.url)
        transport.get("/x")
        transport._local.used -= 16
        transport.post("/x", {}, request_id="ours-1")
        assert len(tenant.connections) == 2


def test_a_connection_that_the_tenant_closed_meanwhile_costs_no_doubt() -> None:
    with server((http(200, {}), CUT), http(200, {})) as tenant:
        transport = client(tenant.url)
        transport.get("/x")
        for thread in tenant.threads[1:]:
            thread.join()
        assert transport.post("/x", {}, request_id="ours-1").status == 200


def test_one_line_is_logged_per_call_without_query_or_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with server(http(200, {}), CUT) as tenant:
        client(tenant.url).get("/api/service/users", [("filter", "ana@acme.example")])
        with pytest.raises(Doubt):
            post(tenant.url)
    ours = [r.getMessage() for r in caplog.records if r.name == "onboarding.transport"]
    assert [line.rsplit(",", 2)[0] for line in ours] == [
        "GET /api/service/users: 200",
        "POST /api/service/users: no answer",
    ]
    assert "ana@acme.example" not in "".join(ours)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="nothing"),
        pytest.param("acme.atlan.com", id="no-scheme"),
        pytest.param("http://acme.atlan.com", id="plain-http"),
        pytest.param("http://127.0.0.1.acme.example", id="looks-like-loopback"),
        pytest.param("ftp://127.0.0.1", id="ftp"),
        pytest.param("https://user:pw@acme.atlan.com", id="userinfo"),
        pytest.param("https://acme.atlan.com/api/service", id="path"),
        pytest.param("https://acme.atlan.com?x=1", id="query"),
        pytest.param("https://acme.atlan.com:port", id="no-port"),
        pytest.param("https://[", id="broken"),
    ],
)
def test_an_address_that_is_no_tenants_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="address must"):
        client(url)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://acme.atlan.com/", "https://acme.atlan.com"),
        (" https://acme.atlan.com:8443\n", "https://acme.atlan.com:8443"),
        ("http://localhost:80", "http://localhost:80"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_address_is_taken_without_its_trimmings(url: str, plain: str) -> None:
    assert client(url).base_url == plain


# ---- the key -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [KEY + "\n", f"Bearer {KEY}", "", f'"{KEY}"', KEY + "\u00e9"])
def test_a_key_that_is_none_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        ApiKey(key)
    assert KEY not in repr(caught.value)


def test_the_key_is_in_no_error_even_if_the_tenant_says_it() -> None:
    echo = f"token {KEY} is bad"
    answers = [
        http(400, {"message": echo}),
        http(401, {"message": echo}),
        http(403, {"message": echo}),
        http(500, {"ana@acme.example": echo}),
        (f"HTTP/{KEY} nonsense\r\n\r\n".encode(), CUT),
        RESET,
    ]
    with server(*answers) as tenant:
        for _ in answers:
            with pytest.raises(OnboardingError) as caught:
                post(tenant.url)
            shown = repr(caught.value) + str(caught.value) + repr(vars(caught.value))
            assert KEY not in shown
            assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert KEY not in repr(ApiKey(KEY)) + repr(client("https://acme.atlan.com"))


def test_a_failed_look_up_names_no_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NotSent) as caught:
        client(f"http://127.0.0.1:{port}").get("/users", [("filter", "ana@acme.example")])
    assert "ana" not in str(caught.value)


# ---- OAuth -------------------------------------------------------------------------------------------------


def oauth(url: str, clock: Clock) -> ClientCredentials:
    return ClientCredentials(url, "oauth-client-1", "s3cret", clock=clock)


def token(name: str, life: int | None = 600) -> bytes:
    return http(200, {"accessToken": name} | ({} if life is None else {"expiresIn": life}))


def test_a_token_is_fetched_once_and_again_before_it_ends() -> None:
    clock = Clock()
    answers = [token("t1"), http(200, {}), http(200, {}), token("t2"), http(200, {})]
    with server(*answers) as tenant:
        transport = client(tenant.url, auth=oauth(tenant.url, clock))
        transport.get("/x")
        clock.now += 539
        transport.get("/x")
        clock.now += 1
        transport.get("/x")
        asked = [(r.line.split()[1], r.headers.get("authorization")) for r in tenant.asked]
        assert transport.calls == 3
        assert json.loads(tenant.asked[0].body) == {
            "clientId": "oauth-client-1",
            "clientSecret": "s3cret",
        }
    fetch = "/api/service/oauth-clients/token"
    assert asked == [
        (fetch, None),
        ("/x", "Bearer t1"),
        ("/x", "Bearer t1"),
        (fetch, None),
        ("/x", "Bearer t2"),
    ]


def test_a_401_is_tried_once_more_with_a_new_token() -> None:
    clock = Clock()
    answers = [token("t1"), http(200, {}), http(401, {}), token("t2", None), http(200, {})]
    with server(*answers, http(401, {}), token("t3"), http(401, {})) as tenant:
        transport = client(tenant.url, auth=oauth(tenant.url, clock))
        transport.get("/x")
        clock.now += 10
        assert transport.post("/x", {}, request_id="ours-1").attempts == 2
        clock.now += 10
        with pytest.raises(TokenRefused):
            transport.post("/x", {}, request_id="ours-2")
        assert len(tenant.asked) == 8


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(http(401, {"error": "invalid_client"}), TokenRefused, id="401"),
        pytest.param(http(200, {}), TokenRefused, id="no-token"),
        pytest.param(http(200, "<html>"), TokenRefused, id="html"),
        pytest.param(http(200, {"accessToken": "two words"}), TokenRefused, id="not-a-token"),
        pytest.param(http(503), NotSent, id="503"),
        pytest.param(http(429), NotSent, id="429"),
        pytest.param(CUT, NotSent, id="dropped"),
    ],
)
def test_without_a_token_nothing_is_sent(answer: object, error: type[TenantError]) -> None:
    with server(*[answer] * 3) as tenant:
        with pytest.raises(error) as caught:
            post(tenant.url, auth=oauth(tenant.url, Clock()))
        assert "s3cret" not in repr(caught.value)
        assert {r.line for r in tenant.asked} == {"POST /api/service/oauth-clients/token HTTP/1.1"}


def test_the_clients_secret_is_in_no_error_even_if_the_tenant_says_it() -> None:
    with server(token("t1"), http(400, {"message": "t1 from s3cret"})) as tenant:
        with pytest.raises(Refused) as caught:
            post(tenant.url, auth=oauth(tenant.url, Clock()))
        assert caught.value.words == "[API key] from [client secret]"


def test_an_unset_auth_signs_nothing() -> None:
    with server(http(200, {})) as tenant:
        client(tenant.url, auth=Auth()).get("/x")
        assert "authorization" not in tenant.asked[0].headers


# ---- pacing ------------------------------------------------------------------------------------------------


def test_a_burst_goes_at_once_and_then_the_pace_is_even() -> None:
    budget, clock = patient(per_minute=60, burst=3)
    for _ in range(5):
        budget.take()
    assert (clock.slept, budget.waited) == ([1.0, 1.0], 2.0)
    clock.now += 100
    clock.slept.clear()
    for _ in range(4):
        budget.take()
    assert clock.slept == [1.0]


def test_who_has_waited_for_a_turn_does_not_wait_again() -> None:
    budget, clock = patient(per_minute=60, burst=1)
    with server(http(200, {}), http(200, {}), http(200, {})) as tenant:
        transport = client(tenant.url, budget=budget)
        transport.wait_for_turn()
        transport.post("/x", {}, request_id="ours-1")
        assert clock.slept == []
        transport.post("/x", {}, request_id="ours-2")
        assert clock.slept == [1.0]
        transport.wait_for_turn()
        assert clock.slept == [1.0, 1.0]
        transport.post("/x", {}, request_id="ours-3")
        assert clock.slept == [1.0, 1.0]


def test_a_turn_that_was_left_unused_is_none_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onboarding.transport.TURN", 0)  # or the test would take a second
    budget, clock = patient(per_minute=60, burst=1)
    with server(http(200, {})) as tenant:
        transport = client(tenant.url, budget=budget)
        transport.wait_for_turn()
        time.sleep(0.001)
        transport.post("/x", {}, request_id="ours-1")
    assert clock.slept == [1.0]


def test_without_a_limit_nobody_waits() -> None:
    budget, clock = patient(per_minute=math.inf)
    for _ in range(1000):
        budget.take()
    assert clock.slept == []


def test_a_429_without_a_time_pauses_for_a_minute_and_says_so() -> None:
    told: list[float] = []
    budget, clock = patient(waiting=told.append)
    budget.pause(None, limit=True)
    budget.take()
    assert clock.now == 1060.0
    assert told == [float(left) for left in range(60, 0, -1)]


def test_whoever_wants_to_stop_does_not_sit_out_a_pause_that_the_tenant_asked_for() -> None:
    stop = threading.Event()
    budget, clock = patient(stop=stop, waiting=lambda left: stop.set() if left < 290 else None)
    budget.pause(300.0, limit=True)
    with pytest.raises(Throttled, match="stopped while the tenant wanted a pause of 288 s more"):
        budget.take()
    assert clock.now == 1012.0


def test_whoever_wants_to_stop_still_finishes_at_the_usual_pace() -> None:
    stop = threading.Event()
    stop.set()
    budget, clock = patient(per_minute=60, burst=1, stop=stop)
    for _ in range(3):
        budget.take()
    assert clock.slept == [1.0, 1.0]


def test_after_a_429_the_pace_drops_and_comes_back_slowly() -> None:
    def calls_in_a_minute() -> int:
        end, count = clock.now + 60, 0
        while clock.now < end:
            budget.take()
            count += 1
        return count

    budget, clock = patient(per_minute=100, burst=1)
    assert calls_in_a_minute() == pytest.approx(100, abs=3)
    budget.pause(0.0, limit=True)
    paces = [calls_in_a_minute() for _ in range(5)]
    assert paces == pytest.approx([75, 85, 95, 100, 100], abs=3)


def test_an_echo_of_the_same_429_does_not_slow_down_twice() -> None:
    once, _ = patient()
    twice, clock = patient()
    for budget, echoes in ((once, 1), (twice, 4)):
        for _ in range(echoes):
            budget.pause(10.0, limit=True)
    assert once._share == twice._share == pytest.approx(0.7)
    for _ in range(20):
        clock.now += 11
        twice.pause(1.0, limit=True)
    assert twice._share == pytest.approx(0.1, abs=0.02)


def test_an_unlimited_budget_learns_from_a_429() -> None:
    budget, clock = patient(per_minute=math.inf)
    budget.pause(0.0, limit=True)
    start = clock.now
    for _ in range(211):
        budget.take()
    assert clock.now - start == pytest.approx(56, abs=2)


def test_a_pause_catches_those_who_already_wait_for_their_turn() -> None:
    budget, clock = patient(per_minute=60, burst=1)
    budget.take()

    def throttled(seconds: float) -> None:
        budget.waiting = lambda left: None
        budget.pause(30.0, limit=False)

    budget.waiting = throttled
    budget.take()
    assert clock.now == 1030.0


def test_a_pause_saves_nothing_up() -> None:
    budget, clock = patient(per_minute=60, burst=10)
    budget.pause(60.0, limit=False)
    for _ in range(3):
        budget.take()
    assert clock.now == 1062.0


def test_threads_share_one_budget() -> None:
    budget, clock = patient(per_minute=60, burst=10)
    threads = [threading.Thread(target=budget.take) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now >= 1010.0


def test_seconds_in_which_several_wait_count_once() -> None:
    budget, clock = patient(per_minute=60, burst=1)
    for _ in range(2):
        budget.take()
    others = [0.5, 0.25]

    def sleep(seconds: float) -> None:
        if others:
            budget._nap(others.pop())  # another thread's, meanwhile
        clock.sleep(seconds)

    budget._sleep = sleep
    budget.take()
    assert budget.waited == clock.now - 1000.0 > 2.0


@pytest.mark.parametrize("workers", [1, 4])
def test_two_thousand_calls_never_meet_the_limit_and_hardly_leave_the_budget_unused(
    workers: int,
) -> None:
    """The tenant blocks everybody for a minute above 400 calls in any minute; calls take 0.2 s each."""
    budget, clock = patient()
    start, made = clock.now, []
    free = [start] * workers
    for _ in range(2000):
        # The next worker to be free takes its turn; the clock of all is the one that it has come to.
        free.sort()
        clock.now = max(free[0], start)
        budget.take()
        made.append(clock.now)
        free[0] = clock.now + 0.2
    took = max(made) - start
    busiest = max(bisect_left(made, moment + 60) - at for at, moment in enumerate(made))
    assert busiest <= 350
    assert (2000 - BURST) / took * 60 >= 0.95 * PER_MINUTE
