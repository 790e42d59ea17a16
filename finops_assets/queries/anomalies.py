"""Events that left what was expected of their series, and what they are made of."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.forecasts import Level, names_of

Status: TypeAlias = Literal["open", "ended"]
Severity: TypeAlias = Literal["low", "medium", "high", "critical"]


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
        """
SELECT * FROM cost_anomalies
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
    found = fetch(warehouse, "SELECT * FROM cost_anomalies WHERE anomaly_id = ?", (anomaly_id,)).to_pylist()
    if not found:
        raise UnknownAnomalyError(f"No anomaly is called {anomaly_id!r}.")
    return dict(found[0])


def drivers(warehouse: Reader, anomaly_id: str) -> pa.Table:
    """What an event is made of, by dimension and rank; each dimension's contributions sum to its impact."""
    return fetch(
        warehouse,
        "SELECT * FROM anomaly_drivers WHERE anomaly_id = ? ORDER BY dimension, rank",
        (anomaly_id,),
    )
