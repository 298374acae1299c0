"""The whole story, as a newcomer would have it: a clean copy, the README's first command, and the same again.

It runs with next to nothing in the environment, and fetches what it needs as ``pip`` does for anybody.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).parent.parent
FIRST_COMMAND = re.compile(r"<!-- run -->\n```sh\n(.*?)\n```", re.DOTALL)


@dataclass
class Chapter:
    """What a run left behind, and how long it took."""

    code: int
    said: str
    folder: Path
    summary: dict[str, Any]
    rows: list[dict[str, str]]
    seconds: float


@dataclass
class Newcomer:
    """Somebody with a clean copy, a Python, and nothing set up."""

    copy: Path
    home: Path

    @property
    def environ(self) -> Mapping[str, str]:
        """Give what even an empty environment has, and how this machine reaches packages, if that is set."""
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(self.home),
            **pip,
        }

    def follow(self, command: str) -> Chapter:
        began = time.perf_counter()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.copy,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
        said = done.stdout + done.stderr
        folders = sorted(
            (self.copy / "onboarding-reports").glob("*"), key=lambda f: f.stat().st_mtime
        )
        assert folders, said
        summary = json.loads((folders[-1] / "summary.json").read_text())
        with (folders[-1] / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        return Chapter(done.returncode, said, folders[-1], summary, rows, seconds)


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    """Give a newcomer a clone, with what is not committed yet of the files that are tracked."""
    git = ["git", "-C", str(HOME)]
    subprocess.run([*git, "clone", "-q", str(HOME), str(tmp_path / "onboarding")], check=True)
    changed = subprocess.run(
        [*git, "diff", "--name-only", "-z", "HEAD"], check=True, capture_output=True, text=True
    )
    for name in filter(None, changed.stdout.split("\0")):
        target = tmp_path / "onboarding" / name
        target.unlink(missing_ok=True)
        if (HOME / name).exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(HOME / name, target)
    (tmp_path / "home").mkdir()
    return Newcomer(tmp_path / "onboarding", tmp_path / "home")


@pytest.mark.timeout(1200)
def test_a_newcomer_runs_the_samples_and_runs_them_again(
    newcomer: Newcomer, record_property: Callable[[str, object], None]
) -> None:
    """One test, since what it takes to be a newcomer is paid once."""
    command = FIRST_COMMAND.search((newcomer.copy / "README.md").read_text())
    assert command
    first = newcomer.follow(command[1])
    record_property("seconds from a clean clone", round(first.seconds))

    assert first.code == 1, first.said
    assert "Exit code 1" in first.said
    assert str(first.folder.relative_to(newcomer.copy)) in first.said
    assert first.summary["results"] == {"success": 25, "manual": 1, "error": 7, "planned": 0}
    assert first.summary["invitations_sent"] == 7
    assert_every_row_is_there(first, newcomer.copy / "sample_data")
    assert_private(first.folder)

    second = newcomer.follow(command[1].rpartition("&& ")[2])
    assert second.code == 1, second.said
    assert second.folder != first.folder
    assert second.summary["invitations_sent"] == 0
    assert not any(second.summary["changes"].values())
    assert second.summary["statuses"]["applied"] == 0
    assert second.summary["results"] == first.summary["results"]
    assert_every_row_is_there(second, newcomer.copy / "sample_data")
    assert_private(second.folder)

    assert_nothing_lies_about(newcomer)


def assert_every_row_is_there(chapter: Chapter, samples: Path) -> None:
    """Every input row stands in results.csv once, in input order, with its reason and its own cells."""
    with (samples / "hr-export.csv").open(encoding="utf-8", newline="") as file:
        export = list(csv.DictReader(file))
    people = [f"hr-export.csv:{number}" for number, _ in enumerate(export, 2)]
    sheets = {"People": 3, "Teams": 4, "Memberships": 8}
    teams = [f"teams.xlsx!{name}:{n + 2}" for name, rows in sheets.items() for n in range(rows)]
    assert [row["result_row"] for row in chapter.rows] == people + teams
    assert all(row["result_code"] and row["result_message"] for row in chapter.rows)
    for row, source in zip(chapter.rows, export, strict=False):
        assert {name: row[name] for name in source} == source


def assert_private(folder: Path) -> None:
    """Nobody else can look into what is left behind."""
    assert [p for p in (folder, *folder.rglob("*")) if p.stat().st_mode & 0o077] == []


def assert_nothing_lies_about(newcomer: Newcomer) -> None:
    """The copy has only what .gitignore knows; the home folder has the state, and what pip keeps."""
    status = ["git", "-C", str(newcomer.copy), "status", "--porcelain", "--untracked-files=all"]
    listed = subprocess.run(status, check=True, capture_output=True, text=True).stdout
    assert [line for line in listed.splitlines() if line.startswith("??")] == []
    assert {path.name for path in newcomer.home.iterdir()} <= {".local", ".cache"}
