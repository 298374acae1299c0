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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from onboarding.model import Directory, Finding, Group, Intake, RowRef, Severity, spelled_plainly
from onboarding.plan import Action, Cause, Change, Facts, Plan, Settled, Status
from onboarding.reconcile.absence import absent, kept_by_single_sign_on, nowhere
from onboarding.reconcile.groups import default_after, groups
from onboarding.reconcile.people import people
from onboarding.reconcile.scene import Part, Scene, Wishes, revoked, without
from onboarding.resolve import resolve

__all__ = ["Reconciled", "Wishes", "nowhere", "reconcile"]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The plan, and what was noticed only beside the tenant."""

    plan: Plan
    findings: tuple[Finding, ...]


def reconcile(
    intake: Intake,
    current: Directory,
    wishes: Wishes,
    *,
    earlier: Mapping[str, Facts | None] = MappingProxyType({}),
) -> Reconciled:
    """Compare what the sheets ask for with what the tenant has.

    ``earlier`` holds the keys of changes that an interrupted run had sent, and what was before them: what is as asked
    now and stands there is settled as applied.
    """
    resolved = resolve(intake, current, create_groups=wishes.create_groups)
    scene = Scene(intake, current, wishes, earlier, resolved, revoked(earlier))
    about_groups = [*groups(scene)]
    scene = replace(scene, defaults=default_after(current, about_groups))
    changes, settled = _gathered([*about_groups, *people(scene), *absent(scene)])
    plan = Plan(current.tenant, changes, settled)
    return Reconciled(
        plan, (*resolved.findings, *_single_sign_on(scene, plan), *_derived_names(scene, plan))
    )


def _gathered(
    parts: Iterable[Part],
) -> tuple[tuple[Change, ...], tuple[Settled, ...]]:
    """Unite changes that several rows ask for; say "no change" only of rows of which nothing else is said."""
    asked: dict[str, Change] = {}
    again: dict[str, list[Change]] = {}  # few are asked for by several rows
    settled: list[Settled] = []
    quiet: list[RowRef] = []
    for part in parts:
        match part:
            case tuple():
                quiet += part
            case Change():
                key = part.spelled()
                first = asked.setdefault(key, part)
                if first is not part:
                    again.setdefault(key, [first]).append(part)
                elif len(part.rows) > 1:
                    again.setdefault(key, [part])
            case Settled():
                settled.append(replace(part, rows=without(part.rows, frozenset())))
    asked |= {key: _united(askings) for key, askings in again.items()}
    changes = tuple(asked.values())
    spoken = frozenset[RowRef]().union(
        *(change.rows for change in changes), *(entry.rows for entry in settled)
    )
    if rows := without(quiet, spoken):
        message = "The tenant already is as asked"
        settled.append(Settled(Status.UNCHANGED, "no-change", message, rows))
    return changes, tuple(settled)


def _united(askings: Sequence[Change]) -> Change:
    """Give all askings for one change as one: a leaver's revocation stays that, an inferred one is asked for now."""
    rows = without((row for asking in askings for row in asking.rows), frozenset())
    causes = (Cause.LEAVER, Cause.ASKED, Cause.ABSENT)
    cause = min((asking.cause for asking in askings), key=causes.index)
    return replace(askings[-1], rows=rows, cause=cause)


# ---- notes ---------------------------------------------------------------------------------------------------


def _single_sign_on(scene: Scene, plan: Plan) -> list[Finding]:
    """Note which rows change a group that single sign-on keeps."""
    kept = kept_by_single_sign_on(scene)
    message = "single sign-on keeps the members of {} and may undo this at the next sign-in"
    return [
        Finding("protected-group", message.format(group), row, severity=Severity.NOTE)
        for change in plan.of(Action.GRANT, Action.REVOKE)
        if (group := change.group) in kept
        for row in change.rows
    ]


def _derived_names(scene: Scene, plan: Plan) -> Iterator[Finding]:
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
