"""How each budget stands: its series' costs and forecast, brought to the pure functions and back as rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.budget_settings import SCOPE_COLUMNS, Budget
from finops_assets.decisions.budgets import KnownBudget
from finops_assets.engine.base import Engine, Input
from finops_assets.forecasting.budgets import BurnDown, DayAhead, burn_down, periods
from finops_assets.forecasting.history import FloatArray
from finops_assets.forecasting.paths import path_matrix
from finops_assets.marts.budgets import AHEAD_SQL, BUDGET_DAYS, BUDGET_STATUS, SPENT_SQL, UNTIL_SQL

PAST_PERIODS = 12


@dataclass(frozen=True)
class _Held:
    """What one budget is held against. Without a series nothing was spent and nothing is forecast."""

    series_id: str | None
    spent: Mapping[date, Decimal]
    ahead: Sequence[DayAhead]
    errors: FloatArray


def budget_tables(
    known: Sequence[KnownBudget], engine: Engine, inputs: Mapping[str, Input], made_at: datetime
) -> tuple[pa.Table, pa.Table]:
    """`budget_status` and `budget_days` of every budget's current period and of PAST_PERIODS before it.

    `inputs` are cost_features, cost_forecasts and forecast_paths. The current period is that of the first
    day whose costs are not complete yet; periods before a series' first charge are left out. Both are empty
    while there are no costs.
    """
    until: date | None = engine.fetch(UNTIL_SQL, inputs)["day"][0].as_py()
    status: list[dict[str, Any]] = []
    days: list[dict[str, Any]] = []
    if known and until is not None:
        held = _held([k.budget for k in known], engine, inputs)
        for each in known:
            for row, found in _periods(each, held[each.budget.name], until):
                status.append({**row, "made_at": made_at})
                keys = {"budget": row["budget"], "first_day": row["first_day"]}
                days += [{**keys, **asdict(day)} for day in found.days]
    return (
        pa.Table.from_pylist(status, schema=BUDGET_STATUS.arrow_schema()),
        pa.Table.from_pylist(days, schema=BUDGET_DAYS.arrow_schema()),
    )


def _held(budgets: Sequence[Budget], engine: Engine, inputs: Mapping[str, Input]) -> dict[str, _Held]:
    named = pa.Table.from_pylist([{"budget": b.name, **_series_of(b)} for b in budgets], schema=_NAMES)
    given = {**inputs, "budgets": named}
    spent: dict[str, dict[date, Decimal]] = defaultdict(dict)
    ahead: dict[str, list[DayAhead]] = defaultdict(list)
    ids: dict[str, str] = {}
    for row in engine.fetch(SPENT_SQL, given).to_pylist():
        spent[row["budget"]][row["day"]] = row["cost"]
        ids[row["budget"]] = row["series_id"]
    for row in engine.fetch(AHEAD_SQL, given).to_pylist():
        ahead[row.pop("budget")].append(DayAhead(**row))
    paths = engine.fetch("SELECT * FROM forecast_paths", inputs)
    return {b.name: _Held(ids.get(b.name), spent[b.name], ahead[b.name], _errors(paths, b)) for b in budgets}


def _errors(paths: pa.Table, budget: Budget) -> FloatArray:
    keys = {"level": budget.level, "metric": budget.metric, "BillingCurrency": budget.currency}
    for column, value in keys.items():
        paths = paths.filter(pc.equal(paths[column], value))
    return path_matrix(paths) if paths.num_rows else np.empty((0, 0))


def _periods(known: KnownBudget, held: _Held, until: date) -> Iterator[tuple[dict[str, Any], BurnDown]]:
    budget = known.budget
    data_until = max(held.spent, default=until)
    first_charge = min(held.spent, default=None)
    today = date.fromordinal(until.toordinal() + 1)
    for place, (first, last) in enumerate(periods(budget.period, budget.first_month, today, PAST_PERIODS)):
        if place and (first_charge is None or last < first_charge):
            continue
        found = burn_down(budget.amount, first, last, data_until, held.spent, held.ahead, held.errors)
        row = {
            "budget": budget.name,
            "period": budget.period,
            "is_current": place == 0,
            "series_id": held.series_id,
            **_series_of(budget),
            "origin": known.origin,
            "amount": budget.amount,
            "first_day": first,
            "last_day": last,
            "data_until": data_until,
            **{name: getattr(found, name) for name in _FOUND},
        }
        yield row, found


def _series_of(budget: Budget) -> dict[str, str | None]:
    scope = {column: budget.scope.get(key) for key, column in SCOPE_COLUMNS.items()}
    return {"level": budget.level, "metric": budget.metric, "BillingCurrency": budget.currency, **scope}


_NAMES = pa.schema(
    [(c, pa.string()) for c in ("budget", "level", "metric", "BillingCurrency", *SCOPE_COLUMNS.values())]
)

_FOUND = (
    "actual",
    "expected",
    "lo_80",
    "hi_80",
    "crossing_probability",
    "crossed_on",
    "crossing_day",
    "crossing_from",
    "state",
)
