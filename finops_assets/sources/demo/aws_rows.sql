-- AWS: the rows of one file, days `part_first` to `part_last`, under CUR 2.0's column names.
-- Source of names and meanings: AWS Data Exports user guide, "Cost and Usage Report (CUR) 2.0".
WITH usage AS (
    SELECT
        c.day,
        r.resource_id AS line_item_resource_id,
        r.zone AS line_item_availability_zone,
        r.resource_tags,
        r.cost_category,
        CAST(c.resource AS VARCHAR) AS key,
        i.account,
        i.product_code AS line_item_product_code,
        i.usage_type AS line_item_usage_type,
        i.operation AS line_item_operation,
        i.description AS line_item_line_item_description,
        i.unit AS pricing_unit,
        i.sku AS product_sku,
        i.product_family AS product_product_family,
        i.region AS product_region_code,
        i.location AS product_location,
        i.instance_type AS product_instance_type,
        i.product,
        c.quantity AS line_item_usage_amount,
        CASE coalesce(v.kind, '')
            WHEN 'plan' THEN 'SavingsPlanCoveredUsage'
            WHEN 'reservation' THEN 'DiscountedUsage'
            ELSE 'Usage'
        END AS line_item_line_item_type,
        CASE WHEN v.kind = 'reservation' THEN 0 ELSE c.cost END AS line_item_unblended_cost,
        CASE WHEN v.kind = 'reservation' THEN 0 ELSE i.price END AS unblended_rate,
        CAST(c.quantity * i.list_price AS DECIMAL(18, 8)) AS pricing_public_on_demand_cost,
        i.list_price AS list_rate,
        CASE WHEN i.usage_type LIKE '%SpotUsage%' THEN NULL WHEN v.kind = 'reservation' THEN 'Reserved'
            ELSE 'OnDemand' END AS pricing_term,
        CASE WHEN v.kind = 'reservation' THEN v.payment END AS pricing_purchase_option,
        CASE WHEN v.kind = 'reservation' THEN v.years || 'yr' END AS pricing_lease_contract_length,
        CASE WHEN v.kind = 'reservation' THEN v.offering END AS pricing_offering_class,
        CASE WHEN v.kind = 'reservation' THEN v.reservation_arn END AS reservation_reservation_a_r_n,
        CASE WHEN v.kind = 'reservation' THEN
            CAST(c.quantity * v.recurring_rate AS DECIMAL(18, 8)) END AS reservation_recurring_fee_for_usage,
        CASE WHEN v.kind = 'reservation' THEN
            CAST(c.quantity * v.upfront_rate AS DECIMAL(18, 8)) END
            AS reservation_amortized_upfront_cost_for_usage,
        CASE WHEN v.kind = 'reservation' THEN
            CAST(c.quantity * v.recurring_rate AS DECIMAL(18, 8))
            + CAST(c.quantity * v.upfront_rate AS DECIMAL(18, 8)) END AS reservation_effective_cost,
        CASE WHEN v.kind = 'plan' THEN v.plan_arn END AS savings_plan_savings_plan_a_r_n,
        CASE WHEN v.kind = 'plan' THEN
            CAST(c.quantity * v.plan_rate AS DECIMAL(18, 8)) END AS savings_plan_savings_plan_effective_cost,
        CASE WHEN v.kind = 'plan' THEN v.plan_rate END AS savings_plan_savings_plan_rate
    FROM (
        SELECT * FROM charges WHERE day BETWEEN getvariable('part_first') AND getvariable('part_last')
    ) AS c
    JOIN items AS i USING (slot)
    JOIN named_resources AS r USING (resource)
    LEFT JOIN covers AS v ON v.slot = c.slot AND c.day >= v.start_day
),
lines AS (
    SELECT * FROM usage
    UNION ALL BY NAME
    SELECT * FROM extras WHERE day BETWEEN getvariable('part_first') AND getvariable('part_last')
)
SELECT
    l.* EXCLUDE (bill_billing_entity, line_item_legal_entity, resource_tags, cost_category, pricing_term),
    CASE line_item_line_item_type WHEN 'Refund' THEN 'Refund' ELSE 'Anniversary' END AS bill_bill_type,
    coalesce(l.bill_billing_entity, 'AWS') AS bill_billing_entity,
    CAST(getvariable('month_first') AS TIMESTAMP) AS bill_billing_period_start_date,
    CAST(last_day(getvariable('month_first')) + 1 AS TIMESTAMP) AS bill_billing_period_end_date,
    -- A bill that is still open has no invoice.
    CASE WHEN getvariable('month_last') = last_day(getvariable('month_first'))
        THEN CAST(1500000000 + date_diff('day', DATE '2000-01-01', getvariable('month_first')) AS VARCHAR)
    END AS bill_invoice_id,
    'Amazon Web Services, Inc.' AS bill_invoicing_entity,
    payer.id AS bill_payer_account_id,
    payer.name AS bill_payer_account_name,
    coalesce(l.cost_category, MAP([]::VARCHAR[], []::VARCHAR[])) AS cost_category,
    MAP([]::VARCHAR[], []::DOUBLE[]) AS discount,
    left(sha256(concat_ws('|', getvariable('seed'), l.day, l.line_item_line_item_type, l.key)), 52)
        AS identity_line_item_id,
    strftime(l.day, '%Y-%m-%dT00:00:00Z') || '/'
        || strftime(coalesce(l.end_day, l.day) + 1, '%Y-%m-%dT00:00:00Z') AS identity_time_interval,
    l.line_item_unblended_cost AS line_item_blended_cost,
    CAST(CAST(l.unblended_rate AS DOUBLE) AS VARCHAR) AS line_item_blended_rate,
    CAST(CAST(l.unblended_rate AS DOUBLE) AS VARCHAR) AS line_item_unblended_rate,
    'USD' AS line_item_currency_code,
    coalesce(l.line_item_legal_entity, 'Amazon Web Services, Inc.') AS line_item_legal_entity,
    a.id AS line_item_usage_account_id,
    a.name AS line_item_usage_account_name,
    CAST(l.day AS TIMESTAMP) AS line_item_usage_start_date,
    CAST(coalesce(l.end_day, l.day) + 1 AS TIMESTAMP) AS line_item_usage_end_date,
    'USD' AS pricing_currency,
    CAST(CAST(l.list_rate AS DOUBLE) AS VARCHAR) AS pricing_public_on_demand_rate,
    coalesce(l.pricing_term, CASE WHEN l.product_sku IS NOT NULL AND l.list_rate = l.unblended_rate
        THEN 'OnDemand' END) AS pricing_term,
    l.product_sku || '.JRTCKXETXF.6YS6EN2CT7' AS pricing_rate_code,
    CAST(hash('rate', l.product_sku) % 9000000000 + 1000000000 AS VARCHAR) AS pricing_rate_id,
    CASE WHEN l.product_instance_type IS NOT NULL
        THEN regexp_extract(l.product_instance_type, '^((?:db|cache|ml|kafka)\.)?([a-z0-9]+)\.', 2) END
        AS product_instance_family,
    'AWS Region' AS product_location_type,
    l.line_item_operation AS product_operation,
    l.line_item_product_code AS product_servicecode,
    l.line_item_usage_type AS product_usagetype,
    coalesce(l.resource_tags, MAP([]::VARCHAR[], []::VARCHAR[])) AS resource_tags,
    p.offering AS savings_plan_offering_type,
    p.payment AS savings_plan_payment_option,
    CASE WHEN p.years IS NOT NULL THEN p.years || 'yr' END AS savings_plan_purchase_term,
    strftime(p.start_day, '%Y-%m-%dT00:00:00.000Z') AS savings_plan_start_time,
    strftime(p.start_day + 365 * p.years, '%Y-%m-%dT00:00:00.000Z') AS savings_plan_end_time
FROM lines AS l
JOIN accounts AS a ON a.account = l.account
JOIN accounts AS payer ON payer.account = 'billing'
LEFT JOIN plans AS p ON p.plan_arn = l.savings_plan_savings_plan_a_r_n
