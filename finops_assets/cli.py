"""finops: the command line. Each command is thin; what it does lies in the stage it names."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, TaskID

from finops_assets.cli_access import audit, keys_app
from finops_assets.cli_errors import console, errors, plain_errors
from finops_assets.settings import ConfigError, Settings, current_settings

if TYPE_CHECKING:  # what a command needs is imported when it runs
    from finops_assets.queries.access import Reader

app = typer.Typer(
    help="Multi-cloud bills, normalized to FOCUS, exact to the cent, with forecasts and anomalies.",
    no_args_is_help=True,
    add_completion=False,
)
sources_app = typer.Typer(help="The configured sources of bills.", no_args_is_help=True)
app.add_typer(sources_app, name="sources")
alerts_app = typer.Typer(help="What was told to whom.", invoke_without_command=True)
app.add_typer(alerts_app, name="alerts")

PROJECT = Path(__file__).resolve().parents[1]
TEMPLATE = Path(__file__).with_name("template.toml")

Month = Annotated[str | None, typer.Option(metavar="YYYY-MM")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="As it was known at the end of this day; now by default.",
    ),
]


@app.command()
def run(
    serve: Annotated[bool, typer.Option(help="Serve Dagster, the API and the dashboard afterwards.")] = True,
) -> None:
    """Bring everything up to date, print what the bills say, and serve it."""
    with plain_errors():
        settings = current_settings()
        if serve:
            from finops_assets.running.serve import check_doors

            check_doors(settings)
        _write_missing_demo(settings)
        _refresh(settings, keep_going=serve)
        if serve:
            from finops_assets.running.serve import serve as serve_all

            serve_all(settings, PROJECT, console)


@app.command()
def ingest(
    sources: Annotated[list[str] | None, typer.Argument(help="Sources; all by default.")] = None,
    start: Month = None,
    end: Month = None,
    analyze: Annotated[bool, typer.Option(help="Make forecasts and anomalies anew as well.")] = False,
) -> None:
    """Take in new bills of some sources and months, then publish."""
    with plain_errors():
        settings = current_settings()
        _check_known(settings, sources)
        months = (start or settings.first_month, end or f"{datetime.now(UTC):%Y-%m}")
        _refresh(settings, sources or [], months, analyze=analyze)


@sources_app.command()
def check(
    sources: Annotated[list[str] | None, typer.Argument(help="Sources; all by default.")] = None,
) -> None:
    """Try every source: what it holds, how fresh, and which permission is missing."""
    from finops_assets.defs.resources import Platform
    from finops_assets.running.sources import check_sources

    with plain_errors():
        settings = current_settings()
        _check_known(settings, sources)
        if not check_sources(Platform(), sources or list(settings.sources), console):
            raise typer.Exit(1)


@sources_app.command()
def init(
    to: Annotated[Path, typer.Option(help="The file to write.")] = Path("finops.toml"),
) -> None:
    """Write a commented finops.toml; an existing file is left alone."""
    with plain_errors():
        if to.exists():
            raise ConfigError(f"{to} exists already and is left as it is.")
        to.write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
        console.print(f"{to} is written: uncomment a source, then `finops sources check`.")


@app.command()
def demo(
    rows: Annotated[str, typer.Option(help="About how many rows in all; 100_000_000 works.")] = "500_000",
    seed: int = 7,
    months: int = 14,
    to: Annotated[Path | None, typer.Option(help="Where; the configured demo folder by default.")] = None,
) -> None:
    """Write demo bills in the three providers' native layouts."""
    with plain_errors():
        folder = to or current_settings().paths.demo
        _demo(folder, int(rows.replace("_", "")), seed, months)
        console.print(f"Demo bills lie in {folder}.")


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="DuckDB SQL over the published tables.")],
    as_of: AsOf = None,
) -> None:
    """Ask the published warehouse."""
    with plain_errors(), _known(current_settings(), as_of).cursor() as cursor:
        relation = cursor.sql(query)
        if relation is not None:
            relation.show(max_width=console.width)


@app.command()
def mcp() -> None:
    """Tools for a language model on this machine, over stdin and stdout; the API has them at /mcp."""
    os.execv(sys.executable, [sys.executable, "-m", "finops_api.mcp"])  # noqa: S606 - our own module


