-- AWS Cost and Usage Report 2.0 → the terms of its savings plans and reservations.
WITH terms AS NOT MATERIALIZED (
    SELECT
        nullif(savings_plan_savings_plan_a_r_n, '') AS plan_id,
        savings_plan_start_time AS plan_start,
        savings_plan_end_time AS plan_end,
        savings_plan_payment_option AS plan_payment,
        nullif(coalesce(nullif(reservation_reservation_a_r_n, ''), reservation_subscription_id), '')
            AS reservation_id,
        reservation_start_time AS reservation_start,
        reservation_end_time AS reservation_end,
        pricing_purchase_option AS purchase_option
    FROM raw
)
-- include: _aws_commitments.sql
