"""What is known of the costs to come: it moves the forecast from its day on, and once past misleads no fit.

The forecast of what is known in advance is what the models say without it, plus the change. So a change that
is past must not be learned twice: days of a passing change are replaced by what their weekday costs around
them, and the days before a change that stays are brought to the level after it. A change that stays is taken
as stated in its first week, and as the days show it from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_assets.forecasting.history import BoolArray, DayArray, FloatArray, History
from finops_assets.forecasting.models import WEEK
from finops_assets.forecasting.month_start import days_of_month
from finops_assets.forecasting.reconcile import scale_to, to_cents

SCOPE = ("ServiceProviderName", "BillingAccountId", "SubAccountId", "ServiceName")
"""The columns that a change can be narrowed by."""

_NEAR = 4
"""So many days of the same weekday on each side say what a day would have cost."""

_WINDOW = 4 * WEEK
_SIGMA_PER_MAD = 1.4826
_BANDS = ("lo_80", "hi_80", "lo_95", "hi_95")


@dataclass(frozen=True)
class Planned:
    """One change: `amount` is added to each of its days, or they change by `percent`; both signed.

    `scope` has values of SCOPE's columns, None for a leaf that has none; a `metric` or `currency` of None is
    all of them, a `last_day` of None stays. With `day_of_month` (see `month_start.days_of_month`) only
    these days change. What is `ahead_only` leaves the past alone.
    """

    first_day: np.datetime64
    last_day: np.datetime64 | None = None
    scope: Mapping[str, str | None] | None = None
    metric: str | None = None
    currency: str | None = None
    amount: float | None = None
    percent: float | None = None
    day_of_month: int | None = None
    ahead_only: bool = False

    def is_settled(self, newest: np.datetime64) -> bool:
        """Whether it stays, and the days up to `newest` show a week of it: then they say what it comes to."""
        return self.last_day is None and bool(newest - self.first_day >= np.timedelta64(WEEK - 1, "D"))

    def among(self, days: DayArray) -> BoolArray:
        """Which of the days it changes."""
        found = days >= self.first_day
        if self.last_day is not None:
            found &= days <= self.last_day
        if self.day_of_month is not None:
            found &= days_of_month(days) == self.day_of_month
        return np.asarray(found, dtype=np.bool_)


def read_planned(table: pa.Table) -> list[Planned]:
    """The rows of `planned_changes` (their order is of no meaning)."""
    return [
        Planned(
            first_day=np.datetime64(row["first_day"]),
            last_day=None if row["last_day"] is None else np.datetime64(row["last_day"]),
            scope={c: row[c] for c in SCOPE if row[c] is not None},
            metric=row["metric"],
            currency=row["BillingCurrency"],
            amount=None if row["amount"] is None else float(row["amount"]),
            percent=None if row["percent"] is None else float(row["percent"]),
        )
        for row in table.sort_by([("first_day", "ascending"), ("plan_id", "ascending")]).to_pylist()
    ]


def read_commitments(table: pa.Table) -> list[Planned]:
    """The rows of `ending_commitments` whose commitment is not renewed: each changes one leaf."""
    return [
        Planned(
            first_day=np.datetime64(row["first_day"]),
            scope={c: row[c] for c in SCOPE},
            metric=row["metric"],
            currency=row["BillingCurrency"],
            amount=float(row["amount"]),
            day_of_month=row["day_of_month"],
            ahead_only=True,
        )
        for row in table.to_pylist()
        if row["renewed_by"] is None
    ]


def holds(plan: Planned, leaf: Mapping[str, object]) -> bool:
    """Whether a leaf is in the plan's scope, whole."""
    return _same(plan, leaf) and all(leaf[c] == value for c, value in (plan.scope or {}).items())


def touches(plan: Planned, series: Mapping[str, object]) -> bool:
    """Whether a series that is no leaf may hold costs of the plan's scope: none of its names contradicts."""
    named = {c: series[c] for c in SCOPE if not pd.isna(series[c])}  # type: ignore[call-overload] # a scalar
    scope = (plan.scope or {}).items()
    return _same(plan, series) and all(named.get(c, value) == value for c, value in scope)


def _same(plan: Planned, series: Mapping[str, object]) -> bool:
    return plan.metric in (None, series["metric"]) and plan.currency in (None, series["BillingCurrency"])


def cleaned(history: History, plans: Sequence[Planned], newest: np.datetime64) -> History:
    """The history as it would be without the passing changes, and always at the level after those that stay.

    `newest` is the newest day of all series: whether a change is settled is the same for all of them.
    """
    days = history.first_day + np.arange(len(history))
    values, marked = history.values, np.zeros(len(history), dtype=np.bool_)
    mine = [p for p in plans if not p.ahead_only and p.first_day <= history.last_day]
    for plan in mine:
        if not plan.is_settled(newest):
            marked |= plan.among(days)
    if marked.any():
        values = _usual(values, marked)
    for plan in sorted((p for p in mine if p.is_settled(newest)), key=lambda p: p.first_day):
        start = int((plan.first_day - history.first_day).astype(np.int64))
        if start > 0:
            values = _levelled(values, start, by_factor=plan.percent is not None)
    if values is history.values:
        return history
    return history.with_values(np.maximum(values, 0.0) if (history.values >= 0).all() else values)


