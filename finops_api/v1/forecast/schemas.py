"""What is asked of and answered about forecasts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from finops_api.deps import Query, SnapshotStamp
from finops_assets.queries.forecasts import Level

ForecastMetric = Literal["BilledCost", "EffectiveCost"]
Money = Annotated[str | None, Field(description="A decimal string.", examples=["1234.56"])]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]


class ForecastQuery(Query):
    """GET /forecast."""

    level: Level = Field(default="total", description="What a series adds up.")
    provider: str | None = Field(
        default=None, description="aws, azure, gcp, or a ServiceProviderName.", examples=["aws"]
    )
    billing_account_id: str | None = Field(
        default=None, description="BillingAccountId, at levels billing_account and account_service."
    )
    account_id: str | None = Field(
        default=None, description="SubAccountId, at levels account and account_service."
    )
    service: str | None = Field(
        default=None, description="ServiceName, at levels service and account_service."
    )
    region: str | None = Field(default=None, description="RegionId, at level region.")
    tag_key: str | None = Field(default=None, description="A configured tag key, at level tag.")
    tag_value: str | None = Field(default=None, description="Its value, at level tag.")
    metric: ForecastMetric = Field(default="EffectiveCost", description="Which cost is forecast.")
    currency: Currency | None = Field(default=None, description="Only series in this currency.")


class OutlookQuery(Query):
    """GET /forecast/outlook."""

    metric: ForecastMetric = Field(default="EffectiveCost", description="Which cost is forecast.")


class ForecastDay(BaseModel):
    """One day: the mean, and the bounds of the 80% and 95% intervals."""

    day: str = Field(examples=["2026-01-16"])
    mean: Money
    lo_80: Money
    hi_80: Money
    lo_95: Money
    hi_95: Money


class ForecastSeries(BaseModel):
    """The forecast of one series by the model that won its level's backtest."""

    level: Level
    provider: str | None = Field(description="ServiceProviderName; null at level total.", examples=["AWS"])
    billing_account_id: str | None
    account_id: str | None
    account_name: str | None
    service: str | None
    region: str | None
    tag_key: str | None
    tag_value: str | None
    currency: Currency
    model: str = Field(examples=["AutoETS"])
    data_until: str = Field(description="The last day it saw.", examples=["2026-01-15"])
    days: list[ForecastDay]


class ForecastAnswer(BaseModel):
    """The forecasts in force."""

    snapshot: SnapshotStamp
    metric: ForecastMetric
    made_at: str | None = Field(
        description="Null when none has been made.", examples=["2026-01-16T05:00:00Z"]
    )
    series: list[ForecastSeries]


class AccuracyRow(BaseModel):
    """One model's record in the backtest. Shares are numbers, not money."""

    level: Level
    metric: ForecastMetric
    currency: Currency
    model: str
    horizon: int = Field(description="Days ahead.", examples=[30])
    kind: str = Field(examples=["backtest"])
    series: int
    windows: int
    wape: float | None = Field(description="Absolute errors over absolute actuals.", examples=[0.061])
    mase: float | None = Field(description="Error against the weekly naive forecast's.", examples=[0.83])
    bias: float | None = Field(examples=[-0.004])
    coverage_80: float | None = Field(examples=[0.81])
    coverage_95: float | None = Field(examples=[0.94])
    is_champion: bool


class AccuracyAnswer(BaseModel):
    """How right the forecasts were."""

    snapshot: SnapshotStamp
    rows: list[AccuracyRow]


class OutlookRow(BaseModel):
    """What the newest month and the next one will come to."""

    level: Literal["total", "provider"]
    provider: str | None = Field(examples=["AWS"])
    currency: Currency
    month: str = Field(description="First day of the newest month.", examples=["2026-01-01"])
    data_until: str = Field(examples=["2026-01-15"])
    actual: Money = Field(description="Up to data_until.")
    rows_url: str | None = Field(
        description="GET this for the bill rows that `actual` adds up; null before there is one.",
        examples=["/api/v1/costs/rows?start_date=2026-01-01&end_date=2026-01-15&metric=EffectiveCost"],
    )
    forecast: Money = Field(description="The days after data_until.")
    expected: Money = Field(description="Their sum.")
    lo_80: Money = Field(description="With the sum of the days' lower bounds.")
    hi_80: Money = Field(description="With the sum of the days' upper bounds.")
    next_month: str = Field(examples=["2026-02-01"])
    next_mean: Money
    next_lo_80: Money
    next_hi_80: Money


class OutlookAnswer(BaseModel):
    """The outlook, total first, then each provider."""

    snapshot: SnapshotStamp
    metric: ForecastMetric
    rows: list[OutlookRow]
