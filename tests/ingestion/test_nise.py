"""Whole months that koku-nise makes up, from real servers to the published costs, added up beside them.

The truth is taken from what lies on the servers, with Python's own csv, json and decimal.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from tests.ingestion.connected import Connected
from tests.services.azurite import Azurite, running_azurite
from tests.services.bqemulator import running_bqemulator
from tests.services.moto import CREDENTIALS, REGION, Moto, running_moto
from tests.services.nise import MONTH, gcp_rows, gcp_schema, mended_cur, write_aws, write_azure

CONFIGURATION = """
first_month = "2025-12"

[sources.aws]
kind = "aws_export"
bucket = "bills"
prefix = "reports/hourly"
region = "{region}"
endpoint_url = "{moto.url}"

[sources.subscription]
kind = "blob_files"
account_url = "{account_url}"
container = "bills"
prefix = "subscription"
connection_variable = "BILLING_CONNECTION"

[sources.group]
kind = "blob_files"
account_url = "{account_url}"
container = "bills"
prefix = "group"
connection_variable = "BILLING_CONNECTION"

[sources.google]
kind = "gcp_bigquery"
table = "{table}"
endpoint = "{big_query.url}"
"""

DAY = "strftime(ChargePeriodStart, '%Y-%m-%d')"

Row = dict[str, Any]
Sums = dict[tuple[Any, ...], Decimal]


@dataclass(frozen=True)
class Ingested:
    """The platform after `finops ingest`, and the rows that lie on the servers, by source."""

    platform: Connected
    rows: dict[str, list[Row]]

    def sums(self, source: str, metric: str, *keys: str, where: str = "true", of: str = "costs") -> Sums:
        """A cost of a source's published rows, by key."""
        found = self.platform.query(
            f"SELECT {', '.join(keys)}, sum({metric}) FROM {of} WHERE x_Source = '{source}' AND {where} "
            "GROUP BY ALL"
        )
        return {row[:-1]: row[-1] for row in found}

    def months(self, source: str, metric: str = "BilledCost", of: str = "costs") -> Sums:
        """The same by currency and billing month."""
        return self.sums(source, metric, "BillingCurrency", "x_BillingMonth", of=of)

    def counts(self, source: str) -> dict[str, int]:
        """Published rows by category."""
        return dict(
            self.platform.query(
                f"SELECT ChargeCategory, count(*) FROM costs WHERE x_Source = '{source}' GROUP BY 1"
            )
        )


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingested]:
    folder = tmp_path_factory.mktemp("nise")
    with running_azurite(folder / "azurite") as azurite, running_bqemulator() as big_query:
        with running_moto() as moto, ThreadPoolExecutor(2) as pool:
            aws = pool.submit(aws_rows, moto, folder / "aws")
            google = pool.submit(gcp_rows, folder / "google")
            azure = pool.submit(azure_rows, azurite, folder)
            table = big_query.table("nise.export", gcp_schema(), bigquery.TimePartitioning())
            big_query.insert(table, google.result())
            rows = {"aws": aws.result(), "google": google.result(), **azure.result()}
            platform = Connected(folder, {**CREDENTIALS, "BILLING_CONNECTION": azurite.connection_string()})
            platform.configure(
                CONFIGURATION.format(
                    moto=moto,
                    region=REGION,
                    account_url=azurite.account_url(),
                    big_query=big_query,
                    table=table,
                )
            )
            platform.ingest()
        yield Ingested(platform, rows)


