"""What each invoice comes to."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from finops_api.deps import NOT_MODIFIED, CurrentReading
from finops_api.errors import InvalidParameterProblem, NotPublishedProblem, problems
from finops_api.provenance import rows_url_of
from finops_api.v1.invoices.schemas import InvoicesAnswer, InvoicesQuery
from finops_api.wire import plain
from finops_assets.queries import invoices

router = APIRouter(
    prefix="/invoices",
    tags=["invoices"],
    responses={**problems(InvalidParameterProblem, NotPublishedProblem), **NOT_MODIFIED},
)

_NAMES = {
    "x_Source": "source",
    "x_BillingMonth": "month",
    "InvoiceId": "invoice",
    "InvoiceIssuerName": "issuer",
    "BillingAccountId": "billing_account",
    "BillingCurrency": "currency",
    "BilledCost": "billed_cost",
    "x_RowCount": "rows",
}
"""The lake's names in the words of this API."""


@router.get("", response_model=InvoicesAnswer, summary="Invoices, added up and held against the bill")
def get_invoices(asked: Annotated[InvoicesQuery, Query()], reading: CurrentReading) -> Response:
    """A row a source, month, invoice and currency: what its rows cost, here and as they were delivered.

    Beside them the amounts that the configuration or the provider's own invoices give, with the residual
    of each and its likely cause.
    """
    found = invoices.invoices(reading.warehouse, asked.source, asked.month).to_pylist()
    totals = invoices.control_totals(reading.warehouse, asked.source, asked.month).to_pylist()
    return reading.answer(
        {
            "invoices": [
                {
                    **_renamed(row),
                    "rows_url": rows_url_of(row, invoices.OF_INVOICE, "BilledCost", as_of=reading.as_of),
                }
                for row in found
            ],
            "control_totals": [_renamed(row) for row in totals],
        }
    )


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    return {_NAMES.get(k, k): v for k, v in plain(row).items()}
