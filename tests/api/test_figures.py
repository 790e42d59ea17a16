"""What the API answers about costs, against polars' own sums of the lake's rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from finops_api.v1.anomalies.schemas import AnomaliesAnswer, AnomalyAnswer
from finops_api.v1.conformance.schemas import ConformanceAnswer, ScoresAnswer
from finops_api.v1.costs.schemas import (
    CostsAnswer,
    DimensionsAnswer,
    ProviderCostsAnswer,
    RowsAnswer,
    ValuesAnswer,
)
from finops_api.v1.forecast.schemas import (
    AccuracyAnswer,
    ForecastAnswer,
    MonthsAnswer,
    OutlookAnswer,
    RecordAnswer,
    SaidAnswer,
)
from finops_api.v1.ingestion.schemas import DeliveriesAnswer
from finops_api.v1.invoices.schemas import InvoicesAnswer
from finops_api.v1.snapshot.routes import SnapshotAnswer
from finops_assets.settings import Settings
from tests.warehouse_builder import lake_table

ALL = {"start_date": "2026-01-01", "end_date": "2026-03-31"}
SHARES = {
    "p_value",
    "wape",
    "mase",
    "bias",
    "coverage_80",
    "coverage_95",
    "score",
    "failed_share",
    "cost_share",
    "change_ratio",
}

ANSWERS: list[tuple[str, type[BaseModel]]] = [
    ("/costs?group_by=ServiceName&group_by=x_Tag_team&granularity=day", CostsAnswer),
    ("/costs?metric=ContractedCost&group_by=ServiceName", CostsAnswer),
    ("/costs?convert_to=EUR&granularity=month", CostsAnswer),
    ("/costs?metric=BilledCost&metric=ListCost&compare=previous_period&granularity=week", CostsAnswer),
    ("/costs?compare=2026-01-05..2026-01-31&group_by=ServiceName&limit=3", CostsAnswer),
    ("/costs/aws", ProviderCostsAnswer),
    ("/costs/azure?granularity=none", ProviderCostsAnswer),
    ("/costs/gcp?granularity=week", ProviderCostsAnswer),
    ("/costs/rows?limit=20", RowsAnswer),
    ("/costs/dimensions", DimensionsAnswer),
    ("/costs/dimensions/x_Tag_team", ValuesAnswer),
    ("/conformance", ConformanceAnswer),
    ("/conformance/scores", ScoresAnswer),
    ("/forecast?level=service&provider=aws", ForecastAnswer),
    ("/forecast/months?level=service&provider=aws", MonthsAnswer),
    ("/forecast/accuracy", AccuracyAnswer),
    ("/forecast/record", RecordAnswer),
    ("/forecast/said?made_on=2026-02-19&level=service", SaidAnswer),
    ("/forecast/outlook", OutlookAnswer),
    ("/anomalies", AnomaliesAnswer),
    ("/anomalies/spike", AnomalyAnswer),
    ("/ingestion", DeliveriesAnswer),
    ("/invoices", InvoicesAnswer),
    ("/snapshot", SnapshotAnswer),
]


@pytest.fixture(scope="module")
def bill_rows(built: Settings) -> pl.DataFrame:
    return lake_table(built, "costs").with_columns(day=pl.col("ChargePeriodStart").dt.date())


def answer(client: TestClient, path: str, **params: Any) -> dict[str, Any]:
    response = client.get(f"/api/v1{path}", params=params)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, name)
    else:
        yield name, value


@pytest.mark.parametrize(("path", "model"), ANSWERS)
def test_answers_are_as_documented_and_money_is_never_a_float(
    client: TestClient, path: str, model: type[BaseModel]
) -> None:
    response = client.get(f"/api/v1{path}")
    assert response.status_code == 200, response.text
    parsed = model.model_validate_json(response.text, strict=True, extra="forbid")
    assert parsed.model_dump(mode="json") == response.json()
    for name, value in leaves(response.json()):
        assert not isinstance(value, float) or name in SHARES, name
        if (
            name in {"cost", "mean", "impact", "amount", "actual", "expected", "BilledCost"}
            and value is not None
        ):
            assert isinstance(value, str), name
            assert "E" not in value.upper()


def test_costs_by_provider_and_month(client: TestClient, bill_rows: pl.DataFrame) -> None:
    found = answer(
        client, "/costs", **ALL, group_by="ServiceProviderName", granularity="month", metric="BilledCost"
    )
    expected = {
        (month.isoformat(), provider, currency): (cost, rows)
        for month, provider, currency, cost, rows in bill_rows.group_by(
            pl.col("day").dt.truncate("1mo"), "ServiceProviderName", "BillingCurrency"
        )
        .agg(cost=pl.col("BilledCost").sum(), rows=pl.len())
        .iter_rows()
    }
    assert {
        (r["period"], r["group"]["ServiceProviderName"], r["currency"]): (Decimal(r["cost"]), r["row_count"])
        for r in found["rows"]
    } == expected
    for total in found["totals"]:
        own = bill_rows.filter(pl.col("BillingCurrency") == total["currency"])
        assert Decimal(total["cost"]) == own["BilledCost"].sum()
        assert total["row_count"] == own.height


def test_costs_in_another_currency_say_by_which_rates(client: TestClient) -> None:
    own = answer(client, "/costs", **ALL, currency="USD", granularity="day")
    found = answer(client, "/costs", **ALL, currency="USD", granularity="day", convert_to="EUR")
    rates = {r["day"]: Decimal(r["rate"]) for r in found["rates"]}
    assert {r["currency"] for r in found["rates"]} == {"USD"}
    assert {r["source"] for r in found["rates"]} == {"rates.csv"}
    dollars = {r["period"]: Decimal(r["cost"]) for r in own["rows"]}
    for row in found["rows"]:
        assert row["currency"] == "EUR"
        assert abs(Decimal(row["cost"]) - dollars[row["period"]] * rates[row["period"]]) < Decimal("1e-15")
    assert sum(Decimal(r["cost"]) for r in found["rows"]) == Decimal(found["totals"][0]["cost"])


def test_values_of_one_column_are_alternatives_and_columns_add_up(
    client: TestClient, bill_rows: pl.DataFrame
) -> None:
    found = answer(
        client,
        "/costs",
        **ALL,
        filter=["ServiceName in ('Compute Engine', 'Virtual Machines')", "tag.env = prod"],
    )
    own = bill_rows.filter(
        pl.col("ServiceName").is_in(["Compute Engine", "Virtual Machines"]), pl.col("x_Tag_env") == "prod"
    )
    assert {t["currency"]: Decimal(t["cost"]) for t in found["totals"]} == {"EUR": own["EffectiveCost"].sum()}


def test_an_empty_filter_value_means_none(client: TestClient, bill_rows: pl.DataFrame) -> None:
    found = answer(client, "/costs", **ALL, filter="tag.team = null", currency="USD")
    own = bill_rows.filter(pl.col("x_Tag_team").is_null(), pl.col("BillingCurrency") == "USD")
    assert [Decimal(t["cost"]) for t in found["totals"]] == [own["EffectiveCost"].sum()]


def test_end_date_is_included(client: TestClient, bill_rows: pl.DataFrame) -> None:
    found = answer(client, "/costs", start_date="2026-01-31", end_date="2026-02-01", granularity="day")
    assert sorted({r["period"] for r in found["rows"]}) == ["2026-01-31", "2026-02-01"]
    own = bill_rows.filter(pl.col("day").is_in([date(2026, 1, 31), date(2026, 2, 1)]))
    assert sum(t["row_count"] for t in found["totals"]) == own.height


def test_by_default_the_newest_month(client: TestClient) -> None:
    found = answer(client, "/costs")
    assert (found["start_date"], found["end_date"]) == ("2026-03-01", "2026-03-20")
    found = answer(client, "/costs", end_date="2026-02-11")
    assert (found["start_date"], found["end_date"]) == ("2026-02-01", "2026-02-11")
    found = answer(client, "/costs", start_date="2027-01-01")
    assert (found["end_date"], found["rows"]) == ("2027-01-01", [])


@pytest.mark.parametrize(
    ("provider", "name"), [("aws", "AWS"), ("azure", "Microsoft"), ("gcp", "Google Cloud")]
)
def test_one_providers_costs(client: TestClient, bill_rows: pl.DataFrame, provider: str, name: str) -> None:
    found = answer(client, f"/costs/{provider}", **ALL, granularity="month")
    assert {r["provider"] for r in found["rows"]} == {provider}
    own = bill_rows.filter(pl.col("ServiceProviderName") == name)
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in found["rows"]:
        sums[row["service"], row["account_id"]] += Decimal(row["cost"])
    grouped = own.group_by("ServiceName", "SubAccountId").agg(pl.col("EffectiveCost").sum())
    assert sums == {(service, account): cost for service, account, cost in grouped.iter_rows()}


def test_one_providers_costs_of_a_service_and_account(client: TestClient, bill_rows: pl.DataFrame) -> None:
    service, account = "Amazon Elastic Compute Cloud", "444455556666"
    found = answer(client, "/costs/aws", **ALL, service=service, account_id=account, granularity="day")
    own = bill_rows.filter(pl.col("ServiceName") == service, pl.col("SubAccountId") == account)
    assert {r["period"]: Decimal(r["cost"]) for r in found["rows"]} == {
        day.isoformat(): cost
        for day, cost in own.group_by("day").agg(pl.col("EffectiveCost").sum()).iter_rows()
    }
    assert {(r["service"], r["account_id"], r["account_name"]) for r in found["rows"]} == {
        (service, account, "web-shop")
    }


def test_pages_hold_every_row_and_add_up(client: TestClient, bill_rows: pl.DataFrame) -> None:
    """Followed by the Link header alone, as a client would."""
    own = bill_rows.filter(pl.col("x_Source") == "gcp-prod", pl.col("day") < date(2026, 2, 1))
    url: str | None = (
        "/api/v1/costs/rows?filter=x_Source = gcp-prod&start_date=2026-01-01&end_date=2026-01-31&limit=37"
    )
    rows: list[dict[str, Any]] = []
    sizes = []
    while url is not None:
        response = client.get(url)
        assert response.status_code == 200, response.text
        body = response.json()
        rows += body["rows"]
        sizes.append(len(body["rows"]))
        url = response.links.get("next", {}).get("url")
        assert (body["next"] is None) == (url is None)
        assert body["total_rows"] == own.height
        assert [Decimal(t["cost"]) for t in body["totals"]] == [own["EffectiveCost"].sum()]
    assert sizes == [37] * (own.height // 37) + [own.height % 37]
    assert sum(Decimal(r["EffectiveCost"]) for r in rows) == own["EffectiveCost"].sum()
    key = ("x_File", "x_RowNumber", "ChargeCategory")
    assert sorted(tuple(r[k] for k in key) for r in rows) == sorted(own.select(key).iter_rows())


def test_a_row_says_where_it_was_delivered_and_how_it_is_tagged(client: TestClient) -> None:
    (row,) = answer(client, "/costs/rows", **ALL, limit=1, filter="ServiceName = BigQuery")["rows"]
    assert row["x_BillId"].startswith("gcp-prod/2026-")
    assert row["x_File"].endswith("ml-research.csv")
    assert isinstance(row["x_RowNumber"], int)
    assert row["Tags"] == {"team": "data", "env": "prod"}
    assert row["ChargePeriodStart"].endswith("T00:00:00Z")


def test_what_can_be_asked(client: TestClient) -> None:
    found = answer(client, "/costs/dimensions")
    assert {"ServiceName", "x_Tag_team", "x_Source"} <= {d["name"] for d in found["dimensions"]}
    assert (found["first_date"], found["last_date"]) == ("2026-01-01", "2026-03-20")
    assert found["currencies"] == ["EUR", "USD"]


def test_forecasts_are_of_the_champion(client: TestClient) -> None:
    found = answer(client, "/forecast", level="provider", provider="aws")
    (series,) = found["series"]
    assert (series["provider"], series["currency"], series["model"]) == ("AWS", "USD", "AutoETS")
    assert len(series["days"]) == 60
    assert found["made_at"] == "2026-03-21T05:00:00Z"


def test_months_hold_what_came_what_is_forecast_and_how_wrong_that_was(client: TestClient) -> None:
    found = answer(client, "/forecast/months", level="provider", provider="aws")
    (series,) = found["series"]
    months = series["months"]
    assert [m["month"][:7] for m in months[:3]] == ["2026-03", "2026-04", "2026-05"]
    assert (months[-1]["month"], len(months)) == ("2027-09-01", 19)
    assert all(Decimal(m["mean"]) == Decimal(m["actual"]) + Decimal(m["forecast"]) for m in months)
    assert Decimal(months[0]["actual"]) > 0
    assert "start_date=2026-03-01&end_date=2026-03-19" in months[0]["rows_url"]
    assert {m["rows_url"] for m in months[1:]} == {None}
    # The days of the daily forecast end in May: April is their sum.
    days = answer(client, "/forecast", level="provider", provider="aws")["series"][0]["days"]
    assert Decimal(months[1]["mean"]) == sum(Decimal(d["mean"]) for d in days if d["day"][:7] == "2026-04")
    assert [m["from_days"] for m in months] == [True] * 2 + [False] * 17
    horizons = ["month_end", *["3m"] * 3, *["12m"] * 9, *[None] * 6]
    assert [m["error_horizon"] for m in months] == horizons
    assert [m["wape"] for m in months[::6]] == [
        pytest.approx(0.02),
        pytest.approx(0.1),
        pytest.approx(0.1),
        None,
    ]


def test_what_was_said_and_what_came(client: TestClient) -> None:
    asked = {"level": "provider", "provider": "aws"}
    found = answer(client, "/forecast/said", made_on="2026-03-01", **asked)
    assert found["made_at"] == "2026-02-19T05:00:00Z"
    (series,) = found["series"]
    total, days = series["total"], series["days"]
    assert (series["data_until"], total["days"], total["last_day"]) == ("2026-02-17", 30, "2026-03-19")
    came = [d for d in days if d["actual"] is not None]
    assert (len(days), len(came)) == (60, 30)
    assert all(Decimal(d["error"]) == Decimal(d["mean"]) - Decimal(d["actual"]) for d in came)
    assert Decimal(total["error"]) == sum(Decimal(d["error"]) for d in came)
    assert answer(client, "/forecast/said", made_on="2026-02-18", **asked)["series"] == []
    record = answer(client, "/forecast/record", level="provider", currency="EUR", metric="EffectiveCost")
    (row,) = (r for r in record["rows"] if (r["horizon"], r["made_on"], r["model"]) == ("30d", None, None))
    euros = answer(client, "/forecast/said", made_on="2026-03-01", level="provider", currency="EUR")
    assert row["wape"] == pytest.approx(euros["series"][0]["total"]["wape"])


def test_anomalies_and_their_drivers(client: TestClient) -> None:
    found = answer(client, "/anomalies", provider="aws", start_date="2026-02-12", end_date="2026-02-12")
    event, whole = found["anomalies"]
    assert (event["id"], event["impact"], event["currency"]) == ("spike", "1500", "USD")
    assert (event["raised_on"], event["data_at"]) == ("2026-02-10", "2026-02-10T22:00:00Z")
    # One story at two levels: both name the event that tells it best, which is one of them.
    assert [(e["id"], e["level"], e["story_id"]) for e in (event, whole)] == [
        ("spike", "service", "spike"), ("spike-aws", "provider", "spike")
    ]  # fmt: skip
    assert answer(client, "/anomalies", end_date="2026-02-09")["anomalies"] == []
    splits = answer(client, "/anomalies/spike")["drivers"]
    names = ["cause", "effect", "RegionName", "SubAccountName", "x_Tag_team"]
    assert [s["dimension"] for s in splits] == names
    cause, elsewhere = splits[0]["drivers"]
    assert cause["value"] == "SubAccountName=data-platform; x_Tag_team=data"
    assert (
        "and%20SubAccountName%20%3D%20%27data-platform%27%20and%20tag.team%20%3D%20%27data%27"
        in cause["rows_url"]
    )
    assert elsewhere["rows_url"] is None
    assert [(d["value"], d["expected"], d["rows_url"]) for d in splits[1]["drivers"]] == [
        ("quantity", None, None), ("commitment", None, None), ("(unexplained)", None, None)
    ]  # fmt: skip
    for split in splits:
        assert sum(Decimal(d["contribution"]) for d in split["drivers"]) == Decimal(event["impact"])


def test_deliveries_say_why_a_bill_was_refused(client: TestClient) -> None:
    found = answer(client, "/ingestion", status="quarantined")
    (refused,) = found["deliveries"]
    assert "row 17" in refused["problem"]
    assert {s["source"]: s["status"] for s in found["sources"]}["gcp-prod"] == "quarantined"
    (bill,) = answer(client, "/ingestion", source="azure-ea", month="2026-01")["deliveries"]
    (total,) = bill["control_totals"]
    january = answer(
        client,
        "/costs",
        start_date="2026-01-01",
        end_date="2026-01-31",
        metric="BilledCost",
        filter="x_Source = azure-ea",
    )
    assert [Decimal(total["amount"])] == [Decimal(t["cost"]) for t in january["totals"]]


def test_invoices_are_the_sums_of_their_rows(client: TestClient, bill_rows: pl.DataFrame) -> None:
    found = answer(client, "/invoices", source="aws-main")["invoices"]
    sums = bill_rows.filter(pl.col("x_Source") == "aws-main").group_by("x_BillingMonth", "InvoiceId")
    expected = {
        (month, number): (billed, tax, rows)
        for month, number, billed, tax, rows in sums.agg(
            pl.col("BilledCost").sum(),
            pl.col("BilledCost").filter(pl.col("ChargeCategory") == "Tax").sum().alias("tax"),
            pl.len(),
        ).iter_rows()
    }
    assert len(found) == 3
    assert {
        (i["month"], i["invoice"]): (Decimal(i["billed_cost"]), Decimal(i["tax"]), i["rows"]) for i in found
    } == expected
    assert all(i["passed"] and i["residual"] == "0" and i["raw_total"] == i["billed_cost"] for i in found)
    assert [(i["month"], i["is_final"]) for i in found] == [
        ("2026-03", False),
        ("2026-02", True),
        ("2026-01", True),
    ]
    assert {i["month"] for i in answer(client, "/invoices", month="2026-02")["invoices"]} == {"2026-02"}


def test_amounts_that_were_given_are_held_to_the_cent(client: TestClient, bill_rows: pl.DataFrame) -> None:
    """February's leaves out tax, of which the bill has one row of 42.42."""
    february, january = answer(client, "/invoices", source="aws-main")["control_totals"]
    rows = bill_rows.filter(pl.col("x_Source") == "aws-main")
    for month, total, tax in (("2026-01", january, 0), ("2026-02", february, Decimal("42.42"))):
        billed = sum(rows.filter(pl.col("x_BillingMonth") == month)["BilledCost"].to_list(), Decimal(0))
        given = (billed - tax).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
        assert (total["month"], Decimal(total["expected"])) == (month, given)
        assert Decimal(total["found"]) == billed
        assert Decimal(total["residual"]) == billed - given
    assert (january["passed"], january["cause"], january["says"]) == (True, None, None)
    assert (february["passed"], february["cause"]) == (False, "tax")
    assert (january["is_explained"], february["is_explained"]) == (None, True)
    assert february["says"].startswith("The bill's tax rows come to that")
