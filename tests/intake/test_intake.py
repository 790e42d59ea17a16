"""Bills in: what is accepted, what is held back and with which words."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from finops_assets.engine.base import EngineMemoryError
from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.intake.bill import Bill
from finops_assets.intake.blocking import decided
from finops_assets.intake.catalog import Catalog
from finops_assets.intake.intake import Intake
from finops_assets.sources.base import Delivery, FetchedFile, Listener, TransientError
from finops_assets.sources.folder import FolderStore
from finops_assets.sources.stored import StoredSource
from tests.focus_bills import text


class Desk:
    """A folder of bills and the intake over it."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "bills"
        self.folder.mkdir()
        self.source = StoredSource("acme", FolderStore(self.folder))
        self.engine = DuckDBEngine(root / "spill")
        self.staging = root / "staging"
        self.intake = Intake(self.source, self.engine, self.staging, "run-1")

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def take(self, month: str = "2026-01", known: list[Bill] | None = None) -> list[Bill]:
        deliveries = Catalog(self.source, self.engine, self.staging).by_month().get(month, [])
        return self.intake.take(month, deliveries, known or [])

    def problem(self, name: str, content: str | bytes) -> str:
        """The one delivery is quarantined; why."""
        self.put(f"2026-01/{name}", content)
        (bill,) = self.take()
        assert bill.status == "quarantined"
        assert bill.problem is not None
        assert not self.intake.staged(bill).exists(), "nothing of a bad bill waits to land"
        return bill.problem


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_good_bill_is_accepted_with_its_totals_by_currency(desk: Desk) -> None:
    euros = {"BilledCost": "-7.5", "BillingCurrency": "EUR"}
    desk.put("2026-01/bill.csv", text({}, {"BilledCost": "0.000000000000000001"}, euros))
    (bill,) = desk.take()
    assert (bill.status, bill.format, bill.rows) == ("accepted", "focus", 3)
    totals = {t["currency"]: Decimal(t["amount"]) for t in json.loads(bill.control_totals)}
    assert totals == {"USD": Decimal("1.250000000000000001"), "EUR": Decimal("-7.5")}
    raw = pl.read_parquet(desk.intake.staged(bill))
    assert raw["x_RowNumber"].to_list() == [1, 2, 3]
    assert set(raw["x_File"]) == {"2026-01/bill.csv"}
    assert set(raw["x_BillId"]) == {bill.bill_id}


def test_the_focus_version_is_told_by_the_columns(desk: Desk) -> None:
    desk.put("2026-01/bill.csv", text({}))
    (bill,) = desk.take()
    assert bill.focus_version == "1.0"


@pytest.mark.parametrize(
    ("written", "month"), [("9/1/25", "2025-09"), ("9/1/2025", "2025-09"), ("2025-09-01", "2025-09")]
)
def test_dates_are_read_as_they_are_meant(desk: Desk, written: str, month: str) -> None:
    desk.put("bill.csv", text({"BillingPeriodStart": written}))
    assert list(Catalog(desk.source, desk.engine, desk.staging).by_month()) == [month]


def test_gzip_and_parquet_read_the_same(desk: Desk) -> None:
    bill_text = text({}, {"BilledCost": "2.5"})
    frame = pl.read_csv(bill_text.encode()).with_columns(pl.col("BilledCost").cast(pl.Float64))
    frame.write_parquet(desk.folder / "b.parquet")
    desk.put("a.csv.gz", gzip.compress(bill_text.encode()))
    (bill,) = desk.take()
    assert {f["path"]: f["rows"] for f in json.loads(bill.files)} == {"a.csv.gz": 2, "b.parquet": 2}
    assert Decimal(json.loads(bill.control_totals)[0]["amount"]) == Decimal("7.5")


def test_a_double_is_read_as_the_figure_that_was_written(desk: Desk) -> None:
    """0.1 + 0.2 as doubles is 0.30000000000000004; the provider wrote 0.1 and 0.2."""
    frame = pl.read_csv(text({"BilledCost": "0.1"}, {"BilledCost": "0.2"}).encode())
    frame.with_columns(pl.col("BilledCost").cast(pl.Float64)).write_parquet(desk.folder / "b.parquet")
    (bill,) = desk.take()
    assert Decimal(json.loads(bill.control_totals)[0]["amount"]) == Decimal("0.3")


def test_the_same_delivery_twice_changes_nothing(desk: Desk) -> None:
    desk.put("2026-01/bill.csv", text({}))
    first = desk.take()
    assert desk.take(known=first) == first


