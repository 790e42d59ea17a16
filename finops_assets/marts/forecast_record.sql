-- cost_forecasts, cost_forecasts_monthly, cost_features → how right each making has turned out.
--
-- What came are the complete days as they are now: a restated day is judged by its newest figure. A
-- series counts at a horizon when all of it has come; a series that is in no bill any more does not.
-- Of several makings on one day (UTC) the last counts. Sums are exact, only their ratios are DOUBLE.
--
-- Reads: cost_forecasts, cost_forecasts_monthly, cost_features.
WITH
last_of_day AS (
    SELECT CAST(made_at AT TIME ZONE 'UTC' AS DATE) AS made_on, max(made_at) AS made_at
    FROM cost_forecasts
    GROUP BY 1
),
actual AS (
    SELECT
        series_id, day, cost,
        -- The weekly naive's mean absolute error up to this day: what MASE divides by.
        sum(abs(cost - lag_7)) OVER so_far / nullif(count(lag_7) OVER so_far, 0) AS naive_error
    FROM (
        SELECT
            series_id, day, cost, lag(cost, 7) OVER (PARTITION BY series_id ORDER BY day) AS lag_7
        FROM cost_features
        WHERE is_complete
    )
    WINDOW so_far AS (PARTITION BY series_id ORDER BY day)
),
month_totals AS (
    SELECT series_id, CAST(date_trunc('month', day) AS DATE) AS month, sum(cost) AS total
    FROM actual
    GROUP BY 1, 2
    HAVING max(day) = last_day(max(day))
),
came AS (
    SELECT
        f.series_id, f.level, f.metric, f.BillingCurrency, f.model, f.is_champion, d.made_on,
        f.data_until, f.day, f.horizon, f.mean - a.cost AS error, a.cost,
        f.lo_80, f.hi_80, f.lo_95, f.hi_95
    FROM cost_forecasts AS f
    JOIN last_of_day AS d ON d.made_at = f.made_at
    JOIN actual AS a ON a.series_id = f.series_id AND a.day = f.day
),
by_days AS (
    SELECT
        series_id, level, metric, BillingCurrency, model, is_champion, made_on, data_until, h.name AS horizon,
        h.days,
        sum(abs(error)) AS absolute_error,
        sum(error) AS error,
        sum(abs(cost)) AS absolute_actual,
        count_if(cost BETWEEN lo_80 AND hi_80) AS inside_80,
        count_if(cost BETWEEN lo_95 AND hi_95) AS inside_95
    FROM came
    JOIN (VALUES ('7d', 7), ('30d', 30), ('90d', 90)) AS h (name, days) ON came.horizon <= h.days
    GROUP BY ALL
    HAVING count(*) = h.days
),
-- The month under way at the making: its days up to data_until were known, so the error of the total is
-- that of the days after. The bounds of a total are the sums of its days'.
by_month AS (
    SELECT
        c.series_id, c.level, c.metric, c.BillingCurrency, c.model, c.is_champion, c.made_on, c.data_until,
        'month_end' AS horizon,
        1 AS days,
        abs(sum(c.error)) AS absolute_error,
        sum(c.error) AS error,
        abs(any_value(m.total)) AS absolute_actual,
        CAST(sum(c.cost) BETWEEN sum(c.lo_80) AND sum(c.hi_80) AS BIGINT) AS inside_80,
        CAST(sum(c.cost) BETWEEN sum(c.lo_95) AND sum(c.hi_95) AS BIGINT) AS inside_95
    FROM came AS c
    JOIN month_totals AS m
        ON m.series_id = c.series_id AND m.month = CAST(date_trunc('month', c.made_on) AS DATE)
    WHERE c.day BETWEEN m.month AND last_day(c.made_on)
    GROUP BY ALL
    HAVING count(*) = last_day(c.made_on) - greatest(any_value(m.month), c.data_until + 1) + 1
),
-- The months after that of data_until, once all of them are complete; only what was in force is kept of them.
by_months AS (
    SELECT
        f.series_id, f.level, f.metric, f.BillingCurrency,
        -- Near months may be another model's: that of the furthest names them all.
        arg_max(f.model, f.horizon) AS model,
        true AS is_champion,
        d.made_on,
        f.data_until,
        h.name AS horizon,
        h.months AS days,
        sum(abs(f.mean - m.total)) AS absolute_error,
        sum(f.mean - m.total) AS error,
        sum(abs(m.total)) AS absolute_actual,
        count_if(m.total BETWEEN f.lo_80 AND f.hi_80) AS inside_80,
        count_if(m.total BETWEEN f.lo_95 AND f.hi_95) AS inside_95
    FROM cost_forecasts_monthly AS f
    JOIN last_of_day AS d ON d.made_at = f.made_at
    JOIN month_totals AS m ON m.series_id = f.series_id AND m.month = f.month
    JOIN (VALUES ('3m', 3), ('12m', 12)) AS h (name, months) ON f.horizon BETWEEN 1 AND h.months
    GROUP BY f.series_id, f.level, f.metric, f.BillingCurrency, d.made_on, f.data_until, h.name, h.months
    HAVING count(*) = h.months
),
judged AS (
    SELECT
        j.*,
        -- The error of a total is no day's, so it is not held against a day's.
        CASE WHEN j.horizon IN ('7d', '30d', '90d') AND a.naive_error > 0
            THEN j.absolute_error / j.days / a.naive_error
        END AS scaled_error
    FROM (
        SELECT * FROM by_days
        UNION ALL BY NAME SELECT * FROM by_month
        UNION ALL BY NAME SELECT * FROM by_months
    ) AS j
    LEFT JOIN actual AS a ON a.series_id = j.series_id AND a.day = j.data_until
)
SELECT
    level,
    metric,
    BillingCurrency,
    model,
    is_champion,
    horizon,
    made_on,
    count(DISTINCT series_id) AS series,
    count(DISTINCT judged.made_on) AS windows,
    sum(absolute_error) / nullif(sum(absolute_actual), 0) AS wape,
    avg(scaled_error) AS mase,
    sum(error) / nullif(sum(absolute_actual), 0) AS bias,
    sum(inside_80) / sum(days) AS coverage_80,
    sum(inside_95) / sum(days) AS coverage_95
FROM judged
GROUP BY GROUPING SETS (
    (level, metric, BillingCurrency, model, is_champion, horizon, made_on),
    (level, metric, BillingCurrency, model, is_champion, horizon),
    (level, metric, BillingCurrency, is_champion, horizon, made_on),
    (level, metric, BillingCurrency, is_champion, horizon)
)
-- Without a model: whichever was in force. Those that were not are no forecast of anyone together.
HAVING is_champion OR grouping(model) = 0
