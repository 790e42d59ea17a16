"""How good the forecasts are, beside what one would use instead: `python -m benchmarks.forecast_accuracy`.

Every method says at the same origins what comes, on the same days. The champion of an origin is chosen,
its weights learned and its intervals calibrated before that origin: each fleet is cut at its last 90 days,
forecast by the platform as it stands, and judged on these days, that no part of it has seen.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.forecast_speed import print_speed
from benchmarks.generated_fleets import FIRST_DAY, generated_fleet
from benchmarks.public_series import public_series
from finops_assets.forecasting.accuracy import mase, wape
from finops_assets.forecasting.backtest import MIN_TRAINING, weekly_naive_error
from finops_assets.forecasting.boosted import DirectXGBoost
from finops_assets.forecasting.fleet import forecast_series
from finops_assets.forecasting.history import FloatArray, History, Series
from finops_assets.forecasting.models import AutoETS, AutoTheta, Model, SeasonalNaive
from finops_assets.forecasting.prophet import Prophet

HORIZONS = (7, 30, 90)
AHEAD = HORIZONS[-1]
CHAMPION = "platform's champion"
_APART = 75
"""Days between origins: no whole weeks or months, so they fall on other weekdays and days of the month."""

Made = dict[str, list[FloatArray]]


@dataclass(frozen=True)
class Fleet:
    """Histories by name, and the provider of each: what its totals are added up by."""

    title: str
    histories: Mapping[str, History]
    providers: Sequence[str]


def main() -> None:
    """Print a table a fleet."""
    arguments = argparse.ArgumentParser(description="Accuracy of forecasts against the usual ways.")
    arguments.add_argument("--sizes", type=int, nargs="*", default=[40, 120], help="sizes of made-up fleets")
    arguments.add_argument("--days", type=int, default=730)
    arguments.add_argument(
        "--seed", type=int, default=101, help="of the first made-up fleet; the next has the next"
    )
    arguments.add_argument(
        "--origins", type=int, default=2, help=f"cuts of a made-up fleet, {_APART} days apart"
    )
    arguments.add_argument("--public-origins", type=int, default=4, help="the same of the real series")
    arguments.add_argument("--no-public", action="store_true", help="leave out the real series")
    arguments.add_argument("--no-prophet", action="store_true", help="leave out Prophet alone, the slowest")
    arguments.add_argument(
        "--speed", type=int, help="only time this many made-up series and all levels above"
    )
    asked = arguments.parse_args()
    if asked.speed:
        print_speed(asked.speed, asked.days, asked.seed, Console())
        return
    console, with_prophet = Console(), not asked.no_prophet
    for i, size in enumerate(asked.sizes):
        made = _generated(size, asked.days, asked.seed + i)
        report(made, asked.origins, console, with_prophet=with_prophet)
    if not asked.no_public:
        public = public_series()
        real = Fleet(f"{len(public)} public daily series", public, [n.split()[0] for n in public])
        report(real, asked.public_origins, console, with_prophet=with_prophet)


def report(fleet: Fleet, origins: int, console: Console, *, with_prophet: bool) -> None:
    """Judge all methods on one fleet and print what came out."""
    judged: list[pd.DataFrame] = []
    inside: list[pd.DataFrame] = []
    for origin in range(origins):
        cut = AHEAD + _APART * origin
        kept = [i for i, h in enumerate(fleet.histories.values()) if len(h) >= cut + MIN_TRAINING]
        whole = [list(fleet.histories.values())[i] for i in kept]
        shown = [h.before(len(h) - cut) for h in whole]
        actual = [h.values[len(h) - cut : len(h) - cut + AHEAD] for h in whole]
        platform, bounds = _platform(shown, actual)
        providers = [fleet.providers[i] for i in kept]
        naive = [weekly_naive_error(h) for h in shown]
        for method, means in {**_alone(shown, with_prophet=with_prophet), **platform}.items():
            judged.append(_errors(method, means, actual, providers, naive, origin))
        inside.append(bounds)
    _print(f"{fleet.title}, {origins} origins", pd.concat(judged), pd.concat(inside), console)


def _generated(size: int, days: int, seed: int) -> Fleet:
    made = generated_fleet(size, days, seed)
    end = FIRST_DAY + days
    histories = {name: History(end - len(values), values) for name, (_, values) in made.items()}
    return Fleet(
        f"{size} made-up series (seed {seed})", histories, [provider for provider, _ in made.values()]
    )


def _alone(shown: Sequence[History], *, with_prophet: bool) -> Made:
    """Each method by itself on the history as it is: nothing is cleaned, no charge is taken out."""
    naive = [_value(m) for m in SeasonalNaive().forecast(shown, AHEAD)]
    made: Made = {
        "seasonal naive": naive,
        "mean x days left": [np.full(AHEAD, h.values[-30:].mean()) for h in shown],
        "straight line": [_line(h.values[-90:]) for h in shown],
    }
    models: list[tuple[str, Model]] = [
        ("AutoETS alone", AutoETS()),
        ("AutoTheta alone", AutoTheta()),
        ("XGBoost alone", DirectXGBoost()),
    ]
    if with_prophet:
        models.append(("Prophet alone", Prophet()))
    for name, model in models:
        means = model.forecast(shown, AHEAD)
        made[name] = [naive[i] if mean is None else mean for i, mean in enumerate(means)]
    return made


def _value(mean: FloatArray | None) -> FloatArray:
    assert mean is not None
    return mean


def _line(values: FloatArray) -> FloatArray:
    at = np.arange(len(values) + AHEAD)
    slope, start = np.polyfit(at[: len(values)], values, 1)
    return np.asarray(start + slope * at[len(values) :])


def _platform(shown: Sequence[History], actual: Sequence[FloatArray]) -> tuple[Made, pd.DataFrame]:
    """The champion's forecasts, and which days its intervals held."""
    series = [Series(i, "service", "EffectiveCost", "USD", h) for i, h in enumerate(shown)]
    made: Made = {CHAMPION: []}
    held = []
    for frame, came in zip(forecast_series(series, horizon=AHEAD).made, actual, strict=True):
        champion = frame[frame["is_champion"]]
        made[CHAMPION].append(champion["mean"].to_numpy())
        inside = {
            c: (came >= champion[f"lo_{c}"].to_numpy() - 0.005)
            & (came <= champion[f"hi_{c}"].to_numpy() + 0.005)
            for c in ("80", "95")
        }
        held.append(pd.DataFrame({"step": np.arange(1, AHEAD + 1), **inside}))
    return made, pd.concat(held)


