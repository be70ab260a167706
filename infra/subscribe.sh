#!/bin/sh
# Lets Event Grid tell the app of stored events; may be run again. Comes after the code, which makes the key for it.
# AZURE_RESOURCE_GROUP, FUNCTION_APP_NAME, STORAGE_ACCOUNT_NAME and EVENT_DELIVERY are outputs of main.bicep.
set -eu
cd "$(dirname "$0")/.."
: "${AZURE_RESOURCE_GROUP:?}" "${FUNCTION_APP_NAME:?}" "${STORAGE_ACCOUNT_NAME:?}"

if [ "${EVENT_DELIVERY:-EventGrid}" = timer ]; then
    echo 'Event Grid cannot reach a private receiver: the timer finds events, up to 15 minutes later.' >&2
    exit 0
fi

# Only the key's length: the key itself goes from Azure to Azure.
has_key() {
    length=$(az functionapp keys list --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" \
        --query "length(systemKeys.blobs_extension || '')" --output tsv 2>/dev/null) || return 1
    [ "${length:-0}" -gt 0 ] 2>/dev/null
}

attempts=60
until has_key; do
    attempts=$((attempts - 1))
    if [ "$attempts" -eq 0 ]; then
        echo "$FUNCTION_APP_NAME has no key blobs_extension: its code has not started. Look into its log, then run $0 again." >&2
        exit 1
    fi
    sleep "${SUBSCRIBE_PAUSE_SECONDS:-10}"
done

az deployment group create --name sparklin-events --resource-group "$AZURE_RESOURCE_GROUP" \
    --template-file infra/events.bicep \
    --parameters "functionAppName=$FUNCTION_APP_NAME" "storageAccountName=$STORAGE_ACCOUNT_NAME" --output none
echo 'Event Grid tells the app of stored events.' >&2
