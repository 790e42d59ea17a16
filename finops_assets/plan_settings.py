"""A planned change: what someone knows of the costs to come. finops.toml and the API give the same."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from finops_assets import setting_values
from finops_assets.source_settings import Strict

PlanKind: TypeAlias = Literal["launch", "change", "end", "one_off", "credit_end"]

KINDS: dict[PlanKind, str] = {
    "launch": "costs that come on top",
    "change": "costs that become more or less",
    "end": "costs that cease",
    "one_off": "costs of single days that say nothing of others",
    "credit_end": "a credit that runs out, so that its amount is charged again",
}
"""Each kind and what it means."""

SCOPE_COLUMNS = {
    "provider": "ServiceProviderName",
    "billing_account": "BillingAccountId",
    "sub_account": "SubAccountId",
    "service": "ServiceName",
}
"""What a change can be of → the column of the series that holds it."""

_ONLY_MORE: tuple[PlanKind, ...] = ("launch", "end", "credit_end")


def _plan_amount(given: object) -> Decimal:
    found = given if isinstance(given, Decimal) else setting_values.amount(given)
    if found == 0:
        raise ValueError("expected an amount other than zero")
    return found


Exact: TypeAlias = Annotated[
    Decimal,
    BeforeValidator(_plan_amount, json_schema_input_type=str),
    PlainSerializer(lambda d: f"{d:f}", return_type=str),
]
_Value: TypeAlias = Annotated[str, Field(min_length=1)]


class PlannedChange(Strict):
    """What changes, from when on, and by how much a day.

    A scope names exact values of FOCUS's ServiceProviderName, BillingAccountId, SubAccountId and ServiceName;
    the last three with their provider. `amount` is of each day; `percent` is of what the forecast says
    without the change. A launch, a credit that ends and a part that ends are given as amounts above
    zero; an end without an amount is of all that the scope costs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    kind: PlanKind
    first_day: Annotated[date, Field(alias="from")]
    last_day: Annotated[date | None, Field(alias="until")] = None
    amount: Exact | None = None
    currency: Annotated[str, AfterValidator(setting_values.currency)] | None = None
    percent: Exact | None = None
    metric: Literal["EffectiveCost", "BilledCost"] | None = None
    provider: _Value | None = None
    billing_account: _Value | None = None
    sub_account: _Value | None = None
    service: _Value | None = None
    note: Annotated[str, Field(max_length=2000)] = ""

    @model_validator(mode="after")
    def _says_what_and_by_how_much(self) -> PlannedChange:
        scope = list(self.scope)
        if scope and "provider" not in scope:
            raise ValueError(f"expected the provider of the {scope[0]}, found none")
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError(
                f"expected a last day (until) from {self.first_day} on, found {self.last_day.isoformat()}"
            )
        self._check_size()
        return self

    def _check_size(self) -> None:
        given = [name for name in ("amount", "percent") if getattr(self, name) is not None]
        if len(given) == 2 or (not given and self.kind != "end"):
            found = " and ".join(given) or "neither"
            raise ValueError(f"expected an amount a day with its currency, or a percent, found {found}")
        if self.amount is not None and self.currency is None:
            raise ValueError("expected the currency of the amount, found none")
        size = self.amount or self.percent
        if size is not None and size < 0 and self.kind in _ONLY_MORE:
            raise ValueError(f"expected a size above zero for {self.kind} ({KINDS[self.kind]}), found {size}")
        if self.percent is not None and self.signed_percent < -100:  # type: ignore[operator] # it is one
            raise ValueError(f"expected a percent of at most all there is (100), found {self.percent}")
        if self.kind == "one_off" and self.percent is not None:
            raise ValueError("expected the amount of a one_off, found a percent")

    @property
    def signed_amount(self) -> Decimal | None:
        """What is added to a day's cost; None where the change is a percentage."""
        return -self.amount if self.amount is not None and self.kind == "end" else self.amount

    @property
    def signed_percent(self) -> Decimal | None:
        """By how many percent a day's cost changes; None where the change is an amount."""
        if self.kind == "end" and self.amount is None:
            return -(self.percent or Decimal(100))
        return self.percent

    @property
    def end(self) -> date | None:
        """The last day of the change, a one-off's own where none is given; None for one that stays."""
        return self.first_day if self.kind == "one_off" and self.last_day is None else self.last_day

    @property
    def scope(self) -> dict[str, str]:
        """The keys of SCOPE_COLUMNS that are given, with their values."""
        given = {key: getattr(self, key) for key in SCOPE_COLUMNS}
        return {key: value for key, value in given.items() if value is not None}
