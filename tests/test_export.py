"""What is exported can be run: ten thousand people with everything odd that a tenant may hold, and nothing is planned."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import group, user
from desk import Desk, Quiet
from fakes import FakeTenant

from onboarding import pipeline
from onboarding.atlan import Atlan
from onboarding.auth import ApiKey
from onboarding.model import Email, Role, User, UserId
from onboarding.pacing import Budget
from onboarding.sandbox.server import Sandbox
from onboarding.transport import Transport
from onboarding.writers.tenant import exported

PEOPLE = 10_000
ODD_ADDRESSES = (
    "o'neil@acme.example",
    "a+b@acme.example",
    "007@acme.example",
    "1e5@acme.example",
    "_under.score_@acme.example",
    "x@sub.domain.acme.example",
    f"{'l' * 64}@acme.example",
    "jürgen@acme.example",
    "info@xn--bcher-kva.example",
)
UNREADABLE = ("svc@localhost", "-dash@acme.example", "two@at@acme.example")
"""No row can name these: they are left out."""
ODD_GROUPS = (
    group("formula", "=SUM(A1:A9)", description='=HYPERLINK("http://evil.example","click")'),
    group("plus", "+49 Sales", description="+1"),
    group("minus", "-Minus", description="-"),
    group("at", "@home", description="@SUM(1)"),
    group("apostrophe", "'quoted", description="'=1+1"),
    group("zeros", "007", description="000123"),
    group("number", "1234567890123456789", description="1E5"),
    group("date", "2024-01-02", description="3/4"),
    group("truth", "TRUE", description="no"),
    group("unicode", "Ünïcödé 部門 🚀", description="Grüße\u2028und mehr"),
    group("long", "L" * 255, description="d" * 255),
    group("lines", "Two Lines", description="first\nsecond\n\nfourth"),
    group("tabs", "Tab", description="a\tb; c, d | e"),
    group("delimiters", "R&D; Ops, and | more", description='"quoted", twice ""'),
    group("nothing", "Nothing", description=""),
    group("marker", "Null", description="N/A"),
    group("nan", "nan", description="NULL"),
    group("default", "Everyone", description="All", default=True),
    group("data-platform", "Data-Platform (EU)"),
    group("r&d/ops", "R&D/Ops"),
    group("same_one", "Same Alias"),
    group("same_two", "Same Alias"),
    group("swapped_a", "swapped_b"),
    group("swapped_b", "swapped_a"),
    group("cleared", "Cleared", description="(clear)"),
    group("padded", "Padded", description="  two blanks on each side  "),
    group("padded_alias", " Padded  Alias "),
    group("windows", "Windows", description="first\r\nsecond\n"),
    group("escape", "_x0041_", description="_x000D_ and \x07 a bell"),
    group("error", "#REF!", description="#N/A"),
    group("no_break", "No\u00a0Break", description="no\u00a0break\u200b"),
    group("decomposed", "Cafe\u0301", description="cafe\u0301"),
    group("empty_alias", " "),
    group("sales", "Sales EMEA"),
    group("sales_emea", "Sales"),
    group("bracket", "Ops :)"),
    group("directory", "CN=Ops,OU=Groups"),
    group("quoted", '"Quoted"'),
    group("1e5", "One"),
    group("2024", "Year"),
    group("too_long", "Too long", description="d" * 300),
    group("channels", "Channels", channels=("#data", "#help")),
)


def people() -> Iterator[User]:
    roles = (Role.MEMBER, Role.GUEST, Role.ADMIN, Role.GUEST, Role.MEMBER)
    for address in (*ODD_ADDRESSES, *UNREADABLE):
        yield user(address)
    yield User(Email(""), None, id=UserId("u-service-2"), username="service-account-apikey-2")
    yield User(Email(""), Role.GUEST, id=UserId("u-scim"), username="provisioned")
    yield user("no.role", None)
    yield user("off", enabled=False)
    yield user("off.pending", enabled=False, pending=True)
    yield user("off.admin", Role.ADMIN, enabled=False)
    for number in range(PEOPLE - len(ODD_ADDRESSES) - len(UNREADABLE) - 4):
        role = roles[number % len(roles)]
        pending, enabled = number % 11 == 0, number % 13 != 0
        yield user(f"p{number:05}", role, pending=pending, enabled=enabled)


@pytest.fixture(scope="module")
def tenant() -> FakeTenant:
    users = list(people())
    teams = [*ODD_GROUPS, *(group(f"team_{n}") for n in range(40))]
    everybody = [each.email for each in users if each.email]
    members: dict[str, list[Email]] = {
        team.name: list(everybody[place :: 20 + place]) for place, team in enumerate(teams)
    }
    members["default"] = list(everybody)
    members["nothing"] = []
    found = FakeTenant(users, teams)
    by_name = {team.name: team.id for team in teams}
    ids = {each.email: each.id for each in users}
    found.has.members |= {
        by_name[name]: frozenset(map(ids.__getitem__, held)) for name, held in members.items()
    }
    return found


UNNAMEABLE = {"swapped_a", "swapped_b", "nan"}
"""Each of the first two is called what the other one is; the third is a word for nothing."""


def test_what_is_exported_plans_nothing(tenant: FakeTenant, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    counts = pipeline.export(tenant, folder)
    truth = tenant.truth()
    named = {who: held - UNNAMEABLE for who, held in truth.memberships.items()}
    assert counts == {
        "users": len(truth.users) - len(UNREADABLE),
        "groups": len(truth.groups) - len(UNNAMEABLE),
        "memberships": sum(len(held) for who, held in named.items() if who not in UNREADABLE),
        "left_out": len(UNNAMEABLE) + len(UNREADABLE),
    }
    assert sum(len(user.email) > 0 for user in people()) == PEOPLE

    calm = Quiet()
    report = Desk(tmp_path).run(tenant, folder, voice=calm)
    (prospect,) = calm.proposed
    assert [str(change) for change in prospect.plan.changes] == []
    assert {each.status.value for each in report.results} == {"unchanged"}
    assert len(report.results) == sum(counts.values()) - counts["left_out"]
    assert (report.exit_code, tenant.writes()) == (0, [])


def test_an_exported_group_keeps_its_names_and_its_words() -> None:
    """As far as a reader would give them back: an alias that is read otherwise makes room for the internal name."""
    found = {row[1] or row[0]: row for row in exported([], ODD_GROUPS, {}).groups}
    assert found["formula"][0] == "=SUM(A1:A9)"
    assert found["formula"][2] == '=HYPERLINK("http://evil.example","click")'
    assert found["zeros"] == ("007", "zeros", "000123", "no")
    assert found["lines"] == ("Two Lines", "lines", "first\nsecond\n\nfourth", "no")
    assert found["default"] == ("Everyone", "default", "All", "yes")
    assert found["Data-Platform (EU)"] == ("Data-Platform (EU)", "", "", "no")
    assert found["same_one"] == ("same_one", "", "", "no")
    assert found["cleared"] == ("Cleared", "cleared", "", "no")
    assert UNNAMEABLE & set(found) == set()


def test_an_export_over_http_plans_nothing(tmp_path: Path) -> None:
    """The embedded tenant has accounts that are pending, disabled, and without an address."""
    with Sandbox(tmp_path / "tenant.db") as sandbox:
        transport = Transport(sandbox.url, ApiKey("sandbox"), budget=Budget(math.inf))
        tenant = Atlan(transport, tenant=sandbox.tenant)
        counts = pipeline.export(tenant, tmp_path / "export")
        assert counts == {"users": 9, "groups": 4, "memberships": 17}
        job = Desk(tmp_path).job(tmp_path / "export")
        report = pipeline.run(job, tenant, calm := Quiet())
    assert [prospect.plan.changes for prospect in calm.proposed] == [()]
    assert {each.status.value for each in report.results} == {"unchanged"}
