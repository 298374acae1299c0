"""Requests off the wire, replies onto it: HTTP/1.1 on loopback, one thread for each connection.

A request is whole or it is refused: what is no HTTP, or HTTP that two readers could read differently (two lengths,
folded headers), gets one clear answer and the connection is closed. A reply leaves in one piece, whole; or late, cut
or never, where it says so.
"""

from __future__ import annotations

import json
import re
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BufferedIOBase
from typing import Any
from urllib.parse import parse_qs

from onboarding.sandbox.refusals import bad_request

JSON = "application/json"
HTML = "text/html; charset=utf-8"

_LONGEST_LINE = 65_536
_MOST_HEADERS = 100
_LARGEST_BODY = 16 * 2**20
_REQUEST_LINE = re.compile(rb"([\w!#$%&'*+.^`|~-]+) ([!-~\x80-\xff]+) HTTP/1\.([01])")
_HEADER = re.compile(rb"([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*")


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived, as text and bytes; the names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def params(self) -> dict[str, list[str]]:
        """The query, every key with all its values."""
        return parse_qs(self.target.partition("?")[2])

    @property
    def id(self) -> str:
        """The id that the client gave it."""
        return self.headers.get("x-atlan-request-id", "")

    @property
    def authorization(self) -> str:
        """The header that says who is calling."""
        return self.headers.get("authorization", "")

    def json(self) -> Any:
        """The body; None where it is empty."""
        try:
            body = json.loads(self.body) if self.body else None
            if b"\\ud" in self.body.lower():
                json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError) as error:
            raise bad_request(f"Request body has an error: failed to decode: {error}") from error
        if b"\\u0000" in self.body:
            raise bad_request("Request body has an error: no text holds the character 0")
        return body


@dataclass(frozen=True, slots=True)
class Reply:
    """What leaves; without a status nothing does, and the connection is closed."""

    status: int | None
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False
    """Closed in the middle of the body."""
    seconds: float = 0.0
    """Spread over so long, byte by byte."""


class HttpServer(socketserver.ThreadingTCPServer):
    """One thread per connection, all of which end with the server."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, port: int, answer: Callable[[Request], Reply], note: Callable[[int], None]
    ) -> None:
        self.answer = answer
        self.note = note
        """Told the status that what is no HTTP is refused with."""
        self.stopping = threading.Event()
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), _Connection)

    def stop(self) -> None:
        """Take no more connections, let calls under way finish, hang up on everybody."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection, thread in list(self._open.items()):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
            thread.join(timeout=10)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Remember the connection for as long as it is served."""
        self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._open[request]


class _Connection(socketserver.StreamRequestHandler):
    """One connection, kept alive for as long as both sides want."""

    disable_nagle_algorithm = True  # else the delayed ACK costs 40 ms a call
    server: HttpServer

    def handle(self) -> None:
        """Answer one request after the other."""
        with suppress(ConnectionError, EOFError):  # a client that went away is no error of ours
            while self._answer_one():
                pass

    def _answer_one(self) -> bool:
        """Whether there may be another one."""
        try:
            head = _read_head(self.rfile)
            if head.get("expect", "").lower() == "100-continue":
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request = _request(head, self.rfile)
        except _NotHttp as error:
            status, what = error.args
            self.server.note(status)
            self._send(Reply(status, json.dumps({"message": what}).encode()), is_last=True)
            self._drain()
            return False
        reply = self.server.answer(request)
        is_last = "close" in head.get("connection", "").lower() or head[":version"] == "0"
        is_last |= reply.status is None or reply.is_cut
        self._send(reply, is_last=is_last, head_only=request.method == "HEAD")
        return not is_last

    def _send(self, reply: Reply, *, is_last: bool, head_only: bool = False) -> None:
        """Head and body in one go, unless the reply is to arrive badly."""
        if reply.status is None:
            return
        head = {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
        head |= {"Connection": "close"} if is_last and not reply.is_cut else {}
        lines = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}"]
        lines += [f"{name}: {value}" for name, value in {**head, **reply.headers}.items()]
        answer = "\r\n".join([*lines, "", ""]).encode()
        if not head_only:
            answer += reply.body
        if reply.is_cut:
            answer = answer[: len(answer) - len(reply.body) // 2 - 1]
        if not reply.seconds:
            self.wfile.write(answer)
            return
        for byte in answer:
            self.wfile.write(bytes([byte]))
            self.server.stopping.wait(reply.seconds / len(answer))

    def _drain(self) -> None:
        """Swallow what is still coming, or the answer may be lost in a reset."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(1)
        with suppress(OSError):
            for _ in range(256):
                if not self.connection.recv(65_536):
                    return


