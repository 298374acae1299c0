"""Which column is which: the headers of a table in, its kind and its columns out.

A header means a field when its normalised spelling is one of ``known.ALIASES``, when a recognised template of another
system says so, or when the settings map it. What the settings map wins over the other two, since somebody wrote it
down for just this table. A spelling that is only near is suggested, never assumed; where the field would change what
the rows ask for (``acton``, ``staus``), the table is refused until somebody says what is meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from onboarding.errors import SheetError, UsageError
from onboarding.headers.joined import joined
from onboarding.headers.kinds import (
    IGNORE,
    came_from,
    given_before,
    kind_of,
    missing,
    said_before,
    seen,
    shaped,
    two,
)
from onboarding.headers.known import ALIASES, CARRIED, DECIDING, GIVEN_AS, READ_AS, STAND_INS, Kind
from onboarding.headers.spelling import (
    FIELD_OF,
    field_of,
    is_password,
    known,
    names_people,
    normal,
    one_slip,
    slip_of,
    spelled,
)
from onboarding.headers.table import Columns, NoKnownHeader, Table, Why, letter, named
from onboarding.headers.templates import TEMPLATES, Template
from onboarding.schemas import clean

__all__ = [
    "CARRIED",
    "STATES",
    "Columns",
    "Kind",
    "NoKnownHeader",
    "Table",
    "Why",
    "came_from",
    "joined",
    "known",
    "letter",
    "named",
    "names_people",
    "normal",
    "result_columns",
    "said_before",
    "understand",
]

_RESULTS = frozenset(
    {"result", *READ_AS.values()}
    | {f"result_{n}" for n in ("status", "code", "message", "fix", "actions", "row")}
)
_ONCE = ("email", "role", "status", "group", "internal_name", "description", "default", "action")
"""Fields that two columns can't share: they would have to agree."""
_ADDRESS_PARTS = {"city", "zip", "zipcode", "postalcode", "streetaddress", "street", "country"}
_ADDRESS_PARTS |= {"countrycode", "ciudad", "cidade", "pais", "codigopostal", "cap", "citta"}
STATES = {"state", "estado", "stato"}
"""Headers that are a part of a postal address beside the others, and an employment's otherwise."""


def result_columns(headers: Sequence[str]) -> frozenset[int]:
    """Give the positions of our own result columns; a lone ``result`` is somebody else's."""
    found = frozenset(i for i, header in enumerate(headers) if header.strip().lower() in _RESULTS)
    return found if any(headers[i].strip().lower() != "result" for i in found) else frozenset()


def understand(
    headers: Sequence[str],
    *,
    kind: Kind | None = None,
    columns: Mapping[str, str] | None = None,
    hint: str = "",
    group: str = "",
) -> Columns:
    """Say what kind of table this is and which column is which.

    ``kind`` decides if given; ``hint``, the name of the file and sheet, breaks ties; ``columns`` is the settings' own
    map from a header to a field (or to ``ignore``); ``group`` is the group of a list of members that names none.
    Raises ``NoKnownHeader``, or ``SheetError`` for what is ambiguous; its note says how each column was understood.
    """
    said = {normal(header): _checked(header, name) for header, name in (columns or {}).items()}
    template = _template(headers)
    if template and not said.keys() & {normal(header) for header in headers}:
        _refuse_template(template)
    found, why = _found(headers, template, said)
    try:
        return _columns(headers, found, why, template, kind, hint, group)
    except SheetError as error:
        if (columns_seen := seen(headers, found)) not in str(error):
            error.add_note(columns_seen)
        raise


