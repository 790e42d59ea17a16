"""The controls that pages share. Every one is bound to the address, so that each view is a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, cast

import streamlit as st

from finops_assets.queries.costs import (
    CostQuery,
    DateRange,
    Dimension,
    Filter,
    Metric,
    costs,
    date_range,
    totals,
)
from finops_assets.queries.costs import dimensions as all_dimensions
from streamlit_app import data
from streamlit_app.format import COST_HELP, COST_LABELS, day, days, label, value_of

PERIODS = ("This month", "Last month", "3 months", "6 months", "12 months", "All", "Custom")
DEFAULT_PERIOD = "3 months"

_GRANULARITIES = ("Day", "Week", "Month")

AS_OF = "as_of"
"""The address parameter of the day whose knowledge is shown."""

METRICS: tuple[Metric, ...] = ("EffectiveCost", "BilledCost", "ListCost", "ContractedCost")


@dataclass(frozen=True)
class Period:
    """Days from `start` up to, not including, `end`."""

    start: date
    end: date

    @property
    def text(self) -> str:
        """The range for people, both ends included."""
        return days(self.start, self.end - timedelta(days=1))

    @property
    def length(self) -> int:
        """How many days."""
        return (self.end - self.start).days

    def before(self) -> Period:
        """The period to compare with: as many days, so many months earlier when it begins with one.

        Whole months are compared with whole months, a running month with the same days of the one before.
        """
        if self.start.day != 1:
            return Period(self.start - timedelta(days=self.length), self.start)
        last = self.end - timedelta(days=1)
        months = (last.year - self.start.year) * 12 + last.month - self.start.month + 1
        start = add_months(self.start, -months)
        if self.end.day == 1:
            return Period(start, self.start)
        return Period(start, min(start + timedelta(days=self.length), self.start))


def add_months(first: date, months: int) -> date:
    """The first day of the month that lies so many months from `first`'s."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def month_of(day: date) -> Period:
    """The calendar month of a day."""
    first = day.replace(day=1)
    return Period(first, add_months(first, 1))


def named_period(name: str, known: DateRange) -> Period:
    """A named period, counted back from the newest day of the data, and never past it."""
    this = month_of(known.last)
    end = known.last + timedelta(days=1)
    if name == "This month":
        return Period(this.start, end)
    if name == "Last month":
        return month_of(this.start - timedelta(days=1))
    if name == "All":
        return Period(known.first, end)
    months = int(name.split(maxsplit=1)[0])
    return Period(add_months(this.start, 1 - months), end)


def day_of_knowledge() -> date | None:
    """In the sidebar, for all pages: show what was known at the end of a past day. None shows what is now.

    An address with a day that is not kept is told so. Raises NotPublishedError.
    """
    oldest, newest = data.oldest_day(), datetime.now(UTC).date() - timedelta(days=1)
    asked = st.query_params.get(AS_OF)
    chosen: date | None = None
    if oldest <= newest:
        chosen = st.date_input(
            "As known on",
            value=None,
            min_value=oldest,
            max_value=newest,
            key=AS_OF,
            bind="query-params",
            help="Every figure as it was published at the end of that day (UTC), before what was restated "
            f"since. Kept since {day(oldest)}.",
        )
    if asked and chosen is None and not _is_now(asked, newest):
        st.warning(
            f"{asked} cannot be shown: days are kept since {day(oldest)}. Shown is what is known now.",
            icon=":material/history:",
        )
    return chosen


