"""Tokens of an identity provider that answers over HTTP, with keys made here."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from finops_assets.access import tokens
from finops_assets.access.principal import ForbiddenError, UnknownPrincipalError
from finops_assets.access.scope import Grant, Scope
from finops_assets.access.tokens import ProviderDownError, Tokens, principal_of
from finops_assets.access_settings import Access, AccessRule, Oidc
from tests.access.provider import AUDIENCE, Provider, provider

RULES = (
    AccessRule(group="shop", sources=("aws-main",)),
    AccessRule(group="money", role="analyst", accounts=("1",), tags={"team": ("a", "b")}),
    AccessRule(group="root", role="admin"),
)


@pytest.fixture
def idp() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def checked(idp: Provider) -> Iterator[Tokens]:
    oidc = Oidc(issuer=idp.issuer, audience=AUDIENCE, algorithms=("RS256", "ES256"))
    opened = Tokens(Access(oidc=oidc, rules=RULES), oidc)
    yield opened
    opened.close()


def test_a_good_token_says_who_asks(idp: Provider, checked: Tokens) -> None:
    found = checked.principal(idp.token())
    assert (found.name, found.role, found.means) == ("ann@example.com", "viewer", "token")
    assert found.scope == Scope((Grant(sources=("aws-main",)),))
    assert checked.principal(idp.token(email=None)).name == "u-1"
    assert checked.principal(idp.token(aud=["other", AUDIENCE])).name == "ann@example.com"
    assert len(idp.asked) == 2  # the description and the keys, once


def test_groups_give_the_highest_role_and_all_scopes(idp: Provider, checked: Tokens) -> None:
    found = checked.principal(idp.token(groups=["shop", "money", "nobody"]))
    assert found.role == "analyst"
    assert found.scope.grants == (
        Grant(sources=("aws-main",)),
        Grant(accounts=("1",), tags=(("team", ("a", "b")),)),
    )
    assert checked.principal(idp.token(groups="root")).scope.is_whole
    for nothing in (["nobody"], [], None, 7, {"shop": True}):
        with pytest.raises(ForbiddenError, match="names a group of ann"):
            checked.principal(idp.token(groups=nothing))


def test_a_role_for_a_part_is_none_for_the_whole(idp: Provider) -> None:
    oidc = Oidc(issuer=idp.issuer, audience=AUDIENCE)
    rules = (AccessRule(group="all"), AccessRule(group="money", role="analyst", sources=("aws-main",)))
    found = principal_of(
        {"sub": "u", "groups": ["all", "money"]}, Access(oidc=oidc, rules=rules), oidc, "login"
    )
    assert (found.role, found.scope.is_whole) == ("analyst", True)
    assert [p for p in ("read", "platform", "feedback", "views", "decide") if found.may(p)] == [
        "read",
        "platform",
        "feedback",
    ]
    with pytest.raises(ForbiddenError, match="u is viewer of them"):
        found.require("decide")


def test_a_claim_may_lie_deeper(idp: Provider) -> None:
    oidc = Oidc(issuer=idp.issuer, audience=AUDIENCE, groups_claim="realm_access.roles")
    access = Access(oidc=oidc, rules=RULES)
    claims = {"sub": "u", "realm_access": {"roles": ["root"]}}
    assert principal_of(claims, access, oidc, "login").role == "admin"
    named = oidc.model_copy(update={"groups_claim": "https://acme.example/groups"})
    assert (
        principal_of({"sub": "u", "https://acme.example/groups": ["root"]}, access, named, "login").role
        == "admin"
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"nbf": int(time.time()) + 3600},
        {"sub": None},
    ],
)
def test_a_claim_that_is_wrong_or_missing(idp: Provider, checked: Tokens, claims: dict[str, Any]) -> None:
    with pytest.raises(UnknownPrincipalError, match="not accepted"):
        checked.principal(idp.token(**claims))


def test_a_signature_of_another_key_or_kind(idp: Provider, checked: Tokens) -> None:
    same_name = RSAKey.generate_key(2048, {"kid": "first"})
    good = idp.token()
    header, payload, _ = good.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","kid":"first"}').rstrip(b"=").decode()
    # The public key as the secret of an HMAC: a check that trusts the header's algorithm would take it.
    named = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"first"}').rstrip(b"=").decode()
    public = idp.keys[0].as_pem(private=False)
    mac = hmac.digest(public, f"{named}.{payload}".encode(), "sha256")
    confused = f"{named}.{payload}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    for bad in (
        idp.token(key=same_name),
        idp.token(algorithm="RS512"),  # not in the allow-list
        f"{unsigned}.{payload}.",
        confused,
        f"{header}.{_with_root(payload)}.{good.split('.')[2]}",
        "x.y.z",
        "",
    ):
        with pytest.raises(UnknownPrincipalError) as refused:
            checked.principal(bad)
        assert not bad or bad not in str(refused.value)


def test_keys_rotate(idp: Provider, checked: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "FETCH_AGAIN_SECONDS", 0)
    old = idp.token()
    assert checked.principal(old).name == "ann@example.com"
    idp.keys.append(ECKey.generate_key("P-256", {"kid": "second", "use": "sig"}))
    assert checked.principal(idp.token(algorithm="ES256")).name == "ann@example.com"
    assert checked.principal(old).name == "ann@example.com"
    idp.keys.pop(0)
    third = ECKey.generate_key("P-256", {"kid": "third"})
    with pytest.raises(UnknownPrincipalError, match="key that its issuer does not name"):
        checked.principal(idp.token(key=third, algorithm="ES256"))
    with pytest.raises(UnknownPrincipalError, match="key that its issuer does not name"):
        checked.principal(old)  # asking for the third has shown that the first is withdrawn


def test_unknown_keys_do_not_make_us_ask_and_ask(idp: Provider, checked: Tokens) -> None:
    checked.principal(idp.token())
    for n in range(5):
        with pytest.raises(UnknownPrincipalError):
            checked.principal(idp.token(kid=f"made-up-{n}"))
    assert idp.asked.count("/keys") == 1


def test_a_provider_that_is_down_opens_nothing(idp: Provider, checked: Tokens) -> None:
    idp.is_down = True
    with pytest.raises(ProviderDownError, match="No keys from"):
        checked.principal(idp.token())
    with pytest.raises(ProviderDownError, match="could not be had"):
        checked.principal(idp.token())


def test_a_provider_is_the_one_it_says(idp: Provider) -> None:
    oidc = Oidc(issuer=f"{idp.issuer}/", audience=AUDIENCE)
    opened = Tokens(Access(oidc=oidc, rules=RULES), oidc)
    with pytest.raises(ProviderDownError, match="exactly as the provider does"):
        opened.principal(idp.token())
    opened.close()


def _with_root(payload: str) -> str:
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["groups"] = ["root"]
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
