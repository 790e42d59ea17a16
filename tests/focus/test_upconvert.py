from __future__ import annotations

import pytest

from finops_assets.focus.columns import columns
from finops_assets.focus.upconvert import REMOVED, version_of

BASE = ["BilledCost", "ChargeCategory", "ProviderName", "PublisherName"]


@pytest.mark.parametrize(
    ("added", "version"),
    [
        # Which version added a column: FOCUS change logs.
        ([], "1.0"),
        (["SkuMeter"], "1.1"),
        (["InvoiceId", "SkuMeter"], "1.2"),
        (["HostProviderName"], "1.3"),
        (["InvoiceDetailId"], "1.4"),
    ],
)
def test_the_newest_column_tells_the_version(added: list[str], version: str) -> None:
    assert version_of([*BASE, *added]) == version


def test_without_the_removed_columns_it_is_1_4() -> None:
    assert version_of(["BilledCost", "ServiceProviderName", "HostProviderName"]) == "1.4"


def test_names_compare_without_case() -> None:
    assert version_of([c.name.upper() for c in columns()]) == "1.4"


def test_removed_columns_are_not_in_1_4() -> None:
    assert not REMOVED.keys() & {c.name for c in columns()}
