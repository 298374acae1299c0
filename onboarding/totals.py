"""What became of rows and changes in; the totals and the exit code out."""

from __future__ import annotations

import signal
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from onboarding.errors import Interrupted, OnboardingError, TryLater
from onboarding.model import Email, Person, RowRef
from onboarding.plan import Action, Status
from onboarding.report import NEEDS_WORK, Deed, Fates, RowResult, needing_work
from onboarding.words import fix, meaning, title


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows need work: a code, how many rows have it, and the first of them."""

    code: str
    rows: int
    first: RowRef

    @property
    def title(self) -> str:
        """What happened, in a few words."""
        return title(self.code)

    @property
    def meaning(self) -> str:
        """What happened, in a sentence."""
        return meaning(self.code)

    @property
    def fix(self) -> str:
        """What to do; empty where nothing is to be done."""
        return fix(self.code)


@dataclass(frozen=True, slots=True)
class Totals:
    """How it went, in numbers."""

    rows: int
    by_result: Mapping[str, int]
    """All four words, zeros too."""
    by_status: Mapping[Status, int]
    """Rows; all eight, zeros too."""
    by_action: Mapping[Action, Mapping[Status, int]]
    """Changes; only what occurs. A change that was set aside counts under its status."""
    reasons: tuple[Reason, ...]
    """Why rows are ``error`` or ``manual``, the commonest first."""
    invited: int
    """Invitations that this run sent and saw in the tenant."""


def totals(fates: Fates, done: Iterable[Deed]) -> Totals:
    """Count the rows by result, status and reason, and the changes by action and status."""
    statuses: Counter[Status] = Counter()
    words: Counter[str] = Counter()
    for fate, share in fates.items():
        statuses[fate.status] += share.rows
        words[fate.status.result] += share.rows
    actions: dict[Action, Counter[Status]] = defaultdict(Counter)
    invited = 0
    for deed in done:
        if deed.change:
            actions[deed.change.action][deed.outcome.status] += 1
            invited += _sent_invitation(deed)
    return Totals(
        statuses.total(),
        {word: words[word] for word in ("success", "error", "manual", "planned")},
        {status: statuses[status] for status in Status},
        {action: dict(actions[action]) for action in Action if action in actions},
        _reasons(fates),
        invited,
    )


def _reasons(fates: Fates) -> tuple[Reason, ...]:
    counts: Counter[str] = Counter()
    first: dict[str, RowRef] = {}
    for fate, share in fates.items():
        if fate.status.result in NEEDS_WORK:
            for code in fate.codes:
                counts[code] += share.rows
                first[code] = min(first.get(code, share.first), share.first)
    ranked = sorted(counts, key=lambda code: (-counts[code], code))
    return tuple(Reason(code, counts[code], first[code]) for code in ranked)


def _sent_invitation(deed: Deed) -> bool:
    return (
        deed.change is not None
        and deed.change.action is Action.INVITE
        and deed.outcome.status is Status.APPLIED
        and deed.outcome.code != "earlier-run"
    )


# ---- exit code -------------------------------------------------------------------------------------------------


def exit_code(
    fates: Fates,
    done: Sequence[Deed],
    *,
    known_manual: Collection[str] = frozenset(),
    stopped: BaseException | None = None,
) -> int:
    """Give the exit code of a run; if several fit: signals, 74, 70, 4, (2, 3, 5), 1, 75, 0.

    ``known_manual`` is what earlier runs have reported (``manual_work``). Rows that merely wait are no 1: behind a
    tenant that asks for patience those that were not tried, and behind a doubt what depends on it.
    """
    fits = {code_of(stopped)} if stopped else set()
    if any("unaccounted" in fate.codes for fate in fates):
        fits.add(70)
    if _needs_somebody(fates, done, stopped) or manual_work(done) - set(known_manual):
        fits.add(1)
    if _in_doubt(fates, done):
        fits.add(75)
    return worst(fits)


def worst(codes: Collection[int]) -> int:
    """Give the one of several exit codes that counts; signals go before all else."""
    signals = sorted((code for code in codes if code > 128), reverse=True)
    return next((code for code in (*signals, 74, 70, 4, 2, 3, 5, 1, 75) if code in codes), 0)


def code_of(error: BaseException) -> int:
    """Give the exit code of what stopped a run."""
    match error:
        case Interrupted(signal=number):
            return 128 + number
        case KeyboardInterrupt():
            return 128 + signal.SIGINT
        case OnboardingError():
            return error.exit_code
        case _:
            return OnboardingError.exit_code


def _needs_somebody(fates: Fates, done: Sequence[Deed], stopped: BaseException | None) -> bool:
    """Say whether a row or change is rejected, failed or skipped, other than by having to wait."""
    waiting: frozenset[str] = frozenset()
    if isinstance(stopped, TryLater):
        waiting = frozenset({"dependency", "interrupted", "not-sent", "throttled"})
    elif _in_doubt(fates, done):
        waiting = frozenset({"dependency"})
    bad = {Status.REJECTED, Status.FAILED}
    return any(
        fate.status in bad or (fate.status is Status.SKIPPED and not waiting.issuperset(fate.codes))
        for fate in fates
    ) or any(
        deed.outcome.status is Status.FAILED
        or (
            deed.outcome.status is Status.SKIPPED
            and not deed.rows
            and deed.outcome.code not in waiting
        )
        for deed in done
    )


def _in_doubt(fates: Fates, done: Iterable[Deed]) -> bool:
    return any(fate.status is Status.IN_DOUBT for fate in fates) or any(
        deed.outcome.status is Status.IN_DOUBT for deed in done
    )


def manual_work(done: Iterable[Deed]) -> frozenset[str]:
    """Name what a person has to do, the same in every run until it is done, whatever its rows are."""
    return frozenset(
        f"{deed.outcome.code} {deed.change.key if deed.change else deed.words}"
        for deed in done
        if deed.outcome.status is Status.MANUAL
    )


Spoken = Mapping[str, tuple[RowRef, ...]]
"""Work for a person, as ``manual_work`` names it, with the rows that tell whether it is still to be done."""


def spoken_of(work: Iterable[str], persons: Mapping[Email, Person]) -> Spoken:
    """Give what of this work the users sheets speak of. A row without a status does not say whether somebody has left."""
    found: dict[str, tuple[RowRef, ...]] = {}
    for key in work:
        code, *words = key.split(" ")
        for person in [persons[who] for who in map(Email, words) if who in persons]:
            if code in _OF_WHOEVER_IS_THERE or (code == "deactivate" and person.standing_said):
                found[key] = person.rows
    return found


_OF_WHOEVER_IS_THERE = frozenset({"reactivate", "invite-by-hand"})


def no_longer(
    reported: Spoken, work: Collection[str], results: Iterable[RowResult]
) -> frozenset[str]:
    """Give the work that is none any more: all rows that speak of it came to something, and not to that."""
    left = {key: rows for key, rows in reported.items() if key not in work}
    wrong = (one.row for one in needing_work(results) if one.result == "error")
    stuck = frozenset(wrong if left else ())
    return frozenset(key for key, rows in left.items() if stuck.isdisjoint(rows))
