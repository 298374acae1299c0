"""Every line of the tables in ``docs/tenant.md``: the answer over real HTTP, and what comes of it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import pytest
from builders import email, user
from changes import NOON, Clock, change_role, invite
from listener import CUT, Request, http, server

from onboarding.apply import apply
from onboarding.apply.pace import Pace
from onboarding.atlan import LOOKUP, Atlan
from onboarding.auth import ApiKey
from onboarding.errors import Doubt, OnboardingError, Refused, TenantError, Throttled, TokenRefused
from onboarding.journal import State
from onboarding.model import Directory, Role, UserId
from onboarding.pacing import BURST, PATIENCE, PER_MINUTE, REGAINED, SLOWER, Budget
from onboarding.pages import PAGE, READINGS
from onboarding.plan import Change, Plan
from onboarding.tenant import Receipt
from onboarding.transport import FORBIDDEN_PAUSE, READS, REFUSALS, Transport
from onboarding.wire import Limits

TEXT = (Path(__file__).parent.parent / "docs" / "tenant.md").read_text()
HTML = "<html><body>Sign in</body></html>"
KINDS: dict[str, type[Receipt | TenantError]] = {
    "clear yes": Receipt,
    "clear no": Refused,
    "token not accepted": TokenRefused,
    "slow down": Throttled,
    "doubt": Doubt,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table, as it stands there."""

    says: str
    means: str
    row: str

    @property
    def answer(self) -> object:
        """The answer of the first cell, byte for byte."""
        if "connection breaks" in self.says:
            return CUT
        status, *spans = self.code(self.says)
        headers = [span for span in spans if re.match(r"[A-Z][A-Za-z-]+: ", span)]
        bodies = [span for span in spans if span.startswith("{")]
        body = HTML if "a page in HTML" in self.says else "".join(bodies) or None
        return http(int(status), body, *headers)

    @property
    def times(self) -> float:
        return math.inf if "always" in self.says else 2 if "twice" in self.says else 1

    @property
    def kind(self) -> type[Receipt | TenantError]:
        return KINDS[re.split(r"[:;,]| to | at |$", self.means)[0]]

    @property
    def outcome(self) -> tuple[str, str, str]:
        """Status, code, and what the message holds."""
        status, code, *_ = [*self.code(self.row), "done", "done"]
        return status, code, self.row.partition(": ")[2]

    @staticmethod
    def code(cell: str) -> list[str]:
        return re.findall(r"`([^`]*)`", cell)


def table(heading: str) -> list[object]:
    part = TEXT.split(f"### {heading}\n")[1].split("\n#")[0]
    rows = [
        line for line in part.splitlines() if line.startswith("| `") or "| the con" in line[:12]
    ]
    lines = [Line(*(cell.strip() for cell in row.strip("|").split(" | "))) for row in rows]
    assert len(lines) > 8
    return [pytest.param(line, id=line.says[:60]) for line in lines]


@dataclass
class Tenant:
    """A small tenant with one person at most, that answers one kind of call as a line says, and then is well."""

    line: Line
    troubled: str
    """``METHOD path`` of the calls that the line is about, as a regular expression."""
    role: str = ""
    """Ana's; empty where she has no account."""
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> object:
        call = unquote(request.line.rsplit(" ", 1)[0])
        self.asked.append(call.partition("?")[0])
        troubles = sum(bool(re.search(self.troubled, one)) for one in self.asked)
        if not re.search(self.troubled, call):
            return self.read(call)
        if troubles > self.line.times:
            return self.carry_out(call)
        if "is there" in self.line.says or self.line.means.startswith("clear yes"):
            self.carry_out(call)
        return self.line.answer

    def carry_out(self, call: str) -> bytes:
        if call.startswith("GET"):
            return self.read(call)
        self.role = "$member"
        return http(200, {})

    def read(self, call: str) -> bytes:
        if "/users/current" in call:
            return http(200, {"id": "u-token", "username": "service-account-apikey-1"})
        records: list[object] = []
        if "/roles" in call:
            records = [{"id": f"r-{role.label}", "name": role.value} for role in Role]
        elif self.role:
            records = [{"id": "u-ana", "username": "ana", "email": "ana@acme.example", "workspaceRole": self.role}]  # fmt: skip
        return http(200, {"totalRecord": 9, "filterRecord": len(records), "records": records})


def atlan(url: str, clock: Clock) -> Atlan:
    budget = Budget(math.inf, clock=clock.now, sleep=clock.sleep)
    transport = Transport(url, ApiKey("key"), budget=budget, sleep=clock.sleep)
    return Atlan(transport, tenant="acme.example")


