"""A published file as it was before some of its tables and columns came into being."""

from __future__ import annotations

import duckdb

from finops_assets.settings import Settings

LATER_TABLES = ("cost_forecasts_monthly", "planned_changes", "ending_commitments", "forecast_trainings")
LATER_COLUMNS = {
    "cost_anomalies": ("raised_on", "data_at"),
    "budget_status": ("BillingAccountId", "RegionId", "tag_key", "tag_value"),
}


def take_back(settings: Settings) -> None:
    """Take them out of the published files; horizons of accuracy are numbers of days again."""
    for path in settings.paths.warehouse.glob("*.duckdb"):
        with duckdb.connect(str(path)) as connection:
            for table in LATER_TABLES:
                connection.execute(f"DROP TABLE {table}")
                connection.execute("DELETE FROM snapshot WHERE table_name = ?", [table])
            for table, columns in LATER_COLUMNS.items():
                for column in columns:
                    connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
            connection.execute(
                "CREATE OR REPLACE TABLE forecast_accuracy AS "
                "SELECT * REPLACE (CAST(rtrim(horizon, 'd') AS INTEGER) AS horizon) FROM forecast_accuracy "
                "WHERE horizon IN ('7d', '30d', '90d')"
            )
