"""What is asked of and answered about anomalies."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from finops_api.deps import Query, SnapshotStamp
from finops_api.series import Currency, SeriesName
from finops_assets.decisions.feedback import Verdict
from finops_assets.queries.anomalies import Severity, Status
from finops_assets.queries.forecasts import Level

Money = Annotated[str, Field(description="A decimal string.", examples=["1500.25"])]
ROWS = (
    "/api/v1/costs/rows?start_date=2026-01-10&end_date=2026-01-12&metric=EffectiveCost&currency=USD"
    "&filter=ServiceProviderName%20%3D%20%27AWS%27"
)


class AnomaliesQuery(Query):
    """GET /anomalies."""

    start_date: date | None = Field(default=None, description="Events that go on to this day or longer.")
    end_date: date | None = Field(default=None, description="Events that begin on this day or before.")
    status: Status | None = Field(default=None, description="open: still going on at the newest day.")
    severity: Severity | None = Field(default=None, description="Only events of this severity.")
    level: Level | None = Field(default=None, description="Which series; the same money shows at several.")
    provider: str | None = Field(
        default=None, description="aws, azure, gcp, or a ServiceProviderName.", examples=["aws"]
    )
    metric: str | None = Field(
        default=None, pattern="^(BilledCost|EffectiveCost)$", description="BilledCost or EffectiveCost."
    )
    currency: Currency | None = Field(default=None, description="Only events in this currency.")
    limit: int = Field(default=100, ge=1, le=1000, description="The newest so many.")


class Anomaly(SeriesName):
    """One event: a series that left what was expected of it."""

    id: str = Field(examples=["5f0c1d2e3a4b"])
    metric: str = Field(examples=["EffectiveCost"])
    first_day: str = Field(examples=["2026-01-10"])
    last_day: str = Field(description="Included.", examples=["2026-01-12"])
    kind: str = Field(
        description="spike, drop, level_shift, drift, new_service, new_region, new_account or missing_bill.",
        examples=["spike"],
    )
    expected: Money
    actual: Money
    impact: Money = Field(description="actual - expected.")
    score: float = Field(description="0 to 1; events are raised from one half on.", examples=[0.97])
    p_value: float = Field(
        description="The share of ordinary days that look as odd; 0 for what needs no odds.", examples=[1e-6]
    )
    severity: Severity
    reason: str = Field(
        description="Why it was raised, one sentence with the figures.",
        examples=[
            "2,100.00 USD over 3 days from 2026-01-10, where 600.00 USD was expected, +250%; "
            "about one ordinary day in 50,000 looks as odd."
        ],
    )
    story_id: str = Field(
        description="Events with the same one are one story at several levels; it is the id of the event "
        "that tells it best.",
        examples=["5f0c1d2e3a4b"],
    )
    status: Status
    raised_on: str | None = Field(
        description="The day whose cost made it an event; null in a state that was published before this was "
        "told.",
        examples=["2026-01-10"],
    )
    first_seen: str = Field(description="When a run first raised it.", examples=["2026-01-11T05:00:00Z"])
    data_at: str | None = Field(
        description="When the first deliveries that reach raised_on had come; null where none has, "
        "and where raised_on is null.",
        examples=["2026-01-11T04:55:00Z"],
    )
    verdict: Verdict | None = Field(
        description="What people said of it last, shown at once; null where nobody did.", examples=["planned"]
    )
    note: str | None = Field(description="Their reason, in words.", examples=["Load test, ticket 4711"])
    rows_url: str = Field(description="GET this for the bill rows that `actual` adds up.", examples=[ROWS])


class Driver(BaseModel):
    """One value's part of an event."""

    value: str | None = Field(
        description="A cause names the columns that it fixes, `ServiceName=…; RegionId=…`; an effect is one "
        "of quantity, mix, list price, discount, commitment, new, vanished.",
        examples=["data-platform"],
    )
    expected: Money | None = Field(description="Null of an effect, which is of no rows.")
    actual: Money | None = Field(description="Null of an effect.")
    contribution: Money = Field(description="actual - expected.")
    rank: int = Field(description="1 is the largest.", examples=[1])
    rows_url: str | None = Field(
        description="GET this for the bill rows that `actual` adds up; null where no filter tells them.",
        examples=[ROWS],
    )


class DriverSplit(BaseModel):
    """An event split by one dimension; the contributions add up exactly to its impact."""

    dimension: str = Field(
        description="cause, effect, or a column. The event's causes come first, then its effects.",
        examples=["cause"],
    )
    drivers: list[Driver]


class AnomaliesAnswer(BaseModel):
    """Events, the newest first, then by impact."""

    snapshot: SnapshotStamp
    anomalies: list[Anomaly]


class AnomalyAnswer(BaseModel):
    """One event and what it is made of."""

    snapshot: SnapshotStamp
    anomaly: Anomaly
    drivers: list[DriverSplit]


class FeedbackRequest(BaseModel):
    """POST /anomalies/{anomaly_id}/feedback."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict = Field(
        description="expected: it always does that. planned: a change that was meant. "
        "real: it was an anomaly. resolved: and it is dealt with.",
        examples=["planned"],
    )
    note: str = Field(default="", max_length=2000, description="Why.", examples=["Load test, ticket 4711"])
    author: str = Field(default="", max_length=200, description="Who says so.", examples=["kim@example.com"])


class Feedback(BaseModel):
    """One word about an event, which is as it was when it was judged."""

    id: str
    anomaly_id: str = Field(examples=["5f0c1d2e3a4b"])
    kind: str = Field(examples=["spike"])
    first_day: str = Field(examples=["2026-01-10"])
    last_day: str = Field(description="Included.", examples=["2026-01-12"])
    impact: Money
    currency: Currency
    verdict: Verdict
    note: str
    author: str
    said_at: str = Field(examples=["2026-01-13T08:30:00Z"])


class FeedbackAnswer(BaseModel):
    """What was said of an event, the newest first."""

    snapshot: SnapshotStamp
    feedback: list[Feedback]
