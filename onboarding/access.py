"""Settings and environment in; one tenant's address, and the one key that may go there, out.

The API key goes only to a tenant that was named by the same source as the key, or by flag: otherwise whoever can
write one of the two could send the other one's key elsewhere. The key itself is checked before anybody sees it, since
the libraries below would quote one that they can't send.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from onboarding.config import Origin, Origins, Source
from onboarding.errors import UsageError

if TYPE_CHECKING:
    from pydantic import SecretStr  # slow to import: whoever finds the tenant locked does without

    from onboarding.config.settings import Settings

SAFE_KEY = re.compile(r"[A-Za-z0-9._~+/=-]+")  # a stray line break would be quoted in an error

HOST = re.compile(r"[a-z0-9.:_-]+")


@dataclass(frozen=True, slots=True)
class Key:
    """What proves to the tenant who we are; shown to nobody."""

    origin: Origin
    secret: SecretStr
    client_id: str = ""
    """Given for OAuth client credentials, whose secret ``secret`` then is; empty for an API key."""

    @classmethod
    def embedded(cls, secret: str) -> Key:
        """Make the key of the embedded tenant, which the command line has just thought up."""
        return cls(Origin(Source.DEFAULT, "the embedded tenant"), _secret(secret))


@dataclass(frozen=True, slots=True)
class Connection:
    """One tenant, how to prove who we are, and how fast to go."""

    url: str
    tenant: str
    """Its identity: the host."""
    key: Key
    rate: int | None = None
    """Calls a minute; None for the embedded tenant, which has no budget."""


def connection(settings: Settings, origins: Origins, environ: Mapping[str, str]) -> Connection:
    """Say which tenant, and with which key; refuses a key that was not given for this tenant."""
    origin = origins.get("tenant", Origin(Source.DEFAULT, "default"))
    if origin.source is Source.ENVIRONMENT:
        _one_tenant(environ)
    url = tenant_url(settings.tenant)
    return Connection(url, identity(url), _key(settings, origin, environ), settings.rate)


def identity(tenant: str) -> str:
    """Give what tells a tenant from all others, of its address.

    >>> identity("Acme.atlan.com/")
    'acme.atlan.com'
    """
    return urlsplit(tenant_url(tenant)).netloc


def _one_tenant(environ: Mapping[str, str]) -> None:
    """Refuse two different answers: the key in the environment is for one of them."""
    named = {environ[name] for name in ("ONBOARDING_TENANT", "ATLAN_BASE_URL") if environ.get(name)}
    if len(named) > 1:
        raise UsageError(
            "ONBOARDING_TENANT and ATLAN_BASE_URL name two different tenants. Unset one of them, or name "
            "the tenant with --tenant."
        )


def tenant_url(text: str) -> str:
    """Check a tenant's address and give it in one spelling, without a path: by it the state folder goes, and one tenant has one.

    >>> tenant_url("Acme.atlan.com.:443/")
    'https://acme.atlan.com'
    """
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError:  # half an IPv6 address, a port that is no number
        raise _no_address(text) from None
    beside = (
        parts.path.strip("/"),
        parts.query,
        parts.fragment,
        "@" if "@" in parts.netloc else "",
    )
    if not HOST.fullmatch(host) or any(beside):
        raise _no_address(text)
    if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(host)):
        raise UsageError(
            f"the tenant {host} must be reached by https: anybody on the way could read the key. "
            f"Write https://{host}"
        )
    host = f"[{host}]" if ":" in host else host
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")


def _no_address(text: str) -> UsageError:
    shown = re.sub(r"^.*@", "…@", text)  # what stands before it may be a password
    return UsageError(
        "the tenant's address must be like https://acme.atlan.com, with nothing before or behind the "
        f"host; it is {shown!r}"
    )


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key(settings: Settings, tenant: Origin, environ: Mapping[str, str]) -> Key:
    """Give the one key that may go to this tenant.

    The environment goes before the file. A key that was meant for another source's tenant is refused rather than
    passed over: which of two keys is used should never depend on something left in a shell.
    """
    given = _environment_key(environ)
    by_flag = tenant.source is Source.FLAG
    if given is not None:
        name, found = given
        if not by_flag and tenant.source is not Source.ENVIRONMENT:
            raise UsageError(
                f"the key in {name} comes from the environment, but the tenant {settings.tenant} from "
                f"{tenant}; a key goes only to the tenant named beside it. Name the tenant with --tenant, or "
                f"in ATLAN_BASE_URL, or unset {name}."
            )
        return found
    if settings.api_key_file is None:
        raise UsageError(
            f"there is no key for {settings.tenant}. Put the API key into a file that only you can read "
            "(chmod 600) and name it in ATLAN_API_KEY_FILE, or as api_key_file beside the tenant in the "
            "settings file. Or try `--tenant sandbox`, which needs none."
        )
    if not by_flag and tenant.source is not Source.FILE:
        raise UsageError(
            f"the key in api_key_file comes from the settings file, but the tenant {settings.tenant} from "
            f"the environment ({tenant}); a key goes only to the tenant named beside it. Name the tenant with "
            f"--tenant, or unset {tenant}, or give the key in ATLAN_API_KEY_FILE."
        )
    return Key(Origin(Source.FILE, str(settings.api_key_file)), key_file(settings.api_key_file))


def _environment_key(environ: Mapping[str, str]) -> tuple[str, Key] | None:
    """Give the environment's key and the variable that it comes from; an empty variable is none."""
    names = ("ATLAN_API_KEY", "ATLAN_API_KEY_FILE", "ATLAN_OAUTH_CLIENT_ID")
    given = [name for name in names if environ.get(name)]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are both set; unset all but the one that is meant")
    if not given:
        return None
    (name,) = given
    origin = Origin(Source.ENVIRONMENT, name)
    match name:
        case "ATLAN_API_KEY":
            return name, Key(origin, _checked(environ[name], name))
        case "ATLAN_API_KEY_FILE":
            folder = environ.get("CREDENTIALS_DIRECTORY", "")
            return name, Key(origin, key_file(Path(environ[name]).expanduser(), folder))
        case _:
            secret = environ.get("ATLAN_OAUTH_CLIENT_SECRET", "")
            if not secret:
                raise UsageError(f"{name} is set, and ATLAN_OAUTH_CLIENT_SECRET is not; set both")
            secret_name = "ATLAN_OAUTH_CLIENT_SECRET"  # noqa: S105 -- the name of a variable
            return name, Key(origin, _checked(secret, secret_name), client_id=environ[name])


