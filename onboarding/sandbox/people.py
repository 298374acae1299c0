"""What happens to accounts beside the API: an admin disables one, somebody signs in, the directory sends one."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Any

from onboarding.sandbox import store
from onboarding.sandbox.refusals import bad_request
from onboarding.sandbox.seed import Person

_NEW = Person("", None, "", None)
_TYPES: dict[str, tuple[type, ...]] = {
    "username": (str,),
    "email": (str, type(None)),
    "name": (str,),
    "role": (str, type(None)),
    "groups": (list,),
    "pending": (bool,),
    "enabled": (bool,),
    "locked": (bool,),
    "scim": (bool,),
}


def change_people(db: sqlite3.Connection, given: object) -> list[str]:
    """Change the accounts with these usernames as told, make those that there aren't; gives their guids.

    ``email: null`` is a service-like account, without attributes; ``pending: false`` is a first sign-in.
    """
    if not isinstance(given, list):
        raise bad_request("expected a list of people")
    return [_change(db, _checked(each)) for each in given]


def _checked(given: object) -> dict[str, Any]:
    if not isinstance(given, dict) or not isinstance(given.get("username"), str):
        raise bad_request("expected a person with a username")
    for name, value in given.items():
        if not isinstance(value, _TYPES.get(name, ())):
            raise bad_request(
                f"{name}: {value!r} is not possible here; there are {', '.join(_TYPES)}"
            )
    return given


def _change(db: sqlite3.Connection, given: dict[str, Any]) -> str:
    row = db.execute("SELECT * FROM users WHERE username = ?", [given["username"]]).fetchone()
    groups = given.get("groups", ())
    person = replace(
        _present(row) if row else _NEW, **{**given, "groups": ()}
    )  # those are joined below
    if (
        person.role
        and not db.execute("SELECT 1 FROM roles WHERE name = ?", [person.role]).fetchone()
    ):
        raise bad_request(f"role: there is no {person.role}")
    try:
        pk = store.put_account(db, person)
    except sqlite3.IntegrityError as error:
        raise bad_request(f"email: somebody else has {person.email}") from error
    store.join(db, _rows(db, groups), [pk])
    return str(db.execute("SELECT id FROM users WHERE pk = ?", [pk]).fetchone()[0])


def _present(row: sqlite3.Row) -> Person:
    name = " ".join(filter(None, (row["first_name"], row["last_name"])))
    return Person(
        row["username"], row["email"], name, row["role"], (), not row["verified"],
        bool(row["enabled"]), bool(row["locked"]), bool(row["scim"]),
    )  # fmt: skip


def _rows(db: sqlite3.Connection, names: list[str]) -> list[int]:
    sql = "SELECT pk FROM groups WHERE name IN (SELECT value FROM json_each(?))"
    found = [int(row[0]) for row in db.execute(sql, [json.dumps([*names])])]
    if len(found) < len(set(names)):
        raise bad_request(f"groups: not all of {', '.join(names)} exist")
    return found
