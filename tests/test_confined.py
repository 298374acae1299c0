"""A process of its own: what it gets, what it may take, and that it takes nobody with it."""

from __future__ import annotations

import json
import resource
import subprocess
from pathlib import Path

import pytest

from onboarding.confined import MEMORY, confined, environment

ROOM = """
import json, os, resource, sys
from onboarding.confined import request
asked, content = request()
limits = [resource.getrlimit(what)[0] for what in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE)]
exec(asked.get("do", ""))
print(json.dumps([asked, content.decode(), limits, os.environ.get("TMPDIR"), os.getsid(0) == os.getpid()]))
"""


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "room_of_a_test.py").write_text(ROOM)
    monkeypatch.syspath_prepend(tmp_path)
    return "room_of_a_test"


def test_it_gets_the_request_and_the_file_under_its_limits(room: str, tmp_path: Path) -> None:
    asked = {"sheets": ["Ä"]}
    done = confined(room, asked, b"PK\n\n", seconds=7, patience=60, scratch=tmp_path)
    expected = [asked, "PK\n\n", [MEMORY, 7, 0], str(tmp_path), True]
    assert (done.returncode, json.loads(done.stdout)) == (0, expected)
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def test_it_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAN_API_KEY", "secret")
    assert environment().keys() <= {"PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"}


@pytest.mark.parametrize("harm", ["bytearray(1 << 40)", "while True: pass", "os.abort()"])
def test_what_hurts_it_hurts_nobody_else(room: str, harm: str) -> None:
    done = confined(room, {"do": harm}, b"", seconds=1, patience=60)
    assert (done.returncode != 0, done.stdout) == (True, b"")


def test_patience_has_an_end(room: str) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        confined(room, {"do": "import time; time.sleep(60)"}, b"", seconds=9, patience=1)
