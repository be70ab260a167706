#!/bin/sh
# Prints the outputs of the last deployment as `azd env get-values` does, for commands and scripts.
#   usage: set -a; eval "$(infra/outputs.sh ENVIRONMENT)"; set +a
set -eu
environment=${1:?the name of the environment, as for infra/deploy.sh}
here=$(cd "$(dirname "$0")" && pwd)

# Azure may return the names of outputs in another case.
outputs=$(az deployment sub show --name "sparklin-$environment" --query properties.outputs --output json)
printf '%s' "$outputs" | python3 -c '
import json, re, shlex, sys
found = {name.lower(): output["value"] for name, output in json.load(sys.stdin).items()}
for name in re.findall(r"^output (\w+) ", open(sys.argv[1]).read(), re.MULTILINE):
    if name.lower() in found:
        print(f"{name}={shlex.quote(str(found[name.lower()]))}")' "$here/main.bicep"
