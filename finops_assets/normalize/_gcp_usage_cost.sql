-- From relation `export`, rows of either usage cost export, to FOCUS 1.4.
--
-- Sources, by part:
--   fields       Google Cloud documentation, "Structure of Standard data export" and "Structure of
--                Detailed data export".
--   mapping      Google's FOCUS BigQuery view (2024) and "Structure of FOCUS data export" (preview).
--   credits      the same pages, credits.type; "Committed use discounts: new spend-based model".
--   FOCUS        1.4 specification, Cost and Usage dataset; column sections are named below.
--
-- Credits. FOCUS wants a discount inside the row it discounts, and a row of its own only for what is
-- given as payment. So credits that are discounts (committed and sustained use, contractual, reseller,
-- subscription) are netted into their row's BilledCost and EffectiveCost, while promotions, free tier
-- and any type we do not know become one 'Credit' row each. Every credit is in exactly one of the two:
-- SUM(BilledCost) = SUM(cost) + SUM(credits.amount), to the last digit.
--
-- Commitments. The fee of a commitment is billed in the hours it lasts, beside the usage that its
-- credits discount. Which share of the fee went into which row, and in the resource-based and legacy
-- spend-based models how much went unused, the export does not say. So there EffectiveCost is
-- BilledCost on fee and usage alike (right in sum for any period; marked as inferred). In the new
-- spend-based model the usage carries the committed price itself and a FEE_UTILIZATION_OFFSET takes the
-- used part off the fee: what is left of the fee is the unused commitment, a Usage row marked 'Unused'.

