from __future__ import annotations

import csv
from pathlib import Path

import pytest

from finops_assets.focus.columns import columns, service_subcategories
from finops_assets.normalize.formats import (
    DATASET_FORMATS,
    DELIVERED,
    FORMAT_BY_NAME,
    FORMATS,
    UnknownFormat,
    detect,
)
from finops_assets.normalize.references import load_references
from finops_assets.normalize.tables import normalized_columns
from tests.normalize.bills import shared

CUR2 = [
    "bill_billing_period_start_date",
    "bill_payer_account_name",
    "line_item_currency_code",
    "line_item_line_item_type",
    "line_item_unblended_cost",
    "line_item_usage_start_date",
]


def header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("native-exports/aws-cur-legacy.csv", "aws_cur_legacy"),
        ("native-exports/oci-cost.csv", "oci_cost"),
        ("focus-1.0-sample/focus_sample.csv", "focus"),
        ("focus-spec-scenarios/saas_spend_agreements_a1.csv", "focus"),
        ("focus-spec-scenarios/virtual_currency_pricing_model_a1.csv", "focus"),
    ],
)
def test_a_real_header_is_recognized(path: str, name: str) -> None:
    assert detect(header(shared(path))).name == name


def test_case_and_order_of_columns_do_not_matter() -> None:
    assert detect([c.upper() for c in reversed([*CUR2, "product"])]).name == "aws_cur2"


def test_the_athena_layout_of_the_legacy_report_is_not_cur_2() -> None:
    athena = [c for c in CUR2 if c != "bill_payer_account_name"]
    assert detect([*athena, "product_product_name", "resource_tags_user_env"]).name == "aws_cur_legacy"


def test_a_special_focus_export_wins_over_the_generic_one() -> None:
    plain = [c.name for c in columns()]
    assert detect(plain).name == "focus"
    assert detect([*plain, "x_ServiceCode", "x_UsageType"]).name == "aws_focus"


def test_an_unknown_header_names_the_nearest_format_and_what_it_lacks() -> None:
    with pytest.raises(UnknownFormat, match=r"found 3 columns.*OCI cost report.*cost/currencyCode"):
        detect(["lineItem/intervalUsageStart", "product/service", "cost/myCost"])
    with pytest.raises(UnknownFormat, match="nearest"):
        detect([])


def test_other_datasets_of_focus_are_told_by_their_columns() -> None:
    for form in DATASET_FORMATS:
        assert detect([c.name for c in columns(form.dataset)]) == form
        assert form.name.startswith("focus_")  # what IS_OF_BILL goes by
    assert not any(form.name.startswith("focus_") for form in FORMATS)
    of_1_3 = [c.name for c in columns("ContractCommitment") if c.since == "1.3"]
    assert detect(of_1_3).name == "focus_contract_commitment"


@pytest.mark.parametrize("name", [form.name for form in DELIVERED])
def test_a_format_is_whole(name: str) -> None:
    form = FORMAT_BY_NAME[name]
    names = [c.name for c in form.columns]
    assert form.signature <= set(names)
    assert (form.currency in names) == form.is_bill
    raw = [c.name.lower() for c in form.raw_table().columns]
    assert len(raw) == len(set(raw))
    # A format's own signature leads back to it, or to the one that shares its layout.
    assert detect(sorted(form.signature)).name in {form.name, form.companion}


def test_normalized_columns_have_no_name_twice() -> None:
    names = [c.name for c in normalized_columns()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["ref_aws_services", "ref_oci_services"])
def test_services_are_filed_under_categories_of_focus(name: str) -> None:
    parents = service_subcategories()
    for row in load_references()[name].to_pylist():
        assert parents[row["ServiceSubcategory"]] == row["ServiceCategory"], row


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ref_aws_services", 1),
        ("ref_aws_regions", 1),
        ("ref_oci_services", 1),
        ("ref_oci_regions", 1),
        ("ref_provider_names", 1),
        ("ref_service_subcategories", 1),
        ("ref_allowed_values", 2),
        ("ref_focus_aliases", 2),
    ],
)
def test_a_reference_join_adds_no_rows(name: str, key: int) -> None:
    keys = [tuple(row.values())[:key] for row in load_references()[name].to_pylist()]
    assert [k for k in keys if keys.count(k) > 1] == []


def test_an_alias_does_not_compete_with_an_allowed_value() -> None:
    references = load_references()
    allowed = {(r["ColumnName"], r["Value"].lower()) for r in references["ref_allowed_values"].to_pylist()}
    aliases = references["ref_focus_aliases"].to_pylist()
    assert not allowed & {(r["ColumnName"], r["Alias"].lower()) for r in aliases}
    assert all((r["ColumnName"], r["Value"].lower()) in allowed for r in aliases)


def test_the_aws_reference_knows_a_large_bill() -> None:
    assert load_references()["ref_aws_services"].num_rows >= 90
