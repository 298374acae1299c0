"""What a large sheet costs against a large tenant: planning, reports, and a night in which nothing has changed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import sheets, tenants
from benchmarks.checking import validate
from benchmarks.jobs import do, read_again
from benchmarks.lines import Figure, Line, by_name
from benchmarks.place import Place
from benchmarks.processes import UNITS, script

PEOPLE, EACH, TEAMS = 100_000, 10, 1000
PAGE = 100
CPU = UNITS["cpu"]


def planning(place: Place) -> Iterator[Line]:
    """Plan a sheet in which one person of a hundred is new, and report it.

    What is ours is counted in seconds of a processor: those of planning, less those in which requests alone reads the
    same pages. The tenant's time is in neither, however slow it is.
    """
    people = place.size(PEOPLE)
    path = place.room("planning") / "users.csv"
    sheets.as_csv(path, sheets.users(people, _teams(place), first=people // 100))
    rounds: list[dict[str, float]] = []
    with tenants.serving(_large(place)) as tenant:
        for _ in range(place.times()):
            done = do(place, tenant, "plan", path)
            pages = read_again(place, tenant, done.paths).cpu - read_again(place, tenant, []).cpu
            rounds.append(
                {
                    "calls": done.facts["planned_calls"],
                    "planned": done.facts["planned_cpu"],
                    "own": done.facts["planned_own"],
                    "pages": pages,
                    "validate": validate(path).run().cpu,
                    "reports": done.between("at", "planned", "ended"),
                }
            )
    ratio = median((r["planned"] - r["pages"]) / r["validate"] for r in rounds)
    figures = by_name(rounds, calls="calls", planned=CPU, own=CPU, pages=CPU, validate=CPU)
    what = f"plan, {people:,} rows, {people * EACH:,} memberships"
    yield Line(f"{what}, local part", ratio, "x validate", 3, figures=figures)
    own = median(r["own"] / r["validate"] for r in rounds)
    yield Line(f"{what}, the thread that plans", own, "x validate", figures=figures)
    whole = median(r["planned"] / r["validate"] for r in rounds)
    yield Line(f"{what}, with the reading of the pages", whole, "x validate", figures=figures)
    yield from _reports(place, path, by_name(rounds, reports="s"))


def _reports(place: Place, path: Path, all_files: dict[str, Figure]) -> Iterator[Line]:
    """Compare reports with what pandas takes to write the sheet again."""
    bare = script("write_csv", path, place.room("reports"), str(place.times()))
    taken: dict[str, list[float]] = json.loads(bare.run().output)
    figures = {name: Figure("s", seconds) for name, seconds in taken.items()} | all_files
    for name, key, goal in (("results.csv", "results.csv", 2), ("all files", "reports", 30)):
        what = f"reports of {place.size(PEOPLE):,} rows, {name}"
        ratio = figures[key].median / figures["to_csv"].median
        yield Line(what, ratio, "x bare to_csv", goal, figures=figures)


def nightly(place: Place) -> Iterator[Line]:
    """Run a sheet of which all is in the tenant already."""
    people, teams = place.size(PEOPLE), place.size(TEAMS)
    path = place.room("nightly") / "users.csv"
    sheets.as_csv(path, sheets.users(people, _teams(place)))
    rounds: list[dict[str, float]] = []
    with tenants.serving(_large(place)) as tenant:
        for _ in range(place.times()):
            done = do(place, tenant, "run", path)
            rounds.append(
                {
                    "calls": len(done.seen),
                    "changing": sum(call["method"] != "GET" for call in done.seen),
                    "run": done.cost.wall,
                    "validate": validate(path).run().wall,
                    "pages": read_again(place, tenant, done.paths).wall,
                    "peak": done.cost.peak,
                }
            )
    ratio = median(r["run"] / (r["validate"] + r["pages"]) for r in rounds)
    what = f"unchanged run, {people:,} rows"
    figures = by_name(rounds, run="s", validate="s", pages="s")
    yield Line(what, ratio, "x (validate + its pages)", 1.2, figures=figures)
    own = 20  # at most: accounts and groups that the tenant has of itself
    fewest = 2 + _pages(people + own) + _pages(teams + own) + teams * _pages(people * EACH / teams)
    figures = by_name(rounds, calls="calls", changing="calls", peak="bytes")
    reached = figures["calls"].median / fewest
    yield Line(f"{what}, calls", reached, "x the fewest pages", 1, figures=figures)
    reached = figures["changing"].median
    yield Line(f"{what}, changes", reached, "calls", 0, figures=figures)
    reached = figures["peak"].median / 1024 / people
    yield Line(f"{what}, peak memory", reached, "KB a row", 3, figures=figures)


def _teams(place: Place) -> sheets.Teams:
    return sheets.spread(place.size(TEAMS), EACH)


def _large(place: Place) -> Path:
    """Give the large tenant, made when it is first asked for."""
    path = place.folder / "large.db"
    if not path.exists():
        tenants.fill(path, place.size(PEOPLE), place.size(TEAMS), _teams(place))
    return path


def _pages(records: float) -> int:
    return max(1, math.ceil(records / PAGE))
