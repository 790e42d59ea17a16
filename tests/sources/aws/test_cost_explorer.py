"""AWS Cost Explorer against a real moto server, which gives the answers that a test lays out, in order."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from finops_assets.sources.aws.cost_explorer import (
    COLUMNS,
    OTHER,
    RECORD_CLASSES,
    CostExplorerSource,
    record_class,
)
from finops_assets.sources.base import (
    AccessError,
    ChangedWhileReadError,
    Delivery,
    FetchedFile,
    SourceError,
    TransientError,
)
from tests.services.moto import Moto

Answer = dict[str, Any]
Line = tuple[str, str, str, str, str, str]
"""Service, account, unblended and amortized cost, quantity, unit."""

PRESENT = {
    "2026-01-01": {
        "Usage": "10.0000000003",
        "SavingsPlanCoveredUsage": "4.5",
        "SavingsPlanNegation": "-4.5",
        "SavingsPlanRecurringFee": "3",
        "Tax": "1.9",
        "Credit": "-2.25",
    },
    "2026-01-02": {
        "Usage": "0.0000000001",
        "Refund": "-0.75",
        "Enterprise Discount Program Discount": "-1",
        "FlatRateSubscription": "20",
    },
}
"""Costs by day and record type: what the first call answers."""

EC2, S3 = "Amazon Elastic Compute Cloud - Compute", "Amazon Simple Storage Service"
ONE, TWO = "111111111111", "222222222222"


def answer(
    days: dict[str, list[Line]], names: dict[str, str] | None = None, token: str | None = None
) -> Answer:
    """A page of costs by service and linked account."""

    def group(line: Line) -> Answer:
        service, account, unblended, amortized, quantity, unit = line
        metrics = {
            "UnblendedCost": {"Amount": unblended, "Unit": "USD"},
            "AmortizedCost": {"Amount": amortized, "Unit": "USD"},
            "UsageQuantity": {"Amount": quantity, "Unit": unit},
        }
        return {"Keys": [service, account], "Metrics": metrics}

    page = _by_day({day: [group(line) for line in lines] for day, lines in days.items()})
    attributes = [{"Value": v, "Attributes": {"description": n}} for v, n in (names or {}).items()]
    return {**page, "DimensionValueAttributes": attributes, **({"NextPageToken": token} if token else {})}


def first_answer(days: dict[str, dict[str, str]]) -> Answer:
    return _by_day(
        {
            day: [
                {"Keys": [kind], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}}
                for kind, amount in kinds.items()
            ]
            for day, kinds in days.items()
        }
    )


def _by_day(days: dict[str, list[Answer]]) -> Answer:
    def result(day: str, groups: list[Answer]) -> Answer:
        end = date.fromordinal(date.fromisoformat(day).toordinal() + 1).isoformat()
        return {
            "TimePeriod": {"Start": day, "End": end},
            "Total": {},
            "Groups": groups,
            "Estimated": day > "2026-01-01",
        }

    return {"ResultsByTime": [result(*item) for item in days.items()], "DimensionValueAttributes": []}


ANSWERS = [
    first_answer(PRESENT),
    answer(  # usage, two pages
        {"2026-01-01": [(EC2, ONE, "7.0000000001", "8.2", "24", "Hrs")]}, {ONE: "Shop, north"}, token="more"
    ),
    answer(
        {
            "2026-01-01": [(S3, TWO, "3.0000000002", "3.0000000002", "5.5", "N/A")],
            "2026-01-02": [(S3, TWO, "0.0000000001", "1.0E-10", "0.0000000001", "GB-Month")],
        },
        {TWO: "Research"},
    ),
    answer(  # recurring fees
        {"2026-01-01": [("Savings Plans for AWS Compute usage", ONE, "3", "0.3", "1", "N/A")]},
        {ONE: "Shop, north"},
    ),
    answer({"2026-01-01": [("Tax", ONE, "1.9", "1.9", "0", "N/A")]}, {ONE: "Shop, north"}),
    answer({"2026-01-01": [(EC2, ONE, "-2.25", "-2.25", "0", "N/A")]}, {ONE: "Shop, north"}),  # credits
    answer({"2026-01-02": [(S3, TWO, "-0.75", "-0.75", "0", "N/A")]}, {TWO: "Research"}),  # refunds
    answer({"2026-01-02": [(EC2, ONE, "-1", "-1", "0", "N/A")]}, {ONE: "Shop, north"}),  # discounts
    answer({"2026-01-02": [("Amazon CloudFront", TWO, "20", "20", "1", "N/A")]}),  # anything else
]


class Notes:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.seen: list[tuple[str, int, int | None]] = []

    def advance(self, what: str, done: int, total: int | None) -> None:
        self.seen.append((what, done, total))

    def note(self, text: str) -> None:
        self.texts.append(text)


def source(moto: Moto, *, call_budget: int = 100, **more: str) -> CostExplorerSource:
    months = ("2025-11", "2025-12", "2026-01")
    return CostExplorerSource("aws", moto.access(**more), months, date(2026, 1, 15), 2, call_budget)


def january(asked: CostExplorerSource) -> Delivery:
    return asked.deliveries()[-1]


def fetch(asked: CostExplorerSource, into: Path) -> tuple[FetchedFile, Notes]:
    notes = Notes()
    (file,) = asked.fetch(january(asked), into, notes)
    return file, notes


@contextmanager
def watched(asked: CostExplorerSource) -> Iterator[list[Answer]]:
    """The requests as boto3 is about to send them."""
    requests: list[Answer] = []
    events = asked.access.client("ce").meta.events
    name = "provide-client-params.ce.GetCostAndUsage"

    def keep(params: Answer, **_: object) -> None:
        requests.append(params)

    events.register(name, keep)
    try:
        yield requests
    finally:
        events.unregister(name, keep)


def test_months_are_deliveries_and_the_newest_are_asked_again_each_day(moto: Moto) -> None:
    def on(day: date) -> list[Delivery]:
        months = ("2025-11", "2025-12", "2026-01")
        return CostExplorerSource("aws", moto.access(), months, day, 2, 9).deliveries()

    today, tomorrow = on(date(2026, 1, 15)), on(date(2026, 1, 16))
    assert [d.month for d in today] == ["2025-11", "2025-12", "2026-01"]
    assert [a.fingerprint == b.fingerprint for a, b in zip(today, tomorrow, strict=True)] == [
        True,
        False,
        False,
    ]
    assert len({d.fingerprint for d in today + tomorrow}) == 5
    assert all(d.delivery_id == d.fingerprint for d in today)
    assert {(d.format, d.export) for d in today} == {("aws_cost_explorer", "cost-explorer")}
    assert today[-1].files == ("cost-explorer/2026-01.csv",)


def test_a_month_that_closes_comes_after_all_that_was_asked_while_open(moto: Moto) -> None:
    def november(months: tuple[str, ...], day: date) -> datetime:
        return CostExplorerSource("aws", moto.access(), months, day, 2, 9).deliveries()[0].exported_at

    last_open = november(("2025-11", "2025-12"), date(2025, 12, 31))
    closed = november(("2025-11", "2025-12", "2026-01"), date(2026, 1, 1))
    assert last_open < closed == datetime(2026, 1, 1, tzinfo=UTC)


def test_without_open_months_none_is_asked_again(moto: Moto) -> None:
    def on(day: date) -> list[str]:
        asked = CostExplorerSource("aws", moto.access(), ("2025-12", "2026-01"), day, 0, 9)
        return [d.fingerprint for d in asked.deliveries()]

    assert on(date(2026, 1, 15)) == on(date(2026, 1, 16))


def test_every_class_and_page_becomes_one_csv_of_the_apis_own_digits(moto: Moto, tmp_path: Path) -> None:
    moto.answer_costs(ANSWERS)
    file, notes = fetch(source(moto), tmp_path)
    text = file.path.read_bytes()
    rows = list(csv.reader(io.StringIO(text.decode())))
    one, two = [ONE, "Shop, north"], [TWO, "Research"]
    assert rows == [
        list(COLUMNS),
        ["2026-01-01", "2026-01-02", "Usage", EC2, *one, "7.0000000001", "8.2", "24", "Hrs", "USD", "false"],
        [
            *("2026-01-01", "2026-01-02", "Usage", S3, *two),
            *("3.0000000002", "3.0000000002", "5.5", "N/A", "USD", "false"),
        ],
        [
            *("2026-01-02", "2026-01-03", "Usage", S3, *two),
            *("0.0000000001", "1.0E-10", "0.0000000001", "GB-Month", "USD", "true"),
        ],
        [
            *("2026-01-01", "2026-01-02", "RecurringFee", "Savings Plans for AWS Compute usage", *one),
            *("3", "0.3", "1", "N/A", "USD", "false"),
        ],
        ["2026-01-01", "2026-01-02", "Tax", "Tax", *one, "1.9", "1.9", "0", "N/A", "USD", "false"],
        ["2026-01-01", "2026-01-02", "Credit", EC2, *one, "-2.25", "-2.25", "0", "N/A", "USD", "false"],
        ["2026-01-02", "2026-01-03", "Refund", S3, *two, "-0.75", "-0.75", "0", "N/A", "USD", "true"],
        ["2026-01-02", "2026-01-03", "Discount", EC2, *one, "-1", "-1", "0", "N/A", "USD", "true"],
        [
            *("2026-01-02", "2026-01-03", "Other", "Amazon CloudFront", TWO, ""),
            *("20", "20", "1", "N/A", "USD", "true"),
        ],
    ]
    assert (file.name, file.bytes) == ("cost-explorer/2026-01.csv", len(text))
    assert file.sha256 == hashlib.sha256(text).hexdigest()
    assert notes.texts == ["9 calls to Cost Explorer, $0.09"]
    assert notes.seen[-1] == ("cost-explorer/2026-01.csv", len(text), None)


def test_the_same_answers_give_the_same_file(moto: Moto, tmp_path: Path) -> None:
    moto.answer_costs(ANSWERS)
    first, _ = fetch(source(moto), tmp_path / "first")
    again, _ = fetch(source(moto), tmp_path / "again")
    assert first.sha256 == again.sha256


def test_the_queries_take_every_record_type_once_and_follow_the_pages(moto: Moto, tmp_path: Path) -> None:
    moto.answer_costs(ANSWERS)
    asked = source(moto)
    with watched(asked) as requests:
        fetch(asked, tmp_path)
    assert all(r["TimePeriod"] == {"Start": "2026-01-01", "End": "2026-02-01"} for r in requests)
    assert all(r["Granularity"] == "DAILY" for r in requests)
    first, *rest = requests
    assert "Filter" not in first
    assert [g["Key"] for g in first["GroupBy"]] == ["RECORD_TYPE"]
    assert all([g["Key"] for g in r["GroupBy"]] == ["SERVICE", "LINKED_ACCOUNT"] for r in rest)
    assert [r.get("NextPageToken") for r in rest] == [None, "more", None, None, None, None, None, None]
    taken = [r["Filter"]["Dimensions"]["Values"] for r in rest if "NextPageToken" not in r]
    assert sorted(t for types in taken for t in types) == sorted({t for d in PRESENT.values() for t in d})
    assert taken[0] == ["SavingsPlanCoveredUsage", "SavingsPlanNegation", "Usage"]


def test_a_class_that_does_not_add_up_has_changed(moto: Moto, tmp_path: Path) -> None:
    wrong = answer({"2026-01-01": [(EC2, ONE, "10.0000000002", "10", "1", "Hrs")]})
    moto.answer_costs([first_answer({"2026-01-01": {"Usage": "10"}}), wrong])
    with pytest.raises(ChangedWhileReadError, match=r"expected 10 USD .* found 10\.0000000002 USD"):
        fetch(source(moto), tmp_path)


def test_rounding_of_each_row_is_no_change(moto: Moto, tmp_path: Path) -> None:
    rounded = answer({"2026-01-01": [(EC2, ONE, "10.0000000001", "10", "1", "Hrs")]})
    moto.answer_costs([first_answer({"2026-01-01": {"Usage": "10"}}), rounded])
    file, _ = fetch(source(moto), tmp_path)
    assert "10.0000000001" in file.path.read_text()


def test_no_call_is_made_beyond_the_budget(moto: Moto, tmp_path: Path) -> None:
    moto.answer_costs(ANSWERS)
    asked, notes = source(moto, call_budget=3), Notes()
    with watched(asked) as requests, pytest.raises(SourceError, match=r"3 calls \(\$0\.01 each\)"):
        asked.fetch(january(asked), tmp_path, notes)
    assert len(requests) == 3
    assert notes.texts == ["3 calls to Cost Explorer, $0.03"]


def test_a_month_without_costs_is_a_header(moto: Moto, tmp_path: Path) -> None:
    moto.answer_costs([first_answer({"2026-01-01": {}})])
    file, notes = fetch(source(moto), tmp_path)
    assert file.path.read_text() == ",".join(COLUMNS) + "\n"
    assert notes.texts == ["1 calls to Cost Explorer, $0.01"]


def test_a_probe_is_one_call_for_yesterday(moto: Moto) -> None:
    total = {"UnblendedCost": {"Amount": "12.3400000001", "Unit": "USD"}}
    moto.answer_costs(
        [
            {
                "ResultsByTime": [
                    {
                        "TimePeriod": {"Start": "2026-01-14", "End": "2026-01-15"},
                        "Total": total,
                        "Groups": [],
                        "Estimated": True,
                    }
                ],
                "DimensionValueAttributes": [],
            }
        ]
    )
    asked = source(moto)
    with watched(asked) as requests:
        facts = asked.probe(None)
    assert facts == [
        "reads Cost Explorer: 12.3400000001 USD on 2026-01-14",
        "1 calls to Cost Explorer, $0.01",
    ]
    assert [r["TimePeriod"] for r in requests] == [{"Start": "2026-01-14", "End": "2026-01-15"}]


def test_a_refusal_names_the_statement_that_is_missing(moto: Moto, poor: str) -> None:
    with moto.guarded(), pytest.raises(AccessError, match="not allowed to ask Cost Explorer") as denied:
        source(moto, profile=poor).probe(None)
    assert json.loads(denied.value.grant) == {
        "Effect": "Allow",
        "Action": "ce:GetCostAndUsage",
        "Resource": "*",
    }


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("RequestChangedException", ChangedWhileReadError),
        ("InvalidNextTokenException", ChangedWhileReadError),
        ("LimitExceededException", TransientError),
        ("DataUnavailableException", SourceError),
    ],
)
def test_the_apis_own_errors_are_told_apart(
    moto: Moto, tmp_path: Path, code: str, kind: type[SourceError]
) -> None:
    asked, notes = source(moto), Notes()

    def refuse(**_: object) -> None:
        answered = {"Error": {"Code": code, "Message": "."}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        raise ClientError(answered, "GetCostAndUsage")

    with _hooked(asked, refuse), pytest.raises(SourceError) as found:
        asked.fetch(january(asked), tmp_path, notes)
    assert type(found.value) is kind
    assert notes.texts == ["1 calls to Cost Explorer, $0.01"]


@contextmanager
def _hooked(asked: CostExplorerSource, hook: Callable[..., None]) -> Iterator[None]:
    events = asked.access.client("ce").meta.events
    events.register("before-call.ce.GetCostAndUsage", hook)
    try:
        yield
    finally:
        events.unregister("before-call.ce.GetCostAndUsage", hook)


def test_record_types_are_classed_in_any_spelling() -> None:
    assert record_class("SavingsPlanNegation") == record_class("Savings Plan Negation") == "Usage"
    assert record_class("RIFee") == record_class("Recurring reservation fee") == "RecurringFee"
    assert record_class("Enterprise Discount Program Discount") == "Discount"
    assert record_class("Other out-of-cycle charges") == OTHER
    assert all(record_class(kind) == name for name, kinds in RECORD_CLASSES.items() for kind in kinds)


def test_the_answers_add_up() -> None:
    """The fixture itself: by hand, 40.9000000004 less 4.0 of credits, refunds and discounts."""
    total = sum((Decimal(a) for d in PRESENT.values() for a in d.values()), Decimal(0))
    assert total == Decimal("30.9000000004")
