"""What a budget of each scope has spent is the sum of the rows that its own filters select."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from finops_assets.budget_settings import Budget
from finops_assets.decisions.budgets import KnownBudget
from finops_assets.queries.access import open_warehouse
from finops_assets.queries.budgets import budget_filters, budget_status, spent_days
from tests.warehouse_builder import build_warehouse


def test_every_scope_is_held_to_its_rows(
    tmp_path: Path, bill_rows: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = bill_rows.filter(
        pl.col("ServiceProviderName") == "AWS",
        *(pl.col(c).is_not_null() for c in ("SubAccountId", "ServiceName", "RegionId", "x_Tag_team")),
    ).row(0, named=True)
    of_aws = {"provider": "AWS"}
    scopes: dict[str, dict[str, str]] = {
        "total": {},
        "provider": of_aws,
        "billing_account": {**of_aws, "billing_account": row["BillingAccountId"]},
        "account": {**of_aws, "sub_account": row["SubAccountId"]},
        "service": {**of_aws, "service": row["ServiceName"]},
        "region": {**of_aws, "region": row["RegionId"]},
        "tag": {"tag_key": "team", "tag_value": row["x_Tag_team"]},
        "account_service": {
            **of_aws,
            "billing_account": row["BillingAccountId"],
            "sub_account": row["SubAccountId"],
            "service": row["ServiceName"],
        },
    }
    known = tuple(
        KnownBudget(Budget(name=level, amount=Decimal(10), currency="USD", period="year", **scope), "api")  # type: ignore[arg-type] # the scope's keys are text
        for level, scope in scopes.items()
    )
    monkeypatch.setattr("tests.warehouse_builder.BUDGETS", known)
    warehouse = open_warehouse(build_warehouse(tmp_path))
    found = budget_status(warehouse).to_pylist()
    warehouse.close()
    assert {r["budget"]: r["level"] for r in found} == {level: level for level in scopes}
    for status in found:
        days = spent_days(status)
        assert days is not None
        own = bill_rows.filter(
            pl.col("BillingCurrency") == "USD",
            pl.col("x_Day").is_between(days[0], days[1]),
            *(pl.col(f.column) == f.values[0] for f in budget_filters(status)),
        )
        assert status["actual"] == own["EffectiveCost"].sum() > 0, status["budget"]
        assert status["expected"] is None or status["expected"] >= status["actual"]
