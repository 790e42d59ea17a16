-- Azure cost details, amortized cost → FOCUS 1.4. What the two Azure bills share is in the included file.
WITH this_bill AS (SELECT false AS is_actual),
-- include: _azure_details.sql
