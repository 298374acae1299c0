"""How long one look serves: calls and the clock come in, whether it is too old by then goes out.

Somebody else may invite the same people meanwhile, give them a role, or describe a group: by an old look none of that is done
without another one. Our pace says beforehand what that concerns, so that these looks are announced; the clock has the
last word.
"""

from __future__ import annotations

from onboarding.apply.pace import Pace
from onboarding.model import Directory
from onboarding.tenant import Reader

MARGIN = 2 / 3
"""Of the time that a look lasts: what is announced is to hold on a day, too, on which the tenant is slow."""


class Age:
    """The age of the look that a plan was made by."""

    def __init__(
        self, current: Directory, reader: Reader, pace: Pace, looked_at: float | None
    ) -> None:
        self._reader = reader
        self._pace = pace
        self._made = reader.calls
        self._since = pace.now() if looked_at is None else looked_at
        self._renewable = current.look_ups
        """Where looking people up does not work, listing all of them for each batch would take longer than the batches."""
        self._old_already = self.is_over()

    def will_be_over(self, calls: int, *, since: int | None = None) -> bool:
        """Whether it is to be renewed, as far as is known before the first call, once so many calls are made.

        ``since`` so many, another look was taken instead.
        """
        begun = 0.0 if since is None else self._reader.takes(self._made + since)
        late = self._reader.takes(self._made + calls) - begun > self._pace.fresh * MARGIN
        return self._renewable and (late or (since is None and self._old_already))

    def now(self) -> float:
        """Give the time by the clock of the run."""
        return self._pace.now()

    def is_over(self, renewed: float | None = None) -> bool:
        """Whether it is too old now; ``renewed``: when there was another look, if there was one."""
        since = self._since if renewed is None else renewed
        return self._renewable and self._pace.now() - since > self._pace.fresh
