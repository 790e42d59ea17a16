"""What is known of the costs to come: what the published forecast knew of, and what can be named."""

from __future__ import annotations

from collections.abc import Mapping

from finops_assets.marts.plans import PLANNED_CHANGES
from finops_assets.plan_settings import SCOPE_COLUMNS
from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.dimensions import columns_of


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
