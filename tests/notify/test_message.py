"""What a message says of an event, and that its links open the figures that it names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from finops_assets.decisions.feedback import record
from finops_assets.defs.notify.subjects import anomaly_subjects
from finops_assets.notify.message import anomaly_subject
from finops_assets.queries.access import open_warehouse
from finops_assets.settings import Paths, Settings
from tests.streamlit_app.conftest import Built, built, metric, run_page, use
from tests.warehouse_builder import settings_of

__all__ = ["built", "use"]

EVENT: dict[str, Any] = {
    "anomaly_id": "a 1",
    "story_id": "a 1",
    "reason": "500.00 EUR, where 2,000.00 EUR was expected.",
    "BillingAccountId": None,
    "RegionId": None,
    "tag_key": None,
    "tag_value": None,
    "level": "account",
    "ServiceProviderName": "AWS",
    "SubAccountId": "111",
    "SubAccountName": None,
    "ServiceName": None,
    "metric": "BilledCost",
    "BillingCurrency": "EUR",
    "first_day": date(2026, 1, 31),
    "last_day": date(2026, 1, 31),
    "kind": "level_shift",
    "expected": Decimal("2000.004"),
    "actual": Decimal("500"),
    "impact": Decimal("-1500.004"),
    "severity": "high",
    "status": "open",
}
CAUSES: list[dict[str, Any]] = [
    {"dimension": "ServiceName", "value": value, "contribution": Decimal(amount)}
    for value, amount in (
        ("EC2", "-100"),
        ("S3", "-1300.5"),
        ("RDS", "50"),
        ("Tax", "1"),
        ("(unexplained)", "-9999"),
    )
]


def test_a_message_says_what_it_cost_why_and_where_to_look() -> None:
    told = anomaly_subject(EVENT, CAUSES, [("SubAccountId", "1:1")], "https://finops.example.com/")
    assert told.title == "[high] AWS, 111: -1,500.00 EUR, 2026-01-31"
    assert told.text.splitlines() == [
        "Level shift of billed cost, 2026-01-31, open",
        "500.00 EUR, where 2,000.00 EUR was expected.",
        "Expected: 2,000.00 EUR",
        "Actual:   500.00 EUR",
        "Impact:   -1,500.00 EUR (-75%)",
        "By ServiceName: S3 -1,300.50 EUR; EC2 -100.00 EUR; RDS +50.00 EUR",
        "Page: https://finops.example.com/anomalies?event=a%201&metric=Billed%20cost&currency=EUR",
        "Bill rows: https://finops.example.com/rows?from=2026-01-31&to=2026-02-01&metric=Billed%20cost"
        "&currency=EUR&where=0%3ASubAccountId%3A1%3A1",
    ]
    assert told.share is not None
    assert round(told.share, 4) == Decimal("-0.75")


def test_what_nobody_expected_has_no_share() -> None:
    told = anomaly_subject({**EVENT, "expected": Decimal(0)}, [], [], "http://127.0.0.1:8501")
    assert told.share is None
    assert "%)" not in told.text


@pytest.fixture
def settings(built: Built, tmp_path: Path) -> Settings:
    """The built warehouse beside a store of this test's own."""
    (tmp_path / "warehouse").symlink_to(built.folder / "warehouse")
    return settings_of(built.folder).model_copy(update={"paths": Paths(data=tmp_path)})


def test_links_open_the_event_and_rows_that_add_up_to_it(
    settings: Settings, built: Built, use: Callable[[Path], None]
) -> None:
    told = {s.subject_id: s for s in anomaly_subjects(open_warehouse(settings), settings)}
    assert set(told) == {"spike", "spike-aws", "level-shift", "drop"}
    # The same money at its provider's level stays a part of the service's story.
    assert [told[i].is_main for i in ("spike", "spike-aws")] == [True, False]
    links = [line.split(": ", 1)[1] for line in told["spike"].text.splitlines() if "http" in line]
    use(built.folder)
    pages = []
    for link in links:
        parts = urlsplit(link)
        assert parts.path in {"/anomalies", "/rows"}
        asked = {k if k != "from" else "from_": v for k, v in parse_qs(parts.query).items()}
        pages.append(run_page(parts.path.strip("/"), **asked))
    anomalies, rows = pages
    assert metric(anomalies, "Impact") == "+$1,500.00"
    ec2 = {"ServiceProviderName": "AWS", "ServiceName": "Amazon Elastic Compute Cloud"}
    actual = built.total(date(2026, 2, 10), date(2026, 2, 12), **ec2)
    assert f"Actual:   {actual:,.2f} USD" in told["spike"].text
    assert f"${actual:,.2f}" in [m.value for m in rows.metric]


def test_what_people_settled_is_not_told(settings: Settings) -> None:
    event = {
        "anomaly_id": "spike",
        "series_id": "s",
        **{k: EVENT[k] for k in ("kind", "first_day", "last_day", "impact")},
    }
    for hour, (verdict, is_told) in enumerate(
        (("expected", False), ("real", True), ("planned", False), ("resolved", False))
    ):
        said_at = datetime(2026, 3, 20, hour, tzinfo=UTC)
        record(settings.paths.decisions, event, verdict, said_at=said_at)  # type: ignore[arg-type]
        told = {s.subject_id for s in anomaly_subjects(open_warehouse(settings), settings)}
        assert ("spike" in told) is is_told
        assert "drop" in told
