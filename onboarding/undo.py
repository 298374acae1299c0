"""What a run has done comes in; a plan that takes it back goes out, and what of that can still be done today. Pure.

As with the reverting of a commit, nothing is rolled back: a plan is made that leads the other way, and every guard looks
at it. What a token can't take back (whom it invited, which groups it made) stands beside it as work for a person.
An undo has no sheets. Its rows are the changes of the run that it takes back, each with the rows that had asked for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from onboarding.model import (
    Desired,
    Directory,
    Email,
    Group,
    GroupKey,
    GroupName,
    Membership,
    Person,
    RowRef,
    User,
    group_key,
    groups_by_key,
)
from onboarding.plan import Action, Change, Plan, Settled, Status
from onboarding.words import in_words, places

BY_HAND = "undo-by-hand"
FOR_A_PERSON = "this is for a person to take back"
"""What an undo says of such work for as long as it lies in its file, beside the change; ``as_of_today`` says who and why."""
COLUMNS = ("email", "group", "undoes", "rows")
"""What a report says of each row of an undo, beside its result (``Line.cells``)."""


def taken_back(tenant: str, done: Iterable[Change], earlier: Iterable[Change] = ()) -> Plan:
    """Give the plan that takes these changes back; what a token can't do is settled as work for a person.

    Those ``done`` are of one plan, and each of another thing; what ``earlier`` runs did may be told more than once.
    """
    changes: list[Change] = []
    by_hand: list[Settled] = []
    for change in _once(done, earlier):
        if _in_the_way(change):
            by_hand.append(Settled(Status.MANUAL, BY_HAND, FOR_A_PERSON, change.rows, change))
        else:
            changes.append(change.inverse)
    return Plan(tenant, tuple(changes), tuple(by_hand))


def _once(done: Iterable[Change], earlier: Iterable[Change]) -> Iterator[Change]:
    """Give what was done to each thing, as one."""
    known: dict[object, Change] = {}
    for change in earlier:
        before = known.pop(_thing(change), None)
        if both := _as_one(before, change) if before else change:
            known[_thing(change)] = both
    for change in done:
        before = known.pop(_thing(change), None) if known else None
        if both := _as_one(change, before) if before else change:
            yield both
    yield from known.values()


def _thing(change: Change) -> object:
    """Give what is the same for all that may have been done to one thing, one after another."""
    match change.subject:
        case Membership(email=email, group=group):
            # Granted by one run and revoked by the next, or the other way round.
            return email, group
        case _:
            return change.key


def _as_one(one: Change, other: Change) -> Change | None:
    """Give two changes of one thing as one; nothing where together they change nothing.

    An earlier run's deed is told once for each row that asks for it, and this run may have gone on from there.
    """
    rows = tuple(sorted({*one.rows, *other.rows}))
    first, second = one.facts(), other.facts()
    if first == second:
        return replace(other, rows=rows)
    if second["after"] == first["before"]:
        one, other = other, one
    if one.facts()["before"] == other.facts()["after"]:
        return None
    return replace(other, before=one.before, rows=rows)


def leads_back(plan: Plan) -> bool:
    """Whether a plan may be an undo: there is nobody to invite in one, nothing to create, no role but the three."""
    by_hand = all(entry.code == BY_HAND and entry.change for entry in plan.settled)
    return by_hand and all(map(_may_lead_back, plan.changes))


def _may_lead_back(change: Change) -> bool:
    match change.before, change.after:
        case (None, User() | Group()) | (_, User(role=None)):
            return False
        case _:
            return True


def _in_the_way(change: Change) -> str:
    """Say why a token can't take a change back; nothing where it can."""
    match change.before, change.after:
        case None, User(email=email):
            return f"{email} was invited, and an API token can't delete an account"
        case None, Group(alias=alias):
            return f'the group "{alias}" was created, and an API token can\'t delete a group'
        case User(email=email, role=None), _:
            return f"{email} had a role that an API token can't give"
        case before, after if before == after:
            return f'nobody has noted what was before "{change.key}"'
        case _:
            return ""


