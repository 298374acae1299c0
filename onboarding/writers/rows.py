"""Tables and row results in; results.csv, the retry files and actions.csv out, as bytes.

Every cell comes back as it was read. One that a spreadsheet program would take for a formula gets a ``'`` in front,
in CSV only; reading a table with result columns takes it off again.
"""

from __future__ import annotations

import codecs
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, islice
from pathlib import PurePath

from onboarding.model import Finding, GroupName
from onboarding.report import RESULT_COLUMNS, Deed, RowResult, Stretch, by_table, needing_work
from onboarding.sheets import FORMULA_STARTS, Table
from onboarding.words import detail, places
from onboarding.writers.files import same_name
from onboarding.writers.tables import Column, cells_of, columns_of, lines_of
from onboarding.writers.workbook.results import retry_xlsx

NOT_IN_THE_SHEET = frozenset({"over-limit", "declined", "interrupted"})
CHUNK = 10_000  # rows put into bytes at a time
ACTION_COLUMNS = (
    "action",
    "person",
    "group",
    "internal_name",
    "detail",
    "rows",
    "status",
    "code",
    "message",
    "http_status",
    "request_id",
    "attempts",
    "time",
)


def results_csv(tables: Sequence[Table], rows: Iterable[RowResult]) -> Iterator[bytes]:
    """Give every row once: its result, then its cells under the union of all input columns.

    Tables with the same header share a column. A header that stands twice in one table gets two.
    """
    columns = list(dict.fromkeys(chain.from_iterable(map(columns_of, tables))))
    header = (*RESULT_COLUMNS, *(header for header, _ in columns))
    known = {table.index: table for table in tables}
    texts = (_texts(known.get(some.table), some, columns) for some in by_table(rows))
    return _encoded(chain(_written([header]), chain.from_iterable(texts)), "utf-8-sig")


def retry(
    tables: Sequence[Table],
    rows: Iterable[RowResult],
    findings: Collection[Finding],
) -> dict[str, bytes]:
    """Give name -> content of the files to correct and run again: the rows whose result is ``error``.

    A row that is ``manual`` is not among them: it needs a person in Atlan, not one in the sheet; nor is one
    that is as it should be and only was not let through. The tables of one
    workbook stay together, without those in which nothing is wrong.
    """
    wrong: dict[int, list[RowResult]] = defaultdict(list)
    for row in needing_work(rows):
        if row.result == "error" and not NOT_IN_THE_SHEET.issuperset(row.codes):
            wrong[row.row.table].append(row)
    together: dict[str, list[Table]] = defaultdict(list)
    for table in tables:
        if table.index in wrong:
            together[str(table.path or table.source.partition("!")[0])].append(table)

    contents: dict[str, bytes] = {}
    for origin, parts in together.items():
        name = _fresh_name(
            PurePath(origin).name, workbook=parts[0].sheet is not None, taken=contents
        )
        if parts[0].sheet is None:
            contents[name] = _text(parts[0], wrong[parts[0].index])
        else:
            some = [(part, wrong[part.index]) for part in parts]
            contents[name] = retry_xlsx(some, findings)
    return contents


def actions_csv(done: Iterable[Deed], labels: Mapping[GroupName, str]) -> Iterator[bytes]:
    """Give one line per change, in the order of the plan; what was set aside stands below."""
    lines = (_action(deed, labels) for deed in done if deed.change)
    return _encoded(_written(chain([ACTION_COLUMNS], lines)), "utf-8-sig")


def guarded(cell: str) -> str:
    """Make a cell safe to open in a spreadsheet program.

    A cell that already has the ``'`` gets another, so that taking one off gives every cell back.

    >>> guarded("=1+1"), guarded("'=1+1"), guarded("O'Neill")
    ("'=1+1", "''=1+1", "O'Neill")
    """
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA_STARTS) else cell


# ---- tables and their rows --------------------------------------------------------------------------------------


def _texts(table: Table | None, some: Stretch, columns: Sequence[Column]) -> Iterator[str]:
    """Give the lines of rows, many at a time: their results, then their own cells under ``columns``.

    Column by column, since most columns need neither guards nor quotes, and few results differ: so it takes a fourth.
    """
    for lot in some.lots(CHUNK):
        cells = cells_of(table, lot.numbers) if table else {}
        blank = [""] * len(lot.numbers)
        lines = zip(
            lot.each(lambda words: ",".join(_safe(words.texts))),
            _safe(lot.places),
            *(_safe(cells.get(column, blank)) for column in columns),
            strict=True,
        )
        yield "\r\n".join(map(",".join, lines)) + "\r\n"


