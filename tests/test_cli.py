"""The command as a person, cron and a pipe meet it."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

from onboarding import __version__
from onboarding.cli import cli
from onboarding.codes import CODES
from onboarding.journal import State

COMMANDS = (
    "run",
    "validate",
    "plan",
    "apply",
    "export",
    "template",
    "explain",
    "sandbox",
    "doctor",
)
SHEET = "email,role,groups\nnew.one@acme.example,Member,Finance\nnew.two@acme.example,Guest,\n"
BAD_ROW = "bob@acme,Guest,\n"
KEY = "canary-0123456789abcdef"


@dataclass
class Desk:
    """A folder to work in, with no settings and nothing in the environment."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def file(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    @property
    def environ(self) -> dict[str, str]:
        return {"HOME": str(self.folder / "home"), **self.environment}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "onboarding", *arguments]

    def run(
        self, *arguments: str, stdin: str = "", stdout: int | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environ | environ,
            input=stdin,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr
        return done


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.file("people.csv", SHEET)
    return desk


# ---- help ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_fits_80_columns_and_shows_an_example(command: str) -> None:
    shown = CliRunner().invoke(cli, [*command.split(), "--help"], terminal_width=80)
    assert shown.exit_code == 0
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []
    assert f"  onboarding {command or 'run'}" in shown.output


def test_the_commands_are_listed_as_a_person_meets_them() -> None:
    shown = CliRunner().invoke(cli, ["--help"]).output
    listed = re.findall(r"^  (\w+) ", shown.partition("Commands:")[2], re.MULTILINE)
    assert tuple(listed) == COMMANDS


def test_options_stand_in_sections() -> None:
    shown = CliRunner().invoke(cli, ["run", "--help"]).output
    assert re.findall(r"^(\w[^:\n]*):$", shown, re.MULTILINE) == [
        "Example",
        "Tenant",
        "Reading the sheets",
        "What may change",
        "Limits, each N or N%",
        "Output",
        "Help",
    ]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "onboarding", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    lines = done.stderr.splitlines()
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    heavy = {"pandas", "numpy", "pandera", "requests", "urllib3", "pydantic", "tqdm", "sqlite3"}
    assert "click" in loaded
    assert loaded & heavy == set()


def test_the_version_is_that_of_the_package(desk: Desk) -> None:
    assert desk.run("--version").stdout == f"onboarding, version {__version__}\n"


def test_no_argument_shows_the_help() -> None:
    assert "Usage: onboarding" in CliRunner().invoke(cli, [], prog_name="onboarding").output


# ---- too late -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["run", "people.csv"], id="run"),
        pytest.param(["run", "--inbox", "."], id="inbox"),
        pytest.param(["apply", "plan.json"], id="apply"),
    ],
)
def test_whoever_comes_too_late_leaves_before_anything_heavy_is_imported(
    desk: Desk, arguments: list[str]
) -> None:
    """Twenty that are started at once would else keep the machine busy for ten seconds, only to leave."""
    desk.file("plan.json", "never read")
    desk.environment |= {"ATLAN_BASE_URL": "https://acme.example", "ATLAN_API_KEY": KEY}
    desk.environment |= {"PYTHONPROFILEIMPORTTIME": "1"}
    with State.alone(desk.folder / "state", "acme.example", create=True):
        done = desk.run(*arguments, "--yes", "--state", "state")
    loaded, said = [], []
    for line in done.stderr.splitlines():
        if line.startswith("import time:"):
            loaded.append(line.rpartition("|")[2].strip().partition(".")[0])
        else:
            said.append(line)
    assert (done.returncode, done.stdout, len(said)) == (75, "", 1)
    assert said[0].startswith("error: another run is at work on this tenant (process ")
    assert "onboarding" in loaded
    slow = {"pandas", "numpy", "pandera", "pydantic", "requests", "sqlite3", "urllib3", "tqdm"}
    slow |= {"logging", "tomllib"}  # small, but a tenth of such a start
    assert slow & {*loaded} == set()


def test_settings_that_an_inbox_only_links_to_are_not_read(desk: Desk) -> None:
    desk.file("elsewhere.toml", "tenant = 'https://other.example'")
    desk.file("inbox/.hidden.csv", SHEET)
    (desk.folder / "inbox/onboarding.toml").symlink_to(desk.folder / "elsewhere.toml")
    done = desk.run("run", "--inbox", "inbox", "--tenant", "sandbox", "--yes")
    assert done.returncode == 0, done.stderr


