"""A folder that people upload into comes in; a job for each file, in order of arrival, and what became of it go out.

A file is copied into the folder of its run, and the copy is what is read. The file itself stays where it lies until its
report is written; only then it is moved, once, to ``done/``. Which file is in hand stands in the tenant's state before
anything is sent: so a killed run is picked up with just that file, and one that has its report is moved and not taken
again. What can't be finished now (no tenant, a doubt, an interruption) stays and ends the work, as what came later may
build on it. Whatever else is wrong with a file stands in its report, and keeps nothing behind it waiting: so does a
file on which the process died twice, too large for the machine's memory perhaps, which is set aside.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from onboarding.errors import Interrupted, OnboardingError, SheetError, Stop
from onboarding.inbox.arrivals import (
    Left,
    NotYet,
    arrived,
    copied,
    digest,
    done_folder,
    identity,
    move,
    own_name,
)
from onboarding.job import Job, Report, Voice
from onboarding.journal import State
from onboarding.kept import INPUT, SUMMARY, same_input
from onboarding.pipeline import locked, run, unusable
from onboarding.plan import Status
from onboarding.sheets import Source
from onboarding.tenant import Tenant
from onboarding.totals import code_of
from onboarding.writers import files

__all__ = ["Left", "Taken", "work"]

log = logging.getLogger(__name__)

SETTLED = frozenset({0, 1, 3, 5, 70})
"""Exit codes of runs after which a file need not be taken up again by itself."""
STARTS = 2
"""How often a file is begun on which the process dies."""
A_BUG = OnboardingError.exit_code


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was taken up."""

    name: str
    exit_code: int
    summary: Mapping[str, Any] | None = None
    """What its run says; None where it could not be begun."""
    error: BaseException | None = None
    same_as: str = ""
    """The last run that had the same bytes for its input."""
    moved: bool = False
    """Whether it lies in ``done/`` now; else the next run begins with it."""


def work(
    inbox: Path,
    job: Job,
    tenants: Callable[[], Tenant],
    voice: Voice,
    *,
    stop: Stop | None = None,
    state: State | None = None,
) -> Iterator[Taken | Left]:
    """Take up what has arrived, one file after the other, then tell what is left alone.

    ``tenants`` gives the tenant, anew for each job, so that it counts its own calls; where nothing has arrived, nobody
    asks for it. ``state``: the tenant's, if the caller holds its lock. Raises ``TryLater`` if another run is at work.
    """
    uploads, left = arrived(inbox)
    if not uploads:
        yield from left
        return
    tenant = tenants()
    with nullcontext(state) if state else locked(job, tenant) as ours:
        desk = _Desk(inbox, job, voice, stop or Stop(), ours, tenant.name)
        yield from desk.work(tenant, tenants)


