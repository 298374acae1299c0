"""Who may come in: the API key, and access tokens handed out to OAuth clients."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable


class Tokens:
    """The accepted bearer tokens of one running tenant; those handed out don't outlive it."""

    def __init__(self, key: str, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock
        self._granted: dict[str, float] = {}

    def role(self, authorization: str) -> str | None:
        """What the bearer of this header may do; None where nothing."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer":
            return None
        if _same(token, self._key):
            return "$api-token-default-access"
        return "$admin" if self._granted.get(token, 0.0) > self._clock() else None

    def grant(self, client: str, secret: str, seconds: int) -> str | None:
        """An access token for any ``oauth-client-…`` whose secret is the key."""
        if not (client.startswith("oauth-client-") and _same(secret, self._key)):
            return None
        token = secrets.token_urlsafe(32)
        self._granted[token] = self._clock() + seconds
        return token


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
