"""Which column is which: the headers of a table in, its kind and its columns out.

A header means a field when its normalised spelling is one of ``known.ALIASES``, when a recognised template of another
system says so, or when the settings map it. A spelling that is only near is suggested, never assumed. What the
settings map wins over the other two, since somebody wrote it down for just this table.

The kind follows from the columns:

=========== ===============================================================================================
memberships an e-mail and one group column, and nothing that is said of a whole person (role, status, several
            groups); or an e-mail, any group column and an ``action``
users       an e-mail and at least one more known column
groups      a group column (``group``, ``team``, ``alias``, or ``name`` beside a description and the like), no
            e-mail and no person's name
=========== ===============================================================================================

A person's names beside an e-mail and one group column fit both users and memberships: then the name of the file or
sheet decides, and without a word there it is memberships, which invite nobody.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from onboarding.errors import SheetError, UsageError
from onboarding.headers.known import ALIASES, CARRIED, STAND_INS, TEMPLATES, Kind, Template
from onboarding.headers.spelling import FIELD_OF, field_of, known, names_people, normal, spelled
from onboarding.model import Finding

__all__ = [
    "CARRIED",
    "Columns",
    "Kind",
    "NoKnownHeader",
    "Table",
    "known",
    "letter",
    "names_people",
    "normal",
    "result_columns",
    "understand",
]


class NoKnownHeader(SheetError):
    """These headers are no table of ours; in a folder such a file is ignored, named directly it is an error."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The headers of a table, understood."""

    kind: Kind
    fields: Mapping[str, tuple[int, ...]]
    """Canonical name -> positions; more than one for ``groups`` and for what is only carried along."""
    unknown: tuple[int, ...] = ()
    """Positions that no field goes by, blank headers left out."""
    suggestions: Mapping[int, str] = field(default_factory=dict)
    """Unknown position -> the alias that its header nearly is."""
    template: str = ""
    """The system whose template this is, where it was recognised."""
    blanked: tuple[int, ...] = ()
    """Positions of passwords: nobody but the reader ever sees their cells."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the job: text under understood columns, each row under the number that the file shows."""

    index: int
    """Which table of the job, from 0."""
    source: str
    """``users.csv`` or ``hr.xlsx!Users``."""
    path: Path | None
    """None for standard input."""
    sheet: str | None
    headers: tuple[str, ...]
    frame: pd.DataFrame
    """Every row that is not blank. Columns are positions from 0, the index holds row numbers, '' is a blank cell."""
    columns: Columns
    encoding: str
    """Empty for a workbook, as is ``delimiter``."""
    delimiter: str
    fed_back: bool
    """Whether it carried result columns; they are in neither ``headers`` nor ``frame``."""
    findings: tuple[Finding, ...] = ()
    surplus: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """The cells beyond the last header, of the rows that have such; their cells may be shifted."""
    top: int = 1
    """The number of the header row."""
    places: tuple[int, ...] = ()
    """Where each column of the frame stands in the file, from 0: result columns were cut out between them."""
    ignored: Mapping[int, str] = field(default_factory=dict)
    """Row number -> why it is not in the frame, for every such row of the file: blank, title, headers, total, …"""


IGNORE = "ignore"
"""What the settings map a header to that is to be carried along only."""
_RESULTS = frozenset(
    {"result"} | {f"result_{n}" for n in ("status", "code", "message", "fix", "actions", "row")}
)
_WHOLE_PERSON = {"role", "status", "blocked", "groups"}
_NAMES = {"first_name", "last_name", "full_name", "username"}
_ONCE = ("email", "role", "status", "group", "internal_name", "description", "default", "action")
"""Fields that two columns can't share: they would have to agree."""
_ADDRESS_PARTS = {"city", "zip", "zipcode", "postalcode", "streetaddress", "country", "countrycode"}
_PASSWORD = re.compile("passw[od]|kennwort|contrasena|motdepasse|pwd")


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
) -> Columns:
    """Say what kind of table this is and which column is which.

    ``kind`` decides if given; ``hint``, the name of the file and sheet, breaks ties; ``columns`` is the settings' own
    map from a header to a field (or to ``ignore``). Raises ``NoKnownHeader``, or ``SheetError`` for what is ambiguous.
    """
    template = _template(headers)
    if template and template.refusal and not columns:
        raise SheetError(f"this is a table of the kind {template.name}: {template.refusal}")
    found = _found(headers, template, columns or {})
    passwords = tuple(found.pop("password", ()))
    kind = kind or (template.kind if template else None) or _kind(headers, found, hint)
    fields = _shaped(headers, found, kind)
    _refuse_doubles(headers, fields, template.shared if template else frozenset())
    taken = {i for named in (found, fields) for positions in named.values() for i in positions}
    unknown = tuple(
        i for i, h in enumerate(headers) if normal(h) and i not in taken and i not in passwords
    )
    return Columns(
        kind,
        {name: tuple(positions) for name, positions in fields.items()},
        unknown,
        _suggestions(headers, unknown),
        template.name if template else "",
        passwords,
    )


