"""The main path, to be read aloud: read, take in, look, reconcile, guard, apply, report.

Nothing here prints, asks or reads settings: a ``Job`` comes in, a ``Report`` goes out, and a ``Voice`` is told what
happens in between. What makes the job impossible is raised (``errors``); once a run folder exists, what stopped
the run stands in ``Report.error`` beside a result for every row.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from onboarding import saved
from onboarding.apply import Applied, apply, forecast, settle
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
from onboarding.intake import at_their_cells, take_in
from onboarding.job import Job, Prospect, Report, Voice
from onboarding.journal import State
from onboarding.look import look
from onboarding.model import Directory, Email, Intake
from onboarding.plan import Action, Plan
from onboarding.reconcile import reconcile
from onboarding.report import deeds, manual_work, not_compared
from onboarding.safety import agreed, check, check_rejected, screen, usage
from onboarding.sheets import read
from onboarding.tenant import Tenant
from onboarding.writers import files
from onboarding.writers.tenant import exported, workbook


def validate(job: Job, voice: Voice, *, stdin: BinaryIO | None = None) -> Report:
    """Check the sheets; no tenant is contacted."""
    sitting = Sitting.begin("validate", job, read(job.inputs, job.reading, stdin=stdin))
    intake = take_in(sitting.inputs.tables, job.rules)
    findings = (*sitting.inputs.notes, *intake.findings)
    if job.reports:
        sitting = sitting.open_folder(voice)
    report = sitting.report(not_compared(intake.rows, findings), findings)
    return replace(report, tables=sitting.inputs.tables)


def plan(job: Job, tenant: Tenant, voice: Voice, *, stdin: BinaryIO | None = None) -> Report:
    """Show and save what ``run`` would do; nothing is changed, neither here nor at the tenant."""
    sitting = Sitting.begin("plan", job, read(job.inputs, job.reading, stdin=stdin))
    name = tenant.identity().tenant
    with closing(State.peek(job.state, name, now=job.pace.now)) as state:
        prospect = _prospect(sitting, tenant, state, doubtful=state.doubtful())
        sitting = sitting.open_folder(voice)
        voice.propose(prospect)
        refusal = _refusal(job, prospect, state)
        return sitting.ended(prospect, None, Ending.of(tenant, refusal, state.reported_manual()))


def run(
    job: Job,
    tenant: Tenant,
    voice: Voice,
    *,
    stop: Stop | None = None,
    stdin: BinaryIO | None = None,
) -> Report:
    """Validate, plan, ask, apply, report: the main job."""
    sitting = Sitting.begin("run", job, read(job.inputs, job.reading, stdin=stdin))
    return _carry_out(sitting, tenant, voice, stop or Stop())


def apply_saved(
    path: Path, job: Job, tenant: Tenant, voice: Voice, *, stop: Stop | None = None
) -> Report:
    """Carry out a saved plan, and nothing else; what has moved since is set aside by itself."""
    reviewed, asked = saved.load(path, expect=job.expect)
    job = replace(
        job, inputs=asked.inputs, reading=asked.reading, rules=asked.rules, wishes=asked.wishes
    )
    sitting = Sitting.begin("apply", job, read(job.inputs, job.reading))
    asked.check_sheets(sitting.inputs.sources)
    return _carry_out(sitting, tenant, voice, stop or Stop(), reviewed)


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
    reviewed: Plan | None = None,
) -> Report:
    """Do what ``run`` and ``apply`` have in common: settle, plan, guard, ask, apply, report."""
    job = sitting.job
    name = tenant.identity().tenant
    state = State.open(job.state, name, create=job.init_state, now=job.pace.now)
    with closing(state), state.lock():
        doubtful = settle(state, tenant, job.pace)
        looked_at = job.pace.now()
        prospect = _prospect(sitting, tenant, state, doubtful=doubtful, reviewed=reviewed)
        sitting = sitting.open_folder(voice)
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

        assert sitting.folder
        with closing(state.begin(sitting.run, sitting.folder / "journal.jsonl")) as journal:
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
            ending = Ending.of(tenant, _stopped(applied, stop), state.reported_manual())
            report = sitting.ended(prospect, applied.outcomes, ending)
            if not isinstance(report.error, StorageError):
                state.remember_manual(manual_work(deeds(prospect.plan, applied.outcomes)))
                journal.finish()
            return report


def _stopped(applied: Applied, stop: Stop) -> OnboardingError | None:
    """Give what ended the run early: a signal goes before all but a full disk, which can't hold the report of it."""
    if stop.is_set() and not isinstance(applied.stopped, StorageError):
        return Interrupted(stop.signal)
    return applied.stopped


def _prospect(
    sitting: Sitting,
    tenant: Tenant,
    state: State,
    *,
    doubtful: frozenset[str],
    reviewed: Plan | None = None,
) -> Prospect:
    """Take in, look, reconcile, and guard what concerns single changes."""
    job, inputs = sitting.job, sitting.inputs
    intake = take_in(inputs.tables, job.rules)
    _insist_on_rows(job.permissions.reinvite, intake)
    current = _seen(tenant, intake, job)
    if any(finding.code == "domain-doubtful" for finding in intake.findings):
        at_home = {email.rpartition("@")[2] for email in current.users}
        wiser = take_in(inputs.tables, job.rules, at_home=at_home)
        if wiser != intake:
            intake, current = wiser, _seen(tenant, wiser, job)
    reconciled = reconcile(intake, current, job.wishes, earlier=state.earlier())
    fresh = reconciled.plan
    if reviewed is not None:  # an empty one lets nothing pass
        fresh = agreed(reviewed, fresh, current)
    plan = screen(
        fresh,
        current,
        job.permissions,
        doubtful=doubtful,
        invited_recently=state.invited_recently(_invitees(fresh)),
    )
    calls = tenant.calls + forecast(plan, current, tenant, job.pace)
    prospect = Prospect(
        intake,
        (
            *inputs.notes,
            *(f for f in intake.findings if f.code != TOLD_BESIDE_THE_TENANT),
            *at_their_cells(reconciled.findings, inputs.tables),
        ),
        current,
        plan,
        calls,
        tenant.takes(calls),
    )
    rows, rejected = len(intake.rows), prospect.rejected
    return replace(prospect, usage=usage(plan, current, job.limits, rows=rows, rejected=rejected))


def _seen(tenant: Tenant, intake: Intake, job: Job) -> Directory:
    return look(
        tenant,
        intake.desired,
        whole_groups=job.wishes.authoritative,
        leavers_revoke=job.wishes.leavers_revoke,
        held=intake.held.people,
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


def _spent(error: UnsafePlan) -> UnsafePlan:
    return UnsafePlan(
        f"This plan was let pass once with --accept, and that counts once. Raise the limit itself for this run "
        f"(--max-invitations, --max-demotions, --max-removals), or change what the sheets ask. {error}"
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
        if job.accept != prospect.plan.fingerprint:
            return error
        return None if state.spend(job.accept) else _spent(error)
    return None
