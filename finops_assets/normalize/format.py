"""What a bill format is, as data: how to recognize it, how to read its columns, what to add up.

A format's raw table has fixed columns whatever a delivery holds: the known ones, typed, under one
canonical name; families of columns that come and go (`product/…`, `resourceTags/…`) folded into one
JSON column each; and everything else that was delivered in `x_Extra`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from finops_assets.focus.columns import COST_AND_USAGE
from finops_assets.schema import BILL_KEYS, BY_BILL, MONEY, QUANTITY, ROW_ORIGIN, Column, Table

_INCLUDE = re.compile(r"^-- include: (_\w+\.sql)$", re.MULTILINE)
"""A line of a normalization that stands for another file: what two formats share."""


_FOLDER = files("finops_assets.normalize")


def _load(name: str) -> str:
    text = _FOLDER.joinpath(name).read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda found: _FOLDER.joinpath(found[1]).read_text(encoding="utf-8"), text)


class Kind(StrEnum):
    """How a delivered value is read, and the DuckDB type it becomes."""

    TEXT = "VARCHAR"
    AMOUNT = MONEY
    QUANTITY = QUANTITY
    TIME = "TIMESTAMPTZ"
    JSON = "JSON"
    """JSON text, or a nested Parquet value (MAP, STRUCT, LIST) as JSON; kept as VARCHAR."""
    CURRENCY = "CURRENCY"
    """An ISO 4217 code; kept as VARCHAR."""


@dataclass(frozen=True)
class RawColumn:
    """One known column. `name` is canonical; `aliases` are other spellings seen in deliveries.

    Names compare without case. `required` columns must be in the header, and an AMOUNT, TIME or
    CURRENCY that is required must not be null in any row.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """The DuckDB type in the raw table."""
        return "VARCHAR" if self.kind in (Kind.JSON, Kind.CURRENCY) else self.kind.value


@dataclass(frozen=True)
class Fold:
    """Delivered columns whose name begins with `prefix`, gathered into the JSON column `into`.

    Keys are the rest of the names; nulls are left out.
    """

    prefix: str
    into: str


@dataclass(frozen=True)
class Format:
    """One native layout.

    - `signature`: canonical column names that together tell this format from every other.
    - `dataset`: which of FOCUS's datasets its rows are; only Cost and Usage is normalized and added up.
    - `month`: SQL over the raw columns giving the row's billing month as 'YYYY-MM'; empty where rows are of
      no month, and belong to that in which they were delivered.
    - `metric`, `amount`: the FOCUS cost that the bill itself states (`BilledCost`, or `EffectiveCost`
      for an amortized bill) and the SQL over raw columns whose sum is the bill's control total; empty
      where rows are not charges.
    - `currency`: the raw column that holds the currency of `amount`.
    - `invoice`: SQL over raw columns giving the number of the invoice; empty where a bill states none.
    - `null_texts`: texts that mean null in text files.
    - `companion`: the format that, delivered beside this one for the same month, shares its bill.
    """

    name: str
    title: str
    provider: str
    columns: tuple[RawColumn, ...]
    signature: frozenset[str]
    month: str
    amount: str = ""
    currency: str = ""
    dataset: str = COST_AND_USAGE
    metric: str = "BilledCost"
    invoice: str = ""
    folds: tuple[Fold, ...] = ()
    null_texts: tuple[str, ...] = ("",)
    companion: str | None = None

    @property
    def is_bill(self) -> bool:
        """Whether its rows are charges; those of FOCUS's other datasets go with a bill."""
        return self.dataset == COST_AND_USAGE

    @property
    def is_focus(self) -> bool:
        """Whether the bill is written in FOCUS, in the version that its columns tell."""
        return self.name == "focus" or self.name.endswith("_focus")

    @property
    def sql(self) -> str:
        """The normalization: reads the relation `raw` (this format's raw table) and gives FOCUS 1.4 rows."""
        return _load(f"{self.name}.sql")

    @property
    def commitments_sql(self) -> str | None:
        """SQL over `raw` giving the terms of the commitments it names; None where the format tells none.

        Columns: CommitmentDiscountId, PeriodStart, PeriodEnd (TIMESTAMPTZ), PaymentModel and
        FulfillmentInterval in FOCUS's words.
        """
        name = f"{self.name}_commitments.sql"
        return _load(name) if _FOLDER.joinpath(name).is_file() else None

    @property
    def reading(self) -> str:
        """All that decides how a delivered file becomes raw rows, the same text in every process."""
        return repr((self.name, self.columns, self.folds, self.null_texts, self.month, self.amount))

    def raw_table(self) -> Table:
        """`raw_<format>`: one native row as delivered."""
        known = [Column(c.name, c.type) for c in self.columns]
        folded = [Column(f.into, "VARCHAR", f"Columns {f.prefix}*, as JSON.") for f in self.folds]
        extra = Column("x_Extra", "VARCHAR", "Every other delivered column, as JSON.")
        return Table(
            name=f"raw_{self.name}",
            description=f"{self.title}: one native row as delivered.",
            columns=(*known, *folded, extra, *ROW_ORIGIN, *BILL_KEYS),
            partition_by=BY_BILL,
        )
