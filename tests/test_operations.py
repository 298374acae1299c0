"""docs/operations.md is tried: crontab lines in cron's empty environment, units, the manifest, the library call."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from embedded import Tenant

from onboarding.cli import HELP, cli
from onboarding.cli.embedded import Embedded, serving
from onboarding.config import read_files
from onboarding.config.settings import Settings

HOME = Path(__file__).parent.parent
PAGE = (HOME / "docs" / "operations.md").read_text()
OURS = Path(sys.executable).parent / "onboarding"
SHEET = "email,role,groups\nnew.one@acme.example,Member,Finance\n"
CRON = {"LOGNAME": "onboarding", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
"""All that cron gives, but the home folder."""


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found, language
    return found


def jobs() -> list[tuple[list[str], str]]:
    """Every crontab line: its five fields, and the command."""
    lines = [line for block in blocks("crontab") for line in block.splitlines()]
    split = (line.split(maxsplit=5) for line in lines if not re.match(r"#|\w+=|$", line))
    return [(fields, command) for *fields, command in split]


def checked(arguments: list[str]) -> None:
    """Raise if our command has no such options."""
    name, *rest = arguments
    command = cli.commands[name]
    # A command keeps the first help option that it is asked for, and others look at its help.
    context = click.Context(command, help_option_names=HELP["help_option_names"])
    command.make_parser(context).parse_args(rest)


def arguments_in(text: str) -> list[str]:
    """Give our own arguments, from a line of a shell."""
    words = shlex.split(text.replace("\\\n", " "), comments=False)
    ours = next(
        n
        for n, word in enumerate(words)
        if word.endswith("onboarding") and words[n + 1] in cli.commands
    )
    end = next((n for n, word in enumerate(words) if word.endswith(";")), len(words) - 1)
    return [word.rstrip(";") for word in words[ours + 1 : end + 1]]


# ---- the files parse ----------------------------------------------------------------------------------------------


def test_the_settings_are_settings(tmp_path: Path) -> None:
    (text,) = blocks("toml")
    path = tmp_path / "config.toml"
    path.write_text(text)
    path.chmod(0o600)
    known = read_files(path, tmp_path)
    assert known.values.keys() == tomllib.loads(text).keys() <= Settings.model_fields.keys()
    assert known.values["api_key_file"] == str(tmp_path / "atlan.key")


def test_crontab_lines_are_five_fields_and_a_command_of_ours() -> None:
    most = (59, 23, 31, 12, 7)
    assert len(jobs()) == 3
    for fields, command in jobs():
        for field, highest in zip(fields, most, strict=True):
            assert re.fullmatch(r"\*(/\d+)?|\d+", field), field
            assert max(map(int, re.findall(r"\d+", field)), default=0) <= highest
        assert "%" not in command, "cron would make a line break of it"
        checked(arguments_in(command))


def units() -> dict[str, str]:
    named = (re.match(r"# /etc/systemd/system/(\S+)\n", block) for block in blocks("ini"))
    return {str(match and match[1]): match.string if match else "" for match in named}


def test_units_have_their_sections_and_call_our_command() -> None:
    sections = {
        "onboarding.service": ["Unit", "Service"],
        "onboarding.timer": ["Unit", "Timer", "Install"],
        "onboarding.path": ["Unit", "Path", "Install"],
        "onboarding-failed@.service": ["Unit", "Service"],
    }
    assert units().keys() == sections.keys()
    for name, text in units().items():
        parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=")
        parser.read_string(text)
        assert parser.sections() == sections[name]
    service = units()["onboarding.service"]
    checked(arguments_in(re.findall(r"^ExecStart=(.*)$", service, re.MULTILINE)[0]))
    assert "OnFailure=onboarding-failed@%n.service" in service


def test_systemd_has_nothing_against_the_units(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    for name, text in units().items():
        # what is to be started has to be there
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
        (tmp_path / name).write_text(text)
    if verify:  # else configparser has the last word, above
        done = subprocess.run(
            [
                verify,
                "verify",
                "--man=no",
                *(tmp_path / name for name in units() if "@" not in name),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        ours = [line for line in done.stderr.splitlines() if "onboarding" in line]
        assert (done.returncode, ours) == (0, [])


def tree(text: str) -> Any:
    """Read the YAML that the manifest is written in: maps, lists, scalars and lists in brackets, by indentation."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines() if line]
    return _node(lines, lines[0][0])


