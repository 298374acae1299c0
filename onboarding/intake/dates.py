"""Rows in; those out whose end date is past although no status says that the person has left.

An HR export without a status column, or with a blank status, would otherwise invite people who left long ago.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata
from collections.abc import Iterator

from onboarding.intake.against import Book
from onboarding.intake.rows import MemberRow, UserRow
from onboarding.intake.shared import Shared
from onboarding.model import Finding, Severity, Standing

_ISO = re.compile(r"(\d{4})(?:[-/.](\d\d?)[-/.](\d\d?)|(\d\d)(\d\d))(?!\d)")
_OTHER = re.compile(r"(\d\d?)[./-](\d\d?)[./-](\d{4}|\d\d)(?!\d)")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_SHORT_YEAR = re.compile(r"[a-zä.]+[- /](\d\d)$", re.IGNORECASE)
_MONTH_OF_YEAR = re.compile(r"(?:\d{4}[./-])?(\d\d?)(?:[./-]\d{4})?")
_QUARTER = re.compile(r"\b[qtk]\.?\s?([1-4])\b", re.IGNORECASE)
_DAY = re.compile(r"(?<!\d)\d\d?(?!\d)")
_MONTHS = (
    "jan ene gen | feb fev | mar mrz maa | apr avr abr | may mai mei mag | jun juin giu | jul juil lug | aug aou ago"
    "| sep set | oct okt ott out | nov | dec dez dic"
)
"""How the names of the months begin in English, German, French, Spanish, Italian, Portuguese and Dutch."""
_MONTH_OF = {
    start: month for month, starts in enumerate(_MONTHS.split("|"), 1) for start in starts.split()
}


def ended(shared: Shared, book: Book, today: dt.date) -> Iterator[Finding]:
    """Reject who has left by the end date alone; only note it where a status says otherwise."""
    for row in shared.of_end_dates(lambda cell: past(cell, today) is not False):
        if not _counts(row):
            continue
        header = book.header(row.ref, "end_date")
        gone = past(row.end, today)
        if gone is None and not (isinstance(row, UserRow) and row.standing):
            message = "is no date that is understood; it counts for nothing"
            yield Finding("end-date-noted", message, row.ref, header, row.end, Severity.NOTE)
        elif gone and isinstance(row, MemberRow):
            message = "is past, and the row adds the person all the same"
            yield Finding("end-date-past", message, row.ref, header, row.end)
        elif gone and isinstance(row, UserRow) and row.standing is None:
            message = "is past, and no status says whether the person is still with you"
            yield Finding("end-date-past", message, row.ref, header, row.end)
        elif gone and isinstance(row, UserRow):
            message = f"is past, and the status says {row.standing}; the status counts"
            yield Finding("end-date-noted", message, row.ref, header, row.end, Severity.NOTE)


def _counts(row: UserRow | MemberRow) -> bool:
    """Whether the row would give its person anything."""
    if isinstance(row, MemberRow):
        return row.adds
    return row.standing not in {Standing.LEAVER, Standing.NOT_STARTED}


def past(cell: str, today: dt.date) -> bool | None:
    """Whether a date is before today, whichever way round its day and month are written; None: it is no date.

    >>> [past(cell, dt.date(2026, 3, 5)) for cell in ("2026-03-04", "04.03.2026", "3/4/2026", "31. Mai 2020", "open")]
    [True, True, False, True, None]
    """
    if dates := list(_readings(cell)):
        return all(date < today for date in dates)
    year = next((int(y[0]) for y in _YEAR.finditer(cell)), 0)
    if not year and (short := _SHORT_YEAR.search(cell)):
        year = 2000 + int(short[1])
    if year != today.year:
        return year < today.year if year else None
    last = _last_day(cell, year)
    return None if last is None else last < today


def _last_day(cell: str, year: int) -> dt.date | None:
    """Give the date of a cell that names its month, by word or number, or its quarter: the last one it may mean."""
    plain = unicodedata.normalize("NFKD", cell.casefold()).encode("ascii", "ignore").decode()
    words = re.findall("[a-z]+", plain)
    month = next((m for w in words if (m := _MONTH_OF.get(w[:4]) or _MONTH_OF.get(w[:3]))), 0)
    if month and (day := _DAY.search(re.sub(rf"(?:{year}|{year % 100})$", "", cell))):
        return next(_date(f"{year}", f"{month}", day[0]), None)
    if not month and (quarter := _QUARTER.search(cell)):
        month = 3 * int(quarter[1])
    elif not month and (alone := _MONTH_OF_YEAR.fullmatch(cell.strip())):
        month = int(alone[1])
    if not 1 <= month <= dt.date.max.month:
        return None
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def _readings(cell: str) -> Iterator[dt.date]:
    if found := _ISO.match(cell):
        yield from _date(found[1], found[2] or found[4], found[3] or found[5])
    elif found := _OTHER.match(cell):
        year = found[3] if len(found[3]) > 2 else f"20{found[3]}"
        yield from _date(year, found[2], found[1])
        if "." not in cell:
            yield from _date(year, found[1], found[2])


def _date(year: str, month: str, day: str) -> Iterator[dt.date]:
    try:
        yield dt.date(int(year), int(month), int(day))
    except ValueError:
        return
