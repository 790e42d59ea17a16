"""FOCUS files of any version: the odd values of real ones, and what the up-conversion infers."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.normalize.bills import Normalized, Row, normalize, read_csv, shared, totals

SAMPLE = "focus-1.0-sample/focus_sample.csv"

PLAIN = {
    "BilledCost": "1.50",
    "BillingAccountId": "1",
    "BillingCurrency": "EUR",
    "BillingPeriodStart": "2026-01-01T00:00:00Z",
    "BillingPeriodEnd": "2026-02-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-01-05T00:00:00Z",
    "ChargePeriodEnd": "2026-01-06T00:00:00Z",
    "ContractedCost": "1.75",
    "EffectiveCost": "1.25",
    "InvoiceIssuerName": "Acme",
    "ListCost": "2",
    "ServiceCategory": "Compute",
    "ServiceName": "Machines",
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Normalized:
    return normalize(shared(SAMPLE), tmp_path_factory.mktemp("focus"))


def one(tmp_path: Path, without: tuple[str, ...] = (), **changes: str) -> Row:
    row = {k: v for k, v in {**PLAIN, **changes}.items() if k not in without}
    path = tmp_path / "focus.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(row))
        writer.writeheader()
        writer.writerow(row)
    (found,) = normalize(path, tmp_path).rows
    return found


@pytest.mark.parametrize("cost", ["BilledCost", "EffectiveCost", "ListCost"])
def test_sums_equal_the_files_own_to_the_last_digit(sample: Normalized, cost: str) -> None:
    assert sample.total(cost) == totals(read_csv(shared(SAMPLE)), "BillingCurrency", cost)


def test_the_bills_own_total_is_its_billed_cost(sample: Normalized) -> None:
    assert sample.stated == totals(read_csv(shared(SAMPLE)), "BillingCurrency", "BilledCost")
    assert len(sample.rows) == 1000


def test_a_null_contracted_cost_becomes_the_list_cost_and_says_so(sample: Normalized) -> None:
    oracle = [row for row in sample.rows if row["ServiceProviderName"] == "Oracle"]
    assert len(oracle) == 7
    for row in oracle:
        assert row["ContractedCost"] == row["ListCost"]
        assert "ContractedCost" in row["x_Inferred"].split(",")
    stated = [r for r in sample.rows if r["ServiceProviderName"] == "Microsoft"]
    expected = sum(
        Decimal(r["ContractedCost"]) for r in read_csv(shared(SAMPLE)) if r["ProviderName"] == "Microsoft"
    )
    assert sum(r["ContractedCost"] for r in stated) == expected
    assert not any("ContractedCost" in (r["x_Inferred"] or "").split(",") for r in stated)


def test_usage_based_in_any_case_is_one_value(sample: Normalized) -> None:
    delivered = {row["ChargeFrequency"] for row in read_csv(shared(SAMPLE))}
    assert {"Usage-Based", "Usage-based"} <= delivered
    assert {row["ChargeFrequency"] for row in sample.rows} == {"Usage-Based", "One-Time"}


def test_the_text_null_is_null(sample: Normalized) -> None:
    assert not any(value == "NULL" for row in sample.rows for value in row.values())
    by_hand = sum(row["Tags"] != "NULL" for row in read_csv(shared(SAMPLE)))
    assert sum(row["Tags"] is not None for row in sample.rows) == by_hand


def test_an_october_billing_period_on_september_charges_is_kept(sample: Normalized) -> None:
    (late,) = [r for r in sample.rows if r["BillingPeriodStart"] == datetime(2024, 10, 1, tzinfo=UTC)]
    assert late["ServiceProviderName"] == "Oracle"
    assert late["ChargePeriodStart"] == datetime(2024, 9, 30, 22, tzinfo=UTC)
    assert late["BilledCost"] == Decimal("0.24")
    assert sample.months == ["2024-09", "2024-10"]


def test_tags_keep_odd_keys_and_come_in_order(sample: Normalized) -> None:
    tags = [json.loads(row["Tags"]) for row in sample.rows if row["Tags"]]
    assert all(list(t) == sorted(t) for t in tags)
    assert any(t.get(" org") == "trey" and t.get("org") == "trey" for t in tags)


def test_negative_rows_stay_negative(sample: Normalized) -> None:
    delivered = [
        Decimal(r["BilledCost"]) for r in read_csv(shared(SAMPLE)) if r["BilledCost"].startswith("-")
    ]
    assert sorted(r["BilledCost"] for r in sample.rows if r["BilledCost"] < 0) == sorted(delivered)


def test_provider_and_publisher_move_to_todays_columns(sample: Normalized) -> None:
    (red_hat,) = [r for r in sample.rows if r["x_PublisherName"] == "Red Hat Inc."]
    assert red_hat["ServiceProviderName"] == "AWS"
    assert red_hat["HostProviderName"] == "AWS"
    assert red_hat["InvoiceIssuerName"] == "Amazon Web Services, Inc."
    assert "ServiceProviderName" in red_hat["x_Inferred"].split(",")


@pytest.mark.parametrize(
    ("delivered", "name", "host"),
    [
        ("Amazon Web Services, Inc.", "AWS", "AWS"),
        ("Microsoft Azure", "Microsoft", "Microsoft"),
        ("google cloud", "Google Cloud", "Google Cloud"),
        ("Snowflake", "Snowflake", None),
    ],
)
def test_a_provider_goes_by_one_name(tmp_path: Path, delivered: str, name: str, host: str | None) -> None:
    row = one(tmp_path, ProviderName=delivered)
    assert (row["ServiceProviderName"], row["HostProviderName"]) == (name, host)


def test_a_1_4_row_passes_through(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        ServiceProviderName="Acme Cloud",
        HostProviderName="AWS",
        ServiceSubcategory="Containers",
        InvoiceDetailId="D1",
    )
    assert row["x_Inferred"] is None
    assert row["InvoiceDetailId"] == "D1"
    assert (row["ServiceProviderName"], row["HostProviderName"]) == ("Acme Cloud", "AWS")
    costs = [row[c] for c in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")]
    assert costs == [Decimal("1.50"), Decimal("1.25"), Decimal(2), Decimal("1.75")]


def test_a_stated_cost_of_zero_is_not_replaced(tmp_path: Path) -> None:
    row = one(tmp_path, ListCost="0", ContractedCost="0")
    assert (row["ListCost"], row["ContractedCost"]) == (0, 0)


def test_without_list_and_contracted_cost_both_are_inferred(tmp_path: Path) -> None:
    row = one(tmp_path, without=("ListCost", "ContractedCost"))
    assert row["ListCost"] == row["ContractedCost"] == Decimal("1.50")
    assert {"ListCost", "ContractedCost"} <= set(row["x_Inferred"].split(","))


@pytest.mark.parametrize(
    ("category", "subcategory", "expected"),
    [
        ("compute", "virtual machines", ("Compute", "Virtual Machines")),
        ("Database", "No-SQL DB", ("Databases", "NoSQL Databases")),
        ("Compute", "Block Storage", ("Compute", "Other (Compute)")),
        ("Compute", "", ("Compute", "Other (Compute)")),
        ("Sundries", "", ("Other", "Other (Other)")),
    ],
)
def test_services_are_filed_under_focus_categories(
    tmp_path: Path, category: str, subcategory: str, expected: tuple[str, str]
) -> None:
    row = one(tmp_path, ServiceCategory=category, ServiceSubcategory=subcategory)
    assert (row["ServiceCategory"], row["ServiceSubcategory"]) == expected


@pytest.mark.parametrize(
    ("delivered", "tags"),
    [
        ('{"b": "2", "a": true, "c": 3}', {"a": True, "b": "2", "c": 3}),
        ('"b": "2", "a": "1"', {"a": "1", "b": "2"}),
        ('[{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]', {"a": "1", "b": "2"}),
        ('{"a": "1", "a": "2", "quo\\"te": "3"}', {"a": "2", 'quo"te': "3"}),
        ('["a", "b"]', None),
        ("not tags at all", None),
        ('"just text"', None),
        ("{}", None),
        ("null", None),
    ],
)
def test_tags_become_one_flat_object(tmp_path: Path, delivered: str, tags: dict[str, object] | None) -> None:
    found = one(tmp_path, Tags=delivered)["Tags"]
    assert (found and json.loads(found)) == tags
    if found:
        assert list(json.loads(found)) == sorted(json.loads(found))


def test_aws_focus_fills_what_1_0_did_not_have(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        ProviderName="AWS",
        x_ServiceCode="AWSLambda",
        x_UsageType="Lambda-GB-Second",
        x_Operation="Invoke",
        ServiceName="AWS Lambda",
    )
    assert row["ServiceSubcategory"] == "Serverless Compute"
    assert row["SkuMeter"] == "Lambda-GB-Second"
    assert "ServiceSubcategory" in row["x_Inferred"].split(",")


def test_aws_focus_disk_is_block_storage(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        ServiceCategory="Storage",
        ServiceName="Amazon Elastic Compute Cloud",
        x_ServiceCode="AmazonEC2",
        x_UsageType="EUC1-EBS:VolumeUsage.gp3",
    )
    assert row["ServiceSubcategory"] == "Block Storage"


@pytest.mark.parametrize(
    "path",
    ["saas_spend_agreements_b1.csv", "virtual_currency_pricing_model_a2.csv"],
)
def test_the_specifications_own_scenarios_add_up(tmp_path: Path, path: str) -> None:
    scenario = shared(f"focus-spec-scenarios/{path}")
    delivered = read_csv(scenario)
    found = normalize(scenario, tmp_path)
    for cost in ("BilledCost", "EffectiveCost"):
        assert found.total(cost) == totals(delivered, "BillingCurrency", cost)
    assert len(found.rows) == len(delivered)
    # Who hosts a service that is no cloud's own is not known.
    assert {row["HostProviderName"] for row in found.rows} == {None}


def test_an_aws_focus_export_in_parquet(tmp_path: Path) -> None:
    # As AWS writes it: doubles, millisecond times, maps.
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    time, text = pa.timestamp("ms", "UTC"), pa.map_(pa.string(), pa.string())
    columns: dict[str, pa.Array] = {
        name: pa.array([PLAIN[name]] * 2)
        for name in (
            "BillingAccountId",
            "BillingCurrency",
            "ChargeCategory",
            "ServiceCategory",
            "ServiceName",
        )
    }
    columns |= {name: pa.array([0.1, 0.2]) for name in ("BilledCost", "EffectiveCost", "ListCost")}
    columns |= {name: pa.array([start] * 2, time) for name in ("BillingPeriodStart", "ChargePeriodStart")}
    columns |= {name: pa.array([end] * 2, time) for name in ("BillingPeriodEnd", "ChargePeriodEnd")}
    columns |= {"x_ServiceCode": pa.array(["AmazonEC2"] * 2), "x_UsageType": pa.array(["BoxUsage"] * 2)}
    columns |= {"x_Discounts": pa.array([[("total", "0")], []], text)}
    columns |= {"Tags": pa.array([[("b", "2"), ("a", "1")], []], text)}
    path = tmp_path / "aws.snappy.parquet"
    pq.write_table(pa.table(columns), path)
    found = normalize(path, tmp_path)
    assert found.form.name == "aws_focus"
    assert found.total("BilledCost") == found.stated == {"EUR": Decimal("0.3")}
    assert [row["Tags"] for row in found.rows] == ['{"a":"1","b":"2"}', None]
    assert found.rows[0]["ServiceSubcategory"] == "Virtual Machines"
    assert found.rows[0]["ContractedCost"] == Decimal("0.1")
