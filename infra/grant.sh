#!/bin/sh
# Gives the app's identity its role in Purview: Data Curator on the root collection, or on PURVIEW_GRANT_COLLECTION.
# PURVIEW_ENDPOINT and IDENTITY_PRINCIPAL_ID are outputs of main.bicep. PURVIEW_GRANT=done: it is assigned already.
set -eu
cd "$(dirname "$0")/.."
if [ "${PURVIEW_GRANT:-}" = done ]; then
    exit 0
fi
: "${PURVIEW_ENDPOINT:?}" "${IDENTITY_PRINCIPAL_ID:?}"

# A released package has neither Makefile nor .venv: it uses the installed command.
sparklin=sparklin
if [ -f Makefile ]; then
    make --no-print-directory ready
    sparklin=.venv/bin/sparklin
fi
if ! "$sparklin" grant "$IDENTITY_PRINCIPAL_ID" ${PURVIEW_GRANT_COLLECTION:+--collection "$PURVIEW_GRANT_COLLECTION"}; then
    echo "A Collection Admin in Purview can run: sparklin grant $IDENTITY_PRINCIPAL_ID" >&2
    exit 1
fi
