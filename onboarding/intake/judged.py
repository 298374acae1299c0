"""One table in; what is wrong with its cells, each by itself, and the table by column out.

What is plainly right is passed a column at a time. Only the cells that are left are read one by one, judged by the rules,
and told of where something was taken off them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from onboarding import schemas
from onboarding.findings import Cause
from onboarding.headers import Kind, Table
from onboarding.intake.cells import columns_of, field_of, raw, read
from onboarding.intake.rows import Sheet
from onboarding.intake.wear import worn
from onboarding.model import Finding, Role, RowRef, Severity, normal_email
from onboarding.schemas.columns import BY_ARROW, side_by_side, texts

if TYPE_CHECKING:
    from onboarding.schemas.rules import Failure

_UNREADABLE = {"email-missing", "email-invalid"}


def judged(
    table: Table, roles: Mapping[str, Role], domains: frozenset[str]
) -> tuple[list[Finding], list[Cause], Sheet]:
    """Judge one table; its findings, one by one and by column, and its rows as far as they can be read."""
    with side_by_side() as crew:
        names = [*columns_of(table)]
        plain = crew.map(lambda name: _plain(table, name, roles, domains), names)
        wear = crew.begin(lambda: [*worn(table)])
        odd = {name: np.flatnonzero(~right) for name, right in zip(names, plain, strict=True)}
        cells = {name: read(table, name, at) for name, at in odd.items() if len(at)}
        failures = _failures(table, cells, roles, domains) if cells else []
        causes = [*_causes(table, failures, odd)]
        legible = _legible(cells, failures)
        cleaned = [*_cleaned(table, legible, odd)]
        emails = _emails(table, legible, odd)
        found = [*table.findings, *cleaned, *wear.result()]
    rejected = np.zeros(len(table.frame), bool)
    sheet = Sheet(table, roles, emails, odd.get("email", np.array([], int)), rejected)
    sheet.reject(f.row.row for f in found if f.row and f.severity is Severity.REJECT)
    for cause in causes:
        sheet.reject(cause.rows)
    return found, causes, sheet


def _plain(
    table: Table, name: str, roles: Mapping[str, Role], domains: frozenset[str]
) -> np.ndarray:
    """Say which cells of a column nobody needs to look at. In tables of groups, which are short, each is looked at."""
    columns = table.columns
    if columns.kind is Kind.GROUPS:
        return np.zeros(len(table.frame), bool)
    commas = len(columns.fields.get("groups", ())) < 2
    return schemas.plain(field_of(name), raw(table, name), roles, domains, commas=commas)


def _failures(
    table: Table,
    cells: Mapping[str, pd.Series[str]],
    roles: Mapping[str, Role],
    domains: frozenset[str],
) -> list[Failure]:
    """Let the rules judge what is left: a column by itself, but for groups, whose names another cell may insist on."""
    from onboarding.schemas.rules import judge  # pandera takes its time to come

    kind = table.columns.kind
    frames = [column.to_frame(name) for name, column in cells.items()]
    if kind is Kind.GROUPS:
        frames = [pd.concat(frames, axis="columns")]
    commas = len(table.columns.fields.get("groups", ())) < 2
    return [f for frame in frames for f in judge(frame, kind, roles, domains, commas=commas)]


def _causes(
    table: Table, failures: Sequence[Failure], odd: Mapping[str, np.ndarray]
) -> Iterator[Cause]:
    """Tell failures with the headers and cells of the file; what the reader has said of a cell is not said again."""
    positions = columns_of(table)
    for failure in failures:
        column, code, cells = failure
        position = positions[column]
        header = "" if position is None else table.headers[position]
        told = [f.row.row for f in table.findings if f.row is not None and f.column == header]
        left = cells[~cells.index.isin(told)]
        stands = raw(table, column, odd[column]).loc[left.index].array
        rows = array("q", left.index.tolist())
        words = failure._replace(cells=left).words
        yield Cause(code, table.index, table.source, header, rows, stands.__getitem__, words)


def _legible(
    cells: Mapping[str, pd.Series[str]], failures: Sequence[Failure]
) -> Mapping[str, pd.Series[str]]:
    """Leave out the addresses that can't be read."""
    for failure in failures:
        if failure.code in _UNREADABLE:
            cells = {**cells, "email": cells["email"].drop(failure.cells.index)}
    return cells


def _emails(
    table: Table, cells: Mapping[str, pd.Series[str]], odd: Mapping[str, np.ndarray]
) -> pd.Series[str]:
    """Give each row's correlation key; the cells that were looked at as they were read."""
    emails = raw(table, "email")
    # Pyarrow is through with all of them before we have looked.
    if BY_ARROW or any(text != text.lower() for text in texts(emails)):
        emails = emails.str.lower()
    if "email" in cells:
        read_so = cells["email"]
        keys = pd.Series([*map(normal_email, read_so.tolist())], read_so.index, "str")
        odd_rows = emails.index[odd["email"]]
        emails = emails.copy()
        emails.loc[odd_rows] = keys.reindex(odd_rows, fill_value="")
    return emails


def _cleaned(
    table: Table,
    cells: Mapping[str, pd.Series[str]],
    odd: Mapping[str, np.ndarray],
) -> Iterator[Finding]:
    """Note what was taken off addresses and names, and addresses to look at twice.

    Plain blanks around are too common to mention, as is the case of an address.
    """
    for name, read_so in cells.items():
        field, position = field_of(name), columns_of(table)[name]
        if position is None or name in table.columns.meant:
            continue  # said outside, or an id, not what it stands for
        stands, header = raw(table, name, odd[name]), table.headers[position]
        told: _Told = iter(())
        if field == "email":
            told = _about_addresses(stands.loc[read_so.index], read_so)
        elif field in {"group", "groups", "description"}:
            told = chain(_about_names(stands), _about_nothing(stands, read_so))
        for row, code, value, message in told:
            ref = RowRef(table.index, row, table.source)
            yield Finding(code, message, ref, header, value, Severity.NOTE)


_Told = Iterator[tuple[int, str, str, str]]
"""Row, code, value and message of each note."""


def _about_addresses(raw: pd.Series[str], read: pd.Series[str]) -> _Told:
    plain = schemas.PLAIN.fullmatch
    for row, cell, address in zip(read.index.tolist(), raw.tolist(), read.tolist(), strict=True):
        if cell == address and plain(cell):
            continue
        if lost := schemas.tidied(cell)[1]:
            message = f"held more than an address ({lost}); {address} is used"
            yield row, "email-cleaned", cell.strip(), message
        if unusual := schemas.unusual(address):
            yield row, "email-unusual", address, unusual


def _about_names(raw: pd.Series[str]) -> _Told:
    if any(map(schemas.UNSEEN.search, texts(raw))):
        for row, cell in raw.items():
            if schemas.UNSEEN.search(cell):
                message = "held hard blanks or invisible characters; they don't count"
                yield int(str(row)), "name-cleaned", cell.strip(), message


def _about_nothing(raw: pd.Series[str], read: pd.Series[str]) -> _Told:
    emptied = (read == "") & (raw != "")
    for row, cell in raw[emptied].items():
        if schemas.clean(cell):
            yield (
                int(str(row)),
                "nothing-said",
                cell.strip(),
                "is a word for nothing and is taken as blank",
            )
