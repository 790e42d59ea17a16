"""Dagster's home: its folder below the data folder, with the project's dagster.yaml in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from finops_assets.settings import ConfigError, Settings


def prepare_home(settings: Settings, project: Path) -> Path:
    """Make DAGSTER_HOME and name it in the environment, for this process and those it starts.

    A DAGSTER_HOME that is already set is the user's own and is left alone. Raises ConfigError when
    the project's dagster.yaml is not where it should be.
    """
    if given := os.environ.get("DAGSTER_HOME"):
        return Path(given)
    home = settings.paths.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    config = project / "dagster.yaml"
    if not config.is_file():
        raise ConfigError(f"dagster.yaml is not in {project}: run finops in the project's folder.")
    shutil.copyfile(config, home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
