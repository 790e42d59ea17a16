from __future__ import annotations

import pytest

from finops_assets.defs.costs.lineage import costs_lineage, native_columns
from finops_assets.normalize.format import Format
from finops_assets.normalize.formats import FORMATS


@pytest.mark.parametrize("form", FORMATS, ids=lambda f: f.name)
def test_every_format_says_what_its_costs_are_made_of(form: Format) -> None:
    found = native_columns(form)
    assert found["x_RowNumber"] == {"x_RowNumber"}
    assert found["BilledCost"], "an amount comes from somewhere"
    assert form.currency in found["BillingCurrency"]


def test_known_origins() -> None:
    by_name = {form.name: native_columns(form) for form in FORMATS}
    assert "line_item_unblended_cost" in by_name["aws_cur2"]["BilledCost"]
    assert "CostInBillingCurrency" in by_name["azure_actual"]["BilledCost"]
    assert by_name["oci_cost"]["BilledCost"] == {"cost/myCost"}
    assert by_name["focus"]["BilledCost"] == {"BilledCost"}


def test_lineage_of_several_formats_names_each_raw_table() -> None:
    lineage = costs_lineage(["oci_cost", "focus"])
    tables = {dep.asset_key.to_user_string() for dep in lineage.deps_by_column["BilledCost"]}
    assert tables == {"raw_oci_cost", "raw_focus"}
