"""How good the forecasts are, beside what one would use instead: `python -m benchmarks.forecast_accuracy`.

Every method says at the same origins what comes, on the same days. The champion of an origin is chosen,
its weights learned and its intervals calibrated before that origin: each fleet is cut at its last 90 days,
forecast by the platform as it stands, and judged on these days, that no part of it has seen.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import process_time

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.generated_fleets import FIRST_DAY, generated_fleet
from benchmarks.public_series import public_series
from finops_assets.forecasting.backtest import MIN_TRAINING
from finops_assets.forecasting.boosted import DirectXGBoost
from finops_assets.forecasting.fleet import SeriesForecasts, forecast_series
from finops_assets.forecasting.history import FloatArray, History, Series
from finops_assets.forecasting.models import AutoETS, AutoTheta, Model, SeasonalNaive
from finops_assets.forecasting.prophet import Prophet

HORIZONS = (7, 30, 90)
AHEAD = HORIZONS[-1]
CHAMPION = "platform's champion"
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
    arguments.add_argument("--sizes", type=int, nargs="*", default=[50, 200], help="sizes of made-up fleets")
    arguments.add_argument("--days", type=int, default=730)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--origins", type=int, default=1, help="cuts of each fleet, 30 days apart")
    arguments.add_argument("--no-public", action="store_true", help="leave out the real series")
    arguments.add_argument("--no-prophet", action="store_true", help="leave out Prophet alone, the slowest")
    arguments.add_argument("--speed", type=int, help="only time this many made-up series")
    asked = arguments.parse_args()
    if asked.speed:
        speed(_generated(asked.speed, asked.days, asked.seed), Console())
        return
    fleets = [_generated(size, asked.days, asked.seed) for size in asked.sizes]
    if not asked.no_public:
        public = public_series()
        fleets.append(Fleet(f"{len(public)} public daily series", public, [n.split()[0] for n in public]))
    for fleet in fleets:
        report(fleet, asked.origins, Console(), with_prophet=not asked.no_prophet)


def speed(fleet: Fleet, console: Console) -> None:
    """Print how much processor time the platform takes, and one pass of AutoETS over the same series."""
    shown = list(fleet.histories.values())
    began = process_time()
    _run(shown)
    platform = process_time() - began
    plain = _seconds_of_one_ets(shown)
    began = process_time()
    AutoETS(thorough=False).forecast(shown, AHEAD)
    fast = process_time() - began
    console.print(
        f"{fleet.title}: {platform:.1f} s for backtest, champion, intervals and forecast; one AutoETS pass"
        f" takes {plain:.1f} s as statsforecast has it ({platform / plain:.2f} x), and"
        f" {fast:.1f} s in the tail's fixed form ({platform / fast:.1f} x)"
    )


def report(fleet: Fleet, origins: int, console: Console, *, with_prophet: bool) -> None:
    """Judge all methods on one fleet and print what came out."""
    judged: list[pd.DataFrame] = []
    inside: list[pd.DataFrame] = []
    seconds, one_pass = 0.0, 0.0
    for origin in range(origins):
        cut = AHEAD + 30 * origin
        kept = [i for i, h in enumerate(fleet.histories.values()) if len(h) >= cut + MIN_TRAINING]
        whole = [list(fleet.histories.values())[i] for i in kept]
        shown = [h.before(len(h) - cut) for h in whole]
        actual = [h.values[len(h) - cut : len(h) - cut + AHEAD] for h in whole]
        made = _alone(shown, with_prophet=with_prophet)
        began = process_time()
        platform, bounds = _platform(shown, actual)
        seconds += process_time() - began
        one_pass += _seconds_of_one_ets(shown)
        providers = [fleet.providers[i] for i in kept]
        for method, means in {**made, **platform}.items():
            judged.append(_errors(method, means, actual, providers, origin))
        inside.append(bounds)
    _print(fleet.title, pd.concat(judged), pd.concat(inside), seconds / one_pass, console)


def _generated(size: int, days: int, seed: int) -> Fleet:
    made = generated_fleet(size, days, seed)
    end = FIRST_DAY + days
    histories = {name: History(end - len(values), values) for name, (_, values) in made.items()}
    return Fleet(f"{size} made-up series", histories, [provider for provider, _ in made.values()])


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
    """The champion's and the combination's forecasts, and which days the champion's intervals held."""
    run = _run(shown)
    made: Made = {"Combination": [], CHAMPION: []}
    held = []
    for frame, came in zip(run.made, actual, strict=True):
        champion = frame[frame["is_champion"]]
        combined = frame[frame["model"] == "Combination"]
        made[CHAMPION].append(champion["mean"].to_numpy())
        made["Combination"].append((combined if len(combined) else champion)["mean"].to_numpy())
        inside = {
            c: (came >= champion[f"lo_{c}"].to_numpy() - 0.005)
            & (came <= champion[f"hi_{c}"].to_numpy() + 0.005)
            for c in ("80", "95")
        }
        held.append(pd.DataFrame({"step": np.arange(1, AHEAD + 1), **inside}))
    return made, pd.concat(held)


