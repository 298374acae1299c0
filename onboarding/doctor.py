"""A tenant's address and a reader in; what is well and what is not, each with what to do, out.

Asks only what changes nothing. Where no call comes through, it goes the way by hand (name, port, certificate) to
say where the way ends.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Protocol
from urllib.parse import urlsplit

from onboarding.errors import NotSent, OnboardingError, TokenRefused
from onboarding.model import Group, Role, User, group_key, groups_by_key
from onboarding.tenant import Identity, Page, Reader
from onboarding.way import OWN_CERTIFICATES, WRONG_CERTIFICATES, certificates, proxy_of

PATIENCE = 5.0  # seconds for each step of the way
WIDTH = 80  # columns of a line
# Whoever has one of these may manage people and groups; whoever has only one of those may not.
ENOUGH = frozenset((Role.ADMIN.value, "$api-token-default-access"))
RIGHTS = "Give the API token or OAuth client the role Admin in Atlan."
TOO_LITTLE = frozenset((Role.MEMBER.value, Role.GUEST.value))


class Patient(Reader, Protocol):
    """A tenant that also says what only a doctor asks."""

    def account(self) -> str:
        """Say by which name the tenant knows us; one call."""
        ...

    def rights(self) -> frozenset[str] | None:
        """Give the names of our own roles; None where the tenant does not say."""
        ...

    def mapped_groups(self) -> Mapping[str, frozenset[str]] | None:
        """Give the groups that single sign-on fills, by identity provider; None where the tenant does not say."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, whether it is well, what was seen, what to do."""

    name: str
    ok: bool
    seen: str
    to_do: str = ""
    exit_code: int = 0
    """What a check that is not well makes of the command."""

    def __str__(self) -> str:
        begin = f"{'ok' if self.ok else 'no'}  {self.name:<16}  "
        lines = [line for text in (self.seen, self.to_do) for line in _wrapped(text, len(begin))]
        return begin + f"\n{' ' * len(begin)}".join(lines or [""])


def _wrapped(text: str, indent: int) -> list[str]:
    """Set a text in lines; a path or an address stays whole, so that it can be copied."""
    # A tenant's own words may hold what speaks to a terminal.
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return wrap(text, WIDTH - indent, break_long_words=False, break_on_hyphens=False)


def examine(
    url: str,
    patient: Patient,
    *,
    sso_groups: Collection[str] = (),
    clock: Callable[[], float] = time.perf_counter,
    way: Callable[[str], str] | None = None,
) -> Iterator[Check]:
    """Look at the connection, the token, the roles, and how the tenant reads, until something fails."""
    how = "certificate trusted" if url.startswith("https") else "this machine"
    connected = Check("connection", ok=True, seen=f"{url} ({how})")
    looked_at = "connection"
    try:
        account = patient.account()
        yield connected
        looked_at = "token"
        started = clock()
        rights = patient.rights()
        small = clock() - started
        yield _token(account, rights)
        looked_at = "roles"
        yield _roles(patient.identity())
        looked_at = "paging"
        started = clock()
        first = patient.first_users()
        page = clock() - started
        groups = patient.groups()
        yield Check(
            "round trip", ok=True, seen=f"{_ms(small)} for one call, {_ms(page)} for a page"
        )
        yield _size(first, len(groups), patient.page_size)
        yield _look_up(patient, first)
        yield _single_sign_on(patient, first, groups, sso_groups)
        yield from _strays(groups, sso_groups)
    except TokenRefused as error:
        to_do = RIGHTS
        if looked_at == "connection":
            yield connected
            looked_at = "token"
            to_do = (
                "Make a new API token in Atlan under Admin, API tokens, and give it to this tool."
            )
        yield Check(looked_at, ok=False, seen=str(error), to_do=to_do, exit_code=error.exit_code)
    except NotSent as error:
        seen = (way or where_it_ends)(url)
        to_do = _way_out(seen) if seen else ""  # else what went wrong says itself what to do
        yield Check(
            "connection", ok=False, seen=seen or str(error), to_do=to_do, exit_code=error.exit_code
        )
    except OnboardingError as error:
        to_do = "Try again later. If it stays so, ask the administrator of the tenant."
        if looked_at == "connection":
            to_do = "Check that the address is that of an Atlan tenant, and try again later."
        yield Check(looked_at, ok=False, seen=str(error), to_do=to_do, exit_code=error.exit_code)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _token(account: str, rights: frozenset[str] | None) -> Check:
    """Judge what the token may do; that is documented for a few roles only."""
    who = f"accepted, as {account}"
    named = ", ".join(sorted(rights or ()))
    if rights and rights & ENOUGH:
        return Check("token", ok=True, seen=f"{who}; may manage people and groups ({named})")
    if rights and rights & TOO_LITTLE:
        seen = f"{who}; its rights don't do for people and groups ({named})"
        return Check("token", ok=False, seen=seen, to_do=RIGHTS, exit_code=TokenRefused.exit_code)
    seen = f"{who}; whether it may manage people and groups shows in a run only"
    return Check("token", ok=True, seen=seen + (f" ({named})" if named else ""))


