"""The API's description: a change of it must be meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from finops_api.openapi import document
from tests.snapshots import check_snapshot


def operations() -> list[tuple[str, dict[str, Any]]]:
    paths = json.loads(document())["paths"]
    return [(f"{verb} {path}", op) for path, verbs in paths.items() for verb, op in verbs.items()]


def test_the_description_is_as_it_was() -> None:
    check_snapshot(Path(__file__).with_name("openapi.json"), json.loads(document()))


def test_the_command_writes_what_the_snapshot_keeps() -> None:
    assert document() == Path(__file__).with_name("openapi.json").read_text(encoding="utf-8")


def test_every_operation_is_described_and_named_once() -> None:
    ids = [op["operationId"] for _, op in operations()]
    assert len(set(ids)) == len(ids)
    for name, op in operations():
        assert op["summary"], name
        assert op["description"], name
        for parameter in op.get("parameters", ()):
            described = parameter.get("description") or parameter["in"] == "path"
            assert described, (name, parameter["name"])


def test_every_reference_leads_somewhere() -> None:
    text = document()
    schemas = json.loads(text)["components"]["schemas"]
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= set(schemas)
