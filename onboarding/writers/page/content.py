"""A finished command in; what its page says out, as plain values for the template and for the browser's tables.

``Content`` is what stands in the page as text. ``grids`` packs all rows and all changes for the tables that a
script draws; every text stands in it once, since most repeat.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, compress, islice, repeat
from typing import Any, TypeVar

from onboarding.model import Finding, RowRef, Severity
from onboarding.plan import Action, Change, Status
from onboarding.report import NEEDS_WORK, Deed, RowResult, Stretch, Words, by_table, needing_work
from onboarding.safety import members_of
from onboarding.sheets import Table
from onboarding.totals import Reason
from onboarding.words import fix, said, sides
from onboarding.writers.finished import Finished, changes, moment, tone, verdict
from onboarding.writers.tables import CHUNK, Column, column_of, columns_of
from onboarding.writers.text import MEANS

T = TypeVar("T")

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
        self._numbers: dict[str, int] = {}

    def __call__(self, texts: Iterable[str]) -> list[int]:
        numbers = self._numbers
        return [numbers.setdefault(text, len(numbers)) for text in texts]

    def lots(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Give their numbers, many at a time."""
        return map(self, _lots(texts))

    def texts(self) -> Iterator[list[str]]:
        """Give all of them, many at a time."""
        return _lots(self._numbers)


def _lots(items: Iterable[T]) -> Iterator[list[T]]:
    items = iter(items)
    while some := [*islice(items, CHUNK)]:
        yield some


class _Places:
    """Rows by their number in all of the page."""

    def __init__(self, rows: Sequence[Stretch]) -> None:
        ends = accumulate(len(some.numbers) for some in rows)
        self._tables = {
            some.table: (end - len(some.numbers), some.numbers)
            for some, end in zip(rows, ends, strict=True)
        }

    def __call__(self, rows: Iterable[RowRef]) -> Iterator[int]:
        """Give the numbers of those that are there."""
        for row in rows:
            first, numbers = self._tables.get(row.table, (0, ()))
            n = bisect_left(numbers, row.row)
            if row.row in numbers[n : n + 1]:
                yield first + n


def grids(finished: Finished) -> Iterator[tuple[str, Any]]:
    """Pack rows and changes by column, part by part, for JSON; a number stands for a text of ``texts``.

    What is long comes as an iterator, some items at a time, and is worked out as it is packed: all at once is more than all
    else that a run remembers.
    """
    rows, pool = _chosen(finished.results), _Pool()
    headers = list(dict.fromkeys(column for t in finished.tables for column in columns_of(t)))
    places = _Places(rows)
    yield "total", len(finished.results)
    yield "few", FEW
    yield "rows", _rows(rows, pool)
    yield "fresh", sorted(places(finished.since.fresh if finished.since else ()))
    yield "headers", headers
    yield "cells", _cells(finished.tables, rows, headers, pool)
    yield "findings", _findings(finished.findings, places, pool)
    yield "changes", _changes(finished, places, pool)
    yield "texts", pool.texts()


def _chosen(results: Sequence[RowResult], most: int = MOST) -> Sequence[Stretch]:
    """Take all rows, or of too many those that need somebody, and of the others the first."""
    rows = [*by_table(results)]
    if len(results) <= most:
        return rows
    work = sum(words.result in NEEDS_WORK for some in rows for words in some.words)
    room = {True: most, False: max(0, most - work)}

    def taken(words: Words) -> bool:
        room[words.result in NEEDS_WORK] -= 1
        return room[words.result in NEEDS_WORK] >= 0

    def cut(some: Stretch) -> Stretch:
        keep = [*map(taken, some.words)]
        numbers, words = [*compress(some.numbers, keep)], [*compress(some.words, keep)]
        return some._replace(numbers=numbers, words=words)

    return [*map(cut, rows)]


def _rows(rows: Sequence[Stretch], pool: _Pool) -> dict[str, Iterator[list[int]]]:
    def column(text: Callable[[Words], str]) -> Iterator[list[int]]:
        return pool.lots(chain.from_iterable(lot.each(text) for lot in _parts(rows)))

    return {
        "source": pool.lots(chain.from_iterable(repeat(s.source, len(s.numbers)) for s in rows)),
        "number": _lots(chain.from_iterable(some.numbers for some in rows)),
        "result": column(lambda words: words.result),
        "status": column(lambda words: MEANS[words.status]),
        "code": column(lambda words: words.code),
        "message": column(lambda words: words.message),
        "fix": column(lambda words: words.fix),
        "actions": column(lambda words: words.actions),
    }


def _parts(rows: Sequence[Stretch]) -> Iterator[Stretch]:
    return chain.from_iterable(some.lots(CHUNK) for some in rows)


def _cells(
    tables: Sequence[Table], rows: Sequence[Stretch], headers: Sequence[Column], pool: _Pool
) -> Iterator[Iterator[list[int]]]:
    """Give the input's own cells, a column at a time; blank where a row's table has no such column."""
    known = {table.index: table for table in tables}
    for header in headers:
        cells = (column_of(known.get(lot.table), lot.numbers, header) for lot in _parts(rows))
        yield pool.lots(chain.from_iterable(cells))


def _findings(
    findings: Iterable[Finding], places: _Places, pool: _Pool
) -> dict[int, list[tuple[int, ...]]]:
    """Give by row: column, code, what is said, what to do, and whether it rejects the row."""
    found: dict[int, list[tuple[int, ...]]] = {}
    for finding in findings:
        for place in places([finding.row] if finding.row else ()):
            texts = (finding.column, finding.code, said(finding), finding.fix or fix(finding.code))
            rejects = int(finding.severity is Severity.REJECT)
            found.setdefault(place, []).append((*pool(texts), rejects))
    return found


def _changes(finished: Finished, places: _Places, pool: _Pool) -> dict[str, Iterator[list[Any]]]:
    """Give one entry per change: what, on whom, from what to what, and what the tenant said."""

    def column(value: Callable[[Deed, Change], T]) -> Iterator[list[T]]:
        return _lots(value(deed, change) for deed, change in _deeds(finished))

    def texts(text: Callable[[Deed, Change], str]) -> Iterator[list[int]]:
        return map(pool, column(text))

    return {
        "what": texts(_what),
        "person": texts(lambda _, change: change.email or ""),
        "group": texts(lambda _, change: _group(change, finished)),
        "before": texts(lambda _, change: sides(change)[0]),
        "after": texts(lambda _, change: sides(change)[1]),
        "result": texts(lambda deed, _: deed.outcome.status.result),
        "status": texts(lambda deed, _: MEANS[deed.outcome.status]),
        "message": texts(lambda deed, _: deed.words),
        "request": texts(lambda deed, _: deed.outcome.request_id),
        "at": texts(lambda deed, _: deed.outcome.at),
        "http": column(lambda deed, _: deed.outcome.http_status or 0),
        "attempts": column(lambda deed, _: deed.outcome.attempts),
        "rows": column(lambda deed, _: [*places(deed.rows)]),
    }