-- JSON numbers are read from the text: DuckDB's JSON numbers are doubles.
parsed AS (
    SELECT
        *,
        from_json(service, '{"id":"VARCHAR","description":"VARCHAR"}') AS svc,
        from_json(sku, '{"id":"VARCHAR","description":"VARCHAR"}') AS item,
        from_json(project, '{"id":"VARCHAR","name":"VARCHAR"}') AS proj,
        from_json(location, '{"location":"VARCHAR","region":"VARCHAR","zone":"VARCHAR"}') AS loc,
        from_json(usage, '{"unit":"VARCHAR","pricing_unit":"VARCHAR"}') AS used,
        from_json(price, '{"unit":"VARCHAR"}') AS priced,
        regexp_replace(regexp_extract(price, '"tier_start_amount":\s*"?([0-9.]+)', 1), '\.0*$', '')
            AS tier_start,
        from_json(adjustment_info, '{"id":"VARCHAR","type":"VARCHAR","description":"VARCHAR"}') AS adjusted,
        from_json(consumption_model, '{"id":"VARCHAR","description":"VARCHAR"}') AS model,
        from_json(resource, '{"name":"VARCHAR","global_name":"VARCHAR"}') AS res,
        subscription->>'$.instance_id' AS instance_id,
        lower(coalesce(cost_type, 'regular')) AS kind,
        TRY_CAST(nullif(regexp_extract(usage, '"amount":\s*"?([^,"}\s]+)', 1), '') AS DECIMAL(38, 12))
            AS usage_amount,
        TRY_CAST(nullif(regexp_extract(usage, '"amount_in_pricing_units":\s*"?([^,"}\s]+)', 1), '')
            AS DECIMAL(38, 12)) AS pricing_amount,
        TRY_CAST(nullif(regexp_extract(price, '"list_price":\s*"?([^,"}\s]+)', 1), '')
            AS DECIMAL(38, 18)) AS list_price,
        coalesce(
            TRY_CAST(nullif(regexp_extract(price, '"effective_price_default":\s*"?([^,"}\s]+)', 1), '')
                AS DECIMAL(38, 18)),
            TRY_CAST(nullif(regexp_extract(price, '"effective_price":\s*"?([^,"}\s]+)', 1), '')
                AS DECIMAL(38, 18))
        ) AS contracted_price,
        -- Prices are per pricing_unit_quantity units: powers of ten in all published prices.
        CASE TRY_CAST(nullif(regexp_extract(price, '"pricing_unit_quantity":\s*"?([^,"}\s]+)', 1), '')
                AS DECIMAL(38, 9))
            WHEN 1000 THEN 0.001
            WHEN 10000 THEN 0.0001
            WHEN 100000 THEN 0.00001
            WHEN 1000000 THEN 0.000001
            WHEN 1000000000 THEN 0.000000001
            ELSE 1
        END AS per_unit,
        from_json(
            nullif(credits, '[]'),
            '[{"id":"VARCHAR","type":"VARCHAR","name":"VARCHAR","full_name":"VARCHAR"}]'
        ) AS credit_items,
        list_transform(
            regexp_extract_all(credits, '"amount":\s*"?([^,"}\s]+)', 1),
            lambda amount: CAST(nullif(amount, 'null') AS DECIMAL(38, 18))
        ) AS credit_amounts
    FROM export
),
with_credits AS (
    SELECT
        *,
        list_transform(credit_items, lambda c, i: {
            'amount': coalesce(credit_amounts[i], 0),
            'type': upper(coalesce(c.type, '')),
            'title': coalesce(nullif(c.full_name, ''), nullif(c.name, ''), nullif(c.id, '')),
            'id': nullif(c.id, ''),
            'is_discount': upper(coalesce(c.type, '')) IN (
                'COMMITTED_USAGE_DISCOUNT', 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE', 'DISCOUNT',
                'FEE_UTILIZATION_OFFSET', 'RESELLER_MARGIN', 'SPENDING_BASED_DISCOUNT',
                'SUBSCRIPTION_BENEFIT', 'SUSTAINED_USAGE_DISCOUNT'
            )
        }) AS all_credits
    FROM parsed
),
netted AS (
    SELECT
        *,
        cost + coalesce(list_sum(list_transform(
            list_filter(all_credits, lambda c: c.is_discount), lambda c: c.amount)), 0) AS net_cost,
        list_filter(all_credits, lambda c: c.type IN (
            'COMMITTED_USAGE_DISCOUNT', 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE'))[1] AS cud,
        list_filter(all_credits, lambda c: c.type = 'FEE_UTILIZATION_OFFSET')[1] AS fee_offset
    FROM with_credits
),
classed AS (
    SELECT
        *,
        kind = 'regular' AND (fee_offset IS NOT NULL OR item.description ILIKE 'commitment%') AS is_fee,
        kind = 'regular' AND fee_offset IS NOT NULL AS is_unused,
        -- The new spend-based model says in the row under which model it was priced.
        kind = 'regular' AND model.id IS NOT NULL AND lower(coalesce(model.description, '')) <> 'default'
            AS is_model_priced
    FROM netted
),
committed AS (
    SELECT
        *,
        kind = 'regular' AND NOT is_fee AND (cud IS NOT NULL OR is_model_priced) AS is_covered,
        CASE
            WHEN kind = 'tax' THEN 'Tax'
            WHEN kind <> 'regular' THEN 'Adjustment'
            WHEN is_fee AND NOT is_unused THEN 'Purchase'
            ELSE 'Usage'
        END AS charge_category,
        is_fee OR (kind = 'regular' AND (cud IS NOT NULL OR is_model_priced)) AS is_commitment,
        -- A subscription where the row names one; else the credit, which may be all it names.
        coalesce(nullif(instance_id, ''), cud.id, CASE WHEN is_model_priced THEN model.id END,
            fee_offset.id, cud.title, fee_offset.title, CASE WHEN is_fee THEN item.id END) AS commitment_id,
        -- Resource-based commitments are of usage, all others of spend.
        CASE
            WHEN cud.type = 'COMMITTED_USAGE_DISCOUNT' THEN 'Usage'
            WHEN cud IS NOT NULL OR fee_offset IS NOT NULL OR is_model_priced THEN 'Spend'
            WHEN item.description ILIKE '%dollar based%' THEN 'Spend'
            ELSE 'Usage'
        END AS commitment_kind
    FROM classed
),

-- Tags: a project's labels hold for what is in it unless the resource says otherwise (Google's view
-- calls them inherited); labels go without prefix, Google's own and Resource Manager's tags with one
-- (FOCUS, Tags: all tag schemes but one are prefixed). Once a distinct set.
tag_sets AS (
    SELECT labels, system_labels, tags, project_labels,
        CAST(to_json(map_from_entries(list({'k': tag_key, 'v': tag_value} ORDER BY tag_key))) AS VARCHAR)
            AS tag_json,
        -- SkuPriceDetails: the machine, from the labels that Google sets.
        CAST(json_merge_patch('{}', json_object(
            'CoreCount',
            max(TRY_CAST(tag_value AS INTEGER)) FILTER (tag_key = 'system/compute.googleapis.com/cores'),
            'InstanceType',
            max(tag_value) FILTER (tag_key = 'system/compute.googleapis.com/machine_spec')
        )) AS VARCHAR) AS machine_json
    FROM (
        SELECT labels, system_labels, tags, project_labels, entry.k AS tag_key,
            arg_min(entry.v, entry.rank) AS tag_value
        FROM (
            SELECT labels, system_labels, tags, project_labels, unnest(list_concat(
                list_transform(coalesce(from_json(labels, '[{"key":"VARCHAR","value":"VARCHAR"}]'), []),
                    lambda t: {'k': t.key, 'v': t.value, 'rank': 1}),
                list_transform(
                    coalesce(from_json(project_labels, '[{"key":"VARCHAR","value":"VARCHAR"}]'), []),
                    lambda t: {'k': t.key, 'v': t.value, 'rank': 2}),
                list_transform(
                    coalesce(from_json(system_labels, '[{"key":"VARCHAR","value":"VARCHAR"}]'), []),
                    lambda t: {'k': 'system/' || t.key, 'v': t.value, 'rank': 1}),
                list_transform(
                    coalesce(
                        from_json(tags, '[{"key":"VARCHAR","value":"VARCHAR","namespace":"VARCHAR"}]'), []),
                    lambda t: {
                        'k': concat_ws('/', 'tag', t.namespace, t.key), 'v': t.value, 'rank': 1})
            )) AS entry
            FROM (
                SELECT DISTINCT labels, system_labels, tags, project->'$.labels' AS project_labels
                FROM raw
            )
        )
        WHERE entry.k IS NOT NULL AND entry.v IS NOT NULL
        GROUP BY ALL
    )
    GROUP BY labels, system_labels, tags, project_labels
),
-- Google's invoice months begin at midnight Pacific time (its FOCUS view does the same).
invoices AS (
    SELECT
        *,
        timezone('America/Los_Angeles', strptime(invoice_month, '%Y%m')) AS period_start,
        timezone('America/Los_Angeles', strptime(invoice_month, '%Y%m') + INTERVAL 1 MONTH) AS period_end
    FROM (
        SELECT
            invoice,
            invoice->>'$.month' AS invoice_month,
            invoice->>'$.publisher_type' AS publisher_type
        FROM (SELECT DISTINCT invoice FROM raw)
    )
),
tagged AS (
    SELECT
        committed.*,
        tag_sets.tag_json,
        tag_sets.machine_json,
        invoices.period_start,
        invoices.period_end,
        invoices.publisher_type
    FROM committed
    LEFT JOIN invoices ON committed.invoice IS NOT DISTINCT FROM invoices.invoice
    LEFT JOIN tag_sets
        ON committed.labels IS NOT DISTINCT FROM tag_sets.labels
        AND committed.system_labels IS NOT DISTINCT FROM tag_sets.system_labels
        AND committed.tags IS NOT DISTINCT FROM tag_sets.tags
        AND CAST(committed.project->'$.labels' AS VARCHAR)
            IS NOT DISTINCT FROM CAST(tag_sets.project_labels AS VARCHAR)
),

-- A commitment goes by the name of its fee, wherever the row of the fee tells which commitment it is.
fee_names AS (
    SELECT subscription->>'$.instance_id' AS instance_id, min(sku->>'$.description') AS name
    FROM raw
    WHERE lower(coalesce(cost_type, 'regular')) = 'regular' AND sku->>'$.description' ILIKE 'commitment%'
        AND subscription->>'$.instance_id' <> ''
    GROUP BY ALL
),

-- The charge's own row, then one for each credit that is not a discount.
charges AS (
    SELECT
        * REPLACE (
            CASE WHEN credit IS NULL THEN charge_category ELSE 'Credit' END AS charge_category,
            credit IS NULL AND is_commitment AS is_commitment,
            credit IS NULL AND is_covered AS is_covered,
            credit IS NULL AND is_unused AS is_unused,
            credit IS NULL AND is_fee AS is_fee
        ),
        credit.title AS credit_title,
        credit.amount AS credit_amount
    FROM (
        SELECT
            *,
            unnest(list_prepend(NULL, coalesce(list_filter(all_credits, lambda c: NOT c.is_discount), [])))
                AS credit
        FROM tagged
    )
),
placed AS (
    SELECT
        *,
        -- FOCUS, CommitmentDiscountQuantity: what of the usage a commitment to usage covers: as much of it as
        -- its credit takes off the cost.
        CASE WHEN is_covered AND commitment_kind = 'Usage' THEN
            CASE WHEN -cud.amount >= cost THEN pricing_amount
                ELSE CAST(pricing_amount * (-cud.amount / cost) AS DECIMAL(38, 12)) END
        END AS covered_amount,
        charge_category IN ('Usage', 'Purchase') AS has_sku,
        coalesce(credit_amount, net_cost) AS billed,
        coalesce(nullif(loc.region, ''), nullif(loc.location, '')) AS region_id,
        -- Google: THIRD_PARTY_RESELLER and THIRD_PARTY_AGENCY, written by number too.
        coalesce(transaction_type, '') IN ('2', '3', 'THIRD_PARTY_RESELLER', 'THIRD_PARTY_AGENCY')
            OR publisher_type = 'PARTNER' AS is_third_party
    FROM charges
)
SELECT
    nullif(loc.zone, '') AS AvailabilityZone,
    billed AS BilledCost,
    billing_account_id AS BillingAccountId,
    'Billing Account' AS BillingAccountType,
    currency AS BillingCurrency,
    period_end AS BillingPeriodEnd,
    period_start AS BillingPeriodStart,
    charge_category AS ChargeCategory,
    CASE WHEN adjusted.type LIKE '%_CORRECTION' THEN 'Correction' END AS ChargeClass,
    CASE WHEN charge_category = 'Credit' THEN coalesce(credit_title, 'Credit')
        ELSE coalesce(item.description, adjusted.description) END AS ChargeDescription,
    CASE charge_category
        WHEN 'Usage' THEN CASE WHEN is_fee THEN 'Recurring' ELSE 'Usage-Based' END
        WHEN 'Purchase' THEN 'Recurring'
        ELSE 'One-Time'
    END AS ChargeFrequency,
    usage_end_time AS ChargePeriodEnd,
    usage_start_time AS ChargePeriodStart,
    CASE WHEN is_commitment THEN commitment_kind END AS CommitmentDiscountCategory,
    CASE WHEN is_commitment THEN commitment_id END AS CommitmentDiscountId,
    CASE WHEN is_commitment THEN coalesce(fee_names.name, cud.title, fee_offset.title,
        CASE WHEN is_model_priced THEN model.description END, item.description)
    END AS CommitmentDiscountName,
    CASE WHEN is_commitment AND is_fee THEN pricing_amount ELSE covered_amount END
        AS CommitmentDiscountQuantity,
    CASE WHEN is_unused THEN 'Unused' WHEN is_covered THEN 'Used' END AS CommitmentDiscountStatus,
    CASE WHEN is_commitment THEN
        CASE commitment_kind
            WHEN 'Usage' THEN 'Resource-based committed use discount'
            ELSE 'Spend-based committed use discount'
        END
    END AS CommitmentDiscountType,
    CASE WHEN (is_commitment AND is_fee AND pricing_amount IS NOT NULL) OR covered_amount IS NOT NULL
        THEN used.pricing_unit
    END AS CommitmentDiscountUnit,
    CASE WHEN charge_category = 'Usage' AND NOT is_fee THEN usage_amount END AS ConsumedQuantity,
    CASE WHEN charge_category = 'Usage' AND NOT is_fee THEN used.unit END AS ConsumedUnit,
    -- `cost` is at the negotiated price; where a consumption model priced it lower, the cost without it
    -- is stated. Credits and the unused rest of a fee cost what they cost at any price (FOCUS,
    -- ContractedCost and ListCost).
    CASE WHEN charge_category = 'Credit' OR is_unused THEN billed
        ELSE coalesce(cost_at_effective_price_default, cost) END AS ContractedCost,
    CASE WHEN has_sku AND NOT is_unused AND contracted_price >= 0
        THEN CAST(CAST(contracted_price AS DECIMAL(28, 18)) * CAST(per_unit AS DECIMAL(10, 9))
            AS DECIMAL(38, 18)) END AS ContractedUnitPrice,
    billed AS EffectiveCost,
    CASE WHEN NOT is_third_party THEN 'Google Cloud' END AS HostProviderName,
    'Google Cloud' AS InvoiceIssuerName,
    CASE WHEN charge_category = 'Credit' OR is_unused THEN billed
        ELSE coalesce(cost_at_list, cost_at_effective_price_default, cost) END AS ListCost,
    CASE WHEN has_sku AND NOT is_unused AND list_price >= 0
        THEN CAST(CAST(list_price AS DECIMAL(28, 18)) * CAST(per_unit AS DECIMAL(10, 9))
            AS DECIMAL(38, 18)) END AS ListUnitPrice,
    CASE
        WHEN NOT has_sku THEN NULL
        WHEN is_covered OR is_unused THEN 'Committed'
        WHEN item.description ILIKE '%spot%' OR item.description ILIKE '%preemptible%' THEN 'Dynamic'
        ELSE 'Standard'
    END AS PricingCategory,
    CASE WHEN has_sku THEN pricing_amount END AS PricingQuantity,
    CASE WHEN has_sku THEN coalesce(used.pricing_unit, priced.unit, used.unit) END AS PricingUnit,
    region_id AS RegionId,
    coalesce(region.RegionName, region_id) AS RegionName,
    coalesce(nullif(res.global_name, ''), nullif(res.name, '')) AS ResourceId,
    coalesce(nullif(res.name, ''), string_split(nullif(res.global_name, ''), '/')[-1]) AS ResourceName,
    -- //compute.googleapis.com/projects/p/zones/z/instances/i → compute.googleapis.com/instances.
    CASE WHEN regexp_matches(res.global_name, '^//[^/]+/.+/[^/]+/[^/]+$') THEN
        regexp_extract(res.global_name, '^//([^/]+)/', 1)
            || '/' || regexp_extract(res.global_name, '/([^/]+)/[^/]+$', 1)
    END AS ResourceType,
    coalesce(known.ServiceCategory, 'Other') AS ServiceCategory,
    coalesce(svc.description, svc.id, 'Google Cloud') AS ServiceName,
    CASE WHEN is_third_party THEN coalesce(nullif(seller_name, ''), 'Google Cloud') ELSE 'Google Cloud' END
        AS ServiceProviderName,
    coalesce(known.ServiceSubcategory, 'Other (Other)') AS ServiceSubcategory,
    CASE WHEN has_sku THEN item.id END AS SkuId,
    CASE WHEN has_sku THEN item.description END AS SkuMeter,
    CASE WHEN has_sku THEN nullif(machine_json, '{}') END AS SkuPriceDetails,
    -- A SKU has one price a tier.
    CASE WHEN has_sku THEN concat_ws('/', item.id, nullif(tier_start, '')) END AS SkuPriceId,
    nullif(proj.id, '') AS SubAccountId,
    nullif(proj.name, '') AS SubAccountName,
    CASE WHEN proj.id <> '' THEN 'Project' END AS SubAccountType,
    tag_json AS Tags,
    CASE WHEN is_third_party THEN nullif(seller_name, '') ELSE 'Google Cloud' END AS x_PublisherName,
    nullif(concat_ws(
        ',',
        CASE WHEN (is_fee OR is_covered) AND NOT is_unused AND NOT is_model_priced THEN 'EffectiveCost' END,
        CASE WHEN charge_category <> 'Credit' AND cost_at_list IS NULL THEN 'ListCost' END,
        CASE WHEN is_third_party AND coalesce(seller_name, '') = '' THEN 'ServiceProviderName' END,
        CASE WHEN known.Service IS NULL THEN 'ServiceCategory,ServiceSubcategory' END,
        CASE WHEN region_id IS NOT NULL AND region.RegionId IS NULL THEN 'RegionName' END
    ), '') AS x_Inferred,
    x_BillId,
    x_File,
    x_RowNumber
FROM placed
LEFT JOIN fee_names ON is_commitment AND fee_names.instance_id = commitment_id
LEFT JOIN ref_gcp_services AS known ON lower(known.Service) = lower(svc.description)
LEFT JOIN ref_gcp_regions AS region ON region.RegionId = lower(region_id)
