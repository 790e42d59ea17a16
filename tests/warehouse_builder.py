"""A small but rich published warehouse: three providers, two currencies, three months, all tables filled.

`build_warehouse(root)` writes the lake and publishes it below `root`, as a run of the platform would lay it
out. Called again it restates every month and publishes the next version. As a program it makes one to look
at: python -m tests.warehouse_builder <folder>
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
from deltalake import DeltaTable

from finops_assets.budget_settings import Budget
from finops_assets.decisions.budgets import KnownBudget
from finops_assets.defs.budgets.status import budget_tables
from finops_assets.engine.base import Input, ParquetInput
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.tables import BILLS
from finops_assets.lake.lake import Lake
from finops_assets.marts import anomalies, budgets, forecasts, series
from finops_assets.marts import tables as marts
from finops_assets.marts.alerts import ALERTS
from finops_assets.marts.arrivals import DELIVERED_DAYS
from finops_assets.marts.conformance import CONFORMANCE, conformance_sql, counts_sql
from finops_assets.marts.control_totals import CONTROL_TOTALS, control_totals_sql
from finops_assets.marts.daily_costs import daily_costs_sql
from finops_assets.marts.datasets import DATASETS, INVOICE_DETAILS, dataset_sql
from finops_assets.marts.invoices import INVOICES, invoices_sql
from finops_assets.marts.plans import ENDING_COMMITMENTS, PLANNED_CHANGES
from finops_assets.marts.reconciliation import STAGES, outcomes_sql, published_sql
from finops_assets.marts.restatements import CLOSED_AFTER_DAYS, DELIVERED_COSTS, RESTATEMENTS
from finops_assets.marts.sql import load_sql
from finops_assets.marts.training import FORECAST_TRAININGS
from finops_assets.normalize.formats import FORMAT_BY_NAME, FORMATS
from finops_assets.normalize.references import load_references
from finops_assets.normalize.tables import complete, costs_table, with_tag_columns
from finops_assets.schema import MONTH, SOURCE, Table, literal
from finops_assets.settings import Paths, Settings
from finops_assets.source_settings import FilesSource
from finops_assets.warehouse.publish import publish
from tests import warehouse_sql as sql

TAG_KEYS = ("team", "env")
LAST_DAY = date(2026, 3, 20)
BUDGETS = (
    KnownBudget(
        Budget(name="All in dollars", amount=Decimal("10963.10"), currency="USD", period="month"),
        "finops.toml",
    ),
    KnownBudget(
        Budget(name="AWS year", amount=Decimal(1000), currency="USD", period="year", provider="AWS"),
        "finops.toml",
    ),
    KnownBudget(
        Budget(
            name="Fabric",
            amount=Decimal(10**6),
            currency="EUR",
            period="month",
            provider="Microsoft",
            service="Microsoft Fabric",
            metric="BilledCost",
        ),
        "api",
    ),
)
"""A budget that is close to what comes, one that is long crossed, and one that is out of reach."""

BUDGET_TABLES = (budgets.BUDGET_STATUS, budgets.BUDGET_DAYS)

SOURCES = {"aws-main": "aws_cur2", "azure-ea": "azure_actual", "gcp-prod": "gcp_detailed"}


RATES = "Date,USD,GBP,\n" + "".join(
    f"{date(2026, 1, 1) + timedelta(days=n)},{Decimal('1.05') + Decimal(n) / 10_000},{pounds},\n"
    for n, pounds in [*((n, "N/A") for n in range(0, 88, 2)), (88, "0.86")]
)
"""The dollars of a euro, a little more every other day; of the pound nothing before the bills' end."""


class Builder:
    """Writes partitions of one lake."""

    def __init__(self, root: Path) -> None:
        self.engine = DuckDBEngine(root / "staging")
        self.lake = Lake(root / "lake")

    def fetch(self, text: str, inputs: Mapping[str, Input], *params: object) -> pa.Table:
        return self.engine.fetch(text, inputs, params)

    def put(
        self,
        table: Table,
        partition: Mapping[str, str],
        text: str,
        inputs: Mapping[str, Input],
        *params: object,
    ) -> None:
        path = self.lake.new_file(table, partition, "k")
        self.lake.replace(table, partition, [self.engine.write(text, inputs, table, path, params)])


