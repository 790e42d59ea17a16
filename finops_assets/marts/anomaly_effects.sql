-- What changed in an event: quantity, mix, list price, discount, commitment; what is new and what vanished.
--
-- A leaf is a SKU in an account and a region. What it cost is a product of four factors,
--
--     cost = Q x s x p x r
--
-- Q: how much its meter was used in the account, in all regions and SKUs of one pricing unit (PricingQuantity);
-- s: the leaf's share in that (mix); p: its list price, list cost by quantity (ListUnitPrice is a price of one
-- PricingQuantity); r: what was paid of the list cost, 1 - discount. A change of the cost is split among the
-- factors by Shapley's value (A Value for n-Person Games, 1953): each factor's change, times the others' product
-- averaged over all orders in which they may have changed. For four factors x, a, b, c that is
--
--     (x1 - x0) * (3 (a0 b0 c0 + a1 b1 c1) + a1 b0 c0 + a0 b1 c0 + a0 b0 c1 + a1 b1 c0 + a1 b0 c1 + a0 b1 c1) / 12
--
-- and the four of them sum to the change. The change of r is split once more in the same way, by
-- r = k x (rate of what a commitment covers) + (1 - k) x (rate of the rest): the coverage k and the covered rate
-- are the commitment's, the other rate is the discount's. A side that has no covered usage, or nothing else, is
-- taken to have the other side's rate: it then counts for coverage alone.
--
-- Apart stand leaves that one side alone has (new, vanished), and what is paid for a commitment itself: purchases
-- and what of it nobody used. What has no quantity or no list price on both sides, and what the days before
-- do not share with the series' own expectation, is '(unexplained)'. Where a bill states no list price, ListCost is
-- what was inferred of it, and a new price shows as one of the list.
--
-- An effect is of no rows: expected and actual are null. Effects are estimates in cents; their rest is exact.
--
-- Reads: anomalies (cost_anomalies), anomaly_days, costs from the day $1 to before $2. What makes a row
-- one of a series (scope) is filled in by anomaly_drivers.effects_sql.
WITH
daily AS (
    SELECT
        CAST(ChargePeriodStart AS DATE) AS day,
        BillingCurrency,
        /* scope columns */,
        ServiceProviderName,
        SubAccountId,
        ServiceName,
        RegionId,
        ChargeCategory,
        coalesce(SkuMeter, SkuId, SkuPriceId) AS meter,
        -- Not SkuPriceId first: a commitment's price of a SKU has another one than the SKU's own.
        coalesce(SkuId, SkuPriceId, SkuMeter) AS sku,
        PricingUnit,
        CommitmentDiscountId IS NOT NULL OR CommitmentDiscountStatus IS NOT NULL AS is_covered,
        is_covered AND (ChargeCategory <> 'Usage' OR coalesce(CommitmentDiscountStatus, '') = 'Unused')
            AS is_commitment,
        coalesce(sum(PricingQuantity), 0)::DOUBLE AS quantity,
        coalesce(sum(coalesce(PricingQuantity::DOUBLE * ListUnitPrice::DOUBLE, ListCost::DOUBLE)), 0) AS listed,
        coalesce(sum(BilledCost), 0)::DOUBLE AS BilledCost,
        coalesce(sum(EffectiveCost), 0)::DOUBLE AS EffectiveCost
    FROM costs
    WHERE ChargePeriodStart >= $1::DATE::TIMESTAMPTZ AND ChargePeriodStart < $2::DATE::TIMESTAMPTZ
    GROUP BY ALL
),
scoped AS (
    SELECT
        d.anomaly_id,
        d.is_event,
        CASE WHEN d.is_event THEN 1 ELSE d.weight END AS weight,
        c.* EXCLUDE (day, BillingCurrency, BilledCost, EffectiveCost),
        CASE d.metric WHEN 'BilledCost' THEN c.BilledCost ELSE c.EffectiveCost END AS cost
    FROM anomaly_days AS d
    JOIN daily AS c
        ON /* scope */
),
-- 0 is before, 1 the event; c what is covered by a commitment, u what is not.
leaves AS (
    SELECT
        anomaly_id, ServiceProviderName, SubAccountId, ServiceName, RegionId, ChargeCategory, meter, sku,
        PricingUnit, is_commitment,
        count(*) FILTER (WHERE NOT is_event) AS rows0,
        count(*) FILTER (WHERE is_event) AS rows1,
        coalesce(sum(quantity * weight) FILTER (WHERE NOT is_event), 0) AS q0,
        coalesce(sum(quantity * weight) FILTER (WHERE is_event), 0) AS q1,
        coalesce(sum(cost * weight) FILTER (WHERE NOT is_event), 0) AS cost0,
        coalesce(sum(cost * weight) FILTER (WHERE is_event), 0) AS cost1,
        coalesce(sum(listed * weight) FILTER (WHERE NOT is_event AND is_covered), 0) AS lc0,
        coalesce(sum(listed * weight) FILTER (WHERE is_event AND is_covered), 0) AS lc1,
        coalesce(sum(listed * weight) FILTER (WHERE NOT is_event AND NOT is_covered), 0) AS lu0,
        coalesce(sum(listed * weight) FILTER (WHERE is_event AND NOT is_covered), 0) AS lu1,
        coalesce(sum(cost * weight) FILTER (WHERE NOT is_event AND is_covered), 0) AS cc0,
        coalesce(sum(cost * weight) FILTER (WHERE is_event AND is_covered), 0) AS cc1,
        coalesce(sum(cost * weight) FILTER (WHERE NOT is_event AND NOT is_covered), 0) AS cu0,
        coalesce(sum(cost * weight) FILTER (WHERE is_event AND NOT is_covered), 0) AS cu1
    FROM scoped
    GROUP BY ALL
),
named AS (
    SELECT
        *,
        CASE
            WHEN is_commitment THEN 'commitment'
            WHEN rows0 = 0 THEN 'new'
            WHEN rows1 = 0 THEN 'vanished'
            WHEN sku IS NULL OR q0 <= 0 OR q1 <= 0 OR lc0 < 0 OR lc1 < 0 OR lu0 < 0 OR lu1 < 0
                OR lc0 + lu0 <= 0 OR lc1 + lu1 <= 0 THEN '(unexplained)'
        END AS apart
    FROM leaves
),
factors AS (
    SELECT
        anomaly_id,
        sum(q0) OVER meters AS m0,
        sum(q1) OVER meters AS m1,
        q0 / m0 AS s0,
        q1 / m1 AS s1,
        (lc0 + lu0) / q0 AS p0,
        (lc1 + lu1) / q1 AS p1,
        (cc0 + cu0) / (lc0 + lu0) AS r0,
        (cc1 + cu1) / (lc1 + lu1) AS r1,
        lc0 / (lc0 + lu0) AS k0,
        lc1 / (lc1 + lu1) AS k1,
        coalesce(cc0 / nullif(lc0, 0), cc1 / nullif(lc1, 0), 0) AS rc0,
        coalesce(cc1 / nullif(lc1, 0), cc0 / nullif(lc0, 0), 0) AS rc1,
        coalesce(cu0 / nullif(lu0, 0), cu1 / nullif(lu1, 0), 0) AS ru0,
        coalesce(cu1 / nullif(lu1, 0), cu0 / nullif(lu0, 0), 0) AS ru1
    FROM named
    WHERE apart IS NULL
    WINDOW meters AS (
        PARTITION BY anomaly_id, ServiceProviderName, SubAccountId, ServiceName, ChargeCategory, meter, PricingUnit
    )
),
-- Each factor's change, beside the three that it is multiplied with.
changes AS (
    SELECT anomaly_id, unnest([
        {effect: 'quantity', x: m1 - m0, a0: s0, a1: s1, b0: p0, b1: p1, c0: r0, c1: r1},
        {effect: 'mix', x: s1 - s0, a0: m0, a1: m1, b0: p0, b1: p1, c0: r0, c1: r1},
        {effect: 'list price', x: p1 - p0, a0: m0, a1: m1, b0: s0, b1: s1, c0: r0, c1: r1},
        {
            effect: 'discount', x: (ru1 - ru0) * (1 - (k0 + k1) / 2),
            a0: m0, a1: m1, b0: s0, b1: s1, c0: p0, c1: p1
        },
        {
            effect: 'commitment',
            x: (k1 - k0) * (rc0 + rc1 - ru0 - ru1) / 2 + (rc1 - rc0) * (k0 + k1) / 2,
            a0: m0, a1: m1, b0: s0, b1: s1, c0: p0, c1: p1
        }
    ]) AS f
    FROM factors
),
effects AS (
    SELECT anomaly_id, value, CAST(CAST(sum(amount) AS DECIMAL(22, 2)) AS DECIMAL(38, 18)) AS contribution
    FROM (
        SELECT
            anomaly_id,
            f.effect AS value,
            f.x * (
                3 * (f.a0 * f.b0 * f.c0 + f.a1 * f.b1 * f.c1)
                + f.a1 * f.b0 * f.c0 + f.a0 * f.b1 * f.c0 + f.a0 * f.b0 * f.c1
                + f.a1 * f.b1 * f.c0 + f.a1 * f.b0 * f.c1 + f.a0 * f.b1 * f.c1
            ) / 12 AS amount
        FROM changes
        UNION ALL
        SELECT anomaly_id, apart, cost1 - cost0 FROM named WHERE apart <> '(unexplained)'
    )
    GROUP BY ALL
    HAVING contribution <> 0
),
complete AS (
    SELECT anomaly_id, value, contribution, 1 AS block FROM effects
    UNION ALL
    SELECT anomaly_id, '(unexplained)', a.impact - s.contribution, 2
    FROM (SELECT anomaly_id, sum(contribution) AS contribution FROM effects GROUP BY ALL) AS s
    JOIN anomalies AS a USING (anomaly_id)
    WHERE a.impact <> s.contribution
)
SELECT
    anomaly_id,
    'effect' AS dimension,
    value,
    NULL::DECIMAL(38, 18) AS expected,
    NULL::DECIMAL(38, 18) AS actual,
    contribution,
    row_number() OVER (PARTITION BY anomaly_id ORDER BY block, abs(contribution) DESC, value) AS rank
FROM complete
