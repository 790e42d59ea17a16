"""Where servers may listen: off loopback only behind a lock."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from finops_assets.access_settings import Access

Face: TypeAlias = Literal["API", "dashboard"]


class OpenDoorError(Exception):
    """A server would be reached from elsewhere without a lock; the text says why that is not done."""


def is_loopback(host: str) -> bool:
    """Whether only the machine itself reaches a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]).is_loopback
    except ValueError:  # a name: who knows where it leads
        return False


_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_asked_here(headers: Mapping[str, str]) -> bool:
    """Whether a request is for a name of the machine itself, and no proxy passed it on for somebody.

    A page of another site can have its own name lead to the machine itself (DNS rebinding); the Host header
    tells. `headers` are found in any case.
    """
    try:
        name = urlsplit(f"//{headers.get('host') or 'localhost'}").hostname or ""
    except ValueError:  # no name at all
        return False
    return is_loopback(name) and not any(header in headers for header in _OF_PROXIES)


def check_binding(face: Face, host: str, access: Access) -> None:
    """Raise OpenDoorError unless the face may listen on `host` under this lock."""
    if is_loopback(host):
        return
    reached = f"The {face} would listen on {host}, where others reach it, and "
    if not access.is_locked:
        raise OpenDoorError(
            f"{reached}there is no lock: everybody could read every bill. Keep services.host = "
            '"127.0.0.1", or set up [access] in finops.toml: api_keys = true and `finops keys create`, or '
            "[access.oidc] for people."
        )
    if face == "dashboard" and not (access.oidc is not None and access.oidc.has_login):
        raise OpenDoorError(
            f"{reached}nobody could log in: API keys are for programs. Set client_id, client_secret, "
            "cookie_secret and dashboard_url in [access.oidc]."
        )
