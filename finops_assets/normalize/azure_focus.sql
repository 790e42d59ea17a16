-- FOCUS with Microsoft columns (1.0, 1.0r2, 1.2-preview) → FOCUS 1.4.
--
-- Sources, by part:
--   columns      Microsoft Learn, "Cost and usage details FOCUS schema"; 1.0r2 has 1.0's columns.
--   conversion   FOCUS 1.3 and 1.4 change logs: ProviderName and PublisherName give way to
--                ServiceProviderName and HostProviderName; ServiceSubcategory came with 1.1.
--   gaps         Microsoft Learn, "FOCUS conformance summary": list and contracted cost may be missing
--                (EA before 1.0r2, Marketplace).
WITH given AS (
    SELECT
        *,
        coalesce(ServiceProviderName, ProviderName, 'Microsoft') AS service_provider,
        CASE
            WHEN trim(Tags) = '' THEN NULL
            WHEN starts_with(trim(Tags), '{') THEN trim(Tags)
            ELSE '{' || rtrim(trim(Tags), ',') || '}'
        END AS braced_tags
    FROM raw
),
services AS (
    SELECT meter_category, meter_subcategory, s.ServiceCategory, s.ServiceSubcategory
    FROM (
        SELECT DISTINCT x_SkuMeterCategory AS meter_category, x_SkuMeterSubcategory AS meter_subcategory
        FROM given
    ) AS d
    JOIN ref_azure_services AS s
        ON lower(s.MeterCategory) = lower(trim(d.meter_category))
        AND (s.MeterSubCategory IS NULL OR lower(d.meter_subcategory) LIKE s.MeterSubCategory)
    QUALIFY row_number() OVER (
        PARTITION BY meter_category, meter_subcategory
        ORDER BY s.MeterSubCategory IS NULL, s.MeterSubCategory, s.ServiceName
    ) = 1
)
SELECT
    AllocatedMethodDetails, AllocatedMethodId, AllocatedResourceId, AllocatedResourceName,
    AllocatedTags, AvailabilityZone, BilledCost, BillingAccountId, BillingAccountName,
    BillingCurrency, BillingPeriodEnd, BillingPeriodStart, CapacityReservationId,
    CapacityReservationStatus, ChargeCategory, ChargeClass, ChargeDescription, ChargePeriodEnd,
    ChargePeriodStart, CommitmentDiscountCategory, CommitmentDiscountId, CommitmentDiscountName,
    CommitmentDiscountQuantity, CommitmentDiscountStatus, CommitmentDiscountType,
    CommitmentDiscountUnit, CommitmentProgramEligibilityDetails, ConsumedQuantity, ConsumedUnit,
    ContractApplied, ContractedUnitPrice, EffectiveCost, InvoiceDetailId, ListUnitPrice,
    PricingCategory, PricingCurrencyContractedUnitPrice, PricingCurrencyEffectiveCost,
    PricingCurrencyListUnitPrice, PricingQuantity, PricingUnit, given.RegionId, RegionName,
    ResourceId, ResourceName, ResourceType, given.ServiceName, SkuId, SkuPriceId, SubAccountId,
    SubAccountName, x_BillId, x_File, x_RowNumber,
    coalesce(BillingAccountType, 'Billing Account') AS BillingAccountType,
    -- 'Usage-based' is seen in real files.
    CASE lower(replace(ChargeFrequency, '-', ''))
        WHEN 'onetime' THEN 'One-Time'
        WHEN 'recurring' THEN 'Recurring'
        WHEN 'usagebased' THEN 'Usage-Based'
        ELSE CASE WHEN ChargeCategory = 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END
    END AS ChargeFrequency,
    coalesce(ContractedCost, BilledCost) AS ContractedCost,
    coalesce(HostProviderName, ProviderName) AS HostProviderName,
    coalesce(InvoiceId, x_InvoiceId) AS InvoiceId,
    coalesce(InvoiceIssuerName, 'Microsoft') AS InvoiceIssuerName,
    coalesce(ListCost, ContractedCost, BilledCost) AS ListCost,
    coalesce(PricingCurrency, x_PricingCurrency) AS PricingCurrency,
    coalesce(given.ServiceCategory, service.ServiceCategory, 'Other') AS ServiceCategory,
    service_provider AS ServiceProviderName,
    -- Where the file is older than the column: the meter's, if of the stated category.
    coalesce(
        given.ServiceSubcategory,
        CASE WHEN coalesce(given.ServiceCategory, service.ServiceCategory) = service.ServiceCategory
            THEN service.ServiceSubcategory END,
        'Other (' || coalesce(given.ServiceCategory, 'Other') || ')'
    ) AS ServiceSubcategory,
    coalesce(SkuMeter, x_SkuMeterName) AS SkuMeter,
    coalesce(SkuPriceDetails, x_SkuDetails) AS SkuPriceDetails,
    coalesce(SubAccountType, CASE WHEN SubAccountId IS NOT NULL THEN 'Subscription' END) AS SubAccountType,
    CASE WHEN json_valid(braced_tags) THEN nullif(CAST(json(braced_tags) AS VARCHAR), '{}') END AS Tags,
    PublisherName AS x_PublisherName,
    lower(nullif(trim(x_ResourceGroupName), '')) AS x_ResourceGroupName,
    nullif(concat_ws(
        ',',
        CASE WHEN BillingAccountType IS NULL THEN 'BillingAccountType' END,
        CASE WHEN coalesce(lower(replace(ChargeFrequency, '-', '')), '')
            NOT IN ('onetime', 'recurring', 'usagebased') THEN 'ChargeFrequency' END,
        CASE WHEN ContractedCost IS NULL THEN 'ContractedCost' END,
        CASE WHEN HostProviderName IS NULL AND ProviderName IS NOT NULL THEN 'HostProviderName' END,
        CASE WHEN InvoiceIssuerName IS NULL THEN 'InvoiceIssuerName' END,
        CASE WHEN ListCost IS NULL THEN 'ListCost' END,
        CASE WHEN given.ServiceCategory IS NULL THEN 'ServiceCategory' END,
        CASE WHEN ServiceProviderName IS NULL AND ProviderName IS NULL THEN 'ServiceProviderName' END,
        CASE WHEN given.ServiceSubcategory IS NULL THEN 'ServiceSubcategory' END
    ), '') AS x_Inferred
FROM given
LEFT JOIN services AS service
    ON x_SkuMeterCategory IS NOT DISTINCT FROM service.meter_category
    AND x_SkuMeterSubcategory IS NOT DISTINCT FROM service.meter_subcategory
