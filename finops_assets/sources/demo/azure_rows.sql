-- Azure: the rows of one export file, days `part_first` to `part_last`, of view `view` ('actual' or
-- 'amortized'). `overstated` multiplies what storage used: 1 but in the run that is restated later.
-- Source of the columns: Microsoft Learn, "Enterprise Agreement cost and usage details file schema".
WITH usage AS (
    SELECT
        c.day,
        c.slot,
        c.resource,
        'Usage' AS charge_type,
        'UsageBased' AS frequency,
        CASE WHEN r.slot IS NOT NULL THEN 'Reservation'
            WHEN m.meter_name LIKE '% Spot' THEN 'Spot' ELSE 'OnDemand' END AS pricing_model,
        c.quantity,
        CASE
            WHEN r.slot IS NULL THEN m.price
            WHEN getvariable('view') = 'amortized' THEN r.rate
            ELSE 0
        END AS effective_price,
        CAST(c.quantity * (
            CASE
                WHEN r.slot IS NULL THEN m.price
                WHEN getvariable('view') = 'amortized' THEN r.rate
                ELSE 0
            END
        ) AS DECIMAL(18, 8)) AS cost,
        m.product,
        r.reservation_id,
        r.name AS reservation_name,
        r.order_id,
        r.order_name,
        r.term,
        m.consumed_service,
        m.unit
    FROM (
        SELECT * REPLACE (
            CASE WHEN slot IN (SELECT slot FROM meters WHERE meter_category = 'Storage')
                THEN CAST(quantity * CAST(getvariable('overstated') AS DECIMAL(4, 2)) AS DECIMAL(20, 6))
                ELSE quantity END AS quantity
        )
        FROM charges WHERE day BETWEEN getvariable('part_first') AND getvariable('part_last')
    ) AS c
    JOIN meters AS m USING (slot)
    LEFT JOIN reserved AS r ON r.slot = c.slot AND r.start_day <= getvariable('month_first')
),
lines AS (
    SELECT * FROM usage
    UNION ALL BY NAME
    SELECT * FROM extras
    WHERE day BETWEEN getvariable('part_first') AND getvariable('part_last')
        AND coalesce(view, getvariable('view')) = getvariable('view')
)
SELECT
    coalesce(m.section, 'Corporate') AS InvoiceSectionName,
    'Northwind Cloud Services' AS AccountName,
    'cloud-admin@northwind.example' AS AccountOwnerId,
    CASE WHEN l.charge_type = 'Purchase' AND l.publisher_type IS NULL
        THEN '00000000-0000-0000-0000-000000000000'
        ELSE coalesce(m.subscription_id, d.id) END AS SubscriptionId,
    CASE WHEN l.charge_type = 'Purchase' AND l.publisher_type IS NULL THEN NULL
        ELSE coalesce(m.subscription_name, d.name) END AS SubscriptionName,
    r.resource_group AS ResourceGroup,
    CASE WHEN l.charge_type <> 'Purchase' THEN m.region END AS ResourceLocation,
    strftime(l.day, '%m/%d/%Y') AS "Date",
    l.product AS ProductName,
    coalesce(m.meter_category, l.refund_category, 'Unassigned') AS MeterCategory,
    m.meter_subcategory AS MeterSubCategory,
    coalesce(m.meter_id, CASE WHEN l.charge_type = 'Purchase' THEN guid('meter', l.product) END) AS MeterId,
    m.meter_name AS MeterName,
    m.meter_region AS MeterRegion,
    l.unit AS UnitOfMeasure,
    l.quantity AS Quantity,
    l.effective_price AS EffectivePrice,
    l.cost AS CostInBillingCurrency,
    r.cost_center AS CostCenter,
    l.consumed_service AS ConsumedService,
    r.resource_id AS ResourceId,
    nullif(r.tags, '') AS Tags,
    'MS-AZR-0017P' AS OfferId,
    r.additional_info AS AdditionalInfo,
    string_split(r.resource_id, '/')[-1] AS ResourceName,
    CASE WHEN l.reservation_id IS NOT NULL THEN
        '/providers/Microsoft.Capacity/reservationOrders/' || l.order_id || '/reservations/' || l.reservation_id
    END AS ReservationId,
    l.reservation_name AS ReservationName,
    CASE WHEN l.charge_type = 'Usage' THEN m.price WHEN l.charge_type = 'Purchase' THEN l.effective_price
        ELSE 0 END AS UnitPrice,
    l.order_id AS ProductOrderId,
    l.order_name AS ProductOrderName,
    l.term AS Term,
    coalesce(l.publisher_type, 'Azure') AS PublisherType,
    coalesce(l.publisher_name, 'Microsoft') AS PublisherName,
    l.charge_type AS ChargeType,
    l.frequency AS Frequency,
    l.pricing_model AS PricingModel,
    '86421357' AS BillingAccountId,
    'Northwind Group' AS BillingAccountName,
    'EUR' AS BillingCurrencyCode,
    strftime(getvariable('month_first'), '%m/%d/%Y') AS BillingPeriodStartDate,
    strftime(last_day(getvariable('month_first')), '%m/%d/%Y') AS BillingPeriodEndDate,
    '86421357' AS BillingProfileId,
    'Northwind Group' AS BillingProfileName,
    CASE WHEN l.publisher_type IS NULL THEN 'True' ELSE 'False' END AS IsAzureCreditEligible,
    m.part_number AS PartNumber,
    CASE WHEN l.charge_type = 'Usage' THEN m.payg_price ELSE 0 END AS PayGPrice,
    l.plan_name AS PlanName,
    m.service_family AS ServiceFamily,
    CASE WHEN l.reservation_id IS NOT NULL THEN
        '/providers/Microsoft.Capacity/reservationOrders/' || l.order_id || '/reservations/' || l.reservation_id
    END AS benefitId,
    l.reservation_name AS benefitName
FROM lines AS l
LEFT JOIN meters AS m ON m.slot = l.slot
LEFT JOIN named_resources AS r ON r.resource = l.resource
CROSS JOIN (SELECT id, name FROM accounts WHERE account = 'analytics') AS d
