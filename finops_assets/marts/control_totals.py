"""`control_totals`: amounts that are given for a bill, held against what it comes to."""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.marts.invoices import PARTS, finality
from finops_assets.normalize.format import Format
from finops_assets.normalize.formats import IS_OF_BILL
from finops_assets.schema import BILL_KEYS, BY_BILL, MONEY, Column, Table

CONTROL_TOTALS = Table(
    name="control_totals",
    description="One amount that an invoice, or all of a month, should come to, and what the bill comes to.",
    columns=(
        Column("InvoiceId", "VARCHAR", "Null: the amount is of all of the source's month."),
        Column("BillingCurrency", "VARCHAR"),
        Column("expected", MONEY, "The amount that was given."),
        Column("given_by", "VARCHAR", "finops.toml, or the provider's Invoice Detail dataset."),
        Column("digits", "INTEGER", "Its decimals, to which the bill is held."),
        Column("found", MONEY, "The sum of BilledCost of the rows that it is of."),
        Column("residual", MONEY, "found - expected, every digit."),
        Column(
            "passed", "BOOLEAN", "Whether found, rounded to the digits, is expected; of half a unit both are."
        ),
        Column("cause", "VARCHAR", "The likely cause of a residual; null where there is none."),
        *BILL_KEYS,
    ),
    partition_by=BY_BILL,
    order_by=("InvoiceId", "BillingCurrency"),
)

LEFT_OUT = {
    "tax": ("tax",),
    "marketplace": ("marketplace",),
    "credits": ("credits",),
    "tax and marketplace": ("tax", "marketplace"),
    "tax and credits": ("tax", "credits"),
    "marketplace and credits": ("marketplace", "credits"),
    "tax, marketplace and credits": ("tax", "marketplace", "credits"),
}
"""Causes that are exact: what the amount may leave out, the likeliest first."""

ROUNDING = "rounding"
NOT_FINAL = "not final"
NO_CHARGES = "no such charges"
NO_BILL = "no bill"
UNEXPLAINED = "unexplained"

KNOWN_CAUSES = frozenset({*LEFT_OUT, ROUNDING, NOT_FINAL})
"""Causes that say why; a residual of any other one wants a look."""

CONFIGURED, BY_PROVIDER = "finops.toml", "Invoice Detail"

_GIVEN = f"""
-- What a provider delivers, nothing of it inferred here. An open or voided invoice is owed by nobody.
invoiced AS (
    SELECT InvoiceId, BillingCurrency, sum(BilledCost) AS expected,
        max(greatest(2, length(rtrim(split_part(CAST(BilledCost AS VARCHAR), '.', 2), '0')))) AS digits
    FROM invoice_details
    WHERE x_Inferred IS NULL AND InvoiceId IS NOT NULL AND InvoiceIssueStatus = 'Issued'
    GROUP BY ALL
),
given AS (
    SELECT InvoiceId, BillingCurrency, CAST(expected AS {MONEY}) AS expected, given_by,
        CAST(digits AS INTEGER) AS digits, CAST('1e-' || digits AS {MONEY}) AS unit
    FROM (
        SELECT *, '{CONFIGURED}' AS given_by FROM configured
        UNION ALL BY NAME
        SELECT *, '{BY_PROVIDER}' AS given_by FROM invoiced
    )
)"""


def control_totals_sql(formats: Sequence[Format]) -> str:
    """SQL over `configured`, `invoice_details`, `costs`, `bills` and `ref_provider_names` of a month, for its
    bills' formats.

    `configured` has InvoiceId, BillingCurrency, expected and digits. A provider's invoices are held to as
    many digits as their lines have, to the cent at least. Gives `control_totals` without partition columns.

    A residual that equals what the amount may leave out names that. A sum of rounded rows or lines is
    off by less than a unit each; lines are a service, account and charge category, as an invoice prints
    them: a unit a row would explain ten thousand dollars away on a bill of a million rows.
    """
    kinds = ", ".join(
        f"('{cause}', {rank}, {'tax' in parts}, {'marketplace' in parts}, {'credits' in parts})"
        for rank, (cause, parts) in enumerate(LEFT_OUT.items())
    )
    return f"""
WITH {PARTS},
{_GIVEN},
finality AS ({finality(formats)}),
month AS (
    SELECT *, EXISTS (FROM bills WHERE status = 'accepted' AND {IS_OF_BILL}) AS has_bill,
        NOT month_is_over OR (is_numbered AND EXISTS (FROM parts WHERE InvoiceId IS NULL)) AS is_open
    FROM finality
),
kind (cause, rank, tax, marketplace, credits) AS (VALUES {kinds}),
matched AS (
    SELECT g.*, s.* EXCLUDE (InvoiceId, BillingCurrency)
    FROM given AS g
    LEFT JOIN sorted AS s
        ON s.BillingCurrency = g.BillingCurrency AND (g.InvoiceId IS NULL OR s.InvoiceId = g.InvoiceId)
),
added AS (
    SELECT InvoiceId, BillingCurrency, expected, given_by, digits, unit,
        CAST(coalesce(sum(cost), 0) AS {MONEY}) AS found,
        coalesce(sum(cost_in_cents), 0) AS in_cents, count("rows") = 0 AS is_empty,
        count(DISTINCT (ServiceName, SubAccountId, ChargeCategory)) AS lines
    FROM matched GROUP BY ALL
),
compared AS (
    SELECT *, CAST(found - expected AS {MONEY}) AS residual, abs(residual) + abs(residual) <= unit AS passed,
        digits = 2 AND in_cents = expected AS is_rounded_by_row, abs(residual) < unit * lines AS is_small
    FROM added
),
explained AS (
    SELECT part.InvoiceId, BillingCurrency, given_by, arg_min(cause, rank) AS left_out
    FROM (
        SELECT InvoiceId, BillingCurrency, given_by, cause, rank, sum(cost) AS cost
        FROM matched, kind
        WHERE (tax AND is_tax) OR (marketplace AND is_marketplace) OR (credits AND is_credit)
        GROUP BY ALL
    ) AS part
    JOIN compared USING (BillingCurrency, given_by)
    WHERE part.InvoiceId IS NOT DISTINCT FROM compared.InvoiceId
        AND cost <> 0 AND abs(residual - cost) + abs(residual - cost) <= unit
    GROUP BY ALL
)
SELECT c.InvoiceId, c.BillingCurrency, expected, c.given_by, digits, found, residual, passed,
    CASE
        WHEN passed THEN NULL
        WHEN NOT has_bill THEN '{NO_BILL}'
        WHEN left_out IS NOT NULL THEN left_out
        WHEN is_rounded_by_row AND NOT is_empty THEN '{ROUNDING}'
        WHEN is_open AND (c.InvoiceId IS NULL OR is_empty) THEN '{NOT_FINAL}'
        WHEN is_empty THEN '{NO_CHARGES}'
        WHEN is_small THEN '{ROUNDING}'
        ELSE '{UNEXPLAINED}'
    END AS cause
FROM compared AS c
CROSS JOIN month
LEFT JOIN explained AS e
    ON e.BillingCurrency = c.BillingCurrency AND e.given_by = c.given_by
        AND e.InvoiceId IS NOT DISTINCT FROM c.InvoiceId"""
