-- FOCUS with Google Cloud columns → FOCUS 1.4.
--
-- Sources: Google Cloud documentation, "Structure of FOCUS data export" (preview, 1.2, append-only:
-- corrections are further rows), and Google's FOCUS BigQuery view (1.0, closed lists in lower case).
-- The export has no ServiceCategory, InvoiceIssuerName, ChargeFrequency or commitment status: the first
-- three are filled in and marked, the last stays null. The four costs are taken as stated: x_Credits
-- details them and is not added to them.
SELECT
    f.* REPLACE (
        coalesce(ChargeFrequency, CASE WHEN ChargeCategory = 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END)
            AS ChargeFrequency,
        -- Google invoices what partners sell, too.
        CASE WHEN list_contains(string_split(x_Inferred, ','), 'InvoiceIssuerName') THEN 'Google Cloud'
            ELSE InvoiceIssuerName END AS InvoiceIssuerName,
        nullif(concat_ws(
            ',',
            x_Inferred,
            CASE WHEN ChargeFrequency IS NULL THEN 'ChargeFrequency' END
        ), '') AS x_Inferred
    )
FROM (
-- Tags lie in lists of key and value: Tags (the view), or x_Labels, x_ProjectLabels, x_SystemLabels and
-- x_Tags (the export). Labels go without prefix, a project's yield to the resource's own, the other
-- schemes are prefixed (FOCUS, Tags). Once a distinct set.
WITH label_sets AS (
    SELECT Tags, x_Labels, x_ProjectLabels, x_SystemLabels, x_Tags,
        CAST(to_json(map_from_entries(list({'k': tag_key, 'v': tag_value} ORDER BY tag_key))) AS VARCHAR)
            AS labels
    FROM (
        SELECT Tags, x_Labels, x_ProjectLabels, x_SystemLabels, x_Tags, prefix || entry.key AS tag_key,
            arg_min(entry.value, rank) AS tag_value
        FROM (
            SELECT
                Tags, x_Labels, x_ProjectLabels, x_SystemLabels, x_Tags, rank, prefix,
                {
                    'key': coalesce(pair->>'$.key', pair->>'$.Key'),
                    'value': coalesce(pair->>'$.value', pair->>'$.Value')
                } AS entry
            FROM (
                SELECT *, unnest(from_json(pairs, '["JSON"]')) AS pair
                FROM (
                    SELECT DISTINCT Tags, x_Labels, x_ProjectLabels, x_SystemLabels, x_Tags FROM raw
                )
                CROSS JOIN LATERAL (VALUES
                    (x_Labels, 1, ''),
                    (CASE WHEN starts_with(ltrim(Tags), '[') THEN Tags END, 2, ''),
                    (x_ProjectLabels, 3, ''),
                    (x_SystemLabels, 1, 'system/'),
                    (x_Tags, 1, 'tag/')
                ) AS scheme(pairs, rank, prefix)
                WHERE pairs IS NOT NULL
            )
        )
        WHERE entry.key IS NOT NULL AND entry.value IS NOT NULL
        GROUP BY ALL
    )
    GROUP BY Tags, x_Labels, x_ProjectLabels, x_SystemLabels, x_Tags
),
delivered AS (
    SELECT
        raw.* REPLACE (
            coalesce(raw.RegionName, region.RegionName, raw.RegionId) AS RegionName,
            coalesce(raw.SubAccountType, CASE WHEN raw.SubAccountId IS NOT NULL THEN 'Project' END)
                AS SubAccountType,
            coalesce(l.labels, CASE WHEN starts_with(ltrim(raw.Tags), '{') THEN raw.Tags END) AS Tags
        ),
        known.ServiceCategory AS known_category,
        known.ServiceSubcategory AS known_subcategory
    FROM raw
    LEFT JOIN label_sets AS l
        ON raw.Tags IS NOT DISTINCT FROM l.Tags
        AND raw.x_Labels IS NOT DISTINCT FROM l.x_Labels
        AND raw.x_ProjectLabels IS NOT DISTINCT FROM l.x_ProjectLabels
        AND raw.x_SystemLabels IS NOT DISTINCT FROM l.x_SystemLabels
        AND raw.x_Tags IS NOT DISTINCT FROM l.x_Tags
    LEFT JOIN ref_gcp_services AS known ON lower(known.Service) = lower(raw.ServiceName)
    LEFT JOIN ref_gcp_regions AS region ON region.RegionId = lower(raw.RegionId)
),
-- include: _focus.sql
) AS f
