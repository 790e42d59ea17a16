"""Overview: this month against last, the outlook, what moved, what stands out, and whether to trust it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from finops_assets.queries import anomalies, bills
from finops_assets.queries.costs import CostQuery, DateRange, Filter, Metric, costs
from finops_assets.queries.movers import movers
from finops_assets.queries.providers import PROVIDERS
from streamlit_app import breakdown, charts, data, filters, freshness, tables
from streamlit_app.filters import Period, add_months
from streamlit_app.format import (
    COST_LABELS,
    change,
    count,
    day,
    days,
    label,
    markdown,
    month,
)
from streamlit_app.headline import cards, other_currency
from streamlit_app.links import Figure
from streamlit_app.outlook import days_ahead, expected_by_provider
from streamlit_app.series import SEVERITY_COLORS, series_name

MONTHS = 13
TOP_MOVERS = 8
ARRIVING = timedelta(days=4)
TOP_EVENTS = 6

MOVER_DIMENSIONS = ("ServiceName", "SubAccountName", "ServiceProviderName", "RegionName")


def page() -> None:
    """The cards, the months, the movers and the events, then the sources."""
    known = filters.covered_days()
    currency, metric = filters.currency(known), filters.metric()
    newest = newest_day(known)
    this = Period(newest.replace(day=1), newest + timedelta(days=1))
    st.title("Overview")
    st.caption(
        f"{markdown(month(this.start))} up to {day(newest)}, the newest day with usage. "
        f"{COST_LABELS[metric]} in {currency}."
    )
    _trust()
    cards(this, metric, currency)
    others = [c for c in filters.currencies(known) if c != currency]
    for other in others:
        other_currency(this, metric, other)
    for shown in (currency, *others):
        suffix = f", {shown}" if others else ""
        left, right = st.columns([3, 2])
        with left, st.container(border=True, height="stretch"):
            st.subheader(f"Months by provider{suffix}")
            _months(newest, metric, shown)
        with right, st.container(border=True, height="stretch"):
            st.subheader(f"This month, day by day{suffix}")
            _running(this, metric, shown)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch"):
        _movers(this, metric, currency, f", {currency}" if others else "")
    with right, st.container(border=True, height="stretch"):
        _events(metric)
    with st.container(border=True):
        _sources()


def newest_day(known: DateRange) -> date:
    """The newest day with usage: fees may be dated ahead, even into months to come."""
    newest: date = max(
        (d for d in data.ask(bills.freshness)["newest_day"].to_pylist() if d is not None), default=known.last
    )
    return min(newest, known.last)


def _trust() -> None:
    """One line under the title: do all bills add up, and is any missing."""
    checks = data.ask(bills.reconciliation)
    if not checks.num_rows:
        return
    failed = checks.filter(pc.invert(checks["passed"]))
    held = data.ask(bills.bills)
    refused = pc.sum(pc.equal(held["status"], "quarantined")).as_py() or 0
    with st.container(horizontal=True, vertical_alignment="center"):
        if failed.num_rows:
            which = sorted(
                {
                    f"{s} {m}"
                    for s, m in zip(
                        failed["x_Source"].to_pylist(), failed["x_BillingMonth"].to_pylist(), strict=True
                    )
                }
            )
            st.badge(
                "Does not reconcile: " + ", ".join(which[:4]) + (" …" if len(which) > 4 else ""),
                icon=":material/error:",
                color="red",
            )
        else:
            st.badge("Every bill reconciles to the last digit", icon=":material/verified:", color="green")
        if refused:
            st.badge(
                f"{count(refused, 'delivery', 'deliveries')} quarantined",
                icon=":material/block:",
                color="orange",
            )
        st.page_link("app_pages/bills.py", label="See the bills", icon=":material/receipt:")


def _months(last: date, metric: Metric, currency: str) -> None:
    first = add_months(last, 1 - MONTHS)
    figure = Figure(first, last + timedelta(days=1), metric, currency)
    table = breakdown.query(figure, ("ServiceProviderName",), "month")
    drawn = table.select(["period", "ServiceProviderName", metric])
    drawn = drawn.append_column("forecast", pa.array([False] * drawn.num_rows))
    rest = _still_expected(table, metric, currency, last.replace(day=1))
    drawn = pa.concat_tables([drawn, pa.Table.from_pylist(rest, schema=drawn.schema)])
    tables.chart(
        charts.months_by_provider(drawn, _providers(last), metric, currency),
        drawn,
        text=f"Cost by month and provider; the pale part of {month(last)} is forecast",
        name=f"months-by-provider-{currency}",
    )
    st.caption("Pale: what is still expected of this month.")


def _still_expected(table: pa.Table, metric: Metric, currency: str, month: date) -> list[dict[str, object]]:
    """What each provider's running month lacks of what is expected of it."""
    spent = {
        row["ServiceProviderName"]: row[metric] or Decimal(0)
        for row in table.to_pylist()
        if row["period"] == month
    }
    return [
        {"period": month, "ServiceProviderName": name, metric: amount - spent.get(name, 0), "forecast": True}
        for name, amount in expected_by_provider(metric, currency, month).items()
        if amount > spent.get(name, 0)
    ]


