-- From relation `delivered`, rows of a FOCUS file of any version, to FOCUS 1.4.
--
-- Sources: FOCUS specification 1.4, Cost and Usage dataset; 1.3 and 1.4 change logs: ProviderName and
-- PublisherName, mandatory until 1.2, became ServiceProviderName and HostProviderName and were removed.
-- What a file states stands, be it odd (a billing period after the charge's, a contracted cost of zero);
-- only what 1.4 does not allow to be null is inferred, and x_Inferred says so.

-- Closed lists compare without case: 'Usage-based' is 'Usage-Based'.
allowed AS (
    SELECT ColumnName, lower(Value) AS given, Value FROM ref_allowed_values
    UNION ALL
    SELECT ColumnName, lower(Alias) AS given, Value FROM ref_focus_aliases
),

-- Tags as one flat object in order of keys, made once a distinct set: from an object with or without its
-- braces, or from a list of key and value. What is none of these is left out.
tag_sets AS (
    SELECT
        given,
        CAST(to_json(map_from_entries(list({'k': tag_key, 'v': tag_value} ORDER BY tag_key))) AS VARCHAR)
            AS tags
    FROM (
        SELECT given, tag_key, max(tag_value) AS tag_value
        FROM (
            SELECT
                t.given,
                CASE json_type(t.object) WHEN 'OBJECT' THEN e.key WHEN 'ARRAY' THEN e.value->>'key' END
                    AS tag_key,
                if(json_type(t.object) = 'ARRAY', e.value->'value', e.value) AS tag_value
            FROM (
                SELECT
                    Tags AS given,
                    CASE
                        WHEN json_valid(Tags) THEN Tags
                        WHEN json_valid('{' || Tags || '}') THEN '{' || Tags || '}'
                    END AS object
                FROM (SELECT DISTINCT Tags FROM delivered WHERE Tags IS NOT NULL)
            ) AS t,
                json_each(t.object) AS e
        )
        WHERE tag_key IS NOT NULL
        GROUP BY given, tag_key
    )
    GROUP BY given
),

conformed AS (
    SELECT
        d.*,
        coalesce(category.Value, d.ChargeCategory) AS charge_category,
        coalesce(class.Value, d.ChargeClass) AS charge_class,
        coalesce(frequency.Value, d.ChargeFrequency) AS charge_frequency,
        coalesce(pricing.Value, nullif(d.PricingCategory, '')) AS pricing_category,
        coalesce(commitment.Value, nullif(d.CommitmentDiscountCategory, '')) AS commitment_category,
        coalesce(commitment_status.Value, nullif(d.CommitmentDiscountStatus, '')) AS commitment_status,
        coalesce(capacity_status.Value, nullif(d.CapacityReservationStatus, '')) AS capacity_status,
        coalesce(service.Value, d.known_category, 'Other') AS service_category,
        service.Value IS NULL AS category_is_inferred,
        subcategory.Value AS stated_subcategory,
        coalesce(provider.ProviderName, nullif(d.ServiceProviderName, ''), nullif(d.ProviderName, ''))
            AS provider_name,
        provider.ProviderName AS known_provider,
        coalesce(host.ProviderName, nullif(d.HostProviderName, '')) AS host_name,
        t.tags AS flat_tags
    FROM delivered AS d
    LEFT JOIN allowed AS category
        ON category.ColumnName = 'ChargeCategory' AND category.given = lower(d.ChargeCategory)
    LEFT JOIN allowed AS class
        ON class.ColumnName = 'ChargeClass' AND class.given = lower(d.ChargeClass)
    LEFT JOIN allowed AS frequency
        ON frequency.ColumnName = 'ChargeFrequency' AND frequency.given = lower(d.ChargeFrequency)
    LEFT JOIN allowed AS pricing
        ON pricing.ColumnName = 'PricingCategory' AND pricing.given = lower(d.PricingCategory)
    LEFT JOIN allowed AS commitment
        ON commitment.ColumnName = 'CommitmentDiscountCategory'
        AND commitment.given = lower(d.CommitmentDiscountCategory)
    LEFT JOIN allowed AS commitment_status
        ON commitment_status.ColumnName = 'CommitmentDiscountStatus'
        AND commitment_status.given = lower(d.CommitmentDiscountStatus)
    LEFT JOIN allowed AS capacity_status
        ON capacity_status.ColumnName = 'CapacityReservationStatus'
        AND capacity_status.given = lower(d.CapacityReservationStatus)
    LEFT JOIN allowed AS service
        ON service.ColumnName = 'ServiceCategory' AND service.given = lower(d.ServiceCategory)
    LEFT JOIN allowed AS subcategory
        ON subcategory.ColumnName = 'ServiceSubcategory'
        AND subcategory.given = lower(d.ServiceSubcategory)
    LEFT JOIN ref_provider_names AS provider
        ON provider.Alias = lower(coalesce(nullif(d.ServiceProviderName, ''), d.ProviderName))
    LEFT JOIN ref_provider_names AS host ON host.Alias = lower(d.HostProviderName)
    LEFT JOIN tag_sets AS t ON t.given = d.Tags
),

-- FOCUS, ServiceSubcategory: one that belongs to the row's category.
categorized AS (
    SELECT
        c.*,
        coalesce(
            stated.ServiceSubcategory,
            CASE WHEN c.known_category = c.service_category THEN c.known_subcategory END,
            'Other (' || c.service_category || ')'
        ) AS service_subcategory,
        stated.ServiceSubcategory IS NULL AS subcategory_is_inferred
    FROM conformed AS c
    LEFT JOIN ref_service_subcategories AS stated
        ON stated.ServiceSubcategory = c.stated_subcategory
        AND stated.ServiceCategory = c.service_category
)

SELECT
    AllocatedMethodDetails,
    AllocatedMethodId,
    AllocatedResourceId,
    AllocatedResourceName,
    AllocatedTags,
    AvailabilityZone,
    BilledCost,
    -- The one text that mandatory identity columns may hold when a file leaves them empty.
    coalesce(nullif(BillingAccountId, ''), nullif(SubAccountId, ''), 'unknown') AS BillingAccountId,
    nullif(BillingAccountName, '') AS BillingAccountName,
    BillingAccountType,
    BillingCurrency,
    BillingPeriodEnd,
    BillingPeriodStart,
    CapacityReservationId,
    capacity_status AS CapacityReservationStatus,
    charge_category AS ChargeCategory,
    charge_class AS ChargeClass,
    ChargeDescription,
    charge_frequency AS ChargeFrequency,
    ChargePeriodEnd,
    ChargePeriodStart,
    commitment_category AS CommitmentDiscountCategory,
    nullif(CommitmentDiscountId, '') AS CommitmentDiscountId,
    nullif(CommitmentDiscountName, '') AS CommitmentDiscountName,
    CommitmentDiscountQuantity,
    commitment_status AS CommitmentDiscountStatus,
    nullif(CommitmentDiscountType, '') AS CommitmentDiscountType,
    CommitmentDiscountUnit,
    CommitmentProgramEligibilityDetails,
    ConsumedQuantity,
    ConsumedUnit,
    ContractApplied,
    -- FOCUS, ContractedCost: not null, and the list cost where nothing was negotiated.
    coalesce(ContractedCost, ListCost, BilledCost) AS ContractedCost,
    ContractedUnitPrice,
    EffectiveCost,
    -- Providers of the reference table host what they sell; who hosts another's service is not known.
    coalesce(host_name, known_provider) AS HostProviderName,
    InvoiceDetailId,
    InvoiceId,
    coalesce(nullif(InvoiceIssuerName, ''), nullif(PublisherName, ''), provider_name, 'unknown')
        AS InvoiceIssuerName,
    coalesce(ListCost, ContractedCost, BilledCost) AS ListCost,
    ListUnitPrice,
    pricing_category AS PricingCategory,
    PricingCurrency,
    PricingCurrencyContractedUnitPrice,
    PricingCurrencyEffectiveCost,
    PricingCurrencyListUnitPrice,
    PricingQuantity,
    PricingUnit,
    nullif(RegionId, '') AS RegionId,
    nullif(RegionName, '') AS RegionName,
    nullif(ResourceId, '') AS ResourceId,
    nullif(ResourceName, '') AS ResourceName,
    nullif(ResourceType, '') AS ResourceType,
    service_category AS ServiceCategory,
    coalesce(nullif(ServiceName, ''), provider_name, nullif(InvoiceIssuerName, ''), 'unknown')
        AS ServiceName,
    coalesce(provider_name, nullif(InvoiceIssuerName, ''), 'unknown') AS ServiceProviderName,
    service_subcategory AS ServiceSubcategory,
    nullif(SkuId, '') AS SkuId,
    nullif(SkuMeter, '') AS SkuMeter,
    SkuPriceDetails,
    nullif(SkuPriceId, '') AS SkuPriceId,
    nullif(SubAccountId, '') AS SubAccountId,
    nullif(SubAccountName, '') AS SubAccountName,
    SubAccountType,
    flat_tags AS Tags,
    nullif(PublisherName, '') AS x_PublisherName,
    nullif(concat_ws(
        ',',
        CASE WHEN nullif(BillingAccountId, '') IS NULL THEN 'BillingAccountId' END,
        CASE WHEN ContractedCost IS NULL THEN 'ContractedCost' END,
        CASE WHEN host_name IS NULL AND known_provider IS NOT NULL THEN 'HostProviderName' END,
        CASE WHEN nullif(InvoiceIssuerName, '') IS NULL THEN 'InvoiceIssuerName' END,
        CASE WHEN ListCost IS NULL THEN 'ListCost' END,
        CASE WHEN category_is_inferred THEN 'ServiceCategory' END,
        CASE WHEN nullif(ServiceName, '') IS NULL THEN 'ServiceName' END,
        CASE WHEN nullif(ServiceProviderName, '') IS NULL THEN 'ServiceProviderName' END,
        CASE WHEN subcategory_is_inferred THEN 'ServiceSubcategory' END
    ), '') AS x_Inferred,
    x_BillId,
    x_File,
    x_RowNumber
FROM categorized
