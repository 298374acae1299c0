"""Each group of the groups sheets beside the tenant's: a scene comes in; changes, and what needs none, go out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from onboarding.model import Directory, Group, GroupName, RowRef, Team, group_key
from onboarding.plan import Change
from onboarding.reconcile.scene import Part, Scene, held, without


def groups(scene: Scene) -> Iterator[Part]:
    """Compare each group of the groups sheets."""
    holds = scene.resolved.holds
    for key, team in scene.intake.desired.teams.items():
        rows = without(team.rows, holds.rejected)
        name = scene.resolved.teams.get(key)
        group = scene.current.groups.get(name) if name else None
        if name is None or len(rows) < len(team.rows) or (not group and key in holds.not_created):
            yield from held(f'the group "{team.label}"', holds.not_created[key], rows)
        elif group is None:
            yield Change(None, _wished(Group(name, _alias(team)), team), rows)
        elif group == _wished(group, team):
            yield _as_asked(scene, group, rows)
        elif name in holds.groups:
            yield from held(f'the group "{team.label}"', holds.groups[name], rows)
        else:
            yield Change(group, _wished(group, team), rows)


def _as_asked(scene: Scene, group: Group, rows: tuple[RowRef, ...]) -> Part:
    return scene.as_asked(rows, lambda: (Change(None, group), Change(group, group)))


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


def default_after(current: Directory, parts: Iterable[Part]) -> frozenset[GroupName]:
    """Give the groups that are default once this plan is carried out."""
    wishes = dict(current.groups)
    for part in parts:
        if isinstance(part, Change) and isinstance(part.after, Group):
            wishes[part.after.name] = part.after
    return frozenset(name for name, group in wishes.items() if group.default)
