"""The candidates, behind one small interface: a history in, the mean of the next days out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from finops_assets.forecasting.history import FloatArray, History

WEEK = 7


class Model(Protocol):
    """A way to forecast one series. Deterministic; never raises for a history it `supports`."""

    @property
    def name(self) -> str:
        """How the model is called in the tables."""
        ...

    def supports(self, history: History) -> bool:
        """Whether the model has anything to say about this history."""
        ...

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """The mean of the `horizon` days after the history, shape (horizon,)."""
        ...


@dataclass(frozen=True)
class SeasonalNaive:
    """Next week is like the last one. With less than a week of history: like its mean."""

    name: str = "SeasonalNaive"

    def supports(self, history: History) -> bool:
        """Any history of a day or more."""
        return len(history) > 0

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """The last week, repeated."""
        if len(history) < WEEK:
            return np.full(horizon, history.values.mean())
        return np.resize(history.values[-WEEK:], horizon)


@dataclass(frozen=True)
class AutoETS:
    """Exponential smoothing with a weekly season (statsforecast), on the last `window` days.

    `thorough` chooses the trend (none, additive, damped) by information criterion, which costs about
    ten times the fixed form without a trend; it is meant for the series that carry the money. Errors
    and season are additive throughout: credits make costs negative.
    """

    name: str = "AutoETS"
    thorough: bool = True
    window: int = 26 * WEEK

    def supports(self, history: History) -> bool:
        """Four weeks of history, and something that moves in the last eight."""
        return len(history) >= 4 * WEEK and bool(np.ptp(history.values[-8 * WEEK :]) > 0)

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Fit and forecast; the import is here because it costs seconds."""
        from statsforecast.models import AutoETS as Fit  # noqa: PLC0415 - compiled code, loaded on use

        form = {"model": "AZA", "damped": None} if self.thorough else {"model": "ANA", "damped": False}
        values = history.values[-self.window :]
        # The optimizer's tolerances are absolute: fit in units of the series' own size.
        unit = float(np.abs(values).mean())
        fitted = Fit(season_length=WEEK, **form).forecast(y=values / unit, h=horizon)
        return np.asarray(fitted["mean"], dtype=np.float64) * unit
