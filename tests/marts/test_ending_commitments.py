"""What costs change by when a commitment ends, held against figures that are worked out here by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.forecasting.planned import read_commitments
from finops_assets.marts.datasets import CONTRACT_COMMITMENTS
from finops_assets.marts.plans import ENDING_COMMITMENTS
from finops_assets.marts.series import COST_FEATURES
from finops_assets.marts.sql import load_sql
from finops_assets.normalize.tables import costs_table
from finops_assets.schema import Table

UNTIL = date(2026, 6, 29)
EC2 = {"ServiceProviderName": "AWS", "BillingAccountId": "1", "SubAccountId": "111", "ServiceName": "EC2"}
RDS = {**EC2, "SubAccountId": None, "ServiceName": "RDS"}

COMMITMENTS = [
    ("ri-1", "Reserved Instance", "2025-07-03T00:00Z", "2026-07-03T00:00Z"),
    ("sp-1", "Savings Plan", "2025-07-10T00:00Z", "2026-07-10T12:00Z"),
    ("sp-2", "Savings Plan", "2026-07-10T12:00Z", "2027-07-10T12:00Z"),
    ("past", "Savings Plan", "2025-06-01T00:00Z", "2026-06-15T00:00Z"),
    ("endless", "Reserved Instance", "2025-06-01T00:00Z", None),
]
"""Their names, types, beginnings and ends; the second is renewed on time."""


def charge(day: date, commitment: str, leaf: dict[str, Any], status: str | None = None, **given: Any) -> Any:
    costs = {k: Decimal(v) for k, v in given.items() if k.endswith("Cost")}
    is_fee = status is None
    return {
        **leaf,
        "ChargePeriodStart": datetime(day.year, day.month, day.day, tzinfo=UTC),
        "CommitmentDiscountId": commitment,
        "CommitmentDiscountStatus": status,
        "ChargeCategory": "Purchase" if is_fee else "Usage",
        "ChargeFrequency": given.get("frequency", "Recurring" if is_fee else "Usage-Based"),
        "BillingCurrency": "USD",
        "x_BillingMonth": f"{day:%Y-%m}",
        **costs,
    }


def charges() -> list[Any]:
    rows = []
    for back in range(60):
        day = UNTIL + timedelta(days=1 - back)
        # Of two days and of the partial one other figures, which must not count.
        odd = 1000 if back == 0 or back > 30 else 0
        rows += [
            charge(
                day, "ri-1", EC2, "Used", ContractedCost=10 + odd, ListCost=12, EffectiveCost=6, BilledCost=0
            ),
            charge(day, "ri-1", EC2, "Unused", ContractedCost=9, EffectiveCost=1, BilledCost=0),
            charge(day, "sp-1", RDS, "Used", ListCost=8, EffectiveCost=5, BilledCost=5),
            charge(day, "past", EC2, "Used", ListCost=50, EffectiveCost=5, BilledCost=5),
            charge(day, "endless", EC2, "Used", ListCost=50, EffectiveCost=5, BilledCost=5),
        ]
    first = date(2026, 6, 1)
    rows.append(charge(first, "ri-1", EC2, ContractedCost=200, EffectiveCost=0, BilledCost=200))
    rows.append(charge(first, "ri-1", EC2, EffectiveCost=0, BilledCost=999, frequency="One-Time"))
    return rows


def table_of(table: Table, rows: list[Any]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=table.arrow_schema())


@pytest.fixture
def found(engine: DuckDBEngine) -> pa.Table:
    commitments = [
        {
            "ContractCommitmentId": name,
            "ContractCommitmentType": kind,
            "ServiceProviderName": "AWS",
            "ContractCommitmentPeriodStart": datetime.fromisoformat(begins),
            "ContractCommitmentPeriodEnd": datetime.fromisoformat(ends) if ends else None,
            "x_BillingMonth": "2026-06",
        }
        for name, kind, begins, ends in COMMITMENTS
    ]
    features = [
        {"level": "provider", "ServiceProviderName": "AWS", "day": UNTIL, "is_complete": True},
        {
            "level": "provider",
            "ServiceProviderName": "AWS",
            "day": UNTIL + timedelta(days=1),
            "is_complete": False,
        },
    ]
    inputs = {
        "contract_commitments": table_of(CONTRACT_COMMITMENTS, commitments),
        "costs": table_of(costs_table(()), charges()),
        "cost_features": table_of(COST_FEATURES, features),
    }
    return engine.fetch(load_sql(ENDING_COMMITMENTS.name), inputs, ["2026-04"])


def test_covered_usage_returns_to_its_on_demand_price_and_fees_cease(found: pa.Table) -> None:
    rows = {
        (r["ContractCommitmentId"], r["metric"], r["day_of_month"]): (
            r["amount"],
            r["first_day"],
            r["renewed_by"],
        )
        for r in found.to_pylist()
    }
    july = date(2026, 7, 3)
    assert rows == {
        # 10 on demand instead of 6, and the day's unused 1 ceases.
        ("ri-1", "EffectiveCost", None): (3, july, None),
        # Nothing of the usage was billed beside the fee of the first of a month.
        ("ri-1", "BilledCost", None): (10, july, None),
        ("ri-1", "BilledCost", 1): (-200, july, None),
        # Without a contracted price the list price counts; a day that the end cuts is the plan's last.
        ("sp-1", "EffectiveCost", None): (3, date(2026, 7, 11), "sp-2"),
        ("sp-1", "BilledCost", None): (3, date(2026, 7, 11), "sp-2"),
    }
    assert {(r["SubAccountId"], r["ServiceName"]) for r in found.to_pylist()} == {
        ("111", "EC2"),
        (None, "RDS"),
    }
    assert found["amount"].type == pa.decimal128(38, 18)


def test_the_forecast_takes_what_is_not_renewed(found: pa.Table) -> None:
    plans = read_commitments(found)
    assert sorted((p.metric, p.amount, p.day_of_month) for p in plans if p.day_of_month is None) == [
        ("BilledCost", 10.0, None),
        ("EffectiveCost", 3.0, None),
    ]
    assert [(p.amount, p.day_of_month) for p in plans if p.day_of_month is not None] == [(-200.0, 1)]
    assert all(p.ahead_only and p.scope == EC2 and str(p.first_day) == "2026-07-03" for p in plans)
