"""What is known of every change while a plan is carried out, in memory and in the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import cast

from onboarding.apply.steps import Call
from onboarding.apply.tally import Tally
from onboarding.errors import TenantError
from onboarding.journal import Journal
from onboarding.plan import Action, Change, Outcome, Plan, Status
from onboarding.tenant import Receipt


@dataclass(frozen=True, slots=True)
class Sent:
    """A call as it was sent, and what came back."""

    call: Call
    request_id: str
    answer: Receipt | TenantError


End = tuple[Change, Outcome, Sent | None]
"""What became of a change, and by which call."""


@dataclass(frozen=True, slots=True)
class Course:
    """How far a change has come that has no outcome yet; those of one call share it."""

    under_way: str = ""
    """Request id of what may have left."""
    attempts: int = 0
    accepted: Sent | None = None
    """The call that got a clear yes, which has not been seen yet."""


STILL = Course()
NOTHING = Outcome(Status.SKIPPED, "not-sent", "not carried out by this call")


class Book:
    """Several threads write in it, about different changes, each time in one atomic step."""

    def __init__(self, plan: Plan, journal: Journal, now: Callable[[], float]) -> None:
        self.journal = journal
        self.tally = Tally(plan.changes)
        self.made: list[Change] = []
        """What got a clear yes, so that the tenant may show it by now."""
        self.perhaps: dict[str, Sent] = {}
        """What is sent again although an earlier call of ours may have done it, by the changes' keys."""
        self._known: dict[str, Course | Outcome] = {}
        self._set_aside = {
            settled.change.key: Outcome(settled.status, settled.code, settled.message)
            for settled in plan.settled
            if settled.change
        }
        self._now = now

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """What became of every change, once all is over."""
        assert all(isinstance(known, Outcome) for known in self._known.values())
        return cast("Mapping[str, Outcome]", self._known)

    def of(self, key: str) -> Outcome | None:
        """Give what became of a change, in this run or before it."""
        known = self._known.get(key)
        return known if isinstance(known, Outcome) else self._set_aside.get(key)

    def course(self, change: Change) -> Course | None:
        """Give how far a change has come; None where its outcome is known."""
        known = self._known.get(change.key, STILL)
        return known if isinstance(known, Course) else None

    def doubtful_before(self) -> tuple[str, ...]:
        """Give the invitations that were set aside since an earlier run left them in doubt."""
        begin = f"{Action.INVITE} "
        return tuple(
            key
            for key, outcome in self._set_aside.items()
            if outcome.status is Status.IN_DOUBT and key.startswith(begin)
        )

    def accepted(self, change: Change) -> Sent | None:
        """Give the call that got a clear yes to a change, if that has not been seen yet."""
        course = self.course(change)
        return course.accepted if course else None

    def intend(self, call: Call, request_id: str, repeats: Sent | None = None) -> None:
        """Write down what is about to be sent, in the place of what it repeats."""
        before = repeats.request_id if repeats else ""
        self.journal.intend(request_id, call.action, call.changes, repeats=before)
        self._move(call.changes, lambda course: replace(course, under_way=request_id))

    def answered(self, sent: Sent) -> None:
        """Count the attempts behind an answer."""
        more = sent.answer.attempts
        self._move(
            sent.call.changes, lambda course: replace(course, attempts=course.attempts + more)
        )

    def accept(self, sent: Sent, changes: Sequence[Change]) -> None:
        """Write down a clear yes to these changes of a call."""
        self.made += changes
        self._tell_of(changes)
        self._move(changes, lambda course: replace(course, accepted=sent))
        self.journal.accept(sent.request_id, sent.call.changes)

    def skip(self, change: Change, fate: Outcome, sent: Sent | None = None) -> None:
        """Know what became of a change for which nothing is under way; that needs no journal."""
        outcome = self._dated(change, fate, sent, self._time())
        self._tell_of([change])
        self._known[change.key] = outcome

    def record(self, ends: Sequence[End]) -> None:
        """Know what became of changes that were sent, and write it down."""
        at = self._time()
        alike: dict[tuple[int, int, int], Outcome] = {}  # what many came to is made and kept once
        dated = []
        under = {}
        for change, fate, sent in ends:
            known = self._known.get(change.key, STILL)
            which = id(fate), id(sent), id(known)
            if which not in alike:
                alike[which] = self._dated(change, fate, sent, at)
            dated.append((change, alike[which]))
            if isinstance(known, Course) and known.under_way:
                under[change.key] = known.under_way
        self._tell_of([change for change, _ in dated])
        for change, outcome in dated:
            self._known[change.key] = outcome
        self.journal.conclude(dated, under)

    def restore(self, change: Change) -> None:
        """Know that a call has done this after all that was sent before it, although it was undone."""
        sent = self.perhaps[change.key]
        self.journal.restore(sent.request_id, [change])
        self.record([(change, Outcome(Status.APPLIED), sent)])

    def undo(self, sent: Sent, changes: Sequence[Change], *, perhaps: bool = False) -> None:
        """Write down that a call came to nothing for these, if its intent was; what becomes of them is still to be seen.

        ``perhaps``: if they show before they are sent again, it was this call.
        """
        if perhaps:
            self.perhaps |= {change.key: sent for change in changes}
        changes = [c for c in changes if self._under_way(c) == sent.request_id]
        if not changes:
            return
        self._move(changes, lambda course: Course(attempts=course.attempts))
        at = self._time()
        self.journal.conclude(
            [(change, self._dated(change, NOTHING, sent, at)) for change in changes]
        )

    def _time(self) -> str:
        """Give the time; what ends together has one."""
        return datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")

    def _dated(self, change: Change, fate: Outcome, sent: Sent | None, at: str) -> Outcome:
        """Give the outcome with the facts of the call behind it."""
        return Outcome(
            fate.status,
            fate.code,
            fate.message,
            http_status=sent.answer.status if sent else fate.http_status,
            request_id=sent.request_id if sent else self._under_way(change),
            attempts=self._known.get(change.key, STILL).attempts,
            at=at,
        )

    def _tell_of(self, changes: Iterable[Change]) -> None:
        """Count what is through from now on; of what was accepted or has an outcome that was said before."""
        courses = ((change, self.course(change)) for change in changes)
        self.tally.count([c for c, course in courses if course and not course.accepted])

    def _under_way(self, change: Change) -> str:
        course = self.course(change)
        return course.under_way if course else ""

    def _move(self, changes: Sequence[Change], step: Callable[[Course], Course]) -> None:
        """Note how far changes have come; of a call nearly all have come equally far."""
        before = after = STILL
        for change in changes:
            course = self.course(change) or STILL
            if course is not before or after is STILL:
                before, after = course, step(course)
            self._known[change.key] = after
