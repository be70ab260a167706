#!/bin/sh
# Stores the secret of the service principal, read from standard input, and makes the app use it at once.
#   usage: infra/secret.sh <secret.txt
# AZURE_RESOURCE_GROUP, FUNCTION_APP_NAME and VAULT_NAME are outputs of main.bicep.
set -eu
: "${AZURE_RESOURCE_GROUP:?}" "${FUNCTION_APP_NAME:?}" "${VAULT_NAME:?}"

umask 077
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
# Removes the line break at the end of a file, which would be part of the secret.
printf %s "$(cat)" >"$folder/secret"
if [ ! -s "$folder/secret" ]; then
    echo 'Standard input has no secret.' >&2
    exit 2
fi
az keyvault secret set --vault-name "$VAULT_NAME" --name purview-client-secret --file "$folder/secret" \
    --encoding utf-8 --output none

# The app keeps the value of a reference for up to a day, and reads it again when its settings change or on
# this request.
app=$(az functionapp show --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" --query id --output tsv)
az rest --method post --url "$app/config/configreferences/appsettings/refresh?api-version=2022-03-01" --output none
echo 'The secret is stored, and the app reads it again.' >&2
