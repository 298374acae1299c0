"""The main path, to be read aloud: read, take in, look, reconcile, guard, apply, report.

Nothing here prints, asks or reads settings: a ``Job`` comes in, a ``Report`` goes out, and a ``Voice`` is told what
happens in between. What makes the job impossible is raised (``errors``); once a run folder exists, what stopped
the run stands in ``Report.error`` beside a result for every row.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from onboarding import kept, saved, untold
from onboarding.apply import Applied, apply, forecast, settle
from onboarding.crew import Crew
from onboarding.errors import (
    Declined,
    Interrupted,
    OnboardingError,
    Stop,
    StorageError,
    TooManyRejected,
    UnsafePlan,
    UsageError,
)
from onboarding.filing import Ending, Sitting
from onboarding.intake import at_their_cells, checked, take_in
from onboarding.job import Job, Prospect, Report, Voice
from onboarding.journal import State
from onboarding.journal.intents import Untold
from onboarding.look import look
from onboarding.model import Directory, Email, Intake
from onboarding.plan import Action, Plan
from onboarding.reconcile import nowhere, reconcile
from onboarding.report import Deeds, not_compared
from onboarding.safety import agreed, check, check_rejected, screen, usage
from onboarding.sheets import Inputs, Source, read
from onboarding.sources import Ahead
from onboarding.tenant import Tenant
from onboarding.totals import manual_work, no_longer, spoken_of
from onboarding.undo import as_of_today, concerned
from onboarding.writers import files
from onboarding.writers.tenant import exported, workbook


def validate(
    job: Job, voice: Voice, *, stdin: BinaryIO | None = None, ahead: Ahead | None = None
) -> Report:
    """Check the sheets; no tenant is contacted. ``ahead``: their bytes, which somebody has begun to read."""
    inputs = read(job.inputs, job.reading, stdin=stdin, ahead=ahead)
    sitting = Sitting.begin("validate", job, inputs)
    judged = checked(sitting.inputs.tables, job.rules)
    findings = judged.findings.behind(sitting.inputs.notes)
    if job.reports:
        sitting = sitting.open_folder(voice)
    return sitting.report(not_compared(judged.rows, findings), findings)


def plan(job: Job, tenant: Tenant, voice: Voice, *, stdin: BinaryIO | None = None) -> Report:
    """Show and save what ``run`` would do; nothing is changed, neither here nor at the tenant."""
    sitting = Sitting.begin("plan", job, read(job.inputs, job.reading, stdin=stdin))
    name = tenant.name
    with closing(State.peek(job.state, name, now=job.pace.now)) as state:
        prospect = _prospect(sitting, tenant, state, voice, doubtful=state.doubtful())
        sitting = sitting.open_folder(voice).keep(prospect.plan)
        voice.propose(prospect)
        refusal = _refusal(job, prospect, state)
        voice.step(tenant.calls, tenant.calls, "writing the reports")
        return sitting.ended(prospect, None, Ending.of(tenant, refusal, state.reported_manual()))


def run(
    job: Job,
    tenant: Tenant,
    voice: Voice,
    *,
    stop: Stop | None = None,
    stdin: BinaryIO | None = None,
    state: State | None = None,
) -> Report:
    """Validate, plan, ask, apply, report: the main job. ``state``: the tenant's, if the caller holds its lock."""
    sitting = Sitting.begin("run", job, read(job.inputs, job.reading, stdin=stdin))
    with nullcontext(state) if state else locked(job, tenant) as ours:
        report = _carry_out(sitting, tenant, voice, stop or Stop(), ours)
        _tidy_up(job, report, ours)
        return report


def unusable(
    job: Job, voice: Voice, source: Source, error: BaseException, *, tenant: str
) -> Report:
    """Report of a run that came to nothing, to people who were not there to be told that the sheet can't be used."""
    sitting = Sitting.begin("run", job, Inputs((), (source,), ())).open_folder(voice)
    return sitting.report(not_compared((), ()), (), ending=Ending(error, tenant=tenant))


def locked(job: Job, tenant: Tenant) -> AbstractContextManager[State]:
    """Give the state of a tenant, for us alone; raises ``TryLater`` if another run is at work."""
    return State.alone(job.state, tenant.name, create=job.init_state, now=job.pace.now)


def apply_saved(
    path: Path,
    job: Job,
    tenant: Tenant,
    voice: Voice,
    *,
    stop: Stop | None = None,
    state: State | None = None,
) -> Report:
    """Carry out a saved plan, or an undo, and nothing else; what has moved since is set aside by itself."""
    reviewed, made_for, file = saved.load(path, expect=job.expect)
    if reviewed.tenant != (here := tenant.name):
        raise UsageError(
            f"{path} is a plan for {reviewed.tenant}, and this is {here}; nothing was sent. "
            "Name that tenant, or make a plan for this one."
        )
    if isinstance(made_for, saved.Undoes):
        reviewed, lines = made_for.listed(reviewed, file)
        sitting = Sitting.begin("apply", job, lines, undoes=made_for)
    else:
        job = made_for.put_into(job)
        sitting = Sitting.begin("apply", job, read(job.inputs, job.reading))
        made_for.check_sheets(sitting.inputs.sources)
    with nullcontext(state) if state else locked(job, tenant) as ours:
        report = _carry_out(sitting, tenant, voice, stop or Stop(), ours, reviewed)
        _tidy_up(job, report, ours)
        return report


