#!/usr/bin/env bash
# Lets an identity read one dataset of billing exports and pay for its queries, and nothing else.
set -euo pipefail
: "${MEMBER:?such as serviceAccount:finops@my-project.iam.gserviceaccount.com}"
: "${DATASET:?my-project:billing, where the export is delivered}"
: "${JOB_PROJECT:?the project that pays for the queries}"
bq add-iam-policy-binding --member="$MEMBER" --role=roles/bigquery.dataViewer "$DATASET"
gcloud projects add-iam-policy-binding "$JOB_PROJECT" --member="$MEMBER" --role=roles/bigquery.jobUser