def test_the_same_bytes_written_again_are_the_same_bill(desk: Desk) -> None:
    path = desk.put("2026-01/bill.csv", text({}))
    (first,) = desk.take()
    path.unlink()
    desk.put("2026-01/bill.csv", text({}))
    (again,) = desk.take(known=[first])
    assert again.bill_id == first.bill_id
    assert again.ingested_at == first.ingested_at


def test_a_restated_bill_supersedes_the_first(desk: Desk) -> None:
    desk.put("2026-01/bill.csv", text({}))
    first = desk.take()
    desk.put("2026-01/bill.csv", text({"BilledCost": "9"}, {}))
    bills = desk.take(known=first)
    assert [b.status for b in bills] == ["superseded", "accepted"]


def test_a_bad_restatement_leaves_the_good_bill_in_force(desk: Desk) -> None:
    desk.put("2026-01/bill.csv", text({}))
    first = desk.take()
    desk.put("2026-01/bill.csv", text({"BilledCost": "nine"}))
    bills = desk.take(known=first)
    assert [b.status for b in bills] == ["accepted", "quarantined"]


def test_loose_files_fall_into_the_months_of_their_rows(desk: Desk) -> None:
    february = {"BillingPeriodStart": "2026-02-01T00:00:00Z", "BillingPeriodEnd": "2026-03-01T00:00:00Z"}
    desk.put("all.csv", text({}, {**february, "BilledCost": "5"}, {"BilledCost": "3"}))
    (january,), (later,) = desk.take("2026-01"), desk.take("2026-02")
    assert (january.rows, later.rows) == (2, 1)
    assert Decimal(json.loads(later.control_totals)[0]["amount"]) == 5


def test_one_bad_file_does_not_stop_the_others(desk: Desk) -> None:
    desk.put("2026-01/bad.csv", "what,is,this\n1,2,3\n")
    desk.put("2026-02/bill.csv", text({"BillingPeriodStart": "2026-02-01T00:00:00Z"}))
    assert [b.status for b in desk.take("2026-01")] == ["quarantined"]
    assert [b.status for b in desk.take("2026-02")] == ["accepted"]


def test_two_formats_for_one_month_are_not_counted_twice(desk: Desk, samples: Path) -> None:
    desk.put("2023-09/a.csv", text({"BillingPeriodStart": "2023-09-01T00:00:00Z"}))
    desk.put("2023-09/sub/b.csv", (samples / "native-exports" / "azure-ea.csv").read_bytes())
    bills = desk.take("2023-09")
    assert sorted(b.status for b in bills) == ["accepted", "quarantined"]
    assert any("found a second in another format" in (b.problem or "") for b in bills)


def test_text_in_an_amount(desk: Desk) -> None:
    assert desk.problem("b.csv", text({}, {"BilledCost": "n/a"})) == (
        "2026-01/b.csv: row 2, column BilledCost: expected a decimal amount, found 'n/a'"
    )


def test_a_missing_amount(desk: Desk) -> None:
    assert desk.problem("b.csv", text({}, {}, {"BilledCost": ""})) == (
        "2026-01/b.csv: row 3, column BilledCost: expected a decimal amount, found nothing"
    )


def test_a_wrong_currency_code(desk: Desk) -> None:
    assert desk.problem("b.csv", text({"BillingCurrency": "US$"})) == (
        "2026-01/b.csv: row 1, column BillingCurrency: expected an ISO 4217 currency code, found 'US$'"
    )


def test_a_date_that_is_none(desk: Desk) -> None:
    assert desk.problem("b.csv", text({"ChargePeriodStart": "yesterday"})) == (
        "2026-01/b.csv: row 1, column ChargePeriodStart: expected a date or time, found 'yesterday'"
    )


def test_a_row_of_another_month_than_the_folder_says(desk: Desk) -> None:
    assert desk.problem("b.csv", text({}, {"BillingPeriodStart": "2026-02-01T00:00:00Z"})) == (
        "2026-01/b.csv: row 2, column billing month: expected the billing month 2026-01, found 2026-02"
    )


def test_a_missing_required_column(desk: Desk) -> None:
    problem = desk.problem("b.csv", text({}, without=("BilledCost",)))
    assert problem.startswith("2026-01/b.csv: expected")
    assert "BilledCost" in problem


def test_an_unknown_format(desk: Desk) -> None:
    problem = desk.problem("b.csv", "day,dollars\n2026-01-01,5\n")
    assert problem.startswith("2026-01/b.csv: expected the columns of a known bill format, found 2 columns")


