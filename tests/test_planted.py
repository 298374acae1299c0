"""The suite sees what it is there for: bugs are planted, and the tests that should see them fall.

A few by default; ``ONBOARDING_TEST_PROFILE=full`` plants all, and has the schedules look for them, too.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from planted import BUGS, HOME, SCHEDULES, Bug, a_copy, run_tests, try_out

FULL = os.environ.get("ONBOARDING_TEST_PROFILE") == "full"
QUICK = (
    "journal after the call",
    "no flush",
    "a doubtful invitation is sent again at once",
    "a 200 is believed",
    "one page is taken for the list",
    "no waiting time",
    "the wait counts from the intent",
    "no lock",
    "a doubt is called a success",
    "a rejected row holds nobody",
    "the ledger of invitations is ignored",
    "our own account is demoted",
    "--accept is not spent",
    "a limit that is never reached",
    "a formula is left as it is",
    "a redirect is followed",
)


@pytest.mark.parametrize("bug", [bug for bug in BUGS if FULL or bug.name in QUICK], ids=str)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    verdict = try_out(bug, schedules=SCHEDULES if FULL and bug.by_schedules else 0)
    assert verdict.tests == "caught"
    assert (verdict.schedules > 0) == (FULL and bug.by_schedules)


def test_without_a_bug_the_same_tests_are_green(tmp_path: Path) -> None:
    tests = {bug.tests for bug in BUGS if FULL or ("::" in bug.tests and bug.name in QUICK)}
    done = run_tests(a_copy(tmp_path), *sorted(tests))
    assert (done.returncode, done.stderr) == (0, "")


def test_every_bug_can_still_be_planted(tmp_path: Path) -> None:
    assert len(BUGS) >= 16
    for bug in BUGS:
        copy = tmp_path / re.sub(r"\W", "-", bug.name) / bug.file
        copy.parent.mkdir(parents=True)
        copy.write_bytes((HOME / "onboarding" / bug.file).read_bytes())
        bug.plant(copy.parents[bug.file.count("/")])
        compile(copy.read_text(), bug.file, "exec")


def test_a_bug_whose_text_is_gone_is_told(tmp_path: Path) -> None:
    (tmp_path / "plan.py").write_text("rewritten since")
    with pytest.raises(ValueError, match=r"no plan: plan\.py has 0 times: as it was$"):
        Bug("no plan", "plan.py", "as it was", "", "").plant(tmp_path)