def drive(tenant: Tenant, change: Change, folder: Path) -> Iterator[object]:
    """Carry out the change by itself, and as a plan; give what came of either."""
    directory = Directory("acme.example", UserId("u-token"), {}, {}, {})
    if tenant.role:
        ana = user("ana", Role.GUEST)
        directory = Directory("acme.example", UserId("u-token"), {ana.email: ana}, {}, {})
    role = tenant.role
    with server(answer=tenant) as running:
        clock = Clock()
        alone = atlan(running.url, clock)
        try:
            if role:
                yield alone.change_role(UserId("u-ana"), Role.MEMBER, request_id="1")
            else:
                yield alone.invite([(email("ana"), Role.MEMBER)], request_id="1")
        except TenantError as error:
            yield error
        tenant.role, tenant.asked = role, []
        state = State.open(folder, "acme.example", create=True, now=clock.now)
        with closing(state), closing(state.begin("run", folder / "journal.jsonl")) as journal:
            plan = Plan("acme.example", (change,))
            yield apply(plan, directory, atlan(running.url, clock), journal, clock.pace())
        assert clock.time < NOON + 1000


def check(line: Line, tenant: Tenant, change: Change, folder: Path) -> None:
    by_itself, applied = drive(tenant, change, folder)
    first_no = line.kind is Refused and line.outcome[0] == "applied"
    assert type(by_itself) is (Receipt if first_no else line.kind)
    outcome = applied.outcomes[change.key]
    status, code, words = line.outcome
    assert (outcome.status.value, outcome.code) == (status, code)
    assert words in outcome.message
    ended = re.search(r"exit (\d+)", line.means)
    assert bool(applied.stopped) is bool(ended)
    if ended:
        assert applied.stopped.exit_code == int(ended[1])


@pytest.mark.parametrize("line", table("To an invitation"))
def test_to_an_invitation(line: Line, tmp_path: Path) -> None:
    never = "never shows" in line.says
    tenant = Tenant(line, "POST /api/service/users$")
    if never:
        tenant.carry_out = lambda call: http(200, {})  # type: ignore[method-assign]
    check(line, tenant, invite("ana"), tmp_path)


@pytest.mark.parametrize("line", table("To a change of role"))
def test_to_a_change_of_role(line: Line, tmp_path: Path) -> None:
    tenant = Tenant(line, "POST /api/service/users/u-ana/(roles/)?update$", "$guest")
    if "never shows" in line.says:
        tenant.carry_out = lambda call: http(200, {})  # type: ignore[method-assign]
    check(line, tenant, change_role("ana", Role.GUEST, Role.MEMBER), tmp_path)


@pytest.mark.parametrize("line", table("To a reading"))
def test_to_a_reading(line: Line) -> None:
    tenant = Tenant(line, "GET /api/service/users/current$")
    with server(answer=tenant) as running:
        reader = atlan(running.url, Clock())
        if line.row == "goes on":
            assert reader.identity().own == "u-token"
            assert reader.calls == 3
            return
        with pytest.raises(OnboardingError) as caught:
            reader.identity()
    code, _, words = line.row.removeprefix("exit ").partition(": ")
    assert caught.value.exit_code == int(code)
    assert words in str(caught.value)


def test_the_statuses_that_are_a_clear_no_are_those_of_the_page() -> None:
    said = TEXT.split("Which statuses are a clear no:")[1].split("and a complete")[0]
    assert {int(number) for number in re.findall(r"\d+", said)} == REFUSALS


def test_bodies_in_the_tables_are_what_a_tenant_may_send() -> None:
    bodies = [span for span in Line.code(TEXT) if span.startswith('{"') and span.endswith("}")]
    assert len([json.loads(body) for body in bodies]) > 12


LIMITS = Limits()


@pytest.mark.parametrize(
    "figure",
    [
        f"{PER_MINUTE:.0f} calls a minute for the whole process (`rate`), {BURST} of them at once",
        f"the pace drops to {SLOWER:.0%} and comes back by {REGAINED:.0%} a minute",
        f"{LIMITS.connect:.0f} seconds for a connection, {LIMITS.read:.0f} between two bytes, {LIMITS.whole:.0f} for",
        f"slow down, for longer than {PATIENCE / 60:.0f} minutes",
        f"as many in a request as fit into {LOOKUP} and into a first line of 4 KiB",
        f"pages of {PAGE}",
        f"looked for until {Pace().read_lag:.0f} seconds are over",
    ],
)
def test_the_figures_of_the_page_are_those_of_the_code(figure: str) -> None:
    assert figure in " ".join(TEXT.replace(" %", "%").split())


def test_the_numbers_in_words_are_those_of_the_code() -> None:
    assert (READS, READINGS, Pace().workers, Pace().tries) == (5, 5, 4, 5)
    assert FORBIDDEN_PAUSE < 10
    for words in ("tried five times", "in five readings at most", "Four calls", "sent five times"):
        assert words in " ".join(TEXT.split())
