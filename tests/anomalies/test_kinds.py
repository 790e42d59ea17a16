"""Kinds of their own, stories, reasons and bad input."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finops_assets.anomalies.conformal import nonconformity, p_values
from finops_assets.anomalies.events import detect_events
from finops_assets.anomalies.reasons import reason
from finops_assets.anomalies.stories import story_ids
from finops_assets.series import SERIES_COLUMNS
from tests.forecasting.fleets import FIRST_DAY, Floats, cost_like, features_of

DAYS = 400
ON = 300


def fleet(count: int) -> dict[str, Floats]:
    return {f"s{i:02}": cost_like(300 + i, DAYS, size=80 + 20 * i, noise=0.03) for i in range(count)}


def of_level(series: Mapping[str, Floats], level: str, start: int = 0) -> pa.Table:
    """The series at a level: accounts and providers carry their name in their own column."""
    table = features_of(series, first_day=FIRST_DAY + timedelta(days=start), level=level)
    if level == "service":
        return table
    names = table["ServiceName"]
    column = {"provider": "ServiceProviderName"}.get(level, "SubAccountId")
    table = table.set_column(table.column_names.index(column), column, names)
    nothing = pa.nulls(table.num_rows, pa.string())
    return table.set_column(table.column_names.index("ServiceName"), "ServiceName", nothing)


def events(*tables: pa.Table) -> pd.DataFrame:
    found: pd.DataFrame = detect_events(pa.concat_tables(tables)).to_pandas()
    return found


def test_a_level_that_creeps_away_is_a_drift() -> None:
    series = fleet(8)
    ramp = np.clip((np.arange(DAYS) - ON) / 50, 0, 1)
    clean = series["s04"].copy()
    series["s04"] = clean * (1 + 0.7 * ramp)
    found = events(of_level(series, "service")).query("ServiceName == 's04' and kind == 'drift'")
    assert len(found) == 1
    event = found.iloc[0]
    assert FIRST_DAY + timedelta(days=ON - 28) < event["first_day"] < FIRST_DAY + timedelta(days=ON + 30)
    assert event["impact"] > 0
    assert "crept" in event["reason"]


def test_steady_growth_is_no_drift() -> None:
    series = {f"s{i:02}": cost_like(i, DAYS, growth=0.003, noise=0.03) for i in range(8)}
    assert events(of_level(series, "service")).query("kind == 'drift'").empty


@pytest.mark.parametrize(
    ("level", "kind"),
    [
        ("service", "new_service"),
        ("region", "new_region"),
        ("account", "new_account"),
        ("billing_account", "new_account"),
    ],
)
def test_a_first_cost_long_after_the_data_began_is_new(level: str, kind: str) -> None:
    late = {"late": cost_like(7, DAYS - ON, size=60.0)}
    found = events(of_level(fleet(5), level), of_level(late, level, start=ON))
    new = found[found["kind"] == kind]
    assert list(new["first_day"]) == [FIRST_DAY + timedelta(days=ON)]
    assert new.iloc[0]["expected"] == 0
    assert new.iloc[0]["actual"] == sum((Decimal(f"{v:.2f}") for v in late["late"][:7]), Decimal(0))


def test_what_was_there_when_the_data_began_is_not_new() -> None:
    assert events(of_level(fleet(5), "service")).query("kind == 'new_service'").empty


@pytest.mark.parametrize("level", ["provider", "account"])
def test_a_series_that_is_zero_on_its_newest_days_alone_misses_its_bill(level: str) -> None:
    series = fleet(5)
    series["s02"][-3:] = 0.0
    found = events(of_level(series, level)).query("kind == 'missing_bill'")
    assert list(found["first_day"]) == [FIRST_DAY + timedelta(days=DAYS - 3)]
    assert found.iloc[0]["actual"] == 0
    assert float(found.iloc[0]["expected"]) == pytest.approx(
        float(series["s02"][-31:-3].mean()) * 3, rel=0.01
    )
    assert "missing" in found.iloc[0]["reason"]


def test_when_all_stop_no_bill_is_missing() -> None:
    series = fleet(5)
    for values in series.values():
        values[-3:] = 0.0
    assert events(of_level(series, "provider")).query("kind == 'missing_bill'").empty


def _event(name: str, level: str, impact: float, **more: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(SERIES_COLUMNS)
    days = {"first_day": date(2026, 1, 10), "last_day": date(2026, 1, 12)}
    same = {"metric": "EffectiveCost", "BillingCurrency": "USD", "anomaly_id": name, "series_id": name}
    return {**nothing, **days, **same, "level": level, "impact": Decimal(str(impact)), **more}


def test_levels_of_the_same_days_are_one_story_told_by_the_most_specific() -> None:
    aws, azure = {"ServiceProviderName": "AWS"}, {"ServiceProviderName": "Microsoft"}
    told = story_ids(
        [
            _event("total", "total", 110),
            _event("aws", "provider", 100, **aws),
            _event("ec2", "service", 90, **aws, ServiceName="EC2"),
            _event("account", "account", 95, **aws, SubAccountId="1"),
            _event("azure", "provider", 8, **azure),
            _event("down", "service", -90, **aws, ServiceName="S3"),
            _event("euro", "total", 110, BillingCurrency="EUR"),
            _event("later", "total", 110, first_day=date(2026, 2, 1), last_day=date(2026, 2, 1)),
        ]
    )
    assert told == ["account", "account", "account", "account", "azure", "down", "euro", "later"]


def test_a_total_and_its_service_tell_one_story_when_detected() -> None:
    series = fleet(4)
    series["s01"] = np.where(np.arange(DAYS) == ON, series["s01"] * 6, series["s01"])
    total = {"all": np.sum([v.round(2) for v in series.values()], axis=0)}
    whole = features_of(total, level="total")
    for column in ("ServiceProviderName", "ServiceName"):
        nothing = pa.nulls(whole.num_rows, pa.string())
        whole = whole.set_column(whole.column_names.index(column), column, nothing)
    found = events(of_level(series, "service"), whole)
    found = found[found["first_day"] == FIRST_DAY + timedelta(days=ON)]
    assert set(found["level"]) == {"total", "service"}
    assert set(found["story_id"]) == set(found.query("level == 'service'")["anomaly_id"])


def test_the_reason_has_the_figures() -> None:
    said = reason(
        "spike", date(2026, 1, 10), date(2026, 1, 12), Decimal(600), Decimal(2100), "USD", 1 / 50_000
    )
    assert said == (
        "2,100.00 USD over 3 days from 2026-01-10, where 600.00 USD was expected, +250%; "
        "about one ordinary day in 50,000 looks as odd."
    )


def test_p_values_of_ordinary_days_are_uniform() -> None:
    sizes = np.abs(np.random.default_rng(3).standard_normal((500, 60)))
    p = p_values(nonconformity(sizes))
    for level in (0.5, 0.1, 0.01):
        assert float(np.mean(p <= level)) == pytest.approx(level, rel=0.15)


def test_a_short_history_leans_on_the_fleet() -> None:
    rng = np.random.default_rng(4)
    calm = np.abs(rng.standard_normal((200, 30)))
    wild = np.full((200, 1), np.nan)
    wild[180:, 0] = np.abs(rng.standard_normal(20)) * 10
    scores = nonconformity(np.hstack([calm, wild]))
    # A day of ten: odd beside the fleet at first, less so once its own history says that it is usual.
    assert np.nanmean(scores[180:190, 30]) > np.nanmean(scores[195:, 30]) * 0.5
    assert np.nanmax(scores[:, :30]) < np.nanmax(scores[180:190, 30])


def _gaps() -> Floats:
    return np.where(np.arange(DAYS) % 5 == 0, 0.0, cost_like(2, DAYS))


def _refund() -> Floats:
    values = cost_like(3, DAYS)
    values[ON] = -1e9
    return values


@pytest.mark.parametrize(
    "values",
    [
        np.ones(5),
        np.zeros(DAYS),
        _gaps(),
        -cost_like(1, DAYS),
        np.full(DAYS, 3.0),
        _refund(),
        np.r_[cost_like(4, 200), np.zeros(200)],
        np.full(DAYS, 1e15),
    ],
    ids=["five days", "zeros", "gaps", "negative", "constant", "one huge refund", "ended", "huge"],
)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a fleet"])
def test_bad_input_never_crashes(values: Floats, alone: bool) -> None:
    series = {"odd": values} if alone else {**fleet(4), "odd": values}
    made = detect_events(of_level(series, "service"))
    for row in made.to_pylist():
        assert row["actual"] - row["expected"] == row["impact"]
        assert 0 <= row["p_value"] <= 1


def test_missing_days_are_no_zeros() -> None:
    table = of_level(fleet(5), "service")
    keep = pa.array(np.random.default_rng(0).random(table.num_rows) > 0.1)
    assert len(events(table.filter(keep))) <= 3