def aws_rows(moto: Moto, folder: Path) -> list[Row]:
    """Deliver nise's report; its rows."""
    s3 = moto.owner("s3")
    s3.create_bucket(Bucket="bills")
    write_aws(moto, "bills", "reports", "hourly", folder)
    written = {
        entry["Key"]: s3.get_object(Bucket="bills", Key=entry["Key"])["Body"].read()
        for entry in s3.list_objects_v2(Bucket="bills")["Contents"]
    }
    files = {k: mended_cur(gzip.decompress(v)) for k, v in written.items() if k.endswith(".csv.gz")}
    assert len(files) > 1, "nise cuts its report into files"
    for key, mended in files.items():
        s3.put_object(Bucket="bills", Key=key, Body=gzip.compress(mended, mtime=0))
    # nise writes the manifests before the files that they name: a delivery that is still being written.
    for key in written.keys() - files.keys():
        s3.put_object(Bucket="bills", Key=key, Body=written[key])
    return [row for mended in files.values() for row in csv_rows(mended)]


def azure_rows(azurite: Azurite, folder: Path) -> dict[str, list[Row]]:
    """Deliver nise's two exports; the rows of each."""
    with azurite.container("bills") as container:
        container.create_container()
        write_azure(azurite, "bills", "subscription", folder / "subscription", by_group=False)
        write_azure(azurite, "bills", "group", folder / "group", by_group=True)
        blobs = {blob.name: container.download_blob(blob.name).readall() for blob in container.list_blobs()}
    assert [name.split("/")[:2] for name in sorted(blobs)] == [
        ["group", "20260101-20260131"],
        ["subscription", "20260101-20260131"],
    ]
    return {name.split("/", maxsplit=1)[0]: csv_rows(content) for name, content in blobs.items()}


