-- AWS Cost Explorer's costs by day, record class, service and linked account → FOCUS 1.4.
-- Sources: AWS Cost Management API reference, "GetCostAndUsage"; AWS Cost Management user guide,
-- "Exploring your data using Cost Explorer" (unblended and amortized costs); FOCUS 1.4, Cost and Usage
-- dataset. Categories and names are those of the Cost and Usage Report (_aws_cur.sql).
-- The API knows no regions, resources, prices, tags, invoices and no payer account: they stay null.
WITH
-- Cost Explorer calls some services neither by the report's product name nor by its product code.
own_names AS (
    SELECT * FROM (VALUES
        ('amazon elastic compute cloud - compute', 'AmazonEC2', NULL),
        -- Volumes, snapshots, NAT gateways, addresses and traffic between zones, all in one.
        ('ec2 - other', 'AmazonEC2', 'Other (Compute)'),
        ('amazon elastic load balancing', 'AWSELB', NULL),
        ('amazon elastic kubernetes service', 'AmazonEKS', NULL),
        ('amazon elastic container registry (ecr)', 'AmazonECR', NULL),
        ('amazon elastic container registry', 'AmazonECR', NULL),
        ('amazon cloudwatch', 'AmazonCloudWatch', NULL),
        ('cloudwatch events', 'AWSEvents', NULL)
    ) AS given(name, ProductCode, ServiceSubcategory)
),
-- One product for each name that may stand in Service; codes of one product differ in nothing else.
named AS (
    SELECT DISTINCT ON (name) *
    FROM (
        SELECT
            own.name, 1 AS rank, s.ProductCode, s.ServiceName, s.ServiceCategory,
            coalesce(own.ServiceSubcategory, s.ServiceSubcategory) AS ServiceSubcategory
        FROM own_names AS own
        JOIN ref_aws_services AS s USING (ProductCode)
        UNION ALL
        SELECT lower(ServiceName), 2, ProductCode, ServiceName, ServiceCategory, ServiceSubcategory
        FROM ref_aws_services
        UNION ALL
        SELECT lower(ProductCode), 3, ProductCode, ServiceName, ServiceCategory, ServiceSubcategory
        FROM ref_aws_services
    )
    ORDER BY name, rank, ProductCode
),
classified AS (
    SELECT
        *,
        CASE
            WHEN RecordClass = 'Usage' THEN 'Usage'
            WHEN RecordClass IN ('Fee', 'RecurringFee') THEN 'Purchase'
            WHEN RecordClass IN ('Tax', 'Credit') THEN RecordClass
            ELSE 'Adjustment'
        END AS category,
        -- A sum over units that differ (the API says 'N/A' then) is no quantity.
        nullif(UsageUnit, 'N/A') AS unit
    FROM raw
)
SELECT
    c.UnblendedCost AS BilledCost,
    c.Currency AS BillingCurrency,
    date_trunc('month', c.PeriodStart) AS BillingPeriodStart,
    date_trunc('month', c.PeriodStart) + INTERVAL 1 MONTH AS BillingPeriodEnd,
    -- Refunds and discounts are Adjustment, without a ChargeClass: the API puts a refund in the day that it
    -- was given, and does not say which period it corrects.
    c.category AS ChargeCategory,
    CASE
        WHEN c.RecordClass IN ('Usage', 'Discount') THEN 'Usage-Based'
        WHEN c.RecordClass = 'RecurringFee' OR (c.RecordClass = 'Fee' AND c.Service LIKE 'AWS Support%')
            THEN 'Recurring'
        ELSE 'One-Time'
    END AS ChargeFrequency,
    c.PeriodStart AS ChargePeriodStart,
    c.PeriodEnd AS ChargePeriodEnd,
    CASE WHEN c.category = 'Usage' AND c.unit IS NOT NULL THEN c.UsageQuantity END AS ConsumedQuantity,
    CASE WHEN c.category = 'Usage' THEN c.unit END AS ConsumedUnit,
    c.UnblendedCost AS ContractedCost,
    -- Amortized: upfront and recurring fees spread over the usage that they cover; what a commitment left
    -- unused stays on its fee.
    c.AmortizedCost AS EffectiveCost,
    'AWS' AS HostProviderName,
    'Amazon Web Services, Inc.' AS InvoiceIssuerName,
    -- Discounts were never listed; of everything else only the unblended cost is known.
    CASE WHEN c.RecordClass = 'Discount' THEN 0 ELSE c.UnblendedCost END AS ListCost,
    coalesce(n.ServiceCategory, 'Other') AS ServiceCategory,
    coalesce(n.ServiceName, c.Service, 'AWS') AS ServiceName,
    coalesce(n.ServiceSubcategory, 'Other (Other)') AS ServiceSubcategory,
    'AWS' AS ServiceProviderName,
    c.LinkedAccount AS SubAccountId,
    c.LinkedAccountName AS SubAccountName,
    concat_ws(
        ',',
        'BillingPeriodEnd', 'BillingPeriodStart',
        CASE WHEN c.category = 'Usage' THEN 'ContractedCost' END,
        'InvoiceIssuerName',
        CASE WHEN c.category = 'Usage' THEN 'ListCost' END,
        CASE WHEN n.ServiceName IS NULL THEN 'ServiceCategory,ServiceSubcategory' END
    ) AS x_Inferred,
    c.x_BillId,
    c.x_File,
    c.x_RowNumber
FROM classified AS c
LEFT JOIN named AS n ON n.name = lower(c.Service)
