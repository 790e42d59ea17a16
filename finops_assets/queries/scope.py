"""What of the published tables somebody with a scope sees: a database of views that bear their names.

Each question of this folder asks for tables by their bare names. On a cursor that uses such a database it
finds these views, and nothing else: the published tables are in another database, which no question names.
Every table is classified in RULES; one that is not is empty for everybody who does not see all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import duckdb

from finops_assets.access.scope import Grant, Scope
from finops_assets.normalize.tables import tag_column
from finops_assets.queries import scoped_series
from finops_assets.schema import MONTH, SOURCE, literal, quote
from finops_assets.warehouse.reader import NARROWED

RAW = "raw_"
"""What the names of tables of rows as delivered begin with; one rule holds for all of them."""

_LINE = (SOURCE, MONTH, "x_BillId", "x_File", "x_RowNumber")


@dataclass(frozen=True)
class _Place:
    """What a rule makes a view of: the table's name in the published file, and the scope."""

    table: str
    published: str
    scope: Scope
    columns: Collection[str]
    costs_columns: Collection[str]

    @property
    def relation(self) -> str:
        return f"{self.published}.{quote(self.table)}"


Rule = Callable[[_Place], str]
"""SQL of the rows of a table that a scope takes."""


def _everyone(at: _Place) -> str:
    """No row is anybody's."""
    return f"SELECT * FROM {at.relation}"


def _nobody(at: _Place) -> str:
    """What is of all bills together, or told elsewhere: only who sees all sees it."""
    return f"SELECT * FROM {at.relation} WHERE false"


def _of_charges(at: _Place) -> str:
    """Rows with source, accounts and tags: each by itself."""
    return f"SELECT * FROM {at.relation} WHERE {condition(at.scope, at.columns)}"


def _of_sources(at: _Place) -> str:
    """What is of whole bills: of the sources that the scope takes whole."""
    return f"SELECT * FROM {at.relation} WHERE {_whole_sources(at.scope)}"


def _of_lines(at: _Place) -> str:
    """Delivered lines: those of whole sources, and those all of whose charges the scope takes."""
    whole = f"SELECT * FROM {at.relation} WHERE {_whole_sources(at.scope)}"
    if all(grant.takes_whole_sources for grant in at.scope.grants):
        return whole
    inside = condition(at.scope, at.costs_columns)
    keys, costs = ", ".join(_LINE), f"{at.published}.costs"
    return f"""
{whole}
UNION ALL BY NAME
SELECT line.* FROM (
    SELECT * FROM {at.relation} AS line
    SEMI JOIN (SELECT {keys} FROM {costs} WHERE {inside}) AS c USING ({keys})
) AS line ANTI JOIN (SELECT {keys} FROM {costs} WHERE NOT {inside}) AS c USING ({keys})
WHERE NOT {_whole_sources(at.scope)}"""


def _of_series(at: _Place) -> str:
    """What is said of a series: of those whose money lies wholly inside the scope."""
    return f"SELECT * FROM {at.relation} WHERE {scoped_series.IS_WHOLE}"


def _of_anomalies(at: _Place) -> str:
    """Events of whole series; the largest seen tells a story whose best event is out of sight."""
    return f"""
SELECT * REPLACE (
    coalesce(
        max(CASE WHEN anomaly_id = story_id THEN anomaly_id END) OVER story,
        first_value(anomaly_id) OVER (PARTITION BY story_id ORDER BY abs(impact) DESC, anomaly_id)
    ) AS story_id
) FROM ({_of_series(at)}) WINDOW story AS (PARTITION BY story_id)"""


def _of_drivers(at: _Place) -> str:
    events = f"SELECT anomaly_id FROM {at.published}.cost_anomalies WHERE {scoped_series.IS_WHOLE}"
    return f"SELECT * FROM {at.relation} WHERE anomaly_id IN ({events})"


def _of_budget_days(at: _Place) -> str:
    """The days of budgets that are seen; a budget's name names one series."""
    seen = f"SELECT budget, first_day FROM {at.published}.budget_status WHERE {scoped_series.IS_WHOLE}"
    return f"SELECT * FROM {at.relation} SEMI JOIN ({seen}) AS seen USING (budget, first_day)"


def _of_features(at: _Place) -> str:
    return scoped_series.features_sql(at.published)


def _of_forecasts(at: _Place) -> str:
    return scoped_series.forecasts_sql(at.published)


