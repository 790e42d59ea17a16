-- Detected events as the table keeps them: since when they are known, when their data came, whether they go on.
--
-- Reads: events (what detection found), known (cost_anomalies as it was), cost_features, daily_costs,
-- delivered_days. Parameter: the time of this run.
WITH newest AS (
    SELECT series_id, max(day) AS day FROM cost_features WHERE is_complete GROUP BY series_id
),
billing AS (
    SELECT DISTINCT x_Source, ServiceProviderName, BillingCurrency FROM daily_costs
),
reached AS (
    SELECT x_Source, ingested_at, max(x_Day) AS last_day FROM delivered_days GROUP BY ALL
),
-- Of each source the first delivery that reaches the day, and of those the last to come.
came AS (
    SELECT anomaly_id, max(ingested_at) AS data_at
    FROM (
        SELECT e.anomaly_id, r.x_Source, min(r.ingested_at) AS ingested_at
        FROM events AS e
        JOIN billing AS b
            ON b.BillingCurrency IS NOT DISTINCT FROM e.BillingCurrency
            AND (e.ServiceProviderName IS NULL OR b.ServiceProviderName = e.ServiceProviderName)
        JOIN reached AS r ON r.x_Source = b.x_Source AND r.last_day >= e.raised_on
        GROUP BY ALL
    )
    GROUP BY ALL
)
SELECT
    e.*,
    CASE WHEN e.last_day > n.day - 7 THEN 'open' ELSE 'ended' END AS status,
    coalesce(k.first_seen, CAST(? AS TIMESTAMPTZ)) AS first_seen,
    c.data_at
FROM events AS e
JOIN newest AS n USING (series_id)
LEFT JOIN came AS c USING (anomaly_id)
LEFT JOIN (SELECT anomaly_id, min(first_seen) AS first_seen FROM known GROUP BY anomaly_id) AS k
    USING (anomaly_id)
