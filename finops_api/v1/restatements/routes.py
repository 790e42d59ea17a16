"""What later deliveries of a month changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Query, Response

from finops_api.deps import NOT_MODIFIED, CurrentReading
from finops_api.errors import InvalidParameterProblem, NotPublishedProblem, problems
from finops_api.provenance import rows_url_of
from finops_api.v1.restatements.schemas import (
    CurrencyChange,
    RestatementsAnswer,
    RestatementsQuery,
    ServiceChange,
)
from finops_api.wire import plain
from finops_assets.queries import restatements

router = APIRouter(
    prefix="/restatements",
    tags=["restatements"],
    responses={**problems(InvalidParameterProblem, NotPublishedProblem), **NOT_MODIFIED},
)

Row: TypeAlias = dict[str, Any]

_NAMES = {
    "ServiceProviderName": "provider",
    "ServiceName": "service",
    "SubAccountId": "account_id",
    "SubAccountName": "account_name",
    "BillingCurrency": "currency",
}


@router.get("", response_model=RestatementsAnswer, summary="What later deliveries of a month changed")
def get_restatements(asked: Annotated[RestatementsQuery, Query()], reading: CurrentReading) -> Response:
    """Each delivery that took the place of an earlier one: what it changed, by service and account.

    A change of a closed month that no rows of ChargeClass `Correction` account for is marked `uncorrected`:
    the provider changed what it had finalized.
    """
    changes: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for row in restatements.changes(reading.warehouse, asked.source, asked.month).to_pylist():
        changes[_key(row)].append(
            {**row, "rows_url": rows_url_of(row, restatements.PLACE, "BilledCost", as_of=reading.as_of)}
        )
    found = restatements.restatements(reading.warehouse, asked.source, asked.month).to_pylist()
    return reading.answer(
        {
            "restatements": [
                _restatement(list(totals), changes[key]) for key, totals in groupby(found, key=_key)
            ]
        }
    )


def _key(row: Row) -> tuple[str, str, int]:
    return row["x_Source"], row["x_BillingMonth"], row["state"]


def _restatement(totals: Sequence[Row], changes: Sequence[Row]) -> Row:
    first = plain(totals[0])
    return {
        "source": first["x_Source"],
        "month": first["x_BillingMonth"],
        **{side: _delivered(first, side) for side in ("before", "after")},
        "was_closed": first["was_closed"],
        "totals": [_named(row, CurrencyChange.model_fields) for row in totals],
        "changes": [_named(row, ServiceChange.model_fields) for row in changes],
    }


def _delivered(row: Row, side: str) -> Row:
    return {
        "bills": json.loads(row[f"bills_{side}"]),
        "exported_at": row[f"exported_{side}"],
        "ingested_at": row[f"ingested_{side}"],
    }


def _named(row: Row, wanted: Iterable[str]) -> Row:
    """The row's values that an answer has, in the words of this API."""
    named = {_NAMES.get(k, k): v for k, v in plain(row).items()}
    return {name: named[name] for name in wanted}