def _columns(
    headers: Sequence[str],
    found: Mapping[str, list[int]],
    why: Mapping[int, Why],
    template: Template | None,
    kind: Kind | None,
    hint: str,
    group: str,
) -> Columns:
    passwords = tuple(i for i, reason in why.items() if reason is Why.SECRET)
    unknown = tuple(i for i, reason in why.items() if reason is Why.UNKNOWN)
    kind_said = kind is not None and _by_itself(headers, found, template, hint) is not kind
    try:
        kind, kind_why = _kind(headers, found, template, kind, hint, group)
    except NoKnownHeader:
        if found.keys() & DECIDING:  # what else it says is ours: it is no table of something else
            _refuse_slips(headers, found, unknown, why)
        raise
    _refuse_slips(headers, found, unknown, why)
    fields = shaped(headers, found, kind)
    alone = (
        kind is Kind.MEMBERSHIPS and group and "group" not in fields and "group_id" not in fields
    )
    given = {"group": group} if alone else {}
    if lacking := missing(fields, kind, given):
        raise _lacking(headers, found, kind, lacking, template)
    _refuse_doubles(headers, fields, template.shared if template else frozenset())
    return Columns(
        kind,
        {name: tuple(positions) for name, positions in fields.items()},
        tuple(i for i in unknown if not any(i in positions for positions in fields.values())),
        _suggestions(headers, unknown),
        template.name if template else "",
        passwords,
        kind_why,
        why,
        given,
        kind_said,
    )


def _by_itself(
    headers: Sequence[str], found: Mapping[str, list[int]], template: Template | None, hint: str
) -> Kind | None:
    """Give the kind that a table would be taken for if nobody said it."""
    try:
        return _kind(headers, found, template, None, hint, "")[0]
    except SheetError:
        return None


def _checked(header: str, name: str) -> str:
    if name not in ALIASES and name != IGNORE:
        raise UsageError(
            f'[columns] maps "{header}" to "{name}", which is no field; '
            f"the fields are {', '.join(sorted(ALIASES))}, and {IGNORE}"
        )
    return name


def _template(headers: Sequence[str]) -> Template | None:
    whole = [spelled(header) for header in headers if normal(header)]
    there = {spelling for spellings in whole for spelling in spellings}
    for template in TEMPLATES:
        for signature in template.signatures:
            if signature <= there and (len(whole) == len(signature) or not template.alone):
                return template
    return None


def _refuse_template(template: Template) -> None:
    if template.refusal:
        raise SheetError(f"this looks like a {template.name} table: {template.refusal}")
    if template.passed_over:
        raise NoKnownHeader(f"this looks like a {template.name} table, and {template.passed_over}")


def _found(
    headers: Sequence[str], template: Template | None, said: Mapping[str, str]
) -> tuple[dict[str, list[int]], dict[int, Why]]:
    """Map each field to the positions of its columns, and each position to what made it so; several are several."""
    address = bool(_ADDRESS_PARTS & {normal(header) for header in headers})
    found: dict[str, list[int]] = {}
    mapped: dict[str, list[int]] = {}
    why: dict[int, Why] = {}
    for position, header in enumerate(headers):
        spelling = normal(header)
        name = said.get(spelling, "")
        if not spelling:
            if clean(header):  # of signs only, such as +/-
                why[position] = Why.UNKNOWN
            continue
        if is_password(header) and name in ("", IGNORE):
            why[position] = Why.SECRET
        elif name:
            why[position] = Why.SETTINGS
            if name != IGNORE:
                mapped.setdefault(name, []).append(position)
        else:
            name, why[position] = _meant(header, template, address=address)
            if name:
                found.setdefault(name, []).append(position)
    found |= mapped
    _let_stand_in(headers, found, why, template)
    return found, why


def _meant(header: str, template: Template | None, *, address: bool) -> tuple[str, Why]:
    """Give the field that a header means, and why."""
    for spelling in spelled(header) if template else ():
        for key in (spelling, spelling.rstrip("0123456789") + "#"):
            if template and key in template.fields:
                return template.fields[key], Why.TEMPLATE
    if address and normal(header) in STATES:
        return "", Why.UNKNOWN  # a part of a postal address, not of an employment
    name = field_of(header)
    return name, Why.NAME if name else Why.UNKNOWN


