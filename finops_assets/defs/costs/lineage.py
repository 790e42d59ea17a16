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
from finops_assets.normalize.tables import normalized_columns


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
    schema: dict[str, object] = {"raw": raw, "bill_formats": {"format": "VARCHAR"}, **references}
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
    # SQL names compare without case, and the parser lowers them: give them back as they are written.
    natives = {c.name.lower(): c.name for c in form.raw_table().columns}
    outputs = {c.name.lower(): c.name for c in normalized_columns()}
    return {
        outputs[name.lower()]: frozenset(natives[n] for n in _natives(scope, name) if n in natives)
        for name in _outputs(scope)
    }


def _natives(scope: Scope, column: str) -> set[str]:
    """Lower-case names of the raw columns that one output column of a scope reads."""
    if not isinstance(scope.expression, exp.Query):  # a row function beside a table: all that goes in
        return _read_by(scope.parent, scope.expression) if scope.parent else set()
    if scope.set_operation_scopes:
        position = _outputs(scope).index(column)
        found: set[str] = set()
        for branch in scope.set_operation_scopes:
            names = _outputs(branch)
            if column in names:
                found |= _natives(branch, column)
            elif not _is_by_name(scope):
                found |= _natives(branch, names[position])
        return found
    for selected in _query(scope).selects:
        if selected.alias_or_name.lower() == column.lower():
            return _read_by(scope, selected)
    return set()


def _query(scope: Scope) -> exp.Query:
    if not isinstance(scope.expression, exp.Query):
        raise TypeError(f"expected a query, found {scope.expression.sql()}")
    return scope.expression


def _outputs(scope: Scope) -> list[str]:
    return _query(scope).named_selects


def _is_by_name(scope: Scope) -> bool:
    return bool(scope.expression.args.get("by_name"))


def _read_by(scope: Scope, expression: exp.Expr) -> set[str]:
    found: set[str] = set()
    for column in expression.find_all(exp.Column):
        source = scope.sources.get(column.table)
        if isinstance(source, Scope):
            found |= _natives(source, column.name)
        elif isinstance(source, exp.Table) and source.name == "raw":
            found.add(column.name.lower())
    return found
