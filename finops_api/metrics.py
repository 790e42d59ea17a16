"""Measures for Prometheus: of requests as they come, of the published state as it is when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from finops_assets.queries import anomalies, bills, forecasts
from finops_assets.queries.access import NotPublishedError, Reader, pinned
from finops_assets.queries.snapshot import snapshot

router = APIRouter(tags=["health"])

_KEPT_SECONDS = 15
"""How long the measures of the published state are kept: several scrapers ask the warehouse once."""


class Metrics:
    """The measures of one app."""

    def __init__(self, warehouse: Reader) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "finops_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "finops_http_request_seconds",
            "Time to answer a request.",
            ("method", "route"),
            registry=self.registry,
        )
        self._queries = Histogram(
            "finops_query_seconds", "Time of one question to the warehouse.", registry=self.registry
        )
        self.registry.register(_Published(warehouse))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request that was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def query(self, seconds: float) -> None:
        """Count one question that the warehouse answered."""
        self._queries.observe(seconds)


@router.get(
    "/metrics",
    summary="Measures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def get_metrics(request: Request) -> Response:
    """Requests by route and status, time of queries, age of the snapshot, freshness of each source's data,
    residuals of the reconciliation, errors of the forecast, open anomalies."""
    metrics: Metrics = request.app.state.metrics
    return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Published(Collector):
    """Gauges of the published state."""

    def __init__(self, warehouse: Reader) -> None:
        self._warehouse = warehouse
        self._kept: list[GaugeMetricFamily] = []
        self._read_at = -float(_KEPT_SECONDS)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: the warehouse is not asked when the app is made."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges; only finops_published 0 before the first publication."""
        if time.monotonic() - self._read_at >= _KEPT_SECONDS:
            try:
                with pinned(self._warehouse) as held:
                    self._kept = [gauge for read in _GAUGES for gauge in read(held)]
            except NotPublishedError:
                self._kept = [_gauge("finops_published", "Whether anything is published.", (), [((), 0)])]
            self._read_at = time.monotonic()
        yield from self._kept


Labelled = tuple[tuple[str, ...], "float | Decimal | int"]


def _gauge(name: str, says: str, labels: tuple[str, ...], values: Iterable[Labelled]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=labels)
    for of, value in values:
        family.add_metric(list(of), float(value))  # Prometheus knows floats only; figures come from /costs
    return family


def _state(held: Reader) -> Iterator[GaugeMetricFamily]:
    known = snapshot(held)
    age = (datetime.now(UTC) - known.published_at).total_seconds()
    yield _gauge("finops_published", "Whether anything is published.", (), [((), 1)])
    yield _gauge("finops_snapshot_version", "The version that is published.", (), [((), known.version)])
    yield _gauge("finops_snapshot_age_seconds", "Since it was published.", (), [((), age)])


def _sources(held: Reader) -> Iterator[GaugeMetricFamily]:
    rows = bills.freshness(held).to_pylist()
    now = datetime.now(UTC)
    yield _gauge(
        "finops_source_data_age_days",
        "Since the newest day that a source has usage of.",
        ("source",),
        [((r["x_Source"],), (now.date() - r["newest_day"]).days) for r in rows if r["newest_day"]],
    )
    yield _gauge(
        "finops_source_delivery_age_seconds",
        "Since the newest bill in force of a source was taken in.",
        ("source",),
        [((r["x_Source"],), (now - r["ingested_at"]).total_seconds()) for r in rows if r["ingested_at"]],
    )
    yield _gauge(
        "finops_source_quarantined_months",
        "Months of a source whose newest delivery was refused.",
        ("source",),
        [((r["x_Source"],), r["quarantined"]) for r in rows],
    )


def _residuals(held: Reader) -> Iterator[GaugeMetricFamily]:
    largest: dict[tuple[str, ...], Decimal] = {}
    for row in bills.reconciliation(held).to_pylist():
        if row["metric"] is not None:
            of = (row["stage"], row["x_Source"], row["BillingCurrency"])
            largest[of] = max(largest.get(of, Decimal(0)), abs(row["residual"]))
    yield _gauge(
        "finops_reconciliation_residual",
        "The largest difference of a stage to the bills, in the currency.",
        ("stage", "source", "currency"),
        largest.items(),
    )


def _errors(held: Reader) -> Iterator[GaugeMetricFamily]:
    yield _gauge(
        "finops_forecast_wape",
        "Absolute errors of a model as a share of the absolute costs, in the backtest.",
        ("level", "metric", "currency", "horizon", "model"),
        [
            (
                tuple(str(r[k]) for k in ("level", "metric", "BillingCurrency", "horizon", "model")),
                r["wape"],
            )
            for r in forecasts.accuracy(held).to_pylist()
            if r["wape"] is not None
        ],
    )


def _anomalies(held: Reader) -> Iterator[GaugeMetricFamily]:
    counts = dict.fromkeys(("low", "medium", "high", "critical"), 0)
    for row in anomalies.anomalies(held, status="open").to_pylist():
        counts[row["severity"]] += 1
    yield _gauge(
        "finops_open_anomalies",
        "Anomalies that go on.",
        ("severity",),
        [((s,), n) for s, n in counts.items()],
    )


_GAUGES: tuple[Callable[[Any], Iterator[GaugeMetricFamily]], ...] = (
    _state,
    _sources,
    _residuals,
    _errors,
    _anomalies,
)
