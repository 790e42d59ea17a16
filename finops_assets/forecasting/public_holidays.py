"""Public holidays of a country, as days that models may know of in advance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import holidays
import numpy as np

from finops_assets.forecasting.history import BoolArray, DayArray


@dataclass(frozen=True)
class Holidays:
    """A country by its ISO 3166-1 code, or one of its parts by its ISO 3166-2 code: 'US', 'US-CA'.

    Which there are, and their days, is the package `holidays`' to say. Raises ValueError for others.
    """

    code: str

    def __post_init__(self) -> None:
        known = holidays.list_supported_countries()
        country, _, part = self.code.partition("-")
        if country not in known:
            raise ValueError(f"expected a country such as 'US' or a part of one such as 'US-CA'; known are "
                             f"{', '.join(sorted(known))}; found {self.code!r}")  # fmt: skip
        if part and part not in known[country]:
            raise ValueError(
                f"expected a part of {country} ({', '.join(known[country]) or 'it has none'}), found {part!r}"
            )

    def among(self, days: DayArray) -> BoolArray:
        """Which of the days are holidays."""
        if len(days) == 0:
            return np.zeros(0, dtype=np.bool_)
        first, last = (int(str(day)[:4]) for day in (days.min(), days.max()))
        known = [_of_year(self.code, year) for year in range(first, last + 1)]
        return np.isin(days, np.concatenate(known))


@cache
def _of_year(code: str, year: int) -> DayArray:
    country, _, part = code.partition("-")
    found = holidays.country_holidays(country, subdiv=part or None, years=year)
    return np.array(sorted(found), dtype="datetime64[D]")