def build_warehouse(root: Path, *, last_day: date = LAST_DAY, surcharge: Decimal = Decimal(0)) -> Settings:
    """Write and publish; the settings that read it.

    The three months end with that of `last_day`, whose bill is still arriving. `surcharge` is added to
    the billed and effective cost of every usage row.
    """
    settings = settings_of(root)
    build = Builder(root)
    first_day = _months_before(last_day, 2)
    charges = build.fetch(sql.CHARGES, {}, first_day, last_day, surcharge)
    for source, format_name in SOURCES.items():
        for back in (2, 1, 0):
            month = f"{_months_before(last_day, back):%Y-%m}"
            exported = min(_months_before(last_day, back - 1), last_day + timedelta(days=1))
            _bill(build, source, month, format_name, charges, exported, latest=back == 0)
    _models(build, last_day)
    rates = root / "rates.csv"
    rates.write_text(RATES, encoding="utf-8")
    build.put(marts.EXCHANGE_RATES, {}, load_sql("exchange_rates"), {}, str(rates), rates.name)
    publish(
        build.lake,
        build.engine,
        settings.paths.warehouse,
        native=(
            BILLS,
            marts.daily_costs_table(TAG_KEYS),
            series.COST_FEATURES,
            forecasts.COST_FORECASTS,
            forecasts.COST_FORECASTS_MONTHLY,
            forecasts.FORECAST_ACCURACY,
            forecasts.FORECAST_RECORD,
            PLANNED_CHANGES,
            ENDING_COMMITMENTS,
            FORECAST_TRAININGS,
            anomalies.COST_ANOMALIES,
            anomalies.ANOMALY_DRIVERS,
            *BUDGET_TABLES,
            anomalies.ANOMALY_FEEDBACK,
            marts.EXCHANGE_RATES,
            marts.QUALITY,
            CONFORMANCE,
            RESTATEMENTS,
            INVOICES,
            CONTROL_TOTALS,
            ALERTS,
            *DATASETS.values(),
        ),
        views=(costs_table(TAG_KEYS), *(f.raw_table() for f in FORMATS)),
        keep_days=settings.history.keep_days,
        run_id="built-for-tests",
        hold=published_sql(),
    )
    return settings


def shared_warehouse(base: Path) -> Settings:
    """One warehouse for all tests of a session that only read; `base` is pytest's base folder."""
    root = base / "shared-warehouse"
    return settings_of(root) if root.exists() else build_warehouse(root)


def settings_of(root: Path) -> Settings:
    """The settings that read a warehouse built at `root`."""
    return Settings(
        paths=Paths(data=root),
        tag_keys=TAG_KEYS,
        first_month="2025-01",
        reporting_currency="USD",
        budgets=tuple(k.budget for k in BUDGETS if k.origin == "finops.toml"),
        sources={name: FilesSource(path=root / "bills" / name) for name in SOURCES},
    )


def _bill(
    build: Builder,
    source: str,
    month: str,
    format_name: str,
    charges: pa.Table,
    exported: date,
    *,
    latest: bool,
) -> None:
    """One source's month: the delivered rows, the costs they become, the bill and its checks."""
    form = FORMAT_BY_NAME[format_name]
    partition = {SOURCE: source, MONTH: month}
    bill_id = f"{source}/{month}/{format_name}/{'0' * 11}1"
    own = build.fetch(
        f"SELECT * EXCLUDE ({SOURCE}, {MONTH}), {literal(bill_id)} AS x_BillId FROM charges "
        f"WHERE {SOURCE} = ? AND {MONTH} = ?",
        {"charges": charges},
        source,
        month,
    )
    given: dict[str, Input] = {"charges": own}
    build.put(form.raw_table(), partition, widened(sql.RAW[format_name], form.raw_table()), given)
    build.put(costs_table(TAG_KEYS), partition, with_tag_columns(complete(sql.COSTS), TAG_KEYS), given)
    costs = build.lake.input(costs_table(TAG_KEYS), partition)
    build.put(marts.daily_costs_table(TAG_KEYS), partition, daily_costs_sql(TAG_KEYS), {"costs": costs})
    raw = {form.raw_table().name: build.lake.input(form.raw_table(), partition)}
    is_restated = source == "aws-main" and not latest
    build.put(
        BILLS,
        partition,
        sql.BILLS,
        {"charges": own},
        bill_id,
        format_name,
        datetime(exported.year, exported.month, exported.day, 6, tzinfo=UTC),
        is_restated,
        source == "gcp-prod" and latest,  # a second delivery was refused
    )
    _ledger(build, partition, costs, is_restated=is_restated)
    bills = build.lake.input(BILLS, partition)
    for dataset, table in DATASETS.items():
        build.put(table, partition, dataset_sql(dataset), {"costs": costs, "bills": bills})
    stages: dict[str, Input] = {
        "bills": bills,
        "costs": costs,
        "daily_costs": build.lake.input(marts.daily_costs_table(TAG_KEYS), partition),
        **raw,
    }
    checks = " UNION ALL BY NAME ".join(f"({outcomes_sql(stage, [form])})" for stage in STAGES)
    build.put(marts.QUALITY, partition, checks, stages)
    named: dict[str, Input] = {**stages, "ref_provider_names": load_references()["ref_provider_names"]}
    build.put(INVOICES, partition, invoices_sql([form]), named)
    totals = build.fetch(sql.CONTROL_TOTALS, {"charges": own})
    if totals.num_rows:
        lines = build.lake.input(INVOICE_DETAILS, partition)
        held = {**named, "configured": totals, INVOICE_DETAILS.name: lines}
        build.put(CONTROL_TOTALS, partition, control_totals_sql([form]), held)
    counts = build.fetch(counts_sql("1.4"), {"charges": costs})
    broken = {row["rule"] for row in counts.to_pylist() if row["failed"]}
    build.put(CONFORMANCE, partition, conformance_sql("1.4", broken), {"charges": costs, "counts": counts})


