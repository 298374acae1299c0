"""The fields of a table in; its kind, and its columns as this kind means them, out.

=========== ===============================================================================================
memberships an e-mail and one group column, and nothing that is said of a whole person (role, status, several
            groups); or an e-mail, any group column and an ``action``
users       an e-mail and at least one more known column
groups      a group column (``group``, ``team``, ``alias``, or ``name`` beside a description and the like), no
            e-mail and no person's name
=========== ===============================================================================================

A person's names beside an e-mail and one group column fit both users and memberships: then the name of the file or
sheet decides, and without a word there it is memberships, which invite nobody. Where our own files say which group an
earlier run was given (``--group``), it is memberships whatever else is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from onboarding.errors import SheetError
from onboarding.headers.known import GIVEN_AS, READ_AS, STAND_INS, Kind
from onboarding.headers.spelling import normal
from onboarding.headers.table import NoKnownHeader, letter, named

IGNORE = "ignore"
"""What the settings map a header to that is to be carried along only."""

Found = Mapping[str, Sequence[int]]
"""Field -> positions of its columns."""

_WHOLE_PERSON = {"role", "status", "blocked", "groups"}
_NAMES = {"first_name", "last_name", "full_name", "username"}
_OF_PEOPLE = re.compile(r"user|people|person|staff|employee|hr\b|joiner")
_LISTS = re.compile(
    r"\blists?\b|look ?ups?\b|drop.?downs?\b|\bchoices\b|\boptions\b|\bvalidation|auswahl|\blisten?\b"
)
_A_NAME = frozenset({"name", "nom", "nome", "nombre", "naam", "bezeichnung"})


def kind_of(
    headers: Sequence[str], found: Found, hint: str, *, group: str = ""
) -> tuple[Kind, str]:
    """Give the kind, and what made it this; ``group`` is what a list of members without a group column means."""
    if "email" in found:
        return _kind_of_people(headers, found, hint, group=group)
    team = _names_teams(headers, found) or _looks_like_teams(headers, found, hint)
    if team and _to_choose_from(found, hint):
        raise NoKnownHeader(
            f"a column of groups and nothing else may be a list to choose from ({seen(headers, found)}); if each row is a "
            "group that shall be there, name the column group, or say --kind groups"
        )
    if team and not found.keys() & ((_NAMES - {"full_name"}) | {"role"}):
        if _among_strangers(headers, found, hint):
            raise NoKnownHeader(
                f"a group column among so many unknown ones may be about anything ({seen(headers, found)}); "
                "if each row is a group, say --kind groups"
            )
        return Kind.GROUPS, "names of groups and no e-mail"
    raise NoKnownHeader(_nothing_known(headers, found))


def _kind_of_people(
    headers: Sequence[str], found: Found, hint: str, *, group: str
) -> tuple[Kind, str]:
    whole_person = found.keys() & _WHOLE_PERSON
    of_people = bool(found.keys() & _NAMES and _OF_PEOPLE.search(hint.casefold()))
    if "action" in found and found.keys() & {"group", "groups"} and not whole_person - {"groups"}:
        return Kind.MEMBERSHIPS, "an e-mail, a group and an action"
    if "group" in found and not whole_person:
        if of_people:
            return Kind.USERS, "people's names, and the name of the table"
        return Kind.MEMBERSHIPS, "an e-mail and one group"
    if group and not whole_person and not of_people:
        return Kind.MEMBERSHIPS, "an e-mail, and --group"
    if "description" in found and found.keys() <= {"email", "full_name", "description", "username"}:
        raise SheetError(
            "an e-mail beside a description may be that of a group, whom nobody wants to invite; say --kind users, or "
            f"for groups map the e-mail column ({named(headers, found['email'])}) to {IGNORE} under [columns]"
        )
    if len(found) > 1:
        beside = sorted(whole_person) or ["something else known of a person"]
        return Kind.USERS, f"an e-mail and {', '.join(beside)}"
    raise NoKnownHeader(
        f"the only known column is {named(headers, found['email'])}, and a list of addresses alone invites nobody; "
        "add a column role or groups, say --kind users, or --group NAME if they are the members of a group"
    )


def given_before(headers: Sequence[str]) -> list[int]:
    """Give the position of the group that an earlier run was given for a list of members."""
    return [i for i, header in enumerate(headers) if header.strip().lower() == GIVEN_AS["group"]]


def said_before(headers: Sequence[str]) -> Kind | None:
    """Give the kind that an earlier run was told a table is; None where it was not, or two of them."""
    there = {header.strip().lower() for header in headers}
    said = [kind for kind, header in READ_AS.items() if header in there]
    return said[0] if len(said) == 1 else None


def came_from(headers: Sequence[str], cells: Sequence[str]) -> str:
    """Give the table that our own columns say a row is of; its name may have made it what it is."""
    for header, cell in zip(headers, cells, strict=False):
        if header.strip().lower() == "result_row":
            return cell.rpartition(":")[0]
    return ""


def _to_choose_from(found: Found, hint: str) -> bool:
    """Whether the names of groups are probably the source of a drop-down; a table of groups says what each row is."""
    if found.keys() == {"groups"}:
        return True
    lists = found.keys() == {"group"} and _LISTS.search(hint.casefold())
    return bool(lists) and not re.search("group|team", hint.casefold())


def _looks_like_teams(headers: Sequence[str], found: Found, hint: str) -> bool:
    """Whether a name, or an alias, is that of a group."""
    spellings = {normal(header) for header in headers}
    if "alias" in spellings:
        return True
    beside = found.keys() & {"internal_name", "description", "default"}
    return bool(_A_NAME & spellings and (beside or re.search("group|team", hint.casefold())))


def _names_teams(headers: Sequence[str], found: Found) -> bool:
    """Whether there is a group column; a numbered one is one of several of a person's."""
    positions = [i for name in ("group", "groups") for i in found.get(name, ())]
    return any(not headers[i].strip()[-1:].isdigit() for i in positions)


