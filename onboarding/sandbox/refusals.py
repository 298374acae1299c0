"""Every way the tenant says no, in the shapes that the API answers.

A: ``bad_request``, ``keycloak``, ``forbidden``, ``broken``; B: ``not_invited``; D: ``bad_client``;
E: ``unauthorised``; F: ``no_route``, ``too_long``. C belongs to another part of the API, and can only be scripted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus


class Refusal(Exception):
    """An answer that is not a yes."""

    def __init__(self, status: int, body: Mapping[str, object]) -> None:
        super().__init__(status, body)
        self.status = status
        self._body = body

    def body(self, request_id: str) -> dict[str, object]:
        """The body, with the request's id where its shape has one."""
        stamp = {"requestId": request_id} if "requestId" in self._body else {}
        return {**self._body, **stamp}


def bad_request(message: str) -> Refusal:
    """The body or a parameter does not fit the schema."""
    return _heracles(400, 1000, "Please check your request parameters", message)


def keycloak(outer: int, inner: int, message: str) -> Refusal:
    """The identity server's refusal; ``outer`` is the status of the answer around it."""
    return _heracles(
        outer, 3500, "keycloak error", f"{inner} {HTTPStatus(inner).phrase}: {message}"
    )


def forbidden(message: str) -> Refusal:
    """The token may not do this, or nobody may."""
    return _heracles(403, 403, "forbidden", message)


def broken(message: str) -> Refusal:
    """A fault of this server's own."""
    return _heracles(500, 500, "internal error", message)


def too_many_requests() -> Refusal:
    """The rate limit's."""
    return _heracles(429, 429, "too many requests", "API rate limit exceeded")


def not_invited(by_email: Mapping[str, str]) -> Refusal:
    """What stood in the way of each of these; the rest of the batch may have been invited."""
    return Refusal(500, by_email)


def bad_client() -> Refusal:
    """The OAuth client's id or secret is wrong."""
    description = "Invalid client or Invalid client credentials"
    return Refusal(401, {"error": "invalid_client", "error_description": description})


def unauthorised(path: str) -> Refusal:
    """The token is missing, wrong or has run out."""
    return Refusal(
        401, {"servlet": "heracles", "message": "Unauthorized", "url": path, "status": "401"}
    )


def too_long() -> Refusal:
    """The address has more characters than the gateway takes."""
    return Refusal(414, {"message": "Request-URI Too Large"})


def no_route() -> Refusal:
    """No endpoint has this method and path."""
    return Refusal(404, {"message": "no Route matched with those values"})


def shaped(shape: str, status: int, path: str, emails: Sequence[str]) -> Refusal:
    """An error of this status in any of the shapes, for a call of this path about these people."""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    match shape:
        case "A":
            return _heracles(status, status, phrase.lower(), phrase)
        case "B":
            return Refusal(status, dict.fromkeys(emails, f"{status} {phrase}"))
        case "C":
            cause = {"errorType": "AtlasBaseException", "errorMessage": phrase, "location": path}
            told = {"errorMessage": phrase, "errorCause": phrase, "causes": [cause]}
            return Refusal(status, {"errorCode": f"ATLAS-{status}-00-001", **told})
        case "D":
            return Refusal(status, {"error": "server_error", "error_description": phrase})
        case "E":
            where = {"servlet": "heracles", "message": phrase, "url": path}
            return Refusal(status, {**where, "status": str(status)})
        case _:
            return Refusal(status, {"message": phrase})


def _heracles(status: int, code: int, error: str, message: str) -> Refusal:
    body = {"code": code, "error": error, "info": None, "message": message, "requestId": ""}
    return Refusal(status, body)
