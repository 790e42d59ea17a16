"""OIDC bearer tokens: whose signature, for whom, until when; and which rules their groups meet."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from finops_assets.access.principal import ForbiddenError, Means, Principal, UnknownPrincipalError
from finops_assets.access.roles import ROLES
from finops_assets.access.scope import Scope
from finops_assets.access_settings import Access, Oidc

FETCH_AGAIN_SECONDS = 30
"""A token with an unknown key makes us ask for the provider's keys; not oftener, as anybody can send one."""
_FRESH_SECONDS = 3600
"""After that keys are fetched anew, so that one which the provider withdrew ends here as well."""
_KEPT_SECONDS = 24 * 3600
"""How long known keys are good while the provider does not answer."""


class ProviderDownError(Exception):
    """The identity provider's keys cannot be had; the text says what was asked."""


class KeySource:
    """The provider's public keys, fetched when one is needed that is not known."""

    def __init__(self, oidc: Oidc) -> None:
        self._oidc = oidc
        self._client = httpx.Client(timeout=10)
        self._lock = threading.Lock()
        self._keys: dict[str, Any] = {}
        self._fetched = self._tried = -float("inf")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def key_set(self, kid: str | None) -> KeySet:
        """The keys of that id, or all. Raises ProviderDownError, UnknownPrincipalError."""
        with self._lock:
            self._refresh(kid)
            found = [key for name, key in self._keys.items() if kid in {None, name}]
        if not found:
            raise UnknownPrincipalError("The token is signed with a key that its issuer does not name.")
        return KeySet.import_key_set({"keys": found})

    def _refresh(self, kid: str | None) -> None:
        now = time.monotonic()
        is_stale = now - self._fetched > _FRESH_SECONDS
        is_unknown = kid is not None and kid not in self._keys
        if (is_stale or is_unknown) and now - self._tried > FETCH_AGAIN_SECONDS:
            self._tried = now
            try:
                self._keys, self._fetched = self._fetch(), now
            except ProviderDownError:
                if now - self._fetched > _KEPT_SECONDS:
                    raise
        if now - self._fetched > _KEPT_SECONDS:
            raise ProviderDownError(f"The keys of {self._oidc.issuer} could not be had; asked again soon.")

    def _fetch(self) -> dict[str, Any]:
        url = self._oidc.jwks_url
        try:
            if url is None:
                described = self._get(f"{self._oidc.issuer.rstrip('/')}/.well-known/openid-configuration")
                if described.get("issuer") != self._oidc.issuer:
                    raise ProviderDownError(
                        f"expected the issuer {self._oidc.issuer}, found {described.get('issuer')!r} in its "
                        "own description; write it in [access.oidc] exactly as the provider does."
                    )
                url = str(described["jwks_uri"])
            keys = self._get(url)["keys"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise ProviderDownError(
                f"No keys from {url or self._oidc.issuer}: {type(error).__name__}."
            ) from error
        # A key without an id is found by tokens without one.
        return {str(key.get("kid", n)): key for n, key in enumerate(keys) if key.get("use", "sig") == "sig"}

    def _get(self, url: str) -> dict[str, Any]:
        answer = self._client.get(url)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body


class Tokens:
    """Checks bearer tokens, and says whose they are."""

    def __init__(self, access: Access, oidc: Oidc) -> None:
        self._access = access
        self._oidc = oidc
        self._keys = KeySource(oidc)
        self._claims = jwt.JWTClaimsRegistry(
            leeway=oidc.leeway_seconds,
            iss={"essential": True, "value": oidc.issuer},
            aud={"essential": True, "value": oidc.audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    def close(self) -> None:
        """Close the connections."""
        self._keys.close()

    def principal(self, text: str) -> Principal:
        """Whose token this is. Raises UnknownPrincipalError, ProviderDownError."""
        try:
            token = jwt.decode(
                text,
                lambda header: self._keys.key_set(header.headers().get("kid")),
                list(self._oidc.algorithms),
            )
            self._claims.validate(token.claims)
        except (JoseError, ValueError) as error:
            raise UnknownPrincipalError(f"The token is not accepted: {_fault(error)}.") from None
        return principal_of(token.claims, self._access, self._oidc, "token")


def principal_of(claims: Mapping[str, Any], access: Access, oidc: Oidc, means: Means) -> Principal:
    """Who somebody with these checked claims is: the highest role and all scopes that their groups give.

    For what is of all bills only rules count that open all bills. Raises ForbiddenError for
    somebody whom no rule names.
    """
    groups = _groups(claims, oidc.groups_claim)
    rules = [rule for rule in access.rules if rule.group in groups]
    name = str(claims.get(oidc.name_claim) or claims.get("sub") or "")
    if not rules:
        raise ForbiddenError(f"No [[access.rules]] names a group of {name or 'this person'}.")
    role = max((rule.role for rule in rules), key=ROLES.index)
    scope = Scope.union([rule.scope for rule in rules])
    of_whole = max((rule.role for rule in rules if rule.scope.is_whole), key=ROLES.index, default=None)
    return Principal(name, role, scope, means, role_of_whole=of_whole)


def _groups(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    # A claim may have a point, or a whole address, in its own name.
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return frozenset({found})
    return frozenset(str(g) for g in found) if isinstance(found, (list, tuple)) else frozenset()


def _fault(error: Exception) -> str:
    """The kind of fault and the claim, never the token."""
    claim = getattr(error, "claim", None)
    kind = type(error).__name__.removesuffix("Error")
    return f"{kind} ({claim})" if claim else kind
