"""The folder of reports in; the runs that stand in it, the last first, and how those that nobody needs are removed.

Only a folder that is a run's beyond doubt is touched: named as we name them, no link, our own, with a summary that
names it (or known to be of a run that died), and with nothing in it that a run does not write. Whatever is else in it
may be somebody's work on ``retry/``.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

NAME = re.compile(r"\d{8}T\d{6}Z-.+", re.DOTALL)
SUMMARY = "summary.json"
LOG = "run.log"
BESIDE = frozenset({SUMMARY, LOG, "journal.jsonl", "undo.json"})
"""What a run writes besides the files that its summary lists."""
UNFINISHED = frozenset(
    {*("plan.json", "results.csv", "results.xlsx", "actions.csv", "report.html"), *BESIDE}
)
"""What a run may have written before it died; ``retry/`` may be somebody's work by then."""
HALF_WRITTEN = re.compile(r"\..+\.tmp")
ASKED = frozenset({"command", "tenant", "inputs", "fingerprint", "statuses", "exit_code", "files"})
"""What is asked of a summary here; one that lacks any of it is of another version, and no business of ours."""
INPUT = "input"
"""Where the copy of an upload lies in a run folder."""
STOPPED = 5


@dataclass(frozen=True, slots=True)
class Run:
    """A run that has ended: its folder, and what it says of itself; nothing where it died before it could."""

    folder: Path
    summary: dict[str, Any]

    @property
    def open_plan(self) -> str:
        """The fingerprint of a plan that this run left to be carried out; empty where it left none."""
        if not self.summary:
            return ""
        proposed = self.summary["command"] == "plan" and self.summary["statuses"]["planned"]
        held_back = self.summary["exit_code"] == STOPPED
        return str(self.summary["fingerprint"]) if proposed or held_back else ""


def runs(reports: Path, dead: Collection[Path] = ()) -> Iterator[Run]:
    """Give the runs that have ended, the last first; ``dead`` are folders of those that could not say so."""
    try:
        folders = sorted(reports.iterdir(), key=_age, reverse=True)
    except OSError:
        return
    for folder in folders:
        with suppress(OSError, ValueError, LookupError, TypeError):
            if run := _recognised(folder, dead):
                yield run


def same_input(folder: Path, tenant: str, sha256: str) -> str:
    """Give the name of the last run before this one whose input was just these bytes; empty where there is none."""
    for run in runs(folder.parent):
        same = [one["sha256"] for one in run.summary["inputs"]] == [sha256]
        if same and run.summary["tenant"] == tenant and run.folder.name != folder.name:
            return run.folder.name
    return ""


def prune(
    reports: Path,
    tenant: str,
    *,
    keep: int,
    spare: Collection[str],
    dead: Collection[Path] = (),
) -> None:
    """Remove a tenant's run folders but the last ``keep``, those to ``spare``, and those with a plan still to be decided on.

    A plan is that as long as no later run has carried it out, nor a later one proposes the same. ``dead`` are the
    folders of runs that have not come to their report; they go with those of their time.
    """
    decided: set[str] = set()
    number = 0
    for run in runs(reports, dead):
        if run.summary and run.summary["tenant"] != tenant:
            continue
        waits = run.open_plan and run.open_plan not in decided
        if number >= keep and not waits and run.folder.name not in spare:
            try:
                _remove(run)
            except OSError as error:
                name, why = run.folder.name, error.strerror
                log.warning("the run folder %s can't be removed: %s", name, why)
        if run.summary:
            decided.add(str(run.summary["fingerprint"]))
            number += 1


def _age(folder: Path) -> tuple[str, int]:
    """Sort as the runs came; those that began in one second, as they ended."""
    with suppress(OSError):
        return folder.name[:16], (folder / SUMMARY).stat().st_mtime_ns
    return folder.name[:16], 0


def _recognised(folder: Path, dead: Collection[Path]) -> Run | None:
    if (
        not NAME.fullmatch(folder.name)
        or folder.is_symlink()
        or folder.stat().st_uid != os.geteuid()
    ):
        return None
    if folder.absolute() in dead and not (folder / SUMMARY).exists():
        return Run(folder, {})
    summary = json.loads((folder / SUMMARY).read_bytes())
    ours = Path(summary["folder"]).name == folder.name and summary.keys() >= ASKED
    return Run(folder, summary) if ours else None


def _remove(run: Run) -> None:
    """Remove the summary last: a removal that is cut short is carried on by the next run."""
    summary = run.folder / SUMMARY
    inside = sorted(run.folder.rglob("*"), reverse=True)  # what is in a folder comes before it
    strange = [path for path in inside if not _is_ours(path, run)]
    if strange:
        name = strange[0].relative_to(run.folder)
        log.info(
            "the run folder %s is kept, as %s is not as the run left it", run.folder.name, name
        )
        return
    for path in inside:
        if path.is_dir():
            path.rmdir()
        elif path != summary:
            path.unlink()
    summary.unlink(missing_ok=True)
    run.folder.rmdir()
    log.info("the run folder %s is removed; keep_runs says so", run.folder.name)


def _is_ours(path: Path, run: Run) -> bool:
    """Whether the run wrote this, and nobody has worked on it since: all but the log is older than the summary."""
    name, facts = path.relative_to(run.folder), path.lstat()
    if not run.summary:
        return _was_left(name, facts)
    if stat.S_ISDIR(facts.st_mode):
        return str(name) in ("retry", INPUT)
    known = str(name) in (*run.summary["files"], *BESIDE) or name.parent == Path(INPUT)
    untouched = str(name) == LOG or facts.st_mtime_ns <= (run.folder / SUMMARY).stat().st_mtime_ns
    return stat.S_ISREG(facts.st_mode) and known and untouched


def _was_left(name: Path, facts: os.stat_result) -> bool:
    """Whether a run that died may have left this behind, half written files too."""
    if stat.S_ISREG(facts.st_mode) and str(name) in UNFINISHED:
        return True
    within = name.parts[0] == INPUT or HALF_WRITTEN.fullmatch(name.parts[0])
    return bool(within) and (stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode))
