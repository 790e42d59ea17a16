"""What commands print to, and how they say what a user can mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from finops_assets.settings import ConfigError

console = Console()
errors = Console(stderr=True)


@contextmanager
def plain_errors() -> Iterator[None]:
    """What a user can mend is said in one text, without a traceback."""
    import duckdb

    from finops_assets.access.binding import OpenDoorError
    from finops_assets.access.keys import KeyNameError
    from finops_assets.alert_settings import ChannelError
    from finops_assets.forecasting.daily_table import BadTableError
    from finops_assets.intake.parse import BillError
    from finops_assets.queries.dimensions import UnknownDimensionError
    from finops_assets.queries.filters import BadFilterError
    from finops_assets.queries.focus import UnknownDatasetError
    from finops_assets.running.detect import DetectError
    from finops_assets.running.official import OfficialError
    from finops_assets.running.trace import BadFigureError
    from finops_assets.sources.base import SourceError
    from finops_assets.warehouse.history import NotKeptError
    from finops_assets.warehouse.pointer import NotPublishedError
    from finops_assets.warehouse.publish import NotReconciledError

    plain = (
        ConfigError,
        OpenDoorError,
        KeyNameError,
        ChannelError,
        SourceError,
        BillError,
        NotPublishedError,
        NotReconciledError,
        NotKeptError,
        BadFigureError,
        BadTableError,
        OfficialError,
        DetectError,
        BadFilterError,
        UnknownDimensionError,
        UnknownDatasetError,
        duckdb.Error,
    )
    try:
        yield
    except plain as error:
        errors.print(f"[red]{error}", highlight=False)
        raise typer.Exit(1) from None
