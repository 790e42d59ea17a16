-- Google Cloud: each SKU in its project and region, resources' names and labels, committed use, and a
-- promotional credit that pays for one project until it is used up.
CREATE TABLE skus AS
SELECT
    s.* EXCLUDE (sku),
    replace(s.sku, '{place}', r.place) AS sku,
    regexp_replace(upper(left(digest('sku', s.line || r.place), 12)), '^(.{4})(.{4})(.{4})$', '\1-\2-\3') AS sku_id,
    a.id AS project_id,
    a.number AS project_number,
    r.country,
    r.is_region = '1' AS is_region,
    r.place,
    {
        'id': a.id,
        'number': a.number,
        'name': a.name,
        'labels': [{'key': 'env', 'value': a.env}],
        'ancestry_numbers': '/731004412207/' || (600100000000 + hash('folder', a.folder) % 1000000) || '/',
        'ancestors': [
            {'resource_name': 'projects/' || a.number, 'display_name': a.name},
            {
                'resource_name': 'folders/' || (600100000000 + hash('folder', a.folder) % 1000000),
                'display_name': a.folder
            },
            {'resource_name': 'organizations/731004412207', 'display_name': 'northwind.example'}
        ]
    } AS project
FROM slots AS s
JOIN accounts AS a USING (account)
JOIN regions AS r USING (region);

CREATE TABLE committed AS
SELECT
    k.slot,
    c.commitment,
    replace(c.sku, '{place}', k.place) AS sku,
    regexp_replace(
        upper(left(digest('sku', c.commitment || k.place), 12)), '^(.{4})(.{4})(.{4})$', '\1-\2-\3'
    ) AS sku_id,
    CAST(round(CAST(k.price AS DOUBLE) * c.ratio, 6) AS DECIMAL(18, 6)) AS price,
    CAST(ceil(k.daily / CAST(k.price AS DOUBLE) / 24) AS INTEGER) AS units,
    getvariable('last_day') - c.starts_back AS start_day,
    CAST(hash('subscription', k.slot) AS VARCHAR) AS subscription_id
FROM skus AS k
JOIN commitments AS c ON c.commitment = k.cover;

CREATE TABLE promotion AS
SELECT
    day,
    CAST(round(greatest(0, least(1, (18000 - (sum(amount) OVER (ORDER BY day) - amount)) / amount)), 4)
        AS DECIMAL(5, 4)) AS share
FROM (
    SELECT d.day, sum(CAST(d.amount AS DECIMAL(18, 4)))::DOUBLE AS amount
    FROM slot_days AS d
    JOIN slots AS s USING (slot)
    WHERE s.account = 'northwind-forecasting' AND d.day >= getvariable('last_day') - 300
    GROUP BY d.day
);

CREATE TABLE named_resources AS
SELECT
    r.resource,
    zone,
    CASE WHEN k.resource IS NOT NULL THEN {
        'name': replace(replace(split_part(k.resource, '|', 2), '{app}', r.app), '{id8}', left(r.id, 8)),
        'global_name': replace(replace(replace(replace(replace(replace(replace(
            split_part(k.resource, '|', 1), '{number}', k.project_number), '{id}', k.project_id),
            '{zone}', coalesce(zone, '')), '{region}', k.region), '{app}', r.app), '{id8}', left(r.id, 8)),
            '{hex19}', CAST(1000000000000000000 + hash(r.id) % 8000000000000000000 AS VARCHAR))
    } END AS resource_name,
    list_transform(map_entries(r.tags), lambda tag: {'key': tag.key, 'value': lower(tag.value)}) AS labels,
    CASE WHEN k.system_label IS NULL THEN [] ELSE [
        {'key': 'compute.googleapis.com/cores', 'value': split_part(k.system_label, ':', 2)},
        {'key': 'compute.googleapis.com/machine_spec', 'value': split_part(k.system_label, ':', 1)}
    ] END AS system_labels
FROM (
    SELECT
        *,
        region || '-' || chr(97 + CAST(floor(3 * uniform(id, 'zone', 0)) AS INTEGER)) AS zone
    FROM resources
) AS r
JOIN skus AS k USING (slot);
