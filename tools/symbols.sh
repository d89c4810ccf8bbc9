#!/bin/sh
# Checks what the built modules show to the outside: each exports its luaopen_ symbol and nothing else,
# and the core needs no database library.
set -eu
folder=${1:-build}
status=0

complain() {
    echo "$@"
    status=1
}

for module in "$folder"/liga/*.so; do
    name=$(basename "$module" .so)
    exported=$(nm -D --defined-only "$module" | awk '{ print $NF }' | sort | xargs)
    [ "$exported" = "luaopen_liga_$name" ] || complain "$module exports '$exported', not only luaopen_liga_$name"
done
if readelf -d "$folder/liga/core.so" | grep -E 'NEEDED.*lib(sqlite3|pq)\.'; then
    complain "$folder/liga/core.so needs a database library"
fi
exit $status
