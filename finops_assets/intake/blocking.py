"""Rows that break a rule on which every figure depends hold a bill back, until somebody decides otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from finops_assets.engine.duckdb import DuckDBEngine
from finops_assets.focus.columns import columns
from finops_assets.focus.rules import RowRule, blocking_rules
from finops_assets.intake.bill import ACCEPTED, QUARANTINED, Bill
from finops_assets.schema import literal, quote


def broken_rules(engine: DuckDBEngine, rows: Path) -> str | None:
    """What the rows of a FOCUS bill break, in words with the first row of each rule; None when nothing."""
    rules = blocking_rules()
    outcomes = ", ".join(f"{_failed(r)} AS f{n}, {_first(r)} AS s{n}" for n, r in enumerate(rules))
    delivered = f"read_parquet({literal(str(rows))}, hive_partitioning = false)"
    with engine.connect() as connection:
        found = connection.execute(
            f"SELECT {outcomes} FROM (SELECT * REPLACE ({_respelled('ChargeCategory')}) FROM {delivered})"
        ).fetchone()
    assert found is not None  # noqa: S101 - an aggregate has one row
    broken = [
        f"{rule.rule} ({rule.says.rstrip('.')}) in {found[2 * n]:,} row(s), the first {found[2 * n + 1]}"
        for n, rule in enumerate(rules)
        if found[2 * n]
    ]
    return "; ".join(broken) or None


def decided(known: Sequence[Bill], accepted: Mapping[str, str]) -> dict[str, str]:
    """Fingerprint → reason of held bills that a decision to take them has come for since.

    `accepted` is bill_id → reason. A bill that a later one has replaced in force is not gone back to.
    """
    found: dict[str, str] = {}
    for bill in reversed(known):
        if bill.status == ACCEPTED:
            break
        reason = accepted.get(bill.bill_id)
        if bill.status == QUARANTINED and reason is not None and reason != bill.decision:
            found[bill.fingerprint] = reason
    return found


def how_to_accept(bill_id: str) -> str:
    """What to write to take a held bill as it is."""
    return f'to take it as it is, say why in finops.toml: [accepted_bills] "{bill_id}" = "…"'


def _respelled(name: str) -> str:
    """The value as FOCUS spells it: Google's own view writes lower case, which normalizing mends."""
    [column] = (c for c in columns() if c.name == name)
    spellings = ", ".join(f"{literal(value.lower())}: {literal(value)}" for value in column.allowed_values)
    return f"coalesce(MAP {{{spellings}}}[lower({quote(name)})], {quote(name)}) AS {quote(name)}"


def _breaks(rule: RowRule) -> str:
    return f"({rule.when}) AND NOT coalesce({rule.must}, false)"


def _failed(rule: RowRule) -> str:
    return f"count_if({_breaks(rule)})"


def _first(rule: RowRule) -> str:
    found = f"coalesce(CAST({quote(rule.column)} AS VARCHAR), 'nothing')"
    place = f"x_File || ': row ' || x_RowNumber || ', column {rule.column}: found ' || {found}"
    return f"arg_min({place}, (x_File, x_RowNumber)) FILTER ({_breaks(rule)})"
