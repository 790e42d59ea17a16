"""Daily costs shaped like cloud bills, made up, with a future that is known."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from finops_assets.forecasting.history import FloatArray, month_starts

FIRST_DAY = np.datetime64(date(2024, 1, 1))
PROVIDERS = ("AWS", "Azure", "GCP")


def generated_fleet(count: int, days: int, seed: int) -> dict[str, tuple[str, FloatArray]]:
    """`count` series by name: provider and daily costs of up to `days` days until one last day.

    Sizes are log-normal. All have a weekend of their own (1.0 to 0.4), growth or shrinkage, noise that
    is correlated from day to day, and sometimes a single odd day; half have a month-start charge, and one
    in five each a level shift, a slow drift that begins within the history, a monthly credit, and a short
    history.
    """
    rng = np.random.default_rng(seed)
    made = {}
    for i in range(count):
        length = int(rng.integers(60, 200)) if rng.random() < 0.2 else days
        made[f"series {i:04}"] = (str(rng.choice(PROVIDERS)), _series(rng, days)[-length:])
    return made


def _series(rng: np.random.Generator, days: int) -> FloatArray:
    at = np.arange(days)
    size = rng.lognormal(4.0, 1.3)
    weekend = rng.choice([1.0, 0.9, 0.7, 0.4])
    level = size * np.exp(rng.normal(0.0003, 0.0008) * (at - days / 2))
    if rng.random() < 0.2:
        level *= np.where(at >= rng.integers(days // 3, days), rng.choice([0.5, 0.7, 1.4, 2.0]), 1.0)
    if rng.random() < 0.2:
        begin = rng.integers(days // 2, days)
        level *= np.exp(rng.normal(0, 0.004) * np.maximum(0, at - begin))
    values = level * np.where(_is_weekend(at), weekend, 1.0) * np.exp(_noise(rng, days))
    firsts = month_starts(FIRST_DAY, days)
    if rng.random() < 0.5:
        values = values + firsts * size * rng.uniform(2, 12) * rng.lognormal(0, 0.03, days)
    if rng.random() < 0.2:
        values = values - firsts * size * rng.uniform(1, 4)
    if rng.random() < 0.3:
        values[rng.integers(0, days)] += size * rng.choice([-6.0, 5.0, 10.0])
    return np.asarray(np.round(values, 2), dtype=np.float64)


def _is_weekend(at: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """FIRST_DAY is a Monday."""
    return np.asarray(at % 7 >= 5)


def _noise(rng: np.random.Generator, days: int) -> FloatArray:
    fresh = rng.normal(0, rng.choice([0.01, 0.03, 0.06]), days)
    noise = np.zeros(days)
    for t in range(days):
        noise[t] = (0.6 * noise[t - 1] if t else 0.0) + fresh[t]
    return noise
