"""Play a schedule: the real settling, look, plan, apply, journal and report, run after run, until nothing is left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import Literal

from builders import email
from fakes import Crash

from onboarding.apply import Pace, apply, settle
from onboarding.errors import StorageError, TenantError
from onboarding.journal import DAY, State
from onboarding.journal.database import Database
from onboarding.look import look
from onboarding.model import GroupName
from onboarding.reconcile import Wishes, reconcile
from onboarding.report import Deeds, RowResult, results
from onboarding.safety import Permissions, screen
from onboarding.totals import exit_code, manual_work
from onboarding.words import labels

from .jobs import JOBS
from .world import EMPTY, LAG, LIFE, Clock, Disk, Event, Tenant, Trouble

WAIT = LIFE + LAG + 1
"""How long a doubt waits here; the product's setting is ``wait``."""
CREATES = "action IN ('invite', 'create-group')"
PERMISSIONS = Permissions(allow_admins=True, allow_default=True)

Start = Literal["at-once", "soon", "just-before-due", "when-due", "late"]
"""When the job is started again; due is when the oldest doubt may be decided."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What goes wrong, and when."""

    job: str = "invite"
    events: tuple[Event, ...] = ()
    disk: tuple[tuple[int, Trouble], ...] = ()
    power: tuple[bool, ...] = ()
    """For each death: whether the power is lost with it, and all that was not flushed."""
    starts: tuple[Start, ...] = ("late",)
    """When the job is started again, and again; after that, late."""
    lag: Literal["none", "full", "flickering"] = "none"
    doubles: Literal["refused", "ignored", "mailed"] = "refused"
    atomic: bool = False
    names_the_bad: bool = True
    poison: bool = False
    """Whether the tenant refuses one of the people."""
    batch: int = 2
    patience: float = 4.0
    """For how long the job looks for what it was promised."""
    fresh: float = 60.0
    put_back: float = 0.0
    """By how much the clock on the wall is put back before the second run."""
    deleted: bool = False
    """Whether another admin deletes the first newcomer as soon as a run has reported the account."""


class Broken(AssertionError):
    """A promise that did not hold."""


@dataclass(slots=True)
class Played:
    """What came of a schedule."""

    runs: int = 0
    deaths: int = 0
    calls: int = 0
    codes: list[int | None] = field(default_factory=list)
    """Exit codes, run by run; None for one that died."""


def _silent(what: object) -> None:
    pass


def play(
    schedule: Schedule, *, wait: float = WAIT, tell: Callable[[object], None] = _silent
) -> Played:
    """Carry a schedule out; raises ``Broken`` where a promise does not hold."""
    stage = _Stage(schedule, wait, tell)
    power = chain(schedule.power, repeat(False))
    for start in chain([None], schedule.starts, repeat("late", 9)):
        stage.begin(start)
        try:
            stage.run()
        except Crash:
            stage.played.deaths += 1
            stage.played.codes.append(None)
            stage.disk.restart(power_lost=next(power))
        except (TenantError, StorageError) as error:
            stage.played.codes.append(error.exit_code)
        stage.doubled()
        if stage.done:
            break
    stage.ended()
    return stage.played


