"""keep_runs: the oldest run folders go, and nothing that is not a run's, not done with, or somebody's work."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from desk import PEOPLE, TEAMS, Desk, Quiet, acme
from fakes import FakeTenant, Fault

from onboarding import pipeline
from onboarding.kept import prune, runs, same_input
from onboarding.safety import Limit, Limits

TENANT = "acme.example"
GRANT = "email,group\nana@acme.example,Marketing\n"


def put(
    reports: Path,
    day: int,
    *,
    year: int = 2026,
    command: str = "run",
    tenant: str = TENANT,
    exit_code: int = 0,
    planned: int = 0,
    fingerprint: str = "",
    sha256: str = "",
) -> Path:
    """Make the folder of a run on a day of November."""
    folder = reports / f"{year}11{day:02}T043000Z-people.csv"
    (folder / "retry").mkdir(parents=True)
    for name in ("results.csv", "retry/people.csv", "journal.jsonl", "undo.json"):
        (folder / name).write_text(name)
    summary: dict[str, Any] = {
        "command": command,
        "tenant": tenant,
        "exit_code": exit_code,
        "statuses": {"planned": planned},
        "fingerprint": fingerprint or f"f{day}",
        "inputs": [{"name": "people.csv", "sha256": sha256}],
        "folder": str(folder),
        "files": ["results.csv", "retry/people.csv", "summary.json"],
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "run.log").write_text("")
    return folder


def days(reports: Path) -> list[int]:
    return sorted(int(path.name[6:8]) for path in reports.iterdir())


def pruned(reports: Path, keep: int, *spare: str) -> list[int]:
    prune(reports, TENANT, keep=keep, spare=spare)
    return days(reports)


@pytest.mark.parametrize(
    ("keep", "left"), [(1, [5]), (2, [4, 5]), (4, [2, 3, 4, 5]), (5, [1, 2, 3, 4, 5]), (9, [1, 2, 3, 4, 5])]
)  # fmt: skip
def test_the_last_are_kept(tmp_path: Path, keep: int, left: list[int]) -> None:
    for day in (3, 1, 5, 2, 4):
        put(tmp_path, day)
    assert pruned(tmp_path, keep) == left


def test_of_one_second_those_that_ended_later_are_the_later_runs(tmp_path: Path) -> None:
    names = []
    for number in (3, 1, 2):
        folder = put(tmp_path, 1)
        summary = json.loads((folder / "summary.json").read_text())
        name = f"{folder.name}-{number}"
        (folder / "summary.json").write_text(json.dumps(summary | {"folder": f"somewhere/{name}"}))
        os.utime(folder / "summary.json", ns=(0, len(names)))
        folder.rename(tmp_path / name)
        names.append(name)
    assert [run.folder.name for run in runs(tmp_path)] == [*reversed(names)]


def test_another_tenants_runs_neither_count_nor_go(tmp_path: Path) -> None:
    put(tmp_path, 1, tenant="other.example")
    put(tmp_path, 2)
    put(tmp_path, 3, tenant="other.example")
    put(tmp_path, 4)
    assert pruned(tmp_path, 1) == [1, 3, 4]


def _unfinished(folder: Path) -> None:
    (folder / "summary.json").unlink()


def _half_a_summary(folder: Path) -> None:
    (folder / "summary.json").write_text('{"command": ')


def _another_format(folder: Path) -> None:
    (folder / "summary.json").write_text("[]")


def _another_version(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    del summary["statuses"]
    (folder / "summary.json").write_text(json.dumps(summary | {"command": "plan"}))


def _moved(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"folder": "elsewhere"}))


def _corrected(folder: Path) -> None:
    (folder / "retry" / "people.csv").write_text("corrected by somebody")


def _added(folder: Path) -> None:
    (folder / "notes.txt").write_text("ask Olga")


def _added_inside(folder: Path) -> None:
    (folder / "retry" / "fixed.xlsx").write_text("")


def _folder_added(folder: Path) -> None:
    (folder / "for Olga").mkdir()


def _link(folder: Path) -> None:
    (folder / "results.csv").unlink()
    (folder / "results.csv").symlink_to(folder.parent)


def _folder_is_a_link(folder: Path) -> None:
    real = folder.rename(folder.with_name("99999999-real"))
    folder.symlink_to(real)


@pytest.mark.parametrize(
    "change",
    [
        *(_unfinished, _half_a_summary, _another_format, _another_version, _moved),
        *(_corrected, _added, _added_inside, _folder_added, _link, _folder_is_a_link),
    ],
)
def test_what_is_not_as_a_run_leaves_it_is_kept(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    odd = put(tmp_path, 1)
    change(odd)
    put(tmp_path, 2)
    put(tmp_path, 3)
    before = {path: path.is_symlink() or path.is_file() for path in odd.rglob("*")}
    prune(tmp_path, TENANT, keep=1, spare=())
    assert odd.exists()
    assert {path: path.is_symlink() or path.is_file() for path in odd.rglob("*")} == before
    assert not (tmp_path / "20261102T043000Z-people.csv").exists()


@pytest.mark.parametrize("name", ["people", "2026-11-01", "20261101T043000Z", "onboarding.db"])
def test_other_names_are_nobodys_business(tmp_path: Path, name: str) -> None:
    folder = put(tmp_path, 1).rename(tmp_path / name)
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"folder": str(folder)}))
    put(tmp_path, 2)
    prune(tmp_path, TENANT, keep=1, spare=())
    assert (tmp_path / name / "summary.json").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_runs_of_somebody_else_neither_count_nor_go(tmp_path: Path) -> None:
    os.chown(put(tmp_path, 1), 12345, 12345)
    put(tmp_path, 2)
    os.chown(put(tmp_path, 3), 12345, 12345)
    assert pruned(tmp_path, 1) == [1, 2, 3]


def test_a_run_with_open_ends_is_kept(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        put(tmp_path, day)
    assert pruned(tmp_path, 1, "20261101T043000Z-people.csv") == [1, 3]


def test_a_plan_is_kept_until_it_is_decided_on(tmp_path: Path) -> None:
    put(tmp_path, 1, command="plan", planned=2, fingerprint="a")
    put(tmp_path, 2, exit_code=5, fingerprint="b")
    put(tmp_path, 3, command="plan", planned=0, fingerprint="c")
    put(tmp_path, 4)
    assert pruned(tmp_path, 1) == [1, 2, 4]
    put(tmp_path, 5, command="apply", fingerprint="a")
    put(tmp_path, 6, exit_code=5, fingerprint="b")
    put(tmp_path, 7)
    assert pruned(tmp_path, 1) == [6, 7]


def test_a_removal_that_was_cut_short_is_carried_on(tmp_path: Path) -> None:
    folder = put(tmp_path, 1)
    for name in ("results.csv", "retry/people.csv", "journal.jsonl"):
        (folder / name).unlink()
    put(tmp_path, 2)
    assert pruned(tmp_path, 1) == [2]


def test_what_cannot_be_removed_is_logged_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prune(tmp_path / "nowhere", TENANT, keep=1, spare=())
    caplog.set_level(logging.INFO)
    put(tmp_path, 1)
    put(tmp_path, 2)
    (tmp_path / "20261102T043000Z-people.csv" / "notes.txt").touch()
    put(tmp_path, 3)
    assert pruned(tmp_path, 1) == [2, 3]
    assert caplog.messages == [
        "the run folder 20261102T043000Z-people.csv is kept, as notes.txt is not as the run left it",
        "the run folder 20261101T043000Z-people.csv is removed; keep_runs says so",
    ]


def test_the_same_input_is_known_by_its_bytes_alone(tmp_path: Path) -> None:
    old, new = put(tmp_path, 1, sha256="x"), put(tmp_path, 3, sha256="x")
    put(tmp_path, 2, sha256="y")
    put(tmp_path, 4, sha256="x", tenant="other.example")
    now = put(tmp_path, 5, sha256="x")
    assert same_input(now, TENANT, "x") == new.name
    assert same_input(new, TENANT, "x") == now.name
    assert same_input(now, TENANT, "z") == ""
    assert old.exists()


# ---- in a run -----------------------------------------------------------------------------------------------------


def test_a_run_keeps_as_many_as_it_is_told_itself_among_them(tmp_path: Path) -> None:
    desk, tenant = Desk(tmp_path), acme()
    people = desk.sheet("people.csv", GRANT)
    for _ in range(4):
        last = desk.run(tenant, people, keep_runs=2)
    left = sorted((tmp_path / "reports").iterdir())
    assert len(left) == 2
    assert last.folder in left
    desk.run(tenant, people)
    assert len(list((tmp_path / "reports").iterdir())) == 3


def test_a_run_keeps_itself_even_if_the_clock_was_put_back(tmp_path: Path) -> None:
    desk, reports = Desk(tmp_path), tmp_path / "reports"
    later = put(reports, 1, year=9999)
    first = desk.run(acme(), desk.sheet("people.csv", GRANT), keep_runs=1)
    assert first.folder
    assert {later, first.folder} == set(reports.iterdir())


def test_a_run_with_a_doubt_is_kept_until_that_is_settled(tmp_path: Path) -> None:
    desk, tenant = Desk(tmp_path), acme()
    tenant.faults.append(Fault("doubt_before", "invite"))
    nora = desk.sheet("nora.csv", "email,role\nnora@acme.example,Guest\n")
    doubtful = desk.run(tenant, nora, keep_runs=1)
    assert doubtful.exit_code == 75
    assert doubtful.folder
    people = desk.sheet("people.csv", GRANT)
    desk.run(tenant, people, keep_runs=1)
    assert doubtful.folder.exists()
    desk.time += 1000
    desk.run(tenant, nora, keep_runs=1)
    last = desk.run(tenant, people, keep_runs=1)
    assert list((tmp_path / "reports").iterdir()) == [last.folder]


def test_what_a_real_run_leaves_is_recognised_whole(tmp_path: Path) -> None:
    desk, tenant = Desk(tmp_path), acme()
    sheets = [desk.sheet("people.csv", PEOPLE), desk.sheet("teams.csv", TEAMS)]
    first = desk.run(tenant, *sheets, keep_runs=1)
    assert first.folder
    assert (first.folder / "retry").is_dir()
    assert (first.folder / "undo.json").exists()
    second = desk.run(tenant, *sheets, keep_runs=1)
    assert list((tmp_path / "reports").iterdir()) == [second.folder]


def test_a_proposal_that_waits_is_not_removed_by_the_nights_after_it(tmp_path: Path) -> None:
    desk, tenant = Desk(tmp_path), acme()
    nora = desk.sheet("nora.csv", "email,role\nnora@acme.example,Guest\n")
    proposed = pipeline.plan(desk.job(nora), tenant, Quiet())
    refused = desk.run(tenant, nora, limits=Limits(invitations=Limit(0)), keep_runs=1)
    people = desk.sheet("people.csv", GRANT)
    for _ in range(3):
        last = desk.run(tenant, people, keep_runs=1)
    left = set((tmp_path / "reports").iterdir())
    assert left == {refused.folder, last.folder}  # the proposal was the same plan, and older
    assert proposed.exit_code == 0


def test_runs_that_a_limit_stops_night_after_night_leave_the_last_of_them(tmp_path: Path) -> None:
    desk, tenant = Desk(tmp_path), acme()
    nora = desk.sheet("nora.csv", "email,role\nnora@acme.example,Guest\n")
    for _ in range(4):
        last = desk.run(tenant, nora, limits=Limits(invitations=Limit(0)), keep_runs=1)
    assert list((tmp_path / "reports").iterdir()) == [last.folder]


def test_a_tenant_in_memory_has_a_name() -> None:
    assert FakeTenant().name == TENANT
