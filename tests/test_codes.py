"""Every code is documented, and comes out of the real main path for a small file in ``tests/codes``.

A new code needs a file ``tests/codes/CODE.csv`` (or ``CODE.more.csv`` beside it), and a line in ``CASES`` if it takes more
than planning with it at ``company()``. What only a workbook or an odd file shows is in ``sample_data/mistakes``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import email, group, user
from desk import Desk, Quiet
from fakes import OWN, Crash, FakeTenant, Fault
from test_docs import codes as page_of_codes

from onboarding import pipeline
from onboarding.codes import CODES
from onboarding.errors import Stop
from onboarding.intake import Rules
from onboarding.job import Report
from onboarding.model import Finding, Role, Severity
from onboarding.reconcile import Wishes
from onboarding.report import RowResult
from onboarding.safety import Limit, Limits, Permissions

HERE = Path(__file__).parent
MISTAKES = HERE.parent / "sample_data" / "mistakes"


def company(**facts: Any) -> FakeTenant:
    """An admin, a member, somebody whose account is disabled, two groups that are easily told, and two that aren't."""
    people = [user("olga", Role.ADMIN), user("ana"), user("gone", enabled=False)]
    groups = [group("finance"), group("marketing"), group("sales", "Europe"), group("eu", "Sales")]
    return FakeTenant(people, groups, {"finance": ["ana"]}, **facts)


@dataclass(frozen=True)
class Case:
    """How a code is brought about."""

    play: Callable[[Desk, FakeTenant, dict[str, Any], list[Path]], Report]
    tenant: Callable[[], FakeTenant] = company
    facts: dict[str, Any] = field(default_factory=dict)
    """Of the job."""
    files: tuple[str, ...] = ()
    """Among the mistakes; none: those in ``tests/codes`` that are called like the code."""


def planned(desk: Desk, tenant: FakeTenant, facts: dict[str, Any], files: list[Path]) -> Report:
    return pipeline.plan(desk.job(*files, **facts), tenant, Quiet())


def validated(desk: Desk, _: FakeTenant, facts: dict[str, Any], files: list[Path]) -> Report:
    return pipeline.validate(desk.job(*files, **facts), Quiet())


def in_a_folder(desk: Desk, _: FakeTenant, facts: dict[str, Any], files: list[Path]) -> Report:
    """What is named itself has to be a table."""
    folder = desk.folder / "folder"
    folder.mkdir()
    for file in files:
        shutil.copy(file, folder)
    return pipeline.validate(desk.job(folder, **facts), Quiet())


def run(desk: Desk, tenant: FakeTenant, facts: dict[str, Any], files: list[Path]) -> Report:
    return desk.run(tenant, *files, **facts)


def declined(desk: Desk, tenant: FakeTenant, facts: dict[str, Any], files: list[Path]) -> Report:
    return desk.run(tenant, *files, voice=Quiet(agrees=False), **facts)


def stopped(desk: Desk, tenant: FakeTenant, facts: dict[str, Any], files: list[Path]) -> Report:
    stop = Stop()
    stop.ask(15)
    return pipeline.run(desk.job(*files, **facts), tenant, Quiet(), stop=stop)


def one_by_one(desk: Desk, tenant: FakeTenant, facts: dict[str, Any], files: list[Path]) -> Report:
    job = desk.job(*files, **facts)
    return pipeline.run(replace(job, pace=replace(job.pace, batch=1)), tenant, Quiet())


def crashed_before(
    desk: Desk, tenant: FakeTenant, facts: dict[str, Any], files: list[Path]
) -> Report:
    """Run again after a run that died behind its invitation."""
    tenant.faults.append(Fault("crash_after", "invite"))
    with pytest.raises(Crash):
        desk.run(tenant, *files, **facts)
    desk.time += 3_600
    return desk.run(tenant, *files, **facts)


