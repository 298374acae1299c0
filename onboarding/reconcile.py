"""What the sheets ask for and what the tenant has come in; the difference, as a plan, goes out. Pure.

First everything is resolved (``resolve``): which group a spelling means, who is known. Rows that can't be are rejected
and hold their person and groups, just like rows that were rejected before. Then each group and each person is
compared by itself, so that the order of rows can't matter. Every row that is not rejected ends in a change or in
something settled.

Decisions that the code alone does not explain:

* A leaver's role is left alone, and a leaver is added to no group, whether or not memberships are revoked.
* An active person whose account is disabled is a matter for an admin; role and memberships are kept up all the same,
  since they mean nothing until the account is enabled, and are right once it is.
* Somebody invited now will be in the default groups. A row that removes them from one is a change, too.
* Groups kept by single sign-on lose nobody by absence. What a row asks for there is done, with a note: the next
  sign-in may undo it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from onboarding.model import (
    Directory,
    Email,
    Finding,
    Group,
    GroupKey,
    GroupName,
    Intake,
    Membership,
    Person,
    Role,
    RowRef,
    Severity,
    Standing,
    Team,
    User,
    group_key,
    groups_by_key,
    spelled_plainly,
)
from onboarding.plan import Action, Cause, Change, Plan, Settled, Status
from onboarding.resolve import Ask, Resolved, mistaken, resolve

AS_ASKED = "the tenant is as asked already"


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the sheets are to be taken."""

    create_groups: bool = False
    """Create a group that only memberships name."""
    authoritative: bool = False
    """Take from groups with a granting row whom no row grants."""
    leavers_revoke: bool = False
    """Take a leaver out of all groups but default ones."""
    default_role: Role | None = None
    """For new people whose role is blank; Admin counts as Guest."""
    sso_groups: frozenset[str] = frozenset()
    """Groups, as people name them, whose members single sign-on keeps."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The plan, and what was noticed only beside the tenant."""

    plan: Plan
    findings: tuple[Finding, ...]


def reconcile(
    intake: Intake, current: Directory, wishes: Wishes, *, earlier: frozenset[str] = frozenset()
) -> Reconciled:
    """Compare what the sheets ask for with what the tenant has.

    ``earlier`` holds the keys of changes that an interrupted run had sent: what is as asked now and stands there is
    settled as applied.
    """
    resolved = resolve(intake, current, create_groups=wishes.create_groups)
    scene = _Scene(intake, current, wishes, earlier, resolved, _revoked(earlier))
    groups = [*_groups(scene)]
    scene = replace(scene, defaults=_default_after(current, groups))
    changes, settled = _gathered([*groups, *_people(scene), *_absent(scene)])
    plan = Plan(current.tenant, changes, settled)
    return Reconciled(
        plan, (*resolved.findings, *_single_sign_on(scene, plan), *_derived_names(scene, plan))
    )


def _revoked(earlier: Iterable[str]) -> Mapping[Email, frozenset[GroupName]]:
    found: defaultdict[Email, frozenset[GroupName]] = defaultdict(frozenset)
    for key in earlier:
        action, *subject = key.split(" ")
        if action == Action.REVOKE:
            email, name = subject
            found[Email(email)] |= {GroupName(name)}
    return found


@dataclass(frozen=True, slots=True)
class _Scene:
    """All that a comparison may look at."""

    intake: Intake
    current: Directory
    wishes: Wishes
    earlier: frozenset[str]
    resolved: Resolved

    revoked_earlier: Mapping[Email, frozenset[GroupName]]
    """Memberships that an interrupted run had sent to be revoked."""
    defaults: frozenset[GroupName] = frozenset()
    """Groups that are default once this plan is carried out."""

    def has(self, email: Email) -> frozenset[GroupName]:
        """Give the groups that a person is in."""
        return self.current.memberships.get(email, frozenset())

    def joined_when_invited(self) -> frozenset[GroupName]:
        """Give the groups that take in whoever is invited now."""
        groups = self.current.groups
        return frozenset(name for name in self.defaults & groups.keys() if groups[name].default)

    def quoted(self, key: GroupKey) -> str:
        """Name a group as the sheets do."""
        return f'the group "{self.intake.desired.labels.get(key, key)}"'

    def as_asked(self, rows: tuple[RowRef, ...], *changes: Change) -> Settled:
        """Settle rows for which the tenant is as asked, perhaps since an interrupted run sent this change."""
        for change in changes if self.earlier else ():
            if change.key in self.earlier:
                message = "an earlier run that was interrupted had done this"
                change = replace(change, rows=rows)
                return Settled(Status.APPLIED, "earlier-run", message, rows, change)
        return Settled(Status.UNCHANGED, "no-change", AS_ASKED, rows)