def export(tenant: Tenant, folder: Path) -> dict[str, int]:
    """Write the tenant's users, groups and memberships as sheets in our own format; give the counts."""
    groups = tenant.groups()
    members = {group.name: [user.email for user in tenant.members(group.id)] for group in groups}
    found = exported(tenant.users(), groups, members)
    files.folder(folder)
    files.whole(folder / "tenant.xlsx", workbook(found))
    return found.counts


def _carry_out(
    sitting: Sitting,
    tenant: Tenant,
    voice: Voice,
    stop: Stop,
    state: State,
    reviewed: Plan | None = None,
) -> Report:
    """Do what ``run`` and ``apply`` have in common: settle, plan, guard, ask, apply, report."""
    job = sitting.job
    doubtful = settle(state, tenant, job.pace)
    looked_at = job.pace.now()
    prospect = _prospect(sitting, tenant, state, voice, doubtful=doubtful, reviewed=reviewed)
    sitting = sitting.open_folder(voice)
    folder = sitting.folder
    assert folder
    state.begun(folder)
    sitting = sitting.keep(prospect.plan, reviewed)
    voice.propose(prospect)

    refusal = _refusal(job, prospect, state)
    if refusal and not voice.insist(refusal):
        return sitting.nothing_sent(prospect, "over-limit", refusal, tenant)
    try:
        agreed_to = not prospect.plan.changes or voice.confirm(prospect)
    except Interrupted as signal:
        return sitting.nothing_sent(prospect, "interrupted", signal, tenant)
    if not agreed_to:
        no = Declined("You said no; nothing was sent.")
        return sitting.nothing_sent(prospect, "declined", no, tenant)

    accepted = job.accept == prospect.plan.fingerprint and not state.has_spent(job.accept)
    if accepted:
        state.spend(job.accept)
    with closing(state.begin(sitting.run, folder / "journal.jsonl")) as journal:
        before = tenant.calls
        applied = apply(
            prospect.plan,
            prospect.current,
            tenant,
            journal,
            job.pace,
            observer=voice,
            stop=stop,
            looked_at=looked_at,
        )
        voice.step(tenant.calls, tenant.calls, "writing the reports")
        prospect = replace(prospect, calls=before + applied.forecast)
        ending = Ending.of(tenant, _stopped(applied, stop), state.reported_manual())
        report = sitting.ended(prospect, applied.outcomes, ending)
        try:
            if not isinstance(report.error, StorageError):
                if accepted and applied.in_vain:
                    state.give_back(job.accept)
                work = manual_work(Deeds(prospect.plan, applied.outcomes))
                whole = not report.error
                over = no_longer(prospect.reported, work, report.results) if whole else ()
                state.remember_manual(work, over)
                journal.finish()
        except StorageError as error:
            report = sitting.amended(report, error)
        return report


def _tidy_up(job: Job, report: Report, state: State) -> None:
    """Note that the run has its report, and remove the oldest run folders, if few are to be kept.

    Never this run's, whatever the clock says; and of the runs that have died only those whose deeds are told.
    """
    if not report.folder or isinstance(report.error, StorageError):
        return  # else nobody knows what is still open
    state.ended([report.folder])
    if job.keep_runs and job.reports:
        spare = state.unsettled() | {report.folder.name}
        dead = state.unfinished()
        kept.prune(
            job.reports, report.summary["tenant"], keep=job.keep_runs, spare=spare, dead=dead
        )
        state.ended(folder for folder in dead if not folder.exists())


def _stopped(applied: Applied, stop: Stop) -> Interrupted | OnboardingError | None:
    """Give what ended the run early: a signal goes before all but a full disk, which can't hold the report of it."""
    if stop.is_set() and not isinstance(applied.stopped, StorageError):
        return Interrupted(stop.signal)
    return applied.stopped


