-- costs → FOCUS 1.4 Contract Commitment: a row a commitment that a charge of the bill buys, uses or leaves
-- unused, and one that a charge names in ContractApplied.
--
-- Reads: costs, commitment_terms (from when to when and how it is paid, where the format tells).
WITH applied AS (
    SELECT
        c.* EXCLUDE (ContractApplied),
        json_extract_string(e.element, '$.ContractCommitmentId') AS commitment_id,
        json_extract_string(e.element, '$.ContractId') AS contract_id
    FROM (SELECT * FROM costs WHERE ContractApplied IS NOT NULL) AS c,
        unnest(CASE
            WHEN json_valid(c.ContractApplied) THEN json_extract(c.ContractApplied, '$.Elements[*]')
        END) AS e (element)
),
named AS (
    SELECT
        * EXCLUDE (ContractApplied), CommitmentDiscountId AS commitment_id, NULL AS contract_id, true AS is_own
    FROM costs
    WHERE CommitmentDiscountId IS NOT NULL
    UNION ALL BY NAME
    SELECT *, commitment_id IS DISTINCT FROM CommitmentDiscountId AS is_own
    FROM applied
    WHERE commitment_id IS NOT NULL
),
known AS (
    SELECT
        commitment_id,
        InvoiceIssuerName,
        ServiceProviderName,
        BillingCurrency,
        max(contract_id) AS contract_id,
        -- Of a commitment discount its own row tells; a charge that another contract was applied to does not.
        max(CommitmentDiscountCategory) FILTER (CommitmentDiscountId = commitment_id) AS category,
        max(CommitmentDiscountType) FILTER (CommitmentDiscountId = commitment_id) AS type,
        max(CommitmentDiscountName) FILTER (CommitmentDiscountId = commitment_id) AS name,
        max(CommitmentDiscountUnit) FILTER (CommitmentDiscountId = commitment_id) AS unit,
        bool_or(coalesce(CommitmentDiscountId = commitment_id, false)) AS is_discount,
        max(BillingPeriodEnd) AS month_end,
        -- A row that names its own discount again counts once.
        count(*) FILTER (is_own) AS row_count
    FROM named
    GROUP BY ALL
)
SELECT
    k.commitment_id AS ContractCommitmentId,
    k.contract_id AS ContractId,
    k.InvoiceIssuerName,
    k.ServiceProviderName,
    k.BillingCurrency,
    k.category AS ContractCommitmentCategory,
    k.type AS ContractCommitmentType,
    k.name AS ContractCommitmentDescription,
    k.unit AS ContractCommitmentUnit,
    CASE WHEN k.is_discount THEN 'Discount' END AS ContractCommitmentBenefitCategory,
    t.PeriodStart AS ContractCommitmentPeriodStart,
    t.PeriodEnd AS ContractCommitmentPeriodEnd,
    t.PaymentModel AS ContractCommitmentPaymentModel,
    t.FulfillmentInterval AS ContractCommitmentFulfillmentInterval,
    CASE t.PaymentModel WHEN 'All Upfront' THEN 'One-Time' WHEN 'No Upfront' THEN 'Monthly' END
        AS ContractCommitmentPaymentInterval,
    CASE
        WHEN t.PeriodEnd < k.month_end THEN 'Expired'
        WHEN t.PeriodStart < k.month_end THEN 'Active'
    END AS ContractCommitmentLifecycleStatus,
    k.row_count AS x_RowCount,
    nullif(concat_ws(
        ',',
        CASE WHEN k.is_discount THEN 'ContractCommitmentBenefitCategory' END,
        CASE WHEN t.FulfillmentInterval IS NOT NULL THEN 'ContractCommitmentFulfillmentInterval' END,
        CASE WHEN ContractCommitmentLifecycleStatus IS NOT NULL THEN 'ContractCommitmentLifecycleStatus' END,
        CASE WHEN ContractCommitmentPaymentInterval IS NOT NULL THEN 'ContractCommitmentPaymentInterval' END
    ), '') AS x_Inferred
FROM known AS k
LEFT JOIN commitment_terms AS t ON t.CommitmentDiscountId = k.commitment_id
