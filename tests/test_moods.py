"""A tenant in every mood: each switch and each fault of the embedded tenant, and what a run says of every row then.

The real command path over real HTTP; only time is made up, and shared with the tenant. A case states the status of every
row that is not applied. Whatever the mood: every row is reported once, nobody is invited twice, no change is sent that
was neither planned nor refused or lost before, and a run in a better mood, after the waiting time, completes what was
asked. Both tables are compared with the tenant's own, so a new switch or kind of fault without a case fails.

A sample is tried by default; ``ONBOARDING_TEST_PROFILE=full`` tries all of it.
"""

from __future__ import annotations

import csv
import math
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest
from desk import Quiet
from embedded import API, Tenant

from onboarding import pipeline
from onboarding.apply import Pace
from onboarding.apply.steps import phases
from onboarding.atlan import Atlan
from onboarding.auth import ApiKey, Auth, ClientCredentials
from onboarding.job import Job, Prospect, Report
from onboarding.pacing import Budget
from onboarding.sandbox.server import Sandbox
from onboarding.sandbox.switches import KINDS, Switches, choices
from onboarding.transport import Transport
from onboarding.wire import Limits

BATCH = 20
FULL = os.environ.get("ONBOARDING_TEST_PROFILE") == "full"

SHEETS = {
    "people.csv": """email,role,groups
new.one@acme.example,Member,Finance
new.two@acme.example,Guest,Legal
ana.kovacs@acme.example,Guest,
ben.okafor@acme.example,Member,
""",
    "teams.csv": """group,description
Legal,Contracts
Finance,Money
""",
    "memberships.csv": """email,group,action
carla.mendes@acme.example,Finance,add
nadia.rossi@acme.example,Finance,remove
grace.tan@acme.example,Legal,add
""",
}
ROWS = {
    "people.csv:2": "new1",  # invited, then put into Finance
    "people.csv:3": "new2",  # invited, then one of the first members of Legal
    "people.csv:4": "ana",  # a demotion
    "people.csv:5": "ben",  # a promotion
    "teams.csv:2": "legal",  # created
    "teams.csv:3": "finance",  # changed
    "memberships.csv:2": "carla",  # put into Finance
    "memberships.csv:3": "nadia",  # taken out of it
    "memberships.csv:4": "grace",  # one of the first members of Legal
}
AS_ASKED = {
    "new.one is $member",
    "new.one in finance",
    "new.two is $guest",
    "new.two in legal",
    "ana.kovacs is $guest",
    "ben.okafor is $member",
    "there is legal",
    "legal has alias ['Legal']",
    "legal has description ['Contracts']",
    "finance has alias ['Finance']",
    "finance has description ['Money']",
    "carla.mendes in finance",
    "grace.tan in legal",
}
COMPLETE = {"applied", "unchanged"}
UNDONE = {"nadia.rossi in finance", "ana.kovacs is $member", "ben.okafor is $guest"}
ENDPOINTS = {
    "update_group": "POST /api/service/groups/[^/]+$",
    "invite": "POST /api/service/users$",
    "create_group": "POST /api/service/groups$",
    "add_to_groups": "POST /api/service/users/[^/]+/groups$",
    "change_role": "POST .*/update$",
    "remove_members": "POST .*/members/remove$",
}
"""The changing endpoints, in the order in which a run comes to them."""


class Clock:
    """Time that passes only when somebody sleeps, for us and for the tenant."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Colleague(Quiet):
    """Says yes, and lets something happen before it is acted upon."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    def confirm(self, prospect: Prospect) -> bool:
        self.meanwhile()
        return super().confirm(prospect)


def nothing(tenant: Tenant) -> None:
    """Nobody else is at work."""


