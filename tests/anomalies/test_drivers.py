"""anomaly_drivers.sql: contributions that add up to the impact exactly, and name the cause."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.marts.anomalies import ANOMALY_DRIVERS, COST_ANOMALIES
from finops_assets.marts.sql import load_sql
from finops_assets.marts.tables import daily_costs_table

DAILY = daily_costs_table(())
START = date(2025, 3, 3)
DIMENSIONS = {"ServiceProviderName", "SubAccountName", "ServiceName", "RegionId", "ChargeCategory"}


def row(day: date, cost: Decimal, **more: object) -> dict[str, object]:
    return {
        "x_Day": day,
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
    with tempfile.TemporaryDirectory() as folder:
        made = DuckDBEngine(Path(folder)).fetch(
            load_sql("anomaly_drivers"),
            {
                "anomalies": pa.Table.from_pylist(events, schema=COST_ANOMALIES.arrow_schema()),
                "daily_costs": pa.Table.from_pylist(rows, schema=DAILY.arrow_schema()),
            },
        )
    assert made.column_names == [c.name for c in ANOMALY_DRIVERS.columns]
    frame: pd.DataFrame = made.to_pandas()
    return frame.sort_values(["anomaly_id", "dimension", "rank"], ignore_index=True)


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
        ),
        max_size=60,
    ),
    expected=MONEY,
    length=st.integers(1, 12),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_contributions_sum_exactly_to_the_impact(
    costs: list[tuple[int, Decimal, str, str | None, str, str | None]], expected: Decimal, length: int
) -> None:
    rows = [
        row(START + timedelta(days=d), c, ServiceProviderName=p, SubAccountId=a, SubAccountName=None,
            ServiceName=s, RegionId=r)
        for d, c, p, a, s, r in costs
    ]  # fmt: skip
    first = START + timedelta(days=28)
    last = first + timedelta(days=length - 1)

    def cost(**only: str) -> Decimal:
        mine = [
            r for r in rows
            if all(r[k] == v for k, v in only.items()) and first <= r["x_Day"] <= last  # type: ignore[operator]
        ]  # fmt: skip
        return sum((Decimal(str(r["BilledCost"])) for r in mine), Decimal(0))

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
        for _, group in mine.groupby("dimension"):
            for column, whole in (("contribution", "impact"), ("expected", "expected"), ("actual", "actual")):
                assert sum(group[column], Decimal(0)) == one[whole]
            assert list(group["rank"]) == list(range(1, len(group) + 1))
            assert (~group["value"].isin(["(other)", "(unexplained)"])).sum() <= 10
            named = group[group["value"] != "(unexplained)"]
            assert all(e == e.quantize(Decimal("0.01")) for e in named["expected"])
            assert (group["contribution"] == group["actual"] - group["expected"]).all()
        if one["impact"] != 0:
            fixed = {"total": set(), "provider": {"ServiceProviderName"},
                     "account": {"ServiceProviderName", "SubAccountName"},
                     "service": {"ServiceProviderName", "ServiceName"}}  # fmt: skip
            assert set(mine["dimension"]) == DIMENSIONS - fixed[str(one["anomaly_id"])]


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
