"""A table that was read in; refused if it may ask for the contrary of what it would be read as.

A list of people to remove that has no action would add them; one of leavers without a status would invite them; requests
that were denied would be granted; members would become groups. So a name or title that speaks of removing or leaving,
and a column that nobody understands but whose cells or header do, refuse the table until somebody says what is meant.
One word too many costs a line in the settings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain

import pandas as pd

from onboarding.errors import SheetError
from onboarding.headers import CARRIED, STATES, Kind, Table, named, normal
from onboarding.headers.spelling import field_of, spelled
from onboarding.model import Finding, RowRef, Standing
from onboarding.schemas import clean, fold
from onboarding.schemas.words import NO, REMOVE, STANDINGS, YES, words

_AWAY = re.compile(
    r"(?<!un)remov|delet|revok|terminat|offboard|deprovision|deactivat|leavers?\b|\bleaving|ausgeschieden|austritt|abgang"
    r"|entfern|losch|gekundigt|supprim|retir(?!e)|departs\b|eliminar|\bbajas?\b|desligad|cessati|uit dienst|dimission|demission|cessazion|uscit[ei]\b|licenzi|despid|\bceses?\b|saidas?\b|\bsorties?\b"
    r"|salidas?\b|kundigung|resign|\bexit|dismiss|redundan"
)
"""What a title or a name says of people who go; without accents and case."""

_COMBINING = re.compile("[\u0300-\u036f]+")
_FLAG = re.compile(f"{_AWAY.pattern}|inactive|disabled|locked|suspended")
_NOT_PLAIN = YES | NO | words("left | leave | ended | x")
_GOING = (REMOVE | words("removal | x-remove | deletion | revocation | löschen")) - _NOT_PLAIN
_GONE = {word for word, standing in STANDINGS.items() if standing is Standing.LEAVER} - _NOT_PLAIN
_DENIED = words(
    "deny | denied | reject | rejected | decline | declined | disapproved | not approved | no access | withdrawn"
    "| abgelehnt | refuse | rechazado | rifiutato | recusado | afgewezen"
)
_ALLOWING = re.compile(
    "approv|invit|access|keep|decision|certif|grant|request|entitle|permit|permission|allow|genehm|freig|employed|scope|licen|needed|headcount|jml|zugang|zugriff|einlad"
    "|autori|aprob|aprov|acces|acceso|acesso"
)
_NOT_IN = (NO - {"0"}) | words("out | aus | hors | fuera | fuori")
_SHORT = 40
"""Letters of a cell in which any word of removal counts; a longer text may be about anything."""
_REFUSING = (NO - {"0"}) | words(
    "l | gone | none | never | keine | aucun | ninguno | nessuno | nenhum"
)
_ASKING = re.compile(
    r"(?:do not|don.t|not to be|never|nicht|ne pas|no) (?:be )?(?:invite|add\b|grant|einladen|hinzuf|inviter|ajouter|invitar)"
    r"|left the (?:company|firm|organi)|has left|no longer (?:with|works|employed|here|need)|hat .{1,30}verlassen"
    r"|nicht mehr (?:bei|im|in)|n.est plus|ya no |non lavora|no access"
)
"""What remarks say of people who shall not come."""
_CHANGE = re.compile(
    r"(?:new|to|target|requested|neue[rs]?|nouve(?:au|lle)|nuev[oa]|nov[oa]|nuov[oa])(?:primary|work)?"
    r"(?:e?mail|login|group|team|role|gruppe|rolle|groupe|equipe|grupo|rol|gruppo|ruolo)"
)
"""Headers that say what something shall become."""
_DELETED = re.compile(r"(?:soft)?delet(?:ed|ion)(?:date(?:time)?|time(?:stamp)?|at|on|timestamp)")
"""Headers over the moment at which an account was deleted."""
_MEMBERS = words(
    "user | users | member | members | person | people | employees | participant | participants | contact | contacts"
    "| address | addresses | nutzer | benutzer | mitglied | mitglieder | mitarbeiter | teilnehmer | utilisateur"
    "| utilisateurs | membre | membres | usuario | usuarios | miembro | miembros | utente | utenti | membro | lid | leden"
)
_OWNERS = re.compile(
    "owner|contact e ?mail|creat|updated|modified|besitzer|eigentumer|proprietaire|propietario|proprietario"
)
_EMPLOYED = ("employee", "worker", "mitarbeiter", "staff")
_OF_PERSONS = {"manager", "title", "external_id", "start_date", "end_date", "secondary_email"}
_OF_BOTH = (
    {"status", "state"}
    | {
        f"{be}{word}"
        for be in ("", "is")
        for word in ("active", "enabled", "inactive", "disabled", "deleted")
    }
    | {"aktiv", "actif", "activo", "ativo", "attivo", "actief"}
)
"""Headers that may be about a person, or about being in the one group beside."""
_OF_EITHER = (
    NO
    | YES
    | words("inactive | disabled | removed | deleted | ended | left | former | revoked | expired")
) - words("active")
_NO_PERSONS = words(
    "group | groups | gruppe | groupe | grupo | customer | device | service principal"
)


def refuse_contrary(table: Table, titles: Sequence[str]) -> None:
    """Raise ``SheetError`` where the rows may mean something else than what the table would be read as."""
    _refuse_places(table)
    _refuse_members(table)
    _refuse_either(table)
    _refuse_changes(table)
    _refuse_deleted(table)
    silent = _silent(table)
    if silent.any():
        _refuse_titles(table, titles)
        _refuse_headings(table)
    going = bool(silent.all())
    headless = [i for i, header in enumerate(table.headers) if not header]
    for position in (*table.columns.unknown, *headless):
        cells = _words(table, position)
        if word := (going and _contrary(table, position, cells)) or _denied(table, position, cells):
            raise SheetError(
                f'the column {_column(table, position)} says "{word}" and is not understood; rename it to action or status, '
                f"delete it with the rows that are not meant, or {_ignore(table, position)}"
            )


def _silent(table: Table) -> pd.Series[bool]:
    """Say of each row whether no cell in it says if the person comes or goes."""
    silent = pd.Series(True, index=table.frame.index)
    for name in ("action", "status", "blocked"):
        for position in table.columns.fields.get(name, ()):
            silent &= table.frame[position].isin(
                [c for c in table.frame[position].unique() if not clean(c)]
            )
    return silent


def _refuse_titles(table: Table, titles: Sequence[str]) -> None:
    name = f"{table.source} {table.columns.given.get('group', '')}"
    for text in (name.partition("!")[2] or name, table.source.partition("!")[0], *titles):
        if said := _of_going(text):
            raise SheetError(
                f'"{clean(text)[:60]}" speaks of people who go ("{said}..."), and rows have neither an action nor a '
                "status: they would be read as people who come. Fill in a column action (add or remove) or status, or rename it"
            )


def _refuse_headings(table: Table) -> None:
    """Refuse a heading between the rows that speaks of people who go: nobody can tell how far it reaches."""
    if "email" not in table.columns.fields:
        return
    key = table.columns.fields["email"][0]
    others = table.frame[~table.frame[key].str.contains("@", regex=False)]
    if not _of_going("\n".join(chain.from_iterable(others[i] for i in {0, key}))):
        return
    for number, *row in others[(others != "").sum(axis="columns") <= 2].itertuples():
        text = clean(next(filter(None, row), ""))
        if len(text) <= _SHORT and _of_going(text):
            raise SheetError(
                f'row {number} says "{text}" and names nobody, and rows have neither an action nor a status: those below '
                "it would be read as people who come. Fill in a column action (add or remove) or status, or part the table"
            )


def _of_going(text: str) -> str:
    """Give what a text says of people who go, or shall not come; empty if nothing."""
    said = _AWAY.search(_plain(text)) or _ASKING.search(_plain(text))
    return said[0] if said else ""


def _contrary(table: Table, position: int, cells: set[str]) -> str:
    """Give what a column that nobody understands says of people who go; empty if nothing."""
    if table.columns.kind is Kind.GROUPS:
        cells &= _GOING
        return min(cells, default="")
    if gone := cells & (_GONE | _GOING):
        return min(gone)
    short = _plain("\n".join(cell for cell in sorted(cells) if len(cell) <= _SHORT))
    if said := None if table.columns.template else _AWAY.search(short):
        return said[0]
    beside_groups = table.columns.kind is Kind.MEMBERSHIPS and not table.columns.template
    if beside_groups and (no := cells & _NOT_IN):
        return min(no)
    if "-" in cells <= {"-", "+"}:
        return "-"
    if asked := _ASKING.search("\n".join(sorted(cells))):
        return asked[0]
    flags = _FLAG.search(_plain(table.headers[position]))
    return min(cells - NO, default="") if flags else ""


def _denied(table: Table, position: int, cells: set[str]) -> str:
    """Give what a column that nobody understands says of requests that were not granted; empty if nothing."""
    if denied := cells & _DENIED:
        return min(denied)
    if not _ALLOWING.search(_plain(table.headers[position])):
        return ""
    return min(cells & _REFUSING, default="") or ("0" if "0" in cells <= {"0", "1"} else "")


def _refuse_changes(table: Table) -> None:
    """Refuse a column that says what an address, a group or a role shall become: the other one would be taken."""
    for position in table.columns.unknown:
        if _CHANGE.fullmatch(normal(table.headers[position])) and _words(table, position):
            raise SheetError(
                f"the column {_column(table, position)} seems to say what another one shall become, and would not be read; "
                f"write what shall be into that one and delete this, or {_ignore(table, position)}"
            )


def _refuse_deleted(table: Table) -> None:
    """Refuse a column that says since when accounts are deleted, whatever else is said of them."""
    for position, header in enumerate(table.headers):
        if _DELETED.fullmatch(normal(header)) and _words(table, position):
            raise SheetError(
                f"the column {_column(table, position)} says of accounts that they were deleted, and they would be read as "
                "people who come; delete these rows, or write terminated under a column status"
            )


def _refuse_either(table: Table) -> None:
    """Refuse a no beside one group, where it may be said of the person or of being in that group."""
    columns = table.columns
    fields = columns.fields
    one_group = [field_of(table.headers[i]) for i in fields.get("groups", ())] == ["group"]
    said = columns.kind_why == "--kind" or columns.template
    if said or not one_group or fields.keys() - CARRIED - {"email", "groups", "status", "blocked"}:
        return
    for position in (*fields.get("status", ()), *fields.get("blocked", ())):
        words = _words(table, position) & _OF_EITHER
        no = words - (NO if position in fields.get("blocked", ()) else YES)
        if no and normal(table.headers[position]) in _OF_BOTH:
            raise SheetError(
                f'"{min(no)}" in the column {_column(table, position)} may be said of the person or of being in the group; '
                "if of the person, say --kind users; if of the group, write add and remove under a column action instead"
            )


def _refuse_members(table: Table) -> None:
    """Refuse groups to be created from a table that rather says who is in them."""
    columns = table.columns
    if columns.kind is not Kind.GROUPS or columns.template or columns.kind_why == "--kind":
        return
    of_people = {*CARRIED, "secondary_email"} - {"group_id"}
    carried = {i for name in of_people for i in columns.fields.get(name, ())}
    for position in sorted({*columns.unknown, *carried}):
        if why := _of_members(table, position):
            raise SheetError(
                f"the column {_column(table, position)} {why}, and the table would only create groups; if each row puts "
                f"somebody into a group, name the column of addresses email; if not, {_ignore(table, position)}"
            )


def _of_members(table: Table, position: int) -> str:
    """Say what makes a column beside groups one of people; empty if nothing."""
    header = table.headers[position]
    if _OWNERS.search(_plain(header)):
        return ""
    cells = table.frame[position]
    if cells.str.contains("@", regex=False).any():
        return "holds e-mail addresses"
    filled = cells[cells != ""]
    counts = filled.str.fullmatch(r"[\d\s.,]*").all()
    field = field_of(header)
    person = (
        field in _OF_PERSONS or fold(header) in _MEMBERS or normal(header).startswith(_EMPLOYED)
    )
    return "is about people" if person and not counts else ""


def strangers(table: Table) -> Iterator[Finding]:
    """Reject the rows whose member is no person, where a column says so."""
    for position in table.columns.fields.get("member_type", ()):
        for where in _filled(table, position):
            if fold(where[-1]) in _NO_PERSONS:
                yield Finding("member-not-a-person", "is no person", *where)


def renamed(table: Table) -> Iterator[Finding]:
    """Reject the rows whose account shall get another address, which nobody here can give it."""
    for position in table.columns.fields.get("secondary_email", ()):
        if any(map(_CHANGE.fullmatch, spelled(table.headers[position]))):
            yield from (
                Finding("email-changed", "is what the address of the account shall become", *where)
                for where in _filled(table, position)
            )


def _filled(table: Table, position: int) -> Iterator[tuple[RowRef, str, str]]:
    """Give the cells of a column that are not blank, each as a finding names it."""
    for number, cell in table.frame[position].items():
        if text := clean(cell):
            yield RowRef(table.index, int(str(number)), table.source), table.headers[position], text


def _words(table: Table, position: int) -> set[str]:
    """Give what the cells of a column say, each once."""
    return {fold(cell) for cell in table.frame[position].unique()} - {""}


def _column(table: Table, position: int) -> str:
    return named(table.headers, [position])


def _ignore(table: Table, position: int) -> str:
    return f'say in the settings that it is of no account, under [columns]: "{table.headers[position]}" = "ignore"'


def _refuse_places(table: Table) -> None:
    """A state may be a part of the country: it is a person's only if every cell says so in words."""
    for position in table.columns.fields.get("status", ()):
        strange = _words(table, position) - (STANDINGS.keys() - YES - NO)
        if strange and normal(table.headers[position]) in STATES:
            raise SheetError(
                f'{_column(table, position)} may be a place or a person\'s status: "{min(strange)}" says neither '
                f'clearly. Say it in the settings, under [columns]: "{table.headers[position]}" = "status" or "ignore"'
            )


def _plain(text: str) -> str:
    """Bring a text into the form that is searched: no accents, no case, single blanks between words."""
    bare = text.casefold()
    if not bare.isascii():
        bare = _COMBINING.sub("", unicodedata.normalize("NFKD", bare))
    return re.sub(r"[\W_]+", " ", bare)
