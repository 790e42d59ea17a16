"""A small Azure bill in its two views, EUR, January 2026; its figures are chosen to be added up by hand."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

HEADER = [
    "BillingAccountId", "BillingAccountName", "BillingPeriodStartDate", "BillingPeriodEndDate",
    "BillingCurrencyCode", "SubscriptionId", "SubscriptionName", "ResourceGroup",
    "ResourceLocation", "Date", "ProductName", "MeterCategory",
    "MeterSubCategory", "MeterName", "ConsumedService", "ResourceId",
    "Tags", "AdditionalInfo", "UnitOfMeasure", "Quantity",
    "EffectivePrice", "UnitPrice", "PayGPrice", "CostInBillingCurrency",
    "ChargeType", "Frequency", "PricingModel", "ReservationId",
    "ReservationName", "benefitId", "benefitName", "PublisherType",
    "PublisherName",
]  # fmt: skip

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
PLAN = "/providers/Microsoft.BillingBenefits/savingsPlanOrders/o-1/savingsPlans/sp-1"
VM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG-Web/providers/Microsoft.Compute/virtualMachines/web-1"

COMMON = {
    "BillingAccountId": "4711",
    "BillingAccountName": "Example GmbH",
    "BillingPeriodStartDate": "1/1/2026",
    "BillingPeriodEndDate": "1/31/2026",
    "BillingCurrencyCode": "EUR",
    "Date": "1/15/2026",
    "PublisherType": "Azure",
}
MACHINE = {
    "SubscriptionId": SUBSCRIPTION,
    "SubscriptionName": "web",
    "ResourceGroup": "RG-Web",
    "ResourceLocation": "EU West",
    "ProductName": "Virtual Machines Dsv3 - D2s v3",
    "MeterCategory": "Virtual Machines",
    "MeterSubCategory": "Dsv3 Series",
    "MeterName": "D2s v3",
    "ConsumedService": "Microsoft.Compute",
    "ResourceId": VM,
    "Tags": '"team": "web","env": "prod"',
    "AdditionalInfo": '{"ServiceType":"Standard_D2s_v3","VCPUs":2}',
    "UnitOfMeasure": "1 Hour",
    "UnitPrice": "0.10",
    "PayGPrice": "0.12",
    "ChargeType": "Usage",
    "Frequency": "UsageBased",
    "PricingModel": "OnDemand",
}
RESERVED = {"PricingModel": "Reservation", "ReservationId": "res-1", "ReservationName": "VM 1y"}
PLANNED = {"PricingModel": "SavingsPlan", "benefitId": PLAN, "benefitName": "Compute plan"}
AT_ACCOUNT = {"SubscriptionId": NO_SUBSCRIPTION, "UnitOfMeasure": "1", "Quantity": "1"}

ON_DEMAND = MACHINE | {"Quantity": "10", "EffectivePrice": "0.1", "CostInBillingCurrency": "1.00"}
MARKETPLACE = AT_ACCOUNT | {
    "ProductName": "Contoso Firewall",
    "ChargeType": "Purchase",
    "Frequency": "Recurring",
    "PublisherType": "Marketplace",
    "PublisherName": "Contoso Inc.",
    "CostInBillingCurrency": "5.555555555555",
}
ROUNDING = AT_ACCOUNT | {"ChargeType": "RoundingAdjustment", "CostInBillingCurrency": "0.004"}
TAX = AT_ACCOUNT | {"ChargeType": "Tax", "Frequency": "OneTime", "CostInBillingCurrency": "19.00"}

ACTUAL = [
    ON_DEMAND,
    AT_ACCOUNT | RESERVED | {"ChargeType": "Purchase", "CostInBillingCurrency": "73.00"},
    MACHINE | RESERVED | {"Quantity": "24", "UnitPrice": "0", "CostInBillingCurrency": "0"},
    AT_ACCOUNT | PLANNED | {"ChargeType": "Purchase", "CostInBillingCurrency": "24.00"},
    MACHINE | PLANNED | {"Quantity": "10", "UnitPrice": "0", "CostInBillingCurrency": "0"},
    AT_ACCOUNT | RESERVED | {"ChargeType": "Refund", "CostInBillingCurrency": "-10.00"},
    MARKETPLACE,
    ROUNDING,
    TAX,
]
AMORTIZED = [
    ON_DEMAND,
    MACHINE | RESERVED | {"Quantity": "24", "CostInBillingCurrency": "1.20"},
    AT_ACCOUNT | RESERVED | {"ChargeType": "UnusedReservation", "CostInBillingCurrency": "0.40"},
    MACHINE | PLANNED | {"Quantity": "10", "CostInBillingCurrency": "0.70"},
    AT_ACCOUNT | PLANNED | {"ChargeType": "UnusedSavingsPlan", "CostInBillingCurrency": "0.30"},
    MARKETPLACE,
    ROUNDING,
    TAX,
]
# 1.00 + 73.00 + 24.00 - 10.00 + 5.555555555555 + 0.004 + 19.00
ACTUAL_TOTAL = Decimal("112.559555555555")
# 1.00 + 1.20 + 0.40 + 0.70 + 0.30 + 5.555555555555 + 0.004 + 19.00
AMORTIZED_TOTAL = Decimal("28.159555555555")


def write(path: Path, rows: Sequence[dict[str, str]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, header, restval="")
        writer.writeheader()
        writer.writerows(COMMON | row for row in rows)
    return path
