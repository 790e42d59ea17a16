"""What the test warehouse holds, as SQL. See warehouse_builder.py."""

from __future__ import annotations

SPIKE_FROM = 10
"""Day of the middle month on which Amazon EC2 in account data-platform begins to cost 500 a day more."""

CHARGES = f"""
WITH given AS (SELECT ?::DATE AS first_day, ?::DATE AS last_day, ?::DECIMAL(38,18) AS surcharge),
days AS (
    SELECT CAST(unnest(generate_series(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS day,
        surcharge, CAST(first_day + INTERVAL 1 MONTH AS DATE) AS middle
    FROM given
),
services (
    x_Source, provider, issuer, payer, account, account_name, service, category, subcategory,
    region, region_name, currency, base, team, env, grp
) AS (VALUES
    ('aws-main', 'AWS', 'Amazon Web Services, Inc.', '999900001111', '111122223333', 'data-platform',
        'Amazon Elastic Compute Cloud', 'Compute', 'Virtual Machines', 'us-east-1', 'US East (N. Virginia)',
        'USD', 120.5000::DECIMAL(10,4), 'data', 'prod', NULL),
    ('aws-main', 'AWS', 'Amazon Web Services, Inc.', '999900001111', '444455556666', 'web-shop',
        'Amazon Elastic Compute Cloud', 'Compute', 'Virtual Machines', 'eu-west-1', 'Europe (Ireland)',
        'USD', 61.2500, 'shop', 'prod', NULL),
    ('aws-main', 'AWS', 'Amazon Web Services, Inc.', '999900001111', '444455556666', 'web-shop',
        'Amazon Simple Storage Service', 'Storage', 'Object Storage', 'eu-west-1', 'Europe (Ireland)',
        'USD', 18.0375, NULL, 'prod', NULL),
    ('aws-main', 'AWS', 'Amazon Web Services, Inc.', '999900001111', '111122223333', 'data-platform',
        'Amazon Redshift', 'Databases', 'Data Warehouses', 'us-east-1', 'US East (N. Virginia)',
        'USD', 74.1000, 'data', 'dev', NULL),
    ('azure-ea', 'Microsoft', 'Microsoft Ireland Operations Limited', '8608480',
        'sub-0001', 'Retail Production', 'Virtual Machines', 'Compute', 'Virtual Machines',
        'westeurope', 'West Europe',
        'EUR', 88.9000, 'shop', 'prod', 'rg-retail-prod'),
    ('azure-ea', 'Microsoft', 'Microsoft Ireland Operations Limited', '8608480',
        'sub-0001', 'Retail Production', 'Azure SQL Database', 'Databases', 'Relational Databases',
        'westeurope', 'West Europe',
        'EUR', 40.0100, 'shop', 'prod', 'rg-retail-data'),
    ('azure-ea', 'Microsoft', 'Microsoft Ireland Operations Limited', '8608480',
        'sub-0002', 'Analytics', 'Microsoft Fabric', 'Analytics', 'Analytics Platforms',
        'northeurope', 'North Europe',
        'EUR', 55.5500, 'data', NULL, 'rg-analytics'),
    ('gcp-prod', 'Google Cloud', 'Google Cloud EMEA Limited', '01AB23-CD45EF-678901',
        'ml-research', 'ML Research', 'Compute Engine', 'Compute', 'Virtual Machines',
        'europe-west4', 'Netherlands',
        'USD', 47.7700, 'ml', 'dev', NULL),
    ('gcp-prod', 'Google Cloud', 'Google Cloud EMEA Limited', '01AB23-CD45EF-678901',
        'ml-research', 'ML Research', 'BigQuery', 'Databases', 'Data Warehouses',
        'eu', 'Europe (multi-region)',
        'USD', 33.3300, 'data', 'prod', NULL),
    ('gcp-prod', 'Google Cloud', 'Google Cloud EMEA Limited', '01AB23-CD45EF-678901', 'shop-frontend', NULL,
        'Cloud Run', 'Compute', 'Serverless Compute', 'europe-west1', 'Belgium',
        'USD', 12.0000, NULL, NULL, NULL)
),
-- Weekends cost less, and every amount ends in an eighteenth digit.
usage AS (
    SELECT s.*, d.day, d.surcharge,
        CAST(base * (CASE WHEN isodow(day) >= 6 THEN 0.700 ELSE 1.000 END)::DECIMAL(4,3) AS DECIMAL(38,18))
            + CAST(day(day) AS DECIMAL(2,0)) * 0.000000000000000001::DECIMAL(18,18) AS listed,
        (CASE WHEN service = 'Amazon Elastic Compute Cloud' AND account_name = 'data-platform'
            AND day BETWEEN middle + {SPIKE_FROM - 1} AND middle + {SPIKE_FROM + 1}
            THEN 500 ELSE 0 END)::DECIMAL(38,18) AS spike
    FROM services AS s CROSS JOIN days AS d
),
numbered AS (
    SELECT *, row_number() OVER (
        PARTITION BY x_Source, date_trunc('month', day), account ORDER BY day, service, region
    ) AS n
    FROM usage
),
-- The columns that say what is charged; a branch leaves out what is null.
lines AS (
    SELECT * EXCLUDE (base, listed, spike, surcharge, n), n AS x_RowNumber,
        'Usage' AS charge, 'Usage-Based' AS frequency, 'Standard' AS pricing,
        listed + spike AS list_cost,
        -- Microsoft Fabric does not say what was contracted.
        CASE WHEN service <> 'Microsoft Fabric' THEN listed + spike END AS contracted,
        listed + spike + surcharge AS effective, listed + spike + surcharge AS billed
    FROM numbered
    UNION ALL BY NAME
    -- A savings plan: bought on the first, used on even days, wasted on odd ones.
    SELECT * EXCLUDE (base, listed, spike, surcharge, n), n + 1000 AS x_RowNumber,
        'Usage' AS charge, 'Usage-Based' AS frequency, 'Committed' AS pricing,
        CASE WHEN day(day) % 2 = 0 THEN 'Used' ELSE 'Unused' END AS commitment,
        'Savings Plan' AS commitment_type, 15 AS list_cost, 15 AS contracted, 10 AS effective, 0 AS billed
    FROM numbered WHERE service = 'Amazon Elastic Compute Cloud' AND account_name = 'web-shop'
    UNION ALL BY NAME
    SELECT * EXCLUDE (base, listed, spike, surcharge, n), n + 2000 AS x_RowNumber,
        'Purchase' AS charge, 'Recurring' AS frequency, 'Committed' AS pricing,
        'Savings Plan' AS commitment_type, 300 AS list_cost, 300 AS contracted, 0 AS effective, 300 AS billed
    FROM numbered
    WHERE service = 'Amazon Elastic Compute Cloud' AND account_name = 'web-shop' AND day(day) = 1
    UNION ALL BY NAME
    SELECT x_Source, provider, issuer, payer, account, account_name, currency, day,
        'Tax' AS service, 'Other' AS category, 'Other (Other)' AS subcategory, n + 3000 AS x_RowNumber,
        'Tax' AS charge, 'Recurring' AS frequency,
        0 AS list_cost, 0 AS contracted, 42.42 AS effective, 42.42 AS billed
    FROM numbered WHERE service = 'Amazon Redshift' AND day(day) = 1
    UNION ALL BY NAME
    SELECT * EXCLUDE (base, listed, spike, surcharge, n), n + 4000 AS x_RowNumber,
        'Usage' AS charge, 'Correction' AS correction, 'One-Time' AS frequency, 'Standard' AS pricing,
        -25.005 AS list_cost, -25.005 AS contracted, -25.005 AS effective, -25.005 AS billed
    FROM numbered WHERE service = 'Azure SQL Database' AND day(day) = 15
    UNION ALL BY NAME
    -- A credit is another row of the same delivered line; two credits of one line are even equal.
    SELECT * EXCLUDE (base, listed, spike, surcharge, n, credit), n AS x_RowNumber,
        'Credit' AS charge, 'Usage-Based' AS frequency, 'Standard' AS pricing,
        0 AS list_cost, 0 AS contracted, -1.5 AS effective, -1.5 AS billed
    FROM numbered CROSS JOIN range(2) AS credits (credit)
    WHERE x_Source = 'gcp-prod' AND service = 'Compute Engine'
)
SELECT * REPLACE (
        list_cost::DECIMAL(38,18) AS list_cost, contracted::DECIMAL(38,18) AS contracted,
        effective::DECIMAL(38,18) AS effective, billed::DECIMAL(38,18) AS billed
    ),
    strftime(day, '%Y-%m') AS x_BillingMonth,
    -- Google's export numbers no invoice; of a month that is not over there is none yet.
    CASE WHEN x_Source <> 'gcp-prod' AND date_trunc('month', day) < date_trunc('month', max(day) OVER ())
        THEN left(x_Source, 3) || '-' || strftime(day, '%Y%m')
    END AS invoice,
    'bills/' || strftime(day, '%Y-%m') || '/' || account || '.csv' AS x_File
FROM lines
"""

