"""Planned changes: the forecast moves by exactly what was marked, and what is past misleads nothing."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from finops_assets.forecasting.facts import Facts
from finops_assets.forecasting.fleet import forecast_fleet
from finops_assets.forecasting.history import History
from finops_assets.forecasting.planned import Planned, applied, cleaned
from tests.forecasting.fleets import FIRST_DAY, cost_like
from tests.forecasting.test_hierarchy import features

LAST = FIRST_DAY + timedelta(days=199)
"""The last day of AWS's bill; Azure's lies three days behind."""

Days = dict[tuple[str, str], dict[date, Decimal]]


def forecast(*plans: Planned) -> Days:
    """(level, name) → the champion's forecast by day, of levels that are sums and of leaves."""
    made: Days = defaultdict(dict)
    for row in forecast_fleet(features(), horizon=30, facts=Facts(plans)).forecasts.to_pylist():
        if row["is_champion"]:
            made[row["level"], row["series_id"]][row["day"]] = row["mean"]
    return made


@pytest.fixture(scope="module")
def plain() -> Days:
    return forecast()


def level(days: Days, name: str, like: str = "") -> dict[date, Decimal]:
    found: dict[date, Decimal] = defaultdict(Decimal)
    for (of, series), mine in days.items():
        if of == name and like in series:
            for day, mean in mine.items():
                found[day] += mean
    return found


def on(day: date) -> np.datetime64:
    return np.datetime64(day)


def test_what_is_marked_moves_every_level_by_itself_on_its_days(plain: Days) -> None:
    first, last, up, gone = (LAST + timedelta(days=n) for n in (10, 14, 20, 25))
    moved = forecast(
        Planned(
            on(first), on(last), {"ServiceProviderName": "AWS", "SubAccountId": "111"}, None, "USD", 120.41
        ),
        Planned(on(up), None, {"ServiceProviderName": "AWS", "SubAccountId": "222"}, percent=50.0),
        Planned(on(gone), None, {"ServiceProviderName": "Azure"}, percent=-100.0),
    )

    def change(name: str, like: str = "") -> dict[date, Decimal]:
        before, after = level(plain, name, like), level(moved, name, like)
        return {day: after[day] - before[day] for day in before}

    # An amount: to the cent, spread over two services.
    for name in ("account_service", "account"):
        assert change(name, "111") == {
            d: Decimal("120.41") if first <= d <= last else Decimal(0) for d in level(plain, name, "111")
        }
    # A percentage: of what was said without it.
    before = level(plain, "account_service", "222")
    for day, more in change("account", "222").items():
        assert abs(more - (before[day] / 2 if day >= up else 0)) <= Decimal("0.01")
    # An end: nothing is left from its day on.
    azure = level(moved, "provider", "Azure")
    assert {azure[d] for d in azure if d >= gone} == {0}
    assert all(azure[d] > 0 for d in azure if d < gone)
    # All levels add up as before, and what cuts the total another way too.
    of_parts = {d: change("account", "111").get(d, 0) + change("account", "222").get(d, 0) for d in azure}
    assert {d: v for d, v in change("provider", "AWS").items() if d in azure} == {
        d: v for d, v in of_parts.items() if d > LAST
    }
    for name in ("provider", "account_service", "tag"):
        parts, total = level(moved, name), level(moved, "total")
        assert {d: parts[d] for d in total if d > LAST} == {d: v for d, v in total.items() if d > LAST}


