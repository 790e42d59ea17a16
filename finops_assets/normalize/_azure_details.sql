-- From relation `this_bill` (which of the two views of an Azure bill `raw` is) and `raw`, to FOCUS 1.4.
--
-- Sources, by part:
--   fields               Microsoft Learn, "Understand cost details fields" and the EA and MCA schema pages.
--   mapping              Microsoft Learn, "Convert Cost Management data to FOCUS"; where we differ it says so.
--   actual and amortized Microsoft Learn, "Use cost details: actual cost and amortized cost datasets": the
--                        actual bill holds purchases and shows what they cover at no cost; the amortized
--                        one leaves the purchases out and spreads them over the covered and unused usage.
--   FOCUS                1.4 specification, Cost and Usage dataset; column sections are named below.

views AS (
    SELECT
        is_actual,
        (SELECT count(DISTINCT format) = 2 FROM bill_formats
         WHERE format IN ('azure_actual', 'azure_amortized')) AS has_both
    FROM this_bill
),

-- A commitment's row says so in PricingModel, or, in files older than that column, by an id.
given AS (
    SELECT
        raw.*,
        views.*,
        lower(ChargeType) AS charge_type,
        coalesce(nullif(BenefitId, ''), nullif(ReservationId, '')) AS benefit,
        lower(replace(coalesce(PricingModel, ''), ' ', '')) AS pricing_model,
        lower(coalesce(PublisherType, '')) = 'marketplace' AS is_marketplace,
        CostInBillingCurrency AS cost
    FROM raw CROSS JOIN views
),
classed AS (
    SELECT
        * EXCLUDE (pricing_model),
        pricing_model,
        pricing_model IN ('reservation', 'savingsplan') OR benefit IS NOT NULL
            OR charge_type IN ('unusedreservation', 'unusedsavingsplan') AS is_commitment,
        charge_type IN ('usage', 'unusedreservation', 'unusedsavingsplan') AS is_usage,
        charge_type IN ('unusedreservation', 'unusedsavingsplan') AS is_unused
    FROM given
),

-- One bill in two views, never counted twice.
--   both views   the actual one gives all but the covered usage it shows at no cost, the amortized one
--                gives the commitments' rows; so SUM(BilledCost) is the actual total, SUM(EffectiveCost)
--                the amortized one. A purchase that covers other charges has EffectiveCost 0, what it
--                covers has BilledCost 0 (FOCUS, EffectiveCost and BilledCost).
--   actual only  cash: EffectiveCost is what was billed, and is marked as inferred.
--   amortized    BilledCost is inferred: 0 where a commitment pays, the cost elsewhere.
costed AS (
    SELECT
        *,
        CASE
            WHEN is_actual THEN cost
            WHEN has_both OR is_commitment THEN 0
            ELSE cost
        END AS billed_cost,
        CASE
            WHEN is_actual AND has_both AND is_commitment THEN 0
            ELSE cost
        END AS effective_cost,
        CASE
            WHEN has_both THEN NULL
            WHEN is_actual THEN 'EffectiveCost'
            ELSE 'BilledCost'
        END AS cost_inferred
    FROM classed
    WHERE NOT has_both
        OR (is_actual AND NOT (is_commitment AND is_usage AND cost = 0))
        OR (NOT is_actual AND is_commitment)
),

-- Which commitment: the benefit or reservation, for a purchase that names neither its order.
-- Microsoft: savings plans are /microsoft.billingbenefits/, reservations /microsoft.capacity/.
committed AS (
    SELECT
        *,
        CASE WHEN is_commitment THEN coalesce(benefit, nullif(ProductOrderId, '')) END AS commitment_id,
        pricing_model = 'savingsplan' OR charge_type = 'unusedsavingsplan'
            OR coalesce(benefit, '') ILIKE '%billingbenefits%' AS is_savings_plan,
        CASE
            WHEN is_usage THEN 'Usage'
            WHEN charge_type IN ('purchase', 'refund') THEN 'Purchase'
            WHEN charge_type = 'tax' THEN 'Tax'
            WHEN charge_type = 'credit' THEN 'Credit'
            ELSE 'Adjustment'
        END AS charge_category
    FROM costed
),

