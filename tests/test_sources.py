"""Reading ahead: what is read while something else is done is what would be read now, and fails as that would fail."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from onboarding.errors import SheetError
from onboarding.sources import ahead, snapshots


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text("email\nana@acme.example\n")
    (tmp_path / "teams.csv").write_text("group\nOps\n")
    return tmp_path


@pytest.fixture
def alone() -> Callable[[], bool]:
    """Wait until the threads that a test has begun are over, for a second at most."""
    before = {*threading.enumerate()}

    def wait() -> bool:
        end = time.monotonic() + 1
        while begun := {*threading.enumerate()} - before:
            if time.monotonic() > end:
                break
            time.sleep(0.001)
        return not begun

    return wait


def test_what_is_read_ahead_is_what_would_be_read_now(
    folder: Path, alone: Callable[[], bool]
) -> None:
    assert ahead([str(folder)])() == snapshots([str(folder)], None)
    assert alone()


def test_it_is_read_as_it_was_when_reading_began(folder: Path, alone: Callable[[], bool]) -> None:
    wait = ahead([str(folder / "people.csv")])
    assert alone()
    (folder / "people.csv").unlink()
    assert [one.content for one in wait()] == [b"email\nana@acme.example\n"]


def test_reading_fails_where_it_is_waited_for_and_in_the_same_words(
    folder: Path, alone: Callable[[], bool], capfd: pytest.CaptureFixture[str]
) -> None:
    missing = [str(folder / "missing.csv")]
    wait = ahead(missing)
    assert alone()
    with pytest.raises(SheetError) as now:
        snapshots(missing, None)
    with pytest.raises(SheetError) as then:
        wait()
    assert str(then.value) == str(now.value)
    assert capfd.readouterr() == ("", "")


def test_nothing_is_kept_of_what_was_read(folder: Path, alone: Callable[[], bool]) -> None:
    [mine] = snapshots([str(folder / "people.csv")], None)
    wait = ahead([str(folder / "people.csv")])
    assert alone()
    [given] = wait()
    assert sys.getrefcount(given) == sys.getrefcount(mine)


def test_waiting_may_be_interrupted(tmp_path: Path, alone: Callable[[], bool]) -> None:
    large = tmp_path / "large.csv"
    large.touch()
    os.truncate(large, 1 << 28)  # to be read and hashed takes a tenth of a second, at least

    def come(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, come)
    threads = threading.active_count()
    soon = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1))
    wait = ahead([str(large)])
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 -- it may come before anybody waits
            soon.start()
            wait()
        soon.join()
        assert threading.active_count() == threads + 1
    finally:
        signal.signal(signal.SIGUSR1, before)
        while not alone():
            pass


def test_where_no_thread_can_be_started_it_is_read_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", full)
    assert ahead([str(folder)])() == snapshots([str(folder)], None)
