"""A tenant's address and a reader in; what is well and what is not, each with what to do, out.

Asks only what changes nothing. Where no call comes through, it goes the way by hand (name, port, certificate) to
say where the way ends.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from onboarding.errors import NotSent, OnboardingError, TenantError, TokenRefused
from onboarding.model import Role
from onboarding.tenant import Identity, Reader

PATIENCE = 5.0  # seconds for each step of the way


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
        line = f"{'ok' if self.ok else 'no'}  {self.name:<16}  {self.seen}"
        return line if not self.to_do else f"{line}\n    {'':<16}  {self.to_do}"


def examine(
    url: str,
    reader: Reader,
    *,
    clock: Callable[[], float] = time.perf_counter,
    way: Callable[[str], str] | None = None,
) -> Iterator[Check]:
    """Look at the connection, the token, the roles and the tenant's size, until something fails."""
    try:
        identity = reader.identity()
        yield Check("connection", ok=True, seen=url)
        yield Check("token", ok=True, seen=f"accepted, as {identity.own_name or identity.own}")
        yield _roles(identity)
        started = clock()
        users = reader.first_users().total or 0
        seen = f"{(clock() - started) * 1000:.0f} ms for one call"
        yield Check("round trip", ok=True, seen=seen)
        groups = len(reader.groups())
        yield Check("size", ok=True, seen=f"{users:,} people and {groups:,} groups")
    except TokenRefused as error:
        to_do = "Make a new API token in Atlan under Admin, API tokens, and give it to this tool."
        yield Check("token", ok=False, seen=str(error), to_do=to_do, exit_code=error.exit_code)
    except NotSent as error:
        seen = (way or where_it_ends)(url) or str(error)
        to_do = "Check the address and the network, and try again."
        yield Check("connection", ok=False, seen=seen, to_do=to_do, exit_code=error.exit_code)
    except OnboardingError as error:
        to_do = "Check that the address is that of an Atlan tenant, and try again later."
        code = error.exit_code if not isinstance(error, TenantError) else TenantError.exit_code
        yield Check("connection", ok=False, seen=str(error), to_do=to_do, exit_code=code)


def _roles(identity: Identity) -> Check:
    missing = [role.label for role in Role if role not in identity.roles]
    if missing:
        return Check(
            "roles",
            ok=False,
            seen=f"the tenant does not show the role {' or '.join(missing)}",
            to_do="Give the token the rights of an admin.",
            exit_code=TenantError.exit_code,
        )
    return Check("roles", ok=True, seen=", ".join(role.label for role in Role))


def where_it_ends(url: str) -> str:
    """Go the way to a tenant step by step and say at which one it ends; empty where it doesn't."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as plain:
            if parts.scheme == "https":
                with ssl.create_default_context().wrap_socket(plain, server_hostname=host):
                    pass
    except socket.gaierror:
        return f"the name {host} is not known here"
    except ssl.SSLCertVerificationError as error:
        return f"the certificate of {host} is not trusted: {error.verify_message}"
    except ssl.SSLError as error:
        return f"{host} does not speak TLS on port {port}: {error.reason or error}"
    except TimeoutError:
        return f"{host} does not answer on port {port}"
    except OSError as error:
        return f"port {port} of {host} can't be reached: {error.strerror or error}"
    return ""
