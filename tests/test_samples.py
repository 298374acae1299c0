"""The sample sheets show what they say they show, and the mistakes among them reach every finding code."""

from __future__ import annotations

import ast
import csv
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from onboarding import pipeline
from onboarding.atlan import Atlan
from onboarding.auth import ApiKey
from onboarding.codes import CODES
from onboarding.config import read_files
from onboarding.config.settings import settle
from onboarding.intake import Rules
from onboarding.job import Job, Prospect
from onboarding.model import Finding, Severity
from onboarding.pacing import Budget
from onboarding.reconcile import Wishes
from onboarding.safety import Limits
from onboarding.sandbox import Sandbox
from onboarding.transport import Transport

HOME = Path(__file__).parent.parent
SAMPLES = HOME / "sample_data"
MISTAKES = SAMPLES / "mistakes"

Told = tuple[str, str, str]
"""What a result row tells: status, code, actions."""


def told(folder: Path) -> dict[str, Told]:
    with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return {
            row["result_row"]: (row["result_status"], row["result_code"], row["result_actions"])
            for row in csv.DictReader(file)
        }


# ---- the company that is well, but for a handful of mistakes ----------------------------------------------------


@dataclass
class Ran:
    """One run of the samples as a person makes it."""

    code: int
    summary: dict[str, Any]
    rows: dict[str, Told]
    retry: list[str]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Ran]:
    """Run twice over the same sheets, with the same embedded tenant."""
    desk = tmp_path_factory.mktemp("desk")
    shutil.copytree(SAMPLES, desk / "sample_data")
    command = [sys.executable, "-m", "onboarding", "run", "sample_data", "--tenant", "sandbox"]
    ran = []
    for _ in range(2):
        done = subprocess.run(
            [*command, "--yes", "--json"],
            cwd=desk,
            env={"HOME": str(desk)},
            capture_output=True,
            text=True,
            check=False,
        )
        summary = json.loads(done.stdout)
        folder = desk / summary["folder"]
        retry = sorted(path.name for path in (folder / "retry").iterdir())
        ran.append(Ran(done.returncode, summary, told(folder), retry))
    return ran


HR = "hr-export.csv"
TEAMS = "teams.xlsx"
UNCHANGED = ("unchanged", "no-change", "")
WRONG = {
    f"{HR}:15": ("rejected", "email-invalid", ""),
    f"{HR}:16": ("rejected", "role-unknown", ""),
    f"{HR}:17": ("rejected", "group-unknown", ""),
    f"{HR}:18": ("rejected", "person-conflict", ""),
    f"{HR}:19": ("rejected", "person-conflict", ""),
    f"{TEAMS}!Memberships:8": ("skipped", "held", ""),
    f"{TEAMS}!Memberships:9": ("rejected", "person-unknown", ""),
}
FIRST = {
    f"{HR}:2": UNCHANGED,
    f"{HR}:3": UNCHANGED,
    f"{HR}:4": UNCHANGED,
    f"{HR}:5": ("applied", "done", "role changed from Guest to Member"),
    f"{HR}:6": UNCHANGED,  # on leave
    f"{HR}:7": ("applied", "done", "added to Marketing"),  # invited and pending: not again
    f"{HR}:8": ("unchanged", "already-disabled", ""),
    f"{HR}:9": ("manual", "deactivate", "to be deactivated by hand"),
    f"{HR}:10": ("applied", "done", "invited as Member; added to Analytics, Data Platform"),
    f"{HR}:11": ("applied", "done", "invited as Guest; added to Finance"),
    f"{HR}:12": ("applied", "done", "invited as Member; added to Analytics, Finance"),
    f"{HR}:13": ("applied", "done", "invited as Member; added to Data Platform"),
    f"{HR}:14": ("unchanged", "not-started", ""),
    f"{TEAMS}!People:2": ("applied", "done", "invited as Guest; added to Marketing"),
    f"{TEAMS}!People:3": ("applied", "done", "invited as Guest; added to Analytics, Marketing"),
    f"{TEAMS}!People:4": ("applied", "done", "invited as Guest"),
    f"{TEAMS}!Teams:2": UNCHANGED,
    f"{TEAMS}!Teams:3": ("applied", "done", "group Finance changed (description)"),
    f"{TEAMS}!Teams:4": ("applied", "done", "group Analytics created"),
    f"{TEAMS}!Teams:5": ("applied", "done", "group R&D / Ops created"),
    f"{TEAMS}!Memberships:2": ("applied", "done", "added to Analytics"),
    f"{TEAMS}!Memberships:3": ("applied", "done", "added to Finance"),
    f"{TEAMS}!Memberships:4": ("applied", "done", "added to Analytics"),
    f"{TEAMS}!Memberships:5": ("applied", "done", "removed from Finance"),
    f"{TEAMS}!Memberships:6": ("applied", "done", "added to R&D / Ops"),
    f"{TEAMS}!Memberships:7": UNCHANGED,
    **WRONG,
}


