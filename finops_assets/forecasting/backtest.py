"""Rolling origins: what each model would have said on earlier days, beside what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from finops_assets.forecasting import combination
from finops_assets.forecasting.cleaning import without_one_offs
from finops_assets.forecasting.history import FloatArray, History, Series
from finops_assets.forecasting.models import WEEK, Model, SeasonalNaive
from finops_assets.forecasting.month_start import MonthStart, split_month_start

HORIZONS = (7, 30, 90)
"""Days ahead for which errors are reported."""

WINDOWS = 5
MIN_TRAINING = 4 * WEEK
_RECENT = 13 * WEEK
BASELINE = SeasonalNaive()


@dataclass(frozen=True)
class Candidates:
    """Which models forecast which series, and at how many origins each series is judged.

    `assigned` names each model's series by their position in the fleet; the forms of one name share no
    series. The baseline forecasts all series, and so does the combination of what there is.
    `windows` has the number of origins of each series.
    """

    assigned: Sequence[tuple[Model, Sequence[int]]]
    windows: Sequence[int]

    @property
    def names(self) -> list[str]:
        """All models, the baseline first, the combination last."""
        return list(dict.fromkeys([BASELINE.name, *(m.name for m, _ in self.assigned), combination.NAME]))


def origins(length: int, horizons: Sequence[int] = HORIZONS, windows: int = WINDOWS) -> list[tuple[int, int]]:
    """(days of history to show, days to forecast) for a series of `length` days, newest first.

    The longest horizon that leaves four weeks to learn from, at up to `windows` origins; none for a
    series of less than five weeks.
    """
    for horizon in sorted(horizons, reverse=True):
        spacing = max(WEEK, horizon // 2)
        cuts = [length - horizon - k * spacing for k in range(windows)]
        usable = [cut for cut in cuts if cut >= MIN_TRAINING]
        if usable:
            return [(cut, horizon) for cut in usable]
    return []


def predict(
    histories: Sequence[History], horizon: int, assigned: Sequence[tuple[Model, Sequence[int]]]
) -> dict[str, list[FloatArray | None]]:
    """Each model's means for the days after each history, by model: one-offs and month starts handled.

    A list has one entry a history: shape (horizon,), None where the model has nothing to say; the
    baseline always has. A history that was never negative gets no negative forecast, one that was
    never positive no positive one. Histories that are alike in every day, as those of a service in one
    account only or of two metrics without a commitment between them, are fitted once.
    """
    splits = [_prepared(h) for h in histories]
    first: dict[tuple[str, bytes], int] = {}
    alike = [first.setdefault((str(h.first_day), h.values.tobytes()), i) for i, h in enumerate(histories)]
    made: dict[str, list[FloatArray | None]] = {}
    for model, positions in [(BASELINE, range(len(histories))), *assigned]:
        fitted = list(dict.fromkeys(alike[i] for i in positions))
        means = dict(zip(fitted, model.forecast([splits[i].without for i in fitted], horizon), strict=True))
        of_model = made.setdefault(model.name, [None] * len(histories))
        for i in positions:
            mean = means[alike[i]]
            if mean is not None:
                of_model[i] = np.clip(splits[i].add_back(mean), *sign_bounds(histories[i]))
    return made


def _prepared(history: History) -> MonthStart:
    split = split_month_start(history)
    return MonthStart(without_one_offs(split.without), split.charges)


def sign_bounds(history: History) -> tuple[float, float]:
    """(lowest, highest) value that the history's sign allows."""
    low = 0.0 if np.all(history.values >= 0) else -np.inf
    high = 0.0 if np.all(history.values <= 0) else np.inf
    return low, high


def scale_of(history: History) -> float:
    """What an ordinary error of this series is worth, in its currency; never below a cent.

    The mean absolute weekly difference of the last quarter without month-start charges, at least 1%
    of the mean cost. A series of less than four weeks has shown little: there its whole spread counts.
    """
    recent = history.values[-_RECENT:]
    ordinary = split_month_start(history).without.values[-_RECENT:]
    floor = max(0.01, 0.01 * float(np.abs(recent).mean()))
    if len(recent) < MIN_TRAINING:
        return max(floor, float(np.std(recent)), 0.25 * float(np.abs(recent).mean()))
    return max(floor, float(np.abs(ordinary[WEEK:] - ordinary[:-WEEK]).mean()))


