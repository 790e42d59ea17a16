SELECT
    commitment_id AS CommitmentDiscountId,
    min(TRY_CAST(began AS TIMESTAMPTZ)) AS PeriodStart,
    max(TRY_CAST(ends AS TIMESTAMPTZ)) AS PeriodEnd,
    max(payment) FILTER (payment IN ('No Upfront', 'Partial Upfront', 'All Upfront')) AS PaymentModel,
    -- Both are used up or lost hour by hour (AWS Savings Plans user guide, "How Savings Plans apply"; EC2 user
    -- guide, "How Reserved Instances are applied").
    'Hourly' AS FulfillmentInterval
FROM (
    SELECT plan_id AS commitment_id, plan_start AS began, plan_end AS ends, plan_payment AS payment FROM terms
    UNION ALL
    SELECT reservation_id, reservation_start, reservation_end, purchase_option FROM terms
)
WHERE commitment_id IS NOT NULL
GROUP BY ALL
