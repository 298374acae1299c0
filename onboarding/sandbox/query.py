"""A list call's parameters in, a page object out: filter, sort, paging and columns become SQL.

Only what is attested of the API is understood: the operators ``$and $eq $in $ilike $elemMatch`` and
bare equality, on the properties that a listing names. Anything else is a 400, so that a client
that leans on more than is known fails here and not in a real tenant.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onboarding.sandbox.moods import in_this_mood
from onboarding.sandbox.refusals import bad_request
from onboarding.sandbox.switches import Switches

DEFAULT_LIMIT = 20  # the server's own default is unknown; the SDKs send 20

Params = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of record: where it is kept, what may be asked of it, how it looks on the wire."""

    table: str
    record: Mapping[str, str]
    """Property -> SQL expression of its JSON; where that is NULL, the record lacks the property."""
    filters: Mapping[str, str]
    """Property -> SQL expression, for ``filter``."""
    sorts: Mapping[str, str]
    """Property -> SQL expression, for ``sort``."""
    always: frozenset[str]
    """Properties that a projection by ``columns`` leaves in."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a table that a call is about: a group's members, a user's groups."""

    where: str = "1"
    args: tuple[object, ...] = ()
    size: int = 0
    """How many records that is; 0 has to be counted."""


def page(
    db: sqlite3.Connection, listing: Listing, params: Params, switches: Switches, scope: Scope
) -> str:
    """The page object: totals, and the asked-for records; none at all is an empty list, a page past the end null.

    SQLite writes the JSON: one step of one statement costs a third of a hundred rows in Python, and lets the other
    threads work meanwhile.
    """
    condition, args = _condition(
        _json_param(params, "filter"), listing, exact_case=switches.in_case_sensitive
    )
    rows_from = f"FROM {listing.table} WHERE {scope.where} AND"
    order = _order(params, listing)
    limit = min(_int_param(params, "limit") or DEFAULT_LIMIT, switches.page_cap)
    offset = _int_param(params, "offset")
    # keys first: sorting whole records takes three times as long in a large tenant
    keys = f"SELECT {listing.table}.pk {rows_from} {condition} {order} LIMIT ? OFFSET ?"
    rows = f"SELECT * FROM {listing.table} WHERE pk IN ({keys}) {order}"  # noqa: S608 - values are bound
    record = _record(listing, params.get("columns"))
    records, shown = db.execute(
        f"SELECT '[' || ifnull(group_concat({record}), '') || ']', count(*)"  # noqa: S608 - values are bound
        f" FROM ({rows}) AS {listing.table}",
        [*scope.args, *args, switches.page_size or limit, offset],
    ).fetchone()
    total = found = 0
    if params.get("count", ["true"])[0].lower() != "false":
        count = f"SELECT count(*) {rows_from}"
        total = found = scope.size or db.execute(f"{count} 1", scope.args).fetchone()[0]
        if condition != "1":
            found = db.execute(f"{count} {condition}", [*scope.args, *args]).fetchone()[0]
    if not shown and offset:
        records = "null"
    text = f'{{"totalRecord":{total},"filterRecord":{found},"records":{records}}}'
    return in_this_mood(text, switches, page=offset // (switches.page_size or limit or 1))


def _record(listing: Listing, columns: Sequence[str] | None) -> str:
    """One record as SQL text; repeated keys and commas both separate columns."""
    asked = listing.always.union(",".join(columns).split(",")) if columns else listing.record
    parts = (
        f"""ifnull(',"{name}":' || {listing.record[name]}, '')"""
        for name in listing.record
        if name in asked
    )
    return f"'{{' || substr({' || '.join(parts)}, 2) || '}}'"


def _int_param(params: Params, name: str) -> int:
    text = params.get(name, ["0"])[0]
    if not (text.isascii() and text.isdigit()):
        raise bad_request(
            f"Parameter '{name}' in query has an error: value {text} is not an integer"
        )
    return min(int(text[:18]), 2**53)


def _json_param(params: Params, name: str) -> object:
    text = params.get(name, ["{}"])[0]
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"Parameter '{name}' in query has an error: {error}") from error


def _condition(wanted: object, listing: Listing, *, exact_case: bool) -> tuple[str, list[object]]:
    """A filter object as SQL; "1" where there is nothing to filter."""
    if not isinstance(wanted, dict):
        raise bad_request("Parameter 'filter' in query has an error: not an object")
    parts: list[str] = []
    args: list[object] = []
    for name, operand in wanted.items():
        if name == "$and":
            joined = [_condition(part, listing, exact_case=exact_case) for part in _list(operand)]
        else:
            joined = [
                _test(_expression(name, listing.filters, "filter"), operand, exact_case=exact_case)
            ]
        for sql, values in joined:
            parts.append(sql)
            args += values
    return " AND ".join(parts) or "1", args


def _test(expression: str, operand: object, *, exact_case: bool) -> tuple[str, list[object]]:
    """One property against one operand: ``"a"`` or ``{"$in": ["a", "b"]}``."""
    operators = operand if isinstance(operand, dict) else {"$eq": operand}
    parts: list[str] = []
    args: list[object] = []
    for operator, value in operators.items():
        match operator:
            case "$eq":
                parts.append(f"{expression} = ?")
                args.append(_text(value))
            case "$ilike":
                # PostgreSQL's ILIKE: % and _ are wildcards, the backslash takes that away
                parts.append(f"{expression} LIKE ? ESCAPE '\\'")
                args.append(_text(value))
            case "$in" if not exact_case:
                parts.append(f"lower({expression}) IN {_LOWERED}")
                args.append(json.dumps(_list(value)))
            case "$in" | "$elemMatch":
                # one statement whatever the length of the list, so that it stays prepared
                parts.append(f"{expression} IN {_VALUES}")
                args.append(json.dumps(_list(value)))
            case _:
                raise bad_request(f"Parameter 'filter' in query has an error: unknown {operator}")
    return " AND ".join(parts) or "1", args


_VALUES = "(SELECT value FROM json_each(?))"
_LOWERED = "(SELECT lower(value) FROM json_each(?))"


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise bad_request("Parameter 'filter' in query has an error: expected an array")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise bad_request("Parameter 'filter' in query has an error: expected a string")
    return value


def _order(params: Params, listing: Listing) -> str:
    """ORDER BY; ties, and no sort at all, go by age."""
    key = f"{listing.table}.pk"
    sort = params.get("sort", [""])[0].strip()  # an unescaped + arrives as a blank
    if not sort:
        return f"ORDER BY {key}"
    expression = _expression(sort.lstrip("+-"), listing.sorts, "sort")
    direction = "DESC" if sort.startswith("-") else "ASC"
    return f"ORDER BY {expression} {direction}, {key} {direction}"


def _expression(name: str, known: Mapping[str, str], parameter: str) -> str:
    if name not in known:
        raise bad_request(
            f"Parameter '{parameter}' in query has an error: unknown property '{name}'"
        )
    return known[name]
