"""The embedded tenant: a request in, the reply that the API gives to it.

A request passes the rate limit, the scripted faults, the token check and its route, and is logged.
Beside the API, ``/__sandbox__/`` tells what happened and sets what should.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from uuid import uuid4

from onboarding.sandbox import store
from onboarding.sandbox.faults import Behaviour, Fault
from onboarding.sandbox.query import Record
from onboarding.sandbox.refusals import (
    Refusal,
    bad_request,
    no_route,
    too_many_requests,
    unauthorised,
)
from onboarding.sandbox.requestlog import RequestLog
from onboarding.sandbox.routes import Call, Found, find_route
from onboarding.sandbox.tokens import Tokens
from onboarding.sandbox.wire import JSON, HttpServer, Reply, Request

_ADMIN = "/__sandbox__/"
_HTML = "text/html; charset=utf-8"
_LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>"
_HANG_UP = Reply(None)


class Sandbox:
    """A running tenant; ``with Sandbox(path) as tenant:`` stops it at the end."""

    def __init__(
        self,
        db: Path,
        port: int = 0,
        *,
        key: str = "sandbox",
        switches: Mapping[str, object] | None = None,
        faults: Sequence[Mapping[str, object]] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``port`` 0 takes a free one. ValueError: no such switch. OSError: port in use."""
        self.behaviour = Behaviour({"switches": dict(switches or {}), "faults": list(faults)})
        self._clock = clock
        self._tokens = Tokens(key, clock)
        self._store = store.Store(db, clock=clock)
        try:
            self._http = HttpServer(port, self.answer)
        except OSError:
            self._store.close()
            raise
        self._log = RequestLog(db.with_name(f"{db.name}-requests.jsonl"), is_new=self._store.is_new)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def tenant(self) -> str:
        """The id kept in its database."""
        return store.tenant_id(self._store)

    def close(self) -> None:
        """Let calls under way finish, then hang up on everybody and let go of the files."""
        self._http.stop()
        self._thread.join()
        self._store.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, request: Request) -> Reply:
        """The reply to one request, which by then is in the log."""
        if request.path.startswith(_ADMIN):
            return _replying(request, lambda: self._administer(request))
        found = find_route(request.method, request.path)
        reply = self._answer_faultily(request, found)
        self._log.append(
            {
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "method": request.method,
                "path": request.target,
                "route": found[0].name if found else "unknown",
                "status": reply.status,
                "request_id": request.id,
                "bytes": len(request.body),
            }
        )
        return reply

    def _answer_faultily(self, request: Request, found: Found) -> Reply:
        """The rate limit's, a fault's or the API's reply."""
        if latency := self.behaviour.switches.latency_ms:
            self._http.stopping.wait(latency / 1000)
        if wait := self.behaviour.seconds_to_wait(self._clock()):
            headers = {"Retry-After": str(math.ceil(wait))}
            reply = _refused(too_many_requests(), request)
            return replace(reply, headers=headers if self.behaviour.switches.retry_after else {})
        fault = self.behaviour.due(f"{request.method} {request.path}")
        if fault is None:
            return self._carry_out(request, found)
        match fault.kind:
            case "drop-before":
                return _HANG_UP
            case "drop-during":
                self._carry_out(request, found, only_half=True)
                return _HANG_UP
            case "status" | "html" | "redirect-302" if not fault.done:
                return _scripted(fault)
            case _:
                return _spoilt(self._carry_out(request, found), fault)

    def _carry_out(self, request: Request, found: Found, *, only_half: bool = False) -> Reply:
        """What the API answers when nothing goes wrong."""
        return _replying(request, lambda: self._call(request, found, only_half=only_half))

    def _call(self, request: Request, found: Found, *, only_half: bool) -> Record | Refusal | None:
        if found is None:
            raise no_route()
        route, guid = found
        if not route.is_open and self._tokens.role(request.authorization) is None:
            raise unauthorised(request.path)
        body = _first_half(request.json()) if only_half else request.json()
        switches = self.behaviour.switches
        opened = self._store.reading if route.method == "GET" else self._store.writing
        with opened(switches.read_lag) as db:
            return route.answer(Call(db, switches, self._tokens, request, guid, body))

    def _administer(self, request: Request) -> object:
        """The paths beside the API; they need no token and are not logged."""
        match request.method, request.path.removeprefix(_ADMIN):
            case "GET", "requests":
                since = request.params.get("since", ["0"])[0]
                return self._log.since(int(since) if since.isdecimal() else 0)
            case "GET", "counts":
                return self._log.counts()
            case "GET", "mails":
                return store.mails(self._store)
            case "POST", "reset":
                self._store.reset()
                self._log.clear()
            case "POST", "faults":
                try:
                    self.behaviour.change(request.json())
                except ValueError as error:
                    raise bad_request(str(error)) from error
                return self.behaviour.as_json()
            case "GET", "faults":
                return self.behaviour.as_json()
            case "GET", "identity":
                pass
            case _:
                raise no_route()
        return {"tenant": self.tenant}


def _first_half(body: object) -> object:
    """The same with the first half of every list, rounded up."""
    if not isinstance(body, dict):
        return body
    return {k: v[: (len(v) + 1) // 2] if isinstance(v, list) else v for k, v in body.items()}


def _replying(request: Request, work: Callable[[], object]) -> Reply:
    """What the work gives back as JSON, or its refusal."""
    try:
        result = work()
    except Refusal as refusal:
        result = refusal
    if isinstance(result, Refusal):
        return _refused(result, request)
    return Reply(200, b"" if result is None else _encoded(result))


def _encoded(result: object) -> bytes:
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()


def _refused(refusal: Refusal, request: Request) -> Reply:
    return Reply(refusal.status, _encoded(refusal.body(request.id or str(uuid4()))))


def _scripted(fault: Fault) -> Reply:
    """The answer that a fault brings along."""
    match fault.kind:
        case "redirect-302":
            return Reply(302, headers={"Location": "/auth/realms/default/login", **fault.headers})
        case "html":
            return Reply(fault.status, _LOGIN_PAGE, _HTML, fault.headers)
        case _:
            text = fault.body if isinstance(fault.body, str) else _encoded(fault.body).decode()
            kind = _HTML if text.startswith("<") else JSON
            return Reply(fault.status, text.encode(), kind, fault.headers)


def _spoilt(reply: Reply, fault: Fault) -> Reply:
    """A good answer, as it arrives through this fault."""
    match fault.kind:
        case "drop-after":
            return _HANG_UP
        case "cut-answer":
            return replace(reply, is_cut=True)
        case "truncate-json":
            return replace(reply, body=reply.body[: len(reply.body) // 2])
        case "slow-drip":
            return replace(reply, seconds=fault.seconds)
        case _:
            return _scripted(fault)
