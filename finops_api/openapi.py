"""The API's description, as the snapshot test keeps it.

python -m finops_api.openapi > tests/api/openapi.json
"""

from __future__ import annotations

import json
import sys

from finops_api.app import create_app
from finops_assets.settings import Settings


def document() -> str:
    """openapi.json, sorted and indented."""
    return json.dumps(create_app(Settings()).openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
