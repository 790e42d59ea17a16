-- costs → FOCUS 1.4 Invoice Detail: one line an invoice, billing account, billing period and charge category,
-- or an InvoiceDetailId where the bill has them.
--
-- The sum of BilledCost of an invoice's lines is that of its charges (FOCUS 1.4, Invoice Detail). Without an
-- InvoiceId the charges are not invoiced yet, or the provider does not say on which invoice they are.
--
-- Reads: costs, bills.
WITH deliveries AS (
    SELECT min(exported_at) AS first_at, max(exported_at) FILTER (status = 'accepted') AS last_at
    FROM bills WHERE NOT coalesce(starts_with(format, 'focus_'), false)
)
SELECT
    c.InvoiceIssuerName,
    c.InvoiceId,
    coalesce(
        c.InvoiceDetailId,
        concat_ws('/', c.InvoiceId, c.BillingAccountId, strftime(c.BillingPeriodStart, '%Y-%m'), c.ChargeCategory)
    ) AS InvoiceDetailId,
    c.BillingAccountId,
    c.BillingCurrency,
    c.BillingPeriodStart,
    c.BillingPeriodEnd,
    c.ChargeCategory,
    sum(c.BilledCost) AS BilledCost,
    CASE WHEN c.InvoiceDetailId IS NULL THEN CAST(json_object(
        'BillingAccountId', c.BillingAccountId, 'ChargeCategory', c.ChargeCategory
    ) AS VARCHAR) END AS InvoiceDetailGrain,
    CASE
        WHEN c.InvoiceId IS NOT NULL THEN 'Issued' WHEN d.last_at < c.BillingPeriodEnd THEN 'Open'
    END AS InvoiceIssueStatus,
    d.first_at AS InvoiceDetailCreated,
    d.last_at AS InvoiceDetailLastUpdated,
    count(*) AS x_RowCount,
    concat_ws(
        ',',
        CASE WHEN c.InvoiceDetailId IS NULL THEN 'InvoiceDetailGrain,InvoiceDetailId' END,
        'InvoiceDetailCreated',
        'InvoiceDetailLastUpdated',
        CASE WHEN InvoiceIssueStatus IS NOT NULL THEN 'InvoiceIssueStatus' END
    ) AS x_Inferred
FROM costs AS c
CROSS JOIN deliveries AS d
GROUP BY
    c.InvoiceIssuerName, c.InvoiceId, c.InvoiceDetailId, c.BillingAccountId, c.BillingCurrency,
    c.BillingPeriodStart, c.BillingPeriodEnd, c.ChargeCategory, d.first_at, d.last_at
