-- FOCUS with Google Cloud columns → FOCUS 1.4.
--
-- Sources, by part:
--   columns      Google Cloud documentation, "Structure of FOCUS data export" (preview, 1.2, append-only:
--                corrections are further rows), and Google's FOCUS BigQuery view (1.0).
--   conversion   FOCUS 1.3 and 1.4 change logs: ProviderName and PublisherName give way to
--                ServiceProviderName and HostProviderName.
--   gaps         the export has no ServiceCategory, InvoiceIssuerName, ChargeFrequency or commitment
--                status; the first three are filled in and marked, the last stays null.
-- The four costs are taken as stated. x_Credits details them and is not added to them.
--
-- Tags lie in lists of key and value: Tags (the view), or x_Labels, x_ProjectLabels, x_SystemLabels and
-- x_Tags (the export). Labels go without prefix, a project's yield to the resource's own, the other
-- schemes are prefixed (FOCUS, Tags). Once a distinct set.
WITH tag_sets AS (
    SELECT Tags, x_Labels, x_ProjectLabels, x_SystemLabels, x_Tags,
        CAST(to_json(map_from_entries(list({'k': tag_key, 'v': tag_value} ORDER BY tag_key))) AS VARCHAR)
            AS tag_json
    FROM (
        SELECT Tags, x_Labels, x_ProjectLabels, x_SystemLabels, x_Tags, scheme || entry.key AS tag_key,
            arg_min(entry.value, rank) AS tag_value
        FROM (
            SELECT
                Tags, x_Labels, x_ProjectLabels, x_SystemLabels, x_Tags, rank, scheme,
                {
                    'key': coalesce(pair->>'$.key', pair->>'$.Key'),
                    'value': coalesce(pair->>'$.value', pair->>'$.Value')
                } AS entry
            FROM (
                SELECT *, unnest(from_json(pairs, '["JSON"]')) AS pair
                FROM (
                    SELECT DISTINCT Tags, x_Labels, x_ProjectLabels, x_SystemLabels, x_Tags FROM raw
                ) AS sets
                CROSS JOIN LATERAL (VALUES
                    (x_Labels, 1, ''),
                    (CASE WHEN starts_with(ltrim(Tags), '[') THEN Tags END, 2, ''),
                    (x_ProjectLabels, 3, ''),
                    (x_SystemLabels, 1, 'system/'),
                    (x_Tags, 1, 'tag/')
                ) AS scheme(pairs, rank, scheme)
                WHERE pairs IS NOT NULL
            )
        )
        WHERE entry.key IS NOT NULL AND entry.value IS NOT NULL
        GROUP BY ALL
    )
    GROUP BY Tags, x_Labels, x_ProjectLabels, x_SystemLabels, x_Tags
),
given AS (
    SELECT
        raw.*,
        coalesce(
            tag_sets.tag_json,
            CASE WHEN starts_with(ltrim(raw.Tags), '{') THEN nullif(raw.Tags, '{}') END
        ) AS tag_json
    FROM raw
    LEFT JOIN tag_sets
        ON raw.Tags IS NOT DISTINCT FROM tag_sets.Tags
        AND raw.x_Labels IS NOT DISTINCT FROM tag_sets.x_Labels
        AND raw.x_ProjectLabels IS NOT DISTINCT FROM tag_sets.x_ProjectLabels
        AND raw.x_SystemLabels IS NOT DISTINCT FROM tag_sets.x_SystemLabels
        AND raw.x_Tags IS NOT DISTINCT FROM tag_sets.x_Tags
)
SELECT
    AllocatedMethodDetails, AllocatedMethodId, AllocatedResourceId, AllocatedResourceName,
    AllocatedTags, AvailabilityZone, BilledCost, BillingAccountId, BillingAccountName,
    BillingCurrency, BillingPeriodEnd, BillingPeriodStart, CapacityReservationId,
    CapacityReservationStatus, ChargeDescription, ChargePeriodEnd, ChargePeriodStart,
    CommitmentDiscountCategory, CommitmentDiscountId, CommitmentDiscountName,
    CommitmentDiscountQuantity, CommitmentDiscountStatus, CommitmentDiscountType,
    CommitmentDiscountUnit, CommitmentProgramEligibilityDetails, ConsumedQuantity, ConsumedUnit,
    ContractApplied, ContractedUnitPrice, EffectiveCost, InvoiceDetailId, InvoiceId, ListUnitPrice,
    PricingCurrency, PricingCurrencyContractedUnitPrice, PricingCurrencyEffectiveCost,
    PricingCurrencyListUnitPrice, PricingQuantity, PricingUnit, given.RegionId, ResourceId,
    ResourceName, ResourceType, given.ServiceName, SkuId, SkuMeter, SkuPriceDetails, SkuPriceId,
    SubAccountId, SubAccountName, x_BillId, x_File, x_RowNumber,
    coalesce(BillingAccountType, 'Billing Account') AS BillingAccountType,
    -- Google's view writes the allowed values in lower case.
    upper(ChargeCategory[1]) || lower(ChargeCategory[2:]) AS ChargeCategory,
    CASE WHEN lower(ChargeClass) = 'correction' THEN 'Correction' END AS ChargeClass,
    coalesce(ChargeFrequency, CASE WHEN lower(ChargeCategory) = 'usage' THEN 'Usage-Based' ELSE 'One-Time' END)
        AS ChargeFrequency,
    coalesce(ContractedCost, BilledCost) AS ContractedCost,
    coalesce(HostProviderName, ProviderName) AS HostProviderName,
    coalesce(InvoiceIssuerName, 'Google Cloud') AS InvoiceIssuerName,
    coalesce(ListCost, ContractedCost, BilledCost) AS ListCost,
    upper(PricingCategory[1]) || lower(PricingCategory[2:]) AS PricingCategory,
    coalesce(given.RegionName, region.RegionName, given.RegionId) AS RegionName,
    coalesce(given.ServiceCategory, known.ServiceCategory, 'Other') AS ServiceCategory,
    coalesce(ServiceProviderName, ProviderName, 'Google Cloud') AS ServiceProviderName,
    coalesce(
        given.ServiceSubcategory,
        CASE WHEN coalesce(given.ServiceCategory, known.ServiceCategory) = known.ServiceCategory
            THEN known.ServiceSubcategory END,
        'Other (' || coalesce(given.ServiceCategory, 'Other') || ')'
    ) AS ServiceSubcategory,
    coalesce(SubAccountType, CASE WHEN SubAccountId IS NOT NULL THEN 'Project' END) AS SubAccountType,
    tag_json AS Tags,
    PublisherName AS x_PublisherName,
    nullif(concat_ws(
        ',',
        CASE WHEN BillingAccountType IS NULL THEN 'BillingAccountType' END,
        CASE WHEN ChargeFrequency IS NULL THEN 'ChargeFrequency' END,
        CASE WHEN ContractedCost IS NULL THEN 'ContractedCost' END,
        CASE WHEN HostProviderName IS NULL AND ProviderName IS NOT NULL THEN 'HostProviderName' END,
        CASE WHEN InvoiceIssuerName IS NULL THEN 'InvoiceIssuerName' END,
        CASE WHEN ListCost IS NULL THEN 'ListCost' END,
        CASE WHEN given.ServiceCategory IS NULL THEN 'ServiceCategory' END,
        CASE WHEN ServiceProviderName IS NULL AND ProviderName IS NULL THEN 'ServiceProviderName' END,
        CASE WHEN given.ServiceSubcategory IS NULL THEN 'ServiceSubcategory' END
    ), '') AS x_Inferred
FROM given
LEFT JOIN ref_gcp_services AS known ON lower(known.Service) = lower(given.ServiceName)
LEFT JOIN ref_gcp_regions AS region ON region.RegionId = lower(given.RegionId)
