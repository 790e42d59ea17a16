"""FOCUS's four datasets, whole, for a period of billing months."""

from __future__ import annotations

from finops_assets.focus.columns import COST_AND_USAGE
from finops_assets.marts.datasets import DATASETS
from finops_assets.schema import MONTH, SOURCE, literal, quote


class UnknownDatasetError(ValueError):
    """FOCUS 1.4 has no dataset of that name; the text names those it has."""


def export_sql(dataset: str, first: str, last: str) -> str:
    """SQL of every row of a dataset from the billing month `first` to `last`, both included, in order.

    Raises UnknownDatasetError.
    """
    if dataset == COST_AND_USAGE:
        table, order = "costs", [SOURCE, MONTH, "x_File", "x_RowNumber"]
    elif dataset in DATASETS:
        table, order = DATASETS[dataset].name, [SOURCE, MONTH, *DATASETS[dataset].order_by]
    else:
        known = ", ".join((COST_AND_USAGE, *DATASETS))
        raise UnknownDatasetError(f"No dataset of FOCUS 1.4 is called {dataset!r}; there are {known}.")
    return (
        f"SELECT * FROM {quote(table)} WHERE {MONTH} BETWEEN {literal(first)} AND {literal(last)} "
        f"ORDER BY {', '.join(quote(c) for c in order)}"
    )
