"""The documents say what the program does: what can be generated is, and the rest is compared.

``python tests/test_docs.py`` writes the generated parts anew.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import pytest

import onboarding
from onboarding.cli import cli
from onboarding.codes import CODES, Code
from onboarding.config import BY_HAND_ONLY, READING_ONLY
from onboarding.config.settings import Settings
from onboarding.plan import Status
from onboarding.report import RESULT_COLUMNS
from onboarding.sandbox.switches import described
from onboarding.writers.rows import ACTION_COLUMNS

HOME = Path(__file__).parent.parent
README = HOME / "README.md"
DOCS = HOME / "docs"
PAGES = [README, HOME / "CHANGELOG.md", *DOCS.glob("*.md"), *HOME.glob("sample_data/**/*.md")]
NAMES = [str(page.relative_to(HOME)) for page in PAGES]


# ---- what is generated -----------------------------------------------------------------------------------------

KINDS = {
    "row": "## A row that is wrong\n\nIt is rejected; nothing is sent for its person until it is corrected.",
    "note": "## Worth saying\n\nThe row goes on.",
    "outcome": "## What became of a row",
}

AS_SHOWN: Any = {"help_option_names": ["--help", "-h"], "terminal_width": 78}
"""How click sets a page in a terminal of 80 columns: it leaves two free."""


def codes() -> str:
    """Write every code, those of a kind together."""
    parts = []
    for kind, heading in KINDS.items():
        entries = [(code, entry) for code, entry in CODES.items() if entry.about == kind]
        parts += [heading, *(_code(code, entry) for code, entry in entries)]
    return "\n\n".join(parts)


def _code(code: str, entry: Code) -> str:
    example = f" Example: {entry.example}." if entry.example else ""
    fix = f"\n\n*What to do:* {entry.fix}" if entry.fix else ""
    return (
        f"### `{code}`\n\n{entry.title[:1].upper()}{entry.title[1:]}. {entry.meaning}{example}{fix}"
    )


def commands() -> str:
    """Write the help of every command."""
    root = click.Context(cli, info_name="onboarding", **AS_SHOWN)
    pages = []
    for name in cli.list_commands(root):
        command = cli.commands[name]
        ctx = click.Context(command, root, info_name=name, **AS_SHOWN)
        pages.append(f"### onboarding {name}\n\n```text\n{command.get_help(ctx)}\n```")
    return "\n\n".join(pages)


def settings() -> str:
    """Write the table of settings."""
    lines = ["| setting | default | what it says |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default() if field.default_factory is None else None
        shown = f"`{default}`" if default not in (None, "", frozenset()) else ""
        lines.append(
            f"| `{name}` | {shown.replace('True', 'true').replace('False', 'false')} | {field.description} |"
        )
    return "\n".join(lines)


def behaviour() -> str:
    """Write what can be set in the embedded tenant."""
    parts = []
    for heading, entries in described().items():
        cells = ((f"`{term}`".replace("|", "\\|"), text) for term, text in entries)
        table = "\n".join(f"| {term} | {text} |" for term, text in cells)
        parts.append(f"### {heading}\n\n| what | meaning |\n|---|---|\n{table}")
    return "\n\n".join(parts)


def output() -> str:
    """Write what the first run prints, long parts left out."""
    lines = normal(first_run()).splitlines()
    joiner = next(line for line in lines if line.startswith("+ hana.sato"))
    end = next(number for number, line in enumerate(lines) if line.startswith("Plan: "))
    command = "$ onboarding run sample_data --tenant sandbox --yes"
    shown = [command, *lines[:FINDINGS], GAP, joiner, GAP, *lines[end:]]
    return "\n".join(["```text", *shown, "```"])


FINDINGS = 2
"""Lines of findings in the picture."""
GAP = "[...]"


@cache
def first_run() -> str:
    """Give the real output, as a file or a pipe would get it."""
    with TemporaryDirectory() as desk:
        shutil.copytree(HOME / "sample_data", Path(desk, "sample_data"))
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "onboarding",
                "run",
                "sample_data",
                "--tenant",
                "sandbox",
                "--yes",
            ],
            cwd=desk,
            env={"HOME": desk, "COLUMNS": "80", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
    return done.stdout + done.stderr


def normal(text: str) -> str:
    """Put the day of the picture in place of what differs from run to run."""
    text = re.sub(r"\d{8}T\d{6}Z", "20261120T233000Z", text)
    text = re.sub(r"Fingerprint: [0-9a-f]{16}", "Fingerprint: 3a828d5cded16aff", text)
    return re.sub(r"(rows in|about) (\d+ seconds?|\d+ minutes?)", r"\1 1 second", text)


GENERATED: dict[tuple[Path, str], Callable[[], str]] = {
    (README, "output"): output,
    (DOCS / "codes.md", "codes"): codes,
    (DOCS / "reference.md", "commands"): commands,
    (DOCS / "reference.md", "settings"): settings,
    (DOCS / "sandbox.md", "behaviour"): behaviour,
}


def replaced(page: str, name: str, content: str) -> str:
    """Give a page with the part between ``<!-- name -->`` and ``<!-- end -->`` written anew."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
    assert re.search(pattern, page, re.DOTALL), f"there is no part {name}"
    return re.sub(pattern, lambda part: f"{part[1]}{content}\n{part[2]}", page, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("page", "name"), GENERATED, ids=[f"{page.name}-{name}" for page, name in GENERATED]
)
def test_what_is_generated_is_up_to_date(page: Path, name: str) -> None:
    """If this fails: ``python tests/test_docs.py``."""
    text = page.read_text()
    assert text == replaced(text, name, GENERATED[page, name]())


