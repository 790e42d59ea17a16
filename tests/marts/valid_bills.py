"""Random FOCUS 1.4 bills that keep every rule: what hypothesis draws is the figures and what is bought."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from finops_assets.focus.columns import columns, service_subcategories

Row = dict[str, str | None]

MONTH = "2026-03"
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
CURRENCIES = ("EUR", "JPY", "USD")
NAMES = tuple(c.name for c in columns())
_SUBCATEGORIES = sorted(service_subcategories().items())

_PRICES = st.decimals(min_value=0, max_value=900, places=7)
_QUANTITIES = st.decimals(min_value=Decimal("0.00001"), max_value=90_000, places=5)
_TAGS = st.none() | st.sampled_from(
    ['{"team": "data"}', '{"team": "web", "env": "prod"}', '{"kept": true}', "{}"]
)


@dataclass(frozen=True)
class Sku:
    """What is bought: one service and meter, at a list price and a contracted one."""

    number: int
    list_price: Decimal
    contracted_price: Decimal

    @property
    def columns(self) -> Row:
        subcategory, category = _SUBCATEGORIES[self.number * 7 % len(_SUBCATEGORIES)]
        return {
            "ServiceName": f"Service {self.number}",
            "ServiceCategory": category,
            "ServiceSubcategory": subcategory,
            "SkuId": f"sku-{self.number}",
            "SkuMeter": f"Meter {self.number}",
            "SkuPriceId": f"sku-{self.number}-a",
            "SkuPriceDetails": f'{{"CoreCount": {self.number}, "x_Term": "none"}}'
            if self.number % 2
            else None,
        }


_SKUS = st.builds(
    lambda number, price, discount: Sku(number, price, price * (100 - discount) / 100),
    st.integers(1, 40),
    _PRICES,
    st.integers(0, 60),
)


@st.composite
def bills(draw: st.DrawFn) -> list[Row]:
    """A month's bill in one to three currencies: usage, commitments, taxes, credits and corrections.

    Every currency has a commitment of spend and one of usage, so that all columns are filled in any bill.
    """
    # A SKU has its price wherever it is bought.
    skus = draw(st.lists(_SKUS, min_size=2, max_size=5, unique_by=lambda sku: sku.number))
    rows: list[Row] = []
    for currency in draw(st.lists(st.sampled_from(CURRENCIES), min_size=1, max_size=3, unique=True)):
        for _ in range(draw(st.integers(1, 5))):
            rows.append(_usage(draw, currency, draw(st.sampled_from(skus))))
        for category in ("Spend", "Usage"):
            rows += _commitment(draw, currency, draw(st.sampled_from(skus)), category)
        rows += [make(draw, currency) for make in draw(st.lists(st.sampled_from(_OTHERS), max_size=4))]
    return draw(st.permutations(rows))


def write(rows: Sequence[Mapping[str, str | None]], path: Path) -> None:
    """The bill as it is delivered: a CSV of all columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, NAMES, lineterminator="\n")
        writer.writeheader()
        writer.writerows({n: "" if row[n] is None else row[n] for n in NAMES} for row in rows)


def _charge(draw: st.DrawFn, currency: str, cost: Decimal, effective: Decimal | None = None) -> Row:
    """What every charge has; `cost` is billed, and effective unless that is given."""
    day = START + timedelta(hours=draw(st.integers(0, 30 * 24)))
    region = draw(st.sampled_from([None, "eu-1", "us-1"]))
    resource = draw(st.none() | st.integers(1, 9))
    account = draw(st.none() | st.integers(1, 3))
    effective = cost if effective is None else effective
    return {
        **dict.fromkeys(NAMES),
        "BilledCost": str(cost),
        "EffectiveCost": str(effective),
        "ListCost": str(cost),
        "ContractedCost": str(cost),
        "BillingAccountId": f"account-{currency}",
        "BillingAccountName": f"All of {currency}",
        "BillingAccountType": "Billing Account",
        "BillingCurrency": currency,
        "BillingPeriodStart": START.isoformat(),
        "BillingPeriodEnd": END.isoformat(),
        "ChargePeriodStart": day.isoformat(),
        "ChargePeriodEnd": (day + timedelta(hours=1)).isoformat(),
        "ChargeDescription": "A charge",
        "ChargeFrequency": "One-Time",
        "HostProviderName": "Acme",
        "InvoiceIssuerName": "Acme",
        "ServiceProviderName": "Acme",
        "InvoiceId": f"invoice-{currency}",
        "InvoiceDetailId": f"line-{currency}",
        "PricingCurrency": currency,
        "PricingCurrencyEffectiveCost": str(effective),
        "RegionId": region,
        "RegionName": None if region is None else region.upper(),
        "ResourceId": None if resource is None else f"resource-{resource}",
        "ResourceName": None if resource is None else f"Resource {resource}",
        "ResourceType": None if resource is None else "Machine",
        "ServiceName": "Billing",
        "ServiceCategory": "Other",
        "ServiceSubcategory": "Other (Other)",
        "SubAccountId": None if account is None else f"{currency}-{account}",
        "SubAccountName": None if account is None else f"Team {account}",
        "SubAccountType": None if account is None else "Project",
        "Tags": draw(_TAGS),
    }


