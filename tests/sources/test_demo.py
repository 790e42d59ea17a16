"""The demo writer: layouts, manifests, determinism, and what a broken run leaves."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finops_assets.sources.demo import delivery
from finops_assets.sources.demo.write import DemoSummary, write_demo
from finops_assets.sources.folder import FolderStore
from finops_assets.sources.stored import StoredSource

TODAY = date(2026, 4, 11)

GCP_COLUMNS = {
    *("billing_account_id", "service", "sku", "usage_start_time", "usage_end_time", "project", "labels"),
    *("system_labels", "location", "tags", "resource", "transaction_type", "seller_name", "export_time"),
    *("cost", "cost_at_list", "cost_at_effective_price_default", "cost_at_list_consumption_model"),
    *("currency", "currency_conversion_rate", "usage", "credits", "invoice", "cost_type"),
    *("adjustment_info", "price", "subscription", "consumption_model"),
}
"""Google's documentation, "Structure of Detailed data export"."""


def write(root: Path, **changes: Any) -> DemoSummary:
    return write_demo(root, **{"rows": 5_000, "today": TODAY, "months": 3, **changes})


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "bills"
    write(root)
    return root


def tree(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_the_same_arguments_give_the_same_bytes(demo: Path, tmp_path: Path) -> None:
    write(tmp_path / "again")
    assert tree(tmp_path / "again") == tree(demo)


def test_another_seed_gives_other_bills(demo: Path, tmp_path: Path) -> None:
    write(tmp_path / "other", seed=8, months=1, providers=("gcp",))
    name = "gcp/gcp_billing_export_resource_v1/invoice_month=2026-04/part-000000000000.parquet"
    assert tree(tmp_path / "other")[name] != tree(demo)[name]


def test_each_month_is_one_delivery_and_azure_has_both_views(demo: Path) -> None:
    months = ["2026-02", "2026-03", "2026-04"]
    aws = StoredSource("aws", FolderStore(demo / "aws")).deliveries()
    gcp = StoredSource("gcp", FolderStore(demo / "gcp")).deliveries()
    azure = StoredSource("azure", FolderStore(demo / "azure")).deliveries()
    assert sorted(d.month or "" for d in aws) == months
    assert sorted(d.month or "" for d in gcp) == months
    assert all(d.problem is None for d in (*aws, *azure, *gcp))
    assert sorted((d.month, d.format) for d in azure) == [
        ("2026-02", "azure_actual"),
        ("2026-02", "azure_actual"),  # restated
        ("2026-02", "azure_amortized"),
        ("2026-02", "azure_amortized"),
        ("2026-03", "azure_actual"),
        ("2026-03", "azure_amortized"),
        ("2026-04", "azure_actual"),
        ("2026-04", "azure_amortized"),
    ]
    assert all(d.exported_at.date() <= TODAY for d in (*aws, *azure))


def test_azure_files_have_the_header_of_a_real_export(demo: Path, samples: Path) -> None:
    with (samples / "native-exports" / "azure-ea.csv").open(encoding="utf-8-sig", newline="") as real:
        header = next(csv.reader(real))
    for path in (demo / "azure").rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == header


def test_azure_manifests_count_what_lies_beside_them(demo: Path) -> None:
    manifests = sorted((demo / "azure").rglob("manifest.json"))
    assert len(manifests) == 8
    for path in manifests:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        (blob,) = manifest["blobs"]
        bill = demo / "azure" / blob["blobName"]
        assert bill.parent == path.parent
        with bill.open(encoding="utf-8", newline="") as file:
            rows = sum(1 for _ in csv.DictReader(file))
        assert (manifest["dataRowCount"], manifest["byteCount"]) == (rows, bill.stat().st_size)
        assert manifest["blobCount"] == 1
        assert manifest["runInfo"]["runId"] == path.parent.name
        assert manifest["exportConfig"]["type"] == (
            "ActualCost" if "/actual/" in path.as_posix() else "AmortizedCost"
        )


def test_aws_files_have_the_types_of_cost_and_usage_report_2(demo: Path) -> None:
    (path,) = (demo / "aws/finops-cur2/data/BILLING_PERIOD=2026-03").iterdir()
    assert path.name == "finops-cur2-00001.snappy.parquet"
    parquet = pq.ParquetFile(path)
    assert parquet.metadata.row_group(0).column(0).compression == "SNAPPY"
    types = {field.name: str(field.type) for field in parquet.schema_arrow}
    assert len(types) == 114
    expected = {
        "bill_billing_period_start_date": "timestamp[us]",
        "bill_payer_account_name": "string",
        "cost_category": "map<string, string ('cost_category')>",
        "discount": "map<string, double ('discount')>",
        "identity_line_item_id": "string",
        "line_item_unblended_cost": "double",
        "line_item_unblended_rate": "string",
        "line_item_usage_start_date": "timestamp[us]",
        "pricing_public_on_demand_cost": "double",
        "product": "map<string, string ('product')>",
        "reservation_effective_cost": "double",
        "reservation_unused_amortized_upfront_fee_for_billing_period": "double",
        "resource_tags": "map<string, string ('resource_tags')>",
        "savings_plan_savings_plan_a_r_n": "string",
        "savings_plan_savings_plan_effective_cost": "double",
    }
    assert {name: types[name] for name in expected} == expected


def test_aws_manifests_name_the_columns_in_the_files(demo: Path) -> None:
    path = demo / "aws/finops-cur2/metadata/BILLING_PERIOD=2026-03/finops-cur2-Manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    assert manifest["billingPeriod"]["start"] == "2026-03-01T00:00:00.000Z"
    (named,) = manifest["dataFiles"]
    assert named.startswith("s3://")
    assert named.endswith("/finops-cur2-00001.snappy.parquet")
    (file,) = (demo / "aws/finops-cur2/data/BILLING_PERIOD=2026-03").iterdir()
    assert [c["name"] for c in manifest["columns"]] == pq.read_schema(file).names


def test_google_files_have_the_nested_schema_of_the_detailed_export(demo: Path) -> None:
    (path,) = (demo / "gcp/gcp_billing_export_resource_v1/invoice_month=2026-03").iterdir()
    schema = pq.read_schema(path)
    assert set(schema.names) == GCP_COLUMNS
    credit = schema.field("credits").type.value_type
    assert {field.name for field in credit} == {"name", "amount", "full_name", "id", "type"}
    project = schema.field("project").type
    assert {"id", "number", "name", "labels", "ancestry_numbers", "ancestors"} == {f.name for f in project}
    assert str(schema.field("usage_start_time").type) == "timestamp[us, tz=UTC]"


def test_a_run_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    root = tmp_path / "bills"
    write(root, months=1, providers=("gcp",))
    before = tree(root)

    def stop(label: str, done: int, total: int) -> None:
        raise RuntimeError(f"{label} {done}/{total}")

    with pytest.raises(RuntimeError, match="gcp 1/2"):
        write(root, months=2, providers=("gcp",), progress=stop)
    assert tree(root) == before
    assert [path.name for path in tmp_path.iterdir()] == ["bills"]


def test_a_killed_run_leaves_no_half_and_the_next_one_goes_through(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom datetime import date\nfrom pathlib import Path\n"
        "from finops_assets.sources.demo.write import write_demo\n"
        "write_demo(Path(sys.argv[1]), rows=1, today=date(2026, 4, 11), months=2, providers=('gcp',), "
        "progress=lambda *_: os.kill(os.getpid(), 9))\n"
    )
    root = tmp_path / "bills"
    killed = subprocess.run([sys.executable, "-c", program, str(root)], check=False)
    assert killed.returncode == -9
    assert not root.exists()
    write(root, months=1, providers=("gcp",))
    assert (root / "demo.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["bills"]


def test_the_summary_and_the_progress_say_what_was_written(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    done = write(tmp_path / "bills", months=2, progress=lambda *args: heard.append(args))
    assert heard == [(p, month, 2) for p in ("aws", "azure", "gcp") for month in (1, 2)]
    for provider, pattern in (("aws", "*.parquet"), ("azure", "*.csv"), ("gcp", "*.parquet")):
        files = list((tmp_path / "bills" / provider).rglob(pattern))
        assert done.files[provider] == len(files)
        if pattern == "*.parquet":
            assert done.rows[provider] == sum(pq.read_metadata(f).num_rows for f in files)


def test_a_large_month_is_split_into_files_that_together_hold_the_same(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "ROWS_PER_FILE", 900)
    write(tmp_path / "split")
    for month in ("2026-03", "2026-04"):
        folder = f"aws/finops-cur2/data/BILLING_PERIOD={month}"
        parts = sorted((tmp_path / "split" / folder).iterdir())
        assert [p.name for p in parts] == [
            f"finops-cur2-{n:05d}.snappy.parquet" for n in range(1, len(parts) + 1)
        ]
        assert len(parts) > 1
        (whole,) = (demo / folder).iterdir()
        columns = ["identity_line_item_id", "line_item_unblended_cost"]
        split = pa.concat_tables([pq.read_table(p, columns=columns, partitioning=None) for p in parts])
        expected = pq.read_table(whole, columns=columns, partitioning=None)
        assert split.sort_by(columns[0]).equals(expected.sort_by(columns[0]))
    for source in ("aws", "azure"):
        found = StoredSource(source, FolderStore(tmp_path / "split" / source)).deliveries()
        assert all(d.problem is None for d in found)
        assert max(len(d.files) for d in found) > 1


def test_on_the_first_of_a_month_the_last_bill_is_the_month_before(tmp_path: Path) -> None:
    write(tmp_path / "bills", today=date(2026, 4, 1), months=1, providers=("aws",))
    (month,) = (tmp_path / "bills/aws/finops-cur2/data").iterdir()
    assert month.name == "BILLING_PERIOD=2026-03"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"providers": ("aws", "oci")}, "no demo provider is called oci"),
        ({"rows": 0}, "at least one row"),
        ({"months": 0}, "one month"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        write(tmp_path / "bills", **changes)
    assert not list(tmp_path.iterdir())