# ---- what is written by hand -------------------------------------------------------------------------------------


def test_the_picture_is_made_of_true_parts_in_order() -> None:
    picture = re.search(
        r"<!-- output -->\n```text\n\$[^\n]*\n(.*?)\n```", README.read_text(), re.DOTALL
    )
    assert picture
    real, at = normal(first_run()), 0
    for part in picture[1].split(GAP):
        assert part.strip("\n") in real[at:]
        at += real[at:].index(part.strip("\n"))


def test_the_first_page_of_help_is_laid_out_as_written() -> None:
    root = click.Context(cli, info_name="onboarding", **AS_SHOWN)
    lines = cli.get_help(root).splitlines()
    assert "    onboarding run sample_data --tenant sandbox" in lines
    assert "\\b" not in "".join(lines)


@pytest.mark.parametrize("name", list(cli.commands))
def test_the_readme_names_every_command(name: str) -> None:
    assert f"`onboarding {name}" in README.read_text()


EXIT_CODES = ("0", "1", "2", "3", "4", "5", "70", "74", "75", "130 / 143")


@pytest.mark.parametrize("page", [README, DOCS / "reference.md"], ids=["readme", "reference"])
def test_every_exit_code_is_told(page: Path) -> None:
    rows = re.findall(r"^\| (\d+(?: / \d+)?) \|", page.read_text(), re.MULTILINE)
    assert tuple(rows) == EXIT_CODES


def test_the_reference_names_every_status_column_and_rule_of_settings() -> None:
    reference = (DOCS / "reference.md").read_text()
    for word in (*Status, *RESULT_COLUMNS, *ACTION_COLUMNS, *READING_ONLY, *BY_HAND_ONLY):
        assert f"`{word}`" in reference, word


def test_the_reference_names_every_variable_of_the_environment() -> None:
    reference = (DOCS / "reference.md").read_text()
    read = set(re.findall(r"\bATLAN_[A-Z_]+", "".join(map(Path.read_text, _sources()))))
    assert read == set(re.findall(r"\bATLAN_[A-Z_]+", reference))


def _sources() -> Iterator[Path]:
    return (p for p in (HOME / "onboarding").rglob("*.py") if "sandbox" not in p.parts)


def test_both_name_every_file_that_a_run_leaves_behind(tmp_path: Path) -> None:
    shutil.copytree(HOME / "sample_data", tmp_path / "sample_data")
    command = [
        sys.executable,
        "-m",
        "onboarding",
        "run",
        "sample_data",
        "--tenant",
        "sandbox",
        "--yes",
    ]
    subprocess.run(
        command, cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True, check=False
    )
    (folder,) = (tmp_path / "onboarding-reports").iterdir()
    left = {f"`{path.name}{'/' * path.is_dir()}`" for path in folder.iterdir()}
    for page in (README, DOCS / "reference.md"):
        table = set(re.findall(r"^\| (`[^|]+`) \|", page.read_text(), re.MULTILINE))
        assert left - {name for row in table for name in row.split(", ")} == set(), page.name


def test_the_public_names_of_the_reference_are_the_public_names() -> None:
    told = re.search(r"<!-- names -->\n(.*?)\n\n", (DOCS / "reference.md").read_text(), re.DOTALL)
    assert told
    assert sorted(re.findall(r"`(\w+)`", told[1])) == sorted(onboarding.__all__)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", page.read_text()):
        if target and "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_option_that_is_mentioned_exists(page: Path) -> None:
    there = {name for command in cli.commands.values() for p in command.params for name in p.opts}
    there |= {"--help", "--version"} | OTHERS
    text = re.sub(r"<!-- (test|run) -->\n```.*?```", "", page.read_text(), flags=re.DOTALL)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text)) - there == set()


OTHERS = {"--user", "--allow", "--rm", "--read-only", "--tmpfs", "--cap-drop", "--security-opt"}
OTHERS |= {"--stop-timeout", "--no-cache-dir", "--page", "--quick"}
"""Of other programs, or the beginning of several of ours."""


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_that_is_mentioned_exists(page: Path) -> None:
    called = re.findall(r"(?:^|`|\$ |bin/)onboarding ([a-z]+)\b", page.read_text(), re.MULTILINE)
    assert set(called) - set(cli.commands) == set()


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 170


# ---- what is run -------------------------------------------------------------------------------------------------

RUNNABLE = re.compile(r"<!-- run(?:, exit (\d+))? -->\n```sh\n(.*?)\n```", re.DOTALL)


@pytest.mark.parametrize(
    "page", [p for p in PAGES if RUNNABLE.search(p.read_text()) and p != README],
    ids=lambda page: page.name,
)  # fmt: skip
def test_the_commands_of_a_page_run_one_after_the_other(page: Path, tmp_path: Path) -> None:
    shutil.copytree(HOME / "sample_data", tmp_path / "sample_data")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for code, block in RUNNABLE.findall(page.read_text()):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == int(code or 0), f"{block}\n{done.stdout}{done.stderr}"


def main() -> None:
    """Write the generated parts anew."""
    for (page, name), generate in GENERATED.items():
        page.write_text(replaced(page.read_text(), name, generate()))


if __name__ == "__main__":
    main()