# ---- its rows ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One row of an undo: one change of the run that is taken back."""

    row: RowRef
    email: Email | None
    group: str
    """By the name that people see."""
    undoes: str
    """``added to Finance``"""
    rows: str
    """Where that was asked for: ``users.csv:7``."""

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands under ``COLUMNS``."""
        return self.email or "", self.group, self.undoes, self.rows


def in_lines(
    undo: Plan, labels: Mapping[GroupName, str], source: str
) -> tuple[Plan, tuple[Line, ...]]:
    """Number what an undo takes back, and give the plan with these numbers for its rows."""
    refs = (RowRef(0, number, source) for number in range(1, len(undo) + len(undo.settled) + 1))
    changes = [(change, next(refs)) for change in undo.changes]
    settled = [(entry, next(refs)) for entry in undo.settled]
    did = [(change.inverse, row) for change, row in changes]
    did += [(entry.change, row) for entry, row in settled if entry.change]
    plan = replace(
        undo,
        changes=tuple(replace(change, rows=(row,)) for change, row in changes),
        settled=tuple(replace(entry, rows=(row,)) for entry, row in settled),
    )
    return plan, tuple(_line(row, change, labels) for change, row in did)


def _line(row: RowRef, did: Change, labels: Mapping[GroupName, str]) -> Line:
    group = labels.get(did.group, did.group) if did.group else ""
    words = in_words([(did, Status.APPLIED)], labels)
    return Line(row, did.email, group, words, places(did.rows))


# ---- beside the tenant ---------------------------------------------------------------------------------------


def concerned(undo: Plan) -> Desired:
    """Say whom and what an undo is about, for whoever looks at the tenant."""
    persons: dict[Email, Person] = {}
    granted: defaultdict[Email, dict[GroupKey, tuple[RowRef, ...]]] = defaultdict(dict)
    revoked: defaultdict[Email, dict[GroupKey, tuple[RowRef, ...]]] = defaultdict(dict)
    for change in (*undo.changes, *(entry.change for entry in undo.settled if entry.change)):
        match change.subject:
            case User(email=email, role=role):
                persons[email] = Person(email, change.rows, role)
            case Membership(email=email, group=name):
                asked = granted if change.action is Action.GRANT else revoked
                asked[email][group_key(name)] = change.rows
            case Group():
                pass  # all groups are read in any case
    return Desired(persons, grants=granted, revokes=revoked)


def as_of_today(undo: Plan, current: Directory, earlier: Collection[str] = ()) -> Plan:
    """Give what can be taken back today. What has moved since is set aside; what is as before already needs nothing.

    ``earlier`` holds the keys of changes that an interrupted run had sent.
    """
    settled = [_by_hand(entry, current) for entry in undo.settled]
    changes: list[Change] = []
    moved: defaultdict[str, list[Change]] = defaultdict(list)
    for change in undo.changes:
        if change.is_done(current):
            settled.append(_done(change, by_us=change.key in earlier))
            continue
        why = _why_not(change, current)
        if why:
            moved[why].append(change)
        changes.append(change if why else _beside(change, current))
    plan = Plan(undo.tenant, tuple(changes), tuple(settled))
    for why, set_aside in moved.items():
        plan = plan.set_aside(set_aside, Status.SKIPPED, "changed-since-plan", why)
    return plan


def _by_hand(entry: Settled, current: Directory) -> Settled:
    """Settle what only a person can take back; nothing is left to do once it is gone."""
    match entry.change:
        case Change(before=None, after=User(email=email)):
            gone = email not in current.users
        case Change(before=None, after=Group(name=name)):
            gone = name not in current.groups
        case _:
            gone = False
    if gone:
        message = "it is gone from the tenant"
        return Settled(Status.UNCHANGED, "no-change", message, entry.rows)
    why = _in_the_way(entry.change) if entry.change else entry.message
    return replace(entry, change=None, message=why)


def _done(change: Change, *, by_us: bool) -> Settled:
    if by_us:
        message = "an earlier run had done this, and no report could say so"
        return Settled(Status.APPLIED, "earlier-run", message, change.rows, change)
    message = "the tenant is as it was before already"
    return Settled(Status.UNCHANGED, "no-change", message, change.rows)


def _why_not(change: Change, current: Directory) -> str:
    """Say what keeps a change from being made: nothing, where the tenant is here as the run had left it."""
    there = change.inverse.is_done(current)
    match change.before, change.after:
        case None, Membership(email=email, group=name):
            known = email in current.users and email not in current.ambiguous
            there = known and name in current.groups
        case Group(name=name, alias=now), Group(alias=then) if group_key(now) != group_key(then):
            named = groups_by_key(current.groups.values()).get(group_key(then), ())
            if any(group.name != name for group in named):
                return f'another group goes by the name "{then}" now'
    return "" if there else "the tenant has changed here since the run that this takes back"


def _beside(change: Change, current: Directory) -> Change:
    """Give a change with the ids, and all else that it carries along, as they are today."""
    match change.before, change.after:
        case User(email=email), User(role=role):
            account = current.users[email]
            return replace(change, before=account, after=replace(account, role=role))
        case Group(name=name), Group(alias=alias, description=description, default=default):
            group = current.groups[name]
            wish = replace(group, alias=alias, description=description, default=default)
            return replace(change, before=group, after=wish)
        case _:
            return change
