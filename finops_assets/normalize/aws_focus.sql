-- AWS's FOCUS 1.0 and 1.2 exports → FOCUS 1.4.
-- Source: AWS Data Exports user guide, "FOCUS 1.2 with AWS columns" and "FOCUS 1.0 with AWS columns".
-- x_ServiceCode is the product code, which tells the subcategory that 1.0 does not have; x_UsageType is
-- what 1.1 named SkuMeter.
WITH delivered AS NOT MATERIALIZED (
    SELECT
        raw.* REPLACE (coalesce(raw.SkuMeter, raw.x_UsageType) AS SkuMeter),
        -- EBS comes under EC2's code, in category Storage.
        CASE WHEN raw.x_UsageType LIKE '%EBS:%' THEN 'Storage' ELSE s.ServiceCategory END
            AS known_category,
        CASE WHEN raw.x_UsageType LIKE '%EBS:%' THEN 'Block Storage' ELSE s.ServiceSubcategory END
            AS known_subcategory
    FROM raw
    LEFT JOIN ref_aws_services AS s ON s.ProductCode = raw.x_ServiceCode
),
-- include: _focus.sql
