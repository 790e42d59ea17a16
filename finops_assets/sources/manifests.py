"""Providers' manifests: which files make up one delivery of one month.

AWS: Data Exports and legacy CUR write `<export>-Manifest.json` per billing period
(docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html). Azure: Cost Management
exports write `manifest.json` per run folder
(learn.microsoft.com/azure/cost-management-billing/costs/tutorial-improved-exports).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from finops_assets.sources.base import Promise

_AZURE_FORMATS = {
    "ActualCost": "azure_actual",
    "AmortizedCost": "azure_amortized",
    "FocusCost": "azure_focus",
}


class ManifestError(Exception):
    """A manifest cannot be used; the text names what was expected and found."""


@dataclass(frozen=True)
class Manifest:
    """What a manifest says: the month, the files (as the provider names them) and the delivery's id.

    `export` is the export's own name. A promise names its file as the manifest does.
    """

    delivery_id: str
    month: str
    files: tuple[Promise, ...]
    exported_at: datetime | None
    format: str | None
    export: str


def is_manifest(name: str) -> bool:
    """Whether an object's name is that of a provider's manifest."""
    tail = name.rsplit("/", 1)[-1]
    return tail == "manifest.json" or tail.lower().endswith("-manifest.json")


def read_manifest(name: str, text: bytes) -> Manifest:
    """Read an AWS or Azure manifest that lies at `name`. Raises ManifestError."""
    try:
        content = json.loads(text.decode("utf-8-sig"))
    except ValueError as error:
        raise ManifestError(f"{name}: expected a JSON manifest, found {error}") from None
    try:
        if "blobs" in content:
            return _azure(content)
        if "dataFiles" in content or "reportKeys" in content:
            return _aws(content, name)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{name}: the manifest lacks or garbles {error}") from None
    raise ManifestError(
        f"{name}: expected an AWS manifest (dataFiles or reportKeys) or an Azure one (blobs), "
        f"found the keys {', '.join(sorted(content)[:8])}"
    )


def _aws(content: dict[str, Any], name: str) -> Manifest:
    if period := content.get("billingPeriod"):
        start = period["start"] if isinstance(period, dict) else period
        month = f"{start[:4]}-{start[4:6]}" if start[:6].isdigit() else start[:7]
    elif found := re.search(r"BILLING_PERIOD=(\d{4}-\d{2})", name):
        month = found.group(1)
    else:
        raise KeyError("billingPeriod")
    created = content.get("createdAt") or content.get("executionTime")
    own_name = re.sub(r"-manifest\.json$", "", PurePosixPath(name).name, flags=re.IGNORECASE)
    return Manifest(
        delivery_id=str(content.get("executionId") or content["assemblyId"]),
        month=month,
        files=tuple(Promise(file) for file in content.get("dataFiles") or content["reportKeys"]),
        exported_at=datetime.fromisoformat(created) if created else None,
        format=None,
        export=str(content.get("exportArn") or content.get("reportName") or own_name),
    )


def _azure(content: dict[str, Any]) -> Manifest:
    run, config = content["runInfo"], content.get("exportConfig", {})
    return Manifest(
        delivery_id=str(run["runId"]),
        month=str(run["startDate"])[:7],
        files=tuple(
            Promise(blob["blobName"], _count(blob.get("byteCount")), _count(blob.get("dataRowCount")))
            for blob in content["blobs"]
        ),
        exported_at=datetime.fromisoformat(run["submittedTime"]),
        format=_AZURE_FORMATS.get(config.get("type", "")),
        export=str(config.get("resourceId") or config.get("exportName") or config.get("type") or "export"),
    )


def _count(given: object) -> int | None:
    return None if given is None else int(str(given))