def _template(headers: Sequence[str]) -> Template | None:
    whole = [spelled(header) for header in headers if normal(header)]
    there = {spelling for spellings in whole for spelling in spellings}
    for template in TEMPLATES:
        alone = len(whole) == len(template.signature)
        if template.signature <= there and (alone or not template.alone):
            return template
    return None


def _found(
    headers: Sequence[str], template: Template | None, columns: Mapping[str, str]
) -> dict[str, list[int]]:
    """Map each field to the positions of its columns; several are several."""
    said = {normal(header): _checked(header, name) for header, name in columns.items()}
    address = bool(_ADDRESS_PARTS & {normal(header) for header in headers})
    found: dict[str, list[int]] = {}
    mapped: dict[str, list[int]] = {}
    for position, header in enumerate(headers):
        spelling = normal(header)
        if spelling in said:
            if said[spelling] != IGNORE:
                mapped.setdefault(said[spelling], []).append(position)
        elif _PASSWORD.search(spelling) and not spelling.startswith("change"):
            found.setdefault("password", []).append(position)
        elif spelling == "state" and address:
            continue  # a part of a postal address, not of an employment
        elif name := _in_template(header, template):
            found.setdefault(name, []).append(position)
    found |= mapped
    for name, spellings in STAND_INS.items():
        if name not in found:
            ours = [s for s in spellings if not template or template.fields.get(s) != ""]
            _stand_in(headers, found, name, ours)
    return found


def _checked(header: str, name: str) -> str:
    if name not in ALIASES and name != IGNORE:
        raise UsageError(
            f'[columns] maps "{header}" to "{name}", which is no field; '
            f"the fields are {', '.join(sorted(ALIASES))}, and {IGNORE}"
        )
    return name


def _in_template(header: str, template: Template | None) -> str:
    for spelling in spelled(header):
        if template and spelling in template.fields:
            return template.fields[spelling]
    return field_of(header)


def _stand_in(
    headers: Sequence[str], found: dict[str, list[int]], name: str, spellings: Sequence[str]
) -> None:
    """Let the best weaker header stand in for a field that nothing else names."""
    for spelling in spellings:
        at = [i for i, header in enumerate(headers) if spelling in spelled(header)]
        if at:
            others = [i for i in found.get("username", []) if i not in at]
            found.pop("username", None)
            found |= {name: at} | ({"username": others} if others else {})
            return


def _kind(headers: Sequence[str], found: Mapping[str, list[int]], hint: str) -> Kind:
    if "email" in found:
        return _kind_of_people(headers, found, hint)
    team = found.keys() & {"group", "groups"} or _looks_like_teams(headers, found, hint)
    if team and not found.keys() & ((_NAMES - {"full_name"}) | {"role"}):
        return Kind.GROUPS
    raise NoKnownHeader(_nothing_known(headers, found))


def _kind_of_people(headers: Sequence[str], found: Mapping[str, list[int]], hint: str) -> Kind:
    group = "group" in found
    whole_person = found.keys() & _WHOLE_PERSON
    if "action" in found and (group or "groups" in found) and not whole_person - {"groups"}:
        return Kind.MEMBERSHIPS
    if group and not whole_person:
        of_people = found.keys() & _NAMES and re.search(
            r"user|people|person|staff|employee|hr\b|joiner", hint.casefold()
        )
        return Kind.USERS if of_people else Kind.MEMBERSHIPS
    if len(found) > 1:
        return Kind.USERS
    address = headers[found["email"][0]]
    raise NoKnownHeader(
        f'the only known column is "{address}", and a list of addresses alone invites nobody; '
        "add a column role or groups, or say --kind users"
    )


def _looks_like_teams(headers: Sequence[str], found: Mapping[str, list[int]], hint: str) -> bool:
    """Whether a name, or an alias, is that of a group."""
    if any(normal(header) == "alias" for header in headers):
        return True
    beside = found.keys() & {"internal_name", "description", "default"}
    return "full_name" in found and bool(beside or re.search("group|team", hint.casefold()))


