"""How answers name the series that they are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from finops_assets.queries.forecasts import Level

Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]

_FIELDS = {
    "level": "level",
    "ServiceProviderName": "provider",
    "BillingAccountId": "billing_account_id",
    "SubAccountId": "account_id",
    "SubAccountName": "account_name",
    "ServiceName": "service",
    "RegionId": "region",
    "tag_key": "tag_key",
    "tag_value": "tag_value",
    "BillingCurrency": "currency",
}


class Scope(BaseModel):
    """The part of the bills that costs are of; what is null is not narrowed."""

    level: Level = Field(description="What the series adds up.")
    provider: str | None = Field(description="ServiceProviderName; null: all.", examples=["AWS"])
    billing_account_id: str | None = Field(description="BillingAccountId.")
    account_id: str | None = Field(description="SubAccountId.")
    service: str | None = Field(description="ServiceName.", examples=["Amazon Elastic Compute Cloud"])
    region: str | None = Field(description="RegionId; at level region null is what is of no region.")
    tag_key: str | None = Field(description="At level tag.")
    tag_value: str | None = Field(description="Its value; at level tag null is what has no such tag.")
    currency: Currency


class SeriesName(Scope):
    """What names one series, with its metric."""

    account_name: str | None = Field(description="SubAccountName.")


def series_name(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of SeriesName in a row of a table of series."""
    return {field: row[column] for column, field in _FIELDS.items()}


def beside_name(row: Mapping[str, Any]) -> dict[str, Any]:
    """What such a row says of its series, beside its name."""
    return {column: value for column, value in row.items() if column not in {"series_id", *_FIELDS}}
