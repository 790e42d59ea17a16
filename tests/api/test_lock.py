"""The door: off on loopback only, keys and tokens, the audit log, and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from finops_api.app import create_app
from finops_assets.access.binding import OpenDoorError
from finops_assets.access_settings import Access, AccessRule, Oidc
from finops_assets.running.serve import check_doors
from finops_assets.settings import Services, Settings
from tests.access.provider import AUDIENCE, Provider, provider
from tests.api.locked import bearer, locked_client, locked_settings

COSTS = "/api/v1/costs"


@pytest.fixture(scope="module")
def idp() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def settings(built: Settings, idp: Provider, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    oidc = Oidc(issuer=idp.issuer, audience=AUDIENCE)
    rules = (AccessRule(group="shop", sources=("aws-main",)),)
    access = Access(api_keys=True, oidc=oidc, rules=rules)
    return locked_settings(built, tmp_path_factory.mktemp("lock"), access)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with locked_client(settings) as opened:
        yield opened


def test_without_a_lock_nothing_starts_off_loopback(built: Settings) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.7", "finops.example.com"):
        open_to_all = built.model_copy(update={"services": Services(host=host)})
        with pytest.raises(OpenDoorError, match=f"API would listen on {re.escape(host)}, "):
            create_app(open_to_all)
        with pytest.raises(OpenDoorError, match="finops keys create"):
            check_doors(open_to_all)
    keys_only = built.model_copy(
        update={"services": Services(host="0.0.0.0"), "access": Access(api_keys=True)}
    )
    with pytest.raises(OpenDoorError, match="nobody could log in"):
        check_doors(keys_only)
    with pytest.raises(OpenDoorError, match="it has no login"):
        check_doors(built.model_copy(update={"services": Services(dagster_host="0.0.0.0")}))
    for host in ("127.0.0.1", "localhost", "::1", "127.0.0.2"):
        check_doors(built.model_copy(update={"services": Services(host=host)}))


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [
        ("http://127.0.0.1:8000", None, 200),
        ("http://[::1]:8000", None, 200),
        ("http://127.0.0.1:8000", "localhost:8000", 200),
        ("http://192.0.2.7:8000", None, 403),
        ("http://127.0.0.1:8000", "finops.evil.example", 403),
        ("http://[::1]", "[::1]", 200),
    ],
)
def test_an_open_app_serves_its_own_machine_only(
    built: Settings, address: str, host: str | None, status: int
) -> None:
    """However uvicorn was told to listen, and whatever name a page of another site made for it."""
    with TestClient(create_app(built), base_url=address) as opened:
        answer = opened.get(COSTS, headers={"Host": host} if host else {})
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["type"] == "no-lock"
        assert "[access]" in answer.json()["detail"]


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
def test_an_open_app_serves_nobody_by_a_proxy(built: Settings, header: str) -> None:
    with TestClient(create_app(built), base_url="http://127.0.0.1:8000") as opened:
        assert opened.get(COSTS).status_code == 200
        assert opened.get(COSTS, headers={header: "192.0.2.7"}).status_code == 403


def test_a_change_that_fails_is_in_the_audit_log(settings: Settings) -> None:
    """It may have been made before it failed."""
    admin = bearer(settings, "an unlucky admin", "admin")
    app = create_app(settings)

    def fail() -> None:
        raise RuntimeError("afterwards")

    app.add_api_route("/api/v1/change", fail, methods=["POST"])
    with TestClient(app, raise_server_exceptions=False) as opened:
        answer = opened.post("/api/v1/change", headers=admin)
        (seen,) = opened.get("/api/v1/audit?principal=an unlucky admin", headers=admin).json()["entries"]
    assert (answer.status_code, answer.json()["type"]) == (500, "unexpected")
    assert (seen["action"], seen["place"], seen["status"]) == ("POST", "/api/v1/change", 500)
    assert seen["request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_who_is_not_let_in_is_limited_too(settings: Settings) -> None:
    few = settings.model_copy(update={"services": Services(rate_limit="3/hour")})
    admin = bearer(few, "a patient admin", "admin")
    with locked_client(few) as opened:
        answers = [opened.post("/api/v1/guess") for _ in range(6)]
        kept = opened.get("/api/v1/audit", headers=admin).json()["entries"]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert answers[-1].json()["type"] == "too-many-requests"
    assert [e["status"] for e in kept if e["place"] == "/api/v1/guess"] == [401, 401, 401]


def test_tokens_and_keys_open_what_they_may(client: TestClient, settings: Settings, idp: Provider) -> None:
    token = {"Authorization": f"Bearer {idp.token()}"}
    seen = client.get(f"{COSTS}?group_by=x_Source", headers=token).json()["rows"]
    assert {row["group"]["x_Source"] for row in seen} == {"aws-main"}
    assert client.post("/api/v1/ingestion", json={}, headers=token).status_code in {403, 422}
    stranger = client.get(COSTS, headers={"Authorization": f"Bearer {idp.token(groups=['other'])}"})
    assert (stranger.status_code, stranger.json()["type"]) == (403, "forbidden")
    late = client.get(COSTS, headers={"Authorization": f"Bearer {idp.token(exp=1)}"})
    assert late.status_code == 401
    assert 'error="invalid_token"' in late.headers["WWW-Authenticate"]
    ended = bearer(settings, "ended", lives=timedelta(seconds=-1))
    assert client.get(COSTS, headers=ended).status_code == 401
    assert client.get(COSTS, headers=bearer(settings, "good")).status_code == 200


def test_the_audit_log_tells_the_admin_who_did_what(
    client: TestClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    reader, admin = bearer(settings, "a reader"), bearer(settings, "an admin", "admin")
    answer = client.get(f"{COSTS}?metric=ListCost", headers=reader)
    client.put("/api/v1/budgets/Mine", json={}, headers=reader)
    client.get(COSTS, headers={"Authorization": "Bearer finops_no_key"})
    found = client.get("/api/v1/audit?limit=3", headers=admin).json()
    refused, change, seen = found["entries"]
    assert (refused["principal"], refused["status"]) == ("", 401)
    assert (change["action"], change["place"], change["status"]) == ("PUT", "/api/v1/budgets/Mine", 403)
    assert seen == {
        **seen,
        "principal": "a reader",
        "role": "viewer",
        "means": "key",
        "face": "api",
        "place": COSTS,
        "parameters": "metric=ListCost",
        "status": 200,
        "request_id": answer.headers["X-Request-ID"],
    }
    older = client.get(f"/api/v1/audit?before={found['next']}", headers=admin).json()["entries"]
    assert all(entry["number"] < found["next"] for entry in older)
    assert client.get("/api/v1/audit?principal=nobody", headers=admin).json()["entries"] == []
    text = str(found) + caplog.text
    assert not any(header["Authorization"].partition(" ")[2] in text for header in (reader, admin))


def test_other_sites_read_nothing(client: TestClient, settings: Settings) -> None:
    header = bearer(settings, "browser")
    answer = client.get(COSTS, headers={**header, "Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    preflight = client.options(
        COSTS, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    )
    assert preflight.status_code == 401
    assert not [name for name in preflight.headers if name.startswith("access-control-")]
    for one in (answer, client.get("/nowhere"), client.get("/healthz"), client.get("/docs")):
        assert one.headers["X-Content-Type-Options"] == "nosniff"
        assert one.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in one.headers["Content-Security-Policy"]
    assert client.get("/healthz").headers["Cache-Control"] == "no-store"


def test_the_description_tells_of_the_lock_where_it_is_on(client: TestClient, built: Settings) -> None:
    description = client.get("/openapi.json").json()
    assert description["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    costs = description["paths"][COSTS]["get"]
    assert costs["security"] == [{"bearer": []}]
    assert {"401", "403", "503"} <= costs["responses"].keys()
    assert "security" not in description["paths"]["/healthz"]["get"]
    assert "securitySchemes" not in create_app(built).openapi()["components"]


def test_no_error_shows_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from finops_assets.settings import ConfigError, load_settings

    monkeypatch.chdir(tmp_path)
    Path("finops.toml").write_text(
        '[access.oidc]\nissuer = "https://login.example.com"\naudience = "a"\nclient_id = "x"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("FINOPS_ACCESS__OIDC__CLIENT_SECRET", "hunter2-hunter2")
    with pytest.raises(ConfigError, match="dashboard_url is missing") as wrong:
        load_settings()
    assert "hunter2" not in str(wrong.value)
    monkeypatch.setenv("FINOPS_ACCESS__OIDC__COOKIE_SECRET", "c00kie" * 6)
    monkeypatch.setenv("FINOPS_ACCESS__OIDC__DASHBOARD_URL", "https://finops.example.com")
    settings = load_settings()
    assert settings.access.oidc is not None
    assert settings.access.oidc.has_login
    for text in (repr(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "hunter2" not in text
        assert "c00kie" not in text


@pytest.mark.parametrize(
    ("line", "key", "says"),
    [
        ('[access]\nclient_secret = "hunter2-hunter2"', "access.client_secret", "not permitted"),
        ('[access]\noidc = "hunter2-hunter2"', "access.oidc", "dictionary"),
        (
            "[access.oidc]\n"
            'issuer = "https://login.example.com"\naudience = "a"\ncookie_secret = "hunter2-hunter2"',
            "access.oidc.cookie_secret",
            "at least 32",
        ),
    ],
)
def test_no_error_shows_a_secret_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, key: str, says: str
) -> None:
    """One that stands where it does not belong, and one that is too short to sign a cookie with."""
    from finops_assets.settings import ConfigError, load_settings

    monkeypatch.chdir(tmp_path)
    Path("finops.toml").write_text(line, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{key}: .*{says}") as wrong:
        load_settings()
    assert "hunter2" not in str(wrong.value)
