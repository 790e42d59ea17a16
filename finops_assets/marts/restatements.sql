-- From `delivered_costs` of one source and month: each delivery that took the place of another, by what it
-- changed. The parameter is how many days after its end a month is closed. A bill that only came beside
-- those in force (amortized costs beside actual ones) replaced nothing.
WITH deliveries AS (
    SELECT DISTINCT state, bill_ids, exported_at, ingested_at, x_BillingMonth FROM delivered_costs
),

pairs AS (
    SELECT
        state,
        lag(state) OVER in_order AS state_before,
        lag(bill_ids) OVER in_order AS bills_before,
        bill_ids AS bills_after,
        lag(exported_at) OVER in_order AS exported_before,
        exported_at AS exported_after,
        lag(ingested_at) OVER in_order AS ingested_before,
        ingested_at AS ingested_after,
        coalesce(
            exported_at > CAST(x_BillingMonth || '-01' AS DATE) + INTERVAL 1 MONTH + to_days(CAST(? AS INTEGER)),
            false
        ) AS was_closed
    FROM deliveries
    WINDOW in_order AS (ORDER BY state)
),

restated AS (
    SELECT * FROM pairs
    WHERE NOT list_has_all(
        CAST(CAST(bills_after AS JSON) AS VARCHAR[]), CAST(CAST(bills_before AS JSON) AS VARCHAR[])
    )
),

sides AS (
    SELECT state AS restatement, state, false AS is_before FROM restated
    UNION ALL
    SELECT state AS restatement, state_before AS state, true AS is_before FROM restated
),

compared AS (
    SELECT
        s.restatement AS state,
        d.ServiceProviderName,
        d.ServiceName,
        d.SubAccountId,
        arg_max(d.SubAccountName, d.state) AS SubAccountName,
        d.BillingCurrency,
        coalesce(sum(d.BilledCost) FILTER (s.is_before), 0) AS billed_before,
        coalesce(sum(d.BilledCost) FILTER (NOT s.is_before), 0) AS billed_after,
        coalesce(sum(d.EffectiveCost) FILTER (s.is_before), 0) AS effective_before,
        coalesce(sum(d.EffectiveCost) FILTER (NOT s.is_before), 0) AS effective_after,
        coalesce(sum(d.x_RowCount) FILTER (s.is_before), 0) AS rows_before,
        coalesce(sum(d.x_RowCount) FILTER (NOT s.is_before), 0) AS rows_after,
        sum(if(s.is_before, -d.CorrectionBilledCost, d.CorrectionBilledCost)) AS correction_billed,
        sum(if(s.is_before, -d.CorrectionEffectiveCost, d.CorrectionEffectiveCost)) AS correction_effective
    FROM delivered_costs AS d
    JOIN sides AS s ON s.state = d.state
    GROUP BY ALL
)

SELECT
    r.* EXCLUDE (state_before),
    c.* EXCLUDE (state),
    billed_after - billed_before AS billed_change,
    effective_after - effective_before AS effective_change,
    was_closed AND (
        billed_after NOT IN (billed_before, billed_before + correction_billed)
        OR effective_after NOT IN (effective_before, effective_before + correction_effective)
    ) AS uncorrected
FROM compared AS c
JOIN restated AS r ON r.state = c.state
WHERE
    billed_before <> billed_after
    OR effective_before <> effective_after
    OR rows_before <> rows_after
