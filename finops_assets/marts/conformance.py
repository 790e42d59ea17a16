"""The SQL that holds a bill's rows against the rules of FOCUS: one pass for all rules of a single row.

FOCUS's other datasets, where they are delivered, are held to theirs in the same way. What is of no currency
is filed under XXX, ISO 4217's word for that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from finops_assets.focus.columns import COST_AND_USAGE, columns
from finops_assets.focus.rules import AcrossRule, RowRule, across_rules, row_rules
from finops_assets.schema import BILL_KEYS, BY_BILL, MONEY, Column, Table, literal, quote

SAMPLES = 3
"""How many rows that break a rule are named."""

CONFORMANCE = Table(
    name="conformance",
    description="How a month's bill keeps one rule of FOCUS: rows checked and failed, their cost, samples.",
    columns=(
        Column("rule", "VARCHAR"),
        Column("column_name", "VARCHAR", "The FOCUS column that a broken rule is blamed on."),
        Column("level", "VARCHAR", "MUST or SHOULD."),
        Column("says", "VARCHAR", "The rule in words."),
        Column("section", "VARCHAR", "The section of the FOCUS specification."),
        Column("focus_version", "VARCHAR", "The version of the delivered bill; 1.4 where we normalized it."),
        Column("BillingCurrency", "VARCHAR"),
        Column("checked", "BIGINT", "Rows that the rule applies to."),
        Column("failed", "BIGINT", "Rows of these that break it."),
        Column("total_cost", MONEY, "Sum of the absolute EffectiveCost of all rows of the currency."),
        Column("failed_cost", MONEY, "The same of the rows that break the rule."),
        Column("samples", "VARCHAR", "Up to three rows that break it: JSON of x_File, x_RowNumber, found."),
        *BILL_KEYS,
    ),
    partition_by=BY_BILL,
    order_by=("rule", "BillingCurrency"),
)


_AS_CHARGES = {
    COST_AND_USAGE: "charges",
    "BillingPeriod": (
        f"(SELECT *, 'XXX' AS BillingCurrency, CAST(0 AS {MONEY}) AS EffectiveCost FROM delivered)"
    ),
    "InvoiceDetail": "(SELECT *, BilledCost AS EffectiveCost FROM delivered)",
    "ContractCommitment": (
        "(SELECT * REPLACE (coalesce(BillingCurrency, 'XXX') AS BillingCurrency), "
        "ContractCommitmentCost AS EffectiveCost FROM delivered)"
    ),
}
"""Dataset → its rows with what each costs, and in which currency."""


def rules_of(version: str, dataset: str = COST_AND_USAGE) -> tuple[list[RowRule], list[AcrossRule]]:
    """The rules that a bill of FOCUS `version` ('1.0' to '1.4') is held to: those that it knows."""
    since = {c.name: c.since for c in columns(dataset)}

    def is_known(rule: RowRule | AcrossRule) -> bool:
        return _numbers(rule.since or since[rule.column]) <= _numbers(version)

    return (
        [r for r in row_rules(dataset) if is_known(r)],
        [r for r in across_rules(dataset) if is_known(r)],
    )


def counts_sql(version: str, dataset: str = COST_AND_USAGE) -> str:
    """SQL over `charges`, FOCUS rows: BillingCurrency, rule, checked and failed of each rule of a row.

    Rows of another dataset are the relation `delivered`.

    One pass, and nothing but counts: most rules are broken nowhere, and what else is told of those that are
    (`conformance_sql`) costs as much again.
    """
    rules, _ = rules_of(version, dataset)
    marks = ", ".join(f"({r.when}) AS w{n}, {_breaks(r)} AS b{n}" for n, r in enumerate(rules))
    counts = ", ".join(
        # DuckDB counts no true among nothing but nulls as null.
        f"coalesce(count_if(w{n}), 0) AS c{n}, coalesce(count_if(b{n}), 0) AS f{n}"
        + (f", count({quote(r.column)}) AS p{n}" if r.needs_column else "")
        for n, r in enumerate(rules)
    )
    outcomes = ", ".join(_counted(n, r) for n, r in enumerate(rules))
    return (
        f"SELECT BillingCurrency, unnest([{outcomes}], recursive := true) FROM ("
        f"SELECT BillingCurrency, {counts} FROM (SELECT *, {marks} FROM {_AS_CHARGES[dataset]}) "
        "GROUP BY BillingCurrency)"
    )


def conformance_sql(version: str, broken: Collection[str], dataset: str = COST_AND_USAGE) -> str:
    """SQL over `charges` and `counts` (what `counts_sql` gave): rows of `conformance`, partition apart.

    `broken` names the rules of a row that `counts` has failures of. Rows of another dataset are `delivered`.
    """
    rules, across = rules_of(version, dataset)
    relation = _AS_CHARGES[dataset]
    described = ", ".join(f"{{{_described(r)}}}" for r in rules)
    details = " UNION ALL ".join(_details(r, relation) for r in rules if r.rule in broken) or (
        f"SELECT '' AS rule, '' AS BillingCurrency, NULL::{MONEY} AS failed_cost, '' AS samples WHERE false"
    )
    of_rows = f"""
