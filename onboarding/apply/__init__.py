"""Carry out a plan: plan and tenant come in, an outcome for every change goes out.

No status is believed further than it goes. For every changing call an intent is on disk before its first byte leaves;
it is sent once; what the answer leaves open is settled by reading. A clear no is narrowed down by halves to the rows
it means. A doubtful invitation or group creation is never sent again in this run: a later run decides, after the
waiting time. Everything that is reported as applied has been seen.

Calls of one phase go out side by side, phases one after the other. Hands make them ready and read their answers, callers
make them: a hand waits for a caller, never the other way round. There are more hands than callers, so that the next calls
are ready, down to their intents on the disk; not so what creates something, since after a crash its intent would be a
doubt. Nothing is raised for what the tenant does.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from onboarding.apply import fates
from onboarding.apply.age import Age
from onboarding.apply.answers import Answers
from onboarding.apply.book import Book, Sent
from onboarding.apply.dispatch import Dispatch
from onboarding.apply.earlier import settle
from onboarding.apply.foresight import Foresight, Outlook
from onboarding.apply.gate import Gate
from onboarding.apply.hindsight import Hindsight
from onboarding.apply.observer import Observer, Silent, Teller
from onboarding.apply.pace import Pace
from onboarding.apply.sight import Watch
from onboarding.apply.steps import Call, Stretch, count, grants, phases, stretches
from onboarding.crew import Crew
from onboarding.errors import OnboardingError, StorageError, TenantError
from onboarding.journal import CREATING, Journal
from onboarding.model import Directory
from onboarding.plan import Action, Outcome, Plan, Status
from onboarding.tenant import Tenant

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
    by_phase = phases(plan, pace.batch)
    staying = plan.admins_left(current)
    return count(stretches(by_phase, current, tenant, age.will_be_over, staying), current, tenant)


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
        self.age = Age(current, tenant, pace, looked_at)
        staying, by_phase = plan.admins_left(current), phases(plan, pace.batch)
        self.phases = stretches(by_phase, current, tenant, self.age.will_be_over, staying)
        self.forecast = count(self.phases, current, tenant)
        rest = partial(pace.rest, stop=stop)
        self.callers = Crew(pace.workers)
        self.watch = Watch(
            current,
            tenant,
            read_lag=pace.read_lag,
            rest=rest,
            stop=stop,
            callers=self.callers,
            staying=staying,
        )
        self.book = Book(plan, journal, pace.now)
        self.hands = pace.workers * 2 if pace.workers > 1 else 1
        """Calls that are made ready at once."""
        self.gate = gate = Gate(plan, self.book, self.watch, stop, hands=self.hands)
        self.teller = Teller(
            observer, self.book.tally, tenant, self.forecast, rest, over=lambda: gate.over
        )
        self.look = Hindsight(self.watch, self.book, self.gate, tell=self.teller.tell)
        self.answers = Answers(self.book, self.watch, self.gate, self.look, batch=pace.batch)
        self.foresight = Foresight(self.watch, self.book, self.gate, self.age)
        self.dispatch = Dispatch(
            tenant,
            self.watch,
            self.book,
            self.gate,
            age=self.age,
            callers=self.callers,
            tries=pace.tries,
            rest=self.teller.rest,
            still_to_send=self.answers.still_to_send,
            look_again=self.foresight.anew,
        )

    def carry_out(self) -> Applied:
        with self.callers:
            for phase in self.phases:
                self.each(phase)
                if phase[0].action is Action.INVITE:
                    self.look.verify(Action.INVITE)
                if phase[0].action is Action.CREATE_GROUP and self.answers.left_behind:
                    self.each([Stretch(tuple(grants(self.answers.left_behind)))])
            self.look.verify(*Action)
        self.account_for_the_rest()
        self.teller.end()
        return Applied(self.book.outcomes, self.gate.stopped, self.forecast)

    def each(self, phase: Sequence[Stretch]) -> None:
        """Carry out the calls of a phase side by side; whatever breaks, those under way are finished."""
        ready = [
            (call, outlook)
            for stretch in phase
            for outlook in [Outlook(stretch)]
            for call in stretch.calls
        ]
        creating = phase[0].action in CREATING
        with Crew(self.pace.workers if creating else self.hands) as hands:
            hands.share(lambda one: self.attempt(*one), ready)
        self.look.once_more()

    def attempt(self, call: Call, outlook: Outlook) -> None:
        """Carry out a call, by a look that is young enough where it takes one.

        Afterwards each of its changes is accepted, unsettled or has its outcome; if something broke, the end of the run gives it one.
        """
        if self.gate.crashed:
            return
        try:
            allowed, looked_at = self.foresight.allowed(call, outlook)
            if allowed.changes:
                self.send(allowed, looked_at=looked_at)
            self.teller.count()
        except (StorageError, TenantError) as error:
            self.gate.halt(error)
        except BaseException:
            self.gate.crashed = True
            raise

    def send(
        self, call: Call, first: Sent | None = None, *, looked_at: float | None = None
    ) -> None:
        """Send a call, perhaps once more: then nobody knows what came of it the ``first`` time.

        ``looked_at`` is when another look was taken at what it is about.
        """
        self.teller.tell(call.action.value)
        sent = self.dispatch.send(call, first, looked_at=looked_at)
        for further in self.answers.read(sent, first) if sent else ():
            match further:
                case Stretch():
                    for call in further.calls:
                        self.attempt(call, Outlook(further))
                case Call():  # what was read just now did not show it
                    self.send(further, first=sent, looked_at=self.age.now())

    def account_for_the_rest(self) -> None:
        """Give an outcome to what the end of the run has left without one."""
        rest = [(c, course) for c in self.plan.changes if (course := self.book.course(c))]
        doubt = fates.in_doubt(self.gate.stopped or "the run was stopped")
        self.look.record([(change, doubt, None) for change, course in rest if course.under_way])
        for change, course in rest:
            if not course.under_way:
                self.book.skip(change, fates.interrupted(self.gate.stopped))
