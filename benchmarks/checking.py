"""What it costs to read and validate sheets: ``validate`` as a whole process, beside bare readers of the same file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import sheets
from benchmarks.lines import Line
from benchmarks.place import Place
from benchmarks.processes import TOOL, Command, Measured, script, side_by_side

BARE = "bare read_csv"
TEAMS = sheets.spread(1000, 10)
SHARES = (0.0, 0.02, 0.5)


def validate(path: Path, python: str = TOOL[0]) -> Command:
    """Give the command that validates a sheet; most sheets here have mistakes."""
    return Command([python, *TOOL[1:], "validate", path, "--quiet"], codes=frozenset((0, 1)))


def csv(place: Path, rows: int, bad: float) -> Path:
    """Give a users sheet."""
    path = place / f"{rows}-{bad:.0%}.csv"
    return path if path.exists() else sheets.as_csv(path, sheets.users(rows, TEAMS, bad=bad))


def checking(place: Place) -> Iterator[Line]:
    """Validate three sizes, three shares of bad rows, rows that are worse, and a workbook."""
    room = place.room("checking")
    small, middle, large = map(place.size, (10_000, 100_000, 1_000_000))
    yield from _growth(place, room, (small, middle, large))
    yield from _shares(place, room, large)
    yield from _worse(place, room, middle)
    yield from _workbook(place, room, middle)


def _shares(place: Place, room: Path, rows: int) -> Iterator[Line]:
    files = {f"{share:.0%} bad": csv(room, rows, share) for share in SHARES}
    commands = {name: validate(path) for name, path in files.items()}
    commands[BARE] = script("read_csv", files["2% bad"])
    if place.fast:
        commands["fast"] = validate(files["2% bad"], place.fast)
    measured = side_by_side(commands, place.times())
    what = f"validate, {rows:,} rows CSV"
    yield measured.line(f"{what}, 2% bad", "2% bad", BARE, 3)
    if place.fast:
        yield measured.line(f"{what}, 2% bad, with pyarrow", "fast", BARE, 1.2)
    for name in ("0% bad", "50% bad"):
        yield measured.line(f"{what}, {name}", name, BARE)
    yield measured.line(f"{what}, 50% bad beside 0% bad", "50% bad", "0% bad", 2)
    yield measured.line(f"{what}, 2% bad, peak memory", "2% bad", BARE, 1.5, of="peak")


def _growth(place: Place, room: Path, sizes: tuple[int, int, int]) -> Iterator[Line]:
    files = {rows: csv(room, rows, 0.02) for rows in sizes}
    commands = {f"{rows}": validate(path) for rows, path in files.items()}
    commands |= {f"bare {rows}": script("read_csv", path) for rows, path in files.items()}
    if place.fast:
        commands |= {f"fast {rows}": validate(files[rows], place.fast) for rows in sizes[:2]}
    measured = side_by_side(commands, place.times(3))
    for rows in sizes[:2]:
        what = f"validate, {rows:,} rows CSV, 2% bad"
        yield measured.line(what, f"{rows}", f"bare {rows}", unit=BARE)
        if place.fast:
            unit = "without"
            yield measured.line(f"{what}, with pyarrow", f"fast {rows}", f"{rows}", unit=unit)
    yield _dearer(measured, "validate", "", sizes, 1.2)
    yield _dearer(measured, BARE, "bare ", sizes)


def _dearer(
    measured: Measured,
    who: str,
    called: str,
    sizes: tuple[int, int, int],
    goal: float | None = None,
) -> Line:
    """Compare what each row more takes between the two larger sizes and between the two smaller ones.

    In seconds of a processor: the smaller difference is no larger than what the clock on the wall is off.
    """
    small, middle, large = sizes
    figures = measured.figures(*(f"{called}{rows}" for rows in sizes), of="cpu")
    first, second, third = (figure.median for figure in figures.values())
    reached = ((third - second) / (large - middle)) / ((second - first) / (middle - small))
    what, unit = f"{who}, a row of {large:,}", f"x a row of {middle:,}"
    return Line(what, reached, unit, goal, figures=figures)


def _worse(place: Place, room: Path, rows: int) -> Iterator[Line]:
    good = "0% bad"
    commands = {good: validate(csv(room, rows, 0))}
    for number, how in enumerate(sheets.WORSE):
        worse = sheets.spoiled(sheets.users(rows, TEAMS), how)
        commands[how] = validate(sheets.as_csv(room / f"worse-{number}.csv", worse))
    measured = side_by_side(commands, place.times())
    for how in sheets.WORSE:
        yield measured.line(f"validate, {rows:,} rows CSV, {how}", how, good)


def _workbook(place: Place, room: Path, rows: int) -> Iterator[Line]:
    path = sheets.as_xlsx(room / "users.xlsx", sheets.users(rows, TEAMS, bad=0.02))
    bare = "pandera imported, calamine"
    commands = {bare: script("read_xlsx", path), "validate": validate(path)}
    measured = side_by_side(commands, place.times())
    yield measured.line(f"validate, {rows:,} rows XLSX, 2% bad", "validate", bare, 2)
