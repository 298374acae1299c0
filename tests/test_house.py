"""The house itself: style, types, arrows between rooms, spelling, dependencies, and enough tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("command", "proof"),
    [
        pytest.param(["ruff", "check", "."], "All checks passed", id="ruff"),
        pytest.param(["ruff", "format", "--check", "."], "already formatted", id="format"),
        pytest.param(["mypy"], "no issues found", id="types"),
        pytest.param(["lint-imports"], "0 broken", id="arrows"),
        pytest.param(["codespell", "onboarding", "tests", "docs", "README.md"], "", id="spelling"),
        pytest.param(["deptry", "onboarding"], "No dependency issues found", id="dependencies"),
    ],
)
def test_the_house_is_in_order(command: list[str], proof: str) -> None:
    """Each tool must also say that it looked: a gate that checks nothing is green too."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=HOME, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert proof in said


def _lines(folder: str) -> int:
    return sum(len(path.read_text().splitlines()) for path in (HOME / folder).rglob("*.py"))


def test_there_is_a_line_of_test_for_each_line_of_code() -> None:
    assert _lines("tests") >= _lines("onboarding")


def test_nothing_names_a_package_registry_or_a_folder_of_one_machine() -> None:
    names = ["pypi" + ".org", "python" + "hosted", "/wo" + "rk/", "/" + "root/"]
    listed = subprocess.run(
        ["git", "ls-files"], cwd=HOME, capture_output=True, text=True, check=True
    )
    found = [
        (path, name)
        for path in listed.stdout.split()
        for name in names
        if name in (HOME / path).read_bytes().decode(errors="replace")
    ]
    assert found == []
