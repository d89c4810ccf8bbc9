#!/bin/sh
# Runs a command with LIGA_TEST_URLS naming every engine under test, and cleans up after it:
#     tools/with_engines.sh lua5.4 tools/test.lua busted
# Where LIGA_TEST_URLS is set already, those engines are used as they are.
set -eu

folder=$(mktemp -d "${TMPDIR:-/tmp}/liga-test.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

if [ -z "${LIGA_TEST_URLS:-}" ]; then
    LIGA_TEST_URLS="sqlite::memory: sqlite:$folder/test.db"
fi
export LIGA_TEST_URLS

"$@"
