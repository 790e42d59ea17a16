"""Made-up fleets with a known truth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]

FIRST_DAY = date(2025, 1, 6)
"""A Monday."""


def features_of(
    series: Mapping[str, Floats],
    first_day: date = FIRST_DAY,
    level: str = "service",
    partial_days: int = 0,
) -> pa.Table:
    """A cost_features table (the columns that models read) of AWS services in USD, one a series.

    The last `partial_days` of each are marked as still arriving.
    """
    parts = []
    for name, values in series.items():
        count = len(values)
        days = np.datetime64(first_day) + np.arange(count)
        cents = [f"{v:.2f}" for v in values]
        parts.append(
            pa.table(
                {
                    "series_id": [f"{level}|AWS||{name}|EffectiveCost|USD"] * count,
                    "level": [level] * count,
                    "ServiceProviderName": ["AWS"] * count,
                    "BillingAccountId": pa.nulls(count, pa.string()),
                    "SubAccountId": pa.nulls(count, pa.string()),
                    "SubAccountName": pa.nulls(count, pa.string()),
                    "ServiceName": [name] * count,
                    "RegionId": pa.nulls(count, pa.string()),
                    "tag_key": pa.nulls(count, pa.string()),
                    "tag_value": pa.nulls(count, pa.string()),
                    "metric": ["EffectiveCost"] * count,
                    "BillingCurrency": ["USD"] * count,
                    "day": pa.array(days, pa.date32()),
                    "cost": pa.array(cents).cast(pa.decimal128(38, 18)),
                    "correction": pa.array([0] * count, pa.decimal128(38, 18)),
                    "is_complete": [i < count - partial_days for i in range(count)],
                }
            )
        )
    return pa.concat_tables(parts)


def is_first(count: int, first_day: date = FIRST_DAY) -> npt.NDArray[np.bool_]:
    """Which days are the first of a month."""
    days = np.datetime64(first_day) + np.arange(count)
    return np.array([str(d).endswith("-01") for d in days])


def cost_like(
    seed: int,
    count: int = 420,
    size: float = 100.0,
    growth: float = 0.0005,
    weekend: float = 0.7,
    noise: float = 0.04,
    month_start: float = 0.0,
) -> Floats:
    """Growth, a cheaper weekend, multiplicative noise and a charge on the first of each month."""
    rng = np.random.default_rng(seed)
    at = np.arange(count)
    shape = np.where(at % 7 >= 5, weekend, 1.0)
    values = size * (1 + growth) ** at * shape * rng.lognormal(0, noise, count)
    return np.asarray(np.where(is_first(count), values + month_start, values), dtype=np.float64)
