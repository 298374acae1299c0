"""May a call be sent now? A call comes in; nothing, or the outcome of what may not be sent, goes out."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

from onboarding.apply import fates
from onboarding.apply.book import Book
from onboarding.apply.sight import Watch
from onboarding.errors import (
    OnboardingError,
    Protocol,
    Refused,
    StorageError,
    TenantError,
    Throttled,
    TryLater,
)
from onboarding.journal import CREATING
from onboarding.model import Email, Group, Role, RowRef, User
from onboarding.plan import ORDER, Action, Cause, Change, Outcome, Plan, Status, Subject, phase

DONE = frozenset((Status.APPLIED, Status.UNCHANGED))
ENOUGH_DOUBTS = 2
"""In a row, about calls that create something."""
ENOUGH_SILENCES = 5
"""In a row, about calls of any kind; more where more are made ready at once, so that the tenant was read between two of them."""


class Gate:
    """Knows what stands in the way: the end of the run, doubts, closed doors, and what depends on what."""

    def __init__(
        self, plan: Plan, book: Book, watch: Watch, stop: threading.Event, *, hands: int = 1
    ) -> None:
        """``hands``: how many calls are made ready at once."""
        self.stopped: OnboardingError | None = None
        self.crashed = False
        """Whether this process is on its way out; what is under way is as if it had died."""
        self.closed = ""
        """The tenant's words for inviting nobody at all."""
        self._stop = stop
        self._book = book
        self._watch = watch
        self._doubts = 0
        self._silences = 0
        self._enough = max(ENOUGH_SILENCES, hands + 1)
        self._refusals = ("", 0)
        """The last words for one person, and to how many in a row they were said."""
        self._guard = threading.Lock()
        self._plan = plan
        self._new_admins = [c.key for c in plan.of(Action.CHANGE_ROLE) if _is_admin(c.after)]
        updates = plan.of(Action.UPDATE_GROUP)
        self._turns_off = {c.group: c.key for c in updates if phase(c) == ORDER["default-off"]}
        self._invitations = [c.key for c in plan.of(Action.INVITE)]
        self._invitations += book.doubtful_before()

    @cached_property
    def _rows(self) -> dict[str, RowRef]:
        """The first row of each change; needed only where something goes wrong."""
        plan = self._plan
        planned = [*plan.changes, *(entry.change for entry in plan.settled if entry.change)]
        return {change.key: change.rows[0] for change in planned if change.rows}

    @cached_property
    def _grants(self) -> dict[Email | None, list[str]]:
        """What each person is to get; needed only where somebody loses something."""
        grants: defaultdict[Email | None, list[str]] = defaultdict(list)
        for change in self._plan.of(Action.GRANT):
            grants[change.email].append(change.key)
        return grants

    @property
    def over(self) -> bool:
        """Whether the run is to end."""
        return self.crashed or self.stopped is not None or self._stop.is_set()

    def halt(self, error: OnboardingError) -> None:
        """Let nothing more be sent. The first reason stands, but for one that is about our own disk."""
        if isinstance(error, Throttled):
            error = TryLater(f"{error} Run again later to carry on.")
        with self._guard:
            if self.stopped is None or isinstance(error, StorageError):
                self.stopped = error

    @property
    def readable(self) -> bool:
        """Whether the tenant can still be read; that one list did not add up says nothing about another."""
        return self.stopped is None or isinstance(self.stopped, StorageError | Protocol)

    def doubted(self, action: Action, error: TenantError) -> None:
        """A call got no clear answer. A 500 is about this call; all else may befall the next one, too."""
        with self._guard:
            self._doubts += action in CREATING
            self._silences += error.status != 500

    def refused(self, error: Refused, changes: Sequence[Change], *, enough: int) -> None:
        """People were refused; that may be about inviting as such: by its words, or said to ``enough`` in a row."""
        words = fates.closes_invitations(error, changes)
        if not words and len(changes) == 1 and not error.by_subject:
            said = fates.impersonal(error.words)
            with self._guard:
                last, times = self._refusals
                self._refusals = (said, times + 1 if said == last else 1)
                words = error.words if self._refusals[1] >= enough else ""
        self.closed = self.closed or words

    def cleared(self, action: Action) -> None:
        """What became of a call of this kind is known."""
        with self._guard:
            self._silences = 0
            if action in CREATING:
                self._doubts = 0

    def invited(self) -> None:
        """Somebody was invited, so inviting as such is possible."""
        self._refusals = ("", 0)

    def closed_for(self, action: Action) -> Outcome | None:
        """Say what is in the way of every call of this kind."""
        if self.over:
            return fates.interrupted(self.stopped)
        doubtful = action in CREATING and self._doubts >= ENOUGH_DOUBTS
        if doubtful or self._silences >= self._enough:
            return fates.breaker()
        if action is Action.INVITE and self.closed:
            return fates.by_hand(self.closed)
        return None

    def missing(self, change: Change, *, with_group: bool = False) -> Outcome | None:
        """Say what a change depends on and does not have; ``with_group``: it travels with its group's creation."""
        email, group = change.email, change.group
        if email and change.action is not Action.INVITE and not self._watch.user_id(email):
            return self._waits(f"{Action.INVITE} {email}", f"the account of {email}")
        if group and not with_group and not self._watch.group_id(group):
            return self._waits(f"{Action.CREATE_GROUP} {group}", f"the group {group}")
        return self._unreliable(change)

    def _unreliable(self, change: Change) -> Outcome | None:
        """Say what a change waits for that has not come about.

        What a mover loses waits for what the mover gets, and an admin's demotion for the new admins; it must leave another
        one, too. Nobody is missed in a default group, so that has to be none any more. A group is made a default group only
        while no invitation is in doubt: who is invited late would slip in.
        """
        waits_for: Iterable[str] = ()
        bad = frozenset(Status) - DONE
        if change.action is Action.REVOKE and change.cause is not Cause.LEAVER:
            waits_for = self._grants.get(change.email, ())
            if change.cause is Cause.ABSENT and change.group in self._turns_off:
                waits_for = [self._turns_off[change.group], *waits_for]
        elif change.is_demotion and _is_admin(change.before):
            waits_for = self._new_admins
        elif _turns_default_on(change):
            waits_for, bad = self._invitations, frozenset({Status.IN_DOUBT})
        if change.takes_a_ruler and not self._watch.admins_left:
            return fates.last_admin()
        for key in waits_for:
            outcome = self._book.of(key)
            if outcome and outcome.status in bad:
                return self._waits(key, f"'{key}'")
        return None

    def _waits(self, key: str, what: str) -> Outcome:
        """Say that something depends on a change that did not come about, and which row asks for that."""
        row = self._rows.get(key)
        return fates.dependent(f"{what} ({row})" if row else what, self._book.of(key))


def _is_admin(subject: Subject | None) -> bool:
    return isinstance(subject, User) and subject.role is Role.ADMIN


def _turns_default_on(change: Change) -> bool:
    match change.before, change.after:
        case Group(default=True), _:
            return False
        case _, Group(default=default):
            return default
        case _:
            return False