# ---- groups --------------------------------------------------------------------------------------------------


def _groups(scene: _Scene) -> Iterator[Change | Settled]:
    """Compare each group of the groups sheets."""
    holds = scene.resolved.holds
    for key, team in scene.intake.desired.teams.items():
        rows = _without(team.rows, holds.rejected)
        name = scene.resolved.teams.get(key)
        group = scene.current.groups.get(name) if name else None
        if name is None or len(rows) < len(team.rows) or (not group and key in holds.not_created):
            yield from _held(f'the group "{team.label}"', holds.not_created[key], rows)
        elif group is None:
            yield Change(None, _wished(Group(name, _alias(team)), team), rows)
        elif group == _wished(group, team):
            yield scene.as_asked(rows, Change(None, group), Change(group, group))
        elif name in holds.groups:
            yield from _held(f'the group "{team.label}"', holds.groups[name], rows)
        else:
            yield Change(group, _wished(group, team), rows)


def _wished(group: Group, team: Team) -> Group:
    """Give the group as the sheets want it; what they don't say stays."""
    renamed = team.internal_name and group_key(team.label) != group_key(group.alias)
    return replace(
        group,
        alias=_alias(team) if renamed else group.alias,
        description=group.description if team.description is None else team.description,
        default=group.default if team.default is None else team.default,
    )


def _alias(team: Team) -> str:
    return " ".join(team.label.split())


def _default_after(current: Directory, parts: Iterable[Change | Settled]) -> frozenset[GroupName]:
    """Give the groups that are default once this plan is carried out."""
    wishes = dict(current.groups)
    for part in parts:
        if isinstance(part, Change) and isinstance(part.after, Group):
            wishes[part.after.name] = part.after
    return frozenset(name for name, group in wishes.items() if group.default)


# ---- people --------------------------------------------------------------------------------------------------


def _people(scene: _Scene) -> Iterator[Change | Settled]:
    """Compare each person, with all that any sheet asks for them."""
    persons, resolved = scene.intake.desired.persons, scene.resolved
    for email in persons.keys() | resolved.asks.keys() | resolved.void.keys():
        if email in resolved.holds.people:
            rows = _without(_rows(scene, email), resolved.holds.rejected)
            yield from _held(email, resolved.holds.people[email], rows)
        elif email in persons:
            yield from _person(scene, persons[email])
        else:
            yield from _memberships(scene, email, scene.has(email))


def _person(scene: _Scene, person: Person) -> Iterator[Change | Settled]:
    account = scene.current.users.get(person.email)
    match person.standing:
        case Standing.NOT_STARTED:
            message = f"{person.email} has not started yet"
            rows = tuple(_rows(scene, person.email))
            yield Settled(Status.UNCHANGED, "not-started", message, rows)
        case Standing.LEAVER:
            yield _departure(person, account)
            yield from _deprivation(scene, person)
            yield from _memberships(scene, person.email, scene.has(person.email))
        case Standing.ACTIVE | Standing.ON_LEAVE if account:
            yield from _account(scene, person, account)
            yield from _memberships(scene, person.email, scene.has(person.email))
        case Standing.ACTIVE | Standing.ON_LEAVE:
            yield _invitation(scene, person)
            yield from _memberships(scene, person.email, scene.joined_when_invited())
        case _:
            assert_never(person.standing)


def _rows(scene: _Scene, email: Email) -> Iterator[RowRef]:
    """Give every row about a person, some of them more than once."""
    person = scene.intake.desired.persons.get(email)
    yield from person.rows if person else ()
    for ask in (*scene.resolved.asks.get(email, ()), *scene.resolved.void.get(email, ())):
        yield from ask.rows


def _invitation(scene: _Scene, person: Person) -> Change:
    default = scene.wishes.default_role
    least = Role.GUEST if default in (None, Role.ADMIN) else default
    return Change(None, User(person.email, person.role or least, pending=True), person.rows)


