"""The whole fleet in one call: backtest, champions, intervals, forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # ships no types

from finops_assets.forecasting.accuracy import Group, champions, measure
from finops_assets.forecasting.assignment import assign_models, needed
from finops_assets.forecasting.backtest import (
    BASELINE,
    HORIZONS,
    Candidates,
    backtest,
    predict,
    scale_of,
    sign_bounds,
)
from finops_assets.forecasting.combination import NAME as COMBINATION
from finops_assets.forecasting.combination import Weights, combine, learn
from finops_assets.forecasting.day_paths import day_paths
from finops_assets.forecasting.facts import NOTHING, Facts, newest_day, with_planned, without_planned
from finops_assets.forecasting.fleet_tables import accuracy_table, forecast_table
from finops_assets.forecasting.hierarchy import (
    BOTTOM_UP,
    Hierarchy,
    errors_of_sums,
    hierarchy_of,
    reconcile,
)
from finops_assets.forecasting.history import FloatArray, Series, read_fleet
from finops_assets.forecasting.intervals import Calibration, band, calibrate, with_coverage
from finops_assets.forecasting.kept_backtest import Judged, backtest_table, read_backtest
from finops_assets.forecasting.models import WEEK
from finops_assets.forecasting.month_end import measure_month_end
from finops_assets.forecasting.month_table import month_table
from finops_assets.forecasting.months import Daily, forecast_months
from finops_assets.forecasting.paths import error_paths
from finops_assets.forecasting.reconcile import Cents
from finops_assets.series import SERIES_COLUMNS

SILENT_DAYS = 45
"""A series whose bill stopped this long before the newest one gets no forecast: it is history."""

_BOUNDS = ("lo_80", "hi_80", "lo_95", "hi_95")


@dataclass(frozen=True)
class FleetForecast:
    """What one making gives.

    `forecasts` has the columns of COST_FORECASTS but made_at and made_on_month, `months` those of
    COST_FORECASTS_MONTHLY but these, `accuracy` those of FORECAST_ACCURACY but mlflow_run_id, `paths` those
    of FORECAST_PATHS. `skipped` counts the series whose bills ended long ago.
    """

    forecasts: pa.Table
    months: pa.Table
    accuracy: pa.Table
    paths: pa.Table
    skipped: int


def backtest_fleet(features: pa.Table, *, facts: Facts = NOTHING) -> pa.Table:
    """Judge every model on every series of `cost_features`: the rows of FORECAST_BACKTEST.

    This is nearly all of what forecasting costs; `forecast_fleet` learns from it until it is made anew.
    Raises ValueError for a series with gaps.
    """
    complete, fleet = read_fleet(features)
    alive, names = _alive(complete, fleet)
    hierarchy = hierarchy_of(names)
    cleaned = without_planned(alive, _called(names), hierarchy, facts.planned)
    return backtest_table(_judged(cleaned, hierarchy, facts), names["series_id"].tolist())


def forecast_fleet(
    features: pa.Table,
    *,
    horizon: int = 90,
    facts: Facts = NOTHING,
    backtest: pa.Table | None = None,
) -> FleetForecast:
    """Forecast every series of `cost_features`: `horizon` days after its last complete day, and 18 months.

    Every series with a complete day gets a champion row for each day, and the seasonal naive beside it
    where that is not the champion. Forecasts add up: a sum of leaves is their exact sum, and regions and
    tag values are scaled to theirs. `facts` move them from their days on. Money is rounded to cents.
    Deterministic, one thread. Champions, weights and bands follow from `backtest` (`backtest_fleet`, of
    these days or of earlier ones), which is made where none is given.
    Raises ValueError for a series with gaps.
    """
    complete, fleet = read_fleet(features)
    alive, names = _alive(complete, fleet)
    hierarchy = hierarchy_of(names)
    made = _coherent(alive, names, hierarchy, facts, horizon, backtest)
    judged = [replace(s, history=s.history.until(made.until)) for s in alive]
    walked = day_paths(made.errors)
    daily = [_daily(frame, made.ahead.get(i)) for i, frame in enumerate(made.made)]
    months = forecast_months(alive, hierarchy, daily, walked)
    by_day = pd.concat([_labelled(made.measured, "d"), measure_month_end(walked, judged)], ignore_index=True)
    return FleetForecast(
        forecasts=forecast_table(complete, made.made),
        months=month_table(complete, alive, months.rows),
        accuracy=pa.concat_tables(
            [
                accuracy_table(by_day, made.winners),
                accuracy_table(_labelled(months.measured, "m"), months.winners),
            ]
        ),
        paths=error_paths(made.errors, made.winners),
        skipped=len(fleet) - len(alive),
    )


def _alive(complete: pa.Table, fleet: Sequence[Series]) -> tuple[list[Series], pd.DataFrame]:
    """The series whose bills go on, and a row of names each."""
    newest = newest_day(fleet)
    alive = [s for s in fleet if newest - s.history.last_day <= np.timedelta64(SILENT_DAYS, "D")]
    rows = pa.array([s.row for s in alive], pa.int64())
    return alive, complete.select(SERIES_COLUMNS).take(rows).to_pandas()


def _called(names: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(column): name for column, name in row.items()} for row in names.to_dict("records")]


def _judged(fleet: Sequence[Series], hierarchy: Hierarchy, facts: Facts) -> Judged:
    """The backtest of leaves and cuts, and of what their champions' forecasts add up to."""
    base = [i for i in range(len(fleet)) if i not in hierarchy.members]
    of_base = [fleet[i] for i in base]
    known = backtest_series(of_base, assign_models(of_base, facts.holidays))
    errors = known.errors.assign(series=known.errors["series"].map(dict(enumerate(base))))
    winners = champions(measure(errors), BASELINE.name)
    seen = [replace(s, history=s.history.until(known.until)) for s in fleet]
    sums = errors_of_sums(seen, hierarchy.members, errors, winners)
    return Judged(errors, with_coverage(sums), known.until)


