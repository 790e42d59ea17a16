"""Series that drop on public holidays: models that know these forecast the drop."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from finops_assets.forecasting.backtest import predict
from finops_assets.forecasting.boosted import DirectXGBoost
from finops_assets.forecasting.history import History
from finops_assets.forecasting.models import Model
from finops_assets.forecasting.prophet import Prophet
from finops_assets.forecasting.public_holidays import Holidays

FIRST, SHOWN, HORIZON = np.datetime64("2022-01-03"), 1030, 70
"""Up to 28 October 2024; the horizon holds Veterans Day, Thanksgiving, Christmas and New Year."""

FEDERAL = {date(2024, 11, 11), date(2024, 11, 28), date(2024, 12, 25), date(2025, 1, 1)}
"""As the US Office of Personnel Management lists them."""

US = Holidays("US")


def test_days_are_those_of_the_law_and_parts_have_their_own() -> None:
    days = FIRST + SHOWN + np.arange(HORIZON)
    assert {d.astype(object) for d in days[US.among(days)]} == FEDERAL
    good_friday = np.array(["2024-03-29"], dtype="datetime64[D]")
    assert Holidays("US-CT").among(good_friday).tolist() == [True]
    assert US.among(good_friday).tolist() == [False]
    assert US.among(days[:0]).tolist() == []


@pytest.mark.parametrize(
    ("code", "says"), [("XX", "a country such as 'US'.*found 'XX'"), ("US-XX", "a part of US.*found 'XX'")]
)
def test_what_is_no_country_is_an_error(code: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Holidays(code)


def offices(count: int) -> list[History]:
    """Ordinary days of noise around a weekday shape, and a third of it on holidays."""
    days = FIRST + np.arange(SHOWN)
    rng = np.random.default_rng(5)
    shape = np.where(np.arange(SHOWN) % 7 >= 5, 0.8, 1.0) * np.where(US.among(days), 1 / 3, 1.0)
    return [History(FIRST, 100 * (i + 1) * shape * rng.lognormal(0, 0.03, SHOWN)) for i in range(count)]


@pytest.mark.parametrize(
    ("knowing", "ignorant", "count"),
    [(DirectXGBoost(holidays=US), DirectXGBoost(), 6), (Prophet(holidays=US), Prophet(), 1)],
)
def test_the_drop_is_forecast_by_those_that_know(knowing: Model, ignorant: Model, count: int) -> None:
    days = FIRST + SHOWN + np.arange(HORIZON)
    is_holiday, is_weekday = US.among(days), (days.astype(np.int64) + 3) % 7 < 5

    def share(model: Model) -> float:
        """What a holiday is forecast to cost, of an ordinary weekday."""
        made = predict(offices(count), HORIZON, [(model, range(count))])[model.name]
        means = [m for m in made if m is not None]
        assert len(means) == count
        return float(np.mean([m[is_holiday].mean() / m[is_weekday & ~is_holiday].mean() for m in means]))

    assert share(knowing) == pytest.approx(1 / 3, abs=0.12)
    assert share(ignorant) > 0.85
