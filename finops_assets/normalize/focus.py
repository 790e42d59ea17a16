"""The generic FOCUS file, versions 1.0 to 1.4, whoever wrote it; and the columns all FOCUS formats share."""

from __future__ import annotations

from finops_assets.focus.columns import FocusColumn, columns
from finops_assets.normalize.format import Format, Kind, RawColumn

FOCUS_NULL_TEXTS = ("", "NULL", "null")
"""Text that FOCUS files write for null; the FOCUS sample data writes NULL."""

_REQUIRED = frozenset(
    {
        "BilledCost",
        "BillingCurrency",
        "BillingPeriodEnd",
        "BillingPeriodStart",
        "ChargeCategory",
        "ChargePeriodEnd",
        "ChargePeriodStart",
        "EffectiveCost",
        "ServiceName",
    }
)
"""What no version of FOCUS goes without and a row cannot be placed or added up without."""

_KINDS = {"Date/Time": Kind.TIME, "JSON": Kind.JSON, "String": Kind.TEXT}


def _focus_columns() -> tuple[RawColumn, ...]:
    current = [focus_column(c, required=c.name in _REQUIRED) for c in columns()]
    # Removed in 1.4, mandatory before: what the up-conversion is made from.
    return (*current, RawColumn("ProviderName"), RawColumn("PublisherName"))


def focus_column(column: FocusColumn, *, required: bool) -> RawColumn:
    """A column of one of FOCUS's datasets, as it is delivered."""
    if column.name == "BillingCurrency":
        return RawColumn(column.name, Kind.CURRENCY, required)
    return RawColumn(column.name, _KINDS.get(column.type, _decimal(column.name)), required)


def _decimal(name: str) -> Kind:
    return Kind.QUANTITY if name.endswith("Quantity") else Kind.AMOUNT


FOCUS_COLUMNS = _focus_columns()
"""Every Cost and Usage column of FOCUS 1.0 to 1.4, as delivered."""

FORMATS: tuple[Format, ...] = (
    Format(
        name="focus",
        title="FOCUS 1.0-1.4",
        provider="FOCUS",
        columns=FOCUS_COLUMNS,
        signature=frozenset(
            {"BilledCost", "BillingPeriodStart", "ChargeCategory", "ChargePeriodStart", "EffectiveCost"}
        ),
        month="strftime(BillingPeriodStart, '%Y-%m')",
        amount="BilledCost",
        currency="BillingCurrency",
        invoice="nullif(InvoiceId, '')",
        null_texts=FOCUS_NULL_TEXTS,
    ),
)
