"""How this process deals with memory: settings of Python and of the C library come in, less time and less memory go out.

Set by whoever starts a process, never by a room that is only called: they are one for all that runs in it.
"""

from __future__ import annotations

import gc
from contextlib import suppress

TRIM_THRESHOLD, KEPT = -1, 128 * 1024  # its number in malloc.h; bytes, as it is at first


def look_for_rings_seldom() -> None:
    """Have Python look for objects that hold each other less often.

    A large plan is a million small values without a ring among them; looking for rings took a fifth of its time, and a
    tenth of that of a start.
    """
    gc.set_threshold(100_000, 50, 50)


def give_back() -> None:
    """Have the C library give memory back to the system as soon as it is free.

    Once large blocks have come and gone, glibc keeps up to 64 MB of what is free, for speed that a job which waits for a
    tenant does not notice: a sixth of the most that a first run takes. Other C libraries have no such setting.
    """
    import ctypes  # takes a while, and not every command needs it

    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(TRIM_THRESHOLD, KEPT)
