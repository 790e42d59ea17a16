"""AWS bill formats: Cost and Usage Report 2.0, the legacy report, and FOCUS with AWS columns.

Sources: AWS Data Exports user guide, "Cost and Usage Report (CUR) 2.0", "Cost and Usage Report
(Legacy CUR)" and "FOCUS 1.2 / 1.0 with AWS columns" table dictionaries.
"""

from __future__ import annotations

import re

from finops_assets.normalize.focus import FOCUS_COLUMNS, FOCUS_NULL_TEXTS
from finops_assets.normalize.format import Fold, Format, Kind, RawColumn

_REQUIRED = frozenset(
    {
        "bill_billing_period_start_date",
        "line_item_currency_code",
        "line_item_line_item_type",
        "line_item_unblended_cost",
        "line_item_usage_start_date",
    }
)

_SHARED: dict[Kind, str] = {
    Kind.TEXT: """
        identity_line_item_id identity_time_interval bill_invoice_id bill_invoicing_entity
        bill_billing_entity bill_bill_type bill_payer_account_id line_item_usage_account_id
        line_item_line_item_type line_item_product_code line_item_usage_type line_item_operation
        line_item_availability_zone line_item_resource_id line_item_line_item_description
        line_item_tax_type line_item_legal_entity pricing_rate_code pricing_rate_id pricing_term
        pricing_unit pricing_purchase_option pricing_lease_contract_length pricing_offering_class
        reservation_reservation_a_r_n reservation_subscription_id reservation_start_time
        reservation_end_time reservation_modification_status reservation_availability_zone
        reservation_number_of_reservations reservation_units_per_reservation
        savings_plan_savings_plan_a_r_n savings_plan_offering_type savings_plan_payment_option
        savings_plan_purchase_term savings_plan_region savings_plan_instance_type_family
        savings_plan_start_time savings_plan_end_time
    """,
    Kind.TIME: """
        bill_billing_period_start_date bill_billing_period_end_date line_item_usage_start_date
        line_item_usage_end_date
    """,
    Kind.CURRENCY: "line_item_currency_code",
    Kind.AMOUNT: """
        line_item_unblended_cost line_item_unblended_rate line_item_blended_cost
        line_item_net_unblended_cost pricing_public_on_demand_cost pricing_public_on_demand_rate
        reservation_effective_cost reservation_net_effective_cost
        reservation_amortized_upfront_cost_for_usage reservation_recurring_fee_for_usage
        reservation_amortized_upfront_fee_for_billing_period
        reservation_unused_amortized_upfront_fee_for_billing_period reservation_unused_recurring_fee
        reservation_upfront_value savings_plan_savings_plan_effective_cost
        savings_plan_net_savings_plan_effective_cost savings_plan_savings_plan_rate
        savings_plan_total_commitment_to_date savings_plan_used_commitment
        savings_plan_amortized_upfront_commitment_for_billing_period
        savings_plan_recurring_commitment_for_billing_period
    """,
    Kind.QUANTITY: """
        line_item_usage_amount line_item_normalization_factor line_item_normalized_usage_amount
        reservation_unused_quantity reservation_unused_normalized_unit_quantity
        reservation_total_reserved_units reservation_total_reserved_normalized_units
    """,
}

_ONLY_CUR2: dict[Kind, str] = {
    Kind.TEXT: """
        bill_payer_account_name line_item_usage_account_name pricing_currency
        product_comment product_fee_code product_fee_description product_instance_family
        product_instance_type product_instancesku product_location product_location_type
        product_operation product_product_family product_region_code product_servicecode product_sku
        product_usagetype product_from_region_code product_to_region_code
        capacity_reservation_capacity_reservation_arn
        capacity_reservation_capacity_reservation_status
        capacity_reservation_capacity_reservation_type
        split_line_item_parent_resource_id
    """,
    Kind.JSON: "product resource_tags cost_category discount tags",
}

