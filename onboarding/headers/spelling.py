"""A header in, the field that it means by its spelling out: nothing here looks at the rest of the table."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from onboarding.headers.known import ALIASES, DECIDING, INNOCENT

_DECORATION = re.compile(
    r"\(\s*(?:required|optional|mandatory|pflichtfeld|pflicht|obligatoire|obligatorio|obbligatorio|obrigatorio"
    r"|verplicht|yes\s*/\s*no|y/n|ja\s*/\s*nein|oui\s*/\s*non|true(?: or |/)false|example:[^)]*|e\.g\.[^)]*"
    r"|[^)]*separated)\s*\)|\*|\brequired\s*:?\s*$|:\s*$",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\[([^\]]*)\]")
_MAIL = re.compile("mail|correo|correio|courriel|posta")
_SECOND = re.compile(
    "perso|pessoal|privat|prive|home|recover|recuper|second|secund|segund|zweit|alternat|other|autre|otro|outro|altr"
)
_LATER = re.compile(r"^(?:e?mail(?:address|adresse)?|correo|courriel)[2-9]$")
_LAST = (
    "end|exit|expir(?:y|ation|es)|leaving|separation|termination|terminated|resignation|offboarding|departure|austritts?"
    "|ablauf|kundigungs?|vertragsende|sortie|depart|fin|baja|salida|cese|cessazione|uscita|fine|desligamento|saida|demissao"
)
_END_DATE = re.compile(
    rf"(?:contract|employment|access|account|service|work|job|vertrags|zugriffs)?(?:{_LAST})(?:date|datum|day|on|at)"
    rf"|(?:date|data|fecha)(?:de|di|da|du|of)?(?:{_LAST})|(?:access|account|login)expires"
)
_SEVERAL = re.compile(r"^(?:group|team|cohort|gruppe|groupe|grupo|gruppo)\d+$")
_PASSWORD = re.compile(
    "passw[od]|kennwort|contrasena|motdepasse|wachtwoord|senha|passphrase|passcode|pwd|apikey|accesstoken|clientsecret"
)


def normal(header: str) -> str:
    """Give the spelling under which headers are compared: letters, digits and # only, no accents, no case.

    >>> normal(" E-Mail Address (required) ")
    'emailaddress'
    """
    plain = unicodedata.normalize("NFKD", _DECORATION.sub(" ", header)).casefold()
    return "".join(c for c in plain if c.isalnum() or c in "#:")


FIELD_OF = {normal(a): name for name, text in ALIASES.items() for a in text.split("|")}
"""Normalised spelling -> field."""

_DECIDING = {
    spelling: name for spelling, name in FIELD_OF.items() if name in DECIDING and len(spelling) > 3
}


def known(headers: Sequence[str], columns: Collection[str] = ()) -> int:
    """Count the headers that mean a field; what a delimiter and a header row are judged by.

    ``columns`` are those that the settings map.
    """
    said = {normal(header) for header in columns}
    return sum(1 for h in headers if h and (field_of(h) or normal(h) in said))


def names_people(cells: Sequence[str]) -> bool:
    """Whether these are the headers of a table of people."""
    fields = {field_of(cell) for cell in cells if cell} - {""}
    return "email" in fields and len(fields) > 1


def is_password(header: str) -> bool:
    """Whether secrets stand in this column; ``Change password at next login`` is a question, not one."""
    spelling = normal(header)
    return bool(_PASSWORD.search(spelling)) and not spelling.startswith("change")


def field_of(header: str) -> str:
    """Give the field that a header means; empty where it means none.

    What stands in brackets counts beside the words before it, never by itself: an ``Approver [email]`` is nobody to
    invite.
    """
    *_, outside = spellings = _outside(header)
    for spelling in spellings:
        if spelling in FIELD_OF:
            return FIELD_OF[spelling]
    if _SEVERAL.match(outside):
        return "groups"
    if _END_DATE.fullmatch(outside):
        return "end_date"
    if (_MAIL.search(outside) and _SECOND.search(outside)) or _LATER.match(outside):
        return "secondary_email"
    return ""


def spelled(header: str) -> tuple[str, ...]:
    """Give the header's normalised spellings, the most telling first.

    Microsoft writes ``User name [userPrincipalName]``, Google ``Email Address [Required]``. The words outside come before
    those inside; in a template, those inside are the same in every language.
    """
    return (*_outside(header), *(normal(text) for text in _BRACKETED.findall(header)))


def _outside(header: str) -> tuple[str, ...]:
    """Give the words outside of brackets, before that those with what each bracket adds."""
    outside = normal(_BRACKETED.sub(" ", header))
    return (*(outside + normal(text) for text in _BRACKETED.findall(header)), outside)


def slip_of(header: str) -> str:
    """Give the spelling of a deciding field that a header misses by one slip of the finger; empty if there is none."""
    typed = normal(header)
    if typed in INNOCENT or field_of(header):
        return ""
    return next((meant for meant in _DECIDING if one_slip(typed, meant)), "")


def one_slip(typed: str, meant: str) -> bool:
    """Whether one letter is missing, too many, wrong, or two are swapped; in a short word a wrong one makes another word."""
    if abs(len(typed) - len(meant)) > 1 or len(typed) < 3:
        return False
    if len(typed) != len(meant):
        short, long = sorted((typed, meant), key=len)
        return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
    wrong = [i for i, (a, b) in enumerate(zip(typed, meant, strict=True)) if a != b]
    if len(wrong) == 1:
        return len(meant) > 5
    swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1
    return swapped and typed[wrong[0]] + typed[wrong[1]] == meant[wrong[1]] + meant[wrong[0]]
