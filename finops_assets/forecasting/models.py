"""The candidates behind one small interface: all histories in, the means of the next days out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from finops_assets.forecasting.history import FloatArray, History

WEEK = 7
YEAR = 365
WINDOW = 26 * WEEK
"""Days that the smoothing models look at: what is older says little about the next quarter."""


class Model(Protocol):
    """A way to forecast many series at once. Deterministic; never raises for a history of a day or more."""

    @property
    def name(self) -> str:
        """How the model is called in the tables."""
        ...

    def forecast(self, histories: Sequence[History], horizon: int) -> list[FloatArray | None]:
        """For each history the mean of the `horizon` days after it, shape (horizon,).

        None where the model has nothing to say: too short, or nothing that moves. A global model learns
        from all the histories of the call together; none may reach beyond the day that is forecast from.
        """
        ...


def moves(history: History) -> bool:
    """Four weeks of history, and something that changes in the last eight: enough to fit a model."""
    return len(history) >= 4 * WEEK and bool(np.ptp(history.values[-8 * WEEK :]) > 0)


@dataclass(frozen=True)
class SeasonalNaive:
    """Next week is like the last one. With less than a week of history: like its mean."""

    name: str = "SeasonalNaive"

    def forecast(self, histories: Sequence[History], horizon: int) -> list[FloatArray | None]:
        """The last week of each, repeated; for every history of a day or more."""
        return [_naive(h, horizon) for h in histories]


def _naive(history: History, horizon: int) -> FloatArray:
    if len(history) < WEEK:
        return np.full(horizon, history.values.mean())
    return np.resize(history.values[-WEEK:], horizon)


@dataclass(frozen=True)
class AutoETS:
    """Exponential smoothing with a weekly season (statsforecast).

    `thorough` chooses the trend (none, additive, damped) by information criterion, which costs about
    ten times the fixed form without a trend; it is meant for the series that carry the money. Errors
    and season are additive throughout: credits make costs negative.
    """

    name: str = "AutoETS"
    thorough: bool = True

    def forecast(self, histories: Sequence[History], horizon: int) -> list[FloatArray | None]:
        """Fit each history by itself; the import is here because it costs seconds."""
        from statsforecast.models import AutoETS as Fit  # noqa: PLC0415 - compiled code, loaded on use

        form = {"model": "AZA", "damped": None} if self.thorough else {"model": "ANA", "damped": False}
        fit = Fit(season_length=WEEK, **form)
        return [_fitted(fit, h, horizon) if moves(h) else None for h in histories]


@dataclass(frozen=True)
class AutoTheta:
    """The Theta method with a weekly season (statsforecast; Fiorucci et al. 2016).

    `thorough` chooses among its four forms by error in sample; else the classic one, the fastest.
    """

    name: str = "AutoTheta"
    thorough: bool = True

    def forecast(self, histories: Sequence[History], horizon: int) -> list[FloatArray | None]:
        """Fit each history by itself."""
        from statsforecast import models  # noqa: PLC0415 - compiled code, loaded on use

        # A multiplicative season would divide by weekends without costs, and by credits.
        kind = models.AutoTheta if self.thorough else models.Theta
        fit = kind(season_length=WEEK, decomposition_type="additive")
        return [_fitted(fit, h, horizon) if moves(h) else None for h in histories]


@dataclass(frozen=True)
class MSTL:
    """Seasons by repeated Loess, of a week and (from two years on) of a year, and ETS for the rest.

    Bandara, Hyndman & Bergmeir 2021 (statsforecast).
    """

    name: str = "MSTL"

    def forecast(self, histories: Sequence[History], horizon: int) -> list[FloatArray | None]:
        """Fit each history by itself, the whole of it where it shows two years."""
        from statsforecast import models  # noqa: PLC0415 - compiled code, loaded on use

        trend = models.AutoETS(model="AZN")
        made: list[FloatArray | None] = []
        for history in histories:
            yearly = len(history) >= 2 * YEAR
            fit = models.MSTL(season_length=[WEEK, YEAR] if yearly else WEEK, trend_forecaster=trend)
            window = 2 * YEAR if yearly else WINDOW
            made.append(_fitted(fit, history, horizon, window) if moves(history) else None)
        return made


def _fitted(fit: Any, history: History, horizon: int, window: int = WINDOW) -> FloatArray:
    """The forecast of a statsforecast model, fit to the newest `window` days."""
    values = history.values[-window:]
    # The optimizers' tolerances are absolute: fit in units of the series' own size.
    unit = float(np.abs(values).mean())
    made = fit.forecast(y=values / unit, h=horizon)
    return np.asarray(made["mean"], dtype=np.float64) * unit
