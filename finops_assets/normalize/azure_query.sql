-- The Cost Management Query API's costs by day and dimension, actual and amortized → FOCUS 1.4.
-- Sources: Azure REST API reference, Cost Management, "Query - Usage"; Microsoft Learn, "Use cost details:
-- actual cost and amortized cost datasets"; FOCUS 1.4, Cost and Usage dataset. Categories and names are
-- those of the cost details (_azure_details.sql).
-- The API knows no billing account, prices, invoices, tags and no single commitment: they stay null.
WITH
-- What the API calls a service is a meter category of the cost details, or the service's own name.
named AS (
    SELECT DISTINCT ON (name) *
    FROM (
        SELECT
            lower(MeterCategory) AS name, 1 AS rank, ServiceName, ServiceCategory, ServiceSubcategory
        FROM ref_azure_services
        WHERE MeterCategory IS NOT NULL AND MeterSubCategory IS NULL
        UNION ALL
        SELECT lower(ServiceName), 2, ServiceName, ServiceCategory, ServiceSubcategory
        FROM ref_azure_services
        WHERE MeterSubCategory IS NULL
    )
    ORDER BY name, rank, ServiceName, ServiceCategory, ServiceSubcategory
),
given AS (
    SELECT
        *,
        CostType = 'ActualCost' AS is_actual,
        lower(ChargeType) AS charge_type,
        lower(replace(coalesce(PricingModel, ''), ' ', '')) AS pricing_model,
        lower(coalesce(PublisherType, '')) = 'marketplace' AS is_marketplace,
        -- Unassigned is no region and no service.
        nullif(nullif(nullif(nullif(
            regexp_replace(lower(ResourceLocation), '[ _-]', '', 'g'),
            ''), 'unassigned'), 'unknown'), 'none') AS location_key,
        CASE WHEN lower(trim(ServiceName)) NOT IN ('', 'unassigned') THEN trim(ServiceName)
        END AS service_name
    FROM raw
),
classed AS (
    SELECT
        *,
        pricing_model IN ('reservation', 'savingsplan')
            OR charge_type IN ('unusedreservation', 'unusedsavingsplan') AS is_commitment,
        charge_type IN ('unusedreservation', 'unusedsavingsplan') AS is_unused,
        CASE
            WHEN charge_type IN ('usage', 'unusedreservation', 'unusedsavingsplan') THEN 'Usage'
            WHEN charge_type IN ('purchase', 'refund') THEN 'Purchase'
            WHEN charge_type = 'tax' THEN 'Tax'
            WHEN charge_type = 'credit' THEN 'Credit'
            ELSE 'Adjustment'
        END AS charge_category
    FROM given
),
-- Every charge is asked for twice, so each of its costs is on one of two rows only: billed on the actual
-- one, effective on the amortized one. What it cost at the contract's and at the list's price is on the
-- actual row, but for usage that a commitment covers: the actual view shows it at no cost. The API has no
-- prices, so the cost stands in for both; an unused commitment bought nothing at any price: 0.
costed AS (
    SELECT
        *,
        CASE
            WHEN is_unused THEN 0
            WHEN is_actual THEN CASE WHEN is_commitment AND charge_category = 'Usage' THEN 0 ELSE Cost END
            WHEN is_commitment AND charge_category = 'Usage' THEN Cost
            ELSE 0
        END AS priced_cost
    FROM classed
)
SELECT
    CASE WHEN c.is_actual THEN c.Cost ELSE 0 END AS BilledCost,
    c.Currency AS BillingCurrency,
    date_trunc('month', c.UsageDate) AS BillingPeriodStart,
    date_trunc('month', c.UsageDate) + INTERVAL 1 MONTH AS BillingPeriodEnd,
    c.charge_category AS ChargeCategory,
    CASE WHEN c.charge_type = 'refund' THEN 'Correction' END AS ChargeClass,
    CASE WHEN c.charge_category = 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END AS ChargeFrequency,
    date_trunc('day', c.UsageDate) AS ChargePeriodStart,
    date_trunc('day', c.UsageDate) + INTERVAL 1 DAY AS ChargePeriodEnd,
    c.priced_cost AS ContractedCost,
    CASE WHEN c.is_actual THEN 0 ELSE c.Cost END AS EffectiveCost,
    CASE WHEN NOT c.is_marketplace THEN 'Microsoft' END AS HostProviderName,
    'Microsoft' AS InvoiceIssuerName,
    c.priced_cost AS ListCost,
    -- FOCUS, PricingCategory: a commitment's own purchase is not priced as committed.
    CASE
        WHEN c.charge_category NOT IN ('Usage', 'Purchase') THEN NULL
        WHEN c.charge_category = 'Usage' AND c.is_commitment THEN 'Committed'
        WHEN c.pricing_model = 'spot' THEN 'Dynamic'
        WHEN c.pricing_model IN ('', 'ondemand') OR c.is_commitment THEN 'Standard'
        ELSE 'Other'
    END AS PricingCategory,
    coalesce(region.RegionId, c.location_key) AS RegionId,
    CASE WHEN c.location_key IS NOT NULL THEN coalesce(region.RegionName, c.ResourceLocation) END AS RegionName,
    coalesce(n.ServiceCategory, 'Other') AS ServiceCategory,
    coalesce(n.ServiceName, c.service_name, 'Microsoft Azure') AS ServiceName,
    -- Of a Marketplace offer FOCUS wants its publisher, whom the API does not name.
    'Microsoft' AS ServiceProviderName,
    coalesce(n.ServiceSubcategory, 'Other (Other)') AS ServiceSubcategory,
    -- Charges of the billing account itself carry no subscription or the zero one.
    nullif(nullif(c.SubscriptionId, ''), '00000000-0000-0000-0000-000000000000') AS SubAccountId,
    CASE WHEN c.SubscriptionId <> '00000000-0000-0000-0000-000000000000' THEN nullif(c.SubscriptionName, '')
    END AS SubAccountName,
    CASE WHEN nullif(nullif(c.SubscriptionId, ''), '00000000-0000-0000-0000-000000000000') IS NOT NULL
        THEN 'Subscription' END AS SubAccountType,
    CASE WHEN NOT c.is_marketplace THEN 'Microsoft' END AS x_PublisherName,
    lower(nullif(trim(c.ResourceGroupName), '')) AS x_ResourceGroupName,
    concat_ws(
        ',',
        'BillingPeriodEnd', 'BillingPeriodStart', 'ChargeFrequency',
        CASE WHEN c.charge_category = 'Usage' AND NOT c.is_unused THEN 'ContractedCost' END,
        'InvoiceIssuerName',
        CASE WHEN c.charge_category = 'Usage' AND NOT c.is_unused THEN 'ListCost' END,
        CASE WHEN c.charge_category IN ('Usage', 'Purchase') AND c.pricing_model = ''
            THEN 'PricingCategory' END,
        CASE WHEN c.location_key IS NOT NULL AND region.RegionId IS NULL THEN 'RegionName' END,
        CASE WHEN n.ServiceName IS NULL THEN 'ServiceCategory,ServiceSubcategory' END,
        CASE WHEN c.is_marketplace THEN 'ServiceProviderName' END
    ) AS x_Inferred,
    c.x_BillId,
    c.x_File,
    c.x_RowNumber
FROM costed AS c
LEFT JOIN named AS n ON n.name = lower(c.service_name)
LEFT JOIN ref_azure_regions AS region ON region.Location = c.location_key
