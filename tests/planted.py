"""Bugs, planted one at a time in a copy of the program: a suite that does not see them would not see ours.

Each is a text of the source and the wrong text in its place; where the text is gone, planting fails, and the bug has
to be planted anew. ``python tests/planted.py`` plants all of them, runs the tests that should see each and a
thousand schedules, and prints the table; with names, those only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

HOME = Path(__file__).parent.parent
SCHEDULES = 1_000


@dataclass(frozen=True, slots=True)
class Bug:
    """A text of the program, and what takes its place."""

    name: str
    file: str
    right: str
    wrong: str
    tests: str
    """Who should see it: a file of tests, or one test of it."""
    by_schedules: bool = False
    """Whether a schedule breaks by it."""
    also: tuple[str, str] | None = None
    """A second text of the same file and what takes its place, where two things hold each other's post."""

    def __str__(self) -> str:
        return self.name.replace(" ", "-")

    def plant(self, package: Path) -> None:
        """Put the wrong text where the right one is; raises ``ValueError`` where it is not, or not once."""
        file = package / self.file
        text = file.read_text()
        for right, wrong in filter(None, ((self.right, self.wrong), self.also)):
            if (times := text.count(right)) != 1:
                raise ValueError(f"{self.name}: {self.file} has {times} times: {right}")
            text = text.replace(right, wrong)
        file.write_text(text)


