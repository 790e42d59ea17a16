"""What is asked of and answered about deliveries and ingestions."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from finops_api.deps import Query, SnapshotStamp
from finops_assets.orchestrator.ingestions import State
from finops_assets.queries.bills import BillStatus

Money = Annotated[str, Field(description="A decimal string.", examples=["1234.567891"])]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]
MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
MONTH_OR_DAY = r"^\d{4}-(0[1-9]|1[0-2])(-\d{2})?$"


class DeliveriesQuery(Query):
    """GET /ingestion."""

    source: str | None = Field(default=None, description="Only this source.", examples=["aws-main"])
    month: str | None = Field(default=None, pattern=MONTH, description="Billing month.", examples=["2026-01"])
    status: BillStatus | None = Field(default=None, description="Only deliveries in this state.")


class ControlTotal(BaseModel):
    """What the bill's own rows add up to."""

    metric: str = Field(examples=["BilledCost"])
    currency: Currency
    amount: Money


class DeliveredFile(BaseModel):
    """One file of a delivery."""

    path: str = Field(description="Relative to the source.")
    sha256: str
    bytes: int
    rows: int | None


class Delivery(BaseModel):
    """One delivery of one bill."""

    bill_id: str = Field(examples=["aws-main/2026-01/aws_cur2/0123456789ab"])
    source: str = Field(examples=["aws-main"])
    month: str = Field(examples=["2026-01"])
    status: BillStatus = Field(description="accepted: in force; superseded: replaced by a later delivery.")
    problem: str | None = Field(description="Why it was quarantined.")
    decision: str | None = Field(description="Why it is taken although it breaks a rule.")
    format: str | None = Field(examples=["aws_cur2"])
    focus_version: str | None
    delivery_id: str | None
    export: str | None = Field(description="The provider's name of the export, where a manifest tells.")
    files: list[DeliveredFile]
    bytes: int | None
    rows: int | None
    control_totals: list[ControlTotal]
    exported_at: str | None
    ingested_at: str | None
    run_id: str | None


class SourceState(BaseModel):
    """How fresh one source is."""

    source: str
    status: str = Field(description="fresh, late, quarantined or empty.", examples=["fresh"])
    months: int
    first_month: str | None
    last_month: str | None
    last_bill_id: str | None
    exported_at: str | None
    ingested_at: str | None
    newest_day: str | None = Field(description="The last day with usage.")
    rows: int
    quarantined: int = Field(description="Months whose newest delivery was refused.")


class DeliveriesAnswer(BaseModel):
    """Deliveries, the newest month first, and every source's state."""

    snapshot: SnapshotStamp
    sources: list[SourceState]
    deliveries: list[Delivery]


class IngestionRequest(BaseModel):
    """Which months of which sources to take in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"start": "2026-01", "end": "2026-03", "sources": ["aws-main"]}]},
    )

    start: str = Field(
        pattern=MONTH_OR_DAY, description="First month, YYYY-MM; of a day, its month.", examples=["2026-01"]
    )
    end: str = Field(
        pattern=MONTH_OR_DAY, description="Last month, included; of a day, its month.", examples=["2026-03"]
    )
    sources: list[str] | None = Field(
        default=None, min_length=1, description="Configured sources; all by default.", examples=[["aws-main"]]
    )


class PartitionProgress(BaseModel):
    """One month of one source."""

    month: str = Field(examples=["2026-01"])
    source: str = Field(examples=["aws-main"])
    state: State


class IngestionAnswer(BaseModel):
    """A launched ingestion and how far it is."""

    id: str = Field(examples=["vkqzrwtp"])
    state: State = Field(description="Of the whole. Dagster closes it within a minute of its last run.")
    start: str = Field(examples=["2026-01"])
    end: str = Field(examples=["2026-03"])
    sources: list[str]
    counts: dict[State, int] = Field(description="Partitions by state.", examples=[{"succeeded": 2}])
    partitions: list[PartitionProgress]
    run_ids: list[str] = Field(description="The Dagster runs that do it.")
    requested_at: str
    ended_at: str | None
    problem: str | None


class IngestionAccepted(BaseModel):
    """An ingestion was launched; its address is also in the Location header."""

    id: str = Field(examples=["vkqzrwtp"])
    state: State
    start: str
    end: str
    sources: list[str]
    partitions: int = Field(description="How many months × sources.", examples=[3])
    href: str = Field(examples=["/api/v1/ingestion/vkqzrwtp"])
