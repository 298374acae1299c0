"""The main path, to be read aloud: read, take in, look, reconcile, guard, apply, report.

Nothing here prints, asks or reads settings: a ``Job`` comes in, a ``Report`` goes out, and a ``Voice`` is told what
happens in between. What makes the job impossible is raised (``errors``); once a run folder exists, what stopped
the run stands in ``Report.error`` beside a result for every row.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from onboarding import saved
from onboarding.apply import Observer, Pace, apply, forecast, settle
from onboarding.errors import Declined, OnboardingError, StorageError, TooManyRejected, UnsafePlan
from onboarding.intake import Rules, take_in
from onboarding.journal import State
from onboarding.model import Directory, Email, Finding, Intake, Severity
from onboarding.plan import Action, Outcome, Plan, Status
from onboarding.reconcile import Wishes, reconcile
from onboarding.report import (
    Deed,
    RowResult,
    Totals,
    deeds,
    exit_code,
    manual_work,
    not_compared,
    results,
    totals,
)
from onboarding.safety import Limits, Permissions, agreed, check, check_rejected, screen
from onboarding.sheets import Inputs, Reading, read
from onboarding.tenant import Tenant, look
from onboarding.words import labels
from onboarding.writers import files, rows, summary


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a command needs to know, worked out once from flags, environment and settings."""

    inputs: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)
    rules: Rules = field(default_factory=Rules)
    wishes: Wishes = field(default_factory=Wishes)
    limits: Limits = field(default_factory=Limits)
    permissions: Permissions = field(default_factory=Permissions)
    pace: Pace = field(default_factory=Pace)
    reports: Path | None = None
    """Where run folders are made; None: no files (``validate`` only)."""
    state: Path = Path()
    init_state: bool = True
    """Whether a missing state folder may be made."""
    accept: str = ""
    """The fingerprint of the one plan that may pass over the limits, once."""
    expect: str = ""
    """``apply``: the fingerprint that the saved plan must have."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would be done, and what it was worked out from."""

    intake: Intake
    findings: tuple[Finding, ...]
    current: Directory
    plan: Plan
    calls: int
    """Calls of the whole command when nothing fails: those that the reading took, and those to come."""

    @property
    def rejected(self) -> int:
        """How many rows are rejected."""
        return len({f.row for f in self.findings if f.row and f.severity is Severity.REJECT})

    @property
    def invitations(self) -> int:
        """How many e-mails it would send."""
        return len(self.plan.of(Action.INVITE))


class Voice(Observer, Protocol):
    """Who is told, and asked, while a job runs. The command line is one; tests have a silent one."""

    def opened(self, folder: Path) -> None:
        """The run folder exists; logs may go there."""
        ...

    def propose(self, prospect: Prospect) -> None:
        """This is what would be done."""
        ...

    def confirm(self, prospect: Prospect) -> bool:
        """May it be done?"""
        ...

    def insist(self, refusal: UnsafePlan | TooManyRejected) -> bool:
        """A limit is in the way: does the person insist?"""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """How a command ended: a result for every row, the totals, the files."""

    results: tuple[RowResult, ...]
    findings: tuple[Finding, ...]
    totals: Totals
    exit_code: int
    summary: Mapping[str, Any]
    """What ``summary.json`` holds and ``--json`` prints."""
    folder: Path | None = None
    error: BaseException | None = None
    """What stopped the run, if anything did."""


def validate(job: Job, voice: Voice, *, stdin: BinaryIO | None = None) -> Report:
    """Check the sheets; no tenant is contacted."""
    sitting = _Sitting.begin("validate", job, read(job.inputs, job.reading, stdin=stdin))
    intake = take_in(sitting.inputs.tables, job.rules)
    findings = (*sitting.inputs.notes, *intake.findings)
    if job.reports:
        sitting = sitting.open_folder(voice)
    return sitting.report(not_compared(intake.rows, findings), findings)


