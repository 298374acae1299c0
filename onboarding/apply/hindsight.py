"""What became of calls, seen afterwards: changes that were sent come in, their outcomes by what the tenant shows go out.

What is looked at for long is looked at together: what was accepted, once its ids are needed or at the end; what was left in
doubt, at the end of its phase. Else a tenant that answers nothing would make every single change wait that long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from onboarding.apply import fates
from onboarding.apply.book import Book, End, Sent
from onboarding.apply.gate import Gate
from onboarding.apply.sight import Sight, Watch
from onboarding.apply.steps import Call
from onboarding.errors import Refused, StorageError, TenantError
from onboarding.plan import Action, Change, Outcome, Status

SEEN = Outcome(Status.APPLIED)
LOT = 2_000  # outcomes written down at a time


def shown(change: Change, sight: Sight, as_asked: Outcome = SEEN) -> Outcome | None:
    """Give what a look means for a change; None: it does not show."""
    match sight:
        case Sight.AS_ASKED:
            return as_asked
        case Sight.OTHERWISE:
            return fates.overtaken(change)
        case Sight.ABSENT | Sight.UNCLEAR:
            return None


def whose(change: Change, book: Book) -> Outcome:
    """Say of something that is there unexpectedly who did it: we, if we have sent it before."""
    return SEEN if change.key in book.perhaps else fates.by_somebody_else()


class Hindsight:
    """Looks back at what was sent."""

    def __init__(
        self, watch: Watch, book: Book, gate: Gate, *, tell: Callable[[str], None]
    ) -> None:
        self._watch = watch
        self._book = book
        self._gate = gate
        self._tell = tell
        self.one_by_one: bool | None = None
        """Whether the tenant takes the others of a batch of which it refuses some by name; None: not known yet."""
        self._unsettled: list[End] = []
        """What was sent as often as it may be and does not show: in doubt, unless a last look shows it."""

    def at(self, changes: Sequence[Change], *, patiently: bool = False) -> Mapping[str, Sight]:
        """Look at changes, by key."""
        return self._watch.see(changes, self._book.made, patiently=patiently)

    def into(self, call: Call, *, patiently: bool) -> Callable[[Change], Outcome | None]:
        """Look what has come of a call. The first members of a new group are not waited for: they can be sent again."""
        created = [change for change in call.changes if change.action is call.action]
        seen = {**self.at(created, patiently=patiently)}
        seen |= self.at([change for change in call.changes if change.key not in seen])
        return lambda change: shown(change, seen[change.key])

    def after(self, call: Call, error: Refused) -> Mapping[str, Sight]:
        """Read back a refused call.

        Where the tenant names some, it has probably carried out the others, and may be slow to show it; but not
        where it has shown none of them once before: it refuses batches whole. Who is named is not waited for, and
        where it refuses a single change, that is all there is to know.
        """
        already, named = fates.says_already(error), error.by_subject
        if len(call.changes) == 1 and not already:
            return {call.changes[0].key: Sight.ABSENT}
        if already or not named:
            return self.at(call.changes, patiently=already)
        others = [change for change in call.changes if change.email not in named]
        seen = self.at(others, patiently=self.one_by_one is not False)
        shows = set(seen.values())
        if self.one_by_one is None:
            if Sight.AS_ASKED in shows:
                self.one_by_one = True
            elif shows == {Sight.ABSENT}:
                self.one_by_one = False
        refused = [change for change in call.changes if change.email in named]
        return {**seen, **self.at(refused)}

    def later(self, sent: Sent, doubt: TenantError, changes: Sequence[Change]) -> None:
        """Leave changes that are not sent again for the last look at the end of their phase."""
        fate = fates.in_doubt(doubt)
        self._unsettled += [(change, fate, sent) for change in changes]

    def once_more(self) -> None:
        """Look at all together that the phase has left unsettled: what shows is done."""
        ends, self._unsettled = self._unsettled, []
        if ends:
            seen = self._for_long([change for change, _, _ in ends])
            self.record([(c, _end(c, seen) or doubt, sent) for c, doubt, sent in ends])

    def verify(self, *actions: Action) -> None:
        """Read back what was accepted, all of it together, and write it down in lots."""
        accepted, made = self._book.accepted, self._book.made
        pending = [change for change in made if change.action in actions and accepted(change)]
        if not pending:
            return
        seen = self._for_long(pending)
        unseen = fates.not_visible(self._gate.stopped)
        for start in range(0, len(pending), LOT):
            lot = pending[start : start + LOT]
            self.record(
                [(change, _end(change, seen) or unseen, accepted(change)) for change in lot]
            )

    def record(self, ends: Sequence[End]) -> None:
        """Record at the end of a phase, when a full disk can no longer stop anything but the next one."""
        try:
            self._book.record(ends)
        except StorageError as error:
            self._gate.halt(error)

    def _for_long(self, changes: Sequence[Change]) -> Mapping[str, Sight]:
        """Look for the read lag; where nothing can be read, nothing shows."""
        self._tell("reading back")
        if self._gate.readable:
            try:
                return self._watch.see(changes, self._book.made, patiently=True, exactly=True)
            except TenantError as error:
                self._gate.halt(error)
        return {}


def _end(change: Change, seen: Mapping[str, Sight]) -> Outcome | None:
    """Give what a last look means for a change; None: it does not show, or nothing could be read."""
    return shown(change, seen.get(change.key, Sight.ABSENT))
