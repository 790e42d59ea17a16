"""The Cost Management Query API against a server that replays a recorded answer of the real one."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from finops_assets.sources.azure.patience import LONGEST, TRIES, asked_to_wait
from finops_assets.sources.azure.query import COLUMNS, COST_TYPES, GROUPINGS, CostQuerySource
from finops_assets.sources.base import (
    AccessError,
    Delivery,
    FetchedFile,
    SourceError,
    TransientError,
)
from tests.services.replay import DENIED, EXPIRED, Replay, Trouble, running_replay, throttled

SCOPE = "/subscriptions/ea42f556-5106-4743-99b0-c129bfa71a47"
GIVEN = {
    "SubscriptionId": "ea42f556-5106-4743-99b0-c129bfa71a47",
    "SubscriptionName": "Test, shared",
    "ServiceName": "Virtual Machines",
    "ResourceLocation": "US West 2",
    "ChargeType": "usage",
    "PricingModel": "OnDemand",
    "PublisherType": "azure",
}
MONTHS = ("2019-05", "2019-06", "2019-07")
TODAY = date(2019, 7, 23)


class Notes:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.seen: list[tuple[str, int, int | None]] = []

    def advance(self, what: str, done: int, total: int | None) -> None:
        self.seen.append((what, done, total))

    def note(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture
def replay() -> Iterator[Replay]:
    with running_replay(GIVEN) as server:
        yield server


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def source(replay: Replay, slept: list[float]) -> CostQuerySource:
    return CostQuerySource("azure", SCOPE, MONTHS, TODAY, 2, replay.url, slept.append)


def fetch(source: CostQuerySource, into: Path, month: str = "2019-06") -> tuple[FetchedFile, Notes]:
    notes = Notes()
    (delivery,) = (d for d in source.deliveries() if d.month == month)
    (file,) = source.fetch(delivery, into, notes)
    return file, notes


def test_months_are_deliveries_and_the_newest_are_asked_again_each_day() -> None:
    def on(day: date) -> list[Delivery]:
        return CostQuerySource("azure", SCOPE, MONTHS, day, 2, "http://127.0.0.1:9").deliveries()

    today, tomorrow = on(TODAY), on(TODAY + timedelta(days=1))
    assert [d.month for d in today] == list(MONTHS)
    same = [a.fingerprint == b.fingerprint for a, b in zip(today, tomorrow, strict=True)]
    assert same == [True, False, False]
    assert len({d.fingerprint for d in today + tomorrow}) == 5
    assert all(d.delivery_id == d.fingerprint for d in today)
    assert {(d.format, d.export) for d in today} == {("azure_query", "query-api")}
    assert today[-1].files == ("query-api/2019-07.csv",)


def test_a_month_that_closes_comes_after_all_that_was_asked_while_open() -> None:
    def may(months: tuple[str, ...], day: date) -> datetime:
        return CostQuerySource("azure", SCOPE, months, day, 2).deliveries()[0].exported_at

    last_open = may(("2019-05", "2019-06"), date(2019, 6, 30))
    assert last_open < may(MONTHS, date(2019, 7, 1)) == datetime(2019, 7, 1, tzinfo=UTC)


def test_all_pages_of_both_costs_become_one_csv_of_the_recorded_rows(
    replay: Replay, source: CostQuerySource, tmp_path: Path
) -> None:
    replay.page_rows = 100
    file, notes = fetch(source, tmp_path)
    with file.path.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    assert header == list(COLUMNS)
    others = [GIVEN[name] for name in GROUPINGS if name in GIVEN]
    expected = [
        [kind, f"2019-06-{day:02}", *others[:2], group, *others[2:], repr(cost), currency]
        for kind in COST_TYPES
        for day in range(1, 31)
        for cost, group, currency in replay.rows
    ]
    assert rows == expected
    assert [repr(row[0]) for row in replay.rows if row[1] in {"anzolochteststrage", "test-site-lock"}] == [
        "6e-05",
        "0.0",
    ]
    # 30 days of 14 rows in pages of 100 are five pages, for each cost.
    assert len(replay.requests) == 10
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert (file.name, file.bytes) == ("query-api/2019-06.csv", file.path.stat().st_size)
    assert notes.seen[-1] == ("query-api/2019-06.csv", file.bytes, None)
    assert notes.texts[0].startswith("10 calls to the Query API, ")
    assert notes.texts[0].endswith(" bytes, waited 0 s for its quota")


def test_pages_are_asked_for_with_the_same_query(
    replay: Replay, source: CostQuerySource, tmp_path: Path
) -> None:
    replay.page_rows = 400
    fetch(source, tmp_path)
    first, second, third, fourth = replay.requests
    assert first[1] == second[1]
    assert third[1] == fourth[1] == {**first[1], "type": "AmortizedCost"}
    assert first[1]["type"] == "ActualCost"
    assert first[1]["timePeriod"] == {"from": "2019-06-01T00:00:00Z", "to": "2019-06-30T23:59:59Z"}
    assert first[1]["dataset"] == {
        "granularity": "Daily",
        "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
        "grouping": [{"type": "Dimension", "name": name} for name in GROUPINGS],
    }
    assert first[0].startswith(f"{SCOPE}/providers/Microsoft.CostManagement/query?api-version=20")
    assert second[0] == f"{first[0]}&$skiptoken=400"


def test_a_month_is_not_asked_for_beyond_today(
    replay: Replay, source: CostQuerySource, tmp_path: Path
) -> None:
    # The service moves a period that ends in the future without saying so.
    fetch(source, tmp_path, "2019-07")
    assert replay.requests[0][1]["timePeriod"] == {
        "from": "2019-07-01T00:00:00Z",
        "to": "2019-07-23T23:59:59Z",
    }


def test_no_token_goes_over_plain_http(replay: Replay, source: CostQuerySource, tmp_path: Path) -> None:
    fetch(source, tmp_path)
    assert set(replay.authorized) == {None}


@pytest.mark.parametrize("name", ["Cost", "totalCost"])
def test_costs_are_found_by_any_of_their_names(
    replay: Replay, source: CostQuerySource, tmp_path: Path, name: str
) -> None:
    recorded, _ = fetch(source, tmp_path / "recorded")
    replay.cost_column = name
    renamed, _ = fetch(source, tmp_path / "renamed")
    assert recorded.sha256 == renamed.sha256


def test_the_same_answers_give_the_same_file(source: CostQuerySource, replay: Replay, tmp_path: Path) -> None:
    first, _ = fetch(source, tmp_path / "first")
    replay.page_rows = 70
    again, _ = fetch(source, tmp_path / "again")
    assert first.sha256 == again.sha256


def test_a_used_up_quota_is_waited_for_as_long_as_its_headers_say(
    replay: Replay, source: CostQuerySource, slept: list[float], tmp_path: Path
) -> None:
    clear, _ = fetch(source, tmp_path / "clear")
    replay.page_rows, replay.requests = 100, []
    replay.troubles = [throttled(entity=7), None, throttled(entity=3, tenant=5, clienttype=40, qpu=9)]
    file, notes = fetch(source, tmp_path / "throttled")
    assert file.sha256 == clear.sha256
    assert [int(s) for s in slept] == [7, 40]
    assert len(replay.requests) == 12
    assert notes.texts[0].startswith("12 calls to the Query API, ")
    assert notes.texts[0].endswith(f"waited {sum(slept):.0f} s for its quota")


def test_retry_after_is_kept_too(
    replay: Replay, source: CostQuerySource, slept: list[float], tmp_path: Path
) -> None:
    replay.troubles = [Trouble(503, "ServiceUnavailable", {"Retry-After": "11"})]
    fetch(source, tmp_path)
    assert [int(s) for s in slept] == [11]


def test_waits_are_told_by_any_quota_and_as_seconds_or_a_date() -> None:
    quota = "x-ms-ratelimit-microsoft.costmanagement"
    assert asked_to_wait({}) is None
    assert asked_to_wait({"Retry-After": "soon", f"{quota}-qpu-consumed": "5"}) is None
    assert asked_to_wait({f"{quota}-qpu-retry-after": "2", f"{quota}-entity-retry-after": "30"}) == 30
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < (asked_to_wait({"retry-after": in_a_minute}) or 0) <= 60


@pytest.mark.parametrize("trouble", [Trouble(500, "InternalServerError"), Trouble(cut_after=200)])
def test_what_passes_is_tried_again_with_growing_pauses(
    replay: Replay, source: CostQuerySource, slept: list[float], tmp_path: Path, trouble: Trouble
) -> None:
    clear, _ = fetch(source, tmp_path / "clear")
    replay.troubles = [trouble, trouble, trouble]
    file, _ = fetch(source, tmp_path / "troubled")
    assert file.sha256 == clear.sha256
    assert len(slept) == 3
    assert all(low <= pause <= 2 * low for pause, low in zip(slept, (1, 2, 4), strict=True))


@pytest.mark.parametrize("trouble", [Trouble(502, "BadGateway"), Trouble(cut_after=50), throttled(entity=1)])
def test_patience_ends(
    replay: Replay, source: CostQuerySource, slept: list[float], tmp_path: Path, trouble: Trouble
) -> None:
    replay.troubles = [trouble] * 50
    notes = Notes()
    with pytest.raises(TransientError):
        source.fetch(source.deliveries()[0], tmp_path, notes)
    assert len(replay.requests) == TRIES
    assert len(slept) == TRIES - 1
    assert sum(slept) < LONGEST
    assert notes.texts[0].startswith(f"{TRIES} calls to the Query API, ")


def test_a_wait_beyond_patience_is_left_to_a_later_run(
    replay: Replay, source: CostQuerySource, slept: list[float], tmp_path: Path
) -> None:
    replay.troubles = [throttled(qpu=3600)]
    with pytest.raises(TransientError):
        fetch(source, tmp_path)
    assert (len(replay.requests), slept) == (1, [])


def test_a_refusal_names_the_role_that_is_missing(
    replay: Replay, source: CostQuerySource, slept: list[float]
) -> None:
    for trouble in (DENIED, Trouble(403, "AuthorizationFailed")):
        replay.troubles = [trouble]
        with pytest.raises(AccessError, match="not allowed to ask the Query API") as denied:
            source.probe(None)
        assert '--role "Cost Management Reader"' in denied.value.grant
        assert f'--scope "{SCOPE}"' in denied.value.grant
    assert slept == []


def test_an_expired_token_says_how_to_renew_it(
    replay: Replay, source: CostQuerySource, slept: list[float], tmp_path: Path
) -> None:
    replay.troubles = [None, EXPIRED]
    with pytest.raises(SourceError, match="az login") as expired:
        fetch(source, tmp_path)
    assert type(expired.value) is SourceError
    assert slept == []


def test_a_query_that_the_service_does_not_take_is_told_in_its_words(
    replay: Replay, source: CostQuerySource
) -> None:
    replay.troubles = [Trouble(400, "BadRequest")]
    with pytest.raises(SourceError, match="Azure says 400 BadRequest") as refused:
        source.probe(None)
    assert type(refused.value) is SourceError


def test_an_answer_without_an_asked_column_is_refused(
    replay: Replay, source: CostQuerySource, tmp_path: Path
) -> None:
    replay.cost_column = "Price"
    with pytest.raises(SourceError, match="expected a column Cost in the answer, found Price, UsageDate"):
        fetch(source, tmp_path)


def test_a_month_without_costs_is_a_header(replay: Replay, source: CostQuerySource, tmp_path: Path) -> None:
    replay.rows.clear()
    file, notes = fetch(source, tmp_path)
    assert file.path.read_text() == ",".join(COLUMNS) + "\n"
    assert notes.texts[0].startswith("2 calls to the Query API, ")


def test_a_probe_is_one_call_for_yesterday(replay: Replay, source: CostQuerySource) -> None:
    del replay.rows[1:]
    fact, bill = source.probe(None)
    assert fact == f"reads the Query API of {SCOPE}: 1.852214 USD on 2019-07-22"
    assert bill.startswith("1 calls to the Query API, ")
    ((_, query),) = replay.requests
    assert query["timePeriod"] == {"from": "2019-07-22T00:00:00Z", "to": "2019-07-22T23:59:59Z"}
