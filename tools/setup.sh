#!/bin/sh
# Makes sure that the Debian packages of the named groups are there:
#     tools/setup.sh build test
# As root on Debian what is missing is installed. Elsewhere it is only looked for, named, and the exit status is 1.
set -eu

# One line per package: group, Debian package, and how to see on another system whether it is there.
packages='
build  gcc              command gcc
build  libc6-dev        header  stdio.h
build  lua5.4           command lua5.4
build  liblua5.4-dev    header  lua5.4/lua.h
build  libsqlite3-dev   header  sqlite3.h
build  libpq-dev        header  postgresql/libpq-fe.h
test   lua-busted       module  busted.runner
test   lua-check        command luacheck
test   lua-cjson        module  cjson
test   sqlite3          command sqlite3
test   lua-readline     module  readline
test   luarocks         command luarocks
test   lua-cqueues      module  cqueues
test   pgbouncer        command pgbouncer
test   postgresql-15    command /usr/lib/postgresql/15/bin/initdb
check  clang            command clang
bench  lua-sql-sqlite3  module  luasql.sqlite3
bench  lua-dbi-sqlite3  module  dbd.sqlite3
bench  lua-sql-postgres module  luasql.postgres
bench  lua-dbi-postgresql module dbd.postgresql
bench  postgresql-15    command /usr/lib/postgresql/15/bin/initdb
bench  sqlite3          command sqlite3
bench  valgrind         command valgrind
test   lua-ldoc         command ldoc
test   lua-markdown     module  markdown
test   graphviz         command dot
docs   lua-ldoc         command ldoc
docs   lua-markdown     module  markdown
'

on_debian() {
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null
}

# is_there PACKAGE KIND NAME
is_there() {
    if on_debian; then
        [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
        return
    fi
    case $2 in
        command) command -v "$3" >/dev/null ;;
        header)  echo "#include <$3>" | gcc -E - >/dev/null 2>&1 ;;
        module)  lua5.4 -e "require '$3'" >/dev/null 2>&1 ;;
    esac
}

missing() {
    echo "$packages" | while read -r group package kind name; do
        case " $* " in *" $group "*) is_there "$package" "$kind" "$name" || echo "$package" ;; esac
    done
}

# The names on one line.
wanted=$(echo $(missing "$@"))
[ -n "$wanted" ] || exit 0

if ! on_debian; then
    echo "liga needs what these Debian packages hold: $wanted"
    echo "Install them with this system's own package manager, then try again (on Debian: apt-get install $wanted)."
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "liga needs these packages, which are not installed: $wanted"
    echo "Install them as root, then try again:"
    echo "    apt-get update && apt-get install --no-install-recommends $wanted"
    exit 1
fi
echo "installing $wanted"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# shellcheck disable=SC2086
apt-get -qq -y install --no-install-recommends $wanted >/dev/null
