-- OCI cost report → FOCUS 1.4.
-- Sources: OCI documentation, "Cost and Usage Reports" (fields of the cost report) and "FOCUS Reports"
-- (how Oracle itself maps tenancy, subscription and resource type); FOCUS 1.4, Cost and Usage dataset.
-- The report states one cost, myCost, at the customer's own rate: BilledCost, EffectiveCost and
-- ContractedCost are that, and ListCost is inferred to be. It states no billing period and no issuer.
SELECT
    raw."product/availabilityDomain" AS AvailabilityZone,
    raw."cost/myCost" AS BilledCost,
    coalesce(raw."cost/subscriptionId", raw."lineItem/tenantId") AS BillingAccountId,
    raw."cost/currencyCode" AS BillingCurrency,
    date_trunc('month', raw."lineItem/intervalUsageStart") AS BillingPeriodStart,
    date_trunc('month', raw."lineItem/intervalUsageStart") + INTERVAL 1 MONTH AS BillingPeriodEnd,
    -- A correction restates an earlier line (backreferenceNo). Whether that line's period was closed is
    -- not said, so ChargeClass stays null and the category, as in Oracle's FOCUS report, is Adjustment.
    CASE WHEN lower(raw."lineItem/isCorrection") = 'true' THEN 'Adjustment' ELSE 'Usage' END
        AS ChargeCategory,
    raw."product/Description" AS ChargeDescription,
    'Usage-Based' AS ChargeFrequency,
    raw."lineItem/intervalUsageStart" AS ChargePeriodStart,
    raw."lineItem/intervalUsageEnd" AS ChargePeriodEnd,
    raw."usage/billedQuantity" AS ConsumedQuantity,
    raw."cost/skuUnitDescription" AS ConsumedUnit,
    raw."cost/myCost" AS ContractedCost,
    CASE WHEN raw."cost/unitPrice" >= 0 THEN raw."cost/unitPrice" END AS ContractedUnitPrice,
    raw."cost/myCost" AS EffectiveCost,
    'Oracle' AS HostProviderName,
    'Oracle' AS InvoiceIssuerName,
    raw."cost/myCost" AS ListCost,
    CASE WHEN lower(raw."lineItem/isCorrection") = 'true' THEN NULL ELSE 'Standard' END AS PricingCategory,
    raw."usage/billedQuantity" AS PricingQuantity,
    raw."cost/skuUnitDescription" AS PricingUnit,
    raw."product/region" AS RegionId,
    coalesce(r.RegionName, raw."product/region") AS RegionName,
    raw."product/resourceId" AS ResourceId,
    -- The second part of an OCID is the type of what it names.
    nullif(regexp_extract(raw."product/resourceId", '^ocid[0-9]+\.([a-z0-9]+)\.', 1), '') AS ResourceType,
    coalesce(s.ServiceCategory, 'Other') AS ServiceCategory,
    coalesce(s.ServiceName, raw."product/service") AS ServiceName,
    coalesce(s.ServiceSubcategory, 'Other (Other)') AS ServiceSubcategory,
    'Oracle' AS ServiceProviderName,
    raw."cost/productSku" AS SkuId,
    raw."product/Description" AS SkuMeter,
    raw."lineItem/tenantId" AS SubAccountId,
    raw.tags AS Tags,
    'Oracle' AS x_PublisherName,
    lower(raw."product/compartmentName") AS x_ResourceGroupName,
    concat_ws(
        ',',
        'BillingPeriodEnd', 'BillingPeriodStart', 'InvoiceIssuerName', 'ListCost',
        CASE WHEN s.ServiceCode IS NULL THEN 'ServiceCategory,ServiceSubcategory' END
    ) AS x_Inferred,
    raw.x_BillId,
    raw.x_File,
    raw.x_RowNumber
FROM raw
LEFT JOIN ref_oci_services AS s ON s.ServiceCode = upper(raw."product/service")
LEFT JOIN ref_oci_regions AS r ON r.RegionId = raw."product/region"
