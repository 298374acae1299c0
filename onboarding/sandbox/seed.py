"""What a new tenant holds: Acme, a small company that does not exist. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """A role; only those of level ``workspace`` can be given to people."""

    name: str
    description: str
    level: str = "workspace"


@dataclass(frozen=True, slots=True)
class Person:
    """An account; without an e-mail it is a service-like one."""

    username: str
    email: str | None
    name: str
    role: str | None
    groups: tuple[str, ...] = ()
    pending: bool = False
    enabled: bool = True
    locked: bool = False
    scim: bool = False
    """Whether it came from the directory and is kept by it."""


@dataclass(frozen=True, slots=True)
class Team:
    """A group: internal name and the alias that people see."""

    name: str
    alias: str
    description: str | None = None
    default: bool = False


ROLES = (
    Role("$admin", "Admin"),
    Role("$member", "Member"),
    Role("$guest", "Guest"),
    Role("$api-token-default-access", "Default access of API tokens", level="token"),
    Role("wf-admin", "Workflow admin", level="sub-role"),
)

TEAMS = (
    Team("data_platform", "Data Platform", "Pipelines, models and the catalogue"),
    Team("finance", "Finance", "Controlling and accounts"),
    Team("everyone", "Everyone", "All of Acme", default=True),
    Team("marketing", "Marketing"),
)

PEOPLE = (
    Person("owner", "owner@acme.example", "Olivia Owner", "$admin", ("everyone",)),
    Person(
        "grace.tan", "grace.tan@acme.example", "Grace Tan", "$admin", ("everyone", "data_platform")
    ),
    Person(
        "ana.kovacs",
        "ana.kovacs@acme.example",
        "Ana Kovács",
        "$member",
        ("everyone", "data_platform"),
    ),
    Person(
        "dmitri.volkov",
        "dmitri.volkov@acme.example",
        "Dmitri Volkov",
        "$member",
        ("everyone", "data_platform", "finance"),
    ),
    Person(
        "ben.okafor", "ben.okafor@acme.example", "Ben Okafor", "$guest", ("everyone", "finance")
    ),
    Person(
        "carla.mendes",
        "carla.mendes@acme.example",
        "Carla Mendes",
        "$member",
        ("everyone", "marketing"),
    ),
    Person(
        "emma.lindqvist", "emma.lindqvist@acme.example", "", "$guest", ("everyone",), pending=True
    ),
    Person(
        "farid.haddad",
        "farid.haddad@acme.example",
        "Farid Haddad",
        "$member",
        ("everyone", "marketing"),
        enabled=False,
        locked=True,
    ),
    Person(
        "nadia.rossi",
        "nadia.rossi@acme.example",
        "Nadia Rossi",
        "$member",
        ("everyone", "finance"),
        scim=True,
    ),
)

API_ACCOUNT = "service-account-apikey-"
"""The account of the API token: this and a UUID. It is listed, without e-mail and attributes."""
