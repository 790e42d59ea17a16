"""How budgets stand, and their burn-down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from finops_assets.budget_settings import SCOPE_COLUMNS, Budget
from finops_assets.marts.budgets import BUDGET_DAYS, BUDGET_STATUS, scope_of
from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.dimensions import Filter
from finops_assets.queries.earlier import is_missing, with_later_columns


def budget_filters(row: Mapping[str, Any]) -> tuple[Filter, ...]:
    """The filters under which costs() of a row's metric, currency and days adds up exactly its `actual`."""
    return tuple(Filter(column, (value,)) for column, value in scope_of(row))


def spent_days(row: Mapping[str, Any]) -> tuple[date, date] | None:
    """The first and last day that a row's `actual` adds up; None before the first one."""
    last = min(row["data_until"], row["last_day"])
    return (row["first_day"], last) if last >= row["first_day"] else None


def budget_status(warehouse: Reader, *, past: bool = False) -> pa.Table:
    """Each budget's current period, the likeliest to be crossed first, and with `past` those before it.

    Columns: those of budget_status; money is decimal128. Empty for a state that was published before
    there were budgets.
    """
    if is_missing(warehouse, BUDGET_STATUS):
        return BUDGET_STATUS.arrow_schema().empty_table()
    return fetch(
        warehouse,
        f"""
SELECT * FROM ({with_later_columns(BUDGET_STATUS)}) WHERE is_current OR $1
ORDER BY is_current DESC, list_position(
    ['crossed', 'will_cross', 'at_risk', 'no_forecast', 'on_track', 'kept'], state
), crossing_probability DESC, first_day DESC, budget
""",
        (past,),
    )


def is_held(warehouse: Reader, budget: Budget) -> bool:
    """Whether the budget's current period stands there on the same terms, not on those that it had before."""
    terms = {
        "budget": budget.name,
        "amount": budget.amount,
        "BillingCurrency": budget.currency,
        "period": budget.period,
        "metric": budget.metric,
        **{column: getattr(budget, key) for key, column in SCOPE_COLUMNS.items()},
    }
    rows = budget_status(warehouse).to_pylist()
    return any(all(row[column] == value for column, value in terms.items()) for row in rows)


def burn_down(warehouse: Reader, budget: str, first_day: date | None = None) -> pa.Table:
    """Running totals of the budget's period that begins on `first_day`, or of its current one, by day.

    Columns: those of budget_days; money is decimal128. Empty when there is no such budget or period.
    """
    if is_missing(warehouse, BUDGET_DAYS):
        return BUDGET_DAYS.arrow_schema().empty_table()
    return fetch(
        warehouse,
        """
SELECT d.* FROM budget_days AS d JOIN budget_status AS s USING (budget, first_day)
WHERE d.budget = $1 AND if($2::DATE IS NULL, s.is_current, d.first_day = $2) ORDER BY d.day
""",
        (budget, first_day),
    )
