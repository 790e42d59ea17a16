"""Forecasts that add up across levels, to the cent.

Bottom-up: parents are the sums of their leaves. On bills this is coherent and more accurate at the top
than spreading errors by their covariance (Wickramasuriya et al. 2019 against Hyndman et al. 2011).
Cents are Python integers, so no sum of them rounds or overflows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from finops_assets.forecasting.history import FloatArray

Cents = list[int]
"""Whole cents, one number a day."""


def to_cents(values: FloatArray) -> Cents:
    """Amounts rounded to whole cents, half to even. Raises ValueError for NaN and infinity."""
    if not np.all(np.isfinite(values)):
        raise ValueError("a forecast that is to be added up is not a number")
    return [round(v * 100) for v in values.tolist()]


def bottom_up(
    leaves: Mapping[str, FloatArray], members: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Cents], dict[str, Cents]]:
    """(leaves, parents) in cents: each leaf rounded once, each parent the exact sum of its leaves.

    `leaves` has one forecast a series, all of one length; `members` the names of each parent's leaves.
    Raises ValueError for a parent without leaves, a leaf that is named twice or not given, and
    forecasts of different lengths.
    """
    lengths = {len(values) for values in leaves.values()}
    if len(lengths) > 1:
        raise ValueError(f"forecasts of different lengths cannot be added up: {sorted(lengths)} days")
    cents = {name: to_cents(values) for name, values in leaves.items()}
    parents = {}
    for parent, names in members.items():
        missing = [name for name in names if name not in cents]
        if missing:
            raise ValueError(f"{parent} has leaves without a forecast: {', '.join(missing)}")
        if not names or len(set(names)) < len(names):
            raise ValueError(f"{parent} has no leaves or one of them twice")
        parents[parent] = [sum(day) for day in zip(*(cents[name] for name in names), strict=True)]
    return cents, parents


def scale_to(children: Sequence[float], parent: int) -> Cents:
    """Cents of the children that sum exactly to the parent's cents, in proportion to their amounts.

    Largest remainder: each child's share is rounded down, and the cents that are left go to the largest
    remainders, the first of equals before the others; no child is off its share by a cent or more.
    Where the children sum to zero no proportion exists: each gets its own amount and an equal part of
    the difference. Raises ValueError without children, and for NaN and infinity.
    """
    amounts = np.asarray(children, dtype=np.float64)
    if len(amounts) == 0:
        raise ValueError("there are no children to share the parent's amount")
    exact = [round(a * 10**6) for a in _finite(amounts).tolist()]
    total = sum(exact)
    if total == 0:
        # In units of 10^-6: the parent's cents are 10^4 of them each.
        numerators, divisor = [e * len(exact) + parent * 10**4 for e in exact], 10**4 * len(exact)
    else:
        numerators, divisor = [e * parent for e in exact], total
    if divisor < 0:
        numerators, divisor = [-n for n in numerators], -divisor
    shares = [divmod(n, divisor) for n in numerators]
    left = parent - sum(whole for whole, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda i: (-shares[i][1], i))
    extra = set(by_remainder[:left])
    return [whole + (i in extra) for i, (whole, _) in enumerate(shares)]


def _finite(amounts: FloatArray) -> FloatArray:
    if not np.all(np.isfinite(amounts)):
        raise ValueError("an amount that is to be scaled is not a number")
    return amounts
