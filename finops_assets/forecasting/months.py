"""The months to come of every series: days that are forecast added up, and beyond them a forecast by month.

The month under way is what its complete days cost plus the daily forecast of the others. A month that the
daily forecast holds whole is the sum of its days, to the cent. The months after are forecast from the
series' own whole months, with those of the daily forecast as the newest of them, so that the two meet. Sums
are the exact sums of their leaves, regions and tag values are scaled to theirs, as by day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from finops_assets.forecasting.accuracy import Group, champions, measure
from finops_assets.forecasting.day_paths import DayPaths
from finops_assets.forecasting.hierarchy import BOTTOM_UP, Hierarchy
from finops_assets.forecasting.history import FloatArray, IntArray, Series
from finops_assets.forecasting.month_backtest import HORIZONS, MonthBacktest
from finops_assets.forecasting.month_bands import Bands
from finops_assets.forecasting.month_history import MonthHistory, by_month, days_in, first_days, month_of
from finops_assets.forecasting.month_intervals import calibrate_months, with_month_coverage
from finops_assets.forecasting.month_models import BASELINE, predict_months
from finops_assets.forecasting.reconcile import scale_to

MONTHS = 18


@dataclass(frozen=True)
class Daily:
    """A series' daily forecast in force, from the day after its last one on.

    `cents` are whole cents a day; `bounds` has lo_80, hi_80, lo_95, hi_95 of the first days, shape (4, days).
    """

    model: str
    cents: IntArray
    bounds: FloatArray


@dataclass(frozen=True)
class MonthForecasts:
    """`rows` has a row a series and month: series (its position), month (a number, see `month_history`),
    horizon, model, from_days, cents (of what is yet to come of it) and, in the currency, lo_80, hi_80, lo_95
    and hi_95 of these. `measured` is the backtest by month (see `accuracy.measure`; horizon in months),
    `winners` each group's champion by month.
    """

    rows: pd.DataFrame
    measured: pd.DataFrame
    winners: dict[Group, str]


def forecast_months(
    fleet: Sequence[Series], hierarchy: Hierarchy, daily: Sequence[Daily], paths: DayPaths
) -> MonthForecasts:
    """The month under way (horizon 0, unless it is complete) and the MONTHS after it, for every series.

    `daily` is in the fleet's order, `paths` are those of the daily backtest.
    """
    histories = [by_month(s.history) for s in fleet]
    base = [i for i in range(len(fleet)) if i not in hierarchy.members]
    errors, winners = _backtest(fleet, histories, hierarchy.members, base)
    bands = Bands(paths, calibrate_months(errors))
    made = _Months(fleet, histories, daily)
    made.forecast(base, winners)
    made.reconcile(hierarchy)
    parts = [made.rows(i, winners, bands) for i in range(len(fleet))]
    return MonthForecasts(
        rows=pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS),
        measured=measure(with_month_coverage(errors), HORIZONS),
        winners=winners,
    )


COLUMNS = ("series", "month", "horizon", "model", "from_days", "cents", "lo_80", "hi_80", "lo_95", "hi_95")


def _backtest(
    fleet: Sequence[Series],
    histories: Sequence[MonthHistory],
    members: Mapping[int, Sequence[int]],
    base: Sequence[int],
) -> tuple[pd.DataFrame, dict[Group, str]]:
    """The errors of all series, and the champion of each group: that of sums adds up their leaves'."""
    held = MonthBacktest(fleet, histories, _common_month(histories))
    said = held.candidates(base)
    of_base = held.errors(said, base)
    winners = champions(measure(of_base.assign(inside_80=np.nan, inside_95=np.nan), HORIZONS), BASELINE.name)
    sums = held.sums(members, held.in_force(said, winners, base))
    of_sums = held.errors(sums, sorted(members))
    errors = pd.concat([of_base, of_sums], ignore_index=True) if len(of_sums) else of_base
    return errors, {**winners, **{fleet[i].group: BOTTOM_UP for i in members}}


def _common_month(histories: Sequence[MonthHistory]) -> int:
    """The last whole month that all have, but for those that lie more than a month behind the newest."""
    last = [h.last for h in histories]
    newest = max(last, default=0)
    return min((month for month in last if newest - month <= 1), default=newest)


