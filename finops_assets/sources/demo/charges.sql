-- One month's charges, slim: which resource, which day, how much. `month_first`, `month_last` bound it.
-- Steady usage, which a commitment covers, stays just below what was committed.
CREATE OR REPLACE TEMP TABLE charges AS
SELECT
    priced.*,
    CAST(quantity * s.price AS DECIMAL(18, 8)) AS cost
FROM (
    SELECT
        r.resource,
        d.slot,
        d.day,
        CAST(round(
            d.amount * r.seat_share
            * (CASE WHEN d.is_steady THEN 0.88 + 0.11 * uniform(r.resource, d.day, 'use')
                ELSE 0.93 + 0.14 * uniform(r.resource, d.day, 'use') END)
            / CAST(s.price AS DOUBLE),
            CASE WHEN s.price < 0.001 THEN 0 ELSE 6 END
        ) AS DECIMAL(20, 6)) AS quantity
    FROM slot_days AS d
    JOIN slots AS s USING (slot)
    JOIN resources AS r ON r.slot = d.slot AND d.day BETWEEN r.from_day AND r.to_day
    WHERE d.day BETWEEN getvariable('month_first') AND getvariable('month_last')
) AS priced
JOIN slots AS s USING (slot)
ORDER BY priced.day, priced.resource;
