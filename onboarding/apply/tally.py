"""How many rows are through: changes come in as they are sent or given up, a number of rows goes out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

from onboarding.plan import Change


class Tally:
    """A row is through once nothing that it asks for is still to be sent. Several threads count."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._left = {change.key for change in changes}
        self._asks = Counter(row for change in changes for row in change.rows)
        self._guard = threading.Lock()
        self.rows = len(self._asks)
        """Rows that ask for something."""
        self.through = 0

    def count(self, changes: Iterable[Change]) -> None:
        """Note that these have been sent, or never will be; only the first time counts."""
        with self._guard:
            for change in changes:
                if change.key in self._left:
                    self._left.remove(change.key)
                    for row in change.rows:
                        self._asks[row] -= 1
                        self.through += not self._asks[row]
