"""The way to a tenant: its address comes in; the proxy and the certificates that lead there, as requests knows them, go out."""

from __future__ import annotations

import os
from contextlib import suppress
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import urllib3
from requests.utils import (
    DEFAULT_CA_BUNDLE_PATH,
    get_environ_proxies,
    prepend_scheme_if_needed,
    select_proxy,
)

from onboarding.errors import UsageError

PORTS = {"http": 80, "https": 443}
OWN_CERTIFICATES = "If your company signs certificates itself, name the file with its own one in REQUESTS_CA_BUNDLE."
WRONG_CERTIFICATES = "Correct the path in REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, or unset it."


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def certificates() -> str:
    """Give the file or folder of the certificates that are trusted: what the environment names, as requests knows it, or its own."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return named or DEFAULT_CA_BUNDLE_PATH


class Proxy(NamedTuple):
    """Where a proxy listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def proxy_of(base_url: str) -> Proxy | None:
    """Give the proxy that the environment names for a tenant, as requests takes it; or say that it is none, and quote nothing."""
    named = select_proxy(base_url, proxies(base_url))
    if not named:
        return None
    # TypeError: requests trips over a name and password without a host
    with suppress(ValueError, TypeError, urllib3.exceptions.HTTPError):
        whole = prepend_scheme_if_needed(named, "http")  # type: ignore[no-untyped-call]
        found = urllib3.util.parse_url(whole)
        unquote(found.auth or "").encode("latin-1")  # as requests sends it
        if found.host and found.scheme in PORTS:
            return Proxy(found.host.strip("[]"), found.port or PORTS[found.scheme])
    raise UsageError(
        "The proxy that the environment names (HTTPS_PROXY or ALL_PROXY) is none that can be used. It must look like "
        "http://proxy.example:3128."
    )


def through(base_url: str) -> str:
    """Say by which proxy a call has gone; nothing where there is none."""
    proxy = proxy_of(base_url)
    return f" through the proxy {proxy}" if proxy else ""


def way_out(reason: str) -> str:
    """Say what to do about a call that did not get through."""
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return OWN_CERTIFICATES
    if "CA certificate bundle" in reason or "NO_CERTIFICATE" in reason:
        return WRONG_CERTIFICATES
    return "Check the address and the network."


def proxies(base_url: str) -> dict[str, str]:
    """Give what the environment says, as requests knows it. It would name one for the embedded tenant, too."""
    here = is_loopback(urlsplit(base_url).hostname or "")
    return {} if here else get_environ_proxies(base_url)
