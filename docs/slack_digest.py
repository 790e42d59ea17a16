"""Yesterday in three lines, posted to a Slack webhook: the month so far, its forecast, what was odd.

python docs/slack_digest.py http://127.0.0.1:8000 https://hooks.slack.com/services/…

With a lock before the API, FINOPS_API_KEY holds the key.
"""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from typing import Any

import httpx


def digest(api: httpx.Client) -> str:
    """The text. Ends with the API's own words for what it refuses."""
    costs = _ask(api, "/costs", compare="previous_month")
    outlook = _ask(api, "/forecast/outlook")
    events = _ask(api, "/anomalies", status="open", limit=3)
    lines = [f"*Costs from {costs['start_date']} to {costs['end_date']}*"]
    lines += [
        f"{_amount(t['cost'])} {t['currency']}, {_amount(t['compared']['change'], '+')} on last month"
        for t in costs["totals"]
    ]
    lines += [
        f"The month will come to {_amount(m['expected'])} {m['currency']}"
        for m in outlook["rows"]
        if m["level"] == "total" and m["expected"] is not None
    ]
    lines += [
        f"{e['severity']}: {_amount(e['impact'], '+')} {e['currency']}, {e['reason']}"
        for e in events["anomalies"]
    ]
    return "\n".join(lines)


def _ask(api: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    answer = api.get(f"/api/v1{path}", params=parameters)
    if answer.is_error:
        raise SystemExit(answer.json()["detail"])
    found: dict[str, Any] = answer.json()
    return found


def _amount(text: str | None, sign: str = "") -> str:
    return format(Decimal(text or 0), f"{sign},.2f")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    key = os.environ.get("FINOPS_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=sys.argv[1], headers=headers, timeout=60) as client:
        httpx.post(sys.argv[2], json={"text": digest(client)}, timeout=60).raise_for_status()
