"""Carry out a plan: plan and tenant come in, an outcome for every change goes out.

No status is believed further than it goes. For every changing call an intent is on disk before its first byte leaves;
it is sent once; what the answer leaves open is settled by reading. A clear no is narrowed down by halves to the rows
it means. A doubtful invitation or group creation is never sent again in this run: a later run decides, after the
waiting time. Everything that is reported as applied has been seen.

Calls of one phase go out side by side, phases one after the other. Nothing is raised for what the tenant does.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from onboarding import fates
from onboarding.errors import (
    NotSent,
    OnboardingError,
    Refused,
    StorageError,
    TenantError,
    Throttled,
    TokenRefused,
    TryLater,
)
from onboarding.journal import CREATING, Intent, Journal, State
from onboarding.model import Directory, Email, Group, GroupId, GroupName, Role, User, UserId
from onboarding.plan import Action, Cause, Change, Outcome, Plan, Status, Subject
from onboarding.sight import Sight, Watch
from onboarding.steps import Call, count, grants, phases
from onboarding.tenant import Receipt, Tenant

LONGEST_WAIT = (
    900.0  # product.md: a tenant that asks for more than 15 minutes is left for another time
)
End = tuple[Change, Outcome]
SEEN = Outcome(Status.APPLIED)
ENOUGH_DOUBTS = 2
DONE = frozenset((Status.APPLIED, Status.UNCHANGED))


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, how wide and how patiently. Times are in seconds."""

    batch: int = 20
    """Invitations in one call: a larger batch that times out is a larger doubt."""
    workers: int = 4
    """Calls under way at once; four use 300 calls a minute at any sane latency."""
    read_lag: float = 30.0
    """How long a tenant may take to show what it has accepted."""
    wait: float = 900.0
    """How long a doubtful invitation may still take effect; after that, absent means absent."""
    fresh: float = 60.0
    """How old a look may be for people to be invited by it without a second one."""
    tries: int = 5
    """How often something that was not carried out is sent before the run stops."""
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class Observer(Protocol):
    """Who watches calls go by; the bar hangs on it."""

    def step(self, done: int, total: int, what: str) -> None:
        """So many calls of so many are made."""
        ...


