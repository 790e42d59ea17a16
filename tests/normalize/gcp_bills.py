"""A small Google Cloud bill, USD, invoice of January 2026; its figures are chosen to be added up by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

TEXT = pa.string()
PAIRS = pa.list_(pa.struct([("key", TEXT), ("value", TEXT)]))
MOMENT = pa.timestamp("us", "UTC")
NUMERIC = pa.decimal128(38, 9)

SCHEMA = pa.schema(
    [
        ("billing_account_id", TEXT),
        ("service", pa.struct([("id", TEXT), ("description", TEXT)])),
        ("sku", pa.struct([("id", TEXT), ("description", TEXT)])),
        ("usage_start_time", MOMENT),
        ("usage_end_time", MOMENT),
        (
            "project",
            pa.struct(
                [
                    ("id", TEXT),
                    ("number", TEXT),
                    ("name", TEXT),
                    ("labels", PAIRS),
                    ("ancestry_numbers", TEXT),
                    (
                        "ancestors",
                        pa.list_(pa.struct([("resource_name", TEXT), ("display_name", TEXT)])),
                    ),
                ]
            ),
        ),
        ("labels", PAIRS),
        ("system_labels", PAIRS),
        (
            "tags",
            pa.list_(
                pa.struct([("key", TEXT), ("value", TEXT), ("inherited", pa.bool_()), ("namespace", TEXT)])
            ),
        ),
        (
            "location",
            pa.struct([("location", TEXT), ("country", TEXT), ("region", TEXT), ("zone", TEXT)]),
        ),
        ("export_time", MOMENT),
        ("cost", pa.float64()),
        ("currency", TEXT),
        ("currency_conversion_rate", pa.float64()),
        (
            "usage",
            pa.struct(
                [
                    ("amount", pa.float64()),
                    ("unit", TEXT),
                    ("amount_in_pricing_units", pa.float64()),
                    ("pricing_unit", TEXT),
                ]
            ),
        ),
        (
            "credits",
            pa.list_(
                pa.struct(
                    [
                        ("name", TEXT),
                        ("amount", pa.float64()),
                        ("full_name", TEXT),
                        ("id", TEXT),
                        ("type", TEXT),
                    ]
                )
            ),
        ),
        ("invoice", pa.struct([("month", TEXT), ("publisher_type", TEXT)])),
        ("cost_type", TEXT),
        (
            "adjustment_info",
            pa.struct([("id", TEXT), ("description", TEXT), ("mode", TEXT), ("type", TEXT)]),
        ),
        ("cost_at_list", pa.float64()),
        ("cost_at_effective_price_default", NUMERIC),
        (
            "price",
            pa.struct(
                [
                    ("list_price", NUMERIC),
                    ("effective_price_default", NUMERIC),
                    ("effective_price", NUMERIC),
                    ("tier_start_amount", NUMERIC),
                    ("unit", TEXT),
                    ("pricing_unit_quantity", NUMERIC),
                ]
            ),
        ),
        ("consumption_model", pa.struct([("id", TEXT), ("description", TEXT)])),
        ("subscription", pa.struct([("instance_id", TEXT)])),
        ("transaction_type", TEXT),
        ("seller_name", TEXT),
        ("resource", pa.struct([("name", TEXT), ("global_name", TEXT)])),
    ]
)

MACHINE: dict[str, Any] = {
    "billing_account_id": "0A0A0A-0B0B0B-0C0C0C",
    "service": {"id": "6F81-5844-456A", "description": "Compute Engine"},
    "sku": {"id": "SKU-1", "description": "N2 Instance Core running in Americas"},
    "usage_start_time": datetime(2026, 1, 5, 1, tzinfo=UTC),
    "usage_end_time": datetime(2026, 1, 5, 2, tzinfo=UTC),
    "project": {
        "id": "shop-prod",
        "number": "77",
        "name": "Shop",
        "labels": [{"key": "env", "value": "prod"}, {"key": "team", "value": "platform"}],
        "ancestry_numbers": "/1/2/",
        "ancestors": [
            {"resource_name": "folders/2", "display_name": "retail"},
            {"resource_name": "organizations/1", "display_name": "example.com"},
        ],
    },
    "labels": [{"key": "team", "value": "web"}],
    "system_labels": [
        {"key": "compute.googleapis.com/cores", "value": "4"},
        {"key": "compute.googleapis.com/machine_spec", "value": "n2-standard-4"},
    ],
    "tags": [{"key": "cost-center", "value": "42", "inherited": False, "namespace": "1"}],
    "location": {
        "location": "us-central1-a",
        "country": "US",
        "region": "us-central1",
        "zone": "us-central1-a",
    },
    "export_time": datetime(2026, 1, 6, tzinfo=UTC),
    "cost": 10.5,
    "currency": "USD",
    "currency_conversion_rate": 1.0,
    "usage": {
        "amount": 3600.0,
        "unit": "seconds",
        "amount_in_pricing_units": 1.0,
        "pricing_unit": "hour",
    },
    "credits": [],
    "invoice": {"month": "202601", "publisher_type": "GOOGLE"},
    "cost_type": "regular",
    "cost_at_list": 12.0,
    "price": {
        "list_price": Decimal(12),
        "effective_price": Decimal("10.5"),
        "tier_start_amount": Decimal(0),
        "unit": "hour",
        "pricing_unit_quantity": Decimal(1),
    },
    "consumption_model": {"id": "7754-699E-0EBF", "description": "Default"},
    "transaction_type": "GOOGLE",
    "resource": {
        "name": "web-1",
        "global_name": "//compute.googleapis.com/projects/shop-prod/zones/us-central1-a/instances/991",
    },
}


def credit(kind: str, amount: float, name: str, identifier: str = "id") -> dict[str, Any]:
    return {"name": name, "amount": amount, "full_name": name, "id": identifier, "type": kind}


PLAIN = MACHINE
CREDITED = MACHINE | {
    "credits": [
        credit("SUSTAINED_USAGE_DISCOUNT", -1e-7, "Sustained use"),
        credit("PROMOTION", -0.25, 'A promotion of "amount": 9'),
        credit("FREE_TIER", -0.1, "Free tier"),
    ]
}
COVERED = MACHINE | {
    "cost": 8.0,
    "credits": [
        credit("COMMITTED_USAGE_DISCOUNT", -8.0, "", "Committed Usage Discount: CPU"),
        credit("RESELLER_MARGIN", -0.125, "Margin"),
    ],
}
FEE = MACHINE | {
    "sku": {"id": "SKU-FEE", "description": "Commitment v1: N2 Cpu in Americas for 1 Year"},
    "cost": 5.0,
    "cost_at_list": 5.0,
    "subscription": {"instance_id": "subscription-1"},
    "resource": None,
    "labels": [],
    "tags": [],
}
NEW_FEE = FEE | {
    "sku": {"id": "SKU-FLEX", "description": "Compute flexible committed use, 1 year"},
    "cost": 6.0,
    "credits": [credit("FEE_UTILIZATION_OFFSET", -4.5, "Spend-based commitment", "offset")],
}
MODEL_PRICED = MACHINE | {
    "cost": 4.5,
    "cost_at_effective_price_default": Decimal("6.25"),
    "consumption_model": {"id": "5515-81A8", "description": "Compute Flexible CUDs - 1 Year"},
}
TAX = MACHINE | {"cost_type": "tax", "cost": 1.19, "cost_at_list": None, "usage": None, "resource": None}
ROUNDING = MACHINE | {"cost_type": "rounding_error", "cost": -0.004, "cost_at_list": None}
CORRECTED = MACHINE | {
    "cost": -3.0,
    "cost_at_list": -3.0,
    "adjustment_info": {
        "id": "adj-1",
        "description": "Overcharged",
        "mode": "PARTIAL_CORRECTION",
        "type": "USAGE_CORRECTION",
    },
}
PARTNER = MACHINE | {
    "service": {"id": "P-1", "description": "Contoso Cloud"},
    "sku": {"id": "P-2", "description": "Contoso requests"},
    "location": {"location": "mars-north1", "country": None, "region": None, "zone": None},
    "cost": 2.5,
    "cost_at_list": 2.5,
    "transaction_type": "THIRD_PARTY_AGENCY",
    "invoice": {"month": "202601", "publisher_type": "PARTNER"},
    "seller_name": "Contoso Inc.",
    "price": {
        "list_price": Decimal("2.5"),
        "effective_price": Decimal("2.5"),
        "tier_start_amount": Decimal("1000000"),
        "unit": "count",
        "pricing_unit_quantity": Decimal(1000),
    },
}
ROWS = [
    PLAIN, CREDITED, COVERED, FEE, NEW_FEE, MODEL_PRICED, TAX, ROUNDING, CORRECTED, PARTNER,
]  # fmt: skip
# Costs 10.5 + 10.5 + 8 + 5 + 6 + 4.5 + 1.19 - 0.004 - 3 + 2.5 = 45.186;
# credits -0.0000001 - 0.25 - 0.1 - 8 - 0.125 - 4.5 = -12.9750001.
TOTAL = Decimal("32.2109999")


def write(path: Path, rows: Sequence[dict[str, Any]], *, without: Sequence[str] = ()) -> Path:
    table = pa.Table.from_pylist([dict.fromkeys(SCHEMA.names) | row for row in rows], SCHEMA)
    pq.write_table(table.drop_columns(list(without)), path)
    return path
