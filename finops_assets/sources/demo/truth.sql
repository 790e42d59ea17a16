-- The anomalies that are in the bills: for each event the days it touches and about what it adds.
SELECT
    kind,
    account,
    region,
    line,
    slot,
    min(day) AS first_day,
    max(day) AS last_day,
    CAST(round(sum(impact), 2) AS DOUBLE) AS impact
FROM (
    SELECT
        e.kind,
        s.account,
        s.region,
        s.line,
        s.slot,
        d.day,
        -- A resource that should not be there costs all it costs; else it is what is unusual.
        CASE WHEN s.is_event THEN d.amount ELSE d.amount - d.usual END AS impact
    FROM factors AS e
    JOIN slots AS s USING (slot)
    JOIN slot_days AS d ON d.slot = e.slot AND d.day BETWEEN e.first_day AND e.last_day
)
GROUP BY ALL
ORDER BY first_day, line