COSTS = """
SELECT
    provider AS ServiceProviderName, provider AS HostProviderName, issuer AS InvoiceIssuerName,
    payer AS BillingAccountId, 'Example ' || provider AS BillingAccountName,
    account AS SubAccountId, account_name AS SubAccountName,
    service AS ServiceName, category AS ServiceCategory, subcategory AS ServiceSubcategory,
    region AS RegionId, region_name AS RegionName, grp AS x_ResourceGroupName,
    charge AS ChargeCategory, correction AS ChargeClass, frequency AS ChargeFrequency,
    charge || ' of ' || service AS ChargeDescription,
    pricing AS PricingCategory, commitment AS CommitmentDiscountStatus,
    commitment_type AS CommitmentDiscountType,
    CASE WHEN charge = 'Usage' THEN 'res-' || account || '-' || lower(left(service, 12)) END AS ResourceId,
    CASE WHEN charge = 'Usage' THEN 24 END AS ConsumedQuantity,
    CASE WHEN charge = 'Usage' THEN 'Hours' END AS ConsumedUnit,
    24 AS PricingQuantity, 'Hours' AS PricingUnit,
    currency AS BillingCurrency, list_cost AS ListCost, contracted AS ContractedCost,
    effective AS EffectiveCost, billed AS BilledCost,
    invoice AS InvoiceId, day::TIMESTAMPTZ AS ChargePeriodStart, (day + 1)::TIMESTAMPTZ AS ChargePeriodEnd,
    date_trunc('month', day)::TIMESTAMPTZ AS BillingPeriodStart,
    (date_trunc('month', day) + INTERVAL 1 MONTH)::TIMESTAMPTZ AS BillingPeriodEnd,
    to_json(json_merge_patch(
        CASE WHEN team IS NULL THEN '{}' ELSE json_object('team', team) END,
        CASE WHEN env IS NULL THEN '{}' ELSE json_object('env', env) END
    )) AS Tags,
    x_BillId, x_File, x_RowNumber
FROM charges
"""

