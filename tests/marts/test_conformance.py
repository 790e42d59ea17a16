"""The rules of FOCUS, held against the worked examples of the specification and against changed cells."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path

import pytest

from finops_assets.focus.columns import COST_AND_USAGE, columns
from finops_assets.focus.rules import AcrossRule, RowRule, across_rules, row_rules
from finops_assets.marts.datasets import DATASETS
from tests.marts.held import FIGURES, example, failed, outcomes
from tests.normalize.bills import shared

GOOD: dict[str, str | None] = {
    "BilledCost": "2.5",
    "EffectiveCost": "2.5",
    "ListCost": "3",
    "ContractedCost": "2.5",
    "ListUnitPrice": "1.5",
    "ContractedUnitPrice": "1.25",
    "PricingQuantity": "2",
    "PricingUnit": "Hours",
    "ConsumedQuantity": "2",
    "ConsumedUnit": "Hours",
    "PricingCategory": "Standard",
    "BillingAccountId": "1",
    "BillingAccountName": "Main",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-01-01",
    "BillingPeriodEnd": "2026-02-01",
    "ChargePeriodStart": "2026-01-05",
    "ChargePeriodEnd": "2026-01-06",
    "ChargeCategory": "Usage",
    "ChargeDescription": "A machine",
    "ChargeFrequency": "Usage-Based",
    "HostProviderName": "Acme",
    "InvoiceIssuerName": "Acme",
    "ServiceProviderName": "Acme",
    "ServiceCategory": "Compute",
    "ServiceSubcategory": "Virtual Machines",
    "ServiceName": "Machines",
    "SkuId": "m1",
    "SkuMeter": "Hours of m1",
    "SkuPriceId": "m1-usd",
}
"""A row that keeps every rule."""

FULL: dict[str, str | None] = {
    **GOOD,
    "InvoiceId": "i1",
    "InvoiceDetailId": "i1-1",
    "PricingCurrency": "USD",
    "PricingCurrencyContractedUnitPrice": "1.25",
    "PricingCurrencyEffectiveCost": "2.5",
    "PricingCurrencyListUnitPrice": "1.5",
    "ResourceId": "r1",
    "ResourceType": "Machine",
    "SkuPriceDetails": '{"CoreCount": 2, "x_Term": "none"}',
    "SubAccountId": "7",
    "SubAccountName": "Team",
    "SubAccountType": "Project",
}
"""The same with what only some providers have."""

COVERED = {
    "BilledCost": "0",
    "PricingCategory": "Committed",
    "CommitmentDiscountId": "c1",
    "CommitmentDiscountCategory": "Usage",
    "CommitmentDiscountType": "Reservation",
    "CommitmentDiscountStatus": "Used",
    "CommitmentDiscountQuantity": "2",
    "CommitmentDiscountUnit": "Hours",
}
"""What makes it usage under a commitment."""

ILLUSTRATES = {
    "commitment_discount_purchase_*": {"EffectiveCost": "EffectiveCost-Of-Commitment-Purchase"},
    "commitment_discount_usage_*": {"BilledCost": "BilledCost-Of-Committed-Usage"},
    "one_hundred_percent_*": {
        "EffectiveCost": "Commitment-Effective-Is-Purchased",
        "BilledCost": "Commitment-Effective-Is-Purchased",
    },
    "zero_percent_*": {
        "EffectiveCost": "Commitment-Effective-Is-Purchased",
        "BilledCost": "Commitment-Effective-Is-Purchased",
    },
    "*saas_*": {
        "ListCost": "ListCost-Is-Price-Times-Quantity",
        "ListUnitPrice": "ListCost-Is-Price-Times-Quantity",
        "ContractedCost": "ContractedCost-Is-Price-Times-Quantity",
        "ContractedUnitPrice": "ContractedCost-Is-Price-Times-Quantity",
    },
    "virtual_*": {
        "ListCost": "ListCost-Is-Price-Times-Quantity",
        "ContractedCost": "ContractedCost-Is-Price-Times-Quantity",
        "ContractedUnitPrice": "ContractedCost-Is-Price-Times-Quantity",
    },
}
"""The rule that an example shows at work, by the figure that obeys it."""


def examples() -> list[Path]:
    return sorted(shared("focus-spec-scenarios").glob("*.csv"))


def test_a_plain_row_keeps_every_rule() -> None:
    assert failed([GOOD]) == {}
    assert failed([FULL]) == {}


def test_every_rule_is_named_once_and_blames_a_column_of_focus() -> None:
    names: list[str] = []
    for dataset in (COST_AND_USAGE, *DATASETS):
        rules: list[RowRule | AcrossRule] = [*row_rules(dataset), *across_rules(dataset)]
        assert {r.column for r in rules} <= {c.name for c in columns(dataset)}
        assert {r.level for r in rules} <= {"MUST", "SHOULD"}
        names += [r.rule for r in rules]
    assert len(set(names)) == len(names)


def test_every_worked_example_keeps_the_rule_that_it_illustrates_until_a_figure_is_changed() -> None:
    seen = 0
    for path in examples():
        [illustrated] = [rules for pattern, rules in ILLUSTRATES.items() if fnmatch(path.name, pattern)]
        rows = example(path)
        told = outcomes(rows)
        for column, rule in illustrated.items():
            assert told[rule]["checked"], (path.name, rule)
            assert told[rule]["failed"] == 0, (path.name, rule, told[rule])
            changed = [dict(row) for row in rows]
            first = next(row for row in changed if row.get(column) is not None)
            first[column] = str(float(str(first[column])) + 7)
            assert failed(changed).get(rule), (path.name, rule, column)
            seen += 1
    assert seen == sum(
        len(rules)
        for path in examples()
        for pattern, rules in ILLUSTRATES.items()
        if fnmatch(path.name, pattern)
    )


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"BilledCost": None}, "BilledCost-Not-Null"),
        ({"BillingCurrency": "DOLLARS"}, "BillingCurrency-Currency"),
        ({"ChargeCategory": "Used"}, "ChargeCategory-Allowed-Value"),
        ({"ServiceName": " "}, "ServiceName-Not-Null"),
        ({"Tags": "[1, 2]"}, "Tags-Key-Value"),
        ({"Tags": '{"team": {"a": 1}}'}, "Tags-Key-Value"),
        ({"Tags": "team=a"}, "Tags-Key-Value"),
        ({"ListUnitPrice": "-1"}, "ListUnitPrice-Not-Negative"),
        ({"ServiceSubcategory": "Object Storage"}, "ServiceSubcategory-Of-Its-Category"),
        ({"ChargePeriodEnd": "2026-01-05"}, "ChargePeriod-Order"),
        ({"BillingPeriodEnd": "2025-12-01"}, "BillingPeriod-Order"),
        ({"ChargePeriodStart": "2026-02-01"}, "ChargePeriod-Usage-Before-Billing-Period-Ends"),
        ({"ChargePeriodStart": "2025-12-31"}, "ChargePeriod-Usage-Inside-Billing-Period"),
        ({"ChargeClass": "Correction"}, "ChargeClass-Corrects-Earlier-Period"),
        ({"ChargeCategory": "Purchase"}, "ChargeFrequency-Of-Purchase"),
        ({"ListCost": "3.01"}, "ListCost-Is-Price-Times-Quantity"),
        ({"PricingQuantity": "2.01"}, "ContractedCost-Is-Price-Times-Quantity"),
        ({"EffectiveCost": "2.4"}, "EffectiveCost-Of-Plain-Charge"),
        ({"SkuId": None}, "SkuId-Set"),
        ({"PricingCategory": None}, "PricingCategory-Set"),
        ({"SkuPriceId": None}, "PricingQuantity-Without-Sku-Price"),
        ({"SkuPriceId": None}, "PricingCategory-Without-Sku-Price"),
        ({"SkuPriceId": None}, "ConsumedQuantity-Without-Sku-Price"),
        ({"ListUnitPrice": None}, "ListUnitPrice-Of-Sku-Price"),
        ({"ContractedUnitPrice": None}, "ContractedUnitPrice-Of-Sku-Price"),
        ({"SkuMeter": None}, "SkuMeter-Set"),
        ({"SkuPriceDetails": '{"Cores": 2}'}, "SkuPriceDetails-Keys"),
        ({"PricingUnit": "GB-Mo"}, "PricingUnit-Unit-Format"),
        ({"ConsumedUnit": "10K Requests"}, "ConsumedUnit-Unit-Format"),
        ({"SubAccountName": None}, "SubAccountName-Set"),
        ({"SubAccountType": None}, "SubAccountType-Set"),
        ({"ResourceType": None}, "ResourceType-Set"),
        ({"InvoiceDetailId": None}, "InvoiceDetailId-Null"),
        ({"PricingCurrencyListUnitPrice": None}, "PricingCurrencyListUnitPrice-Set"),
        ({"PricingCurrencyListUnitPrice": "1.6"}, "PricingCurrencyListUnitPrice-In-Billing-Currency"),
        ({"PricingCurrencyContractedUnitPrice": None}, "PricingCurrencyContractedUnitPrice-Set"),
        (
            {"PricingCurrencyContractedUnitPrice": "1.2"},
            "PricingCurrencyContractedUnitPrice-In-Billing-Currency",
        ),
        ({"PricingCurrencyEffectiveCost": "2.4"}, "PricingCurrencyEffectiveCost-In-Billing-Currency"),
        (
            {"PricingCurrency": "EUR", "PricingCurrencyEffectiveCost": "-2"},
            "PricingCurrencyEffectiveCost-Equivalent",
        ),
    ],
    ids=lambda given: given if isinstance(given, str) else None,
)
def test_one_changed_cell_breaks_its_rule(change: dict[str, str | None], rule: str) -> None:
    others = {**FULL, "SkuId": "m2", "SkuPriceId": "m2-usd"}
    found = outcomes([others, {**FULL, **change}])[rule]
    assert (found["failed"], found["checked"]) == (1, found["checked"])
    [sample] = json.loads(str(found["samples"]))
    assert (sample["x_File"], sample["x_RowNumber"]) == ("bill.csv", 2)


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("SkuId", "m2", "SkuPrice-One-Sku"),
        ("BillingAccountId", "2", "SubAccount-One-BillingAccount"),
        ("RegionName", "The other", "Region-One-Name"),
        ("SkuMeter", "Seconds of m1", "Sku-One-Meter"),
        ("ServiceCategory", "Storage", "Service-One-Category"),
        ("BillingPeriodEnd", "2026-02-02", "BillingPeriod-One-End"),
        ("BillingAccountId", "2", "Invoice-One-Account-And-Period"),
        ("BillingPeriodStart", "2025-12-01", "Invoice-One-Account-And-Period"),
        ("CommitmentDiscountUnit", "Minutes", "Commitment-One-Unit"),
    ],
)
def test_rows_that_contradict_each_other_break_a_rule_across_rows(column: str, value: str, rule: str) -> None:
    row = {**FULL, "RegionId": "r1", "RegionName": "One"}
    if column == "CommitmentDiscountUnit":
        row |= COVERED
    assert failed([row, row]) == {}
    found = outcomes([row, {**row, column: value}])[rule]
    assert (found["checked"], found["failed"]) == (2, 2)


def test_an_older_bill_is_held_to_the_columns_that_it_knows() -> None:
    old = {k: v for k, v in GOOD.items() if k not in ("HostProviderName", "ServiceProviderName")}
    assert "ServiceProviderName-Not-Null" in failed([old], "1.4")
    assert failed([old], "1.0") == {}
    unsold = {**GOOD, "SkuPriceId": None}
    assert "PricingQuantity-Without-Sku-Price" in failed([unsold], "1.4")
    assert "PricingQuantity-Without-Sku-Price" not in outcomes([unsold], "1.3")


@pytest.mark.parametrize(
    "unit",
    ["GB", "Hours", "vCPU", "API Requests", "GB-Hours", "GB/Hour", "1000 Requests", "Requests/3 Months"],
)
def test_units_that_focus_spells(unit: str) -> None:
    assert failed([{**GOOD, "PricingUnit": unit, "ConsumedUnit": unit}]) == {}


def test_rows_and_cost_are_shares_of_the_bill() -> None:
    row = outcomes([GOOD, GOOD, {**GOOD, "ChargeCategory": "Used"}])["ChargeCategory-Allowed-Value"]
    assert (row["checked"], row["failed"]) == (3, 1)
    assert (str(row["failed_cost"])[:4], str(row["total_cost"])[:4]) == ("2.50", "7.50")


def test_every_figure_of_a_row_is_held_to_something() -> None:
    """Of a plain charge; what a figure is held to is a rule, or the bill's own total."""
    row = {**GOOD, "PricingCurrency": "USD"}
    free = {
        name
        for name in FIGURES & {k for k, v in row.items() if v}
        if not failed([{**row, name: str(float(str(row[name])) + 7)}])
    }
    assert free == {"ConsumedQuantity"}
