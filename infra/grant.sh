#!/bin/sh
# Gives the app's identity its role in Purview: Data Curator on the root collection, or on PURVIEW_GRANT_COLLECTION.
# PURVIEW_ENDPOINT and IDENTITY_PRINCIPAL_ID are outputs of main.bicep.
set -eu
cd "$(dirname "$0")/.."
: "${PURVIEW_ENDPOINT:?}" "${IDENTITY_PRINCIPAL_ID:?}"

make --no-print-directory ready
exec .venv/bin/sparklin grant "$IDENTITY_PRINCIPAL_ID" ${PURVIEW_GRANT_COLLECTION:+--collection "$PURVIEW_GRANT_COLLECTION"}