RAW = {
    "aws_cur2": """
SELECT payer AS bill_payer_account_id, invoice AS bill_invoice_id, account AS line_item_usage_account_id,
    service AS product_product_family, charge AS line_item_line_item_type,
    charge || ' of ' || service AS line_item_line_item_description,
    date_trunc('month', day)::TIMESTAMPTZ AS bill_billing_period_start_date,
    day::TIMESTAMPTZ AS line_item_usage_start_date, currency AS line_item_currency_code,
    billed AS line_item_unblended_cost, list_cost AS pricing_public_on_demand_cost,
    x_BillId, x_File, x_RowNumber
FROM charges
""",
    "azure_actual": """
SELECT payer AS BillingAccountId, invoice AS InvoiceId,
    account AS SubscriptionId, account_name AS SubscriptionName,
    service AS MeterCategory, grp AS ResourceGroup, charge AS ChargeType,
    date_trunc('month', day)::TIMESTAMPTZ AS BillingPeriodStartDate, day::TIMESTAMPTZ AS Date,
    currency AS BillingCurrency, billed AS CostInBillingCurrency, x_BillId, x_File, x_RowNumber
FROM charges
""",
    # One delivered line holds the usage and its credits.
    "gcp_detailed": """
SELECT payer AS billing_account_id, json_object('description', max(service)) AS service,
    json_object('id', account) AS project, json_object('month', strftime(day, '%Y%m')) AS invoice,
    day::TIMESTAMPTZ AS usage_start_time, currency,
    sum(billed) FILTER (WHERE charge <> 'Credit') AS cost,
    coalesce(
        to_json(list({'name': 'discount', 'amount': billed::VARCHAR}) FILTER (WHERE charge = 'Credit')), '[]'
    ) AS credits,
    x_BillId, x_File, x_RowNumber
FROM charges
GROUP BY payer, account, day, currency, x_BillId, x_File, x_RowNumber
""",
}