SELECT * EXCLUDE (failed_cost, samples), coalesce(failed_cost, 0) AS failed_cost,
    coalesce(samples, '[]') AS samples
FROM counts
JOIN (SELECT unnest([{described}], recursive := true)) USING (rule)
LEFT JOIN ({details}) USING (rule, BillingCurrency)"""
    parts = (of_rows, *(_across_part(r) for r in across if not r.is_between))
    return _with_totals(parts, relation, version)


def between_sql(version: str, dataset: str) -> str:
    """SQL over `charges` and `delivered`: the same of the rules of both together."""
    _, across = rules_of(version, dataset)
    return _with_totals([_across_part(r) for r in across if r.is_between], "charges", version)


def _with_totals(parts: Sequence[str], relation: str, version: str) -> str:
    return f"""
SELECT *, {literal(version)} AS focus_version
FROM ({" UNION ALL BY NAME ".join(parts)})
LEFT JOIN (
    SELECT BillingCurrency, coalesce(sum(abs(EffectiveCost)), 0) AS total_cost
    FROM {relation} GROUP BY BillingCurrency
) USING (BillingCurrency)"""


def _breaks(rule: RowRule) -> str:
    return f"({rule.when}) AND NOT coalesce({rule.must}, false)"


def _counted(n: int, rule: RowRule) -> str:
    checked, failed = f"c{n}", f"f{n}"
    if rule.needs_column:
        checked, failed = (f"if(p{n} > 0, {count}, 0)" for count in (checked, failed))
    return f"{{'rule': {literal(rule.rule)}, 'checked': {checked}, 'failed': {failed}}}"


def _details(rule: RowRule, relation: str) -> str:
    sample = (
        "json_object('x_File', x_File, 'x_RowNumber', x_RowNumber, "
        f"'found', CAST({quote(rule.column)} AS VARCHAR))"
    )
    return (
        f"SELECT {literal(rule.rule)} AS rule, BillingCurrency, sum(abs(EffectiveCost)) AS failed_cost, "
        f"CAST(to_json(arg_min({sample}, (x_File, x_RowNumber), {SAMPLES})) AS VARCHAR) AS samples "
        f"FROM {relation} WHERE {_breaks(rule)} GROUP BY BillingCurrency"
    )


def _described(rule: RowRule | AcrossRule) -> str:
    told = {
        "rule": rule.rule,
        "column_name": rule.column,
        "level": rule.level,
        "says": rule.says,
        "section": rule.source,
    }
    return ", ".join(f"'{name}': {literal(text)}" for name, text in told.items())


def _across_part(rule: AcrossRule) -> str:
    return f"""
SELECT BillingCurrency, unnest({{{_described(rule)}}}, recursive := true),
    CAST(sum("rows") AS BIGINT) AS checked,
    CAST(coalesce(sum("rows") FILTER (NOT passed), 0) AS BIGINT) AS failed,
    CAST(coalesce(sum(abs(cost)) FILTER (NOT passed), 0) AS {MONEY}) AS failed_cost,
    CAST(to_json(coalesce(arg_min(
        -- CASE: else a sample is made of every group before the filter drops it.
        CASE WHEN NOT passed THEN json_object(
            'x_File', x_File, 'x_RowNumber', x_RowNumber, 'key', key, 'expected', expected, 'found', found
        ) END, key, {SAMPLES}
    ) FILTER (NOT passed), [])) AS VARCHAR) AS samples
FROM ({rule.sql})
GROUP BY BillingCurrency"""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