def _coherent(
    billed: Sequence[Series],
    names: pd.DataFrame,
    hierarchy: Hierarchy,
    facts: Facts,
    horizon: int,
    kept: pa.Table | None,
) -> SeriesForecasts:
    """Forecast leaves and cuts, and make everything above them out of them; `made` in the fleet's order."""
    called = _called(names)
    fleet = without_planned(billed, called, hierarchy, facts.planned)
    judged = (
        _judged(fleet, hierarchy, facts)
        if kept is None
        else read_backtest(kept, names["series_id"].tolist(), hierarchy.members)
    )
    base = [i for i in range(len(fleet)) if i not in hierarchy.members]
    last = [fleet[i].history.last_day for i in base]
    gap = int((max(last) - min(last)).astype(np.int64)) if last else 0
    of_base = [fleet[i] for i in base]
    place = {position: at for at, position in enumerate(base)}
    local = judged.base.assign(series=judged.base["series"].map(place))
    until = _common_day(of_base) if judged.until is None else judged.until
    run = forecast_series(
        of_base,
        horizon=horizon + gap,
        candidates=assign_models(of_base, facts.holidays),
        known=Backtest(local, until),
    )
    if not hierarchy.members:
        return run
    errors = judged.sums
    measured, calibration = measure(errors), calibrate(errors)
    winners = {fleet[i].group: BOTTOM_UP for i in hierarchy.members}
    planned = with_planned(billed, called, dict(zip(base, run.made, strict=True)), facts.planned)
    champion = {i: frame.loc[frame["is_champion"], "mean"].to_numpy() for i, frame in planned.items()}
    added = reconcile(billed, hierarchy, champion, horizon)
    made: dict[int, pd.DataFrame] = {}
    for i, frame in planned.items():
        near = frame[frame["horizon"] <= horizon]
        made[i] = _shifted(near, added.cuts[i], fleet[i]) if i in added.cuts else near
    for i, cents in added.sums.items():
        naive = predict([fleet[i].history], horizon, ())[BASELINE.name][0]
        assert naive is not None  # noqa: S101 - the baseline forecasts any history of a day
        means = {BASELINE.name: naive, BOTTOM_UP: np.asarray(cents, dtype=np.float64) / 100}
        made[i] = _forecast(fleet[i], i, means, winners, calibration)
    return SeriesForecasts(
        errors=pd.concat([e.astype({"model": str}) for e in (judged.base, errors)], ignore_index=True),
        measured=pd.concat([run.measured, measured], ignore_index=True),
        winners={**run.winners, **winners},
        made=[made[i] for i in range(len(fleet))],
        until=run.until,
        ahead={i: mean for i, mean in champion.items() if i not in added.cuts},
    )


