"""What the demo's bills hold, read by polars and Python's decimals: sums, commitments, shapes, anomalies."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from finops_assets.sources.demo.write import DemoSummary, write_demo

TODAY = date(2026, 11, 23)
LAST = date(2026, 11, 22)
ROWS = 220_000
OPEN_MONTH = "2026-11"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoSummary]:
    root = tmp_path_factory.mktemp("demo") / "bills"
    return root, write_demo(root, rows=ROWS, today=TODAY)


@pytest.fixture(scope="module")
def aws(written: tuple[Path, DemoSummary]) -> pl.DataFrame:
    columns = [
        *("line_item_line_item_type", "line_item_usage_account_id", "line_item_product_code"),
        *("line_item_unblended_cost", "line_item_usage_amount", "line_item_unblended_rate"),
        *("line_item_usage_type", "line_item_resource_id", "identity_line_item_id", "product_region_code"),
        *("bill_billing_period_start_date", "line_item_usage_start_date", "line_item_currency_code"),
        *("reservation_reservation_a_r_n", "reservation_effective_cost", "reservation_unused_quantity"),
        *("reservation_unused_recurring_fee", "reservation_amortized_upfront_fee_for_billing_period"),
        *("reservation_unused_amortized_upfront_fee_for_billing_period", "bill_invoice_id"),
        *("savings_plan_savings_plan_a_r_n", "savings_plan_savings_plan_effective_cost"),
        *("savings_plan_used_commitment", "savings_plan_total_commitment_to_date"),
        *("savings_plan_amortized_upfront_commitment_for_billing_period",),
    ]
    files = sorted((written[0] / "aws").rglob("*.parquet"))
    return pl.concat(
        [pl.read_parquet(f, columns=columns, hive_partitioning=False) for f in files]
    ).with_columns(
        pl.col("line_item_usage_start_date").dt.date().alias("day"),
        pl.col("bill_billing_period_start_date").dt.strftime("%Y-%m").alias("month"),
        pl.col("line_item_line_item_type").alias("type"),
    )


@pytest.fixture(scope="module")
def azure(written: tuple[Path, DemoSummary]) -> pl.DataFrame:
    frames = []
    for path in sorted((written[0] / "azure").rglob("*.csv")):
        manifest = json.loads((path.parent / "manifest.json").read_text(encoding="utf-8"))
        frames.append(
            pl.read_csv(path, infer_schema=False).with_columns(
                pl.lit(path.relative_to(written[0] / "azure").parts[0]).alias("view"),
                pl.lit(manifest["runInfo"]["submittedTime"]).alias("submitted"),
            )
        )
    return pl.concat(frames).with_columns(
        pl.col("Date").str.to_date("%m/%d/%Y").alias("day"),
        pl.col("BillingPeriodStartDate").str.to_date("%m/%d/%Y").dt.strftime("%Y-%m").alias("month"),
        pl.col("CostInBillingCurrency").cast(pl.Float64).alias("cost"),
    )


@pytest.fixture(scope="module")
def newest(azure: pl.DataFrame) -> pl.DataFrame:
    """Azure's rows of each month's newest runs."""
    return azure.filter(pl.col("submitted") == pl.col("submitted").max().over("month"))


@pytest.fixture(scope="module")
def gcp(written: tuple[Path, DemoSummary]) -> pl.DataFrame:
    files = sorted((written[0] / "gcp").rglob("*.parquet"))
    return pl.concat([pl.read_parquet(f, hive_partitioning=False) for f in files]).with_columns(
        pl.col("usage_start_time").dt.convert_time_zone("America/Los_Angeles").dt.date().alias("day"),
        pl.col("invoice").struct.field("month").alias("month"),
        pl.col("service").struct.field("description").alias("service_name"),
        pl.col("sku").struct.field("description").alias("sku_name"),
        pl.col("project").struct.field("id").alias("project_id"),
    )


def exact(values: pl.Series) -> Decimal:
    """The sum of doubles as the figures they were written from."""
    return sum((Decimal(repr(value)) for value in values if value is not None), Decimal(0))


def texts(values: pl.Series) -> Decimal:
    return sum((Decimal(value) for value in values if value is not None), Decimal(0))


def of_type(frame: pl.DataFrame, *types: str) -> pl.DataFrame:
    return frame.filter(pl.col("type").is_in(types))


def test_the_number_of_rows_is_about_what_was_asked_for(written: tuple[Path, DemoSummary]) -> None:
    assert sum(written[1].rows.values()) == pytest.approx(ROWS, rel=0.12)


def test_savings_plan_negations_cancel_the_usage_they_cover(aws: pl.DataFrame) -> None:
    keys = ["day", "line_item_usage_account_id", "line_item_usage_type"]
    for kind in ("SavingsPlanCoveredUsage", "SavingsPlanNegation"):
        assert of_type(aws, kind).height > 400
    both = of_type(aws, "SavingsPlanCoveredUsage", "SavingsPlanNegation").select(
        *keys, "line_item_unblended_cost"
    )
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for *key, cost in both.iter_rows():
        sums[tuple(key)] += Decimal(repr(cost))
    assert set(sums.values()) == {Decimal(0)}


def test_savings_plan_fees_are_what_was_used_and_what_was_not(aws: pl.DataFrame) -> None:
    used: dict[Any, Decimal] = defaultdict(Decimal)
    for plan, day, cost in (
        of_type(aws, "SavingsPlanCoveredUsage")
        .select("savings_plan_savings_plan_a_r_n", "day", "savings_plan_savings_plan_effective_cost")
        .iter_rows()
    ):
        used[plan, day] += Decimal(repr(cost))
    fees = of_type(aws, "SavingsPlanRecurringFee")
    assert fees["savings_plan_savings_plan_a_r_n"].n_unique() == 2
    for row in fees.iter_rows(named=True):
        stated = Decimal(repr(row["savings_plan_used_commitment"]))
        total = Decimal(repr(row["savings_plan_total_commitment_to_date"]))
        recurring = Decimal(repr(row["line_item_unblended_cost"]))
        upfront = Decimal(repr(row["savings_plan_amortized_upfront_commitment_for_billing_period"]))
        assert stated == used[row["savings_plan_savings_plan_a_r_n"], row["day"]]
        assert total == recurring + upfront
        assert 0 < total - stated < total / 4
    assert set(used) == set(fees.select("savings_plan_savings_plan_a_r_n", "day").iter_rows())


def test_reservation_fees_are_what_was_used_and_what_was_not(aws: pl.DataFrame) -> None:
    key = "reservation_reservation_a_r_n"
    used = of_type(aws, "DiscountedUsage")
    assert exact(used["line_item_unblended_cost"]) == 0
    fees = of_type(aws, "RIFee").filter(pl.col("month") < OPEN_MONTH)
    assert fees[key].n_unique() == 4
    for row in fees.iter_rows(named=True):
        covered = used.filter((pl.col(key) == row[key]) & (pl.col("month") == row["month"]))
        effective = exact(covered["reservation_effective_cost"])
        unused = Decimal(repr(row["reservation_unused_recurring_fee"])) + Decimal(
            repr(row["reservation_unused_amortized_upfront_fee_for_billing_period"])
        )
        fee = Decimal(repr(row["line_item_unblended_cost"])) + Decimal(
            repr(row["reservation_amortized_upfront_fee_for_billing_period"])
        )
        assert effective + unused == fee
        assert unused > 0
        hours = exact(covered["line_item_usage_amount"]) + Decimal(repr(row["reservation_unused_quantity"]))
        assert hours == Decimal(repr(row["line_item_usage_amount"]))


def test_usage_costs_what_its_quantity_and_rate_say(aws: pl.DataFrame) -> None:
    usage = of_type(aws, "Usage").sample(2_000, seed=1)
    for row in usage.iter_rows(named=True):
        product = Decimal(repr(row["line_item_usage_amount"])) * Decimal(row["line_item_unblended_rate"])
        assert abs(product - Decimal(repr(row["line_item_unblended_cost"]))) <= Decimal("0.000000005")


def test_aws_lines_have_ids_of_their_own_and_all_kinds_are_there(aws: pl.DataFrame) -> None:
    assert aws["identity_line_item_id"].n_unique() == aws.height
    assert set(aws["type"]) == {
        *("Usage", "DiscountedUsage", "RIFee", "Fee", "Tax", "Credit", "Refund"),
        *("SavingsPlanCoveredUsage", "SavingsPlanNegation"),
        *("SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"),
    }
    support = aws.filter(pl.col("line_item_product_code") == "AWSSupportBusiness")
    assert support["day"].dt.day().to_list() == [1] * 14
    assert (of_type(aws, "Credit", "Refund")["line_item_unblended_cost"] < 0).all()
    assert aws["line_item_usage_account_id"].n_unique() >= 6
    assert aws.filter(pl.col("bill_invoice_id").is_null())["month"].unique().to_list() == [OPEN_MONTH]


def test_bills_end_yesterday(aws: pl.DataFrame, newest: pl.DataFrame, gcp: pl.DataFrame) -> None:
    for frame in (aws, newest, gcp):
        assert (frame["day"].min(), frame["day"].max()) == (date(2025, 10, 1), LAST)


def test_azure_amortized_reservations_are_the_months_purchases(newest: pl.DataFrame) -> None:
    reserved = newest.filter(pl.col("PricingModel") == "Reservation")
    actual = reserved.filter(pl.col("view") == "actual")
    assert set(actual["ChargeType"]) == {"Purchase", "Usage"}
    assert texts(actual.filter(pl.col("ChargeType") == "Usage")["CostInBillingCurrency"]) == 0
    purchases = actual.filter(pl.col("ChargeType") == "Purchase", pl.col("month") < OPEN_MONTH)
    assert purchases.height > 30
    spread = reserved.filter(pl.col("view") == "amortized")
    assert set(spread["ChargeType"]) == {"UnusedReservation", "Usage"}
    assert (spread["cost"] > 0).all()
    for row in purchases.iter_rows(named=True):
        month = spread.filter(
            pl.col("ReservationId") == row["ReservationId"], pl.col("month") == row["month"]
        )
        assert texts(month["CostInBillingCurrency"]) == Decimal(row["CostInBillingCurrency"])


def test_azure_views_agree_on_everything_but_reservations(newest: pl.DataFrame) -> None:
    other = newest.filter(pl.col("PricingModel") != "Reservation").drop("submitted")
    views = [other.filter(pl.col("view") == view).drop("view") for view in ("actual", "amortized")]
    assert views[0].height > 10_000
    assert views[0].equals(views[1])
    assert set(newest["BillingCurrencyCode"]) == {"EUR"}
    assert newest["SubscriptionId"].n_unique() >= 4


def test_one_azure_month_is_restated_in_its_storage_only(azure: pl.DataFrame) -> None:
    actual = azure.filter(pl.col("view") == "actual")
    runs = actual.group_by("month").agg(pl.col("submitted").unique().sort())
    twice = runs.filter(pl.col("submitted").list.len() == 2)
    assert twice["month"].to_list() == ["2026-09"]
    sums = {
        (run, category == "Storage"): texts(part["CostInBillingCurrency"])
        for (run, category), part in actual.filter(pl.col("month") == "2026-09")
        .with_columns(pl.when(pl.col("MeterCategory") == "Storage").then(pl.lit("Storage")).alias("c"))
        .group_by("submitted", "c")
    }
    first, second = twice["submitted"][0]
    assert sums[first, False] == sums[second, False]
    assert float(sums[first, True] / sums[second, True]) == pytest.approx(1.06, abs=1e-6)


def test_azure_tags_are_json_without_its_braces(newest: pl.DataFrame) -> None:
    tags = newest["Tags"].drop_nulls().unique()
    assert all(set(json.loads("{" + t + "}")) <= {"app", "cost-center", "env", "team"} for t in tags)


def credits(gcp: pl.DataFrame) -> pl.DataFrame:
    return (
        gcp.select("day", "month", "cost", "cost_type", "sku_name", "project_id", pl.col("credits"))
        .explode("credits", empty_as_null=True, keep_nulls=True)
        .filter(pl.col("credits").is_not_null())
        .unnest("credits")
    )


def test_google_credits_are_committed_sustained_and_a_promotion_that_runs_out(gcp: pl.DataFrame) -> None:
    found = credits(gcp)
    assert set(found["type"]) == {"COMMITTED_USAGE_DISCOUNT", "SUSTAINED_USAGE_DISCOUNT", "PROMOTION"}
    assert (found["amount"] < 0).all()
    committed = found.filter(pl.col("type") == "COMMITTED_USAGE_DISCOUNT")
    assert (committed["cost"] == -committed["amount"]).all()
    fees = gcp.filter(pl.col("subscription").struct.field("instance_id").is_not_null())
    assert set(committed["id"]) == set(fees["subscription"].struct.field("instance_id"))
    sustained = found.filter(pl.col("type") == "SUSTAINED_USAGE_DISCOUNT")
    assert sustained["day"].dt.day().min() == 8
    promotion = found.filter(pl.col("type") == "PROMOTION")
    assert float(exact(promotion["amount"])) == pytest.approx(-18_000, rel=0.02)
    assert max(promotion["day"].to_list()) < date(2026, 7, 1)
    assert promotion["project_id"].n_unique() == 1


def test_google_bills_hold_tax_support_rounding_and_a_marketplace_seller(gcp: pl.DataFrame) -> None:
    kinds = dict(gcp.group_by("cost_type").len().iter_rows())
    assert (kinds["tax"], kinds["rounding_error"], kinds["adjustment"]) == (13, 13, 1)
    support = gcp.filter(pl.col("service_name") == "Support")
    assert support["day"].dt.day().to_list() == [1] * 14
    sellers = gcp.filter(pl.col("transaction_type") == "THIRD_PARTY_RESELLER")
    assert set(sellers["seller_name"]) == {"Harborlight Ltd."}
    assert gcp["project_id"].drop_nulls().n_unique() == 5


def test_months_cost_what_a_company_of_this_size_pays(
    aws: pl.DataFrame, newest: pl.DataFrame, gcp: pl.DataFrame
) -> None:
    actual = newest.filter(pl.col("view") == "actual")
    for month in sorted(set(aws["month"]) - {OPEN_MONTH}):
        google = gcp.filter(pl.col("month") == month.replace("-", ""))["cost"].to_list()
        amazon = aws.filter(pl.col("month") == month)["line_item_unblended_cost"].to_list()
        euros = actual.filter(pl.col("month") == month)["cost"].to_list()
        assert 250_000 < sum(amazon) + sum(google) + 1.1 * sum(euros) < 400_000
    services = (
        aws["line_item_product_code"].n_unique()
        + newest["MeterCategory"].n_unique()
        + gcp["service_name"].n_unique()
    )
    assert services > 80


def test_about_a_fifth_of_the_usage_lacks_a_team(
    written: tuple[Path, DemoSummary], newest: pl.DataFrame, gcp: pl.DataFrame
) -> None:
    (path,) = (written[0] / "aws/finops-cur2/data/BILLING_PERIOD=2026-08").iterdir()
    maps = pq.read_table(path, columns=["resource_tags"], filters=[("line_item_resource_id", ">", "")])
    keys = [[key for key, _ in tags] for tags in maps["resource_tags"].to_pylist()]
    assert {key for row in keys for key in row} == {"user_app", "user_cost_center", "user_env", "user_team"}
    teams = [
        [("user_team" in row) for row in keys],
        newest.filter(pl.col("ChargeType") == "Usage")["Tags"].fill_null("").str.contains('"team"').to_list(),
        gcp.filter(pl.col("resource").is_not_null())["labels"]
        .list.eval(pl.element().struct.field("key"))
        .list.contains("team")
        .to_list(),
    ]
    for tagged in teams:
        assert 0.7 < sum(tagged) / len(tagged) < 0.9


def test_developers_rest_at_weekends_and_shops_do_not(aws: pl.DataFrame) -> None:
    compute = of_type(aws, "Usage").filter(pl.col("line_item_usage_type").str.contains("BoxUsage:m6i"))
    ratios = {}
    for account in ("310448120066", "310448120011"):
        mine = compute.filter(pl.col("line_item_usage_account_id") == account)
        days: dict[bool, list[float]] = {True: [], False: []}
        sums = mine.group_by("day").agg(pl.col("line_item_unblended_cost").sum())
        for day, cost in sums.iter_rows():
            days[day.isoweekday() >= 6].append(cost)
        ratios[account] = mean(days[True]) / mean(days[False])
    assert ratios["310448120066"] < 0.6
    assert 0.9 < ratios["310448120011"] < 1


def test_something_was_launched_and_something_was_switched_off(aws: pl.DataFrame) -> None:
    bedrock = aws.filter(pl.col("line_item_product_code") == "AmazonBedrock")
    assert bedrock["day"].min() == LAST - timedelta(days=205)
    crm = aws.filter((pl.col("line_item_usage_account_id") == "310448120088") & (pl.col("type") == "Usage"))
    assert crm["day"].max() == LAST - timedelta(days=118)


def daily_costs(aws: pl.DataFrame, newest: pl.DataFrame, gcp: pl.DataFrame) -> dict[Any, dict[date, float]]:
    """(provider, account, service) → day → cost, of usage."""
    usage = of_type(aws, "Usage")
    actual = newest.filter((pl.col("view") == "actual") & (pl.col("ChargeType") == "Usage"))
    frames = {
        "aws": (usage, "line_item_usage_account_id", "line_item_product_code", "line_item_unblended_cost"),
        "azure": (actual, "SubscriptionId", "MeterCategory", "cost"),
        "gcp": (gcp, "project_id", "service_name", "cost"),
    }
    series: dict[Any, dict[date, float]] = defaultdict(dict)
    for provider, (frame, account, service, cost) in frames.items():
        sums = frame.group_by(account, service, "day").agg(pl.col(cost).sum().alias("sum"))
        for key_account, key_service, day, value in sums.iter_rows():
            series[provider, key_account, key_service][day] = value
    return series


def test_the_anomalies_in_the_truth_file_are_in_the_bills(
    written: tuple[Path, DemoSummary], aws: pl.DataFrame, newest: pl.DataFrame, gcp: pl.DataFrame
) -> None:
    truth = json.loads((written[0] / "truth.json").read_text(encoding="utf-8"))
    assert len(truth) >= 8
    assert {t["provider"] for t in truth} == {"aws", "azure", "gcp"}
    recent = [t for t in truth if date.fromisoformat(t["first_day"]) > LAST - timedelta(days=45)]
    assert len(recent) >= 2
    series = daily_costs(aws, newest, gcp)
    for event in truth:
        costs = series[event["provider"], event["account"], event["service"]]
        first, last = (date.fromisoformat(event[f"{end}_day"]) for end in ("first", "last"))
        # A level shift that stays is compared over its first two weeks, before growth adds to it.
        days = min((last - first).days + 1, 14)
        expected = event["expected_impact"] * days / ((last - first).days + 1)
        found = 0.0
        for offset in range(days):
            day = first + timedelta(days=offset)
            usual = [
                costs.get(first - timedelta(days=back), 0.0)
                for back in range(1, 36)
                if (first - timedelta(days=back)).isoweekday() == day.isoweekday()
            ]
            found += costs[day] - median(usual)
        assert found == pytest.approx(expected, rel=0.35), event
        assert abs(expected) / days > 0.2 * median(costs[d] for d in sorted(costs)[-60:]), event


def test_cost_goes_on_from_month_to_month(aws: pl.DataFrame) -> None:
    usage = of_type(aws, "Usage").filter(pl.col("line_item_product_code") == "AmazonS3")
    monthly = usage.group_by("month").agg(
        (pl.col("line_item_unblended_cost").sum() / pl.col("day").n_unique()).alias("daily")
    )
    daily = monthly.sort("month")["daily"].to_list()
    assert all(1.0 < after / before < 1.05 for before, after in pairwise(daily))
