"""So many threads side by side: what is to be done comes in, what it brings goes out.

Those that call the tenant do nothing else: who has an answer makes the next call that waits, at once, and whoever had made the last
one ready works out what its answer means meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

Key = TypeVar("Key")
Found = TypeVar("Found")


class Crew:
    """Its work is begun in the order in which it is asked for. A crew of one is the thread that asks."""

    def __init__(self, number: int) -> None:
        self._pool = ThreadPoolExecutor(number) if number > 1 else None

    def call(self, make: Callable[[], Found]) -> Found:
        """Wait until one of the crew has done this, and give what it brings or raises. Never asked for by one of them."""
        return self._pool.submit(make).result() if self._pool else make()

    def map(self, make: Callable[[Key], Found], keys: Sequence[Key]) -> Iterable[Found]:
        """Do this for each key, and give what they bring in their order."""
        return self._pool.map(make, keys) if self._pool else map(make, keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown()
