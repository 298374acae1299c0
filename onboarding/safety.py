"""A plan and its limits come in; a plan without what is not permitted, or ``UnsafePlan`` with the numbers, goes out. Pure.

``screen`` sets single changes aside, ``check`` judges the plan as a whole, ``agreed`` keeps a plan to what was reviewed.
All of them look at the plan, so that the same guards hold for a plan made now and for one that was saved.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from math import floor
from typing import Self

from onboarding.errors import TooManyRejected, UnsafePlan
from onboarding.model import Directory, Email, Group, GroupName, Role, User
from onboarding.plan import Action, Cause, Change, Plan, Settled, Status

# ---- single changes ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the person who starts the run allows beyond the usual."""

    allow_admins: bool = False
    """Make somebody Admin, or take it away."""
    allow_default: bool = False
    """Make a group a default group."""
    invite: bool = True
    reinvite: frozenset[Email] = frozenset()
    """Whom to invite although an invitation was accepted in the last 30 days."""


def screen(
    plan: Plan,
    current: Directory,
    permissions: Permissions,
    *,
    doubtful: frozenset[str] = frozenset(),
    invited_recently: frozenset[Email] = frozenset(),
) -> Plan:
    """Set aside what may not be done, and what needs it; what no permission lifts comes first.

    ``doubtful`` holds the keys of changes of which nobody knows yet whether they were carried out.
    """

    def aside(when: Callable[[Change], bool], status: Status, code: str, message: str) -> None:
        nonlocal plan
        plan = plan.set_aside([c for c in plan.changes if when(c)], status, code, message)

    skipped = Status.SKIPPED
    message = "an earlier run sent this and nobody knows yet whether it was carried out"
    aside(lambda c: c.spelled() in doubtful, Status.IN_DOUBT, "in-doubt", message)
    message = "this is the account of an API token; no sheet changes it"
    aside(lambda c: _is_of_a_token(c, current), skipped, "token-account", message)
    message = "this is the account behind the API token; its role is not lowered"
    aside(lambda c: _is_own_demotion(c, current), skipped, "own-account", message)
    if not plan.admins_left(current):
        message = "this would leave the tenant without an admin"
        aside(lambda c: c.takes_a_ruler, skipped, "last-admin", message)
    if not permissions.allow_admins:
        message = "making somebody Admin, or taking it away, needs --allow-admins"
        aside(_touches_admins, skipped, "needs-allow-admins", message)
    if not permissions.allow_default:
        message = "making a group a default group needs --allow-default"
        aside(_makes_default, skipped, "needs-allow-default", message)
    if not permissions.invite:
        message = "--no-invite was given, so nobody is invited"
        aside(_is_invitation, skipped, "invitations-off", message)
    recently = invited_recently - permissions.reinvite
    message = "an invitation was accepted less than 30 days ago, and the account is gone"
    aside(lambda c: _is_invitation(c) and c.email in recently, skipped, "invited-recently", message)
    return plan


def _is_of_a_token(change: Change, current: Directory) -> bool:
    account = current.users.get(change.email) if change.email else None
    return account is not None and account.is_token


def _is_own_demotion(change: Change, current: Directory) -> bool:
    match change.before:
        case User(id=who):
            return change.is_demotion and who == current.own
        case _:
            return False


def _touches_admins(change: Change) -> bool:
    match change.before, change.after:
        case (_, User(role=Role.ADMIN)) | (User(role=Role.ADMIN), _):
            return True
        case _:
            return False


def _makes_default(change: Change) -> bool:
    match change.before, change.after:
        case ((None | Group(default=False)), Group(default=True)):
            return True
        case _:
            return False


def _is_invitation(change: Change) -> bool:
    return change.action is Action.INVITE


