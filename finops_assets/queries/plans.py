"""What is known of the costs to come: what the published forecast knew of, and what can be named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from finops_assets.marts.plans import ENDING_COMMITMENTS, PLANNED_CHANGES
from finops_assets.plan_settings import SCOPE_COLUMNS
from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.dimensions import Filter, columns_of, conditions


class UnknownScopeError(ValueError):
    """No series of the bills has this value; `key` is that of the scope, `allowed` what there is."""

    def __init__(self, key: str, found: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"expected a {key} that the bills have ({', '.join(allowed)}), found {found!r}")
        self.key, self.found, self.allowed = key, found, allowed


def published_plan_ids(warehouse: Reader) -> set[str]:
    """The plan_ids that the published forecast took into account."""
    if not columns_of(warehouse, PLANNED_CHANGES.name):
        return set()
    return set(fetch(warehouse, "SELECT plan_id FROM planned_changes")["plan_id"].to_pylist())


def scope_values(warehouse: Reader, key: str, within: Mapping[str, str]) -> tuple[str, ...]:
    """The values that a key of SCOPE_COLUMNS has in the bills among the costs of `within`, sorted."""
    conditions = "".join(f" AND {SCOPE_COLUMNS[k]} = ?" for k in within)
    found = fetch(
        warehouse,
        f"SELECT DISTINCT {SCOPE_COLUMNS[key]} AS value FROM cost_features "
        f"WHERE level = 'account_service' AND value IS NOT NULL{conditions} ORDER BY value",
        tuple(within.values()),
    )
    return tuple(found["value"].to_pylist())


def check_scope(warehouse: Reader, scope: Mapping[str, str]) -> None:
    """Raise UnknownScopeError for the first key whose value the bills do not have beside those before it.

    What is not in a bill yet has no series that could be moved: its launch is one of the account or provider
    that will have it.
    """
    within: dict[str, str] = {}
    for key, value in scope.items():
        allowed = scope_values(warehouse, key, within)
        if value not in allowed:
            raise UnknownScopeError(key, value, allowed)
        within[key] = value


def commitments_ending(
    warehouse: Reader, metric: str, *, currency: str | None = None, filters: Sequence[Filter] = ()
) -> pa.Table:
    """Commitments that end after the newest data, and what costs change by then; the first to end first.

    `filters` narrow it to leaves by SCOPE_COLUMNS' columns. A row a commitment and currency, columns:
    ContractCommitmentId, ContractCommitmentType, ContractCommitmentDescription, ServiceProviderName,
    BillingCurrency, first_day (the first that it does not cover), renewed_by, a_day and fees_a_month (what
    is added to each day's and each month's cost from then on, decimal128; nothing while it is renewed).
    """
    if not columns_of(warehouse, ENDING_COMMITMENTS.name):
        return _COMMITMENTS.empty_table()
    narrowed, params = conditions(filters, list(SCOPE_COLUMNS.values()))
    where = " AND ".join(["metric = ?", "(? IS NULL OR BillingCurrency = ?)", *narrowed])
    return fetch(
        warehouse,
        f"""
SELECT ContractCommitmentId, ContractCommitmentType, ContractCommitmentDescription, ServiceProviderName,
    BillingCurrency, first_day, renewed_by,
    CAST(coalesce(sum(amount) FILTER (day_of_month IS NULL), 0) AS DECIMAL(38, 18)) AS a_day,
    CAST(coalesce(sum(amount) FILTER (day_of_month IS NOT NULL), 0) AS DECIMAL(38, 18)) AS fees_a_month
FROM ending_commitments WHERE {where}
GROUP BY ALL ORDER BY first_day, ContractCommitmentId, BillingCurrency
""",
        (metric, currency, currency, *params),
    )


_COMMITMENTS = pa.schema(
    [
        *((c, pa.string()) for c in ("ContractCommitmentId", "ContractCommitmentType")),
        *((c, pa.string()) for c in ("ContractCommitmentDescription", "ServiceProviderName")),
        ("BillingCurrency", pa.string()),
        ("first_day", pa.date32()),
        ("renewed_by", pa.string()),
        ("a_day", pa.decimal128(38, 18)),
        ("fees_a_month", pa.decimal128(38, 18)),
    ]
)
