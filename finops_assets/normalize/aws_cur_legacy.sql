-- AWS Cost and Usage Report (legacy) → FOCUS 1.4: renames it to CUR 2.0's columns, then goes CUR 2.0's way.
-- Source: AWS Data Exports user guide, "Cost and Usage Report (Legacy CUR)" data dictionary, and its
-- Athena layout, which writes lineItem/UnblendedCost as line_item_unblended_cost and product/ProductName
-- as product_product_name. It has no account names.
WITH cur AS NOT MATERIALIZED (
    SELECT
        "bill/InvoiceId" AS bill_invoice_id,
        "bill/InvoicingEntity" AS bill_invoicing_entity,
        "bill/BillingEntity" AS bill_billing_entity,
        "bill/PayerAccountId" AS bill_payer_account_id,
        "bill/BillingPeriodStartDate" AS bill_billing_period_start_date,
        "bill/BillingPeriodEndDate" AS bill_billing_period_end_date,
        "lineItem/UsageAccountId" AS line_item_usage_account_id,
        "lineItem/LineItemType" AS line_item_line_item_type,
        "lineItem/UsageStartDate" AS line_item_usage_start_date,
        "lineItem/UsageEndDate" AS line_item_usage_end_date,
        "lineItem/ProductCode" AS line_item_product_code,
        "lineItem/UsageType" AS line_item_usage_type,
        "lineItem/Operation" AS line_item_operation,
        "lineItem/AvailabilityZone" AS line_item_availability_zone,
        "lineItem/ResourceId" AS line_item_resource_id,
        "lineItem/UsageAmount" AS line_item_usage_amount,
        "lineItem/NormalizedUsageAmount" AS line_item_normalized_usage_amount,
        "lineItem/CurrencyCode" AS line_item_currency_code,
        "lineItem/UnblendedRate" AS line_item_unblended_rate,
        "lineItem/UnblendedCost" AS line_item_unblended_cost,
        "lineItem/LineItemDescription" AS line_item_line_item_description,
        "lineItem/LegalEntity" AS line_item_legal_entity,
        "pricing/RateCode" AS pricing_rate_code,
        "pricing/currency" AS pricing_currency,
        "pricing/publicOnDemandCost" AS pricing_public_on_demand_cost,
        "pricing/publicOnDemandRate" AS pricing_public_on_demand_rate,
        "pricing/term" AS pricing_term,
        "pricing/unit" AS pricing_unit,
        "reservation/EffectiveCost" AS reservation_effective_cost,
        "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod"
            AS reservation_unused_amortized_upfront_fee_for_billing_period,
        "reservation/UnusedRecurringFee" AS reservation_unused_recurring_fee,
        "reservation/UnusedQuantity" AS reservation_unused_quantity,
        "reservation/UnusedNormalizedUnitQuantity" AS reservation_unused_normalized_unit_quantity,
        "reservation/TotalReservedUnits" AS reservation_total_reserved_units,
        "reservation/TotalReservedNormalizedUnits" AS reservation_total_reserved_normalized_units,
        "savingsPlan/SavingsPlanEffectiveCost" AS savings_plan_savings_plan_effective_cost,
        "savingsPlan/TotalCommitmentToDate" AS savings_plan_total_commitment_to_date,
        "savingsPlan/UsedCommitment" AS savings_plan_used_commitment,
        nullif("savingsPlan/SavingsPlanARN", '') AS plan_id,
        nullif(coalesce(nullif("reservation/ReservationARN", ''), "reservation/SubscriptionId"), '')
            AS reservation_id,
        NULL::VARCHAR AS payer_name,
        NULL::VARCHAR AS account_name,
        coalesce(product->>'ProductName', product_underscored->>'product_name') AS product_name,
        coalesce(product->>'productFamily', product_underscored->>'product_family') AS product_family,
        coalesce(
            product->>'region', product->>'regionCode',
            product_underscored->>'region', product_underscored->>'region_code'
        ) AS stated_region,
        coalesce(product->>'location', product_underscored->>'location') AS location_name,
        coalesce(product->>'sku', product_underscored->>'sku') AS sku,
        coalesce(product->>'instanceType', product_underscored->>'instance_type') AS instance_type,
        coalesce(product->>'operatingSystem', product_underscored->>'operating_system') AS operating_system,
        NULL::VARCHAR AS capacity_id,
        NULL::VARCHAR AS capacity_status,
        coalesce(resource_tags, resource_tags_underscored) AS resource_tags,
        x_BillId, x_File, x_RowNumber
    FROM raw
),
-- include: _aws_cur.sql
