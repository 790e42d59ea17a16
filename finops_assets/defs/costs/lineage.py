"""From a column of `costs` to the native columns it is made of, read out of the normalization SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

import dagster as dg
from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from finops_assets.normalize.format import Format
from finops_assets.normalize.formats import FORMAT_BY_NAME
from finops_assets.normalize.references import load_references


def costs_lineage(formats: Iterable[str]) -> dg.TableColumnLineage:
    """`costs` column → its columns in the raw tables of these formats."""
    found: dict[str, list[dg.TableColumnDep]] = defaultdict(list)
    for name in sorted(set(formats)):
        form = FORMAT_BY_NAME[name]
        key = dg.AssetKey(form.raw_table().name)
        for column, natives in native_columns(form).items():
            found[column] += [dg.TableColumnDep(asset_key=key, column_name=n) for n in sorted(natives)]
    return dg.TableColumnLineage(dict(found))


@cache
def native_columns(form: Format) -> dict[str, frozenset[str]]:
    """Column that the format's SQL gives → the columns of its raw table that it reads."""
    raw = {c.name: "VARCHAR" for c in form.raw_table().columns}
    references = {name: dict.fromkeys(t.column_names, "VARCHAR") for name, t in load_references().items()}
    schema = {"raw": raw, "bill_formats": {"format": "VARCHAR"}, **references}
    query = qualify(
        parse_one(form.sql, dialect="duckdb"),
        schema=schema,
        dialect="duckdb",
        validate_qualify_columns=False,
        quote_identifiers=False,
    )
    scope = build_scope(query)
    if scope is None:
        raise ValueError(f"{form.name}.sql is not a query")
    columns = {c.name.lower(): c.name for c in form.raw_table().columns}
    return {
        name: frozenset(columns[n] for n in _natives(scope, name) if n in columns)
        for name in scope.expression.named_selects
    }


def _natives(scope: Scope, column: str) -> set[str]:
    """Lower-case names of the raw columns that one output column of a scope reads."""
    if scope.union_scopes:
        names = scope.expression.named_selects
        position = names.index(column) if column in names else -1
        found: set[str] = set()
        for branch in scope.union_scopes:
            branch_names = branch.expression.named_selects
            name = column if column in branch_names else branch_names[position]
            found |= _natives(branch, name)
        return found
    for selected in scope.expression.selects:
        if selected.alias_or_name.lower() == column.lower():
            return _read_by(scope, selected)
    return set()


def _read_by(scope: Scope, expression: exp.Expression) -> set[str]:
    found: set[str] = set()
    for column in expression.find_all(exp.Column):
        source = scope.sources.get(column.table)
        if isinstance(source, Scope):
            found |= _natives(source, column.name)
        elif isinstance(source, exp.Table) and source.name == "raw":
            found.add(column.name.lower())
    return found
