"""Who is told of what, as finops.toml says it: `[alerts]` and one `[alerts.channels.<name>]` each.

An address may hold a password or a token. It is a SecretStr here, so that no text made of these settings
shows it; better still it stands in an environment variable that `url_env` names.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from finops_assets.source_settings import Strict

Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
Mode: TypeAlias = Literal["immediate", "digest"]


class ChannelError(Exception):
    """A channel cannot be used; the text says what to mend and holds no secret."""


def _amount(given: object) -> Decimal:
    if not isinstance(given, str) or not re.fullmatch(r"\d{1,18}(\.\d{1,18})?", given):
        raise ValueError('expected an amount in quotes, digits and a point only, such as "100.00"')
    return Decimal(given)


class Channel(Strict):
    """One way to tell someone, and what is worth telling them: all thresholds must be reached."""

    url: SecretStr | None = None
    """An apprise address, such as mailto://, slack://, msteams:// or json://."""
    url_env: Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable that holds the address."""
    secret_env: Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable that holds the secret of a webhook; the address is then its own, https://…"""
    refreshes: bool = False
    """Whether it is told of every refresh that is published."""
    mode: Mode = "immediate"
    min_impact: Annotated[Decimal, BeforeValidator(_amount)] = Decimal(0)
    """Absolute, in the currency of the event itself."""
    min_share: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    """Impact as a share of what was expected: 0.2 is a fifth more, or less."""
    min_severity: Severity = "low"
    levels: tuple[str, ...] = ()
    """Of events: which levels of series; all where none is said."""
    providers: tuple[str, ...] = ()
    """ServiceProviderNames; all, and the total, where none is said."""
    metric: Literal["BilledCost", "EffectiveCost"] | None = "EffectiveCost"
    """Of events: which cost; the same money otherwise shows in both."""

    @model_validator(mode="after")
    def _has_one_address(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError(
                'expected either url or url_env, such as url_env = "FINANCE_SLACK_URL"; found '
                + ("neither" if self.url is None else "both")
            )
        return self

    def address(self) -> SecretStr:
        """The apprise address. Raises ChannelError when the environment variable is not set."""
        if self.url is not None:
            return self.url
        found = os.environ.get(self.url_env or "", "")
        if not found:
            raise ChannelError(f"the environment variable {self.url_env} is not set")
        return SecretStr(found)

    def secret(self) -> SecretStr:
        """What a webhook is signed with. Raises ChannelError when the environment variable is not set."""
        found = os.environ.get(self.secret_env or "", "")
        if not found:
            raise ChannelError(f"the environment variable {self.secret_env} is not set")
        return SecretStr(found)


ChannelName: TypeAlias = Annotated[str, Field(pattern="^[a-z0-9-]+$")]


class Alerts(Strict):
    """All channels, and what they share."""

    channels: dict[ChannelName, Channel] = Field(default_factory=dict)
    digest_hour: Annotated[int, Field(ge=0, le=23)] = 7
    """The hour (UTC) from which a day's digest may go out."""
    max_attempts: Annotated[int, Field(ge=1)] = 5
    """After so many failures an alert is given up."""
    dashboard: str = "http://127.0.0.1:8501"
    """Where the links of a message lead; the address under which its readers reach the pages."""
