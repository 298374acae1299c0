"""How many calls a job takes, how fast they go, and whether a limit of the tenant is used and kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from benchmarks import sheets, tenants
from benchmarks.jobs import Done, do, read_again
from benchmarks.lines import Figure, Line, by_name
from benchmarks.place import Place
from benchmarks.processes import UNITS, Command, script

PEOPLE, TEAMS, EACH = 2000, 50, 2
MANY = 100_000  # people of a first run
LATENCY = 20  # milliseconds
LIMIT, OURS, BURST = 400, 300, 50  # calls a minute: the tenant's, ours; and what is saved up
LIMITED = 450  # people in the job under a limit: a minute and a half of calls


def calls(place: Place) -> Iterator[Line]:
    """Count the calls of ours and of a script over Atlan's SDK, both at the tenant."""
    people, teams = place.size(PEOPLE), place.size(TEAMS)
    for there, goal in ((0, 1 / 20), (teams, 1 / 2.5)):
        ours = _job(place, people, new=True, teams=there)
        seen, announced = len(ours.seen), ours.facts["announced"]
        changes = ours.facts["changes"]
        groups = f"{teams} groups that are there" if there else f"{teams} new groups"
        what = f"{people:,} new people, {groups}, {people * EACH:,} memberships"
        figures = {
            "ours": Figure("calls", [seen]),
            "announced": Figure("calls", [announced]),
            "changes": Figure("changes", [changes]),
        }
        off = abs(announced - seen)
        yield Line(f"{what}, announced", off, "calls off what was made", 0, figures=figures)
        yield Line(f"{what}, a change", seen / changes, "calls", figures=figures)
        if place.witness:
            theirs = _pyatlan(place, there)
            figures = {**figures, "theirs": Figure("calls", [theirs])}
            unit = "x the calls of the pyatlan script"
            yield Line(what, seen / theirs, unit, goal, figures=figures)


def first(place: Place) -> Iterator[Line]:
    """See how much memory a first run takes, in which everything is new; once, since memory is no matter of luck."""
    people = place.size(MANY)
    done = _job(place, people, new=True, teams=0)
    figures = {"peak": Figure("bytes", [done.cost.peak]), "run": Figure("s", [done.cost.wall])}
    what = f"first run, {people:,} new people, {place.size(TEAMS)} new groups, peak memory"
    yield Line(what, done.cost.peak / 1024 / people, "KB a row", 3, figures=figures)


def pace(place: Place) -> Iterator[Line]:
    """See how close calls come to what latency and workers allow."""
    people = place.size(PEOPLE)
    for latency in (0, LATENCY):
        for workers in (4, 8):
            setting = f"{latency} ms latency, {workers} workers"
            what = f"{people:,} people into groups, {setting}"
            rounds, bare, waits = [], [], []
            for _ in range(place.times()):  # in turns, since a machine has its moods
                done = _job(place, people, latency, workers)
                facts = ("calls", "at", "cpu")
                rounds.append({fact: done.between(fact, "planned", "applied") for fact in facts})
                if latency:
                    bare.append(_bare(place, latency, workers, int(rounds[-1]["calls"])))
                    waits.append(_wait(latency, workers))
            figures = by_name(rounds, calls="calls", at="s", cpu=UNITS["cpu"])
            made, seconds = figures["calls"].median, figures["at"].median
            if not latency:
                yield Line(what, made / seconds, "calls a second", figures=figures)
                continue
            least, unit = made * latency / 1000 / workers, "x calls x latency / workers"
            yield Line(what, seconds / least, unit, 1.2, figures=figures)
            alone = Figure("s", bare)
            what = f"requests alone, {setting}"
            yield Line(what, alone.median / least, unit, figures={"at": alone})
            waited = Figure("s", waits)
            what = f"waits of {latency} ms alone, {workers} threads"
            yield Line(what, waited.median * 1000 / latency, "x as long", figures={"each": waited})


def limit(place: Place) -> Iterator[Line]:
    """Work at a tenant that allows so many calls a minute, and blocks whoever makes more."""
    people = max(120, place.size(LIMITED))
    seen = _job(place, people, rate=OURS, limit=LIMIT).seen
    began, ended = (datetime.fromisoformat(call["at"]) for call in (seen[0], seen[-1]))
    seconds = (ended - began).total_seconds()
    share = 100 * len(seen) / (BURST + OURS * seconds / 60)
    throttled = sum(call["status"] == 429 for call in seen)
    figures = {"calls": Figure("calls", [len(seen)]), "seconds": Figure("s", [seconds])}
    what = f"{people} people under a limit of {LIMIT} calls a minute"
    yield Line(what, share, f"% of our budget of {OURS}", 95, at_least=True, figures=figures)
    yield Line(f"{what}, refused", throttled, "answers of 429", 0, figures=figures)


def _job(
    place: Place,
    people: int,
    latency: int = 0,
    workers: int = 4,
    *,
    new: bool = False,
    teams: int | None = None,
    rate: float = 0,
    limit: int = 0,
) -> Done:
    """Put people, who are there or new, into groups: into ``teams`` that are there, else into new ones."""
    teams = place.size(TEAMS) if teams is None else teams
    database = place.room("network") / "tenant.db"
    database.unlink(missing_ok=True)
    tenants.fill(database, 0 if new else people, teams)
    inputs = _sheets(place, people)
    with tenants.serving(database, latency_ms=latency, rate_limit=limit) as tenant:
        return do(place, tenant, "run", *inputs[: 1 if teams else 2], workers=workers, rate=rate)


def _sheets(place: Place, people: int) -> tuple[Path, Path]:
    room, teams = place.room("network"), place.size(TEAMS)
    rows = sheets.users(people, sheets.spread(teams, EACH), named=(EACH, EACH))
    return (
        sheets.as_csv(room / "users.csv", rows),
        sheets.as_csv(room / "groups.csv", sheets.groups(teams)),
    )


def _pyatlan(place: Place, teams: int) -> int:
    """Count the calls of the script for the same sheets."""
    database = place.room("network") / "theirs.db"
    database.unlink(missing_ok=True)
    tenants.fill(database, 0, teams)
    inputs = _sheets(place, place.size(PEOPLE))
    with tenants.serving(database) as tenant:
        way = "find" if teams else "create"
        bare = script("pyatlan_script", tenant.url, *inputs, way, python=place.witness)
        before = tenant.count()
        Command(bare.argv, {"ONBOARDING_SANDBOX_KEY": tenant.key}).run()
        return tenant.count() - before


def _wait(latency: int, workers: int) -> float:
    """See how many seconds a wait takes in so many threads: the system may be late in waking them up."""
    waits = 50 * workers
    began = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(lambda _: time.sleep(latency / 1000), range(waits)):
            pass
    return (time.perf_counter() - began) * workers / waits


def _bare(place: Place, latency: int, workers: int, calls: int) -> float:
    """See how many seconds requests alone takes for as many of the cheapest of all calls."""
    with tenants.serving(place.room("network") / "tenant.db", latency_ms=latency) as tenant:
        none, all_ = (
            read_again(place, tenant, ["/api/service/whoami"] * count, workers=workers).wall
            for count in (0, calls)
        )
        return all_ - none
