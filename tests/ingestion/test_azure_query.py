"""The Query API's replayed answers, from the command line to the published costs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from tests.ingestion.connected import Connected
from tests.services.replay import running_replay

GIVEN = {
    "SubscriptionId": "7",
    "ServiceName": "Virtual Machines",
    "ResourceLocation": "US West 2",
    "ChargeType": "usage",
}


def test_the_open_month_is_asked_once_a_day_and_adds_up(tmp_path: Path) -> None:
    with running_replay(GIVEN) as replay:
        platform = Connected(tmp_path)
        platform.configure(
            f'[sources.azure-small]\nkind = "azure_query"\nscope = "/subscriptions/7"\n'
            f'endpoint = "{replay.url}"\nhistory_months = 1\nopen_months = 1\n'
        )
        platform.ingest()
        today = datetime.now(UTC).date()
        recorded = sum((Decimal(repr(row[0])) for row in replay.rows), Decimal())
        assert platform.billed() == {f"{today:%Y-%m}": recorded * today.day}
        amortized = platform.query("SELECT sum(EffectiveCost) FROM costs")
        assert amortized == [(recorded * today.day,)]
        calls = len(replay.requests)
        platform.ingest()
        assert len(replay.requests) == calls, "nobody is asked twice on one day"