def _priced(sku: Sku, quantity: Decimal) -> Row:
    return {
        **sku.columns,
        "ListUnitPrice": str(sku.list_price),
        "ContractedUnitPrice": str(sku.contracted_price),
        "PricingCurrencyListUnitPrice": str(sku.list_price),
        "PricingCurrencyContractedUnitPrice": str(sku.contracted_price),
        "ListCost": str(sku.list_price * quantity),
        "ContractedCost": str(sku.contracted_price * quantity),
        "PricingQuantity": str(quantity),
        "PricingUnit": "Hours",
        "PricingCategory": "Standard",
    }


def _usage(draw: st.DrawFn, currency: str, sku: Sku) -> Row:
    quantity = draw(_QUANTITIES)
    return {
        **_charge(draw, currency, sku.contracted_price * quantity),
        **_priced(sku, quantity),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": str(quantity),
        "ConsumedUnit": "Hours",
    }


def _commitment(draw: st.DrawFn, currency: str, sku: Sku, category: str) -> list[Row]:
    """A month of a commitment: its recurring purchase, and as much used and unused as that bills."""
    used, unused = draw(_QUANTITIES), draw(_QUANTITIES)
    rate = sku.contracted_price / 2
    named: Row = {
        **_charge(draw, currency, Decimal(0)),
        "CommitmentDiscountId": f"{category}-{currency}-{sku.number}",
        "CommitmentDiscountName": "A year ahead",
        "CommitmentDiscountCategory": category,
        "CommitmentDiscountType": "Plan",
        "CommitmentDiscountUnit": currency if category == "Spend" else "Hours",
        "ChargePeriodStart": START.isoformat(),
        "ChargePeriodEnd": END.isoformat(),
    }

    def part(quantity: Decimal, **given: str | None) -> Row:
        counted = rate * quantity if category == "Spend" else quantity
        priced = _priced(sku, quantity)
        return {**named, **priced, "CommitmentDiscountQuantity": str(counted), **given}

    def covered(quantity: Decimal, status: str) -> Row:
        cost = str(rate * quantity)
        return part(
            quantity,
            ChargeCategory="Usage",
            ChargeFrequency="Usage-Based",
            CommitmentDiscountStatus=status,
            PricingCategory="Committed",
            EffectiveCost=cost,
            PricingCurrencyEffectiveCost=cost,
            ConsumedQuantity=str(quantity) if status == "Used" else None,
            ConsumedUnit="Hours" if status == "Used" else None,
        )

    purchase = part(
        used + unused,
        ChargeCategory="Purchase",
        ChargeFrequency="Recurring",
        BilledCost=str(rate * (used + unused)),
    )
    return [purchase, covered(used, "Used"), covered(unused, "Unused")]


def _tax(draw: st.DrawFn, currency: str) -> Row:
    return {**_charge(draw, currency, draw(_PRICES)), "ChargeCategory": "Tax"}


def _credit(draw: st.DrawFn, currency: str) -> Row:
    return {**_charge(draw, currency, -draw(_PRICES)), "ChargeCategory": "Credit"}


def _adjustment(draw: st.DrawFn, currency: str) -> Row:
    return {**_charge(draw, currency, draw(_PRICES) - 450), "ChargeCategory": "Adjustment"}


def _correction(draw: st.DrawFn, currency: str) -> Row:
    """Of usage a month before; it names no SKU."""
    return {
        **_charge(draw, currency, draw(_PRICES) - 450),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ChargeClass": "Correction",
        "ChargePeriodStart": (START - timedelta(days=9)).isoformat(),
        "ChargePeriodEnd": (START - timedelta(days=8)).isoformat(),
    }


_OTHERS: tuple[Callable[[st.DrawFn, str], Row], ...] = (_tax, _credit, _adjustment, _correction)
