#!/bin/sh
# Runs a command with LIGA_TEST_URLS naming every engine under test, and cleans up after it:
#     tools/with_engines.sh lua5.4 tools/test.lua busted
# Where LIGA_TEST_URLS is set already, those engines are used as they are. Else they are an SQLite memory database, an
# SQLite file and a throw-away PostgreSQL cluster on a Unix socket.
set -eu
. "$(dirname "$0")/cluster.sh"

folder=$(mktemp -d "${TMPDIR:-/tmp}/liga-test.XXXXXX")

finish() {
    stop_cluster
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

if [ -z "${LIGA_TEST_URLS:-}" ]; then
    # One that is fast to start and forgets everything.
    start_cluster "
        max_connections = 60
        fsync = off
        synchronous_commit = off
        full_page_writes = off
        autovacuum = off
        max_prepared_transactions = 0"
    run_psql -d postgres -c 'CREATE DATABASE liga' >/dev/null
    LIGA_TEST_URLS="sqlite::memory: sqlite:$folder/test.db postgres://liga@/liga?host=$cluster"
fi
export LIGA_TEST_URLS

"$@"
