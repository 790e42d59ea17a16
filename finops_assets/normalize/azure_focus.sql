-- FOCUS with Microsoft columns (1.0, 1.0r2, 1.2-preview) → FOCUS 1.4.
--
-- Source: Microsoft Learn, "Cost and usage details FOCUS schema" and "FOCUS conformance summary"; 1.0r2
-- has 1.0's columns. x_SkuMeterCategory tells the subcategory that 1.0 does not have; x_SkuMeterName,
-- x_SkuDetails and x_InvoiceId are what later versions named SkuMeter, SkuPriceDetails and InvoiceId.
SELECT
    f.*,
    -- Microsoft's resource groups compare without case; the one in the id is the one of the row.
    lower(nullif(regexp_extract(ResourceId, '(?i)/resourcegroups/([^/]+)', 1), '')) AS x_ResourceGroupName
FROM (
WITH services AS (
    SELECT meter_category, meter_subcategory, s.ServiceCategory, s.ServiceSubcategory
    FROM (
        SELECT DISTINCT x_SkuMeterCategory AS meter_category, x_SkuMeterSubcategory AS meter_subcategory
        FROM raw
    ) AS d
    JOIN ref_azure_services AS s
        ON lower(s.MeterCategory) = lower(trim(d.meter_category))
        AND (s.MeterSubCategory IS NULL OR lower(d.meter_subcategory) LIKE s.MeterSubCategory)
    QUALIFY row_number() OVER (
        PARTITION BY meter_category, meter_subcategory
        ORDER BY s.MeterSubCategory IS NULL, s.MeterSubCategory, s.ServiceName
    ) = 1
),
delivered AS NOT MATERIALIZED (
    SELECT
        raw.* REPLACE (
            coalesce(raw.InvoiceId, raw.x_InvoiceId) AS InvoiceId,
            coalesce(raw.PricingCurrency, raw.x_PricingCurrency) AS PricingCurrency,
            coalesce(raw.SkuMeter, raw.x_SkuMeterName) AS SkuMeter,
            coalesce(raw.SkuPriceDetails, raw.x_SkuDetails) AS SkuPriceDetails
        ),
        service.ServiceCategory AS known_category,
        service.ServiceSubcategory AS known_subcategory
    FROM raw
    LEFT JOIN services AS service
        ON raw.x_SkuMeterCategory IS NOT DISTINCT FROM service.meter_category
        AND raw.x_SkuMeterSubcategory IS NOT DISTINCT FROM service.meter_subcategory
),
-- include: _focus.sql
) AS f