class _NotHttp(Exception):
    """Status and words for a request that can't be read."""


def _read_head(stream: BufferedIOBase) -> dict[str, str]:
    """The headers, and the parts of the request line under ``:method`` and the like."""
    line = _line(stream) or _line(stream)  # one empty line before a request is allowed
    parts = _REQUEST_LINE.fullmatch(line)
    if not parts:
        raise _NotHttp(400, "no request line of HTTP/1.0 or 1.1")
    method, target, version = (part.decode("latin-1") for part in parts.groups())
    head = {":method": method, ":target": target, ":version": version}
    for _ in range(_MOST_HEADERS):
        line = _line(stream)
        if not line:
            return head
        header = _HEADER.fullmatch(line)
        if not header:
            raise _NotHttp(400, "a header without a name")
        name, value = header[1].decode().lower(), header[2].decode("latin-1")
        if name in ("content-length", "transfer-encoding", "host") and name in head:
            raise _NotHttp(400, f"two headers {name}")
        head[name] = value
    raise _NotHttp(431, f"more than {_MOST_HEADERS} headers")


def _line(stream: BufferedIOBase) -> bytes:
    line = stream.readline(_LONGEST_LINE + 1)
    if len(line) > _LONGEST_LINE:
        raise _NotHttp(431, f"a line longer than {_LONGEST_LINE} bytes")
    if not line.endswith(b"\n"):
        raise EOFError
    return line.rstrip(b"\r\n")


def _request(head: dict[str, str], stream: BufferedIOBase) -> Request:
    """The request, once its body is here."""
    coding, length = head.get("transfer-encoding"), head.get("content-length", "0")
    if coding is not None and "content-length" in head:
        raise _NotHttp(400, "both a length and a transfer coding")
    if coding is not None and coding.lower() != "chunked":
        raise _NotHttp(501, "a transfer coding other than chunked")
    if coding is None and not (length.isascii() and length.isdigit()):
        raise _NotHttp(400, "a length that is no number")
    body = _exactly(stream, length, 10) if coding is None else _chunks(stream)
    return Request(head[":method"], head[":target"], head, body)


def _chunks(stream: BufferedIOBase) -> bytes:
    """A chunked body; trailers are read and forgotten."""
    body = bytearray()
    while True:
        size = _line(stream).partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
            raise _NotHttp(400, "a chunk without a size")
        chunk = _exactly(stream, size.decode(), 16, already=len(body))
        body += chunk
        if not chunk:
            while _line(stream):
                pass
            return bytes(body)
        if _line(stream):
            raise _NotHttp(400, "a chunk longer than its size")


def _exactly(stream: BufferedIOBase, size: str, base: int, *, already: int = 0) -> bytes:
    if len(size) > 9 or int(size, base) + already > _LARGEST_BODY:
        raise _NotHttp(413, f"a body larger than {_LARGEST_BODY} bytes")
    data = stream.read(int(size, base))
    if len(data) < int(size, base):
        raise EOFError
    return data


def _phrase(status: int) -> str:
    with suppress(ValueError):
        return HTTPStatus(status).phrase
    return "Unknown"
