"""The tables of anomalies: events, and what they are made of."""

from __future__ import annotations

from finops_assets.schema import MONEY, Column, Table
from finops_assets.series import SERIES

COST_ANOMALIES = Table(
    name="cost_anomalies",
    description="One event: a series that left what was expected of it, from its first to its last day.",
    columns=(
        Column("anomaly_id", "VARCHAR", "Stable: made of series and first day."),
        *SERIES,
        Column("first_day", "DATE"),
        Column("last_day", "DATE"),
        Column("raised_on", "DATE", "The day whose cost made it an event."),
        Column(
            "kind",
            "VARCHAR",
            "spike, drop, level_shift, drift, new_service, new_region, new_account or missing_bill.",
        ),
        Column("expected", MONEY, "What the event's days would have cost."),
        Column("actual", MONEY, "What they cost."),
        Column("impact", MONEY, "actual - expected."),
        Column("score", "DOUBLE", "0 to 1; events are raised from one half on."),
        Column("p_value", "DOUBLE", "The share of ordinary days that look as odd; 0 for what needs no odds."),
        Column("severity", "VARCHAR", "low, medium, high or critical."),
        Column("reason", "VARCHAR", "Why it was raised, one sentence with the figures."),
        Column("story_id", "VARCHAR", "The anomaly_id of the event that tells best what all levels show."),
        Column("status", "VARCHAR", "open or ended."),
        Column("first_seen", "TIMESTAMPTZ", "When a run first raised it."),
        Column(
            "data_at",
            "TIMESTAMPTZ",
            "When the first deliveries that reach raised_on had come, of all sources that bill the series; "
            "null where none has, as with a missing bill.",
        ),
    ),
    order_by=("first_day", "series_id"),
)

ANOMALY_DRIVERS = Table(
    name="anomaly_drivers",
    description="What an event is made of: for each dimension, the contributions sum exactly to its impact.",
    columns=(
        Column("anomaly_id", "VARCHAR"),
        Column(
            "dimension",
            "VARCHAR",
            "'cause', 'effect', or a column such as ServiceName, ResourceId or a tag's.",
        ),
        Column(
            "value",
            "VARCHAR",
            "The dimension's value; '(other)' for the small rest, '(elsewhere)' for what is at no cause, "
            "'(unexplained)' for what has no value.",
        ),
        Column("expected", MONEY, "Null of an effect, which is of no rows."),
        Column("actual", MONEY, "Null of an effect."),
        Column("contribution", MONEY, "actual - expected."),
        Column("rank", "INTEGER", "1 is the largest by absolute contribution."),
    ),
    order_by=("anomaly_id", "dimension", "rank"),
)

ANOMALY_FEEDBACK = Table(
    name="anomaly_feedback",
    description="What people said of an event, as it then was; of several words the newest counts.",
    columns=(
        Column("feedback_id", "VARCHAR"),
        Column("anomaly_id", "VARCHAR", "The event; see cost_anomalies."),
        Column("series_id", "VARCHAR", "The event's series, which names its currency."),
        Column("kind", "VARCHAR", "The event's kind."),
        Column("first_day", "DATE"),
        Column("last_day", "DATE"),
        Column("impact", MONEY, "The event's impact, in the currency of its series."),
        Column("verdict", "VARCHAR", "expected, planned, real or resolved."),
        Column("note", "VARCHAR", "Why, in words; may be empty."),
        Column("author", "VARCHAR", "Who said so; empty where nobody signed."),
        Column("said_at", "TIMESTAMPTZ"),
    ),
    order_by=("said_at", "feedback_id"),
)
