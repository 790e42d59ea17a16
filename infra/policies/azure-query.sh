#!/usr/bin/env bash
# Lets an identity ask the Cost Management Query API about one scope, and nothing else.
set -euo pipefail
: "${PRINCIPAL_ID:?the object id of the identity that the platform runs as}"
: "${SCOPE:?such as /subscriptions/<id>}"
az role assignment create \
  --assignee-object-id "$PRINCIPAL_ID" \
  --role "Cost Management Reader" \
  --scope "$SCOPE"
