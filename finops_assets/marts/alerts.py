"""The table of what was told to whom."""

from __future__ import annotations

from finops_assets.schema import MONEY, Column, Table

ALERTS = Table(
    name="alerts",
    description="One thing told, or to be told, through one channel; what its first run finds old is seen.",
    columns=(
        Column("alert_id", "VARCHAR"),
        Column("channel", "VARCHAR", "The channel's name in finops.toml; never its address."),
        Column("subject_kind", "VARCHAR", "anomaly or budget."),
        Column("subject_id", "VARCHAR", "Such as cost_anomalies.anomaly_id."),
        Column("state", "VARCHAR", "What the subject was when it was told."),
        Column("severity", "VARCHAR", "low, medium, high or critical."),
        Column("impact", MONEY, "What the subject came to when it was told."),
        Column("BillingCurrency", "VARCHAR", "The currency of impact."),
        Column("mode", "VARCHAR", "immediate or digest."),
        Column("title", "VARCHAR"),
        Column("status", "VARCHAR", "waiting (for the digest), delivered, failed, given_up, or seen."),
        Column("attempts", "INTEGER", "How often delivery was tried."),
        Column("error", "VARCHAR", "Why the last attempt failed, without secrets; empty where none did."),
        Column("created_at", "TIMESTAMPTZ"),
        Column("tried_at", "TIMESTAMPTZ", "The last attempt."),
        Column("delivered_at", "TIMESTAMPTZ"),
    ),
    order_by=("created_at", "alert_id"),
)
