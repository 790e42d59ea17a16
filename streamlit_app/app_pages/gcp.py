"""Google Cloud in its own words."""

from __future__ import annotations

from finops_assets.queries.providers import PROVIDERS
from streamlit_app.provider import Words, page

page(
    Words(
        title="Google Cloud",
        key="gcp",
        providers=PROVIDERS["gcp"],
        dimensions={
            "BillingAccountId": "Billing account",
            "SubAccountName": "Project",
            "ServiceName": "Service",
            "SkuMeter": "SKU",
            "RegionId": "Location",
            "ChargeCategory": "Cost type",
            "PricingCategory": "Pricing",
            "CommitmentDiscountType": "Commitment",
            "CommitmentDiscountStatus": "Commitment use",
        },
        first="SubAccountName",
        rankings=("ServiceName", "RegionId"),
    )
)
