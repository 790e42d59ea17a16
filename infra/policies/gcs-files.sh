#!/usr/bin/env bash
# Lets an identity list and read one bucket of bills, and nothing else.
set -euo pipefail
: "${MEMBER:?such as serviceAccount:finops@my-project.iam.gserviceaccount.com}"
: "${BUCKET:?the bucket that the bills lie in}"
gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" \
  --member="$MEMBER" --role=roles/storage.objectViewer
