"""Ctrl-C and SIGTERM come in; they end what may be ended, and only ask an apply to stop.

Before the first changing call a signal ends the command where it stands. Afterwards the first one sets ``stop``: calls
under way are finished, and the report is written. A second one always ends the process at once, which is safe (every
call's intent is on disk before the call), only less tidy.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from onboarding.errors import Interrupted, Stop

ASKED_TO_STOP = b"\nstopping after the calls under way; once more stops at once\n"
AT_ONCE = b"\nstopped at once; run the same command again to carry on\n"


class Signals:
    """What signals have come, and what they do now."""

    def __init__(self) -> None:
        self.stop = Stop()
        self.received = 0
        """The first signal's number."""
        self.polite = False
        """Whether a signal only sets ``stop``, since calls are being made."""

    def be_polite(self) -> None:
        """From now on, let calls under way be finished."""
        self.polite = True

    @property
    def exit_code(self) -> int:
        """128 + the signal; 0 without one."""
        return 128 + self.received if self.received else 0

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals meanwhile; outside the main thread nothing can be."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self._come) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def _come(self, number: int, _: FrameType | None) -> None:
        if self.received:
            _say(AT_ONCE)
            os._exit(self.exit_code)
        self.received = number
        if not self.polite:
            raise Interrupted(number)
        self.stop.ask(number)
        _say(ASKED_TO_STOP)


def _say(words: bytes) -> None:
    """Write not by print: the stream's buffer may be in use just now, and a second entry is an error."""
    with suppress(OSError):
        os.write(2, words)
