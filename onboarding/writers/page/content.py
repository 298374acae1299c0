"""A finished command in; what its page says out, as plain values for the template and for the browser's tables.

``Content`` is what stands in the page as text. ``grids`` packs all rows and all changes for the tables that a
script draws; every text stands in it once, since most repeat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from onboarding.model import Finding, RowRef, Severity
from onboarding.plan import Action, Change, Status
from onboarding.report import NEEDS_WORK, Deed, RowResult, needing_work
from onboarding.safety import members_of
from onboarding.sheets import Table
from onboarding.totals import Reason
from onboarding.words import fix, said, sides
from onboarding.writers.finished import Finished, changes, moment, tone, verdict
from onboarding.writers.tables import Column, cells_of, columns_of
from onboarding.writers.text import MEANS

SHOWN = 200  # rows, people and groups that stand in the page itself; the tables hold all of them
FEW = 10_000  # changes that get a heading for each person or group; more are only sorted
MOST = 200_000  # rows in the browser's tables: those that need somebody first

WHAT = {
    Action.INVITE: ("invite", "invited"),
    Action.CHANGE_ROLE: ("change role", "role changed"),
    Action.CREATE_GROUP: ("create group", "group created"),
    Action.UPDATE_GROUP: ("change group", "group changed"),
    Action.GRANT: ("join", "joined"),
    Action.REVOKE: ("leave", "left"),
}
"""What a change is called before it is carried out, and after."""


# ---- what stands in the page as text ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupMoves:
    """How a group's membership moves."""

    label: str
    before: int
    joined: int
    left: int

    @property
    def after(self) -> int:
        """How many members it has then."""
        return self.before + self.joined - self.left


@dataclass(frozen=True, slots=True)
class Content:
    """What stands in the page as text."""

    tone: str
    """``good``, ``work`` or ``stopped``: colour and sign of the verdict."""
    verdict: str
    why: str
    """What stopped it; empty where nothing did."""
    facts: Sequence[str]
    """When, where, from what."""
    results: Mapping[str, int]
    changes: Sequence[tuple[str, int, int]]
    """What, how many there were to be, how many are in the tenant now."""
    first_changes: Sequence[tuple[str, str, str, str]]
    """What, from, to, what became of it: for paper."""
    causes: Sequence[Reason]
    work: Sequence[RowResult]
    """The first rows that need somebody."""
    groups: Sequence[GroupMoves]
    invited: Sequence[str]
    nowhere: Sequence[str]
    """Accounts of the tenant that stand in no sheet; none where not all were read."""
    notes: Sequence[Finding]
    """What was noticed about whole tables."""


def content(finished: Finished) -> Content:
    """Say what the page says."""
    return Content(
        tone(finished),
        verdict(finished),
        finished.summary["error"],
        _facts(finished.summary),
        {word: number for word, number in finished.totals.by_result.items() if number},
        changes(finished),
        [_line(finished, *pair) for pair in islice(_deeds(finished), SHOWN)],
        finished.totals.reasons,
        [*islice(needing_work(finished.results), SHOWN)],
        _group_moves(finished),
        [change.email for change in _seen(finished, Action.INVITE) if change.email],
        finished.prospect.nowhere if finished.prospect else (),
        [finding for finding in finished.findings if finding.row is None],
    )


def _facts(summary: Mapping[str, Any]) -> list[str]:
    names = [source["name"] for source in summary["inputs"]]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    tenant = [summary["tenant"]] if summary["tenant"] else []
    when = moment(summary["finished"])
    return [summary["command"], when, *tenant, ", ".join(names[:3]) + more]


def _seen(finished: Finished, action: Action) -> list[Change]:
    """Give the changes of a kind that are in the tenant, or would be."""
    return [
        deed.change
        for deed in finished.done
        if deed.change
        and deed.change.action is action
        and deed.outcome.status in (Status.APPLIED, Status.PLANNED)
    ]


def _deeds(finished: Finished) -> Iterator[tuple[Deed, Change]]:
    """Give the deeds that have a change, with it."""
    return ((deed, deed.change) for deed in finished.done if deed.change)


def _what(deed: Deed, change: Change) -> str:
    return WHAT[change.action][deed.outcome.status in (Status.APPLIED, Status.UNCHANGED)]


def _group(change: Change, finished: Finished) -> str:
    name = change.group
    return finished.labels.get(name, name) if name else ""


def _line(finished: Finished, deed: Deed, change: Change) -> tuple[str, str, str, str]:
    group = _group(change, finished)
    whole = " ".join(filter(None, [change.email, _what(deed, change), group]))
    return (whole, *sides(change), MEANS[deed.outcome.status])


