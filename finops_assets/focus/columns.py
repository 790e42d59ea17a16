"""The columns of FOCUS 1.4's four datasets, as data.

Source: the FOCUS 1.4 data model (FinOps Foundation, ratified 2026-06-04), kept in `columns.csv` and
`service_subcategories.csv` beside this file.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from finops_assets.schema import MONEY, QUANTITY

COST_AND_USAGE = "CostAndUsage"
FREE_FORMATS = frozenset(
    {"", "free text", "Currency", "Date/Time", "Unit", "Key-Value", "JSON Object", "Expected Format"}
)


@dataclass(frozen=True)
class FocusColumn:
    """One column of one dataset: what the specification says of it.

    `type` is FOCUS's (String, Decimal, Date/Time, JSON), `level` Mandatory, Conditional or
    Recommended, `since` the version that introduced it, `format` its value format or ''.
    """

    dataset: str
    name: str
    type: str
    level: str
    nullable: bool
    since: str
    category: str
    format: str
    condition: str

    @property
    def allowed_values(self) -> tuple[str, ...]:
        """The closed list of values, or () where any value of the type will do."""
        if self.type != "String" or self.format in FREE_FORMATS:
            return ()
        if self.name == "ServiceSubcategory":
            return tuple(service_subcategories())
        return tuple(self.format.split(" / "))

    @property
    def sql_type(self) -> str:
        """The DuckDB type the lake keeps it in."""
        if self.type == "Decimal":
            return QUANTITY if self.name.endswith("Quantity") else MONEY
        return "TIMESTAMPTZ" if self.type == "Date/Time" else "VARCHAR"


@cache
def columns(dataset: str = COST_AND_USAGE) -> tuple[FocusColumn, ...]:
    """All columns of a dataset in the specification's order; raises KeyError for an unknown dataset."""
    found = tuple(
        FocusColumn(
            dataset=row["dataset"],
            name=row["column"],
            type=row["type"],
            level=row["level"],
            nullable=row["nullable"] == "true",
            since=row["since"],
            category=row["category"],
            format=row["values"],
            condition=row["condition"],
        )
        for row in _rows("columns.csv")
        if row["dataset"] == dataset
    )
    if not found:
        raise KeyError(f"no FOCUS 1.4 dataset is called {dataset!r}")
    return found


@cache
def service_subcategories() -> dict[str, str]:
    """ServiceSubcategory → the one ServiceCategory it belongs to."""
    return {row["ServiceSubcategory"]: row["ServiceCategory"] for row in _rows("service_subcategories.csv")}


def _rows(name: str) -> list[dict[str, str]]:
    text = files("finops_assets.focus").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
