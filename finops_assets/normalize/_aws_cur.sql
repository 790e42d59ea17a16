-- From relation `cur`, rows of either Cost and Usage Report under CUR 2.0's names, to FOCUS 1.4.
--
-- Sources, by part:
--   line item types      AWS Data Exports user guide, "Line item columns", line_item_line_item_type.
--   amortized costs      the same, "Reservation columns" and "Savings plan columns": what a reservation
--                        or plan costs is its covered usage's effective cost plus what went unused;
--                        AWS Billing user guide, "Understanding Savings Plans line items".
--   FOCUS                1.4 specification, Cost and Usage dataset; column sections are named below.

-- Savings Plans usage is billed twice over and taken back: a SavingsPlanCoveredUsage row states the
-- on-demand cost, a SavingsPlanNegation row the same below zero. FOCUS (BilledCost: covered charges
-- exclude what a purchase covers) wants 0 on both. The two cancel within an account's bill; should
-- rounding leave a residual, the account's first negation row keeps it, so that the bill adds up to the
-- last digit. Where an account's bill lacks either side, rows stay as stated.
plan_offsets AS (
    SELECT
        x_BillId,
        line_item_currency_code,
        line_item_usage_account_id,
        sum(line_item_unblended_cost) AS residual,
        min({'f': x_File, 'r': x_RowNumber}) FILTER (line_item_line_item_type = 'SavingsPlanNegation')
            AS carrier
    FROM cur
    WHERE line_item_line_item_type IN ('SavingsPlanCoveredUsage', 'SavingsPlanNegation')
    GROUP BY ALL
    HAVING count(DISTINCT line_item_line_item_type) = 2
),

-- Tag keys lose AWS's own 'user:' (CUR) or 'user_' (CUR 2.0) before a customer's key; AWS-generated
-- ('aws:') keys keep theirs (FOCUS, Tags: one tag scheme goes without a prefix). Renamed once a distinct
-- set, in order of keys.
tag_sets AS (
    SELECT resource_tags, nullif(CAST(to_json(map_from_entries(tags)) AS VARCHAR), '{}') AS tags
    FROM (
        SELECT
            resource_tags,
            -- Of two that are one key without their prefix, the last value in order of text.
            list_filter(entries, lambda e, i: entries[i + 1] IS NULL OR entries[i + 1].k <> e.k) AS tags
        FROM (
            SELECT
                resource_tags,
                list_sort(list_transform(
                    list_filter(
                        map_entries(from_json(resource_tags, '"MAP(VARCHAR, VARCHAR)"')),
                        lambda e: e.value <> ''
                    ),
                    lambda e: {'k': regexp_replace(e.key, '^user[:_]', ''), 'v': e.value}
                )) AS entries
            FROM (SELECT DISTINCT resource_tags FROM cur WHERE json_valid(resource_tags))
        )
    )
),

-- One row for each line item, and a second one for what a commitment left unused (FOCUS,
-- CommitmentDiscountStatus: unused commitment is Usage rows of its own). Unused reservation: the unused
-- shares of upfront and recurring fee, stated on the RIFee row. Unused Savings Plans commitment: the
-- commitment to date less the used one, stated on the SavingsPlanRecurringFee row.
priced AS NOT MATERIALIZED (
    SELECT
        *,
        line_item_line_item_type AS item_type,
        line_item_unblended_cost AS unblended,
        CASE line_item_line_item_type
            WHEN 'RIFee' THEN
                coalesce(reservation_unused_amortized_upfront_fee_for_billing_period, 0)
                + coalesce(reservation_unused_recurring_fee, 0)
            WHEN 'SavingsPlanRecurringFee' THEN
                coalesce(savings_plan_total_commitment_to_date, 0)
                - coalesce(savings_plan_used_commitment, 0)
            ELSE 0
        END AS unused_cost,
        coalesce(
            nullif(stated_region, ''),
            -- A zone is its region and one letter.
            regexp_extract(line_item_availability_zone, '^([a-z]+(?:-[a-z]+)+-\d+)[a-z]$', 1)
        ) AS region
    FROM cur
),
charges AS (
    SELECT *, unnest(CASE WHEN unused_cost <> 0 THEN [false, true] ELSE [false] END) AS is_unused
    FROM priced
),