def _group_moves(finished: Finished) -> list[GroupMoves]:
    """Give the groups that somebody joins or leaves, those that move most first."""
    if not finished.prospect:
        return []
    joined = Counter(c.group for c in _seen(finished, Action.GRANT) if c.group)
    left = Counter(c.group for c in _seen(finished, Action.REVOKE) if c.group)
    names = joined.keys() | left.keys()
    before = members_of(finished.prospect.current, names)
    moves = [
        GroupMoves(finished.labels.get(name, name), before.get(name, 0), joined[name], left[name])
        for name in names
    ]
    return sorted(moves, key=lambda move: (-(move.joined + move.left), move.label))


# ---- what the browser's tables hold ----------------------------------------------------------------------------


class _Pool:
    """Texts, each once, by number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, texts: Iterable[str]) -> list[int]:
        numbers = self.numbers
        return [numbers.setdefault(text, len(numbers)) for text in texts]


def grids(finished: Finished) -> dict[str, Any]:
    """Pack rows and changes by column, for JSON; a number stands for a text of ``texts``."""
    rows, pool = _chosen(finished.results), _Pool()
    headers = list(dict.fromkeys(column for t in finished.tables for column in columns_of(t)))
    fresh = finished.since.fresh if finished.since else frozenset()
    places = {row.row: n for n, row in enumerate(rows)}
    packed = {
        "total": len(finished.results),
        "few": FEW,
        "rows": _rows(rows, pool),
        "fresh": sorted(places[row] for row in fresh if row in places),
        "headers": headers,
        "cells": _cells(finished.tables, rows, headers, pool),
        "findings": _findings(finished.findings, places, pool),
        "changes": _changes(finished, places, pool),
    }
    return packed | {"texts": list(pool.numbers)}


def _chosen(results: Sequence[RowResult], most: int = MOST) -> Sequence[RowResult]:
    """Take all rows, or of too many those that need somebody, and of the others the first."""
    if len(results) <= most:
        return tuple(results)
    ranked = sorted(results, key=lambda row: row.result not in NEEDS_WORK)
    return sorted(ranked[:most], key=lambda row: row.row)


def _rows(rows: Sequence[RowResult], pool: _Pool) -> dict[str, list[int]]:
    return {
        "row": pool(str(row.row) for row in rows),
        "result": pool(row.result for row in rows),
        "status": pool(MEANS[row.status] for row in rows),
        "code": pool(row.code for row in rows),
        "message": pool(row.message for row in rows),
        "fix": pool(row.fix for row in rows),
        "actions": pool(row.actions for row in rows),
    }


def _cells(
    tables: Sequence[Table], rows: Sequence[RowResult], headers: Sequence[Column], pool: _Pool
) -> list[list[int]]:
    """Give the input's own cells, column by column; blank where a row's table has no such column."""
    known = {table.index: table for table in tables}
    columns: list[list[int]] = [[] for _ in headers]
    for index, some in groupby(rows, key=lambda row: row.row.table):
        numbers = [row.row.row for row in some]
        cells = cells_of(known[index], numbers) if index in known else {}
        for header, column in zip(headers, columns, strict=True):
            column += pool(cells.get(header) or [""] * len(numbers))
    return columns


def _findings(
    findings: Iterable[Finding], places: Mapping[RowRef, int], pool: _Pool
) -> dict[int, list[tuple[int, ...]]]:
    """Give by row: column, code, what is said, what to do, and whether it rejects the row."""
    found: dict[int, list[tuple[int, ...]]] = {}
    for finding in findings:
        if finding.row and finding.row in places:
            texts = (finding.column, finding.code, said(finding), finding.fix or fix(finding.code))
            rejects = int(finding.severity is Severity.REJECT)
            found.setdefault(places[finding.row], []).append((*pool(texts), rejects))
    return found


def _changes(finished: Finished, places: Mapping[RowRef, int], pool: _Pool) -> dict[str, list[Any]]:
    """Give one entry per change: what, on whom, from what to what, and what the tenant said."""
    deeds = [*_deeds(finished)]
    both = [sides(change) for _, change in deeds]
    return {
        "what": pool(_what(deed, change) for deed, change in deeds),
        "person": pool(change.email or "" for _, change in deeds),
        "group": pool(_group(change, finished) for _, change in deeds),
        "before": pool(before for before, _ in both),
        "after": pool(after for _, after in both),
        "result": pool(deed.outcome.status.result for deed, _ in deeds),
        "status": pool(MEANS[deed.outcome.status] for deed, _ in deeds),
        "message": pool(deed.words for deed, _ in deeds),
        "request": pool(deed.outcome.request_id for deed, _ in deeds),
        "at": pool(deed.outcome.at for deed, _ in deeds),
        "http": [deed.outcome.http_status or 0 for deed, _ in deeds],
        "attempts": [deed.outcome.attempts for deed, _ in deeds],
        "rows": [[places[row] for row in deed.rows if row in places] for deed, _ in deeds],
    }
