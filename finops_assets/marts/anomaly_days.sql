-- The days that each event is compared with, and its own, with the series that it is of.
--
-- An event's day is held against the same weekdays of the four weeks before the event; a first of the month
-- against the firsts of the three months before it. `weight` is a past day's share in what was expected: a
-- value's expected cost is the weighted sum over them. An event's own days have none.
--
-- Reads: anomalies (cost_anomalies), daily_costs.
WITH
event_days AS (
    SELECT
        anomaly_id,
        first_day,
        CAST(unnest(generate_series(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS day
    FROM anomalies
),
data_days AS (
    SELECT DISTINCT ServiceProviderName, BillingCurrency, x_Day AS day FROM daily_costs
),
-- As far back as the data of the event's scope goes.
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
weighted AS (
    SELECT anomaly_id, past_day AS day, false AS is_event, sum(weight) AS weight
    FROM (
        SELECT anomaly_id, past_day, 1.0::DOUBLE / count(*) OVER (PARTITION BY anomaly_id, day) AS weight
        FROM compared
    )
    GROUP BY ALL
    UNION ALL
    SELECT anomaly_id, day, true, 0.0::DOUBLE FROM event_days
)
SELECT
    w.anomaly_id, w.day, w.is_event, w.weight,
    a.level, a.metric, a.BillingCurrency, a.ServiceProviderName, a.BillingAccountId, a.SubAccountId,
    a.ServiceName, a.RegionId, a.tag_key, a.tag_value
FROM weighted AS w
JOIN anomalies AS a USING (anomaly_id)
