"""All assets, jobs, sensors and schedules as one Definitions."""

from __future__ import annotations

import dagster as dg

from finops_assets.defs.anomalies import assets as anomalies
from finops_assets.defs.anomalies import feedback
from finops_assets.defs.budgets import assets as budgets
from finops_assets.defs.costs import assets as costs
from finops_assets.defs.currency import assets as currency
from finops_assets.defs.datasets import assets as datasets
from finops_assets.defs.forecasting import assets as forecasting
from finops_assets.defs.forecasting import commitments, plans, record, retraining
from finops_assets.defs.ingestion import accounts
from finops_assets.defs.ingestion import assets as ingestion
from finops_assets.defs.ingestion.schedules import schedules
from finops_assets.defs.ingestion.sensors import sensors
from finops_assets.defs.jobs import analysis_job, refresh_job
from finops_assets.defs.marts import assets as marts
from finops_assets.defs.notify import assets as notify
from finops_assets.defs.publishing import assets as publishing
from finops_assets.defs.quality import assets as quality
from finops_assets.defs.resources import Platform


def definitions() -> dg.Definitions:
    """The whole graph. One process runs a whole run: a process a step costs more than the steps do."""
    stages = (
        ingestion,
        accounts,
        costs,
        marts,
        datasets,
        quality,
        currency,
        plans,
        commitments,
        retraining,
        forecasting,
        feedback,
        record,
        anomalies,
        budgets,
        publishing,
        notify,
    )
    return dg.Definitions(
        assets=[asset for stage in stages for asset in stage.assets],
        jobs=[refresh_job, analysis_job],
        sensors=[*sensors, *feedback.sensors, *plans.sensors, *retraining.sensors],
        schedules=[*schedules, *notify.schedules],
        resources={"platform": Platform()},
        executor=dg.in_process_executor,
    )