-- Quantity counts units of UnitOfMeasure, which may be blocks ('10K', '100 Hours'): in the real EA
-- file of the project's samples every row's Quantity x EffectivePrice is its cost, blocks included. So
-- PricingQuantity is Quantity, and ConsumedQuantity is it times the block. (Microsoft's conversion page
-- divides by the block instead.)
--
-- Prices are of the pricing currency; ExchangeRatePricingToBilling (MCA) brings them to the billing one.
-- Products: 14 decimals of a price by 12 of a quantity, rounded half up to the 18 the lake keeps. DECIMAL
-- x DECIMAL has at most 38 digits, here 12 before the point; a product that needs more is left out
-- (TRY), and the cost stands in for it.
priced AS (
    SELECT
        *,
        CAST(CAST(UnitPrice AS DECIMAL(38, 14)) * fx AS DECIMAL(38, 14)) AS contracted_price,
        CAST(CAST(PayGPrice AS DECIMAL(38, 14)) * fx AS DECIMAL(38, 14)) AS list_price,
        CAST(regexp_extract(UnitOfMeasure, '^([0-9]+)', 1) AS BIGINT)
            * CASE upper(regexp_extract(UnitOfMeasure, '^[0-9]+([KM])(?:$|[^A-Za-z])', 1))
                WHEN 'K' THEN 1000
                WHEN 'M' THEN 1000000
                ELSE 1
            END AS block,
        trim(regexp_replace(UnitOfMeasure, '^[0-9]+([KM](?:$|[^A-Za-z]))?\s*', '')) AS unit
    FROM (
        SELECT
            *,
            CAST(coalesce(ExchangeRatePricingToBilling, 1) AS DECIMAL(38, 12)) AS fx
        FROM (
            SELECT
                * REPLACE (
                    CASE WHEN regexp_matches(UnitOfMeasure, '^[0-9]{1,9}([^0-9.,]|$)')
                        THEN UnitOfMeasure ELSE '1 ' || coalesce(UnitOfMeasure, '') END AS UnitOfMeasure
                ),
                nullif(trim(UnitOfMeasure), '') AS delivered_unit
            FROM committed
        )
    )
),
products AS (
    SELECT
        *,
        CAST(TRY(nullif(contracted_price, 0) * CAST(Quantity AS DECIMAL(38, 12))) AS DECIMAL(38, 18))
            AS contracted_product,
        coalesce(
            nullif(PaygCostInBillingCurrency, 0),
            CAST(TRY(nullif(list_price, 0) * CAST(Quantity AS DECIMAL(38, 12))) AS DECIMAL(38, 18))
        ) AS list_product
    FROM priced
),

-- ContractedCost and ListCost (FOCUS): of ordinary and covered usage, price times quantity; of any other
-- charge, what it cost. An unused commitment bought nothing at any price: 0, so that contracted less
-- effective cost is the savings net of waste. Covered usage that the actual view shows at a cost has its
-- prices on the amortized view's row. A price of zero on a row that costs something is a missing price
-- (Marketplace, purchases). Quantity without a price, or the other way round: the next best is the cost.
rated AS (
    SELECT
        *,
        CASE
            WHEN is_unused OR (is_actual AND has_both AND is_commitment AND is_usage) THEN 0
            WHEN charge_category = 'Usage' THEN coalesce(contracted_product, cost)
            WHEN is_actual THEN cost
            ELSE billed_cost
        END AS contracted_cost,
        CASE
            WHEN is_unused OR (is_actual AND has_both AND is_commitment AND is_usage) THEN 0
            WHEN charge_category = 'Usage' THEN coalesce(list_product, contracted_product, cost)
            WHEN is_actual THEN cost
            ELSE billed_cost
        END AS list_cost,
        charge_category = 'Usage' AND NOT is_unused AND contracted_product IS NULL AS contracted_inferred,
        charge_category = 'Usage' AND NOT is_unused AND list_product IS NULL AS list_inferred
    FROM products
),

-- Service: by meter category, more narrowly by meter subcategory, else by resource provider. Looked up
-- once a distinct combination.
services AS (
    SELECT meter_category, meter_subcategory, consumed_service,
        s.ServiceName, s.ServiceCategory, s.ServiceSubcategory
    FROM (
        SELECT DISTINCT
            MeterCategory AS meter_category,
            MeterSubCategory AS meter_subcategory,
            ConsumedService AS consumed_service
        FROM raw
    ) AS d
    JOIN ref_azure_services AS s
        ON (
            lower(s.MeterCategory) = lower(trim(d.meter_category))
            AND (s.MeterSubCategory IS NULL OR lower(d.meter_subcategory) LIKE s.MeterSubCategory)
        )
        OR (s.MeterCategory IS NULL AND lower(s.ConsumedService) = lower(trim(d.consumed_service)))
    QUALIFY row_number() OVER (
        PARTITION BY meter_category, meter_subcategory, consumed_service
        ORDER BY s.MeterCategory IS NULL, s.MeterSubCategory IS NULL, s.MeterSubCategory, s.ServiceName
    ) = 1
),

