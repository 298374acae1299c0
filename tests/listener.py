"""A server of real sockets that does exactly what a test says, byte for byte, with and without TLS.

``loopback.pem`` is the key and certificate of nobody: self-signed, for 127.0.0.1, good for a hundred years.
"""

from __future__ import annotations

import io
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

CERTIFICATE = Path(__file__).parent / "loopback.pem"
CUT = "cut"  # close the connection after what was sent so far
RESET = "reset"


class Raw(bytes):
    """Bytes that go out below TLS."""


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


class _Ear(io.RawIOBase):
    def __init__(self, connection: socket.socket, pieces: list[bytes]) -> None:
        self._connection = connection
        self._pieces = pieces

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._connection.recv_into(buffer)
        self._pieces.append(bytes(buffer[:count]))
        return count


@dataclass
class Server:
    """Answers each request with the next step of a script, or as a function says, and keeps what it was asked."""

    script: list[object]
    answer: Callable[[Request], object] | None = None
    tls: bool = False
    hello: object = ()
    """What is done on a new connection before any request is read; with TLS, after the handshake."""
    asked: list[Request] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    """What arrived, reading by reading; with TLS no more at once than the client sent at once."""
    connections: list[socket.socket] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if self.tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"
        self.steps = iter(self.script)
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            if self.stopping.is_set():
                connection.close()
                return
            self.connections.append(connection)
            self.threads.append(threading.Thread(target=self.serve, args=(connection,)))
            self.threads[-1].start()

    def serve(self, connection: socket.socket) -> None:
        # A client may break off at any time, and `stop` shuts what is still open.
        with (
            suppress(OSError),
            self.wrapped(connection) as spoken,
            io.BufferedReader(_Ear(spoken, self.pieces)) as incoming,
        ):
            if self.hello and not self.act(spoken, self.hello):
                return
            while request := self.read(incoming):
                with self.lock:
                    self.asked.append(request)
                    step = self.answer(request) if self.answer else next(self.steps, http(599))
                if not self.act(spoken, step):
                    return

    def wrapped(self, connection: socket.socket) -> socket.socket:
        if not self.tls:
            return connection
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        spoken = context.wrap_socket(connection, server_side=True)
        self.connections.append(spoken)
        return spoken

    def read(self, incoming: BinaryIO) -> Request | None:
        if not (line := incoming.readline().decode("latin-1").strip()):
            return None
        headers = {}
        while header := incoming.readline().decode("latin-1").strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        return Request(line, headers, incoming.read(int(headers.get("content-length", 0))))

    def act(self, connection: socket.socket, step: object) -> bool:
        """Do one step; False where the connection ends with it."""
        for part in step if isinstance(step, tuple) else (step,):
            match part:
                case Raw():
                    os.write(connection.fileno(), part)
                case bytes():
                    connection.sendall(part)
                case float():
                    self.stopping.wait(part)
                case "reset":
                    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return False
                case "cut":
                    return False
        return True

    def stop(self) -> None:
        self.stopping.set()
        with socket.create_connection(self.listener.getsockname()):
            pass
        self.threads[0].join()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        self.listener.close()


@contextmanager
def _running(one: Server) -> Iterator[Server]:
    try:
        yield one
    finally:
        one.stop()


def server(
    *script: object, answer: Callable[[Request], object] | None = None, hello: object = ()
) -> AbstractContextManager[Server]:
    return _running(Server(list(script), answer, hello=hello))


def tls_server(*script: object, hello: object = ()) -> AbstractContextManager[Server]:
    return _running(Server(list(script), tls=True, hello=hello))


def http(status: int, body: object = None, *lines: str) -> bytes:
    """A whole answer; a text body as it is, anything else as JSON, None as nothing."""
    content = (
        b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    )
    head = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}", *lines, "", ""]
    return "\r\n".join(head).encode() + content
