-- From `costs` and `bills` of one source and month and what `delivered_costs` held of it so far, to what it
-- holds now. A state is added when the costs were made anew. Of each delivery the state it was first made in
-- stays, which is compared with the delivery before, and the last, which is compared with the next: so a
-- change of our own SQL lies between states of one delivery and is no restatement.
WITH delivery AS (
    SELECT
        coalesce(CAST(to_json(list(bill_id ORDER BY bill_id)) AS VARCHAR), '[]') AS bill_ids,
        max(exported_at) AS exported_at,
        max(ingested_at) AS ingested_at
    FROM bills
    WHERE bill_id IN (SELECT x_BillId FROM costs) OR (status = 'accepted' AND "rows" = 0 AND NOT coalesce(starts_with(format, 'focus_'), false))
),

states AS (
    SELECT DISTINCT state, bill_ids FROM delivered_costs
),

place AS (
    SELECT
        d.*,
        coalesce((SELECT max(state) FROM states), 0)
            + if((
                SELECT count(*) FROM states
                WHERE state >= (SELECT max(state) FROM states) - 1 AND states.bill_ids = d.bill_ids
            ) = 2, 0, 1) AS state
    FROM delivery AS d
),

amounts AS (
    SELECT
        ServiceProviderName,
        ServiceName,
        SubAccountId,
        max(SubAccountName) AS SubAccountName,
        BillingCurrency,
        coalesce(sum(BilledCost), 0) AS BilledCost,
        coalesce(sum(EffectiveCost), 0) AS EffectiveCost,
        coalesce(sum(BilledCost) FILTER (ChargeClass = 'Correction'), 0) AS CorrectionBilledCost,
        coalesce(sum(EffectiveCost) FILTER (ChargeClass = 'Correction'), 0) AS CorrectionEffectiveCost,
        count(*) AS x_RowCount
    FROM costs
    GROUP BY ALL
    UNION ALL BY NAME
    -- A delivery without a row is a delivery too.
    SELECT
        0 AS BilledCost,
        0 AS EffectiveCost,
        0 AS CorrectionBilledCost,
        0 AS CorrectionEffectiveCost,
        0 AS x_RowCount
    WHERE NOT EXISTS (FROM costs)
)

SELECT * FROM delivered_costs WHERE state < (SELECT state FROM place)
UNION ALL BY NAME
SELECT * FROM place, amounts
