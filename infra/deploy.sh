#!/bin/sh
# Deploys Sparklin with `az` alone, or updates it: infrastructure, role in Purview, code, Event Grid.
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
export AZURE_ENV_NAME="$1" AZURE_LOCATION="$2" PURVIEW_ACCOUNT_NAME="$3"
shift 3

# main.bicepparam reads allowedAddresses from SPARKLIN_ALLOWED_ADDRESSES, and so on: the compiler checks the value.
for given in "$@"; do
    name=${given%%=*}
    variable=SPARKLIN_$(printf %s "$name" | sed 's/\([A-Z]\)/_\1/g' | tr '[:lower:]' '[:upper:]')
    if [ "$name" = "$given" ] || ! grep -q "^param $name = .*'$variable'" "$here/main.bicepparam"; then
        echo "$given is no NAME=VALUE of a parameter in infra/main.bicepparam" >&2
        exit 2
    fi
    export "$variable=${given#*=}"
done
if [ "${SPARKLIN_NETWORK:-none}" = private ]; then
    echo 'network=private: the code can be deployed from a machine inside the network only, once the network exists.' >&2
fi

"$here/rename_roles.sh"
deployment="sparklin-$AZURE_ENV_NAME"
az deployment sub create --name "$deployment" --location "$AZURE_LOCATION" --parameters "$here/main.bicepparam" \
    --output none
exec "$here/install.sh" "$deployment"
