"""Who we are to the tenant: an API key, or an OAuth client. What goes in never comes out in a text."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from onboarding.errors import NotSent, TokenRefused, UsageError
from onboarding.way import through, way_out
from onboarding.wire import Broken, Limits, Line, Reply, checked_url, exchange

TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")
TOKENS = "/api/service/oauth-clients/token"  # where a client gets one
EARLY = 60.0  # seconds before its end at which a token is changed for a new one


class Auth:
    """Puts a token on each request."""

    _token: str = ""

    @property
    def headers(self) -> Mapping[str, str]:
        """What signs a request: nothing before there is a token."""
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def ready(self) -> None:
        """Have a token that is still good; called before every call."""

    def renew(self) -> bool:
        """Say whether the call may be made again, since a newer token may fare better."""
        return False

    def hide(self, text: str) -> str:
        """Take the secrets out of a text that the tenant wrote."""
        return text.replace(self._token, "[API key]") if self._token else text


class ApiKey(Auth):
    """The key that an administrator made in Atlan."""

    def __init__(self, key: str) -> None:
        if not TOKEN.fullmatch(key):
            # requests would quote the whole key; we quote nothing of it.
            raise UsageError(
                "The API key holds a character that no key has (a blank, a line break, a quote). "
                "Copy it again, without the word Bearer."
            )
        self._token = key


class ClientCredentials(Auth):
    """OAuth: the id and secret of a client, changed for tokens that live for some minutes."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = checked_url(base_url)
        self._credentials = {"clientId": client_id, "clientSecret": client_secret}
        self._clock = clock
        self._lock = threading.Lock()
        self._fetched = self._due = -math.inf

    def ready(self) -> None:
        """Fetch a token if there is none, or none that lasts."""
        with self._lock:
            if self._clock() >= self._due:
                self._accept(self._fetch())

    def renew(self) -> bool:
        """Forget the token, unless another thread has only just fetched it."""
        with self._lock:
            if self._clock() - self._fetched > 5:
                self._due = -math.inf
        return True

    def hide(self, text: str) -> str:
        """Take token and secret out."""
        return super().hide(text).replace(self._credentials["clientSecret"], "[client secret]")

    def _fetch(self) -> Reply:
        body = json.dumps(self._credentials).encode()
        with closing(Line(self._base_url)) as line:
            try:
                return exchange(line, "POST", TOKENS, Limits(), headers={}, body=body)
            except Broken as broken:
                raise NotSent(
                    f"No token could be fetched from the tenant{through(self._base_url)} "
                    f"({self.hide(broken.reason)}). {way_out(broken.reason)}"
                ) from None

    def _accept(self, reply: Reply) -> None:
        body: Mapping[str, Any] = reply.body if isinstance(reply.body, dict) else {}
        token = body.get("accessToken") or body.get("access_token") or ""
        life = body.get("expiresIn") or body.get("expires_in") or 600
        if reply.status == 429 or reply.status >= 500:
            raise NotSent(f"The tenant gives no token for now ({reply.status}). Try again later.")
        if not (200 <= reply.status < 300 and TOKEN.fullmatch(str(token))):
            raise TokenRefused(
                f"The tenant does not accept the OAuth client ({reply.status}). "
                "Check its id and its secret.",
                status=401,
            )
        self._token = str(token)
        self._fetched = self._clock()
        self._due = self._fetched + max(float(life) - EARLY, float(life) / 2)
