"""Every open question about the API as a switch, every way in which a call goes wrong as a kind of fault.

The tables here are the one source of what a settings file, the command line and the admin endpoint may set, of
``onboarding sandbox --help`` and of docs/sandbox.md. In: JSON values, or text as ``name=value``. Out: values that fit.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from email.utils import parsedate_to_datetime
from random import Random
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Switches:
    """One field per open question about the API; the defaults follow the evidence."""

    group_update: Annotated[
        Literal["merge", "replace"],
        "Attributes that a group update leaves out are kept (merge) or lost (replace).",
    ] = "merge"
    invite_batch: Annotated[
        Literal["per-user", "atomic"],
        "One bad invitation in a batch: the others are made (per-user), or none is (atomic).",
    ] = "per-user"
    unknown_guid: Annotated[
        Literal[404, 400],
        "Status for a guid that does not exist; a 400 has code 3500 and the 404 in its text.",
    ] = 404
    readd_member: Annotated[
        Literal["ok", "error"], "Adding somebody who is a member already: no-op or error."
    ] = "ok"
    known_email: Annotated[
        Literal["error", "mail"],
        "Inviting somebody who has an account: an error, or the mail goes out once more.",
    ] = "error"
    username_collision: Annotated[
        Literal["rename", "error"],
        "A second jdoe@...: gets another username (rename), or is refused (error).",
    ] = "rename"
    role_update: Annotated[
        Literal["roles/update", "update", "both"],
        "The path below /users/{guid}/ that changes a role.",
    ] = "roles/update"
    in_case_sensitive: Annotated[bool, "Whether $in in a filter tells upper from lower case."] = (
        True
    )
    sso_enforced: Annotated[bool, "Invitations are refused: single sign-on is enforced."] = False
    no_seats: Annotated[bool, "Invitations are refused: the licence has no seat left."] = False
    bad_token: Annotated[
        Literal[401, 302],
        "A wrong or expired token: refused (401), or sent to the login page (302).",
    ] = 401
    page_cap: Annotated[int, "No page has more records, whatever limit asks for."] = 100
    page_size: Annotated[
        int, "Every page has this many records and limit is ignored; 0 obeys it."
    ] = 0
    url_limit: Annotated[int, "Characters of an address above which the answer is 414."] = 8192
    totals: Annotated[
        Literal["exact", "moving"],
        "Totals of a list; moving: on each further page they are one more than on the page before.",
    ] = "exact"
    empty_page: Annotated[
        Literal["documented", "null", "list", "missing"],
        "What records is on a page without any; documented: null past the end, else a list.",
    ] = "documented"
    numbers: Annotated[
        Literal["documented", "strings", "numbers"],
        "How counts and times are written; documented: memberCount as a string, the others as numbers.",
    ] = "documented"
    bare_users: Annotated[
        int,
        "About one user in so many is listed without e-mail and attributes; 0: none but service accounts.",
    ] = 0
    read_lag: Annotated[float, "Seconds until a write shows in reads."] = 0.0
    latency_ms: Annotated[int, "Milliseconds that every call takes longer."] = 0
    rate_limit: Annotated[
        int, "Calls a minute, above which everybody is blocked with 429; 0 is no limit."
    ] = 0
    rate_block: Annotated[float, "Seconds that this block lasts."] = 60.0
    retry_after: Annotated[
        bool, "Whether a 429 of the rate limit says in Retry-After how long to wait."
    ] = True
    token_seconds: Annotated[int, "How long an OAuth access token is good for."] = 900


KINDS: Mapping[str, str] = {
    "latency": "Waits `seconds`, then does the work; with done=true the other way round.",
    "status": "Answers `status` with `body`, or with an error in `shape`, and `headers`.",
    "html": "Answers `status` with a web page.",
    "redirect-302": "Answers 302 to a login page.",
    "drop-before": "Hangs up before anything is done.",
    "drop-during": "Does the first half of every list in the body, then hangs up.",
    "drop-after": "Does all of it, then hangs up.",
    "cut-answer": "Does it, and hangs up in the middle of the answer.",
    "truncate-json": "Does it, and answers half of the JSON as if it were all; an empty answer becomes half an object.",
    "slow-drip": "Does it, and takes `seconds` over the answer, byte by byte.",
}

SHAPES: Mapping[str, str] = {
    "A": '{"code", "error", "info", "message", "requestId"}: most of the API',
    "B": '{"<e-mail>": "<text>"}: invitations',
    "C": '{"errorCode", "errorMessage", ...}: the metastore behind the same gateway',
    "D": '{"error", "error_description"}: the token endpoint',
    "E": '{"servlet", "message", "url", "status"}: the servlet in front',
    "F": '{"message"}: the gateway; kind `html` and an empty `body` are its other two answers',
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls the calls whose ``METHOD /path`` the pattern is found in."""

    kind: Annotated[str, "What happens, see above."]
    match: Annotated[str, "Pattern found in `METHOD /path`; default: every call of the API."] = ""
    nth: Annotated[int, "The first such call to be hit, from 1."] = 1
    times: Annotated[int, "How many in a row are hit; 0 is all from then on."] = 1
    one_in: Annotated[int, "Of these, about one in so many is hit, by chance; 0: every one."] = 0
    seed: Annotated[int, "Another number, another chance; the same number, the same calls."] = 0
    status: Annotated[int, "Status of the answer, from 200 to 599."] = 500
    shape: Annotated[
        Literal["", "A", "B", "C", "D", "E", "F"],
        "The answer is an error in this shape, see below.",
    ] = ""
    body: Annotated[object, "Or else this body: text or JSON."] = ""
    headers: Annotated[dict[str, str], "Further headers of the answer."] = field(
        default_factory=dict
    )
    retry_after: Annotated[str, "The header Retry-After: seconds or a date of HTTP."] = ""
    seconds: Annotated[float, "For latency and slow-drip."] = 5.0
    done: Annotated[bool, "Whether the work is done although the answer says otherwise."] = False

    def hits(self, seen: int) -> bool:
        """Whether the call that is the ``seen``-th to match is hit."""
        is_due = seen >= self.nth and (not self.times or seen < self.nth + self.times)
        return is_due and (self.one_in < 2 or self._by_chance(seen))

    def _by_chance(self, seen: int) -> bool:
        """Drawn for each call by itself, so that it is the same whoever comes first."""
        drawn = Random(f"{self.seed} {self.kind} {seen}")  # noqa: S311 - chance, not secrecy
        return drawn.randrange(self.one_in) == 0