def _nothing_known(headers: Sequence[str], found: Mapping[str, list[int]]) -> str:
    """Word what is missing, with what there is and what it nearly is."""
    shown = ", ".join(f'"{header.strip()}"' for header in headers if header.strip())
    near = _suggestions(headers, [i for i, h in enumerate(headers) if normal(h)])
    hints = "".join(f'; did you mean "{alias}" by "{headers[i]}"?' for i, alias in near.items())
    what = "people's columns and no e-mail" if found else "neither an e-mail nor a group column"
    return (
        f"there are {what} (columns: {shown or 'none'}){hints}; "
        "correct the headers, or map them under [columns] in the settings"
    )


def _shaped(
    headers: Sequence[str], found: Mapping[str, list[int]], kind: Kind
) -> dict[str, list[int]]:
    """Name the columns as this kind of table means them, and insist on its keys."""
    fields = dict(found)
    needed: set[str]
    match kind:
        case Kind.USERS:
            _users_shape(headers, fields)
            needed = {"email"}
        case Kind.MEMBERSHIPS:
            _one_group(headers, fields)
            if "action" not in fields and "status" in fields:
                fields["action"] = fields.pop("status")
            needed = {"email", "group"}
        case Kind.GROUPS:
            _groups_shape(headers, fields)
            needed = {"group"}
    if missing := sorted(needed - fields.keys()):
        raise NoKnownHeader(
            f"a {kind} table needs a column {' and '.join(missing)}, and none of these is one: "
            + ", ".join(f'"{h}"' for h in headers if h.strip())
        )
    return fields


def _users_shape(headers: Sequence[str], fields: dict[str, list[int]]) -> None:
    if "action" in fields:
        raise SheetError(
            f'a users table has no action, and here is a column "{headers[fields["action"][0]]}"; put who leaves '
            "which group into a memberships table, who leaves the company under status, or map the "
            f"column to {IGNORE} under [columns]"
        )
    groups = sorted(fields.pop("group", []) + fields.pop("groups", []))
    plain = [i for i in groups if not headers[i].strip()[-1:].isdigit()]
    if len(plain) > 1:
        raise SheetError(_two(headers, "groups", plain))
    if groups:
        fields["groups"] = groups
    if "blocked" in fields and "status" in fields:
        raise SheetError(_two(headers, "status", [*fields["status"], *fields["blocked"]]))


def _groups_shape(headers: Sequence[str], fields: dict[str, list[int]]) -> None:
    """In Atlan's own words a group's ``alias`` is what people see, and its ``name`` the internal one.

    A group that is marked as deleted must not be taken for one to create.
    """
    for name in ("action", "status", "blocked"):
        if name in fields:
            raise SheetError(
                f'a groups table has no {name}, and here is a column "{headers[fields[name][0]]}"; groups are only made '
                f"and changed, never deleted: delete the column, or map it to {IGNORE} under [columns]"
            )
    alias = [i for i, header in enumerate(headers) if normal(header) == "alias"]
    _one_group(headers, fields)
    if alias:
        fields["group"] = fields.get("group", []) + alias
        if "full_name" in fields and "internal_name" not in fields:
            fields["internal_name"] = fields.pop("full_name")
    elif "group" not in fields and "full_name" in fields:
        fields["group"] = fields.pop("full_name")


def _one_group(headers: Sequence[str], fields: dict[str, list[int]]) -> None:
    """Take a column of the name ``groups`` for ``group``."""
    positions = sorted(fields.pop("group", []) + fields.pop("groups", []))
    if len(positions) > 1:
        raise SheetError(_two(headers, "group", positions))
    if positions:
        fields["group"] = positions


def _refuse_doubles(
    headers: Sequence[str], fields: Mapping[str, Sequence[int]], shared: frozenset[str]
) -> None:
    for name in _ONCE:
        if len(fields.get(name, ())) > 1 and name not in shared:
            raise SheetError(_two(headers, name, fields[name]))


def _two(headers: Sequence[str], name: str, positions: Sequence[int]) -> str:
    columns = " and ".join(f'"{headers[i].strip()}" ({letter(i)})' for i in positions)
    return (
        f"more than one column means {name}: {columns}; delete or rename one, "
        f"or map one to {IGNORE} under [columns] in the settings"
    )


def letter(position: int) -> str:
    """Give the letter that a spreadsheet program shows above a column."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"column {letters}"


def _suggestions(headers: Sequence[str], positions: Sequence[int]) -> dict[int, str]:
    near: dict[int, str] = {}
    for i in positions:
        if not field_of(headers[i]):
            close = difflib.get_close_matches(normal(headers[i]), FIELD_OF, n=1, cutoff=0.8)
            if close:
                near[i] = FIELD_OF[close[0]]
    return near