def _let_stand_in(
    headers: Sequence[str],
    found: dict[str, list[int]],
    why: dict[int, Why],
    template: Template | None,
) -> None:
    """Let the best weaker header stand in for a field that nothing else names."""
    for name, spellings in STAND_INS.items():
        if name in found or (name == "group" and "groups" in found):
            continue
        for spelling in spellings:
            at = [
                i
                for i, header in enumerate(headers)
                if spelling in spelled(header) and why[i] in (Why.NAME, Why.UNKNOWN)
            ]
            if at and not (name == "role" and template):
                for weaker in ("username", "group_id"):
                    others = [i for i in found.pop(weaker, []) if i not in at]
                    found |= {weaker: others} if others else {}
                found[name] = at
                why |= dict.fromkeys(at, Why.STAND_IN)
                break


def _kind(
    headers: Sequence[str],
    found: Mapping[str, list[int]],
    template: Template | None,
    kind: Kind | None,
    hint: str,
    group: str,
) -> tuple[Kind, str]:
    if kind:
        return kind, "--kind"
    if given_before(headers):
        return Kind.MEMBERSHIPS, f"--group, as {GIVEN_AS['group']} says"
    if template and template.kind:
        return template.kind, f"{template.name} table"
    try:
        return kind_of(headers, found, hint, group=group)
    except NoKnownHeader as error:
        raise NoKnownHeader(f"{error}{_hints(headers)}") from None


def _refuse_slips(
    headers: Sequence[str],
    found: Mapping[str, list[int]],
    unknown: Sequence[int],
    why: Mapping[int, Why],
) -> None:
    """Refuse a header that nearly is one which would change what the rows ask for; a note could be overlooked."""
    for i in unknown:
        meant = slip_of(headers[i])
        name = FIELD_OF.get(meant, "")
        there = {n for n, at in found.items() if not any(why[k] is Why.STAND_IN for k in at)}
        if name and name not in there:
            header = headers[i].strip()
            raise SheetError(
                f'{named(headers, [i])} nearly is "{meant}", which would change what the rows ask for; rename it, or '
                f'say in the settings what it is, under [columns]: "{header}" = "{name}", or "{header}" = "{IGNORE}"'
            )


def _lacking(
    headers: Sequence[str],
    found: Mapping[str, list[int]],
    kind: Kind,
    lacking: Sequence[str],
    template: Template | None,
) -> SheetError:
    """Word which keys are missing, and where to get them; a recognised table is refused by name."""
    if template and list(lacking) == ["group"]:
        return SheetError(
            f"this looks like a {template.name} table, which does not say whose members these are; "
            "name the group with --group NAME, or add a column group"
        )
    what = f"a {kind} table needs a column {' and '.join(lacking)}, and none of these is one"
    return NoKnownHeader(f"{what} ({seen(headers, found)}){_hints(headers)}")


def _refuse_doubles(
    headers: Sequence[str], fields: Mapping[str, Sequence[int]], shared: frozenset[str]
) -> None:
    for name in _ONCE:
        if len(fields.get(name, ())) > 1 and name not in shared:
            raise SheetError(two(headers, name, fields[name]))


def _hints(headers: Sequence[str]) -> str:
    near = _suggestions(headers, [i for i, header in enumerate(headers) if normal(header)])
    words = (f'; did you mean "{name}" by "{headers[i]}"?' for i, name in near.items())
    return "".join(words) + "; correct the headers, or map them under [columns] in the settings"


_TINY = 3
"""Letters of which too many words are near: ``No`` is a number, no slip of ``nom``."""


def _suggestions(headers: Sequence[str], positions: Sequence[int]) -> dict[int, str]:
    near: dict[int, str] = {}
    for i in positions:
        typed = normal(headers[i])
        if len(typed) > _TINY and not field_of(headers[i]):
            for close in difflib.get_close_matches(typed, FIELD_OF, n=1, cutoff=0.8):
                ratio = difflib.SequenceMatcher(None, typed, close).ratio()
                if ratio > 0.9 or one_slip(typed, close) or close.startswith(typed):
                    near[i] = FIELD_OF[close]
    return near