def test_a_cost_is_not_taken_below_zero_and_bands_go_along() -> None:
    days = np.datetime64("2025-03-01") + np.arange(3)
    bands = {"lo_80": [90.0, 0, 0], "hi_80": [110.0, 9, 0], "lo_95": [80.0, 0, 0], "hi_95": [120.0, 9, 0]}
    frame = pd.DataFrame({"day": days, "is_champion": True, "mean": [100.0, 5.0, 0.0], **bands})
    names = dict.fromkeys(("ServiceProviderName", "BillingAccountId", "SubAccountId", "ServiceName"), "x")
    leaf = {**names, "metric": "EffectiveCost", "BillingCurrency": "USD"}

    def after(plan: Planned) -> pd.DataFrame:
        return applied({0: frame}, {0: leaf}, {0: 0.0}, [plan], days[0] - 1)[0]

    less = after(Planned(days[0], amount=-30.0))
    assert less["mean"].tolist() == [70.0, 0.0, 0.0]
    assert less["lo_80"].tolist() == [60.0, 0.0, 0.0]
    assert less["hi_95"].tolist() == [90.0, 4.0, 0.0]
    half = after(Planned(days[0], percent=-50.0))
    assert half[["mean", "lo_80", "hi_80", "lo_95", "hi_95"]].iloc[0].tolist() == [50.0, 45, 55, 40, 60]
    assert after(Planned(days[0], currency="EUR", amount=5.0)).equals(frame)
    # What was stated of a change that stays is told by the days themselves after a week.
    assert after(Planned(days[0] - 7, amount=5.0)).equals(frame)


def history(values: Any) -> History:
    return History(np.datetime64("2025-01-06"), np.asarray(values, dtype=np.float64))


def test_a_past_one_off_is_replaced_by_what_its_weekday_costs() -> None:
    week = np.array([10.0, 11, 12, 13, 14, 5, 6])
    values = np.tile(week, 10)
    values[30:44] += 500
    plan = Planned(np.datetime64("2025-02-05"), np.datetime64("2025-02-18"), amount=1.0)
    found = cleaned(history(values), [plan], np.datetime64("2025-03-16"))
    assert found.values.tolist() == np.tile(week, 10).tolist()
    later = Planned(np.datetime64("2025-04-01"), np.datetime64("2025-04-02"), amount=1.0)
    assert cleaned(history(values), [later], np.datetime64("2025-03-16")).values is not None


@pytest.mark.parametrize(("after", "percent"), [(300.0, None), (40.0, None), (300.0, 100.0), (0.0, -100.0)])
def test_before_a_change_that_stays_the_days_are_brought_to_its_level(
    after: float, percent: float | None
) -> None:
    rng = np.random.default_rng(1)
    values = np.r_[100 + rng.normal(0, 2, 100), after * (1 + rng.normal(0, 0.02, 40))]
    plan = Planned(
        np.datetime64("2025-01-06") + 100, percent=percent, amount=None if percent else after - 100
    )
    found = cleaned(history(values), [plan], np.datetime64("2025-01-06") + 139).values
    assert found[100:].tolist() == values[100:].tolist()
    assert found[:100].mean() == pytest.approx(after, rel=0.02, abs=0.01)
    # A series that does not show the step stays as it is.
    calm = 100 + rng.normal(0, 2, 140)
    assert cleaned(history(calm), [plan], np.datetime64("2025-01-06") + 139).values.tolist() == calm.tolist()


def test_in_its_first_week_a_change_counts_as_it_was_stated() -> None:
    """Of two days at the new level nothing is learned: the forecast is the old level plus what was stated."""
    values = np.round(np.r_[np.full(100, 200.0), np.full(2, 290.0)], 2)
    newest = np.datetime64("2025-01-06") + 101
    plan = Planned(np.datetime64("2025-01-06") + 100, amount=100.0)
    assert cleaned(history(values), [plan], newest).values.tolist() == [200.0] * 102
    assert not plan.is_settled(newest)
    assert plan.is_settled(newest + 5)


def test_a_marked_one_off_does_not_move_what_comes_after() -> None:
    """Ten days at three times the cost look like a new level, unless someone says that they pass."""
    calm = np.round(cost_like(3, 200, size=100, noise=0.02), 2)
    disturbed = calm.copy()
    disturbed[185:195] *= 3
    first = np.datetime64(FIRST_DAY) + 185
    plan = Planned(first, first + 9, amount=200.0)
    found = cleaned(History(np.datetime64(FIRST_DAY), disturbed), [plan], np.datetime64(LAST))
    assert np.abs(found.values - calm).max() < 0.15 * calm.max()
