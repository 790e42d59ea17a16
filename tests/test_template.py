"""The configuration that `finops sources init` writes: valid as it is, and with every line uncommented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from finops_assets.cli import TEMPLATE
from finops_assets.settings import load_settings


@pytest.mark.parametrize("uncommented", [False, True])
def test_the_template_is_a_valid_configuration(
    uncommented: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    if uncommented:
        text = re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE)
    path = tmp_path / "finops.toml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("FINOPS_CONFIG", str(path))
    kinds = {source.kind for source in load_settings().sources.values()}
    assert kinds == (
        {"demo"}
        if not uncommented
        else {
            "aws_export",
            "aws_cost_explorer",
            "azure_export",
            "azure_query",
            "files",
            "s3_files",
            "blob_files",
            "gcs_files",
            "gcp_bigquery",
        }
    )
