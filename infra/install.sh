#!/bin/sh
# The steps after a deployment of main.bicep or azuredeploy.json: the role in Purview, the code, Event Grid.
#   usage: infra/install.sh DEPLOYMENT   the name of the deployment, at the subscription
set -eu
deployment=${1:?the name of the deployment}
here=$(cd "$(dirname "$0")" && pwd)

# Azure may return the names of outputs in another case.
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

# Runs a command for at most a number of seconds; 124 if it was stopped.
within() {
    python3 -c '
import os, signal, subprocess, sys
process = subprocess.Popen(sys.argv[2:], start_new_session=True)
try:
    sys.exit(process.wait(float(sys.argv[1])))
except subprocess.TimeoutExpired:
    sys.exit(124)
finally:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()' "$@"
}

# First, because without the role events that arrive could not be shown.
if ! "$here/grant.sh"; then
    echo "The app has no role in Purview yet. Have somebody give it the role as described above, then run:" >&2
    echo "  PURVIEW_GRANT=done infra/install.sh $deployment" >&2
    exit 1
fi

package=$(mktemp -d)
trap 'rm -r "$package"' EXIT
"$here/package.sh" "$package/app.zip"
limit=${DEPLOY_LIMIT_SECONDS:-1200}
code=0
within "$limit" az functionapp deployment source config-zip --resource-group "$AZURE_RESOURCE_GROUP" \
    --name "$FUNCTION_APP_NAME" --src "$package/app.zip" --build-remote true --output none || code=$?
if [ "$code" -eq 124 ]; then
    # Before mid-2026 az waits without end for an app that access rules hide from it (azure-cli issues 30870, 31394).
    echo "az did not end within $limit s; an app that this machine may not reach is deployed nevertheless. Continuing." >&2
elif [ "$code" -ne 0 ]; then
    exit "$code"
fi

"$here/subscribe.sh"
echo "Sparklin is deployed; the receiver: $(output SPARKLIN_RECEIVER)" >&2
