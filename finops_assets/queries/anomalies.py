"""Events that left what was expected of their series, and what they are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from finops_assets.marts.anomalies import COST_ANOMALIES
from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.dimensions import Filter
from finops_assets.queries.earlier import with_later_columns
from finops_assets.queries.forecasts import Level, names_of

Status: TypeAlias = Literal["open", "ended"]
Severity: TypeAlias = Literal["low", "medium", "high", "critical"]


NONE, OTHER, UNEXPLAINED = "(none)", "(other)", "(unexplained)"
"""What the drivers call a missing value, the values beyond the ten largest, and the rest."""
ELSEWHERE, EVERYWHERE = "(elsewhere)", "(everywhere)"
"""What they call the rest beside the causes, and a cause that has no place."""

CAUSE, EFFECT = "cause", "effect"
"""The two dimensions that are no columns: where an event comes from, and what changed."""

_EVENTS = with_later_columns(COST_ANOMALIES)

_FIXES = re.compile(r"(?:^|; )([A-Za-z_]\w*)=")


class UnknownAnomalyError(LookupError):
    """No event has that id."""


def anomalies(
    warehouse: Reader,
    *,
    start: date | None = None,
    end: date | None = None,
    status: Status | None = None,
    severity: Severity | None = None,
    level: Level | None = None,
    provider: str | tuple[str, ...] | None = None,
    metric: str | None = None,
    currency: str | None = None,
    limit: int | None = None,
) -> pa.Table:
    """Events that touch the days from `start` to before `end`, the newest first, then by impact.

    `provider` is a ServiceProviderName, or several. Columns: those of cost_anomalies; money is decimal128.
    """
    return fetch(
        warehouse,
        f"""
SELECT * FROM ({_EVENTS})
WHERE ($1 IS NULL OR last_day >= $1) AND ($2 IS NULL OR first_day < $2)
    AND ($3 IS NULL OR status = $3) AND ($4 IS NULL OR severity = $4) AND ($5 IS NULL OR level = $5)
    AND ($6 IS NULL OR list_contains($6::VARCHAR[], ServiceProviderName))
    AND ($7 IS NULL OR metric = $7) AND ($8 IS NULL OR BillingCurrency = $8)
ORDER BY first_day DESC, abs(impact) DESC, anomaly_id
LIMIT $9
""",
        (start, end, status, severity, level, names_of(provider), metric, currency, limit),
    )


def anomaly(warehouse: Reader, anomaly_id: str) -> dict[str, Any]:
    """One event, column → value. Raises UnknownAnomalyError."""
    found = fetch(warehouse, f"SELECT * FROM ({_EVENTS}) WHERE anomaly_id = ?", (anomaly_id,)).to_pylist()
    if not found:
        raise UnknownAnomalyError(f"No anomaly is called {anomaly_id!r}.")
    return dict(found[0])


def drivers(warehouse: Reader, anomaly_id: str) -> pa.Table:
    """What an event is made of, by dimension and rank; each dimension's contributions sum to its impact.

    Its causes come first, then its effects, then the dimensions by name.
    """
    return fetch(
        warehouse,
        "SELECT * FROM anomaly_drivers WHERE anomaly_id = $1 "
        "ORDER BY dimension <> $2, dimension <> $3, dimension, rank",
        (anomaly_id, CAUSE, EFFECT),
    )


def cause_place(value: str) -> dict[str, str]:
    """The columns that a cause fixes and their values: 'ServiceName=S3; RegionId=(none)', or nothing."""
    parts = _FIXES.split(value)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def driver_filters(
    warehouse: Reader, drivers: Sequence[Mapping[str, Any]]
) -> list[tuple[Filter, ...] | None]:
    """For each driver of one event and dimension, the filters under which costs() adds up its `actual`.

    They come on top of the series' own. None for what is of no rows (an effect, what is unexplained), and for
    what filters cannot say: elsewhere, and a cause that shares rows with one before it.
    """
    dimension = drivers[0]["dimension"]
    if dimension == EFFECT:
        return [None] * len(drivers)
    if dimension == CAUSE:
        return _cause_filters(warehouse, drivers)
    values = [None if d["value"] == NONE else d["value"] for d in drivers]
    named = [v for v in values if v not in {OTHER, UNEXPLAINED}]
    # An account without a name goes by its number.
    numbers = _numbers(warehouse, named) if dimension == "SubAccountName" else frozenset()
    found: list[tuple[Filter, ...] | None] = []
    for value in values:
        if value == UNEXPLAINED:
            found.append(None)
        elif value == OTHER:
            left_out = [v for v in named if v not in numbers]
            ids = [v for v in named if v in numbers]
            found.append(
                (
                    *((Filter(dimension, tuple(left_out), exclude=True),) if left_out else ()),
                    *((Filter("SubAccountId", tuple(ids), exclude=True),) if ids else ()),
                )
            )
        else:
            found.append((Filter("SubAccountId" if value in numbers else dimension, (value,)),))
    return found


def _cause_filters(
    warehouse: Reader, drivers: Sequence[Mapping[str, Any]]
) -> list[tuple[Filter, ...] | None]:
    places = [cause_place(d["value"]) for d in drivers]
    numbers = _numbers(warehouse, [p["SubAccountName"] for p in places if "SubAccountName" in p])
    found: list[tuple[Filter, ...] | None] = []
    for n, (driver, place) in enumerate(zip(drivers, places, strict=True)):
        is_apart = all(any(place.get(c, v) != v for c, v in before.items()) for before in places[:n])
        if driver["value"] == ELSEWHERE or not is_apart:
            found.append(None)
            continue
        found.append(
            tuple(
                Filter(
                    "SubAccountId" if column == "SubAccountName" and value in numbers else column,
                    (None if value == NONE else value,),
                )
                for column, value in place.items()
            )
        )
    return found


def _numbers(warehouse: Reader, values: Sequence[str | None]) -> frozenset[str]:
    """Those of the values that no account is called by, and one is numbered by."""
    found = fetch(
        warehouse,
        """
SELECT DISTINCT SubAccountId AS id FROM daily_costs
WHERE SubAccountName IS NULL AND list_contains($1::VARCHAR[], SubAccountId)
    AND SubAccountId NOT IN (SELECT SubAccountName FROM daily_costs WHERE SubAccountName IS NOT NULL)
""",
        ([v for v in values if v is not None],),
    )
    return frozenset(found["id"].to_pylist())
