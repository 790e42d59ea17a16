"""Bills without an export: the Cost Management Query API, by day and by what the API can group by.

Source: Azure REST API reference, Cost Management, "Query - Usage"; Microsoft Learn, "Manage costs with
automation" (quotas). Each month is asked twice, for the actual and for the amortized cost. A query of
days may cover 31 of them at most, which is a month.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any, cast

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core.exceptions import ARMErrorFormat
from azure.mgmt.costmanagement import CostManagementClient

from finops_assets.sources.azure.access import explained
from finops_assets.sources.azure.patience import Patience
from finops_assets.sources.base import Delivery, FetchedFile, Listener, SourceError

COST_TYPES = ("ActualCost", "AmortizedCost")

GROUPINGS = (
    "SubscriptionId",
    "SubscriptionName",
    "ResourceGroupName",
    "ServiceName",
    "ResourceLocation",
    "ChargeType",
    "PricingModel",
    "PublisherType",
)
"""The reference says two at most; the service takes fifteen (Azure/azure-sdk-for-python, issue 12973)."""

COLUMNS = ("CostType", "UsageDate", *GROUPINGS, "Cost", "Currency")

_ANSWERED_AS = {"Cost": ("Cost", "PreTaxCost", "totalCost")}
"""What the service may call a column of ours; older agreements' costs are called PreTaxCost."""


@dataclass(frozen=True)
class CostQuerySource:
    """The costs of `months` ('2026-01') in `scope`, of which the `open_months` newest are asked again daily.

    `scope` is '/subscriptions/<id>', '/providers/Microsoft.Billing/billingAccounts/<id>' and the like.
    DefaultAzureCredential finds who we are; over plain http no token is sent. `sleep` waits for the quota.
    """

    name: str
    scope: str
    months: tuple[str, ...]
    today: date
    open_months: int
    endpoint: str = "https://management.azure.com"
    sleep: Callable[[float], None] = field(default=sleep, compare=False, repr=False)

    def deliveries(self) -> list[Delivery]:
        """One for each month, oldest first; asks nobody."""
        months = sorted(set(self.months))
        first_open = max(len(months) - self.open_months, 0)
        return [self._delivery(m, is_open=i >= first_open) for i, m in enumerate(months)]

    def fetch(self, delivery: Delivery, into: Path, listener: Listener) -> list[FetchedFile]:
        """Ask for the month's actual and amortized costs, page by page, into one CSV.

        Its numbers are the API's own digits. Raises TransientError when the service stays busy.
        """
        (name,) = delivery.files
        first = date.fromisoformat(f"{delivery.month}-01")
        last = min(_next_month(first) - timedelta(days=1), max(self.today, first))
        into.mkdir(parents=True, exist_ok=True)
        path = into / Path(name).name
        with self._asking() as asking:
            try:
                with path.open("w", encoding="utf-8", newline="") as file:
                    rows = csv.writer(file, lineterminator="\n")
                    rows.writerow(COLUMNS)
                    for cost_type in COST_TYPES:
                        for page in asking.pages(_query(cost_type, first, last, GROUPINGS)):
                            rows.writerows((cost_type, *row) for row in _rows(page))
                            listener.advance(name, file.tell(), None)
            finally:
                listener.note(asking.bill)
        with path.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        return [FetchedFile(name=name, path=path, sha256=digest, bytes=path.stat().st_size)]

    def probe(self, _: Delivery | None) -> list[str]:
        """Ask for yesterday's cost, in one call."""
        yesterday = self.today - timedelta(days=1)
        with self._asking() as asking:
            answer = next(asking.pages(_query("ActualCost", yesterday, yesterday, ())))
        costs = _columns(answer, ("Cost", "Currency"))
        found = ", ".join(f"{_text(cost)} {currency}" for cost, currency in costs) or "nothing"
        return [f"reads the Query API of {self.scope}: {found} on {yesterday}", asking.bill]

    @property
    def grant(self) -> str:
        """The role assignment that lets us ask for the costs of this scope, and nothing else."""
        return (
            'az role assignment create --role "Cost Management Reader" \\\n'
            '  --assignee-object-id "$PRINCIPAL_ID" \\\n'
            f'  --scope "{self.scope}"'
        )

    @contextmanager
    def _asking(self) -> Iterator[_Asking]:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - slow, and only where it is used

        options: dict[str, Any] = {"credential_scopes": [f"{self.endpoint.rstrip('/')}/.default"]}
        if self.endpoint.startswith("http://"):
            options["authentication_policy"] = SansIOHTTPPolicy[Any, Any]()
        # The pipeline's own retries know nothing of the service's quota headers.
        options["retry_total"] = 0
        with (
            DefaultAzureCredential() as credential,
            CostManagementClient(credential, self.endpoint, **options) as client,
        ):
            yield _Asking(self, client)

    def _delivery(self, month: str, *, is_open: bool) -> Delivery:
        # A month that closes is asked once more, so its last delivery must come after the open ones.
        closed_on = date.fromisoformat(f"{month}-01")
        for _ in range(self.open_months):
            closed_on = _next_month(closed_on)
        fingerprint = f"{month} as of {self.today}" if is_open else month
        return Delivery(
            delivery_id=fingerprint,
            month=month,
            files=(f"query-api/{month}.csv",),
            fingerprint=fingerprint,
            exported_at=datetime.combine(self.today if is_open else closed_on, time_of_day(), UTC),
            format="azure_query",
            export="query-api",
        )