def knowledge_note(shown: date) -> None:
    """Above every page that shows what was known on a past day: which day, and the way back."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(f"As known on {day(shown)}", icon=":material/history:", color="orange")
        st.button("Back to today", key="back_to_today", type="tertiary", on_click=_back_to_today)


def _back_to_today() -> None:
    st.session_state[AS_OF] = None


def _is_now(asked: str, newest: date) -> bool:
    try:
        return date.fromisoformat(asked) > newest
    except ValueError:
        return False


def known_days() -> DateRange | None:
    """The first and last day that any bill has; None when there are no costs."""
    return data.ask(date_range)


def covered_days() -> DateRange:
    """The same, on a page that app.py shows only when there are costs. Raises LookupError without any."""
    known = known_days()
    if known is None:
        raise LookupError("the published snapshot holds no costs")
    return known


def currencies(known: DateRange) -> list[str]:
    """All currencies that bills are in: the reporting currency first, then by cost."""
    table = data.ask(totals, CostQuery(known.first, known.last + timedelta(days=1)))
    found = sorted(
        zip(table["BillingCurrency"].to_pylist(), table["EffectiveCost"].to_pylist(), strict=True),
        key=lambda row: (row[0] != data.settings().reporting_currency, -(row[1] or 0)),
    )
    return [cast("str", currency) for currency, _ in found]


def money_choice(known: DateRange) -> None:
    """In the sidebar, for all pages: which currency, and which of the four costs."""
    offered = currencies(known)
    if len(offered) > 1:
        st.segmented_control(
            "Currency",
            offered,
            default=offered[0],
            required=True,
            key="currency",
            bind="query-params",
            help="Amounts of different currencies are never added up.",
        )
    st.selectbox(
        "Cost",
        METRICS,
        format_func=lambda m: COST_LABELS[m],
        key="metric",
        bind="query-params",
        help="  \n".join(f"**{COST_LABELS[m]}**: {COST_HELP[m]}" for m in METRICS),
    )


def currency(known: DateRange) -> str:
    """The chosen currency."""
    offered = currencies(known)
    chosen = st.session_state.get("currency")
    return cast("str", chosen) if chosen in offered else offered[0]


def metric() -> Metric:
    """The chosen cost."""
    chosen = st.session_state.get("metric")
    return chosen if chosen in METRICS else "EffectiveCost"


def period(known: DateRange) -> Period:
    """The chosen period, from a row of names or from a calendar."""
    name = st.segmented_control(
        "Period", PERIODS, default=DEFAULT_PERIOD, required=True, key="period", bind="query-params"
    )
    if name != "Custom":
        return named_period(name or DEFAULT_PERIOD, known)
    default = named_period(DEFAULT_PERIOD, known)
    chosen = st.date_input(
        "From and to",
        value=(default.start, known.last),
        min_value=known.first,
        max_value=known.last,
        key="days",
        bind="query-params",
        width=260,
    )
    ends = cast("tuple[date, ...]", chosen)
    if len(ends) < 2:
        st.caption("Choose the last day too.")
        return default
    return Period(ends[0], ends[1] + timedelta(days=1))


def granularity(chosen: Period) -> Literal["day", "week", "month"]:
    """Day, week or month; by itself what gives a readable number of bars."""
    natural = "Day" if chosen.length <= 100 else "Month"
    name = st.segmented_control(
        "Granularity", ("Auto", *_GRANULARITIES), default="Auto", required=True, key="by", bind="query-params"
    )
    picked = natural if name in {None, "Auto"} else name
    return cast('Literal["day", "week", "month"]', str(picked).lower())


def dimension_names() -> dict[str, Dimension]:
    """The dimensions that can be asked for, by column."""
    return data.ask(all_dimensions)


def filters(
    chosen: Period, *, labels: Mapping[str, str], key: str, within: tuple[Filter, ...] = ()
) -> tuple[Filter, ...]:
    """Filters over the dimensions in `labels` (column → name): choose what to filter by, then its values.

    Offered are the values that the period has, the most expensive first; null is offered as (none).
    """
    columns = {name: column for column, name in labels.items()}
    picked = st.multiselect(
        "Filter by",
        list(columns),
        key=f"{key}filter",
        bind="query-params",
        placeholder="All costs; add a filter …",
    )
    found: list[Filter] = []
    for name in picked:
        column = columns[name]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            values = st.multiselect(
                name,
                value_labels(column, chosen, within),
                key=f"{key}{column}",
                bind="query-params",
                placeholder="Any",
            )
            without = st.toggle("Leave out", key=f"{key}not_{column}", bind="query-params")
        if values:
            found.append(Filter(column, tuple(value_of(v) for v in values), exclude=without))
    return tuple(found)


def value_labels(column: str, chosen: Period, within: tuple[Filter, ...] = ()) -> list[str]:
    """The values of a dimension in a period, the most expensive first."""
    table = data.ask(costs, CostQuery(chosen.start, chosen.end, group_by=(column,), filters=within))
    return list(dict.fromkeys(label(value) for value in table[column].to_pylist()))
