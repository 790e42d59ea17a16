"""Bills that another project makes up: koku-nise, which Red Hat writes to test its own cost management.

The program itself runs, in a process of its own and always with the same random numbers, and uploads by
itself where the provider has a server here. What it writes that the provider never would is mended below,
each time with the reason.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from google.cloud import bigquery

from tests.services.azurite import ACCOUNT, Azurite
from tests.services.moto import CREDENTIALS, REGION, Moto

MONTH = "2026-01"

PROGRAM = """
import random, runpy, sys
from faker import Faker
random.seed(20260101)
Faker.seed(20260101)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""What the command `nise` runs, but that it rolls the same dice every time."""

Plan = dict[str, Any]
"""What nise calls a static report file; JSON is YAML."""


def write_aws(moto: Moto, bucket: str, prefix: str, report: str, folder: Path) -> None:
    """Let nise upload January's legacy Cost and Usage Report, in files of 1,500 rows."""
    _run(
        _aws_plan(),
        folder,
        *("aws", "--file-row-limit", "1500", "--aws-s3-bucket-name", bucket),
        *("--aws-s3-report-prefix", prefix, "--aws-s3-report-name", report),
        **CREDENTIALS,
        AWS_ENDPOINT_URL=moto.url,
        AWS_DEFAULT_REGION=REGION,
    )


def _aws_plan() -> Plan:
    """Every service by the hour; and machines that a reservation and a Savings Plan pay for."""
    payer, member = "111122223333", "444455556666"
    # The last hour begins at 22:00: from a midnight after it nise would make a second, empty month.
    hours = {"start_date": "2026-01-01", "end_date": "2026-01-31T23:00:00"}
    first_hour = {"start_date": "2026-01-01", "end_date": "2026-01-01T01:00:00"}

    def machine(user: str, kind: str, cost: float, **more: Any) -> Plan:
        size = {"physical_cores": "2", "vcpu": "4", "memory": "16 GiB", "storage": "EBS Only"}
        described = {"inst_type": kind, "family": "General Purpose", "cost": cost, "rate": cost, **size}
        tags = {"resourceTags/user:app": f"{kind} app", "resourceTags/user:team": "web"}
        return {"EC2Generator": {**hours, "user": user, "tags": tags, "instance_type": described | more}}

    upfront = machine(payer, "m5.large", 1234.56, upfront_fee=True)
    upfront["EC2Generator"] |= first_hour
    services = ("EBS", "S3", "RDS", "Route53", "VPC", "DataTransfer", "Marketplace")
    return {
        "accounts": {"payer": payer, "user": [payer, member], "currency_code": "USD"},
        "generators": [
            *({f"{service}Generator": dict(hours)} for service in services),
            machine(payer, "m6i.xlarge", 0.192),
            machine(member, "m5.xlarge", 0.1921, reserved_instance=True),
            machine(member, "c5.large", 0.0851, saving=0.0612345678),
            machine(member, "c5.large", 0.0851, negation=True),
            machine(payer, "c5.large", 0.0613, recurring_fee=True),
            upfront,
        ],
    }


def mended_cur(content: bytes) -> bytes:
    """A file of nise's report with what AWS never writes put right.

    nise writes a reservation's class ("convertible") and payment ("No Upfront") into the public price's
    columns; AWS has columns for both, and publicOnDemandCost is a number. Where data transfer is under no
    Savings Plan, nise writes "None" for the plan's price. And it names no reservation and no plan, while
    AWS names them on each of their lines (AWS Data Exports user guide, "Pricing columns", "Reservation
    columns", "Savings plan columns").
    """
    rows = csv.DictReader(io.StringIO(content.decode()))
    mended = io.StringIO()
    written = csv.DictWriter(mended, rows.fieldnames or [])
    written.writeheader()
    for row in rows:
        if row["pricing/publicOnDemandCost"] == "convertible":
            row["pricing/OfferingClass"] = row.pop("pricing/publicOnDemandCost")
            row["pricing/PurchaseOption"] = row.pop("pricing/publicOnDemandRate")
        for price in ("savingsPlan/SavingsPlanEffectiveCost", "savingsPlan/SavingsPlanRate"):
            row[price] = "" if row[price] == "None" else row[price]
        if row["lineItem/LineItemType"].startswith("SavingsPlan"):
            row["savingsPlan/SavingsPlanArn"] = "arn:aws:savingsplans::111122223333:savingsplan/nise"
        elif row["lineItem/LineItemType"] == "DiscountedUsage":
            row["reservation/ReservationARN"] = "arn:aws:ec2:us-east-1:444455556666:reserved-instances/nise"
        written.writerow(row)
    return mended.getvalue().encode()


