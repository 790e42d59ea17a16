"""How values travel: money as plain decimal strings, times in UTC, never a float for an amount."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


def money(amount: Decimal | None) -> str | None:
    """Every digit an amount has, without exponent or trailing zeros: '1234.5', '-0.000000000000000001'."""
    if amount is None:
        return None
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON values: decimals as strings, dates and times as ISO 8601."""
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, float):  # a share or a score; JSON has no word for those that are not numbers
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value
