"""Rows in; those out whose end date is past although no status says that the person has left.

An HR export without a status column, or with a blank status, would otherwise invite people who left long ago.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from onboarding.intake.against import Book
from onboarding.intake.rows import MemberRow, UserRow
from onboarding.intake.shared import Shared
from onboarding.model import Finding, Severity, Standing

_ISO = re.compile(r"(\d{4})[-/.]?(\d\d?)[-/.]?(\d\d?)(?!\d)")
_OTHER = re.compile(r"(\d\d?)[./-](\d\d?)[./-](\d{4}|\d\d)(?!\d)")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_SHORT_YEAR = re.compile(r"[a-zä.]+[- ](\d\d)$", re.IGNORECASE)


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
    if found := _YEAR.search(cell):
        return int(found[0]) < today.year
    if found := _SHORT_YEAR.search(cell):
        return 2000 + int(found[1]) < today.year
    return None


def _readings(cell: str) -> Iterator[dt.date]:
    if found := _ISO.match(cell):
        yield from _date(found[1], found[2], found[3])
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
