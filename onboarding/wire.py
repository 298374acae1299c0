"""One exchange on the wire: a request goes in, a ``Reply`` as it came or a ``Broken`` comes out.

requests knows the way to a tenant, by whatever proxy and certificates the environment names; urllib3 makes the calls.
Here is what they have to be talked into: no redirects, no repeats, a deadline for the whole answer, the knowledge
whether a first byte has left, and doubts about answers that end too early.
"""

from __future__ import annotations

import io
import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from onboarding import __version__
from onboarding.errors import UsageError
from onboarding.way import certificates, is_loopback, proxies

CAP = 16 * 2**20  # bytes of an answer


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an exchange may take, in seconds."""

    connect: float = 5.0
    read: float = 60.0
    """Between two bytes of the answer."""
    whole: float = 120.0
    """From the first byte sent to the last one read. Without it, an answer that drips would take for ever."""


def checked_url(base_url: str) -> str:
    """Give a tenant's address without a trailing slash, or say what is wrong with it."""
    try:
        parts = urlsplit(base_url.strip())
        host = parts.hostname if parts.port != 0 else None
    except ValueError:  # brackets or a port that are none
        parts, host = urlsplit(""), None
    if not host or "@" in parts.netloc or parts.query or parts.fragment or parts.path.strip("/"):
        raise UsageError(
            "The tenant's address must look like https://acme.atlan.com, with nothing after it."
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UsageError(
            f"The tenant's address must start with https:// (host {host}): "
            "on the way, everybody could read the API key."
        )
    return f"{parts.scheme}://{parts.netloc}"


class Line(HTTPAdapter):
    """One thread's connections to a tenant, by the way that requests finds; made when they are wanted."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._url = base_url
        self._pool: Any = None

    @property
    def pool(self) -> Any:
        """Give urllib3's pool; what the environment says of proxies and certificates is read once for all its calls."""
        if self._pool is None:
            request = requests.Request("GET", self._url).prepare()
            trusted = certificates()
            pool: Any = self.get_connection_with_tls_context(request, trusted, proxies(self._url))
            self.cert_verify(pool, self._url, trusted, None)  # type: ignore[no-untyped-call]
            pool.ConnectionCls = _TlsConnection if pool.scheme == "https" else _Connection
            self._pool = pool
        return self._pool

    def close(self) -> None:
        """Hang up; the next call makes a new connection."""
        super().close()
        self._pool = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came."""

    status: int
    body: Any
    """What the JSON says; None for an empty answer."""
    readable: bool
    """False: neither JSON nor empty."""
    whole: bool
    """False: it may have been cut without anybody noticing."""
    retry_after: float | None
    """Seconds."""


class Broken(Exception):
    """No answer, or a part of one. ``sent``: whether a byte of the request may have left."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


_FAILURES = (urllib3.exceptions.HTTPError, HTTPException, OSError)


def exchange(
    line: Line,
    method: str,
    target: str,
    limits: Limits,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    read: Callable[[bytes], Any] = json.loads,
) -> Reply:
    """Send a request once, its body as JSON, and read the whole answer, whatever its status.

    ``read`` takes the answer for JSON, all of it or what is wanted of it, and raises ``ValueError`` where it is none.
    """
    _now.sent = False
    _now.until = time.monotonic() + limits.whole
    kind = {} if body is None else {"Content-Type": "application/json"}
    try:
        answer = line.pool.urlopen(
            method,
            target,
            body,
            {**_OURS, **headers, **kind},
            retries=False,
            redirect=False,
            timeout=urllib3.Timeout(connect=limits.connect, read=limits.read),
            preload_content=False,
        )
        try:
            return _reply(answer, _content(answer), read)
        finally:
            answer.close()  # nothing, unless a part of it was not read
            answer.release_conn()
    except _FAILURES as error:
        # Not chained: the libraries' texts hold the whole URL, and so the addresses of a look-up.
        raise Broken(_reason(error), sent=_now.sent) from None


_OURS = {
    "User-Agent": f"onboarding/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}


def _content(answer: urllib3.BaseHTTPResponse) -> bytes:
    content = bytearray()
    try:
        for chunk in answer.stream(65536):
            content += chunk
            if len(content) > CAP:
                raise HTTPException(f"the answer is longer than {CAP >> 20} MiB")
    except ValueError as error:  # http.client is handed the size of a chunk that is below nothing
        raise HTTPException("the answer gives a part of itself an impossible length") from error
    return bytes(content)


def _reply(answer: urllib3.BaseHTTPResponse, content: bytes, read: Callable[[bytes], Any]) -> Reply:
    body, readable = None, not content
    if content:
        with suppress(ValueError, RecursionError):
            body, readable = read(content), True
    headers = answer.headers
    # urllib3 takes "HTTP/1.1 200 OK" and then silence for a success. An answer is whole if it says where it ends:
    # by a length, by its status, or by being an object or list of JSON, no part of which is JSON.
    whole = (
        headers.get("Content-Length", "").isdecimal()  # a header that was cut has none
        or "chunked" in headers.get("Transfer-Encoding", "").lower()
        or answer.status == 204
        or isinstance(body, dict | list)
    )
    pause = _seconds(headers.get("Retry-After"))
    return Reply(answer.status, body, readable, whole, pause)


def _seconds(retry_after: str | None) -> float | None:
    """Read a Retry-After: seconds or a date; None where there is none that can be read."""
    try:
        return urllib3.Retry(0).parse_retry_after(retry_after) if retry_after else None
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None


def _reason(error: BaseException) -> str:
    """Give the innermost cause in its own words, or its kind where the words may hold a URL."""
    causes = [error]
    while (inner := _behind(causes[-1])) and inner not in causes:
        causes.append(inner)
    for cause in reversed(causes):
        if isinstance(cause, OSError | HTTPException) and not isinstance(
            cause, requests.RequestException
        ):
            return plain(getattr(cause, "strerror", None) or str(cause)) or type(cause).__name__
    return type(causes[-1]).__name__


def _behind(error: BaseException) -> BaseException | None:
    """Give the cause of an error; urllib3 has some that were never raised and hold theirs as an argument."""
    held = (one for one in error.args if isinstance(one, BaseException))
    return error.__cause__ or error.__context__ or next(held, None)


def plain(text: str) -> str:
    """Make foreign text fit for one line of ours."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= 1000 else text[:1000] + "…"


# ---- below urllib3 -----------------------------------------------------------------------------------------


class _Now(threading.local):
    """What this thread's exchange and its connection tell each other."""

    sent = False
    """Whether a byte of the request may have left."""
    until = math.inf
    """When, by the monotonic clock, the answer must be there."""


_now = _Now()


class _Answer(HTTPResponse):
    """An answer that is read against the deadline, from the status line on."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Timed(self.fp.detach(), sock))


class _Timed(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: Any) -> None:
        self._raw: Any = raw
        self._sock = sock
        self._patience = sock.gettimeout() or math.inf

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = _now.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        if left < self._patience:
            self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _SetOnce:
    """A socket whose timeout is set only where it changes: urllib3 sets it twice a call, and each time other threads go first."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def settimeout(self, seconds: float) -> None:
        if seconds != self._sock.gettimeout():
            self._sock.settimeout(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Connection(HTTPConnection):
    """Sends a request in one piece: urllib3 sends its body after its headers, and the tenant is woken up for each."""

    response_class = _Answer
    _held: list[bytes] | None = None
    """The parts of a request, until all are there."""

    def connect(self) -> None:
        try:
            super().connect()
        finally:
            _now.sent = False  # what a proxy was told so far is not our request
        self.sock: Any = _SetOnce(self.sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # how long it may take to connect says nothing of a connection
            self.timeout = max(self.timeout, self.sock.gettimeout())
        held: list[bytes] = []
        self._held = held
        try:
            super().request(*args, **kwargs)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        if self.sock is None:
            self.connect()
        _now.sent = True
        super().send(data)


class _TlsConnection(_Connection, HTTPSConnection):
    pass
