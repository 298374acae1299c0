"""A table that was read in; refused if it may ask for the contrary of what it would be read as.

A list of people to remove that has no action would add them; one of leavers without a status would invite them. So a
name or title that speaks of removing or leaving, and a column that nobody understands but whose cells or header do,
refuse the table until somebody says what is meant. One word too many costs a line in the settings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from onboarding.errors import SheetError
from onboarding.headers import Kind, Table, named, normal
from onboarding.model import Finding, RowRef, Standing
from onboarding.schemas import clean, fold
from onboarding.schemas.words import NO, REMOVE, STANDINGS, YES, words

_AWAY = re.compile(
    r"(?<!un)remov|delet|revok|terminat|offboard|deprovision|deactivat|leavers?\b|\bleaving|ausgeschieden|austritt|abgang"
    r"|entfern|losch|gekundigt|supprim|retir(?!e)|departs\b|eliminar|\bbajas?\b|desligad|cessati|uit dienst"
)
"""What a title or a name says of people who go; without accents and case."""

_FLAG = re.compile(f"{_AWAY.pattern}|inactive|disabled|locked|suspended")
_NOT_PLAIN = YES | NO | words("left | leave | ended | x")
_GOING = (REMOVE | words("removal | x-remove | deletion | revocation | löschen")) - _NOT_PLAIN
_GONE = {word for word, standing in STANDINGS.items() if standing is Standing.LEAVER} - _NOT_PLAIN
_STATES = {"state", "estado", "stato"}
_NO_PERSONS = words(
    "group | groups | gruppe | groupe | grupo | customer | device | service principal"
)


def refuse_contrary(table: Table, titles: Sequence[str]) -> None:
    """Raise ``SheetError`` where people who shall go would be taken for people who come."""
    fields = table.columns.fields
    _refuse_places(table)
    if fields.keys() & {"action", "status", "blocked"}:
        return
    name = f"{table.source} {table.columns.given.get('group', '')}"
    for text in (name.partition("!")[2] or name, table.source.partition("!")[0], *titles):
        if said := _AWAY.search(_plain(text)):
            raise SheetError(
                f'"{clean(text)[:60]}" speaks of people who go ("{said[0]}..."), and the table has neither an action nor a '
                "status: it would be read as people who come. Add a column action (add or remove) or status, or rename it"
            )
    for position in table.columns.unknown:
        if word := _contrary(table, position):
            column = named(table.headers, [position])
            raise SheetError(
                f'the column {column} says "{word}" and is not understood; rename it to action or status, or say in the '
                f'settings what it is, under [columns]: "{table.headers[position]}" = "status", or = "ignore"'
            )


def _contrary(table: Table, position: int) -> str:
    """Give what a column that nobody understands says of people who go; empty if nothing."""
    cells = {fold(cell) for cell in table.frame[position].unique()} - {""}
    if table.columns.kind is Kind.GROUPS:
        cells &= _GOING
        return min(cells, default="")
    if gone := cells & (_GONE | _GOING):
        return min(gone)
    flags = _FLAG.search(_plain(table.headers[position]))
    return min(cells - NO, default="") if flags else ""


def _refuse_places(table: Table) -> None:
    """A state may be a part of the country: it is a person's only if every cell says so in words."""
    for position in table.columns.fields.get("status", ()):
        if normal(table.headers[position]) in _STATES:
            cells = {fold(cell) for cell in table.frame[position].unique()} - {""}
            if strange := cells - (STANDINGS.keys() - YES - NO):
                raise SheetError(
                    f'{named(table.headers, [position])} may be a place or a person\'s status: "{min(strange)}" says neither '
                    f'clearly. Say it in the settings, under [columns]: "{table.headers[position]}" = "status" or "ignore"'
                )


def strangers(table: Table) -> Iterator[Finding]:
    """Reject the rows whose member is no person, where a column says so."""
    for position in table.columns.fields.get("member_type", ()):
        for number, cell in table.frame[position].items():
            if fold(cell) in _NO_PERSONS:
                at = replace(RowRef(table.index, 0, table.source), row=int(str(number)))
                yield Finding(
                    "member-not-a-person", "is no person", at, table.headers[position], clean(cell)
                )


def _plain(text: str) -> str:
    """Bring a text into the form that is searched: no accents, no case, single blanks between words."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\W_]+", " ", "".join(c for c in bare if not unicodedata.combining(c)))