class _Desk:
    """The work on one inbox, while the lock is held."""

    def __init__(
        self, inbox: Path, job: Job, voice: Voice, stop: Stop, state: State, tenant: str
    ) -> None:
        self._inbox = inbox
        self._done = done_folder(inbox)
        self._job = job
        self._voice = voice
        self._stop = stop
        self._state = state
        self._tenant = tenant
        self._note = f"inbox {json.dumps(str(inbox.resolve()))}"
        self._noted: dict[str, Any] = {}
        """What is in hand, as it stands in the state: which file, its run folder, how often it was begun."""

    def work(self, tenant: Tenant, tenants: Callable[[], Tenant]) -> Iterator[Taken | Left]:
        """Take up one file after the other, those too that arrive meanwhile."""
        begun, answered = self._pick_up()
        if answered:
            yield answered
        passed: dict[Path, Left] = {}
        while not self._stop.is_set():
            uploads, left = arrived(self._inbox)
            waiting = [path for path in uploads if path not in passed]
            if not waiting:
                yield from (*left, *passed.values())
                return
            path = self._inbox / begun if self._inbox / begun in waiting else waiting[0]
            found = self._take(path, tenant)
            if isinstance(found, Left):
                passed[path] = found
                continue
            yield found
            if not found.moved or found.exit_code == A_BUG:
                return
            tenant = tenants()

    def _pick_up(self) -> tuple[str, Taken | None]:
        """Look what a killed run had in hand: the file to begin with, or one that has its report and is moved now."""
        noted = json.loads(self._state.noted(self._note) or "null")
        if not noted or digest(self._inbox / noted["name"]) != noted["sha256"]:
            return "", None  # nothing; or it is moved, or another file by now
        path, folder = self._inbox / noted["name"], Path(noted["folder"])
        self._noted = {"starts": 1} | noted
        try:
            summary = json.loads((folder / SUMMARY).read_bytes())
        except (OSError, ValueError):
            _discard(folder)
            if self._noted["starts"] >= STARTS:
                return "", self._set_aside(path)
            return path.name, None
        if not _settled(summary):
            self._came_to_an_end()
            return path.name, None
        self._finish(path, folder, identity(path))
        return "", Taken(path.name, summary["exit_code"], summary, moved=True)

    def _set_aside(self, path: Path) -> Taken:
        """Report of a file on which the process died time after time, and move it: what is behind it has waited."""
        assert self._job.reports
        known, sha256 = identity(path), self._noted["sha256"]
        folder = files.run_folder(self._job.reports, own_name(path), datetime.now(UTC))
        self._take_note(**self._noted | {"folder": str(folder.absolute())})
        source = Source(own_name(path), path, sha256, known[2])
        error = SheetError(
            f"{path.name} was begun twice, and each time the process died in the midst of it: it was killed, or the "
            "machine had no memory left or was switched off. What it had done by then is told by the next run. Look "
            "at the machine's log, give it more memory or split the file, then run it by itself: onboarding run "
            f"{self._done / _done_name(folder, path)}"
        )
        job = replace(self._job, folder=folder, began=datetime.now(UTC))
        report = unusable(job, self._voice, source, error, tenant=self._tenant)
        self._finish(path, folder, known)
        return Taken(path.name, report.exit_code, report.summary, report.error, moved=True)

    def _take(self, path: Path, tenant: Tenant) -> Taken | Left:
        """Copy a file, run the copy, move the file."""
        assert self._job.reports
        known = identity(path)
        folder = files.run_folder(self._job.reports, own_name(path), datetime.now(UTC))
        try:
            report = self._answer(path, folder, tenant)
        except NotYet as why:
            self._came_to_an_end()
            _discard(folder)
            return Left(path.name, str(why))
        except (Interrupted, OnboardingError) as error:
            self._came_to_an_end()
            _discard(folder)
            return Taken(path.name, code_of(error), error=error)
        settled = _settled(report.summary)
        if settled:
            self._finish(path, folder, known)
        return Taken(
            path.name,
            report.exit_code,
            report.summary,
            report.error,
            same_input(folder, self._tenant, report.summary["inputs"][0]["sha256"]),
            settled,
        )

    def _answer(self, path: Path, folder: Path, tenant: Tenant) -> Report:
        """Run a copy of a file; what is wrong with it stands in a report, as nobody is there to be told."""
        job = replace(self._job, folder=folder, began=datetime.now(UTC))
        source = Source(own_name(path), path, "", 0)
        try:
            source = copied(path, folder / INPUT)
            self._begin(path.name, source.sha256, folder)
            job = replace(job, inputs=(str(source.path),))
            report = run(job, tenant, self._voice, stop=self._stop, state=self._state)
        except SheetError as error:
            named = SheetError(str(error).replace(str(source.path), path.name))  # not our copy
            report = unusable(job, self._voice, source, named, tenant=self._tenant)
        except (OnboardingError, NotYet):
            raise
        except Exception as bug:  # a file that we stumble over would stay the first for ever
            log.exception("a bug of ours")
            report = unusable(job, self._voice, source, bug, tenant=self._tenant)
        if not report.tables or any(table.columns.blanked for table in report.tables):
            _remove_copy(folder)  # no plan is carried out from it, or passwords stand in it
        return report

    def _begin(self, name: str, sha256: str, folder: Path) -> None:
        """Note that a file is begun: once more, if the process died on these very bytes before."""
        before = self._noted
        again = (name, sha256) == (before.get("name"), before.get("sha256"))
        starts = before["starts"] + 1 if again else 1
        self._take_note(name=name, sha256=sha256, folder=str(folder.absolute()), starts=starts)

    def _came_to_an_end(self) -> None:
        """Note that nobody died on what is in hand, whatever came of it."""
        if self._noted:
            self._take_note(**self._noted | {"starts": 0})

    def _take_note(self, **noted: Any) -> None:
        self._noted = noted
        self._state.note(self._note, json.dumps(noted))

    def _finish(self, path: Path, folder: Path, known: tuple[int, ...]) -> None:
        """Move a file that has its report."""
        move(path, self._done, _done_name(folder, path), known)
        self._noted = {}
        self._state.note(self._note, "")


def _done_name(folder: Path, path: Path) -> str:
    """Give the name of a file in ``done/``, which begins as its run's does."""
    return files.same_name(f"{folder.name.partition('-')[0]}-{own_name(path)}")


def _settled(summary: Mapping[str, Any]) -> bool:
    """Say whether a run has answered for its file: nothing is left that a later run could carry on by itself."""
    open_ends = summary["statuses"][Status.IN_DOUBT] or "declined" in summary["codes"]
    return summary["exit_code"] in SETTLED and not open_ends


def _discard(folder: Path) -> None:
    """Remove a run folder in which nothing is told; what was sent stands in a journal, and that stays."""
    _remove_copy(folder)
    if not (folder / "journal.jsonl").exists():
        shutil.rmtree(folder, ignore_errors=True)


def _remove_copy(folder: Path) -> None:
    shutil.rmtree(folder / INPUT, ignore_errors=True)