-- Region: ResourceLocation in any of Azure's spellings; Unassigned is no region.
located AS (
    SELECT
        rated.*,
        nullif(nullif(nullif(nullif(
            regexp_replace(lower(ResourceLocation), '[ _-]', '', 'g'),
            ''), 'unassigned'), 'unknown'), 'none') AS location_key,
        nullif(trim(ResourceId), '') AS resource_id,
        CASE
            WHEN trim(Tags) = '' THEN NULL
            WHEN starts_with(trim(Tags), '{') THEN trim(Tags)
            ELSE '{' || rtrim(trim(Tags), ',') || '}'
        END AS braced_tags,
        CASE
            WHEN trim(AdditionalInfo) = '' THEN NULL
            WHEN starts_with(trim(AdditionalInfo), '{') THEN trim(AdditionalInfo)
            ELSE '{' || rtrim(trim(AdditionalInfo), ',') || '}'
        END AS braced_info
    FROM rated
),
detailed AS (
    SELECT
        *,
        -- The path after the last provider: namespace/type/name/type/name.
        string_split(regexp_extract(resource_id, '(?i).*/providers/(.+)$', 1), '/') AS path,
        CASE WHEN json_valid(braced_tags) THEN CAST(json(braced_tags) AS VARCHAR) END AS tags_json,
        CASE WHEN json_valid(braced_info) THEN CAST(json(braced_info) AS VARCHAR) END AS info
    FROM located
),
typed AS (
    SELECT
        *,
        lower(nullif(array_to_string(
            list_filter(path, lambda part, i: i = 1 OR i % 2 = 0), '/'), '')) AS resource_type,
        info->>'$.VMCapacityReservationId' AS capacity_id,
        info->>'$.ServiceType' AS instance_type,
        info->>'$.VCPUs' AS vcpus
    FROM detailed
)