def deleted_since(
    desk: Desk, tenant: FakeTenant, facts: dict[str, Any], files: list[Path]
) -> Report:
    """Run again after an admin has deleted who was invited."""
    desk.run(tenant, *files, **facts)
    tenant.drop("bob")
    return desk.run(tenant, *files, **facts)


def applied(
    desk: Desk, tenant: FakeTenant, facts: dict[str, Any], files: list[Path], *, meanwhile: Role
) -> Report:
    """Plan, let an admin change somebody's role, and apply the plan."""
    report = planned(desk, tenant, facts, files)
    assert report.folder
    tenant.put(user("ana", meanwhile))
    job = replace(desk.job(), **facts)
    return pipeline.apply_saved(report.folder / "plan.json", job, tenant, Quiet())


def taken_back(desk: Desk, tenant: FakeTenant, facts: dict[str, Any], files: list[Path]) -> Report:
    """Run, and take that back."""
    report = run(desk, tenant, facts, files)
    assert report.folder
    return pipeline.apply_saved(report.folder / "undo.json", desk.job(), tenant, Quiet())


def faulty(*faults: Fault, **facts: Any) -> Callable[[], FakeTenant]:
    return lambda: company(
        faults=[replace(fault, by_subject=dict(fault.by_subject)) for fault in faults], **facts
    )


def of_the_token() -> FakeTenant:
    """The token is olga's own, and there is another admin."""
    tenant = company()
    tenant.drop("olga")
    tenant.put(user("olga", Role.ADMIN, id=OWN), user("otto", Role.ADMIN))
    return tenant


def of_a_robot() -> FakeTenant:
    """One of the accounts with an address is another API token's."""
    tenant = company()
    tenant.put(user("robot", username="service-account-apikey-7"))
    return tenant


def of_two_anas() -> FakeTenant:
    """Another account has ana's address in capitals."""
    tenant = company()
    tenant.put(user("ana", id="u-Ana", username="ana2"))
    return tenant


ADMINS = {"permissions": Permissions(allow_admins=True)}
CASES = {
    "domain-not-allowed": Case(
        planned, facts={"rules": Rules(allowed_domains=frozenset({"acme.example"}))}
    ),
    "row-cut": Case(validated, files=("exported.xls",)),
    "cell-error": Case(validated, files=("workbook.xlsx",)),
    "id-unknown": Case(
        validated, files=("canvas-users.csv", "canvas-groups.csv", "canvas-members.csv")
    ),
    "group-deleted": Case(
        validated, files=("canvas-users.csv", "canvas-groups.csv", "canvas-members.csv")
    ),
    "member-not-a-person": Case(validated, files=("google-members.csv",)),
    "template-known": Case(validated, files=("google-members.csv",)),
    "table-ignored": Case(validated, files=("workbook.xlsx",)),
    "table-empty": Case(validated, files=("filtered.xlsx",)),
    "hidden-read": Case(validated, files=("filtered.xlsx",)),
    "rows-set-aside": Case(validated, files=("exported.xls",)),
    "read-as": Case(validated, files=("exported.xls",)),
    "encoding-guessed": Case(validated, files=("old-western.csv",)),
    "example-ignored": Case(in_a_folder),
    "nobody-missed": Case(planned, facts={"wishes": Wishes(authoritative=True)}),
    "person-ambiguous": Case(planned, of_two_anas),
    "protected-group": Case(planned, facts={"wishes": Wishes(sso_groups=frozenset({"finance"}))}),
    "not-compared": Case(validated),
    "earlier-run": Case(crashed_before),
    "own-account": Case(planned, of_the_token, ADMINS),
    "token-account": Case(planned, of_a_robot),
    "last-admin": Case(planned, facts=ADMINS),
    "invitations-off": Case(planned, facts={"permissions": Permissions(invite=False)}),
    "invited-recently": Case(deleted_since),
    "in-doubt": Case(run, faulty(Fault("doubt_before", "invite"))),
    "over-limit": Case(run, facts={"limits": Limits(invitations=Limit(0))}),
    "declined": Case(declined),
    "changed-since-plan": Case(partial(applied, meanwhile=Role.ADMIN)),
    "not-in-plan": Case(partial(applied, meanwhile=Role.GUEST)),
    "dependency": Case(run, lambda: company(poison={email("bob"): "not today"})),
    "interrupted": Case(stopped),
    "breaker": Case(one_by_one, faulty(Fault("doubt_before", "invite", times=9))),
    "done": Case(run),
    "refused": Case(run, lambda: company(poison={email("bob"): "not today"})),
    "not-visible": Case(run, lambda: company(read_lag=10**6)),
    "invite-by-hand": Case(run, lambda: company(no_invitations="SSO is enforced")),
    "undo-by-hand": Case(taken_back),
    "asked-again": Case(taken_back),
    "throttled": Case(run, faulty(Fault("throttle", "invite", times=99, retry_after=3_600.0))),
    "not-sent": Case(run, faulty(Fault("not_sent", "write", times=99))),
}
OUR_FAULT = {"unaccounted"}
"""No file brings this about, or we have a bug; tests/test_report.py makes it."""


