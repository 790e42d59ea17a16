"""Every figure of an answer leads to bill rows that add up to it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from finops_api.period import Period
from finops_api.provenance import others, rows_url

ALL = "start_date=2026-01-01&end_date=2026-03-31"

ANSWERS = [
    f"/costs?{ALL}&group_by=ServiceName&group_by=x_Tag_team&granularity=month",
    f"/costs?{ALL}&group_by=ServiceName&granularity=week&metric=BilledCost&currency=USD",
    f"/costs?{ALL}&group_by=ServiceName&limit=2&filter=ServiceName != 'Amazon Redshift'",
    f"/costs?{ALL}&group_by=x_Tag_team&limit=1&metric=ListCost",
    f"/costs?{ALL}&group_by=BillingCurrency&filter=tag.team = null",
    "/costs?start_date=2026-01-10&end_date=2026-02-11&granularity=month&filter=tag.team in (data, web)"
    "&group_by=x_Tag_team",
    f"/costs?{ALL}&granularity=quarter&group_by=x_Tag_env&metric=ListCost&metric=BilledCost",
    "/costs?start_date=2026-02-01&end_date=2026-02-28&compare=previous_period&group_by=ServiceName&limit=2",
    "/costs?start_date=2026-03-03&end_date=2026-03-31&compare=previous_month&granularity=week",
    "/costs/aws?granularity=week&start_date=2026-02-03&service=Amazon Elastic Compute Cloud",
    "/costs/azure?granularity=month&metric=ContractedCost",
    f"/costs/rows?{ALL}&filter=RegionId = us-east-1&limit=1",
    f"/costs/dimensions/x_Tag_team?{ALL}",
    "/forecast/outlook?metric=BilledCost",
    "/forecast/months?level=service&metric=BilledCost",
    "/forecast/said?made_on=2026-02-19&level=service&metric=BilledCost",
    "/anomalies?status=ended&level=service",
    "/anomalies/spike",
    "/invoices",
]


def figures(answer: Any) -> Iterator[dict[str, Any]]:
    """Everything in an answer that says where its rows are; an anomaly's effect has none."""
    if isinstance(answer, dict):
        if answer.get("rows_url") is not None:
            yield answer
        for inner in answer.values():
            yield from figures(inner)
    elif isinstance(answer, list):
        for inner in answer:
            yield from figures(inner)


def rows_of(client: TestClient, url: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    following: str | None = url
    while following is not None:
        response = client.get(following)
        assert response.status_code == 200, response.text
        rows += response.json()["rows"]
        following = response.links.get("next", {}).get("url")
    return rows


@pytest.mark.parametrize("path", ANSWERS)
def test_the_rows_behind_a_figure_add_up_to_it(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}").json()
    found = list(figures(answer))
    assert found
    for figure in random.Random(7).sample(found, min(len(found), 12)):
        rows = rows_of(client, figure["rows_url"] + "&limit=1000")
        metric = figure["rows_url"].partition("metric=")[2].partition("&")[0]
        cost = next(figure[name] for name in ("cost", "actual", "billed_cost") if name in figure)
        assert sum(Decimal(r[metric] or 0) for r in rows) == Decimal(cost or 0), figure["rows_url"]
        assert (
            "row_count" not in figure
            or isinstance(figure.get("costs"), list)
            or len(rows) == figure["row_count"]
        )
        assert all(r["x_BillId"] and r["x_File"] and r["x_RowNumber"] for r in rows)


def test_what_is_left_of_several_columns_leads_to_no_rows(client: TestClient) -> None:
    path = f"/api/v1/costs?{ALL}&group_by=ServiceName&group_by=RegionId&limit=1&currency=USD"
    rows = client.get(path).json()["rows"]
    assert {r["group"]["RegionId"]: r["rows_url"] is None for r in rows} == {
        "us-east-1": False,
        "(other)": True,
    }


def test_a_converted_cost_leads_to_the_rows_as_they_were_billed(client: TestClient) -> None:
    answer = client.get(f"/api/v1/costs?{ALL}&convert_to=EUR&filter=ServiceProviderName = AWS").json()
    (total,) = answer["totals"]
    rows = rows_of(client, total["rows_url"] + "&limit=1000")
    assert {r["BillingCurrency"] for r in rows} == {"USD"}
    assert len(rows) == total["row_count"]
    rates = {r["day"]: Decimal(r["rate"]) for r in answer["rates"]}
    euros = sum(Decimal(r["EffectiveCost"]) * rates[r["ChargePeriodStart"][:10]] for r in rows)
    assert abs(euros - Decimal(total["cost"])) < Decimal("1e-12")


def test_what_many_values_leave_over_has_an_address(client: TestClient) -> None:
    """As of 1000 groups beyond which costs are '(other)'."""
    few = ["Amazon Redshift", None]
    many = [*few, *(f"A service that costs more, {n}" for n in range(998))]
    days = Period(date(2026, 1, 1), date(2026, 3, 31))
    urls = [
        rows_url(days, "EffectiveCost", "USD", others((), "ServiceName", shown), as_of=None)
        for shown in (few, many)
    ]
    short, long = (client.get(url).json()["totals"] for url in urls)
    assert [t["cost"] for t in short] == [t["cost"] for t in long]
    assert urls[1].count("filter=") > 1