def key_file(path: Path, credentials: str = "") -> SecretStr:
    """Read a key from a file that is nobody else's business; ``credentials`` is systemd's folder of them."""
    try:
        # Not blocking: opening a named pipe would wait for a writer.
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            facts = os.fstat(number)
            if not _given_by_systemd(path, facts, credentials):
                _only_ours_to_read(path, facts)
            content = os.read(number, 64 * 1024)
        finally:
            os.close(number)
    except OSError as error:
        raise UsageError(f"the key file {path} can't be read: {error.strerror}") from None
    return _checked(content.decode("ascii", errors="replace"), f"the key file {path}")


def _given_by_systemd(path: Path, facts: os.stat_result, credentials: str) -> bool:
    """Whether this is a credential of our unit: root's, and readable for us by an access control list.

    The list shows as a right of the group, which has none (https://github.com/systemd/systemd/issues/29096).
    """
    ours = bool(credentials) and path.parent == Path(credentials)
    return ours and facts.st_uid == 0 and facts.st_mode & ~0o440 == stat.S_IFREG


def _only_ours_to_read(path: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise UsageError(f"the key file {path} is not a regular file")
    if facts.st_uid != os.geteuid():
        raise UsageError(
            f"the key file {path} belongs to somebody else; use one that is owned by the user who runs this"
        )
    if facts.st_mode & 0o177:
        raise UsageError(
            f"the key file {path} can be used by others (mode {stat.S_IMODE(facts.st_mode):04o}). "
            f"Run: chmod 600 {path}"
        )


def _checked(text: str, where: str) -> SecretStr:
    """Strip the line break at the end, and refuse what can't be a key without quoting it."""
    key = text.strip("\r\n")
    if not key:
        raise UsageError(f"{where} is empty; put the API key into it")
    if not SAFE_KEY.fullmatch(key):
        raise UsageError(
            f"{where} does not hold an API key: it has blanks, line breaks or other characters that no key has. "
            "Copy the key again, without the word Bearer."
        )
    return _secret(key)


def _secret(key: str) -> SecretStr:
    from pydantic import SecretStr

    return SecretStr(key)
