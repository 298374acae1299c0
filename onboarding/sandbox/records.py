"""What users, groups and roles look like on the wire, and what may be asked of their lists."""

from __future__ import annotations

import json
import sqlite3

from onboarding.sandbox.query import Listing, Record

_MEMBER_COUNT = "(SELECT count(*) FROM users WHERE role = roles.name)"


def _user(row: sqlite3.Row) -> Record:
    """Absent values are missing keys: who never logged in has no ``lastLoginTime``."""
    role = row["role"]
    optional = {
        "email": row["email"],
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "lastLoginTime": row["last_login"],
        "workspaceRole": role,
        "attributes": json.loads(row["attributes"]) if row["attributes"] else None,
    }
    return {
        "id": row["id"],
        "username": row["username"],
        "emailVerified": bool(row["verified"]),
        "enabled": bool(row["enabled"]),
        "status": "Enabled" if row["enabled"] else "Disabled",
        "isScimUser": False,
        "isLocked": False,
        "roles": ["default-roles-default", role] if role else ["default-roles-default"],
        "defaultRoles": ["offline_access", "uma_authorization", "$guest"],
        "groupCount": row["group_count"],
        "createdTimestamp": row["created"],
        "personas": [],
        "loginEvents": [],
        **{name: value for name, value in optional.items() if value is not None},
    }


def _group(row: sqlite3.Row) -> Record:
    attributes = json.loads(row["attributes"])
    alias = {"alias": row["alias"]} if row["alias"] is not None else {}
    return {
        "id": row["id"],
        "name": row["name"],
        "path": f"/{row['name']}",
        **alias,
        "userCount": row["user_count"],
        "attributes": attributes,
        "personas": [],
        "purposes": [],
        "roles": [],
        "decentralizedRoles": [],
    }


def _role(row: sqlite3.Row) -> Record:
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "clientRole": False,
        "level": row["level"],
        "memberCount": str(row["member_count"]),
    }


USERS = Listing(
    table="users",
    select="users.*, (SELECT count(*) FROM members WHERE user = users.pk) AS group_count",
    filters={"id": "users.id", "username": "username", "email": "email", "roles": "role"},
    sorts={
        "username": "username",
        "email": "email",
        "firstName": "first_name",
        "createdTimestamp": "created",
    },
    record=_user,
    always=frozenset({"id", "status", "isScimUser"}),
)

GROUPS = Listing(
    table="groups",
    select="groups.*, (SELECT count(*) FROM members WHERE grp = groups.pk) AS user_count",
    filters={"alias": "alias"},
    sorts={"name": "name", "alias": "alias", "createdAt": "attributes ->> '$.createdAt[0]'"},
    record=_group,
    always=frozenset({"id", "name", "path"}),
)

ROLES = Listing(
    table="roles",
    select=f"roles.*, {_MEMBER_COUNT} AS member_count",
    filters={"name": "name"},
    sorts={"name": "name", "description": "description", "memberCount": _MEMBER_COUNT},
    record=_role,
    always=frozenset({"id", "name"}),
)
