-- costs → FOCUS 1.4 Billing Period, a row an issuer and period of the bill.
--
-- A period is closed when all its invoices are issued (FOCUS 1.4, Correction Handling). Bills of providers
-- that number their invoices say so by the InvoiceId, which a charge has from then on; of the others it is
-- known only that a period that has not ended is open.
--
-- Reads: costs, bills.
WITH deliveries AS (
    SELECT min(exported_at) AS first_at, max(exported_at) FILTER (status = 'accepted') AS last_at
    FROM bills WHERE NOT coalesce(starts_with(format, 'focus_'), false)
)
SELECT
    c.InvoiceIssuerName,
    c.BillingPeriodStart,
    c.BillingPeriodEnd,
    CASE
        WHEN d.last_at < c.BillingPeriodEnd THEN 'Open'
        WHEN count(c.InvoiceId) = 0 THEN NULL
        WHEN count(*) FILTER (c.InvoiceId IS NULL AND c.BilledCost <> 0) = 0 THEN 'Closed'
        ELSE 'Open'
    END AS BillingPeriodStatus,
    d.first_at AS BillingPeriodCreated,
    d.last_at AS BillingPeriodLastUpdated,
    count(*) AS x_RowCount,
    concat_ws(
        ',',
        'BillingPeriodCreated',
        'BillingPeriodLastUpdated',
        CASE WHEN BillingPeriodStatus IS NOT NULL THEN 'BillingPeriodStatus' END
    ) AS x_Inferred
FROM costs AS c
CROSS JOIN deliveries AS d
GROUP BY c.InvoiceIssuerName, c.BillingPeriodStart, c.BillingPeriodEnd, d.first_at, d.last_at
