"""The same figures as JSON, CSV, Parquet and Arrow, each read by another library, exact in every one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from pyarrow import ipc, parquet

CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
COSTS = "/api/v1/costs?start_date=2026-01-01&end_date=2026-02-28&group_by=ServiceName&granularity=month"
ROWS = "/api/v1/costs/rows?start_date=2026-01-01&end_date=2026-02-28&filter=x_Source = gcp-prod"

Table = list[dict[str, Any]]


def from_csv(content: bytes) -> Table:
    return list(csv.DictReader(io.StringIO(content.decode())))


def from_parquet(content: bytes) -> Table:
    return pl.read_parquet(io.BytesIO(content)).to_dicts()


def from_arrow(content: bytes) -> Table:
    rows: Table = ipc.open_stream(content).read_all().to_pylist()
    return rows


READERS: list[tuple[str, Callable[[bytes], Table]]] = [
    (CSV, from_csv),
    (PARQUET, from_parquet),
    (ARROW, from_arrow),
]


@pytest.mark.parametrize(("accept", "read"), READERS)
def test_costs_are_the_same_in_every_form(
    client: TestClient, accept: str, read: Callable[[bytes], Table]
) -> None:
    answer = client.get(COSTS).json()
    found = client.get(COSTS, headers={"Accept": accept})
    assert found.headers["Content-Type"].split(";")[0] == accept
    assert 'filename="costs-2026-01-01-2026-02-28.' in found.headers["Content-Disposition"]
    told = [
        (str(r["period"]), r["ServiceName"], r["BillingCurrency"], Decimal(r["EffectiveCost"]))
        for r in read(found.content)
    ]
    assert told == [
        (r["period"], r["group"]["ServiceName"], r["currency"], Decimal(r["cost"])) for r in answer["rows"]
    ]


@pytest.mark.parametrize(("accept", "read"), READERS)
def test_rows_without_a_limit_are_all_rows(
    client: TestClient, accept: str, read: Callable[[bytes], Table]
) -> None:
    answer = client.get(ROWS).json()
    found = client.get(ROWS, headers={"Accept": accept})
    assert "Link" not in found.headers
    rows = read(found.content)
    assert len(rows) == answer["total_rows"] > 100
    for total in answer["totals"]:
        own = [r for r in rows if r["BillingCurrency"] == total["currency"]]
        assert sum(Decimal(r["EffectiveCost"] or 0) for r in own) == Decimal(total["cost"])
    assert {"x_BillId", "x_File", "x_RowNumber"} <= rows[0].keys()


@pytest.mark.parametrize(("accept", "read"), READERS)
def test_pages_of_rows_lead_on_in_every_form(
    client: TestClient, accept: str, read: Callable[[bytes], Table]
) -> None:
    lines, url = [], f"{ROWS}&limit=60"
    while url:
        page = client.get(url, headers={"Accept": accept})
        lines += [
            (r["x_File"], int(r["x_RowNumber"]), Decimal(r["EffectiveCost"])) for r in read(page.content)
        ]
        url = page.links.get("next", {}).get("url", "")
    told, url = [], f"{ROWS}&limit=1000"
    while url:
        answer = client.get(url)
        told += [(r["x_File"], r["x_RowNumber"], Decimal(r["EffectiveCost"])) for r in answer.json()["rows"]]
        url = answer.links.get("next", {}).get("url", "")
    assert lines == told


def test_amounts_are_decimals_and_the_file_says_what_it_is(client: TestClient) -> None:
    arrow = ipc.open_stream(client.get(COSTS, headers={"Accept": ARROW}).content)
    table = parquet.read_table(io.BytesIO(client.get(COSTS, headers={"Accept": PARQUET}).content))
    for schema in (arrow.schema, table.schema):
        assert schema.field("EffectiveCost").type == pa.decimal128(38, 18)
        about = json.loads(schema.metadata[b"finops"])
        assert (about["start_date"], about["metric"]) == ("2026-01-01", "EffectiveCost")
        assert about["snapshot"] == client.get(COSTS).json()["snapshot"]


@pytest.mark.parametrize(
    ("accept", "gets"),
    [
        ("*/*", "application/json"),
        ("text/csv;q=0.5, application/json;q=0.9", "application/json"),
        ("text/csv, application/json;q=0.9", CSV),
        ("text/*", CSV),
        (f"text/html, {PARQUET};q=0.1", PARQUET),
    ],
)
def test_the_form_is_what_is_liked_best(client: TestClient, accept: str, gets: str) -> None:
    found = client.get(COSTS, headers={"Accept": accept})
    assert found.headers["Content-Type"].split(";")[0] == gets


@pytest.mark.parametrize("url", [COSTS, ROWS])
def test_a_form_that_there_is_not_is_refused(client: TestClient, url: str) -> None:
    found = client.get(url, headers={"Accept": "text/html, application/json;q=0"})
    assert found.status_code == 406
    assert found.headers["Content-Type"] == "application/problem+json"
    assert found.json()["allowed"] == ["application/json", CSV, PARQUET, ARROW]


def test_each_form_has_a_tag_of_its_own(client: TestClient) -> None:
    forms = ("application/json", CSV, PARQUET, ARROW)
    tags = {client.get(COSTS, headers={"Accept": f}).headers["ETag"] for f in forms}
    assert len(tags) == len(forms)
    for form in forms:
        first = client.get(COSTS, headers={"Accept": form})
        assert "Accept" in first.headers["Vary"]
        again = client.get(COSTS, headers={"Accept": form, "If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304


def test_two_periods_in_a_file(client: TestClient) -> None:
    url = (
        "/api/v1/costs?start_date=2026-02-01&end_date=2026-02-28&compare=previous_period&group_by=ServiceName"
    )
    answer = client.get(url).json()
    rows = from_csv(client.get(url, headers={"Accept": CSV}).content)
    assert answer["compared"] == {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    for row, told in zip(rows, answer["rows"], strict=True):
        now, then = Decimal(row["EffectiveCost"] or 0), Decimal(row["compared_EffectiveCost"] or 0)
        assert now - then == Decimal(told["compared"]["change"])
        assert then == Decimal(told["compared"]["cost"] or 0)
        if then:
            assert told["compared"]["change_ratio"] == pytest.approx(float((now - then) / then), abs=1e-6)
