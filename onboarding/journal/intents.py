"""What stands in the journal of a change: a change comes in, texts for the database go out, and the other way round."""

from __future__ import annotations

import json
from dataclasses import dataclass

from onboarding.model import Email, Group, GroupName, Membership, Role, User
from onboarding.plan import Action, Change, Facts, Subject


@dataclass(frozen=True, slots=True)
class Intent:
    """A change that was about to be sent, and whose end is not known."""

    request_id: str
    change: str
    """The change's key."""
    action: Action
    email: Email | None
    group: GroupName | None
    doubt_since: float | None
    """When somebody first noted that its fate is unknown; None: nobody has yet."""


@dataclass(frozen=True, slots=True)
class Untold:
    """A change that a run has sent, and that no report has told of."""

    run: str
    change: Change


def was(change: Change) -> str | None:
    """Write down what a value was before it is set: whoever takes the change back later can't read that any more."""
    facts = change.facts()["before"] if change.after else None
    return json.dumps(facts) if facts else None


def becomes(change: Change) -> str | None:
    """Write down what a change sets."""
    facts = change.facts()["after"]
    return json.dumps(facts) if facts else None


def put_together(
    action: Action, email: Email | None, group: GroupName | None, was: str | None, to: str | None
) -> Change | None:
    """Give a change as it was sent; None where an earlier version of this program has not noted all of it."""
    if action is Action.REVOKE and email and group:
        return Change(Membership(email, group), None)
    if not to:
        return None
    return Change(_subject(json.loads(was)) if was else None, _subject(json.loads(to)))


def _subject(facts: Facts) -> Subject:
    match dict(facts):
        case {"email": email, "role": role}:
            return User(email, Role(role) if role else None)
        case {"email": email, "group": group}:
            return Membership(email, group)
        case said:
            return Group(**said)