def _node(lines: list[tuple[int, str]], depth: int) -> Any:
    if lines[0][1].startswith("- "):
        found = []
        while lines and lines[0][0] == depth and lines[0][1].startswith("- "):
            lines[0] = (depth + 2, lines[0][1][2:])
            found.append(_node(lines, depth + 2))
        return found
    mapped: dict[str, Any] = {}
    while lines and lines[0][0] == depth and not lines[0][1].startswith("- "):
        key, colon, value = lines.pop(0)[1].partition(":")
        assert colon, f"no key: {key}"
        assert key not in mapped, f"twice: {key}"
        mapped[key] = _scalar(value.strip()) if value else _node(lines, lines[0][0])
    return mapped


def _scalar(text: str) -> Any:
    if text == "{}":
        return {}
    if text.startswith("["):
        return [word.strip() for word in text.strip("[]").split(",")]
    return text.strip('"')


def test_the_cron_job_holds_together() -> None:
    job = tree(blocks("yaml")[0])
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    checked(container["args"])
    mounted = [mount["name"] for mount in container["volumeMounts"]]
    assert sorted(mounted) == sorted(volume["name"] for volume in pod["volumes"])
    assert container["securityContext"]["readOnlyRootFilesystem"] == "true"
    environment = {one["name"]: one["value"] for one in container["env"]}
    (key,) = [mount for mount in container["volumeMounts"] if mount["name"] == "key"]
    assert key["mountPath"] == environment["ATLAN_API_KEY_FILE"]
    assert Path(key["mountPath"]).parent == Path(environment["CREDENTIALS_DIRECTORY"])


def test_the_container_runs_as_nobody_and_calls_our_command() -> None:
    (recipe,) = blocks("dockerfile")
    steps = dict(line.split(" ", 1) for line in recipe.splitlines())
    assert steps["USER"] == "10001:10001"
    assert json.loads(steps["ENTRYPOINT"]) == ["/opt/onboarding/bin/onboarding"]
    (called,) = [block for block in blocks("sh") if "docker run" in block]
    assert "--read-only" in called
    checked(arguments_in(called))


# ---- they work ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with serving(tmp_path_factory.mktemp("tenant") / "tenant.db") as found:
        yield found


@pytest.fixture
def machine(tmp_path: Path, embedded: Embedded) -> Path:
    """A machine as the page describes it, below a folder: settings, key, an export, an inbox."""
    (settings,) = blocks("toml")
    settings = settings.replace("https://acme.atlan.com", embedded.url)
    files = {
        "etc/onboarding/config.toml": settings.replace("/var/", f"{tmp_path}/var/"),
        "etc/onboarding/atlan.key": f"{embedded.key}\n",
        "srv/hr/export/people.csv": SHEET,
        "srv/onboarding/inbox/people.csv": SHEET,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "home").mkdir()
    (tmp_path / "bin").mkdir()
    return tmp_path


