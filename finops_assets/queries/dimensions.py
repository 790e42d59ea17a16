"""What costs can be grouped and filtered by, and how a filter becomes SQL with bound values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from finops_assets.marts.tables import CUBE_DIMENSIONS
from finops_assets.normalize.tables import tag_column
from finops_assets.queries.access import Reader, fetch
from finops_assets.schema import MONTH, SOURCE, quote

CURRENCY = "BillingCurrency"

_TAG = tag_column("")

_LABELS = {
    "ServiceProviderName": "Provider",
    "InvoiceIssuerName": "Invoice issuer",
    "BillingAccountId": "Billing account id",
    "BillingAccountName": "Billing account",
    "SubAccountId": "Account id",
    "SubAccountName": "Account",
    "ServiceCategory": "Service category",
    "ServiceSubcategory": "Service subcategory",
    "ServiceName": "Service",
    "RegionId": "Region id",
    "RegionName": "Region",
    "ChargeCategory": "Charge category",
    "ChargeClass": "Charge class",
    "ChargeFrequency": "Charge frequency",
    "PricingCategory": "Pricing category",
    "CommitmentDiscountStatus": "Commitment status",
    "CommitmentDiscountType": "Commitment type",
    "SkuMeter": "Meter",
    "x_ResourceGroupName": "Resource group",
    SOURCE: "Source",
    MONTH: "Billing month",
    CURRENCY: "Currency",
}


class UnknownDimensionError(ValueError):
    """A column that costs cannot be asked by; the text names those that can."""

    def __init__(self, column: str, allowed: Collection[str]) -> None:
        super().__init__(f"Costs cannot be asked by {column!r}. Allowed: {', '.join(allowed)}.")
        self.column = column
        self.allowed = tuple(allowed)


@dataclass(frozen=True)
class Dimension:
    """One way to break costs down: its column, and what people call it."""

    name: str
    label: str
    column: str


@dataclass(frozen=True)
class Filter:
    """Rows whose `column` is one of `values` (None is null), or with `contains` has one of them in it.

    With `exclude` it is the other rows. What is contained is looked for in any case of letters.
    """

    column: str
    values: tuple[str | None, ...]
    exclude: bool = False
    contains: bool = False


def _dimension(column: str) -> Dimension:
    label = f"Tag: {column.removeprefix(_TAG)}" if column.startswith(_TAG) else _LABELS.get(column, column)
    return Dimension(name=column, label=label, column=column)


DIMENSIONS = {c: _dimension(c) for c in (*CUBE_DIMENSIONS, SOURCE, MONTH, CURRENCY)}
"""Every dimension but the tags, which are the configuration's."""


def dimensions(warehouse: Reader) -> dict[str, Dimension]:
    """Every dimension of the published cube by its column, tags last.

    A cube that was published before a dimension came into being does not have it.
    """
    published = columns_of(warehouse, "daily_costs")
    tags = {c: _dimension(c) for c in published if c.startswith(_TAG)}
    return {c: d for c, d in DIMENSIONS.items() if c in published} | tags


def columns_of(warehouse: Reader, table: str, type_: str | None = None) -> tuple[str, ...]:
    """The columns of a published table or view in its order, or those of one DuckDB type."""
    found = fetch(
        warehouse,
        "SELECT column_name FROM duckdb_columns() WHERE database_name = current_database() "
        "AND table_name = $1 AND ($2 IS NULL OR data_type = $2) ORDER BY column_index",
        (table, type_),
    )
    return tuple(found["column_name"].to_pylist())


def tag_dimension(key: str) -> str:
    """The column of a configured tag key, which `dimensions` has under the same name."""
    return tag_column(key)


def check_columns(columns: Sequence[str], allowed: Collection[str]) -> None:
    """Raise UnknownDimensionError for the first column that is not allowed."""
    for column in columns:
        if column not in allowed:
            raise UnknownDimensionError(column, allowed)


def conditions(filters: Sequence[Filter], allowed: Collection[str]) -> tuple[list[str], list[object]]:
    """SQL conditions and the values bound to them. Raises UnknownDimensionError.

    A row whose column is null is kept by a filter that excludes other values.
    """
    check_columns([f.column for f in filters], allowed)
    sql: list[str] = []
    params: list[object] = []
    for f in filters:
        column = quote(f.column)
        values = [v for v in f.values if v is not None]
        if f.contains:
            terms = [f"contains(lower({column}), lower(?))"] * len(values)
        else:
            terms = [f"{column} IN ({', '.join('?' * len(values))})"] if values else []
        if None in f.values:
            terms.append(f"{column} IS NULL")
        one_of = f"coalesce({' OR '.join(terms)}, false)" if terms else "false"
        sql.append(f"NOT {one_of}" if f.exclude else one_of)
        params += values
    return sql, params