def _usual(values: FloatArray, marked: BoolArray) -> FloatArray:
    """The values with each marked day as the nearest unmarked ones of its weekday, where there is one."""
    usual = values.copy()
    for day in np.flatnonzero(marked):
        same = np.arange(day % WEEK, len(values), WEEK)
        same = same[~marked[same]]
        at = int(np.searchsorted(same, day))
        near = same[max(0, at - _NEAR) : at + _NEAR]
        if len(near):
            usual[day] = np.median(values[near])
    return usual


def _levelled(values: FloatArray, start: int, *, by_factor: bool) -> FloatArray:
    """The values with the days before `start` at the level after it, if the step stands out of the noise."""
    before, after = values[max(0, start - _WINDOW) : start], values[start : start + _WINDOW]
    if len(before) < WEEK or len(after) < WEEK:
        return values
    # Of each weekday the median: neither a monthly charge nor a cut weekend makes a step.
    level_before = float(np.mean([np.median(before[-1 - k :: -WEEK]) for k in range(WEEK)]))
    level_after = float(np.mean([np.median(after[k::WEEK]) for k in range(WEEK)]))
    weekly = np.abs(values[WEEK:] - values[:-WEEK])
    if abs(level_after - level_before) <= max(_SIGMA_PER_MAD * float(np.median(weekly)), 0.01):
        return values
    moved = values.copy()
    if by_factor and level_before > 0 and level_after >= 0:
        moved[:start] *= level_after / level_before
    else:
        moved[:start] += level_after - level_before
    return moved


def applied(
    frames: Mapping[int, pd.DataFrame],
    names: Mapping[int, Mapping[str, object]],
    lowest: Mapping[int, float],
    plans: Sequence[Planned],
    newest: np.datetime64,
) -> dict[int, pd.DataFrame]:
    """The leaves' forecasts with what is planned in them; one after the other, the first to begin first.

    `frames` are `fleet`'s frames of the leaves, by position; `names` their names; `lowest` what their sign
    allows. An amount is spread over the leaves of its scope in proportion to their forecasts of the day, so
    that the scope moves by exactly this amount of cents, unless that takes a leaf below its lowest. Bands
    move with the mean; by a percentage they widen and narrow with it.
    """
    made = dict(frames)
    for plan in sorted(plans, key=lambda p: p.first_day):
        if not plan.ahead_only and plan.is_settled(newest):
            continue
        inside = [p for p in made if holds(plan, names[p])]
        for key in sorted({(str(names[p]["metric"]), str(names[p]["BillingCurrency"])) for p in inside}):
            mine = [p for p in inside if (names[p]["metric"], names[p]["BillingCurrency"]) == key]
            made |= _moved({p: made[p] for p in mine}, lowest, plan)
    return made


def _moved(
    frames: Mapping[int, pd.DataFrame], lowest: Mapping[int, float], plan: Planned
) -> dict[int, pd.DataFrame]:
    """The frames of one metric and currency with one change in them."""
    rows = pd.concat([f.assign(leaf=p, at=np.arange(len(f))) for p, f in frames.items()], ignore_index=True)
    changes = plan.among(rows["day"].to_numpy().astype("datetime64[D]"))
    rows = rows[rows["is_champion"].to_numpy() & changes].reset_index(drop=True)
    factor = 1.0 if plan.percent is None else 1 + plan.percent / 100
    old = rows["mean"].to_numpy()
    new = old * factor
    if plan.amount is not None:
        for places in rows.groupby("day").indices.values():
            shares = scale_to(np.maximum(old[places], 0.0).tolist(), round(plan.amount * 100))
            new[places] = (np.asarray(to_cents(old[places])) + np.asarray(shares)) / 100
    bounds = rows["leaf"].map(lowest).to_numpy()
    new = np.maximum(new, np.minimum(bounds, old))
    bands = new[:, None] + (rows[list(_BANDS)].to_numpy() - old[:, None]) * factor
    rows[["mean", *_BANDS]] = np.c_[new, np.maximum(bands, bounds[:, None])]
    moved = dict(frames)
    for leaf, mine in rows.groupby("leaf"):
        frame = frames[int(str(leaf))]
        values = frame[["mean", *_BANDS]].to_numpy()
        values[mine["at"].to_numpy()] = mine[["mean", *_BANDS]].to_numpy()
        moved[int(str(leaf))] = frame.assign(**dict(zip(("mean", *_BANDS), values.T, strict=True)))
    return moved
