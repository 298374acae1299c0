"""A list call's parameters in, a page object out: filter, sort, paging and columns become SQL.

Only what is attested of the API is understood: the operators ``$and $eq $in $ilike $elemMatch`` and
bare equality, on the properties that a listing names. Anything else is a 400, so that a client
that leans on more than is known fails here and not in a real tenant.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onboarding.sandbox.refusals import bad_request

DEFAULT_LIMIT = 20  # the server's own default is unknown; the SDKs send 20

Record = dict[str, object]
Params = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of record: where it is kept, what may be asked of it, how it looks on the wire."""

    table: str
    select: str
    filters: Mapping[str, str]
    """Property -> SQL expression, for ``filter``."""
    sorts: Mapping[str, str]
    """Property -> SQL expression, for ``sort``."""
    record: Callable[[sqlite3.Row], Record]
    always: frozenset[str]
    """Properties that a projection by ``columns`` leaves in."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a table that a call is about: a group's members, a user's groups."""

    where: str = "1"
    args: tuple[object, ...] = ()


def page(
    db: sqlite3.Connection,
    listing: Listing,
    params: Params,
    *,
    scope: Scope,
    cap: int,
    exact_case: bool,
) -> Record:
    """The page object: totals, and the asked-for records; none at all is an empty list, a page past the end null."""
    condition, args = _condition(_json_param(params, "filter"), listing, exact_case=exact_case)
    args = [*scope.args, *args]
    rows_from = f"FROM {listing.table} WHERE {scope.where} AND"
    order = _order(params, listing)
    limit = min(_int_param(params, "limit") or DEFAULT_LIMIT, cap)
    # keys first: sorting whole records takes three times as long in a large tenant
    keys = f"SELECT {listing.table}.pk {rows_from} {condition} {order} LIMIT ? OFFSET ?"
    offset = _int_param(params, "offset")
    rows = db.execute(
        f"SELECT {listing.select} FROM {listing.table} WHERE pk IN ({keys}) {order}",  # noqa: S608 - values are bound
        [*args, limit, offset],
    )
    records = [_projected(listing.record(row), params.get("columns"), listing) for row in rows]
    shown = records or (None if offset else [])

    if params.get("count", ["true"])[0].lower() == "false":
        return {"totalRecord": 0, "filterRecord": 0, "records": shown}
    total = db.execute(f"SELECT count(*) {rows_from} 1", scope.args).fetchone()[0]
    found = total
    if condition != "1":
        found = db.execute(f"SELECT count(*) {rows_from} {condition}", args).fetchone()[0]
    return {"totalRecord": total, "filterRecord": found, "records": shown}


def _int_param(params: Params, name: str) -> int:
    text = params.get(name, ["0"])[0]
    if not (text.isascii() and text.isdigit()):
        raise bad_request(
            f"Parameter '{name}' in query has an error: value {text} is not an integer"
        )
    return int(text)


def _json_param(params: Params, name: str) -> object:
    text = params.get(name, ["{}"])[0]
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
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


def _projected(record: Record, columns: Sequence[str] | None, listing: Listing) -> Record:
    """Only the asked-for columns; repeated keys and commas both separate them."""
    if not columns:
        return record
    kept = listing.always.union(",".join(columns).split(","))
    return {name: value for name, value in record.items() if name in kept}
