"""What comes in beside the rows: `bills`, every delivery of every bill, and `account_names`."""

from __future__ import annotations

from finops_assets.schema import BILL_KEYS, BY_BILL, Column, Table

BILLS = Table(
    name="bills",
    description="One delivery of one bill of one source: what came, when, what it adds up to.",
    columns=(
        Column("bill_id", "VARCHAR", "source/month/format/first 12 hex digits of the files' SHA-256."),
        Column("status", "VARCHAR", "accepted, quarantined or superseded."),
        Column("problem", "VARCHAR", "Why it was not taken: file, row or column, expected, found."),
        Column("format", "VARCHAR", "The native format, as in raw_<format>; null when unknown."),
        Column("focus_version", "VARCHAR", "The FOCUS version the bill was written in, if any."),
        Column("delivery_id", "VARCHAR", "The provider's own id of the delivery, or the files' fingerprint."),
        Column("export", "VARCHAR", "The provider's name of the export; null for files without a manifest."),
        Column("fingerprint", "VARCHAR", "Names, sizes and times of the files when they were read."),
        Column("files", "VARCHAR", "JSON list of {path, sha256, bytes, rows}."),
        Column("bytes", "BIGINT", "Bytes of all files."),
        Column("rows", "BIGINT", "Rows of this month in all files."),
        Column("control_totals", "VARCHAR", "JSON list of {metric, currency, amount}; amount is a string."),
        Column("exported_at", "TIMESTAMPTZ", "When the provider wrote it: by manifest or file time."),
        Column("ingested_at", "TIMESTAMPTZ", "When it was accepted or quarantined here."),
        Column("run_id", "VARCHAR", "The Dagster run that took it in."),
        Column("decision", "VARCHAR", "Why it is taken although it breaks a rule: accepted_bills' reason."),
        *BILL_KEYS,
    ),
    partition_by=BY_BILL,
    order_by=("ingested_at",),
)

ACCOUNT_NAMES = Table(
    name="account_names",
    description="What an account was called when the month was last refreshed, of sources that are asked.",
    columns=(
        Column("AccountId", "VARCHAR", "The provider's number of the account."),
        Column("AccountName", "VARCHAR", "Its name in the organization."),
        *BILL_KEYS,
    ),
    partition_by=BY_BILL,
    order_by=("AccountId",),
)
