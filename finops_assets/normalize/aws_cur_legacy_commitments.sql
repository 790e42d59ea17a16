-- AWS Cost and Usage Report (legacy) → the terms of its savings plans and reservations.
WITH terms AS NOT MATERIALIZED (
    SELECT
        nullif("savingsPlan/SavingsPlanARN", '') AS plan_id,
        "savingsPlan/StartTime" AS plan_start,
        "savingsPlan/EndTime" AS plan_end,
        "savingsPlan/PaymentOption" AS plan_payment,
        nullif(coalesce(nullif("reservation/ReservationARN", ''), "reservation/SubscriptionId"), '')
            AS reservation_id,
        "reservation/StartTime" AS reservation_start,
        "reservation/EndTime" AS reservation_end,
        "pricing/PurchaseOption" AS purchase_option
    FROM raw
)
-- include: _aws_commitments.sql
