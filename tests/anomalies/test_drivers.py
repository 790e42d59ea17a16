"""What events are made of: contributions that add up to the impact exactly, and name the cause."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_assets.defs.anomalies.drivers import drivers_of
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.marts.anomalies import ANOMALY_DRIVERS, COST_ANOMALIES
from finops_assets.marts.daily_costs import daily_costs_sql
from finops_assets.normalize.tables import costs_table

TAGS = ("team",)
COSTS = costs_table(TAGS)
START = date(2025, 3, 3)
FIXED = {
    "total": set(),
    "provider": {"ServiceProviderName"},
    "account": {"ServiceProviderName", "SubAccountName"},
    "service": {"ServiceProviderName", "ServiceName"},
}
COLUMNS = (
    "ServiceProviderName", "SubAccountName", "ServiceName", "RegionId", "ChargeCategory", "SkuMeter",
    "x_Tag_team", "ResourceId",
)  # fmt: skip


def row(day: date, cost: Decimal, **more: object) -> dict[str, Any]:
    return {
        "ChargePeriodStart": datetime(day.year, day.month, day.day, 5, tzinfo=UTC),
        "ServiceProviderName": "AWS",
        "SubAccountId": "111",
        "SubAccountName": "prod",
        "ServiceName": "EC2",
        "RegionId": "us-east-1",
        "ChargeCategory": "Usage",
        "BillingCurrency": "USD",
        "BilledCost": cost,
        "EffectiveCost": cost,
        **more,
    }


def event(
    level: str, first: date, last: date, expected: Decimal, actual: Decimal, **more: object
) -> dict[str, object]:
    return {
        "anomaly_id": level,
        "series_id": level,
        "level": level,
        "metric": "BilledCost",
        "BillingCurrency": "USD",
        "first_day": first,
        "last_day": last,
        "kind": "spike",
        "expected": expected,
        "actual": actual,
        "impact": actual - expected,
        "first_seen": datetime(2025, 4, 1, tzinfo=UTC),
        **more,
    }


def drivers(events: list[dict[str, object]], rows: list[dict[str, object]]) -> pd.DataFrame:
    costs = pa.Table.from_pylist(rows, schema=COSTS.arrow_schema())
    with tempfile.TemporaryDirectory() as folder:
        engine = DuckDBEngine(Path(folder))
        daily = engine.fetch(daily_costs_sql(TAGS), {"costs": costs})
        given = pa.Table.from_pylist(events, schema=COST_ANOMALIES.arrow_schema())
        made = drivers_of(engine, given, daily, costs, TAGS)
    assert made.column_names == [c.name for c in ANOMALY_DRIVERS.columns]
    frame: pd.DataFrame = made.to_pandas()
    return frame.sort_values(["anomaly_id", "dimension", "rank"], ignore_index=True)


EFFECTS = {"quantity", "mix", "list price", "discount", "commitment", "new", "vanished"}
MONEY = st.decimals(-1000, 1000, places=9)


@given(
    costs=st.lists(
        st.tuples(
            st.integers(0, 40),
            MONEY,
            st.sampled_from(["AWS", "Azure"]),
            st.sampled_from([None, "1", "2", "3"]),
            st.sampled_from(["a", "b", *(f"s{i}" for i in range(15))]),
            st.sampled_from([None, "us", "eu"]),
            st.sampled_from([None, "m1", "m2"]),
            st.sampled_from([None, "data", "web"]),
            st.sampled_from([None, *(f"i-{i}" for i in range(14))]),
            st.sampled_from([None, Decimal(0), Decimal(1), Decimal("7.5")]),
            st.sampled_from([None, Decimal("0.3"), Decimal(4)]),
            st.sampled_from([None, "Used", "Unused"]),
        ),
        max_size=60,
    ),
    expected=MONEY,
    length=st.integers(1, 12),
)
@settings(max_examples=40)
def test_contributions_sum_exactly_to_the_impact(
    costs: list[tuple[Any, ...]], expected: Decimal, length: int
) -> None:
    rows = [
        row(START + timedelta(days=d), c, ServiceProviderName=p, SubAccountId=a, SubAccountName=None,
            ServiceName=s, RegionId=r, SkuMeter=m, x_Tag_team=t, ResourceId=i, PricingQuantity=q,
            ListUnitPrice=u, ListCost=None if q is None or u is None else q * u, CommitmentDiscountStatus=k)
        for d, c, p, a, s, r, m, t, i, q, u, k in costs
    ]  # fmt: skip
    first = START + timedelta(days=28)
    last = first + timedelta(days=length - 1)

    def within(**only: str) -> list[dict[str, Any]]:
        return [
            r for r in rows
            if all(r[k] == v for k, v in only.items()) and first <= r["ChargePeriodStart"].date() <= last
        ]  # fmt: skip

    def cost(**only: str) -> Decimal:
        return sum((Decimal(str(r["BilledCost"])) for r in within(**only)), Decimal(0))

    aws = {"ServiceProviderName": "AWS"}
    events = [
        event("total", first, last, expected, cost()),
        event("provider", first, last, expected, cost(**aws), **aws),
        event("account", first, last, expected, cost(**aws, SubAccountId="1"), **aws, SubAccountId="1"),
        event("service", first, last, expected, cost(**aws, ServiceName="a"), **aws, ServiceName="a"),
    ]
    found = drivers(events, rows)
    for one in events:
        mine = found[found["anomaly_id"] == one["anomaly_id"]]
        for dimension, group in mine.groupby("dimension"):
            assert sum(group["contribution"], Decimal(0)) == one["impact"]
            assert list(group["rank"]) == list(range(1, len(group) + 1))
            named = group[~group["value"].isin(["(unexplained)", "(elsewhere)"])]
            if dimension == "effect":
                assert set(named["value"]) <= EFFECTS
                assert group["expected"].isna().all()
                assert group["actual"].isna().all()
                assert all(c == c.quantize(Decimal("0.01")) for c in named["contribution"])
                continue
            assert sum(group["expected"], Decimal(0)) == one["expected"]
            assert sum(group["actual"], Decimal(0)) == one["actual"]
            assert (named["value"] != "(other)").sum() <= (3 if dimension == "cause" else 10)
            assert all(e == e.quantize(Decimal("0.01")) for e in named["expected"])
            assert (group["contribution"] == group["actual"] - group["expected"]).all()
        # A dimension is there if the event's own days have a value of it, unless the series fixes it.
        level = str(one["anomaly_id"])
        fixed = {"total": {}, "provider": aws, "account": {**aws, "SubAccountId": "1"},
                 "service": {**aws, "ServiceName": "a"}}[level]  # fmt: skip
        own = [r for r in within(**fixed) if r["BilledCost"] != 0]
        given = {
            c for c in COLUMNS
            if any(r[c] is not None or (c == "SubAccountName" and r["SubAccountId"]) for r in own)
        }  # fmt: skip
        shown = set(mine["dimension"])
        assert not shown & FIXED[level]
        if len(own) == 1:
            assert shown >= given - FIXED[level]


def test_the_cause_comes_first_and_same_weekdays_are_the_measure() -> None:
    rows = []
    for i in range(29):
        day = START + timedelta(days=i)
        weekend = day.isoweekday() >= 6
        rows.append(row(day, Decimal(10 if weekend else 100), ServiceName="EC2"))
        rows.append(row(day, Decimal(50), ServiceName="S3", RegionId="eu-west-1"))
    rows[-1]["BilledCost"] = Decimal(450)  # S3 on the last day, a Monday
    last = START + timedelta(days=28)
    found = drivers([event("total", last, last, Decimal(151), Decimal(550))], rows)
    by_service = found[found["dimension"] == "ServiceName"]
    assert [
        tuple(r[c] for c in ("value", "expected", "actual", "contribution", "rank"))
        for r in by_service.to_dict("records")
    ] == [
        ("S3", Decimal(50), Decimal(450), Decimal(400), 1),
        ("EC2", Decimal(100), Decimal(100), Decimal(0), 2),
        ("(unexplained)", Decimal(1), Decimal(0), Decimal(-1), 3),
    ]
    assert found.query("dimension == 'RegionId' and rank == 1")["value"].item() == "eu-west-1"


def test_a_first_of_the_month_is_compared_with_the_firsts_before_it() -> None:
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(91)]
    rows = [row(d, Decimal(310 if d.day == 1 else 10), ServiceName="Support") for d in days]
    rows[-1] = row(date(2025, 4, 1), Decimal(910), ServiceName="Support")
    found = drivers([event("total", date(2025, 4, 1), date(2025, 4, 1), Decimal(310), Decimal(910))], rows)
    service = found[found["dimension"] == "ServiceName"]
    assert [(r["value"], r["contribution"]) for r in service.to_dict("records")] == [
        ("Support", Decimal(600))
    ]


def test_a_new_value_and_a_vanished_one_are_both_named() -> None:
    rows = [row(START + timedelta(days=i), Decimal(70), ServiceName="Old") for i in range(28)]
    last = START + timedelta(days=28)
    rows.append(row(last, Decimal(300), ServiceName="New"))
    found = drivers([event("total", last, last, Decimal(70), Decimal(300))], rows)
    service = found[found["dimension"] == "ServiceName"]
    assert [(r["value"], r["contribution"]) for r in service.to_dict("records")] == [
        ("New", Decimal(300)),
        ("Old", Decimal(-70)),
    ]
