"""Rates from a file of the Central Bank's form to the published table, with the command line."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal
from pathlib import Path

from tests import focus_bills
from tests.platform_process import Platform

CONFIGURED = '[sources.acme]\nkind = "files"\npath = "bills"\n[currency]\nrates = "rates.zip"\n'
RATES = "Date,USD,JPY,\n2026-01-05,1.0412,163.37,\n2026-01-02,1.0321,N/A,\n"


def put(root: Path, text: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("eurofxref-hist.csv", text)
    (root / "rates.zip").write_bytes(packed.getvalue())


def test_rates_are_published_and_a_wrong_file_leaves_them(tmp_path: Path) -> None:
    platform = Platform(tmp_path)
    (tmp_path / "bills").mkdir()
    (tmp_path / "bills" / "acme.csv").write_text(focus_bills.text({}), encoding="utf-8")
    put(tmp_path, RATES)
    platform.configure(CONFIGURED)
    done = platform.finops("ingest")
    assert done.returncode == 0, done.stdout + done.stderr
    asked = "SELECT currency, rate_day::VARCHAR, rate, rate_source FROM exchange_rates ORDER BY ALL"
    published = [
        ("JPY", "2026-01-05", Decimal("163.37"), "rates.zip"),
        ("USD", "2026-01-02", Decimal("1.0321"), "rates.zip"),
        ("USD", "2026-01-05", Decimal("1.0412"), "rates.zip"),
    ]
    assert platform.query(asked) == published

    put(tmp_path, RATES.replace("163.37", "cheap"))
    failed = platform.finops("ingest")
    assert failed.returncode != 0
    said = " ".join((failed.stdout + failed.stderr).split())
    assert "2026-01-05, column JPY: expected a positive decimal number, found 'cheap'" in said
    assert platform.query(asked) == published

    platform.configure(CONFIGURED.replace("rates.zip", "gone.csv"))
    missing = platform.finops("ingest")
    assert missing.returncode != 0
    assert "gone.csv cannot be read" in " ".join((missing.stdout + missing.stderr).split())
    assert platform.query(asked) == published