def csv_rows(content: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def money(given: Any) -> Decimal:
    """A cost in the lake's 18 decimals: nise prints every digit of a double, up to 24 decimals."""
    return Decimal(str(given)).quantize(Decimal("1e-18"), ROUND_HALF_UP)


def added_up(
    rows: Iterable[Row], key: Callable[[Row], tuple[Any, ...]], amount: Callable[[Row], Decimal]
) -> Sums:
    sums: Sums = defaultdict(Decimal)
    for row in rows:
        sums[key(row)] += amount(row)
    return dict(sums)


def unblended(row: Row) -> Decimal:
    return money(row["lineItem/UnblendedCost"])


def effective(row: Row) -> Decimal:
    """A line's amortized cost, by the AWS user guide's account of reservations and Savings Plans.

    nise's reservation has no fee and no effective cost, its plan no unused commitment.
    """
    match row["lineItem/LineItemType"]:
        case "SavingsPlanCoveredUsage":
            return money(row["savingsPlan/SavingsPlanEffectiveCost"])
        case "SavingsPlanNegation" | "SavingsPlanRecurringFee" | "SavingsPlanUpfrontFee":
            return Decimal()
        case _:
            return unblended(row)


def account_and_day(row: Row) -> tuple[str, str]:
    return row["lineItem/UsageAccountId"], row["lineItem/UsageStartDate"][:10]


def test_every_month_is_accepted(ingested: Ingested) -> None:
    bills = ingested.platform.query("SELECT x_Source, x_BillingMonth, status, format FROM bills ORDER BY ALL")
    assert bills == [
        ("aws", MONTH, "accepted", "aws_cur_legacy"),
        ("google", "2025-12", "accepted", "gcp_detailed"),
        ("google", MONTH, "accepted", "gcp_detailed"),
        ("google", "2026-02", "accepted", "gcp_detailed"),
        ("group", MONTH, "accepted", "azure_actual"),
        ("subscription", MONTH, "accepted", "azure_actual"),
    ]


def test_an_aws_cost_and_usage_report(ingested: Ingested) -> None:
    rows = ingested.rows["aws"]
    whole = added_up(
        rows, lambda r: (r["lineItem/CurrencyCode"], r["bill/BillingPeriodStartDate"][:7]), unblended
    )
    assert ingested.months("aws") == whole
    assert ingested.months("aws", of="daily_costs") == whole
    kinds = [row["lineItem/LineItemType"] for row in rows]
    fees = kinds.count("SavingsPlanRecurringFee") + kinds.count("SavingsPlanUpfrontFee")
    negated = kinds.count("SavingsPlanNegation")
    assert fees > 1
    assert negated == kinds.count("SavingsPlanCoveredUsage") == kinds.count("DiscountedUsage") > 1
    assert ingested.counts("aws") == {
        "Usage": len(rows) - fees - negated,
        "Purchase": fees,
        "Adjustment": negated,
    }
    assert ingested.sums("aws", "EffectiveCost", "SubAccountId", DAY) == added_up(
        rows, account_and_day, effective
    )
    # A plan's covered usage and its negation cancel within an account's bill, not row by row.
    assert ingested.sums(
        "aws",
        "BilledCost",
        "SubAccountId",
        DAY,
        where="CommitmentDiscountType IS DISTINCT FROM 'Savings Plan'",
    ) == added_up([row for row in rows if not row["savingsPlan/SavingsPlanArn"]], account_and_day, unblended)
    assert ingested.sums("aws", "EffectiveCost", "Tags->>'app'", where="Tags->>'team' = 'web'") == added_up(
        [row for row in rows if row["resourceTags/user:team"] == "web"],
        lambda row: (row["resourceTags/user:app"],),
        effective,
    )


@pytest.mark.parametrize(
    ("source", "currency", "subscription", "resource"),
    [
        ("subscription", "BillingCurrency", "SubscriptionId", "ResourceId"),
        ("group", "BillingCurrencyCode", "SubscriptionGuid", "InstanceName"),
    ],
)
def test_azure_cost_details(
    ingested: Ingested, source: str, currency: str, subscription: str, resource: str
) -> None:
    rows = ingested.rows[source]

    def cost(row: Row) -> Decimal:
        return money(row["CostInBillingCurrency"])

    whole = added_up(rows, lambda row: (row[currency], row["BillingPeriodStartDate"][:7]), cost)
    assert ingested.months(source) == whole
    assert ingested.months(source, "EffectiveCost") == whole, "nothing of it is under a commitment"
    assert ingested.months(source, of="daily_costs") == whole
    assert ingested.counts(source) == {"Usage": len(rows)}
    assert ingested.sums(source, "BilledCost", "SubAccountId", "ResourceId", DAY) == added_up(
        rows, lambda row: (row[subscription], row[resource], row["Date"]), cost
    )


def test_a_google_cloud_billing_export(ingested: Ingested) -> None:
    rows = ingested.rows["google"]

    def cost(row: Row) -> Decimal:
        return money(row["cost"])

    def credited(row: Row) -> Decimal:
        return sum((money(credit["amount"]) for credit in row["credits"]), Decimal())

    def invoice(row: Row) -> tuple[str, str]:
        month = row["invoice"]["month"]
        return row["currency"], f"{month[:4]}-{month[4:]}"

    def service_and_day(row: Row) -> tuple[str, str]:
        return row["service"]["description"], row["usage_start_time"][:10]

    whole = added_up(rows, invoice, lambda row: cost(row) + credited(row))
    assert sorted(whole) == [("GBP", "2025-12"), ("GBP", MONTH), ("GBP", "2026-02")]
    assert ingested.months("google") == whole
    assert ingested.months("google", "EffectiveCost") == whole, "nothing of it is under a commitment"
    assert ingested.months("google", of="daily_costs") == whole
    with_credit = [row for row in rows if row["credits"]]
    assert with_credit
    assert ingested.counts("google") == {"Usage": len(rows), "Credit": len(with_credit)}
    for category, given, amount in (("Usage", rows, cost), ("Credit", with_credit, credited)):
        assert ingested.sums(
            "google", "BilledCost", "ServiceName", DAY, where=f"ChargeCategory = '{category}'"
        ) == added_up(given, service_and_day, amount)
    assert ingested.sums("google", "BilledCost", "Tags->>'env'", "SubAccountId") == added_up(
        rows, lambda row: ("prod", row["project"]["id"]), lambda row: cost(row) + credited(row)
    )