class _Asking:
    """The calls of one fetch, counted."""

    def __init__(self, source: CostQuerySource, client: CostManagementClient) -> None:
        self._source, self._client = source, client
        self._patience = Patience(source.sleep)
        self._calls = self._bytes = 0

    @property
    def bill(self) -> str:
        """What the calls so far took of the quota."""
        return (
            f"{self._calls} calls to the Query API, {self._bytes} bytes, "
            f"waited {self._patience.waited:.0f} s for its quota"
        )

    def pages(self, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The answers to a query, to the last page; numbers in them are their own text."""
        followed: set[str] = set()
        page = self._answer(partial(self._first, query))
        while True:
            yield page
            link = page.get("nextLink")
            if not link:
                return
            if link in followed:
                raise SourceError(f"the Query API of {self._source.scope} gave the same next page twice")
            followed.add(link)
            page = self._answer(partial(self._next, link, query))

    def _answer(self, ask: Callable[[], HttpResponse]) -> dict[str, Any]:
        with explained(f"ask the Query API of {self._source.scope}", self._source.grant):
            response = self._patience.until_through(lambda: self._counted(ask))
        if response.status_code == 204:
            return {"columns": [], "rows": []}
        # As text, for a double's shortest text is what the service wrote.
        answer = json.loads(response.content, parse_float=str, parse_int=str)
        return cast(dict[str, Any], answer["properties"])

    def _counted(self, ask: Callable[[], HttpResponse]) -> HttpResponse:
        self._calls += 1
        response = ask()
        self._bytes += len(response.content)
        return response

    def _first(self, query: dict[str, Any]) -> HttpResponse:
        def as_received(response: Any, *_: Any) -> HttpResponse:
            return cast(HttpResponse, response.http_response)

        scope = self._source.scope.strip("/")
        return cast(HttpResponse, self._client.query.usage(scope, cast(Any, query), cls=as_received))

    def _next(self, link: str, query: dict[str, Any]) -> HttpResponse:
        response = self._client.send_request(HttpRequest("POST", link, json=query))
        if response.status_code not in (200, 204):
            raise HttpResponseError(response=response, error_format=ARMErrorFormat)
        return response


def _query(cost_type: str, first: date, last: date, groupings: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": cost_type,
        "timeframe": "Custom",
        "timePeriod": {"from": f"{first}T00:00:00Z", "to": f"{last}T23:59:59Z"},
        "dataset": {
            "granularity": "Daily",
            "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
            "grouping": [{"type": "Dimension", "name": name} for name in groupings],
        },
    }


def _rows(page: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for day, *rest in _columns(page, COLUMNS[1:]):
        yield (_day(_text(day)), *map(_text, rest))


def _columns(page: dict[str, Any], wanted: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """The rows with the wanted columns only, found by the names that the answer gives."""
    if not page["rows"]:
        return
    given = {column["name"].lower(): i for i, column in enumerate(page["columns"])}
    places: list[int] = []
    for name in wanted:
        spelled = (s.lower() for s in _ANSWERED_AS.get(name, (name,)))
        place = next((given[s] for s in spelled if s in given), None)
        if place is None:
            found = ", ".join(column["name"] for column in page["columns"])
            raise SourceError(f"the Query API: expected a column {name} in the answer, found {found}")
        places.append(place)
    for row in page["rows"]:
        yield tuple(row[place] for place in places)


def _day(given: str) -> str:
    """A day as ISO 8601: the service writes the number 20260131."""
    return f"{given[:4]}-{given[4:6]}-{given[6:8]}" if given.isdigit() else given


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