def _account(scene: _Scene, person: Person, account: User) -> Iterator[Change | Settled]:
    """Compare an existing account: enabled, and with the role that the row says, if it says one."""
    wish = replace(account, role=person.role or account.role)
    if not account.enabled:
        message = f"{person.email} is active here, and the account is disabled{_by_whom(account)}"
        yield Settled(Status.MANUAL, "reactivate", message, person.rows)
    if wish == account:
        yield scene.as_asked(person.rows, Change(None, account), Change(account, account))
    else:
        yield Change(account, wish, person.rows)


def _departure(person: Person, account: User | None) -> Settled:
    """Settle a leaver's account, which only an admin can deactivate."""
    email, rows = person.email, person.rows
    if account is None:
        message = f"{email} has left and has no account"
        return Settled(Status.UNCHANGED, "unknown-leaver", message, rows)
    if not account.enabled:
        message = f"{email} has left and the account is disabled"
        return Settled(Status.UNCHANGED, "already-disabled", message, rows)
    message = f"{email} has left and the account is still enabled{_by_whom(account)}"
    return Settled(Status.MANUAL, "deactivate", message, rows)


def _by_whom(account: User) -> str:
    """Say where an account is enabled and disabled, if not in Atlan."""
    return "; SCIM keeps it, so that is done in the identity provider" if account.scim else ""


def _deprivation(scene: _Scene, person: Person) -> Iterator[Change | Settled]:
    """Take a leaver out of groups, where that is wished; grant nothing in any case."""
    email, rows, has = person.email, person.rows, scene.has(person.email)
    if scene.wishes.leavers_revoke:
        for name in has - scene.defaults:
            yield Change(Membership(email, name), None, rows, Cause.LEAVER)
        for name in scene.revoked_earlier.get(email, frozenset()) - has:
            yield scene.as_asked(rows, Change(Membership(email, name), None, (), Cause.LEAVER))
    for ask in scene.resolved.void.get(email, ()):
        message = f"{email} has left and is not added to groups"
        others = _without(ask.rows, frozenset(rows))
        if others:
            yield Settled(Status.UNCHANGED, "leaver-grants", message, others)


# ---- memberships ---------------------------------------------------------------------------------------------


def _memberships(
    scene: _Scene, email: Email, to_lose: frozenset[GroupName]
) -> Iterator[Change | Settled]:
    """Compare the memberships that rows ask for or ask to end; ``to_lose`` are those that can end."""
    for ask in scene.resolved.asks.get(email, ()):
        name = scene.resolved.group(ask.key)
        if not ask.grant:
            yield _removal(scene, ask, name, to_lose)
        elif ask.key in scene.resolved.barred:
            yield from _held(scene.quoted(ask.key), scene.resolved.barred[ask.key], ask.rows)
        else:
            assert name is not None, f"{ask} should have been rejected"
            yield from _grant(scene, ask, name)


def _grant(scene: _Scene, ask: Ask, name: GroupName) -> Iterator[Change | Settled]:
    change = Change(None, Membership(ask.email, name), ask.rows)
    if name in scene.has(ask.email):
        yield scene.as_asked(ask.rows, change)
    else:
        yield change
    if ask.key in scene.resolved.new:
        yield Change(None, scene.resolved.new[ask.key], ask.rows)


def _removal(
    scene: _Scene, ask: Ask, name: GroupName | None, to_lose: frozenset[GroupName]
) -> Change | Settled:
    if name and name in to_lose:
        return Change(Membership(ask.email, name), None, ask.rows)
    known = ask.email in scene.current.users
    if known and name and name in scene.current.groups:
        return scene.as_asked(ask.rows, Change(Membership(ask.email, name), None))
    whom = scene.quoted(ask.key) if known else ask.email
    message = f"the tenant does not have {whom}, so there is nothing to take away"
    return Settled(Status.UNCHANGED, "unknown-to-remove", message, ask.rows)


def _absent(scene: _Scene) -> Iterator[Change]:
    """Infer revocations: who is in a group with a granting row, and is granted it by none."""
    holds, current = scene.resolved.holds, scene.current
    if not scene.wishes.authoritative or not scene.intake.authoritative or holds.absence:
        return
    granting = {
        scene.resolved.group(ask.key)
        for email, asks in scene.resolved.asks.items()
        for ask in asks
        if ask.grant and email not in holds.people
    }
    concerned = (granting & current.read_whole) - holds.groups.keys() - scene.defaults
    concerned -= _kept_by_single_sign_on(scene)
    perhaps_meant = mistaken(scene.intake, holds.people, current)
    for email, names in current.memberships.items():
        missed = names & concerned
        if missed and email not in perhaps_meant and _may_be_missed(scene, email):
            for name in missed - _named(scene, email):
                yield Change(Membership(email, name), None, (), Cause.ABSENT)


