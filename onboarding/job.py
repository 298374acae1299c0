"""A job as values: what is asked, what would be done, and how it ended; and who is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from onboarding.apply import Observer, Pace
from onboarding.errors import TooManyRejected, UnsafePlan
from onboarding.intake import Rules
from onboarding.model import Directory, Email, Finding, RowRef, Severity
from onboarding.plan import Action, Plan
from onboarding.reconcile import Wishes
from onboarding.report import RowResult
from onboarding.safety import Limits, Permissions, Usage
from onboarding.sheets import Reading, Table
from onboarding.totals import Spoken, Totals


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a command needs to know, worked out once from flags, environment and settings."""

    inputs: tuple[str, ...] = ()
    began: datetime | None = None
    """When somebody asked for it; None: when its sheets are read."""
    reading: Reading = field(default_factory=Reading)
    rules: Rules = field(default_factory=Rules)
    wishes: Wishes = field(default_factory=Wishes)
    limits: Limits = field(default_factory=Limits)
    permissions: Permissions = field(default_factory=Permissions)
    pace: Pace = field(default_factory=Pace)
    reports: Path | None = None
    """Where run folders are made; None: no files (``validate`` only)."""
    folder: Path | None = None
    """The run folder, where it is there already; None: one is made."""
    keep_runs: int | None = None
    """How many run folders of a tenant are kept; None: all."""
    carry: tuple[str, ...] | None = None
    """Headers that reports carry along beside those that decide something; None: all."""
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

    rows: Sequence[RowRef]
    """Every input row. (What they ask for is in the plan by now, and need not be kept: it is half of the memory.)"""
    findings: tuple[Finding, ...]
    current: Directory
    plan: Plan
    nowhere: tuple[Email, ...] = ()
    """Accounts that no row is about, where the sheets are all there is to say and all accounts are known."""
    calls: int = 0
    """Calls of the whole command when nothing fails: those that the reading took, and those to come."""
    seconds: float = 0.0
    """How long they take at the pace that is kept."""
    usage: tuple[Usage, ...] = ()
    """How close the plan comes to the limits."""
    reported: Spoken = field(default_factory=dict)
    """Work for people that earlier runs have reported and that these rows speak of."""

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
        """Note that the run folder exists; logs may go there."""
        ...

    def propose(self, prospect: Prospect) -> None:
        """Show what would be done."""
        ...

    def confirm(self, prospect: Prospect) -> bool:
        """Ask whether it may be done."""
        ...

    def insist(self, refusal: UnsafePlan | TooManyRejected) -> bool:
        """Ask whether the person insists, although a limit is in the way."""
        ...


class Unattended:
    """The voice of a run that nobody watches: it agrees to what the limits allow, insists on nothing, and is silent."""

    def opened(self, folder: Path) -> None:
        """Let the folder be."""

    def propose(self, prospect: Prospect) -> None:
        """Show nobody anything."""

    def confirm(self, _: Prospect) -> bool:
        """Agree."""
        return True

    def insist(self, _: UnsafePlan | TooManyRejected) -> bool:
        """Leave limits to people."""
        return False

    def step(self, done: int, total: int, what: str) -> None:
        """Draw nothing."""

    def rows(self, through: int, total: int) -> None:
        """Draw nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a command ended: a result for every row, the totals, the files."""

    results: Sequence[RowResult]
    findings: Sequence[Finding]
    totals: Totals
    exit_code: int
    summary: Mapping[str, Any]
    """What ``summary.json`` holds and ``--json`` prints."""
    folder: Path | None = None
    error: BaseException | None = None
    """What stopped the run, if anything did."""
    tables: tuple[Table, ...] = ()
    """What was read."""
