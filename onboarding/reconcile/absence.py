"""What ``--authoritative`` infers: who is in a group and granted it by no row. A scene comes in, revocations go out."""

from __future__ import annotations

from collections.abc import Iterator

from onboarding.model import (
    Directory,
    Email,
    GroupName,
    Intake,
    Membership,
    Standing,
    group_key,
    groups_by_key,
)
from onboarding.plan import Cause, Change
from onboarding.reconcile.scene import Scene
from onboarding.resolve import mistaken


def absent(scene: Scene) -> Iterator[Change]:
    """Infer revocations: who is in a group with a granting row, and is granted it by none."""
    holds, current = scene.resolved.holds, scene.current
    if not scene.wishes.authoritative or not scene.intake.authoritative or holds.absence:
        return
    granting = {
        scene.resolved.plain.get(key)
        for email, wanted in scene.resolved.asks.grants.items()
        if email not in holds.people
        for key in wanted
    }
    concerned = (granting & current.read_whole) - holds.groups.keys() - scene.defaults
    concerned -= kept_by_single_sign_on(scene)
    perhaps_meant = mistaken(scene.intake, holds.people, current)
    for email, names in current.memberships.items():
        missed = names & concerned
        if missed and email not in perhaps_meant and _may_be_missed(scene, email):
            for name in missed - _named(scene, email):
                yield Change(Membership(email, name), None, (), Cause.ABSENT)


def nowhere(intake: Intake, current: Directory) -> tuple[Email, ...]:
    """Give the accounts that no row is about; none where there may be rows or accounts that nobody has looked at."""
    if current.elsewhere or not intake.authoritative:
        return ()
    desired = intake.desired
    named = desired.persons.keys() | desired.grants.keys() | desired.revokes.keys()
    return tuple(sorted(current.users.keys() - named - intake.held.people.keys()))


def _may_be_missed(scene: Scene, email: Email) -> bool:
    """Whether absence from the sheets means anything for this member."""
    account = scene.current.users.get(email)
    person = scene.intake.desired.persons.get(email)
    if not account or email in scene.current.ambiguous or email in scene.resolved.holds.people:
        return False
    if account.id == scene.current.own or account.is_token:
        return False
    return not person or not (person.groups_blank or person.standing is Standing.NOT_STARTED)


def _named(scene: Scene, email: Email) -> set[GroupName]:
    """Give every group that any row grants a person, even where the person's standing makes it void."""
    resolved = scene.resolved
    granted = (asks.grants.get(email, ()) for asks in (resolved.asks, resolved.void))
    return {name for keys in granted for key in keys for name in resolved.meanings.get(key, ())}


def kept_by_single_sign_on(scene: Scene) -> set[GroupName]:
    """Give the groups of ``sso_groups``, by the names that they have now or will have."""
    keys = {group_key(label) for label in scene.wishes.sso_groups}
    now = groups_by_key(scene.current.groups.values())
    found = {group.name for key in keys for group in now.get(key, ())}
    return found.union(*(scene.resolved.meanings.get(key, frozenset()) for key in keys))