SELECT
    CASE WHEN trim(AvailabilityZone) <> '' THEN AvailabilityZone END AS AvailabilityZone,
    billed_cost AS BilledCost,
    -- EA: the enrollment; MCA (ids of the form guid:guid_date): the billing profile, which is invoiced.
    CASE WHEN contains(BillingAccountId, ':') THEN coalesce(BillingProfileId, BillingAccountId)
        ELSE coalesce(BillingAccountId, BillingProfileId, SubscriptionId, 'unknown') END AS BillingAccountId,
    CASE WHEN contains(BillingAccountId, ':') THEN coalesce(BillingProfileName, BillingAccountName)
        ELSE coalesce(BillingAccountName, BillingProfileName) END AS BillingAccountName,
    CASE WHEN contains(BillingAccountId, ':') AND BillingProfileId IS NOT NULL THEN 'Billing Profile'
        ELSE 'Billing Account' END AS BillingAccountType,
    BillingCurrency,
    -- Azure's end is the last day, FOCUS's the first moment after it.
    coalesce(
        date_trunc('day', BillingPeriodEndDate) + INTERVAL 1 DAY,
        date_trunc('month', BillingPeriodStartDate) + INTERVAL 1 MONTH
    ) AS BillingPeriodEnd,
    date_trunc('day', BillingPeriodStartDate) AS BillingPeriodStart,
    -- FOCUS, CapacityReservationStatus: usage only; Microsoft: unused is billed on the reservation itself.
    CASE WHEN charge_category = 'Usage' THEN nullif(capacity_id, '') END AS CapacityReservationId,
    CASE WHEN charge_category = 'Usage' AND capacity_id <> '' THEN
        CASE WHEN resource_type = 'microsoft.compute/capacityreservationgroups/capacityreservations'
            THEN 'Unused' ELSE 'Used' END
    END AS CapacityReservationStatus,
    charge_category AS ChargeCategory,
    CASE WHEN charge_type = 'refund' THEN 'Correction' END AS ChargeClass,
    coalesce(ProductName, ProductOrderName, MeterName) AS ChargeDescription,
    CASE lower(replace(Frequency, '-', ''))
        WHEN 'onetime' THEN 'One-Time'
        WHEN 'recurring' THEN 'Recurring'
        WHEN 'usagebased' THEN 'Usage-Based'
        ELSE CASE WHEN charge_category = 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END
    END AS ChargeFrequency,
    date_trunc('day', "Date") + INTERVAL 1 DAY AS ChargePeriodEnd,
    date_trunc('day', "Date") AS ChargePeriodStart,
    CASE WHEN commitment_id IS NOT NULL THEN
        CASE WHEN is_savings_plan THEN 'Spend' ELSE 'Usage' END
    END AS CommitmentDiscountCategory,
    commitment_id AS CommitmentDiscountId,
    CASE WHEN commitment_id IS NOT NULL THEN coalesce(BenefitName, ReservationName, ProductOrderName)
    END AS CommitmentDiscountName,
    -- A spend commitment is counted in money, a reservation in its units (FOCUS,
    -- CommitmentDiscountQuantity).
    CASE WHEN commitment_id IS NOT NULL AND charge_category IN ('Usage', 'Purchase') THEN
        CASE WHEN is_savings_plan THEN cost ELSE Quantity END
    END AS CommitmentDiscountQuantity,
    CASE WHEN commitment_id IS NOT NULL AND is_usage THEN
        CASE WHEN is_unused THEN 'Unused' ELSE 'Used' END
    END AS CommitmentDiscountStatus,
    CASE WHEN commitment_id IS NOT NULL THEN
        CASE WHEN is_savings_plan THEN 'Savings Plan' ELSE 'Reservation' END
    END AS CommitmentDiscountType,
    CASE WHEN commitment_id IS NOT NULL AND charge_category IN ('Usage', 'Purchase') THEN
        CASE WHEN is_savings_plan THEN BillingCurrency ELSE coalesce(delivered_unit, 'Units') END
    END AS CommitmentDiscountUnit,
    -- FOCUS, ConsumedQuantity: null where nothing was used.
    CASE WHEN charge_category = 'Usage' AND NOT is_unused THEN Quantity * block END AS ConsumedQuantity,
    CASE WHEN charge_category = 'Usage' AND NOT is_unused AND Quantity IS NOT NULL THEN
        CASE lower(unit)
            WHEN '' THEN 'Units'
            WHEN 'hour' THEN 'Hours'
            WHEN '/hour' THEN 'Hours'
            WHEN '/day' THEN 'Days'
            WHEN 'day' THEN 'Days'
            WHEN '/month' THEN 'Months'
            WHEN 'gb/month' THEN 'GB-Months'
            WHEN 'gb/day' THEN 'GB-Days'
            WHEN 'gb/hour' THEN 'GB-Hours'
            ELSE unit
        END
    END AS ConsumedUnit,
    contracted_cost AS ContractedCost,
    CASE WHEN charge_category IN ('Usage', 'Purchase') AND contracted_price >= 0 THEN contracted_price
    END AS ContractedUnitPrice,
    effective_cost AS EffectiveCost,
    CASE WHEN NOT is_marketplace THEN 'Microsoft' END AS HostProviderName,
    nullif(InvoiceId, '') AS InvoiceId,
    -- Microsoft: the partner invoices what it resells.
    coalesce(nullif(PartnerName, ''), 'Microsoft') AS InvoiceIssuerName,
    list_cost AS ListCost,
    -- Of what has no list price the contracted one is it, as its product is the list cost (above).
    CASE
        WHEN charge_category NOT IN ('Usage', 'Purchase') THEN NULL
        WHEN list_price > 0 OR list_cost = 0 THEN CASE WHEN list_price >= 0 THEN list_price END
        WHEN contracted_price > 0 THEN contracted_price
    END AS ListUnitPrice,
    -- FOCUS, PricingCategory: a commitment's own purchase is not priced as committed.
    CASE
        WHEN charge_category NOT IN ('Usage', 'Purchase') THEN NULL
        WHEN charge_category = 'Usage' AND is_commitment THEN 'Committed'
        WHEN pricing_model = 'spot' THEN 'Dynamic'
        WHEN pricing_model = '' AND MeterName ILIKE '% spot' THEN 'Dynamic'
        WHEN pricing_model IN ('', 'ondemand') OR is_commitment THEN 'Standard'
        ELSE 'Other'
    END AS PricingCategory,
    PricingCurrency,
    CASE WHEN PricingCurrency IS NOT NULL AND charge_category IN ('Usage', 'Purchase') AND UnitPrice >= 0
        THEN UnitPrice END AS PricingCurrencyContractedUnitPrice,
    CASE WHEN PricingCurrency IS NULL THEN NULL
        WHEN is_actual AND has_both AND is_commitment THEN 0
        ELSE CostInPricingCurrency END AS PricingCurrencyEffectiveCost,
    CASE WHEN PricingCurrency IS NOT NULL AND charge_category IN ('Usage', 'Purchase') AND PayGPrice >= 0
        THEN PayGPrice END AS PricingCurrencyListUnitPrice,
    CASE WHEN charge_category IN ('Usage', 'Purchase') THEN Quantity END AS PricingQuantity,
    CASE WHEN charge_category IN ('Usage', 'Purchase') THEN coalesce(delivered_unit, 'Units')
    END AS PricingUnit,
    coalesce(region.RegionId, location_key) AS RegionId,
    CASE WHEN location_key IS NOT NULL THEN coalesce(region.RegionName, ResourceLocation) END AS RegionName,
    resource_id AS ResourceId,
    coalesce(nullif(trim(ResourceName), ''), string_split(resource_id, '/')[-1]) AS ResourceName,
    resource_type AS ResourceType,
    coalesce(service.ServiceCategory, 'Other') AS ServiceCategory,
    coalesce(
        service.ServiceName,
        CASE WHEN lower(trim(MeterCategory)) NOT IN ('', 'unassigned') THEN MeterCategory END,
        CASE WHEN is_marketplace THEN nullif(PublisherName, '') END,
        nullif(ConsumedService, ''),
        ProductName,
        'Microsoft Azure'
    ) AS ServiceName,
    -- FOCUS: who makes the service available; of a Marketplace offer that is its publisher.
    CASE WHEN is_marketplace THEN coalesce(nullif(PublisherName, ''), 'Microsoft') ELSE 'Microsoft' END
        AS ServiceProviderName,
    coalesce(service.ServiceSubcategory, 'Other (Other)') AS ServiceSubcategory,
    -- FOCUS: tax, credits and adjustments have no SKU.
    CASE WHEN charge_category IN ('Usage', 'Purchase') THEN coalesce(ProductId, MeterId) END AS SkuId,
    CASE WHEN charge_category IN ('Usage', 'Purchase') THEN MeterName END AS SkuMeter,
    CASE WHEN charge_category IN ('Usage', 'Purchase') AND coalesce(instance_type, vcpus, Term) IS NOT NULL
        THEN CAST(json_merge_patch('{}', json_object(
            'CoreCount', TRY_CAST(vcpus AS INTEGER), 'InstanceType', instance_type, 'x_Term', Term
        )) AS VARCHAR) END AS SkuPriceDetails,
    CASE WHEN charge_category IN ('Usage', 'Purchase') THEN coalesce(PartNumber, ProductId, MeterId)
    END AS SkuPriceId,
    -- Charges of the billing account itself carry no subscription or the zero one.
    nullif(nullif(SubscriptionId, ''), '00000000-0000-0000-0000-000000000000') AS SubAccountId,
    CASE WHEN SubscriptionId <> '00000000-0000-0000-0000-000000000000' THEN nullif(SubscriptionName, '')
    END AS SubAccountName,
    CASE WHEN nullif(nullif(SubscriptionId, ''), '00000000-0000-0000-0000-000000000000') IS NOT NULL
        THEN 'Subscription' END AS SubAccountType,
    nullif(tags_json, '{}') AS Tags,
    CASE WHEN is_marketplace THEN nullif(PublisherName, '')
        ELSE coalesce(nullif(PublisherName, ''), 'Microsoft') END AS x_PublisherName,
    lower(nullif(coalesce(
        nullif(trim(ResourceGroup), ''),
        regexp_extract(resource_id, '(?i)/resourcegroups/([^/]+)', 1)
    ), '')) AS x_ResourceGroupName,
    nullif(concat_ws(
        ',',
        cost_inferred,
        CASE WHEN coalesce(BillingAccountId, BillingProfileId) IS NULL THEN 'BillingAccountId' END,
        CASE WHEN contracted_inferred THEN 'ContractedCost' END,
        CASE WHEN list_inferred THEN 'ListCost' END,
        CASE WHEN charge_category IN ('Usage', 'Purchase') AND coalesce(list_price, 0) <= 0
            AND list_cost <> 0 AND contracted_price > 0 THEN 'ListUnitPrice' END,
        CASE WHEN coalesce(lower(replace(Frequency, '-', '')), '')
            NOT IN ('onetime', 'recurring', 'usagebased') THEN 'ChargeFrequency' END,
        CASE WHEN charge_category IN ('Usage', 'Purchase') AND pricing_model = '' THEN 'PricingCategory' END,
        CASE WHEN location_key IS NOT NULL AND region.RegionId IS NULL THEN 'RegionName' END,
        CASE WHEN service.ServiceName IS NULL THEN 'ServiceCategory,ServiceSubcategory' END
    ), '') AS x_Inferred,
    x_BillId,
    x_File,
    x_RowNumber
FROM typed
LEFT JOIN services AS service
    ON MeterCategory IS NOT DISTINCT FROM service.meter_category
    AND MeterSubCategory IS NOT DISTINCT FROM service.meter_subcategory
    AND ConsumedService IS NOT DISTINCT FROM service.consumed_service
LEFT JOIN ref_azure_regions AS region ON region.Location = location_key