@app.command()
def trace(
    link: Annotated[
        str | None, typer.Argument(help="The rows_url of a figure; or say what it adds up:")
    ] = None,
    start: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day.")] = None,
    end: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day, included.")] = None,
    filter_: Annotated[
        list[str] | None,
        typer.Option("--filter", help="Such as \"ServiceName = 'Amazon S3' and tag.team in (data, web)\"."),
    ] = None,
    metric: Annotated[str, typer.Option(help="Which of FOCUS's four costs.")] = "EffectiveCost",
    currency: Annotated[str | None, typer.Option(help="Only costs in this currency.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows to show.")] = 10,
    delivered: Annotated[bool, typer.Option("--delivered", help="Each row as the provider sent it.")] = False,
    as_of: AsOf = None,
) -> None:
    """Show the bill rows behind a figure: the files they came in, and the lines of those files."""
    from finops_assets.running.trace import BadFigureError, figure, figure_of_link, print_trace

    with plain_errors():
        if link is not None:
            asked, day = figure_of_link(link, limit)
        elif start is None or end is None:
            raise BadFigureError("expected the rows_url of a figure, or --start and --end; found neither")
        else:
            asked = figure(
                start=start.date(),
                end=end.date(),
                filters=filter_ or [],
                metric=metric,
                currency=currency,
                limit=limit,
            )
            day = None
        warehouse = _known(current_settings(), as_of or day)
        print_trace(warehouse, console, asked, delivered=delivered)


@app.command()
def conformance(
    source: Annotated[str | None, typer.Option(help="A source; all by default.")] = None,
    month: Month = None,
    rule: Annotated[str | None, typer.Option(help="Only this rule.")] = None,
    as_of: AsOf = None,
    official: Annotated[
        bool, typer.Option("--official", help="Run FOCUS's official validator beside ours (Python 3.12).")
    ] = False,
) -> None:
    """Show how the bills keep the rules of FOCUS 1.4; fails when a rule that says MUST is broken."""
    from finops_assets.running.conformance import print_conformance

    with plain_errors():
        settings = current_settings()
        _check_known(settings, [source] if source else None)
        if official:
            from finops_assets.defs.resources import Platform
            from finops_assets.running.official import print_official

            if rule or as_of:
                raise typer.BadParameter(
                    "--official looks at whole bills as they are now: no --rule, no --as-of."
                )
            print_official(_known(settings, None), Platform(), console, source, month)
            return
        if not print_conformance(_known(settings, as_of), console, source, month, rule):
            raise typer.Exit(1)


@app.command()
def restatements(
    source: Annotated[str | None, typer.Option(help="A source; all by default.")] = None,
    month: Month = None,
    as_of: AsOf = None,
) -> None:
    """Show what later deliveries of a month changed, and what of it no correction accounts for."""
    from finops_assets.running.restatements import print_restatements

    with plain_errors():
        settings = current_settings()
        _check_known(settings, [source] if source else None)
        print_restatements(_known(settings, as_of), console, source, month)


@app.command()
def invoices(
    source: Annotated[str | None, typer.Option(help="A source; all by default.")] = None,
    month: Month = None,
    as_of: AsOf = None,
) -> None:
    """Show what invoices come to, against the bill and finops.toml's amounts; fails when one differs."""
    from finops_assets.running.invoices import print_invoices

    with plain_errors():
        settings = current_settings()
        _check_known(settings, [source] if source else None)
        if not print_invoices(_known(settings, as_of), console, source, month):
            raise typer.Exit(1)


@alerts_app.callback()
def alerts(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 50,
) -> None:
    """Show what was told through which channel, and how that went."""
    from finops_assets.decisions.alerts import recorded
    from finops_assets.running.alerts import print_alerts

    if context.invoked_subcommand is None:
        with plain_errors():
            print_alerts(recorded(current_settings().paths.decisions), console, limit)


@alerts_app.command("test")
def test_channel(channel: Annotated[str, typer.Argument(help="A channel's name in finops.toml.")]) -> None:
    """Send a test message through one channel."""
    from finops_assets.running.alerts import send_test

    with plain_errors():
        send_test(current_settings().alerts, channel)
        console.print(f"{channel} took the message.")


app.add_typer(keys_app, name="keys")
app.command()(audit)