classified AS (
    SELECT
        *,
        -- FOCUS, ChargeCategory. A refund gives back part of an earlier charge of any category, which the
        -- report does not name, and the discount types are provider-made lines beside the usage they
        -- lower: both are Adjustment. An unknown type of line is one too.
        CASE
            WHEN is_unused THEN 'Usage'
            WHEN item_type IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage') THEN 'Usage'
            WHEN item_type IN ('Fee', 'RIFee', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee')
                THEN 'Purchase'
            WHEN item_type = 'Tax' THEN 'Tax'
            WHEN item_type = 'Credit' THEN 'Credit'
            ELSE 'Adjustment'
        END AS category,
        CASE
            WHEN item_type IN (
                'SavingsPlanCoveredUsage', 'SavingsPlanNegation', 'SavingsPlanRecurringFee',
                'SavingsPlanUpfrontFee'
            ) THEN plan_id
            WHEN item_type IN ('DiscountedUsage', 'RIFee', 'Fee') THEN reservation_id
        END AS commitment_id,
        item_type LIKE 'SavingsPlan%' AS is_plan,
        -- AWS: "The SKU is created by combining the ProductCode, UsageType, and Operation". Where a line
        -- states none (fees of plans, support, the Marketplace), these three are it.
        coalesce(nullif(sku, ''), nullif(concat_ws(
            ':', line_item_product_code, nullif(line_item_usage_type, ''), nullif(line_item_operation, '')
        ), '')) AS sku_id,
        item_type LIKE '%Discount' AS is_discount,
        -- EBS is billed under EC2's product code; AWS's own FOCUS export files it under Storage.
        line_item_product_code = 'AmazonEC2'
            AND (
                line_item_usage_type LIKE '%EBS:%'
                OR product_family IN ('Storage', 'Storage Snapshot')
            ) AS is_block_storage,
        -- A public cost of zero beside no public rate says that none is known.
        CASE
            WHEN pricing_public_on_demand_cost <> 0
                OR pricing_public_on_demand_rate IS NOT NULL
                OR (pricing_public_on_demand_cost = 0 AND line_item_unblended_cost = 0)
                THEN coalesce(
                    pricing_public_on_demand_cost,
                    TRY_CAST(pricing_public_on_demand_rate AS DECIMAL(19, 10))
                    * TRY_CAST(line_item_usage_amount AS DECIMAL(19, 8))
                )
        END AS public_cost
    FROM charges
),

costed AS (
    SELECT
        c.*,
        -- FOCUS, BilledCost: what is invoiced; the unblended cost, but for the plans' offsets above.
        CASE
            WHEN c.is_unused THEN 0
            WHEN o.carrier IS NULL
                OR c.item_type NOT IN ('SavingsPlanCoveredUsage', 'SavingsPlanNegation')
                THEN c.unblended
            WHEN o.carrier = {'f': c.x_File, 'r': c.x_RowNumber} THEN o.residual
            ELSE 0
        END AS billed,
        -- FOCUS, EffectiveCost: 0 on purchases that cover later usage, the amortized part on the usage
        -- they cover and on what they leave unused.
        CASE
            WHEN c.is_unused THEN c.unused_cost
            WHEN c.item_type = 'DiscountedUsage' THEN coalesce(c.reservation_effective_cost, c.unblended)
            WHEN c.item_type = 'SavingsPlanCoveredUsage'
                THEN coalesce(c.savings_plan_savings_plan_effective_cost, c.unblended)
            WHEN c.item_type IN (
                'SavingsPlanNegation', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee', 'RIFee'
            ) THEN 0
            WHEN c.item_type = 'Fee' AND c.commitment_id IS NOT NULL THEN 0
            ELSE c.unblended
        END AS effective,
        -- A fee lists and contracts at what it bills, so its unit price is that by its quantity: a quotient,
        -- to ten digits, where the line states no rate.
        CASE
            WHEN c.category <> 'Purchase' OR c.unblended < 0 THEN NULL
            WHEN c.line_item_unblended_rate > 0 OR c.unblended = 0
                THEN coalesce(c.line_item_unblended_rate, 0)
            WHEN c.line_item_usage_amount > 0
                THEN CAST(CAST(c.unblended / c.line_item_usage_amount AS DECIMAL(28, 10)) AS DECIMAL(38, 18))
        END AS fee_price,
        -- FOCUS, ListCost: public price times quantity for usage; equal to what is billed for charges
        -- that have no public price. Discounts, offsets and unused commitment were never listed.
        CASE
            WHEN c.is_unused OR c.is_discount OR c.item_type = 'SavingsPlanNegation' THEN 0
            WHEN c.category = 'Usage' THEN coalesce(c.public_cost, c.unblended)
            ELSE c.unblended
        END AS listed,
        -- FOCUS, ContractedCost: negotiated, before commitments. The unblended cost of usage that a plan
        -- covers is its on-demand cost; that of reserved usage is 0, so its public cost stands in.
        CASE
            WHEN c.is_unused OR c.item_type = 'SavingsPlanNegation' THEN 0
            WHEN c.item_type = 'DiscountedUsage' THEN coalesce(c.public_cost, c.unblended)
            ELSE c.unblended
        END AS contracted
    FROM classified AS c
    LEFT JOIN plan_offsets AS o USING (x_BillId, line_item_currency_code, line_item_usage_account_id)
)

SELECT
    line_item_availability_zone AS AvailabilityZone,
    billed AS BilledCost,
    bill_payer_account_id AS BillingAccountId,
    payer_name AS BillingAccountName,
    line_item_currency_code AS BillingCurrency,
    bill_billing_period_start_date AS BillingPeriodStart,
    coalesce(bill_billing_period_end_date, bill_billing_period_start_date + INTERVAL 1 MONTH)
        AS BillingPeriodEnd,
    capacity_id AS CapacityReservationId,
    -- FOCUS, CapacityReservationStatus: only usage has one. AWS says Used, Unused, or Reserved (mixed).
    CASE WHEN capacity_id IS NOT NULL AND category = 'Usage'
        THEN CASE WHEN lower(capacity_status) LIKE 'unused%' THEN 'Unused' ELSE 'Used' END
    END AS CapacityReservationStatus,
    category AS ChargeCategory,
    -- FOCUS, ChargeClass: a refund in this bill of a charge period that an earlier bill closed.
    CASE WHEN item_type = 'Refund' AND line_item_usage_start_date < bill_billing_period_start_date
        THEN 'Correction'
    END AS ChargeClass,
    line_item_line_item_description AS ChargeDescription,
    CASE
        WHEN category = 'Usage' OR is_discount OR item_type = 'SavingsPlanNegation' THEN 'Usage-Based'
        WHEN item_type IN ('RIFee', 'SavingsPlanRecurringFee')
            OR line_item_product_code LIKE 'AWSSupport%' THEN 'Recurring'
        ELSE 'One-Time'
    END AS ChargeFrequency,
    line_item_usage_start_date AS ChargePeriodStart,
    -- FOCUS, ChargePeriodEnd is exclusive; a line of no length (a fee) lasts the report's finest hour.
    CASE WHEN line_item_usage_end_date > line_item_usage_start_date THEN line_item_usage_end_date
        ELSE line_item_usage_start_date + INTERVAL 1 HOUR
    END AS ChargePeriodEnd,
    commitment_id AS CommitmentDiscountId,
    -- FOCUS, CommitmentDiscountCategory: plans commit to spend, reservations to usage.
    CASE WHEN commitment_id IS NOT NULL THEN if(is_plan, 'Spend', 'Usage') END
        AS CommitmentDiscountCategory,
    CASE WHEN commitment_id IS NOT NULL THEN if(is_plan, 'Savings Plan', 'Reserved Instance') END
        AS CommitmentDiscountType,
    CASE WHEN commitment_id IS NOT NULL AND category = 'Usage' THEN if(is_unused, 'Unused', 'Used') END
        AS CommitmentDiscountStatus,
    -- FOCUS, CommitmentDiscountQuantity: money for a spend commitment, (normalized) units for a usage one.
    CASE
        WHEN commitment_id IS NULL OR category NOT IN ('Usage', 'Purchase') THEN NULL
        WHEN is_unused AND is_plan THEN unused_cost
        WHEN is_unused THEN
            coalesce(nullif(reservation_unused_normalized_unit_quantity, 0), reservation_unused_quantity)
        WHEN item_type = 'SavingsPlanCoveredUsage' THEN effective
        -- A purchase acquires what it bills: of a plan that is paid partly upfront, that part with the
        -- upfront fee and the rest with the recurring one, so that all purchases are the commitment.
        WHEN is_plan THEN unblended
        WHEN item_type = 'DiscountedUsage' THEN
            coalesce(nullif(line_item_normalized_usage_amount, 0), line_item_usage_amount)
        ELSE coalesce(
            nullif(reservation_total_reserved_normalized_units, 0), reservation_total_reserved_units,
            line_item_usage_amount
        )
    END AS CommitmentDiscountQuantity,
    CASE
        WHEN commitment_id IS NULL OR category NOT IN ('Usage', 'Purchase') THEN NULL
        WHEN is_plan THEN line_item_currency_code
        WHEN coalesce(
            nullif(line_item_normalized_usage_amount, 0),
            nullif(reservation_total_reserved_normalized_units, 0)
        ) IS NOT NULL THEN 'Normalized Hours'
        ELSE pricing_unit
    END AS CommitmentDiscountUnit,
    -- FOCUS, ConsumedQuantity: null on everything but used usage.
    CASE WHEN category = 'Usage' AND NOT is_unused THEN line_item_usage_amount END AS ConsumedQuantity,
    CASE WHEN category = 'Usage' AND NOT is_unused AND line_item_usage_amount IS NOT NULL
        THEN coalesce(nullif(pricing_unit, ''), 'Units') END AS ConsumedUnit,
    contracted AS ContractedCost,
    CASE
        WHEN category NOT IN ('Usage', 'Purchase') OR is_unused THEN NULL
        WHEN item_type = 'DiscountedUsage'
            THEN CASE WHEN public_cost IS NOT NULL AND pricing_public_on_demand_rate >= 0
                THEN pricing_public_on_demand_rate END
        WHEN category = 'Purchase' THEN fee_price
        WHEN line_item_unblended_rate >= 0 THEN line_item_unblended_rate
    END AS ContractedUnitPrice,
    effective AS EffectiveCost,
    'AWS' AS HostProviderName,
    nullif(bill_invoice_id, '') AS InvoiceId,
    coalesce(
        nullif(bill_invoicing_entity, ''), nullif(line_item_legal_entity, ''), 'Amazon Web Services, Inc.'
    ) AS InvoiceIssuerName,
    listed AS ListCost,
    CASE
        WHEN is_unused THEN NULL
        WHEN category = 'Purchase' THEN fee_price
        WHEN category = 'Usage' AND pricing_public_on_demand_rate >= 0 THEN pricing_public_on_demand_rate
    END AS ListUnitPrice,
    -- FOCUS, PricingCategory: commitment purchases themselves are Standard; none on other categories.
    CASE
        WHEN category = 'Usage' AND (is_unused OR commitment_id IS NOT NULL
            OR item_type IN ('DiscountedUsage', 'SavingsPlanCoveredUsage')) THEN 'Committed'
        WHEN category = 'Usage' AND (line_item_usage_type LIKE '%SpotUsage%' OR pricing_term = 'Spot')
            THEN 'Dynamic'
        WHEN category IN ('Usage', 'Purchase') THEN 'Standard'
    END AS PricingCategory,
    nullif(pricing_currency, '') AS PricingCurrency,
    CASE WHEN category IN ('Usage', 'Purchase') AND NOT is_unused THEN line_item_usage_amount END
        AS PricingQuantity,
    CASE WHEN category IN ('Usage', 'Purchase') AND NOT is_unused AND line_item_usage_amount IS NOT NULL
        THEN coalesce(nullif(pricing_unit, ''), 'Units') END AS PricingUnit,
    c.region AS RegionId,
    coalesce(r.RegionName, c.location_name, c.region) AS RegionName,
    CASE WHEN is_unused OR category = 'Purchase'
        THEN coalesce(commitment_id, nullif(line_item_resource_id, ''))
        ELSE nullif(line_item_resource_id, '')
    END AS ResourceId,
    -- ServiceName and categories: the reference table by product code; a product it does not know (the
    -- Marketplace's, say) goes under its own name and category Other.
    CASE WHEN is_block_storage THEN 'Storage' ELSE coalesce(s.ServiceCategory, 'Other') END
        AS ServiceCategory,
    -- FOCUS, ServiceName: a service has one category, so block storage is no part of EC2.
    CASE WHEN is_block_storage THEN 'Amazon Elastic Block Store'
        ELSE coalesce(s.ServiceName, nullif(c.product_name, ''), line_item_product_code, 'AWS')
    END AS ServiceName,
    CASE
        WHEN is_block_storage THEN 'Block Storage'
        WHEN line_item_product_code = 'AmazonEC2' AND coalesce(product_family, '') NOT LIKE '%Instance%'
            AND NOT regexp_matches(
                coalesce(line_item_usage_type, ''), '(BoxUsage|SpotUsage|DedicatedUsage|HeavyUsage|Host)'
            ) THEN 'Other (Compute)'
        ELSE coalesce(s.ServiceSubcategory, 'Other (Other)')
    END AS ServiceSubcategory,
    -- ServiceProviderName: in the Marketplace the seller, which the report calls the legal entity.
    CASE WHEN bill_billing_entity = 'AWS Marketplace'
        THEN coalesce(nullif(line_item_legal_entity, ''), 'AWS')
        ELSE 'AWS'
    END AS ServiceProviderName,
    -- FOCUS, SkuId, SkuPriceId: null on taxes, credits and adjustments.
    CASE WHEN category IN ('Usage', 'Purchase') THEN sku_id END AS SkuId,
    CASE WHEN category IN ('Usage', 'Purchase') THEN line_item_usage_type END AS SkuMeter,
    CASE WHEN category IN ('Usage', 'Purchase') THEN coalesce(nullif(pricing_rate_code, ''), sku_id) END
        AS SkuPriceId,
    CASE WHEN category = 'Usage' AND coalesce(instance_type, operating_system, '') <> ''
        THEN CAST(json_merge_patch(
            '{}', json_object('InstanceType', instance_type, 'OperatingSystem', operating_system)
        ) AS VARCHAR)
    END AS SkuPriceDetails,
    line_item_usage_account_id AS SubAccountId,
    account_name AS SubAccountName,
    t.tags AS Tags,
    nullif(line_item_legal_entity, '') AS x_PublisherName,
    nullif(concat_ws(
        ',',
        CASE WHEN line_item_usage_end_date <= line_item_usage_start_date
            OR line_item_usage_end_date IS NULL THEN 'ChargePeriodEnd' END,
        CASE WHEN item_type = 'DiscountedUsage' AND NOT is_unused
            THEN 'ContractedCost,ContractedUnitPrice' END,
        CASE WHEN category = 'Purchase' AND NOT is_unused AND fee_price IS NOT NULL
            THEN 'ContractedUnitPrice,ListUnitPrice' END,
        CASE WHEN (item_type = 'DiscountedUsage' AND reservation_effective_cost IS NULL)
            OR (item_type = 'SavingsPlanCoveredUsage' AND savings_plan_savings_plan_effective_cost IS NULL)
            THEN 'EffectiveCost' END,
        CASE WHEN coalesce(nullif(bill_invoicing_entity, ''), nullif(line_item_legal_entity, '')) IS NULL
            THEN 'InvoiceIssuerName' END,
        CASE WHEN category = 'Usage' AND NOT is_unused
            AND (pricing_public_on_demand_cost IS NULL OR public_cost IS NULL) THEN 'ListCost' END,
        CASE WHEN nullif(stated_region, '') IS NULL AND c.region IS NOT NULL THEN 'RegionId' END,
        CASE WHEN s.ServiceName IS NULL THEN 'ServiceCategory,ServiceSubcategory' END,
        CASE WHEN category IN ('Usage', 'Purchase') AND nullif(sku, '') IS NULL THEN 'SkuId' END,
        CASE WHEN category IN ('Usage', 'Purchase') AND nullif(pricing_rate_code, '') IS NULL
            THEN 'SkuPriceId' END
    ), '') AS x_Inferred,
    x_BillId,
    x_File,
    x_RowNumber
FROM costed AS c
LEFT JOIN ref_aws_services AS s ON s.ProductCode = c.line_item_product_code
LEFT JOIN ref_aws_regions AS r ON r.RegionId = c.region
LEFT JOIN tag_sets AS t ON t.resource_tags = c.resource_tags
