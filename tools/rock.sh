#!/bin/sh
# Makes a rock of each rockspec, installs the packed rock into an empty tree and uses it from there, with the command.
# LuaRocks needs no network for that.
set -eu

root=$PWD
folder=$(mktemp -d "${TMPDIR:-/tmp}/liga-rock.XXXXXX")
trap 'rm -rf "$folder"' EXIT
rocks="luarocks --lua-version=5.4"
unset LUA_PATH LUA_CPATH MAKEFLAGS MFLAGS

# A copy of the sources: what is built here must not come from the checkout's build folder.
mkdir "$folder/source"
cp -r Makefile LICENSE bin csrc lua rockspec "$folder/source"

cd "$folder/source"
for spec in rockspec/*.rockspec rockspec/sqlite/*.rockspec; do
    package=$(basename "$spec" -dev-1.rockspec)
    tree=$folder/$package
    $rocks lint "$spec"
    # The main rock is found without being named.
    case $package in liga) named= ;; *) named=$spec ;; esac
    $rocks --tree "$tree-made" make $named >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
    (cd "$folder" && $rocks --tree "$tree-made" pack "$package" dev-1 >"$folder/log" 2>&1) || { cat "$folder/log"; exit 1; }
    $rocks --tree "$tree" install "$folder/$package"-dev-1.*.rock >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
    rm -rf "$tree-made" build

    test -f "$tree/lib/lua/5.4/liga/sqlite.so"
    case $package in
        *-sqlite) test ! -e "$tree/lib/lua/5.4/liga/postgres.so" ;;
        *) test -f "$tree/lib/lua/5.4/liga/postgres.so" ;;
    esac
    cd /
    LUA_PATH="$tree/share/lua/5.4/?.lua;$tree/share/lua/5.4/?/init.lua" LUA_CPATH="$tree/lib/lua/5.4/?.so" lua5.4 -e '
        local liga = require "liga"
        local db <close> = liga.connect "sqlite::memory:"
        local User = db:define("User", { name = liga.STRING })
        db:sync()
        assert(User:create{ name = "ann" }.id == 1 and User:count() == 1)'
    test "$("$tree/bin/liga" console --no-sql -e '20 + 22')" = 42
    cd "$folder/source"
done