# ---- the plan as a whole -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """So many, or so many percent; the larger of both counts."""

    number: int = 0
    percent: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``20`` or ``10%``. Raises ``ValueError`` for anything else.

        >>> Limit.parse("10 %")
        Limit(number=0, percent=10.0)
        """
        found = re.fullmatch(r"([0-9]+)|([0-9]+(?:\.[0-9]+)?) ?%", text.strip())
        if not found:
            raise ValueError(f"{text!r} is no limit; write a number or a percentage: 20 or 10%")
        number, percent = found.groups()
        return cls(number=int(number)) if number else cls(percent=float(percent))

    def of(self, total: int) -> int:
        """Give the most that is allowed of so many."""
        return max(self.number, floor(self.percent * total / 100 + 1e-9))  # 0.57 * 10000 < 5700

    def __str__(self) -> str:
        match self.number, self.percent:
            case number, 0.0:
                return str(number)
            case 0, percent:
                return f"{percent:g} %"
            case number, percent:
                return f"the larger of {number} and {percent:g} %"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one run may do without anybody being asked."""

    invitations: Limit = Limit(50, 10.0)
    """Of the tenant's users."""
    demotions: Limit = Limit(5, 5.0)
    """Of the tenant's users."""
    removals: Limit = Limit(10, 10.0)
    """Of the memberships in the groups concerned."""
    rejected: Limit = Limit(20, 20.0)
    """Of the input rows."""


HALF_FROM = 10  # a group of so many members loses at most half of them by absence


