"""What may be sent now: a call comes in, what is left of it by a look that is young enough goes out.

What may not or need not be sent gets its outcome here. A look that is too old is renewed by whoever finds it so, for all
calls that go by it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping

from onboarding.apply.age import Age
from onboarding.apply.book import Book
from onboarding.apply.gate import Gate
from onboarding.apply.hindsight import SEEN, shown, whose
from onboarding.apply.sight import Sight, Watch
from onboarding.apply.steps import RENEWED, Call, Stretch
from onboarding.plan import Action

Found = tuple[Mapping[str, Sight], float | None]
"""What another look has shown to be in the way, by the changes' keys, and when; None: there was none, and the plan's serves."""


class Outlook:
    """What the tenant shows of the changes of a stretch before they are sent."""

    def __init__(self, stretch: Stretch) -> None:
        self.stretch = stretch
        self.guard = threading.Lock()
        self.found: Found = {}, -math.inf if stretch.looking else None


class Foresight:
    """Looks ahead at what is to be sent."""

    def __init__(self, watch: Watch, book: Book, gate: Gate, age: Age) -> None:
        self._watch = watch
        self._book = book
        self._gate = gate
        self._age = age

    def allowed(self, call: Call, outlook: Outlook) -> tuple[Call, float | None]:
        """Give the call without the changes that may not or need not be sent, and when another look was taken at it."""
        creating = call.action is Action.CREATE_GROUP
        closed = self._gate.closed_for(call.action)
        wants_look = call.action in RENEWED and not closed
        seen, looked_at = self._renewed(outlook) if wants_look else ({}, None)
        kept = []
        for change in call.changes:
            fate = (
                closed
                or self._gate.missing(change, with_group=creating)
                or shown(change, seen.get(change.key, Sight.ABSENT), whose(change, self._book))
            )
            if fate is None:
                kept.append(change)
            elif fate is SEEN:
                self._book.restore(change)
            else:
                self._book.skip(change, fate)
        left = call if len(kept) == len(call.changes) else Call(call.action, tuple(kept))
        return left, looked_at

    def anew(self, call: Call) -> tuple[Call, float | None]:
        """Look again at a call that had to wait for so long that its look got old."""
        return self.allowed(call, Outlook(Stretch((call,))))

    def _renewed(self, outlook: Outlook) -> Found:
        with outlook.guard:
            if self._age.is_over(outlook.found[1]):
                seen = self._watch.meet([*outlook.stretch.changes])
                in_the_way = {
                    key: sight for key, sight in seen.items() if sight is not Sight.ABSENT
                }
                outlook.found = in_the_way, self._age.now()
            return outlook.found