@dataclass(frozen=True, slots=True)
class Mood:
    """How the tenant is, and the rows that are not applied because of it."""

    switches: Mapping[str, Any] = field(default_factory=dict)
    fault: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, str] = field(default_factory=dict)
    exit_code: int | None = None
    """Only where it is not plain from the rows."""
    later: Mapping[str, str] = field(default_factory=dict)
    """The rows that a run in the best of moods does not complete either."""
    people: str = ""
    """More rows for people.csv; row 6 is called ``more``."""
    meanwhile: Callable[[Tenant], object] = nothing
    """What somebody else does between the plan and its first call."""
    oauth: bool = False
    budget: float = math.inf


class Office:
    """Somebody at work with sheets, a state folder and a tenant."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.sandbox = Sandbox(folder / "tenant.db", clock=self.clock)
        self.tenant = Tenant(self.sandbox.url)

    def run(self, mood: Mood) -> tuple[Report, Quiet, list[dict[str, Any]]]:
        before = len(self.log())
        voice = Colleague(lambda: mood.meanwhile(self.tenant))
        reached = Atlan(self.transport(mood), tenant=self.sandbox.tenant)
        report = pipeline.run(self.job(mood), reached, voice)
        return report, voice, self.log()[before:]

    def transport(self, mood: Mood) -> Transport:
        auth: Auth = ApiKey("sandbox")
        if mood.oauth:
            auth = ClientCredentials(
                self.sandbox.url, "oauth-client-1", "sandbox", clock=self.clock
            )
        return Transport(
            self.sandbox.url,
            auth,
            budget=Budget(mood.budget, clock=self.clock, sleep=self.clock.sleep),
            limits=Limits(whole=2.5 if mood.fault.get("kind") == "slow-drip" else 30.0),
            sleep=self.clock.sleep,
            jitter=lambda: 0.5,
        )

    def job(self, mood: Mood) -> Job:
        for name, text in SHEETS.items():
            more = mood.people if name == "people.csv" else ""
            (self.folder / name).write_text(text + more)
        return Job(
            inputs=tuple(str(self.folder / name) for name in SHEETS),
            reports=self.folder / "reports",
            state=self.folder / "state",
            pace=Pace(batch=BATCH, workers=1, now=self.clock, sleep=self.clock.sleep),
        )

    def log(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.tenant.get("/__sandbox__/requests")
        return found

    def be(self, mood: Mood) -> None:
        faults = [dict(mood.fault)] if mood.fault else []
        switches = dict(mood.switches)
        self.tenant.post("/__sandbox__/faults", {"switches": switches, "faults": faults})


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    with office.sandbox:
        yield office


# ---- what any run must come to ------------------------------------------------------------------------------------


def go_through(office: Office, mood: Mood) -> None:
    """Run in this mood, then in the best of moods."""
    office.be(mood)
    report, voice, log = office.run(mood)
    assert rows_of(report) == expected(mood)
    assert_nobody_was_invited_twice(office.tenant)
    assert_no_call_was_sent_for_nothing(mood, report, voice, log)
    if mood.exit_code is not None:
        assert report.exit_code == mood.exit_code

    office.be(Mood(switches={each.name: each.default for each in fields(Switches)}))
    office.clock.sleep(1000)
    report, _, _ = office.run(Mood())
    left = {name: end for name, end in rows_of(report).items() if end not in COMPLETE}
    assert left == mood.later
    facts = office.tenant.facts()
    assert (facts >= AS_ASKED) is not bool(mood.later)
    assert UNDONE & facts == set()
    assert_nobody_was_invited_twice(office.tenant)


def rows_of(report: Report) -> dict[str, str]:
    names = ROWS | {"people.csv:6": "more"}
    found = [(names[str(result.row)], result.status.value) for result in report.results]
    assert len(dict(found)) == len(found)
    return dict(found)


def expected(mood: Mood) -> dict[str, str]:
    more = {"more": "applied"} if mood.people else {}
    return dict.fromkeys(ROWS.values(), "applied") | more | dict(mood.rows)


def assert_nobody_was_invited_twice(tenant: Tenant) -> None:
    mails = Counter(mail["email"] for mail in tenant.get("/__sandbox__/mails"))
    assert set(mails.values()) <= {1}


def assert_no_call_was_sent_for_nothing(
    mood: Mood, report: Report, voice: Quiet, log: list[dict[str, Any]]
) -> None:
    """A change is sent again, or in halves, only after a no or no answer; a reading only where something is open."""
    (prospect,) = voice.proposed
    planned = sum(map(len, phases(prospect.plan, BATCH)))
    calls = [
        each for each in log if each["request_id"]
    ]  # neither a colleague's nor a fetched token
    assert report.summary["calls"] == {"announced": prospect.calls, "made": len(calls)}
    bad = [each for each in calls if each["status"] != 200 or befallen(mood, each)]
    posts = [each for each in calls if each["method"] == "POST"]
    assert len(posts) <= planned + 2 * sum(each["method"] == "POST" for each in bad)
    readings = {each["path"] for each in calls if each["method"] == "GET"}
    assert len(readings) + planned <= prospect.calls + 2 * len(bad)


def befallen(mood: Mood, call: Mapping[str, Any]) -> bool:
    """Whether the fault concerns this call: some of them answer 200."""
    return bool(mood.fault) and bool(
        re.search(mood.fault["match"], f"{call['method']} {call['path']}")
    )


# ---- faults -------------------------------------------------------------------------------------------------------

IN_DOUBT, FAILED, SKIPPED, MANUAL = "in_doubt", "failed", "skipped", "manual"
Ends = Mapping[str, Mapping[str, str]]
"""Endpoint -> the rows that are not applied where the fault befalls its calls."""


def all_of(status: str, *names: str, **others: str) -> dict[str, str]:
    return dict.fromkeys(names, status) | others


DONE: Ends = {}
LOST_ONCE: Ends = {
    "invite": all_of(IN_DOUBT, "new1", "new2"),
    "create_group": all_of(IN_DOUBT, "legal", "new2", "grace"),
}
LOST: Ends = {
    **LOST_ONCE,
    "update_group": all_of(IN_DOUBT, "finance"),
    "add_to_groups": all_of(IN_DOUBT, "new1", "carla"),
    "change_role": all_of(IN_DOUBT, "ana", "ben"),
    "remove_members": all_of(IN_DOUBT, "nadia"),
}
HALF_ONCE: Ends = {"invite": all_of(IN_DOUBT, "new2")}
REFUSED_ONCE: Ends = {
    "create_group": all_of(SKIPPED, "new2", "grace", legal=FAILED),
    "update_group": all_of(FAILED, "finance"),
    "add_to_groups": all_of(FAILED, "carla"),
    "change_role": all_of(FAILED, "ben"),
    "remove_members": all_of(FAILED, "nadia"),
}
NO_SUCH_CALL_ONCE: Ends = {**REFUSED_ONCE, "invite": all_of(MANUAL, "new1", "new2")}
REFUSED: Ends = {
    **REFUSED_ONCE,
    "invite": all_of(FAILED, "new1", "new2"),
    "add_to_groups": all_of(FAILED, "new1", "carla"),
    "change_role": all_of(FAILED, "ana", "ben"),
}
NO_SUCH_CALL: Ends = {**REFUSED, "invite": all_of(MANUAL, "new1", "new2")}
LIED_ONCE: Ends = {
    **LOST_ONCE,
    "update_group": all_of(IN_DOUBT, "finance"),
    "add_to_groups": all_of(IN_DOUBT, "carla"),
    "change_role": all_of(IN_DOUBT, "ben"),
    "remove_members": all_of(IN_DOUBT, "nadia"),
}
"""A clear yes, and nothing to be seen of it."""
STOPPED: Ends = {
    "update_group": all_of(SKIPPED, *ROWS.values()),
    "invite": all_of(SKIPPED, *ROWS.values(), finance=IN_DOUBT),
    "create_group": all_of(SKIPPED, *ROWS.values(), finance=IN_DOUBT),
    "add_to_groups": all_of(
        SKIPPED, *ROWS.values(), finance=IN_DOUBT, legal=IN_DOUBT, grace=IN_DOUBT, new2=IN_DOUBT
    ),
    "change_role": all_of(IN_DOUBT, *ROWS.values(), ana=SKIPPED, ben=SKIPPED, nadia=SKIPPED),
    "remove_members": all_of(IN_DOUBT, *ROWS.values(), nadia=SKIPPED),
}
"""Nothing more is sent or read, so what was accepted and is read back at the end is in doubt."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault, and what the rows say where it happens once, and where it happens always."""

    what: Mapping[str, Any]
    once: Ends
    always: Ends