BUGS = (
    Bug(
        "no journal",
        "journal/__init__.py",
        "self._db.write((INTEND, self._intents(request_id, changes)), (DROP, replaced))",
        "pass",
        "test_apply.py",
        by_schedules=True,
    ),
    Bug(
        "journal after the call",
        "apply/dispatch.py",
        """        if call.action not in CREATING:
            self._book.intend(call, request_id, repeats)
        answer: Receipt | TenantError
        try:
            answer = self._callers.call(partial(self._write, call, request_id, looked_at))
        except TenantError as error:
            answer = error
""",
        """        answer: Receipt | TenantError
        try:
            answer = self._callers.call(partial(self._write, call, request_id, looked_at))
        except TenantError as error:
            answer = error
        self._book.intend(call, request_id, repeats)
""",
        "test_apply.py::test_no_call_leaves_before_its_intent_is_in_the_state",
        by_schedules=True,
        also=(
            """        if call.action in CREATING:  # only now: after a crash, its intent is a doubt
            self._book.intend(call, request_id)
""",
            "",
        ),
    ),
    Bug(
        "no flush",
        "journal/database.py",
        '"synchronous = FULL"',
        '"synchronous = OFF"',
        "test_journal.py::test_every_write_is_flushed_to_the_disk",
        by_schedules=True,
    ),
    Bug(
        "a repeat below us",
        "wire.py",
        "retries=False",
        "retries=urllib3.Retry(3)",
        "test_transport.py::test_tls_that_breaks_after_the_request_was_read_is_doubt_and_nothing_is_repeated",
    ),
    Bug(
        "a doubtful invitation is sent again at once",
        "apply/answers.py",
        """        elif creating:
            doubt =""",
        """        elif creating and is_repeat:
            doubt =""",
        "test_apply.py::test_a_doubtful_creation_that_does_not_show_is_never_sent_again",
        by_schedules=True,
    ),
    Bug(
        "a 200 is believed",
        "apply/hindsight.py",
        "_end(change, seen) or unseen",
        "_end(change, seen) or SEEN",
        "test_apply.py::test_a_200_that_does_nothing_is_not_believed",
        by_schedules=True,
    ),
    Bug(
        "no look at what a refused batch left behind",
        "apply/hindsight.py",
        "return self.at(call.changes, patiently=already)",
        "return dict.fromkeys((change.key for change in call.changes), Sight.ABSENT)",
        "test_apply.py::test_what_a_refused_batch_left_behind_is_not_sent_again",
        by_schedules=True,
        also=(
            "seen = self.at(others, patiently=self.one_by_one is not False)",
            "seen = dict.fromkeys((change.key for change in others), Sight.ABSENT)",
        ),
    ),
    Bug(
        "who is taken one by one and shows late is sent again",
        "apply/answers.py",
        "if error.by_subject and self._look.one_by_one:",
        "if error.by_subject and self._look.one_by_one is ...:",
        "test_apply.py",
    ),
    Bug(
        "a look that was cut short is taken for a whole one",
        "apply/sight.py",
        "seen |= dict.fromkeys(absent, Sight.UNCLEAR)",
        "pass",
        "test_apply.py",
    ),
    Bug(
        "a dead run's deeds are forgotten",
        "untold.py",
        "if _about(one.change) not in spoken and one.change.is_done(current)",
        "if False",
        "test_untold.py",
    ),
    Bug(
        "a doubtful membership is forgotten",
        "journal/__init__.py",
        "            if outcome.status is Status.IN_DOUBT:",
        "            if outcome.status is Status.IN_DOUBT and change.action in CREATING:",
        "test_untold.py",
    ),
    Bug(
        "one page is taken for the list",
        "pages.py",
        "    return total is not None and found <= total <= offset",
        "    return offset > 0",
        "test_atlan.py",
    ),
    Bug(
        "addresses are compared with their case",
        "model.py",
        "return Email(text.strip().lower())",
        "return Email(text.strip())",
        "test_atlan.py",
    ),
    Bug(
        "no waiting time",
        "apply/earlier.py",
        "over = [i for i in absent if i not in unnoted and now - (i.doubt_since or now) >= pace.wait]",
        "over = absent",
        "test_apply.py::test_absent_means_absent_only_after_the_waiting_time",
        by_schedules=True,
    ),
    Bug(
        "the wait counts from the intent",
        "journal/__init__.py",
        '("UPDATE intents SET doubt_since = ? WHERE request = ? AND change = ?", rows)',
        '("UPDATE intents SET doubt_since = ifnull(sent, ?) WHERE request = ? AND change = ?", rows)',
        "test_apply.py::test_the_waiting_time_of_an_orphan_counts_from_when_it_was_found",
        by_schedules=True,
    ),
    Bug(
        "a clock that was put back is believed",
        "apply/earlier.py",
        "unnoted = [i for i in absent if i.doubt_since is None or i.doubt_since > now]",
        "unnoted = [i for i in absent if i.doubt_since is None]",
        "test_apply.py::test_a_clock_that_was_put_back_starts_the_waiting_anew",
    ),
    Bug(
        "no lock",
        "lock.py",
        "fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "pass",
        "test_lock.py",
    ),
    Bug(
        "a deleted state goes unnoticed",
        "journal/database.py",
        "if _inode(self.path) != self._file:",
        "if False:",
        "test_journal.py::test_a_state_that_is_deleted_under_a_run_stops_it",
    ),
    Bug(
        "a doubt is called a success",
        "plan.py",
        'IN_DOUBT = "in_doubt", "error"',
        'IN_DOUBT = "in_doubt", "success"',
        "test_plan.py",
        by_schedules=True,
    ),
    Bug(
        "a doubt ends with exit code 0",
        "totals.py",
        "    if _in_doubt(fates, done):\n        fits.add(75)",
        "",
        "test_totals.py",
        by_schedules=True,
    ),
    Bug(
        "a rejected row holds nobody",
        "reconcile/people.py",
        "if email in holds.people:",
        "if False:",
        "test_reconcile.py",
    ),
    Bug(
        "the ledger of invitations is ignored",
        "journal/__init__.py",
        "return frozenset(email for email in emails if self._db.hidden(email) in known)",
        "return frozenset()",
        "test_journal.py",
        by_schedules=True,
    ),
    Bug(
        "a yes is not entered in the ledger",
        "journal/__init__.py",
        """        self._db.write(self._db.invited(invited, self.now()))
        self._tell("accepted", [{"request": request_id}])""",
        """        self._tell("accepted", [{"request": request_id}])""",
        "test_journal.py",
    ),
    Bug(
        "our own account is demoted",
        "safety.py",
        'aside(lambda c: _is_own_demotion(c, current), skipped, "own-account", message)',
        "pass",
        "test_safety.py",
    ),
    Bug(
        "--accept is not spent",
        "pipeline.py",
        "        state.spend(job.accept)\n",
        "        pass\n",
        "test_saved.py::test_a_permission_counts_once_even_where_the_run_dies_with_it",
    ),
    Bug(
        "a limit that is never reached",
        "safety.py",
        "return self.count > self.allowed",
        "return False",
        "test_safety.py",
    ),
    Bug(
        "an old look is not renewed",
        "apply/age.py",
        "return self._renewable and self._pace.now() - since > self._pace.fresh",
        "return False",
        "test_apply.py::test_an_old_look_is_renewed_before_inviting",
    ),
    Bug(
        "what somebody else has set meanwhile is overwritten",
        "apply/sight.py",
        "is Sight.ABSENT and _has_moved(change.before, glimpse)",
        "is None",
        "test_apply.py::test_by_an_old_look_nobody_gets_a_role_who_has_another_one_by_now",
    ),
    Bug(
        "a formula is left as it is",
        "writers/rows.py",
        """return f"'{cell}" if cell.lstrip("'").startswith(FORMULA_STARTS) else cell""",
        "return cell",
        "test_writers.py",
    ),
    Bug(
        "a redirect is followed",
        "wire.py",
        "redirect=False",
        "redirect=True",
        "test_transport.py::test_no_redirect_is_followed_and_the_key_goes_nowhere_else",
        also=("retries=False", "retries=urllib3.Retry(None, connect=0, read=0, other=0)"),
    ),
    Bug(
        "newcomers slip into a new default group",
        "apply/gate.py",
        "elif _turns_default_on(change):",
        "elif False:",
        "test_apply.py::test_a_group_takes_in_newcomers_only_when_no_invitation_is_in_doubt",
        by_schedules=True,
    ),
    Bug(
        "a mover loses the old place before the new one is sure",
        "apply/gate.py",
        "waits_for = self._grants.get(change.email, ())",
        "waits_for = ()",
        "test_apply.py::test_a_mover_loses_nothing_before_the_new_place_is_sure",
    ),
    Bug(
        "a look-up that finds nobody is believed",
        "look.py",
        "if [user.id for user in found].count(witness.id) == bool(emails) + bool(names):",
        "if True:",
        "test_look.py",
    ),
    Bug(
        "a full disk does not stop the run",
        "apply/__init__.py",
        "        except (StorageError, TenantError) as error:\n            self.gate.halt(error)",
        "        except (StorageError, TenantError) as error:\n            pass",
        "test_apply.py::test_a_disk_that_fails_once_is_not_trusted_again_in_this_run",
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a bug was seen, and by whom."""

    bug: Bug
    tests: str
    """``caught`` or ``missed``, by the tests that should."""
    schedules: int
    """Schedules of ``SCHEDULES`` that broke a promise or could not be played."""


def try_out(bug: Bug, *, schedules: int) -> Verdict:
    """Plant a bug in a copy of the program and say who sees it."""
    with TemporaryDirectory() as folder:
        desk = a_copy(Path(folder))
        bug.plant(desk / "onboarding")
        done = run_tests(desk, bug.tests)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{bug.name}: {done.stdout}{done.stderr}")
        return Verdict(bug, "caught" if done.returncode else "missed", broken(desk, schedules))


def a_copy(folder: Path) -> Path:
    """Copy the program and its tests."""
    for name in ("onboarding", "tests", "sample_data"):
        shutil.copytree(HOME / name, folder / name)
    shutil.copy(HOME / "pyproject.toml", folder)
    return folder


def run_tests(desk: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests of a copy, up to the first that fails."""
    chosen = [f"tests/{name}" for name in tests]
    plain = ("-p", "no:cacheprovider", "--no-cov", "--timeout", "60")
    return _python(desk, "-m", "pytest", "-xq", *plain, *chosen)


def broken(desk: Path, schedules: int) -> int:
    """Count the schedules that break a promise in a copy; one that the program trips over is the last."""
    if not schedules:
        return 0
    done = _python(desk / "tests", "-m", "schedules", "0", str(schedules))
    return len(re.findall(r"^\d+: ", done.stdout, re.MULTILINE)) + bool(done.stderr)


def _python(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    top = where.parent if where.name == "tests" else where
    env = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=where,
        env=env | {"PYTHONPATH": str(top), "ONBOARDING_TEST_PROFILE": "quick"},
        capture_output=True,
        text=True,
        check=False,
    )


def main(names: Sequence[str]) -> int:
    """Plant the bugs of these names, or all; print the table; 1 if one is missed."""
    say = sys.stdout.write
    missed = 0
    say(f"| planted bug | the tests | of {SCHEDULES:,} schedules |\n|---|---|---|\n")
    for bug in BUGS:
        if names and bug.name not in names:
            continue
        verdict = try_out(bug, schedules=SCHEDULES if bug.by_schedules else 0)
        unseen = bug.by_schedules and not verdict.schedules
        missed += verdict.tests == "missed" or unseen
        seen = f"**{verdict.schedules}**" if unseen else str(verdict.schedules or "")
        say(f"| {bug.name} | {verdict.tests} (`{bug.tests.partition('::')[0]}`) | {seen} |\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
