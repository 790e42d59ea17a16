"""Signed webhooks against a real HTTP sink, checked by the reference implementation of the receiver."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from finops_assets.alert_settings import Alerts, Channel
from finops_assets.decisions.alerts import recorded
from finops_assets.notify.message import refresh_subject
from finops_assets.notify.tell import tell
from tests.notify.subjects import channel, subject
from tests.services.sinks import Sink, http_sink

SECRET = "whsec_" + base64.b64encode(b"a secret of both sides alone").decode()


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with http_sink() as running:
        yield running


def hook(sink: Sink, **given: object) -> Channel:
    return channel(url=f"http://127.0.0.1:{sink.port}/token-4711", secret_env="HOOK_SECRET", **given)


def test_what_is_told_is_signed_and_exact(sink: Sink, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    budget = subject(
        subject_kind="budget",
        subject_id="b1",
        state="crossed",
        level=None,
        metric=None,
        impact=Decimal("0.10"),
        until=now.date(),
    )
    settings = Alerts(channels={"hook": hook(sink)})
    tell(tmp_path / "decisions.db", settings, [subject(until=now.date()), budget], now)
    bodies = [Webhook(SECRET).verify(body, headers) for headers, body in sink.requests]
    ((one,), (two,)) = (b["data"] for b in bodies)
    assert (one["type"], one["subject"], one["impact"], one["currency"]) == (
        "anomaly.raised",
        "a1",
        "1500.00",
        "USD",
    )
    assert (two["type"], two["impact"]) == ("budget.crossed", "0.10")
    headers, body = sink.requests[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"1500", b"1501"), headers)


def test_a_repeated_attempt_is_the_same_message(sink: Sink, tmp_path: Path) -> None:
    store, now = tmp_path / "decisions.db", datetime.now(UTC)
    settings = Alerts(channels={"hook": hook(sink)})
    sink.status = 503
    tell(store, settings, [subject(until=now.date())], now)
    (failed,) = recorded(store)
    assert (failed.status, failed.error) == ("failed", "the webhook answered 503")
    sink.status = 200
    tell(store, settings, [], now + timedelta(minutes=15))
    assert recorded(store)[0].status == "delivered"
    (first, _), (second, _) = sink.requests
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


def test_a_refresh_is_told_to_those_who_ask_for_it(sink: Sink, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    settings = Alerts(channels={"hook": hook(sink, refreshes=True), "other": hook(sink)})
    done = refresh_subject(12, now, "https://finops.example.com")
    for _ in range(2):
        tell(tmp_path / "decisions.db", settings, [done], now)
    (body,) = sink.bodies
    assert body["data"][0]["type"] == "refresh.published"
    assert body["data"][0]["subject"] == "12"


@pytest.mark.parametrize(
    ("secret", "says"), [("", "HOOK_SECRET is not set"), ("whsec_no base64!", "expected a secret in base64")]
)
def test_a_secret_that_cannot_be_used_is_said(
    sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, says: str
) -> None:
    monkeypatch.setenv("HOOK_SECRET", secret)
    store, now = tmp_path / "decisions.db", datetime.now(UTC)
    tell(store, Alerts(channels={"hook": hook(sink)}), [subject(until=now.date())], now)
    error = recorded(store)[0].error
    assert says in error
    assert "4711" not in error
    assert sink.requests == []


def test_nobody_there_is_said_without_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Port 9 is the discard service's: nothing listens there."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    store, now = tmp_path / "decisions.db", datetime.now(UTC)
    given = channel(url="http://127.0.0.1:9/token-4711", secret_env="HOOK_SECRET")
    tell(store, Alerts(channels={"hook": given}), [subject(until=now.date())], now)
    assert recorded(store)[0].error == "the webhook does not answer (ConnectError)"