def test_an_inbox_without_uploads_is_nobodys_turn(desk: Desk) -> None:
    """Cron looks every minute, and a long run is no reason to complain each time."""
    desk.file("inbox/.hidden.csv", SHEET)
    desk.file("inbox/onboarding.toml", "encoding = 'utf-8'")
    desk.file("inbox/done/people.csv", SHEET)
    desk.environment |= {"ATLAN_BASE_URL": "https://acme.example", "ATLAN_API_KEY": KEY}
    with State.alone(desk.folder / "state", "acme.example", create=True):
        done = desk.run("run", "--inbox", "inbox", "--yes", "--state", "state")
    assert done.returncode == 0
    assert "Nothing new lies in inbox." in done.stderr


# ---- usage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["frobnicate"], "No such command 'frobnicate'", id="command"),
        pytest.param(["run", "x.csv", "--alow-admins"], "--allow-admins", id="suggestion"),
        pytest.param(["plan"], "Missing argument 'INPUT...'", id="argument"),
        pytest.param(["run"], "Name INPUT, or a folder of uploads", id="no-input"),
        pytest.param(["run", "x.csv", "--inbox", "in"], "--inbox, not both", id="both"),
        pytest.param(
            ["run", "--inbox", "in", "--yes", "--accept", "f00d"], "about one file", id="accept"
        ),
        pytest.param(["validate", "x.csv", "--kind", "people"], "'users', 'groups'", id="choice"),
        pytest.param(["run", "x.csv", "--yes"], "--tenant sandbox", id="no-tenant"),
        pytest.param(["plan", "x.csv"], "--tenant sandbox", id="no-tenant-plan"),
        pytest.param(
            ["plan", "x.csv", "--tenant", "http://acme.atlan.com"], "https", id="plain-http"
        ),
        pytest.param(["plan", "x.csv", "--tenant", "acme.atlan.com"], "no key", id="no-key"),
        pytest.param(
            ["plan", "x.csv", "--tenant", "sandbox", "--max-removals", "lots"],
            "--max-removals: write a number",
            id="limit",
        ),
        pytest.param(["validate", "x.csv", "--config", "no.toml"], "no.toml", id="config"),
        pytest.param(["explain", "email-invalidd"], "did you mean email-invalid?", id="code"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_2(desk: Desk, arguments: list[str], words: str) -> None:
    done = desk.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert words in done.stderr


def test_without_a_terminal_a_run_needs_yes_before_anything(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        done = desk.run("run", "missing.csv", "--tenant", url, ATLAN_API_KEY=KEY)
        assert done.returncode == 2
        assert "--yes" in done.stderr
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("option", ["accept", "allow_admins", "allow_default", "authoritative"])
def test_what_a_person_decides_is_not_read_from_the_environment(desk: Desk, option: str) -> None:
    command = cli.commands["run"]
    (parameter,) = (p for p in command.params if p.name == option)
    assert parameter.envvar is None


def test_every_other_option_can_be_set_in_the_environment() -> None:
    by_hand = {"accept", "allow_admins", "allow_default", "authoritative", "reinvite"}
    for parameter in cli.commands["run"].params:
        if parameter.name not in by_hand | {"inputs", "tenant", "as_json"}:
            assert parameter.envvar == f"ONBOARDING_{parameter.name.upper()}"


# ---- precedence ---------------------------------------------------------------------------------------------------


def origin_of_reports(desk: Desk, *arguments: str, **environ: str) -> str:
    done = desk.run("doctor", "--json", "--tenant", "sandbox", *arguments, **environ)
    checks = json.loads(done.stdout)["checks"]
    return next(check["seen"] for check in checks if check["name"] == "state")


def test_a_flag_goes_before_the_environment_before_the_file(desk: Desk) -> None:
    path = desk.file("a.toml", 'state = "/from/file"\n')
    given = ("--config", str(path))
    environ = {"ONBOARDING_STATE": "/from/environment"}
    flag = ("--state", "/from/flag")
    assert origin_of_reports(desk, *given) == f"/from/file  (from {path})"
    assert (
        origin_of_reports(desk, *given, **environ) == "/from/environment  (from ONBOARDING_STATE)"
    )
    assert origin_of_reports(desk, *given, *flag, **environ) == "/from/flag  (from --state)"


def test_settings_that_are_wrong_are_told_before_a_sheet_that_is(desk: Desk) -> None:
    desk.file("onboarding.toml", 'encoding = "cp1252"\nworkers = "many"\n')
    done = desk.run("validate", "missing.csv")
    assert done.returncode == 2
    assert "workers" in done.stderr
    assert "missing.csv" not in done.stderr


def test_the_settings_file_may_be_named_in_the_environment(desk: Desk) -> None:
    path = desk.file("a.toml", "worker = 1\n")
    done = desk.run("validate", "people.csv", ONBOARDING_CONFIG=str(path))
    assert (done.returncode, done.stderr) == (
        2,
        f"error: {path}: worker: there is no such setting; did you mean workers?\n",
    )


def test_a_file_in_the_working_folder_sends_no_key_elsewhere(desk: Desk) -> None:
    desk.file("onboarding.toml", 'tenant = "https://evil.example"\n')
    done = desk.run("plan", "people.csv", ATLAN_API_KEY=KEY)
    assert done.returncode == 2
    assert "tenant can't be set here" in done.stderr


def test_a_key_of_the_environment_does_not_follow_a_tenant_of_the_file(desk: Desk) -> None:
    path = desk.file("a.toml", 'tenant = "https://acme.atlan.com"\n')
    done = desk.run("plan", "people.csv", "--config", str(path), ATLAN_API_KEY=KEY)
    assert done.returncode == 2
    assert "a key goes only to the tenant named beside it" in done.stderr
    assert KEY not in done.stderr


# ---- small commands -----------------------------------------------------------------------------------------------


def test_validate_explains_tables_to_people_and_to_programs(tmp_path: Path) -> None:
    path = tmp_path / "hr.csv"
    path.write_text("Mail,Rolle,Colour\nana@acme.example,Guest,red\n")
    shown = CliRunner().invoke(cli, ["validate", str(path), "--explain"]).output
    assert shown.startswith("hr.csv: users\n  because of  an e-mail and role\n")
    said = CliRunner().invoke(cli, ["validate", str(path), "--explain", "--json"]).stdout
    (table,) = json.loads(said)["tables"]
    assert [column["field"] for column in table["columns"]] == ["email", "role", ""]


def test_validate_explains_the_columns_of_a_table_that_it_refuses(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text("Email,E-mail,Rolle,Foo\n")
    shown = CliRunner().invoke(cli, ["validate", str(path), "--explain"])
    assert shown.exit_code == 3
    assert shown.stdout == (
        'columns: A "Email" = email, B "E-mail" = email, C "Rolle" = role, D "Foo"\n'
    )
    assert "more than one column means email" in shown.stderr
    assert CliRunner().invoke(cli, ["validate", str(path)]).stdout == ""


def test_explain_tells_a_code() -> None:
    shown = CliRunner().invoke(cli, ["explain", "email-invalid"]).output
    assert shown == (
        "email-invalid: Not an e-mail address.\n"
        "The e-mail cell does not hold an address that mail could be sent to.\n"
        "Example: bob@acme\n"
        "What to do: Correct the address; it looks like name@company.example.\n"
    )


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_told_whole_within_80_columns(code: str) -> None:
    shown = CliRunner().invoke(cli, ["explain", code]).output
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    entry = CODES[code]
    told = " ".join(shown.split())
    assert all(part in told for part in (code, entry.meaning, entry.example, entry.fix))


def test_explain_lists_all_codes_within_80_columns() -> None:
    lines = CliRunner().invoke(cli, ["explain"]).output.splitlines()
    assert [line.split()[0] for line in lines if line[0] != " "] == list(CODES)
    assert [line for line in lines if len(line) > 80] == []


def test_validate_shows_findings_as_a_compiler_does(desk: Desk) -> None:
    desk.file("people.csv", SHEET + BAD_ROW)
    done = desk.run("validate", "people.csv")
    assert done.returncode == 1
    assert done.stdout.startswith("people.csv:4 email ")
    assert "[email-invalid]" in done.stdout
    assert not (desk.folder / "onboarding-reports").exists()


def test_validate_writes_reports_where_it_is_told_to(desk: Desk) -> None:
    desk.file("a.toml", 'reports = "elsewhere"\n')
    done = desk.run("validate", "people.csv", "--config", "a.toml", "--reports", "here")
    assert done.returncode == 0
    assert [path.name for path in desk.folder.glob("here/*/results.csv")] == ["results.csv"]
    assert not (desk.folder / "elsewhere").exists()


def test_validate_reads_standard_input(desk: Desk) -> None:
    assert desk.run("validate", "-", stdin=SHEET).returncode == 0


def test_the_seconds_that_are_told_have_the_reading_in_them(desk: Desk) -> None:
    desk.file("people.csv", SHEET)
    line = " ".join(desk.command("validate", "-", "--json"))
    shell = ["sh", "-c", f"(sleep 2; cat people.csv) | {line}"]
    done = subprocess.run(
        shell, cwd=desk.folder, env=desk.environ, check=False, capture_output=True
    )
    assert json.loads(done.stdout)["seconds"] > 1


@pytest.mark.parametrize(("settings", "code"), [("worker = 1\n", 2), ("", 3)])
@pytest.mark.parametrize("command", ["validate", "run --yes --tenant sandbox"])
def test_a_standard_input_that_is_closed_is_no_bug(
    desk: Desk, command: str, settings: str, code: int
) -> None:
    desk.file("a.toml", settings)
    line = " ".join(desk.command(*command.split(), "-", "--config", "a.toml"))
    shell = ["sh", "-c", f"{line} <&-"]
    done = subprocess.run(shell, cwd=desk.folder, env=desk.environ, check=False, timeout=120)
    assert done.returncode == code


def test_export_writes_sheets_and_counts(desk: Desk) -> None:
    done = desk.run("export", "out", "--tenant", "sandbox", "--json")
    assert done.returncode == 0
    assert set(json.loads(done.stdout)) == {"users", "groups", "memberships"}
    assert list((desk.folder / "out").iterdir())


def test_doctor_shows_what_is_well(desk: Desk) -> None:
    done = desk.run("doctor", "--tenant", "sandbox")
    assert done.returncode == 0
    assert re.findall(r"^(\w\w)  (\w[\w -]*?)  ", done.stdout, re.MULTILINE) == [
        ("ok", name)
        for name in (
            "tenant",
            "API key",
            "connection",
            "token",
            "roles",
            "round trip",
            "paging",
            "look-ups",
            "single sign-on",
            "domains",
        )
    ]


def test_doctor_says_of_a_state_folder_whether_it_is_there(desk: Desk) -> None:
    words = "It is not there yet; a first run that nobody watches needs --init-state."
    (desk.folder / "here").mkdir()
    for state, to_do in (("here", ""), ("elsewhere", words)):
        done = desk.run("doctor", "--json", "--tenant", "sandbox", ONBOARDING_STATE=state)
        (check,) = [one for one in json.loads(done.stdout)["checks"] if one["name"] == "state"]
        assert (check["ok"], check["to_do"]) == (True, to_do)


def test_doctor_without_a_key_says_so(desk: Desk) -> None:
    done = desk.run("doctor", "--tenant", "acme.atlan.com")
    assert done.returncode == 2
    assert "no  settings          there is no key for acme.atlan.com" in done.stdout


def test_doctor_does_not_show_a_password_in_an_address(desk: Desk) -> None:
    done = desk.run("doctor", "--tenant", "https://me:s3cret@acme.example")
    assert done.returncode == 2
    assert "https://***@acme.example" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_an_input_that_is_not_there_is_3(desk: Desk) -> None:
    done = desk.run("plan", "missing.csv", "--tenant", "sandbox")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: missing.csv")


# ---- the sandbox --------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """The embedded tenant in the foreground."""

    process: subprocess.Popen[str]
    url: str
    key: str


@pytest.fixture
def server(desk: Desk) -> Iterator[Server]:
    with subprocess.Popen(
        desk.command("sandbox"),
        cwd=desk.folder,
        env=desk.environ,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        said = "".join(process.stderr.readline() for _ in range(3))
        found = re.search(r"ATLAN_BASE_URL=(\S+) ATLAN_API_KEY=(\S+)", said)
        assert found, said
        try:
            yield Server(process, found[1], found[2])
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0


def test_the_sandbox_says_how_to_point_the_tool_at_it(desk: Desk, server: Server) -> None:
    environ = {"ATLAN_BASE_URL": server.url, "ATLAN_API_KEY": server.key}
    assert desk.run("plan", "people.csv", **environ).returncode == 0


def test_a_wrong_key_is_4_and_is_not_shown(desk: Desk, server: Server) -> None:
    environ = {"ATLAN_BASE_URL": server.url, "ATLAN_API_KEY": KEY}
    done = desk.run("plan", "people.csv", "--verbose", **environ)
    assert done.returncode == 4
    assert KEY not in done.stdout + done.stderr
    assert not (desk.folder / "onboarding-reports").exists()
    assert "no  token" in desk.run("doctor", **environ).stdout


def test_a_missing_state_folder_is_an_error_without_a_terminal(desk: Desk, server: Server) -> None:
    environ = {"ATLAN_BASE_URL": server.url, "ATLAN_API_KEY": server.key}
    given = ("run", "people.csv", "--yes", "--state", "state")
    done = desk.run(*given, **environ)
    assert done.returncode == 2
    assert "--init-state" in done.stderr
    assert desk.run(*given, "--init-state", **environ).returncode == 0
    assert desk.run(*given, **environ).returncode == 0


def test_a_port_that_is_taken_is_2(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = desk.run("sandbox", "--port", port)
    assert done.returncode == 2
    assert done.stderr.startswith("error: the embedded tenant can't serve on port")


def test_a_tenant_that_is_down_is_4(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    done = desk.run("plan", "people.csv", "--tenant", url, ATLAN_API_KEY=KEY)
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1


# ---- the job ------------------------------------------------------------------------------------------------------


def test_a_run_and_a_second_one(desk: Desk) -> None:
    first = desk.run("run", "people.csv", "--tenant", "sandbox", "--yes")
    assert (first.returncode, first.stderr) == (0, "")
    assert "This sends 2 invitation e-mails" in first.stdout
    again = desk.run("run", "people.csv", "--tenant", "sandbox", "--yes")
    assert again.returncode == 0
    assert "Nothing to do" in again.stdout


def test_a_plan_is_saved_and_carried_out(desk: Desk) -> None:
    planned = desk.run("plan", "people.csv", "--tenant", "sandbox", "--json")
    facts = json.loads(planned.stdout)
    plan = str(Path(facts["folder"]) / "plan.json")
    other = desk.run("apply", plan, "--tenant", "sandbox", "--yes", "--expect", "0" * 16)
    assert other.returncode == 2
    given = ("--tenant", "sandbox", "--yes", "--json", "--expect", facts["fingerprint"])
    done = desk.run("apply", plan, *given)
    assert done.returncode == 0
    assert json.loads(done.stdout)["statuses"]["applied"] == 2


def test_json_is_one_object_and_nothing_else(desk: Desk) -> None:
    done = desk.run("run", "people.csv", "--tenant", "sandbox", "--yes", "--json")
    facts = json.loads(done.stdout)
    assert (facts["exit_code"], done.returncode, done.stderr) == (0, 0, "")
    assert facts["calls"]["announced"] == facts["calls"]["made"]


def test_json_tells_errors_too(desk: Desk) -> None:
    done = desk.run("plan", "missing.csv", "--tenant", "sandbox", "--json")
    facts = json.loads(done.stdout)
    assert (facts["exit_code"], done.returncode) == (3, 3)
    assert facts["error"].startswith("missing.csv")


def test_quiet_says_nothing_when_all_is_well(desk: Desk) -> None:
    done = desk.run("run", "people.csv", "--tenant", "sandbox", "--yes", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_quiet_still_says_what_needs_somebody(desk: Desk) -> None:
    desk.file("people.csv", SHEET + BAD_ROW)
    done = desk.run("run", "people.csv", "--tenant", "sandbox", "--yes", "--quiet")
    assert done.returncode == 1
    assert "Exit code 1" in done.stdout


def test_a_limit_is_5_and_the_fingerprint_lets_that_plan_pass(desk: Desk) -> None:
    given = ("run", "people.csv", "--tenant", "sandbox", "--yes", "--max-invitations", "1")
    refused = desk.run(*given)
    assert refused.returncode == 5
    fingerprint = re.search(r"--accept ([0-9a-f]{16})", refused.stderr)
    assert fingerprint
    assert desk.run(*given, "--accept", "0" * 16).returncode == 5
    assert desk.run(*given, "--accept", fingerprint[1]).returncode == 0


def test_a_report_folder_that_can_not_be_made_is_74(desk: Desk) -> None:
    given = ("--tenant", "sandbox", "--yes", "--reports", "people.csv/reports")
    done = desk.run("run", "people.csv", *given)
    assert done.returncode == 74
    assert done.stderr.startswith("error: ")


def test_what_is_left_behind_is_private(desk: Desk) -> None:
    desk.run("run", "people.csv", "--tenant", "sandbox", "--yes", "--verbose")
    modes = {
        oct(path.stat().st_mode & 0o777)
        for name in ("onboarding-reports", "home", "onboarding-sandbox.db")
        for path in [desk.folder / name, *(desk.folder / name).rglob("*")]
    }
    assert modes == {"0o600", "0o700"}


def test_the_log_of_a_run_holds_no_address(desk: Desk) -> None:
    desk.run("run", "people.csv", "--tenant", "sandbox", "--yes")
    (path,) = desk.folder.glob("onboarding-reports/*/run.log")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[-1]["message"] == "2 rows, exit code 0"
    assert "@" not in path.read_text()


def test_the_log_of_a_run_has_every_call_with_its_id(desk: Desk) -> None:
    desk.run("run", "people.csv", "--tenant", "sandbox", "--yes")
    (folder,) = desk.folder.glob("onboarding-reports/*")
    messages = [
        json.loads(line)["message"] for line in (folder / "run.log").read_text().splitlines()
    ]
    calls = [line for line in messages if line.startswith(("GET /", "POST /"))]
    summary = json.loads((folder / "summary.json").read_text())
    assert len(calls) == summary["calls"]["made"]
    with (folder / "actions.csv").open(encoding="utf-8-sig", newline="") as file:
        ids = {row["request_id"] for row in csv.DictReader(file)}
    assert ids
    assert all(any(request_id in call for call in calls) for request_id in ids)


# ---- streams ------------------------------------------------------------------------------------------------------


LOST = "error: the output could not be written; it stands "


@pytest.mark.parametrize("more", ["", BAD_ROW], ids=["all-well", "a-row-is-wrong"])
def test_a_full_output_does_not_stop_a_run_and_is_said_whatever_else_is(
    desk: Desk, more: str
) -> None:
    desk.file("people.csv", SHEET + more)
    with Path("/dev/full").open("w") as full:
        done = desk.run("run", "people.csv", "--tenant", "sandbox", "--yes", stdout=full.fileno())
    (report,) = desk.folder.glob("onboarding-reports/*")
    assert (done.returncode, done.stderr) == (74, f"{LOST}in {report} too\n")
    assert (report / "results.csv").exists()


def test_an_output_that_is_lost_without_a_report_is_said_to_be_lost(desk: Desk) -> None:
    desk.file("people.csv", SHEET)
    with Path("/dev/full").open("w") as full:
        done = desk.run("validate", "people.csv", stdout=full.fileno())
    assert (done.returncode, done.stderr) == (74, f"{LOST}nowhere else; make room and run again\n")


def test_a_page_of_help_that_can_not_be_written_is_an_error(desk: Desk) -> None:
    with Path("/dev/full").open("w") as full:
        done = desk.run("--help", stdout=full.fileno())
    assert done.returncode == 74
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_closed_streams_are_no_bug(desk: Desk, closed: str) -> None:
    command = " ".join(desk.command("run", "people.csv", "--tenant", "sandbox", "--yes"))
    shell = ["sh", "-c", f"{command} {closed}"]
    done = subprocess.run(shell, cwd=desk.folder, env=desk.environ, check=False, timeout=120)
    assert done.returncode == 0
    assert len(list(desk.folder.glob("onboarding-reports/*/results.csv"))) == 1


def test_no_command_shows_the_help_and_no_error(desk: Desk) -> None:
    done = desk.run()
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: onboarding")
    assert "error:" not in done.stderr


def test_an_option_is_set_by_the_variable_of_its_name(desk: Desk) -> None:
    done = desk.run("validate", "people.csv", ONBOARDING_JSON="1")
    assert json.loads(done.stdout)["exit_code"] == 0


def test_a_variable_that_sets_nothing_is_named(desk: Desk) -> None:
    done = desk.run("validate", "people.csv", ONBOARDING_ALLOWED_DOMAINS="acme.example")
    assert done.returncode == 0
    assert "ONBOARDING_ALLOWED_DOMAINS is set, and no option can be set by it" in done.stderr


def test_ctrl_c_at_the_question_leaves_a_report(desk: Desk) -> None:
    terminal = Terminal(desk, "run", "people.csv", "--tenant", "sandbox")
    terminal.until("Continue?")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    (results,) = desk.folder.glob("onboarding-reports/*/results.csv")
    assert results.read_text().count("skipped,interrupted") == 2


@pytest.mark.parametrize(
    "arguments",
    [["run", "people.csv", "--tenant", "sandbox", "--yes"], ["explain"]],
    ids=["run", "explain"],
)
def test_a_reader_that_leaves_does_not_stop_anything(desk: Desk, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = desk.run(*arguments, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_ascii_terminal_gets_escapes(desk: Desk) -> None:
    desk.file("größe.csv", "email,role\nana@acme,Guest\n")
    done = desk.run("validate", "größe.csv", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert done.stdout.startswith("gr\\xf6\\xdfe.csv:2 email ")


def test_a_cell_can_not_speak_to_the_terminal(desk: Desk) -> None:
    desk.file("\x1b[31m.csv", "nonsense\n1\n")
    done = desk.run("validate", "\x1b[31m.csv")
    assert done.returncode == 3
    assert "\x1b" not in done.stdout + done.stderr


# ---- on a terminal ------------------------------------------------------------------------------------------------


class Terminal:
    """A command at a terminal: what it shows, and what is typed."""

    def __init__(self, desk: Desk, *arguments: str, **environ: str) -> None:
        self._master, slave = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            desk.command(*arguments),
            cwd=desk.folder,
            env=desk.environ | {"TERM": "xterm"} | environ,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def until(self, words: str) -> None:
        """Read until these words are shown."""
        while words not in self.shown:
            assert self._more(), f"{words!r} is not in {self.shown!r}"

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Read to the end, and give the exit code."""
        while self._more():
            pass
        os.close(self._master)
        assert "Traceback" not in self.shown
        return self.process.wait(timeout=60)

    def _more(self) -> bool:
        assert select.select([self._master], [], [], 60)[0], self.shown
        try:
            more = os.read(self._master, 65536)
        except OSError:  # how a terminal says that nobody is there any more
            return False
        self.shown += more.decode(errors="replace")
        return bool(more)


def at_terminal(
    desk: Desk, *arguments: str, answers: Mapping[str, str], **environ: str
) -> tuple[int, str]:
    """Run at a terminal; type each answer when its question is shown."""
    terminal = Terminal(desk, *arguments, **environ)
    for question, answer in answers.items():
        terminal.until(question)
        terminal.type(answer)
    return terminal.end(), terminal.shown


@pytest.mark.parametrize(
    ("answer", "code"), [("y", 0), ("YES", 0), ("n", 5), ("", 5), ("sure", 5), ("\x04", 5)]
)
def test_a_run_asks_first(desk: Desk, answer: str, code: int) -> None:
    question = "This sends 2 invitation e-mails. Continue?"
    typed = answer if answer == "\x04" else f"{answer}\n"
    ended, shown = at_terminal(
        desk, "run", "people.csv", "--tenant", "sandbox", answers={question: typed}
    )
    assert question in shown
    assert ended == code


def test_a_person_may_type_the_number_over_a_limit(desk: Desk) -> None:
    code, shown = at_terminal(
        desk,
        *("run", "people.csv", "--tenant", "sandbox", "--max-invitations", "1"),
        answers={"how many changes it makes (3): ": "3\n", "Continue?": "y\n"},
    )
    assert code == 0, shown


@pytest.mark.parametrize("typed", ["2", "y", ""])
def test_anything_else_than_the_number_is_a_no(desk: Desk, typed: str) -> None:
    code, shown = at_terminal(
        desk,
        *("run", "people.csv", "--tenant", "sandbox", "--max-invitations", "1"),
        answers={"how many changes it makes (3): ": f"{typed}\n"},
    )
    assert code == 5, shown


def test_a_sheet_on_standard_input_leaves_nobody_to_ask(desk: Desk) -> None:
    code, shown = at_terminal(desk, "run", "-", "--tenant", "sandbox", answers={})
    assert code == 2
    assert "--yes" in shown


@pytest.mark.parametrize(
    ("arguments", "environ", "coloured"),
    [
        pytest.param([], {}, True, id="plain"),
        pytest.param(["--no-color"], {}, False, id="no-color"),
        pytest.param([], {"NO_COLOR": "1"}, False, id="NO_COLOR"),
        pytest.param([], {"NO_COLOR": ""}, True, id="empty"),
        pytest.param([], {"TERM": "dumb"}, False, id="dumb"),
    ],
)
def test_colours_can_be_turned_off(
    desk: Desk, arguments: list[str], environ: dict[str, str], coloured: bool
) -> None:
    desk.file("people.csv", SHEET + BAD_ROW)
    _, shown = at_terminal(desk, "validate", "people.csv", *arguments, answers={}, **environ)
    assert ("\x1b[" in shown) is coloured


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_the_question_ends_the_run(desk: Desk, number: signal.Signals) -> None:
    terminal = Terminal(desk, "run", "people.csv", "--tenant", "sandbox")
    terminal.until("Continue?")
    time.sleep(0.2)  # until it reads: of a signal just before that, Python hears with the next line
    terminal.process.send_signal(number)
    assert terminal.end() == 128 + number
    assert "interrupted; run the same command again to carry on" in terminal.shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_right_behind_the_first_is_no_bug(number: signal.Signals) -> None:
    code = (
        "import os, signal, sys\n"
        "from onboarding.cli.signals import Signals\n"
        "signals = Signals()\n"
        "with signals.handled():\n"
        f"    try: os.kill(os.getpid(), {int(number)})\n"
        f"    finally: os.kill(os.getpid(), {int(number)})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, "Traceback" in done.stderr) == (128 + number, False)


@pytest.fixture
def slow(desk: Desk) -> Iterator[dict[str, str]]:
    """The environment of a tenant that takes its time over every call."""
    desk.file("faults.json", json.dumps({"switches": {"latency_ms": 300}}))
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "onboarding.sandbox", "--until-stdin-closes"),
            *("--db", "slow.db", "--faults", "faults.json"),
        ],
        cwd=desk.folder,
        env=desk.environ | {"ONBOARDING_SANDBOX_KEY": KEY},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        try:
            yield {"ATLAN_BASE_URL": url, "ATLAN_API_KEY": KEY}
        finally:
            process.terminate()


def many(desk: Desk) -> None:
    people = [f"person{number}@acme.example,Guest,Team {number % 7}" for number in range(30)]
    desk.file("people.csv", "\n".join(["email,role,groups", *people, ""]))


def test_a_signal_while_calls_are_made_lets_them_finish(desk: Desk, slow: dict[str, str]) -> None:
    many(desk)
    terminal = Terminal(desk, "run", "people.csv", "--yes", "--create-groups", **slow)
    terminal.until("inviting |")  # the bar: calls are being made
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert "stopping after the calls under way" in terminal.shown
    (results,) = desk.folder.glob("onboarding-reports/*/results.csv")
    assert len(results.read_text("utf-8-sig").splitlines()) == 31
    assert json.loads(results.with_name("summary.json").read_text())["exit_code"] == 130

    again = desk.run("run", "people.csv", "--yes", "--create-groups", "--json", **slow)
    assert again.returncode == 0
    assert json.loads(again.stdout)["results"]["success"] == 30


def test_a_second_signal_ends_at_once_and_loses_nothing(desk: Desk, slow: dict[str, str]) -> None:
    many(desk)
    terminal = Terminal(desk, "run", "people.csv", "--yes", "--create-groups", **slow)
    terminal.until("inviting |")
    terminal.process.send_signal(signal.SIGINT)
    terminal.until("stopping after the calls under way")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert "stopped at once" in terminal.shown

    again = desk.run("run", "people.csv", "--yes", "--create-groups", "--json", **slow)
    summary = json.loads(again.stdout)
    # Where it stopped between an intent and its call, those people wait until the doubt is over.
    assert again.returncode == (75 if summary["statuses"]["in_doubt"] else 0)
    assert summary["results"]["success"] + summary["statuses"]["in_doubt"] == 30
    with urlopen(f"{slow['ATLAN_BASE_URL']}/__sandbox__/mails", timeout=20) as mails:
        mailed = [mail["email"] for mail in json.load(mails)]
    assert len(mailed) == len(set(mailed))


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_no_bar_where_none_is_wanted(desk: Desk, option: str) -> None:
    code, shown = at_terminal(
        desk, "run", "people.csv", "--tenant", "sandbox", "--yes", option, answers={}
    )
    assert code == 0
    assert "calls" not in shown.partition("{")[0]
    assert (json.loads(shown)["exit_code"] == 0) if option == "--json" else (shown == "")


def test_the_bar_says_what_goes_on_until_the_end(desk: Desk, slow: dict[str, str]) -> None:
    fault = {"kind": "status", "match": "POST .*/groups$", "status": 429, "retry_after": "3"}
    setting = f"{slow['ATLAN_BASE_URL']}/__sandbox__/faults"
    urlopen(Request(setting, json.dumps({"faults": [fault]}).encode()), timeout=20).close()
    many(desk)
    terminal = Terminal(desk, "run", "people.csv", "--yes", "--create-groups", **slow)
    assert terminal.end() == 0
    assert not re.search(r"[^0-9]0:00 left|[^0-9]0/0 rows", terminal.shown)
    begun = [terminal.shown.find(what) for what in (
        "reading the tenant",
        "working out the plan, ",
        "inviting |",
        "creating groups |",
        "s for the tenant's rate limit, ",
        "writing the reports, ",
    )]  # fmt: skip
    assert begun == sorted(begun)


# ---- odd files -------------------------------------------------------------------------------------------------------


def test_single_files_have_settings_of_their_own_and_a_flag_goes_before_them(desk: Desk) -> None:
    desk.file("onboarding.toml", '[files."hr-*.csv"]\nencoding = "cp1250"\ndelimiter = ":"\n')
    text = "email:groups\nana@acme.example:Łódź\n"
    (desk.folder / "hr-1.csv").write_bytes(text.encode("cp1250"))
    desk.file("people.csv", SHEET)
    done = desk.run("validate", "hr-1.csv", "people.csv", "--json")
    assert done.returncode == 0, done.stderr
    tables = json.loads(done.stdout)["tables"]
    assert [(t["encoding"], t["delimiter"]) for t in tables] == [("cp1250", ":"), ("utf-8", ",")]
    done = desk.run("validate", "hr-1.csv", "--encoding", "iso-8859-2", "--json")
    assert json.loads(done.stdout)["tables"][0]["encoding"] == "iso-8859-2"


def test_headers_without_rows_take_nothing_from_anybody(desk: Desk) -> None:
    desk.file("members.csv", "email,group\n")
    done = desk.run("run", "members.csv", "--tenant", "sandbox", "--yes", "--authoritative")
    assert done.returncode == 0
    assert "members.csv has headers and no rows; there is nothing to do" in done.stdout
    assert done.stderr == "Nothing to do: the sheets hold headers and no rows.\n"
    (summary,) = desk.folder.glob("onboarding-reports/*/summary.json")
    content = json.loads(summary.read_text())
    assert (content["rows"], content["codes"]) == (0, {})
    assert set().union(*content["changes"].values()) == set()


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.csv", b"", "there is nothing in it"),
        ("a.csv", b"shopping list\nmilk\n", "neither an e-mail nor a group column"),
        ("a.csv", b"%PDF-1.7 ...", "a PDF document"),
        ("a.xls", b"<html><table><tr><td>email", "a web page (HTML)"),
        ("a.xlsx", b"PK\x03\x04...", "no readable workbook"),
        ("a.doc", bytes.fromhex("d0cf11e0a1b11ae1"), "no readable workbook"),
        ("a.csv", bytes(range(256)), "not text but data of a program"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_exit_3(
    desk: Desk, name: str, content: bytes, what: str
) -> None:
    (desk.folder / name).write_bytes(content)
    done = desk.run("run", name, "--tenant", "sandbox", "--yes")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"error: {name}: ")
    assert what in done.stderr
    assert done.stderr.count("\n") == 1