def status(code: int, body: object = "", **more: Any) -> dict[str, Any]:
    return {"kind": "status", "status": code, "body": body, **more}


NO = {"code": 1000, "error": "no", "info": None, "message": "not today", "requestId": "r"}
HTML = "<html><body>Bad gateway</body></html>"
FAULTS = {
    "latency": Fault({"kind": "latency", "seconds": 0.01}, DONE, DONE),
    "latency, done": Fault({"kind": "latency", "seconds": 0.01, "done": True}, DONE, DONE),
    "drop-before": Fault({"kind": "drop-before"}, LOST_ONCE, LOST),
    "drop-during": Fault({"kind": "drop-during"}, HALF_ONCE, HALF_ONCE),
    "drop-after": Fault({"kind": "drop-after"}, DONE, DONE),
    "cut-answer": Fault({"kind": "cut-answer"}, DONE, DONE),
    "truncate-json": Fault({"kind": "truncate-json"}, DONE, DONE),
    "slow-drip": Fault({"kind": "slow-drip", "seconds": 8.0}, DONE, DONE),
    "html": Fault({"kind": "html", "status": 200}, LOST_ONCE, LOST),
    "html, done": Fault({"kind": "html", "status": 200, "done": True}, DONE, DONE),
    "redirect-302": Fault({"kind": "redirect-302"}, LOST_ONCE, LOST),
    "redirect-302, done": Fault({"kind": "redirect-302", "done": True}, DONE, DONE),
    "status 201": Fault(status(201, {}), LIED_ONCE, LOST),
    "status 400": Fault(status(400, NO), REFUSED_ONCE, REFUSED),
    "status 404": Fault(status(404, NO), NO_SUCH_CALL_ONCE, NO_SUCH_CALL),
    "status 409": Fault(status(409, NO), REFUSED_ONCE, REFUSED),
    "status 405": Fault(status(405), NO_SUCH_CALL_ONCE, NO_SUCH_CALL),
    "status 413": Fault(status(413, HTML), REFUSED_ONCE, REFUSED),
    "status 422": Fault(status(422, NO), REFUSED_ONCE, REFUSED),
    "status 401": Fault(status(401), STOPPED, STOPPED),
    "status 403": Fault(status(403, NO), DONE, STOPPED),
    "status 429": Fault(status(429, headers={"Retry-After": "7"}), DONE, STOPPED),
    "status 429, for long": Fault(status(429, headers={"Retry-After": "1000"}), STOPPED, STOPPED),
    "status 429, silent": Fault(status(429), DONE, STOPPED),
    "status 500": Fault(status(500, NO), LOST_ONCE, LOST),
    "status 500, done": Fault(status(500, NO, done=True), DONE, DONE),
    "status 502": Fault(status(502, HTML), LOST_ONCE, LOST),
    "status 503, done": Fault(status(503, done=True), DONE, DONE),
}


