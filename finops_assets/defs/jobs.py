"""The two jobs: refresh bills of some partitions, and analyze and publish what the lake then holds."""

from __future__ import annotations

import dagster as dg

REFRESH = "refresh_bills"
ANALYSIS = "analyze_and_publish"

_BY_BILL = dg.AssetSelection.groups("ingestion", "costs", "marts", "datasets", "quality")

refresh_job = dg.define_asset_job(
    REFRESH,
    selection=_BY_BILL,
    description="Take bills in and carry them to daily_costs, for the sources and months asked for.",
)

analysis_job = dg.define_asset_job(
    ANALYSIS,
    selection=dg.AssetSelection.groups(
        "currency", "features", "forecasting", "anomalies", "budgets", "publishing", "alerts"
    ),
    description="Forecasts, anomalies, the published warehouse and alerts, from all that the lake holds.",
)
