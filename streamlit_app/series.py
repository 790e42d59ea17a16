"""The series that are forecast and watched, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from streamlit_app.format import NONE_LABEL

LEVELS = {
    "total": "Total",
    "provider": "Provider",
    "billing_account": "Billing account",
    "account": "Account",
    "service": "Service",
    "region": "Region",
    "tag": "Tag",
    "account_service": "Service of an account",
}

KINDS = {
    "spike": "Spike",
    "drop": "Drop",
    "level_shift": "New level",
    "drift": "Slow drift",
    "new_service": "New service",
    "new_region": "New region",
    "new_account": "New account",
    "missing_bill": "Missing bill",
}

SEVERITIES = ("critical", "high", "medium", "low")

Color: TypeAlias = Literal["red", "orange", "yellow", "green", "blue", "gray"]

SEVERITY_COLORS: dict[str, Color] = {"critical": "red", "high": "orange", "medium": "yellow", "low": "gray"}


def series_name(row: Mapping[str, Any]) -> str:
    """What a series is called: `Amazon EC2 · AWS`, `team = data`, `All costs`."""
    level = row["level"]
    if level == "total":
        return "All costs"
    if level == "tag":
        return f"{row['tag_key']} = {row['tag_value'] or NONE_LABEL}"
    provider = str(row["ServiceProviderName"] or NONE_LABEL)
    if level == "provider":
        return provider
    account = row["SubAccountName"] or row["SubAccountId"] or NONE_LABEL
    own = {
        "billing_account": row["BillingAccountId"],
        "account": account,
        "service": row["ServiceName"],
        "region": row["RegionId"],
        "account_service": f"{row['ServiceName'] or NONE_LABEL} · {account}",
    }[level]
    return f"{own or NONE_LABEL} · {provider}"
