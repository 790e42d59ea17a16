"""AWS in its own words."""

from __future__ import annotations

from finops_assets.queries.providers import PROVIDERS
from streamlit_app.provider import Words, page

page(
    Words(
        title="AWS",
        key="aws",
        providers=PROVIDERS["aws"],
        dimensions={
            "BillingAccountId": "Payer account",
            "SubAccountName": "Linked account",
            "ServiceName": "Service",
            "SkuMeter": "Usage type",
            "RegionId": "Region",
            "ChargeCategory": "Charge type",
            "PricingCategory": "Purchase option",
            "CommitmentDiscountType": "Savings Plan or RI",
            "CommitmentDiscountStatus": "Commitment use",
        },
        first="ServiceName",
        rankings=("SubAccountName", "RegionId"),
    )
)