def _errors(
    method: str,
    means: Sequence[FloatArray],
    actual: Sequence[FloatArray],
    providers: Sequence[str],
    naive: Sequence[float],
    origin: int,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": method,
            "series": np.repeat(np.arange(len(means)), AHEAD),
            "window": origin,
            "naive_error": np.repeat(list(naive), AHEAD),
            "provider": np.repeat(list(providers), AHEAD),
            "step": np.tile(np.arange(1, AHEAD + 1), len(means)),
            "mean": np.concatenate(list(means)),
            "actual": np.concatenate(list(actual)),
        }
    )


def _total_error(days: pd.DataFrame) -> float:
    """Errors of each provider's 30-day total, over the sum of the totals."""
    sums = days.groupby(["provider", "window"])[["mean", "actual"]].sum()
    return float((sums["mean"] - sums["actual"]).abs().sum() / sums["actual"].abs().sum())


def _print(title: str, judged: pd.DataFrame, inside: pd.DataFrame, console: Console) -> None:
    table = Table(title=f"{title}: WAPE and MASE, lower is better")
    table.add_column("Method")
    headings = [f"{h} days" for h in HORIZONS]
    for heading in (*headings, "30 days / seasonal naive", "MASE, 30 days", "30-day totals by provider"):
        table.add_column(heading, justify="right")
    near = {h: dict(list(judged[judged["step"] <= h].groupby("method", sort=False))) for h in HORIZONS}
    wapes = {
        m: [wape(near[h][m]["actual"].to_numpy(), near[h][m]["mean"].to_numpy()) for h in HORIZONS]
        for m in judged["method"].unique()
    }
    for method, of_method in wapes.items():
        table.add_row(
            method,
            *(f"{w:.4f}" for w in of_method),
            f"{of_method[1] / wapes['seasonal naive'][1]:.2f}",
            f"{mase(near[30][method]):.3f}",
            f"{_total_error(near[30][method]):.1%}",
            style="bold" if method == CHAMPION else None,
        )
    console.print(table)
    for horizon in HORIZONS:
        days = inside[inside["step"] <= horizon]
        console.print(
            f"{horizon} days: {days['80'].mean():.1%} in the 80% interval, {days['95'].mean():.1%} in the 95%"
        )
    console.print()


if __name__ == "__main__":
    main()
