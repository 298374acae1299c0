"""The end of a command: what became of it in; results, files in a run folder, totals and the exit code out.

The files come in the order of their weight: results first, the summary last, so that a summary means that all
of them are there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from onboarding import saved
from onboarding.errors import Interrupted, OnboardingError, StorageError
from onboarding.job import Job, Prospect, Report, Voice
from onboarding.model import Finding, GroupName
from onboarding.plan import Outcome, Plan, Status
from onboarding.report import NO_DEEDS, Deeds, Results, results
from onboarding.sheets import Inputs
from onboarding.tenant import Reader
from onboarding.totals import exit_code, totals, worst
from onboarding.undo import taken_back
from onboarding.words import labels
from onboarding.writers import files, rows, summary
from onboarding.writers.finished import Finished
from onboarding.writers.page import report_html
from onboarding.writers.since import since
from onboarding.writers.tables import carried
from onboarding.writers.workbook.results import results_xlsx


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command came to its end."""

    error: BaseException | None = None
    """What stopped it."""
    calls: int = 0
    """Calls made, reading included."""
    waited: float = 0.0
    """Seconds that they waited for the tenant's rate limit."""
    known_manual: frozenset[str] = frozenset()
    """Work for people that earlier runs have reported."""
    tenant: str = ""
    """Whose run it was, where there is no plan to say it."""

    @classmethod
    def of(
        cls,
        tenant: Reader,
        error: BaseException | None,
        known_manual: frozenset[str] = frozenset(),
    ) -> Ending:
        """Give the ending of a command that has talked to a tenant."""
        return cls(error, tenant.calls, tenant.waited, known_manual)


