"""What stands on the wire and what it is to us: records of JSON come in, users, groups and roles go out, and back again.

Read tolerantly: whatever the API may leave out, write as text or give twice is said where it is met.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onboarding.errors import Protocol
from onboarding.model import Email, Group, GroupId, GroupName, Role, User, UserId, normal_email

Record = Mapping[str, Any]


# ---- wire -> model -----------------------------------------------------------------------------------------


def user(record: Record) -> User:
    """Read an account."""
    email = normal_email(str(record.get("email") or ""))
    if "@" not in email:
        email = Email("")
    never_here = record.get("lastLoginTime") in (None, "", 0, "0")
    return User(
        email,
        _role(record),
        enabled=not _says(record.get("enabled"), "false"),
        pending=bool(email) and never_here and _says(record.get("emailVerified"), "false"),
        id=UserId(id_of(record)),
        username=str(record.get("username") or ""),
        scim=_says(record.get("isScimUser"), "true"),
    )


def _role(record: Record) -> Role | None:
    """Read the workspace role from the first place that has one; of several, the highest."""
    given = record.get("workspaceRole")
    if isinstance(given, str) and given in _ROLES:  # as good as always
        return _ROLES[given]
    assigned = record.get("assignedRole")
    places = (
        [assigned.get("name") if isinstance(assigned, dict) else None],
        record.get("roles") or [],
    )
    found = ([role for role in Role if role.value in place] for place in places)
    return next((fit[-1] for fit in found if fit), None)


_ROLES = {role.value: role for role in Role}


def group(record: Record) -> Group:
    """Read a group."""
    attributes = record.get("attributes") or {}
    name = str(record.get("name") or "")
    return Group(
        GroupName(name),
        _first(attributes.get("alias")) or str(record.get("alias") or name),
        _first(attributes.get("description")),
        default=_says(_first(attributes.get("isDefault")), "true"),
        id=GroupId(id_of(record)),
        path=str(record.get("path") or f"/{name}"),
        channels=tuple(map(_channel, attributes.get("channels") or ())),
        size=_number(record.get("userCount")) or 0,
    )


def filled(mappers: Sequence[Any]) -> Iterator[str]:
    """Read which groups an identity provider fills from how it maps its own ones."""
    for mapper in mappers:
        config = mapper.get("config") if isinstance(mapper, dict) else None
        if isinstance(config, dict) and config.get("group"):
            yield str(config["group"])


def roles(listed: Sequence[Record]) -> dict[Role, str]:
    """Read the ids of the workspace roles, which a tenant must have by their exact names."""
    ids = {
        str(record.get("name")): id_of(record)
        for record in listed
        if record.get("level", "workspace") == "workspace"
    }
    if missing := [role.value for role in Role if role.value not in ids]:
        raise Protocol(f"The tenant has no workspace role {', '.join(missing)}.")
    return {role: ids[role.value] for role in Role}


def not_added(statuses: Any) -> dict[UserId, str]:
    """Read which members did not ride along; whoever is not mentioned is left to the look afterwards."""
    if not isinstance(statuses, dict):
        return {}
    return {
        UserId(user): str(said.get("statusMessage") or said.get("status"))
        for user, said in statuses.items()
        if isinstance(said, dict)
        and _number(said.get("status")) != 200
        and said.get("statusMessage") != "success"
    }


def object_of(body: Any, what: str) -> Record:
    """Take an answer for the object that it must be."""
    if not isinstance(body, dict):
        raise Protocol(f"The tenant's answer about {what} is not what its API answers.")
    return body


def id_of(record: Any, where: str = "") -> str:
    """Read the id that every record must have; ``where`` names the list that it stands in."""
    key = record.get("id") if isinstance(record, dict) else None
    if not key or not isinstance(key, str):
        stands = f" in its list {where}" if where else ""
        raise Protocol(f"The tenant gives a record without an id{stands}.")
    return key


def count_of(page: Record) -> int | None:
    """Read how many records there are on all pages; None where the tenant does not say."""
    count = _number(page.get("filterRecord"))
    return _number(page.get("totalRecord")) if count is None else count


def _number(value: Any) -> int | None:
    """Read a number that may be written as text, as the roles' ``memberCount`` is."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _says(value: Any, word: str) -> bool:
    return str(value).lower() == word


def _first(values: Any) -> str:
    """Read an attribute: a list of texts by the book, of which one counts."""
    if isinstance(values, list):
        values = values[0] if values else None
    return "" if values is None else str(values)


# ---- model -> wire -----------------------------------------------------------------------------------------


def attributes(group: Group) -> dict[str, list[Any]]:
    """Give what is set of a group; on the wire every value is a list of texts."""
    attributes: dict[str, list[Any]] = {
        "alias": [group.alias],
        "isDefault": ["true" if group.default else "false"],
    }
    if group.description:
        attributes["description"] = [group.description]
    if group.channels:
        attributes["channels"] = list(map(_wire_channel, group.channels))
    return attributes


_OBJECT = "\0"  # before a channel that is not the text which it should be, kept as JSON


def _channel(channel: Any) -> str:
    return channel if isinstance(channel, str) else _OBJECT + json.dumps(channel)


def _wire_channel(channel: str) -> Any:
    return json.loads(channel[1:]) if channel.startswith(_OBJECT) else channel
