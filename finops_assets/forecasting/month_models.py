"""The candidates by month: rates of whole months in, rates of the next months out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from finops_assets.forecasting.history import FloatArray

YEAR = 12
QUARTER = 3
COMBINATION = "Combination"


class MonthModel(Protocol):
    """A way to forecast a series by month. Deterministic; never raises for a history of a month or more."""

    @property
    def name(self) -> str:
        """How the model is called in the tables."""
        ...

    def forecast(self, rates: FloatArray, horizon: int) -> FloatArray | None:
        """The rates of the `horizon` months after `rates`; None where the model has nothing to say."""
        ...


@dataclass(frozen=True)
class SeasonalNaive:
    """Like the same month a year before, where two years are known; else like the last month."""

    name: str = "SeasonalNaive"

    def forecast(self, rates: FloatArray, horizon: int) -> FloatArray:
        """For every history of a month or more."""
        return np.resize(rates[-YEAR:] if len(rates) >= 2 * YEAR else rates[-1:], horizon)


@dataclass(frozen=True)
class RecentMonths:
    """The median of the last three months goes on."""

    name: str = "RecentMonths"

    def forecast(self, rates: FloatArray, horizon: int) -> FloatArray:
        """For every history of a month or more."""
        return np.full(horizon, np.median(rates[-QUARTER:]))


@dataclass(frozen=True)
class DampedETS:
    """A smoothed level and a trend that dies out (statsforecast), where a year is known."""

    name: str = "DampedETS"

    def forecast(self, rates: FloatArray, horizon: int) -> FloatArray | None:
        """Fit by itself; the import is here because it costs seconds."""
        from statsforecast.models import AutoETS  # noqa: PLC0415 - compiled code, loaded on use

        if len(rates) < YEAR or np.ptp(rates) == 0:
            return None
        return _fitted(AutoETS(season_length=1, model="AAN", damped=True), rates, horizon)


@dataclass(frozen=True)
class Theta:
    """The Theta method (statsforecast) from four months on, with a yearly season from two years on."""

    name: str = "Theta"

    def forecast(self, rates: FloatArray, horizon: int) -> FloatArray | None:
        """Fit by itself."""
        from statsforecast import models  # noqa: PLC0415 - compiled code, loaded on use

        if len(rates) <= QUARTER or np.ptp(rates) == 0:
            return None
        season = YEAR if len(rates) >= 2 * YEAR else 1
        # A multiplicative season would divide by months without costs, and by credits.
        fit = models.Theta(season_length=season, decomposition_type="additive")
        return _fitted(fit, rates, horizon)


BASELINE = SeasonalNaive()
CANDIDATES: tuple[MonthModel, ...] = (BASELINE, RecentMonths(), DampedETS(), Theta())
NAMES = (*(m.name for m in CANDIDATES), COMBINATION)


def predict_months(histories: Sequence[FloatArray], horizon: int) -> dict[str, FloatArray]:
    """Each candidate's rates of the months after each history, by model: shape (histories, horizon).

    The combination is the median of what the models say. Where a model has nothing to say, the baseline's
    stands. A history that was never negative gets no negative forecast, one never positive no positive one,
    and one whose last three months are zero has ended. Histories that are alike are fitted once. Raises
    ValueError for a history without a month.
    """
    if any(len(rates) == 0 for rates in histories):
        raise ValueError("a series without a month cannot be forecast by month")
    made = np.empty((len(NAMES), len(histories), horizon))
    known: dict[bytes, int] = {}
    for i, rates in enumerate(histories):
        at = known.setdefault(rates.tobytes(), i)
        made[:, i] = made[:, at] if at < i else _predict(rates, horizon)
    return dict(zip(NAMES, made, strict=True))


def _predict(rates: FloatArray, horizon: int) -> FloatArray:
    if not rates[-QUARTER:].any():
        return np.zeros((len(NAMES), horizon))
    baseline = BASELINE.forecast(rates, horizon)
    means = [model.forecast(rates, horizon) for model in CANDIDATES]
    said = [mean for mean in means if mean is not None]
    whole = [*(baseline if mean is None else mean for mean in means), np.median(said, axis=0)]
    return np.clip(np.stack(whole), *sign_bounds(rates))


def sign_bounds(rates: FloatArray) -> tuple[float, float]:
    """(lowest, highest) rate that the sign of a history allows."""
    return (0.0 if np.all(rates >= 0) else -np.inf), (0.0 if np.all(rates <= 0) else np.inf)


def _fitted(fit: Any, rates: FloatArray, horizon: int) -> FloatArray:
    # The optimizers' tolerances are absolute: fit in units of the series' own size.
    unit = float(np.abs(rates).mean())
    made = fit.forecast(y=rates / unit, h=horizon)
    return np.asarray(made["mean"], dtype=np.float64) * unit