def _may_be_missed(scene: _Scene, email: Email) -> bool:
    """Whether absence from the sheets means anything for this member."""
    account = scene.current.users.get(email)
    person = scene.intake.desired.persons.get(email)
    if not account or email in scene.resolved.holds.people:
        return False
    if account.id == scene.current.own or account.is_token:
        return False
    return not person or not (person.groups_blank or person.standing is Standing.NOT_STARTED)


def _named(scene: _Scene, email: Email) -> set[GroupName]:
    """Give every group that any row grants a person, even where the person's standing makes it void."""
    asks = (*scene.resolved.asks.get(email, ()), *scene.resolved.void.get(email, ()))
    meanings = scene.resolved.meanings
    return {name for ask in asks if ask.grant for name in meanings.get(ask.key, ())}


def _kept_by_single_sign_on(scene: _Scene) -> set[GroupName]:
    """Give the groups of ``sso_groups``, by the names that they have now or will have."""
    keys = {group_key(label) for label in scene.wishes.sso_groups}
    now = groups_by_key(scene.current.groups.values())
    found = {group.name for key in keys for group in now.get(key, ())}
    return found.union(*(scene.resolved.meanings.get(key, frozenset()) for key in keys))


# ---- all together --------------------------------------------------------------------------------------------


def _held(whom: str, because: RowRef, rows: Iterable[RowRef]) -> Iterator[Settled]:
    if rows := tuple(rows):
        message = f"nothing is done for {whom}, since {because} is rejected"
        yield Settled(Status.SKIPPED, "held", message, rows)


def _without(rows: Iterable[RowRef], others: frozenset[RowRef]) -> tuple[RowRef, ...]:
    return tuple(sorted(set(rows) - others))


def _gathered(
    parts: Iterable[Change | Settled],
) -> tuple[tuple[Change, ...], tuple[Settled, ...]]:
    """Unite changes that several rows ask for; say "no change" only of rows of which nothing else is said."""
    asked: dict[str, list[Change]] = {}
    settled: list[Settled] = []
    quiet: set[RowRef] = set()
    for part in parts:
        match part:
            case Change():
                asked.setdefault(part.key, []).append(part)
            case Settled(code="no-change"):
                quiet.update(part.rows)
            case Settled():
                settled.append(replace(part, rows=_without(part.rows, frozenset())))
    changes = tuple(map(_united, asked.values()))
    quiet.difference_update(*(change.rows for change in changes))
    quiet.difference_update(*(spoken.rows for spoken in settled))
    if quiet:
        rows = tuple(sorted(quiet))
        settled.append(Settled(Status.UNCHANGED, "no-change", AS_ASKED, rows))
    return changes, tuple(settled)


def _united(askings: Sequence[Change]) -> Change:
    """Give all askings for one change as one: a leaver's revocation stays that, an inferred one is asked for now."""
    last = askings[-1]
    if len(askings) == 1 and len(last.rows) < 2:
        return last
    rows = _without((row for asking in askings for row in asking.rows), frozenset())
    causes = (Cause.LEAVER, Cause.ASKED, Cause.ABSENT)
    cause = min((asking.cause for asking in askings), key=causes.index)
    return replace(last, rows=rows, cause=cause)


def _single_sign_on(scene: _Scene, plan: Plan) -> list[Finding]:
    """Note which rows change a group that single sign-on keeps."""
    kept = _kept_by_single_sign_on(scene)
    message = "single sign-on keeps the members of {} and may undo this at the next sign-in"
    return [
        Finding("protected-group", message.format(group), row, severity=Severity.NOTE)
        for change in plan.of(Action.GRANT, Action.REVOKE)
        if (group := change.group) in kept
        for row in change.rows
    ]


def _derived_names(scene: _Scene, plan: Plan) -> Iterator[Finding]:
    """Note which new groups get an internal name that is not simply their name in small letters."""
    given = {team.internal_name for team in scene.intake.desired.teams.values()}
    for change in plan.of(Action.CREATE_GROUP):
        match change.after:
            case Group(name=name, alias=alias) if name not in given and name != spelled_plainly(
                alias
            ):
                message = f"gets the internal name {name}"
                for row in change.rows:
                    yield Finding("name-derived", message, row, "", alias, Severity.NOTE)
