"""``python -m benchmarks [NAME...]``: a table as it is measured, and JSON for whoever wants to compare later."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from subprocess import DEVNULL, CalledProcessError, check_output

import onboarding
from benchmarks import checking, cold, network, planning
from benchmarks.lines import BEGIN, Line, as_json, as_table, into_page
from benchmarks.place import Place
from benchmarks.processes import HOME, Failed, script

BENCHMARKS: Mapping[str, Callable[[Place], Iterator[Line]]] = {
    "cold": cold.cold,
    "checking": checking.checking,
    "planning": planning.planning,
    "nightly": planning.nightly,
    "first": network.first,
    "calls": network.calls,
    "pace": network.pace,
    "limit": network.limit,
}
MADE_BY = "python3 -m venv DIR && DIR/bin/pip install --require-hashes -r tests/{}.lock"


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 where all goals hold, else 1; quickly, where all worked."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.page and given.quick:
        parser.error("--page: what --quick measures is for no page")
    names = given.names or list(BENCHMARKS)
    lines: list[Line] = []
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        place = Place(Path(folder), quick=given.quick, rounds=given.rounds)
        left_out = _left_out(place, names)
        try:
            about = _about(place) | {"left_out": left_out, "failed": failed}
        except (Failed, OSError) as error:
            parser.error(f"a Python that was named does not work: {error}")
        for name in names:
            began = time.perf_counter()
            try:
                for line in BENCHMARKS[name](place):
                    lines.append(replace(line, judged=not given.quick))
                    sys.stderr.write(f"{as_table(lines[-1:]).splitlines()[1]}\n")
            except Failed as error:
                failed[name] = str(error)
                sys.stderr.write(f"{name} failed: {error}\n")
            sys.stderr.write(f"({name}: {time.perf_counter() - began:.0f} s)\n")
            about["load"] = os.getloadavg()
            if given.json:
                given.json.write_text(as_json(lines, about))
    if given.page:
        load = " ".join(f"{each:.1f}" for each in os.getloadavg())
        machine, day = f"{_machine()}, load {load}", f"{datetime.now(UTC):%Y-%m-%d}"
        everything = not (given.names or left_out or failed)
        page = into_page(given.page.read_text(), lines, machine, day, anew=everything)
        given.page.write_text(page)
    sys.stdout.write(as_table(lines) + "\n")
    sys.stderr.write("".join(f"left out: {each}\n" for each in left_out))
    return 1 if failed or any(line.holds is False for line in lines) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = ", ".join(BENCHMARKS)
    parser.add_argument("names", nargs="*", type=_known, metavar="NAME", help=f"some of {known}")
    parser.add_argument(
        "--quick", action="store_true", help="a twentieth of the sizes, one round, no verdicts"
    )
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument("--page", type=_page, metavar="FILE", help="put the goals into a page")
    return parser


def _known(name: str) -> str:
    if name not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(BENCHMARKS)}")
    return name


def _page(name: str) -> Path:
    path = Path(name)
    if not (path.is_file() and BEGIN in path.read_text()):
        raise argparse.ArgumentTypeError(f"{name} is no page with a line {BEGIN.strip()}")
    return path


def _left_out(place: Place, names: Sequence[str]) -> list[str]:
    """Say which lines there will not be, and how to have them."""
    return [
        f"{lines}, since {variable} names no Python: {MADE_BY.format(lock)}"
        for lines, needed, variable, python, lock in (
            ("validate with pyarrow", "checking", "FAST_PYTHON", place.fast, "fast"),
            ("the pyatlan script", "calls", "WITNESS_PYTHON", place.witness, "witness"),
        )
        if needed in names and not python
    ]


def _about(place: Place) -> dict[str, object]:
    """Say what is measured, by what, and when."""
    pythons = {"benchmarks": sys.executable, "fast": place.fast, "witness": place.witness}
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "version": onboarding.__version__,
        "commit": _commit(),
        "quick": place.quick,
        "rounds": place.times(),
        "pythons": {
            name: json.loads(script("versions", python=python).run().output)
            for name, python in pythons.items()
            if python
        },
    }


def _commit() -> str:
    """Give the commit of the checkout, if git is there to tell."""
    git = ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=40"]
    try:
        return check_output(git, cwd=HOME, stderr=DEVNULL, text=True).strip()  # noqa: S603 -- as it stands here
    except (OSError, CalledProcessError):
        return ""


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"{system}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
