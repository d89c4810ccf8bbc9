#!/bin/sh
# Runs a command with LIGA_CLUSTER naming the folder of the socket of a throw-away PostgreSQL cluster with the settings
# that the engine ships with, and cleans up after it (see cluster.sh):
#     tools/with_cluster.sh psql -h '$LIGA_CLUSTER' …
set -eu
. "$(dirname "$0")/cluster.sh"

trap stop_cluster EXIT
trap 'exit 130' INT TERM HUP

start_cluster ""
export LIGA_CLUSTER="$cluster"

"$@"
