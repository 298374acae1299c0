"""What an answer means: a call that was sent comes in, what is still to be sent because of it goes out.

In between it is written down what became of its changes. A clear yes is noted, and believed when it is seen (``hindsight``). A
clear no is narrowed down by halves to the rows it means. In doubt, what shows is done, what sets something to a value is
sent once more, and what creates something is left to a later run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from onboarding.apply import fates
from onboarding.apply.book import Book, Sent
from onboarding.apply.dispatch import HeldBack
from onboarding.apply.gate import Gate
from onboarding.apply.hindsight import SEEN, Hindsight, shown, whose
from onboarding.apply.sight import Sight, Watch
from onboarding.apply.steps import Call, Stretch
from onboarding.errors import NotSent, Protocol, Refused, TenantError, Throttled, TokenRefused
from onboarding.journal import CREATING
from onboarding.plan import Action, Change, Outcome
from onboarding.tenant import Receipt


class Answers:
    """Reads the answers. Afterwards each change of a call is accepted, unsettled, to be sent, or has its outcome."""

    def __init__(
        self, book: Book, watch: Watch, gate: Gate, look: Hindsight, *, batch: int
    ) -> None:
        self._book = book
        self._watch = watch
        self._gate = gate
        self._look = look
        self._batch = batch
        self.left_behind: list[Change] = []
        """Members that did not ride along with their new group."""

    def read(self, sent: Sent, first: Sent | None) -> Sequence[Stretch | Call]:
        """Give what is still to be sent: stretches, which pass all guards anew, or a call that repeats this one at once.

        A call is repeated although it may have been carried out, and once only. ``first`` is the one that this one repeated: what
        becomes of this one says nothing about that.
        """
        action = sent.call.action
        match sent.answer:
            case Receipt() as receipt:
                self._gate.cleared(action)
                self._accept(sent, receipt)
                return ()
            case Refused() as error:
                self._gate.cleared(action)
            case NotSent() | Throttled() | TokenRefused() as error:
                pass  # where that is the end of the run, whoever sent it has said so at once
            case error:
                self._gate.doubted(action, error)
                return self._look_into(sent, error, is_repeat=first is not None)
        if first is None:
            return self._not_carried_out(sent, error)
        assert isinstance(first.answer, TenantError), "only a doubt is repeated"
        self._look.later(first, first.answer, sent.call.changes)
        return ()

    def still_to_send(self, sent: Sent, is_last: bool) -> tuple[Change, ...]:
        """Look what has come of a creating call that was turned away: what shows is done, the rest may be sent again.

        Where nothing can be read, ``TenantError`` is raised and nothing is sent again: the intents stay. Only what is not sent again in
        any case is taken at the tenant's word, which is that it was turned away.
        """
        try:
            rest = self._settle(sent, self._look.into(sent.call, patiently=False))
        except TenantError:
            if not is_last:
                raise
            rest = sent.call.changes
        if any(change.action is sent.call.action for change in rest):
            self._book.undo(sent, rest, perhaps=True)
            return rest
        self._gate.cleared(sent.call.action)
        self._leave_behind(sent, rest)
        return ()

    def _accept(self, sent: Sent, receipt: Receipt) -> None:
        """A clear yes: believed once it is seen."""
        first, *others = sent.call.changes
        if first.action is Action.INVITE:
            self._gate.invited()
        if receipt.group and first.group:
            self._watch.learn(first.group, receipt.group)
        behind = [
            change
            for change in others
            if change.email and self._watch.user_id(change.email) in receipt.not_added
        ]
        self._book.accept(sent, [change for change in sent.call.changes if change not in behind])
        self._leave_behind(sent, behind)

    def _not_carried_out(
        self, sent: Sent, error: Refused | NotSent | Throttled | TokenRefused
    ) -> Sequence[Stretch]:
        """A clear no, or a call that did not get through."""
        match error:
            case Refused():
                return self._narrow_down(sent, error)
            case HeldBack(fate=Outcome() as fate):
                for change in sent.call.changes:
                    self._book.skip(change, fate)
            case _:
                for change in sent.call.changes:
                    self._book.skip(change, fates.unsent(error), sent)
        return ()

    def _narrow_down(self, sent: Sent, error: Refused) -> Sequence[Stretch]:
        """Who is named is settled by a clear no; of the others, who is absent is tried again in halves."""
        call = sent.call
        if call.action is Action.INVITE:
            self._gate.refused(error, call.changes, enough=self._batch)
        try:
            seen = self._look.after(call, error)
        except Protocol:
            self._look.later(sent, error, call.changes)
            return ()
        rest = self._settle(sent, lambda change: self._fate(change, call, error, seen[change.key]))
        if call.action is Action.CREATE_GROUP:
            self._leave_behind(sent, rest)
            return ()
        if not rest:
            return ()
        if call.action is Action.INVITE and (why := self._perhaps_taken(rest, error, seen)):
            self._book.record([(change, fates.in_doubt(why), sent) for change in rest])
            return ()
        self._book.undo(sent, rest, perhaps=True)
        middle = (len(rest) + 1) // 2 if len(rest) == len(call.changes) else len(rest)
        halves = (rest[:middle], rest[middle:])
        return [Stretch((Call(call.action, half),)) for half in halves if half]

    def _perhaps_taken(
        self, rest: Sequence[Change], error: Refused, seen: Mapping[str, Sight]
    ) -> str:
        """Say why some of a refused batch, who do not show, may have been invited all the same."""
        if error.by_subject and self._look.one_by_one:
            return "others of the batch were taken, and these do not show yet"
        if any(seen[change.key] is Sight.UNCLEAR for change in rest):
            return "others of the batch were refused, and it could not be seen what became of these"
        return ""

    def _fate(self, change: Change, call: Call, error: Refused, sight: Sight) -> Outcome | None:
        """Give what a refusal means for one change; None: nothing yet."""
        named = error.by_subject.get(change.email or "")
        alone = len(call.changes) == 1 or change.action is Action.CREATE_GROUP
        if sight in (Sight.AS_ASKED, Sight.OTHERWISE):
            others = named is not None or (alone and fates.says_already(error))
            return shown(change, sight, whose(change, self._book) if others else SEEN)
        if self._gate.closed and change.action is Action.INVITE:
            return fates.by_hand(self._gate.closed)
        if not alone and named is None:
            return None
        words = named or error.words or str(error)
        ours = change.key in self._book.perhaps and fates.ALREADY.search(words)
        return fates.in_doubt(error) if ours else fates.refused(words)

    def _look_into(self, sent: Sent, error: TenantError, *, is_repeat: bool) -> Sequence[Call]:
        """Doubt: what shows is done; what sets something to a value is sent once more; the rest stays in doubt."""
        call = sent.call
        creating = call.action in CREATING
        if creating:
            self._book.journal.doubt(sent.request_id)
        try:
            rest = self._settle(sent, self._look.into(call, patiently=creating))
        except Protocol:  # other calls of ours change the list while it is read
            self._look.later(sent, error, call.changes)
            return ()
        if not any(change.action is call.action for change in rest):
            self._gate.cleared(call.action)
            self._leave_behind(sent, rest)
        elif creating:
            doubt = fates.in_doubt(error)
            self._book.record([(change, doubt, sent) for change in rest])
        elif is_repeat or self._gate.closed_for(call.action):
            self._look.later(sent, error, rest)
        else:
            self._book.perhaps |= {change.key: sent for change in rest}
            return [Call(call.action, rest)]
        return ()

    def _settle(self, sent: Sent, fate: Callable[[Change], Outcome | None]) -> tuple[Change, ...]:
        """Record the changes of a call that have a fate, and give the others."""
        found = {change.key: fate(change) for change in sent.call.changes}
        self._book.record([(c, end, sent) for c in sent.call.changes if (end := found[c.key])])
        return tuple(change for change in sent.call.changes if not found[change.key])

    def _leave_behind(self, sent: Sent, members: Sequence[Change]) -> None:
        """Members that did not ride along with their group: added one by one later, if there is a group."""
        for change in members:
            if missing := self._gate.missing(change):
                self._book.record([(change, missing, sent)])
            else:
                self._book.undo(sent, [change])
                self.left_behind.append(change)