def check(plan: Plan, current: Directory, limits: Limits, *, spent: bool = False) -> None:
    """Raise ``UnsafePlan`` if the plan is over any limit; the message names them all, and how to let it pass.

    ``spent``: this very plan was let pass before.
    """
    found = _breaches(plan, current, limits)
    if found:
        what = "; ".join(found)
        way = (
            "It was let pass once with --accept, and that counts once: raise the limit itself for this run "
            "(--max-invitations, --max-demotions, --max-removals), or change what the sheets ask."
        )
        raise UnsafePlan(
            f"This plan {what}. Nothing was sent. "
            + (way if spent else f"To let exactly this plan pass once: --accept {plan.fingerprint}")
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """How close something comes to its limit."""

    what: str
    """``would invite 7 people to 12 accounts``, without the first word."""
    count: int
    limit: Limit
    total: int
    """What a percentage is of."""

    @property
    def allowed(self) -> int:
        """The most that may be."""
        return self.limit.of(self.total)

    @property
    def over(self) -> bool:
        """Whether it is more than that."""
        return self.count > self.allowed


def usage(
    plan: Plan, current: Directory, limits: Limits, *, rows: int, rejected: int
) -> tuple[Usage, ...]:
    """Say of every limit how close the plan comes to it."""
    wrong = Usage(f"reject {rejected:,} of {_of(rows, 'row')}", rejected, limits.rejected, rows)
    return (*_changing(plan, current, limits), wrong)


def _changing(plan: Plan, current: Directory, limits: Limits) -> tuple[Usage, ...]:
    users = current.accounts
    invited = len(plan.of(Action.INVITE))
    demoted = sum(change.is_demotion for change in plan.changes)
    revoked = len(plan.of(Action.REVOKE))
    memberships = sum(_concerned(plan, current).values())
    invite = f"invite {_of(invited, 'person', 'people')} to {_of(users, 'account')}"
    lower = f"lower the role of {_of(demoted, 'person', 'people')} of {users:,}"
    revoke = f"revoke {_of(revoked, 'membership')} of {memberships:,} in the groups concerned"
    return (
        Usage(invite, invited, limits.invitations, users),
        Usage(lower, demoted, limits.demotions, users),
        Usage(revoke, revoked, limits.removals, memberships),
    )


def _of(number: int, one: str, more: str = "") -> str:
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def _breaches(plan: Plan, current: Directory, limits: Limits) -> list[str]:
    """Say of every limit that the plan is over what it would do."""
    over = [
        f"would {used.what}; the limit is {used.allowed:,}{_reason(used.limit)}"
        for used in _changing(plan, current, limits)
        if used.over
    ]
    return [*over, *_emptied(plan.of(Action.REVOKE), _concerned(plan, current), current)]


def _concerned(plan: Plan, current: Directory) -> dict[GroupName, int]:
    """Count the members of the groups from which the plan takes somebody."""
    revocations = plan.of(Action.REVOKE)
    return members_of(current, {change.group for change in revocations if change.group})


def _reason(limit: Limit) -> str:
    return f" ({limit})" if limit.percent else ""


def members_of(current: Directory, groups: Collection[GroupName]) -> dict[GroupName, int]:
    """Count groups' members: those that were read, or the tenant's own count where not all were."""
    seen = Counter(
        name for names in current.memberships.values() for name in names if name in groups
    )
    return {
        name: seen[name] if name in current.read_whole else max(seen[name], group.size)
        for name, group in current.groups.items()
        if name in groups
    }


def _emptied(
    revocations: Collection[Change], members: Mapping[GroupName, int], current: Directory
) -> Iterator[str]:
    """Give the groups of which absence would take too much: all, or more than half of ten or more."""
    taken = Counter(change.group for change in revocations)
    inferred = Counter(change.group for change in revocations if change.cause is Cause.ABSENT)
    for name, of in sorted(members.items()):
        count, label = inferred[name], current.groups[name].alias
        if count and taken[name] >= of:
            yield f'would take all {of:,} members out of the group "{label}"'
        elif of >= HALF_FROM and count * 2 > of:
            yield (
                f'would take {count:,} of {of:,} members out of the group "{label}" because no row names '
                f"them; the limit is {of // 2:,} (half)"
            )


def check_rejected(rows: int, rejected: int, limits: Limits) -> None:
    """Raise ``TooManyRejected`` if more rows are rejected than the limit allows."""
    limit = limits.rejected
    if rejected > limit.of(rows):
        raise TooManyRejected(
            f"{rejected:,} of {rows:,} rows are rejected; the limit is {limit.of(rows):,}{_reason(limit)}. "
            "Nothing was sent. Correct the rows, or allow more with --max-rejected"
        )


# ---- a plan that was reviewed --------------------------------------------------------------------------------

MOVED = "the tenant has changed here since the plan was made"
UNREVIEWED = "the plan that was reviewed does not contain this"


def agreed(saved: Plan, fresh: Plan, current: Directory) -> Plan:
    """Give what still holds of a plan that was reviewed: nothing that it lacks, nothing that has become another.

    ``fresh`` is today's plan for the same sheets. What is as asked by now needs nothing. Ids and rows are today's.
    """
    reviewed = {change.key: change for change in saved.changes}
    plan = fresh
    for (status, code, message), changes in _not_agreed(saved, fresh).items():
        left = frozenset(change.key for change in plan.changes)
        gone = [change for change in changes if change.key in left]
        plan = plan.set_aside(gone, status, code, message)

    planned = {change.key for change in fresh.changes}
    rows = {row for change in fresh.changes for row in change.rows}
    rows |= {row for settled in fresh.settled for row in settled.rows}
    moved = [
        Settled(Status.SKIPPED, "changed-since-plan", MOVED, still, change)
        for key, change in reviewed.items()
        if key not in planned and not change.is_done(current)
        # Rows that are rejected today say so by themselves.
        if (still := tuple(row for row in change.rows if row in rows)) or not change.rows
    ]
    return replace(plan, settled=(*plan.settled, *moved))


def _not_agreed(saved: Plan, fresh: Plan) -> dict[tuple[Status, str, str], list[Change]]:
    """Give today's changes that were not reviewed, by what to say of them."""
    reviewed = {change.key: change for change in saved.changes}
    reasons = {
        settled.change.key: (settled.status, settled.code, settled.message)
        for settled in saved.settled
        if settled.change and settled.status is Status.SKIPPED
    }
    found: dict[tuple[Status, str, str], list[Change]] = {}
    for change in fresh.changes:
        was = reviewed.get(change.key)
        if was is None:
            reason = reasons.get(change.key, (Status.SKIPPED, "not-in-plan", UNREVIEWED))
            found.setdefault(reason, []).append(change)
        elif was.facts() != change.facts():
            reason = (Status.SKIPPED, "changed-since-plan", MOVED)
            found.setdefault(reason, []).append(change)
    return found