def _labelled(measured: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Horizons as the tables name them: 30d, 12m."""
    return measured.assign(horizon=[f"{horizon}{unit}" for horizon in measured["horizon"]])


def _daily(frame: pd.DataFrame, ahead: FloatArray | None) -> Daily:
    """A series' forecast in force; `ahead` are its days where there are more than those published."""
    champion = frame[frame["is_champion"]]
    means = champion["mean"].to_numpy() if ahead is None else ahead
    return Daily(
        model=str(champion["model"].iloc[0]),
        cents=np.rint(means * 100).astype(np.int64),
        bounds=champion[list(_BOUNDS)].to_numpy().T,
    )


def _shifted(frame: pd.DataFrame, cents: Cents, series: Series) -> pd.DataFrame:
    """The frame with the champion's forecast moved to these cents, its bands with it."""
    low, high = sign_bounds(series.history)
    champion = frame["is_champion"].to_numpy()
    mean = np.asarray(cents, dtype=np.float64) / 100
    by = mean - frame.loc[champion, "mean"].to_numpy()
    moved = frame.copy()
    moved.loc[champion, "mean"] = mean
    for bound in _BOUNDS:
        shifted = np.clip(frame.loc[champion, bound].to_numpy() + by, low, high)
        outer = np.minimum if bound.startswith("lo") else np.maximum
        moved.loc[champion, bound] = outer(shifted, mean)
    return moved


@dataclass(frozen=True)
class SeriesForecasts:
    """`errors` of the backtest (see `backtest.backtest`) with their coverage, what they measure (see
    `accuracy.measure`), each group's champion, and a frame a series with its forecasts in floats.
    """

    errors: pd.DataFrame
    measured: pd.DataFrame
    winners: dict[Group, str]
    made: list[pd.DataFrame]
    until: np.datetime64
    """The last day that the backtest looked at: the same for all, so that what it said adds up."""

    ahead: Mapping[int, FloatArray] = field(default_factory=dict)
    """The days of leaves, by position in the fleet: beyond the horizon, too, where a sum needs them."""


@dataclass(frozen=True)
class Backtest:
    """Errors (see `backtest.backtest`) with their coverage, and the last day that they were made of."""

    errors: pd.DataFrame
    until: np.datetime64


def backtest_series(
    fleet: Sequence[Series], candidates: Candidates, horizons: Sequence[int] = HORIZONS
) -> Backtest:
    """Judge the candidates at `horizons`, up to the last day that all series have."""
    with threadpool_limits(limits=1):
        until = _common_day(fleet)
        judged = [replace(s, history=s.history.until(until)) for s in fleet]
        return Backtest(with_coverage(backtest(judged, candidates, horizons)), until)


def forecast_series(
    fleet: Sequence[Series],
    *,
    horizon: int,
    candidates: Candidates | None = None,
    horizons: Sequence[int] = HORIZONS,
    known: Backtest | None = None,
) -> SeriesForecasts:
    """Backtest, choose, calibrate and forecast series that are already read; errors at `horizons`.

    Deterministic, in one thread. Candidates are `assign_models` of the fleet unless given; a backtest that
    is `known` is not made again. Of the candidates only those are fitted that a champion needs.
    """
    chosen = assign_models(fleet) if candidates is None else candidates
    found = backtest_series(fleet, chosen, horizons) if known is None else known
    errors = found.errors
    with threadpool_limits(limits=1):
        measured = measure(errors, horizons)
        winners = champions(measured, BASELINE.name)
        calibration = calibrate(errors)
        weights = learn(errors)
        means = predict([s.history for s in fleet], horizon, needed(fleet, chosen, winners))
        made = [
            _forecast(s, i, _of_series(means, i, s.group, weights), winners, calibration)
            for i, s in enumerate(fleet)
        ]
    return SeriesForecasts(errors, measured, winners, made, found.until)


def _common_day(fleet: Sequence[Series]) -> np.datetime64:
    """The last day that all series have, but for those that are more than a week behind the newest."""
    last = [s.history.last_day for s in fleet]
    newest = max(last, default=np.datetime64("1970-01-01"))
    return min((day for day in last if newest - day <= np.timedelta64(WEEK, "D")), default=newest)


def _of_series(
    means: Mapping[str, Sequence[FloatArray | None]], position: int, group: Group, weights: Weights
) -> dict[str, FloatArray]:
    """The forecasts that one series has, the combination of them included."""
    made = {model: mean for model, of_model in means.items() if (mean := of_model[position]) is not None}
    combined = combine(made, group, position, weights)
    return made if combined is None else {**made, COMBINATION: combined}


def _forecast(
    series: Series,
    position: int,
    means: dict[str, FloatArray],
    winners: dict[Group, str],
    calibration: Calibration,
) -> pd.DataFrame:
    """The forecasts of the champion and the baseline, in floats; `position` is that in the backtest."""
    history = series.history
    wanted = winners.get(series.group, BASELINE.name)
    champion = wanted if wanted in means else BASELINE.name
    low, high = sign_bounds(history)
    scale = scale_of(history)
    parts = []
    for model in sorted({champion, BASELINE.name}):
        mean = means[model]
        steps = np.arange(1, len(mean) + 1, dtype=np.int64)
        widths = calibration.half_widths(series.group, model, steps, position) * scale
        lo_80, hi_80 = band(mean, widths[0], low, high)
        lo_95, hi_95 = band(mean, np.maximum(widths[1], widths[0]), low, high)
        parts.append(
            pd.DataFrame(
                {
                    "row": series.row,
                    "day": series.history.last_day + steps,
                    "horizon": steps,
                    "model": model,
                    "is_champion": model == champion,
                    "mean": mean,
                    "lo_80": lo_80,
                    "hi_80": hi_80,
                    "lo_95": lo_95,
                    "hi_95": hi_95,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