def _encoded(texts: Iterable[str], encoding: str) -> Iterator[bytes]:
    """Put lines into bytes; what the encoding can't hold is spelled out."""
    return map(codecs.getincrementalencoder(encoding)("backslashreplace").encode, texts)


def _written(lines: Iterable[Sequence[str]], delimiter: str = ",") -> Iterator[str]:
    """Write lines one by one, and give many at a time."""
    texts = (delimiter.join(_safe(cells, delimiter)) + "\r\n" for cells in lines)
    while chunk := "".join(islice(texts, CHUNK)):
        yield chunk


def _safe(cells: Sequence[str], delimiter: str = ",") -> Sequence[str]:
    """Guard and quote cells where they need it; that most don't is seen of all of them at once."""
    text = "\n".join(cells)
    if (
        any(mark in text for mark in (delimiter, '"', "\r"))
        or text.count("\n") >= len(cells)
        or not _RISKY.isdisjoint({cell[:1] for cell in cells})
    ):
        return [_quoted(guarded(cell), delimiter) for cell in cells]
    return cells


def _quoted(cell: str, delimiter: str) -> str:
    """Quote a cell where it needs quotes, as ``csv`` does."""
    needed = any(mark in cell for mark in (delimiter, '"', "\r", "\n"))
    return '"' + cell.replace('"', '""') + '"' if needed else cell


_RISKY = frozenset((*FORMULA_STARTS, "'"))


# ---- retry files ------------------------------------------------------------------------------------------------


def _fresh_name(origin: str, *, workbook: bool, taken: Collection[str]) -> str:
    """Keep a file's name where possible; an .xls or .ods comes back as .xlsx."""
    name = PurePath(same_name(origin))
    if workbook:
        name = name.with_suffix(".xlsx")
    elif not name.suffix:
        name = name.with_suffix(".csv")
    others = (f"{name.stem}-{number}{name.suffix}" for number in count(2))
    return next(fresh for fresh in chain([str(name)], others) if fresh not in taken)


def _sheet(table: Table, rows: Sequence[RowResult]) -> Iterator[tuple[str, ...]]:
    """Give the lines of one table, header first: the result columns, then its own, and what was said outside of it.

    A row with too many cells keeps them, beyond the last header: under one, it would pass for a sound row.
    """
    columns = columns_of(table)[: len(table.headers) + len(table.columns.told)]
    yield (*RESULT_COLUMNS, *(header for header, _ in columns))
    lines = lines_of(table, [row.row.row for row in rows], columns)
    for row, line in zip(rows, lines, strict=True):
        yield (*row.cells, *line, *table.surplus.get(row.row.row, ()))


def _text(table: Table, rows: Sequence[RowResult]) -> bytes:
    """Write a table in its own encoding and delimiter; a reason may lose a letter there, a cell never does."""
    name = codecs.lookup(table.encoding or "utf-8-sig").name
    encoding = "utf-16" if name.startswith("utf-16") else name  # with the mark that tells its order
    cells = "".join(chain(table.headers, *cells_of(table, [row.row.row for row in rows]).values()))
    if not _holds(encoding, cells):
        encoding = "utf-8-sig"
    width = len(RESULT_COLUMNS)
    lines = (
        (*(_in(encoding, cell) for cell in line[:width]), *line[width:])
        for line in _sheet(table, rows)
    )
    return b"".join(_encoded(_written(lines, table.delimiter or ","), encoding))


def _holds(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _in(encoding: str, cell: str) -> str:
    """Put a reason into letters that the encoding has."""
    return cell.encode(encoding, "replace").decode(encoding)


# ---- actions ----------------------------------------------------------------------------------------------------


def _action(deed: Deed, labels: Mapping[GroupName, str]) -> tuple[str, ...]:
    change, outcome = deed.change, deed.outcome
    assert change is not None
    return (
        change.action.value,
        change.email or "",
        labels.get(change.group, change.group) if change.group else "",
        change.group or "",
        detail(change),
        places(deed.rows),
        outcome.status.value,
        outcome.code,
        deed.words,
        str(outcome.http_status or ""),
        outcome.request_id,
        str(outcome.attempts),
        outcome.at,
    )
