"""The one resource of every asset: the settings, and the lake and engine that they name."""

from __future__ import annotations

import dagster as dg

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.lake.lake import Lake
from finops_assets.settings import Settings, current_settings


class Platform(dg.ConfigurableResource):  # type: ignore[type-arg] # dagster's generic is for I/O managers
    """Settings, lake and engine. Holds nothing open between assets."""

    @property
    def settings(self) -> Settings:
        """The process's configuration."""
        return current_settings()

    @property
    def lake(self) -> Lake:
        """The Delta tables."""
        return Lake(self.settings.paths.lake)

    @property
    def engine(self) -> DuckDBEngine:
        """What runs the SQL."""
        return DuckDBEngine(self.settings.paths.staging / "spill", self.settings.memory_limit)
