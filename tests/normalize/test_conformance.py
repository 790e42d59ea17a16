"""What FOCUS 1.4 asks of every row, held against every sample bill of AWS, Oracle and FOCUS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finops_assets.focus.columns import columns, service_subcategories
from tests.normalize.bills import Row, normalize, shared
from tests.normalize.test_aws import COVERED, NEGATION, PLAN_FEE, RESERVATION_FEE, RESERVED, bill

SAMPLES = [
    "focus-1.0-sample/focus_sample.csv",
    "native-exports/aws-cur-legacy.csv",
    "native-exports/oci-cost.csv",
    "focus-spec-scenarios/saas_spend_agreements_a1.csv",
    "hand-written CUR 2.0",
]


@pytest.fixture(scope="module", params=SAMPLES)
def rows(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    scratch = tmp_path_factory.mktemp("conformance")
    if request.param == "hand-written CUR 2.0":
        kinds: list[Row] = [
            {"line_item_line_item_type": kind, "line_item_unblended_cost": 1.0}
            for kind in ("Usage", "Tax", "Credit", "Refund", "Fee", "EdpDiscount", "SavingsPlanUpfrontFee")
        ]
        given = [COVERED, NEGATION, PLAN_FEE, RESERVED, RESERVATION_FEE, *kinds]
        return bill(scratch, *given).rows
    return normalize(shared(str(request.param)), Path(scratch)).rows


def test_mandatory_columns_that_allow_no_null_have_none(rows: list[Row]) -> None:
    mandatory = [c.name for c in columns() if c.level == "Mandatory" and not c.nullable]
    missing = {name for name in mandatory for row in rows if row[name] in (None, "")}
    assert missing == set()


def test_closed_lists_hold_only_their_values(rows: list[Row]) -> None:
    for column in columns():
        if column.allowed_values:
            found = {row[column.name] for row in rows} - {None}
            assert found <= set(column.allowed_values), column.name


def test_a_subcategory_belongs_to_its_category(rows: list[Row]) -> None:
    parents = service_subcategories()
    for row in rows:
        assert parents[row["ServiceSubcategory"]] == row["ServiceCategory"]


def test_periods_end_after_they_start(rows: list[Row]) -> None:
    for row in rows:
        assert row["ChargePeriodStart"] < row["ChargePeriodEnd"]
        assert row["BillingPeriodStart"] < row["BillingPeriodEnd"]


def test_commitment_columns_come_together(rows: list[Row]) -> None:
    rest = ("Category", "Type", "Status", "Quantity", "Unit")
    for row in rows:
        if row["CommitmentDiscountId"] is None:
            assert all(row[f"CommitmentDiscount{name}"] is None for name in rest)
        else:
            assert row["CommitmentDiscountCategory"] is not None
            assert row["CommitmentDiscountType"] is not None
            has_status = row["CommitmentDiscountStatus"] is not None
            assert has_status == (row["ChargeCategory"] == "Usage")


def test_json_columns_are_flat_objects(rows: list[Row]) -> None:
    for row in rows:
        for name in ("Tags", "SkuPriceDetails"):
            if row[name] is not None:
                values = json.loads(row[name]).values()
                assert not any(isinstance(value, dict | list) for value in values)


def test_taxes_have_no_price(rows: list[Row]) -> None:
    for row in rows:
        if row["ChargeCategory"] == "Tax":
            names = ("SkuId", "SkuPriceId", "PricingQuantity", "PricingUnit", "ListUnitPrice")
            assert [row[name] for name in names] == [None] * len(names)


def test_inferred_columns_are_columns(rows: list[Row]) -> None:
    names = {c.name for c in columns()}
    for row in rows:
        assert set((row["x_Inferred"] or "").split(",")) - {""} <= names
