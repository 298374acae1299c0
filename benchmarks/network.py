"""How many calls a job takes, how fast they go, and whether a limit of the tenant is used and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import median

from benchmarks import sheets, tenants
from benchmarks.jobs import Done, do, read_again
from benchmarks.lines import Line
from benchmarks.place import Place
from benchmarks.processes import Command, script

PEOPLE, TEAMS, EACH = 2000, 50, 2
LATENCY = 20  # milliseconds
LIMIT, OURS, BURST = 400, 300, 50  # calls a minute: the tenant's, ours; and what is saved up
LIMITED = 450  # people in the job under a limit: a minute and a half of calls


def calls(place: Place) -> Iterator[Line]:
    """Count the calls of ours and of a script over Atlan's SDK, both at the tenant."""
    people, teams = place.size(PEOPLE), place.size(TEAMS)
    for there, goal in ((0, 1 / 20), (teams, 1 / 2.5)):
        ours = _job(place, people=0, teams=there)
        seen, facts = len(ours.seen), ours.facts
        groups = f"{teams} groups that are there" if there else f"{teams} new groups"
        what = f"{people:,} new people, {groups}, {people * EACH:,} memberships"
        figures = {
            "ours": float(seen),
            "announced": facts["announced"],
            "changes": facts["changes"],
        }
        yield Line(
            what, facts["announced"] - seen, "calls off what was announced", 0, figures=figures
        )
        yield Line(what, seen / facts["changes"], "calls a change", figures=figures)
        if place.witness:
            figures["theirs"] = _pyatlan(place, there)
            ratio = seen / figures["theirs"]
            yield Line(what, ratio, "x the calls of the pyatlan script", goal, figures=figures)


def pace(place: Place) -> Iterator[Line]:
    """See how close calls come to what latency and workers allow."""
    people = place.size(PEOPLE)
    for latency in (0, LATENCY):
        for workers in (4, 8):
            done = [_job(place, people, latency, workers) for _ in range(place.times())]
            what = f"{people:,} people into groups, {latency} ms latency, {workers} workers"
            seconds = [each.between("at", "planned", "applied") for each in done]
            made = done[0].between("calls", "planned", "applied")
            cpu = median(each.between("cpu", "planned", "applied") for each in done)
            figures = {"calls": made, "seconds": median(seconds), "cpu": cpu}
            if latency:
                least = made * latency / 1000 / workers
                ratio = median(seconds) / least
                yield Line(what, ratio, "x calls x latency / workers", 1.2, figures=figures)
                bare = _bare(place, latency, workers, int(made))
                yield Line(
                    f"requests alone, {latency} ms latency, {workers} workers", bare, "x the same"
                )
            else:
                yield Line(what, made / median(seconds), "calls a second", figures=figures)


def limit(place: Place) -> Iterator[Line]:
    """Work at a tenant that allows so many calls a minute, and blocks whoever makes more."""
    people = max(120, place.size(LIMITED))
    done = _job(place, people, rate=OURS, limit=LIMIT)
    first, last = (datetime.fromisoformat(done.seen[place]["at"]) for place in (0, -1))
    seconds = (last - first).total_seconds()
    share = len(done.seen) / (BURST + OURS * seconds / 60)
    figures = {"calls": float(len(done.seen)), "seconds": seconds}
    what = f"{people} people under a limit of {LIMIT} calls a minute"
    yield Line(what, share * 100, f"% of our budget of {OURS}", 95, at_least=True, figures=figures)
    throttled = Counter(call["status"] for call in done.seen)[429]
    yield Line(what, throttled, "answers of 429", 0, figures=figures)


def _job(
    place: Place,
    people: int,
    latency: int = 0,
    workers: int = 4,
    *,
    teams: int | None = None,
    rate: float = 0,
    limit: int = 0,
) -> Done:
    """Put people into groups: into ``teams`` that are there, else into new ones; who is not there is invited."""
    teams = place.size(TEAMS) if teams is None else teams
    database = place.room("network") / "tenant.db"
    database.unlink(missing_ok=True)
    tenants.fill(database, people, teams)
    inputs = _sheets(place, people or place.size(PEOPLE))
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


def _bare(place: Place, latency: int, workers: int, calls: int) -> float:
    """See how close requests alone comes, with the cheapest of all calls."""
    paths = ["/api/service/whoami"] * calls
    with tenants.serving(place.room("network") / "tenant.db", latency_ms=latency) as tenant:
        empty = read_again(place, tenant, [], workers=workers).wall
        full = read_again(place, tenant, paths, workers=workers).wall
        return (full - empty) / (calls * latency / 1000 / workers)
