"""``plan.json`` and ``undo.json``: a plan and what it was made for, to disk and back.

What is carried out later is this plan, on these sheets, read by these rules; all else (limits, permissions,
batch sizes) is given when it is carried out. An undo has a run in place of the sheets, and its lines in place of rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Self

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from onboarding.errors import SheetError, UsageError
from onboarding.headers import Columns
from onboarding.intake import Rules
from onboarding.job import Job
from onboarding.model import Finding, Group, GroupName, Membership, Role, RowRef, Severity, User
from onboarding.plan import Cause, Change, Plan, Settled, Status, Subject
from onboarding.reconcile import Wishes
from onboarding.sheets import Inputs, Kind, Reading, Source, Table
from onboarding.undo import COLUMNS, in_lines, leads_back

FORMAT = 1
PART = 1_000  # lines put into bytes at a time
AGAIN = "Make a new plan and review it."


@dataclass(frozen=True, slots=True)
class SavedJob:
    """The job that a plan was made for."""

    inputs: tuple[str, ...]
    sources: tuple[Source, ...]
    reading: Reading
    rules: Rules
    wishes: Wishes

    def put_into(self, job: Job) -> Job:
        """Give a job with what this one was asked in place of what it says of that itself.

        What today's settings keep out stays out, and whom they keep in stays in, whatever was said when the plan was made.
        """
        domains = job.rules.allowed_domains or self.rules.allowed_domains
        kept = self.wishes.sso_groups | job.wishes.sso_groups
        return replace(
            job,
            inputs=self.inputs,
            reading=self.reading,
            rules=replace(self.rules, allowed_domains=domains),
            wishes=replace(self.wishes, sso_groups=kept),
        )

    def check_sheets(self, now: Iterable[Source]) -> None:
        """Raise ``SheetError`` if a sheet is not what it was when the plan was made."""
        then = {source.name: source.sha256 for source in self.sources}
        today = {source.name: source.sha256 for source in now}
        changed = sorted(
            name for name in then.keys() | today.keys() if then.get(name) != today.get(name)
        )
        if changed:
            raise SheetError(
                f"{', '.join(changed)}: changed since the plan was made; nothing was sent. {AGAIN}"
            )


@dataclass(frozen=True, slots=True)
class Undoes:
    """The run that an undo was made for."""

    run: str
    """The name of its folder."""
    labels: Mapping[GroupName, str]
    """The names that people see of the groups concerned."""

    @classmethod
    def of(cls, undo: Plan, run: str, labels: Mapping[GroupName, str]) -> Self:
        """Give what stands beside an undo of a run."""
        changes = (*undo.changes, *(entry.change for entry in undo.settled if entry.change))
        named = {change.group for change in changes if change.group in labels}
        return cls(run, {name: labels[name] for name in sorted(filter(None, named))})

    def listed(self, undo: Plan, file: Source) -> tuple[Plan, Inputs]:
        """Give an undo by its lines, and the table of these, so that a report can answer for each."""
        plan, lines = in_lines(undo, self.labels, file.name)
        frame = pd.DataFrame(
            [line.cells for line in lines],
            index=[line.row.row for line in lines],
            columns=range(len(COLUMNS)),
            dtype="str",
        )
        columns = Columns(Kind.MEMBERSHIPS, {"email": (0,), "group": (1,)}, template="undo")
        table = Table(
            0, file.name, None, None, COLUMNS, frame, columns, "utf-8", delimiter="", fed_back=True
        )
        again = "the next run over the same sheets does all of it again"
        note = Finding(
            "asked-again",
            f"takes back what the run {self.run} did; {again}",
            severity=Severity.NOTE,
            source=file.name,
        )
        # Each undo is an input of its own, whatever its file is called: reports compare runs of one input.
        source = replace(file, name=f"{self.run}/{file.name}", path=None)
        return plan, Inputs((table,), (source,), (note,))


def dump(plan: Plan, made_for: SavedJob | Undoes) -> Iterator[bytes]:
    """Give the file's content, a part at a time; the same for the same plan and job."""
    kind = "job" if isinstance(made_for, SavedJob) else "undoes"
    asked = TypeAdapter(type(made_for)).dump_python(made_for, mode="json")
    lines = chain(
        [f'{{"format": {FORMAT}, "{kind}": {_json(asked)}, "plan":\n'], plan_to_json(plan), ["}\n"]
    )
    while part := "".join(islice(lines, PART)):
        yield part.encode(errors="backslashreplace")  # a name of a file need not be text


