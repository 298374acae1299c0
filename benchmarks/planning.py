"""What a large sheet costs against a large tenant: planning, reports, and a night in which nothing has changed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks import sheets, tenants
from benchmarks.checking import validate
from benchmarks.jobs import do, read_again
from benchmarks.lines import Line
from benchmarks.place import Place
from benchmarks.processes import script

PEOPLE, EACH, TEAMS = 100_000, 10, 1000
PAGE = 100


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
                    "changes": done.facts["changes"],
                    "planned_cpu": done.facts["planned_cpu"],
                    "pages_cpu": pages,
                    "validate_cpu": validate(path).run().cpu,
                    "reports": done.between("at", "planned", "ended"),
                }
            )
    ratio = median((r["planned_cpu"] - r["pages_cpu"]) / r["validate_cpu"] for r in rounds)
    figures = _medians(rounds)
    what = f"plan, {people:,} rows, {people * EACH:,} memberships, local part"
    yield Line(what, ratio, "x validate", 3, figures=figures)
    whole = figures["planned_cpu"] / figures["validate_cpu"]
    yield Line(f"{what} and reading of the pages", whole, "x validate", figures=figures)
    yield from _reports(place, path, figures["reports"])


def _reports(place: Place, path: Path, whole: float) -> Iterator[Line]:
    """Compare reports with what pandas takes to write the sheet again."""
    bare = script("write_csv", path, place.room("reports"), str(place.times()))
    figures: dict[str, float] = json.loads(bare.run().output)
    what, to_csv = f"reports of {place.size(PEOPLE):,} rows", figures["to_csv"]
    alone = figures["results.csv"] / to_csv
    yield Line(f"{what}, results.csv", alone, "x bare to_csv", 2, figures=figures)
    figures = {"reports": whole, "to_csv": to_csv}
    yield Line(f"{what}, all files", whole / to_csv, "x bare to_csv", 30, figures=figures)


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
                    "kb_a_row": done.cost.peak / 1024 / people,
                }
            )
    ratio = median(r["run"] / (r["validate"] + r["pages"]) for r in rounds)
    figures = _medians(rounds)
    what = f"unchanged run, {people:,} rows"
    yield Line(what, ratio, "x (validate + its pages)", 1.2, figures=figures)
    own = 20  # at most: accounts and groups that the tenant has of itself
    fewest = 2 + _pages(people + own) + _pages(teams + own) + teams * _pages(people * EACH / teams)
    yield Line(f"{what}, calls", figures["calls"] / fewest, "x the fewest pages", 1.0)
    yield Line(f"{what}, changes", figures["changing"], "calls", 0)
    yield Line(f"{what}, peak memory", figures["kb_a_row"], "KB a row", 3)


def _medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


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
