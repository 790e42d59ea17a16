"""The `costs` table: FOCUS 1.4 Cost and Usage, where each row came from, and the promoted tag keys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from finops_assets.focus.columns import columns
from finops_assets.schema import BILL_KEYS, BY_BILL, ROW_ORIGIN, Column, Table, literal, quote

CUSTOM = (
    Column("x_PublisherName", "VARCHAR", "Who published the product; FOCUS 1.0-1.2's PublisherName."),
    Column("x_ResourceGroupName", "VARCHAR", "Azure resource group, lower case."),
    Column("x_Inferred", "VARCHAR", "Columns the bill did not state and we inferred, comma separated."),
)


def tag_column(key: str) -> str:
    """The column that a promoted tag key becomes: 'cost-center' → x_Tag_cost_center."""
    return "x_Tag_" + re.sub(r"\W", "_", key)


def normalized_columns() -> tuple[Column, ...]:
    """What every normalization SQL gives: all FOCUS columns, our custom ones, the row's origin."""
    focus = tuple(
        Column(c.name, c.sql_type, f"FOCUS {c.since}, {c.level.lower()}, {c.category.lower()}.")
        for c in columns()
    )
    return (*focus, *CUSTOM, *ROW_ORIGIN)


def costs_table(tag_keys: Sequence[str]) -> Table:
    """`costs` for these promoted tag keys."""
    tags = tuple(Column(tag_column(k), "VARCHAR", f"The value of tag {k}.") for k in tag_keys)
    return Table(
        name="costs",
        description="One FOCUS 1.4 Cost and Usage row, with the delivered line it came from.",
        columns=(*normalized_columns(), *tags, *BILL_KEYS),
        partition_by=BY_BILL,
        order_by=("ServiceName", "SubAccountId", "ResourceId", "ChargePeriodStart"),
    )


def with_tag_columns(sql: str, tag_keys: Sequence[str]) -> str:
    """The normalization `sql` with one more column for each promoted tag key."""
    if not tag_keys:
        return sql
    promoted = ", ".join(
        f"json_extract_string(Tags, {literal(_json_path(k))}) AS {quote(tag_column(k))}" for k in tag_keys
    )
    return f"SELECT *, {promoted} FROM ({sql})"


def with_account_names(sql: str) -> str:
    """The normalization `sql` with names out of the relation `account_names` where the bill has none."""
    named = {"SubAccountName": "SubAccountId", "BillingAccountName": "BillingAccountId"}
    filled = ", ".join(
        f"coalesce(c.{name}, of_{number}.AccountName) AS {name}" for name, number in named.items()
    )
    inferred = ", ".join(
        f"CASE WHEN c.{name} IS NULL AND of_{number}.AccountName IS NOT NULL THEN '{name}' END"
        for name, number in named.items()
    )
    joins = " ".join(
        f"LEFT JOIN account_names AS of_{number} ON of_{number}.AccountId = c.{number}"
        for number in named.values()
    )
    return (
        f"SELECT c.* REPLACE ({filled}, nullif(concat_ws(',', c.x_Inferred, {inferred}), '') AS x_Inferred) "
        f"FROM ({sql}) AS c {joins}"
    )


def _json_path(key: str) -> str:
    return '$."' + key.replace('"', '\\"') + '"'


def complete(sql: str) -> str:
    """The normalization `sql` with every FOCUS and custom column it leaves out, as typed nulls."""
    nothing = ", ".join(f"NULL::{c.type} AS {quote(c.name)}" for c in normalized_columns())
    return f"SELECT {nothing} WHERE false UNION ALL BY NAME ({sql})"