def _among_strangers(headers: Sequence[str], found: Found, hint: str) -> bool:
    """Whether a table that would create groups has more that nobody knows than what is said of groups."""
    means = {i for positions in found.values() for i in positions}
    unknown = sum(1 for i, header in enumerate(headers) if normal(header) and i not in means)
    of_a_group = found.keys() & {"internal_name", "description", "default"}
    return not re.search("group|team", hint.casefold()) and unknown > 1 + 2 * len(of_a_group)


def _nothing_known(headers: Sequence[str], found: Found) -> str:
    """Word what is missing, with what there is."""
    what = "people's columns and no e-mail" if found else "neither an e-mail nor a group column"
    return f"there are {what} ({seen(headers, found)})"


def seen(headers: Sequence[str], found: Found) -> str:
    """Say what the columns are, each with the letter above it and what it was understood as."""
    means = {i: name for name, positions in found.items() for i in positions}
    return "columns: " + (
        ", ".join(
            f'{letter(i).removeprefix("column ")} "{header.strip()}"'
            + (f" = {means[i].replace('_', ' ')}" if i in means else "")
            for i, header in enumerate(headers)
            if header.strip()
        )
        or "none"
    )


def shaped(headers: Sequence[str], found: Found, kind: Kind) -> dict[str, list[int]]:
    """Name the columns as this kind of table means them."""
    fields = {name: list(positions) for name, positions in found.items()}
    match kind:
        case Kind.USERS:
            _users_shape(headers, fields)
        case Kind.MEMBERSHIPS:
            _one_group(headers, fields)
            if "action" not in fields and "status" in fields:
                fields["action"] = fields.pop("status")
        case Kind.GROUPS:
            _groups_shape(headers, fields)
    return fields


def missing(fields: Found, kind: Kind, given: Mapping[str, str]) -> list[str]:
    """Give the keys that a table of this kind needs and has neither itself nor from elsewhere."""
    needed = {Kind.USERS: ("email",), Kind.GROUPS: ("group",), Kind.MEMBERSHIPS: ("email", "group")}
    ids = {"email": "person_id", "group": "group_id"} if kind is Kind.MEMBERSHIPS else {}
    there = fields.keys() | given.keys()
    return [name for name in needed[kind] if name not in there and ids.get(name) not in there]


def _users_shape(headers: Sequence[str], fields: dict[str, list[int]]) -> None:
    if "action" in fields:
        raise SheetError(
            f"a users table has no action, and here is a column {named(headers, fields['action'][:1])}; put who leaves "
            "which group into a memberships table, who leaves the company under status, or map the "
            f"column to {IGNORE} under [columns]"
        )
    groups = sorted(fields.pop("group", []) + fields.pop("groups", []))
    plain = [i for i in groups if not headers[i].strip()[-1:].isdigit()]
    if len(plain) > 1:
        raise SheetError(two(headers, "groups", plain))
    if groups:
        fields["groups"] = groups
    if "blocked" in fields and "status" in fields:
        raise SheetError(two(headers, "status", [*fields["status"], *fields["blocked"]]))


def _groups_shape(headers: Sequence[str], fields: dict[str, list[int]]) -> None:
    """In Atlan's own words a group's ``alias`` is what people see, and its ``name`` the internal one.

    A group that is marked as deleted must not be taken for one to create.
    """
    for name in ("action", "status", "blocked"):
        if name in fields:
            raise SheetError(
                f"a groups table has no {name}, and here is a column {named(headers, fields[name][:1])}; groups are only "
                f"made and changed, never deleted: delete the column, or map it to {IGNORE} under [columns]"
            )
    alias = [i for i, header in enumerate(headers) if normal(header) == "alias"]
    _one_group(headers, fields)
    names = [i for i, header in enumerate(headers) if normal(header) in _A_NAME]
    if alias:
        fields["group"] = fields.get("group", []) + alias
        if names and "internal_name" not in fields:
            fields["internal_name"] = _taken_out(fields, names)
    elif names and ("group" not in fields or _by_id(headers, fields)):
        fields |= {"group_id": fields.pop("group")} if "group" in fields else {}
        fields["group"] = _taken_out(fields, names)


def _by_id(headers: Sequence[str], fields: Found) -> bool:
    """Whether the group goes by an id or an address, and so by a name only if no other column is one."""
    return {normal(headers[i]) for i in fields["group"]} <= set(STAND_INS["group"])


def _taken_out(fields: dict[str, list[int]], positions: Sequence[int]) -> list[int]:
    """Take columns out of what they would mean in a table of people."""
    for name in ("full_name", "first_name", "last_name"):
        fields[name] = [i for i in fields.get(name, ()) if i not in positions]
        if not fields[name]:
            del fields[name]
    return list(positions)


def _one_group(headers: Sequence[str], fields: dict[str, list[int]]) -> None:
    """Take a column of the name ``groups`` for ``group``."""
    positions = sorted(fields.pop("group", []) + fields.pop("groups", []))
    if len(positions) > 1:
        raise SheetError(two(headers, "group", positions))
    if positions:
        fields["group"] = positions


def two(headers: Sequence[str], name: str, positions: Sequence[int]) -> str:
    """Word that columns share a field which they can't share."""
    return (
        f"more than one column means {name}: {named(headers, positions)}; delete or rename one, "
        f"or map one to {IGNORE} under [columns] in the settings"
    )
