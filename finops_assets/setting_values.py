"""Values that several parts of the configuration are given as: amounts, currencies, months."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from finops_assets.focus.currencies import CURRENCIES


def amount(given: object) -> Decimal:
    """An amount, every digit kept. Raises ValueError for anything but a text of digits and a point."""
    if not isinstance(given, str) or not re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", given):
        raise ValueError(
            "expected an amount in quotes, digits and a point only, as many decimals as the invoice has, "
            'such as "1234.56"'
        )
    return Decimal(given)


def currency(code: str) -> str:
    """An ISO 4217 code. Raises ValueError for any other text."""
    if code not in CURRENCIES:
        raise ValueError("expected an ISO 4217 currency code, such as 'USD'")
    return code


def month(text: str) -> str:
    """A month as 'YYYY-MM'. Raises ValueError for any other text."""
    date.fromisoformat(f"{text}-01")
    return text


def holidays(code: str) -> str:
    """A country's code, or that of a part of one; nothing too. Raises ValueError for any other text."""
    if code:
        # Loaded on use: it knows of two hundred countries.
        from finops_assets.forecasting.public_holidays import Holidays  # noqa: PLC0415

        Holidays(code)
    return code
