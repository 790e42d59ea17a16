"""Tenants of the built warehouse: what each may see, and what tells of the others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

import polars as pl

from finops_api.wire import money
from finops_assets.access.scope import Grant, Scope

TENANTS: dict[str, tuple[Scope, pl.Expr]] = {
    "source": (Scope((Grant(sources=("aws-main",)),)), pl.col("x_Source") == "aws-main"),
    "other sources": (
        Scope((Grant(sources=("azure-ea", "gcp-prod")),)),
        pl.col("x_Source").is_in(["azure-ea", "gcp-prod"]),
    ),
    "account": (Scope((Grant(accounts=("444455556666",)),)), pl.col("SubAccountId") == "444455556666"),
    "tag": (Scope((Grant(tags=(("team", ("shop",)),)),)), pl.col("x_Tag_team") == "shop"),
    "nothing": (Scope(()), pl.lit(value=False)),
}

NAMES = (
    "x_Source", "ServiceProviderName", "InvoiceIssuerName", "BillingAccountId", "BillingAccountName",
    "SubAccountId", "SubAccountName", "ServiceName", "RegionId", "RegionName", "x_ResourceGroupName",
    "ResourceId", "InvoiceId", "x_BillId", "x_File", "BillingCurrency", "x_Tag_team",
)  # fmt: skip
"""The columns whose values tell whose row it is."""

METRICS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")


def words(rows: pl.DataFrame, columns: Iterable[str] = NAMES) -> set[str]:
    return {str(v) for name in columns for v in rows[name].drop_nulls().unique() if len(str(v)) > 2}


_SUMMED_BY = (
    "x_Source", "ServiceProviderName", "SubAccountId", "ServiceName", "RegionId", "x_Tag_team", "x_Tag_env",
    "x_BillingMonth", "x_Day",
)  # fmt: skip


def sums(rows: pl.DataFrame) -> set[str]:
    """The sums that answers could hold: of all, by many columns and by two of them, as they travel."""
    by_day = rows.with_columns(x_Day=pl.col("ChargePeriodStart").dt.date().cast(pl.String))
    found = set()
    for by in [
        (),
        *((c,) for c in _SUMMED_BY),
        ("ServiceName", "SubAccountId"),
        ("x_Source", "x_BillingMonth"),
    ]:
        for _, group in by_day.group_by("BillingCurrency", *by):
            found |= {money(sum(group[metric].drop_nulls(), Decimal(0))) or "" for metric in METRICS}
    return {text for text in found if len(text) > 5}


def finder(foreign: set[str]) -> re.Pattern[str]:
    """Finds any of these, whole: 12.5 is not in 112.55."""
    longest = sorted(foreign, key=len, reverse=True)
    return re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, longest))})(?![\w.-])")