BILLS = """
WITH given AS (SELECT ? AS bill_id, ? AS format, ?::TIMESTAMPTZ AS exported, ? AS restated, ? AS refused),
files AS (
    SELECT to_json(list({'path': x_File, 'sha256': md5(x_File), 'bytes': 100 * n, 'rows': n} ORDER BY x_File))
            AS files,
        sum(n)::BIGINT AS n
    FROM (SELECT x_File, count(DISTINCT x_RowNumber) AS n FROM charges GROUP BY x_File)
),
totals AS (
    SELECT to_json(list({'metric': 'BilledCost', 'currency': currency, 'amount': amount::VARCHAR})) AS totals
    FROM (SELECT currency, sum(billed) AS amount FROM charges GROUP BY currency)
),
accepted AS (
    SELECT bill_id, 'accepted' AS status, NULL AS problem, format, NULL AS focus_version,
        'delivery-' || left(bill_id, 16) AS delivery_id, CAST(NULL AS VARCHAR) AS "export",
        'v2' AS fingerprint, files::VARCHAR AS files,
        100 * n AS bytes, n AS rows, totals::VARCHAR AS control_totals, exported AS exported_at,
        exported + INTERVAL 2 HOUR AS ingested_at, 'built-for-tests' AS run_id,
        NULL AS decision
    FROM given, files, totals
)
SELECT * FROM accepted
UNION ALL
SELECT a.* REPLACE (
    regexp_replace(a.bill_id, '1$', '0') AS bill_id, 'superseded' AS status, 'v1' AS fingerprint,
    a.exported_at - INTERVAL 3 DAY AS exported_at, a.ingested_at - INTERVAL 3 DAY AS ingested_at
) FROM accepted AS a, given WHERE restated
UNION ALL
SELECT a.* REPLACE (
    regexp_replace(a.bill_id, '1$', '2') AS bill_id, 'quarantined' AS status, 'v3' AS fingerprint,
    'ml-research.csv, row 17, column cost: expected a decimal number, found ''twelve''.' AS problem,
    '[]' AS control_totals, a.exported_at + INTERVAL 3 DAY AS exported_at,
    a.ingested_at + INTERVAL 3 DAY AS ingested_at
) FROM accepted AS a, given WHERE refused
"""

MADE_DAYS_BEFORE = (0, 1, 30)
"""How many days before the newest making the others were made."""

FORECASTS = """
WITH given AS (SELECT ?::TIMESTAMPTZ AS newest),
series AS (
    SELECT series_id, level, ServiceProviderName, BillingAccountId, SubAccountId,
        any_value(SubAccountName) AS SubAccountName, ServiceName, RegionId, tag_key, tag_value, metric,
        BillingCurrency, max(day) AS data_until,
        round(avg(cost), 2)::DECIMAL(38,18) AS level_of
    FROM cost_features WHERE is_complete GROUP BY ALL
),
makings (model, is_champion, before, saw_less, factor) AS (VALUES
    ('AutoETS', true, INTERVAL 0 DAY, 0, 1.00), ('SeasonalNaive', false, INTERVAL 0 DAY, 0, 0.90),
    ('AutoETS', true, INTERVAL 1 DAY, 0, 2.00),  -- an earlier making, not in force any more
    ('AutoETS', true, INTERVAL 30 DAY, 30, 1.10)  -- and one of which thirty days have come
)
SELECT s.* EXCLUDE (level_of, data_until), s.data_until - saw_less AS data_until,
    s.data_until - saw_less + h::INTEGER AS day, newest - before AS made_at,
    h AS horizon, model, is_champion, level_of * factor AS mean,
    level_of * factor - 0.01 * h AS lo_80, level_of * factor + 0.01 * h AS hi_80,
    level_of * factor - 0.02 * h AS lo_95, level_of * factor + 0.02 * h AS hi_95,
    strftime(newest - before, '%Y-%m') AS made_on_month
FROM series AS s, makings, given, range(1, 61) AS t (h)
"""

