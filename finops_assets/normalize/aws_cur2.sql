-- AWS Cost and Usage Report 2.0 → FOCUS 1.4.
-- Source: AWS Data Exports user guide, "Cost and Usage Report (CUR) 2.0" table dictionary. Columns that
-- CUR 2.0 keeps inside its `product` map are read from there; `resource_tags` keys begin with 'user_'
-- for a customer's own tags.
WITH cur AS NOT MATERIALIZED (
    SELECT
        *,
        nullif(savings_plan_savings_plan_a_r_n, '') AS plan_id,
        nullif(coalesce(nullif(reservation_reservation_a_r_n, ''), reservation_subscription_id), '')
            AS reservation_id,
        nullif(bill_payer_account_name, '') AS payer_name,
        nullif(line_item_usage_account_name, '') AS account_name,
        product->>'product_name' AS product_name,
        coalesce(nullif(product_product_family, ''), product->>'product_family') AS product_family,
        coalesce(nullif(product_region_code, ''), product->>'region') AS stated_region,
        coalesce(nullif(product_location, ''), product->>'location') AS location_name,
        coalesce(nullif(product_sku, ''), product->>'sku') AS sku,
        coalesce(nullif(product_instance_type, ''), product->>'instance_type') AS instance_type,
        product->>'operating_system' AS operating_system,
        nullif(capacity_reservation_capacity_reservation_arn, '') AS capacity_id,
        nullif(capacity_reservation_capacity_reservation_status, '') AS capacity_status
    FROM (SELECT * REPLACE (CASE WHEN json_valid(product) THEN product END AS product) FROM raw)
),
-- include: _aws_cur.sql
