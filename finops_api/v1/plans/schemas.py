"""What is said about and answered on planned changes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from finops_assets.plan_settings import PlannedChange


class PlanRequest(PlannedChange):
    """POST /planned-changes."""

    author: str = Field(default="", max_length=200, description="Who says so; kept beside it.")


class PlanAnswer(PlannedChange):
    """A planned change in force."""

    id: str = Field(examples=["3f2a9c1d77e0"])
    origin: Literal["finops.toml", "api"]
    author: str
    said_at: Annotated[str | None, Field(description="Null where finops.toml marks it.")]
    in_forecast: bool = Field(description="Whether the published forecast takes it into account.")


class PlansAnswer(BaseModel):
    """finops.toml's in their order, then the others as they were marked."""

    planned_changes: list[PlanAnswer]
