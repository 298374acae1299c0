"""A grid in; where its headers are, which of its rows are the table's, and why each of the others is none, out.

Above the headers stand versions, titles, and rows that only group the headers below. Below them, not every row is one
of the table: blank ones, page breaks that repeat the headers, an example that came with a template, remarks, totals.
What is left out is said; what looks like a second table is refused, since its rows would be read under the wrong headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from onboarding.errors import SheetError
from onboarding.headers import (
    Columns,
    Kind,
    NoKnownHeader,
    came_from,
    known,
    letter,
    names_people,
    result_columns,
    said_before,
    understand,
)
from onboarding.headers.spelling import field_of
from onboarding.schemas import BLANKS, clean, fault, fold
from onboarding.sheets.certain import doubtful_rows
from onboarding.sheets.grid import Grid
from onboarding.sheets.reading import Reading

BLANK = "blank"
TITLE = "title"
HEADERS = "headers"
EXAMPLE = "example"
REMARK = "remark"
REPEATED = "headers once more"
TOTAL = "total"
_FIRST = 3
"""Rows among which examples stand; few do, and nearly all others are people's."""
TOLD = (EXAMPLE, REMARK, REPEATED, TOTAL)
"""Why a row below the headers is left out, where a person should hear of it."""

_EXAMPLE = re.compile(
    r"\s*(?:example|e\.\s?g\.|for example|beispiel|z\.\s?b\.|exemple|ejemplo|esempio|exemplo|voorbeeld)\s*:",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"(?:grand |sub-?|report |overall )?(?:total|totals|totale|totaal|sum|summe|gesamt|gesamtsumme|insgesamt|somme|suma"
    r"|(?:total |record )?count|anzahl|(?:total )?number of (?:rows|records|users|people|employees|groups|members))"
    r"(?: (?:general|général|rows|records|users|people|employees|groups|members))?\s*(?:[:=]\s*)?(?P<many>[\d.,' ]*)",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"[\d.,' ]+(?:rows?|records?|users?|people|employees?|members?|entries)(?: total)?\.?",
    re.IGNORECASE,
)
_FOOTER = re.compile(
    r"(?:page|seite|pagina|página) \d+(?: ?(?:of|von|de|di|sur|/) ?\d+)?"
    r"|(?:(?:last )?updated|printed|generated|exported|created|stand|erstellt|gedruckt|exportiert|as of|imprim\w+)"
    r"(?:\s*:| by| on| at| von| am| le| par|(?= \d)).+",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[\d.,'%\s-]+")
_NO_ROWS = (_TOTAL, _COUNTED, _FOOTER, _NUMBER)
_HINT = re.compile(
    r"\(?(?:required|mandatory|optional|free text|text|pflicht|pflichtfeld|obligatoire|facultatif|obligatorio|opcional)\)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Layout:
    """What is where in a grid."""

    top: int
    """The number of the header row."""
    columns: Columns
    ignored: dict[int, str]
    """Every row of the grid that is none of the table, and why."""

    def frame(self, grid: Grid, width: int) -> pd.DataFrame:
        """Give the rows of the table."""
        below = grid.cells.frame.iloc[self.top :, :width]
        among = [number for number in self.ignored if number > self.top]
        return below.drop(index=among) if among else below

    def above(self, number: int) -> int:
        """Count the rows of the table above one that may be of it, all those ignored above being known."""
        return number - 1 - len(self.ignored)


def lay_out(grid: Grid, reading: Reading, source: str) -> Layout:
    """Find the table. Raises ``NoKnownHeader`` where there is none of ours."""
    head = grid.head
    top, columns = _heading(grid, reading, source)
    _no_table_beside(grid, top, reading)
    ignored = {n: BLANK if is_blank(row) else TITLE for n, row in enumerate(head[:top], 1)}
    found = Layout(top + 1, columns, ignored | {top + 1: HEADERS})
    shown = {number for number, _ in grid.errors}
    for number, row in _to_look_at(grid, found):
        text = "".join(row)
        why = ""
        if not clean(text):
            why = "" if number in shown else BLANK
        elif "@" not in text or found.above(number) < _FIRST:
            why = _why_not(grid, row, number, found)
        if why:
            found.ignored[number] = why
    return found


def _to_look_at(grid: Grid, found: Layout) -> Iterator[tuple[int, Sequence[str]]]:
    """Give the first three rows of the table and what lies between, and below all that may be none of it."""
    below = found.top
    for row in grid.below(found.top):
        if found.above(below + 1) == _FIRST:
            break
        below += 1
        yield below, row
    headers = [fold(header) for header in grid.row(found.top)]
    ours = result_columns(grid.row(found.top))

    def tells(cell: str, position: int) -> bool:
        """Whether whoever stands on a row with this cell is neither a header nor a total."""
        text = clean(cell)
        none = not text or field_of(text) or any(words.fullmatch(text) for words in _NO_ROWS)
        return (
            not none and position not in ours and headers[position : position + 1] != [fold(text)]
        )

    rest = doubtful_rows(grid, found.columns, below, tells)
    yield from zip(rest, grid.rows(rest), strict=True)


def is_blank(row: Sequence[str]) -> bool:
    """Whether nothing can be seen in a row."""
    return not "".join(row).strip(BLANKS)


# ---- above -------------------------------------------------------------------------------------------------------


def _heading(grid: Grid, reading: Reading, source: str) -> tuple[int, Columns]:
    """Find the header row: the first one that is understood, within the first rows.

    A title of one word ("Groups") above a real header row is no header row.
    """
    head = grid.head
    counts = [known(row, reading.columns) for row in head]
    rows = [(i, head[i]) for i, count in enumerate(counts) if count]
    widest = max(counts, default=0)
    refusal: NoKnownHeader | None = None
    for i, row in rows:
        if widest > 1 and sum(map(bool, map(clean, row))) == 1:
            continue
        if _is_over_headers(grid, i, reading, source):
            continue
        try:
            columns = _understood(row, reading, source, head[i + 1 :])
        except NoKnownHeader as error:
            refusal = refusal or error
            continue
        _no_data_above(head[:i], i)
        return i, columns
    first = next(filter(_may_be_headers, grid.below(0)), ())
    if refusal is None:
        _understood(first, reading, source)
    raise refusal or NoKnownHeader("no header row")


def _understood(
    row: Sequence[str], reading: Reading, source: str, below: Iterable[Sequence[str]] = ()
) -> Columns:
    """Understand a row as headers; what a report added to it says nothing of what the table is, but for what it was."""
    ours = result_columns(row)
    before = next(filter(None, (came_from(row, cells) for cells in below)), "") if ours else ""
    return understand(
        ["" if i in ours else header for i, header in enumerate(row)],
        kind=reading.kind or (said_before(row) if ours else None),
        columns=reading.columns,
        hint=before or source,
        group=reading.group,
    )


def _may_be_headers(row: Sequence[str]) -> bool:
    """Whether there is anything in a row; Microsoft's templates begin with a version."""
    return not is_blank(row) and not row[0].lower().startswith("version:")


def _is_over_headers(grid: Grid, top: int, reading: Reading, source: str) -> bool:
    """Whether a row only groups the headers below it: the next row means more fields, and is understood."""
    below = next((row for row in grid.below(top + 1) if not is_blank(row)), [])
    if known(below, reading.columns) <= known(grid.row(top + 1), reading.columns):
        return False
    try:
        _understood(below, reading, source)
    except NoKnownHeader:
        return False
    except SheetError:
        return True  # to be told about the row that counts
    return True


def _no_data_above(titles: Sequence[Sequence[str]], top: int) -> None:
    for number, row in enumerate(titles, 1):
        if any("@" in cell and not fault(clean(cell)) for cell in row):
            raise SheetError(
                f"row {number} holds an e-mail address, but the header row is row {top + 1}; "
                "move the headers to the top"
            )


def _no_table_beside(grid: Grid, top: int, reading: Reading) -> None:
    """Refuse two tables side by side, a blank column between: each row would be read as one."""
    headers = grid.row(top + 1)
    for gap in (i for i, header in enumerate(headers) if not clean(header)):
        sides = headers[:gap], headers[gap + 1 :]
        if min(known(side, reading.columns) for side in sides) < 2 or not _is_blank_column(
            grid, gap
        ):
            continue
        try:
            for side in sides:
                understand(side, columns=reading.columns)
        except SheetError:
            continue
        raise SheetError(
            f"two tables stand side by side, with {letter(gap)} blank between them; put each on a sheet of its own"
        )


def _is_blank_column(grid: Grid, position: int) -> bool:
    return not any(map(clean, grid.cells.frame[position]))


# ---- below -------------------------------------------------------------------------------------------------------


def _why_not(grid: Grid, row: Sequence[str], number: int, above: Layout) -> str:
    """Say why a row is none of the table; empty if it is one. Raises ``SheetError`` at a second table."""
    cells = [text for cell in row if (text := clean(cell))]
    people = above.columns.kind is not Kind.GROUPS
    if _EXAMPLE.match(cells[0]) and above.above(number) < _FIRST:
        return EXAMPLE
    if "@" in "".join(cells):
        return ""
    headers = grid.row(above.top)
    if _theirs(row, headers) == _theirs(headers, headers):
        return _repeated(grid, number)
    if _names_fields(cells, people=people):
        raise SheetError(_SECOND.format(number))
    if len(cells) == 1 and _FOOTER.fullmatch(cells[0]):
        return REMARK
    if _is_remark(cells, people=people) or (
        not above.above(number) and all(map(_HINT.fullmatch, cells))
    ):
        return REMARK
    return TOTAL if _is_total(cells, grid, number, people=people) else ""


def _theirs(row: Sequence[str], headers: Sequence[str]) -> list[str]:
    """Give a row's cells without those under our own result columns, which a report adds to rows only."""
    ours = result_columns(headers)
    return [fold(cell) for i, cell in enumerate(row) if i not in ours]


_SECOND = "row {} looks like the headers of another table; put each table on a sheet of its own"


def _repeated(grid: Grid, number: int) -> str:
    """Let a page break pass; below a title of its own, the same headers may begin something else."""
    before = grid.row(number - 1)
    titled = not is_blank(before) and sum(map(bool, map(clean, before))) == 1
    if titled and len(grid.row(number)) > 1:
        raise SheetError(_SECOND.format(number))
    return REPEATED


def _names_fields(cells: Sequence[str], *, people: bool) -> bool:
    """Whether these are the headers of a table: any word can be a group's name, so groups take more of them."""
    if names_people(cells):
        return True
    fields = [name for cell in cells if (name := field_of(cell))]
    if people:
        return ("email" in fields and len(cells) == 1) or len({*fields}) == len(cells) > 1
    down_the_side = field_of(cells[0]) in ("description", "default")
    return down_the_side or {"group", "description"} <= set(fields)


def _is_remark(cells: Sequence[str], *, people: bool) -> bool:
    """Whether somebody wrote a line for readers; a group may well be called ``#general``."""
    return re.match(r"#(?![A-Z/]+[!?/])" if people else r"#+\s", cells[0]) is not None


def _is_total(cells: Sequence[str], grid: Grid, number: int, *, people: bool) -> bool:
    """Whether a row counts the others. Below groups it must be the last one, and have a number: a group may be so called."""
    if people and len(cells) == 1 and _COUNTED.fullmatch(cells[0]):
        return True
    word = _TOTAL.fullmatch(cells[0])
    if not word or not all(map(_NUMBER.fullmatch, cells[1:])):
        return False
    if people:
        return True
    last = all(map(is_blank, grid.below(number)))
    return last and (len(cells) > 1 or bool(word["many"].strip()))
