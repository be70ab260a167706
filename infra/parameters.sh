#!/bin/sh
# Prints the parameters of the last deployment as words for infra/deploy.sh, for an update that changes none of them.
#   usage: infra/parameters.sh ENVIRONMENT
set -eu
environment=${1:?the name of the environment, as for infra/deploy.sh}
here=$(cd "$(dirname "$0")" && pwd)

parameters=$(az deployment sub show --name "sparklin-$environment" --query properties.parameters --output json)
printf '%s' "$parameters" | python3 -c '
import json, re, shlex, sys
given = {name.lower(): found.get("value") for name, found in json.load(sys.stdin).items()}
for name in re.findall(r"^param (\w+) = .*\x27SPARKLIN_", open(sys.argv[1]).read(), re.MULTILINE):
    value = given.get(name.lower())
    if value is not None:
        print(shlex.quote(f"{name}={value if isinstance(value, str) else json.dumps(value)}"))' "$here/main.bicepparam"
