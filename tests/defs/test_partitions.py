from __future__ import annotations

from finops_assets.defs.ingestion.sensors import contiguous
from finops_assets.defs.partitions import key_of, range_tags, split_key


def test_a_key_comes_apart_as_it_was_put_together() -> None:
    assert key_of("2026-01", "aws-main") == "2026-01|aws-main"
    assert split_key("2026-01|aws-main") == ("2026-01", "aws-main")


def test_stretches_break_at_missing_months_and_not_at_new_year() -> None:
    months = ["2026-02", "2025-11", "2025-12", "2026-01", "2026-05"]
    assert list(contiguous(months)) == [["2025-11", "2025-12", "2026-01", "2026-02"], ["2026-05"]]
    assert list(contiguous([])) == []


def test_a_range_is_of_one_source() -> None:
    assert range_tags("a", ["2026-02", "2026-01"]) == {
        "finops/source": "a",
        "dagster/asset_partition_range_start": "2026-01|a",
        "dagster/asset_partition_range_end": "2026-02|a",
    }
