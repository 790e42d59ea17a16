"""Charges written by hand, as rows of `costs`, and what SQL says of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from finops_assets.normalize.references import load_references

PROVIDERS = load_references()["ref_provider_names"]

ROW: dict[str, Any] = {
    "InvoiceId": "A-1",
    "InvoiceIssuerName": "Amazon Web Services, Inc.",
    "BillingAccountId": "payer",
    "BillingCurrency": "USD",
    "BilledCost": "10",
    "ServiceProviderName": "AWS",
    "x_PublisherName": "Amazon Web Services, Inc.",
    "ChargeCategory": "Usage",
    "ServiceName": "Machines",
    "SubAccountId": "7",
    "ChargePeriodStart": "2026-01-05 00:00:00+00",
}


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows of `costs`, each a change of the plain one; as raw rows of FOCUS they read the same."""
    full = [{**ROW, **row} for row in rows]
    text = pa.table({name: pa.array([row[name] for row in full], pa.string()) for name in ROW})
    typed = (
        "SELECT * REPLACE (BilledCost::DECIMAL(38,18) AS BilledCost, "
        "ChargePeriodStart::TIMESTAMPTZ AS ChargePeriodStart) FROM given"
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("given", text)
        return connection.sql(typed).to_arrow_table()


def bill(
    exported: datetime = datetime(2026, 2, 3, tzinfo=UTC), version: str | None = "1.2", form: str = "focus"
) -> pa.Table:
    """An accepted bill of January."""
    return pa.table(
        {
            "status": ["accepted"],
            "format": [form],
            "focus_version": pa.array([version], pa.string()),
            "exported_at": pa.array([exported], pa.timestamp("us", "UTC")),
            "x_BillingMonth": ["2026-01"],
        }
    )


def invoice_details(*lines: dict[str, Any], inferred: str | None = None) -> pa.Table:
    """Lines of invoices, as the provider delivers them unless something of them is `inferred`."""
    columns = ("InvoiceId", "BillingCurrency", "BilledCost", "InvoiceIssueStatus", "x_Inferred")
    plain = {"InvoiceId": "A-1", "BillingCurrency": "USD", "InvoiceIssueStatus": "Issued"}
    rows = [{**plain, "x_Inferred": inferred, **line} for line in lines]
    text = pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns})
    with duckdb.connect() as connection:
        connection.register("given", text)
        typed = "SELECT * REPLACE (BilledCost::DECIMAL(38,18) AS BilledCost) FROM given"
        return connection.sql(typed).to_arrow_table()


def ask(sql: str, **relations: pa.Table) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, relation in {**relations, "ref_provider_names": PROVIDERS}.items():
            connection.register(name, relation)
        found: list[dict[str, Any]] = connection.sql(sql).to_arrow_table().to_pylist()
    return found
