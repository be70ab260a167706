#!/bin/sh
# Removes the role assignments that the first templates created for the app's identity, before a deployment creates the
# same ones under other names: Azure refuses to assign a role twice (RoleAssignmentExists). Without such assignments it
# changes nothing.
#   usage: infra/rename_roles.sh   with AZURE_ENV_NAME, or SPARKLIN_RESOURCE_GROUP_NAME
set -eu
group=${SPARKLIN_RESOURCE_GROUP_NAME:-rg-${AZURE_ENV_NAME:?}}

if [ "$(az group exists --name "$group" --output tsv)" != true ]; then
    exit 0
fi
for principal in $(az identity list --resource-group "$group" --query '[].principalId' --output tsv); do
    # The names were guid(scope, principalId, role), which Azure defines as a UUID of version 5 in this namespace.
    az role assignment list --assignee "$principal" --all --output json | python3 -c '
import json, sys, uuid
azure = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
for each in json.load(sys.stdin):
    role = each["roleDefinitionId"].rpartition("/")[2]
    scope = each["scope"].replace("/resourcegroups/", "/resourceGroups/")
    if each["name"] == str(uuid.uuid5(azure, "-".join((scope, sys.argv[1], role)))):
        print(each["id"])' "$principal" | while read -r id; do
        echo "removing a role assignment of an earlier template: $id" >&2
        az role assignment delete --ids "$id"
    done
done
