-- daily_costs → one row for each series and day: what the models see.
--
-- Series: total (by currency), provider, billing account, account (SubAccountId), service, region, tag value
-- (of each configured key, over all providers) and account_service (billing account × account × service, the
-- leaves), each in BilledCost and EffectiveCost and over all charge categories. A charge without an account
-- or service belongs to no series of that level; provider, total and its leaf hold it. Leaves, regions and
-- the values of a tag key hold every charge, the ones that have none of it too.
-- A series runs without gaps from its first charge to the newest day of the sources that bill its
-- provider, so a service that was switched off ends in zeros, while a bill that has not come is no zero.
--
-- The newest days of a bill may still be arriving: its newest day always is, and of a source whose earlier
-- deliveries show that days go on growing for longer, so many more (`arrivals` below).
--
-- Reads: daily_costs, delivered_days, tagged (daily_costs once for each tag key, as tag_key and tag_value).
WITH
-- Usage tells how far a bill has come; fees and purchases may be dated ahead of it.
source_days AS (
    SELECT
        x_Source,
        coalesce(max(x_Day) FILTER (WHERE ChargeCategory = 'Usage'), max(x_Day)) AS last_day
    FROM daily_costs
    GROUP BY x_Source
),
-- How whole a day was, by its age in the delivery that told it, once a later delivery of its month tells it
-- again five days after it or more. Of an age with fewer than three such days nothing is known.
grown AS (
    SELECT x_Source, age, median(abs(EffectiveCost / final - 1)) AS missing
    FROM (
        SELECT
            x_Source,
            EffectiveCost,
            exported_at,
            max(x_Day) OVER (PARTITION BY x_Source, x_BillingMonth, bill_ids) - x_Day AS age,
            last_value(EffectiveCost) OVER later AS final,
            last_value(exported_at) OVER later AS final_at,
            CAST(x_Day AS TIMESTAMPTZ) AS day_at
        FROM delivered_days
        WINDOW later AS (
            PARTITION BY x_Source, x_BillingMonth, x_Day, BillingCurrency
            ORDER BY ingested_at, bill_ids
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    )
    WHERE final_at > exported_at AND final_at >= day_at + INTERVAL 5 DAY AND final <> 0 AND age BETWEEN 0 AND 14
    GROUP BY ALL
    HAVING count(*) >= 3
),
arrivals AS (
    SELECT x_Source, CAST(max(age) + 1 AS INTEGER) AS days
    FROM grown
    WHERE missing > 0.01
    GROUP BY x_Source
),
-- A source that lies more than five weeks behind the newest one has ended: its last day is whole.
sources AS (
    SELECT
        x_Source,
        last_day,
        last_day + 1 - greatest(coalesce(a.days, 1), 1) AS arriving_from,
        last_day >= (SELECT max(last_day) FROM source_days) - 35 AS is_arriving
    FROM source_days
    LEFT JOIN arrivals AS a USING (x_Source)
),
-- Until where a provider's series (or the total's, with a null provider) run, and until where every
-- source in them that is still arriving is past its newest, partial days.
spans AS (
    SELECT
        grouping(b.ServiceProviderName) = 1 AS is_total,
        b.ServiceProviderName,
        b.BillingCurrency,
        max(s.last_day) AS last_day,
        coalesce(min(s.arriving_from) FILTER (WHERE s.is_arriving), max(s.last_day) + 1) AS partial_from
    FROM (SELECT DISTINCT ServiceProviderName, BillingCurrency, x_Source FROM daily_costs) AS b
    JOIN sources AS s USING (x_Source)
    GROUP BY GROUPING SETS ((b.BillingCurrency), (b.ServiceProviderName, b.BillingCurrency))
),
sums AS (
    SELECT
        CASE
            WHEN grouping(BillingAccountId, SubAccountId, ServiceName) = 0 THEN 'account_service'
            WHEN grouping(ServiceProviderName) = 1 THEN 'total'
            WHEN grouping(BillingAccountId) = 0 THEN 'billing_account'
            WHEN grouping(SubAccountId) = 0 THEN 'account'
            WHEN grouping(ServiceName) = 0 THEN 'service'
            WHEN grouping(RegionId) = 0 THEN 'region'
            ELSE 'provider'
        END AS level,
        ServiceProviderName,
        BillingAccountId,
        SubAccountId,
        ServiceName,
        RegionId,
        NULL::VARCHAR AS tag_key,
        NULL::VARCHAR AS tag_value,
        BillingCurrency,
        x_Day AS day,
        coalesce(sum(BilledCost), 0) AS BilledCost,
        coalesce(sum(EffectiveCost), 0) AS EffectiveCost,
        coalesce(sum(BilledCost) FILTER (WHERE ChargeClass = 'Correction'), 0) AS BilledCorrection,
        coalesce(sum(EffectiveCost) FILTER (WHERE ChargeClass = 'Correction'), 0) AS EffectiveCorrection
    FROM daily_costs
    GROUP BY GROUPING SETS (
        (BillingCurrency, x_Day),
        (ServiceProviderName, BillingCurrency, x_Day),
        (ServiceProviderName, BillingAccountId, BillingCurrency, x_Day),
        (ServiceProviderName, SubAccountId, BillingCurrency, x_Day),
        (ServiceProviderName, ServiceName, BillingCurrency, x_Day),
        (ServiceProviderName, RegionId, BillingCurrency, x_Day),
        (ServiceProviderName, BillingAccountId, SubAccountId, ServiceName, BillingCurrency, x_Day)
    )
    UNION ALL BY NAME
    SELECT
        'tag' AS level,
        tag_key,
        tag_value,
        BillingCurrency,
        x_Day AS day,
        coalesce(sum(BilledCost), 0) AS BilledCost,
        coalesce(sum(EffectiveCost), 0) AS EffectiveCost,
        coalesce(sum(BilledCost) FILTER (WHERE ChargeClass = 'Correction'), 0) AS BilledCorrection,
        coalesce(sum(EffectiveCost) FILTER (WHERE ChargeClass = 'Correction'), 0) AS EffectiveCorrection
    FROM tagged
    GROUP BY ALL
),
charges AS (
    SELECT
        concat_ws(
            '|',
            level,
            coalesce(ServiceProviderName, ''),
            CASE level
                WHEN 'billing_account' THEN coalesce(BillingAccountId, '')
                WHEN 'region' THEN coalesce(RegionId, '')
                WHEN 'tag' THEN tag_key
                WHEN 'account_service' THEN coalesce(BillingAccountId, '') || '/' || coalesce(SubAccountId, '')
                ELSE coalesce(SubAccountId, '')
            END,
            CASE level WHEN 'tag' THEN coalesce(tag_value, '') ELSE coalesce(ServiceName, '') END,
            metric,
            BillingCurrency
        ) AS series_id,
        * EXCLUDE (BilledCost, EffectiveCost, BilledCorrection, EffectiveCorrection, metric),
        metric,
        CASE metric WHEN 'BilledCost' THEN BilledCost ELSE EffectiveCost END AS cost,
        CASE metric WHEN 'BilledCost' THEN BilledCorrection ELSE EffectiveCorrection END AS correction
    FROM sums
    CROSS JOIN (VALUES ('BilledCost'), ('EffectiveCost')) AS m (metric)
    WHERE level NOT IN ('provider', 'billing_account', 'account', 'service')
        OR (level = 'provider' AND ServiceProviderName IS NOT NULL)
        OR (level = 'billing_account' AND ServiceProviderName IS NOT NULL AND BillingAccountId IS NOT NULL)
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
        c.series_id, c.level, c.ServiceProviderName, c.BillingAccountId, c.SubAccountId, c.ServiceName,
        c.RegionId, c.tag_key, c.tag_value, c.metric, c.BillingCurrency,
        min(c.day) AS first_day,
        any_value(s.last_day) AS last_day,
        any_value(s.partial_from) AS partial_from
    FROM charges AS c
    JOIN spans AS s
        ON s.is_total = (c.level IN ('total', 'tag'))
        AND s.ServiceProviderName IS NOT DISTINCT FROM c.ServiceProviderName
        AND s.BillingCurrency IS NOT DISTINCT FROM c.BillingCurrency
    GROUP BY ALL
),
calendar AS (
    SELECT *, CAST(unnest(generate_series(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS day
    FROM series
),
filled AS (
    SELECT k.*, coalesce(c.cost, 0) AS cost, coalesce(c.correction, 0) AS correction
    FROM calendar AS k
    LEFT JOIN charges AS c USING (series_id, day)
)
SELECT
    f.series_id,
    f.level,
    f.ServiceProviderName,
    f.BillingAccountId,
    f.SubAccountId,
    n.SubAccountName,
    f.ServiceName,
    f.RegionId,
    f.tag_key,
    f.tag_value,
    f.metric,
    f.BillingCurrency,
    f.day,
    f.cost,
    f.correction,
    f.day < f.partial_from AS is_complete
FROM filled AS f
LEFT JOIN account_names AS n
    ON n.ServiceProviderName = f.ServiceProviderName
    AND n.SubAccountId = f.SubAccountId