def cases() -> Iterator[Any]:
    """Every fault at every endpoint, once and always; by default every eleventh of them, so that all kinds come up."""
    number = 0
    for name, fault in FAULTS.items():
        for endpoint in ENDPOINTS:
            for times, ends in ((1, fault.once), (0, fault.always)):
                number += 1
                if FULL or number % 11 == 0:
                    rows = ends.get(endpoint, {})
                    what = {**fault.what, "match": ENDPOINTS[endpoint], "times": times}
                    # Who was invited with a clear yes is not invited again for 30 days.
                    believed = name == "status 201" and endpoint == "invite"
                    later = all_of(SKIPPED, "new1", "new2") if believed else {}
                    often = "once" if times else "always"
                    mood = Mood(fault=what, rows=rows, later=later)
                    yield pytest.param(mood, id=f"{name}-{endpoint}-{often}")


@pytest.mark.parametrize("mood", list(cases()))
def test_a_fault_costs_no_row_and_no_second_invitation(office: Office, mood: Mood) -> None:
    go_through(office, mood)


def test_every_kind_of_fault_has_a_case() -> None:
    assert {fault.what["kind"] for fault in FAULTS.values()} == set(KINDS)


# ---- switches -----------------------------------------------------------------------------------------------------


def delete_finance(tenant: Tenant) -> None:
    tenant.post(f"{API}/groups/{tenant.names()['{finance}']}/delete")


