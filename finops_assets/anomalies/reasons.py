"""Why an event was raised, in one sentence with its figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

_NEW = {
    "new_service": "A new service",
    "new_region": "A new region",
    "new_account": "A new account",
    "new_series": "A new series",
}


def reason(
    kind: str, first: date, last: date, expected: Decimal, actual: Decimal, currency: str | None, p: float
) -> str:
    """One sentence: what it cost, what was expected, how unusual that is.

    `expected` and `actual` are sums over the days, both included.
    """
    days = (last - first).days + 1
    span = f"on {first}" if days == 1 else f"over {days} days from {first}"
    paid, wanted = _money(actual, currency), _money(expected, currency)
    if kind in _NEW:
        return f"{_NEW[kind]}: the first cost is of {first}, {paid} {span}, where nothing was before."
    if kind == "missing_bill":
        return (
            f"{paid} {span}, where {wanted} was expected, while the others of its level go on: "
            "its bill is likely missing."
        )
    what = {
        "drift": f"The level crept away: {paid} {span}, where the level before would have cost {wanted}",
        "level_shift": f"A new level: {paid} {span}, where {wanted} was expected",
    }.get(kind, f"{paid} {span}, where {wanted} was expected")
    return f"{what}, {_change(expected, actual)}; {_odds(p)}."


def _money(amount: Decimal, currency: str | None) -> str:
    return f"{amount:,.2f} {currency}" if currency else f"{amount:,.2f}"


def _change(expected: Decimal, actual: Decimal) -> str:
    if expected <= 0:
        return f"a difference of {actual - expected:+,.2f}"
    share = (actual - expected) / expected
    return f"{share:+.0%}" if abs(share) < 10 else f"{actual / expected:,.0f} times as much"


def _odds(p: float) -> str:
    one_in = 1 / max(p, 1e-6)
    if one_in >= 1e6:
        return "fewer than one ordinary day in 1,000,000 looks as odd"
    rounded = round(one_in, -max(0, len(str(int(one_in))) - 2))
    return f"about one ordinary day in {rounded:,.0f} looks as odd"