def test_the_first_run_shows_every_kind_of_row(runs: list[Ran]) -> None:
    first = runs[0]
    assert first.rows == FIRST
    assert (first.code, first.summary["invitations_sent"]) == (1, 7)
    assert first.retry == [HR, TEAMS]


def test_it_takes_as_many_calls_as_it_says(runs: list[Ran]) -> None:
    calls = runs[0].summary["calls"]
    assert calls["made"] == calls["announced"]


def test_the_second_run_sends_nothing(runs: list[Ran]) -> None:
    second = runs[1]
    as_before = {
        row: UNCHANGED if status == "applied" else (status, code, actions)
        for row, (status, code, actions) in FIRST.items()
    }
    assert second.rows == as_before
    assert (second.summary["invitations_sent"], second.summary["changes"]) == (0, _no_changes())
    assert second.code == 1


def _no_changes() -> dict[str, dict[str, int]]:
    actions = ("invite", "change-role", "create-group", "update-group", "grant", "revoke")
    return {action: {} for action in actions}


def test_the_guide_to_the_samples_names_every_wrong_row() -> None:
    guide = (SAMPLES / "README.md").read_text()
    for row, (_, code, _) in WRONG.items():
        source, _, number = row.partition(":")
        named = re.escape(source.rpartition("!")[2])
        assert re.search(rf"{named}.*\b{number}\b.*`{code}`", guide), row


# ---- the mistakes ------------------------------------------------------------------------------------------------


class Silent:
    """Nobody is told or asked anything."""

    def step(self, done: int, total: int, what: str) -> None: ...

    def rows(self, through: int, total: int) -> None: ...

    def opened(self, folder: Path) -> None: ...

    def propose(self, prospect: Prospect) -> None: ...

    def confirm(self, prospect: Prospect) -> bool:
        raise AssertionError("a plan asks nobody")

    def insist(self, refusal: object) -> bool:
        raise AssertionError(refusal)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finding, ...]:
    """Plan with the mistakes against the embedded tenant, and give all findings."""
    desk = tmp_path_factory.mktemp("desk")
    settings = shutil.copy(MISTAKES / "settings.toml", desk)
    Path(settings).chmod(0o600)
    chosen = settle(read_files(Path(settings), desk))
    assert chosen.max_rejected
    job = Job(
        inputs=(str(MISTAKES),),
        rules=Rules(allowed_domains=chosen.allowed_domains),
        wishes=Wishes(sso_groups=chosen.sso_groups),
        limits=Limits(rejected=chosen.max_rejected),
        reports=desk / "reports",
        state=desk / "state",
    )
    with Sandbox(desk / "tenant.db", key="sandbox") as sandbox:
        transport = Transport(sandbox.url, ApiKey("sandbox"), budget=Budget(float("inf")))
        report = pipeline.plan(job, Atlan(transport, tenant="acme.example"), Silent())
    return report.findings


def about(*kinds: str) -> set[str]:
    return {code for code, entry in CODES.items() if entry.about in kinds}


def test_the_mistakes_reach_every_code_of_a_row_or_a_note(found: tuple[Finding, ...]) -> None:
    assert {finding.code for finding in found} == about("row", "note") - NOT_AMONG_THEM


NOT_AMONG_THEM = {
    *("domain-doubtful", "asked-again", "person-ambiguous", "example-ignored", "nobody-missed"),
}
"""The settings of the mistakes name the domains that are meant, nothing is undone or taken for absence, the embedded tenant
keeps addresses in small letters, and no sheet is an example; tests/test_codes.py has them all."""


def test_a_rejection_is_a_row_code_and_a_note_is_a_note(found: tuple[Finding, ...]) -> None:
    severity = {"row": Severity.REJECT, "note": Severity.NOTE}
    assert {f.code: f.severity for f in found} == {
        code: severity[CODES[code].about] for code in about("row", "note") - NOT_AMONG_THEM
    }


