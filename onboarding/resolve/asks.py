"""What the sheets ask for, membership by membership; those out that bind, and those that a standing makes void."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from onboarding.model import Desired, Email, Finding, GroupKey, RowRef, Standing


@dataclass(frozen=True, slots=True)
class Ask:
    """One membership that rows ask for, or ask to end."""

    email: Email
    key: GroupKey
    rows: tuple[RowRef, ...]
    grant: bool


def asked(desired: Desired) -> tuple[list[Ask], list[Ask]]:
    """Give the memberships that rows ask for, and those among them that a standing makes void."""
    binding: list[Ask] = []
    void: list[Ask] = []
    for asked, grant in ((desired.grants, True), (desired.revokes, False)):
        for email, wanted in asked.items():
            person = desired.persons.get(email)
            standing = person.standing if person else Standing.ACTIVE
            ignored = standing is Standing.NOT_STARTED or (standing is Standing.LEAVER and grant)
            (void if ignored else binding).extend(
                Ask(email, key, rows, grant) for key, rows in wanted.items()
            )
    return binding, void


def by_person(asks: Iterable[Ask]) -> Mapping[Email, tuple[Ask, ...]]:
    """Give what is asked for each person."""
    found: defaultdict[Email, list[Ask]] = defaultdict(list)
    for ask in asks:
        found[ask.email].append(ask)
    return {email: tuple(theirs) for email, theirs in found.items()}


def rejections(code: str, message: str, rows: Iterable[RowRef], value: str) -> Iterator[Finding]:
    """Reject rows for one reason."""
    return (Finding(code, message, row, value=value) for row in sorted(rows))