Shape = type[Switches] | type[Fault]


def checked(shape: Shape, given: object) -> dict[str, Any]:
    """The given values, each of the type that the field says; ValueError names the one that isn't."""
    values = dict(_mapping(given, shape.__name__, tuple(_types(shape))))
    for name, value in values.items():
        if not _fits(value, _types(shape)[name]):
            raise ValueError(f"{name}: {value!r} is not possible here{_possible(shape, name)}")
    return values


def fault(given: object) -> Fault:
    """A fault out of JSON; ValueError says what is wrong with it."""
    values = checked(Fault, given)
    if values.get("kind") not in KINDS:
        raise ValueError(
            f"{values.get('kind')!r} is no kind of fault; there are {', '.join(KINDS)}"
        )
    try:
        re.compile(values.get("match", ""))
    except re.error as error:
        raise ValueError(f"match: {error}") from error
    given_fault = Fault(**values)
    _check_answer(given_fault)
    return given_fault


def _check_answer(given: Fault) -> None:
    """Refuse what could not be sent, or would never hit."""
    if given.nth < 1:
        raise ValueError(f"nth: {given.nth} is not possible here; the first such call is number 1")
    if not 200 <= given.status <= 599:
        raise ValueError(f"status: {given.status} is not possible here; 200 to 599 are")
    if given.retry_after and not _is_pause(given.retry_after):
        raise ValueError(
            f"retry_after: {given.retry_after!r} is neither seconds nor a date of HTTP; "
            "what else is to stand there can be given in headers"
        )
    for name, text in given.headers.items():
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_TEXT.fullmatch(text)):
            raise ValueError(f"headers: {name!r}: {text!r} can't be a header of one line")


_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_HEADER_TEXT = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]*")


def _is_pause(text: str) -> bool:
    if text.isascii() and text.isdecimal():
        return True
    try:
        return text.isascii() and parsedate_to_datetime(text).tzinfo is not None
    except ValueError:
        return False


