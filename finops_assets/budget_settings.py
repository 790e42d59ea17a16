"""A budget: what may be spent in a month or a year, and on what. finops.toml and the API give the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from finops_assets import setting_values
from finops_assets.source_settings import Strict

Period: TypeAlias = Literal["month", "year"]

SCOPE_COLUMNS = {
    "provider": "ServiceProviderName",
    "billing_account": "BillingAccountId",
    "sub_account": "SubAccountId",
    "service": "ServiceName",
    "region": "RegionId",
    "tag_key": "tag_key",
    "tag_value": "tag_value",
}
"""What a budget can be of → the column of `cost_features` that holds it."""

_LEVELS = {
    (): "total",
    ("provider",): "provider",
    ("provider", "billing_account"): "billing_account",
    ("provider", "sub_account"): "account",
    ("provider", "service"): "service",
    ("provider", "region"): "region",
    ("provider", "billing_account", "sub_account", "service"): "account_service",
    ("tag_key", "tag_value"): "tag",
}


def level_of(scope: tuple[str, ...]) -> str:
    """The level of the series that has exactly these keys of SCOPE_COLUMNS, in their order.

    Raises ValueError for a scope that no series is made of.
    """
    if scope not in _LEVELS:
        known = "; ".join(" with ".join(s) or "none of them, for all costs" for s in _LEVELS)
        raise ValueError(f"expected a scope that is forecast ({known}), found {' with '.join(scope)}")
    return _LEVELS[scope]


def _budget_amount(given: object) -> Decimal:
    found = given if isinstance(given, Decimal) else setting_values.amount(given)
    if found <= 0:
        raise ValueError("expected an amount above zero")
    return found


BudgetName: TypeAlias = Annotated[str, Field(pattern=r"^\w[\w .&()+-]{0,79}$")]
Amount: TypeAlias = Annotated[
    Decimal,
    BeforeValidator(_budget_amount, json_schema_input_type=str),
    PlainSerializer(lambda d: f"{d:f}", return_type=str),
]
_Value: TypeAlias = Annotated[str, Field(min_length=1)]


class BudgetTerms(Strict):
    """All of a budget but its name.

    A year begins with the month of `from`, else with January. A scope names exact values of FOCUS's
    ServiceProviderName, BillingAccountId, SubAccountId, ServiceName and RegionId, or one value of a tag that
    `tag_keys` has; without one the budget is of all costs in its currency.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    amount: Amount
    currency: Annotated[str, AfterValidator(setting_values.currency)]
    period: Period
    first_month: Annotated[str, AfterValidator(setting_values.month)] | None = Field(
        default=None, alias="from"
    )
    metric: Literal["EffectiveCost", "BilledCost"] = "EffectiveCost"
    provider: _Value | None = None
    billing_account: _Value | None = None
    sub_account: _Value | None = None
    service: _Value | None = None
    region: _Value | None = None
    tag_key: _Value | None = None
    tag_value: _Value | None = None

    @model_validator(mode="after")
    def _has_a_series(self) -> BudgetTerms:
        level_of(tuple(self.scope))
        return self

    @property
    def scope(self) -> dict[str, str]:
        """The keys of SCOPE_COLUMNS that are given, with their values."""
        given = {key: getattr(self, key) for key in SCOPE_COLUMNS}
        return {key: value for key, value in given.items() if value is not None}

    @property
    def level(self) -> str:
        """The level of the series that it is held against."""
        return level_of(tuple(self.scope))


class Budget(BudgetTerms):
    """A budget."""

    name: BudgetName
