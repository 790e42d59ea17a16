"""Bills without an export: AWS Cost Explorer's GetCostAndUsage, by day, service and linked account.

Source: AWS Cost Management API reference, "GetCostAndUsage"; each call costs $0.01. The API groups by two
keys at most, so each class of record types is a query of its own.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from botocore.exceptions import ClientError

from finops_assets.sources.aws.access import AwsAccess, error_code, explained, policy, statement
from finops_assets.sources.base import ChangedWhileReadError, Delivery, FetchedFile, Listener, SourceError

COLUMNS = (
    "PeriodStart",
    "PeriodEnd",
    "RecordClass",
    "Service",
    "LinkedAccount",
    "LinkedAccountName",
    "UnblendedCost",
    "AmortizedCost",
    "UsageQuantity",
    "UsageUnit",
    "Currency",
    "Estimated",
)

RECORD_CLASSES: dict[str, tuple[str, ...]] = {
    "Usage": (
        "Usage",
        "DiscountedUsage",
        "Reservation applied usage",
        "SavingsPlanCoveredUsage",
        # Takes back the on-demand cost of covered usage, under the same service: 0 in sum, as FOCUS wants.
        "SavingsPlanNegation",
    ),
    "RecurringFee": (
        "RIFee",
        "Recurring reservation fee",
        "SavingsPlanRecurringFee",
        "Support",
        "Support fee",
    ),
    "Fee": ("Fee", "Upfront", "Upfront reservation fee", "SavingsPlanUpfrontFee"),
    "Tax": ("Tax",),
    "Credit": ("Credit",),
    "Refund": ("Refund",),
    "Discount": (
        "Discount",
        "BundledDiscount",
        "Distributor Discount",
        "EdpDiscount",
        "Enterprise Discount Program Discount",
        "PrivateRateDiscount",
        "Private Rate Card Discount",
        "RiVolumeDiscount",
        "Solution Provider Program Discount",
        "SppDiscount",
    ),
}
"""Record types by class, in the API's and the console's spelling; every other type is OTHER.

FOCUS (aws_cost_explorer.sql): Usage → Usage; Fee, RecurringFee → Purchase; Tax → Tax; Credit → Credit;
Refund, Discount, OTHER → Adjustment, as for the Cost and Usage Report.
"""

OTHER = "Other"
PRICE = Decimal("0.01")
"""US dollars a call."""

_ROUNDING = Decimal("1e-10")
"""The API rounds amounts to ten places."""

_CHANGED = frozenset({"InvalidNextTokenException", "RequestChangedException"})


def record_class(record_type: str) -> str:
    """The class of a record type, however it is spaced and cased."""
    return _CLASS_OF.get(_letters(record_type), OTHER)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())


_CLASS_OF = {_letters(t): name for name, types in RECORD_CLASSES.items() for t in types}


@dataclass(frozen=True)
class CostExplorerSource:
    """The costs of `months` ('2026-01'), of which the `open_months` newest are asked again each day.

    A fetch stops before it makes more than `call_budget` calls.
    """

    name: str
    access: AwsAccess
    months: tuple[str, ...]
    today: date
    open_months: int
    call_budget: int

    def deliveries(self) -> list[Delivery]:
        """One for each month, oldest first; asks nobody."""
        months = sorted(set(self.months))
        first_open = max(len(months) - self.open_months, 0)
        return [self._delivery(m, is_open=i >= first_open) for i, m in enumerate(months)]

    def fetch(self, delivery: Delivery, into: Path, listener: Listener) -> list[FetchedFile]:
        """Ask for the month, class by class, into one CSV; its amounts are the API's own digits.

        Raises ChangedWhileReadError when the classes do not add up to what was asked first, and
        SourceError before a call beyond the budget.
        """
        (name,) = delivery.files
        month = date.fromisoformat(f"{delivery.month}-01")
        into.mkdir(parents=True, exist_ok=True)
        path = into / Path(name).name
        asking = _Asking(self, {"Start": month.isoformat(), "End": _next_month(month).isoformat()})
        try:
            with path.open("w", encoding="utf-8", newline="") as file:
                _write(asking, file, lambda done: listener.advance(name, done, None))
        finally:
            listener.note(asking.bill)
        with path.open("rb") as file_:
            digest = hashlib.file_digest(file_, "sha256").hexdigest()
        return [FetchedFile(name=name, path=path, sha256=digest, bytes=path.stat().st_size)]

    def probe(self, _: Delivery | None) -> list[str]:
        """Ask for yesterday's cost, in one call."""
        yesterday = self.today - timedelta(days=1)
        asking = _Asking(self, {"Start": yesterday.isoformat(), "End": self.today.isoformat()})
        request = {"Metrics": ["UnblendedCost"]}
        costs = [day["Total"]["UnblendedCost"] for day in asking.answer(request)["ResultsByTime"]]
        stated = ", ".join(f"{cost['Amount']} {cost['Unit']}" for cost in costs) or "nothing"
        return [f"reads Cost Explorer: {stated} on {yesterday}", asking.bill]

    @property
    def grant(self) -> str:
        """The IAM statement that lets us ask; Cost Explorer knows no resources."""
        return policy([statement("ce:GetCostAndUsage", "*")])

    def _delivery(self, month: str, *, is_open: bool) -> Delivery:
        # A month that closes is asked once more, so its last delivery must come after the open ones.
        closed_on = date.fromisoformat(f"{month}-01")
        for _ in range(self.open_months):
            closed_on = _next_month(closed_on)
        fingerprint = f"{month} as of {self.today}" if is_open else month
        return Delivery(
            delivery_id=fingerprint,
            month=month,
            files=(f"cost-explorer/{month}.csv",),
            fingerprint=fingerprint,
            exported_at=datetime.combine(self.today if is_open else closed_on, time(), UTC),
            format="aws_cost_explorer",
            export="cost-explorer",
        )


