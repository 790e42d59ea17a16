-- Google Cloud: a month's lines that are not a resource's usage, into `extras`.
CREATE OR REPLACE TEMP TABLE extras AS
WITH fees AS (
    SELECT
        d.day,
        1 AS part,
        CAST(c.slot AS VARCHAR) AS key,
        c.slot,
        c.sku_id,
        c.sku,
        'regular' AS cost_type,
        CAST(c.units * 24 * c.price AS DECIMAL(18, 8)) AS cost,
        c.price,
        c.units * 24 AS quantity,
        c.subscription_id
    FROM committed AS c
    JOIN days AS d
        ON d.day BETWEEN greatest(c.start_day, getvariable('month_first')) AND getvariable('month_last')
),
support AS (
    SELECT
        getvariable('month_first') AS day,
        2 AS part,
        'support' AS key,
        '2062-016F-44A2' AS service_id,
        'Support' AS service,
        '5C4F-9B21-88D0' AS sku_id,
        'Enhanced Support Subscription Fee' AS sku,
        'regular' AS cost_type,
        1450.00 AS cost,
        1450.00 AS price,
        1 AS quantity,
        'month' AS unit
),
marketplace AS (
    SELECT
        getvariable('month_first') AS day,
        3 AS part,
        'marketplace' AS key,
        (SELECT min(slot) FROM skus WHERE account = 'northwind-mobile') AS slot,
        '8D21-40B7-11CE' AS service_id,
        'Harborlight Feature Flags' AS service,
        '1E77-02AA-93F4' AS sku_id,
        'Harborlight Feature Flags - monthly subscription' AS sku,
        'regular' AS cost_type,
        690.00 AS cost,
        690.00 AS price,
        1 AS quantity,
        'month' AS unit,
        'Harborlight Ltd.' AS seller_name
),
adjustments AS (
    SELECT
        getvariable('last_day') - 128 AS day,
        4 AS part,
        'adjustment' AS key,
        (SELECT min(slot) FROM skus WHERE line = 'bq-analysis') AS slot,
        'adjustment' AS cost_type,
        -236.40 AS cost
    WHERE getvariable('last_day') - 128 BETWEEN getvariable('month_first') AND getvariable('month_last')
),
-- Taxes and rounding come with the invoice, when the month is over.
closing AS (
    SELECT getvariable('month_last') AS day
    WHERE getvariable('month_last') = last_day(getvariable('month_first'))
),
taxes AS (
    SELECT
        x.day,
        5 AS part,
        s.account AS key,
        min(s.slot) AS slot,
        'E7C5-8E9B-0A1D' AS service_id,
        'Invoice' AS service,
        '4D6E-0FF1-2B7C' AS sku_id,
        'Sales tax' AS sku,
        'tax' AS cost_type,
        CAST(round(0.0625 * sum(c.cost), 2) AS DECIMAL(18, 2)) AS cost
    FROM charges AS c
    JOIN slots AS s USING (slot)
    CROSS JOIN closing AS x
    WHERE s.account = 'northwind-web'
    GROUP BY ALL
),
rounding AS (
    SELECT
        day,
        6 AS part,
        'rounding' AS key,
        'E7C5-8E9B-0A1D' AS service_id,
        'Invoice' AS service,
        '9A30-7C55-D4E8' AS sku_id,
        'Rounding error' AS sku,
        'rounding_error' AS cost_type,
        CAST((hash(getvariable('seed'), day) % 99)::DOUBLE / 10000 - 0.0049 AS DECIMAL(18, 4)) AS cost
    FROM closing
)
SELECT * FROM fees
UNION ALL BY NAME SELECT * FROM support
UNION ALL BY NAME SELECT * FROM marketplace
UNION ALL BY NAME SELECT * FROM adjustments
UNION ALL BY NAME SELECT * FROM taxes
UNION ALL BY NAME SELECT * FROM rounding
ORDER BY day, part, key;
