"""What is known of every change while a plan is carried out, in memory and in the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

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
NOTHING = Outcome(Status.SKIPPED, "not-sent", "not carried out by this call")


class Book:
    """Several threads write in it, about different changes, each time in one atomic step."""

    def __init__(self, plan: Plan, journal: Journal, now: Callable[[], float]) -> None:
        self.journal = journal
        self.tally = Tally(plan.changes)
        self.outcomes: dict[str, Outcome] = {}
        self.accepted: dict[str, Sent] = {}
        """What got a clear yes and has not been seen yet."""
        self.made: dict[str, Change] = {}
        """What the tenant may show by now."""
        self.under_way: dict[str, str] = {}
        """Request ids of what may have left and has no outcome yet."""
        self._set_aside = {
            settled.change.key: Outcome(settled.status, settled.code, settled.message)
            for settled in plan.settled
            if settled.change
        }
        self._attempts: dict[str, int] = {}
        self._now = now

    def of(self, key: str) -> Outcome | None:
        """Give what became of a change, in this run or before it."""
        return self.outcomes.get(key) or self._set_aside.get(key)

    def doubtful_before(self) -> tuple[str, ...]:
        """Give the invitations that were set aside since an earlier run left them in doubt."""
        begin = f"{Action.INVITE} "
        return tuple(
            key
            for key, outcome in self._set_aside.items()
            if outcome.status is Status.IN_DOUBT and key.startswith(begin)
        )

    def intend(self, call: Call, request_id: str, repeats: Sent | None = None) -> None:
        """Write down what is about to be sent, in the place of what it repeats."""
        before = repeats.request_id if repeats else ""
        self.journal.intend(request_id, call.action, call.changes, repeats=before)
        for change in call.changes:
            self.under_way[change.key] = request_id

    def answered(self, sent: Sent) -> None:
        """Count the attempts behind an answer."""
        for change in sent.call.changes:
            before = self._attempts.get(change.key, 0)
            self._attempts[change.key] = before + sent.answer.attempts

    def accept(self, sent: Sent, changes: Sequence[Change]) -> None:
        """Write down a clear yes to these changes of a call."""
        for change in sent.call.changes:
            self.made[change.key] = change
        for change in changes:
            self.accepted[change.key] = sent
        self.tally.count(changes)
        self.journal.accept(sent.request_id, sent.call.changes)

    def skip(self, change: Change, fate: Outcome, sent: Sent | None = None) -> None:
        """Know what became of a change for which nothing is under way; that needs no journal."""
        self.outcomes[change.key] = self._dated(change, fate, sent, self._time())
        self.tally.count([change])

    def record(self, ends: Sequence[End]) -> None:
        """Know what became of changes that were sent, and write it down."""
        at = self._time()
        known: dict[Outcome, Outcome] = {}  # what many came to is kept once
        dated = []
        for change, fate, sent in ends:
            outcome = self._dated(change, fate, sent, at)
            dated.append((change, known.setdefault(outcome, outcome)))
        under = {c.key: self.under_way[c.key] for c, _ in dated if c.key in self.under_way}
        for change, outcome in dated:
            self.outcomes[change.key] = outcome
            self._forget(change)
        self.tally.count(change for change, _ in dated)
        self.journal.conclude(dated, under)

    def restore(self, change: Change, sent: Sent) -> None:
        """Know that a call has done this after all, although it was undone."""
        self.journal.restore(sent.request_id, [change])
        self.record([(change, Outcome(Status.APPLIED), sent)])

    def undo(self, sent: Sent, changes: Sequence[Change]) -> None:
        """Write down that a call came to nothing for these, if its intent was; what becomes of them is still to be seen."""
        changes = [c for c in changes if self.under_way.get(c.key) == sent.request_id]
        if not changes:
            return
        for change in changes:
            self._forget(change)
        at = self._time()
        self.journal.conclude(
            [(change, self._dated(change, NOTHING, sent, at)) for change in changes]
        )

    def _time(self) -> str:
        """Give the time; what ends together has one."""
        return datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")

    def _dated(self, change: Change, fate: Outcome, sent: Sent | None, at: str) -> Outcome:
        """Give the outcome with the facts of the call behind it."""
        key = change.key
        return replace(
            fate,
            at=at,
            attempts=self._attempts.get(key, 0),
            http_status=sent.answer.status if sent else fate.http_status,
            request_id=sent.request_id if sent else self.under_way.get(key, ""),
        )

    def _forget(self, change: Change) -> None:
        key = change.key
        self.under_way.pop(key, None)
        self.accepted.pop(key, None)