@dataclass
class _Asking:
    """The calls of one fetch, counted."""

    source: CostExplorerSource
    period: dict[str, str]
    calls: int = 0

    @property
    def bill(self) -> str:
        """What the calls so far cost."""
        return f"{self.calls} calls to Cost Explorer, ${self.calls * PRICE:.2f}"

    def pages(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The answers to a query, to the last page."""
        page = self.answer(request)
        yield page
        while token := page.get("NextPageToken"):
            page = self.answer({**request, "NextPageToken": token})
            yield page

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """One call's answer; an attempt that botocore repeated counts too."""
        if self.calls >= self.source.call_budget:
            raise SourceError(
                f"stopped before the next call to Cost Explorer: {self.calls} calls (${PRICE} each) are the "
                "budget of one fetch; raise it in finops.toml, or read the bills from a data export"
            )
        self.calls += 1
        with explained(self.source.access, "ask Cost Explorer", self.source.grant), _unchanged():
            answer: dict[str, Any] = self.source.access.client("ce").get_cost_and_usage(
                TimePeriod=self.period, Granularity="DAILY", **request
            )
        self.calls += int(answer["ResponseMetadata"].get("RetryAttempts", 0))
        return answer


@dataclass
class _Present:
    """What the first query found: by class its record types, and its costs by currency."""

    types: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    costs: dict[str, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(_no_costs))


def _write(asking: _Asking, file: TextIO, tell: Callable[[int], None]) -> None:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    present = _present(asking)
    for name in (*RECORD_CLASSES, OTHER):
        if name not in present.types:
            continue
        count, costs = 0, _no_costs()
        for page in asking.pages(_by_service(sorted(present.types[name]))):
            for row in _rows(page, name):
                rows.writerow(row)
                count += 1
                costs[row[10]] += Decimal(row[6])
            tell(file.tell())
        _hold(name, present.costs[name], costs, _ROUNDING * count)


def _present(asking: _Asking) -> _Present:
    present = _Present()
    request = {"Metrics": ["UnblendedCost"], "GroupBy": [_group("RECORD_TYPE")]}
    for page in asking.pages(request):
        for day in page["ResultsByTime"]:
            for group in day["Groups"]:
                (record_type,) = group["Keys"]
                cost = group["Metrics"]["UnblendedCost"]
                name = record_class(record_type)
                present.types[name].add(record_type)
                present.costs[name][cost["Unit"]] += Decimal(cost["Amount"])
    return present


def _by_service(record_types: list[str]) -> dict[str, Any]:
    return {
        "Metrics": ["UnblendedCost", "AmortizedCost", "UsageQuantity"],
        "GroupBy": [_group("SERVICE"), _group("LINKED_ACCOUNT")],
        "Filter": {"Dimensions": {"Key": "RECORD_TYPE", "Values": record_types}},
    }


def _rows(page: dict[str, Any], name: str) -> Iterator[tuple[str, ...]]:
    accounts = {
        a["Value"]: a["Attributes"].get("description", "") for a in page.get("DimensionValueAttributes", ())
    }
    for day in page["ResultsByTime"]:
        period = day["TimePeriod"]
        for group in day["Groups"]:
            service, account = group["Keys"]
            metrics = group["Metrics"]
            yield (
                period["Start"],
                period["End"],
                name,
                service,
                account,
                accounts.get(account, ""),
                metrics["UnblendedCost"]["Amount"],
                metrics["AmortizedCost"]["Amount"],
                metrics["UsageQuantity"]["Amount"],
                metrics["UsageQuantity"]["Unit"],
                metrics["UnblendedCost"]["Unit"],
                str(day["Estimated"]).lower(),
            )


def _hold(name: str, expected: dict[str, Decimal], found: dict[str, Decimal], within: Decimal) -> None:
    for currency in sorted(expected.keys() | found.keys()):
        asked, summed = expected.get(currency, Decimal(0)), found.get(currency, Decimal(0))
        if abs(asked - summed) > within:
            raise ChangedWhileReadError(
                f"Cost Explorer, {name}: expected {asked} {currency} as the total by record type, found "
                f"{summed} {currency} by service and account; the next refresh asks again"
            )


@contextmanager
def _unchanged() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error_code(error) in _CHANGED:
            raise ChangedWhileReadError(
                f"Cost Explorer changed its answer between two pages ({error}); the next refresh asks again"
            ) from error
        raise


def _group(key: str) -> dict[str, str]:
    return {"Type": "DIMENSION", "Key": key}


def _no_costs() -> dict[str, Decimal]:
    return defaultdict(Decimal)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
