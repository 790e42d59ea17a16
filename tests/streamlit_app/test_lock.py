"""The pages behind the lock: who is not let in sees nothing, who sees a part finds no trace of the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from finops_assets.access.audit import entries
from finops_assets.decisions.budgets import set_budget
from finops_assets.decisions.views import View, save_view
from finops_assets.settings import Settings
from tests.streamlit_app.conftest import APP, Built, open_as
from tests.tenants import TENANTS, finder, sums, words
from tests.warehouse_builder import BUDGETS, lake_table, settings_of

PAGES = sorted(path.stem for path in (APP.parent / "app_pages").glob("[a-z]*.py"))
DAYS = {"from": "2026-01-01", "to": "2026-03-31"}


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


def test_viewers_open_the_views_that_others_saved(locked: Path) -> None:
    said_at = datetime(2026, 3, 1, tzinfo=UTC)
    save_view(locked / "decisions.db", View("By team", "explorer", {}), author="kim", said_at=said_at)
    seen = {}
    for group in ("viewer everything", "analyst everything", "analyst source"):
        app = open_as("bills", group)
        links = [link.proto.label for link in app.get("page_link")]
        buttons = {b.label for b in app.button} & {"Remove", "Save what is shown"}
        seen[group] = ("By team" in links, buttons)
    assert seen == {
        "viewer everything": (True, set()),
        "analyst everything": (True, {"Remove", "Save what is shown"}),
        "analyst source": (False, set()),
    }


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


def done(folder: Path) -> list[tuple[str, str, str]]:
    """What the audit log says was done, without the pages that were opened: action, place, parameters."""
    kept = [e.entry for e in entries(folder / "access.db") if e.entry.action != "open"]
    assert {(e.principal, e.face) for e in kept} <= {("ann@example.com", "dashboard")}
    return [(e.action, e.place, e.parameters) for e in reversed(kept)]


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click().run()
    assert not app.exception, app.exception[0].message
    return app


def test_what_is_done_on_the_pages_is_in_the_audit_log(locked: Path) -> None:
    app = open_as("budgets", "analyst everything")
    fields = {f.label: f for f in app.text_input}
    fields["Name"].set_value("Data platform")
    fields["Amount"].set_value("12000.50")
    press(app, "Set")
    (budget,) = done(locked)
    assert budget[:2] == ("set", "budgets/Data platform")
    assert json.loads(budget[2])["amount"] == "12000.50"

    app = open_as("forecast", "analyst everything")
    next(f for f in app.text_input if f.label.endswith(" a day")).set_value("120.40")
    press(press(app, "Mark"), "Withdraw")
    marked, withdrawn = done(locked)[1:]
    assert (marked[0], withdrawn[0]) == ("mark", "withdraw")
    assert marked[1] == withdrawn[1]
    assert json.loads(marked[2])["amount"] == "120.40"

    app = open_as("anomalies", "analyst source", address={"event": "spike"})
    app.segmented_control(key="verdict_spike").set_value("real")
    app.text_input(key="note_spike").set_value("A load test")
    press(app, "Save")
    assert done(locked)[3:] == [("judge", "anomalies/spike", "real A load test")]

    app = open_as("explorer", "analyst everything")
    next(t for t in app.text_input if t.label == "Name of the view").set_value("Mine")
    press(press(app, "Save what is shown"), "Remove")
    assert done(locked)[4:] == [("save", "views/Mine", "explorer"), ("remove", "views/Mine", "")]


def test_a_budget_that_is_removed_is_in_the_audit_log(
    locked: Path, use: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINOPS_BUDGETS", "[]")  # what finops.toml sets no page removes
    use(locked)
    set_budget(
        locked / "decisions.db", BUDGETS[2].budget, (), author="", said_at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    app = open_as("budgets", "analyst everything", address={"budget": "Fabric"})
    app.button(key="remove_Fabric").click().run()
    assert done(locked) == [("remove", "budgets/Fabric", "")]


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


def test_an_open_dashboard_answers_to_its_own_names_only(
    built: Built, use: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from streamlit import config
    from streamlit.runtime import context
    from streamlit.web.cli import main_run
    from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

    from finops_assets.access_settings import Access
    from finops_assets.running.serve import servers

    (command,) = [s.command for s in servers(Settings(), built.folder) if s.name == "Dashboard"]
    flags = main_run.make_context("run", [*command[4:]]).params
    allowed = list(flags["server_allowedHosts"])
    before = config.get_option("server.allowedHosts")
    config.set_option("server.allowedHosts", allowed)
    try:
        assert all(is_host_allowed(own) for own in ("localhost:8501", "127.0.0.1:8501", "[::1]:8501"))
        assert not is_host_allowed("finops.evil.example:8501")
    finally:
        config.set_option("server.allowedHosts", before)
    locked = Settings(access=Access(api_keys=True))
    assert not any("--server.allowedHosts" in s.command for s in servers(locked, built.folder))

    use(built.folder)
    for headers, is_open in (
        ({"Host": "localhost:8501"}, True),
        ({"Host": "finops.evil.example:8501"}, False),
        ({"Host": "localhost:8501", "X-Forwarded-For": "192.0.2.7"}, False),
    ):
        sent = context.StreamlitHeaders(list(headers.items()))
        monkeypatch.setattr(context.ContextProxy, "headers", sent)
        app = AppTest.from_file(str(APP), default_timeout=60).run()
        assert not app.exception
        assert [e.value for e in app.error if "has no lock" in e.value] == [] if is_open else app.error


def test_only_admins_are_told_the_text_of_a_failure(locked: Path, tmp_path: Path) -> None:
    (tmp_path / "warehouse").unlink()
    (tmp_path / "warehouse").write_text("no folder", encoding="utf-8")
    said = {who: [c.value for c in open_as("overview", who).code] for who in ("viewer source", "admin")}
    assert str(tmp_path) in said["admin"][0]
    assert str(tmp_path) not in said["viewer source"][0]
    assert said["viewer source"][0].endswith("The dashboard's log has the details.")
