#!/bin/sh
# Makes Event Grid notify the app of stored events. Safe to repeat; run it again when the key blobs_extension changes.
# Run it after the code is deployed, which creates that key.
# AZURE_RESOURCE_GROUP, FUNCTION_APP_NAME, STORAGE_ACCOUNT_NAME and EVENT_DELIVERY are outputs of main.bicep.
set -eu
cd "$(dirname "$0")/.."
: "${AZURE_RESOURCE_GROUP:?}" "${FUNCTION_APP_NAME:?}" "${STORAGE_ACCOUNT_NAME:?}"

if [ "${EVENT_DELIVERY:-EventGrid}" = timer ]; then
    echo 'Event Grid cannot reach a private receiver: it puts events on its queue itself.' >&2
    exit 0
fi

# Reads only the key's length: the key itself does not leave Azure.
has_key() {
    length=$(az functionapp keys list --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" \
        --query "length(systemKeys.blobs_extension || '')" --output tsv 2>/dev/null) || return 1
    [ "${length:-0}" -gt 0 ] 2>/dev/null
}

subscribe() {
    az deployment group create --name sparklin-events --resource-group "$AZURE_RESOURCE_GROUP" \
        --template-file infra/events.bicep \
        --parameters "functionAppName=$FUNCTION_APP_NAME" "storageAccountName=$STORAGE_ACCOUNT_NAME" --output none
}

# Runs a function up to a number of times, with pauses, until it succeeds.
repeat() {
    attempts=$1
    until "$2"; do
        attempts=$((attempts - 1))
        [ "$attempts" -gt 0 ] || return 1
        sleep "${SUBSCRIBE_PAUSE_SECONDS:-10}"
    done
}

if ! repeat 60 has_key; then
    echo "$FUNCTION_APP_NAME has no key blobs_extension: its code has not started. Look at its log, then run $0 again." >&2
    exit 1
fi
# Event Grid asks the app at once whether it wants the events; an app that is just starting may answer too late.
if ! repeat 6 subscribe; then
    echo "Event Grid did not accept the subscription: see the error above, then run $0 again." >&2
    exit 1
fi
echo 'Event Grid notifies the app of stored events.' >&2