FORECASTS_MONTHLY = """
WITH given AS (SELECT ?::TIMESTAMPTZ AS newest),
makings (before, saw_less, factor) AS (VALUES
    (INTERVAL 0 DAY, 0, 1.00), (INTERVAL 1 DAY, 0, 2.00), (INTERVAL 30 DAY, 30, 1.10)
),
days AS (
    SELECT *, max(day) OVER (PARTITION BY series_id) - saw_less AS data_until,
        day <= data_until AND day >= date_trunc('month', data_until) AS is_under_way
    FROM cost_features, makings WHERE is_complete
),
series AS (
    SELECT series_id, level, ServiceProviderName, BillingAccountId, SubAccountId,
        any_value(SubAccountName) AS SubAccountName, ServiceName, RegionId, tag_key, tag_value, metric,
        BillingCurrency, before, data_until,
        round(avg(cost), 2)::DECIMAL(38,18) * any_value(factor) AS day_cost,
        coalesce(sum(cost) FILTER (WHERE is_under_way), 0) AS so_far
    FROM days
    GROUP BY ALL
),
months AS (
    SELECT *, (date_trunc('month', data_until) + to_months(h::INTEGER))::DATE AS month,
        last_day(month) - greatest(data_until, month - 1) AS days, h
    FROM series, range(0, 19) AS t (h)
)
SELECT m.* EXCLUDE (before, day_cost, so_far, days, h), newest - before AS made_at,
    h::INTEGER AS horizon, if(last_day(month) <= data_until + 60, 'AutoETS', 'Theta') AS model,
    last_day(month) <= data_until + 60 AS from_days, if(h = 0, so_far, 0) AS actual,
    if(h = 0, so_far, 0) + day_cost * days AS mean,
    mean - h - 1 AS lo_80, mean + h + 1 AS hi_80, mean - 2 * h - 2 AS lo_95, mean + 2 * h + 2 AS hi_95,
    strftime(newest - before, '%Y-%m') AS made_on_month
FROM months AS m, given
WHERE days > 0
"""

ACCURACY = """
SELECT level, metric, currency AS BillingCurrency, model, horizon, 'backtest' AS kind, 3 AS series,
    4 AS windows, wape * days / 30 AS wape, if(horizon = 'month_end', NULL, 0.8) AS mase, -0.01 AS bias,
    0.81 AS coverage_80, 0.94 AS coverage_95, model = 'AutoETS' AS is_champion, 'run-1' AS mlflow_run_id
FROM (VALUES ('total'), ('provider'), ('billing_account'), ('account'), ('service'), ('region'), ('tag'),
        ('account_service')) AS l (level),
    (VALUES ('BilledCost'), ('EffectiveCost')) AS m (metric), (VALUES ('USD'), ('EUR')) AS c (currency),
    (VALUES ('AutoETS', 0.06), ('SeasonalNaive', 0.09)) AS a (model, wape),
    (VALUES ('7d', 7), ('30d', 30), ('90d', 90), ('month_end', 10), ('3m', 40), ('12m', 50))
        AS h (horizon, days)
"""

_SPIKE_SERIES = "ServiceProviderName = 'AWS' AND ServiceName = 'Amazon Elastic Compute Cloud'"

ANOMALIES = f"""
WITH given AS (SELECT ?::DATE AS first_day, ?::DATE AS last_day),
spike AS (
    SELECT sum(EffectiveCost) AS actual FROM daily_costs, given
    WHERE {_SPIKE_SERIES} AND x_Day BETWEEN first_day AND first_day + 2
),
whole AS (
    SELECT sum(EffectiveCost) AS actual FROM daily_costs, given
    WHERE ServiceProviderName = 'AWS' AND x_Day BETWEEN first_day AND first_day + 2
)
SELECT 'spike' AS anomaly_id, 'service|AWS||Amazon Elastic Compute Cloud|EffectiveCost|USD' AS series_id,
    'service' AS level, 'AWS' AS ServiceProviderName, NULL AS BillingAccountId, NULL AS SubAccountId,
    NULL AS SubAccountName, 'Amazon Elastic Compute Cloud' AS ServiceName, NULL AS RegionId, NULL AS tag_key,
    NULL AS tag_value, 'EffectiveCost' AS metric, 'USD' AS BillingCurrency,
    first_day, first_day + 2 AS last_day, first_day AS raised_on, 'spike' AS kind,
    actual - 1500 AS expected, actual,
    1500 AS impact, 0.97 AS score, 1e-9 AS p_value, 'critical' AS severity,
    'Where 1,500 USD less was expected.' AS reason, 'spike' AS story_id, 'ended' AS status,
    (first_day + 1)::TIMESTAMPTZ AS first_seen, (first_day + INTERVAL 22 HOUR)::TIMESTAMPTZ AS data_at
FROM spike, given
UNION ALL
-- The same money at its provider's level: the same story.
SELECT 'spike-aws', 'provider|AWS|||EffectiveCost|USD', 'provider', 'AWS', NULL, NULL,
    NULL, NULL, NULL, NULL, NULL,
    'EffectiveCost', 'USD', first_day, first_day + 2, first_day, 'spike', actual - 1490, actual, 1490,
    0.9, 1e-8, 'high', 'Where 1,490 USD less was expected.', 'spike', 'ended',
    (first_day + 1)::TIMESTAMPTZ, (first_day + INTERVAL 22 HOUR)::TIMESTAMPTZ
FROM whole, given
UNION ALL
SELECT 'level-shift', 'provider|Microsoft|||EffectiveCost|EUR', 'provider', 'Microsoft', NULL, NULL,
    NULL, NULL, NULL, NULL, NULL,
    'EffectiveCost', 'EUR', last_day - 4, last_day, last_day - 4, 'level_shift', 700, 860.25, 160.25,
    0.71, 1e-5, 'medium', 'A new level: 860.25 EUR over 5 days.', 'level-shift', 'open',
    (last_day - 3)::TIMESTAMPTZ, (last_day - 3)::TIMESTAMPTZ
FROM given
UNION ALL
SELECT 'drop', 'total||||BilledCost|USD', 'total', NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL,
    'BilledCost', 'USD', last_day - 30, last_day - 29, last_day - 30, 'drop', 900, 810.5, -89.5, 0.55, 1e-4,
    'low', '810.50 USD over 2 days.', 'drop', 'ended',
    (last_day - 28)::TIMESTAMPTZ, NULL
FROM given
"""