def script(settings: object) -> tuple[dict[str, Any], tuple[Fault, ...] | None]:
    """Checked switches, and faults if there are any, out of ``{"switches": {...}, "faults": [...]}``."""
    given = _mapping(settings, "settings", ("switches", "faults"))
    switches = checked(Switches, given.get("switches", {}))
    faults = given.get("faults", [])
    if not isinstance(faults, list):
        raise ValueError("faults: expected a list")  # noqa: TRY004 - one kind of error for a bad file
    return switches, tuple(map(fault, faults)) if "faults" in given else None


def switch_from_text(text: str) -> dict[str, Any]:
    """``page_cap=20`` as a value of JSON, as far as the switch has such values."""
    return _from_text(Switches, [text])


def fault_from_text(text: str) -> dict[str, Any]:
    """``KIND NAME=VALUE ...``; a value with blanks stands in quotes."""
    kind, *rest = shlex.split(text) or [""]
    return {"kind": kind, **_from_text(Fault, rest)}


def _mapping(given: object, what: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    """The given object, once it has no name but known ones."""
    if not isinstance(given, dict):
        raise ValueError(f"{what}: expected an object")  # noqa: TRY004 - one kind of error for a bad file
    for name in given:
        if name not in known:
            raise ValueError(f"{what}: {name!r} is not known; there are {', '.join(known)}")
    return given


def described() -> dict[str, list[tuple[str, str]]]:
    """Everything that can be set, for a page of help: heading -> (term, what it means)."""
    return {
        "Switches, NAME=VALUE, the default first": _described(Switches),
        "Faults, KIND NAME=VALUE ...": list(KINDS.items()),
        "Names in a fault": _described(Fault)[1:],
        "Shapes of an error": list(SHAPES.items()),
    }


def choices(shape: Shape, name: str) -> tuple[object, ...]:
    """The values that a field may have, the default first; none where they can't be counted."""
    if shape is Fault and name == "kind":
        return tuple(KINDS)
    kind = get_args(_types(shape)[name])[0]
    if kind is bool:
        default = next(each.default for each in fields(shape) if each.name == name)
        return (default, not default)
    return get_args(kind) if get_origin(kind) is Literal else ()


def _described(shape: Shape) -> list[tuple[str, str]]:
    return [(_term(shape, name), get_args(kind)[1]) for name, kind in _types(shape).items()]


def _term(shape: Shape, name: str) -> str:
    default = next(each.default for each in fields(shape) if each.name == name)
    told = choices(shape, name) or (("",) if default is MISSING else (default,))
    return (
        f"{name}={'|'.join(each if isinstance(each, str) else json.dumps(each) for each in told)}"
    )


def _possible(shape: Shape, name: str) -> str:
    """What is possible here, for a complaint."""
    if told := choices(shape, name):
        return f"; there are {', '.join(json.dumps(each) for each in told)}"
    kind = get_args(_types(shape)[name])[0]
    return {int: "; write a whole number", float: "; write a number"}.get(kind, "")


def _from_text(shape: Shape, texts: list[str]) -> dict[str, Any]:
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in _types(shape):
            raise ValueError(
                f"{text!r}: expected NAME=VALUE, with a NAME of {', '.join(_types(shape))}"
            )
        values[name] = _parsed(value, _types(shape)[name])
    return values


def _parsed(text: str, kind: object) -> object:
    """The text read as JSON where that fits, else as it stands."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if _fits(value, kind) else text


def _types(shape: Shape) -> Mapping[str, object]:
    return _HINTS[shape.__name__]


_HINTS = {shape.__name__: get_type_hints(shape, include_extras=True) for shape in (Switches, Fault)}


def _fits(value: object, annotated: object) -> bool:
    kind = get_args(annotated)[0]
    if get_origin(kind) is Literal:
        return any(value == each and type(value) is type(each) for each in get_args(kind))
    if kind is object:
        return True
    if kind in (int, float):
        is_number = isinstance(value, int if kind is int else int | float)
        return is_number and not isinstance(value, bool) and 0 <= float(str(value)) < 1e9
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    return isinstance(value, kind)
