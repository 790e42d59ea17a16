"""What there is to tell: the published events with their causes and links, and the budgets."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from finops_assets.decisions.alerts import recorded
from finops_assets.decisions.feedback import newest
from finops_assets.notify.budgets import budget_subjects
from finops_assets.notify.choose import Subject
from finops_assets.notify.message import anomaly_subject, refresh_subject
from finops_assets.queries.access import Reader, fetch
from finops_assets.queries.anomalies import anomalies
from finops_assets.queries.budgets import budget_status
from finops_assets.queries.forecasts import series_filters
from finops_assets.queries.snapshot import snapshot
from finops_assets.settings import Settings

_SETTLED = {"expected", "planned", "resolved"}
"""Verdicts after which nobody has to be told any more."""


def anomaly_subjects(warehouse: Reader, settings: Settings) -> list[Subject]:
    """Every published event that people have not settled. Raises NotPublishedError."""
    said = newest(settings.paths.decisions)
    causes = fetch(warehouse, "SELECT * FROM anomaly_drivers ORDER BY anomaly_id, dimension, rank")
    drivers = {k: list(rows) for k, rows in groupby(causes.to_pylist(), key=lambda d: d["anomaly_id"])}
    return [
        anomaly_subject(
            event, drivers.get(event["anomaly_id"], []), _filters(event), settings.alerts.dashboard
        )
        for event in anomalies(warehouse).to_pylist()
        if event["anomaly_id"] not in said or said[event["anomaly_id"]].verdict not in _SETTLED
    ]


def budgets_to_tell(warehouse: Reader, settings: Settings) -> list[Subject]:
    """Every budget that may be crossed, and those on track again of which people were told otherwise."""
    told = {alert.subject_id for alert in recorded(settings.paths.decisions)}
    return budget_subjects(budget_status(warehouse).to_pylist(), settings.alerts.dashboard, told)


def _filters(event: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(f.column, value) for f in series_filters(event) for value in f.values]


def refreshes(warehouse: Reader, settings: Settings) -> list[Subject]:
    """The publication that is in force, told to the channels that ask for it."""
    known = snapshot(warehouse)
    return [refresh_subject(known.version, known.published_at, settings.alerts.dashboard)]
