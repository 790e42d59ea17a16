"""What is asked of and answered about costs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from finops_api import filters
from finops_api.deps import SnapshotStamp
from finops_api.period import PeriodQuery
from finops_assets.queries.comparison import WAYS
from finops_assets.queries.costs import Granularity, Metric
from finops_assets.queries.providers import Provider

Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217 code.", examples=["USD"])]
Money = Annotated[str, Field(description="A decimal string with every digit.", examples=["1234.567891"])]
RowsUrl = Annotated[
    str | None,
    Field(examples=["/api/v1/costs/rows?start_date=2026-01-01&end_date=2026-01-31&metric=BilledCost"]),
]


_METRIC = (
    "Which of FOCUS's four costs. Effective: commitments spread over what used them; billed: what is "
    "invoiced; list: at public prices; contracted: at negotiated prices."
)


class FigureQuery(PeriodQuery):
    """What every cost figure is asked by."""

    filter: list[str] = Field(
        default=[], description=filters.DESCRIPTION, examples=filters.PARAMETER_EXAMPLES
    )
    currency: Currency | None = Field(default=None, description="Only costs in this currency.")


class CostsQuery(FigureQuery):
    """GET /costs."""

    group_by: list[str] = Field(
        default=[],
        description="A column to break costs down by, repeated; GET /costs/dimensions lists them.",
        examples=[["ServiceProviderName", "ServiceName"]],
    )
    metric: list[Metric] = Field(
        default=["EffectiveCost"],
        min_length=1,
        description=f"{_METRIC} Repeated, all of them stand in the answer; order, limit and change go by the "
        "first.",
        examples=[["EffectiveCost"], ["BilledCost", "ListCost"]],
    )
    granularity: Granularity = Field(
        default="none", description="Steps of time; weeks begin on Monday. `none` adds the period up."
    )
    compare: str | None = Field(
        default=None,
        max_length=40,
        description="Another period beside this one: "
        + "; ".join(f"`{way}`: {says}" for way, says in WAYS.items())
        + ".",
        examples=list(WAYS),
    )
    convert_to: Currency | None = Field(
        default=None,
        description="All costs in this currency, each day's charges at the day's rate. Without, amounts are "
        "in the currency of their bill.",
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Keep the largest groups of each currency and add the others up as '(other)'.",
    )


class ProviderCostsQuery(FigureQuery):
    """GET /costs/aws, /costs/azure, /costs/gcp."""

    service: list[str] = Field(
        default=[],
        description="ServiceName, repeated for several.",
        examples=[["Amazon Simple Storage Service"]],
    )
    account_id: list[str] = Field(
        default=[],
        description="Linked account, subscription or project: SubAccountId, repeated for several.",
        examples=[["111122223333"]],
    )
    granularity: Granularity = Field(default="day", description="Steps of time; weeks begin on Monday.")
    metric: Metric = Field(default="EffectiveCost", description=_METRIC)


class RowsQuery(FigureQuery):
    """GET /costs/rows."""

    metric: Metric = Field(default="EffectiveCost", description=_METRIC)
    limit: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Rows a page: 100 by default in JSON. In the other forms all rows are sent, in no order, "
        "unless this or `cursor` asks for a page.",
    )
    cursor: str | None = Field(
        default=None, max_length=4096, description="Where to go on: `next` of the page before."
    )


class ValuesQuery(FigureQuery):
    """GET /costs/dimensions/{name}."""

    metric: Metric = Field(default="EffectiveCost", description=_METRIC)


class Total(BaseModel):
    """A sum in one currency."""

    currency: Currency
    cost: Money | None = Field(description="Null where no row states this cost.")
    row_count: int = Field(description="How many bill rows it sums.", examples=[1204])
    rows_url: RowsUrl = Field(
        description="GET this for the bill rows that it sums; null for what is beyond `limit` of several "
        "columns. Of a converted cost, they are in the currency of their bill."
    )


class Compared(BaseModel):
    """The same sum in the period that is compared with."""

    period: str | None = Field(description="First day of its step.", examples=["2025-12-01"])
    cost: Money | None = Field(description="Null where no row states this cost.")
    costs: dict[Metric, Money | None] = Field(examples=[{"EffectiveCost": "1200.5"}])
    change: Money = Field(description="By how much the first metric is now more; none counts as zero.")
    change_ratio: float | None = Field(
        description="The change as a part of what it was then; null where that was nothing.",
        examples=[0.0283],
    )
    row_count: int = Field(examples=[1180])
    rows_url: RowsUrl = Field(description="The bill rows of the other period.")


class Sum(Total):
    """A sum in one currency, by every metric that was asked for, beside that of the other period."""

    costs: dict[Metric, Money | None] = Field(
        description="Each metric that was asked for; `cost` is the first.",
        examples=[{"EffectiveCost": "1234.567891"}],
    )
    compared: Compared | None = Field(description="The other period's; null without `compare`.")


class CostRow(Sum):
    """The cost of one group in one step of time."""

    period: str | None = Field(
        description="First day of the step; null when granularity is none, and where only the other period "
        "has such a step.",
        examples=["2026-01-01"],
    )
    group: dict[str, str | None] = Field(
        description="Each group_by column and its value; null where the bill gives none.",
        examples=[{"ServiceName": "Amazon Simple Storage Service"}],
    )


class Answer(BaseModel):
    """What every answer about a period begins with."""

    snapshot: SnapshotStamp
    start_date: str = Field(examples=["2026-01-01"])
    end_date: str = Field(description="Included.", examples=["2026-01-31"])
    metric: Metric


class RateUsed(BaseModel):
    """What the charges of one day and currency were converted by."""

    currency: Currency
    day: str = Field(description="The day of the charges.", examples=["2026-01-04"])
    rate: Money = Field(description="What one unit was worth, to 12 decimals.", examples=["0.851934"])
    rate_day: str = Field(description="The day the rate was set for.", examples=["2026-01-02"])
    source: str = Field(description="Where the rate was read.", examples=["eurofxref-hist.csv"])


class ComparedDays(BaseModel):
    """The period that is compared with."""

    start_date: str = Field(examples=["2025-12-01"])
    end_date: str = Field(description="Included.", examples=["2025-12-31"])


class CostsAnswer(Answer):
    """Costs by the groups and steps asked for, ordered by period, then the most expensive first."""

    granularity: Granularity
    group_by: list[str]
    metrics: list[Metric] = Field(description="Every metric that was asked for; `metric` is the first.")
    compared: ComparedDays | None = Field(description="The other period; null without `compare`.")
    totals: list[Sum] = Field(description="The whole, one a currency. The rows add up to it.")
    rates: list[RateUsed] = Field(description="What amounts were converted by; empty without convert_to.")
    rows: list[CostRow]


class ProviderCostRow(Total):
    """The cost of one service in one account and step of time."""

    provider: Provider
    period: str | None = Field(examples=["2026-01-01"])
    service: str | None = Field(examples=["Amazon Simple Storage Service"])
    account_id: str | None = Field(examples=["111122223333"])
    account_name: str | None = Field(examples=["data-platform"])


class ProviderCostsAnswer(Answer):
    """One provider's costs by service and account."""

    provider: Provider
    granularity: Granularity
    totals: list[Total]
    rows: list[ProviderCostRow]


