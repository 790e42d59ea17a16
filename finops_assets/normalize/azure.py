"""Azure bill formats: cost details (actual and amortized, EA and MCA) and FOCUS with Microsoft columns.

Sources: Microsoft Learn, "Understand cost details fields", "Enterprise Agreement cost and usage details
file schema", "Microsoft Customer Agreement cost and usage details file schema", "Cost and usage details
FOCUS schema".
"""

from __future__ import annotations

from finops_assets.normalize.focus import FOCUS_COLUMNS, FOCUS_NULL_TEXTS
from finops_assets.normalize.format import Format, Kind, RawColumn

_DETAILS: tuple[RawColumn, ...] = (
    RawColumn("BillingAccountId", aliases=("EnrollmentNumber",)),
    RawColumn("BillingAccountName"),
    RawColumn("BillingProfileId"),
    RawColumn("BillingProfileName"),
    RawColumn("BillingPeriodStartDate", Kind.TIME, required=True, aliases=("BillingPeriodStart",)),
    RawColumn("BillingPeriodEndDate", Kind.TIME, aliases=("BillingPeriodEnd",)),
    RawColumn("InvoiceId"),
    RawColumn("PreviousInvoiceId"),
    RawColumn("InvoiceSectionId"),
    RawColumn("InvoiceSectionName", aliases=("InvoiceSection", "DepartmentName")),
    RawColumn("AccountName"),
    RawColumn("AccountOwnerId"),
    RawColumn("PartnerName"),
    RawColumn("ResellerName"),
    RawColumn("CustomerName"),
    RawColumn("CostCenter"),
    RawColumn("SubscriptionId", aliases=("SubscriptionGuid",)),
    RawColumn("SubscriptionName"),
    RawColumn("Date", Kind.TIME, required=True, aliases=("UsageDateTime", "UsageDate")),
    RawColumn("ServicePeriodStartDate", Kind.TIME),
    RawColumn("ServicePeriodEndDate", Kind.TIME),
    RawColumn("ProductId"),
    RawColumn("ProductName", aliases=("Product",)),
    RawColumn("PartNumber"),
    RawColumn("PlanName"),
    RawColumn("OfferId"),
    RawColumn("MeterId"),
    RawColumn("MeterCategory"),
    RawColumn("MeterSubCategory"),
    RawColumn("MeterName", aliases=("Meter",)),
    RawColumn("MeterRegion"),
    RawColumn("ServiceFamily"),
    RawColumn("ConsumedService"),
    RawColumn("UnitOfMeasure"),
    RawColumn("Quantity", Kind.QUANTITY, aliases=("UsageQuantity", "ConsumedQuantity")),
    RawColumn(
        "CostInBillingCurrency", Kind.AMOUNT, required=True, aliases=("Cost", "PreTaxCost", "ExtendedCost")
    ),
    RawColumn("BillingCurrency", Kind.CURRENCY, required=True, aliases=("BillingCurrencyCode", "Currency")),
    RawColumn("CostInPricingCurrency", Kind.AMOUNT),
    RawColumn("PricingCurrency", Kind.CURRENCY, aliases=("PricingCurrencyCode",)),
    RawColumn("CostInUsd", Kind.AMOUNT),
    RawColumn("PaygCostInBillingCurrency", Kind.AMOUNT),
    RawColumn("ExchangeRatePricingToBilling", Kind.AMOUNT, aliases=("ExchangeRate",)),
    RawColumn("EffectivePrice", Kind.AMOUNT, aliases=("ResourceRate",)),
    RawColumn("UnitPrice", Kind.AMOUNT),
    RawColumn("PayGPrice", Kind.AMOUNT),
    RawColumn("ResourceId", aliases=("InstanceId", "InstanceName")),
    RawColumn("ResourceName"),
    RawColumn("ResourceGroup", aliases=("ResourceGroupName",)),
    RawColumn("ResourceLocation", aliases=("ResourceLocationNormalized", "Location")),
    RawColumn("AvailabilityZone"),
    RawColumn("Tags", Kind.JSON),
    RawColumn("AdditionalInfo", Kind.JSON),
    RawColumn("ServiceInfo1"),
    RawColumn("ServiceInfo2"),
    RawColumn("ReservationId"),
    RawColumn("ReservationName"),
    RawColumn("BenefitId"),
    RawColumn("BenefitName"),
    RawColumn("ProductOrderId"),
    RawColumn("ProductOrderName"),
    RawColumn("Term"),
    RawColumn("ChargeType", required=True),
    RawColumn("Frequency"),
    RawColumn("PricingModel"),
    RawColumn("PublisherType"),
    RawColumn("PublisherName"),
    RawColumn("IsAzureCreditEligible"),
    RawColumn("CostAllocationRuleName"),
)

