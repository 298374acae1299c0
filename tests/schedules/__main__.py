"""Play the schedules from one number up to another, or one alone with all that happens in it."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from functools import partial

from .draw import draw
from .play import WAIT, Broken, play

TOLD = 2_500
"""A line is printed after so many, from which another run can go on."""

say = partial(print, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="schedules", description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("end", type=int, nargs="?", help="the first that is not played")
    parser.add_argument("--wait", type=float, default=WAIT, help="how long a doubt waits")
    chosen = parser.parse_args()
    if chosen.end is None:
        say(draw(chosen.first))
        say(play(draw(chosen.first), wait=chosen.wait, tell=say))
        return 0
    broken = play_all(chosen.first, chosen.end, chosen.wait)
    return 1 if broken else 0


def play_all(first: int, end: int, wait: float) -> int:
    """Play a range of schedules, tell of those that broke a promise, and count them."""
    began, broken, schedules = time.monotonic(), 0, set()
    runs, calls, deaths, codes = 0, 0, 0, Counter[str]()
    for number in range(first, end):
        schedule = draw(number)
        schedules.add(hash(schedule))
        try:
            played = play(schedule, wait=wait)
        except Broken as error:
            broken += 1
            say(f"{number}: {error}")
            continue
        runs, calls, deaths = runs + played.runs, calls + played.calls, deaths + played.deaths
        codes.update(str(code) for code in played.codes)
        if (number + 1) % TOLD == 0 or number + 1 == end:
            say(
                f"{first}..{number}: {broken} broke a promise; {len(schedules)} different ones, {runs} runs, "
                f"{deaths} deaths, {calls} calls, exit codes {dict(codes.most_common())}; "
                f"{time.monotonic() - began:.0f} s"
            )
    return broken


if __name__ == "__main__":
    sys.exit(main())
