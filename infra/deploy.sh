#!/bin/sh
# Deploys Sparklin with `az` alone, or updates it: infra, code, role in Purview, Event Grid.
#   usage: infra/deploy.sh ENVIRONMENT LOCATION PURVIEW_ACCOUNT [NAME=VALUE …]   further parameters of main.bicep
set -eu
if [ "$#" -lt 3 ]; then
    sed -n '2,3s/^# *//p' "$0" >&2
    exit 2
fi
if ! command -v az >/dev/null; then
    echo "az is not installed: see 'What you need' in docs/deployment.md" >&2
    exit 1
fi
here=$(cd "$(dirname "$0")" && pwd)
environment=$1 location=$2 purview=$3
shift 3
deployment="sparklin-$environment"

az deployment sub create --name "$deployment" --location "$location" --template-file "$here/main.bicep" \
    --parameters "environmentName=$environment" "location=$location" "purviewAccountName=$purview" "$@" --output none

# Azure may give the names of outputs back in another case.
outputs=$(az deployment sub show --name "$deployment" --query properties.outputs --output json)
output() {
    printf '%s' "$outputs" | python3 -c '
import json, sys
print({name.upper(): found["value"] for name, found in json.load(sys.stdin).items()}[sys.argv[1]])' "$1"
}
for name in AZURE_RESOURCE_GROUP FUNCTION_APP_NAME STORAGE_ACCOUNT_NAME IDENTITY_PRINCIPAL_ID EVENT_DELIVERY PURVIEW_ENDPOINT; do
    value=$(output "$name")
    export "$name=$value"
done

package=$(mktemp -d)
trap 'rm -r "$package"' EXIT
"$here/package.sh" "$package/app.zip"
az functionapp deployment source config-zip --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" \
    --src "$package/app.zip" --build-remote true --output none

"$here/subscribe.sh"
"$here/grant.sh" || echo "The app still needs its role in Purview: see above, then run infra/grant.sh." >&2
echo "Sparklin is deployed; the receiver: $(output SPARKLIN_RECEIVER)" >&2