def _roles(identity: Identity) -> Check:
    return Check("roles", ok=True, seen=", ".join(role.label for role in identity.roles))


def _size(first: Page, groups: int, page_size: int) -> Check:
    shown = len(first.users)
    if first.total is None:
        seen = f"{_many(groups, 'group')}; the tenant does not count its people, so all are listed"
        return Check("paging", ok=True, seen=seen)
    pages = f"pages of {page_size}" if first.total > shown else "on one page"
    people = "1 person" if first.total == 1 else f"{first.total:,} people"
    return Check("paging", ok=True, seen=f"{people} and {_many(groups, 'group')}, {pages}")


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _look_up(patient: Patient, first: Page) -> Check:
    """Look somebody up who is known to be there, by address and by name."""
    known = first.witness
    if known is None:
        return Check("look-ups", ok=True, seen="not tried: nobody on the first page has an address")
    found: list[User] = [
        *patient.users_by_email([known.email]),
        *patient.users_by_name([known.username]),
    ]
    if [user.id for user in found] == [known.id] * 2:
        return Check("look-ups", ok=True, seen="by address and by user name")
    seen = "do not find who is there; all people are listed instead, in more calls"
    return Check("look-ups", ok=True, seen=seen)


def _single_sign_on(
    patient: Patient, first: Page, groups: Collection[Group], sso_groups: Collection[str]
) -> Check:
    """Compare the groups that single sign-on fills with those that the settings name."""
    scim = "; SCIM keeps accounts here" if any(user.scim for user in first.users) else ""
    to_do = "If an identity provider fills groups, name them in sso_groups."
    try:
        mapped = patient.mapped_groups()
    except OnboardingError as error:
        seen = f"the tenant does not show it ({error}){scim}"
        return Check("single sign-on", ok=True, seen=seen, to_do=to_do)
    if mapped is None:
        seen = f"the tenant shows no groups that it fills (404){scim}"
        return Check("single sign-on", ok=True, seen=seen, to_do="" if sso_groups else to_do)
    known = groups_by_key(groups)
    protected = {group.name for label in sso_groups for group in known.get(group_key(label), ())}
    names = sorted({name for filled in mapped.values() for name in filled})
    providers = ", ".join(sorted(mapped))
    seen = f"{providers} fills {', '.join(names) or 'no groups'}{scim}"
    if missing := [name for name in names if name not in protected]:
        quoted = ", ".join(f'"{name}"' for name in missing)
        to_do = f"Set sso_groups to hold {quoted}: nobody loses them by absence then."
        return Check("single sign-on", ok=True, seen=seen, to_do=to_do)
    return Check("single sign-on", ok=True, seen=seen)


def _strays(groups: Collection[Group], sso_groups: Collection[str]) -> Iterator[Check]:
    """Find what the settings name and the tenant lacks: a misspelt name protects nobody, and no run says so."""
    known = groups_by_key(groups)
    if strays := sorted(label for label in sso_groups if group_key(label) not in known):
        seen = f"the tenant has no group {', '.join(strays)}"
        to_do = (
            "Correct the name in sso_groups; in a group of another name people are not protected."
        )
        yield Check("sso_groups", ok=True, seen=seen, to_do=to_do)


def where_it_ends(url: str) -> str:
    """Go the way to a tenant step by step and say at which one it ends; empty where it doesn't, or beyond a proxy."""
    parts = urlsplit(url)
    secure, proxy = parts.scheme == "https", proxy_of(url)
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    if proxy:
        host, port = proxy
    whose = "the proxy " if proxy else ""
    try:
        trusted = _trust() if secure else None
    except OSError as error:
        return f"{TRUSTED} in {certificates()} can't be read: {error.strerror or error}"
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as plain:
            if trusted and not proxy:
                with trusted.wrap_socket(plain, server_hostname=host):
                    pass
    except (socket.gaierror, UnicodeError):
        return f"the name {host} {'of the proxy ' if proxy else ''}is not known here"
    except ssl.SSLCertVerificationError as error:
        return f"{UNTRUSTED} of {host} is not trusted: {error.verify_message}"
    except ssl.SSLError as error:
        return f"{host} does not speak TLS on port {port}: {error.reason or error}"
    except TimeoutError:
        return f"{whose}{host} does not answer on port {port}"
    except OSError as error:
        return f"port {port} of {whose}{host} can't be reached: {error.strerror or error}"
    return ""


def _trust() -> ssl.SSLContext:
    """Give what is trusted on the way of every call."""
    named = certificates()
    folder = Path(named).is_dir()
    return ssl.create_default_context(
        cafile=None if folder else named, capath=named if folder else None
    )


TRUSTED, UNTRUSTED = "the certificates", "the certificate"


def _way_out(seen: str) -> str:
    if seen.startswith(TRUSTED):
        return WRONG_CERTIFICATES
    if seen.startswith(UNTRUSTED):
        return f"Check the address. {OWN_CERTIFICATES}"
    return "Check the address and the network, and try again."
