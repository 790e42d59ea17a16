"""Try every configured source and say what it can see: `finops sources check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table as RichTable

from finops_assets.defs.ingestion.origins import ask_account_names, open_source
from finops_assets.defs.resources import Platform
from finops_assets.sources.base import AccessError, Delivery, SourceError


@dataclass(frozen=True)
class Sight:
    """What one source shows. `grant` is the statement to add where a permission is missing."""

    source: str
    deliveries: tuple[Delivery, ...] = ()
    facts: tuple[str, ...] = ()
    problem: str | None = None
    grant: str | None = None

    @property
    def months(self) -> list[str]:
        """The months that deliveries name, sorted."""
        return sorted({d.month for d in self.deliveries if d.month is not None})


def look(platform: Platform, source: str) -> Sight:
    """List the source's deliveries and try what fetching the newest needs."""
    found: list[Delivery] = []
    try:
        opened = open_source(platform, source)
        found = opened.deliveries()
        whole = [d for d in found if d.problem is None]
        facts = opened.probe(whole[-1] if whole else None)
        names = ask_account_names(platform, source)
        if names is not None:
            facts.append(f"AWS Organizations names {names.num_rows:,} accounts")
    except AccessError as error:
        return Sight(source, tuple(found), problem=str(error), grant=error.grant)
    except SourceError as error:
        return Sight(source, tuple(found), problem=str(error))
    return Sight(source, tuple(found), tuple(facts))


def check_sources(platform: Platform, sources: Sequence[str], console: Console) -> bool:
    """Print a line a source, then what is wrong and how to mend it; whether all is well."""
    seen: list[Sight] = []
    for source in sources:
        with console.status(f"looking at {source}"):
            seen.append(look(platform, source))
    table = RichTable(title="Sources")
    for heading in ("source", "kind", "months", "deliveries", "newest", "size", "state"):
        table.add_column(heading, overflow="fold")
    for sight in seen:
        table.add_row(sight.source, platform.settings.sources[sight.source].kind, *_cells(sight))
    console.print(table)
    for sight in seen:
        for fact in sight.facts:
            console.print(f"{sight.source}: {fact}", highlight=False, soft_wrap=True)
        for delivery in sight.deliveries:
            if delivery.problem:
                console.print(f"[yellow]{sight.source} {delivery.month}: {delivery.problem}", highlight=False)
        if sight.problem:
            console.print(f"[red]{sight.source}: {sight.problem}", highlight=False)
        if sight.grant:
            console.print(f"Add this for {sight.source}:\n{sight.grant}", highlight=False, soft_wrap=True)
    return not any(sight.problem for sight in seen)


def _cells(sight: Sight) -> tuple[str, ...]:
    months = sight.months
    span = f"{months[0]} to {months[-1]} ({len(months)})" if months else "told by the rows"
    sizes = [d.bytes for d in sight.deliveries if d.bytes is not None]
    return (
        span if sight.deliveries else "none",
        f"{len(sight.deliveries):,}",
        _age(sight.deliveries),
        f"{sum(sizes) / 1e6:,.1f} MB" if sizes else "–",
        "[red]fails" if sight.problem else "[green]reads" if sight.deliveries else "[yellow]empty",
    )


def _age(deliveries: Sequence[Delivery]) -> str:
    if not deliveries:
        return "–"
    age = datetime.now(UTC) - max(d.exported_at for d in deliveries)
    if age.total_seconds() < 0:
        return "in the future: a clock is wrong"
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} days ago" if hours >= 48 else f"{hours} hours ago"
