"""A month's costs as Markdown, each figure with the address of its bill rows.

python docs/month_end_report.py http://127.0.0.1:8000 2026-01 > report.md

With a lock before the API, FINOPS_API_KEY holds the key. Amounts are the API's own decimal strings.
"""

from __future__ import annotations

import calendar
import os
import re
import sys
from decimal import Decimal
from typing import Any

import httpx


def report(api: httpx.Client, month: str) -> str:
    """The report. Ends with the API's own words for what it refuses."""
    year, number = int(month[:4]), int(month[5:])
    days = {"start_date": f"{month}-01", "end_date": f"{month}-{calendar.monthrange(year, number)[1]}"}
    compared = {**days, "compare": "previous_month", "metric": "BilledCost"}
    services = _ask(api, "/costs", **compared, group_by="ServiceName", limit=10)
    held = _ask(api, "/reconciliation", month=month)
    events = _ask(api, "/anomalies", **days, metric="BilledCost")
    lines = [f"# Costs of {month}", "", "| | Billed | Before | Change |", "|---|--:|--:|--:|"]
    lines += [_line(api, row["currency"], row) for row in services["totals"]]
    lines += ["", "## Services", "", "| | Billed | Before | Change |", "|---|--:|--:|--:|"]
    lines += [_line(api, row["group"]["ServiceName"] or "(none)", row) for row in services["rows"]]
    lines += ["", "## Anomalies", ""]
    lines += [
        f"- [{e['reason']}]({api.base_url.join(e['rows_url'])}): {_amount(e['impact'])} {e['currency']}"
        for e in events["anomalies"]
    ] or ["None."]
    lines += ["", "## How it adds up", ""]
    lines += [f"- {r['currency']}: {r['residual']} off the bills' own totals" for r in held["residuals"]]
    lines += ["", f"Snapshot {services['snapshot']['version']}, {services['snapshot']['published_at']}"]
    return "\n".join(lines)


def _ask(api: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    answer = api.get(f"/api/v1{path}", params=parameters)
    if answer.is_error:
        raise SystemExit(answer.json()["detail"])
    found: dict[str, Any] = answer.json()
    return found


def _line(api: httpx.Client, name: str, row: dict[str, Any]) -> str:
    then, currency = row["compared"], row["currency"]
    billed = f"{_amount(row['cost'])} {currency}"
    linked = f"[{billed}]({api.base_url.join(row['rows_url'])})" if row["rows_url"] else billed
    return f"| {name} | {linked} | {_amount(then['cost'])} | {_amount(then['change'], '+')} |"


def _amount(text: str | None, sign: str = "") -> str:
    return format(Decimal(text or 0), f"{sign},.2f")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", sys.argv[2]):
        raise SystemExit(f"expected a month such as 2026-01, found {sys.argv[2]!r}")
    key = os.environ.get("FINOPS_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=sys.argv[1], headers=headers, timeout=60) as client:
        print(report(client, sys.argv[2]))
