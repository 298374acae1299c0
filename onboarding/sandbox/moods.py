"""A page as it should be comes in, the page of a tenant with peculiarities goes out: switches that nothing else minds."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from onboarding.sandbox.switches import Switches

_COUNTS = ("totalRecord", "filterRecord")
_NUMBERS = ("memberCount", "userCount", "groupCount", "createdTimestamp", "lastLoginTime")


def in_this_mood(text: str, switches: Switches, page: int) -> str:
    """The page object, which is the ``page``-th from 0."""
    settings = (switches.totals, switches.empty_page, switches.numbers, switches.bare_users)
    if settings == ("exact", "documented", "documented", 0):
        return text
    content = json.loads(text)
    if switches.totals == "moving":
        content |= {name: content[name] + page for name in _COUNTS}
    for record in content["records"] or ():
        _strip(record, switches.bare_users)
        _write_numbers(record, _NUMBERS, switches.numbers)
    _write_numbers(content, _COUNTS, switches.numbers)
    _show_empty(content, switches.empty_page)
    return json.dumps(content, ensure_ascii=False)


def _strip(record: dict[str, Any], one_in: int) -> None:
    """The same users whenever they are listed."""
    if "username" in record and one_in and UUID(record["id"]).int % one_in == 0:
        record.pop("email", None)
        record.pop("attributes", None)


def _write_numbers(record: dict[str, Any], names: tuple[str, ...], how: str) -> None:
    for name in names if how != "documented" else ():
        if name in record:
            record[name] = str(record[name]) if how == "strings" else int(record[name])


def _show_empty(content: dict[str, Any], how: str) -> None:
    if content["records"] or how == "documented":
        return
    content["records"] = None if how == "null" else []
    if how == "missing":
        del content["records"]
