-- Rates as the European Central Bank publishes them (a row a day, a column a currency) → a row a rate.
-- Parameters: the CSV file, where it came from.
SELECT
    CASE WHEN TRY_CAST("Date" AS DATE) IS NULL
        THEN error('exchange rates: column Date: expected a day such as 2026-01-31, found '''
            || coalesce("Date", '') || '''')
        ELSE CAST("Date" AS DATE) END AS rate_day,
    currency,
    CASE WHEN coalesce(TRY_CAST(rate AS DECIMAL(18, 8)), 0) <= 0
        THEN error('exchange rates: ' || "Date" || ', column ' || currency
            || ': expected a positive decimal number, found ''' || rate || '''')
        ELSE CAST(rate AS DECIMAL(18, 8)) END AS rate,
    CAST($2 AS VARCHAR) AS rate_source
FROM (
    UNPIVOT (FROM read_csv($1, header = true, all_varchar = true, nullstr = ['', 'N/A'], null_padding = true))
    ON COLUMNS(* EXCLUDE ("Date")) INTO NAME currency VALUE rate
)
