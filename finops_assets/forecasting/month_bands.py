"""The bands of a series' months: of sums of days where days make them, of the backtest by month beyond."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from finops_assets.forecasting.backtest import scale_of, sign_bounds
from finops_assets.forecasting.day_paths import DayPaths
from finops_assets.forecasting.history import FloatArray, IntArray, Series
from finops_assets.forecasting.intervals import band
from finops_assets.forecasting.month_history import MonthHistory, days_in, month_of, month_scale
from finops_assets.forecasting.month_intervals import MonthBands


class Bands:
    """What the backtests by day and by month say of the bands of months."""

    def __init__(self, paths: DayPaths, months: MonthBands) -> None:
        self._paths, self._months = paths, months
        self._sums: dict[tuple[object, ...], tuple[float, ...] | None] = {}
        self._beyond: dict[tuple[object, ...], FloatArray] = {}

    def of(
        self,
        series: Series,
        history: MonthHistory,
        months: IntArray,
        means: FloatArray,
        covered: Mapping[int, tuple[int, int]],
        models: tuple[str, str],
        day_bounds: FloatArray,
    ) -> FloatArray:
        """lo_80, hi_80, lo_95 and hi_95 around `means`, shape (4, months).

        `covered` has the days ahead of the months that days make; `models` are those by day and by month,
        `day_bounds` the days' own bounds. Added up these are as wide as a band of the sum can be, as if all
        days erred together: they stand where too few sums of such days were ever seen. A day of a month
        further ahead is no surer than one of a month before.
        """
        ahead = months - month_of(series.history.last_day)
        days = days_in(months)
        known = history.rates if len(history) else means[:2] / days[:2]
        widths = self._by_month(series, models[1], ahead) * month_scale(known)
        day_scale = scale_of(series.history)
        low, high = sign_bounds(series.history)
        for place, month in enumerate(months.tolist()):
            if month not in covered:
                break
            first, last = covered[month]
            found = self._by_days(series, models[0], first, last)
            limits = [] if found is None else [np.asarray(found) * day_scale]
            if last <= day_bounds.shape[1]:
                off = np.abs(day_bounds[:, first - 1 : last].sum(axis=1) - means[place])
                limits.append(off.reshape(2, 2).max(axis=1))
            if limits:
                widths[:, place] = np.min(limits, axis=0) / days[place]
        whole = ahead > 0
        widths[:, whole] = np.maximum.accumulate(widths[:, whole], axis=1)
        widths[1] = np.maximum(widths[1], widths[0])
        lo_80, hi_80 = band(means, widths[0] * days, low, high)
        lo_95, hi_95 = band(means, widths[1] * days, low, high)
        return np.stack([lo_80, hi_80, lo_95, hi_95])

    def _by_days(self, series: Series, model: str, first: int, last: int) -> tuple[float, ...] | None:
        key = (*series.group, model, first, last)
        if key not in self._sums:
            self._sums[key] = self._paths.half_widths(_key(series, model), first, last)
        return self._sums[key]

    def _by_month(self, series: Series, model: str, ahead: IntArray) -> FloatArray:
        key = (*series.group, model, int(ahead[0]), len(ahead))
        if key not in self._beyond:
            self._beyond[key] = self._months.half_widths(_key(series, model), np.maximum(ahead, 1))
        return self._beyond[key].copy()


def _key(series: Series, model: str) -> dict[str, object]:
    level, metric, currency = series.group
    return {"level": level, "metric": metric, "currency": currency, "model": model}
