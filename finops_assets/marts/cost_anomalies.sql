-- Detected events as the table keeps them: since when they are known, and whether they go on.
--
-- Reads: events (what detection found), known (cost_anomalies as it was), cost_features.
-- Parameter: the time of this run.
WITH newest AS (
    SELECT series_id, max(day) AS day FROM cost_features WHERE is_complete GROUP BY series_id
)
SELECT
    e.*,
    CASE WHEN e.last_day > n.day - 7 THEN 'open' ELSE 'ended' END AS status,
    coalesce(k.first_seen, CAST(? AS TIMESTAMPTZ)) AS first_seen
FROM events AS e
JOIN newest AS n USING (series_id)
LEFT JOIN (SELECT anomaly_id, min(first_seen) AS first_seen FROM known GROUP BY anomaly_id) AS k
    USING (anomaly_id)
