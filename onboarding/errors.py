"""What can go wrong with a run, as exceptions; what is wrong with a row is a ``Finding`` instead.

::

    OnboardingError                    70  a bug of ours, if it is none of the below
    ├── UsageError                      2  arguments or settings are wrong
    ├── SheetError                      3  an input can't be used; nothing was sent
    │   └── TooManyRejected             3  more rows rejected than --max-rejected allows
    ├── UnsafePlan                      5  a safety limit stopped the plan; nothing was sent
    ├── Declined                        5  the person said no; nothing was sent
    ├── StorageError                   74  journal, state or report can't be written
    ├── TryLater                       75  another run holds the lock, or the tenant asks to wait too long
    └── TenantError                     4  the tenant can't be used
        ├── NotSent                     4  no byte of the request left: not applied
        ├── TokenRefused                4  the tenant does not accept the token, or not for this
        ├── Protocol                    4  an answer that is not the API's: a page that does not add up
        └── CallError                   4  one call failed; `apply` decides what that means for its rows
            ├── Throttled              75  429, or a pause too long to sit out: not applied
            ├── Refused                 4  a clear no (400, 404, 409, 422, a map of e-mails)
            └── Doubt                   4  sent, and the answer does not say whether it was carried out

    Interrupted                 130 / 143  a signal, which nobody takes for an error; running again carries on

Every message says what happened, to what, and what to do. None holds a token.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import ClassVar


class OnboardingError(Exception):
    """Root of everything that a caller of this package may want to catch."""

    exit_code: ClassVar[int] = 70


class UsageError(OnboardingError):
    """Arguments, environment or settings file are wrong."""

    exit_code = 2


class SheetError(OnboardingError):
    """An input as a whole can't be used: unreadable, no known header, ambiguous columns."""

    exit_code = 3


class TooManyRejected(SheetError):
    """More rows were rejected than the limit allows; lifted by ``--max-rejected`` only."""


class UnsafePlan(OnboardingError):
    """A safety limit stopped the plan; the message gives the numbers and the fingerprint."""

    exit_code = 5


class Declined(OnboardingError):
    """The person at the terminal said no."""

    exit_code = 5


class StorageError(OnboardingError):
    """State, journal or report can't be written (or the state can't be read)."""

    exit_code = 74


class TryLater(OnboardingError):
    """Nothing is wrong, but not now: the lock is held, or the tenant asks for a long wait."""

    exit_code = 75


class Interrupted(BaseException):
    """A signal asked us to stop. ``signal`` is its number; the exit code is 128 + it.

    It may come up in anybody's code, and pandera for one takes every ``Exception`` there for a cell that is not valid.
    """

    def __init__(self, signal: int) -> None:
        super().__init__("interrupted; run the same command again to carry on")
        self.signal = signal


class Stop(threading.Event):
    """The wish that a run ends politely; ``signal`` is what brought it, as in ``Interrupted``."""

    signal = 2

    def ask(self, signal: int) -> None:
        """Wish it, because of a signal."""
        self.signal = signal
        self.set()


class TenantError(OnboardingError):
    """The tenant can't be used, or did not do what a call asked."""

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status of the last answer; None where there was none."""
        self.request_id = request_id
        self.attempts = attempts


class NotSent(TenantError):
    """The request failed before its first byte left: nothing was carried out."""


class TokenRefused(TenantError):
    """401, a redirect to a login page on a read, or 403."""

    def __init__(
        self,
        message: str,
        *,
        words: str = "",
        status: int | None = None,
        request_id: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id, attempts=attempts)
        self.words = words


class Protocol(TenantError):
    """The answer to a read is not what the API answers (HTML, pages that never add up)."""


class CallError(TenantError):
    """One call was not simply carried out; subclasses say what is known."""


class Throttled(CallError):
    """429, or not even sent because of an earlier one. ``retry_after`` is in seconds, if the tenant said."""

    exit_code = 75

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        status: int | None = 429,
        request_id: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id, attempts=attempts)
        self.retry_after = retry_after


class Refused(CallError):
    """The tenant said no, clearly. ``words`` are its own; ``by_subject`` maps e-mail -> its words."""

    def __init__(
        self,
        message: str,
        *,
        words: str = "",
        by_subject: Mapping[str, str] | None = None,
        status: int | None = None,
        request_id: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id, attempts=attempts)
        self.words = words
        self.by_subject = dict(by_subject or {})


class Doubt(CallError):
    """The request left and its fate is unknown: timeout, reset, 3xx, 5xx, half an answer."""
