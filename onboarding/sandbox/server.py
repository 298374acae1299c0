"""The embedded tenant: a request in, the reply that the API gives to it.

A request passes the rate limit, the scripted faults, the token check and its route, and is logged.
Beside the API, ``/__sandbox__/`` tells what happened and sets what should.
"""

from __future__ import annotations

import json
import math
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from uuid import uuid4

from onboarding.sandbox import store
from onboarding.sandbox.faults import Behaviour, is_instead, spoilt, to_login
from onboarding.sandbox.people import change_people
from onboarding.sandbox.refusals import (
    Refusal,
    bad_request,
    broken,
    forbidden,
    no_route,
    too_long,
    too_many_requests,
    unauthorised,
)
from onboarding.sandbox.requestlog import RequestLog
from onboarding.sandbox.routes import Call, Found, find_route
from onboarding.sandbox.switches import Fault
from onboarding.sandbox.tokens import Tokens
from onboarding.sandbox.wire import HttpServer, Reply, Request

_ADMIN = "/__sandbox__/"


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
            self._http = HttpServer(port, self.answer, self._note_malformed)
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
        reply = _replying(request, lambda: self._answer_faultily(request, found))
        self._note(request, found[0].name if found else "unknown", reply.status)
        return reply

    def _note_malformed(self, status: int) -> None:
        """What is no HTTP has neither method nor path."""
        self._note(Request("", "", {}), "malformed", status)

    def _note(self, request: Request, route: str, status: int | None) -> None:
        self._log.append(
            {
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "method": request.method,
                "path": request.target,
                "route": route,
                "status": status,
                "request_id": request.id,
                "bytes": len(request.body),
            }
        )

    def _answer_faultily(self, request: Request, found: Found) -> Reply:
        """The rate limit's, a fault's or the API's reply."""
        switches = self.behaviour.switches
        self._http.stopping.wait(switches.latency_ms / 1000)
        if wait := self.behaviour.seconds_to_wait(self._clock()):
            headers = {"Retry-After": str(math.ceil(wait))}
            reply = _refused(too_many_requests(), request)
            return replace(reply, headers=headers if switches.retry_after else {})
        if len(request.target) > switches.url_limit:
            return _refused(too_long(), request)
        fault = self.behaviour.due(f"{request.method} {request.path}")
        return self._befallen(fault, request, found) if fault else self._carry_out(request, found)

    def _befallen(self, fault: Fault, request: Request, found: Found) -> Reply:
        """What a call comes to that meets this fault."""
        if is_instead(fault) or fault.kind == "drop-before":
            return spoilt(fault, request)
        if fault.kind == "latency" and not fault.done:
            self._http.stopping.wait(fault.seconds)
        reply = self._carry_out(request, found, only_half=fault.kind == "drop-during")
        if fault.kind == "latency" and fault.done:
            self._http.stopping.wait(fault.seconds)
        return spoilt(fault, request, reply)

    def _carry_out(self, request: Request, found: Found, *, only_half: bool = False) -> Reply:
        """What the API answers when nothing goes wrong."""
        return _replying(request, lambda: self._call(request, found, only_half=only_half))

    def _call(self, request: Request, found: Found, *, only_half: bool) -> object:
        if found is None:
            raise no_route()
        route, names = found
        switches = self.behaviour.switches
        if not route.is_open and self._tokens.role(request.authorization) is None:
            if switches.bad_token == 302:
                return to_login({})
            raise unauthorised(request.path)
        body = _first_half(request.json()) if only_half else request.json()
        opened = self._store.reading if route.method == "GET" else self._store.writing
        with opened(switches.read_lag) as db:
            return route.answer(Call(db, switches, self._tokens, request, names, body))

    def _administer(self, request: Request) -> object:
        """The paths beside the API; they need no token and are not logged, and no web page may ask for them."""
        _refuse_pages(request)
        match request.method, request.path.removeprefix(_ADMIN):
            case "GET", "requests":
                since = request.params.get("since", ["0"])[0]
                return self._log.since(int(since) if since.isdecimal() else 0)
            case "GET", "counts":
                return self._log.counts()
            case "GET", "mails":
                return store.mails(self._store)
            case "POST", "people":
                with self._store.writing() as db:
                    return change_people(db, request.json())
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


_HERE = ("127.0.0.1", "localhost")


def _refuse_pages(request: Request) -> None:
    """Let no web page in the user's browser at the administration, under whatever name it comes."""
    host = request.headers.get("host", "").rpartition(":")[0]
    if host not in _HERE or "origin" in request.headers:
        raise forbidden("These paths are for programs on this machine, not for web pages")


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
    except Exception:  # noqa: BLE001 -- the last door: a bug or a full disk is a 500, and the server lives on
        traceback.print_exc()
        result = broken("Something went wrong inside the embedded tenant")
    match result:
        case Reply():
            return result
        case Refusal():
            return _refused(result, request)
        case None:
            return Reply(200)
        case _:
            return Reply(200, _encoded(result))


def _encoded(result: object) -> bytes:
    """As JSON, which text is already."""
    if isinstance(result, str):
        return result.encode()
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()


def _refused(refusal: Refusal, request: Request) -> Reply:
    return Reply(refusal.status, _encoded(refusal.body(request.id or str(uuid4()))))
