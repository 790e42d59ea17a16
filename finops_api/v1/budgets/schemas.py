"""What is asked of, said about and answered on budgets."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from finops_api.deps import Query, SnapshotStamp
from finops_api.series import Scope
from finops_assets.budget_settings import BudgetTerms

Money = Annotated[str | None, Field(description="A decimal string.", examples=["1234.56"])]
Day = Annotated[str | None, Field(examples=["2026-01-24"])]
Origin = Literal["finops.toml", "api"]
BudgetMetric = Literal["EffectiveCost", "BilledCost"]


class BudgetsQuery(Query):
    """GET /budgets."""

    past: bool = Field(default=False, description="Also up to twelve periods before the current one.")


class BurnDownQuery(Query):
    """GET /budgets/{name}/days."""

    first_day: date | None = Field(
        default=None,
        description="First day of the period; by default the current one.",
        examples=["2026-01-01"],
    )


class BudgetRequest(BudgetTerms):
    """PUT /budgets/{name}: all of the budget, which takes the place of what there was."""

    author: str = Field(default="", max_length=200, description="Who says so; kept beside it.")


class BudgetAnswer(BudgetTerms):
    """A budget as it is set, whether it has been held against costs yet or not."""

    name: str
    origin: Origin


class BudgetPeriod(Scope):
    """How one period of a budget stands, held against the series of its scope."""

    budget: str = Field(examples=["Data platform"])
    period: Literal["month", "year"]
    is_current: bool = Field(description="Whether the newest data is in it.")
    metric: BudgetMetric
    origin: Origin = Field(description="Where it is set.")
    amount: Money = Field(description="What may be spent.")
    first_day: str = Field(examples=["2026-01-01"])
    last_day: str = Field(examples=["2026-01-31"])
    data_until: str = Field(description="The last day that counts as spent.", examples=["2026-01-15"])
    actual: Money = Field(description="What was spent up to data_until.")
    rows_url: str | None = Field(
        description="GET this for the bill rows that `actual` adds up; null before there is one.",
        examples=["/api/v1/costs/rows?start_date=2026-01-01&end_date=2026-01-15&metric=EffectiveCost"],
    )
    expected: Money = Field(description="With the forecast of the days left; null without one.")
    lo_80: Money = Field(description="It ends below this in one case of ten.")
    hi_80: Money = Field(description="It ends above this in one case of ten.")
    crossing_probability: float | None = Field(description="That it ends over the amount.", examples=[0.42])
    crossed_on: Day = Field(description="Since this day it has been over.")
    crossing_day: Day = Field(description="By this day it is over in half of all cases.")
    crossing_from: Day = Field(description="By this day it is over in a tenth of all cases.")
    state: Literal["crossed", "will_cross", "at_risk", "on_track", "kept", "no_forecast"] = Field(
        description="will_cross: a probability from 0.5; at_risk: from 0.1; kept: it ended within the amount."
    )
    made_at: str = Field(examples=["2026-01-16T05:00:00Z"])


class BudgetsAnswer(BaseModel):
    """Budgets, the likeliest to be crossed first."""

    snapshot: SnapshotStamp
    budgets: list[BudgetPeriod]


class BurnDownDay(BaseModel):
    """Running totals at the end of a day; on the last day that was charged both stand."""

    day: str = Field(examples=["2026-01-16"])
    actual: Money
    expected: Money
    lo_80: Money
    hi_80: Money


class BurnDownAnswer(BaseModel):
    """A budget's period, day by day."""

    snapshot: SnapshotStamp
    budget: str
    first_day: str = Field(examples=["2026-01-01"])
    days: list[BurnDownDay]
