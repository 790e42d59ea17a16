-- contract_commitments, costs → what costs change by when a commitment ends, a row a leaf and metric.
--
-- A commitment that ends leaves its covered usage to be charged at the on-demand price: ContractedCost (else
-- ListCost) of the usage that it covers, instead of what that costs now. What it left unused and its recurring
-- fees cease. So the change of a leaf is, of its charges that name the commitment, one-time purchases apart:
-- on-demand price of what is used - cost. A day's is the mean of the last four weeks; a fee that is booked on
-- at most four days of the last 31 falls away on those days of a month. How much of the usage there will be is
-- assumed as it is.
--
-- A commitment is renewed where another one of its provider and kind begins within a week of its end.
--
-- Reads: contract_commitments, costs, cost_features. Bound: the first month of costs to look at.
WITH
until AS (
    SELECT ServiceProviderName, max(day) AS until
    FROM cost_features
    WHERE level = 'provider' AND is_complete
    GROUP BY ALL
),
terms AS (
    SELECT
        ContractCommitmentId,
        ServiceProviderName,
        arg_max(ContractCommitmentType, x_BillingMonth) AS type,
        arg_max(ContractCommitmentDescription, x_BillingMonth) AS description,
        arg_max(ContractCommitmentPeriodStart, x_BillingMonth) AS begins,
        arg_max(ContractCommitmentPeriodEnd, x_BillingMonth) AS ends
    FROM contract_commitments
    GROUP BY ALL
),
ending AS (
    SELECT
        t.*,
        u.until,
        -- The end is exclusive; of a day that it cuts nobody bills the rest as covered.
        CAST(t.ends + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND AS DATE) AS first_day,
        (
            SELECT min(r.ContractCommitmentId)
            FROM terms AS r
            WHERE r.ServiceProviderName = t.ServiceProviderName
                AND r.type IS NOT DISTINCT FROM t.type
                AND r.ContractCommitmentId <> t.ContractCommitmentId
                AND r.begins BETWEEN t.ends - INTERVAL 7 DAY AND t.ends + INTERVAL 7 DAY
                AND r.ends > t.ends
        ) AS renewed_by
    FROM terms AS t
    JOIN until AS u USING (ServiceProviderName)
    WHERE first_day > u.until
),
charged AS (
    SELECT
        e.*,
        c.BillingAccountId,
        c.SubAccountId,
        c.ServiceName,
        c.BillingCurrency,
        CAST(c.ChargePeriodStart AS DATE) AS day,
        c.ChargeCategory = 'Purchase' AS is_fee,
        m.metric,
        CASE WHEN c.CommitmentDiscountStatus = 'Used' THEN coalesce(c.ContractedCost, c.ListCost) ELSE 0 END
            - CASE m.metric WHEN 'BilledCost' THEN c.BilledCost ELSE c.EffectiveCost END AS change
    FROM costs AS c
    JOIN ending AS e
        ON e.ContractCommitmentId = c.CommitmentDiscountId
        AND e.ServiceProviderName = c.ServiceProviderName
    CROSS JOIN (VALUES ('BilledCost'), ('EffectiveCost')) AS m (metric)
    WHERE c.x_BillingMonth >= ?
        AND c.ChargeFrequency IS DISTINCT FROM 'One-Time'
        AND CAST(c.ChargePeriodStart AS DATE) BETWEEN e.until - 30 AND e.until
),
leaves AS (
    SELECT
        *,
        is_fee AND count(DISTINCT day) OVER (PARTITION BY ContractCommitmentId, is_fee) <= 4 AS is_monthly,
        least(28, until - min(day) OVER (PARTITION BY ContractCommitmentId) + 1) AS days
    FROM charged
)
SELECT
    ContractCommitmentId,
    type AS ContractCommitmentType,
    description AS ContractCommitmentDescription,
    ServiceProviderName,
    BillingAccountId,
    SubAccountId,
    ServiceName,
    BillingCurrency,
    metric,
    first_day,
    renewed_by,
    CASE
        WHEN is_monthly AND day = last_day(day) THEN 31
        WHEN is_monthly THEN least(day(day), 28)
    END AS day_of_month,
    -- A mean of days is no figure of a bill: to the cent.
    CAST(
        CAST(sum(change) / any_value(if(is_monthly, 1, days)) AS DECIMAL(38, 2)) AS DECIMAL(38, 18)
    ) AS amount
FROM leaves
WHERE is_monthly OR day > until - 28
GROUP BY ALL
HAVING amount <> 0
