"""The platform as a user runs it: the real command line in a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from finops_assets.warehouse.pointer import current

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Platform:
    """One configuration and the data folder it made."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the process sees: nothing of the developer's own configuration."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FINOPS_", "DAGSTER_"))}
        return {**kept, "FINOPS_CONFIG": str(self.root / "finops.toml")}

    def configure(self, text: str) -> None:
        """Write finops.toml."""
        (self.root / "finops.toml").write_text(text, encoding="utf-8")

    def finops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        command = [str(Path(sys.executable).parent / "finops"), *arguments]
        return subprocess.run(
            command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the published file with a DuckDB of the test's own."""
        with duckdb.connect(str(current(self.root / "var" / "warehouse").path), read_only=True) as connection:
            return connection.execute(sql).fetchall()
