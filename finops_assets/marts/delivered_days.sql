-- From `costs` and `bills` of one source and month and what `delivered_days` held of it so far, to what it
-- holds now: the days of each delivery as it was last made.
WITH delivery AS (
    SELECT
        CAST(to_json(list(bill_id ORDER BY bill_id)) AS VARCHAR) AS bill_ids,
        max(exported_at) AS exported_at,
        max(ingested_at) AS ingested_at
    FROM bills
    WHERE bill_id IN (SELECT x_BillId FROM costs)
),
days AS (
    SELECT
        CAST(ChargePeriodStart AS DATE) AS x_Day,
        BillingCurrency,
        coalesce(sum(EffectiveCost), 0) AS EffectiveCost
    FROM costs
    WHERE ChargeCategory = 'Usage'
    GROUP BY ALL
)
SELECT * FROM delivered_days WHERE bill_ids IS DISTINCT FROM (SELECT bill_ids FROM delivery)
UNION ALL BY NAME
SELECT * FROM delivery, days