def test_a_truncated_gzip(desk: Desk) -> None:
    many = [{"BilledCost": str(n), "ChargeDescription": str(n**9)} for n in range(5000)]
    whole = gzip.compress(text(*many).encode())
    problem = desk.problem("b.csv.gz", whole[: len(whole) // 2])
    assert problem.startswith("2026-01/b.csv.gz: expected a complete gzip file, found")


def test_a_damaged_parquet_file(desk: Desk) -> None:
    assert desk.problem("b.parquet", b"PAR1 and then nothing").startswith(
        "2026-01/b.parquet: expected a readable Parquet file, found"
    )


def test_too_little_memory_is_not_the_bills_fault(desk: Desk) -> None:
    path = desk.put("2026-01/b.parquet", b"")
    frame = pl.read_csv(text({}).encode(), infer_schema=False)
    pl.concat([frame] * 20_000).write_parquet(path)
    (ready,) = Catalog(desk.source, desk.engine, desk.staging).by_month()["2026-01"]
    small = replace(desk.intake, engine=DuckDBEngine(desk.staging / "spill", memory_limit="3MB"))
    with pytest.raises(EngineMemoryError, match="memory_limit"):
        small.take("2026-01", [ready], [])
    assert [path.name for path in desk.staging.iterdir()] == ["spill"]


def test_an_empty_file(desk: Desk) -> None:
    assert desk.problem("b.csv", "").startswith("2026-01/b.csv: expected")


def test_a_row_with_too_many_cells(desk: Desk) -> None:
    assert desk.problem("b.csv", text({}) + "1,2\n").startswith(
        "2026-01/b.csv: expected comma-separated text"
    )


def test_columns_nobody_knows_are_kept(desk: Desk) -> None:
    lines = text({}).splitlines()
    desk.put("b.csv", f"{lines[0]},x_Mood,Id\n{lines[1]},good,17\n")
    (bill,) = desk.take()
    raw = pl.read_parquet(desk.intake.staged(bill))
    assert json.loads(raw["x_Extra"][0]) == {"x_Mood": "good", "Id": "17"}


def azure_run(desk: Desk, run: str, amount: str, *, export: str = "focus", rows: int = 1) -> None:
    """A run of a FOCUS export of January, delivered to a folder of its own."""
    folder = f"{export}/20260101-20260131/{run}"
    content = text({"BilledCost": amount})
    desk.put(f"{folder}/part.csv", content)
    manifest = {
        "blobs": [{"blobName": f"{folder}/part.csv", "byteCount": len(content), "dataRowCount": rows}],
        "exportConfig": {"exportName": export},
        "runInfo": {
            "runId": run,
            "startDate": "2026-01-01T00:00:00",
            "submittedTime": f"2026-01-{run}T00:00:00Z",
        },
    }
    desk.put(f"{folder}/manifest.json", json.dumps(manifest))


def in_force(bills: list[Bill]) -> list[tuple[str, str]]:
    return [(b.delivery_id, b.status) for b in bills]


def test_of_many_runs_of_one_export_only_the_newest_is_read(desk: Desk) -> None:
    for run in ("05", "06", "07"):
        azure_run(desk, run, run)
    bills = desk.take()
    assert in_force(bills) == [("05", "superseded"), ("06", "superseded"), ("07", "accepted")]
    assert [b.rows for b in bills] == [0, 0, 1]
    assert desk.take(known=bills) == bills, "nothing new, nothing changes"
    azure_run(desk, "08", "8")
    assert in_force(desk.take(known=bills))[2:] == [("07", "superseded"), ("08", "accepted")]


def test_a_bad_newest_run_leaves_the_one_before_it_in_force(desk: Desk) -> None:
    azure_run(desk, "05", "5")
    azure_run(desk, "06", "6")
    azure_run(desk, "07", "seven")
    azure_run(desk, "08", "8", rows=2)
    bills = desk.take()
    assert [b.status for b in bills] == ["superseded", "accepted", "quarantined", "quarantined"]
    assert bills[3].problem == (
        "focus/20260101-20260131/08/part.csv: expected 2 rows, as the provider counts, found 1; "
        "deliver the month again"
    )


def test_a_second_export_of_the_same_month_is_not_added_and_does_not_replace(desk: Desk) -> None:
    azure_run(desk, "05", "5")
    azure_run(desk, "06", "6", export="other")
    bills = desk.take()
    assert in_force(bills) == [("05", "accepted"), ("06", "quarantined")]
    assert bills[1].problem is not None
    assert "expected one export of the month, found other beside focus" in bills[1].problem


def test_a_restatement_that_is_taken_back_is_the_first_bill_again(desk: Desk) -> None:
    totals: list[list[str]] = []
    bills: list[Bill] = []
    for amount in ("1", "2", "1"):
        path = desk.put("2026-01/bill.csv", text({"BilledCost": amount}))
        stamp = path.stat().st_mtime_ns + 1_000_000_000 * (1 + len(totals))
        os.utime(path, ns=(stamp, stamp))
        bills = desk.take(known=bills)
        totals.append([json.loads(b.control_totals)[0]["amount"] for b in bills if b.status == "accepted"])
    assert totals == [["1.000000000000000000"], ["2.000000000000000000"], ["1.000000000000000000"]]


def test_a_source_that_fails_decides_nothing(desk: Desk) -> None:
    """An expired token or a broken line is no fault of the bill: it is not held against it."""
    desk.put("2026-01/bill.csv", text({}))

    class Expired(StoredSource):
        def fetch(self, delivery: Delivery, into: Path, listener: Listener) -> list[FetchedFile]:
            raise TransientError("the provider is down")

    intake = Intake(Expired("acme", FolderStore(desk.folder)), desk.engine, desk.staging, "run-1")
    deliveries = Catalog(desk.source, desk.engine, desk.staging).by_month()["2026-01"]
    with pytest.raises(TransientError):
        intake.take("2026-01", deliveries, [])
    assert [b.status for b in desk.take()] == ["accepted"]


def test_a_category_in_lower_case_breaks_no_rule(desk: Desk) -> None:
    # Google's own FOCUS view writes its closed lists so.
    desk.put("2026-01/bill.csv", text({"ChargeCategory": "usage"}, {"ChargeCategory": "TAX"}))
    (taken,) = desk.take()
    assert (taken.status, taken.problem) == ("accepted", None)


def test_a_row_that_breaks_a_blocking_rule_holds_the_whole_bill_until_somebody_decides(desk: Desk) -> None:
    never_ends = {"ChargePeriodEnd": "2026-01-05T00:00:00Z"}
    desk.put("2026-01/bill.csv", text({}, {"ChargeCategory": "Fee"}, never_ends, {"ChargeCategory": "Fine"}))
    (held,) = desk.take()
    assert held.status == "quarantined"
    assert held.problem is not None
    bill = "2026-01/bill.csv"
    for words in (
        f"ChargeCategory-Allowed-Value (One of the values that FOCUS allows) in 2 row(s), the first {bill}: "
        "row 2, column ChargeCategory: found Fee",
        f"ChargePeriod-Order (A charge period ends after it starts) in 1 row(s), the first {bill}: row 3",
        f'[accepted_bills] "{held.bill_id}" = ',
    ):
        assert words in held.problem
    assert not desk.intake.staged(held).exists()
    assert desk.take(known=[held]) == [held], "what is held is not read again by itself"

    desk.intake = replace(desk.intake, accepted={held.bill_id: "ticket 4711"})
    (taken,) = desk.take(known=[held])
    assert (taken.bill_id, taken.status, taken.decision) == (held.bill_id, "accepted", "ticket 4711")
    assert pl.read_parquet(desk.intake.staged(taken)).height == 4
    assert desk.take(known=[taken]) == [taken]


def test_a_decision_comes_too_late_for_a_bill_that_was_replaced(desk: Desk) -> None:
    path = desk.put("2026-01/bill.csv", text({"BillingCurrency": "XXY"}))
    (held,) = desk.take()
    assert held.problem is not None
    assert "BillingCurrency" in held.problem
    path.write_text(text({}, {}))
    _, good = desk.take(known=[held])
    assert good.status == "accepted"
    assert decided([held, good], {held.bill_id: "we know"}) == {}


def test_a_decision_about_a_bill_that_cannot_be_read_is_tried_once(desk: Desk) -> None:
    desk.put("2026-01/bill.csv", text({"BilledCost": "cheap"}))
    (held,) = desk.take()
    accepted = {held.bill_id: "try it"}
    assert decided([held], accepted) == {held.fingerprint: "try it"}
    desk.intake = replace(desk.intake, accepted=accepted)
    (again,) = desk.take(known=[held])
    assert again.status == "quarantined"
    assert decided([again], accepted) == {}