class RowsAnswer(Answer):
    """A page of bill rows. All pages together add up to `totals`, the figure of GET /costs."""

    total_rows: int = Field(description="Rows on all pages.")
    totals: list[Total]
    next: str | None = Field(description="The cursor of the next page; also in the Link header.")
    rows: list[dict[str, Any]] = Field(
        description="Every column of the FOCUS row, and where it was delivered: x_Source, x_BillId, x_File, "
        "x_RowNumber. Amounts and quantities are decimal strings, BillingCurrency is beside them."
    )


class DimensionInfo(BaseModel):
    """A column that costs can be grouped and filtered by."""

    name: str = Field(examples=["ServiceName"])
    label: str = Field(examples=["Service"])


class DimensionsAnswer(BaseModel):
    """What can be asked of the published costs."""

    snapshot: SnapshotStamp
    dimensions: list[DimensionInfo]
    filter: str = Field(description="How a filter is written.")
    compare: dict[str, str] = Field(description="What a period can be compared with, and what that means.")
    metrics: list[Metric]
    granularities: list[Granularity]
    currencies: list[str] = Field(examples=[["EUR", "USD"]])
    first_date: str | None = Field(examples=["2025-01-01"])
    last_date: str | None = Field(examples=["2026-01-15"])


class CurrencyAmount(BaseModel):
    """An amount in one currency."""

    currency: Currency
    cost: Money
    rows_url: RowsUrl


class ValueInfo(BaseModel):
    """One value of a dimension."""

    value: str | None = Field(examples=["Amazon Simple Storage Service"])
    costs: list[CurrencyAmount]
    row_count: int


class ValuesAnswer(Answer):
    """The values of one dimension in a period, the most expensive first."""

    dimension: DimensionInfo
    values: list[ValueInfo]
