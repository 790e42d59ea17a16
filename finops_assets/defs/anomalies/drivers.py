"""What events are made of, put together: the split by dimension, the effects, and the place of the cause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from finops_assets.anomalies.causes import find_causes
from finops_assets.engine.base import Engine, Input
from finops_assets.marts.anomalies import ANOMALY_DRIVERS
from finops_assets.marts.anomaly_drivers import (
    cause_dimensions,
    cause_leaves_sql,
    causes_sql,
    daily_dimensions,
    effects_sql,
    splits_sql,
)
from finops_assets.marts.sql import load_sql

LEAVES = 2000
"""An event's largest leaves, among which its cause is looked for; its figures are of all of them."""


def drivers_of(
    engine: Engine, events: Input, daily: Input, costs: Input, tag_keys: Sequence[str]
) -> pa.Table:
    """The rows of `anomaly_drivers` for these events (cost_anomalies), of `daily_costs` and `costs`."""
    base: dict[str, Input] = {"anomalies": events, "daily_costs": daily}
    days = engine.fetch(load_sql("anomaly_days"), base)
    if not days.num_rows:
        return ANOMALY_DRIVERS.arrow_schema().empty_table()
    # As parameters, so that files and row groups of other days are not read.
    span = (pc.min(days["day"]).as_py(), pc.max(days["day"]).as_py() + timedelta(days=1))
    of_day: dict[str, Input] = {**base, "anomaly_days": days}
    of_row: dict[str, Input] = {"anomalies": events, "anomaly_days": days, "costs": costs}
    parts = [
        engine.fetch(splits_sql("daily_costs", daily_dimensions(tag_keys), tag_keys), of_day, span),
        engine.fetch(splits_sql("costs", ("ResourceId",), tag_keys), of_row, span),
        engine.fetch(effects_sql(tag_keys), of_row, span),
    ]
    dimensions = cause_dimensions(tag_keys)
    causes = _causes(engine.fetch(cause_leaves_sql(dimensions, tag_keys, LEAVES), of_day, span), dimensions)
    if causes.num_rows:
        parts.append(engine.fetch(causes_sql(dimensions, tag_keys), {**of_day, "causes": causes}, span))
    schema = ANOMALY_DRIVERS.arrow_schema()
    return pa.concat_tables([part.select(schema.names).cast(schema) for part in parts])


def cause_name(place: dict[str, str]) -> str:
    """What a place is called: 'ServiceName=S3; RegionId=eu-west-1', or '(everywhere)'."""
    return "; ".join(f"{d}={v}" for d, v in place.items()) or "(everywhere)"


def _causes(leaves: pa.Table, dimensions: Sequence[str]) -> pa.Table:
    """The causes of every event: anomaly_id, place, value and the dimensions, null where it takes any."""
    # In an order of their own, so that of two equally good causes it is always the same one.
    leaves = leaves.sort_by([(name, "ascending") for name in ("anomaly_id", *dimensions)])
    rows = []
    start = 0
    for run in (
        pc.run_end_encode(leaves["anomaly_id"].combine_chunks()).run_ends.to_pylist() if len(leaves) else ()
    ):
        mine = leaves.slice(start, run - start)
        start = run
        for number, cause in enumerate(find_causes(mine, dimensions), start=1):
            rows.append(
                {
                    "anomaly_id": mine["anomaly_id"][0].as_py(),
                    "place": number,
                    "value": cause_name(cause.place),
                    **cause.place,
                }
            )
    text = [pa.field(name, pa.string()) for name in ("anomaly_id", "value", *dimensions)]
    return pa.Table.from_pylist(rows, schema=pa.schema([*text, pa.field("place", pa.int32())]))
