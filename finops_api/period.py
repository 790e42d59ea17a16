"""The days a question is about. In the API both ends are included; in queries the end is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pydantic import Field

from finops_api.deps import Query
from finops_api.errors import invalid
from finops_assets.queries.access import Reader
from finops_assets.queries.costs import date_range


class PeriodQuery(Query):
    """The two parameters of a period."""

    start_date: date | None = Field(
        default=None,
        description="First day. By default the first of the month of end_date.",
        examples=["2026-01-01"],
    )
    end_date: date | None = Field(
        default=None,
        description="Last day, included. By default the newest day that any bill has.",
        examples=["2026-01-31"],
    )


@dataclass(frozen=True)
class Period:
    """From `first` to `last`, both included."""

    first: date
    last: date

    @property
    def end(self) -> date:
        """The day after the last, as queries want it."""
        return self.last + timedelta(days=1)


def period(warehouse: Reader, asked: PeriodQuery) -> Period:
    """The days asked for; with no costs at all and no dates, the current month.

    Raises a 422 problem when the period ends before it begins.
    """
    last = asked.end_date
    if last is None:
        known = date_range(warehouse)
        newest = known.last if known is not None else date.today()  # noqa: DTZ011 - only names a month
        last = max(newest, asked.start_date) if asked.start_date is not None else newest
    first = asked.start_date or last.replace(day=1)
    if first > last:
        raise invalid(
            "end_date", last.isoformat(), f"{last} is before start_date {first}; both days are included."
        )
    if last == date.max:
        raise invalid("end_date", last.isoformat(), "this day is too far in the future.")
    return Period(first, last)
