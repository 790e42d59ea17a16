"""What is asked of and answered about the rules of FOCUS."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from finops_api.deps import Query, SnapshotStamp

Money = Annotated[str, Field(description="A decimal string.", examples=["1234.56"])]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-01"])]
Share = Annotated[float | None, Field(description="0 to 1; null where there is nothing to share.")]


class ConformanceQuery(Query):
    """GET /conformance."""

    source: str | None = Field(default=None, description="A configured source.", examples=["aws-main"])
    month: Month | None = Field(default=None, description="A billing month.")
    rule: str | None = Field(
        default=None, description="Only this rule.", examples=["ListCost-Is-Price-Times-Quantity"]
    )
    failed_only: bool = Field(default=True, description="Only rules that a row breaks.")


class ScoresQuery(Query):
    """GET /conformance/scores."""

    source: str | None = Field(default=None, description="A configured source.", examples=["aws-main"])
    month: Month | None = Field(default=None, description="A billing month.")


class BrokenRow(BaseModel):
    """The line of the bill that breaks the rule; of a rule over many rows, the first of them."""

    file: str
    row: int = Field(description="From 1, the header not counted.")
    found: str | None = Field(description="The value of the column, or of the group.")
    key: str | None = Field(default=None, description="The group, of a rule over many rows.")
    expected: str | None = Field(default=None, description="What the group should give.")


class RuleOutcome(BaseModel):
    """How one month's bill keeps one rule, in one currency."""

    source: str
    month: str
    rule: str = Field(examples=["ChargePeriod-Order"])
    column: str = Field(examples=["ChargePeriodEnd"])
    level: Literal["MUST", "SHOULD"]
    says: str = Field(examples=["A charge period ends after it starts."])
    section: str = Field(description="The section of the FOCUS specification.")
    focus_version: str = Field(examples=["1.4"])
    currency: str = Field(examples=["USD"])
    checked: int
    failed: int
    total_cost: Money
    failed_cost: Money
    failed_share: Share
    cost_share: Share
    samples: list[BrokenRow]


class ConformanceAnswer(BaseModel):
    """Rules and how they are kept."""

    snapshot: SnapshotStamp
    rows: list[RuleOutcome]


class Score(BaseModel):
    """One month of one source."""

    source: str
    month: str
    focus_version: str = Field(description="Of the delivered bill; 1.4 where it was normalized here.")
    rules: int = Field(description="Rules that apply to a row at least.")
    broken_must: int
    broken_should: int
    checked: int = Field(description="Rows by rules, of rules that say MUST.")
    failed: int
    score: Share


class ScoresAnswer(BaseModel):
    """Every month's score, the newest first."""

    snapshot: SnapshotStamp
    rows: list[Score]
