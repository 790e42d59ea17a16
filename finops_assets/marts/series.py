"""The table of what the models see: one series and day a row."""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.marts.sql import load_sql
from finops_assets.normalize.tables import tag_column
from finops_assets.schema import MONEY, Column, Table, literal, quote
from finops_assets.series import SERIES

COST_FEATURES = Table(
    name="cost_features",
    description="One series and day: what the models see. Days without a row in the bill are zeros.",
    columns=(
        *SERIES,
        Column("day", "DATE"),
        Column("cost", MONEY, "The day's cost."),
        Column("correction", MONEY, "What of it corrects an earlier bill (ChargeClass): no model learns it."),
        Column("is_complete", "BOOLEAN", "False for the last days of a bill that is still arriving."),
    ),
    order_by=("series_id", "day"),
)


def cost_features_sql(tag_keys: Sequence[str]) -> str:
    """SQL over `daily_costs` that gives `cost_features`, with a series for each value of these tag keys."""
    cuts = ["SELECT NULL::VARCHAR AS tag_key, NULL::VARCHAR AS tag_value, * FROM daily_costs WHERE false"]
    cuts += [
        f"SELECT {literal(key)} AS tag_key, {quote(tag_column(key))} AS tag_value, * FROM daily_costs"
        for key in tag_keys
    ]
    return f"WITH tagged AS ({' UNION ALL '.join(cuts)}) SELECT * FROM ({load_sql('cost_features')})"
