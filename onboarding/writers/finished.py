"""A command at its end, as the reports for people have it: one value, and the words in which all of them judge it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onboarding.job import Prospect
from onboarding.model import Finding, GroupName, RowRef
from onboarding.plan import Action, Status
from onboarding.report import NEEDS_WORK, NO_DEEDS, Deeds, RowResult
from onboarding.sheets import Table
from onboarding.totals import Totals
from onboarding.writers.text import count


@dataclass(frozen=True, slots=True)
class Since:
    """How the rows that need somebody differ from those of the run before."""

    when: str
    fresh: frozenset[RowRef]
    """Rows that need somebody now and did not then."""
    gone: int
    """Rows that needed somebody then and don't now."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command at its end: everything that a report is made from."""

    summary: Mapping[str, Any]
    """What ``summary.json`` holds, but for the names of the files."""
    tables: Sequence[Table]
    """With the columns that are to be carried along."""
    results: Sequence[RowResult]
    findings: Sequence[Finding]
    totals: Totals
    done: Deeds = NO_DEEDS
    labels: Mapping[GroupName, str] = field(default_factory=dict)
    prospect: Prospect | None = None
    since: Since | None = None


def tone(finished: Finished) -> str:
    """Say how it went in one word: ``good``, ``work`` or ``stopped``."""
    if finished.summary["error"]:
        return "stopped"
    return "work" if finished.totals.reasons else "good"


def verdict(finished: Finished) -> str:
    """Say in a sentence whether it worked."""
    totals, command = finished.totals, finished.summary["command"]
    work = sum(totals.by_result.get(word, 0) for word in NEEDS_WORK)
    some = f"{work:,} of {count(totals.rows, 'row')}"
    if finished.summary["error"]:
        sent = any(statuses.get(Status.APPLIED) for statuses in totals.by_action.values())
        return "Stopped on the way" if sent else "Nothing was sent"
    match command:
        case "validate":
            return (
                f"{some} {_verb(work, 'has', 'have')} a mistake" if work else "Every row is valid"
            )
        case "plan":
            changes = sum(s.get(Status.PLANNED, 0) for s in totals.by_action.values())
            would = f"{count(changes, 'change')} would be made" if changes else "Nothing to change"
            return f"{would}; {some} {_verb(work, 'needs', 'need')} you" if work else would
        case _:
            return f"{some} {_verb(work, 'needs', 'need')} you" if work else "Every row is done"


def changes(finished: Finished) -> list[tuple[str, int, int]]:
    """Count the changes of each kind: what, how many there were to be, how many are in the tenant now."""
    counted = []
    for action, what in _CHANGES.items():
        statuses = Counter(finished.totals.by_action.get(action, {}))
        asked = statuses.total() - statuses[Status.UNCHANGED]
        counted.append((what, asked, statuses[Status.APPLIED]))
    return counted


_CHANGES = {
    Action.INVITE: "invitations",
    Action.CHANGE_ROLE: "role changes",
    Action.CREATE_GROUP: "new groups",
    Action.UPDATE_GROUP: "changed groups",
    Action.GRANT: "memberships added",
    Action.REVOKE: "memberships removed",
}


def moment(text: str) -> str:
    """Write a time so that nobody takes the day for the month.

    >>> moment("2026-11-21T04:52:00Z")
    '2026-11-21 04:52 UTC'
    """
    return f"{text[:10]} {text[11:16]} UTC"


def _verb(number: int, one: str, more: str) -> str:
    return one if number == 1 else more
