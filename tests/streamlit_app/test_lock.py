"""The pages behind the lock: who is not let in sees nothing, who sees a part finds no trace of the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from finops_assets.access.audit import entries
from finops_assets.settings import Settings
from tests.streamlit_app.conftest import APP, Built
from tests.tenants import TENANTS, finder, sums, words
from tests.warehouse_builder import BUDGETS, SOURCES, lake_table, settings_of

PAGES = sorted(path.stem for path in (APP.parent / "app_pages").glob("[a-z]*.py"))
DAYS = {"from": "2026-01-01", "to": "2026-03-31"}

GROUPS: dict[str, dict[str, Any]] = {
    "source": {"sources": ["aws-main"]},
    "other sources": {"sources": ["azure-ea", "gcp-prod"]},
    "account": {"accounts": ["444455556666"]},
    "tag": {"tags": {"team": ["shop"]}},
    "everything": {},
}


@pytest.fixture
def locked(
    built: Built, use: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    """The dashboard over the built warehouse with a provider configured; what people do is kept apart."""
    for name in ("lake", "warehouse"):
        (tmp_path / name).symlink_to(built.folder / name)
    for name, value in {
        "TAG_KEYS": '["team", "env"]',
        "SOURCES": json.dumps({name: {"kind": "files", "path": "bills"} for name in SOURCES}),
        "BUDGETS": json.dumps([b.budget.model_dump(mode="json", by_alias=True) for b in BUDGETS]),
        "ACCESS__OIDC__ISSUER": "https://login.example.com",
        "ACCESS__OIDC__AUDIENCE": "finops",
        "ACCESS__OIDC__CLIENT_ID": "dashboard",
        "ACCESS__OIDC__CLIENT_SECRET": "hunter2-hunter2",
        "ACCESS__OIDC__COOKIE_SECRET": "c00kie" * 6,
        "ACCESS__OIDC__DASHBOARD_URL": "https://finops.example.com",
        "ACCESS__RULES": json.dumps(
            [{"group": f"{role} {name}", "role": role, **scope}
             for role in ("viewer", "analyst") for name, scope in GROUPS.items()]
            + [{"group": "admin", "role": "admin"}]
        ),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"FINOPS_{name}", value)
    use(tmp_path)
    return tmp_path


def open_as(
    page: str, *groups: str, logged_in: bool = True, age: float = 0, address: Mapping[str, str] | None = None
) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.user = {
        "is_logged_in": logged_in,
        "email": "ann@example.com",
        "groups": list(groups),
        "iat": time.time() - age,
    }
    for key, value in (address or {}).items():
        app.query_params[key] = value
    app.switch_page(f"app_pages/{page}.py").run()
    assert not app.exception, (page, app.exception[0].message)
    return app


def told(app: AppTest) -> tuple[str, set[Decimal]]:
    """Every text of the page, and every number of its tables and charts."""
    texts, numbers = [], set()
    for block in (app.main, app.sidebar):
        for element in block:
            proto = element.proto
            texts.append(str(proto))
            datasets = [d.data.data for d in getattr(proto, "datasets", ())]
            datasets += [proto.data] if isinstance(getattr(proto, "data", None), bytes) else []
            for dataset in filter(None, datasets):
                for row in pa.ipc.open_stream(dataset).read_all().to_pylist():
                    texts.append(str([v for v in row.values() if isinstance(v, str)]))
                    numbers |= {round(Decimal(v), 2) for v in row.values() if isinstance(v, float | Decimal)}
    return "\n".join(texts), numbers


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", ["source", "account"])
def test_no_page_tells_of_the_other_tenant(locked: Path, built: Built, page: str, kind: str) -> None:
    rows = lake_table(settings_of(built.folder), "costs")
    _, ours = TENANTS[kind]
    own = rows.filter(ours)
    # Words that pages hold for everybody: providers have pages, and a chart is made of data.
    foreign = {
        w
        for w in words(rows) - words(own, [c for c, t in rows.schema.items() if t == pl.String])
        if w not in {"AWS", "Google Cloud", "Microsoft", "EUR", "USD", "data"}
    }
    amounts = {round(Decimal(a), 2) for a in (sums(rows) | sums(rows.filter(~ours))) - sums(own)}
    amounts -= {round(Decimal(a), 2) for a in sums(own)}
    address = {"currency": "USD", **(DAYS if page == "rows" else {})}
    text, numbers = told(open_as(page, f"analyst {kind}", address=address))
    assert not finder(foreign).findall(text)
    assert not {n for n in numbers if abs(n) > 100} & amounts


def test_the_owner_of_all_is_told_what_others_are_not(locked: Path, built: Built) -> None:
    """The test above can see."""
    rows = lake_table(settings_of(built.folder), "costs")
    foreign = words(rows.filter(~TENANTS["source"][1]))
    text, numbers = told(open_as("explorer", "viewer everything", address={"currency": "EUR", **DAYS}))
    assert finder(foreign).findall(text)
    by_day = rows.with_columns(day=pl.col("ChargePeriodStart").dt.date()).group_by("ServiceName", "day")
    daily = {round(sum(group["EffectiveCost"], Decimal(0)), 2) for _, group in by_day}
    assert len(numbers & daily) > 3


def test_a_cached_answer_is_of_one_scope(locked: Path) -> None:
    whole, _ = told(open_as("sources", "viewer everything"))
    part, _ = told(open_as("sources", "viewer source"))
    again, _ = told(open_as("sources", "viewer everything"))
    assert "azure-ea" in whole
    assert "azure-ea" in again
    assert "azure-ea" not in part
    assert "aws-main" in part


@pytest.mark.parametrize("page", PAGES)
def test_nobody_is_let_in_without_a_login(locked: Path, page: str) -> None:
    old = [open_as(page, "admin", age=13 * 3600)] if page == "overview" else []
    for app in (open_as(page, "admin", logged_in=False), *old):
        assert [button.label for button in app.button] == ["Log in"]
        text, numbers = told(app)
        assert "aws-main" not in text
        assert not app.dataframe
        assert not numbers


def test_who_is_in_no_group_is_told_so(locked: Path) -> None:
    app = open_as("overview", "strangers")
    assert "No [[access.rules]] names a group of ann@example.com" in app.error[0].value.replace("\\", "")
    assert [button.label for button in app.button] == ["Log in as somebody else"]


def test_each_role_is_offered_what_it_may_do(locked: Path) -> None:
    offered = {
        group: {
            page: [b.label for b in open_as(page, group).button]
            for page in ("budgets", "sources", "anomalies")
        }
        for group in ("viewer everything", "analyst everything", "analyst source", "admin")
    }
    assert "Log out" in offered["admin"]["budgets"]
    assert [g for g, by in offered.items() if "Set" in by["budgets"]] == ["analyst everything", "admin"]
    assert [g for g, by in offered.items() if "Save" in by["anomalies"]] == [
        "analyst everything",
        "analyst source",
        "admin",
    ]


def test_pages_that_were_opened_are_in_the_audit_log(locked: Path) -> None:
    open_as("explorer", "viewer source", address={"currency": "USD"})
    (seen,) = entries(locked / "access.db")
    assert (seen.entry.principal, seen.entry.means, seen.entry.face) == (
        "ann@example.com",
        "login",
        "dashboard",
    )
    assert (seen.entry.action, seen.entry.place) == ("open", "explorer")
    assert "currency=USD" in seen.entry.parameters


def test_without_a_lock_nothing_is_asked_and_nothing_is_kept(
    built: Built, use: Callable[[Path], None]
) -> None:
    use(built.folder)
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not app.exception
    assert "Log out" not in [button.label for button in app.button]
    assert not (built.folder / "access.db").exists()


def test_api_keys_alone_close_the_pages(
    built: Built, use: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINOPS_ACCESS__API_KEYS", "true")
    use(built.folder)
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert "nobody can log in here" in app.error[0].value
    assert not app.metric


def test_the_file_of_the_login_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tomllib

    from finops_assets.access_settings import Access, Oidc
    from finops_assets.running.serve import login_secrets, servers, write_login_secrets
    from finops_assets.settings import Paths

    oidc = Oidc.model_validate(
        {
            "issuer": "https://login.example.com/",
            "audience": "finops",
            "client_id": "dashboard",
            "client_secret": 'hun"ter\\2',
            "cookie_secret": "c00kie" * 6,
            "dashboard_url": "https://finops.example.com",
        }
    )
    settings = Settings(paths=Paths(data=tmp_path), access=Access(oidc=oidc))
    write_login_secrets(settings)
    path = login_secrets(settings)
    assert path.stat().st_mode & 0o077 == 0
    assert tomllib.loads(path.read_text(encoding="utf-8"))["auth"] == {
        "redirect_uri": "https://finops.example.com/oauth2callback",
        "cookie_secret": "c00kie" * 6,
        "client_id": "dashboard",
        "client_secret": 'hun"ter\\2',
        "server_metadata_url": "https://login.example.com/.well-known/openid-configuration",
    }
    commands = [" ".join(server.command) for server in servers(settings, tmp_path)]
    assert any(f"--secrets.files {path}" in command for command in commands)
    assert not any("hun" in command or "c00kie" in command for command in commands)
