"""What can become of a change while a plan is carried out: circumstances come in, an ``Outcome`` goes out. Pure.

The words are for the person who reads the report; what to do about it stands with the code in ``codes.CODES``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from onboarding.errors import NotSent, OnboardingError, Refused, TenantError, Throttled
from onboarding.model import Group, User
from onboarding.plan import Change, Outcome, Status

ALREADY = re.compile(r"\b409\b.*(exists|already)|already exists", re.IGNORECASE | re.DOTALL)
CLOSED = re.compile(
    r"\bsso\b|single[ -]sign[ -]?on|\bseats?\b|licen[cs]e|\bquota\b|\buser limit\b"
    r"|\binvit\w+ (is|are) (not allowed|disabled|off)",
    re.IGNORECASE,
)
"""Words of a refusal that is about inviting as such. Atlan documents none; these are the likely ones."""

NOT_AT_ALL = frozenset((402, 404, 405))
"""Statuses that can't be about one of the people: nothing is left of what was paid for, or there is no such call."""


def refused(words: str) -> Outcome:
    """The tenant said no to this very change."""
    return Outcome(Status.FAILED, "refused", f"the tenant refused: {words}")


def by_hand(words: str) -> Outcome:
    """The tenant invites nobody for a token."""
    return Outcome(Status.MANUAL, "invite-by-hand", f"the tenant refuses all invitations: {words}")


def by_somebody_else() -> Outcome:
    """It was there as asked before we could do it."""
    return Outcome(Status.UNCHANGED, "no-change", "somebody else had done this meanwhile")


def overtaken(change: Change) -> Outcome:
    """It is there, but not as asked, or not as it was: that needs a new plan, with all its guards."""
    match change.before, change.after:
        case None, User(email=email, role=role):
            wanted = role.label if role else "the role asked for"
            words = f"{email} has an account by now, but not as {wanted}; the role was left alone"
        case None, Group(name=name):
            words = f"a group {name} exists by now, with other attributes; they were left alone"
        case User(email=email, role=role), _:
            was = f"{role.label} as" if role else "as"
            words = f"{email} is no longer {was} when the plan was made; the role was left alone"
        case Group(name=name), _:
            words = f"the group {name} is no longer as when the plan was made; it was left alone"
        case _:
            words = f"{change.email} in {change.group} is no longer as planned"
    return Outcome(Status.FAILED, "changed-since-plan", words)


def last_admin() -> Outcome:
    """The admins who were to stay are none any more."""
    words = "this would leave the tenant without an admin: the others have lost it meanwhile"
    return Outcome(Status.SKIPPED, "last-admin", words)


def in_doubt(why: object) -> Outcome:
    """It was sent, and may or may not have been carried out."""
    return Outcome(
        Status.IN_DOUBT,
        "in-doubt",
        f"sent, and it is unknown whether it was carried out ({why})",
    )


def not_visible(stopped: OnboardingError | None) -> Outcome:
    """It got a clear yes and could not be seen."""
    why = f"; it could not be read back ({stopped})" if stopped else " and does not show it yet"
    return Outcome(Status.IN_DOUBT, "not-visible", f"the tenant accepted this{why}")


def unsent(error: TenantError) -> Outcome:
    """It is certain that it was not carried out, and the run gave up sending it."""
    match error:
        case NotSent():
            return Outcome(Status.SKIPPED, "not-sent", f"not carried out: {error}")
        case Throttled():
            return Outcome(Status.SKIPPED, "throttled", f"not carried out: {error}")
        case _:
            return Outcome(Status.SKIPPED, "interrupted", f"not carried out: {error}")


def interrupted(stopped: OnboardingError | None) -> Outcome:
    """The run ended before it."""
    why = str(stopped) if stopped else "somebody stopped it"
    return Outcome(Status.SKIPPED, "interrupted", f"not tried, because the run had ended: {why}")


def breaker() -> Outcome:
    """The tenant is in no state to have things created."""
    return Outcome(
        Status.SKIPPED,
        "breaker",
        "not tried: time after time the tenant did not say whether it had carried out what was sent",
    )


def dependent(on: str, outcome: Outcome | None) -> Outcome:
    """Something that it needs is not there. A work list for a person stays one, with all that hangs on it."""
    manual = outcome is not None and outcome.status is Status.MANUAL
    why = outcome.message if outcome else "the tenant does not show it"
    return Outcome(
        Status.MANUAL if manual else Status.SKIPPED,
        "invite-by-hand" if manual else "dependency",
        f"not tried, because it depends on {on}: {why}",
    )


def closes_invitations(error: Refused, changes: Sequence[Change]) -> str:
    """Give the tenant's words where a refusal is about inviting as such, else nothing.

    Only one that speaks of everybody in the call counts, and no address in it: a person may be called Sso.
    """
    said = error.by_subject
    if error.status in NOT_AT_ALL and not said:
        return error.words or str(error)
    if said and {change.email for change in changes} - said.keys():
        return ""
    texts = list(said.values()) if said else [error.words or str(error)]
    return texts[0] if all(CLOSED.search(impersonal(text)) for text in texts) else ""


def impersonal(words: str) -> str:
    """Give the words without the addresses in them."""
    return re.sub(r"\S+@\S+", "", words)


def says_already(error: Refused) -> bool:
    """Whether the refusal is because it is there already."""
    return any(ALREADY.search(text) for text in (error.words, *error.by_subject.values()))