def load(path: Path, *, expect: str = "") -> tuple[Plan, SavedJob | Undoes, Source]:
    """Read a saved plan. Raises ``UsageError`` if it is none, was edited, or is not the one expected."""
    try:
        content = path.read_bytes()
        plan, made_for = _loaded(_parsed(content))
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror}. Name a plan.json or undo.json of an earlier run."
        ) from error
    except ValueError as error:
        raise UsageError(f"{path}: {error}; nothing was sent. {AGAIN}") from error
    if expect and expect != plan.fingerprint:
        raise UsageError(
            f"{path} holds plan {plan.fingerprint}, not {expect}; nothing was sent. "
            "Review it again, then give its fingerprint."
        )
    if isinstance(made_for, SavedJob) and "-" in made_for.inputs:
        raise UsageError(
            f"{path} was made from standard input, which can't be read again; plan from a file."
        )
    source = Source(path.name, path, hashlib.sha256(content).hexdigest(), len(content))
    return plan, made_for, source


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):  # its words are for programmers
        raise ValueError("this is not a saved plan, or only a part of one") from None


def _loaded(content: Any) -> tuple[Plan, SavedJob | Undoes]:
    """Take a file's content apart. Raises ``ValueError`` that says what is wrong with it."""
    match content:
        case {"format": int(version)} if version > FORMAT:
            raise ValueError("this plan was saved by a newer version of this program")
        case {"format": 1, "plan": saved, "job": made_for}:
            kind: type[SavedJob | Undoes] = SavedJob
        case {"format": 1, "plan": saved, "undoes": made_for}:
            kind = Undoes
        case _:
            raise ValueError("this is not a saved plan")
    plan = plan_from_json(saved)
    if kind is Undoes and not leads_back(plan):
        raise ValueError("this is no undo of any run")
    try:
        return plan, TypeAdapter(kind).validate_python(made_for)
    except ValidationError as error:
        raise ValueError("this is not a saved plan, or parts of it are missing") from error


# ---- the plan as JSON ----------------------------------------------------------------------------------------


def plan_to_json(plan: Plan) -> Iterator[str]:
    """Give the plan as JSON, a line for each change; the same for the same plan."""
    yield f'{{"tenant": {_json(plan.tenant)}, "fingerprint": {_json(plan.fingerprint)},\n"changes": ['
    yield from _listed(map(_change_to_json, plan.changes))
    yield '],\n"settled": ['
    yield from _listed(map(_settled_to_json, plan.settled))
    yield "]}\n"


def _listed(values: Iterable[Any]) -> Iterator[str]:
    for number, value in enumerate(values):
        yield f"{',' * bool(number)}\n{_json(value)}"


_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def plan_from_json(saved: Mapping[str, Any]) -> Plan:
    """Give the plan back exactly. Raises ``ValueError`` for anything but a plan as it was saved."""
    try:
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


def _settled_to_json(settled: Settled) -> dict[str, Any]:
    return {
        "status": settled.status.value,
        "code": settled.code,
        "message": settled.message,
        "rows": _rows_to_json(settled.rows),
        "change": _change_to_json(settled.change) if settled.change else None,
    }


def _subject_to_json(subject: Subject | None) -> dict[str, Any] | None:
    if subject is None:
        return None
    kind = type(subject)
    facts = {name: getattr(subject, name) for name in _FIELDS[kind]}
    return {"kind": kind.__name__.lower(), **facts}


_FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in (User, Group, Membership)}


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
