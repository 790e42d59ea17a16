-- AWS: what the company committed to. A Savings Plan covers slots of several accounts, a reservation
-- one slot; both cover steady usage only, so they never run short, and always leave something unused.
CREATE TABLE covers AS
SELECT
    s.slot,
    s.line,
    s.account,
    s.region,
    c.*,
    getvariable('last_day') - c.starts_back AS start_day,
    CAST(round(CAST(s.price AS DOUBLE) * c.ratio, 8) AS DECIMAL(12, 8)) AS plan_rate,
    CAST(round(CAST(s.price AS DOUBLE) * c.ratio * (1 - c.upfront), 8) AS DECIMAL(12, 8)) AS recurring_rate,
    CAST(round(CAST(s.price AS DOUBLE) * c.ratio * c.upfront, 8) AS DECIMAL(12, 8)) AS upfront_rate,
    CAST(ceil(s.daily / CAST(s.price AS DOUBLE) / 24) AS INTEGER) AS instances,
    CASE s.product_code
        WHEN 'AmazonRDS' THEN 'arn:aws:rds:' || s.region || ':' || a.id || ':ri:ri-'
        ELSE 'arn:aws:elasticache:' || s.region || ':' || a.id || ':reserved-instance:ri-'
    END || guid('reservation', s.slot) AS reservation_arn,
    'arn:aws:savingsplans::' || o.id || ':savingsplan/' || guid('plan', c.commitment) AS plan_arn
FROM slots AS s
JOIN commitments AS c ON c.commitment = s.cover
JOIN accounts AS a ON a.account = s.account
JOIN accounts AS o ON o.account = c.owner;

CREATE TABLE plans AS
SELECT
    *,
    CAST(hourly * 24 AS DECIMAL(18, 8)) AS daily_commitment,
    CAST(hourly * 24 * (1 - upfront) AS DECIMAL(18, 8)) AS daily_recurring,
    CAST(hourly * 24 AS DECIMAL(18, 8)) - CAST(hourly * 24 * (1 - upfront) AS DECIMAL(18, 8))
        AS daily_upfront
FROM (
    SELECT
        commitment,
        plan_arn,
        start_day,
        years,
        payment,
        CAST(upfront AS DECIMAL(4, 2)) AS upfront,
        owner,
        offering,
        CAST(ceil(1000 * sum(CAST(daily * ratio AS DECIMAL(18, 6))) / 24) / 1000 AS DECIMAL(12, 3)) AS hourly
    FROM covers
    JOIN slots USING (slot)
    WHERE kind = 'plan'
    GROUP BY ALL
);

-- Each line's texts for each region and account it is in, once.
CREATE TABLE items AS
SELECT
    s.slot,
    s.account,
    a.id AS account_id,
    a.name AS account_name,
    s.line,
    s.price,
    s.product_code,
    s.product_name,
    s.product_family,
    s.operation,
    s.unit,
    s.instance_type,
    s.region,
    r.location,
    replace(replace(s.usage_type, '{p}', coalesce(r.prefix, '')), '{P}', r.always) AS usage_type,
    replace(replace(s.description, '{price}', format('{:.4f}', CAST(s.price AS DOUBLE))), '{location}', r.location)
        AS description,
    upper(left(digest('sku', s.line || s.region), 16)) AS sku,
    CAST(s.price * (CASE WHEN s.usage_type LIKE '%SpotUsage%' THEN 2.5 ELSE 1 END) AS DECIMAL(18, 10))
        AS list_price,
    s.resource AS resource_pattern,
    s.product_code IN ('AmazonEC2', 'AmazonRDS', 'AmazonElastiCache') AND s.instance_type IS NOT NULL
        AS is_zonal,
    MAP {
        'product_name': s.product_name,
        'region': s.region,
        'location': r.location,
        'operating_system': CASE WHEN s.usage_type LIKE '%BoxUsage%' OR s.usage_type LIKE '%SpotUsage%'
            THEN (CASE WHEN s.operation = 'RunInstances:0002' THEN 'Windows' ELSE 'Linux' END) ELSE '' END,
        'database_engine': CASE s.operation WHEN 'CreateDBInstance:0014' THEN 'PostgreSQL'
            WHEN 'CreateDBInstance:0002' THEN 'MySQL' WHEN 'CreateDBInstance:0006' THEN 'Oracle' ELSE '' END
    } AS product
FROM slots AS s
JOIN accounts AS a USING (account)
JOIN regions AS r USING (region);

CREATE TABLE named_resources AS
SELECT
    r.resource,
    replace(replace(replace(replace(replace(replace(replace(replace(
        i.resource_pattern, '{region}', i.region), '{account}', i.account_id), '{app}', r.app),
        '{env}', r.env), '{hex}', left(r.id, 17)), '{id8}', left(r.id, 8)), '{id13}', upper(left(r.id, 13))),
        '{uuid}', guid('resource', r.id)) AS resource_id,
    CASE WHEN i.is_zonal THEN i.region || chr(97 + CAST(floor(3 * uniform(r.id, 'zone', 0)) AS INTEGER)) END
        AS zone,
    map_from_entries(list_transform(
        map_entries(r.tags), lambda tag: {'k': 'user_' || replace(tag.key, '-', '_'), 'v': tag.value}
    )) AS resource_tags,
    MAP {'Department': coalesce(r.tags['team'], 'Unallocated')} AS cost_category
FROM resources AS r
JOIN items AS i USING (slot);
