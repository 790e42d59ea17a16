"""Bring everything up to date: stale partitions of each source, then analysis and publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from finops_assets.defs.budgets.assets import TABLES as BUDGETS
from finops_assets.defs.budgets.assets import are_held
from finops_assets.defs.ingestion.sensors import contiguous
from finops_assets.defs.jobs import ANALYSIS, REFRESH
from finops_assets.defs.partitions import range_tags
from finops_assets.defs.resources import Platform
from finops_assets.marts.tables import EXCHANGE_RATES
from finops_assets.running.pipeline import run_job
from finops_assets.running.staleness import (
    is_analyzed,
    is_published,
    months_before_first,
    stale_months,
)
from finops_assets.sources.base import SourceError


@dataclass
class Refreshed:
    """What a refresh did: partitions tried, whether it published, and what failed, in words."""

    partitions: int = 0
    published: bool = False
    problems: list[str] = field(default_factory=list)


def refresh(
    platform: Platform,
    console: Console,
    sources: Sequence[str] = (),
    months: tuple[str, str] | None = None,
    *,
    analyze: bool = True,
) -> Refreshed:
    """Refresh `sources` (all by default), within `months` if given. One source's failure stops no other.

    Without `analyze` the bills are published with the forecasts and anomalies of before.
    """
    done = Refreshed()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        for source in sources or platform.settings.sources:
            try:
                stale = stale_months(platform, source)
                early = months_before_first(platform, source)
            except SourceError as error:
                done.problems.append(f"source {source}: {error}")
                continue
            if early:
                console.print(
                    f"[yellow]{source}: bills of {', '.join(early)} are left out, because first_month is "
                    f"{platform.settings.first_month}; set it in finops.toml to take them in."
                )
            failed = _refresh_months(source, _within(stale, months), progress, done)
            if stale:  # a list of commitments that came with one month is of those made before it, too
                followers = [m for m in stale_months(platform, source) if m not in failed]
                _refresh_months(source, _within(followers, months), progress, done)
        if analyze and not (is_analyzed(platform) and is_published(platform)):
            done.problems += run_job(ANALYSIS, {}, progress, "forecasts, anomalies, warehouse")
            done.published = True
        elif platform.settings.currency.rates or platform.lake.files(EXCHANGE_RATES):
            done.problems += run_job(ANALYSIS, {}, progress, "exchange rates", only=[EXCHANGE_RATES.name])
        if analyze and not are_held(platform):  # they change without a new bill
            only = [table.name for table in BUDGETS]
            done.problems += run_job(ANALYSIS, {}, progress, "budgets", only=only)
        if not is_published(platform):  # without analysis, or when a model failed: the bills still count
            done.problems += run_job(ANALYSIS, {}, progress, "warehouse", only=["warehouse"])
            done.published = True
    return done


def _within(stale: Sequence[str], months: tuple[str, str] | None) -> list[str]:
    return [m for m in stale if months is None or months[0] <= m <= months[1]]


def _refresh_months(source: str, months: list[str], progress: Progress, done: Refreshed) -> set[str]:
    """Refresh the months, and record it in `done`; those of runs that failed."""
    failed: set[str] = set()
    for stretch in contiguous(months):
        label = f"{source} {stretch[0]} to {stretch[-1]}"
        problems = run_job(REFRESH, range_tags(source, stretch), progress, label)
        done.problems += [f"{source}: {line}" for line in problems]
        done.partitions += len(stretch)
        failed |= set(stretch if problems else ())
    return failed