_LEGACY_HEADERS = {
    "reservation_reservation_a_r_n": "reservation/ReservationARN",
    "savings_plan_savings_plan_a_r_n": "savingsPlan/SavingsPlanARN",
    "pricing_public_on_demand_cost": "pricing/publicOnDemandCost",
    "pricing_public_on_demand_rate": "pricing/publicOnDemandRate",
    "pricing_term": "pricing/term",
    "pricing_unit": "pricing/unit",
}
"""Legacy headers that are not the camel case of their underscored spelling."""

_SECTIONS = {
    "identity": "identity",
    "bill": "bill",
    "line_item": "lineItem",
    "pricing": "pricing",
    "reservation": "reservation",
    "savings_plan": "savingsPlan",
}


def legacy_name(underscored: str) -> str:
    """The slash-named legacy header of a column: line_item_unblended_cost → lineItem/UnblendedCost."""
    if underscored in _LEGACY_HEADERS:
        return _LEGACY_HEADERS[underscored]
    section = next(s for s in _SECTIONS if underscored.startswith(f"{s}_"))
    words = underscored.removeprefix(f"{section}_").split("_")
    return f"{_SECTIONS[section]}/{''.join(word.capitalize() for word in words)}"


def _columns(*groups: dict[Kind, str]) -> tuple[RawColumn, ...]:
    return tuple(
        RawColumn(name, kind, required=name in _REQUIRED)
        for group in groups
        for kind, names in group.items()
        for name in names.split()
    )


def _legacy(column: RawColumn) -> RawColumn:
    spellings = [column.name]
    # The Athena and Redshift layouts of the legacy report split ARN into letters or not.
    if "_a_r_n" in column.name:
        spellings.append(re.sub("_a_r_n$", "_arn", column.name))
    return RawColumn(legacy_name(column.name), column.kind, column.required, tuple(spellings))


_CUR2 = Format(
    name="aws_cur2",
    title="AWS Cost and Usage Report 2.0",
    provider="AWS",
    columns=_columns(_SHARED, _ONLY_CUR2),
    signature=frozenset({*_REQUIRED, "bill_payer_account_name", "product"}),
    month="strftime(bill_billing_period_start_date, '%Y-%m')",
    amount="line_item_unblended_cost",
    currency="line_item_currency_code",
    invoice="nullif(bill_invoice_id, '')",
)

_CUR_LEGACY = Format(
    name="aws_cur_legacy",
    title="AWS Cost and Usage Report (legacy)",
    provider="AWS",
    columns=(
        *(_legacy(c) for c in _columns(_SHARED)),
        RawColumn("pricing/currency", aliases=("pricing_currency",)),
    ),
    signature=frozenset(legacy_name(name) for name in _REQUIRED),
    month="strftime(\"bill/BillingPeriodStartDate\", '%Y-%m')",
    amount='"lineItem/UnblendedCost"',
    currency="lineItem/CurrencyCode",
    invoice="nullif(\"bill/InvoiceId\", '')",
    folds=(
        Fold("product/", "product"),
        Fold("product_", "product_underscored"),
        Fold("resourceTags/", "resource_tags"),
        Fold("resource_tags_", "resource_tags_underscored"),
    ),
)

_FOCUS = Format(
    name="aws_focus",
    title="FOCUS with AWS columns",
    provider="AWS",
    columns=(
        *FOCUS_COLUMNS,
        RawColumn("x_Discounts", Kind.JSON),
        RawColumn("x_Operation"),
        RawColumn("x_ServiceCode"),
        RawColumn("x_UsageType"),
        RawColumn("x_CostCategories", Kind.JSON),
    ),
    signature=frozenset(
        {"BilledCost", "BillingCurrency", "BillingPeriodStart", "ChargeCategory", "ChargePeriodStart"}
        | {"x_ServiceCode", "x_UsageType"}
    ),
    month="strftime(BillingPeriodStart, '%Y-%m')",
    amount="BilledCost",
    currency="BillingCurrency",
    invoice="nullif(InvoiceId, '')",
    null_texts=FOCUS_NULL_TEXTS,
)

FORMATS: tuple[Format, ...] = (_CUR2, _CUR_LEGACY, _FOCUS)
