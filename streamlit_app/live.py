"""How right forecasts turned out, beside what their backtest promised."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.queries import forecasts
from streamlit_app import data

HORIZONS = {
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    "month_end": "Month's total",
    "3m": "3 months",
    "12m": "12 months",
}
_MEASURES = ("wape", "bias", "coverage_80", "coverage_95")


def backtest(level: str, metric: str, currency: str) -> pa.Table:
    """forecast_accuracy of one level, cost and currency."""
    table = data.ask(forecasts.accuracy)
    keep = pc.and_(pc.equal(table["level"], level), pc.equal(table["metric"], metric))
    return table.filter(pc.and_(keep, pc.equal(table["BillingCurrency"], currency)))


def errors_by_model(level: str, metric: str, currency: str) -> dict[tuple[str, bool, str], float]:
    """(model, whether it was in force, horizon) → its WAPE so far over all makings, where there is one."""
    return {
        (row["model"], row["is_champion"], row["horizon"]): row["wape"]
        for row in _record(level, metric, currency, None)
        if row["model"] is not None and row["wape"] is not None
    }


def beside_backtest(level: str, metric: str, currency: str, made_on: date | None) -> pa.Table:
    """What was in force, a row a horizon that has come: how right it was, and what the backtest promised.

    `made_on` is one making's day; None takes all makings. Columns: horizon (in words), windows, series,
    wape, bias, coverage_80, coverage_95, and these four with `promised_` before: the backtest of the
    model now in force, null where it did not reach so far.
    """
    promised = {r["horizon"]: r for r in backtest(level, metric, currency).to_pylist() if r["is_champion"]}
    rows = []
    for row in _record(level, metric, currency, made_on):
        if row["model"] is None:
            then: dict[str, Any] = promised.get(row["horizon"], {})
            rows.append(
                {
                    "horizon": HORIZONS[row["horizon"]],
                    **{name: row[name] for name in ("windows", "series", *_MEASURES)},
                    **{f"promised_{name}": then.get(name) for name in _MEASURES},
                }
            )
    numbers = [*_MEASURES, *(f"promised_{name}" for name in _MEASURES)]
    schema = pa.schema(
        [("horizon", pa.string()), ("windows", pa.int32()), ("series", pa.int32())]
        + [(name, pa.float64()) for name in numbers]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def _record(level: str, metric: str, currency: str, made_on: date | None) -> list[dict[str, Any]]:
    of = cast("forecasts.Level", level)
    table = data.ask(forecasts.record, level=of, metric=metric, currency=currency, made_on=made_on)
    rows: list[dict[str, Any]] = table.to_pylist()
    return [row for row in rows if row["made_on"] == made_on]
