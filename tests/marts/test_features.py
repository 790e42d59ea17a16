"""cost_features.sql against the same table made by pandas from the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.marts.arrivals import DELIVERED_DAYS
from finops_assets.marts.series import COST_FEATURES, cost_features_sql
from finops_assets.marts.tables import daily_costs_table
from finops_assets.series import LEVELS

TAGS = ("team",)
DAILY = daily_costs_table(TAGS)
START = date(2025, 1, 1)


def row(day: date, cost: str, **more: object) -> dict[str, object]:
    return {
        "x_Day": day,
        "ServiceProviderName": "AWS",
        "BillingAccountId": "payer",
        "SubAccountId": "111",
        "SubAccountName": "prod",
        "ServiceName": "EC2",
        "ChargeCategory": "Usage",
        "BillingCurrency": "USD",
        "BilledCost": Decimal(cost),
        "EffectiveCost": Decimal(cost) / 2,
        "x_Source": "aws-main",
        **more,
    }


def daily(rows: Sequence[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=DAILY.arrow_schema())


def features(
    tmp_path: Path, rows: Sequence[dict[str, object]], delivered: Sequence[dict[str, object]] = ()
) -> pd.DataFrame:
    engine = DuckDBEngine(tmp_path)
    days = pa.Table.from_pylist(list(delivered), schema=DELIVERED_DAYS.arrow_schema())
    made = engine.fetch(cost_features_sql(TAGS), {"daily_costs": daily(rows), "delivered_days": days})
    assert {c.name for c in COST_FEATURES.columns} == set(made.column_names)
    frame: pd.DataFrame = made.to_pandas()
    frame["day"] = pd.to_datetime(frame["day"])
    return frame.sort_values(["series_id", "day"], ignore_index=True)


@pytest.fixture
def rows() -> list[dict[str, object]]:
    rng = np.random.default_rng(5)
    found = []
    for offset in range(70):
        day = START + timedelta(days=offset)
        for place, (account, service) in enumerate((("111", "EC2"), ("111", "S3"), ("222", "EC2"))):
            if rng.random() < 0.8:
                cost = f"{rng.normal(10, 5):.6f}"
                named = {"SubAccountId": account, "SubAccountName": f"a{account}", "ServiceName": service}
                team = "data" if service == "S3" else None
                found.append(row(day, cost, **named, RegionId=f"region-{place}", x_Tag_team=team))
    return found


def test_every_column_equals_what_pandas_computes(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    found = features(tmp_path, rows)
    source = pd.DataFrame(rows)
    source["day"] = pd.to_datetime(source["x_Day"])
    source["leaf"] = source["BillingAccountId"] + "/" + source["SubAccountId"]
    # What stands third and fourth in a series' name.
    levels: dict[str, list[str]] = {
        "total": ["", "", ""],
        "provider": ["ServiceProviderName", "", ""],
        "billing_account": ["ServiceProviderName", "BillingAccountId", ""],
        "account": ["ServiceProviderName", "SubAccountId", ""],
        "service": ["ServiceProviderName", "", "ServiceName"],
        "region": ["ServiceProviderName", "RegionId", ""],
        "account_service": ["ServiceProviderName", "leaf", "ServiceName"],
    }
    checked = 0
    for level, places in levels.items():
        keys = [k for k in places if k]
        groups = source.groupby(keys) if keys else [((), source)]
        for key, group in groups:
            names = {k: str(v) for k, v in zip(keys, key, strict=True)}
            for metric in ("BilledCost", "EffectiveCost"):
                series_id = "|".join([level, *(names.get(k, "") for k in places), metric, "USD"])
                by_day = group.groupby("day")[metric].sum()
                calendar = pd.date_range(by_day.index.min(), source["day"].max())
                cost = by_day.reindex(calendar).map(lambda v: Decimal(0) if v != v else v)  # noqa: PLR0124
                mine = found[found["series_id"] == series_id].set_index("day")
                assert list(mine.index) == list(calendar)
                assert list(mine["cost"]) == list(cost)
                assert list(mine["is_complete"]) == [True] * (len(calendar) - 1) + [False]
                checked += 1
    assert checked == found["series_id"].nunique() - 2 * 2 == 2 * (1 + 1 + 1 + 2 + 2 + 3 + 3)


def test_costs_of_each_level_add_up_exactly(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    found = features(tmp_path, rows)
    billed = found[found["metric"] == "BilledCost"].groupby("level")["cost"].sum()
    assert set(billed.index) == set(LEVELS)
    assert set(billed) == {
        sum((r["BilledCost"] for r in rows if isinstance(r["BilledCost"], Decimal)), Decimal(0))
    }


def test_tag_values_and_their_absence_are_series_over_all_providers(
    tmp_path: Path, rows: list[dict[str, object]]
) -> None:
    found = features(tmp_path, [*rows, row(START, "4", ServiceProviderName="Azure", x_Tag_team="data")])
    tagged = found[(found["level"] == "tag") & (found["metric"] == "BilledCost")]
    assert set(tagged["series_id"]) == {"tag||team|data|BilledCost|USD", "tag||team||BilledCost|USD"}
    data = sum((Decimal(str(r["BilledCost"])) for r in rows if r["x_Tag_team"]), Decimal(4))
    assert tagged.loc[tagged["tag_value"] == "data", "cost"].sum() == data


def test_corrections_are_told_apart(tmp_path: Path) -> None:
    rows = [row(START, "10"), row(START, "-3", ChargeClass="Correction")]
    found = features(tmp_path, rows).query("metric == 'BilledCost'")
    assert set(found["cost"]) == {Decimal(7)}
    assert set(found["correction"]) == {Decimal(-3)}


def test_a_service_switched_off_ends_in_zeros_and_a_late_bill_does_not(tmp_path: Path) -> None:
    azure = {"ServiceProviderName": "Azure", "x_Source": "azure", "ServiceName": "VM"}
    rows = [row(START + timedelta(days=i), "1") for i in range(20)]
    rows += [row(START + timedelta(days=i), "1", ServiceName="Old") for i in range(5)]
    rows += [row(START + timedelta(days=i), "1", **azure) for i in range(17)]
    found = features(tmp_path, rows)
    ends = found.groupby("series_id")["day"].max()
    assert ends["service|AWS||Old|BilledCost|USD"] == pd.Timestamp(START + timedelta(days=19))
    assert ends["service|Azure||VM|BilledCost|USD"] == pd.Timestamp(START + timedelta(days=16))
    old = found[found["series_id"] == "service|AWS||Old|BilledCost|USD"]
    assert [str(c) for c in old["cost"].iloc[4:7].map(lambda c: c.normalize())] == ["1", "0", "0"]
    total = found[found["series_id"] == "total||||BilledCost|USD"].set_index("day")
    # Azure's newest day is its 17th: from there on the total is partial.
    assert list(total["is_complete"]) == [True] * 16 + [False] * 4


def test_a_source_that_ended_long_ago_does_not_hold_the_total_back(tmp_path: Path) -> None:
    rows = [row(START + timedelta(days=i), "1") for i in range(60)]
    rows += [row(START + timedelta(days=i), "1", x_Source="old-payer") for i in range(10)]
    found = features(tmp_path, rows)
    total = found[found["series_id"] == "total||||BilledCost|USD"]
    assert list(total["is_complete"]) == [True] * 59 + [False]


def test_a_fee_dated_ahead_does_not_pretend_that_the_bill_has_come(tmp_path: Path) -> None:
    rows = [row(START + timedelta(days=i), "1") for i in range(10)]
    rows.append(row(START + timedelta(days=30), "99", ChargeCategory="Purchase"))
    assert features(tmp_path, rows)["day"].max() == pd.Timestamp(START + timedelta(days=9))


def test_a_source_whose_days_go_on_growing_arrives_later(tmp_path: Path) -> None:
    """Ten daily deliveries: a day is half there on its own, four fifths the day after, then whole."""
    rows = [row(START + timedelta(days=i), "10") for i in range(20)]
    share = {0: Decimal("0.5"), 1: Decimal("0.8")}
    delivered = [
        {
            "bill_ids": f'["b{newest:02}"]',
            "exported_at": datetime.combine(START, time(), UTC) + timedelta(days=newest + 1),
            "ingested_at": datetime.combine(START, time(), UTC) + timedelta(days=newest + 1),
            "x_Day": START + timedelta(days=day),
            "BillingCurrency": "USD",
            "EffectiveCost": 10 * share.get(newest - day, Decimal(1)),
            "x_Source": "aws-main",
            "x_BillingMonth": "2025-01",
        }
        for newest in range(10, 20)
        for day in range(newest + 1)
    ]
    complete = features(tmp_path, rows, delivered).query("series_id == 'total||||BilledCost|USD'")[
        "is_complete"
    ]
    assert list(complete) == [True] * 18 + [False] * 2
    # Too few deliveries to tell: the newest day only.
    complete = features(tmp_path, rows, delivered[-20:]).query("series_id == 'total||||BilledCost|USD'")[
        "is_complete"
    ]
    assert list(complete) == [True] * 19 + [False]


def test_currencies_are_never_added(tmp_path: Path) -> None:
    rows = [row(START, "1"), row(START, "2", BillingCurrency="EUR")]
    totals = features(tmp_path, rows).query("level == 'total' and metric == 'BilledCost'")
    assert dict(zip(totals["BillingCurrency"], totals["cost"], strict=True)) == {
        "USD": Decimal(1),
        "EUR": Decimal(2),
    }


def test_a_charge_without_an_account_is_in_the_provider_only(tmp_path: Path) -> None:
    rows = [row(START, "1"), row(START, "5", SubAccountId=None, SubAccountName=None, ChargeCategory="Tax")]
    found = features(tmp_path, rows).query("metric == 'BilledCost'").set_index("level")["cost"]
    assert found["provider"] == Decimal(6)
    assert found["account"] == Decimal(1)


def test_no_bill_gives_no_series(tmp_path: Path) -> None:
    assert features(tmp_path, []).empty
