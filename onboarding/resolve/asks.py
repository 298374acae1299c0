"""What the sheets ask for, person by person; what binds out, and what a standing makes void."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType

from onboarding.model import Asks, Desired, Email, Finding, GroupKey, RowRef, Standing

Wanted = Mapping[GroupKey, tuple[RowRef, ...]]
"""Groups as they are spelled, each with the rows that name it."""
NOTHING: Wanted = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Asked:
    """Memberships that rows ask for, and memberships that they ask to end."""

    grants: Asks
    revokes: Asks

    def __iter__(self) -> Iterator[tuple[Email, Wanted]]:
        for asks in (self.grants, self.revokes):
            yield from asks.items()

    def of(self, email: Email) -> tuple[Wanted, Wanted]:
        """Give what is asked for one person: groups to be in, and groups to leave."""
        return self.grants.get(email, NOTHING), self.revokes.get(email, NOTHING)


def asked(desired: Desired) -> tuple[Asked, Asked]:
    """Give the memberships that rows ask for, and those among them that a standing makes void."""
    standings = {email: person.standing for email, person in desired.persons.items()}
    waiting = {email for email, said in standings.items() if said is Standing.NOT_STARTED}
    leavers = {email for email, said in standings.items() if said is Standing.LEAVER}
    grants, idle_grants = _parted(desired.grants, waiting | leavers)
    revokes, idle_revokes = _parted(desired.revokes, waiting)
    return Asked(grants, revokes), Asked(idle_grants, idle_revokes)


def _parted(asks: Asks, void: AbstractSet[Email]) -> tuple[Asks, Asks]:
    """Part what is asked for other people from what is asked for these."""
    return (
        {email: wanted for email, wanted in asks.items() if email not in void},
        {email: asks[email] for email in asks.keys() & void},
    )


def rejections(code: str, message: str, rows: Iterable[RowRef], value: str) -> Iterator[Finding]:
    """Reject rows for one reason."""
    return (Finding(code, message, row, value=value) for row in sorted(rows))
