"""``plan.json``: a plan and the job it was made for, to disk and back.

What is carried out later is this plan, on these sheets, read by these rules; all else (limits, permissions,
batch sizes) is given when it is carried out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from onboarding.errors import SheetError, UsageError
from onboarding.intake import Rules
from onboarding.plan import Plan, plan_from_json, plan_to_json
from onboarding.reconcile import Wishes
from onboarding.sheets import Reading, Source

FORMAT = 1


@dataclass(frozen=True, slots=True)
class SavedJob:
    """The job that a plan was made for."""

    inputs: tuple[str, ...]
    sources: tuple[Source, ...]
    reading: Reading
    rules: Rules
    wishes: Wishes

    def check_sheets(self, now: Iterable[Source]) -> None:
        """Raise ``SheetError`` if a sheet is not what it was when the plan was made."""
        then = {source.name: source.sha256 for source in self.sources}
        today = {source.name: source.sha256 for source in now}
        changed = sorted(
            name for name in then.keys() | today.keys() if then.get(name) != today.get(name)
        )
        if changed:
            raise SheetError(
                f"{', '.join(changed)}: changed since the plan was made; nothing was sent. "
                "Make a new plan and review it."
            )


def dump(plan: Plan, job: SavedJob) -> bytes:
    """Give the file's content; the same for the same plan and job."""
    content = {
        "format": FORMAT,
        "plan": plan_to_json(plan),
        "job": TypeAdapter(SavedJob).dump_python(job, mode="json"),
    }
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def load(path: Path, *, expect: str = "") -> tuple[Plan, SavedJob]:
    """Read a saved plan. Raises ``UsageError`` if it is none, was edited, or is not the one expected."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        plan = plan_from_json(content["plan"])
        job = TypeAdapter(SavedJob).validate_python(content["job"])
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror}. Name a plan.json of an earlier run."
        ) from error
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UsageError(
            f"{path} is not a plan that this version saved, or it was edited ({type(error).__name__}). "
            "Make a new plan and review it."
        ) from error
    if expect and expect != plan.fingerprint:
        raise UsageError(
            f"{path} holds plan {plan.fingerprint}, not {expect}; nothing was sent. "
            "Review it again, then give its fingerprint."
        )
    if "-" in job.inputs:
        raise UsageError(
            f"{path} was made from standard input, which can't be read again; plan from a file."
        )
    return plan, job
