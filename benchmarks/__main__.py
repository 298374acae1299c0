"""``python -m benchmarks [NAME...]``: a table as it is measured, and JSON for whoever wants to compare later."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import checking, cold, network, planning
from benchmarks.lines import Line, as_json, as_markdown, as_table
from benchmarks.place import Place

BENCHMARKS: Mapping[str, Callable[[Place], Iterator[Line]]] = {
    "cold": cold.cold,
    "checking": checking.checking,
    "planning": planning.planning,
    "nightly": planning.nightly,
    "calls": network.calls,
    "pace": network.pace,
    "limit": network.limit,
}


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 where all goals hold, else 1."""
    given = _parser().parse_args(arguments)
    lines: list[Line] = []
    about = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": _machine()}
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        place = Place(Path(folder), quick=given.quick, rounds=given.rounds)
        for name in given.names or BENCHMARKS:
            began = time.perf_counter()
            for line in BENCHMARKS[name](place):
                lines.append(line)
                sys.stderr.write(f"{as_table([line]).splitlines()[1]}\n")
            sys.stderr.write(f"({name}: {time.perf_counter() - began:.0f} s)\n")
    about["load"] = " ".join(f"{load:.1f}" for load in os.getloadavg())
    if given.json:
        given.json.write_text(as_json(lines, about))
    if given.page:
        _write_into(given.page, as_markdown(lines, f"{about['machine']}, load {about['load']}"))
    sys.stdout.write(as_table(lines) + "\n")
    return 0 if all(line.holds for line in lines) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the sizes, one round")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument("--page", type=Path, metavar="FILE", help="put the table into a page")
    return parser


def _write_into(page: Path, table: str) -> None:
    """Put a table between the marks of a page."""
    before, begin, rest = page.read_text().partition("<!-- goals -->\n")
    _, end, after = rest.partition("<!-- end -->")
    page.write_text(before + begin + table + end + after)


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"{system}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
