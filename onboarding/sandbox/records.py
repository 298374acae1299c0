"""What users, groups and roles look like on the wire, and what may be asked of their lists: SQL for each property."""

from __future__ import annotations

from onboarding.sandbox.query import Listing


def _flag(condition: str) -> str:
    return f"json(CASE WHEN {condition} THEN 'true' ELSE 'false' END)"


_MEMBER_COUNT = "(SELECT count(*) FROM users WHERE role = roles.name)"
_ALWAYS_EMPTY = "json('[]')"

USERS = Listing(
    table="users",
    record={
        "id": "users.id",
        "username": "username",
        "email": "email",
        "firstName": "first_name",
        "lastName": "last_name",
        "emailVerified": _flag("verified"),
        "enabled": _flag("enabled"),
        "status": "CASE WHEN enabled THEN 'Enabled' ELSE 'Disabled' END",
        "isScimUser": _flag("scim"),
        "isLocked": _flag("locked"),
        "workspaceRole": "role",
        "roles": """json('["default-roles-default"' || ifnull(',"' || role || '"', '') || ']')""",
        "defaultRoles": """json('["offline_access","uma_authorization","$guest"]')""",
        "groupCount": "group_count",
        "createdTimestamp": "created",
        "lastLoginTime": "last_login",
        "attributes": "json(attributes)",
        "personas": _ALWAYS_EMPTY,
        "loginEvents": _ALWAYS_EMPTY,
    },
    filters={"id": "users.id", "username": "username", "email": "email", "roles": "role"},
    sorts={
        "username": "username",
        "email": "email",
        "firstName": "first_name",
        "createdTimestamp": "created",
    },
    always=frozenset({"id", "status", "isScimUser"}),
)

GROUPS = Listing(
    table="groups",
    record={
        "id": "groups.id",
        "name": "name",
        "path": "'/' || name",
        "alias": "alias",
        "userCount": "user_count",
        "attributes": "json(attributes)",
        "personas": _ALWAYS_EMPTY,
        "purposes": _ALWAYS_EMPTY,
        "roles": _ALWAYS_EMPTY,
        "decentralizedRoles": _ALWAYS_EMPTY,
    },
    filters={"alias": "alias"},
    sorts={"name": "name", "alias": "alias", "createdAt": "attributes ->> '$.createdAt[0]'"},
    always=frozenset({"id", "name", "path"}),
)

ROLES = Listing(
    table="roles",
    record={
        "id": "roles.id",
        "name": "name",
        "description": "description",
        "clientRole": _flag("0"),
        "level": "level",
        "memberCount": f"CAST({_MEMBER_COUNT} AS TEXT)",
    },
    filters={"name": "name"},
    sorts={"name": "name", "description": "description", "memberCount": _MEMBER_COUNT},
    always=frozenset({"id", "name"}),
)
