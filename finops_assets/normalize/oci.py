"""Oracle Cloud Infrastructure's cost report.

Source: OCI documentation, "Cost and Usage Reports": a daily CSV of slash-named columns, one column a
tag under `tags/`. A report states no billing period; the month of the usage is it.
"""

from __future__ import annotations

from finops_assets.normalize.format import Fold, Format, Kind, RawColumn

FORMATS: tuple[Format, ...] = (
    Format(
        name="oci_cost",
        title="OCI cost report",
        provider="Oracle",
        columns=(
            RawColumn("lineItem/referenceNo"),
            RawColumn("lineItem/tenantId"),
            RawColumn("lineItem/intervalUsageStart", Kind.TIME, required=True),
            RawColumn("lineItem/intervalUsageEnd", Kind.TIME, required=True),
            RawColumn("lineItem/isCorrection"),
            RawColumn("lineItem/backreferenceNo"),
            RawColumn("product/service", required=True),
            RawColumn("product/resource"),
            RawColumn("product/compartmentId"),
            RawColumn("product/compartmentName"),
            RawColumn("product/region"),
            RawColumn("product/availabilityDomain"),
            RawColumn("product/resourceId"),
            RawColumn("product/Description"),
            RawColumn("usage/billedQuantity", Kind.QUANTITY),
            RawColumn("usage/billedQuantityOverage", Kind.QUANTITY),
            RawColumn("cost/subscriptionId"),
            RawColumn("cost/productSku"),
            RawColumn("cost/unitPrice", Kind.AMOUNT),
            RawColumn("cost/unitPriceOverage", Kind.AMOUNT),
            RawColumn("cost/myCost", Kind.AMOUNT, required=True),
            RawColumn("cost/myCostOverage", Kind.AMOUNT),
            RawColumn("cost/currencyCode", Kind.CURRENCY, required=True),
            RawColumn("cost/billingUnitReadable"),
            RawColumn("cost/skuUnitDescription"),
            RawColumn("cost/overageFlag"),
        ),
        signature=frozenset(
            {"lineItem/intervalUsageStart", "product/service", "cost/myCost", "cost/currencyCode"}
        ),
        month="strftime(\"lineItem/intervalUsageStart\", '%Y-%m')",
        amount='"cost/myCost"',
        currency="cost/currencyCode",
        folds=(Fold("tags/", "tags"),),
    ),
)