def _of_months(at: _Place) -> str:
    return scoped_series.months_sql(at.published)


def _of_snapshot(at: _Place) -> str:
    """When it was published. Versions and rows of tables tell what came of others."""
    return (
        "SELECT * REPLACE ('' AS run_id, NULL::BIGINT AS table_version, NULL::BIGINT AS table_rows) "
        f"FROM {at.relation}"
    )


RULES: Mapping[str, Rule] = {
    "snapshot": _of_snapshot,
    "exchange_rates": _everyone,
    # Money by its own source, account and tags.
    "costs": _of_charges,
    "daily_costs": _of_charges,
    # Series, and what is said of them.
    "cost_features": _of_features,
    "cost_forecasts": _of_forecasts,
    "cost_forecasts_monthly": _of_months,
    "cost_anomalies": _of_anomalies,
    "anomaly_drivers": _of_drivers,
    "anomaly_feedback": _of_series,
    "budget_status": _of_series,
    "budget_days": _of_budget_days,
    # Of all series of a level together.
    "forecast_accuracy": _nobody,
    "forecast_record": _nobody,
    "forecast_trainings": _nobody,
    # Of whole bills.
    "bills": _of_sources,
    "account_names": _of_sources,
    "quality": _of_sources,
    "published_quality": _of_sources,
    "conformance": _of_sources,
    "restatements": _of_sources,
    "invoices": _of_sources,
    "control_totals": _of_sources,
    "billing_periods": _of_sources,
    "invoice_details": _of_sources,
    "contract_commitments": _of_sources,
    # Said of all bills, in words that may name anything.
    "planned_changes": _nobody,
    "ending_commitments": _nobody,
    # To whom an alert went is the business of those who run the platform.
    "alerts": _nobody,
}
"""Published table → how a scope applies to it. `raw_…` tables are delivered lines."""


def rule_of(table: str) -> Rule | None:
    """How a scope applies to a published table; None for one that nobody has classified."""
    return _of_lines if table.startswith(RAW) else RULES.get(table)


@dataclass(frozen=True)
class Scoped:
    """The part of a version that a scope takes."""

    scope: Scope

    @property
    def name(self) -> str:
        """That of its database."""
        return f"{NARROWED}{self.scope.key}"

    def build(self, connection: duckdb.DuckDBPyConnection, published: str) -> None:
        """Fill it: a view for each table of the database `published`."""
        source = quote(published)
        columns: dict[str, list[str]] = {}
        for table, column in connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = ? AND NOT internal "
            "ORDER BY table_name, column_index",
            [published],
        ).fetchall():
            columns.setdefault(table, []).append(column)
        connection.execute(f"USE {quote(self.name)}")
        if "daily_costs" in columns and "cost_features" in columns:
            inside = condition(self.scope, columns["daily_costs"])
            scoped_series.build(connection, source, inside, columns["daily_costs"])
        for table, own in columns.items():
            at = _Place(table, source, self.scope, own, columns.get("costs", ()))
            connection.execute(f"CREATE VIEW {quote(table)} AS {(rule_of(table) or _nobody)(at)}")


def condition(scope: Scope, columns: Collection[str]) -> str:
    """SQL over rows with these columns: whether the scope takes the row. Never null.

    A tag that the table has no column of takes no row: the published file knows nothing of it yet.
    """
    return (
        " OR ".join(f"({_taken(g, columns)})" for g in scope.grants).join("()") if scope.grants else "false"
    )


def _taken(grant: Grant, columns: Collection[str]) -> str:
    terms = []
    if grant.sources is not None:
        terms.append(_one_of(SOURCE, grant.sources))
    if grant.accounts is not None:
        either = (_one_of(c, grant.accounts) for c in ("SubAccountId", "BillingAccountId"))
        terms.append(f"({' OR '.join(either)})")
    for key, values in grant.tags:
        column = tag_column(key)
        terms.append(_one_of(column, values) if column in columns else "false")
    return " AND ".join(terms) or "true"


def _whole_sources(scope: Scope) -> str:
    whole = sorted({s for g in scope.grants if g.takes_whole_sources for s in g.sources or ()})
    return _one_of(SOURCE, whole)


def _one_of(column: str, values: Collection[str]) -> str:
    """Quoted constants, never parameters, which a view takes none of; files are pruned by them."""
    if not values:
        return "false"
    return f"coalesce({quote(column)} IN ({', '.join(literal(v) for v in values)}), false)"
