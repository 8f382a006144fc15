#!/usr/bin/env bash
# A smaller installation does what it is for: `.ci/installs.sh --omit=optional` or `--omit=dev` installs this checkout from
# the lock file into a directory of its own, without a warning, and has a system started, fed, audited and stopped there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
directory="$(mktemp -d)"
# As root the servers run as another user, who has to get through.
chmod 711 "$directory"
export LAB_HOME="$directory/home"
trap 'cd "$directory/lab" && npx lab down --all; rm -rf "$directory"' EXIT
mkdir "$directory/lab"
git ls-files -z | tar --create --null --files-from=- | tar --extract --directory="$directory/lab"
cd "$directory/lab"

# What `npm ci` fetched a moment ago is in npm's cache.
npm ci --prefer-offline --no-progress "$@" 2>"$directory/complaints"
if grep -i warn "$directory/complaints"; then
  printf 'npm ci %s warns\n' "$*"
  exit 1
fi
npx lab up plain --detach
npx lab send --count 200
npx lab audit
printf 'npm ci %s: %s MB\n' "$*" "$(du -sm node_modules | cut -f1)"
