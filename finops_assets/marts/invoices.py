"""`invoices`: what each invoice of a bill comes to, held against the rows as delivered."""

from __future__ import annotations

from collections.abc import Sequence

from finops_assets.normalize.format import Format
from finops_assets.normalize.formats import IS_OF_BILL
from finops_assets.schema import BILL_KEYS, BY_BILL, MONEY, MONTH, Column, Table, literal, quote

INVOICES = Table(
    name="invoices",
    description="One invoice of a month's bill, in one currency, added up and held against the raw rows.",
    columns=(
        Column("InvoiceId", "VARCHAR", "Null: rows that are on no invoice yet, or whose bill names none."),
        Column("InvoiceIssuerName", "VARCHAR", "Who issues it; several, comma separated, where rows differ."),
        Column("BillingAccountId", "VARCHAR", "The account that pays it; several where rows differ."),
        Column("BillingCurrency", "VARCHAR"),
        Column("BilledCost", MONEY, "The sum of its rows in `costs`."),
        Column("tax", MONEY, "Of that, rows whose ChargeCategory is Tax."),
        Column(
            "marketplace", MONEY, "Of that, rows of other sellers than the bill's provider, tax included."
        ),
        Column("credits", MONEY, "Of that, rows whose ChargeCategory is Credit."),
        Column("x_RowCount", "BIGINT", "Rows of `costs`."),
        Column("first_day", "DATE", "The first UTC day on which a charge starts."),
        Column("last_day", "DATE", "The last one."),
        Column("raw_total", MONEY, "The same sum over the rows as delivered; null where they state none."),
        Column("residual", MONEY, "BilledCost - raw_total."),
        Column("passed", "BOOLEAN", "Whether the residual is zero, to the last digit."),
        Column(
            "is_final", "BOOLEAN", "False where an invoice number or a part of the month is still to come."
        ),
        *BILL_KEYS,
    ),
    partition_by=BY_BILL,
    order_by=("InvoiceId", "BillingCurrency"),
)

PARTS = """
-- Small: what an invoice's rows differ by, as far as anyone asks. One pass over the month.
parts AS MATERIALIZED (
    SELECT nullif(InvoiceId, '') AS InvoiceId, BillingCurrency, InvoiceIssuerName, BillingAccountId,
        ServiceProviderName, x_PublisherName, ChargeCategory, ServiceName, SubAccountId,
        coalesce(sum(BilledCost), 0) AS cost, coalesce(sum(round(BilledCost, 2)), 0) AS cost_in_cents,
        count(*) AS "rows",
        CAST(min(ChargePeriodStart) AS DATE) AS first_day, CAST(max(ChargePeriodStart) AS DATE) AS last_day
    FROM costs GROUP BY ALL
),
-- A name is the provider's own when most rows bear it, or it begins with what the provider is called:
-- 'Amazon Web Services EMEA SARL' is AWS, 'Microsoft Ireland Operations Limited' Microsoft.
usual AS (
    SELECT
        (SELECT ServiceProviderName FROM parts GROUP BY ALL ORDER BY sum("rows") DESC, 1 LIMIT 1) AS provider,
        (SELECT InvoiceIssuerName FROM parts GROUP BY ALL ORDER BY sum("rows") DESC, 1 LIMIT 1) AS issuer,
        (SELECT x_PublisherName FROM parts WHERE x_PublisherName IS NOT NULL GROUP BY ALL
            ORDER BY sum("rows") DESC, 1 LIMIT 1) AS publisher
),
others AS (
    SELECT DISTINCT name
    FROM (SELECT unnest([ServiceProviderName, InvoiceIssuerName, x_PublisherName]) AS name FROM parts), usual
    WHERE name NOT IN (provider, issuer, coalesce(publisher, provider))
        AND NOT EXISTS (
            FROM ref_provider_names
            WHERE ProviderName = provider AND starts_with(lower(name) || ' ', Alias || ' ')
        )
),
sorted AS (
    SELECT *, ChargeCategory = 'Tax' AS is_tax, ChargeCategory = 'Credit' AS is_credit,
        ServiceProviderName IN (FROM others) OR InvoiceIssuerName IN (FROM others)
            OR coalesce(x_PublisherName IN (FROM others), false) AS is_marketplace
    FROM parts
)"""
"""Common tables over `costs` and `ref_provider_names`: a month's rows by what they are, as `sorted`."""


