"""What an anomaly is made of: why, in words, then what changed, then its split by any dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import anomalies as events
from finops_assets.queries.dimensions import Dimension, Filter
from streamlit_app import charts, data, filters, tables
from streamlit_app.format import change, exact, label, markdown
from streamlit_app.links import Figure, rows_link

TELLING = ("ServiceName", "SubAccountName", "SubAccountId", "RegionName", "RegionId", "SkuMeter")
"""The order in which dimensions explain an event best; the others follow by name."""

EFFECTS = {
    "quantity": ("Quantity", "more or less was used"),
    "mix": ("Mix", "the same usage moved to dearer or cheaper SKUs or regions"),
    "list price": ("List price", "the public price changed"),
    "discount": ("Discount", "another share of the list price was paid"),
    "commitment": ("Commitment", "commitments cover more or less, or lie unused"),
    "new": ("New", "SKUs that were not used before"),
    "vanished": ("Vanished", "SKUs that are not used any more"),
    events.UNEXPLAINED: ("Unexplained", "no quantities or prices, or not what the days before let expect"),
}
"""Effect → its name, and what it says."""

_LABELS = {"ResourceId": "Resource"}


def show(row: Mapping[str, Any], figure: Figure) -> None:
    """The drivers of an event; `figure` is what the event's own days add up."""
    found = data.ask(events.drivers, row["anomaly_id"])
    if not found.num_rows:
        st.caption("This event has not been split into its drivers.")
        return
    names = filters.dimension_names()
    causes, effects = (_of(found, dimension) for dimension in (events.CAUSE, events.EFFECT))
    if causes.num_rows:
        _why(causes, figure, names)
    if effects.num_rows:
        _what_changed(effects, row, figure.currency)
    given = set(found["dimension"].to_pylist()) - {events.CAUSE, events.EFFECT}
    dimensions = [d for d in TELLING if d in given] + sorted(given.difference(TELLING))
    if dimensions:
        _split(found, dimensions, row, figure, names)


def place_text(value: str, names: Mapping[str, Dimension]) -> str:
    """A cause in words: 'ServiceName=S3; RegionId=eu' is `Service S3, Region id eu`."""
    if value == events.ELSEWHERE:
        return "Elsewhere"
    place = events.cause_place(value)
    return ", ".join(f"{_label(c, names)} {v}" for c, v in place.items()) or "Everywhere alike"


def _of(found: pa.Table, dimension: str) -> pa.Table:
    return found.filter(pc.equal(found["dimension"], dimension)).sort_by("rank")


def _label(column: str, names: Mapping[str, Dimension]) -> str:
    return names[column].label if column in names else _LABELS.get(column, column)


def _why(causes: pa.Table, figure: Figure, names: Mapping[str, Dimension]) -> None:
    st.subheader("Why")
    rows = causes.to_pylist()
    for cause, more in zip(rows, data.ask(events.driver_filters, rows), strict=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            amount = markdown(change(cause["contribution"], figure.currency))
            text = markdown(place_text(cause["value"], names))
            named = cause["value"] != events.ELSEWHERE
            st.markdown(f"**{text}**: {amount}" if named else f"{text}: {amount}")
            _rows(more, figure)


def _what_changed(effects: pa.Table, row: Mapping[str, Any], currency: str) -> None:
    st.subheader("What changed")
    words = [EFFECTS.get(value, (value, "")) for value in effects["value"].to_pylist()]
    shown = pa.table(
        {
            "name": [name for name, _ in words],
            "meaning": [meaning for _, meaning in words],
            "change": effects["contribution"],
        }
    )
    tables.show(
        shown,
        {
            "name": st.column_config.TextColumn("Effect"),
            "change": tables.money_column("Contribution", currency, signed=True),
            "meaning": st.column_config.TextColumn("That is", width="large"),
        },
        alt="Effects: quantity, price, discount and commitment, the largest first",
    )
    _adds_up(effects, row, currency)


def _split(
    found: pa.Table,
    dimensions: Sequence[str],
    row: Mapping[str, Any],
    figure: Figure,
    names: Mapping[str, Dimension],
) -> None:
    st.subheader("What it is made of")
    labels = {_label(d, names): d for d in dimensions}
    picked = st.segmented_control(
        "Split by", list(labels), default=next(iter(labels)), required=True, key="split", bind="query-params"
    )
    part = _of(found, labels.get(picked or "", dimensions[0]))
    shown = pa.table(
        {
            "name": [label(v) for v in part["value"].to_pylist()],
            "before": part["expected"],
            "after": part["actual"],
            "change": part["contribution"],
        }
    )
    left, right = st.columns([2, 3])
    with left:
        tables.chart(
            charts.movers(shown.slice(0, 12), figure.currency),
            shown,
            text=f"Contributions to the impact by {picked}",
        )
    with right:
        tables.show(
            shown,
            {
                "name": st.column_config.TextColumn(str(picked), width="medium"),
                "before": tables.money_column("Expected", figure.currency),
                "after": tables.money_column("Actual", figure.currency),
                "change": tables.money_column("Contribution", figure.currency, signed=True),
            },
            alt="Contributions, the largest first",
        )
    rows = part.to_pylist()
    narrowed = data.ask(events.driver_filters, rows)
    opened = {label(r["value"]): more for r, more in zip(rows, narrowed, strict=True) if more is not None}
    if opened:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            value = st.selectbox("Rows of", list(opened), key=f"rows_of_{picked}")
            _rows(opened[value], figure)
    _adds_up(part, row, figure.currency)


def _rows(more: tuple[Filter, ...] | None, figure: Figure) -> None:
    if more is not None:
        rows_link(figure.narrowed(*more), "Bill rows")


def _adds_up(part: pa.Table, row: Mapping[str, Any], currency: str) -> None:
    total = sum((v for v in part["contribution"].to_pylist() if v is not None), Decimal(0))
    agrees = total == row["impact"]
    st.caption(
        f"The contributions add up to {markdown(exact(total, currency))}, "
        + (
            "exactly the impact."
            if agrees
            else f"but the impact is {markdown(exact(row['impact'], currency))}."
        )
    )
