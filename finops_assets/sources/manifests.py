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
from pathlib import Path
from typing import Any

_AZURE_FORMATS = {
    "ActualCost": "azure_actual",
    "AmortizedCost": "azure_amortized",
    "FocusCost": "azure_focus",
}


class ManifestError(Exception):
    """A manifest cannot be used; the text names what was expected and found."""


@dataclass(frozen=True)
class Manifest:
    """What a manifest says: the month, the files (as the provider names them) and the delivery's id."""

    delivery_id: str
    month: str
    files: tuple[str, ...]
    exported_at: datetime | None
    format: str | None


def is_manifest(path: Path) -> bool:
    """Whether the file's name is that of a provider's manifest."""
    return path.name == "manifest.json" or path.name.lower().endswith("-manifest.json")


def read_manifest(path: Path) -> Manifest:
    """Read an AWS or Azure manifest. Raises ManifestError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ManifestError(f"{path.name}: expected a JSON manifest, found {error}") from None
    try:
        if "blobs" in content:
            return _azure(content)
        if "dataFiles" in content or "reportKeys" in content:
            return _aws(content, path)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{path.name}: the manifest lacks or garbles {error}") from None
    raise ManifestError(
        f"{path.name}: expected an AWS manifest (dataFiles or reportKeys) or an Azure one (blobs), "
        f"found the keys {', '.join(sorted(content)[:8])}"
    )


def _aws(content: dict[str, Any], path: Path) -> Manifest:
    if period := content.get("billingPeriod"):
        start = period["start"] if isinstance(period, dict) else period
        month = f"{start[:4]}-{start[4:6]}" if start[:6].isdigit() else start[:7]
    elif found := re.search(r"BILLING_PERIOD=(\d{4}-\d{2})", path.as_posix()):
        month = found.group(1)
    else:
        raise KeyError("billingPeriod")
    created = content.get("createdAt") or content.get("executionTime")
    return Manifest(
        delivery_id=str(content.get("executionId") or content["assemblyId"]),
        month=month,
        files=tuple(content.get("dataFiles") or content["reportKeys"]),
        exported_at=datetime.fromisoformat(created) if created else None,
        format=None,
    )


def _azure(content: dict[str, Any]) -> Manifest:
    run = content["runInfo"]
    return Manifest(
        delivery_id=str(run["runId"]),
        month=str(run["startDate"])[:7],
        files=tuple(blob["blobName"] for blob in content["blobs"]),
        exported_at=datetime.fromisoformat(run["submittedTime"]),
        format=_AZURE_FORMATS.get(content.get("exportConfig", {}).get("type", "")),
    )
