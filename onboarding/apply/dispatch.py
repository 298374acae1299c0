"""Send one call: a ``Call`` goes out, once, and what came back comes in; its intent is on disk before its first byte leaves.

It waits for one of the callers, of whom there are as many as calls may be under way. What has come up meanwhile holds it back.
It goes out again where the tenant turned it away: 429, 403 (once and after a pause, since Atlan grants rights with a delay),
or no connection at all. A tenant may turn away a call that it has half carried out, so what creates something is looked
for first, and only what does not show is sent again.

The intent of what creates something is written down last, after all waiting, since after a crash it would be a doubt.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from onboarding.apply.age import Age
from onboarding.apply.book import Book, Sent
from onboarding.apply.gate import Gate
from onboarding.apply.sight import Watch
from onboarding.apply.steps import RENEWED, Call
from onboarding.crew import Crew
from onboarding.errors import NotSent, TenantError, Throttled, TokenRefused
from onboarding.journal import CREATING
from onboarding.model import Email, Group, GroupId, Role, User, UserId
from onboarding.plan import Action, Change, Outcome
from onboarding.tenant import Receipt, Writer

LONGEST_WAIT = 900.0  # a tenant that asks for more than 15 minutes is left for another time
USUAL_WAIT = 60.0  # Atlan blocks for a minute, and need not say so
UNKNOWN_KEY, FORBIDDEN = 401, 403
FORBIDDEN_PAUSE = 5.0  # seconds between a 403 and its one repeat


class HeldBack(NotSent):
    """Something has come up while a call waited; ``fate`` is what becomes of its changes, None: look anew who is there."""

    def __init__(self, fate: Outcome | None) -> None:
        super().__init__(fate.message if fate else "the look is too old", attempts=0)
        self.fate = fate


class Dispatch:
    """The way out. It knows the ids that the tenant wants instead of addresses and names."""

    def __init__(
        self,
        writer: Writer,
        watch: Watch,
        book: Book,
        gate: Gate,
        *,
        age: Age,
        callers: Crew,
        tries: int,
        rest: Callable[[float], None],
        still_to_send: Callable[[Sent, bool], tuple[Change, ...]],
        look_again: Callable[[Call], tuple[Call, float | None]],
    ) -> None:
        self._writer = writer
        self._watch = watch
        self._book = book
        self._gate = gate
        self._age = age
        self._callers = callers
        self._tries = tries
        self._rest = rest
        self._still_to_send = still_to_send
        """Looks what has come of a creating call that was turned away, for the last time or not, and gives what did not show."""
        self._look_again = look_again
        """Looks at what a call is about, and gives what may still be sent of it, and when that was."""

    def send(
        self, call: Call, repeats: Sent | None = None, *, looked_at: float | None = None
    ) -> Sent | None:
        """Send a call once; again, and boundedly, only where it was turned away. None: nothing is left of it to send.

        What it ``repeats`` (an earlier call may have done it) stays open in the journal where this one comes to nothing.
        ``looked_at`` is when another look was taken at what it is about. By one that is too old nothing leaves that wants a young one.
        """
        attempt, before, is_repeat = 0, None, repeats is not None
        while call.changes:
            sent = self._send_once(call, repeats, looked_at)
            if isinstance(sent.answer, HeldBack):
                if not is_repeat:
                    self._book.undo(sent, call.changes)
                if sent.answer.fate or is_repeat:
                    return sent
                call, looked_at = self._look_again(call)
                continue
            attempt += 1
            pause = _pause_before_retry(sent.answer, attempt, before)
            if pause is None or isinstance(sent.answer, Receipt):
                return sent
            before = sent.answer
            is_last = attempt == self._tries or pause > LONGEST_WAIT or self._gate.over
            if is_last:  # nobody else is to try now
                self._gate.halt(sent.answer)
            repeats = sent if is_repeat else None
            perhaps_created = self._turned_away(sent, is_repeat=is_repeat)
            if not is_last:
                self._rest(pause)
                is_last = self._gate.over
            if perhaps_created:
                rest = self._still_to_send(sent, is_last)
                call, looked_at = Call(call.action, rest), self._age.now()
            if is_last:
                return replace(sent, call=call)
        return None

    def _turned_away(self, sent: Sent, *, is_repeat: bool) -> bool:
        """Write down that a call came to nothing, and say whether it may have created something all the same.

        That is to be looked for first. Where it may have set something, that is ours if it shows.
        """
        perhaps = not _is_certain(sent.answer)
        if perhaps and sent.call.action in CREATING:
            return True
        if not is_repeat:
            self._book.undo(
                sent, sent.call.changes, perhaps=perhaps and sent.call.action in RENEWED
            )
        return False

    def _send_once(self, call: Call, repeats: Sent | None, looked_at: float | None) -> Sent:
        request_id = uuid.uuid4().hex
        if call.action not in CREATING:
            self._book.intend(call, request_id, repeats)
        answer: Receipt | TenantError
        try:
            answer = self._callers.call(partial(self._write, call, request_id, looked_at))
        except TenantError as error:
            answer = error
        sent = Sent(call, request_id, answer)
        self._book.answered(sent)
        return sent

    def _write(self, call: Call, request_id: str, looked_at: float | None) -> Receipt:
        self._writer.wait_for_turn()  # the tenant may have asked for a pause of minutes
        fate = self._gate.closed_for(call.action)
        if fate or (call.action in RENEWED and self._age.is_over(looked_at)):
            raise HeldBack(fate)
        if call.action in CREATING:  # only now: after a crash, its intent is a doubt
            self._book.intend(call, request_id)
        first, writer = call.changes[0], self._writer
        match call.action:
            case Action.INVITE:
                people = [_person(change) for change in call.changes]
                return writer.invite(people, request_id=request_id)
            case Action.CREATE_GROUP:
                members = [self._user(change) for change in call.changes[1:]]
                return writer.create_group(_wanted(first), members, request_id=request_id)
            case Action.UPDATE_GROUP:
                group = replace(_wanted(first), id=self._group(first))
                return writer.update_group(group, request_id=request_id)
            case Action.CHANGE_ROLE:
                _, role = _person(first)
                return writer.change_role(self._user(first), role, request_id=request_id)
            case Action.GRANT:
                groups = [self._group(change) for change in call.changes]
                return writer.add_to_groups(self._user(first), groups, request_id=request_id)
            case Action.REVOKE:
                users = [self._user(change) for change in call.changes]
                return writer.remove_members(self._group(first), users, request_id=request_id)

    def _user(self, change: Change) -> UserId:
        found = self._watch.user_id(change.email) if change.email else None
        assert found, change
        return found

    def _group(self, change: Change) -> GroupId:
        found = self._watch.group_id(change.group) if change.group else None
        assert found, change
        return found


def _is_certain(answer: Receipt | TenantError) -> bool:
    """Whether nothing of a call can have been carried out that was turned away: not sent, or by nobody that is known."""
    never_left = isinstance(answer, NotSent) or (
        isinstance(answer, Throttled) and answer.status is None
    )
    return never_left or answer.status == UNKNOWN_KEY


def _pause_before_retry(
    answer: Receipt | TenantError, attempt: int, before: Receipt | TenantError | None
) -> float | None:
    """Give how long to wait after an answer that turns a call away; None for any other."""
    match answer:
        case Throttled(retry_after=seconds):
            return USUAL_WAIT if seconds is None else seconds
        case NotSent():
            return 2.0 ** (attempt - 1)
        case TokenRefused(status=status):
            once = status == FORBIDDEN and not isinstance(before, TokenRefused)
            return FORBIDDEN_PAUSE if once else math.inf
        case _:
            return None


def _person(change: Change) -> tuple[Email, Role]:
    assert isinstance(change.after, User)
    assert change.after.role, change
    return change.after.email, change.after.role


def _wanted(change: Change) -> Group:
    assert isinstance(change.after, Group)
    return change.after
