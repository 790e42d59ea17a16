"""Who may see and do what, as finops.toml says it: `[access]`, `[access.oidc]` and `[[access.rules]]`.

Secrets belong in the environment: FINOPS_ACCESS__OIDC__CLIENT_SECRET and …__COOKIE_SECRET. They are SecretStr
here, so that no text made of these settings shows them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from finops_assets.access.roles import Role
from finops_assets.access.scope import Grant, Scope
from finops_assets.source_settings import Strict

Algorithm: TypeAlias = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"
]
"""Signatures with a key pair. One with a shared secret, or none, is never taken."""


def _address(given: str) -> str:
    """Plain http is for the machine itself: whoever can change an answer could sign tokens."""
    parts = urlsplit(given)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ValueError("expected an https address, such as https://login.example.com/realms/acme")
    return given


Address: TypeAlias = Annotated[str, AfterValidator(_address)]


class Oidc(Strict):
    """The identity provider: whose tokens the API takes, and where the dashboard logs in."""

    issuer: Address
    audience: Annotated[str, Field(min_length=1)]
    """What a token of the API has in `aud`."""
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256")
    jwks_url: Address | None = None
    """Where the keys are; the issuer's own description says it when this does not."""
    groups_claim: Annotated[str, Field(min_length=1)] = "groups"
    """The claim with the groups that rules name; a point goes into an object: realm_access.roles."""
    name_claim: Annotated[str, Field(min_length=1)] = "email"
    """The claim that names the person in the audit log; `sub` where a token has none."""
    leeway_seconds: Annotated[int, Field(ge=0, le=300)] = 30
    client_id: str = ""
    """The dashboard's own id at the provider; its id tokens have it in `aud`."""
    client_secret: SecretStr | None = None
    cookie_secret: Annotated[SecretStr, Field(min_length=32)] | None = None
    """What the dashboard signs its cookie with: a random text of 32 characters or more."""
    login_hours: Annotated[int, Field(ge=1)] = 12
    """How long people stay logged in: a group that they leave counts no longer than that."""
    dashboard_url: Address | None = None
    """Where people open the dashboard. The provider sends them back to /oauth2callback there."""

    @model_validator(mode="after")
    def _has_a_whole_client(self) -> Self:
        if bool(self.client_id) != (self.dashboard_url is not None):
            lacking = "dashboard_url" if self.client_id else "client_id"
            raise ValueError(f"for the dashboard's login {lacking} is missing; the API needs neither")
        return self

    @property
    def has_login(self) -> bool:
        """Whether the dashboard can log people in: it knows its own id and has both secrets."""
        secrets = (self.client_secret, self.cookie_secret)
        return bool(self.client_id) and all(s is not None and s.get_secret_value() for s in secrets)


class AccessRule(Strict):
    """What the members of a group may see and do. Of several groups people have the most that any gives."""

    group: Annotated[str, Field(min_length=1)]
    role: Role = "viewer"
    sources: tuple[str, ...] | None = None
    """All where none is said, here and below; what is said must all hold."""
    accounts: tuple[str, ...] | None = None
    """SubAccountIds or BillingAccountIds."""
    tags: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """The rows that it opens."""
        return Scope((Grant(self.sources, self.accounts, tuple(self.tags.items())),))


class Access(Strict):
    """The lock: on when keys or an identity provider are configured."""

    api_keys: bool = False
    """Whether the API takes the keys that `finops keys` makes."""
    oidc: Oidc | None = None
    rules: tuple[AccessRule, ...] = ()

    @property
    def is_locked(self) -> bool:
        """Whether anybody has to say who they are."""
        return self.api_keys or self.oidc is not None

    def faults(self, sources: frozenset[str], tag_keys: frozenset[str]) -> list[str]:
        """What the rules say that cannot hold, with these sources and tag keys configured."""
        found = []
        for place, rule in enumerate(self.rules, 1):
            where = f"[[access.rules]] number {place} ({rule.group})"
            if unknown := sorted(set(rule.sources or ()) - sources):
                found.append(
                    f"{where}: expected configured sources ({', '.join(sorted(sources))}), "
                    f"found {', '.join(unknown)}"
                )
            if unknown := sorted(rule.tags.keys() - tag_keys):
                found.append(
                    f"{where}: expected tag_keys ({', '.join(sorted(tag_keys))}), found {', '.join(unknown)}"
                )
            if rule.role == "admin" and not rule.scope.is_whole:
                found.append(
                    f"{where}: an admin sees all: the audit log is of everybody. Leave the scope out"
                )
        return found
