#!/bin/sh
# Runs a command with LIGA_TEST_URLS naming every engine under test, and cleans up after it:
#     tools/with_engines.sh lua5.4 tools/test.lua busted
# Where LIGA_TEST_URLS is set already, those engines are used as they are. Else they are an SQLite memory database, an
# SQLite file and a throw-away PostgreSQL cluster on a Unix socket.
set -eu

folder=$(mktemp -d "${TMPDIR:-/tmp}/liga-test.XXXXXX")
cluster=

# PostgreSQL refuses to be run by root, then it is the system's own user who does.
as_owner() {
    if [ "$(id -u)" = 0 ]; then (cd / && exec runuser -u postgres -- "$@"); else "$@"; fi
}

finish() {
    if [ -n "$cluster" ]; then as_owner "$bin/pg_ctl" -D "$cluster/data" -m immediate -w stop >/dev/null 2>&1 || true; fi
    rm -rf "$folder" "$cluster"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

newest_bin() {
    for candidate in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -rn); do
        if [ -x "$candidate/initdb" ]; then echo "$candidate"; return; fi
    done
    dirname "$(command -v initdb || echo "no PostgreSQL server found/initdb")"
}

# One that is fast to start and forgets everything: fsync off, a small buffer, no network.
start_cluster() {
    bin=$(newest_bin)
    cluster=$(mktemp -d /tmp/liga-pg.XXXXXX)        # a socket's path must be short
    if [ "$(id -u)" = 0 ]; then chown postgres "$cluster"; fi
    log="$folder/initdb.log"
    as_owner "$bin/initdb" -D "$cluster/data" -U liga -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$log" 2>&1 ||
        { cat "$log"; exit 1; }
    as_owner sh -c "cat >>'$cluster/data/postgresql.conf'" <<CONF
listen_addresses = ''
unix_socket_directories = '$cluster'
max_connections = 60
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_prepared_transactions = 0
logging_collector = off
CONF
    as_owner "$bin/pg_ctl" -D "$cluster/data" -l "$cluster/log" -w -t 60 start >"$folder/start.log" 2>&1 ||
        { cat "$folder/start.log" "$cluster/log"; exit 1; }
    as_owner "$bin/psql" -q -h "$cluster" -U liga -d postgres -c 'CREATE DATABASE liga' >/dev/null
}

if [ -z "${LIGA_TEST_URLS:-}" ]; then
    start_cluster
    LIGA_TEST_URLS="sqlite::memory: sqlite:$folder/test.db postgres://liga@/liga?host=$cluster"
fi
export LIGA_TEST_URLS

"$@"
