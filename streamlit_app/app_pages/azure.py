"""Azure in its own words."""

from __future__ import annotations

from finops_assets.queries.providers import PROVIDERS
from streamlit_app.provider import Words, page

page(
    Words(
        title="Azure",
        key="azure",
        providers=PROVIDERS["azure"],
        dimensions={
            "BillingAccountName": "Billing account",
            "SubAccountName": "Subscription",
            "x_ResourceGroupName": "Resource group",
            "ServiceName": "Service",
            "ServiceSubcategory": "Meter category",
            "SkuMeter": "Meter",
            "RegionName": "Location",
            "ChargeCategory": "Charge type",
            "PricingCategory": "Pricing model",
            "CommitmentDiscountType": "Reservation or plan",
            "CommitmentDiscountStatus": "Commitment use",
        },
        first="SubAccountName",
        rankings=("x_ResourceGroupName", "ServiceName"),
    )
)