def _providers(last: date) -> list[str]:
    """Every provider of any currency: the three large ones first, then the others by name."""
    query = CostQuery(add_months(last, 1 - MONTHS), last + timedelta(days=1), ("ServiceProviderName",))
    found = {label(p) for p in data.ask(costs, query)["ServiceProviderName"].to_pylist()}
    large = [name for names in PROVIDERS.values() for name in names if name in found]
    return large + sorted(found.difference(large))


def _running(this: Period, metric: Metric, currency: str) -> None:
    """What the month has added up to, day by day, against the month before and what is expected."""
    before = Period(add_months(this.start, -1), this.start)
    then = breakdown.query(Figure(before.start, before.end, metric, currency), steps="day")
    newest = max(this.start, this.end - ARRIVING)
    ahead = days_ahead(metric, currency, newest, add_months(this.start, 1))
    # A day that is still arriving is drawn as expected, so that the line ends where the card says.
    end = min([this.end, *ahead["day"].to_pylist()])
    now = breakdown.query(Figure(this.start, end, metric, currency), steps="day")
    tables.chart(
        charts.running_totals(
            now, then, ahead, metric, currency, (f"{this.start:%b %Y}", f"{before.start:%b %Y}")
        ),
        pa.concat_tables([then, now]),
        name=f"days-{before.start:%Y-%m}-and-{this.start:%Y-%m}-{currency}",
        text=f"Running total of {month(this.start)}, what is expected of it, and of {month(before.start)}",
    )
    st.caption("Running totals by day of the month.")


def _movers(this: Period, metric: Metric, currency: str, suffix: str) -> None:
    names = filters.dimension_names()
    labels = {names[c].label: c for c in MOVER_DIMENSIONS if c in names}
    st.subheader(f"What moved{suffix}")
    picked = st.segmented_control(
        "By", list(labels), default=next(iter(labels)), required=True, key="movers", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    column = labels[picked or next(iter(labels))]
    before = this.before()
    table = data.ask(
        movers,
        (before.start, before.end),
        (this.start, this.end),
        column,
        metric,
        (Filter("BillingCurrency", (currency,)),),
    )
    table = table.filter(
        pc.and_(
            pc.equal(table["BillingCurrency"], currency), pc.not_equal(table["change"], pa.scalar(Decimal(0)))
        )
    )
    size = pc.abs(table["change"])
    table = table.append_column("size", size).sort_by([("size", "descending")]).slice(0, TOP_MOVERS)
    table = table.sort_by([("change", "descending")])
    if not table.num_rows:
        st.caption("Nothing changed against the same days of the month before.")
        return
    shown = pa.table(
        {
            "name": [label(v) for v in table["value"].to_pylist()],
            "before": table["before"],
            "after": table["after"],
            "change": table["change"],
        }
    )
    tables.chart(
        charts.movers(shown, currency),
        shown,
        text=f"The largest changes by {picked}",
    )
    st.caption(f"{this.text} against {days(before.start, before.end - timedelta(days=1))}.")


def _events(metric: Metric) -> None:
    st.subheader("Anomalies")
    found = data.ask(anomalies.anomalies, level="service", metric=metric)
    rows = sorted(
        found.to_pylist(),
        key=lambda r: (r["status"] != "open", -r["last_day"].toordinal(), -abs(r["impact"])),
    )[:TOP_EVENTS]
    if not rows:
        st.caption("No service has left what was expected of it.")
    for row in rows:
        color = SEVERITY_COLORS[row["severity"]]
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width="stretch"):
                st.markdown(f"**{markdown(series_name(row))}**")
                st.caption(
                    f"{days(row['first_day'], row['last_day'])} · "
                    + (f":{color}-badge[{row['severity']}]")
                    + (" :blue-badge[open]" if row["status"] == "open" else "")
                )
            st.markdown(f"**{markdown(change(row['impact'], row['BillingCurrency']))}**", width="content")
    st.page_link("app_pages/anomalies.py", label="All anomalies", icon=":material/arrow_forward:")


def _sources() -> None:
    st.subheader("Sources")
    freshness.show(data.ask(bills.freshness))
    st.page_link("app_pages/sources.py", label="Refresh a source", icon=":material/sync:")


page()
