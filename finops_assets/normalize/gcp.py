"""Google Cloud bill formats: the standard and the detailed usage cost export, and the FOCUS export.

Sources: Google Cloud documentation, "Structure of Standard data export", "Structure of Detailed data
export", "Structure of FOCUS data export" (preview). Tables are exported from BigQuery to Parquet; their
nested columns are kept as JSON text.
"""

from __future__ import annotations

from finops_assets.normalize.focus import FOCUS_COLUMNS, FOCUS_NULL_TEXTS
from finops_assets.normalize.format import Format, Kind, RawColumn

_USAGE_COST: tuple[RawColumn, ...] = (
    RawColumn("billing_account_id", required=True),
    RawColumn("service", Kind.JSON, required=True),
    RawColumn("sku", Kind.JSON, required=True),
    RawColumn("usage_start_time", Kind.TIME, required=True),
    RawColumn("usage_end_time", Kind.TIME, required=True),
    RawColumn("project", Kind.JSON),
    RawColumn("labels", Kind.JSON),
    RawColumn("system_labels", Kind.JSON),
    RawColumn("tags", Kind.JSON),
    RawColumn("location", Kind.JSON),
    RawColumn("export_time", Kind.TIME),
    RawColumn("cost", Kind.AMOUNT, required=True),
    RawColumn("currency", Kind.CURRENCY, required=True),
    RawColumn("currency_conversion_rate", Kind.AMOUNT),
    RawColumn("usage", Kind.JSON),
    RawColumn("credits", Kind.JSON, required=True),
    RawColumn("invoice", Kind.JSON, required=True),
    RawColumn("cost_type"),
    RawColumn("adjustment_info", Kind.JSON),
    RawColumn("cost_at_list", Kind.AMOUNT),
    RawColumn("cost_at_effective_price_default", Kind.AMOUNT),
    RawColumn("cost_at_list_consumption_model", Kind.AMOUNT),
    RawColumn("price", Kind.JSON),
    RawColumn("consumption_model", Kind.JSON),
    RawColumn("subscription", Kind.JSON),
    RawColumn("transaction_type"),
    RawColumn("seller_name"),
)

_SIGNATURE = frozenset(
    {"billing_account_id", "cost", "credits", "currency", "invoice", "service", "sku", "usage_start_time"}
)

CREDIT_AMOUNTS = r"""regexp_extract_all(credits, '"amount":\s*"?([^,"}\s]+)', 1)"""
"""SQL: the texts of a row's credit amounts, in their order.

Read from the text: JSON numbers become doubles in DuckDB, which keeps 17 of a NUMERIC's digits. A quote
inside a JSON string is escaped, so `"amount":` is only ever a key.
"""

_AMOUNT = (
    f"cost + coalesce(list_sum(list_transform({CREDIT_AMOUNTS}, "
    "lambda amount: CAST(nullif(amount, 'null') AS DECIMAL(38, 18)))), 0)"
)


def _usage_cost(name: str, title: str, *extra: RawColumn) -> Format:
    return Format(
        name=name,
        title=title,
        provider="GCP",
        columns=(*_USAGE_COST, *extra),
        signature=_SIGNATURE | {column.name for column in extra},
        month="regexp_replace(invoice->>'$.month', '^(....)(..)$', '\\1-\\2')",
        amount=_AMOUNT,
        currency="currency",
    )


_STANDARD = _usage_cost("gcp_standard", "Google Cloud standard usage cost export")
_DETAILED = _usage_cost(
    "gcp_detailed", "Google Cloud detailed usage cost export", RawColumn("resource", Kind.JSON)
)

_FOCUS = Format(
    name="gcp_focus",
    title="FOCUS with Google Cloud columns (1.0, 1.2 preview)",
    provider="GCP",
    columns=(
        *FOCUS_COLUMNS,
        RawColumn("x_ConsumptionModelDescription"),
        RawColumn("x_ConsumptionModelId"),
        RawColumn("x_CostAtEffectivePriceDefault", Kind.AMOUNT),
        RawColumn("x_CostAtListConsumptionModel", Kind.AMOUNT),
        RawColumn("x_CostType"),
        RawColumn("x_Credits", Kind.JSON),
        RawColumn("x_CurrencyConversionRate", Kind.AMOUNT),
        RawColumn("x_ExportTime", Kind.TIME),
        RawColumn("x_Labels", Kind.JSON),
        RawColumn("x_Location"),
        RawColumn("x_Project", Kind.JSON),
        RawColumn("x_ProjectLabels", Kind.JSON),
        RawColumn("x_ServiceId"),
        RawColumn("x_SubscriptionInstanceId"),
        RawColumn("x_SystemLabels", Kind.JSON),
        RawColumn("x_Tags", Kind.JSON),
    ),
    signature=frozenset(
        {"BilledCost", "BillingCurrency", "BillingPeriodStart", "ChargeCategory", "ChargePeriodStart"}
        | {"x_ExportTime"}
    ),
    month="strftime(BillingPeriodStart, '%Y-%m')",
    amount="BilledCost",
    currency="BillingCurrency",
    invoice="nullif(InvoiceId, '')",
    null_texts=FOCUS_NULL_TEXTS,
)

FORMATS: tuple[Format, ...] = (_STANDARD, _DETAILED, _FOCUS)
