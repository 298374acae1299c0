"""One run at a time: who may work, who is told to come again, and what the lock does not hang on."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from onboarding.errors import StorageError, TryLater, UsageError
from onboarding.journal import State
from onboarding.lock import alone, home, state_file

TENANT = "acme.example"

HOLD = """
    import sys
    from pathlib import Path
    from onboarding.journal import State

    with State.alone(Path(sys.argv[1]), "acme.example", create=True):
        print("held", flush=True)
        sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLD), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def locked(folder: Path, tenant: str = TENANT) -> None:
    """Take the lock and let it go."""
    with alone(folder, tenant, create=True):
        pass


def test_the_second_run_is_told_who_is_at_work(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(TryLater, match=f"process {process.pid} on .*, since 20"):
            locked(tmp_path)
        process.communicate("")


def test_the_time_is_that_of_the_run(tmp_path: Path) -> None:
    with alone(tmp_path, TENANT, create=True, now=lambda: 0.0):
        said = (tmp_path / TENANT / "holder").read_text()
    assert (
        said == f"process {os.getpid()} on {os.uname().nodename}, since 1970-01-01T00:00:00+00:00"
    )


def test_two_runs_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    with alone(tmp_path, TENANT, create=True), pytest.raises(TryLater):
        locked(tmp_path)
    locked(tmp_path)


def test_runs_at_different_tenants_do_not(tmp_path: Path) -> None:
    with alone(tmp_path, TENANT, create=True):
        locked(tmp_path, "other.example")


def test_a_run_that_failed_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(tmp_path, TENANT, create=True):
        _ = 1 / 0
    locked(tmp_path)


def test_a_killed_run_frees_the_lock(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    locked(tmp_path)


@pytest.mark.parametrize(
    "gone", [["holder"], ["state.db-shm"], ["state.db"], ["state.db", "state.db-wal"]]
)
def test_deleting_files_lets_no_second_run_in(tmp_path: Path, gone: list[str]) -> None:
    with holder(tmp_path) as process:
        for name in gone:
            (tmp_path / TENANT / name).unlink()
        with pytest.raises(TryLater):
            locked(tmp_path)
        process.communicate("")


def test_who_has_only_just_begun_has_no_name_yet(tmp_path: Path) -> None:
    with alone(tmp_path, TENANT, create=True):
        (tmp_path / TENANT / "holder").write_text("")
        with pytest.raises(TryLater, match="it has just begun"):
            locked(tmp_path)


def test_the_state_is_closed_before_the_lock_is_free(tmp_path: Path) -> None:
    """Else the next run would find the files of this one open."""
    with State.alone(tmp_path, TENANT, create=True):
        assert (tmp_path / TENANT / "state.db-wal").exists()
    assert not (tmp_path / TENANT / "state.db-wal").exists()
    with closing(State.open(tmp_path, TENANT, create=False)), alone(tmp_path, TENANT, create=False):
        pass  # an open state alone is no lock


def test_a_missing_folder_is_made_only_when_allowed(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="--init-state"),
        alone(tmp_path / "s", TENANT, create=False),
    ):
        pass
    assert not (tmp_path / "s").exists()
    with State.alone(tmp_path / "s", TENANT, create=True):
        pass
    with alone(tmp_path / "s", TENANT, create=False):
        pass


def test_an_empty_file_is_no_state(tmp_path: Path) -> None:
    """A copy that failed must not count as a first run: everybody in doubt would be invited again."""
    with State.alone(tmp_path, TENANT, create=True) as state:
        state.spend("f00d")
    state_file(tmp_path, TENANT, create=False).write_bytes(b"")
    with (
        pytest.raises(
            UsageError, match=r"is an empty file\. If this is the first run.*--init-state"
        ),
        alone(tmp_path, TENANT, create=False),
    ):
        pass
    with (
        alone(tmp_path, TENANT, create=True),
        pytest.raises(TryLater),
        alone(tmp_path, TENANT, create=False),
    ):
        pass  # somebody is at the very first run just now


def test_all_that_is_made_is_its_owners(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        locked(tmp_path / "state")
    finally:
        os.umask(before)
    place = home(tmp_path / "state", TENANT)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (place, *place.iterdir())}
    assert modes == {TENANT: 0o700, "state.db": 0o600, "holder": 0o600}
    assert state_file(tmp_path / "state", TENANT, create=False) == place / "state.db"


def test_a_folder_that_can_not_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StorageError, match="state or journal can't be read or written"):
        locked(tmp_path / "state")
