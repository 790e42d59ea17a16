#!/usr/bin/env bash
# Lets an identity read one billing export table and run queries in one project, and nothing else.
set -euo pipefail
: "${MEMBER:?such as serviceAccount:finops@my-project.iam.gserviceaccount.com}"
: "${TABLE:?such as my-project:billing.gcp_billing_export_resource_v1_012345_6789AB_CDEF01}"
: "${JOB_PROJECT:?the project that queries are billed to}"
bq add-iam-policy-binding --table=true \
  --member="$MEMBER" --role=roles/bigquery.dataViewer "$TABLE"
gcloud projects add-iam-policy-binding "$JOB_PROJECT" \
  --member="$MEMBER" --role=roles/bigquery.jobUser