def weekly_naive_error(history: History) -> float:
    """The in-sample mean absolute error of the plain weekly naive: what MASE divides by."""
    values = history.values
    return float(np.abs(values[WEEK:] - values[:-WEEK]).mean()) if len(values) > WEEK else float("nan")


def backtest(
    fleet: Sequence[Series], candidates: Candidates, horizons: Sequence[int] = HORIZONS
) -> pd.DataFrame:
    """Errors of every model at every origin of every series.

    Returns one row a series, origin, model and day ahead: level, metric, currency, series, window,
    model, step (1…90), length (the origin's horizon), actual, mean, scale, naive_error, low and high
    (what the sign allows). Where a model has no forecast, the baseline's stands in its place, so all
    models of a series are judged on the same days. Series with as many days ahead are forecast in one
    call, so that global models learn from many, and only from what lies before each one's origin.
    """
    together: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for position, series in enumerate(fleet):
        cuts = origins(len(series.history), horizons, candidates.windows[position])
        for window, (cut, horizon) in enumerate(cuts):
            together.setdefault((window, horizon), []).append((position, cut))
    parts = [
        _errors(fleet, candidates, window, horizon, members)
        for (window, horizon), members in sorted(together.items())
    ]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    single = pd.concat(parts, ignore_index=True)
    return pd.concat([single, combination.judged(single)], ignore_index=True)


def _errors(
    fleet: Sequence[Series],
    candidates: Candidates,
    window: int,
    horizon: int,
    members: Sequence[tuple[int, int]],
) -> pd.DataFrame:
    """The errors of the series of one origin, all with the same days ahead."""
    at = {position: i for i, (position, _) in enumerate(members)}
    training = [fleet[position].history.before(cut) for position, cut in members]
    assigned = [(m, [at[p] for p in positions if p in at]) for m, positions in candidates.assigned]
    made = predict(training, horizon, assigned)
    offered = _offered(candidates, [position for position, _ in members])
    pairs = [(i, name) for name in made for i in offered[name]]
    means = [made[name][i] for i, name in pairs]
    fallback = made[BASELINE.name]
    chosen = [fallback[i] if mean is None else mean for (i, _), mean in zip(pairs, means, strict=True)]
    facts = _facts(fleet, training, members)
    rows = facts.loc[np.repeat([i for i, _ in pairs], horizon)].reset_index(drop=True)
    codes = [candidates.names.index(name) for _, name in pairs]
    actuals = [fleet[position].history.values[cut : cut + horizon] for position, cut in members]
    return rows.assign(
        window=window,
        length=horizon,
        model=_categories(np.repeat(codes, horizon).tolist(), candidates.names),
        step=np.tile(np.arange(1, horizon + 1), len(pairs)),
        actual=np.concatenate([actuals[i] for i, _ in pairs]),
        mean=np.concatenate([np.asarray(mean) for mean in chosen]),
    )


def _categories(codes: list[int], names: list[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(names))


def _offered(candidates: Candidates, positions: Sequence[int]) -> Mapping[str, Sequence[int]]:
    """Which of the series (by their place in `positions`) each model is a candidate for."""
    everyone = list(range(len(positions)))
    offered: dict[str, list[int]] = {BASELINE.name: everyone}
    for model, of_model in candidates.assigned:
        wanted = set(of_model)
        offered.setdefault(model.name, []).extend(i for i, p in enumerate(positions) if p in wanted)
    return offered


def _facts(
    fleet: Sequence[Series], training: Sequence[History], members: Sequence[tuple[int, int]]
) -> pd.DataFrame:
    """One row a series: what is the same for all its models and days."""
    bounds = [sign_bounds(history) for history in training]
    series = [fleet[position] for position, _ in members]
    return pd.DataFrame(
        {
            "level": pd.Categorical([s.level for s in series], sorted({s.level for s in fleet})),
            "metric": pd.Categorical([s.metric for s in series], sorted({s.metric for s in fleet})),
            "currency": pd.Categorical([s.currency for s in series], sorted({s.currency for s in fleet})),
            "series": [position for position, _ in members],
            "scale": [scale_of(history) for history in training],
            "naive_error": [weekly_naive_error(history) for history in training],
            "low": [low for low, _ in bounds],
            "high": [high for _, high in bounds],
        }
    )


COLUMNS = (
    "level",
    "metric",
    "currency",
    "series",
    "scale",
    "naive_error",
    "low",
    "high",
    "window",
    "length",
    "model",
    "step",
    "actual",
    "mean",
)