def plan(job: Job, tenant: Tenant, voice: Voice, *, stdin: BinaryIO | None = None) -> Report:
    """Show and save what ``run`` would do; nothing is changed, neither here nor at the tenant."""
    sitting = _Sitting.begin("plan", job, read(job.inputs, job.reading, stdin=stdin))
    state = State.peek(job.state, tenant.identity().tenant, now=job.pace.now)
    prospect = _prospect(sitting, tenant, state, doubtful=state.doubtful())
    sitting = sitting.open_folder(voice)
    voice.propose(prospect)
    return sitting.dry_run(prospect, error=_refusal(job, prospect, state))


def run(
    job: Job,
    tenant: Tenant,
    voice: Voice,
    *,
    stop: threading.Event | None = None,
    stdin: BinaryIO | None = None,
) -> Report:
    """Validate, plan, ask, apply, report: the main job."""
    sitting = _Sitting.begin("run", job, read(job.inputs, job.reading, stdin=stdin))
    return _carry_out(sitting, tenant, voice, stop or threading.Event())


def apply_saved(
    path: Path, job: Job, tenant: Tenant, voice: Voice, *, stop: threading.Event | None = None
) -> Report:
    """Carry out a saved plan, and nothing else; what has moved since is set aside by itself."""
    reviewed = saved.load(path, expect=job.expect)
    job = replace(
        job,
        inputs=reviewed.inputs,
        reading=reviewed.reading,
        rules=reviewed.rules,
        wishes=reviewed.wishes,
    )
    sitting = _Sitting.begin("apply", job, read(job.inputs, job.reading))
    reviewed.check_sheets(sitting.inputs.sources)
    return _carry_out(sitting, tenant, voice, stop or threading.Event(), reviewed.plan)


def _carry_out(
    sitting: _Sitting,
    tenant: Tenant,
    voice: Voice,
    stop: threading.Event,
    reviewed: Plan | None = None,
) -> Report:
    """Do what ``run`` and ``apply`` have in common: settle, plan, guard, ask, apply, report."""
    job = sitting.job
    state = State.open(
        job.state, tenant.identity().tenant, create=job.init_state, now=job.pace.now
    )
    with state.lock():
        doubtful = settle(state, tenant, job.pace)
        prospect = _prospect(sitting, tenant, state, doubtful=doubtful, reviewed=reviewed)
        sitting = sitting.open_folder(voice)
        voice.propose(prospect)

        refusal = _refusal(job, prospect, state)
        if refusal and not voice.insist(refusal):
            return sitting.nothing_sent(prospect, "over-limit", refusal)
        if prospect.plan.changes and not voice.confirm(prospect):
            no = Declined("You said no; nothing was sent.")
            return sitting.nothing_sent(prospect, "declined", no)

        journal = state.begin(sitting.run, sitting.file("journal.jsonl"))
        applied = apply(
            prospect.plan, prospect.current, tenant, journal, job.pace, observer=voice, stop=stop
        )
        report = sitting.done(
            prospect,
            applied.outcomes,
            error=applied.stopped,
            calls=tenant.calls,
            known_manual=state.reported_manual(),
        )
        if not isinstance(report.error, StorageError):
            state.remember_manual(manual_work(deeds(prospect.plan, applied.outcomes)))
            journal.finish()
        return report


def _prospect(
    sitting: _Sitting,
    tenant: Tenant,
    state: State,
    *,
    doubtful: frozenset[str],
    reviewed: Plan | None = None,
) -> Prospect:
    """Take in, look, reconcile, and guard what concerns single changes."""
    job, inputs = sitting.job, sitting.inputs
    intake = take_in(inputs.tables, job.rules)
    current = look(
        tenant,
        intake.desired,
        whole_groups=job.wishes.authoritative,
        leavers_revoke=job.wishes.leavers_revoke,
    )
    reconciled = reconcile(intake, current, job.wishes, earlier=state.earlier())
    fresh = agreed(reviewed, reconciled.plan) if reviewed else reconciled.plan
    plan = screen(
        fresh,
        current,
        job.permissions,
        doubtful=doubtful,
        invited_recently=state.invited_recently(_invitees(fresh)),
    )
    return Prospect(
        intake,
        (*inputs.notes, *intake.findings, *reconciled.findings),
        current,
        plan,
        tenant.calls + forecast(plan, current, tenant, job.pace),
    )


