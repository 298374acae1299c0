"""Carry out a plan: plan and tenant come in, an outcome for every change goes out.

No status is believed further than it goes. For every changing call an intent is on disk before its first byte leaves;
it is sent once; what the answer leaves open is settled by reading. A clear no is narrowed down by halves to the rows
it means. A doubtful invitation or group creation is never sent again in this run: a later run decides, after the
waiting time. Everything that is reported as applied has been seen.

Calls of one phase go out side by side, phases one after the other. While as many are under way as may be, the next ones are
made ready, down to their intents on the disk; not so what creates something, since after a crash its intent would be a
doubt. Nothing is raised for what the tenant does.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from onboarding import errors
from onboarding.apply import fates
from onboarding.apply.age import Age
from onboarding.apply.book import Book, Sent
from onboarding.apply.dispatch import Dispatch, HeldBack
from onboarding.apply.earlier import settle
from onboarding.apply.gate import Gate
from onboarding.apply.hindsight import SEEN, Hindsight, shown
from onboarding.apply.observer import Observer, Silent
from onboarding.apply.pace import Pace
from onboarding.apply.sight import Sight, Watch
from onboarding.apply.steps import Call, Heap, count, grants, heaps, phases
from onboarding.crew import Crew
from onboarding.errors import (
    NotSent,
    OnboardingError,
    Refused,
    StorageError,
    TenantError,
    Throttled,
    TokenRefused,
)
from onboarding.journal import CREATING, Journal
from onboarding.model import Directory
from onboarding.plan import Action, Change, Outcome, Plan, Status
from onboarding.tenant import Receipt, Tenant

__all__ = ["Applied", "Observer", "Pace", "apply", "forecast", "settle"]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of every change of a plan, by its key, and what stopped the run early."""

    outcomes: Mapping[str, Outcome]
    stopped: OnboardingError | None = None
    forecast: int = 0
    """The calls that it was to take, counted anew when it began: a look gets old while a person thinks."""

    @property
    def in_vain(self) -> bool:
        """Whether for certain nothing has come of it."""
        some = (Status.APPLIED, Status.IN_DOUBT)
        return not any(outcome.status in some for outcome in self.outcomes.values())


def forecast(
    plan: Plan,
    current: Directory,
    tenant: Tenant,
    pace: Pace,
    *,
    looked_at: float | None = None,
) -> int:
    """Count the calls that ``apply``, begun right now, makes when nothing fails, looks before and after included."""
    age = Age(current, tenant, pace, looked_at)
    return count(plan, current, tenant, pace.batch, age.will_be_over)


def apply(
    plan: Plan,
    current: Directory,
    tenant: Tenant,
    journal: Journal,
    pace: Pace,
    *,
    observer: Observer | None = None,
    stop: threading.Event | None = None,
    looked_at: float | None = None,
) -> Applied:
    """Carry out a plan; every change gets an outcome, whatever happens.

    ``stop`` ends the run politely: calls under way are finished and read back, the rest is skipped. ``looked_at`` is
    when ``current`` was read, by the clock of ``pace``; without it, just now.
    """
    watched_by = observer or Silent()
    run = _Run(
        plan, current, tenant, journal, pace, watched_by, stop or threading.Event(), looked_at
    )
    return run.carry_out()


