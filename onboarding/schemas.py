"""What a valid cell is: clean text cells of one table in, a ``Failure`` for each cell that is none out.

The rules are pandera schemas, one per kind of table; the name of each check is the code of the finding. Everything is
text and stays text: nothing is coerced, so that a failure still shows what the cell says. Checks work on whole
columns: a cheap pattern passes what is plainly right, and only the rest is looked at one by one.

How cells are read: blanks and invisible characters around a cell don't count; words (roles, states, yes and no) are
compared without case. A groups cell is split at ``;``, ``|`` and line breaks, or at commas if it has none of those; a
name in double quotes is one name whatever is in it. So a comma in a name is safe in quotes, or before a ``;``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import pandas as pd
import pandera.pandas as pa
from email_validator import EmailNotValidError, validate_email
from pandera.errors import SchemaErrors

from onboarding.errors import UsageError
from onboarding.model import Role, Standing

LONGEST = 255
"""Characters that a tenant keeps of a name or a description (Keycloak's columns)."""
CLEAR = "(clear)"
"""What a description cell says to be emptied; a blank one leaves the description as it is."""

_ZERO_WIDTH = "\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff"
_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
BLANKS = "".join(chr(c) for c in range(0x3001) if chr(c).isspace()) + _ZERO_WIDTH + _MARKS
"""Whatever a cell may have around its text without anybody seeing it."""

_PLAIN = re.compile(
    r"(?=.{1,254}\Z)(?=[^@]{1,64}@)[a-z0-9_+'&-]+(?:\.[a-z0-9_+'&-]+)*"
    r"@(?!xn--)(?:[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){0,61}\.(?!xn--))+(?!(?:arpa|invalid|local|onion|test)\Z)[a-z]{2,24}",
    re.IGNORECASE,
)
"""An address that needs no second look: plain ASCII, no special-use domain."""


_NO_ZERO_WIDTH = dict.fromkeys(map(ord, _ZERO_WIDTH))


def clean(text: str) -> str:
    """Take off what nobody sees: blanks around, invisible characters anywhere; the rest in one Unicode spelling."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text.strip(BLANKS)).translate(_NO_ZERO_WIDTH)


def fold(text: str) -> str:
    """Bring a word into the form in which words are compared: no case, ``_`` and ``-`` as blanks.

    A lone ``-`` stays: somebody wrote it, so the cell is not blank.

    >>> fold("On_Leave")
    'on leave'
    """
    text = clean(text)
    return " ".join(text.casefold().replace("_", " ").replace("-", " ").split()) or text


def words(text: str) -> frozenset[str]:
    """Give the words of a list that is written with bars."""
    return frozenset(fold(word) for word in text.split("|"))


ROLES: Mapping[str, Role] = {
    spelling: role for role in Role for spelling in (role.value, role.value.removeprefix("$"))
}
YES = words(
    "yes | y | true | t | 1 | x | on | ja | j | wahr | oui | vrai | si | sí | verdadero | sim | vero"
)
NO = words("no | n | false | f | 0 | off | nein | falsch | non | faux | falso | não")
ADD = words(
    "add | added | grant | join | invite | hinzufügen | ajouter | añadir | accepted | available | active"
)
REMOVE = words(
    "remove | removed | revoke | delete | deleted | leave | entfernen | retirer | supprimer | eliminar"
)
_WORDS_OF: Mapping[Standing, frozenset[str]] = {
    Standing.ACTIVE: YES
    | words(
        "active | activated | enabled | current | employed | available | aktiv | actif | activo | attivo"
    ),
    Standing.LEAVER: NO
    | words(
        "inactive | terminated | deactivated | disabled | suspended | deceased | leaver | left | resigned"
        "| retired | offboarded | deprovisioned | archived | former | ended | deleted | tobedeleted | blocked | dismissed"
        "| ausgeschieden | inaktiv | ausgetreten | inactif | parti | inactivo | baja"
    ),
    Standing.ON_LEAVE: words(
        "on leave | onleave | leave | leave of absence | parental leave | maternity leave | sabbatical"
        "| beurlaubt | elternzeit | en congé | de permiso"
    ),
    Standing.NOT_STARTED: words(
        "not started | hired | accepted | offer accepted | pre-hire | prehire | prestart | future hire"
        "| starting soon | onboarding | preboarding | noch nicht gestartet"
    ),
}
STANDINGS = {word: standing for standing, listed in _WORDS_OF.items() for word in listed}
"""Word of a status cell -> what it says. An inverted column (``Block sign in``) is turned round before."""


class Failure(NamedTuple):
    """A cell that is not valid, in the words of its column."""

    row: int
    column: str
    code: str
    value: str
    message: str
    """What is wrong, to be read behind the value."""


def judge(
    cells: pd.DataFrame, kind: str, roles: Mapping[str, Role], domains: frozenset[str]
) -> list[Failure]:
    """Judge every cell by the schema of its kind; the first failure of each cell, ordered by row.

    ``cells`` has a column for each field, ``group1``, ``group2``, … for several groups cells, and the table's row
    numbers as index; words are folded. The exception that pandera raises holds everybody's data and goes no further.
    """
    schema = _schema(kind, roles, domains)
    try:
        schema.validate(cells, lazy=True)
    except SchemaErrors as errors:
        found = list(_failures(errors))
    else:
        return []
    first: dict[tuple[int, str], Failure] = {}
    for failure in found:
        first.setdefault((failure.row, failure.column), failure)
    place = {name: i for i, name in enumerate(cells.columns)}
    return sorted(first.values(), key=lambda f: (f.row, place[f.column]))


def role_words(aliases: Mapping[str, str]) -> dict[str, Role]:
    """Give every word for a role: our own, and the aliases of the settings."""
    known = dict(ROLES)
    for alias, name in aliases.items():
        if fold(name) not in ROLES:
            raise UsageError(
                f'role_aliases maps "{alias}" to "{name}", which is none of Guest, Member and Admin'
            )
        known[fold(alias)] = ROLES[fold(name)]
    return known


@lru_cache(maxsize=1 << 16)
def names(cell: str, *, commas: bool = True) -> tuple[str, ...]:
    """Split a groups cell into names, each once, blanks collapsed.

    >>> names("Finance; R&D, Ops")
    ('Finance', 'R&D, Ops')
    >>> names('Finance, "R&D, Ops"')
    ('Finance', 'R&D, Ops')
    """
    if '"' in cell:
        bare = re.sub('"[^"]*"', "", cell)
        parts = re.findall(f'(?:"[^"]*"|[^{_separators(bare, commas=commas)}])+', cell)
        parts = [re.sub(r'\A\s*"([^"]*)"\s*\Z', r"\1", part) for part in parts]
    else:
        parts = re.split(f"[{_separators(cell, commas=commas)}]", cell)
    return tuple(dict.fromkeys(name for name in map(label, parts) if name))


def _separators(text: str, *, commas: bool) -> str:
    """Give the characters that separate; a line break always does."""
    return ";|\n\r" if ";" in text or "|" in text or "\n" in text or not commas else ",\n\r"


def label(cell: str) -> str:
    """Give a group's name as people see it: no blanks around, single blanks inside."""
    return " ".join(clean(cell).split())


@lru_cache(maxsize=1 << 16)
def fault(address: str) -> str:
    """Say why this is no address that mail could be sent to; empty if it is one."""
    if _PLAIN.fullmatch(address):
        return ""
    local, at, domain = address.rpartition("@")
    if at and local and "@" not in local and "." not in domain:
        return "it has no dot after the @" if domain else "nothing follows the @"
    if stranger := _stranger(address):
        name = unicodedata.name(stranger, "a character without a name").lower()
        return (
            f'it holds "{stranger}" ({name}), which is of another alphabet; type the address anew'
        )
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        reason = str(error).rstrip(".")
        return reason[:1].lower() + reason[1:]
    return "" if len(local) <= 64 else "it has more than 64 characters before the @"


def _stranger(address: str) -> str:
    """Find a letter that is of another alphabet than the address's Latin ones.

    An address of one alphabet throughout passes; ``xn--`` spells a domain of another alphabet in Latin letters.
    """
    spelled = address
    if "xn--" in address.lower():
        local, _, domain = address.rpartition("@")
        try:
            spelled = f"{local}@{domain.encode().decode('idna')}"
        except UnicodeError:
            return ""  # email-validator has better words for it
    if not any(c.isascii() and c.isalpha() for c in spelled):
        return ""
    return next((c for c in spelled if not (c.isascii() or c.isspace() or _latin(c))), "")


def _latin(letter: str) -> bool:
    """Whether it is a Latin letter of European names; phonetic letters and mathematical ones only look like one."""
    return ord(letter) < 0x250 and unicodedata.name(letter, "").startswith("LATIN ")


# ---- the schemas: a column, its rules in the order in which they are told --------------------------------------------


def _schema(kind: str, roles: Mapping[str, Role], domains: frozenset[str]) -> pa.DataFrameSchema:
    address = [_present("email-missing"), _addresses(), *([_at(domains)] if domains else [])]
    group = [_present("group-missing"), _no_name_too_long(lambda cell: (label(cell),))]
    columns: Mapping[str, list[pa.Check]]
    match kind:
        case "users":
            columns = {
                "email": address,
                "role": [_one_of("role-unknown", roles)],
                r"status\d*": [_one_of("status-unknown", STANDINGS)],
                r"blocked\d*": [_one_of("status-unknown", YES | NO)],
                r"groups\d*": [_no_name_too_long(names)],
            }
        case "groups":
            columns = {
                "group": group,
                "internal_name": [_internal_names()],
                "description": [_short("description-too-long")],
                "default": [_one_of("default-unknown", YES | NO)],
            }
        case _:
            columns = {
                "email": address,
                "group": group,
                "action": [_one_of("action-unknown", ADD | REMOVE)],
            }
    return pa.DataFrameSchema(
        {
            name: pa.Column(str, checks, required=False, regex="\\" in name)
            for name, checks in columns.items()
        },
        name=kind,
    )


def _present(code: str) -> pa.Check:
    return pa.Check(lambda cells: cells != "", name=code)


def _one_of(code: str, known: Mapping[str, object] | frozenset[str]) -> pa.Check:
    return pa.Check(lambda cells: cells.isin(["", *known]), name=code)


def _short(code: str) -> pa.Check:
    return pa.Check(lambda cells: cells.str.len() <= LONGEST, name=code)


def _addresses() -> pa.Check:
    def rule(cells: pd.Series[str]) -> pd.Series[bool]:
        plain = cells.str.fullmatch(_PLAIN)
        suspects = cells[~plain].unique()
        return plain | cells.isin([a for a in suspects if not a or not fault(a)])

    return pa.Check(rule, name="email-invalid")


def _at(domains: frozenset[str]) -> pa.Check:
    """Let only these domains pass, compared letter by letter."""

    def rule(cells: pd.Series[str]) -> pd.Series[bool]:
        return cells.str.rpartition("@")[2].str.lower().isin(["", *domains])

    return pa.Check(rule, name="domain-not-allowed")


def _no_name_too_long(split: Callable[[str], tuple[str, ...]]) -> pa.Check:
    def rule(cells: pd.Series[str]) -> pd.Series[bool]:
        long = cells[cells.str.len() > LONGEST].unique()
        return ~cells.isin([c for c in long if any(len(name) > LONGEST for name in split(c))])

    return pa.Check(rule, name="group-name-invalid")


def _internal_names() -> pa.Check:
    pattern = rf"(?:[a-z0-9_]{{1,{LONGEST}}})?"
    return pa.Check(lambda cells: cells.str.fullmatch(pattern), name="internal-name-invalid")


# ---- what a failure is called ----------------------------------------------------------------------------------------

_MESSAGES: Mapping[str, Callable[[str], str]] = {
    "email-missing": lambda _: "is blank",
    "email-invalid": lambda cell: f"is not an e-mail address: {fault(cell)}",
    "domain-not-allowed": lambda cell: (
        f"is at {cell.rpartition('@')[2]}, which is no allowed domain"
    ),
    "role-unknown": lambda _: "is no role; the roles are Guest, Member and Admin",
    "status-unknown": lambda _: "is no known status",
    "action-unknown": lambda _: "is neither add nor remove",
    "default-unknown": lambda _: "is neither yes nor no",
    "group-missing": lambda _: "is blank",
    "group-name-invalid": lambda _: f"names a group with more than {LONGEST} characters",
    "internal-name-invalid": lambda _: (
        "is no internal name: only a to z, 0 to 9 and _ may be in it"
    ),
    "description-too-long": lambda cell: f"has {len(cell)} characters; a tenant keeps {LONGEST}",
}


def _failures(errors: SchemaErrors) -> Iterator[Failure]:
    for error in errors.schema_errors:
        code, column = str(error.check.name), str(error.schema.name)
        cases = error.failure_cases
        for row, value in zip(cases["index"], cases["failure_case"], strict=True):
            yield Failure(int(row), column, code, str(value), _MESSAGES[code](str(value)))
