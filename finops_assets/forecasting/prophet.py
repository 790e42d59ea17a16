"""Prophet as a candidate: trend with changepoints, weekly and yearly season (Taylor & Letham 2018)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from finops_assets.forecasting.history import FloatArray, History
from finops_assets.forecasting.models import WEEK, YEAR, moves
from finops_assets.forecasting.public_holidays import Holidays

_MIN_DAYS = 8 * WEEK


@dataclass(frozen=True)
class Prophet:
    """Prophet with its defaults, without its own intervals; for few series: each fit runs a program.

    `holidays` have one effect together: a few years show each of them too seldom.
    """

    name: str = "Prophet"
    holidays: Holidays | None = None

    def forecast(self, histories: Sequence[History], horizon: int) -> list[FloatArray | None]:
        """Fit each history of eight weeks or more by itself."""
        fits = [len(h) >= _MIN_DAYS and moves(h) for h in histories]
        return [
            _forecast(h, horizon, self.holidays) if fit else None
            for h, fit in zip(histories, fits, strict=True)
        ]


@cache
def _be_quiet() -> None:
    """Keep it from telling of every fit, and of a plotting library that is not needed here."""
    for talker in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(talker).setLevel(logging.CRITICAL)
    # Without a handler CmdStanPy would add its own at its first fit, and lower the level again.
    logging.getLogger("cmdstanpy").addHandler(logging.NullHandler())


def _forecast(history: History, horizon: int, holidays: Holidays | None) -> FloatArray:
    _be_quiet()
    from prophet import Prophet as Fit  # noqa: PLC0415 - compiled code, loaded on use

    days = history.first_day + np.arange(len(history) + horizon)
    stamps = days.astype("datetime64[ns]")
    fit = Fit(
        daily_seasonality=False,
        weekly_seasonality=True,
        yearly_seasonality=len(history) >= 2 * YEAR,
        uncertainty_samples=0,
        holidays=_events(stamps, holidays),
    )
    fit.fit(pd.DataFrame({"ds": stamps[: len(history)], "y": history.values}), seed=7)
    made = fit.predict(pd.DataFrame({"ds": stamps[len(history) :]}))
    return np.asarray(made["yhat"], dtype=np.float64)


def _events(
    stamps: np.ndarray[Any, np.dtype[np.datetime64]], holidays: Holidays | None
) -> pd.DataFrame | None:
    """The holidays among the days as Prophet takes them; None where there is none."""
    if holidays is None:
        return None
    found = stamps[holidays.among(stamps.astype("datetime64[D]"))]
    return pd.DataFrame({"ds": found, "holiday": "holiday"}) if len(found) else None
