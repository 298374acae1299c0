"""All that a comparison may look at, and what several of them say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from onboarding.model import (
    Directory,
    Email,
    GroupKey,
    GroupName,
    Intake,
    Role,
    RowRef,
)
from onboarding.plan import Action, Change, Facts, Settled, Status
from onboarding.resolve import Resolved

Part = Change | Settled | tuple[RowRef, ...]
"""What a comparison comes to; rows alone: the tenant is as they ask. Of a hundred thousand people nearly all are."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the sheets are to be taken."""

    create_groups: bool = False
    """Create a group that only memberships name."""
    authoritative: bool = False
    """Take from groups with a granting row whom no row grants."""
    leavers_revoke: bool = False
    """Take a leaver out of all groups but default ones."""
    default_role: Role | None = None
    """For new people whose role is blank; Admin counts as Guest."""
    sso_groups: frozenset[str] = frozenset()
    """Groups, as people name them, whose members single sign-on keeps."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a comparison may look at."""

    intake: Intake
    current: Directory
    wishes: Wishes
    earlier: Mapping[str, Facts | None]
    resolved: Resolved

    revoked_earlier: Mapping[Email, frozenset[GroupName]]
    """Memberships that an interrupted run had sent to be revoked."""
    defaults: frozenset[GroupName] = frozenset()
    """Groups that are default once this plan is carried out."""

    def has(self, email: Email) -> frozenset[GroupName]:
        """Give the groups that a person is in."""
        return self.current.memberships.get(email, frozenset())

    def joined_when_invited(self) -> frozenset[GroupName]:
        """Give the groups that take in whoever is invited now."""
        groups = self.current.groups
        return frozenset(name for name in self.defaults & groups.keys() if groups[name].default)

    def quoted(self, key: GroupKey) -> str:
        """Name a group as the sheets do."""
        return f'the group "{self.intake.desired.labels.get(key, key)}"'

    def as_asked(self, rows: tuple[RowRef, ...], since: Callable[[], Sequence[Change]]) -> Part:
        """Settle rows for which the tenant is as asked, perhaps since an interrupted run sent one of these changes."""
        for change in since() if self.earlier else ():
            if change.key in self.earlier:
                message = "an earlier run had done this, and no report could say so"
                change = replace(change.since(self.earlier[change.key]), rows=rows)
                return Settled(Status.APPLIED, "earlier-run", message, rows, change)
        return rows


def revoked(earlier: Iterable[str]) -> Mapping[Email, frozenset[GroupName]]:
    """Give the memberships that changes with these keys end."""
    found: defaultdict[Email, frozenset[GroupName]] = defaultdict(frozenset)
    for key in earlier:
        action, *subject = key.split(" ")
        if action == Action.REVOKE:
            email, name = subject
            found[Email(email)] |= {GroupName(name)}
    return found


def held(whom: str, because: RowRef, rows: Iterable[RowRef]) -> Iterator[Settled]:
    """Settle what is left of rows for which nothing is done, since another one is rejected."""
    if rows := tuple(rows):
        message = f"nothing is done for {whom}, since {because} is rejected"
        yield Settled(Status.SKIPPED, "held", message, rows)


def without(rows: Iterable[RowRef], others: frozenset[RowRef]) -> tuple[RowRef, ...]:
    """Give rows once and in order, but for some."""
    return tuple(sorted(dict.fromkeys(row for row in rows if row not in others)))