def add_carla_to_finance(tenant: Tenant) -> None:
    names = tenant.names()
    path = f"{API}/users/{names['{carla.mendes}']}/groups"
    tenant.post(path, {"groups": [names["{finance}"]]})


def invite_the_second(tenant: Tenant) -> None:
    guest = {"roleName": "$guest", "roleId": tenant.names()["{$guest}"]}
    tenant.post(f"{API}/users", {"users": [{"email": "new.two@acme.example", **guest}]})


def let_one_call_pass(tenant: Tenant) -> None:
    tenant.post("/__sandbox__/faults", {"switches": {"rate_limit": 1}})


NAMESAKE = "ben.okafor@other.example,Guest,\n"
UNINVITED = all_of(MANUAL, "new1", "new2")
WITHOUT_FINANCE = all_of(FAILED, "finance", "carla", "new1", "nadia")
SWITCHES: dict[str, dict[Any, Mood]] = {
    "group_update": {"merge": Mood(), "replace": Mood()},
    "invite_batch": {
        "per-user": Mood(meanwhile=invite_the_second),
        "atomic": Mood(meanwhile=invite_the_second),
    },
    "unknown_guid": {
        404: Mood(meanwhile=delete_finance, rows=WITHOUT_FINANCE),
        400: Mood(meanwhile=delete_finance, rows=WITHOUT_FINANCE),
    },
    "readd_member": {
        "ok": Mood(meanwhile=add_carla_to_finance),
        "error": Mood(meanwhile=add_carla_to_finance, rows={"carla": "unchanged"}),
    },
    "known_email": {"error": Mood(), "mail": Mood()},
    "username_collision": {
        "rename": Mood(people=NAMESAKE),
        "error": Mood(people=NAMESAKE, rows={"more": FAILED}),
    },
    "role_update": {"roles/update": Mood(), "update": Mood(), "both": Mood()},
    "in_case_sensitive": {True: Mood(), False: Mood()},
    "sso_enforced": {False: Mood(), True: Mood(rows=UNINVITED, exit_code=1)},
    "no_seats": {False: Mood(), True: Mood(rows=UNINVITED, exit_code=1)},
    "page_cap": {100: Mood(), 1: Mood(), 3: Mood()},
    "read_lag": {
        0.0: Mood(),
        10.0: Mood(),
        100.0: Mood(rows=all_of(IN_DOUBT, *ROWS.values()), exit_code=75),
    },
    "latency_ms": {0: Mood(), 5: Mood()},
    "rate_limit": {0: Mood(), 10: Mood(), 400: Mood(budget=300)},
    "rate_block": {
        60.0: Mood(switches={"rate_limit": 10}),
        2000.0: Mood(meanwhile=let_one_call_pass, rows=STOPPED["invite"], exit_code=75),
    },
    "retry_after": {
        True: Mood(switches={"rate_limit": 10}),
        False: Mood(switches={"rate_limit": 10}),
    },
    "bad_token": {401: Mood(oauth=True), 302: Mood(oauth=True)},
    "page_size": {0: Mood(), 3: Mood(), 150: Mood()},
    "url_limit": {8192: Mood()},
    "totals": {"exact": Mood(), "moving": Mood()},
    "empty_page": {
        each: Mood(switches={"page_cap": 5}) for each in ("documented", "null", "list", "missing")
    },
    "numbers": {"documented": Mood(), "strings": Mood(), "numbers": Mood()},
    "bare_users": {0: Mood()},
    "token_seconds": {900: Mood(oauth=True), 1: Mood(oauth=True)},
}


