"""Opaque cursors and Link headers (RFC 8288)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import astuple
from decimal import Decimal, InvalidOperation

from starlette.datastructures import URL

from finops_api.errors import invalid
from finops_assets.queries.rows import RowCursor, RowQuery


def encode(cursor: RowCursor, query: RowQuery) -> str:
    """A cursor as an opaque text that only continues the same question."""
    cost, *rest = astuple(cursor)
    text = json.dumps([_fingerprint(query), str(cost), *rest], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(text: str, query: RowQuery) -> RowCursor:
    """The cursor again. Raises a 422 problem when it is no cursor, or one of another question."""
    try:
        padded = text + "=" * (-len(text) % 4)
        mark, cost, source, month, bill, file, number, given = json.loads(
            base64.b64decode(padded, altchars=b"-_", validate=True)
        )
        cursor = RowCursor(
            Decimal(cost), str(source), str(month), str(bill), str(file), int(number), int(given)
        )
        _check(cursor)
    except (ValueError, TypeError, InvalidOperation):
        raise invalid("cursor", text, "this is no cursor; take it from the Link header or `next`.") from None
    if mark != _fingerprint(query):
        raise invalid(
            "cursor", text, "this cursor belongs to other parameters; only `limit` may change between pages."
        )
    return cursor


def _check(cursor: RowCursor) -> None:
    """Raise ValueError for numbers that no row has."""
    fits = cursor.cost.is_finite() and abs(cursor.cost) < Decimal(10) ** 20
    if not fits or not 0 <= cursor.row_number < 2**62 or not 0 <= cursor.given < 2**31:
        raise ValueError("out of range")


def link(url: URL, cursor: str | None, **fixed: str) -> str:
    """The Link header: the first page, and the next if there is one, with `fixed` parameters spelled out."""
    first = url.remove_query_params("cursor").include_query_params(**fixed)
    links = [f'<{_relative(first)}>; rel="first"']
    if cursor is not None:
        links.append(f'<{_relative(first.include_query_params(cursor=cursor))}>; rel="next"')
    return ", ".join(links)


def _relative(url: URL) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path


def _fingerprint(q: RowQuery) -> str:
    question = [str(q.start), str(q.end), [astuple(f) for f in q.filters], q.metric, q.currency]
    return hashlib.sha256(json.dumps(question).encode()).hexdigest()[:12]
