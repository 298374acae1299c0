"""Atlan's own Python SDK at work: orders come in as lines of JSON, what it did and believes goes out.

Runs in an environment of its own that has pyatlan, and knows nothing of us. An order names a method of the SDK's
client (``"user.get_by_email"``), its arguments, and who calls: the ``key``, an ``oauth`` client, or somebody with a
``bad`` key; ``"key async"`` is the client that does not block. The answer has the method's ``result``, or the ``error``
as the SDK classifies it, and the requests that were ``sent``: each once, however often the SDK repeated it. With
``each``, a paged result is gone through to its end. The order ``"fresh"`` forgets all clients, with what they cached.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from collections.abc import Callable
from typing import Any

from httpx_retries import Retry
from pyatlan.client.aio.client import AsyncAtlanClient
from pyatlan.client.atlan import DEFAULT_RETRY, VERSION, AtlanClient
from pyatlan.model.group import AtlanGroup, GroupRequest
from pyatlan.model.user import AtlanUser, UserRequest

WHO = {
    "key": {"api_key": "sandbox"},
    "oauth": {"oauth_client_id": "oauth-client-witness", "oauth_client_secret": "sandbox"},
    "bad": {"api_key": "nonsense"},
    "bad oauth": {"oauth_client_id": "oauth-client-witness", "oauth_client_secret": "nonsense"},
}
MAKERS: dict[str, Callable[..., Any]] = {
    "AtlanUser": AtlanUser,
    "AtlanGroup": AtlanGroup,
    "AtlanGroup.Attributes": AtlanGroup.Attributes,
    "AtlanGroup.create": AtlanGroup.create,
    "UserRequest": UserRequest,
    "GroupRequest": GroupRequest,
}
ROOMS = ("user", "group", "role")
IN_A_HURRY = Retry(
    total=DEFAULT_RETRY.total,
    backoff_factor=0.001,
    status_forcelist=DEFAULT_RETRY.status_forcelist,
    allowed_methods=DEFAULT_RETRY.allowed_methods,
    respect_retry_after_header=True,
)
"""What the SDK repeats by default, and as often, but at once."""


class Witness:
    """One tenant's callers, each with a client of its own."""

    def __init__(self, url: str) -> None:
        self._common = {"base_url": url, "proxy": None, "verify": False, "retry": IN_A_HURRY}
        self._loop = asyncio.new_event_loop()
        self._clients: dict[str, Any] = {}
        self._sent: list[dict[str, Any]] = []

    def offers(self) -> list[str]:
        """Every method that the SDK has for users, groups and roles."""
        client = self._client("key")
        rooms = [(room, getattr(client, room)) for room in ROOMS]
        return [f"{room}.{name}" for room, has in rooms for name in dir(has) if name[0] != "_"]

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        self._sent.clear()
        if order["call"] == "fresh":
            self._clients.clear()
            return {}
        try:
            answer = self._call(order)
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises, the test asks which it was
            answer = {"error": type(error).__name__, "text": str(error)}
        return answer | {"sent": self._sent}

    def _client(self, who: str) -> Any:
        if who not in self._clients:
            proof = WHO[who.removesuffix(" async")]
            if who.endswith(" async"):
                client = AsyncAtlanClient(**self._common, **proof)
                client._async_session.event_hooks["request"] = [self._note_async]
            else:
                client = AtlanClient(**self._common, **proof)
                client._session.event_hooks["request"] = [self._note]
            self._clients[who] = client
        return self._clients[who]

    def _call(self, order: dict[str, Any]) -> dict[str, Any]:
        found = self._client(order["who"])
        *rooms, method = order["call"].split(".")
        for room in rooms:
            found = getattr(found, room)
        found = getattr(found, method)(**_made(order["with"]))
        if inspect.isawaitable(found):
            found = self._loop.run_until_complete(found)
        answer = {"result": _plain(found)}
        if order["each"]:
            answer["each"] = _plain(self._each(found))
        return answer

    def _each(self, pages: Any) -> list[Any]:
        async def gather() -> list[Any]:
            return [record async for record in pages]

        if hasattr(pages, "__aiter__"):
            return self._loop.run_until_complete(gather())
        return list(pages)

    def _note(self, request: Any) -> None:
        query = request.url.params.multi_items()
        body = json.loads(request.content or "null")
        self._sent.append([request.method, request.url.path, query, body])

    async def _note_async(self, request: Any) -> None:
        self._note(request)


def _made(value: Any) -> Any:
    """``{"make": "AtlanGroup.create", "alias": "X"}`` becomes that, wherever it stands."""
    match value:
        case {"make": name, **arguments}:
            return MAKERS[name](**_made(arguments))
        case dict():
            return {name: _made(each) for name, each in value.items()}
        case list():
            return [_made(each) for each in value]
        case _:
            return value


def _plain(found: Any) -> Any:
    """What the SDK gives back, under the names of the wire, without what the tenant had not sent."""
    if isinstance(found, list):
        return [_plain(each) for each in found]
    if hasattr(found, "json"):
        return json.loads(found.json(by_alias=True, exclude_unset=True))
    return found


def main(url: str) -> None:
    witness = Witness(url)
    _say({"version": VERSION, "offers": witness.offers()})
    for line in sys.stdin:
        _say(witness.obey(json.loads(line)))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