@dataclass(frozen=True, slots=True)
class Sitting:
    """One command at work: what it was asked, on which sheets, since when, and where its files go."""

    command: str
    job: Job
    inputs: Inputs
    started: datetime
    folder: Path | None = None
    undoes: saved.Undoes | None = None
    """The run that is taken back, where there are no sheets."""
    fingerprint: str = ""
    """Of the plan as it was proposed, whatever was let through of it."""

    @classmethod
    def begin(
        cls, command: str, job: Job, inputs: Inputs, undoes: saved.Undoes | None = None
    ) -> Sitting:
        """Sit down to a command whose sheets are read."""
        return cls(command, job, inputs, job.began or datetime.now(UTC), undoes=undoes)

    def open_folder(self, voice: Voice) -> Sitting:
        """Make the run folder before anything is sent: no report that can't be written comes as a surprise."""
        folder = self.job.folder
        if not folder:
            assert self.job.reports
            folder = files.run_folder(self.job.reports, self.inputs.sources[0].name, self.started)
        voice.opened(folder)
        return replace(self, folder=folder)

    def keep(self, plan: Plan, reviewed: Plan | None = None) -> Sitting:
        """Write down what is about to be done: a run that is killed can be carried on by its plan.

        Of an undo that is all of it again: there are no sheets to work out anew what is done already.
        """
        assert self.folder
        if self.undoes and reviewed is not None:
            content = saved.dump(reviewed, self.undoes)
        else:
            content = saved.dump(plan, self._saved_job())
        files.whole(self.folder / "plan.json", content)
        return replace(self, fingerprint=plan.fingerprint)

    @property
    def run(self) -> str:
        """The run's name: that of its folder."""
        return self.folder.name if self.folder else ""

    def nothing_sent(
        self, prospect: Prospect, code: str, why: Interrupted | OnboardingError, tenant: Reader
    ) -> Report:
        """Report that nothing was sent: every row that wanted a change is skipped."""
        plan = prospect.plan
        untouched = plan.set_aside(plan.changes, Status.SKIPPED, code, str(why))
        return self.ended(replace(prospect, plan=untouched), {}, Ending.of(tenant, why))

    def ended(
        self, prospect: Prospect, outcomes: Mapping[str, Outcome] | None, ending: Ending
    ) -> Report:
        """Report what was done; with outcomes ``None``, what would be."""
        named = labels(prospect.current, prospect.plan)
        done = Deeds(prospect.plan, outcomes)
        judged = results(prospect.rows, prospect.findings, done, named)
        return self.report(judged, prospect.findings, done, ending, prospect, named)

    def report(
        self,
        judged: Results,
        findings: Sequence[Finding],
        done: Deeds = NO_DEEDS,
        ending: Ending = Ending(),
        prospect: Prospect | None = None,
        named: Mapping[GroupName, str] | None = None,
    ) -> Report:
        """Total, write the files if there is a folder, and decide the exit code."""
        fates, error = judged.fates(), ending.error
        total = totals(fates, done)

        def facts(names: Collection[str] = ()) -> dict[str, Any]:
            code = exit_code(fates, done, known_manual=ending.known_manual, stopped=error)
            return summary.summary(self._facts(code, error, ending, prospect, names), total)

        content = facts()
        if self.folder:
            tables = [carried(table, self.job.carry) for table in self.inputs.tables]
            finished = Finished(
                content,
                tables,
                judged,
                findings,
                total,
                done,
                named or {},
                prospect,
                since(self.folder, content, tables, judged),
            )
            try:
                names = self._write(self.folder, finished)
                content = facts([*names, "summary.json"])
                files.whole(self.folder / "summary.json", summary.as_json(content))
            except StorageError as storage:
                error = storage
                content = facts()
        code: int = content["exit_code"]
        return Report(
            judged, findings, total, code, content, self.folder, error, self.inputs.tables
        )

    def amended(self, report: Report, error: StorageError) -> Report:
        """Say in the summary too that the state could not be written in the end; the results stand."""
        assert self.folder
        code = worst({report.exit_code, error.exit_code})
        content = {**report.summary, "exit_code": code, "error": str(error)}
        files.whole(self.folder / "summary.json", summary.as_json(content))
        return replace(report, exit_code=code, summary=content, error=error)

    def _facts(
        self,
        code: int,
        error: BaseException | None,
        ending: Ending,
        prospect: Prospect | None,
        names: Collection[str],
    ) -> summary.Facts:
        return summary.Facts(
            command=self.command,
            started=self.started,
            finished=datetime.now(UTC),
            exit_code=code,
            tenant=prospect.plan.tenant if prospect else ending.tenant,
            fingerprint=self.fingerprint,
            calls_announced=prospect.calls if prospect else 0,
            calls_made=ending.calls,
            waits={"rate-limit": ending.waited},
            sources=self.inputs.sources,
            tables=self.inputs.tables,
            files=names,
            folder=str(self.folder or ""),
            error=str(error or ""),
        )

    def _write(self, folder: Path, finished: Finished) -> list[str]:
        """Write the files, those first that a run can least do without; give their names."""
        files.whole(folder / "results.csv", rows.results_csv(finished.tables, finished.results))
        names = ["results.csv"]
        with files.scratch(folder) as scratch:
            book = results_xlsx(
                finished, self.inputs.sources, scratch, whole=self.job.carry is None
            )
            files.whole(folder / "results.xlsx", book)
            del book  # as large as what was read
            # What is left of an undo is not for a sheet: the undo itself can be carried out again.
            tables = () if self.undoes else self.inputs.tables
            again = rows.retry(tables, finished.results, finished.findings)
        names.append("results.xlsx")
        if again:
            files.folder(folder / "retry")
        for name, content in again.items():
            files.whole(folder / "retry" / name, content)
            names.append(f"retry/{name}")
        if prospect := finished.prospect:
            audit = rows.actions_csv(finished.done, finished.labels)
            files.whole(folder / "actions.csv", audit)
            names += ["actions.csv", "plan.json"]
            names += self._write_undo(folder, prospect.plan, finished)
        files.whole(folder / "report.html", report_html(finished, names))
        return [*names, "report.html"]

    def _write_undo(self, folder: Path, plan: Plan, finished: Finished) -> list[str]:
        """Write what takes the run back, which is as large as its plan and forgotten at once; give its name."""
        applied = Status.APPLIED
        did = (c for c in plan.changes if finished.done.of(c).outcome.status is applied)
        earlier = (s.change for s in plan.settled if s.change and s.status is applied)
        undo = taken_back(plan.tenant, did, earlier)
        if not (undo.changes or undo.settled):
            return []
        undoes = saved.Undoes.of(undo, self.run, finished.labels)
        files.whole(folder / "undo.json", saved.dump(undo, undoes))
        return ["undo.json"]

    def _saved_job(self) -> saved.SavedJob:
        job = self.job
        inputs = tuple(name if name == "-" else str(Path(name).absolute()) for name in job.inputs)
        return saved.SavedJob(inputs, self.inputs.sources, job.reading, job.rules, job.wishes)