class _Months:
    """The cents of all series by month: those that came before each one's forecast, and those forecast."""

    def __init__(
        self, fleet: Sequence[Series], histories: Sequence[MonthHistory], daily: Sequence[Daily]
    ) -> None:
        self._fleet, self._histories, self._daily = fleet, histories, daily
        self._last = [month_of(s.history.last_day) for s in fleet]
        self._covered = [_covered(s, len(d.cents)) for s, d in zip(fleet, daily, strict=True)]
        self._first = min(self._last, default=0)
        """The month of the first column."""
        end = max(self._last, default=0) + MONTHS
        self._cents: IntArray = np.zeros((len(fleet), end + 1 - self._first), dtype=np.int64)
        self._known = np.array([_known(s) for s in fleet])
        """What the month of each one's last day has cost so far, in the currency."""
        for i, covered in enumerate(self._covered):
            for month, (first, last) in covered.items():
                self._cents[i, month - self._first] = daily[i].cents[first - 1 : last].sum()

    def forecast(self, base: Sequence[int], winners: Mapping[Group, str]) -> None:
        """The months beyond the days of these series, by the champion of each one's group."""
        columns = self._cents.shape[1]
        made = predict_months([self._rates(i) for i in base], columns + 1)
        for place, i in enumerate(base):
            model = winners.get(self._fleet[i].group, BASELINE.name)
            start = self._end(i) + 1 - self._first
            months = self._first + np.arange(start, columns)
            # Of a month under way that no days cover, only what is left of it is yet to come.
            left = np.minimum(
                days_in(months),
                (first_days(months + 1) - self._fleet[i].history.last_day).astype(np.int64) - 1,
            )
            totals = made[model][place, : len(months)] * left
            self._cents[i, start:] = np.rint(totals * 100).astype(np.int64)

    def reconcile(self, hierarchy: Hierarchy) -> None:
        """Sums are the exact sums of their leaves beyond their own days; cuts are scaled to them there."""
        whole = self._whole()
        for position, leaves in hierarchy.members.items():
            start = self._end(position) + 1 - self._first
            self._cents[position, start:] = whole[list(leaves), start:].sum(axis=0)
        for (parent, _), cuts in hierarchy.cuts.items():
            for column in range(self._end(parent) + 1 - self._first, self._cents.shape[1]):
                own = (self._cents[list(cuts), column] / 100).tolist()
                self._cents[list(cuts), column] = scale_to(own, int(self._cents[parent, column]))

    def rows(self, i: int, winners: Mapping[Group, str], bands: Bands) -> pd.DataFrame:
        """One series' months, from that of its first day ahead to the last of MONTHS."""
        series, daily, covered = self._fleet[i], self._daily[i], self._covered[i]
        months = np.arange(month_of(series.history.last_day + 1), self._last[i] + MONTHS + 1)
        cents = self._cents[i, months - self._first]
        by_month = winners.get(series.group, BASELINE.name)
        from_days = np.isin(months, list(covered))
        bounds = bands.of(
            series, self._histories[i], months, cents / 100, covered, (daily.model, by_month), daily.bounds
        )
        return pd.DataFrame(
            {
                "series": i,
                "month": months,
                "horizon": months - self._last[i],
                "model": np.where(from_days, daily.model, by_month),
                "from_days": from_days,
                "cents": cents,
                **dict(zip(("lo_80", "hi_80", "lo_95", "hi_95"), bounds, strict=True)),
            }
        )

    def _end(self, i: int) -> int:
        """The last month that is known by days: whole in the bill or in the daily forecast."""
        return max([*self._covered[i], month_of(self._fleet[i].history.last_day + 1) - 1])

    def _rates(self, i: int) -> FloatArray:
        """What a month-by-month forecast learns from: whole months, those of the daily forecast included.

        Where there is none: all days that are known or forecast.
        """
        history = self._fleet[i].history
        rates = self._histories[i].rates.tolist()
        for month in self._covered[i]:
            total = float(self._cents[i, month - self._first]) / 100
            days = int(days_in([month])[0])
            if month == self._last[i]:
                total += float(self._known[i])
                days = min(days, days - int((history.first_day - first_days([month])[0]).astype(np.int64)))
            rates.append(total / days)
        if not rates:
            rates = [float(np.r_[history.values, self._daily[i].cents / 100].mean())]
        return np.asarray(rates)

    def _whole(self) -> IntArray:
        """The months in whole cents, what was known of them included."""
        whole = self._cents.copy()
        for i, history in enumerate(self._histories):
            came = np.arange(self._first, self._last[i])
            at = came[(came >= history.first) & (came <= history.last)]
            totals = history.rates[at - history.first] * days_in(at) * 100
            whole[i, at - self._first] = np.rint(totals).astype(np.int64)
            whole[i, self._last[i] - self._first] += int(np.rint(self._known[i] * 100))
        return whole


def _covered(series: Series, days: int) -> dict[int, tuple[int, int]]:
    """month → the first and last of its days ahead, for the months whose last day is forecast by day."""
    last = series.history.last_day
    found: dict[int, tuple[int, int]] = {}
    month = month_of(last + 1)
    while True:
        first = max(1, int((first_days([month])[0] - last).astype(np.int64)))
        end = int((first_days([month + 1])[0] - last).astype(np.int64)) - 1
        if end > days:
            return found
        found[month] = (first, end)
        month += 1


def _known(series: Series) -> float:
    history = series.history
    start = first_days([month_of(history.last_day)])[0]
    return float(history.values[max(0, int((start - history.first_day).astype(np.int64))) :].sum())
