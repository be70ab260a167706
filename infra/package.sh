#!/bin/sh
# Packs the committed files of the app, those that .funcignore leaves: infra/package.sh app.zip
set -eu
package=${1:?where to write the package}
cd "$(dirname "$0")/.."

lists=$(mktemp -d)
trap 'rm -r "$lists"' EXIT
git ls-tree -r --name-only HEAD | LC_ALL=C sort >"$lists/all"
git ls-files --cached --ignored --exclude-from=.funcignore | LC_ALL=C sort >"$lists/ignored"
# No name of the app's files has a blank in it.
LC_ALL=C comm -23 "$lists/all" "$lists/ignored" | xargs git archive --format=zip --output "$package" HEAD --
