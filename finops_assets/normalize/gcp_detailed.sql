-- Google Cloud detailed usage cost export → FOCUS 1.4.
WITH export AS (SELECT * FROM raw),
-- include: _gcp_usage_cost.sql
