"""forecast_record.sql on a ledger of three makings whose record is worked out by hand.

Two accounts from 1 September 2026: A costs 100 a day in its first week and 7 a day more each week after,
so that its weekly naive errs by 7; B costs 10 every day. The bill has come to 11 October.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.marts.forecasts import COST_FORECASTS, COST_FORECASTS_MONTHLY, FORECAST_RECORD
from finops_assets.marts.series import COST_FEATURES
from finops_assets.marts.sql import load_sql

START, NEWEST = date(2026, 9, 1), date(2026, 10, 12)
NO_MONTHS = COST_FORECASTS_MONTHLY.arrow_schema().empty_table()
FIRST, SECOND, THIRD = date(2026, 9, 10), date(2026, 10, 1), date(2026, 10, 8)


def cost(account: str, day: date) -> Decimal:
    return Decimal(100 + 7 * ((day - START).days // 7)) if account == "A" else Decimal(10)


def names(account: str) -> dict[str, object]:
    return {
        "series_id": f"account|AWS|{account}||BilledCost|USD",
        "level": "account",
        "ServiceProviderName": "AWS",
        "SubAccountId": account,
        "metric": "BilledCost",
        "BillingCurrency": "USD",
    }


def features() -> pa.Table:
    rows = []
    for account in ("A", "B"):
        for n in range((NEWEST - START).days + 1):
            day = START + timedelta(days=n)
            # The newest day is still arriving: it is no actual yet.
            amount = cost(account, day) if day < NEWEST else Decimal(1)
            before = cost(account, day - timedelta(days=7)) if n >= 7 else None
            more = {"day": day, "cost": amount, "is_complete": day < NEWEST, "lag_7": before}
            rows.append({**names(account), **more})
    return pa.Table.from_pylist(rows, schema=COST_FEATURES.arrow_schema())


def said(
    made_at: datetime, until: date, model: str, off: dict[str, int], *, champion: bool = True, days: int = 30
) -> Iterator[dict[str, object]]:
    """A making that is `off` by so much a day; its 80% band is 4 wide either way, its 95% band 6."""
    for account, error in off.items():
        for n in range(1, days + 1):
            day = until + timedelta(days=n)
            mean = cost(account, day) + error
            bounds = {"lo_80": mean - 4, "hi_80": mean + 4, "lo_95": mean - 6, "hi_95": mean + 6}
            made = {"made_at": made_at, "made_on_month": f"{made_at:%Y-%m}", "data_until": until}
            of = {"day": day, "horizon": n, "model": model, "is_champion": champion}
            yield {**names(account), **made, **of, "mean": mean, **bounds}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[Any, ...], dict[str, Any]]:
    """(model, is_champion, horizon, made_on) → the row."""
    rows = [
        # Tried earlier on the same day: what was said last on it is what was said on it.
        *said(datetime(2026, 9, 10, 1, tzinfo=UTC), date(2026, 9, 8), "AutoETS", {"A": 50, "B": 50}),
        *said(datetime(2026, 9, 10, 5, tzinfo=UTC), date(2026, 9, 8), "AutoETS", {"A": 5, "B": 0, "gone": 0}),
        *said(datetime(2026, 9, 10, 5, tzinfo=UTC), date(2026, 9, 8), "Naive", {"A": 6}, champion=False),
        *said(datetime(2026, 10, 1, 23, 30, tzinfo=UTC), date(2026, 9, 29), "Theta", {"A": -2, "B": 0}),
        *said(datetime(2026, 10, 8, 5, tzinfo=UTC), date(2026, 10, 6), "Theta", {"A": 1, "B": 0}),
    ]
    ledger = pa.Table.from_pylist(rows, schema=COST_FORECASTS.arrow_schema())
    engine = DuckDBEngine(tmp_path_factory.mktemp("record"))
    given = {"cost_forecasts": ledger, "cost_forecasts_monthly": NO_MONTHS, "cost_features": features()}
    found = engine.fetch(load_sql("forecast_record"), given)
    assert set(found.column_names) == {c.name for c in FORECAST_RECORD.columns}
    table = found.to_pylist()
    assert {(r["level"], r["metric"], r["BillingCurrency"]) for r in table} == {
        ("account", "BilledCost", "USD")
    }
    keyed = {(r["model"], r["is_champion"], r["horizon"], r["made_on"]): r for r in table}
    assert len(keyed) == len(table)
    return keyed


MEASURES = ("series", "windows", "wape", "mase", "bias", "coverage_80", "coverage_95")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        # 9 to 15 September: A cost 6 × 107 + 114 = 756 and was said 5 a day too dear, B cost 70.
        (("AutoETS", True, "7d", FIRST), (2, 1, 35 / 826, 5 / 7, 35 / 826, 0.5, 1)),
        # 30 September to 6 October: A cost 6 × 128 + 135 = 903 and was said 2 a day too cheap.
        (("Theta", True, "7d", SECOND), (2, 1, 14 / 973, 2 / 7, -14 / 973, 1, 1)),
        # Both, whichever model was in force; B has no weekly error to be held against.
        ((None, True, "7d", None), (2, 2, 49 / 1799, 0.5, 21 / 1799, 21 / 28, 1)),
        # 9 September to 8 October: A cost 642 + 798 + 847 + 896 + 405 = 3588.
        (("AutoETS", True, "30d", None), (2, 1, 150 / 3888, 5 / 7, 150 / 3888, 0.5, 1)),
        # September was 3350 and 300; 22 of A's days were forecast, each 5 too dear.
        (("AutoETS", True, "month_end", FIRST), (2, 1, 110 / 3650, None, 110 / 3650, 0.5, 1)),
        # Not in force, and of A alone: 6 too dear is outside 80% and just inside 95%.
        (("Naive", False, "7d", None), (1, 1, 42 / 756, 6 / 7, 42 / 756, 0, 1)),
    ],
)
def test_the_record_is_what_was_worked_out_by_hand(
    record: dict[tuple[Any, ...], dict[str, Any]], key: tuple[Any, ...], expected: tuple[float, ...]
) -> None:
    found = record[key]
    for name, value in zip(MEASURES, expected, strict=True):
        assert found[name] == (value if value is None else pytest.approx(value, rel=1e-12)), name


def test_nothing_is_told_of_what_has_not_come(record: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    # The third making's week ends on the day that is still arriving; October is not over.
    assert {key[2:] for key in record} == {
        *((horizon, made) for horizon in ("7d", "30d", "month_end") for made in (FIRST, None)),
        ("7d", SECOND),
    }
    assert not any(key[3] == THIRD for key in record)


def test_what_was_in_force_is_told_together_and_the_rest_only_by_model(
    record: dict[tuple[Any, ...], dict[str, Any]],
) -> None:
    assert {(key[0], key[1]) for key in record} == {
        ("AutoETS", True),
        ("Theta", True),
        (None, True),
        ("Naive", False),
    }
    one, all_of_it = record["AutoETS", True, "30d", FIRST], record[None, True, "30d", None]
    assert [one[m] for m in MEASURES] == [all_of_it[m] for m in MEASURES]


def test_an_empty_ledger_has_no_record(tmp_path: Path) -> None:
    nothing = {
        "cost_forecasts": COST_FORECASTS.arrow_schema().empty_table(),
        "cost_forecasts_monthly": NO_MONTHS,
        "cost_features": features(),
    }
    assert DuckDBEngine(tmp_path).fetch(load_sql("forecast_record"), nothing).num_rows == 0


def test_months_count_once_all_of_a_horizon_are_complete(tmp_path: Path) -> None:
    # 10 a day from 1 January to 29 May 2026: February came to 280, March to 310, April to 300.
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(149)]
    came = [{**names("A"), "day": day, "cost": Decimal(10), "is_complete": True} for day in days]
    made_at = datetime(2026, 2, 1, 5, tzinfo=UTC)
    making = {"made_at": made_at, "made_on_month": "2026-02", "data_until": date(2026, 1, 31)}
    of_day = {
        "day": date(2026, 2, 1),
        "horizon": 1,
        "model": "AutoETS",
        "is_champion": True,
        "mean": Decimal(10),
    }
    said_of_months = [
        ("AutoETS", Decimal(290)),
        ("AutoETS", Decimal(299)),
        ("Theta", Decimal(300)),
        ("Theta", Decimal(1)),  # of May, which is not over
    ]
    months = [
        {
            **names("A"), **making, "month": date(2026, 1 + ahead, 1), "horizon": ahead, "model": model,
            "mean": mean, "lo_80": mean - 5, "hi_80": mean + 5, "lo_95": mean - 10, "hi_95": mean + 10,
        }
        for ahead, (model, mean) in enumerate(said_of_months, start=1)
    ]  # fmt: skip
    given = {
        "cost_forecasts": pa.Table.from_pylist(
            [{**names("A"), **making, **of_day}], schema=COST_FORECASTS.arrow_schema()
        ),
        "cost_forecasts_monthly": pa.Table.from_pylist(months, schema=COST_FORECASTS_MONTHLY.arrow_schema()),
        "cost_features": pa.Table.from_pylist(
            [{**row, "lag_7": None} for row in came], schema=COST_FEATURES.arrow_schema()
        ),
    }
    rows = DuckDBEngine(tmp_path).fetch(load_sql("forecast_record"), given).to_pylist()
    told = [r for r in rows if r["horizon"] == "3m" and r["model"] == "Theta" and r["made_on"] is None]
    assert [[r[m] for m in MEASURES] for r in told] == [
        # Off by 10, 11 and 0; only April is inside 80%, February just inside 95%.
        [
            1,
            1,
            pytest.approx(21 / 890),
            None,
            pytest.approx(-1 / 890),
            pytest.approx(1 / 3),
            pytest.approx(2 / 3),
        ]
    ]
    assert {r["horizon"] for r in rows} == {"3m"}