def files_of(code: str) -> list[Path]:
    case = CASES.get(code)
    if case and case.files:
        return [MISTAKES / name for name in case.files]
    return sorted(path for path in (HERE / "codes").iterdir() if path.name.split(".")[0] == code)


def played(code: str, desk: Desk) -> Report:
    case = CASES.get(code, Case(planned))
    return case.play(desk, case.tenant(), case.facts, files_of(code))


def results(report: Report, code: str) -> Iterable[RowResult]:
    return [result for result in report.results if code in result.codes]


def findings(report: Report, code: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == code]


@pytest.mark.parametrize("code", [code for code in CODES if CODES[code].about != "outcome"])
def test_a_finding_comes_from_a_file_and_says_where_and_what(code: str, desk: Desk) -> None:
    report = played(code, desk)
    found = findings(report, code)
    assert found, sorted({finding.code for finding in report.findings})
    severity = Severity.REJECT if CODES[code].about == "row" else Severity.NOTE
    for finding in found:
        assert finding.severity is severity
        assert finding.message
        assert finding.fix or CODES[code].fix
        assert finding.row or finding.source
    if found[0].row and severity is Severity.REJECT:
        assert results(report, code)


OF_THE_WHOLE_ROW = {"row-ragged", "row-cut", "protected-group"}
OF_A_BLANK_CELL = {"email-missing", "group-missing", "row-cut"}


@pytest.mark.parametrize("code", [code for code in CODES if CODES[code].about == "row"])
def test_a_rejection_names_row_column_and_value(code: str, desk: Desk) -> None:
    for finding in findings(played(code, desk), code):
        assert finding.row
        assert bool(finding.column) or code in OF_THE_WHOLE_ROW
        assert bool(finding.value) or code in OF_A_BLANK_CELL


@pytest.mark.parametrize(
    "code", [c for c in CODES if CODES[c].about == "outcome" and c not in OUR_FAULT]
)
def test_an_outcome_comes_from_a_file_and_is_told_in_words(code: str, desk: Desk) -> None:
    report = played(code, desk)
    found = results(report, code)
    assert found, [(str(result.row), result.code) for result in report.results]
    assert all(result.message for result in found)
    assert all(CODES[code].fix in result.fix for result in found)


def test_no_file_is_left_over() -> None:
    named = {path.name.split(".")[0] for path in (HERE / "codes").iterdir()}
    assert named <= CODES.keys()
    assert CASES.keys() <= CODES.keys()


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_paragraph(code: str) -> None:
    entry = CODES[code]
    assert all((entry.title, entry.meaning, entry.example))
    assert f"### `{code}`" in page_of_codes()
    assert entry.fix or entry.about == "outcome"