def _run(shown: Sequence[History]) -> SeriesForecasts:
    series = [Series(i, "service", "EffectiveCost", "USD", h) for i, h in enumerate(shown)]
    return forecast_series(series, horizon=AHEAD)


def _seconds_of_one_ets(shown: Sequence[History]) -> float:
    """Time of statsforecast's AutoETS, as it comes, for all series, measured on a sample of them."""
    from statsforecast.models import AutoETS as Fit

    sample = shown[:: max(1, len(shown) // 20)]
    fit = Fit(season_length=7)
    fit.forecast(y=sample[0].values, h=AHEAD)
    began = process_time()
    for history in sample:
        fit.forecast(y=history.values, h=AHEAD)
    return (process_time() - began) * len(shown) / len(sample)


def _errors(
    method: str,
    means: Sequence[FloatArray],
    actual: Sequence[FloatArray],
    providers: Sequence[str],
    origin: int,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": method,
            "provider": np.repeat(list(providers), AHEAD),
            "origin": origin,
            "step": np.tile(np.arange(1, AHEAD + 1), len(means)),
            "mean": np.concatenate(list(means)),
            "actual": np.concatenate(list(actual)),
        }
    )


def _total_error(days: pd.DataFrame) -> float:
    """Errors of each provider's 30-day total, over the sum of the totals."""
    sums = days[days["step"] <= 30].groupby(["provider", "origin"])[["mean", "actual"]].sum()
    return float((sums["mean"] - sums["actual"]).abs().sum() / sums["actual"].abs().sum())


def _wape(days: pd.DataFrame, horizon: int) -> float:
    near = days[days["step"] <= horizon]
    return float((near["mean"] - near["actual"]).abs().sum() / near["actual"].abs().sum())


def _print(title: str, judged: pd.DataFrame, inside: pd.DataFrame, times: float, console: Console) -> None:
    table = Table(title=f"{title}: WAPE, lower is better")
    table.add_column("Method")
    headings = [f"{h} days" for h in HORIZONS]
    for heading in (*headings, "30 days / seasonal naive", "30-day totals by provider"):
        table.add_column(heading, justify="right")
    measure: Callable[[str, int], float] = lambda m, h: _wape(judged[judged["method"] == m], h)  # noqa: E731
    for method in judged["method"].unique():
        wapes = [measure(method, h) for h in HORIZONS]
        table.add_row(
            method,
            *(f"{w:.3f}" for w in wapes),
            f"{wapes[1] / measure('seasonal naive', 30):.2f}",
            f"{_total_error(judged[judged['method'] == method]):.1%}",
            style="bold" if method == CHAMPION else None,
        )
    console.print(table)
    for horizon in HORIZONS:
        near = inside[inside["step"] <= horizon]
        console.print(
            f"{horizon} days: {near['80'].mean():.1%} in the 80% interval, {near['95'].mean():.1%} in the 95%"
        )
    console.print(f"Backtest, champion, intervals and forecast took {times:.1f} x one pass of AutoETS\n")


if __name__ == "__main__":
    main()
