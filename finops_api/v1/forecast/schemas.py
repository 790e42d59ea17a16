"""What is asked of and answered about forecasts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from finops_api.deps import Query, SnapshotStamp
from finops_api.series import Currency, SeriesName
from finops_assets.queries.forecasts import Horizon, Level

ForecastMetric = Literal["BilledCost", "EffectiveCost"]
Money = Annotated[str | None, Field(description="A decimal string.", examples=["1234.56"])]


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


class CommitmentsQuery(Query):
    """GET /forecast/commitments."""

    provider: str | None = Field(
        default=None, description="aws, azure, gcp, or a ServiceProviderName.", examples=["aws"]
    )
    metric: ForecastMetric = Field(default="EffectiveCost", description="Which cost changes.")
    currency: Currency | None = Field(default=None, description="Only commitments in this currency.")


class EndingCommitment(BaseModel):
    """A commitment that ends, and what that changes: the forecast moves by it from that day on."""

    id: str = Field(description="ContractCommitmentId.")
    type: str | None = Field(examples=["Savings Plan"])
    description: str | None
    provider: str = Field(examples=["AWS"])
    currency: Currency
    first_day: str = Field(description="The first day that it does not cover.", examples=["2026-12-03"])
    renewed_by: str | None = Field(description="The commitment that takes its place: then nothing changes.")
    a_day: Money = Field(description="Added to each day's cost: the usage at its on-demand price.")
    fees_a_month: Money = Field(description="Added to each month's: monthly fees that cease, below zero.")


class CommitmentsAnswer(BaseModel):
    """Commitments that end after the newest data, the first to end first."""

    snapshot: SnapshotStamp
    metric: ForecastMetric
    commitments: list[EndingCommitment]


class RecordQuery(Query):
    """GET /forecast/record."""

    level: Level | None = Field(default=None, description="Only this level.")
    metric: ForecastMetric | None = Field(default=None, description="Only this cost.")
    currency: Currency | None = Field(default=None, description="Only series in this currency.")
    made_on: date | None = Field(
        default=None, description="Only the making of this day (UTC).", examples=["2026-01-16"]
    )


class SaidQuery(ForecastQuery):
    """GET /forecast/said."""

    made_on: date = Field(
        description="What was in force at the end of this day (UTC): the newest making on or before it.",
        examples=["2026-01-16"],
    )


class ForecastDay(BaseModel):
    """One day: the mean, and the bounds of the 80% and 95% intervals."""

    day: str = Field(examples=["2026-01-16"])
    mean: Money
    lo_80: Money
    hi_80: Money
    lo_95: Money
    hi_95: Money


class ForecastSeries(SeriesName):
    """The forecast of one series by the model that won its level's backtest."""

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


class ForecastMonth(BaseModel):
    """One calendar month: what came of it so far, what the whole of it comes to, and how sure that is."""

    month: str = Field(description="Its first day.", examples=["2026-02-01"])
    horizon: int = Field(
        description="Months from that of data_until to this one; 0: it is under way.", examples=[1]
    )
    model: str = Field(examples=["DampedETS"])
    from_days: bool = Field(description="It is the sum of the days of GET /forecast; else it is by month.")
    actual: Money = Field(description="Its days up to data_until; 0 for a month that has not begun.")
    rows_url: str | None = Field(
        description="GET this for the bill rows that `actual` adds up; null before there is one.",
        examples=["/api/v1/costs/rows?start_date=2026-01-01&end_date=2026-01-15&metric=EffectiveCost"],
    )
    forecast: Money = Field(description="The rest of it.")
    mean: Money = Field(description="Their sum: what the month comes to.")
    lo_80: Money
    hi_80: Money
    lo_95: Money
    hi_95: Money
    error_horizon: Literal["month_end", "3m", "12m"] | None = Field(
        description="The horizon of GET /forecast/accuracy that tells of months so far ahead; null where no "
        "backtest reached so far."
    )
    wape: float | None = Field(
        description="Its error: absolute errors over absolute actuals of months' totals in the backtest.",
        examples=[0.034],
    )


