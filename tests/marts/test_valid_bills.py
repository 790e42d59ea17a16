"""Random bills within the rules of FOCUS break none and add up; one cell of them corrupted is caught."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, given, settings

from finops_assets.engine.base import Input
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.parse import parse
from finops_assets.marts.conformance import counts_sql
from finops_assets.marts.daily_costs import daily_costs_sql
from finops_assets.marts.reconciliation import STAGES, outcomes_sql
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.normalize.references import load_references
from finops_assets.normalize.tables import complete
from finops_assets.sources.base import FetchedFile
from tests.marts.corruptions import INTAKE, TOTALS, caught
from tests.marts.held import failed
from tests.marts.valid_bills import MONTH, NAMES, Row, bills, write

FOCUS = FORMAT_BY_NAME["focus"]
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
"""An example takes seconds, and shrinking one hundreds of examples."""

CAUGHT = {
    ("BilledCost", "null"): {"BilledCost-Not-Null"},
    ("BilledCost", "no number"): {INTAKE},
    ("BilledCost", "other sign"): {
        # Of an adjustment, and of less than the cent that sums may be off by, only the total tells.
        "EffectiveCost-Of-Plain-Charge",
        "Commitment-Effective-Is-Purchased",
        "CommitmentDiscountQuantity-Of-Spend-Purchase",
        TOTALS,
    },
    ("BillingAccountId", "of another row"): {"Invoice-One-Account-And-Period"},
    ("BillingCurrency", "no currency"): {INTAKE},
    ("BillingCurrency", "another currency"): {"Invoice-One-Currency"},
    ("BillingPeriodEnd", "two days earlier"): {"BillingPeriod-One-End"},
    ("BillingPeriodEnd", "a month later"): {"BillingPeriod-One-End"},
    ("BillingPeriodStart", "two days earlier"): {"Invoice-One-Account-And-Period"},
    ("BillingPeriodStart", "no date"): {INTAKE},
    ("ChargeCategory", "no such value"): {"ChargeCategory-Allowed-Value"},
    ("ChargeClass", "filled"): {"ChargeClass-Corrects-Earlier-Period"},
    ("ChargeFrequency", "no such value"): {"ChargeFrequency-Allowed-Value"},
    ("ChargePeriodStart", "a month later"): {"ChargePeriod-Order"},
    ("ChargePeriodEnd", "no date"): {INTAKE},
    ("CommitmentDiscountCategory", "another allowed value"): {"Commitment-One-Description"},
    ("CommitmentDiscountId", "null"): {"CommitmentDiscountType-Null"},
    ("CommitmentDiscountId", "filled"): {"CommitmentDiscountType-Null"},
    ("CommitmentDiscountQuantity", "null"): {"CommitmentDiscountQuantity-Set"},
    ("CommitmentDiscountQuantity", "filled"): {"CommitmentDiscountQuantity-Null"},
    ("CommitmentDiscountStatus", "another allowed value"): {"ConsumedQuantity-Null", "ConsumedQuantity-Set"},
    ("CommitmentDiscountUnit", "of another row"): {"Commitment-One-Unit"},
    ("ConsumedQuantity", "null"): {"ConsumedQuantity-Set", "ConsumedUnit-Null"},
    ("ConsumedUnit", "null"): {"ConsumedUnit-Null"},
    ("ContractedUnitPrice", "null"): {"ContractedUnitPrice-Of-Sku-Price"},
    ("ContractedUnitPrice", "a thousandfold"): {"PricingCurrencyContractedUnitPrice-In-Billing-Currency"},
    ("ContractedUnitPrice", "other sign"): {"ContractedUnitPrice-Not-Negative"},
    ("EffectiveCost", "a hundredth more"): {"PricingCurrencyEffectiveCost-In-Billing-Currency"},
    ("EffectiveCost", "other sign"): {"PricingCurrencyEffectiveCost-Equivalent"},
    ("InvoiceId", "null"): {"InvoiceDetailId-Null"},
    ("InvoiceId", "of another row"): {"Invoice-One-Currency"},
    ("ListCost", "null"): {"ListCost-Not-Null"},
    ("ListUnitPrice", "filled"): {"ListUnitPrice-Of-Sku-Price"},
    ("ListUnitPrice", "a hundredth more"): {"PricingCurrencyListUnitPrice-In-Billing-Currency"},
    ("PricingCategory", "null"): {"PricingCategory-Set"},
    ("PricingCategory", "filled"): {"PricingCategory-Without-Sku-Price"},
    ("PricingCurrencyContractedUnitPrice", "null"): {"PricingCurrencyContractedUnitPrice-Set"},
    ("PricingCurrencyEffectiveCost", "null"): {"PricingCurrencyEffectiveCost-Not-Null"},
    ("PricingCurrencyListUnitPrice", "null"): {"PricingCurrencyListUnitPrice-Set"},
    ("PricingQuantity", "null"): {"PricingQuantity-Set"},
    ("PricingQuantity", "filled"): {"PricingQuantity-Without-Sku-Price"},
    ("PricingUnit", "null"): {"PricingUnit-Null"},
    ("RegionId", "null"): {"RegionName-Null"},
    ("RegionName", "null"): {"RegionName-Null"},
    ("ResourceId", "null"): {"ResourceName-Null"},
    ("ResourceType", "null"): {"ResourceType-Set"},
    ("ServiceCategory", "another allowed value"): {"ServiceSubcategory-Of-Its-Category"},
    ("ServiceSubcategory", "no such value"): {"ServiceSubcategory-Allowed-Value"},
    ("SkuId", "of another row"): {"SkuPrice-One-Sku", "Sku-One-Meter"},
    ("SkuMeter", "null"): {"SkuMeter-Set"},
    ("SkuPriceDetails", "nested"): {"SkuPriceDetails-Key-Value"},
    ("SkuPriceId", "null"): {"SkuPriceId-Set"},
    ("SubAccountId", "null"): {"SubAccountName-Null"},
    ("SubAccountName", "null"): {"SubAccountName-Set"},
    ("SubAccountType", "null"): {"SubAccountType-Set"},
    ("Tags", "cut short"): {"Tags-Key-Value"},
    ("Tags", "nested"): {"Tags-Key-Value"},
}
"""Corruptions that are caught in whatever cell they are: column and kind, and what catches them."""


@settings(max_examples=4, deadline=None, suppress_health_check=SLOW, phases=UNSHRUNK)
@given(bills())
def test_a_bill_within_the_rules_breaks_none_as_delivered_or_normalized_and_adds_up(rows: list[Row]) -> None:
    with TemporaryDirectory() as folder:
        engine, path, raw = DuckDBEngine(Path(folder)), Path(folder, "bill.csv"), Path(folder, "raw.parquet")
        write(rows, path)
        file = FetchedFile(name=path.name, path=path, sha256="", bytes=path.stat().st_size)
        bill = parse(engine, FOCUS, [file], month=MONTH, month_is_stated=True, bill_id="b", to=raw)
        delivered = pq.read_table(raw)
        formats = pa.table({"format": ["focus"]})
        costs = engine.fetch(
            complete(FOCUS.sql), {"raw": delivered, "bill_formats": formats, **load_references()}
        )
        for charges in (delivered, costs):
            counts = engine.fetch(counts_sql("1.4"), {"charges": charges}).to_pylist()
            assert {row["rule"] for row in counts if row["failed"]} == set()
        assert failed(rows) == {}

        stated = [
            {"metric": "BilledCost", "currency": currency, "amount": amount}
            for currency, amount in billed(rows).items()
        ]
        assert {row["currency"]: row["amount"] for row in stated} == bill.totals
        totals = (
            "["
            + ", ".join(
                f'{{"metric": "BilledCost", "currency": "{t["currency"]}", "amount": "{t["amount"]}"}}'
                for t in stated
            )
            + "]"
        )
        accepted = pa.table(
            {
                "bill_id": ["b"],
                "format": ["focus"],
                "rows": pa.array([len(rows)], pa.int64()),
                "control_totals": [totals],
                "status": ["accepted"],
            }
        )
        stages: dict[str, Input] = {
            "bills": accepted,
            "raw_focus": delivered,
            "costs": costs,
            "daily_costs": engine.fetch(daily_costs_sql([]), {"costs": costs}),
        }
        for stage in STAGES:
            found = engine.fetch(outcomes_sql(stage, [FOCUS]), stages).to_pylist()
            assert len(found) == len(stated) + 1
            assert {row["residual"] for row in found} == {Decimal(0)}, stage


@settings(max_examples=2, deadline=None, suppress_health_check=SLOW, phases=UNSHRUNK)
@given(bills())
def test_one_corrupted_cell_of_a_column_that_is_bound_by_rules_is_caught_by_them(rows: list[Row]) -> None:
    bill = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in NAMES})
    corruptions = caught(bill, each=len(rows)).to_pylist()
    escaped = [
        corruption
        for corruption in corruptions
        if (way := (corruption["column_name"], corruption["kind"])) in CAUGHT
        and not CAUGHT[way] & {*corruption["caught_by"]}
    ]
    assert escaped == []

    # All at once tells what the bill with that one cell changed tells by itself.
    for column in ("PricingCategory", "CommitmentDiscountId", "ServiceCategory"):
        if sum(row[column] is not None for row in rows) < 2:
            continue  # changed, the bill never fills the column, and is not held to its rules
        one = next(c for c in corruptions if c["column_name"] == column and c["kind"] == "null")
        changed = [dict(row) for row in rows]
        changed[one["row_number"] - 1][column] = None
        assert {*one["caught_by"]} - {INTAKE, TOTALS} == {*failed(changed)}


def billed(rows: Sequence[Row]) -> dict[str, Decimal]:
    """What the bill comes to, by currency, added up without a database."""
    found: dict[str, Decimal] = {}
    for row in rows:
        currency = str(row["BillingCurrency"])
        found[currency] = found.get(currency, Decimal(0)) + Decimal(str(row["BilledCost"]))
    return found