OF_A_TABLE = {
    *("column-unknown", "encoding-guessed", "hidden-read", "read-as", "rows-set-aside"),
    *("table-empty", "table-ignored", "template-known", "column-damaged"),
}
OF_A_WHOLE_ROW = {"protected-group", "row-cut", "row-ragged"}
BESIDE_THE_TENANT = {"email-changed", "group-ambiguous", "group-unknown", "person-unknown"}
"""Found where the tables are far behind: the message names the value, and the column follows from it."""
OF_A_BLANK_CELL = {"email-missing", "group-missing"}


def test_every_finding_says_where_what_and_what_to_do(found: tuple[Finding, ...]) -> None:
    lacking = [
        (finding.code, name)
        for finding in found
        for name, there, excused in (
            ("place", finding.row or finding.source, set()),
            ("row", finding.row, OF_A_TABLE),
            (
                "column",
                finding.column,
                (OF_A_TABLE - {"column-unknown", "column-damaged"})
                | OF_A_WHOLE_ROW
                | BESIDE_THE_TENANT,
            ),
            ("value", finding.value, OF_A_TABLE | OF_A_WHOLE_ROW | OF_A_BLANK_CELL),
            ("message", finding.message, set()),
            ("fix", finding.fix or CODES[finding.code].fix, set()),
        )
        if not there and finding.code not in excused
    ]
    assert lacking == []


def test_every_row_says_itself_whether_it_is_wrong(found: tuple[Finding, ...]) -> None:
    """The people and groups among the mistakes carry a remark; those that are fine say so."""
    wrong = {str(f.row) for f in found if f.severity is Severity.REJECT}
    for name, column in (("people.csv", 6), ("groups.csv", 2), ("damaged.csv", 6)):
        with (MISTAKES / name).open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                fine = row[column].casefold().startswith("fine") or number == 1
                if any(row[column]):
                    assert (f"{name}:{number}" in wrong) is not fine, (name, number)


def test_the_guide_to_the_mistakes_is_right(found: tuple[Finding, ...]) -> None:
    said: set[tuple[str, str]] = set()
    where = ""
    for line in (MISTAKES / "README.md").read_text().splitlines():
        if told := re.fullmatch(r"\| (.*?) ?\| (.*?) ?\| .*?`([a-z-]+)`.*\|", line):
            where = told[1] or where
            place = where.replace(" ", "!", 1)
            rows = [] if told[2] == "header" else [n for n in told[2].split(", ") if n]
            said |= {(f"{place}:{row}", told[3]) for row in rows} or {(place, told[3])}
    assert said == {(str(finding.row or finding.source), finding.code) for finding in found}


# ---- the codes and the program -----------------------------------------------------------------------------------

NO_CODES = {"default-off", "default-on", "look-ups", "onboarding-reports", "rate-limit"} | {
    *("change-role", "create-group", "update-group"),  # actions
    *(
        "covered-table-cell",
        "table-cell",
        "table-column",
        "table-row",
        "line-break",
    ),  # of OpenDocument
}
"""Whatever else is written like a code is taken for one: give it words in codes.py, or name it here."""


@cache
def words_of_the_program() -> frozenset[str]:
    """Give every word in quotes that could be a code, but for those of enumerations and of the embedded tenant."""
    found: set[str] = set()
    for path in (HOME / "onboarding").rglob("*.py"):
        if not {"codes", "sandbox"} & set(path.parts):
            tree = ast.parse(path.read_text())
            enumerated = {
                id(node)
                for enumeration in ast.walk(tree)
                if isinstance(enumeration, ast.ClassDef)
                and any("Enum" in ast.unparse(base) for base in enumeration.bases)
                for node in ast.walk(enumeration)
            }
            found |= {
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in enumerated
                and re.fullmatch(r"[a-z]+(-[a-z]+)*", node.value)
            }
    return frozenset(found)


def test_no_code_is_left_over() -> None:
    assert CODES.keys() - words_of_the_program() == set()


def test_no_code_is_without_words() -> None:
    like_codes = {word for word in words_of_the_program() if "-" in word}
    assert like_codes - CODES.keys() - NO_CODES == set()


@pytest.mark.parametrize("code", CODES)
def test_the_words_of_a_code_are_fit_to_print(code: str) -> None:
    entry = CODES[code]
    assert entry.about in {"row", "note", "outcome"}
    assert entry.meaning.endswith((".", "?"))
    assert not entry.fix or entry.fix.endswith(".")
    assert not entry.title.endswith(".")
    assert len(f"  {'':>9}  {entry.title} [{code}]") <= 80


def test_no_two_codes_have_one_title() -> None:
    assert len({entry.title for entry in CODES.values()}) == len(CODES)