@app.command()
def backtest(
    file: Annotated[Path, typer.Argument(help="Parquet or CSV with unique_id, ds and y: any daily series.")],
    horizon: Annotated[int, typer.Option(help="Days to forecast.")] = 90,
    output: Annotated[Path | None, typer.Option(help="Where to write the forecasts, as Parquet.")] = None,
) -> None:
    """Hold every model against daily series of your own, and forecast them with the best."""
    from finops_assets.running.backtest import run_backtest

    with plain_errors():
        run_backtest(file, console, horizon, output)


@app.command()
def detect(
    file: Annotated[Path, typer.Argument(help="Parquet or CSV with the columns unique_id, ds and y.")],
    output: Annotated[Path | None, typer.Option(help="A Parquet file to write the events to.")] = None,
) -> None:
    """Show the anomalies of any table of daily series."""
    from finops_assets.running.detect import print_events

    with plain_errors():
        print_events(file, console, output)


@app.command()
def publish() -> None:
    """Publish the newest version of every table, without materializing anything."""
    from finops_assets.defs.publishing.assets import publish_lake
    from finops_assets.defs.resources import Platform

    with plain_errors():
        done = publish_lake(Platform())
        state = "is new" if done.changed else "was already in force"
        console.print(f"Version {done.version} {state}: {done.path}")


@app.command()
def export(
    csv: Annotated[Path, typer.Option("--csv", help="The file to write.")],
    dataset: Annotated[
        str, typer.Option(help="CostAndUsage, BillingPeriod, InvoiceDetail or ContractCommitment.")
    ] = "CostAndUsage",
    start: Month = None,
    end: Month = None,
    as_of: AsOf = None,
) -> None:
    """Write one of FOCUS's datasets for a period, every column, as CSV."""
    from finops_assets.queries.focus import export_sql
    from finops_assets.schema import literal

    with plain_errors(), _known(current_settings(), as_of).cursor() as cursor:
        bounds = [start or "0000-00", end or "9999-99"]
        found = cursor.execute(
            f"COPY ({export_sql(dataset, *bounds)}) TO {literal(str(csv))} (FORMAT csv, HEADER)"
        ).fetchone()
        console.print(f"{0 if found is None else found[0]:,} rows written to {csv}.")


def _known(settings: Settings, as_of: date | None) -> Reader:
    """The published warehouse, as it was known at the end of a day. Raises NotKeptError."""
    from finops_assets.queries.access import as_known_on, open_warehouse

    return as_known_on(open_warehouse(settings), as_of.date() if isinstance(as_of, datetime) else as_of)


def _check_known(settings: Settings, sources: list[str] | None) -> None:
    unknown = [s for s in sources or [] if s not in settings.sources]
    if unknown:
        known = ", ".join(settings.sources)
        raise ConfigError(f"No source is called {', '.join(unknown)}; there are {known}.")


def _refresh(
    settings: Settings,
    sources: list[str] | None = None,
    months: tuple[str, str] | None = None,
    *,
    analyze: bool = True,
    keep_going: bool = False,
) -> None:
    from finops_assets.defs.resources import Platform
    from finops_assets.running.home import prepare_home
    from finops_assets.running.refresh import refresh
    from finops_assets.running.summary import print_summary
    from finops_assets.warehouse.reader import Warehouse

    prepare_home(settings, PROJECT)
    done = refresh(Platform(), console, sources or [], months, analyze=analyze)
    if not done.partitions and not done.published and not done.problems:
        console.print("Everything is up to date.")
    for problem in done.problems:
        errors.print(f"[red]{problem}", highlight=False)
    print_summary(Warehouse(settings.paths.warehouse), console)
    if done.problems and not keep_going:
        raise typer.Exit(1)


def _write_missing_demo(settings: Settings) -> None:
    if settings.uses_demo and not (settings.paths.demo / "demo.json").is_file():
        _demo(settings.paths.demo, 500_000, 7, 14)


def _demo(folder: Path, rows: int, seed: int, months: int) -> None:
    from finops_assets.sources.demo.write import write_demo

    with Progress(console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def show(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = progress.add_task(f"demo bills, {label}", total=total)
            progress.update(tasks[label], completed=done)

        today = datetime.now(UTC).date()
        write_demo(folder, rows=rows, seed=seed, today=today, months=months, progress=show)
