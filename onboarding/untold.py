"""What earlier runs have sent and no report has told of comes in; what the next report has to tell of it goes out. Pure.

A run that was killed has no report, and one that was left in doubt could not say how that ended. So the next report tells
it, whatever its own sheets are about: what they ask for themselves stands with their rows (``reconcile``), and all else
stands here, without a row. Then it is in one report and in one undo, and nothing has to remember it any longer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from onboarding.journal.intents import Untold
from onboarding.model import Desired, Directory, Email, group_key
from onboarding.plan import Change, Plan, Settled, Status


def people(left: Iterable[Untold]) -> frozenset[Email]:
    """Give whom it is about."""
    return frozenset(one.change.email for one in left if one.change.email)


def with_memberships(desired: Desired, left: Collection[Untold]) -> Desired:
    """Give what is asked for with the memberships that are to be looked at beside it.

    They stand under those to be revoked, as nobody is missed in a group for that.
    """
    revokes = {email: dict(asks) for email, asks in desired.revokes.items()}
    for change in (one.change for one in left):
        if change.email and change.group:
            revokes.setdefault(change.email, {}).setdefault(group_key(change.group), ())
    return replace(desired, revokes=revokes) if left else desired


def told(plan: Plan, left: Collection[Untold], current: Directory) -> Plan:
    """Give a plan that also tells what is there of all this, unless its own rows have told it.

    Where its changes lead on from there, an undo has to know where all of it began.
    """
    spoken = {_about(entry.change) for entry in plan.settled if entry.change}
    found = [
        Settled(
            Status.APPLIED,
            "earlier-run",
            f"the run {one.run} had done this, and no report could say so",
            (),
            one.change,
        )
        for one in left
        if _about(one.change) not in spoken and one.change.is_done(current)
    ]
    return replace(plan, settled=(*plan.settled, *found)) if found else plan


def _about(change: Change) -> tuple[str | None, str | None]:
    return change.email, change.group