def _invitees(plan: Plan) -> list[Email]:
    return [change.email for change in plan.of(Action.INVITE) if change.email]


def _refusal(job: Job, prospect: Prospect, state: State) -> UnsafePlan | TooManyRejected | None:
    """Guard what concerns the plan as a whole; ``--accept`` lifts the limits on changes, once."""
    try:
        check_rejected(len(prospect.intake.rows), prospect.rejected, job.limits)
        check(prospect.plan, prospect.current, job.limits)
    except TooManyRejected as error:
        return error
    except UnsafePlan as error:
        accepted = job.accept == prospect.plan.fingerprint and state.spend(job.accept)
        return None if accepted else error
    return None


@dataclass(frozen=True, slots=True)
class _Sitting:
    """One command at work: what it was asked, on which sheets, since when, and where its files go."""

    command: str
    job: Job
    inputs: Inputs
    started: datetime
    folder: Path | None = None

    @classmethod
    def begin(cls, command: str, job: Job, inputs: Inputs) -> _Sitting:
        return cls(command, job, inputs, datetime.now(UTC))

    def open_folder(self, voice: Voice) -> _Sitting:
        """Make the run folder, before anything is sent: a report that can't be written must not surprise."""
        assert self.job.reports
        first = self.inputs.sources[0].name
        folder = files.run_folder(self.job.reports, first, self.started)
        voice.opened(folder)
        return replace(self, folder=folder)

    @property
    def run(self) -> str:
        """The run's name: that of its folder."""
        return self.folder.name if self.folder else ""

    def file(self, name: str) -> Path:
        assert self.folder
        return self.folder / name

    def dry_run(self, prospect: Prospect, *, error: OnboardingError | None) -> Report:
        """Report what would be done."""
        return self._judged(prospect, None, error=error)

    def nothing_sent(self, prospect: Prospect, code: str, error: OnboardingError) -> Report:
        """Report that nothing was sent: what wanted a change is skipped."""
        plan = prospect.plan
        untouched = plan.set_aside(plan.changes, Status.SKIPPED, code, str(error))
        return self._judged(replace(prospect, plan=untouched), {}, error=error)

    def done(
        self,
        prospect: Prospect,
        outcomes: Mapping[str, Outcome],
        *,
        error: BaseException | None,
        calls: int,
        known_manual: frozenset[str],
    ) -> Report:
        """Report what was done."""
        return self._judged(
            prospect, outcomes, error=error, calls=calls, known_manual=known_manual
        )

    def _judged(
        self,
        prospect: Prospect,
        outcomes: Mapping[str, Outcome] | None,
        *,
        error: BaseException | None,
        calls: int | None = None,
        known_manual: frozenset[str] = frozenset(),
    ) -> Report:
        named = labels(prospect.current, prospect.plan)
        judged = results(prospect.intake.rows, prospect.findings, prospect.plan, outcomes, named)
        return self.report(
            judged,
            prospect.findings,
            prospect=prospect,
            done=deeds(prospect.plan, outcomes),
            error=error,
            calls=calls,
            known_manual=known_manual,
        )

    def report(
        self,
        judged: tuple[RowResult, ...],
        findings: tuple[Finding, ...],
        *,
        prospect: Prospect | None = None,
        done: tuple[Deed, ...] = (),
        error: BaseException | None = None,
        calls: int | None = None,
        known_manual: frozenset[str] = frozenset(),
    ) -> Report:
        """Total, write the files if there is a folder, and decide the exit code."""
        raise NotImplementedError
