"""Requests off the wire, replies onto it: HTTP/1.1 on loopback, one thread for each connection.

A reply leaves in one piece, whole; or late, cut or never, where it says so.
"""

from __future__ import annotations

import json
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from onboarding.sandbox.refusals import bad_request

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived, as text and bytes."""

    method: str
    target: str
    headers: Message
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def params(self) -> dict[str, list[str]]:
        """The query, every key with all its values."""
        return parse_qs(urlsplit(self.target).query)

    @property
    def id(self) -> str:
        """The id that the client gave it."""
        return self.headers.get("X-Atlan-Request-Id") or ""

    @property
    def authorization(self) -> str:
        """The header that says who is calling."""
        return self.headers.get("Authorization") or ""

    def json(self) -> Any:
        """The body; None where it is empty."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError as error:
            raise bad_request(f"Request body has an error: failed to decode: {error}") from error


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


class HttpServer(ThreadingHTTPServer):
    """One thread per connection, all of which end with the server."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self.stopping = threading.Event()
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), _Handler)

    def stop(self) -> None:
        """Take no more connections, let calls under way finish, hang up on everybody."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection, thread in list(self._open.items()):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
            thread.join(timeout=10)

    def server_bind(self) -> None:
        """Without the name look-up of the base class, which may hang where there is no DNS."""
        socketserver.TCPServer.server_bind(self)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Remember the connection for as long as it is served."""
        self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._open[request]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the delayed ACK costs 40 ms a call
    server: HttpServer

    def do_GET(self) -> None:
        """Answer a read."""
        self._send(self.server.answer(self._request()))

    def do_POST(self) -> None:
        """Answer a write."""
        self._send(self.server.answer(self._request()))

    def _request(self) -> Request:
        length = int(self.headers.get("Content-Length") or 0)
        return Request(self.command, self.path, self.headers, self.rfile.read(length))

    def _send(self, reply: Reply) -> None:
        """Head and body in one go, unless the reply is to arrive badly."""
        if reply.status is None:
            self.close_connection = True
            return
        head = {
            "Content-Type": reply.content_type,
            "Content-Length": str(len(reply.body)),
            **reply.headers,
        }
        lines = [f"{self.protocol_version} {reply.status} {_phrase(reply.status)}"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        answer = "\r\n".join([*lines, "", ""]).encode() + reply.body
        if reply.is_cut:
            answer = answer[: len(answer) - len(reply.body) // 2 - 1]
            self.close_connection = True
        if not reply.seconds:
            self.wfile.write(answer)
            return
        for byte in answer:
            self.wfile.write(bytes([byte]))
            self.server.stopping.wait(reply.seconds / len(answer))

    def log_message(self, *_: object) -> None:
        """Nothing on the console; the request log has it."""


def _phrase(status: int) -> str:
    with suppress(ValueError):
        return HTTPStatus(status).phrase
    return "Unknown"
