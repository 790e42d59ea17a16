"""What is known in advance, from the lake and the settings to the pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finops_assets.defs.resources import Platform
from finops_assets.marts.plans import ENDING_COMMITMENTS, PLANNED_CHANGES

if TYPE_CHECKING:
    from finops_assets.forecasting.facts import Facts


def facts_of(platform: Platform) -> Facts:
    """Planned changes, commitments that end, and holidays."""
    from finops_assets.forecasting.facts import Facts
    from finops_assets.forecasting.planned import read_commitments, read_planned
    from finops_assets.forecasting.public_holidays import Holidays

    fetch, lake = platform.engine.fetch, platform.lake
    planned = read_planned(fetch("SELECT * FROM p", {"p": lake.input(PLANNED_CHANGES)}))
    planned += read_commitments(fetch("SELECT * FROM e", {"e": lake.input(ENDING_COMMITMENTS)}))
    code = platform.settings.forecast.holidays
    return Facts(planned, Holidays(code) if code else None)
