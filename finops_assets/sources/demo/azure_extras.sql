-- Azure: a month's lines that are not a resource's usage, into `extras`. `view` says which of the two
-- exports holds a line; null means both.
CREATE OR REPLACE TEMP TABLE reserved AS
SELECT
    r.*,
    m.* EXCLUDE (slot),
    dim.length,
    CAST(r.monthly_fee / CAST(dim.length AS DOUBLE) AS DECIMAL(18, 6)) AS daily_fee,
    -- What the month's fee comes to for an hour of one instance.
    CAST(round(CAST(r.monthly_fee AS DOUBLE) / (dim.length * 24 * r.instances), 10) AS DECIMAL(18, 10)) AS rate
FROM reservations AS r
JOIN meters AS m ON m.slot = r.slot
CROSS JOIN (
    SELECT date_diff('day', getvariable('month_first'), last_day(getvariable('month_first'))) + 1 AS length
) AS dim;

CREATE OR REPLACE TEMP TABLE extras AS
WITH purchases AS (
    SELECT
        'actual' AS view,
        getvariable('month_first') AS day,
        1 AS part,
        CAST(slot AS VARCHAR) AS key,
        slot,
        'Purchase' AS charge_type,
        'Recurring' AS frequency,
        'Reservation' AS pricing_model,
        instances AS quantity,
        monthly_fee / instances AS effective_price,
        monthly_fee AS cost,
        order_name AS product,
        reservation_id,
        name AS reservation_name,
        order_id,
        order_name,
        term,
        'Microsoft.Capacity' AS consumed_service,
        '1 Month' AS unit
    FROM reserved
    WHERE start_day <= getvariable('month_first')
),
-- Each day's share of the fee less what the covered usage took of it; the month's last day takes what
-- rounding left, so that a whole month is the fee exactly.
unused AS (
    SELECT
        'amortized' AS view,
        d.day,
        2 AS part,
        CAST(r.slot AS VARCHAR) AS key,
        r.slot,
        'UnusedReservation' AS charge_type,
        'UsageBased' AS frequency,
        'Reservation' AS pricing_model,
        24 * r.instances - coalesce(u.quantity, 0) AS quantity,
        r.rate AS effective_price,
        CASE WHEN d.day = last_day(d.day) THEN r.monthly_fee - (r.length - 1) * r.daily_fee
            ELSE r.daily_fee END - coalesce(u.cost, 0) AS cost,
        r.order_name AS product,
        r.reservation_id,
        r.name AS reservation_name,
        r.order_id,
        r.order_name,
        r.term,
        r.consumed_service,
        r.unit
    FROM reserved AS r
    JOIN days AS d ON d.day BETWEEN getvariable('month_first') AND getvariable('month_last')
    LEFT JOIN (
        SELECT
            c.slot,
            c.day,
            sum(c.quantity) AS quantity,
            sum(CAST(c.quantity * r.rate AS DECIMAL(18, 8))) AS cost
        FROM charges AS c
        JOIN reserved AS r ON r.slot = c.slot
        GROUP BY ALL
    ) AS u ON u.slot = r.slot AND u.day = d.day
    WHERE r.start_day <= getvariable('month_first')
),
marketplace AS (
    SELECT
        NULL::VARCHAR AS view,
        getvariable('month_first') AS day,
        3 AS part,
        'marketplace' AS key,
        'Purchase' AS charge_type,
        'Recurring' AS frequency,
        'OnDemand' AS pricing_model,
        1 AS quantity,
        1890.00 AS effective_price,
        1890.00 AS cost,
        'Fernbach Data Quality Suite - Team plan' AS product,
        'Marketplace' AS publisher_type,
        'Fernbach Software GmbH' AS publisher_name,
        'Team' AS plan_name,
        'fernbach.dataquality' AS consumed_service,
        '1 Month' AS unit
),
refunds AS (
    SELECT
        NULL::VARCHAR AS view,
        getvariable('last_day') - 190 AS day,
        4 AS part,
        'refund' AS key,
        'Refund' AS charge_type,
        'OneTime' AS frequency,
        'OnDemand' AS pricing_model,
        1 AS quantity,
        -418.60 AS effective_price,
        -418.60 AS cost,
        'Virtual Machines service level credit' AS product,
        'Virtual Machines' AS refund_category,
        'Microsoft.Compute' AS consumed_service,
        '1' AS unit
    WHERE getvariable('last_day') - 190 BETWEEN getvariable('month_first') AND getvariable('month_last')
)
SELECT * FROM purchases
UNION ALL BY NAME SELECT * FROM unused
UNION ALL BY NAME SELECT * FROM marketplace
UNION ALL BY NAME SELECT * FROM refunds
ORDER BY day, part, key;