_SIGNATURE = frozenset(
    {
        "BillingCurrency",
        "BillingPeriodStartDate",
        "ChargeType",
        "CostInBillingCurrency",
        "Date",
        "MeterCategory",
        "SubscriptionId",
    }
)


def _cost_details(name: str, title: str, *, metric: str, companion: str) -> Format:
    """One of the two views; their headers are the same, so only a manifest or a path tells them apart."""
    return Format(
        name=name,
        title=title,
        provider="Azure",
        columns=_DETAILS,
        signature=_SIGNATURE,
        month="strftime(BillingPeriodStartDate, '%Y-%m')",
        amount="CostInBillingCurrency",
        currency="BillingCurrency",
        invoice="nullif(InvoiceId, '')",
        metric=metric,
        companion=companion,
    )


_ACTUAL = _cost_details(
    "azure_actual", "Azure cost details, actual cost", metric="BilledCost", companion="azure_amortized"
)
_AMORTIZED = _cost_details(
    "azure_amortized", "Azure cost details, amortized cost", metric="EffectiveCost", companion="azure_actual"
)

_FOCUS = Format(
    name="azure_focus",
    title="FOCUS with Microsoft columns (1.0, 1.0r2, 1.2-preview)",
    provider="Azure",
    columns=(
        *FOCUS_COLUMNS,
        RawColumn("x_AccountId"),
        RawColumn("x_AccountName"),
        RawColumn("x_AmortizationClass"),
        RawColumn("x_BillingAccountId"),
        RawColumn("x_BillingProfileId"),
        RawColumn("x_BillingProfileName"),
        RawColumn("x_CostCenter"),
        RawColumn("x_InvoiceId"),
        RawColumn("x_InvoiceSectionName"),
        RawColumn("x_PricingCurrency", Kind.CURRENCY),
        RawColumn("x_PublisherCategory"),
        RawColumn("x_ResourceGroupName"),
        RawColumn("x_ResourceType"),
        RawColumn("x_SkuDetails", Kind.JSON),
        RawColumn("x_SkuMeterCategory"),
        RawColumn("x_SkuMeterId"),
        RawColumn("x_SkuMeterName"),
        RawColumn("x_SkuMeterSubcategory"),
        RawColumn("x_SkuOfferId"),
        RawColumn("x_SkuPartNumber"),
        RawColumn("x_SkuTerm"),
    ),
    signature=frozenset(
        {"BilledCost", "BillingCurrency", "BillingPeriodStart", "ChargeCategory", "ChargePeriodStart"}
        | {"x_BillingProfileId", "x_SkuMeterId"}
    ),
    month="strftime(BillingPeriodStart, '%Y-%m')",
    amount="BilledCost",
    currency="BillingCurrency",
    invoice="nullif(coalesce(InvoiceId, x_InvoiceId), '')",
    null_texts=FOCUS_NULL_TEXTS,
)

FORMATS: tuple[Format, ...] = (_ACTUAL, _AMORTIZED, _FOCUS)
"""Actual before amortized: columns alone decide for the first of two equal signatures."""