def finality(formats: Sequence[Format]) -> str:
    """SQL over `bills` and `parts` giving one row: whether invoices have numbers, whether the month is over.

    AWS numbers every invoice once it is final (FOCUS has a column for it since 1.2); of others only what
    rows say is known: Azure's enrollments have none. A bill exported before its month ended is not over.
    """
    promised = ", ".join(literal(f.name) for f in formats if f.invoice and f.provider == "AWS") or "NULL"
    return f"""
SELECT
    coalesce(bool_or(format IN ({promised}) AND coalesce(focus_version, '1.2') >= '1.2'), false)
        OR EXISTS (FROM parts WHERE InvoiceId IS NOT NULL) AS is_numbered,
    coalesce(max(exported_at) >= max(CAST({MONTH} || '-01' AS DATE) + INTERVAL 1 MONTH), false)
        AS month_is_over
FROM bills WHERE status = 'accepted' AND {IS_OF_BILL}"""


def invoices_sql(formats: Sequence[Format]) -> str:
    """SQL over `costs`, `bills`, `ref_provider_names` and one `raw_<format>` a format of the month's bills.

    Gives `invoices` without partition columns. Only formats that state BilledCost have a raw total.
    """
    billed = [f for f in formats if f.metric == "BilledCost"]
    delivered = "".join(
        f" UNION ALL BY NAME SELECT {f.invoice or 'CAST(NULL AS VARCHAR)'} AS InvoiceId, "
        f"{quote(f.currency)} AS BillingCurrency, sum({f.amount}) AS delivered FROM raw_{f.name} GROUP BY ALL"
        for f in billed
    )
    return f"""
WITH {PARTS},
finality AS ({finality(formats)}),
-- Added up side by side, not joined: a side that lacks an invoice has nothing of it.
invoice AS (
    SELECT InvoiceId, BillingCurrency,
        string_agg(DISTINCT InvoiceIssuerName, ', ' ORDER BY InvoiceIssuerName) AS InvoiceIssuerName,
        string_agg(DISTINCT BillingAccountId, ', ' ORDER BY BillingAccountId) AS BillingAccountId,
        coalesce(sum(cost), 0) AS BilledCost,
        coalesce(sum(cost) FILTER (WHERE is_tax), 0) AS tax,
        coalesce(sum(cost) FILTER (WHERE is_marketplace), 0) AS marketplace,
        coalesce(sum(cost) FILTER (WHERE is_credit), 0) AS credits,
        coalesce(sum("rows"), 0) AS x_RowCount, min(first_day) AS first_day, max(last_day) AS last_day,
        {"coalesce(sum(delivered), 0)" if billed else f"CAST(NULL AS {MONEY})"} AS raw_total
    FROM (SELECT * FROM sorted{delivered})
    GROUP BY InvoiceId, BillingCurrency
)
SELECT invoice.*, BilledCost - raw_total AS residual, coalesce(BilledCost = raw_total, true) AS passed,
    InvoiceId IS NOT NULL OR (month_is_over AND NOT is_numbered) AS is_final
FROM invoice, finality"""


UNEQUAL = """
SELECT coalesce('invoice ' || InvoiceId, 'no invoice') AS what, BillingCurrency,
    'the raw rows' AS held_against, raw_total AS expected, BilledCost AS found
FROM invoices WHERE NOT passed
UNION ALL
SELECT 'all invoices', BillingCurrency, 'daily_costs', sum(cube), sum(invoiced)
FROM (
    SELECT BillingCurrency, BilledCost AS invoiced, CAST(0 AS DECIMAL(38,18)) AS cube FROM invoices
    UNION ALL
    SELECT BillingCurrency, 0, BilledCost FROM daily_costs
)
GROUP BY BillingCurrency HAVING sum(cube) <> sum(invoiced)
ORDER BY ALL
"""
"""SQL over a month's `invoices` and `daily_costs`: what does not add up, a row each."""
