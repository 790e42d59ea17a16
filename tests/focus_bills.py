"""FOCUS 1.0 bills written by hand for tests: one row a change from a plain one."""

from __future__ import annotations

import csv
import io

ROW = {
    "BilledCost": "1.25",
    "BillingAccountId": "1",
    "BillingAccountName": "Main",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-01-01T00:00:00Z",
    "BillingPeriodEnd": "2026-02-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "A machine",
    "ChargeFrequency": "Usage-Based",
    "ChargePeriodStart": "2026-01-05T00:00:00Z",
    "ChargePeriodEnd": "2026-01-06T00:00:00Z",
    "ContractedCost": "1.25",
    "EffectiveCost": "1.25",
    "InvoiceIssuerName": "Acme",
    "ListCost": "1.25",
    "PricingQuantity": "1",
    "PricingUnit": "Hours",
    "ProviderName": "Acme",
    "PublisherName": "Acme",
    "ServiceCategory": "Compute",
    "ServiceName": "Machines",
    "SubAccountId": "7",
}


def text(*changes: dict[str, str], without: tuple[str, ...] = ()) -> str:
    """A bill of one row for each of `changes`."""
    out = io.StringIO()
    names = [n for n in ROW if n not in without]
    writer = csv.DictWriter(out, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**ROW, **change} for change in changes)
    return out.getvalue()


def in_month(month: str, amount: str = "1.25", day: str = "05") -> dict[str, str]:
    """The change that puts a row into a billing month, all four costs `amount`."""
    year, number = int(month[:4]), int(month[5:])
    following = f"{year + number // 12}-{number % 12 + 1:02d}"
    return {
        "BillingPeriodStart": f"{month}-01T00:00:00Z",
        "BillingPeriodEnd": f"{following}-01T00:00:00Z",
        "ChargePeriodStart": f"{month}-{day}T00:00:00Z",
        "ChargePeriodEnd": f"{month}-{int(day) + 1:02d}T00:00:00Z",
        **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), amount),
    }
