"""``plan.json``: a plan and the job it was made for, to disk and back.

What is carried out later is this plan, on these sheets, read by these rules; all else (limits, permissions,
batch sizes) is given when it is carried out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from onboarding.errors import SheetError, UsageError
from onboarding.intake import Rules
from onboarding.model import Group, Membership, Role, RowRef, User
from onboarding.plan import Cause, Change, Plan, Settled, Status, Subject
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


# ---- the plan as JSON ----------------------------------------------------------------------------------------


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Give the plan as JSON values; the same for the same plan."""
    return {
        "format": FORMAT,
        "tenant": plan.tenant,
        "fingerprint": plan.fingerprint,
        "changes": [_change_to_json(change) for change in plan.changes],
        "settled": [
            {
                "status": settled.status.value,
                "code": settled.code,
                "message": settled.message,
                "rows": _rows_to_json(settled.rows),
                "change": _change_to_json(settled.change) if settled.change else None,
            }
            for settled in plan.settled
        ],
    }


def plan_from_json(saved: Mapping[str, Any]) -> Plan:
    """Give the plan back exactly. Raises ``ValueError`` for anything but a plan as it was saved."""
    try:
        if saved["format"] != FORMAT:
            raise ValueError(f"the plan has format {saved['format']}; this version reads {FORMAT}")
        plan = Plan(
            str(saved["tenant"]),
            tuple(_change_from_json(change) for change in saved["changes"]),
            tuple(_settled_from_json(settled) for settled in saved["settled"]),
        )
        fingerprint = saved["fingerprint"]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("this is not a saved plan, or parts of it are missing") from error
    if fingerprint != plan.fingerprint:
        raise ValueError(
            f"the plan was edited: its changes have the fingerprint {plan.fingerprint}, "
            f"and it was saved as {fingerprint}"
        )
    return plan


def _change_to_json(change: Change) -> dict[str, Any]:
    return {
        "action": change.action.value,
        "before": _subject_to_json(change.before),
        "after": _subject_to_json(change.after),
        "cause": change.cause.value,
        "rows": _rows_to_json(change.rows),
    }


def _subject_to_json(subject: Subject | None) -> dict[str, Any] | None:
    return {"kind": type(subject).__name__.lower(), **asdict(subject)} if subject else None


def _rows_to_json(rows: Iterable[RowRef]) -> list[list[Any]]:
    return [[ref.table, ref.row, ref.source] for ref in rows]


def _settled_from_json(saved: Mapping[str, Any]) -> Settled:
    return Settled(
        Status(saved["status"]),
        saved["code"],
        saved["message"],
        _rows_from_json(saved["rows"]),
        _change_from_json(saved["change"]) if saved["change"] else None,
    )


def _change_from_json(saved: Mapping[str, Any]) -> Change:
    change = Change(
        _subject_from_json(saved["before"]),
        _subject_from_json(saved["after"]),
        _rows_from_json(saved["rows"]),
        Cause(saved["cause"]),
    )
    if change.action.value != saved["action"]:
        raise ValueError(f"the plan was edited: {change.key} is no {saved['action']}")
    return change


def _subject_from_json(saved: Mapping[str, Any] | None) -> Subject | None:
    if saved is None:
        return None
    match dict(saved):
        case {"kind": "user", "role": role, **facts}:
            return User(role=role and Role(role), **facts)
        case {"kind": "group", "channels": channels, **facts}:
            return Group(channels=tuple(channels), **facts)
        case {"kind": "membership", **facts}:
            return Membership(**facts)
        case _:
            raise ValueError(f"the plan was edited: {saved!r} is nobody and nothing")


def _rows_from_json(saved: Iterable[Iterable[Any]]) -> tuple[RowRef, ...]:
    return tuple(RowRef(*ref) for ref in saved)
