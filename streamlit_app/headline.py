"""The cards at the top of the overview: what the month has cost, what it will, and what is unusual."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import streamlit as st

from finops_assets.queries import anomalies
from finops_assets.queries.costs import Metric
from streamlit_app import breakdown, charts, data
from streamlit_app.filters import Period, add_months
from streamlit_app.format import change, compact, growth, markdown, money, month, signed_percent
from streamlit_app.links import Figure
from streamlit_app.outlook import Band, days_ahead, outlook
from streamlit_app.series import SEVERITIES, SEVERITY_COLORS

TREND_MONTHS = 12


def cards(this: Period, metric: Metric, currency: str) -> None:
    """Four cards about the running month in one currency. `this` ends after its newest day."""
    before = this.before()
    now = Figure(this.start, this.end, metric, currency)
    so_far, _ = breakdown.total(now)
    earlier, _ = breakdown.total(Figure(before.start, before.end, metric, currency))
    last_month, _ = breakdown.total(Figure(before.start, this.start, metric, currency))
    following = add_months(this.start, 1)
    expected = outlook(metric, currency, this.start)
    months = breakdown.query(
        Figure(add_months(this.start, -TREND_MONTHS), this.start, metric, currency), steps="month"
    )
    past = charts.trend(months, metric) if months.num_rows else []
    ahead = days_ahead(metric, currency, following, add_months(following, 1))
    with st.grid(4, min_column_width=160):
        st.metric(
            "This month so far",
            compact(so_far, currency),
            signed_percent(growth(earlier, so_far)) if earlier else None,
            delta_color="inverse",
            delta_description=f"vs. {markdown(before.text)}" if earlier else None,
            help=f"{markdown(money(so_far, currency))} from {this.text}; "
            f"{markdown(money(earlier, currency))} in the same days of the month before.",
            border=True,
            height="stretch",
            chart_data=charts.trend(breakdown.query(now, steps="day"), metric),
            chart_type="area",
        )
        band = expected.this_month
        trend = [*past, float(band.mean)] if band else []
        _outlook("Expected by month's end", band, last_month, before.start, currency, trend)
        _outlook(
            f"Forecast for {month(following)}",
            expected.next_month,
            band.mean if band else None,
            this.start,
            currency,
            charts.trend(ahead, "mean") if ahead.num_rows else [],
        )
        _anomalies(this, metric, currency, "Open anomalies", chart=True)


def other_currency(this: Period, metric: Metric, currency: str) -> None:
    """The same month in another currency, beside the chosen one and never added to it."""
    before = this.before()
    following = add_months(this.start, 1)
    so_far, _ = breakdown.total(Figure(this.start, this.end, metric, currency))
    earlier, _ = breakdown.total(Figure(before.start, before.end, metric, currency))
    last_month, _ = breakdown.total(Figure(before.start, this.start, metric, currency))
    expected = outlook(metric, currency, this.start)
    band = expected.this_month
    with st.grid(4, min_column_width=160):
        st.metric(
            f"{currency} this month so far",
            compact(so_far, currency),
            signed_percent(growth(earlier, so_far)) if earlier else None,
            delta_color="inverse",
            delta_description=f"vs. {markdown(before.text)}" if earlier else None,
            border=True,
            height="stretch",
        )
        _outlook(f"{currency} by month's end", band, last_month, before.start, currency, [])
        mean = band.mean if band else None
        _outlook(f"{currency} in {month(following)}", expected.next_month, mean, this.start, currency, [])
        _anomalies(this, metric, currency, f"{currency} open anomalies", chart=False)


def _outlook(
    title: str, band: Band | None, reference: Decimal | None, of: date, currency: str, trend: list[float]
) -> None:
    if band is None:
        st.metric(
            title, "–", "no forecast yet", delta_color="off", delta_arrow="off", border=True, height="stretch"
        )
        return
    share = growth(reference, band.mean) if reference else None
    bounds = f"{compact(band.lo, currency)} – {compact(band.hi, currency)}"
    st.metric(
        title,
        compact(band.mean, currency),
        signed_percent(share) if share is not None else None,
        delta_color="inverse",
        delta_description=bounds,
        help=f"Expected: {markdown(money(band.mean, currency))}, and four times out of five within "
        f"{markdown(bounds)}. The change is against {month(of)}.",
        border=True,
        height="stretch",
        chart_data=trend or None,
        chart_type="area",
    )


def _anomalies(this: Period, metric: Metric, currency: str, title: str, *, chart: bool) -> None:
    """Events of services only: the same money shows again at the levels above."""
    found = data.ask(anomalies.anomalies, level="service", metric=metric, currency=currency).to_pylist()
    still = [row for row in found if row["status"] == "open"]
    worst = next((s for s in SEVERITIES if any(row["severity"] == s for row in still)), None)
    by_month = Counter(row["first_day"].replace(day=1) for row in found)
    months = [add_months(this.start, -back) for back in reversed(range(TREND_MONTHS))]
    impact = sum((row["impact"] for row in still), Decimal(0))
    st.metric(
        title,
        f"{len(still):,}",
        f"worst: {worst}" if worst else "nothing unusual now",
        delta_color=SEVERITY_COLORS[worst] if worst else "green",
        delta_arrow="off",
        delta_description=f"{change(impact, currency)} so far" if worst else None,
        help="Events of services that still go on at the newest day."
        + (" The bars count the events of each month." if chart else ""),
        border=True,
        height="stretch",
        chart_data=[float(by_month[m]) for m in months] if chart else None,
        chart_type="bar",
    )
