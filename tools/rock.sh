#!/bin/sh
# Makes a rock of each rockspec, installs the packed rock into an empty tree and uses it from there, with the command.
# LuaRocks needs no network for that.
set -eu

root=$PWD
folder=$(mktemp -d "${TMPDIR:-/tmp}/liga-rock.XXXXXX")
trap 'rm -rf "$folder"' EXIT
rocks="luarocks --lua-version=5.4"
unset LUA_PATH LUA_CPATH MAKEFLAGS MFLAGS

# A compiler that can't compile or link anything of PostgreSQL: what the second rock is built with.
mkdir "$folder/without-libpq"
cat >"$folder/without-libpq/gcc" <<END
#!/bin/sh
case "\$*" in *csrc/driver/postgres*|*csrc/lua/driver_postgres*|*-lpq*) echo "there is no libpq" >&2; exit 1 ;; esac
exec $(command -v gcc) "\$@"
END
chmod +x "$folder/without-libpq/gcc"

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
    case $package in *-sqlite) PATH=$folder/without-libpq:$PATH ;; esac
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
    test "$("$tree/bin/liga" demo --no-sql -e 'User:count()')" = 4
    "$tree/bin/liga" diagram "postgres://nobody@127.0.0.1:1/x" 2>"$folder/log" && exit 1
    test "$(wc -l <"$folder/log")" = 1
    case $package in
        *-sqlite) grep -q "without the driver liga.postgres" "$folder/log" ;;
        *) grep -q "connect" "$folder/log" ;;
    esac
    cd "$folder/source"
done
