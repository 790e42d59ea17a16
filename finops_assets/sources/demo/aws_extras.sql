-- AWS: a month's lines that are not a resource's usage, into `extras`, under CUR 2.0's column names.
-- What they state about commitments is added up from `charges`, so it fits the usage to the last digit.
CREATE OR REPLACE TEMP TABLE covered AS
SELECT
    c.slot,
    c.day,
    v.commitment,
    v.kind,
    sum(c.quantity) AS quantity,
    sum(c.cost) AS cost,
    sum(CAST(c.quantity * v.plan_rate AS DECIMAL(18, 8))) AS plan_cost,
    sum(CAST(c.quantity * v.recurring_rate AS DECIMAL(18, 8))) AS recurring_cost,
    sum(CAST(c.quantity * v.upfront_rate AS DECIMAL(18, 8))) AS upfront_cost
FROM charges AS c
JOIN covers AS v ON v.slot = c.slot AND c.day >= v.start_day
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE extras AS
WITH month AS (
    SELECT
        getvariable('month_first') AS first_day,
        getvariable('month_last') AS last_day,
        date_diff('day', getvariable('month_first'), last_day(getvariable('month_first'))) + 1 AS length,
        date_diff('day', getvariable('month_first'), getvariable('month_last')) + 1 AS elapsed
),
negations AS (
    SELECT
        v.day,
        1 AS part,
        CAST(v.slot AS VARCHAR) AS key,
        'SavingsPlanNegation' AS line_item_line_item_type,
        i.account,
        -v.cost AS line_item_unblended_cost,
        v.quantity AS line_item_usage_amount,
        i.product_code AS line_item_product_code,
        i.usage_type AS line_item_usage_type,
        i.operation AS line_item_operation,
        i.unit AS pricing_unit,
        i.sku AS product_sku,
        i.product_family AS product_product_family,
        i.region AS product_region_code,
        i.location AS product_location,
        i.instance_type AS product_instance_type,
        i.product,
        'SavingsPlanNegation used by AccountId : ' || i.account_id || ' and UsageSku : ' || i.sku
            AS line_item_line_item_description,
        p.plan_arn AS savings_plan_savings_plan_a_r_n
    FROM covered AS v
    JOIN items AS i USING (slot)
    JOIN plans AS p USING (commitment)
),
plan_fees AS (
    SELECT
        d.day,
        2 AS part,
        p.commitment AS key,
        'SavingsPlanRecurringFee' AS line_item_line_item_type,
        p.owner AS account,
        p.daily_recurring AS line_item_unblended_cost,
        24 AS line_item_usage_amount,
        'ComputeSavingsPlans' AS line_item_product_code,
        p.offering || ':' || p.years || 'yr' || replace(p.payment, ' ', '') AS line_item_usage_type,
        'Hours' AS pricing_unit,
        MAP {'product_name': 'Savings Plans for AWS Compute usage'} AS product,
        p.years || ' year ' || p.payment || ' ' || p.offering || ', ' || p.hourly || ' USD an hour'
            AS line_item_line_item_description,
        p.plan_arn AS savings_plan_savings_plan_a_r_n,
        p.daily_commitment AS savings_plan_total_commitment_to_date,
        coalesce(u.plan_cost, 0) AS savings_plan_used_commitment,
        p.daily_upfront AS savings_plan_amortized_upfront_commitment_for_billing_period,
        p.daily_recurring AS savings_plan_recurring_commitment_for_billing_period
    FROM plans AS p
    CROSS JOIN month AS m
    JOIN days AS d ON d.day BETWEEN greatest(m.first_day, p.start_day) AND m.last_day
    LEFT JOIN (SELECT day, commitment, sum(plan_cost) AS plan_cost FROM covered GROUP BY ALL) AS u
        ON u.day = d.day AND u.commitment = p.commitment
),
plan_upfronts AS (
    SELECT
        p.start_day AS day,
        3 AS part,
        p.commitment AS key,
        'SavingsPlanUpfrontFee' AS line_item_line_item_type,
        p.owner AS account,
        CAST(p.daily_upfront * 365 * p.years AS DECIMAL(18, 8)) AS line_item_unblended_cost,
        1 AS line_item_usage_amount,
        'ComputeSavingsPlans' AS line_item_product_code,
        p.offering || ':' || p.years || 'yr' || replace(p.payment, ' ', '') AS line_item_usage_type,
        'Quantity' AS pricing_unit,
        MAP {'product_name': 'Savings Plans for AWS Compute usage'} AS product,
        p.years || ' year ' || p.payment || ' ' || p.offering || ', upfront fee'
            AS line_item_line_item_description,
        p.plan_arn AS savings_plan_savings_plan_a_r_n
    FROM plans AS p
    CROSS JOIN month AS m
    WHERE p.daily_upfront > 0 AND p.start_day BETWEEN m.first_day AND m.last_day
),
-- A reservation's month: its fee for the whole month on the first day, and what went unused so far.
reserved AS (
    SELECT
        v.*,
        i.* EXCLUDE (slot, line, account, region),
        greatest(m.first_day, v.start_day) AS fee_day,
        date_diff('day', greatest(m.first_day, v.start_day), last_day(m.first_day)) + 1 AS month_days,
        date_diff('day', greatest(m.first_day, v.start_day), m.last_day) + 1 AS past_days,
        coalesce(u.quantity, 0) AS used,
        coalesce(u.recurring_cost, 0) AS used_recurring,
        coalesce(u.upfront_cost, 0) AS used_upfront
    FROM covers AS v
    JOIN items AS i USING (slot)
    CROSS JOIN month AS m
    LEFT JOIN (
        SELECT
            slot,
            sum(quantity) AS quantity,
            sum(recurring_cost) AS recurring_cost,
            sum(upfront_cost) AS upfront_cost
        FROM covered GROUP BY ALL
    ) AS u ON u.slot = v.slot
    WHERE v.kind = 'reservation' AND v.start_day <= m.last_day
),
reservation_fees AS (
    SELECT
        fee_day AS day,
        last_day(fee_day) AS end_day,
        4 AS part,
        CAST(slot AS VARCHAR) AS key,
        'RIFee' AS line_item_line_item_type,
        account,
        CAST(instances * 24 * month_days * recurring_rate AS DECIMAL(18, 8)) AS line_item_unblended_cost,
        instances * 24 * month_days AS line_item_usage_amount,
        product_code AS line_item_product_code,
        regexp_replace(usage_type, 'InstanceUsage|NodeUsage', 'HeavyUsage') AS line_item_usage_type,
        operation AS line_item_operation,
        unit AS pricing_unit,
        'Reserved' AS pricing_term,
        payment AS pricing_purchase_option,
        years || 'yr' AS pricing_lease_contract_length,
        offering AS pricing_offering_class,
        sku AS product_sku,
        product_family AS product_product_family,
        region AS product_region_code,
        location AS product_location,
        instance_type AS product_instance_type,
        product,
        'USD ' || recurring_rate || ' hourly fee per ' || product_name || ', ' || instance_type || ' instance'
            AS line_item_line_item_description,
        reservation_arn AS reservation_reservation_a_r_n,
        CAST(instances AS VARCHAR) AS reservation_number_of_reservations,
        CAST(instances * 24 * month_days AS VARCHAR) AS reservation_total_reserved_units,
        CAST(24 * month_days AS VARCHAR) AS reservation_units_per_reservation,
        instances * 24 * past_days - used AS reservation_unused_quantity,
        CAST(instances * 24 * past_days * recurring_rate AS DECIMAL(18, 8)) - used_recurring
            AS reservation_unused_recurring_fee,
        CAST(instances * 24 * past_days * upfront_rate AS DECIMAL(18, 8)) - used_upfront
            AS reservation_unused_amortized_upfront_fee_for_billing_period,
        CAST(instances * 24 * month_days * upfront_rate AS DECIMAL(18, 8))
            AS reservation_amortized_upfront_fee_for_billing_period,
        CAST(instances * 24 * 365 * years * upfront_rate AS DECIMAL(18, 8)) AS reservation_upfront_value
    FROM reserved
),
reservation_upfronts AS (
    SELECT
        start_day AS day,
        5 AS part,
        CAST(slot AS VARCHAR) AS key,
        'Fee' AS line_item_line_item_type,
        account,
        CAST(instances * 24 * 365 * years * upfront_rate AS DECIMAL(18, 8)) AS line_item_unblended_cost,
        instances AS line_item_usage_amount,
        product_code AS line_item_product_code,
        regexp_replace(usage_type, 'InstanceUsage|NodeUsage', 'HeavyUsage') AS line_item_usage_type,
        operation AS line_item_operation,
        'Quantity' AS pricing_unit,
        payment AS pricing_purchase_option,
        years || 'yr' AS pricing_lease_contract_length,
        sku AS product_sku,
        region AS product_region_code,
        location AS product_location,
        instance_type AS product_instance_type,
        product,
        'Sign up charge for subscription: ' || instances || ' x ' || instance_type || ', ' || payment
            AS line_item_line_item_description,
        reservation_arn AS reservation_reservation_a_r_n,
        CAST(instances AS VARCHAR) AS reservation_number_of_reservations
    FROM reserved CROSS JOIN month AS m
    WHERE upfront_rate > 0 AND start_day BETWEEN m.first_day AND m.last_day
),
-- Charges of the first day: support by the size of the account, and a Marketplace subscription.
support AS (
    SELECT
        m.first_day AS day,
        last_day(m.first_day) AS end_day,
        6 AS part,
        'support' AS key,
        'Fee' AS line_item_line_item_type,
        'billing' AS account,
        CAST(round(0.034 * sum(
            s.monthly * s.share * pow(1 + s.growth, (420 - date_diff('day', m.first_day, getvariable('last_day')))
            / 365.25)
        ), 2) AS DECIMAL(18, 2)) AS line_item_unblended_cost,
        1 AS line_item_usage_amount,
        'AWSSupportBusiness' AS line_item_product_code,
        'Dollar' AS line_item_usage_type,
        MAP {'product_name': 'AWS Support (Business)'} AS product,
        'AWS Support (Business), monthly charge by usage' AS line_item_line_item_description
    FROM slots AS s CROSS JOIN month AS m
    WHERE NOT s.is_event AND m.first_day BETWEEN coalesce(s.starts, m.first_day) AND coalesce(s.ends, m.first_day)
    GROUP BY ALL
),
marketplace AS (
    SELECT
        m.first_day AS day,
        last_day(m.first_day) AS end_day,
        7 AS part,
        'marketplace' AS key,
        'Fee' AS line_item_line_item_type,
        'platform-prod' AS account,
        2450.00 AS line_item_unblended_cost,
        1 AS line_item_usage_amount,
        '4gbx2nq7w0kd1v9rmz3t' AS line_item_product_code,
        'MP:snowline_seats-Units' AS line_item_usage_type,
        MAP {'product_name': 'Snowline Cloud Security'} AS product,
        'Snowline Cloud Security, 70 seats' AS line_item_line_item_description,
        'AWS Marketplace' AS bill_billing_entity,
        'Snowline Security B.V.' AS line_item_legal_entity
    FROM month AS m
),
-- A migration credit for the database move, until it is used up, and one refund after a support case.
credits AS (
    SELECT
        m.first_day AS day,
        8 AS part,
        'credit' AS key,
        'Credit' AS line_item_line_item_type,
        'data-prod' AS account,
        -1500.00 AS line_item_unblended_cost,
        'AmazonRedshift' AS line_item_product_code,
        'Node:ra3.4xlarge' AS line_item_usage_type,
        MAP {'product_name': 'Amazon Redshift'} AS product,
        'MAP Migration Program Credit' AS line_item_line_item_description
    FROM month AS m WHERE m.first_day < getvariable('last_day') - 215
),
refunds AS (
    SELECT
        getvariable('last_day') - 84 AS day,
        9 AS part,
        'refund' AS key,
        'Refund' AS line_item_line_item_type,
        'shop-prod' AS account,
        -842.17 AS line_item_unblended_cost,
        'AWSLambda' AS line_item_product_code,
        'Lambda-GB-Second' AS line_item_usage_type,
        MAP {'product_name': 'AWS Lambda'} AS product,
        'Refund of unintended recursive invocations' AS line_item_line_item_description
    FROM month AS m WHERE getvariable('last_day') - 84 BETWEEN m.first_day AND m.last_day
),
taxes AS (
    SELECT
        m.first_day AS day,
        m.last_day AS end_day,
        10 AS part,
        i.account || i.product_code AS key,
        'Tax' AS line_item_line_item_type,
        i.account,
        CAST(round(sum(c.cost) * any_value(a.tax), 2) AS DECIMAL(18, 2)) AS line_item_unblended_cost,
        i.product_code AS line_item_product_code,
        'USSalesTax' AS line_item_tax_type,
        MAP {'product_name': i.product_name} AS product,
        'Tax for product code ' || i.product_code AS line_item_line_item_description
    FROM charges AS c
    JOIN items AS i USING (slot)
    JOIN (SELECT account, CAST(tax AS DECIMAL(6, 4)) AS tax FROM accounts WHERE tax > 0) AS a
        ON a.account = i.account
    CROSS JOIN month AS m
    GROUP BY ALL
)
SELECT * FROM negations
UNION ALL BY NAME SELECT * FROM plan_fees
UNION ALL BY NAME SELECT * FROM plan_upfronts
UNION ALL BY NAME SELECT * FROM reservation_fees
UNION ALL BY NAME SELECT * FROM reservation_upfronts
UNION ALL BY NAME SELECT * FROM support
UNION ALL BY NAME SELECT * FROM marketplace
UNION ALL BY NAME SELECT * FROM credits
UNION ALL BY NAME SELECT * FROM refunds
UNION ALL BY NAME SELECT * FROM taxes
ORDER BY day, part, key;
