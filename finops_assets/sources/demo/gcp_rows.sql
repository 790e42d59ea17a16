-- Google Cloud: the rows of one file, days `part_first` to `part_last`.
-- Source of the schema: Google Cloud Billing documentation, "Structure of Detailed data export".
WITH usage AS (
    SELECT
        c.day,
        c.slot,
        c.resource,
        'regular' AS cost_type,
        c.cost,
        c.quantity,
        -- Committed use takes all off the usage it covers; sustained use grows from the eighth day on.
        CASE WHEN v.slot IS NOT NULL THEN -c.cost END AS committed_credit,
        v.subscription_id AS credit_id,
        CASE WHEN k.sustained = '1' AND day(c.day) > 7
            THEN -CAST(c.cost * CAST((day(c.day) - 7) * 0.011 AS DECIMAL(4, 3)) AS DECIMAL(18, 8)) END
            AS sustained_credit,
        CASE WHEN k.account = 'northwind-forecasting' AND p.share > 0
            THEN -CAST(c.cost * p.share AS DECIMAL(18, 8)) END AS promotional_credit
    FROM (
        SELECT * FROM charges WHERE day BETWEEN getvariable('part_first') AND getvariable('part_last')
    ) AS c
    JOIN skus AS k USING (slot)
    LEFT JOIN committed AS v ON v.slot = c.slot AND c.day >= v.start_day
    LEFT JOIN promotion AS p ON p.day = c.day
),
lines AS (
    SELECT * FROM usage
    UNION ALL BY NAME
    SELECT * FROM extras WHERE day BETWEEN getvariable('part_first') AND getvariable('part_last')
)
SELECT
    '01A2B3-C4D5E6-F70819' AS billing_account_id,
    {'id': coalesce(l.service_id, k.service_id), 'description': coalesce(l.service, k.service)} AS service,
    {'id': coalesce(l.sku_id, k.sku_id), 'description': coalesce(l.sku, k.sku)} AS sku,
    -- Google's days and invoice months begin at midnight Pacific time.
    timezone('America/Los_Angeles', CAST(l.day AS TIMESTAMP)) AS usage_start_time,
    timezone('America/Los_Angeles', CAST(l.day + 1 AS TIMESTAMP)) AS usage_end_time,
    k.project,
    coalesce(r.labels, []) AS labels,
    coalesce(r.system_labels, []) AS system_labels,
    CASE WHEN l.resource IS NOT NULL OR l.subscription_id IS NOT NULL THEN {
        'location': CASE WHEN r.zone IS NOT NULL AND k.resource LIKE '%{zone}%' THEN r.zone ELSE k.region END,
        'country': k.country,
        'region': CASE WHEN k.is_region THEN k.region END,
        'zone': CASE WHEN k.resource LIKE '%{zone}%' THEN r.zone END
    } END AS location,
    [] AS tags,
    r.resource_name AS resource,
    CASE WHEN l.seller_name IS NULL THEN 'GOOGLE' ELSE 'THIRD_PARTY_RESELLER' END AS transaction_type,
    coalesce(l.seller_name, 'Google LLC') AS seller_name,
    timezone('America/Los_Angeles', CAST(getvariable('month_last') + 1 AS TIMESTAMP)) + INTERVAL 4 HOUR
        AS export_time,
    l.cost,
    l.cost AS cost_at_list,
    l.cost AS cost_at_effective_price_default,
    l.cost AS cost_at_list_consumption_model,
    'USD' AS currency,
    1 AS currency_conversion_rate,
    CASE WHEN l.quantity IS NOT NULL THEN {
        'amount': l.quantity * CASE WHEN l.unit IS NULL THEN CAST(k.unit_factor AS DOUBLE) ELSE 1 END,
        'unit': coalesce(l.unit, k.unit),
        'amount_in_pricing_units': l.quantity,
        'pricing_unit': coalesce(l.unit, k.pricing_unit)
    } END AS usage,
    list_filter([
        {
            'name': 'Committed Usage Discount: ' || k.service, 'amount': l.committed_credit,
            'full_name': 'Committed Usage Discount: ' || k.service, 'id': l.credit_id,
            'type': 'COMMITTED_USAGE_DISCOUNT'
        },
        {
            'name': 'Sustained Usage Discount', 'amount': l.sustained_credit,
            'full_name': 'Sustained Usage Discount', 'id': '', 'type': 'SUSTAINED_USAGE_DISCOUNT'
        },
        {
            'name': 'Google Cloud for Forecasting pilot', 'amount': l.promotional_credit,
            'full_name': 'Google Cloud for Forecasting pilot', 'id': 'gcp-pilot-8841', 'type': 'PROMOTION'
        }
    ], lambda credit: credit.amount IS NOT NULL) AS credits,
    {
        'month': strftime(getvariable('month_first'), '%Y%m'),
        'publisher_type': CASE WHEN l.seller_name IS NULL THEN 'GOOGLE' ELSE 'PARTNER' END
    } AS invoice,
    l.cost_type,
    CASE WHEN l.cost_type = 'adjustment' THEN {
        'id': guid('adjustment', l.day), 'description': 'Correction of a query price', 'mode': 'COMPLETE_NEGATION',
        'type': 'GENERAL_ADJUSTMENT'
    } END AS adjustment_info,
    CASE WHEN l.quantity IS NOT NULL THEN {
        'list_price': coalesce(l.price, k.price),
        'effective_price_default': coalesce(l.price, k.price),
        'list_price_consumption_model': coalesce(l.price, k.price),
        'effective_price': coalesce(l.price, k.price),
        'tier_start_amount': 0,
        'unit': coalesce(l.unit, k.pricing_unit),
        'pricing_unit_quantity': 1
    } END AS price,
    CASE WHEN l.subscription_id IS NOT NULL THEN {'instance_id': l.subscription_id} END AS subscription,
    CASE WHEN l.quantity IS NOT NULL THEN {'id': '7754-699E-0EBF', 'description': 'Default'} END
        AS consumption_model
FROM lines AS l
LEFT JOIN skus AS k ON k.slot = l.slot
LEFT JOIN named_resources AS r ON r.resource = l.resource
