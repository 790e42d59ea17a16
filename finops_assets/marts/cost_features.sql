-- daily_costs → one row for each series and day: what the models see.
--
-- Series: total (by currency), provider, account (provider × SubAccountId), service (provider ×
-- ServiceName), each in BilledCost and EffectiveCost and over all charge categories. A charge without
-- an account or service belongs to no series of that level; provider and total hold it.
-- A series runs without gaps from its first charge to the newest day of the sources that bill its
-- provider, so a service that was switched off ends in zeros, while a bill that has not come is no zero.
--
-- Reads: daily_costs.
WITH
-- Usage tells how far a bill has come; fees and purchases may be dated ahead of it.
source_days AS (
    SELECT
        x_Source,
        coalesce(max(x_Day) FILTER (WHERE ChargeCategory = 'Usage'), max(x_Day)) AS last_day
    FROM daily_costs
    GROUP BY x_Source
),
-- A source that lies more than five weeks behind the newest one has ended: its last day is whole.
sources AS (
    SELECT
        x_Source,
        last_day,
        last_day >= (SELECT max(last_day) FROM source_days) - 35 AS is_arriving
    FROM source_days
),
-- Until where a provider's series (or the total's, with a null provider) run, and until where every
-- source in them that is still arriving is past its newest, partial day.
spans AS (
    SELECT
        grouping(b.ServiceProviderName) = 1 AS is_total,
        b.ServiceProviderName,
        b.BillingCurrency,
        max(s.last_day) AS last_day,
        coalesce(min(s.last_day) FILTER (WHERE s.is_arriving), max(s.last_day) + 1) AS partial_from
    FROM (SELECT DISTINCT ServiceProviderName, BillingCurrency, x_Source FROM daily_costs) AS b
    JOIN sources AS s USING (x_Source)
    GROUP BY GROUPING SETS ((b.BillingCurrency), (b.ServiceProviderName, b.BillingCurrency))
),
sums AS (
    SELECT
        CASE
            WHEN grouping(ServiceProviderName) = 1 THEN 'total'
            WHEN grouping(SubAccountId) = 0 THEN 'account'
            WHEN grouping(ServiceName) = 0 THEN 'service'
            ELSE 'provider'
        END AS level,
        ServiceProviderName,
        SubAccountId,
        ServiceName,
        BillingCurrency,
        x_Day AS day,
        coalesce(sum(BilledCost), 0) AS BilledCost,
        coalesce(sum(EffectiveCost), 0) AS EffectiveCost
    FROM daily_costs
    GROUP BY GROUPING SETS (
        (BillingCurrency, x_Day),
        (ServiceProviderName, BillingCurrency, x_Day),
        (ServiceProviderName, SubAccountId, BillingCurrency, x_Day),
        (ServiceProviderName, ServiceName, BillingCurrency, x_Day)
    )
),
charges AS (
    SELECT
        concat_ws('|', level, coalesce(ServiceProviderName, ''), coalesce(SubAccountId, ''),
                  coalesce(ServiceName, ''), metric, BillingCurrency) AS series_id,
        * EXCLUDE (BilledCost, EffectiveCost, metric),
        metric,
        CASE metric WHEN 'BilledCost' THEN BilledCost ELSE EffectiveCost END AS cost
    FROM sums
    CROSS JOIN (VALUES ('BilledCost'), ('EffectiveCost')) AS m (metric)
    WHERE level = 'total'
        OR (level = 'provider' AND ServiceProviderName IS NOT NULL)
        OR (level = 'account' AND ServiceProviderName IS NOT NULL AND SubAccountId IS NOT NULL)
        OR (level = 'service' AND ServiceProviderName IS NOT NULL AND ServiceName IS NOT NULL)
),
account_names AS (
    SELECT ServiceProviderName, SubAccountId, arg_max(SubAccountName, x_Day) AS SubAccountName
    FROM daily_costs
    WHERE SubAccountId IS NOT NULL
    GROUP BY ALL
),
series AS (
    SELECT
        c.series_id, c.level, c.ServiceProviderName, c.SubAccountId, c.ServiceName, c.metric,
        c.BillingCurrency,
        min(c.day) AS first_day,
        any_value(s.last_day) AS last_day,
        any_value(s.partial_from) AS partial_from
    FROM charges AS c
    JOIN spans AS s
        ON s.is_total = (c.level = 'total')
        AND s.ServiceProviderName IS NOT DISTINCT FROM c.ServiceProviderName
        AND s.BillingCurrency IS NOT DISTINCT FROM c.BillingCurrency
    GROUP BY ALL
),
calendar AS (
    SELECT *, CAST(unnest(generate_series(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS day
    FROM series
),
filled AS (
    SELECT k.*, coalesce(c.cost, 0) AS cost
    FROM calendar AS k
    LEFT JOIN charges AS c USING (series_id, day)
)
SELECT
    f.series_id,
    f.level,
    f.ServiceProviderName,
    f.SubAccountId,
    n.SubAccountName,
    f.ServiceName,
    f.metric,
    f.BillingCurrency,
    f.day,
    f.cost,
    f.day < f.partial_from AS is_complete,
    isodow(f.day) AS weekday,
    day(f.day) AS day_of_month,
    day(last_day(f.day)) AS days_in_month,
    lag(f.cost, 1) OVER by_day AS lag_1,
    lag(f.cost, 7) OVER by_day AS lag_7,
    lag(f.cost, 28) OVER by_day AS lag_28,
    -- Division gives DOUBLE: the mean is a model's input, so it is stored to the micro, not exactly.
    CASE WHEN count(*) OVER month_before = 28
        THEN CAST(CAST(sum(f.cost) OVER month_before / 28 AS DECIMAL(26, 6)) AS DECIMAL(38, 18))
    END AS mean_28
FROM filled AS f
LEFT JOIN account_names AS n
    ON f.level = 'account'
    AND n.ServiceProviderName = f.ServiceProviderName
    AND n.SubAccountId = f.SubAccountId
WINDOW
    by_day AS (PARTITION BY f.series_id ORDER BY f.day),
    month_before AS (
        PARTITION BY f.series_id ORDER BY f.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
    )
