-- What each event is made of: by dimension, contributions that sum exactly to the event's impact.
--
-- A value's expected cost is what the same weekdays of the four weeks before the event cost on average;
-- a first of the month is compared with the firsts of the three months before it. What these
-- expectations do not share with the series' own, robust one stands in the row '(unexplained)'; values
-- beyond the ten largest are added up in '(other)'. A dimension that the series itself fixes is left out.
--
-- Reads: anomalies (cost_anomalies), daily_costs.
WITH
-- Averages of past days are estimates: they are stored in cents, and the differences stay exact.
cube AS (
    SELECT
        x_Day AS day,
        BillingCurrency,
        ServiceProviderName,
        SubAccountId,
        coalesce(SubAccountName, SubAccountId) AS SubAccountName,
        ServiceName,
        RegionId,
        ChargeCategory,
        coalesce(sum(BilledCost), 0) AS BilledCost,
        coalesce(sum(EffectiveCost), 0) AS EffectiveCost
    FROM daily_costs
    GROUP BY ALL
),
wanted AS (
    SELECT a.anomaly_id, d.dimension
    FROM anomalies AS a
    CROSS JOIN (VALUES
        ('ServiceProviderName'), ('SubAccountName'), ('ServiceName'), ('RegionId'), ('ChargeCategory')
    ) AS d (dimension)
    WHERE (d.dimension <> 'ServiceProviderName' OR a.level = 'total')
        AND (d.dimension <> 'SubAccountName' OR a.level <> 'account')
        AND (d.dimension <> 'ServiceName' OR a.level <> 'service')
),
event_days AS (
    SELECT
        anomaly_id,
        first_day,
        CAST(unnest(generate_series(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS day
    FROM anomalies
),
data_days AS (
    SELECT DISTINCT ServiceProviderName, BillingCurrency, day FROM cube
),
-- The days an event's days are compared with, as far back as the data of its scope goes.
compared AS (
    SELECT DISTINCT e.anomaly_id, e.day, d.day AS past_day
    FROM event_days AS e
    JOIN anomalies AS a USING (anomaly_id)
    JOIN data_days AS d
        ON d.BillingCurrency IS NOT DISTINCT FROM a.BillingCurrency
        AND (a.ServiceProviderName IS NULL OR d.ServiceProviderName = a.ServiceProviderName)
        AND d.day < a.first_day
        AND CASE
            WHEN day(e.day) = 1 THEN day(d.day) = 1 AND d.day >= a.first_day - 93
            ELSE day(d.day) <> 1 AND d.day >= a.first_day - 28 AND isodow(d.day) = isodow(e.day)
        END
),
weighted_days AS (
    SELECT anomaly_id, past_day AS day, false AS is_event, sum(weight) AS weight
    FROM (
        SELECT anomaly_id, past_day, 1.0::DOUBLE / count(*) OVER (PARTITION BY anomaly_id, day) AS weight
        FROM compared
    )
    GROUP BY ALL
    UNION ALL
    SELECT anomaly_id, day, true, 0.0 FROM event_days
),
scoped AS (
    SELECT
        a.anomaly_id,
        w.is_event,
        w.weight,
        c.ServiceProviderName,
        c.SubAccountName,
        c.ServiceName,
        c.RegionId,
        c.ChargeCategory,
        CASE a.metric WHEN 'BilledCost' THEN c.BilledCost ELSE c.EffectiveCost END AS cost
    FROM anomalies AS a
    JOIN weighted_days AS w USING (anomaly_id)
    JOIN cube AS c
        ON c.day = w.day
        AND c.BillingCurrency IS NOT DISTINCT FROM a.BillingCurrency
        AND (a.level = 'total' OR c.ServiceProviderName = a.ServiceProviderName)
        AND (a.level <> 'account' OR c.SubAccountId = a.SubAccountId)
        AND (a.level <> 'service' OR c.ServiceName = a.ServiceName)
),
leaves AS (
    SELECT
        s.anomaly_id,
        w.dimension,
        coalesce(CASE w.dimension
            WHEN 'ServiceProviderName' THEN s.ServiceProviderName
            WHEN 'SubAccountName' THEN s.SubAccountName
            WHEN 'ServiceName' THEN s.ServiceName
            WHEN 'RegionId' THEN s.RegionId
            WHEN 'ChargeCategory' THEN s.ChargeCategory
        END, '(none)') AS value,
        -- By way of two decimals: a DOUBLE cast straight to eighteen brings its binary tail along.
        CAST(CAST(
            coalesce(sum(s.cost::DOUBLE * s.weight) FILTER (WHERE NOT s.is_event), 0) AS DECIMAL(22, 2)
        ) AS DECIMAL(38, 18)) AS expected,
        coalesce(sum(s.cost) FILTER (WHERE s.is_event), 0) AS actual
    FROM scoped AS s
    JOIN wanted AS w USING (anomaly_id)
    GROUP BY ALL
    HAVING expected <> 0 OR actual <> 0
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY anomaly_id, dimension ORDER BY abs(actual - expected) DESC, value
        ) AS place
    FROM leaves
),
kept AS (
    SELECT anomaly_id, dimension, value, expected, actual, 1 AS block, place
    FROM ranked
    WHERE place <= 10
    UNION ALL
    SELECT anomaly_id, dimension, '(other)', sum(expected), sum(actual), 2, 0
    FROM ranked
    WHERE place > 10
    GROUP BY ALL
    UNION ALL
    SELECT
        w.anomaly_id,
        w.dimension,
        '(unexplained)',
        a.expected - coalesce(s.expected, 0),
        a.actual - coalesce(s.actual, 0),
        3,
        0
    FROM wanted AS w
    JOIN anomalies AS a USING (anomaly_id)
    LEFT JOIN (
        SELECT anomaly_id, dimension, sum(expected) AS expected, sum(actual) AS actual
        FROM leaves
        GROUP BY ALL
    ) AS s USING (anomaly_id, dimension)
    WHERE a.expected <> coalesce(s.expected, 0) OR a.actual <> coalesce(s.actual, 0)
)
SELECT
    anomaly_id,
    dimension,
    value,
    expected,
    actual,
    actual - expected AS contribution,
    -- The two sums come last: they name no cause.
    row_number() OVER (PARTITION BY anomaly_id, dimension ORDER BY block, place) AS rank
FROM kept
