-- forecast_record, forecast_accuracy → where forecasts since a day turned out worse than their backtest promised.
--
-- Of what people plan by: the total and each provider. Five makings have to have come, so that one odd week is
-- no drift; worse is half as much again as promised, and two points more.
--
-- Reads: forecast_record, forecast_accuracy. Bound: the day since which makings count.
SELECT
    r.level, r.metric, r.BillingCurrency, r.horizon,
    count(*) AS makings,
    avg(r.wape) AS wape,
    any_value(a.wape) AS promised
FROM forecast_record AS r
JOIN forecast_accuracy AS a
    ON a.is_champion
    AND a.level = r.level
    AND a.metric = r.metric
    AND a.BillingCurrency = r.BillingCurrency
    AND a.horizon = r.horizon
WHERE r.model IS NULL
    AND r.made_on >= ?
    AND r.level IN ('total', 'provider')
    AND r.horizon IN ('7d', '30d')
GROUP BY r.level, r.metric, r.BillingCurrency, r.horizon
HAVING count(*) >= 5 AND avg(r.wape) > 1.5 * any_value(a.wape) + 0.02
ORDER BY avg(r.wape) - any_value(a.wape) DESC, r.level, r.metric, r.BillingCurrency, r.horizon
