"""The only reader of configuration and environment: `finops.toml`, then FINOPS_… variables on top.

Secrets are never read here: they come from the provider SDK's own chain.
"""

from __future__ import annotations

import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from finops_assets import setting_values
from finops_assets.access_settings import Access
from finops_assets.alert_settings import Alerts
from finops_assets.budget_settings import Budget
from finops_assets.plan_settings import PlannedChange
from finops_assets.source_settings import DemoSource, FilesSource, Source, Strict

CONFIG_VARIABLE = "FINOPS_CONFIG"

EXAMPLE = """\
reporting_currency = "USD"
tag_keys = ["team", "env", "app"]
first_month = "2025-01"

[paths]
data = "var"

[sources.aws-main]
kind = "files"
path = "bills/aws"
"""


class ConfigError(Exception):
    """The configuration is wrong; the text names the key, what is wrong and an example."""


class Paths(Strict):
    """Where things lie. Relative paths are relative to finops.toml (or to the working directory)."""

    data: Path = Path("var")

    @property
    def lake(self) -> Path:
        """The Delta tables."""
        return self.data / "lake"

    @property
    def warehouse(self) -> Path:
        """The published DuckDB files and their CURRENT pointer."""
        return self.data / "warehouse"

    @property
    def staging(self) -> Path:
        """Fetched deliveries and engine spill; safe to delete while nothing runs."""
        return self.data / "staging"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance: runs, events, schedules."""
        return self.data / "dagster"

    @property
    def mlflow(self) -> Path:
        """MLflow's tracking database and artifacts."""
        return self.data / "mlflow"

    @property
    def decisions(self) -> Path:
        """What people said: feedback, budgets, planned changes, and the alerts that went out."""
        return self.data / "decisions.db"

    @property
    def access(self) -> Path:
        """API keys, as hashes, and the audit log."""
        return self.data / "access.db"

    @property
    def demo(self) -> Path:
        """The demo's bills."""
        return self.data / "demo"


class History(Strict):
    """How far back the platform can show what was known."""

    keep_days: Annotated[int, Field(ge=0)] = 35


def _source_name(name: str) -> str:
    if not name or not all(c.isascii() and (c.islower() or c.isdigit() or c == "-") for c in name):
        raise ValueError("a source's name is made of a-z, 0-9 and '-', such as 'aws-main'")
    return name


DEMO_SOURCES: dict[str, Source] = {
    "demo-aws": DemoSource(provider="aws"),
    "demo-azure": DemoSource(provider="azure"),
    "demo-gcp": DemoSource(provider="gcp"),
}


class Currency(Strict):
    """How amounts are converted for those who ask for it."""

    rates: str = ""
    """A file of the European Central Bank's form, or the address of one; nothing is converted without."""


class Forecast(Strict):
    """What the forecast's models know beside the bills."""

    holidays: Annotated[str, AfterValidator(setting_values.holidays)] = ""
    """A country, or a part of one, whose public holidays they know: 'US', 'US-CA'; none by default."""


class Services(Strict):
    """Where the servers listen; on loopback unless [access] locks them."""

    host: str = "127.0.0.1"
    """Of the API and the dashboard."""
    dagster_host: str = "127.0.0.1"
    """Where Dagster is. It has no login of its own, so `finops run` starts it on loopback only."""
    dagster_port: int = 3000
    api_port: int = 8000
    dashboard_port: int = 8501
    rate_limit: Annotated[str, Field(pattern=r"^([1-9]\d*/(second|minute|hour|day))?$")] = "3000/minute"
    """How many requests one caller of the API may make; '' for any number."""

    @property
    def dagster_address(self) -> str:
        """Dagster's own page."""
        return f"http://{self.dagster_host}:{self.dagster_port}"

    @property
    def dagster_graphql(self) -> str:
        """Dagster's GraphQL endpoint."""
        return f"{self.dagster_address}/graphql"


class ControlTotal(Strict):
    """What an invoice, or all of a source's month, should come to in one currency."""

    source: str
    month: Annotated[str, AfterValidator(setting_values.month)]
    invoice: Annotated[str, Field(min_length=1)] | None = None
    amount: Annotated[Decimal, BeforeValidator(setting_values.amount)]
    currency: Annotated[str, AfterValidator(setting_values.currency)]

    @property
    def digits(self) -> int:
        """Decimals that were given, to which the bill is held."""
        exponent = self.amount.as_tuple().exponent
        return -exponent if isinstance(exponent, int) else 0


