-- A FOCUS file of version 1.0 to 1.4, whoever wrote it → FOCUS 1.4.
WITH delivered AS NOT MATERIALIZED (
    SELECT *, NULL::VARCHAR AS known_category, NULL::VARCHAR AS known_subcategory FROM raw
),
-- include: _focus.sql
