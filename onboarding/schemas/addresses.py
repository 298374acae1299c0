"""An e-mail cell in; the address without what stands around it out, and why it is none, if it is none.

Around the address, what can't belong to it is taken off: blanks, quotes, brackets, a name before ``<...>``, ``mailto:``,
dots and commas behind it. Inside it, nothing is ever changed but what nobody can see: an invitation to a guessed
address would go to somebody else. What was probably meant is suggested.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache, partial

from onboarding.schemas.damage import degarbled, named, twinless
from onboarding.schemas.text import clean

PLAIN = re.compile(
    r"(?=.{1,254}\Z)(?=[^@]{1,64}@)[a-z0-9_][a-z0-9_'&-]*(?:\.[a-z0-9_'&-]+)*"
    r"@(?!xn--)(?:[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){0,61}\.(?!xn--))+(?!(?:arpa|invalid|local|localhost|onion|test)\Z)[a-z]{2,24}",
    re.IGNORECASE | re.ASCII,  # without case, a dotted İ is an i otherwise: somebody else
)
"""An address that needs no second look: plain ASCII, no special-use domain, nothing of which one would ask twice."""

_ALONE = re.compile(r"\w[\w@.+'-]*\w")
"""A cell around whose address nothing stands, whatever it is worth."""
HOPELESS = re.compile(r"[^@]*|.*@[^@.]*", re.DOTALL)
"""What is no address for sure: no @, or no dot behind it. ``fault`` has the words."""
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>[^\w@]*")
_ADDRESS = re.compile(r"""[^\s,;:<>()\[\]|/"“”„«»]+@[^\s,;:<>()\[\]|/"“”„«»]+""")
_QUOTES = "\"'`“”„‟«»‘’‚‹›"
_LEFT, _RIGHT = f"{_QUOTES}<([{{,;: ", f"{_QUOTES}>)]}},;:. "
_ODD_START = tuple("#=+-'&")
_ROUTED = "%!/|"


@lru_cache(maxsize=1 << 16)
def tidied(cell: str) -> tuple[str, str]:
    """Give the address of a cell, and in words what more the cell held; no words: nothing but plain blanks.

    Only where what is left is an address: else the cell stays as it is, to be judged so.

    >>> tidied("Ana Kovács <ana@acme.example>,")
    ('ana@acme.example', 'a name, punctuation')
    >>> tidied("ana@acme.example, ben@acme.example")
    ('ana@acme.example, ben@acme.example', '')
    """
    text = clean(cell)
    if "@" not in text:
        return text, ""
    seen = unicodedata.normalize("NFC", cell.strip(" \t\r\n"))
    unseen = "" if text == seen else "invisible characters"
    if _ALONE.fullmatch(text):
        return text, unseen
    lost = [unseen] if unseen else []
    address = text
    for words, without in _AROUND:
        less = without(address)
        lost += [words] if less != address else []
        address = less
    if address != text and fault(address):
        return text, ""
    return address, ", ".join(dict.fromkeys(lost))


def _unnamed(text: str) -> str:
    """Take the address out of ``Name <address>``, unless the name is another address."""
    found = _NAMED.fullmatch(text)
    if not found:
        return text
    name, inside = found[1].strip(f"{_QUOTES} "), found[2].strip()
    return text if "@" in name and name.casefold() != inside.casefold() else inside


def _bare(text: str) -> str:
    return text.lstrip(_LEFT).rstrip(_RIGHT)


def _unlinked(text: str) -> str:
    link, colon, rest = text.partition(":")
    return rest.partition("?")[0].strip() if colon and link.casefold() == "mailto" else text


_AROUND = (
    ("a name", _unnamed),
    ("punctuation", _bare),
    ("mailto:", _unlinked),
    ("punctuation", _bare),
)
"""What may stand around an address, from the outside."""


@lru_cache(maxsize=1 << 16)
def fault(address: str) -> str:
    """Say why this is no address that mail could be sent to; empty if it is one."""
    if PLAIN.fullmatch(address):
        return ""
    return next(filter(None, _faults(address)), "")


def _faults(address: str) -> Iterator[str]:
    """Give what is wrong, what a person understands best first."""
    from email_validator import EmailNotValidError, validate_email  # which few cells need

    local, at, domain = address.rpartition("@")
    if address[:1] in _ODD_START:
        what = "; is the row commented out?" if address[0] == "#" else ""
        yield f'it begins with "{address[0]}"{what}'
    if "#ext#" in address.lower():
        yield "it is Microsoft's name of a guest account; take the address that the person reads mail at"
    if several := _several(address):
        yield f"it holds {several} addresses; give each person a row of their own"
    if at and local and "@" not in local and "." not in domain:
        yield "it has no dot after the @" if domain else "nothing follows the @"
    if stranger := _stranger(address):
        yield f'it holds "{stranger}" ({named(stranger)}), which is of another alphabet; type the address anew'
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        reason = str(error).rstrip(".").replace("email address", "e-mail address")
        yield reason[:1].lower() + reason[1:]
    if len(local) > 64:
        yield "it has more than 64 characters before the @"
    if odd := next((c for c in local if c in _ROUTED), ""):
        yield f'it holds "{odd}", by which mail servers may send it on to somebody else'


def _several(text: str) -> int:
    """Count the addresses in a text, where there is more than one."""
    found = len({address.rstrip(".").casefold() for address in _ADDRESS.findall(text)})
    return found if found > 1 else 0


def _stranger(address: str) -> str:
    """Find a letter that is of another alphabet than the address's Latin ones.

    An address of one alphabet throughout passes; ``xn--`` spells a domain of another alphabet in Latin letters.
    """
    local, _, domain = address.rpartition("@")
    spelled = f"{local}@{in_letters(domain)}"
    if not any(c.isascii() and c.isalpha() for c in spelled):
        return ""
    return next((c for c in spelled if not (c.isascii() or c.isspace() or _latin(c))), "")


def _latin(letter: str) -> bool:
    """Whether it is a Latin letter of European names; phonetic letters and mathematical ones only look like one."""
    return ord(letter) < 0x250 and unicodedata.name(letter, "").startswith("LATIN ")


def in_letters(domain: str) -> str:
    """Spell a domain as people read it: ``xn--mller-kva.example`` is müller.example.

    What can't be read so stays as it is; email-validator has better words for it.
    """
    if "xn--" not in domain.lower():
        return domain
    try:
        return domain.encode().decode("idna")
    except UnicodeError:
        return domain


@lru_cache(maxsize=1 << 12)
def respelled(address: str) -> str:
    """Give the other way to write the address of one mailbox: its domain in letters or in ``xn--``; empty if there is none.

    >>> respelled("ana@müller.example"), respelled("ana@xn--mller-kva.example")
    ('ana@xn--mller-kva.example', 'ana@müller.example')
    """
    if PLAIN.fullmatch(address) or fault(address):
        return ""
    from email_validator import validate_email

    local, _, domain = address.rpartition("@")
    read = validate_email(address, check_deliverability=False)
    other = read.domain if domain.isascii() else read.ascii_domain
    return f"{local}@{other}" if other and other != domain.lower() else ""


def unusual(address: str) -> str:
    """Say what to look at twice in an address that mail can be sent to; empty where it is like most."""
    if PLAIN.fullmatch(address):
        return ""
    local, _, domain = address.rpartition("@")
    if "+" in local:
        base = f"{local.partition('+')[0]}@{domain}"
        return (
            f"is an address of its own here; its mail goes to {base}, which may be the same person"
        )
    if not local.isascii():
        odd = next(c for c in local if not c.isascii())
        return f'has "{odd}" before the @; many mail systems can\'t deliver to such an address'
    if in_letters(domain) != domain:
        return f"is at {in_letters(domain)}; write the domain one way on all rows"
    return f"is at {domain}, a domain in letters beyond a to z" if not domain.isascii() else ""


def meant(address: str) -> str:
    """Suggest which address was meant by one that is none; empty where nothing is near."""
    text = address
    for repaired in _REPAIRS:
        text = repaired(text)
        if text != address and not fault(text):
            return text
    return ""


def _only(text: str) -> str:
    """Give the one address in a text that says more; empty where there is none, or two."""
    found = {address.rstrip(".,").casefold() for address in _ADDRESS.findall(text)}
    return found.pop() if len(found) == 1 else ""


_REPAIRS: tuple[Callable[[str], str], ...] = (
    degarbled,
    twinless,
    partial(
        re.compile(r"\s*[\[({]\s*(?:at|ät|@)\s*[\])}]\s*|\s+(?:at|ät)\s+", re.IGNORECASE).sub, "@"
    ),
    partial(
        re.compile(
            r"\s*[\[({]\s*(?:dot|punkt|\.)\s*[\])}]\s*|\s+(?:dot|punkt)\s+", re.IGNORECASE
        ).sub,
        ".",
    ),
    lambda text: text if _only(text) else re.sub(r"\s+", "", text),
    lambda text: text if text.count(",") > 1 else re.sub(r"[.,]*,[.,]*|\.{2,}", ".", text),
    lambda text: text.replace(".@", "@").replace("@.", "@").strip("#=+-'&."),
    lambda text: tidied(text)[0],
    lambda text: _only(text) or text,
)
"""What often goes wrong with an address, each put right in what the ones before have left."""