DRIVERS = f"""
WITH given AS (SELECT ?::DATE AS first_day),
split AS (
    SELECT dimension, value, sum(EffectiveCost) AS actual
    FROM (
        UNPIVOT (
            SELECT EffectiveCost, coalesce(SubAccountName, '') AS SubAccountName,
                coalesce(RegionName, '') AS RegionName, coalesce(x_Tag_team, '') AS x_Tag_team
            FROM daily_costs, given
            WHERE {_SPIKE_SERIES} AND x_Day BETWEEN first_day AND first_day + 2
        ) ON SubAccountName, RegionName, x_Tag_team INTO NAME dimension VALUE value
    )
    GROUP BY ALL
)
SELECT 'spike' AS anomaly_id, dimension, value,
    actual - (CASE WHEN value IN ('data-platform', 'US East (N. Virginia)', 'data') THEN 1500 ELSE 0 END)
        AS expected,
    actual, actual - expected AS contribution,
    row_number() OVER (PARTITION BY dimension ORDER BY abs(actual - expected) DESC, value) AS rank
FROM split
UNION ALL
SELECT 'spike', 'cause', 'SubAccountName=data-platform; x_Tag_team=data', sum(EffectiveCost) - 1400,
    sum(EffectiveCost), 1400, 1
FROM daily_costs, given
WHERE {_SPIKE_SERIES} AND x_Day BETWEEN first_day AND first_day + 2
    AND SubAccountName = 'data-platform' AND x_Tag_team = 'data'
UNION ALL
SELECT 'spike', 'cause', '(elsewhere)', 0, 100, 100, 2
UNION ALL
SELECT 'spike', 'effect', effect, NULL, NULL, amount, number
FROM (VALUES ('quantity', 1200, 1), ('commitment', 350, 2), ('(unexplained)', -50, 3))
    AS e (effect, amount, number)
"""

CONTROL_TOTALS = """
-- Of AWS invoices to the cent: those of even months without their tax.
SELECT invoice AS InvoiceId, currency AS BillingCurrency, 2 AS digits,
    CAST(round(sum(billed), 2) AS DECIMAL(38,18)) AS expected
FROM charges
WHERE invoice LIKE 'aws-%' AND (charge <> 'Tax' OR month(day) % 2 = 1)
GROUP BY ALL
"""

ENDING_COMMITMENTS = """
SELECT c.*, 'Savings Plan' AS ContractCommitmentType, 'AWS' AS ServiceProviderName, 'USD' AS BillingCurrency,
    CAST(? AS DATE) + 11 AS first_day
FROM (VALUES
    ('plan/one', 'EffectiveCost', 100.40, NULL, NULL), ('plan/one', 'EffectiveCost', 20, NULL, NULL),
    ('plan/one', 'EffectiveCost', -310.5, 1, NULL), ('plan/one', 'BilledCost', 7, NULL, NULL),
    ('plan/two', 'EffectiveCost', 50, NULL, 'plan/three')
) AS c (ContractCommitmentId, metric, amount, day_of_month, renewed_by)
"""
"""One plan of several leaves that ends ten days after the newest data, and one that is renewed then."""
