"""What is asked of and answered about restatements."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from finops_api.deps import Query, SnapshotStamp
from finops_assets.queries.restatements import CLOSED_AFTER_DAYS

Money = Annotated[str, Field(description="A decimal string.", examples=["1234.56"])]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-01"])]


class RestatementsQuery(Query):
    """GET /restatements."""

    source: str | None = Field(default=None, description="A configured source.", examples=["aws-main"])
    month: Month | None = Field(default=None, description="A billing month.")


class Delivered(BaseModel):
    """One side of a restatement: the bills in force, and their times."""

    bills: list[str] = Field(
        description="As in GET /ingestion.", examples=[["aws-main/2026-01/aws_cur2/0123456789ab"]]
    )
    exported_at: str | None = Field(description="When the provider wrote the newest of them.")
    ingested_at: str | None = Field(description="When the newest of them was taken in.")


class Change(BaseModel):
    """What changed, before and after, and the part of it that correction rows account for."""

    currency: str = Field(examples=["USD"])
    billed_before: Money
    billed_after: Money
    billed_change: Money = Field(description="after - before.")
    effective_before: Money
    effective_after: Money
    effective_change: Money


class CurrencyChange(Change):
    """The change in one currency, of the services and accounts that changed."""

    changed: int = Field(description="How many services of accounts changed.", examples=[3])
    uncorrected: int = Field(description="How many of them without corrections that add up to the change.")
    uncorrected_billed: Money = Field(description="What the corrections leave of the change in these.")
    uncorrected_effective: Money


class ServiceChange(Change):
    """The change in one service of one account."""

    provider: str | None = Field(examples=["AWS"])
    service: str | None = Field(examples=["Amazon Simple Storage Service"])
    account_id: str | None = Field(examples=["111122223333"])
    account_name: str | None
    rows_before: int
    rows_after: int
    correction_billed: Money = Field(description="The change in rows of ChargeClass 'Correction'.")
    correction_effective: Money
    uncorrected: bool = Field(description="The month was closed, and corrections do not add up to a change.")
    rows_url: str | None = Field(
        description="GET this for the bill rows that `billed_after` adds up; null where there are none, or "
        "another delivery has taken their place since. What was before: the answers with `as_of`.",
        examples=["/api/v1/costs/rows?start_date=2026-01-01&end_date=2026-01-31&metric=BilledCost"],
    )


class Restatement(BaseModel):
    """A delivery of a month that took the place of an earlier one."""

    source: str = Field(examples=["aws-main"])
    month: str = Field(examples=["2026-01"])
    before: Delivered
    after: Delivered
    was_closed: bool = Field(
        description=f"It was written over {CLOSED_AFTER_DAYS} days after the month ended."
    )
    totals: list[CurrencyChange]
    changes: list[ServiceChange] = Field(description="The largest first, currency by currency.")


class RestatementsAnswer(BaseModel):
    """Restatements, the newest month and the latest delivery first."""

    snapshot: SnapshotStamp
    restatements: list[Restatement]
