"""What users, groups and roles look like on the wire, and what may be asked of their lists: SQL for each property."""

from __future__ import annotations

from onboarding.sandbox.query import Listing


def _text(expression: str) -> str:
    return f"CASE WHEN {expression} NOT NULL THEN json_quote({expression}) END"


def _flag(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 'true' ELSE 'false' END"


_MEMBER_COUNT = "(SELECT count(*) FROM users WHERE role = roles.name)"
_ALWAYS_EMPTY = "'[]'"

USERS = Listing(
    table="users",
    record={
        "id": _text("users.id"),
        "username": _text("username"),
        "email": _text("email"),
        "firstName": _text("first_name"),
        "lastName": _text("last_name"),
        "emailVerified": _flag("verified"),
        "enabled": _flag("enabled"),
        "status": """CASE WHEN enabled THEN '"Enabled"' ELSE '"Disabled"' END""",
        "isScimUser": _flag("scim"),
        "isLocked": _flag("locked"),
        "workspaceRole": _text("role"),
        "roles": """'["default-roles-default"' || ifnull(',"' || role || '"', '') || ']'""",
        "defaultRoles": """'["offline_access","uma_authorization","$guest"]'""",
        "groupCount": "group_count",
        "createdTimestamp": "created",
        "lastLoginTime": "last_login",
        "attributes": "attributes",
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
        "id": _text("groups.id"),
        "name": _text("name"),
        "path": "json_quote('/' || name)",
        "alias": _text("alias"),
        "userCount": "user_count",
        "attributes": "attributes",
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
        "id": _text("roles.id"),
        "name": _text("name"),
        "description": _text("description"),
        "clientRole": _flag("0"),
        "level": _text("level"),
        "memberCount": f"'\"' || {_MEMBER_COUNT} || '\"'",
    },
    filters={"name": "name"},
    sorts={"name": "name", "description": "description", "memberCount": _MEMBER_COUNT},
    always=frozenset({"id", "name"}),
)
