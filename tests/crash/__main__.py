"""Try every trouble at every call of every scenario: ``python -m crash LOG`` in ``tests/``.

A line of the log is a trial: the scenario, the trouble, ``held`` or what did not. Run again with the same log, it goes on
where it was stopped; ``--part 1/2`` leaves about every other trial to somebody else, with a log of their own. Kills come first, and
early ones no sooner than late ones: what was tried until now is a fair sample.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

from crash.command import Machine, Trouble
from crash.scenarios import SCENARIOS, Scenario
from crash.trial import ERRORS, Trial, Whole


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m crash", description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--part", default="1/1", help="which of how many parts")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    with TemporaryDirectory() as folder, closing(Machine(Path(folder))) as machine:
        wholes = {s: Trial(Path(folder) / str(s), s, machine).whole(warm=True) for s in SCENARIOS}
        todo = [(s, t) for s in SCENARIOS for t in wholes[s].troubles()]
        todo.sort(key=lambda each: (_turn(each[1]), each[1].number * 0.618 % 1))
        mine = [(s, t) for s, t in todo if crc32(_place(s, t).encode()) % parts == part - 1]
        options.log.touch()
        done = {_noted(line) for line in options.log.read_text().splitlines()}
        with options.log.open("a", buffering=1) as log:
            for scenario, trouble in mine:
                if _place(scenario, trouble) not in done:
                    end = _tried(
                        Path(folder) / "trial", scenario, trouble, wholes[scenario], machine
                    )
                    log.write(f"{scenario} | {trouble} | {end}\n")
    return _summary(options.log, len(mine))


def _place(scenario: object, trouble: Trouble) -> str:
    """Name a trial without its call: with several workers that is not the same one each time, nor for each part."""
    return f"{scenario} {trouble.number} {trouble.what}"


def _noted(line: str) -> str:
    scenario, trouble, _ = line.split(" | ", 2)
    number, _, what = trouble.split()
    return f"{scenario} {number} {what}"


def _turn(trouble: Trouble) -> int:
    """Kills before everything else; then one error at every call; then what is cut in half; then the other errors."""
    match trouble.what:
        case "kill":
            return 0
        case "half":
            return 2
        case error:
            others = ERRORS[trouble.call]
            first = others[trouble.number % len(others)]
            return 1 if int(error.rstrip("+")) == first else 3


def _tried(
    folder: Path, scenario: Scenario, trouble: Trouble, whole: Whole, machine: Machine
) -> str:
    trial = Trial(folder, scenario, machine)
    try:
        code = trial.tried(trouble, whole, warm=True)
    except AssertionError as error:
        return f"NOT {' '.join(str(error).split())[:1_500]}"
    finally:
        trial.clear_away()
    return f"held {code}"


def _summary(log: Path, all_of_them: int) -> int:
    lines = [line.split(" | ") for line in log.read_text().splitlines()]
    tried = Counter(line[0] for line in lines)
    held = Counter(line[0] for line in lines if line[2].startswith("held"))
    for scenario in sorted(tried):
        sys.stdout.write(f"{scenario}: {held[scenario]} of {tried[scenario]} held\n")
    sys.stdout.write(f"{held.total()} of {tried.total()} held; {all_of_them} there are\n")
    return 0 if held.total() == all_of_them else 1


if __name__ == "__main__":
    sys.exit(main())
