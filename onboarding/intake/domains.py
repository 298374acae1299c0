"""All rows in; those out whose address is at a domain that is probably a slip: ``acme.con`` among ``acme.com``.

The sheets' own addresses say which domain was meant. Such a row is rejected and not only noted, since an invitation
opens the catalog to whoever reads the mail there. A domain that is meant all the same is named in ``allowed_domains``:
then nobody guesses any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from onboarding.intake.against import Book
from onboarding.intake.shared import Shared
from onboarding.model import Finding
from onboarding.near import near

FEW = 2
"""So many people at a domain may be there by a slip, or one in ``RARE`` of those at the domain that was meant."""
RARE = 200
OUTNUMBERED = 3
"""Times that the domain that was meant must be the commoner."""
_SHORT = 3
"""A part of a domain so short is chosen rather than misspelled: eu.acme.example beside us.acme.example."""


def doubtful_domains(shared: Shared, book: Book, at_home: Collection[str]) -> Iterator[Finding]:
    """Reject the rows whose domain is one slip away from one that is far commoner, and new to the tenant."""
    people = shared.people_at()
    slips = {slip: meant for slip, meant in _slips(people) if slip not in at_home}
    for row in shared.of_domains(slips):
        domain = row.email.rpartition("@")[2]
        meant = slips[domain]
        message = f"is at {domain}, one slip away from {meant}, where {people[meant]} others are"
        header = book.header(row.ref, "email")
        yield Finding("domain-doubtful", message, row.ref, header, row.email)


def _slips(people: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Give domains that are probably misspelled, with the one that was meant."""
    most = max(people.values(), default=0)
    rare = [domain for domain, number in people.items() if number <= max(FEW, most // RARE)]
    common = [domain for domain, number in people.items() if number >= OUTNUMBERED]
    for domain, others in near(rare, common).items():
        number = people[domain]
        meant = [
            other
            for other in others
            if people[other] >= OUTNUMBERED * number
            and number <= max(FEW, people[other] // RARE)
            and _by_a_slip(domain.split("."), other.split("."))
        ]
        if meant:
            yield domain, max(meant, key=lambda other: (people[other], other))


def _by_a_slip(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two near domains differ in a way that nobody chooses: not in a number, nor in a short part."""
    if len(one) != len(other):
        return True
    different = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    if len(different) != 1:
        return False
    a, b = different[0]
    if (a, b) == (one[-1], other[-1]):
        return True
    return max(len(a), len(b)) > _SHORT and _lettered(a) != _lettered(b)


def _lettered(part: str) -> str:
    return "".join(letter for letter in part if not letter.isdigit())
