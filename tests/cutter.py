"""Stands between a client and a tenant, hands everything on, and cuts one exchange at the byte that a test names."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

RESET = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # struct linger: on, for 0 seconds


@dataclass
class Cut:
    """Where: the first exchange whose request line the pattern is found in."""

    match: str = "^$"
    request: int | None = None
    """Bytes of the request that arrive at the tenant; then the client's connection is reset."""
    answer: int | None = None
    """Bytes of the answer that arrive at the client."""
    reset: bool = False
    """Whether an answer ends with a reset, rather than as if it were complete."""
    always: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    sizes: tuple[int, int] = (0, 0)
    """Of the exchange that was met: bytes of the whole request, and of the whole answer."""


class Cutter:
    """A server on a port of its own; one thread for each connection."""

    def __init__(self, url: str) -> None:
        self.upstream = ("127.0.0.1", urlsplit(url).port or 0)
        self.cut = Cut()
        self.lock = threading.Lock()
        self.open: set[socket.socket] = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            if self.listener.fileno() < 0 or self.stopped:
                client.close()
                return
            self.threads = [thread for thread in self.threads if thread.is_alive()]
            self.threads.append(threading.Thread(target=self.serve, args=(client,)))
            self.threads[-1].start()

    stopped = False

    def stop(self) -> None:
        self.stopped = True
        with socket.create_connection(self.listener.getsockname()):
            pass
        with self.lock:
            for connection in self.open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        self.listener.close()

    def serve(self, client: socket.socket) -> None:
        with client, closing(socket.create_connection(self.upstream)) as tenant:
            with self.lock:
                self.open |= {client, tenant}
            try:
                with suppress(OSError, EOFError):
                    while self.pass_on(client, tenant):
                        pass
            finally:
                with self.lock:
                    self.open -= {client, tenant}

    def pass_on(self, client: socket.socket, tenant: socket.socket) -> bool:
        """Hand one exchange on; False where the connection ends with it."""
        cut = self.chosen(_first_line(client))
        if cut and cut.request is not None:
            _hand_on(client, tenant, cut.request)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            return False
        request = _message(client)
        tenant.sendall(request)
        answer = _message(tenant)
        if not cut:
            client.sendall(answer)
            return True
        cut.sizes = len(request), len(answer)
        client.sendall(answer[: cut.answer])
        if cut.reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return cut.answer is None

    def chosen(self, line: bytes) -> Cut | None:
        with self.lock:
            if not re.search(self.cut.match, line.decode()):
                return None
            first = not self.cut.done.is_set()
            self.cut.done.set()
            return self.cut if first or self.cut.always else None


@contextmanager
def cutter(url: str) -> Iterator[Cutter]:
    running = Cutter(url)
    try:
        yield running
    finally:
        running.stop()


def _first_line(connection: socket.socket) -> bytes:
    """Look at it and leave it where it is."""
    while b"\r\n" not in (seen := connection.recv(65536, socket.MSG_PEEK)):
        if not seen:
            raise EOFError
    return seen.partition(b"\r\n")[0]


def _hand_on(source: socket.socket, target: socket.socket, size: int) -> None:
    while size:
        part = source.recv(min(size, 65536))
        if not part:
            raise EOFError
        target.sendall(part)
        size -= len(part)


def _message(connection: socket.socket) -> bytes:
    """A whole request or answer, head and body."""
    message = b""
    while not (end := message.find(b"\r\n\r\n") + 4) > 3:
        message += _some(connection)
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)\r\n", message[:end])
    while len(message) < end + int(length[1] if length else 0):
        message += _some(connection)
    return message


def _some(connection: socket.socket) -> bytes:
    part = connection.recv(65536)
    if not part:
        raise EOFError
    return part
