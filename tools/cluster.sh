# shellcheck shell=sh
# A throw-away PostgreSQL cluster on a Unix socket, for scripts that read this file with `.`:
#     trap stop_cluster EXIT
#     start_cluster "fsync = off"       # settings, a line each, beside those of the engine as it ships
#     … $cluster is the folder of its socket; user liga, no password …

cluster=

# PostgreSQL refuses to be run by root, then it is the system's own user who does.
as_owner() {
    if [ "$(id -u)" = 0 ]; then (cd / && exec runuser -u postgres -- "$@"); else "$@"; fi
}

newest_bin() {
    for candidate in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -rn); do
        if [ -x "$candidate/initdb" ]; then echo "$candidate"; return; fi
    done
    dirname "$(command -v initdb || echo "no PostgreSQL server found/initdb")"
}

# Runs a command; what it prints is shown only if it fails, with the server's own words.
quietly() {
    "$@" >"$cluster/output" 2>&1 || { cat "$cluster/output" "$cluster/log" 2>/dev/null; exit 1; }
}

start_cluster() {
    bin=$(newest_bin)
    cluster=$(mktemp -d /tmp/liga-pg.XXXXXX)        # a socket's path must be short
    if [ "$(id -u)" = 0 ]; then chown postgres "$cluster"; fi
    quietly as_owner "$bin/initdb" -D "$cluster/data" -U liga -A trust -E UTF8 --locale=C.UTF-8 --no-sync
    as_owner sh -c "cat >>'$cluster/data/postgresql.conf'" <<CONF
listen_addresses = ''
unix_socket_directories = '$cluster'
logging_collector = off
$1
CONF
    quietly as_owner "$bin/pg_ctl" -D "$cluster/data" -l "$cluster/log" -w -t 60 start
}

stop_cluster() {
    if [ -z "$cluster" ]; then return; fi
    as_owner "$bin/pg_ctl" -D "$cluster/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$cluster"
    cluster=
}

# A statement, or what comes from the standard input.
run_psql() {
    as_owner "$bin/psql" -q -X -v ON_ERROR_STOP=1 -h "$cluster" -U liga "$@"
}