class _Run:
    """One plan being carried out."""

    def __init__(
        self,
        plan: Plan,
        current: Directory,
        tenant: Tenant,
        journal: Journal,
        pace: Pace,
        observer: Observer,
        stop: threading.Event,
        looked_at: float | None,
    ) -> None:
        self.plan = plan
        self.tenant = tenant
        self.pace = pace
        self.observer = observer
        self.calls_before = tenant.calls
        self.age = Age(current, tenant, pace, looked_at)
        self.forecast = count(plan, current, tenant, pace.batch, self.age.will_be_over)
        self.left_behind: list[Change] = []
        """Members that did not ride along with their new group."""
        self.perhaps: set[str] = set()
        """What is sent again although an earlier call of ours may have done it."""
        self._rest = partial(pace.rest, stop=stop)
        self.callers = Crew(pace.workers)
        self.watch = Watch(
            current,
            tenant,
            read_lag=pace.read_lag,
            rest=self._rest,
            stop=stop,
            callers=self.callers,
        )
        self.book = Book(plan, journal, pace.now)
        self.hands = pace.workers * 2 if pace.workers > 1 else 1
        """Calls that are made ready at once."""
        self.gate = Gate(plan, self.book, self.watch, stop, hands=self.hands)
        self.look = Hindsight(self.watch, self.book, self.gate, tell=self.tell)
        self.dispatch = Dispatch(
            tenant,
            self.watch,
            self.book,
            self.gate,
            callers=self.callers,
            tries=pace.tries,
            rest=self.rest,
            left=self.left,
        )

    def rest(self, seconds: float) -> None:
        """Wait before something is sent again, and say so."""
        self.tell(f"waiting for the tenant, {seconds:.0f} s")
        self._rest(seconds)

    def carry_out(self) -> Applied:
        sent = 0
        with self.callers:
            for calls in phases(self.plan, self.pace.batch):
                self.each(calls, sent)
                sent += len(calls)
                if calls[0].action is Action.INVITE:
                    self.look.verify(Action.INVITE)
                if calls[0].action is Action.CREATE_GROUP:
                    self.each(grants(self.left_behind))
            self.look.verify(*Action)
        self.account_for_the_rest()
        self.tell("done")
        return Applied(self.book.outcomes, self.gate.stopped, self.forecast)

    def each(self, calls: Sequence[Call], before: int = 0) -> None:
        """Carry out the calls of a phase side by side; whatever breaks, those under way are finished."""
        together = heaps(calls, before, self.age.will_be_over, self.tenant)
        creating = any(call.action in CREATING for call in calls)
        with Crew(self.pace.workers if creating else self.hands) as hands:
            list(hands.map(self.in_turn, [*together]))
        self.look.once_more()

    def in_turn(self, heap: Heap) -> None:
        """Carry out calls one after the other, those to whom an old look applies by a new one."""
        renewed = -math.inf if heap.again else None
        seen: Mapping[str, Sight] = {}
        for number, call in enumerate(heap.calls):
            if self.gate.crashed:
                return
            try:
                closed = self.gate.closed_for(call.action)
                if call.action is Action.INVITE and self.age.is_over(renewed) and not closed:
                    left = [change for later in heap.calls[number:] for change in later.changes]
                    seen, renewed = self.watch.meet(left), self.pace.now()
                self.carry(call, seen, renewed)
            except (StorageError, TenantError) as error:
                self.gate.halt(error)
            except BaseException:
                self.gate.crashed = True
                raise

    def carry(self, call: Call, seen: Mapping[str, Sight], renewed: float | None) -> None:
        """Carry out one call: afterwards each of its changes is accepted, unsettled or has its outcome.

        ``seen`` is what another look has shown of those whom it invites, and ``renewed`` when that was.
        """
        call = self.allowed(call, seen)
        if call.changes:
            self.send(call, renewed=renewed)

    def send(self, call: Call, *, again: Sent | None = None, renewed: float | None = None) -> None:
        """Send a call, perhaps ``again``: then nobody knows what came of it the first time."""
        self.tell(call.action.value)
        sent = self.dispatch.send(call, again, lambda: self.age.is_over(renewed))
        if sent is None:
            self.gate.cleared(call.action)
            return
        match sent.answer:
            case Receipt() as receipt:
                self.accept(sent, receipt)
            case Refused() if again:
                self.gate.cleared(call.action)
                self.in_doubt_still(again, sent.call.changes)
            case Refused() as error:
                self.narrow_down(sent, error)
            case HeldBack() as error:
                self.give_up(sent, error, again)
            case NotSent() | Throttled() | TokenRefused() as error:
                self.gate.halt(error)
                self.give_up(sent, error, again)
            case error:
                self.look_into(sent, error, again=again is not None)

    def give_up(self, sent: Sent, error: TenantError, again: Sent | None) -> None:
        """A call was not carried out; what an earlier one may have done is looked for once more."""
        match error:
            case _ if again:
                self.in_doubt_still(again, sent.call.changes)
            case HeldBack(fate=None):
                self.in_turn(Heap((sent.call,), again=True))
            case HeldBack(fate=Outcome() as fate):
                for change in sent.call.changes:
                    self.book.skip(change, fate)
            case _:
                for change in sent.call.changes:
                    self.book.skip(change, fates.unsent(error), sent)

    def in_doubt_still(self, first: Sent, changes: Sequence[Change]) -> None:
        """What became of the second call says nothing about the first."""
        assert isinstance(first.answer, TenantError)
        self.look.later(first, first.answer, changes)

    def allowed(self, call: Call, seen: Mapping[str, Sight]) -> Call:
        """Give the call without the changes that may not or need not be sent; these get their outcomes."""
        creating = call.action is Action.CREATE_GROUP
        closed = self.gate.closed_for(call.action)
        kept = self.without(
            call.changes,
            lambda change: (
                closed
                or self.gate.missing(change, with_group=creating)
                or shown(change, seen.get(change.key, Sight.ABSENT), self.whose(change))
            ),
        )
        return Call(call.action, kept)

    def without(
        self, changes: Sequence[Change], fate: Callable[[Change], Outcome | None]
    ) -> tuple[Change, ...]:
        """Give the changes that have no fate; the others need not be sent (again)."""
        kept = []
        for change in changes:
            found = fate(change)
            if found is None:
                kept.append(change)
            elif found is SEEN:
                self.book.record([(change, found, None)])
            else:
                self.book.skip(change, found)
        return tuple(kept)

    def whose(self, change: Change) -> Outcome:
        """Say of something that is there unexpectedly who did it: we, if we have sent it before."""
        return SEEN if change.key in self.perhaps else fates.by_somebody_else()

    # ---- what the answer means ----------------------------------------------------------------------------

    def accept(self, sent: Sent, receipt: Receipt) -> None:
        """A clear yes: believed once it is seen."""
        first, *others = sent.call.changes
        self.gate.cleared(first.action)
        if first.action is Action.INVITE:
            self.gate.invited()
        if receipt.group and first.group:
            self.watch.learn(first.group, receipt.group)
        behind = [
            change
            for change in others
            if change.email and self.watch.user_id(change.email) in receipt.not_added
        ]
        self.book.accept(sent, [change for change in sent.call.changes if change not in behind])
        self.leave_behind(sent, behind)

    def narrow_down(self, sent: Sent, error: Refused) -> None:
        """A clear no: who is named is settled by it; of the others, who is absent is tried again in halves."""
        call = sent.call
        self.gate.cleared(call.action)
        if call.action is Action.INVITE:
            self.gate.refused(error, call.changes, enough=self.pace.batch)
        try:
            seen = self.look.after(call, error)
        except errors.Protocol:
            self.look.later(sent, error, call.changes)
            return
        rest = self.settle(sent, lambda change: self.fate(change, call, error, seen[change.key]))
        if call.action is Action.CREATE_GROUP:
            self.leave_behind(sent, rest)
        elif rest and error.by_subject and self.look.one_by_one:
            doubt = fates.in_doubt("others of the batch were taken, and these do not show yet")
            self.book.record([(change, doubt, sent) for change in rest])
        elif rest:
            self.undo(sent, rest)
            middle = (len(rest) + 1) // 2 if len(rest) == len(call.changes) else len(rest)
            for part in (rest[:middle], rest[middle:]):
                self.in_turn(Heap((Call(call.action, part),)))

    def fate(self, change: Change, call: Call, error: Refused, sight: Sight) -> Outcome | None:
        """Give what a refusal means for one change; None: nothing yet."""
        named = error.by_subject.get(change.email or "")
        alone = len(call.changes) == 1 or change.action is Action.CREATE_GROUP
        if sight is not Sight.ABSENT:
            others = named is not None or (alone and fates.says_already(error))
            return shown(change, sight, self.whose(change) if others else SEEN)
        if self.gate.closed and change.action is Action.INVITE:
            return fates.by_hand(self.gate.closed)
        if not alone and named is None:
            return None
        words = named or error.words or str(error)
        ours = change.key in self.perhaps and fates.ALREADY.search(words)
        return fates.in_doubt(error) if ours else fates.refused(words)

    def left(self, sent: Sent, last: bool) -> tuple[Change, ...]:
        """Look what has come of a creating call that was turned away: what shows is done, the rest may be sent again.

        Where nothing can be read, nothing is sent again.
        """
        try:
            rest = self.settle(sent, self.look.into(sent.call, patiently=False))
        except TenantError:
            if not last:
                raise
            rest = sent.call.changes
        if any(change.action is sent.call.action for change in rest):
            self.undo(sent, rest)
            return rest
        self.leave_behind(sent, rest)
        return ()

    def look_into(self, sent: Sent, error: TenantError, *, again: bool) -> None:
        """Doubt: what shows is done; what sets something to a value is sent once more; the rest stays in doubt."""
        call = sent.call
        creating = call.action in CREATING
        self.gate.doubted(call.action, error)
        if creating:
            self.book.journal.doubt(sent.request_id)
        try:
            rest = self.settle(sent, self.look.into(call, patiently=creating))
        except errors.Protocol:  # other calls of ours change the list while it is read
            self.look.later(sent, error, call.changes)
            return
        if not any(change.action is call.action for change in rest):
            self.gate.cleared(call.action)
            self.leave_behind(sent, rest)
        elif creating:
            doubt = fates.in_doubt(error)
            self.book.record([(change, doubt, sent) for change in rest])
        elif again or self.gate.closed_for(call.action):
            self.look.later(sent, error, rest)
        else:
            self.perhaps |= {change.key for change in rest}
            self.send(Call(call.action, rest), again=sent)

    def undo(self, sent: Sent, changes: Sequence[Change]) -> None:
        """Write down that changes are sent again, each in a call of its own intent."""
        self.perhaps |= {change.key for change in changes}
        self.book.undo(sent, changes)

    def settle(self, sent: Sent, fate: Callable[[Change], Outcome | None]) -> tuple[Change, ...]:
        """Record the changes of a call that have a fate, and give the others."""
        found = {change.key: fate(change) for change in sent.call.changes}
        self.book.record([(c, end, sent) for c in sent.call.changes if (end := found[c.key])])
        return tuple(change for change in sent.call.changes if not found[change.key])

    def leave_behind(self, sent: Sent, members: Sequence[Change]) -> None:
        """Members that did not ride along with their group: added one by one later, if there is a group."""
        for change in members:
            if missing := self.gate.missing(change):
                self.book.record([(change, missing, sent)])
            else:
                self.book.undo(sent, [change])
                self.left_behind.append(change)

    def account_for_the_rest(self) -> None:
        """Give an outcome to what the end of the run has left without one."""
        rest = [change for change in self.plan.changes if change.key not in self.book.outcomes]
        doubt = fates.in_doubt(self.gate.stopped or "the run was stopped")
        self.look.record(
            [(change, doubt, None) for change in rest if change.key in self.book.under_way]
        )
        for change in rest:
            if change.key not in self.book.outcomes:
                self.book.skip(change, fates.interrupted(self.gate.stopped))

    def tell(self, what: str) -> None:
        done = self.tenant.calls - self.calls_before
        self.observer.rows(self.book.tally.through, self.book.tally.rows)
        self.observer.step(done, max(done, self.forecast), what)
