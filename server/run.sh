#!/bin/sh
# Installs what is missing, builds the release preset and serves an app:
#
#   sh server/run.sh [APP.lua] [OPTIONS OF perilune run]
#
# Without an app it serves lua/examples/01_hello.lua: curl http://127.0.0.1:8080/hello/you
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/server/packages.sh"

# shellcheck disable=SC2086  # a list of words
pl_install_packages $PL_BUILD_PACKAGES

echo "building build/release" >&2
log=$top/build/release.log
mkdir -p "$top/build"
if ! { cmake -S "$top" --preset release && cmake --build "$top/build/release"; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "the build failed; $log holds the lines above" >&2
  exit 1
fi

app=$top/lua/examples/01_hello.lua
for argument in "$@"; do
  case $argument in *.lua | -e | --eval | --eval=* | -h | --help) app= ;; esac
done
exec "$top/build/release/perilune" run ${app:+"$app"} "$@"
