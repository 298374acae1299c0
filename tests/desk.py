"""A working folder, a clock and a silent person, to run whole jobs with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builders import group, user
from fakes import FakeTenant

from onboarding import pipeline
from onboarding.apply import Pace
from onboarding.errors import TooManyRejected, UnsafePlan
from onboarding.job import Job, Prospect, Report
from onboarding.model import Role


class Quiet:
    """Somebody who says yes to everything but what is over a limit, and remembers what was proposed."""

    def __init__(self, *, agrees: bool = True, insists: bool = False) -> None:
        self.agrees = agrees
        self.insists = insists
        self.proposed: list[Prospect] = []
        self.refusals: list[UnsafePlan | TooManyRejected] = []

    def step(self, done: int, total: int, what: str) -> None: ...

    def rows(self, through: int, total: int) -> None: ...

    def opened(self, folder: Path) -> None: ...

    def propose(self, prospect: Prospect) -> None:
        self.proposed.append(prospect)

    def confirm(self, prospect: Prospect) -> bool:
        return self.agrees

    def insist(self, refusal: UnsafePlan | TooManyRejected) -> bool:
        self.refusals.append(refusal)
        return self.insists


class Desk:
    """A working folder with sheets, and a clock that a test turns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = 1_800_000_000.0

    def sheet(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def job(self, *inputs: Path, **facts: Any) -> Job:
        pace = Pace(now=lambda: self.time, sleep=self.sleep)
        return Job(
            inputs=tuple(map(str, inputs)),
            reports=self.folder / "reports",
            state=self.folder / "state",
            pace=pace,
            **facts,
        )

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def run(
        self, tenant: FakeTenant, *inputs: Path, voice: Quiet | None = None, **facts: Any
    ) -> Report:
        return pipeline.run(self.job(*inputs, **facts), tenant, voice or Quiet())


def acme() -> FakeTenant:
    """Three people and two groups."""
    return FakeTenant(
        [user("olga", Role.ADMIN), user("ana"), user("ben", Role.GUEST)],
        [group("finance"), group("marketing")],
        {"finance": ["ana", "ben"]},
    )


PEOPLE = """email,role,groups,team lead
ana@acme.example,Member,Finance,olga
ben@acme.example,Member,Marketing,olga
carla@acme.example,Guest,Finance; Analytics,olga
dan@acme,Guest,Finance,olga
"""
TEAMS = """group,description
Analytics,Reports for everybody
Finance,Money
"""
MEMBERSHIPS = """email,group,action
ben@acme.example,Finance,remove
ana@acme.example,Analytics,
"""
