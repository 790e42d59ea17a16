"""The series that are forecast and watched, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from streamlit_app.format import NONE_LABEL

LEVELS = {"total": "Total", "provider": "Provider", "account": "Account", "service": "Service"}

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
    """What a series is called: `Amazon EC2 · AWS`, `data-platform · Google Cloud`, `All costs`."""
    if row["level"] == "total":
        return "All costs"
    provider = str(row["ServiceProviderName"] or NONE_LABEL)
    if row["level"] == "provider":
        return provider
    own = row["ServiceName"] if row["level"] == "service" else row["SubAccountName"] or row["SubAccountId"]
    return f"{own or NONE_LABEL} · {provider}"
