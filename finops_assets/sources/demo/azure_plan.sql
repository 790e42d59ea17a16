-- Azure: reservations, one for each slot that has one, and each resource's path, tags and group.
CREATE TABLE reservations AS
SELECT
    s.slot,
    c.* EXCLUDE (ratio, starts_back),
    getvariable('last_day') - c.starts_back AS start_day,
    CAST(ceil(s.daily / CAST(s.price AS DOUBLE) / 24) AS INTEGER) AS instances,
    -- Billed monthly, the same amount every month.
    CAST(
        ceil(s.daily / CAST(s.price AS DOUBLE) / 24)
        * round(CAST(s.price AS DOUBLE) * c.ratio * 730, 2) AS DECIMAL(12, 2)
    ) AS monthly_fee,
    guid('reservation', s.slot) AS reservation_id,
    guid('order', s.slot) AS order_id
FROM slots AS s
JOIN commitments AS c ON c.commitment = s.cover;

CREATE TABLE meters AS
SELECT
    s.* EXCLUDE (resource, product),
    replace(s.product, '{meter_region}', r.meter_region) AS product,
    s.resource AS resource_pattern,
    r.meter_region,
    a.id AS subscription_id,
    a.name AS subscription_name,
    a.section,
    guid('meter', s.line || s.region) AS meter_id,
    upper(left(digest('part', s.line || s.region), 3)) || '-'
        || (10000 + hash('part', s.line || s.region) % 90000) AS part_number,
    CAST(round(CAST(s.price AS DOUBLE) / 0.93, 6) AS DECIMAL(18, 10)) AS payg_price
FROM slots AS s
JOIN accounts AS a USING (account)
JOIN regions AS r USING (region);

CREATE TABLE named_resources AS
SELECT
    r.resource,
    r.app,
    a.cost_center,
    -- Providers of resources write the group's name in any case.
    CASE WHEN uniform(r.id, 'case', 0) < 0.3 THEN upper('rg-' || r.app || '-' || r.env)
        ELSE 'rg-' || r.app || '-' || r.env END AS resource_group,
    '/subscriptions/' || m.subscription_id || '/resourceGroups/rg-' || r.app || '-' || r.env || '/providers/'
        || replace(replace(m.resource_pattern, '{app}', r.app), '{id8}', left(r.id, 8)) AS resource_id,
    array_to_string(list_transform(
        map_entries(r.tags), lambda tag: '"' || tag.key || '": "' || tag.value || '"'
    ), ',') AS tags,
    CASE WHEN m.info IS NOT NULL THEN
        '{"UsageType":"ComputeHR","ServiceType":"' || split_part(m.info, ':', 1) || '","VCPUs":"'
        || split_part(m.info, ':', 2) || '"}' END AS additional_info
FROM resources AS r
JOIN meters AS m USING (slot)
JOIN apps AS a ON a.app = r.app;