class MonthsSeries(SeriesName):
    """The months of one series."""

    data_until: str = Field(description="The last day it saw.", examples=["2026-01-15"])
    months: list[ForecastMonth]


class MonthsAnswer(BaseModel):
    """The forecasts in force by month."""

    snapshot: SnapshotStamp
    metric: ForecastMetric
    made_at: str | None = Field(
        description="Null when none has been made.", examples=["2026-01-16T05:00:00Z"]
    )
    series: list[MonthsSeries]


class AccuracyRow(BaseModel):
    """One model's record in the backtest. Shares are numbers, not money."""

    level: Level
    metric: ForecastMetric
    currency: Currency
    model: str
    horizon: Horizon = Field(
        description="7d, 30d or 90d: the days up to so many ahead; month_end: the total of a month, as seen "
        "from a day inside that month; 3m or 12m: the totals of so many whole months."
    )
    kind: str = Field(examples=["backtest"])
    series: int
    windows: int
    wape: float | None = Field(description="Absolute errors over absolute actuals.", examples=[0.061])
    mase: float | None = Field(
        description="Error against the naive forecast's; null for month_end.", examples=[0.83]
    )
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


class RecordRow(BaseModel):
    """How right forecasts turned out: one making, or all of them together."""

    level: Level
    metric: ForecastMetric
    currency: Currency
    model: str | None = Field(description="Null: whichever was in force for each series.")
    is_champion: bool = Field(description="It was in force when it was made.")
    horizon: Horizon = Field(
        description="That many days after the data ended, once all have come; month_end: the total of the "
        "month under way at the making, once it is complete; 3m or 12m: the totals of so many months after."
    )
    made_on: str | None = Field(
        description="The day of the making; null: all together.", examples=["2026-01-16"]
    )
    series: int
    windows: int = Field(description="How many makings.")
    wape: float | None = Field(description="Absolute errors over absolute actuals.", examples=[0.061])
    mase: float | None = Field(
        description="Error against the weekly naive forecast's; null for totals of months.", examples=[0.83]
    )
    bias: float | None = Field(examples=[-0.004])
    coverage_80: float | None = Field(examples=[0.81])
    coverage_95: float | None = Field(examples=[0.94])


class RecordAnswer(BaseModel):
    """What was said against what came."""

    snapshot: SnapshotStamp
    rows: list[RecordRow]


class SaidDay(ForecastDay):
    """One day: what was said of it, and what came."""

    actual: Money = Field(description="As it is now; null until the day is complete.")
    error: Money = Field(description="mean - actual.")


class SaidTotal(BaseModel):
    """The days that have come, added up."""

    days: int = Field(description="How many have come.", examples=[30])
    first_day: str | None = Field(examples=["2026-01-16"])
    last_day: str | None = Field(examples=["2026-02-14"])
    said: Money
    actual: Money
    error: Money = Field(description="said - actual.")
    absolute_error: Money = Field(description="The days' absolute errors.")
    wape: float | None = Field(description="absolute_error over absolute actuals.", examples=[0.061])
    inside_80: int = Field(description="Days whose actual lies in the 80% interval.", examples=[25])
    inside_95: int
    rows_url: str | None = Field(
        description="GET this for the bill rows that `actual` adds up; null before a day has come.",
        examples=["/api/v1/costs/rows?start_date=2026-01-16&end_date=2026-02-14&metric=EffectiveCost"],
    )


class SaidSeries(SeriesName):
    """What was said of one series, and what came."""

    model: str = Field(examples=["AutoETS"])
    data_until: str = Field(description="The last day it saw.", examples=["2026-01-15"])
    total: SaidTotal
    days: list[SaidDay]


class SaidAnswer(BaseModel):
    """What was said on a day."""

    snapshot: SnapshotStamp
    metric: ForecastMetric
    made_at: str | None = Field(
        description="Null when none had been made by then.", examples=["2026-01-16T05:00:00Z"]
    )
    series: list[SaidSeries]