def write_azure(azurite: Azurite, container: str, report: str, folder: Path, *, by_group: bool) -> None:
    """Let nise upload January's actual costs: a subscription's columns, or a resource group's."""
    _run(
        _azure_plan("EUR" if by_group else "USD"),
        folder,
        *("azure", "--azure-container-name", container, "--azure-account-name", ACCOUNT),
        *("--azure-report-name", report, *(("--resource-group",) if by_group else ())),
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string(),
    )


def _azure_plan(currency: str) -> Plan:
    """Every service by the day."""
    # nise adds a day to the end: these are the days from the 1st to the 30th. With the 31st it would make
    # a second, empty month.
    days = {"start_date": "2026-01-01", "end_date": "2026-01-30"}
    services = ("Bandwidth", "CCSP", "SQL", "Storage", "VM", "VN", "DT", "ManagedDisk")
    subscription = "7b1a0000-0000-4000-8000-000000000001"
    return {
        "accounts": {"payer": subscription, "user": [subscription], "currency_code": currency},
        "generators": [{f"{service}Generator": dict(days)} for service in services for _ in range(3)],
    }


def gcp_rows(folder: Path) -> list[dict[str, Any]]:
    """January's usage in rows of the detailed export, as BigQuery takes them in JSON.

    The first day's machines are on December's invoice, the last day's on February's.
    """
    # Without Google credentials nise leaves the file that it would have loaded into the table.
    _run(
        _gcp_plan(),
        folder,
        *("gcp", "--resource-level", "--write-monthly", "--gcp-report-prefix", "rows"),
        *("--gcp-dataset-name", "unused", "--gcp-table-name", "unused"),
    )
    lines = (folder / "rows.json").read_text(encoding="utf-8").splitlines()
    return [_mended_gcp(json.loads(line)) for line in lines]


def _gcp_plan() -> Plan:
    hours = {"start_date": "2026-01-01", "end_date": "2026-02-01"}
    place = {"location": "us-central1", "country": "US", "region": "us-central1", "zone": "us-central1-a"}
    shop = {"billing_account_id": "0A0A0A-0B0B0B-0C0C0C", "project.id": "shop-prod", "project.name": "Shop"}
    machines = {
        "currency": "GBP",
        "credit_amount": -0.0012345,
        "cross_over": {"days": [1, -1], "overwrite": True},
        "labels": [{"team": "web"}],
    }
    services = ("CloudStorage", "PersistentDisk", "GCPNetwork", "GCPDatabase", "HCS")
    return {
        "projects": [
            {**shop, "project.labels": "env:prod", **{f"location.{k}": v for k, v in place.items()}}
        ],
        "generators": [
            {"ComputeEngineGenerator": {**hours, **machines}},
            *({f"{service}Generator": dict(hours)} for service in services),
        ],
    }


def _mended_gcp(row: dict[str, Any]) -> dict[str, Any]:
    """Credits are a repeated record: a list in JSON, empty where there is none. nise writes one record."""
    credit = row["credits"]
    return row | {"credits": [credit] if credit["name"] else []}


def gcp_schema() -> list[bigquery.SchemaField]:
    """The columns of the detailed export as nise creates the table: without what Google added since 2022.

    It is a literal inside of nise's function that uploads, so it is read from there.
    """
    spec = find_spec("nise.upload")
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return [
        bigquery.SchemaField.from_api_repr(field)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AugAssign) and ast.unparse(node).startswith("schema ")
        for field in ast.literal_eval(node.value)
    ]


def _run(plan: Plan, folder: Path, provider: str, *arguments: str, **environment: str) -> None:
    folder.mkdir()
    (folder / "plan.yaml").write_text(json.dumps(plan), encoding="utf-8")
    cloud = ("AWS_", "AZURE_", "GOOGLE_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(cloud)}
    done = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, str(Path(sys.executable).parent / "nise")),
            *("report", provider, "--static-report-file", "plan.yaml", *arguments),
        ],
        cwd=folder,
        # nise draws from sets, whose order is the hashes'.
        env={**kept, "PYTHONHASHSEED": "0", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    # It ends well when an upload fails; it says so, and what it loads is counted by the tests.
    assert done.returncode == 0, done.stdout + done.stderr
