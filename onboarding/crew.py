"""So many threads side by side: what is to be done comes in, what it brings goes out.

Those that call the tenant do nothing else: who has an answer makes the next call that waits, at once, and whoever had made the last
one ready works out what its answer means meanwhile. (A room of its own, since columns are looked at side by side, too.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event, Lock
from typing import Self, TypeVar

Key = TypeVar("Key")
Found = TypeVar("Found")


class Crew:
    """Its work is begun in the order in which it is asked for. A crew of one is the thread that asks."""

    def __init__(self, number: int, *, finishes: bool = True) -> None:
        """``finishes``: whatever breaks, what has begun is waited for."""
        self._number = max(1, number)
        self._finishes = finishes
        self._pool = ThreadPoolExecutor(number) if number > 1 else _Alone()

    def begin(self, make: Callable[[], Found]) -> Future[Found]:
        """Have this done as soon as one of the crew is free."""
        return self._pool.submit(make)

    def call(self, make: Callable[[], Found]) -> Found:
        """Wait until one of the crew has done this, and give what it brings or raises. Who is of the crew would wait for ever."""
        return self.begin(make).result()

    def map(self, make: Callable[[Key], Found], keys: Iterable[Key]) -> Iterable[Found]:
        """Do this for each key, and give what they bring in their order."""
        return self._pool.map(make, keys)

    def share(self, do: Callable[[Key], object], keys: Iterable[Key]) -> None:
        """Do this for each key and keep nothing of it: whoever of the crew is free takes the next one.

        All keys are asked for before the first is begun. Where one breaks, or whoever waits is interrupted, no more are begun;
        of several that break, the first in their order is told of once the others have ended.
        """
        every, guard, over = [*keys], Lock(), Event()
        coming = enumerate(every)
        broken: dict[int, BaseException] = {}

        def take() -> tuple[int, Key] | None:
            with guard:  # not every Python gives a key to one thread alone, and a key may be a mail
                return None if over.is_set() else next(coming, None)

        def work() -> None:
            for number, key in iter(take, None):
                try:
                    do(key)
                except BaseException as error:  # noqa: BLE001 -- it is raised where it is waited for
                    over.set()
                    broken[number] = error

        try:
            wait([self.begin(work) for _ in range(min(self._number, len(every)))])
            if broken:
                raise broken[min(broken)]
        finally:
            over.set()
            broken.clear()  # it knows of this call, as what broke does

    def __enter__(self) -> Self:
        return self

    def __exit__(self, broken: object, *_: object) -> None:
        """Wait for what has begun; whatever breaks, nothing more is begun."""
        self._pool.shutdown(self._finishes or not broken, cancel_futures=broken is not None)


class _Alone:
    """Does at once whatever it is asked for, and what it is to map as that is asked for."""

    def submit(self, make: Callable[[], Found]) -> Future[Found]:
        found: Future[Found] = Future()
        found.set_result(make())
        return found

    def map(self, make: Callable[[Key], Found], keys: Iterable[Key]) -> Iterable[Found]:
        return map(make, keys)

    def shutdown(self, *_: object, **__: object) -> None:
        """Have nobody to wait for."""