def _ledger(build: Builder, partition: Mapping[str, str], costs: Input, *, is_restated: bool) -> None:
    """The states of a month: where it was restated, its usage was a tenth cheaper before."""
    known: Input = ParquetInput(DELIVERED_COSTS, ())
    states = [costs]
    if is_restated:
        cheaper = ", ".join(
            f"if(ChargeCategory = 'Usage', {c} * 0.9, {c}) AS {c}" for c in ("BilledCost", "EffectiveCost")
        )
        earlier = "regexp_replace(x_BillId, '1$', '0') AS x_BillId"
        text = f"SELECT * REPLACE ({cheaper}, {earlier}) FROM costs"
        states.insert(0, build.fetch(text, {"costs": costs}))
    for state in states:
        given = {"costs": state, "bills": build.lake.input(BILLS, partition), "delivered_costs": known}
        build.put(DELIVERED_COSTS, partition, load_sql("delivered_costs"), given)
        known = build.lake.input(DELIVERED_COSTS, partition)
    changes = load_sql("restatements")
    build.put(RESTATEMENTS, partition, changes, {"delivered_costs": known}, CLOSED_AFTER_DAYS)


def _models(build: Builder, last_day: date) -> None:
    """Features by the real SQL; forecasts, their accuracy, an anomaly and its drivers as plain figures."""
    cube: dict[str, Input] = {"daily_costs": build.lake.input(marts.daily_costs_table(TAG_KEYS))}
    delivered = {DELIVERED_DAYS.name: build.lake.input(DELIVERED_DAYS)}
    build.put(series.COST_FEATURES, {}, series.cost_features_sql(TAG_KEYS), cube | delivered)
    features: dict[str, Input] = {"cost_features": build.lake.input(series.COST_FEATURES)}
    made_at = datetime(last_day.year, last_day.month, last_day.day, 5, tzinfo=UTC) + timedelta(days=1)
    ledgers = {
        forecasts.COST_FORECASTS: sql.FORECASTS,
        forecasts.COST_FORECASTS_MONTHLY: sql.FORECASTS_MONTHLY,
    }
    ledger = features
    for table, rows in ledgers.items():
        text = f"SELECT * FROM ({rows}) WHERE made_on_month = ?"
        for month in sorted({f"{made_at - timedelta(days=n):%Y-%m}" for n in sql.MADE_DAYS_BEFORE}):
            build.put(table, {"made_on_month": month}, text, features, made_at, month)
        ledger = {**ledger, table.name: build.lake.input(table)}
    build.put(forecasts.FORECAST_RECORD, {}, load_sql("forecast_record"), ledger)
    build.put(forecasts.FORECAST_ACCURACY, {}, sql.ACCURACY, {})
    build.put(ENDING_COMMITMENTS, {}, widened(sql.ENDING_COMMITMENTS, ENDING_COMMITMENTS), {}, last_day)
    spike = _months_before(last_day, 1) + timedelta(days=sql.SPIKE_FROM - 1)
    build.put(anomalies.COST_ANOMALIES, {}, sql.ANOMALIES, cube, spike, last_day)
    build.put(anomalies.ANOMALY_DRIVERS, {}, sql.DRIVERS, cube, spike)
    read = (series.COST_FEATURES, forecasts.COST_FORECASTS, budgets.FORECAST_PATHS)
    held = budget_tables(BUDGETS, build.engine, {t.name: build.lake.input(t) for t in read}, made_at)
    for table, rows in zip((budgets.BUDGET_STATUS, budgets.BUDGET_DAYS), held, strict=True):
        build.put(table, {}, "SELECT * FROM made", {"made": rows})


def widened(text: str, table: Table) -> str:
    """`text` with every column of `table` that it leaves out, as typed nulls."""
    nothing = ", ".join(f'NULL::{c.type} AS "{c.name}"' for c in table.stored_columns())
    return f"SELECT {nothing} WHERE false UNION ALL BY NAME ({text})"


def _months_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def lake_table(settings: Settings, name: str) -> pl.DataFrame:
    """A table straight from the lake's files, for a test's own arithmetic."""
    files = DeltaTable(settings.paths.lake / name).file_uris()
    return pl.read_parquet(files, hive_partitioning=True, try_parse_hive_dates=False)


def main() -> None:
    """A warehouse to look at, up to yesterday."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    build_warehouse(
        parser.parse_args().folder.resolve(), last_day=datetime.now(UTC).date() - timedelta(days=1)
    )


if __name__ == "__main__":
    main()