class _Stage:
    """A job in its world."""

    def __init__(self, schedule: Schedule, wait: float, tell: Callable[[object], None]) -> None:
        self.schedule = schedule
        self.tell = tell
        self.job = JOBS[schedule.job]
        self.clock = Clock()
        self.disk = Disk.new(of=EMPTY)
        self.disk.trouble = dict(schedule.disk)
        self.tenant = Tenant(
            self.clock,
            schedule.events,
            tell,
            lag=schedule.lag,
            doubles=schedule.doubles,
            atomic=schedule.atomic,
            names_the_bad=schedule.names_the_bad,
            poison={email("new2"): "409 domain not allowed"} if schedule.poison else {},
            **self.job.tenant,
        )
        self.pace = Pace(
            batch=schedule.batch,
            workers=1,
            read_lag=schedule.patience,
            wait=wait,
            fresh=schedule.fresh,
            now=self.clock.now,
            sleep=self.clock.sleep,
        )
        self.played = Played()
        self.given_up = {"new2"} if schedule.poison else set()
        """Who can't be had: the tenant refuses them, or somebody has deleted them."""
        self.started = 0.0
        self.rows: tuple[RowResult, ...] = ()
        """What the last run has told, where that is the last word."""
        self.swallowed = any(e.answer == "yes" and e.effect != "now" for e in schedule.events)
        """Whether the tenant says yes to what it does not do; it is believed for as long as invitations count."""
        self.latecomers: set[str] = set()
        """Who is not there and not in doubt when a group becomes one that takes in newcomers: it will take them in."""

    def begin(self, start: Start | None) -> None:
        """Let time pass until the job is started again."""
        if start is None:
            return
        if self.played.runs == 1:
            self.clock.behind = self.schedule.put_back
        due = max(0.0, self._due() - self.clock.now())
        match start:
            case "at-once":
                pass
            case "soon":
                self.clock.sleep(1)
            case "just-before-due":
                self.clock.sleep(max(0.0, due - 1))
            case "when-due":
                self.clock.sleep(due)
            case "late":
                self.clock.sleep(due + 3 * self.pace.wait)
        last = self.played.runs > len(self.schedule.starts) + 2
        if last and self.swallowed:
            self.clock.sleep(31 * DAY)

    def _due(self) -> float:
        query = f"SELECT min(doubt_since) FROM intents WHERE open AND {CREATES}"
        found = self.disk.execute(query).fetchone()[0]
        return (found or 0.0) + self.pace.wait

    def run(self) -> None:
        """Do what the program does, without its files."""
        self.started = self.clock.time
        self.played.runs += 1
        self._note_latecomers()
        job, tenant, pace = self.job, self.tenant, self.pace
        tenant.another_process()
        state = State(Database(Path(":memory:"), self.disk), pace.now)
        doubtful = settle(state, tenant, pace)
        looked_at = pace.now()
        current = look(tenant, job.wanted.desired, whole_groups=False, leavers_revoke=False)
        plan = reconcile(job.wanted, current, Wishes(), earlier=state.earlier()).plan
        recent = state.invited_recently([c.email for c in plan.changes if c.email])
        plan = screen(plan, current, PERMISSIONS, doubtful=doubtful, invited_recently=recent)
        journal = state.begin("run")
        applied = apply(plan, current, tenant, journal, pace, looked_at=looked_at)

        done = Deeds(plan, applied.outcomes)
        judged = results(job.wanted.rows, (), done, labels(current, plan))
        known, stopped = state.reported_manual(), applied.stopped
        code = exit_code(judged.fates(), done, known_manual=known, stopped=stopped)
        self.told(tuple(judged), code)
        if not isinstance(applied.stopped, StorageError):
            state.remember_manual(manual_work(done))
            journal.finish()
        self.tenant.settle_down()

    # ---- what must hold -----------------------------------------------------------------------------------------

    def told(self, rows: tuple[RowResult, ...], code: int) -> None:
        """Judge a report: every row once, and no word in it that the tenant does not bear out."""
        self.tell(f"run {self.played.runs} ended with {code}")
        for row in rows:
            self.tell(f"  {row.row} {row.status}: {row.message}")
        self.rows = () if self.tenant.meddled + LAG > self.started else rows
        self.played.codes.append(code)
        if tuple(row.row for row in rows) != self.job.wanted.rows:
            raise Broken(f"rows {self.job.wanted.rows} were answered by {rows}")
        if any("unaccounted" in row.codes for row in rows):
            raise Broken(f"nobody answers for a row: {rows}")
        good = [row.row for row in rows if row.result == "success"]
        if code == 0 and len(good) < len(rows):
            raise Broken(f"exit code 0, and {rows}")
        truth = self.tenant.truth()
        lies = [f for f in self.job.wrong(truth, good) if f.of not in self._beyond_us]
        if lies:
            raise Broken(f"told as done and not there: {lies}")
        if self.schedule.deleted and rows[0].result == "success" and self._on_the_books:
            self.tenant.lose("new1")
            self.given_up.add("new1")

    def doubled(self) -> None:
        """Nobody is invited twice by us."""
        twice = [who for who, times in Counter(self.tenant.mails).items() if times > 1]
        if twice:
            raise Broken(f"invited twice: {twice}")

    @property
    def done(self) -> bool:
        """Whether every row has come to its end, and nobody has been at work since."""
        return self.rows != () and all(
            row.result == "success" or self._is_lost_cause(row) for row in self.rows
        )

    def ended(self) -> None:
        """Judge the end, when all has landed: what was asked is there."""
        self.clock.sleep(LIFE)
        self.tenant.settle_down()
        self.doubled()
        if not self.done:
            raise Broken(f"not done after {self.played.runs} runs: {self.rows}")
        truth = self.tenant.truth()
        wrong = [f for f in self.job.wrong(truth, self.job.facts) if f.of not in self.given_up]
        beyond_us = self._beyond_us | self.latecomers
        wrong += [f for f in self.job.also if f.of not in beyond_us and not f.holds(truth)]
        if wrong:
            raise Broken(f"lost: {wrong}")
        self.played.calls = self.tenant.calls

    def _note_latecomers(self) -> None:
        self.tenant.settle_down()
        truth = self.tenant.truth()
        for fact in self.job.also:
            team, who = truth.groups[GroupName(str(fact.value))], email(fact.of)
            if team.default and who not in truth.users and not self._in_doubt(who):
                self.latecomers.add(fact.of)

    def _in_doubt(self, who: str) -> bool:
        query = "SELECT 1 FROM intents WHERE open AND action = 'invite' AND email = ?"
        return self.disk.execute(query, (who,)).fetchone() is not None

    @property
    def _on_the_books(self) -> bool:
        """Whether nothing is under way or unsettled: who is deleted in a doubt is beyond us."""
        unsettled = self.disk.execute(f"SELECT 1 FROM intents WHERE open AND {CREATES}").fetchone()
        return not (self.given_up or self.tenant.under_way or unsettled)

    def _is_lost_cause(self, row: RowResult) -> bool:
        return any(fact.of in self.given_up for fact in self.job.facts[row.row])

    @property
    def _beyond_us(self) -> set[str]:
        return self.given_up | self.tenant.touched
