#!/usr/bin/env bash
# Lets an identity read one container of exports, and nothing else.
set -euo pipefail
: "${PRINCIPAL_ID:?the object id of the identity that the platform runs as}"
: "${STORAGE_ACCOUNT_ID:?the storage account's resource id}"
: "${CONTAINER:?the container that the export is delivered to}"
az role assignment create \
  --assignee-object-id "$PRINCIPAL_ID" \
  --role "Storage Blob Data Reader" \
  --scope "$STORAGE_ACCOUNT_ID/blobServices/default/containers/$CONTAINER"
