"""Users rows in; those out whose end date is past although no status says that the person has left.

An HR export without a status column, or with a blank status, would otherwise invite people who left long ago.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator

from onboarding.intake.against import Book
from onboarding.intake.rows import Row, UserRow
from onboarding.model import Finding, Severity, Standing

_ISO = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)")
_OTHER = re.compile(r"(\d\d?)[./-](\d\d?)[./-](\d{4})")


def ended(rows: Iterable[Row], book: Book, today: dt.date) -> Iterator[Finding]:
    """Reject who has left by the end date alone; only note it where a status says otherwise."""
    for row in rows:
        if isinstance(row, UserRow) and row.end and past(row.end, today):
            header = book.header(row.ref, "end_date")
            if row.standing is None:
                message = "is past, and no status says whether the person is still with you"
                yield Finding("end-date-past", message, row.ref, header, row.end)
            elif row.standing in {Standing.ACTIVE, Standing.ON_LEAVE}:
                message = f"is past, and the status says {row.standing}; the status counts"
                yield Finding("end-date-noted", message, row.ref, header, row.end, Severity.NOTE)


def past(cell: str, today: dt.date) -> bool:
    """Whether a date is before today, whichever way round its day and month are written.

    >>> [past(cell, dt.date(2026, 3, 5)) for cell in ("2026-03-04", "04.03.2026", "3/4/2026", "open")]
    [True, True, False, False]
    """
    dates = list(_readings(cell))
    return bool(dates) and all(date < today for date in dates)


def _readings(cell: str) -> Iterator[dt.date]:
    if found := _ISO.match(cell):
        yield from _date(found[1], found[2], found[3])
    elif found := _OTHER.match(cell):
        yield from _date(found[3], found[2], found[1])
        if "." not in cell:
            yield from _date(found[3], found[1], found[2])


def _date(year: str, month: str, day: str) -> Iterator[dt.date]:
    try:
        yield dt.date(int(year), int(month), int(day))
    except ValueError:
        return