def _prospect(
    sitting: Sitting,
    tenant: Tenant,
    state: State,
    voice: Voice,
    *,
    doubtful: frozenset[str],
    reviewed: Plan | None = None,
) -> Prospect:
    """Work out what is to be done by today, and guard what concerns single changes."""
    job = sitting.job
    if sitting.undoes and reviewed is not None:  # it may hold nothing but work for a person
        prospect = _taken_back(sitting, tenant, state, reviewed)
    else:
        prospect = _asked_for(sitting, tenant, state, voice, reviewed)
    plan = screen(
        untold.told(prospect.plan, state.untold(), prospect.current),
        prospect.current,
        job.permissions,
        doubtful=doubtful,
        invited_recently=state.invited_recently(_invitees(prospect.plan)),
    )
    calls = tenant.calls + forecast(plan, prospect.current, tenant, job.pace)
    rows, rejected = len(prospect.rows), prospect.rejected
    used = usage(plan, prospect.current, job.limits, rows=rows, rejected=rejected)
    return replace(prospect, plan=plan, calls=calls, seconds=tenant.takes(calls), usage=used)


def _taken_back(sitting: Sitting, tenant: Tenant, state: State, undo: Plan) -> Prospect:
    """Look at what an undo is about, and see what of it can be done today."""
    left = state.untold()
    current = look(
        tenant,
        untold.with_memberships(concerned(undo), left),
        whole_groups=False,
        leavers_revoke=False,
        held=untold.people(left),
    )
    rows = {row for change in undo.changes for row in change.rows}
    rows |= {row for entry in undo.settled for row in entry.rows}
    plan = as_of_today(undo, current, state.earlier())
    return Prospect(tuple(sorted(rows)), sitting.inputs.notes, current, plan)


def _asked_for(
    sitting: Sitting, tenant: Tenant, state: State, voice: Voice, reviewed: Plan | None
) -> Prospect:
    """Take in, look and reconcile; of a plan that was reviewed, what still holds."""
    job, inputs = sitting.job, sitting.inputs
    gaps = inputs.gaps if job.wishes.authoritative else ()
    intake = take_in(inputs.tables, job.rules, whole=not gaps)
    _insist_on_rows(job.permissions.reinvite, intake)
    left = state.untold()
    current = _seen(tenant, intake, job, voice, left)
    if any(finding.code == "domain-doubtful" for finding in intake.findings):
        at_home = {email.rpartition("@")[2] for email in current.users}
        wiser = take_in(inputs.tables, job.rules, at_home=at_home, whole=not gaps)
        if wiser != intake:
            intake, current = wiser, _seen(tenant, wiser, job, voice, left)
    voice.step(tenant.calls, tenant.calls, "working out the plan")
    reconciled = reconcile(intake, current, job.wishes, earlier=state.earlier())
    plan = reconciled.plan
    if reviewed is not None:  # an empty one lets nothing pass
        plan = agreed(reviewed, plan, current)
    findings = (
        *inputs.notes,
        *gaps,
        *(f for f in intake.findings if f.code != TOLD_BESIDE_THE_TENANT),
        *at_their_cells(reconciled.findings, inputs.tables),
    )
    strays = nowhere(intake, current)
    reported = spoken_of(state.reported_manual(), intake.desired.persons)
    return Prospect(intake.rows, findings, current, plan, strays, reported=reported)


def _seen(
    tenant: Tenant, intake: Intake, job: Job, voice: Voice, left: Collection[Untold]
) -> Directory:
    """Look at what the sheets are about, and at what earlier runs have left."""

    def tell(calls: int) -> None:
        voice.step(tenant.calls, tenant.calls + calls, "reading the tenant")

    with Crew(job.pace.workers, finishes=False) as readers:  # whoever interrupts waits for no page
        return look(
            tenant,
            untold.with_memberships(intake.desired, left),
            whole_groups=job.wishes.authoritative,
            leavers_revoke=job.wishes.leavers_revoke,
            held=untold.people(left) | intake.held.people.keys(),
            spread=readers.map,
            tell=tell,
        )


TOLD_BESIDE_THE_TENANT = "name-derived"
"""Of every group by the sheets alone; of the new ones, which alone get a name, by ``reconcile``."""


def _insist_on_rows(reinvite: frozenset[Email], intake: Intake) -> None:
    """Refuse a ``--reinvite`` that would do nothing: whoever typed the address believes that it does something."""
    strays = reinvite - intake.desired.persons.keys() - intake.held.people.keys()
    if strays:
        raise UsageError(
            f"--reinvite names {', '.join(sorted(strays))}, and no row of a users table is about that address; "
            "correct the address, or add a row for it"
        )


def _invitees(plan: Plan) -> list[Email]:
    return [change.email for change in plan.of(Action.INVITE) if change.email]


def _refusal(job: Job, prospect: Prospect, state: State) -> UnsafePlan | TooManyRejected | None:
    """Guard what concerns the plan as a whole; ``--accept`` lifts the limits on changes, once."""
    plan = prospect.plan
    spent = state.has_spent(plan.fingerprint)
    try:
        check_rejected(len(prospect.rows), prospect.rejected, job.limits)
        check(plan, prospect.current, job.limits, spent=spent)
    except TooManyRejected as error:
        return error
    except UnsafePlan as error:
        return error if spent or job.accept != plan.fingerprint else None
    return None
