"""The series that are forecast and watched, in words: what they are called and which costs they add up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from finops_assets.queries.costs import Filter
from streamlit_app.format import NONE_LABEL

LEVELS = {"total": "Total", "provider": "Provider", "account": "Account", "service": "Service"}

KINDS = {"spike": "Spike", "drop": "Drop", "level_shift": "New level"}

SEVERITIES = ("critical", "high", "medium", "low")

Color: TypeAlias = Literal["red", "orange", "yellow", "green", "blue", "gray"]

SEVERITY_COLORS: dict[str, Color] = {"critical": "red", "high": "orange", "medium": "yellow", "low": "gray"}

_KEYS = ("ServiceProviderName", "SubAccountId", "ServiceName")


def series_name(row: Mapping[str, Any]) -> str:
    """What a series is called: `Amazon EC2 · AWS`, `data-platform · Google Cloud`, `All costs`."""
    if row["level"] == "total":
        return "All costs"
    provider = str(row["ServiceProviderName"] or NONE_LABEL)
    if row["level"] == "provider":
        return provider
    own = row["ServiceName"] if row["level"] == "service" else row["SubAccountName"] or row["SubAccountId"]
    return f"{own or NONE_LABEL} · {provider}"


def series_filters(row: Mapping[str, Any]) -> tuple[Filter, ...]:
    """The filters under which costs() adds up exactly this series."""
    keys = {
        "total": (),
        "provider": _KEYS[:1],
        "account": ("ServiceProviderName", "SubAccountId"),
        "service": ("ServiceProviderName", "ServiceName"),
    }[row["level"]]
    return tuple(Filter(column, (row[column],)) for column in keys)
