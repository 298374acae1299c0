"""How many rows are through: changes come in as they are sent or given up, a number of rows goes out."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable
from itertools import chain

from onboarding.plan import Change


class Tally:
    """A row is through once nothing that it asks for is still to be sent. Several threads count."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._asks: dict[int, array[int]] = {}
        self._guard = threading.Lock()
        self.rows = 0
        """Rows that ask for something."""
        self.through = 0
        for row in chain.from_iterable(change.rows for change in changes):
            asks = self._asks.setdefault(row.table, array("l"))
            if row.row >= len(asks):
                asks.extend([0] * (row.row + 1 - len(asks)))
            self.rows += not asks[row.row]
            asks[row.row] += 1

    def count(self, changes: Iterable[Change]) -> None:
        """Note that these have been sent, or never will be; of each change that is to be said once."""
        with self._guard:
            for row in chain.from_iterable(change.rows for change in changes):
                asks = self._asks[row.table]
                asks[row.row] -= 1
                self.through += not asks[row.row]
