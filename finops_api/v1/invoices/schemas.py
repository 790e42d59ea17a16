"""What is asked of and answered about invoices."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from finops_api.deps import Query, SnapshotStamp

Money = Annotated[str, Field(description="A decimal string.", examples=["1234.56"])]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-01"])]
InvoiceNumber = Annotated[
    str | None,
    Field(description="Null: on no invoice yet, or the bill numbers none.", examples=["EUINAWS26-12345"]),
]


class InvoicesQuery(Query):
    """GET /invoices."""

    source: str | None = Field(default=None, description="A configured source.", examples=["aws-main"])
    month: Month | None = Field(default=None, description="A billing month.")


class Invoice(BaseModel):
    """One invoice of one month's bill, in one currency."""

    source: str
    month: str
    invoice: InvoiceNumber
    issuer: str | None = Field(description="Several, comma separated, where rows differ.")
    billing_account: str | None = Field(description="Several, comma separated, where rows differ.")
    currency: str = Field(examples=["USD"])
    billed_cost: Money
    tax: Money = Field(description="Of billed_cost, rows that are tax.")
    marketplace: Money = Field(description="Of billed_cost, rows of other sellers, their tax included.")
    credits: Money = Field(description="Of billed_cost, rows that are credits.")
    rows: int
    first_day: str | None
    last_day: str | None
    raw_total: Money | None = Field(
        description="The rows as delivered; null where they state no billed cost."
    )
    residual: Money | None = Field(description="billed_cost - raw_total.")
    passed: bool = Field(description="Whether the residual is zero, to the last digit.")
    is_final: bool = Field(description="False where an invoice number or a part of the month is to come.")
    rows_url: str | None = Field(
        description="GET this for the bill rows that `billed_cost` adds up; null where there are none.",
        examples=["/api/v1/costs/rows?start_date=2026-01-01&end_date=2026-01-31&metric=BilledCost"],
    )


class ControlTotal(BaseModel):
    """An amount that is given for a bill, and what the bill comes to."""

    source: str
    month: str
    invoice: str | None = Field(description="Null: the amount is of all of the source's month.")
    currency: str = Field(examples=["USD"])
    expected: Money = Field(description="The amount that was given.")
    given_by: Literal["finops.toml", "Invoice Detail"] = Field(
        description="The configuration, or the provider's own Invoice Detail dataset."
    )
    digits: int = Field(description="Its decimals, to which the bill is held.", examples=[2])
    found: Money = Field(description="What the bill's rows come to, every digit.")
    residual: Money = Field(description="found - expected.")
    passed: bool = Field(description="Whether found, rounded to the digits, is expected.")
    cause: str | None = Field(description="The likely cause of a residual.", examples=["tax"])
    says: str | None = Field(description="The cause in words.")
    is_explained: bool | None = Field(description="False where the cause wants a look: nothing explains it.")


class InvoicesAnswer(BaseModel):
    """Invoices, the newest month first; amounts that were given, those that differ first."""

    snapshot: SnapshotStamp
    invoices: list[Invoice]
    control_totals: list[ControlTotal]
