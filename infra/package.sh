#!/bin/sh
# Packs the committed files of the app, without those in .funcignore: infra/package.sh app.zip
# With SPARKLIN_PACKAGE, a released package is used instead, if its checksum is that in SHA256SUMS beside it.
set -eu
package=${1:?where to write the package}
if [ -z "${SPARKLIN_PACKAGE:-}" ]; then
    exec python3 "$(dirname "$0")/../scripts/app_package.py" "$package"
fi
python3 - "$SPARKLIN_PACKAGE" "$package" <<'END'
import hashlib, pathlib, sys
released, target = map(pathlib.Path, sys.argv[1:])
content = released.read_bytes()
sums = released.with_name("SHA256SUMS")
listed = dict(reversed(line.split()) for line in sums.read_text().splitlines()) if sums.exists() else {}
if listed.get(released.name) != hashlib.sha256(content).hexdigest():
    sys.exit(f"{released} has not the checksum in {sums}: get the package and SHA256SUMS of one release")
target.write_bytes(content)
END
