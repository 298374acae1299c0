"""What earlier runs left open: intents come in, what is still in doubt goes out."""

from __future__ import annotations

from collections.abc import Sequence

from onboarding.apply.pace import Pace
from onboarding.apply.sight import looked_up
from onboarding.journal import CREATING, State
from onboarding.journal.intents import Intent
from onboarding.model import Email, GroupName
from onboarding.tenant import Reader


def settle(state: State, tenant: Reader, pace: Pace) -> frozenset[str]:
    """Settle what earlier runs left open, by reading; give the keys of changes still in doubt.

    Only invitations and group creations need it. What sets something to a value is closed: planning afresh shows
    whether it was carried out. The waiting time counts from when the doubt was first noted, never from the intent:
    the process that died may have slept for hours between the two.
    """
    intents = state.open_intents()
    creating = [intent for intent in intents if intent.action in CREATING]
    there = _present(creating, tenant)
    absent = [intent for intent in creating if intent not in there]
    now = pace.now()
    # A clock that was put back says nothing about how much time went by: begin again.
    unnoted = [i for i in absent if i.doubt_since is None or i.doubt_since > now]
    over = [i for i in absent if i not in unnoted and now - (i.doubt_since or now) >= pace.wait]
    state.close_intents([i for i in intents if i.action not in CREATING or i in there])
    state.doubt_intents(unnoted)
    state.drop_intents(over)
    return state.doubtful()


def _present(intents: Sequence[Intent], tenant: Reader) -> frozenset[Intent]:
    emails = {intent.email for intent in intents if intent.email}
    teams = {intent.group for intent in intents if intent.group}
    found: set[Email | GroupName] = set()
    if emails:
        found |= {user.email for user in looked_up(tenant, emails)}
    if teams:
        found |= {group.name for group in tenant.groups()}
    return frozenset(i for i in intents if i.email in found or i.group in found)
