"""Messages against a real mail server and a real HTTP sink: told once, in time, retried, without secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assets.alert_settings import Alerts
from finops_assets.decisions.alerts import Alert, alerts_table, recorded
from finops_assets.notify.choose import Subject
from finops_assets.notify.deliver import without_secrets
from finops_assets.notify.tell import tell
from tests.notify.subjects import NOW, channel, subject
from tests.services.sinks import MailServer, Sink, http_sink, mail_server, text_of

SECRET = "hunter2-token"


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[MailServer, Sink]]:
    with mail_server() as mail, http_sink() as sink:
        yield mail, sink


@pytest.fixture
def mail(servers: tuple[MailServer, Sink]) -> MailServer:
    servers[0].mails.clear()
    servers[0].refuses = ""
    return servers[0]


@pytest.fixture
def sink(servers: tuple[MailServer, Sink]) -> Sink:
    servers[1].bodies.clear()
    servers[1].status = 200
    return servers[1]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "decisions.db"


def mailto(server: MailServer) -> str:
    return f"mailto://127.0.0.1:{server.port}/?from=finops@example.com&to=team@example.com"


def statuses(store: Path) -> list[tuple[str, str, int]]:
    return [(a.subject_id, a.status, a.attempts) for a in recorded(store)]


def test_an_immediate_alert_goes_to_every_channel_once(mail: MailServer, sink: Sink, store: Path) -> None:
    settings = Alerts(
        channels={
            "finance": channel(url=mailto(mail)),
            "hook": channel(url=f"json://127.0.0.1:{sink.port}/alerts", min_impact="1000"),
        }
    )
    small = subject(subject_id="a2", impact=Decimal(900), title="small", text="900 more")
    for hour in range(3):
        tell(store, settings, [subject(), small], NOW + timedelta(hours=hour))
    assert [(m["subject"], m["to"]) for m in mail.mails] == [
        (subject().title, "team@example.com"),
        ("small", "team@example.com"),
    ]
    assert "Expected: 100.00 USD" in text_of(mail.mails[0])
    assert [(b["title"], b["message"]) for b in sink.bodies] == [(subject().title, "Expected: 100.00 USD")]
    assert all(a.status == "delivered" and a.delivered_at == NOW for a in recorded(store))
    # It grows to twice what was told.
    tell(store, settings, [subject(impact=Decimal(3000), title="worse"), small], NOW + timedelta(hours=4))
    assert [b["title"] for b in sink.bodies] == [subject().title, "worse"]


def test_a_digest_is_one_mail_at_its_hour(mail: MailServer, store: Path) -> None:
    settings = Alerts(channels={"team": channel(url=mailto(mail), mode="digest")}, digest_hour=7)
    budget = subject(
        subject_kind="budget", subject_id="b1", level=None, metric=None, title="Budget", text="crossed",
        severity="medium",
    )  # fmt: skip
    tell(store, settings, [subject(), subject(subject_id="a2", title="second"), budget], NOW)
    tell(store, settings, [subject(), budget], NOW + timedelta(minutes=49))
    assert mail.mails == []
    assert {a.status for a in recorded(store)} == {"waiting"}
    tell(store, settings, [], NOW + timedelta(minutes=50))
    tell(store, settings, [subject()], NOW + timedelta(days=1))
    (found,) = mail.mails
    assert found["subject"] == "Cloud costs: 2 anomalies and 1 budget"
    text = text_of(found)
    assert [text.index(f"{n}. {title}") for n, title in ((1, subject().title), (2, "second"), (3, "Budget"))]
    assert {a.status for a in recorded(store)} == {"delivered"}


def test_a_server_that_refuses_is_tried_again_and_delivers_later(mail: MailServer, store: Path) -> None:
    settings = Alerts(channels={"finance": channel(url=mailto(mail))})
    mail.refuses = "451 try again later"
    (tried,) = tell(store, settings, [subject()], NOW)
    assert (tried.status, tried.attempts, tried.delivered_at) == ("failed", 1, None)
    assert tried.error
    mail.refuses = ""
    tell(store, settings, [subject()], NOW + timedelta(minutes=14))
    assert mail.mails == []
    (tried,) = tell(store, settings, [subject()], NOW + timedelta(minutes=15))
    assert (tried.status, tried.attempts, tried.error) == ("delivered", 2, "")
    assert tried.created_at == NOW
    assert [m["subject"] for m in mail.mails] == [subject().title]


def test_it_is_given_up_after_so_many_failures(sink: Sink, store: Path) -> None:
    settings = Alerts(channels={"hook": channel(url=f"json://127.0.0.1:{sink.port}/alerts")}, max_attempts=3)
    sink.status = 503
    found: list[list[tuple[str, str, int]]] = []
    for hours in range(0, 8, 2):
        tell(store, settings, [subject()], NOW + timedelta(hours=hours))
        found.append(statuses(store))
    assert found == [
        [("a1", "failed", 1)],
        [("a1", "failed", 2)],
        [("a1", "given_up", 3)],
        [("a1", "given_up", 3)],
    ]
    assert "503" in recorded(store)[0].error


def test_a_channel_that_fails_stops_no_other(mail: MailServer, sink: Sink, store: Path) -> None:
    sink.status = 500
    channels = {
        "broken": channel(url=f"json://127.0.0.1:{sink.port}/"),
        "nowhere": channel(url="nothing://else"),
        "unset": channel(url_env="FINOPS_TEST_NOT_SET"),
        "finance": channel(url=mailto(mail)),
    }
    tell(store, Alerts(channels=channels), [subject()], NOW)
    found = {a.channel: a for a in recorded(store)}
    assert {name: a.status for name, a in found.items()} == {
        "broken": "failed", "nowhere": "failed", "unset": "failed", "finance": "delivered",
    }  # fmt: skip
    assert "an address that apprise knows" in found["nowhere"].error
    assert found["unset"].error == "the environment variable FINOPS_TEST_NOT_SET is not set"


def test_an_alert_of_a_channel_that_is_gone_is_given_up(sink: Sink, store: Path) -> None:
    sink.status = 500
    tell(store, Alerts(channels={"hook": channel(url=f"json://127.0.0.1:{sink.port}/")}), [subject()], NOW)
    other = Alerts(channels={"other": channel(url=f"json://127.0.0.1:{sink.port}/", min_severity="critical")})
    tell(store, other, [subject()], NOW + timedelta(hours=1))
    (gone,) = recorded(store)
    assert (gone.status, gone.error) == ("given_up", "the channel is no longer configured")


@pytest.mark.parametrize("port_is_open", [True, False])
def test_no_secret_is_recorded_or_logged(
    port_is_open: bool,
    sink: Sink,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sink.status = 403
    port = sink.port if port_is_open else 9  # the discard service's: nothing listens there
    address = f"json://kim:pass%40word@127.0.0.1:{port}/{SECRET}?+X-Key={SECRET}"
    monkeypatch.setenv("FINANCE_HOOK", address)
    settings = Alerts(channels={"env": channel(url_env="FINANCE_HOOK"), "plain": channel(url=address)})
    with caplog.at_level(logging.DEBUG):
        tell(store, settings, [subject()], NOW)
    assert [a.status for a in recorded(store)] == ["failed", "failed"]
    assert all(a.error for a in recorded(store))
    outputs = capfd.readouterr()
    everything = "".join(
        (
            store.read_bytes().decode("latin-1"),
            str(alerts_table(recorded(store)).to_pylist()),
            caplog.text,
            outputs.out,
            outputs.err,
            repr(settings),
            str(settings.model_dump()),
        )
    )
    for secret in (SECRET, "pass@word", "pass%40word"):
        assert secret not in everything


def test_no_piece_of_an_address_stays_in_a_text() -> None:
    address = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts"
    text = f"could not connect to T1JJ3T3L2 by {address}: /tIIAJKDNLAZKCOXRIDEVI7FQ is refused"
    assert without_secrets(text, address) == "could not connect to *** by slack://***: /*** is refused"
    assert without_secrets("user ab, cab: abc", "json://ab:pw@x/") == "user ***, cab: abc"


def test_the_record_reads_back_as_it_was_written(sink: Sink, store: Path) -> None:
    given: Subject = subject(impact=Decimal("-0.000000000000000001"))
    settings = Alerts(channels={"hook": channel(url=f"json://127.0.0.1:{sink.port}/")})
    made: list[Alert] = tell(store, settings, [given], NOW)
    assert recorded(store) == made
    (row,) = alerts_table(made).to_pylist()
    assert row["impact"] == given.impact
    assert row["BillingCurrency"] == "USD"
    assert isinstance(row["delivered_at"], datetime)
    assert "text" not in row