def by_cron(command: str, machine: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Carry out a line as cron does."""
    command = command.replace("/opt/onboarding/bin/onboarding", str(OURS))
    command = re.sub(r"(?<=[ =])/(?=etc/|srv/|var/)", f"{machine}/", command)
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=machine / "home",
        env={**CRON, "HOME": str(machine / "home"), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_nightly_job_runs_from_cron(machine: Path) -> None:
    nightly, pinging, _ = (command for _, command in jobs())
    refused = by_cron(nightly, machine)
    assert refused.returncode == 2
    assert "add --init-state" in " ".join(refused.stderr.split())

    first = by_cron(nightly, machine, ONBOARDING_INIT_STATE="1")
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    (run,) = (machine / "var/lib/onboarding/reports").iterdir()
    assert json.loads((run / "summary.json").read_text())["statuses"]["applied"] == 1
    assert list((machine / "home").iterdir()) == []

    (machine / "srv/hr/export/people.csv").write_text(SHEET + "bad@acme,Guest,\n")
    pinging = pinging.replace("curl -fsS -m 10 -o /dev/null", "echo pinged")
    told = by_cron(pinging, machine)
    assert told.stdout.splitlines()[-1] == "pinged https://checks.acme.example/onboarding/1"
    assert "@" not in told.stdout


def test_an_environment_that_is_altogether_empty_will_do(machine: Path) -> None:
    nightly = jobs()[0][1].replace("/opt/onboarding/bin/onboarding", str(OURS))
    nightly = re.sub(r"(?<= )/(?=etc/|srv/)", f"{machine}/", nightly)
    done = subprocess.run(
        ["env", "-i", *shlex.split(nightly), "--init-state"],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_inbox_is_worked_from_cron(machine: Path) -> None:
    inbox = machine / "srv/onboarding/inbox"
    (inbox / "wrong.csv").write_text("colour\nred\n")
    (inbox / "onboarding.toml").write_text('[columns]\nPostbus = "email"\n')
    (inbox / "dutch.csv").write_text("Postbus,role\nnew.two@acme.example,Guest\n")
    (inbox / "later.csv.part").write_text("em")
    line = jobs()[2][1].replace(" --quiet", "")
    done = by_cron(f"{line} --init-state", machine)
    lines = done.stdout.splitlines()
    said = [re.sub(r"; /\S+$", "", line) for line in lines]
    assert (done.returncode, said) == (
        3,
        [
            "people.csv: 1 row: 1 success; exit 0",
            "wrong.csv: 0 rows; exit 3",
            "dutch.csv: 1 row: 1 success; exit 0",
        ],
    )
    assert all(Path(line.rpartition("; ")[2]).is_dir() for line in lines)
    assert "error: wrong.csv: " in done.stderr
    assert "later.csv.part is left in the inbox" in done.stderr
    assert sorted(path.name for path in inbox.iterdir()) == [
        "done",
        "later.csv.part",
        "onboarding.toml",
    ]
    runs = list((machine / "var/lib/onboarding/reports").iterdir())
    for run in runs:  # each log is that of its own run
        logged = [json.loads(line) for line in (run / "run.log").read_text().splitlines()]
        assert {one["run"] for one in logged} == {run.name}
        calls = [one for one in logged if one["from"] == "onboarding.transport"]
        assert len(calls) == json.loads((run / "summary.json").read_text())["calls"]["made"]

    assert by_cron(line.replace("--yes", "--yes --quiet"), machine).stdout == ""

    (inbox / "people.csv").write_text(SHEET)
    (inbox / "onboarding.toml").write_text('tenant = "https://evil.example"\n')
    refused = by_cron(f"{line} --json", machine)
    told = json.loads(refused.stdout)
    assert (refused.returncode, told["exit_code"]) == (2, 2)
    assert "tenant can't be set here" in told["error"]

    (inbox / "onboarding.toml").unlink()
    again = json.loads(by_cron(f"{line} --json", machine).stdout)
    assert again["exit_code"] == 0
    assert [(one["name"], one["moved"]) for one in again["taken"]] == [("people.csv", True)]
    assert again["taken"][0]["same_as"].endswith("-people.csv")
    assert [one["name"] for one in again["left"]] == ["later.csv.part"]


def test_an_orchestrator_calls_the_library(tmp_path: Path, embedded: Embedded) -> None:
    here: dict[str, Any] = {}
    exec(blocks("python")[0], here)
    sheet = tmp_path / "people.csv"
    sheet.write_text("email,role\nnew.three@acme.example,Guest\n")
    folder = Path(here["onboard"](str(sheet), embedded.url, embedded.key, tmp_path))
    assert json.loads((folder / "summary.json").read_text())["exit_code"] == 0
    tenant = Tenant(embedded.url)
    tenant.http.headers["Authorization"] = f"Bearer {embedded.key}"
    assert "new.three@acme.example was mailed" in tenant.facts()
    sheet.write_text("email,role\nnew.four@evil.example,Guest\n")
    with pytest.raises(RuntimeError, match="onboarding ended with 1: see"):
        here["onboard"](str(sheet), embedded.url, embedded.key, tmp_path)