@pytest.mark.parametrize(
    "mood",
    [
        pytest.param(replace(mood, switches={**mood.switches, name: value}), id=f"{name}-{value}")
        for name, moods in SWITCHES.items()
        for value, mood in moods.items()
    ],
)
def test_a_run_copes_with_what_nobody_knows_of_the_api(office: Office, mood: Mood) -> None:
    go_through(office, mood)


def test_every_switch_has_a_case_for_each_of_its_values() -> None:
    assert set(SWITCHES) == {each.name for each in fields(Switches)}
    for name, moods in SWITCHES.items():
        assert set(moods) == set(choices(Switches, name) or moods), name


# ---- the command --------------------------------------------------------------------------------------------------

NO_WAITING = {
    "single sign-on": (Mood(switches={"sso_enforced": True}, rows=UNINVITED), 1),
    "the documented address only": (Mood(switches={"role_update": "update"}), 0),
    "pages of three": (Mood(switches={"page_cap": 3}), 0),
    "updates replace": (Mood(switches={"group_update": "replace"}), 0),
    "invitations hung up on": (Mood(fault={"kind": "drop-after", "match": ENDPOINTS["invite"]}), 0),
    "groups half answered": (
        Mood(fault={"kind": "cut-answer", "match": ENDPOINTS["create_group"], "times": 0}),
        0,
    ),
    "a change lost": (Mood(fault={"kind": "drop-before", "match": ENDPOINTS["update_group"]}), 0),
    "grants refused": (
        Mood(
            fault={**status(400, NO), "match": ENDPOINTS["add_to_groups"], "times": 0},
            rows=REFUSED["add_to_groups"],
        ),
        1,
    ),
    "the token taken away": (
        Mood(fault={**status(401), "match": ENDPOINTS["change_role"]}, rows=STOPPED["change_role"]),
        4,
    ),
}


@pytest.mark.parametrize(
    ("mood", "exit_code"), [pytest.param(*case, id=name) for name, case in NO_WAITING.items()]
)
def test_the_command_says_the_same(tmp_path: Path, mood: Mood, exit_code: int) -> None:
    """As it is installed: four workers, its own clock, and results.csv for an answer."""
    for name, text in SHEETS.items():
        (tmp_path / name).write_text(text)
    command = Path(sys.executable).parent / "onboarding"
    options = [
        "--yes",
        "--init-state",
        "--quiet",
        "--state",
        "state",
        "--reports",
        "reports",
        "--tenant",
    ]
    with Sandbox(tmp_path / "tenant.db") as sandbox:
        tenant = Tenant(sandbox.url)
        faults = [dict(mood.fault)] if mood.fault else []
        tenant.post("/__sandbox__/faults", {"switches": dict(mood.switches), "faults": faults})
        done = subprocess.run(
            [command, "run", *SHEETS, *options, sandbox.url],
            cwd=tmp_path,
            env={**os.environ, "ATLAN_API_KEY": "sandbox", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        assert_nobody_was_invited_twice(tenant)
    (results,) = tmp_path.glob("reports/*/results.csv")
    with results.open(encoding="utf-8-sig", newline="") as file:
        rows = [(ROWS[row["result_row"]], row["result_status"]) for row in csv.DictReader(file)]
    assert len(rows) == len(ROWS)
    assert dict(rows) == expected(mood)
