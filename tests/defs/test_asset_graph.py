"""The asset graph as people see it in Dagster: a change of it must be meant."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from finops_assets.definitions import defs
from finops_assets.intake.tables import BILLS
from tests.snapshots import check_snapshot


def test_the_asset_graph_is_as_it_was() -> None:
    graph = defs.resolve_asset_graph()
    found = {
        key.to_user_string(): {
            "group": graph.get(key).group_name,
            "needs": sorted(k.to_user_string() for k in graph.get(key).parent_keys),
            "owners": sorted(graph.get(key).owners),
            "kinds": sorted(graph.get(key).kinds),
            "partitioned": graph.get(key).is_partitioned,
            "automated": graph.get(key).automation_condition is not None,
            "checks": sorted(k.name for k in graph.get(key).check_keys),
        }
        for key in graph.get_all_asset_keys()
    }
    check_snapshot(Path(__file__).with_name("asset_graph.json"), found)


def test_every_asset_says_what_it_is() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key


def test_bills_show_their_columns() -> None:
    node = defs.resolve_asset_graph().get(dg.AssetKey("bills"))
    schema = node.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    assert [c.name for c in schema.columns] == [c.name for c in BILLS.columns]