class Settings(BaseSettings):
    """The whole configuration. Environment variables override the file: FINOPS_PATHS__DATA=/data."""

    model_config = SettingsConfigDict(
        env_prefix="FINOPS_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    reporting_currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    tag_keys: tuple[str, ...] = ("team", "env", "app")
    first_month: Annotated[str, AfterValidator(setting_values.month)] = "2023-01"
    memory_limit: str = ""
    paths: Paths = Paths()
    history: History = History()
    services: Services = Services()
    access: Access = Access()
    currency: Currency = Currency()
    forecast: Forecast = Forecast()
    alerts: Alerts = Alerts()
    accepted_bills: dict[str, Annotated[str, Field(min_length=1)]] = {}
    """Bills that are taken although they break a rule that figures depend on: bill_id → why."""
    sources: dict[Annotated[str, AfterValidator(_source_name)], Source] = DEMO_SOURCES
    control_totals: tuple[ControlTotal, ...] = ()
    budgets: tuple[Budget, ...] = ()
    planned_changes: tuple[PlannedChange, ...] = ()

    @model_validator(mode="after")
    def _control_totals_are_of_bills_here(self) -> Settings:
        """Each is of a configured source, of a month that is taken in, and said once."""
        seen: set[tuple[str, str, str | None, str]] = set()
        for place, total in enumerate(self.control_totals, 1):
            where = f"[[control_totals]] number {place}"
            if total.source not in self.sources:
                known = ", ".join(self.sources)
                raise ValueError(f"{where}: expected a configured source ({known}), found {total.source!r}")
            if total.month < self.first_month:
                raise ValueError(
                    f"{where}: expected a month from first_month ({self.first_month}) on, "
                    f"found {total.month!r}"
                )
            key = (total.source, total.month, total.invoice, total.currency)
            if key in seen:
                of = f"{total.source} {total.month} {total.invoice or 'without an invoice'} {total.currency}"
                raise ValueError(f"{where}: expected one amount of each invoice, found another of {of}")
            seen.add(key)
        return self

    @model_validator(mode="after")
    def _access_is_to_what_is_here(self) -> Settings:
        if found := self.access.faults(frozenset(self.sources), frozenset(self.tag_keys)):
            raise ValueError("; ".join(found))
        return self

    @model_validator(mode="after")
    def _budgets_have_names_of_their_own(self) -> Settings:
        seen: set[str] = set()
        for place, budget in enumerate(self.budgets, 1):
            if budget.name in seen:
                raise ValueError(
                    f"[[budgets]] number {place}: expected a name of its own, found {budget.name!r} again"
                )
            if budget.tag_key is not None and budget.tag_key not in self.tag_keys:
                raise ValueError(
                    f"[[budgets]] number {place}: expected one of tag_keys ({', '.join(self.tag_keys)}) as "
                    f"tag_key, found {budget.tag_key!r}"
                )
            seen.add(budget.name)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then finops.toml."""
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, toml_file=config_file()),
        )

    @property
    def uses_demo(self) -> bool:
        """Whether any source is the demo."""
        return any(isinstance(s, DemoSource) for s in self.sources.values())


def config_file() -> Path:
    """The configuration file: $FINOPS_CONFIG, or finops.toml in the working directory."""
    return Path(os.environ.get(CONFIG_VARIABLE, "finops.toml"))


def load_settings(**overrides: Any) -> Settings:
    """Read the configuration. Raises ConfigError that names the key, the fault and an example."""
    path = config_file()
    if CONFIG_VARIABLE in os.environ and not path.is_file():
        raise ConfigError(f"{CONFIG_VARIABLE} names {path}, which does not exist.")
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise ConfigError(_explain(error, path)) from None
    except ValueError as error:  # not TOML at all
        raise ConfigError(f"{path} is not valid TOML: {error}\n\nA valid file:\n\n{EXAMPLE}") from None
    return _absolute(settings, path.resolve().parent)


@cache
def current_settings() -> Settings:
    """The process's settings, read once."""
    return load_settings()


def _absolute(settings: Settings, base: Path) -> Settings:
    sources = {
        name: s.model_copy(update={"path": base / s.path}) if isinstance(s, FilesSource) else s
        for name, s in settings.sources.items()
    }
    paths = Paths(data=base / settings.paths.data)
    currency = settings.currency
    if currency.rates and "://" not in currency.rates:
        currency = Currency(rates=str(base / currency.rates))
    return settings.model_copy(update={"paths": paths, "sources": sources, "currency": currency})


def _explain(error: ValidationError, path: Path) -> str:
    where = str(path) if path.is_file() else "the environment"
    lines = [f"The configuration in {where} is wrong:"]
    for fault in error.errors():
        if not fault["loc"]:  # of several keys together; its text names them
            lines.append(f"  {fault['msg']}")
            continue
        key = ".".join(str(part) for part in fault["loc"])
        given = fault.get("input")
        # A secret may also stand where it does not belong.
        may_be_secret = fault["loc"][0] == "access" or fault["loc"][:2] == ("alerts", "channels")
        hidden = fault["type"] == "missing" or may_be_secret
        found = "" if hidden else f" (found {given!r})"
        lines.append(f"  {key}: {fault['msg']}{found}")
    return "\n".join([*lines, "", "A valid file:", "", EXAMPLE])
