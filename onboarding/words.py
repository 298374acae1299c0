"""Changes, findings and rows in; the words that every report has for them out.

One place for them, so that the spreadsheet, the page, the terminal and the audit trail say the same of the same thing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import assert_never

from onboarding.codes import CODES
from onboarding.model import Directory, Finding, Group, GroupName, Membership, Role, RowRef, User
from onboarding.plan import Action, Cause, Change, Plan, Status


def said(finding: Finding) -> str:
    """Read a finding aloud: ``email "bob@acme" is not an e-mail address``.

    A message about a cell goes on behind its column and value, one about a column behind the header; one about
    the whole row is a sentence by itself.
    """
    if not finding.column:
        return finding.message
    if finding.row is None:
        return f'"{shortened(finding.column)}" {finding.message}'
    value = f' "{shortened(finding.value)}"' if finding.value else ""
    return f"{finding.column}{value} {finding.message}"


def shortened(text: str, length: int = 80) -> str:
    """Cut what is too long to read in a line."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


def title(code: str) -> str:
    """Give a code's few words; a code that nobody wrote down is read aloud."""
    return CODES[code].title if code in CODES else code.replace("-", " ")


def meaning(code: str) -> str:
    """Say in a sentence what a code means."""
    return CODES[code].meaning if code in CODES else title(code)


def fix(code: str) -> str:
    """Say what to do about a code; empty where nothing is to be done."""
    return CODES[code].fix if code in CODES else ""


def in_words(done: Iterable[tuple[Change, Status]], labels: Mapping[GroupName, str]) -> str:
    """Tell changes in the order given: ``invited as Member; added to Finance, Ops; not added to Legal``."""
    phrases: dict[tuple[str, str, Status], list[str]] = {}
    for change, status in done:
        whose, participle, groups = _phrase(change, labels)
        phrases.setdefault((whose, participle, status), []).extend(groups)
    return "; ".join(
        _in_mood(status, whose, f"{participle} {', '.join(groups)}".strip())
        for (whose, participle, status), groups in phrases.items()
    )


def _phrase(change: Change, labels: Mapping[GroupName, str]) -> tuple[str, str, list[str]]:
    """Give whose it is (where the row does not say), the participle, and the group to list."""
    match change.action, change.before, change.after:
        case Action.GRANT, _, Membership(group=name):
            return "", "added to", [labels.get(name, name)]
        case Action.INVITE, _, User(role=role):
            return "", f"invited as {_role(role)}", []
        case Action.CHANGE_ROLE, User(role=old), User(role=new):
            return "role ", f"changed from {_role(old)} to {_role(new)}", []
        case Action.CREATE_GROUP, _, Group(alias=alias):
            return f"group {alias} ", "created", []
        case Action.UPDATE_GROUP, Group() as before, Group() as after:
            fields = ", ".join(name for name, _, _ in _differences(before, after))
            return f"group {after.alias} ", f"changed ({fields})", []
        case Action.REVOKE, Membership(email=email, group=name), _:
            whose = f"{email} " if change.cause is Cause.ABSENT else ""
            return whose, "removed from", [labels.get(name, name)]
        case _:
            raise ValueError(f"no words for {change!r}")


def _in_mood(status: Status, whose: str, participle: str) -> str:
    match status:
        case Status.APPLIED:
            return whose + participle
        case Status.PLANNED:
            return f"{whose}would be {participle}"
        case Status.UNCHANGED:
            return f"{whose}already {participle}"
        case Status.IN_DOUBT:
            return f"{whose}perhaps {participle}"
        case Status.MANUAL:
            return f"{whose}to be {participle} by hand"
        case Status.REJECTED | Status.FAILED | Status.SKIPPED:
            return f"{whose}not {participle}"
        case _:
            assert_never(status)


def detail(change: Change) -> str:
    """Say what exactly a change sets: ``as Member``, ``Guest to Member``, ``description "" to "Books"``."""
    match change.before, change.after:
        case None, User(role=role):
            return f"as {_role(role)}"
        case User(role=old), User(role=new):
            return f"{_role(old)} to {_role(new)}"
        case None, Group() as group:
            said = [f'description "{group.description}"'] if group.description else []
            return ", ".join([*said, *(["default yes"] if group.default else [])])
        case Group() as before, Group() as after:
            return ", ".join(
                f"{name} {old} to {new}" for name, old, new in _differences(before, after)
            )
        case _ if change.cause is Cause.LEAVER:
            return "leaver"
        case _ if change.cause is Cause.ABSENT:
            return "no row grants it"
        case _:
            return ""


def sides(change: Change) -> tuple[str, str]:
    """Say what was before a change and what is after it: ``("Guest", "Member")``; empty where nothing was, or is."""
    match change.before, change.after:
        case Group() as before, Group() as after:
            differences = _differences(before, after)
            return _fields(differences, 1), _fields(differences, 2)
        case Membership(), None:
            return "a member", ""
        case None, Membership():
            return "", "a member"
        case before, after:
            return _side(before), _side(after)


def _fields(differences: Iterable[tuple[str, str, str]], side: int) -> str:
    return ", ".join(f"{difference[0]} {difference[side]}" for difference in differences)


def _side(subject: User | Group | Membership | None) -> str:
    match subject:
        case User(role=role):
            return _role(role)
        case Group() as group:
            return ", ".join(filter(None, [f'"{group.alias}"', detail(Change(None, group))]))
        case _:
            return ""


def _differences(before: Group, after: Group) -> list[tuple[str, str, str]]:
    """Give name, old and new of what an update of a group changes."""
    pairs = [
        ("name", f'"{before.alias}"', f'"{after.alias}"'),
        ("description", f'"{before.description}"', f'"{after.description}"'),
        ("default", _yes(before.default), _yes(after.default)),
    ]
    return [(name, old, new) for name, old, new in pairs if old != new]


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _role(role: Role | None) -> str:
    return role.label if role else "an unknown role"


def labels(current: Directory, plan: Plan) -> dict[GroupName, str]:
    """Give the name that people see of every group of the tenant, and of those that the plan makes or renames."""
    changes = [*plan.changes, *(entry.change for entry in plan.settled if entry.change)]
    made = [c.after for c in changes if isinstance(c.after, Group)]
    return {group.name: group.alias for group in (*current.groups.values(), *made)}


def places(rows: Collection[RowRef]) -> str:
    """Name rows briefly, runs of them as a range.

    >>> places([RowRef(0, n, "users.csv") for n in (2, 3, 4, 9)])
    'users.csv:2-4, 9'
    """
    told = []
    for (_, source), refs in groupby(sorted(set(rows)), key=lambda ref: (ref.table, ref.source)):
        told.append(f"{source}:{', '.join(_ranges([ref.row for ref in refs]))}")
    return "; ".join(told)


def _ranges(numbers: Sequence[int]) -> Iterable[str]:
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        span = [number for _, number in run]
        yield f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0])