class Silent:
    """An observer that keeps it to itself."""

    def step(self, done: int, total: int, what: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of every change of a plan, by its key, and what stopped the run early."""

    outcomes: Mapping[str, Outcome]
    stopped: OnboardingError | None = None


def forecast(plan: Plan, current: Directory, tenant: Tenant, pace: Pace) -> int:
    """Count the calls that ``apply`` makes when nothing fails, read-backs included."""
    return count(plan, current, tenant, pace.batch)


def settle(state: State, tenant: Tenant, pace: Pace) -> frozenset[str]:
    """Settle what earlier runs left open, by reading; give the keys of changes still in doubt.

    Only invitations and group creations need it. What sets something to a value is closed: planning afresh shows
    whether it was carried out. The waiting time counts from when the doubt was first noted, never from the intent:
    the process that died may have slept for hours between the two.
    """
    intents = state.open_intents()
    creating = [intent for intent in intents if intent.action in CREATING]
    there = _present(creating, tenant)
    absent = [intent for intent in creating if intent not in there]
    now = pace.now()
    # A clock that was put back says nothing about how much time went by: begin again.
    unnoted = [i for i in absent if i.doubt_since is None or i.doubt_since > now]
    over = [i for i in absent if i not in unnoted and now - (i.doubt_since or now) >= pace.wait]
    state.close_intents([i for i in intents if i.action not in CREATING or i in there])
    state.doubt_intents(unnoted)
    state.drop_intents(over)
    return state.doubtful()


def _present(intents: Sequence[Intent], tenant: Tenant) -> frozenset[Intent]:
    emails = {intent.email for intent in intents if intent.email}
    teams = {intent.group for intent in intents if intent.group}
    found: set[Email | GroupName] = set()
    if emails:
        found |= {user.email for user in tenant.users_by_email(emails)}
    if teams:
        found |= {group.name for group in tenant.groups()}
    return frozenset(i for i in intents if i.email in found or i.group in found)


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
    since = pace.now() if looked_at is None else looked_at
    run = _Run(
        plan,
        current,
        tenant,
        journal,
        pace,
        observer or Silent(),
        stop or threading.Event(),
        since,
    )
    return run.carry_out()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A call as it was sent, and what came back."""

    call: Call
    request_id: str
    answer: Receipt | TenantError


class _Run:
    """One plan being carried out by several threads; what they share is changed in single atomic steps."""

    def __init__(
        self,
        plan: Plan,
        current: Directory,
        tenant: Tenant,
        journal: Journal,
        pace: Pace,
        observer: Observer,
        stop: threading.Event,
        looked_at: float,
    ) -> None:
        self.plan = plan
        self.tenant = tenant
        self.journal = journal
        self.pace = pace
        self.observer = observer
        self.stop = stop
        self.looked_at = looked_at
        self.watch = Watch(current, tenant, read_lag=pace.read_lag, sleep=pace.sleep, stop=stop)
        self.pool = ThreadPoolExecutor(pace.workers)
        self.outcomes: dict[str, Outcome] = {}
        self.stopped: OnboardingError | None = None
        self.before = tenant.calls
        self.forecast = forecast(plan, current, tenant, pace)
        self.grants: dict[Email | None, list[Change]] = {}
        """By person: what that person's revocations rely on."""
        for change in plan.of(Action.GRANT):
            self.grants.setdefault(change.email, []).append(change)
        self.new_admins = [c for c in plan.of(Action.CHANGE_ROLE) if _is_admin(c.after)]
        self.under_way: dict[str, str] = {}
        """Request ids of what may have left, by change."""
        self.attempts: dict[str, int] = {}
        self.accepted: dict[str, tuple[Change, _Sent]] = {}
        """What got a clear yes and has not been seen yet."""
        self.made: dict[str, Change] = {}
        """What the tenant may show by now."""
        self.left_behind: list[Change] = []
        """Members that did not ride along with their new group."""
        self.doubts = 0
        """Creating calls in a row whose fate is unknown."""
        self.closed = ""
        """The tenant's words for inviting nobody at all."""
        self.crashed = False

    def carry_out(self) -> Applied:
        with self.pool:
            for calls in phases(self.plan, self.pace.batch):
                self.each(calls)
                if calls[0].action is Action.INVITE:
                    self.verify(Action.INVITE)
                if calls[0].action is Action.CREATE_GROUP:
                    self.each(grants(self.left_behind))
            self.verify(*Action)
        self.account_for_the_rest()
        self.tell("done")
        return Applied(self.outcomes, self.stopped)

    def each(self, calls: Sequence[Call]) -> None:
        """Carry out the calls of a phase side by side; whatever breaks, those under way are finished."""
        for future in [self.pool.submit(self.carefully, call) for call in calls]:
            future.result()

    def carefully(self, call: Call) -> None:
        if self.crashed:
            return
        try:
            self.carry(call)
        except (StorageError, TenantError) as error:
            self.halt(error)
        except BaseException:
            self.crashed = True
            raise

    def halt(self, error: OnboardingError) -> None:
        """Let nothing more be sent. The first reason stands, but for one that is about our own disk."""
        if isinstance(error, Throttled):
            error = TryLater(f"{error} Run again later to carry on.")
        if self.stopped is None or isinstance(error, StorageError):
            self.stopped = error

    def carry(self, call: Call, *, again: bool = False) -> None:
        """Carry out one call: afterwards each of its changes is accepted or has its outcome."""
        call = self.allowed(call)
        if not call.changes:
            return
        self.tell(call.action.value)
        sent = self.send(call)
        match sent.answer:
            case Receipt() as receipt:
                self.accept(sent, receipt)
            case Refused() as error:
                self.narrow_down(sent, error)
            case NotSent() | Throttled() | TokenRefused() as error:
                self.halt(error)
                for change in call.changes:
                    self.outcomes[change.key] = self.dated(change, fates.unsent(error), sent)
            case error:
                self.look_into(sent, error, again=again)

    # ---- may it be sent? ----------------------------------------------------------------------------------

    def allowed(self, call: Call) -> Call:
        """Give the call without the changes that may not or need not be sent; these get their outcomes."""
        obstacle = self.obstacle(call.action)
        in_the_way = {change.key: obstacle or self.missing(change, call) for change in call.changes}
        kept = tuple(change for change in call.changes if not in_the_way[change.key])
        for change in call.changes:
            if fate := in_the_way[change.key]:
                self.outcomes[change.key] = self.dated(change, fate)
        old = self.pace.now() - self.looked_at > self.pace.fresh
        if kept and call.action is Action.INVITE and old:
            kept = self.still_absent(kept)
        return Call(call.action, kept)

    def obstacle(self, action: Action) -> Outcome | None:
        """Say what is in the way of every call of this kind."""
        if self.stopped or self.stop.is_set():
            return fates.interrupted(self.stopped)
        if action in CREATING and self.doubts >= ENOUGH_DOUBTS:
            return fates.breaker()
        if action is Action.INVITE and self.closed:
            return fates.by_hand(self.closed)
        return None

    def missing(self, change: Change, call: Call) -> Outcome | None:
        """Say what a change depends on and does not have."""
        email, group = change.email, change.group
        if email and change.action is not Action.INVITE and not self.watch.user_id(email):
            return fates.dependent(f"the account of {email}", self.of(Action.INVITE, email))
        if group and call.action is not Action.CREATE_GROUP and not self.watch.group_id(group):
            return fates.dependent(f"the group {group}", self.of(Action.CREATE_GROUP, group))
        relied_on: Sequence[Change] = ()
        if change.action is Action.REVOKE and change.cause is not Cause.LEAVER:
            relied_on = self.grants.get(email, ())
        elif change.is_demotion and _is_admin(change.before):
            relied_on = self.new_admins
        for other in relied_on:
            outcome = self.outcomes.get(other.key)
            if outcome and outcome.status not in DONE:
                return fates.dependent(f"'{other.key}'", outcome)
        return None

    def of(self, action: Action, subject: str) -> Outcome | None:
        return self.outcomes.get(f"{action} {subject}")

    def still_absent(self, changes: Sequence[Change]) -> tuple[Change, ...]:
        """Look once more before inviting, where the last look is old."""
        seen = self.see(changes)
        for change in changes:
            fate = _shown(change, seen[change.key], as_asked=fates.by_somebody_else())
            if fate:
                self.outcomes[change.key] = self.dated(change, fate)
        return tuple(change for change in changes if seen[change.key] is Sight.ABSENT)

    # ---- sending ------------------------------------------------------------------------------------------

    def send(self, call: Call) -> _Sent:
        """Send a call once; again, and boundedly, only where it is certain that it was not carried out."""
        for attempt in itertools.count(1):
            request_id = uuid.uuid4().hex
            self.journal.intend(request_id, call.action, call.changes)
            for change in call.changes:
                self.under_way[change.key] = request_id
            sent = _Sent(call, request_id, self.answer(call, request_id))
            match sent.answer:
                case Throttled(retry_after=seconds):
                    pause = 60.0 if seconds is None else seconds
                case NotSent():
                    pause = 2.0 ** (attempt - 1)
                case TokenRefused():
                    pause = math.inf
                case _:
                    return sent
            self.not_carried_out(sent, call.changes, sent.answer)
            enough = attempt == self.pace.tries or pause > LONGEST_WAIT
            if enough or self.stopped or self.stop.is_set():
                return sent
            self.pace.sleep(pause)
        raise AssertionError("unreachable")

    def answer(self, call: Call, request_id: str) -> Receipt | TenantError:
        try:
            answer: Receipt | TenantError = self.write(call, request_id)
        except TenantError as error:
            answer = error
        for change in call.changes:
            self.attempts[change.key] = self.attempts.get(change.key, 0) + answer.attempts
        return answer

    def write(self, call: Call, request_id: str) -> Receipt:
        first, tenant = call.changes[0], self.tenant
        match call.action:
            case Action.INVITE:
                people = [_person(change) for change in call.changes]
                return tenant.invite(people, request_id=request_id)
            case Action.CREATE_GROUP:
                members = [self.user(change) for change in call.changes[1:]]
                return tenant.create_group(_wanted(first), members, request_id=request_id)
            case Action.UPDATE_GROUP:
                group = replace(_wanted(first), id=self.group(first))
                return tenant.update_group(group, request_id=request_id)
            case Action.CHANGE_ROLE:
                _, role = _person(first)
                return tenant.change_role(self.user(first), role, request_id=request_id)
            case Action.GRANT:
                groups = [self.group(change) for change in call.changes]
                return tenant.add_to_groups(self.user(first), groups, request_id=request_id)
            case Action.REVOKE:
                users = [self.user(change) for change in call.changes]
                return tenant.remove_members(self.group(first), users, request_id=request_id)

    def user(self, change: Change) -> UserId:
        found = self.watch.user_id(change.email) if change.email else None
        assert found, change
        return found

    def group(self, change: Change) -> GroupId:
        found = self.watch.group_id(change.group) if change.group else None
        assert found, change
        return found

    # ---- what the answer means ----------------------------------------------------------------------------

    def accept(self, sent: _Sent, receipt: Receipt) -> None:
        """A clear yes: believed once it is seen."""
        call = sent.call
        if call.action in CREATING:
            self.doubts = 0
        if receipt.group and call.changes[0].group:
            self.watch.learn(call.changes[0].group, receipt.group)
        behind = [
            change
            for change in call.changes
            if receipt.not_added and change.email and self.user(change) in receipt.not_added
        ]
        for change in call.changes:
            self.made[change.key] = change
            if change not in behind:
                self.accepted[change.key] = (change, sent)
        self.journal.accept(sent.request_id, call.changes)
        self.leave_behind(sent, behind, None)

    def narrow_down(self, sent: _Sent, error: Refused) -> None:
        """A clear no: who is named is settled by it; of the others, who is absent is tried again in halves."""
        call = sent.call
        if call.action in CREATING:
            self.doubts = 0
        if call.action is Action.INVITE:
            self.closed = self.closed or fates.closes_invitations(error, call.changes)
        seen = self.seen_after(call, error)
        ends: list[End] = []
        rest: list[Change] = []
        for change in call.changes:
            fate = self.fate(change, call, error, seen[change.key])
            if fate:
                ends.append((change, self.dated(change, fate, sent)))
            else:
                rest.append(change)
        self.record(ends)
        if not rest:
            return
        if call.action is Action.CREATE_GROUP:
            self.leave_behind(sent, rest, error)
            return
        self.not_carried_out(sent, rest, error)
        middle = (len(rest) + 1) // 2 if len(rest) == len(call.changes) else len(rest)
        for part in (rest[:middle], rest[middle:]):
            self.carry(Call(call.action, tuple(part)))

    def seen_after(self, call: Call, error: Refused) -> Mapping[str, Sight]:
        """Read back a refused call.

        Where the tenant names some, it has probably carried out the others, and may be slow to show it. Where it
        refuses a single change, that is all there is to know.
        """
        already = fates.says_already(error)
        if len(call.changes) == 1 and not already:
            return {call.changes[0].key: Sight.ABSENT}
        return self.see(call.changes, patiently=already or bool(error.by_subject))

    def fate(self, change: Change, call: Call, error: Refused, sight: Sight) -> Outcome | None:
        """Give what a refusal means for one change; None: nothing yet."""
        named = error.by_subject.get(change.email or "")
        alone = len(call.changes) == 1 or change.action is Action.CREATE_GROUP
        if sight is not Sight.ABSENT:
            others = named is not None or (alone and fates.says_already(error))
            return _shown(change, sight, as_asked=fates.by_somebody_else() if others else SEEN)
        if self.closed and change.action is Action.INVITE:
            return fates.by_hand(self.closed)
        if alone or named is not None:
            return fates.refused(named or error.words or str(error))
        return None

    def look_into(self, sent: _Sent, error: TenantError, *, again: bool) -> None:
        """Doubt: what shows is done; what sets something to a value is sent once more; the rest stays in doubt."""
        call = sent.call
        creating = call.action in CREATING
        if creating:
            self.doubts += 1
            self.journal.doubt(sent.request_id)
        seen = self.see(call.changes, patiently=creating or again)
        shown = {change.key: _shown(change, seen[change.key]) for change in call.changes}
        rest = [change for change in call.changes if not shown[change.key]]
        self.record(
            [
                (change, self.dated(change, fate, sent))
                for change in call.changes
                if (fate := shown[change.key])
            ]
        )
        if creating and not any(change.action is call.action for change in rest):
            self.doubts = 0
            self.leave_behind(sent, rest, error)
        elif creating or again or self.obstacle(call.action):
            fate = fates.in_doubt(error)
            self.record([(change, self.dated(change, fate, sent)) for change in rest])
        else:
            self.not_carried_out(sent, rest, error)
            self.carry(Call(call.action, tuple(rest)), again=True)

    def leave_behind(
        self, sent: _Sent, members: Sequence[Change], error: TenantError | None
    ) -> None:
        """Members that did not ride along with their group: added one by one later, if there is a group."""
        for change in members:
            missing = self.missing(change, Call(Action.GRANT, (change,)))
            if missing:
                self.record([(change, self.dated(change, missing, sent))])
            else:
                self.not_carried_out(sent, [change], error)
                self.left_behind.append(change)

    # ---- reading back, and writing down -------------------------------------------------------------------

    def see(self, changes: Sequence[Change], *, patiently: bool = False) -> Mapping[str, Sight]:
        return self.watch.see(changes, list(self.made.values()), patiently=patiently)

    def verify(self, *actions: Action) -> None:
        """Read back what was accepted, all of it together."""
        pending = [pair for pair in self.accepted.values() if pair[0].action in actions]
        if not pending:
            return
        self.tell("reading back")
        seen: Mapping[str, Sight] = {}
        if self.stopped is None or isinstance(self.stopped, StorageError):
            try:
                seen = self.watch.see(
                    [change for change, _ in pending],
                    list(self.made.values()),
                    patiently=True,
                    spread=self.pool.map,
                )
            except TenantError as error:
                self.halt(error)
        unseen = fates.not_visible(self.stopped)
        ends: list[End] = []
        for change, sent in pending:
            fate = _shown(change, seen.get(change.key, Sight.ABSENT)) or unseen
            ends.append((change, self.dated(change, fate, sent)))
        self.record_safely(ends)

    def account_for_the_rest(self) -> None:
        """Give an outcome to what the end of the run has left without one."""
        ends: list[End] = []
        for change in self.plan.changes:
            if change.key in self.outcomes:
                continue
            if change.key in self.under_way:
                fate = self.dated(change, fates.in_doubt(self.stopped or "the run was stopped"))
                ends.append((change, replace(fate, request_id=self.under_way[change.key])))
            else:
                fate = fates.interrupted(self.stopped)
                self.outcomes[change.key] = self.dated(change, fate)
        self.record_safely(ends)

    def record_safely(self, ends: Sequence[End]) -> None:
        try:
            self.record(ends)
        except StorageError as error:
            self.halt(error)

    def record(self, ends: Sequence[End]) -> None:
        """Know what became of changes, and write it down."""
        for change, outcome in ends:
            self.outcomes[change.key] = outcome
            self.under_way.pop(change.key, None)
            self.accepted.pop(change.key, None)
        self.journal.conclude(ends)

    def not_carried_out(
        self, sent: _Sent, changes: Sequence[Change], error: TenantError | None
    ) -> None:
        """Write down that a call came to nothing for these; what becomes of them is still to be seen."""
        words = str(error) if error else "not added with the group"
        nothing = Outcome(Status.SKIPPED, "not-sent", words)
        for change in changes:
            self.under_way.pop(change.key, None)
            self.accepted.pop(change.key, None)
        self.journal.conclude([(change, self.dated(change, nothing, sent)) for change in changes])

    def dated(self, change: Change, fate: Outcome, sent: _Sent | None = None) -> Outcome:
        """Give the outcome with the facts of the call behind it."""
        at = datetime.fromtimestamp(self.pace.now(), UTC).isoformat(timespec="milliseconds")
        if sent is None:
            return replace(fate, at=at, attempts=self.attempts.get(change.key, 0))
        return replace(
            fate,
            at=at,
            http_status=sent.answer.status,
            request_id=sent.request_id,
            attempts=self.attempts[change.key],
        )

    def tell(self, what: str) -> None:
        done = self.tenant.calls - self.before
        self.observer.step(done, max(done, self.forecast), what)


def _shown(change: Change, sight: Sight, *, as_asked: Outcome = SEEN) -> Outcome | None:
    """Give what a look means for a change; None: it does not show."""
    match sight:
        case Sight.AS_ASKED:
            return as_asked
        case Sight.OTHERWISE:
            return fates.overtaken(change)
        case Sight.ABSENT:
            return None


def _person(change: Change) -> tuple[Email, Role]:
    assert isinstance(change.after, User)
    assert change.after.role, change
    return change.after.email, change.after.role


def _wanted(change: Change) -> Group:
    assert isinstance(change.after, Group)
    return change.after


def _is_admin(subject: Subject | None) -> bool:
    return isinstance(subject, User) and subject.role is Role.ADMIN
