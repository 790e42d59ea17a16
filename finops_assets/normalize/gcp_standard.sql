-- Google Cloud standard usage cost export → FOCUS 1.4: the detailed one without resources.
WITH export AS (SELECT *, NULL::VARCHAR AS resource FROM raw),
-- include: _gcp_usage_cost.sql
