"""Three small jobs, each with what its rows ask for as facts that a tenant has or has not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from builders import email, group, intake, person, row, team, user

from onboarding.model import Directory, GroupName, Intake, Role, RowRef

ADMIN, MEMBER, GUEST = Role.ADMIN, Role.MEMBER, Role.GUEST


@dataclass(frozen=True, slots=True)
class Fact:
    """That somebody has a role, is in a group or not; or that a group is as described."""

    of: str
    kind: Literal["role", "in", "out", "described", "default"]
    value: object

    def holds(self, truth: Directory) -> bool:
        account = truth.users.get(email(self.of))
        match self.kind:
            case "role":
                return account is not None and account.role is self.value
            case "in":
                return self.value in truth.memberships.get(email(self.of), ())
            case "out":
                return self.value not in truth.memberships.get(email(self.of), ())
            case "described":
                known = truth.groups.get(GroupName(self.of))
                return known is not None and known.description == self.value
            case "default":
                known = truth.groups.get(GroupName(self.of))
                return known is not None and known.default is self.value


@dataclass(frozen=True, slots=True)
class Job:
    """What the sheets ask for, and of which tenant."""

    wanted: Intake
    facts: Mapping[RowRef, tuple[Fact, ...]]
    """Every row, and what it asks for."""
    calls: int
    """Changing calls when nothing goes wrong, at two invitations a call."""
    tenant: Mapping[str, Any]
    also: tuple[Fact, ...] = ()
    """What no row asks for and is to be so in the end."""

    def wrong(self, truth: Directory, rows: Iterable[RowRef]) -> list[Fact]:
        """Give the facts of these rows that a tenant has not."""
        return [fact for ref in rows for fact in self.facts[ref] if not fact.holds(truth)]


def u(number: int) -> RowRef:
    return row(number, "users.csv", 0)


def g(number: int) -> RowRef:
    return row(number, "groups.csv", 1)


def m(number: int) -> RowRef:
    return row(number, "members.csv", 2)


INVITE = Job(
    intake(
        [
            person("new1", MEMBER, rows=(u(2),)),
            person("new2", GUEST, rows=(u(3),)),
            person("new3", MEMBER, rows=(u(4),)),
        ]
    ),
    {
        u(2): (Fact("new1", "role", MEMBER),),
        u(3): (Fact("new2", "role", GUEST),),
        u(4): (Fact("new3", "role", MEMBER),),
    },
    calls=2,
    tenant={"users": [user("up")]},
)

TEAM = Job(
    intake(
        [person("new1", MEMBER, rows=(u(2),))],
        [team("Born", rows=(g(2),), description="new")],
        {"new1": {"Born": [m(2)]}, "up": {"Born": [m(3)]}},
    ),
    {
        u(2): (Fact("new1", "role", MEMBER),),
        g(2): (Fact("born", "described", "new"),),
        m(2): (Fact("new1", "in", "born"),),
        m(3): (Fact("up", "in", "born"),),
    },
    calls=2,
    tenant={"users": [user("up")]},
)

MIXED = Job(
    intake(
        [
            person("new1", MEMBER, rows=(u(2),)),
            person("new2", GUEST, rows=(u(3),)),
            person("down", GUEST, rows=(u(4),)),
        ],
        [team("Born", rows=(g(2),), description="new"), team("Open", rows=(g(3),), default=True)],
        {"new1": {"Born": [m(2)]}, "up": {"Born": [m(3)], "Open": [m(4)]}},
        {"up": {"Ops": [m(5)]}},
    ),
    {
        u(2): (Fact("new1", "role", MEMBER),),
        u(3): (Fact("new2", "role", GUEST),),
        u(4): (Fact("down", "role", GUEST),),
        g(2): (Fact("born", "described", "new"),),
        g(3): (Fact("open", "default", True),),
        m(2): (Fact("new1", "in", "born"),),
        m(3): (Fact("up", "in", "born"),),
        m(4): (Fact("up", "in", "open"),),
        m(5): (Fact("up", "out", "ops"),),
    },
    calls=6,
    tenant={
        "users": [user("up"), user("down")],
        "groups": [group("ops"), group("open")],
        "members": {"ops": ["up"]},
    },
    also=(Fact("new1", "out", "open"), Fact("new2", "out", "open")),
)

JOBS: Mapping[str, Job] = {"invite": INVITE, "team": TEAM, "mixed": MIXED}
